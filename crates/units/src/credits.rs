//! The ledger's unit: 10⁻⁹ credit.

use crate::UnitError;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

pub use encapsulate::{NanoCreditSum, NanoCredits};

const PLACES: u32 = 9;

mod encapsulate {
    /// An amount of AiSpace credits in steps of 10⁻⁹, never below zero and at most `i64::MAX` steps:
    /// what a batch, a debit or a grant holds.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct NanoCredits(i64);

    impl NanoCredits {
        /// Nothing.
        pub const ZERO: Self = Self(0);

        /// Takes a count of 10⁻⁹ credits.
        ///
        /// # Errors
        /// [`crate::UnitError::Negative`] below zero.
        pub fn from_nanos(nanos: i64) -> Result<Self, crate::UnitError> {
            if nanos < 0 { Err(crate::UnitError::Negative { input: nanos.to_string() }) } else { Ok(Self(nanos)) }
        }

        /// The count of 10⁻⁹ credits.
        #[must_use]
        pub fn nanos(self) -> i64 {
            self.0
        }
    }

    /// A sum or difference of many [`NanoCredits`]; may be negative (a posted entry's change).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct NanoCreditSum(i128);

    impl NanoCreditSum {
        /// Nothing.
        pub const ZERO: Self = Self(0);

        /// Takes a signed count of 10⁻⁹ credits.
        #[must_use]
        pub fn from_nanos(nanos: i128) -> Self {
            Self(nanos)
        }

        /// The signed count of 10⁻⁹ credits.
        #[must_use]
        pub fn nanos(self) -> i128 {
            self.0
        }
    }
}

impl NanoCredits {
    /// Takes a decimal amount of credits with at most nine decimals.
    ///
    /// ```
    /// use aispace_units::NanoCredits;
    /// assert_eq!("0.55".parse::<NanoCredits>()?.nanos(), 550_000_000);
    /// assert!("0.0000000001".parse::<NanoCredits>().is_err());
    /// # Ok::<(), aispace_units::UnitError>(())
    /// ```
    ///
    /// # Errors
    /// Negative, finer than 10⁻⁹, or above the range of the ledger.
    pub fn from_decimal(credits: Decimal) -> Result<Self, UnitError> {
        let input = || credits.to_string();
        if credits.is_sign_negative() && !credits.is_zero() {
            return Err(UnitError::Negative { input: input() });
        }
        let plain = credits.normalize();
        let missing = PLACES.checked_sub(plain.scale()).ok_or_else(|| UnitError::TooPrecise { input: input(), places: PLACES })?;
        let nanos = 10i128.checked_pow(missing).and_then(|p| plain.mantissa().checked_mul(p)).and_then(|n| i64::try_from(n).ok());
        Self::from_nanos(nanos.ok_or_else(|| UnitError::OutOfRange { input: input() })?)
    }

    /// The amount in credits.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.nanos(), PLACES).normalize()
    }

    /// Whether this is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.nanos() == 0
    }

    /// Adds, or `None` above the ledger's range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.nanos().checked_add(other.nanos()).and_then(|n| Self::from_nanos(n).ok())
    }

    /// Subtracts, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.nanos().checked_sub(other.nanos()).and_then(|n| Self::from_nanos(n).ok())
    }
}

impl NanoCreditSum {
    /// The sum of amounts; cannot overflow below 2⁶⁴ of them.
    pub fn total(amounts: impl IntoIterator<Item = NanoCredits>) -> Self {
        Self::from_nanos(amounts.into_iter().fold(0i128, |sum, a| sum.saturating_add(i128::from(a.nanos()))))
    }

    /// Adds; saturates at the ends of an i128, which no ledger reaches.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::from_nanos(self.nanos().saturating_add(other.nanos()))
    }

    /// Subtracts; saturates at the ends of an i128, which no ledger reaches.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::from_nanos(self.nanos().saturating_sub(other.nanos()))
    }

    /// The amount in credits.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 28 digits.
    pub fn to_decimal(self) -> Result<Decimal, UnitError> {
        Decimal::try_from_i128_with_scale(self.nanos(), PLACES)
            .map(|d| d.normalize())
            .map_err(|_| UnitError::OutOfRange { input: self.nanos().to_string() })
    }
}

