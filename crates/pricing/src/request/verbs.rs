//! What each verb asks for, and how it is answered.

use super::{
    AffordAnswer, Cards, Code, CompareAnswer, ConvertAnswer, MixAnswer, Placed, QuoteAnswer, RangeAnswer, Refusal, RunRequest,
    SettleAnswer,
    count::{End, object},
};
use crate::{Budget, Capability, Currency, Job, Kind, ObservedQuote, RateCard, Run, Terms, compare, convert};
use aispace_units::{Exact, Rounding};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is debited when a run is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// The run as it was metered.
    #[serde(deserialize_with = "object")]
    pub run: RunRequest,
    /// What was held for it, in the card's unit of account.
    pub held: Exact,
}

/// How many whole runs a budget pays for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AffordRequest {
    /// One of them.
    #[serde(deserialize_with = "object")]
    pub run: RunRequest,
    /// What there is to spend.
    pub budget: Exact,
    /// What that is in: a code such as `usd`; the card's unit of account when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How many whole runs a budget pays for after others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixRequest {
    /// What there is to spend.
    pub budget: Exact,
    /// What that is in; the card's unit of account when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What is bought whatever else fits.
    pub first: Vec<RunRequest>,
    /// What the rest is spent on. Its terms are those of all runs.
    #[serde(deserialize_with = "object")]
    pub then: RunRequest,
}

/// Which model does a job cheapest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareRequest {
    /// The job: a run that names no model.
    #[serde(deserialize_with = "object")]
    pub run: RunRequest,
    /// Only models of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Only models whose id, alias or name holds this, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only models that are known to do all of this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// Only models of these cards; of all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<String>,
    /// How many are listed at most; ten when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
    /// Whether the models that cannot do it are listed, each with its reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

/// An amount in another unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvertRequest {
    /// How much.
    pub amount: Exact,
    /// What it is in: a code such as `aispace`, `pinnora`, `usd`, `cny`.
    pub from: String,
    /// What it is asked in.
    pub to: String,
    /// How it is rounded; without it the answer is exact or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<RoundingRequest>,
}

/// A named rule, and how many decimals stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundingRequest {
    /// `down`, `up`, `half_up` or `half_even`.
    pub rule: Rounding,
    /// 0 to 38.
    pub decimals: u32,
}

/// How many models a comparison lists when nothing is said.
const TOP: u32 = 10;

/// A run with its card and terms: all that a price follows from.
pub(super) struct Ready<'a> {
    placed: Placed<'a>,
    run: Run,
    terms: Terms,
}

impl<'a> Ready<'a> {
    fn new(request: &RunRequest, cards: &'a Cards, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let placed = request.place(cards)?;
        let run = request.run(placed.model()?)?;
        Ok(Self { run, terms: request.terms(now)?, placed })
    }
}

pub(super) fn quote(request: &RunRequest, cards: &Cards, now: DateTime<Utc>) -> Result<QuoteAnswer, Refusal> {
    let Ready { placed, run, terms } = Ready::new(request, cards, now)?;
    QuoteAnswer::new(crate::quote(&placed.card, &run, &terms)?, &run)
}

/// Prices a run as a request for a quote does, but by what its clip was quoted at where `observed` knows such a quote. `at` is the instant
/// whose prices hold when the request names none, `clock` what time it is.
///
/// # Errors
/// A [`Refusal`]; that of `observed` among them.
pub fn quote_observed(
    request: &RunRequest,
    cards: &Cards,
    at: DateTime<Utc>,
    clock: DateTime<Utc>,
    observed: impl FnOnce(&RateCard, &Run) -> Result<Option<ObservedQuote>, Refusal>,
) -> Result<QuoteAnswer, Refusal> {
    let Ready { placed, run, terms } = Ready::new(request, cards, at)?;
    let observed = observed(&placed.card, &run)?;
    QuoteAnswer::new(crate::quote_with(&placed.card, &run, &terms, observed.as_ref(), clock)?, &run)
}

pub(super) fn range(request: &RunRequest, cards: &Cards, now: DateTime<Utc>) -> Result<RangeAnswer, Refusal> {
    let placed = request.place(cards)?;
    let estimate = request.estimate(placed.model()?)?;
    let range = crate::quote_range(&placed.card, &estimate, &request.terms(now)?)?;
    RangeAnswer::new(&placed.card, range, estimate.run())
}

impl SettleRequest {
    pub(super) fn answer(&self, cards: &Cards, now: DateTime<Utc>) -> Result<SettleAnswer, Refusal> {
        let Ready { placed, run, terms } = Ready::new(&self.run, cards, now)?;
        SettleAnswer::new(crate::settle(&placed.card, self.held, &run, &terms)?, &run)
    }
}

