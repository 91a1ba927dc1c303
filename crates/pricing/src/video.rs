//! What a clip costs: by its rate where one is known, else by the printed price for exactly the printed clip.

use crate::{
    AUDIO, AudioRule, Denominator, Evidence, Meter, Model, ParameterName, QuoteError, RESOLUTION, Rate, RateCard, RateUnit, Switch, Usage,
    VideoRules,
    card::Circumstances,
    charge::{Charge, chosen, last_holding, work_out},
};
use aispace_units::Exact;

/// A clip that its model can make, with the model's own values for what was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clip<'a> {
    pub(crate) seconds: u32,
    pub(crate) resolution: Option<&'a str>,
    pub(crate) audio: Switch,
}

impl<'a> Clip<'a> {
    pub(crate) fn new(model: &Model, rules: &VideoRules, usage: &Usage, run: &Circumstances<'a>) -> Result<Self, QuoteError> {
        let impossible = |parameter: ParameterName, given: String, allowed| QuoteError::Impossible {
            model_id: model.id.clone(),
            parameter: parameter.as_str().to_owned(),
            given,
            allowed,
        };
        let number = usage.number(Meter::VideoSeconds);
        let whole = number.to_whole().and_then(|s| u32::try_from(s).ok()).filter(|s| rules.seconds.contains(s));
        let Some(seconds) = whole else {
            let allowed = rules.seconds.iter().map(u32::to_string).collect();
            return Err(impossible(ParameterName::Seconds, number.to_string(), allowed));
        };
        if let Some(given) = run.options.get(RESOLUTION).filter(|r| !rules.resolutions.contains(r)) {
            return Err(impossible(ParameterName::Resolution, given.clone(), rules.resolutions.clone()));
        }
        let allowed = audio_values(rules.audio);
        let audio = match run.option(AUDIO) {
            Some(word) => allowed.iter().find(|a| a.as_str() == word).copied(),
            None => Some(own_sound(rules.audio)),
        };
        let Some(audio) = audio else {
            let allowed = allowed.iter().map(ToString::to_string).collect();
            return Err(impossible(ParameterName::Audio, run.option(AUDIO).unwrap_or_default().to_owned(), allowed));
        };
        Ok(Self { seconds, resolution: run.option(RESOLUTION), audio })
    }

    fn is_printed(&self, rules: &VideoRules) -> bool {
        rules.printed.as_ref().is_some_and(|printed| {
            let same_resolution =
                printed.resolutions.is_empty() || self.resolution.is_some_and(|r| printed.resolutions.iter().any(|p| p == r));
            printed.seconds == self.seconds && same_resolution && Switch::from_bool(printed.audio) == self.audio
        })
    }

    pub(crate) fn words(&self) -> String {
        let sound = match self.audio {
            Switch::On => "sound on",
            Switch::Off => "no sound",
        };
        self.resolution.map_or_else(|| sound.to_owned(), |r| format!("{r}, {sound}"))
    }
}

/// The sounds a model's clips can have.
pub(crate) fn audio_values(rule: AudioRule) -> &'static [Switch] {
    match rule {
        AudioRule::Always => &[Switch::On],
        AudioRule::Never => &[Switch::Off],
        AudioRule::Choice => &[Switch::On, Switch::Off],
    }
}

/// The sound of a clip of which nothing is said.
pub(crate) fn own_sound(rule: AudioRule) -> Switch {
    match rule {
        AudioRule::Always => Switch::On,
        AudioRule::Never | AudioRule::Choice => Switch::Off,
    }
}

