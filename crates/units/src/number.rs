//! Exact decimal numbers, wider than money needs to be: rates, factors and what they come to.

use crate::{Rounding, UnitError};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{cmp::Ordering, fmt, str::FromStr};

/// An exact number, never below zero, of at most 38 digits: `mantissa × 10^-scale`.
///
/// Arithmetic answers exactly or refuses; nothing is rounded without a named rule.
///
/// ```
/// use aispace_units::Exact;
/// let rate: Exact = "0.000000612345678901234567".parse()?;
/// assert_eq!(rate.mul(Exact::from(1_000_000u64))?.to_string(), "0.612345678901234567");
/// # Ok::<(), aispace_units::UnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Exact {
    // Never ends in a zero while the scale is above 0, so equal numbers have equal fields.
    mantissa: u128,
    scale: u32,
}

/// Most decimals of a number. A quote's own rarely have more than fifty; what has more than this was made to be slow.
const DECIMALS_MAX: u32 = 255;

#[allow(clippy::should_implement_trait, reason = "the operators of std answer a number, these a number or a refusal")]
impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa × 10^-scale`.
    #[must_use]
    pub fn new(mantissa: u128, scale: u32) -> Self {
        let (mut mantissa, mut scale) = if mantissa == 0 { (0, 0) } else { (mantissa, scale) };
        // Most numbers fit 64 bits, where a division costs a fraction.
        while scale > 0 && u64::try_from(mantissa).is_err() {
            match divided_by_ten(mantissa) {
                Some(tenth) => (mantissa, scale) = (tenth, scale.saturating_sub(1)),
                None => return Self { mantissa, scale },
            }
        }
        if let Ok(mut small) = u64::try_from(mantissa) {
            while scale > 0 && small.checked_rem(10) == Some(0) {
                small = small.checked_div(10).unwrap_or(0);
                scale = scale.saturating_sub(1);
            }
            mantissa = u128::from(small);
        }
        Self { mantissa, scale }
    }

    /// All digits, as a whole number.
    #[must_use]
    pub fn mantissa(self) -> u128 {
        self.mantissa
    }

    /// How many of the digits are decimals.
    #[must_use]
    pub fn scale(self) -> u32 {
        self.scale
    }

    /// Whether this is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Adds, exactly.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] when the sum needs more than 38 digits.
    pub fn add(self, other: Self) -> Result<Self, UnitError> {
        let sum = self.aligned(other).and_then(|(a, b, scale)| Some(Self::new(a.checked_add(b)?, scale)));
        sum.ok_or_else(|| refuse(self, "+", other))
    }

    /// Subtracts, exactly.
    ///
    /// # Errors
    /// [`UnitError::Negative`] below zero, [`UnitError::OutOfRange`] when the difference needs more than 38 digits.
    pub fn sub(self, other: Self) -> Result<Self, UnitError> {
        let (a, b, scale) = self.aligned(other).ok_or_else(|| refuse(self, "-", other))?;
        let left = a.checked_sub(b).ok_or_else(|| UnitError::Negative { input: format!("{self} - {other}") })?;
        Ok(Self::new(left, scale))
    }

    /// Multiplies, exactly.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] when the product needs more than 38 digits.
    pub fn mul(self, other: Self) -> Result<Self, UnitError> {
        let scale = self.scale.checked_add(other.scale).filter(|scale| *scale <= DECIMALS_MAX);
        let product = self.mantissa.checked_mul(other.mantissa).zip(scale);
        product.map(|(mantissa, scale)| Self::new(mantissa, scale)).ok_or_else(|| refuse(self, "×", other))
    }

    /// Divides by 10^`places`, exactly: a shift of the decimal point.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 2³² decimals.
    pub fn shift_right(self, places: u32) -> Result<Self, UnitError> {
        let scale = self.scale.checked_add(places).ok_or_else(|| refuse(self, "÷ 10^", Self::from(u64::from(places))))?;
        Ok(Self::new(self.mantissa, scale))
    }

    /// How often `by` fits whole, and what is left.
    ///
    /// # Errors
    /// [`UnitError::ZeroPrice`] for nothing, [`UnitError::OutOfRange`] when the two are too far apart for 38 digits.
    pub fn div_whole(self, by: Self) -> Result<(u128, Self), UnitError> {
        if by.is_zero() {
            return Err(UnitError::ZeroPrice);
        }
        let (a, b, scale) = self.aligned(by).ok_or_else(|| refuse(self, "÷", by))?;
        let (times, left) = (a.checked_div(b), a.checked_rem(b));
        times.zip(left).map(|(times, left)| (times, Self::new(left, scale))).ok_or_else(|| refuse(self, "÷", by))
    }

    /// Divides, if the quotient ends within 38 digits.
    #[must_use]
    pub fn div_exact(self, by: Self) -> Option<Self> {
        let common = common_divisor(self.mantissa, by.mantissa);
        let (numerator, divisor) = (self.mantissa.checked_div(common)?, by.mantissa.checked_div(common)?);
        // In lowest terms a quotient ends only where the divisor is made of twos and fives: ÷ 2 is × 5 ÷ 10.
        let (odd, twos) = without_factor(divisor, 2)?;
        let (one, fives) = without_factor(odd, 5)?;
        let places = twos.max(fives);
        let mantissa = 2u128.checked_pow(places.checked_sub(twos)?)?.checked_mul(5u128.checked_pow(places.checked_sub(fives)?)?)?;
        let (down, up) = (self.scale.checked_add(places)?, by.scale);
        let tens = 10u128.checked_pow(up.saturating_sub(down))?;
        let mantissa = numerator.checked_mul(mantissa)?.checked_mul(tens)?;
        (one == 1).then(|| Self::new(mantissa, down.saturating_sub(up)))
    }

    /// Divides and rounds to `places` decimals by the named rule.
    ///
    /// # Errors
    /// [`UnitError::ZeroPrice`] for nothing, [`UnitError::OutOfRange`] beyond 38 digits.
    pub fn div_rounded(self, by: Self, places: u32, rule: Rounding) -> Result<Self, UnitError> {
        if by.is_zero() {
            return Err(UnitError::ZeroPrice);
        }
        let refused = || refuse(self, "÷", by);
        let up = by.scale.checked_add(places).ok_or_else(refused)?;
        let widen = |mantissa: u128, by: u32| 10u128.checked_pow(by).and_then(|p| mantissa.checked_mul(p)).ok_or_else(refused);
        let numerator = widen(self.mantissa, up.saturating_sub(self.scale))?;
        let denominator = widen(by.mantissa, self.scale.saturating_sub(up))?;
        let (whole, left) = numerator.checked_div(denominator).zip(numerator.checked_rem(denominator)).ok_or_else(refused)?;
        Ok(Self::new(rounded(whole, left, denominator, rule).ok_or_else(refused)?, places))
    }

    /// Rounds to `places` decimals by the named rule.
    ///
    /// ```
    /// use aispace_units::{Exact, Rounding};
    /// let price: Exact = "0.825".parse()?;
    /// assert_eq!(price.round(2, Rounding::HalfUp).to_string(), "0.83");
    /// # Ok::<(), aispace_units::UnitError>(())
    /// ```
    #[must_use]
    pub fn round(self, places: u32, rule: Rounding) -> Self {
        let Some(dropped) = self.scale.checked_sub(places).filter(|d| *d > 0) else { return self };
        let Some(divisor) = 10u128.checked_pow(dropped) else {
            // More than 38 digits go: what is left of a point five is far away.
            return if rule == Rounding::Up && !self.is_zero() { Self::new(1, places) } else { Self::ZERO };
        };
        let (whole, left) = (self.mantissa.checked_div(divisor).unwrap_or(0), self.mantissa.checked_rem(divisor).unwrap_or(0));
        // A mantissa that lost a digit has room for one more.
        Self::new(rounded(whole, left, divisor, rule).unwrap_or(whole), places)
    }

    /// Rounds to a multiple of `step` by the named rule.
    ///
    /// # Errors
    /// As [`Exact::div_whole`] and [`Exact::mul`].
    pub fn round_to_step(self, step: Self, rule: Rounding) -> Result<Self, UnitError> {
        let (whole, left) = self.div_whole(step)?;
        let (left, step_wide, _) = left.aligned(step).ok_or_else(|| refuse(self, "÷", step))?;
        let steps = rounded(whole, left, step_wide, rule).ok_or_else(|| refuse(self, "÷", step))?;
        Self::new(steps, 0).mul(step)
    }

    /// The number with 28 digits.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] when it has more.
    pub fn to_decimal(self) -> Result<Decimal, UnitError> {
        let refused = || UnitError::OutOfRange { input: self.to_string() };
        let mantissa = i128::try_from(self.mantissa).map_err(|_| refused())?;
        Decimal::try_from_i128_with_scale(mantissa, self.scale).map_err(|_| refused())
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn to_whole(self) -> Option<u128> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// Both mantissas at the larger of the two scales.
    fn aligned(self, other: Self) -> Option<(u128, u128, u32)> {
        let scale = self.scale.max(other.scale);
        let widen = |n: Self| match n.mantissa {
            // Nothing is nothing in any unit, even in one so fine that 1 does not fit.
            0 => Some(0),
            mantissa => mantissa.checked_mul(10u128.checked_pow(scale.saturating_sub(n.scale))?),
        };
        Some((widen(self)?, widen(other)?, scale))
    }
}

