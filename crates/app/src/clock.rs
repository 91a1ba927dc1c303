//! Time is an argument.

use chrono::{DateTime, FixedOffset, Offset as _, Utc};

/// Tells this computer's time.
pub trait Clock: Send + Sync {
    /// Now, as this computer believes.
    fn now(&self) -> DateTime<Utc>;

    /// How local time differs from UTC at an instant; not at all where nothing is known of it.
    fn offset_at(&self, _at: DateTime<Utc>) -> FixedOffset {
        Utc.fix()
    }
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }

    fn offset_at(&self, at: DateTime<Utc>) -> FixedOffset {
        *at.with_timezone(&chrono::Local).offset()
    }
}
