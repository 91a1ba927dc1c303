//! Payments seen on chain, and how far the chain was read.

use super::orders::StoredOrder;
use super::{Store, StoreError, rows};
use crate::secret::{RandomError, fresh_id};
use aispace_ledger::{BatchId, BatchSource, NewBatch};
use aispace_payments::tag::OrderTag;
use aispace_payments::{BlockHash, TransactionHash};
use aispace_units::{BASE_CHAIN_ID, EthUsdPrice, NanoCredits, Wei, credits_for_wei};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

const COLUMNS: &str = "transaction_hash, tag, value_wei, block_number, block_hash, block_ms, credits, credited_ms";

/// A payment as a block shows it.
#[derive(Debug, Clone)]
pub(crate) struct RecordedPayment {
    pub(crate) transaction: TransactionHash,
    pub(crate) tag: OrderTag,
    pub(crate) payer: String,
    pub(crate) value: Wei,
    pub(crate) block_number: u64,
    pub(crate) block_hash: BlockHash,
    pub(crate) block_time: DateTime<Utc>,
}

/// A payment as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredPayment {
    pub(crate) transaction: TransactionHash,
    pub(crate) tag: OrderTag,
    pub(crate) value: Wei,
    pub(crate) block_number: u64,
    pub(crate) block_hash: BlockHash,
    pub(crate) block_time: DateTime<Utc>,
    /// What it bought and when it was credited.
    pub(crate) credited: Option<(NanoCredits, DateTime<Utc>)>,
}

/// How far the chain was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) number: u64,
    /// Unknown after a step back.
    pub(crate) hash: Option<BlockHash>,
}

/// What became of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Crediting {
    Credited(NanoCredits),
    /// It cannot be posted; a person has to look at it.
    Held(String),
}

impl Store {
    pub(crate) async fn scanned(tx: &mut SqliteConnection) -> Result<Option<Scanned>, StoreError> {
        let found = sqlx::query("SELECT block_number, block_hash FROM scanned WHERE chain_id = ?").bind(chain()).fetch_optional(tx).await?;
        let Some(row) = found else { return Ok(None) };
        let hash = row.try_get::<Option<Vec<u8>>, _>(1)?.map(|bytes| rows::hash(&bytes).map(BlockHash::from_bytes)).transpose()?;
        Ok(Some(Scanned { number: rows::count(row.try_get(0)?)?, hash }))
    }

