//! What a person sets: nodes, the project id of WalletConnect, from when on a balance is low.

use crate::{
    Wallet,
    cases::amount::dollars,
    view::{AppErrorCode, AppView, DisplayView, ErrorView, Language},
};
use std::collections::BTreeSet;

/// Nodes that may be set: each is asked for everything.
const NODES_MAX: usize = 9;
const PROJECT_ID_CHARS: usize = 32;

impl Wallet {
    /// Sets the nodes of Base that are asked from now on; none of them brings the profile's back.
    ///
    /// # Errors
    /// One is refused (not https, nor http on this computer), is named twice, or there are too many; a payment is being moved on.
    pub async fn set_nodes(&self, urls: Vec<String>) -> Result<AppView, ErrorView> {
        let urls: Vec<String> = urls.iter().map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect();
        let refuse = |reason: &str| ErrorView::of(AppErrorCode::NodesRefused).with("reason", reason);
        if urls.len() > NODES_MAX {
            return Err(refuse("there are more than nine"));
        }
        if urls.iter().collect::<BTreeSet<_>>().len() != urls.len() {
            return Err(refuse("one is named twice"));
        }
        let chosen = if urls.is_empty() { None } else { Some(urls) };
        let network = self.inner.fixed.network(chosen.as_deref()).map_err(|error| refuse(&error.to_string()))?;
        {
            // A payment is read and sent by one set of nodes from its look to its word.
            let _turn = self.inner.payment_turn.lock().await;
            self.keep_preferences(|p| p.nodes = chosen).await?;
            self.use_network(network);
            self.change(|state| {
                state.review = None;
                state.price = None;
                state.nodes.clear();
            });
        }
        self.look_at_chain().await;
        self.answer()
    }

    /// Sets the owner's project id of WalletConnect, or takes it away; without one that way to pay is not offered.
    ///
    /// # Errors
    /// It is not 32 hex digits, or the store cannot be written.
    pub async fn set_walletconnect_project(&self, id: Option<String>) -> Result<AppView, ErrorView> {
        let id = id.map(|id| id.trim().to_ascii_lowercase()).filter(|id| !id.is_empty());
        if id.as_ref().is_some_and(|id| id.len() != PROJECT_ID_CHARS || !id.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(ErrorView::of(AppErrorCode::ProjectIdMalformed));
        }
        self.keep_preferences(|p| p.walletconnect_project = id).await?;
        self.answer()
    }

    /// Sets the balance, in dollars, below which a purchase is suggested; or that none is.
    ///
    /// # Errors
    /// Not an amount of dollars, or the store cannot be written.
    pub async fn set_low_balance(&self, usd: Option<String>) -> Result<AppView, ErrorView> {
        let usd = usd.filter(|usd| !usd.trim().is_empty()).map(|usd| dollars(&usd)).transpose()?;
        self.keep_preferences(|p| (p.low_balance_usd, p.low_balance_dismissed) = (usd, false)).await?;
        self.answer()
    }

    /// What a person wants to be spoken to in.
    pub(crate) fn language(&self) -> Language {
        self.state().preferences.language
    }

    /// Sets language, hidden amounts, motion and size of text.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_display(&self, display: DisplayView) -> Result<AppView, ErrorView> {
        self.keep_preferences(|p| p.set_display(display)).await?;
        self.answer()
    }

    /// Forgets that the suggestion of a low balance was put away as soon as the balance is not low any more.
    pub(crate) async fn forget_dismissal(&self) {
        let over = {
            let ours = self.reading();
            let state = self.state();
            state.preferences.low_balance_dismissed && crate::project::low_balance(&state, state.time.at(ours)).is_none()
        };
        if over {
            // Else the next suggestion is missed: no money depends on it.
            let _ = self.keep_preferences(|p| p.low_balance_dismissed = false).await;
        }
    }
}
