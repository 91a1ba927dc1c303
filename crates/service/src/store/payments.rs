//! Payments seen on chain, and how far the chain was read.

use super::orders::StoredOrder;
use super::{Row, Store, StoreError, Tx, args, rows};
use crate::secret::fresh_id;
use aispace_ledger::{BatchId, BatchSource, NewBatch, Posted};
use aispace_payments::tag::OrderTag;
use aispace_payments::{BlockHash, TransactionHash};
use aispace_units::{BASE_CHAIN_ID, EthUsdPrice, NanoCredits, Wei, credits_for_wei};
use chrono::{DateTime, Utc};

macro_rules! payments_where {
    ($condition:literal) => {
        concat!(
            "SELECT transaction_hash, tag, value_wei, block_number, block_hash, block_ms, credits, credited_ms FROM payments WHERE ",
            $condition,
            " ORDER BY block_number, block_ms, transaction_hash"
        )
    };
}

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
    pub(crate) async fn scanned(tx: &mut Tx) -> Result<Option<Scanned>, StoreError> {
        let found = tx.optional("SELECT block_number, block_hash FROM scanned WHERE chain_id = $1", args![chain()]).await?;
        let Some(row) = found else { return Ok(None) };
        let hash = row.blob_or_none(1)?.map(|bytes| rows::hash(&bytes).map(BlockHash::from_bytes)).transpose()?;
        Ok(Some(Scanned { number: rows::count(row.int(0)?)?, hash }))
    }

    pub(crate) async fn set_scanned(tx: &mut Tx, scanned: Scanned) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO scanned (chain_id, block_number, block_hash) VALUES ($1, $2, $3)
             ON CONFLICT (chain_id) DO UPDATE SET block_number = excluded.block_number, block_hash = excluded.block_hash",
            args![chain(), rows::signed(scanned.number)?, scanned.hash.map(|hash| hash.to_bytes()).as_ref()],
        )
        .await?;
        Ok(())
    }

    /// Records a payment once; a block that is read again only corrects where it stands.
    pub(crate) async fn record_payment(tx: &mut Tx, payment: &RecordedPayment) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO payments (chain_id, transaction_hash, tag, payer, value_wei, block_number, block_hash, block_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (chain_id, transaction_hash) DO UPDATE SET block_number = excluded.block_number,
             block_hash = excluded.block_hash, block_ms = excluded.block_ms",
            args![
                chain(),
                &payment.transaction.to_bytes(),
                &payment.tag.to_bytes(),
                &payment.payer,
                &payment.value.to_string(),
                rows::signed(payment.block_number)?,
                &payment.block_hash.to_bytes(),
                payment.block_time.timestamp_millis()
            ],
        )
        .await?;
        Ok(())
    }

    /// Payments under a tag, oldest first.
    pub(crate) async fn payments(tx: &mut Tx, tag: OrderTag) -> Result<Vec<StoredPayment>, StoreError> {
        let sql = payments_where!("tag = $1");
        let found = tx.rows(sql, args![&tag.to_bytes()]).await?;
        found.iter().map(payment).collect()
    }

    /// Payments that belong to an order, are not credited and wait for nobody.
    pub(crate) async fn open_payments(tx: &mut Tx) -> Result<Vec<StoredPayment>, StoreError> {
        let sql =
            payments_where!("credited_ms IS NULL AND held_because IS NULL AND waits_for_claim = 0 AND tag IN (SELECT tag FROM orders)");
        let found = tx.rows(sql, args![]).await?;
        found.iter().map(payment).collect()
    }

    /// Payments under a tag that are not credited and wait for nobody.
    pub(crate) async fn creditable(tx: &mut Tx, tag: OrderTag) -> Result<Vec<StoredPayment>, StoreError> {
        let sql = payments_where!("tag = $1 AND credited_ms IS NULL AND held_because IS NULL AND waits_for_claim = 0");
        let found = tx.rows(sql, args![&tag.to_bytes()]).await?;
        found.iter().map(payment).collect()
    }

    /// Makes the uncredited payments under a tag wait for their secret, or lets them go.
    pub(crate) async fn set_waiting(tx: &mut Tx, tag: OrderTag, waits: Waits) -> Result<(), StoreError> {
        tx.execute(
            "UPDATE payments SET waits_for_claim = $1 WHERE tag = $2 AND credited_ms IS NULL",
            args![waits == Waits::ForClaim, &tag.to_bytes()],
        )
        .await?;
        Ok(())
    }

    /// Credits one payment to its order's account, which it opens when there is none: the batch and the
    /// payment's mark in the caller's one transaction. Does nothing twice.
    pub(crate) async fn credit_payment(
        tx: &mut Tx,
        stored: &StoredOrder,
        payment: &StoredPayment,
        price: EthUsdPrice,
        now: DateTime<Utc>,
    ) -> Result<Crediting, StoreError> {
        let order = &stored.order;
        let Ok(credits) = credits_for_wei(payment.value, price) else {
            return hold(tx, payment, "it buys more than the ledger can hold").await;
        };
        let mut account = match Self::account(tx, &order.account).await? {
            Some(account) => account,
            None => Self::open_account(tx, &order.account, None, now).await?,
        };
        let batch_id = fresh_id("ba")?;
        if !credits.is_zero() {
            let batch = NewBatch {
                id: BatchId::new(&batch_id),
                source: BatchSource::EthPurchase,
                note: Some(order.order_id.clone()),
                amount: credits,
                expires: None,
            };
            let (before, mut posted) = (account.head(), Posted::new());
            match account.post_grant(now, batch, &mut posted) {
                Ok(()) => Self::save(tx, before, account, &posted).await?,
                Err(refusal) => return hold(tx, payment, &refusal.to_string()).await,
            }
        }
        let marked = tx
            .execute(
                "UPDATE payments SET account_id = $1, credits = $2, usd_per_eth = $3, batch_id = $4, credited_ms = $5
             WHERE chain_id = $6 AND transaction_hash = $7 AND credited_ms IS NULL",
                args![
                    order.account.as_str(),
                    credits.nanos(),
                    &price.to_string(),
                    (!credits.is_zero()).then_some(&batch_id),
                    now.timestamp_millis(),
                    chain(),
                    &payment.transaction.to_bytes()
                ],
            )
            .await?;
        if marked == 1 { Ok(Crediting::Credited(credits)) } else { Err(StoreError::Raced) }
    }
}

