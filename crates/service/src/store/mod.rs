//! The database: opening, migrating, and the two ways in.

mod accounts;
mod card;
mod holds;
mod idempotency;
mod keys;
mod orders;
mod payments;
mod place;
mod postgres;
mod rows;
mod sqlite;
mod statement;
mod usage;
mod writer;

pub(crate) use accounts::ended_batches;
pub(crate) use card::{CardOrder, CardPaid, CardState, NewCardOrder};
pub(crate) use idempotency::{Given, KeptAnswer, Recall, RequestHash, Scope, keep, recall};
pub(crate) use keys::KeyState;
pub(crate) use orders::{Aim, AmountSteps, NewOrder, StoredOrder};
pub(crate) use payments::{Arrival, Bought, PaymentKey, PaymentState, Place, Scanned, StoredPayment};
pub use place::{Database, PostgresUrl};
pub use sqlite::SqliteOptions;
pub(crate) use statement::{Arg, Row, Tx, args};
pub(crate) use usage::EntryFilter;

use crate::metrics::StoreMetrics;
use aispace_ledger::AccountId;
use futures::future::BoxFuture;
use postgres::Postgres;
use sqlite::Sqlite;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Where instances on one PostgreSQL database tell each other which account has changed.
const CHANGES_CHANNEL: &str = "aispace_account_changed";
/// Changes that a slow listener may fall behind by before it has to look again itself.
const CHANGES_KEPT: usize = 4_096;

/// Why the database refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be opened, or is no database.
    #[error("the database {path} cannot be opened: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// Another process writes the file.
    #[error("the database {path} is in use by another process, which alone may write it; stop that one first")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The database server cannot be reached, or lets nobody in.
    #[error("the database {place} cannot be reached: {reason}")]
    Unreachable {
        /// The database, without its password.
        place: String,
        /// What the server or the system said.
        reason: String,
    },
    /// SQLite finds the file damaged.
    #[error("the database {path} is damaged and was not touched; restore it from a backup: {finding}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first finding.
        finding: String,
    },
    /// A database of something else, or of a newer release.
    #[error("the database {place} is not one this release can use: {reason}")]
    Foreign {
        /// The file or the database.
        place: String,
        /// What it is instead.
        reason: String,
    },
    /// A statement failed in PostgreSQL.
    #[error("the database refused a statement: {0}")]
    Statement(#[from] sqlx::Error),
    /// A statement failed in SQLite.
    #[error("the database refused a statement: {0}")]
    SqliteStatement(#[from] rusqlite::Error),
    /// The commit that this was part of failed.
    #[error("the commit failed: {reason}")]
    NotCommitted {
        /// What the database said.
        reason: String,
        /// Whether there is no room on the disk, or no right to write.
        unwritable: bool,
    },
    /// A stored value that no release writes.
    #[error("a stored {what} cannot be read")]
    BadRow {
        /// What kind of value.
        what: &'static str,
    },
    /// The account's log moved between reading and writing.
    #[error("the account changed while it was being written")]
    Raced,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// The system gave no thread.
    #[error("the store's thread cannot be started: {reason}")]
    Thread {
        /// What the system said.
        reason: String,
    },
    /// The system gave no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] crate::secret::RandomError),
    /// A stored account is not what its log says.
    #[error("account {account}: {finding}")]
    Unsound {
        /// The account.
        account: String,
        /// What does not hold.
        finding: aispace_ledger::VerifyError,
    },
}

impl StoreError {
    /// Whether another transaction was in the way, so that the same work may succeed now.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        // Serialisation failure, deadlock, unique violation: SQL states of PostgreSQL, Appendix A of its manual.
        let conflict = |error: &sqlx::Error| {
            error.as_database_error().and_then(|e| e.code()).is_some_and(|code| ["40001", "40P01", "23505"].contains(&code.as_ref()))
        };
        match self {
            Self::Raced => true,
            Self::Statement(error) => conflict(error),
            _ => false,
        }
    }

    /// Whether nothing can be written: the disk is full, or read-only.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
        match self {
            Self::NotCommitted { unwritable, .. } => *unwritable,
            Self::SqliteStatement(error) => {
                error.sqlite_error_code().is_some_and(|code| matches!(code, CannotOpen | DiskFull | ReadOnly | SystemIoFailure))
            }
            // Insufficient resources: disk full and the like.
            Self::Statement(error) => error.as_database_error().and_then(|e| e.code()).is_some_and(|code| code.starts_with("53")),
            _ => false,
        }
    }

    /// The error for each piece of work that a failed commit held.
    fn not_committed(&self) -> Self {
        Self::NotCommitted { reason: self.to_string(), unwritable: self.is_unwritable() }
    }
}

/// What work on the store may fail with.
pub(crate) trait WorkError: From<StoreError> + Send + 'static {
    /// Whether the same work may succeed when it is done again.
    fn is_conflict(&self) -> bool;
}

impl WorkError for StoreError {
    fn is_conflict(&self) -> bool {
        Self::is_conflict(self)
    }
}

