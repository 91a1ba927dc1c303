//! The price of ether in dollars: asked of independent operators, combined by one rule, refused when they do not agree.

mod chainlink;
mod combine;
mod venues;

pub use combine::{CombineRule, combine};
pub(crate) use venues::believable;
pub use venues::{parse_bitstamp, parse_coinbase, parse_gemini, parse_kraken};

use crate::{
    chain::ChainError,
    http::{Endpoint, EndpointError},
};
use aispace_units::EthUsdPrice;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{join, join_all};
use std::{
    fmt,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// Largest answer of a venue that is read.
const VENUE_BYTES_MAX: usize = 64 * 1024;
/// The reserve is asked when one of the others is of no use, or is silent for this long.
const RESERVE_AFTER: Duration = Duration::from_millis(1_500);
/// For how long a believed price is what the next one is measured by.
const JUMP_WINDOW: TimeDelta = TimeDelta::seconds(60);
/// How long after a jump every source is asked again.
const JUMP_PAUSE: Duration = Duration::from_secs(1);

/// Who tells a price. Each is another operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Coinbase Exchange's ticker of ETH-USD.
    Coinbase,
    /// Kraken's ticker of ETHUSD; it does not say how old its figure is.
    Kraken,
    /// Bitstamp's ticker of ethusd.
    Bitstamp,
    /// Chainlink's ETH/USD feed on Base, read from our nodes by quorum.
    Chainlink,
    /// Gemini's ticker of ETHUSD, slow and without a time: in reserve, counted only where one of the four is not used.
    Gemini,
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
            Self::Gemini => "Gemini",
        }
    }

    /// The age in seconds above which its figure is not used.
    #[must_use]
    pub fn age_seconds_max(self) -> i64 {
        match self {
            Self::Coinbase | Self::Kraken | Self::Bitstamp | Self::Gemini => 60,
            Self::Chainlink => crate::chain::FEED_AGE_SECONDS_MAX,
        }
    }

    /// Whether it counts only where one of the others is not used.
    #[must_use]
    pub fn is_reserve(self) -> bool {
        self == Self::Gemini
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
    /// Base URL of Gemini's API; without one there is no reserve.
    pub gemini: Option<String>,
    /// Nodes of Base to read Chainlink's feed from, more than half of which must agree; without any it is not asked.
    pub chainlink: Vec<String>,
    /// For one source's whole answer.
    pub deadline: Duration,
}

