//! A private key in a file, under a password: [Web3 Secret Storage] version 3, as other wallets read and write it.
//!
//! The file chooses how costly it is to open, so a hostile one could ask for all memory or for ever: cost is bounded before
//! anything is derived. Nothing is written here; the text is the caller's.
//!
//! [Web3 Secret Storage]: https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/

use super::{KeyError, SpendingKey};
use crate::{Entropy, EntropyError};
use aes::{
    Aes128,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use alloy::primitives::keccak256;
use hmac::Hmac;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Bytes that the text of a keystore may have; real ones have five hundred.
const TEXT_BYTES_MAX: usize = 16_384;
/// Blocks of 128 bytes that scrypt may hold at once: 256 MiB, what geth's own files ask for.
const SCRYPT_BLOCKS_MAX: u64 = 1 << 21;
/// Blocks that scrypt may work through in all: twice what geth's own files ask for.
const SCRYPT_WORK_MAX: u64 = 1 << 22;
/// Rounds of PBKDF2; ten times what is in use.
const PBKDF2_ROUNDS_MAX: u32 = 3_000_000;
const SALT_BYTES_MAX: usize = 256;
const KEY_BYTES: usize = 32;
/// What a new file asks for: 128 MiB, about half a second.
const NEW_SCRYPT_LOG_N: u8 = 17;
const NEW_SCRYPT_R: u32 = 8;

/// Why a keystore cannot be opened or made. Never holds a password or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// Not the JSON of a keystore.
    #[error("this is not a keystore: {what} is missing or malformed")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
    /// Another version, cipher or derivation than this reads.
    #[error("this keystore's {what} is not supported")]
    Unsupported {
        /// Which part.
        what: &'static str,
    },
    /// It asks for more memory or work than any honest file.
    #[error("this keystore asks for more memory or time than is sensible")]
    TooCostly,
    /// The password does not open it.
    #[error("the password does not open this keystore")]
    WrongPassword,
    /// It opens to another address than it says.
    #[error("the keystore names another address than its key has")]
    AddressDiffers,
    /// What it holds is no private key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// A keystore whose form and cost are fine; not opened yet.
#[derive(Debug, Clone)]
pub struct Keystore {
    address: Option<[u8; 20]>,
    salt: Vec<u8>,
    derivation: Derivation,
    iv: [u8; 16],
    /// As many bytes as the key; early wallets left out zeros in front.
    ciphertext: Vec<u8>,
    mac: [u8; 32],
}

#[derive(Debug, Clone, Copy)]
enum Derivation {
    Scrypt(scrypt::Params),
    Pbkdf2 { rounds: u32 },
}

#[derive(Deserialize)]
struct FileIn {
    version: u32,
    #[serde(alias = "Crypto")]
    crypto: CryptoIn,
    #[serde(default)]
    address: Option<String>,
}

#[derive(Deserialize)]
struct CryptoIn {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfIn,
    mac: String,
}

#[derive(Deserialize, Serialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfIn {
    dklen: u32,
    salt: String,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<u32>,
    prf: Option<String>,
}

impl Keystore {
    /// Reads the text of a keystore and judges what it asks for. Derives nothing.
    ///
    /// # Errors
    /// [`KeystoreError::Malformed`], [`KeystoreError::Unsupported`], [`KeystoreError::TooCostly`].
    pub fn parse(text: &str) -> Result<Self, KeystoreError> {
        let malformed = |what| KeystoreError::Malformed { what };
        if text.len() > TEXT_BYTES_MAX {
            return Err(malformed("a text of sensible length"));
        }
        let file: FileIn = serde_json::from_str(text).map_err(|_| malformed("a part of the JSON"))?;
        let crypto = file.crypto;
        if file.version != 3 {
            return Err(KeystoreError::Unsupported { what: "version" });
        }
        if crypto.cipher != "aes-128-ctr" {
            return Err(KeystoreError::Unsupported { what: "cipher" });
        }
        if crypto.kdfparams.dklen != 32 {
            return Err(KeystoreError::Unsupported { what: "length of the derived key" });
        }
        let address = file.address.filter(|address| !address.is_empty());
        let ciphertext = bytes(&crypto.ciphertext, "the encrypted key")?;
        if ciphertext.is_empty() || ciphertext.len() > KEY_BYTES {
            return Err(malformed("the encrypted key"));
        }
        Ok(Self {
            address: address.map(|text| fixed(&text, "the address")).transpose()?,
            salt: bytes(&crypto.kdfparams.salt, "the salt")?,
            derivation: derivation(&crypto.kdf, &crypto.kdfparams)?,
            iv: fixed(&crypto.cipherparams.iv, "the initial vector")?,
            ciphertext,
            mac: fixed(&crypto.mac, "the check")?,
        })
    }

