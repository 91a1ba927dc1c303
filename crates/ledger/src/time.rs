//! The ledger's instants: whole milliseconds of POSIX time.

use chrono::{DateTime, TimeDelta, Utc};

const NANOS_PER_SECOND: u32 = 1_000_000_000;
const NANOS_PER_MILLISECOND: u32 = 1_000_000;

/// Rounds an instant down to the whole millisecond, the finest step the ledger stores and hashes.
#[must_use]
pub fn whole_milliseconds(at: DateTime<Utc>) -> DateTime<Utc> {
    match at.timestamp_subsec_nanos() {
        // Most instants are whole already, and taking them apart costs more than asking.
        nanos if nanos < NANOS_PER_SECOND && nanos.is_multiple_of(NANOS_PER_MILLISECOND) => at,
        _ => DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at),
    }
}

/// Adds a span; stops at the end of the calendar, which no ledger reaches.
pub(crate) fn after(at: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(span).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Milliseconds from one instant to a later one, zero when it is not later.
pub(crate) fn milliseconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> i128 {
    i128::from(to.timestamp_millis()).saturating_sub(i128::from(from.timestamp_millis())).max(0)
}

/// The first UTC midnight after an instant.
pub(crate) fn midnight_after(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    at.date_naive().succ_opt()?.and_hms_opt(0, 0, 0).map(|midnight| midnight.and_utc())
}
