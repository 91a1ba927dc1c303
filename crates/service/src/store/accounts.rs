//! Accounts, batches, entries and keys.

use super::usage::insert_entry;
use super::{Row, Store, StoreError, Tx, args, holds, rows};
use aispace_ledger::{
    Account, AccountId, Allowance, Batch, BatchId, BatchSource, Entry, EntryHash, EntryKind, Head, Posted, StoredAccount,
};
use chrono::{DateTime, Utc};

macro_rules! batches_where {
    ($condition:literal) => {
        concat!(
            "SELECT batch_id, seq, source, note, added_ms, expires_ms, granted, left_over, lapsed, held, voided, voided_ms FROM batches ",
            "WHERE account_id = $1 ",
            $condition
        )
    };
}

const ACCOUNT: &str = "SELECT entry_count, last_hash, latest_ms, allowance, allowance_since_ms FROM accounts WHERE account_id = $1";
const ACCOUNT_LOCKED: &str =
    "SELECT entry_count, last_hash, latest_ms, allowance, allowance_since_ms FROM accounts WHERE account_id = $1 FOR UPDATE";
const UNSPENT: &str = batches_where!("AND (left_over > 0 OR held > 0)");
const ALL: &str = batches_where!("");

impl Store {
    /// Opens an account with an empty log.
    pub(crate) async fn open_account(tx: &mut Tx, id: &AccountId, label: Option<&str>, now: DateTime<Utc>) -> Result<Account, StoreError> {
        let account = Account::open(id.clone());
        tx.execute(
            "INSERT INTO accounts (account_id, label, opened_ms, entry_count, last_hash) VALUES ($1, $2, $3, 0, $4)",
            args![id.as_str(), label, now.timestamp_millis(), account.head().last_hash.as_bytes().as_slice()],
        )
        .await?;
        Ok(account)
    }

    /// Takes an account up; `None` when there is none of this id. In a write nobody else writes it until the end.
    pub(crate) async fn account(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>, StoreError> {
        if let Some(kept) = tx.take_kept(id) {
            return Ok(Some(kept));
        }
        Ok(stored(tx, id, UNSPENT).await?.map(Account::restore))
    }

    /// A batch of any state.
    pub(crate) async fn batch(tx: &mut Tx, id: &AccountId, batch_id: &BatchId) -> Result<Option<Batch>, StoreError> {
        let found = tx.optional(batches_where!("AND batch_id = $2"), args![id.as_str(), batch_id.as_str()]).await?;
        found.as_ref().map(batch).transpose()
    }

    /// Stores a posting whole, and keeps the account as it stands after it; `before` is the head that it was computed from.
    pub(crate) async fn save(tx: &mut Tx, before: Head, account: Account, posted: &Posted) -> Result<(), StoreError> {
        let id = account.id().as_str();
        for entry in &posted.entries {
            insert_entry(tx, id, entry).await?;
        }
        for batch in &posted.changed {
            if batch.seq > before.entry_count { insert_batch(tx, id, batch).await? } else { update_batch(tx, id, batch).await? }
        }
        holds::save(tx, &account, posted).await?;
        let allowance = account.allowance();
        let head = account.head();
        let moved = tx
            .execute(
                "UPDATE accounts SET entry_count = $1, last_hash = $2, latest_ms = $3, allowance = $4, allowance_since_ms = $5
             WHERE account_id = $6 AND entry_count = $7",
                args![
                    rows::signed(head.entry_count)?,
                    head.last_hash.as_bytes().as_slice(),
                    head.latest.map(|at| at.timestamp_millis()),
                    allowance.map(|a| a.amount.nanos()),
                    allowance.map(|a| a.since.timestamp_millis()),
                    id,
                    rows::signed(before.entry_count)?
                ],
            )
            .await?;
        if moved != 1 {
            return Err(StoreError::Raced);
        }
        tx.touch(account.id());
        tx.keep(account);
        Ok(())
    }
}

/// Batches without credits left, the newest end first.
pub(crate) async fn ended_batches(tx: &mut Tx, id: &AccountId, limit: u32) -> Result<Vec<Batch>, StoreError> {
    let sql = batches_where!("AND left_over = 0 ORDER BY expires_ms DESC, seq DESC LIMIT $2");
    let found = tx.rows(sql, args![id.as_str(), i64::from(limit)]).await?;
    found.iter().map(batch).collect()
}

pub(super) async fn all_ids(tx: &mut Tx) -> Result<Vec<AccountId>, StoreError> {
    let found = tx.rows("SELECT account_id FROM accounts ORDER BY account_id", args![]).await?;
    found.iter().map(|row| Ok(AccountId::new(row.text(0)?))).collect()
}

pub(super) async fn verify(tx: &mut Tx, id: &AccountId) -> Result<(), StoreError> {
    let log = tx
        .rows("SELECT sequence, at_ms, body, previous_hash, hash FROM entries WHERE account_id = $1 ORDER BY sequence", args![id.as_str()])
        .await?;
    let entries = log.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let kept = stored(tx, id, ALL).await?.ok_or_else(|| rows::bad("account"))?;
    let unsound = |finding| StoreError::Unsound { account: id.to_string(), finding };
    aispace_ledger::verify(&kept, &entries).map_err(unsound)?;
    holds::verify(tx, id, &entries).await
}

/// An account with those of its batches that a statement finds.
async fn stored(tx: &mut Tx, id: &AccountId, batches: &'static str) -> Result<Option<StoredAccount>, StoreError> {
    let sql = if tx.locks_rows() { ACCOUNT_LOCKED } else { ACCOUNT };
    let found = tx.optional(sql, args![id.as_str()]).await?;
    let Some(row) = found else { return Ok(None) };
    let head = Head {
        entry_count: rows::count(row.int(0)?)?,
        last_hash: EntryHash::new(rows::hash(&row.blob(1)?)?),
        latest: row.int_or_none(2)?.map(rows::instant).transpose()?,
    };
    let allowance = match (row.int_or_none(3)?, row.int_or_none(4)?) {
        (Some(amount), Some(since)) => Some(Allowance { amount: rows::credits(amount)?, since: rows::instant(since)? }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(rows::bad("allowance")),
    };
    let found = tx.rows(batches, args![id.as_str()]).await?;
    let batches = found.iter().map(batch).collect::<Result<_, _>>()?;
    let (holds, debts) = (holds::pending(tx, id).await?, holds::debts(tx, id).await?);
    Ok(Some(StoredAccount { id: id.clone(), head, batches, holds, debts, allowance }))
}

async fn insert_batch(tx: &mut Tx, id: &str, batch: &Batch) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO batches (account_id, batch_id, seq, source, note, added_ms, expires_ms, granted, left_over, lapsed, held, voided, voided_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            id,
            batch.id.as_str(),
            rows::signed(batch.seq)?,
            batch.source.as_str(),
            batch.note.as_deref(),
            batch.added.timestamp_millis(),
            batch.expires.timestamp_millis(),
            batch.granted.nanos(),
            batch.left.nanos(),
            batch.lapsed.nanos(),
            batch.held.nanos(),
            batch.voided.nanos(),
            batch.voided_at.map(|at| at.timestamp_millis()),
        ],
    )
    .await?;
    Ok(())
}

