//! What runs cost on each day, as far as the log is here.

use super::{UsageLog, columns};
use crate::store::StoreError;
use aispace_api::{UsageEntry, UsageKind};
use aispace_units::NanoCreditSum;
use sqlx::Row;

/// What is spent: charges, less what was given back of them.
const SPENT: [UsageKind; 3] = [UsageKind::Debit, UsageKind::Settled, UsageKind::Refunded];

/// What runs cost on each UTC day of an account's log from one on, up to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpentDays {
    pub(crate) account_id: String,
    /// Number of the newest entry of the log; 0 when there is none.
    pub(crate) newest: u64,
    /// The first UTC day, counted from 1970, of which and after which no entry up to the newest is missing.
    pub(crate) whole_from: i64,
    /// Days that something was charged or given back on, with what it comes to.
    pub(crate) days: Vec<(i64, NanoCreditSum)>,
}

impl UsageLog {
    /// What runs cost on each UTC day from one on.
    pub(crate) async fn spent_from(&self, day: i64) -> Result<SpentDays, StoreError> {
        let mut tx = self.pool.begin().await?;
        let newest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM entry").fetch_one(&mut *tx).await?;
        // What is missing is no newer than the entry above it.
        let gap = sqlx::query_scalar("SELECT e.day FROM gap g JOIN entry e ON e.sequence = g.below ORDER BY g.below DESC LIMIT 1");
        let gap: Option<i64> = gap.fetch_optional(&mut *tx).await?;
        let [debit, settled, refunded] = SPENT.map(columns::kind_number);
        let sums = "SELECT day, SUM(whole), SUM(nanos) FROM sums WHERE day >= ?1 AND kind IN (?2, ?3, ?4) GROUP BY day ORDER BY day";
        let rows = sqlx::query(sums).bind(day).bind(debit).bind(settled).bind(refunded).fetch_all(&mut *tx).await?;
        let spent = |row: &sqlx::sqlite::SqliteRow| -> Result<_, StoreError> {
            Ok((row.try_get(0)?, NanoCreditSum::ZERO.minus(columns::joined(row.try_get(1)?, row.try_get(2)?))))
        };
        Ok(SpentDays {
            account_id: self.account_id.clone(),
            newest: columns::number(newest)?,
            whole_from: gap.map_or(day, |gap| day.max(gap.saturating_add(1))),
            days: rows.iter().map(spent).collect::<Result<_, _>>()?,
        })
    }
}

/// What an entry adds to what is spent; nothing for what is neither a charge nor given back of one.
pub(crate) fn spent(entry: &UsageEntry) -> NanoCreditSum {
    if SPENT.contains(&entry.kind) { NanoCreditSum::ZERO.minus(columns::net_change(entry)) } else { NanoCreditSum::ZERO }
}
