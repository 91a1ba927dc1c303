//! What is answered, field by field. Amounts are exact decimal strings in the unit that `unit` names.

use super::Refusal;
use crate::{
    Afford, Comparison, Denominator, Evidence, HoldRule, Job, Kind, LeftOutKind, Line, LineRole, Mix, Quote, RangeQuote, RateCard, Run,
    Settlement, Terms, Usage,
};
use aispace_units::Exact;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The card that a price is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardWords {
    /// For programs.
    pub id: String,
    /// For people.
    pub name: String,
    /// The day as of which its prices hold.
    pub date: NaiveDate,
}

/// What a run costs, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteAnswer {
    /// The card.
    pub card: CardWords,
    /// Id of the model in it.
    pub model: String,
    /// How many runs.
    pub runs: u32,
    /// What each uses, in disjoint counts.
    pub usage: Usage,
    /// What each chooses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The service tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// What all runs cost, exactly.
    pub total: Exact,
    /// The same as it is posted: rounded once, by the card's rule.
    pub posted: Exact,
    /// Code of the unit of account.
    pub unit: String,
    /// The total in US dollars; missing where that has no finite decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Exact>,
    /// The total in the card's further currencies, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub display: BTreeMap<String, Exact>,
    /// Why, in the order it was worked out.
    pub lines: Vec<LineAnswer>,
    /// How sure it is.
    pub evidence: Evidence,
    /// What it rests on, for people.
    pub note: String,
    /// The instant whose prices were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAnswer {
    /// A meter, or `extra`, `to_cents`, `rounded`, `to_credits`, `field`, `channel`, `user`, `runs`, `display`.
    pub meter: String,
    /// How many.
    pub quantity: Exact,
    /// The rate; of a factor, the factor.
    pub rate: Exact,
    /// What rate and amount are in: `credits` (the unit of account), `usd`, or a further currency's code.
    pub unit: String,
    /// Per how many.
    pub per: Denominator,
    /// What it comes to.
    pub amount: Exact,
    /// What chose the rate, for people.
    pub rule: String,
    /// How it enters the total.
    pub role: LineRole,
}

/// What a run of unknown lengths costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeAnswer {
    /// The least that any run of the range costs.
    pub low: Exact,
    /// What the likely one costs.
    pub likely: Exact,
    /// The most that any run of the range costs.
    pub high: Exact,
    /// What is held before the run, as it is posted, rounded up.
    pub hold: Exact,
    /// What the hold follows from: `high`, `likely` or `fixed`.
    pub hold_basis: String,
    /// Code of the unit of account.
    pub unit: String,
    /// The same in US dollars, where that is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<RangeUsd>,
    /// What a cheapest run uses.
    pub cheapest: Usage,
    /// What a dearest run uses.
    pub dearest: Usage,
    /// The likely run, with the reasons.
    pub quote: QuoteAnswer,
}

/// A range in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeUsd {
    /// The least.
    pub low: Exact,
    /// The likely.
    pub likely: Exact,
    /// The most.
    pub high: Exact,
    /// What is held.
    pub hold: Exact,
}

/// What is debited when a run is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleAnswer {
    /// What was held.
    pub held: Exact,
    /// What is debited.
    pub posted: Exact,
    /// How much of the hold is free again.
    pub released: Exact,
    /// How much more is debited than was held.
    pub above_hold: Exact,
    /// Code of the unit of account.
    pub unit: String,
    /// The metered run, with the reasons.
    pub quote: QuoteAnswer,
}

/// How many whole runs fit a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffordAnswer {
    /// The card.
    pub card: CardWords,
    /// Id of the model in it.
    pub model: String,
    /// How many runs are bought together.
    pub runs: u32,
    /// What each uses, in disjoint counts.
    pub usage: Usage,
    /// What each chooses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// What there was to spend.
    pub budget: Exact,
    /// Code of the unit of account.
    pub unit: String,
    /// What one costs; with `runs`, what that many cost together.
    pub per_run: Exact,
    /// How many fit whole, as a decimal string: it may be longer than a JSON number holds everywhere.
    pub count: Exact,
    /// What those cost.
    pub spent: Exact,
    /// What is left.
    pub remainder: Exact,
    /// The instant whose prices were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// How many whole runs fit a budget after others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixAnswer {
    /// What there was to spend.
    pub budget: Exact,
    /// Code of the unit of account.
    pub unit: String,
    /// What is bought whatever else fits.
    pub first: Vec<MixPartAnswer>,
    /// What that costs together.
    pub first_total: Exact,
    /// How many fit the rest, which is its budget.
    pub then: AffordAnswer,
}

/// A fixed part of a mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixPartAnswer {
    /// Id of the model.
    pub model: String,
    /// How many runs.
    pub runs: u32,
    /// What they cost together.
    pub total: Exact,
}

/// The models that can do a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareAnswer {
    /// What one run uses, in disjoint counts.
    pub usage: Usage,
    /// How many models can do it at a known price.
    pub able: u64,
    /// The cheapest of them, cheapest first.
    pub ranked: Vec<RankedAnswer>,
    /// How many cannot, by what stands against them.
    pub unable: BTreeMap<String, u64>,
    /// Those, each with its reason; only where it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutAnswer>,
}

/// A model that can do a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedAnswer {
    /// Id of the card.
    pub card: String,
    /// Id of the model.
    pub model: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// What all runs cost, in `unit`.
    pub total: Exact,
    /// Code of the card's unit of account.
    pub unit: String,
    /// The total in US dollars; missing where that has no finite decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Exact>,
    /// How sure it is.
    pub evidence: Evidence,
}

