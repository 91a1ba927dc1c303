//! The spending wallet as the keychain keeps it: one item, so that it is there whole or not at all.

use crate::view::WalletOrigin;
use aispace_keychain::Secret;
use aispace_payments::signer::{KeyError, RecoveryWords, SpendingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A wallet with all that is kept of it.
pub(super) struct KeptWallet {
    pub(super) origin: WalletOrigin,
    held: Held,
}

enum Held {
    Words(RecoveryWords),
    Key(SpendingKey),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    version: u32,
    origin: WalletOrigin,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Zeroizing<String>>,
}

impl KeptWallet {
    pub(super) fn of_words(words: RecoveryWords, origin: WalletOrigin) -> Self {
        Self { origin, held: Held::Words(words) }
    }

    pub(super) fn of_key(key: SpendingKey, origin: WalletOrigin) -> Self {
        Self { origin, held: Held::Key(key) }
    }

    /// Reads the keychain's item; nothing when it is none of ours. The first version of the app kept 64 hex digits.
    pub(super) fn read(secret: &Secret) -> Option<Self> {
        let text = secret.expose_text()?;
        if let Ok(key) = SpendingKey::from_hex(text) {
            return Some(Self::of_key(key, WalletOrigin::Created));
        }
        let item: Item = serde_json::from_str(text).ok()?;
        let held = match (item.version, item.words, item.key) {
            (1, Some(words), None) => Held::Words(RecoveryWords::parse(&words).ok()?),
            (1, None, Some(key)) => Held::Key(SpendingKey::from_hex(&key).ok()?),
            _ => return None,
        };
        Some(Self { origin: item.origin, held })
    }

    /// The item to keep.
    pub(super) fn secret(&self) -> Option<Secret> {
        let (words, key) = match &self.held {
            Held::Words(words) => (Some(Zeroizing::new(words.expose().to_owned())), None),
            Held::Key(key) => (None, Some(key.expose_hex())),
        };
        serde_json::to_vec(&Item { version: 1, origin: self.origin, words, key }).ok().map(Secret::new)
    }

    /// The key that signs.
    pub(super) fn key(&self) -> Result<SpendingKey, KeyError> {
        match &self.held {
            Held::Words(words) => words.key(),
            Held::Key(key) => SpendingKey::from_hex(&key.expose_hex()),
        }
    }

    /// Its words, when it was made from some.
    pub(super) fn words(&self) -> Option<&RecoveryWords> {
        match &self.held {
            Held::Words(words) => Some(words),
            Held::Key(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "test test test test test test test test test test test junk";
    const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    fn read(text: &str) -> Option<KeptWallet> {
        KeptWallet::read(&Secret::from_text(text.into()))
    }

    #[test]
    fn words_and_keys_come_back_with_their_origin() {
        let of_words = KeptWallet::of_words(RecoveryWords::parse(WORDS).unwrap(), WalletOrigin::ImportedWords);
        let of_key = KeptWallet::of_key(SpendingKey::from_hex(KEY).unwrap(), WalletOrigin::ImportedKeystore);
        for (kept, words) in [(of_words, Some(WORDS)), (of_key, None)] {
            let again = KeptWallet::read(&kept.secret().unwrap()).unwrap();
            assert_eq!((again.origin, again.words().map(RecoveryWords::expose)), (kept.origin, words));
            assert_eq!(again.key().unwrap().expose_hex().as_str(), KEY);
        }
    }

    #[test]
    fn the_first_versions_item_is_read() {
        let kept = read(KEY).unwrap();
        assert_eq!((kept.origin, kept.words().is_none(), kept.key().unwrap().expose_hex().as_str()), (WalletOrigin::Created, true, KEY));
    }

    #[test]
    fn what_is_not_ours_is_not_read() {
        let item = |rest: &str| format!(r#"{{"version":1,"origin":"created"{rest}}}"#);
        let both = item(&format!(r#","words":"{WORDS}","key":"{KEY}""#));
        let newer = item(&format!(r#","words":"{WORDS}""#)).replace(":1,", ":2,");
        for text in ["", "hunter2", "{}", item("").as_str(), item(r#","words":"test""#).as_str(), both.as_str(), newer.as_str()] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
