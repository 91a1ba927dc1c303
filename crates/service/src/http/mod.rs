//! Routes.

mod account;
mod card;
mod claims;
mod events;
mod failure;
mod fields;
mod front;
mod input;
mod metered;
mod openapi;
mod operator;
mod orders;
mod payments;
mod posting;
mod rates;
mod stripe;
mod usage;

use crate::card::Cards;
use crate::chain::{ChainReader, PriceReader};
use crate::clock::ServiceClock;
use crate::crediting::Terms;
use crate::limit::{LimitConfig, Limits};
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::secret::OperatorToken;
use crate::store::Store;
use crate::watcher::WatchState;
use aispace_api::{ErrorCode, HealthAnswer, PartHealth};
use aispace_units::NanoCredits;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
pub(crate) use events::STREAMS_MAX;
use failure::Failure;
pub(crate) use metered::costed;
pub(crate) use posting::{Act, Call};
use rates::Document;
pub(crate) use rates::Rates;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What every request shares.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) operator: Option<OperatorToken>,
    pub(crate) prices: Arc<dyn PriceReader>,
    pub(crate) watch: Arc<WatchState>,
    /// The chain, where it is watched.
    pub(crate) chain: Option<Arc<dyn ChainReader>>,
    /// Payments that buy at least so much are credited once their block is safe.
    pub(crate) large_payment: NanoCredits,
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
            chain: None,
            large_payment: NanoCredits::from_nanos(i64::MAX).unwrap_or_default(),
            rates,
            cards: None,
            limits: Limits::new(LimitConfig::default()),
            metrics,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            stop,
        }
    }
}

impl Shared {
    /// The rules that payments are credited by now.
    pub(crate) fn terms(&self) -> Terms {
        Terms { large: self.large_payment, now: self.clock.now() }
    }
}

type AppState = State<Arc<Shared>>;
type Answer<T> = Result<Json<T>, Failure>;

/// All routes of the service, each with its part of the OpenAPI document: a route is added by `routes!`, which takes both from the handler.
fn routes(has_test_clock: bool, takes_cards: bool) -> OpenApiRouter<Arc<Shared>> {
    let routes = OpenApiRouter::with_openapi(openapi::Preamble::openapi())
        .routes(routes!(health))
        .routes(routes!(openapi::serve))
        .routes(routes!(orders::open))
        .routes(routes!(orders::show))
        .routes(routes!(orders::claim))
        .routes(routes!(claims::claim))
        .routes(routes!(account::account))
        .routes(routes!(events::events))
        .routes(routes!(usage::usage))
        .routes(routes!(account::rotate_key))
        .routes(routes!(operator::open_account))
        .routes(routes!(operator::revoke_key))
        .routes(routes!(payments::open))
        .routes(routes!(payments::assign))
        .routes(routes!(payments::close))
        .routes(routes!(posting::set_allowance))
        .routes(routes!(posting::grant))
        .routes(routes!(posting::void))
        .routes(routes!(posting::debit))
        .routes(routes!(posting::hold))
        .routes(routes!(posting::settle))
        .routes(routes!(posting::release))
        .routes(routes!(posting::refund))
        .routes(routes!(rates::all))
        .routes(routes!(rates::one))
        .routes(routes!(rates::video_quote));
    let routes = if takes_cards { routes.routes(routes!(stripe::webhook)) } else { routes };
    if has_test_clock { routes.routes(routes!(operator::set_clock)) } else { routes }
}

/// The service's routes and what is answered beside them.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let (router, document) = routes(shared.clock.is_settable(), shared.cards.is_some()).split_for_parts();
    router
        .fallback(async || Failure::new(ErrorCode::NotFound, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            Failure::invalid("this path does not take this method").status(StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(Extension(Arc::new(Document::new(openapi::finish(&document)))))
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
    if let Ok(held) = shared.store.read((), |(), tx| Box::pin(Store::held_count(tx))).await {
        shared.metrics.payments_held(held);
    }
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], shared.metrics.text()).into_response()
}

/// How the parts of the service are.
///
/// Without its database the service is of no use to anybody, which a load balancer reads from the status.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", tag = "service", security(()),
    responses((status = 200, description = "`ok`, or `degraded` while the chain cannot be read.", body = HealthAnswer),
        (status = 503, description = "`failing`: the database does not answer.", body = HealthAnswer)))]
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
