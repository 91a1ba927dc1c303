//! Who paid: a commitment carried in the payment's calldata.
//!
//! Before paying, the payer makes a [`ClaimSecret`] and keeps it. The calldata holds [`MAGIC`] and the secret's [`OrderTag`];
//! what was bought goes to whoever presents the secret. Copying a tag only pays for its owner.

use crate::{Entropy, EntropyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What tagged calldata begins with: "asp1" in ASCII.
pub const MAGIC: [u8; 4] = *b"asp1";

const DOMAIN: &[u8] = b"order/1";
const TAG_BYTES: usize = 32;
const CALLDATA_BYTES: usize = 36;

/// Why a secret or a tag could not be read. Never holds the input of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// Not 64 hex digits.
    #[error("a claim secret is 64 hex digits")]
    NotASecret,
    /// Not 64 hex digits.
    #[error("{input} is not an order tag: 64 hex digits")]
    NotATag {
        /// What was read.
        input: String,
    },
}

/// 32 random bytes whose holder may claim what the payments under its tag bought.
///
/// It has no `Debug` and no `Serialize`, and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ClaimSecret([u8; 32]);

/// Secrets are compared by their tags, so that the time it takes tells nothing of them.
impl PartialEq for ClaimSecret {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Eq for ClaimSecret {}

impl ClaimSecret {
    /// Draws a new secret.
    ///
    /// # Errors
    /// [`EntropyError`] when the source gives nothing.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, EntropyError> {
        let mut secret = Self([0; 32]);
        entropy.fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Takes 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hex digits, as written by [`ClaimSecret::expose_hex`].
    ///
    /// # Errors
    /// [`TagError::NotASecret`], without the input.
    pub fn from_hex(text: &str) -> Result<Self, TagError> {
        let mut secret = Self([0; 32]);
        hex::decode_to_slice(text, &mut secret.0).map_err(|_| TagError::NotASecret)?;
        Ok(secret)
    }

    /// Gives the secret away as 64 hex digits: for the keychain and for the claim, nowhere else.
    #[must_use]
    pub fn expose_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    /// The tag that payments carry: `SHA-256("order/1" ‖ secret)`.
    #[must_use]
    pub fn tag(&self) -> OrderTag {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(self.0);
        OrderTag(hasher.finalize().into())
    }
}

/// The public commitment to a [`ClaimSecret`]; 64 hex digits, lower case, without prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderTag([u8; TAG_BYTES]);

impl OrderTag {
    /// Takes the 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; TAG_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; TAG_BYTES] {
        self.0
    }
}

impl fmt::Display for OrderTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for OrderTag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let mut bytes = [0u8; TAG_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| TagError::NotATag { input: text.to_string() })?;
        Ok(Self(bytes))
    }
}

impl Serialize for OrderTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OrderTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The calldata of a payment under a tag: [`MAGIC`] ‖ tag, 36 bytes.
#[must_use]
pub fn calldata(tag: OrderTag) -> Vec<u8> {
    [MAGIC.as_slice(), tag.0.as_slice()].concat()
}

/// Reads the tag off a payment's calldata. Wallets may append bytes of their own; those are ignored.
#[must_use]
pub fn parse_calldata(input: &[u8]) -> Option<OrderTag> {
    let tag = input.get(..CALLDATA_BYTES)?.strip_prefix(&MAGIC)?;
    Some(OrderTag(tag.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            for byte in bytes {
                *byte = self.0;
                self.0 += 1;
            }
            Ok(())
        }
    }

    struct Dry;

    impl Entropy for Dry {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError { reason: "dry".into() })
        }
    }

    #[test]
    fn the_tag_is_the_hash_of_the_domain_and_the_secret() {
        let secret = ClaimSecret::generate(&mut Counting(0)).unwrap();
        assert_eq!(secret.expose_hex().as_str(), "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        // printf 'order/1' + the 32 bytes | sha256sum
        assert_eq!(secret.tag().to_string(), "9ffafab741813c398bfc56178e42d2aff994c5f3fc456e1a143ef0dfcec7df0f");
    }

    #[test]
    fn a_dry_source_gives_no_secret() {
        assert!(ClaimSecret::generate(&mut Dry).is_err());
    }

    #[test]
    fn a_secret_is_read_back_and_a_broken_one_is_refused_without_its_text() {
        let secret = ClaimSecret::from_bytes([7; 32]);
        assert!(ClaimSecret::from_hex(&secret.expose_hex()).is_ok_and(|read| read == secret));
        let error = ClaimSecret::from_hex("0707zz").err().expect("too short");
        assert!(!error.to_string().contains("0707"));
    }

    proptest! {
        #[test]
        fn a_tag_survives_any_suffix(tag: [u8; 32], suffix: Vec<u8>) {
            let tag = OrderTag::from_bytes(tag);
            let mut input = calldata(tag);
            prop_assert_eq!(input.len(), 36);
            input.extend(suffix);
            prop_assert_eq!(parse_calldata(&input), Some(tag));
        }

        #[test]
        fn short_or_foreign_calldata_has_no_tag(input: Vec<u8>, cut in 0usize..36, tag: [u8; 32]) {
            prop_assert_eq!(parse_calldata(&input).is_some(), input.len() >= 36 && input.starts_with(&MAGIC));
            prop_assert_eq!(parse_calldata(&calldata(OrderTag::from_bytes(tag))[..cut]), None);
        }

        #[test]
        fn a_tag_is_read_back_from_its_text(tag: [u8; 32]) {
            let tag = OrderTag::from_bytes(tag);
            prop_assert_eq!(tag.to_string().parse(), Ok(tag));
        }
    }
}
