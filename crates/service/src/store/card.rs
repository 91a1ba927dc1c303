//! Orders that are paid by card, and what was read of Stripe.

use super::{Aim, Row, Store, StoreError, Tx, args, rows};
use aispace_ledger::{AccountId, Batch};
use aispace_payments::stripe::{EventId, PaymentIntentId, SessionId, UsdCents};
use aispace_payments::tag::OrderTag;
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};

macro_rules! card_orders_where {
    ($condition:literal) => {
        concat!(
            "SELECT account_id, order_id, tag, top_up, usd_cents, credits, session_id, checkout_url, opened_ms, expires_ms, key_salt, ",
            "claimed_ms, state, held_because, payment_intent_id, received_cents, returned_cents, credited_ms, missing, undecided ",
            "FROM card_orders WHERE ",
            $condition
        )
    };
}

/// An order to be stored: its Checkout Session is open.
#[derive(Debug, Clone)]
pub(crate) struct NewCardOrder {
    pub(crate) account: AccountId,
    pub(crate) order_id: String,
    pub(crate) tag: OrderTag,
    pub(crate) aim: Aim,
    pub(crate) price: UsdCents,
    pub(crate) credits: NanoCredits,
    pub(crate) session: SessionId,
    pub(crate) checkout_url: String,
    pub(crate) opened: DateTime<Utc>,
    pub(crate) expires: DateTime<Utc>,
}

/// An order as stored.
#[derive(Debug, Clone)]
pub(crate) struct CardOrder {
    pub(crate) order: NewCardOrder,
    pub(crate) claimed: Option<DateTime<Utc>>,
    pub(crate) paid: CardPaid,
}

/// What is known of the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardPaid {
    pub(crate) state: CardState,
    pub(crate) payment: Option<PaymentIntentId>,
    pub(crate) received: UsdCents,
    pub(crate) returned: UsdCents,
    /// When something was first credited.
    pub(crate) credited: Option<DateTime<Utc>>,
    /// Spent of what the payment is not worth any more.
    pub(crate) missing: NanoCredits,
    /// Whether holds still decide on some of it.
    pub(crate) undecided: bool,
}

/// How far the payment of an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CardState {
    /// The payer may pay.
    Open,
    /// The payer is through; the money is on its way.
    Processing,
    /// The money came.
    Paid,
    /// Nobody paid in time.
    Expired,
    /// A person has to look at it: why.
    Held(String),
}

impl CardState {
    fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Processing => "processing",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Held(_) => "held",
        }
    }
}