/// The largest number that divides both; 0 only for two zeros.
fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while let Some(left) = a.checked_rem(b) {
        (a, b) = (b, left);
    }
    a
}

/// A number without a factor, and how often it had that; none for 0, which has every factor for ever.
fn without_factor(mut number: u128, factor: u128) -> Option<(u128, u32)> {
    let mut times = 0u32;
    while number.checked_rem(factor)? == 0 {
        number = Some(number.checked_div(factor)?).filter(|n| *n > 0)?;
        times = times.checked_add(1)?;
    }
    Some((number, times))
}

fn divided_by_ten(mantissa: u128) -> Option<u128> {
    (mantissa.checked_rem(10) == Some(0)).then(|| mantissa.checked_div(10))?
}

fn rounded(whole: u128, left: u128, of: u128, rule: Rounding) -> Option<u128> {
    let half = left.cmp(&of.saturating_sub(left));
    let up = match rule {
        Rounding::Down => false,
        Rounding::Up => left > 0,
        Rounding::HalfUp => half != Ordering::Less,
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && whole.checked_rem(2) == Some(1)),
    };
    whole.checked_add(u128::from(up))
}

fn refuse(a: Exact, what: &str, b: Exact) -> UnitError {
    UnitError::OutOfRange { input: format!("{a} {what} {b}") }
}

