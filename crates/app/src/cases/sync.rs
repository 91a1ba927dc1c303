//! Reading the account, and coming back by itself.

use crate::{
    Wallet,
    record::KnownAccount,
    roster::LocalId,
    service_time::ServiceTime,
    state::{Connection, Session, State},
    view::{AppErrorCode, AppView, ConnectionState, ErrorView},
};
use aispace_api::AccountAnswer;
use aispace_client::{AccountConnector, AiSpaceAccount, ClientError, SecureKey, UsagePage, backoff, clock_offset};
use chrono::{DateTime, TimeDelta, Utc};
use std::{sync::Arc, time::Duration};

/// Entries that are read and kept: two months of a busy account's pace.
const USAGE_ENTRIES: u16 = 200;
/// A clock that moves by so much more or less than time runs was set, or the computer slept.
pub(crate) const LEAP: TimeDelta = TimeDelta::seconds(10);
/// How often an account is asked for anew because the clock leapt while it was.
const ASKED_ANEW: u32 = 3;

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

    /// Reads the account that shows once; without a key, whether there is a service.
    pub(crate) async fn sync_account(&self) -> Result<(), ErrorView> {
        let id = {
            let state = self.state();
            state.roster.active.clone().filter(|_| state.session.key_to_try().is_some())
        };
        match id {
            Some(id) => self.sync_one(&id).await,
            None => self.probe_service().await,
        }
    }

    /// Reads the accounts that do not show, one after the other.
    pub(crate) async fn sync_others(&self) {
        let others: Vec<LocalId> = self.state().shelf.keys().cloned().collect();
        for id in others {
            // What stands in the way is shown with the account.
            let _ = self.sync_one(&id).await;
        }
    }

    /// Reads one account, when there is a key to ask with.
    pub(crate) async fn sync_one(&self, id: &LocalId) -> Result<(), ErrorView> {
        self.go_on_rotating(id).await;
        let key_now = || self.state().seen(id).and_then(|(session, ..)| session.key_to_try()).map(|(key, _)| Arc::clone(key));
        let Some(key) = key_now() else { return Ok(()) };
        let outcome = self.read_account(&key).await;
        let _turn = self.inner.session_turn.lock().await;
        // A sign-out may have come in between: then the answer is nobody's any more.
        let same = key_now().is_some_and(|now| now.expose() == key.expose());
        if !same {
            return Ok(());
        }
        match outcome {
            Ok(known) => {
                // Shown even where it cannot be written: a full disk hides no balance.
                let kept = self.inner.store.keep_account(id, &known).await;
                let running = self.inner.clock.running();
                self.change(|state| state.adopt(id, known, running));
                self.inner.usage_news.notify_one();
                self.forget_dismissal().await;
                Ok(kept?)
            }
            Err(error) => {
                self.went_wrong(Some(id), &error);
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
                self.went_wrong(None, &error);
                Err(error)
            }
        }
    }

    fn went_wrong(&self, id: Option<&LocalId>, error: &ErrorView) {
        let wait = {
            let failures = self.state().connection.failures.saturating_add(1);
            self.wait_after(failures)
        };
        let next_try = self.corrected_now() + TimeDelta::from_std(wait).unwrap_or_default();
        self.change(|state| {
            let shown = state.roster.active.clone();
            let place = id.or(shown.as_ref()).and_then(|id| state.place(id));
            let Some(place) = place else { return state.connection.went_wrong(error, next_try) };
            place.connection.went_wrong(error, next_try);
            if error.code == AppErrorCode::KeyRefused
                && let Session::SignedIn { key, keeping } = &*place.session
            {
                let refused = Some((Arc::clone(key), *keeping));
                *place.session = Session::KeyUnavailable { error: error.clone(), refused };
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
        let (answer, offset) = self.timed_answer(&account).await?;
        let usage = match self.kept_usage(&answer) {
            Some(usage) => usage,
            None => account.usage(&UsagePage::newest(USAGE_ENTRIES)).await.map_err(|e: ClientError| ErrorView::from(e))?.entries,
        };
        Ok(KnownAccount { answer, usage, clock_offset_ms: offset.num_milliseconds() })
    }

    /// What the service says of an account, and how far its clock is ahead of ours. An answer that slept on its way tells nothing of that.
    async fn timed_answer(&self, account: &AiSpaceAccount) -> Result<(AccountAnswer, TimeDelta), ErrorView> {
        let mut asked = 0u32;
        loop {
            let sent = self.reading();
            let answer = account.account().await?;
            let received = self.reading();
            asked = asked.saturating_add(1);
            if received.leapt_since(&sent).abs() < LEAP || asked >= ASKED_ANEW {
                let offset = clock_offset(answer.server_time, sent.wall, received.wall);
                return Ok((answer, offset));
            }
        }
    }

    /// The entries in memory, when no newer one was posted.
    fn kept_usage(&self, answer: &AccountAnswer) -> Option<Vec<aispace_api::UsageEntry>> {
        let state = self.state();
        let id = state.account_known_as(&answer.account_id)?;
        let (_, known, _) = state.seen(&id)?;
        known.filter(|known| known.answer.entry_count == answer.entry_count).map(|known| known.usage.clone())
    }
}

impl State {
    /// Takes what the service said of an account.
    pub(crate) fn adopt(&mut self, id: &LocalId, known: KnownAccount, running: Duration) {
        self.time = ServiceTime::heard(&known, running);
        let Some(place) = self.place(id) else { return };
        place.connection.last_sync = Some(known.answer.server_time);
        *place.known = Some(known);
        if let Session::KeyUnavailable { refused: Some((key, keeping)), .. } = &*place.session {
            *place.session = Session::SignedIn { key: Arc::clone(key), keeping: *keeping };
        }
        place.connection.came_back();
    }

    fn came_back(&mut self) {
        self.connection.came_back();
    }
}

impl Connection {
    fn came_back(&mut self) {
        self.state = ConnectionState::Online;
        self.error = None;
        self.next_try = None;
        self.failures = 0;
    }

    fn went_wrong(&mut self, error: &ErrorView, next_try: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        self.state = ConnectionState::Offline;
        self.error = Some(error.clone());
        self.next_try = Some(next_try);
    }

    /// The clock leapt: what was read may be old by now, and what waits does so no longer.
    pub(crate) fn leapt(&mut self, now: DateTime<Utc>) {
        if self.state == ConnectionState::Online {
            self.state = ConnectionState::Idle;
        }
        self.failures = 0;
        self.next_try = self.next_try.map(|_| now);
    }
}
