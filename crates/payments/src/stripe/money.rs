//! Cents of US dollars: what Stripe counts in.

use aispace_units::{Decimal, NanoCredits, UnitError, Usd};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::fmt;

/// Decimals of a dollar that a card can pay.
const PLACES: u32 = 2;
/// 10⁻⁹ credits that a cent buys: 100 credits.
const NANOS_PER_CENT: u64 = 100_000_000_000;

pub use encapsulate::UsdCents;

mod encapsulate {
    /// A count of US cents, never below zero.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct UsdCents(u64);

    impl UsdCents {
        /// Nothing.
        pub const ZERO: Self = Self(0);
        /// The least that Stripe charges in dollars ("Supported currencies").
        pub const CHARGE_MIN: Self = Self(50);
        /// The most: eight digits ("Supported currencies").
        pub const CHARGE_MAX: Self = Self(99_999_999);

        /// Takes a count.
        #[must_use]
        pub fn new(cents: u64) -> Self {
            Self(cents)
        }

        /// The count.
        #[must_use]
        pub fn get(self) -> u64 {
            self.0
        }
    }
}

/// Why an amount of dollars cannot be paid by card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CentsError {
    /// Fractions of a cent.
    #[error("{usd} USD is not a whole number of cents")]
    Fraction {
        /// The amount.
        usd: Usd,
    },
    /// Below [`UsdCents::CHARGE_MIN`] or above [`UsdCents::CHARGE_MAX`].
    #[error("a card pays {lowest} to {highest} USD, not {usd}")]
    OutOfRange {
        /// The amount.
        usd: Usd,
        /// The least.
        lowest: UsdCents,
        /// The most.
        highest: UsdCents,
    },
}

impl UsdCents {
    /// Takes a dollar amount that a card can pay, exactly.
    ///
    /// ```
    /// use aispace_payments::stripe::UsdCents;
    /// assert_eq!(UsdCents::chargeable("12.5".parse()?).map(UsdCents::get), Ok(1250));
    /// assert!(UsdCents::chargeable("12.505".parse()?).is_err());
    /// # Ok::<(), aispace_units::UnitError>(())
    /// ```
    ///
    /// # Errors
    /// [`CentsError`]: fractions of a cent, or outside what Stripe charges.
    pub fn chargeable(usd: Usd) -> Result<Self, CentsError> {
        let out_of_range = || CentsError::OutOfRange { usd, lowest: Self::CHARGE_MIN, highest: Self::CHARGE_MAX };
        let plain = usd.get().normalize();
        let missing = PLACES.checked_sub(plain.scale()).ok_or(CentsError::Fraction { usd })?;
        let cents = 10i128.checked_pow(missing).and_then(|p| plain.mantissa().checked_mul(p)).and_then(|c| u64::try_from(c).ok());
        let cents = Self::new(cents.ok_or_else(out_of_range)?);
        if cents < Self::CHARGE_MIN || cents > Self::CHARGE_MAX { Err(out_of_range()) } else { Ok(cents) }
    }

    /// What this buys: 100 credits for a cent.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] above the ledger's range.
    pub fn credits(self) -> Result<NanoCredits, UnitError> {
        let nanos = self.get().checked_mul(NANOS_PER_CENT).and_then(|n| i64::try_from(n).ok());
        NanoCredits::from_nanos(nanos.ok_or_else(|| UnitError::OutOfRange { input: format!("{self} USD in credits") })?)
    }

    /// Adds; stops at the end of the range.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self::new(self.get().saturating_add(other.get()))
    }

    /// Subtracts; stops at nothing.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self::new(self.get().saturating_sub(other.get()))
    }

    /// Whether this is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.get() == 0
    }
}

/// In dollars, always with two decimals: `12.50`.
impl fmt::Display for UsdCents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::from_i128_with_scale(i128::from(self.get()), PLACES).fmt(f)
    }
}

impl From<UsdCents> for Usd {
    fn from(cents: UsdCents) -> Self {
        // Never below zero, so never refused.
        Self::new(Decimal::from_i128_with_scale(i128::from(cents.get()), PLACES)).unwrap_or_default()
    }
}

/// Read as Stripe writes an amount: a JSON integer. A fraction, a text or a negative number is refused.
impl<'de> Deserialize<'de> for UsdCents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = i64::deserialize(deserializer)?;
        u64::try_from(count).map(Self::new).map_err(|_| D::Error::custom("an amount below zero"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(usd: &str) -> Result<UsdCents, CentsError> {
        UsdCents::chargeable(usd.parse().unwrap())
    }

    #[test]
    fn whole_cents_within_what_stripe_charges_are_taken() {
        assert_eq!(cents("0.5"), Ok(UsdCents::CHARGE_MIN));
        assert_eq!(cents("999999.99"), Ok(UsdCents::CHARGE_MAX));
        assert_eq!(cents("25.00").map(UsdCents::get), Ok(2500));
        for fraction in ["0.505", "1.000000001"] {
            assert!(matches!(cents(fraction), Err(CentsError::Fraction { .. })), "{fraction}");
        }
        for outside in ["0", "0.49", "1000000", "79228162514264337593543950335"] {
            assert!(matches!(cents(outside), Err(CentsError::OutOfRange { .. })), "{outside}");
        }
        assert_eq!(cents("0.49").unwrap_err().to_string(), "a card pays 0.50 to 999999.99 USD, not 0.49");
    }

    #[test]
    fn a_cent_is_a_hundred_credits() {
        assert_eq!(UsdCents::new(2500).credits().unwrap().to_string(), "250000");
        assert!(UsdCents::new(92_233_720).credits().is_ok());
        assert!(UsdCents::new(92_233_721).credits().is_err());
        assert!(UsdCents::new(u64::MAX).credits().is_err());
    }

    #[test]
    fn only_integers_are_read() {
        for wrong in ["12.5", "-1", "\"1250\"", "1e3", "null", "9223372036854775808"] {
            assert!(serde_json::from_str::<UsdCents>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<UsdCents>("1250").unwrap().to_string(), "12.50");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_what_was_taken(count in 50u64..=99_999_999) {
            let taken = UsdCents::new(count);
            prop_assert_eq!(UsdCents::chargeable(taken.to_string().parse().unwrap()), Ok(taken));
            prop_assert_eq!(UsdCents::chargeable(taken.into()), Ok(taken));
        }
    }
}
