//! The account as the window shows it: exact when live, "at most" when not.

use super::{
    ahead::Ahead,
    charge::charge,
    figures::{about, basis_points, instant, on_ruler, usd, week},
    terrace::terrace,
};
use crate::{
    record::KnownAccount,
    usage_log::{kind_word, net_change},
    view::{AccountView, BatchView, EndedPageView, NextEndView, PaceDayView, PaceView, UsageRowView},
};
use aispace_api::{BatchAnswer, BatchSource as WireSource, UsageEntry, UsageKind};
use aispace_ledger::{Batch, BatchForecast, BatchId, BatchSource, Forecast, PacePerDay, forecast};
use aispace_pricing::RateCard;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;

/// Full days that the pace is a mean of, at most.
const PACE_DAYS: u64 = 14;
/// Rows of the usage log that the window gets.
const USAGE_ROWS: usize = 100;

/// The account at an instant of the service's clock. `live` says whether the service answered last: if not, runs since are not known,
/// and nothing is foretold.
pub(crate) fn account(known: &KnownAccount, card: &RateCard, live: bool, now: DateTime<Utc>) -> AccountView {
    let answer = &known.answer;
    let ahead = Ahead::of(known, now);
    let ahead = if live { ahead } else { Ahead { pace: None, ..ahead.without_renewals() } };
    let alive = ahead.live();
    let available = NanoCreditSum::total(alive.iter().map(|b| b.left));
    let forecast = ahead.pace.map(|pace| forecast(&ahead.batches, pace, now));
    let over = || ahead.batches.iter().filter(|b| is_over(b, now));
    let lapsed = NanoCreditSum::total(over().map(|b| not_used(b, now)));
    let empty_at = ahead.pace.and_then(|pace| ahead.outlook(pace).empty_at).filter(|_| !alive.is_empty());
    AccountView {
        account_id: answer.account_id.clone(),
        available_credits: available.to_string(),
        available_usd: available.to_decimal().map(usd).unwrap_or_default(),
        held_credits: if_any(answer.held_credits),
        debt_credits: if_any(answer.debt_credits),
        allowance_credits_per_day: answer.allowance_credits_per_day.and_then(if_any),
        next_renewal: Ahead::of(known, now).next_renewal().map(instant),
        not_counted: if live { None } else { Ahead::of(known, now).renewals_since(answer.server_time) },
        at_most: !live,
        known_at: instant(answer.server_time),
        next_end: next_end(&alive, forecast.as_ref(), now),
        at_risk: ahead.at_risk(),
        batches: alive.iter().zip(1u32..).map(|(b, order)| live_batch(b, order, forecast.as_ref(), now)).collect(),
        ended_count: u32::try_from(over().count()).unwrap_or(u32::MAX),
        lapsed_credits: lapsed.to_string(),
        terrace: terrace(&ahead, None),
        pace: pace(known, now).map(|(_, view)| PaceView { empty_at: empty_at.map(instant), ..view }),
        usage: known.usage.iter().take(USAGE_ROWS).map(|entry| usage_row(card, entry)).collect(),
    }
}

fn if_any(credits: NanoCredits) -> Option<String> {
    (!credits.is_zero()).then(|| credits.to_string())
}

/// The service's batches as the ledger's, in the service's order of drawing.
pub(crate) fn ledger_batches(answers: &[BatchAnswer]) -> Vec<Batch> {
    let of = |(answer, seq): (&BatchAnswer, u64)| Batch {
        id: BatchId::new(answer.batch_id.clone()),
        seq,
        source: ledger_source(answer.source),
        note: answer.note.clone(),
        added: answer.added,
        expires: answer.expires,
        granted: answer.granted_credits,
        left: answer.left_credits,
        held: answer.held_credits,
        lapsed: answer.lapsed_credits,
        voided: answer.voided_credits,
        voided_at: answer.voided_at,
    };
    answers.iter().zip(1..).map(of).collect()
}

fn ledger_source(source: WireSource) -> BatchSource {
    match source {
        WireSource::EthPurchase => BatchSource::EthPurchase,
        WireSource::CardPurchase => BatchSource::CardPurchase,
        WireSource::Grant => BatchSource::Grant,
        WireSource::DailyRenewal => BatchSource::DailyRenewal,
    }
}

