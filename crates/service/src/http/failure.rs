//! Refusals and failures as the one error shape.

use crate::secret::RandomError;
use crate::store::{StoreError, WorkError};
use aispace_api::{ErrorAnswer, ErrorCode};
use aispace_ledger::Refusal;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A call that was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    answer: ErrorAnswer,
    source: Source,
}

/// What a call failed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// What was asked, or the service itself.
    Call,
    /// Another transaction that was in the way.
    Conflict,
    /// The database.
    Database,
}

/// What an answer says of a call that was not done, for whoever counts; it is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: ErrorCode,
    pub(crate) source: Source,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let answer = ErrorAnswer { code, message: message.into(), details: BTreeMap::new() };
        Self { status: status_of(code), answer, source: Source::Call }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.answer.details.insert(name.to_string(), value.to_string());
        self
    }

    /// The same code under another status, for what HTTP has a word of its own for.
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Whether the body or a parameter is not as documented.
    pub(crate) fn is_invalid(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(ErrorCode::Unauthorized, "no valid credential: sign in again with a Secure Key that has not been revoked")
    }

    pub(crate) fn unknown_account() -> Self {
        Self::new(ErrorCode::UnknownAccount, "there is no account of this id")
    }

    pub(crate) fn unknown_order() -> Self {
        Self::new(ErrorCode::NotFound, "there is no order of this id")
    }

    /// What the caller is told.
    pub(crate) fn into_answer(self) -> ErrorAnswer {
        self.answer
    }

    fn busy() -> Self {
        Self::new(ErrorCode::Internal, "the account is busy; repeat the call with the same Idempotency-Key: it takes effect once")
            .status(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The service's own fault: logged in full, told in general.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(ErrorCode::Internal, "the service failed; repeat the call with the same Idempotency-Key: it takes effect once")
    }
}

/// The status that a code is answered with.
pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::WrongSecret | ErrorCode::NotThePayer => StatusCode::FORBIDDEN,
        ErrorCode::NotFound
        | ErrorCode::UnknownAccount
        | ErrorCode::UnknownBatch
        | ErrorCode::UnknownHold
        | ErrorCode::UnknownEntry
        | ErrorCode::UnknownPayment => StatusCode::NOT_FOUND,
        ErrorCode::InvalidRequest | ErrorCode::IdempotencyKeyMissing => StatusCode::BAD_REQUEST,
        ErrorCode::KeyConflict
        | ErrorCode::NotPaidYet
        | ErrorCode::BatchClosed
        | ErrorCode::HoldClosed
        | ErrorCode::HoldExpired
        | ErrorCode::PaymentTaken => StatusCode::CONFLICT,
        ErrorCode::InsufficientCredits => StatusCode::PAYMENT_REQUIRED,
        ErrorCode::InvalidAmount
        | ErrorCode::InvalidExpiry
        | ErrorCode::ClaimExpired
        | ErrorCode::RefundExceeds
        | ErrorCode::UnknownCard
        | ErrorCode::UnknownModel
        | ErrorCode::NotPriced => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::PriceUnavailable | ErrorCode::CardUnavailable | ErrorCode::ChainUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal | ErrorCode::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let refused = Refused { code: self.answer.code, source: self.source };
        let mut response = (self.status, Json(self.answer)).into_response();
        response.extensions_mut().insert(refused);
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_conflict() {
            // It is done again, and only told when that did not help.
            return Self { source: Source::Conflict, ..Self::busy() };
        }
        if error.is_unwritable() {
            tracing::error!(%error, "nothing can be written");
            let unwritable = Self::new(
                ErrorCode::Internal,
                "the service cannot write at the moment; repeat the call later with the same Idempotency-Key: it takes effect once",
            );
            return Self { source: Source::Database, ..unwritable.status(StatusCode::SERVICE_UNAVAILABLE) };
        }
        Self { source: Source::Database, ..Self::internal(&error) }
    }
}

impl WorkError for Failure {
    fn is_conflict(&self) -> bool {
        self.source == Source::Conflict
    }
}

impl From<RandomError> for Failure {
    fn from(error: RandomError) -> Self {
        Self::internal(&error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::InsufficientCredits { needed, available } => {
                Self::new(ErrorCode::InsufficientCredits, message).with("needed_credits", needed).with("available_credits", available)
            }
            Refusal::InvalidAmount { amount } => Self::new(ErrorCode::InvalidAmount, message).with("credits", amount),
            Refusal::InvalidExpiry { starts, .. } => Self::new(ErrorCode::InvalidExpiry, message).with("starts", instant(starts)),
            Refusal::UnknownBatch { batch } => Self::new(ErrorCode::UnknownBatch, message).with("batch_id", batch),
            Refusal::BatchClosed { batch } => Self::new(ErrorCode::BatchClosed, message).with("batch_id", batch),
            Refusal::UnknownHold { hold } => Self::new(ErrorCode::UnknownHold, message).with("hold_id", hold),
            Refusal::HoldClosed { hold } => Self::new(ErrorCode::HoldClosed, message).with("hold_id", hold),
            Refusal::HoldExpired { hold, expired } => {
                Self::new(ErrorCode::HoldExpired, message).with("hold_id", hold).with("expired", instant(expired))
            }
            Refusal::UnknownEntry { sequence } => Self::new(ErrorCode::UnknownEntry, message).with("sequence", sequence),
            Refusal::RefundExceeds { amount, refundable } => {
                Self::new(ErrorCode::RefundExceeds, message).with("credits", amount).with("refundable_credits", refundable)
            }
            // Ids are 128 random bits; the enum may grow.
            other => Self::internal(&other),
        }
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
