//! A service that takes cards, and a stand-in of Stripe that the test controls.

use crate::stripe::StripeStandIn;
use crate::support::{FakeChain, OPERATOR, PATIENCE, Reply, Request, get, post, secret, secret_hex, start_time};
use aispace_api::{AccountAnswer, AccountOpened, CardOrderAnswer, ClaimAnswer};
use aispace_payments::price::{PriceError, PriceReport};
use aispace_payments::stripe::{StripeKey, StripeSettings, WebhookSecret, sign};
use aispace_service::{CardConfig, Config, Database, OperatorToken, PriceReader, Running, ServiceClock, Store, serve};
use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const STRIPE_KEY: &str = "sk_test_of_the_tests";
const WEBHOOK_SECRET: &str = "whsec_of_the_tests";
/// A poll that never comes while a test runs.
pub const NEVER: Duration = Duration::from_secs(86_400);
pub const SOON: Duration = Duration::from_millis(20);

/// Cards need no price of ether.
struct NoPrices;

#[async_trait]
impl PriceReader for NoPrices {
    async fn price(&self) -> Result<PriceReport, PriceError> {
        Err(PriceError::TooFewSources { answered: 0, asked: 0, needed: 3, missing: vec![], readings: vec![] })
    }
}

pub struct World {
    pub stripe: StripeStandIn,
    pub clock: Arc<ServiceClock>,
    pub database: Database,
    pub running: Vec<Running>,
    _directory: tempfile::TempDir,
}

pub fn webhook_secret() -> WebhookSecret {
    WebhookSecret::new(WEBHOOK_SECRET.into()).expect("a secret")
}

impl World {
    /// On a file; `poll` is the pause between two looks at what no webhook told.
    pub async fn start(poll: Duration) -> Self {
        let mut world = Self::prepared(None).await;
        world.begin(poll).await;
        world
    }

    /// Without a service, on a database or on a file of its own.
    pub async fn prepared(database: Option<Database>) -> Self {
        aispace_payments::install_crypto_provider();
        let clock = Arc::new(ServiceClock::for_tests());
        clock.set(Some(start_time()));
        let directory = tempfile::tempdir().expect("a directory");
        let database = database.unwrap_or_else(|| Database::Sqlite(directory.path().join("service.db")));
        let stripe = StripeStandIn::start(STRIPE_KEY, start_time()).await.expect("a port");
        Self { stripe, clock, database, running: vec![], _directory: directory }
    }

