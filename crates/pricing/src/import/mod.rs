//! Foreign price lists, read into rate cards; see `docs/imports.md`.
//!
//! An import is lenient in what it ignores and strict in what it bills: a field that only describes may be anything or be absent, but a
//! price that is not fully understood keeps its model out of the card, with the reason. Prices are read from the text of their numbers.

mod expression;
mod json;
mod litellm;
mod newapi;
pub(crate) mod number;
mod openrouter;
mod rates;
mod refusal;
mod syntax;
mod venice;

pub use expression::{ExpressionError, Variable};
pub use refusal::Refusal;

use crate::{CardError, CardFile, Channels, Currency, FORMAT, HoldRule, Model, Posting, RateCard};
use aispace_units::Rounding;
use chrono::{DateTime, NaiveDate, Utc};
use refusal::excerpt;
use std::collections::BTreeMap;

/// Largest feed that is read, in bytes.
pub const FEED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most models that a feed may list.
pub const MODELS_MAX: usize = 200_000;
/// Most rates that one model may have.
const MODEL_RATES_MAX: usize = 256;
/// Most rates, and groups that models are served by, that a feed may come to.
const RATES_MAX: usize = 1_000_000;
/// Longest id of a model, in bytes; the card's own limit.
const ID_BYTES_MAX: usize = 300;

crate::words::words! {
    /// A price list that can be imported.
    Feed {
        /// Venice, `GET /api/v1/models?type=all`.
        VeniceModels = "venice",
        /// new-api, `GET /api/pricing`.
        NewApi = "new-api",
        /// OpenRouter, `GET /api/v1/models`.
        OpenRouter = "openrouter",
        /// LiteLLM, `model_prices_and_context_window.json`.
        LiteLlm = "litellm",
    }
}

/// What a card says that no feed does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportTerms {
    /// The card's id, of `a-z`, `0-9` and `-`.
    pub id: String,
    /// The card's name for people.
    pub name: String,
    /// The day as of which the prices hold.
    pub date: NaiveDate,
    /// The instant from which the prices hold, where the card is to be joined to an older one; every rate then says it.
    pub from: Option<DateTime<Utc>>,
    /// The group of a run that names none, where the feed has groups.
    pub group: Option<String>,
    /// The unit of account; the rates stay in US dollars.
    pub unit: Currency,
    /// How a cost is rounded when it is posted; by the feed's own rule, or to twelve decimals where it has none, when absent.
    pub posting: Option<Posting>,
}

impl ImportTerms {
    /// A card in US dollars whose prices hold at all times.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>, date: NaiveDate) -> Self {
        Self { id: id.into(), name: name.into(), date, from: None, group: None, unit: Currency::usd(), posting: None }
    }
}

/// What became of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The card, with every model whose prices were understood, in the order of the feed.
    pub card: RateCard,
    /// The models that are not in it.
    pub skipped: Vec<Skipped>,
    /// Prices that were understood and left out, because a run cannot ask for what they are for.
    pub ignored: Vec<Ignored>,
}

/// A model that is not in the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its id, or its place in the feed (`#3`) where it has none.
    pub model_id: String,
    /// Why not.
    pub reason: Refusal,
}

/// A price that was left out of models that are in the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The field of the feed.
    pub field: String,
    /// Why no run needs it.
    pub reason: &'static str,
    /// How many of the card's models have it.
    pub models: usize,
}

/// Why a feed was not imported at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Larger than [`FEED_BYTES_MAX`].
    #[error("the feed has {bytes} bytes, more than {FEED_BYTES_MAX}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not JSON.
    #[error("the feed is not JSON: {reason}")]
    Syntax {
        /// What the reader says, with the line.
        reason: String,
    },
    /// JSON, but not this feed's.
    #[error("the feed has no {expected}")]
    Shape {
        /// What it should have.
        expected: &'static str,
    },
    /// More models than [`MODELS_MAX`], or more rates than are kept.
    #[error("the feed has {count} {what}, more than {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// An answer that says that it is none.
    #[error("the feed says that it failed: {message}")]
    Failed {
        /// What it says.
        message: String,
    },
    /// The group of a run that names none is not known.
    #[error("{}; the feed's groups are {}", given.as_ref().map_or_else(|| "no group was given".to_owned(), |g| format!("there is no group {g:?}")), known.join(", "))]
    Group {
        /// The group that was given.
        given: Option<String>,
        /// The feed's groups.
        known: Vec<String>,
    },
    /// A factor on every price cannot be read.
    #[error("{0}")]
    Factor(Refusal),
    /// The card refuses what the terms say.
    #[error(transparent)]
    Card(#[from] CardError),
}

