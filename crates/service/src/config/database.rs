//! Where the ledger is kept: a file of SQLite's, or a database of PostgreSQL's whose password is held apart from its URL.

use super::secret::Secret;
use aispace_service::Database;
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Which database.
#[derive(Clone)]
pub(crate) enum DatabaseTarget {
    /// A file.
    Sqlite(PathBuf),
    /// A server's database.
    Postgres(PostgresTarget),
}

/// A database of PostgreSQL's.
#[derive(Clone)]
pub(crate) struct PostgresTarget {
    /// The URL without a password, fit for a log and for a command line.
    url: String,
    password: Option<Secret>,
}

/// Whether a URL brought its password along, where whoever can read the URL can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasswordInUrl {
    Yes,
    No,
}

impl DatabaseTarget {
    /// Reads a path or a URL. The message does not repeat the input, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<(Self, PasswordInUrl), &'static str> {
        if text.trim().is_empty() {
            return Err("is empty");
        }
        let Some(scheme) = SCHEMES.into_iter().find(|scheme| text.starts_with(scheme)) else {
            if text.contains("://") {
                return Err("is neither a path nor a postgres:// URL");
            }
            return Ok((Self::Sqlite(text.into()), PasswordInUrl::No));
        };
        let rest = text.get(scheme.len()..).unwrap_or_default();
        let (authority, path) = split_authority(rest);
        if path.contains("password=") {
            return Err("has its password among the parameters, where it is not looked for; write postgres://user:password@host/database");
        }
        if path.trim_matches('/').is_empty() || path.starts_with("/?") {
            return Err("names no database; write postgres://user@host/database");
        }
        let Some((user, host)) = authority.rsplit_once('@') else {
            return Ok((Self::Postgres(PostgresTarget { url: text.to_owned(), password: None }), PasswordInUrl::No));
        };
        let Some((user, password)) = user.split_once(':') else {
            return Ok((Self::Postgres(PostgresTarget { url: text.to_owned(), password: None }), PasswordInUrl::No));
        };
        let password = percent_decoded(password).ok_or("has a password that is not percent-encoded text")?;
        let url = format!("{scheme}{user}@{host}{path}");
        let target = PostgresTarget { url, password: Secret::new(&password) };
        Ok((Self::Postgres(target), PasswordInUrl::Yes))
    }

    /// As the store takes it.
    pub(crate) fn database(&self) -> Database {
        let Ok(database) = match self {
            Self::Sqlite(path) => return Database::Sqlite(path.clone()),
            Self::Postgres(target) => target.url_with_password().parse(),
        };
        database
    }

    /// The same database with another password.
    pub(crate) fn with_password(self, password: Secret) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(path),
            Self::Postgres(target) => Self::Postgres(PostgresTarget { password: Some(password), ..target }),
        }
    }
}

impl PostgresTarget {
    /// The URL without its password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The password, wherever it came from.
    pub(crate) fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// The URL with its password, for the driver alone.
    pub(crate) fn url_with_password(&self) -> Zeroizing<String> {
        let (Some(password), Some((scheme, rest))) = (&self.password, self.url.split_once("://")) else {
            return Zeroizing::new(self.url.clone());
        };
        let (authority, path) = split_authority(rest);
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let password = percent_encoded(password.expose());
        Zeroizing::new(format!("{scheme}://{user}:{}@{host}{path}", *password))
    }
}

/// What stands before the path or the parameters, and the rest.
fn split_authority(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}

/// As it may be shown: without a password.
impl fmt::Display for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(target) => f.write_str(&target.url),
        }
    }
}

fn percent_decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let mut byte = [0];
        hex::decode_to_slice(after.get(..2)?, &mut byte).ok()?;
        bytes.extend_from_slice(&byte);
        rest = after.get(2..)?;
    }
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

fn percent_encoded(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(text: &str) -> PostgresTarget {
        match DatabaseTarget::parse(text) {
            Ok((DatabaseTarget::Postgres(target), _)) => target,
            _ => panic!("{text} is a URL"),
        }
    }

    #[test]
    fn a_password_is_held_apart_from_its_url() {
        for (url, shown, password) in [
            ("postgres://me@db/ledger", "postgres://me@db/ledger", None),
            ("postgresql://db:5433/ledger?sslmode=verify-full", "postgresql://db:5433/ledger?sslmode=verify-full", None),
            ("postgres:///ledger?host=/run/postgresql", "postgres:///ledger?host=/run/postgresql", None),
            ("postgres://me:hush@db/ledger", "postgres://me@db/ledger", Some("hush")),
            ("postgres://me:a%40b%2Fc%3a@db:5/ledger", "postgres://me@db:5/ledger", Some("a@b/c:")),
            ("postgres://me:a@b@db/ledger", "postgres://me@db/ledger", Some("a@b")),
            ("postgres://me:@db/ledger", "postgres://me@db/ledger", None),
        ] {
            let target = postgres(url);
            assert_eq!((target.url(), target.password().map(Secret::expose)), (shown, password));
        }
        assert_eq!(*postgres("postgres://me:a@b%2F@db/ledger").url_with_password(), "postgres://me:a%40b%2F@db/ledger");
        assert_eq!(*postgres("postgres://me@db/ledger").url_with_password(), "postgres://me@db/ledger");
        let hush = Secret::new("hush").expect("a password");
        let DatabaseTarget::Postgres(other) = DatabaseTarget::Postgres(postgres("postgres://db/a@b")).with_password(hush) else {
            panic!("still PostgreSQL's");
        };
        assert_eq!((other.url(), other.url_with_password().as_str()), ("postgres://db/a@b", "postgres://:hush@db/a@b"));
    }

    #[test]
    fn a_path_is_a_file_and_nothing_else_is() {
        assert!(matches!(DatabaseTarget::parse("a:b@c/service.db"), Ok((DatabaseTarget::Sqlite(_), PasswordInUrl::No))));
        for refused in [
            "",
            " ",
            "mysql://me:hush@db/ledger",
            "postgres://me:hush@db",
            "postgres://me:hush@db/",
            "postgres://me:hush@db/?sslmode=require",
            "postgres://me@db/ledger?password=hush",
            "postgres://me:%zz@db/ledger",
            "postgres://me:%ff@db/ledger",
        ] {
            let reason = DatabaseTarget::parse(refused).err().unwrap_or_else(|| panic!("{refused} is refused"));
            assert!(!reason.contains("hush"), "{reason}");
        }
    }
}
