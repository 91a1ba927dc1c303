//! The database: opening, migrating, and the two ways in.

mod accounts;
mod holds;
mod idempotency;
mod keys;
mod orders;
mod payments;
mod rows;

pub(crate) use accounts::ended_batches;
pub(crate) use idempotency::{KeptAnswer, Recall, RequestHash, Scope, keep, recall};
pub(crate) use keys::KeyState;
pub(crate) use orders::{Aim, NewOrder, StoredOrder};
pub(crate) use payments::{Crediting, RecordedPayment, Scanned, StoredPayment, Waits};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/0001_ledger.sql"),
    include_str!("../../migrations/0002_holds.sql"),
    include_str!("../../migrations/0003_key_rotation.sql"),
];
const READERS_MAX: u32 = 4;
/// SQLite's word for a file that is a database and is broken.
const SQLITE_CORRUPT: &str = "11";
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// SQLite finds the file damaged.
    #[error("the database {path} is damaged and was not touched; restore it from a backup: {finding}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first finding.
        finding: String,
    },
    /// A database of something else, or of a newer release.
    #[error("the database {path} is not one this release can use: {reason}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// A statement failed.
    #[error("the database refused a statement: {0}")]
    Statement(#[from] sqlx::Error),
    /// A stored value that no release writes.
    #[error("a stored {what} cannot be read")]
    BadRow {
        /// What kind of value.
        what: &'static str,
    },
    /// The account's log moved between reading and writing.
    #[error("the account changed while it was being written")]
    Raced,
    /// A stored account is not what its log says.
    #[error("account {account}: {finding}")]
    Unsound {
        /// The account.
        account: String,
        /// What does not hold.
        finding: aispace_ledger::VerifyError,
    },
}

/// The database. Writes queue for one connection; reads see whole snapshots beside it.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// A transaction; rolled back when it is dropped.
pub(crate) type Tx = Transaction<'static, Sqlite>;

impl Store {
    /// Opens a database file, makes it when it is absent, and brings it up to date.
    ///
    /// # Errors
    /// [`StoreError`] when the file is unreadable, damaged, foreign or newer.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let unreadable = |reason: String| StoreError::Unreadable { path: path.to_path_buf(), reason };
        create_private(path).map_err(|error| unreadable(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |size| SqlitePoolOptions::new().max_connections(size).connect_with(options.clone());
        let refused = |error: sqlx::Error| match error.as_database_error().and_then(|e| e.code()) {
            Some(code) if code == SQLITE_CORRUPT => StoreError::Damaged { path: path.to_path_buf(), finding: error.to_string() },
            _ => unreadable(error.to_string()),
        };
        let writer = pool(1).await.map_err(refused)?;
        check(&writer, path).await?;
        migrate(&writer, path).await?;
        let readers = pool(READERS_MAX).await.map_err(refused)?;
        Ok(Self { writer, readers })
    }

    /// Begins a write: takes the write lock at once, so what it reads cannot change before it commits.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Begins a read of one consistent snapshot.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(self.readers.begin().await?)
    }

    /// Replays every account's log against its batches.
    ///
    /// # Errors
    /// [`StoreError::Unsound`] for the first account that does not hold.
    pub async fn verify(&self) -> Result<usize, StoreError> {
        let mut tx = self.read().await?;
        let ids = accounts::all_ids(&mut tx).await?;
        for id in &ids {
            accounts::verify(&mut tx, id).await?;
        }
        Ok(ids.len())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Creates an absent file readable by its owner alone.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

async fn check(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let damaged = |finding: String| StoreError::Damaged { path: path.to_path_buf(), finding };
    let finding: Result<String, _> = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(pool).await;
    match finding {
        Ok(word) if word == "ok" => Ok(()),
        Ok(finding) => Err(damaged(finding)),
        Err(error) => Err(damaged(error.to_string())),
    }
}

async fn migrate(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let foreign = |reason: String| StoreError::Foreign { path: path.to_path_buf(), reason };
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *tx).await?;
    let done = usize::try_from(version).map_err(|_| foreign(format!("its version is {version}")))?;
    let newest = MIGRATIONS.len();
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(foreign(format!("its version is {done}, this release knows {newest}")));
    };
    if done == 0 && table_count(&mut tx).await? > 0 {
        return Err(foreign("it holds tables of something else".into()));
    }
    for migration in missing {
        sqlx::raw_sql(*migration).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn table_count(tx: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(tx).await?)
}
