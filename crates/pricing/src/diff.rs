//! What changed between two cards: models, prices and everything that prices rest on.

mod fields;

pub use fields::FieldChange;

use crate::{Condition, Denominator, Kind, Meter, Model, Price, Rate, RateCard, Variant, words::grouped};
use aispace_units::{Exact, Rounding};
use chrono::NaiveDate;
use serde::{Serialize, Serializer};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How a change in percent is rounded: to two decimals, a half to the even digit.
pub const PERCENT_ROUNDING: (u32, Rounding) = (2, Rounding::HalfEven);

/// What changed between two cards. Sources and notes of rates, and the lengths whose price was seen, are not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardDiff {
    /// The card before.
    pub old: CardName,
    /// The card after.
    pub new: CardName,
    /// What amounts are in: the code of the unit of account where both cards have the same, else `usd`.
    pub currency: String,
    /// Changes above the models: unit, posting, rounding, factors.
    pub terms: Vec<FieldChange>,
    /// Models that only the new card has.
    pub added: Vec<ModelName>,
    /// Models that only the old card has.
    pub removed: Vec<ModelName>,
    /// Models that have another id now.
    pub renamed: Vec<Renamed>,
    /// Models in both cards that the new one says are gone, with the day.
    pub retired: Vec<Retired>,
    /// Models in both cards that changed, renamed ones under their new id.
    pub changed: Vec<ModelChange>,
    /// How many models are the same in both.
    pub unchanged: usize,
}

/// Which card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardName {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its day.
    pub date: NaiveDate,
}

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelName {
    /// Its id.
    pub model_id: String,
    /// Its name.
    pub name: String,
}

/// A model that has another id now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// Before.
    pub old_id: String,
    /// Now.
    pub new_id: String,
    /// Whether one of the cards says so by an alias; else only kind and name are the same, and no other model's.
    pub by_alias: bool,
}

/// A model that its provider took away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retired {
    /// Its id.
    pub model_id: String,
    /// The day it went.
    pub on: NaiveDate,
}

/// What changed about a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelChange {
    /// Its id in the new card.
    pub model_id: String,
    /// Its name in the new card.
    pub name: String,
    /// Its prices.
    pub rates: Vec<RateChange>,
    /// All else.
    pub fields: Vec<FieldChange>,
}

/// A price that changed, came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateChange {
    /// What it is of.
    pub meter: Meter,
    /// When it holds; always when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<Condition>>,
    /// The same for people: `prompt over 200,000`, `always`.
    pub conditions: String,
    /// Before; absent for a price that came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<RateTerms>,
    /// Now; absent for a price that went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<RateTerms>,
    /// New divided by old, where that ends within 38 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Exact>,
    /// By how many percent it changed, rounded as [`PERCENT_ROUNDING`] says; none where it was free before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Difference>,
}

/// A price in terms that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateTerms {
    /// In the diff's currency; none where it follows from several rates of another meter, or has no finite decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Exact>,
    /// Per how many, the same on both sides of a change.
    pub per: Denominator,
    /// How many of a run cost nothing.
    pub included: u64,
    /// As the card writes it: `0.11 usd per 1`, `0.1 × input_tokens`.
    pub written: String,
}

/// How much more or less something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Difference {
    /// Neither.
    #[default]
    None,
    /// So much more.
    More(Exact),
    /// So much less.
    Less(Exact),
}

impl Difference {
    /// From one amount to another.
    ///
    /// # Errors
    /// [`aispace_units::UnitError::OutOfRange`] when it needs more than 38 digits.
    pub fn between(old: Exact, new: Exact) -> Result<Self, aispace_units::UnitError> {
        match new.cmp(&old) {
            std::cmp::Ordering::Equal => Ok(Self::None),
            std::cmp::Ordering::Greater => new.sub(old).map(Self::More),
            std::cmp::Ordering::Less => old.sub(new).map(Self::Less),
        }
    }

