//! Wallets and strangers that lie: none is believed, none makes this side fall.

use super::{
    Clock, becomes, first_account, reaches, request,
    scripted::{ACCOUNT, ScriptedWallet, open, outcome, scanned, seal, settled, topic},
};
use aispace_payments::walletconnect::{ConnectError, ConnectStage, Expired, Session};
use aispace_testkit::relay::LocalRelay;
use serde_json::{Value, json};
use std::time::Duration;

fn hash(byte: u8) -> String {
    format!("0x{}", hex::encode([byte; 32]))
}

fn answer(id: &Value, result: &Value) -> Value {
    json!({"id": id, "jsonrpc": "2.0", "result": result})
}

/// Asks, and lets the wallet do something once it was asked.
async fn asked_with(
    session: &Session,
    wallet: &ScriptedWallet<'_>,
    before: usize,
    then: impl FnOnce(Value),
) -> Result<String, ConnectError> {
    let request = request();
    let ask = session.send_transaction(&request, first_account(session));
    let (answer, ()) = tokio::join!(ask, async { then(wallet.asked(before).await["id"].clone()) });
    answer.map(|answer| answer.hash.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_is_believed_only_from_who_said_yes_and_for_base() {
    let settlement = |pointer: &'static str, value: Value| outcome(move |said| *said.pointer_mut(pointer).expect("there") = value);
    let got = settlement("/params/controller/publicKey", json!("11".repeat(32))).await.map(|_| ());
    assert!(matches!(got, Err(ConnectError::Protocol(_))), "{got:?}");
    let got = settlement("/params/namespaces/eip155/accounts", json!([format!("eip155:1:{ACCOUNT}")])).await.map(|_| ());
    assert_eq!(got, Err(ConnectError::WrongChain));
    let got = settlement("/params/namespaces/eip155/methods", json!(["eth_sign"])).await.map(|_| ());
    assert_eq!(got, Err(ConnectError::CannotSend));
    let got = settlement("/params/namespaces", json!("all")).await.map(|_| ());
    assert!(matches!(got, Err(ConnectError::Protocol(_))), "{got:?}");
    let got = settlement("/params/expiry", json!(1_600_000_000)).await.map(|_| ());
    assert_eq!(got, Err(ConnectError::Expired(Expired::Session)));
    let session = settlement("/params/expiry", json!(99_999_999_999_999u64)).await.expect("a session");
    let days = (session.expires() - Clock::default().now()).num_days();
    assert!((29..=30).contains(&days), "a session of {days} days");
    let long = settlement("/params/controller/metadata/name", json!("<script>\u{202e}".repeat(500))).await.expect("a session");
    assert!(long.wallet().chars().count() <= 40 && !long.wallet().contains('<'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_makes_no_secret_is_refused() {
    for key in ["00".repeat(32), format!("01{}", "00".repeat(31)), "ff".repeat(31), String::new(), "zz".repeat(32)] {
        let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
        let (pairing, wallet) = scanned(&relay, &clock).await;
        let mut yes = wallet.yes();
        yes["result"]["responderPublicKey"] = json!(key);
        wallet.say_on_pairing(&yes);
        let got = pairing.settled().await.map(|_| ());
        assert!(matches!(got, Err(ConnectError::Protocol(_))), "{key}: {got:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_with_another_number_or_under_another_key_is_passed_over() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (pairing, wallet) = scanned(&relay, &clock).await;
    let mut other = wallet.yes();
    other["id"] = json!(1);
    other["result"]["responderPublicKey"] = json!("00".repeat(32));
    wallet.say_on_pairing(&other);
    relay.leave(&topic(&wallet.pairing_key), &seal(&[9; 32], &other), 1101);
    wallet.say_on_pairing(&json!({"id": 5, "jsonrpc": "2.0", "method": "wc_pairingPing", "params": {}}));
    let settling = tokio::spawn(pairing.settled());
    becomes("the ping is answered", || relay.mail(&topic(&wallet.pairing_key)).iter().any(|mail| mail.tag == 1003)).await;
    wallet.say_on_pairing(&wallet.yes());
    wallet.say(&wallet.settlement(&clock, 7));
    assert!(settling.await.expect("no panic").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_answer_to_the_question_counts() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let got = asked_with(&session, &wallet, 0, |id| {
        let number = id.as_u64().expect("a number");
        wallet.say(&answer(&json!(number + 1), &json!(hash(1))));
        wallet.say_on_pairing(&answer(&id, &json!(hash(2))));
        relay.leave(&topic(&wallet.session_key), &seal(&[9; 32], &answer(&id, &json!(hash(3)))), 1109);
        relay.leave(&topic(&wallet.session_key), &seal(&wallet.pairing_key, &answer(&id, &json!(hash(4)))), 1109);
        relay.leave(&topic(&wallet.session_key), "bm90IGFuIGVudmVsb3Bl", 1109);
        relay.say_to_all(&json!({"id": id, "jsonrpc": "2.0", "result": hash(5)}).to_string());
        wallet.say(&json!({"id": id, "jsonrpc": "2.0", "result": hash(6), "error": {"code": 5000, "message": ""}}));
        wallet.say(&answer(&id, &json!(hash(7))));
        wallet.say(&answer(&id, &json!(hash(8))));
    })
    .await;
    assert_eq!(got, Ok(hash(7)), "the first whole answer, and it alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_answer_that_is_played_again_answers_nothing() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let mut recorded = String::new();
    let first = asked_with(&session, &wallet, 0, |id| {
        recorded = seal(&wallet.session_key, &answer(&id, &json!(hash(1))));
        relay.leave(&topic(&wallet.session_key), &recorded, 1109);
    })
    .await;
    assert_eq!(first, Ok(hash(1)));
    let second = asked_with(&session, &wallet, 1, |id| {
        relay.leave(&topic(&wallet.session_key), &recorded, 1109);
        wallet.say(&answer(&id, &json!(hash(2))));
    })
    .await;
    assert_eq!(second, Ok(hash(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_hash_is_not_taken_for_one() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let nonsense = [json!(true), json!({"hash": hash(1)}), json!("0x12"), json!(hash(1)[2..]), json!(format!("{} ", hash(1)))];
    for (before, result) in nonsense.into_iter().enumerate() {
        let got = asked_with(&session, &wallet, before, |id| wallet.say(&answer(&id, &result))).await;
        assert_eq!(got, Err(ConnectError::NotAHash), "{result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_wallet_are_answered_and_change_only_what_they_may() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let (accounts, expires) = (session.accounts(), session.expires());
    let ask = |id: u64, method: &str, params: Value| wallet.say(&json!({"id": id, "jsonrpc": "2.0", "method": method, "params": params}));
    let later = clock.now().timestamp() + 365 * 86_400;
    ask(101, "wc_sessionPing", json!({}));
    ask(102, "wc_sessionExtend", json!({"expiry": later}));
    ask(103, "wc_sessionExtend", json!({"expiry": 5}));
    ask(104, "wc_sessionExtend", json!({"expiry": "soon"}));
    ask(105, "wc_sessionUpdate", json!({"namespaces": 5}));
    ask(
        106,
        "wc_sessionEvent",
        json!({"event": {"name": "accountsChanged", "data": ["0x00000000000000000000000000000000000000AA"]}, "chainId": "eip155:8453"}),
    );
    ask(107, "wc_sessionRequest", json!({"request": {"method": "eth_sendTransaction", "params": []}, "chainId": "eip155:8453"}));
    ask(108, "wc_sessionPropose", json!({}));
    let answered = |id: u64| wallet.heard().into_iter().find(|said| said["id"] == id && said["method"].is_null());
    becomes("all are answered", || (101..=108).all(|id| answered(id).is_some())).await;
    let code = |id: u64| answered(id).expect("answered")["error"]["code"].as_i64();
    assert_eq!([101, 106].map(code), [None, None]);
    assert_eq!([102, 103, 104, 105, 107, 108].map(code), [Some(1004), Some(1004), Some(1004), Some(1003), Some(1001), Some(1001)]);
    assert_eq!((session.accounts(), session.expires()), (accounts, expires));

    // An update with an older number than one that was taken is an old one that somebody plays again.
    let empty = json!({"namespaces": {}});
    let space = wallet.settlement(&clock, 7)["params"]["namespaces"].clone();
    ask(120, "wc_sessionUpdate", json!({"namespaces": space}));
    ask(119, "wc_sessionUpdate", empty);
    becomes("both are answered", || answered(119).is_some() && answered(120).is_some()).await;
    assert_eq!((code(120), code(119), session.accounts().len()), (None, Some(1003), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_for_one_session() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (one, _wallet) = settled(&relay, &clock).await;
    let (other, _other_wallet) = settled(&relay, &clock).await;
    let asked = one.prepare(&request(), first_account(&one)).expect("prepared");
    assert_eq!(other.ask(&asked).await, Err(ConnectError::NotASaved));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_a_question_is_open_answers_it() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let mut progress = session.progress();
    let got = asked_with(&session, &wallet, 0, |_| {
        wallet.say(&json!({"id": 9, "jsonrpc": "2.0", "method": "wc_sessionDelete", "params": {"code": 6000, "message": "bye"}}));
    })
    .await;
    assert_eq!(got, Err(ConnectError::PeerGone));
    reaches(&mut progress, "closed", |stage| *stage == ConnectStage::Closed).await;
    assert_eq!(session.ping().await, Err(ConnectError::PeerGone));
}

/// The relay sees sealed text and nothing else: no key, no address, no amount, no name.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_relay_holds_tells_nothing() {
    let (relay, clock) = (LocalRelay::start().await.expect("a relay"), Clock::default());
    let (session, wallet) = settled(&relay, &clock).await;
    let got = asked_with(&session, &wallet, 0, |id| wallet.say(&answer(&id, &json!(hash(7))))).await;
    assert_eq!(got, Ok(hash(7)));
    let saved = session.saved().expose();
    let kept: Value = serde_json::from_str(&saved).expect("JSON");
    let secrets = [kept["key"].as_str().expect("a key"), kept["identity"].as_str().expect("a seed"), "AiSpace", "eth_sendTransaction"];
    for topic in relay.topics() {
        for mail in relay.mail(&topic) {
            assert!(open(&[0; 32], &mail.envelope).is_none());
            for secret in secrets.iter().chain([&request().to().to_string().as_str(), &ACCOUNT]) {
                assert!(!mail.envelope.contains(secret) && !topic.contains(secret));
            }
        }
    }
    assert_eq!(kept["key"], hex::encode(wallet.session_key), "the key that both agreed on is not the pairing's");
    assert_ne!(wallet.session_key, wallet.pairing_key);
    tokio::time::timeout(Duration::from_secs(10), session.end()).await.expect("in time").expect("told");
}
