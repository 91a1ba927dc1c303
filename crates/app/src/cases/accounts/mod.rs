//! Several accounts: which one shows, what they are called, and leaving one.

mod by_hand;
mod copy;
mod keys;
mod rotate;
mod typed;

use crate::{
    Wallet,
    roster::{self, LABEL_CHARS_MAX, LocalId, Roster},
    view::{AppErrorCode, AppView, ErrorView},
};
use aispace_keychain::KeychainError;

impl Wallet {
    /// Shows another account. Purchases that are under way stay with the account they began for.
    ///
    /// # Errors
    /// There is no such account, or the store cannot be written.
    pub async fn switch_account(&self, account: String) -> Result<AppView, ErrorView> {
        let id = self.account_called(&account)?;
        {
            let _turn = self.inner.session_turn.lock().await;
            self.change_roster(|roster| roster.active = Some(id.clone())).await?;
            self.change(|state| state.show(&id));
        }
        self.inner.usage_news.notify_one();
        // Its figures are shown as they are known; fresh ones come when the service answers.
        let wallet = self.clone();
        tokio::spawn(async move { wallet.sync_account().await });
        self.answer()
    }

    /// Calls an account by another name; an empty one takes the name away.
    ///
    /// # Errors
    /// There is no such account, the name is too long, or the store cannot be written.
    pub async fn label_account(&self, account: String, label: String) -> Result<AppView, ErrorView> {
        let id = self.account_called(&account)?;
        let label = roster::label(&label).map_err(|_| ErrorView::of(AppErrorCode::LabelRefused).with("most", LABEL_CHARS_MAX))?;
        let _turn = self.inner.session_turn.lock().await;
        let roster = self
            .change_roster(|roster| {
                roster.accounts.iter_mut().filter(|entry| entry.id == id).for_each(|entry| entry.label.clone_from(&label));
            })
            .await?;
        self.change(|state| state.roster = roster);
        self.answer()
    }

    /// Removes an account from this computer: its key, what is known of it, and nothing else.
    ///
    /// # Errors
    /// There is no such account, or the keychain cannot be sure that its key is gone.
    pub async fn remove_account(&self, account: String) -> Result<AppView, ErrorView> {
        let id = self.account_called(&account)?;
        self.leave(&id).await
    }

    pub(crate) async fn leave(&self, id: &LocalId) -> Result<AppView, ErrorView> {
        let _turn = self.inner.session_turn.lock().await;
        let name = id.key_name().map_err(ErrorView::internal)?;
        // The next key first: one without the other would be taken for the account's.
        for name in [name.replacement().map_err(ErrorView::internal)?, name] {
            match self.inner.keychain.delete(&name).await {
                Ok(()) | Err(KeychainError::Absent | KeychainError::NoCollection) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.forget_account(id).await?;
        // An id without a key is no account: the list may keep it until it is written anew.
        let _ = self.list_account(id, false).await;
        self.answer()
    }

    /// Forgets all that is known of an account, its log included. Whoever calls this has the session's turn.
    pub(crate) async fn forget_account(&self, id: &LocalId) -> Result<(), ErrorView> {
        let mut roster = self.state().roster.clone();
        roster.remove(id);
        self.inner.store.keep_roster(&roster, Some((id, None))).await?;
        let account = self.state().seen(id).and_then(|(_, known, _)| known).map(|known| known.answer.account_id.clone());
        self.change(|state| state.drop_account(id));
        self.inner.usage_news.notify_one();
        if let Some(account) = account {
            self.forget_usage(&account).await?;
        }
        Ok(())
    }

    /// The account that the window means.
    pub(crate) fn account_called(&self, account: &str) -> Result<LocalId, ErrorView> {
        let id = LocalId::parse(account).filter(|id| self.state().roster.entry(id).is_some());
        id.ok_or_else(|| ErrorView::of(AppErrorCode::AccountUnknown))
    }

    /// Writes a changed roster; the state is the caller's to change. Whoever calls this has the session's turn.
    pub(crate) async fn change_roster(&self, change: impl FnOnce(&mut Roster)) -> Result<Roster, ErrorView> {
        let mut roster = self.state().roster.clone();
        change(&mut roster);
        self.inner.store.keep_roster(&roster, None).await?;
        Ok(roster)
    }
}
