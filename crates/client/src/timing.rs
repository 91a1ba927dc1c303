use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

const BACKOFF_SECONDS_MAX: u64 = 60;

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until there is a connection, encryption included.
    pub connect: Duration,
    /// From the start to the last byte of the answer.
    pub whole: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(15) }
    }
}

/// How long to wait before the next attempt: 1, 2, 4 … and at most 60 s after `failures` in a row (one or more),
/// shortened by up to a quarter as the random byte `jitter` says, so that many apps do not come back as one.
///
/// ```
/// use aispace_client::backoff;
/// use std::time::Duration;
/// assert_eq!(backoff(1, 0), Duration::from_secs(1));
/// assert_eq!(backoff(9, 0), Duration::from_secs(60));
/// ```
#[must_use]
pub fn backoff(failures: u32, jitter: u8) -> Duration {
    let doublings = failures.saturating_sub(1).min(6);
    let whole = Duration::from_secs((1u64 << doublings).min(BACKOFF_SECONDS_MAX));
    let quarter = whole / 4;
    whole.saturating_sub(quarter * u32::from(jitter) / u32::from(u8::MAX))
}

/// How far the service's clock is ahead of ours (negative: behind), taking its time as that of the middle between
/// sending and receiving. Half of the round trip is the most it can be wrong by.
#[must_use]
pub fn clock_offset(server_time: DateTime<Utc>, sent_at: DateTime<Utc>, received_at: DateTime<Utc>) -> TimeDelta {
    let half_trip = received_at.signed_duration_since(sent_at) / 2;
    server_time.signed_duration_since(sent_at) - half_trip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<u64> = (0..10).map(|n| backoff(n, 0).as_secs()).collect();
        assert_eq!(waits, [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff(u32::MAX, 0), Duration::from_secs(60));
    }

    #[test]
    fn jitter_takes_at_most_a_quarter() {
        assert_eq!(backoff(8, 255), Duration::from_secs(45));
        for jitter in 0..=255 {
            let wait = backoff(3, jitter);
            assert!(wait >= Duration::from_secs(3) && wait <= Duration::from_secs(4), "{wait:?}");
        }
    }

    #[test]
    fn the_offset_is_measured_in_the_middle() {
        let at = |ms: i64| DateTime::from_timestamp_millis(ms).unwrap();
        assert_eq!(clock_offset(at(10_500), at(0), at(1_000)), TimeDelta::seconds(10));
        assert_eq!(clock_offset(at(500), at(10_000), at(11_000)), TimeDelta::seconds(-10));
        // A clock set back between the two must not overflow or panic.
        assert_eq!(clock_offset(at(0), at(1_000), at(0)), TimeDelta::milliseconds(-500));
    }
}
