//! Addresses and hashes as plain types, so that no other crate needs alloy; entropy as an argument.

use alloy::primitives::Address;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// Where payments go: pinned here, EIP-55, never taken from a server, the clipboard or the web view.
pub const PAYMENT_ADDRESS_CHECKSUMMED: &str = "0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689";

/// The payment address, read from [`PAYMENT_ADDRESS_CHECKSUMMED`] with its checksum checked.
///
/// # Panics
/// Never: a test reads the pinned text.
#[must_use]
pub fn payment_address() -> EthAddress {
    PAYMENT_ADDRESS_CHECKSUMMED.parse().expect("the pinned address has a right checksum")
}

/// Why an address or a hash could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrimitiveError {
    /// Not 0x and 40 hex digits with the EIP-55 checksum.
    #[error("{input} is not an address with a right EIP-55 checksum")]
    NotAnAddress {
        /// What was read.
        input: String,
    },
    /// Not 0x and 64 hex digits.
    #[error("{input} is not a 32-byte hash in hex")]
    NotAHash {
        /// What was read.
        input: String,
    },
}

/// An account on Base. Printed and read with the EIP-55 checksum; any other casing is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EthAddress([u8; 20]);

impl EthAddress {
    /// Takes the twenty bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The twenty bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 20] {
        self.0
    }

    pub(crate) fn to_alloy(self) -> Address {
        Address::new(self.0)
    }

    pub(crate) fn from_alloy(address: Address) -> Self {
        Self(address.into_array())
    }
}

impl fmt::Display for EthAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_alloy().to_checksum(None))
    }
}

impl fmt::Debug for EthAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EthAddress {
    type Err = PrimitiveError;

    fn from_str(text: &str) -> Result<Self, PrimitiveError> {
        let refuse = |_| PrimitiveError::NotAnAddress { input: text.to_string() };
        Address::parse_checksummed(text, None).map(Self::from_alloy).map_err(refuse)
    }
}

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes the 32 bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 32] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = PrimitiveError;

            fn from_str(text: &str) -> Result<Self, PrimitiveError> {
                let refuse = || PrimitiveError::NotAHash { input: text.to_string() };
                let mut bytes = [0u8; 32];
                hex::decode_to_slice(text.strip_prefix("0x").ok_or_else(refuse)?, &mut bytes).map_err(|_| refuse())?;
                Ok(Self(bytes))
            }
        }

        impl From<alloy::primitives::B256> for $name {
            fn from(hash: alloy::primitives::B256) -> Self {
                Self(hash.0)
            }
        }

        impl From<$name> for alloy::primitives::B256 {
            fn from(hash: $name) -> Self {
                Self::new(hash.0)
            }
        }
    };
}

hash_type!(
    /// The hash of a transaction; 0x and 64 hex digits.
    TransactionHash
);
hash_type!(
    /// The hash of a block; 0x and 64 hex digits.
    BlockHash
);

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

as_text!(EthAddress);
as_text!(TransactionHash);
as_text!(BlockHash);

/// A source of random bytes, handed in by the caller.
pub trait Entropy {
    /// Fills the whole slice.
    ///
    /// # Errors
    /// [`EntropyError`] when the source has none to give.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// No random bytes were to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness gave nothing: {reason}")]
pub struct EntropyError {
    /// What the source said.
    pub reason: String,
}

/// The operating system's entropy.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError { reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_address_has_its_checksum() {
        assert_eq!(payment_address().to_string(), PAYMENT_ADDRESS_CHECKSUMMED);
    }

    #[test]
    fn an_address_without_a_right_checksum_is_refused() {
        for wrong in [
            PAYMENT_ADDRESS_CHECKSUMMED.to_lowercase(),
            PAYMENT_ADDRESS_CHECKSUMMED.replacen("A7f3", "a7f3", 1),
            PAYMENT_ADDRESS_CHECKSUMMED.replacen("689", "688", 1),
            PAYMENT_ADDRESS_CHECKSUMMED[2..].to_string(),
            String::new(),
        ] {
            assert!(wrong.parse::<EthAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hashes_are_read_and_written_as_prefixed_hex() {
        let text = format!("0x{}", "0f".repeat(32));
        let hash: TransactionHash = text.parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert_eq!(serde_json::from_str::<TransactionHash>(&serde_json::to_string(&hash).unwrap()).unwrap(), hash);
        assert!("0x0f".parse::<BlockHash>().is_err());
        assert!("0f".repeat(32).parse::<BlockHash>().is_err());
    }
}
