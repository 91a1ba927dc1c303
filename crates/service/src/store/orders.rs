//! Orders.

use super::{Store, StoreError, rows};
use aispace_api::PriceSourceAnswer;
use aispace_ledger::AccountId;
use aispace_payments::tag::OrderTag;
use aispace_units::{EthUsdPrice, NanoCredits, Usd, Wei};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

const COLUMNS: &str = "account_id, order_id, tag, top_up, usd, usd_per_eth, value_wei, credits, quoted_ms, expires_ms, sources,
    key_salt, claimed_ms, acknowledged_ms";

/// An order to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    pub(crate) account: AccountId,
    pub(crate) order_id: String,
    pub(crate) tag: OrderTag,
    pub(crate) aim: Aim,
    pub(crate) usd: Usd,
    pub(crate) usd_per_eth: EthUsdPrice,
    pub(crate) value: Wei,
    pub(crate) credits: NanoCredits,
    pub(crate) quoted: DateTime<Utc>,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) sources: Vec<PriceSourceAnswer>,
}

/// What an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Opens an account; the salt goes into its Secure Key and is gone once the key is acknowledged.
    NewAccount { salt: Option<[u8; 32]> },
    /// Adds to an account.
    TopUp,
}

/// An order as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredOrder {
    pub(crate) order: NewOrder,
    pub(crate) claimed: Option<DateTime<Utc>>,
}

impl Store {
    pub(crate) async fn insert_order(tx: &mut SqliteConnection, order: &NewOrder) -> Result<(), StoreError> {
        let (top_up, salt) = match order.aim {
            Aim::NewAccount { salt } => (false, salt.map(|s| s.to_vec())),
            Aim::TopUp => (true, None),
        };
        sqlx::query(
            "INSERT INTO orders (account_id, order_id, tag, top_up, usd, usd_per_eth, value_wei, credits, quoted_ms, expires_ms,
             sources, key_salt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(order.account.as_str())
        .bind(&order.order_id)
        .bind(order.tag.to_bytes().to_vec())
        .bind(top_up)
        .bind(order.usd.to_string())
        .bind(order.usd_per_eth.to_string())
        .bind(order.value.to_string())
        .bind(order.credits.nanos())
        .bind(order.quoted.timestamp_millis())
        .bind(order.expires.timestamp_millis())
        .bind(serde_json::to_string(&order.sources).map_err(|_| rows::bad("price source"))?)
        .bind(salt)
        .execute(tx)
        .await?;
        Ok(())
    }

    pub(crate) async fn order(tx: &mut SqliteConnection, order_id: &str) -> Result<Option<StoredOrder>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM orders WHERE order_id = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(order_id).fetch_optional(tx).await?;
        found.as_ref().map(order).transpose()
    }

    pub(crate) async fn order_by_tag(tx: &mut SqliteConnection, tag: OrderTag) -> Result<Option<StoredOrder>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM orders WHERE tag = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tag.to_bytes().to_vec()).fetch_optional(tx).await?;
        found.as_ref().map(order).transpose()
    }

    pub(crate) async fn mark_claimed(tx: &mut SqliteConnection, order_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("UPDATE orders SET claimed_ms = ? WHERE order_id = ? AND claimed_ms IS NULL")
            .bind(now.timestamp_millis())
            .bind(order_id)
            .execute(tx)
            .await?;
        Ok(())
    }

    /// Erases what the Secure Key could be derived from.
    pub(crate) async fn acknowledge(tx: &mut SqliteConnection, order_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("UPDATE orders SET acknowledged_ms = ?, key_salt = NULL WHERE order_id = ? AND acknowledged_ms IS NULL")
            .bind(now.timestamp_millis())
            .bind(order_id)
            .execute(tx)
            .await?;
        Ok(())
    }
}

fn order(row: &SqliteRow) -> Result<StoredOrder, StoreError> {
    let salt = row.try_get::<Option<Vec<u8>>, _>(11)?.map(|bytes| rows::hash(&bytes)).transpose()?;
    let sources: String = row.try_get(10)?;
    let order = NewOrder {
        account: AccountId::new(row.try_get::<String, _>(0)?),
        order_id: row.try_get(1)?,
        tag: OrderTag::from_bytes(rows::hash(&row.try_get::<Vec<u8>, _>(2)?)?),
        aim: if row.try_get(3)? { Aim::TopUp } else { Aim::NewAccount { salt } },
        usd: rows::text(&row.try_get::<String, _>(4)?, "amount of dollars")?,
        usd_per_eth: rows::text(&row.try_get::<String, _>(5)?, "price")?,
        value: rows::text(&row.try_get::<String, _>(6)?, "amount of wei")?,
        credits: rows::credits(row.try_get(7)?)?,
        quoted: rows::instant(row.try_get(8)?)?,
        expires: rows::instant(row.try_get(9)?)?,
        sources: serde_json::from_str(&sources).map_err(|_| rows::bad("price source"))?,
    };
    Ok(StoredOrder { order, claimed: row.try_get::<Option<i64>, _>(12)?.map(rows::instant).transpose()? })
}
