//! US dollars.

use crate::{UnitError, credits::as_decimal_string};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// An amount of US dollars, never below zero, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(Decimal);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Takes an amount in dollars.
    ///
    /// # Errors
    /// [`UnitError::Negative`] below zero.
    pub fn new(dollars: Decimal) -> Result<Self, UnitError> {
        if dollars.is_sign_negative() && !dollars.is_zero() {
            return Err(UnitError::Negative { input: dollars.to_string() });
        }
        Ok(Self(dollars.normalize()))
    }

    /// The amount in dollars.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Usd {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::new(Decimal::from_str_exact(text).map_err(|_| UnitError::NotANumber { input: text.to_string() })?)
    }
}

as_decimal_string!(Usd);
