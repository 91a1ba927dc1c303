//! Who this app is to a relay: an Ed25519 key, whose public half names its mailbox, and the login that it signs.
//!
//! Source: walletconnect-specs, "Crypto Authentication" and "Relay Client Auth".

use crate::{Entropy, EntropyError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::Serialize;
use zeroize::{Zeroize as _, Zeroizing};

const LOGIN_SECONDS: i64 = 86_400;
/// Multicodec's number of an Ed25519 public key, as a varint.
const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];

/// The key of one mailbox. It signs logins and opens nothing.
pub(super) struct Identity(Zeroizing<[u8; 32]>);

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: String,
    sub: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'static str>,
}

impl Identity {
    pub(super) fn generate(entropy: &mut dyn Entropy) -> Result<Self, EntropyError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        entropy.fill(seed.as_mut_slice())?;
        Ok(Self(seed))
    }

    /// Takes a seed; the caller's copy is wiped.
    pub(super) fn from_seed(seed: &mut [u8; 32]) -> Self {
        let own = Zeroizing::new(*seed);
        seed.zeroize();
        Self(own)
    }

    /// For the keychain, nowhere else.
    pub(super) fn expose_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// A login for one connection to `relay`.
    pub(super) fn login(&self, relay: &str, now: DateTime<Utc>, entropy: &mut dyn Entropy) -> Result<String, EntropyError> {
        let mut subject = [0u8; 32];
        entropy.fill(&mut subject)?;
        Ok(self.signed(relay, &subject, now.timestamp(), Some("client_auth")))
    }

    fn signed(&self, relay: &str, subject: &[u8; 32], issued: i64, act: Option<&'static str>) -> String {
        let key = SigningKey::from_bytes(&self.0);
        let public = [&ED25519_PUBLIC[..], key.verifying_key().as_bytes()].concat();
        let claims = Claims {
            iss: format!("did:key:z{}", bs58::encode(public).into_string()),
            sub: hex::encode(subject),
            aud: relay,
            iat: issued,
            exp: issued.saturating_add(LOGIN_SECONDS),
            act,
        };
        let signed = format!("{}.{}", part(&Header { alg: "EdDSA", typ: "JWT" }), part(&claims));
        let signature = key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("texts and numbers are always JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;
    use chrono::TimeZone as _;

    /// The test case of the specification, "Crypto Authentication".
    #[test]
    fn the_published_login_is_made() {
        let mut seed = [0u8; 32];
        hex::decode_to_slice("58e0254c211b858ef7896b00e3f36beeb13d568d47c6031c4218b87718061295", &mut seed).unwrap();
        let mut subject = [0u8; 32];
        hex::decode_to_slice("c479fe5dc464e771e78b193d239a65b58d278cad1c34bfb0b5716e5bb514928e", &mut subject).unwrap();
        let made = Identity::from_seed(&mut seed).signed("wss://relay.walletconnect.com", &subject, 1_656_910_097, None);
        let published = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJkaWQ6a2V5Ono2TWtvZEhad25lVlJTaHRhTGY4SktZa3hwREdwMXZHWm5wR21kQnBYOE0yZXh4SCIsInN1YiI6ImM0NzlmZTVkYzQ2NGU3NzFlNzhiMTkzZDIzOWE2NWI1OGQyNzhjYWQxYzM0YmZiMGI1NzE2ZTViYjUxNDkyOGUiLCJhdWQiOiJ3c3M6Ly9yZWxheS53YWxsZXRjb25uZWN0LmNvbSIsImlhdCI6MTY1NjkxMDA5NywiZXhwIjoxNjU2OTk2NDk3fQ.bAKl1swvwqqV_FgwvD4Bx3Yp987B9gTpZctyBviA-EkAuWc8iI8SyokOjkv9GJESgid4U8Tf2foCgrQp2qrxBA";
        assert_eq!(made, published);
        assert_eq!(seed, [0; 32], "the caller's copy is wiped");
    }

    #[test]
    fn a_login_is_for_one_relay_one_connection_and_a_day() {
        let identity = Identity::generate(&mut OsEntropy).unwrap();
        let now = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        let first = identity.login("wss://a.example", now, &mut OsEntropy).unwrap();
        let second = identity.login("wss://a.example", now, &mut OsEntropy).unwrap();
        assert_ne!(first, second);
        let claims = URL_SAFE_NO_PAD.decode(first.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "wss://a.example");
        assert_eq!(claims["act"], "client_auth");
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1_800_000_000), Some(1_800_086_400)));
    }
}
