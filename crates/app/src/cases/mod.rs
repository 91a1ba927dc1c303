//! What a person can do, one module a subject; each is an `impl Wallet`.

mod accounts;
mod amount;
mod asking;
mod batches;
mod buy_link;
mod chain;
mod claims;
mod counting;
mod data;
mod estimating;
pub(crate) mod files;
mod kept;
mod links;
mod outside;
mod payment;
mod payment_chain;
mod payment_replace;
mod payment_service;
mod payment_watch;
mod planning;
mod purchase;
mod recipes;
mod reminders;
mod review;
mod running;
mod session;
mod settings;
mod sync;
mod usage;
mod usage_fill;
mod wallet;

pub(crate) use amount::credits_typed;
pub(crate) use counting::Counting;
pub(crate) use payment_replace::may_replace;
pub(crate) use purchase::RATE_HOLDS_SECONDS;
pub use reminders::{NotGiven, Notifier};
