//! From what was metered to an amount of AiSpace credits and the reasons for it.

use super::shelf::{Shelf, Version};
use super::{MeteringError, memo};
use aispace_api::{
    CostRange, EXPLANATION_FORMAT, Explained, Explanation, ExplanationLine, LineRole, MeteredRun, PostingRule, RunDescription,
};
use aispace_pricing::request::{Code, Placed, Refusal, RunRequest};
use aispace_pricing::{COUNT_MAX, Currency, HoldRule, Line, Meter, Model, Quote, Run, Terms, convert, quote, quote_range};
use aispace_units::{Exact, NanoCredits};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Meters of which a failed one may be logged: each counts calls of something, and only successful ones are charged.
const FAILING: [Meter; 7] =
    [Meter::Requests, Meter::Calls, Meter::ToolCalls, Meter::WebSearches, Meter::WebScrapes, Meter::Images, Meter::Generations];

/// A priced run, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Priced {
    /// What the entry charges or holds.
    pub(crate) amount: NanoCredits,
    /// What the entry keeps about the run, the explanation in it.
    pub(crate) memo: String,
}

/// Prices a run that was made.
///
/// # Errors
/// Any [`MeteringError`].
pub(crate) fn charge(shelf: &Shelf, metered: &MeteredRun, now: DateTime<Utc>) -> Result<Priced, MeteringError> {
    let ready = Ready::new(shelf, metered, now)?;
    let run = ready.request.run(ready.model()?)?;
    let quote = quote(&ready.placed.card, &run, &ready.terms).map_err(Refusal::from)?;
    let posted = quote.posted().map_err(Refusal::from)?;
    ready.priced(Explained::Charge, &run, quote, posted, None)
}

/// Prices what is held for a run that is yet to be made; its counts may be known within bounds only.
///
/// # Errors
/// Any [`MeteringError`].
pub(crate) fn hold(shelf: &Shelf, metered: &MeteredRun, now: DateTime<Utc>) -> Result<Priced, MeteringError> {
    if !metered.failed.is_empty() {
        return Err(bad("failed is said when the run is over, not before"));
    }
    let ready = Ready::new(shelf, metered, now)?;
    let estimate = ready.request.estimate(ready.model()?)?;
    let range = quote_range(&ready.placed.card, &estimate, &ready.terms).map_err(Refusal::from)?;
    let hold_basis = match range.hold_rule {
        HoldRule::High => "high",
        HoldRule::Likely => "likely",
        HoldRule::Fixed { .. } => "fixed",
    };
    let bounds = CostRange { low: range.low, high: range.high, hold_basis: hold_basis.to_owned() };
    ready.priced(Explained::Hold, estimate.run(), range.likely, range.hold, Some(bounds))
}

fn bad(reason: impl ToString) -> MeteringError {
    MeteringError::BadRequest { reason: reason.to_string() }
}

/// A run with its card and terms: all that a price follows from.
struct Ready<'a> {
    metered: &'a MeteredRun,
    version: &'a Version,
    request: RunRequest,
    placed: Placed<'a>,
    terms: Terms,
    at: DateTime<Utc>,
}

impl<'a> Ready<'a> {
    fn new(shelf: &'a Shelf, metered: &'a MeteredRun, now: DateTime<Utc>) -> Result<Self, MeteringError> {
        let at = metered.at.unwrap_or(now);
        let version = shelf.version(&metered.card, metered.version.as_deref(), at)?;
        let request = request(metered)?;
        let terms = request.terms(now)?;
        let placed = request.place(&version.cards)?;
        Ok(Self { metered, version, placed, terms, request, at })
    }

    fn model(&self) -> Result<&Model, Refusal> {
        self.placed.model()
    }

