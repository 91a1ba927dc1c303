//! What a person means to spend in a UTC day and month, beside what is spent.

use super::figures::{basis_points, instant};
use crate::{
    preferences::Preferences,
    record::KnownAccount,
    view::{BudgetSpan, BudgetSpanView, BudgetView},
};
use aispace_api::{UsageEntry, UsageKind};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

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

/// What is spent of each limit at an instant of the service's clock; none without a limit.
pub(crate) fn spending(preferences: &Preferences, known: &KnownAccount, now: DateTime<Utc>) -> Option<Spending> {
    let limits = [(BudgetSpan::Day, preferences.budget_day), (BudgetSpan::Month, preferences.budget_month)];
    let spans: Vec<Spent> = limits
        .into_iter()
        .filter_map(|(span, limit)| {
            let (from, resets) = bounds(span, now.date_naive())?;
            let spent = spent(&known.usage, from, now);
            Some(Spent { span, limit: limit?, spent, resets, at_least: !reaches(known, from) })
        })
        .collect();
    (!spans.is_empty()).then_some(Spending { spans, held: known.answer.held_credits })
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

/// The span of a day: its first instant, and the first that is not in it any more.
fn bounds(span: BudgetSpan, today: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|at| at.and_utc());
    let (first, next) = match span {
        BudgetSpan::Day => (today, today.checked_add_days(Days::new(1))?),
        BudgetSpan::Month => {
            let first = today.with_day(1)?;
            (first, first.checked_add_months(Months::new(1))?)
        }
    };
    Some((midnight(first)?, midnight(next)?))
}

/// Charged less given back, of entries in `[from, to]`; never below nothing, for a refund may be of an earlier span's charge.
fn spent(usage: &[UsageEntry], from: DateTime<Utc>, to: DateTime<Utc>) -> NanoCredits {
    let counted =
        |e: &&UsageEntry| matches!(e.kind, UsageKind::Debit | UsageKind::Settled | UsageKind::Refunded) && e.at >= from && e.at <= to;
    let change = usage
        .iter()
        .filter(counted)
        .fold(NanoCreditSum::default(), |sum, entry| sum.plus(entry.debt_change_credits.minus(entry.change_credits)));
    NanoCredits::try_from(change).unwrap_or_default()
}

/// Whether the log that is here reaches back to an instant.
fn reaches(known: &KnownAccount, from: DateTime<Utc>) -> bool {
    let whole = u64::try_from(known.usage.len()).is_ok_and(|entries| entries >= known.answer.entry_count);
    whole || known.usage.last().is_some_and(|oldest| oldest.at < from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn entry(at: &str, kind: &str, change: &str) -> UsageEntry {
        let entry = json!({"entry_id": "e", "sequence": 1, "at": at, "kind": kind, "change_credits": change, "debt_change_credits": "0", "run": null});
        serde_json::from_value(entry).expect("an entry")
    }

    fn known(usage: Vec<UsageEntry>, entry_count: u64, held: &str) -> KnownAccount {
        let answer = json!({"account_id": "a", "server_time": "2027-01-01T00:00:00Z", "available_credits": "6", "batches": [],
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
        let spending = spending(limits, known, at(now)).expect("a limit");
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
        assert!(spending(&limits(None, None), &known(vec![], 0, "0"), at("2027-01-05T12:00:00Z")).is_none());
    }

    proptest! {
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
