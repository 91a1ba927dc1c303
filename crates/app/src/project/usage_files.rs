//! The log as files: a table, and the entries as the service has them with their sums. Amounts are exact decimals.

use super::{figures::instant, payments_csv::guarded, usage::taken};
use crate::{
    usage_log::{KeptEntry, kind_word, net_change},
    view::{ErrorView, UsageFilter},
};
use aispace_api::UsageEntry;
use aispace_units::NanoCreditSum;
use chrono::{DateTime, Utc};
use serde::Serialize;

const COLUMNS: [&str; 18] = [
    "sequence",
    "at_utc",
    "kind",
    "net_change_credits",
    "change_credits",
    "held_change_credits",
    "debt_change_credits",
    "run_kind",
    "model_id",
    "model_name",
    "meters",
    "rule",
    "rate_card",
    "rate_card_date",
    "hold_id",
    "charge_sequence",
    "note",
    "entry_id",
];

/// The table with its header, lines ended as the RFC says.
///
/// # Errors
/// Never for a table in memory; said all the same.
pub(crate) fn usage_csv(entries: &[KeptEntry]) -> Result<Vec<u8>, ErrorView> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(ErrorView::internal)?;
    for kept in entries {
        table.write_record(row(kept)).map_err(ErrorView::internal)?;
    }
    table.into_inner().map_err(ErrorView::internal)
}

fn row(kept: &KeptEntry) -> [String; COLUMNS.len()] {
    let entry = &kept.entry;
    let run = entry.run.as_ref();
    let why = entry.explanation.as_deref();
    let text = |text: Option<&str>| guarded(text.unwrap_or_default());
    let meters = run.map(|run| run.meters.iter().map(|(meter, count)| format!("{meter}={count}")).collect::<Vec<_>>().join("; "));
    let model = kept.model.as_ref();
    [
        entry.sequence.to_string(),
        instant(entry.at),
        kind_word(entry.kind).into(),
        // Amounts may begin with a minus: they are figures, and a spreadsheet shall take them for figures.
        net_change(entry).to_string(),
        entry.change_credits.to_string(),
        entry.held_change_credits.to_string(),
        entry.debt_change_credits.to_string(),
        text(run.map(|run| run.kind.as_str())),
        text(model.map(|(_, id)| id.as_str())),
        text(model.map(|(name, _)| name.as_str())),
        text(meters.as_deref()),
        text(run.and_then(|run| run.rule.as_deref())),
        text(why.map(|why| why.card.id.as_str())),
        why.map(|why| why.card.version.to_string()).unwrap_or_default(),
        text(entry.hold_id.as_deref()),
        entry.charge_sequence.map(|sequence| sequence.to_string()).unwrap_or_default(),
        text(entry.note.as_deref()),
        text(Some(&entry.entry_id)),
    ]
}

/// The file's own version.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct LogFile<'a> {
    format: u32,
    account_id: &'a str,
    saved: String,
    filter: &'a UsageFilter,
    totals: Totals,
    entries: Vec<&'a UsageEntry>,
}

/// Sums of the entries in the file.
#[derive(Serialize)]
struct Totals {
    entries: usize,
    net_change_credits: NanoCreditSum,
    change_credits: NanoCreditSum,
    held_change_credits: NanoCreditSum,
    debt_change_credits: NanoCreditSum,
    taken_by_runs_credits: NanoCreditSum,
}

/// The entries as the service has them, the newest first, with their sums.
///
/// # Errors
/// Never for a file in memory; said all the same.
pub(crate) fn usage_json(
    entries: &[KeptEntry],
    account_id: &str,
    filter: &UsageFilter,
    saved: DateTime<Utc>,
) -> Result<Vec<u8>, ErrorView> {
    let entries: Vec<&UsageEntry> = entries.iter().map(|kept| &kept.entry).collect();
    let sum = |of: fn(&UsageEntry) -> NanoCreditSum| entries.iter().fold(NanoCreditSum::ZERO, |sum, entry| sum.plus(of(entry)));
    let totals = Totals {
        entries: entries.len(),
        net_change_credits: sum(net_change),
        change_credits: sum(|entry| entry.change_credits),
        held_change_credits: sum(|entry| entry.held_change_credits),
        debt_change_credits: sum(|entry| entry.debt_change_credits),
        taken_by_runs_credits: sum(taken),
    };
    let file = LogFile { format: FORMAT, account_id, saved: instant(saved), filter, totals, entries };
    serde_json::to_vec_pretty(&file).map_err(ErrorView::internal)
}
