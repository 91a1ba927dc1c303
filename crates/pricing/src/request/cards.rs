//! The cards that requests are priced by, and the model that a name means among them.

use super::{Code, Refusal};
use crate::{CardError, Model, ModelRef, QuoteError, RateCard, nearest};

/// Rate cards by their ids.
#[derive(Debug, Clone)]
pub struct Cards {
    cards: Vec<RateCard>,
}

impl Cards {
    /// Takes cards, in the order in which they are listed.
    ///
    /// # Errors
    /// A [`Refusal`] for two cards of one id.
    pub fn new(cards: Vec<RateCard>) -> Result<Self, Refusal> {
        let twice = cards.iter().enumerate().find(|(at, card)| cards.iter().take(*at).any(|before| before.id() == card.id()));
        match twice {
            Some((_, card)) => Err(Refusal::new(Code::BadCard, format!("two cards have the id {:?}", card.id())).with("card", card.id())),
            None => Ok(Self { cards }),
        }
    }

    /// The cards that are built in.
    ///
    /// # Errors
    /// As [`RateCard::built_in`].
    pub fn built_in() -> Result<Self, CardError> {
        Ok(Self { cards: RateCard::built_in()? })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &RateCard> {
        self.cards.iter()
    }

    /// The one card, where there is but one.
    #[must_use]
    pub fn only(&self) -> Option<&RateCard> {
        match self.cards.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The card of an id.
    ///
    /// # Errors
    /// [`Code::UnknownCard`] with the ids that are loaded.
    pub fn get(&self, id: &str) -> Result<&RateCard, Refusal> {
        self.cards.iter().find(|card| card.id() == id).ok_or_else(|| {
            let known: Vec<String> = self.cards.iter().map(|card| card.id().to_owned()).collect();
            Refusal::new(Code::UnknownCard, format!("no card {id:?}; there are {}", known.join(", "))).with("card", id).with("cards", known)
        })
    }

    /// The model that was typed: its id, an alias, its name in any case, or any of them as `card:model`. With `card` only that one is looked
    /// into.
    ///
    /// # Errors
    /// [`Code::UnknownCard`], [`Code::UnknownModel`] with the nearest, [`Code::AmbiguousModel`] with the candidates.
    pub fn find(&self, typed: &str, card: Option<&str>) -> Result<(&RateCard, ModelRef), Refusal> {
        if let Some(card) = card.map(|id| self.get(id)).transpose()? {
            return find_in(card, typed);
        }
        let found = self.all_of(typed);
        match found.as_slice() {
            [(card, model)] => Ok((card, *model)),
            [] => match typed.split_once(':').and_then(|(id, rest)| Some((self.get(id).ok()?, rest))) {
                Some((card, rest)) => find_in(card, rest),
                None => Err(self.unknown(typed)),
            },
            several => Err(ambiguous(typed, several)),
        }
    }

    /// What a name means in all cards: the models of that id, else of that alias, else of that name.
    fn all_of(&self, typed: &str) -> Vec<(&RateCard, ModelRef)> {
        let known: Vec<(&RateCard, ModelRef)> = self.cards.iter().filter_map(|card| Some((card, card.find(typed)?))).collect();
        let is_id = |(card, model): &&(&RateCard, ModelRef)| card.get(*model).is_some_and(|m| m.id == typed);
        let ids: Vec<_> = known.iter().filter(is_id).copied().collect();
        if !ids.is_empty() {
            return ids;
        }
        if !known.is_empty() {
            return known;
        }
        self.cards.iter().flat_map(|card| named(card, typed)).collect()
    }

    fn unknown(&self, typed: &str) -> Refusal {
        let all = || self.cards.iter().flat_map(RateCard::models);
        let unique = |id: &str| all().filter(|m| m.id == id).count() <= 1;
        let mut nearest: Vec<String> = Vec::new();
        for id in nearest::nearest(typed, all()) {
            let of = self.cards.iter().filter(|card| card.find(&id).and_then(|f| card.get(f)).is_some_and(|m| m.id == id));
            let words = if unique(&id) { vec![id.clone()] } else { of.map(|card| qualified(card, &id)).collect() };
            nearest.extend(words.into_iter().filter(|word| !nearest.contains(word)).collect::<Vec<_>>());
        }
        QuoteError::UnknownModel { model_id: typed.to_owned(), nearest }.into()
    }
}

fn find_in<'a>(card: &'a RateCard, typed: &str) -> Result<(&'a RateCard, ModelRef), Refusal> {
    Ok((card, card.resolve(typed)?))
}

fn named<'a>(card: &'a RateCard, typed: &str) -> Vec<(&'a RateCard, ModelRef)> {
    let ids = match card.resolve(typed) {
        Ok(found) => return vec![(card, found)],
        Err(QuoteError::AmbiguousModel { candidates, .. }) => candidates,
        Err(_) => Vec::new(),
    };
    ids.iter().filter_map(|id| Some((card, card.find(id)?))).collect()
}

fn ambiguous(typed: &str, several: &[(&RateCard, ModelRef)]) -> Refusal {
    let ids = several.iter().filter_map(|(card, model)| card.get(*model).map(|m| qualified(card, &m.id)));
    QuoteError::AmbiguousModel { model_id: typed.to_owned(), candidates: ids.collect() }.into()
}

fn qualified(card: &RateCard, id: &str) -> String {
    format!("{}:{id}", card.id())
}

/// The model of a found place.
pub(super) fn model_of(card: &RateCard, found: ModelRef) -> Result<&Model, Refusal> {
    card.get(found).ok_or_else(|| QuoteError::UnknownModel { model_id: String::new(), nearest: Vec::new() }.into())
}
