//! Advice on a purchase as the window shows it: tens of credits, whole cents.

use super::{
    account::{ledger_batches, pace_per_day},
    advice::Standing,
    figures::{about, instant},
};
use crate::{
    state::State,
    view::{AdviceView, InsteadView},
};
use aispace_units::{NanoCredits, usd_for_credits};
use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

/// Lapses below so many credits are not worth a word.
const WORTH_A_WORD: i64 = 1_000_000_000;

/// What would become of the purchase at the person's own pace; nothing without a pace to tell by.
pub(crate) fn advice(state: &State, credits: NanoCredits, now: DateTime<Utc>) -> Option<AdviceView> {
    let known = state.known.as_ref()?;
    let batches = ledger_batches(&known.answer.batches);
    let standing = Standing {
        batches: &batches,
        debt: known.answer.debt_credits,
        allowance: known.answer.allowance_credits_per_day.unwrap_or(NanoCredits::ZERO),
        pace: pace_per_day(known, now)?,
    };
    let advice = standing.advise(credits, now);
    let some_lapses = advice.lapses.nanos() >= WORTH_A_WORD;
    // A pace is no exact thing: like every forecast it is told in tens, and all of the purchase is in one of the two.
    let lapses = if some_lapses { about(advice.lapses).map_or(NanoCredits::ZERO, |lapses| lapses.min(credits)) } else { NanoCredits::ZERO };
    Some(AdviceView {
        used_credits: credits.checked_sub(lapses)?.to_string(),
        lapse_credits: lapses.to_string(),
        lapses: instant(advice.ends),
        lasts_until: advice.lasts_until.map(instant),
        instead: if some_lapses { instead(advice.used) } else { None },
        wait_until: if some_lapses { advice.wait_until.map(instant) } else { None },
    })
}

/// The largest amount in whole cents of which all would be used.
fn instead(used: NanoCredits) -> Option<InsteadView> {
    let cents = usd_for_credits(used).ok()?.get().round_dp_with_strategy(2, RoundingStrategy::ToZero).normalize();
    let credits = cents.checked_mul(Decimal::from(10_000))?.normalize();
    (!cents.is_zero()).then(|| InsteadView { usd: cents.to_string(), credits: credits.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        preferences::Preferences,
        project::reminder::prefill,
        record::KnownAccount,
        view::{PrefillReason, Theme},
    };
    use serde_json::json;

    const NOW: &str = "2027-01-15T00:00:00Z";

    fn now() -> DateTime<Utc> {
        NOW.parse().expect("time")
    }

    /// Somebody with so many credits in one batch that ends in ten days, who used 1,000 on each of ten days.
    fn someone(left: &str) -> State {
        let batch = json!({"batch_id": "b", "source": "grant", "note": null, "added": "2026-12-26T00:00:00Z", "expires": "2027-01-25T00:00:00Z",
            "granted_credits": "100000", "left_credits": left, "lapsed_credits": "0", "state": "live"});
        let answer = json!({"account_id": "a", "server_time": NOW, "available_credits": left, "batches": [batch], "next_expiry": null, "entry_count": 11});
        let used = |day: u32| json!({"entry_id": format!("e{day}"), "sequence": day, "at": format!("2027-01-{day:02}T12:00:00Z"), "kind": "debit", "change_credits": "-1000", "run": null});
        let usage: Vec<_> = (5..15).rev().map(|day| serde_json::from_value(used(day)).expect("an entry")).collect();
        let known = KnownAccount { answer: serde_json::from_value(answer).expect("an account"), usage, clock_offset_ms: 0 };
        State::new(
            (crate::roster::Roster::of_first(), [(crate::roster::LocalId::first(), known)].into()),
            &[],
            (Theme::System, Preferences::default()),
            vec![],
            std::time::Duration::ZERO,
        )
    }

    fn credits(text: &str) -> NanoCredits {
        text.parse().expect("credits")
    }

    #[test]
    fn what_lapses_is_said_with_what_to_do_instead() {
        // 4,000 last four days; then 26 of the purchase's thirty are left at 1,000 a day.
        let advice = advice(&someone("4000"), credits("27500.5"), now()).expect("there is a pace");
        assert_eq!((advice.used_credits.as_str(), advice.lapse_credits.as_str()), ("26000.5", "1500"));
        assert_eq!(advice.lapses, "2027-02-14T00:00:00.000Z");
        assert_eq!(advice.instead, Some(InsteadView { usd: "2.6".into(), credits: "26000".into() }));
        // A day and a half and 43.2 seconds later all of it fits.
        assert_eq!(advice.wait_until.as_deref(), Some("2027-01-16T12:00:43.200Z"));
        assert_eq!(advice.lasts_until, None);
    }

    #[test]
    fn what_is_used_in_time_is_said_without_a_warning() {
        let advice = advice(&someone("4000"), credits("10000"), now()).expect("there is a pace");
        assert_eq!((advice.used_credits.as_str(), advice.lapse_credits.as_str()), ("10000", "0"));
        assert_eq!((advice.instead, advice.wait_until), (None, None));
        assert_eq!(advice.lasts_until.as_deref(), Some("2027-01-29T00:00:00.000Z"));
    }

    #[test]
    fn a_balance_that_the_pace_empties_soon_is_low_and_a_month_is_suggested() {
        let suggested = |left: &str, threshold: &str| {
            let mut state = someone(left);
            state.preferences.low_balance_usd = Some(threshold.parse().expect("dollars"));
            prefill(&state, now()).map(|view| (view.usd, view.reason))
        };
        // 1,900 credits are gone before two days are over; a month takes 28,100 more, or 2.81 dollars: the least is five.
        assert_eq!(suggested("1900", "0.01"), Some(("5".into(), PrefillReason::LowBalance)));
        assert_eq!(suggested("4000", "0.01"), None);
        assert_eq!(suggested("4000", "0.5"), Some(("5".into(), PrefillReason::LowBalance)));
    }
}
