//! Proves that a stored account is what its log says.

use crate::account::{Account, Allowance, Debt, Head, Hold, Refusal, StoredAccount};
use crate::batch::{AccountId, Batch, BatchId, NewBatch, Taken};
use crate::calls::NewHold;
use crate::charge::Charge;
use crate::draft::is_of_a_day;
use crate::entry::{Entry, EntryHash, EntryKind};
use crate::posted::Posted;
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
        rule: String,
    },
    /// A stored batch is not what the entries make it.
    #[error("batch {batch} is not what its entries say")]
    Batch {
        /// The batch.
        batch: BatchId,
    },
    /// Stored holds, debt, allowance or head are not what the entries make them.
    #[error("the stored {what} is not what the entries say")]
    State {
        /// Which part.
        what: &'static str,
    },
    /// The batches do not sum to the entries.
    #[error("batches have {batches} credits and entries sum to {entries}")]
    Sum {
        /// Sum over batches.
        batches: NanoCreditSum,
        /// Sum over entries.
        entries: NanoCreditSum,
    },
}

/// Replays a whole log against everything that is stored of its account, ended batches included: numbering, hash chain and dates; every
/// call made again on what came before it, which must post exactly what is stored; every batch, hold, debt and the allowance; and
/// Σ batches = Σ entries.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(stored: &StoredAccount, entries: &[Entry]) -> Result<(), VerifyError> {
    chained(&stored.id, entries)?;
    let account = Account::open(stored.id.clone());
    let mut replay = Replay { account, posted: Posted::new(), batches: BTreeMap::new(), charges: BTreeMap::new() };
    let mut rest = entries;
    while let Some(first) = rest.first() {
        replay.again(rest).map_err(|rule| VerifyError::Rule { sequence: first.sequence, rule })?;
        let again = &replay.posted.entries;
        let differs = again.iter().zip(rest).find(|(own, stored)| own != stored).map(|(_, stored)| stored.sequence);
        let sequence = differs.or((again.len() > rest.len()).then_some(first.sequence));
        if let Some(sequence) = sequence {
            return Err(VerifyError::Rule { sequence, rule: "the calls before it post something else".to_owned() });
        }
        rest = rest.get(again.len()..).unwrap_or_default();
        replay.keep();
    }
    replay.compare(stored, entries)
}

fn chained(id: &AccountId, entries: &[Entry]) -> Result<(), VerifyError> {
    let (mut previous, mut expected, mut latest) = (EntryHash::genesis(id), 1u64, DateTime::<Utc>::MIN_UTC);
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
        (previous, latest, expected) = (entry.hash, entry.at, expected.saturating_add(1));
    }
    Ok(())
}

struct Replay {
    account: Account,
    // What the call that was made last posted.
    posted: Posted,
    batches: BTreeMap<BatchId, Batch>,
    charges: BTreeMap<u64, Charge>,
}

impl Replay {
    /// Makes the next call again: the first entry that does not happen by itself.
    fn again(&mut self, rest: &[Entry]) -> Result<(), String> {
        let call = rest.iter().find(|entry| is_call(&entry.kind)).ok_or("it stands behind the last call")?;
        let outcome = self.call(call).map_err(|refusal| format!("the call is refused: {refusal}"))?;
        outcome.ok_or_else(|| "it refunds no charge".to_owned())
    }

