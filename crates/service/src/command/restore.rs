//! `restore`: a backup is brought up to date and proved beside the database, and only then takes its place.

use super::postgres::{self, Tool};
use super::{DatabaseArguments, Failed, backup, files};
use crate::config::{DatabaseTarget, PostgresTarget};
use aispace_service::{Database, Store, StoreError};
use chrono::{DateTime, Utc};
use clap::Args;
use rusqlite::Connection;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Args)]
pub(super) struct RestoreArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Takes the place of a database that is there. A file is put aside, what is in PostgreSQL is dropped.
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(arguments: &RestoreArguments) -> Result<(), Failed> {
    let target = arguments.database.target()?;
    if !arguments.from.exists() {
        return Err(Failed::because(format!("there is no backup {}", arguments.from.display())));
    }
    let accounts = match &target {
        DatabaseTarget::Sqlite(path) => sqlite(path, arguments).await?,
        DatabaseTarget::Postgres(database) => loaded(&target, database, arguments).await?,
    };
    writeln!(std::io::stdout(), "{accounts} accounts are in {target}, and hold")?;
    Ok(())
}

async fn sqlite(path: &Path, arguments: &RestoreArguments) -> Result<usize, Failed> {
    if path.exists() && !arguments.replace {
        return Err(Failed::because(format!("{} exists; --replace puts it aside", path.display())));
    }
    let Some(_lock) = files::lock(path)? else {
        return Err(StoreError::InUse { path: path.to_owned() }.into());
    };
    let fresh = files::beside(path, "restoring")?;
    let outcome = proved(&arguments.from, &fresh).await;
    let accounts = match outcome.and_then(|accounts| swap(&fresh, path).map(|()| accounts)) {
        Ok(accounts) => accounts,
        Err(failed) => {
            files::remove_database(&fresh);
            return Err(failed);
        }
    };
    Ok(accounts)
}

/// Copies the backup, brings the copy up to date and replays its logs.
async fn proved(from: &Path, fresh: &Path) -> Result<usize, Failed> {
    let (from, to) = (from.to_owned(), fresh.to_owned());
    tokio::task::spawn_blocking(move || backup::copy(&from, &to)).await??;
    let store = Store::open(&Database::Sqlite(fresh.to_owned())).await?;
    let accounts = store.verify().await;
    store.close().await;
    Ok(accounts?)
}

fn swap(fresh: &Path, path: &Path) -> Result<(), Failed> {
    if path.exists() {
        fold_in(path);
        let now: DateTime<Utc> = SystemTime::now().into();
        let aside = files::with(path, &format!(".replaced-{}", now.format("%Y%m%dT%H%M%S%.3fZ")));
        files::put_aside(path, &aside)?;
        writeln!(std::io::stderr(), "what was there is {} now", aside.display())?;
    }
    files::put_in_place(fresh, path)
}

/// Brings a write-ahead log that a killed service left into its file, so that the two cannot be parted by a crash of this process. A damaged
/// file refuses, and is put aside as it is.
fn fold_in(path: &Path) {
    if let Ok(connection) = Connection::open(path) {
        let folded: rusqlite::Result<i64> = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        if let Err(error) = folded {
            tracing::warn!(%error, "what is replaced cannot be read");
        }
    }
}

async fn loaded(target: &DatabaseTarget, database: &PostgresTarget, arguments: &RestoreArguments) -> Result<usize, Failed> {
    postgres::check_dump(&arguments.from).await?;
    let found = postgres::look(&target.database()).await?;
    if found.services > 0 {
        return Err(Failed::because(format!(
            "{target} is in use by {} connections of the service; stop every instance first",
            found.services
        )));
    }
    if found.tables > 0 && !arguments.replace {
        return Err(Failed::because(format!("{target} is not empty; --replace drops what is there")));
    }
    let mut flags = vec!["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"];
    if arguments.replace {
        flags.extend(["--clean", "--if-exists"]);
    }
    postgres::run(Tool::Restore, database, &flags, Some(&arguments.from)).await?;
    let store = Store::open(&target.database()).await?;
    let accounts = store.verify().await;
    store.close().await;
    Ok(accounts?)
}
