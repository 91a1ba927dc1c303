//! Proves that a card holds together before anything is priced by it.

use super::{
    AUDIO, CardError, CardFile, Circumstances, Model, ModelRef, OptionValues, Price, PrintedClip, RESOLUTION, Rate, RateCard, VideoRules,
};
use crate::{Bill, Kind, Meter, Run, Terms, video::audio_values};
use chrono::{DateTime, NaiveTime, Utc};
use std::collections::BTreeSet;

/// Most decimals that a rounding may keep.
const DECIMALS_MAX: u32 = 38;
/// Most entries of a list that is looked through for every run or every model, so that no file takes much longer for being made to.
const ENTRIES_MAX: usize = 2_000;

fn wrong<T>(id: &str, reason: impl Into<String>) -> Result<T, CardError> {
    Err(CardError::Contradiction { model_id: id.to_owned(), reason: reason.into() })
}

/// What stands above the models.
pub(super) fn header(file: &CardFile) -> Result<(), CardError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if file.id.is_empty() || !file.id.bytes().all(plain) {
        return wrong(&file.id, "a card's id is made of a-z, 0-9 and -");
    }
    for currency in file.display.iter().chain([&file.unit]) {
        if currency.per_usd.is_zero() {
            return wrong(&file.id, format!("{} are worth nothing", currency.name));
        }
        if currency.is_usd() && currency.per_usd != aispace_units::Exact::ONE {
            return wrong(&file.id, "one US dollar is one US dollar");
        }
    }
    for (what, entries) in [
        ("currencies", file.display.len()),
        ("channels", file.channels.as_ref().map_or(0, |c| c.values.len())),
        ("user levels", file.users.as_ref().map_or(0, |u| u.values.len())),
        ("fields", file.fields.len()),
        ("models of a field", file.fields.iter().map(|f| f.models.len()).max().unwrap_or(0)),
        ("add-ons", file.add_ons.len()),
    ] {
        few(&file.id, what, entries)?;
    }
    unique(&file.id, "currency", file.display.iter().map(|c| c.code.as_str()))?;
    unique(&file.id, "rounding of", file.rounding.iter().map(|r| r.meter.as_str()))?;
    let posting = file.posting;
    if posting.decimals.is_some() == posting.step.is_some() {
        return wrong(&file.id, "posting has either decimals or a step");
    }
    if posting.step.is_some_and(aispace_units::Exact::is_zero) {
        return wrong(&file.id, "posting has a step above 0");
    }
    let decimals = file.rounding.iter().map(|r| r.decimals).chain(posting.decimals);
    if decimals.max().is_some_and(|most| most > DECIMALS_MAX) {
        return wrong(&file.id, format!("a rounding keeps at most {DECIMALS_MAX} decimals"));
    }
    factors(file)
}

fn factors(file: &CardFile) -> Result<(), CardError> {
    if let Some(channels) = &file.channels {
        unique(&file.id, "channel", channels.values.iter().map(|c| c.id.as_str()))?;
        if channels.get(&channels.default).is_none() {
            return wrong(&file.id, format!("the default channel {:?} is not listed", channels.default));
        }
    }
    if let Some(users) = &file.users {
        unique(&file.id, "user level", users.values.iter().map(|u| u.id.as_str()))?;
        if users.get(&users.default).is_none() {
            return wrong(&file.id, format!("the default user level {:?} is not listed", users.default));
        }
        let known: BTreeSet<&str> = file.channels.iter().flat_map(|c| &c.values).map(|c| c.id.as_str()).collect();
        if let Some(id) = users.values.iter().flat_map(|u| u.channels.keys()).find(|id| !known.contains(id.as_str())) {
            return wrong(&file.id, format!("a user level replaces the factor of the unknown channel {id:?}"));
        }
    }
    for field in &file.fields {
        if !field.values.contains_key(&field.default) {
            return wrong(&file.id, format!("the default of {} is not one of its values", field.field));
        }
        if field.models.iter().any(String::is_empty) {
            return wrong(&file.id, format!("{} is for a model without a name", field.field));
        }
    }
    Ok(())
}

