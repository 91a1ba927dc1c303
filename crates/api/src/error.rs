//! The one error shape of the service.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a refused call answers, whatever the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorAnswer {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong, for people.
    pub message: String,
    /// Figures that belong to it (`available_credits`, `needed_credits` …), as strings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Codes of the service. The ledger's refusals keep the ledger's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No, an unknown or a revoked credential (401).
    Unauthorized,
    /// A credential of the wrong kind for this call (403).
    Forbidden,
    /// No such thing, or not yours (404).
    NotFound,
    /// The body or a parameter is not as documented (400).
    InvalidRequest,
    /// `Idempotency-Key` is missing (400).
    IdempotencyKeyMissing,
    /// The key was used before with another body (409).
    KeyConflict,
    /// More credits asked for than are available (402).
    InsufficientCredits,
    /// Zero where it makes no sense, negative, too fine or too large (422).
    InvalidAmount,
    /// An expiry that is not after its start (422).
    InvalidExpiry,
    /// No such account (404).
    UnknownAccount,
    /// The claim secret does not belong to this order (403).
    WrongSecret,
    /// The order has no payment to hand anything out for yet (409).
    NotPaidYet,
    /// No payment of this transaction was seen at the payment address (404).
    UnknownPayment,
    /// The signature is not of whoever made the payment (403).
    NotThePayer,
    /// The payment was credited, or belongs to somebody's claim secret (409).
    PaymentTaken,
    /// The claim's deadline has passed, or is more than an hour ahead (422).
    ClaimExpired,
    /// The chain cannot be read at the moment (503).
    ChainUnavailable,
    /// Too few price sources answer or agree (503).
    PriceUnavailable,
    /// Cards are not taken here, or not at the moment (503).
    CardUnavailable,
    /// The account has no such batch (404).
    UnknownBatch,
    /// The batch has expired or was voided (409).
    BatchClosed,
    /// The account has no such hold (404).
    UnknownHold,
    /// The hold was settled or released (409).
    HoldClosed,
    /// The hold ended by itself; the run is charged by a new debit (409).
    HoldExpired,
    /// The account has no charge of this number (404).
    UnknownEntry,
    /// More than is left of the charge (422).
    RefundExceeds,
    /// Asked too often, or too many wrong credentials from this network address (429); `retry_after_seconds`, as in `Retry-After`.
    RateLimited,
    /// No such rate card, or no such version of it (422); `cards` or `versions` that there are.
    UnknownCard,
    /// The rate card has no such model (422); `nearest`.
    UnknownModel,
    /// A metered run without an exact price (422); `reason`, and what would have one.
    NotPriced,
    /// The service itself failed (500).
    Internal,
    /// A code of a newer service.
    #[serde(other)]
    Unknown,
}
