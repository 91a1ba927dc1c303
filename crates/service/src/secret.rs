//! Secure Keys, the operator's token, random ids.

use aispace_api::SealedSecret;
use aispace_payments::tag::ClaimSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const PREFIX: &str = "ask_";
/// Without i, l, o and u: nothing that reads as something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const CHECKSUM_BYTES: usize = 4;

/// The system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes: {0}")]
pub struct RandomError(String);

/// 32 random bytes.
///
/// # Errors
/// [`RandomError`].
pub(crate) fn random_32() -> Result<[u8; 32], RandomError> {
    let mut bytes = [0u8; 32];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    // A simulated history draws its own.
    #[cfg(test)]
    if crate::simulation::random(bytes) {
        return Ok(());
    }
    getrandom::fill(bytes).map_err(|error| RandomError(error.to_string()))
}

/// A fresh opaque id of 128 random bits.
///
/// # Errors
/// [`RandomError`].
pub(crate) fn fresh_id(prefix: &str) -> Result<String, RandomError> {
    let mut bytes = [0u8; 16];
    fill(&mut bytes)?;
    Ok(format!("{prefix}_{}", hex::encode(bytes)))
}

/// 256 bits that open an account: `ask_`, then base32 of the bits and four bytes of checksum. The
/// checksum lets an app tell a slip of the hand from a revoked key without asking.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecureKey([u8; 32]);

/// SHA-256 of a Secure Key's text: all that is stored of it.
#[derive(Clone, Copy)]
pub(crate) struct KeyHash(pub(crate) [u8; 32]);

impl SecureKey {
    pub(crate) fn generate() -> Result<Self, RandomError> {
        random_32().map(Self)
    }

    /// The key of an order that opens an account: `SHA-256("key/1" ‖ order's salt ‖ claim secret ‖ order id)`.
    /// It can be handed out again without being stored, by whoever knows the secret, until the
    /// acknowledgement erases the salt; from then on nobody can derive it.
    pub(crate) fn derive(salt: &[u8; 32], secret: &ClaimSecret, order_id: &str) -> Self {
        let mut raw = [0u8; 32];
        // A claim secret exposes itself only as hex; decoding what it encoded cannot fail.
        if hex::decode_to_slice(secret.expose_hex().as_bytes(), &mut raw).is_err() {
            raw.zeroize();
        }
        let digest = Sha256::new().chain_update(b"key/1").chain_update(salt).chain_update(raw).chain_update(order_id).finalize();
        raw.zeroize();
        Self(digest.into())
    }

    fn text(&self) -> Zeroizing<String> {
        let checksum = Sha256::new().chain_update(b"ask/1").chain_update(self.0).finalize();
        let mut bytes = Zeroizing::new(self.0.to_vec());
        bytes.extend_from_slice(checksum.get(..CHECKSUM_BYTES).unwrap_or_default());
        Zeroizing::new(format!("{PREFIX}{}", base32(&bytes)))
    }

    pub(crate) fn hash(&self) -> KeyHash {
        KeyHash::of(&self.text())
    }

    pub(crate) fn seal(&self) -> SealedSecret {
        SealedSecret::new(self.text().to_string())
    }
}

impl KeyHash {
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    pub(crate) fn matches(&self, stored: &[u8]) -> bool {
        self.0.as_slice().ct_eq(stored).into()
    }
}

fn base32(bytes: &[u8]) -> String {
    let (mut out, mut held, mut bits) = (String::new(), 0u32, 0u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push_digit(&mut out, held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push_digit(&mut out, held << (5 - bits));
    }
    out
}

fn push_digit(out: &mut String, value: u32) {
    let index = usize::try_from(value & 31).unwrap_or(0);
    out.push(char::from(ALPHABET[index]));
}

/// The operator's bearer token; only its hash is held.
#[derive(Clone)]
pub struct OperatorToken([u8; 32]);

impl OperatorToken {
    /// Takes the token's text; `None` when it is empty.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(KeyHash::of(text).0))
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        KeyHash::of(text).matches(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_text_of_one_length_and_its_own_checksum() {
        let key = SecureKey([0xff; 32]);
        let text = key.text();
        assert!(text.starts_with("ask_zzzzzzzz"));
        assert_eq!(text.len(), 4 + 58);
        assert_ne!(SecureKey([0; 32]).text()[56..], text[56..]);
        assert!(key.hash().matches(&KeyHash::of(&text).0));
        assert!(!key.hash().matches(&[0; 32]));
    }

    #[test]
    fn base32_keeps_every_bit() {
        assert_eq!(base32(&[]), "");
        assert_eq!(base32(&[0b1111_1000]), "z0");
        assert_eq!(base32(&[1, 2, 3, 4, 5]), "04106105");
    }

    #[test]
    fn a_derived_key_depends_on_salt_secret_and_order() {
        let key = |salt: u8, secret: u8, order: &str| SecureKey::derive(&[salt; 32], &ClaimSecret::from_bytes([secret; 32]), order).0;
        assert_eq!(key(1, 2, "or_1"), key(1, 2, "or_1"));
        for other in [key(9, 2, "or_1"), key(1, 9, "or_1"), key(1, 2, "or_9")] {
            assert_ne!(other, key(1, 2, "or_1"));
        }
    }

    #[test]
    fn an_empty_operator_token_is_none() {
        assert!(OperatorToken::new(" \n").is_none());
        assert!(OperatorToken::new("secret\n").is_some_and(|t| t.matches("secret") && !t.matches("secret2")));
    }
}
