//! The whole log of an account on this computer: every entry that was ever read, in a file of its own.
//!
//! It can be read anew from the service at any time. So it is written without waiting for the disk, is not looked through when the app
//! starts, and one that is damaged or of another version is removed and begun anew. Entries are kept from the newest down; what is not read
//! yet is a gap, with the cursor that reads on.

mod ask;
mod columns;
mod spent;
mod write;

pub(crate) use ask::{Digest, EntryFilter, KeptEntry, Sums};
pub(crate) use columns::{is_charge, kind_word, net_change};
pub(crate) use spent::{SpentDays, spent};

use crate::store::StoreError;
use aispace_api::UsageEntry;
use sha2::{Digest as _, Sha256};
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

const VERSION: i64 = 2;
/// One connection writes while another reads.
const CONNECTIONS: u32 = 2;
/// Digits of the account's hash in the file's name.
const NAME_DIGITS: usize = 16;

const SCHEMA: [&str; 12] = [
    "CREATE TABLE model (number INTEGER PRIMARY KEY, model_id TEXT NOT NULL, work INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (model_id, work)) STRICT",
    // Amounts in two columns, so that sums of 64 bits are exact: whole credits, rounded down, and what is above them.
    "CREATE TABLE entry (sequence INTEGER PRIMARY KEY, day INTEGER NOT NULL, kind INTEGER NOT NULL, work INTEGER NOT NULL, model INTEGER NOT NULL,
      whole INTEGER NOT NULL, nanos INTEGER NOT NULL, charge INTEGER, hold TEXT) STRICT",
    // Summed as entries come and as their model becomes known, so that no question has to go through all of them.
    "CREATE TABLE sums (day INTEGER NOT NULL, kind INTEGER NOT NULL, work INTEGER NOT NULL, model INTEGER NOT NULL, entries INTEGER NOT NULL,
      whole INTEGER NOT NULL, nanos INTEGER NOT NULL, PRIMARY KEY (day, kind, work, model)) STRICT, WITHOUT ROWID",
    "CREATE TRIGGER entry_comes AFTER INSERT ON entry BEGIN
      INSERT INTO sums VALUES (new.day, new.kind, new.work, new.model, 1, new.whole, new.nanos)
        ON CONFLICT DO UPDATE SET entries = entries + 1, whole = whole + excluded.whole, nanos = nanos + excluded.nanos;
     END",
    "CREATE TRIGGER entry_goes AFTER DELETE ON entry BEGIN
      UPDATE sums SET entries = entries - 1, whole = whole - old.whole, nanos = nanos - old.nanos
        WHERE day = old.day AND kind = old.kind AND work = old.work AND model = old.model;
     END",
    "CREATE TRIGGER entry_moves AFTER UPDATE ON entry BEGIN
      UPDATE sums SET entries = entries - 1, whole = whole - old.whole, nanos = nanos - old.nanos
        WHERE day = old.day AND kind = old.kind AND work = old.work AND model = old.model;
      INSERT INTO sums VALUES (new.day, new.kind, new.work, new.model, 1, new.whole, new.nanos)
        ON CONFLICT DO UPDATE SET entries = entries + 1, whole = whole + excluded.whole, nanos = nanos + excluded.nanos;
     END",
    "CREATE INDEX entry_day ON entry (day)",
    "CREATE INDEX entry_charge ON entry (charge) WHERE charge IS NOT NULL",
    "CREATE INDEX entry_hold ON entry (hold) WHERE hold IS NOT NULL",
    "CREATE TABLE body (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL, checksum BLOB NOT NULL) STRICT",
    "CREATE TABLE words (sequence INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT",
    "CREATE TABLE gap (below INTEGER PRIMARY KEY, above INTEGER NOT NULL, cursor TEXT NOT NULL) STRICT",
];

/// The open log of one account. Clones are the same log.
#[derive(Clone)]
pub(crate) struct UsageLog {
    account_id: String,
    pool: SqlitePool,
    path: PathBuf,
    /// Rises with every change.
    revision: Arc<AtomicU32>,
    digest: Arc<Mutex<Option<Arc<Digest>>>>,
}

/// Entries that are not read yet: those between two that are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The oldest entry above it.
    pub(crate) below: u64,
    /// The newest entry under it; 0 when there is none.
    pub(crate) above: u64,
    /// Where the service reads on.
    pub(crate) cursor: String,
}

