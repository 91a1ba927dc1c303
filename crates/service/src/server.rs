//! Starting and stopping.

use crate::card::{CardConfig, CardConfigError, CardWatcher, Cards};
use crate::chain::{ChainReader, PriceReader};
use crate::clock::ServiceClock;
use crate::http::{Rates, STREAMS_MAX, Shared, router};
use crate::secret::OperatorToken;
use crate::store::{Database, Store, StoreError};
use crate::watcher::{WatchState, Watcher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
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
    /// Pause between two looks at the chain.
    pub poll: Duration,
    /// Payments by card; without it an order by card is refused.
    pub card: Option<CardConfig>,
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
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
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
    let refused = |error: std::io::Error| ServeError::Listen { address: config.listen, reason: error.to_string() };
    let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (stop, stopped) = watch::channel(false);
    let state = Arc::new(WatchState::default());
    let watcher = Watcher {
        store: store.clone(),
        clock: config.clock.clone(),
        chain: config.chain,
        prices: config.prices.clone(),
        state: state.clone(),
        poll: config.poll,
    };
    let cards = match &config.card {
        Some(card) => Some(Arc::new(Cards::new(card, store.clone(), config.clock.clone())?)),
        None => None,
    };
    let card_watcher = cards.clone().zip(config.card).map(|(cards, card)| CardWatcher { cards, poll: card.poll });
    let shared = Shared {
        store: store.clone(),
        clock: config.clock,
        operator: config.operator_token,
        prices: config.prices,
        watch: state,
        rates: Rates::built_in()?,
        cards,
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        stop: stopped.clone(),
    };
    let app = router(Arc::new(shared));
    let mut told = stopped.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        // An error means that the sender is gone: stop as well.
        let _ = told.wait_for(|stop| *stop).await;
    });
    let server = tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the server ended");
        }
    });
    let card_watcher = card_watcher.map(|watcher| tokio::spawn(watcher.run(stopped.clone())));
    Ok(Running { address, stop, server, watcher: tokio::spawn(watcher.run(stopped)), card_watcher, store })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets open requests end, for at most five seconds, stops watching and closes the database.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for task in [&mut self.server, &mut self.watcher].into_iter().chain(&mut self.card_watcher) {
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
        if let Some(card_watcher) = &self.card_watcher {
            card_watcher.abort();
        }
    }
}