impl Store {
    pub(crate) async fn insert_card_order(tx: &mut Tx, order: &NewCardOrder) -> Result<(), StoreError> {
        let (top_up, salt) = match order.aim {
            Aim::NewAccount { salt } => (false, salt),
            Aim::TopUp => (true, None),
        };
        tx.execute(
            "INSERT INTO card_orders (account_id, order_id, tag, top_up, usd_cents, credits, session_id, checkout_url, opened_ms, expires_ms,
             key_salt, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'open')",
            args![
                order.account.as_str(),
                &order.order_id,
                &order.tag.to_bytes(),
                top_up,
                rows::signed(order.price.get())?,
                order.credits.nanos(),
                order.session.as_str(),
                &order.checkout_url,
                order.opened.timestamp_millis(),
                order.expires.timestamp_millis(),
                salt.as_ref(),
            ],
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn card_order(tx: &mut Tx, order_id: &str) -> Result<Option<CardOrder>, StoreError> {
        found(tx.optional(card_orders_where!("order_id = $1"), args![order_id]).await?)
    }

    pub(crate) async fn card_order_by_tag(tx: &mut Tx, tag: OrderTag) -> Result<Option<CardOrder>, StoreError> {
        found(tx.optional(card_orders_where!("tag = $1"), args![&tag.to_bytes()]).await?)
    }

    pub(crate) async fn card_order_by_session(tx: &mut Tx, session: &SessionId) -> Result<Option<CardOrder>, StoreError> {
        found(tx.optional(card_orders_where!("session_id = $1"), args![session.as_str()]).await?)
    }

    pub(crate) async fn card_order_by_payment(tx: &mut Tx, payment: &PaymentIntentId) -> Result<Option<CardOrder>, StoreError> {
        found(tx.optional(card_orders_where!("payment_intent_id = $1"), args![payment.as_str()]).await?)
    }

    pub(crate) async fn mark_card_claimed(tx: &mut Tx, order_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE card_orders SET claimed_ms = $1 WHERE order_id = $2 AND claimed_ms IS NULL";
        tx.execute(sql, args![now.timestamp_millis(), order_id]).await?;
        Ok(())
    }

    /// Erases what the Secure Key could be derived from.
    pub(crate) async fn acknowledge_card(tx: &mut Tx, order_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE card_orders SET acknowledged_ms = $1, key_salt = NULL WHERE order_id = $2 AND acknowledged_ms IS NULL";
        tx.execute(sql, args![now.timestamp_millis(), order_id]).await?;
        Ok(())
    }

    /// Numbers a look at Stripe that begins now, and says which session to look at.
    pub(crate) async fn begin_look(tx: &mut Tx, order_id: &str) -> Result<(i64, SessionId), StoreError> {
        tx.execute("UPDATE card_orders SET looks = looks + 1 WHERE order_id = $1", args![order_id]).await?;
        let row = tx.optional("SELECT looks, session_id FROM card_orders WHERE order_id = $1", args![order_id]).await?;
        let row = row.ok_or_else(|| rows::bad("card order"))?;
        Ok((row.int(0)?, rows::text(&row.text(1)?, "session")?))
    }

    /// Takes a look in, unless one that began later was. Nobody else writes the order until the end of the transaction.
    pub(crate) async fn take_look_in(tx: &mut Tx, order_id: &str, look: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE card_orders SET taken_in = $1 WHERE order_id = $2 AND taken_in < $1";
        Ok(tx.execute(sql, args![look, order_id]).await? == 1)
    }

    /// Keeps everybody else from writing the order until the end of the transaction.
    pub(crate) async fn lock_card_order(tx: &mut Tx, order_id: &str) -> Result<(), StoreError> {
        tx.execute("UPDATE card_orders SET looks = looks WHERE order_id = $1", args![order_id]).await?;
        Ok(())
    }

    /// Writes down what is known of the payment now.
    pub(crate) async fn set_card_paid(tx: &mut Tx, order_id: &str, paid: &CardPaid) -> Result<(), StoreError> {
        let reason = if let CardState::Held(reason) = &paid.state { Some(reason) } else { None };
        let changed = tx
            .execute(
                "UPDATE card_orders SET state = $1, held_because = $2, payment_intent_id = $3, received_cents = $4, returned_cents = $5,
                 credited_ms = $6, missing = $7, undecided = $8 WHERE order_id = $9",
                args![
                    paid.state.word(),
                    reason,
                    paid.payment.as_ref().map(PaymentIntentId::as_str),
                    rows::signed(paid.received.get())?,
                    rows::signed(paid.returned.get())?,
                    paid.credited.map(|at| at.timestamp_millis()),
                    paid.missing.nanos(),
                    paid.undecided,
                    order_id,
                ],
            )
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Raced) }
    }

    /// The batches that an order was made into, in the order they were added.
    pub(crate) async fn card_batches(tx: &mut Tx, order: &NewCardOrder) -> Result<Vec<Batch>, StoreError> {
        let sql = "SELECT batch_id FROM card_batches WHERE account_id = $1 AND order_id = $2 ORDER BY number";
        let ids = tx.rows(sql, args![order.account.as_str(), &order.order_id]).await?;
        let mut batches = Vec::with_capacity(ids.len());
        for row in ids {
            let id = aispace_ledger::BatchId::new(row.text(0)?);
            batches.push(Self::batch(tx, &order.account, &id).await?.ok_or_else(|| rows::bad("batch of a card order"))?);
        }
        Ok(batches)
    }

    /// Notes a batch of an order; its place among them is `number`.
    pub(crate) async fn add_card_batch(tx: &mut Tx, order: &NewCardOrder, number: usize, batch: &Batch) -> Result<(), StoreError> {
        let number = i64::try_from(number).map_err(|_| rows::bad("count"))?;
        tx.execute(
            "INSERT INTO card_batches (account_id, order_id, number, batch_id) VALUES ($1, $2, $3, $4)",
            args![order.account.as_str(), &order.order_id, number, batch.id.as_str()],
        )
        .await?;
        Ok(())
    }

    /// Records how much could not be taken back.
    pub(crate) async fn add_shortfall(tx: &mut Tx, order: &NewCardOrder, paid: &CardPaid, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "SELECT count(*) FROM card_shortfalls WHERE account_id = $1 AND order_id = $2";
        let before = tx.optional(sql, args![order.account.as_str(), &order.order_id]).await?;
        let number = before.map_or(Ok(0), |row| row.int(0))?;
        tx.execute(
            "INSERT INTO card_shortfalls (account_id, order_id, number, at_ms, returned_cents, missing) VALUES ($1, $2, $3, $4, $5, $6)",
            args![
                order.account.as_str(),
                &order.order_id,
                number,
                now.timestamp_millis(),
                rows::signed(paid.returned.get())?,
                paid.missing.nanos()
            ],
        )
        .await?;
        Ok(())
    }

    /// Orders that may still be paid, those first that were looked at least.
    pub(crate) async fn unpaid_card_orders(tx: &mut Tx, since: DateTime<Utc>, limit: i64) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT order_id FROM card_orders WHERE state IN ('open', 'processing') AND expires_ms > $1 ORDER BY looks LIMIT $2";
        ids(tx.rows(sql, args![since.timestamp_millis(), limit]).await?)
    }

    /// Orders whose credits holds still decide on.
    pub(crate) async fn undecided_card_orders(tx: &mut Tx, limit: i64) -> Result<Vec<String>, StoreError> {
        ids(tx.rows("SELECT order_id FROM card_orders WHERE undecided = 1 ORDER BY order_id LIMIT $1", args![limit]).await?)
    }

    /// Whether an event was followed up.
    pub(crate) async fn knows_event(tx: &mut Tx, event: &EventId) -> Result<bool, StoreError> {
        let sql = "SELECT created_ms FROM card_events WHERE event_id = $1";
        Ok(tx.optional(sql, args![event.as_str()]).await?.is_some())
    }

    /// Notes that an event was followed up.
    pub(crate) async fn keep_event(tx: &mut Tx, event: &EventId, created: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO card_events (event_id, created_ms) VALUES ($1, $2) ON CONFLICT (event_id) DO NOTHING";
        tx.execute(sql, args![event.as_str(), created.timestamp_millis()]).await?;
        Ok(())
    }

    /// Up to when, by Stripe's clock, the list of events was followed up.
    pub(crate) async fn event_cursor(tx: &mut Tx) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row = tx.optional("SELECT created_ms FROM card_cursor WHERE id = 1", args![]).await?;
        row.map(|row| rows::instant(row.int(0)?)).transpose()
    }

    /// Moves the cursor on, never back, and forgets events from before `forget`.
    pub(crate) async fn set_event_cursor(tx: &mut Tx, to: DateTime<Utc>, forget: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO card_cursor (id, created_ms) VALUES (1, $1)
             ON CONFLICT (id) DO UPDATE SET created_ms = excluded.created_ms WHERE excluded.created_ms > card_cursor.created_ms",
            args![to.timestamp_millis()],
        )
        .await?;
        tx.execute("DELETE FROM card_events WHERE created_ms < $1", args![forget.timestamp_millis()]).await?;
        Ok(())
    }
}

