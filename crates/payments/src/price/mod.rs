//! The price of ether in dollars: asked of independent operators, combined by one rule, refused when they do not agree.

mod chainlink;
mod combine;
mod venues;

pub use combine::{CombineRule, combine};
pub use venues::{parse_bitstamp, parse_coinbase, parse_kraken};

use crate::http::{Endpoint, EndpointError};
use aispace_units::EthUsdPrice;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use std::{fmt, time::Duration};

/// Largest answer of a venue that is read.
const VENUE_BYTES_MAX: usize = 64 * 1024;

/// Who tells a price. Each is another operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Coinbase Exchange's ticker of ETH-USD.
    Coinbase,
    /// Kraken's ticker of ETHUSD; it does not say how old its figure is.
    Kraken,
    /// Bitstamp's ticker of ethusd.
    Bitstamp,
    /// Chainlink's ETH/USD feed on Base, read from a node.
    Chainlink,
}

impl Source {
    /// The name shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Coinbase => "Coinbase Exchange",
            Self::Kraken => "Kraken",
            Self::Bitstamp => "Bitstamp",
            Self::Chainlink => "Chainlink on Base",
        }
    }

    /// The age in seconds above which its figure is not used.
    #[must_use]
    pub fn age_seconds_max(self) -> i64 {
        match self {
            Self::Coinbase | Self::Kraken | Self::Bitstamp => 60,
            Self::Chainlink => 1_800,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where prices are asked, and how long an answer may take.
#[derive(Debug, Clone)]
pub struct PriceConfig {
    /// Base URL of Coinbase Exchange's API.
    pub coinbase: String,
    /// Base URL of Kraken's API.
    pub kraken: String,
    /// Base URL of Bitstamp's API.
    pub bitstamp: String,
    /// A node of Base to read Chainlink's feed from; without one Chainlink is not asked.
    pub chainlink: Option<String>,
    /// For one source's whole answer.
    pub deadline: Duration,
}

impl PriceConfig {
    /// The venues themselves, and the feed through a node of Base.
    #[must_use]
    pub fn live(node: Option<String>) -> Self {
        Self {
            coinbase: "https://api.exchange.coinbase.com".into(),
            kraken: "https://api.kraken.com".into(),
            bitstamp: "https://www.bitstamp.net".into(),
            chainlink: node,
            deadline: Duration::from_secs(5),
        }
    }
}

/// What a source said, with the instants that tell its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Dollars per ether; at most eight decimals.
    pub usd_per_eth: EthUsdPrice,
    /// The instant the figure is of, when the source tells.
    pub as_of: Option<DateTime<Utc>>,
    /// The time of the block that it was read at, for a feed on chain: its age counts against this.
    pub block_time: Option<DateTime<Utc>>,
}

/// A source's figure, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Who was asked.
    pub source: Source,
    /// What it said, or the reason for its silence.
    pub outcome: Result<Figure, String>,
}

/// What became of a source's figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// In the median.
    Used,
    /// Too old, or dated in the future.
    Stale,
    /// More than 1 % away from the others' median.
    Outlier,
    /// No answer, or none that can be read.
    Silent,
}

/// A source with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReading {
    /// Who was asked.
    pub source: Source,
    /// The name shown to people.
    pub name: &'static str,
    /// What it said, if it can be read.
    pub price: Option<EthUsdPrice>,
    /// Age of its figure in seconds, when it tells; never negative.
    pub age_seconds: Option<u32>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was not used.
    pub reason: Option<String>,
}

/// A price that enough operators agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceReport {
    /// Dollars per ether: the median of the sources used; at most eight decimals.
    pub usd_per_eth: EthUsdPrice,
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// Every source asked, in the order of [`Source`].
    pub sources: Vec<SourceReading>,
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// Too few operators gave a fresh figure.
    #[error("{answered} of {asked} price sources gave a fresh price, {needed} are needed; without one: {}", names(missing))]
    TooFewSources {
        /// Sources with a fresh figure.
        answered: usize,
        /// Sources asked.
        asked: usize,
        /// Fresh figures needed.
        needed: usize,
        /// Those silent or stale.
        missing: Vec<Source>,
        /// Every source asked.
        readings: Vec<SourceReading>,
    },
    /// The operators do not agree.
    #[error("price sources disagree: from {lowest} to {highest} USD for one ether")]
    SpreadTooWide {
        /// The lowest fresh figure.
        lowest: EthUsdPrice,
        /// The highest fresh figure.
        highest: EthUsdPrice,
        /// Every source asked.
        readings: Vec<SourceReading>,
    },
}

impl PriceError {
    /// Every source asked, with what it said.
    #[must_use]
    pub fn readings(&self) -> &[SourceReading] {
        match self {
            Self::TooFewSources { readings, .. } | Self::SpreadTooWide { readings, .. } => readings,
        }
    }
}

fn names(sources: &[Source]) -> String {
    sources.iter().map(|source| source.name()).collect::<Vec<_>>().join(", ")
}

/// The price sources, ready to be asked.
pub struct PriceSources {
    coinbase: Endpoint,
    kraken: Endpoint,
    bitstamp: Endpoint,
    chainlink: Option<chainlink::Feed>,
    deadline: Duration,
}

impl PriceSources {
    /// Checks the URLs of a configuration.
    ///
    /// # Errors
    /// [`EndpointError`] for a URL that is none, or is neither https nor this machine.
    pub fn new(config: &PriceConfig) -> Result<Self, EndpointError> {
        let endpoint = |url: &str| Endpoint::new(url, config.deadline);
        Ok(Self {
            coinbase: endpoint(&config.coinbase)?,
            kraken: endpoint(&config.kraken)?,
            bitstamp: endpoint(&config.bitstamp)?,
            chainlink: config.chainlink.as_deref().map(|url| endpoint(url).map(chainlink::Feed::new)).transpose()?,
            deadline: config.deadline,
        })
    }

    /// Asks every source at once and combines what they say. `now` is the real time: venues date their figures by it.
    ///
    /// # Errors
    /// [`PriceError`] when too few answer or they do not agree.
    pub async fn read(&self, now: DateTime<Utc>) -> Result<PriceReport, PriceError> {
        combine(&self.ask().await, now)
    }

    /// Asks every source at once.
    pub async fn ask(&self) -> Vec<Reading> {
        let mut sources = vec![Source::Coinbase, Source::Kraken, Source::Bitstamp];
        sources.extend(self.chainlink.as_ref().map(|_| Source::Chainlink));
        join_all(sources.into_iter().map(|source| async move {
            let answer = tokio::time::timeout(self.deadline, self.ask_one(source)).await;
            let outcome = answer.unwrap_or_else(|_| Err("no answer before the deadline".into()));
            Reading { source, outcome }
        }))
        .await
    }

    async fn ask_one(&self, source: Source) -> Result<Figure, String> {
        match source {
            Source::Coinbase => parse_coinbase(&ticker(&self.coinbase, "/products/ETH-USD/ticker").await?),
            Source::Kraken => parse_kraken(&ticker(&self.kraken, "/0/public/Ticker?pair=ETHUSD").await?),
            Source::Bitstamp => parse_bitstamp(&ticker(&self.bitstamp, "/api/v2/ticker/ethusd/").await?),
            Source::Chainlink => match &self.chainlink {
                Some(feed) => feed.read().await,
                None => Err("no node to read it from".into()),
            },
        }
    }
}

async fn ticker(venue: &Endpoint, path_and_query: &str) -> Result<Vec<u8>, String> {
    venue.get(path_and_query, VENUE_BYTES_MAX).await.map_err(|error| error.to_string())
}
