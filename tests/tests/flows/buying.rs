//! Buying, and what is refused before anything is signed.

use crate::{
    rewriting::RewritingProxy,
    world::{App, PAYMENT_ADDRESS, World},
};
use aispace_app::view::{AppErrorCode, EstimateRequest, KeyKeeping, PaymentState, PaymentStep, RunParameters, SessionView, StepState};
use aispace_testkit::chain::FIRST_PRICE;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn twenty_five_dollars_buy_a_quarter_of_a_million_credits_and_sign_in() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let preview = app.preview("25").await.expect("a preview");
    assert_eq!((preview.credits.as_str(), preview.balance_after_credits.as_str()), ("250000", "250000"));
    let review = app.review("25").await.expect("a review");
    assert_eq!((review.chain_id, review.nodes_agree, review.to_address.as_str()), (8453, 3, PAYMENT_ADDRESS));
    assert_eq!((review.credits.as_str(), review.price_differs), ("250000", false));
    world.assert_nothing_paid().await;
    app.wallet.pay(review.order_id.clone()).await.expect("it is sent");
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.order_id, done.credits.as_str(), done.top_up), (review.order_id, "250000", false));
    let on_l1 = |step| matches!(step, PaymentStep::Safe | PaymentStep::Final);
    assert!(done.steps.iter().all(|s| on_l1(s.step) || (s.state == StepState::Done && s.at.is_some())), "{:?}", done.steps);

    let account = app.until("the balance", |v| v.account.clone().filter(|a| !a.at_most)).await;
    assert_eq!(account.available_credits, "250000");
    assert_eq!(account.batches.iter().map(|b| b.source.as_str()).collect::<Vec<_>>(), ["eth_purchase"]);
    let key = app.key().await.expect("the key is in the keychain");
    let hint = key[key.len() - 4..].to_string();
    assert_eq!(app.wallet.view().session, SessionView::SignedIn { key_hint: hint, keeping: KeyKeeping::Keychain });
    let paid = world.payments().await;
    assert_eq!(paid.iter().map(|p| p.hash.as_str()).collect::<Vec<_>>(), [done.transaction_hash.expect("a hash")]);
    assert_eq!(Decimal::from(paid[0].value_wei) / Decimal::from(10u64.pow(18)), review.value_eth.parse::<Decimal>().expect("ether"));
    app.assert_not_on_disk(&key);
}

#[tokio::test]
async fn a_top_up_keeps_the_key_and_a_simulated_run_is_charged_exactly() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let key = app.key().await;
    let done = app.buy("1.5").await;
    assert!(done.top_up);
    assert_eq!(app.key().await, key);
    let account = app.until("both batches", |v| v.account.clone().filter(|a| a.batches.len() == 2)).await;
    assert_eq!((account.available_credits.as_str(), world.payments().await.len()), ("265000", 2));

    let sora = EstimateRequest {
        model_id: "sora-2-text-to-video".into(),
        runs: 1,
        parameters: RunParameters::Video { seconds: 4, resolution: Some("720p".into()), audio: Some(true) },
    };
    let estimate = app.wallet.estimate(sora.clone()).expect("a quote");
    assert_eq!(estimate.total_credits, "4400");
    let after = app.wallet.simulate_run(sora, false).await.expect("the run is charged").account.expect("an account");
    assert_eq!(after.available_credits, "260600");
    assert_eq!(after.batches[0].left_credits, "245600", "the older batch is drawn first");
    assert_eq!((after.usage[0].change_credits.as_str(), after.usage[0].model_id.as_str()), ("-4400", "sora-2-text-to-video"));
}

#[tokio::test]
async fn a_click_too_many_pays_once() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let order = app.review("25").await.expect("a review").order_id;
    let (one, two, three) = tokio::join!(app.wallet.pay(order.clone()), app.wallet.pay(order.clone()), app.wallet.pay(order.clone()));
    let answers = [one, two, three];
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1, "{answers:?}");
    app.until_payment(PaymentState::Done).await;
    assert_eq!(app.wallet.pay(order).await.expect_err("it is paid").code, AppErrorCode::NothingToPay);
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn a_second_purchase_waits_for_the_first() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    let refused = app.review("5").await.expect_err("one is open");
    assert_eq!(refused.code, AppErrorCode::PaymentOpen);
    assert_eq!(app.wallet.put_payment_away().await.expect_err("it is open").code, AppErrorCode::PaymentOpen);
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    app.until_payment(PaymentState::Done).await;
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn a_quote_that_does_not_follow_from_its_price_is_refused_and_nothing_is_signed() {
    let world = World::start().await;
    let lies: [fn(&mut Value); 4] = [
        |order| order["quote"]["value_wei"] = json!("999000000000000000"),
        |order| order["quote"]["credits"] = json!("249999"),
        |order| order["usd"] = json!("20"),
        // Credits rounded up by the least the ledger knows.
        |order| order["quote"]["credits"] = json!("250000.000000001"),
    ];
    let mut keychain = Arc::default();
    for lie in lies {
        let proxy = RewritingProxy::start(&world.sandbox.service.url(), "/v1/orders", lie).await;
        let mut profile = world.profile();
        profile["service_url"] = json!(proxy.url());
        let app: App = world.app_with("first", &profile, keychain).await;
        assert_eq!(app.pay("25").await.expect_err("a lie").code, AppErrorCode::QuoteWrong);
        assert_eq!(app.wallet.view().payment, None);
        world.assert_nothing_paid().await;
        proxy.be_honest();
        assert_eq!(app.review("25").await.expect("honest again").credits, "250000");
        keychain = app.close().await;
    }
}

#[tokio::test]
async fn a_price_that_differs_by_one_per_cent_is_warned_of() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    // The app reads its own rate, then the market moves before the service quotes.
    app.preview("25").await.expect("a preview");
    let moved = FIRST_PRICE * Decimal::new(1_012, 3);
    world.sandbox.venues.set_price(moved);
    world.sandbox.chain.set_feed_price(moved).await.expect("the feed moves");
    let review = app.review("25").await.expect("a review");
    assert!(review.price_differs, "{} against {}", review.usd_per_eth, review.own_usd_per_eth);
    let difference: Decimal = review.difference_percent.parse().expect("a number");
    assert!(difference > Decimal::ONE && difference < Decimal::new(15, 1), "{difference}");
    let near = FIRST_PRICE * Decimal::new(1_004, 3);
    world.sandbox.venues.set_price(near);
    world.sandbox.chain.set_feed_price(near).await.expect("the feed moves");
    assert!(!app.review("25").await.expect("a review").price_differs);
}

#[tokio::test]
async fn an_expired_quote_is_not_paid() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let late = app.review("25").await.expect("a review");
    app.clock.put_forward(TimeDelta::seconds(i64::from(late.quote_seconds) + 1));
    assert_eq!(app.wallet.pay(late.order_id).await.expect_err("too late").code, AppErrorCode::QuoteExpired);
    assert_eq!(app.wallet.view().payment, None);
    world.assert_nothing_paid().await;
    app.clock.put_forward(TimeDelta::seconds(-i64::from(late.quote_seconds) - 1));
    app.buy("25").await;
    assert_eq!(world.payments().await.len(), 1);
}