/// Work in a transaction. It captures nothing, for it may have to be done again: what it needs is its context.
pub(crate) type Work<C, T, E> = for<'t> fn(&'t C, &'t mut Tx) -> BoxFuture<'t, Result<T, E>>;

/// Something was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// To this account.
    Account(AccountId),
    /// Perhaps to any: what was said meanwhile is lost.
    Any,
}

/// The database. Clones share it.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Kind>,
    changes: broadcast::Sender<Change>,
}

enum Kind {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// The right to watch the chain, which one instance on a database has at a time.
pub(crate) enum Leadership {
    /// Nobody else writes a file.
    Alone,
    /// Ends with this connection.
    Session(sqlx::pool::PoolConnection<sqlx::Postgres>),
}

impl Store {
    /// Opens a database, makes its tables when it is empty, and brings it up to date.
    ///
    /// # Errors
    /// [`StoreError`] when it is unreadable, unreachable, in use, damaged, foreign or newer.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        match database {
            Database::Sqlite(path) => Self::open_sqlite(path, &SqliteOptions::default()).await,
            Database::Postgres(url) => {
                let (changes, _) = broadcast::channel(CHANGES_KEPT);
                let postgres = Postgres::open(url, changes.clone()).await?;
                Ok(Self { backend: Arc::new(Kind::Postgres(postgres)), changes })
            }
        }
    }

    /// Opens a file in a particular way: for simulations.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[doc(hidden)]
    pub async fn open_sqlite(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let (path, options, sender) = (path.to_path_buf(), options.clone(), changes.clone());
        let opened = tokio::task::spawn_blocking(move || Sqlite::open(&path, &options, sender)).await.map_err(|_| StoreError::Closed)?;
        Ok(Self { backend: Arc::new(Kind::Sqlite(opened?)), changes })
    }

    /// Opens a database for looking only, beside a service that writes it: nothing is made or migrated.
    ///
    /// # Errors
    /// As [`Store::open`], and [`StoreError::Foreign`] when it is not of this release's version.
    pub async fn open_to_read(database: &Database) -> Result<Self, StoreError> {
        let (changes, _) = broadcast::channel(1);
        let kind = match database {
            Database::Sqlite(path) => Kind::Sqlite(Sqlite::open_to_read(path)?),
            Database::Postgres(url) => Kind::Postgres(Postgres::open_to_read(url).await?),
        };
        Ok(Self { backend: Arc::new(kind), changes })
    }

    /// Does work in one transaction and answers once it is durable. Work that fails leaves nothing. It is done to its end even when the caller
    /// stops waiting.
    pub(crate) async fn write<C, T, E>(&self, context: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: WorkError,
    {
        match &*self.backend {
            Kind::Sqlite(sqlite) => sqlite.write(context, work).await,
            Kind::Postgres(postgres) => postgres.write(context, work).await,
        }
    }

    /// Reads one consistent snapshot.
    pub(crate) async fn read<C, T, E>(&self, context: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: WorkError,
    {
        match &*self.backend {
            Kind::Sqlite(sqlite) => sqlite.read(context, work).await,
            Kind::Postgres(postgres) => postgres.read(context, work).await,
        }
    }

    /// What is posted from now on, by whichever instance.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Lets everybody who listens look again: the time was set.
    pub(crate) fn announce(&self) {
        // Nobody may be listening.
        let _ = self.changes.send(Change::Any);
    }

    /// What it counts by itself.
    pub(crate) fn metrics(&self) -> &StoreMetrics {
        match &*self.backend {
            Kind::Sqlite(sqlite) => sqlite.metrics(),
            Kind::Postgres(postgres) => postgres.metrics(),
        }
    }

    /// Takes the right to watch the chain; `None` while another instance has it.
    pub(crate) async fn lead(&self) -> Result<Option<Leadership>, StoreError> {
        match &*self.backend {
            Kind::Sqlite(_) => Ok(Some(Leadership::Alone)),
            Kind::Postgres(postgres) => Ok(postgres.lead().await?.map(Leadership::Session)),
        }
    }

    /// The file, when it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &*self.backend {
            Kind::Sqlite(sqlite) => Some(sqlite.path()),
            Kind::Postgres(_) => None,
        }
    }

    /// Replays every account's log against its batches.
    ///
    /// # Errors
    /// [`StoreError::Unsound`] for the first account that does not hold.
    pub async fn verify(&self) -> Result<usize, StoreError> {
        self.read((), |(), tx| {
            Box::pin(async move {
                let ids = accounts::all_ids(tx).await?;
                for id in &ids {
                    accounts::verify(tx, id).await?;
                }
                Ok(ids.len())
            })
        })
        .await
    }

    /// Closes every connection; work that has queued is done first.
    pub async fn close(&self) {
        match &*self.backend {
            Kind::Sqlite(sqlite) => sqlite.close().await,
            Kind::Postgres(postgres) => postgres.close().await,
        }
    }
}

impl Leadership {
    /// Whether it still stands.
    pub(crate) async fn stands(&mut self) -> bool {
        match self {
            Self::Alone => true,
            Self::Session(connection) => sqlx::query("SELECT 1").execute(&mut **connection).await.is_ok(),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("file", &self.file()).finish_non_exhaustive()
    }
}
