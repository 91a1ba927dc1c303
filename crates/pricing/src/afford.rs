//! Reverse quotes: how many whole runs a budget pays for, and what is left of it.

use crate::{ConvertError, Currency, QuoteError, RateCard, Run, Terms, convert, total};
use aispace_units::{Exact, UnitError};

/// Why it cannot be said how many runs a budget pays for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AffordError {
    /// A run has no price.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// The run costs nothing, so no number of them is the last.
    #[error("a run of {model_id} costs nothing, so any number of them fits")]
    CostsNothing {
        /// As asked for.
        model_id: String,
    },
    /// The fixed part of a mix costs more than there is.
    #[error("the fixed part costs {fixed} {unit}, {missing} more than the {budget} there are")]
    Missing {
        /// What the fixed part costs.
        fixed: Exact,
        /// What there is.
        budget: Exact,
        /// What is missing.
        missing: Exact,
        /// The unit of account's code.
        unit: String,
    },
    /// The budget has no exact amount in the card's unit of account.
    #[error(transparent)]
    Budget(#[from] ConvertError),
    /// Costs and budget are too far apart for 38 digits.
    #[error("it cannot be worked out exactly: {0}")]
    NotExact(#[from] UnitError),
}

/// What there is to spend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Budget {
    /// In the card's unit of account.
    Account(Exact),
    /// In another currency, which the card's unit of account must be able to say exactly.
    In(Exact, Currency),
}

impl Budget {
    /// An amount of US dollars.
    #[must_use]
    pub fn usd(amount: Exact) -> Self {
        Self::In(amount, Currency::usd())
    }

    /// The same in a card's unit of account.
    ///
    /// # Errors
    /// [`ConvertError::NotExact`] where it has no finite decimals there.
    pub fn in_unit_of(&self, card: &RateCard) -> Result<Exact, ConvertError> {
        match self {
            Self::Account(amount) => Ok(*amount),
            Self::In(amount, currency) => Ok(convert(*amount, currency, card.unit(), None)?.amount),
        }
    }
}

/// An amount of the card's unit of account.
impl From<Exact> for Budget {
    fn from(amount: Exact) -> Self {
        Self::Account(amount)
    }
}

/// How many runs fit. All amounts are exact, not posted, and in the unit of account; `spent + remainder = budget`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Afford {
    /// Id of the model in the card.
    pub model_id: String,
    /// What there was to spend.
    pub budget: Exact,
    /// What one costs. Where the run asked for is of several runs, one is all of them: they are bought together or not at all.
    pub per_run: Exact,
    /// How many fit whole.
    pub count: u128,
    /// What those cost.
    pub spent: Exact,
    /// What is left, less than one costs.
    pub remainder: Exact,
    /// The unit of account.
    pub unit: Currency,
}

/// Answers how many whole runs a budget pays for.
///
/// ```
/// use aispace_pricing::{RateCard, Run, Terms, afford};
/// use aispace_units::Exact;
/// let card = RateCard::aispace()?;
/// let fits = afford(&card, Exact::from(10_000u32), &Run::chat("qwen3-4b", 500, 200), &Terms::default())?;
/// assert_eq!((fits.count, fits.remainder.to_string().as_str()), (18_181, "0.45"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Any [`AffordError`]; [`AffordError::CostsNothing`] rather than a count without end.
pub fn afford(card: &RateCard, budget: impl Into<Budget>, run: &Run, terms: &Terms) -> Result<Afford, AffordError> {
    let budget = budget.into().in_unit_of(card)?;
    let per_run = total(card, run, terms)?;
    let model_id = card.model(&run.model_id)?.id.clone();
    if per_run.is_zero() {
        return Err(AffordError::CostsNothing { model_id });
    }
    let (count, remainder) = budget.div_whole(per_run)?;
    let spent = budget.sub(remainder)?;
    Ok(Afford { model_id, budget, per_run, count, spent, remainder, unit: card.unit().clone() })
}

/// A part of a mix that is bought whatever else fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixPart {
    /// Id of the model in the card.
    pub model_id: String,
    /// How many runs.
    pub runs: u32,
    /// What they cost together, in the unit of account.
    pub total: Exact,
}

/// A fixed part, and what fits besides. All amounts are exact and in the unit of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// What there was to spend.
    pub budget: Exact,
    /// The parts that were asked for, in their order.
    pub fixed: Vec<MixPart>,
    /// What they cost together.
    pub fixed_total: Exact,
    /// What fits into the rest; its budget is the rest.
    pub then: Afford,
}

/// Answers how many whole runs fit after a fixed part: 50 images, then how many messages?
///
/// # Errors
/// Any [`AffordError`]; [`AffordError::Missing`] where the fixed part alone does not fit.
pub fn mix(card: &RateCard, budget: impl Into<Budget>, fixed: &[Run], then: &Run, terms: &Terms) -> Result<Mix, AffordError> {
    let budget = budget.into().in_unit_of(card)?;
    let mut parts = Vec::with_capacity(fixed.len());
    let mut fixed_total = Exact::ZERO;
    for run in fixed {
        let total = total(card, run, terms)?;
        fixed_total = fixed_total.add(total)?;
        parts.push(MixPart { model_id: card.model(&run.model_id)?.id.clone(), runs: run.runs, total });
    }
    if fixed_total > budget {
        let missing = fixed_total.sub(budget)?;
        return Err(AffordError::Missing { fixed: fixed_total, budget, missing, unit: card.unit().code.clone() });
    }
    let then = afford(card, budget.sub(fixed_total)?, then, terms)?;
    Ok(Mix { budget, fixed: parts, fixed_total, then })
}
