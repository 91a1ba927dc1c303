//! What a write posts, and what falls due before it.

use crate::account::{Account, Allowance, Debt, Head, Hold};
use crate::batch::{Batch, BatchId, BatchSource, NewBatch, Taken, draw};
use crate::entry::{DebtPart, Entry, EntryKind};
use crate::time::{after, midnight_after};
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};

/// How the id of a day's batch begins.
const OF_A_DAY: &str = "renewal-";

/// Whether an id is one that the daily allowance gives.
pub(crate) fn is_of_a_day(id: &BatchId) -> bool {
    id.as_str().starts_with(OF_A_DAY)
}

/// What a write posts: to be stored whole, in one transaction, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// New entries in order: what fell due, then the call's own, then what followed from it.
    pub entries: Vec<Entry>,
    /// Every batch that is new or changed, as it stands afterwards.
    pub changed: Vec<Batch>,
    /// The account afterwards, with its holds, debt and allowance.
    pub account: Account,
    // Where the call's own entry is.
    own: usize,
}

/// Something that happens by itself. At one instant: timeouts, expiries, the renewal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    TimeOut(u64),
    Expiry(u64),
    Renewal,
}

impl Posting {
    /// Posts everything that fell due up to an instant, each at its own.
    pub(crate) fn due(account: &Account, at: DateTime<Utc>) -> Self {
        let mut posting = Self { entries: Vec::new(), changed: Vec::new(), account: account.clone(), own: 0 };
        while let Some((when, event)) = posting.next_event().filter(|(when, _)| *when <= at) {
            posting.happen(when, event);
        }
        posting
    }

    /// The call's own entry; what follows from it stands behind.
    #[must_use]
    pub fn own_entry(&self) -> Option<&Entry> {
        self.entries.get(self.own)
    }

    fn next_event(&self) -> Option<(DateTime<Utc>, Event)> {
        let account = &self.account;
        let timeouts = account.holds.iter().map(|hold| (hold.expires, Event::TimeOut(hold.seq)));
        let ends = account.batches.iter().filter(|b| !b.left.is_zero()).map(|b| (b.expires, Event::Expiry(b.seq)));
        let renewal = account.allowance.and_then(|a| midnight_after(a.since)).map(|when| (when, Event::Renewal));
        timeouts.chain(ends).chain(renewal).min()
    }

    fn happen(&mut self, when: DateTime<Utc>, event: Event) {
        match event {
            Event::TimeOut(seq) => {
                if let Some(hold) = self.take_hold(|hold| hold.seq == seq) {
                    self.append(when, EntryKind::TimedOut { hold: hold.id, released: hold.parts.clone() });
                    self.give_back(when, &hold.parts);
                }
            }
            Event::Expiry(seq) => {
                if let Some(batch) = self.account.batches.iter().find(|b| b.seq == seq).cloned() {
                    self.append(when, EntryKind::Expired { batch: batch.id.clone(), amount: batch.left });
                    let lapsed = batch.lapsed.checked_add(batch.left).unwrap_or(batch.left);
                    self.put(Batch { lapsed, left: NanoCredits::ZERO, ..batch });
                }
            }
            Event::Renewal => self.renew(when),
        }
    }

    /// Posts the batch of a midnight; its id is that of the day, so no day has two.
    fn renew(&mut self, midnight: DateTime<Utc>) {
        let Some(allowance) = self.account.allowance else { return };
        self.account.allowance = Some(Allowance { since: midnight, ..allowance });
        let id = BatchId::new(format!("{OF_A_DAY}{}", midnight.format("%Y-%m-%d")));
        let batch = NewBatch { id, source: BatchSource::DailyRenewal, note: None, amount: allowance.amount, expires: None };
        self.add_batch(midnight, batch);
        self.pay_debt(midnight);
    }

    /// Posts a batch that was found to be possible.
    pub(crate) fn add_batch(&mut self, at: DateTime<Utc>, new: NewBatch) {
        let expires = new.expires.unwrap_or_else(|| after(at, TimeDelta::seconds(BATCH_LIFETIME_SECONDS)));
        let NewBatch { id, source, note, amount, .. } = new.clone();
        let seq = self.append(at, EntryKind::BatchAdded { batch: id, source, note, expires, amount });
        self.put(Batch::new(seq, at, expires, new));
    }

    /// Posts the call's own entry.
    pub(crate) fn append_own(&mut self, at: DateTime<Utc>, kind: EntryKind) -> u64 {
        self.own = self.entries.len();
        self.append(at, kind)
    }

