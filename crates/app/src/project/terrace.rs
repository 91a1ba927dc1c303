//! The terrace: what is drawn first lies on top, height is credits, width is time left.

use super::{
    ahead::Ahead,
    figures::{RULER, about, basis_points, instant, on_ruler, week},
};
use crate::view::{AxisMarkView, MomentView, PointView, SlabView, TerraceView};
use aispace_ledger::{Batch, BatchForecast, Forecast, Outlook, PacePerDay, forecast};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// A batch that is not bought yet is drawn dashed.
const GHOST: &str = "";

/// Days that a person can stop at.
const DAYS: i64 = 30;

/// Draws batches that are live now, in draw order, at the person's pace if one is known; and at another that is tried out, whose lapses
/// are drawn then.
pub(crate) fn terrace(ahead: &Ahead, tried: Option<PacePerDay>) -> TerraceView {
    let now = ahead.now;
    let live = ahead.live();
    let total = NanoCreditSum::total(live.iter().map(|b| b.left)).nanos();
    let top = scale_top(total);
    let at = |pace: PacePerDay| forecast(&ahead.batches, pace, now);
    let (paced, tried) = (ahead.pace.map(at), tried.map(at));
    let line = |forecast: &Option<Forecast>| forecast.as_ref().map(|f| pace_line(f, &live, total, top, now)).unwrap_or_default();
    TerraceView {
        slabs: slabs(&live, tried.as_ref().or(paced.as_ref()), total, top, now),
        y_marks: y_marks(top),
        x_marks: [0, 7, 14, 21, 30].map(|days| mark(now + TimeDelta::days(days), now)).into(),
        pace: line(&paced),
        what_if: line(&tried),
        empty_at: paced.as_ref().and_then(|f| f.empty_at).filter(|at| *at - now <= RULER).map(instant),
        daily_credits: (!ahead.allowance.is_zero()).then(|| ahead.allowance.to_string()),
        moments: moments(ahead, &live, top),
        description: live.iter().map(|b| format!("{} until {}", b.left, instant(b.expires))).collect(),
    }
}

/// The balance at each day and at each end within the ruler.
fn moments(ahead: &Ahead, live: &[&Batch], top: i128) -> Vec<MomentView> {
    let now = ahead.now;
    let unspent = ahead.outlook(PacePerDay(NanoCredits::ZERO));
    let paced = ahead.pace.map(|pace| (ahead.outlook(pace), ahead.without_renewals().outlook(pace)));
    let days: BTreeSet<DateTime<Utc>> = (0..=DAYS).map(|day| now + TimeDelta::days(day)).collect();
    let ends = live.iter().map(|b| b.expires).filter(|end| *end - now <= RULER);
    let stops: BTreeSet<DateTime<Utc>> = days.iter().copied().chain(ends).collect();
    let there = |outlook: &Outlook, at| outlook.at(at).map(|step| step.available).unwrap_or_default();
    let of = |at: DateTime<Utc>| {
        let known = NanoCreditSum::total(live.iter().filter(|b| b.expires > at).map(|b| b.left));
        let all = NanoCreditSum::from(there(&unspent, at));
        let daily = all.minus(known);
        MomentView {
            at: instant(at),
            x_bp: on_ruler(at, now),
            whole_day: days.contains(&at),
            ends: live.iter().zip(1u32..).filter(|(b, _)| b.expires == at).map(|(_, order)| order).collect(),
            unspent_credits: all.to_string(),
            pace_credits: paced.as_ref().map(|(all, _)| about(there(all, at)).unwrap_or_default().to_string()),
            daily_credits: (daily.nanos() > 0).then(|| daily.to_string()),
            unspent_bp: basis_points(known.nanos(), top),
            pace_bp: paced.as_ref().map_or(0, |(_, known)| basis_points(i128::from(there(known, at).nanos()), top)),
        }
    };
    stops.into_iter().map(of).collect()
}

fn slabs(live: &[&Batch], forecast: Option<&Forecast>, total: i128, top: i128, now: DateTime<Utc>) -> Vec<SlabView> {
    let mut above = 0i128;
    let mut order = 0u32;
    live.iter()
        .map(|batch| {
            let left = i128::from(batch.left.nanos());
            above = above.saturating_add(left);
            order = order.saturating_add(1);
            let (floor, ceiling) = (total.saturating_sub(above), total.saturating_sub(above).saturating_add(left));
            let lapses = row(forecast, batch).map(|r| r.lapses).unwrap_or_default();
            // Edges are rounded, not heights, so that neighbours meet.
            let bottom_bp = basis_points(floor, top);
            SlabView {
                batch_id: batch.id.as_str().into(),
                order,
                source: batch.source.as_str().into(),
                credits: batch.left.to_string(),
                expires: instant(batch.expires),
                bottom_bp,
                height_bp: basis_points(ceiling, top).saturating_sub(bottom_bp),
                width_bp: on_ruler(batch.expires, now),
                lapse_bp: basis_points(i128::from(lapses.nanos()), top),
                lapse_credits: about(lapses).map(|a| a.to_string()),
                week: week(batch.expires, now),
                ghost: batch.id.as_str() == GHOST,
            }
        })
        .collect()
}

