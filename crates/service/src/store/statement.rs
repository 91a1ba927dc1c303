//! One way to speak SQL to both databases.
//!
//! Every statement is a constant with `$1`, `$2`, … in the order of their first use: PostgreSQL numbers them so, and SQLite gives a named parameter
//! the number of its first use, so both bind the same arguments.

use super::{StoreError, rows};
use aispace_ledger::{Account, AccountId};
use rusqlite::types::Value;
use sqlx::Row as _;
use sqlx::postgres::{PgRow, Postgres};
use std::collections::HashMap;

/// Accounts that the writer keeps at hand; beyond that it begins anew.
const ACCOUNTS_KEPT_MAX: usize = 16_384;

/// A value bound to a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg<'a> {
    /// A 64-bit integer.
    Int(Option<i64>),
    /// A text.
    Text(Option<&'a str>),
    /// Bytes.
    Blob(Option<&'a [u8]>),
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Arg<'_> {
    /// Both databases keep it as 0 or 1.
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<Option<&'a String>> for Arg<'a> {
    fn from(value: Option<&'a String>) -> Self {
        Self::Text(value.map(String::as_str))
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(Some(value))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Arg<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(Some(value))
    }
}

impl<'a, const N: usize> From<Option<&'a [u8; N]>> for Arg<'a> {
    fn from(value: Option<&'a [u8; N]>) -> Self {
        Self::Blob(value.map(<[u8; N]>::as_slice))
    }
}

/// The arguments of a statement, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::Arg::from($value)),*] };
}
pub(crate) use args;

