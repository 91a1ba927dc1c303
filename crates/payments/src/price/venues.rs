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

#[derive(Deserialize)]
struct GeminiTicker {
    last: String,
}

/// Reads Gemini's `/v1/pubticker/ETHUSD`: `last`. The one time in it is of the traded volume, so the figure has none.
///
/// # Errors
/// The reason in words, for people.
pub fn parse_gemini(body: &[u8]) -> Result<Figure, String> {
    let ticker: GeminiTicker = serde_json::from_slice(body).map_err(unreadable)?;
    Ok(Figure { usd_per_eth: price(&ticker.last)?, as_of: None, block_time: None })
}

/// A believable price: above zero, below 10⁹, at most eight decimals.
pub(crate) fn believable(usd: Decimal) -> Result<EthUsdPrice, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const COINBASE: &[u8] = br#"{"ask":"3018.27","bid":"3018.26","volume":"104522.31804512","trade_id":712345678,"price":"3018.26","size":"0.0512","time":"2026-09-07T12:00:00.123456Z","rfq_volume":"12.1"}"#;
    const KRAKEN: &[u8] = br#"{"error":[],"result":{"XETHZUSD":{"a":["3018.30000","3","3.000"],"b":["3018.29000","5","5.000"],"c":["3018.29000","0.01830000"],"v":["9124.55","21877.10"],"p":["3001.1","2998.2"],"t":[18233,44120],"l":["2950.0","2950.0"],"h":["3030.0","3030.0"],"o":"2999.10000"}}}"#;
    const BITSTAMP: &[u8] = br#"{"timestamp":"1788782400","open":"2999.1","high":"3030.0","low":"2950.0","last":"3018.1","volume":"2204.18","vwap":"3001.2","bid":"3018.0","ask":"3018.2","side":"0","open_24":"2990.2","percent_change_24":"0.93"}"#;

    const GEMINI: &[u8] =
        br#"{"bid":"3018.01","ask":"3018.32","volume":{"ETH":"1518.2","USD":"4581022.1","timestamp":1788782400000},"last":"3018.2"}"#;

    fn usd(text: &str) -> EthUsdPrice {
        text.parse().unwrap()
    }

    #[test]
    fn each_venue_is_read_in_its_own_format() {
        let coinbase = parse_coinbase(COINBASE).unwrap();
        assert_eq!(coinbase.usd_per_eth, usd("3018.26"));
        assert_eq!(coinbase.as_of.map(|at| at.timestamp()), Some(1_788_782_400));
        let kraken = parse_kraken(KRAKEN).unwrap();
        assert_eq!((kraken.usd_per_eth, kraken.as_of), (usd("3018.29"), None));
        let bitstamp = parse_bitstamp(BITSTAMP).unwrap();
        assert_eq!(bitstamp.usd_per_eth, usd("3018.1"));
        assert_eq!(bitstamp.as_of.map(|at| at.timestamp()), Some(1_788_782_400));
        let gemini = parse_gemini(GEMINI).unwrap();
        assert_eq!((gemini.usd_per_eth, gemini.as_of), (usd("3018.2"), None));
    }

    #[test]
    fn krakens_errors_are_told() {
        let told = parse_kraken(br#"{"error":["EGeneral:Temporary lockout"]}"#).unwrap_err();
        assert!(told.contains("Temporary lockout"), "{told}");
        assert!(parse_kraken(br#"{"error":[],"result":{}}"#).is_err());
        let two = String::from_utf8_lossy(KRAKEN).replace(r#""XETHZUSD":"#, r#""A":{"c":["1"]},"XETHZUSD":"#);
        assert!(parse_kraken(two.as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for wrong in ["", "0", "0.00", "-3018.26", "+3018", "3e3", "NaN", "3018,26", "3018.123456789", "1000000001", "0x10", " 3018"] {
            let body = String::from_utf8_lossy(COINBASE).replace(r#""price":"3018.26""#, &format!(r#""price":"{wrong}""#));
            assert!(parse_coinbase(body.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_price_as_a_json_number_is_refused() {
        let body = String::from_utf8_lossy(COINBASE).replace(r#""price":"3018.26""#, r#""price":3018.26"#);
        assert!(parse_coinbase(body.as_bytes()).is_err());
    }

    #[test]
    fn garbage_is_refused_in_one_short_line() {
        let page = b"<!DOCTYPE html>\n<html>Just a moment...</html>";
        for parse in [parse_coinbase, parse_kraken, parse_bitstamp, parse_gemini] {
            for body in [page.as_slice(), b"", b"null", b"[]", b"{}", b"\xff\xfe"] {
                let told = parse(body).unwrap_err();
                assert!(told.len() < 160 && !told.contains('\n'), "{told}");
            }
        }
    }

    #[test]
    fn bitstamp_without_a_time_is_refused() {
        let body = String::from_utf8_lossy(BITSTAMP).replace("1788782400", "now");
        assert!(parse_bitstamp(body.as_bytes()).is_err());
    }
}
