//! Stripe's ids: opaque, but they go into paths, so their letters are checked.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Ids are at most this long ("Checkout Sessions": live ids are the longest, about 70).
const ID_BYTES_MAX: usize = 255;

/// A text that is no id: empty, too long, or with other characters than letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no id of Stripe's: 1 to {ID_BYTES_MAX} letters, digits, _ and -")]
pub struct IdError;

macro_rules! stripe_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
                if plain && (1..=ID_BYTES_MAX).contains(&text.len()) { Ok(Self(text)) } else { Err(IdError) }
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.to_string().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

stripe_id!(
    /// Id of a Checkout Session, `cs_…`.
    SessionId
);
stripe_id!(
    /// Id of a PaymentIntent, `pi_…`: what refunds and disputes name.
    PaymentIntentId
);
stripe_id!(
    /// Id of an event, `evt_…`; the same each time the event is delivered.
    EventId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_a_path_is_no_id() {
        let long = "a".repeat(256);
        for wrong in ["", "cs_1/../x", "cs 1", "cs_1?x=1", "cs_\u{e9}", "cs%2f", "cs_1\n", &long] {
            assert_eq!(wrong.parse::<SessionId>(), Err(IdError), "{wrong}");
        }
        assert_eq!("cs_test_a1B2".parse::<SessionId>().unwrap().as_str(), "cs_test_a1B2");
        assert!(serde_json::from_str::<SessionId>("\"a/b\"").is_err());
    }
}