impl From<u64> for Exact {
    fn from(whole: u64) -> Self {
        Self { mantissa: u128::from(whole), scale: 0 }
    }
}

impl From<u32> for Exact {
    fn from(whole: u32) -> Self {
        Self::from(u64::from(whole))
    }
}

impl TryFrom<Decimal> for Exact {
    type Error = UnitError;

    fn try_from(number: Decimal) -> Result<Self, UnitError> {
        let mantissa = u128::try_from(number.mantissa()).map_err(|_| UnitError::Negative { input: number.to_string() })?;
        Ok(Self::new(mantissa, number.scale()))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let widen = |n: &Self| 10u128.checked_pow(scale.saturating_sub(n.scale)).and_then(|p| n.mantissa.checked_mul(p));
        match (widen(self), widen(other)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // Only the one of fewer decimals is widened, and what does not fit is larger than all that does.
            (None, _) if self.is_zero() => {
                if other.is_zero() {
                    Ordering::Equal
                } else {
                    Ordering::Less
                }
            }
            (_, None) if other.is_zero() => Ordering::Greater,
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A plain decimal without trailing zeros.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::try_from(self.scale).unwrap_or(usize::MAX);
        let digits = format!("{:0>width$}", self.mantissa, width = places.saturating_add(1).min(4096));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        if fraction.is_empty() { f.pad(whole) } else { f.pad(&format!("{whole}.{fraction}")) }
    }
}

/// Reads a plain decimal: digits, and a point between digits.
impl FromStr for Exact {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            if text.starts_with('-') && text.get(1..).is_some_and(|rest| rest.parse::<Self>().is_ok()) {
                return Err(UnitError::Negative { input: text.to_owned() });
            }
            return Err(UnitError::NotANumber { input: text.to_owned() });
        }
        let refused = || UnitError::OutOfRange { input: text.to_owned() };
        let fraction = fraction.trim_end_matches('0');
        let mut mantissa = 0u128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = u128::from(digit.saturating_sub(b'0'));
            mantissa = mantissa.checked_mul(10).and_then(|m| m.checked_add(digit)).ok_or_else(refused)?;
        }
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= DECIMALS_MAX);
        Ok(Self::new(mantissa, scale.ok_or_else(refused)?))
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

