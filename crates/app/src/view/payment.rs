//! A payment as the window shows it, while it is under way and ever after.

use super::{ErrorView, PayWay};
use serde::{Deserialize, Serialize};
use specta::Type;

/// States of a payment; those up to `done` are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// An outside wallet, a person or a card page was asked; nothing is on the chain yet.
    Asked,
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
    /// The service holds it back: an operator has to look at it.
    Held,
    /// It was mined and reverted: fees are gone, the value is not.
    Reverted,
    /// Its nonce was used by another transaction: it can never be mined.
    Dropped,
    /// Another transaction of the wallet's own took its place, on request: nothing was paid.
    Cancelled,
    /// The person stopped waiting, or nobody paid in time. Should a payment arrive yet, it is taken up again.
    Abandoned,
}

/// How firmly a payment is in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum Finality {
    /// In no block that is known.
    #[default]
    Unconfirmed,
    /// In a block.
    Confirmed,
    /// In a block that is written on L1.
    Safe,
    /// In a block that L1 made final.
    Final,
}

/// What is worth saying of a payment beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRemark {
    /// Less arrived than was asked: credited in proportion.
    Underpaid,
    /// More arrived than was asked: credited in proportion.
    Overpaid,
    /// It arrived after the quote's end: credited at the price of its block's time.
    Late,
    /// A later transaction took the place of the first.
    Replaced,
    /// The chain dropped its block: the credits were taken back.
    TakenBack,
    /// A sum so large that it is credited once its block is written on L1.
    WaitsForSafe,
    /// It is credited once enough price sources answer.
    WaitsForPrice,
    /// It came from another account than the wallet named.
    AnotherPayer,
}

/// Steps as the timeline shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStep {
    /// The wallet was asked.
    Asked,
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
    /// Its block is written on L1.
    Safe,
    /// L1 made that final.
    Final,
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

/// The batch that a payment made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaidBatchView {
    /// What it was granted.
    pub credits: String,
    /// When it ends.
    pub expires: String,
    /// Its id, where the service tells.
    pub batch_id: Option<String>,
}

/// A payment, from the moment somebody was asked to make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaymentView {
    /// The service's order.
    pub order_id: String,
    /// How it is paid.
    pub way: PayWay,
    /// What the wallet calls itself.
    pub wallet_name: Option<String>,
    /// How far.
    pub state: PaymentState,
    /// How firmly it is in the chain.
    pub finality: Finality,
    /// Dollars ordered.
    pub usd: String,
    /// Credits ordered, or credited once they are.
    pub credits: String,
    /// What was to be paid, all eighteen decimals.
    pub value_eth: String,
    /// What arrived.
    pub paid_eth: Option<String>,
    /// What the chain took as fee, once known.
    pub fee_eth: Option<String>,
    /// That in dollars, at the quote's price.
    pub fee_usd: Option<String>,
    /// Gas used, once known.
    pub gas_used: Option<String>,
    /// Dollars per ether of the quote; empty where no ether is paid or it is not known any more.
    pub usd_per_eth: String,
    /// Sources of that price.
    pub price_sources: Vec<String>,
    /// When it was quoted.
    pub priced_at: String,
    /// The payer, once known.
    pub from_address: Option<String>,
    /// Where it goes: the address in the binary, EIP-55.
    pub to_address: String,
    /// The order's tag, 64 hex digits; empty where it is not known any more.
    pub tag: String,
    /// What the transaction carries: magic and tag, `0x` and hex; empty where it carries nothing.
    pub data: String,
    /// The transaction that counts, once there is one.
    pub transaction_hash: Option<String>,
    /// Others that were sent or named for it.
    pub earlier_hashes: Vec<String>,
    /// Block it is in.
    pub block_number: Option<String>,
    /// That block's time.
    pub block_time: Option<String>,
    /// Whether it topped up an account that was there.
    pub top_up: bool,
    /// The service's id of the account that is credited, once it is known.
    pub account_id: Option<String>,
    /// When it began.
    pub created: String,
    /// What it bought, once credited.
    pub batch: Option<PaidBatchView>,
    /// What is worth saying of it.
    pub remarks: Vec<PaymentRemark>,
    /// The timeline.
    pub steps: Vec<StepView>,
    /// What the asked wallet or person needs, while asked.
    pub ask: Option<AskView>,
    /// Whether a higher fee may be offered for it now.
    pub can_speed_up: bool,
    /// Whether it may be cancelled now.
    pub can_cancel: bool,
    /// Whether waiting for it may be stopped.
    pub can_stop_waiting: bool,
    /// Whether it may be taken off the screen.
    pub can_put_away: bool,
    /// Whether the payer may prove by signature that a transaction was for this order.
    pub can_claim_by_hash: bool,
    /// What stands in the way now; the app keeps trying by itself.
    pub trouble: Option<ErrorView>,
}

