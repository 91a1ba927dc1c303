//! Card payments over Stripe's own API: Checkout Sessions, refunds, disputes, and the webhook that tells of them.
//!
//! Stripe delivers an event more than once, late, in any order, or not at all ("Receive Stripe events in your webhook endpoint"
//! in its documentation). So an event is only a hint about which payment changed: what counts is what [`Stripe::payment`] reads
//! afterwards. The API reference's pages "Checkout Sessions", "Refunds", "Disputes", "Events", "Idempotent requests" and
//! "Errors" are what this follows, at the version [`API_VERSION`].
//!
//! Amounts are whole cents of US dollars. A session is made without Adaptive Pricing, so it is charged, refunded and disputed in
//! the currency it was made in.

mod client;
mod error;
mod event;
mod form;
mod ids;
mod money;
mod objects;
mod secrets;
mod signature;

pub use client::{API_VERSION, NewSession, SESSION_LIFETIME_MAX, SESSION_LIFETIME_MIN, Stripe, StripeSettings};
pub use error::StripeError;
pub use event::{Event, EventError, Subject};
pub use ids::{EventId, IdError, PaymentIntentId, SessionId};
pub use money::{CentsError, UsdCents};
pub use objects::{CardPayment, Dispute, DisputeStatus, PaymentStatus, Refund, RefundStatus, Session, SessionStatus};
pub use secrets::{SecretError, StripeKey, WebhookSecret};
pub use signature::{SIGNATURE_TOLERANCE_SECONDS, SignatureError, sign, verify};
