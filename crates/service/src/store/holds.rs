//! Holds, debts, and what was done about a charge.

use super::accounts::entry;
use super::{Row, Store, StoreError, Tx, args, rows};
use aispace_ledger::{Account, AccountId, Charge, ClosedHold, Debt, Entry, EntryKind, Hold, HoldId, Posted};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

const PENDING: &str = "pending";
const SETTLED: &str = "settled";
const RELEASED: &str = "released";
const TIMED_OUT: &str = "timed_out";

impl Store {
    /// What is known of a hold that is not pending; `None` for one that is, or that there never was.
    pub(crate) async fn closed_hold(tx: &mut Tx, id: &AccountId, hold: &HoldId) -> Result<Option<ClosedHold>, StoreError> {
        let found = tx
            .optional("SELECT state, ended_ms FROM holds WHERE account_id = $1 AND hold_id = $2", args![id.as_str(), hold.as_str()])
            .await?;
        let Some(row) = found else { return Ok(None) };
        match row.text(0)?.as_str() {
            PENDING => Ok(None),
            SETTLED | RELEASED => Ok(Some(ClosedHold::Ended)),
            TIMED_OUT => {
                let ended = row.int_or_none(1)?.ok_or_else(|| rows::bad("end of a hold"))?;
                Ok(Some(ClosedHold::TimedOut(rows::instant(ended)?)))
            }
            _ => Err(rows::bad("state of a hold")),
        }
    }

    /// A charge with everything that was done about it; `None` when the entry charges nothing or is not there.
    pub(crate) async fn charge(tx: &mut Tx, id: &AccountId, sequence: u64) -> Result<Option<Charge>, StoreError> {
        let Ok(number) = rows::signed(sequence) else { return Ok(None) };
        let found = tx
            .optional(
                "SELECT sequence, at_ms, body, previous_hash, hash FROM entries WHERE account_id = $1 AND sequence = $2",
                args![id.as_str(), number],
            )
            .await?;
        let Some(charge) = found.as_ref().map(entry).transpose()?.and_then(|entry| Charge::of(&entry)) else { return Ok(None) };
        let found = tx
            .rows(
                "SELECT e.sequence, e.at_ms, e.body, e.previous_hash, e.hash
             FROM charge_entries c JOIN entries e ON e.account_id = c.account_id AND e.sequence = c.sequence
             WHERE c.account_id = $1 AND c.charge = $2 ORDER BY c.sequence",
                args![id.as_str(), number],
            )
            .await?;
        let later = found.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(charge.after(&later)))
    }
}

/// Stores what a posting's entries say of holds, debts and charges.
pub(super) async fn save(tx: &mut Tx, account: &Account, posted: &Posted) -> Result<(), StoreError> {
    let id = account.id().as_str();
    let mut charges = BTreeSet::new();
    for entry in &posted.entries {
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
        for charge in entry.kind.charges() {
            tx.execute(
                "INSERT INTO charge_entries (account_id, charge, sequence) VALUES ($1, $2, $3)",
                args![id, rows::signed(charge)?, rows::signed(entry.sequence)?],
            )
            .await?;
            charges.insert(charge);
        }
    }
    for charge in charges {
        let open = account.debts().iter().find(|debt| debt.charge == charge).map(|debt| debt.open.nanos());
        set_debt(tx, id, charge, open).await?;
    }
    Ok(())
}

async fn insert_hold(tx: &mut Tx, id: &str, entry: &Entry) -> Result<(), StoreError> {
    let EntryKind::Held { hold, taken, expires, memo } = &entry.kind else { return Ok(()) };
    tx.execute(
        "INSERT INTO holds (account_id, hold_id, seq, made_ms, expires_ms, parts, memo, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            id,
            hold.as_str(),
            rows::signed(entry.sequence)?,
            entry.at.timestamp_millis(),
            expires.timestamp_millis(),
            &serde_json::to_string(taken).map_err(|_| rows::bad("hold"))?,
            memo.as_deref(),
            PENDING
        ],
    )
    .await?;
    Ok(())
}

