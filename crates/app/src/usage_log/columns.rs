//! What an entry is in columns.

use crate::{store::StoreError, view::UsageWork};
use aispace_api::{UsageEntry, UsageKind};
use aispace_units::NanoCreditSum;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::{Row, sqlite::SqliteRow};

const CREDIT: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Kinds by their number in the file; a new one goes to the end.
const KINDS: [(UsageKind, &str); 12] = [
    (UsageKind::Unknown, "unknown"),
    (UsageKind::BatchAdded, "batch_added"),
    (UsageKind::Debit, "debit"),
    (UsageKind::Expired, "expired"),
    (UsageKind::Held, "held"),
    (UsageKind::Settled, "settled"),
    (UsageKind::Released, "released"),
    (UsageKind::TimedOut, "timed_out"),
    (UsageKind::Voided, "voided"),
    (UsageKind::Refunded, "refunded"),
    (UsageKind::DebtPaid, "debt_paid"),
    (UsageKind::AllowanceSet, "allowance_set"),
];

/// Kinds of work by their number in the file.
const WORKS: [UsageWork; 8] = [
    UsageWork::Posted,
    UsageWork::Video,
    UsageWork::Image,
    UsageWork::Chat,
    UsageWork::Audio,
    UsageWork::Embedding,
    UsageWork::Search,
    UsageWork::Other,
];

/// Of what the account has less what it owes: a run that was charged beyond its credits counts whole.
pub(crate) fn net_change(entry: &UsageEntry) -> NanoCreditSum {
    entry.change_credits.minus(entry.debt_change_credits)
}

/// Whether a run was charged, at once or after a hold.
pub(crate) fn is_charge(kind: UsageKind) -> bool {
    matches!(kind, UsageKind::Debit | UsageKind::Settled)
}

/// The word of a kind, as it goes over the wire.
pub(crate) fn kind_word(kind: UsageKind) -> &'static str {
    KINDS.iter().find(|(one, _)| *one == kind).map_or("unknown", |(_, word)| word)
}

pub(super) fn kind_number(kind: UsageKind) -> i64 {
    place(KINDS.iter().position(|(one, _)| *one == kind))
}

pub(super) fn kind_of(number: i64) -> UsageKind {
    usize::try_from(number).ok().and_then(|at| KINDS.get(at)).map_or(UsageKind::Unknown, |(kind, _)| *kind)
}

pub(super) fn work_number(work: UsageWork) -> i64 {
    place(WORKS.iter().position(|one| *one == work))
}

pub(super) fn work_of(number: i64) -> UsageWork {
    usize::try_from(number).ok().and_then(|at| WORKS.get(at)).copied().unwrap_or_default()
}

fn place(found: Option<usize>) -> i64 {
    found.and_then(|at| i64::try_from(at).ok()).unwrap_or_default()
}

/// The kind of work of a run.
pub(super) fn work(entry: &UsageEntry) -> UsageWork {
    let Some(run) = &entry.run else {
        return if is_charge(entry.kind) { UsageWork::Other } else { UsageWork::Posted };
    };
    match run.kind.as_str() {
        "video" => UsageWork::Video,
        "image" => UsageWork::Image,
        "chat" => UsageWork::Chat,
        "audio" => UsageWork::Audio,
        "embedding" => UsageWork::Embedding,
        "search" => UsageWork::Search,
        _ => UsageWork::Other,
    }
}

/// The UTC day, counted from 1970.
pub(super) fn day(entry: &UsageEntry) -> i64 {
    day_of(entry.at)
}

/// The UTC day of an instant, counted from 1970.
pub(super) fn day_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(DAY_SECONDS)
}

/// Whole credits, rounded down, and the nanos above them.
pub(super) fn split(amount: NanoCreditSum) -> Result<(i64, i64), StoreError> {
    let parts = (i64::try_from(amount.nanos().div_euclid(CREDIT)), i64::try_from(amount.nanos().rem_euclid(CREDIT)));
    match parts {
        (Ok(whole), Ok(nanos)) => Ok((whole, nanos)),
        _ => Err(StoreError::Unwritable(format!("{amount} credits"))),
    }
}

/// The sum of amounts that were split.
pub(super) fn joined(whole: i64, nanos: i64) -> NanoCreditSum {
    NanoCreditSum::from_nanos(i128::from(whole).saturating_mul(CREDIT).saturating_add(i128::from(nanos)))
}

/// What a search looks through, in small letters.
pub(super) fn words(entry: &UsageEntry) -> String {
    let mut words = vec![kind_word(entry.kind), entry.entry_id.as_str()];
    words.extend(entry.hold_id.as_deref());
    words.extend(entry.note.as_deref());
    let mut counts = Vec::new();
    if let Some(run) = &entry.run {
        words.extend([run.model_name.as_str(), run.model_id.as_str(), run.kind.as_str()]);
        words.extend(run.rule.as_deref());
        counts = run.meters.iter().map(|(meter, count)| format!("{meter}={count}")).collect();
    }
    words.extend(counts.iter().map(String::as_str));
    words.join("\n").to_lowercase()
}

/// A number that is never negative.
pub(super) fn number(found: i64) -> Result<u64, StoreError> {
    u64::try_from(found).map_err(|_| StoreError::Damaged)
}

/// A number as the file has it.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Unwritable(format!("entry {number}")))
}

pub(super) fn written(entry: &UsageEntry) -> Result<(String, Vec<u8>), StoreError> {
    let body = serde_json::to_string(entry).map_err(|e| StoreError::Unwritable(e.to_string()))?;
    let checksum = Sha256::digest(body.as_bytes()).to_vec();
    Ok((body, checksum))
}

/// An entry from its text and its checksum, which stand side by side.
pub(super) fn read(row: &SqliteRow, at: usize) -> Result<UsageEntry, StoreError> {
    let (body, checksum): (String, Vec<u8>) = (row.try_get(at)?, row.try_get(at.saturating_add(1))?);
    if Sha256::digest(body.as_bytes())[..] != *checksum {
        return Err(StoreError::Damaged);
    }
    serde_json::from_str(&body).map_err(|_| StoreError::Damaged)
}
