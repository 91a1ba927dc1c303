//! The log of an account: writing it, and finding entries in it.

use super::accounts::entry;
use super::{Store, StoreError, Tx, args, rows};
use aispace_ledger::{AccountId, Entry, EntryKind};
use chrono::{DateTime, Utc};
use serde::Deserialize;

macro_rules! page {
    ($condition:literal) => {
        concat!(
            "SELECT sequence, at_ms, body, previous_hash, hash FROM entries WHERE account_id = $1 AND sequence >= $2 AND sequence < $3 ",
            "AND (CAST($4 AS TEXT) IS NULL OR CAST($4 AS TEXT) LIKE '%,' || kind || ',%') ",
            $condition
        )
    };
}

const PAGE: &str = page!("ORDER BY sequence DESC LIMIT $5");
const PAGE_OF_MODEL: &str = page!("AND model = $5 ORDER BY sequence DESC LIMIT $6");

/// A page of the log, newest first.
#[derive(Debug, Clone)]
pub(crate) struct UsagePage {
    /// The entries.
    pub(crate) entries: Vec<Entry>,
    /// Whether older ones follow.
    pub(crate) more: bool,
}

/// Which entries are wanted; the empty one wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EntryFilter {
    /// Not before this instant.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub(crate) to: Option<DateTime<Utc>>,
    /// Of one of these kinds; of any when there is none.
    pub(crate) kinds: Vec<String>,
    /// Of runs of this model.
    pub(crate) model: Option<String>,
}

impl EntryFilter {
    /// Whether it wants an entry.
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        self.from.is_none_or(|from| from <= entry.at)
            && self.to.is_none_or(|to| entry.at < to)
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == word(&entry.kind)))
            && (self.model.is_none() || self.model == model(&entry.kind))
    }

    /// The kinds between commas, as the statements look for them.
    fn kinds_listed(&self) -> Option<String> {
        (!self.kinds.is_empty()).then(|| format!(",{},", self.kinds.join(",")))
    }
}

impl Store {
    /// Stored entries below a sequence number that a filter wants, newest first. `count` is how many the log has.
    pub(crate) async fn usage(
        tx: &mut Tx,
        id: &AccountId,
        count: u64,
        before: u64,
        filter: &EntryFilter,
        limit: usize,
    ) -> Result<UsagePage, StoreError> {
        let end = count.saturating_add(1);
        let first = match filter.from {
            Some(from) => first_at(tx, id, count, from).await?,
            None => 1,
        };
        let end = match filter.to {
            Some(to) => first_at(tx, id, count, to).await?.min(end),
            None => end,
        };
        let (first, end) = (rows::signed(first)?, rows::signed(end.min(before))?);
        let (kinds, wanted) = (filter.kinds_listed(), i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1));
        let found = match &filter.model {
            Some(model) => tx.rows(PAGE_OF_MODEL, args![id.as_str(), first, end, kinds.as_ref(), model, wanted]).await?,
            None => tx.rows(PAGE, args![id.as_str(), first, end, kinds.as_ref(), wanted]).await?,
        };
        let mut entries = found.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(UsagePage { entries, more })
    }
}

/// Number of the first entry at or after an instant, or one above the last. Instants never fall along a log, so halving finds it.
async fn first_at(tx: &mut Tx, id: &AccountId, count: u64, at: DateTime<Utc>) -> Result<u64, StoreError> {
    let (mut low, mut high) = (1u64, count.saturating_add(1));
    while low < high {
        let middle = low.midpoint(high);
        let sql = "SELECT at_ms FROM entries WHERE account_id = $1 AND sequence = $2";
        let row = tx.optional(sql, args![id.as_str(), rows::signed(middle)?]).await?.ok_or_else(|| rows::bad("entry"))?;
        if row.int(0)? < at.timestamp_millis() { low = middle.saturating_add(1) } else { high = middle }
    }
    Ok(low)
}

