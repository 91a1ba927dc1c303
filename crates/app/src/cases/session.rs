//! Signing in and out.

use crate::{
    Wallet,
    state::Session,
    view::{AppErrorCode, AppView, ErrorView, KeyKeeping, KeychainState, NoticeView, Theme},
};
use aispace_client::SecureKey;
use aispace_keychain::{KeychainError, Secret, SecretName};
use std::sync::Arc;

impl Wallet {
    /// Signs in: the key is tried at the service first, then goes straight to the keychain.
    ///
    /// # Errors
    /// The key is malformed or refused, the service does not answer, or the keychain is locked. Nothing is kept then.
    pub async fn sign_in(&self, secure_key: String) -> Result<AppView, ErrorView> {
        let key = SecureKey::parse(&secure_key).map_err(|_| ErrorView::of(AppErrorCode::KeyMalformed))?;
        let _turn = self.inner.session_turn.lock().await;
        // A payment under way will bring a key of its own; two keys have no room in one keychain entry.
        if self.state().payment.as_ref().is_some_and(|p| p.is_open() && !p.top_up) {
            return Err(ErrorView::of(AppErrorCode::PaymentOpen));
        }
        let known = self.read_account(&key).await?;
        let keeping = self.keep_key(&key).await?;
        self.inner.store.keep_account(Some(&known)).await?;
        let other = {
            let state = self.state();
            let before = state.known.as_ref().map(|before| before.answer.account_id.clone());
            before.filter(|before| *before != known.answer.account_id)
        };
        self.change(|state| {
            state.session = Session::SignedIn { key: Arc::new(key), keeping };
            // What was reviewed was for the account of before.
            state.review = None;
            if other.is_some() {
                state.usage_log = (0, 0);
            }
            state.adopt(known);
        });
        self.inner.usage_news.notify_one();
        if let Some(other) = other {
            self.forget_usage(&other).await?;
        }
        self.answer()
    }

    /// Removes the Secure Key from the keychain and the account from this computer. Credits, the spending wallet and payments
    /// that are under way stay.
    ///
    /// # Errors
    /// The keychain cannot be sure that the key is gone.
    pub async fn sign_out(&self) -> Result<AppView, ErrorView> {
        let _turn = self.inner.session_turn.lock().await;
        match self.inner.keychain.delete(&SecretName::secure_key()).await {
            Ok(()) | Err(KeychainError::Absent | KeychainError::NoCollection) => {}
            Err(error) => return Err(error.into()),
        }
        self.inner.store.keep_account(None).await?;
        let account = self.state().known.as_ref().map(|known| known.answer.account_id.clone());
        self.change(|state| {
            state.session = Session::SignedOut;
            state.known = None;
            state.usage_log = (0, 0);
            state.review = None;
            state.connection.last_sync = None;
            state.connection.error = None;
            state.notices.retain(|n| !matches!(n, NoticeView::KeyInMemoryOnly));
        });
        if let Some(account) = account {
            self.forget_usage(&account).await?;
        }
        self.answer()
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

    /// Asks the keychain for the key, unless there is one in memory; that one is kept as soon as there is a keychain.
    pub(crate) async fn load_key(&self) {
        let _turn = self.inner.session_turn.lock().await;
        let homeless = match &self.state().session {
            Session::SignedIn { key, keeping: KeyKeeping::MemoryOnly } => Some(Arc::clone(key)),
            Session::SignedIn { .. } | Session::KeyUnavailable { refused: Some(_), .. } => return,
            Session::Unknown | Session::SignedOut | Session::KeyUnavailable { refused: None, .. } => None,
        };
        let found = self.inner.keychain.get(&SecretName::secure_key()).await;
        if let Some(key) = homeless {
            // Another key that the keychain holds is not replaced.
            if matches!(found, Ok(None))
                && let Ok(keeping) = self.keep_key(&key).await
            {
                self.change(|state| state.session = Session::SignedIn { key, keeping });
            }
            return;
        }
        let gone = if matches!(found, Ok(None)) { self.state().known.as_ref().map(|k| k.answer.account_id.clone()) } else { None };
        if gone.is_some() {
            // The key was removed from outside: what it opened is nobody's here any more.
            let _ = self.inner.store.keep_account(None).await;
        }
        self.change(|state| match found {
            Ok(Some(secret)) => {
                state.keychain = KeychainState::Ready;
                state.session = match secret.expose_text().map(SecureKey::parse) {
                    Some(Ok(key)) => Session::SignedIn { key: Arc::new(key), keeping: KeyKeeping::Keychain },
                    _ => Session::KeyUnavailable { error: ErrorView::of(AppErrorCode::KeyMalformed), refused: None },
                };
            }
            Ok(None) => {
                state.keychain = KeychainState::Ready;
                state.session = Session::SignedOut;
                state.known = None;
                state.usage_log = (0, 0);
            }
            Err(error) => {
                state.keychain = keychain_state(&error);
                // Without a keychain nothing can have been kept in one; a locked one may hold the key.
                let nowhere = matches!(error, KeychainError::Absent | KeychainError::NoCollection);
                state.session = if nowhere && state.known.is_none() {
                    Session::SignedOut
                } else {
                    Session::KeyUnavailable { error: error.into(), refused: None }
                };
            }
        });
        if let Some(account) = gone {
            let _ = self.forget_usage(&account).await;
        }
    }

    /// Puts the key into the keychain, reads it back, and says where it is kept.
    pub(crate) async fn keep_key(&self, key: &SecureKey) -> Result<KeyKeeping, ErrorView> {
        let (name, secret) = (SecretName::secure_key(), Secret::from_text(key.expose().to_owned()));
        let stored = match self.inner.keychain.set(&name, &secret).await {
            Ok(()) => self.inner.keychain.get(&name).await,
            Err(error) => Err(error),
        };
        let (keeping, keychain) = match stored {
            Ok(Some(kept)) if kept.expose() == secret.expose() => (KeyKeeping::Keychain, KeychainState::Ready),
            Ok(_) => return Err(ErrorView::of(AppErrorCode::KeychainFailed)),
            Err(error @ (KeychainError::Absent | KeychainError::NoCollection)) => (KeyKeeping::MemoryOnly, keychain_state(&error)),
            Err(error) => {
                let seen = keychain_state(&error);
                self.change(|state| state.keychain = seen);
                return Err(error.into());
            }
        };
        self.change(|state| {
            state.keychain = keychain;
            match keeping {
                KeyKeeping::MemoryOnly => state.notice(NoticeView::KeyInMemoryOnly),
                KeyKeeping::Keychain => state.notices.retain(|n| !matches!(n, NoticeView::KeyInMemoryOnly)),
            }
        });
        Ok(keeping)
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
