//! What is allowed in a card but is seldom meant.

use super::{AddOn, Model, Rate, RateCard};
use crate::Meter;

/// Something in a card that has no effect, because what stands later always wins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{model_id}: {what} of {meter} never counts: {why}")]
pub struct CardWarning {
    /// The model, or the card's own id.
    pub model_id: String,
    /// `a rate` or `an add-on`.
    pub what: &'static str,
    /// Of what.
    pub meter: Meter,
    /// What stands in its way.
    pub why: &'static str,
}

impl RateCard {
    /// What in this card has no effect. Of the rates of a meter the last that holds wins, so a general rate behind a special one hides it,
    /// which is allowed and seldom meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<CardWarning> {
        let add_ons = hidden_add_ons(&self.file().add_ons);
        let own = add_ons.map(|add_on| {
            let (what, why) = ("an add-on", "a later one is for the same models");
            CardWarning { model_id: self.id().to_owned(), what, meter: add_on.meter, why }
        });
        own.chain(self.models().iter().flat_map(hidden_rates)).collect()
    }
}

fn hidden_add_ons(add_ons: &[AddOn]) -> impl Iterator<Item = &AddOn> {
    add_ons
        .iter()
        .enumerate()
        .filter(|(at, add_on)| {
            let mut later = add_ons.iter().skip(at.saturating_add(1)).filter(|later| later.meter == add_on.meter);
            later.any(|later| later.group.is_none() || later.group == add_on.group)
        })
        .map(|(_, add_on)| add_on)
}

fn hidden_rates(model: &Model) -> impl Iterator<Item = CardWarning> + '_ {
    model.rates.iter().enumerate().filter_map(|(at, rate)| {
        let why = hidden_by(rate, model.rates.iter().skip(at.saturating_add(1)))?;
        Some(CardWarning { model_id: model.id.clone(), what: "a rate", meter: rate.meter, why })
    })
}

fn hidden_by<'a>(rate: &Rate, later: impl Iterator<Item = &'a Rate> + Clone) -> Option<&'static str> {
    let mut later = later.filter(|next| next.meter == rate.meter);
    if later.clone().any(|next| next.when.as_ref().is_none_or(|when| when.is_empty())) {
        return Some("a later one always holds");
    }
    later.any(|next| next.when == rate.when).then_some("a later one holds whenever it does")
}