pub(super) async fn insert_entry(tx: &mut Tx, id: &str, entry: &Entry) -> Result<(), StoreError> {
    let body = serde_json::to_string(&entry.kind).map_err(|_| rows::bad("entry"))?;
    tx.execute(
        "INSERT INTO entries (account_id, sequence, at_ms, body, previous_hash, hash, kind, model) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            id,
            rows::signed(entry.sequence)?,
            entry.at.timestamp_millis(),
            &body,
            entry.previous.as_bytes(),
            entry.hash.as_bytes(),
            word(&entry.kind),
            model(&entry.kind).as_ref(),
        ],
    )
    .await?;
    Ok(())
}

/// The word of a kind, as in its body.
fn word(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::BatchAdded { .. } => "batch_added",
        EntryKind::Debit { .. } => "debit",
        EntryKind::Expired { .. } => "expired",
        EntryKind::Held { .. } => "held",
        EntryKind::Settled { .. } => "settled",
        EntryKind::Released { .. } => "released",
        EntryKind::TimedOut { .. } => "timed_out",
        EntryKind::Voided { .. } => "voided",
        EntryKind::Refunded { .. } => "refunded",
        EntryKind::DebtPaid { .. } => "debt_paid",
        EntryKind::AllowanceSet { .. } => "allowance_set",
    }
}

/// The model of a run, where the memo names one.
fn model(kind: &EntryKind) -> Option<String> {
    #[derive(Deserialize)]
    struct Run {
        model_id: String,
    }
    match kind {
        EntryKind::Debit { memo, .. } | EntryKind::Held { memo, .. } | EntryKind::Settled { memo, .. } => {
            serde_json::from_str::<Run>(memo.as_deref()?).ok().map(|run| run.model_id)
        }
        EntryKind::BatchAdded { .. }
        | EntryKind::Expired { .. }
        | EntryKind::Released { .. }
        | EntryKind::TimedOut { .. }
        | EntryKind::Voided { .. }
        | EntryKind::Refunded { .. }
        | EntryKind::DebtPaid { .. }
        | EntryKind::AllowanceSet { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_ledger::{Account, BatchId, BatchSource, NewBatch};

    #[test]
    fn the_word_of_a_kind_is_the_one_in_its_body() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).expect("time");
        let amount = "5".parse().expect("amount");
        let batch = NewBatch { id: BatchId::new("b"), source: BatchSource::Grant, note: None, amount, expires: None };
        let account = Account::open(AccountId::new("a")).grant(at, batch).expect("granted").account;
        let memo = |model: &str| Some(format!("{{\"model_id\":\"{model}\",\"more\":1}}"));
        let debit = account.debit(at, amount, memo("m")).expect("drawn");
        let allowed = account.set_allowance(at, amount).expect("set");
        for (posting, model_of) in [(&debit, Some("m".to_owned())), (&allowed, None)] {
            let entry = posting.own_entry().expect("an entry");
            let body: serde_json::Value = serde_json::to_value(&entry.kind).expect("written");
            assert_eq!(body["kind"], word(&entry.kind));
            assert_eq!(model(&entry.kind), model_of);
        }
        let entry = debit.own_entry().expect("an entry");
        let filter = |from: i64, to: i64, kind: &str, model: &str| EntryFilter {
            from: DateTime::from_timestamp(1_800_000_000 + from, 0),
            to: DateTime::from_timestamp(1_800_000_000 + to, 0),
            kinds: vec!["held".into(), kind.into()],
            model: Some(model.into()),
        };
        assert!(filter(0, 1, "debit", "m").admits(entry) && EntryFilter::default().admits(entry));
        for refused in [filter(1, 2, "debit", "m"), filter(-1, 0, "debit", "m"), filter(0, 1, "expired", "m"), filter(0, 1, "debit", "n")] {
            assert!(!refused.admits(entry), "{refused:?}");
        }
    }
}
