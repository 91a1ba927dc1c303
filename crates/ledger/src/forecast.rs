//! When credits run out, and what lapses, at a steady pace.

use crate::time::milliseconds_between;
use crate::{Batch, BatchId};
use aispace_units::NanoCredits;
use chrono::{DateTime, TimeDelta, Utc};

const DAY_MILLISECONDS: i128 = 86_400_000;

/// Credits used per 24 hours; zero means nothing is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PacePerDay(pub NanoCredits);

impl PacePerDay {
    /// What is used from one instant to another, in 10⁻⁹ credit rounded down; the product is below 2¹¹⁷ at the end of the calendar.
    pub(crate) fn used(self, from: DateTime<Utc>, to: DateTime<Utc>) -> i128 {
        i128::from(self.0.nanos()).saturating_mul(milliseconds_between(from, to)).div_euclid(DAY_MILLISECONDS)
    }

    /// The first instant by which so much is used; none without a pace, or beyond the calendar.
    pub(crate) fn used_by(self, from: DateTime<Utc>, nanos: i128) -> Option<DateTime<Utc>> {
        let (wanted, pace) = (nanos.saturating_mul(DAY_MILLISECONDS), i128::from(self.0.nanos()));
        let whole = wanted.checked_div(pace)?;
        let milliseconds = whole.saturating_add(i128::from(wanted.checked_rem(pace)? != 0));
        from.checked_add_signed(TimeDelta::try_milliseconds(i64::try_from(milliseconds).ok()?)?)
    }
}

/// What happens to one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchForecast {
    /// The batch.
    pub batch: BatchId,
    /// When its first credit is used; absent when it is never drawn.
    pub drawn_from: Option<DateTime<Utc>>,
    /// When its last credit is used or it ends, rounded up to the millisecond.
    pub drawn_until: Option<DateTime<Utc>>,
    /// What is used of it, rounded down.
    pub drawn: NanoCredits,
    /// What is left when it ends.
    pub lapses: NanoCredits,
}

/// What happens to a balance at a steady pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// One row per live batch, in draw order.
    pub batches: Vec<BatchForecast>,
    /// When nothing is left, used up or lapsed; absent when nothing is live now.
    pub empty_at: Option<DateTime<Utc>>,
}

/// Follows the live batches from `now` on at a steady pace, in draw order. [`crate::Account::outlook`] knows of holds, debt and the
/// allowance too.
#[must_use]
pub fn forecast(batches: &[Batch], pace: PacePerDay, now: DateTime<Utc>) -> Forecast {
    let mut live: Vec<&Batch> = batches.iter().filter(|b| b.is_live(now)).collect();
    live.sort_by_key(|b| b.draw_key());
    let mut cursor = Cursor { now, at: now, used: 0, pace };
    let rows: Vec<BatchForecast> = live.iter().map(|batch| cursor.follow(batch)).collect();
    Forecast { empty_at: (!rows.is_empty()).then_some(cursor.at), batches: rows }
}

struct Cursor {
    now: DateTime<Utc>,
    at: DateTime<Utc>,
    /// What the batches before gave, in 10⁻⁹ credit. What else is used by `at` comes from the next one: it emptied the last one within a
    /// millisecond.
    used: i128,
    pace: PacePerDay,
}

