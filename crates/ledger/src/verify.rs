//! Proves that a stored account is what its log says.

use crate::batch::{AccountId, Batch, BatchId, draw};
use crate::entry::{Entry, EntryHash, EntryKind};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What does not hold in a stored account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The numbering has a gap or a repetition.
    #[error("entry {found} stands where {expected} belongs")]
    Sequence {
        /// The number that belongs here.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// An entry does not follow the one before, or its content does not have its hash.
    #[error("the hash chain breaks at entry {sequence}")]
    Chain {
        /// The entry.
        sequence: u64,
    },
    /// An entry is dated before the one before it.
    #[error("entry {sequence} is dated before its predecessor")]
    Time {
        /// The entry.
        sequence: u64,
    },
    /// An entry that the rules would not have posted on what came before it.
    #[error("entry {sequence} breaks a rule: {rule}")]
    Rule {
        /// The entry.
        sequence: u64,
        /// Which rule.
        rule: &'static str,
    },
    /// A stored batch is not what the entries make it.
    #[error("batch {batch} is not what its entries say")]
    Batch {
        /// The batch.
        batch: BatchId,
    },
    /// The batches do not sum to the entries.
    #[error("batches hold {batches} credits and entries sum to {entries}")]
    Sum {
        /// Sum over batches.
        batches: NanoCreditSum,
        /// Sum over entries.
        entries: NanoCreditSum,
    },
}

/// Replays a whole log against all its batches, ended ones included: numbering, hash chain, dates, the
/// rules of drawing and expiry, every batch, and Σ batches = Σ entries.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(account: &AccountId, entries: &[Entry], batches: &[Batch]) -> Result<(), VerifyError> {
    let mut replay = Replay::default();
    let (mut previous, mut expected, mut latest) = (EntryHash::genesis(account), 1u64, DateTime::<Utc>::MIN_UTC);
    let mut total = NanoCreditSum::ZERO;
    for entry in entries {
        let sequence = entry.sequence;
        if sequence != expected {
            return Err(VerifyError::Sequence { expected, found: sequence });
        }
        if entry.previous != previous || !entry.hash_holds() {
            return Err(VerifyError::Chain { sequence });
        }
        if entry.at < latest {
            return Err(VerifyError::Time { sequence });
        }
        replay.apply(entry).map_err(|rule| VerifyError::Rule { sequence, rule })?;
        total = total.plus(entry.kind.change());
        (previous, latest, expected) = (entry.hash, entry.at, expected.saturating_add(1));
    }
    replay.compare(batches)?;
    let held = NanoCreditSum::total(batches.iter().map(|b| b.left));
    if held == total { Ok(()) } else { Err(VerifyError::Sum { batches: held, entries: total }) }
}

#[derive(Default)]
struct Replay {
    batches: BTreeMap<BatchId, Batch>,
}

impl Replay {
    fn apply(&mut self, entry: &Entry) -> Result<(), &'static str> {
        let overdue = self.batches.values().filter(|b| !b.left.is_zero() && b.expires <= entry.at).min_by_key(|b| (b.expires, b.seq));
        match &entry.kind {
            EntryKind::Expired { batch, amount } => {
                let first = overdue.filter(|b| b.id == *batch && b.expires == entry.at && b.left == *amount);
                let ended = first.cloned().ok_or("an expiry is posted in order, at its own instant, with all that is left")?;
                self.put(Batch { lapsed: ended.left, left: NanoCredits::ZERO, ..ended });
            }
            EntryKind::BatchAdded { batch, source, note, expires, amount } => {
                if overdue.is_some() {
                    return Err("expiries due come first");
                }
                if amount.is_zero() || *expires <= entry.at || self.batches.contains_key(batch) {
                    return Err("a batch is new, holds something and ends after it starts");
                }
                self.put(Batch {
                    id: batch.clone(),
                    seq: entry.sequence,
                    source: *source,
                    note: note.clone(),
                    added: entry.at,
                    expires: *expires,
                    granted: *amount,
                    left: *amount,
                    lapsed: NanoCredits::ZERO,
                });
            }
            EntryKind::Debit { taken, .. } => {
                if overdue.is_some() {
                    return Err("expiries due come first");
                }
                let sum = NanoCreditSum::total(taken.iter().map(|t| t.amount));
                let amount = NanoCredits::try_from(sum).map_err(|_| "a debit fits the ledger")?;
                let live: Vec<Batch> = self.batches.values().filter(|b| b.is_live(entry.at)).cloned().collect();
                if draw(&live, amount, entry.at).taken != *taken {
                    return Err("a debit draws first in first out and never more than is left");
                }
                for part in taken {
                    if let Some(batch) = self.batches.get_mut(&part.batch) {
                        batch.left = batch.left.checked_sub(part.amount).ok_or("never more than is left")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, batch: Batch) {
        self.batches.insert(batch.id.clone(), batch);
    }

    fn compare(&self, stored: &[Batch]) -> Result<(), VerifyError> {
        let mut seen: BTreeMap<&BatchId, &Batch> = BTreeMap::new();
        for batch in stored {
            if self.batches.get(&batch.id) != Some(batch) || seen.insert(&batch.id, batch).is_some() {
                return Err(VerifyError::Batch { batch: batch.id.clone() });
            }
        }
        match self.batches.keys().find(|id| !seen.contains_key(id)) {
            Some(missing) => Err(VerifyError::Batch { batch: missing.clone() }),
            None => Ok(()),
        }
    }
}
