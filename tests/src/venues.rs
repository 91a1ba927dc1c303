//! Four price venues on the loopback, in the venues' own formats, and the sandbox's two extra doors.

use crate::{KitError, chain};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the faucet gives: half an ether.
pub const FAUCET_WEI: u128 = 500_000_000_000_000_000;

/// A venue that is asked for the price over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Venue {
    /// Coinbase Exchange.
    Coinbase,
    /// Kraken.
    Kraken,
    /// Bitstamp.
    Bitstamp,
    /// Gemini.
    Gemini,
}

/// What is wrong with a venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VenueFault {
    /// Takes the request and never answers.
    Silent,
    /// HTTP 500.
    ServerError,
    /// HTTP 200 with a page of HTML.
    Garbage,
    /// Its own figure, that many seconds old (Kraken and Gemini tell no time and answer as ever).
    Stale(i64),
    /// That many per cent above the others.
    OffBy(Decimal),
}

/// The stand-ins; they end when dropped.
pub struct Venues {
    shared: Shared,
    port: u16,
    server: JoinHandle<()>,
}

type Shared = Arc<Mutex<World>>;

struct World {
    price: Decimal,
    faults: BTreeMap<Venue, VenueFault>,
    node_url: String,
    sample_key: Option<String>,
}

impl Venues {
    /// Starts the venues at the feed's first price; the faucet draws on the node at `node_url`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(node_url: &str) -> Result<Self, KitError> {
        let world = World { price: chain::FIRST_PRICE, faults: BTreeMap::new(), node_url: node_url.to_string(), sample_key: None };
        let shared = Arc::new(Mutex::new(world));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(KitError::io("listening for price requests"))?;
        let port = listener.local_addr().map_err(KitError::io("reading a port"))?.port();
        let router = Router::new()
            .route("/coinbase/{*rest}", get(coinbase))
            .route("/kraken/{*rest}", get(kraken))
            .route("/bitstamp/{*rest}", get(bitstamp))
            .route("/gemini/{*rest}", get(gemini))
            .route("/faucet", post(faucet))
            .route("/sample", post(sample))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { shared, port, server })
    }

    /// Base address of a venue: the real one's host is replaced by this, its path stays.
    #[must_use]
    pub fn url(&self, venue: Venue) -> String {
        let name = match venue {
            Venue::Coinbase => "coinbase",
            Venue::Kraken => "kraken",
            Venue::Bitstamp => "bitstamp",
            Venue::Gemini => "gemini",
        };
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// `POST {"address"}` gives half an ether.
    #[must_use]
    pub fn faucet_url(&self) -> String {
        format!("http://127.0.0.1:{}/faucet", self.port)
    }

    /// `POST {}` answers the sample account's Secure Key.
    #[must_use]
    pub fn sample_url(&self) -> String {
        format!("http://127.0.0.1:{}/sample", self.port)
    }

    /// Sets the price every venue gives.
    pub fn set_price(&self, usd_per_eth: Decimal) {
        lock(&self.shared).price = usd_per_eth;
    }

    /// Breaks a venue, or heals it.
    pub fn set_fault(&self, venue: Venue, fault: Option<VenueFault>) {
        let mut world = lock(&self.shared);
        match fault {
            Some(fault) => world.faults.insert(venue, fault),
            None => world.faults.remove(&venue),
        };
    }

    /// Says which key `/sample` hands out.
    pub fn set_sample_key(&self, secure_key: String) {
        lock(&self.shared).sample_key = Some(secure_key);
    }
}

impl Drop for Venues {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn coinbase(State(shared): State<Shared>) -> Response {
    answer(&shared, Venue::Coinbase, |price, at| {
        json!({
            "ask": cents(price + Decimal::new(1, 2)), "bid": cents(price), "volume": "104522.31804512",
            "trade_id": 712_345_678, "price": cents(price), "size": "0.05120000",
            "time": at.to_rfc3339_opts(SecondsFormat::Micros, true),
        })
    })
    .await
}

async fn kraken(State(shared): State<Shared>) -> Response {
    answer(&shared, Venue::Kraken, |price, _| {
        let five = |p: Decimal| format!("{p:.5}");
        json!({"error": [], "result": {"XETHZUSD": {
            "a": [five(price + Decimal::new(1, 2)), "3", "3.000"], "b": [five(price), "5", "5.000"],
            "c": [five(price), "0.01830000"], "v": ["9124.55012345", "21877.10234567"], "p": [five(price), five(price)],
            "t": [18_233, 44_120], "l": [five(price), five(price)], "h": [five(price), five(price)], "o": five(price),
        }}})
    })
    .await
}

async fn bitstamp(State(shared): State<Shared>) -> Response {
    answer(&shared, Venue::Bitstamp, |price, at| {
        json!({
            "timestamp": at.timestamp().to_string(), "open": cents(price), "high": cents(price), "low": cents(price),
            "last": cents(price), "volume": "2204.18391203", "vwap": cents(price), "bid": cents(price),
            "ask": cents(price + Decimal::ONE), "side": "0", "open_24": cents(price), "percent_change_24": "0.00",
        })
    })
    .await
}

async fn gemini(State(shared): State<Shared>) -> Response {
    answer(&shared, Venue::Gemini, |price, at| {
        json!({
            "bid": cents(price), "ask": cents(price + Decimal::new(1, 2)), "last": cents(price),
            "volume": {"ETH": "1518.20451200", "USD": "4581022.10", "timestamp": at.timestamp_millis()},
        })
    })
    .await
}

/// Answers a venue's ticker, or its fault. The venues differ by a few cents, as real ones do.
async fn answer(shared: &Shared, venue: Venue, ticker: impl Fn(Decimal, DateTime<Utc>) -> Value) -> Response {
    let (price, fault) = {
        let world = lock(shared);
        (world.price, world.faults.get(&venue).cloned())
    };
    let spread = match venue {
        Venue::Coinbase => Decimal::ZERO,
        Venue::Kraken => Decimal::new(11, 2),
        Venue::Bitstamp => Decimal::new(-19, 2),
        Venue::Gemini => Decimal::new(7, 2),
    };
    let now = DateTime::<Utc>::from(SystemTime::now());
    match fault {
        None => Json(ticker(price + spread, now)).into_response(),
        Some(VenueFault::Stale(seconds)) => Json(ticker(price + spread, now - Duration::seconds(seconds))).into_response(),
        Some(VenueFault::OffBy(percent)) => Json(ticker(price + price * percent / Decimal::ONE_HUNDRED, now)).into_response(),
        Some(VenueFault::ServerError) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(VenueFault::Garbage) => ([(header::CONTENT_TYPE, "text/html")], "<html><body>Just a moment...</body></html>").into_response(),
        Some(VenueFault::Silent) => std::future::pending().await,
    }
}

async fn faucet(State(shared): State<Shared>, Json(request): Json<Value>) -> Response {
    let node_url = lock(&shared).node_url.clone();
    let Some(address) = request["address"].as_str() else {
        return (StatusCode::BAD_REQUEST, Json(json!({"message": "address is missing"}))).into_response();
    };
    match chain::fund(&node_url, address, FAUCET_WEI).await {
        Ok(hash) => Json(json!({"transaction_hash": hash})).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"message": error.to_string()}))).into_response(),
    }
}

async fn sample(State(shared): State<Shared>) -> Response {
    match &lock(&shared).sample_key {
        Some(key) => Json(json!({"secure_key": key})).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"message": "there is no sample account"}))).into_response(),
    }
}

fn cents(price: Decimal) -> String {
    format!("{price:.2}")
}

fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
