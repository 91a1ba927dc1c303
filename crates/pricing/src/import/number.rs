//! Prices from the text of a number, digit by digit: no binary float is between the feed and the card.

use aispace_units::Exact;

/// Most significant digits, and most decimals, that a price may have.
const DIGITS_MAX: u32 = 38;

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// It has a minus sign.
    Negative,
    /// It is not how JSON writes a number.
    NotANumber,
    /// It has more digits than are kept exactly.
    TooManyDigits,
}

/// Reads a number as JSON writes it, exponent included: `3e-06`, `0.11500000000000002`.
pub(crate) fn exact(text: &str) -> Result<Exact, NumberError> {
    // Not by asking itself again: a text may be a million minus signs.
    match text.strip_prefix('-') {
        None => unsigned(text),
        Some(rest) if unsigned(rest) == Err(NumberError::NotANumber) => Err(NumberError::NotANumber),
        Some(_) => Err(NumberError::Negative),
    }
}

fn unsigned(text: &str) -> Result<Exact, NumberError> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, whole(exponent).ok_or(NumberError::NotANumber)?),
        None => (text, 0),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(before) || !plain(after) {
        return Err(NumberError::NotANumber);
    }
    let after = after.trim_end_matches('0');
    let significant = before.bytes().chain(after.bytes());
    let places = i64::try_from(after.len()).map_err(|_| NumberError::TooManyDigits)?;
    scaled(significant, exponent.saturating_sub(places))
}

/// The exponent of a number: a sign, and digits. What is beyond every price saturates.
fn whole(exponent: &str) -> Option<i64> {
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => (-1i64, digits),
        None => (1, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.bytes().fold(0i64, |sum, b| sum.saturating_mul(10).saturating_add(i64::from(b.saturating_sub(b'0'))));
    // Half of the range leaves room for the places of the mantissa.
    Some(sign.saturating_mul(size.min(i64::MAX >> 1)))
}

/// `digits × 10^exponent`.
fn scaled(digits: impl Iterator<Item = u8>, exponent: i64) -> Result<Exact, NumberError> {
    let (mut mantissa, mut zeros) = (0u128, 0u32);
    for digit in digits {
        // Zeros count once a digit follows them; those at the end are an exponent.
        if digit == b'0' {
            zeros = if mantissa == 0 { 0 } else { zeros.saturating_add(1) };
            continue;
        }
        mantissa = raised(mantissa, zeros.saturating_add(1))?
            .checked_add(u128::from(digit.saturating_sub(b'0')))
            .ok_or(NumberError::TooManyDigits)?;
        zeros = 0;
    }
    if mantissa == 0 {
        return Ok(Exact::ZERO);
    }
    let exponent = exponent.saturating_add(i64::from(zeros));
    let size = u32::try_from(exponent.unsigned_abs()).ok().filter(|size| *size <= DIGITS_MAX).ok_or(NumberError::TooManyDigits)?;
    let (mantissa, scale) = if exponent < 0 { (mantissa, size) } else { (raised(mantissa, size)?, 0) };
    // A number of 39 digits can fit 128 bits; a card's has 38.
    if mantissa.checked_ilog10().is_some_and(|log| log >= DIGITS_MAX) {
        return Err(NumberError::TooManyDigits);
    }
    Ok(Exact::new(mantissa, scale))
}

fn raised(mantissa: u128, places: u32) -> Result<u128, NumberError> {
    10u128
        .checked_pow(places)
        .and_then(|power| mantissa.checked_mul(power))
        .or((mantissa == 0).then_some(0))
        .ok_or(NumberError::TooManyDigits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(number: &str) -> Result<String, NumberError> {
        exact(number).map(|n| n.to_string())
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (written, plain) in [
            ("3e-06", "0.000003"),
            ("3E-06", "0.000003"),
            ("2.5e+1", "25"),
            ("0.11500000000000002", "0.11500000000000002"),
            ("0.0009200000000000001", "0.0009200000000000001"),
            ("2.0833333333333333e-07", "0.00000020833333333333333"),
            ("0.000000000000000000000001", "0.000000000000000000000001"),
            ("1e-24", "0.000000000000000000000001"),
            ("1.50", "1.5"),
            ("1000000", "1000000"),
            ("100e-2", "1"),
            ("0", "0"),
            ("0.0", "0"),
            ("0e-7", "0"),
            ("0e99999999999999999999", "0"),
            ("00.10", "0.1"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ] {
            assert_eq!(text(written).as_deref(), Ok(plain), "{written}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for bad in [
            "", "-", ".5", "1.", "+1", "1e", "1e+", "e5", "1e1.5", "0x10", "1_000", "1,000", " 1", "1 ", "NaN", "Infinity", "--1", "-NaN",
            "٣", "1e٣",
        ] {
            assert_eq!(text(bad), Err(NumberError::NotANumber), "{bad:?}");
        }
        for bad in ["-1", "-0.5", "-1e-9", "-0", "-1e400"] {
            assert_eq!(text(bad), Err(NumberError::Negative), "{bad:?}");
        }
        for bad in [
            "1e39",
            "1e-39",
            "1e400",
            "1e-99999999999999999999",
            "100000000000000000000000000000000000000",
            "340282366920938463463374607431768211457",
            "1.00000000000000000000000000000000000001e10",
        ] {
            assert_eq!(text(bad), Err(NumberError::TooManyDigits), "{bad:?}");
        }
    }

    #[test]
    fn a_number_of_a_million_digits_costs_no_more_than_reading_it() {
        let zeros = "0".repeat(1_000_000);
        assert_eq!(text(&format!("0.{zeros}")).as_deref(), Ok("0"));
        assert_eq!(text(&format!("0.{zeros}1")), Err(NumberError::TooManyDigits));
        assert_eq!(text(&format!("1{zeros}")), Err(NumberError::TooManyDigits));
        assert_eq!(text(&format!("1{zeros}e-1000000")).as_deref(), Ok("1"));
        assert_eq!(text(&"-".repeat(1_000_000)), Err(NumberError::NotANumber));
    }

    proptest! {
        #[test]
        fn the_exponent_only_moves_the_point(mantissa in 0u64.., scale in 0u32..19, shift in -9i32..9) {
            let number = Exact::new(mantissa.into(), scale);
            let shifted = exact(&format!("{number}e{shift}")).expect("fits");
            let tens = |places: u32| Exact::from(10u64.pow(places));
            let expected = if shift < 0 { number.shift_right(shift.unsigned_abs()) } else { number.mul(tens(shift.unsigned_abs())) };
            prop_assert_eq!(Ok(shifted), expected);
        }

        #[test]
        fn no_text_panics(any in "\\PC*", like in "-?[0-9]{0,50}\\.?[0-9]{0,50}([eE][+-]?[0-9]{0,30})?") {
            let _ = exact(&any);
            if let Ok(number) = exact(&like) {
                prop_assert!(number.to_string().parse::<Exact>() == Ok(number));
            }
        }
    }
}
