//! `verify`.

use super::{DatabaseArguments, Failed};
use aispace_service::{Database, Store};
use std::io::Write;

pub(super) async fn run(arguments: &DatabaseArguments) -> Result<(), Failed> {
    let database = arguments.database()?;
    let store = open_to_read(&database).await?;
    let accounts = store.verify().await?;
    store.close().await;
    writeln!(std::io::stdout(), "{accounts} accounts hold")?;
    Ok(())
}

/// Opens what is there for looking only, beside a service that writes it or without one.
pub(super) async fn open_to_read(database: &Database) -> Result<Store, Failed> {
    exists(database)?;
    Ok(Store::open_to_read(database).await?)
}

/// Refuses a file that is not there, which opening would otherwise make.
pub(super) fn exists(database: &Database) -> Result<(), Failed> {
    match database {
        Database::Sqlite(path) if !path.exists() => Err(Failed::because(format!("there is no database {}", path.display()))),
        Database::Sqlite(_) | Database::Postgres(_) => Ok(()),
    }
}
