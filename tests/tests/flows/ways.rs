//! The other ways to pay: each ends in the same tracked payment, and only the chain's word counts.

use crate::{
    outside::{ANOTHER, PAYER, Page, wei},
    world::{App, PAYMENT_ADDRESS, World, Written, dollars},
};
use aispace_app::view::{
    AppErrorCode, AskView, BrowserStage, Finality, LinkTarget, PayWay, PaymentRemark, PaymentState, PaymentView, ReviewView,
};
use aispace_keychain::{KeychainError, SecretName, SecretStore as _};
use aispace_testkit::fault::Fault;
use serde_json::{Value, json};
use std::sync::Arc;

async fn order(app: &App, usd: &str, way: PayWay) -> ReviewView {
    app.until_online().await;
    let review = app.wallet.review_purchase(dollars(usd), way).await.expect("a review");
    app.wallet.pay(review.order_id.clone()).await.expect("it is asked");
    review
}

async fn stage(app: &App, wanted: BrowserStage) -> AskView {
    let shown = |payment: PaymentView| match payment.ask {
        Some(ask @ AskView::Browser { stage, .. }) if stage == wanted => Some(ask),
        _ => None,
    };
    app.until(&format!("{wanted:?}"), |v| v.payment.clone().and_then(shown)).await
}

async fn trouble(app: &App, code: AppErrorCode) -> PaymentView {
    let shown = |p: &PaymentView| p.trouble.as_ref().is_some_and(|t| t.code == code);
    app.until(&format!("{code:?}"), |v| v.payment.clone().filter(shown)).await
}

async fn open_claims(app: &App) -> usize {
    let kept = app.keychain.get(&SecretName::open_claims()).await.expect("the keychain answers");
    kept.map_or(0, |kept| {
        let claims: Value = serde_json::from_slice(kept.expose()).expect("json");
        claims["claims"].as_array().expect("a list").len()
    })
}

#[tokio::test]
async fn a_wallet_in_the_browser_pays_and_the_chain_confirms_it() {
    let world = World::start().await;
    let app = world.app("first").await;
    let review = order(&app, "25", PayWay::Browser).await;
    assert_eq!((review.from_address, review.nonce, review.value_eth.clone()), (None, None, review.send_eth));
    assert_eq!(open_claims(&app).await, 1, "the secret is kept before anybody is asked");
    let page = Page::of(&app).await;
    stage(&app, BrowserStage::PageOpen).await;
    let (ask, transaction) = page.ask().await;
    let asked = stage(&app, BrowserStage::Asked).await;
    assert!(matches!(asked, AskView::Browser { url: None, wallet: Some(name), .. } if name == "Test Wallet"));
    assert_eq!(transaction["to"], json!(PAYMENT_ADDRESS));
    assert_eq!(app.wallet.ask_again().await.expect_err("it is being asked").code, AppErrorCode::NotForThisPayment);
    assert_eq!(world.payments().await, []);
    let hash = world.send(&transaction).await;
    page.answer(&ask, &hash).await;
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.transaction_hash.as_deref(), done.credits.as_str()), (Some(hash.as_str()), "250000"));
    assert_eq!((done.from_address.as_deref(), done.wallet_name.as_deref()), (Some(PAYER), Some("Test Wallet")));
    assert!(done.remarks.is_empty() && done.ask.is_none(), "{done:?}");
    assert_eq!(world.payments().await.len(), 1);
    assert_eq!(open_claims(&app).await, 0);
}

#[tokio::test]
async fn a_hash_of_somebody_elses_payment_counts_for_nothing() {
    let world = World::start().await;
    let app = world.app("first").await;
    order(&app, "25", PayWay::Browser).await;
    let page = Page::of(&app).await;
    let (ask, transaction) = page.ask().await;
    let foreign = world.pay_plainly(ANOTHER, 5).await;
    page.answer(&ask, &foreign).await;
    let wrong = trouble(&app, AppErrorCode::PaymentUnattributed).await;
    assert_eq!((wrong.state, wrong.transaction_hash, wrong.can_claim_by_hash), (PaymentState::Asked, None, false));
    assert_eq!(wrong.earlier_hashes, [foreign]);
    // What the wallet really sent is found by its tag.
    let hash = world.send(&transaction).await;
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!(done.transaction_hash.as_deref(), Some(hash.as_str()));
    assert_eq!(world.payments().await.len(), 2);
}

