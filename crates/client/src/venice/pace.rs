//! How often may still be asked after failures.

use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The time in which failures are counted.
const WINDOW: TimeDelta = TimeDelta::seconds(30);
/// Most failures in that time: half of what Venice takes, for others may share the address.
const FAILURES_MAX: usize = 10;
/// So many requests in a row without an answer, and nobody is there.
const UNANSWERED_MAX: usize = 3;
/// How long nothing is sent then, in seconds.
const SILENCE_SECONDS: u64 = 60;
/// The longest wait that is taken from an answer, in seconds.
const WAIT_SECONDS_MAX: u64 = 3_600;

/// What failed of late.
#[derive(Default)]
pub(super) struct Pace {
    past: Mutex<Past>,
}

#[derive(Default)]
struct Past {
    failures: VecDeque<DateTime<Utc>>,
    unanswered: usize,
    silent_until: Option<DateTime<Utc>>,
    // What is on its way may fail too.
    under_way: usize,
}

/// Why and for how long nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) failures: usize,
    pub(super) seconds: u64,
}

/// Leave for one request; how it went is to be said.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    at: DateTime<Utc>,
}

impl Pace {
    /// Leave to send one request at `now`.
    pub(super) fn turn(&self, now: DateTime<Utc>) -> Result<Turn<'_>, Wait> {
        let mut past = self.past();
        // A clock that was set back leaves failures of the future, which nobody counts any more.
        past.failures.retain(|at| (TimeDelta::zero()..WINDOW).contains(&now.signed_duration_since(*at)));
        let silent = past.silent_until.map(|until| until.signed_duration_since(now)).filter(|left| *left > TimeDelta::zero());
        if let Some(left) = silent.filter(|left| left.num_seconds() <= WAIT_SECONDS_MAX.cast_signed()) {
            return Err(Wait { failures: past.unanswered.max(1), seconds: seconds_up(left) });
        }
        if past.failures.len() + past.under_way >= FAILURES_MAX {
            let oldest = past.failures.front().map_or(TimeDelta::zero(), |at| WINDOW - now.signed_duration_since(*at));
            return Err(Wait { failures: past.failures.len() + past.under_way, seconds: seconds_up(oldest).max(1) });
        }
        past.under_way += 1;
        Ok(Turn { pace: self, at: now })
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        // Counters are whole at every moment, whoever panicked while holding them.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// It gave what was asked for.
    pub(super) fn worked(self) {
        let mut past = self.pace.past();
        past.unanswered = 0;
        past.silent_until = None;
    }

    /// It was refused, or answered something else.
    pub(super) fn failed(self) {
        let mut past = self.pace.past();
        past.failures.push_back(self.at);
        past.unanswered = 0;
    }

    /// There was no answer, or only that it cannot answer.
    pub(super) fn went_unanswered(self) {
        let mut past = self.pace.past();
        past.failures.push_back(self.at);
        past.unanswered += 1;
        if past.unanswered >= UNANSWERED_MAX {
            past.silent_until = after(self.at, SILENCE_SECONDS);
        }
    }

    /// It asked to wait.
    pub(super) fn wait(self, seconds: u64) {
        let mut past = self.pace.past();
        past.failures.push_back(self.at);
        past.unanswered += 1;
        past.silent_until = after(self.at, seconds.clamp(1, WAIT_SECONDS_MAX));
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut past = self.pace.past();
        past.under_way = past.under_way.saturating_sub(1);
    }
}

fn after(at: DateTime<Utc>, seconds: u64) -> Option<DateTime<Utc>> {
    at.checked_add_signed(TimeDelta::seconds(seconds.cast_signed()))
}

fn seconds_up(left: TimeDelta) -> u64 {
    let whole = left.num_seconds().max(0).unsigned_abs();
    whole + u64::from(left > TimeDelta::seconds(whole.cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_000_000_000_000 + milliseconds).unwrap()
    }

    fn wait(pace: &Pace, milliseconds: i64) -> Option<(usize, u64)> {
        pace.turn(at(milliseconds)).err().map(|wait| (wait.failures, wait.seconds))
    }

    #[test]
    fn ten_failures_in_half_a_minute_are_enough() {
        let pace = Pace::default();
        for second in 0..10 {
            pace.turn(at(second * 1_000)).ok().unwrap().failed();
        }
        assert_eq!(wait(&pace, 9_500), Some((10, 21)), "until the first is half a minute old");
        assert_eq!(wait(&pace, 29_999), Some((10, 1)));
        assert_eq!(wait(&pace, 30_000), None);
        pace.turn(at(30_000)).ok().unwrap().failed();
        assert_eq!(wait(&pace, 30_000), Some((10, 1)));
    }

    #[test]
    fn what_worked_is_not_counted() {
        let pace = Pace::default();
        for second in 0..100 {
            pace.turn(at(second)).ok().unwrap().worked();
        }
        assert_eq!(wait(&pace, 200), None);
    }

    #[test]
    fn three_without_an_answer_are_followed_by_silence() {
        let pace = Pace::default();
        pace.turn(at(0)).ok().unwrap().went_unanswered();
        pace.turn(at(0)).ok().unwrap().went_unanswered();
        assert_eq!(wait(&pace, 0), None);
        pace.turn(at(15_000)).ok().unwrap().went_unanswered();
        assert_eq!(wait(&pace, 15_001), Some((3, 60)));
        assert_eq!(wait(&pace, 74_999), Some((3, 1)));
        // One more attempt, and silence again.
        pace.turn(at(75_000)).ok().unwrap().went_unanswered();
        assert_eq!(wait(&pace, 75_000), Some((4, 60)));
        pace.turn(at(135_000)).ok().unwrap().worked();
        pace.turn(at(135_000)).ok().unwrap().went_unanswered();
        assert_eq!(wait(&pace, 135_000), None);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let pace = Pace::default();
        for _ in 0..3 {
            pace.turn(at(0)).ok().unwrap().went_unanswered();
            pace.turn(at(0)).ok().unwrap().failed();
        }
        assert_eq!(wait(&pace, 0), None);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_within_reason() {
        let pace = Pace::default();
        pace.turn(at(0)).ok().unwrap().wait(7);
        assert_eq!((wait(&pace, 1), wait(&pace, 7_000)), (Some((1, 7)), None));
        pace.turn(at(7_000)).ok().unwrap().wait(u64::MAX);
        assert_eq!(wait(&pace, 7_000), Some((2, 3_600)));
        let pace = Pace::default();
        pace.turn(at(0)).ok().unwrap().wait(0);
        assert_eq!(wait(&pace, 0), Some((1, 1)));
    }

    #[test]
    fn what_is_under_way_may_fail_too() {
        let pace = Pace::default();
        let turns: Vec<_> = (0..10).map(|_| pace.turn(at(0)).ok().unwrap()).collect();
        assert_eq!(wait(&pace, 0), Some((10, 1)));
        drop(turns);
        assert_eq!(wait(&pace, 0), None, "a request that was given up is not waited for");
    }

    #[test]
    fn a_clock_set_back_does_not_lock_for_ever() {
        let pace = Pace::default();
        for _ in 0..10 {
            pace.turn(at(1_000_000_000)).ok().unwrap().went_unanswered();
            if wait(&pace, 1_000_000_000).is_some() {
                break;
            }
        }
        assert_eq!(wait(&pace, 0), None);
    }
}
