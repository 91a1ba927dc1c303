//! Base: ETH/USD price, fees, the paying transaction, watching blocks for payments, the local signer. Stripe: payments by card.
//!
//! Nothing here is a binary float, a clock or a source of randomness: time and entropy are arguments. Every network call has
//! a deadline and a bound on the size of its answer. Nodes are read by our own quorum; see [`chain`].
#![deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod bridge;
pub mod chain;
pub mod claim;
mod http;
pub mod links;
pub mod price;
mod primitives;
pub mod qr;
pub mod signer;
pub mod stripe;
pub mod tag;
pub mod transfer;
pub mod wallet;
pub mod walletconnect;
pub mod watch;

pub use http::{EndpointError, install_crypto_provider};
pub use primitives::{
    BlockHash, Entropy, EntropyError, EthAddress, OsEntropy, PAYMENT_ADDRESS_CHECKSUMMED, PrimitiveError, TransactionHash, payment_address,
};