impl AffordRequest {
    pub(super) fn answer(&self, cards: &Cards, now: DateTime<Utc>) -> Result<AffordAnswer, Refusal> {
        let Ready { placed, run, terms } = Ready::new(&self.run, cards, now)?;
        let budget = budget(self.budget, self.unit.as_deref(), cards, &placed.card)?;
        Ok(AffordAnswer::new(&placed.card, crate::afford(&placed.card, budget, &run, &terms)?, &run, &terms))
    }
}

impl MixRequest {
    pub(super) fn answer(&self, cards: &Cards, now: DateTime<Utc>) -> Result<MixAnswer, Refusal> {
        let Ready { placed, run, terms } = Ready::new(&self.then, cards, now)?;
        let first: Vec<Run> = self.first.iter().map(|request| part(request, cards, &placed)).collect::<Result<_, _>>()?;
        let budget = budget(self.budget, self.unit.as_deref(), cards, &placed.card)?;
        let mix = crate::mix(&placed.card, budget, &first, &run, &terms)?;
        Ok(MixAnswer::new(&placed.card, mix, &run, &terms))
    }
}

/// A fixed part of a mix, which is bought by the same card and on the same terms.
fn part(request: &RunRequest, cards: &Cards, then: &Placed<'_>) -> Result<Run, Refusal> {
    if request.has_terms() {
        return Err(Refusal::bad_request("a mix has one time and one buyer: say them in then"));
    }
    let placed = request.place(cards)?;
    if request.rates.is_some() {
        return Err(Refusal::bad_request("in a mix only then may bring rates"));
    }
    if placed.card.id() != then.card.id() {
        let message =
            format!("a mix is bought by one card: {} is in {}, {} in {}", placed.model_id, placed.card.id(), then.model_id, then.card.id());
        return Err(Refusal::bad_request(message));
    }
    request.run(placed.model()?)
}

fn budget(amount: Exact, unit: Option<&str>, cards: &Cards, card: &RateCard) -> Result<Budget, Refusal> {
    match unit {
        None => Ok(Budget::Account(amount)),
        Some(code) if code == card.unit().code => Ok(Budget::Account(amount)),
        Some(code) => Ok(Budget::In(amount, Currency::find(code, cards.iter())?)),
    }
}

impl CompareRequest {
    pub(super) fn answer(&self, cards: &Cards, now: DateTime<Utc>) -> Result<CompareAnswer, Refusal> {
        let run = &self.run;
        if run.model.is_some() || run.card.is_some() || run.rates.is_some() || run.kind.is_some() {
            return Err(Refusal::bad_request("the run of a comparison names no model, card, rates or kind: they stand beside it"));
        }
        if !run.extras.is_empty() {
            return Err(Refusal::bad_request("extras are in the unit of one card and cannot be compared"));
        }
        if !run.is_exact() {
            return Err(Refusal::new(Code::RangeNeeded, "a comparison needs one count of each"));
        }
        let job = Job {
            kind: self.kind,
            name: self.name.clone(),
            capabilities: self.capabilities.clone(),
            usage: run.usage_at(self.kind.unwrap_or(Kind::Chat), End::Likely)?,
            options: run.chosen()?,
            tier: run.tier.clone(),
            fields: run.fields.clone(),
            runs: run.runs.unwrap_or(1),
        };
        let wanted: Vec<&RateCard> = match self.cards.as_slice() {
            [] => cards.iter().collect(),
            ids => ids.iter().map(|id| cards.get(id)).collect::<Result<_, _>>()?,
        };
        let comparison = compare(wanted, &job, &run.terms(now)?)?;
        Ok(CompareAnswer::new(&comparison, &job, self.top.unwrap_or(TOP), self.left_out))
    }
}

impl ConvertRequest {
    pub(super) fn answer(&self, cards: &Cards) -> Result<ConvertAnswer, Refusal> {
        let [from, to] = [&self.from, &self.to].map(|code| Currency::find(code, cards.iter()));
        let (from, to) = (from?, to?);
        if let Some(rounding) = self.rounding.filter(|r| r.decimals > 38) {
            return Err(Refusal::new(Code::Count, format!("decimals must be 0 to 38, not {}", rounding.decimals)));
        }
        let converted = convert(self.amount, &from, &to, self.rounding.map(|r| (r.rule, r.decimals)))?;
        let (from, to) = (from.code, to.code);
        Ok(ConvertAnswer { amount: self.amount, from, to, converted: converted.amount, exact: converted.exact })
    }
}