    pub(crate) async fn set_scanned(tx: &mut SqliteConnection, scanned: Scanned) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO scanned (chain_id, block_number, block_hash) VALUES (?, ?, ?)
             ON CONFLICT (chain_id) DO UPDATE SET block_number = excluded.block_number, block_hash = excluded.block_hash",
        )
        .bind(chain())
        .bind(rows::signed(scanned.number)?)
        .bind(scanned.hash.map(|hash| hash.to_bytes().to_vec()))
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Records a payment once; a block that is read again only corrects where it stands.
    pub(crate) async fn record_payment(tx: &mut SqliteConnection, payment: &RecordedPayment) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO payments (chain_id, transaction_hash, tag, payer, value_wei, block_number, block_hash, block_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (chain_id, transaction_hash) DO UPDATE SET block_number = excluded.block_number,
             block_hash = excluded.block_hash, block_ms = excluded.block_ms",
        )
        .bind(chain())
        .bind(payment.transaction.to_bytes().to_vec())
        .bind(payment.tag.to_bytes().to_vec())
        .bind(&payment.payer)
        .bind(payment.value.to_string())
        .bind(rows::signed(payment.block_number)?)
        .bind(payment.block_hash.to_bytes().to_vec())
        .bind(payment.block_time.timestamp_millis())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Payments under a tag, oldest first.
    pub(crate) async fn payments(tx: &mut SqliteConnection, tag: OrderTag) -> Result<Vec<StoredPayment>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM payments WHERE tag = ? ORDER BY block_number, block_ms, transaction_hash");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tag.to_bytes().to_vec()).fetch_all(tx).await?;
        found.iter().map(payment).collect()
    }

    /// Payments that belong to an order, are not credited and wait for nobody.
    pub(crate) async fn open_payments(tx: &mut SqliteConnection) -> Result<Vec<StoredPayment>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM payments WHERE credited_ms IS NULL AND held_because IS NULL AND waits_for_claim = 0
             AND tag IN (SELECT tag FROM orders) ORDER BY block_number, block_ms, transaction_hash"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(tx).await?;
        found.iter().map(payment).collect()
    }

    /// Payments under a tag that are not credited and wait for nobody.
    pub(crate) async fn creditable(tx: &mut SqliteConnection, tag: OrderTag) -> Result<Vec<StoredPayment>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM payments WHERE tag = ? AND credited_ms IS NULL AND held_because IS NULL AND waits_for_claim = 0
             ORDER BY block_number, block_ms, transaction_hash"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tag.to_bytes().to_vec()).fetch_all(tx).await?;
        found.iter().map(payment).collect()
    }

    /// Makes the uncredited payments under a tag wait for their secret, or lets them go.
    pub(crate) async fn set_waiting(tx: &mut SqliteConnection, tag: OrderTag, waits: Waits) -> Result<(), StoreError> {
        sqlx::query("UPDATE payments SET waits_for_claim = ? WHERE tag = ? AND credited_ms IS NULL")
            .bind(waits == Waits::ForClaim)
            .bind(tag.to_bytes().to_vec())
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Credits one payment to its order's account, which it opens when there is none: the batch and the
    /// payment's mark in the caller's one transaction. Does nothing twice.
    pub(crate) async fn credit_payment(
        tx: &mut SqliteConnection,
        stored: &StoredOrder,
        payment: &StoredPayment,
        price: EthUsdPrice,
        now: DateTime<Utc>,
    ) -> Result<Crediting, StoreError> {
        let order = &stored.order;
        let Ok(credits) = credits_for_wei(payment.value, price) else {
            return hold(tx, payment, "it buys more than the ledger can hold").await;
        };
        let account = match Self::account(tx, &order.account).await? {
            Some(account) => account,
            None => Self::open_account(tx, &order.account, None, now).await?,
        };
        let batch_id = fresh_id("ba").map_err(no_randomness)?;
        if !credits.is_zero() {
            let batch = NewBatch {
                id: BatchId::new(&batch_id),
                source: BatchSource::EthPurchase,
                note: Some(order.order_id.clone()),
                amount: credits,
                expires: None,
            };
            match account.grant(now, batch) {
                Ok(posting) => Self::save(tx, account.head(), &posting).await?,
                Err(refusal) => return hold(tx, payment, &refusal.to_string()).await,
            }
        }
        let marked = sqlx::query(
            "UPDATE payments SET account_id = ?, credits = ?, usd_per_eth = ?, batch_id = ?, credited_ms = ?
             WHERE chain_id = ? AND transaction_hash = ? AND credited_ms IS NULL",
        )
        .bind(order.account.as_str())
        .bind(credits.nanos())
        .bind(price.to_string())
        .bind((!credits.is_zero()).then_some(batch_id))
        .bind(now.timestamp_millis())
        .bind(chain())
        .bind(payment.transaction.to_bytes().to_vec())
        .execute(tx)
        .await?;
        if marked.rows_affected() == 1 { Ok(Crediting::Credited(credits)) } else { Err(StoreError::Raced) }
    }
}

/// Whether payments wait for their secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    ForClaim,
    ForNobody,
}

async fn hold(tx: &mut SqliteConnection, payment: &StoredPayment, reason: &str) -> Result<Crediting, StoreError> {
    sqlx::query("UPDATE payments SET held_because = ? WHERE chain_id = ? AND transaction_hash = ?")
        .bind(reason)
        .bind(chain())
        .bind(payment.transaction.to_bytes().to_vec())
        .execute(tx)
        .await?;
    Ok(Crediting::Held(reason.to_string()))
}

fn no_randomness(error: RandomError) -> StoreError {
    StoreError::Statement(sqlx::Error::Configuration(Box::new(error)))
}

fn chain() -> i64 {
    i64::try_from(BASE_CHAIN_ID).unwrap_or(i64::MAX)
}

fn payment(row: &SqliteRow) -> Result<StoredPayment, StoreError> {
    let credits = row.try_get::<Option<i64>, _>(6)?.map(rows::credits).transpose()?;
    let credited = row.try_get::<Option<i64>, _>(7)?.map(rows::instant).transpose()?;
    Ok(StoredPayment {
        transaction: TransactionHash::from_bytes(rows::hash(&row.try_get::<Vec<u8>, _>(0)?)?),
        tag: OrderTag::from_bytes(rows::hash(&row.try_get::<Vec<u8>, _>(1)?)?),
        value: rows::text(&row.try_get::<String, _>(2)?, "amount of wei")?,
        block_number: rows::count(row.try_get(3)?)?,
        block_hash: BlockHash::from_bytes(rows::hash(&row.try_get::<Vec<u8>, _>(4)?)?),
        block_time: rows::instant(row.try_get(5)?)?,
        credited: credits.zip(credited),
    })
}
