//! Accounts, batches, entries and keys.

use super::{Store, StoreError, holds, rows};
use aispace_ledger::{
    Account, AccountId, Allowance, Batch, BatchId, BatchSource, Entry, EntryHash, EntryKind, Head, Posting, StoredAccount,
};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

const BATCH_COLUMNS: &str = "batch_id, seq, source, note, added_ms, expires_ms, granted, left_over, lapsed,
     held, voided, voided_ms";

/// A page of the log, newest first.
#[derive(Debug, Clone)]
pub(crate) struct UsagePage {
    /// The entries.
    pub(crate) entries: Vec<Entry>,
    /// Whether older ones follow.
    pub(crate) more: bool,
}

impl Store {
    /// Opens an account with an empty log.
    pub(crate) async fn open_account(
        tx: &mut SqliteConnection,
        id: &AccountId,
        label: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Account, StoreError> {
        let account = Account::open(id.clone());
        sqlx::query("INSERT INTO accounts (account_id, label, opened_ms, entry_count, last_hash) VALUES (?, ?, ?, 0, ?)")
            .bind(id.as_str())
            .bind(label)
            .bind(now.timestamp_millis())
            .bind(account.head().last_hash.as_bytes().as_slice())
            .execute(tx)
            .await?;
        Ok(account)
    }

    /// Takes an account up; `None` when there is none of this id.
    pub(crate) async fn account(tx: &mut SqliteConnection, id: &AccountId) -> Result<Option<Account>, StoreError> {
        Ok(stored(tx, id, "AND (left_over > 0 OR held > 0)").await?.map(Account::restore))
    }

    /// A batch of any state.
    pub(crate) async fn batch(tx: &mut SqliteConnection, id: &AccountId, batch_id: &BatchId) -> Result<Option<Batch>, StoreError> {
        let sql = format!("SELECT {BATCH_COLUMNS} FROM batches WHERE account_id = ? AND batch_id = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).bind(batch_id.as_str()).fetch_optional(tx).await?;
        found.as_ref().map(batch).transpose()
    }

    /// Stores a posting whole; `before` is the head it was computed from.
    pub(crate) async fn save(tx: &mut SqliteConnection, before: Head, posting: &Posting) -> Result<(), StoreError> {
        let id = posting.account.id().as_str();
        for entry in &posting.entries {
            insert_entry(tx, id, entry).await?;
        }
        for batch in &posting.changed {
            upsert_batch(tx, id, batch).await?;
        }
        holds::save(tx, posting).await?;
        let allowance = posting.account.allowance();
        let head = posting.account.head();
        let moved = sqlx::query(
            "UPDATE accounts SET entry_count = ?, last_hash = ?, latest_ms = ?, allowance = ?, allowance_since_ms = ?
             WHERE account_id = ? AND entry_count = ?",
        )
        .bind(rows::signed(head.entry_count)?)
        .bind(head.last_hash.as_bytes().as_slice())
        .bind(head.latest.map(|at| at.timestamp_millis()))
        .bind(allowance.map(|a| a.amount.nanos()))
        .bind(allowance.map(|a| a.since.timestamp_millis()))
        .bind(id)
        .bind(rows::signed(before.entry_count)?)
        .execute(tx)
        .await?;
        if moved.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Raced) }
    }

    /// Entries older than a sequence number, newest first.
    pub(crate) async fn usage(tx: &mut SqliteConnection, id: &AccountId, before: u64, limit: usize) -> Result<UsagePage, StoreError> {
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let found = sqlx::query(
            "SELECT sequence, at_ms, body, previous_hash, hash FROM entries
             WHERE account_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
        )
        .bind(id.as_str())
        .bind(i64::try_from(before).unwrap_or(i64::MAX))
        .bind(wanted)
        .fetch_all(tx)
        .await?;
        let mut entries = found.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(UsagePage { entries, more })
    }
}

/// Batches without credits left, the newest end first.
pub(crate) async fn ended_batches(tx: &mut SqliteConnection, id: &AccountId, limit: u32) -> Result<Vec<Batch>, StoreError> {
    let sql =
        format!("SELECT {BATCH_COLUMNS} FROM batches WHERE account_id = ? AND left_over = 0 ORDER BY expires_ms DESC, seq DESC LIMIT ?");
    let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).bind(limit).fetch_all(tx).await?;
    found.iter().map(batch).collect()
}

pub(super) async fn all_ids(tx: &mut SqliteConnection) -> Result<Vec<AccountId>, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT account_id FROM accounts ORDER BY account_id").fetch_all(tx).await?;
    Ok(ids.into_iter().map(AccountId::new).collect())
}

