//! A wallet that does what a test says, written apart from the product: its own envelopes, its own key agreement.

use super::{Clock, opened, until};
use aispace_payments::walletconnect::{ConnectError, Pairing, Session};
use aispace_testkit::relay::LocalRelay;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, aead::Aead as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use x25519_dalek::{PublicKey, StaticSecret};

pub(super) const ACCOUNT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

static NONCES: AtomicU64 = AtomicU64::new(1);

pub(super) fn seal(key: &[u8; 32], said: &Value) -> String {
    let mut nonce = [0u8; 12];
    nonce[..8].copy_from_slice(&NONCES.fetch_add(1, Ordering::SeqCst).to_le_bytes());
    let sealed = ChaCha20Poly1305::new(key.into()).encrypt(&nonce.into(), said.to_string().as_bytes()).expect("sealed");
    STANDARD.encode([&[0u8][..], &nonce, &sealed].concat())
}

pub(super) fn open(key: &[u8; 32], envelope: &str) -> Option<Value> {
    let bytes = STANDARD.decode(envelope).ok()?;
    let nonce: [u8; 12] = bytes.get(1..13)?.try_into().ok()?;
    let plain = ChaCha20Poly1305::new(key.into()).decrypt(&nonce.into(), bytes.get(13..)?).ok()?;
    serde_json::from_slice(&plain).ok()
}

pub(super) fn topic(key: &[u8; 32]) -> String {
    hex::encode(Sha256::digest(key))
}

/// A wallet that has read a code.
pub(super) struct ScriptedWallet<'a> {
    relay: &'a LocalRelay,
    pub(super) pairing_key: [u8; 32],
    pub(super) session_key: [u8; 32],
    public_key: String,
    pub(super) proposal: Value,
}

impl<'a> ScriptedWallet<'a> {
    /// Reads a code and the proposal that waits under it.
    pub(super) fn scan(relay: &'a LocalRelay, uri: &str) -> Self {
        let pair = |name: &str| uri.split(['?', '&']).find_map(|part| part.strip_prefix(name)).expect("a part of the code");
        assert_eq!(pair("relay-protocol="), "irn");
        let pairing_key: [u8; 32] = hex::decode(pair("symKey=")).expect("hex").try_into().expect("32 bytes");
        assert!(uri.starts_with(&format!("wc:{}@2?", topic(&pairing_key))));
        let mail = relay.mail(&topic(&pairing_key));
        assert_eq!((mail.len(), mail[0].tag, mail[0].ttl), (1, 1100, 300));
        let proposal = open(&pairing_key, &mail[0].envelope).expect("a proposal");
        let secret = StaticSecret::from([0x51; 32]);
        let theirs = proposal["params"]["proposer"]["publicKey"].as_str().expect("a key");
        let theirs: [u8; 32] = hex::decode(theirs).expect("hex").try_into().expect("32 bytes");
        let mut session_key = [0u8; 32];
        let shared = secret.diffie_hellman(&PublicKey::from(theirs));
        hkdf::Hkdf::<Sha256>::new(None, shared.as_bytes()).expand(&[], &mut session_key).expect("a key");
        Self { relay, pairing_key, session_key, public_key: hex::encode(PublicKey::from(&secret).as_bytes()), proposal }
    }

    /// Puts something on the pairing's topic.
    pub(super) fn say_on_pairing(&self, said: &Value) {
        self.relay.leave(&topic(&self.pairing_key), &seal(&self.pairing_key, said), 1101);
    }

    /// Puts something on the session's topic.
    pub(super) fn say(&self, said: &Value) {
        self.relay.leave(&topic(&self.session_key), &seal(&self.session_key, said), 1109);
    }

    /// The yes to the proposal.
    pub(super) fn yes(&self) -> Value {
        json!({"id": self.proposal["id"], "jsonrpc": "2.0", "result": {"relay": {"protocol": "irn"}, "responderPublicKey": self.public_key}})
    }

    /// A settlement as it should be, `days` long.
    pub(super) fn settlement(&self, clock: &Clock, days: i64) -> Value {
        let space = json!({"accounts": [format!("eip155:8453:{ACCOUNT}")], "methods": ["eth_sendTransaction"], "events": []});
        json!({"id": 77, "jsonrpc": "2.0", "method": "wc_sessionSettle", "params": {
            "relay": {"protocol": "irn"},
            "controller": {"publicKey": self.public_key, "metadata": {"name": "Scripted", "description": "", "url": "", "icons": []}},
            "namespaces": {"eip155": space},
            "expiry": clock.now().timestamp() + days * 86_400,
        }})
    }

    /// What the app has said on the session's topic, oldest first.
    pub(super) fn heard(&self) -> Vec<Value> {
        let mail = self.relay.mail(&topic(&self.session_key));
        // The test leaves the wallet's own words there too: those have no mark of the app's.
        mail.iter().filter(|mail| mail.tag != 1109).filter_map(|mail| open(&self.session_key, &mail.envelope)).collect()
    }

    /// Waits for the app's next request to pay, after the first `before`.
    pub(super) async fn asked(&self, before: usize) -> Value {
        until("a request to pay", Duration::from_secs(20), async || {
            let requests = self.heard().into_iter().filter(|said| said["method"] == "wc_sessionRequest");
            Ok(requests.skip(before).last())
        })
        .await
        .expect("asked")
    }
}

/// A code that was read, not yet answered.
pub(super) async fn scanned<'a>(relay: &'a LocalRelay, clock: &Clock) -> (Pairing, ScriptedWallet<'a>) {
    let pairing = opened(relay, clock).await;
    let wallet = ScriptedWallet::scan(relay, pairing.uri());
    (pairing, wallet)
}

/// A session with a wallet that does nothing by itself.
pub(super) async fn settled<'a>(relay: &'a LocalRelay, clock: &Clock) -> (Session, ScriptedWallet<'a>) {
    let (pairing, wallet) = scanned(relay, clock).await;
    wallet.say_on_pairing(&wallet.yes());
    wallet.say(&wallet.settlement(clock, 7));
    (pairing.settled().await.expect("a session"), wallet)
}

/// What comes of a settlement.
pub(super) async fn outcome(change: impl FnOnce(&mut Value)) -> Result<Session, ConnectError> {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (pairing, wallet) = scanned(&relay, &clock).await;
    wallet.say_on_pairing(&wallet.yes());
    let mut settlement = wallet.settlement(&clock, 7);
    change(&mut settlement);
    wallet.say(&settlement);
    pairing.settled().await
}
