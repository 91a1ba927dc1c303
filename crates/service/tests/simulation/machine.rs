//! The service on a machine that is a model: the real routes, ledger and store over a simulated disk and clock.
//!
//! Nothing runs at the same time as anything else. A round puts calls into the writer's queue behind a piece of work that waits, lets go
//! of it, and waits for a last piece of work: what lay between them is one commit, whatever the threads do.

use crate::http::{Rates, Shared, router};
use crate::store::{SqliteOptions, Store, StoreError};
use crate::{OperatorToken, PriceReader, ServiceClock};
use aispace_chaos::{Crash, Dice, Disk, Mounted};
use aispace_payments::price::{PriceError, PriceReport};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chrono::DateTime;
use futures::executor::block_on;
use rusqlite::{Connection, OpenFlags};
use std::cell::RefCell;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tower::ServiceExt;

const OPERATOR: &str = "operator-token-of-the-simulation";
const FILE: &str = "service.db";
const FIRST_VERSION: &str = include_str!("../../migrations/0001_ledger.sql");

thread_local! {
    static RANDOM: RefCell<Option<Dice>> = const { RefCell::new(None) };
}

/// Random bytes of this thread's history, if it plays one: ids decide where rows lie, and so what is written.
pub(crate) fn random(bytes: &mut [u8]) -> bool {
    RANDOM.with_borrow_mut(|dice| {
        let Some(dice) = dice else { return false };
        bytes.fill_with(|| dice.draw().to_le_bytes()[0]);
        true
    })
}

/// A call as a client makes it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<serde_json::Value>,
    /// The idempotency key.
    pub(super) key: Option<String>,
    /// A Secure Key; the operator's token without one.
    pub(super) bearer: Option<String>,
    /// What the clock says when it is done, in milliseconds since 1970.
    pub(super) now: i64,
}

/// Status and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: String,
}

type Queued<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Connections end before what they are to.
pub(super) struct Machine {
    beside: Option<Connection>,
    reading: Option<(Connection, i64)>,
    running: Option<(Store, Router)>,
    clock: Arc<ServiceClock>,
    runtime: tokio::runtime::Runtime,
    mounted: Mounted,
    pub(super) disk: Arc<Disk>,
}

/// Says when the writer stands at it and holds it up until it is opened, even when there is no transaction and it is only put away.
struct Gate {
    reached: Sender<()>,
    opened: Mutex<Receiver<()>>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.reached.send(());
        let _ = self.opened.lock().map(|opened| opened.recv());
    }
}

/// Sets the clock when it is its turn.
struct Tick(Arc<ServiceClock>, i64);

impl Drop for Tick {
    fn drop(&mut self) {
        self.0.set(DateTime::from_timestamp_millis(self.1));
    }
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        RANDOM.set(Some(Dice::new(seed ^ 0x1D5)));
        aispace_chaos::seed_sqlite(seed);
        let disk = Disk::new(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let clock = Arc::new(ServiceClock::for_tests());
        Self { beside: None, reading: None, running: None, clock, runtime, mounted: Mounted::new(Arc::clone(&disk)), disk }
    }

    /// Leaves an empty database of the first version.
    pub(super) fn write_first_version(&self) -> rusqlite::Result<()> {
        self.connect()?.execute_batch(&format!("BEGIN; {FIRST_VERSION}; COMMIT"))
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Connection::open_with_flags_and_vfs(FILE, flags, self.mounted.name())
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts the service.
    pub(super) fn start(&mut self) -> Result<(), StoreError> {
        let options = SqliteOptions { vfs: Some(self.mounted.name().to_owned()) };
        let store = self.runtime.block_on(Store::open_sqlite(Path::new(FILE), &options))?;
        let app = routes(&store, &self.clock);
        self.running = Some((store, app));
        Ok(())
    }

    /// Ends the service as an operator does: what is in the log is copied into the file.
    pub(super) fn stop(&mut self) {
        (self.beside, self.reading) = (None, None);
        if let Some((store, _)) = self.running.take() {
            self.runtime.block_on(store.close());
        }
    }

    /// Ends it as a crash does. The disk goes first, so that nothing is tidied up.
    pub(super) fn crash(&mut self, how: Crash) {
        self.disk.restart(how);
        self.stop();
    }

    /// Makes calls that meet in one commit. `while_busy` runs while the writer stands in the middle of the transaction. The answers, and
    /// whether the commit succeeded.
    pub(super) fn round(&mut self, calls: &[Asked], while_busy: impl FnOnce(&mut Self)) -> (Vec<Option<Answered>>, Result<(), StoreError>) {
        let Some((store, app)) = self.running.clone() else { return (vec![None; calls.len()], Err(StoreError::Closed)) };
        let ((gate, opened), (reached, stands)) = (channel(), channel());
        let mut waiting = Self::queue_context(&store, Gate { reached, opened: Mutex::new(opened) });
        stands.recv().expect("the writer takes what is queued");
        let mut asked: Vec<_> = calls.iter().map(|call| self.queue(&store, &app, call)).collect();
        let fence = Self::queue_context(&store, ());
        while_busy(self);
        // The writer waits for this, or for its sender's end.
        drop(gate);
        let committed = block_on(fence);
        let _ = poll(&mut waiting);
        let answers = asked.iter_mut().map(|(tick, answer)| {
            let _ = poll(tick);
            match poll(answer) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            }
        });
        (answers.collect(), committed)
    }