/// A payment in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaymentRowView {
    /// The service's order.
    pub order_id: String,
    /// How it was paid.
    pub way: PayWay,
    /// What the wallet calls itself.
    pub wallet_name: Option<String>,
    /// When it began.
    pub created: String,
    /// Dollars ordered.
    pub usd: String,
    /// Credits ordered, or credited once they are.
    pub credits: String,
    /// The service's id of the account that they are for, once it is known.
    pub account_id: Option<String>,
    /// When what it bought ends.
    pub batch_expires: Option<String>,
    /// How far it is.
    pub state: PaymentState,
    /// How firmly it is in the chain.
    pub finality: Finality,
    /// The transaction that counts.
    pub transaction_hash: Option<String>,
    /// What is worth saying of it.
    pub remarks: Vec<PaymentRemark>,
}

/// What whoever was asked needs, and how far they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskView {
    /// A page in the browser.
    Browser {
        /// How far.
        stage: BrowserStage,
        /// Stands on the page too.
        code: String,
        /// The wallet that was chosen.
        wallet: Option<String>,
        /// Its account.
        account: Option<String>,
        /// When the page ends.
        closes: String,
        /// The page's address, only when the browser could not be opened.
        url: Option<String>,
    },
    /// A wallet over WalletConnect.
    WalletConnect {
        /// How far.
        stage: ConnectStage,
        /// The pairing link, once there is one.
        uri: Option<String>,
        /// The same to be scanned.
        qr: Option<QrView>,
        /// The wallet, once connected.
        wallet: Option<String>,
        /// Its account.
        account: Option<String>,
        /// Wallets that open the pairing link themselves.
        links: Vec<LinkView>,
        /// When asking ends.
        closes: String,
    },
    /// An address and an exact amount.
    Link {
        /// EIP-681.
        uri: String,
        /// The same to be scanned.
        qr: QrView,
        /// What is to be sent, to the last digit.
        exact_eth: String,
        /// Where to: the address in the binary, EIP-55.
        address: String,
        /// A link that MetaMask opens.
        metamask_url: String,
        /// When the price ends.
        closes: String,
        /// The newest block that was looked through.
        watching_block: Option<String>,
    },
    /// The payment provider's page.
    Card {
        /// From when on it cannot be paid any more.
        closes: Option<String>,
    },
}

/// How far a page in the browser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BrowserStage {
    /// The browser was told to open it.
    Opening,
    /// It is there.
    PageOpen,
    /// A wallet gave an account.
    WalletChosen,
    /// The wallet is on another chain and does not change it.
    WrongChain,
    /// The wallet was asked to pay.
    Asked,
    /// The person refused in the wallet.
    Rejected,
    /// The wallet named a transaction.
    Answered,
    /// The page is over without an answer.
    Closed,
}

/// How far a connection over WalletConnect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ConnectStage {
    /// The relay is being reached.
    Connecting,
    /// The pairing link waits to be opened.
    Pairing,
    /// A wallet is there.
    Connected,
    /// It was asked to pay.
    Asked,
    /// The person refused.
    Rejected,
    /// The wallet named a transaction.
    Answered,
    /// Over without an answer.
    Closed,
}

/// A QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QrView {
    /// Modules of a side.
    pub size: u32,
    /// SVG path data of the dark modules, a unit each.
    pub path: String,
}

/// A wallet that opens a pairing link itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LinkView {
    /// Its name.
    pub name: String,
    /// What it opens.
    pub url: String,
}

/// Something outside the window that Rust opens, at an address that Rust made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkTarget {
    /// The page that waits for a browser wallet.
    BrowserPage,
    /// MetaMask's send link.
    MetaMask,
    /// A phone wallet's pairing link.
    Phone {
        /// One of the `links` of the ask.
        name: String,
    },
    /// The transaction in a block explorer.
    Explorer,
    /// The payment provider's page.
    Checkout,
}