fn ids(found: Vec<Row>) -> Result<Vec<String>, StoreError> {
    found.iter().map(|row| row.text(0)).collect()
}

fn found(row: Option<Row>) -> Result<Option<CardOrder>, StoreError> {
    row.as_ref().map(card_order).transpose()
}

fn card_order(row: &Row) -> Result<CardOrder, StoreError> {
    let salt = row.blob_or_none(10)?.map(|bytes| rows::hash(&bytes)).transpose()?;
    let cents = |column| row.int(column).and_then(rows::count).map(UsdCents::new);
    let state = match (row.text(12)?.as_str(), row.text_or_none(13)?) {
        ("open", None) => CardState::Open,
        ("processing", None) => CardState::Processing,
        ("paid", None) => CardState::Paid,
        ("expired", None) => CardState::Expired,
        ("held", Some(reason)) => CardState::Held(reason),
        _ => return Err(rows::bad("state of a card order")),
    };
    let order = NewCardOrder {
        account: AccountId::new(row.text(0)?),
        order_id: row.text(1)?,
        tag: OrderTag::from_bytes(rows::hash(&row.blob(2)?)?),
        aim: if row.int(3)? == 1 { Aim::TopUp } else { Aim::NewAccount { salt } },
        price: cents(4)?,
        credits: rows::credits(row.int(5)?)?,
        session: rows::text(&row.text(6)?, "session")?,
        checkout_url: row.text(7)?,
        opened: rows::instant(row.int(8)?)?,
        expires: rows::instant(row.int(9)?)?,
    };
    let paid = CardPaid {
        state,
        payment: row.text_or_none(14)?.map(|id| rows::text(&id, "payment")).transpose()?,
        received: cents(15)?,
        returned: cents(16)?,
        credited: row.int_or_none(17)?.map(rows::instant).transpose()?,
        missing: rows::credits(row.int(18)?)?,
        undecided: row.int(19)? == 1,
    };
    Ok(CardOrder { order, claimed: row.int_or_none(11)?.map(rows::instant).transpose()?, paid })
}
