//! Keeping pages of the log.

use super::{Gap, UsageLog, columns};
use crate::store::StoreError;
use aispace_api::{UsageAnswer, UsageEntry};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// Entries written with one statement.
const AT_ONCE: usize = 500;

/// Numbers of the entries and the models that they name.
type Numbered<'a> = Vec<(i64, i64, &'a UsageEntry)>;

impl UsageLog {
    /// Keeps the newest entries. What lies between them and the newest that was here is a gap, which `cursor` reads on; none means that
    /// nothing is older.
    pub(crate) async fn keep_newest(&self, entries: &[UsageEntry], cursor: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        let above: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM entry").fetch_one(&mut *tx).await?;
        let above = columns::number(above)?;
        let fresh: Vec<&UsageEntry> = entries.iter().filter(|entry| entry.sequence > above).collect();
        let Some(lowest) = fresh.iter().map(|entry| entry.sequence).min() else { return Ok(()) };
        insert(&mut tx, &fresh, true).await?;
        leave_gap(&mut tx, lowest, above, cursor).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Keeps a page of a gap.
    ///
    /// Answers whether it brought the log on; a page that does not is no page of it.
    pub(crate) async fn keep_below(&self, gap: &Gap, page: &UsageAnswer) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let within = |entry: &&UsageEntry| entry.sequence > gap.above && entry.sequence < gap.below;
        let fresh: Vec<&UsageEntry> = page.entries.iter().filter(within).collect();
        let lowest = fresh.iter().map(|entry| entry.sequence).min();
        if lowest.is_none() && page.next_cursor.is_some() {
            return Ok(false);
        }
        insert(&mut tx, &fresh, false).await?;
        sqlx::query("DELETE FROM gap WHERE below = ?1").bind(columns::signed(gap.below)?).execute(&mut *tx).await?;
        leave_gap(&mut tx, lowest.unwrap_or(gap.below), gap.above, page.next_cursor.as_deref()).await?;
        tx.commit().await?;
        self.changed();
        Ok(true)
    }

    /// Forgets every entry: the service tells another history.
    pub(crate) async fn begin_anew(&self) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        for statement in ["DELETE FROM entry", "DELETE FROM body", "DELETE FROM words", "DELETE FROM gap", "DELETE FROM model"] {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        self.changed();
        Ok(())
    }
}

async fn leave_gap(tx: &mut SqliteConnection, below: u64, above: u64, cursor: Option<&str>) -> Result<(), StoreError> {
    if below == above.saturating_add(1) {
        return Ok(());
    }
    // Numbers run from 1 without a hole: a last page that does not reach down to what is known is not this log.
    let cursor = cursor.ok_or(StoreError::Damaged)?;
    sqlx::query("INSERT INTO gap (below, above, cursor) VALUES (?1, ?2, ?3)")
        .bind(columns::signed(below)?)
        .bind(columns::signed(above)?)
        .bind(cursor)
        .execute(tx)
        .await?;
    Ok(())
}

async fn insert(tx: &mut SqliteConnection, entries: &[&UsageEntry], newest: bool) -> Result<(), StoreError> {
    for chunk in entries.chunks(AT_ONCE) {
        let numbered = number(tx, chunk, newest).await?;
        insert_columns(tx, &numbered).await?;
        insert_texts(tx, &numbered).await?;
    }
    // A refund is about the model of its charge, the end of a hold about that of the hold, whichever of them was read first.
    sqlx::query(
        "UPDATE entry SET (work, model) = (SELECT c.work, c.model FROM entry c WHERE c.sequence = entry.charge)
         WHERE charge IS NOT NULL AND model = 0 AND EXISTS (SELECT 1 FROM entry c WHERE c.sequence = entry.charge AND c.model <> 0)",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE entry SET (work, model) = (SELECT h.work, h.model FROM entry h WHERE h.hold = entry.hold AND h.model <> 0 LIMIT 1)
         WHERE hold IS NOT NULL AND model = 0 AND EXISTS (SELECT 1 FROM entry h WHERE h.hold = entry.hold AND h.model <> 0)",
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Gives each entry the number of its model, 0 for none. A newer entry knows the newer name.
async fn number<'a>(tx: &mut SqliteConnection, entries: &[&'a UsageEntry], newest: bool) -> Result<Numbered<'a>, StoreError> {
    let mut models: BTreeMap<(String, i64), i64> = BTreeMap::new();
    let mut numbered = Vec::with_capacity(entries.len());
    for entry in entries {
        let model = match &entry.run {
            None => 0,
            Some(run) => {
                let key = (run.model_id.clone(), columns::work_number(columns::work(entry)));
                match models.get(&key) {
                    Some(number) => *number,
                    None => {
                        let number: i64 = sqlx::query_scalar(
                            "INSERT INTO model (model_id, work, name) VALUES (?1, ?2, ?3)
                             ON CONFLICT (model_id, work) DO UPDATE SET name = iif(?4, excluded.name, model.name) RETURNING number",
                        )
                        .bind(&key.0)
                        .bind(key.1)
                        .bind(&run.model_name)
                        .bind(newest)
                        .fetch_one(&mut *tx)
                        .await?;
                        models.insert(key, number);
                        number
                    }
                }
            }
        };
        numbered.push((columns::signed(entry.sequence)?, model, *entry));
    }
    Ok(numbered)
}

async fn insert_columns(tx: &mut SqliteConnection, entries: &Numbered<'_>) -> Result<(), StoreError> {
    let mut amounts = Vec::with_capacity(entries.len());
    for (_, _, entry) in entries {
        let charge = entry.charge_sequence.map(columns::signed).transpose()?;
        amounts.push((columns::split(columns::net_change(entry))?, charge));
    }
    let mut query: QueryBuilder<Sqlite> =
        QueryBuilder::new("INSERT INTO entry (sequence, day, kind, work, model, whole, nanos, charge, hold) ");
    query.push_values(entries.iter().zip(amounts), |mut row, ((sequence, model, entry), ((whole, nanos), charge))| {
        row.push_bind(*sequence)
            .push_bind(columns::day(entry))
            .push_bind(columns::kind_number(entry.kind))
            .push_bind(columns::work_number(columns::work(entry)))
            .push_bind(*model)
            .push_bind(whole)
            .push_bind(nanos)
            .push_bind(charge)
            .push_bind(entry.hold_id.clone());
    });
    query.build().execute(tx).await?;
    Ok(())
}

async fn insert_texts(tx: &mut SqliteConnection, entries: &Numbered<'_>) -> Result<(), StoreError> {
    let mut texts = Vec::with_capacity(entries.len());
    for (sequence, _, entry) in entries {
        texts.push((*sequence, columns::written(entry)?));
    }
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("INSERT INTO body (sequence, body, checksum) ");
    query.push_values(texts, |mut row, (sequence, (body, checksum))| {
        row.push_bind(sequence).push_bind(body).push_bind(checksum);
    });
    query.build().execute(&mut *tx).await?;
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("INSERT INTO words (sequence, words) ");
    query.push_values(entries, |mut row, (sequence, _, entry)| {
        row.push_bind(*sequence).push_bind(columns::words(entry));
    });
    query.build().execute(tx).await?;
    Ok(())
}
