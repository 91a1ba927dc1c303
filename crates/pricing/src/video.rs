//! What a clip costs: by its rate where one is known, else by the printed price for exactly the printed clip.

use crate::{
    AudioRule, Denominator, Evidence, Line, LineMeter, LineRole, Meter, Model, ParameterName, QuoteError, Rate, RateCard, Switch, Unit,
    VideoRules,
    quote::{Worked, charge},
};
use rust_decimal::Decimal;

/// A clip that its model can make, with the model's own values for what was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clip {
    pub(crate) seconds: u32,
    pub(crate) resolution: Option<String>,
    pub(crate) audio: Switch,
}

impl Clip {
    pub(crate) fn new(model: &Model, seconds: u32, resolution: Option<&str>, audio: Option<bool>) -> Result<Self, QuoteError> {
        let rules = model.video().ok_or_else(|| no_price(model, "any clip".to_owned()))?;
        let impossible =
            |parameter, given: String, allowed| QuoteError::Impossible { model_id: model.id().to_owned(), parameter, given, allowed };
        if !rules.seconds.contains(&seconds) {
            let allowed = rules.seconds.iter().map(u32::to_string).collect();
            return Err(impossible(ParameterName::Seconds, seconds.to_string(), allowed));
        }
        if let Some(given) = resolution.filter(|r| !rules.resolutions.iter().any(|allowed| allowed == r)) {
            return Err(impossible(ParameterName::Resolution, given.to_owned(), rules.resolutions.clone()));
        }
        let (own_resolution, own_audio) = own_values(model);
        let allowed = audio_values(rules.audio);
        let audio = audio.map_or(own_audio, Switch::from_bool);
        if !allowed.contains(&audio) {
            return Err(impossible(ParameterName::Audio, audio.to_string(), allowed.iter().map(Switch::to_string).collect()));
        }
        Ok(Self { seconds, resolution: resolution.map(str::to_owned).or(own_resolution), audio })
    }
}

impl Switch {
    /// On for true.
    #[must_use]
    pub fn from_bool(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
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

/// The resolution and sound of a model's base run.
fn own_values(model: &Model) -> (Option<String>, Switch) {
    match model.base() {
        crate::Parameters::Video { resolution, audio, .. } => (resolution.clone(), Switch::from_bool(*audio == Some(true))),
        crate::Parameters::Chat { .. }
        | crate::Parameters::Image { .. }
        | crate::Parameters::Audio { .. }
        | crate::Parameters::Embedding { .. }
        | crate::Parameters::Search { .. } => (None, Switch::Off),
    }
}

pub(crate) fn work_out(card: &RateCard, model: &Model, clip: &Clip) -> Result<Worked, QuoteError> {
    let words = clip_words(clip);
    let rules = model.video().ok_or_else(|| no_price(model, words.clone()))?;
    let printed = is_printed(rules, clip);
    let printed_note = format!("Printed in the rate card of {} for exactly this clip.", card.date());
    let Some(rate) = model.rates().iter().rev().find(|rate| holds(rate, clip)) else {
        if !printed {
            return Err(no_price(model, format!("{} s, {words}", clip.seconds)));
        }
        let line = printed_line(card, rules, &words);
        return Ok(Worked { lines: vec![line], evidence: Evidence::RateCard, evidence_note: printed_note });
    };
    let (quantity, rule) = match rate.meter {
        Meter::VideoSeconds => (Decimal::from(clip.seconds), words),
        _ => (Decimal::ONE, "one price, whatever the clip".to_owned()),
    };
    let lines = charge(card, rate, quantity, rule)?;
    let (evidence, mut evidence_note) = if printed { (Evidence::RateCard, printed_note) } else { evidence_of(card, rate, clip.seconds) };
    if let Some(note) = rate.note.as_ref().filter(|_| evidence != Evidence::RateCard) {
        evidence_note.push_str(&format!(" Note: {note}."));
    }
    Ok(Worked { lines, evidence, evidence_note })
}

fn is_printed(rules: &VideoRules, clip: &Clip) -> bool {
    let printed = &rules.printed;
    let same_resolution = printed.resolutions.is_empty() || clip.resolution.as_ref().is_some_and(|r| printed.resolutions.contains(r));
    printed.seconds == clip.seconds && same_resolution && Switch::from_bool(printed.audio) == clip.audio
}

fn holds(rate: &Rate, clip: &Clip) -> bool {
    matches!(rate.meter, Meter::VideoSeconds | Meter::VideoGeneration)
        && rate.when.as_ref().is_none_or(|when| {
            when.resolution.as_ref().is_none_or(|r| clip.resolution.as_ref() == Some(r)) && when.audio.is_none_or(|a| a == clip.audio)
        })
}

fn printed_line(card: &RateCard, rules: &VideoRules, words: &str) -> Line {
    let credits = rules.printed.credits.get();
    Line {
        meter: LineMeter::Metered(Meter::VideoGeneration),
        quantity: Decimal::ONE,
        rate: credits,
        unit: Unit::Credits(card.owner()),
        denominator: Denominator::One,
        amount: credits,
        rule: format!("printed price of {} s, {words}", rules.printed.seconds),
        role: LineRole::Charge,
    }
}

fn evidence_of(card: &RateCard, rate: &Rate, seconds: u32) -> (Evidence, String) {
    let seen = rate.observed_seconds.len();
    let from = rate.source.as_ref().map(|s| format!(" ({s})")).unwrap_or_default();
    if rate.meter == Meter::VideoGeneration {
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
    } else {
        (Evidence::AssumedLinear, format!("No price was seen for this resolution and sound; the rate is carried over{from}."))
    }
}

fn clip_words(clip: &Clip) -> String {
    let sound = match clip.audio {
        Switch::On => "sound on",
        Switch::Off => "no sound",
    };
    clip.resolution.as_ref().map_or_else(|| sound.to_owned(), |r| format!("{r}, {sound}"))
}

fn no_price(model: &Model, combination: String) -> QuoteError {
    QuoteError::NoPrice { model_id: model.id().to_owned(), combination }
}
