//! The service's own calls without a socket: what an operator does to a database that no service has open.

use crate::chain::PriceReader;
use crate::clock::ServiceClock;
use crate::http::{Rates, Shared, router};
use crate::secret::{OperatorToken, fresh_id};
use crate::server::ServeError;
use crate::store::{Database, Store};
use aispace_payments::price::{PriceError, PriceReport};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;
use tower::ServiceExt;
use zeroize::Zeroizing;

const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A database with the operator's calls on it, answered as the service answers them. It is nobody else's as long as this lives.
pub struct Desk {
    store: Store,
    router: Router,
    token: Zeroizing<String>,
    // A router that is told to stop answers no streams.
    _stop: watch::Sender<bool>,
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON, or nothing.
    pub body: String,
}

impl Desk {
    /// Opens the database and brings it up to date.
    ///
    /// # Errors
    /// [`ServeError::Store`] when the database refuses, above all when a service has it open.
    pub async fn open(database: &Database) -> Result<Self, ServeError> {
        let store = Store::open(database).await?;
        // Drawn for this one life: nobody else can call.
        let token = Zeroizing::new(fresh_id("desk").map_err(crate::store::StoreError::from)?);
        let (stop, stopped) = watch::channel(false);
        let shared = Shared {
            operator: OperatorToken::new(&token),
            ..Shared::new(store.clone(), Arc::new(ServiceClock::system()), Arc::new(NoPrices), Rates::built_in()?, stopped)
        };
        Ok(Self { store, router: router(Arc::new(shared)), token, _stop: stop })
    }

    /// Makes a call as the operator.
    ///
    /// # Errors
    /// A path or an idempotency key that is none, in words.
    pub async fn call(&self, method: Method, path: &str, idempotency_key: Option<&str>, body: &Value) -> Result<DeskAnswer, String> {
        let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {}", *self.token));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = match idempotency_key {
            Some(key) => request.header(aispace_api::IDEMPOTENCY_KEY, key),
            None => request,
        };
        let request = request.body(Body::from(body.to_string())).map_err(|error| error.to_string())?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.map_err(|error| error.to_string())?;
        Ok(DeskAnswer { status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Nothing that is done here has a price.
struct NoPrices;

#[async_trait]
impl PriceReader for NoPrices {
    async fn price(&self) -> Result<PriceReport, PriceError> {
        Err(PriceError::TooFewSources { answered: 0, asked: 0, needed: 1, missing: Vec::new(), readings: Vec::new() })
    }
}
