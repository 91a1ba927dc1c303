//! Payments seen on chain, and how far the chain was read.

use super::{Row, Store, StoreError, Tx, args, rows};
use aispace_api::{Attribution, BlockFinality, HeldReason, WaitsFor};
use aispace_ledger::{AccountId, Batch, BatchId};
use aispace_payments::tag::OrderTag;
use aispace_payments::{BlockHash, TransactionHash};
use aispace_units::{BASE_CHAIN_ID, EthUsdPrice, NanoCredits, Wei};
use chrono::{DateTime, Utc};

macro_rules! payments_where {
    ($condition:literal) => {
        concat!(
            "SELECT transaction_hash, position, tag, payer, value_wei, block_number, block_hash, block_ms, in_chain, finality, order_id, ",
            "attribution, account_id, state, waits_for, held_because, credits, usd_per_eth, credited_ms, missing, undecided FROM payments ",
            "WHERE chain_id = $1 AND ",
            $condition
        )
    };
}

const IN_ORDER: &str = payments_where!("order_id = $2 ORDER BY block_ms, block_number, transaction_hash, position");

/// What names a payment for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PaymentKey {
    /// The transaction; of value that no node could trace to one, the hash of its block.
    pub(crate) transaction: TransactionHash,
    /// Its place in the transaction; none where there is no transaction.
    pub(crate) position: Option<u32>,
}

impl PaymentKey {
    fn column(self) -> i64 {
        self.position.map_or(-1, i64::from)
    }
}

/// Where a payment stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) hash: BlockHash,
    pub(crate) time: DateTime<Utc>,
}

/// A payment as a block shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) key: PaymentKey,
    pub(crate) tag: Option<OrderTag>,
    /// None where it is not known.
    pub(crate) payer: Option<String>,
    pub(crate) value: Wei,
    pub(crate) place: Place,
}

/// A payment as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPayment {
    pub(crate) arrival: Arrival,
    /// Whether its block is in the chain, as far as the chain was read.
    pub(crate) in_chain: bool,
    pub(crate) finality: BlockFinality,
    /// The order it is for.
    pub(crate) owner: Option<(String, Attribution)>,
    pub(crate) account: Option<AccountId>,
    pub(crate) state: PaymentState,
    /// What it bought, also when that was taken back since.
    pub(crate) bought: Option<Bought>,
    /// Spent of what it does not pay for any more.
    pub(crate) missing: NanoCredits,
    /// Whether holds still decide on some of it.
    pub(crate) undecided: bool,
}

/// What a payment was made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bought {
    pub(crate) credits: NanoCredits,
    pub(crate) usd_per_eth: EthUsdPrice,
    pub(crate) at: DateTime<Utc>,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentState {
    Waiting(WaitsFor),
    Held(HeldReason),
    Credited,
    TakenBack,
    Closed,
}

