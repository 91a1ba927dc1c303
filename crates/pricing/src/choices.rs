//! What each parameter of a clip may be, and what the run would cost with it.

use crate::{ParameterName, Parameters, RateCard, Run, quote, video};
use aispace_units::CreditAmount;
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
    /// What all runs would cost with it and all else as asked; none where no price is known.
    pub price: Option<CreditAmount>,
    /// Whether the run has it.
    pub chosen: bool,
}

/// The choices of a video run, each quoted; nothing for other kinds of work and for a model that the card does not have.
/// A resolution that a model does not let choose is left out.
#[must_use]
pub fn choices(card: &RateCard, run: &Run) -> Vec<Choice> {
    let Parameters::Video { seconds, resolution, audio } = &run.parameters else { return Vec::new() };
    let Ok(model) = card.model(&run.model_id) else { return Vec::new() };
    let Some(rules) = model.video() else { return Vec::new() };
    // A run that is itself impossible still gets its choices, so that a person can leave it.
    let own = rules.seconds.first().and_then(|s| video::Clip::new(model, *s, None, None).ok());
    let chosen_resolution = resolution.clone().or_else(|| own.as_ref().and_then(|clip| clip.resolution.clone()));
    let chosen_audio = audio.map(crate::Switch::from_bool).or_else(|| own.as_ref().map(|clip| clip.audio));

    let priced = |value: String, parameters: Parameters, chosen: bool| {
        let alternative = Run { model_id: run.model_id.clone(), parameters, runs: run.runs };
        ChoiceOption { value, price: quote(card, &alternative).ok().map(|q| q.total), chosen }
    };
    let with_seconds =
        |s: &u32| priced(s.to_string(), Parameters::Video { seconds: *s, resolution: resolution.clone(), audio: *audio }, s == seconds);
    let with_resolution = |r: &String| {
        let parameters = Parameters::Video { seconds: *seconds, resolution: Some(r.clone()), audio: *audio };
        priced(r.clone(), parameters, Some(r) == chosen_resolution.as_ref())
    };
    let with_audio = |a: &crate::Switch| {
        let parameters = Parameters::Video { seconds: *seconds, resolution: resolution.clone(), audio: Some(*a == crate::Switch::On) };
        priced(a.to_string(), parameters, Some(*a) == chosen_audio)
    };
    let mut all = vec![Choice { parameter: ParameterName::Seconds, options: rules.seconds.iter().map(with_seconds).collect() }];
    if !rules.resolutions.is_empty() {
        all.push(Choice { parameter: ParameterName::Resolution, options: rules.resolutions.iter().map(with_resolution).collect() });
    }
    all.push(Choice { parameter: ParameterName::Audio, options: video::audio_values(rules.audio).iter().map(with_audio).collect() });
    all
}
