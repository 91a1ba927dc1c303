//! The time whose runs are counted.

use chrono::{DateTime, Datelike, Days, Months, NaiveTime, TimeDelta, Utc};
use serde::Serialize;

/// How long the last month is.
const LAST_MONTH: TimeDelta = TimeDelta::days(30);

/// From an instant up to another, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Period {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub until: DateTime<Utc>,
}

impl Period {
    /// Whether an instant is in it.
    #[must_use]
    pub fn contains(self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// The 30 days before an instant: 30 × 86,400 seconds, as long as a batch of credits lives.
///
/// ```
/// let month = aispace_pricing::last_month("2026-03-15T10:00:00Z".parse()?);
/// assert_eq!(month.from.to_rfc3339(), "2026-02-13T10:00:00+00:00");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[must_use]
pub fn last_month(now: DateTime<Utc>) -> Period {
    Period { from: now.checked_sub_signed(LAST_MONTH).unwrap_or(DateTime::<Utc>::MIN_UTC), until: now }
}

/// The last whole month of the UTC calendar before an instant.
///
/// ```
/// let month = aispace_pricing::calendar_month("2026-03-15T10:00:00Z".parse()?);
/// assert_eq!((month.from.to_rfc3339(), month.until.to_rfc3339()), ("2026-02-01T00:00:00+00:00".into(), "2026-03-01T00:00:00+00:00".into()));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[must_use]
pub fn calendar_month(now: DateTime<Utc>) -> Period {
    let day = now.date_naive();
    let first = day.checked_sub_days(Days::new(day.day0().into())).unwrap_or(day);
    let before = first.checked_sub_months(Months::new(1)).unwrap_or(first);
    Period { from: before.and_time(NaiveTime::MIN).and_utc(), until: first.and_time(NaiveTime::MIN).and_utc() }
}
