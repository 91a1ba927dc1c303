//! Between dollars, ether and AiSpace credits, in integers.

use crate::{EthUsdPrice, NanoCredits, UnitError, Usd, Wei};

fn out_of_range(what: &str, a: impl ToString, b: impl ToString) -> UnitError {
    UnitError::OutOfRange { input: format!("{} {what} {}", a.to_string(), b.to_string()) }
}

fn mantissa(value: rust_decimal::Decimal) -> Option<u128> {
    u128::try_from(value.mantissa()).ok()
}

/// Wei asked for a dollar amount: `ceil(usd × 10¹⁸ ÷ price)`.
///
/// # Errors
/// [`UnitError::OutOfRange`] when the product does not fit 128 bits.
pub fn wei_for_usd(usd: Usd, price: EthUsdPrice) -> Result<Wei, UnitError> {
    let range = || out_of_range("USD in wei at", usd, price);
    let (dollars, per_eth) = (usd.get().normalize(), price.get().normalize());
    // usd_m × 10^(18 + price_scale − usd_scale) ÷ price_m, rounded up.
    let up = 18u32.checked_add(per_eth.scale()).ok_or_else(range)?;
    let (numerator, denominator) = (mantissa(dollars).ok_or_else(range)?, mantissa(per_eth).ok_or_else(range)?);
    let (numerator, denominator) = if let Some(shift) = up.checked_sub(dollars.scale()) {
        (10u128.checked_pow(shift).and_then(|p| numerator.checked_mul(p)).ok_or_else(range)?, denominator)
    } else {
        let shift = dollars.scale().saturating_sub(up);
        (numerator, 10u128.checked_pow(shift).and_then(|p| denominator.checked_mul(p)).ok_or_else(range)?)
    };
    Ok(Wei::new(numerator.div_ceil(denominator)))
}

/// Credits bought for an amount of wei: `floor(wei × price × 10,000 ÷ 10¹⁸)`, at the ledger's 10⁻⁹.
///
/// ```
/// use aispace_units::{credits_for_wei, wei_for_usd};
/// let price = "3018.26".parse()?;
/// let wei = wei_for_usd("25".parse()?, price)?;
/// assert_eq!(credits_for_wei(wei, price)?.to_string(), "250000");
/// # Ok::<(), aispace_units::UnitError>(())
/// ```
///
/// # Errors
/// [`UnitError::OutOfRange`] when the amount does not fit the ledger.
pub fn credits_for_wei(wei: Wei, price: EthUsdPrice) -> Result<NanoCredits, UnitError> {
    let range = || out_of_range("wei in credits at", wei, price);
    let per_eth = price.get().normalize();
    // nano credits = wei × price_m × 10⁴ × 10⁹ ÷ (10¹⁸ × 10^price_scale)
    let product = mantissa(per_eth).and_then(|m| wei.get().checked_mul(m)).ok_or_else(range)?;
    let divisor = per_eth.scale().checked_add(5).and_then(|s| 10u128.checked_pow(s)).ok_or_else(range)?;
    let nanos = product.checked_div(divisor).and_then(|n| i64::try_from(n).ok()).ok_or_else(range)?;
    NanoCredits::from_nanos(nanos)
}

/// What AiSpace credits cost: `credits ÷ 10,000`, exact to the ledger's 10⁻⁹ credit, which is 10⁻¹³ dollars.
///
/// # Errors
/// [`UnitError::Negative`] below zero.
pub fn usd_for_credits(credits: NanoCredits) -> Result<Usd, UnitError> {
    Usd::new(rust_decimal::Decimal::new(credits.nanos(), USD_PLACES))
}

/// The most dollars that an amount of wei pays for: `floor(wei × price ÷ 10¹⁸)` to 10⁻¹³ dollars, so that [`wei_for_usd`] never asks for
/// more than these wei, and what it asks for buys as many credits as they do.
///
/// ```
/// use aispace_units::{Wei, usd_for_wei, wei_for_usd};
/// let (typed, price) = (Wei::new(10_000_000_000_000_000), "3018.26".parse()?);
/// let usd = usd_for_wei(typed, price)?;
/// assert_eq!((usd.to_string().as_str(), wei_for_usd(usd, price)?), ("30.1826", typed));
/// # Ok::<(), aispace_units::UnitError>(())
/// ```
///
/// # Errors
/// [`UnitError::OutOfRange`] when the amount does not fit the ledger.
pub fn usd_for_wei(wei: Wei, price: EthUsdPrice) -> Result<Usd, UnitError> {
    usd_for_credits(credits_for_wei(wei, price)?)
}

