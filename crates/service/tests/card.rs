//! Payments by card, against a running service and a stand-in of Stripe.

#[path = "card/model.rs"]
mod model;
#[allow(dead_code, reason = "the stand-in is shared with other members' tests")]
#[path = "../../../tests/src/stripe.rs"]
mod stripe;
mod support;
#[path = "card/world.rs"]
mod world;

use aispace_api::{BatchSource, CardOrderAnswer, CardStatus, ClaimAnswer, ErrorCode};
use aispace_units::NanoCredits;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Row};
use stripe::StripeFault;
use support::{get, order_body, post, secret, start_time};
use world::{NEVER, SOON, World, card_body, signed};

fn credits(text: &str) -> NanoCredits {
    text.parse().expect("credits")
}

#[tokio::test]
async fn a_paid_session_becomes_an_account_with_a_key_once() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "25").await;
    assert_eq!((order.credits, order.status, order.top_up), (credits("250000"), CardStatus::Open, false));
    assert_eq!((order.opened, order.expires), (start_time(), start_time() + TimeDelta::hours(1)));
    assert!(order.checkout_url.as_deref().is_some_and(|url| url.starts_with("https://checkout.stripe.com/")));
    let session = world.session(&order);
    let stored = world.stripe.sessions().remove(0);
    assert_eq!(stored["amount_total"], 2500);
    assert_eq!(stored["success_url"], format!("https://example.org/bought?lang=en&order_id={}&outcome=paid", order.order_id));
    world.claim(&order, 1, false).await.refused(409, ErrorCode::NotPaidYet);

    world.stripe.pay(&session);
    world.set_time(TimeDelta::minutes(2));
    for _ in 0..3 {
        world.deliver_all().await;
    }
    let paid = world.shown(&order).await;
    assert_eq!((paid.status, paid.claimed, paid.checkout_url), (CardStatus::Paid, false, None));
    assert_eq!((paid.credited_credits, paid.received_usd.to_string().as_str()), (credits("250000"), "25"));
    assert_eq!(paid.credited, Some(start_time() + TimeDelta::minutes(2)));

    world.claim(&order, 2, false).await.refused(403, ErrorCode::WrongSecret);
    let (_, key) = world.claimed(&order, 1).await;
    assert_eq!(world.claimed(&order, 1).await.1, key, "a lost answer is given again");
    let account = world.account(&key).await;
    assert_eq!(account.available_credits, credits("250000"));
    let batch = &account.batches[0];
    assert_eq!((account.batches.len(), batch.source, batch.added), (1, BatchSource::CardPurchase, start_time() + TimeDelta::minutes(2)));
    assert_eq!(batch.expires, batch.added + TimeDelta::days(30));
    assert!(world.shown(&order).await.claimed);
    let acknowledged: ClaimAnswer = world.claim(&order, 1, true).await.ok(200);
    assert!(acknowledged.secure_key.is_none());
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test]
async fn a_lost_webhook_and_a_closed_browser_lose_nothing() {
    let world = World::start(SOON).await;
    let (order, unpaid) = (world.order(1, "5").await, world.order(2, "5").await);
    world.stripe.pay(&world.session(&order));
    world.stripe.expire(&world.session(&unpaid));
    let paid = world.until(&order, |order| order.status == CardStatus::Paid).await;
    assert_eq!(paid.credited_credits, credits("50000"));
    world.stripe.refund(&world.session(&order), 200, "succeeded");
    let less = world.until(&order, |order| order.returned_usd.to_string() == "2").await;
    assert_eq!(less.credited_credits, credits("30000"));
    let ended = world.until(&unpaid, |order| order.status == CardStatus::Expired).await;
    assert_eq!((ended.checkout_url, ended.credited), (None, None));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn what_happened_while_the_service_was_down_is_found_out() {
    let mut world = World::start(NEVER).await;
    let order = world.order(1, "10").await;
    let session = world.session(&order);
    world.stop().await;
    world.stripe.pay(&session);
    let dispute = world.stripe.dispute(&session, 1000, "needs_response");
    world.begin(SOON).await;
    let paid = world.until(&order, |order| order.status == CardStatus::Paid).await;
    assert_eq!((paid.credited, paid.credited_credits), (None, credits("0")), "nothing is posted for money that is gone");
    world.stop().await;
    world.stripe.move_dispute(&dispute, "won");
    world.begin(SOON).await;
    let won = world.until(&order, |order| order.credited.is_some()).await;
    assert_eq!(won.credited_credits, credits("100000"));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn a_long_outage_after_a_quiet_start_loses_no_event() {
    let mut world = World::start(NEVER).await;
    let order = world.order(1, "1").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    world.deliver_all().await;
    world.stop().await;
    world.stripe.refund(&session, 100, "succeeded");
    world.set_time(TimeDelta::hours(30));
    world.begin(SOON).await;
    let returned = world.until(&order, |order| order.returned_usd.to_string() == "1").await;
    assert_eq!(returned.credited_credits, credits("0"));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn a_top_up_goes_to_the_account_that_ordered_it() {
    let world = World::start(NEVER).await;
    let (opened, order) = world.top_up(1, "1.50").await;
    assert!(order.top_up);
    world.stripe.pay(&world.session(&order));
    world.deliver_all().await;
    assert_eq!(world.account(opened.secure_key.expose()).await.available_credits, credits("15000"));
    let claimed: ClaimAnswer = world.claim(&order, 1, false).await.ok(200);
    assert_eq!((claimed.account_id, claimed.secure_key.is_none()), (opened.account_id, true));
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test]
async fn an_order_is_made_once_under_one_key_and_one_tag() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "25").await;
    let again: CardOrderAnswer = world.send(post("/v1/orders", card_body(1, "25.00")).key("k")).await.ok(201);
    assert_eq!(again, order);
    assert_eq!(world.stripe.sessions().len(), 1);
    world.send(post("/v1/orders", card_body(1, "26")).key("k")).await.refused(409, ErrorCode::KeyConflict);
    let conflict = world.send(post("/v1/orders", card_body(1, "25")).key("other")).await.refused(409, ErrorCode::KeyConflict);
    assert_eq!(conflict.details["order_id"], order.order_id);
    assert_eq!(world.stripe.sessions().len(), 1, "a tag that is taken costs no session");
    for (usd, told) in [("0.49", "0.50"), ("10.005", "cent"), ("922337.21", "represented"), ("1000000", "999999.99")] {
        let refused = world.send(post("/v1/orders", card_body(2, usd)).key("k2")).await.refused(422, ErrorCode::InvalidAmount);
        assert!(refused.message.contains(told), "{usd}: {}", refused.message);
    }
    world.send(post("/v1/orders", card_body(2, "0")).key("k2")).await.refused(422, ErrorCode::InvalidAmount);
    assert_eq!(world.stripe.sessions().len(), 1);
}

#[tokio::test]
async fn without_a_stripe_key_cards_are_refused_plainly() {
    let mut world = World::prepared(None).await;
    world.running.push(aispace_service::serve(world.config(None)).await.expect("the service starts"));
    world.send(post("/v1/orders", card_body(1, "25")).key("k")).await.refused(503, ErrorCode::CardUnavailable);
    world.send(signed("{}", start_time())).await.refused(404, ErrorCode::NotFound);
    world.send(post("/v1/orders", order_body(1, "25")).key("k")).await.refused(503, ErrorCode::PriceUnavailable);
}

#[tokio::test]
async fn only_what_stripe_signed_lately_is_listened_to() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "25").await;
    world.stripe.pay(&world.session(&order));
    let body = world.stripe.events()[0].to_string();
    let calls = world.stripe.calls().len();
    let tampered = body.replace("checkout.session.completed", "checkout.session.expired");
    let header = aispace_payments::stripe::sign(&world::webhook_secret(), body.as_bytes(), start_time());
    let refused = [
        post("/v1/webhooks/stripe", Value::Null).raw(&body),
        post("/v1/webhooks/stripe", Value::Null).raw(&body).header("stripe-signature", "t=1,v1=00"),
        post("/v1/webhooks/stripe", Value::Null).raw(&tampered).header("stripe-signature", &header),
        signed(&body, start_time() - TimeDelta::seconds(301)),
        signed(&body, start_time() + TimeDelta::seconds(301)),
        signed("not json", start_time()),
        signed(r#"{"id":"evt_1"}"#, start_time()),
        signed(&"x".repeat(300_000), start_time()),
    ];
    for request in refused {
        world.send(request).await.refused(400, ErrorCode::InvalidRequest);
    }
    assert_eq!(world.stripe.calls().len(), calls, "Stripe is not asked for what a stranger says");
    assert_eq!(world.shown(&order).await.status, CardStatus::Open);
    assert_eq!(world.send(signed(&body, start_time() - TimeDelta::seconds(300))).await.status, 204);
    assert_eq!(world.shown(&order).await.status, CardStatus::Paid);
    world.send(get("/v1/webhooks/stripe")).await.refused(405, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn events_of_something_else_are_accepted_and_change_nothing() {
    let world = World::start(NEVER).await;
    world.stripe.tell("customer.created", json!({"object": "customer", "id": "cus_1"}));
    world.stripe.tell("charge.refunded", json!({"object": "charge", "id": "ch_1", "payment_intent": "pi_of_another_shop"}));
    world.stripe.tell("charge.refunded", json!({"object": "charge", "id": "ch_2", "payment_intent": null}));
    world.stripe.tell("checkout.session.completed", json!({"object": "checkout.session", "id": "cs_of_another_shop"}));
    world.deliver_all().await;
    let calls = world.stripe.calls().len();
    world.deliver_all().await;
    assert_eq!(world.stripe.calls().len(), calls, "Stripe is asked once about a stranger");
    assert_eq!(world.stop_and_verify().await, 0);
}

#[tokio::test]
async fn a_claim_about_a_payment_is_checked_at_stripe() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "25").await;
    // Signed, but not what Stripe itself says of the session.
    let mut session = world.stripe.sessions().remove(0);
    session["payment_status"] = json!("paid");
    session["status"] = json!("complete");
    world.stripe.tell("checkout.session.completed", session);
    world.deliver_all().await;
    assert_eq!(world.shown(&order).await.status, CardStatus::Open);
}

