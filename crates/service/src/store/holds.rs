//! Holds, debts, and what was done about a charge.

use super::accounts::entry;
use super::{Store, StoreError, rows};
use aispace_ledger::{AccountId, Charge, ClosedHold, Debt, Entry, EntryKind, Hold, HoldId, Posting};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

const PENDING: &str = "pending";
const SETTLED: &str = "settled";
const RELEASED: &str = "released";
const TIMED_OUT: &str = "timed_out";

impl Store {
    /// What is known of a hold that is not pending; `None` for one that is, or that there never was.
    pub(crate) async fn closed_hold(tx: &mut SqliteConnection, id: &AccountId, hold: &HoldId) -> Result<Option<ClosedHold>, StoreError> {
        let found = sqlx::query("SELECT state, ended_ms FROM holds WHERE account_id = ? AND hold_id = ?")
            .bind(id.as_str())
            .bind(hold.as_str())
            .fetch_optional(tx)
            .await?;
        let Some(row) = found else { return Ok(None) };
        match row.try_get::<String, _>(0)?.as_str() {
            PENDING => Ok(None),
            SETTLED | RELEASED => Ok(Some(ClosedHold::Ended)),
            TIMED_OUT => {
                let ended = row.try_get::<Option<i64>, _>(1)?.ok_or_else(|| rows::bad("end of a hold"))?;
                Ok(Some(ClosedHold::TimedOut(rows::instant(ended)?)))
            }
            _ => Err(rows::bad("state of a hold")),
        }
    }

    /// A charge with everything that was done about it; `None` when the entry charges nothing or is not there.
    pub(crate) async fn charge(tx: &mut SqliteConnection, id: &AccountId, sequence: u64) -> Result<Option<Charge>, StoreError> {
        let Ok(number) = rows::signed(sequence) else { return Ok(None) };
        let found = sqlx::query("SELECT sequence, at_ms, body, previous_hash, hash FROM entries WHERE account_id = ? AND sequence = ?")
            .bind(id.as_str())
            .bind(number)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(charge) = found.as_ref().map(entry).transpose()?.and_then(|entry| Charge::of(&entry)) else { return Ok(None) };
        let found = sqlx::query(
            "SELECT e.sequence, e.at_ms, e.body, e.previous_hash, e.hash
             FROM charge_entries c JOIN entries e ON e.account_id = c.account_id AND e.sequence = c.sequence
             WHERE c.account_id = ? AND c.charge = ? ORDER BY c.sequence",
        )
        .bind(id.as_str())
        .bind(number)
        .fetch_all(tx)
        .await?;
        let later = found.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(charge.after(&later)))
    }
}

/// Stores what a posting's entries say of holds, debts and charges.
pub(super) async fn save(tx: &mut SqliteConnection, posting: &Posting) -> Result<(), StoreError> {
    let id = posting.account.id().as_str();
    let mut charges = BTreeSet::new();
    for entry in &posting.entries {
        match &entry.kind {
            EntryKind::Held { .. } => insert_hold(tx, id, entry).await?,
            EntryKind::Settled { hold, .. } => {
                charges.insert(entry.sequence);
                end_hold(tx, id, hold, SETTLED, entry.at).await?;
            }
            EntryKind::Released { hold, .. } => end_hold(tx, id, hold, RELEASED, entry.at).await?,
            EntryKind::TimedOut { hold, .. } => end_hold(tx, id, hold, TIMED_OUT, entry.at).await?,
            EntryKind::BatchAdded { .. }
            | EntryKind::Debit { .. }
            | EntryKind::Expired { .. }
            | EntryKind::Voided { .. }
            | EntryKind::Refunded { .. }
            | EntryKind::DebtPaid { .. }
            | EntryKind::AllowanceSet { .. } => {}
        }
        for charge in about(entry) {
            sqlx::query("INSERT INTO charge_entries (account_id, charge, sequence) VALUES (?, ?, ?)")
                .bind(id)
                .bind(rows::signed(charge)?)
                .bind(rows::signed(entry.sequence)?)
                .execute(&mut *tx)
                .await?;
            charges.insert(charge);
        }
    }
    for charge in charges {
        let open = posting.account.debts().iter().find(|debt| debt.charge == charge).map(|debt| debt.open.nanos());
        set_debt(tx, id, charge, open).await?;
    }
    Ok(())
}

/// Each once, though a batch or two may have paid it.
fn about(entry: &Entry) -> BTreeSet<u64> {
    entry.kind.charges().into_iter().collect()
}

