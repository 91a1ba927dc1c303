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
    /// Whether the key (or the top-up) was handed out.
    pub claimed: bool,
    /// Payments that belong to the order, oldest first; they add up.
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
    /// What to pay where no tag can be sent: the same, up to the first whole step of 10^10 wei (10^-8 ETH) that is no whole 10^-7 ETH and that no
    /// other order asks for until a day after its end. A payment of exactly this without a tag belongs to this order.
    pub unique_value_wei: Wei,
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

/// How far an order is: as far as the least final of its credited payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Nothing is credited.
    Open,
    /// What is credited has a confirmation.
    Confirmed,
    /// What is credited is in safe blocks.
    Safe,
    /// What is credited is in final blocks.
    Final,
    /// The operator has to look at every payment.
    Held,
    /// A word of a newer service.
    #[serde(other)]
    Unknown,
}

/// A payment the service saw on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentAnswer {
    /// Transaction hash, `0x` and 64 hex digits.
    pub transaction_hash: String,
    /// 0: the transaction's own transfer. From 1: the transfers that contracts made within it, in the order of execution.
    pub position: u32,
    /// Block it is in.
    pub block_number: u64,
    /// That block's hash.
    pub block_hash: String,
    /// That block's time.
    pub block_time: DateTime<Utc>,
    /// What arrived.
    pub value_wei: Wei,
    /// Blocks on top of it, itself included; zero while it is in no block of the chain.
    pub confirmations: u64,
    /// How it is known whose it is.
    pub attribution: Attribution,
    /// How hard its block is to undo.
    pub finality: BlockFinality,
    /// What became of it.
    pub outcome: PaymentOutcome,
    /// Whether its block is later than the quote: it counts at the price of its block's time.
    pub late: bool,
}

/// How it is known for which order a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// By the tag in its calldata.
    Tag,
    /// By its amount, which one order asked for.
    Amount,
    /// By a claim that its payer signed.
    HashClaim,
    /// By the operator's hand.
    Operator,
    /// A word of a newer service.
    #[serde(other)]
    Unknown,
}

/// How hard a block is to undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BlockFinality {
    /// It is in the chain.
    Confirmed,
    /// Its data is on Ethereum.
    Safe,
    /// Ethereum has made it final.
    Final,
}

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PaymentOutcome {
    /// It bought credits.
    Credited {
        /// So many.
        credits: NanoCredits,
        /// At this price, in dollars per ether.
        usd_per_eth: EthUsdPrice,
        /// When.
        credited: DateTime<Utc>,
        /// The batch they came in; absent for a payment below the smallest amount of credits.
        batch_id: Option<String>,
        /// When that batch ends.
        batch_expires: Option<DateTime<Utc>>,
    },
    /// It will be credited.
    Waiting {
        /// What it waits for.
        #[serde(rename = "for")]
        waits_for: WaitsFor,
    },
    /// The operator has to look at it.
    Held {
        /// Why.
        reason: HeldReason,
    },
    /// It is in the chain no more. What was credited for it and not spent is gone; if it is mined again, it is credited again.
    TakenBack {
        /// What it had bought.
        credits: NanoCredits,
    },
    /// The operator dealt with it otherwise, such as by sending it back.
    Closed,
    /// A word of a newer service.
    #[serde(other)]
    Unknown,
}

/// What a payment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// A large sum: until its block is safe.
    Safe,
    /// A late one: until the price of its block's time is known.
    Price,
    /// One from before its order: until the claim secret is presented.
    Secret,
    /// A word of a newer service.
    #[serde(other)]
    Unknown,
}

/// Why a payment is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeldReason {
    /// It has no tag, and no open order asks for exactly its amount.
    NoOrder,
    /// It has no tag, and the order that asks for its amount has a payment.
    OrderHasPayment,
    /// Its tag is that of an order by card.
    CardOrder,
    /// It buys more than an account can hold.
    BeyondLedger,
    /// It is known by the balance alone: no node could say which transaction it came in.
    Unexplained,
    /// A reason of a newer service.
    #[serde(other)]
    Unknown,
}

