//! The built-in spending wallet and the chain it is on.

use crate::{
    Wallet,
    cases::session::keychain_state,
    state::{FirstEther, SpendingWallet},
    view::{AppErrorCode, AppView, ErrorView, KeychainState, NodeView, ProfileKind},
};
use aispace_keychain::{Secret, SecretName};
use aispace_payments::{OsEntropy, chain::Nodes, signer::SpendingKey};
use std::time::Duration;

/// How long a review waits for a new sandbox wallet's first ether, and how often it looks.
const FIRST_ETHER_WAIT: Duration = Duration::from_secs(5);
const FIRST_ETHER_PAUSE: Duration = Duration::from_millis(200);

/// A URL without its path, which may hold an access key.
fn host_and_port(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = bare.split(['/', '?', '#']).next().unwrap_or(bare);
    host.rsplit_once('@').map_or(host, |(_, host)| host).into()
}

impl Wallet {
    /// Asks the sandbox's faucet for ether.
    ///
    /// # Errors
    /// Outside the sandbox, without a wallet, or when the faucet does not answer.
    pub async fn ask_for_test_ether(&self) -> Result<AppView, ErrorView> {
        let doors = self.inner.doors.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::SandboxOnly))?;
        let address = self.state().wallet.as_ref().map(|w| w.address);
        let address = address.ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))?;
        doors.ask_for_ether(&address.to_string()).await?;
        self.look_at_chain().await;
        self.answer()
    }

    /// Reads the wallet's address from the keychain; in the sandbox a wallet is made when there is none.
    pub(crate) async fn ensure_spending_wallet(&self) {
        // Two that find no wallet at once would make two, and ether may be sent to the one that is lost.
        let _turn = self.inner.session_turn.lock().await;
        if self.state().wallet.is_some() {
            return;
        }
        let found = self.inner.keychain.get(&SecretName::spending_key()).await;
        let key = match found {
            Ok(Some(secret)) => secret.expose_text().and_then(|hex| SpendingKey::from_hex(hex).ok()),
            Ok(None) if self.inner.fixed.profile.kind == ProfileKind::Sandbox => self.make_spending_key().await,
            Ok(None) => None,
            Err(error) => {
                let seen = keychain_state(&error);
                self.change(|state| state.keychain = seen);
                None
            }
        };
        if let Some(key) = key {
            self.change(|state| {
                state.keychain = KeychainState::Ready;
                state.wallet = Some(SpendingWallet { address: key.address(), balance: None });
            });
        }
    }

    /// A new key, believed only once the keychain gives it back.
    async fn make_spending_key(&self) -> Option<SpendingKey> {
        let name = SecretName::spending_key();
        let key = SpendingKey::generate(&mut OsEntropy).ok()?;
        let secret = Secret::from_text(key.expose_hex().to_string());
        self.inner.keychain.set(&name, &secret).await.ok()?;
        let kept = self.inner.keychain.get(&name).await.ok()??;
        (kept.expose() == secret.expose()).then_some(key)
    }

    /// Reads the wallet's balance and how each node is.
    pub(crate) async fn look_at_chain(&self) {
        let nodes = self.each_node().await;
        let address = self.state().wallet.as_ref().map(|w| w.address);
        let balance = match address {
            Some(address) => self.inner.nodes.balance(address).await.ok(),
            None => None,
        };
        let ask = self.change(|state| {
            state.nodes = nodes;
            if let Some(wallet) = &mut state.wallet {
                wallet.balance = balance;
            }
            let before = state.first_ether;
            state.first_ether = match (balance.map(|b| b.get() > 0), before) {
                (Some(true), _) => FirstEther::Arrived,
                (Some(false), FirstEther::NotAsked) => FirstEther::OnItsWay,
                (Some(false) | None, unchanged) => unchanged,
            };
            before == FirstEther::NotAsked && state.first_ether == FirstEther::OnItsWay
        });
        if ask && let (Some(doors), Some(address)) = (&self.inner.doors, address) {
            // A refusal leaves the balance at nothing; the screen offers to ask again.
            let _ = doors.ask_for_ether(&address.to_string()).await;
        }
    }

    /// In the sandbox, waits a little for the ether that a new wallet begins with.
    pub(crate) async fn await_first_ether(&self) {
        if self.inner.doors.is_none() {
            return;
        }
        let arrival = async {
            while self.state().first_ether != FirstEther::Arrived {
                self.look_at_chain().await;
                tokio::time::sleep(FIRST_ETHER_PAUSE).await;
            }
        };
        // Without it the need is compared with what there is, and said.
        let _ = tokio::time::timeout(FIRST_ETHER_WAIT, arrival).await;
    }

    async fn each_node(&self) -> Vec<NodeView> {
        let probes = self.inner.fixed.profile.nodes.iter().map(|url| async move {
            let one = Nodes::new(std::slice::from_ref(url)).ok();
            let number = match &one {
                Some(node) if node.check_chain().await.is_ok() => node.block_number().await.ok(),
                _ => None,
            };
            NodeView {
                url: url.clone(),
                name: host_and_port(url),
                healthy: number.is_some(),
                block_number: number.map(|n| n.to_string()),
                behind: None,
                latency_ms: None,
                trouble: None,
                resting_until: None,
            }
        });
        futures::future::join_all(probes).await
    }

    /// The key that signs, read anew from the keychain for each payment.
    pub(crate) async fn spending_key(&self) -> Result<SpendingKey, ErrorView> {
        let secret = self.inner.keychain.get(&SecretName::spending_key()).await?;
        let secret = secret.ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))?;
        let hex = secret.expose_text().ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))?;
        SpendingKey::from_hex(hex).map_err(|_| ErrorView::of(AppErrorCode::KeychainFailed))
    }
}
