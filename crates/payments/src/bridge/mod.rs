//! The way to a wallet in the person's own browser: one page on 127.0.0.1 that lives five minutes and asks once.
//!
//! The page finds wallets as EIP-6963 describes (or `window.ethereum`), brings the chosen one to Base and hands it one
//! `eth_sendTransaction`. What keeps others out:
//! - The port is random, `Host` has to be exactly `127.0.0.1:port`, so neither "localhost" nor a name that was rebound is served.
//! - Everything but the page itself is a POST whose `Origin` and `Sec-Fetch-Site` have to be this page's own.
//! - A 256-bit token stands in the address behind `#`, which no server and no other page sees; it works once, travels as a
//!   header, and the page removes it from the address bar. What it is exchanged for belongs to that one tab.
//! - The payment is handed out for one ask at a time: a second click, tab, reload or wallet gets none while an ask is open.
//! - The page cannot be framed, runs no script and no style but its own (by hash), and talks to nobody else.
//! - What a wallet says of itself is cleaned and shown as text; its icon is not shown. What it says it sent is looked up.

mod gate;
mod page;
mod server;
mod session;
#[cfg(test)]
mod tests;

use crate::{Entropy, EntropyError, EthAddress, wallet::MatchingCode, wallet::PaymentRequest, wallet::WalletAnswer};
use session::Session;
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

/// How long a page is served.
pub const BRIDGE_LIFETIME: Duration = Duration::from_secs(300);

/// What the page shows and asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeRequest {
    /// What the wallet is asked to pay.
    pub payment: PaymentRequest,
    /// What stands in the app and on the page.
    pub code: MatchingCode,
    /// What is bought, in words: `"250,000"`. Shown with the word credits behind it.
    pub credits: String,
    /// What it is worth, in words: `"$25.00"`.
    pub usd: String,
    /// What the page speaks.
    pub language: PageLanguage,
}

/// Languages of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageLanguage {
    /// English.
    English,
    /// Simplified Chinese.
    ChineseSimplified,
}

/// How far the page and its wallet are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BridgeState {
    /// No page has shown the token yet.
    Opening,
    /// The page is open in a browser.
    PageOpen,
    /// A wallet is connected.
    WalletChosen {
        /// What it calls itself, cleaned.
        wallet: String,
        /// The account it offers.
        account: EthAddress,
    },
    /// The wallet is on another chain and did not change to Base.
    WrongChain {
        /// What it calls itself, cleaned.
        wallet: String,
        /// The account it offers.
        account: EthAddress,
    },
    /// The wallet was handed the payment: it may be sent from here on.
    Asked {
        /// What it calls itself, cleaned.
        wallet: String,
        /// The account it was asked to pay from.
        account: EthAddress,
    },
    /// The person refused in the wallet, and can be asked again.
    Rejected {
        /// What it calls itself, cleaned.
        wallet: String,
        /// The account it was asked to pay from.
        account: EthAddress,
    },
    /// The wallet says it sent the payment. Only the chain can confirm it.
    Answered(WalletAnswer),
    /// The page is served no more, and no wallet has answered.
    Closed {
        /// Why.
        why: CloseReason,
    },
}

/// Why a page is served no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Its time is up.
    Expired,
    /// The app closed it.
    Closed,
}

/// Why no page can be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// No secrets could be drawn.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// This computer gives no port on 127.0.0.1.
    #[error("no page can be served on this computer: {reason}")]
    Listen {
        /// What the system said.
        reason: String,
    },
}

/// The browser bridge.
#[derive(Debug, Clone, Copy)]
pub struct Bridge;

impl Bridge {
    /// Begins to serve the page for one payment, on a port of the system's choice. Has to be called within a tokio runtime.
    ///
    /// # Errors
    /// [`BridgeError`]: no randomness, or no port.
    pub fn open(request: BridgeRequest, entropy: &mut dyn Entropy, lifetime: Duration) -> Result<BridgeHandle, BridgeError> {
        let refuse = |error: std::io::Error| BridgeError::Listen { reason: error.to_string() };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        let port = listener.local_addr().map_err(refuse)?.port();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(refuse)?;
        let session = Arc::new(Session::new(request, port, entropy, lifetime)?);
        let url = session.url();
        let (closing, closed) = oneshot::channel();
        tokio::spawn(server::serve(listener, Arc::clone(&session), closed));
        Ok(BridgeHandle { session, url, _closing: closing })
    }
}

/// A served page. Dropping it closes the page.
pub struct BridgeHandle {
    session: Arc<Session>,
    url: Zeroizing<String>,
    /// The server ends when this goes.
    _closing: oneshot::Sender<()>,
}

impl BridgeHandle {
    /// The address to open in the browser. It holds the token, which works once: it is for the browser and nobody else.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How far it is, now and whenever that changes.
    #[must_use]
    pub fn stages(&self) -> watch::Receiver<BridgeState> {
        self.session.stages()
    }

    /// Serves the page no more: an open one says so, and no call of it is answered any longer.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for BridgeHandle {
    fn drop(&mut self) {
        self.session.end(CloseReason::Closed);
    }
}
