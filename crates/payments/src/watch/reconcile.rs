//! Holding a block's payments against the balance.

use aispace_units::Wei;

/// What the payment address's balance before and after a block says of the payments found in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciliation {
    /// The payments are all that arrived.
    Exact,
    /// This much more arrived than the payments make: contracts sent it and too few nodes can trace calls, or it came by no call
    /// at all. It is to be kept on record until someone explains it.
    Surplus {
        /// What is unexplained.
        wei: Wei,
    },
    /// This much less is there than the block's transactions leave. A payment that no transaction shows may be hidden behind it.
    Shortfall {
        /// What is missing.
        wei: Wei,
    },
    /// Too few nodes could say what the balance was: a payment that a contract made would not be seen.
    Unchecked,
}

impl Reconciliation {
    /// What arrived and is in no payment, as far as is known.
    #[must_use]
    pub fn unexplained(&self) -> Wei {
        match self {
            Self::Surplus { wei } => *wei,
            Self::Exact | Self::Shortfall { .. } | Self::Unchecked => Wei::ZERO,
        }
    }
}
