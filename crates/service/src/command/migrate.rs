//! `migrate`.

use super::{DatabaseArguments, Failed};
use aispace_service::Store;
use std::io::Write;

/// Opening brings it up to date, in one transaction for each kind of database.
pub(super) async fn run(arguments: &DatabaseArguments) -> Result<(), Failed> {
    let database = arguments.database()?;
    Store::open(&database).await?.close().await;
    writeln!(std::io::stdout(), "{database} is up to date")?;
    Ok(())
}