    /// Starts a service, beside those that run already.
    pub async fn begin(&mut self, poll: Duration) {
        let card = CardConfig {
            key: StripeKey::new(STRIPE_KEY.into()).expect("a key"),
            webhook_secret: webhook_secret(),
            stripe: StripeSettings { url: self.stripe.url(), deadline: PATIENCE, pause: Duration::from_millis(1) },
            return_url: "https://example.org/bought?lang=en".into(),
            poll,
        };
        let looked = || self.stripe.calls().iter().filter(|call| *call == "GET /v1/events").count();
        let before = looked();
        self.running.push(serve(self.config(Some(card))).await.expect("the service starts"));
        // Its first look is over then, or goes on without Stripe.
        let deadline = Instant::now() + PATIENCE;
        while looked() == before {
            assert!(Instant::now() < deadline, "the service never looked");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn config(&self, card: Option<CardConfig>) -> Config {
        Config {
            listen: "127.0.0.1:0".parse().expect("address"),
            database: self.database.clone(),
            operator_token: OperatorToken::new(OPERATOR),
            clock: self.clock.clone(),
            chain: FakeChain::new(),
            prices: Arc::new(NoPrices),
            poll: Duration::from_millis(50),
            large_payment: "10000".parse().expect("dollars"),
            card,
            limits: aispace_service::limit::LimitConfig::default(),
            metrics_listen: Some("127.0.0.1:0".parse().expect("address")),
        }
    }

    pub async fn stop(&mut self) {
        for running in self.running.drain(..) {
            running.stop().await;
        }
    }

    /// Stops the service and proves every account's log.
    pub async fn stop_and_verify(mut self) -> usize {
        self.stop().await;
        let store = Store::open(&self.database).await.expect("opens");
        let accounts = store.verify().await.expect("every account holds");
        store.close().await;
        accounts
    }

    pub fn set_time(&self, after_start: TimeDelta) {
        self.clock.set(Some(start_time() + after_start));
        self.stripe.set_now(start_time() + after_start);
    }

    pub async fn send(&self, request: Request) -> Reply {
        request.send(self.running.first().expect("running").address()).await
    }

    pub async fn order(&self, byte: u8, usd: &str) -> CardOrderAnswer {
        self.send(post("/v1/orders", card_body(byte, usd)).key("k")).await.ok(201)
    }

    /// An account, and an order that tops it up.
    pub async fn top_up(&self, byte: u8, usd: &str) -> (AccountOpened, CardOrderAnswer) {
        let opened: AccountOpened = self.send(post("/v1/accounts", json!({})).operator()).await.ok(201);
        let request = post("/v1/orders", card_body(byte, usd)).key("k").bearer(opened.secure_key.expose());
        (opened, self.send(request).await.ok(201))
    }

    pub async fn shown(&self, order: &CardOrderAnswer) -> CardOrderAnswer {
        self.send(get(&format!("/v1/orders/{}", order.order_id))).await.ok(200)
    }

    pub async fn claim(&self, order: &CardOrderAnswer, byte: u8, acknowledge: bool) -> Reply {
        let body = json!({"secret": secret_hex(byte), "acknowledge": acknowledge});
        self.send(post(&format!("/v1/orders/{}/claim", order.order_id), body)).await
    }

    pub async fn claimed(&self, order: &CardOrderAnswer, byte: u8) -> (String, String) {
        let answer: ClaimAnswer = self.claim(order, byte, false).await.ok(200);
        (answer.account_id, answer.secure_key.expect("a key").into_exposed())
    }

    pub async fn account(&self, key: &str) -> AccountAnswer {
        self.send(get("/v1/account").bearer(key)).await.ok(200)
    }

    pub async fn debit(&self, account: &str, credits: i64, key: &str) -> Reply {
        self.send(post("/v1/debits", json!({"account_id": account, "credits": credits.to_string()})).operator().key(key)).await
    }

    /// Waits until an order is as wanted.
    pub async fn until(&self, order: &CardOrderAnswer, wanted: impl Fn(&CardOrderAnswer) -> bool) -> CardOrderAnswer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.shown(order).await;
            if wanted(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "the order stayed {shown:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Delivers an event as Stripe does, to one of the services.
    pub async fn deliver(&self, event: &Value) -> Reply {
        self.deliver_to(0, event).await
    }

    pub async fn deliver_to(&self, which: usize, event: &Value) -> Reply {
        let (request, address) = self.delivery(which, event);
        request.send(address).await
    }

    /// What [`World::deliver_to`] sends, and where.
    pub fn delivery(&self, which: usize, event: &Value) -> (Request, SocketAddr) {
        (signed(&event.to_string(), self.clock.now()), self.running[which].address())
    }

    /// Delivers everything that happened so far, in order.
    pub async fn deliver_all(&self) {
        for event in self.stripe.events() {
            assert_eq!(self.deliver(&event).await.status, 204);
        }
    }

    /// The session of an order at Stripe.
    pub fn session(&self, order: &CardOrderAnswer) -> String {
        let sessions = self.stripe.sessions();
        let own = sessions.iter().find(|session| session["client_reference_id"] == order.order_id.as_str()).expect("a session");
        own["id"].as_str().expect("an id").to_owned()
    }
}

/// A call of the webhook, signed at an instant.
pub fn signed(body: &str, at: chrono::DateTime<chrono::Utc>) -> Request {
    let signature = sign(&webhook_secret(), body.as_bytes(), at);
    post("/v1/webhooks/stripe", Value::Null).raw(body).header("stripe-signature", &signature)
}

pub fn card_body(byte: u8, usd: &str) -> Value {
    json!({"usd": usd, "method": "card", "tag": secret(byte).tag().to_string()})
}