async fn end_hold(tx: &mut Tx, id: &str, hold: &HoldId, state: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
    let ended = tx
        .execute(
            "UPDATE holds SET state = $1, ended_ms = $2 WHERE account_id = $3 AND hold_id = $4 AND state = $5",
            args![state, at.timestamp_millis(), id, hold.as_str(), PENDING],
        )
        .await?;
    if ended == 1 { Ok(()) } else { Err(StoreError::Raced) }
}

async fn set_debt(tx: &mut Tx, id: &str, charge: u64, open: Option<i64>) -> Result<(), StoreError> {
    let charge = rows::signed(charge)?;
    match open {
        Some(open) => {
            let sql = "INSERT INTO debts (account_id, charge, open) VALUES ($1, $2, $3)
                       ON CONFLICT (account_id, charge) DO UPDATE SET open = excluded.open";
            tx.execute(sql, args![id, charge, open]).await?
        }
        None => tx.execute("DELETE FROM debts WHERE account_id = $1 AND charge = $2", args![id, charge]).await?,
    };
    Ok(())
}

pub(super) async fn pending(tx: &mut Tx, id: &AccountId) -> Result<Vec<Hold>, StoreError> {
    let found = tx
        .rows(
            "SELECT hold_id, seq, made_ms, expires_ms, parts, memo FROM holds WHERE account_id = $1 AND state = 'pending' ORDER BY seq",
            args![id.as_str()],
        )
        .await?;
    found.iter().map(hold).collect()
}

pub(super) async fn debts(tx: &mut Tx, id: &AccountId) -> Result<Vec<Debt>, StoreError> {
    let found = tx.rows("SELECT charge, open FROM debts WHERE account_id = $1 ORDER BY charge", args![id.as_str()]).await?;
    let debt = |row: &Row| Ok(Debt { charge: rows::count(row.int(0)?)?, open: rows::credits(row.int(1)?)? });
    found.iter().map(debt).collect()
}

fn hold(row: &Row) -> Result<Hold, StoreError> {
    let parts = row.text(4)?;
    Ok(Hold {
        id: HoldId::new(row.text(0)?),
        seq: rows::count(row.int(1)?)?,
        made: rows::instant(row.int(2)?)?,
        expires: rows::instant(row.int(3)?)?,
        parts: serde_json::from_str(&parts).map_err(|_| rows::bad("hold"))?,
        memo: row.text_or_none(5)?,
    })
}

/// Holds the tables of ended holds and of charges against the log, which the ledger's own proof does not see.
pub(super) async fn verify(tx: &mut Tx, id: &AccountId, entries: &[Entry]) -> Result<(), StoreError> {
    let (mut states, mut links) = (BTreeMap::new(), BTreeSet::new());
    for entry in entries {
        links.extend(entry.kind.charges().into_iter().map(|charge| (charge, entry.sequence)));
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
    let stored = tx.rows("SELECT hold_id, state, ended_ms FROM holds WHERE account_id = $1", args![id.as_str()]).await?;
    let stored: BTreeMap<_, _> =
        stored.iter().map(|row| Ok((row.text(0)?, (row.text(1)?, row.int_or_none(2)?)))).collect::<Result<_, StoreError>>()?;
    if stored != states {
        return Err(rows::bad("hold"));
    }
    let stored = tx.rows("SELECT charge, sequence FROM charge_entries WHERE account_id = $1", args![id.as_str()]).await?;
    let stored: BTreeSet<_> =
        stored.iter().map(|row| Ok((rows::count(row.int(0)?)?, rows::count(row.int(1)?)?))).collect::<Result<_, StoreError>>()?;
    if stored == links { Ok(()) } else { Err(rows::bad("charge")) }
}
