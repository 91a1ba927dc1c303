//! Settings that were held to what they must be, all of them, so that a person can mend everything at once.

use super::card::card;
use super::database::PasswordInUrl;
use super::secret::{Secret, check_private};
use super::{DatabaseTarget, Loaded, Problem, Settings};
use aispace_payments::EndpointError;
use aispace_payments::chain::{ChainError, Nodes};
use aispace_payments::price::PriceConfig;
use aispace_service::limit::{LimitConfig, Network, Rate};
use aispace_service::{CardConfig, LivePrices, OperatorToken, ServiceClock};
use aispace_units::Usd;
use serde::Deserialize;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const OPERATOR_TOKEN_VARIABLE: &str = "AISPACE_OPERATOR_TOKEN";
const DATABASE_PASSWORD_VARIABLE: &str = "AISPACE_DATABASE_PASSWORD";
const POLL_MS_MIN: u64 = 10;

/// Whom the service serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Profile {
    /// People who pay.
    Live,
    /// A sandbox.
    Sandbox,
}

impl Profile {
    fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }
}

impl TryFrom<String> for Profile {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "live" => Ok(Self::Live),
            "sandbox" => Ok(Self::Sandbox),
            _ => Err("is neither live nor sandbox"),
        }
    }
}

/// What `serve` runs on.
pub(crate) struct Checked {
    pub(crate) listen: SocketAddr,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) database: DatabaseTarget,
    pub(crate) nodes: Nodes,
    pub(crate) prices: LivePrices,
    pub(crate) operator_token: Option<OperatorToken>,
    pub(crate) clock: ServiceClock,
    pub(crate) poll: Duration,
    pub(crate) large_payment: Usd,
    pub(crate) limits: LimitConfig,
    pub(crate) card: Option<CardConfig>,
    /// What a person should know and what stops nothing.
    pub(crate) warnings: Vec<Problem>,
    shown: String,
}

impl Checked {
    /// The settings in force, as a file that sets them. Of secrets it says only whether there are any.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// Which database, for the commands that need nothing else.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn database(loaded: &Loaded) -> Result<(DatabaseTarget, Vec<Problem>), Problem> {
    let settings = &loaded.settings;
    let place = loaded.place("database");
    let text = settings.database.as_deref();
    let text =
        text.ok_or_else(|| Problem::new("database", "is not set: --database, AISPACE_SERVICE__DATABASE, or database in the file"))?;
    let (target, in_url) = DatabaseTarget::parse(text).map_err(|reason| Problem::new(&place, reason))?;
    let mut warnings = Vec::new();
    if in_url == PasswordInUrl::Yes {
        if let Some(file) = loaded.file_that_set("database") {
            check_private(file).map_err(|reason| Problem::new(&place, format!("holds a password, and {reason}")))?;
        }
        if loaded.is_on_the_command_line("database") {
            let reason = "everybody on this machine can read the password on the command line; give it in a file or in a variable";
            warnings.push(Problem::new(&place, reason));
        }
    }
    let apart = match &settings.database_password_file {
        Some(path) => Some(Secret::from_file("database_password_file", path, "password")?),
        None => Secret::from_environment(DATABASE_PASSWORD_VARIABLE),
    };
    Ok((apart.map_or(target.clone(), |password| target.with_password(password)), warnings))
}

/// Holds all settings to what `serve` needs. No server is asked anything.
///
/// # Errors
/// Everything that is wrong.
pub(crate) fn check(loaded: &Loaded) -> Result<Checked, Vec<Problem>> {
    let settings = &loaded.settings;
    let mut problems = Vec::new();
    let listen = keep(&mut problems, address(loaded, "listen", &settings.listen));
    let metrics_listen = settings.metrics_listen.as_deref().filter(|text| !text.is_empty());
    let metrics_listen = metrics_listen.map(|text| address(loaded, "metrics_listen", text)).transpose();
    let metrics_listen = keep(&mut problems, metrics_listen);
    let database = keep(&mut problems, database(loaded));
    let nodes = keep(&mut problems, nodes(loaded));
    let price_config = price_config(settings);
    let prices = LivePrices::new(&price_config).map_err(|error| Problem::new("prices", error));
    let prices = keep(&mut problems, prices);
    let operator_token = keep(&mut problems, operator_token(settings));
    let clock = clock(settings.profile, settings.test_clock, !cfg!(debug_assertions));
    let clock = keep(&mut problems, clock.map_err(|reason| Problem::new(loaded.place("test_clock"), reason)));
    if settings.poll_ms < POLL_MS_MIN {
        problems.push(Problem::new(loaded.place("poll_ms"), format!("is less than {POLL_MS_MIN}")));
    }
    if let Err(error) = EnvFilter::try_new(&settings.log) {
        problems.push(Problem::new(loaded.place("log"), error));
    }
    let limits = limits(loaded, &mut problems);
    let card = keep(&mut problems, card(loaded));
    let whole = (listen, metrics_listen, database, nodes, prices, operator_token, clock, card);
    let (
        true,
        (
            Some(listen),
            Some(metrics_listen),
            Some((database, warnings)),
            Some(nodes),
            Some(prices),
            Some(operator_token),
            Some(clock),
            Some(card),
        ),
    ) = (problems.is_empty(), whole)
    else {
        return Err(problems);
    };
    let shown = shown(settings, &database, &limits, operator_token.is_some(), card.is_some());
    let poll = Duration::from_millis(settings.poll_ms);
    let large_payment = Usd::new(settings.large_payment_usd.into()).unwrap_or(Usd::ZERO);
    Ok(Checked {
        listen,
        metrics_listen,
        database,
        nodes,
        prices,
        operator_token,
        clock,
        poll,
        large_payment,
        limits,
        card,
        warnings,
        shown,
    })
}

