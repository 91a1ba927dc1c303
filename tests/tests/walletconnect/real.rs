//! A real wallet kit, a local relay, a real chain.

use super::{Clock, DEADLINE, becomes, config, first_account, opened, reaches, request, topic_of};
use aispace_payments::{
    EthAddress,
    walletconnect::{AskedPayment, ConnectError, ConnectStage, Expired, Pairing, SavedSession, Session},
};
use aispace_testkit::{
    chain::{Chain, ChainOptions},
    phone::Phone,
    relay::{Fault, LocalRelay},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A chain, a relay and a wallet that scanned the code.
struct Bench {
    chain: Chain,
    relay: LocalRelay,
    wallet: Phone,
    clock: Clock,
}

impl Bench {
    async fn start() -> Self {
        let options = ChainOptions { block_seconds: None, ..ChainOptions::default() };
        let (chain, relay) = (Chain::start(options).await.expect("a chain"), LocalRelay::start().await.expect("a relay"));
        let wallet = Phone::start(&relay.url(), &chain.url()).await.expect("a phone");
        Self { chain, relay, wallet, clock: Clock::default() }
    }

    async fn pairing(&mut self) -> Pairing {
        let pairing = opened(&self.relay, &self.clock).await;
        self.wallet.order(json!({"do": "pair", "uri": pairing.uri()})).await;
        pairing
    }

    /// What comes of a pairing, in a test's time.
    async fn settles(&mut self, pairing: Pairing) -> Result<Session, ConnectError> {
        let settled = tokio::time::timeout(DEADLINE, pairing.settled()).await;
        settled.unwrap_or_else(|_| panic!("the wallet did nothing: {:#?}", self.wallet.all()))
    }

    async fn session(&mut self) -> Session {
        let pairing = self.pairing().await;
        let session = self.settles(pairing).await.expect("a session");
        self.wallet.event("approved").await;
        session
    }

    async fn transaction(&self, hash: &str) -> Value {
        self.chain.rpc("eth_getTransactionByHash", json!([hash])).await.expect("the node knows it")
    }

    async fn restarted(&self, text: &str) -> Result<Session, ConnectError> {
        let saved = SavedSession::from_exposed(text)?;
        Session::resume(&config(&self.relay), saved, self.clock.surroundings()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_paired_asked_and_mined_exactly_as_it_was_asked() {
    let mut bench = Bench::start().await;
    let pairing = bench.pairing().await;
    let mut progress = pairing.progress();
    assert_eq!(progress.borrow().stage, ConnectStage::Pairing);
    let uri = pairing.uri().to_string();
    assert!(uri.starts_with("wc:") && uri.contains("@2?relay-protocol=irn&symKey=") && uri.contains("&expiryTimestamp="), "{uri}");
    let session = pairing.settled().await.expect("a session");
    let proposal = bench.wallet.event("proposal").await;
    assert_eq!(proposal["optional"]["eip155"]["chains"], json!(["eip155:8453"]));
    assert_eq!(proposal["proposer"]["metadata"]["name"], "AiSpace Wallet");
    assert_eq!((session.wallet().as_str(), session.accounts().len()), ("TestWallet b", 2));
    let days = (session.expires() - bench.clock.now()).num_hours();
    assert!((167..=168).contains(&days), "seven days, not {days} hours");
    let from = first_account(&session);
    reaches(&mut progress, "connected", |stage| matches!(stage, ConnectStage::Connected { account, .. } if *account == from)).await;
    assert!(progress.borrow().online);

    let asked = session.prepare(&request(), from).expect("prepared");
    let answer = session.ask(&asked).await.expect("an answer");
    reaches(&mut progress, "answered", |stage| *stage == ConnectStage::Answered).await;
    assert_eq!((answer.from, answer.wallet.as_str()), (from, "TestWallet b"));
    let said = bench.wallet.event("request").await;
    assert_eq!((&said["chain"], &said["method"]), (&json!("eip155:8453"), &json!("eth_sendTransaction")));
    let on_chain = bench.transaction(&answer.hash.to_string()).await;
    let text = |name: &str| on_chain[name].as_str().unwrap_or_default().to_lowercase();
    assert_eq!(text("from"), from.to_string().to_lowercase());
    assert_eq!(text("to"), request().to().to_string().to_lowercase());
    assert_eq!(text("value"), format!("{:#x}", request().value().get()));
    assert_eq!(text("input"), format!("0x{}", hex::encode(request().input())));
    let receipt = bench.chain.rpc("eth_getTransactionReceipt", json!([answer.hash.to_string()])).await.expect("a receipt");
    assert_eq!(receipt["status"], "0x1");

    let calls = bench.relay.calls();
    for call in ["irn_publish:1100", "wc_approveSession:1101", "irn_publish:1103", "irn_publish:1108", "irn_publish:1109"] {
        assert!(
            calls.iter().any(|made| made == call || made == call.split(':').next().unwrap_or_default()),
            "{call} is missing in {calls:?}"
        );
    }
    assert_eq!(bench.relay.refused_logins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_own_error_and_a_new_question_can_follow() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let from = first_account(&session);
    let mut progress = session.progress();
    for (how, expected) in [
        ("reject", ConnectError::Rejected),
        ("reject_1193", ConnectError::Rejected),
        ("other_chain", ConnectError::WrongChain),
        ("no_hash", ConnectError::NotAHash),
        ("broke", ConnectError::WalletFailed { code: -32000, said: "insufficient funds for gas  price + value".into() }),
    ] {
        bench.wallet.answers(how).await;
        let got = session.send_transaction(&request(), from).await;
        assert_eq!(got, Err(expected.clone()), "{how}");
        let stage = |stage: &ConnectStage| match expected {
            ConnectError::Rejected => *stage == ConnectStage::Rejected,
            _ => matches!(stage, ConnectStage::Connected { .. }),
        };
        reaches(&mut progress, how, stage).await;
    }
    bench.wallet.answers("mine").await;
    assert!(session.send_transaction(&request(), from).await.is_ok());
    let stranger = EthAddress::from_bytes([9; 20]);
    assert_eq!(session.prepare(&request(), stranger), Err(ConnectError::UnknownAccount { account: stranger }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_does_not_serve_is_told_why_and_keeps_no_session() {
    let mut bench = Bench::start().await;
    for (how, expected) in [("mainnet", ConnectError::WrongChain), ("unable", ConnectError::CannotSend)] {
        bench.wallet.does(json!({"do": "approve", "how": how})).await;
        let pairing = bench.pairing().await;
        let mut progress = pairing.progress();
        let got = bench.settles(pairing).await.map(|_| ());
        assert_eq!(got, Err(expected), "{how}");
        reaches(&mut progress, how, |stage| *stage == ConnectStage::Closed).await;
        let mut left = u64::MAX;
        while left != 0 {
            bench.wallet.order(json!({"do": "sessions"})).await;
            left = bench.wallet.event("sessions").await["count"].as_u64().expect("a count");
        }
    }
    bench.wallet.does(json!({"do": "approve", "how": "reject"})).await;
    let pairing = bench.pairing().await;
    assert_eq!(bench.settles(pairing).await.map(|_| ()), Err(ConnectError::Rejected));
    bench.wallet.does(json!({"do": "approve", "how": "both"})).await;
    assert_eq!(bench.wallet.count("background"), 0, "the kit stumbled over nothing");
    assert_eq!(bench.session().await.accounts().len(), 2, "accounts on another chain are not taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_taken_up_after_a_restart_and_a_question_is_not_asked_twice() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let (from, kept) = (first_account(&session), session.saved().expose());
    bench.wallet.answers("slow").await;
    let asked = session.prepare(&request(), from).expect("prepared");
    let journal = serde_json::to_string(&asked).expect("a question is no secret");
    let asking = tokio::spawn(async move { session.ask(&asked).await });
    bench.wallet.event("request").await;
    asking.abort();
    let answered = bench.wallet.event("answered").await;

    let session = bench.restarted(&kept).await.expect("taken up");
    assert_eq!((session.wallet().as_str(), first_account(&session)), ("TestWallet b", from));
    let asked: AskedPayment = serde_json::from_str(&journal).expect("the journal is read");
    let answer = session.ask(&asked).await.expect("the answer that came in between");
    assert_eq!(answered["response"]["result"], answer.hash.to_string());
    assert_eq!(session.ask(&asked).await.as_ref(), Ok(&answer), "and again");
    assert_eq!(bench.wallet.count("request"), 1, "the wallet was asked once");

    // A new question goes through the session that was taken up.
    let second = session.send_transaction(&request(), from).await.expect("a second payment");
    assert_ne!(second.hash, answer.hash);
    assert_eq!(bench.wallet.count("request"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_sent_again_is_shown_once() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let from = first_account(&session);
    bench.wallet.answers("slow").await;
    // The relay hands the question on, never says so, and then breaks the connection: it is sent again over the next one.
    bench.relay.misbehave(Fault::SwallowAnswers(2));
    let asked = session.prepare(&request(), from).expect("prepared");
    let (first, again) = tokio::join!(session.ask(&asked), async {
        bench.wallet.event("request").await;
        bench.relay.lose_memory();
        session.ask(&asked).await
    });
    assert_eq!(first, again);
    let answer = first.expect("an answer");
    let sent = bench.relay.calls().iter().filter(|call| *call == "irn_publish:1108").count();
    assert!(sent >= 2, "it was sent {sent} times");
    assert_eq!(bench.wallet.count("request"), 1, "and shown once");
    let nonce = bench.chain.rpc("eth_getTransactionCount", json!([from.to_string(), "latest"])).await.expect("a nonce");
    let on_chain = bench.transaction(&answer.hash.to_string()).await;
    let next = u64::from_str_radix(on_chain["nonce"].as_str().expect("a nonce").trim_start_matches("0x"), 16).expect("hex") + 1;
    assert_eq!(nonce, format!("{next:#x}"), "one transaction was sent");
}

/// The worst case: the answer was heard, and the app died before it wrote it down.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_answer_was_lost_with_the_app_is_not_paid_twice() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let (from, kept) = (first_account(&session), session.saved().expose());
    let asked = session.prepare(&request(), from).expect("prepared");
    let first = session.ask(&asked).await.expect("an answer");
    drop(session);

    let session = bench.restarted(&kept).await.expect("taken up");
    let same = tokio::time::timeout(Duration::from_secs(2), session.ask(&asked)).await;
    assert!(same.is_err(), "its answer is not said again");
    assert_eq!(bench.wallet.count("request"), 1, "nor is it shown again");
    // The wallet is not stuck on it: another question is shown and paid.
    let second = session.send_transaction(&request(), from).await.expect("an answer");
    assert_ne!(first.hash, second.hash);
    assert_eq!(bench.wallet.count("request"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_relay_changes_nothing_but_the_time_it_takes() {
    let mut bench = Bench::start().await;
    for fault in [Fault::Repeat, Fault::Garble, Fault::Reflect, Fault::Delay(Duration::from_millis(60))] {
        bench.relay.misbehave(fault);
    }
    let session = bench.session().await;
    let answer = session.send_transaction(&request(), first_account(&session)).await.expect("an answer");
    assert_eq!(bench.transaction(&answer.hash.to_string()).await["value"], format!("{:#x}", request().value().get()));
    assert_eq!(bench.wallet.count("request"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn either_side_can_end_a_session() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let (from, kept) = (first_account(&session), session.saved().expose());
    let asked = session.prepare(&request(), from).expect("prepared");
    let mut progress = session.progress();
    bench.wallet.order(json!({"do": "disconnect"})).await;
    reaches(&mut progress, "closed", |stage| *stage == ConnectStage::Closed).await;
    assert_eq!(session.prepare(&request(), from), Err(ConnectError::PeerGone));
    assert_eq!(session.ask(&asked).await, Err(ConnectError::PeerGone));
    assert_eq!(session.end().await, Err(ConnectError::PeerGone));
    // After a restart the wallet's word waits at the relay no more, but a session that nobody keeps is silent, not wrong.
    drop(session);
    drop(kept);

    let session = bench.session().await;
    let mut progress = session.progress();
    assert_eq!(session.end().await, Ok(()));
    bench.wallet.event("deleted").await;
    reaches(&mut progress, "closed", |stage| *stage == ConnectStage::Closed).await;
    assert_eq!(session.send_transaction(&request(), first_account(&session)).await, Err(ConnectError::Ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_was_missed_is_met_after_a_restart() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let kept = session.saved().expose();
    drop(session);
    let before = bench.relay.online();
    bench.wallet.does(json!({"do": "disconnect"})).await;
    assert!(before <= 2);
    let session = bench.restarted(&kept).await.expect("taken up");
    let mut progress = session.progress();
    reaches(&mut progress, "closed", |stage| *stage == ConnectStage::Closed).await;
    assert_eq!(session.prepare(&request(), first_account(&session)), Err(ConnectError::PeerGone));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_wallet_changes_is_followed_and_saved() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let (progress, accounts, expires) = (session.progress(), session.accounts(), session.expires());
    let revision = || progress.borrow().saved_revision;
    let first = revision();
    bench.wallet.does(json!({"do": "event", "name": "accountsChanged", "data": [format!("eip155:8453:{}", accounts[1])]})).await;
    becomes("another account first", || session.accounts() == [accounts[1], accounts[0]]).await;
    assert_eq!(revision(), first + 1);
    bench.wallet.does(json!({"do": "event", "name": "chainChanged", "data": 1})).await;
    bench.wallet.does(json!({"do": "ping"})).await;
    assert_eq!(session.ping().await, Ok(()));
    bench.wallet.event("pinged").await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    bench.wallet.does(json!({"do": "extend"})).await;
    becomes("a later end", || session.expires() > expires).await;
    assert!(session.saved().expires() > expires);

    bench.wallet.does(json!({"do": "update", "how": "mainnet"})).await;
    becomes("Base taken back", || session.accounts().is_empty()).await;
    assert_eq!(session.prepare(&request(), accounts[0]), Err(ConnectError::WrongChain));
    bench.wallet.does(json!({"do": "update", "how": "base"})).await;
    becomes("Base given again", || session.accounts().len() == 2).await;
    assert!(session.send_transaction(&request(), first_account(&session)).await.is_ok());
    assert_eq!(session.saved().accounts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_its_time_is_refused_before_anything_is_sent() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    let (from, kept) = (first_account(&session), session.saved().expose());
    let asked = session.prepare(&request(), from).expect("prepared");
    let calls = bench.relay.calls().len();
    bench.clock.advance(301);
    assert_eq!(session.ask(&asked).await, Err(ConnectError::Expired(Expired::Request)));
    bench.clock.advance(8 * 86_400);
    assert_eq!(session.prepare(&request(), from), Err(ConnectError::Expired(Expired::Session)));
    assert_eq!(session.ask(&asked).await, Err(ConnectError::Expired(Expired::Session)));
    drop(session);
    assert_eq!(bench.restarted(&kept).await.map(|_| ()), Err(ConnectError::Expired(Expired::Session)));
    let later: Vec<String> = bench.relay.calls().split_off(calls);
    assert!(!later.iter().any(|call| call == "irn_publish:1108" || call == "irn_subscribe"), "{later:?}");
    assert_eq!(bench.wallet.count("request"), 0);
}

/// The wallet's word is a claim. Here it is false, and the chain says so: input and sender are not what was asked.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_hash_is_a_claim_that_the_chain_does_not_bear_out() {
    let mut bench = Bench::start().await;
    let session = bench.session().await;
    bench.wallet.answers("someone_elses").await;
    let answer = session.send_transaction(&request(), first_account(&session)).await.expect("a claim");
    let on_chain = bench.transaction(&answer.hash.to_string()).await;
    assert_eq!(on_chain["value"], format!("{:#x}", request().value().get()), "it looks right at first sight");
    assert_ne!(on_chain["input"], format!("0x{}", hex::encode(request().input())));
    assert_ne!(on_chain["from"].as_str().map(str::to_lowercase), Some(answer.from.to_string().to_lowercase()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_scans_runs_out() {
    let relay = LocalRelay::start().await.expect("a relay");
    let clock = Clock::default();
    let pairing = opened(&relay, &clock).await;
    assert_eq!(relay.mail(&topic_of(pairing.uri())).len(), 1, "one proposal waits");
    assert!((pairing.closes() - clock.now()).num_seconds() >= 298);
    clock.advance(300);
    assert_eq!(pairing.settled().await.map(|_| ()), Err(ConnectError::Expired(Expired::Pairing)));
}
