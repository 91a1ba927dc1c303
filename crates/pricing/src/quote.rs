//! From a run to its exact cost and the reasons for it.

use crate::{
    COUNT_MAX, Denominator, Evidence, Kind, LineMeter, Meter, Model, ParameterName, Parameters, Posting, RUNS_MAX, Rate, RateCard,
    RateUnit, Run, Unit, run::grouped, video,
};
use aispace_units::{CreditAmount, CreditOwner, NanoCredits, UnitError, Usd, exact, round};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// Why a run was not priced. A price that is not known is never 0 and never guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// The card has no such model.
    #[error("no model {model_id:?}; nearest: {}", nearest.join(", "))]
    UnknownModel {
        /// As asked for.
        model_id: String,
        /// Up to three ids, nearest first.
        nearest: Vec<String>,
    },
    /// A run of another kind of work than the model does.
    #[error("{model_id} is a model for {expected}, not for {given}")]
    WrongKind {
        /// The model.
        model_id: String,
        /// What it does.
        expected: Kind,
        /// What the run is.
        given: Kind,
    },
    /// A clip that the model cannot make.
    #[error("{model_id}: {parameter} cannot be {given}; allowed: {}", if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") })]
    Impossible {
        /// The model.
        model_id: String,
        /// Which parameter.
        parameter: ParameterName,
        /// As asked for.
        given: String,
        /// What it may be, in the model's order; empty where it cannot be chosen.
        allowed: Vec<String>,
    },
    /// A count out of its range.
    #[error("{what} must be {least} to {}, not {given}", grouped(&most.to_string()))]
    Count {
        /// What is counted, as fields are named.
        what: &'static str,
        /// As asked for.
        given: u64,
        /// Fewest.
        least: u64,
        /// Most.
        most: u64,
    },
    /// The model may do it, but what it costs is not known.
    #[error("no price is known for {model_id} at {combination}")]
    NoPrice {
        /// The model.
        model_id: String,
        /// For people: the clip or the meter.
        combination: String,
    },
    /// The exact cost does not fit 28 digits.
    #[error("the cost cannot be held exactly: {0}")]
    NotExact(#[from] UnitError),
}

/// What a run costs, exactly, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// Exact cost of all runs: the sum of the lines of [`LineRole::Charge`], times the runs.
    pub total: CreditAmount,
    /// The same in dollars.
    pub usd: Usd,
    /// Why, in the order it was worked out.
    pub lines: Vec<Line>,
    /// How sure it is.
    pub evidence: Evidence,
    /// For people: what it rests on.
    pub evidence_note: String,
    /// Name of the card.
    pub card_name: String,
    /// Its date.
    pub card_date: NaiveDate,
    #[serde(skip)]
    posting: Posting,
}

impl Quote {
    /// The cost as the ledger posts it: rounded once, by the card's named rule.
    ///
    /// # Errors
    /// [`UnitError::OwnerMismatch`] for credits that the ledger does not hold, [`UnitError::OutOfRange`] above its range.
    pub fn posted(&self) -> Result<NanoCredits, UnitError> {
        if self.total.owner() != CreditOwner::AiSpace {
            return Err(UnitError::OwnerMismatch { left: self.total.owner().name(), right: CreditOwner::AiSpace.name() });
        }
        NanoCredits::from_decimal(round(self.total.credits(), self.posting.decimals, self.posting.rule))
    }
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about.
    pub meter: LineMeter,
    /// How many.
    #[serde(serialize_with = "text")]
    pub quantity: Decimal,
    /// The rate, in `unit` per `denominator`.
    #[serde(serialize_with = "text")]
    pub rate: Decimal,
    /// What rate and amount are in.
    pub unit: Unit,
    /// Per how many.
    pub denominator: Denominator,
    /// What it comes to.
    #[serde(serialize_with = "text")]
    pub amount: Decimal,
    /// For people: what chose the rate.
    pub rule: String,
    /// How it enters the total.
    pub role: LineRole,
}

