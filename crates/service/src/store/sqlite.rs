//! The store in one SQLite file: a thread that writes, connections that read.
//!
//! Writes queue for one thread. It takes whatever has queued while it was busy into one transaction, each piece of work in its own savepoint, and
//! answers none of them before the commit has reached the disk: many callers share one `fsync`. A caller who is alone does it on its own thread.

use super::statement::{Backend, Intent, Tx};
use super::writer::{Job, Kept, Writer};
use super::{Change, StoreError, Work, WorkError};
use crate::metrics::StoreMetrics;
use futures::executor::block_on;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, oneshot};

const MIGRATIONS: [&str; 6] = [
    include_str!("../../migrations/0001_ledger.sql"),
    include_str!("../../migrations/0002_holds.sql"),
    include_str!("../../migrations/0003_key_rotation.sql"),
    include_str!("../../migrations/0004_usage_filters.sql"),
    include_str!("../../migrations/0005_card.sql"),
    include_str!("../../migrations/0006_payments.sql"),
];
const READERS_MAX: usize = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long reads may take to end when the store is closed.
const READS_END: Duration = Duration::from_secs(5);
const STATEMENTS_KEPT: usize = 128;
/// How often the log is looked at, and from which size on it is copied into the file.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(200);
const CHECKPOINT_BYTES: u64 = 16 << 20;
/// From this size on, in pages of 4 KiB, the writer copies it itself, however long that takes: the checkpointer cannot keep up.
const CHECKPOINT_PAGES_MAX: i64 = 16_000;

/// A database file that this process alone may write.
pub(crate) struct Sqlite {
    path: PathBuf,
    jobs: Mutex<Option<Sender<Job>>>,
    // None: it is only read.
    writer: Option<Arc<Writer>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    checkpointer: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
    // None: reads queue with the writes.
    readers: Option<Arc<Readers>>,
    // Held until the store is closed; the system lets go of it when the process ends, however it ends.
    lock: Mutex<Option<File>>,
    metrics: StoreMetrics,
}

struct Readers {
    idle: Mutex<Vec<Tx>>,
    permits: Arc<Semaphore>,
    count: u32,
    closed: AtomicBool,
}

/// How a file is opened.
#[derive(Debug, Clone, Default)]
pub struct SqliteOptions {
    /// The name of a registered SQLite file system; the system's own when absent. With another one there is neither a lock file nor a
    /// second connection of the store's: reads queue with the writes, and whoever opens it copies the log into the file.
    pub vfs: Option<String>,
}

impl Sqlite {
    /// Opens a file, makes it when it is absent, brings it up to date and locks it against other processes.
    pub(super) fn open(path: &Path, options: &SqliteOptions, changes: broadcast::Sender<Change>) -> Result<Self, StoreError> {
        let own_disk = options.vfs.is_none();
        let lock = if own_disk { Some(lock(path)?) } else { None };
        let mut connection = connect(path, options)?;
        check(&connection, path)?;
        migrate(&mut connection, path)?;
        settle(&connection)?;
        let (jobs, queue) = channel();
        let metrics = StoreMetrics::default();
        let writer = Arc::new(Writer::new(Tx::new(Backend::Sqlite(connection), Intent::Write), changes, metrics.clone()));
        let running = writer.clone();
        let thread = spawn("ledger-writer", move || running.run(&queue))?;
        let readers = if own_disk { Some(Arc::new(Readers::open(path, READERS_MAX)?)) } else { None };
        let checkpointer = if own_disk { Some(start_checkpointer(path)?) } else { None };
        Ok(Self {
            path: path.to_path_buf(),
            jobs: Mutex::new(Some(jobs)),
            writer: Some(writer),
            thread: Mutex::new(Some(thread)),
            checkpointer: Mutex::new(checkpointer),
            readers,
            lock: Mutex::new(lock),
            metrics,
        })
    }