/// How much of the log is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Number and id of the newest entry.
    pub(crate) newest: Option<(u64, String)>,
    /// How many are here.
    pub(crate) kept: u64,
    /// The newest gap.
    pub(crate) gap: Option<Gap>,
}

impl UsageLog {
    /// Opens the log of an account in a folder, begun anew when it cannot be used.
    pub(crate) async fn open(folder: &Path, account_id: &str) -> Result<Self, StoreError> {
        let path = path(folder, account_id);
        let pool = match whole(&path).await {
            Ok(pool) => pool,
            Err(StoreError::Folder(error)) => return Err(error.into()),
            Err(_) => {
                remove(&path)?;
                whole(&path).await?
            }
        };
        Ok(Self { account_id: account_id.into(), pool, path, revision: Arc::new(AtomicU32::new(1)), digest: Arc::default() })
    }

    /// Whose it is.
    pub(crate) fn account_id(&self) -> &str {
        &self.account_id
    }

    /// Rises with every change of the log.
    pub(crate) fn revision(&self) -> u32 {
        self.revision.load(Ordering::SeqCst)
    }

    fn changed(&self) {
        self.revision.fetch_add(1, Ordering::SeqCst);
    }

    /// How much of the log is here.
    pub(crate) async fn extent(&self) -> Result<Extent, StoreError> {
        let mut tx = self.pool.begin().await?;
        let newest = sqlx::query("SELECT body, checksum FROM body ORDER BY sequence DESC LIMIT 1").fetch_optional(&mut *tx).await?;
        let newest = newest.map(|row| columns::read(&row, 0)).transpose()?;
        let missing: i64 = sqlx::query_scalar("SELECT COALESCE(SUM(below - above - 1), 0) FROM gap").fetch_one(&mut *tx).await?;
        let gap = sqlx::query("SELECT below, above, cursor FROM gap ORDER BY below DESC LIMIT 1").fetch_optional(&mut *tx).await?;
        let gap = gap.map(|row| -> Result<Gap, StoreError> {
            Ok(Gap { below: columns::number(row.try_get(0)?)?, above: columns::number(row.try_get(1)?)?, cursor: row.try_get(2)? })
        });
        let top = newest.as_ref().map_or(0, |entry| entry.sequence);
        Ok(Extent {
            kept: top.saturating_sub(columns::number(missing)?),
            newest: newest.map(|entry: UsageEntry| (entry.sequence, entry.entry_id)),
            gap: gap.transpose()?,
        })
    }

    /// Ends it and removes its file.
    pub(crate) async fn remove(&self) -> Result<(), StoreError> {
        self.pool.close().await;
        Ok(remove(&self.path)?)
    }
}

/// Removes the log of an account that is not open.
pub(crate) fn forget(folder: &Path, account_id: &str) -> Result<(), StoreError> {
    Ok(remove(&path(folder, account_id))?)
}

/// Removes every log of a folder; none of them is open.
pub(crate) fn forget_all(folder: &Path) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if is_log(&entry.file_name().to_string_lossy()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file of that name belongs to a log.
pub(crate) fn is_log(name: &str) -> bool {
    name.starts_with("usage-") && name.contains(".sqlite3")
}

/// The name tells nobody whose it is.
fn path(folder: &Path, account_id: &str) -> PathBuf {
    let hash = hex::encode(Sha256::digest(account_id.as_bytes()));
    folder.join(format!("usage-{}.sqlite3", &hash[..NAME_DIGITS]))
}

async fn whole(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
    let made = make(&pool).await;
    if made.is_err() {
        pool.close().await;
    }
    made.map(|()| pool)
}

async fn make(pool: &SqlitePool) -> Result<(), StoreError> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(pool).await?;
    if found == VERSION {
        return Ok(());
    }
    if found != 0 {
        return Err(StoreError::Unwritable(format!("the log is of version {found}, this app knows {VERSION}")));
    }
    let mut tx = pool.begin().await?;
    for statement in SCHEMA {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {VERSION}"))).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

fn remove(path: &Path) -> Result<(), std::io::Error> {
    for tail in ["", "-wal", "-shm"] {
        match std::fs::remove_file(format!("{}{tail}", path.display())) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod history;
#[cfg(test)]
mod tests;
