//! The 24 words that a wallet is written down as: [BIP-39], English, and the first account of [BIP-44] for ether.
//!
//! [BIP-39]: https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki
//! [BIP-44]: https://github.com/bitcoin/bips/blob/master/bip-0044.mediawiki

use super::{KeyError, SpendingKey};
use crate::{Entropy, EntropyError};
use alloy::signers::local::{
    MnemonicBuilder,
    coins_bip39::{English, Wordlist as _},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Words of a new wallet: 256 bits of entropy and 8 of checksum.
const NEW_ENTROPY_BYTES: usize = 32;
const BITS_PER_WORD: usize = 11;
const COUNTS: [usize; 5] = [12, 15, 18, 21, 24];
/// Where ether wallets derive their first account.
const PATH: &str = "m/44'/60'/0'/0/0";

/// Why words are not those of a wallet. Never holds a word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// Neither 12, 15, 18, 21 nor 24 words.
    #[error("{found} words are not 12, 15, 18, 21 or 24")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A word that is not in the English list.
    #[error("word {position} is not in the English list of BIP-39")]
    Unknown {
        /// Its place, from 1.
        position: usize,
    },
    /// Each word is in the list, but they do not belong together in this order.
    #[error("the words do not match their checksum")]
    Checksum,
    /// They make no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The words that a wallet can be made again from. They are worth what the wallet holds.
///
/// No `Debug` and no `Serialize`, and wiped when dropped.
pub struct RecoveryWords {
    /// Lower case, one blank between two words.
    phrase: Zeroizing<String>,
}

impl RecoveryWords {
    /// Draws 24 new words.
    ///
    /// # Errors
    /// [`WordsError::Entropy`] when the source gives nothing.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, WordsError> {
        let mut drawn = Zeroizing::new([0u8; NEW_ENTROPY_BYTES]);
        entropy.fill(drawn.as_mut_slice())?;
        Ok(Self::of_entropy(drawn.as_slice()))
    }

    /// Reads 12 to 24 words; capitals, line ends and several blanks do not matter.
    ///
    /// # Errors
    /// [`WordsError`], which names the place of a wrong word and never the word.
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        let lower = Zeroizing::new(text.to_lowercase());
        let words = Zeroizing::new(lower.split_whitespace().collect::<Vec<_>>().join(" "));
        let found = words.split(' ').filter(|word| !word.is_empty()).count();
        if !COUNTS.contains(&found) {
            return Err(WordsError::Count { found });
        }
        let mut bits = Zeroizing::new(Vec::with_capacity(found.saturating_mul(BITS_PER_WORD)));
        for (word, position) in words.split(' ').zip(1..) {
            let index = English::get_all().binary_search(&word).map_err(|_| WordsError::Unknown { position })?;
            bits.extend((0..BITS_PER_WORD).rev().map(|bit| index & (1 << bit) != 0));
        }
        // A checksum of one bit for each three words.
        let entropy_bytes = found.saturating_mul(4) / 3;
        let entropy: Zeroizing<Vec<u8>> = Zeroizing::new(bits.chunks_exact(8).take(entropy_bytes).map(byte).collect());
        let right = Self::of_entropy(&entropy);
        if *right.phrase == *words { Ok(right) } else { Err(WordsError::Checksum) }
    }

    /// The words of entropy whose length BIP-39 knows.
    fn of_entropy(entropy: &[u8]) -> Self {
        let checksum = Sha256::digest(entropy);
        let bytes = Zeroizing::new([entropy, &checksum[..1]].concat());
        let bits = Zeroizing::new(bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte & (1 << bit) != 0)).collect::<Vec<bool>>());
        let index = |chunk: &[bool]| chunk.iter().fold(0usize, |index, bit| (index << 1) | usize::from(*bit));
        // What is left over behind the last whole word is checksum that BIP-39 does not use.
        let words: Vec<&str> = bits.chunks_exact(BITS_PER_WORD).filter_map(|chunk| English::get_all().get(index(chunk)).copied()).collect();
        Self { phrase: Zeroizing::new(words.join(" ")) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.phrase.split(' ').count()
    }

    /// Whether the word at a place, from 1, is this one.
    #[must_use]
    pub fn is_word(&self, position: usize, word: &str) -> bool {
        let at = position.checked_sub(1).and_then(|at| self.phrase.split(' ').nth(at));
        at.is_some_and(|right| right == word.trim().to_lowercase())
    }

    /// Gives the words away: for the keychain and for the person who writes them down, nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.phrase
    }

    /// The wallet's key: the first account, without a passphrase.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] with a chance of 2⁻¹²⁷.
    pub fn key(&self) -> Result<SpendingKey, KeyError> {
        let builder = MnemonicBuilder::<English>::default().phrase(self.phrase.as_str());
        let signer = builder.derivation_path(PATH).and_then(|builder| builder.build()).map_err(|_| KeyError::NotAKey)?;
        let mut bytes = signer.to_bytes();
        SpendingKey::from_bytes(&mut bytes.0)
    }
}