    /// Opens a file for looking only: beside a service that writes it, or without one.
    pub(super) fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let readers = Readers::open(path, 1)?;
        if let Some(connection) = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).first().and_then(Tx::sqlite) {
            check(connection, path)?;
            let version = version(connection)?;
            if usize::try_from(version) != Ok(MIGRATIONS.len()) {
                return Err(foreign(path, format!("its version is {version}, this release reads {}", MIGRATIONS.len())));
            }
        }
        Ok(Self {
            path: path.to_path_buf(),
            jobs: Mutex::new(None),
            writer: None,
            thread: Mutex::new(None),
            checkpointer: Mutex::new(None),
            readers: Some(Arc::new(readers)),
            lock: Mutex::new(None),
            metrics: StoreMetrics::default(),
        })
    }

    /// What it counts.
    pub(super) fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn write<C, T, E>(&self, context: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: WorkError,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let outcome = tx.map(|tx| block_on(work(&context, tx)));
            let kept = if matches!(outcome, Some(Ok(_))) { Kept::Yes } else { Kept::No };
            let report = move |committed: Result<(), StoreError>| {
                let undone = || Err(StoreError::Closed.into());
                // A caller that has gone does not need the answer.
                let _ = answer.send(committed.map_err(E::from).and_then(|()| outcome.unwrap_or_else(undone)));
            };
            (kept, Box::new(report))
        });
        self.hand_in(job)?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Gives work to whoever does it soonest.
    fn hand_in(&self, job: Job) -> Result<(), StoreError> {
        let writer = self.writer.as_ref().ok_or(StoreError::Closed)?;
        let Some(job) = writer.at_once(job) else { return Ok(()) };
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = jobs.as_ref().ok_or(StoreError::Closed)?;
        writer.expect_one();
        queue.send(job).map_err(|_| StoreError::Closed)
    }

    pub(super) async fn read<C, T, E>(&self, context: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: WorkError,
    {
        let Some(readers) = self.readers.clone() else { return self.write(context, work).await };
        let permit = readers.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let mut tx = readers.take().ok_or(StoreError::Closed)?;
        let reading = tokio::task::spawn_blocking(move || {
            let outcome = snapshot(&mut tx, |tx| block_on(work(&context, tx)));
            // Here, not where it is awaited: a caller that has gone does not keep the connection.
            readers.give_back(tx);
            drop(permit);
            outcome
        });
        reading.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Ends the writer after the work that has queued, and closes every connection.
    pub(super) async fn close(&self) {
        // One connection after the other, the writer's last: the last one copies the log into the file, and two that close at once are both not the last.
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        let checkpointer = self.checkpointer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = tokio::task::spawn_blocking(move || {
            if let Some((stop, thread)) = checkpointer {
                drop(stop);
                let _ = thread.join();
            }
            drop(jobs);
            if let Some(thread) = writer {
                let _ = thread.join();
            }
            drop(lock);
        });
        let _ = ended.await;
    }
}

impl Readers {
    fn open(path: &Path, count: usize) -> Result<Self, StoreError> {
        let idle = (0..count).map(|_| reader(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            idle: Mutex::new(idle),
            permits: Arc::new(Semaphore::new(count)),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            closed: AtomicBool::new(false),
        })
    }

    fn take(&self) -> Option<Tx> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, tx: Tx) {
        if !self.closed.load(Ordering::Relaxed) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tx);
        }
    }

    /// Lets reads end, then closes their connections.
    async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let _ = tokio::time::timeout(READS_END, self.permits.acquire_many(self.count)).await;
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(|error| StoreError::Thread { reason: error.to_string() })
}

/// Reads one consistent snapshot.
fn snapshot<T, E: WorkError>(tx: &mut Tx, work: impl FnOnce(&mut Tx) -> Result<T, E>) -> Result<T, E> {
    control(tx, "BEGIN")?;
    let outcome = work(tx);
    let ended = control(tx, "COMMIT");
    let value = outcome?;
    ended?;
    Ok(value)
}

