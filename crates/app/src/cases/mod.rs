//! What a person can do, one module a subject; each is an `impl Wallet`.

mod amount;
mod buy_link;
mod chain;
mod claims;
mod estimating;
pub(crate) mod files;
mod payment;
mod purchase;
mod running;
mod session;
mod settings;
mod sync;
mod wallet;

pub(crate) use purchase::RATE_HOLDS_SECONDS;
