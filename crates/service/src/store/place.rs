//! Where the database is.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A SQLite file or a PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file, which one service at a time may write.
    Sqlite(PathBuf),
    /// A database that several instances may share.
    Postgres(PostgresUrl),
}

/// `postgres://user:password@host:port/database?options`. It may hold a password, so its own texts leave that out.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// The whole address, with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Database {
    type Err = Infallible;

    /// An address that begins with `postgres://` or `postgresql://`; else the path of a file.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_url { Self::Postgres(PostgresUrl(text.to_owned())) } else { Self::Sqlite(PathBuf::from(text)) })
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_path_buf())
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Self {
        Self::Sqlite(path)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("postgres", &self.0));
        // A password may stand before the host, and among the options.
        let rest = rest.split('?').next().unwrap_or_default();
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_no_text() {
        for (text, shown) in [
            ("postgres://user:pa@ss@db.example:5432/ledger?sslmode=require", "postgres://db.example:5432/ledger"),
            ("postgresql://db/ledger?user=u&password=pass", "postgresql://db/ledger"),
            ("postgres:///ledger?host=/run/postgresql", "postgres:///ledger"),
        ] {
            let database: Database = text.parse().expect("read");
            assert_eq!(database.to_string(), shown);
            assert!(!format!("{database:?}").contains("pass"), "{database:?}");
        }
        assert_eq!("service.db".parse(), Ok(Database::Sqlite("service.db".into())));
    }
}