#[tokio::test]
async fn refused_in_the_wallet_it_can_be_asked_again_and_given_up() {
    let world = World::start().await;
    let app = world.app("first").await;
    order(&app, "25", PayWay::Browser).await;
    let page = Page::of(&app).await;
    let (ask, _) = page.ask().await;
    page.reject(&ask).await;
    stage(&app, BrowserStage::Rejected).await;
    let (again, transaction) = page.ask().await;
    page.reject(&again).await;
    stage(&app, BrowserStage::Rejected).await;
    app.wallet.stop_waiting().await.expect("nothing was sent");
    let given_up = app.until_payment(PaymentState::Abandoned).await;
    assert!(given_up.can_put_away && given_up.ask.is_none());
    app.wallet.put_payment_away().await.expect("it goes away");
    assert_eq!(open_claims(&app).await, 1, "a late payment can still be claimed");
    assert_eq!(world.payments().await, []);
    // The wallet sends it after all.
    let hash = world.send(&transaction).await;
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.transaction_hash.as_deref(), done.credits.as_str()), (Some(hash.as_str()), "250000"));
    assert_eq!(open_claims(&app).await, 0);
}

#[tokio::test]
async fn a_changed_amount_is_credited_in_proportion_and_said() {
    let world = World::start().await;
    let app = world.app("first").await;
    order(&app, "25", PayWay::Browser).await;
    let page = Page::of(&app).await;
    let (ask, mut transaction) = page.ask().await;
    let asked = u128::from_str_radix(transaction["value"].as_str().expect("a value").trim_start_matches("0x"), 16).expect("hex");
    transaction["value"] = json!(format!("{:#x}", asked / 2));
    let hash = world.send(&transaction).await;
    page.answer(&ask, &hash).await;
    let done = app.until_payment(PaymentState::Done).await;
    assert!(done.remarks.contains(&PaymentRemark::Underpaid), "{:?}", done.remarks);
    assert!(done.credits.starts_with("12499") || done.credits == "125000", "{}", done.credits);
    assert_eq!(done.paid_eth.map(|paid| wei(&paid)), Some(asked / 2));
}

#[tokio::test]
async fn a_payment_that_nobody_told_of_is_found_by_its_tag_and_survives_a_restart() {
    let world = World::start().await;
    let app = world.app("first").await;
    order(&app, "25", PayWay::Browser).await;
    let page = Page::of(&app).await;
    let (_, transaction) = page.ask().await;
    stage(&app, BrowserStage::Asked).await;
    let keychain = app.close().await;
    let hash = world.send(&transaction).await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    let done = again.until_payment(PaymentState::Done).await;
    assert_eq!(done.transaction_hash.as_deref(), Some(hash.as_str()));
    assert_eq!(again.opener.all(), Vec::<String>::new(), "nobody is asked anew");
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn a_hash_that_a_person_names_is_looked_up() {
    let world = World::start().await;
    let app = world.app("first").await;
    let review = order(&app, "25", PayWay::Link).await;
    let payment = app.until_payment(PaymentState::Asked).await;
    let Some(AskView::Link { uri, exact_eth, address, qr, .. }) = payment.ask else { panic!("no link") };
    assert_eq!((exact_eth.as_str(), address.as_str()), (review.send_eth.as_str(), PAYMENT_ADDRESS));
    assert_eq!(uri, format!("ethereum:{PAYMENT_ADDRESS}@8453?value={}", wei(&exact_eth)));
    assert!(qr.size >= 25 && qr.path.starts_with('M'));
    app.wallet.open_link(review.order_id.clone(), LinkTarget::MetaMask).await.expect("a link");
    assert!(app.opener.all()[0].starts_with(&format!("https://link.metamask.io/send/{PAYMENT_ADDRESS}@8453")));
    assert_eq!(
        app.wallet.open_link(review.order_id, LinkTarget::Explorer).await.expect_err("no hash").code,
        AppErrorCode::NotForThisPayment
    );
    let refused = app.wallet.report_hash("0xabc".into()).await.expect_err("too short");
    assert_eq!((refused.code, refused.params["digits"].as_str()), (AppErrorCode::HashMalformed, "3"));
    let unknown = app.wallet.report_hash("ab".repeat(32)).await.expect_err("unknown");
    assert_eq!(unknown.code, AppErrorCode::HashUnknown);
    let foreign = world.send(&json!({"from": PAYER, "to": ANOTHER, "value": "0x1"})).await;
    assert_eq!(app.wallet.report_hash(foreign).await.expect_err("to somebody else").code, AppErrorCode::HashForeign);
    // A little less than asked, as an exchange would take its fee: it is nobody's by its amount.
    let short = world.pay_plainly(ANOTHER, wei(&exact_eth) - 10_000_000_000).await;
    app.wallet.report_hash(short.clone()).await.expect("it pays us");
    let open = trouble(&app, AppErrorCode::PaymentUnattributed).await;
    assert_eq!((open.can_claim_by_hash, open.transaction_hash), (false, None));
    let exact = world.pay_plainly(PAYER, wei(&exact_eth)).await;
    app.wallet.report_hash(exact.clone()).await.expect("it is the payment");
    let seen = app.until("the payment", |v| v.payment.clone().filter(|p| p.state >= PaymentState::Seen)).await;
    assert_eq!((seen.transaction_hash, seen.from_address.as_deref()), (Some(exact), Some(PAYER)));
}

#[tokio::test]
async fn a_dearer_transaction_takes_the_place_of_a_stuck_one_and_pays_once() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    let first = app.until_payment(PaymentState::Seen).await.transaction_hash.expect("a hash");
    app.clock.put_forward(chrono::TimeDelta::seconds(31));
    let stuck = trouble(&app, AppErrorCode::PaymentStuck).await;
    assert!(stuck.can_speed_up && stuck.can_cancel);
    let dearer = app.wallet.speed_up().await.expect("it is sent").payment.expect("a payment");
    assert_eq!(dearer.earlier_hashes, std::slice::from_ref(&first));
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    let done = app.until_payment(PaymentState::Done).await;
    let paid = world.payments().await;
    assert_eq!(paid.iter().map(|p| Some(p.hash.clone())).collect::<Vec<_>>(), std::slice::from_ref(&done.transaction_hash));
    assert_eq!(done.remarks.contains(&PaymentRemark::Replaced), done.transaction_hash != Some(first));
}