pub(super) fn row<'a>(forecast: Option<&'a Forecast>, batch: &Batch) -> Option<&'a BatchForecast> {
    forecast?.batches.iter().find(|row| row.batch == batch.id)
}

/// The balance over time: straight down at the pace, and a step where a batch ends with something left.
fn pace_line(forecast: &Forecast, live: &[&Batch], total: i128, top: i128, now: DateTime<Utc>) -> Vec<PointView> {
    let point = |at: DateTime<Utc>, balance: i128| PointView { x_bp: on_ruler(at, now), y_bp: basis_points(balance, top) };
    let (mut at, mut balance) = (now, total);
    let mut line = vec![point(at, balance)];
    for row in &forecast.batches {
        let expires = live.iter().find(|b| b.id == row.batch).map_or(at, |b| b.expires);
        at = at.max(row.drawn_until.unwrap_or(expires.min(at)));
        balance = balance.saturating_sub(i128::from(row.drawn.nanos()));
        line.push(point(at, balance));
        if row.lapses.nanos() > 0 {
            balance = balance.saturating_sub(i128::from(row.lapses.nanos()));
            line.push(point(at, balance));
        }
    }
    line.dedup();
    line
}

/// The top of the scale: 1, 2, 2.5 or 5 times a power of ten credits, in four or five steps.
pub(super) fn scale_top(total: i128) -> i128 {
    const CREDIT: i128 = 1_000_000_000;
    let step = scale_step(total.max(CREDIT));
    let steps = total.max(1).saturating_add(step).saturating_sub(1) / step;
    steps.max(1).saturating_mul(step)
}

