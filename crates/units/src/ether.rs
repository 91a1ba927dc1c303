//! Ether and its price.

use crate::{UnitError, credits::as_decimal_string};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// An amount of ether in wei. All ether there is fits many times over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wei(u128);

impl Wei {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Takes a count of wei.
    #[must_use]
    pub fn new(wei: u128) -> Self {
        Self(wei)
    }

    /// The count of wei.
    #[must_use]
    pub fn get(self) -> u128 {
        self.0
    }

    /// Adds, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Subtracts, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Multiplies, or `None` on overflow.
    #[must_use]
    pub fn checked_mul(self, factor: u128) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// The amount in ether with all eighteen decimals.
    #[must_use]
    pub fn to_ether_string(self) -> String {
        let digits = format!("{:019}", self.0);
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(18));
        format!("{whole}.{fraction}")
    }
}

impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Wei {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UnitError::NotANumber { input: text.to_string() });
        }
        text.parse().map(Self).map_err(|_| UnitError::OutOfRange { input: text.to_string() })
    }
}

as_decimal_string!(Wei);

/// US dollars for one ether; above zero, at most eighteen decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EthUsdPrice(Decimal);

impl EthUsdPrice {
    /// Takes a price in dollars per ether.
    ///
    /// # Errors
    /// Zero, negative, or more than eighteen decimals.
    pub fn new(usd_per_eth: Decimal) -> Result<Self, UnitError> {
        let price = usd_per_eth.normalize();
        if price.is_zero() {
            return Err(UnitError::ZeroPrice);
        }
        if price.is_sign_negative() {
            return Err(UnitError::Negative { input: price.to_string() });
        }
        if price.scale() > 18 {
            return Err(UnitError::TooPrecise { input: price.to_string(), places: 18 });
        }
        Ok(Self(price))
    }

    /// Dollars per ether.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for EthUsdPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EthUsdPrice {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::new(Decimal::from_str_exact(text).map_err(|_| UnitError::NotANumber { input: text.to_string() })?)
    }
}

as_decimal_string!(EthUsdPrice);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ether_shows_all_eighteen_decimals() {
        assert_eq!(Wei::new(5_127_574_042_169_169).to_ether_string(), "0.005127574042169169");
        assert_eq!(Wei::new(12_000_000_000_000_000_000).to_ether_string(), "12.000000000000000000");
    }

    #[test]
    fn a_price_of_nothing_is_refused() {
        assert_eq!("0.00".parse::<EthUsdPrice>(), Err(UnitError::ZeroPrice));
        assert!("-1".parse::<EthUsdPrice>().is_err());
        assert!("1e3".parse::<EthUsdPrice>().is_err());
    }
}
