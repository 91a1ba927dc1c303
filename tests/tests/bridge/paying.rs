//! Paid from a wallet in the browser, in every way that can go.

use super::world::{World, wallet};
use aispace_payments::bridge::BridgeState;
use serde_json::json;

#[tokio::test]
async fn a_wallet_pays_under_the_orders_tag() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    let words = world.open(&asked, "page", "choose").await;
    assert!(words.contains("Test Wallet") && words.contains("test.wallet"), "{words}");
    assert_eq!(world.text(".match__code").await.split_whitespace().collect::<String>(), asked.code.to_string());
    let payment = world.text("#payment .lines").await;
    assert!(payment.contains("100,000 credits") && payment.contains("$10.00"), "{payment}");
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(bare(&world.text("[data-slot=ether]").await), "0.005127574042169169");
    assert_eq!(bare(&world.text("[data-slot=to]").await), "0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689");
    let address = world.browser.step("url", json!({"tab": "page"})).await;
    assert_eq!(format!("{}#", address.as_str().expect("an address")), asked.handle.url().split_inclusive('#').next().expect("a token"));
    assert_eq!(asked.stage(), BridgeState::PageOpen);
    world.picture("choose").await;

    world.choose(1).await;
    let words = world.shows("page", "ready").await;
    assert_eq!(bare(&world.text("[data-slot=account]").await).to_lowercase(), world.account(2).await, "{words}");
    world.picture("ready").await;
    world.press("pay").await;
    let words = world.shows("page", "done").await;
    assert!(words.contains("Go back to AiSpace Wallet"), "{words}");
    world.picture("done").await;
    let answer = world.was_paid(&asked).await;
    assert_eq!((answer.wallet.as_str(), answer.from.to_string().to_lowercase()), ("Test Wallet", world.account(2).await));
    assert!(bare(&words).contains(&answer.hash.to_string()), "{words}");
    world.page_kept_its_rules(&asked).await;
}