/// A row of an answer.
pub(crate) enum Row {
    /// Of SQLite.
    Sqlite(Vec<Value>),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// An integer.
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.int_or_none(column)?.ok_or_else(|| rows::bad("integer"))
    }

    /// A text.
    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.text_or_none(column)?.ok_or_else(|| rows::bad("text"))
    }

    /// Bytes.
    pub(crate) fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.blob_or_none(column)?.ok_or_else(|| rows::bad("row of bytes"))
    }

    /// An integer, or NULL.
    pub(crate) fn int_or_none(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(values) => match values.get(column) {
                Some(Value::Integer(value)) => Ok(Some(*value)),
                Some(Value::Null) => Ok(None),
                _ => Err(rows::bad("integer")),
            },
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// A text, or NULL.
    pub(crate) fn text_or_none(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(values) => match values.get(column) {
                Some(Value::Text(value)) => Ok(Some(value.clone())),
                Some(Value::Null) => Ok(None),
                _ => Err(rows::bad("text")),
            },
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// Bytes, or NULL.
    pub(crate) fn blob_or_none(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Sqlite(values) => match values.get(column) {
                Some(Value::Blob(value)) => Ok(Some(value.clone())),
                Some(Value::Null) => Ok(None),
                _ => Err(rows::bad("row of bytes")),
            },
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }
}

/// A transaction, or a snapshot that is read.
pub(crate) struct Tx {
    backend: Backend,
    intent: Intent,
    /// Accounts that something was posted to since this was last asked.
    touched: Vec<AccountId>,
    /// Accounts as the one writer of a file left them; always empty with PostgreSQL, whose rows others write too.
    kept: HashMap<AccountId, Account>,
}

pub(super) enum Backend {
    Sqlite(rusqlite::Connection),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Read,
    Write,
}

impl Tx {
    pub(super) fn new(backend: Backend, intent: Intent) -> Self {
        Self { backend, intent, touched: Vec::new(), kept: HashMap::new() }
    }

    /// Runs a statement; answers how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        match &mut self.backend {
            Backend::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, args)?;
                let changed = statement.raw_execute()?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
            Backend::Postgres(tx) => Ok(bound(sql, args).execute(&mut **tx).await?.rows_affected()),
        }
    }

    /// Every row of an answer.
    pub(crate) async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, StoreError> {
        match &mut self.backend {
            Backend::Sqlite(connection) => Ok(sqlite_rows(connection, sql, args)?),
            Backend::Postgres(tx) => Ok(bound(sql, args).fetch_all(&mut **tx).await?.into_iter().map(Row::Postgres).collect()),
        }
    }

    /// The first row of an answer.
    pub(crate) async fn optional(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>, StoreError> {
        match &mut self.backend {
            Backend::Sqlite(connection) => Ok(sqlite_rows(connection, sql, args)?.into_iter().next()),
            Backend::Postgres(tx) => Ok(bound(sql, args).fetch_optional(&mut **tx).await?.map(Row::Postgres)),
        }
    }

    /// Whether rows that are read must be locked against other writers: SQLite has one writer at a time.
    pub(super) fn locks_rows(&self) -> bool {
        self.intent == Intent::Write && matches!(self.backend, Backend::Postgres(_))
    }

    /// Notes that an account has changed; it is told once that is committed.
    pub(super) fn touch(&mut self, id: &AccountId) {
        self.touched.push(id.clone());
    }

    pub(super) fn take_touched(&mut self) -> Vec<AccountId> {
        std::mem::take(&mut self.touched)
    }

    /// Takes a kept account out. Whoever posts to it gives it back by [`Tx::keep`]; one that is not given back is read anew.
    pub(super) fn take_kept(&mut self, id: &AccountId) -> Option<Account> {
        self.kept.remove(id)
    }

    pub(super) fn keep(&mut self, account: Account) {
        if self.intent == Intent::Read || matches!(self.backend, Backend::Postgres(_)) {
            return;
        }
        if self.kept.len() >= ACCOUNTS_KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(account.id().clone(), account);
    }

    /// Where the touched accounts stand now, for [`Tx::forget_since`].
    pub(super) fn mark(&self) -> usize {
        self.touched.len()
    }

    /// Forgets the accounts touched since a mark: what was posted to them is undone.
    pub(super) fn forget_since(&mut self, mark: usize) {
        for id in self.touched.drain(mark.min(self.touched.len())..) {
            self.kept.remove(&id);
        }
    }

    /// Forgets every account: what they were left at was not committed.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
        self.touched.clear();
    }

    pub(super) fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.backend {
            Backend::Sqlite(connection) => Some(connection),
            Backend::Postgres(_) => None,
        }
    }

    pub(super) fn into_postgres(self) -> Option<sqlx::Transaction<'static, Postgres>> {
        match self.backend {
            Backend::Postgres(tx) => Some(tx),
            Backend::Sqlite(_) => None,
        }
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, args: &[Arg<'_>]) -> rusqlite::Result<()> {
    debug_assert_eq!(statement.parameter_count(), args.len(), "a statement takes its arguments");
    for (place, arg) in (1..).zip(args) {
        match arg {
            Arg::Int(value) => statement.raw_bind_parameter(place, value)?,
            Arg::Text(value) => statement.raw_bind_parameter(place, value)?,
            Arg::Blob(value) => statement.raw_bind_parameter(place, value)?,
        }
    }
    Ok(())
}

fn sqlite_rows(connection: &rusqlite::Connection, sql: &'static str, args: &[Arg<'_>]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, args)?;
    let columns = statement.column_count();
    let (mut found, mut rows) = (Vec::new(), statement.raw_query());
    while let Some(row) = rows.next()? {
        found.push(Row::Sqlite((0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?));
    }
    Ok(found)
}

fn bound<'q>(sql: &'static str, args: &'q [Arg<'q>]) -> sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments> {
    args.iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Int(value) => query.bind(*value),
        Arg::Text(value) => query.bind(*value),
        Arg::Blob(value) => query.bind(*value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn sqlite_numbers_parameters_by_their_first_use() {
        let mut tx = Tx::new(Backend::Sqlite(rusqlite::Connection::open_in_memory().expect("opens")), Intent::Read);
        let args: &[Arg<'_>] = args![7, "seven", Some(&[7u8; 2]), None::<i64>];
        let found = tx.rows("SELECT $1, $2, $3, $4, $1", args).now_or_never().expect("at once").expect("read");
        let row = found.first().expect("a row");
        assert_eq!((row.int(0).expect("7"), row.text(1).expect("a text"), row.int(4).expect("7")), (7, "seven".to_owned(), 7));
        assert_eq!((row.blob(2).expect("bytes"), row.int_or_none(3).expect("none")), (vec![7, 7], None));
        assert!(row.int(1).is_err() && row.text(0).is_err() && row.blob(3).is_err() && row.int(9).is_err());
    }
}
