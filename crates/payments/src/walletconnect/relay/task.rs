//! The task that keeps the connection.

use super::{Command, Condition, Delivery, Publication};
use crate::walletconnect::{
    ConnectConfig, ConnectError, ConnectProgress, Patience, Surroundings,
    envelope::{ENVELOPE_CHARS_MAX, Topic, message_id},
    identity::Identity,
    wire::{self, Frame},
};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

/// Bytes of a frame at most: an envelope and what stands around it.
const FRAME_BYTES_MAX: usize = 262_144;
/// Texts that are remembered, so that none is handed on twice.
const SEEN_MAX: usize = 2_048;
/// Refusals of one message before it is given up.
const ATTEMPTS_MAX: u32 = 3;
/// Characters of a relay's name for a subscription.
const NAME_CHARS_MAX: usize = 128;
/// With this code a relay closes on a project or a login that it does not take.
const CLOSE_UNAUTHORISED: u16 = 3_000;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The ends of the channels that the task holds.
pub(super) struct Ends {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) deliver: mpsc::Sender<Delivery>,
    pub(super) say: watch::Sender<Condition>,
    pub(super) progress: Arc<watch::Sender<ConnectProgress>>,
}

/// What a call of ours was about.
enum Call {
    Subscribe(Vec<Topic>),
    Publish(u64),
    Other,
}

/// A topic that is listened to.
#[derive(Default)]
struct Subscription {
    /// The relay's name for it.
    name: Option<String>,
    waiting: Vec<oneshot::Sender<()>>,
}

/// A message that the relay has not confirmed.
struct Outgoing {
    publication: Publication,
    done: Option<oneshot::Sender<Result<(), ConnectError>>>,
    refusals: u32,
    /// Whether it is on its way over this connection, and if not, when it may be tried.
    sent: bool,
    not_before: Instant,
    since: Instant,
}

pub(super) struct Line {
    config: ConnectConfig,
    patience: Patience,
    identity: Identity,
    around: Surroundings,
    ends: Ends,
    topics: BTreeMap<Topic, Subscription>,
    outgoing: BTreeMap<u64, Outgoing>,
    /// Calls of this connection that wait for an answer.
    calls: BTreeMap<u64, (Call, Instant)>,
    seen: Seen,
    next: u64,
    /// Whether this connection has answered anything: only then the next wait begins small again.
    answered: bool,
}

/// Why a connection ended.
enum Ended {
    Dropped,
    Refused(String),
    Broken(String),
}

impl Line {
    pub(super) fn new(config: ConnectConfig, identity: Identity, around: Surroundings, ends: Ends) -> Self {
        let patience = config.patience();
        // Numbers of calls need only be unlike each other within a connection.
        let next = around.seconds().saturating_mul(1_000_000);
        let (topics, outgoing, calls) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { config, patience, identity, around, ends, topics, outgoing, calls, seen: Seen::default(), next, answered: false }
    }

    /// Connects, again and again, until its owner is gone or the relay refuses the project.
    pub(super) async fn run(mut self) {
        crate::install_crypto_provider();
        let mut wait = self.patience.back_off_first;
        loop {
            self.answered = false;
            let ended = self.connection().await;
            self.ends.progress.send_if_modified(|progress| std::mem::replace(&mut progress.online, false));
            match ended {
                Ended::Dropped => return,
                Ended::Refused(reason) => {
                    self.ends.say.send_replace(Condition::Refused { reason });
                    return;
                }
                Ended::Broken(reason) => {
                    self.ends.say.send_replace(Condition::Trying { trouble: Some(reason) });
                }
            }
            if self.answered {
                wait = self.patience.back_off_first;
            }
            tokio::time::sleep(self.jittered(wait)).await;
            wait = wait.saturating_mul(2).min(self.patience.back_off_max);
        }
    }

    /// Up to a quarter longer, so that many apps do not come back to a relay at one moment.
    fn jittered(&self, wait: Duration) -> Duration {
        let mut byte = [0u8; 1];
        // Without chance the wait is merely even.
        let _ = self.around.draw(|entropy| entropy.fill(&mut byte));
        let quarter = wait.checked_div(1_024).unwrap_or_default().saturating_mul(u32::from(byte[0]));
        wait.saturating_add(quarter)
    }

