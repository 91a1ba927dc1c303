//! A real wallet kit over a local relay pays for the app.

use crate::world::{App, World, dollars};
use aispace_app::view::{AppErrorCode, AskView, ConnectStage, LinkTarget, PayWay, PaymentState};
use aispace_testkit::{phone::Phone, relay::LocalRelay};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const PROJECT: &str = "0123456789abcdef0123456789abcdef";

/// A profile whose app asks phones, over this relay.
pub fn with_phones(mut profile: Value, relay: &LocalRelay) -> Value {
    profile["walletconnect_project"] = json!(PROJECT);
    profile["walletconnect_relay"] = json!(relay.url());
    profile
}

struct Bench {
    world: World,
    relay: LocalRelay,
    phone: Phone,
}

impl Bench {
    async fn start(answer: &str) -> Self {
        let (world, relay) = tokio::join!(World::start(), LocalRelay::start());
        let relay = relay.expect("a relay");
        let mut phone = Phone::start(&relay.url(), &world.sandbox.chain.url()).await.expect("a phone");
        phone.answers(answer).await;
        Self { world, relay, phone }
    }

    fn profile(&self) -> Value {
        with_phones(self.world.profile(), &self.relay)
    }

    /// Orders for 25 dollars and scans the code.
    async fn ordered(&mut self) -> (App, String) {
        let app = self.world.app_with("first", &self.profile(), Arc::default()).await;
        app.until_online().await;
        let order = app.wallet.review_purchase(dollars("25"), PayWay::WalletConnect).await.expect("a review").order_id;
        app.wallet.pay(order.clone()).await.expect("it is asked");
        let uri = uri(&app).await;
        self.phone.order(json!({"do": "pair", "uri": uri})).await;
        (app, order)
    }
}

async fn uri(app: &App) -> String {
    let shown = |ask: AskView| match ask {
        AskView::WalletConnect { stage: ConnectStage::Pairing, uri: Some(uri), qr: Some(_), links, .. } if links.len() == 4 => Some(uri),
        _ => None,
    };
    app.until("a code", |v| v.payment.clone().and_then(|p| p.ask).and_then(shown)).await
}

async fn stage(app: &App, wanted: ConnectStage) {
    let shown = |ask: AskView| matches!(ask, AskView::WalletConnect { stage, .. } if stage == wanted).then_some(());
    app.until(&format!("{wanted:?}"), |v| v.payment.clone().and_then(|p| p.ask).and_then(shown)).await;
}

#[tokio::test]
async fn a_phone_pays_what_it_was_asked() {
    let mut bench = Bench::start("mine").await;
    let (app, order) = bench.ordered().await;
    let asked = bench.phone.event("request").await;
    assert_eq!((asked["chain"].as_str(), asked["method"].as_str()), (Some("eip155:8453"), Some("eth_sendTransaction")));
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.order_id, done.credits.as_str(), done.wallet_name.is_some()), (order, "250000", true));
    assert!(done.remarks.is_empty(), "{:?}", done.remarks);
    assert_eq!(bench.world.payments().await.len(), 1);
    bench.phone.event("deleted").await;
}

#[tokio::test]
async fn a_code_opens_a_phones_wallet_and_only_while_it_is_shown() {
    let bench = Bench::start("mine").await;
    let app = bench.world.app_with("first", &bench.profile(), Arc::default()).await;
    app.until_online().await;
    let order = app.wallet.review_purchase(dollars("25"), PayWay::WalletConnect).await.expect("a review").order_id;
    app.wallet.pay(order.clone()).await.expect("it is asked");
    uri(&app).await;
    let phone = |name: &str| LinkTarget::Phone { name: name.into() };
    app.wallet.open_link(order.clone(), phone("MetaMask")).await.expect("a link");
    assert!(app.opener.all()[0].starts_with("https://metamask.app.link/wc?uri=wc%3A"));
    let refused = [phone("Nobody"), LinkTarget::Checkout, LinkTarget::BrowserPage];
    for target in refused {
        assert_eq!(app.wallet.open_link(order.clone(), target).await.expect_err("no such link").code, AppErrorCode::NotForThisPayment);
    }
    app.wallet.stop_waiting().await.expect("nobody was asked");
    assert_eq!(app.wallet.open_link(order, phone("MetaMask")).await.expect_err("over").code, AppErrorCode::NotForThisPayment);
    assert_eq!(bench.world.payments().await, []);
}

#[tokio::test]
async fn refused_on_the_phone_it_can_be_asked_again() {
    let mut bench = Bench::start("reject").await;
    let (app, _) = bench.ordered().await;
    stage(&app, ConnectStage::Rejected).await;
    assert_eq!(bench.world.payments().await, []);
    bench.phone.answers("mine").await;
    app.wallet.ask_again().await.expect("it was refused");
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!(done.credits, "250000");
    assert_eq!(bench.world.payments().await.len(), 1);
}

#[tokio::test]
async fn another_ones_transaction_from_a_phone_counts_for_nothing() {
    let mut bench = Bench::start("someone_elses").await;
    let (app, _) = bench.ordered().await;
    let is_said = |t: &aispace_app::view::ErrorView| t.code == AppErrorCode::PaymentUnattributed;
    let shown = |p: &aispace_app::view::PaymentView| p.trouble.as_ref().is_some_and(is_said);
    let open = app.until("the refusal", |v| v.payment.clone().filter(shown)).await;
    assert_eq!((open.state, open.transaction_hash, open.can_claim_by_hash), (PaymentState::Asked, None, false));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(app.wallet.view().payment.expect("a payment").state, PaymentState::Asked);
}

#[tokio::test]
async fn restarted_while_the_phone_thinks_it_hears_the_answer_and_asks_nothing_twice() {
    let mut bench = Bench::start("slow").await;
    let (app, _) = bench.ordered().await;
    bench.phone.event("request").await;
    let keychain = app.close().await;
    bench.phone.event("answered").await;
    let again = bench.world.app_with("first", &bench.profile(), keychain).await;
    let done = again.until_payment(PaymentState::Done).await;
    assert_eq!(done.credits, "250000");
    assert_eq!(bench.world.payments().await.len(), 1);
    assert_eq!(bench.phone.count("request"), 1);
}
