//! What an account holds and what it used.

use crate::RunDescription;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `GET /v1/account`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAnswer {
    /// Opaque account id.
    pub account_id: String,
    /// The service's clock when it answered.
    pub server_time: DateTime<Utc>,
    /// Credits free to spend at `server_time`.
    pub available_credits: NanoCredits,
    /// Live batches in the order they will be drawn, then ended ones (newest end first, at most 50).
    pub batches: Vec<BatchAnswer>,
    /// The live batch that ends first, with what is left of it.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Sequence number of the newest posted entry, for "did anything change".
    pub entry_count: u64,
}

/// A batch of credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// Opaque batch id.
    pub batch_id: String,
    /// Where it came from.
    pub source: BatchSource,
    /// A word for people, for example the order's id.
    pub note: Option<String>,
    /// When it was added.
    pub added: DateTime<Utc>,
    /// The first instant at which it is gone.
    pub expires: DateTime<Utc>,
    /// What it held at first.
    pub granted_credits: NanoCredits,
    /// What is left of it; what lapsed, for an expired one, is in `lapsed_credits`.
    pub left_credits: NanoCredits,
    /// What was left when it expired; zero while it lives.
    pub lapsed_credits: NanoCredits,
    /// Whether it can still be drawn from.
    pub state: BatchState,
}

/// Where a batch came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSource {
    /// Bought with ether on Base.
    EthPurchase,
    /// Bought by card.
    CardPurchase,
    /// Given by the operator.
    Grant,
    /// The daily allowance.
    DailyRenewal,
}

/// The state of a batch at the answer's `server_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Has credits and has not ended.
    Live,
    /// Has not ended and is used up.
    Spent,
    /// Ended; what was left lapsed.
    Expired,
}

/// `GET /v1/account/usage`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageAnswer {
    /// The service's clock when it answered.
    pub server_time: DateTime<Utc>,
    /// The page.
    pub entries: Vec<UsageEntry>,
    /// Pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// A posted entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageEntry {
    /// Opaque entry id.
    pub entry_id: String,
    /// Position in the account's log, from 1.
    pub sequence: u64,
    /// When it took effect.
    pub at: DateTime<Utc>,
    /// What kind of entry.
    pub kind: UsageKind,
    /// Change of the balance: negative for a debit or a lapse.
    pub change_credits: NanoCreditSum,
    /// The run, for a debit that names one.
    pub run: Option<RunDescription>,
}

/// Kinds of posted entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    /// A batch was added.
    BatchAdded,
    /// A run was charged.
    Debit,
    /// A batch expired with credits left.
    Expired,
}