async fn update_batch(tx: &mut Tx, id: &str, batch: &Batch) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE batches SET left_over = $1, lapsed = $2, held = $3, voided = $4, voided_ms = $5 WHERE account_id = $6 AND batch_id = $7",
            args![
                batch.left.nanos(),
                batch.lapsed.nanos(),
                batch.held.nanos(),
                batch.voided.nanos(),
                batch.voided_at.map(|at| at.timestamp_millis()),
                id,
                batch.id.as_str(),
            ],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Raced) }
}

pub(super) fn entry(row: &Row) -> Result<Entry, StoreError> {
    let body = row.text(2)?;
    let kind: EntryKind = serde_json::from_str(&body).map_err(|_| rows::bad("entry"))?;
    Ok(Entry {
        sequence: rows::count(row.int(0)?)?,
        at: rows::instant(row.int(1)?)?,
        kind,
        previous: EntryHash::new(rows::hash(&row.blob(3)?)?),
        hash: EntryHash::new(rows::hash(&row.blob(4)?)?),
    })
}

fn batch(row: &Row) -> Result<Batch, StoreError> {
    Ok(Batch {
        id: BatchId::new(row.text(0)?),
        seq: rows::count(row.int(1)?)?,
        source: source(&row.text(2)?)?,
        note: row.text_or_none(3)?,
        added: rows::instant(row.int(4)?)?,
        expires: rows::instant(row.int(5)?)?,
        granted: rows::credits(row.int(6)?)?,
        left: rows::credits(row.int(7)?)?,
        lapsed: rows::credits(row.int(8)?)?,
        held: rows::credits(row.int(9)?)?,
        voided: rows::credits(row.int(10)?)?,
        voided_at: row.int_or_none(11)?.map(rows::instant).transpose()?,
    })
}

fn source(word: &str) -> Result<BatchSource, StoreError> {
    match word {
        "eth_purchase" => Ok(BatchSource::EthPurchase),
        "card_purchase" => Ok(BatchSource::CardPurchase),
        "grant" => Ok(BatchSource::Grant),
        "daily_renewal" => Ok(BatchSource::DailyRenewal),
        _ => Err(rows::bad("batch source")),
    }
}