fn scale_step(total: i128) -> i128 {
    let mut power = 100_000_000i128;
    loop {
        for (times, over) in [(1, 1), (2, 1), (5, 2), (5, 1)] {
            let step = power.saturating_mul(times) / over;
            if step.saturating_mul(5) >= total {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

pub(super) fn y_marks(top: i128) -> Vec<AxisMarkView> {
    let step = scale_step(top);
    let mut marks = Vec::new();
    let mut at = 0i128;
    while at <= top {
        marks.push(AxisMarkView { value: NanoCreditSum::from_nanos(at).to_string(), at_bp: basis_points(at, top) });
        at = at.saturating_add(step);
    }
    marks
}

fn mark(at: DateTime<Utc>, now: DateTime<Utc>) -> AxisMarkView {
    AxisMarkView { value: instant(at), at_bp: on_ruler(at, now) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_ledger::{BatchId, BatchSource, NewBatch};
    use aispace_units::NanoCredits;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn batch(n: u64, credits: u32, minutes_left: i64) -> Batch {
        let left = NanoCredits::from_nanos(i64::from(credits) * 1_000_000_000).unwrap();
        let expires = now() + TimeDelta::minutes(minutes_left);
        let (id, source) = (BatchId::new(format!("b{n}")), BatchSource::Grant);
        Batch::new(n, expires - RULER, expires, NewBatch { id, source, note: None, amount: left, expires: None })
    }

    #[test]
    fn the_soonest_end_lies_on_top() {
        let drawn = terrace(&Ahead::of_batches(vec![batch(1, 150_000, 40_000), batch(2, 50_000, 5_000)], None, now()), None);
        let slab = |n: usize| (drawn.slabs[n].batch_id.as_str(), drawn.slabs[n].bottom_bp, drawn.slabs[n].height_bp);
        assert_eq!((slab(0), slab(1)), (("b2", 7_500, 2_500), ("b1", 0, 7_500)));
        let marks: Vec<_> = drawn.y_marks.iter().map(|m| m.value.as_str()).collect();
        assert_eq!(marks, ["0", "50000", "100000", "150000", "200000"]);
    }

    #[test]
    fn what_the_pace_leaves_lapses() {
        let pace = PacePerDay("1000".parse().unwrap());
        let ahead = Ahead::of_batches(vec![batch(1, 10_000, 4 * 1_440), batch(2, 2_000, 20 * 1_440)], Some(pace), now());
        let drawn = terrace(&ahead, None);
        assert_eq!(drawn.slabs[0].lapse_credits.as_deref(), Some("6000"));
        assert_eq!(drawn.slabs[1].lapse_credits, None);
        assert_eq!(drawn.empty_at.as_deref(), Some(instant(now() + TimeDelta::days(6)).as_str()));
        assert_eq!(drawn.pace.last().map(|p| p.y_bp), Some(0));
    }

    #[test]
    fn the_balance_is_told_for_each_day_and_each_end_with_what_comes_in() {
        let pace = Some(PacePerDay("1000".parse().unwrap()));
        // The clock stands at 08:00 UTC: the first midnight is 16 hours away.
        let ahead = Ahead { allowance: "100".parse().unwrap(), ..Ahead::of_batches(vec![batch(1, 2_500, 1_500)], pace, now()) };
        let drawn = terrace(&ahead, None);
        assert_eq!((drawn.moments.len(), drawn.daily_credits.as_deref()), (32, Some("100")));
        let said = |n: usize| {
            let m: &MomentView = &drawn.moments[n];
            (m.whole_day, m.ends.as_slice(), m.unspent_credits.as_str(), m.pace_credits.as_deref(), m.daily_credits.as_deref())
        };
        assert_eq!(said(0), (true, &[][..], "2500", Some("2500"), None));
        assert_eq!(said(1), (true, &[][..], "2600", Some("1600"), Some("100")));
        assert_eq!(said(2), (false, &[1][..], "100", Some("100"), Some("100")));
        assert_eq!(said(3), (true, &[][..], "200", Some("0"), Some("200")));
        assert_eq!((drawn.moments[1].unspent_bp, drawn.moments[1].pace_bp), (10_000, 6_000));
    }

    #[test]
    fn a_pace_that_is_tried_out_is_drawn_beside_the_present_one() {
        let pace = |credits: &str| PacePerDay(credits.parse().unwrap());
        let ahead = Ahead::of_batches(vec![batch(1, 10_000, 4 * 1_440)], Some(pace("1000")), now());
        let drawn = terrace(&ahead, Some(pace("2000")));
        assert_eq!(drawn.slabs[0].lapse_credits.as_deref(), Some("2000"));
        let (plain, line) = (terrace(&ahead, None), |points: &[PointView]| points.iter().map(|p| p.y_bp).collect::<Vec<_>>());
        assert_eq!((line(&plain.pace), plain.what_if.len()), (vec![10_000, 6_000, 0], 0));
        assert_eq!((line(&drawn.pace), line(&drawn.what_if)), (vec![10_000, 6_000, 0], vec![10_000, 2_000, 0]));
    }

    proptest! {
        #[test]
        fn a_drawing_stays_in_its_frame(parts in prop::collection::vec((1u32..500_000, 1i64..43_200), 0..12), per_day in 0u32..50_000) {
            let batches: Vec<Batch> = (1u64..).zip(&parts).map(|(n, (credits, minutes))| batch(n, *credits, *minutes)).collect();
            let pace = PacePerDay(NanoCredits::from_nanos(i64::from(per_day) * 1_000_000_000).unwrap());
            let drawn = terrace(&Ahead::of_batches(batches.clone(), Some(pace), now()), None);
            let mut roof = None;
            for slab in &drawn.slabs {
                let top = slab.bottom_bp + slab.height_bp;
                prop_assert!(top <= 10_000 && slab.lapse_bp <= slab.height_bp + 1 && slab.width_bp <= 10_000);
                if let Some(floor) = roof { prop_assert_eq!(floor, top); }
                roof = Some(slab.bottom_bp);
            }
            if let Some(floor) = roof { prop_assert_eq!(floor, 0); }
            for pair in drawn.pace.windows(2) {
                prop_assert!(pair[0].x_bp <= pair[1].x_bp && pair[0].y_bp >= pair[1].y_bp);
            }
            prop_assert!((2..=6).contains(&drawn.y_marks.len()));
            prop_assert!(drawn.moments.iter().filter(|m| m.whole_day).count() == 31);
            prop_assert_eq!(drawn.moments.iter().map(|m| m.ends.len()).sum::<usize>(), batches.len());
            for pair in drawn.moments.windows(2) {
                prop_assert!(pair[0].at < pair[1].at && pair[0].unspent_bp >= pair[1].unspent_bp && pair[0].pace_bp >= pair[1].pace_bp);
            }
            // What a person reads at a day lies on the line that is drawn.
            for moment in &drawn.moments {
                prop_assert!(moment.pace_bp <= moment.unspent_bp);
                let before = drawn.pace.iter().rev().find(|p| p.x_bp <= moment.x_bp).map_or(0, |p| p.y_bp);
                let after = drawn.pace.iter().find(|p| p.x_bp > moment.x_bp).map_or(0, |p| p.y_bp);
                prop_assert!(moment.pace_bp <= before.max(drawn.pace[0].y_bp) + 1 && moment.pace_bp + 1 >= after);
            }
        }
    }
}
