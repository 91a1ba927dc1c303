//! The account aggregate: batches, holds, debt, the allowance and the head of the log.

use crate::batch::{AccountId, Batch, BatchId, HoldId, Taken};
use crate::entry::{Entry, EntryHash};
use crate::index::Index;
use crate::line::Line;
use crate::posted::Posted;
use crate::time::whole_milliseconds;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// Where an account's log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries are posted.
    pub entry_count: u64,
    /// Hash of the newest one, or the genesis hash.
    pub last_hash: EntryHash,
    /// Instant of the newest one: no later event may be dated before it.
    pub latest: Option<DateTime<Utc>>,
}

/// An account: its batches that still have or hold credits, in draw order, what is pending, and the head of its log.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) id: AccountId,
    pub(crate) head: Head,
    // Those that are not spent, in draw order.
    pub(crate) batches: Line<Batch>,
    // In the order they were made.
    pub(crate) holds: Line<Hold>,
    // The oldest first.
    pub(crate) debts: Line<Debt>,
    pub(crate) allowance: Option<Allowance>,
    pub(crate) index: Index,
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, head, batches, holds, debts, allowance, index: _ } = self;
        (id, head, batches, holds, debts, allowance)
            == (&other.id, &other.head, &other.batches, &other.holds, &other.debts, &other.allowance)
    }
}

impl Eq for Account {}

/// Credits reserved for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Sequence number of the entry that made it.
    pub seq: u64,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// The first instant at which it is gone.
    pub expires: DateTime<Utc>,
    /// What each batch reserves, in draw order.
    pub parts: Vec<Taken>,
    /// What is run, opaque to the ledger.
    pub memo: Option<String>,
}

impl Hold {
    /// What it reserves in all.
    #[must_use]
    pub fn amount(&self) -> NanoCredits {
        total(self.parts.iter().map(|p| p.amount))
    }
}

/// What a charge left unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debt {
    /// Sequence number of the charge.
    pub charge: u64,
    /// What is still owed; above zero.
    pub open: NanoCredits,
}

/// A batch at every UTC midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Credits of each batch; above zero.
    pub amount: NanoCredits,
    /// The last midnight that was posted, or when it was set: midnights after this are due.
    pub since: DateTime<Utc>,
}

/// Why nothing was posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More than is available; nothing was drawn.
    #[error("{needed} credits are needed and {available} are available")]
    InsufficientCredits {
        /// What was asked for.
        needed: NanoCredits,
        /// What is available.
        available: NanoCredits,
    },
    /// An amount that this call does not take: a batch of nothing, or one that takes the account above the ledger's range.
    #[error("{amount} is not an amount that this call takes")]
    InvalidAmount {
        /// The amount.
        amount: NanoCredits,
    },
    /// A batch or a hold that would end before it starts.
    #[error("an expiry of {expires} is not after the start at {starts}")]
    InvalidExpiry {
        /// The end asked for.
        expires: DateTime<Utc>,
        /// When it would start.
        starts: DateTime<Utc>,
    },
    /// The batch id is in use in the account, or kept for a day's allowance.
    #[error("a batch {batch} exists already")]
    DuplicateBatch {
        /// The id.
        batch: BatchId,
    },
    /// The hold id is in use in the account.
    #[error("a hold {hold} exists already")]
    DuplicateHold {
        /// The id.
        hold: HoldId,
    },
    /// The account has no such batch.
    #[error("there is no batch {batch}")]
    UnknownBatch {
        /// The id.
        batch: BatchId,
    },
    /// The batch has expired or was voided.
    #[error("the batch {batch} has ended")]
    BatchClosed {
        /// The id.
        batch: BatchId,
    },
    /// The account has no such hold.
    #[error("there is no hold {hold}")]
    UnknownHold {
        /// The id.
        hold: HoldId,
    },
    /// The hold was settled or released.
    #[error("the hold {hold} was settled or released")]
    HoldClosed {
        /// The id.
        hold: HoldId,
    },
    /// The hold timed out; the run is charged by a new debit.
    #[error("the hold {hold} ended by itself at {expired}; charge the run by a new debit")]
    HoldExpired {
        /// The id.
        hold: HoldId,
        /// When it ended.
        expired: DateTime<Utc>,
    },
    /// The log has no charge of this number.
    #[error("entry {sequence} is no charge of this account")]
    UnknownEntry {
        /// The number.
        sequence: u64,
    },
    /// More than is left of the charge.
    #[error("{amount} is more than the {refundable} that can be refunded")]
    RefundExceeds {
        /// What was asked for.
        amount: NanoCredits,
        /// What can still be refunded.
        refundable: NanoCredits,
    },
}

/// An account at an instant, computed without writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The effective instant.
    pub at: DateTime<Utc>,
    /// Batches with credits to draw, in draw order.
    pub live: Vec<Batch>,
    /// Batches that something happened to and that no write has posted yet, as they stand after it.
    pub lapsed: Vec<Batch>,
    /// Pending holds, the oldest first.
    pub holds: Vec<Hold>,
    /// Open debt, the oldest first.
    pub debts: Vec<Debt>,
    /// The daily allowance.
    pub allowance: Option<Allowance>,
    /// The entries that the next write will post before its own.
    pub due: Vec<Entry>,
    /// The sum of what is live.
    pub available: NanoCredits,
    /// The sum of what is held.
    pub held: NanoCredits,
    /// The sum of what is owed.
    pub debt: NanoCredits,
    /// When the next live batch ends.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Entries of the log, those due included.
    pub entry_count: u64,
}

