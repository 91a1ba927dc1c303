//! The local store: what was last known, and the journal of payments. It holds no secret.
//!
//! One SQLite file, written through (`synchronous = FULL`). Every row carries the SHA-256 of its text; a file that SQLite or a
//! checksum does not vouch for is set aside under another name and a new one is begun.

mod open;

pub(crate) use open::{is_damage, open};

use crate::{
    kept_estimate::EstimateBook,
    preferences::Preferences,
    recipe::RecipeBook,
    record::{Given, KnownAccount, PaymentRecord},
    roster::{LocalId, Roster},
    view::Theme,
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite refused.
    #[error("the local store failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// The folder or a file of it cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// A row is not what was written.
    #[error("a row of the local store is damaged")]
    Damaged,
    /// A value cannot be written as text.
    #[error("a value cannot be stored: {0}")]
    Unwritable(String),
}

/// The open store.
#[derive(Clone)]
pub(crate) struct Store {
    pool: SqlitePool,
}

const ROSTER: &str = "roster";
const THEME: &str = "theme";
const PREFERENCES: &str = "preferences";
const RECIPES: &str = "recipes";
const GIVEN: &str = "reminders";

impl Store {
    /// Every account as last read.
    pub(crate) async fn known_accounts(&self) -> Result<BTreeMap<LocalId, KnownAccount>, StoreError> {
        let rows = sqlx::query("SELECT body, checksum, name FROM kept WHERE name = 'account' OR name LIKE 'account-%'");
        let mut known = BTreeMap::new();
        for row in rows.fetch_all(&self.pool).await? {
            if let Some(id) = LocalId::of_row(&row.try_get::<String, _>(2)?) {
                known.insert(id, read(&row.try_get::<String, _>(0)?, &row.try_get::<Vec<u8>, _>(1)?)?);
            }
        }
        Ok(known)
    }

    /// Which accounts there are; an app that knew one only wrote none.
    pub(crate) async fn roster(&self) -> Result<Option<Roster>, StoreError> {
        self.get(ROSTER).await
    }

    /// Keeps what an account holds.
    pub(crate) async fn keep_account(&self, id: &LocalId, known: &KnownAccount) -> Result<(), StoreError> {
        self.put(&id.row(), Some(known)).await
    }