/// Reads a price list into a card.
///
/// ```
/// use aispace_pricing::{Feed, ImportTerms, Run, Terms, import, quote};
/// let feed = br#"{"data": [
///     {"id": "a/chat", "pricing": {"prompt": "0.000003", "completion": "0.000015"}},
///     {"id": "a/router", "pricing": {"prompt": "-1", "completion": "-1"}}
/// ]}"#;
/// let day = "2026-10-01".parse()?;
/// let import = import(Feed::OpenRouter, feed, &ImportTerms::new("openrouter", "OpenRouter", day))?;
/// let quote = quote(&import.card, &Run::chat("a/chat", 1_000, 200), &Terms::default())?;
/// assert_eq!(quote.total.to_string(), "0.006");
/// assert_eq!(import.skipped[0].model_id, "a/router");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// An [`ImportError`] where nothing can be imported. A model that cannot be is listed in [`Import::skipped`].
pub fn import(feed: Feed, bytes: &[u8], terms: &ImportTerms) -> Result<Import, ImportError> {
    if bytes.len() > FEED_BYTES_MAX {
        return Err(ImportError::TooLarge { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| ImportError::Syntax { reason: e.to_string() })?;
    // Some writers put a byte order mark before the JSON.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut draft = Draft::default();
    match feed {
        Feed::VeniceModels => venice::read(text, &mut draft)?,
        Feed::NewApi => newapi::read(text, terms, &mut draft)?,
        Feed::OpenRouter => openrouter::read(text, &mut draft)?,
        Feed::LiteLlm => litellm::read(text, &mut draft)?,
    }
    draft.finish(terms)
}

/// A model on its way into the card, with what was left out of it.
#[derive(Debug)]
struct Entry {
    model: Model,
    ignored: Vec<(String, &'static str)>,
}

impl From<Model> for Entry {
    fn from(model: Model) -> Self {
        Self { model, ignored: Vec::new() }
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Draft {
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
    /// How often each id was listed, imported or not.
    listed: BTreeMap<String, usize>,
    /// Rates and groups of models so far.
    rates: usize,
    channels: Option<Channels>,
    posting: Option<Posting>,
    note: Option<String>,
}

impl Draft {
    /// Takes one entry of the feed.
    fn take(&mut self, model_id: &str, entry: Result<Entry, Refusal>) -> Result<(), ImportError> {
        let times = self.listed.entry(model_id.to_owned()).or_default();
        *times = times.saturating_add(1);
        match entry.and_then(fits) {
            Ok(entry) => {
                self.rates = self.rates.saturating_add(entry.model.rates.len()).saturating_add(entry.model.channels.len());
                self.entries.push(entry);
                at_most("rates and groups of models", self.rates, RATES_MAX)
            }
            Err(reason) => {
                self.skip(model_id, reason);
                Ok(())
            }
        }
    }

    fn skip(&mut self, model_id: &str, reason: Refusal) {
        let model_id = if model_id.len() > ID_BYTES_MAX { excerpt(model_id) } else { model_id.to_owned() };
        self.skipped.push(Skipped { model_id, reason });
    }

    fn finish(mut self, terms: &ImportTerms) -> Result<Import, ImportError> {
        let (once, twice): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| self.listed.get(&entry.model.id).is_none_or(|times| *times == 1));
        for entry in twice {
            self.skip(&entry.model.id, Refusal::ListedTwice);
        }
        let mut file = self.file(terms);
        // The card's own check of what is above the models, so that what it refuses later is a model.
        RateCard::new(file.clone())?;
        let mut ignored: BTreeMap<String, Ignored> = BTreeMap::new();
        for (field, reason) in once.iter().flat_map(|entry| &entry.ignored) {
            let seen = ignored.entry(field.clone()).or_insert_with(|| Ignored { field: field.clone(), reason, models: 0 });
            seen.models = seen.models.saturating_add(1);
        }
        file.models = once.into_iter().map(|entry| entry.model).collect();
        if let Some(from) = terms.from {
            file.models.iter_mut().for_each(|model| rates::hold_from(model, from));
        }
        let card = match RateCard::new(file.clone()) {
            Ok(card) => card,
            Err(_) => self.without_refused(file)?,
        };
        Ok(Import { card, skipped: self.skipped, ignored: ignored.into_values().collect() })
    }

    fn file(&mut self, terms: &ImportTerms) -> CardFile {
        let decimals = Posting { rule: Rounding::HalfUp, decimals: Some(12), step: None, minimum: None };
        // The feed's own rounding is of dollars.
        let feeds_own = self.posting.filter(|_| terms.unit.is_usd());
        CardFile {
            format: FORMAT.to_owned(),
            id: terms.id.clone(),
            name: terms.name.clone(),
            date: terms.date,
            date_note: None,
            note: self.note.take(),
            unit: terms.unit.clone(),
            display: Vec::new(),
            posting: terms.posting.or(feeds_own).unwrap_or(decimals),
            hold: HoldRule::default(),
            rounding: Vec::new(),
            channels: self.channels.take(),
            users: None,
            fields: Vec::new(),
            add_ons: Vec::new(),
            models: Vec::new(),
        }
    }

    /// The card without the models that it refuses, each asked on its own.
    fn without_refused(&mut self, mut file: CardFile) -> Result<RateCard, ImportError> {
        let models = std::mem::take(&mut file.models);
        for model in models {
            // Which channels serve it was read out of the card's own, so they need not be asked again.
            let alone = Model { channels: Vec::new(), ..model.clone() };
            match RateCard::new(file_of(&file, alone)) {
                Ok(_) => file.models.push(model),
                Err(CardError::Contradiction { reason, .. }) => self.skip(&model.id, Refusal::Card { reason }),
                Err(other) => self.skip(&model.id, Refusal::Card { reason: other.to_string() }),
            }
        }
        Ok(RateCard::new(file)?)
    }
}

/// The card of one model.
fn file_of(file: &CardFile, model: Model) -> CardFile {
    CardFile {
        format: file.format.clone(),
        id: file.id.clone(),
        name: file.name.clone(),
        date: file.date,
        date_note: None,
        note: None,
        unit: file.unit.clone(),
        display: Vec::new(),
        posting: file.posting,
        hold: file.hold,
        rounding: Vec::new(),
        channels: None,
        users: None,
        fields: Vec::new(),
        add_ons: Vec::new(),
        models: vec![model],
    }
}

/// What every feed's model must be.
fn fits(entry: Entry) -> Result<Entry, Refusal> {
    if entry.model.id.is_empty() || entry.model.id.len() > ID_BYTES_MAX {
        return Err(Refusal::shape("id", "1 to 300 bytes long"));
    }
    if entry.model.rates.is_empty() {
        return Err(Refusal::missing("price"));
    }
    if entry.model.rates.len() > MODEL_RATES_MAX {
        return Err(Refusal::too_many_rates());
    }
    Ok(entry)
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), ImportError> {
    if count > most { Err(ImportError::TooMany { what, count, most }) } else { Ok(()) }
}

/// The whole feed, one level of it.
fn top<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|e| ImportError::Syntax { reason: e.to_string() })
}

/// The models of a feed that lists them under `data`, or is itself the list.
fn listed<'a>(root: json::Raw<'a>) -> Result<Vec<json::Raw<'a>>, ImportError> {
    const SHAPE: ImportError = ImportError::Shape { expected: "list of models under \"data\"" };
    let list = if root.get().starts_with('{') {
        let entries: json::Entries<'a> = json::parse(root).ok_or(SHAPE)?;
        let mut data = entries.found(json::FIELDS_MAX).ok_or(SHAPE)?.into_iter().filter(|(field, _)| field == "data");
        match (data.next(), data.next()) {
            (Some((_, data)), None) => data,
            (None, _) | (Some(_), Some(_)) => return Err(SHAPE),
        }
    } else {
        root
    };
    let rows: json::Rows<'a> = json::parse(list).ok_or(SHAPE)?;
    at_most("models", rows.count(), MODELS_MAX)?;
    rows.found(MODELS_MAX).ok_or(SHAPE)
}
