//! Joins a newer card to an older one so that both eras keep their prices.

mod rates;
mod terms;

use crate::{CardError, Condition, Discount, Kind, Model, OptionValues, RateCard, VideoRules, diff::renamed};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Why two cards were not joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Something that no card can date differs, so a price of one of the eras would be wrong.
    #[error("a card keeps no history of {}", what.join(", "))]
    Undated {
        /// What differs, as files name it: `unit`, `posting`, `channels[vip]`.
        what: Vec<String>,
    },
    /// The joined card does not hold together.
    #[error("the joined card: {0}")]
    Card(#[from] CardError),
}

/// Two cards as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The card with its history.
    pub card: RateCard,
    /// What models chose or were served by when nothing was said, and what no rate can date: the new card's holds in both eras.
    pub undated: Vec<Undated>,
}

/// Something about a model that holds in both eras though it was another before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undated {
    /// The model.
    pub model_id: String,
    /// What about it, as files name it.
    pub what: String,
}

/// Joins a newer card to an older one: before `from` a run costs what the old card says, from then on what the new one says.
///
/// A price that changed becomes a further rate with `when.from` and the old one stays; one that is replaced by none gets `when.until`. A
/// model that only the old card has is `retired` on the day of `from`, one that only the new card has is `added` on it; both are still
/// priced at any instant. What a run may choose is what either card allows. A model that changed can no longer be priced without an instant.
///
/// Joining a list of some of the models to a card in use: give `old.with_models(list)` as the new card.
///
/// # Errors
/// Any [`MergeError`].
pub fn merge(old: &RateCard, new: &RateCard, from: DateTime<Utc>) -> Result<Merged, MergeError> {
    let mut file = terms::joined(old, new)?;
    file.date = as_of(new.date(), from);
    let was: BTreeMap<String, String> = renamed(old, new).into_iter().filter(|r| r.by_alias).map(|r| (r.new_id, r.old_id)).collect();
    let before: BTreeMap<&str, &Model> = old.models().iter().map(|m| (m.id.as_str(), m)).collect();
    let mut undated = Vec::new();
    let mut kept = BTreeSet::new();
    for after in new.models() {
        let old_id = was.get(&after.id).unwrap_or(&after.id);
        let Some(own) = before.get(old_id.as_str()) else {
            file.models.push(Model { added: after.added.or(Some(from.date_naive())), ..after.clone() });
            continue;
        };
        kept.insert(old_id.clone());
        let mut model = joined(&mut undated, (old, own), (new, after));
        model.rates = rates::joined((old, own), (new, after), from);
        // A tier is known by its rates, and one whose rates all lie in the other era has none left.
        if !tiers(own).union(&tiers(after)).all(|tier| tiers(&model).contains(tier)) {
            undated.push(Undated { model_id: model.id.clone(), what: "tiers".to_owned() });
        }
        file.models.push(model);
    }
    let gone = old.models().iter().filter(|m| !kept.contains(&m.id));
    file.models.extend(gone.map(|m| Model { retired: m.retired.or(Some(from.date_naive())), ..m.clone() }));
    Ok(Merged { card: RateCard::new(file)?, undated })
}

fn tiers(model: &Model) -> BTreeSet<&str> {
    model.rates.iter().filter_map(|rate| rate.when.as_ref()?.tier.as_deref()).collect()
}

/// The first day, from the new card's on, that begins with the new prices: a card's base runs are proven as of its day.
fn as_of(date: NaiveDate, from: DateTime<Utc>) -> NaiveDate {
    let day = from.date_naive();
    let begun = if from.time() == NaiveTime::MIN { Some(day) } else { day.checked_add_days(Days::new(1)) };
    date.max(begun.unwrap_or(day))
}

/// A model of both cards, with the new one's words, what either allows, and no rates yet.
fn joined(undated: &mut Vec<Undated>, (old_card, old): (&RateCard, &Model), (new_card, new): (&RateCard, &Model)) -> Model {
    let mut model = Model { rates: Vec::new(), ..new.clone() };
    let mut say = |what: &str| undated.push(Undated { model_id: new.id.clone(), what: what.to_owned() });
    model.aliases = united(&new.aliases, old.aliases.iter().chain((old.id != new.id).then_some(&old.id)));
    model.aliases.retain(|alias| *alias != new.id);
    model.added = old.added.or(new.added);
    for (name, values) in &old.options {
        let own = model.options.entry(name.clone()).or_insert_with(|| values.clone());
        *own = OptionValues { allowed: united(&own.allowed, &values.allowed), default: own.default.clone() };
    }
    model.video = match (&old.video, &new.video) {
        (Some(before), Some(after)) => Some(clips(before, after)),
        (None, after) => after.clone(),
        (Some(before), None) => (new.kind == Kind::Video).then(|| before.clone()),
    };
    if old.video.is_some() != new.video.is_some() {
        say("video");
    } else if let (Some(before), Some(after)) = (&old.video, &new.video) {
        // A printed price only holds where no rate does, and it has no date.
        if before.printed != after.printed && old.rates.iter().all(|r| r.when.is_some()) {
            say("video.printed");
        }
        if before.audio != after.audio && !defaults(old_card, old).contains_key(crate::AUDIO) {
            say("video.audio");
        }
    }
    if old.group != new.group && !(old_card.file().add_ons.is_empty() && new_card.file().add_ons.is_empty()) {
        say("group");
    }
    model.channels = if old.channels.is_empty() || new.channels.is_empty() { Vec::new() } else { united(&new.channels, &old.channels) };
    let default_channel = |card: &RateCard, model: &Model| card.channel_factor(model, &Discount::Default).ok().and_then(|(_, id)| id);
    let channel = default_channel(new_card, &model);
    if channel != default_channel(old_card, old) || channel != default_channel(new_card, new) {
        say("channels");
    }
    let (was, is) = (defaults(old_card, old), defaults(new_card, new));
    for name in was.keys().chain(is.keys().filter(|name| !was.contains_key(*name))) {
        let asked = |model: &Model| model.rates.iter().filter_map(|r| r.when.as_deref()).any(|when| asks_for(when, name));
        if was.get(name) != is.get(name) && (asked(old) || asked(new)) {
            say(&format!("options.{name}.default"));
        }
    }
    model
}

/// What a run chooses when nothing is said.
fn defaults(card: &RateCard, model: &Model) -> BTreeMap<String, String> {
    card.find(&model.id).and_then(|found| card.defaults(found)).cloned().unwrap_or_default()
}

fn asks_for(when: &Condition, option: &str) -> bool {
    when.options.contains_key(option)
        || (option == crate::RESOLUTION && when.resolution.is_some())
        || (option == crate::AUDIO && when.audio.is_some())
}

fn clips(old: &VideoRules, new: &VideoRules) -> VideoRules {
    let mut seconds: Vec<u32> = old.seconds.iter().chain(&new.seconds).copied().collect();
    seconds.sort_unstable();
    seconds.dedup();
    VideoRules {
        seconds,
        resolutions: united(&new.resolutions, &old.resolutions),
        audio: if old.audio == new.audio { new.audio } else { crate::AudioRule::Choice },
        ..new.clone()
    }
}

/// The first list and what else is in the second.
fn united<'a>(first: &[String], second: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    // Looked up, as a card may have any number of aliases.
    let mut known: BTreeSet<&String> = first.iter().collect();
    first.iter().cloned().chain(second.into_iter().filter(|item| known.insert(*item)).cloned()).collect()
}
