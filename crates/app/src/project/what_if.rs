//! How far the batches go at a pace that is tried out: "if I run this twice a day".

use super::{
    ahead::Ahead,
    figures::{about, basis_points, instant, on_ruler, usd},
    terrace::terrace,
};
use crate::{
    cases::credits_typed,
    view::{AppErrorCode, ErrorView, WhatIfBatchView, WhatIfRequest, WhatIfView},
};
use aispace_ledger::{BatchForecast, Forecast, PacePerDay, forecast};
use aispace_units::{NanoCreditSum, NanoCredits};

/// More runs a day than this are a slip of the finger.
const RUNS_MAX: u32 = 10_000;

/// Follows the account at the pace that was asked for.
///
/// # Errors
/// An amount or a number of runs is none.
pub(crate) fn what_if(ahead: &Ahead, request: &WhatIfRequest) -> Result<WhatIfView, ErrorView> {
    let tried = tried_pace(ahead.pace, request)?;
    let follow = |pace: PacePerDay| forecast(&ahead.batches, pace, ahead.now);
    let after = follow(tried);
    let lapses = lapsing(&after);
    let saved = ahead.pace.map(|pace| lapsing(&follow(pace)).minus(lapses));
    let told = |sum: NanoCreditSum| NanoCredits::try_from(sum).ok().and_then(about);
    Ok(WhatIfView {
        credits_per_day: told_pace(ahead.pace, request, tried).to_string(),
        batches: after.batches.iter().map(|row| batch(ahead, row)).collect(),
        used_in_time: u32::try_from(after.batches.iter().filter(|row| row.lapses.is_zero()).count()).unwrap_or(u32::MAX),
        lapse_credits: told(lapses).map(|sum| sum.to_string()),
        lapse_usd: told(lapses).map(|sum| usd(sum.to_decimal())),
        saved_credits: saved.and_then(told).map(|sum| sum.to_string()),
        empty_at: ahead.outlook(tried).empty_at.map(instant),
        terrace: terrace(ahead, Some(tried)),
    })
}

/// With the person's own pace in it, it is no exact thing either.
fn told_pace(present: Option<PacePerDay>, request: &WhatIfRequest, tried: PacePerDay) -> NanoCredits {
    match request {
        WhatIfRequest::Runs { on_top: true, .. } if present.is_some() => about(tried.0).unwrap_or_default(),
        WhatIfRequest::Runs { .. } | WhatIfRequest::Fixed { .. } => tried.0,
    }
}

fn lapsing(forecast: &Forecast) -> NanoCreditSum {
    NanoCreditSum::total(forecast.batches.iter().map(|row| row.lapses))
}

fn tried_pace(present: Option<PacePerDay>, request: &WhatIfRequest) -> Result<PacePerDay, ErrorView> {
    match request {
        WhatIfRequest::Fixed { credits_per_day } => credits_typed(credits_per_day).map(PacePerDay),
        WhatIfRequest::Runs { credits_per_run, runs_per_day, on_top } => {
            let beyond = |input: &dyn ToString| ErrorView::of(AppErrorCode::AmountInvalid).with("input", input.to_string());
            if *runs_per_day > RUNS_MAX {
                return Err(beyond(runs_per_day));
            }
            let run = credits_typed(credits_per_run)?;
            let usual = if *on_top { present.map_or(0, |pace| pace.0.nanos()) } else { 0 };
            let nanos = run.nanos().checked_mul(i64::from(*runs_per_day)).and_then(|runs| runs.checked_add(usual));
            let credits = nanos.and_then(|nanos| NanoCredits::from_nanos(nanos).ok());
            credits.map(PacePerDay).ok_or_else(|| beyond(credits_per_run))
        }
    }
}

