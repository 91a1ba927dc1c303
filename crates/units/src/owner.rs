//! A credit has an owner: the same word is worth 0.0001 USD in one system and 1 USD in another.

use crate::{UnitError, Usd, exact};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The system whose credit is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CreditOwner {
    /// 10,000 credits are 1 USD.
    AiSpace,
    /// 1 credit is 1 USD.
    Pinnora,
}

impl CreditOwner {
    /// What one credit of this owner is worth in dollars.
    #[must_use]
    pub fn usd_per_credit(self) -> Decimal {
        match self {
            Self::AiSpace => Decimal::new(1, 4),
            Self::Pinnora => Decimal::ONE,
        }
    }

    /// How many credits of this owner one dollar buys.
    #[must_use]
    pub fn credits_per_usd(self) -> Decimal {
        match self {
            Self::AiSpace => Decimal::new(10_000, 0),
            Self::Pinnora => Decimal::ONE,
        }
    }

    /// The owner's name as printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AiSpace => "AiSpace",
            Self::Pinnora => "Pinnora",
        }
    }
}

/// An exact amount of credits that names its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CreditAmount {
    owner: CreditOwner,
    credits: Decimal,
}

impl CreditAmount {
    /// Takes an amount of an owner's credits.
    ///
    /// # Errors
    /// [`UnitError::Negative`] below zero.
    pub fn new(owner: CreditOwner, credits: Decimal) -> Result<Self, UnitError> {
        if credits.is_sign_negative() && !credits.is_zero() {
            return Err(UnitError::Negative { input: credits.to_string() });
        }
        Ok(Self { owner, credits: credits.normalize() })
    }

    /// Whose credits these are.
    #[must_use]
    pub fn owner(self) -> CreditOwner {
        self.owner
    }

    /// How many.
    #[must_use]
    pub fn credits(self) -> Decimal {
        self.credits
    }

    /// What they are worth.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 28 digits.
    pub fn to_usd(self) -> Result<Usd, UnitError> {
        Usd::new(exact::mul(self.credits, self.owner.usd_per_credit())?)
    }

    /// What an amount of dollars is in an owner's credits.
    ///
    /// # Errors
    /// [`UnitError::OutOfRange`] beyond 28 digits.
    pub fn from_usd(owner: CreditOwner, usd: Usd) -> Result<Self, UnitError> {
        Self::new(owner, exact::mul(usd.get(), owner.credits_per_usd())?)
    }

    /// Adds two amounts of one owner.
    ///
    /// # Errors
    /// [`UnitError::OwnerMismatch`] for two owners, [`UnitError::OutOfRange`] beyond 28 digits.
    pub fn plus(self, other: Self) -> Result<Self, UnitError> {
        if self.owner != other.owner {
            return Err(UnitError::OwnerMismatch { left: self.owner.name(), right: other.owner.name() });
        }
        Self::new(self.owner, exact::add(self.credits, other.credits)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credit_is_worth_what_its_owner_says() {
        let credits = Decimal::new(4_400, 0);
        let ours = CreditAmount::new(CreditOwner::AiSpace, credits).expect("positive");
        let theirs = CreditAmount::new(CreditOwner::Pinnora, credits).expect("positive");
        assert_eq!(ours.to_usd().map(|u| u.to_string()), Ok("0.44".into()));
        assert_eq!(theirs.to_usd().map(|u| u.to_string()), Ok("4400".into()));
        assert!(matches!(ours.plus(theirs), Err(UnitError::OwnerMismatch { .. })));
    }
}
