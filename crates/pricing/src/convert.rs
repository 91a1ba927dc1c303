//! Amounts between credit owners and currencies. A conversion names both sides; nothing is rounded without a named rule.

use crate::{Currency, RateCard};
use aispace_units::{Exact, Rounding};
use std::cmp::Ordering;

/// Why an amount was not converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// Nobody says what it is worth.
    #[error("no currency {code:?}; known: {}", known.join(", "))]
    Unknown {
        /// As asked for.
        code: String,
        /// The codes that are known.
        known: Vec<String>,
    },
    /// Two cards say that it is worth different amounts.
    #[error("{code:?} may be any of {}", candidates.join(", "))]
    Ambiguous {
        /// As asked for.
        code: String,
        /// For people: each worth and the card that says so.
        candidates: Vec<String>,
    },
    /// The unit is worth nothing, so nothing can be said in it.
    #[error("one US dollar is 0 {code}, so no amount of it is worth anything")]
    Worthless {
        /// Its code.
        code: String,
    },
    /// It does not end within 38 digits.
    #[error("{amount} {from} has no exact amount of {to}; a rounding must be named")]
    NotExact {
        /// As given.
        amount: Exact,
        /// Its currency.
        from: String,
        /// The other one.
        to: String,
    },
    /// Even rounded it does not fit 38 digits.
    #[error("{amount} {from} in {to} does not fit 38 digits")]
    OutOfRange {
        /// As given.
        amount: Exact,
        /// Its currency.
        from: String,
        /// The other one.
        to: String,
    },
}

/// An amount in its new currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Converted {
    /// In the currency that was asked for.
    pub amount: Exact,
    /// Whether that is all of it: nothing was rounded off.
    pub exact: bool,
}

/// Turns an amount of one currency into another.
///
/// Without a rounding the answer is exact or refused. With one, the rule and the decimals that stay, it is rounded, and `exact` says whether
/// that changed anything.
///
/// ```
/// use aispace_pricing::{Currency, convert};
/// use aispace_units::{Exact, Rounding};
/// let [aispace, pinnora, _, cny] = Currency::built_in();
/// assert_eq!(convert("4400".parse()?, &aispace, &pinnora, None)?.amount.to_string(), "0.44");
/// assert!(convert(Exact::ONE, &cny, &aispace, None).is_err());
/// let rounded = convert(Exact::ONE, &cny, &aispace, Some((Rounding::HalfUp, 2)))?;
/// assert_eq!((rounded.amount.to_string().as_str(), rounded.exact), ("1369.86", false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ConvertError::NotExact`] without a rounding, [`ConvertError::OutOfRange`] with one, [`ConvertError::Worthless`].
pub fn convert(amount: Exact, from: &Currency, to: &Currency, rounding: Option<(Rounding, u32)>) -> Result<Converted, ConvertError> {
    if let Some(worthless) = [from, to].into_iter().find(|c| c.per_usd.is_zero()) {
        return Err(ConvertError::Worthless { code: worthless.code.clone() });
    }
    // What both sides share is taken out first, so that a product is refused only where the answer itself is too long.
    let (reduced_amount, divisor) = reduced(amount, from.per_usd);
    let (factor, divisor) = reduced(to.per_usd, divisor);
    let product = reduced_amount.mul(factor);
    let (from_code, to_code) = (|| from.code.clone(), || to.code.clone());
    match rounding {
        None => {
            let exact = product.ok().and_then(|product| product.div_exact(divisor));
            let refused = || ConvertError::NotExact { amount, from: from_code(), to: to_code() };
            exact.map(|amount| Converted { amount, exact: true }).ok_or_else(refused)
        }
        Some((rule, places)) => {
            let rounded = product.and_then(|product| product.div_rounded(divisor, places, rule));
            let rounded = rounded.map_err(|_| ConvertError::OutOfRange { amount, from: from_code(), to: to_code() })?;
            Ok(Converted { amount: rounded, exact: cmp_products((rounded, from.per_usd), (amount, to.per_usd)) == Ordering::Equal })
        }
    }
}

/// Compares what two amounts are worth, exactly, even where neither has finite decimals in dollars.
///
/// Both currencies are worth something, as those of a [`RateCard`] are.
#[must_use]
pub fn compare_worth(left: (Exact, &Currency), right: (Exact, &Currency)) -> Ordering {
    if left.1.per_usd == right.1.per_usd {
        return left.0.cmp(&right.0);
    }
    cmp_products((left.0, right.1.per_usd), (right.0, left.1.per_usd))
}