/// How far the chain was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) number: u64,
    /// Unknown after a step back.
    pub(crate) hash: Option<BlockHash>,
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

    /// Takes a payment's row up, and makes it where it is not there: nobody else writes it until the end of the transaction. True when it was made.
    pub(crate) async fn record_payment(tx: &mut Tx, arrival: &Arrival) -> Result<(StoredPayment, bool), StoreError> {
        let state = if arrival.tag.is_some() { PaymentState::Waiting(WaitsFor::Secret) } else { PaymentState::Held(HeldReason::NoOrder) };
        let made = tx
            .execute(
                "INSERT INTO payments (chain_id, transaction_hash, position, tag, payer, value_wei, block_number, block_hash, block_ms, in_chain,
                 finality, state, waits_for, held_because) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 'confirmed', $10, $11, $12)
                 ON CONFLICT (chain_id, transaction_hash, position) DO NOTHING",
                args![
                    chain(),
                    &arrival.key.transaction.to_bytes(),
                    arrival.key.column(),
                    arrival.tag.map(OrderTag::to_bytes).as_ref(),
                    arrival.payer.as_ref(),
                    &arrival.value.to_string(),
                    rows::signed(arrival.place.number)?,
                    &arrival.place.hash.to_bytes(),
                    arrival.place.time.timestamp_millis(),
                    state.word(),
                    state.waits_for(),
                    state.held_because(),
                ],
            )
            .await?;
        let stored = Self::payment(tx, arrival.key).await?.ok_or_else(|| rows::bad("payment"))?;
        Ok((stored, made == 1))
    }

    /// A payment. In a write nobody else writes it until the end.
    pub(crate) async fn payment(tx: &mut Tx, key: PaymentKey) -> Result<Option<StoredPayment>, StoreError> {
        const ONE: &str = payments_where!("transaction_hash = $2 AND position = $3");
        const ONE_LOCKED: &str = payments_where!("transaction_hash = $2 AND position = $3 FOR UPDATE");
        let sql = if tx.locks_rows() { ONE_LOCKED } else { ONE };
        let found = tx.optional(sql, args![chain(), &key.transaction.to_bytes(), key.column()]).await?;
        found.as_ref().map(payment).transpose()
    }

    /// Writes a payment's row anew.
    pub(crate) async fn save_payment(tx: &mut Tx, payment: &StoredPayment) -> Result<(), StoreError> {
        let StoredPayment { arrival, owner, state, bought, .. } = payment;
        let changed = tx
            .execute(
                "UPDATE payments SET tag = $1, payer = $2, value_wei = $3, block_number = $4, block_hash = $5, block_ms = $6, in_chain = $7,
                 finality = $8, order_id = $9, attribution = $10, account_id = $11, state = $12, waits_for = $13, held_because = $14,
                 credits = $15, usd_per_eth = $16, credited_ms = $17, missing = $18, undecided = $19
                 WHERE chain_id = $20 AND transaction_hash = $21 AND position = $22",
                args![
                    arrival.tag.map(OrderTag::to_bytes).as_ref(),
                    arrival.payer.as_ref(),
                    &arrival.value.to_string(),
                    rows::signed(arrival.place.number)?,
                    &arrival.place.hash.to_bytes(),
                    arrival.place.time.timestamp_millis(),
                    payment.in_chain,
                    finality_word(payment.finality),
                    owner.as_ref().map(|(order, _)| order),
                    owner.as_ref().map(|(_, by)| attribution_word(*by)),
                    payment.account.as_ref().map(AccountId::as_str),
                    state.word(),
                    state.waits_for(),
                    state.held_because(),
                    bought.map(|bought| bought.credits.nanos()),
                    bought.map(|bought| bought.usd_per_eth.to_string()).as_ref(),
                    bought.map(|bought| bought.at.timestamp_millis()),
                    payment.missing.nanos(),
                    payment.undecided,
                    chain(),
                    &arrival.key.transaction.to_bytes(),
                    arrival.key.column(),
                ],
            )
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Raced) }
    }

    /// The payments of a transaction.
    pub(crate) async fn payments_of(tx: &mut Tx, transaction: TransactionHash) -> Result<Vec<StoredPayment>, StoreError> {
        const OF: &str = payments_where!("transaction_hash = $2 AND position >= 0 ORDER BY position");
        all(tx.rows(OF, args![chain(), &transaction.to_bytes()]).await?)
    }

    /// The payments that are for an order, oldest first.
    pub(crate) async fn payments(tx: &mut Tx, order_id: &str) -> Result<Vec<StoredPayment>, StoreError> {
        all(tx.rows(IN_ORDER, args![chain(), order_id]).await?)
    }

    /// Whether any payment that is in the chain is for an order.
    pub(crate) async fn has_payment(tx: &mut Tx, order_id: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM payments WHERE order_id = $1 AND in_chain = 1 AND state <> 'closed' LIMIT 1";
        Ok(tx.optional(sql, args![order_id]).await?.is_some())
    }

    /// Payments that carry a tag and are for no order.
    pub(crate) async fn unclaimed(tx: &mut Tx, tag: OrderTag) -> Result<Vec<PaymentKey>, StoreError> {
        const SQL: &str = "SELECT transaction_hash, position FROM payments
             WHERE tag = $1 AND order_id IS NULL AND state = 'waiting' ORDER BY block_number, transaction_hash, position";
        keys(tx.rows(SQL, args![&tag.to_bytes()]).await?)
    }

    /// Payments whose order came while they were being recorded.
    pub(crate) async fn overlooked(tx: &mut Tx) -> Result<Vec<PaymentKey>, StoreError> {
        const SQL: &str = "SELECT transaction_hash, position FROM payments
             WHERE state <> 'credited' AND state = 'waiting' AND order_id IS NULL AND tag IN (SELECT tag FROM orders)
             ORDER BY block_number, transaction_hash, position";
        keys(tx.rows(SQL, args![]).await?)
    }

    /// Payments in the chain that wait for their price, and those that waited for their block to be safe and need not any more.
    pub(crate) async fn ripe(tx: &mut Tx, limit: i64) -> Result<Vec<StoredPayment>, StoreError> {
        const SQL: &str = payments_where!(
            "state <> 'credited' AND state = 'waiting' AND in_chain = 1 AND order_id IS NOT NULL
             AND (waits_for = 'price' OR (waits_for = 'safe' AND finality <> 'confirmed'))
             ORDER BY block_number, transaction_hash, position LIMIT $2"
        );
        all(tx.rows(SQL, args![chain(), limit]).await?)
    }

    /// Payments of whose credits holds still decide.
    pub(crate) async fn undecided_payments(tx: &mut Tx, limit: i64) -> Result<Vec<PaymentKey>, StoreError> {
        const SQL: &str =
            "SELECT transaction_hash, position FROM payments WHERE undecided = 1 ORDER BY block_number, transaction_hash, position
             LIMIT $1";
        keys(tx.rows(SQL, args![limit]).await?)
    }

    /// Says of the payments in another block of this number that they are not in the chain. What is final stays.
    pub(crate) async fn replace_block(tx: &mut Tx, number: u64, hash: BlockHash) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE payments SET in_chain = 0
             WHERE chain_id = $1 AND block_number = $2 AND block_hash <> $3 AND in_chain = 1 AND finality <> 'final'";
        tx.execute(SQL, args![chain(), rows::signed(number)?, &hash.to_bytes()]).await
    }

    /// Payments that are in the chain no more and whose old place is at this height at most.
    pub(crate) async fn gone(tx: &mut Tx, height: u64) -> Result<Vec<PaymentKey>, StoreError> {
        const SQL: &str = "SELECT transaction_hash, position FROM payments WHERE chain_id = $1 AND finality <> 'final' AND in_chain = 0
             AND state <> 'taken_back' AND state <> 'closed' AND block_number <= $2 ORDER BY block_number, transaction_hash, position";
        keys(tx.rows(SQL, args![chain(), rows::signed(height)?]).await?)
    }

    /// Blocks with payments that may be more final than they are said to be, up to these heights.
    pub(crate) async fn unfinished_blocks(tx: &mut Tx, safe: u64, last: u64, limit: i64) -> Result<Vec<(u64, BlockHash)>, StoreError> {
        const SQL: &str =
            "SELECT DISTINCT block_number, block_hash FROM payments WHERE chain_id = $1 AND in_chain = 1 AND finality <> 'final'
             AND ((finality = 'confirmed' AND block_number <= $2) OR block_number <= $3) ORDER BY block_number LIMIT $4";
        let found = tx.rows(SQL, args![chain(), rows::signed(safe)?, rows::signed(last)?, limit]).await?;
        found.iter().map(|row| Ok((rows::count(row.int(0)?)?, BlockHash::from_bytes(rows::hash(&row.blob(1)?)?)))).collect()
    }

    /// Whether any payment's block is not final.
    pub(crate) async fn has_unfinished(tx: &mut Tx) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM payments WHERE finality <> 'final' AND in_chain = 1 LIMIT 1";
        Ok(tx.optional(sql, args![]).await?.is_some())
    }

    /// Says how final a block is.
    pub(crate) async fn set_finality(tx: &mut Tx, number: u64, hash: BlockHash, finality: BlockFinality) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE payments SET finality = $1
             WHERE chain_id = $2 AND block_number = $3 AND block_hash = $4 AND in_chain = 1 AND finality <> 'final'";
        tx.execute(SQL, args![finality_word(finality), chain(), rows::signed(number)?, &hash.to_bytes()]).await?;
        Ok(())
    }

    /// What an account's payments bought whose blocks are not safe yet, one amount for each.
    pub(crate) async fn unsafe_credits(tx: &mut Tx, account: &AccountId) -> Result<Vec<NanoCredits>, StoreError> {
        let sql = "SELECT credits FROM payments WHERE account_id = $1 AND state = 'credited' AND finality = 'confirmed'";
        let found = tx.rows(sql, args![account.as_str()]).await?;
        found.iter().map(|row| rows::credits(row.int(0)?)).collect()
    }

    /// The batches that a payment was made into, in the order they were added.
    pub(crate) async fn payment_batches(tx: &mut Tx, account: &AccountId, key: PaymentKey) -> Result<Vec<Batch>, StoreError> {
        let sql = "SELECT batch_id FROM payment_batches WHERE account_id = $1 AND chain_id = $2 AND transaction_hash = $3 AND position = $4
             ORDER BY number";
        let ids = tx.rows(sql, args![account.as_str(), chain(), &key.transaction.to_bytes(), key.column()]).await?;
        let mut batches = Vec::with_capacity(ids.len());
        for row in ids {
            let id = BatchId::new(row.text(0)?);
            batches.push(Self::batch(tx, account, &id).await?.ok_or_else(|| rows::bad("batch of a payment"))?);
        }
        Ok(batches)
    }

    /// Notes a batch of a payment; its place among them is `number`.
    pub(crate) async fn add_payment_batch(
        tx: &mut Tx,
        account: &AccountId,
        key: PaymentKey,
        number: usize,
        batch: &Batch,
    ) -> Result<(), StoreError> {
        let number = i64::try_from(number).map_err(|_| rows::bad("count"))?;
        tx.execute(
            "INSERT INTO payment_batches (account_id, chain_id, transaction_hash, position, number, batch_id) VALUES ($1, $2, $3, $4, $5, $6)",
            args![account.as_str(), chain(), &key.transaction.to_bytes(), key.column(), number, batch.id.as_str()],
        )
        .await?;
        Ok(())
    }

    /// Records how much of a payment could not be taken back.
    pub(crate) async fn add_payment_shortfall(
        tx: &mut Tx,
        account: &AccountId,
        key: PaymentKey,
        missing: NanoCredits,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (hash, position) = (key.transaction.to_bytes(), key.column());
        let sql =
            "SELECT count(*) FROM payment_shortfalls WHERE account_id = $1 AND chain_id = $2 AND transaction_hash = $3 AND position = $4";
        let before = tx.optional(sql, args![account.as_str(), chain(), &hash, position]).await?;
        let number = before.map_or(Ok(0), |row| row.int(0))?;
        tx.execute(
            "INSERT INTO payment_shortfalls (account_id, chain_id, transaction_hash, position, number, at_ms, missing)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![account.as_str(), chain(), &hash, position, number, now.timestamp_millis(), missing.nanos()],
        )
        .await?;
        Ok(())
    }

    /// Payments in the chain that nothing was made of, oldest first.
    pub(crate) async fn payments_to_look_at(tx: &mut Tx, limit: i64) -> Result<Vec<StoredPayment>, StoreError> {
        const SQL: &str = payments_where!(
            "state <> 'credited' AND in_chain = 1 AND (state = 'held' OR state = 'waiting')
             ORDER BY block_number, transaction_hash, position LIMIT $2"
        );
        all(tx.rows(SQL, args![chain(), limit]).await?)
    }

    /// Blocks whose value is not explained yet.
    pub(crate) async fn unexplained_blocks(tx: &mut Tx, limit: i64) -> Result<Vec<u64>, StoreError> {
        const SQL: &str =
            "SELECT DISTINCT block_number FROM payments WHERE state <> 'credited' AND held_because = 'unexplained' AND in_chain = 1
             ORDER BY block_number LIMIT $1";
        tx.rows(SQL, args![limit]).await?.iter().map(|row| row.int(0).and_then(rows::count)).collect()
    }

    /// Closes what a block's value was that its payments explain now.
    pub(crate) async fn close_explained(tx: &mut Tx, block: BlockHash) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE payments SET state = 'closed', held_because = NULL, note = 'its block was read again and is explained'
             WHERE chain_id = $1 AND transaction_hash = $2 AND position = -1 AND state = 'held'";
        tx.execute(SQL, args![chain(), &block.to_bytes()]).await?;
        Ok(())
    }

    /// How many payments are held.
    pub(crate) async fn held_count(tx: &mut Tx) -> Result<i64, StoreError> {
        let found = tx.optional("SELECT count(*) FROM payments WHERE state <> 'credited' AND state = 'held'", args![]).await?;
        found.map_or(Ok(0), |row| row.int(0))
    }

    /// Says what the operator did with a payment otherwise.
    pub(crate) async fn set_payment_note(tx: &mut Tx, key: PaymentKey, note: Option<&str>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE payments SET note = $1 WHERE chain_id = $2 AND transaction_hash = $3 AND position = $4";
        tx.execute(SQL, args![note, chain(), &key.transaction.to_bytes(), key.column()]).await?;
        Ok(())
    }
}

