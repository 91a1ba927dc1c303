//! What a refused command answers. The words are the message catalogue's, one entry a code.

use serde::{Deserialize, Serialize};
use specta::Type;
use std::collections::BTreeMap;

/// A refusal: a code the catalogue has words for (what happened, what it means for the money, what to do) and its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ErrorView {
    /// What went wrong.
    pub code: AppErrorCode,
    /// Figures in the words: `needed_eth`, `allowed`, `sources` … Never a secret.
    pub params: BTreeMap<String, String>,
}

/// Codes of the app. A code exists only if the window has words of its own for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AppErrorCode {
    /// The service does not know this Secure Key: wrong or revoked.
    KeyRefused,
    /// Nothing that could be a Secure Key was typed.
    KeyMalformed,
    /// No connection to the service.
    ServiceUnreachable,
    /// The service did not answer in time. `seconds`.
    ServiceSlow,
    /// The service answered 5xx. `status`.
    ServiceFailed,
    /// The service asks to wait: asked too often, or too many wrong keys from this network. `seconds`, 60 when it names none.
    ServiceBusy,
    /// The service's answer cannot be read.
    ServiceGarbled,
    /// The service refused for a reason the app has no words of its own for. `message`.
    ServiceRefused,
    /// The keychain is locked or its prompt was dismissed.
    KeychainLocked,
    /// There is no keychain.
    KeychainAbsent,
    /// The keychain has no default collection.
    KeychainNoCollection,
    /// The keychain's prompt is still open.
    KeychainWaiting,
    /// Two items carry our name.
    KeychainAmbiguous,
    /// The keychain failed otherwise.
    KeychainFailed,
    /// No node answers.
    ChainUnreachable,
    /// A node is on another chain. `expected`, `found`, `node`.
    ChainWrongId,
    /// A node calls itself Base and is another chain. `node`.
    ChainForeign,
    /// The nodes do not agree.
    NodesDisagree,
    /// Too few price sources answer. `answered`, `asked`, `needed`, `silent`.
    PriceUnavailable,
    /// The price sources are too far apart. `lowest`, `highest`.
    PriceDisagrees,
    /// The wallet does not hold enough. `needed_eth`, `balance_eth`, `short_eth`.
    NotEnoughEther,
    /// Not an amount of dollars that can be bought. `input`.
    AmountInvalid,
    /// The service asks for another value than its own price gives, or for another tag: refused.
    QuoteWrong,
    /// The quote ran out before it was signed.
    QuoteExpired,
    /// This profile has no spending wallet yet.
    NoSpendingWallet,
    /// One payment is open already.
    PaymentOpen,
    /// What the app does outside its window could not be changed. `reason`.
    OutsideNotSet,
    /// Quiet hours are two different times of day. `input`.
    QuietHoursRefused,
    /// No payment was reviewed under this id.
    NothingToPay,
    /// The chain would refuse the transaction. `reason`.
    SimulationFailed,
    /// The payment address takes no payment that carries data now. `reason`.
    TagRefused,
    /// The payment was mined and reverted.
    PaymentReverted,
    /// The payment can never be mined: another transaction used its nonce.
    PaymentDropped,
    /// Needs a Secure Key.
    NotSignedIn,
    /// Only the sandbox has this.
    SandboxOnly,
    /// The balance does not cover the run. `needed_credits`, `available_credits`, `short_credits`.
    InsufficientCredits,
    /// The run passes what the person means to spend. `limit_credits`, `over_credits`.
    BudgetPassed,
    /// A recipe without a name or runs, or one too many.
    RecipeRefused,
    /// A charge that cannot be the one of a kept estimate.
    ChargeNotItsOwn,
    /// A text that is too long to be counted. `most`, in bytes.
    TextTooLong,
    /// The card has no such model. `input`, `nearest`.
    UnknownModel,
    /// A parameter the model does not take. `parameter`, `given`, `allowed`.
    ParameterRefused,
    /// The card has no price for these parameters. `model`.
    PriceUnknown,
    /// Not a whole number of things. `input`.
    CountInvalid,
    /// The local store cannot be written. `reason`.
    StoreFailed,
    /// The confirmation does not match.
    RevealRefused,
    /// This way to pay is not to be had here.
    WayUnavailable,
    /// Not to be done with this payment, or not any more.
    NotForThisPayment,
    /// No payment is known under this order's id.
    OrderUnknown,
    /// There is a spending wallet already.
    WalletExists,
    /// The confirmation is not the end of the wallet's address.
    WalletNotConfirmed,
    /// The wallet was not made from words.
    WalletHasNoWords,
    /// The words that were asked back are wrong.
    WalletWordsWrong,
    /// Not 12, 15, 18, 21 or 24 words. `found`.
    WalletWordsCount,
    /// A word that is not in the list. `position`.
    WalletWordUnknown,
    /// The words do not belong together.
    WalletWordsChecksum,
    /// Not a private key.
    WalletKeyMalformed,
    /// Not a keystore that can be read. `reason`.
    KeystoreMalformed,
    /// A keystore that asks for more memory or time than is sensible.
    KeystoreTooCostly,
    /// The password does not open the keystore.
    KeystorePasswordWrong,
    /// A password for a file that is too short. `least`.
    PasswordShort,
    /// Above what the spending wallet may pay. `cap`, `spent`, `asked`, in dollars.
    CapExceeded,
    /// A link that holds anything but one amount.
    BuyLinkRefused,
    /// Nodes that cannot be used. `reason`.
    NodesRefused,
    /// Not a project id of WalletConnect.
    ProjectIdMalformed,
    /// A file could not be written. `reason`.
    FileNotSaved,
    /// Not all entries of the account are on this computer yet. `kept`, `posted`.
    UsageIncomplete,
    /// The payment is sent and in no block after half a minute: a higher fee may help.
    PaymentStuck,
    /// The service holds the payment back.
    PaymentHeld,
    /// It pays the payment address, and nothing in it names this order.
    PaymentUnattributed,
    /// The quote is over and nothing has arrived.
    QuoteOver,
    /// What the wallet named is another transaction, or none.
    WalletAnswersWrong,
    /// The wallet did not answer in time.
    WalletSilent,
    /// The wallet failed with words of its own. `reason`.
    WalletFailed,
    /// The wallet is not on Base, or does not send transactions.
    WalletUnsuited,
    /// WalletConnect's relay cannot be reached or does not take this project.
    RelayUnreachable,
    /// Not 64 hex digits. `digits`, `others`.
    HashMalformed,
    /// No node knows such a transaction.
    HashUnknown,
    /// The transaction was mined and reverted.
    HashReverted,
    /// The transaction pays somebody else, or another order.
    HashForeign,
    /// The service has not seen such a payment.
    ClaimUnknown,
    /// Another account than the one that signed has paid.
    ClaimNotPayer,
    /// The payment belongs to another order.
    ClaimTaken,
    /// No account of this computer is called that.
    AccountUnknown,
    /// Typed batches that are wrong. `count`.
    BatchesRefused,
    /// The clipboard did not take it. `reason`.
    ClipboardFailed,
    /// The word that confirms a deletion was not typed.
    DeletionNotConfirmed,
    /// A name for an account that is too long. `most`.
    LabelRefused,
    /// Nothing on this computer opens it.
    CannotOpen,
    /// A fault of the app. `reason`.
    Internal,
}
