//! What the page says when it does not go straight, and that it never asks twice.

use super::world::{World, wallet};
use aispace_payments::bridge::{BridgeState, CloseReason, PageLanguage};
use aispace_testkit::process::until;
use serde_json::json;
use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

#[tokio::test]
async fn a_browser_without_a_wallet_is_told_so_and_may_look_again() {
    let world = World::start(vec![wallet(json!({"kind": "late"}))]).await;
    let asked = world.ask();
    let words = world.open(&asked, "page", "none").await;
    assert!(words.contains("Nothing was paid"), "{words}");
    world.picture("none").await;
    world.press("look").await;
    world.shows("page", "none").await;
    world.evaluate("page", "window.__announce(0)").await;
    world.shows("page", "choose").await;
    world.ready_after_choosing().await;
    world.page_kept_its_rules(&asked).await;
}

#[tokio::test]
async fn who_speaks_chinese_is_spoken_to_in_chinese() {
    let refusal = json!({"code": 4001, "message": "User rejected the request."});
    let world = World::start(vec![wallet(json!({"faults": {"eth_requestAccounts": [refusal]}}))]).await;
    let asked = world.ask_in(PageLanguage::ChineseSimplified, Duration::from_secs(120));
    let mut said = vec![world.open(&asked, "page", "choose").await, world.text("body").await];
    world.choose(1).await;
    until_said(&world, "Test Wallet 未连接。尚未付款。").await;
    world.choose(1).await;
    said.push(world.shows("page", "ready").await);
    world.picture("chinese").await;
    world.press("pay").await;
    said.push(world.shows("page", "done").await);
    world.was_paid(&asked).await;
    assert_eq!(world.evaluate("page", "document.documentElement.lang").await, json!("zh-Hans"));
    // What is the same in every language: names, units, codes and hexadecimal digits.
    let code: String = asked.code.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let same = ["AiSpace", "Wallet", "Test", "Base", "test.wallet", code.as_str()];
    let is_latin = |word: &&str| word.len() > 3 && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.');
    for words in said {
        let foreign: Vec<&str> = words
            .split_whitespace()
            .filter(is_latin)
            .filter(|word| !same.contains(word) && u64::from_str_radix(word, 16).is_err())
            .collect();
        assert!(foreign.is_empty(), "{foreign:?} in {words}");
    }
}

async fn until_said(world: &World, wanted: &str) {
    let said = async || Ok(world.text("[data-slot=refused]").await.contains(wanted).then_some(()));
    until("the page to say it", Duration::from_secs(10), said).await.expect("the page says it");
}

#[tokio::test]
async fn a_wallet_that_thinks_is_waited_for() {
    let world = World::start(vec![wallet(json!({"chain": "0x1", "holds": "eth_requestAccounts"}))]).await;
    let asked = world.ask();
    world.open(&asked, "page", "choose").await;
    world.choose(1).await;
    world.shows("page", "connecting").await;
    world.picture("connecting").await;
    world.hold("wallet_switchEthereumChain").await;
    world.shows("page", "switching").await;
    world.picture("switching").await;
    world.hold("eth_sendTransaction").await;
    world.shows("page", "ready").await;
    world.press("pay").await;
    world.shows("page", "asked").await;
    assert!(matches!(asked.stage(), BridgeState::Asked { .. }), "{:?}", asked.stage());
    world.picture("asked").await;
    world.hold("").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
}

