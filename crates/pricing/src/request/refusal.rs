//! Why a request was refused: a stable word for programs, a sentence for people, and what would have been possible.

use crate::{AffordError, CardError, CompareError, ConvertError, QuoteError, RangeError, SettleError, URLS_MAX, UsageError, words::words};
use aispace_units::UnitError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

words! {
    /// The kinds of refusal. A word keeps its meaning.
    Code {
        /// Not a request: no JSON, an unknown field, a value of the wrong shape, fields that contradict each other.
        BadRequest = "bad_request",
        /// No card of this id is loaded.
        UnknownCard = "unknown_card",
        /// No loaded card has the model.
        UnknownModel = "unknown_model",
        /// The name is that of several models.
        AmbiguousModel = "ambiguous_model",
        /// A choice that the model or the card does not offer.
        Impossible = "impossible",
        /// A count out of its range.
        Count = "count",
        /// Counts that contradict each other.
        Usage = "usage",
        /// The model is not priced by what is counted.
        NoRate = "no_rate",
        /// What the run costs is not known.
        NoPrice = "no_price",
        /// The price depends on an instant that was not given.
        InstantNeeded = "instant_needed",
        /// The exact amount does not fit 38 digits.
        NotExact = "not_exact",
        /// The counts are known only within bounds, which `range` prices.
        RangeNeeded = "range_needed",
        /// The price turns at too many places of the range.
        TooWide = "too_wide",
        /// A run costs nothing, so any number of them fits.
        CostsNothing = "costs_nothing",
        /// What is bought first costs more than the budget.
        DoesNotFit = "does_not_fit",
        /// An amount that has no finite decimals in the other unit.
        NotConvertible = "not_convertible",
        /// No loaded card knows the unit.
        UnknownUnit = "unknown_unit",
        /// Rates that do not make a model, or a file that is not a rate card.
        BadCard = "bad_card",
    }
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
    /// What the message names, apart: `nearest`, `candidates`, `allowed` …
    #[serde(flatten)]
    pub details: BTreeMap<String, Detail>,
}

/// One thing that a refusal names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Detail {
    /// A word or an amount.
    Text(String),
    /// Words.
    List(Vec<String>),
    /// A count.
    Number(u64),
}

impl Refusal {
    /// A refusal without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: BTreeMap::new() }
    }

    /// A request that cannot be read.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, detail: impl Into<Detail>) -> Self {
        self.details.insert(name.to_owned(), detail.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Detail {
    fn from(count: u64) -> Self {
        Self::Number(count)
    }
}

impl From<Vec<String>> for Detail {
    fn from(words: Vec<String>) -> Self {
        Self::List(words)
    }
}

impl From<QuoteError> for Refusal {
    fn from(error: QuoteError) -> Self {
        let message = error.to_string();
        let new = |code| Self::new(code, message.clone());
        match error {
            QuoteError::UnknownModel { model_id, nearest } => new(Code::UnknownModel).with("model", model_id).with("nearest", nearest),
            QuoteError::AmbiguousModel { model_id, candidates } => {
                new(Code::AmbiguousModel).with("model", model_id).with("candidates", candidates)
            }
            QuoteError::Impossible { model_id, parameter, given, allowed } => {
                new(Code::Impossible).with("model", model_id).with("parameter", parameter).with("given", given).with("allowed", allowed)
            }
            QuoteError::Count { what, given, least, most } => {
                new(Code::Count).with("what", what).with("given", given).with("least", least).with("most", most)
            }
            QuoteError::Usage(error) => error.into(),
            QuoteError::NoRate { model_id, meter, priced } => {
                let priced: Vec<String> = priced.iter().map(ToString::to_string).collect();
                new(Code::NoRate).with("model", model_id).with("meter", meter.as_str()).with("priced", priced)
            }
            QuoteError::NoPrice { model_id, combination } => new(Code::NoPrice).with("model", model_id).with("combination", combination),
            QuoteError::InstantNeeded { model_id } => new(Code::InstantNeeded).with("model", model_id),
            QuoteError::NotExact(_) => new(Code::NotExact),
        }
    }
}

impl From<UsageError> for Refusal {
    fn from(error: UsageError) -> Self {
        let message = error.to_string();
        match error {
            UsageError::PartAboveTotal { total_name, total, parts } => {
                Self::new(Code::Usage, message).with("total_name", total_name.as_str()).with("total", total).with("parts", parts)
            }
            UsageError::Count { meter, given } => Self::new(Code::Usage, message).with("meter", meter.as_str()).with("given", given),
        }
    }
}

impl From<UnitError> for Refusal {
    fn from(error: UnitError) -> Self {
        QuoteError::NotExact(error).into()
    }
}

impl From<CardError> for Refusal {
    fn from(error: CardError) -> Self {
        Self::new(Code::BadCard, error.to_string())
    }
}

impl From<RangeError> for Refusal {
    fn from(error: RangeError) -> Self {
        let message = error.to_string();
        match error {
            RangeError::Falls { low, likely, high } => {
                Self::new(Code::Count, message).with("low", low).with("likely", likely).with("high", high)
            }
            RangeError::Urls { given } => {
                Self::new(Code::Count, message).with("what", "scrape_urls").with("given", given).with("least", 0).with("most", URLS_MAX)
            }
            RangeError::Usage(error) => error.into(),
            RangeError::Quote(error) => error.into(),
            RangeError::Point { run, error } => Self { message, ..Self::from(error) }.with("run", run),
            RangeError::TooManyPoints { model_id, .. } | RangeError::RoundedPrompt { model_id, .. } => {
                Self::new(Code::TooWide, message).with("model", model_id)
            }
            RangeError::NotExact(_) => Self::new(Code::NotExact, message),
        }
    }
}

impl From<SettleError> for Refusal {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Quote(error) => error.into(),
            SettleError::NotExact(error) => error.into(),
        }
    }
}

impl From<AffordError> for Refusal {
    fn from(error: AffordError) -> Self {
        let message = error.to_string();
        match error {
            AffordError::Quote(error) => error.into(),
            AffordError::CostsNothing { model_id } => Self::new(Code::CostsNothing, message).with("model", model_id),
            AffordError::Missing { fixed, budget, missing, unit } => Self::new(Code::DoesNotFit, message)
                .with("first_total", fixed.to_string())
                .with("budget", budget.to_string())
                .with("missing", missing.to_string())
                .with("unit", unit),
            AffordError::Budget(error) => error.into(),
            AffordError::NotExact(_) => Self::new(Code::NotExact, message),
        }
    }
}

impl From<CompareError> for Refusal {
    fn from(error: CompareError) -> Self {
        let message = error.to_string();
        match error {
            CompareError::Nothing => Self::bad_request(message),
            CompareError::Count { what, given, least, most } => {
                Self::new(Code::Count, message).with("what", what).with("given", given).with("least", least).with("most", most)
            }
        }
    }
}

impl From<ConvertError> for Refusal {
    fn from(error: ConvertError) -> Self {
        let message = error.to_string();
        match error {
            ConvertError::Unknown { code, known } => Self::new(Code::UnknownUnit, message).with("unit", code).with("allowed", known),
            ConvertError::Ambiguous { code, candidates } => {
                Self::new(Code::UnknownUnit, message).with("unit", code).with("candidates", candidates)
            }
            ConvertError::Worthless { code } => Self::new(Code::NotConvertible, message).with("unit", code),
            ConvertError::NotExact { amount, from, to } | ConvertError::OutOfRange { amount, from, to } => {
                Self::new(Code::NotConvertible, message).with("amount", amount.to_string()).with("from", from).with("to", to)
            }
        }
    }
}
