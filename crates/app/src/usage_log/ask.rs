//! Sums and rows of the log.

use super::{UsageLog, columns};
use crate::{
    kept_estimate::RunCharge,
    store::StoreError,
    view::{ChargeLink, UsageWork},
};
use aispace_api::{UsageEntry, UsageKind};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Row, Sqlite};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// Days after which a charge is not taken for that of an estimate any more.
const CHARGE_DAYS: i64 = 31;
/// More charges than anybody looks through for the one of an estimate.
const CHARGES_MAX: u32 = 20;

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EntryFilter {
    /// The first UTC day, counted from 1970; none for the first there is.
    pub(crate) from_day: Option<i64>,
    /// Words that an entry has, in small letters.
    pub(crate) terms: Vec<String>,
    pub(crate) work: Option<UsageWork>,
    pub(crate) model_id: Option<String>,
}

/// Entries of one day, kind and model, in sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    /// The UTC day, counted from 1970.
    pub(crate) day: i64,
    pub(crate) kind: UsageKind,
    pub(crate) work: UsageWork,
    /// Place among the digest's models; none for what is about no model.
    pub(crate) model: Option<usize>,
    pub(crate) entries: u32,
    pub(crate) net: NanoCreditSum,
}

/// A model of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedModel {
    number: i64,
    pub(crate) model_id: String,
    pub(crate) name: String,
    pub(crate) work: UsageWork,
}

/// Everything that is summed of the entries of a period with some words: whatever is shown of them follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    /// The log's revision that it is of.
    pub(crate) revision: u32,
    from_day: Option<i64>,
    terms: Vec<String>,
    pub(crate) models: Vec<LoggedModel>,
    /// Oldest day first.
    pub(crate) sums: Vec<Sums>,
}

/// An entry with what the log knows of it beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptEntry {
    pub(crate) entry: UsageEntry,
    pub(crate) work: UsageWork,
    /// Printed name and id of its model, or of the model of what it gives back or ends.
    pub(crate) model: Option<(String, String)>,
}

impl Digest {
    /// The sums that a filter of the same period and words lets through.
    pub(crate) fn of<'a>(&'a self, filter: &'a EntryFilter) -> impl Iterator<Item = &'a Sums> {
        self.sums.iter().filter(move |sums| {
            let model = || sums.model.and_then(|at| self.models.get(at)).map(|model| model.model_id.as_str());
            filter.work.is_none_or(|work| work == sums.work) && filter.model_id.as_deref().is_none_or(|id| model() == Some(id))
        })
    }
}

impl UsageLog {
    /// Sums the entries of a filter's period and words; the last answer is kept.
    pub(crate) async fn digest(&self, filter: &EntryFilter) -> Result<Arc<Digest>, StoreError> {
        let revision = self.revision();
        let known = self.digest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fits = |d: &Arc<Digest>| d.revision == revision && d.from_day == filter.from_day && d.terms == filter.terms;
        if let Some(known) = known.filter(fits) {
            return Ok(known);
        }
        let mut tx = self.pool.begin().await?;
        let models: Vec<LoggedModel> = sqlx::query("SELECT number, model_id, name, work FROM model ORDER BY number")
            .fetch_all(&mut *tx)
            .await?
            .iter()
            .map(|row| -> Result<_, StoreError> {
                let work = columns::work_of(row.try_get(3)?);
                Ok(LoggedModel { number: row.try_get(0)?, model_id: row.try_get(1)?, name: row.try_get(2)?, work })
            })
            .collect::<Result<_, _>>()?;
        // With words every text is looked at: the order of the texts is the faster one.
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(if filter.terms.is_empty() {
            "SELECT e.day, e.kind, e.work, e.model, e.entries, e.whole, e.nanos FROM sums e WHERE e.entries > 0 AND "
        } else {
            "SELECT e.day, e.kind, e.work, e.model, COUNT(*), SUM(e.whole), SUM(e.nanos) FROM words w JOIN entry e ON e.sequence = w.sequence WHERE "
        });
        push_conditions(&mut query, filter);
        query.push(if filter.terms.is_empty() { " ORDER BY e.day" } else { " GROUP BY e.day, e.kind, e.work, e.model ORDER BY e.day" });
        let mut sums = Vec::new();
        for row in query.build().fetch_all(&mut *tx).await? {
            let model: i64 = row.try_get(3)?;
            sums.push(Sums {
                day: row.try_get(0)?,
                kind: columns::kind_of(row.try_get(1)?),
                work: columns::work_of(row.try_get(2)?),
                model: models.binary_search_by_key(&model, |one| one.number).ok(),
                entries: row.try_get(4)?,
                net: columns::joined(row.try_get(5)?, row.try_get(6)?),
            });
        }
        let made = Arc::new(Digest { revision, from_day: filter.from_day, terms: filter.terms.clone(), models, sums });
        *self.digest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Entries from a day down, the newest first, after so many of them.
    pub(crate) async fn entries(&self, filter: &EntryFilter, day: i64, skipped: u32, most: u32) -> Result<Vec<KeptEntry>, StoreError> {
        self.window(filter, most, |query| {
            query.push(" AND e.day <= ").push_bind(day);
            skipped
        })
        .await
    }

    /// Entries older than another, the newest first; without one from the newest down.
    pub(crate) async fn entries_below(
        &self,
        filter: &EntryFilter,
        above: Option<&UsageEntry>,
        most: u32,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        let above = above.map(|entry| Ok::<_, StoreError>((columns::day(entry), columns::signed(entry.sequence)?))).transpose()?;
        self.window(filter, most, |query| {
            if let Some((day, sequence)) = above {
                query.push(" AND (e.day, e.sequence) < (").push_bind(day).push(", ").push_bind(sequence).push(")");
            }
            0
        })
        .await
    }

    async fn window(
        &self,
        filter: &EntryFilter,
        most: u32,
        narrow: impl FnOnce(&mut QueryBuilder<Sqlite>) -> u32,
    ) -> Result<Vec<KeptEntry>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT b.body, b.checksum, p.work, m.name, m.model_id FROM (SELECT e.sequence, e.day, e.work, e.model FROM entry e",
        );
        query.push(if filter.terms.is_empty() { " WHERE " } else { " JOIN words w ON w.sequence = e.sequence WHERE " });
        push_conditions(&mut query, filter);
        if let Some(work) = filter.work {
            query.push(" AND e.work = ").push_bind(columns::work_number(work));
        }
        if let Some(model) = &filter.model_id {
            query.push(" AND e.model IN (SELECT number FROM model WHERE model_id = ").push_bind(model.clone()).push(")");
        }
        let skipped = narrow(&mut query);
        query.push(" ORDER BY e.day DESC, e.sequence DESC LIMIT ").push_bind(most).push(" OFFSET ").push_bind(skipped);
        query.push(
            ") p JOIN body b ON b.sequence = p.sequence LEFT JOIN model m ON m.number = p.model ORDER BY p.day DESC, p.sequence DESC",
        );
        query.build().fetch_all(&self.pool).await?.iter().map(kept).collect()
    }