/// A model that cannot do a job, or at no price that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutAnswer {
    /// Id of the card.
    pub card: String,
    /// Id of the model.
    pub model: String,
    /// What stands against it, in a word.
    pub reason: LeftOutKind,
    /// The same in a sentence.
    pub message: String,
}

/// An amount in another unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvertAnswer {
    /// As asked.
    pub amount: Exact,
    /// Its unit.
    pub from: String,
    /// The other unit.
    pub to: String,
    /// The amount in it.
    pub converted: Exact,
    /// Whether nothing was rounded off.
    pub exact: bool,
}

impl CardWords {
    fn new(card: &RateCard) -> Self {
        Self { id: card.id().to_owned(), name: card.name().to_owned(), date: card.date() }
    }
}

impl QuoteAnswer {
    pub(super) fn new(quote: Quote, run: &Run) -> Result<Self, Refusal> {
        let posted = quote.posted()?;
        Ok(Self {
            card: CardWords { id: quote.card_id, name: quote.card_name, date: quote.card_date },
            model: quote.model_id,
            runs: run.runs,
            usage: run.usage.clone(),
            options: run.options.clone(),
            tier: run.tier.clone(),
            total: quote.total,
            posted,
            unit: quote.unit.code,
            usd: quote.usd,
            display: quote.display.into_iter().collect(),
            lines: quote.lines.into_iter().map(LineAnswer::new).collect(),
            evidence: quote.evidence,
            note: quote.evidence_note,
            at: quote.at,
        })
    }
}

impl LineAnswer {
    fn new(line: Line) -> Self {
        let Line { meter, quantity, rate, unit, denominator, amount, rule, role } = line;
        Self { meter: meter.as_str().to_owned(), quantity, rate, unit, per: denominator, amount, rule, role }
    }
}

impl RangeAnswer {
    pub(super) fn new(card: &RateCard, range: RangeQuote, likely: &Run) -> Result<Self, Refusal> {
        let RangeQuote { low, likely: quote, high, cheapest, dearest, hold, hold_rule, points: _ } = range;
        let usd = |amount| card.to_usd(amount);
        let in_usd = || Some(RangeUsd { low: usd(low)?, likely: usd(quote.total)?, high: usd(high)?, hold: usd(hold)? });
        let hold_basis = match hold_rule {
            HoldRule::High => "high",
            HoldRule::Likely => "likely",
            HoldRule::Fixed { .. } => "fixed",
        };
        Ok(Self {
            low,
            likely: quote.total,
            high,
            hold,
            hold_basis: hold_basis.to_owned(),
            unit: card.unit().code.clone(),
            usd: in_usd(),
            cheapest: cheapest.usage,
            dearest: dearest.usage,
            quote: QuoteAnswer::new(quote, likely)?,
        })
    }
}

impl SettleAnswer {
    pub(super) fn new(settlement: Settlement, run: &Run) -> Result<Self, Refusal> {
        let Settlement { quote, held, posted, released, above_hold } = settlement;
        let unit = quote.unit.code.clone();
        Ok(Self { held, posted, released, above_hold, unit, quote: QuoteAnswer::new(quote, run)? })
    }
}

impl AffordAnswer {
    pub(super) fn new(card: &RateCard, afford: Afford, run: &Run, terms: &Terms) -> Self {
        Self {
            card: CardWords::new(card),
            model: afford.model_id,
            runs: run.runs,
            usage: run.usage.clone(),
            options: run.options.clone(),
            budget: afford.budget,
            unit: afford.unit.code,
            per_run: afford.per_run,
            count: Exact::new(afford.count, 0),
            spent: afford.spent,
            remainder: afford.remainder,
            at: terms.at,
        }
    }
}

impl MixAnswer {
    pub(super) fn new(card: &RateCard, mix: Mix, then: &Run, terms: &Terms) -> Self {
        let part = |part: crate::MixPart| MixPartAnswer { model: part.model_id, runs: part.runs, total: part.total };
        Self {
            budget: mix.budget,
            unit: card.unit().code.clone(),
            first: mix.fixed.into_iter().map(part).collect(),
            first_total: mix.fixed_total,
            then: AffordAnswer::new(card, mix.then, then, terms),
        }
    }
}

impl CompareAnswer {
    pub(super) fn new(comparison: &Comparison<'_>, job: &Job, top: u32, with_left_out: bool) -> Self {
        let mut unable: BTreeMap<String, u64> = BTreeMap::new();
        for out in &comparison.left_out {
            let count = unable.entry(out.reason.kind().as_str().to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        let ranked = comparison.ranked.iter().take(usize::try_from(top).unwrap_or(usize::MAX)).map(|c| RankedAnswer {
            card: c.card.id().to_owned(),
            model: c.model.id.clone(),
            name: c.model.name.clone(),
            kind: c.model.kind,
            total: c.total,
            unit: c.card.unit().code.clone(),
            usd: c.usd(),
            evidence: c.evidence,
        });
        let left_out = comparison.left_out.iter().filter(|_| with_left_out).map(|out| LeftOutAnswer {
            card: out.card.id().to_owned(),
            model: out.model.id.clone(),
            reason: out.reason.kind(),
            message: out.reason.to_string(),
        });
        let able = u64::try_from(comparison.ranked.len()).unwrap_or(u64::MAX);
        Self { usage: job.usage.clone(), able, ranked: ranked.collect(), unable, left_out: left_out.collect() }
    }
}
