//! Reading the account, and coming back by itself.

use crate::{
    Wallet,
    record::KnownAccount,
    state::{Session, State},
    view::{AppErrorCode, AppView, ConnectionState, ErrorView, NoticeView},
};
use aispace_client::{AccountConnector, AiSpaceAccount, ClientError, SecureKey, UsagePage, backoff, clock_offset};
use chrono::TimeDelta;
use std::{sync::Arc, time::Duration};

/// Entries that are read and kept: two months of a busy account's pace.
const USAGE_ENTRIES: u16 = 200;
/// A difference of clocks that a person should know of.
const SKEW_MINUTES: i64 = 2;

impl Wallet {
    /// Asks keychain, service and nodes now.
    ///
    /// # Errors
    /// Whatever keeps the account from being read; what is known stays on the screen.
    pub async fn sync_now(&self) -> Result<AppView, ErrorView> {
        self.load_key().await;
        self.ensure_spending_wallet().await;
        // Side by side: a chain that hangs does not keep the account from being read.
        let ((), synced) = futures::join!(self.look_at_chain(), self.sync_account());
        synced?;
        self.answer()
    }

    /// Reads the account once, unless signed out.
    pub(crate) async fn sync_account(&self) -> Result<(), ErrorView> {
        let Some(key) = self.state().key_to_try() else { return self.probe_service().await };
        let outcome = self.read_account(&key).await;
        let _turn = self.inner.session_turn.lock().await;
        // A sign-out may have come in between: then the answer is nobody's any more.
        let same = self.state().key_to_try().is_some_and(|now| now.expose() == key.expose());
        if !same {
            return Ok(());
        }
        match outcome {
            Ok(known) => {
                // Shown even where it cannot be written: a full disk hides no balance.
                let kept = self.inner.store.keep_account(Some(&known)).await;
                self.change(|state| state.adopt(known));
                self.inner.usage_news.notify_one();
                self.forget_dismissal().await;
                Ok(kept?)
            }
            Err(error) => {
                self.went_wrong(&error);
                Err(error)
            }
        }
    }

    /// Signed out, the service's health says whether there is a network.
    async fn probe_service(&self) -> Result<(), ErrorView> {
        match self.inner.service.health().await {
            Ok(_) => {
                self.change(State::came_back);
                Ok(())
            }
            Err(error) => {
                let error = ErrorView::from(error);
                self.went_wrong(&error);
                Err(error)
            }
        }
    }

    fn went_wrong(&self, error: &ErrorView) {
        let wait = {
            let failures = self.state().connection.failures.saturating_add(1);
            self.wait_after(failures)
        };
        let next_try = self.inner.clock.now() + TimeDelta::from_std(wait).unwrap_or_default();
        self.change(|state| {
            state.connection.failures = state.connection.failures.saturating_add(1);
            state.connection.state = ConnectionState::Offline;
            state.connection.error = Some(error.clone());
            state.connection.next_try = Some(next_try);
            if error.code == AppErrorCode::KeyRefused
                && let Session::SignedIn { key, keeping } = &state.session
            {
                let refused = Some((Arc::clone(key), *keeping));
                state.session = Session::KeyUnavailable { error: error.clone(), refused };
            }
        });
    }

    /// How long to wait before the service is asked again.
    pub(crate) fn wait_after(&self, failures: u32) -> Duration {
        let usual = self.inner.fixed.profile.sync_interval();
        if failures == 0 {
            return usual;
        }
        let jitter = u8::try_from(self.inner.clock.now().timestamp_subsec_millis() % 256).unwrap_or_default();
        backoff(failures, jitter).min(usual)
    }

    /// Reads the account and its newest entries.
    pub(crate) async fn read_account(&self, key: &SecureKey) -> Result<KnownAccount, ErrorView> {
        let key = SecureKey::parse(key.expose()).map_err(ErrorView::internal)?;
        let account = AiSpaceAccount::new(self.inner.service.clone(), key);
        let sent = self.inner.clock.now();
        let answer = account.account().await?;
        let offset = clock_offset(answer.server_time, sent, self.inner.clock.now());
        let usage = match self.kept_usage(&answer) {
            Some(usage) => usage,
            None => account.usage(&UsagePage::newest(USAGE_ENTRIES)).await.map_err(|e: ClientError| ErrorView::from(e))?.entries,
        };
        Ok(KnownAccount { answer, usage, clock_offset_ms: offset.num_milliseconds() })
    }

    /// The entries in memory, when no newer one was posted.
    fn kept_usage(&self, answer: &aispace_api::AccountAnswer) -> Option<Vec<aispace_api::UsageEntry>> {
        let state = self.state();
        let known = state.known.as_ref()?;
        let current = known.answer.account_id == answer.account_id && known.answer.entry_count == answer.entry_count;
        current.then(|| known.usage.clone())
    }
}

impl State {
    /// Takes what the service said.
    pub(crate) fn adopt(&mut self, known: KnownAccount) {
        let minutes = -TimeDelta::milliseconds(known.clock_offset_ms).num_minutes();
        self.notices.retain(|n| !matches!(n, NoticeView::ClockSkewed { .. }));
        if minutes.abs() >= SKEW_MINUTES {
            self.notices.push(NoticeView::ClockSkewed { minutes: i32::try_from(minutes).unwrap_or(i32::MAX) });
        }
        self.connection.last_sync = Some(known.answer.server_time);
        self.known = Some(known);
        if let Session::KeyUnavailable { refused: Some((key, keeping)), .. } = &self.session {
            self.session = Session::SignedIn { key: Arc::clone(key), keeping: *keeping };
        }
        self.came_back();
    }

    fn came_back(&mut self) {
        self.connection.state = ConnectionState::Online;
        self.connection.error = None;
        self.connection.next_try = None;
        self.connection.failures = 0;
    }
}
