//! `aispace-account-service`: the reference account service as a process, and what its operator does to its database.

mod command;
mod config;

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    command::Arguments::parse().run().await
}
