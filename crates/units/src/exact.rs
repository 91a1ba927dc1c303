//! Decimal arithmetic that is exact or refused.
//!
//! `rust_decimal` holds 96 bits of mantissa and rounds silently beyond; these functions answer
//! [`UnitError::OutOfRange`] instead.

use crate::UnitError;
use rust_decimal::Decimal;

fn refuse(what: &str, a: Decimal, b: Decimal) -> UnitError {
    UnitError::OutOfRange { input: format!("{a} {what} {b}") }
}

fn power_of_ten(n: u32) -> Option<i128> {
    10i128.checked_pow(n)
}

/// Multiplies, exactly.
///
/// # Errors
/// [`UnitError::OutOfRange`] when the product needs more than 28 digits.
pub fn mul(a: Decimal, b: Decimal) -> Result<Decimal, UnitError> {
    let (a, b) = (a.normalize(), b.normalize());
    let mantissa = a.mantissa().checked_mul(b.mantissa());
    let scale = a.scale().checked_add(b.scale());
    let (Some(mut mantissa), Some(mut scale)) = (mantissa, scale) else { return Err(refuse("×", a, b)) };
    // Trailing zeros carry nothing: 0.5 × 0.2 is 0.1, not 0.10.
    while scale > 0 && mantissa.checked_rem(10) == Some(0) {
        mantissa = mantissa.checked_div(10).ok_or_else(|| refuse("×", a, b))?;
        scale = scale.saturating_sub(1);
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| refuse("×", a, b))
}

/// Adds, exactly.
///
/// # Errors
/// [`UnitError::OutOfRange`] when the sum needs more than 28 digits.
pub fn add(a: Decimal, b: Decimal) -> Result<Decimal, UnitError> {
    let (a, b) = (a.normalize(), b.normalize());
    let scale = a.scale().max(b.scale());
    let widen = |d: Decimal| power_of_ten(scale.saturating_sub(d.scale())).and_then(|p| d.mantissa().checked_mul(p));
    let sum = widen(a).zip(widen(b)).and_then(|(x, y)| x.checked_add(y)).ok_or_else(|| refuse("+", a, b))?;
    Decimal::try_from_i128_with_scale(sum, scale).map(|d| d.normalize()).map_err(|_| refuse("+", a, b))
}

/// Subtracts, exactly.
///
/// # Errors
/// [`UnitError::OutOfRange`] when the difference needs more than 28 digits.
pub fn sub(a: Decimal, b: Decimal) -> Result<Decimal, UnitError> {
    let mut negated = b;
    negated.set_sign_negative(!b.is_sign_negative());
    add(a, negated)
}

/// Divides by 10^`places`, exactly: a shift of the decimal point.
///
/// # Errors
/// [`UnitError::OutOfRange`] when the quotient needs more than 28 decimals.
pub fn shift_right(a: Decimal, places: u32) -> Result<Decimal, UnitError> {
    let a = a.normalize();
    let scale = a.scale().checked_add(places).ok_or_else(|| refuse("÷ 10^", a, Decimal::from(places)))?;
    Decimal::try_from_i128_with_scale(a.mantissa(), scale).map(|d| d.normalize()).map_err(|_| refuse("÷ 10^", a, Decimal::from(places)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect("test literal")
    }

    #[test]
    fn a_product_that_would_be_rounded_is_refused() {
        let fine = d("0.1234567890123456789");
        assert!(mul(fine, fine).is_err());
        assert_eq!(mul(d("0.11"), d("4")), Ok(d("0.44")));
        assert_eq!(mul(d("0.5"), d("0.2")), Ok(d("0.1")));
    }

    #[test]
    fn a_sum_of_far_apart_magnitudes_is_refused() {
        assert!(add(d("79228162514264337593543950335"), d("0.1")).is_err());
        assert_eq!(sub(d("1"), d("0.55")), Ok(d("0.45")));
    }

    proptest! {
        #[test]
        fn products_match_integer_arithmetic(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000, s in 0u32..9, t in 0u32..9) {
            let product = mul(Decimal::new(a, s), Decimal::new(b, t)).expect("fits");
            prop_assert_eq!(product, Decimal::from_i128_with_scale(i128::from(a) * i128::from(b), s + t));
        }
    }
}
