//! The commands.

mod backup;
mod files;
mod log;
mod migrate;
mod operate;
mod postgres;
mod restore;
mod serve;
mod verify;

use crate::config::{DatabaseTarget, Flags, Loaded, Problem, database, environment, load};
use aispace_service::Database;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The reference account service of AiSpace Wallet.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers calls and watches the chain until SIGTERM or SIGINT.
    Serve(Box<serve::ServeArguments>),
    /// Makes the tables of an empty database, or brings an older one up to date; `serve` does so too.
    Migrate(DatabaseArguments),
    /// Replays every account's log against its batches and says whether all of them hold.
    Verify(DatabaseArguments),
    /// Copies the database into a file while the service runs, and proves the copy.
    Backup(backup::BackupArguments),
    /// Proves a backup and puts it in the database's place. No service may run.
    Restore(restore::RestoreArguments),
    /// Posts a batch of credits. On a SQLite file no service may run.
    Grant(operate::GrantArguments),
    /// Payments in ether of which nothing was made. On a SQLite file no service may run.
    #[command(subcommand)]
    Payments(operate::PaymentsCommand),
    /// Secure Keys. On a SQLite file no service may run.
    #[command(subcommand)]
    Key(operate::KeyCommand),
}

/// Which database a command is about.
#[derive(Args)]
struct DatabaseArguments {
    /// A configuration file, of which the database's fields are read.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The SQLite file, or a postgres:// URL.
    #[arg(long)]
    database: Option<String>,
}

/// Why a command failed, in one line or several.
struct Failed(Vec<String>);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(vec![error.to_string()])
    }
}

impl Failed {
    fn refused(problems: Vec<Problem>) -> Self {
        Self(problems.iter().map(Problem::to_string).collect())
    }

    fn because(reason: impl Into<String>) -> Self {
        Self(vec![reason.into()])
    }
}

impl Arguments {
    /// Runs the command; says on stderr why it failed.
    pub(crate) async fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Serve(arguments) => return arguments.run().await,
            Command::Migrate(arguments) => migrate::run(&arguments).await,
            Command::Verify(arguments) => verify::run(&arguments).await,
            Command::Backup(arguments) => backup::run(&arguments).await,
            Command::Restore(arguments) => restore::run(&arguments).await,
            Command::Grant(arguments) => operate::grant(&arguments).await,
            Command::Payments(command) => operate::payments(&command).await,
            Command::Key(operate::KeyCommand::Revoke(arguments)) => operate::revoke(&arguments).await,
        };
        ended(outcome)
    }
}

/// Refuses a file that is not there, which opening would otherwise make.
fn exists(database: &Database) -> Result<(), Failed> {
    match database {
        Database::Sqlite(path) if !path.exists() => Err(Failed::because(format!("there is no database {}", path.display()))),
        Database::Sqlite(_) | Database::Postgres(_) => Ok(()),
    }
}

fn ended(outcome: Result<(), Failed>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(reasons)) => {
            // For whoever comes without a log: nobody listens until one is set up.
            log::start_plain();
            for reason in reasons {
                tracing::error!("{reason}");
            }
            ExitCode::FAILURE
        }
    }
}

impl DatabaseArguments {
    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        let mut flags = Flags::default();
        flags.set("database", self.database.clone());
        load(self.config.as_deref(), environment()?, flags)
    }

    fn database(&self) -> Result<Database, Failed> {
        Ok(self.target()?.database())
    }

    /// The database, once its settings were read and the log was begun as they say.
    fn target(&self) -> Result<DatabaseTarget, Failed> {
        let loaded = self.load().map_err(Failed::refused)?;
        log::start(&loaded.settings);
        let (target, warnings) = database(&loaded).map_err(|problem| Failed::refused(vec![problem]))?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        Ok(target)
    }
}
