//! Paying by card: the payer is at the provider's page, and the service's word is the only one there is.

use crate::world::{World, dollars};
use aispace_app::view::{AppErrorCode, AskView, LinkTarget, PayWay, PaymentState};
use aispace_testkit::stripe::StripeStandIn;
use chrono::{DateTime, Utc};
use std::{sync::Arc, time::SystemTime};

const KEY: &str = "sk_test_of_the_flow";

async fn world_with_cards() -> (World, StripeStandIn) {
    let mut world = World::start().await;
    let stripe = StripeStandIn::start(KEY, DateTime::<Utc>::from(SystemTime::now())).await.expect("a port");
    world.sandbox.service.take_cards(&stripe.url(), KEY).await.expect("a service that takes cards");
    (world, stripe)
}

#[tokio::test]
async fn a_card_pays_on_the_providers_page_and_the_key_arrives() {
    let (world, stripe) = world_with_cards().await;
    let mut profile = world.profile();
    profile["card_payments"] = true.into();
    let app = world.app_with("first", &profile, Arc::default()).await;
    app.until_online().await;
    let review = app.wallet.review_purchase(dollars("25"), PayWay::Card).await.expect("a review");
    assert_eq!((review.usd.as_str(), review.credits.as_str(), review.gas_limit), ("25", "250000", None));
    app.wallet.pay(review.order_id.clone()).await.expect("the page is opened");
    app.until("the page", |v| v.payment.clone().filter(|p| matches!(p.ask, Some(AskView::Card { .. })))).await;
    let session = stripe.sessions().first().cloned().expect("a session");
    let checkout = session["url"].as_str().expect("an address").to_string();
    app.until("the browser", |_| app.opener.all().contains(&checkout).then_some(())).await;
    app.wallet.open_link(review.order_id.clone(), LinkTarget::Checkout).await.expect("it is opened again");
    assert_eq!(app.opener.all(), [checkout.clone(), checkout]);
    assert!(app.wallet.view().payment.is_some_and(|p| p.state == PaymentState::Asked), "nobody has paid yet");

    stripe.pay(session["id"].as_str().expect("an id"));
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.way, done.credits.as_str(), done.transaction_hash), (PayWay::Card, "250000", None));
    assert!(app.key().await.is_some(), "the Secure Key is in the keychain");
    world.assert_nothing_paid().await;
}

#[tokio::test]
async fn a_profile_without_cards_offers_none() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_online().await;
    let refused = app.wallet.review_purchase(dollars("25"), PayWay::Card).await.expect_err("there is no such way");
    assert_eq!(refused.code, AppErrorCode::WayUnavailable);
}
