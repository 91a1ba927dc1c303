//! Metered runs: what they cost by a rate card, and why. Pure: no store, no clock.
//!
//! A gateway says what was used instead of an amount. The pricing engine prices it by a version of a card that the service has, exactly; the
//! cost is rounded once, by the card's rule, and turned into AiSpace credits, which is exact or refused. Why it came to that goes into the
//! entry's memo and is hashed with the entry.

mod memo;
mod price;
mod shelf;

#[cfg(test)]
mod tests;

pub(crate) use memo::explanation;
pub(crate) use price::{Priced, charge, hold};
pub(crate) use shelf::{Shelf, entity_tag};

use aispace_api::EXPLANATION_BYTES_MAX;
use aispace_pricing::request::Refusal;
use aispace_units::Exact;

/// Why a metered run was not priced. Nothing is posted for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MeteringError {
    /// Fields that are no run.
    #[error("metered: {reason}")]
    BadRequest { reason: String },
    /// No card of this id.
    #[error("there is no rate card {card:?}; there are {}", cards.join(", "))]
    UnknownCard { card: String, cards: Vec<String> },
    /// The card has no such version.
    #[error("{card} has no version {asked:?}; it has {}", versions.join(", "))]
    UnknownVersion { card: String, asked: String, versions: Vec<String> },
    /// The run is older than each version of the card.
    #[error("no version of {card} is as old as the run; it has {}: name one to price by it", versions.join(", "))]
    NoVersionYet { card: String, versions: Vec<String> },
    /// What the pricing engine refuses.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The amount cannot be posted in AiSpace credits.
    #[error("{posted} {unit} cannot be posted in AiSpace credits: {reason}")]
    NotInCredits { posted: Exact, unit: String, reason: String },
    /// The explanation would be longer than an entry may have.
    #[error("the explanation of this run would be {bytes} bytes, and an entry holds at most {EXPLANATION_BYTES_MAX}: say less about it")]
    TooLong { bytes: usize },
}
