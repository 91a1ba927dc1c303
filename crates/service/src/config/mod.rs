//! What the process runs on. A file, then the environment, then flags: what comes later wins. A field that nobody knows is refused
//! wherever it stands, and no message repeats a value that may be a secret.

mod card;
mod checked;
mod database;
mod layers;
mod secret;

pub(crate) use card::CardSettings;
pub(crate) use checked::{Checked, Profile, check, database};
pub(crate) use database::{DatabaseTarget, PostgresTarget};
pub(crate) use layers::{Flags, Loaded, environment, load};

use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::PathBuf;

/// Every field, with the value it has when nobody sets it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub(crate) listen: String,
    /// The SQLite file, made when absent, or `postgres://user@host/database`.
    pub(crate) database: Option<String>,
    /// A private file that holds PostgreSQL's password; else `AISPACE_DATABASE_PASSWORD`, else the URL's own.
    pub(crate) database_password_file: Option<PathBuf>,
    /// Nodes of Base, of which more than half must agree.
    #[serde(deserialize_with = "list")]
    pub(crate) nodes: Vec<String>,
    /// Milliseconds between two looks at the chain, at least 10.
    pub(crate) poll_ms: u64,
    /// Payments worth at least so many whole dollars are credited once their block is safe, smaller ones at once.
    pub(crate) large_payment_usd: u32,
    /// A private file that holds the operator's token; else `AISPACE_OPERATOR_TOKEN`; with neither, operator calls are refused.
    pub(crate) operator_token_file: Option<PathBuf>,
    /// `live` or `sandbox`. In the sandbox the limits are off unless they are set.
    pub(crate) profile: Profile,
    /// Lets `PUT /test/clock` set the time. A release build refuses it in the live profile.
    pub(crate) test_clock: bool,
    /// Where Prometheus finds `GET /metrics`; nowhere when empty.
    pub(crate) metrics_listen: Option<String>,
    /// `text` or `json`.
    pub(crate) log_format: LogFormat,
    /// What is logged, as `RUST_LOG` says it, which wins.
    pub(crate) log: String,
    /// Proxies, as networks, whose `X-Forwarded-For` and `X-Request-Id` are believed.
    #[serde(deserialize_with = "list")]
    pub(crate) trusted_proxies: Vec<String>,
    /// Where the price of ether comes from.
    pub(crate) prices: PriceSettings,
    /// How often may be asked and guessed.
    pub(crate) limits: LimitSettings,
    /// Payments by card.
    pub(crate) card: CardSettings,
}

/// Where the price of ether comes from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PriceSettings {
    /// Base URL of Coinbase Exchange's API.
    pub(crate) coinbase: String,
    /// Base URL of Kraken's API.
    pub(crate) kraken: String,
    /// Base URL of Bitstamp's API.
    pub(crate) bitstamp: String,
    /// Base URL of Gemini's API, the reserve: the real one where none of the others is set either.
    pub(crate) gemini: Option<String>,
    /// Whether the Chainlink feed is read, through the nodes.
    pub(crate) chainlink: bool,
}

/// So many at once, then so many a minute; with 0 for either there is no such limit.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitSettings {
    /// Wrong credentials from one address, at once.
    pub(crate) failed_credentials_burst: Option<u32>,
    /// Wrong credentials from one address, a minute.
    pub(crate) failed_credentials_per_minute: Option<u32>,
    /// Calls from one address, at once; the operator's are not counted.
    pub(crate) address_burst: Option<u32>,
    /// Calls from one address, a minute.
    pub(crate) address_per_minute: Option<u32>,
    /// Calls with one Secure Key, at once.
    pub(crate) credential_burst: Option<u32>,
    /// Calls with one Secure Key, a minute.
    pub(crate) credential_per_minute: Option<u32>,
    /// Networks that no limit holds for: the gateway's.
    #[serde(deserialize_with = "list")]
    pub(crate) exempt: Vec<String>,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl TryFrom<String> for LogFormat {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("is neither text nor json"),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".into(),
            database: None,
            database_password_file: None,
            nodes: Vec::new(),
            poll_ms: 1_000,
            large_payment_usd: 10_000,
            operator_token_file: None,
            profile: Profile::Live,
            test_clock: false,
            metrics_listen: None,
            log_format: LogFormat::Text,
            log: "info".into(),
            trusted_proxies: Vec::new(),
            prices: PriceSettings::default(),
            limits: LimitSettings::default(),
            card: CardSettings::default(),
        }
    }
}

impl Default for PriceSettings {
    fn default() -> Self {
        let venues = aispace_payments::price::PriceConfig::live(&[]);
        Self { coinbase: venues.coinbase, kraken: venues.kraken, bitstamp: venues.bitstamp, gemini: None, chainlink: true }
    }
}

/// One reason why the configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it stands: a field, and the file or variable that set it.
    pub(crate) place: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { place: place.into(), reason: reason.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// A list, or one text with commas, which is how the environment writes one.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Items;

    impl<'de> serde::de::Visitor<'de> for Items {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of texts")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(Items)
}
