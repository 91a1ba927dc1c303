//! WalletConnect v2, the app's side: pairing with a wallet on a phone, and asking it to pay.
//!
//! Written from the MIT specifications (`WalletConnect/walletconnect-specs`); why, says `docs/adr/0013-walletconnect-in-rust.md`.
//! The relay carries sealed messages and may be anybody. What it can do is delay, lose, repeat and garble, never read, forge or make
//! this side believe. The wallet's word is a claim too: a [`WalletAnswer`](crate::wallet::WalletAnswer) holds a hash that only the chain can confirm.
//!
//! ```text
//! Pairing::open   → uri(), progress()       the app shows a code and links
//! Pairing::settled → Session                the wallet said yes, on Base
//! Session::prepare → AskedPayment            sealed once; goes into the journal
//! Session::ask     → WalletAnswer            sent; asked again with the very same bytes
//! Session::saved   → SavedSession            into the keychain; Session::resume after a restart
//! ```
//!
//! # Asking twice is asking once
//!
//! A wallet kit keeps the hash of each sealed text it has taken, and ignores a text it has. The number of a request it remembers only while it
//! runs, and a request that comes sealed anew under a known number can block those behind it. So a request is sealed once, when it is prepared, and
//! those bytes with that number are what is sent: after a connection that broke, after a restart of the app, whenever [`Session::ask`] is called with
//! the same [`AskedPayment`]. A new [`AskedPayment`] is a new question, which can be paid beside the old one.

mod config;
mod envelope;
mod error;
mod identity;
mod links;
mod namespaces;
mod pairing;
mod relay;
mod saved;
mod session;
mod wire;

pub use config::{AppMetadata, ConnectConfig, ConnectConfigError, DEFAULT_RELAY_URL, ProjectId};
pub use error::{ConnectError, Expired};
pub use links::wallet_links;
pub use pairing::Pairing;
pub use saved::{AskedPayment, SavedSession};
pub use session::Session;

use crate::{Entropy, EntropyError, EthAddress};
use chrono::{DateTime, Utc};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The chain in the protocol's words: CAIP-2.
const CHAIN: &str = "eip155:8453";
/// The one method this app asks for.
const SEND: &str = "eth_sendTransaction";

/// Tells the time.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Time and randomness, handed in: a session outlives the call that opens it, so it owns both.
#[derive(Clone)]
pub struct Surroundings {
    now: Now,
    entropy: Arc<Mutex<Box<dyn Entropy + Send>>>,
    last_id: Arc<AtomicU64>,
}

impl Surroundings {
    /// Takes a clock and a source of randomness.
    #[must_use]
    pub fn new(now: Now, entropy: Box<dyn Entropy + Send>) -> Self {
        Self { now, entropy: Arc::new(Mutex::new(entropy)), last_id: Arc::default() }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    fn draw<T>(&self, with: impl FnOnce(&mut dyn Entropy) -> Result<T, EntropyError>) -> Result<T, EntropyError> {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        with(entropy.as_mut())
    }

    /// A number for a request: milliseconds and three digits of chance, so that it fits a JavaScript number. Never the same twice, whatever the clock does.
    fn request_id(&self) -> Result<u64, EntropyError> {
        let mut bytes = [0u8; 2];
        self.draw(|entropy| entropy.fill(&mut bytes))?;
        let chance = u64::from(u16::from_be_bytes(bytes)).checked_rem(1000).unwrap_or(0);
        let milliseconds = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        let wanted = milliseconds.saturating_mul(1000).saturating_add(chance);
        let above = |last: u64| Some(wanted.max(last.saturating_add(1)));
        let last = self.last_id.fetch_update(Ordering::SeqCst, Ordering::SeqCst, above).unwrap_or_else(|last| last);
        Ok(wanted.max(last.saturating_add(1)))
    }

    /// The time in seconds since 1970.
    fn seconds(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or(0)
    }
}

/// How long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Opening one connection, TLS and login included.
    pub connect: Duration,
    /// The relay's word that it took a message; then the connection counts as broken.
    pub acknowledge: Duration,
    /// Getting a message to the relay at all, over as many connections as it takes.
    pub reach: Duration,
    /// Silence on a connection before it counts as dead. Half of it is when this side asks for a sign of life.
    pub silence: Duration,
    /// The first wait before connecting again; doubled each time.
    pub back_off_first: Duration,
    /// The longest wait before connecting again.
    pub back_off_max: Duration,
    /// How long a person has to answer a pairing or a payment, in whole seconds. Wallets refuse less than 300.
    pub answer: Duration,
    /// From a wallet's yes to its settlement.
    pub settle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            acknowledge: Duration::from_secs(10),
            reach: Duration::from_secs(30),
            silence: Duration::from_secs(45),
            back_off_first: Duration::from_millis(250),
            back_off_max: Duration::from_secs(30),
            answer: Duration::from_secs(300),
            settle: Duration::from_secs(60),
        }
    }
}

/// How far app and wallet are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectStage {
    /// On the way to the relay.
    Connecting,
    /// The code can be scanned; no wallet has answered.
    Pairing,
    /// A wallet said yes and is on Base.
    Connected {
        /// What it calls itself, cleaned.
        wallet: String,
        /// The account it would pay from.
        account: EthAddress,
    },
    /// The relay has the request for the wallet. Whether anybody has looked at it is not known.
    Asked,
    /// The person said no to the pairing or to the payment.
    Rejected,
    /// The wallet named a transaction. The chain has not been asked.
    Answered,
    /// The session is over: ended by either side, or past its time.
    Closed,
}

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectProgress {
    /// How far things are.
    pub stage: ConnectStage,
    /// Whether the relay is connected at this moment. It comes back by itself.
    pub online: bool,
    /// Rises when what [`Session::saved`] would give has changed and belongs into the keychain again.
    pub saved_revision: u64,
}

impl ConnectProgress {
    fn first() -> Self {
        Self { stage: ConnectStage::Connecting, online: false, saved_revision: 0 }
    }
}

/// Why an envelope could not be opened. What is in it is nobody's business then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// More than any message needs.
    #[error("an envelope is too large")]
    TooLarge,
    /// Not base64, not of type 0, or too short.
    #[error("not an envelope of type 0")]
    NotAnEnvelope,
    /// Sealed under another key, or changed on the way.
    #[error("an envelope that this key does not open")]
    NotOurs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn a_number_is_never_given_twice_even_when_the_clock_stands_still() {
        let around = Surroundings::new(Arc::new(|| DateTime::<Utc>::UNIX_EPOCH), Box::new(OsEntropy));
        let again = around.clone();
        let numbers: Vec<u64> = (0..2_000).map(|n| if n % 2 == 0 { around.request_id() } else { again.request_id() }.unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_number_of_today_is_exact_in_javascript() {
        let around = Surroundings::new(Arc::new(|| DateTime::from_timestamp(4_000_000_000, 0).unwrap()), Box::new(OsEntropy));
        let number = around.request_id().unwrap();
        assert!((4_000_000_000_000_000..4_000_000_000_001_000).contains(&number) && number < 1 << 53);
    }
}
