//! Reading the whole log of the account, page by page, beside everything else.

use crate::{
    Wallet, project,
    record::KnownAccount,
    state::Session,
    store::{StoreError, is_damage},
    usage_log::{Extent, UsageLog, forget},
    view::ErrorView,
};
use aispace_api::UsageEntry;
use aispace_client::{AccountConnector, AiSpaceAccount, SecureKey, UsagePage};
use std::{sync::Arc, time::Duration};

/// Entries of a page: the most that the service gives.
const PAGE_ENTRIES: u16 = 200;
/// Between two pages: half of the calls that the service allows a key are left for everything else.
const PAUSE: Duration = Duration::from_millis(100);
/// Pages after which the window hears of them.
const PAGES_SAID: u32 = 5;

impl Wallet {
    /// Reads what is missing of the log whenever the account was read.
    pub(crate) async fn keep_filling_usage(&self) {
        loop {
            self.inner.usage_news.notified().await;
            if let Err(error) = self.catch_up_usage().await {
                // The next look at the account goes on where this one stopped.
                tracing::debug!(code = ?error.code, "the log is not read to its end");
            }
        }
    }

    /// Reads what is missing of the log, the newest first.
    async fn catch_up_usage(&self) -> Result<(), ErrorView> {
        let Some((key, known)) = self.usage_source() else { return Ok(()) };
        let Some(log) = self.usage_log(&known.answer.account_id).await? else { return Ok(()) };
        let outcome = self.catch_up(&log, &key, &known).await;
        match outcome {
            Ok(()) => Ok(self.say_usage(&log).await?),
            Err(Stopped::Asking(error)) => Err(error),
            Err(Stopped::Keeping(error)) => Err(self.log_failed(&log, error).await),
        }
    }

    async fn catch_up(&self, log: &UsageLog, key: &Arc<SecureKey>, known: &KnownAccount) -> Result<(), Stopped> {
        let reading = SecureKey::parse(key.expose()).map_err(|error| Stopped::Asking(ErrorView::internal(error)))?;
        let service = AiSpaceAccount::new(self.inner.service.clone(), reading);
        let ask = async |cursor: Option<String>| {
            service.usage(&UsagePage { cursor, limit: PAGE_ENTRIES }).await.map_err(|error| Stopped::Asking(error.into()))
        };
        if is_another_history(&log.extent().await?, known) {
            log.begin_anew().await?;
        }
        let newest = log.extent().await?.newest.map_or(0, |(sequence, _)| sequence);
        if newest < known.answer.entry_count {
            let reached = known.usage.iter().map(|entry| entry.sequence).min();
            if reached.is_some_and(|oldest| oldest <= newest.saturating_add(1)) {
                log.keep_newest(&known.usage, None).await?;
            } else {
                let mut page = ask(None).await?;
                // What was posted since is for the next time, when the account is known to have it.
                page.entries.retain(|entry| entry.sequence <= known.answer.entry_count);
                log.keep_newest(&page.entries, page.next_cursor.as_deref()).await?;
            }
            self.say_usage(log).await?;
        }
        let mut pages = 0u32;
        while let Some(gap) = log.extent().await?.gap {
            tokio::time::sleep(PAUSE).await;
            let same = self.usage_source().is_some_and(|(now, _)| now.expose() == key.expose());
            if !same {
                return Ok(());
            }
            let page = ask(Some(gap.cursor.clone())).await?;
            if !log.keep_below(&gap, &page).await? {
                return Ok(());
            }
            pages = pages.saturating_add(1);
            if pages.is_multiple_of(PAGES_SAID) {
                self.say_usage(log).await?;
            }
        }
        Ok(())
    }

    /// Who is signed in, and what is known of the account.
    fn usage_source(&self) -> Option<(Arc<SecureKey>, KnownAccount)> {
        let state = self.state();
        match &state.session {
            Session::SignedIn { key, .. } => Some((Arc::clone(key), state.known.clone()?)),
            Session::Unknown | Session::SignedOut | Session::KeyUnavailable { .. } => None,
        }
    }

    /// The log of an account, if it is the one that is shown.
    pub(crate) async fn usage_log(&self, account_id: &str) -> Result<Option<UsageLog>, ErrorView> {
        let mut open = self.inner.usage_log.lock().await;
        // Under the lock: a log is never opened again behind a sign-out that removes it.
        let shown = self.state().known.as_ref().is_some_and(|known| known.answer.account_id == account_id);
        if !shown {
            return Ok(None);
        }
        if let Some(log) = open.as_ref().filter(|log| log.account_id() == account_id) {
            return Ok(Some(log.clone()));
        }
        let log = UsageLog::open(&self.inner.fixed.data_folder, account_id).await?;
        self.say_usage(&log).await?;
        *open = Some(log.clone());
        Ok(Some(log))
    }

    /// Removes the log of an account from this computer, and what was kept to be compared with it.
    pub(crate) async fn forget_usage(&self, account_id: &str) -> Result<(), StoreError> {
        self.inner.store.keep_estimates(account_id, None).await?;
        self.remove_log(account_id).await
    }

    async fn remove_log(&self, account_id: &str) -> Result<(), StoreError> {
        let mut open = self.inner.usage_log.lock().await;
        match open.take_if(|log| log.account_id() == account_id) {
            Some(log) => log.remove().await,
            None => forget(&self.inner.fixed.data_folder, account_id),
        }
    }

    /// What a command says of a log that failed. A damaged one is begun anew, and read again.
    pub(crate) async fn log_failed(&self, log: &UsageLog, error: StoreError) -> ErrorView {
        if is_damage(&error) && self.remove_log(log.account_id()).await.is_ok() {
            self.inner.usage_news.notify_one();
        }
        error.into()
    }

    /// Tells the window how much of the log is here, and whatever is held against a budget what was spent.
    async fn say_usage(&self, log: &UsageLog) -> Result<(), StoreError> {
        let (revision, kept) = (log.revision(), log.extent().await?.kept);
        let spent = log.spent_from(project::first_day(self.corrected_now())).await?;
        self.change(|state| {
            if state.known.as_ref().is_some_and(|known| known.answer.account_id == log.account_id()) {
                state.usage_log = (revision, u32::try_from(kept).unwrap_or(u32::MAX));
                state.spent = Some(spent);
            }
        });
        Ok(())
    }
}

enum Stopped {
    Asking(ErrorView),
    Keeping(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Keeping(error)
    }
}

/// Whether the newest entry here is not the service's of that number. Ids follow from all entries before, so one stands for all.
fn is_another_history(extent: &Extent, known: &KnownAccount) -> bool {
    let Some((sequence, id)) = &extent.newest else { return false };
    let other = |entry: &UsageEntry| entry.sequence == *sequence && entry.entry_id != *id;
    *sequence > known.answer.entry_count || known.usage.iter().any(other)
}
