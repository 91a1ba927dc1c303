//! The app killed at each state of each other way to pay, and in the middle of replacing a payment.

use crate::{
    killed::{Computer, KEY_LOST_ON_ITS_WAY, LIMIT},
    outside::{PAYER, Page},
};
use aispace_testkit::{
    fault::Fault,
    process::{OwnedProcess, until},
};
use serde_json::{Value, json};
use std::time::Duration;

impl Computer {
    /// Asks a wallet in the browser; answers the app, the page and what the wallet would sign.
    async fn asked_in_browser(&self) -> (OwnedProcess, Page, Value, Value) {
        let mut app = self.open("first", &["--pay", "25", "--way", "browser"]);
        let url = app.wait_for_output("open ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
        let page = Page::open(&url).await;
        let (ask, transaction) = page.ask().await;
        (app, page, ask, transaction)
    }

    /// Starts the app again: it waits for what was asked, and asks nobody.
    pub async fn waits_quietly(&self, run: &str) {
        let mut app = self.open(run, &[]);
        app.wait_for_output("payment Asked", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let said = app.output();
        let asks = |line: &str| line.starts_with("ask connect ") && !line.starts_with("ask connect Closed");
        assert!(!said.contains("open http") && !said.contains("payment Seen") && !said.lines().any(asks), "{said}");
        assert!(self.open_claims().is_some(), "the claim secret is kept");
        assert_eq!(self.world.payments().await, []);
        app.kill();
    }

    /// Somebody pays the amount that is shown by hand; answers the app and the hash.
    async fn paid_by_hand(&self) -> (OwnedProcess, String) {
        let mut app = self.open("first", &["--pay", "25", "--way", "link"]);
        let uri = app.wait_for_output("ask link ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
        let hash = self.world.pay_plainly(PAYER, amount_of(&uri)).await;
        (app, hash)
    }
}

fn amount_of(uri: &str) -> u128 {
    uri.rsplit_once("value=").expect("an amount").1.parse().expect("wei")
}

#[tokio::test]
async fn killed_while_a_browser_wallet_was_asked_takes_its_payment_once() {
    let computer = Computer::start().await;
    let (mut app, _, _, transaction) = computer.asked_in_browser().await;
    app.kill();
    computer.waits_quietly("between").await;
    let hash = computer.world.send(&transaction).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_before_a_browser_wallet_was_there_waits_and_pays_nothing() {
    let computer = Computer::start().await;
    let mut app = computer.open("first", &["--pay", "25", "--way", "browser"]);
    app.wait_for_output("open ", LIMIT).await.expect("a page");
    app.kill();
    computer.waits_quietly("second").await;
    computer.waits_quietly("third").await;
}

#[tokio::test]
async fn killed_after_a_browser_wallet_answered_ends_with_its_payment() {
    let computer = Computer::start().await;
    let (mut app, page, ask, transaction) = computer.asked_in_browser().await;
    computer.world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    let hash = computer.world.send(&transaction).await;
    page.answer(&ask, &hash).await;
    app.wait_for_output("payment Seen ", LIMIT).await.expect("it is seen");
    app.kill();
    computer.world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_a_browser_wallets_payment_confirmed_loses_no_key() {
    let computer = Computer::start().await;
    let (mut app, page, ask, transaction) = computer.asked_in_browser().await;
    computer.world.service.set(Fault::Refuse).await;
    let hash = computer.world.send(&transaction).await;
    page.answer(&ask, &hash).await;
    app.wait_for_output("payment Confirmed ", LIMIT).await.expect("it is mined");
    app.kill();
    computer.world.service.set(Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_a_browser_wallets_payment_credited_gets_its_key() {
    let computer = Computer::start().await;
    computer.world.service.set(KEY_LOST_ON_ITS_WAY).await;
    let (mut app, page, ask, transaction) = computer.asked_in_browser().await;
    let hash = computer.world.send(&transaction).await;
    page.answer(&ask, &hash).await;
    computer.kill_credited(&mut app).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_while_asked_and_its_store_destroyed_takes_the_payment_once() {
    let computer = Computer::start().await;
    let (mut app, _, _, transaction) = computer.asked_in_browser().await;
    app.kill();
    crate::world::damage_store(&computer.world.sandbox.data_folder("app"));
    let hash = computer.world.send(&transaction).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_while_a_link_waited_takes_the_exact_amount_once() {
    let computer = Computer::start().await;
    let mut app = computer.open("first", &["--pay", "25", "--way", "link"]);
    let uri = app.wait_for_output("ask link ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    app.kill();
    computer.waits_quietly("between").await;
    let hash = computer.world.pay_plainly(PAYER, amount_of(&uri)).await;
    computer.world.until_mined(&hash).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_a_payment_by_hand_seen_takes_it_once() {
    let computer = Computer::start().await;
    // What is paid by hand is found in a block: it stays seen while no node gives a receipt.
    computer.world.set_nodes(&Fault::HangOn("eth_getTransactionReceipt")).await;
    let (mut app, hash) = computer.paid_by_hand().await;
    let seen = app.wait_for_output("payment Seen ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    app.kill();
    assert_eq!(seen, hash);
    computer.world.set_nodes(&Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_a_payment_by_hand_confirmed_loses_no_key() {
    let computer = Computer::start().await;
    computer.world.set_nodes(&Fault::HangOn("eth_getTransactionReceipt")).await;
    let (mut app, hash) = computer.paid_by_hand().await;
    app.wait_for_output("payment Seen ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    computer.world.service.set(Fault::Refuse).await;
    computer.world.set_nodes(&Fault::None).await;
    app.wait_for_output("payment Confirmed ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    app.kill();
    assert_eq!(computer.secure_key(), None);
    computer.world.service.set(Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_a_payment_by_hand_credited_gets_its_key() {
    let computer = Computer::start().await;
    computer.world.service.set(KEY_LOST_ON_ITS_WAY).await;
    let (mut app, hash) = computer.paid_by_hand().await;
    computer.kill_credited(&mut app).await;
    computer.comes_to_its_end(&hash).await;
}

/// Signs a replacement that no node takes, and kills the app; answers the hashes of both transactions.
async fn killed_while_replacing(computer: &Computer, how: &str) -> (String, String) {
    let mut app = computer.open("before", &[]);
    app.wait_for_output("funded", LIMIT).await.expect("ether");
    app.kill();
    computer.world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    let mut app = computer.open("first", &["--pay", "25", "--replace", how]);
    let sent = app.wait_for_output("payment Seen ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    computer.world.set_nodes(&Fault::HangOn("eth_sendRawTransaction")).await;
    let attempts = async || {
        let claims = computer.open_claims();
        let attempts = claims.and_then(|c| c["claims"][0]["payment"]["attempts"].as_array().cloned()).unwrap_or_default();
        Ok((attempts.len() == 2).then_some(attempts))
    };
    let attempts = until("the replacement in the keychain", LIMIT, attempts).await.expect("it is kept before it is sent");
    app.kill();
    (sent, attempts[1]["hash"].as_str().expect("a hash").to_string())
}

#[tokio::test]
async fn killed_while_speeding_up_pays_once() {
    let computer = Computer::start().await;
    let (first, dearer) = killed_while_replacing(&computer, "speed_up").await;
    computer.world.set_nodes(&Fault::None).await;
    let mut app = computer.open("second", &[]);
    app.wait_for_output("payment Se", LIMIT).await.expect("it goes on");
    computer.world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    let done = app.wait_for_output("payment Done ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    assert!(done == first || done == dearer, "{done}");
    let paid: Vec<String> = computer.world.payments().await.into_iter().map(|p| p.hash).collect();
    assert_eq!(paid, [done]);
    assert_eq!(computer.open_claims(), None);
}

#[tokio::test]
async fn killed_while_cancelling_pays_at_most_once_and_says_which() {
    let computer = Computer::start().await;
    let (first, cancel) = killed_while_replacing(&computer, "cancel").await;
    // The cancellation reaches the chain by another way, unless it was there before the nodes fell silent.
    let claims = computer.open_claims().expect("open claims");
    let raw = claims["claims"][0]["payment"]["attempts"][1]["raw"].as_str().expect("bytes").to_string();
    let chain = &computer.world.sandbox.chain;
    let _ = chain.rpc("eth_sendRawTransaction", json!([format!("0x{raw}")])).await;
    let taken = !chain.rpc("eth_getTransactionByHash", json!([cancel])).await.expect("the chain answers").is_null();
    computer.world.set_nodes(&Fault::None).await;
    chain.set_block_seconds(1).await.expect("mining goes on");
    let mut app = computer.open("second", &[]);
    let ended = if taken { "payment Cancelled " } else { "payment Done " };
    let hash = app.wait_for_output(ended, LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    assert_eq!(hash, if taken { cancel } else { first });
    assert_eq!(computer.world.payments().await.len(), usize::from(!taken));
    assert!(!taken || computer.open_claims().is_some(), "were the chain to change its mind, the secret is there");
}
