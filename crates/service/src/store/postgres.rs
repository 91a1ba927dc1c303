//! The store in a PostgreSQL database, which several instances of the service share.
//!
//! A write locks its account's row first, so one account's writes follow each other whoever makes them. What two instances do at once without such a
//! row ends in a conflict for one of them, which does its work again.

use super::statement::{Backend, Intent, Tx};
use super::{CHANGES_CHANNEL, Change, PostgresUrl, StoreError, Work, WorkError};
use crate::metrics::StoreMetrics;
use aispace_ledger::AccountId;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;

/// The version that each migration leaves, and its text. The numbers are SQLite's; the first holds everything up to its third.
const MIGRATIONS: [(i64, &str); 4] = [
    (3, include_str!("../../migrations/postgres/0001_ledger.sql")),
    (4, include_str!("../../migrations/postgres/0004_usage_filters.sql")),
    (5, include_str!("../../migrations/postgres/0005_card.sql")),
    (VERSION, include_str!("../../migrations/postgres/0006_payments.sql")),
];
/// The number of the newest migration.
const VERSION: i64 = 6;
const CONNECTIONS_MAX: u32 = 16;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS_MAX: u32 = 12;
/// How long changes are gathered before others are told, and how many at once: a payload holds less than 8,000 bytes.
const TOLD_TOGETHER: Duration = Duration::from_millis(20);
const TOLD_MAX: usize = 150;
const PAUSE: Duration = Duration::from_millis(2);
/// Keys of advisory locks: who migrates, who watches the chain.
const LOCK_MIGRATION: i64 = 0x4169_5370_0001;
const LOCK_WATCHER: i64 = 0x4169_5370_0002;
/// A forgotten transaction may not hold up an account for ever.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '20s'; SET statement_timeout = '60s'";

/// A pool of connections and the task that hears of changes.
pub(crate) struct Postgres {
    pool: PgPool,
    changes: broadcast::Sender<Change>,
    /// Changes that the other instances have to hear of.
    told: mpsc::UnboundedSender<AccountId>,
    tasks: [JoinHandle<()>; 2],
    metrics: StoreMetrics,
}

impl Postgres {
    pub(super) async fn open(url: &PostgresUrl, changes: broadcast::Sender<Change>) -> Result<Self, StoreError> {
        let pool = connect(url).await?;
        migrate(&pool, url).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANGES_CHANNEL).await?;
        let (told, to_tell) = mpsc::unbounded_channel();
        let tasks = [tokio::spawn(hear(listener, changes.clone())), tokio::spawn(tell(pool.clone(), to_tell))];
        Ok(Self { pool, changes, told, tasks, metrics: StoreMetrics::default() })
    }

    /// Opens it for looking only: nothing is migrated.
    pub(super) async fn open_to_read(url: &PostgresUrl) -> Result<Self, StoreError> {
        let pool = connect(url).await?;
        let found = version(&pool).await?;
        if found != Some(VERSION) {
            let reason = format!("its version is {}, this release reads {VERSION}", found.unwrap_or_default());
            return Err(StoreError::Foreign { place: url.to_string(), reason });
        }
        let (told, _) = mpsc::unbounded_channel();
        let (changes, _) = broadcast::channel(1);
        let tasks = [tokio::spawn(async {}), tokio::spawn(async {})];
        Ok(Self { pool, changes, told, tasks, metrics: StoreMetrics::default() })
    }

    /// What it counts.
    pub(super) fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    pub(super) async fn write<C, T, E>(&self, context: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: WorkError,
    {
        let mut attempt = 0u32;
        loop {
            let outcome = self.attempt(&context, work).await;
            attempt = attempt.saturating_add(1);
            match outcome {
                Err(error) if error.is_conflict() && attempt < ATTEMPTS_MAX => {
                    self.metrics.done_again();
                    tokio::time::sleep(PAUSE.saturating_mul(attempt)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<C, T, E: WorkError>(&self, context: &C, work: Work<C, T, E>) -> Result<T, E> {
        let begun = self.pool.begin().await.map_err(StoreError::from)?;
        let mut tx = Tx::new(Backend::Postgres(begun), Intent::Write);
        // Dropped, it is rolled back.
        let value = work(context, &mut tx).await?;
        let touched = tx.take_touched();
        if let Some(tx) = tx.into_postgres() {
            tx.commit().await.map_err(StoreError::from)?;
        }
        self.metrics.committed(1);
        for id in touched {
            // Nobody may be listening, here or elsewhere.
            let _ = self.told.send(id.clone());
            let _ = self.changes.send(Change::Account(id));
        }
        Ok(value)
    }

    pub(super) async fn read<C, T, E>(&self, context: C, work: Work<C, T, E>) -> Result<T, E>
    where
        E: WorkError,
    {
        let begun = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(StoreError::from)?;
        let mut tx = Tx::new(Backend::Postgres(begun), Intent::Read);
        work(&context, &mut tx).await
    }

    /// Takes the watcher's lock; `None` while another instance has it.
    pub(super) async fn lead(&self) -> Result<Option<PoolConnection<sqlx::Postgres>>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK_WATCHER).fetch_one(&mut *connection).await?;
        Ok(taken.then_some(connection))
    }

    pub(super) async fn close(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.pool.close().await;
    }
}

async fn connect(url: &PostgresUrl) -> Result<PgPool, StoreError> {
    let unreachable = |error: &sqlx::Error| StoreError::Unreachable { place: url.to_string(), reason: error.to_string() };
    let options =
        PgConnectOptions::from_str(url.expose()).map_err(|error| unreachable(&error))?.application_name("aispace-account-service");
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(CONNECT_TIMEOUT)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SESSION).await.map(drop) }))
        .connect_with(options)
        .await;
    pool.map_err(|error| unreachable(&error))
}

