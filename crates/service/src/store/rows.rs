//! Between columns and types.

use super::StoreError;
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use std::str::FromStr;

pub(super) fn bad(what: &'static str) -> StoreError {
    StoreError::BadRow { what }
}

pub(super) fn instant(milliseconds: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(milliseconds).ok_or_else(|| bad("instant"))
}

pub(super) fn credits(nanos: i64) -> Result<NanoCredits, StoreError> {
    NanoCredits::from_nanos(nanos).map_err(|_| bad("amount of credits"))
}

pub(super) fn hash(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| bad("hash"))
}

pub(super) fn count(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| bad("count"))
}

pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| bad("count"))
}

pub(super) fn text<T: FromStr>(text: &str, what: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| bad(what))
}