fn text<S: Serializer>(number: &Decimal, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(number)
}

/// How a line enters the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineRole {
    /// Part of one run's cost, in credits.
    Charge,
    /// A step towards a charge; counted there.
    Step,
    /// One run's cost times the runs: the total.
    Runs,
}

/// One run, worked out.
pub(crate) struct Worked {
    pub(crate) lines: Vec<Line>,
    pub(crate) evidence: Evidence,
    pub(crate) evidence_note: String,
}

/// Prices a run by a card, exactly.
///
/// # Errors
/// Any [`QuoteError`].
pub fn quote(card: &RateCard, run: &Run) -> Result<Quote, QuoteError> {
    let model = card.model(&run.model_id)?;
    let given = run.parameters.kind();
    if given != model.kind() {
        return Err(QuoteError::WrongKind { model_id: model.id().to_owned(), expected: model.kind(), given });
    }
    if !(1..=RUNS_MAX).contains(&run.runs) {
        return Err(QuoteError::Count { what: "runs", given: u64::from(run.runs), least: 1, most: u64::from(RUNS_MAX) });
    }
    let mut worked = work_out(card, model, &run.parameters)?;
    let mut per_run = Decimal::ZERO;
    for line in worked.lines.iter().filter(|line| line.role == LineRole::Charge) {
        per_run = exact::add(per_run, line.amount)?;
    }
    let total = exact::mul(per_run, Decimal::from(run.runs))?;
    if run.runs > 1 {
        worked.lines.push(runs_line(card.owner(), run.runs, per_run, total));
    }
    let total = CreditAmount::new(card.owner(), total)?;
    Ok(Quote {
        total,
        usd: total.to_usd()?,
        lines: worked.lines,
        evidence: worked.evidence,
        evidence_note: worked.evidence_note,
        card_name: card.name().to_owned(),
        card_date: card.date(),
        posting: card.posting(),
    })
}

fn runs_line(owner: CreditOwner, runs: u32, per_run: Decimal, total: Decimal) -> Line {
    Line {
        meter: LineMeter::Runs,
        quantity: Decimal::from(runs),
        rate: per_run,
        unit: Unit::Credits(owner),
        denominator: Denominator::One,
        amount: total,
        rule: "each run costs the same".to_owned(),
        role: LineRole::Runs,
    }
}

fn work_out(card: &RateCard, model: &Model, parameters: &Parameters) -> Result<Worked, QuoteError> {
    let lines = match parameters {
        Parameters::Video { seconds, resolution, audio } => {
            return video::work_out(card, model, &video::Clip::new(model, *seconds, resolution.as_deref(), *audio)?);
        }
        Parameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => {
            let mut lines = own_lines(card, model, Meter::InputTokens, *input_tokens)?;
            lines.extend(own_lines(card, model, Meter::OutputTokens, *output_tokens)?);
            lines.extend(add_on_lines(card, model, Meter::WebSearches, *web_searches)?);
            lines.extend(add_on_lines(card, model, Meter::WebScrapes, *web_scrapes)?);
            lines
        }
        Parameters::Image { images } => own_lines(card, model, Meter::Images, *images)?,
        Parameters::Audio { characters } => own_lines(card, model, Meter::Characters, *characters)?,
        Parameters::Embedding { input_tokens } => own_lines(card, model, Meter::InputTokens, *input_tokens)?,
        Parameters::Search { calls } => own_lines(card, model, search_meter(model), *calls)?,
    };
    Ok(Worked { lines, evidence: Evidence::RateCard, evidence_note: format!("Printed in the rate card of {}.", card.date()) })
}

/// A search model has one rate; which of the two it does is that rate's meter.
fn search_meter(model: &Model) -> Meter {
    let scrapes = model.rates().iter().any(|r| r.meter == Meter::WebScrapes);
    if scrapes { Meter::WebScrapes } else { Meter::WebSearches }
}