/// `POST /v1/claims`: a payment without a tag is for this order, says who paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"order_id": "or_0123456789abcdef0123456789abcdef",
    "transaction_hash": "0x7777777777777777777777777777777777777777777777777777777777777777", "deadline": "2026-11-21T12:30:00Z",
    "signature": "0x5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f5f2c8c1d0a4b6e7f1b"})))]
#[serde(deny_unknown_fields)]
pub struct HashClaimRequest {
    /// The order.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub order_id: String,
    /// The payment's transaction: `0x` and 64 hex digits.
    #[serde(deserialize_with = "strict::hash_32")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::hash_32))]
    pub transaction_hash: String,
    /// Until when the claim may be presented, in whole seconds; in the future, and at most an hour.
    #[serde(deserialize_with = "strict::whole_second")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::whole_second))]
    pub deadline: DateTime<Utc>,
    /// EIP-712: `PaymentClaim(bytes32 txHash,string orderId,address recipient,uint256 value,uint256 deadline)` in the domain
    /// `AiSpace`, `1`, chain 8453, signed by the payer; `0x` and hex. `value` is what the payer paid in that transaction.
    #[serde(deserialize_with = "strict::signature")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::signature))]
    pub signature: String,
    /// Who paid, when one transaction holds payments of several: `0x` and 40 hex digits.
    #[serde(default, deserialize_with = "strict::maybe_address")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_address))]
    pub payer: Option<String>,
}

/// A payment as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentRecord {
    /// The transaction; where no node could tell it, the block.
    pub transaction_hash: String,
    /// The payment's place in the transaction; absent where the hash is a block's.
    pub position: Option<u32>,
    /// Who paid, where that is known.
    pub payer: Option<String>,
    /// The tag in its calldata.
    pub tag: Option<String>,
    /// What arrived.
    pub value_wei: Wei,
    /// Block it is in.
    pub block_number: u64,
    /// That block's time.
    pub block_time: DateTime<Utc>,
    /// The order that it is for, where that is known.
    pub order_id: Option<String>,
    /// What became of it.
    pub outcome: PaymentOutcome,
}

/// `GET /v1/payments/open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentsAnswer {
    /// The service's clock when it answered.
    pub server_time: DateTime<Utc>,
    /// Payments in the chain of which nothing was made, oldest first.
    pub payments: Vec<PaymentRecord>,
}

/// `POST /v1/payments/assign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"transaction_hash":
    "0x7777777777777777777777777777777777777777777777777777777777777777", "position": 0, "order_id": "or_0123456789abcdef0123456789abcdef"})))]
#[serde(deny_unknown_fields)]
pub struct AssignPaymentRequest {
    /// The payment's transaction, or its block where no transaction is known: `0x` and 64 hex digits.
    #[serde(deserialize_with = "strict::hash_32")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::hash_32))]
    pub transaction_hash: String,
    /// Its place in the transaction; absent where the hash is a block's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_position))]
    pub position: Option<u32>,
    /// The order that gets it.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub order_id: String,
    /// Dollars per ether, for a payment outside its quote's time; the price of its block's time, once that is known, when absent.
    #[serde(default, deserialize_with = "strict::maybe_price")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_price))]
    pub usd_per_eth: Option<EthUsdPrice>,
}

/// `POST /v1/payments/close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"transaction_hash":
    "0x7777777777777777777777777777777777777777777777777777777777777777", "position": 0, "note": "sent back"})))]
#[serde(deny_unknown_fields)]
pub struct ClosePaymentRequest {
    /// The payment's transaction, or its block where no transaction is known: `0x` and 64 hex digits.
    #[serde(deserialize_with = "strict::hash_32")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::hash_32))]
    pub transaction_hash: String,
    /// Its place in the transaction; absent where the hash is a block's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_position))]
    pub position: Option<u32>,
    /// A word for people: what was done instead.
    #[serde(default, deserialize_with = "strict::maybe_word")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_word))]
    pub note: Option<String>,
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
