//! The account aggregate: live batches and the head of the log.

use crate::batch::{AccountId, Batch, BatchId, BatchSource, draw};
use crate::entry::{Entry, EntryHash, EntryKind};
use crate::time::{after, whole_milliseconds};
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCreditSum, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};

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

/// An account: its batches that still hold credits, in draw order, and the head of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    head: Head,
    live: Vec<Batch>,
}

/// A batch to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// Its id, chosen by the caller.
    pub id: BatchId,
    /// Where it comes from.
    pub source: BatchSource,
    /// A word for people.
    pub note: Option<String>,
    /// What it holds; above zero.
    pub amount: NanoCredits,
    /// The first instant at which it is gone; 30 × 86,400 s after its start when absent.
    pub expires: Option<DateTime<Utc>>,
}

/// What a write posts: to be stored whole, in one transaction, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// New entries in order; the last one is the call's own, those before are expiries that were due.
    pub entries: Vec<Entry>,
    /// Every batch that is new or changed, as it stands afterwards.
    pub changed: Vec<Batch>,
    /// The account afterwards.
    pub account: Account,
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
    /// A batch of nothing, or one that takes the account above the ledger's range.
    #[error("{amount} is not an amount that can be added")]
    InvalidAmount {
        /// The amount.
        amount: NanoCredits,
    },
    /// A batch that would end before it starts.
    #[error("an expiry of {expires} is not after the start at {starts}")]
    InvalidExpiry {
        /// The end asked for.
        expires: DateTime<Utc>,
        /// When the batch would start.
        starts: DateTime<Utc>,
    },
    /// The batch id is in use among the account's live batches.
    #[error("a batch {batch} exists already")]
    DuplicateBatch {
        /// The id.
        batch: BatchId,
    },
}

/// An account at an instant, computed without writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The effective instant.
    pub at: DateTime<Utc>,
    /// Live batches in draw order.
    pub live: Vec<Batch>,
    /// Batches that expired and whose expiry no write has posted yet, as they stand after it.
    pub lapsed: Vec<Batch>,
    /// The entries that the next write will post for them.
    pub due: Vec<Entry>,
    /// The sum of what is live.
    pub available: NanoCredits,
    /// When the next live batch ends.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Entries of the log, those due included.
    pub entry_count: u64,
}

impl Account {
    /// Opens an account with an empty log.
    #[must_use]
    pub fn open(id: AccountId) -> Self {
        let head = Head { entry_count: 0, last_hash: EntryHash::genesis(&id), latest: None };
        Self { id, head, live: Vec::new() }
    }

    /// Takes a stored account up again; batches without credits are left out.
    #[must_use]
    pub fn restore(id: AccountId, head: Head, batches: Vec<Batch>) -> Self {
        let mut live: Vec<Batch> = batches.into_iter().filter(|b| !b.left.is_zero()).collect();
        live.sort_by_key(Batch::draw_key);
        Self { id, head, live }
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

    /// The instant at which an event of `now` takes effect: never before the newest entry.
    #[must_use]
    pub fn effective_time(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let now = whole_milliseconds(now);
        self.head.latest.map_or(now, |latest| latest.max(now))
    }

    /// The account at an instant, every expiry due counted.
    #[must_use]
    pub fn view_at(&self, now: DateTime<Utc>) -> View {
        let at = self.effective_time(now);
        let posting = self.post_due(at);
        let live: Vec<Batch> = posting.account.live.iter().filter(|b| b.is_live(at)).cloned().collect();
        View {
            at,
            available: sum(&live),
            next_expiry: live.iter().map(|b| b.expires).min(),
            entry_count: posting.account.head.entry_count,
            live,
            lapsed: posting.changed,
            due: posting.entries,
        }
    }

    /// Posts a batch.
    ///
    /// # Errors
    /// [`Refusal::InvalidAmount`] for zero or when the account would hold more than the ledger's
    /// range; [`Refusal::InvalidExpiry`] unless the end is after the start; [`Refusal::DuplicateBatch`].
    pub fn grant(&self, now: DateTime<Utc>, batch: NewBatch) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let expires = batch.expires.map_or_else(|| after(at, TimeDelta::seconds(BATCH_LIFETIME_SECONDS)), whole_milliseconds);
        if expires <= at {
            return Err(Refusal::InvalidExpiry { expires, starts: at });
        }
        let mut posting = self.post_due(at);
        let fits = sum(&posting.account.live).checked_add(batch.amount).is_some();
        if batch.amount.is_zero() || !fits {
            return Err(Refusal::InvalidAmount { amount: batch.amount });
        }
        if posting.account.live.iter().any(|b| b.id == batch.id) {
            return Err(Refusal::DuplicateBatch { batch: batch.id });
        }
        let NewBatch { id, source, note, amount, .. } = batch;
        let seq = posting.append(at, EntryKind::BatchAdded { batch: id.clone(), source, note: note.clone(), expires, amount });
        let added = Batch { id, seq, source, note, added: at, expires, granted: amount, left: amount, lapsed: NanoCredits::ZERO };
        posting.put(added);
        Ok(posting)
    }

