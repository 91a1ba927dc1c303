//! What a person means to spend in a UTC day and month, beside what is spent.

use super::{
    figures::{basis_points, instant},
    usage::day_of,
};
use crate::{
    preferences::Preferences,
    record::KnownAccount,
    usage_log::{SpentDays, spent},
    view::{BudgetSpan, BudgetSpanView, BudgetView},
};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use std::ops::RangeInclusive;

/// What is spent in each span that has a limit.
pub(crate) struct Spending {
    spans: Vec<Spent>,
    held: NanoCredits,
}

struct Spent {
    span: BudgetSpan,
    limit: NanoCredits,
    spent: NanoCredits,
    resets: DateTime<Utc>,
    at_least: bool,
}

/// What is spent of each limit at an instant of the service's clock; none without a limit. `kept` is of the account's log on this computer.
pub(crate) fn spending(preferences: &Preferences, known: &KnownAccount, kept: Option<&SpentDays>, now: DateTime<Utc>) -> Option<Spending> {
    let limits = [(BudgetSpan::Day, preferences.budget_day), (BudgetSpan::Month, preferences.budget_month)];
    let of_account = |kept: &&SpentDays| kept.account_id == known.answer.account_id && kept.newest <= known.answer.entry_count;
    let kept = kept.filter(of_account);
    let today = now.date_naive();
    let spans: Vec<Spent> = limits
        .into_iter()
        .filter_map(|(span, limit)| {
            let (from, next) = bounds(span, today)?;
            let (spent, at_least) = spent_from(known, kept, day_of(from)..=day_of(today));
            Some(Spent { span, limit: limit?, spent, resets: next.and_time(NaiveTime::MIN).and_utc(), at_least })
        })
        .collect();
    (!spans.is_empty()).then_some(Spending { spans, held: known.answer.held_credits })
}

/// The first day that any span needs at an instant, counted from 1970.
pub(crate) fn first_day(now: DateTime<Utc>) -> i64 {
    let today = now.date_naive();
    day_of(bounds(BudgetSpan::Month, today).map_or(today, |(first, _)| first))
}

/// A cost beside what is spent.
pub(crate) fn beside(spending: &Spending, cost: NanoCredits) -> Option<BudgetView> {
    let spans: Vec<BudgetSpanView> = spending.spans.iter().map(|span| span_view(span, spending.held, cost)).collect();
    let passed = spans.iter().any(|span| span.over_credits.is_some());
    Some(BudgetView { spans, passed })
}

fn span_view(of: &Spent, held: NanoCredits, cost: NanoCredits) -> BudgetSpanView {
    let before = NanoCreditSum::total([of.spent, held]);
    let after = before.plus(cost.into());
    let left = NanoCreditSum::from(of.limit).minus(after);
    let limit = i128::from(of.limit.nanos());
    let over = left.nanos() < 0;
    BudgetSpanView {
        span: of.span,
        limit_credits: of.limit.to_string(),
        spent_credits: of.spent.to_string(),
        held_credits: (!held.is_zero()).then(|| held.to_string()),
        left_credits: if over { NanoCreditSum::default() } else { left }.to_string(),
        over_credits: over.then(|| after.minus(of.limit.into()).to_string()),
        spent_bp: basis_points(before.nanos(), limit),
        after_bp: basis_points(after.nanos(), limit),
        resets: instant(of.resets),
        at_least: of.at_least,
    }
}

/// The span of a day: its first day, and the first that is not in it any more.
fn bounds(span: BudgetSpan, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    match span {
        BudgetSpan::Day => Some((today, today.checked_add_days(Days::new(1))?)),
        BudgetSpan::Month => {
            let first = today.with_day(1)?;
            Some((first, first.checked_add_months(Months::new(1))?))
        }
    }
}

