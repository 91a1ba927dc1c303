//! Versioned wire types of the account service (`/v1`).
//!
//! Money crosses as decimal strings, instants as RFC 3339 in UTC, and every field names its unit.
//! Secrets (`secret`, `secure_key`) appear in two messages only and their types have no `Debug`.

mod account;
mod error;
mod ledger;
mod metering;
mod order;
#[cfg(feature = "openapi")]
pub mod schema;
mod strict;

pub use account::{
    AccountAnswer, BalanceEvent, BatchAnswer, BatchSource, BatchState, DebtAnswer, HoldAnswer, UsageAnswer, UsageEntry, UsageKind,
};
pub use error::{ErrorAnswer, ErrorCode};
pub use ledger::{
    AccountOpened, AllowanceRequest, DebitRequest, GrantRequest, HealthAnswer, HoldRequest, OpenAccountRequest, PartHealth, PostedAnswer,
    RefundRequest, ReleaseRequest, RunDescription, SealedSecret, SettleRequest, TestClockRequest, VoidRequest,
};
pub use metering::{
    CardVersion, CostRange, Count, CountRange, EXPLANATION_BYTES_MAX, EXPLANATION_FORMAT, Explained, Explanation, ExplanationLine, Extra,
    LineRole, MeteredRun, Number, PostingRule, Sound, Switch, TokenConvention, TokenCounts,
};
pub use order::{
    AnyOrderAnswer, AssignPaymentRequest, Attribution, BlockFinality, CardOrderAnswer, CardStatus, ClaimAnswer, ClaimRequest,
    ClosePaymentRequest, HashClaimRequest, HeldReason, OrderAnswer, OrderRequest, OrderStatus, PayMethod, PaymentAnswer, PaymentOutcome,
    PaymentRecord, PaymentsAnswer, PriceSourceAnswer, QuoteAnswer, WaitsFor,
};
pub use strict::{instant, is_id, is_plain_decimal, is_word};

/// Header that makes a POST harmless to repeat.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
