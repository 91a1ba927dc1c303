//! From a run to its exact cost and the reasons for it.

use crate::{
    COUNT_MAX, Currency, Denominator, Evidence, Factor, Meter, Model, ModelRef, Posting, RUNS_MAX, RateCard, RateUnit, Run, Stack, Terms,
    UsageError, explain, live::LiveClip, words::grouped,
};
use aispace_units::{Exact, NanoCredits, UnitError};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// Why a run was not priced. A price that is not known is never 0 and never guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// The card has no such model.
    #[error("no model {model_id:?}; nearest: {}", list(nearest))]
    UnknownModel {
        /// As asked for.
        model_id: String,
        /// Up to three ids, nearest first.
        nearest: Vec<String>,
    },
    /// The name is that of several models.
    #[error("{model_id:?} may be any of {}", list(candidates))]
    AmbiguousModel {
        /// As asked for.
        model_id: String,
        /// Their ids, in the card's order.
        candidates: Vec<String>,
    },
    /// A choice that the model does not offer.
    #[error("{model_id}: {parameter} cannot be {given}; allowed: {}", list(allowed))]
    Impossible {
        /// The model.
        model_id: String,
        /// Which choice: `seconds`, `resolution`, `audio`, an option, `tier`, `channel`, `user`, a field.
        parameter: String,
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
    /// Counts that cannot be.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The model is not priced by this meter at all.
    #[error("{model_id} has no price for {meter}; it is priced by {}", list(priced))]
    NoRate {
        /// The model.
        model_id: String,
        /// What was used.
        meter: Meter,
        /// What it has prices for.
        priced: Vec<Meter>,
    },
    /// The model may do it, but what it costs then is not known.
    #[error("no price is known for {model_id} at {combination}")]
    NoPrice {
        /// The model.
        model_id: String,
        /// For people: the clip or the meter.
        combination: String,
    },
    /// The price depends on when the run is made, which was not said.
    #[error("the price of {model_id} depends on the time of the run, which is not given")]
    InstantNeeded {
        /// The model.
        model_id: String,
    },
    /// The exact cost does not fit 38 digits.
    #[error("the cost cannot be held exactly: {0}")]
    NotExact(#[from] UnitError),
}

fn list<T: ToString>(items: &[T]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") }
}

/// What a run costs, exactly, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Id of the model in the card.
    pub model_id: String,
    /// Exact cost of all runs in the unit of account: the lines of [`LineRole::Charge`], times every factor, times the runs.
    pub total: Exact,
    /// The unit of account.
    pub unit: Currency,
    /// The same in US dollars; none where that has no finite decimals.
    pub usd: Option<Exact>,
    /// The same in the card's further currencies, by code; only where exact.
    pub display: Vec<(String, Exact)>,
    /// Why, in the order it was worked out.
    pub lines: Vec<Line>,
    /// How sure it is.
    pub evidence: Evidence,
    /// For people: what it rests on.
    pub evidence_note: String,
    /// Id of the card.
    pub card_id: String,
    /// Name of the card.
    pub card_name: String,
    /// Its date.
    pub card_date: NaiveDate,
    /// The instant whose prices were taken.
    pub at: Option<DateTime<Utc>>,
    /// How it is rounded when it is posted.
    pub posting: Posting,
}

impl Quote {
    /// The cost as it is posted, in the unit of account: rounded once, by the card's named rule.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 38 digits.
    pub fn posted(&self) -> Result<Exact, UnitError> {
        self.posting.round(self.total)
    }

    /// The cost as the ledger of AiSpace credits posts it.
    ///
    /// # Errors
    /// [`UnitError::OwnerMismatch`] for another unit of account, [`UnitError::OutOfRange`] above the ledger's range.
    pub fn posted_credits(&self) -> Result<NanoCredits, UnitError> {
        if self.unit.code != "aispace" {
            return Err(UnitError::OwnerMismatch { left: "another system", right: "AiSpace" });
        }
        NanoCredits::from_decimal(self.posted()?.to_decimal()?)
    }
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about.
    pub meter: LineMeter,
    /// How many.
    pub quantity: Exact,
    /// The rate, in `unit` per `denominator`; of a factor, the factor.
    pub rate: Exact,
    /// What rate and amount are in: `credits` (the unit of account), `usd`, or a further currency's code.
    pub unit: String,
    /// Per how many.
    pub denominator: Denominator,
    /// What it comes to.
    pub amount: Exact,
    /// For people: what chose the rate.
    pub rule: String,
    /// How it enters the total.
    pub role: LineRole,
}