    async fn connection(&mut self) -> Ended {
        let mut socket = match self.open().await {
            Ok(socket) => socket,
            Err(ended) => return ended,
        };
        self.calls.clear();
        for outgoing in self.outgoing.values_mut() {
            outgoing.sent = false;
        }
        match self.live(&mut socket).await {
            Ok(never) => match never {},
            Err(ended) => {
                let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                ended
            }
        }
    }

    async fn open(&self) -> Result<Socket, Ended> {
        let broken = |reason: &str| Ended::Broken(reason.to_string());
        let login = self.around.draw(|entropy| self.identity.login(self.config.relay_url(), self.around.now(), entropy));
        let address = self.config.address(&login.map_err(|error| Ended::Broken(error.to_string()))?);
        let limits = WebSocketConfig::default().max_message_size(Some(FRAME_BYTES_MAX)).max_frame_size(Some(FRAME_BYTES_MAX));
        match timeout(self.patience.connect, connect_async_with_config(address, Some(limits), true)).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(answer))) => {
                let status = answer.status().as_u16();
                let reason = format!("it answered HTTP {status}");
                if matches!(status, 401 | 403) { Err(Ended::Refused(reason)) } else { Err(Ended::Broken(reason)) }
            }
            Ok(Err(error)) => Err(Ended::Broken(said_by(&error))),
            Err(_) => Err(broken("no connection before the deadline")),
        }
    }

    /// One connection's life.
    async fn live(&mut self, socket: &mut Socket) -> Result<std::convert::Infallible, Ended> {
        if self.topics.is_empty() {
            self.online();
        } else {
            self.subscribe(socket, self.topics.keys().cloned().collect()).await?;
        }
        self.send_waiting(socket).await?;
        let beat = self.patience.acknowledge.min(self.patience.silence).checked_div(8).unwrap_or_default();
        let mut ticks = interval(beat.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut asked) = (Instant::now(), Instant::now());
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    self.take(socket, message).await?;
                }
                command = self.ends.commands.recv() => match command {
                    Some(command) => self.obey(socket, command).await?,
                    None => return Err(Ended::Dropped),
                },
                _ = ticks.tick() => {
                    let silent = heard.elapsed();
                    if silent >= self.patience.silence {
                        return Err(Ended::Broken("the connection went silent".into()));
                    }
                    let half = self.patience.silence.checked_div(2).unwrap_or_default();
                    if silent >= half && asked.elapsed() >= half {
                        asked = Instant::now();
                        self.send(socket, Message::Ping(Vec::new().into())).await?;
                    }
                    self.overdue()?;
                    self.send_waiting(socket).await?;
                }
            }
        }
    }

    async fn take(&mut self, socket: &mut Socket, message: Option<Result<Message, tungstenite::Error>>) -> Result<(), Ended> {
        match message {
            Some(Ok(Message::Text(text))) => self.frame(socket, text.as_str()).await,
            Some(Ok(Message::Close(Some(close)))) if u16::from(close.code) == CLOSE_UNAUTHORISED => {
                Err(Ended::Refused(format!("it closed with code {CLOSE_UNAUTHORISED}")))
            }
            Some(Ok(Message::Close(_))) | None => Err(Ended::Broken("it closed the connection".into())),
            // A ping is answered by the next write; this makes it now.
            Some(Ok(Message::Ping(_))) => within(self.patience.acknowledge, socket.flush()).await,
            Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
            Some(Err(error)) => Err(Ended::Broken(said_by(&error))),
        }
    }

    async fn frame(&mut self, socket: &mut Socket, text: &str) -> Result<(), Ended> {
        match wire::read_frame(text) {
            Some(Frame::Delivery { id, topic, envelope }) => {
                if self.hand_on(&topic, envelope) {
                    self.send(socket, Message::text(wire::acknowledgement(&id))).await?;
                }
                Ok(())
            }
            Some(Frame::Done { id, result }) => {
                self.done(id, &result);
                Ok(())
            }
            Some(Frame::Refused { id, code }) => self.refused(id, code),
            None => Ok(()),
        }
    }

    /// Hands a message on unless it is not ours or not new. `false` leaves it with the relay, which brings it again.
    fn hand_on(&mut self, topic: &str, envelope: String) -> bool {
        let known = self.topics.keys().find(|known| known.as_str() == topic).cloned();
        let Some(topic) = known.filter(|_| envelope.len() <= ENVELOPE_CHARS_MAX) else { return true };
        let id = message_id(&envelope);
        if self.seen.has(&id) {
            return true;
        }
        if self.ends.deliver.try_send(Delivery { topic, envelope }).is_err() {
            return false;
        }
        self.seen.remember(id);
        true
    }

    fn done(&mut self, id: u64, result: &Value) {
        let Some((call, _)) = self.calls.remove(&id) else { return };
        self.answered = true;
        match call {
            Call::Subscribe(topics) => {
                for (at, topic) in topics.iter().enumerate() {
                    let Some(subscription) = self.topics.get_mut(topic) else { continue };
                    let name = result.as_str().or_else(|| result.get(at).and_then(Value::as_str));
                    subscription.name = name.filter(|name| name.len() <= NAME_CHARS_MAX).map(str::to_string);
                    for waiting in subscription.waiting.drain(..) {
                        let _ = waiting.send(());
                    }
                }
                self.online();
            }
            Call::Publish(key) => {
                if let Some(done) = self.outgoing.remove(&key).and_then(|outgoing| outgoing.done) {
                    let _ = done.send(Ok(()));
                }
            }
            Call::Other => {}
        }
    }

    fn refused(&mut self, id: u64, code: i64) -> Result<(), Ended> {
        let Some((call, _)) = self.calls.remove(&id) else { return Ok(()) };
        let reason = format!("it refused a call with code {code}");
        match call {
            Call::Subscribe(_) => return Err(Ended::Broken(reason)),
            Call::Publish(key) => {
                let Some(mut outgoing) = self.outgoing.remove(&key) else { return Ok(()) };
                outgoing.refusals = outgoing.refusals.saturating_add(1);
                if outgoing.refusals < ATTEMPTS_MAX {
                    outgoing.sent = false;
                    outgoing.not_before = Instant::now().checked_add(self.patience.back_off_first).unwrap_or_else(Instant::now);
                    self.outgoing.insert(key, outgoing);
                } else if let Some(done) = outgoing.done {
                    let _ = done.send(Err(ConnectError::RelayUnreachable { reason }));
                }
            }
            Call::Other => {}
        }
        Ok(())
    }

    async fn obey(&mut self, socket: &mut Socket, command: Command) -> Result<(), Ended> {
        match command {
            Command::Subscribe { topic, done } => {
                self.topics.entry(topic.clone()).or_default().waiting.push(done);
                self.subscribe(socket, vec![topic]).await
            }
            Command::Unsubscribe { topic } => {
                let Some(name) = self.topics.remove(&topic).and_then(|subscription| subscription.name) else { return Ok(()) };
                let params = json!({"topic": topic.as_str(), "id": name});
                self.call(socket, Call::Other, "irn_unsubscribe", &params).await
            }
            Command::Publish { publication, done } => {
                // A relay that sends our own words back is not believed to be the other side.
                self.seen.remember(message_id(&publication.envelope));
                let now = Instant::now();
                let key = self.number();
                self.outgoing.insert(key, Outgoing { publication, done, refusals: 0, sent: false, not_before: now, since: now });
                self.send_waiting(socket).await
            }
        }
    }

    async fn subscribe(&mut self, socket: &mut Socket, topics: Vec<Topic>) -> Result<(), Ended> {
        match topics.as_slice() {
            [] => Ok(()),
            [one] => {
                let params = json!({"topic": one.as_str()});
                self.call(socket, Call::Subscribe(topics), "irn_subscribe", &params).await
            }
            several => {
                let params = json!({"topics": several.iter().map(Topic::as_str).collect::<Vec<_>>()});
                self.call(socket, Call::Subscribe(topics), "irn_batchSubscribe", &params).await
            }
        }
    }

    /// Sends what has not gone over this connection and is due, and forgets what nobody waits for.
    async fn send_waiting(&mut self, socket: &mut Socket) -> Result<(), Ended> {
        let reach = self.patience.reach;
        self.outgoing.retain(|_, outgoing| match &outgoing.done {
            Some(done) => !done.is_closed(),
            None => outgoing.since.elapsed() < reach,
        });
        let now = Instant::now();
        let due = |outgoing: &&mut Outgoing| !outgoing.sent && outgoing.not_before <= now;
        let mut calls = Vec::new();
        for (key, outgoing) in &mut self.outgoing {
            let Some(outgoing) = Some(outgoing).filter(due) else { continue };
            outgoing.sent = true;
            calls.push((*key, method_of(outgoing)));
        }
        for (key, (method, params)) in calls {
            self.call(socket, Call::Publish(key), method, &params).await?;
        }
        Ok(())
    }

    async fn call(&mut self, socket: &mut Socket, call: Call, method: &str, params: &Value) -> Result<(), Ended> {
        let id = self.number();
        self.calls.insert(id, (call, Instant::now()));
        self.send(socket, Message::text(wire::call(id, method, params))).await
    }

    async fn send(&self, socket: &mut Socket, message: Message) -> Result<(), Ended> {
        within(self.patience.acknowledge, socket.send(message)).await
    }

    /// A call that is not answered in time means a connection that is none.
    fn overdue(&self) -> Result<(), Ended> {
        let late = self.calls.values().any(|(_, since)| since.elapsed() >= self.patience.acknowledge);
        if late { Err(Ended::Broken("it did not answer in time".into())) } else { Ok(()) }
    }

    fn online(&self) {
        self.ends.say.send_replace(Condition::Online);
        self.ends.progress.send_if_modified(|progress| !std::mem::replace(&mut progress.online, true));
    }

    fn number(&mut self) -> u64 {
        self.next = self.next.saturating_add(1);
        self.next
    }
}

