//! Rates that a request brings along: a card that lists the one model more.

use super::{Cards, Code, Placed, Refusal, RunRequest};
use crate::{Kind, Meter, Model, OptionValues, Rate, Usage};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Most rates that a request may bring.
pub const RATES_MAX: usize = 256;

/// What such a rate rests on.
const SOURCE: &str = "the rates of the request";

/// The card that the request names, with a model of the given rates.
pub(super) fn place<'a>(request: &RunRequest, typed: &str, rates: &[Rate], cards: &'a Cards) -> Result<Placed<'a>, Refusal> {
    let card = match (&request.card, cards.only()) {
        (Some(id), _) => cards.get(id)?,
        (None, Some(only)) => only,
        (None, None) => return Err(Refusal::bad_request("rates are priced by the rules of a card: name it in card")),
    };
    if card.find(typed).is_some() {
        return Err(Refusal::bad_request(format!("{} lists {typed:?}: leave out rates, or name the model otherwise", card.id())));
    }
    let Some(first) = rates.first() else { return Err(Refusal::new(Code::BadCard, "rates has no rate")) };
    if rates.len() > RATES_MAX {
        return Err(Refusal::new(Code::BadCard, format!("a request brings at most {RATES_MAX} rates, not {}", rates.len())));
    }
    let kind = request.kind.unwrap_or_else(|| kind_of(first.meter));
    let mut model = Model::new(typed, kind, Usage::new(), rates.iter().map(sourced).collect());
    model.options = options(request, rates)?;
    Ok(Placed { card: Cow::Owned(card.with_unlisted(model)?), model_id: typed.to_owned() })
}

fn sourced(rate: &Rate) -> Rate {
    Rate { source: rate.source.clone().or_else(|| Some(SOURCE.to_owned())), ..rate.clone() }
}

fn kind_of(meter: Meter) -> Kind {
    match meter {
        Meter::Images | Meter::InputImages | Meter::Megapixels => Kind::Image,
        Meter::VideoSeconds => Kind::Video,
        Meter::AudioSeconds | Meter::Characters => Kind::Audio,
        Meter::WebSearches | Meter::WebScrapes => Kind::Search,
        Meter::Requests | Meter::Calls | Meter::ToolCalls | Meter::Generations => Kind::Call,
        Meter::InputTokens
        | Meter::OutputTokens
        | Meter::CacheReadTokens
        | Meter::CacheWrite5mTokens
        | Meter::CacheWrite1hTokens
        | Meter::InputAudioTokens
        | Meter::OutputAudioTokens
        | Meter::InputImageTokens
        | Meter::OutputImageTokens
        | Meter::ReasoningTokens => Kind::Chat,
    }
}

/// Whoever brings the rates says what may be chosen: what the rates ask for, and what the run has.
fn options(request: &RunRequest, rates: &[Rate]) -> Result<BTreeMap<String, OptionValues>, Refusal> {
    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut allow = |name: &str, value: &str| {
        allowed.entry(name.to_owned()).or_default().insert(value.to_owned());
    };
    for when in rates.iter().filter_map(|rate| rate.when.as_ref()) {
        when.options.iter().for_each(|(name, value)| allow(name, value));
        when.resolution.iter().for_each(|value| allow(crate::RESOLUTION, value));
        when.audio.iter().for_each(|value| allow(crate::AUDIO, value.as_str()));
    }
    request.chosen()?.iter().for_each(|(name, value)| allow(name, value));
    let values = |values: BTreeSet<String>| OptionValues { allowed: values.into_iter().collect(), default: None };
    Ok(allowed.into_iter().map(|(name, allowed)| (name, values(allowed))).collect())
}
