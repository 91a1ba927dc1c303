//! The venues' answers, read as they write them. Prices are decimal strings and stay decimals.

use super::Figure;
use aispace_units::{Decimal, EthUsdPrice};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most decimals a figure may have, so that the median of two is exact to the same.
pub(super) const PLACES: u32 = 8;
/// No ether is believed to cost more.
const USD_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

#[derive(Deserialize)]
struct CoinbaseTicker {
    price: String,
    time: DateTime<Utc>,
}

/// Reads Coinbase Exchange's `/products/ETH-USD/ticker`: `price` and `time`.
///
/// # Errors
/// The reason in words, for people.
pub fn parse_coinbase(body: &[u8]) -> Result<Figure, String> {
    let ticker: CoinbaseTicker = serde_json::from_slice(body).map_err(unreadable)?;
    Ok(Figure { usd_per_eth: price(&ticker.price)?, as_of: Some(ticker.time), block_time: None })
}

#[derive(Deserialize)]
struct KrakenAnswer {
    #[serde(default)]
    error: Vec<String>,
    #[serde(default)]
    result: BTreeMap<String, KrakenTicker>,
}

#[derive(Deserialize)]
struct KrakenTicker {
    c: Vec<String>,
}

/// Reads Kraken's `/0/public/Ticker?pair=ETHUSD`: the last trade of the only entry, unless `error` says something.
///
/// # Errors
/// The reason in words, for people.
pub fn parse_kraken(body: &[u8]) -> Result<Figure, String> {
    let answer: KrakenAnswer = serde_json::from_slice(body).map_err(unreadable)?;
    if let Some(error) = answer.error.first() {
        return Err(format!("says {}", short(error)));
    }
    // Kraken names the entry by its own code of the pair, not by the one asked for.
    let mut entries = answer.result.into_values();
    let (Some(ticker), None) = (entries.next(), entries.next()) else { return Err("did not answer with one pair".into()) };
    let last = ticker.c.first().ok_or("gave no last trade")?;
    Ok(Figure { usd_per_eth: price(last)?, as_of: None, block_time: None })
}

#[derive(Deserialize)]
struct BitstampTicker {
    last: String,
    timestamp: String,
}

/// Reads Bitstamp's `/api/v2/ticker/ethusd/`: `last` and `timestamp` in seconds.
///
/// # Errors
/// The reason in words, for people.
pub fn parse_bitstamp(body: &[u8]) -> Result<Figure, String> {
    let ticker: BitstampTicker = serde_json::from_slice(body).map_err(unreadable)?;
    let seconds = ticker.timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    Ok(Figure { usd_per_eth: price(&ticker.last)?, as_of: Some(seconds.ok_or("gave no readable time")?), block_time: None })
}

/// A believable price: above zero, below 10⁹, at most eight decimals.
pub(super) fn believable(usd: Decimal) -> Result<EthUsdPrice, String> {
    let price = EthUsdPrice::new(usd).map_err(|error| error.to_string())?;
    if price.get().scale() > PLACES || price.get() > USD_MAX {
        return Err(format!("gave the price {price}, which cannot be one"));
    }
    Ok(price)
}

fn price(text: &str) -> Result<EthUsdPrice, String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let usd = if plain { Decimal::from_str_exact(text).ok() } else { None };
    believable(usd.ok_or_else(|| format!("gave the price {}, which is no number", short(text)))?)
}

fn unreadable(error: serde_json::Error) -> String {
    format!("gave an answer that cannot be read ({})", short(&error.to_string()))
}

/// What a stranger wrote, cut and cleaned for a message.
fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(80).collect()
}
