//! Signing in and out.

use crate::{
    Wallet,
    roster::LocalId,
    view::{AppErrorCode, AppView, ErrorView, KeychainState, Theme},
};
use aispace_client::SecureKey;
use aispace_keychain::KeychainError;

impl Wallet {
    /// Signs in: the key is tried at the service first, then goes straight to the keychain.
    ///
    /// # Errors
    /// The key is malformed or refused, the service does not answer, or the keychain is locked. Nothing is kept then.
    pub async fn sign_in(&self, secure_key: String) -> Result<AppView, ErrorView> {
        let key = SecureKey::parse(&secure_key).map_err(|_| ErrorView::of(AppErrorCode::KeyMalformed))?;
        let _turn = self.inner.session_turn.lock().await;
        let known = self.read_account(&key).await?;
        let account_id = known.answer.account_id.clone();
        self.take_account(key, &account_id, Some(known), true).await?;
        // What was reviewed was for the account of before.
        self.change(|state| state.review = None);
        self.answer()
    }

    /// Removes the Secure Key of the account that shows from the keychain and the account from this computer. Credits, the
    /// spending wallet, other accounts and payments that are under way stay.
    ///
    /// # Errors
    /// The keychain cannot be sure that the key is gone.
    pub async fn sign_out(&self) -> Result<AppView, ErrorView> {
        let id = self.state().roster.active.clone();
        self.leave(&id.unwrap_or_else(LocalId::first)).await
    }

    /// Signs in to the sandbox's sample account.
    ///
    /// # Errors
    /// Outside the sandbox, or when it does not answer.
    pub async fn look_around(&self) -> Result<AppView, ErrorView> {
        let doors = self.inner.doors.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::SandboxOnly))?;
        let key = doors.sample_key().await?;
        self.sign_in(key.expose().to_owned()).await
    }

    /// Light, dark, or as the system says.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn set_theme(&self, theme: Theme) -> Result<AppView, ErrorView> {
        self.inner.store.keep_theme(theme).await?;
        self.change(|state| state.theme = theme);
        self.answer()
    }
}

pub(crate) fn keychain_state(error: &KeychainError) -> KeychainState {
    match error {
        KeychainError::Absent => KeychainState::Absent,
        KeychainError::NoCollection => KeychainState::NoCollection,
        KeychainError::Locked => KeychainState::Locked,
        KeychainError::Waiting => KeychainState::Waiting,
        KeychainError::Ambiguous => KeychainState::Ambiguous,
        _ => KeychainState::Failed,
    }
}