    /// From one amount to another in percent of the first, rounded as [`PERCENT_ROUNDING`] says; none where the first is nothing.
    ///
    /// ```
    /// use aispace_pricing::Difference;
    /// assert_eq!(Difference::percent("0.11".parse()?, "0.125".parse()?).map(|p| p.to_string()).as_deref(), Some("+13.64"));
    /// # Ok::<(), aispace_units::UnitError>(())
    /// ```
    #[must_use]
    pub fn percent(old: Exact, new: Exact) -> Option<Self> {
        let (places, rule) = PERCENT_ROUNDING;
        let share = |part: Exact| part.mul(Exact::from(100u64)).and_then(|p| p.div_rounded(old, places, rule)).ok();
        match Self::between(old, new).ok()? {
            Self::None if old.is_zero() => None,
            Self::None => Some(Self::None),
            Self::More(more) => share(more).map(Self::More),
            Self::Less(less) => share(less).map(Self::Less),
        }
    }
}

/// `+0.5`, `-3`, `0`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("0"),
            Self::More(more) => f.pad(&format!("+{more}")),
            Self::Less(less) => f.pad(&format!("-{less}")),
        }
    }
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl CardDiff {
    /// Whether the cards price everything the same and list the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.renamed.is_empty()
            && self.retired.is_empty()
            && self.changed.is_empty()
    }
}

/// What changed from one card to another.
#[must_use]
pub fn diff(old: &RateCard, new: &RateCard) -> CardDiff {
    let scale = Scale::of(old, new);
    let renamed = renamed(old, new);
    let pairs = pairs(old, new, &renamed);
    let (mut changed, mut unchanged, mut retired) = (Vec::new(), 0usize, Vec::new());
    for (before, after) in &pairs {
        if let Some(on) = after.retired.filter(|on| before.retired != Some(*on)) {
            retired.push(Retired { model_id: after.id.clone(), on });
        }
        match model_change(&scale, (old, before), (new, after)) {
            Some(change) => changed.push(change),
            None => unchanged = unchanged.saturating_add(1),
        }
    }
    let paired = |side: fn(&(&Model, &Model)) -> String| pairs.iter().map(side).collect::<BTreeSet<String>>();
    let (known_old, known_new) = (paired(|(before, _)| before.id.clone()), paired(|(_, after)| after.id.clone()));
    let names = |card: &RateCard, known: &BTreeSet<String>| {
        let others = card.models().iter().filter(|m| !known.contains(&m.id));
        others.map(|m| ModelName { model_id: m.id.clone(), name: m.printed_name().to_owned() }).collect()
    };
    CardDiff {
        old: CardName::of(old),
        new: CardName::of(new),
        currency: scale.currency.clone(),
        terms: fields::of_cards(old, new),
        added: names(new, &known_new),
        removed: names(old, &known_old),
        renamed,
        retired,
        changed,
        unchanged,
    }
}

impl CardName {
    fn of(card: &RateCard) -> Self {
        Self { id: card.id().to_owned(), name: card.name().to_owned(), date: card.date() }
    }
}

/// The models that both cards have, in the new card's order.
fn pairs<'a>(old: &'a RateCard, new: &'a RateCard, renamed: &[Renamed]) -> Vec<(&'a Model, &'a Model)> {
    let before: BTreeMap<&str, &Model> = old.models().iter().map(|m| (m.id.as_str(), m)).collect();
    let was: BTreeMap<&str, &str> = renamed.iter().map(|r| (r.new_id.as_str(), r.old_id.as_str())).collect();
    let pair = |after: &'a Model| {
        let id = was.get(after.id.as_str()).copied().unwrap_or(&after.id);
        before.get(id).map(|before| (*before, after))
    };
    new.models().iter().filter_map(pair).collect()
}

