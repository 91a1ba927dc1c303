//! A rate's amount as a card writes it: a plain decimal string.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A rate's amount: never below zero, read without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(Decimal);

impl Amount {
    /// The number.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return None;
        }
        Decimal::from_str_exact(text).ok().map(|d| Self(d.normalize()))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a plain decimal amount of at most 28 digits")))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_are_amounts() {
        for bad in ["", "-1", "+1", "1e3", "1_000", "1,000", ".5", "1.", " 1", "0.00000000000000000000000000001", "NaN"] {
            assert_eq!(Amount::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Amount::parse("0.0110").map(|a| a.get().to_string()), Some("0.011".into()));
        assert!(serde_json::from_str::<Amount>("0.11").is_err(), "a JSON number is a binary float to most readers");
    }
}
