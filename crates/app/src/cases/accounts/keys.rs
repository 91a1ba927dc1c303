//! The Secure Keys of all accounts in the keychain, each an item of its own.

use crate::{
    Wallet,
    cases::session::keychain_state,
    record::KnownAccount,
    roster::{AccountKind, LocalId},
    state::Session,
    view::{AppErrorCode, ErrorView, KeyKeeping, KeychainState},
};
use aispace_client::SecureKey;
use aispace_keychain::{KeychainError, Secret, SecretName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Which further accounts the keychain has keys of: with the store lost, nothing else would know their names.
#[derive(Default, Serialize, Deserialize)]
struct AccountList {
    version: u32,
    accounts: BTreeSet<LocalId>,
}

impl Wallet {
    /// Asks the keychain for every key that is not in memory; one that is in memory only is kept as soon as there is a keychain.
    pub(crate) async fn load_key(&self) {
        let _turn = self.inner.session_turn.lock().await;
        let mut trouble = self.find_accounts().await.err().filter(is_of_all);
        let mut ids = self.state().roster.with_keys();
        let first = LocalId::first();
        if !ids.contains(&first) {
            ids.push(first);
        }
        // The one that shows is asked for first.
        ids.sort_by_key(|id| !self.state().roster.is_active(id));
        for id in ids {
            match &trouble {
                // Asked once a round: a locked keychain may show a prompt for each question.
                Some(error) if self.state().seen(&id).is_none_or(|(session, ..)| session.key_to_try().is_none()) => {
                    self.take_trouble(&id, error.clone());
                }
                Some(_) => {}
                None => trouble = self.load_key_of(&id).await.err().filter(is_of_all),
            }
        }
    }

    async fn load_key_of(&self, id: &LocalId) -> Result<(), KeychainError> {
        let homeless = match self.state().seen(id).map(|(session, ..)| session) {
            Some(Session::SignedIn { key, keeping: KeyKeeping::MemoryOnly }) => Some(Arc::clone(key)),
            Some(Session::SignedIn { .. } | Session::KeyUnavailable { refused: Some(_), .. } | Session::ByHand) => return Ok(()),
            Some(Session::Unknown | Session::SignedOut | Session::KeyUnavailable { refused: None, .. }) | None => None,
        };
        let Ok(name) = id.key_name() else { return Ok(()) };
        let found = self.inner.keychain.get(&name).await;
        if let Some(key) = homeless {
            // Another key that the keychain holds is not replaced.
            if matches!(found, Ok(None))
                && let Ok(keeping) = self.keep_key(id, &key).await
            {
                self.sign_in_as(id, &key, keeping);
            }
            return Ok(());
        }
        match found {
            Ok(Some(secret)) => self.take_key(id, &name, &secret).await,
            Ok(None) => self.take_absence(id).await,
            Err(error) => {
                self.take_trouble(id, error.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    async fn take_key(&self, id: &LocalId, name: &SecretName, secret: &Secret) {
        let next = match name.replacement() {
            Ok(next) => self.inner.keychain.get(&next).await.is_ok_and(|next| next.is_some()),
            Err(_) => false,
        };
        let is_new = self.state().roster.entry(id).is_none();
        self.change(|state| {
            state.keychain = KeychainState::Ready;
            state.add_account(id, AccountKind::Service, None);
            if next {
                state.rotating.insert(id.clone());
            }
            let session = match secret.expose_text().map(SecureKey::parse) {
                Some(Ok(key)) => Session::SignedIn { key: Arc::new(key), keeping: KeyKeeping::Keychain },
                _ => Session::KeyUnavailable { error: ErrorView::of(AppErrorCode::KeyMalformed), refused: None },
            };
            if let Some(place) = state.place(id) {
                *place.session = session;
            }
        });
        if is_new {
            // Found again at the next start where it cannot be written now.
            let _ = self.change_roster(|_| ()).await;
        }
    }

    /// The key was removed from outside, or there never was one: what it opened is nobody's here any more.
    async fn take_absence(&self, id: &LocalId) {
        let was_there = self.state().roster.entry(id).is_some();
        if was_there {
            let _ = self.forget_account(id).await;
        }
        self.change(|state| {
            state.keychain = KeychainState::Ready;
            state.drop_account(id);
            if state.roster.active.is_none() {
                (state.session, state.known) = (Session::SignedOut, None);
            }
        });
    }

    fn take_trouble(&self, id: &LocalId, error: KeychainError) {
        // Without a keychain nothing can have been kept in one; a locked one may hold the key.
        let nowhere = matches!(error, KeychainError::Absent | KeychainError::NoCollection);
        self.change(|state| {
            state.keychain = keychain_state(&error);
            let unavailable = Session::KeyUnavailable { error: error.into(), refused: None };
            if let Some(place) = state.place(id) {
                *place.session = unavailable;
            } else if state.roster.active.is_none() {
                state.session = if nowhere { Session::SignedOut } else { unavailable };
            }
        });
    }

    /// Takes in the accounts that the keychain has keys of and the store does not know.
    async fn find_accounts(&self) -> Result<(), KeychainError> {
        if self.state().keys_listed {
            return Ok(());
        }
        let list = self.account_list().await?;
        self.change(|state| {
            state.keys_listed = true;
            for id in &list.accounts {
                state.add_account(id, AccountKind::Service, None);
            }
        });
        Ok(())
    }

    async fn account_list(&self) -> Result<AccountList, KeychainError> {
        let Some(secret) = self.inner.keychain.get(&SecretName::account_list()).await? else { return Ok(AccountList::default()) };
        serde_json::from_slice(secret.expose()).map_err(|_| KeychainError::Failed { detail: "the list of accounts cannot be read".into() })
    }

    /// Puts a further account's id on the keychain's list, or takes it off. The first one is on none.
    pub(crate) async fn list_account(&self, id: &LocalId, listed: bool) -> Result<(), KeychainError> {
        if id.is_first() {
            return Ok(());
        }
        let mut list = self.account_list().await?;
        let changed = if listed { list.accounts.insert(id.clone()) } else { list.accounts.remove(id) };
        if !changed {
            return Ok(());
        }
        let name = SecretName::account_list();
        if list.accounts.is_empty() {
            return self.inner.keychain.delete(&name).await;
        }
        list.version = 1;
        let bytes =
            serde_json::to_vec(&list).map_err(|_| KeychainError::Failed { detail: "the list of accounts cannot be written".into() })?;
        self.inner.keychain.set(&name, &Secret::new(bytes)).await
    }

    /// Where a key belongs: to the account it opens already, else to a new one. Never over another key in the keychain.
    pub(crate) async fn place_for(&self, key: &SecureKey, account_id: &str) -> Result<LocalId, ErrorView> {
        let there = {
            let state = self.state();
            state.account_with_key(key).or_else(|| state.account_known_as(account_id))
        };
        if let Some(id) = there {
            return Ok(id);
        }
        let first = LocalId::first();
        if self.state().roster.entry(&first).is_none() {
            match self.inner.keychain.get(&SecretName::secure_key()).await {
                Ok(None) | Err(KeychainError::Absent | KeychainError::NoCollection) => return Ok(first),
                Ok(Some(kept)) if kept.expose() == key.expose().as_bytes() => return Ok(first),
                Ok(Some(_)) => {}
                Err(error) => {
                    let seen = keychain_state(&error);
                    self.change(|state| state.keychain = seen);
                    return Err(error.into());
                }
            }
        }
        Ok(LocalId::further(Uuid::new_v4()))
    }

    /// Takes a key that opens an account: keychain first, then the roster with what is known. Whoever calls this has the session's turn.
    pub(crate) async fn take_account(
        &self,
        key: SecureKey,
        account_id: &str,
        known: Option<KnownAccount>,
        show: bool,
    ) -> Result<KeyKeeping, ErrorView> {
        let id = self.place_for(&key, account_id).await?;
        let keeping = self.keep_key(&id, &key).await?;
        let now = self.corrected_now();
        let mut roster = self.state().roster.clone();
        roster.add(&id, AccountKind::Service, Some(now));
        if show {
            roster.active = Some(id.clone());
        }
        match &known {
            Some(known) => self.inner.store.keep_roster(&roster, Some((&id, Some(known)))).await?,
            None => self.inner.store.keep_roster(&roster, None).await?,
        }
        self.change(|state| {
            state.add_account(&id, AccountKind::Service, Some(now));
            if show {
                state.show(&id);
            }
        });
        self.sign_in_as(&id, &Arc::new(key), keeping);
        if let Some(known) = known {
            let running = self.inner.clock.running();
            self.change(|state| state.adopt(&id, known, running));
            self.inner.usage_news.notify_one();
        }
        Ok(keeping)
    }

    pub(crate) fn sign_in_as(&self, id: &LocalId, key: &Arc<SecureKey>, keeping: KeyKeeping) {
        self.change(|state| {
            if let Some(place) = state.place(id) {
                *place.session = Session::SignedIn { key: Arc::clone(key), keeping };
            }
            state.say_keys_in_memory();
        });
    }

    /// Puts an account's key into the keychain, reads it back, and says where it is kept.
    pub(crate) async fn keep_key(&self, id: &LocalId, key: &SecureKey) -> Result<KeyKeeping, ErrorView> {
        let (name, secret) = (id.key_name().map_err(ErrorView::internal)?, Secret::from_text(key.expose().to_owned()));
        let stored = match self.list_account(id, true).await {
            Ok(()) => self.write_back(&name, &secret).await,
            Err(error) => Err(error),
        };
        let (keeping, keychain) = match stored {
            Ok(true) => (KeyKeeping::Keychain, KeychainState::Ready),
            Ok(false) => return Err(ErrorView::of(AppErrorCode::KeychainFailed)),
            Err(error @ (KeychainError::Absent | KeychainError::NoCollection)) => (KeyKeeping::MemoryOnly, keychain_state(&error)),
            Err(error) => {
                let seen = keychain_state(&error);
                self.change(|state| state.keychain = seen);
                return Err(error.into());
            }
        };
        self.change(|state| state.keychain = keychain);
        Ok(keeping)
    }

    /// Stores a secret and answers whether the keychain gives the same back.
    pub(crate) async fn write_back(&self, name: &SecretName, secret: &Secret) -> Result<bool, KeychainError> {
        self.inner.keychain.set(name, secret).await?;
        Ok(self.inner.keychain.get(name).await?.is_some_and(|kept| kept.expose() == secret.expose()))
    }
}

/// Whether an error is the whole keychain's and not one item's.
fn is_of_all(error: &KeychainError) -> bool {
    matches!(error, KeychainError::Absent | KeychainError::NoCollection | KeychainError::Locked | KeychainError::Waiting)
}
