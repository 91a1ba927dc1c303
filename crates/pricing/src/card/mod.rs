//! The rate card: one format for every tariff, kept as data.

mod check;
mod factor;
mod file;
mod names;
mod rate;
mod warn;

pub use factor::{ChannelFactor, Channels, FieldFactor, UserFactor, Users};
pub use file::{
    AddOn, AudioRule, BaseRun, Capability, CardFile, Currency, HoldRule, Limits, MeterRounding, Model, OptionValues, Posting, Pricing,
    PrintedClip, Switch, Variant, VideoRules,
};
pub use rate::{AUDIO, Bounds, Condition, DailyWindow, Day, Price, RESOLUTION, Rate};
pub use warn::CardWarning;

pub(crate) use rate::Circumstances;

use crate::{
    Meter, QuoteError,
    bill::{Front, Plan},
    nearest,
};
use aispace_units::{Exact, Rounding, UnitError};
use chrono::NaiveDate;
use serde::Deserialize;
use std::{collections::BTreeMap, num::NonZeroU32};

/// The one format that is read.
pub const FORMAT: &str = "aispace-rate-card/2";

/// Largest card file that is read, in bytes.
pub const CARD_BYTES_MAX: usize = 128 * 1024 * 1024;

const BUILT_IN: [&str; 4] = [
    include_str!("../../cards/aispace.json"),
    include_str!("../../cards/aisa.json"),
    include_str!("../../cards/pinnora.json"),
    include_str!("../../cards/channel.json"),
];

/// Why a card was refused. A card is taken whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// Not the JSON of a card: a wrong shape, an unknown field, an amount that is not a plain decimal string.
    #[error("not a rate card: {reason}")]
    Syntax {
        /// What the reader says, with the line.
        reason: String,
    },
    /// Another format, or another version of it.
    #[error("the card's format is {given:?}, not {FORMAT:?}")]
    Format {
        /// As the card says.
        given: String,
    },
    /// Two models of one id.
    #[error("two models have the id {model_id:?}")]
    Duplicate {
        /// The id.
        model_id: String,
    },
    /// The card contradicts itself, or a model of it cannot be quoted.
    #[error("{model_id}: {reason}")]
    Contradiction {
        /// The model, or the card's own id.
        model_id: String,
        /// What does not agree.
        reason: String,
    },
}

/// Every price of one system.
#[derive(Debug, Clone)]
pub struct RateCard {
    file: CardFile,
    usd_per_unit: Option<Exact>,
    names: names::Names,
    plans: Vec<Plan>,
    // What a run of each model chooses when nothing is said.
    defaults: Vec<BTreeMap<String, String>>,
}

/// A model of one card, found once and then priced often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelRef {
    // One more than its place, so that an optional one is no larger.
    number: NonZeroU32,
}

impl ModelRef {
    /// The model at a place of a card; none for the last place there could be.
    #[inline]
    fn new(place: u32) -> Option<Self> {
        NonZeroU32::new(place.wrapping_add(1)).map(|number| Self { number })
    }

    #[inline]
    fn place(self) -> u32 {
        self.number.get().wrapping_sub(1)
    }
}

impl PartialEq for RateCard {
    /// Two cards are equal when their files say the same.
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file
    }
}

impl Eq for RateCard {}

impl RateCard {
    /// Reads the AiSpace card that is built in.
    ///
    /// # Errors
    /// A [`CardError`] would be a mistake of the build; a test reads it.
    pub fn aispace() -> Result<Self, CardError> {
        Self::from_json(BUILT_IN[0])
    }

    /// Reads the cards that are built in: AiSpace, AIsa, Pinnora and channel billing.
    ///
    /// # Errors
    /// A [`CardError`] would be a mistake of the build; a test reads them.
    pub fn built_in() -> Result<Vec<Self>, CardError> {
        BUILT_IN.into_iter().map(Self::from_json).collect()
    }

