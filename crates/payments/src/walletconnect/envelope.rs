//! What travels over the relay: a symmetric key, the topic it makes, and type 0 envelopes.
//!
//! Source: walletconnect-specs, "Crypto Typed Envelopes" and "Crypto Keys".

use super::EnvelopeError;
use crate::{Entropy, EntropyError};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, aead::Aead as _};
use sha2::{Digest as _, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize as _, Zeroizing};

/// Characters of an envelope at most; a settlement of a talkative wallet has a few thousand.
pub(super) const ENVELOPE_CHARS_MAX: usize = 131_072;
const TYPE_0: u8 = 0;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Where messages of one key meet: SHA-256 of the key, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Topic(String);

impl Topic {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key that both sides hold. Who has it can read, and can speak as either side.
#[derive(Clone)]
pub(super) struct SymKey(Zeroizing<[u8; 32]>);

impl SymKey {
    pub(super) fn generate(entropy: &mut dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// Takes 32 bytes; the caller's copy is wiped.
    pub(super) fn from_bytes(bytes: &mut [u8; 32]) -> Self {
        let own = Zeroizing::new(*bytes);
        bytes.zeroize();
        Self(own)
    }

    /// The session's key: HKDF-SHA256 of the X25519 secret, without salt and info. `None` for a key that would make the secret known to everybody.
    pub(super) fn agree(own: &StaticSecret, theirs: [u8; 32]) -> Option<Self> {
        let shared = own.diffie_hellman(&PublicKey::from(theirs));
        if !shared.was_contributory() {
            return None;
        }
        let mut bytes = Zeroizing::new([0u8; 32]);
        hkdf::Hkdf::<Sha256>::new(None, shared.as_bytes()).expand(&[], bytes.as_mut_slice()).ok()?;
        Some(Self(bytes))
    }

    pub(super) fn topic(&self) -> Topic {
        Topic(hex::encode(Sha256::digest(self.0.as_slice())))
    }

    /// For the pairing URI and the keychain, nowhere else.
    pub(super) fn expose_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// Seals a text under a nonce that is drawn for it.
    pub(super) fn seal(&self, text: &str, entropy: &mut dyn Entropy) -> Result<String, EntropyError> {
        let mut nonce = [0u8; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let sealed = self.cipher().encrypt((&nonce).into(), text.as_bytes()).expect("the cipher refuses only texts of more than 256 GiB");
        let mut bytes = Vec::with_capacity(sealed.len().saturating_add(NONCE_BYTES).saturating_add(1));
        bytes.push(TYPE_0);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(STANDARD.encode(bytes))
    }

    /// Opens what the other side sealed under this key.
    pub(super) fn open(&self, envelope: &str) -> Result<Vec<u8>, EnvelopeError> {
        if envelope.len() > ENVELOPE_CHARS_MAX {
            return Err(EnvelopeError::TooLarge);
        }
        let bytes = STANDARD.decode(envelope).map_err(|_| EnvelopeError::NotAnEnvelope)?;
        let (kind, rest) = bytes.split_first().ok_or(EnvelopeError::NotAnEnvelope)?;
        if *kind != TYPE_0 || rest.len() < NONCE_BYTES.saturating_add(TAG_BYTES) {
            return Err(EnvelopeError::NotAnEnvelope);
        }
        let (nonce, sealed) = rest.split_at(NONCE_BYTES);
        self.cipher().decrypt(nonce.into(), sealed).map_err(|_| EnvelopeError::NotOurs)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

/// What tells one message of the relay from another: SHA-256 of its text, as the protocol numbers messages.
pub(super) fn message_id(envelope: &str) -> [u8; 32] {
    Sha256::digest(envelope.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;
    use proptest::prelude::*;

    /// The keys and the secret of RFC 7748 §6.1; the session's key is HKDF-SHA256 (RFC 5869) of that secret, computed by another program.
    #[test]
    fn both_sides_agree_on_the_published_secret() {
        let bytes = |text: &str| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap();
        let a = StaticSecret::from(bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
        let b = StaticSecret::from(bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
        let (public_a, public_b) = (PublicKey::from(&a).to_bytes(), PublicKey::from(&b).to_bytes());
        assert_eq!(hex::encode(public_a), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        for key in [SymKey::agree(&a, public_b).unwrap(), SymKey::agree(&b, public_a).unwrap()] {
            assert_eq!(key.expose_hex().as_str(), "ea1d8a20f476d1e1ec952ca42708b8f7161ce7c81eadf97e520e2b40333decd5");
            assert_eq!(key.topic().as_str(), "1ca1d70db64cab0f93de5934e27f7114e8e9fd7dd3c7145d81ce7f2dd2cd05c8");
        }
    }

    #[test]
    fn a_key_that_makes_a_known_secret_is_refused() {
        let own = StaticSecret::from([9; 32]);
        let mut one = [0u8; 32];
        one[0] = 1;
        assert!(SymKey::agree(&own, [0; 32]).is_none());
        assert!(SymKey::agree(&own, one).is_none());
    }

    #[test]
    fn an_envelope_of_another_type_or_size_is_none() {
        let key = SymKey::from_bytes(&mut [1; 32]);
        let sealed = key.seal("{}", &mut OsEntropy).unwrap();
        let mut bytes = STANDARD.decode(&sealed).unwrap();
        bytes[0] = 1;
        assert_eq!(key.open(&STANDARD.encode(&bytes)), Err(EnvelopeError::NotAnEnvelope));
        assert_eq!(key.open(&"A".repeat(ENVELOPE_CHARS_MAX + 4)), Err(EnvelopeError::TooLarge));
        for short in ["", "AA==", "not base64"] {
            assert_eq!(key.open(short), Err(EnvelopeError::NotAnEnvelope));
        }
        assert_eq!(SymKey::from_bytes(&mut [2; 32]).open(&sealed), Err(EnvelopeError::NotOurs));
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(text in ".{0,400}", key: [u8; 32]) {
            let key = SymKey::from_bytes(&mut { key });
            let sealed = key.seal(&text, &mut OsEntropy).unwrap();
            prop_assert_eq!(key.open(&sealed).unwrap(), text.as_bytes());
            prop_assert_ne!(key.seal(&text, &mut OsEntropy).unwrap(), sealed, "a nonce is never used twice");
        }

        #[test]
        fn no_change_goes_unseen(text in ".{0,200}", at: prop::sample::Index, flip in 1u8..=255) {
            let key = SymKey::from_bytes(&mut [7; 32]);
            let mut bytes = STANDARD.decode(key.seal(&text, &mut OsEntropy).unwrap()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(key.open(&STANDARD.encode(&bytes)).is_err());
        }

        #[test]
        fn garbage_is_refused_and_never_panics(garbage in ".{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let key = SymKey::from_bytes(&mut [7; 32]);
            prop_assert!(key.open(&garbage).is_err());
            prop_assert!(key.open(&STANDARD.encode(&bytes)).is_err());
            let _ = super::super::wire::read_said(garbage.as_bytes());
            let _ = super::super::wire::read_frame(&garbage);
        }
    }
}