fn own_lines(card: &RateCard, model: &Model, meter: Meter, count: u64) -> Result<Vec<Line>, QuoteError> {
    let count = counted(meter, count)?;
    let rate = model.rates().iter().rev().find(|r| r.meter == meter && r.when.is_none()).ok_or_else(|| no_rate(model, meter))?;
    charge(card, rate, count, format!("{}, {}", model.name(), per_words(rate.per)))
}

fn add_on_lines(card: &RateCard, model: &Model, meter: Meter, count: u64) -> Result<Vec<Line>, QuoteError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let count = counted(meter, count)?;
    let (rates_of, rate) = card.add_on(model, meter).ok_or_else(|| no_rate(model, meter))?;
    charge(card, rate, count, format!("{}, {}", rates_of.name(), per_words(rate.per)))
}

fn counted(meter: Meter, count: u64) -> Result<Decimal, QuoteError> {
    if count > COUNT_MAX {
        return Err(QuoteError::Count { what: meter.as_str(), given: count, least: 0, most: COUNT_MAX });
    }
    Ok(Decimal::from(count))
}

fn no_rate(model: &Model, meter: Meter) -> QuoteError {
    QuoteError::NoPrice { model_id: model.id().to_owned(), combination: meter.as_str().to_owned() }
}

fn per_words(per: Denominator) -> String {
    match per {
        Denominator::One => "each".to_owned(),
        Denominator::Thousand | Denominator::TenThousand | Denominator::Million => format!("per {}", grouped(&per.count().to_string())),
    }
}

/// The lines of one meter: the count times the rate and, for a rate in dollars, its way into credits.
pub(crate) fn charge(card: &RateCard, rate: &Rate, quantity: Decimal, rule: String) -> Result<Vec<Line>, QuoteError> {
    let amount = exact::shift_right(exact::mul(quantity, rate.amount.get())?, rate.per.places())?;
    let (unit, role) = match rate.unit {
        RateUnit::Credits => (Unit::Credits(card.owner()), LineRole::Charge),
        RateUnit::Usd => (Unit::Usd, LineRole::Step),
    };
    let metered =
        Line { meter: LineMeter::Metered(rate.meter), quantity, rate: rate.amount.get(), unit, denominator: rate.per, amount, rule, role };
    let mut lines = vec![metered];
    if rate.unit == RateUnit::Usd {
        let mut usd = amount;
        if let Some(rounding) = card.rounding_of(rate.meter) {
            usd = round(amount, 2, rounding).normalize();
            lines.push(Line {
                meter: LineMeter::ToCents,
                quantity: amount,
                rate: Decimal::ONE,
                unit: Unit::Usd,
                denominator: Denominator::One,
                amount: usd,
                rule: rounding_words(rounding).to_owned(),
                role: LineRole::Step,
            });
        }
        lines.push(to_credits(card.owner(), usd)?);
    }
    Ok(lines)
}

fn to_credits(owner: CreditOwner, usd: Decimal) -> Result<Line, QuoteError> {
    let rate = owner.credits_per_usd();
    Ok(Line {
        meter: LineMeter::ToCredits,
        quantity: usd,
        rate,
        unit: Unit::Credits(owner),
        denominator: Denominator::One,
        amount: exact::mul(usd, rate)?,
        rule: format!("{} {} credits for 1 USD", grouped(&rate.normalize().to_string()), owner.name()),
        role: LineRole::Charge,
    })
}

fn rounding_words(rule: aispace_units::Rounding) -> &'static str {
    match rule {
        aispace_units::Rounding::Down => "to whole cents, down",
        aispace_units::Rounding::Up => "to whole cents, up",
        aispace_units::Rounding::HalfUp => "to whole cents, half up",
        aispace_units::Rounding::HalfEven => "to whole cents, half to even",
    }
}