    /// Reads a card and proves that it holds together.
    ///
    /// # Errors
    /// Any [`CardError`].
    pub fn from_json(text: &str) -> Result<Self, CardError> {
        if text.len() > CARD_BYTES_MAX {
            return Err(CardError::Syntax { reason: format!("larger than {CARD_BYTES_MAX} bytes") });
        }
        match serde_json::from_str::<CardFile>(text) {
            Ok(file) => Self::new(file),
            // Another version's fields are unknown to this one, so its format is what to complain about.
            Err(error) => Err(match serde_json::from_str::<Header>(text) {
                Ok(header) if header.format != FORMAT => CardError::Format { given: header.format },
                _ => CardError::Syntax { reason: error.to_string() },
            }),
        }
    }

    /// Takes a card's contents and proves that they hold together: every model quotes at its base run, every printed clip at its printed
    /// price, every rate can be reached.
    ///
    /// # Errors
    /// Any [`CardError`] but a syntax error.
    pub fn new(file: CardFile) -> Result<Self, CardError> {
        let card = Self::assembled(file)?;
        check::models(&card)?;
        Ok(card)
    }

    /// A card whose models are not proved yet.
    fn assembled(file: CardFile) -> Result<Self, CardError> {
        if file.format != FORMAT {
            return Err(CardError::Format { given: file.format });
        }
        check::header(&file)?;
        let names = names::Names::new(&file)?;
        let usd_per_unit = Exact::ONE.div_exact(file.unit.per_usd);
        let defaults = file.models.iter().map(defaults).collect();
        let mut card = Self { file, usd_per_unit, names, plans: Vec::new(), defaults };
        card.plans = card.refs().map(|(found, model)| Plan::new(&card, model, found)).collect();
        card.names.set_fronts(&card.plans);
        Ok(card)
    }

    /// The same card with one model more, of which no base run is known.
    ///
    /// # Errors
    /// As [`RateCard::new`].
    pub(crate) fn with_unlisted(&self, model: Model) -> Result<Self, CardError> {
        let mut file = self.file.clone();
        file.models.push(model);
        let card = Self::assembled(file)?;
        card.models().last().map_or(Ok(()), |model| check::rules(&card, model))?;
        Ok(card)
    }

    /// The same card with further models, or with new ones in the place of those of the same id.
    ///
    /// # Errors
    /// As [`RateCard::new`].
    pub fn with_models(&self, models: Vec<Model>) -> Result<Self, CardError> {
        let mut file = self.file.clone();
        file.models.retain(|own| !models.iter().any(|new| new.id == own.id));
        file.models.extend(models);
        Self::new(file)
    }

