//! The words to what a run comes to: one or more lines a meter, and how sure they are.

use crate::{
    Denominator, Evidence, Line, LineMeter, LineRole, Meter, Model, ModelRef, Price, QuoteError, RateCard, RateUnit, Run, Terms,
    card::{Circumstances, MeterRounding},
    charge::{Charge, Chosen, charge},
    live::LiveClip,
    quote::unit_word,
    video,
    words::grouped,
};
use aispace_units::{Exact, Rounding};

/// One run, worked out.
pub(crate) struct Explained {
    pub(crate) lines: Vec<Line>,
    pub(crate) evidence: Evidence,
    pub(crate) evidence_note: String,
}

/// Works out one run before factors, with words; a clip that was quoted live at that quote.
pub(crate) fn explain(
    card: &RateCard,
    found: ModelRef,
    model: &Model,
    run: &Run,
    terms: &Terms,
    live: Option<&LiveClip>,
) -> Result<Explained, QuoteError> {
    let circumstances = card.circumstances_of(found, run, terms);
    let evidence_note = format!("Printed in the rate card of {}.", card.date());
    let mut explained = Explained { lines: Vec::new(), evidence: Evidence::RateCard, evidence_note };
    for (meter, _) in run.usage.iter() {
        if let Some(live) = live.filter(|_| meter == Meter::VideoSeconds) {
            let charge = live.charge(run.usage.number(meter));
            (explained.evidence, explained.evidence_note) = (live.evidence, live.note.clone());
            explained.lines.extend(lines(card, &charge, live.rule.clone()));
            continue;
        }
        let charge = charge(card, model, &run.usage, meter, &circumstances)?;
        let rule = match (&model.video, meter) {
            (Some(rules), Meter::VideoSeconds) => {
                let clip = video::Clip::new(model, rules, &run.usage, &circumstances)?;
                let reason = video::reason(card, rules, &clip, &charge);
                (explained.evidence, explained.evidence_note) = (reason.evidence, reason.note);
                reason.rule
            }
            (Some(_) | None, _) => charge.chosen.as_ref().map(|chosen| rule(&charge, chosen, meter, &circumstances)).unwrap_or_default(),
        };
        explained.lines.extend(lines(card, &charge, rule));
        if let Some(note) = source_note(&charge).filter(|_| model.video.is_none()) {
            explained.evidence_note = note;
        }
    }
    for extra in &run.extras {
        explained.lines.push(Line {
            meter: LineMeter::Extra(extra.name.clone()),
            quantity: Exact::ONE,
            rate: extra.amount,
            unit: unit_word(card, RateUnit::Credits),
            denominator: Denominator::ONE,
            amount: extra.amount,
            rule: format!("{}, as reported", extra.name),
            role: LineRole::Charge,
        });
    }
    Ok(explained)
}

fn source_note(charge: &Charge<'_>) -> Option<String> {
    let source = charge.chosen.as_ref()?.rate.source.as_ref()?;
    Some(format!("From {source}."))
}

/// What chose a rate: whose it is, per how many, and every condition that it was chosen by.
fn rule(charge: &Charge<'_>, chosen: &Chosen<'_>, meter: Meter, run: &Circumstances<'_>) -> String {
    let mut rule = format!("{}, {}", chosen.of.name, per_words(charge.per));
    if chosen.rate.meter != meter {
        rule.push_str(&format!(", billed as {}", chosen.rate.meter));
    }
    if let Price::Times { times, of } = chosen.rate.price {
        rule.push_str(&format!(", {times} × {of}"));
    }
    if chosen.rate.included > 0 {
        rule.push_str(&format!(", {} of {} included", charge.counted.sub(charge.quantity).unwrap_or_default(), charge.counted));
    }
    for rate in [Some(chosen.rate), chosen.multiple_of].into_iter().flatten() {
        for words in rate.when.iter().flat_map(|when| when.words(Some(run.prompt_tokens))) {
            rule.push_str(&format!(", {words}"));
        }
    }
    rule
}

fn per_words(per: Denominator) -> String {
    if per == Denominator::ONE { "each".to_owned() } else { format!("per {}", grouped(&per.count().to_string())) }
}

/// The lines of one meter: the count times the rate and, where there are such, rounding and the way into the unit of account.
fn lines(card: &RateCard, charge: &Charge<'_>, rule: String) -> Vec<Line> {
    let converted = charge.unit == RateUnit::Usd && !card.unit().is_usd();
    let role_of = |last: bool| if last { LineRole::Charge } else { LineRole::Step };
    let mut lines = vec![Line {
        meter: LineMeter::Metered(charge.meter),
        quantity: charge.quantity,
        rate: charge.price,
        unit: unit_word(card, charge.unit),
        denominator: charge.per,
        amount: charge.amount,
        rule,
        role: role_of(!converted && charge.rounded.is_none()),
    }];
    let mut amount = charge.amount;
    if let Some((rounding, rounded)) = charge.rounded {
        lines.push(Line {
            meter: if is_cents(rounding, charge.unit, card) { LineMeter::ToCents } else { LineMeter::Rounded },
            quantity: amount,
            rate: Exact::ONE,
            unit: unit_word(card, charge.unit),
            denominator: Denominator::ONE,
            amount: rounded,
            rule: rounding_words(rounding, is_cents(rounding, charge.unit, card)),
            role: role_of(!converted),
        });
        amount = rounded;
    }
    if converted {
        let rate = card.unit().per_usd;
        lines.push(Line {
            meter: LineMeter::ToCredits,
            quantity: amount,
            rate,
            unit: unit_word(card, RateUnit::Credits),
            denominator: Denominator::ONE,
            amount: charge.account,
            rule: format!("{} {} for 1 USD", grouped(&rate.to_string()), card.unit().name),
            role: LineRole::Charge,
        });
    }
    lines
}

fn is_cents(rounding: MeterRounding, unit: RateUnit, card: &RateCard) -> bool {
    rounding.decimals == 2 && (unit == RateUnit::Usd || card.unit().is_usd())
}

fn rounding_words(rounding: MeterRounding, cents: bool) -> String {
    let rule = match rounding.rule {
        Rounding::Down => "down",
        Rounding::Up => "up",
        Rounding::HalfUp => "half up",
        Rounding::HalfEven => "half to even",
    };
    if cents { format!("to whole cents, {rule}") } else { format!("to {} decimals, {rule}", rounding.decimals) }
}