/// Decimals of a dollar that make one 10⁻⁹ credit.
const USD_PLACES: u32 = 13;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_example_holds() {
        // 10 USD at 1,950.24 USD per ether.
        let wei = wei_for_usd("10".parse().expect("usd"), "1950.24".parse().expect("price"));
        assert_eq!(wei, Ok(Wei::new(5_127_574_042_169_169)));
    }

    #[test]
    fn an_absurd_amount_is_refused() {
        let huge = "79228162514264337593543950335".parse().expect("usd");
        assert!(wei_for_usd(huge, "0.000000000000000001".parse().expect("price")).is_err());
        assert!(credits_for_wei(Wei::new(u128::MAX), "3000".parse().expect("price")).is_err());
    }

    fn price_of(cents: u32) -> EthUsdPrice {
        EthUsdPrice::new(rust_decimal::Decimal::new(i64::from(cents), 2)).expect("positive")
    }

    proptest! {
        /// Ether that is typed: never more is asked for, at most one step less, and it buys as much.
        #[test]
        fn typed_ether_buys_all_that_it_can(wei in 0u128..800_000_000_000_000_000, cents in 100u32..100_000_000) {
            let (typed, price) = (Wei::new(wei), price_of(cents));
            let usd = usd_for_wei(typed, price).expect("fits");
            let asked = wei_for_usd(usd, price).expect("fits");
            prop_assert!(asked <= typed);
            // 10⁻¹³ dollars in wei, and one for the rounding up.
            let step = 10u128.pow(18 + 2 - 13) / u128::from(cents) + 1;
            prop_assert!(wei - asked.get() <= step, "{} of {wei}", wei - asked.get());
            prop_assert_eq!(credits_for_wei(asked, price), credits_for_wei(typed, price));
        }

        /// Credits that are typed: what is asked for buys them, and not a step less of ether would.
        #[test]
        fn typed_credits_are_bought(nanos in 1i64..9_000_000_000_000_000, cents in 100u32..100_000_000) {
            let (typed, price) = (NanoCredits::from_nanos(nanos).expect("positive"), price_of(cents));
            let usd = usd_for_credits(typed).expect("fits");
            prop_assert_eq!(usd.get().checked_mul(rust_decimal::Decimal::from(10_000)), Some(typed.to_decimal().normalize()));
            let asked = wei_for_usd(usd, price).expect("fits");
            prop_assert!(credits_for_wei(asked, price).expect("fits") >= typed);
            prop_assert!(credits_for_wei(Wei::new(asked.get() - 1), price).expect("fits") <= typed);
            // There and back: never less, at most one step of ether more.
            let back = usd_for_wei(asked, price).expect("fits");
            prop_assert!(back >= usd && wei_for_usd(back, price).expect("fits") == asked);
        }

        /// Whoever pays what is asked gets at least what was shown, and never a credit more than the rounding gives.
        #[test]
        fn what_is_asked_buys_what_was_shown(cents in 1u32..90_000_000, price_cents in 100u32..100_000_000) {
            let usd = Usd::new(rust_decimal::Decimal::new(i64::from(cents), 2)).expect("positive");
            let price = EthUsdPrice::new(rust_decimal::Decimal::new(i64::from(price_cents), 2)).expect("positive");
            let wei = wei_for_usd(usd, price).expect("fits");
            let shown = i64::from(cents) * 100 * 1_000_000_000;
            let bought = credits_for_wei(wei, price).expect("fits").nanos();
            prop_assert!(bought >= shown && bought - shown <= 1 + i64::from(price_cents) / 10_000_000, "{bought} for {shown}");
            if wei.get() > 0 {
                prop_assert!(credits_for_wei(Wei::new(wei.get() - 1), price).expect("fits").nanos() <= shown);
            }
        }
    }
}
