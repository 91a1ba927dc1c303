//! A settled session: asking for payments, and answering what the wallet says in between.

use super::{
    AskedPayment, ConnectConfig, ConnectError, ConnectProgress, ConnectStage, Expired, SavedSession, Surroundings,
    envelope::Topic,
    error::wallet_error,
    namespaces::Granted,
    pairing::{opened, sealed},
    relay::{Delivery, Publication, Relay},
    saved::instant,
    wire::{self, Kind, Reply, Said},
};
use crate::{
    EthAddress,
    wallet::{PaymentRequest, WalletAnswer},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

/// The protocol's length of a session in seconds: seven days.
const SESSION_SECONDS: u64 = 604_800;
/// A session's length that is believed at most, in seconds: thirty days.
pub(super) const SESSION_SECONDS_MAX: u64 = 2_592_000;
/// Answers that are kept for a question that is asked again.
const ANSWERS_MAX: usize = 16;
/// How long after a request's end its answer is still awaited.
const GRACE: Duration = Duration::from_secs(5);
/// How long a wallet that is awake takes to answer a ping.
const PING_LIMIT: Duration = Duration::from_secs(30);

/// A session with a wallet. Dropping it closes the connection and keeps the session; [`Session::end`] ends it.
pub struct Session {
    inner: Arc<Inner>,
    listener: JoinHandle<()>,
}

struct Inner {
    relay: Relay,
    around: Surroundings,
    topic: Topic,
    answer_seconds: u64,
    progress: Arc<watch::Sender<ConnectProgress>>,
    state: Mutex<State>,
}

struct State {
    saved: SavedSession,
    over: Option<ConnectError>,
    waiting: BTreeMap<u64, Vec<oneshot::Sender<Reply>>>,
    /// Answers that nobody waited for: they may be those of a question asked before a restart.
    answers: VecDeque<(u64, Reply)>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Session {
    /// Takes up a session that was saved. What the wallet said meanwhile is waiting at the relay.
    ///
    /// # Errors
    /// [`ConnectError::Expired`] before anything is sent, [`ConnectError::RelayUnreachable`] (the session is not lost by it), [`ConnectError::RelayRefused`].
    pub async fn resume(config: &ConnectConfig, saved: SavedSession, around: Surroundings) -> Result<Self, ConnectError> {
        if saved.expires <= around.seconds() {
            return Err(ConnectError::Expired(Expired::Session));
        }
        let progress = Arc::new(watch::channel(ConnectProgress::first()).0);
        let (relay, deliveries) = Relay::start(config, saved.identity.duplicate(), around.clone(), Arc::clone(&progress));
        relay.subscribe(saved.key.topic()).await?;
        Ok(Self::begin(config, around, saved, relay, deliveries, progress))
    }

    pub(super) fn begin(
        config: &ConnectConfig,
        around: Surroundings,
        saved: SavedSession,
        relay: Relay,
        deliveries: mpsc::Receiver<Delivery>,
        progress: Arc<watch::Sender<ConnectProgress>>,
    ) -> Self {
        let topic = saved.key.topic();
        let state = Mutex::new(State { saved, over: None, waiting: BTreeMap::new(), answers: VecDeque::new() });
        let answer_seconds = config.patience().answer.as_secs();
        let inner = Arc::new(Inner { relay, around, topic, answer_seconds, progress, state });
        inner.progress.send_modify(|now| now.saved_revision = now.saved_revision.saturating_add(1));
        inner.show_connected();
        let listener = tokio::spawn(listen(Arc::clone(&inner), deliveries));
        Self { inner, listener }
    }

    /// What the wallet calls itself, cleaned.
    #[must_use]
    pub fn wallet(&self) -> String {
        self.inner.state().saved.wallet.clone()
    }

    /// Its accounts on Base, the one it would use first. Empty when it took Base back.
    #[must_use]
    pub fn accounts(&self) -> Vec<EthAddress> {
        self.inner.state().saved.granted.accounts.clone()
    }

    /// When it ends by itself.
    #[must_use]
    pub fn expires(&self) -> DateTime<Utc> {
        instant(self.inner.state().saved.expires)
    }

    /// What happens. It does not end with the session; [`ConnectStage::Closed`] is its last word.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<ConnectProgress> {
        self.inner.progress.subscribe()
    }

    /// The session as it belongs into the keychain; again whenever [`ConnectProgress::saved_revision`] rises.
    #[must_use]
    pub fn saved(&self) -> SavedSession {
        self.inner.state().saved.duplicate()
    }

    /// Seals a payment for this wallet without sending it. It goes into the journal, then to [`Session::ask`].
    ///
    /// # Errors
    /// [`ConnectError::WrongChain`], [`ConnectError::CannotSend`], [`ConnectError::UnknownAccount`], [`ConnectError::Expired`], [`ConnectError::PeerGone`].
    pub fn prepare(&self, request: &PaymentRequest, from: EthAddress) -> Result<AskedPayment, ConnectError> {
        self.inner.check_open()?;
        let state = self.inner.state();
        state.saved.granted.check()?;
        if !state.saved.granted.accounts.contains(&from) {
            return Err(ConnectError::UnknownAccount { account: from });
        }
        let id = self.inner.around.request_id()?;
        let expires = self.inner.around.seconds().saturating_add(self.inner.answer_seconds);
        let text = wire::payment(id, request, from, expires);
        let envelope = self.inner.around.draw(|entropy| state.saved.key.seal(&text, entropy))?;
        Ok(AskedPayment { id, topic: self.inner.topic.as_str().to_string(), envelope, from, expires })
    }

    /// Sends a question and waits for what the wallet says. With the same question again, after an error or a restart, the same bytes are sent and the
    /// wallet shows nothing a second time; an answer that came in between is given at once.
    ///
    /// An answer is acknowledged to the relay when it arrives. An app that is killed before it has written it down hears it no more, and asking again ends in
    /// [`ConnectError::Timeout`]. After that, [`ConnectError::RelayUnreachable`] and [`ConnectError::NotAHash`] a payment may have been sent all the same: only the chain knows.
    ///
    /// # Errors
    /// See [`ConnectError`]; [`ConnectError::NotASaved`] for a question of another session.
    pub async fn ask(&self, asked: &AskedPayment) -> Result<WalletAnswer, ConnectError> {
        if asked.topic != self.inner.topic.as_str() {
            return Err(ConnectError::NotASaved);
        }
        let outcome = self.inner.reply_to(asked).await.and_then(|reply| self.inner.read_reply(asked, reply));
        match &outcome {
            Ok(_) => self.inner.show(ConnectStage::Answered),
            Err(ConnectError::Rejected) => self.inner.show(ConnectStage::Rejected),
            Err(ConnectError::PeerGone) => self.inner.close(ConnectError::PeerGone),
            Err(_) if self.inner.check_open().is_ok() => self.inner.show_connected(),
            Err(_) => {}
        }
        outcome
    }

    /// [`Session::prepare`] and [`Session::ask`] in one, for a payment that needs no journal.
    ///
    /// # Errors
    /// Those of both.
    pub async fn send_transaction(&self, request: &PaymentRequest, from: EthAddress) -> Result<WalletAnswer, ConnectError> {
        let asked = self.prepare(request, from)?;
        self.ask(&asked).await
    }

    /// Asks whether the wallet is awake. A wallet on a phone in a pocket is not, which is no fault.
    ///
    /// # Errors
    /// [`ConnectError::Timeout`] when it does not answer, or why it cannot be asked.
    pub async fn ping(&self) -> Result<(), ConnectError> {
        self.inner.check_open()?;
        let id = self.inner.around.request_id()?;
        let answered = self.inner.await_reply(id);
        self.inner.relay.publish(self.inner.seal(&wire::ping(id), wire::PING)?).await?;
        match timeout(PING_LIMIT, answered).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(self.inner.over()),
            Err(_) => Err(ConnectError::Timeout),
        }
    }

    /// Tells the wallet that it is over. On this side it is over whatever comes of that.
    ///
    /// # Errors
    /// When the wallet could not be told: it keeps a session that nobody uses until that runs out.
    pub async fn end(&self) -> Result<(), ConnectError> {
        self.inner.check_open()?;
        let id = self.inner.around.request_id()?;
        let told = match self.inner.seal(&wire::deletion(id, wire::USER_DISCONNECTED), wire::DELETE) {
            Ok(deletion) => self.inner.relay.publish(deletion).await,
            Err(error) => Err(error),
        };
        self.inner.close(ConnectError::Ended);
        told
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the session may still be used.
    fn check_open(&self) -> Result<(), ConnectError> {
        let state = self.state();
        if let Some(over) = &state.over {
            return Err(over.clone());
        }
        let past = state.saved.expires <= self.around.seconds();
        drop(state);
        if past {
            self.close(ConnectError::Expired(Expired::Session));
            return Err(ConnectError::Expired(Expired::Session));
        }
        Ok(())
    }

    fn over(&self) -> ConnectError {
        self.state().over.clone().unwrap_or_else(|| self.relay.trouble())
    }

    /// Sends the question unless its answer is there, and waits.
    async fn reply_to(&self, asked: &AskedPayment) -> Result<Reply, ConnectError> {
        let mut answered = self.await_reply(asked.id);
        if let Ok(reply) = answered.try_recv() {
            return Ok(reply);
        }
        self.check_open()?;
        let left = asked.expires.saturating_sub(self.around.seconds());
        if left == 0 {
            // After a restart the answer may still be on its way from the relay.
            return match timeout(GRACE, answered).await {
                Ok(reply) => reply.map_err(|_| self.over()),
                Err(_) => Err(ConnectError::Expired(Expired::Request)),
            };
        }
        let envelope = asked.envelope.clone();
        // Relays may refuse to keep a message for less than the table says; the request itself says when it is over.
        let kind = Kind { ttl: left.max(wire::REQUEST.ttl), ..wire::REQUEST };
        let publication = Publication { topic: self.topic.clone(), envelope, kind };
        // The relay's word may be lost while the wallet answers: whichever comes first.
        tokio::select! {
            biased;
            reply = &mut answered => return reply.map_err(|_| self.over()),
            taken = self.relay.publish(publication) => taken?,
        }
        self.show(ConnectStage::Asked);
        let limit = Duration::from_secs(left).saturating_add(GRACE);
        match timeout(limit, answered).await {
            Ok(reply) => reply.map_err(|_| self.over()),
            Err(_) => Err(ConnectError::Timeout),
        }
    }

    fn read_reply(&self, asked: &AskedPayment, reply: Reply) -> Result<WalletAnswer, ConnectError> {
        match reply {
            Ok(result) => {
                let hash = result.as_str().and_then(|said| said.parse().ok()).ok_or(ConnectError::NotAHash)?;
                Ok(WalletAnswer { hash, from: asked.from, wallet: self.state().saved.wallet.clone() })
            }
            Err((code, said)) => Err(wallet_error(code, &said, Some(asked.from))),
        }
    }

    /// A receiver for the answer to `id`, which holds it already when it came before.
    fn await_reply(&self, id: u64) -> oneshot::Receiver<Reply> {
        let (tell, told) = oneshot::channel();
        let mut state = self.state();
        let there = state.answers.iter().find(|(of, _)| *of == id).map(|(_, reply)| reply.clone());
        match there {
            Some(reply) => {
                let _ = tell.send(reply);
            }
            // A sender that is dropped here tells the receiver that the session is over.
            None if state.over.is_some() => {}
            None => {
                state.waiting.retain(|_, waiting| {
                    waiting.retain(|other| !other.is_closed());
                    !waiting.is_empty()
                });
                state.waiting.entry(id).or_default().push(tell);
            }
        }
        told
    }

    fn seal(&self, text: &str, kind: Kind) -> Result<Publication, ConnectError> {
        sealed(&self.around, &self.state().saved.key, &self.topic, text, kind)
    }

    fn show(&self, stage: ConnectStage) {
        self.progress.send_if_modified(|now| {
            let changed = now.stage != stage && now.stage != ConnectStage::Closed;
            if changed {
                now.stage = stage;
            }
            changed
        });
    }

    fn show_connected(&self) {
        let state = self.state();
        let (wallet, account) = (state.saved.wallet.clone(), state.saved.granted.accounts.first().copied());
        drop(state);
        if let Some(account) = account {
            self.show(ConnectStage::Connected { wallet, account });
        }
    }

    fn saved_changed(&self) {
        self.progress.send_modify(|now| now.saved_revision = now.saved_revision.saturating_add(1));
    }

    /// Ends it on this side, for the first reason given.
    fn close(&self, why: ConnectError) {
        let mut state = self.state();
        state.over.get_or_insert(why);
        state.waiting.clear();
        drop(state);
        self.relay.unsubscribe(self.topic.clone());
        self.progress.send_modify(|now| now.stage = ConnectStage::Closed);
    }

    /// Takes what the wallet said.
    fn hear(&self, said: Said) {
        match said {
            Said::Answer { id, reply } => self.take_answer(id, reply),
            Said::Request { id, method, params } => {
                let (kind, refusal) = self.take_request(id, &method, &params);
                if let Ok(answer) = self.seal(&wire::answer(id, refusal), kind) {
                    self.relay.post(answer);
                }
                if method == "wc_sessionDelete" {
                    self.close(ConnectError::PeerGone);
                }
            }
        }
    }

    fn take_answer(&self, id: u64, reply: Reply) {
        let mut state = self.state();
        if state.answers.iter().any(|(of, _)| *of == id) {
            return;
        }
        if state.answers.len() >= ANSWERS_MAX {
            state.answers.pop_front();
        }
        state.answers.push_back((id, reply.clone()));
        for waiting in state.waiting.remove(&id).into_iter().flatten() {
            let _ = waiting.send(reply.clone());
        }
    }

    /// Obeys a request of the wallet, and says how it is answered.
    fn take_request(&self, id: u64, method: &str, params: &Value) -> (Kind, Option<(i64, &'static str)>) {
        match method {
            "wc_sessionPing" => (wire::PING_ANSWER, None),
            "wc_sessionDelete" => (wire::DELETE_ANSWER, None),
            "wc_sessionSettle" => (wire::SETTLE_ANSWER, None),
            "wc_sessionUpdate" => (wire::UPDATE_ANSWER, self.update(id, params).is_none().then_some(wire::INVALID_UPDATE)),
            "wc_sessionExtend" => (wire::EXTEND_ANSWER, self.extend(params).is_none().then_some(wire::INVALID_EXTEND)),
            "wc_sessionEvent" => {
                self.event(params);
                (wire::EVENT_ANSWER, None)
            }
            _ => (wire::UNKNOWN_ANSWER, Some(wire::INVALID_METHOD)),
        }
    }

    /// New namespaces, unless a newer update came before. A session without Base stays, and says so when it is asked.
    fn update(&self, id: u64, params: &Value) -> Option<()> {
        let granted = Granted::read(params.get("namespaces")?)?;
        let mut state = self.state();
        if id <= state.saved.last_update {
            return None;
        }
        state.saved.last_update = id;
        state.saved.granted = granted;
        drop(state);
        self.account_changed();
        Some(())
    }

    /// A later end, within what is believed. Wallets of today name none and mean seven days from now.
    fn extend(&self, params: &Value) -> Option<()> {
        let now = self.around.seconds();
        let said = match params.get("expiry") {
            Some(said) => said.as_u64()?,
            None => now.saturating_add(SESSION_SECONDS),
        };
        let most = now.saturating_add(SESSION_SECONDS_MAX);
        let mut state = self.state();
        if said < state.saved.expires || said > most {
            return None;
        }
        state.saved.expires = said;
        drop(state);
        self.saved_changed();
        Some(())
    }

    /// `accountsChanged` puts an account first. `chainChanged` changes nothing: each payment names its chain.
    fn event(&self, params: &Value) {
        let event = params.get("event").unwrap_or(&Value::Null);
        let is_accounts = event.get("name").and_then(Value::as_str) == Some("accountsChanged");
        let data = event.get("data").unwrap_or(&Value::Null);
        if is_accounts && self.state().saved.granted.prefer(data) {
            self.account_changed();
        }
    }

    fn account_changed(&self) {
        if matches!(self.progress.borrow().stage, ConnectStage::Connected { .. }) {
            self.show_connected();
        }
        self.saved_changed();
    }
}

/// Hears the wallet until the session or the connection's task is over.
async fn listen(inner: Arc<Inner>, mut deliveries: mpsc::Receiver<Delivery>) {
    while let Some(delivery) = deliveries.recv().await {
        if delivery.topic != inner.topic || inner.state().over.is_some() {
            continue;
        }
        let key = inner.state().saved.key.clone();
        if let Some(said) = opened(&key, &delivery) {
            inner.hear(said);
        }
    }
}