#[tokio::test]
async fn a_cancelled_payment_pays_nothing() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    app.until_payment(PaymentState::Seen).await;
    app.wallet.cancel_payment().await.expect("it is sent");
    assert_eq!(app.wallet.speed_up().await.expect_err("it is being cancelled").code, AppErrorCode::NotForThisPayment);
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    let cancelled = app.until_payment(PaymentState::Cancelled).await;
    assert!(cancelled.fee_eth.is_some() && cancelled.can_put_away);
    assert_eq!(world.payments().await, []);
    assert_eq!(open_claims(&app).await, 1);
}

#[tokio::test]
async fn a_finished_payment_becomes_safe_and_final_also_after_it_was_put_away() {
    let world = World::start().await;
    let app = world.app("first").await;
    let order = app.buy("25").await.order_id;
    app.wallet.put_payment_away().await.expect("it goes away");
    assert_eq!(app.wallet.view().payments.len(), 1);
    // The node counts a block as safe after 32 more and as final after 64.
    world.sandbox.chain.mine(80).await.expect("blocks");
    let row = app.until("final", |v| v.payments.first().cloned().filter(|row| row.finality == Finality::Final)).await;
    assert_eq!((row.order_id.as_str(), row.state), (order.as_str(), PaymentState::Done));
    let whole = app.wallet.payment(order).expect("it is known");
    assert!(whole.batch.is_some() && whole.block_number.is_some() && whole.gas_used.is_some(), "{whole:?}");
    assert_eq!(app.wallet.payment("or_unknown".into()).expect_err("unknown").code, AppErrorCode::OrderUnknown);
}

#[tokio::test]
async fn waiting_is_not_stopped_for_what_was_sent() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    app.until_payment(PaymentState::Seen).await;
    for refused in [app.wallet.stop_waiting().await, app.wallet.ask_again().await, app.wallet.report_hash("00".repeat(32)).await] {
        assert_eq!(refused.expect_err("it was sent").code, AppErrorCode::NotForThisPayment);
    }
    let _keychain: Arc<_> = app.close().await;
}

