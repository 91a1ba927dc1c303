//! Routes.

mod account;
mod card;
mod events;
mod failure;
mod front;
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
use crate::limit::{LimitConfig, Limits};
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::secret::OperatorToken;
use crate::store::Store;
use crate::watcher::WatchState;
use aispace_api::{ErrorCode, HealthAnswer, PartHealth};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
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
    /// How often may be asked.
    pub(crate) limits: Limits,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// How many more streams may be opened.
    pub(crate) streams: Arc<Semaphore>,
    /// Becomes true when the service ends.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Shared {
    /// Without an operator, without limits.
    pub(crate) fn new(
        store: Store,
        clock: Arc<ServiceClock>,
        prices: Arc<dyn PriceReader>,
        rates: Rates,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new(crate::clock::system_time().into(), store.metrics().clone()));
        Self {
            store,
            clock,
            operator: None,
            prices,
            watch: Arc::default(),
            rates,
            cards: None,
            limits: Limits::new(LimitConfig::default()),
            metrics,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            stop,
        }
    }
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
        .layer(middleware::from_fn_with_state(shared.clone(), front::front))
        .with_state(shared)
}

/// What Prometheus asks for, at an address of its own.
pub(crate) fn metrics_router(shared: Arc<Shared>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(shared)
}

async fn metrics(State(shared): AppState) -> Response {
    let open = STREAMS_MAX.saturating_sub(shared.streams.available_permits());
    shared.metrics.streams_open(open);
    shared.metrics.chain_is_read(shared.watch.is_reading());
    if let Ok(Some(scanned)) = shared.store.read((), |(), tx| Box::pin(Store::scanned(tx))).await {
        shared.metrics.watched(shared.watch.head(), scanned.number);
    }
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], shared.metrics.text()).into_response()
}

/// Says how the parts are. Without its database the service is of no use to anybody, which a load balancer reads from the status.
async fn health(State(shared): AppState) -> (StatusCode, Json<HealthAnswer>) {
    let scanned = shared.store.read((), |(), tx| Box::pin(Store::scanned(tx))).await;
    if let Err(error) = &scanned {
        tracing::error!(%error, "the database does not answer");
        shared.metrics.database_failed();
    }
    let part = |well| if well { PartHealth::Ok } else { PartHealth::Failing };
    let (database, chain) = (part(scanned.is_ok()), part(shared.watch.is_reading()));
    let (code, status) = match (database, chain) {
        (PartHealth::Ok, PartHealth::Ok) => (StatusCode::OK, "ok"),
        (PartHealth::Ok, _) => (StatusCode::OK, "degraded"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let scanned_block = scanned.ok().flatten().map(|scanned| scanned.number);
    (code, Json(HealthAnswer { status: status.into(), database, chain, server_time: shared.clock.now(), scanned_block }))
}
