//! From a code on the screen to a session: proposal, the wallet's yes, its settlement.

use super::{
    ConnectConfig, ConnectError, ConnectProgress, ConnectStage, Expired, Session, Surroundings,
    envelope::{SymKey, Topic},
    error::wallet_error,
    identity::Identity,
    namespaces::Granted,
    relay::{Delivery, Publication, Relay},
    saved::SavedSession,
    session::SESSION_SECONDS_MAX,
    wire::{self, Kind, Said},
};
use crate::wallet::wallet_name;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// A pairing that waits for a wallet. Dropping it gives it up: a wallet that says yes later finds nobody.
pub struct Pairing {
    config: ConnectConfig,
    around: Surroundings,
    identity: Identity,
    relay: Relay,
    deliveries: mpsc::Receiver<Delivery>,
    progress: Arc<watch::Sender<ConnectProgress>>,
    key: SymKey,
    topic: Topic,
    secret: StaticSecret,
    proposal: u64,
    expires: u64,
    uri: Zeroizing<String>,
}

impl Pairing {
    /// Connects to the relay and leaves a proposal there. Afterwards [`Pairing::uri`] may be shown.
    ///
    /// # Errors
    /// [`ConnectError::RelayUnreachable`], [`ConnectError::RelayRefused`], or no randomness.
    pub async fn open(config: ConnectConfig, around: Surroundings) -> Result<Self, ConnectError> {
        let identity = around.draw(|entropy| Identity::generate(entropy))?;
        let key = around.draw(|entropy| SymKey::generate(entropy))?;
        let secret = around.draw(|entropy| {
            let mut bytes = Zeroizing::new([0u8; 32]);
            entropy.fill(bytes.as_mut_slice())?;
            Ok(StaticSecret::from(*bytes))
        })?;
        let progress = Arc::new(watch::channel(ConnectProgress::first()).0);
        let (relay, deliveries) = Relay::start(&config, identity.duplicate(), around.clone(), Arc::clone(&progress));
        let topic = key.topic();
        relay.subscribe(topic.clone()).await?;

        let proposal = around.request_id()?;
        let expires = around.seconds().saturating_add(config.patience().answer.as_secs());
        let public_key = hex::encode(PublicKey::from(&secret).as_bytes());
        let text = wire::proposal(proposal, &topic, &public_key, config.app(), expires);
        let envelope = around.draw(|entropy| key.seal(&text, entropy))?;
        relay.publish(Publication { topic: topic.clone(), envelope, kind: wire::PROPOSE }).await?;

        let uri = Zeroizing::new(format!(
            "wc:{}@2?relay-protocol=irn&symKey={}&expiryTimestamp={expires}",
            topic.as_str(),
            key.expose_hex().as_str()
        ));
        progress.send_modify(|now| now.stage = ConnectStage::Pairing);
        Ok(Self { config, around, identity, relay, deliveries, progress, key, topic, secret, proposal, expires, uri })
    }

    /// What the code and the links carry. Who sees it within five minutes can answer as the wallet, so it is shown and not written down.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When a wallet no longer takes it.
    #[must_use]
    pub fn closes(&self) -> DateTime<Utc> {
        super::saved::instant(self.expires)
    }

