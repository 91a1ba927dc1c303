//! `verify`.

use super::{DatabaseArguments, Failed, exists};
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