/// What an account has at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The effective instant.
    pub at: DateTime<Utc>,
    /// The sum of what is live.
    pub available: NanoCredits,
    /// The sum of what is held.
    pub held: NanoCredits,
    /// The sum of what is owed.
    pub debt: NanoCredits,
    /// When the next live batch ends.
    pub next_expiry: Option<DateTime<Utc>>,
}

/// An account as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its id.
    pub id: AccountId,
    /// The head of its log.
    pub head: Head,
    /// Its batches; those that are spent may be left out.
    pub batches: Vec<Batch>,
    /// Its pending holds.
    pub holds: Vec<Hold>,
    /// Its open debt.
    pub debts: Vec<Debt>,
    /// Its daily allowance.
    pub allowance: Option<Allowance>,
}

impl Account {
    /// Opens an account with an empty log.
    #[must_use]
    pub fn open(id: AccountId) -> Self {
        let head = Head { entry_count: 0, last_hash: EntryHash::genesis(&id), latest: None };
        let (batches, holds, debts) = (Vec::new().into(), Vec::new().into(), Vec::new().into());
        Self { id, head, batches, holds, debts, allowance: None, index: Index::default() }
    }

    /// Takes a stored account up again.
    #[must_use]
    pub fn restore(stored: StoredAccount) -> Self {
        let StoredAccount { id, head, batches, mut holds, mut debts, allowance } = stored;
        let mut batches: Vec<Batch> = batches.into_iter().filter(|b| !b.is_spent()).collect();
        batches.sort_by_key(Batch::draw_key);
        holds.sort_by_key(|hold| hold.seq);
        debts.sort_by_key(|debt| debt.charge);
        let mut index = Index::default();
        batches.iter().for_each(|batch| index.add_batch(batch));
        holds.iter().for_each(|hold| index.add_hold(hold));
        index.renew(None, allowance);
        Self { id, head, batches: batches.into(), holds: holds.into(), debts: debts.into(), allowance, index }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// The head of its log.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Its pending holds, the oldest first.
    #[must_use]
    pub fn holds(&self) -> &[Hold] {
        self.holds.as_slice()
    }

    /// Its open debt, the oldest first.
    #[must_use]
    pub fn debts(&self) -> &[Debt] {
        self.debts.as_slice()
    }

    /// Its daily allowance.
    #[must_use]
    pub fn allowance(&self) -> Option<Allowance> {
        self.allowance
    }

    /// Its batches that are not spent, in draw order.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        self.batches.as_slice()
    }

    /// The instant at which an event of `now` takes effect: never before the newest entry.
    #[must_use]
    pub fn effective_time(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let now = whole_milliseconds(now);
        self.head.latest.map_or(now, |latest| latest.max(now))
    }

    /// The account at an instant, everything due counted.
    #[must_use]
    pub fn view_at(&self, now: DateTime<Utc>) -> View {
        let at = self.effective_time(now);
        let mut posted = Posted::new();
        let account = self.at(at, &mut posted);
        let Balance { available, held, debt, next_expiry, .. } = account.balance(at);
        View {
            at,
            live: account.live(at).cloned().collect(),
            lapsed: posted.changed,
            holds: account.holds().to_vec(),
            debts: account.debts().to_vec(),
            allowance: account.allowance,
            due: posted.entries,
            available,
            held,
            debt,
            next_expiry,
            entry_count: account.head.entry_count,
        }
    }

    /// What the account has at an instant, everything due counted: [`Account::view_at`] in short.
    #[must_use]
    pub fn balance_at(&self, now: DateTime<Utc>) -> Balance {
        let at = self.effective_time(now);
        self.at(at, &mut Posted::new()).balance(at)
    }

    fn at(&self, at: DateTime<Utc>, posted: &mut Posted) -> Cow<'_, Self> {
        if self.index.is_due(at) { Cow::Owned(self.passed(at, posted)) } else { Cow::Borrowed(self) }
    }

    pub(crate) fn balance(&self, at: DateTime<Utc>) -> Balance {
        Balance {
            at,
            available: self.available(at),
            held: total(self.batches().iter().map(|b| b.held)),
            debt: total(self.debts().iter().map(|d| d.open)),
            next_expiry: self.live(at).map(|b| b.expires).min(),
        }
    }

    fn live(&self, at: DateTime<Utc>) -> impl Iterator<Item = &Batch> {
        self.batches().iter().filter(move |b| b.is_live(at))
    }

    pub(crate) fn available(&self, at: DateTime<Utc>) -> NanoCredits {
        total(self.live(at).map(|b| b.left))
    }
}

/// A sum. Calls keep it in range, so it saturates only for a store that was tampered with.
pub(crate) fn total(amounts: impl IntoIterator<Item = NanoCredits>) -> NanoCredits {
    let most = NanoCredits::from_nanos(i64::MAX).unwrap_or_default();
    NanoCredits::try_from(NanoCreditSum::total(amounts)).unwrap_or(most)
}
