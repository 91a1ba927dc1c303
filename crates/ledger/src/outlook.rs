//! How an account's balance goes on: what lapses, what comes back, and when nothing is left.

use crate::account::{Account, Balance};
use crate::batch::BatchId;
use crate::entry::EntryKind;
use crate::forecast::PacePerDay;
use crate::posted::Posted;
use crate::time::whole_milliseconds;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};

/// The balance of an account from now to a horizon, if credits are used at a steady pace and nothing else is asked of it.
///
/// It is computed by the ledger's own rules: expiries, timeouts of holds, the daily allowance, and debt that is paid by what becomes free.
///
/// By an instant `t`, `⌊pace × (t − now) ÷ 24 h⌋` are used, in steps of 10⁻⁹ credit, each drawn first in first out from what is live when
/// it is used: what is used in the millisecond before a batch ends still comes from that batch. That is the account to which one debit is
/// posted in every millisecond, dated at its start, for what is used within it. While nothing is left nothing is used, and that is not made
/// up for when credits come in again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The effective instant it starts from.
    pub from: DateTime<Utc>,
    /// Where it ends.
    pub until: DateTime<Utc>,
    /// What is used.
    pub pace: PacePerDay,
    /// Where the balance bends or jumps, in order: the first is at the start, the last at the end. Between two of them it falls evenly from
    /// the former's `available` to the latter's `before`.
    pub steps: Vec<BalanceStep>,
    /// What lapses after the start and up to the end, in order: the credits at risk.
    pub lapses: Vec<Lapse>,
    /// When nothing is available for the first time, used up or lapsed; the start if that is so already. Absent when that does not happen.
    pub empty_at: Option<DateTime<Utc>>,
}

/// The balance at an instant at which it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceStep {
    /// The instant.
    pub at: DateTime<Utc>,
    /// What would be available if nothing happened at this instant.
    pub before: NanoCredits,
    /// What is available.
    pub available: NanoCredits,
    /// What holds reserve.
    pub held: NanoCredits,
    /// What is owed.
    pub debt: NanoCredits,
}

/// Credits that end unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapse {
    /// Their batch; one that the allowance has yet to post is among them.
    pub batch: BatchId,
    /// When they are gone.
    pub at: DateTime<Utc>,
    /// How much; above zero.
    pub amount: NanoCredits,
}

impl Account {
    /// Follows the account from now up to and with a horizon.
    ///
    /// ```
    /// # use aispace_ledger::{Account, AccountId, BatchId, BatchSource, NewBatch, PacePerDay};
    /// # let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).ok_or("time")?;
    /// # let new = NewBatch { id: BatchId::new("b1"), source: BatchSource::Grant, note: None, amount: "100".parse()?, expires: None };
    /// # let account = Account::open(AccountId::new("acct")).grant(now, new)?.account;
    /// let month = account.outlook(now, now + chrono::TimeDelta::days(30), PacePerDay("3".parse()?));
    /// assert_eq!(month.at_risk().to_string(), "10");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn outlook(&self, now: DateTime<Utc>, until: DateTime<Utc>, pace: PacePerDay) -> Outlook {
        let from = self.effective_time(now);
        let until = whole_milliseconds(until).max(from);
        let mut account = self.clone();
        account.pass(from, &mut Posted::new());
        let outlook = Outlook { from, until, pace, steps: Vec::new(), lapses: Vec::new(), empty_at: None };
        let mut future = Future { account, at: from, outlook, posted: Posted::new() };
        future.step(future.account.available(from));
        while let Some(when) = future.account.index.next().filter(|when| *when <= until) {
            future.go(when);
        }
        if future.at < until {
            future.go(until);
        }
        future.outlook
    }
}

impl Outlook {
    /// The balance at an instant, before anything is used within it; none outside of the outlook.
    #[must_use]
    pub fn at(&self, instant: DateTime<Utc>) -> Option<BalanceStep> {
        let at = whole_milliseconds(instant);
        let steps = self.steps.partition_point(|step| step.at <= at);
        let step = steps.checked_sub(1).and_then(|last| self.steps.get(last)).filter(|_| at <= self.until)?;
        if step.at == at {
            return Some(*step);
        }
        let available = self.left(step.at, step.available, at);
        Some(BalanceStep { at, before: available, available, ..*step })
    }

    /// The sum of what lapses.
    #[must_use]
    pub fn at_risk(&self) -> NanoCreditSum {
        NanoCreditSum::total(self.lapses.iter().map(|lapse| lapse.amount))
    }

    /// What use alone leaves at an instant of what was available at an earlier one.
    fn left(&self, from: DateTime<Utc>, available: NanoCredits, at: DateTime<Utc>) -> NanoCredits {
        let used = self.pace.used(self.from, at).saturating_sub(self.pace.used(self.from, from));
        let used = i64::try_from(used).ok().and_then(|used| NanoCredits::from_nanos(used).ok());
        used.and_then(|used| available.checked_sub(used)).unwrap_or_default()
    }

    /// The first instant by which use alone leaves nothing of what was available at an earlier one.
    fn used_up(&self, from: DateTime<Utc>, available: NanoCredits) -> Option<DateTime<Utc>> {
        self.pace.used_by(self.from, self.pace.used(self.from, from).saturating_add(i128::from(available.nanos())))
    }
}

struct Future {
    account: Account,
    // The instant at which the account stands.
    at: DateTime<Utc>,
    outlook: Outlook,
    posted: Posted,
}

impl Future {
    /// Goes on to an instant up to which nothing happens by itself, and lets happen what does then.
    fn go(&mut self, when: DateTime<Utc>) {
        let available = self.account.available(self.at);
        let before = self.outlook.left(self.at, available, when);
        let emptied = self.outlook.used_up(self.at, available).filter(|at| *at < when && !available.is_zero());
        if let (Some(at), Some(last)) = (emptied, self.outlook.steps.last().copied()) {
            self.outlook.steps.push(BalanceStep { at, before: NanoCredits::ZERO, available: NanoCredits::ZERO, ..last });
            self.outlook.empty_at.get_or_insert(at);
        }
        self.account.spend_unposted(self.at, available.checked_sub(before).unwrap_or_default());
        self.account.pass(when, &mut self.posted);
        self.at = when;
        for entry in &self.posted.entries {
            if let EntryKind::Expired { batch, amount } = &entry.kind {
                self.outlook.lapses.push(Lapse { batch: batch.clone(), at: entry.at, amount: *amount });
            }
        }
        self.step(before);
    }

    /// Notes how the account stands, if it jumped or the outlook starts or ends here.
    fn step(&mut self, before: NanoCredits) {
        let (at, outlook) = (self.at, &mut self.outlook);
        let Balance { available, held, debt, .. } = self.account.balance(at);
        if available.is_zero() {
            outlook.empty_at.get_or_insert(at);
        }
        let even = outlook.steps.last().is_some_and(|last| (available, held, debt) == (before, last.held, last.debt));
        if !even || at == outlook.until {
            outlook.steps.push(BalanceStep { at, before, available, held, debt });
        }
    }
}
