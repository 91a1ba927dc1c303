//! Why Stripe gave no usable answer.

use crate::EndpointError;

/// Why a call of Stripe's API failed. Never holds a key; Stripe's own words are cut and cleaned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StripeError {
    /// The address of the API cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Nobody answered, or not in time.
    #[error("Stripe cannot be reached: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// It asked to wait (409, 429) or failed itself (5xx), each time it was asked.
    #[error("Stripe cannot answer now (HTTP {status}); the same call may go through later")]
    Unavailable {
        /// The last HTTP status.
        status: u16,
    },
    /// It does not take the key (401), or the key may not do this (403).
    #[error("Stripe does not accept this service's key for that (HTTP {status}): {message}")]
    KeyRefused {
        /// HTTP status.
        status: u16,
        /// In Stripe's words.
        message: String,
    },
    /// It has no such object (404).
    #[error("Stripe knows no such object: {message}")]
    NotFound {
        /// In Stripe's words.
        message: String,
    },
    /// It refused the request.
    #[error("Stripe refused the request (HTTP {status}, {code}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its code or, without one, its type of error.
        code: String,
        /// In Stripe's words.
        message: String,
    },
    /// The answer is not what its documentation describes.
    #[error("Stripe's answer cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
}

impl StripeError {
    /// Whether the same call may go through later, without anything being changed here.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Unavailable { .. })
    }

    pub(super) fn unreadable(reason: impl ToString) -> Self {
        Self::Unreadable { reason: short(&reason.to_string()) }
    }
}

/// What a stranger wrote, cut and cleaned for a message.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}