    /// Opens it. Takes up to some seconds and 256 MiB: for a thread that may block.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassword`], [`KeystoreError::AddressDiffers`], [`KeystoreError::Key`].
    pub fn open(&self, password: &str) -> Result<SpendingKey, KeystoreError> {
        let derived = self.derivation.derive(password, &self.salt)?;
        let mac = mac(&derived, &self.ciphertext);
        if !bool::from(mac.ct_eq(&self.mac)) {
            return Err(KeystoreError::WrongPassword);
        }
        let mut key = Zeroizing::new([0u8; KEY_BYTES]);
        let (_, end) = key.split_at_mut(KEY_BYTES.saturating_sub(self.ciphertext.len()));
        end.copy_from_slice(&self.ciphertext);
        cipher(&derived, &self.iv, end)?;
        let key = SpendingKey::from_bytes(&mut key)?;
        match self.address {
            Some(address) if address != key.address().to_bytes() => Err(KeystoreError::AddressDiffers),
            _ => Ok(key),
        }
    }
}

/// Writes a key as the text of a keystore, with scrypt at 2¹⁷. Takes about half a second and 128 MiB: for a thread that may block.
///
/// # Errors
/// [`KeystoreError::Entropy`].
pub fn keystore_text(key: &SpendingKey, password: &str, entropy: &mut dyn Entropy) -> Result<String, KeystoreError> {
    let (mut salt, mut iv, mut id) = ([0u8; 32], [0u8; 16], [0u8; 16]);
    entropy.fill(&mut salt)?;
    entropy.fill(&mut iv)?;
    entropy.fill(&mut id)?;
    let params = scrypt::Params::new(NEW_SCRYPT_LOG_N, NEW_SCRYPT_R, 1).map_err(|_| KeystoreError::TooCostly)?;
    let derived = Derivation::Scrypt(params).derive(password, &salt)?;
    let mut ciphertext = key.expose_bytes();
    cipher(&derived, &iv, ciphertext.as_mut_slice())?;
    let file = serde_json::json!({
        "version": 3,
        "id": uuid(id),
        "address": hex::encode(key.address().to_bytes()),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": hex::encode(iv) },
            "ciphertext": hex::encode(ciphertext.as_slice()),
            "kdf": "scrypt",
            "kdfparams": { "dklen": 32, "n": 1u64 << NEW_SCRYPT_LOG_N, "r": NEW_SCRYPT_R, "p": 1, "salt": hex::encode(salt) },
            "mac": hex::encode(mac(&derived, ciphertext.as_slice())),
        },
    });
    Ok(file.to_string())
}

fn derivation(kdf: &str, params: &KdfIn) -> Result<Derivation, KeystoreError> {
    let malformed = || KeystoreError::Malformed { what: "a parameter of the derivation" };
    match kdf {
        "scrypt" => {
            let (n, r, p) = (params.n.ok_or_else(malformed)?, params.r.ok_or_else(malformed)?, params.p.ok_or_else(malformed)?);
            if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
                return Err(malformed());
            }
            let blocks = n.saturating_mul(r.into());
            let side_blocks = u64::from(r).saturating_mul(p.into());
            if blocks > SCRYPT_BLOCKS_MAX || side_blocks > SCRYPT_BLOCKS_MAX || blocks.saturating_mul(p.into()) > SCRYPT_WORK_MAX {
                return Err(KeystoreError::TooCostly);
            }
            let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| malformed())?;
            // Scrypt itself demands n < 2^(16 r); some files of the first years do not keep to it.
            scrypt::Params::new(log_n, r, p).map(Derivation::Scrypt).map_err(|_| KeystoreError::Unsupported { what: "choice of n and r" })
        }
        "pbkdf2" => {
            if params.prf.as_deref() != Some("hmac-sha256") {
                return Err(KeystoreError::Unsupported { what: "derivation" });
            }
            let rounds = params.c.filter(|c| *c > 0).ok_or_else(malformed)?;
            if rounds > PBKDF2_ROUNDS_MAX { Err(KeystoreError::TooCostly) } else { Ok(Derivation::Pbkdf2 { rounds }) }
        }
        _ => Err(KeystoreError::Unsupported { what: "derivation" }),
    }
}

impl Derivation {
    fn derive(self, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let mut derived = Zeroizing::new([0u8; 32]);
        match self {
            Self::Scrypt(params) => {
                scrypt::scrypt(password.as_bytes(), salt, &params, derived.as_mut_slice()).map_err(|_| KeystoreError::TooCostly)?;
            }
            Self::Pbkdf2 { rounds } => pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), salt, rounds, derived.as_mut_slice()),
        }
        Ok(derived)
    }
}

