//! Money and quantity newtypes: parse, format, convert, round.
//!
//! Nothing here is a binary float, nothing is rounded without a named [`Rounding`], and every
//! amount that crosses a boundary is a decimal string (`"250000"`, `"0.55"`).
#![deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod convert;
mod credits;
mod error;
mod ether;
pub mod exact;
mod number;
mod owner;
mod rounding;
#[cfg(feature = "openapi")]
mod schema;
mod usd;

pub use convert::{credits_for_wei, usd_for_credits, usd_for_wei, wei_for_usd};
pub use credits::{NanoCreditSum, NanoCredits};
pub use error::UnitError;
pub use ether::{EthUsdPrice, Wei};
pub use number::Exact;
pub use owner::{CreditAmount, CreditOwner};
pub use rounding::{Rounding, round};
pub use rust_decimal::Decimal;
pub use usd::Usd;

/// Chain id of Base, the only chain that payments go over.
pub const BASE_CHAIN_ID: u64 = 8453;
/// How long a batch lives: 30 × 86,400 s from the instant it was added, half-open.
pub const BATCH_LIFETIME_SECONDS: i64 = 2_592_000;
