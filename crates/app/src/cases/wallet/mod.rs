//! The built-in spending wallet: made, imported, shown, capped, removed. Its secret is in the keychain and nowhere else.

mod caps;
mod import;
mod item;
mod reveal;

use crate::{
    Wallet,
    cases::session::keychain_state,
    preferences::Preferences,
    state::{FirstEther, SpendingWallet},
    view::{AppErrorCode, AppView, ErrorView, KeychainState, ProfileKind, ReceiveView, WalletOrigin},
};
use aispace_keychain::{KeychainError, SecretName};
use aispace_payments::{
    OsEntropy,
    links::eip681_account,
    signer::{RecoveryWords, SpendingKey},
};
use item::KeptWallet;

impl Wallet {
    /// Makes a spending wallet of 24 new words. They are in the keychain before anything can be paid to it.
    ///
    /// # Errors
    /// There is a wallet already, or the keychain does not keep it.
    pub async fn create_wallet(&self) -> Result<AppView, ErrorView> {
        {
            let _turn = self.inner.session_turn.lock().await;
            self.refuse_second_wallet().await?;
            let words = RecoveryWords::generate(&mut OsEntropy).map_err(ErrorView::internal)?;
            self.keep_wallet(KeptWallet::of_words(words, WalletOrigin::Created)).await?;
        }
        self.look_at_chain().await;
        self.answer()
    }

    /// Removes the spending wallet from this computer. What it holds stays on the chain, with whoever has its words or key.
    ///
    /// # Errors
    /// A payment is open; it holds ether, or may, and the confirmation is not the end of its address; the keychain does not answer.
    pub async fn remove_wallet(&self, confirmation: String) -> Result<AppView, ErrorView> {
        let _paying = self.inner.payment_turn.lock().await;
        self.recover_claims().await?;
        if self.state().payment.as_ref().is_some_and(crate::record::PaymentRecord::is_open) {
            return Err(ErrorView::of(AppErrorCode::PaymentOpen));
        }
        let _turn = self.inner.session_turn.lock().await;
        let (address, balance) = {
            let state = self.state();
            let wallet = state.wallet.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
            (wallet.address.to_string(), wallet.balance)
        };
        let known_empty = balance.is_some_and(|balance| balance.get() == 0);
        if !known_empty && !is_end_of(&confirmation, &address) {
            return Err(ErrorView::of(AppErrorCode::WalletNotConfirmed));
        }
        // Before the item goes: a sandbox that is killed in between shall not make another one by itself.
        self.keep_preferences(|p| p.wallet_removed = true).await?;
        let name = SecretName::spending_key();
        self.inner.keychain.delete(&name).await?;
        if self.inner.keychain.get(&name).await?.is_some() {
            return Err(ErrorView::of(AppErrorCode::KeychainFailed));
        }
        self.change(|state| {
            state.wallet = None;
            state.review = None;
            state.first_ether = FirstEther::NotAsked;
        });
        self.answer()
    }

    /// How to put ether into the spending wallet: its address, and the same as EIP-681 and as a QR code.
    ///
    /// # Errors
    /// There is no wallet.
    pub fn wallet_receive(&self) -> Result<ReceiveView, ErrorView> {
        let address = self.state().wallet.as_ref().map(|wallet| wallet.address);
        let address = address.ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
        let uri = eip681_account(address);
        let qr = crate::project::qr(&uri)?;
        Ok(ReceiveView { address: address.to_string(), uri, qr })
    }

    /// Reads the wallet's address from the keychain. In the sandbox a wallet is made when there is none and none was removed.
    pub(crate) async fn ensure_spending_wallet(&self) {
        // Two that find no wallet at once would make two, and ether may be sent to the one that is lost.
        let _turn = self.inner.session_turn.lock().await;
        if self.state().wallet.is_some() {
            return;
        }
        match self.kept_wallet().await {
            Ok(Some(kept)) => {
                let Ok(key) = kept.key() else { return };
                self.change(|state| {
                    state.keychain = KeychainState::Ready;
                    state.wallet = Some(shown(&key, &kept));
                });
            }
            Ok(None) if self.inner.fixed.profile.kind == ProfileKind::Sandbox && !self.state().preferences.wallet_removed => {
                if let Ok(words) = RecoveryWords::generate(&mut OsEntropy) {
                    // What stands in the way is asked for again in the next round, and said by the keychain's state.
                    let _ = self.keep_wallet(KeptWallet::of_words(words, WalletOrigin::Created)).await;
                }
            }
            Ok(None) => {}
            Err(error) => {
                let seen = keychain_state(&error);
                self.change(|state| state.keychain = seen);
            }
        }
    }

