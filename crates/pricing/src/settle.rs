//! What is debited when a run is over, beside what was held for it.

use crate::{Quote, QuoteError, RateCard, Run, Terms, quote};
use aispace_units::{Exact, UnitError};

/// Why a run was not settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The metered run has no price.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// The cost cannot be posted exactly.
    #[error("the cost cannot be posted exactly: {0}")]
    NotExact(#[from] UnitError),
}

/// The end of a run. All amounts are in the unit of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// What the metered run costs, exactly, and why.
    pub quote: Quote,
    /// What was held.
    pub held: Exact,
    /// What is debited: the cost, rounded once, by the card's named rule.
    pub posted: Exact,
    /// How much of what was held is free again.
    pub released: Exact,
    /// How much more is debited than was held.
    pub above_hold: Exact,
}

/// Settles a run by what was metered. What was held does not limit what is debited: `posted + released = held + above_hold`, and at least
/// one of `released` and `above_hold` is 0.
///
/// ```
/// use aispace_pricing::{RateCard, Run, Terms, settle};
/// let card = RateCard::aispace()?;
/// let end = settle(&card, "1.5".parse()?, &Run::chat("qwen3-4b", 500, 200), &Terms::default())?;
/// assert_eq!((end.posted.to_string(), end.released.to_string()), ("0.55".into(), "0.95".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Any [`SettleError`].
pub fn settle(card: &RateCard, held: Exact, metered: &Run, terms: &Terms) -> Result<Settlement, SettleError> {
    let quote = quote(card, metered, terms)?;
    let posted = quote.posted()?;
    let (released, above_hold) = if posted <= held { (held.sub(posted)?, Exact::ZERO) } else { (Exact::ZERO, posted.sub(held)?) };
    Ok(Settlement { quote, held, posted, released, above_hold })
}