    /// Posts a debit, drawn first in first out. Zero is allowed and posted.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`] above what is available; nothing is drawn then.
    pub fn debit(&self, now: DateTime<Utc>, amount: NanoCredits, memo: Option<String>) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let mut posting = self.post_due(at);
        let plan = draw(&posting.account.live, amount, at);
        if !plan.shortfall.is_zero() {
            let available = amount.checked_sub(plan.shortfall).unwrap_or(NanoCredits::ZERO);
            return Err(Refusal::InsufficientCredits { needed: amount, available });
        }
        for part in &plan.taken {
            if let Some(batch) = posting.account.live.iter().find(|b| b.id == part.batch) {
                let left = batch.left.checked_sub(part.amount).expect("a plan takes at most what is left");
                posting.put(Batch { left, ..batch.clone() });
            }
        }
        posting.append(at, EntryKind::Debit { taken: plan.taken, memo });
        Ok(posting)
    }

    /// Posts every expiry due at an instant, in order of expiry, then of posting, each at its own time.
    fn post_due(&self, at: DateTime<Utc>) -> Posting {
        let mut due: Vec<Batch> = self.live.iter().filter(|b| b.expires <= at).cloned().collect();
        due.sort_by_key(|b| (b.expires, b.seq));
        let mut posting = Posting { entries: Vec::new(), changed: Vec::new(), account: self.clone() };
        for batch in due {
            posting.append(batch.expires, EntryKind::Expired { batch: batch.id.clone(), amount: batch.left });
            posting.put(Batch { lapsed: batch.left, left: NanoCredits::ZERO, ..batch });
        }
        posting
    }
}

impl Posting {
    /// The call's own entry: the last one.
    #[must_use]
    pub fn own_entry(&self) -> Option<&Entry> {
        self.entries.last()
    }

    fn append(&mut self, at: DateTime<Utc>, kind: EntryKind) -> u64 {
        let head = self.account.head;
        let sequence = head.entry_count.saturating_add(1);
        let entry = Entry::chained(head.last_hash, sequence, at, kind);
        self.account.head = Head { entry_count: sequence, last_hash: entry.hash, latest: Some(at) };
        self.entries.push(entry);
        sequence
    }

    fn put(&mut self, batch: Batch) {
        self.changed.retain(|b| b.id != batch.id);
        self.account.live.retain(|b| b.id != batch.id);
        self.changed.push(batch.clone());
        if !batch.left.is_zero() {
            self.account.live.push(batch);
            self.account.live.sort_by_key(Batch::draw_key);
        }
    }
}

/// The sum of what is left. `grant` keeps it in range, so it saturates only for a store that was tampered with.
fn sum(batches: &[Batch]) -> NanoCredits {
    let most = NanoCredits::from_nanos(i64::MAX).unwrap_or_default();
    NanoCredits::try_from(NanoCreditSum::total(batches.iter().map(|b| b.left))).unwrap_or(most)
}
