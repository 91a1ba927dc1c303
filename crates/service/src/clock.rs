//! The service's clock: the system's, or one that a test sets.

use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

const FOLLOWS_SYSTEM: i64 = i64::MIN;

/// Tells the time. Shared by every request and the watcher.
#[derive(Debug)]
pub struct ServiceClock {
    pinned_ms: AtomicI64,
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
        Self { pinned_ms: AtomicI64::new(FOLLOWS_SYSTEM), settable: Settable::No }
    }

    /// The system's clock until `PUT /test/clock` sets another time.
    #[must_use]
    pub fn for_tests() -> Self {
        Self { pinned_ms: AtomicI64::new(FOLLOWS_SYSTEM), settable: Settable::Yes }
    }

    /// Whether it may be set.
    #[must_use]
    pub fn is_settable(&self) -> bool {
        self.settable == Settable::Yes
    }

    /// Now, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let pinned = self.pinned_ms.load(Ordering::SeqCst);
        let milliseconds = if pinned == FOLLOWS_SYSTEM { system_time().timestamp_millis() } else { pinned };
        DateTime::from_timestamp_millis(milliseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
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
