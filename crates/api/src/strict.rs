//! What text in a request may be. The document says the same of each field; what is not as documented is refused, never mended.

#[cfg(feature = "openapi")]
use crate::schema;
use crate::{RunDescription, SealedSecret};
use aispace_units::EthUsdPrice;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

/// Most characters of a word for people.
pub const WORD_CHARS_MAX: usize = 200;
/// Most characters of a rule for people.
const RULE_CHARS_MAX: usize = 1_000;
/// Most characters of an opaque id, and of a name for programs.
const ID_CHARS_MAX: usize = 64;
/// Most meters of a run.
const METERS_MAX: usize = 64;
/// Most hex digits of a signature: 8,192 bytes.
const SIGNATURE_DIGITS_MAX: usize = 16_384;

/// Whether a text can be an id at all: 1 to 64 letters, digits, `_`, `-`, `.` and `:`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b))
}

/// Whether a text is a plain decimal: at most so many digits, and, after a point, at most so many more.
///
/// ```
/// use aispace_api::is_plain_decimal;
/// assert!(is_plain_decimal("007.50", 10, 9));
/// assert!(["", ".5", "5.", "+5", "5e3", " 5", "12345", "0.123"].iter().all(|text| !is_plain_decimal(text, 4, 2)));
/// ```
#[must_use]
pub fn is_plain_decimal(text: &str, digits_max: usize, decimals_max: usize) -> bool {
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole, digits_max) && digits(fraction, decimals_max),
        None => digits(text, digits_max),
    }
}

/// Whether a text is a word for people: at most 200 characters, none of them a control character of ASCII.
#[must_use]
pub fn is_word(text: &str) -> bool {
    is_text(text, WORD_CHARS_MAX)
}

fn is_text(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.bytes().any(|b| b.is_ascii_control())
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(plain)
}

/// An instant as requests write it: RFC 3339 in upper case, to the millisecond, since what is finer would be dropped.
#[must_use]
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let read = is_instant(text).then(|| DateTime::parse_from_rfc3339(text).ok())?;
    read.map(|at| at.to_utc())
}

/// Whether a text is an instant as requests write it: RFC 3339, upper case, to the millisecond.
fn is_instant(text: &str) -> bool {
    let (Some((date, rest)), true) = (text.split_once('T'), text.is_ascii()) else { return false };
    let shape = |part: &str, of: &str| {
        part.len() == of.len() && part.bytes().zip(of.bytes()).all(|(b, shape)| if shape == b'0' { b.is_ascii_digit() } else { b == shape })
    };
    let (time, zone) = match rest.strip_suffix('Z') {
        Some(time) => (time, None),
        None => {
            let Some(at) = rest.rfind(['+', '-']) else { return false };
            let (time, zone) = rest.split_at(at);
            (time, Some(zone))
        }
    };
    let clock = match time.split_once('.') {
        Some((clock, fraction)) if is_plain_decimal(fraction, 3, 0) => clock,
        Some(_) => return false,
        None => time,
    };
    let zone = zone.is_none_or(|zone| zone.get(1..).is_some_and(|zone| shape(zone, "00:00")));
    shape(date, "0000-00-00") && shape(clock, "00:00:00") && zone
}

pub(crate) fn id<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    if is_id(&text) { Ok(text) } else { Err(D::Error::custom("an id of 1 to 64 letters, digits and _-.:")) }
}

/// A word for people, or none.
pub(crate) fn maybe_word<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    match text {
        Some(text) if !is_word(&text) => Err(D::Error::custom("at most 200 characters, none of them a control character")),
        text => Ok(text),
    }
}

/// 64 hex digits.
pub(crate) fn hex_32<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    let is_hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex { Ok(text) } else { Err(D::Error::custom("64 hex digits")) }
}

/// `0x` and so many hex digits.
fn is_prefixed_hex(text: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    text.strip_prefix("0x").is_some_and(|hex| digits.contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `0x` and 64 hex digits.
pub(crate) fn hash_32<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    if is_prefixed_hex(&text, 64..=64) { Ok(text) } else { Err(D::Error::custom("0x and 64 hex digits")) }
}

/// `0x` and the bytes of a signature in hex.
pub(crate) fn signature<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    let good = is_prefixed_hex(&text, 2..=SIGNATURE_DIGITS_MAX) && text.len().is_multiple_of(2);
    if good { Ok(text) } else { Err(D::Error::custom("0x and whole bytes in hex, at most 8192 of them")) }
}

/// `0x` and 40 hex digits, or none.
pub(crate) fn maybe_address<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    match text {
        Some(text) if !is_prefixed_hex(&text, 40..=40) => Err(D::Error::custom("0x and 40 hex digits")),
        text => Ok(text),
    }
}

