//! What a person can do, one module a subject; each is an `impl Wallet`.

mod claims;
mod estimating;
mod payment;
mod purchase;
mod running;
mod session;
mod spending;
mod sync;

pub(crate) use purchase::{RATE_HOLDS_SECONDS, USD_MAX};