#[tokio::test]
async fn clicking_twice_pays_once() {
    let world = World::start(vec![wallet(json!({"holds": "eth_sendTransaction"}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    let many = "(() => { const b = document.querySelector('section:not([hidden]) [data-do=pay]'); \
                for (let i = 0; i < 5; i++) { b.click(); b.dispatchEvent(new MouseEvent('click', { bubbles: true })); } })()";
    world.evaluate("page", many).await;
    world.shows("page", "asked").await;
    world.evaluate("page", many.replace("section:not([hidden]) ", "").as_str()).await;
    world.hold("").await;
    world.shows("page", "done").await;
    world.evaluate("page", many.replace("section:not([hidden]) ", "").as_str()).await;
    world.shows("page", "done").await;
    assert_eq!(world.asked_to_send().await, 1);
    world.was_paid(&asked).await;
}

#[tokio::test]
async fn a_page_that_is_loaded_again_goes_on_and_asks_nobody_twice() {
    let world = World::start(vec![wallet(json!({"holds": "eth_sendTransaction"}))]).await;
    let asked = world.ask();
    let reload = async || world.browser.step("reload", json!({"tab": "page"})).await;
    world.ready(&asked).await;
    reload().await;
    world.shows("page", "choose").await;
    world.ready_after_choosing().await;
    world.press("pay").await;
    world.shows("page", "asked").await;
    reload().await;
    let words = world.shows("page", "asked-before").await;
    assert!(words.contains("Test Wallet") && words.contains("cannot pay twice"), "{words}");
    world.picture("asked-before").await;
    assert!(matches!(asked.stage(), BridgeState::Asked { .. }), "{:?}", asked.stage());
    assert_eq!(world.asked_to_send().await, 1);
}

#[tokio::test]
async fn a_finished_page_stays_finished() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.press("pay").await;
    world.shows("page", "done").await;
    world.browser.step("reload", json!({"tab": "page"})).await;
    let words = world.shows("page", "done").await;
    let answer = world.was_paid(&asked).await;
    assert!(words.split_whitespace().collect::<String>().contains(&answer.hash.to_string()), "{words}");
    asked.handle.close();
    world.browser.step("shows", json!({"tab": "page", "view": "done"})).await;
}

#[tokio::test]
async fn a_wallet_that_does_not_say_is_not_asked_again_by_itself() {
    let fault = json!({"code": -32603, "message": "Internal <b>JSON-RPC</b> error."});
    let world = World::start(vec![wallet(json!({"faults": {"eth_sendTransaction": [fault]}}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.press("pay").await;
    let words = world.shows("page", "unclear").await;
    assert!(words.contains("Internal bJSON-RPCb error."), "{words}");
    assert!(matches!(asked.stage(), BridgeState::Asked { .. }), "it may have paid: {:?}", asked.stage());
    world.picture("unclear").await;
    world.press("nothing-sent").await;
    world.shows("page", "ready").await;
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;

    let world = World::start(vec![wallet(json!({"says": {"eth_sendTransaction": "sent"}}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.press("pay").await;
    world.shows("page", "unclear").await;
    assert!(matches!(asked.stage(), BridgeState::Asked { .. }), "{:?}", asked.stage());
}

#[tokio::test]
async fn a_wallet_that_does_not_connect_is_not_the_end() {
    let no = json!({"code": 4001, "message": "User rejected the request."});
    let busy = json!({"code": -32002, "message": "Request already pending"});
    let faults = json!({"eth_requestAccounts": [no, busy]});
    let world = World::start(vec![wallet(json!({"faults": faults, "says": {"eth_accounts": []}}))]).await;
    let asked = world.ask();
    world.open(&asked, "page", "choose").await;
    for said in ["was not connected", "has a question open"] {
        world.choose(1).await;
        world.browser.step("shows", json!({"tab": "page", "view": "choose"})).await;
        let words = world.words_with("[data-slot=refused]", said).await;
        assert!(words.contains("Nothing was paid"), "{words}");
    }
    world.picture("refused").await;
    world.ready_after_choosing().await;
    assert!(matches!(asked.stage(), BridgeState::WalletChosen { .. }), "{:?}", asked.stage());
}

#[tokio::test]
async fn a_page_that_ends_says_what_that_means() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let closed = world.ask();
    world.ready(&closed).await;
    closed.handle.close();
    let words = world.shows("page", "closed").await;
    assert!(words.contains("nothing was paid"), "{words}");
    world.picture("closed").await;
    world.browser.step("close", json!({"tab": "page"})).await;

    let expired = world.ask_for(Duration::from_secs(8));
    world.open(&expired, "page", "choose").await;
    let words = world.shows("page", "expired").await;
    assert!(words.contains("five minutes"), "{words}");
    assert_eq!(expired.stage(), BridgeState::Closed { why: CloseReason::Expired });
    world.picture("expired").await;
    assert_eq!((world.asked_to_send().await, world.received().await), (0, 0));
}

#[tokio::test]
async fn every_view_is_accessible_in_both_schemes() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    let views = world.evaluate("page", "[...document.querySelectorAll('[data-view]')].map((s) => s.dataset.view)").await;
    world
        .evaluate(
            "page",
            "document.querySelectorAll('[data-slot]').forEach((s) => { if (!s.textContent) s.textContent = 'Words'; s.hidden = false; })",
        )
        .await;
    for scheme in ["light", "dark"] {
        world.browser.step("scheme", json!({"tab": "page", "scheme": scheme})).await;
        for view in views.as_array().expect("a list") {
            let show = format!("document.querySelectorAll('[data-view]').forEach((s) => {{ s.hidden = s.dataset.view !== {view}; }})");
            world.evaluate("page", &show).await;
            let found = world.browser.step("axe", json!({"tab": "page"})).await;
            assert_eq!(found, json!([]), "{scheme} {view}");
        }
    }
}

/// Custom properties of a style sheet by name; the first of a name counts, a media query may set it again.
fn properties(path: &str) -> BTreeMap<String, String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = fs::read_to_string(file).expect("a style sheet");
    let bare: String = text.split("*/").map(|part| part.split("/*").next().unwrap_or_default()).collect();
    let mut found = BTreeMap::new();
    for declaration in bare.split([';', '{', '}']) {
        if let Some((name, value)) = declaration.split_once(':').filter(|(name, _)| name.trim().starts_with("--")) {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            found.entry(name.trim().to_string()).or_insert(value);
        }
    }
    found
}

#[test]
fn the_page_has_the_colours_of_the_app() {
    let (page, app) = (properties("crates/payments/src/bridge/page/page.css"), properties("ui/src/tokens/tokens.css"));
    let resolved = |value: &str| {
        let mut value = value.to_string();
        while let Some((before, rest)) = value.split_once("var(") {
            let (name, after) = rest.split_once(')').expect("a closed bracket");
            value = format!("{before}{}{after}", app[name]);
        }
        value
    };
    assert!(page.len() > 20, "{page:?}");
    for (name, value) in &page {
        let theirs = resolved(app.get(name).unwrap_or_else(|| panic!("{name} is no token of the app")));
        assert_eq!(value, &theirs, "{name}");
    }
}
