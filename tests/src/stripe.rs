//! A stand-in of Stripe's API on the loopback: Checkout Sessions, refunds, disputes and events in Stripe's own formats, as far as
//! card payments need them. The test says what payers and banks do; events are kept for it to deliver, in any order, as often as
//! it likes. It needs nothing else of the kit, so that other members' tests can include this file.

use axum::{
    Json, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

const BODY_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with the next calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StripeFault {
    /// Answers this status and does nothing.
    Status(u16),
    /// Does what was asked and never answers.
    Silent,
    /// HTTP 200 with a page of HTML, and does nothing.
    Garbage,
}

/// The stand-in; it ends when dropped.
pub struct StripeStandIn {
    shared: Shared,
    port: u16,
    server: JoinHandle<()>,
}

type Shared = Arc<Mutex<World>>;

struct World {
    key: String,
    now: DateTime<Utc>,
    counter: u64,
    faults: Vec<StripeFault>,
    /// The path whose next answer is held up.
    held_up: Option<String>,
    let_go: Arc<Notify>,
    calls: Vec<String>,
    /// By idempotency key: the parameters and the answer.
    answers: BTreeMap<String, (Vec<(String, String)>, Value)>,
    // The oldest first.
    sessions: Vec<Value>,
    refunds: Vec<Value>,
    disputes: Vec<Value>,
    events: Vec<Value>,
}

/// An answer that is no success: HTTP status, type, code, message.
struct Refused(u16, &'static str, &'static str, String);

impl StripeStandIn {
    /// Starts it for one secret key, at an instant.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(key: &str, now: DateTime<Utc>) -> io::Result<Self> {
        let world = World {
            key: key.to_string(),
            now,
            counter: 0,
            faults: vec![],
            held_up: None,
            let_go: Arc::new(Notify::new()),
            calls: vec![],
            answers: BTreeMap::new(),
            sessions: vec![],
            refunds: vec![],
            disputes: vec![],
            events: vec![],
        };
        let shared = Arc::new(Mutex::new(world));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { shared, port, server })
    }

    /// Base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets its clock.
    pub fn set_now(&self, now: DateTime<Utc>) {
        lock(&self.shared).now = now;
    }

    /// Breaks the next calls, one after another.
    pub fn break_next(&self, faults: impl IntoIterator<Item = StripeFault>) {
        let mut faults: Vec<StripeFault> = faults.into_iter().collect();
        faults.reverse();
        lock(&self.shared).faults = faults;
    }

    /// Holds the next answer to a path up: it is what was true when it was asked for, however late it comes.
    pub fn hold_up(&self, path: &str) {
        lock(&self.shared).held_up = Some(path.to_string());
    }

    /// Whether an answer is held up now.
    #[must_use]
    pub fn holds_up(&self) -> bool {
        lock(&self.shared).held_up.is_none()
    }

    /// Lets the answer go that is held up.
    pub fn let_go(&self) {
        lock(&self.shared).let_go.notify_one();
    }

    /// Method and path of every call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        lock(&self.shared).calls.clone()
    }

    /// Everything that happened, the oldest first, as a webhook's body holds it.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        lock(&self.shared).events.clone()
    }

    /// The sessions, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Value> {
        lock(&self.shared).sessions.clone()
    }

    /// The payer pays by card: the session is complete and paid. Answers the payment's id.
    pub fn pay(&self, session: &str) -> String {
        self.complete(session, "paid")
    }

    /// The payer is through, but the money is on its way.
    pub fn pay_later(&self, session: &str) -> String {
        self.complete(session, "unpaid")
    }

    /// Makes a session ask for something else than what was ordered.
    pub fn change_total(&self, session: &str, cents: u64) {
        lock(&self.shared).session(session)["amount_total"] = json!(cents);
    }

    /// The money of [`StripeStandIn::pay_later`] came, or will not.
    pub fn settle(&self, session: &str, came: bool) {
        let mut world = lock(&self.shared);
        if came {
            world.session(session)["payment_status"] = json!("paid");
        }
        let kind = if came { "checkout.session.async_payment_succeeded" } else { "checkout.session.async_payment_failed" };
        world.tell_of_session(kind, session);
    }

    /// Nobody paid in time.
    pub fn expire(&self, session: &str) {
        let mut world = lock(&self.shared);
        let object = world.session(session);
        object["status"] = json!("expired");
        object["url"] = Value::Null;
        world.tell_of_session("checkout.session.expired", session);
    }

    /// The operator gives money back; `status` is the refund's. Answers its id.
    pub fn refund(&self, session: &str, cents: u64, status: &str) -> String {
        let mut world = lock(&self.shared);
        let id = world.next("re");
        let payment = world.session(session)["payment_intent"].clone();
        let refund = json!({
            "id": id, "object": "refund", "amount": cents, "charge": charge_of(&payment), "created": world.now.timestamp(),
            "currency": "usd", "metadata": {}, "payment_intent": payment, "reason": null, "status": status,
        });
        world.refunds.push(refund.clone());
        world.tell("refund.created", refund);
        world.tell_of_charge(&payment);
        id
    }

    /// A refund goes on: `succeeded`, `failed`, `canceled`.
    pub fn move_refund(&self, refund: &str, status: &str) {
        let mut world = lock(&self.shared);
        let found = world.refunds.iter_mut().find(|r| r["id"] == refund).expect("the refund is there");
        found["status"] = json!(status);
        let found = found.clone();
        if status == "failed" {
            world.tell("refund.failed", found.clone());
        }
        world.tell("refund.updated", found.clone());
        world.tell("charge.refund.updated", found);
    }

    /// The payer's bank disputes; `status` is the dispute's. Answers its id.
    pub fn dispute(&self, session: &str, cents: u64, status: &str) -> String {
        let mut world = lock(&self.shared);
        let id = world.next("du");
        let payment = world.session(session)["payment_intent"].clone();
        let dispute = json!({
            "id": id, "object": "dispute", "amount": cents, "balance_transactions": [], "charge": charge_of(&payment),
            "created": world.now.timestamp(), "currency": "usd", "evidence": {}, "is_charge_refundable": false, "livemode": false,
            "metadata": {}, "payment_intent": payment, "reason": "fraudulent", "status": status,
        });
        world.disputes.push(dispute.clone());
        world.tell("charge.dispute.created", dispute);
        world.move_money(&id);
        id
    }

    /// A dispute goes on: `under_review`, `won`, `lost`, `warning_closed` …
    pub fn move_dispute(&self, dispute: &str, status: &str) {
        let mut world = lock(&self.shared);
        let found = world.disputes.iter_mut().find(|d| d["id"] == dispute).expect("the dispute is there");
        found["status"] = json!(status);
        let found = found.clone();
        world.tell("charge.dispute.updated", found.clone());
        if matches!(status, "won" | "lost" | "warning_closed") {
            world.tell("charge.dispute.closed", found);
        }
        world.move_money(dispute);
    }

    /// An event of any type about any object.
    pub fn tell(&self, kind: &str, object: Value) {
        lock(&self.shared).tell(kind, object);
    }

    fn complete(&self, session: &str, payment_status: &str) -> String {
        let mut world = lock(&self.shared);
        let payment = world.next("pi");
        let object = world.session(session);
        assert_eq!(object["status"], "open", "only an open session can be paid");
        object["status"] = json!("complete");
        object["payment_status"] = json!(payment_status);
        object["payment_intent"] = json!(payment);
        object["url"] = Value::Null;
        world.tell_of_session("checkout.session.completed", session);
        payment
    }
}

