//! What the app keeps about a payment and about an account.

use crate::view::PaymentState;
use aispace_api::{AccountAnswer, UsageEntry};
use aispace_units::{NanoCredits, Usd, Wei};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account as last read from the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownAccount {
    /// What the service said.
    pub(crate) answer: AccountAnswer,
    /// The newest entries, newest first.
    pub(crate) usage: Vec<UsageEntry>,
    /// How far the service's clock is ahead of ours, in milliseconds.
    pub(crate) clock_offset_ms: i64,
}

/// A payment from the moment it was signed. Holds no secret: the signed bytes become public when they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaymentRecord {
    pub(crate) order_id: String,
    pub(crate) state: PaymentState,
    pub(crate) usd: Usd,
    /// Ordered, then credited.
    pub(crate) credits: NanoCredits,
    pub(crate) value_wei: Wei,
    pub(crate) fee_wei: Option<Wei>,
    pub(crate) from: String,
    pub(crate) nonce: u64,
    pub(crate) transaction_hash: String,
    /// The signed bytes, hex: the same may be sent again, others may not.
    pub(crate) raw: String,
    pub(crate) block_number: Option<u64>,
    pub(crate) top_up: bool,
    /// When each state was reached.
    pub(crate) reached: BTreeMap<PaymentState, DateTime<Utc>>,
    /// Whether the person has put it away.
    #[serde(default)]
    pub(crate) put_away: bool,
}

impl PaymentRecord {
    /// Moves on to a state, once.
    pub(crate) fn reach(&mut self, state: PaymentState, at: DateTime<Utc>) {
        self.reached.entry(state).or_insert(at);
        self.state = state;
    }

    /// Whether the app still has something to do for it.
    pub(crate) fn is_open(&self) -> bool {
        match self.state {
            PaymentState::Signed | PaymentState::Sent | PaymentState::Seen | PaymentState::Confirmed | PaymentState::Credited => true,
            PaymentState::Done | PaymentState::Reverted | PaymentState::Dropped => false,
        }
    }
}
