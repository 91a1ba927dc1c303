//! Orders.

use super::payments::chain;
use super::{Row, Store, StoreError, StoredPayment, Tx, args, rows};
use aispace_api::PriceSourceAnswer;
use aispace_ledger::AccountId;
use aispace_payments::tag::OrderTag;
use aispace_units::{EthUsdPrice, NanoCredits, Usd, Wei};
use chrono::{DateTime, Utc};

macro_rules! orders_where {
    ($condition:literal) => {
        concat!(
            "SELECT account_id, order_id, tag, top_up, usd, usd_per_eth, value_wei, credits, quoted_ms, expires_ms, sources, key_salt, claimed_ms, ",
            "amount_steps ",
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
    /// The amount by which a payment without a tag is known to be for it; none of an order from before there were such amounts.
    pub(crate) unique: Option<AmountSteps>,
}

/// An amount in steps of 10^10 wei, 10^-8 ETH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AmountSteps(i64);

const STEP_WEI: u128 = 10_000_000_000;

impl AmountSteps {
    /// The first whole step that is not below an amount; none beyond the range.
    pub(crate) fn at_least(value: Wei) -> Option<Self> {
        i64::try_from(value.get().div_ceil(STEP_WEI)).ok().map(Self)
    }

    /// An amount that is a whole number of steps.
    pub(crate) fn exactly(value: Wei) -> Option<Self> {
        Self::at_least(value).filter(|steps| steps.wei() == value)
    }

    /// The same, or the next one where it is a whole 10^-7 ETH: people and exchanges round to such amounts, so whoever asked for one would get what
    /// others meant otherwise.
    fn not_round(self) -> Self {
        Self(if self.0.checked_rem(10) == Some(0) { self.0.saturating_add(1) } else { self.0 })
    }

    /// The amount.
    pub(crate) fn wei(self) -> Wei {
        Wei::new(u128::try_from(self.0).unwrap_or_default().saturating_mul(STEP_WEI))
    }
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
             sources, key_salt, amount_steps) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
                order.unique.map(|steps| steps.0),
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

    /// The order whose tag a payment carries.
    pub(crate) async fn order_by_tag_of(tx: &mut Tx, payment: &StoredPayment) -> Result<Option<StoredOrder>, StoreError> {
        match payment.arrival.tag {
            Some(tag) => Self::order_by_tag(tx, tag).await,
            None => Ok(None),
        }
    }

    /// Takes the first amount from this one on that no other order has, for an order until an instant. Of two that ask at once each gets its own.
    pub(crate) async fn reserve_amount(
        tx: &mut Tx,
        from: AmountSteps,
        order_id: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<AmountSteps, StoreError> {
        const NEXT: &str =
            "SELECT s.steps + 1 FROM asked_amounts s WHERE s.chain_id = $1 AND s.steps >= $2 AND s.until_ms > $3 AND NOT EXISTS
             (SELECT 1 FROM asked_amounts n WHERE n.chain_id = $1 AND n.steps = s.steps + 1 AND n.until_ms > $3) ORDER BY s.steps LIMIT 1";
        const TAKE: &str = "INSERT INTO asked_amounts (chain_id, steps, order_id, until_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (chain_id, steps) DO UPDATE SET order_id = excluded.order_id, until_ms = excluded.until_ms
             WHERE asked_amounts.until_ms <= $5";
        let (mut steps, until, now) = (from.not_round(), until.timestamp_millis(), now.timestamp_millis());
        while tx.execute(TAKE, args![chain(), steps.0, order_id, until, now]).await? == 0 {
            let next = tx.optional(NEXT, args![chain(), steps.0, now]).await?;
            steps = AmountSteps(next.map_or(Ok(steps.0.saturating_add(1)), |row| row.int(0))?).not_round();
        }
        Ok(steps)
    }

    /// Orders that ask for exactly this amount and were quoted at this instant at the latest, the newest first.
    pub(crate) async fn orders_by_amount(tx: &mut Tx, steps: AmountSteps, at: DateTime<Utc>) -> Result<Vec<StoredOrder>, StoreError> {
        let sql = orders_where!("amount_steps = $1 AND quoted_ms <= $2 ORDER BY quoted_ms DESC LIMIT 8");
        let found = tx.rows(sql, args![steps.0, at.timestamp_millis()]).await?;
        found.iter().map(order).collect()
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
        unique: row.int_or_none(13)?.map(AmountSteps),
    };
    Ok(StoredOrder { order, claimed: row.int_or_none(12)?.map(rows::instant).transpose()? })
}
