//! Stripe's client against a stand-in that speaks its format over a real socket.

use aispace_payments::stripe::{
    DisputeStatus, Event, NewSession, PaymentStatus, RefundStatus, SessionStatus, Stripe, StripeError, StripeKey, StripeSettings, Subject,
    UsdCents,
};
use aispace_testkit::stripe::{StripeFault, StripeStandIn};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::time::Duration;

const KEY: &str = "sk_test_standin";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("time")
}

struct World {
    stand_in: StripeStandIn,
    stripe: Stripe,
}

impl World {
    async fn start() -> Self {
        let stand_in = StripeStandIn::start(KEY, now()).await.expect("a port");
        let stripe = client(&stand_in.url(), KEY, Duration::from_secs(20));
        Self { stand_in, stripe }
    }
}

fn client(url: &str, key: &str, deadline: Duration) -> Stripe {
    let key = StripeKey::new(key.into()).expect("a key");
    Stripe::new(&StripeSettings { url: url.into(), deadline, pause: Duration::from_millis(1) }, &key).expect("an address")
}

fn order(id: &str, cents: u64) -> NewSession {
    NewSession {
        order_id: id.into(),
        amount: UsdCents::new(cents),
        title: "250,000 credits & \"more\" = 100 %".into(),
        success_url: "https://example.org/paid?x=1&y=2".into(),
        cancel_url: "https://example.org/back#top".into(),
        expires: now() + TimeDelta::minutes(31),
    }
}

#[tokio::test]
async fn a_session_carries_the_order_to_the_cent() {
    let world = World::start().await;
    let made = world.stripe.create_session(&order("or_1", 2501)).await.expect("a session");
    assert_eq!((made.status, made.payment, made.total), (SessionStatus::Open, PaymentStatus::Unpaid, Some(UsdCents::new(2501))));
    assert_eq!((made.order_id.as_deref(), made.expires), (Some("or_1"), now() + TimeDelta::minutes(31)));
    assert!(made.url.as_deref().is_some_and(|url| url.starts_with("https://checkout.stripe.com/")));
    assert_eq!(world.stripe.session(&made.id).await.expect("the same"), made);
    let stored = &world.stand_in.sessions()[0];
    assert_eq!(stored["success_url"], "https://example.org/paid?x=1&y=2");
    assert_eq!(stored["cancel_url"], "https://example.org/back#top");
    assert_eq!(stored["metadata"], json!({"order_id": "or_1"}));
}

#[tokio::test]
async fn an_order_makes_one_session_however_often_it_is_asked() {
    let world = World::start().await;
    // The first answer is lost after the session was made; the second try gets the same one.
    let impatient = client(&world.stand_in.url(), KEY, Duration::from_millis(400));
    world.stand_in.break_next([StripeFault::Silent]);
    let made = impatient.create_session(&order("or_1", 2500)).await.expect("a session");
    assert_eq!(world.stripe.create_session(&order("or_1", 2500)).await.expect("again"), made);
    assert_eq!(world.stand_in.sessions().len(), 1);
    assert!(world.stand_in.calls().len() >= 3);
    // Another amount under the same order is refused, not charged.
    let told = world.stripe.create_session(&order("or_1", 2600)).await.expect_err("another body");
    assert!(matches!(&told, StripeError::Refused { status: 400, code, .. } if code == "idempotency_error"), "{told}");
    assert_eq!(world.stand_in.sessions().len(), 1);
}

#[tokio::test]
async fn passing_faults_are_tried_again_and_lasting_ones_told() {
    let world = World::start().await;
    let made = world.stripe.create_session(&order("or_1", 2500)).await.expect("a session");
    for status in [409, 429, 500, 503] {
        world.stand_in.break_next([StripeFault::Status(status); 2]);
        assert_eq!(world.stripe.session(&made.id).await.expect("the third try"), made);
        world.stand_in.break_next([StripeFault::Status(status); 3]);
        let told = world.stripe.session(&made.id).await.expect_err("three faults");
        assert_eq!((&told, told.is_passing()), (&StripeError::Unavailable { status }, true));
    }
    let before = world.stand_in.calls().len();
    world.stand_in.break_next([StripeFault::Status(402)]);
    assert!(matches!(world.stripe.session(&made.id).await, Err(StripeError::Refused { status: 402, .. })));
    assert_eq!(world.stand_in.calls().len(), before + 1, "a refusal is not asked again");
    world.stand_in.break_next([StripeFault::Garbage]);
    assert!(matches!(world.stripe.session(&made.id).await, Err(StripeError::Unreadable { .. })));
    let unknown = "cs_test_other".parse().expect("an id");
    assert!(matches!(world.stripe.session(&unknown).await, Err(StripeError::NotFound { .. })));
    let stranger = client(&world.stand_in.url(), "sk_test_other", Duration::from_secs(20));
    assert!(matches!(stranger.session(&made.id).await, Err(StripeError::KeyRefused { status: 401, .. })));
    let nobody = client("http://127.0.0.1:1", KEY, Duration::from_secs(20));
    assert!(matches!(nobody.session(&made.id).await, Err(StripeError::Unreachable { .. })));
}

