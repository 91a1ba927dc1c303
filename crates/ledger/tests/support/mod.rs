//! What the tests of the ledger share: a store that keeps everything in memory, and short words for instants and amounts.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod events;
pub mod naive;

use aispace_ledger::{
    Account, AccountId, Batch, BatchId, BatchSource, Charge, ClosedHold, Entry, EntryKind, HoldId, NewBatch, NewHold, Posted, Posting,
    Refusal, StoredAccount, VerifyError, verify,
};
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// 2027-01-15, 08:00:00 UTC.
pub const START: i64 = 1_800_000_000_000;
pub const DAY: i64 = 86_400_000;
/// The first midnight after the start, in milliseconds from the start.
pub const MIDNIGHT: i64 = 16 * 3_600_000;
/// What a batch lives and a hold lasts when nothing is said, in milliseconds.
pub const LIFETIME: i64 = 30 * DAY;
pub const HOUR: i64 = 3_600_000;

/// An instant, in milliseconds from the start.
pub fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(START + milliseconds).expect("time")
}

pub fn nanos(n: i64) -> NanoCredits {
    NanoCredits::from_nanos(n).expect("amount")
}

pub fn batch(id: &str, amount: i64, expires: Option<i64>) -> NewBatch {
    let (id, source, note) = (BatchId::new(id), BatchSource::Grant, Some("test".into()));
    NewBatch { id, source, note, amount: nanos(amount), expires: expires.map(at) }
}

/// An account with everything that a store keeps, and the refusals that only a store can know of: ids that were used before, entries that
/// are no charge.
#[derive(Debug, Clone)]
pub struct Kept {
    pub account: Account,
    pub entries: Vec<Entry>,
    /// In posting order.
    pub batches: Vec<Batch>,
    pub ended: BTreeMap<HoldId, ClosedHold>,
    /// What the entries sum to, and what they owe.
    pub sum: i128,
    pub debt: i128,
    // Used again for every call.
    posted: Posted,
}

impl Kept {
    pub fn open() -> Self {
        let account = Account::open(AccountId::new("a"));
        Self { account, entries: Vec::new(), batches: Vec::new(), ended: BTreeMap::new(), sum: 0, debt: 0, posted: Posted::new() }
    }

    /// Makes a call in place and keeps what it posted; answers the sequence number of the call's own entry. `refusal` is what only a store
    /// knows of a call that the account allowed. Now and then the call is made to the account as it is read back too, and left as it is:
    /// the outcome has to be the same.
    fn post(
        &mut self,
        in_place: impl FnOnce(&mut Account, &mut Posted) -> Result<(), Refusal>,
        aside: impl FnOnce(&Account) -> Result<Posting, Refusal>,
        refusal: impl FnOnce(&Result<(), Refusal>) -> Option<Refusal>,
    ) -> Result<u64, Refusal> {
        let before = self.account.clone();
        let stored = before.head().entry_count.is_multiple_of(4).then(|| self.stored());
        let mut posted = std::mem::take(&mut self.posted);
        let outcome = in_place(&mut self.account, &mut posted);
        if let Some(stored) = stored {
            let (restored, whole) = (Account::restore(stored), |p: Posting| (p.own_entry().cloned(), p.entries, p.changed, p.account));
            let here = |()| (posted.own_entry().cloned(), posted.entries.clone(), posted.changed.clone(), self.account.clone());
            assert_eq!(aside(&restored).map(whole), outcome.clone().map(here), "in place as aside");
            assert_eq!(restored, before, "a call aside changed the account");
        }
        if outcome.is_err() {
            assert_eq!((&self.account, posted.entries.len(), posted.changed.len()), (&before, 0, 0), "a refusal changed something");
        }
        let refusal = refusal(&outcome).or(outcome.err());
        let own = match refusal {
            Some(refusal) => {
                self.account = before;
                Err(refusal)
            }
            None => Ok(self.keep(&posted)),
        };
        self.posted = posted;
        own
    }

    fn keep(&mut self, posted: &Posted) -> u64 {
        for entry in &posted.entries {
            self.sum += entry.kind.change().nanos();
            self.debt += entry.kind.debt_change().nanos();
            match &entry.kind {
                EntryKind::TimedOut { hold, .. } => drop(self.ended.insert(hold.clone(), ClosedHold::TimedOut(entry.at))),
                EntryKind::Settled { hold, .. } | EntryKind::Released { hold, .. } => {
                    self.ended.insert(hold.clone(), ClosedHold::Ended);
                }
                EntryKind::BatchAdded { .. }
                | EntryKind::Debit { .. }
                | EntryKind::Expired { .. }
                | EntryKind::Held { .. }
                | EntryKind::Voided { .. }
                | EntryKind::Refunded { .. }
                | EntryKind::DebtPaid { .. }
                | EntryKind::AllowanceSet { .. } => {}
            }
        }
        self.entries.extend(posted.entries.iter().cloned());
        overlay(&mut self.batches, posted.changed.clone());
        posted.own_entry().expect("a call has an entry").sequence
    }

    pub fn grant(&mut self, now: i64, new: NewBatch) -> Result<u64, Refusal> {
        // The ledger knows the ids of batches that are not spent; the others are in the store.
        let known = self.batches.iter().any(|b| b.id == new.id).then(|| Refusal::DuplicateBatch { batch: new.id.clone() });
        let (now, aside) = (at(now), new.clone());
        self.post(
            |account, posted| account.post_grant(now, new, posted),
            |account| account.grant(now, aside),
            |outcome| known.filter(|_| outcome.is_ok()),
        )
    }

