//! What every way to an outside wallet has in common: what it is asked, and what it answers.
//!
//! An outside wallet signs what *it* shows, so nothing it answers is believed: the transaction is looked up on the chain and
//! compared with what was asked.

use crate::{Entropy, EntropyError, EthAddress, TransactionHash, payment_address, tag::OrderTag, tag::calldata, tag::parse_calldata};
use aispace_units::{BASE_CHAIN_ID, Wei};
use std::fmt;

/// A transfer that an outside wallet is asked to sign and send: always on Base, always to the pinned address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    value: Wei,
    input: Vec<u8>,
}

impl PaymentRequest {
    /// A payment under an order's tag.
    #[must_use]
    pub fn tagged(value: Wei, tag: OrderTag) -> Self {
        Self { value, input: calldata(tag) }
    }

    /// A payment that only its amount attributes, for wallets that cannot carry data.
    #[must_use]
    pub fn untagged(value: Wei) -> Self {
        Self { value, input: Vec::new() }
    }

    /// Always 8453.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        BASE_CHAIN_ID
    }

    /// The payee: the address in the binary.
    #[must_use]
    pub fn to(&self) -> EthAddress {
        payment_address()
    }

    /// What is paid.
    #[must_use]
    pub fn value(&self) -> Wei {
        self.value
    }

    /// The tag it is paid under, if it carries one.
    #[must_use]
    pub fn tag(&self) -> Option<OrderTag> {
        parse_calldata(&self.input)
    }

    /// The calldata: magic and tag, or nothing.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        &self.input
    }
}

/// What a wallet says it did. Only the chain can confirm it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletAnswer {
    /// The transaction it says it sent.
    pub hash: TransactionHash,
    /// The account it says it sent it from.
    pub from: EthAddress,
    /// What it calls itself, cut and cleaned by [`wallet_name`].
    pub wallet: String,
}

/// Characters of a wallet's name that are shown.
const NAME_CHARS_MAX: usize = 40;

/// A wallet's own name, fit to be shown: letters, digits and a few signs, at most forty of them, never empty.
#[must_use]
pub fn wallet_name(said: &str) -> String {
    let kept: String = said.chars().filter(|c| c.is_alphanumeric() || " .-_+&()".contains(*c)).take(NAME_CHARS_MAX).collect();
    let kept = kept.trim();
    if kept.is_empty() { "a wallet without a name".into() } else { kept.into() }
}

/// Six characters that stand in the app and on the other side at once, so that a person sees that both belong together.
/// No letter or digit that can be mistaken for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchingCode(String);

const CODE_ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const CODE_CHARS: usize = 6;

impl MatchingCode {
    /// Draws a code: 30 bits.
    ///
    /// # Errors
    /// [`EntropyError`] when the source gives nothing.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0u8; CODE_CHARS];
        entropy.fill(&mut bytes)?;
        let letter = |byte: &u8| CODE_ALPHABET.get(usize::from(byte & 31)).map(|letter| char::from(*letter));
        Ok(Self(bytes.iter().filter_map(letter).collect()))
    }

    /// The six characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MatchingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn every_byte_gives_a_letter_of_the_code() {
        for byte in 0..=255 {
            let code = MatchingCode::generate(&mut Fixed(byte)).unwrap();
            assert_eq!(code.as_str().len(), CODE_CHARS);
            assert!(code.as_str().bytes().all(|letter| CODE_ALPHABET.contains(&letter)), "{code}");
        }
    }

    #[test]
    fn a_name_cannot_draw_lines_or_markup() {
        assert_eq!(wallet_name("Meta\u{202e}Mask\n<b>"), "MetaMaskb");
        assert_eq!(wallet_name("\u{200b}\n"), "a wallet without a name");
        assert_eq!(wallet_name(&"x".repeat(500)).len(), NAME_CHARS_MAX);
    }

    #[test]
    fn a_request_cannot_name_another_payee_or_chain() {
        let request = PaymentRequest::tagged(Wei::new(5), OrderTag::from_bytes([7; 32]));
        assert_eq!((request.to(), request.chain_id(), request.input().len()), (payment_address(), 8453, 36));
        assert!(PaymentRequest::untagged(Wei::new(5)).input().is_empty());
    }
}
