//! A WalletConnect relay on this machine: mailboxes, subscriptions, logins checked. It can also be a bad one.
//!
//! What it does follows the specification's "Relay Server RPC"; the two calls of newer wallets (`wc_proposeSession`, `wc_approveSession`) subscribe
//! their caller too, as those wallets expect.

use crate::KitError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Who a test is when it puts messages into mailboxes itself.
const NOBODY: &str = "the test";

/// One way of being a bad relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answers the connection with this HTTP status.
    RefuseLogin(u16),
    /// Closes each connection at once with this code.
    CloseWith(u16),
    /// Takes the next so many messages, hands them on, and never says so.
    SwallowAnswers(u32),
    /// Takes messages of this kind, hands them on, and never says so.
    SwallowKind(u64),
    /// Says that it took the next so many messages, and forgets them.
    Forget(u32),
    /// Closes the connection instead of taking the next so many messages.
    HangUp(u32),
    /// Hands on everything three times.
    Repeat,
    /// Hands on everything this much later.
    Delay(Duration),
    /// Hands on nonsense and a changed copy before each message.
    Garble,
    /// Sends everybody their own messages back.
    Reflect,
    /// Refuses a call by name.
    RefuseCall(&'static str),
    /// Sends one frame of a megabyte to whoever subscribes next.
    Flood,
    /// Stops reading and writing without closing: a connection that is none.
    Freeze,
}

/// A message that somebody left.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its text.
    pub envelope: String,
    /// What kind its sender says it is.
    pub tag: u64,
    /// How many seconds its sender wants it kept.
    pub ttl: u64,
    from: String,
    /// Who got it over which connection, and who said so.
    sent: BTreeSet<(String, u64)>,
    got: BTreeSet<String>,
}

impl Mail {
    fn new(envelope: &str, tag: u64, ttl: u64, from: &str) -> Self {
        Self { envelope: envelope.into(), tag, ttl, from: from.into(), sent: BTreeSet::new(), got: BTreeSet::new() }
    }
}

#[derive(Default)]
struct State {
    url: String,
    faults: Vec<Fault>,
    topics: BTreeMap<String, Vec<Mail>>,
    subscribed: BTreeMap<String, BTreeSet<String>>,
    online: BTreeMap<String, (u64, mpsc::UnboundedSender<Message>)>,
    calls: Vec<String>,
    connections: u64,
    refused_logins: u64,
    acknowledged: u64,
    /// Deliveries by their number: topic, text, receiver.
    under_way: BTreeMap<u64, (String, String, String)>,
    next: u64,
}

/// A relay. Ends when dropped.
pub struct LocalRelay {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for LocalRelay {
    fn drop(&mut self) {
        self.task.abort();
        self.hang_up();
    }
}

impl LocalRelay {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When the loopback has none.
    pub async fn start() -> Result<Self, KitError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(KitError::io("listening as a relay"))?;
        let port = listener.local_addr().map_err(KitError::io("reading a port"))?.port();
        let state = State { url: format!("ws://127.0.0.1:{port}"), next: 1_700_000_000_000, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { state, task })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.state().url.clone()
    }

    /// Makes it bad, in this way too.
    pub fn misbehave(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Makes it good again.
    pub fn behave(&self) {
        self.state().faults.clear();
    }

    /// Breaks every connection.
    pub fn hang_up(&self) {
        self.state().online.clear();
    }

    /// Breaks every connection and forgets who listens where.
    pub fn lose_memory(&self) {
        let mut state = self.state();
        state.online.clear();
        state.subscribed.clear();
    }

    /// What lies on a topic, oldest first.
    #[must_use]
    pub fn mail(&self, topic: &str) -> Vec<Mail> {
        self.state().topics.get(topic).cloned().unwrap_or_default()
    }

    /// Topics that anything was left on.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.state().topics.keys().cloned().collect()
    }

    /// Leaves a message, as if somebody had.
    pub fn leave(&self, topic: &str, envelope: &str, tag: u64) {
        publish(&self.state, topic, Mail::new(envelope, tag, 300, NOBODY));
    }