fn row<'a>(forecast: Option<&'a Forecast>, batch: &Batch) -> Option<&'a BatchForecast> {
    forecast?.batches.iter().find(|row| row.batch == batch.id)
}

fn live_batch(batch: &Batch, order: u32, forecast: Option<&Forecast>, now: DateTime<Utc>) -> BatchView {
    let row = row(forecast, batch);
    let drawn = row.and_then(|r| r.drawn_from.zip(r.drawn_until));
    BatchView {
        order,
        drawn_from_bp: drawn.map_or(0, |(from, _)| on_ruler(from, now)),
        drawn_until_bp: drawn.map_or(0, |(_, until)| on_ruler(until, now)),
        lapse_credits: row.and_then(|r| about(r.lapses)).map(|a| a.to_string()),
        lapse_bp: row.map_or(0, |r| share(r.lapses, batch.granted)),
        ..plain_batch(batch, batch.left, now)
    }
}

fn plain_batch(batch: &Batch, left: NanoCredits, now: DateTime<Utc>) -> BatchView {
    let nanos = |credits: NanoCredits| i128::from(credits.nanos());
    let used = nanos(batch.granted) - nanos(left) - nanos(batch.held);
    BatchView {
        batch_id: batch.id.as_str().into(),
        order: 0,
        source: batch.source.as_str().into(),
        note: batch.note.clone(),
        added: instant(batch.added),
        expires: instant(batch.expires),
        granted_credits: batch.granted.to_string(),
        left_credits: left.to_string(),
        held_credits: if_any(batch.held),
        used_bp: basis_points(used, nanos(batch.granted)),
        held_bp: share(batch.held, batch.granted),
        lapse_bp: 0,
        ends_bp: on_ruler(batch.expires, now),
        drawn_from_bp: 0,
        drawn_until_bp: 0,
        lapse_credits: None,
        week: week(batch.expires, now),
    }
}

fn share(part: NanoCredits, whole: NanoCredits) -> u32 {
    basis_points(i128::from(part.nanos()), i128::from(whole.nanos()))
}

/// Used-up, expired and voided. One that is alive and wholly held has not ended.
pub(super) fn is_over(batch: &Batch, now: DateTime<Utc>) -> bool {
    batch.is_closed(now) || batch.is_spent()
}

/// What nobody used of an ended one: it lapsed, here too when it ended since the last sync, or was taken away.
fn not_used(batch: &Batch, now: DateTime<Utc>) -> NanoCredits {
    let lapsed = if batch.expires <= now && batch.lapsed.is_zero() { batch.left } else { batch.lapsed };
    lapsed.checked_add(batch.voided).unwrap_or(lapsed)
}

/// Some of the ended batches, newest end first.
pub(crate) fn ended(known: &KnownAccount, from: u32, count: u32, now: DateTime<Utc>) -> EndedPageView {
    let mut over: Vec<Batch> = ledger_batches(&known.answer.batches).into_iter().filter(|b| is_over(b, now)).collect();
    over.sort_by_key(|b| std::cmp::Reverse((b.expires, b.seq)));
    let (from_place, count) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(count).unwrap_or_default());
    let batches: Vec<BatchView> = over.iter().skip(from_place).take(count).map(|b| plain_batch(b, not_used(b, now), now)).collect();
    let shown = from_place.saturating_add(batches.len());
    EndedPageView { next: u32::try_from(shown).ok().filter(|_| shown < over.len()), batches }
}

fn next_end(alive: &[&Batch], forecast: Option<&Forecast>, now: DateTime<Utc>) -> Option<NextEndView> {
    let batch = alive.iter().filter(|b| b.expires > now).min_by_key(|b| b.expires)?;
    let row = row(forecast, batch);
    let lapses = row.and_then(|r| about(r.lapses));
    Some(NextEndView {
        batch_id: batch.id.as_str().into(),
        source: batch.source.as_str().into(),
        added: instant(batch.added),
        left_credits: batch.left.to_string(),
        expires: instant(batch.expires),
        used_at_pace_credits: row.and_then(|r| about(r.drawn)).map(|a| a.to_string()),
        lapse_credits: lapses.map(|a| a.to_string()),
        lapse_usd: lapses.map(|a| usd(a.to_decimal())),
        used_at_pace_bp: row.map_or(0, |r| share(r.drawn, batch.left)),
    })
}

