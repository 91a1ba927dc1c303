use super::history::{History, all, happenings, kept_log, page, ran, run};
use super::*;
use crate::view::UsageWork;
use aispace_api::UsageAnswer;
use aispace_api::UsageKind;
use aispace_units::NanoCreditSum;
use proptest::prelude::*;

fn debit(sequence: u64, model: u8) -> UsageEntry {
    let entry = serde_json::json!({"entry_id": format!("en_{sequence}"), "sequence": sequence, "at": "2026-11-20T10:00:00Z", "kind": "debit",
        "change_credits": "-2", "run": run(model)});
    serde_json::from_value(entry).expect("an entry")
}

async fn sequences(log: &UsageLog, filter: &EntryFilter) -> Vec<u64> {
    all(log, filter).await.iter().map(|kept| kept.entry.sequence).collect()
}

/// Reads pages of a gap until there is none or as many were read as may be.
async fn fill(log: &UsageLog, all: &[UsageEntry], limit: usize, pages: usize) {
    for _ in 0..pages {
        let Some(gap) = log.extent().await.expect("an extent").gap else { return };
        assert!(log.keep_below(&gap, &page(all, Some(&gap.cursor), limit)).await.expect("kept"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the log grows while it is read, and wherever the reading stops and a new start goes on, in the end each entry is there once.
    #[test]
    fn every_entry_is_there_in_the_end(history in happenings(60), steps in prop::collection::vec((1usize..40, 1usize..9, 0usize..4, any::<bool>()), 1..8)) {
        let entries = History::of(&history).entries();
        ran(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut log = UsageLog::open(folder.path(), "ac_test").await.expect("a log");
            let mut posted = 0;
            for (grows, limit, pages, starts_again) in steps {
                posted = entries.len().min(posted + grows);
                let newest = page(&entries[..posted], None, limit);
                log.keep_newest(&newest.entries, newest.next_cursor.as_deref()).await.expect("kept");
                fill(&log, &entries[..posted], limit, pages).await;
                if starts_again {
                    log.pool.close().await;
                    log = UsageLog::open(folder.path(), "ac_test").await.expect("the same log");
                }
                let extent = log.extent().await.expect("an extent");
                assert_eq!(extent.kept, all(&log, &EntryFilter::default()).await.len() as u64, "{extent:?}");
                assert_eq!(extent.newest, entries[..posted].last().map(|newest| (newest.sequence, newest.entry_id.clone())));
            }
            fill(&log, &entries[..posted], 7, usize::MAX).await;
            let kept: Vec<UsageEntry> = all(&log, &EntryFilter::default()).await.into_iter().rev().map(|kept| kept.entry).collect();
            assert_eq!(kept, entries[..posted]);
        });
    }

    /// The sums are those of the ledger, to the last of the nine decimals, and come to what the account holds less what it owes.
    #[test]
    fn sums_are_the_ledgers(history in happenings(60)) {
        let history = History::of(&history);
        let entries = history.entries();
        ran(async {
            let folder = tempfile::tempdir().expect("a folder");
            let log = kept_log(folder.path(), &entries).await;
            let digest = log.digest(&EntryFilter::default()).await.expect("sums");
            let sum = |sums: Vec<NanoCreditSum>| sums.into_iter().fold(NanoCreditSum::ZERO, NanoCreditSum::plus);
            for kind in [UsageKind::Debit, UsageKind::Settled, UsageKind::Refunded, UsageKind::Expired, UsageKind::BatchAdded, UsageKind::Voided] {
                let here = sum(digest.sums.iter().filter(|sums| sums.kind == kind).map(|sums| sums.net).collect());
                let there = sum(entries.iter().filter(|entry| entry.kind == kind).map(net_change).collect());
                assert_eq!(here, there, "{kind:?}");
            }
            assert_eq!(sum(digest.sums.iter().map(|sums| sums.net).collect()), history.holds());
            assert_eq!(digest.sums.iter().map(|sums| sums.entries as usize).sum::<usize>(), entries.len());
        });
    }

    /// A filter lets through exactly what it says, in rows as in sums, and refunds and ends of holds belong to their runs.
    #[test]
    fn filters_let_through_what_they_say(history in happenings(60), from in 0i64..90, model in 0u8..4, word in prop::sample::select(vec!["sora", "tokens", "input_tokens=100", "fail", "GROSSES", "großes BILD", "settled"])) {
        let entries = History::of(&history).entries();
        ran(async {
            let folder = tempfile::tempdir().expect("a folder");
            let log = kept_log(folder.path(), &entries).await;
            let about = |entry: &UsageEntry| -> Option<aispace_api::RunDescription> {
                let of = |other: Option<&UsageEntry>| other.and_then(|other| other.run.clone());
                let charge = entry.charge_sequence.and_then(|sequence| entries.iter().find(|other| other.sequence == sequence));
                let hold = entries.iter().find(|other| other.hold_id.is_some() && other.hold_id == entry.hold_id && other.run.is_some());
                entry.run.clone().or_else(|| of(charge)).or_else(|| of(hold))
            };
            let first = columns::day(&entries[0]) + from;
            let terms: Vec<String> = word.split_whitespace().map(str::to_lowercase).collect();
            let model = run(model);
            for filter in [
                EntryFilter { from_day: Some(first), ..EntryFilter::default() },
                EntryFilter { terms: terms.clone(), ..EntryFilter::default() },
                EntryFilter { model_id: Some(model.model_id.clone()), ..EntryFilter::default() },
                EntryFilter { work: Some(UsageWork::Video), from_day: Some(first), terms: terms.clone(), ..EntryFilter::default() },
                EntryFilter { work: Some(UsageWork::Posted), ..EntryFilter::default() },
            ] {
                let lets_through = |entry: &&UsageEntry| {
                    let run = about(entry);
                    let work = match run.as_ref().map(|run| run.kind.as_str()) {
                        Some("video") => UsageWork::Video,
                        None => UsageWork::Posted,
                        Some(_) => UsageWork::Other,
                    };
                    filter.from_day.is_none_or(|first| columns::day(entry) >= first)
                        && filter.terms.iter().all(|term| columns::words(entry).contains(term))
                        && filter.model_id.as_ref().is_none_or(|id| run.as_ref().is_some_and(|run| run.model_id == *id))
                        && filter.work.is_none_or(|wanted| wanted == work)
                };
                let mut expected: Vec<u64> = entries.iter().filter(lets_through).map(|entry| entry.sequence).collect();
                expected.reverse();
                assert_eq!(sequences(&log, &filter).await, expected, "{filter:?}");
                let digest = log.digest(&filter).await.expect("sums");
                assert_eq!(digest.of(&filter).map(|sums| sums.entries as usize).sum::<usize>(), expected.len(), "{filter:?}");
            }
        });
    }
}

#[tokio::test]
async fn sums_past_64_bits_of_nanos_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let most = |sequence| UsageEntry { change_credits: NanoCreditSum::from_nanos(i128::from(i64::MIN) + 1), ..debit(sequence, 0) };
    let log = kept_log(folder.path(), &[most(1), most(2), most(3)]).await;
    let digest = log.digest(&EntryFilter::default()).await.unwrap();
    assert_eq!(digest.sums[0].net.to_string(), "-27670116110.564327421");
}

#[tokio::test]
async fn a_newer_name_of_a_model_stays() {
    let folder = tempfile::tempdir().unwrap();
    let log = UsageLog::open(folder.path(), "ac_test").await.unwrap();
    let named = |sequence, name: &str| {
        let mut entry = debit(sequence, 0);
        entry.run.as_mut().unwrap().model_name = name.into();
        entry
    };
    log.keep_newest(&[named(2, "Now")], Some("2")).await.unwrap();
    let gap = log.extent().await.unwrap().gap.unwrap();
    log.keep_below(&gap, &page(&[named(1, "Once")], None, 9)).await.unwrap();
    let name = async || log.digest(&EntryFilter::default()).await.unwrap().models[0].name.clone();
    assert_eq!(name().await, "Now");
    log.keep_newest(&[named(3, "Later")], None).await.unwrap();
    assert_eq!(name().await, "Later");
}

#[tokio::test]
async fn a_page_that_is_none_of_the_gap_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = UsageLog::open(folder.path(), "ac_test").await.unwrap();
    log.keep_newest(&[debit(9, 0)], Some("9")).await.unwrap();
    let gap = log.extent().await.unwrap().gap.unwrap();
    let stuck = UsageAnswer { next_cursor: Some("9".into()), ..page(&[debit(9, 0)], None, 9) };
    assert!(!log.keep_below(&gap, &stuck).await.unwrap());
    assert!(
        matches!(log.keep_below(&gap, &page(&[debit(8, 0)], None, 9)).await, Err(StoreError::Damaged)),
        "it ends before the first entry"
    );
    assert_eq!(log.extent().await.unwrap().gap, Some(gap));
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_begun_anew_and_an_edited_row_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let log = kept_log(folder.path(), &[debit(1, 0)]).await;
    sqlx::query("UPDATE body SET body = replace(body, '-2', '-1')").execute(&log.pool).await.unwrap();
    assert!(matches!(log.entry(1).await, Err(StoreError::Damaged)));
    sqlx::query("PRAGMA user_version = 9").execute(&log.pool).await.unwrap();
    log.pool.close().await;
    let log = UsageLog::open(folder.path(), "ac_test").await.unwrap();
    assert_eq!(log.extent().await.unwrap().kept, 0);
    log.pool.close().await;
    std::fs::write(&log.path, "not a database, and long enough to have a header of its own".repeat(40)).unwrap();
    let log = UsageLog::open(folder.path(), "ac_test").await.unwrap();
    assert_eq!(log.extent().await.unwrap().kept, 0);
}

#[tokio::test]
async fn a_log_leaves_no_file_behind_and_accounts_have_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let log = kept_log(folder.path(), &[debit(1, 0)]).await;
    let other = UsageLog::open(folder.path(), "ac_other").await.unwrap();
    assert_eq!(other.extent().await.unwrap().kept, 0);
    other.pool.close().await;
    log.remove().await.unwrap();
    forget(folder.path(), "ac_other").unwrap();
    forget(folder.path(), "ac_never").unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
