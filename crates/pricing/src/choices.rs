//! What each parameter of a clip may be, and what the run would cost with it.

use crate::{AUDIO, Meter, ParameterName, RESOLUTION, RateCard, Run, Switch, Terms, Usage, total, video};
use aispace_units::Exact;
use serde::Serialize;

/// A parameter with its allowed values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Which one.
    pub parameter: ParameterName,
    /// In the model's order; one option where there is nothing to choose.
    pub options: Vec<ChoiceOption>,
}

/// One allowed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChoiceOption {
    /// `4`, `720p`, `on`.
    pub value: String,
    /// What all runs would cost with it and all else as asked, in the unit of account; none where no price is known.
    pub price: Option<Exact>,
    /// Whether the run has it.
    pub chosen: bool,
}

/// The choices of a video run, each priced; nothing for other kinds of work and for a model that the card does not have.
/// A resolution that a model does not let choose is left out.
#[must_use]
pub fn choices(card: &RateCard, run: &Run, terms: &Terms) -> Vec<Choice> {
    let Ok(found) = card.resolve(&run.model_id) else { return Vec::new() };
    let Some((model, rules)) = card.get(found).and_then(|m| Some((m, m.video.as_ref()?))) else { return Vec::new() };
    // A run that is itself impossible still gets its choices, so that a person can leave it.
    let own = |name: &str| run.options.get(name).or_else(|| model.base.options.get(name)).cloned();
    let seconds = run.usage.number(Meter::VideoSeconds);

    let priced =
        |value: String, alternative: Run, chosen: bool| ChoiceOption { value, price: total(card, &alternative, terms).ok(), chosen };
    let with_seconds = |s: &u32| {
        let milliseconds = u64::from(*s).saturating_mul(1_000);
        let usage = Usage::new().plus(&run.usage).with(Meter::VideoSeconds, milliseconds);
        priced(s.to_string(), Run { usage, ..run.clone() }, seconds == Exact::from(*s))
    };
    let with_option = |name: &str, value: &str, chosen: bool| {
        let mut alternative = run.clone();
        alternative.options.insert(name.to_owned(), value.to_owned());
        priced(value.to_owned(), alternative, chosen)
    };
    let resolution = own(RESOLUTION);
    let with_resolution = |r: &String| with_option(RESOLUTION, r, resolution.as_ref() == Some(r));
    let audio = own(AUDIO);
    let sounds = video::audio_values(rules.audio);
    let is_chosen = |a: &Switch| audio.as_deref().map_or(sounds.len() == 1, |own| own == a.as_str());
    let with_audio = |a: &Switch| with_option(AUDIO, a.as_str(), is_chosen(a));

    let mut all = vec![Choice { parameter: ParameterName::Seconds, options: rules.seconds.iter().map(with_seconds).collect() }];
    if !rules.resolutions.is_empty() {
        all.push(Choice { parameter: ParameterName::Resolution, options: rules.resolutions.iter().map(with_resolution).collect() });
    }
    all.push(Choice { parameter: ParameterName::Audio, options: sounds.iter().map(with_audio).collect() });
    all
}
