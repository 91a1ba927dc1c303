//! A bare loop: the statements of one debit, in the service's order, with the service's settings, and nothing between them.

use crate::figures::Run;
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::{Duration, Instant};

const RECALL: &str = "SELECT request_hash, status, answer FROM idempotency WHERE scope = $1 AND key = $2";
const ENTRY: &str =
    "INSERT INTO entries (account_id, sequence, at_ms, body, previous_hash, hash, kind, model) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const BATCH: &str =
    "UPDATE batches SET left_over = $1, lapsed = $2, held = $3, voided = $4, voided_ms = $5 WHERE account_id = $6 AND batch_id = $7";
const ACCOUNT: &str = "UPDATE accounts SET entry_count = $1, last_hash = $2, latest_ms = $3, allowance = $4, allowance_since_ms = $5
     WHERE account_id = $6 AND entry_count = $7";
const KEEP: &str = "INSERT INTO idempotency (scope, key, request_hash, status, answer, kept_ms) VALUES ($1, $2, $3, $4, $5, $6)";

/// A database that the service made, with one account and one batch; the service has let go of it.
pub struct Bare {
    connection: Connection,
    account: String,
    batch: String,
    sequence: i64,
    left: i64,
}

impl Bare {
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).expect("opens");
        connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16000").expect("set");
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("set");
        connection.set_prepared_statement_cache_capacity(128);
        let sql = "SELECT account_id, entry_count FROM accounts";
        let (account, sequence) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("an account");
        let sql = "SELECT batch_id, left_over FROM batches";
        let (batch, left) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a batch");
        Self { connection, account, batch, sequence, left }
    }

    pub fn run(&mut self, span: Duration) -> Run {
        let (began, mut latencies) = (Instant::now(), Vec::new());
        crate::fsync::taken();
        while began.elapsed() < span {
            let at = Instant::now();
            self.debit();
            latencies.push(at.elapsed().as_secs_f64() * 1e6);
        }
        Run { seconds: began.elapsed().as_secs_f64(), latencies, fsyncs: crate::fsync::taken() }
    }

    fn debit(&mut self) {
        let control = |sql: &str| self.connection.prepare_cached(sql).and_then(|mut s| s.raw_execute()).expect("done");
        let (before, hash, at) = (self.sequence, [7u8; 32], 1_800_000_000_000i64);
        self.sequence += 1;
        self.left -= 1;
        let key = format!("bare-{}", self.sequence);
        let body = format!("{{\"kind\":\"debit\",\"taken\":[{{\"batch\":\"{}\",\"amount\":\"0.000000001\"}}],\"memo\":null}}", self.batch);
        let answer = format!(
            "{{\"account_id\":\"{}\",\"entry_id\":\"en_0123456789abcdef0123456789abcdef\",\"sequence\":{},\"batch_id\":null,\"hold_id\":null,\"available_credits\":\"899999999.999999999\",\"held_credits\":\"0\",\"debt_credits\":\"0\",\"server_time\":\"2027-01-15T08:00:00Z\"}}",
            self.account, self.sequence
        );
        control("BEGIN IMMEDIATE");
        control("SAVEPOINT job");
        let statement = |sql: &str| self.connection.prepare_cached(sql).expect("prepared");
        assert!(!statement(RECALL).exists(params![self.account, key]).expect("read"));
        statement(ENTRY).execute(params![self.account, self.sequence, at, body, hash, hash, "debit", None::<&str>]).expect("written");
        statement(BATCH).execute(params![self.left, 0, 0, 0, None::<i64>, self.account, self.batch]).expect("written");
        statement(ACCOUNT).execute(params![self.sequence, hash, at, None::<i64>, None::<i64>, self.account, before]).expect("written");
        statement(KEEP).execute(params![self.account, key, hash, 201, answer, at]).expect("written");
        control("RELEASE job");
        control("COMMIT");
    }
}