fn keep<T>(problems: &mut Vec<Problem>, outcome: Result<T, Problem>) -> Option<T> {
    outcome.map_err(|problem| problems.push(problem)).ok()
}

fn address(loaded: &Loaded, field: &str, text: &str) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| Problem::new(loaded.place(field), "is no address such as 127.0.0.1:8080"))
}

fn nodes(loaded: &Loaded) -> Result<Nodes, Problem> {
    let place = loaded.place("nodes");
    // The path of a node's URL is often the key to it.
    let reason = |error: ChainError| match error {
        ChainError::NoNodes => "names no node: --node, AISPACE_SERVICE__NODES, or nodes in the file".to_owned(),
        ChainError::Endpoint(EndpointError::NotAUrl { .. }) => "has an entry that is not a URL".to_owned(),
        other => other.to_string(),
    };
    Nodes::new(&loaded.settings.nodes).map_err(|error| Problem::new(place, reason(error)))
}

fn price_config(settings: &Settings) -> PriceConfig {
    let prices = &settings.prices;
    let live = PriceConfig::live(if prices.chainlink { &settings.nodes } else { &[] });
    // Who points the venues elsewhere does not mean a real one to be asked in reserve.
    let real = (&prices.coinbase, &prices.kraken, &prices.bitstamp) == (&live.coinbase, &live.kraken, &live.bitstamp);
    PriceConfig {
        coinbase: prices.coinbase.clone(),
        kraken: prices.kraken.clone(),
        bitstamp: prices.bitstamp.clone(),
        gemini: prices.gemini.clone().or_else(|| live.gemini.clone().filter(|_| real)),
        ..live
    }
}

/// Reads the token from the file, else from the environment. A file that is named must hold one.
fn operator_token(settings: &Settings) -> Result<Option<OperatorToken>, Problem> {
    let text = match &settings.operator_token_file {
        Some(path) => Some(Secret::from_file("operator_token_file", path, "operator token")?),
        None => Secret::from_environment(OPERATOR_TOKEN_VARIABLE),
    };
    Ok(text.and_then(|secret| OperatorToken::new(secret.expose())))
}

/// Whose word on the time is taken. Whoever may set the clock of a live service may end everybody's batches.
fn clock(profile: Profile, test_clock: bool, release: bool) -> Result<ServiceClock, &'static str> {
    match (test_clock, profile, release) {
        (false, _, _) => Ok(ServiceClock::system()),
        (true, Profile::Live, true) => Err("--test-clock is refused in the live profile; the sandbox's is --profile sandbox"),
        (true, Profile::Sandbox, _) | (true, Profile::Live, false) => Ok(ServiceClock::for_tests()),
    }
}

fn limits(loaded: &Loaded, problems: &mut Vec<Problem>) -> LimitConfig {
    let settings = &loaded.settings.limits;
    // A sandbox is one person's, whose tests ask fast and guess wrong on purpose.
    let usual = |live: u32| if loaded.settings.profile == Profile::Live { live } else { 0 };
    let rate = |burst: Option<u32>, minute: Option<u32>, most: u32, usually: u32| {
        Rate::new(burst.unwrap_or(usual(most)), minute.unwrap_or(usual(usually)))
    };
    let mut networks = |field: &str, texts: &[String]| -> Vec<Network> {
        let parsed = texts.iter().map(|text| text.parse::<Network>().map_err(|error| Problem::new(loaded.place(field), error)));
        parsed.filter_map(|outcome| keep(problems, outcome)).collect()
    };
    LimitConfig {
        failed_credentials: rate(settings.failed_credentials_burst, settings.failed_credentials_per_minute, 10, 10),
        address_requests: rate(settings.address_burst, settings.address_per_minute, 600, 3_000),
        credential_requests: rate(settings.credential_burst, settings.credential_per_minute, 300, 1_200),
        trusted_proxies: networks("trusted_proxies", &loaded.settings.trusted_proxies),
        exempt: networks("limits.exempt", &settings.exempt),
    }
}

