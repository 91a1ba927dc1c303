//! Why a model of a feed is not imported.

use super::{expression::ExpressionError, number::NumberError};

/// Most characters of what a feed says that a refusal repeats.
const EXCERPT_MAX: usize = 60;

/// Why a model of a feed is not in the card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The entry is not what the feed's models are.
    #[error("{field} is not {expected}")]
    Shape {
        /// What was read.
        field: String,
        /// What the format has there.
        expected: &'static str,
    },
    /// A field stands twice in one object, and nobody knows which of the two counts.
    #[error("{field} stands there twice")]
    FieldTwice {
        /// The field.
        field: String,
    },
    /// The model is listed more than once, and nobody knows which of its prices counts.
    #[error("it is listed more than once")]
    ListedTwice,
    /// The feed lists it for something else: a sample, a rule.
    #[error("it is no model: {what}")]
    NotAModel {
        /// What it is.
        what: &'static str,
    },
    /// A kind of model that this feed did not have.
    #[error("models of type {given:?} are not known")]
    UnknownType {
        /// As given.
        given: String,
    },
    /// A price that is needed is not there.
    #[error("it has no {field}")]
    Missing {
        /// The field.
        field: String,
    },
    /// A price below zero: a mistake, or a sign for a price that varies.
    #[error("{field} is {given}, and a price is never below zero")]
    Negative {
        /// The field.
        field: String,
        /// As given.
        given: String,
    },
    /// A price that is no number.
    #[error("{field} is {given}, which is not a number")]
    NotANumber {
        /// The field.
        field: String,
        /// As given.
        given: String,
    },
    /// A price that 38 digits do not hold.
    #[error("{field} has more digits than are kept exactly: {given}")]
    TooManyDigits {
        /// The field.
        field: String,
        /// As given, or what it came to.
        given: String,
    },
    /// A field that speaks of money and that the format did not have.
    #[error("{field} may be charged, and is not known")]
    UnknownPrice {
        /// The field.
        field: String,
    },
    /// A price that a rate card cannot say.
    #[error("{field}: {reason}")]
    Unsupported {
        /// The field.
        field: String,
        /// Why not.
        reason: &'static str,
    },
    /// A billing expression outside the part of the language that is read.
    #[error("billing_expr: {0}")]
    Expression(#[from] ExpressionError),
    /// The card's own check refused it.
    #[error("{reason}")]
    Card {
        /// What the card said.
        reason: String,
    },
}

impl Refusal {
    /// A refused number, with the field it stands in.
    pub(super) fn number(error: NumberError, field: &str, given: &str) -> Self {
        let (field, given) = (excerpt(field), excerpt(given));
        match error {
            NumberError::Negative => Self::Negative { field, given },
            NumberError::NotANumber => Self::NotANumber { field, given },
            NumberError::TooManyDigits => Self::TooManyDigits { field, given },
        }
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::Missing { field: excerpt(field) }
    }

    pub(super) fn unknown_price(field: &str) -> Self {
        Self::UnknownPrice { field: excerpt(field) }
    }

    pub(super) fn unsupported(field: &str, reason: &'static str) -> Self {
        Self::Unsupported { field: excerpt(field), reason }
    }

    pub(super) fn too_many_rates() -> Self {
        Self::unsupported("pricing", "a model has at most 256 rates")
    }

    pub(super) fn shape(field: &str, expected: &'static str) -> Self {
        Self::Shape { field: excerpt(field), expected }
    }
}

/// The beginning of a text that a feed chose.
pub(super) fn excerpt(text: &str) -> String {
    let mut line: String = text.chars().take(EXCERPT_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(EXCERPT_MAX).is_some() {
        line.push('…');
    }
    line
}