/// Models that only differ in their id.
pub(crate) fn renamed(old: &RateCard, new: &RateCard) -> Vec<Renamed> {
    let only_in = |card: &'_ RateCard, other: &RateCard| {
        let ids: BTreeSet<String> = other.models().iter().map(|m| m.id.clone()).collect();
        card.models().iter().filter(|m| !ids.contains(&m.id)).cloned().collect::<Vec<Model>>()
    };
    let (gone, came) = (only_in(old, new), only_in(new, old));
    // Every name that a model that is gone answered to; an id is stronger than an alias.
    let mut names: BTreeMap<&str, &str> = gone.iter().flat_map(|m| m.aliases.iter().map(|alias| (alias.as_str(), m.id.as_str()))).collect();
    names.extend(gone.iter().map(|m| (m.id.as_str(), m.id.as_str())));
    let mut found: Vec<Renamed> = Vec::new();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for after in &came {
        let said = after.aliases.iter().find(|alias| gone.iter().any(|m| m.id == **alias)).or(Some(&after.id));
        if let Some(old_id) = said.and_then(|name| names.get(name.as_str())).filter(|id| used.insert(id)) {
            found.push(Renamed { old_id: (*old_id).to_owned(), new_id: after.id.clone(), by_alias: true });
        }
    }
    let is_new = |m: &&Model| !found.iter().any(|r| r.new_id == m.id);
    let (before, after) = (alike(gone.iter().filter(|m| !used.contains(m.id.as_str()))), alike(came.iter().filter(is_new)));
    let by_name = after.iter().filter_map(|(kind, ids)| match (ids.as_slice(), before.get(kind).map(Vec::as_slice)) {
        ([new_id], Some([old_id])) => Some(Renamed { old_id: (*old_id).to_owned(), new_id: (*new_id).to_owned(), by_alias: false }),
        _ => None,
    });
    let by_name: Vec<Renamed> = by_name.collect();
    found.extend(by_name);
    found
}

/// The ids of models by what people call them. A name that is only the id again says nothing.
fn alike<'a>(models: impl Iterator<Item = &'a Model>) -> BTreeMap<(Kind, &'a str, Option<Variant>), Vec<&'a str>> {
    let mut all: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for model in models.filter(|m| m.name != m.id) {
        all.entry((model.kind, model.name.as_str(), model.variant())).or_default().push(&model.id);
    }
    all
}

fn model_change(scale: &Scale, (old_card, old): (&RateCard, &Model), (new_card, new): (&RateCard, &Model)) -> Option<ModelChange> {
    // Dollars are worth the same in both cards, credits where the unit is.
    if old == new && scale.same_unit {
        return None;
    }
    let rates = rate_changes(scale, (old_card, old), (new_card, new));
    let fields = fields::of_models(old, new);
    let change = ModelChange { model_id: new.id.clone(), name: new.printed_name().to_owned(), rates, fields };
    (!change.rates.is_empty() || !change.fields.is_empty()).then_some(change)
}

/// The rates of one meter under the same conditions but for the instants: a price and its history.
type Key = (Meter, String);

fn by_key(model: &Model) -> BTreeMap<Key, Vec<&Rate>> {
    let mut all: BTreeMap<Key, Vec<&Rate>> = BTreeMap::new();
    for rate in &model.rates {
        let timeless = rate.when.as_deref().map(|when| Condition { from: None, until: None, ..when.clone() }).unwrap_or_default();
        // Conditions have no order of their own; their text has one, and equal ones have the same.
        let text = serde_json::to_string(&timeless).unwrap_or_default();
        all.entry((rate.meter, text)).or_default().push(rate);
    }
    all
}

fn rate_changes(scale: &Scale, old: (&RateCard, &Model), new: (&RateCard, &Model)) -> Vec<RateChange> {
    let (before, after) = (by_key(old.1), by_key(new.1));
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let was = before.get(key).map(Vec::as_slice).unwrap_or_default();
        let is = after.get(key).map(Vec::as_slice).unwrap_or_default();
        let same_when = |rate: &Rate, others: &[&Rate]| others.iter().position(|other| other.when == rate.when);
        let mut used = BTreeSet::new();
        for rate in is {
            let exact = same_when(rate, was);
            // A price that begins later follows on the last one before.
            let counterpart = exact.or_else(|| was.len().checked_sub(1));
            used.extend(counterpart);
            let other = counterpart.and_then(|at| was.get(at)).copied();
            let until = |rate: &Rate| rate.when.as_ref().and_then(|when| when.until);
            let same =
                other.is_some_and(|other| scale.same_price((old.0, old.1, other), (new.0, new.1, rate)) && until(other) == until(rate));
            if !same {
                changes.push(scale.change(other.map(|other| (old.0, old.1, other)), Some((new.0, new.1, rate))));
            }
        }
        let gone = was.iter().enumerate().filter(|(at, rate)| !used.contains(at) && same_when(rate, is).is_none());
        changes.extend(gone.map(|(_, rate)| scale.change(Some((old.0, old.1, rate)), None)));
    }
    changes
}