    pub(crate) fn append(&mut self, at: DateTime<Utc>, kind: EntryKind) -> u64 {
        let head = self.account.head;
        let sequence = head.entry_count.saturating_add(1);
        let entry = Entry::chained(head.last_hash, sequence, at, kind);
        self.account.head = Head { entry_count: sequence, last_hash: entry.hash, latest: Some(at) };
        self.entries.push(entry);
        sequence
    }

    /// Marks where the call's own entries begin.
    pub(crate) fn begin_own(&mut self) {
        self.own = self.entries.len();
    }

    pub(crate) fn put(&mut self, batch: Batch) {
        self.changed.retain(|b| b.id != batch.id);
        self.account.batches.retain(|b| b.id != batch.id);
        self.changed.push(batch.clone());
        if !batch.is_spent() {
            let key = batch.draw_key();
            let at = self.account.batches.partition_point(|b| b.draw_key() < key);
            self.account.batches.insert(at, batch);
        }
    }

    /// A batch as it stands in this posting.
    pub(crate) fn batch(&self, id: &BatchId) -> Option<&Batch> {
        self.account.batches.iter().chain(&self.changed).find(|b| b.id == *id)
    }

    pub(crate) fn take_hold(&mut self, wanted: impl Fn(&Hold) -> bool) -> Option<Hold> {
        let at = self.account.holds.iter().position(wanted)?;
        Some(self.account.holds.remove(at))
    }

    /// Takes free credits away, as planned.
    pub(crate) fn take(&mut self, parts: &[Taken]) {
        for part in parts {
            self.change(&part.batch, |batch| {
                batch.left = batch.left.checked_sub(part.amount).expect("a plan takes at most what is left");
            });
        }
    }

    /// Takes reserved credits away for good.
    pub(crate) fn spend_held(&mut self, parts: &[Taken]) {
        for part in parts {
            self.change(&part.batch, |batch| batch.held = batch.held.checked_sub(part.amount).unwrap_or_default());
        }
    }

    /// Reserved credits become free again, or are gone at once where their batch has ended; what is free pays debt.
    pub(crate) fn give_back(&mut self, at: DateTime<Utc>, parts: &[Taken]) {
        for part in parts {
            let Some(batch) = self.batch(&part.batch).cloned() else { continue };
            let held = batch.held.checked_sub(part.amount).unwrap_or_default();
            if batch.is_closed(at) {
                self.put(Batch { held, ..batch.clone() });
                self.lose(at, &batch.id, part.amount);
            } else {
                let left = batch.left.checked_add(part.amount).unwrap_or(batch.left);
                self.put(Batch { held, left, ..batch });
            }
        }
        self.pay_debt(at);
    }

    /// What came back to a batch that has ended.
    pub(crate) fn lose(&mut self, at: DateTime<Utc>, id: &BatchId, amount: NanoCredits) {
        let Some(batch) = self.batch(id).cloned().filter(|_| !amount.is_zero()) else { return };
        self.append(at, EntryKind::Expired { batch: id.clone(), amount });
        let lapsed = batch.lapsed.checked_add(amount).unwrap_or(batch.lapsed);
        self.put(Batch { lapsed, ..batch });
    }

    /// Whatever is free pays the oldest debt first.
    pub(crate) fn pay_debt(&mut self, at: DateTime<Utc>) {
        let mut paid = Vec::new();
        while let Some(debt) = self.account.debts.first().copied() {
            let plan = draw(&self.account.batches, debt.open, at);
            if plan.taken.is_empty() {
                break;
            }
            self.take(&plan.taken);
            let part = |taken: Taken| DebtPart { charge: debt.charge, batch: taken.batch, amount: taken.amount };
            paid.extend(plan.taken.into_iter().map(part));
            self.owe(debt.charge, plan.shortfall);
        }
        if !paid.is_empty() {
            self.append(at, EntryKind::DebtPaid { paid });
        }
    }

    /// Sets what a charge still owes.
    pub(crate) fn owe(&mut self, charge: u64, open: NanoCredits) {
        let debts = &mut self.account.debts;
        debts.retain(|debt| debt.charge != charge);
        if !open.is_zero() {
            let at = debts.partition_point(|debt| debt.charge < charge);
            debts.insert(at, Debt { charge, open });
        }
    }

    pub(crate) fn change(&mut self, id: &BatchId, change: impl FnOnce(&mut Batch)) {
        if let Some(mut batch) = self.batch(id).cloned() {
            change(&mut batch);
            self.put(batch);
        }
    }
}
