//! Reading the whole log of the account, page by page, beside everything else.

use crate::{
    Wallet, project,
    record::KnownAccount,
    roster::LocalId,
    state::Session,
    store::{StoreError, is_damage},
    usage_log::{Extent, UsageLog, forget, forget_all},
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
/// Pages of an account that does not show, before it is the others' turn.
const PAGES_OF_OTHERS: u32 = 25;

impl Wallet {
    /// Reads what is missing of the logs whenever an account was read: that of the one which shows first.
    pub(crate) async fn keep_filling_usage(&self) {
        loop {
            self.inner.usage_news.notified().await;
            for id in self.usage_turns() {
                match self.catch_up_usage(&id).await {
                    Ok(CaughtUp::Wholly) => {}
                    Ok(CaughtUp::InPart) => self.inner.usage_news.notify_one(),
                    // The next look at the account goes on where this one stopped.
                    Err(error) => tracing::debug!(code = ?error.code, "the log is not read to its end"),
                }
            }
        }
    }

    /// The accounts that have a log, the one that shows first.
    fn usage_turns(&self) -> Vec<LocalId> {
        let state = self.state();
        let mut ids = state.roster.with_keys();
        ids.sort_by_key(|id| !state.roster.is_active(id));
        ids
    }

    /// Reads what is missing of an account's log, the newest first.
    async fn catch_up_usage(&self, id: &LocalId) -> Result<CaughtUp, ErrorView> {
        let Some((key, known)) = self.usage_source(id) else { return Ok(CaughtUp::Wholly) };
        let Some(log) = self.usage_log(&known.answer.account_id).await? else { return Ok(CaughtUp::Wholly) };
        // What is here already, where another account showed before.
        self.say_usage(&log).await?;
        let outcome = self.catch_up(&log, id, &key, &known).await;
        match outcome {
            Ok(how_far) => {
                self.say_usage(&log).await?;
                Ok(how_far)
            }
            Err(Stopped::Asking(error)) => Err(error),
            Err(Stopped::Keeping(error)) => Err(self.log_failed(&log, error).await),
        }
    }

    async fn catch_up(&self, log: &UsageLog, id: &LocalId, key: &Arc<SecureKey>, known: &KnownAccount) -> Result<CaughtUp, Stopped> {
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
            let same = self.usage_source(id).is_some_and(|(now, _)| now.expose() == key.expose());
            if !same {
                return Ok(CaughtUp::Wholly);
            }
            // The one that shows is not kept waiting by the others.
            if pages >= PAGES_OF_OTHERS && !self.state().roster.is_active(id) {
                return Ok(CaughtUp::InPart);
            }
            let page = ask(Some(gap.cursor.clone())).await?;
            if !log.keep_below(&gap, &page).await? {
                return Ok(CaughtUp::Wholly);
            }
            pages = pages.saturating_add(1);
            if pages.is_multiple_of(PAGES_SAID) {
                self.say_usage(log).await?;
            }
        }
        Ok(CaughtUp::Wholly)
    }

    /// The key of an account, and what is known of it.
    fn usage_source(&self, id: &LocalId) -> Option<(Arc<SecureKey>, KnownAccount)> {
        let state = self.state();
        let (session, known, _) = state.seen(id)?;
        match session {
            Session::SignedIn { key, .. } => Some((Arc::clone(key), known?.clone())),
            Session::Unknown | Session::SignedOut | Session::ByHand | Session::KeyUnavailable { .. } => None,
        }
    }

    /// The log of an account that this computer has.
    pub(crate) async fn usage_log(&self, account_id: &str) -> Result<Option<UsageLog>, ErrorView> {
        let mut open = self.inner.usage_logs.lock().await;
        // Under the lock: a log is never opened again behind a sign-out that removes it.
        let is_here = {
            let state = self.state();
            let shown = state.known.as_ref().is_some_and(|known| known.answer.account_id == account_id);
            shown || state.account_known_as(account_id).is_some()
        };
        if !is_here {
            return Ok(None);
        }
        if let Some(log) = open.get(account_id) {
            return Ok(Some(log.clone()));
        }
        let log = UsageLog::open(&self.inner.fixed.data_folder, account_id).await?;
        self.say_usage(&log).await?;
        open.insert(account_id.into(), log.clone());
        Ok(Some(log))
    }

    /// Removes the log of an account from this computer, and what was kept to be compared with it.
    pub(crate) async fn forget_usage(&self, account_id: &str) -> Result<(), StoreError> {
        self.inner.store.keep_estimates(account_id, None).await?;
        self.remove_log(account_id).await
    }

    async fn remove_log(&self, account_id: &str) -> Result<(), StoreError> {
        let mut open = self.inner.usage_logs.lock().await;
        match open.remove(account_id) {
            Some(log) => log.remove().await,
            None => forget(&self.inner.fixed.data_folder, account_id),
        }
    }

    /// Removes every log, also of accounts that nothing is known of any more.
    pub(crate) async fn forget_all_usage(&self) -> Result<(), StoreError> {
        let mut open = self.inner.usage_logs.lock().await;
        while let Some((_, log)) = open.pop_first() {
            log.remove().await?;
        }
        forget_all(&self.inner.fixed.data_folder)
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

/// How far a log was read.
enum CaughtUp {
    Wholly,
    /// There is more, and it is somebody else's turn.
    InPart,
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