/// What two cards' prices are compared in.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) currency: String,
    pub(crate) same_unit: bool,
}

/// A rate with the model and the card that it stands in.
type Placed<'a> = (&'a RateCard, &'a Model, &'a Rate);

impl Scale {
    pub(crate) fn of(old: &RateCard, new: &RateCard) -> Self {
        let same_unit = old.unit().code == new.unit().code && old.unit().per_usd == new.unit().per_usd;
        let currency = if same_unit { old.unit().code.clone() } else { "usd".to_owned() };
        Self { currency, same_unit }
    }

    /// An amount of a card's unit of account in what is compared.
    pub(crate) fn worth(&self, card: &RateCard, amount: Exact) -> Option<Exact> {
        if self.same_unit { Some(amount) } else { card.to_usd(amount) }
    }

    /// What one of a meter costs, in what is compared.
    fn of_one(&self, (card, model, rate): Placed<'_>) -> Option<Exact> {
        let (times, price) = match rate.price {
            Price::Amount { .. } => (Exact::ONE, rate.price),
            Price::Times { times, of } => {
                let mut base = model.rates.iter().filter(|r| r.meter == of);
                let only = base.next().filter(|_| base.next().is_none())?;
                (times, only.price)
            }
        };
        let Price::Amount { amount, unit, per } = price else { return None };
        let account = card.account_amount(amount.mul(times).ok()?, unit).ok()?;
        self.worth(card, account)?.shift_right(per.places()).ok()
    }

    /// Whether a run pays the same by both.
    fn same_price(&self, old: Placed<'_>, new: Placed<'_>) -> bool {
        let same = match (old.2.price, new.2.price) {
            // What a multiple comes to changes with what it is a multiple of, and that is said there.
            (Price::Times { .. }, Price::Times { .. }) => old.2.price == new.2.price,
            (Price::Amount { .. }, Price::Amount { .. }) => {
                let (a, b) = (self.of_one(old), self.of_one(new));
                a.is_some() && a == b
            }
            (Price::Amount { .. }, Price::Times { .. }) | (Price::Times { .. }, Price::Amount { .. }) => false,
        };
        same && old.2.included == new.2.included
    }

    fn change(&self, old: Option<Placed<'_>>, new: Option<Placed<'_>>) -> RateChange {
        let rate = new.or(old).map(|(_, _, rate)| rate);
        let per = rate.map_or(Denominator::ONE, |rate| self.per(rate, old, new));
        let terms = |placed: Placed<'_>| RateTerms {
            amount: self.of_one(placed).and_then(|one| one.mul(Exact::from(per.count())).ok()),
            per,
            included: placed.2.included,
            written: written(placed.2.price),
        };
        let (old, new) = (old.map(terms), new.map(terms));
        let amounts = old.as_ref().and_then(|o| o.amount).zip(new.as_ref().and_then(|n| n.amount));
        let when = rate.and_then(|rate| rate.when.clone());
        let conditions = when.as_ref().map_or_else(|| "always".to_owned(), |when| when.words(None).join(", "));
        RateChange {
            meter: rate.map_or(Meter::Generations, |rate| rate.meter),
            when,
            conditions,
            old,
            new,
            ratio: amounts.and_then(|(old, new)| new.div_exact(old)),
            percent: amounts.and_then(|(old, new)| Difference::percent(old, new)),
        }
    }

    /// Per how many both sides of a change are said: as the new card does, else as the old one.
    fn per(&self, rate: &Rate, old: Option<Placed<'_>>, new: Option<Placed<'_>>) -> Denominator {
        let own = |price: Price| match price {
            Price::Amount { per, .. } => Some(per),
            Price::Times { .. } => None,
        };
        let of_base = |(_, model, rate): Placed<'_>| match rate.price {
            Price::Amount { per, .. } => Some(per),
            Price::Times { of, .. } => model.rates.iter().find(|r| r.meter == of).and_then(|r| own(r.price)),
        };
        own(rate.price).or_else(|| of_base(new.or(old)?)).unwrap_or(Denominator::ONE)
    }
}

fn written(price: Price) -> String {
    match price {
        Price::Amount { amount, unit, per } => format!("{amount} {unit} per {}", grouped(&per.count().to_string())),
        Price::Times { times, of } => format!("{times} × {of}"),
    }
}
