//! What time it is at the service, as well as this computer can tell.

use crate::{
    clock::Reading,
    record::KnownAccount,
    roster::{AccountKind, LocalId, Roster},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::{collections::BTreeMap, time::Duration};

/// A difference of clocks that a person should know of.
const WORTH_SAYING: TimeDelta = TimeDelta::minutes(2);

/// The service's clock as last heard. This computer's clock tells how long ago that was; but what ended by the service's own word, or while
/// the app ran since, stays ended when that clock is put back.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServiceTime {
    /// How far the service's clock is ahead of ours.
    ahead: TimeDelta,
    heard: Option<Heard>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    at: DateTime<Utc>,
    running: Duration,
}

impl ServiceTime {
    /// As an earlier run of the app heard it last.
    pub(crate) fn kept(roster: &Roster, known: &BTreeMap<LocalId, KnownAccount>, running: Duration) -> Self {
        let asked = roster.accounts.iter().filter(|entry| entry.kind == AccountKind::Service).filter_map(|entry| known.get(&entry.id));
        asked.max_by_key(|known| known.answer.server_time).map_or_else(Self::default, |newest| Self::heard(newest, running))
    }

    /// As an answer says it that was read a moment ago.
    pub(crate) fn heard(known: &KnownAccount, running: Duration) -> Self {
        let heard = Heard { at: known.answer.server_time, running };
        Self { ahead: TimeDelta::milliseconds(known.clock_offset_ms), heard: Some(heard) }
    }

    /// How far the service's clock is ahead of ours, as last measured.
    pub(crate) fn ahead(&self) -> TimeDelta {
        self.ahead
    }

    /// The service's time at a reading of our clock.
    pub(crate) fn at(&self, ours: Reading) -> DateTime<Utc> {
        let told = ours.wall + self.ahead;
        let least = self.heard.map(|heard| {
            let ran = ours.running.saturating_sub(heard.running);
            heard.at + TimeDelta::from_std(ran).unwrap_or_default()
        });
        least.map_or(told, |least| told.max(least))
    }

    /// By how many minutes our clock is ahead of the service's, where that is worth a word.
    pub(crate) fn skew_minutes(&self, ours: Reading) -> Option<i32> {
        self.heard?;
        let skew = ours.wall - self.at(ours);
        let half = TimeDelta::seconds(if skew < TimeDelta::zero() { -30 } else { 30 });
        // Rounded: what is exactly ten minutes shall not be nine at every other look.
        (skew.abs() >= WORTH_SAYING).then(|| i32::try_from((skew + half).num_minutes()).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(wall_seconds: i64, running: u64) -> Reading {
        Reading { wall: DateTime::from_timestamp(1_800_000_000 + wall_seconds, 0).expect("time"), running: Duration::from_secs(running) }
    }

    fn heard(ahead_seconds: i64, running: u64) -> ServiceTime {
        let at = reading(ahead_seconds, 0).wall;
        ServiceTime { ahead: TimeDelta::seconds(ahead_seconds), heard: Some(Heard { at, running: Duration::from_secs(running) }) }
    }

    #[test]
    fn a_clock_put_back_takes_no_time_away_and_is_told_of() {
        let time = heard(600, 50);
        assert_eq!((time.at(reading(30, 80)), time.skew_minutes(reading(30, 80))), (reading(630, 0).wall, Some(-10)));
        let back = reading(40 - 86_400, 90);
        assert_eq!((time.at(back), time.skew_minutes(back)), (reading(640, 0).wall, Some(-1_450)));
        // Asleep for an hour: only the clock knows.
        assert_eq!(time.at(reading(3_600, 51)), reading(4_200, 0).wall);
    }

    #[test]
    fn nothing_is_said_of_a_clock_that_is_right_or_of_which_nothing_is_known() {
        assert_eq!((heard(119, 0).skew_minutes(reading(0, 0)), heard(-119, 0).skew_minutes(reading(0, 0))), (None, None));
        assert_eq!(heard(-600, 0).skew_minutes(reading(0, 0)), Some(10));
        assert_eq!(
            (ServiceTime::default().skew_minutes(reading(0, 0)), ServiceTime::default().at(reading(7, 0))),
            (None, reading(7, 0).wall)
        );
    }

    proptest! {
        /// Whatever the clock is set to, the service's time moves on at least as fast as the app runs.
        #[test]
        fn time_never_runs_back_behind_what_was_heard(
            ahead in -1_000_000i64..1_000_000, walls in prop::collection::vec(-10_000_000i64..10_000_000, 1..20),
        ) {
            let time = heard(ahead, 5);
            for (running, wall) in (5u64..).zip(walls) {
                let least = time.at(reading(i64::MIN / 1_000_000_000_000, running));
                prop_assert!(time.at(reading(wall, running)) >= least);
                prop_assert_eq!(least, reading(ahead, 0).wall + TimeDelta::seconds(i64::try_from(running - 5).expect("small")));
            }
        }
    }
}
