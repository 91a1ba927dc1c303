//! Starting and stopping.

use crate::card::{CardConfig, CardConfigError, CardWatcher, Cards};
use crate::chain::{ChainReader, PriceReader};
use crate::clock::ServiceClock;
use crate::http::{Rates, Shared, metrics_router, router};
use crate::limit::{LimitConfig, Limits};
use crate::secret::OperatorToken;
use crate::store::{Database, Store, StoreError};
use crate::watcher::{WatchState, Watcher};
use aispace_units::{CreditAmount, CreditOwner, NanoCredits, Usd};
use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long open requests may take to end once the service is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What a service runs on.
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The database; its tables are made when it is empty.
    pub database: Database,
    /// The operator's token; without one the operator's calls are refused.
    pub operator_token: Option<OperatorToken>,
    /// The clock.
    pub clock: Arc<ServiceClock>,
    /// The chain.
    pub chain: Arc<dyn ChainReader>,
    /// The price of ether.
    pub prices: Arc<dyn PriceReader>,
    /// Payments worth at least so much are credited once their block is safe.
    pub large_payment: Usd,
    /// Pause between two looks at the chain.
    pub poll: Duration,
    /// Payments by card; without it an order by card is refused.
    pub card: Option<CardConfig>,
    /// How often may be asked and guessed.
    pub limits: LimitConfig,
    /// Where Prometheus finds `GET /metrics`; nowhere when absent.
    pub metrics_listen: Option<SocketAddr>,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// Payments by card.
    #[error("cards cannot be taken: {0}")]
    Card(#[from] CardConfigError),
    /// A built-in rate card: a mistake of the build.
    #[error("a built-in rate card is refused: {0}")]
    Rates(#[from] aispace_pricing::CardError),
}

/// A service that is running. Dropping it ends its tasks without grace; [`Running::stop`] is the clean way.
pub struct Running {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    metrics_server: Option<JoinHandle<()>>,
    watcher: JoinHandle<()>,
    card_watcher: Option<JoinHandle<()>>,
    store: Store,
}

/// Opens the database, binds the address and starts answering and watching.
///
/// # Errors
/// [`ServeError`] when the database refuses or the address is taken.
pub async fn serve(config: Config) -> Result<Running, ServeError> {
    let store = Store::open(&config.database).await?;
    let (listener, address) = bind(config.listen).await?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let (stop, stopped) = watch::channel(false);
    let state = Arc::new(WatchState::default());
    // More than an account can hold is never credited, be it large or not.
    let beyond = NanoCredits::from_nanos(i64::MAX).unwrap_or_default();
    let large_payment = CreditAmount::from_usd(CreditOwner::AiSpace, config.large_payment);
    let large_payment = large_payment.ok().and_then(|amount| NanoCredits::from_decimal(amount.credits()).ok()).unwrap_or(beyond);
    let mut shared = Shared {
        operator: config.operator_token,
        watch: state.clone(),
        chain: Some(config.chain.clone()),
        large_payment,
        limits: Limits::new(config.limits),
        ..Shared::new(store.clone(), config.clock.clone(), config.prices, Rates::built_in()?, stopped.clone())
    };
    let watcher = Watcher {
        store: store.clone(),
        clock: config.clock,
        chain: config.chain,
        state,
        metrics: shared.metrics.clone(),
        large: large_payment,
        poll: config.poll,
    };
    let mut card_watcher = None;
    if let Some(card) = config.card {
        let cards = Arc::new(Cards::new(&card, store.clone(), shared.clock.clone(), shared.metrics.clone())?);
        shared.cards = Some(cards.clone());
        card_watcher = Some(CardWatcher { cards, poll: card.poll });
    }
    let shared = Arc::new(shared);
    let metrics_address = metrics_listener.as_ref().map(|(_, address)| *address);
    let metrics_server = metrics_listener.map(|(listener, address)| {
        tracing::info!(%address, "metrics");
        spawn(listener, metrics_router(shared.clone()), &stopped)
    });
    let server = spawn(listener, router(shared), &stopped);
    let card_watcher = card_watcher.map(|watcher| tokio::spawn(watcher.run(stopped.clone())));
    let watcher = tokio::spawn(watcher.run(stopped));
    Ok(Running { address, metrics_address, stop, server, metrics_server, watcher, card_watcher, store })
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let refused = |error: std::io::Error| ServeError::Listen { address, reason: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Answers until told to stop, and what is open then to its end.
fn spawn(listener: TcpListener, app: Router, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
    let mut told = stopped.clone();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        // An error means that the sender is gone: stop as well.
        let _ = told.wait_for(|stop| *stop).await;
    });
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the server ended");
        }
    })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `GET /metrics` is answered.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Lets open requests end, for at most five seconds, stops watching and closes the database.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for task in [&mut self.server, &mut self.watcher].into_iter().chain(&mut self.card_watcher).chain(&mut self.metrics_server) {
            if tokio::time::timeout(GRACE, &mut *task).await.is_err() {
                task.abort();
            }
        }
        self.store.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.server.abort();
        self.watcher.abort();
        for task in self.card_watcher.iter().chain(&self.metrics_server) {
            task.abort();
        }
    }
}