#[tokio::test]
async fn what_stripe_refuses_is_told_in_its_words() {
    let world = World::start().await;
    let small = world.stripe.create_session(&order("or_1", 49)).await.expect_err("too small");
    assert!(matches!(&small, StripeError::Refused { code, .. } if code == "amount_too_small"), "{small}");
    let soon = NewSession { expires: now() + TimeDelta::minutes(29), ..order("or_2", 2500) };
    assert!(world.stripe.create_session(&soon).await.expect_err("too soon").to_string().contains("30 minutes"));
    assert!(world.stand_in.sessions().is_empty());
}

#[tokio::test]
async fn a_payment_is_read_with_all_that_went_back() {
    let world = World::start().await;
    let made = world.stripe.create_session(&order("or_1", 10_000)).await.expect("a session");
    let id = made.id.as_str();
    assert_eq!(world.stripe.payment(&made.id).await.expect("unpaid").received(), None);
    let payment = world.stand_in.pay(id).parse().expect("an id");
    let other = world.stripe.create_session(&order("or_2", 500)).await.expect("another");
    world.stand_in.pay(other.id.as_str());
    world.stand_in.refund(other.id.as_str(), 500, "succeeded");
    // More refunds than a page has.
    for _ in 0..120 {
        world.stand_in.refund(id, 10, "succeeded");
    }
    let failing = world.stand_in.refund(id, 700, "pending");
    let dispute = world.stand_in.dispute(id, 3_000, "needs_response");
    let read = world.stripe.payment(&made.id).await.expect("paid");
    let received = read.received().expect("paid");
    assert_eq!((received.get(), read.refunds.len(), read.returned(received).get()), (10_000, 121, 4_900));
    assert_eq!((read.refunds[0].status, read.disputes[0].status), (RefundStatus::Pending, DisputeStatus::NeedsResponse));
    assert!(read.disputes[0].withdrawn);
    world.stand_in.move_refund(&failing, "failed");
    world.stand_in.move_dispute(&dispute, "won");
    let read = world.stripe.payment(&made.id).await.expect("paid");
    assert_eq!(read.returned(received).get(), 1_200);
    assert!(!read.disputes[0].withdrawn);
    assert_eq!(world.stripe.session_of(&payment).await.expect("found").map(|s| s.id), Some(made.id));
    assert_eq!(world.stripe.session_of(&"pi_other".parse().expect("an id")).await.expect("none"), None);
}

#[tokio::test]
async fn events_are_listed_from_the_oldest_on_and_read_like_webhooks() {
    let world = World::start().await;
    let made = world.stripe.create_session(&order("or_1", 10_000)).await.expect("a session");
    let payment = world.stand_in.pay(made.id.as_str());
    world.stand_in.tell("customer.created", json!({"object": "customer", "id": 7}));
    world.stand_in.set_now(now() + TimeDelta::hours(1));
    for _ in 0..60 {
        world.stand_in.refund(made.id.as_str(), 10, "succeeded");
    }
    let all = world.stripe.events_since(now()).await.expect("events");
    assert_eq!(all.len(), 121, "a completed session and two events for each refund");
    assert_eq!((all[0].kind.as_str(), &all[0].subject), ("checkout.session.completed", &Subject::Session(made.id)));
    assert_eq!(all[120].subject, Subject::Payment(payment.parse().expect("an id")));
    let delivered: Vec<Event> =
        world.stand_in.events().iter().map(|event| Event::parse(event.to_string().as_bytes()).expect("an event")).collect();
    let concerning: Vec<&Event> = delivered.iter().filter(|event| event.subject != Subject::Other).collect();
    assert!(all.iter().eq(concerning), "a webhook and the list say the same");
    assert_eq!(world.stripe.events_since(now() + TimeDelta::seconds(1)).await.expect("events").len(), 120);
}
