//! `backup`: a copy of one instant, made beside a service that goes on posting, and proved before it gets its name.

use super::postgres::{self, Tool};
use super::verify::open_to_read;
use super::{DatabaseArguments, Failed, files};
use crate::config::{DatabaseTarget, PostgresTarget};
use aispace_service::{Database, Store};
use clap::Args;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a copy may be kept from beginning.
const BUSY_FOR: Duration = Duration::from_secs(30);
const BUSY_PAUSE: Duration = Duration::from_millis(20);

#[derive(Args)]
pub(super) struct BackupArguments {
    #[command(flatten)]
    database: DatabaseArguments,
    /// The file to write, readable by its owner alone.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Takes the place of a file that is there.
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(arguments: &BackupArguments) -> Result<(), Failed> {
    let target = arguments.database.target()?;
    let to = &arguments.to;
    if to.exists() && !arguments.replace {
        return Err(Failed::because(format!("{} exists; --replace takes its place", to.display())));
    }
    let partial = files::beside(to, "partial")?;
    let outcome = match &target {
        DatabaseTarget::Sqlite(path) => sqlite(path, &partial).await,
        DatabaseTarget::Postgres(database) => dumped(&target, database, &partial).await,
    };
    let accounts = match outcome.and_then(|accounts| files::put_in_place(&partial, to).map(|()| accounts)) {
        Ok(accounts) => accounts,
        Err(failed) => {
            files::remove_database(&partial);
            return Err(failed);
        }
    };
    writeln!(std::io::stdout(), "{accounts} accounts are in {}, and hold", to.display())?;
    Ok(())
}

async fn sqlite(path: &Path, partial: &Path) -> Result<usize, Failed> {
    super::exists(&Database::Sqlite(path.to_owned()))?;
    let (from, to) = (path.to_owned(), partial.to_owned());
    tokio::task::spawn_blocking(move || copy(&from, &to)).await??;
    let store = Store::open_to_read(&Database::Sqlite(partial.to_owned())).await?;
    let accounts = store.verify().await;
    store.close().await;
    Ok(accounts?)
}

/// Copies a database as it is at one instant into a new file, with SQLite's backup interface. All pages are taken in one step: in WAL mode
/// that stops no writer, and a copy in several steps would begin anew at every commit.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    files::create_private(to)?;
    let mut target = Connection::open(to)?;
    let until = Instant::now() + BUSY_FOR;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            match backup.step(-1)? {
                StepResult::Done => break,
                StepResult::More => {}
                StepResult::Busy | StepResult::Locked if Instant::now() < until => std::thread::sleep(BUSY_PAUSE),
                _ => return Err(Failed::because(format!("{} stayed locked", from.display()))),
            }
        }
    }
    // One file that stands by itself, whatever the source keeps beside it.
    let mode: String = target.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(Failed::because(format!("the copy's journal stays {mode}")));
    }
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

async fn dumped(target: &DatabaseTarget, database: &PostgresTarget, partial: &Path) -> Result<usize, Failed> {
    // The log first: nobody wants a whole dump of a ledger that does not hold.
    let store = open_to_read(&target.database()).await?;
    let accounts = store.verify().await;
    store.close().await;
    files::create_private(partial)?;
    let dump = ["--format=custom", "--no-owner", "--no-privileges", "--no-password"];
    postgres::run(Tool::Dump, database, &dump, Some(partial)).await?;
    postgres::check_dump(partial).await?;
    Ok(accounts?)
}