async fn hear(mut listener: PgListener, changes: broadcast::Sender<Change>) {
    loop {
        let change = match listener.try_recv().await {
            Ok(Some(said)) => {
                for id in said.payload().split(' ') {
                    let _ = changes.send(Change::Account(AccountId::new(id)));
                }
                continue;
            }
            // The connection was lost, and with it whatever was said meanwhile.
            Ok(None) => Change::Any,
            Err(error) => {
                tracing::warn!(%error, "changes of other instances are not heard");
                tokio::time::sleep(CONNECT_TIMEOUT).await;
                Change::Any
            }
        };
        // Nobody may be listening.
        let _ = changes.send(change);
    }
}

/// Tells the other instances what has changed, many accounts at a time. Not in the posting's own transaction: PostgreSQL commits those that notify one
/// after the other. What a crash keeps from being told is found at the next heartbeat of whoever listens.
async fn tell(pool: PgPool, mut changed: mpsc::UnboundedReceiver<AccountId>) {
    while let Some(first) = changed.recv().await {
        tokio::time::sleep(TOLD_TOGETHER).await;
        let mut ids = BTreeSet::from([first]);
        while ids.len() < TOLD_MAX
            && let Ok(next) = changed.try_recv()
        {
            ids.insert(next);
        }
        let payload = ids.iter().map(AccountId::as_str).collect::<Vec<_>>().join(" ");
        if let Err(error) = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANGES_CHANNEL).bind(payload).execute(&pool).await {
            tracing::warn!(%error, "other instances were not told of a change");
        }
    }
}

async fn version(pool: &PgPool) -> Result<Option<i64>, StoreError> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass('schema_version') IS NOT NULL").fetch_one(pool).await?;
    if !there {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("SELECT max(version) FROM schema_version").fetch_one(pool).await?)
}

/// Brings the database up to date in one transaction; of several instances that start at once, one does it.
async fn migrate(pool: &PgPool, url: &PostgresUrl) -> Result<(), StoreError> {
    let foreign = |reason: String| StoreError::Foreign { place: url.to_string(), reason };
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK_MIGRATION).execute(&mut *tx).await?;
    let found = version(pool).await?;
    if found.is_some_and(|found| found > VERSION) {
        return Err(foreign(format!("its version is {}, this release knows {VERSION}", found.unwrap_or_default())));
    }
    if found.is_none() {
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
            .fetch_one(&mut *tx)
            .await?;
        if tables > 0 {
            return Err(foreign("it holds tables of something else".into()));
        }
    }
    for (_, migration) in MIGRATIONS.iter().filter(|(leaves, _)| found.is_none_or(|found| *leaves > found)) {
        sqlx::raw_sql(AssertSqlSafe(*migration)).execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}
