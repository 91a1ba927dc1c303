//! Batches of credits, drawn first in first out, expiring on time, recorded in hash-chained entries.
//!
//! Pure: the clock and every id are arguments. An [`Account`] is a value. [`Account::post_debit`] and its kin change it in place and tell
//! in a [`Posted`] what is to be stored, whole; or answer a [`Refusal`], and nothing has changed. [`Account::debit`] and its kin leave the
//! account as it is and answer another one in a [`Posting`].
//! What an account holds is a function of its entries and the time, never of when anything looked:
//! every write first posts the expiries that are due, each dated at its own instant, and
//! [`Account::view_at`] computes the same without writing.
//!
//! ```
//! use aispace_ledger::{Account, AccountId, BatchId, BatchSource, NewBatch};
//! let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).ok_or("time")?;
//! let account = Account::open(AccountId::new("acct"));
//! let batch = NewBatch {
//!     id: BatchId::new("b1"),
//!     source: BatchSource::Grant,
//!     note: None,
//!     amount: "100".parse()?,
//!     expires: None,
//! };
//! let account = account.grant(now, batch)?.account;
//! let account = account.debit(now, "0.55".parse()?, None)?.account;
//! assert_eq!(account.view_at(now).available.to_string(), "99.45");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod account;
mod batch;
mod calls;
mod canonical;
mod charge;
mod draft;
mod entry;
mod forecast;
mod index;
mod line;
mod outlook;
mod posted;
mod posting;
mod time;
mod verify;

pub use account::{Account, Allowance, Balance, Debt, Head, Hold, Refusal, StoredAccount, View};
pub use batch::{AccountId, Batch, BatchId, BatchSource, Draw, HoldId, NewBatch, Taken, draw};
pub use calls::{ClosedHold, HOLD_LIFETIME_SECONDS, NewHold};
pub use charge::Charge;
pub use entry::{DebtPart, Entry, EntryHash, EntryId, EntryKind};
pub use forecast::{BatchForecast, Forecast, PacePerDay, forecast};
pub use outlook::{BalanceStep, Lapse, Outlook};
pub use posted::Posted;
pub use posting::Posting;
pub use time::whole_milliseconds;
pub use verify::{VerifyError, verify};