#[tokio::test]
async fn who_refuses_can_be_asked_again() {
    let refusal = json!({"code": 4001, "message": "User rejected the request."});
    let world = World::start(vec![wallet(json!({"faults": {"eth_sendTransaction": [refusal]}}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.press("pay").await;
    let words = world.shows("page", "rejected").await;
    assert!(words.contains("Nothing was paid"), "{words}");
    assert!(matches!(asked.stage(), BridgeState::Rejected { .. }), "{:?}", asked.stage());
    assert_eq!(world.received().await, 0);
    world.picture("rejected").await;
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
    world.page_kept_its_rules(&asked).await;
}

#[tokio::test]
async fn who_refuses_can_choose_another_wallet() {
    let refusal = json!({"code": 4001, "message": "User rejected the request."});
    let first = wallet(json!({"name": "First", "faults": {"eth_sendTransaction": [refusal]}}));
    let second = wallet(json!({"name": "Second", "rdns": "second.wallet", "account": 5}));
    let world = World::start(vec![first, second]).await;
    let asked = world.ask();
    let words = world.open(&asked, "page", "choose").await;
    assert!(words.contains("First") && words.contains("Second"), "{words}");
    world.choose(1).await;
    world.shows("page", "ready").await;
    world.press("pay").await;
    world.shows("page", "rejected").await;
    world.press("back").await;
    world.shows("page", "choose").await;
    world.choose(2).await;
    world.shows("page", "ready").await;
    world.press("pay").await;
    world.shows("page", "done").await;
    let answer = world.was_paid(&asked).await;
    assert_eq!((answer.wallet.as_str(), answer.from.to_string().to_lowercase()), ("Second", world.account(5).await));
}

#[tokio::test]
async fn a_wallet_on_another_chain_is_brought_to_base() {
    let world = World::start(vec![wallet(json!({"chain": "0x1"}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    let calls = world.calls().await;
    assert!(calls.contains(&"wallet_switchEthereumChain".into()) && !calls.contains(&"wallet_addEthereumChain".into()), "{calls:?}");
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
}

#[tokio::test]
async fn a_wallet_that_does_not_know_base_is_told_of_it() {
    let world = World::start(vec![wallet(json!({"chain": "0x1", "knows": ["0x1"]}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    let calls = world.browser.step("calls", json!({})).await;
    let added = calls.as_array().expect("a list").iter().find(|call| call["method"] == "wallet_addEthereumChain").expect("added");
    assert_eq!(
        added["params"],
        json!([{
            "chainId": "0x2105", "chainName": "Base", "rpcUrls": ["https://mainnet.base.org"],
            "nativeCurrency": {"name": "Ether", "symbol": "ETH", "decimals": 18}, "blockExplorerUrls": ["https://basescan.org"],
        }])
    );
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
    world.page_kept_its_rules(&asked).await;
}

#[tokio::test]
async fn a_wallet_that_stays_elsewhere_is_not_asked_to_pay() {
    let no = json!({"code": 4001, "message": "User rejected the request."});
    let world = World::start(vec![wallet(json!({"chain": "0x1", "faults": {"wallet_switchEthereumChain": [no]}}))]).await;
    let asked = world.ask();
    world.open(&asked, "page", "choose").await;
    world.choose(1).await;
    let words = world.shows("page", "chain").await;
    assert!(words.contains("Nothing was paid"), "{words}");
    asked.reaches("the wrong chain", |stage| matches!(stage, BridgeState::WrongChain { .. })).await;
    assert_eq!(world.asked_to_send().await, 0);
    world.picture("chain").await;
    world.press("switch").await;
    world.shows("page", "ready").await;
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
}

#[tokio::test]
async fn a_chain_that_changes_before_paying_is_noticed() {
    // Without an event: only the look right before the payment sees it.
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.browser.step("wallet", json!({"index": 0, "set": {"chain": "0x1"}})).await;
    world.press("pay").await;
    world.shows("page", "chain").await;
    assert_eq!((world.asked_to_send().await, world.received().await), (0, 0));

    // With an event, both ways.
    world.browser.step("wallet", json!({"index": 0, "set": {"chain": "0x2105"}})).await;
    world.browser.step("emit", json!({"index": 0, "event": "chainChanged", "value": "0x2105"})).await;
    world.shows("page", "ready").await;
    world.browser.step("wallet", json!({"index": 0, "set": {"chain": "0xa"}})).await;
    world.browser.step("emit", json!({"index": 0, "event": "chainChanged", "value": "0xa"})).await;
    world.shows("page", "chain").await;
    asked.reaches("the wrong chain", |stage| matches!(stage, BridgeState::WrongChain { .. })).await;
    world.press("switch").await;
    world.shows("page", "ready").await;

    // Between the app's leave to ask and the ask itself: the ask is given back.
    world.browser.step("wallet", json!({"index": 0, "set": {"says": {"eth_chainId": {"queue": ["0x2105", "0x1"]}}}})).await;
    world.press("pay").await;
    world.shows("page", "chain").await;
    asked.reaches("the wrong chain", |stage| matches!(stage, BridgeState::WrongChain { .. })).await;
    assert_eq!((world.asked_to_send().await, world.received().await), (0, 0));
    world.browser.step("wallet", json!({"index": 0, "set": {"says": {}, "chain": "0x2105"}})).await;
    world.press("switch").await;
    world.shows("page", "ready").await;
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
}

#[tokio::test]
async fn a_wallet_of_the_old_kind_pays_too() {
    let world = World::start(vec![wallet(json!({"kind": "legacy"}))]).await;
    let asked = world.ask();
    let words = world.open(&asked, "page", "choose").await;
    assert!(!words.contains("Test Wallet"), "{words}");
    world.ready_after_choosing().await;
    world.press("pay").await;
    world.shows("page", "done").await;
    assert_eq!(world.was_paid(&asked).await.wallet, "Wallet of this browser");
}

#[tokio::test]
async fn the_account_that_is_chosen_last_pays() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    let other = world.account(6).await;
    world.browser.step("emit", json!({"index": 0, "event": "accountsChanged", "value": [other.clone()]})).await;
    let is_other =
        |stage: &BridgeState| matches!(stage, BridgeState::WalletChosen { account, .. } if account.to_string().to_lowercase() == other);
    asked.reaches("the other account", is_other).await;
    world.press("pay").await;
    world.shows("page", "done").await;
    assert_eq!(world.was_paid(&asked).await.from.to_string().to_lowercase(), other);
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    world.open(&asked, "page", "choose").await;
    for (key, view) in [("Tab", "choose"), ("Enter", "ready"), ("Tab", "ready"), ("Enter", "done")] {
        world.browser.step("press", json!({"tab": "page", "key": key})).await;
        world.shows("page", view).await;
    }
    world.was_paid(&asked).await;
}
