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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_log::{
        EntryFilter,
        history::{History, all, happenings, kept_log, ran},
    };
    use proptest::prelude::*;
    use serde_json::Value;

    type Of = fn(&UsageEntry) -> NanoCreditSum;

    const AMOUNTS: [(&str, Of); 4] = [
        ("net_change_credits", net_change),
        ("change_credits", |entry| entry.change_credits),
        ("held_change_credits", |entry| entry.held_change_credits),
        ("debt_change_credits", |entry| entry.debt_change_credits),
    ];

    fn sum(amounts: impl Iterator<Item = NanoCreditSum>) -> NanoCreditSum {
        amounts.fold(NanoCreditSum::ZERO, NanoCreditSum::plus)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever happened to an account, both files add up to what the ledger posted and to what the account has, to the ninth decimal.
        #[test]
        fn files_add_up_to_the_ledger(history in happenings(60)) {
            let history = History::of(&history);
            let entries = history.entries();
            let kept = ran(async {
                let folder = tempfile::tempdir().expect("a folder");
                all(&kept_log(folder.path(), &entries).await, &EntryFilter::default()).await
            });
            let table = usage_csv(&kept).expect("a table");
            let mut reader = csv::Reader::from_reader(&table[..]);
            let head = reader.headers().expect("a header").clone();
            let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
            let file = usage_json(&kept, "ac_test", &UsageFilter::default(), history.now).expect("a file");
            let file: Value = serde_json::from_slice(&file).expect("json");
            for (name, of) in AMOUNTS {
                let posted = sum(entries.iter().map(of));
                let column = head.iter().position(|one| one == name).expect("a column");
                prop_assert_eq!(sum(rows.iter().map(|row| row[column].parse().expect("an amount"))), posted);
                prop_assert_eq!(file["totals"][name].as_str().map(str::to_owned), Some(posted.to_string()));
            }
            let read: Vec<UsageEntry> = serde_json::from_value(file["entries"].clone()).expect("entries");
            prop_assert_eq!(sum(read.iter().map(net_change)), history.holds());
            prop_assert!(read.iter().eq(entries.iter().rev()));
            prop_assert_eq!(rows.len(), entries.len());
        }
    }

    #[test]
    fn no_text_becomes_a_formula_and_every_amount_stays_a_figure() {
        let entry: UsageEntry = serde_json::from_value(serde_json::json!({"entry_id": "en_1", "sequence": 1, "at": "2026-11-20T10:00:00Z",
            "kind": "refunded", "change_credits": "-0.000000001", "run": null, "note": "=HYPERLINK(\"x\")"}))
        .expect("an entry");
        let kept = KeptEntry { entry, work: crate::view::UsageWork::Posted, model: Some(("@model".into(), "+id".into())) };
        let table = String::from_utf8(usage_csv(&[kept]).expect("a table")).expect("text");
        let row = table.lines().nth(1).expect("a row");
        assert!(row.contains(",-0.000000001,-0.000000001,0,0,"), "{row}");
        assert!(row.contains("'+id,'@model") && row.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{row}");
    }
}
