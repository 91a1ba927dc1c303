//! WalletConnect: the app's side against a real wallet kit on a real chain, and against relays and wallets that do not keep to the rules.

#[path = "walletconnect/attacks.rs"]
mod attacks;
#[path = "walletconnect/pins.rs"]
mod pins;
#[path = "walletconnect/real.rs"]
mod real;
#[path = "walletconnect/relays.rs"]
mod relays;
#[path = "walletconnect/scripted.rs"]
mod scripted;

use aispace_payments::{
    OsEntropy,
    tag::OrderTag,
    wallet::PaymentRequest,
    walletconnect::{AppMetadata, ConnectConfig, ConnectProgress, ConnectStage, Now, Pairing, Patience, Session, Surroundings},
};
use aispace_testkit::{process::until, relay::LocalRelay};
use aispace_units::Wei;
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::watch;

const DEADLINE: Duration = Duration::from_secs(30);

/// This computer's time, moved on at will.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }

    fn surroundings(&self) -> Surroundings {
        let clock = self.clone();
        let now: Now = Arc::new(move || clock.now());
        Surroundings::new(now, Box::new(OsEntropy))
    }
}

/// Short waits, so that a broken connection is met within a test's time.
fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(5),
        acknowledge: Duration::from_millis(1_500),
        reach: Duration::from_secs(12),
        silence: Duration::from_secs(25),
        back_off_first: Duration::from_millis(20),
        back_off_max: Duration::from_millis(200),
        answer: Duration::from_secs(300),
        settle: Duration::from_secs(10),
    }
}

fn config(relay: &LocalRelay) -> ConnectConfig {
    config_of(&relay.url())
}

fn config_of(url: &str) -> ConnectConfig {
    let app = AppMetadata { name: "AiSpace Wallet".into(), description: "Credit".into(), url: "https://example.invalid".into() };
    let project = "0123456789abcdef0123456789abcdef".parse().expect("a project id");
    ConnectConfig::new(url, project, app).expect("a relay on this machine").with_patience(patience())
}

async fn opened(relay: &LocalRelay, clock: &Clock) -> Pairing {
    Pairing::open(config(relay), clock.surroundings()).await.expect("the relay takes a proposal")
}

fn request() -> PaymentRequest {
    PaymentRequest::tagged(Wei::new(5_127_574_042_169_169), OrderTag::from_bytes([0xab; 32]))
}

/// Waits until a watcher sees a stage.
async fn reaches(progress: &mut watch::Receiver<ConnectProgress>, what: &str, stage: impl Fn(&ConnectStage) -> bool) {
    let wait = progress.wait_for(|now| stage(&now.stage));
    let seen = tokio::time::timeout(DEADLINE, wait).await;
    assert!(seen.is_ok_and(|seen| seen.is_ok()), "{what} was not reached");
}

async fn becomes(what: &str, is: impl Fn() -> bool) {
    until(what, DEADLINE, async || Ok(is().then_some(()))).await.expect(what);
}

/// The topic in a pairing URI.
fn topic_of(uri: &str) -> String {
    uri.strip_prefix("wc:").and_then(|rest| rest.split('@').next()).expect("a pairing URI").to_string()
}

fn first_account(session: &Session) -> aispace_payments::EthAddress {
    *session.accounts().first().expect("an account")
}
