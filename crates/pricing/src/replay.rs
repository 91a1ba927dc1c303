//! What runs that were made would have cost by another card.

mod log;
mod period;

pub use log::read_logged;
pub use period::{Period, calendar_month, last_month};

use crate::{Difference, QuoteError, RateCard, Run, Terms, diff::Scale, request::Code, total, words::words};
use aispace_units::{Exact, UnitError};
use chrono::{DateTime, Utc};
use log::Entry;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many of the runs without a price are listed; all are counted.
pub const UNPRICED_SHOWN: usize = 20;

/// A run that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRun {
    /// What was run.
    pub run: Run,
    /// When.
    pub at: DateTime<Utc>,
    /// What was really charged for it, in the old card's unit of account.
    pub charged: Option<Exact>,
    /// By whom and through which channel, where the log says so.
    pub terms: Option<Terms>,
}

impl LoggedRun {
    /// A run of an instant; nothing is known about its charge.
    #[must_use]
    pub fn new(run: Run, at: DateTime<Utc>) -> Self {
        Self { run, at, charged: None, terms: None }
    }
}

/// What a log would have cost by two cards. Costs are as posted: each line rounded once by its card's rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// What amounts are in: the code of the unit of account where both cards have the same, else `usd`.
    pub currency: String,
    /// The time whose runs are counted; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// All models together.
    pub total: ReplayRow,
    /// Each model, the one with the highest cost under the old card first.
    pub models: Vec<ModelReplay>,
    /// Lines of another time, which are not counted.
    pub outside: u64,
    /// Lines without a price by one of the cards or both, which are in no sum.
    pub unpriced: Unpriced,
}

/// What some runs cost by two cards. Only runs with a price by both are in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReplayRow {
    /// How many lines.
    pub lines: u64,
    /// How many runs they are.
    pub runs: u64,
    /// What they cost by the old card.
    pub old: Exact,
    /// By the new one.
    pub new: Exact,
    /// From old to new.
    pub difference: Difference,
    /// The same in percent, rounded as [`crate::PERCENT_ROUNDING`] says; none where they cost nothing before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Difference>,
    /// What was really charged, and for how much of it that is known; none where it is for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charged: Option<Charged>,
}

/// What was really charged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Charged {
    /// For how many lines that is known.
    pub lines: u64,
    /// In all.
    pub amount: Exact,
    /// What the old card says to the same lines.
    pub old: Exact,
}

/// One model's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelReplay {
    /// Its id in the old card.
    pub model_id: String,
    /// What its runs cost.
    #[serde(flatten)]
    pub row: ReplayRow,
}

/// Lines without a price.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Unpriced {
    /// How many.
    pub lines: u64,
    /// The first of them, at most [`UNPRICED_SHOWN`].
    pub first: Vec<UnpricedLine>,
}

/// A line without a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnpricedLine {
    /// Its number, from 1.
    pub line: u64,
    /// The model as logged; empty where it could not be read.
    pub model_id: String,
    /// What has no price for it.
    pub by: UnpricedBy,
    /// Why; of both cards, the old one's reason.
    pub reason: String,
}

words! {
    /// What has no price for a line.
    UnpricedBy {
        /// The line is no run.
        Log = "log",
        /// The old card.
        Old = "old",
        /// The new card.
        New = "new",
        /// Neither card has one.
        Both = "both",
    }
}

/// Prices a log by two cards: what an import would have meant.
///
/// Each run is priced at its own instant by both cards, so the new card is to be the imported one and not one that was joined by
/// [`crate::merge`], whose old prices hold for old runs. `terms` say by whom and through which channel where the log does not; their instant
/// is not used.
#[must_use]
pub fn replay(log: impl IntoIterator<Item = LoggedRun>, old: &RateCard, new: &RateCard, terms: &Terms) -> Replay {
    let mut tally = Tally::new(old, new, terms.clone(), None);
    log.into_iter().for_each(|logged| tally.add(&logged));
    tally.finish()
}

/// A replay that is given its log line by line.
#[derive(Debug)]
pub struct Tally<'a> {
    old: &'a RateCard,
    new: &'a RateCard,
    terms: Terms,
    scale: Scale,
    period: Option<Period>,
    line: u64,
    models: BTreeMap<String, ReplayRow>,
    total: ReplayRow,
    outside: u64,
    unpriced: Unpriced,
}

impl<'a> Tally<'a> {
    /// Nothing counted yet; with a period only its runs will be.
    #[must_use]
    pub fn new(old: &'a RateCard, new: &'a RateCard, terms: Terms, period: Option<Period>) -> Self {
        let (models, total, unpriced) = (BTreeMap::new(), ReplayRow::default(), Unpriced::default());
        Self { old, new, terms, scale: Scale::of(old, new), period, line: 0, models, total, outside: 0, unpriced }
    }