fn batch(ahead: &Ahead, row: &BatchForecast) -> WhatIfBatchView {
    let drawn = row.drawn_from.zip(row.drawn_until);
    let granted = ahead.batches.iter().find(|b| b.id == row.batch).map(|b| b.granted).unwrap_or_default();
    WhatIfBatchView {
        batch_id: row.batch.as_str().into(),
        drawn_from_bp: drawn.map_or(0, |(from, _)| on_ruler(from, ahead.now)),
        drawn_until_bp: drawn.map_or(0, |(_, until)| on_ruler(until, ahead.now)),
        lapse_credits: about(row.lapses).map(|lapses| lapses.to_string()),
        lapse_bp: basis_points(i128::from(row.lapses.nanos()), i128::from(granted.nanos())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::ahead::tests::{batches, credits, now};
    use aispace_ledger::{Account, AccountId, Batch, EntryHash, EntryKind, Head, StoredAccount};
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const CREDIT: i64 = 1_000_000_000;
    const DAY: i64 = 1_440;

    fn runs(credits_per_run: &str, runs_per_day: u32, on_top: bool) -> WhatIfRequest {
        WhatIfRequest::Runs { credits_per_run: credits_per_run.into(), runs_per_day, on_top }
    }

    fn fixed(credits_per_day: &str) -> WhatIfRequest {
        WhatIfRequest::Fixed { credits_per_day: credits_per_day.into() }
    }

    fn ahead(parts: &[(i64, i64)], pace: Option<i64>) -> Ahead {
        Ahead::of_batches(batches(parts), pace.map(|whole| PacePerDay(credits(whole))), now())
    }

    #[test]
    fn twice_a_day_uses_in_time_what_the_present_pace_leaves() {
        let ahead = ahead(&[(10_000 * CREDIT, 4 * DAY), (3_000 * CREDIT, 10 * DAY)], Some(1_000));
        let view = what_if(&ahead, &runs("1,000", 2, true)).expect("a view");
        assert_eq!((view.credits_per_day.as_str(), view.used_in_time), ("3000", 2));
        assert_eq!((view.lapse_credits.as_deref(), view.saved_credits.as_deref()), (None, Some("6000")));
        assert_eq!(view.empty_at, Some(instant(now() + TimeDelta::minutes(13 * DAY / 3))));
        let instead = what_if(&ahead, &runs("250", 2, false)).expect("a view");
        assert_eq!((instead.used_in_time, instead.lapse_credits.as_deref(), instead.saved_credits), (1, Some("8000"), None));
        assert_eq!(instead.lapse_usd.as_deref(), Some("0.8"));
        let row = &instead.batches[0];
        assert_eq!((row.lapse_credits.as_deref(), row.lapse_bp, row.drawn_until_bp), (Some("8000"), 8_000, 1_333));
    }

    #[test]
    fn nothing_a_day_lets_everything_lapse() {
        let ahead = ahead(&[(10_000 * CREDIT, 4 * DAY), (3_000 * CREDIT, 10 * DAY)], Some(1_000));
        let view = what_if(&ahead, &fixed("0")).expect("a view");
        assert_eq!((view.used_in_time, view.lapse_credits.as_deref()), (0, Some("13000")));
        assert!(view.batches.iter().all(|row| (row.drawn_from_bp, row.drawn_until_bp) == (0, 0)));
        assert_eq!(view.terrace.what_if.first().map(|p| p.x_bp), Some(0));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let ahead = ahead(&[], None);
        let refused = |request: WhatIfRequest| what_if(&ahead, &request).expect_err("refused").code;
        for text in ["", "-1", "1e3", "0x1", "1.0000000001", "ten", "99999999999"] {
            assert_eq!(refused(fixed(text)), AppErrorCode::AmountInvalid, "{text}");
        }
        assert_eq!(refused(runs("1", RUNS_MAX + 1, false)), AppErrorCode::AmountInvalid);
        assert_eq!(refused(runs("9000000000", 10_000, false)), AppErrorCode::AmountInvalid);
    }

    const HOUR: i64 = 60;

    /// What lapses of each batch when a debit is posted at each hour for what is used within it, or for what is left.
    fn replayed(batches: Vec<Batch>, pace: i64, hours: i64) -> BTreeMap<String, NanoCredits> {
        let id = AccountId::new("replayed");
        let head = Head { entry_count: 0, last_hash: EntryHash::genesis(&id), latest: None };
        let mut account = Account::restore(StoredAccount { id, head, batches, holds: vec![], debts: vec![], allowance: None });
        let used = |hour: i64| i64::try_from(i128::from(pace) * i128::from(hour) / 24).expect("in range");
        let mut lapsed = BTreeMap::new();
        for hour in 0..=hours {
            let at: DateTime<Utc> = now() + TimeDelta::hours(hour);
            let wanted = NanoCredits::from_nanos(used(hour + 1) - used(hour)).expect("credits");
            let posting = account.debit(at, wanted.min(account.balance_at(at).available), None).expect("covered");
            for entry in &posting.entries {
                if let EntryKind::Expired { batch, amount } = &entry.kind {
                    lapsed.insert(batch.as_str().to_owned(), *amount);
                }
            }
            account = posting.account;
        }
        lapsed
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_is_what_the_ledger_does_step_by_step(
            parts in prop::collection::vec((1i64..90_000 * CREDIT, 1i64..24 * 12), 0..8),
            run in 0i64..3_000 * CREDIT, times in 0u32..12, usual in prop::option::of(0i64..4_000),
        ) {
            let parts: Vec<(i64, i64)> = parts.into_iter().map(|(nanos, hours)| (nanos, hours * HOUR)).collect();
            let ahead = ahead(&parts, usual);
            let per_run = NanoCredits::from_nanos(run).expect("credits").to_string();
            let view = what_if(&ahead, &runs(&per_run, times, true)).expect("a view");
            let pace = run * i64::from(times) + usual.unwrap_or(0) * CREDIT;
            if usual.is_none() {
                prop_assert_eq!(&view.credits_per_day, &NanoCredits::from_nanos(pace).expect("credits").to_string());
            }
            let lapsed = replayed(ahead.batches.clone(), pace, 24 * 13);
            prop_assert_eq!(NanoCreditSum::total(lapsed.values().copied()), lapsing(&forecast(&ahead.batches, PacePerDay(NanoCredits::from_nanos(pace).expect("credits")), now())));
            prop_assert_eq!(usize::try_from(view.used_in_time).expect("small"), parts.len() - lapsed.len());
            for row in &view.batches {
                let told = lapsed.get(&row.batch_id).copied().and_then(about).map(|credits| credits.to_string());
                prop_assert_eq!(&row.lapse_credits, &told);
            }
        }

        /// Who uses more never loses more.
        #[test]
        fn more_use_never_lapses_more(parts in prop::collection::vec((1i64..90_000 * CREDIT, 1i64..43_200), 0..8), less in 0i64..9_000, more in 0i64..9_000) {
            let ahead = ahead(&parts, Some(less));
            let view = what_if(&ahead, &runs("1", u32::try_from(more).expect("small"), true)).expect("a view");
            let lapse = |text: &Option<String>| text.as_deref().map_or(0, |t| t.parse::<NanoCredits>().expect("credits").nanos());
            let before: NanoCreditSum = lapsing(&forecast(&ahead.batches, PacePerDay(credits(less)), now()));
            prop_assert!(i128::from(lapse(&view.lapse_credits)) <= before.nanos() + 5 * i128::from(CREDIT));
        }
    }
}
