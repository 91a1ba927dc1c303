//! From an order over the chain to credits and a Secure Key.

mod support;

use aispace_api::{AccountAnswer, BatchSource, ClaimAnswer, ErrorCode, HeldReason, OrderAnswer, OrderStatus, PaymentOutcome, WaitsFor};
use chrono::TimeDelta;
use serde_json::json;
use support::{World, get, order_body, post, secret, secret_hex, start_time};

/// 25 USD at 2,500 USD per ether.
const WEI: u128 = 10_000_000_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_quotes_for_ten_minutes() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    assert_eq!((order.quote.value_wei.get(), order.quote.credits.to_string().as_str()), (WEI, "250000"));
    assert_eq!((order.status, order.top_up, order.payments.len()), (OrderStatus::Open, false, 0));
    assert_eq!((order.quote.quoted, order.quote.expires), (start_time(), start_time() + TimeDelta::minutes(10)));
    let used: Vec<_> = order.quote.sources.iter().map(|s| (s.name.as_str(), s.used)).collect();
    assert_eq!(used, [("Coinbase Exchange", true), ("Kraken", false)]);
    assert_eq!(world.shown(&order.order_id).await, order);
    // What does not divide is asked rounded up and credited rounded down.
    world.prices.set(Some("3018.26"));
    let odd: OrderAnswer = world.send(post("/v1/orders", order_body(2, "25")).key("k")).await.ok(201);
    assert_eq!((odd.quote.value_wei.get(), odd.quote.credits.to_string().as_str()), (8_282_917_972_606_734, "250000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_an_order() {
    let world = World::start().await;
    for usd in ["0", "0.00", "-1", "x", "1e3", "79228162514264337593543950335", "100000000"] {
        world.send(post("/v1/orders", order_body(1, usd)).key("k")).await.refused(422, ErrorCode::InvalidAmount);
    }
    world.send(post("/v1/orders", order_body(1, "5"))).await.refused(400, ErrorCode::IdempotencyKeyMissing);
    for (field, value) in [("tag", json!("abc")), ("tag", json!(1)), ("method", json!("cash")), ("usd", json!(5))] {
        let mut body = order_body(1, "5");
        body[field] = value;
        world.send(post("/v1/orders", body).key("k")).await.refused(400, ErrorCode::InvalidRequest);
    }
    let mut card = order_body(1, "5");
    card["method"] = json!("card");
    world.send(post("/v1/orders", card).key("k")).await.refused(503, ErrorCode::CardUnavailable);
    world.prices.set(None);
    let refused = world.send(post("/v1/orders", order_body(1, "5")).key("k")).await.refused(503, ErrorCode::PriceUnavailable);
    assert!(refused.details.contains_key("Kraken"), "{refused:?}");
    // None of these consumed the key.
    world.prices.set(Some("2500"));
    let first = world.send(post("/v1/orders", order_body(1, "5")).key("k")).await;
    let order: OrderAnswer = first.ok(201);
    assert_eq!(world.send(post("/v1/orders", order_body(1, "5")).key("k")).await.body, first.body);
    world.send(post("/v1/orders", order_body(1, "6")).key("k")).await.refused(409, ErrorCode::KeyConflict);
    let taken = world.send(post("/v1/orders", order_body(1, "5")).key("other")).await.refused(409, ErrorCode::KeyConflict);
    assert_eq!(taken.details["order_id"], order.order_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_opens_an_account_and_the_secret_gets_its_key() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    let id = order.order_id.clone();
    world.claim(&id, 1, false).await.refused(409, ErrorCode::NotPaidYet);
    world.claim(&id, 2, false).await.refused(403, ErrorCode::WrongSecret);
    let transaction = world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time() + TimeDelta::seconds(4));
    let paid = world.until(&id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!((paid.payments[0].transaction_hash.clone(), paid.payments[0].confirmations), (transaction.to_string(), 1));
    assert_eq!(paid.credited_credits.to_string(), "250000");
    world.chain.mine(start_time() + TimeDelta::seconds(6));
    world.until(&id, |o| o.payments[0].confirmations == 2).await;

    world.claim(&id, 2, false).await.refused(403, ErrorCode::WrongSecret);
    let malformed = post(&format!("/v1/orders/{id}/claim"), json!({"secret": "zz"}));
    world.send(malformed).await.refused(400, ErrorCode::InvalidRequest);
    // An acknowledgement of a key that was never handed out is not believed.
    let first: ClaimAnswer = world.claim(&id, 1, true).await.ok(200);
    let key = first.secure_key.expect("a key").into_exposed();
    let again: ClaimAnswer = world.claim(&id, 1, false).await.ok(200);
    assert!(again.secure_key.is_some_and(|k| k.expose() == key), "another key was handed out");
    assert!(world.shown(&id).await.claimed && !paid.claimed);

    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((seen.account_id, seen.available_credits.to_string().as_str()), (first.account_id, "250000"));
    assert_eq!((seen.batches[0].source, seen.batches[0].note.as_deref()), (BatchSource::EthPurchase, Some(id.as_str())));

    let acknowledged: ClaimAnswer = world.claim(&id, 1, true).await.ok(200);
    assert!(acknowledged.secure_key.is_none());
    let after: ClaimAnswer = world.claim(&id, 1, false).await.ok(200);
    assert!(after.secure_key.is_none(), "the key was handed out after its acknowledgement");
    let _: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);

    // Neither the key nor the secret is in any file of the service.
    let bytes = world.stored();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains(&id) && !text.contains(&key) && !text.contains(&secret_hex(1)));
    assert!(!bytes.windows(32).any(|w| w == [1u8; 32]));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_survives_a_restart_with_the_same_key() {
    let mut world = World::start().await;
    let order = world.order(3, "25").await;
    world.chain.pay(secret(3).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let before: ClaimAnswer = world.claim(&order.order_id, 3, false).await.ok(200);
    world.restart().await;
    let after: ClaimAnswer = world.claim(&order.order_id, 3, false).await.ok(200);
    assert!(before.secure_key.is_some() && before.secure_key == after.secure_key);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_claims_at_once_get_one_key() {
    let world = World::start().await;
    let order = world.order(3, "25").await;
    world.chain.pay(secret(3).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let call = post(&format!("/v1/orders/{}/claim", order.order_id), json!({"secret": secret_hex(3)}));
    let calls: Vec<_> = (0..16).map(|_| tokio::spawn(call.clone().send(world.address()))).collect();
    let mut keys = std::collections::BTreeSet::new();
    for call in calls {
        let answer: ClaimAnswer = call.await.expect("sent").ok(200);
        keys.insert(answer.secure_key.expect("a key").into_exposed());
    }
    assert_eq!(keys.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_goes_to_the_account_that_ordered_it() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let order: OrderAnswer = world.send(post("/v1/orders", order_body(1, "25")).key("k").bearer(&key)).await.ok(201);
    assert!(order.top_up);
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!(seen.available_credits.to_string(), "250000");
    let receipt: ClaimAnswer = world.claim(&order.order_id, 1, false).await.ok(200);
    assert_eq!((receipt.account_id.as_str(), receipt.secure_key.is_none()), (&*account, true));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_payments_under_one_tag_add_up() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    world.chain.pay(secret(1).tag(), WEI / 4);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.credited_credits.to_string() == "62500").await;
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.pay(secret(1).tag(), 1);
    let last = world.chain.mine(start_time());
    let paid = world.until(&order.order_id, |o| o.payments.len() == 3 && o.credited_credits.to_string() == "312500").await;
    // A single wei buys less than the ledger's unit: it is recorded and posts no batch.
    assert_eq!((paid.credited_credits.to_string().as_str(), paid.payments[2].block_number), ("312500", last));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_counts_at_the_price_of_its_block() {
    let world = World::start().await;
    let (in_time, late) = (world.order(1, "25").await, world.order(2, "25").await);
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time() + TimeDelta::minutes(10));
    world.chain.pay(secret(2).tag(), WEI);
    let block = world.chain.mine(start_time() + TimeDelta::minutes(10) + TimeDelta::seconds(2));
    world.until(&in_time.order_id, |o| o.credited_credits.to_string() == "250000").await;
    // Without a price the late one waits; it is not lost.
    world.until_scanned(block).await;
    let waits = world.shown(&late.order_id).await;
    assert_eq!((waits.status, waits.payments[0].late), (OrderStatus::Open, true));
    assert_eq!(waits.payments[0].outcome, PaymentOutcome::Waiting { waits_for: WaitsFor::Price });
    world.claim(&late.order_id, 2, false).await.refused(409, ErrorCode::NotPaidYet);
    // What ether costs now does not matter.
    world.prices.set(Some("9000"));
    world.chain.set_block_price(Some("2000"));
    let paid = world.until(&late.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!(paid.credited_credits.to_string(), "200000");
    let PaymentOutcome::Credited { usd_per_eth, batch_id, batch_expires, .. } = &paid.payments[0].outcome else { panic!("{paid:?}") };
    assert_eq!((usd_per_eth.to_string().as_str(), batch_id.is_some(), batch_expires.is_some()), ("2000", true, true));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_read_twice_credits_once() {
    let mut world = World::start().await;
    let order = world.order(1, "25").await;
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time());
    let first = world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    // A reorganisation puts the same payment into another block.
    world.chain.reorganise(1);
    world.until_scanned(2).await;
    let moved = world.until(&order.order_id, |o| o.payments[0].confirmations == 2).await;
    assert_eq!((moved.payments.len(), moved.credited_credits.to_string().as_str()), (1, "250000"));
    assert_ne!(moved.payments[0].block_hash, first.payments[0].block_hash);
    // A node that starts over with a shorter chain sends the watcher back.
    world.chain.forget_all_but(1);
    world.until_health(|health| health["scanned_block"] == 0).await;
    world.chain.mine(start_time());
    world.restart().await;
    world.until_scanned(1).await;
    assert_eq!(world.shown(&order.order_id).await.credited_credits.to_string(), "250000");
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_in_a_block_that_replaces_a_read_one_is_found() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    let mut last = 0;
    for _ in 0..3 {
        last = world.chain.mine(start_time());
    }
    world.until_scanned(last).await;
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.reorganise(3);
    let paid = world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!(paid.payments[0].block_number, last - 2);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_during_an_outage_is_found_afterwards() {
    let mut world = World::start().await;
    let order = world.order(1, "25").await;
    world.until_health(|health| health["status"] == "ok").await;
    world.chain.set_down(true);
    world.until_health(|health| health["status"] == "degraded").await;
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time());
    world.chain.set_down(false);
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    // So is one that came while the service was not running.
    let second = world.order(2, "25").await;
    world.running.take().expect("running").stop().await;
    world.chain.pay(secret(2).tag(), WEI);
    world.chain.mine(start_time());
    world.restart().await;
    world.until(&second.order_id, |o| o.status == OrderStatus::Confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_before_its_order_waits_for_it() {
    let world = World::start().await;
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.pay(secret(2).tag(), WEI);
    world.chain.pay_with(vec![], WEI);
    world.chain.pay_with(b"hello".to_vec(), WEI);
    let block = world.chain.mine(start_time());
    world.until_scanned(block).await;
    let order = world.order(1, "25").await;
    assert_eq!((order.status, order.credited_credits.to_string().as_str()), (OrderStatus::Confirmed, "250000"));
    let claimed: ClaimAnswer = world.claim(&order.order_id, 1, false).await.ok(200);
    assert!(claimed.secure_key.is_some());

    // A stranger who reads the tag off the chain and tops up with it gets nothing: only the secret releases it.
    let (_, key) = world.account().await;
    let top_up: OrderAnswer = world.send(post("/v1/orders", order_body(2, "25")).key("k").bearer(&key)).await.ok(201);
    let next = world.chain.mine(start_time());
    world.until_scanned(next).await;
    assert_eq!((top_up.status, world.shown(&top_up.order_id).await.status), (OrderStatus::Open, OrderStatus::Open));
    let receipt: ClaimAnswer = world.claim(&top_up.order_id, 2, false).await.ok(200);
    assert_eq!(receipt.credited_credits.to_string(), "250000");
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_beyond_the_ledger_is_held_and_stops_nothing() {
    let world = World::start().await;
    let (huge, small) = (world.order(1, "25").await, world.order(2, "25").await);
    world.chain.pay(secret(1).tag(), 1_000_000_000_000_000_000_000_000);
    world.chain.pay(secret(2).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&small.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let held = world.until(&huge.order_id, |o| o.status == OrderStatus::Held).await;
    assert_eq!(held.payments[0].outcome, PaymentOutcome::Held { reason: HeldReason::BeyondLedger });
    world.stop_and_verify().await;
}