impl Currency {
    /// The currencies that need no card: `aispace`, `pinnora`, `usd` and `cny`, in this order.
    #[must_use]
    pub fn built_in() -> [Self; 4] {
        let currency = |code: &str, name: &str, per_usd| Self { code: code.to_owned(), name: name.to_owned(), per_usd };
        [
            currency("aispace", "AiSpace credits", Exact::new(10_000, 0)),
            currency("pinnora", "Pinnora credits", Exact::ONE),
            Self::usd(),
            // As the channel billing card says; a test holds them together.
            currency("cny", "Chinese yuan", Exact::new(73, 1)),
        ]
    }

    /// The currency of a code: the unit of account or a display currency of one of the cards, else a built-in one.
    ///
    /// # Errors
    /// [`ConvertError::Unknown`] with the known codes, [`ConvertError::Ambiguous`] where two cards do not agree.
    pub fn find<'a>(code: &str, cards: impl IntoIterator<Item = &'a RateCard>) -> Result<Self, ConvertError> {
        let mut known: Vec<String> = Self::built_in().into_iter().map(|c| c.code).collect();
        let mut found: Vec<(Self, String)> = Vec::new();
        for card in cards {
            for currency in std::iter::once(card.unit()).chain(&card.file().display) {
                if !known.contains(&currency.code) {
                    known.push(currency.code.clone());
                }
                if currency.code == code && !found.iter().any(|(same, _)| same.per_usd == currency.per_usd) {
                    found.push((currency.clone(), format!("{} for 1 USD ({})", currency.per_usd, card.id())));
                }
            }
        }
        if found.len() > 1 {
            return Err(ConvertError::Ambiguous { code: code.to_owned(), candidates: found.into_iter().map(|(_, words)| words).collect() });
        }
        let found = found.pop().map(|(currency, _)| currency).or_else(|| Self::built_in().into_iter().find(|c| c.code == code));
        found.ok_or_else(|| ConvertError::Unknown { code: code.to_owned(), known })
    }
}

/// Both numbers without the whole factor that their digits share.
fn reduced(a: Exact, b: Exact) -> (Exact, Exact) {
    let shared = greatest_common_divisor(a.mantissa(), b.mantissa());
    let without = |n: Exact| n.mantissa().checked_div(shared).map_or(n, |mantissa| Exact::new(mantissa, n.scale()));
    (without(a), without(b))
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// Compares two products of two numbers each, whatever their lengths.
fn cmp_products(left: (Exact, Exact), right: (Exact, Exact)) -> Ordering {
    match (left.0.mul(left.1), right.0.mul(right.1)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        // A product of 76 digits is rare enough to be worked out the long way.
        (Ok(_) | Err(_), _) => Product::new(left).cmp_value(Product::new(right)),
    }
}

/// `a × b × 10^-scale`, not worked out.
#[derive(Clone, Copy)]
struct Product {
    a: u128,
    b: u128,
    scale: i64,
}

/// 256 bits of a product and 80 further decimal digits fit.
const LIMBS: usize = 9;

impl Product {
    fn new((a, b): (Exact, Exact)) -> Self {
        Self { a: a.mantissa(), b: b.mantissa(), scale: i64::from(a.scale()).saturating_add(i64::from(b.scale())) }
    }

    fn cmp_value(self, other: Self) -> Ordering {
        let (Some(own), Some(others)) = (self.magnitude(), other.magnitude()) else {
            return self.magnitude().is_some().cmp(&other.magnitude().is_some());
        };
        // Each is known up to one digit, so from two apart on the digits themselves need no look.
        if own.abs_diff(others) > 1 {
            return own.cmp(&others);
        }
        let scale = self.scale.max(other.scale);
        self.digits(scale).iter().rev().cmp(other.digits(scale).iter().rev())
    }

    /// How many digits stand before the point, or one less; none for nothing.
    fn magnitude(self) -> Option<i64> {
        let digits = i64::from(self.a.checked_ilog10()?).saturating_add(i64::from(self.b.checked_ilog10()?));
        Some(digits.saturating_sub(self.scale))
    }

    /// The product as a whole number of `10^-scale`, lowest limb first.
    fn digits(self, scale: i64) -> [u64; LIMBS] {
        let (low, high) = self.a.carrying_mul(self.b, 0);
        let mut limbs = [0; LIMBS];
        let bytes = low.to_le_bytes().into_iter().chain(high.to_le_bytes());
        for (at, byte) in bytes.enumerate() {
            if let Some(limb) = at.checked_div(8).and_then(|at| limbs.get_mut(at)) {
                *limb = u64::from(byte).rotate_right(8) | (*limb >> 8u32);
            }
        }
        for _ in 0..scale.saturating_sub(self.scale) {
            let mut carry = 0;
            for limb in &mut limbs {
                (*limb, carry) = limb.carrying_mul(10, carry);
            }
        }
        limbs
    }
}