/// Prices the seconds of a clip.
pub(crate) fn charge<'a>(
    card: &'a RateCard,
    model: &'a Model,
    rules: &'a VideoRules,
    usage: &Usage,
    run: &Circumstances<'_>,
) -> Result<Charge<'a>, QuoteError> {
    let clip = Clip::new(model, rules, usage, run)?;
    if let Some(rate) = last_holding(model, run, |r| matches!(r.meter, Meter::VideoSeconds | Meter::Generations))? {
        let counted = if rate.meter == Meter::Generations { Exact::ONE } else { usage.number(Meter::VideoSeconds) };
        let quantity = counted.sub(Exact::from(rate.included)).unwrap_or(Exact::ZERO);
        return Ok(work_out(card, rate.meter, chosen(model, rate, run)?, counted, quantity)?);
    }
    let Some(printed) = rules.printed.as_ref().filter(|_| clip.is_printed(rules)) else {
        let combination = format!("{} s, {}", clip.seconds, clip.words());
        return Err(QuoteError::NoPrice { model_id: model.id.clone(), combination });
    };
    let (price, unit, per) = (printed.credits, RateUnit::Credits, Denominator::ONE);
    let (quantity, amount, account) = (Exact::ONE, price, price);
    Ok(Charge { meter: Meter::Generations, chosen: None, quantity, counted: quantity, price, unit, per, amount, rounded: None, account })
}

/// What chose a clip's price, and how sure it is.
pub(crate) struct Reason {
    pub(crate) rule: String,
    pub(crate) evidence: Evidence,
    pub(crate) note: String,
}

/// Says why a clip costs what [`charge`] answered.
pub(crate) fn reason(card: &RateCard, rules: &VideoRules, clip: &Clip<'_>, charge: &Charge<'_>) -> Reason {
    let words = clip.words();
    let printed_note = format!("Printed in the rate card of {} for exactly this clip.", card.date());
    let Some(chosen) = &charge.chosen else {
        let rule = format!("printed price of {} s, {words}", clip.seconds);
        return Reason { rule, evidence: Evidence::RateCard, note: printed_note };
    };
    let rule = if charge.meter == Meter::Generations { "one price, whatever the clip".to_owned() } else { words };
    let (evidence, mut note) =
        if clip.is_printed(rules) { (Evidence::RateCard, printed_note) } else { evidence_of(card, chosen.rate, clip.seconds) };
    if let Some(own) = chosen.rate.note.as_ref().filter(|_| evidence != Evidence::RateCard) {
        note.push_str(&format!(" Note: {own}."));
    }
    Reason { rule, evidence, note }
}

/// How sure [`charge`]'s answer is.
pub(crate) fn evidence(
    card: &RateCard,
    model: &Model,
    rules: &VideoRules,
    usage: &Usage,
    run: &Circumstances<'_>,
) -> Result<Evidence, QuoteError> {
    let clip = Clip::new(model, rules, usage, run)?;
    Ok(reason(card, rules, &clip, &charge(card, model, rules, usage, run)?).evidence)
}

fn evidence_of(card: &RateCard, rate: &Rate, seconds: u32) -> (Evidence, String) {
    let seen = rate.observed_seconds.len();
    let from = rate.source.as_ref().map(|s| format!(" ({s})")).unwrap_or_default();
    if rate.meter == Meter::Generations {
        (Evidence::RateCard, format!("Printed in the rate card of {}: one price, whatever the clip.", card.date()))
    } else if rate.observed_seconds.contains(&seconds) {
        (Evidence::RateCard, format!("The price of exactly this clip was seen{from}."))
    } else if rate.derived_seconds.contains(&seconds) {
        (Evidence::Interpolated, format!("From a published price per second{from}."))
    } else if seen >= 2 {
        (Evidence::Interpolated, format!("From the rate of {seen} prices seen for this resolution and sound{from}."))
    } else if seen == 1 {
        (
            Evidence::AssumedLinear,
            format!(
                "From the one price seen for this resolution and sound{from}; that a clip costs in proportion to its length is assumed."
            ),
        )
    } else if rate.source.is_none() {
        // Without a source a rate is one of the card's own price list.
        (Evidence::RateCard, format!("Printed in the rate card of {}: so much per second.", card.date()))
    } else {
        (Evidence::AssumedLinear, format!("No price was seen for this resolution and sound; the rate is carried over{from}."))
    }
}