    /// Sends a frame as it is to everybody who is connected.
    pub fn say_to_all(&self, frame: &str) {
        for (_, line) in self.state().online.values() {
            let _ = line.send(Message::text(frame.to_string()));
        }
    }

    /// Calls so far: the method, with the tag where there is one (`irn_publish:1108`).
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// Connections whose login was good.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state().connections
    }

    /// Logins that were not what the specification says.
    #[must_use]
    pub fn refused_logins(&self) -> u64 {
        self.state().refused_logins
    }

    /// Deliveries that their receivers acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.state().acknowledged
    }

    /// Clients that are connected.
    #[must_use]
    pub fn online(&self) -> usize {
        self.state().online.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Whether a fault that is counted is due, and counts it.
    fn due(&mut self, matches: impl Fn(&Fault) -> Option<u32>) -> bool {
        let Some(at) = self.faults.iter().position(|fault| matches(fault).is_some()) else { return false };
        let left = matches(&self.faults[at]).unwrap_or_default();
        if left <= 1 {
            self.faults.remove(at);
        } else {
            self.faults[at] = match self.faults[at] {
                Fault::SwallowAnswers(_) => Fault::SwallowAnswers(left - 1),
                Fault::Forget(_) => Fault::Forget(left - 1),
                Fault::HangUp(_) => Fault::HangUp(left - 1),
                other => other,
            };
        }
        true
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&state)));
    }
}

/// One connection.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut client = String::new();
    // The library's own type for a refusal is a whole answer.
    #[expect(clippy::result_large_err)]
    let check = |request: &Request, answer: Response| -> Result<Response, ErrorResponse> {
        let status = lock(&state).faults.iter().find_map(|fault| if let Fault::RefuseLogin(status) = fault { Some(*status) } else { None });
        let url = lock(&state).url.clone();
        match (status, login(request.uri().query().unwrap_or_default(), &url)) {
            (None, Some(known)) => {
                client = known;
                Ok(answer)
            }
            (status, _) => {
                lock(&state).refused_logins += 1;
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status.and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(StatusCode::UNAUTHORIZED);
                Err(refusal)
            }
        }
    };
    let Ok(mut socket) = accept_hdr_async(stream, check).await else { return };
    let close = lock(&state).faults.iter().find_map(|fault| if let Fault::CloseWith(code) = fault { Some(*code) } else { None });
    if let Some(code) = close {
        let _ = socket.close(Some(CloseFrame { code: CloseCode::from(code), reason: "".into() })).await;
        return;
    }
    let (line, mut lines) = mpsc::unbounded_channel();
    let mine = {
        let mut state = lock(&state);
        state.connections += 1;
        let mine = state.connections;
        state.online.insert(client.clone(), (mine, line));
        mine
    };
    let mut beat = tokio::time::interval(Duration::from_secs(10));
    loop {
        while lock(&state).has(Fault::Freeze) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => if !hear(&state, &client, text.as_str()) { break },
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            line = lines.recv() => match line {
                Some(message) => if socket.send(message).await.is_err() { break },
                None => break,
            },
            _ = beat.tick() => if socket.send(Message::Ping(Vec::new().into())).await.is_err() { break },
        }
    }
    let mut state = lock(&state);
    if state.online.get(&client).is_some_and(|(number, _)| *number == mine) {
        state.online.remove(&client);
    }
}

/// Checks a login as the specification wants it; answers who it is.
fn login(query: &str, url: &str) -> Option<String> {
    let part = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let project = part("projectId").filter(|id| !id.is_empty())?;
    let ua = part("ua").filter(|ua| ua.starts_with("wc-2"))?;
    assert!(!project.is_empty() && !ua.is_empty());
    let token = part("auth")?;
    let (signed, signature) = token.rsplit_once('.')?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?).ok()?;
    let who = claims["iss"].as_str()?;
    let public = bs58::decode(who.strip_prefix("did:key:z")?).into_vec().ok()?;
    let key = VerifyingKey::from_bytes(public.strip_prefix(&[0xed, 0x01])?.try_into().ok()?).ok()?;
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    key.verify(signed.as_bytes(), &signature).ok()?;
    let good = claims["aud"] == url && claims["exp"].as_i64()? > claims["iat"].as_i64()? && claims["sub"].as_str()?.len() >= 32;
    good.then(|| who.to_string())
}