/// How a message is published. A proposal that was refused once goes by the call that newer relays have for it.
fn method_of(outgoing: &Outgoing) -> (&'static str, Value) {
    let Publication { topic, envelope, kind } = &outgoing.publication;
    if *kind == wire::PROPOSE && outgoing.refusals > 0 {
        let params =
            json!({"pairingTopic": topic.as_str(), "sessionProposal": envelope, "ttl": kind.ttl, "tag": kind.tag, "prompt": kind.prompt});
        return ("wc_proposeSession", params);
    }
    let params = json!({"topic": topic.as_str(), "message": envelope, "ttl": kind.ttl, "tag": kind.tag, "prompt": kind.prompt});
    ("irn_publish", params)
}

async fn within(limit: Duration, write: impl Future<Output = Result<(), tungstenite::Error>>) -> Result<(), Ended> {
    match timeout(limit, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Ended::Broken(said_by(&error))),
        Err(_) => Err(Ended::Broken("it takes nothing".into())),
    }
}

/// A library's words without an address: those of a URL are left out, for the login is in it.
fn said_by(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Url(_) | tungstenite::Error::HttpFormat(_) => "its address cannot be used".into(),
        other => crate::walletconnect::error::cleaned(&other.to_string()),
    }
}

/// The newest texts by their hash.
#[derive(Default)]
struct Seen {
    order: VecDeque<[u8; 32]>,
    set: BTreeSet<[u8; 32]>,
}

impl Seen {
    fn has(&self, id: &[u8; 32]) -> bool {
        self.set.contains(id)
    }

    fn remember(&mut self, id: [u8; 32]) {
        if !self.set.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_remembered_within_bounds() {
        let mut seen = Seen::default();
        let id = |n: usize| message_id(&n.to_string());
        for n in 0..SEEN_MAX * 2 {
            seen.remember(id(n));
            seen.remember(id(n));
        }
        assert_eq!((seen.order.len(), seen.set.len()), (SEEN_MAX, SEEN_MAX));
        assert!(seen.has(&id(SEEN_MAX * 2 - 1)) && !seen.has(&id(0)));
    }
}