    /// The card as its file writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        // No value of a card can fail to be written: its maps have text keys and it does no I/O.
        serde_json::to_string_pretty(&self.file).unwrap_or_default()
    }

    /// Its contents, field by field.
    #[must_use]
    pub fn file(&self) -> &CardFile {
        &self.file
    }

    /// Short id of the card: `aispace`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The day as of which its prices hold.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        self.file.date
    }

    /// The unit of account, in which totals are.
    #[must_use]
    pub fn unit(&self) -> &Currency {
        &self.file.unit
    }

    /// How a cost is rounded, once, when it is posted.
    #[must_use]
    pub fn posting(&self) -> Posting {
        self.file.posting
    }

    /// Its models, in its order.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.file.models
    }

    /// The model of an id or of an alias that only one model has. Costs one look into a table.
    #[inline]
    #[must_use]
    pub fn find(&self, id: &str) -> Option<ModelRef> {
        self.names.get(id)
    }

    /// The model that was found.
    #[must_use]
    pub fn get(&self, model: ModelRef) -> Option<&Model> {
        self.file.models.get(place(model))
    }

    /// Its models in its order, as [`RateCard::find`] finds them.
    pub fn refs(&self) -> impl Iterator<Item = (ModelRef, &Model)> + '_ {
        (0u32..).zip(self.models()).filter_map(|(place, model)| Some((ModelRef::new(place)?, model)))
    }

    /// The model that was typed: by id, by alias, or by its name in any case.
    ///
    /// # Errors
    /// [`QuoteError::UnknownModel`] with the nearest ids, [`QuoteError::AmbiguousModel`] with those it may mean.
    pub fn resolve(&self, typed: &str) -> Result<ModelRef, QuoteError> {
        if let Some(model) = self.find(typed) {
            return Ok(model);
        }
        let answers = |model: &Model| {
            let names = [&model.id, &model.name].into_iter().chain(&model.printed_name).chain(&model.aliases);
            names.into_iter().any(|name| name.eq_ignore_ascii_case(typed.trim()))
        };
        let found: Vec<(ModelRef, &Model)> = self.refs().filter(|(_, m)| answers(m)).collect();
        match found.as_slice() {
            [] => Err(QuoteError::UnknownModel { model_id: typed.to_owned(), nearest: nearest::nearest(typed, self.models()) }),
            [(found, _)] => Ok(*found),
            several => Err(QuoteError::AmbiguousModel {
                model_id: typed.to_owned(),
                candidates: several.iter().map(|(_, m)| m.id.clone()).collect(),
            }),
        }
    }

    /// The model that was typed.
    ///
    /// # Errors
    /// As [`RateCard::resolve`].
    pub fn model(&self, typed: &str) -> Result<&Model, QuoteError> {
        let found = self.resolve(typed)?;
        self.get(found).ok_or_else(|| QuoteError::UnknownModel { model_id: typed.to_owned(), nearest: Vec::new() })
    }

    /// An amount of the unit of account in US dollars; none where it has no finite decimals.
    #[must_use]
    pub fn to_usd(&self, amount: Exact) -> Option<Exact> {
        match self.usd_per_unit {
            Some(usd) => amount.mul(usd).ok(),
            // 1 ÷ 7.3 never ends, but 7.3 ÷ 7.3 does.
            None => amount.div_exact(self.unit().per_usd),
        }
    }

    /// A cost as it is posted: rounded once, by the card's named rule.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 38 digits.
    pub fn posted(&self, cost: Exact) -> Result<Exact, UnitError> {
        self.file.posting.round(cost)
    }

    #[inline]
    pub(crate) fn front(&self, model: ModelRef) -> Option<&Front> {
        self.names.front(model)
    }

    pub(crate) fn plan(&self, model: ModelRef) -> Option<&Plan> {
        self.plans.get(place(model))
    }

    pub(crate) fn defaults(&self, model: ModelRef) -> Option<&BTreeMap<String, String>> {
        self.defaults.get(place(model))
    }

    pub(crate) fn rounding_of(&self, meter: Meter) -> Option<MeterRounding> {
        self.file.rounding.iter().find(|r| r.meter == meter).copied()
    }

    /// The model at whose rate another one is charged for a meter: the last add-on that is for it.
    pub(crate) fn add_on(&self, model: &Model, meter: Meter) -> Option<&Model> {
        let fits = |a: &&AddOn| a.meter == meter && (a.group.is_none() || a.group == model.group);
        let add_on = self.file.add_ons.iter().rev().find(fits)?;
        self.find(&add_on.rates_of).and_then(|found| self.get(found))
    }
}

impl Posting {
    /// Rounds a cost by the rule.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 38 digits.
    pub fn round(self, cost: Exact) -> Result<Exact, UnitError> {
        let rounded = match (self.decimals, self.step) {
            (_, Some(step)) => cost.round_to_step(step, self.rule)?,
            (decimals, None) => cost.round(decimals.unwrap_or(0), self.rule),
        };
        Ok(if cost.is_zero() { rounded } else { self.minimum.map_or(rounded, |least| rounded.max(least)) })
    }

    /// The same with another rule.
    #[must_use]
    pub fn by(self, rule: Rounding) -> Self {
        Self { rule, ..self }
    }
}

#[derive(Deserialize)]
struct Header {
    format: String,
}

fn place(model: ModelRef) -> usize {
    usize::try_from(model.place()).unwrap_or(usize::MAX)
}

fn defaults(model: &Model) -> BTreeMap<String, String> {
    let mut defaults = model.base.options.clone();
    for (name, values) in &model.options {
        if let Some(default) = &values.default {
            defaults.insert(name.clone(), default.clone());
        }
    }
    defaults
}