/// The pace a forecast of this account uses.
pub(crate) fn pace_per_day(known: &KnownAccount, now: DateTime<Utc>) -> Option<PacePerDay> {
    pace(known, now).map(|(per_day, _)| per_day)
}

/// The mean use of the full UTC days on record. Days that nobody asked about since are no days without use.
fn pace(known: &KnownAccount, now: DateTime<Utc>) -> Option<(PacePerDay, PaceView)> {
    let today = now.min(known.answer.server_time).date_naive();
    let oldest = known.usage.last()?.at.date_naive();
    let first = oldest.max(today.checked_sub_days(Days::new(PACE_DAYS))?);
    let mut days: BTreeMap<NaiveDate, i128> = first.iter_days().take_while(|day| *day < today).map(|day| (day, 0)).collect();
    for entry in known.usage.iter().filter(|e| matches!(e.kind, UsageKind::Debit | UsageKind::Settled)) {
        if let Some(sum) = days.get_mut(&entry.at.date_naive()) {
            *sum = sum.saturating_sub(net_change(entry).nanos());
        }
    }
    let count = i128::try_from(days.len()).ok().filter(|n| *n > 0)?;
    let mean = days.values().sum::<i128>() / count;
    let busiest = days.values().copied().max()?;
    let per_day = NanoCredits::from_nanos(i64::try_from(mean).ok()?).ok()?;
    let history = days
        .iter()
        .map(|(date, nanos)| PaceDayView {
            date: date.to_string(),
            credits: NanoCreditSum::from_nanos(*nanos).to_string(),
            height_bp: basis_points(*nanos, busiest),
        })
        .collect();
    let shown = about(per_day).unwrap_or(per_day).to_string();
    let view = PaceView { credits_per_day: shown, days: u32::try_from(count).ok()?, empty_at: None, history };
    Some((PacePerDay(per_day), view))
}

/// Meters that are read first come first: a clip is "4 s, 720p, sound", a message "500 in, 200 out".
const METERS_FIRST: [&str; 5] = ["seconds", "resolution", "audio", "input_tokens", "output_tokens"];

pub(super) fn meters(run: &aispace_api::RunDescription) -> Vec<String> {
    let rank = |name: &str| METERS_FIRST.iter().position(|first| *first == name).unwrap_or(METERS_FIRST.len());
    let mut meters: Vec<_> = run.meters.iter().collect();
    meters.sort_by_key(|(name, _)| rank(name));
    meters.iter().map(|(name, n)| format!("{name}={n}")).collect()
}