/// What a line of an explanation is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LineMeter {
    /// A count times a rate.
    Metered(Meter),
    /// A charge beside the meters.
    Extra(String),
    /// Dollars rounded to whole cents.
    ToCents,
    /// An amount rounded otherwise.
    Rounded,
    /// Dollars turned into the unit of account.
    ToCredits,
    /// A factor on the whole.
    Factor(crate::FactorKind),
    /// One run's cost times the runs.
    Runs,
    /// The total in a further currency.
    Display,
}

impl LineMeter {
    /// The word that views use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Metered(meter) => meter.as_str(),
            Self::Extra(_) => "extra",
            Self::ToCents => "to_cents",
            Self::Rounded => "rounded",
            Self::ToCredits => "to_credits",
            Self::Factor(kind) => kind.as_str(),
            Self::Runs => "runs",
            Self::Display => "display",
        }
    }
}

impl Serialize for LineMeter {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

crate::words::words! {
    /// How a line enters the total.
    LineRole {
        /// Part of one run's cost before factors, in the unit of account.
        Charge = "charge",
        /// A step towards a charge; counted there.
        Step = "step",
        /// A factor: its amount is one run's cost so far.
        Factor = "factor",
        /// One run's cost times the runs: the total.
        Runs = "runs",
        /// The total in another currency.
        Display = "display",
    }
}

/// Prices a run by a card, exactly, with the reasons.
///
/// # Errors
/// Any [`QuoteError`].
pub fn quote(card: &RateCard, run: &Run, terms: &Terms) -> Result<Quote, QuoteError> {
    quote_by(card, run, terms, None)
}

/// The same, a clip at what it was quoted at where it was.
pub(crate) fn quote_by(card: &RateCard, run: &Run, terms: &Terms, live: Option<&LiveClip>) -> Result<Quote, QuoteError> {
    let found = card.resolve(&run.model_id)?;
    let model = card.model(&run.model_id)?;
    card.check_run(found, run)?;
    let stack = card.stack(model, run, terms)?;
    let explained = explain::explain(card, found, model, run, terms, live)?;
    let mut lines = explained.lines;
    let mut total = Exact::ZERO;
    for line in lines.iter().filter(|line| line.role == LineRole::Charge) {
        total = total.add(line.amount)?;
    }
    for factor in stack.factors {
        total = total.mul(factor.factor)?;
        lines.push(factor_line(card, factor, total));
    }
    if run.runs > 1 {
        let per_run = total;
        total = total.mul(run.runs.into())?;
        lines.push(runs_line(card, run.runs, per_run, total));
    }
    let usd = card.to_usd(total);
    let display = displayed(card, usd);
    lines.extend(display.iter().zip(usd.iter().cycle()).map(|((code, amount), usd)| display_line(card, code, *usd, *amount)));
    Ok(Quote {
        model_id: model.id.clone(),
        total,
        unit: card.unit().clone(),
        usd,
        display,
        lines,
        evidence: explained.evidence,
        evidence_note: explained.evidence_note,
        card_id: card.id().to_owned(),
        card_name: card.name().to_owned(),
        card_date: card.date(),
        at: terms.at,
        posting: card.posting(),
    })
}

/// The exact cost of all runs in the unit of account, without the words: what [`quote`] answers as its total.
///
/// # Errors
/// Any [`QuoteError`].
pub fn total(card: &RateCard, run: &Run, terms: &Terms) -> Result<Exact, QuoteError> {
    let found = card.resolve(&run.model_id)?;
    let model = card.model(&run.model_id)?;
    card.check_run(found, run)?;
    total_of(card, found, run, terms, &card.stack(model, run, terms)?, &mut crate::Bill::new())
}

/// The cost of all runs, where run and factors are known to be possible.
pub(crate) fn total_of(
    card: &RateCard,
    found: ModelRef,
    run: &Run,
    terms: &Terms,
    stack: &Stack,
    bill: &mut crate::Bill,
) -> Result<Exact, QuoteError> {
    card.bill_run(found, run, terms, bill)?;
    let base = run.extras.iter().try_fold(bill.total(), |sum, extra| sum.add(extra.amount))?;
    // Factor by factor, as a quote has its lines, so that both refuse the same.
    let cost = stack.factors.iter().try_fold(base, |cost, factor| cost.mul(factor.factor))?;
    Ok(cost.mul(run.runs.into())?)
}

impl RateCard {
    /// The exact cost of all runs in the unit of account, as [`total`] answers it, for whoever prices again and again: the model is found
    /// and the factors are chosen ([`RateCard::stack`] of the same run and terms), the bill is used anew. Nothing is allocated unless the
    /// run is refused.
    ///
    /// ```
    /// use aispace_pricing::{Bill, RateCard, Run, Terms};
    /// let card = RateCard::aispace()?;
    /// let (run, terms) = (Run::chat("qwen3-4b", 500, 200), Terms::default());
    /// let found = card.resolve(&run.model_id)?;
    /// let stack = card.stack(card.model(&run.model_id)?, &run, &terms)?;
    /// assert_eq!(card.total_with(found, &run, &terms, &stack, &mut Bill::new())?.to_string(), "0.55");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Any [`QuoteError`] but those of a model that is not found.
    pub fn total_with(
        &self,
        found: ModelRef,
        run: &Run,
        terms: &Terms,
        stack: &Stack,
        bill: &mut crate::Bill,
    ) -> Result<Exact, QuoteError> {
        self.check_run(found, run)?;
        total_of(self, found, run, terms, stack, bill)
    }

