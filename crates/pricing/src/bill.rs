//! The exact total and every line's amount, without a word and without an allocation.

use crate::{
    Meter, QuoteError, Usage,
    card::{Circumstances, Model, ModelRef, Rate, RateCard},
    charge::{charge, choose, price_of},
    meter::METERS,
    video,
};
use aispace_units::{Exact, UnitError};
use std::collections::BTreeMap;

/// What one run comes to, meter by meter, in the card's unit of account; used again and again.
#[derive(Debug, Clone)]
pub struct Bill {
    // By the place of the meter; only those present count.
    amounts: [u128; METERS],
    // Decimals of each amount, where they are not all those of the total.
    scales: Option<[u32; METERS]>,
    present: u32,
    mantissa: u128,
    scale: u32,
}

/// What one meter comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillLine {
    /// What was counted.
    pub meter: Meter,
    /// What it comes to.
    pub amount: Exact,
}

impl Bill {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { amounts: [0; METERS], scales: None, present: 0, mantissa: 0, scale: 0 }
    }

    /// The lines, one a meter that was used.
    pub fn lines(&self) -> impl Iterator<Item = BillLine> + '_ {
        let used = Meter::ALL.iter().filter(|meter| self.present & meter.bit() != 0);
        used.map(|meter| BillLine { meter: *meter, amount: self.amount(*meter) })
    }

    /// What a meter comes to.
    #[must_use]
    pub fn amount(&self, meter: Meter) -> Exact {
        if self.present & meter.bit() == 0 {
            return Exact::ZERO;
        }
        let scale = self.scales.and_then(|scales| scales.get(meter.index()).copied()).unwrap_or(self.scale);
        Exact::new(self.amounts.get(meter.index()).copied().unwrap_or(0), scale)
    }

    /// The sum of the lines: one run before any factor.
    #[must_use]
    pub fn total(&self) -> Exact {
        Exact::new(self.mantissa, self.scale)
    }

    /// The sum of the lines as a whole number of `10^-scale`, which is what [`Bill::total`] tidies up.
    #[inline]
    #[must_use]
    pub fn raw_total(&self) -> (u128, u32) {
        (self.mantissa, self.scale)
    }

    fn clear(&mut self) {
        (self.scales, self.present, self.mantissa, self.scale) = (Some([0; METERS]), 0, 0, 0);
    }

    fn push(&mut self, meter: Meter, amount: Exact) -> Result<(), UnitError> {
        let (at, scales) = (meter.index(), self.scales.get_or_insert([0; METERS]));
        if let (Some(own), Some(scale)) = (self.amounts.get_mut(at), scales.get_mut(at)) {
            (*own, *scale) = (amount.mantissa(), amount.scale());
            self.present |= meter.bit();
        }
        let total = self.total().add(amount)?;
        (self.mantissa, self.scale) = (total.mantissa(), total.scale());
        Ok(())
    }

    /// Takes each count times its price. No branch depends on what was used: the processor would often guess it wrong.
    #[inline]
    fn fill(&mut self, prices: &[u64], scale: u32, usage: &Usage) {
        let mut total = 0u128;
        for ((amount, price), count) in self.amounts.iter_mut().zip(prices).zip(usage.counts()) {
            // Neither can overflow: see `Usage::is_small`.
            *amount = u128::from(*count).wrapping_mul(u128::from(*price));
            total = total.wrapping_add(*amount);
        }
        (self.scales, self.present, self.mantissa, self.scale) = (None, usage.present(), total, scale);
    }
}

impl Default for Bill {
    fn default() -> Self {
        Self::new()
    }
}

/// What a model costs per smallest part of each meter, all at one scale, where only a longer prompt could change it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    // A bit for every meter that has its price here.
    covered: u32,
    scale: u32,
    // The first size of a prompt at which another rate may hold.
    prompt_end: u64,
    prices: [u64; METERS],
}

/// How many of the first meters a [`Front`] has.
const FRONT: usize = 6;

/// The beginning of a plan, which most runs need no more of: one line of the processor's cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Front {
    covered: u32,
    scale: u32,
    prompt_end: u64,
    prices: [u64; FRONT],
}

impl Front {
    /// Covers nothing.
    pub(crate) const EMPTY: Self = Self { covered: 0, scale: 0, prompt_end: u64::MAX, prices: [0; FRONT] };
}

