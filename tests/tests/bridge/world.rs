//! A chain, a browser with wallets, and the app's side of one payment.

use super::browser::Browser;
use aispace_payments::{
    OsEntropy, PAYMENT_ADDRESS_CHECKSUMMED,
    bridge::{Bridge, BridgeHandle, BridgeRequest, BridgeState, PageLanguage},
    tag::{ClaimSecret, calldata},
    wallet::{MatchingCode, PaymentRequest, WalletAnswer},
};
use aispace_testkit::{
    chain::{Chain, ChainOptions, quantity},
    process::until,
};
use aispace_units::Wei;
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};

const VALUE: u128 = 5_127_574_042_169_169;
const PATIENCE: Duration = Duration::from_secs(20);
const BASE: &str = "0x2105";

pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) browser: Browser,
}

/// One payment as the app asks for it.
pub(crate) struct Asked {
    pub(crate) handle: BridgeHandle,
    pub(crate) code: MatchingCode,
    pub(crate) input: String,
}

/// A wallet that does what wallets do, with these of its ways changed.
pub(crate) fn wallet(changed: Value) -> Value {
    let mut wallet =
        json!({"kind": "announced", "name": "Test Wallet", "rdns": "test.wallet", "chain": BASE, "knows": [BASE], "account": 2});
    for (name, value) in changed.as_object().expect("an object") {
        wallet[name] = value.clone();
    }
    wallet
}

impl World {
    pub(crate) async fn start(wallets: Vec<Value>) -> Self {
        let chain = Chain::start(ChainOptions { block_seconds: None, ..ChainOptions::default() }).await.expect("the chain starts");
        let browser = Browser::start(&chain.url()).await;
        browser.step("wallets", json!({"list": wallets})).await;
        Self { chain, browser }
    }

    pub(crate) fn ask(&self) -> Asked {
        self.ask_for(Duration::from_secs(120))
    }

    pub(crate) fn ask_for(&self, lifetime: Duration) -> Asked {
        self.ask_in(PageLanguage::English, lifetime)
    }

    pub(crate) fn ask_in(&self, language: PageLanguage, lifetime: Duration) -> Asked {
        let tag = ClaimSecret::generate(&mut OsEntropy).expect("a secret").tag();
        let code = MatchingCode::generate(&mut OsEntropy).expect("a code");
        let request = BridgeRequest {
            payment: PaymentRequest::tagged(Wei::new(VALUE), tag),
            code: code.clone(),
            credits: "100,000".into(),
            usd: "$10.00".into(),
            language,
        };
        let handle = Bridge::open(request, &mut OsEntropy, lifetime).expect("a bridge");
        Asked { handle, code, input: format!("0x{}", hex::encode(calldata(tag))) }
    }

    /// Opens the payment's page in a tab and waits until it shows this view.
    pub(crate) async fn open(&self, asked: &Asked, tab: &str, view: &str) -> String {
        assert_eq!(self.browser.step("open", json!({"tab": tab, "url": asked.handle.url()})).await, 200);
        self.shows(tab, view).await
    }

    /// Waits until the page shows this view; answers its words.
    pub(crate) async fn shows(&self, tab: &str, view: &str) -> String {
        self.browser.step("shows", json!({"tab": tab, "view": view})).await.as_str().expect("words").to_string()
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.browser.step("click", json!({"tab": "page", "selector": selector})).await;
    }

    /// Presses a button of the view that is shown.
    pub(crate) async fn press(&self, deed: &str) {
        self.click(&format!("section:not([hidden]) [data-do={deed}]")).await;
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        self.browser.step("text", json!({"tab": "page", "selector": selector})).await.as_str().expect("words").to_string()
    }

    pub(crate) async fn evaluate(&self, tab: &str, code: &str) -> Value {
        self.browser.step("evaluate", json!({"tab": tab, "code": code})).await
    }

    /// Chooses the wallet that stands at this place of the list.
    pub(crate) async fn choose(&self, place: usize) {
        self.click(&format!("#wallets li:nth-child({place}) button")).await;
    }

    /// Opens the page, chooses the only wallet and comes to the button that asks it.
    pub(crate) async fn ready(&self, asked: &Asked) {
        self.open(asked, "page", "choose").await;
        self.ready_after_choosing().await;
    }