struct ExactText;

impl serde::de::Visitor<'_> for ExactText {
    type Value = Exact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain decimal in a string, such as \"0.11\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Exact, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(ExactText).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn n(text: &str) -> Exact {
        text.parse().expect("test literal")
    }

    #[test]
    fn only_plain_decimals_are_numbers() {
        for bad in ["", "-1", "+1", "1e3", "1_000", "1,000", ".5", "1.", " 1", "NaN", "٣"] {
            assert!(bad.parse::<Exact>().is_err(), "{bad:?}");
        }
        assert_eq!("-0.5".parse::<Exact>(), Err(UnitError::Negative { input: "-0.5".into() }));
        assert!(matches!("340282366920938463463374607431768211456".parse::<Exact>(), Err(UnitError::OutOfRange { .. })));
        assert_eq!(n("0.0110").to_string(), "0.011");
        assert_eq!(n("000.000"), Exact::ZERO);
        assert!(serde_json::from_str::<Exact>("0.11").is_err(), "a JSON number is a binary float to most readers");
        assert_eq!(serde_json::to_string(&n("0.11")).expect("writes"), "\"0.11\"");
    }

    #[test]
    fn what_needs_more_digits_is_refused() {
        let wide = Exact::new(u128::MAX, 0);
        assert!(wide.add(Exact::ONE).is_err() && wide.mul(n("1.1")).is_err() && wide.add(n("0.1")).is_err());
        assert!(n("1").sub(n("1.1")).is_err());
        let fine = format!("0.{}1", "0".repeat(254)).parse::<Exact>().expect("255 decimals");
        assert!(fine.mul(n("0.1")).is_err() && format!("{fine}1").parse::<Exact>().is_err(), "more decimals than any price has");
        assert_eq!(wide.cmp(&n("0.1")), Ordering::Greater);
        assert_eq!(n("0.1").cmp(&wide), Ordering::Less);
        assert_eq!(Exact::ZERO.cmp(&Exact::new(1, 60)), Ordering::Less);
        assert_eq!(Exact::new(1, 60).cmp(&Exact::ONE), Ordering::Less);
        let fine = Exact::new(7, 60);
        assert_eq!([Exact::ZERO.add(fine), fine.add(Exact::ZERO), fine.sub(Exact::ZERO)], [Ok(fine), Ok(fine), Ok(fine)]);
        assert_eq!(Exact::ZERO.div_whole(fine), Ok((0, Exact::ZERO)));
        assert!(Exact::ONE.add(fine).is_err() && Exact::ZERO.sub(fine).is_err());
    }

    #[test]
    fn division_is_exact_or_named() {
        assert_eq!(n("1").div_exact(n("0.0001")), Some(n("10000")));
        assert_eq!(n("1").div_exact(n("7.3")), None);
        assert_eq!(n("3").div_exact(n("8")), Some(n("0.375")));
        assert_eq!(n("1").div_exact(Exact::ZERO), None);
        assert_eq!(Exact::ZERO.div_exact(n("7.3")), Some(Exact::ZERO));
        assert_eq!(n("7.3").div_exact(n("7.3")), Some(Exact::ONE));
        let wide = n("1594122142127563029080150671");
        assert_eq!(wide.div_exact(n("625000000000000000")), Some(n("2550595427.4041008465282410736")));
        assert_eq!(n("0.5").div_exact(n("0.000000000000000000000005")), Some(n("100000000000000000000000")));
        assert_eq!(n("1").div_rounded(n("7.3"), 6, Rounding::HalfUp), Ok(n("0.136986")));
        assert_eq!(n("10000").div_whole(n("0.55")), Ok((18_181, n("0.45"))));
        assert_eq!(n("0.0000031").round_to_step(n("0.000002"), Rounding::HalfUp), Ok(n("0.000004")));
        assert_eq!(n("1").div_whole(Exact::ZERO), Err(UnitError::ZeroPrice));
    }

    #[test]
    fn each_rule_rounds_as_named() {
        for (text, down, up, half_up, half_even) in [
            ("0.825", "0.82", "0.83", "0.83", "0.82"),
            ("0.835", "0.83", "0.84", "0.84", "0.84"),
            ("0.8251", "0.82", "0.83", "0.83", "0.83"),
        ] {
            let rounded = [Rounding::Down, Rounding::Up, Rounding::HalfUp, Rounding::HalfEven].map(|rule| n(text).round(2, rule));
            assert_eq!(rounded, [n(down), n(up), n(half_up), n(half_even)], "{text}");
        }
        assert_eq!(Exact::new(1, 60).round(2, Rounding::HalfUp), Exact::ZERO);
        assert_eq!(Exact::new(1, 60).round(2, Rounding::Up), n("0.01"));
    }

    proptest! {
        #[test]
        fn text_round_trips(mantissa: u128, scale in 0u32..60) {
            let number = Exact::new(mantissa, scale);
            prop_assert_eq!(number.to_string().parse::<Exact>(), Ok(number));
        }

        #[test]
        fn arithmetic_matches_integers(a in 0u64.., b in 0u64.., s in 0u32..9, t in 0u32..9) {
            let (x, y) = (Exact::new(a.into(), s), Exact::new(b.into(), t));
            prop_assert_eq!(x.mul(y), Ok(Exact::new(u128::from(a) * u128::from(b), s + t)));
            let (wide_a, wide_b) = (u128::from(a) * 10u128.pow(9 - s), u128::from(b) * 10u128.pow(9 - t));
            prop_assert_eq!(x.add(y), Ok(Exact::new(wide_a + wide_b, 9)));
            prop_assert_eq!(x.cmp(&y), wide_a.cmp(&wide_b));
            prop_assert_eq!(x.sub(y).is_ok(), wide_a >= wide_b);
        }

        #[test]
        fn a_rounded_quotient_is_nearest(a in 0u64.., b in 1u64.., places in 0u32..9) {
            let quotient = Exact::from(a).div_rounded(Exact::from(b), places, Rounding::Down).expect("fits");
            let unit = Exact::new(1, places);
            let back = quotient.mul(Exact::from(b)).expect("fits");
            prop_assert!(back <= Exact::from(a));
            prop_assert!(quotient.add(unit).and_then(|q| q.mul(Exact::from(b))).expect("fits") > Exact::from(a));
        }
    }
}
