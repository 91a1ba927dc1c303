//! A new Secure Key in the place of the old one, without a moment in which the only copy is in memory.
//!
//! The service lets the old key live until the new one is first used. So the new one goes into the keychain beside the old, is used,
//! and only then takes its place. Killed before the first use, the old key is still good; killed after, the new one is found in the
//! keychain and finished with. A lost answer changes nothing: asked again, the service gives another new key.

use crate::{
    Wallet,
    roster::LocalId,
    state::Session,
    view::{AppErrorCode, AppView, ErrorView, KeyKeeping},
};
use aispace_client::{ClientError, SecureKey};
use aispace_keychain::{Secret, SecretName};
use std::sync::Arc;

/// How the use of a next key went.
enum Finished {
    Done,
    /// The service does not know it any more, and knows the present one.
    Overtaken,
}

impl Wallet {
    /// Gives an account a new Secure Key, or finishes what was begun. The old key works until the new one is kept and used.
    ///
    /// # Errors
    /// The service or the keychain does not answer, or the key is in memory only. One of the two keys is good then, and kept.
    pub async fn rotate_key(&self, account: String) -> Result<AppView, ErrorView> {
        let id = self.account_called(&account)?;
        let _turn = self.inner.session_turn.lock().await;
        let held = self.state().seen(&id).and_then(|(session, ..)| session.key_to_try()).map(|(key, keeping)| (Arc::clone(key), keeping));
        let (key, keeping) = held.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?;
        if keeping == KeyKeeping::MemoryOnly {
            return Err(ErrorView::of(AppErrorCode::KeychainAbsent));
        }
        if self.next_key(&id).await?.is_none() || matches!(self.finish_rotation(&id, &key).await?, Finished::Overtaken) {
            self.begin_rotation(&id, &key).await?;
            if matches!(self.finish_rotation(&id, &key).await?, Finished::Overtaken) {
                return Err(ErrorView::of(AppErrorCode::KeyRefused));
            }
        }
        self.answer()
    }

    /// Finishes a rotation that was begun and cut off. What stands in the way is met again with the next look.
    pub(crate) async fn go_on_rotating(&self, id: &LocalId) {
        if !self.state().rotating.contains(id) {
            return;
        }
        let _turn = self.inner.session_turn.lock().await;
        let held = self.state().seen(id).and_then(|(session, ..)| session.key_to_try()).map(|(key, _)| Arc::clone(key));
        if let Some(key) = held {
            let _ = self.finish_rotation(id, &key).await;
        }
    }

    /// Asks for a new key and keeps it beside the present one.
    async fn begin_rotation(&self, id: &LocalId, key: &SecureKey) -> Result<(), ErrorView> {
        let next = self.inner.service.rotate_key(key).await?;
        let secret = Secret::from_text(next.expose().to_owned());
        if !self.write_back(&next_name(id)?, &secret).await? {
            return Err(ErrorView::of(AppErrorCode::KeychainFailed));
        }
        self.change(|state| state.rotating.insert(id.clone()));
        Ok(())
    }

    /// Uses the next key, which ends the present one, and puts it in its place.
    async fn finish_rotation(&self, id: &LocalId, present: &SecureKey) -> Result<Finished, ErrorView> {
        let Some(next) = self.next_key(id).await? else {
            self.change(|state| state.rotating.remove(id));
            return Ok(Finished::Done);
        };
        match self.inner.service.account(&next).await {
            Ok(_) => {}
            // Forgotten only when the present one is good: else it may be the only key there is.
            Err(ClientError::KeyRefused) => {
                self.inner.service.account(present).await?;
                self.inner.keychain.delete(&next_name(id)?).await?;
                self.change(|state| state.rotating.remove(id));
                return Ok(Finished::Overtaken);
            }
            Err(error) => return Err(error.into()),
        }
        let name = id.key_name().map_err(ErrorView::internal)?;
        if !self.write_back(&name, &Secret::from_text(next.expose().to_owned())).await? {
            return Err(ErrorView::of(AppErrorCode::KeychainFailed));
        }
        // Left behind it is the same key twice, and taken away by the next start.
        let tidied = self.inner.keychain.delete(&next_name(id)?).await.is_ok();
        let now = self.corrected_now();
        let since = |roster: &mut crate::roster::Roster| {
            roster.accounts.iter_mut().filter(|entry| entry.id == *id).for_each(|entry| entry.since = Some(now));
        };
        let roster = self.change_roster(since).await;
        self.change(|state| {
            if tidied {
                state.rotating.remove(id);
            }
            if let Ok(roster) = roster {
                state.roster = roster;
            }
            if let Some(place) = state.place(id) {
                *place.session = Session::SignedIn { key: Arc::new(next), keeping: KeyKeeping::Keychain };
            }
        });
        Ok(Finished::Done)
    }

    /// The key that is to take the present one's place.
    async fn next_key(&self, id: &LocalId) -> Result<Option<SecureKey>, ErrorView> {
        let Some(secret) = self.inner.keychain.get(&next_name(id)?).await? else { return Ok(None) };
        let key = secret.expose_text().map(SecureKey::parse);
        key.and_then(Result::ok).map(Some).ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))
    }
}

fn next_name(id: &LocalId) -> Result<SecretName, ErrorView> {
    id.key_name().and_then(|name| name.replacement()).map_err(ErrorView::internal)
}
