//! What one meter of a run comes to: which rate holds, and the steps from it to the unit of account.

use crate::{
    Denominator, Meter, QuoteError, RateUnit, Usage,
    card::{Circumstances, MeterRounding, Model, Price, Rate, RateCard},
    video,
};
use aispace_units::{Exact, UnitError};

/// One meter, worked out. Nothing in it is allocated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge<'a> {
    pub(crate) meter: Meter,
    /// Whose rate it is; none for the printed price of a clip.
    pub(crate) chosen: Option<Chosen<'a>>,
    pub(crate) quantity: Exact,
    /// What was counted before what is included was taken off.
    pub(crate) counted: Exact,
    pub(crate) price: Exact,
    pub(crate) unit: RateUnit,
    pub(crate) per: Denominator,
    /// Price times quantity, in `unit`.
    pub(crate) amount: Exact,
    pub(crate) rounded: Option<(MeterRounding, Exact)>,
    /// What it comes to in the unit of account.
    pub(crate) account: Exact,
}

/// The rate that holds for a meter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) rate: &'a Rate,
    /// The model that has the rate: the run's own, or that of an add-on.
    pub(crate) of: &'a Model,
    /// The rate that it is a multiple of.
    pub(crate) multiple_of: Option<&'a Rate>,
}

/// Prices one meter of a run.
pub(crate) fn charge<'a>(
    card: &'a RateCard,
    model: &'a Model,
    usage: &Usage,
    meter: Meter,
    circumstances: &Circumstances<'_>,
) -> Result<Charge<'a>, QuoteError> {
    if let (Meter::VideoSeconds, Some(rules)) = (meter, &model.video) {
        return video::charge(card, model, rules, usage, circumstances);
    }
    let chosen = choose(card, model, meter, circumstances)?.ok_or_else(|| no_rate(card, model, meter))?;
    let counted = usage.number(meter);
    let free = match chosen.rate.included {
        0 => 0,
        included => included_left(card, model, usage, meter, chosen.rate, included, circumstances),
    };
    let quantity = counted.sub(Exact::from(free)).unwrap_or(Exact::ZERO);
    Ok(work_out(card, meter, chosen, counted, quantity)?)
}

/// What a rate includes, less what it included for the meters before: parts without a rate share that of what they are parts of.
fn included_left(
    card: &RateCard,
    model: &Model,
    usage: &Usage,
    meter: Meter,
    rate: &Rate,
    included: u64,
    circumstances: &Circumstances<'_>,
) -> u64 {
    let whole = |m: Meter| m.parent().unwrap_or(m);
    let before = usage.iter().take_while(|(other, _)| *other != meter).filter(|(other, _)| whole(*other) == whole(meter));
    before.fold(included, |left, (other, count)| {
        let same = choose(card, model, other, circumstances).ok().flatten().is_some_and(|chosen| std::ptr::eq(chosen.rate, rate));
        if same { left.saturating_sub(count) } else { left }
    })
}

/// The steps from a rate to the unit of account.
pub(crate) fn work_out<'a>(
    card: &RateCard,
    meter: Meter,
    chosen: Chosen<'a>,
    counted: Exact,
    quantity: Exact,
) -> Result<Charge<'a>, UnitError> {
    let (price, unit, per) = price_of(chosen)?;
    let amount = price.mul(quantity)?.shift_right(per.places())?;
    let rounded = card.rounding_of(chosen.rate.meter).map(|rounding| (rounding, amount.round(rounding.decimals, rounding.rule)));
    let account = card.account_amount(rounded.map_or(amount, |(_, rounded)| rounded), unit)?;
    Ok(Charge { meter, chosen: Some(chosen), quantity, counted, price, unit, per, amount, rounded, account })
}

/// The price of a rate, where it is a multiple that of the rate it multiplies.
pub(crate) fn price_of(chosen: Chosen<'_>) -> Result<(Exact, RateUnit, Denominator), UnitError> {
    match (chosen.rate.price, chosen.multiple_of.map(|r| r.price)) {
        (Price::Amount { amount, unit, per }, _) => Ok((amount, unit, per)),
        (Price::Times { times, .. }, Some(Price::Amount { amount, unit, per })) => Ok((amount.mul(times)?, unit, per)),
        // A card's check refuses a multiple of a multiple.
        (Price::Times { of, .. }, _) => Err(UnitError::OutOfRange { input: format!("a multiple of {of}") }),
    }
}

/// The rate that holds: the meter's own, else an add-on's, else that of what the meter is a part of.
pub(crate) fn choose<'a>(
    card: &'a RateCard,
    model: &'a Model,
    meter: Meter,
    run: &Circumstances<'_>,
) -> Result<Option<Chosen<'a>>, QuoteError> {
    if let Some(rate) = holding(model, meter, run)? {
        return chosen(model, rate, run).map(Some);
    }
    if let Some(add_on) = card.add_on(model, meter)
        && let Some(rate) = holding(add_on, meter, run)?
    {
        return chosen(add_on, rate, run).map(Some);
    }
    let Some(parent) = meter.parent() else { return Ok(None) };
    holding(model, parent, run)?.map(|rate| chosen(model, rate, run)).transpose()
}

/// A rate with the one that it is a multiple of.
pub(crate) fn chosen<'a>(of: &'a Model, rate: &'a Rate, run: &Circumstances<'_>) -> Result<Chosen<'a>, QuoteError> {
    let multiple_of = match rate.price {
        Price::Amount { .. } => None,
        Price::Times { of: base, .. } => {
            let no_price = || QuoteError::NoPrice { model_id: of.id.clone(), combination: base.as_str().to_owned() };
            Some(holding(of, base, run)?.ok_or_else(no_price)?)
        }
    };
    Ok(Chosen { rate, of, multiple_of })
}

/// The last rate of a meter whose conditions hold.
pub(crate) fn holding<'a>(model: &'a Model, meter: Meter, run: &Circumstances<'_>) -> Result<Option<&'a Rate>, QuoteError> {
    last_holding(model, run, |rate| rate.meter == meter)
}

/// The last rate of some meters whose conditions hold.
pub(crate) fn last_holding<'a>(
    model: &'a Model,
    run: &Circumstances<'_>,
    wanted: impl Fn(&Rate) -> bool,
) -> Result<Option<&'a Rate>, QuoteError> {
    for rate in model.rates.iter().rev().filter(|rate| wanted(rate)) {
        let holds = rate.when.as_ref().map_or(Some(true), |when| when.holds(run));
        if holds.ok_or_else(|| QuoteError::InstantNeeded { model_id: model.id.clone() })? {
            return Ok(Some(rate));
        }
    }
    Ok(None)
}

fn no_rate(card: &RateCard, model: &Model, meter: Meter) -> QuoteError {
    let is_priced = |m: &&Meter| model.rates.iter().any(|r| r.meter == **m) || card.add_on(model, **m).is_some();
    if is_priced(&&meter) {
        return QuoteError::NoPrice { model_id: model.id.clone(), combination: meter.as_str().to_owned() };
    }
    QuoteError::NoRate { model_id: model.id.clone(), meter, priced: Meter::ALL.iter().filter(is_priced).copied().collect() }
}

impl RateCard {
    /// An amount of a rate's unit in the unit of account.
    pub(crate) fn account_amount(&self, amount: Exact, unit: RateUnit) -> Result<Exact, UnitError> {
        match unit {
            RateUnit::Credits => Ok(amount),
            RateUnit::Usd if self.unit().is_usd() => Ok(amount),
            RateUnit::Usd => amount.mul(self.unit().per_usd),
        }
    }
}