impl Plan {
    pub(crate) fn new(card: &RateCard, model: &Model, at: ModelRef) -> Self {
        let none = BTreeMap::new();
        let short = card.circumstances(at, &Usage::new(), &none);
        let mut exact = [None; METERS];
        for (meter, slot) in Meter::ALL.iter().zip(exact.iter_mut()) {
            *slot = plain_price(card, model, *meter, &short);
        }
        let prompts = model.rates.iter().filter_map(|rate| rate.when.as_ref()?.prompt_tokens);
        let prompt_end = prompts.flat_map(|bounds| bounds.starts(1)).filter(|start| *start > 0).min().unwrap_or(u64::MAX);
        let mut plan = Self { covered: 0, scale: 0, prompt_end, prices: [0; METERS] };
        plan.scale = exact.iter().flatten().map(|p: &Exact| p.scale()).max().unwrap_or(0);
        for (meter, (price, slot)) in Meter::ALL.iter().zip(exact.into_iter().zip(plan.prices.iter_mut())) {
            let wide = price.and_then(|p| {
                let more = 10u128.checked_pow(plan.scale.checked_sub(p.scale())?)?;
                u64::try_from(p.mantissa().checked_mul(more)?).ok()
            });
            if let Some(wide) = wide {
                *slot = wide;
                plan.covered |= meter.bit();
            }
        }
        plan
    }

    /// Its beginning.
    pub(crate) fn front(&self) -> Front {
        let mut front = Front { covered: 0, scale: self.scale, prompt_end: self.prompt_end, prices: [0; FRONT] };
        for (meter, (slot, price)) in Meter::ALL.iter().zip(front.prices.iter_mut().zip(self.prices)) {
            *slot = price;
            front.covered |= self.covered & meter.bit();
        }
        front
    }
}

/// Whether prices that cover some meters, up to a size of the prompt, are those of a run without options, instant and tier.
#[inline]
fn are_for(covered: u32, prompt_end: u64, usage: &Usage) -> bool {
    usage.present() & !covered == 0 && usage.is_small() && (prompt_end == u64::MAX || usage.prompt_tokens() < prompt_end)
}

/// The price of the smallest part of a meter in the unit of account, where nothing about a run but a longer prompt can change it.
fn plain_price(card: &RateCard, model: &Model, meter: Meter, short: &Circumstances<'_>) -> Option<Exact> {
    if meter == Meter::VideoSeconds && model.video.is_some() {
        return None;
    }
    let chosen = choose(card, model, meter, short).ok()??;
    if card.rounding_of(chosen.rate.meter).is_some() {
        return None;
    }
    let of_length = |rate: &Rate| rate.when.as_ref().is_some_and(|when| when.seconds.is_some());
    // Whose rates may hold for a longer prompt than the one that was tried.
    let foreign = card.add_on(model, meter).is_some_and(|of| of.rates.iter().any(|rate| rate.when.is_some()));
    if chosen.rate.included > 0 || foreign || model.rates.iter().any(of_length) {
        return None;
    }
    let (price, unit, per) = price_of(chosen).ok()?;
    card.account_amount(price, unit).ok()?.shift_right(per.places().saturating_add(meter.places())).ok()
}

impl RateCard {
    /// Prices what one run of a model uses, exactly: no options, no instant, no factors.
    ///
    /// A model whose rates depend on none of them, which is most, costs a multiplication a meter. Nothing is allocated.
    ///
    /// ```
    /// use aispace_pricing::{Bill, Meter, RateCard, Usage};
    /// let card = RateCard::aispace()?;
    /// let model = card.resolve("qwen3-4b")?;
    /// let mut bill = Bill::new();
    /// card.bill(model, &Usage::new().with(Meter::InputTokens, 500).with(Meter::OutputTokens, 200), &mut bill)?;
    /// assert_eq!(bill.total().to_string(), "0.55");
    /// assert_eq!(bill.amount(Meter::OutputTokens).to_string(), "0.3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Any [`QuoteError`]; the bill is then empty.
    #[inline]
    pub fn bill(&self, model: ModelRef, usage: &Usage, bill: &mut Bill) -> Result<(), QuoteError> {
        match self.front(model) {
            Some(front) if are_for(front.covered, front.prompt_end, usage) => {
                bill.fill(&front.prices, front.scale, usage);
                Ok(())
            }
            Some(_) | None => self.bill_by_plan(model, usage, bill),
        }
    }

    fn bill_by_plan(&self, model: ModelRef, usage: &Usage, bill: &mut Bill) -> Result<(), QuoteError> {
        match self.plan(model) {
            Some(plan) if are_for(plan.covered, plan.prompt_end, usage) => {
                bill.fill(&plan.prices, plan.scale, usage);
                Ok(())
            }
            Some(_) | None => self.bill_by_rules(model, usage, bill),
        }
    }

