//! What an account looks up: ids, and what happens next.

use crate::account::{Allowance, Hold};
use crate::batch::{Batch, BatchId, DrawKey, HoldId};
use crate::time::midnight_after;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Something that happens by itself. At one instant: timeouts, expiries, the renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    TimeOut { hold: u64 },
    Expiry { batch: u64, added: DateTime<Utc> },
    Renewal,
}

/// Follows from an account's batches, holds and allowance, so it is no part of what makes two accounts equal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    batches: BTreeMap<BatchId, DrawKey>,
    holds: BTreeMap<HoldId, u64>,
    events: BTreeSet<(DateTime<Utc>, Event)>,
    /// No batch before this place has anything left.
    pub(crate) free_from: usize,
}

impl Index {
    pub(crate) fn batch(&self, id: &BatchId) -> Option<DrawKey> {
        self.batches.get(id).copied()
    }

    pub(crate) fn hold(&self, id: &HoldId) -> Option<u64> {
        self.holds.get(id).copied()
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.events.first().map(|(when, _)| *when)
    }

    pub(crate) fn is_due(&self, at: DateTime<Utc>) -> bool {
        self.next().is_some_and(|when| when <= at)
    }

    /// Takes the next event, if it is due.
    pub(crate) fn next_due(&mut self, at: DateTime<Utc>) -> Option<(DateTime<Utc>, Event)> {
        if self.is_due(at) { self.events.pop_first() } else { None }
    }

    pub(crate) fn add_batch(&mut self, batch: &Batch) {
        self.batches.insert(batch.id.clone(), batch.draw_key());
        self.events.insert(expiry(batch));
    }

    pub(crate) fn remove_batch(&mut self, batch: &Batch) {
        self.batches.remove(&batch.id);
        self.events.remove(&expiry(batch));
    }

    pub(crate) fn add_hold(&mut self, hold: &Hold) {
        self.holds.insert(hold.id.clone(), hold.seq);
        self.events.insert((hold.expires, Event::TimeOut { hold: hold.seq }));
    }

    pub(crate) fn remove_hold(&mut self, hold: &Hold) {
        self.holds.remove(&hold.id);
        self.events.remove(&(hold.expires, Event::TimeOut { hold: hold.seq }));
    }

    pub(crate) fn renew(&mut self, before: Option<Allowance>, after: Option<Allowance>) {
        if let Some(midnight) = before.and_then(|a| midnight_after(a.since)) {
            self.events.remove(&(midnight, Event::Renewal));
        }
        if let Some(midnight) = after.and_then(|a| midnight_after(a.since)) {
            self.events.insert((midnight, Event::Renewal));
        }
    }
}

fn expiry(batch: &Batch) -> (DateTime<Utc>, Event) {
    (batch.expires, Event::Expiry { batch: batch.seq, added: batch.added })
}