impl Drop for StripeStandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    fn next(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}_standin{:06}", self.counter)
    }

    fn session(&mut self, id: &str) -> &mut Value {
        self.sessions.iter_mut().find(|s| s["id"] == id).expect("the session is there")
    }

    fn tell(&mut self, kind: &str, object: Value) {
        let id = self.next("evt");
        self.events.push(json!({
            "id": id, "object": "event", "api_version": "2025-08-27.basil", "created": self.now.timestamp(), "data": {"object": object},
            "livemode": false, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": kind,
        }));
    }

    fn tell_of_session(&mut self, kind: &str, session: &str) {
        let object = self.session(session).clone();
        self.tell(kind, object);
    }

    fn tell_of_charge(&mut self, payment: &Value) {
        let refunded: u64 = self.refunds.iter().filter(|r| r["payment_intent"] == *payment).filter_map(|r| r["amount"].as_u64()).sum();
        let charge = json!({
            "id": charge_of(payment), "object": "charge", "amount_refunded": refunded, "currency": "usd", "payment_intent": payment,
        });
        self.tell("charge.refunded", charge);
    }

    /// Books what a dispute's state says: withdrawn while it is open or lost, given back when won.
    fn move_money(&mut self, dispute: &str) {
        let found = self.disputes.iter_mut().find(|d| d["id"] == dispute).expect("the dispute is there");
        let amount = found["amount"].as_i64().unwrap_or_default();
        let moved: i64 = found["balance_transactions"].as_array().into_iter().flatten().filter_map(|t| t["amount"].as_i64()).sum();
        let due = match found["status"].as_str() {
            Some("needs_response" | "under_review" | "lost") => -amount,
            _ => 0,
        };
        if moved == due {
            return;
        }
        let transaction = json!({"object": "balance_transaction", "amount": due - moved, "currency": "usd"});
        found["balance_transactions"].as_array_mut().expect("a list").push(transaction);
        let found = found.clone();
        self.tell(if due < moved { "charge.dispute.funds_withdrawn" } else { "charge.dispute.funds_reinstated" }, found);
    }

    fn call(&mut self, method: &Method, path: &str, query: &[(String, String)], headers: &HeaderMap) -> Result<Value, Refused> {
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
        if given("authorization") != format!("Bearer {}", self.key) {
            return Err(Refused(401, "invalid_request_error", "api_key_invalid", "Invalid API Key provided: sk_test_****".into()));
        }
        if given("stripe-version").is_empty() {
            return Err(invalid("parameter_missing", "the tests want a Stripe-Version header"));
        }
        let one = path.strip_prefix("/v1/checkout/sessions/");
        match (method.as_str(), path, one) {
            ("POST", "/v1/checkout/sessions", _) => self.create_once(query, &given("idempotency-key")),
            ("GET", "/v1/checkout/sessions", _) => Ok(list(&self.sessions, query, path)),
            ("GET", "/v1/refunds", _) => Ok(list(&self.refunds, query, path)),
            ("GET", "/v1/disputes", _) => Ok(list(&self.disputes, query, path)),
            ("GET", "/v1/events", _) => Ok(list(&self.events, query, path)),
            ("GET", _, Some(id)) => {
                let missing = || Refused(404, "invalid_request_error", "resource_missing", format!("No such checkout.session: '{id}'"));
                self.sessions.iter().find(|s| s["id"] == id).cloned().ok_or_else(missing)
            }
            _ => Err(Refused(404, "invalid_request_error", "", format!("Unrecognized request URL ({method}: {path})."))),
        }
    }

    fn create_once(&mut self, form: &[(String, String)], key: &str) -> Result<Value, Refused> {
        if key.is_empty() {
            return Err(invalid("parameter_missing", "the tests want an Idempotency-Key"));
        }
        match self.answers.get(key) {
            Some((before, answer)) if before == form => return Ok(answer.clone()),
            Some(_) => {
                let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
                return Err(Refused(400, "idempotency_error", "", message.into()));
            }
            None => {}
        }
        let answer = self.create(form)?;
        self.answers.insert(key.to_string(), (form.to_vec(), answer.clone()));
        Ok(answer)
    }

    fn create(&mut self, form: &[(String, String)]) -> Result<Value, Refused> {
        let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let needed = |name: &str| field(name).ok_or_else(|| invalid("parameter_missing", &format!("Missing required param: {name}.")));
        let cents: u64 = needed("line_items[0][price_data][unit_amount]")?
            .parse()
            .map_err(|_| invalid("parameter_invalid_integer", "Invalid integer: unit_amount"))?;
        let expires: i64 =
            needed("expires_at")?.parse().map_err(|_| invalid("parameter_invalid_integer", "Invalid integer: expires_at"))?;
        let ahead = expires - self.now.timestamp();
        let constant = [
            ("mode", "payment"),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "usd"),
            ("adaptive_pricing[enabled]", "false"),
            ("payment_method_types[0]", "card"),
        ];
        if let Some((name, _)) = constant.iter().find(|(name, value)| field(name) != Some(*value)) {
            return Err(invalid("parameter_missing", name));
        }
        if cents < 50 {
            let message = "The Checkout Session's total amount due must add up to at least $0.50 usd";
            return Err(invalid("amount_too_small", message));
        }
        if !(1_800..=86_400).contains(&ahead) {
            let message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
            return Err(invalid("", message));
        }
        let (success_url, cancel_url) = (needed("success_url")?, needed("cancel_url")?);
        needed("line_items[0][price_data][product_data][name]")?;
        let named = form.iter().filter_map(|(n, v)| Some((n.strip_prefix("metadata[")?.strip_suffix(']')?.to_string(), json!(v))));
        let metadata: Map<String, Value> = named.collect();
        let reference = field("client_reference_id");
        let id = self.next("cs_test");
        let session = json!({
            "id": id, "object": "checkout.session", "adaptive_pricing": {"enabled": false}, "amount_subtotal": cents,
            "amount_total": cents, "cancel_url": cancel_url, "client_reference_id": reference, "created": self.now.timestamp(),
            "currency": "usd", "customer": null, "expires_at": expires, "livemode": false, "metadata": metadata, "mode": "payment",
            "payment_intent": null, "payment_method_types": ["card"], "payment_status": "unpaid", "status": "open",
            "success_url": success_url, "url": format!("https://checkout.stripe.com/c/pay/{id}"),
        });
        self.sessions.push(session.clone());
        Ok(session)
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let path = parts.uri.path().to_string();
    let query = match parts.method {
        Method::POST => pairs(&format!("/?{}", String::from_utf8_lossy(&body))),
        _ => pairs(&parts.uri.to_string()),
    };
    let (fault, answered, held_up) = {
        let mut world = lock(&shared);
        world.calls.push(format!("{} {path}", parts.method));
        let fault = world.faults.pop();
        let does_it = matches!(fault, None | Some(StripeFault::Silent));
        let answered = does_it.then(|| world.call(&parts.method, &path, &query, &parts.headers));
        let held_up = world.held_up.take_if(|held| *held == path).map(|_| Arc::clone(&world.let_go));
        (fault, answered, held_up)
    };
    if let Some(let_go) = held_up {
        let_go.notified().await;
    }
    match (fault, answered) {
        (Some(StripeFault::Silent), _) => std::future::pending().await,
        (Some(StripeFault::Garbage), _) | (None, None) => "<html><body>Just a moment...</body></html>".into_response(),
        (Some(StripeFault::Status(status)), _) => refused(Refused(status, "api_error", "", "An error occurred.".into())),
        (None, Some(Ok(value))) => Json(value).into_response(),
        (None, Some(Err(refusal))) => refused(refusal),
    }
}