fn few(id: &str, what: &str, entries: usize) -> Result<(), CardError> {
    if entries > ENTRIES_MAX { wrong(id, format!("at most {ENTRIES_MAX} {what}, not {entries}")) } else { Ok(()) }
}

fn unique<'a>(id: &str, what: &str, mut ids: impl Iterator<Item = &'a str>) -> Result<(), CardError> {
    let mut seen = BTreeSet::new();
    match ids.find(|id| !seen.insert(*id)) {
        Some(twice) => wrong(id, format!("the {what} {twice:?} is listed twice")),
        None => Ok(()),
    }
}

/// The models, one by one, by the card that is made of them.
pub(super) fn models(card: &RateCard) -> Result<(), CardError> {
    for add_on in &card.file().add_ons {
        let known = card.find(&add_on.rates_of).and_then(|found| card.get(found));
        if !known.is_some_and(|m| m.rates.iter().any(|r| r.meter == add_on.meter)) {
            return wrong(card.id(), format!("no model {:?} has a rate for {}", add_on.rates_of, add_on.meter));
        }
    }
    let mut bill = Bill::new();
    card.refs().try_for_each(|(found, model)| one(card, found, model, &mut bill))
}

fn one(card: &RateCard, found: ModelRef, model: &Model, bill: &mut Bill) -> Result<(), CardError> {
    rules(card, model)?;
    base(card, found, model, bill)?;
    match &model.video {
        Some(video) => printed(card, found, model, video, bill),
        None => Ok(()),
    }
}

/// What holds for a model before anything is priced by it.
pub(super) fn rules(card: &RateCard, model: &Model) -> Result<(), CardError> {
    if model.id.is_empty() || model.id.len() > 300 {
        return wrong(&model.id, "a model's id has 1 to 300 bytes");
    }
    if model.video.is_some() && model.kind != Kind::Video {
        return wrong(&model.id, "only a model of kind video states what its clips may be");
    }
    for (what, entries) in [
        ("rates", model.rates.len()),
        ("options", model.options.len()),
        ("values of an option", model.options.values().map(|o| o.allowed.len()).max().unwrap_or(0)),
        ("channels", model.channels.len()),
        ("lengths", model.video.as_ref().map_or(0, |v| v.seconds.len())),
        ("resolutions", model.video.as_ref().map_or(0, |v| v.resolutions.len())),
    ] {
        few(&model.id, what, entries)?;
    }
    let listed = |id: &String| card.file().channels.as_ref().is_some_and(|c| c.get(id).is_some());
    if let Some(id) = model.channels.iter().find(|id| !listed(id)) {
        return wrong(&model.id, format!("the card has no channel {id:?}"));
    }
    for (name, values) in &model.options {
        option(model, name, values)?;
    }
    model.rates.iter().try_for_each(|rate| reachable(model, rate))
}

fn option(model: &Model, name: &str, values: &OptionValues) -> Result<(), CardError> {
    if values.allowed.is_empty() {
        return wrong(&model.id, format!("the option {name} allows nothing"));
    }
    match &values.default {
        Some(default) if !values.allowed.contains(default) => wrong(&model.id, format!("the default of {name} is not allowed")),
        Some(_) | None => Ok(()),
    }
}

fn reachable(model: &Model, rate: &Rate) -> Result<(), CardError> {
    if let Some(when) = &rate.when {
        if [when.prompt_tokens, when.seconds].into_iter().flatten().any(|bounds| !bounds.is_possible()) {
            return wrong(&model.id, format!("a rate of {} is never reached: no size is within its bounds", rate.meter));
        }
        if when.from.zip(when.until).is_some_and(|(from, until)| until <= from) || when.daily.is_some_and(|d| d.from == d.until) {
            return wrong(&model.id, format!("a rate of {} is never reached: it ends before it begins", rate.meter));
        }
        if let Some((name, value)) = when.choices().find(|(name, value)| !can_choose(model, name, value)) {
            return wrong(&model.id, format!("a rate of {} is never reached: {name} cannot be {value}", rate.meter));
        }
    }
    match rate.price {
        Price::Times { of, .. } => {
            let mut base = model.rates.iter().filter(|r| r.meter == of).peekable();
            if base.peek().is_none() || base.any(|r| matches!(r.price, Price::Times { .. })) {
                return wrong(&model.id, format!("the rate of {} is a multiple of {of}, which has no amount", rate.meter));
            }
        }
        Price::Amount { .. } => {}
    }
    Ok(())
}