    /// One entry.
    pub(crate) async fn entry(&self, sequence: u64) -> Result<Option<KeptEntry>, StoreError> {
        let found = self.some("e.sequence = ", columns::signed(sequence)?.to_string()).await?;
        Ok(found.into_iter().next())
    }

    /// What gives a charge back.
    pub(crate) async fn refunds(&self, sequence: u64) -> Result<Vec<KeptEntry>, StoreError> {
        self.some("e.charge = ", columns::signed(sequence)?.to_string()).await
    }

    /// What was given back of each charge of which anything was, from this charge on, all its refunds together.
    pub(crate) async fn given_back_since(&self, sequence: u64) -> Result<BTreeMap<u64, NanoCreditSum>, StoreError> {
        let mut sums: BTreeMap<u64, NanoCreditSum> = BTreeMap::new();
        for refund in self.some("e.charge >= ", columns::signed(sequence)?.to_string()).await? {
            if let Some(charge) = refund.entry.charge_sequence {
                let sum = sums.entry(charge).or_insert(NanoCreditSum::ZERO);
                *sum = sum.plus(columns::net_change(&refund.entry));
            }
        }
        Ok(sums)
    }

    /// What is about a hold, oldest first.
    pub(crate) async fn of_hold(&self, hold: &str) -> Result<Vec<KeptEntry>, StoreError> {
        self.some("e.hold = ", hold.to_owned()).await
    }

    /// Charges of a model that are newer than an entry and no more than a month after an instant, oldest first.
    pub(crate) async fn charges_after(&self, model_id: &str, after: u64, at: DateTime<Utc>) -> Result<Vec<RunCharge>, StoreError> {
        let day = columns::day_of(at);
        let rows = sqlx::query(
            "SELECT b.body, b.checksum FROM entry e JOIN body b ON b.sequence = e.sequence
             WHERE e.day BETWEEN ?1 AND ?2 AND e.kind IN (?3, ?4) AND e.sequence > ?5
             AND e.model IN (SELECT number FROM model WHERE model_id = ?6) ORDER BY e.sequence LIMIT ?7",
        )
        .bind(day.saturating_sub(1))
        .bind(day.saturating_add(CHARGE_DAYS))
        .bind(columns::kind_number(UsageKind::Debit))
        .bind(columns::kind_number(UsageKind::Settled))
        .bind(columns::signed(after)?)
        .bind(model_id)
        .bind(CHARGES_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let entry = columns::read(row, 0)?;
                let took = NanoCreditSum::ZERO.minus(columns::net_change(&entry));
                let credits = NanoCredits::try_from(took).unwrap_or_default();
                Ok(RunCharge { sequence: entry.sequence, at: entry.at, credits, refunded: NanoCredits::ZERO, link: ChargeLink::Matched })
            })
            .collect()
    }

    async fn some(&self, condition: &str, value: String) -> Result<Vec<KeptEntry>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT b.body, b.checksum, e.work, m.name, m.model_id FROM entry e JOIN body b ON b.sequence = e.sequence
             LEFT JOIN model m ON m.number = e.model WHERE ",
        );
        // A text is compared with a number as that number where the column is one.
        query.push(condition).push_bind(value).push(" ORDER BY e.sequence");
        query.build().fetch_all(&self.pool).await?.iter().map(kept).collect()
    }
}

fn kept(row: &sqlx::sqlite::SqliteRow) -> Result<KeptEntry, StoreError> {
    let name: Option<String> = row.try_get(3)?;
    let model = name.zip(row.try_get::<Option<String>, _>(4)?);
    Ok(KeptEntry { entry: columns::read(row, 0)?, work: columns::work_of(row.try_get(2)?), model })
}

fn push_conditions(query: &mut QueryBuilder<Sqlite>, filter: &EntryFilter) {
    query.push("e.day >= ").push_bind(filter.from_day.unwrap_or(i64::MIN));
    for term in &filter.terms {
        query.push(" AND instr(w.words, ").push_bind(term.clone()).push(") > 0");
    }
}
