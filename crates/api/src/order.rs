//! Orders: a quote, a payment, a claim.

#[cfg(feature = "openapi")]
use crate::schema;
use crate::{SealedSecret, strict};
use aispace_units::{EthUsdPrice, NanoCredits, Usd, Wei};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `POST /v1/orders`. With a bearer it tops up that account, without one it opens an account when paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"usd": "25", "method": "eth", "tag": "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"})))]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// How much, in dollars; above zero. Ether has no minimum; a card pays whole cents, 0.50 to 922337.20 USD.
    pub usd: Usd,
    /// How it will be paid.
    pub method: PayMethod,
    /// `SHA-256("order/1" ‖ claim secret)`, 64 hex digits: who presents the secret gets the credits.
    #[serde(deserialize_with = "strict::hex_32")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::hex_32))]
    pub tag: String,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PayMethod {
    /// Ether on Base, attributed by the tag in the calldata. The answer is an [`OrderAnswer`].
    Eth,
    /// A card, on a page of Stripe's. The answer is a [`CardOrderAnswer`].
    Card,
}

/// An order as the service sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderAnswer {
    /// Opaque order id.
    pub order_id: String,
    /// The service's clock when it answered.
    pub server_time: DateTime<Utc>,
    /// What was ordered.
    pub usd: Usd,
    /// Whether it tops up an account that exists.
    pub top_up: bool,
    /// The binding quote.
    pub quote: QuoteAnswer,
    /// How far it is.
    pub status: OrderStatus,
    /// Payments seen under the order's tag, oldest first; they add up.
    pub payments: Vec<PaymentAnswer>,
    /// Credits posted for it so far.
    pub credited_credits: NanoCredits,
}

/// The service's quote; it binds until `expires`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuoteAnswer {
    /// Dollars per ether.
    pub usd_per_eth: EthUsdPrice,
    /// What to pay: `ceil(usd ÷ price)`.
    pub value_wei: Wei,
    /// What it buys.
    pub credits: NanoCredits,
    /// From when it binds.
    pub quoted: DateTime<Utc>,
    /// The first instant at which it no longer binds; a later payment counts at the price of its block.
    pub expires: DateTime<Utc>,
    /// Where the price came from.
    pub sources: Vec<PriceSourceAnswer>,
}

/// One source of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceSourceAnswer {
    /// `Coinbase Exchange`, `Kraken`, `Bitstamp`, `Chainlink on Base`.
    pub name: String,
    /// Its price, when it gave one.
    pub usd_per_eth: Option<EthUsdPrice>,
    /// Whether the median used it.
    pub used: bool,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Nothing seen yet.
    Open,
    /// A payment has one confirmation and is credited.
    Confirmed,
    /// Claimed: the key (or the top-up) was handed out.
    Claimed,
}

/// A payment the service saw on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentAnswer {
    /// Transaction hash, `0x` and 64 hex digits.
    pub transaction_hash: String,
    /// Block it is in.
    pub block_number: u64,
    /// That block's hash.
    pub block_hash: String,
    /// What arrived.
    pub value_wei: Wei,
    /// What it bought.
    pub credits: NanoCredits,
    /// Blocks on top of it, itself included.
    pub confirmations: u64,
    /// When the service credited it.
    pub credited: DateTime<Utc>,
}

/// An order that is paid by card, as the service sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardOrderAnswer {
    /// Opaque order id.
    pub order_id: String,
    /// The service's clock when it answered.
    pub server_time: DateTime<Utc>,
    /// `card`.
    pub method: PayMethod,
    /// What was ordered, and what the card pays.
    pub usd: Usd,
    /// What it buys.
    pub credits: NanoCredits,
    /// Whether it tops up an account that exists.
    pub top_up: bool,
    /// Where the payer pays; absent once that is over.
    pub checkout_url: Option<String>,
    /// When it was made.
    pub opened: DateTime<Utc>,
    /// From when on it cannot be paid any more.
    pub expires: DateTime<Utc>,
    /// How far the payment is.
    pub status: CardStatus,
    /// Whether the key (or the top-up) was handed out.
    pub claimed: bool,
    /// What the card paid.
    pub received_usd: Usd,
    /// What of it went back: refunds, and disputes unless they were won.
    pub returned_usd: Usd,
    /// When something was first credited.
    pub credited: Option<DateTime<Utc>>,
    /// Credits posted for it so far, less those that `returned_usd` bought.
    pub credited_credits: NanoCredits,
    /// What was spent beyond `credited_credits` and could not be taken back.
    pub missing_credits: NanoCredits,
}

/// An order, however it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum AnyOrderAnswer {
    /// With ether.
    Eth(OrderAnswer),
    /// By card.
    Card(CardOrderAnswer),
}

/// How far the payment of an order by card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CardStatus {
    /// It can be paid.
    Open,
    /// The payer is through; the money is on its way.
    Processing,
    /// The money came. `returned_usd` says what went back since.
    Paid,
    /// Nobody paid in time.
    Expired,
    /// The operator has to look at it.
    Held,
}

/// `POST /v1/orders/{id}/claim`.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"secret": "0707070707070707070707070707070707070707070707070707070707070707", "acknowledge": false})))]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The claim secret, 64 hex digits.
    #[serde(deserialize_with = "strict::secret_32")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::hex_32))]
    pub secret: SealedSecret,
    /// Says that an earlier answer arrived and is kept: the service forgets the plain key.
    #[serde(default)]
    pub acknowledge: bool,
}

/// What a claim hands out.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimAnswer {
    /// The account the credits are in.
    pub account_id: String,
    /// The Secure Key, for an order that opened an account, until acknowledged.
    pub secure_key: Option<SealedSecret>,
    /// Credits posted for the order so far.
    pub credited_credits: NanoCredits,
}