impl PaymentState {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Held(_) => "held",
            Self::Credited => "credited",
            Self::TakenBack => "taken_back",
            Self::Closed => "closed",
        }
    }

    fn waits_for(self) -> Option<&'static str> {
        match self {
            Self::Waiting(WaitsFor::Secret | WaitsFor::Unknown) => Some("secret"),
            Self::Waiting(WaitsFor::Price) => Some("price"),
            Self::Waiting(WaitsFor::Safe) => Some("safe"),
            _ => None,
        }
    }

    fn held_because(self) -> Option<&'static str> {
        let Self::Held(reason) = self else { return None };
        HELD.iter().find(|(held, _)| *held == reason).map(|(_, word)| *word).or(Some("unknown"))
    }

    fn read(state: &str, waits_for: Option<&str>, held_because: Option<&str>) -> Result<Self, StoreError> {
        match (state, waits_for, held_because) {
            ("waiting", Some("secret"), None) => Ok(Self::Waiting(WaitsFor::Secret)),
            ("waiting", Some("price"), None) => Ok(Self::Waiting(WaitsFor::Price)),
            ("waiting", Some("safe"), None) => Ok(Self::Waiting(WaitsFor::Safe)),
            ("held", None, Some(reason)) => {
                Ok(Self::Held(HELD.iter().find(|(_, word)| *word == reason).map_or(HeldReason::Unknown, |(held, _)| *held)))
            }
            ("credited", None, None) => Ok(Self::Credited),
            ("taken_back", None, None) => Ok(Self::TakenBack),
            ("closed", None, None) => Ok(Self::Closed),
            _ => Err(rows::bad("state of a payment")),
        }
    }
}

