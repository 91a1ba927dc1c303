//! Buying credits: an amount, what it buys, and the order before it is paid.

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

/// How a purchase is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PayWay {
    /// A wallet in the browser, over a page that the app serves to this computer alone.
    Browser,
    /// A wallet on a phone, over WalletConnect.
    WalletConnect,
    /// Any wallet, by QR code or address: only the exact amount attributes it.
    Link,
    /// The app's own wallet.
    SpendingWallet,
    /// A card, on a page of the payment provider's.
    Card,
}

/// What an amount was typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AmountUnit {
    /// US dollars.
    Usd,
    /// Ether.
    Eth,
    /// Credits.
    Credits,
}

/// An amount as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AmountRequest {
    /// As typed: `25`, `$25.50`, `1,000`.
    pub text: String,
    /// In what.
    pub unit: AmountUnit,
}

/// A way to pay that this app has. One that it has not is not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WayView {
    /// Which.
    pub way: PayWay,
    /// Why it cannot be chosen now.
    pub why_not: Option<ErrorView>,
}

/// How much of a purchase would be used before it lapses, at one's own pace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AdviceView {
    /// What would be used of it.
    pub used_credits: String,
    /// What would lapse of it.
    pub lapse_credits: String,
    /// When that would lapse.
    pub lapses: String,
    /// Until when all credits would last, should they run out before.
    pub lasts_until: Option<String>,
    /// A smaller amount of which all would be used.
    pub instead: Option<InsteadView>,
    /// From when on all of this amount would be used.
    pub wait_until: Option<String>,
}

/// A smaller amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct InsteadView {
    /// In dollars.
    pub usd: String,
    /// In credits.
    pub credits: String,
}

/// An amount that a purchase begins with; nothing is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PrefillView {
    /// How much.
    pub usd: String,
    /// Why.
    pub reason: PrefillReason,
}

/// Why a purchase is prefilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PrefillReason {
    /// The balance is low.
    LowBalance,
    /// A link of the app's own scheme.
    Link,
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
    /// What the chain would take, about; absent until it is known.
    pub fee_usd: Option<String>,
    /// How much of it would lapse; absent without a pace to tell from.
    pub advice: Option<AdviceView>,
    /// The ways to pay it.
    pub ways: Vec<WayView>,
}

/// An order and what would pay it, before anything is signed or asked.
///
/// What depends on the payer is absent where the payer is not known: by link and by card always, in the browser and over
/// WalletConnect until a wallet is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ReviewView {
    /// The service's order.
    pub order_id: String,
    /// How it is to be paid.
    pub way: PayWay,
    /// The service's id of the account that is credited; none for one that the purchase opens.
    pub account_id: Option<String>,
    /// Dollars ordered.
    pub usd: String,
    /// Credits it buys at the service's quote.
    pub credits: String,
    /// Where it goes: the address in the binary, EIP-55.
    pub to_address: String,
    /// From where.
    pub from_address: Option<String>,
    /// 8453.
    pub chain_id: u32,
    /// Nodes that agree on the chain.
    pub nodes_agree: u32,
    /// Nodes asked.
    pub nodes_asked: u32,
    /// Value, all eighteen decimals.
    pub value_eth: String,
    /// What is to be sent exactly: the value, or for a link the amount that no other order has.
    pub send_eth: String,
    /// Dollars per ether in the service's quote.
    pub usd_per_eth: String,
    /// The app's own rate.
    pub own_usd_per_eth: String,
    /// Difference between the two in per cent.
    pub difference_percent: String,
    /// The difference is 1 % or more.
    pub price_differs: bool,
    /// Gas limit.
    pub gas_limit: Option<String>,
    /// Gas limit × highest fee.
    pub network_fee_eth: Option<String>,
    /// That in dollars.
    pub network_fee_usd: Option<String>,
    /// Twice the upper bound of the L1 fee, plus the operator fee.
    pub l1_fee_eth: Option<String>,
    /// That in dollars.
    pub l1_fee_usd: Option<String>,
    /// Value and all fees, at most.
    pub total_eth: Option<String>,
    /// That in dollars.
    pub total_usd: Option<String>,
    /// What the wallet holds.
    pub balance_eth: Option<String>,
    /// The nonce it was simulated at.
    pub nonce: Option<String>,
    /// The calldata: magic and tag, hex.
    pub tag: String,
    /// The bytes that would be signed, hex, for the app's own wallet.
    pub unsigned_hex: Option<String>,
    /// Until when the service's quote binds.
    pub quote_expires: String,
    /// For how many seconds it binds in all.
    pub quote_seconds: u32,
    /// When the batch would end if it were added now.
    pub batch_expires: String,
    /// The next 30 days with the new batch as a ghost.
    pub terrace: TerraceView,
}
