//! The cheapest model that can do a job: totals of every model of one or several cards, ranked; words only for those that are asked about.

use crate::{
    Bill, Capability, Evidence, Kind, Meter, Model, ModelRef, Quote, QuoteError, RUNS_MAX, RateCard, Run, Terms, Usage, compare_worth,
    quote,
    quote::total_of,
    video,
    words::{grouped, words},
};
use aispace_units::Exact;
use chrono::NaiveDate;
use std::{cmp::Ordering, collections::BTreeMap};

/// Why a job was not compared at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A job that uses nothing costs nothing anywhere.
    #[error("a job that uses nothing cannot be compared")]
    Nothing,
    /// A count out of its range.
    #[error("{what} must be {least} to {}, not {given}", grouped(&most.to_string()))]
    Count {
        /// What is counted.
        what: &'static str,
        /// As asked for.
        given: u64,
        /// Fewest.
        least: u64,
        /// Most.
        most: u64,
    },
}

/// What is to be done, by whichever model does it cheapest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Only models of this kind are looked at.
    pub kind: Option<Kind>,
    /// Only models whose id, alias or name holds this, in any case, are looked at.
    pub name: Option<String>,
    /// What the model must be known to do. A count does not ask for any: a model without a rate for sound charges its tokens as text.
    pub capabilities: Vec<Capability>,
    /// What one run uses.
    pub usage: Usage,
    /// What it chooses: `resolution`, `audio`, `quality` …
    pub options: BTreeMap<String, String>,
    /// The service tier it asks for.
    pub tier: Option<String>,
    /// Fields of the request that a factor may follow from.
    pub fields: BTreeMap<String, String>,
    /// How many such runs.
    pub runs: u32,
}

impl Job {
    /// One run by any model, with nothing chosen.
    #[must_use]
    pub fn new(usage: Usage) -> Self {
        let (options, fields) = (BTreeMap::new(), BTreeMap::new());
        Self { kind: None, name: None, capabilities: Vec::new(), usage, options, tier: None, fields, runs: 1 }
    }

    /// The job as a run of a model.
    #[must_use]
    pub fn run(&self, model_id: impl Into<String>) -> Run {
        let Self { usage, options, tier, fields, runs, .. } = self.clone();
        Run { model_id: model_id.into(), usage, options, tier, fields, extras: Vec::new(), runs }
    }

    /// Tokens answered, of every part.
    fn answer_tokens(&self) -> u64 {
        let answered = |m: Meter| m == Meter::OutputTokens || m.parent() == Some(Meter::OutputTokens);
        self.usage.iter().filter(|(meter, _)| answered(*meter)).fold(0, |sum, (_, count)| sum.saturating_add(count))
    }
}

/// A model that can do the job, and what that costs.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its card.
    pub card: &'a RateCard,
    /// The model.
    pub model: &'a Model,
    /// What all runs cost, exactly, in the card's unit of account.
    pub total: Exact,
    /// How sure that is.
    pub evidence: Evidence,
}

impl Candidate<'_> {
    /// The total in US dollars; none where that has no finite decimals.
    #[must_use]
    pub fn usd(&self) -> Option<Exact> {
        self.card.to_usd(self.total)
    }

    /// The reasons.
    ///
    /// # Errors
    /// None for the job and the terms that it was ranked for; else any [`QuoteError`].
    pub fn quote(&self, job: &Job, terms: &Terms) -> Result<Quote, QuoteError> {
        quote(self.card, &job.run(self.model.id.clone()), terms)
    }
}

/// A model that was looked at and cannot do the job, or at no price that is known.
#[derive(Debug, Clone)]
pub struct LeftOut<'a> {
    /// Its card.
    pub card: &'a RateCard,
    /// The model.
    pub model: &'a Model,
    /// What stands against it.
    pub reason: LeftOutReason,
}

