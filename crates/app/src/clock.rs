//! Time is an argument.

use chrono::{DateTime, Utc};

/// Tells this computer's time.
pub trait Clock: Send + Sync {
    /// Now, as this computer believes.
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }
}