/// While somebody else is asked, every fault of service and nodes is said with its code, nothing is believed, and the payment is
/// taken as soon as the fault is over.
#[tokio::test]
async fn faults_while_a_wallet_is_asked_are_said_and_lose_nothing() {
    let faults = [
        (Fault::Refuse, AppErrorCode::ServiceUnreachable),
        (Fault::Status(503), AppErrorCode::ServiceFailed),
        (Fault::Status(429), AppErrorCode::ServiceBusy),
        (Fault::Garble, AppErrorCode::ServiceGarbled),
        (Fault::Cut, AppErrorCode::ServiceUnreachable),
        (Fault::Hang, AppErrorCode::ServiceSlow),
    ];
    let world = World::start().await;
    let app = world.app("first").await;
    order(&app, "25", PayWay::Browser).await;
    let page = Page::of(&app).await;
    let (_, transaction) = page.ask().await;
    for (fault, code) in faults {
        world.service.set(fault).await;
        let asked = trouble(&app, code).await;
        assert_eq!((asked.state, asked.transaction_hash), (PaymentState::Asked, None), "{code:?}");
        world.service.set(Fault::None).await;
        app.until("it is well", |v| v.payment.clone().filter(|p| p.trouble.is_none())).await;
    }
    world.set_nodes(&Fault::Refuse).await;
    let hash = world.send(&transaction).await;
    trouble(&app, AppErrorCode::ChainUnreachable).await;
    let blind = app.wallet.view().payment.expect("a payment");
    assert_eq!(blind.state, PaymentState::Asked, "the service's word alone is not enough");
    world.set_nodes(&Fault::None).await;
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.transaction_hash, done.credits.as_str()), (Some(hash), "250000"));
    assert_eq!(world.payments().await.len(), 1);
}

/// A store or a keychain that does not take a question is said, and nobody is asked.
#[tokio::test]
async fn nobody_is_asked_before_the_secret_is_kept() {
    let world = World::start().await;
    for way in [PayWay::Browser, PayWay::Link] {
        let app = world.app(&format!("{way:?}")).await;
        app.until_online().await;
        let review = app.wallet.review_purchase(dollars("25"), way).await.expect("a review");
        app.keychain.fail_on_writing(Some((SecretName::open_claims(), KeychainError::Locked, Written::AllTheSame)));
        let refused = app.wallet.pay(review.order_id.clone()).await.expect_err("not kept");
        assert_eq!(refused.code, AppErrorCode::KeychainLocked);
        assert_eq!((app.wallet.view().payment, app.opener.all()), (None, vec![]));
        app.keychain.fail_on_writing(None);
        let keychain = app.close().await;
        let again = world.app_with(&format!("{way:?}"), &world.profile(), keychain).await;
        again.until_online().await;
        assert_eq!(again.wallet.view().payment, None, "what was said not to be asked is not taken up");
    }
    assert_eq!(world.payments().await, []);
}

/// Dust from an address made to look like one's own, hoping to be copied from a history.
#[tokio::test]
async fn look_alike_dust_is_in_no_history() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let before = app.wallet.view();
    let address = before.wallet.as_ref().map(|w| w.address.clone()).expect("a wallet");
    let look_alike = format!("{}{}{}", &address[..6], "0".repeat(32), &address[38..]).to_lowercase();
    let made = [("anvil_impersonateAccount", json!([look_alike])), ("anvil_setBalance", json!([look_alike, "0xde0b6b3a7640000"]))];
    for (method, params) in made {
        world.sandbox.chain.rpc(method, params).await.expect("the chain obeys");
    }
    let to_wallet = world.send(&json!({"from": look_alike, "to": address, "value": "0x1"})).await;
    let to_service = world.pay_plainly(&look_alike, 1).await;
    world.until_mined(&to_wallet).await;
    world.until_mined(&to_service).await;
    app.wallet.sync_now().await.expect("a look");
    app.until("the dust's wei", |v| {
        v.wallet.clone().filter(|w| w.balance_eth != before.wallet.as_ref().and_then(|w| w.balance_eth.clone()))
    })
    .await;
    let after = app.wallet.view();
    assert_eq!((after.payments.len(), after.payment.is_none()), (1, true), "only what this app paid is in its history");
    let shown = serde_json::to_string(&(&after.payments, &after.account)).expect("json").to_lowercase();
    assert!(!shown.contains(&look_alike) && !shown.contains(&to_wallet) && !shown.contains(&to_service));
    assert_eq!(after.account.map(|a| a.available_credits), before.account.map(|a| a.available_credits));
}
