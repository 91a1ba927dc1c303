//! The suites that speak HTTP once more, with everything in PostgreSQL: `support` sees which test binary it is in.
#![allow(clippy::duplicate_mod, reason = "each suite brings `support`, as it does in a binary of its own")]

#[path = "concurrency.rs"]
mod concurrency;
#[path = "contract.rs"]
mod contract;
#[path = "events.rs"]
mod events;
#[path = "holds.rs"]
mod holds;
mod hosted;
#[path = "keys.rs"]
mod keys;
#[path = "metering.rs"]
mod metering;
#[path = "payments.rs"]
mod payments;
#[path = "process.rs"]
mod process;
#[path = "purchase.rs"]
mod purchase;
#[path = "rates.rs"]
mod rates;
#[path = "usage.rs"]
mod usage;