impl PriceConfig {
    /// The venues themselves, and the feed through nodes of Base.
    #[must_use]
    pub fn live(nodes: &[String]) -> Self {
        Self {
            coinbase: "https://api.exchange.coinbase.com".into(),
            kraken: "https://api.kraken.com".into(),
            bitstamp: "https://www.bitstamp.net".into(),
            gemini: Some("https://api.gemini.com".into()),
            chainlink: nodes.to_vec(),
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
    /// In reserve and not needed: not counted, and mostly not even asked.
    Reserve,
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
    /// The price moved by more than 5 % within a minute, and elsewhere again when it was asked once more.
    #[error("the price jumps: {before} USD for one ether a minute ago, then {first}, then {second}")]
    Unsteady {
        /// The price believed before.
        before: EthUsdPrice,
        /// The first answer.
        first: EthUsdPrice,
        /// The second answer.
        second: EthUsdPrice,
        /// Every source asked, the second time.
        readings: Vec<SourceReading>,
    },
}

impl PriceError {
    /// Every source asked, with what it said.
    #[must_use]
    pub fn readings(&self) -> &[SourceReading] {
        match self {
            Self::TooFewSources { readings, .. } | Self::SpreadTooWide { readings, .. } | Self::Unsteady { readings, .. } => readings,
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
    gemini: Option<Endpoint>,
    chainlink: Option<chainlink::Feed>,
    deadline: Duration,
    believed: Mutex<Option<(DateTime<Utc>, EthUsdPrice)>>,
}

impl PriceSources {
    /// Checks the URLs of a configuration.
    ///
    /// # Errors
    /// [`EndpointError`] for a URL that is none, or is neither https nor this machine.
    pub fn new(config: &PriceConfig) -> Result<Self, EndpointError> {
        let endpoint = |url: &str| Endpoint::new(url, config.deadline);
        let chainlink = match chainlink::Feed::new(&config.chainlink, config.deadline) {
            Ok(feed) => Some(feed),
            Err(ChainError::Endpoint(error)) => return Err(error),
            Err(_) => None,
        };
        Ok(Self {
            coinbase: endpoint(&config.coinbase)?,
            kraken: endpoint(&config.kraken)?,
            bitstamp: endpoint(&config.bitstamp)?,
            gemini: config.gemini.as_deref().map(endpoint).transpose()?,
            chainlink,
            deadline: config.deadline,
            believed: Mutex::new(None),
        })
    }

    /// Asks the sources at once and combines what they say. `now` is the real time: venues date their figures by it.
    ///
    /// A price more than 5 % away from the one believed within the last minute is asked for once more, and believed when the
    /// second answer is within 1 % of the first, or back within 5 % of the old one.
    ///
    /// # Errors
    /// [`PriceError`] when too few answer, they do not agree, or the price does not hold still.
    pub async fn read(&self, now: DateTime<Utc>) -> Result<PriceReport, PriceError> {
        let began = Instant::now();
        let mut report = self.read_once(now).await?;
        let recent = |(at, _): &(DateTime<Utc>, _)| now.signed_duration_since(at).abs() <= JUMP_WINDOW;
        let before = self.believed().filter(recent).map(|(_, price)| price);
        if let Some(before) = before
            && combine::differ(before, report.usd_per_eth, 5)
        {
            sleep(JUMP_PAUSE).await;
            let passed = TimeDelta::from_std(began.elapsed()).unwrap_or(TimeDelta::zero());
            let first = report.usd_per_eth;
            report = self.read_once(now.checked_add_signed(passed).unwrap_or(now)).await?;
            let second = report.usd_per_eth;
            if combine::differ(first, second, 1) && combine::differ(before, second, 5) {
                return Err(PriceError::Unsteady { before, first, second, readings: report.sources });
            }
        }
        *self.believed() = Some((report.at, report.usd_per_eth));
        Ok(report)
    }

    /// Asks the four, and the reserve where one of them is of no use.
    async fn read_once(&self, now: DateTime<Utc>) -> Result<PriceReport, PriceError> {
        let mut four = pin!(self.ask_all());
        let Some(gemini) = self.gemini.as_ref().map(|_| self.ask(Source::Gemini)) else { return combine(&four.await, now) };
        let (mut readings, reserve) = match timeout(RESERVE_AFTER, &mut four).await {
            Ok(readings) => {
                if let Ok(mut report) = combine(&readings, now)
                    && report.is_whole()
                {
                    report.sources.push(SourceReading::unasked(Source::Gemini));
                    return Ok(report);
                }
                (readings, gemini.await)
            }
            Err(_) => join(four, gemini).await,
        };
        readings.push(reserve);
        combine(&readings, now)
    }

    async fn ask_all(&self) -> Vec<Reading> {
        let mut sources = vec![Source::Coinbase, Source::Kraken, Source::Bitstamp];
        sources.extend(self.chainlink.as_ref().map(|_| Source::Chainlink));
        join_all(sources.into_iter().map(|source| self.ask(source))).await
    }

    async fn ask(&self, source: Source) -> Reading {
        let answer = timeout(self.deadline, self.ask_one(source)).await;
        let outcome = answer.unwrap_or_else(|_| Err("no answer before the deadline".into()));
        Reading { source, outcome }
    }

    async fn ask_one(&self, source: Source) -> Result<Figure, String> {
        match source {
            Source::Coinbase => parse_coinbase(&ticker(&self.coinbase, "/products/ETH-USD/ticker").await?),
            Source::Kraken => parse_kraken(&ticker(&self.kraken, "/0/public/Ticker?pair=ETHUSD").await?),
            Source::Bitstamp => parse_bitstamp(&ticker(&self.bitstamp, "/api/v2/ticker/ethusd/").await?),
            Source::Gemini => match &self.gemini {
                Some(venue) => parse_gemini(&ticker(venue, "/v1/pubticker/ETHUSD").await?),
                None => Err("it is not configured".into()),
            },
            Source::Chainlink => match &self.chainlink {
                Some(feed) => feed.read().await,
                None => Err("no node to read it from".into()),
            },
        }
    }

    fn believed(&self) -> MutexGuard<'_, Option<(DateTime<Utc>, EthUsdPrice)>> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PriceReport {
    /// Whether all four are in the median.
    fn is_whole(&self) -> bool {
        combine::is_whole(&self.sources)
    }
}

impl SourceReading {
    fn unasked(source: Source) -> Self {
        Self { source, name: source.name(), price: None, age_seconds: None, verdict: Verdict::Reserve, reason: None }
    }
}

async fn ticker(venue: &Endpoint, path_and_query: &str) -> Result<Vec<u8>, String> {
    venue.get(path_and_query, VENUE_BYTES_MAX).await.map_err(|error| error.to_string())
}
