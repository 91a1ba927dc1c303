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

    proptest! {
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