    /// Whether a run is one that the model offers: its counts, options and tier.
    ///
    /// # Errors
    /// [`QuoteError::Count`], [`QuoteError::Usage`] or [`QuoteError::Impossible`].
    pub fn check_run(&self, found: ModelRef, run: &Run) -> Result<(), QuoteError> {
        if !(1..=RUNS_MAX).contains(&run.runs) {
            return Err(QuoteError::Count { what: "runs", given: run.runs.into(), least: 1, most: RUNS_MAX.into() });
        }
        if let Some((meter, given)) = run.usage.iter().find(|(_, count)| *count > COUNT_MAX) {
            return Err(QuoteError::Count { what: meter.as_str(), given, least: 0, most: COUNT_MAX });
        }
        match self.get(found) {
            Some(model) => check_choices(model, run),
            None => Err(QuoteError::UnknownModel { model_id: run.model_id.clone(), nearest: Vec::new() }),
        }
    }
}

fn check_choices(model: &Model, run: &Run) -> Result<(), QuoteError> {
    let impossible = |parameter: &str, given: &str, allowed: Vec<String>| QuoteError::Impossible {
        model_id: model.id.clone(),
        parameter: parameter.to_owned(),
        given: given.to_owned(),
        allowed,
    };
    for (name, value) in &run.options {
        // What a clip may be is checked where it is priced.
        if model.video.is_some() && (name == crate::RESOLUTION || name == crate::AUDIO) {
            continue;
        }
        let allowed = model.options.get(name).map(|o| o.allowed.as_slice()).unwrap_or_default();
        if !allowed.contains(value) {
            return Err(impossible(name, value, allowed.to_vec()));
        }
    }
    if let Some(rules) = model.video.as_ref().filter(|_| run.usage.get(Meter::VideoSeconds) == 0) {
        return Err(impossible("seconds", "0", rules.seconds.iter().map(u32::to_string).collect()));
    }
    if let Some(tier) = run.tier.as_deref().filter(|t| !matches!(*t, "default" | "standard" | "auto")) {
        let tiers = || model.rates.iter().filter_map(|r| r.when.as_ref()?.tier.as_deref());
        if !tiers().any(|known| known == tier) {
            let allowed: BTreeSet<&str> = tiers().collect();
            return Err(impossible("tier", tier, allowed.into_iter().map(str::to_owned).collect()));
        }
    }
    Ok(())
}

/// The word for a rate's unit in a line.
pub(crate) fn unit_word(card: &RateCard, unit: RateUnit) -> String {
    let word = if card.unit().is_usd() { RateUnit::Usd } else { unit };
    word.as_str().to_owned()
}

fn factor_line(card: &RateCard, factor: Factor, amount: Exact) -> Line {
    Line {
        meter: LineMeter::Factor(factor.kind),
        quantity: Exact::ONE,
        rate: factor.factor,
        unit: unit_word(card, RateUnit::Credits),
        denominator: Denominator::ONE,
        amount,
        rule: format!("{}: {}", factor.name, factor.value),
        role: LineRole::Factor,
    }
}

fn runs_line(card: &RateCard, runs: u32, per_run: Exact, total: Exact) -> Line {
    Line {
        meter: LineMeter::Runs,
        quantity: runs.into(),
        rate: per_run,
        unit: unit_word(card, RateUnit::Credits),
        denominator: Denominator::ONE,
        amount: total,
        rule: "each run costs the same".to_owned(),
        role: LineRole::Runs,
    }
}

fn display_line(card: &RateCard, code: &str, usd: Exact, amount: Exact) -> Line {
    let rate = card.file().display.iter().find(|c| c.code == code).map_or(Exact::ONE, |c| c.per_usd);
    Line {
        meter: LineMeter::Display,
        quantity: usd,
        rate,
        unit: code.to_owned(),
        denominator: Denominator::ONE,
        amount,
        rule: format!("{rate} {code} for 1 USD"),
        role: LineRole::Display,
    }
}

fn displayed(card: &RateCard, usd: Option<Exact>) -> Vec<(String, Exact)> {
    let Some(usd) = usd else { return Vec::new() };
    card.file().display.iter().filter_map(|c| Some((c.code.clone(), usd.mul(c.per_usd).ok()?))).collect()
}
