//! `aispace-account-service`: the reference account service as a process.

use aispace_payments::chain::Nodes;
use aispace_payments::price::PriceConfig;
use aispace_payments::watch::BlockReader;
use aispace_service::{Config, Database, LiveChain, LivePrices, OperatorToken, Running, ServiceClock, Store, UpstreamError, serve};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const OPERATOR_TOKEN_VARIABLE: &str = "AISPACE_OPERATOR_TOKEN";

/// The reference account service of AiSpace Wallet.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers calls and watches the chain until SIGTERM or SIGINT.
    Serve(ServeArguments),
    /// Replays every account's log against its batches and says whether all of them hold.
    Verify {
        /// The database.
        #[arg(long)]
        database: Database,
    },
}

#[derive(Args)]
struct ServeArguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The database: a file, made when absent, or postgres://user@host/name.
    #[arg(long)]
    database: Database,
    /// A node of Base; repeat it for several, of which enough must agree.
    #[arg(long = "node", required = true)]
    nodes: Vec<String>,
    /// Base URL of Coinbase Exchange's API.
    #[arg(long, default_value = "https://api.exchange.coinbase.com")]
    price_coinbase: String,
    /// Base URL of Kraken's API.
    #[arg(long, default_value = "https://api.kraken.com")]
    price_kraken: String,
    /// Base URL of Bitstamp's API.
    #[arg(long, default_value = "https://www.bitstamp.net")]
    price_bitstamp: String,
    /// Leaves the Chainlink feed, read through the first node, out of the price.
    #[arg(long)]
    no_chainlink: bool,
    /// A file that holds the operator's token; without it the variable AISPACE_OPERATOR_TOKEN is read.
    #[arg(long)]
    operator_token_file: Option<PathBuf>,
    /// Milliseconds between two looks at the chain.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..))]
    poll_ms: u64,
    /// Whom it serves.
    #[arg(long, value_enum, default_value_t = Profile::Live)]
    profile: Profile,
    /// Lets PUT /test/clock set the time. For tests and the sandbox only: a release build refuses it in the live profile.
    #[arg(long)]
    test_clock: bool,
}

/// Whom the service serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// People who pay.
    Live,
    /// A sandbox.
    Sandbox,
}

/// Whose word on the time is taken. Whoever may set the clock of a live service may end everybody's batches.
fn clock(profile: Profile, test_clock: bool, release: bool) -> Result<ServiceClock, &'static str> {
    match (test_clock, profile, release) {
        (false, _, _) => Ok(ServiceClock::system()),
        (true, Profile::Live, true) => Err("--test-clock is refused in the live profile; the sandbox's is --profile sandbox"),
        (true, Profile::Sandbox, _) | (true, Profile::Live, false) => Ok(ServiceClock::for_tests()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => run(arguments).await,
        Command::Verify { database } => verify(&database).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: ServeArguments) -> Result<(), Box<dyn std::error::Error>> {
    // Before the line that invites the starter to go on: it may stop this process at once.
    let stop = StopSignal::listen()?;
    let running = start(arguments).await?;
    // The one line on stdout: whoever started the process waits for it to learn the port.
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{}", running.address())?;
    out.flush()?;
    stop.received().await?;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

async fn start(arguments: ServeArguments) -> Result<Running, Box<dyn std::error::Error>> {
    aispace_payments::install_crypto_provider();
    let operator_token = operator_token(arguments.operator_token_file.as_deref())?;
    let prices = PriceConfig {
        coinbase: arguments.price_coinbase,
        kraken: arguments.price_kraken,
        bitstamp: arguments.price_bitstamp,
        chainlink: if arguments.no_chainlink { None } else { arguments.nodes.first().cloned() },
        ..PriceConfig::live(None)
    };
    let nodes = Nodes::new(&arguments.nodes).map_err(|error| UpstreamError { what: "node", reason: error.to_string() })?;
    let config = Config {
        listen: arguments.listen,
        database: arguments.database,
        operator_token,
        clock: Arc::new(clock(arguments.profile, arguments.test_clock, !cfg!(debug_assertions))?),
        chain: Arc::new(LiveChain::new(BlockReader::new(nodes))),
        prices: Arc::new(LivePrices::new(&prices)?),
        poll: Duration::from_millis(arguments.poll_ms),
    };
    Ok(serve(config).await?)
}

/// Reads the token from the file, else from the environment. A file that is named must hold one.
fn operator_token(file: Option<&Path>) -> Result<Option<OperatorToken>, String> {
    match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            OperatorToken::new(&text).map(Some).ok_or_else(|| format!("{} holds no operator token", path.display()))
        }
        None => Ok(std::env::var(OPERATOR_TOKEN_VARIABLE).ok().as_deref().and_then(OperatorToken::new)),
    }
}

async fn verify(database: &Database) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_to_read(database).await?;
    let accounts = store.verify().await?;
    store.close().await;
    writeln!(std::io::stdout(), "{accounts} accounts hold")?;
    Ok(())
}

/// SIGTERM, where there is one, or an interrupt.
struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn received(mut self) -> std::io::Result<()> {
        tokio::select! {
            _ = self.terminate.recv() => Ok(()),
            outcome = tokio::signal::ctrl_c() => outcome,
        }
    }

    #[cfg(not(unix))]
    async fn received(self) -> std::io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_release_takes_the_time_from_nobody() {
        assert!(clock(Profile::Live, true, true).is_err());
        for (profile, test_clock, release) in
            [(Profile::Live, false, true), (Profile::Live, true, false), (Profile::Sandbox, true, true), (Profile::Sandbox, false, true)]
        {
            assert!(clock(profile, test_clock, release).is_ok(), "{profile:?} {test_clock} {release}");
        }
    }
}