fn usage_row(card: &RateCard, entry: &UsageEntry) -> UsageRowView {
    let run = entry.run.as_ref();
    let text = |of: fn(&aispace_api::RunDescription) -> &str| run.map(of).unwrap_or_default().to_owned();
    UsageRowView {
        entry_id: entry.entry_id.clone(),
        sequence: entry.sequence.to_string(),
        at: instant(entry.at),
        kind: kind_word(entry.kind).into(),
        run_kind: text(|r| &r.kind),
        model_name: text(|r| &r.model_name),
        model_id: text(|r| &r.model_id),
        meters: run.map(meters).unwrap_or_default(),
        rule: text(|r| r.rule.as_deref().unwrap_or_default()),
        change_credits: net_change(entry).to_string(),
        charge: charge(card, entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn card() -> RateCard {
        RateCard::aispace().expect("built in")
    }

    fn entry(kind: &str, at: &str, change: &str, debt: &str) -> UsageEntry {
        let entry = json!({"entry_id": "e", "sequence": 1, "at": at, "kind": kind, "change_credits": change, "debt_change_credits": debt,
            "run": null});
        serde_json::from_value(entry).expect("an entry")
    }

    #[test]
    fn every_kind_has_its_own_word_and_an_unknown_one_breaks_nothing() {
        let kinds = ["batch_added", "debit", "expired", "held", "settled", "released", "timed_out", "voided", "refunded", "debt_paid"];
        for kind in kinds.into_iter().chain(["allowance_set"]) {
            assert_eq!(usage_row(&card(), &entry(kind, "2027-01-01T00:00:00Z", "0", "0")).kind, kind);
        }
        assert_eq!(usage_row(&card(), &entry("of_a_newer_service", "2027-01-01T00:00:00Z", "0", "0")).kind, "unknown");
    }

    #[test]
    fn a_run_counts_whole_though_a_part_of_it_is_owed() {
        let charged = entry("settled", "2027-01-01T12:00:00Z", "-10", "2");
        assert_eq!(usage_row(&card(), &charged).change_credits, "-12");
        let paid = entry("debt_paid", "2027-01-02T12:00:00Z", "-2", "-2");
        assert_eq!(usage_row(&card(), &paid).change_credits, "0");
        let held = entry("held", "2027-01-02T13:00:00Z", "0", "0");
        let now = "2027-01-03T01:00:00Z".parse().expect("time");
        let answer = aispace_api::AccountAnswer { server_time: now, ..account_of_an_older_service() };
        let known = KnownAccount { answer, usage: vec![held, paid, charged], clock_offset_ms: 0 };
        let (per_day, view) = pace(&known, now).expect("a pace");
        assert_eq!((per_day.0.to_string().as_str(), view.days), ("6", 2));
    }

    #[test]
    fn a_voided_batch_is_over_and_was_not_used() {
        let mut answer = account_of_an_older_service();
        answer.batches[0].left_credits = NanoCredits::ZERO;
        answer.batches[0].voided_credits = "6".parse().expect("credits");
        answer.batches[0].voided_at = Some("2027-01-01T06:00:00Z".parse().expect("time"));
        let known = KnownAccount { answer, usage: vec![], clock_offset_ms: 0 };
        let view = account(&known, &card(), true, "2027-01-02T00:00:00Z".parse().expect("time"));
        assert_eq!((view.available_credits.as_str(), view.batches.len()), ("0", 0));
        let over = ended(&known, 0, 9, "2027-01-02T00:00:00Z".parse().expect("time")).batches;
        assert_eq!((over[0].left_credits.as_str(), over[0].used_bp, view.ended_count), ("6", 4_000, 1));
    }

    #[test]
    fn what_is_held_owed_and_added_daily_is_told_when_there_is_any() {
        let of = |answer: aispace_api::AccountAnswer| {
            let known = KnownAccount { answer, usage: vec![], clock_offset_ms: 0 };
            let view = account(&known, &card(), true, "2027-01-02T00:00:00Z".parse().expect("time"));
            [view.held_credits, view.debt_credits, view.allowance_credits_per_day]
        };
        let mut answer = account_of_an_older_service();
        assert_eq!(of(answer.clone()), [None, None, None]);
        answer.held_credits = "1.5".parse().expect("credits");
        answer.debt_credits = "2".parse().expect("credits");
        answer.allowance_credits_per_day = Some("5".parse().expect("credits"));
        assert_eq!(of(answer), ["1.5", "2", "5"].map(|credits| Some(credits.to_owned())));
    }

    #[test]
    fn a_batch_that_is_wholly_held_has_not_ended() {
        let mut answer = account_of_an_older_service();
        (answer.batches[0].left_credits, answer.batches[0].held_credits) = (NanoCredits::ZERO, "6".parse().expect("credits"));
        let known = KnownAccount { answer, usage: vec![], clock_offset_ms: 0 };
        let at = |now: &str| account(&known, &card(), true, now.parse().expect("time"));
        let last = at("2027-01-30T23:59:59.999Z");
        assert_eq!((last.batches.len(), last.ended_count), (0, 0));
        let over = at("2027-01-31T00:00:00Z");
        let page = ended(&known, 0, 9, "2027-01-31T00:00:00Z".parse().expect("time"));
        assert_eq!((over.ended_count, page.batches[0].left_credits.as_str()), (1, "0"));
    }

    #[test]
    fn a_bar_tells_used_held_and_left_apart() {
        let mut answer = account_of_an_older_service();
        (answer.batches[0].left_credits, answer.batches[0].held_credits) = ("5".parse().expect("credits"), "2".parse().expect("credits"));
        let known = KnownAccount { answer, usage: vec![], clock_offset_ms: 0 };
        let view = account(&known, &card(), true, "2027-01-02T00:00:00Z".parse().expect("time"));
        let bar = &view.batches[0];
        assert_eq!((bar.used_bp, bar.held_bp, bar.held_credits.as_deref()), (3_000, 2_000, Some("2")));
    }

    #[test]
    fn ten_thousand_ended_batches_are_handed_out_in_parts_and_stay_out_of_the_view() {
        let mut answer = account_of_an_older_service();
        let live = answer.batches[0].clone();
        answer.batches.extend((1u32..=10_000).map(|n| {
            let ended: DateTime<Utc> = live.added - chrono::TimeDelta::minutes(i64::from(n));
            aispace_api::BatchAnswer {
                batch_id: format!("e{n}"),
                added: ended - chrono::TimeDelta::days(30),
                expires: ended,
                left_credits: NanoCredits::ZERO,
                lapsed_credits: "0.5".parse().expect("credits"),
                ..live.clone()
            }
        }));
        let known = KnownAccount { answer, usage: vec![], clock_offset_ms: 0 };
        let now = "2027-01-02T00:00:00Z".parse().expect("time");
        let view = account(&known, &card(), true, now);
        assert_eq!((view.batches.len(), view.ended_count, view.lapsed_credits.as_str()), (1, 10_000, "5000"));
        assert!(serde_json::to_string(&view).expect("text").len() < 20_000);
        let (mut from, mut seen) = (Some(0), Vec::new());
        while let Some(place) = from {
            let page = ended(&known, place, 300, now);
            seen.extend(page.batches.into_iter().map(|b| b.batch_id));
            from = page.next;
        }
        assert_eq!(seen, (1..=10_000).map(|n| format!("e{n}")).collect::<Vec<_>>());
        assert_eq!(ended(&known, 10_000, 5, now), EndedPageView { batches: vec![], next: None });
    }

    #[test]
    fn offline_nothing_is_foretold_and_nothing_added() {
        let mut answer = account_of_an_older_service();
        answer.allowance_credits_per_day = Some("5".parse().expect("credits"));
        let used = entry("debit", "2026-12-31T12:00:00Z", "-1", "0");
        let now = "2027-01-29T00:00:00Z".parse().expect("time");
        let read = |server_time| KnownAccount {
            answer: aispace_api::AccountAnswer { server_time, ..answer.clone() },
            usage: vec![used.clone()],
            clock_offset_ms: 0,
        };
        let then = answer.server_time;
        let (live, offline) = (account(&read(now), &card(), true, now), account(&read(then), &card(), false, now));
        assert!(live.at_risk.is_some() && !live.terrace.pace.is_empty());
        assert_eq!(live.terrace.moments[2].unspent_credits, "10");
        assert!(offline.terrace.pace.is_empty() && offline.terrace.daily_credits.is_none() && offline.at_risk.is_none());
        assert_eq!(offline.pace.as_ref().and_then(|p| p.empty_at.clone()), None);
        assert_eq!((offline.available_credits.as_str(), offline.terrace.moments[1].unspent_credits.as_str()), ("6", "6"));
        assert_eq!(offline.next_renewal.as_deref(), Some("2027-01-30T00:00:00.000Z"));
        // The midnights since are named, and 28 days that nobody asked about are not days without use.
        assert_eq!(offline.not_counted.map(|n| (n.renewals, n.credits)), Some((28, "140".into())));
        assert_eq!((live.not_counted, offline.pace.map(|p| p.days), live.pace.map(|p| p.days)), (None, Some(1), Some(14)));
    }

    /// What an app of an earlier release kept has none of the newer fields.
    fn account_of_an_older_service() -> aispace_api::AccountAnswer {
        let batch = json!({"batch_id": "b", "source": "grant", "note": null, "added": "2027-01-01T00:00:00Z",
            "expires": "2027-01-31T00:00:00Z", "granted_credits": "10", "left_credits": "6", "lapsed_credits": "0", "state": "live"});
        let answer = json!({"account_id": "a", "server_time": "2027-01-01T00:00:00Z", "available_credits": "6", "batches": [batch],
            "next_expiry": null, "entry_count": 1});
        serde_json::from_value(answer).expect("an answer")
    }
}
