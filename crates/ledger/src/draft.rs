//! A call being posted to an account in place, and what falls due before it.

use crate::account::{Account, Allowance, Debt, Head, Hold, Refusal};
use crate::batch::{Batch, BatchId, BatchSource, Draw, DrawKey, HoldId, NewBatch, Taken};
use crate::entry::{DebtPart, Entry, EntryKind};
use crate::index::Event;
use crate::posted::Posted;
use crate::time::after;
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};

/// How the id of a day's batch begins.
const OF_A_DAY: &str = "renewal-";

/// Whether an id is one that the daily allowance gives.
pub(crate) fn is_of_a_day(id: &BatchId) -> bool {
    id.as_str().starts_with(OF_A_DAY)
}

/// Where drawn credits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawn {
    Spent,
    Held,
}

/// An account with what is being posted to it. Batches that are spent stay in it up to the end.
pub(crate) struct Draft<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) posted: &'a mut Posted,
}

impl Account {
    /// Posts what fell due up to an instant, then a call; or nothing at all. A call checks everything before it changes anything.
    #[inline]
    pub(crate) fn attempt(
        &mut self,
        at: DateTime<Utc>,
        posted: &mut Posted,
        call: impl FnOnce(&mut Draft<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        posted.clear();
        if !self.index.is_due(at) {
            let mut draft = Draft { account: self, posted };
            call(&mut draft)?;
            draft.finish();
            return Ok(());
        }
        // What fell due may make the difference between posted and refused, and is posted with neither of them alone.
        let mut copy = self.clone();
        let mut draft = Draft { account: &mut copy, posted };
        draft.post_due(at);
        let outcome = call(&mut draft);
        match outcome {
            Ok(()) => {
                draft.finish();
                *self = copy;
            }
            Err(_) => posted.clear(),
        }
        outcome
    }

    /// The account once everything that fell due up to an instant is posted.
    pub(crate) fn passed(&self, at: DateTime<Utc>, posted: &mut Posted) -> Self {
        let mut account = self.clone();
        account.pass(at, posted);
        account
    }

    /// Posts everything that fell due up to an instant.
    pub(crate) fn pass(&mut self, at: DateTime<Utc>, posted: &mut Posted) {
        posted.clear();
        let mut draft = Draft { account: self, posted };
        draft.post_due(at);
        draft.finish();
    }

    /// Spends what is free, in order, as far as it goes, and writes no entry: for what never happened.
    pub(crate) fn spend_unposted(&mut self, at: DateTime<Utc>, amount: NanoCredits) {
        let mut posted = Posted::new();
        let mut draft = Draft { account: self, posted: &mut posted };
        draft.draw(at, amount, Drawn::Spent);
        draft.finish();
    }
}

impl Draft<'_> {
    fn post_due(&mut self, at: DateTime<Utc>) {
        while let Some((when, event)) = self.account.index.next_due(at) {
            match event {
                Event::TimeOut { hold } => self.time_out(when, hold),
                Event::Expiry { batch, added } => self.expire((added, when, batch)),
                Event::Renewal => self.renew(when),
            }
        }
    }

    fn time_out(&mut self, when: DateTime<Utc>, seq: u64) {
        let Some(hold) = self.take_hold(seq) else { return };
        self.append(when, EntryKind::TimedOut { hold: hold.id, released: hold.parts.clone() });
        self.give_back(when, &hold.parts);
    }

    fn expire(&mut self, key: DrawKey) {
        let Some(place) = self.place(key) else { return };
        let Some(batch) = self.account.batches.get_mut(place).filter(|b| !b.left.is_zero()) else { return };
        let amount = std::mem::take(&mut batch.left);
        batch.lapsed = batch.lapsed.checked_add(amount).unwrap_or(amount);
        let batch = batch.id.clone();
        self.posted.touch(place);
        self.append(key.1, EntryKind::Expired { batch, amount });
    }

    /// Posts the batch of a midnight; its id is that of the day, so no day has two.
    fn renew(&mut self, midnight: DateTime<Utc>) {
        let Some(allowance) = self.account.allowance else { return };
        self.set_allowance(Some(Allowance { since: midnight, ..allowance }));
        let id = BatchId::new(format!("{OF_A_DAY}{}", midnight.format("%Y-%m-%d")));
        let batch = NewBatch { id, source: BatchSource::DailyRenewal, note: None, amount: allowance.amount, expires: None };
        self.add_batch(midnight, batch);
        self.pay_debt(midnight);
    }

