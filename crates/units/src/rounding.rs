//! The four ways an amount may lose digits, each by name.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// A named rounding rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// To the nearest, a half away from zero.
    HalfUp,
    /// To the nearest, a half to the even digit.
    HalfEven,
}

/// Rounds to `places` decimals by the named rule.
///
/// ```
/// use aispace_units::{Decimal, Rounding, round};
/// assert_eq!(round(Decimal::new(825, 3), 2, Rounding::HalfUp), Decimal::new(83, 2));
/// ```
#[must_use]
pub fn round(amount: Decimal, places: u32, rule: Rounding) -> Decimal {
    let strategy = match rule {
        Rounding::Down => RoundingStrategy::ToZero,
        Rounding::Up => RoundingStrategy::AwayFromZero,
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
    };
    amount.round_dp_with_strategy(places, strategy)
}