/// Why a model was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOutReason {
    /// Its provider took it away.
    #[error("retired on {on}")]
    Retired {
        /// The day.
        on: NaiveDate,
    },
    /// Its provider had not brought it yet.
    #[error("not there before {on}")]
    NotYet {
        /// The day.
        on: NaiveDate,
    },
    /// It is not known to do all that is required.
    #[error("not known to do {}", missing.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", "))]
    Cannot {
        /// What is missing.
        missing: Vec<Capability>,
    },
    /// Prompt and answer are longer than it can take.
    #[error("takes {} tokens in all, not {}", grouped(&most.to_string()), grouped(&needed.to_string()))]
    Context {
        /// Tokens sent and answered.
        needed: u64,
        /// What it can take.
        most: u64,
    },
    /// The answer is longer than it can give.
    #[error("answers {} tokens at most, not {}", grouped(&most.to_string()), grouped(&needed.to_string()))]
    Answer {
        /// Tokens answered.
        needed: u64,
        /// What it can give.
        most: u64,
    },
    /// It has no price for the job: it does not do it, not like this, or nobody knows what it costs then.
    #[error(transparent)]
    Quote(#[from] QuoteError),
}

words! {
    /// What stands against a model, in a word.
    LeftOutKind {
        /// It is not there any more.
        Retired = "retired",
        /// It is not there yet.
        NotYet = "not_yet",
        /// It lacks a capability.
        Cannot = "capability_missing",
        /// The prompt or the answer is too long for it.
        TooLong = "too_long",
        /// It has no rate for something that the job uses.
        NoRate = "no_rate",
        /// It does not do it like this: another length, resolution, tier, channel.
        Impossible = "impossible",
        /// What it costs then is not known.
        NoPrice = "no_price",
    }
}

impl LeftOutReason {
    /// The same in a word.
    #[must_use]
    pub fn kind(&self) -> LeftOutKind {
        match self {
            Self::Retired { .. } => LeftOutKind::Retired,
            Self::NotYet { .. } => LeftOutKind::NotYet,
            Self::Cannot { .. } => LeftOutKind::Cannot,
            Self::Context { .. } | Self::Answer { .. } => LeftOutKind::TooLong,
            Self::Quote(QuoteError::NoRate { .. }) => LeftOutKind::NoRate,
            Self::Quote(QuoteError::Impossible { .. } | QuoteError::Count { .. } | QuoteError::Usage(_)) => LeftOutKind::Impossible,
            Self::Quote(
                QuoteError::NoPrice { .. }
                | QuoteError::InstantNeeded { .. }
                | QuoteError::NotExact(_)
                | QuoteError::UnknownModel { .. }
                | QuoteError::AmbiguousModel { .. },
            ) => LeftOutKind::NoPrice,
        }
    }
}

/// Every model that was looked at.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// Those that can do the job, cheapest first; of the same price by id, then in the order of the cards.
    pub ranked: Vec<Candidate<'a>>,
    /// The others, in the order of the cards.
    pub left_out: Vec<LeftOut<'a>>,
}

/// Ranks every model that can do a job by what it costs. A model without a known price is left out, never taken as free.
///
/// A model is there at the instant of the terms, or without one on the date of its card. Limits that a card does not state stand against
/// nobody.
///
/// ```
/// use aispace_pricing::{Job, Kind, Meter, RateCard, Terms, Usage, compare};
/// let cards = RateCard::built_in()?;
/// let usage = Usage::new().with(Meter::InputTokens, 500).with(Meter::OutputTokens, 200);
/// let job = Job { kind: Some(Kind::Chat), name: Some("venice".into()), ..Job::new(usage) };
/// let cheapest = compare(&cards, &job, &Terms::default())?.ranked[0];
/// assert_eq!((cheapest.model.id.as_str(), cheapest.total.to_string().as_str()), ("qwen3-4b", "0.55"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Any [`CompareError`].
pub fn compare<'a>(cards: impl IntoIterator<Item = &'a RateCard>, job: &Job, terms: &Terms) -> Result<Comparison<'a>, CompareError> {
    if job.usage.is_empty() {
        return Err(CompareError::Nothing);
    }
    if !(1..=RUNS_MAX).contains(&job.runs) {
        return Err(CompareError::Count { what: "runs", given: job.runs.into(), least: 1, most: RUNS_MAX.into() });
    }
    if let Some((meter, given)) = job.usage.iter().find(|(_, count)| *count > crate::COUNT_MAX) {
        return Err(CompareError::Count { what: meter.as_str(), given, least: 0, most: crate::COUNT_MAX });
    }
    let mut look = Look { job, terms, name: job.name.as_ref().map(|n| n.to_lowercase()), run: job.run(""), bill: Bill::new() };
    let mut comparison = Comparison { ranked: Vec::new(), left_out: Vec::new() };
    for card in cards {
        for (found, model) in card.refs() {
            if !look.is_wanted(model) {
                continue;
            }
            match look.at(card, found, model) {
                Ok(candidate) => comparison.ranked.push(candidate),
                Err(reason) => comparison.left_out.push(LeftOut { card, model, reason }),
            }
        }
    }
    // The sort is stable, so equals stay in the order of the cards.
    comparison.ranked.sort_by(dearer);
    Ok(comparison)
}

