//! What an account holds and what it used.

use crate::{Explanation, RunDescription, metering};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `GET /v1/account`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountAnswer {
    /// Opaque account id.
    pub account_id: String,
    /// The service's clock when it answered.
    pub server_time: DateTime<Utc>,
    /// Credits free to spend at `server_time`.
    pub available_credits: NanoCredits,
    /// Batches with free credits in the order they will be drawn, then others (newest end first, at most 50).
    pub batches: Vec<BatchAnswer>,
    /// Credits that pending holds reserve.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub held_credits: NanoCredits,
    /// Pending holds, the oldest first.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub holds: Vec<HoldAnswer>,
    /// Credits that are owed; while there are any, nothing is free.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub debt_credits: NanoCredits,
    /// Open debt by charge, the oldest first.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub debts: Vec<DebtAnswer>,
    /// Credits of the batch that every UTC midnight adds; absent without a daily allowance.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub allowance_credits_per_day: Option<NanoCredits>,
    /// The live batch that ends first, with what is left of it.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Sequence number of the newest posted entry, for "did anything change".
    pub entry_count: u64,
}

/// A pending hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldAnswer {
    /// Opaque hold id.
    pub hold_id: String,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// The first instant at which it is gone.
    pub expires: DateTime<Utc>,
    /// What it reserves.
    pub held_credits: NanoCredits,
    /// What is run, when it was said.
    pub run: Option<RunDescription>,
}

/// What a charge left unpaid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DebtAnswer {
    /// Sequence number of the charge.
    pub sequence: u64,
    /// What is still owed.
    pub open_credits: NanoCredits,
}

/// A batch of credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What was left when it expired, and what came back to it after its end.
    pub lapsed_credits: NanoCredits,
    /// What pending holds reserve of it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub held_credits: NanoCredits,
    /// What was left when it was voided.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub voided_credits: NanoCredits,
    /// When it was voided.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub voided_at: Option<DateTime<Utc>>,
    /// Whether it can still be drawn from.
    pub state: BatchState,
}

/// Where a batch came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Has credits, free or held, and has not ended.
    Live,
    /// Has not ended and is used up.
    Spent,
    /// Ended; what was left lapsed.
    Expired,
    /// Taken away before its end.
    Voided,
}

/// `GET /v1/account/usage`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageEntry {
    /// Opaque entry id.
    pub entry_id: String,
    /// Position in the account's log, from 1.
    pub sequence: u64,
    /// When it took effect.
    pub at: DateTime<Utc>,
    /// What kind of entry.
    pub kind: UsageKind,
    /// Change of what the batches have, free or held: negative for a charge, a lapse or a void.
    pub change_credits: NanoCreditSum,
    /// The run, for an entry that names one.
    pub run: Option<RunDescription>,
    /// Change of what is held; what is free changes by `change_credits` less this.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub held_change_credits: NanoCreditSum,
    /// Change of what is owed.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub debt_change_credits: NanoCreditSum,
    /// The hold, for an entry about one.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub hold_id: Option<String>,
    /// Sequence number of the charge that a refund gives back.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub charge_sequence: Option<u64>,
    /// Why, for a refund that says so.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub note: Option<String>,
    /// Why it was charged or held what it was, for a metered run; absent where a newer service explains it in a form that is not known here.
    #[serde(default, deserialize_with = "metering::known", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Explanation>))]
    pub explanation: Option<Box<Explanation>>,
}

/// Kinds of posted entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    /// A batch was added.
    BatchAdded,
    /// A run was charged.
    Debit,
    /// A batch expired with credits left, or credits came back to one that had ended.
    Expired,
    /// Credits were reserved for a run.
    Held,
    /// A run that was held for was charged.
    Settled,
    /// A hold ended without a charge.
    Released,
    /// A hold ended by itself.
    TimedOut,
    /// The rest of a batch was taken away.
    Voided,
    /// A charge was given back, in part or whole.
    Refunded,
    /// Credit that had become free paid debt.
    DebtPaid,
    /// The daily allowance was set.
    AllowanceSet,
    /// A kind of a newer service.
    #[serde(other)]
    Unknown,
}

/// What `GET /v1/account/events` says: the balance, at once and whenever it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BalanceEvent {
    /// The service's clock.
    pub server_time: DateTime<Utc>,
    /// Credits that can be drawn.
    pub available_credits: NanoCredits,
    /// Credits that holds reserve.
    pub held_credits: NanoCredits,
    /// Credits that are owed.
    pub debt_credits: NanoCredits,
    /// When the next batch with free credits ends.
    pub next_expiry: Option<DateTime<Utc>>,
    /// Entries of the log.
    pub entry_count: u64,
}

impl BalanceEvent {
    /// Whether anything but the time differs.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        Self { server_time: other.server_time, ..self.clone() } != *other
    }
}
