//! What outlives the app: a session for the keychain, and a question for the journal.

use super::{ConnectError, envelope::SymKey, identity::Identity, namespaces::Granted};
use crate::EthAddress;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

const VERSION: u32 = 1;

/// A session as it belongs into the keychain. Who has it can read the session and speak as either side: it has no `Debug` and no `Serialize`, and is wiped when dropped.
pub struct SavedSession {
    pub(super) key: SymKey,
    pub(super) identity: Identity,
    pub(super) wallet: String,
    pub(super) granted: Granted,
    pub(super) expires: u64,
    pub(super) last_update: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    key: String,
    identity: String,
    wallet: String,
    accounts: Vec<EthAddress>,
    can_send: bool,
    expires: u64,
    last_update: u64,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.key.zeroize();
        self.identity.zeroize();
    }
}

impl SavedSession {
    /// Gives all of it away as text: for the keychain, nowhere else.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let written = Written {
            version: VERSION,
            key: self.key.expose_hex().to_string(),
            identity: self.identity.expose_hex().to_string(),
            wallet: self.wallet.clone(),
            accounts: self.granted.accounts.clone(),
            can_send: self.granted.can_send,
            expires: self.expires,
            last_update: self.last_update,
        };
        Zeroizing::new(serde_json::to_string(&written).expect("texts and numbers are always JSON"))
    }

    /// Reads what [`SavedSession::expose`] gave.
    ///
    /// # Errors
    /// [`ConnectError::NotASaved`], without the input.
    pub fn from_exposed(text: &str) -> Result<Self, ConnectError> {
        let written: Written = serde_json::from_str(text).map_err(|_| ConnectError::NotASaved)?;
        if written.version != VERSION {
            return Err(ConnectError::NotASaved);
        }
        let (mut key, mut seed) = (bytes_of(&written.key)?, bytes_of(&written.identity)?);
        Ok(Self {
            key: SymKey::from_bytes(&mut key),
            identity: Identity::from_seed(&mut seed),
            wallet: crate::wallet::wallet_name(&written.wallet),
            granted: Granted { accounts: written.accounts.clone(), can_send: written.can_send },
            expires: written.expires,
            last_update: written.last_update,
        })
    }

    pub(super) fn duplicate(&self) -> Self {
        Self {
            key: self.key.clone(),
            identity: self.identity.duplicate(),
            wallet: self.wallet.clone(),
            granted: self.granted.clone(),
            expires: self.expires,
            last_update: self.last_update,
        }
    }

    /// What the wallet calls itself, cleaned.
    #[must_use]
    pub fn wallet(&self) -> &str {
        &self.wallet
    }

    /// Its accounts on Base; the one it would use first.
    #[must_use]
    pub fn accounts(&self) -> &[EthAddress] {
        &self.granted.accounts
    }

    /// When it ends by itself.
    #[must_use]
    pub fn expires(&self) -> DateTime<Utc> {
        instant(self.expires)
    }
}

/// A payment that a wallet is asked for, sealed once. It holds no secret and belongs into the journal before it is asked: whoever
/// asks with the same one again asks nothing new. See the module's words on asking twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedPayment {
    pub(super) id: u64,
    pub(super) topic: String,
    pub(super) envelope: String,
    pub(super) from: EthAddress,
    pub(super) expires: u64,
}

impl AskedPayment {
    /// The account that was asked to pay.
    #[must_use]
    pub fn from(&self) -> EthAddress {
        self.from
    }

    /// When wallets stop showing it. What the person says yes to before that may still be sent a little later.
    #[must_use]
    pub fn expires(&self) -> DateTime<Utc> {
        instant(self.expires)
    }
}

/// Seconds since 1970 as an instant; what no calendar has is its end.
pub(super) fn instant(seconds: u64) -> DateTime<Utc> {
    i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn bytes_of(text: &str) -> Result<[u8; 32], ConnectError> {
    let mut bytes = [0u8; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| ConnectError::NotASaved)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SavedSession {
        SavedSession {
            key: SymKey::from_bytes(&mut [3; 32]),
            identity: Identity::from_seed(&mut [4; 32]),
            wallet: "A Wallet".into(),
            granted: Granted { accounts: vec![EthAddress::from_bytes([5; 20])], can_send: true },
            expires: 1_800_000_000,
            last_update: 9,
        }
    }

    #[test]
    fn what_is_saved_is_read_back_whole() {
        let text = sample().expose();
        let back = SavedSession::from_exposed(&text).unwrap();
        assert_eq!(back.expose().as_str(), text.as_str());
        assert_eq!((back.wallet(), back.accounts().len(), back.expires().timestamp()), ("A Wallet", 1, 1_800_000_000));
        assert_eq!(back.key.topic(), sample().key.topic());
    }

    #[test]
    fn what_is_not_whole_is_refused_without_its_text() {
        let text = sample().expose();
        let others =
            [text.replace("\"version\":1", "\"version\":2"), text.replace("0303", "03"), text.replace("wallet", "x"), String::new()];
        for other in others {
            let error = SavedSession::from_exposed(&other).err().unwrap();
            assert_eq!(error, ConnectError::NotASaved);
            assert!(!error.to_string().contains("0303"));
        }
    }

    proptest::proptest! {
        #[test]
        fn garbage_is_refused_and_never_panics(text in ".{0,200}", at: proptest::sample::Index, byte: u8) {
            proptest::prop_assert!(SavedSession::from_exposed(&text).is_err());
            let mut bytes = sample().expose().as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = SavedSession::from_exposed(&String::from_utf8_lossy(&bytes));
            let _ = serde_json::from_slice::<AskedPayment>(text.as_bytes());
        }
    }
}
