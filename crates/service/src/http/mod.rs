//! Routes.

mod account;
mod card;
mod events;
mod failure;
mod input;
mod metered;
mod operator;
mod orders;
mod posting;
mod rates;
mod stripe;
mod usage;

use crate::card::Cards;
use crate::chain::PriceReader;
use crate::clock::ServiceClock;
use crate::secret::OperatorToken;
use crate::store::Store;
use crate::watcher::WatchState;
use aispace_api::{ErrorCode, HealthAnswer};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Json, Router};
pub(crate) use events::STREAMS_MAX;
use failure::Failure;
pub(crate) use metered::costed;
pub(crate) use posting::{Act, Call};
pub(crate) use rates::Rates;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What every request shares.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) operator: Option<OperatorToken>,
    pub(crate) prices: Arc<dyn PriceReader>,
    pub(crate) watch: Arc<WatchState>,
    pub(crate) rates: Rates,
    /// Payments by card, where they are taken.
    pub(crate) cards: Option<Arc<Cards>>,
    /// How many more streams may be opened.
    pub(crate) streams: Arc<Semaphore>,
    /// Becomes true when the service ends.
    pub(crate) stop: watch::Receiver<bool>,
}

type AppState = State<Arc<Shared>>;
type Answer<T> = Result<Json<T>, Failure>;

/// All routes of the service.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/health", get(health))
        .route("/v1/orders", post(orders::open))
        .route("/v1/orders/{id}", get(orders::show))
        .route("/v1/orders/{id}/claim", post(orders::claim))
        .route("/v1/webhooks/stripe", post(stripe::webhook))
        .route("/v1/account", get(account::account))
        .route("/v1/account/events", get(events::events))
        .route("/v1/account/usage", get(usage::usage))
        .route("/v1/account/key/rotate", post(account::rotate_key))
        .route("/v1/accounts", post(operator::open_account))
        .route("/v1/accounts/{id}/key/revoke", post(operator::revoke_key))
        .route("/v1/accounts/{id}/allowance", put(posting::set_allowance))
        .route("/v1/grants", post(posting::grant))
        .route("/v1/batches/{id}/void", post(posting::void))
        .route("/v1/debits", post(posting::debit))
        .route("/v1/holds", post(posting::hold))
        .route("/v1/holds/{id}/settle", post(posting::settle))
        .route("/v1/holds/{id}/release", post(posting::release))
        .route("/v1/refunds", post(posting::refund))
        .route("/v1/rates", get(rates::all))
        .route("/v1/rates/{id}", get(rates::one))
        .route("/v1/video/quote", post(rates::video_quote))
        .route("/test/clock", put(operator::set_clock))
        .fallback(async || Failure::new(ErrorCode::NotFound, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            Failure::invalid("this path does not take this method").status(StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(middleware::from_fn(log_and_seal))
        .with_state(shared)
}

/// Logs a call by its path, never by its headers or bodies, and keeps answers out of caches, but those that say how they may be kept.
async fn log_and_seal(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    tracing::info!(%method, path, status = response.status().as_u16(), "answered");
    response
}

async fn health(State(shared): AppState) -> Answer<HealthAnswer> {
    let scanned = shared.store.read((), |(), tx| Box::pin(Store::scanned(tx))).await?;
    let status = if shared.watch.is_reading() { "ok" } else { "degraded" };
    Ok(Json(HealthAnswer { status: status.into(), server_time: shared.clock.now(), scanned_block: scanned.map(|s| s.number) }))
}