/// Keccak-256 of the derived key's second half and of what is encrypted.
fn mac(derived: &[u8; 32], ciphertext: &[u8]) -> [u8; 32] {
    let (_, second) = derived.split_at(16);
    keccak256(Zeroizing::new([second, ciphertext].concat()).as_slice()).0
}

fn cipher(derived: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8]) -> Result<(), KeystoreError> {
    let (first, _) = derived.split_at(16);
    let cipher = ctr::Ctr128BE::<Aes128>::new_from_slices(first, iv);
    cipher.map_err(|_| KeystoreError::Unsupported { what: "cipher" })?.apply_keystream(bytes);
    Ok(())
}

fn bytes(text: &str, what: &'static str) -> Result<Vec<u8>, KeystoreError> {
    let bare = text.strip_prefix("0x").unwrap_or(text);
    let read = if bare.len() > SALT_BYTES_MAX.saturating_mul(2) { None } else { hex::decode(bare).ok() };
    read.ok_or(KeystoreError::Malformed { what })
}

fn fixed<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], KeystoreError> {
    bytes(text, what)?.try_into().map_err(|_| KeystoreError::Malformed { what })
}

/// A random UUID, version 4, of 16 drawn bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// The test vectors of the definition: both hold the same key under the same password. The second breaks a rule of scrypt's.
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
        "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
        "kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

    fn error(text: &str) -> KeystoreError {
        Keystore::parse(text).expect_err("refused")
    }

    fn changed(change: impl FnOnce(&mut Value)) -> String {
        let mut file: Value = serde_json::from_str(PBKDF2).unwrap();
        change(&mut file);
        file.to_string()
    }

    /// Two of geth's own, with scrypt and with keys whose zeros in front were left out: password `foo`.
    const SHORT: [(&str, &str); 2] = [
        (
            r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"e0c41130a323adc1446fc82f724bca2f"},
            "ciphertext":"9517cd5bdbe69076f9bf5057248c6c050141e970efa36ce53692d5d59a3984","kdf":"scrypt",
            "kdfparams":{"dklen":32,"n":2,"r":8,"p":1,"salt":"711f816911c92d649fb4c84b047915679933555030b3552c1212609b38208c63"},
            "mac":"d5e116151c6aa71470e67a7d42c9620c75c4d23229847dcc127794f0732b0db5"},"id":"fecfc4ce-e956-48fd-953b-30f8b52ed66c","version":3}"#,
            "00fa7b3db73dc7dfdf8c5fbdb796d741e4488628c41fc4febd9160a866ba0f35",
        ),
        (
            r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"3ca92af36ad7c2cd92454c59cea5ef00"},
            "ciphertext":"108b7d34f3442fc26ab1ab90ca91476ba6bfa8c00975a49ef9051dc675aa","kdf":"scrypt",
            "kdfparams":{"dklen":32,"n":2,"r":8,"p":1,"salt":"d0769e608fb86cda848065642a9c6fa046845c928175662b8e356c77f914cd3b"},
            "mac":"75d0e6759f7b3cefa319c3be41680ab6beea7d8328653474bd06706d4cc67420"},"id":"a37e1559-5955-450d-8075-7b8931b392b2","version":3}"#,
            "000081c29e8142bb6a81bef5a92bda7a8328a5c85bb2f9542e76f9b0f94fc018",
        ),
    ];

    #[test]
    fn published_vectors_open() {
        let key = Keystore::parse(PBKDF2).unwrap().open("testpassword").unwrap();
        assert_eq!(key.expose_hex().as_str(), KEY);
        assert_eq!(key.address().to_string(), "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
        for (text, key) in SHORT {
            assert_eq!(Keystore::parse(text).unwrap().open("foo").unwrap().expose_hex().as_str(), key);
        }
        assert_eq!(error(SCRYPT), KeystoreError::Unsupported { what: "choice of n and r" });
    }

    #[test]
    fn a_wrong_password_and_a_changed_file_say_so() {
        assert_eq!(Keystore::parse(PBKDF2).unwrap().open("Testpassword").err(), Some(KeystoreError::WrongPassword));
        let flipped = PBKDF2.replace("5318b4d5", "5318b4d6");
        assert_eq!(Keystore::parse(&flipped).unwrap().open("testpassword").err(), Some(KeystoreError::WrongPassword));
        let elsewhere = changed(|file| file["address"] = json!("00".repeat(20)));
        assert_eq!(Keystore::parse(&elsewhere).unwrap().open("testpassword").err(), Some(KeystoreError::AddressDiffers));
    }

    #[test]
    fn what_is_written_can_be_read_and_hides_the_key() {
        let key = SpendingKey::from_hex(KEY).unwrap();
        let text = keystore_text(&key, "correct horse battery", &mut crate::OsEntropy).unwrap();
        assert!(!text.contains(KEY) && !text.contains("horse"));
        let opened = Keystore::parse(&text).unwrap().open("correct horse battery").unwrap();
        assert_eq!(opened.expose_hex(), key.expose_hex());
        let file: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (file["address"].as_str(), file["crypto"]["kdfparams"]["n"].as_u64()),
            (Some("008aeeda4d805471df9b2a5b0f38a0c3bcba786b"), Some(131_072))
        );
        assert_eq!(file["id"].as_str().map(|id| (id.len(), id.as_bytes()[14])), Some((36, b'4')));
    }

    #[test]
    fn older_spellings_are_read() {
        let old = changed(|file| {
            let crypto = file.as_object_mut().unwrap().remove("crypto").unwrap();
            file["Crypto"] = crypto;
            file["address"] = json!("0x008AEEDA4D805471DF9B2A5B0F38A0C3BCBA786B");
        });
        assert!(Keystore::parse(&old).is_ok());
    }

    #[test]
    fn a_hostile_cost_is_refused_before_anything_is_derived() {
        let scrypt = |n: Value, r: Value, p: Value| {
            changed(|file| {
                file["crypto"]["kdf"] = json!("scrypt");
                file["crypto"]["kdfparams"] = json!({"dklen": 32, "n": n, "r": r, "p": p, "salt": "00"});
            })
        };
        let costly = [
            scrypt(json!(1u64 << 22), json!(1), json!(1)),
            scrypt(json!(1u64 << 18), json!(9), json!(1)),
            scrypt(json!(1u64 << 18), json!(8), json!(3)),
            scrypt(json!(2), json!(u32::MAX), json!(1)),
            scrypt(json!(2), json!(1), json!(u32::MAX)),
            scrypt(json!(1u64 << 63), json!(u32::MAX), json!(u32::MAX)),
            changed(|file| file["crypto"]["kdfparams"]["c"] = json!(u32::MAX)),
        ];
        for text in costly {
            assert_eq!(error(&text), KeystoreError::TooCostly, "{text}");
        }
        for (n, r, p) in [
            (json!(3), json!(8), json!(1)),
            (json!(0), json!(8), json!(1)),
            (json!(1024), json!(0), json!(1)),
            (json!(1024), json!(8), json!(0)),
        ] {
            assert!(matches!(error(&scrypt(n, r, p)), KeystoreError::Malformed { .. }));
        }
    }

    #[test]
    fn what_this_does_not_read_is_named() {
        let unsupported = |what| KeystoreError::Unsupported { what };
        assert_eq!(error(&changed(|file| file["version"] = json!(1))), unsupported("version"));
        assert_eq!(error(&changed(|file| file["crypto"]["cipher"] = json!("aes-128-cbc"))), unsupported("cipher"));
        assert_eq!(error(&changed(|file| file["crypto"]["kdf"] = json!("argon2"))), unsupported("derivation"));
        assert_eq!(error(&changed(|file| file["crypto"]["kdfparams"]["prf"] = json!("hmac-sha1"))), unsupported("derivation"));
        assert_eq!(error(&changed(|file| file["crypto"]["kdfparams"]["dklen"] = json!(64))), unsupported("length of the derived key"));
    }

    #[test]
    fn what_is_no_keystore_is_refused() {
        let long = format!("{}{PBKDF2}", " ".repeat(TEXT_BYTES_MAX));
        for text in ["", "{}", "[]", "null", KEY, long.as_str()] {
            assert!(matches!(error(text), KeystoreError::Malformed { .. }), "{text}");
        }
        for (pointer, value) in [
            ("/crypto/cipherparams/iv", json!("00")),
            ("/crypto/ciphertext", json!("")),
            ("/crypto/ciphertext", json!("53".repeat(KEY_BYTES + 1))),
            ("/crypto/mac", json!("xy")),
            ("/crypto/kdfparams/salt", json!("00".repeat(SALT_BYTES_MAX + 1))),
            ("/crypto/kdfparams/c", json!(0)),
            ("/crypto/kdfparams/c", json!(-1)),
        ] {
            let text = changed(|file| *file.pointer_mut(pointer).unwrap() = value);
            assert!(matches!(error(&text), KeystoreError::Malformed { .. }), "{pointer}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_refused_calmly(text in ".{0,300}") {
            prop_assert!(Keystore::parse(&text).is_err());
        }
    }
}