/// Takes one frame of a client. `false` ends its connection.
fn hear(state: &Arc<Mutex<State>>, client: &str, text: &str) -> bool {
    let Ok(frame) = serde_json::from_str::<Value>(text) else { return true };
    let Some(method) = frame["method"].as_str() else {
        acknowledged(&mut lock(state), &frame);
        return true;
    };
    let params = &frame["params"];
    let is_publish = method == "irn_publish" || method.starts_with("wc_");
    {
        let mut state = lock(state);
        let tag = params["tag"].as_u64().map(|tag| format!(":{tag}")).unwrap_or_default();
        state.calls.push(format!("{method}{tag}"));
        let hangs_up = is_publish && state.due(|fault| if let Fault::HangUp(n) = fault { Some(*n) } else { None });
        if hangs_up {
            return false;
        }
        let refused = state.faults.iter().any(|fault| matches!(fault, Fault::RefuseCall(name) if *name == method));
        if refused {
            say(&state, client, &json!({"id": frame["id"], "jsonrpc": "2.0", "error": {"code": -32601, "message": "not here"}}));
            return true;
        }
        let forgets = is_publish && state.due(|fault| if let Fault::Forget(n) = fault { Some(*n) } else { None });
        if forgets {
            say(&state, client, &json!({"id": frame["id"], "jsonrpc": "2.0", "result": true}));
            return true;
        }
    }
    let result = obey(state, client, method, params);
    let mut state = lock(state);
    let swallows = |fault: &Fault| matches!(fault, Fault::SwallowKind(tag) if params["tag"].as_u64() == Some(*tag));
    let swallowed = is_publish && state.faults.iter().any(swallows);
    let silent = swallowed || is_publish && state.due(|fault| if let Fault::SwallowAnswers(n) = fault { Some(*n) } else { None });
    if !silent {
        let answer = match result {
            Some(result) => json!({"id": frame["id"], "jsonrpc": "2.0", "result": result}),
            None => json!({"id": frame["id"], "jsonrpc": "2.0", "error": {"code": -32601, "message": "no such method"}}),
        };
        say(&state, client, &answer);
    }
    true
}

/// What is acknowledged is not handed out again.
fn acknowledged(state: &mut State, frame: &Value) {
    let Some((topic, envelope, client)) = frame["id"].as_u64().and_then(|id| state.under_way.remove(&id)) else { return };
    state.acknowledged += 1;
    if let Some(mail) = state.topics.get_mut(&topic).into_iter().flatten().find(|mail| mail.envelope == envelope) {
        mail.got.insert(client);
    }
}

fn say(state: &State, client: &str, frame: &Value) {
    if let Some((_, line)) = state.online.get(client) {
        let _ = line.send(Message::text(frame.to_string()));
    }
}

fn obey(state: &Arc<Mutex<State>>, client: &str, method: &str, params: &Value) -> Option<Value> {
    let text = |name: &str| params[name].as_str().unwrap_or_default().to_string();
    let topics = || params["topics"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let left = |topic: &str, message: &str, tag: Option<u64>| {
        let ttl = params["ttl"].as_u64().unwrap_or(300);
        publish(state, &text(topic), Mail::new(&text(message), tag.unwrap_or_default(), ttl, client));
    };
    match method {
        "irn_subscribe" => Some(json!(subscribe(state, client, &text("topic")))),
        "irn_batchSubscribe" => Some(topics().map(|topic| json!(subscribe(state, client, topic))).collect()),
        "irn_publish" => {
            left("topic", "message", params["tag"].as_u64());
            Some(json!(true))
        }
        "wc_proposeSession" => {
            subscribe(state, client, &text("pairingTopic"));
            left("pairingTopic", "sessionProposal", Some(1100));
            Some(json!(true))
        }
        "wc_approveSession" => {
            subscribe(state, client, &text("sessionTopic"));
            left("pairingTopic", "sessionProposalResponse", Some(1101));
            left("sessionTopic", "sessionSettlementRequest", Some(1102));
            Some(json!(true))
        }
        "irn_unsubscribe" => {
            if let Some(clients) = lock(state).subscribed.get_mut(&text("topic")) {
                clients.remove(client);
            }
            Some(json!(true))
        }
        "irn_batchUnsubscribe" => Some(json!(true)),
        "irn_fetchMessages" | "irn_batchFetchMessages" => Some(json!({"messages": [], "hasMore": false})),
        _ => None,
    }
}

/// Subscribes and, a moment later, hands out what waits.
fn subscribe(state: &Arc<Mutex<State>>, client: &str, topic: &str) -> String {
    let floods = {
        let mut state = lock(state);
        state.subscribed.entry(topic.into()).or_default().insert(client.into());
        let at = state.faults.iter().position(|fault| *fault == Fault::Flood);
        at.map(|at| state.faults.remove(at)).is_some()
    };
    let (later, client, wanted) = (Arc::clone(state), client.to_string(), topic.to_string());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if floods {
            say(
                &lock(&later),
                &client,
                &json!({"id": 1, "method": "irn_subscription", "params": {"data": {"topic": wanted, "message": "A".repeat(1_000_000)}}}),
            );
        }
        hand_out(&later, &wanted);
    });
    format!("subscription to {}", &topic[..topic.len().min(8)])
}