#[tokio::test]
async fn money_that_takes_its_time_is_waited_for() {
    let world = World::start(NEVER).await;
    let (slow, failed) = (world.order(1, "25").await, world.order(2, "25").await);
    for order in [&slow, &failed] {
        world.stripe.pay_later(&world.session(order));
    }
    world.deliver_all().await;
    let waiting = world.shown(&slow).await;
    assert_eq!((waiting.status, waiting.credited), (CardStatus::Processing, None));
    world.stripe.settle(&world.session(&slow), true);
    world.stripe.settle(&world.session(&failed), false);
    world.deliver_all().await;
    assert_eq!(world.shown(&slow).await.credited_credits, credits("250000"));
    assert_eq!(world.shown(&failed).await.credited, None);
}

#[tokio::test]
async fn a_refund_takes_what_is_left_and_records_what_is_not() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "1").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    world.deliver_all().await;
    let (account, key) = world.claimed(&order, 1).await;
    world.set_time(TimeDelta::days(3));
    assert_eq!(world.debit(&account, 6_000, "d").await.status, 201);
    world.stripe.refund(&session, 30, "succeeded");
    world.deliver_all().await;
    let left = world.account(&key).await;
    assert_eq!(left.available_credits, credits("1000"));
    assert_eq!(left.next_expiry, Some(start_time() + TimeDelta::days(30)), "the rest keeps its end");
    assert_eq!(world.shown(&order).await.missing_credits, credits("0"));

    let failing = world.stripe.refund(&session, 70, "pending");
    world.deliver_all().await;
    assert_eq!(world.account(&key).await.available_credits, credits("0"));
    assert_eq!(world.shown(&order).await.missing_credits, credits("6000"));
    assert_eq!(shortfalls(&world).await, [6_000]);
    let metrics = world.running[0].metrics_address().expect("an address");
    let counted = get("/metrics").send(metrics).await.body;
    for line in ["card_payments_total{outcome=\"credited\"} 1", "card_payments_total{outcome=\"returned\"} 2", "card_missing_credits 6000"]
    {
        assert!(counted.contains(&format!("aispace_{line}\n")), "{line}: {counted}");
    }

    world.stripe.move_refund(&failing, "failed");
    world.deliver_all().await;
    let back = world.account(&key).await;
    assert_eq!((back.available_credits, back.next_expiry), (credits("1000"), Some(start_time() + TimeDelta::days(30))));
    assert_eq!(world.shown(&order).await.missing_credits, credits("0"));
    assert_eq!(shortfalls(&world).await, [6_000, 0], "each time that it changes");
    world.stop_and_verify().await;
}

