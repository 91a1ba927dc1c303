//! Time is an argument.

use chrono::{DateTime, FixedOffset, Offset as _, TimeDelta, Utc};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

/// Tells this computer's time.
pub trait Clock: Send + Sync {
    /// Now, as this computer believes.
    fn now(&self) -> DateTime<Utc>;

    /// How local time differs from UTC at an instant; not at all where nothing is known of it.
    fn offset_at(&self, _at: DateTime<Utc>) -> FixedOffset {
        Utc.fix()
    }

    /// For how long this has been running: what nobody puts forward or back. Time asleep may be missing from it, or all of it.
    fn running(&self) -> Duration {
        Duration::ZERO
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

    fn running(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    }
}

/// A look at a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What it said.
    pub(crate) wall: DateTime<Utc>,
    /// For how long it had been running.
    pub(crate) running: Duration,
}

impl Reading {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), running: clock.running() }
    }

    /// How long ago an earlier one was at least: a clock put back takes nothing away, and neither does sleep.
    pub(crate) fn since(&self, earlier: &Self) -> TimeDelta {
        (self.wall - earlier.wall).max(self.ran_since(earlier))
    }

    /// How much further the clock has moved since an earlier one than time has run: it was set, or the computer slept.
    pub(crate) fn leapt_since(&self, earlier: &Self) -> TimeDelta {
        self.wall - earlier.wall - self.ran_since(earlier)
    }

    fn ran_since(&self, earlier: &Self) -> TimeDelta {
        TimeDelta::from_std(self.running.saturating_sub(earlier.running)).unwrap_or(TimeDelta::MAX)
    }
}
