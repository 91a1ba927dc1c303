//! Relays that fail, forget, refuse and flood.

use super::{
    Clock, becomes, config, first_account, opened, request,
    scripted::{ScriptedWallet, settled},
    topic_of,
};
use aispace_payments::walletconnect::{ConnectError, Pairing, Patience, Session};
use aispace_testkit::relay::{Fault, LocalRelay};
use serde_json::json;
use std::time::Duration;

fn hash() -> String {
    format!("0x{}", hex::encode([7; 32]))
}

async fn opening(relay: &LocalRelay, reach: Duration) -> Result<(), ConnectError> {
    let config = config(relay).with_patience(Patience { reach, acknowledge: Duration::from_millis(200), ..super::patience() });
    Pairing::open(config, Clock::default().surroundings()).await.map(|_| ())
}

/// Pays with a wallet that says yes, and answers how often the wallet was asked.
async fn paid(session: &Session, wallet: &ScriptedWallet<'_>) -> Result<String, ConnectError> {
    let request = request();
    let ask = session.send_transaction(&request, first_account(session));
    let (answer, ()) = tokio::join!(ask, async {
        let asked = wallet.asked(0).await;
        wallet.say(&json!({"id": asked["id"], "jsonrpc": "2.0", "result": hash()}));
    });
    answer.map(|answer| answer.hash.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_refuses_the_project_is_not_asked_again() {
    for fault in [Fault::RefuseLogin(401), Fault::RefuseLogin(403), Fault::CloseWith(3000)] {
        let relay = LocalRelay::start().await.expect("a relay");
        relay.misbehave(fault);
        let got = opening(&relay, Duration::from_secs(10)).await;
        assert!(matches!(got, Err(ConnectError::RelayRefused { .. })), "{fault:?}: {got:?}");
        assert!(relay.refused_logins() <= 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_not_there_is_unreachable_and_its_address_is_not_said() {
    let reach = Duration::from_millis(700);
    for fault in [Fault::RefuseLogin(503), Fault::RefuseLogin(429), Fault::CloseWith(1001), Fault::RefuseCall("irn_subscribe")] {
        let relay = LocalRelay::start().await.expect("a relay");
        relay.misbehave(fault);
        let got = opening(&relay, reach).await;
        assert!(matches!(got, Err(ConnectError::RelayUnreachable { .. })), "{fault:?}: {got:?}");
        let said = format!("{got:?}");
        assert!(!said.contains("auth=") && !said.contains("0123456789abcdef") && !said.contains("ws://"), "{said}");
        assert!(relay.refused_logins() != 1, "it is tried again");
    }
    let gone = LocalRelay::start().await.expect("a relay");
    let config = config(&gone).with_patience(Patience { reach, ..super::patience() });
    drop(gone);
    let got = Pairing::open(config, Clock::default().surroundings()).await.map(|_| ());
    assert!(matches!(got, Err(ConnectError::RelayUnreachable { .. })), "{got:?}");
}

/// One that takes a connection and says nothing, and one that does not speak TLS: neither keeps anybody waiting beyond the deadline.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_relay_is_unreachable() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let plain = LocalRelay::start().await.expect("a relay");
    let silent_url = format!("ws://127.0.0.1:{}", silent.local_addr().expect("a port").port());
    for url in [silent_url, plain.url().replace("ws://", "wss://")] {
        let limits = Patience { reach: Duration::from_millis(900), connect: Duration::from_millis(300), ..super::patience() };
        let config = super::config_of(&url).with_patience(limits);
        let got = Pairing::open(config, Clock::default().surroundings()).await.map(|_| ());
        assert!(matches!(&got, Err(ConnectError::RelayUnreachable { reason }) if !reason.is_empty()), "{url}: {got:?}");
    }
    assert_eq!(plain.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_has_gone_silent_is_given_up() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let saved = session.saved();
    drop(session);
    let limits = Patience { silence: Duration::from_millis(600), ..super::patience() };
    let session = Session::resume(&config(&relay).with_patience(limits), saved, clock.surroundings()).await.expect("taken up");
    let mut progress = session.progress();
    relay.misbehave(Fault::Freeze);
    progress.wait_for(|now| !now.online).await.expect("a session");
    relay.behave();
    progress.wait_for(|now| now.online).await.expect("a session");
    assert_eq!(paid(&session, &wallet).await, Ok(hash()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_takes_proposals_only_by_the_newer_call_gets_it() {
    let relay = LocalRelay::start().await.expect("a relay");
    relay.misbehave(Fault::RefuseCall("irn_publish"));
    let pairing = opened(&relay, &Clock::default()).await;
    assert!(relay.calls().contains(&"wc_proposeSession:1100".to_string()), "{:?}", relay.calls());
    assert_eq!(relay.mail(&topic_of(pairing.uri())).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_gets_through_whatever_the_connection_does_and_is_one_text() {
    for fault in [Fault::HangUp(2), Fault::SwallowAnswers(1), Fault::Flood, Fault::Repeat, Fault::Garble, Fault::Reflect] {
        let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
        let (session, wallet) = settled(&relay, &clock).await;
        relay.misbehave(fault);
        if fault == Fault::Flood {
            relay.hang_up();
        }
        assert_eq!(paid(&session, &wallet).await, Ok(hash()), "{fault:?}");
        let mail = relay.mail(&super::scripted::topic(&wallet.session_key));
        let mut texts: Vec<_> = mail.iter().filter(|mail| mail.tag == 1108).map(|mail| mail.envelope.clone()).collect();
        texts.dedup();
        assert_eq!(texts.len(), 1, "{fault:?}: every time the very same text");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_comes_back_and_listens_again() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let mut progress = session.progress();
    for round in 0..3 {
        let before = relay.connections();
        relay.lose_memory();
        progress.wait_for(|now| !now.online).await.expect("a session");
        becomes("connected again", || relay.connections() > before).await;
        progress.wait_for(|now| now.online).await.expect("a session");
        let id = 900 + round;
        wallet.say(&json!({"id": id, "jsonrpc": "2.0", "method": "wc_sessionPing", "params": {}}));
        becomes("the ping is answered", || wallet.heard().iter().any(|said| said["id"] == id)).await;
    }
    assert_eq!(paid(&session, &wallet).await, Ok(hash()));
    let acknowledged = relay.acknowledged();
    assert!(acknowledged >= 5, "only {acknowledged} deliveries were acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_the_relay_forgets_has_no_answer_and_can_be_asked_again() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let asked = session.prepare(&request(), first_account(&session)).expect("prepared");
    relay.misbehave(Fault::Forget(1));
    clock.advance(298);
    assert_eq!(session.ask(&asked).await, Err(ConnectError::Timeout), "its two seconds and the grace are over");
    assert!(!wallet.heard().iter().any(|said| said["method"] == "wc_sessionRequest"));
    clock.advance(-200);
    let (answer, ()) = tokio::join!(session.ask(&asked), async {
        let heard = wallet.asked(0).await;
        wallet.say(&json!({"id": heard["id"], "jsonrpc": "2.0", "result": hash()}));
    });
    assert_eq!(answer.map(|answer| answer.hash.to_string()), Ok(hash()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_was_given_up_is_not_sent_later() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    relay.misbehave(Fault::RefuseLogin(503));
    relay.hang_up();
    let mut progress = session.progress();
    progress.wait_for(|now| !now.online).await.expect("a session");
    let asked = session.prepare(&request(), first_account(&session)).expect("prepared");
    let given_up = tokio::time::timeout(Duration::from_millis(300), session.ask(&asked)).await;
    assert!(given_up.is_err(), "nobody answered");
    relay.behave();
    progress.wait_for(|now| now.online).await.expect("a session");
    wallet.say(&json!({"id": 900, "jsonrpc": "2.0", "method": "wc_sessionPing", "params": {}}));
    becomes("the ping is answered", || wallet.heard().iter().any(|said| said["id"] == 900)).await;
    assert!(!wallet.heard().iter().any(|said| said["method"] == "wc_sessionRequest"), "what was given up was taken back");
}