#[tokio::test]
async fn a_refund_that_is_told_before_the_payment_leads_to_both() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "1").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    world.stripe.refund(&session, 30, "succeeded");
    let refunded = world.stripe.events().into_iter().find(|event| event["type"] == "charge.refunded").expect("an event");
    assert_eq!(world.deliver(&refunded).await.status, 204);
    let shown = world.shown(&order).await;
    assert_eq!((shown.status, shown.credited_credits), (CardStatus::Paid, credits("7000")));
    world.deliver_all().await;
    let (_, key) = world.claimed(&order, 1).await;
    let account = world.account(&key).await;
    assert_eq!((account.available_credits, account.batches.len()), (credits("7000"), 1));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn a_dispute_takes_when_the_money_goes_and_gives_back_when_it_is_won() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "1").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    let dispute = world.stripe.dispute(&session, 100, "warning_needs_response");
    world.deliver_all().await;
    let (_, key) = world.claimed(&order, 1).await;
    assert_eq!(world.account(&key).await.available_credits, credits("10000"), "an inquiry moves no money");
    for (status, available) in [("needs_response", "0"), ("under_review", "0"), ("won", "10000")] {
        world.stripe.move_dispute(&dispute, status);
        world.deliver_all().await;
        assert_eq!(world.account(&key).await.available_credits, credits(available), "{status}");
    }
    let lost = world.stripe.dispute(&session, 100, "needs_response");
    world.stripe.move_dispute(&lost, "lost");
    world.deliver_all().await;
    assert_eq!(world.account(&key).await.available_credits, credits("0"));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn what_was_taken_is_not_given_back_after_its_end() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "1").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    let dispute = world.stripe.dispute(&session, 40, "needs_response");
    world.deliver_all().await;
    let (_, key) = world.claimed(&order, 1).await;
    assert_eq!(world.account(&key).await.available_credits, credits("6000"));
    world.set_time(TimeDelta::days(30));
    world.stripe.move_dispute(&dispute, "won");
    world.deliver_all().await;
    assert_eq!(world.account(&key).await.available_credits, credits("0"));
    assert_eq!(world.shown(&order).await.credited_credits, credits("10000"));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn what_holds_reserve_is_settled_up_when_they_end() {
    let world = World::start(SOON).await;
    let order = world.order(1, "1").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    world.until(&order, |order| order.credited.is_some()).await;
    let (account, key) = world.claimed(&order, 1).await;
    let hold = post("/v1/holds", json!({"account_id": account, "credits": "9000"})).operator().key("h");
    let held: Value = world.send(hold).await.ok(201);
    world.stripe.refund(&session, 50, "succeeded");
    world.until(&order, |order| order.returned_usd.to_string() == "0.5").await;
    assert_eq!(world.account(&key).await.available_credits, credits("0"));
    let settle =
        post(&format!("/v1/holds/{}/settle", held["hold_id"].as_str().expect("an id")), json!({"account_id": account, "credits": "2000"}));
    assert_eq!(world.send(settle.operator().key("s")).await.status, 201);
    // Of 10,000 credits 5,000 are still paid for and 2,000 were spent.
    let deadline = std::time::Instant::now() + support::PATIENCE;
    while world.account(&key).await.available_credits != credits("3000") {
        assert!(std::time::Instant::now() < deadline, "{:?}", world.account(&key).await);
        tokio::time::sleep(SOON).await;
    }
    world.stop_and_verify().await;
}