    /// Keeps which accounts there are, and with it what one of them holds, or that it is gone: both or neither.
    pub(crate) async fn keep_roster(&self, roster: &Roster, changed: Option<(&LocalId, Option<&KnownAccount>)>) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        put(&mut tx, ROSTER, Some(roster)).await?;
        if let Some((id, known)) = changed {
            put(&mut tx, &id.row(), known).await?;
        }
        Ok(tx.commit().await?)
    }

    /// How the window shall look.
    pub(crate) async fn theme(&self) -> Result<Theme, StoreError> {
        Ok(self.get(THEME).await?.unwrap_or_default())
    }

    /// Keeps how the window shall look.
    pub(crate) async fn keep_theme(&self, theme: Theme) -> Result<(), StoreError> {
        self.put(THEME, Some(&theme)).await
    }

    /// What a person has set.
    pub(crate) async fn preferences(&self) -> Result<Preferences, StoreError> {
        Ok(self.get(PREFERENCES).await?.unwrap_or_default())
    }

    /// Keeps what a person has set.
    pub(crate) async fn keep_preferences(&self, preferences: &Preferences) -> Result<(), StoreError> {
        self.put(PREFERENCES, Some(preferences)).await
    }

    /// The jobs that a person has named.
    pub(crate) async fn recipes(&self) -> Result<RecipeBook, StoreError> {
        Ok(self.get(RECIPES).await?.unwrap_or_default())
    }

    /// Keeps them.
    pub(crate) async fn keep_recipes(&self, book: &RecipeBook) -> Result<(), StoreError> {
        self.put(RECIPES, Some(book)).await
    }

    /// The reminders that were given; nothing before the first look.
    pub(crate) async fn given(&self) -> Result<Option<Given>, StoreError> {
        self.get(GIVEN).await
    }

    /// Keeps the reminders that were given.
    pub(crate) async fn keep_given(&self, given: &Given) -> Result<(), StoreError> {
        self.put(GIVEN, Some(given)).await
    }

    /// The estimates that were kept of an account.
    pub(crate) async fn estimates(&self, account_id: &str) -> Result<EstimateBook, StoreError> {
        Ok(self.get(&estimates_name(account_id)).await?.unwrap_or_default())
    }

    /// Keeps them, or forgets them.
    pub(crate) async fn keep_estimates(&self, account_id: &str, book: Option<&EstimateBook>) -> Result<(), StoreError> {
        self.put(&estimates_name(account_id), book).await
    }

    /// Every payment of the journal, oldest first.
    pub(crate) async fn payments(&self) -> Result<Vec<PaymentRecord>, StoreError> {
        let rows = sqlx::query("SELECT body, checksum FROM payment ORDER BY position").fetch_all(&self.pool).await?;
        let kept = |row: &SqliteRow| read::<PaymentRecord>(&row.try_get::<String, _>(0)?, &row.try_get::<Vec<u8>, _>(1)?);
        rows.iter().map(|row| kept(row).map(PaymentRecord::upgraded)).collect()
    }

    /// Writes a payment, durably, before this returns.
    pub(crate) async fn journal(&self, payment: &PaymentRecord) -> Result<(), StoreError> {
        let (body, checksum) = written(payment)?;
        sqlx::query(
            "INSERT INTO payment (order_id, body, checksum) VALUES (?1, ?2, ?3)
             ON CONFLICT (order_id) DO UPDATE SET body = excluded.body, checksum = excluded.checksum",
        )
        .bind(&payment.order_id)
        .bind(body)
        .bind(checksum)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Deletes every row of every table, and what the file still holds of them.
    pub(crate) async fn wipe(&self) -> Result<(), StoreError> {
        let tables = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
        let tables: Vec<String> = tables.fetch_all(&self.pool).await?;
        let mut tx = self.pool.begin().await?;
        for table in tables {
            // The name is one of the schema's own.
            let statement = format!("DELETE FROM \"{}\"", table.replace('"', "\"\""));
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        sqlx::query("VACUUM").execute(&self.pool).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await?;
        Ok(())
    }

    /// Ends writing; used before the file is set aside.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let row = sqlx::query("SELECT body, checksum FROM kept WHERE name = ?1").bind(name).fetch_optional(&self.pool).await?;
        row.map(|row| read(&row.try_get::<String, _>(0)?, &row.try_get::<Vec<u8>, _>(1)?)).transpose()
    }

    async fn put<T: Serialize>(&self, name: &str, value: Option<&T>) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        put(&mut connection, name, value).await
    }
}

/// The row of an account's estimates.
fn estimates_name(account_id: &str) -> String {
    format!("estimates-{account_id}")
}

async fn put<T: Serialize>(connection: &mut SqliteConnection, name: &str, value: Option<&T>) -> Result<(), StoreError> {
    let Some(value) = value else {
        sqlx::query("DELETE FROM kept WHERE name = ?1").bind(name).execute(connection).await?;
        return Ok(());
    };
    let (body, checksum) = written(value)?;
    sqlx::query(
        "INSERT INTO kept (name, body, checksum) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET body = excluded.body, checksum = excluded.checksum",
    )
    .bind(name)
    .bind(body)
    .bind(checksum)
    .execute(connection)
    .await?;
    Ok(())
}

fn written<T: Serialize>(value: &T) -> Result<(String, Vec<u8>), StoreError> {
    let body = serde_json::to_string(value).map_err(|e| StoreError::Unwritable(e.to_string()))?;
    let checksum = Sha256::digest(body.as_bytes()).to_vec();
    Ok((body, checksum))
}

fn read<T: DeserializeOwned>(body: &str, checksum: &[u8]) -> Result<T, StoreError> {
    if Sha256::digest(body.as_bytes())[..] != *checksum {
        return Err(StoreError::Damaged);
    }
    serde_json::from_str(body).map_err(|_| StoreError::Damaged)
}