impl From<NanoCredits> for NanoCreditSum {
    fn from(amount: NanoCredits) -> Self {
        Self::from_nanos(i128::from(amount.nanos()))
    }
}

impl TryFrom<NanoCreditSum> for NanoCredits {
    type Error = UnitError;

    fn try_from(sum: NanoCreditSum) -> Result<Self, UnitError> {
        let nanos = i64::try_from(sum.nanos()).map_err(|_| UnitError::OutOfRange { input: sum.nanos().to_string() })?;
        Self::from_nanos(nanos)
    }
}

/// Writes nanos as a plain decimal without trailing zeros; exact for every i128.
fn write_nanos(nanos: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digits = format!("{:010}", nanos.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(9));
    let fraction = fraction.trim_end_matches('0');
    let sign = if nanos < 0 { "-" } else { "" };
    if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
}

/// Reads a plain decimal with at most nine decimals; exact for every i128.
fn read_nanos(text: &str) -> Result<i128, UnitError> {
    let not_a_number = || UnitError::NotANumber { input: text.to_string() };
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(w, f)| (w, f));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || (digits.contains('.') && fraction.is_empty()) {
        return Err(not_a_number());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 {
        return Err(UnitError::TooPrecise { input: text.to_string(), places: PLACES });
    }
    let nanos: i128 = format!("{whole}{fraction:0<9}").parse().map_err(|_| UnitError::OutOfRange { input: text.to_string() })?;
    Ok(if negative { nanos.saturating_neg() } else { nanos })
}

impl fmt::Display for NanoCredits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_nanos(i128::from(self.nanos()), f)
    }
}

impl fmt::Display for NanoCreditSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_nanos(self.nanos(), f)
    }
}

impl FromStr for NanoCreditSum {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        read_nanos(text).map(Self::from_nanos)
    }
}

impl FromStr for NanoCredits {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let nanos = read_nanos(text)?;
        if nanos < 0 {
            return Err(UnitError::Negative { input: text.to_string() });
        }
        Self::from_nanos(i64::try_from(nanos).map_err(|_| UnitError::OutOfRange { input: text.to_string() })?)
    }
}

macro_rules! as_decimal_string {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
    };
}
pub(crate) use as_decimal_string;

as_decimal_string!(NanoCredits);
as_decimal_string!(NanoCreditSum);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_an_amount() {
        for bad in ["", ".", "1.", ".5", "1e3", "+1", "1,000", " 1", "NaN", "0x10", "1.0000000001", "9223372036.8547758075"] {
            assert!(bad.parse::<NanoCredits>().is_err(), "{bad:?} was accepted");
        }
        assert_eq!("-1".parse::<NanoCredits>(), Err(UnitError::Negative { input: "-1".into() }));
        assert!(matches!("9223372036.854775808".parse::<NanoCredits>(), Err(UnitError::OutOfRange { .. })));
    }

    #[test]
    fn the_largest_amount_survives() {
        let most = NanoCredits::from_nanos(i64::MAX).expect("positive");
        assert_eq!(most.to_string(), "9223372036.854775807");
        assert_eq!(most.checked_add(NanoCredits::from_nanos(1).expect("positive")), None);
    }

    proptest! {
        #[test]
        fn text_round_trips(n in 0i64..) {
            let amount = NanoCredits::from_nanos(n).expect("positive");
            prop_assert_eq!(amount.to_string().parse::<NanoCredits>(), Ok(amount));
            prop_assert_eq!(NanoCredits::from_decimal(amount.to_decimal()), Ok(amount));
        }

        #[test]
        fn sums_round_trip(n in any::<i64>()) {
            let sum = NanoCreditSum::from_nanos(i128::from(n));
            prop_assert_eq!(sum.to_string().parse::<NanoCreditSum>(), Ok(sum));
        }
    }
}