    pub fn debit(&mut self, now: i64, amount: i64) -> Result<u64, Refusal> {
        let (now, amount) = (at(now), nanos(amount));
        self.post(|account, posted| account.post_debit(now, amount, None, posted), |account| account.debit(now, amount, None), |_| None)
    }

    pub fn hold(&mut self, now: i64, id: &str, amount: i64, expires: Option<i64>) -> Result<u64, Refusal> {
        let (now, id) = (at(now), HoldId::new(id));
        let new = NewHold { id: id.clone(), amount: nanos(amount), expires: expires.map(at), memo: None };
        let aside = new.clone();
        // The ledger knows the ids of pending holds, and looks at them before the balance; the others are in the store.
        let known = self.ended.contains_key(&id).then_some(Refusal::DuplicateHold { hold: id });
        self.post(
            |account, posted| account.post_hold(now, new, posted),
            |account| account.hold(now, aside),
            |outcome| known.filter(|_| matches!(outcome, Ok(()) | Err(Refusal::InsufficientCredits { .. }))),
        )
    }

    pub fn settle(&mut self, now: i64, id: &str, amount: i64) -> Result<u64, Refusal> {
        let (now, amount, id) = (at(now), nanos(amount), HoldId::new(id));
        let closed = self.ended.get(&id).copied();
        self.post(
            |account, posted| account.post_settle(now, &id, amount, None, closed, posted),
            |account| account.settle(now, &id, amount, None, closed),
            |_| None,
        )
    }

    pub fn release(&mut self, now: i64, id: &str) -> Result<u64, Refusal> {
        let (now, id) = (at(now), HoldId::new(id));
        let closed = self.ended.get(&id).copied();
        self.post(|account, posted| account.post_release(now, &id, closed, posted), |account| account.release(now, &id, closed), |_| None)
    }

    pub fn void(&mut self, now: i64, id: &str) -> Result<u64, Refusal> {
        let (now, id) = (at(now), BatchId::new(id));
        let stored = self.batches.iter().find(|b| b.id == id).cloned();
        self.post(
            |account, posted| account.post_void(now, &id, stored.as_ref(), posted),
            |account| account.void(now, &id, stored.as_ref()),
            |_| None,
        )
    }

    /// The charge of an entry as a store knows it.
    pub fn charge(&self, sequence: u64) -> Result<Charge, Refusal> {
        let index = self.entries.iter().position(|entry| entry.sequence == sequence);
        let charge = index.and_then(|index| Some((index, Charge::of(&self.entries[index])?)));
        let (index, charge) = charge.ok_or(Refusal::UnknownEntry { sequence })?;
        Ok(charge.after(&self.entries[index + 1..]))
    }

    pub fn refund(&mut self, now: i64, sequence: u64, amount: i64) -> Result<u64, Refusal> {
        let charge = self.charge(sequence)?;
        let ids: Vec<&BatchId> = charge.parts().iter().map(|part| &part.batch).collect();
        let stored: Vec<Batch> = self.batches.iter().filter(|b| ids.contains(&&b.id)).cloned().collect();
        let (now, amount) = (at(now), nanos(amount));
        self.post(
            |account, posted| account.post_refund(now, &charge, amount, None, &stored, posted),
            |account| account.refund(now, &charge, amount, None, &stored),
            |_| None,
        )
    }

    pub fn allow(&mut self, now: i64, amount: i64) -> Result<u64, Refusal> {
        let (now, amount) = (at(now), nanos(amount));
        self.post(|account, posted| account.post_allowance(now, amount, posted), |account| account.set_allowance(now, amount), |_| None)
    }

    /// The account as it is read back.
    pub fn stored(&self) -> StoredAccount {
        let account = &self.account;
        StoredAccount {
            id: account.id().clone(),
            head: account.head(),
            batches: self.batches.clone(),
            holds: account.holds().to_vec(),
            debts: account.debts().to_vec(),
            allowance: account.allowance(),
        }
    }

    pub fn verify(&self) -> Result<(), VerifyError> {
        verify(&self.stored(), &self.entries)
    }

    pub fn batch(&self, id: &str) -> &Batch {
        self.batches.iter().find(|b| b.id.as_str() == id).expect("a batch of the test")
    }

    /// What a batch has left, held, lapsed and voided.
    pub fn state(&self, id: &str) -> [i64; 4] {
        let b = self.batch(id);
        [b.left, b.held, b.lapsed, b.voided].map(NanoCredits::nanos)
    }

    pub fn left(&self, id: &str) -> i64 {
        self.batch(id).left.nanos()
    }

    /// Available, held and owed at an instant.
    pub fn balance(&self, now: i64) -> [i64; 3] {
        let view = self.account.view_at(at(now));
        [view.available, view.held, view.debt].map(NanoCredits::nanos)
    }
}

/// Puts changed batches over stored ones.
pub fn overlay(stored: &mut Vec<Batch>, changed: Vec<Batch>) {
    for new in changed {
        match stored.binary_search_by_key(&new.seq, |b| b.seq) {
            Ok(index) => stored[index] = new,
            Err(index) => stored.insert(index, new),
        }
    }
}
