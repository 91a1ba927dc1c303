//! A purchase that is suggested: by a link, or because the balance is low. Nothing is paid without a click.

use super::{
    account::{ledger_batches, pace_per_day},
    advice::Standing,
};
use crate::{
    record::{KnownAccount, PaymentRecord},
    state::State,
    view::{PrefillReason, PrefillView},
};
use aispace_units::{NanoCreditSum, NanoCredits, Usd, usd_for_credits};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

/// A balance that the pace empties within so many days is low as well.
const DAYS_LEFT_LOW: i64 = 2;
/// What is suggested where there is no pace to tell by.
const USUAL_USD: i64 = 25;
const LEAST_USD: i64 = 5;
/// More than anybody uses in a month: what of it would be used is what a month uses.
const MONTH_PROBE: i64 = 900_000_000_000_000_000;

/// What the next purchase begins with.
pub(crate) fn prefill(state: &State, now: DateTime<Utc>) -> Option<PrefillView> {
    if let Some(linked) = &state.linked_amount {
        return Some(PrefillView { usd: linked.usd.to_string(), reason: PrefillReason::Link });
    }
    let under_way = state.payment.as_ref().is_some_and(PaymentRecord::is_open);
    if under_way || state.preferences.low_balance_dismissed {
        return None;
    }
    low_balance(state, now).map(|usd| PrefillView { usd: usd.to_string(), reason: PrefillReason::LowBalance })
}

/// What to buy, when the balance is low and a person wants to be told.
pub(crate) fn low_balance(state: &State, now: DateTime<Utc>) -> Option<Usd> {
    low_balance_of(state.known.as_ref()?, state.preferences.low_balance_usd?, now)
}

/// What to buy for an account that is below a limit, or empty soon.
pub(super) fn low_balance_of(known: &KnownAccount, threshold: Usd, now: DateTime<Utc>) -> Option<Usd> {
    let batches = ledger_batches(&known.answer.batches);
    let available = NanoCreditSum::total(batches.iter().filter(|b| b.is_live(now)).map(|b| b.left));
    let pace = pace_per_day(known, now);
    // 10,000 credits are a dollar.
    let worth = available.to_decimal().ok()?.checked_div(Decimal::from(10_000))?;
    let soon_empty = pace.filter(|pace| !pace.0.is_zero()).is_some_and(|pace| {
        let empty = aispace_ledger::forecast(&batches, pace, now).empty_at;
        empty.is_none_or(|empty| empty < now + TimeDelta::days(DAYS_LEFT_LOW))
    });
    if worth >= threshold.get() && !soon_empty {
        return None;
    }
    let least = Usd::new(Decimal::from(LEAST_USD)).ok()?;
    let Some(pace) = pace.filter(|pace| !pace.0.is_zero()) else { return Usd::new(Decimal::from(USUAL_USD)).ok() };
    let standing = Standing {
        batches: &batches,
        debt: known.answer.debt_credits,
        allowance: known.answer.allowance_credits_per_day.unwrap_or(NanoCredits::ZERO),
        pace,
    };
    let month = standing.advise(NanoCredits::from_nanos(MONTH_PROBE).ok()?, now).used;
    let whole = usd_for_credits(month).ok()?.get().round_dp_with_strategy(0, RoundingStrategy::ToZero);
    Some(Usd::new(whole).ok()?.max(least))
}