impl Cursor {
    fn follow(&mut self, batch: &Batch) -> BatchForecast {
        let row = |from, until, drawn: NanoCredits| BatchForecast {
            batch: batch.id.clone(),
            drawn_from: from,
            drawn_until: until,
            drawn,
            lapses: batch.left.checked_sub(drawn).unwrap_or(NanoCredits::ZERO),
        };
        if batch.expires <= self.at {
            return row(None, None, NanoCredits::ZERO);
        }
        let from = self.at;
        let emptied = self.pace.used_by(self.now, self.used.saturating_add(i128::from(batch.left.nanos())));
        self.at = emptied.map_or(batch.expires, |emptied| emptied.max(from).min(batch.expires));
        if self.pace.0.is_zero() {
            return row(None, None, NanoCredits::ZERO);
        }
        let used = self.pace.used(self.now, self.at).saturating_sub(self.used);
        let used = i64::try_from(used).ok().and_then(|n| NanoCredits::from_nanos(n).ok());
        let drawn = used.map_or(batch.left, |used| used.min(batch.left));
        self.used = self.used.saturating_add(i128::from(drawn.nanos()));
        row(Some(from), Some(self.at), drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchSource;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("time")
    }

    fn credits(text: &str) -> NanoCredits {
        text.parse().expect("amount")
    }

    fn batch(seq: u64, added_day: i64, expires_day: i64, left: &str) -> Batch {
        Batch {
            id: BatchId::new(format!("b{seq}")),
            seq,
            source: BatchSource::Grant,
            note: None,
            added: at(added_day * DAY),
            expires: at(expires_day * DAY),
            granted: credits(left),
            left: credits(left),
            held: NanoCredits::ZERO,
            lapsed: NanoCredits::ZERO,
            voided: NanoCredits::ZERO,
            voided_at: None,
        }
    }

    #[test]
    fn a_steady_pace_uses_one_batch_after_the_other() {
        let batches = [batch(2, 5, 35, "100"), batch(1, 0, 30, "100")];
        let seen = forecast(&batches, PacePerDay(credits("10")), at(10 * DAY));
        let spans: Vec<_> = seen.batches.iter().map(|b| (b.drawn_from, b.drawn_until, b.lapses)).collect();
        assert_eq!(
            spans,
            [(Some(at(10 * DAY)), Some(at(20 * DAY)), NanoCredits::ZERO), (Some(at(20 * DAY)), Some(at(30 * DAY)), NanoCredits::ZERO),]
        );
        assert_eq!(seen.empty_at, Some(at(30 * DAY)));
    }

    #[test]
    fn what_is_not_used_in_time_lapses() {
        let batches = [batch(1, 0, 30, "100"), batch(2, 1, 12, "40")];
        let seen = forecast(&batches, PacePerDay(credits("4")), at(10 * DAY));
        assert_eq!((seen.batches[0].drawn, seen.batches[0].lapses), (credits("80"), credits("20")));
        // The second ended while the first was being drawn.
        assert_eq!((seen.batches[1].drawn_from, seen.batches[1].lapses), (None, credits("40")));
        assert_eq!(seen.empty_at, Some(at(30 * DAY)));
    }

    #[test]
    fn without_use_everything_lapses_and_the_last_end_empties_it() {
        let batches = [batch(1, 0, 30, "1"), batch(2, 1, 20, "2"), batch(3, 2, 40, "3")];
        let seen = forecast(&batches, PacePerDay(NanoCredits::ZERO), at(10 * DAY));
        assert!(seen.batches.iter().all(|b| b.drawn_from.is_none() && b.drawn.is_zero()));
        assert_eq!(seen.batches.iter().map(|b| b.lapses).collect::<Vec<_>>(), [credits("1"), credits("2"), credits("3")]);
        assert_eq!(seen.empty_at, Some(at(40 * DAY)));
        assert_eq!(forecast(&[], PacePerDay(credits("1")), at(0)).empty_at, None);
    }

    #[test]
    fn the_rest_of_a_millisecond_comes_from_the_next_batch() {
        // A pace of one batch and a half per millisecond: three batches last two milliseconds.
        let pace = PacePerDay(NanoCredits::from_nanos(15 * 86_400_000).expect("pace"));
        let batches: Vec<Batch> = (1..=3).map(|n| batch(n, 0, 30, "0.00000001")).collect();
        let seen = forecast(&batches, pace, at(0));
        assert!(seen.batches.iter().all(|b| b.lapses.is_zero()));
        assert_eq!(seen.empty_at, DateTime::from_timestamp_millis(2));
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let most = NanoCredits::from_nanos(i64::MAX).expect("positive");
        let huge = Batch { left: most, granted: most, ..batch(1, 0, 30, "1") };
        let quick = forecast(std::slice::from_ref(&huge), PacePerDay(most), at(0));
        assert_eq!(quick.empty_at, Some(at(DAY)));
        let slow = forecast(&[huge], PacePerDay(NanoCredits::from_nanos(1).expect("pace")), at(0));
        assert_eq!(slow.batches[0].drawn.nanos(), 30);
    }
}