    fn priced(&self, of: Explained, run: &Run, quote: Quote, posted: Exact, range: Option<CostRange>) -> Result<Priced, MeteringError> {
        let amount = in_credits(posted, &quote.unit)?;
        let description = self.describe(run, &quote)?;
        let failed = self.metered.failed.iter().map(|(meter, count)| failed_line(meter, *count, &quote.unit));
        let charged = quote.lines.iter().filter_map(line);
        let lines = charged.chain(failed).collect();
        let explanation = Explanation {
            format: EXPLANATION_FORMAT,
            of,
            metered: self.metered.clone(),
            card: self.version.name.clone(),
            priced_at: self.at,
            lines,
            total: quote.total,
            unit: quote.unit.code,
            posted,
            rounding: PostingRule {
                rule: quote.posting.rule,
                decimals: quote.posting.decimals,
                step: quote.posting.step,
                minimum: quote.posting.minimum,
            },
            credits: amount,
            range,
            evidence: quote.evidence.as_str().to_owned(),
            note: quote.evidence_note,
        };
        Ok(Priced { amount, memo: memo::write(&description, &explanation)? })
    }

    fn describe(&self, run: &Run, quote: &Quote) -> Result<RunDescription, Refusal> {
        let model = self.model()?;
        let mut meters: BTreeMap<String, String> = run.meters();
        meters.extend(self.metered.failed.iter().map(|(meter, count)| (format!("failed_{meter}"), count.to_string())));
        Ok(RunDescription {
            model_id: model.id.clone(),
            model_name: model.name.clone(),
            kind: model.kind.as_str().to_owned(),
            meters,
            rule: quote.lines.first().map(|line| line.rule.clone()),
        })
    }
}

/// The run as the pricing engine is asked about it.
fn request(metered: &MeteredRun) -> Result<RunRequest, MeteringError> {
    for (name, count) in &metered.failed {
        let known = name.parse::<Meter>().is_ok_and(|meter| FAILING.contains(&meter));
        if !known {
            let allowed = FAILING.map(Meter::as_str).join(", ");
            return Err(bad(format!("failed counts calls, and {name:?} is none; allowed: {allowed}")));
        }
        if *count > COUNT_MAX {
            return Err(Refusal::new(Code::Count, format!("failed {name} must be 0 to {COUNT_MAX}, not {count}")).into());
        }
    }
    // A run that counts nothing would be the model's base run, which nobody made.
    if metered.says_nothing() && metered.failed.is_empty() {
        return Err(bad("say what was used: counts by meter in usage, or a report of tokens; usage {} for nothing"));
    }
    serde_json::from_value(metered.run_fields()).map_err(bad)
}

/// An amount of a card's unit of account in the unit of this ledger; a cost is rounded by its card, and never again here.
fn in_credits(posted: Exact, unit: &Currency) -> Result<NanoCredits, MeteringError> {
    let refused = |reason: String| MeteringError::NotInCredits { posted, unit: unit.code.clone(), reason };
    let [credits, ..] = Currency::built_in();
    let converted = convert(posted, unit, &credits, None).map_err(|error| refused(error.to_string()))?;
    let decimal = converted.amount.to_decimal().map_err(|error| refused(error.to_string()))?;
    NanoCredits::from_decimal(decimal).map_err(|error| refused(error.to_string()))
}

/// A step as it is kept; the total in further currencies follows from it and is not.
fn line(line: &Line) -> Option<ExplanationLine> {
    use aispace_pricing::LineRole as Role;
    let role = match line.role {
        Role::Charge => LineRole::Charge,
        Role::Step => LineRole::Step,
        Role::Factor => LineRole::Factor,
        Role::Runs => LineRole::Runs,
        Role::Display => return None,
    };
    Some(ExplanationLine {
        meter: line.meter.as_str().to_owned(),
        quantity: line.quantity,
        rate: line.rate,
        unit: line.unit.clone(),
        per: line.denominator.to_string(),
        amount: line.amount,
        rule: line.rule.clone(),
        role,
    })
}

fn failed_line(meter: &str, count: u64, unit: &Currency) -> ExplanationLine {
    ExplanationLine {
        meter: meter.to_owned(),
        quantity: Exact::from(count),
        rate: Exact::ZERO,
        unit: if unit.code == "usd" { "usd" } else { "credits" }.to_owned(),
        per: "1".to_owned(),
        amount: Exact::ZERO,
        rule: "failed, not charged".to_owned(),
        role: LineRole::NotCharged,
    }
}