    /// Work that has no other effect than its context.
    fn queue_context(store: &Store, context: impl Send + Sync + 'static) -> Queued<Result<(), StoreError>> {
        let store = store.clone();
        let mut work: Queued<_> = Box::pin(async move { store.write(context, |_, _| Box::pin(async { Ok(()) })).await });
        let _ = poll(&mut work);
        work
    }

    /// Sets the clock in its turn, then makes the call.
    fn queue(&self, store: &Store, app: &Router, call: &Asked) -> (Queued<Result<(), StoreError>>, Queued<Answered>) {
        let tick = Self::queue_context(store, Tick(self.clock.clone(), call.now));
        let mut answer = answer(app.clone(), call);
        let _ = poll(&mut answer);
        (tick, answer)
    }

    /// One call by itself, which may take several commits.
    pub(super) fn call(&self, call: &Asked) -> Answered {
        let (_, app) = self.running.as_ref().expect("running");
        self.clock.set(DateTime::from_timestamp_millis(call.now));
        block_on(answer(app.clone(), call))
    }

    /// Copies the log into the file from a second connection, as the service's checkpointer does.
    pub(super) fn checkpoint(&mut self, how: &str) {
        if self.beside.is_none() {
            self.beside = self.connect().ok();
        }
        if let Some(beside) = &self.beside {
            // Busy and faults are part of life: it is tried again some time.
            let _ = beside.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()));
        }
    }

    /// Begins to read a snapshot, or looks at it again and ends: while it is read the log can be copied only up to there.
    pub(super) fn read_on(&mut self) -> Result<(), String> {
        const COUNT: &str = "SELECT count(*) FROM entries";
        let count = |connection: &Connection| connection.query_row(COUNT, [], |row| row.get::<_, i64>(0));
        match self.reading.take() {
            // A disk in trouble may refuse, but not tell another story.
            Some((connection, seen)) => match count(&connection) {
                Ok(found) if found != seen => Err(format!("a snapshot of {seen} entries has {found}")),
                _ => Ok(()),
            },
            None => {
                let begun = self.connect().and_then(|c| c.execute_batch("BEGIN").and_then(|()| count(&c)).map(|seen| (c, seen)));
                self.reading = begun.ok();
                Ok(())
            }
        }
    }

    /// What a query of the oracle finds, beside the service.
    pub(super) fn rows(&self, sql: &str, account: &str) -> rusqlite::Result<Vec<(i64, String)>> {
        let beside = self.connect()?;
        let mut statement = beside.prepare(sql)?;
        statement.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    pub(super) fn verify(&self) -> Result<usize, StoreError> {
        let (store, _) = self.running.as_ref().ok_or(StoreError::Closed)?;
        block_on(store.verify())
    }
}

/// The service's routes on a store.
pub(super) fn routes(store: &Store, clock: &Arc<ServiceClock>) -> Router {
    let (_, stopped) = tokio::sync::watch::channel(false);
    let rates = Rates::built_in().expect("the built-in cards are sound");
    let shared =
        Shared { operator: OperatorToken::new(OPERATOR), ..Shared::new(store.clone(), clock.clone(), Arc::new(NoPrice), rates, stopped) };
    router(Arc::new(shared))
}

pub(super) fn answer(app: Router, call: &Asked) -> Queued<Answered> {
    let mut request = Request::builder().method(call.method).uri(&call.path).header("content-type", "application/json");
    request = request.header("authorization", format!("Bearer {}", call.bearer.as_deref().unwrap_or(OPERATOR)));
    if let Some(key) = &call.key {
        request = request.header("idempotency-key", key);
    }
    let body = call.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = request.body(body).expect("a request");
    Box::pin(async move {
        let answer = app.oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a whole body");
        Answered { status, body: String::from_utf8_lossy(&body).into_owned() }
    })
}

/// Nobody is told when to look again: whoever asks knows when the answer must be there.
fn poll<T>(future: &mut Queued<T>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

struct NoPrice;

#[async_trait]
impl PriceReader for NoPrice {
    async fn price(&self) -> Result<PriceReport, PriceError> {
        std::future::pending().await
    }
}
