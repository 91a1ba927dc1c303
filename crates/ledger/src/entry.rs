//! Entries: immutable, numbered from 1, each hashed over the one before.

use crate::canonical::entry_hash;
use crate::{AccountId, BatchId, BatchSource, HoldId, Taken};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;

/// SHA-256 of an entry and, through it, of everything before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryHash([u8; 32]);

impl EntryHash {
    /// Takes 32 bytes as they were stored.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What stands before the first entry of an account: `SHA-256("aispace-ledger/1" ‖ account id)`,
    /// so that no entry of one account can stand in another's log.
    #[must_use]
    pub fn genesis(account: &AccountId) -> Self {
        Self(Sha256::new().chain_update(b"aispace-ledger/1").chain_update(account.as_str()).finalize().into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Id of an entry: `en_` and the first 128 bits of its hash, so that a computed entry and the same
/// entry once stored have one id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryId(String);

impl EntryId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an entry records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// A batch was added; it starts at the entry's instant.
    BatchAdded {
        /// The batch.
        batch: BatchId,
        /// Where it came from.
        source: BatchSource,
        /// A word for people.
        note: Option<String>,
        /// The first instant at which it is gone.
        expires: DateTime<Utc>,
        /// What it holds; above zero.
        amount: NanoCredits,
    },
    /// A run was charged.
    Debit {
        /// What each batch gave, in draw order; empty for a debit of zero.
        taken: Vec<Taken>,
        /// What was run, opaque to the ledger.
        memo: Option<String>,
    },
    /// A batch reached its end with credits left; the entry is dated at that end.
    Expired {
        /// The batch.
        batch: BatchId,
        /// What was left, or came back to it after its end; above zero.
        amount: NanoCredits,
    },
    /// Credits were reserved for a run.
    Held {
        /// The hold.
        hold: HoldId,
        /// What each batch reserves, in draw order; empty for a hold of zero.
        taken: Vec<Taken>,
        /// The first instant at which the hold is gone.
        expires: DateTime<Utc>,
        /// What is run, opaque to the ledger.
        memo: Option<String>,
    },
    /// A run that was held for was charged.
    Settled {
        /// The hold, which has ended.
        hold: HoldId,
        /// What was spent of what it reserved, in draw order.
        spent: Vec<Taken>,
        /// What it reserved and was not spent; it went back.
        released: Vec<Taken>,
        /// What was drawn beside it, in draw order.
        drawn: Vec<Taken>,
        /// What no batch covered.
        debt: NanoCredits,
        /// What was run, opaque to the ledger.
        memo: Option<String>,
    },
    /// A hold ended without a charge.
    Released {
        /// The hold.
        hold: HoldId,
        /// What went back.
        released: Vec<Taken>,
    },
    /// A hold ended by itself; the entry is dated at that end.
    TimedOut {
        /// The hold.
        hold: HoldId,
        /// What went back.
        released: Vec<Taken>,
    },
    /// The rest of a batch was taken away.
    Voided {
        /// The batch.
        batch: BatchId,
        /// What was left.
        amount: NanoCredits,
    },
    /// A charge was given back, in part or whole.
    Refunded {
        /// Sequence number of the charge.
        charge: u64,
        /// How much of its own debt was cancelled.
        cancelled: NanoCredits,
        /// What went back, last drawn first.
        returned: Vec<Taken>,
        /// What would have gone back to a closed batch; it is gone.
        swallowed: Vec<Taken>,
        /// What paid other charges' debt on its way back.
        paid: Vec<DebtPart>,
        /// Why, opaque to the ledger.
        memo: Option<String>,
    },
    /// Credit that had become free paid debt.
    DebtPaid {
        /// Whose debt, and from which batches, in draw order.
        paid: Vec<DebtPart>,
    },
    /// The daily allowance was set.
    AllowanceSet {
        /// Credits per day; zero for none.
        amount: NanoCredits,
    },
}

/// Debt of one charge paid from one batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtPart {
    /// Sequence number of the charge whose debt it is.
    pub charge: u64,
    /// The batch.
    pub batch: BatchId,
    /// How much; above zero.
    pub amount: NanoCredits,
}

impl EntryKind {
    /// The change of what the account's batches have left or held.
    #[must_use]
    pub fn change(&self) -> NanoCreditSum {
        let less = |sum: NanoCreditSum| NanoCreditSum::ZERO.minus(sum);
        match self {
            Self::BatchAdded { amount, .. } => (*amount).into(),
            Self::Debit { taken, .. } => less(sum(taken)),
            Self::Expired { amount, .. } | Self::Voided { amount, .. } => less((*amount).into()),
            Self::Settled { spent, drawn, .. } => less(sum(spent).plus(sum(drawn))),
            Self::Refunded { returned, .. } => sum(returned),
            Self::DebtPaid { paid } => less(NanoCreditSum::total(paid.iter().map(|p| p.amount))),
            Self::Held { .. } | Self::Released { .. } | Self::TimedOut { .. } | Self::AllowanceSet { .. } => NanoCreditSum::ZERO,
        }
    }