    /// Counts the next line of a log as it is written; see [`read_logged`].
    pub fn add_line(&mut self, line: &str) {
        let entry = match Entry::read(line) {
            Ok(entry) => entry,
            Err(refusal) => {
                self.line = self.line.saturating_add(1);
                return self.refuse(String::new(), UnpricedBy::Log, refusal.message);
            }
        };
        let (model_id, at) = (entry.model_id.clone(), entry.at);
        match entry.run(self.old, self.new) {
            Ok(logged) => self.add(&logged),
            Err(refusal) => {
                let no_model = matches!(refusal.code, Code::UnknownModel | Code::AmbiguousModel);
                let by = if no_model { UnpricedBy::Both } else { UnpricedBy::Log };
                self.line = self.line.saturating_add(1);
                if !self.is_outside(at) {
                    self.refuse(model_id, by, refusal.message);
                }
            }
        }
    }

    /// Counts the next run.
    pub fn add(&mut self, logged: &LoggedRun) {
        self.line = self.line.saturating_add(1);
        if self.is_outside(logged.at) {
            return;
        }
        let terms = Terms { at: Some(logged.at), ..logged.terms.clone().unwrap_or_else(|| self.terms.clone()) };
        let cost = |card: &RateCard| self.cost(card, &logged.run, &terms);
        let (by, reason) = match (cost(self.old), cost(self.new)) {
            (Ok(old), Ok(new)) => match self.count(logged, old, new) {
                Ok(()) => return,
                Err(error) => (UnpricedBy::Both, error.to_string()),
            },
            (Err(reason), Ok(_)) => (UnpricedBy::Old, reason),
            (Ok(_), Err(reason)) => (UnpricedBy::New, reason),
            (Err(reason), Err(_)) => (UnpricedBy::Both, reason),
        };
        self.refuse(logged.run.model_id.clone(), by, reason);
    }

    fn is_outside(&mut self, at: DateTime<Utc>) -> bool {
        let outside = self.period.is_some_and(|period| !period.contains(at));
        self.outside = self.outside.saturating_add(outside.into());
        outside
    }

    /// What was counted.
    #[must_use]
    pub fn finish(self) -> Replay {
        let percented = |row: ReplayRow| ReplayRow { percent: Difference::percent(row.old, row.new), ..row };
        let mut models: Vec<ModelReplay> =
            self.models.into_iter().map(|(model_id, row)| ModelReplay { model_id, row: percented(row) }).collect();
        models.sort_by(|a, b| b.row.old.cmp(&a.row.old).then_with(|| a.model_id.cmp(&b.model_id)));
        Replay {
            currency: self.scale.currency,
            period: self.period,
            total: percented(self.total),
            models,
            outside: self.outside,
            unpriced: self.unpriced,
        }
    }

    /// What a run is posted at, in what is compared.
    fn cost(&self, card: &RateCard, run: &Run, terms: &Terms) -> Result<Exact, String> {
        let posted = total(card, run, terms).and_then(|cost| card.posted(cost).map_err(QuoteError::from));
        self.in_currency(card, posted.map_err(|error| error.to_string())?)
    }

    fn in_currency(&self, card: &RateCard, amount: Exact) -> Result<Exact, String> {
        let worth = self.scale.worth(card, amount);
        worth.ok_or_else(|| format!("{amount} {} have no finite decimals in {}", card.unit().name, self.scale.currency))
    }

    fn count(&mut self, logged: &LoggedRun, old: Exact, new: Exact) -> Result<(), UnitError> {
        let charged = logged.charged.and_then(|amount| self.in_currency(self.old, amount).ok());
        let id = |card: &RateCard| card.model(&logged.run.model_id).map(|m| m.id.clone());
        let id = id(self.old).unwrap_or_else(|_| logged.run.model_id.clone());
        let own = self.models.get(&id).cloned().unwrap_or_default();
        // Both sums or none: a line is counted whole.
        let (own, total) = (own.with(logged, old, new, charged)?, self.total.with(logged, old, new, charged)?);
        self.models.insert(id, own);
        self.total = total;
        Ok(())
    }

    fn refuse(&mut self, model_id: String, by: UnpricedBy, reason: String) {
        self.unpriced.lines = self.unpriced.lines.saturating_add(1);
        if self.unpriced.first.len() < UNPRICED_SHOWN {
            self.unpriced.first.push(UnpricedLine { line: self.line, model_id, by, reason });
        }
    }
}

impl ReplayRow {
    /// The same with one more line.
    fn with(&self, logged: &LoggedRun, old: Exact, new: Exact, charged: Option<Exact>) -> Result<Self, UnitError> {
        let (all_old, all_new) = (self.old.add(old)?, self.new.add(new)?);
        let mut all_charged = self.charged.clone();
        if let Some(amount) = charged {
            let before = all_charged.unwrap_or_default();
            let lines = before.lines.saturating_add(1);
            all_charged = Some(Charged { lines, amount: before.amount.add(amount)?, old: before.old.add(old)? });
        }
        Ok(Self {
            lines: self.lines.saturating_add(1),
            runs: self.runs.saturating_add(logged.run.runs.into()),
            old: all_old,
            new: all_new,
            difference: Difference::between(all_old, all_new)?,
            percent: None,
            charged: all_charged,
        })
    }
}
