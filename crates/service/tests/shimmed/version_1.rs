//! A database file as the first release left it: two batches, of which one has ended, and debits over both.

use crate::support::start_time;
use aispace_ledger::{Account, AccountId, BatchId, BatchSource, NewBatch, Posting};
use chrono::TimeDelta;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// The account's Secure Key.
pub const KEY: &str = "ask_of-the-first-version";

/// Makes the file.
pub fn write(path: &Path) {
    let db = Connection::open(path).expect("made");
    db.execute_batch(include_str!("../../migrations/0001_ledger.sql")).expect("the first version");
    let (mut account, mut entries, mut batches) = (Account::open(AccountId::new("ac_old")), Vec::new(), BTreeMap::new());
    let mut keep = |posting: Posting| {
        entries.extend(posting.entries);
        batches.extend(posting.changed.into_iter().map(|b| (b.id.clone(), b)));
        posting.account
    };
    for (id, amount, hours) in [("b1", "5", 1), ("b2", "7", 100)] {
        let (amount, expires) = (amount.parse().expect("an amount"), Some(start_time() + TimeDelta::hours(hours)));
        let new = NewBatch { id: BatchId::new(id), source: BatchSource::Grant, note: None, amount, expires };
        account = keep(account.grant(start_time(), new).expect("granted"));
    }
    account = keep(account.debit(start_time(), "3".parse().expect("an amount"), None).expect("drawn"));
    account = keep(account.debit(start_time() + TimeDelta::hours(2), "1".parse().expect("an amount"), None).expect("drawn"));
    let (head, opened) = (account.head(), start_time().timestamp_millis());
    let count = i64::try_from(head.entry_count).expect("small");
    let latest = head.latest.map(|at| at.timestamp_millis());
    let row = params![opened, count, head.last_hash.as_bytes().as_slice(), latest];
    db.execute("INSERT INTO accounts VALUES ('ac_old', 'old', ?, ?, ?, ?)", row).expect("an account");
    db.execute("INSERT INTO account_keys VALUES ('ac_old', ?, 0, NULL)", [Sha256::digest(KEY).to_vec()]).expect("a key");
    for entry in entries {
        let (sequence, body) = (i64::try_from(entry.sequence).expect("small"), serde_json::to_string(&entry.kind).expect("written"));
        let row =
            params![sequence, entry.at.timestamp_millis(), body, entry.previous.as_bytes().as_slice(), entry.hash.as_bytes().as_slice()];
        db.execute("INSERT INTO entries VALUES ('ac_old', ?, ?, ?, ?, ?)", row).expect("an entry");
    }
    for batch in batches.into_values() {
        let (seq, span) = (i64::try_from(batch.seq).expect("small"), (batch.added.timestamp_millis(), batch.expires.timestamp_millis()));
        let row = params![batch.id.as_str(), seq, span.0, span.1, batch.granted.nanos(), batch.left.nanos(), batch.lapsed.nanos()];
        db.execute("INSERT INTO batches VALUES ('ac_old', ?, ?, 'grant', NULL, ?, ?, ?, ?, ?)", row).expect("a batch");
    }
}