    /// The change of what holds reserve; it is part of [`EntryKind::change`] where credits go for good.
    #[must_use]
    pub fn held_change(&self) -> NanoCreditSum {
        match self {
            Self::Held { taken, .. } => sum(taken),
            Self::Settled { spent, released, .. } => NanoCreditSum::ZERO.minus(sum(spent).plus(sum(released))),
            Self::Released { released, .. } | Self::TimedOut { released, .. } => NanoCreditSum::ZERO.minus(sum(released)),
            Self::BatchAdded { .. }
            | Self::Debit { .. }
            | Self::Expired { .. }
            | Self::Voided { .. }
            | Self::Refunded { .. }
            | Self::DebtPaid { .. }
            | Self::AllowanceSet { .. } => NanoCreditSum::ZERO,
        }
    }

    /// The change of what the account owes.
    #[must_use]
    pub fn debt_change(&self) -> NanoCreditSum {
        let parts = |paid: &[DebtPart]| NanoCreditSum::total(paid.iter().map(|p| p.amount));
        match self {
            Self::Settled { debt, .. } => (*debt).into(),
            Self::Refunded { cancelled, paid, .. } => NanoCreditSum::ZERO.minus(parts(paid).plus((*cancelled).into())),
            Self::DebtPaid { paid } => NanoCreditSum::ZERO.minus(parts(paid)),
            Self::BatchAdded { .. }
            | Self::Debit { .. }
            | Self::Expired { .. }
            | Self::Held { .. }
            | Self::Released { .. }
            | Self::TimedOut { .. }
            | Self::Voided { .. }
            | Self::AllowanceSet { .. } => NanoCreditSum::ZERO,
        }
    }

    /// The charges that it is about besides its own, each once: those whose debt it pays, the one that it refunds.
    #[must_use]
    pub fn charges(&self) -> BTreeSet<u64> {
        let of = |paid: &[DebtPart]| paid.iter().map(|p| p.charge).collect::<BTreeSet<_>>();
        match self {
            Self::Refunded { charge, paid, .. } => {
                let mut charges = of(paid);
                charges.insert(*charge);
                charges
            }
            Self::DebtPaid { paid } => of(paid),
            Self::BatchAdded { .. }
            | Self::Debit { .. }
            | Self::Expired { .. }
            | Self::Held { .. }
            | Self::Settled { .. }
            | Self::Released { .. }
            | Self::TimedOut { .. }
            | Self::Voided { .. }
            | Self::AllowanceSet { .. } => BTreeSet::new(),
        }
    }
}

fn sum(parts: &[Taken]) -> NanoCreditSum {
    NanoCreditSum::total(parts.iter().map(|t| t.amount))
}

/// A posted entry. Never edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position in the account's log, from 1.
    pub sequence: u64,
    /// When it took effect, in whole milliseconds.
    pub at: DateTime<Utc>,
    /// What it records.
    pub kind: EntryKind,
    /// Hash of the entry before, or the account's genesis hash.
    pub previous: EntryHash,
    /// `SHA-256(previous ‖ canonical bytes)`.
    pub hash: EntryHash,
}

impl Entry {
    /// Writes the next entry of a log.
    #[must_use]
    pub fn chained(previous: EntryHash, sequence: u64, at: DateTime<Utc>, kind: EntryKind) -> Self {
        let hash = Self::hash_of(previous, sequence, at, &kind);
        Self { sequence, at, kind, previous, hash }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> EntryId {
        let text = self.hash.to_string();
        EntryId(format!("en_{}", text.get(..32).unwrap_or(&text)))
    }

    /// Whether the stored hash is the one its content has.
    #[must_use]
    pub fn hash_holds(&self) -> bool {
        self.hash == Self::hash_of(self.previous, self.sequence, self.at, &self.kind)
    }

    #[inline]
    pub(crate) fn hash_of(previous: EntryHash, sequence: u64, at: DateTime<Utc>, kind: &EntryKind) -> EntryHash {
        EntryHash(entry_hash(&previous.0, sequence, at, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bound_to_its_account_and_to_its_order() {
        let at = DateTime::from_timestamp_millis(0).expect("time");
        let kind = EntryKind::Debit { taken: vec![], memo: None };
        let of = |account: &str, sequence| Entry::chained(EntryHash::genesis(&AccountId::new(account)), sequence, at, kind.clone());
        assert_ne!(of("a", 1).hash, of("b", 1).hash);
        assert_ne!(of("a", 1).hash, of("a", 2).hash);
        assert_ne!(of("a", 1).id(), of("b", 1).id());
    }
}
