//! PostgreSQL's own programs, which know how to write a database down. A password reaches them in their environment, never on a command
//! line, where every user of the machine could read it.

use super::Failed;
use crate::config::PostgresTarget;
use aispace_service::Database;
use sqlx::{Connection, PgConnection};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// As the service names its own connections.
const SERVICE: &str = "aispace-account-service";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Dump,
    Restore,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Dump => "pg_dump",
            Self::Restore => "pg_restore",
        }
    }
}

/// What is in a database.
pub(super) struct Found {
    /// Tables in the schema that would be written.
    pub(super) tables: i64,
    /// Connections of services.
    pub(super) services: i64,
}

/// Runs a program on a database and a file; what it says on stderr is the reason when it fails.
pub(super) async fn run(tool: Tool, database: &PostgresTarget, flags: &[&str], file: Option<&Path>) -> Result<(), Failed> {
    let mut command = Command::new(tool.name());
    command.args(flags).arg("--dbname").arg(database.url());
    match (tool, file) {
        (Tool::Dump, Some(file)) => command.arg("--file").arg(file),
        (Tool::Restore, Some(file)) => command.arg(file),
        (_, None) => &mut command,
    };
    if let Some(password) = database.password() {
        command.env("PGPASSWORD", password.expose());
    }
    ended(tool, command).await
}

/// Reads a dump's table of contents.
pub(super) async fn check_dump(file: &Path) -> Result<(), Failed> {
    let mut command = Command::new(Tool::Restore.name());
    command.arg("--list").arg(file);
    ended(Tool::Restore, command).await
}

async fn ended(tool: Tool, mut command: Command) -> Result<(), Failed> {
    let name = tool.name();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| Failed::because(format!("{name}, which PostgreSQL's client package brings: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failed::because(format!("{name} failed ({}): {}", output.status, said.trim())))
}

/// Looks into a database without changing it.
pub(super) async fn look(database: &Database) -> Result<Found, Failed> {
    let Database::Postgres(url) = database else { return Err(Failed::because("not a database of PostgreSQL's")) };
    let unreachable = |error: sqlx::Error| Failed::because(format!("the database {url} cannot be reached: {error}"));
    let mut connection = PgConnection::connect(url.expose()).await.map_err(unreachable)?;
    let tables = sqlx::query_scalar("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()");
    let tables = tables.fetch_one(&mut connection).await?;
    let services = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1");
    let services = services.bind(SERVICE).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(Found { tables, services })
}