async fn insert_hold(tx: &mut SqliteConnection, id: &str, entry: &Entry) -> Result<(), StoreError> {
    let EntryKind::Held { hold, taken, expires, memo } = &entry.kind else { return Ok(()) };
    sqlx::query("INSERT INTO holds (account_id, hold_id, seq, made_ms, expires_ms, parts, memo, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(hold.as_str())
        .bind(rows::signed(entry.sequence)?)
        .bind(entry.at.timestamp_millis())
        .bind(expires.timestamp_millis())
        .bind(serde_json::to_string(taken).map_err(|_| rows::bad("hold"))?)
        .bind(memo.as_deref())
        .bind(PENDING)
        .execute(tx)
        .await?;
    Ok(())
}

async fn end_hold(tx: &mut SqliteConnection, id: &str, hold: &HoldId, state: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
    let ended = sqlx::query("UPDATE holds SET state = ?, ended_ms = ? WHERE account_id = ? AND hold_id = ? AND state = ?")
        .bind(state)
        .bind(at.timestamp_millis())
        .bind(id)
        .bind(hold.as_str())
        .bind(PENDING)
        .execute(tx)
        .await?;
    if ended.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Raced) }
}

async fn set_debt(tx: &mut SqliteConnection, id: &str, charge: u64, open: Option<i64>) -> Result<(), StoreError> {
    let charge = rows::signed(charge)?;
    let statement = match open {
        Some(open) => sqlx::query(
            "INSERT INTO debts (open, account_id, charge) VALUES (?, ?, ?)
             ON CONFLICT (account_id, charge) DO UPDATE SET open = excluded.open",
        )
        .bind(open),
        None => sqlx::query("DELETE FROM debts WHERE account_id = ? AND charge = ?"),
    };
    statement.bind(id).bind(charge).execute(tx).await?;
    Ok(())
}

pub(super) async fn pending(tx: &mut SqliteConnection, id: &AccountId) -> Result<Vec<Hold>, StoreError> {
    let found = sqlx::query(
        "SELECT hold_id, seq, made_ms, expires_ms, parts, memo FROM holds WHERE account_id = ? AND state = 'pending' ORDER BY seq",
    )
    .bind(id.as_str())
    .fetch_all(tx)
    .await?;
    found.iter().map(hold).collect()
}

pub(super) async fn debts(tx: &mut SqliteConnection, id: &AccountId) -> Result<Vec<Debt>, StoreError> {
    let found = sqlx::query("SELECT charge, open FROM debts WHERE account_id = ? ORDER BY charge").bind(id.as_str()).fetch_all(tx).await?;
    let debt = |row: &SqliteRow| Ok(Debt { charge: rows::count(row.try_get(0)?)?, open: rows::credits(row.try_get(1)?)? });
    found.iter().map(debt).collect()
}

fn hold(row: &SqliteRow) -> Result<Hold, StoreError> {
    let parts: String = row.try_get(4)?;
    Ok(Hold {
        id: HoldId::new(row.try_get::<String, _>(0)?),
        seq: rows::count(row.try_get(1)?)?,
        made: rows::instant(row.try_get(2)?)?,
        expires: rows::instant(row.try_get(3)?)?,
        parts: serde_json::from_str(&parts).map_err(|_| rows::bad("hold"))?,
        memo: row.try_get(5)?,
    })
}

/// Holds the tables of ended holds and of charges against the log, which the ledger's own proof does not see.
pub(super) async fn verify(tx: &mut SqliteConnection, id: &AccountId, entries: &[Entry]) -> Result<(), StoreError> {
    let (mut states, mut links) = (BTreeMap::new(), BTreeSet::new());
    for entry in entries {
        links.extend(about(entry).into_iter().map(|charge| (charge, entry.sequence)));
        let (hold, state, ended) = match &entry.kind {
            EntryKind::Held { hold, .. } => (hold, PENDING, None),
            EntryKind::Settled { hold, .. } => (hold, SETTLED, Some(entry.at)),
            EntryKind::Released { hold, .. } => (hold, RELEASED, Some(entry.at)),
            EntryKind::TimedOut { hold, .. } => (hold, TIMED_OUT, Some(entry.at)),
            EntryKind::BatchAdded { .. }
            | EntryKind::Debit { .. }
            | EntryKind::Expired { .. }
            | EntryKind::Voided { .. }
            | EntryKind::Refunded { .. }
            | EntryKind::DebtPaid { .. }
            | EntryKind::AllowanceSet { .. } => continue,
        };
        states.insert(hold.as_str().to_owned(), (state.to_owned(), ended.map(|at| at.timestamp_millis())));
    }
    let stored: Vec<(String, String, Option<i64>)> =
        sqlx::query_as("SELECT hold_id, state, ended_ms FROM holds WHERE account_id = ?").bind(id.as_str()).fetch_all(&mut *tx).await?;
    let stored: BTreeMap<_, _> = stored.into_iter().map(|(hold, state, ended)| (hold, (state, ended))).collect();
    if stored != states {
        return Err(rows::bad("hold"));
    }
    let stored: Vec<(i64, i64)> =
        sqlx::query_as("SELECT charge, sequence FROM charge_entries WHERE account_id = ?").bind(id.as_str()).fetch_all(tx).await?;
    let stored: BTreeSet<_> = stored
        .into_iter()
        .map(|(charge, sequence)| Ok((rows::count(charge)?, rows::count(sequence)?)))
        .collect::<Result<_, StoreError>>()?;
    if stored == links { Ok(()) } else { Err(rows::bad("charge")) }
}