const HELD: [(HeldReason, &str); 5] = [
    (HeldReason::NoOrder, "no_order"),
    (HeldReason::OrderHasPayment, "order_has_payment"),
    (HeldReason::CardOrder, "card_order"),
    (HeldReason::BeyondLedger, "beyond_ledger"),
    (HeldReason::Unexplained, "unexplained"),
];

fn finality_word(finality: BlockFinality) -> &'static str {
    match finality {
        BlockFinality::Confirmed => "confirmed",
        BlockFinality::Safe => "safe",
        BlockFinality::Final => "final",
    }
}

fn attribution_word(by: Attribution) -> &'static str {
    match by {
        Attribution::Tag => "tag",
        Attribution::Amount => "amount",
        Attribution::HashClaim => "hash_claim",
        Attribution::Operator | Attribution::Unknown => "operator",
    }
}

/// The chain's number, as a column has it.
pub(super) fn chain() -> i64 {
    i64::try_from(BASE_CHAIN_ID).unwrap_or(i64::MAX)
}

fn all(found: Vec<Row>) -> Result<Vec<StoredPayment>, StoreError> {
    found.iter().map(payment).collect()
}

fn keys(found: Vec<Row>) -> Result<Vec<PaymentKey>, StoreError> {
    found.iter().map(key).collect()
}