fn refused(Refused(status, kind, code, message): Refused) -> Response {
    let code = (!code.is_empty()).then_some(code);
    let body = json!({"error": {"type": kind, "code": code, "message": message}});
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body)).into_response()
}

fn invalid(code: &'static str, message: &str) -> Refused {
    Refused(400, "invalid_request_error", code, message.to_string())
}

fn pairs(uri: &str) -> Vec<(String, String)> {
    let uri: Uri = uri.parse().unwrap_or_default();
    Query::try_from_uri(&uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

/// A page of a list: filtered, the newest first.
fn list(all: &[Value], query: &[(String, String)], path: &str) -> Value {
    let field = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let types: Vec<&str> = query.iter().filter(|(n, _)| n.starts_with("types[")).map(|(_, value)| value.as_str()).collect();
    let since: i64 = field("created[gte]").and_then(|value| value.parse().ok()).unwrap_or(i64::MIN);
    let limit: usize = field("limit").and_then(|value| value.parse().ok()).unwrap_or(10);
    let fits = |item: &&Value| {
        field("payment_intent").is_none_or(|payment| item["payment_intent"] == payment)
            && (types.is_empty() || types.iter().any(|kind| item["type"] == *kind))
            && item["created"].as_i64().is_some_and(|created| created >= since)
    };
    let newest_first: Vec<&Value> = all.iter().rev().filter(fits).collect();
    let after = field("starting_after").and_then(|id| newest_first.iter().position(|item| item["id"] == id));
    let rest = &newest_first[after.map_or(0, |at| at + 1)..];
    json!({"object": "list", "url": path, "has_more": rest.len() > limit, "data": rest.iter().take(limit).collect::<Vec<_>>()})
}

fn charge_of(payment: &Value) -> String {
    payment.as_str().unwrap_or_default().replacen("pi_", "ch_", 1)
}

fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