#[tokio::test]
async fn an_outage_at_stripe_is_told_and_made_up_for() {
    let world = World::start(NEVER).await;
    let outage = || world.stripe.break_next([StripeFault::Status(503); 3]);
    outage();
    world.send(post("/v1/orders", card_body(1, "25")).key("k")).await.refused(503, ErrorCode::CardUnavailable);
    let order = world.order(1, "25").await;
    world.stripe.pay(&world.session(&order));
    let event = world.stripe.events().remove(0);
    outage();
    world.deliver(&event).await.refused(503, ErrorCode::CardUnavailable);
    assert_eq!(world.shown(&order).await.credited, None);
    assert_eq!(world.deliver(&event).await.status, 204, "Stripe sends it again");
    assert_eq!(world.shown(&order).await.credited_credits, credits("250000"));
    world.stop_and_verify().await;
}

#[tokio::test]
async fn an_answer_that_was_overtaken_is_not_taken_in() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "10").await;
    let session = world.session(&order);
    world.stripe.pay(&session);
    world.deliver_all().await;
    world.stripe.refund(&session, 100, "succeeded");
    // The first look knows of one refund; its answer comes after that of a second look, which knows of two.
    world.stripe.hold_up("/v1/refunds");
    let (request, address) = world.delivery(0, world.stripe.events().last().expect("an event"));
    let first = tokio::spawn(request.send(address));
    while !world.stripe.holds_up() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    world.stripe.refund(&session, 200, "succeeded");
    assert_eq!(world.deliver(world.stripe.events().last().expect("an event")).await.status, 204);
    assert_eq!(world.shown(&order).await.returned_usd.to_string(), "3");
    world.stripe.let_go();
    assert_eq!(first.await.expect("an answer").status, 204);
    assert_eq!(world.shown(&order).await.returned_usd.to_string(), "3");
    world.stop_and_verify().await;
}

#[tokio::test]
async fn a_payment_of_another_amount_is_left_to_a_person() {
    let world = World::start(NEVER).await;
    let order = world.order(1, "25").await;
    world.stripe.change_total(&world.session(&order), 100);
    world.stripe.pay(&world.session(&order));
    world.deliver_all().await;
    let held = world.shown(&order).await;
    assert_eq!((held.status, held.credited), (CardStatus::Held, None));
    world.claim(&order, 1, false).await.refused(409, ErrorCode::NotPaidYet);
    assert_eq!(secret(1).tag().to_string().len(), 64);
    assert_eq!(world.stop_and_verify().await, 0);
}

/// What is recorded as not taken back, in whole credits, the oldest first.
async fn shortfalls(world: &World) -> Vec<i64> {
    let aispace_service::Database::Sqlite(path) = &world.database else { panic!("a file") };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
    let mut db = options.connect().await.expect("opens");
    let rows = sqlx::query("SELECT missing FROM card_shortfalls ORDER BY number").fetch_all(&mut db).await.expect("read");
    rows.iter().map(|row| row.get::<i64, _>(0) / 1_000_000_000).collect()
}