    pub(crate) fn set_allowance(&mut self, allowance: Option<Allowance>) {
        self.account.index.renew(self.account.allowance, allowance);
        self.account.allowance = allowance;
    }

    /// Posts a batch that was found to be possible.
    pub(crate) fn add_batch(&mut self, at: DateTime<Utc>, new: NewBatch) {
        let expires = new.expires.unwrap_or_else(|| after(at, TimeDelta::seconds(BATCH_LIFETIME_SECONDS)));
        let NewBatch { id, source, note, amount, .. } = new.clone();
        let seq = self.append(at, EntryKind::BatchAdded { batch: id, source, note, expires, amount });
        self.insert(Batch::new(seq, at, expires, new));
    }

    /// Posts the call's own entry.
    #[inline]
    pub(crate) fn append_own(&mut self, at: DateTime<Utc>, kind: EntryKind) -> u64 {
        self.posted.begin_own();
        self.append(at, kind)
    }

    #[inline]
    fn append(&mut self, at: DateTime<Utc>, kind: EntryKind) -> u64 {
        let head = &mut self.account.head;
        let sequence = head.entry_count.saturating_add(1);
        let previous = head.last_hash;
        let hash = Entry::hash_of(previous, sequence, at, &kind);
        *head = Head { entry_count: sequence, last_hash: hash, latest: Some(at) };
        self.posted.entries.push(Entry { sequence, at, kind, previous, hash });
        sequence
    }

    /// Takes a batch into the account, as it stands.
    pub(crate) fn insert(&mut self, batch: Batch) -> usize {
        let (account, key) = (&mut *self.account, batch.draw_key());
        let stored = account.batches.as_slice();
        let last = stored.last().is_none_or(|last| last.draw_key() < key);
        let place = if last { stored.len() } else { stored.partition_point(|b| b.draw_key() < key) };
        if !last {
            self.posted.make_room(place);
        }
        account.index.add_batch(&batch);
        account.index.free_from = account.index.free_from.min(place);
        account.batches.insert(place, batch);
        self.posted.touch(place);
        place
    }

    pub(crate) fn batch(&self, id: &BatchId) -> Option<&Batch> {
        self.account.batches.as_slice().get(self.place(self.account.index.batch(id)?)?)
    }

    fn place(&self, key: DrawKey) -> Option<usize> {
        self.account.batches.as_slice().binary_search_by_key(&key, Batch::draw_key).ok()
    }

    /// Changes a batch that is in the account, and may make some of it free.
    pub(crate) fn change(&mut self, id: &BatchId, change: impl FnOnce(&mut Batch)) {
        let place = self.account.index.batch(id).and_then(|key| self.place(key));
        let Some(place) = place else { return };
        let Some(batch) = self.account.batches.get_mut(place) else { return };
        change(batch);
        self.account.index.free_from = self.account.index.free_from.min(place);
        self.posted.touch(place);
    }

    pub(crate) fn add_hold(&mut self, hold: Hold) {
        self.account.index.add_hold(&hold);
        self.account.holds.insert(self.account.holds.len(), hold);
    }

    /// Takes a pending hold away.
    pub(crate) fn take_pending(&mut self, id: &HoldId) -> Option<Hold> {
        self.take_hold(self.account.index.hold(id)?)
    }

    fn take_hold(&mut self, seq: u64) -> Option<Hold> {
        let place = self.account.holds.as_slice().binary_search_by_key(&seq, |hold| hold.seq).ok()?;
        let hold = self.account.holds.remove(place)?;
        self.account.index.remove_hold(&hold);
        Some(hold)
    }

    /// Whether an amount is covered by what is free.
    #[inline]
    pub(crate) fn covered(&self, at: DateTime<Utc>, amount: NanoCredits) -> Result<(), Refusal> {
        let mut rest = amount;
        for batch in self.account.batches.as_slice().iter().skip(self.account.index.free_from) {
            if rest.is_zero() {
                break;
            }
            if batch.is_live(at) {
                rest = rest.checked_sub(batch.left).unwrap_or_default();
            }
        }
        if rest.is_zero() {
            return Ok(());
        }
        Err(Refusal::InsufficientCredits { needed: amount, available: self.account.available(at) })
    }