fn byte(bits: &[bool]) -> u8 {
    bits.iter().fold(0u8, |byte, bit| (byte << 1) | u8::from(*bit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Published with BIP-39 (Trezor's `vectors.json`): entropy and its words.
    const PUBLISHED: [(&str, &str); 12] = [
        (
            "00000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        ),
        ("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank yellow"),
        ("80808080808080808080808080808080", "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"),
        ("ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"),
        (
            "000000000000000000000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon agent",
        ),
        ("ffffffffffffffffffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo when"),
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art",
        ),
        (
            "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
            "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title",
        ),
        (
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
        ),
        ("9e885d952ad362caeb4efe34a8e91bd2", "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic"),
        (
            "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
            "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length",
        ),
        (
            "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
            "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold",
        ),
    ];

    #[test]
    fn published_entropy_gives_the_published_words_and_back() {
        for (entropy, words) in PUBLISHED {
            let entropy = hex::decode(entropy).unwrap();
            assert_eq!(RecoveryWords::of_entropy(&entropy).expose(), words);
            assert_eq!(RecoveryWords::parse(words).unwrap().expose(), words);
        }
    }

    #[test]
    fn known_words_have_their_known_address() {
        // What every local node of Ethereum begins with.
        let development = RecoveryWords::parse("test test test test test test test test test test test junk").unwrap();
        assert_eq!(development.key().unwrap().address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        let art = RecoveryWords::parse(PUBLISHED[6].1).unwrap();
        assert_eq!(art.key().unwrap().address().to_string(), "0xF278cF59F82eDcf871d630F28EcC8056f25C1cdb");
    }

    #[test]
    fn how_words_are_typed_does_not_matter() {
        let typed = "\n Test  test TEST test\ttest test test test\r\ntest test test junk  ";
        assert_eq!(RecoveryWords::parse(typed).unwrap().expose(), "test test test test test test test test test test test junk");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_never_repeated() {
        let unknown = RecoveryWords::parse("test test test hunter2 test test test test test test test junk").err().unwrap();
        assert_eq!(unknown, WordsError::Unknown { position: 4 });
        let checksum = RecoveryWords::parse("test test test test test test test test test test test test").err().unwrap();
        assert_eq!(checksum, WordsError::Checksum);
        let swapped = RecoveryWords::parse("winner legal thank year wave sausage worth useful legal winner thank yellow").err().unwrap();
        assert_eq!(swapped, WordsError::Checksum);
        for (text, found) in [("", 0), ("zoo", 1), ("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo", 13)] {
            assert_eq!(RecoveryWords::parse(text).err().unwrap(), WordsError::Count { found });
        }
        assert!(!format!("{unknown} {unknown:?}").contains("hunter2"));
    }

    #[test]
    fn new_words_are_24_and_make_a_key() {
        let words = RecoveryWords::generate(&mut crate::OsEntropy).unwrap();
        assert_eq!(words.count(), 24);
        let again = RecoveryWords::parse(words.expose()).unwrap();
        assert_eq!(again.key().unwrap().address(), words.key().unwrap().address());
        assert_ne!(RecoveryWords::generate(&mut crate::OsEntropy).unwrap().expose(), words.expose());
    }

    #[test]
    fn a_word_is_asked_for_by_its_place() {
        let words = RecoveryWords::parse(PUBLISHED[1].1).unwrap();
        assert!(words.is_word(1, " Legal ") && words.is_word(12, "yellow"));
        for (position, word) in [(0, "legal"), (2, "legal"), (13, "yellow"), (12, "")] {
            assert!(!words.is_word(position, word), "{position}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn entropy_of_every_length_comes_back(bytes in prop::collection::vec(any::<u8>(), 32), length in prop::sample::select(vec![16usize, 20, 24, 28, 32])) {
            let words = RecoveryWords::of_entropy(&bytes[..length]);
            prop_assert_eq!(words.count(), length * 3 / 4);
            let (read, key) = (RecoveryWords::parse(words.expose()).unwrap(), words.key().unwrap());
            prop_assert_eq!(read.key().unwrap().address(), key.address());
        }

        #[test]
        fn arbitrary_text_is_refused_calmly(text in ".{0,400}") {
            prop_assert!(RecoveryWords::parse(&text).is_err());
        }
    }
}
