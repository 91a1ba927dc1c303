//! A batch, and the order in which batches are drawn.

use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A clone shares the text. On a wire it is a plain string.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an id as it stands.
            #[must_use]
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into().into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

opaque_id!(
    /// Opaque id of an account.
    AccountId
);
opaque_id!(
    /// Opaque id of a batch, unique within its account.
    BatchId
);
opaque_id!(
    /// Opaque id of a hold, unique within its account.
    HoldId
);

/// Where a batch came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSource {
    /// Bought with ether on Base.
    EthPurchase,
    /// Bought by card.
    CardPurchase,
    /// Given by the operator.
    Grant,
    /// The daily allowance.
    DailyRenewal,
}

impl BatchSource {
    /// Its word wherever it is written. Entries are hashed over it, so it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EthPurchase => "eth_purchase",
            Self::CardPurchase => "card_purchase",
            Self::Grant => "grant",
            Self::DailyRenewal => "daily_renewal",
        }
    }
}

/// Added, expires, posting order.
pub(crate) type DrawKey = (DateTime<Utc>, DateTime<Utc>, u64);

/// Credits that were added together and end together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// Sequence number of the entry that added it: the posting order.
    pub seq: u64,
    /// Where it came from.
    pub source: BatchSource,
    /// A word for people.
    pub note: Option<String>,
    /// The first instant at which it can be drawn.
    pub added: DateTime<Utc>,
    /// The first instant at which it is gone.
    pub expires: DateTime<Utc>,
    /// What it held at first.
    pub granted: NanoCredits,
    /// What is left to draw.
    pub left: NanoCredits,
    /// What pending holds reserve of it.
    pub held: NanoCredits,
    /// What was left when it expired, and what came back to it after its end.
    pub lapsed: NanoCredits,
    /// What was left when it was voided.
    pub voided: NanoCredits,
    /// When it was voided.
    pub voided_at: Option<DateTime<Utc>>,
}

impl Batch {
    /// A batch as it is added.
    #[must_use]
    pub fn new(seq: u64, added: DateTime<Utc>, expires: DateTime<Utc>, new: NewBatch) -> Self {
        let NewBatch { id, source, note, amount, .. } = new;
        let zero = NanoCredits::ZERO;
        Self {
            id,
            seq,
            source,
            note,
            added,
            expires,
            granted: amount,
            left: amount,
            held: zero,
            lapsed: zero,
            voided: zero,
            voided_at: None,
        }
    }

    /// Whether it can be drawn at an instant: something is left, it is not voided, and `added ≤ at < expires`.
    #[must_use]
    pub fn is_live(&self, at: DateTime<Utc>) -> bool {
        !self.left.is_zero() && self.added <= at && !self.is_closed(at)
    }

    /// Whether it has ended by an instant: expired or voided. What comes back to it then is gone at once.
    #[must_use]
    pub fn is_closed(&self, at: DateTime<Utc>) -> bool {
        self.expires <= at || self.voided_at.is_some()
    }

    /// Whether nothing more can happen to it by itself: nothing is left and nothing is held.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.left.is_zero() && self.held.is_zero()
    }

    /// The key of the draw order: added, then expires, then posting order.
    #[must_use]
    pub fn draw_key(&self) -> DrawKey {
        (self.added, self.expires, self.seq)
    }
}

/// A batch to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// Its id, chosen by the caller.
    pub id: BatchId,
    /// Where it comes from.
    pub source: BatchSource,
    /// A word for people.
    pub note: Option<String>,
    /// What it holds; above zero.
    pub amount: NanoCredits,
    /// The first instant at which it is gone; 30 × 86,400 s after its start when absent.
    pub expires: Option<DateTime<Utc>>,
}

/// What a debit took from one batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The batch.
    pub batch: BatchId,
    /// How much; above zero.
    pub amount: NanoCredits,
}

/// Which batches an amount would come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// What each batch gives, in draw order.
    pub taken: Vec<Taken>,
    /// What no batch covers; zero when the amount is covered.
    pub shortfall: NanoCredits,
}

/// Plans a debit over batches in any order: the ones live at `now`, first in first out.
#[must_use]
pub fn draw(batches: &[Batch], amount: NanoCredits, now: DateTime<Utc>) -> Draw {
    let mut live: Vec<&Batch> = batches.iter().filter(|b| b.is_live(now)).collect();
    live.sort_by_key(|b| b.draw_key());
    let (mut taken, mut shortfall) = (Vec::new(), amount);
    for batch in live {
        let part = shortfall.min(batch.left);
        if part.is_zero() {
            break;
        }
        shortfall = shortfall.checked_sub(part).unwrap_or(NanoCredits::ZERO);
        taken.push(Taken { batch: batch.id.clone(), amount: part });
    }
    Draw { taken, shortfall }
}