/// A statement without arguments or rows.
pub(super) fn control(tx: &Tx, sql: &'static str) -> Result<(), StoreError> {
    if let Some(connection) = tx.sqlite() {
        connection.prepare_cached(sql)?.raw_execute()?;
    }
    Ok(())
}

/// Copies the log into the file beside the writer, which would otherwise do it in the middle of somebody's call.
fn start_checkpointer(path: &Path) -> Result<(Sender<()>, JoinHandle<()>), StoreError> {
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None)?;
    let log = log_of(path);
    let (stop, stopped) = channel();
    let body = move || {
        while stopped.recv_timeout(CHECKPOINT_EVERY) == Err(RecvTimeoutError::Timeout) {
            if std::fs::metadata(&log).is_ok_and(|log| log.len() > CHECKPOINT_BYTES) {
                // A busy file is looked at again in a moment.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        }
    };
    Ok((stop, spawn("ledger-checkpoint", body)?))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Locks the file against other processes that would write it.
fn lock(path: &Path) -> Result<File, StoreError> {
    let unreadable = |error: std::io::Error| StoreError::Unreadable { path: path.to_path_buf(), reason: error.to_string() };
    // By whatever link it is reached, its lock lies beside the file itself.
    let mut name = path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).into_os_string();
    name.push(".lock");
    let file = private().open(PathBuf::from(name)).map_err(unreadable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(unreadable(error)),
    }
}

/// Opens or makes a file readable by its owner alone.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let unreadable = |reason: String| StoreError::Unreadable { path: path.to_path_buf(), reason };
    if options.vfs.is_none() {
        private().open(path).map_err(|error| unreadable(error.to_string()))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open_connection(path, flags, options.vfs.as_deref())?;
    let refused = |error: rusqlite::Error| unopened(path, &error);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(refused)?;
    if mode != "wal" {
        return Err(unreadable(format!("it cannot be written: its journal stays {mode}")));
    }
    connection.execute_batch("PRAGMA synchronous = FULL").map_err(refused)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES_MAX).map_err(refused)?;
    Ok(connection)
}

fn reader(path: &Path) -> Result<Tx, StoreError> {
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None)?;
    connection.execute_batch("PRAGMA query_only = ON").map_err(|error| unopened(path, &error))?;
    Ok(Tx::new(Backend::Sqlite(connection), Intent::Read))
}

fn open_connection(path: &Path, flags: OpenFlags, vfs: Option<&str>) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
        None => Connection::open_with_flags(path, flags),
    };
    let refused = |error: rusqlite::Error| unopened(path, &error);
    let connection = opened.map_err(refused)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(refused)?;
    connection.execute_batch("PRAGMA foreign_keys = ON").map_err(refused)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

fn unopened(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path: path.to_path_buf(), finding: error.to_string() },
        _ => StoreError::Unreadable { path: path.to_path_buf(), reason: error.to_string() },
    }
}

fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let damaged = |finding: String| StoreError::Damaged { path: path.to_path_buf(), finding };
    let finding: Result<String, _> = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    match finding {
        Ok(word) if word == "ok" => Ok(()),
        Ok(finding) => Err(damaged(finding)),
        Err(error) => Err(damaged(error.to_string())),
    }
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn foreign(path: &Path, reason: String) -> StoreError {
    StoreError::Foreign { place: path.display().to_string(), reason }
}

/// Copies the log into the file and syncs both. A process that was killed between a write and its sync leaves a commit that nobody was told
/// of and that only the system's cache holds: it must be on the disk before anybody is told.
fn settle(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Brings the file up to date in one transaction.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&tx)?;
    let done = usize::try_from(found).map_err(|_| foreign(path, format!("its version is {found}")))?;
    let newest = MIGRATIONS.len();
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(foreign(path, format!("its version is {done}, this release knows {newest}")));
    };
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if done == 0 && tables > 0 {
        return Err(foreign(path, "it holds tables of something else".into()));
    }
    for migration in missing {
        tx.execute_batch(migration)?;
    }
    Ok(tx.commit()?)
}
