//! The service's clock: the system's, or one that a test sets.

use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

const FOLLOWS_SYSTEM: i64 = i64::MIN;

/// Tells the time. Shared by every request and the watcher.
#[derive(Debug)]
pub struct ServiceClock {
    pinned_ms: AtomicI64,
    /// The latest system time told: a system clock that is set back stands still here.
    latest_ms: AtomicI64,
    settable: Settable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settable {
    Yes,
    No,
}

impl ServiceClock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { pinned_ms: AtomicI64::new(FOLLOWS_SYSTEM), latest_ms: AtomicI64::new(i64::MIN), settable: Settable::No }
    }

    /// The system's clock until `PUT /test/clock` sets another time.
    #[must_use]
    pub fn for_tests() -> Self {
        Self { pinned_ms: AtomicI64::new(FOLLOWS_SYSTEM), latest_ms: AtomicI64::new(i64::MIN), settable: Settable::Yes }
    }

    /// Whether it may be set.
    #[must_use]
    pub fn is_settable(&self) -> bool {
        self.settable == Settable::Yes
    }

    /// Now, in whole milliseconds. Never earlier than before, unless a test sets it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let pinned = self.pinned_ms.load(Ordering::SeqCst);
        let milliseconds = if pinned == FOLLOWS_SYSTEM { self.not_before_latest(system_time().timestamp_millis()) } else { pinned };
        DateTime::from_timestamp_millis(milliseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn not_before_latest(&self, milliseconds: i64) -> i64 {
        self.latest_ms.fetch_max(milliseconds, Ordering::SeqCst).max(milliseconds)
    }

    /// Stands still at an instant, or follows the system again. Does nothing on a clock that may not be set.
    pub fn set(&self, at: Option<DateTime<Utc>>) {
        if self.is_settable() {
            self.pinned_ms.store(at.map_or(FOLLOWS_SYSTEM, |at| at.timestamp_millis()), Ordering::SeqCst);
        }
    }
}

/// The real time, which venues date their prices by.
pub(crate) fn system_time() -> DateTime<Utc> {
    SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_clock_set_back_stands_still() {
        let clock = ServiceClock::system();
        assert_eq!((clock.not_before_latest(5), clock.not_before_latest(3), clock.not_before_latest(7)), (5, 5, 7));
    }

    #[test]
    fn only_a_test_clock_can_be_set() {
        let past = DateTime::from_timestamp(1, 0);
        let (system, test) = (ServiceClock::system(), ServiceClock::for_tests());
        system.set(past);
        test.set(past);
        assert!(Some(system.now()) != past && Some(test.now()) == past);
        test.set(None);
        assert!(Some(test.now()) > past);
    }
}