    /// Chooses the first wallet and comes to the button that asks it.
    pub(crate) async fn ready_after_choosing(&self) {
        self.choose(1).await;
        self.shows("page", "ready").await;
    }

    /// Waits until these words stand there; answers all that does.
    pub(crate) async fn words_with(&self, selector: &str, words: &str) -> String {
        let there = async || Ok(Some(self.text(selector).await).filter(|text| text.contains(words)));
        until(words, PATIENCE, there).await.expect("the words")
    }

    /// Lets the first wallet go on, until it is asked for this.
    pub(crate) async fn hold(&self, method: &str) {
        self.browser.step("wallet", json!({"index": 0, "set": {"holds": method}})).await;
    }

    /// The methods that wallets were called with, in order.
    pub(crate) async fn calls(&self) -> Vec<String> {
        let calls = self.browser.step("calls", json!({})).await;
        calls.as_array().expect("a list").iter().map(|call| call["method"].as_str().expect("a name").to_string()).collect()
    }

    pub(crate) async fn asked_to_send(&self) -> usize {
        self.calls().await.iter().filter(|method| *method == "eth_sendTransaction").count()
    }

    /// The page broke no rule of its own, met no fault and spoke to nobody but the app.
    pub(crate) async fn page_kept_its_rules(&self, asked: &Asked) {
        let problems = self.browser.step("problems", json!({"tab": "page"})).await;
        assert_eq!(problems, json!([]));
        let own = asked.handle.url().split_once("/#").expect("a token").0.to_string();
        let requests = self.browser.step("requests", json!({"tab": "page"})).await;
        for request in requests.as_array().expect("a list") {
            assert!(request.as_str().expect("an address").starts_with(&own), "{request}");
        }
    }

    /// The one transaction that the wallet says it sent is on the chain, as it was asked for.
    pub(crate) async fn was_paid(&self, asked: &Asked) -> WalletAnswer {
        let BridgeState::Answered(answer) = asked.stage() else { panic!("{:?}", asked.stage()) };
        let found = self.chain.rpc("eth_getTransactionByHash", json!([answer.hash.to_string()])).await.expect("found");
        assert_eq!(found["input"], json!(asked.input), "the tag");
        assert_eq!(found["value"], json!(quantity(VALUE)));
        assert_eq!(found["to"], json!(PAYMENT_ADDRESS_CHECKSUMMED.to_lowercase()));
        assert_eq!(found["chainId"], json!(BASE));
        assert_eq!(found["from"], json!(answer.from.to_string().to_lowercase()));
        let receipt = self.chain.rpc("eth_getTransactionReceipt", json!([answer.hash.to_string()])).await.expect("mined");
        assert_eq!(receipt["status"], json!("0x1"));
        assert_eq!(self.received().await, VALUE, "paid once");
        answer
    }

    /// What the pinned address holds: no test begins with any.
    pub(crate) async fn received(&self) -> u128 {
        self.chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance")
    }

    /// The node's account of this number.
    pub(crate) async fn account(&self, number: usize) -> String {
        self.chain.rpc("eth_accounts", json!([])).await.expect("accounts")[number].as_str().expect("an account").to_lowercase()
    }

    /// Keeps pictures of the page, light and dark, wide and narrow, when somebody wants them.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("AISPACE_BRIDGE_SHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).expect("a folder");
        for (scheme, width, suffix) in [("light", 800, "light"), ("dark", 800, "dark"), ("light", 360, "narrow")] {
            self.browser.step("scheme", json!({"tab": "page", "scheme": scheme})).await;
            self.browser.step("size", json!({"tab": "page", "width": width, "height": 760})).await;
            let path = folder.join(format!("{name}-{suffix}.png"));
            self.browser.step("shot", json!({"tab": "page", "path": path})).await;
        }
        self.browser.step("size", json!({"tab": "page", "width": 800, "height": 1000})).await;
    }
}

impl Asked {
    pub(crate) fn stage(&self) -> BridgeState {
        self.handle.stages().borrow().clone()
    }

    pub(crate) async fn reaches(&self, what: &str, is_it: impl Fn(&BridgeState) -> bool) {
        until(what, PATIENCE, async || Ok(is_it(&self.stage()).then_some(()))).await.unwrap_or_else(|_| panic!("{:?}", self.stage()));
    }
}
