//! Showing and copying an account's Secure Key.

use crate::{
    Wallet,
    clipboard::{CLEARED_AFTER_SECONDS, put_for_a_while},
    view::{AppErrorCode, CopiedView, ErrorView},
};
use aispace_client::SecureKey;
use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

impl Wallet {
    /// Puts a Secure Key into the clipboard against its last four characters, and takes it out again half a minute later unless
    /// something else is there by then. The key never reaches the page.
    ///
    /// # Errors
    /// There is no such key, the characters do not match, or the clipboard does not take it.
    pub async fn copy_secure_key(&self, account: Option<String>, confirmation: String) -> Result<CopiedView, ErrorView> {
        let key = self.confirmed_key(account, &confirmation)?;
        let stays = Duration::from_secs(u64::from(CLEARED_AFTER_SECONDS));
        let put = put_for_a_while(Arc::clone(&self.inner.clipboard), Zeroizing::new(key.expose().to_owned()), stays).await;
        let later = put.map_err(|error| ErrorView::of(AppErrorCode::ClipboardFailed).with("reason", error.reason))?;
        tokio::spawn(later);
        Ok(CopiedView { seconds: CLEARED_AFTER_SECONDS })
    }

    /// The key of an account, of the one that shows when none is named, against its last four characters.
    pub(crate) fn confirmed_key(&self, account: Option<String>, confirmation: &str) -> Result<Arc<SecureKey>, ErrorView> {
        let key = match account {
            Some(account) => {
                let id = self.account_called(&account)?;
                self.state().seen(&id).and_then(|(session, ..)| session.key_to_try()).map(|(key, _)| Arc::clone(key))
            }
            None => self.state().key(),
        };
        let key = key.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?;
        if confirmation.trim() == key.hint() { Ok(key) } else { Err(ErrorView::of(AppErrorCode::RevealRefused)) }
    }
}