pub(super) async fn verify(tx: &mut SqliteConnection, id: &AccountId) -> Result<(), StoreError> {
    let log = sqlx::query("SELECT sequence, at_ms, body, previous_hash, hash FROM entries WHERE account_id = ? ORDER BY sequence")
        .bind(id.as_str())
        .fetch_all(&mut *tx)
        .await?;
    let entries = log.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let kept = stored(tx, id, "").await?.ok_or_else(|| rows::bad("account"))?;
    let unsound = |finding| StoreError::Unsound { account: id.to_string(), finding };
    aispace_ledger::verify(&kept, &entries).map_err(unsound)?;
    holds::verify(tx, id, &entries).await
}

/// An account with those of its batches that a condition leaves.
async fn stored(tx: &mut SqliteConnection, id: &AccountId, condition: &'static str) -> Result<Option<StoredAccount>, StoreError> {
    let found = sqlx::query("SELECT entry_count, last_hash, latest_ms, allowance, allowance_since_ms FROM accounts WHERE account_id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = found else { return Ok(None) };
    let head = Head {
        entry_count: rows::count(row.try_get(0)?)?,
        last_hash: EntryHash::new(rows::hash(&row.try_get::<Vec<u8>, _>(1)?)?),
        latest: row.try_get::<Option<i64>, _>(2)?.map(rows::instant).transpose()?,
    };
    let allowance = match (row.try_get::<Option<i64>, _>(3)?, row.try_get::<Option<i64>, _>(4)?) {
        (Some(amount), Some(since)) => Some(Allowance { amount: rows::credits(amount)?, since: rows::instant(since)? }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(rows::bad("allowance")),
    };
    let sql = format!("SELECT {BATCH_COLUMNS} FROM batches WHERE account_id = ? {condition}");
    let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_all(&mut *tx).await?;
    let batches = found.iter().map(batch).collect::<Result<_, _>>()?;
    let (holds, debts) = (holds::pending(tx, id).await?, holds::debts(tx, id).await?);
    Ok(Some(StoredAccount { id: id.clone(), head, batches, holds, debts, allowance }))
}

async fn insert_entry(tx: &mut SqliteConnection, id: &str, entry: &Entry) -> Result<(), StoreError> {
    let body = serde_json::to_string(&entry.kind).map_err(|_| rows::bad("entry"))?;
    sqlx::query("INSERT INTO entries (account_id, sequence, at_ms, body, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(rows::signed(entry.sequence)?)
        .bind(entry.at.timestamp_millis())
        .bind(body)
        .bind(entry.previous.as_bytes().as_slice())
        .bind(entry.hash.as_bytes().as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

async fn upsert_batch(tx: &mut SqliteConnection, id: &str, batch: &Batch) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO batches (account_id, batch_id, seq, source, note, added_ms, expires_ms, granted, left_over, lapsed,
         held, voided, voided_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (account_id, batch_id) DO UPDATE SET left_over = excluded.left_over, lapsed = excluded.lapsed,
         held = excluded.held, voided = excluded.voided, voided_ms = excluded.voided_ms",
    )
    .bind(id)
    .bind(batch.id.as_str())
    .bind(rows::signed(batch.seq)?)
    .bind(batch.source.as_str())
    .bind(batch.note.as_deref())
    .bind(batch.added.timestamp_millis())
    .bind(batch.expires.timestamp_millis())
    .bind(batch.granted.nanos())
    .bind(batch.left.nanos())
    .bind(batch.lapsed.nanos())
    .bind(batch.held.nanos())
    .bind(batch.voided.nanos())
    .bind(batch.voided_at.map(|at| at.timestamp_millis()))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) fn entry(row: &SqliteRow) -> Result<Entry, StoreError> {
    let body: String = row.try_get(2)?;
    let kind: EntryKind = serde_json::from_str(&body).map_err(|_| rows::bad("entry"))?;
    Ok(Entry {
        sequence: rows::count(row.try_get(0)?)?,
        at: rows::instant(row.try_get(1)?)?,
        kind,
        previous: EntryHash::new(rows::hash(&row.try_get::<Vec<u8>, _>(3)?)?),
        hash: EntryHash::new(rows::hash(&row.try_get::<Vec<u8>, _>(4)?)?),
    })
}

fn batch(row: &SqliteRow) -> Result<Batch, StoreError> {
    Ok(Batch {
        id: BatchId::new(row.try_get::<String, _>(0)?),
        seq: rows::count(row.try_get(1)?)?,
        source: source(&row.try_get::<String, _>(2)?)?,
        note: row.try_get(3)?,
        added: rows::instant(row.try_get(4)?)?,
        expires: rows::instant(row.try_get(5)?)?,
        granted: rows::credits(row.try_get(6)?)?,
        left: rows::credits(row.try_get(7)?)?,
        lapsed: rows::credits(row.try_get(8)?)?,
        held: rows::credits(row.try_get(9)?)?,
        voided: rows::credits(row.try_get(10)?)?,
        voided_at: row.try_get::<Option<i64>, _>(11)?.map(rows::instant).transpose()?,
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
