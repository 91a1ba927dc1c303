//! `serve`.

use super::{Failed, ended, log};
use crate::config::{Checked, Flags, Loaded, Problem, check, environment, load};
use aispace_payments::watch::BlockReader;
use aispace_service::{Config, LiveChain, Running, serve};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// What a flag sets wins over the environment, and that over the file. Most settings have no flag.
#[derive(Args)]
pub(super) struct ServeArguments {
    /// A configuration file, in TOML.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Checks the configuration, shows what is in force without its secrets, and ends.
    #[arg(long)]
    check_config: bool,
    /// Where to listen; port 0 takes a free one.
    #[arg(long)]
    listen: Option<String>,
    /// The SQLite file, made when absent, or a postgres:// URL.
    #[arg(long)]
    database: Option<String>,
    /// A node of Base; repeat it for several, of which enough must agree.
    #[arg(long = "node")]
    nodes: Vec<String>,
    /// Base URL of Coinbase Exchange's API.
    #[arg(long)]
    price_coinbase: Option<String>,
    /// Base URL of Kraken's API.
    #[arg(long)]
    price_kraken: Option<String>,
    /// Base URL of Bitstamp's API.
    #[arg(long)]
    price_bitstamp: Option<String>,
    /// Base URL of Gemini's API, asked where one of the others is of no use.
    #[arg(long)]
    price_gemini: Option<String>,
    /// Leaves the Chainlink feed, read through the nodes, out of the price.
    #[arg(long)]
    no_chainlink: bool,
    /// A private file that holds the operator's token; without it the variable AISPACE_OPERATOR_TOKEN is read.
    #[arg(long)]
    operator_token_file: Option<PathBuf>,
    /// Milliseconds between two looks at the chain.
    #[arg(long)]
    poll_ms: Option<u64>,
    /// Payments worth at least so many whole dollars are credited once their block is safe.
    #[arg(long)]
    large_payment_usd: Option<u32>,
    /// Whom it serves: live or sandbox.
    #[arg(long)]
    profile: Option<String>,
    /// Lets PUT /test/clock set the time. For tests and the sandbox only: a release build refuses it in the live profile.
    #[arg(long)]
    test_clock: bool,
    /// Base URL of Stripe's API. The secrets come out of AISPACE_STRIPE_SECRET_KEY and AISPACE_STRIPE_WEBHOOK_SECRET, or out of files.
    #[arg(long)]
    stripe_url: Option<String>,
    /// The page that payers by card are sent back to.
    #[arg(long)]
    card_return_url: Option<String>,
    /// Where Prometheus finds GET /metrics; without it nowhere.
    #[arg(long)]
    metrics_listen: Option<String>,
    /// How a log line is written: text or json.
    #[arg(long)]
    log_format: Option<String>,
}

impl ServeArguments {
    pub(super) async fn run(self) -> ExitCode {
        aispace_payments::install_crypto_provider();
        let loaded = self.load();
        if self.check_config {
            return shown(loaded.and_then(|loaded| check(&loaded)));
        }
        ended(run(loaded).await)
    }

    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        let mut flags = Flags::default();
        let text = |path: &PathBuf| path.display().to_string();
        flags.set("listen", self.listen.clone());
        flags.set("database", self.database.clone());
        flags.set("nodes", (!self.nodes.is_empty()).then(|| self.nodes.clone()));
        flags.set("prices.coinbase", self.price_coinbase.clone());
        flags.set("prices.kraken", self.price_kraken.clone());
        flags.set("prices.bitstamp", self.price_bitstamp.clone());
        flags.set("prices.gemini", self.price_gemini.clone());
        flags.set("prices.chainlink", self.no_chainlink.then_some(false));
        flags.set("operator_token_file", self.operator_token_file.as_ref().map(text));
        flags.set("poll_ms", self.poll_ms);
        flags.set("large_payment_usd", self.large_payment_usd);
        flags.set("profile", self.profile.clone());
        flags.set("test_clock", self.test_clock.then_some(true));
        flags.set("card.stripe_url", self.stripe_url.clone());
        flags.set("card.return_url", self.card_return_url.clone());
        flags.set("metrics_listen", self.metrics_listen.clone());
        flags.set("log_format", self.log_format.clone());
        load(self.config.as_deref(), environment()?, flags)
    }
}

/// Says what is in force, or everything that is wrong.
fn shown(outcome: Result<Checked, Vec<Problem>>) -> ExitCode {
    // Whoever closed the pipe does not want to know.
    match outcome {
        Ok(checked) => {
            let _ = std::io::stdout().write_all(checked.shown().as_bytes());
            for warning in &checked.warnings {
                let _ = writeln!(std::io::stderr(), "warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(problems) => {
            for problem in problems {
                let _ = writeln!(std::io::stderr(), "{problem}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(loaded: Result<Loaded, Vec<Problem>>) -> Result<(), Failed> {
    let loaded = loaded.map_err(Failed::refused)?;
    log::start(&loaded.settings);
    let checked = check(&loaded).map_err(Failed::refused)?;
    // Before the line that invites the starter to go on: it may stop this process at once.
    let stop = StopSignal::listen()?;
    let running = start(checked).await?;
    // The one line on stdout: whoever started the process waits for it to learn the port.
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{}", running.address())?;
    out.flush()?;
    stop.received().await?;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

async fn start(checked: Checked) -> Result<Running, Failed> {
    for warning in &checked.warnings {
        tracing::warn!("{warning}");
    }
    let config = Config {
        listen: checked.listen,
        database: checked.database.database(),
        operator_token: checked.operator_token,
        clock: Arc::new(checked.clock),
        chain: Arc::new(LiveChain::new(BlockReader::new(checked.nodes))),
        prices: Arc::new(checked.prices),
        poll: checked.poll,
        large_payment: checked.large_payment,
        card: checked.card,
        limits: checked.limits,
        metrics_listen: checked.metrics_listen,
    };
    Ok(serve(config).await?)
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