    /// The key that signs, read anew from the keychain for each payment.
    pub(crate) async fn spending_key(&self) -> Result<SpendingKey, ErrorView> {
        let kept = self.kept_wallet().await?.ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
        kept.key().map_err(|_| ErrorView::of(AppErrorCode::KeychainFailed))
    }

    /// The keychain's item. One that cannot be read is an error: it may be somebody's ether.
    async fn kept_wallet(&self) -> Result<Option<KeptWallet>, KeychainError> {
        let Some(secret) = self.inner.keychain.get(&SecretName::spending_key()).await? else { return Ok(None) };
        let kept = KeptWallet::read(&secret);
        kept.map(Some).ok_or_else(|| KeychainError::Failed { detail: "the spending wallet's item cannot be read".into() })
    }

    /// Whoever calls this has the session's turn.
    async fn refuse_second_wallet(&self) -> Result<(), ErrorView> {
        let item = self.inner.keychain.get(&SecretName::spending_key()).await;
        match item {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(ErrorView::of(AppErrorCode::WalletExists)),
            Err(error) => {
                let seen = keychain_state(&error);
                self.change(|state| state.keychain = seen);
                Err(error.into())
            }
        }
    }

    /// Puts a wallet into the keychain, and believes that only once the keychain gives it back. Whoever calls this has the
    /// session's turn and knows that there is none.
    async fn keep_wallet(&self, kept: KeptWallet) -> Result<(), ErrorView> {
        let key = kept.key().map_err(ErrorView::internal)?;
        let (name, secret) = (SecretName::spending_key(), kept.secret().ok_or_else(|| ErrorView::internal("a wallet cannot be written"))?);
        self.inner.keychain.set(&name, &secret).await?;
        let again = self.inner.keychain.get(&name).await?;
        if again.is_none_or(|again| again.expose() != secret.expose()) {
            return Err(ErrorView::of(AppErrorCode::KeychainFailed));
        }
        self.change(|state| {
            state.keychain = KeychainState::Ready;
            state.review = None;
            state.first_ether = FirstEther::NotAsked;
            state.wallet = Some(shown(&key, &kept));
        });
        if self.state().preferences.wallet_removed {
            // The wallet is there whether or not this is written.
            let _ = self.keep_preferences(|p| p.wallet_removed = false).await;
        }
        Ok(())
    }

    /// Changes what a person has set: durable first, then seen.
    pub(crate) async fn keep_preferences(&self, change: impl FnOnce(&mut Preferences)) -> Result<(), ErrorView> {
        let _turn = self.inner.preferences_turn.lock().await;
        let mut preferences = self.state().preferences.clone();
        change(&mut preferences);
        self.inner.store.keep_preferences(&preferences).await?;
        self.change(|state| state.preferences = preferences);
        Ok(())
    }
}

/// What the window gets to know of a wallet.
fn shown(key: &SpendingKey, kept: &KeptWallet) -> SpendingWallet {
    let count = kept.words().map_or(0, RecoveryWords::count);
    let words_asked = reveal::positions(&mut OsEntropy, count).unwrap_or_default();
    SpendingWallet { address: key.address(), balance: None, origin: kept.origin, words_asked }
}

/// Whether somebody typed the last four characters of an address.
pub(crate) fn is_end_of(typed: &str, address: &str) -> bool {
    let typed = typed.trim();
    typed.len() == 4
        && address.len() > 4
        && address.get(address.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_address_confirms() {
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        assert!(is_end_of("2266", address) && is_end_of(" 2266\n", address) && is_end_of("FB92", "0x00fb92"));
        for wrong in ["", "266", "92266", "0xf3", "226G", "２２６６"] {
            assert!(!is_end_of(wrong, address), "{wrong}");
        }
    }
}