    fn bill_by_rules(&self, model: ModelRef, usage: &Usage, bill: &mut Bill) -> Result<(), QuoteError> {
        let none = BTreeMap::new();
        self.bill_at(model, usage, &self.circumstances(model, usage, &none), bill)
    }

    pub(crate) fn circumstances<'a>(&'a self, model: ModelRef, usage: &Usage, options: &'a BTreeMap<String, String>) -> Circumstances<'a> {
        let milliseconds = usage.get(Meter::VideoSeconds).max(usage.get(Meter::AudioSeconds));
        let defaults = self.defaults(model).unwrap_or(options);
        let sound = self.get(model).and_then(|model| model.video.as_ref()).map(|rules| video::own_sound(rules.audio));
        Circumstances { at: None, prompt_tokens: usage.prompt_tokens(), milliseconds, tier: None, options, defaults, sound }
    }

    /// The same under circumstances, rate by rate.
    pub(crate) fn bill_at(
        &self,
        model: ModelRef,
        usage: &Usage,
        circumstances: &Circumstances<'_>,
        bill: &mut Bill,
    ) -> Result<(), QuoteError> {
        bill.clear();
        let priced = self.fill_by_rules(model, usage, circumstances, bill);
        if priced.is_err() {
            bill.clear();
        }
        priced
    }

    fn fill_by_rules(&self, model: ModelRef, usage: &Usage, circumstances: &Circumstances<'_>, bill: &mut Bill) -> Result<(), QuoteError> {
        let unknown = || QuoteError::UnknownModel { model_id: String::new(), nearest: Vec::new() };
        let model = self.get(model).ok_or_else(unknown)?;
        let mut too_wide = None;
        for (meter, _) in usage.iter() {
            let account = charge(self, model, usage, meter, circumstances)?.account;
            // A meter without a price is refused before a sum that is too wide, as in a quote.
            too_wide = too_wide.or(bill.push(meter, account).err());
        }
        if let Some(error) = too_wide {
            return Err(error.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model with a price for long prompts, one for a tier and one for a part of the day, and a plain one.
    const CARD: &str = r#"{"format": "aispace-rate-card/2", "id": "steps", "name": "Made up", "date": "2026-01-01",
        "unit": {"code": "usd", "name": "US dollar", "per_usd": "1"}, "posting": {"rule": "down", "decimals": 9}, "models": [
        {"id": "stepped", "name": "Stepped", "kind": "chat", "base": {"usage": {"input_tokens": 1}}, "rates": [
            {"meter": "input_tokens", "amount": "1", "unit": "usd", "per": "1M"},
            {"meter": "input_tokens", "amount": "0.5", "unit": "usd", "per": "1M", "when": {"tier": "batch"}},
            {"meter": "input_tokens", "amount": "2", "unit": "usd", "per": "1M", "when": {"prompt_tokens": {"over": 200000}}},
            {"meter": "cache_read_tokens", "times": "0.1", "of": "input_tokens"},
            {"meter": "output_tokens", "amount": "5", "unit": "usd", "per": "1M"},
            {"meter": "output_tokens", "amount": "3", "unit": "usd", "per": "1M", "when": {"daily": {"from": "16:30", "until": "00:30"}}}]}]}"#;

    #[test]
    fn a_plan_holds_up_to_the_prompt_that_changes_a_rate() {
        let card = RateCard::from_json(CARD).expect("a good card");
        let model = card.find("stepped").expect("its model");
        let plan = card.plan(model).expect("a plan");
        let mut bill = Bill::new();
        let mut billed = |input, cached| {
            let usage = Usage::new().with(Meter::InputTokens, input).with(Meter::CacheReadTokens, cached);
            card.bill(model, &usage, &mut bill).expect("a price");
            (are_for(plan.covered, plan.prompt_end, &usage), bill.total().to_string())
        };
        assert_eq!(billed(100_000, 100_000), (true, "0.11".into()));
        assert_eq!(billed(100_000, 100_001), (false, "0.2200002".into()));
        let timed = Usage::new().with(Meter::OutputTokens, 1);
        assert!(!are_for(plan.covered, plan.prompt_end, &timed), "this rate asks for an instant");
        assert!(matches!(card.bill(model, &timed, &mut bill), Err(QuoteError::InstantNeeded { .. })));
    }
}