/// Whether payments wait for their secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    ForClaim,
    ForNobody,
}

async fn hold(tx: &mut Tx, payment: &StoredPayment, reason: &str) -> Result<Crediting, StoreError> {
    tx.execute(
        "UPDATE payments SET held_because = $1 WHERE chain_id = $2 AND transaction_hash = $3",
        args![reason, chain(), &payment.transaction.to_bytes()],
    )
    .await?;
    Ok(Crediting::Held(reason.to_string()))
}

fn chain() -> i64 {
    i64::try_from(BASE_CHAIN_ID).unwrap_or(i64::MAX)
}

fn payment(row: &Row) -> Result<StoredPayment, StoreError> {
    let credits = row.int_or_none(6)?.map(rows::credits).transpose()?;
    let credited = row.int_or_none(7)?.map(rows::instant).transpose()?;
    Ok(StoredPayment {
        transaction: TransactionHash::from_bytes(rows::hash(&row.blob(0)?)?),
        tag: OrderTag::from_bytes(rows::hash(&row.blob(1)?)?),
        value: rows::text(&row.text(2)?, "amount of wei")?,
        block_number: rows::count(row.int(3)?)?,
        block_hash: BlockHash::from_bytes(rows::hash(&row.blob(4)?)?),
        block_time: rows::instant(row.int(5)?)?,
        credited: credits.zip(credited),
    })
}