    fn call(&mut self, entry: &Entry) -> Result<Option<()>, Refusal> {
        let (account, posted, at) = (&mut self.account, &mut self.posted, entry.at);
        match &entry.kind {
            EntryKind::BatchAdded { batch, source, note, expires, amount } => {
                if self.batches.contains_key(batch) {
                    return Err(Refusal::DuplicateBatch { batch: batch.clone() });
                }
                let (id, source, note, amount, expires) = (batch.clone(), *source, note.clone(), *amount, Some(*expires));
                account.post_grant(at, NewBatch { id, source, note, amount, expires }, posted)?;
            }
            EntryKind::Debit { taken, memo } => account.post_debit(at, sum(taken), memo.clone(), posted)?,
            EntryKind::Held { hold, taken, expires, memo } => {
                let new = NewHold { id: hold.clone(), amount: sum(taken), expires: Some(*expires), memo: memo.clone() };
                account.post_hold(at, new, posted)?;
            }
            EntryKind::Settled { hold, spent, drawn, debt, memo, .. } => {
                let amount = crate::account::total([sum(spent), sum(drawn), *debt]);
                account.post_settle(at, hold, amount, memo.clone(), None, posted)?;
            }
            EntryKind::Released { hold, .. } => account.post_release(at, hold, None, posted)?,
            EntryKind::Voided { batch, .. } => account.post_void(at, batch, self.batches.get(batch), posted)?,
            EntryKind::Refunded { charge, cancelled, returned, swallowed, paid, memo } => {
                let Some(charge) = self.charges.get(charge) else { return Ok(None) };
                let parts = returned.iter().chain(swallowed).map(|t| t.amount).chain(paid.iter().map(|p| p.amount));
                let amount = crate::account::total(parts.chain([*cancelled]));
                let stored: Vec<Batch> = charge.parts().iter().filter_map(|p| self.batches.get(&p.batch)).cloned().collect();
                account.post_refund(at, charge, amount, memo.clone(), &stored, posted)?;
            }
            EntryKind::AllowanceSet { amount } => account.post_allowance(at, *amount, posted)?,
            EntryKind::Expired { .. } | EntryKind::TimedOut { .. } | EntryKind::DebtPaid { .. } => return Ok(None),
        }
        Ok(Some(()))
    }

    fn keep(&mut self) {
        for entry in self.posted.entries.drain(..) {
            for charge in entry.kind.charges() {
                if let Some(own) = self.charges.get_mut(&charge) {
                    *own = own.after([&entry]);
                }
            }
            self.charges.extend(Charge::of(&entry).map(|charge| (entry.sequence, charge)));
        }
        self.batches.extend(self.posted.changed.drain(..).map(|batch| (batch.id.clone(), batch)));
    }

    fn compare(&self, stored: &StoredAccount, entries: &[Entry]) -> Result<(), VerifyError> {
        let mut seen: BTreeMap<&BatchId, &Batch> = BTreeMap::new();
        for batch in &stored.batches {
            if self.batches.get(&batch.id) != Some(batch) || seen.insert(&batch.id, batch).is_some() {
                return Err(VerifyError::Batch { batch: batch.id.clone() });
            }
        }
        if let Some(missing) = self.batches.keys().find(|id| !seen.contains_key(id)) {
            return Err(VerifyError::Batch { batch: missing.clone() });
        }
        let (head, holds, debts, allowance): (Head, &[Hold], &[Debt], Option<Allowance>) =
            (self.account.head(), self.account.holds(), self.account.debts(), self.account.allowance());
        for (what, same) in [
            ("head of the log", stored.head == head),
            ("list of holds", stored.holds == holds),
            ("debt", stored.debts == debts),
            ("allowance", stored.allowance == allowance),
        ] {
            if !same {
                return Err(VerifyError::State { what });
            }
        }
        let batches = NanoCreditSum::total(stored.batches.iter().flat_map(|b| [b.left, b.held]));
        let sum = entries.iter().fold(NanoCreditSum::ZERO, |sum, entry| sum.plus(entry.kind.change()));
        if batches == sum { Ok(()) } else { Err(VerifyError::Sum { batches, entries: sum }) }
    }
}

fn is_call(kind: &EntryKind) -> bool {
    match kind {
        EntryKind::Expired { .. } | EntryKind::TimedOut { .. } | EntryKind::DebtPaid { .. } => false,
        EntryKind::BatchAdded { batch, .. } => !is_of_a_day(batch),
        EntryKind::Debit { .. }
        | EntryKind::Held { .. }
        | EntryKind::Settled { .. }
        | EntryKind::Released { .. }
        | EntryKind::Voided { .. }
        | EntryKind::Refunded { .. }
        | EntryKind::AllowanceSet { .. } => true,
    }
}

fn sum(parts: &[Taken]) -> NanoCredits {
    crate::account::total(parts.iter().map(|t| t.amount))
}
