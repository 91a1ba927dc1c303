//! The commands.

mod log;
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
    /// Replays every account's log against its batches and says whether all of them hold.
    Verify(DatabaseArguments),
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
            Command::Verify(arguments) => verify::run(&arguments).await,
        };
        ended(outcome)
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
