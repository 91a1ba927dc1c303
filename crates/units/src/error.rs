//! What can be wrong with an amount.

/// Why an amount was refused. Nothing is ever rounded or clamped in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// The text is not a plain decimal number.
    #[error("{input:?} is not a decimal number")]
    NotANumber {
        /// The text as given.
        input: String,
    },
    /// The amount is below zero.
    #[error("{input} is below zero")]
    Negative {
        /// The text or amount as given.
        input: String,
    },
    /// More decimals than the unit has.
    #[error("{input} has more than {places} decimals")]
    TooPrecise {
        /// The text or amount as given.
        input: String,
        /// How many decimals the unit has.
        places: u32,
    },
    /// Too large or too fine to be represented exactly.
    #[error("{input} cannot be represented exactly")]
    OutOfRange {
        /// The operation or amount.
        input: String,
    },
    /// A price of zero prices nothing.
    #[error("a price must be above zero")]
    ZeroPrice,
    /// Two amounts whose credits belong to different owners.
    #[error("credits of {left} and of {right} do not add up")]
    OwnerMismatch {
        /// Owner on the left.
        left: &'static str,
        /// Owner on the right.
        right: &'static str,
    },
}