fn publish(state: &Arc<Mutex<State>>, topic: &str, mail: Mail) {
    lock(state).topics.entry(topic.into()).or_default().push(mail);
    hand_out(state, topic);
}

/// Hands what waits on a topic to everybody who listens there and has not got it.
fn hand_out(state: &Arc<Mutex<State>>, topic: &str) {
    let delay = lock(state).faults.iter().find_map(|fault| if let Fault::Delay(time) = fault { Some(*time) } else { None });
    let Some(delay) = delay else {
        deliver(state, topic);
        return;
    };
    let (state, topic) = (Arc::clone(state), topic.to_string());
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        deliver(&state, &topic);
    });
}

fn deliver(state: &Arc<Mutex<State>>, topic: &str) {
    let mut state = lock(state);
    let (reflects, garbles) = (state.has(Fault::Reflect), state.has(Fault::Garble));
    let times = if state.has(Fault::Repeat) { 3 } else { 1 };
    let State { topics, subscribed, online, under_way, next, .. } = &mut *state;
    let listeners = subscribed.get(topic).into_iter().flatten();
    for (client, (connection, line)) in listeners.filter_map(|client| Some((client, online.get(client)?))) {
        for mail in topics.get_mut(topic).into_iter().flatten() {
            let own = mail.from == *client && !reflects;
            if own || mail.got.contains(client) || !mail.sent.insert((client.clone(), *connection)) {
                continue;
            }
            if garbles {
                for frame in nonsense(topic, &mail.envelope) {
                    let _ = line.send(Message::text(frame));
                }
            }
            for _ in 0..times {
                *next += 1;
                under_way.insert(*next, (topic.into(), mail.envelope.clone(), client.clone()));
                let data = json!({"topic": topic, "message": mail.envelope, "publishedAt": 1, "tag": mail.tag, "attestation": null});
                let frame = json!({"id": *next, "jsonrpc": "2.0", "method": "irn_subscription", "params": {"id": "s", "data": data}});
                let _ = line.send(Message::text(frame.to_string()));
            }
        }
    }
}

/// What no honest relay says.
fn nonsense(topic: &str, envelope: &str) -> [String; 7] {
    let delivery = |topic: &str, message: &str| {
        json!({"id": 9, "jsonrpc": "2.0", "method": "irn_subscription", "params": {"id": "s", "data": {"topic": topic, "message": message}}}).to_string()
    };
    let changed = if envelope.starts_with("AA") { envelope.replacen("AA", "AB", 1) } else { format!("{envelope}AAAA") };
    [
        "not json".into(),
        json!({"id": {"a": 1}, "method": "irn_subscription"}).to_string(),
        json!({"id": u64::MAX, "jsonrpc": "2.0", "result": true}).to_string(),
        delivery(topic, &changed),
        delivery(topic, ""),
        delivery(&"00".repeat(32), envelope),
        delivery(topic, &"A".repeat(150_000)),
    ]
}