    /// What happens; goes on through the session that comes of this.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<ConnectProgress> {
        self.progress.subscribe()
    }

    /// Waits for a wallet that is on Base and takes transactions. Any other is told why not, and its session ended.
    ///
    /// # Errors
    /// [`ConnectError::Rejected`], [`ConnectError::WrongChain`], [`ConnectError::CannotSend`], [`ConnectError::Expired`],
    /// [`ConnectError::PeerGone`], [`ConnectError::Protocol`] or [`ConnectError::Timeout`] when a wallet says yes and then nothing.
    pub async fn settled(mut self) -> Result<Session, ConnectError> {
        let settled = self.agree().await;
        match settled {
            Ok(saved) => Ok(Session::begin(&self.config, self.around, saved, self.relay, self.deliveries, self.progress)),
            Err(error) => {
                let stage = if error == ConnectError::Rejected { ConnectStage::Rejected } else { ConnectStage::Closed };
                self.progress.send_modify(|now| now.stage = stage);
                Err(error)
            }
        }
    }

    async fn agree(&mut self) -> Result<SavedSession, ConnectError> {
        let theirs = self.accepted().await?;
        let key = SymKey::agree(&self.secret, theirs).ok_or(ConnectError::Protocol("its key makes no secret"))?;
        let topic = key.topic();
        let until = self.deadline(self.config.patience().settle);
        self.relay.subscribe(topic.clone()).await?;
        let (id, params) = loop {
            let delivery = self.next(until).await?.ok_or(ConnectError::Timeout)?;
            if delivery.topic != topic {
                continue;
            }
            match opened(&key, &delivery) {
                Some(Said::Request { id, method, params }) if method == "wc_sessionSettle" => break (id, params),
                Some(Said::Request { method, .. }) if method == "wc_sessionDelete" => return Err(ConnectError::PeerGone),
                _ => {}
            }
        };
        match self.read_settlement(&params, &hex::encode(theirs), &key) {
            Ok(saved) => {
                let answer = sealed(&self.around, &key, &topic, &wire::answer(id, None), wire::SETTLE_ANSWER)?;
                self.relay.publish(answer).await?;
                self.relay.unsubscribe(self.topic.clone());
                Ok(saved)
            }
            Err(error) => {
                self.turn_away(&key, &topic, id, &error).await?;
                Err(error)
            }
        }
    }

    /// Waits for the wallet's public key.
    async fn accepted(&mut self) -> Result<[u8; 32], ConnectError> {
        let left = self.expires.saturating_sub(self.around.seconds());
        let until = self.deadline(Duration::from_secs(left));
        loop {
            let delivery = self.next(until).await?.ok_or(ConnectError::Expired(Expired::Pairing))?;
            if delivery.topic != self.topic {
                continue;
            }
            match opened(&self.key, &delivery) {
                Some(Said::Answer { id, reply: Ok(result) }) if id == self.proposal => {
                    let said = result.get("responderPublicKey").and_then(Value::as_str).unwrap_or_default();
                    let mut theirs = [0u8; 32];
                    hex::decode_to_slice(said, &mut theirs).map_err(|_| ConnectError::Protocol("its yes has no key"))?;
                    return Ok(theirs);
                }
                Some(Said::Answer { id, reply: Err((code, said)) }) if id == self.proposal => {
                    return Err(match wallet_error(code, &said, None) {
                        ConnectError::PeerGone => ConnectError::Rejected,
                        ConnectError::Expired(_) => ConnectError::Expired(Expired::Pairing),
                        other => other,
                    });
                }
                Some(Said::Request { id, method, .. }) => self.answer_pairing(id, &method)?,
                _ => {}
            }
        }
    }

    fn answer_pairing(&self, id: u64, method: &str) -> Result<(), ConnectError> {
        let (kind, refusal) = match method {
            "wc_pairingPing" => (wire::PAIRING_PING_ANSWER, None),
            "wc_pairingDelete" => (wire::PAIRING_DELETE_ANSWER, None),
            _ => (wire::UNKNOWN_ANSWER, Some(wire::INVALID_METHOD)),
        };
        self.relay.post(sealed(&self.around, &self.key, &self.topic, &wire::answer(id, refusal), kind)?);
        if method == "wc_pairingDelete" { Err(ConnectError::Rejected) } else { Ok(()) }
    }

    /// Checks a settlement: who speaks, what is granted, until when.
    fn read_settlement(&self, params: &Value, responder: &str, key: &SymKey) -> Result<SavedSession, ConnectError> {
        let controller = params.get("controller").unwrap_or(&Value::Null);
        if controller.get("publicKey").and_then(Value::as_str) != Some(responder) {
            return Err(ConnectError::Protocol("somebody else settles"));
        }
        let granted = params.get("namespaces").and_then(Granted::read).ok_or(ConnectError::Protocol("it settles nothing"))?;
        granted.check()?;
        let now = self.around.seconds();
        let said = params.get("expiry").and_then(Value::as_u64).ok_or(ConnectError::Protocol("its session has no end"))?;
        if said <= now {
            return Err(ConnectError::Expired(Expired::Session));
        }
        let name = controller.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
        Ok(SavedSession {
            key: key.clone(),
            identity: self.identity.duplicate(),
            wallet: wallet_name(name.unwrap_or_default()),
            granted,
            expires: said.min(now.saturating_add(SESSION_SECONDS_MAX)),
            last_update: 0,
        })
    }

    /// Refuses a settlement with the protocol's code, which ends the session on the wallet's side too. No deletion follows: wallet kits have
    /// thrown the session away by then and stumble over it.
    async fn turn_away(&self, key: &SymKey, topic: &Topic, id: u64, error: &ConnectError) -> Result<(), ConnectError> {
        let reason = match error {
            ConnectError::WrongChain => wire::UNSUPPORTED_CHAINS,
            ConnectError::CannotSend => wire::UNSUPPORTED_METHODS,
            _ => wire::INVALID_SETTLE,
        };
        let refusal = sealed(&self.around, key, topic, &wire::answer(id, Some(reason)), wire::SETTLE_ANSWER)?;
        // That it cannot be told changes nothing: there is no session on this side.
        let _ = self.relay.publish(refusal).await;
        Ok(())
    }

    /// The next message, or `None` when the time is over.
    async fn next(&mut self, until: Instant) -> Result<Option<Delivery>, ConnectError> {
        match timeout_at(until, self.deliveries.recv()).await {
            Ok(Some(delivery)) => Ok(Some(delivery)),
            // The connection's task ended, which it does only when the relay refuses.
            Ok(None) => Err(self.relay.trouble()),
            Err(_) => Ok(None),
        }
    }

    fn deadline(&self, limit: Duration) -> Instant {
        let now = Instant::now();
        now.checked_add(limit).unwrap_or(now)
    }
}

/// What a delivery says, when it is of this key and says anything.
pub(super) fn opened(key: &SymKey, delivery: &Delivery) -> Option<Said> {
    wire::read_said(&key.open(&delivery.envelope).ok()?)
}

pub(super) fn sealed(around: &Surroundings, key: &SymKey, topic: &Topic, text: &str, kind: Kind) -> Result<Publication, ConnectError> {
    let envelope = around.draw(|entropy| key.seal(text, entropy))?;
    Ok(Publication { topic: topic.clone(), envelope, kind })
}
