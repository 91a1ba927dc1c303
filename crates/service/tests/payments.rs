//! Payments in ether: whose they are, when they count, and what becomes of them when the chain changes its mind.

mod support;

use aispace_api::{
    AccountAnswer, Attribution, BlockFinality, ClaimAnswer, ErrorCode, HeldReason, OrderAnswer, OrderStatus, PaymentOutcome, PaymentRecord,
    PaymentsAnswer, PostedAnswer, WaitsFor,
};
use aispace_payments::claim::PaymentClaim;
use aispace_payments::signer::SpendingKey;
use aispace_payments::tag::calldata;
use aispace_payments::{EthAddress, TransactionHash};
use aispace_units::Wei;
use chrono::{DateTime, TimeDelta, Utc};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{Reply, World, get, order_body, post, secret, start_time};

/// 25 USD at 2,500 USD per ether, and one step of an amount.
const WEI: u128 = 10_000_000_000_000_000;
const STEP: u128 = 10_000_000_000;
const PAYER: [u8; 32] = [0x42; 32];

fn address(key: [u8; 32]) -> EthAddress {
    SpendingKey::from_hex(&key.iter().map(|byte| format!("{byte:02x}")).collect::<String>()).expect("a key").address()
}

fn signed(key: [u8; 32], claim: &PaymentClaim) -> String {
    let key = SigningKey::from_slice(&key).expect("a key");
    let (signature, recovery) = key.sign_prehash_recoverable(&claim.signing_hash()).expect("signed");
    let bytes = [&signature.to_bytes()[..], &[27 + recovery.to_byte()]].concat();
    format!("0x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A claim that a key signs.
struct Claim {
    order: String,
    hash: TransactionHash,
    wei: u128,
    deadline: DateTime<Utc>,
    key: [u8; 32],
}

impl Claim {
    fn of(order: &OrderAnswer, hash: TransactionHash, wei: u128) -> Self {
        Self { order: order.order_id.clone(), hash, wei, deadline: start_time() + TimeDelta::minutes(30), key: PAYER }
    }

    fn body(&self) -> Value {
        let claim = PaymentClaim::new(self.hash, &self.order, Wei::new(self.wei), self.deadline);
        let deadline = self.deadline.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        json!({"order_id": self.order, "transaction_hash": self.hash.to_string(), "deadline": deadline, "signature": signed(self.key, &claim)})
    }

    async fn present(&self, world: &World) -> Reply {
        world.send(post("/v1/claims", self.body())).await
    }
}

async fn open(world: &World) -> Vec<PaymentRecord> {
    world.send(get("/v1/payments/open").operator()).await.ok::<PaymentsAnswer>(200).payments
}

/// Waits until payments are held, and says why.
async fn until_held(world: &World, count: usize) -> Vec<HeldReason> {
    let block = world.chain.mine(start_time());
    world.until_scanned(block).await;
    let held: Vec<HeldReason> = open(world)
        .await
        .iter()
        .filter_map(|payment| match payment.outcome {
            PaymentOutcome::Held { reason } => Some(reason),
            _ => None,
        })
        .collect();
    assert_eq!(held.len(), count, "{held:?}");
    held
}

async fn free(world: &World, key: &str) -> String {
    world.send(get("/v1/account").bearer(key)).await.ok::<AccountAnswer>(200).available_credits.to_string()
}

fn is_taken_back(order: &OrderAnswer) -> bool {
    order.payments.iter().any(|payment| matches!(payment.outcome, PaymentOutcome::TakenBack { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_open_order_asks_for_an_amount_of_its_own() {
    let world = World::start().await;
    let (first, second) = (world.order(1, "25").await, world.order(2, "25").await);
    // Amounts that people and exchanges round to are nobody's.
    assert_eq!((first.quote.unique_value_wei.get(), second.quote.unique_value_wei.get()), (WEI + STEP, WEI + 2 * STEP));
    // Thirty-two at once, and the same call again: every order keeps one amount, no two have the same.
    let calls: Vec<_> = (10..42u8)
        .flat_map(|n| [n, n])
        .map(|n| tokio::spawn(post("/v1/orders", order_body(n, "25")).key("k").send(world.address())))
        .collect();
    let mut seen = BTreeSet::new();
    for call in calls {
        let order: OrderAnswer = call.await.expect("sent").ok(201);
        seen.insert((order.order_id, order.quote.unique_value_wei.get()));
    }
    let amounts: BTreeSet<u128> = seen.iter().map(|(_, wei)| *wei).collect();
    assert_eq!((seen.len(), amounts.len()), (32, 32));
    assert_eq!(amounts, (3..39).filter(|n| n % 10 != 0).take(32).map(|n| WEI + n * STEP).collect());
    // A day after its end an amount is free again.
    world.set_time(TimeDelta::minutes(10) + TimeDelta::hours(24));
    assert_eq!(world.order(3, "25").await.quote.unique_value_wei.get(), WEI + STEP);
    // What is not a whole step is rounded up to one.
    world.prices.set(Some("3018.26"));
    let odd = world.order(4, "25").await;
    assert_eq!((odd.quote.value_wei.get(), odd.quote.unique_value_wei.get()), (8_282_917_972_606_734, 8_282_920_000_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_without_a_tag_finds_its_order_and_no_other() {
    let world = World::start().await;
    let (first, second) = (world.order(1, "25").await, world.order(2, "25").await);
    world.chain.pay_plain(WEI + 2 * STEP);
    world.chain.mine(start_time());
    let paid = world.until(&second.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!((paid.payments[0].attribution, paid.payments[0].late), (Attribution::Amount, false));
    assert_eq!(paid.credited_credits.to_string(), "250000.5");
    // The same again, a step too few and one too many, a wei more than asked: each is held.
    for wei in [WEI + 2 * STEP, WEI, WEI + 3 * STEP, WEI + STEP + 1] {
        world.chain.pay_plain(wei);
    }
    let mut why = until_held(&world, 4).await;
    why.sort_by_key(|reason| format!("{reason:?}"));
    assert_eq!(why, [HeldReason::NoOrder, HeldReason::NoOrder, HeldReason::NoOrder, HeldReason::OrderHasPayment]);
    // A tag is believed and the amount is not: neither a known one nor an unknown one is matched by the amount.
    world.chain.pay(secret(2).tag(), WEI + STEP);
    world.chain.pay(secret(9).tag(), WEI + STEP);
    world.chain.mine(start_time());
    let paid = world.until(&second.order_id, |o| o.payments.len() == 2).await;
    assert_eq!(paid.payments[1].attribution, Attribution::Tag);
    until_held(&world, 4).await;
    assert!(world.shown(&first.order_id).await.payments.is_empty());
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_counts_in_its_window_alone() {
    let world = World::start().await;
    world.set_time(TimeDelta::minutes(5));
    let order = world.order(1, "25").await;
    world.chain.set_block_price(Some("2000"));
    // Before the quote; then late, at its block's price, up to a day after the end; then not any more.
    world.chain.pay_plain(WEI + STEP);
    world.chain.mine(start_time());
    assert_eq!(until_held(&world, 1).await, [HeldReason::NoOrder]);
    world.chain.pay_plain(WEI + STEP);
    let end = start_time() + TimeDelta::minutes(15) + TimeDelta::hours(24);
    world.chain.mine(end);
    let paid = world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!((paid.payments[0].late, paid.credited_credits.to_string().as_str()), (true, "200000.2"));
    let second = world.order(2, "30").await;
    world.chain.pay_plain(second.quote.unique_value_wei.get());
    world.chain.mine(end + TimeDelta::seconds(1));
    until_held(&world, 2).await;
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dust_under_a_tag_and_a_copied_tag_pay_for_its_owner() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    world.chain.pay_from(address([9; 32]), 0, calldata(secret(1).tag()), 1);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.payments.len() == 1).await;
    world.chain.pay_from(address(PAYER), 0, calldata(secret(1).tag()), WEI);
    world.chain.pay_from(address([9; 32]), 0, calldata(secret(1).tag()), WEI / 2);
    world.chain.mine(start_time());
    let paid = world.until(&order.order_id, |o| o.payments.len() == 3).await;
    assert_eq!(paid.credited_credits.to_string(), "375000");
    // Who only has the hash, or guesses, gets nothing.
    world.claim(&order.order_id, 2, false).await.refused(403, ErrorCode::WrongSecret);
    let claimed: ClaimAnswer = world.claim(&order.order_id, 1, false).await.ok(200);
    assert_eq!(free(&world, &claimed.secure_key.expect("a key").into_exposed()).await, "375000");
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_exchange_rounds_is_held_and_its_payer_claims_it_by_hash() {
    let world = World::start().await;
    let (order, other) = (world.order(1, "25").await, world.order(2, "25").await);
    let hash = world.chain.pay_from(address(PAYER), 0, vec![], WEI - STEP);
    assert_eq!(until_held(&world, 1).await, [HeldReason::NoOrder]);
    let claim = Claim::of(&order, hash, WEI - STEP);
    // Another key, another value, another order under the same signature: not the payer's word.
    let stolen = Claim { key: [0x43; 32], ..Claim::of(&other, hash, WEI - STEP) };
    stolen.present(&world).await.refused(503, ErrorCode::ChainUnavailable);
    let mut moved = claim.body();
    moved["order_id"] = json!(other.order_id);
    world.send(post("/v1/claims", moved)).await.refused(503, ErrorCode::ChainUnavailable);
    let claimed: OrderAnswer = claim.present(&world).await.ok(200);
    assert_eq!((claimed.status, claimed.payments[0].attribution), (OrderStatus::Confirmed, Attribution::HashClaim));
    assert_eq!(claimed.credited_credits.to_string(), "249999.75");
    // Again it changes nothing, and for another order it is taken.
    let again: OrderAnswer = claim.present(&world).await.ok(200);
    assert_eq!((again.payments.len(), again.credited_credits), (1, claimed.credited_credits));
    Claim::of(&other, hash, WEI - STEP).present(&world).await.refused(409, ErrorCode::PaymentTaken);
    assert!(world.shown(&other.order_id).await.payments.is_empty());
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_a_claim_by_hash() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    let plain = world.chain.pay_from(address(PAYER), 0, vec![], WEI - STEP);
    let tagged = world.chain.pay_from(address(PAYER), 0, calldata(secret(1).tag()), WEI);
    until_held(&world, 1).await;
    let claim = Claim::of(&order, plain, WEI - STEP);
    for (deadline, code) in [(TimeDelta::zero(), ErrorCode::ClaimExpired), (TimeDelta::seconds(3601), ErrorCode::ClaimExpired)] {
        Claim { deadline: start_time() + deadline, ..Claim::of(&order, plain, WEI - STEP) }.present(&world).await.refused(422, code);
    }
    let unknown = TransactionHash::from_bytes([1; 32]);
    Claim::of(&order, unknown, WEI).present(&world).await.refused(404, ErrorCode::UnknownPayment);
    Claim::of(&order, tagged, WEI).present(&world).await.refused(409, ErrorCode::PaymentTaken);
    Claim { order: "or_nobody".into(), ..Claim::of(&order, plain, WEI) }.present(&world).await.refused(404, ErrorCode::NotFound);
    for (field, value) in [
        ("signature", json!("0x")),
        ("signature", json!("5f")),
        ("signature", json!("0x5")),
        ("transaction_hash", json!("77")),
        ("deadline", json!("2027-01-15T08:20:00.5Z")),
        ("payer", json!("0x00")),
        ("secret", json!("x")),
    ] {
        let mut body = claim.body();
        body[field] = value;
        world.send(post("/v1/claims", body)).await.refused(400, ErrorCode::InvalidRequest);
    }
    let mut named = claim.body();
    named["payer"] = json!(address([9; 32]).to_string());
    world.send(post("/v1/claims", named)).await.refused(403, ErrorCode::NotThePayer);
    assert_eq!(claim.present(&world).await.ok::<OrderAnswer>(200).payments.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_pay_in_the_middle_of_a_transaction_and_sign_for_it() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    let wallet = EthAddress::from_bytes([7; 20]);
    // An inner call with a tag is a payment like any other.
    world.chain.pay_from(wallet, 1, calldata(secret(1).tag()), WEI);
    world.chain.mine(start_time());
    let paid = world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!((paid.payments[0].position, paid.credited_credits.to_string().as_str()), (1, "250000"));
    // Without one the contract says whose it is.
    let second = world.order(2, "25").await;
    let hash = world.chain.pay_from(wallet, 3, vec![], WEI / 2);
    until_held(&world, 1).await;
    let claim = Claim::of(&second, hash, WEI / 2);
    claim.present(&world).await.refused(503, ErrorCode::ChainUnavailable);
    world.chain.vouch_as(wallet);
    let claimed: OrderAnswer = claim.present(&world).await.ok(200);
    assert_eq!((claimed.payments[0].position, claimed.credited_credits.to_string().as_str()), (3, "125000"));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_as_final_as_its_least_final_payment() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    world.chain.pay(secret(1).tag(), WEI);
    let first = world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    world.chain.pay(secret(1).tag(), WEI);
    let second = world.chain.mine(start_time());
    world.chain.set_finality(first, 0);
    let shown = world.until(&order.order_id, |o| o.payments.first().is_some_and(|p| p.finality == BlockFinality::Safe)).await;
    assert_eq!((shown.status, shown.payments.len()), (OrderStatus::Confirmed, 2));
    world.chain.set_finality(second, first);
    let shown = world.until(&order.order_id, |o| o.status == OrderStatus::Safe).await;
    assert_eq!(shown.payments[0].finality, BlockFinality::Final);
    world.chain.set_finality(second, second);
    world.until(&order.order_id, |o| o.status == OrderStatus::Final).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_sum_is_credited_once_its_block_is_safe_also_in_parts() {
    let world = World::start().await;
    let (large, parts) = (world.order(1, "10000").await, world.order(2, "10000").await);
    world.chain.pay(secret(1).tag(), large.quote.value_wei.get());
    world.chain.pay(secret(2).tag(), parts.quote.value_wei.get() / 2);
    world.chain.pay(secret(2).tag(), parts.quote.value_wei.get() / 2);
    let block = world.chain.mine(start_time());
    let waits = world.until(&large.order_id, |o| o.payments.len() == 1).await;
    assert_eq!((waits.status, &waits.payments[0].outcome), (OrderStatus::Open, &PaymentOutcome::Waiting { waits_for: WaitsFor::Safe }));
    world.claim(&large.order_id, 1, false).await.refused(409, ErrorCode::NotPaidYet);
    let half = world.until(&parts.order_id, |o| o.payments.len() == 2).await;
    assert_eq!((half.status, half.credited_credits.to_string().as_str()), (OrderStatus::Confirmed, "50000000"));
    world.chain.set_finality(block, 0);
    for order in [&large, &parts] {
        let paid = world.until(&order.order_id, |o| o.credited_credits.to_string() == "100000000").await;
        assert_eq!(paid.status, OrderStatus::Safe);
    }
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_takes_back_is_taken_back_and_what_it_gives_again_is_given_again() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    let hash = world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let claimed: ClaimAnswer = world.claim(&order.order_id, 1, false).await.ok(200);
    let key = claimed.secure_key.expect("a key").into_exposed();
    let _: PostedAnswer = world.debit(&claimed.account_id, "d", "100000").await.ok(201);
    // Out of the chain, but not for long enough: nothing is taken yet.
    let dropped = world.chain.reorganise_without(1, &[hash]);
    world.until(&order.order_id, |o| o.payments[0].confirmations == 0).await;
    assert_eq!(free(&world, &key).await, "150000");
    let last = world.chain.mine_many(5);
    world.until_scanned(last).await;
    let gone = world.until(&order.order_id, is_taken_back).await;
    assert_eq!((gone.status, gone.credited_credits.to_string().as_str(), gone.claimed), (OrderStatus::Open, "0", true));
    assert_eq!(free(&world, &key).await, "0", "what is left goes, what was spent does not become a debt");
    // Mined again it buys what it bought, once: what was spent is not given twice.
    world.chain.send_again(dropped);
    world.chain.mine(start_time());
    let back = world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!((back.payments.len(), back.credited_credits.to_string().as_str()), (1, "250000"));
    assert_eq!(free(&world, &key).await, "150000");
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_of_a_payment_that_is_gone_is_missing() {
    let mut world = World::prepared();
    let mut config = world.config(world.database.clone(), world.clock.clone());
    config.metrics_listen = Some("127.0.0.1:0".parse().expect("an address"));
    world.running = Some(aispace_service::serve(config).await.expect("starts"));
    let (account, key) = world.account().await;
    let order: OrderAnswer = world.send(post("/v1/orders", order_body(1, "25")).key("k").bearer(&key)).await.ok(201);
    let hash = world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let _: PostedAnswer = world.debit(&account, "d", "200000").await.ok(201);
    let hold = json!({"account_id": account, "credits": "30000"});
    let held: PostedAnswer = world.send(post("/v1/holds", hold).operator().key("h")).await.ok(201);
    world.chain.reorganise_without(1, &[hash]);
    let last = world.chain.mine_many(6);
    world.until_scanned(last).await;
    world.until(&order.order_id, is_taken_back).await;
    let metrics = world.running.as_ref().expect("running").metrics_address().expect("an address");
    let counted = async |line: &str| {
        let text = get("/metrics").send(metrics).await.body;
        text.lines().any(|shown| shown == line)
    };
    assert!(counted("aispace_payments_missing_credits 200000").await);
    assert!(counted(r#"aispace_payments_total{outcome="taken_back"} 1"#).await);
    // What the hold charges is missing too, once it ends.
    let settle = json!({"account_id": account, "credits": "10000"});
    let path = format!("/v1/holds/{}/settle", held.hold_id.expect("a hold"));
    let _: PostedAnswer = world.send(post(&path, settle).operator().key("s")).await.ok(201);
    let deadline = std::time::Instant::now() + support::PATIENCE;
    while !counted("aispace_payments_missing_credits 210000").await {
        assert!(std::time::Instant::now() < deadline, "{}", get("/metrics").send(metrics).await.body);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(free(&world, &key).await, "0");
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_moves_to_another_block_only_moves() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    world.chain.pay_plain(order.quote.unique_value_wei.get());
    let at = world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    let (account, key) = world.account().await;
    assert!(!account.is_empty() && !key.is_empty());
    world.chain.reorganise(1);
    let last = world.chain.mine_many(8);
    world.until_scanned(last).await;
    let moved = world.shown(&order.order_id).await;
    assert_eq!((moved.payments.len(), moved.payments[0].block_number, moved.credited_credits.to_string().as_str()), (1, at, "250000.25"));
    // A block that is found not to be the chain's when it should be safe is read again, however long ago that was.
    let far = world.chain.mine_many(100);
    world.until_scanned(far).await;
    let everything = usize::try_from(far - at + 1).expect("small");
    world.chain.reorganise(everything);
    world.chain.set_finality(at, 0);
    let safe = world.until(&order.order_id, |o| o.status == OrderStatus::Safe).await;
    assert_eq!((safe.payments.len(), safe.payments[0].block_number, safe.credited_credits.to_string().as_str()), (1, at, "250000.25"));
    assert_ne!(safe.payments[0].block_hash, moved.payments[0].block_hash);
    assert_eq!(world.stop_and_verify().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_has_a_way_out_for_every_payment_that_is_held() {
    let world = World::start().await;
    let order = world.order(1, "25").await;
    let lost = world.chain.pay_plain(WEI / 2);
    let sent_back = world.chain.pay_plain(WEI / 4);
    let unknown_tag = world.chain.pay(secret(8).tag(), WEI);
    world.chain.leave_unexplained(WEI / 8);
    let mut why = until_held(&world, 3).await;
    why.sort_by_key(|reason| format!("{reason:?}"));
    assert_eq!(why, [HeldReason::NoOrder, HeldReason::NoOrder, HeldReason::Unexplained]);
    let listed = open(&world).await;
    assert_eq!(listed.len(), 4);
    let unexplained = listed.iter().find(|payment| payment.position.is_none()).expect("value that no payment explains").clone();
    assert_eq!((unexplained.value_wei.get(), unexplained.payer), (WEI / 8, None));
    let assign = |hash: &str, position: Option<u32>| {
        post("/v1/payments/assign", json!({"transaction_hash": hash, "position": position, "order_id": order.order_id}))
    };
    world.send(assign(&lost.to_string(), Some(0))).await.refused(401, ErrorCode::Unauthorized);
    world.send(assign(&lost.to_string(), Some(1)).operator()).await.refused(404, ErrorCode::UnknownPayment);
    for _ in 0..2 {
        let assigned: PaymentRecord = world.send(assign(&lost.to_string(), Some(0)).operator()).await.ok(200);
        assert!(matches!(assigned.outcome, PaymentOutcome::Credited { .. }), "{assigned:?}");
    }
    let _: PaymentRecord = world.send(assign(&unexplained.transaction_hash, None).operator()).await.ok(200);
    let _: PaymentRecord = world.send(assign(&unknown_tag.to_string(), Some(0)).operator()).await.ok(200);
    let paid = world.shown(&order.order_id).await;
    assert_eq!((paid.payments.len(), paid.payments[0].attribution), (3, Attribution::Operator));
    assert_eq!(paid.credited_credits.to_string(), "406250");
    let close = json!({"transaction_hash": sent_back.to_string(), "position": 0, "note": "sent back"});
    for _ in 0..2 {
        let closed: PaymentRecord = world.send(post("/v1/payments/close", close.clone()).operator()).await.ok(200);
        assert_eq!(closed.outcome, PaymentOutcome::Closed);
    }
    world.send(assign(&sent_back.to_string(), Some(0)).operator()).await.refused(409, ErrorCode::PaymentTaken);
    assert!(open(&world).await.is_empty());
    // The secret of the unknown tag finds nothing any more.
    let late = world.order(8, "25").await;
    assert!(late.payments.is_empty());
    world.stop_and_verify().await;
}