fn dearer(left: &Candidate<'_>, right: &Candidate<'_>) -> Ordering {
    compare_worth((left.total, left.card.unit()), (right.total, right.card.unit())).then_with(|| left.model.id.cmp(&right.model.id))
}

struct Look<'j> {
    job: &'j Job,
    terms: &'j Terms,
    /// In lower case.
    name: Option<String>,
    /// The job as a run of no model in particular, so that none has to be made for each.
    run: Run,
    bill: Bill,
}

impl Look<'_> {
    fn is_wanted(&self, model: &Model) -> bool {
        let named = |name: &String| {
            let names = [&model.id, &model.name].into_iter().chain(&model.printed_name).chain(&model.aliases);
            names.into_iter().any(|own| own.to_lowercase().contains(name))
        };
        self.job.kind.is_none_or(|kind| kind == model.kind) && self.name.as_ref().is_none_or(named)
    }

    fn at<'a>(&mut self, card: &'a RateCard, found: ModelRef, model: &'a Model) -> Result<Candidate<'a>, LeftOutReason> {
        self.is_there(card, model)?;
        self.is_able(model)?;
        card.check_run(found, &self.run)?;
        let stack = card.stack(model, &self.run, self.terms)?;
        let total = total_of(card, found, &self.run, self.terms, &stack, &mut self.bill)?;
        Ok(Candidate { card, model, total, evidence: self.evidence(card, found, model)? })
    }

    fn is_there(&self, card: &RateCard, model: &Model) -> Result<(), LeftOutReason> {
        let today = self.terms.at.map_or(card.date(), |at| at.date_naive());
        match (model.retired, model.added) {
            (Some(on), _) if on <= today => Err(LeftOutReason::Retired { on }),
            (_, Some(on)) if on > today => Err(LeftOutReason::NotYet { on }),
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    fn is_able(&self, model: &Model) -> Result<(), LeftOutReason> {
        if !self.job.capabilities.is_empty() {
            let has = model.capabilities();
            let missing: Vec<Capability> = self.job.capabilities.iter().filter(|c| !has.contains(c)).copied().collect();
            if !missing.is_empty() {
                return Err(LeftOutReason::Cannot { missing });
            }
        }
        let answer = self.job.answer_tokens();
        if let Some(most) = model.limits.output_tokens.filter(|most| answer > *most) {
            return Err(LeftOutReason::Answer { needed: answer, most });
        }
        let needed = self.job.usage.prompt_tokens().saturating_add(answer);
        match model.limits.context_tokens.filter(|most| needed > *most) {
            Some(most) => Err(LeftOutReason::Context { needed, most }),
            None => Ok(()),
        }
    }

    /// As [`quote`] answers it: only clips have more than one.
    fn evidence(&self, card: &RateCard, found: ModelRef, model: &Model) -> Result<Evidence, QuoteError> {
        match &model.video {
            Some(rules) => video::evidence(card, model, rules, &self.run.usage, &card.circumstances_of(found, &self.run, self.terms)),
            None => Ok(Evidence::RateCard),
        }
    }
}