    /// Draws what is free, in order, as far as it goes.
    #[inline]
    pub(crate) fn draw(&mut self, at: DateTime<Utc>, amount: NanoCredits, to: Drawn) -> Draw {
        // Most draws are from one batch.
        let (mut taken, mut shortfall) = (Vec::with_capacity(usize::from(!amount.is_zero())), amount);
        let batches = &mut self.account.batches;
        let spent = |place: usize| batches.as_slice().get(place).is_some_and(|b| b.left.is_zero());
        while spent(self.account.index.free_from) {
            self.account.index.free_from = self.account.index.free_from.saturating_add(1);
        }
        let mut place = self.account.index.free_from;
        while let Some(batch) = batches.get_mut(place).filter(|_| !shortfall.is_zero()) {
            if batch.is_live(at) {
                let part = shortfall.min(batch.left);
                batch.left = batch.left.checked_sub(part).unwrap_or_default();
                shortfall = shortfall.checked_sub(part).unwrap_or_default();
                if to == Drawn::Held {
                    batch.held = batch.held.checked_add(part).unwrap_or(batch.held);
                }
                taken.push(Taken { batch: batch.id.clone(), amount: part });
                self.posted.touch(place);
            }
            place = place.saturating_add(1);
        }
        Draw { taken, shortfall }
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
            let Taken { batch: id, amount } = part;
            let mut lost = false;
            self.change(id, |batch| {
                batch.held = batch.held.checked_sub(*amount).unwrap_or_default();
                lost = batch.is_closed(at);
                let to = if lost { &mut batch.lapsed } else { &mut batch.left };
                *to = to.checked_add(*amount).unwrap_or(*to);
            });
            if lost && !amount.is_zero() {
                self.append(at, EntryKind::Expired { batch: id.clone(), amount: *amount });
            }
        }
        self.pay_debt(at);
    }

    /// Whatever is free pays the oldest debt first.
    pub(crate) fn pay_debt(&mut self, at: DateTime<Utc>) {
        let mut paid = Vec::new();
        while let Some(debt) = self.account.debts().first().copied() {
            let plan = self.draw(at, debt.open, Drawn::Spent);
            if plan.taken.is_empty() {
                break;
            }
            let part = |taken: Taken| DebtPart { charge: debt.charge, batch: taken.batch, amount: taken.amount };
            paid.extend(plan.taken.into_iter().map(part));
            self.owe(debt.charge, plan.shortfall);
        }
        if !paid.is_empty() {
            self.append(at, EntryKind::DebtPaid { paid });
        }
    }

    /// Lets a part that goes back pay open debt, the oldest first; answers what is left of it.
    pub(crate) fn pay_from(&mut self, part: &Taken, paid: &mut Vec<DebtPart>) -> Option<Taken> {
        let mut rest = part.amount;
        while let Some(debt) = self.account.debts().first().copied().filter(|_| !rest.is_zero()) {
            let amount = debt.open.min(rest);
            paid.push(DebtPart { charge: debt.charge, batch: part.batch.clone(), amount });
            self.owe(debt.charge, debt.open.checked_sub(amount).unwrap_or_default());
            rest = rest.checked_sub(amount).unwrap_or_default();
        }
        (!rest.is_zero()).then(|| Taken { batch: part.batch.clone(), amount: rest })
    }

    /// Sets what a charge still owes.
    pub(crate) fn owe(&mut self, charge: u64, open: NanoCredits) {
        let debts = &mut self.account.debts;
        match debts.as_slice().binary_search_by_key(&charge, |debt| debt.charge) {
            Ok(place) if open.is_zero() => drop(debts.remove(place)),
            Ok(place) => debts.get_mut(place).into_iter().for_each(|debt| debt.open = open),
            Err(_) if open.is_zero() => {}
            Err(place) => debts.insert(place, Debt { charge, open }),
        }
    }

    /// Notes every batch that changed, and lets go of those that are spent.
    #[inline]
    fn finish(self) {
        let Self { account, posted } = self;
        let mut touched = std::mem::take(&mut posted.touched);
        if touched.len() > 1 {
            touched.sort_unstable();
            touched.dedup();
        }
        let mut removed = 0usize;
        for place in touched.drain(..) {
            let place = place.saturating_sub(removed);
            let Some(batch) = account.batches.as_slice().get(place) else { continue };
            posted.changed.push(batch.clone());
            if batch.is_spent() {
                account.index.remove_batch(batch);
                account.batches.remove(place);
                removed = removed.saturating_add(1);
                if place < account.index.free_from {
                    account.index.free_from = account.index.free_from.saturating_sub(1);
                }
            }
        }
        posted.touched = touched;
    }
}
