//! The reference account service: orders, confirmation on chain, Secure Keys, the ledger and its log.
//!
//! [`serve`] runs it inside the caller's process on any address; the binary `aispace-account-service`
//! is a thin wrapper. Chain, prices and clock are handed in.

mod card;
mod chain;
mod clock;
mod crediting;
mod desk;
mod gateway;
mod http;
pub mod limit;
mod metering;
pub mod metrics;
mod reconcile;
mod secret;
mod server;
#[cfg(test)]
#[path = "../tests/simulation/mod.rs"]
mod simulation;
mod store;
mod watcher;

pub use card::{CardConfig, CardConfigError};
pub use chain::{ChainReadError, ChainReader, LiveChain, LivePrices, PriceReader, UpstreamError};
pub use clock::ServiceClock;
pub use desk::{Desk, DeskAnswer};
pub use gateway::Gateway;
pub use secret::OperatorToken;
pub use server::{Config, Running, ServeError, serve};
pub use store::{Database, PostgresUrl, SqliteOptions, Store, StoreError};