fn key(row: &Row) -> Result<PaymentKey, StoreError> {
    let position = match row.int(1)? {
        -1 => None,
        position => Some(u32::try_from(position).map_err(|_| rows::bad("position"))?),
    };
    Ok(PaymentKey { transaction: TransactionHash::from_bytes(rows::hash(&row.blob(0)?)?), position })
}

fn payment(row: &Row) -> Result<StoredPayment, StoreError> {
    let place = Place {
        number: rows::count(row.int(5)?)?,
        hash: BlockHash::from_bytes(rows::hash(&row.blob(6)?)?),
        time: rows::instant(row.int(7)?)?,
    };
    let tag = row.blob_or_none(2)?.map(|bytes| rows::hash(&bytes).map(OrderTag::from_bytes)).transpose()?;
    let value = rows::text(&row.text(4)?, "amount of wei")?;
    let finality = match row.text(9)?.as_str() {
        "confirmed" => BlockFinality::Confirmed,
        "safe" => BlockFinality::Safe,
        "final" => BlockFinality::Final,
        _ => return Err(rows::bad("finality")),
    };
    let owner = match (row.text_or_none(10)?, row.text_or_none(11)?.as_deref()) {
        (None, None) => None,
        (Some(order), Some("tag")) => Some((order, Attribution::Tag)),
        (Some(order), Some("amount")) => Some((order, Attribution::Amount)),
        (Some(order), Some("hash_claim")) => Some((order, Attribution::HashClaim)),
        (Some(order), Some("operator")) => Some((order, Attribution::Operator)),
        _ => return Err(rows::bad("attribution")),
    };
    let credits = row.int_or_none(16)?.map(rows::credits).transpose()?;
    let price = row.text_or_none(17)?.map(|text| rows::text(&text, "price")).transpose()?;
    let at = row.int_or_none(18)?.map(rows::instant).transpose()?;
    let bought = credits.zip(price).zip(at).map(|((credits, usd_per_eth), at)| Bought { credits, usd_per_eth, at });
    Ok(StoredPayment {
        arrival: Arrival { key: key(row)?, tag, payer: row.text_or_none(3)?, value, place },
        in_chain: row.int(8)? == 1,
        finality,
        owner,
        account: row.text_or_none(12)?.map(AccountId::new),
        state: PaymentState::read(&row.text(13)?, row.text_or_none(14)?.as_deref(), row.text_or_none(15)?.as_deref())?,
        bought,
        missing: rows::credits(row.int(19)?)?,
        undecided: row.int(20)? == 1,
    })
}