/// Whether a run of a model may have an option of a value.
fn can_choose(model: &Model, name: &str, value: &str) -> bool {
    match &model.video {
        Some(rules) if name == RESOLUTION => rules.resolutions.iter().any(|r| r == value),
        Some(rules) if name == AUDIO => audio_values(rules.audio).iter().any(|audio| audio.as_str() == value),
        Some(_) | None => model.options.get(name).is_some_and(|option| option.allowed.iter().any(|allowed| allowed == value)),
    }
}

/// Every model quotes at its base run: at the card's date or, if it came later, when its first rate begins.
fn base(card: &RateCard, found: ModelRef, model: &Model, bill: &mut Bill) -> Result<(), CardError> {
    let base = &model.base;
    if base.usage.is_empty() {
        return wrong(&model.id, "its base run uses nothing");
    }
    if !base.usage.in_range() {
        return wrong(&model.id, "its base run uses more than can be counted");
    }
    let timed = model.rates.iter().any(|r| r.when.as_ref().is_some_and(|w| w.is_timed()));
    let plain = !timed && base.options.is_empty() && base.tier.is_none();
    let quoted = if plain {
        card.bill(found, &base.usage, bill)
    } else {
        let run = Run::base(model);
        let mut at = |at: DateTime<Utc>| card.check_run(found, &run).and_then(|()| card.bill_run(found, &run, &Terms::at(at), bill));
        let midnight = card.date().and_time(NaiveTime::MIN).and_utc();
        let begins = model.rates.iter().filter_map(|r| r.when.as_ref().and_then(|w| w.from)).min();
        at(midnight).or_else(|error| begins.map_or(Err(error), at))
    };
    quoted.or_else(|error| wrong(&model.id, format!("does not quote at its base run: {error}")))
}

fn printed(card: &RateCard, found: ModelRef, model: &Model, rules: &VideoRules, bill: &mut Bill) -> Result<(), CardError> {
    if model.base.usage.get(Meter::VideoSeconds) == 0 {
        return wrong(&model.id, "the base run of a clip has a length");
    }
    let Some(clip) = &rules.printed else { return Ok(()) };
    let clips = if clip.resolutions.is_empty() { vec![None] } else { clip.resolutions.iter().map(|r| Some(r.as_str())).collect() };
    for resolution in clips {
        let run = Run::clip(&model.id, clip.seconds, resolution, Some(clip.audio));
        let at = Terms::at(card.date().and_time(NaiveTime::MIN).and_utc());
        card.bill_run(found, &run, &at, bill)
            .or_else(|error| wrong(&model.id, format!("does not quote at {}: {error}", run.describe())))?;
        agrees(model, clip, bill, &run)?;
    }
    Ok(())
}

fn agrees(model: &Model, clip: &PrintedClip, bill: &Bill, run: &Run) -> Result<(), CardError> {
    if bill.total() == clip.credits {
        return Ok(());
    }
    wrong(&model.id, format!("{} is printed at {} but its rate gives {}", run.describe(), clip.credits, bill.total()))
}

impl RateCard {
    /// Prices one run under its own circumstances, before any factor.
    pub(crate) fn bill_run(&self, found: ModelRef, run: &Run, terms: &Terms, bill: &mut Bill) -> Result<(), crate::QuoteError> {
        self.bill_at(found, &run.usage, &self.circumstances_of(found, run, terms), bill)
    }

    pub(crate) fn circumstances_of<'a>(&'a self, found: ModelRef, run: &'a Run, terms: &Terms) -> Circumstances<'a> {
        Circumstances { at: terms.at, tier: run.tier.as_deref(), ..self.circumstances(found, &run.usage, &run.options) }
    }
}
