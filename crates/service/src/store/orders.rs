//! Orders.

use super::{Row, Store, StoreError, Tx, args, rows};
use aispace_api::PriceSourceAnswer;
use aispace_ledger::AccountId;
use aispace_payments::tag::OrderTag;
use aispace_units::{EthUsdPrice, NanoCredits, Usd, Wei};
use chrono::{DateTime, Utc};

macro_rules! orders_where {
    ($condition:literal) => {
        concat!(
            "SELECT account_id, order_id, tag, top_up, usd, usd_per_eth, value_wei, credits, quoted_ms, expires_ms, sources, key_salt, claimed_ms ",
            "FROM orders WHERE ",
            $condition
        )
    };
}

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
    pub(crate) async fn insert_order(tx: &mut Tx, order: &NewOrder) -> Result<(), StoreError> {
        let (top_up, salt) = match order.aim {
            Aim::NewAccount { salt } => (false, salt),
            Aim::TopUp => (true, None),
        };
        tx.execute(
            "INSERT INTO orders (account_id, order_id, tag, top_up, usd, usd_per_eth, value_wei, credits, quoted_ms, expires_ms,
             sources, key_salt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            args![
                order.account.as_str(),
                &order.order_id,
                &order.tag.to_bytes(),
                top_up,
                &order.usd.to_string(),
                &order.usd_per_eth.to_string(),
                &order.value.to_string(),
                order.credits.nanos(),
                order.quoted.timestamp_millis(),
                order.expires.timestamp_millis(),
                &serde_json::to_string(&order.sources).map_err(|_| rows::bad("price source"))?,
                salt.as_ref(),
            ],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn order(tx: &mut Tx, order_id: &str) -> Result<Option<StoredOrder>, StoreError> {
        let sql = orders_where!("order_id = $1");
        let found = tx.optional(sql, args![order_id]).await?;
        found.as_ref().map(order).transpose()
    }

    pub(crate) async fn order_by_tag(tx: &mut Tx, tag: OrderTag) -> Result<Option<StoredOrder>, StoreError> {
        let sql = orders_where!("tag = $1");
        let found = tx.optional(sql, args![&tag.to_bytes()]).await?;
        found.as_ref().map(order).transpose()
    }

    pub(crate) async fn mark_claimed(tx: &mut Tx, order_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute("UPDATE orders SET claimed_ms = $1 WHERE order_id = $2 AND claimed_ms IS NULL", args![now.timestamp_millis(), order_id])
            .await?;
        Ok(())
    }

    /// Erases what the Secure Key could be derived from.
    pub(crate) async fn acknowledge(tx: &mut Tx, order_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute(
            "UPDATE orders SET acknowledged_ms = $1, key_salt = NULL WHERE order_id = $2 AND acknowledged_ms IS NULL",
            args![now.timestamp_millis(), order_id],
        )
        .await?;
        Ok(())
    }
}

fn order(row: &Row) -> Result<StoredOrder, StoreError> {
    let salt = row.blob_or_none(11)?.map(|bytes| rows::hash(&bytes)).transpose()?;
    let sources = row.text(10)?;
    let order = NewOrder {
        account: AccountId::new(row.text(0)?),
        order_id: row.text(1)?,
        tag: OrderTag::from_bytes(rows::hash(&row.blob(2)?)?),
        aim: if row.int(3)? == 1 { Aim::TopUp } else { Aim::NewAccount { salt } },
        usd: rows::text(&row.text(4)?, "amount of dollars")?,
        usd_per_eth: rows::text(&row.text(5)?, "price")?,
        value: rows::text(&row.text(6)?, "amount of wei")?,
        credits: rows::credits(row.int(7)?)?,
        quoted: rows::instant(row.int(8)?)?,
        expires: rows::instant(row.int(9)?)?,
        sources: serde_json::from_str(&sources).map_err(|_| rows::bad("price source"))?,
    };
    Ok(StoredOrder { order, claimed: row.int_or_none(12)?.map(rows::instant).transpose()? })
}