/// A price of ether in a request: from 1 to below ten million dollars, to eight decimals.
pub(crate) fn maybe_price<'de, D: Deserializer<'de>>(d: D) -> Result<Option<EthUsdPrice>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    let read = |text: String| {
        let plain = is_plain_decimal(&text, 7, 8) && !text.starts_with('0');
        let price = if plain { text.parse().ok() } else { None };
        price.ok_or_else(|| D::Error::custom("a price as a plain decimal in a string, from 1 to 9999999, such as 3018.26"))
    };
    text.map(read).transpose()
}

/// An instant in whole seconds.
pub(crate) fn whole_second<'de, D: Deserializer<'de>>(d: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(d)?;
    let whole = instant(&text).filter(|_| !text.contains('.'));
    whole.ok_or_else(|| D::Error::custom("an instant in RFC 3339, in whole seconds, such as 2026-11-21T12:00:00Z"))
}

/// A secret of 64 hex digits.
pub(crate) fn secret_32<'de, D: Deserializer<'de>>(d: D) -> Result<SealedSecret, D::Error> {
    hex_32(d).map(SealedSecret::new)
}

/// An instant, or none.
pub(crate) fn maybe_instant<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let refused = || D::Error::custom("an instant in RFC 3339, to the millisecond, such as 2026-11-21T12:00:00.000Z");
    let text = Option::<String>::deserialize(d)?;
    text.map(|text| instant(&text).ok_or_else(refused)).transpose()
}

/// A [`RunDescription`] of a request. In answers it has no limits, so that what an older service logged can be read.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// Model or tool id of the rate card.
    #[serde(deserialize_with = "word")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::word))]
    model_id: String,
    /// Its printed name.
    #[serde(deserialize_with = "word")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::word))]
    model_name: String,
    /// `chat`, `image`, `video`, `audio`, `embedding`, `search`.
    #[serde(deserialize_with = "name")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::name))]
    kind: String,
    /// Meter name to count, as decimal strings (`input_tokens`: `"500"`).
    #[serde(default, deserialize_with = "meters")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::meters))]
    meters: BTreeMap<String, String>,
    /// The rule that chose the rate, for people.
    #[serde(default, deserialize_with = "maybe_rule")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_rule))]
    rule: Option<String>,
}

pub(crate) fn maybe_run<'de, D: Deserializer<'de>>(d: D) -> Result<Option<RunDescription>, D::Error> {
    let run = Option::<RunRequest>::deserialize(d)?;
    Ok(run.map(|RunRequest { model_id, model_name, kind, meters, rule }| RunDescription { model_id, model_name, kind, meters, rule }))
}

fn word<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    let good = !text.is_empty() && is_word(&text);
    if good { Ok(text) } else { Err(D::Error::custom("1 to 200 characters, none of them a control character")) }
}

fn name<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    if is_name(&text) { Ok(text) } else { Err(D::Error::custom("1 to 64 lower-case letters, digits and _, a letter first")) }
}

fn maybe_rule<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    match text {
        Some(text) if !is_text(&text, RULE_CHARS_MAX) => Err(D::Error::custom("at most 1000 characters, none of them a control character")),
        text => Ok(text),
    }
}

fn meters<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let meters = BTreeMap::<String, String>::deserialize(d)?;
    let good = meters.len() <= METERS_MAX && meters.iter().all(|(meter, count)| is_name(meter) && is_plain_decimal(count, 20, 18));
    if good { Ok(meters) } else { Err(D::Error::custom("at most 64 meters, each a lower-case name with a plain decimal in a string")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_instant_to_the_millisecond_is_one() {
        for good in ["2026-11-21T12:00:00Z", "2026-11-21T12:00:00.1Z", "2026-11-21T12:00:00.123+05:30", "2026-11-21T12:00:00-00:00"] {
            assert!(is_instant(good), "{good}");
        }
        for bad in [
            "",
            "T",
            "2026-11-21",
            "2026-11-21 12:00:00Z",
            "2026-11-21t12:00:00Z",
            "2026-11-21T12:00:00z",
            "2026-11-21T12:00:00",
            "2026-11-21T12:00Z",
            "2026-11-21T12:00:00.Z",
            "2026-11-21T12:00:00.1234Z",
            "2026-11-21T12:00:00.1.2Z",
            "2026-11-21T12:00:00+0530",
            "+12026-11-21T12:00:00Z",
            "2026-11-21T12:00:00é+05:30",
            "2026-11-21T12:00:00+é0:00",
        ] {
            assert!(!is_instant(bad), "{bad}");
        }
    }

    #[test]
    fn ids_and_names_are_plain() {
        assert!(is_id("ac_0f") && is_id("renewal-2026-11-21") && is_id(&"x".repeat(64)));
        assert!(["", " ", "a b", "a/b", "a\0", "é"].iter().all(|text| !is_id(text)) && !is_id(&"x".repeat(65)));
        assert!(is_name("input_tokens") && is_name("cache_write_5m"));
        assert!(["", "_a", "1a", "A", "a-b"].iter().all(|text| !is_name(text)));
        assert!(is_text("é\u{200d}", 2) && !is_text("ééé", 2) && !is_text("\n", 2) && !is_text("\u{7f}", 2));
    }
}
