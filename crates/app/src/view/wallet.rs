//! The spending wallet, secrets that are shown, files that are written.

use super::QrView;
use serde::{Deserialize, Serialize};
use specta::Type;

/// The built-in spending wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WalletView {
    /// Its address, EIP-55.
    pub address: String,
    /// What it holds, all eighteen decimals; absent when no node answers.
    pub balance_eth: Option<String>,
    /// Where its key comes from.
    pub origin: WalletOrigin,
    /// Whether there are words to show.
    pub has_words: bool,
    /// Whether its words were written down, or its key came from outside.
    pub backed_up: bool,
    /// Which of its words are asked back, from 1; none once it is backed up.
    pub words_asked: Vec<u32>,
    /// Whether it holds less than a usual purchase takes.
    pub low: bool,
    /// Dollars that one payment may be.
    pub cap_payment_usd: String,
    /// Dollars that a UTC day's payments may come to.
    pub cap_day_usd: String,
    /// Dollars that it paid on this UTC day, without fees.
    pub spent_today_usd: String,
}

/// Where a spending wallet's key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum WalletOrigin {
    /// Drawn here.
    Created,
    /// From words.
    ImportedWords,
    /// From a private key.
    ImportedKey,
    /// From a keystore.
    ImportedKeystore,
}

/// How to put ether into the spending wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ReceiveView {
    /// Its address, EIP-55.
    pub address: String,
    /// EIP-681.
    pub uri: String,
    /// The same to be scanned.
    pub qr: QrView,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SavedFileView {
    /// Where.
    pub path: String,
}

/// A secret that a person may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RevealKind {
    /// The account's Secure Key.
    SecureKey,
    /// The spending wallet's words.
    WalletWords,
    /// The spending wallet's private key.
    WalletKey,
}

/// A word that was asked back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WordAnswer {
    /// Which one; the first is 1.
    pub position: u32,
    /// What was typed.
    pub word: String,
}

/// What a spending wallet is imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Words.
    Words,
    /// A private key.
    Key,
    /// A keystore, version 3.
    Keystore,
}
