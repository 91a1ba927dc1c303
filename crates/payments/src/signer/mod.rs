//! The key of the built-in spending wallet, and what it can be made from: words, hex, a keystore. It stays in these types and
//! in the keychain.

mod keystore;
mod words;

pub use keystore::{Keystore, KeystoreError, keystore_text};
pub use words::{RecoveryWords, WordsError};

use crate::{Entropy, EntropyError, EthAddress};
use alloy::{primitives::B256, signers::local::PrivateKeySigner};
use zeroize::{Zeroize, Zeroizing};

/// A draw fails with a chance of 2⁻¹²⁸; a source that fails this often is broken.
const DRAWS_MAX: u8 = 8;

/// Why a key could not be had. Never holds the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 64 hex digits that make a key of the curve.
    #[error("a private key is 64 hex digits, above zero and below the curve's order")]
    NotAKey,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// A private key: it can spend all that its address holds.
///
/// It has no `Debug` and no `Serialize`, and is wiped when dropped.
pub struct SpendingKey {
    bytes: Zeroizing<[u8; 32]>,
    address: EthAddress,
}

impl SpendingKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`KeyError::Entropy`] when the source gives nothing.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, KeyError> {
        for _ in 0..DRAWS_MAX {
            let mut bytes = Zeroizing::new([0u8; 32]);
            entropy.fill(bytes.as_mut_slice())?;
            if let Ok(key) = Self::from_zeroizing(bytes) {
                return Ok(key);
            }
        }
        Err(KeyError::Entropy(EntropyError { reason: "it gives only numbers outside the curve".into() }))
    }

    /// Takes 32 bytes; the caller's copy is wiped.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] for zero and for numbers beyond the curve's order.
    pub fn from_bytes(bytes: &mut [u8; 32]) -> Result<Self, KeyError> {
        let own = Zeroizing::new(*bytes);
        bytes.zeroize();
        Self::from_zeroizing(own)
    }

    /// Reads 64 hex digits, with or without 0x.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`], without the input.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), bytes.as_mut_slice()).map_err(|_| KeyError::NotAKey)?;
        Self::from_zeroizing(bytes)
    }

    fn from_zeroizing(bytes: Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let signer = signer_of(&bytes)?;
        Ok(Self { address: EthAddress::from_alloy(signer.address()), bytes })
    }

    /// Gives the key away as 64 hex digits: for the keychain and for a backup that the user asked for, nowhere else.
    #[must_use]
    pub fn expose_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.bytes.as_slice()))
    }

    pub(crate) fn expose_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.bytes.clone()
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> EthAddress {
        self.address
    }

    pub(crate) fn signer(&self) -> PrivateKeySigner {
        signer_of(&self.bytes).expect("the same bytes made a key when this was built")
    }
}

fn signer_of(bytes: &[u8; 32]) -> Result<PrivateKeySigner, KeyError> {
    let mut word = B256::new(*bytes);
    let signer = PrivateKeySigner::from_bytes(&word);
    word.0.zeroize();
    signer.map_err(|_| KeyError::NotAKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first development key of every local node; it has never held anything.
    const DEVELOPMENT_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    struct Repeating(Vec<u8>);

    impl Entropy for Repeating {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            let byte = if self.0.len() > 1 { self.0.remove(0) } else { self.0[0] };
            bytes.fill(byte);
            Ok(())
        }
    }

    #[test]
    fn a_known_key_has_its_known_address() {
        let key = SpendingKey::from_hex(DEVELOPMENT_KEY).expect("a key");
        assert_eq!(key.address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        assert_eq!(format!("0x{}", key.expose_hex().as_str()), DEVELOPMENT_KEY);
    }

    #[test]
    fn what_is_no_key_is_refused_without_its_text() {
        let zero = "00".repeat(32);
        let beyond = "ff".repeat(32);
        for wrong in
            ["", "0x", "ac0974", zero.as_str(), beyond.as_str(), "zz0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"]
        {
            let error = SpendingKey::from_hex(wrong).err().expect("refused");
            assert_eq!(error, KeyError::NotAKey);
            assert!(!error.to_string().contains("0974bec"));
        }
    }

    #[test]
    fn bytes_outside_the_curve_are_drawn_again() {
        let key = SpendingKey::generate(&mut Repeating(vec![0xff, 0x00, 0x11])).expect("the third draw is a key");
        assert_eq!(key.expose_hex().as_str(), "11".repeat(32));
        assert!(matches!(SpendingKey::generate(&mut Repeating(vec![0])).err(), Some(KeyError::Entropy(_))));
    }

    #[test]
    fn taking_bytes_wipes_the_callers() {
        let mut bytes = [0x22; 32];
        assert!(SpendingKey::from_bytes(&mut bytes).is_ok());
        assert_eq!(bytes, [0; 32]);
    }
}