fn shown(settings: &Settings, database: &DatabaseTarget, limits: &LimitConfig, has_token: bool, takes_cards: bool) -> String {
    let mut shown = Shown::default();
    shown.set("listen", quoted(&settings.listen));
    shown.set("database", quoted(&database.to_string()));
    shown.set_if("database_password_file", settings.database_password_file.as_deref().map(quoted_path));
    shown.set("nodes", quoted_list(settings.nodes.iter().map(|url| without_path(url))));
    shown.set("poll_ms", settings.poll_ms);
    shown.set("large_payment_usd", settings.large_payment_usd);
    shown.set_if("operator_token_file", settings.operator_token_file.as_deref().map(quoted_path));
    shown.set("profile", quoted(settings.profile.word()));
    shown.set("test_clock", settings.test_clock);
    shown.set_if("metrics_listen", settings.metrics_listen.as_deref().filter(|text| !text.is_empty()).map(quoted));
    shown.set("log_format", quoted(settings.log_format.word()));
    shown.set("log", quoted(&settings.log));
    shown.set("trusted_proxies", quoted_list(settings.trusted_proxies.iter().cloned()));
    shown.set("prices.coinbase", quoted(&settings.prices.coinbase));
    shown.set("prices.kraken", quoted(&settings.prices.kraken));
    shown.set("prices.bitstamp", quoted(&settings.prices.bitstamp));
    shown.set_if("prices.gemini", settings.prices.gemini.as_deref().map(quoted));
    shown.set("prices.chainlink", settings.prices.chainlink);
    for (name, rate) in [
        ("failed_credentials", limits.failed_credentials),
        ("address", limits.address_requests),
        ("credential", limits.credential_requests),
    ] {
        shown.set(&format!("limits.{name}_burst"), rate.map_or(0, Rate::burst));
        shown.set(&format!("limits.{name}_per_minute"), rate.map_or(0, Rate::per_minute));
    }
    shown.set("limits.exempt", quoted_list(settings.limits.exempt.iter().cloned()));
    shown.set_if("card.stripe_key_file", settings.card.stripe_key_file.as_deref().map(quoted_path));
    shown.set_if("card.stripe_webhook_secret_file", settings.card.stripe_webhook_secret_file.as_deref().map(quoted_path));
    shown.set("card.stripe_url", quoted(&settings.card.stripe_url));
    shown.set_if("card.return_url", settings.card.return_url.as_deref().filter(|url| !url.is_empty()).map(quoted));
    shown.set("card.poll_ms", settings.card.poll_ms);
    let has_password = matches!(database, DatabaseTarget::Postgres(target) if target.password().is_some());
    shown.note(if has_password { "a database password is set" } else { "no database password is set" });
    shown.note(if has_token { "an operator token is set" } else { "no operator token is set: the operator's calls are refused" });
    shown.note(if takes_cards { "cards are taken" } else { "no secrets of Stripe's are set: cards are not taken" });
    shown.0
}

/// Lines of a file that would set the same. Writing into memory cannot fail.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn set(&mut self, field: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{field} = {value}");
    }

    fn set_if(&mut self, field: &str, value: Option<String>) {
        match value {
            Some(value) => self.set(field, value),
            None => self.note(&format!("{field} is not set")),
        }
    }

    fn note(&mut self, text: &str) {
        let _ = writeln!(self.0, "# {text}");
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn quoted_list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.map(|item| quoted(&item)).collect::<Vec<_>>().join(", "))
}

/// Scheme and host of a URL: what follows may be the key to a node, and so may what stands before an @.
fn without_path(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let hidden = if path.trim_matches('/').is_empty() && host == authority { "" } else { "/…" };
    format!("{scheme}://{host}{hidden}")
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

    #[test]
    fn the_key_in_a_url_is_not_shown() {
        for (url, shown) in [
            ("https://mainnet.base.org", "https://mainnet.base.org"),
            ("https://mainnet.base.org/", "https://mainnet.base.org"),
            ("https://base.example/v2/hush", "https://base.example/…"),
            ("https://base.example?key=hush", "https://base.example/…"),
            ("https://me:hush@base.example:8545", "https://base.example:8545/…"),
            ("hush", "…"),
        ] {
            assert_eq!(without_path(url), shown);
        }
    }
}