/// Charged less given back on some days, and whether entries of them may be missing: what the log has, and what was read since it was
/// last written. Never below nothing, for a refund may be of an earlier span's charge.
fn spent_from(known: &KnownAccount, kept: Option<&SpentDays>, days: RangeInclusive<i64>) -> (NanoCredits, bool) {
    let newest = kept.map_or(0, |kept| kept.newest);
    let mut sum = NanoCreditSum::ZERO;
    for (_, spent) in kept.iter().flat_map(|kept| &kept.days).filter(|(day, _)| days.contains(day)) {
        sum = sum.plus(*spent);
    }
    // The oldest that is newer than the log, and what lies between them.
    let mut reached: Option<(u64, i64)> = None;
    for entry in known.usage.iter().filter(|entry| entry.sequence > newest) {
        let day = day_of(entry.at.date_naive());
        if days.contains(&day) {
            sum = sum.plus(spent(entry));
        }
        reached = Some(reached.map_or((entry.sequence, day), |oldest| oldest.min((entry.sequence, day))));
    }
    let missing_between = match reached {
        Some((sequence, day)) => sequence > newest.saturating_add(1) && day >= *days.start(),
        None => known.answer.entry_count > newest,
    };
    let missing_below = kept.is_some_and(|kept| kept.whole_from > *days.start());
    (NanoCredits::try_from(sum).unwrap_or_default(), missing_between || missing_below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_log::{
        UsageLog,
        history::{History, happenings, page, ran},
    };
    use aispace_api::UsageEntry;
    use proptest::prelude::*;
    use serde_json::json;

    fn entry(at: &str, kind: &str, change: &str) -> UsageEntry {
        let entry = json!({"entry_id": "e", "sequence": 1, "at": at, "kind": kind, "change_credits": change, "debt_change_credits": "0", "run": null});
        serde_json::from_value(entry).expect("an entry")
    }

    /// The newest of so many entries, which are numbered here.
    fn known(mut usage: Vec<UsageEntry>, entry_count: u64, held: &str) -> KnownAccount {
        for (entry, below) in usage.iter_mut().zip(0..) {
            entry.sequence = entry_count - below;
        }
        let answer = json!({"account_id": "ac_test", "server_time": "2027-01-01T00:00:00Z", "available_credits": "6", "batches": [],
            "next_expiry": null, "entry_count": entry_count, "held_credits": held});
        KnownAccount { answer: serde_json::from_value(answer).expect("an answer"), usage, clock_offset_ms: 0 }
    }

    fn limits(day: Option<&str>, month: Option<&str>) -> Preferences {
        let credits = |text: Option<&str>| text.map(|t| t.parse().expect("credits"));
        Preferences { budget_day: credits(day), budget_month: credits(month), ..Preferences::default() }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn view(known: &KnownAccount, limits: &Preferences, now: &str, cost: &str) -> BudgetView {
        let spending = spending(limits, known, None, at(now)).expect("a limit");
        beside(&spending, cost.parse().expect("credits")).expect("a view")
    }

    #[test]
    fn days_and_months_begin_at_midnight_in_utc() {
        let log = || {
            vec![
                entry("2027-02-01T00:00:00Z", "debit", "-5"),
                entry("2027-01-31T23:59:59.999Z", "settled", "-7"),
                entry("2027-01-01T00:00:00Z", "debit", "-11"),
                entry("2026-12-31T23:59:59.999Z", "debit", "-13"),
            ]
        };
        let spent = |now: &str| -> Vec<(String, String)> {
            let view = view(&known(log(), 4, "0"), &limits(Some("100"), Some("100")), now, "0");
            view.spans.into_iter().map(|s| (s.spent_credits, s.resets)).collect()
        };
        let pair = |credits: &str, resets: &str| (credits.to_owned(), resets.to_owned());
        assert_eq!(spent("2027-01-31T23:59:59.999Z"), [pair("7", "2027-02-01T00:00:00.000Z"), pair("18", "2027-02-01T00:00:00.000Z")]);
        assert_eq!(spent("2027-02-01T00:00:00Z"), [pair("5", "2027-02-02T00:00:00.000Z"), pair("5", "2027-03-01T00:00:00.000Z")]);
    }

    #[test]
    fn what_is_given_back_counts_less_and_what_lapses_not_at_all() {
        let log = vec![
            entry("2027-01-05T04:00:00Z", "refunded", "4"),
            entry("2027-01-05T03:00:00Z", "expired", "-900"),
            entry("2027-01-05T02:00:00Z", "debit", "-10"),
        ];
        let shown = view(&known(log, 3, "0"), &limits(Some("20"), None), "2027-01-05T12:00:00Z", "1");
        let day = &shown.spans[0];
        assert_eq!((day.spent_credits.as_str(), day.left_credits.as_str(), shown.passed), ("6", "13", false));
        let only_back = vec![entry("2027-01-05T04:00:00Z", "refunded", "4")];
        assert_eq!(view(&known(only_back, 1, "0"), &limits(Some("20"), None), "2027-01-05T12:00:00Z", "1").spans[0].spent_credits, "0");
    }

    #[test]
    fn a_run_that_just_fits_does_not_pass_and_one_step_more_does() {
        let log = || vec![entry("2027-01-05T02:00:00Z", "debit", "-10")];
        let of = |cost: &str| view(&known(log(), 1, "3"), &limits(Some("20"), None), "2027-01-05T12:00:00Z", cost);
        assert_eq!((of("7").passed, of("7").spans[0].left_credits.as_str(), of("7").spans[0].after_bp), (false, "0", 10_000));
        let over = of("7.000000001");
        assert_eq!((over.passed, over.spans[0].over_credits.as_deref()), (true, Some("0.000000001")));
    }

    #[test]
    fn a_log_that_does_not_reach_back_says_at_least() {
        let log = || vec![entry("2027-01-05T02:00:00Z", "debit", "-10")];
        let at_least =
            |entries: u64| view(&known(log(), entries, "0"), &limits(Some("20"), None), "2027-01-05T12:00:00Z", "1").spans[0].at_least;
        assert!(!at_least(1) && at_least(2));
    }

    #[test]
    fn no_limit_is_no_budget() {
        assert!(spending(&limits(None, None), &known(vec![], 0, "0"), None, at("2027-01-05T12:00:00Z")).is_none());
    }

    proptest! {
        /// However much of the log is here, however old it is, and however little was read since: what is said to be exact is what the
        /// whole log comes to, and what is said to be `at least` is no more than all charges.
        #[test]
        fn exact_is_exact(history in happenings(60), kept in 0usize..70, pages in 0usize..4, limit in 1usize..12, read in 0usize..30, days_ago in 0i64..40) {
            let entries = History::of(&history).entries();
            let last = entries.last().expect("an entry").at;
            let now = last - chrono::TimeDelta::days(days_ago.min((last - entries[0].at).num_days()));
            // What is posted after now is not there yet.
            let entries: Vec<UsageEntry> = entries.into_iter().filter(|entry| entry.at <= now).collect();
            let days = ran(async {
                let folder = tempfile::tempdir().expect("a folder");
                let log = UsageLog::open(folder.path(), "ac_test").await.expect("a log");
                for posted in [kept.min(entries.len()) / 2, kept.min(entries.len())] {
                    let newest = page(&entries[..posted], None, limit);
                    log.keep_newest(&newest.entries, newest.next_cursor.as_deref()).await.expect("kept");
                    for _ in 0..pages {
                        let Some(gap) = log.extent().await.expect("an extent").gap else { break };
                        log.keep_below(&gap, &page(&entries[..posted], Some(&gap.cursor), limit)).await.expect("kept");
                    }
                }
                log.spent_from(first_day(now)).await.expect("sums")
            });
            let known = known(entries.iter().rev().take(read).cloned().collect(), entries.len() as u64, "0");
            let spending = spending(&limits(Some("1"), Some("1")), &known, Some(&days), now).expect("limits");
            let firsts = [day_of(now.date_naive()), first_day(now)];
            for (span, first) in spending.spans.iter().zip(firsts) {
                let of = |counts: fn(&UsageEntry) -> bool| {
                    let within = entries.iter().filter(|entry| day_of(entry.at.date_naive()) >= first && counts(entry));
                    NanoCredits::try_from(within.fold(NanoCreditSum::ZERO, |sum, entry| sum.plus(spent(entry)))).unwrap_or_default()
                };
                if span.at_least {
                    prop_assert!(span.spent <= of(|entry| entry.charge_sequence.is_none()));
                } else {
                    prop_assert_eq!(span.spent, of(|_| true));
                }
                if kept >= entries.len() && days.whole_from <= first {
                    prop_assert!(!span.at_least, "the whole log is here");
                }
            }
        }

        /// What is left and what is over never exist together, and either completes the sum.
        #[test]
        fn limit_is_spent_and_held_and_run_and_left_less_over(limit in 1i64..1_000_000, spent in 0i64..1_000_000, held in 0i64..1_000_000, cost in 0i64..1_000_000) {
            let log = vec![entry("2027-01-05T02:00:00Z", "debit", &format!("-{spent}"))];
            let shown = view(&known(log, 1, &held.to_string()), &limits(Some(&limit.to_string()), None), "2027-01-05T12:00:00Z", &cost.to_string());
            let day = &shown.spans[0];
            let whole = |text: &str| text.parse::<i64>().unwrap();
            let over = day.over_credits.as_deref().map_or(0, whole);
            prop_assert_eq!(limit, spent + held + cost + whole(&day.left_credits) - over);
            prop_assert_eq!(shown.passed, over > 0);
            prop_assert!(over == 0 || whole(&day.left_credits) == 0);
        }
    }
}
