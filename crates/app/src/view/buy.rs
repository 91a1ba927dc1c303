//! Buying credits: preview, review, progress.

use super::{ErrorView, chart::TerraceView};
use serde::{Deserialize, Serialize};
use specta::Type;

/// The live ETH/USD rate and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PriceView {
    /// Dollars per ether: the median of the sources used.
    pub usd_per_eth: String,
    /// When it was read.
    pub at: String,
    /// When the app reads it anew.
    pub holds_until: String,
    /// For how many seconds it holds in all.
    pub holds_seconds: u32,
    /// Each source with its verdict.
    pub sources: Vec<PriceSourceView>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PriceSourceView {
    /// `Coinbase Exchange`, `Kraken`, `Bitstamp`, `Chainlink on Base`.
    pub name: String,
    /// What it said.
    pub usd_per_eth: Option<String>,
    /// Against the median, signed, in hundredths of a per cent: `"0.026"` is 0.026 %.
    pub difference_percent: Option<String>,
    /// Age of its figure in seconds, when it tells.
    pub age_seconds: Option<u32>,
    /// What became of it.
    pub verdict: SourceVerdict,
}

/// What became of a source's figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SourceVerdict {
    /// In the median.
    Used,
    /// Too old.
    Stale,
    /// Too far from the median.
    Outlier,
    /// No answer, or not one that can be read.
    Silent,
    /// Not asked yet.
    NotAsked,
}

/// What an amount buys, at the app's own rate. Nothing is ordered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BuyPreviewView {
    /// The amount as understood.
    pub usd: String,
    /// What it buys.
    pub credits: String,
    /// What it costs, all eighteen decimals.
    pub value_eth: String,
    /// The rate.
    pub price: PriceView,
    /// When the batch would end if it were added now.
    pub expires: String,
    /// Balance after.
    pub balance_after_credits: String,
    /// The next 30 days with the new batch as a ghost at the bottom.
    pub terrace: TerraceView,
}

/// The built-in spending wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WalletView {
    /// Its address, EIP-55.
    pub address: String,
    /// What it holds, all eighteen decimals; absent when no node answers.
    pub balance_eth: Option<String>,
}

/// An order and the transaction that would pay it, before anything is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ReviewView {
    /// The service's order.
    pub order_id: String,
    /// Dollars ordered.
    pub usd: String,
    /// Credits it buys at the service's quote.
    pub credits: String,
    /// Where it goes: the address in the binary, EIP-55.
    pub to_address: String,
    /// From where.
    pub from_address: String,
    /// 8453.
    pub chain_id: u32,
    /// Nodes that agree on the chain.
    pub nodes_agree: u32,
    /// Nodes asked.
    pub nodes_asked: u32,
    /// Value, all eighteen decimals.
    pub value_eth: String,
    /// Dollars per ether in the service's quote.
    pub usd_per_eth: String,
    /// The app's own rate.
    pub own_usd_per_eth: String,
    /// Difference between the two in per cent.
    pub difference_percent: String,
    /// The difference is 1 % or more.
    pub price_differs: bool,
    /// Gas limit.
    pub gas_limit: String,
    /// Gas limit × highest fee.
    pub network_fee_eth: String,
    /// That in dollars.
    pub network_fee_usd: String,
    /// Twice the upper bound of the L1 fee, plus the operator fee.
    pub l1_fee_eth: String,
    /// That in dollars.
    pub l1_fee_usd: String,
    /// Value and all fees, at most.
    pub total_eth: String,
    /// That in dollars.
    pub total_usd: String,
    /// What the wallet holds.
    pub balance_eth: String,
    /// The nonce it was simulated at.
    pub nonce: String,
    /// The calldata: magic and tag, hex.
    pub tag: String,
    /// Until when the service's quote binds.
    pub quote_expires: String,
    /// For how many seconds it binds in all.
    pub quote_seconds: u32,
    /// When the batch would end if it were added now.
    pub batch_expires: String,
    /// The next 30 days with the new batch as a ghost.
    pub terrace: TerraceView,
}

/// States of a payment, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Signed and journaled; not sent yet.
    Signed,
    /// Handed to the nodes.
    Sent,
    /// A node knows it.
    Seen,
    /// In a block.
    Confirmed,
    /// The service posted the batch.
    Credited,
    /// The Secure Key is in the keychain (or was there already): done.
    Done,
    /// It was mined and reverted: fees are gone, the value is not.
    Reverted,
    /// Its nonce was used by another transaction: it can never be mined.
    Dropped,
}

/// Steps as the timeline shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStep {
    /// Signed, every field read back.
    Signed,
    /// Sent, saved on disk first.
    Sent,
    /// Seen by a node.
    Seen,
    /// One confirmation.
    Confirmed,
    /// Credited by the service.
    Credited,
    /// Secure Key in the keychain.
    KeyStored,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Behind us.
    Done,
    /// Under way.
    Now,
    /// To come.
    Next,
    /// Will not happen.
    Failed,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct StepView {
    /// Which.
    pub step: PaymentStep,
    /// How far.
    pub state: StepState,
    /// When it was done.
    pub at: Option<String>,
}

/// A payment that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaymentView {
    /// The service's order.
    pub order_id: String,
    /// How far.
    pub state: PaymentState,
    /// Dollars ordered.
    pub usd: String,
    /// Credits ordered, or credited once they are.
    pub credits: String,
    /// What was paid, all eighteen decimals.
    pub value_eth: String,
    /// What the chain took as fee, once known.
    pub fee_eth: Option<String>,
    /// Transaction hash.
    pub transaction_hash: String,
    /// Block it is in.
    pub block_number: Option<String>,
    /// Whether it topped up an account that was there.
    pub top_up: bool,
    /// The timeline.
    pub steps: Vec<StepView>,
    /// What stands in the way now; the app keeps trying by itself.
    pub trouble: Option<ErrorView>,
}
