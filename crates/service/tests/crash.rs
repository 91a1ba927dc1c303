//! SIGKILL at every write of every kind of posting. What was answered is there once, what was not is there once or not at all, and asking
//! again with the same key answers the same and changes nothing more.
#![cfg(target_os = "linux")]

mod shimmed;
mod support;

use aispace_api::{AccountAnswer, ClaimAnswer, OrderAnswer, OrderStatus, PaymentOutcome, PostedAnswer};
use aispace_chaos::Plan;
use chrono::TimeDelta;
use serde_json::json;
use shimmed::node::Node;
use shimmed::{Call, Ground, Shown, version_1};
use std::path::Path;
use support::{Reply, World, post, secret, secret_hex, start_time};

/// 25 USD at 2,500 USD per ether.
const WEI: u128 = 10_000_000_000_000_000;

/// What a database holds before the call that is killed.
struct Ready {
    world: World,
    account: String,
    key: String,
    hold: String,
    batch: String,
    /// The sequence of a debit.
    charge: u64,
    order: String,
}

impl Ready {
    fn folder(&self) -> &Path {
        self.world.directory.path()
    }

    /// A posting by the operator under the key of this test.
    fn call(&self, path: &str, more: &[(&str, serde_json::Value)]) -> Call {
        let mut body = json!({"account_id": self.account});
        body.as_object_mut().expect("an object").extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Call::new("POST", path, body)
    }
}

async fn ready() -> Ready {
    let mut world = World::start().await;
    let (account, key) = world.account().await;
    let granted: PostedAnswer = world.grant(&account, "g1", "5").await.ok(201);
    let _: PostedAnswer = world.grant(&account, "g2", "95").await.ok(201);
    let debited: PostedAnswer = world.debit(&account, "d1", "7").await.ok(201);
    let another: PostedAnswer = world.grant(&account, "g3", "4").await.ok(201);
    let hold = json!({"account_id": account, "credits": "10", "expires": start_time() + TimeDelta::days(300)});
    let held: PostedAnswer = world.send(post("/v1/holds", hold).operator().key("h1")).await.ok(201);
    let order = world.order(1, "25").await;
    world.chain.pay(secret(1).tag(), WEI);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    world.running.take().expect("running").stop().await;
    assert!(granted.batch_id.is_some());
    Ready {
        world,
        account,
        key,
        hold: held.hold_id.expect("a hold"),
        batch: another.batch_id.expect("a batch"),
        charge: debited.sequence,
        order: order.order_id,
    }
}

/// What happens to the service once it has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// It is asked to end, and moves its write-ahead log into the database.
    Stops,
}

struct Seen {
    /// Whether the service got as far as the point at which it is killed.
    reached: bool,
    answer: Option<Reply>,
}

/// Starts the service on a copy of what is ready, and lets one call meet the plan.
async fn meet(ground: &Ground, call: &Call, then: Then, plan: Plan, at: u64) -> Seen {
    ground.plan(Plan::Idle);
    let mut process = ground.start().await;
    ground.plan(plan);
    let answer = process.try_call(call).await;
    match (&answer, then) {
        (Some(_), Then::Stops) => _ = process.stop().await,
        (Some(_), Then::Nothing) => process.kill().await,
        (None, _) => assert!(!process.ended().await.success()),
    }
    let reached = ground.preload.counted().expect("counted") >= at;
    assert!(reached || answer.is_some(), "no answer and no kill: {}", ground.logged());
    ground.plan(Plan::Idle);
    Seen { reached, answer }
}

/// After a kill: `verify` passes, and the account is as before or as after the call; as after, if that was answered. Asked again, it answers
/// the same and ends as a run without a kill does.
async fn check(ground: &Ground, ready: &Ready, call: &Call, seen: &Seen, (before, after): (&Shown, &Shown), what: &str) {
    assert!(ground.verify().await.ends_with("accounts hold\n"), "{what}");
    let mut process = ground.start().await;
    let found = process.shown(&ready.key).await;
    assert!(found == *after || (seen.answer.is_none() && found == *before), "{what}: {found:?}, answered {:?}", seen.answer);
    let again = process.call(call).await;
    assert!((200..300).contains(&again.status), "{what}: {again:?}");
    if let Some(answer) = &seen.answer {
        assert_eq!((again.status, &again.body), (answer.status, &answer.body), "{what}");
    }
    let thrice = process.call(call).await;
    assert_eq!((thrice.status, &thrice.body), (again.status, &again.body), "{what}");
    assert_eq!(process.shown(&ready.key).await, *after, "{what}");
    process.kill().await;
}

/// Kills one call at its first write, its second and so on, until it gets through.
async fn killed_everywhere(name: &str, ready: &Ready, call: &Call, then: Then) {
    let ground = Ground::copy_of(ready.folder());
    let mut process = ground.start().await;
    let before = process.shown(&ready.key).await;
    assert!((200..300).contains(&process.call(call).await.status), "{name}");
    let after = process.shown(&ready.key).await;
    process.kill().await;
    let (mut points, mut answered) = (0, 0);
    for at in 1.. {
        let mut reached = false;
        for kill in [Plan::KillBefore(at), Plan::KillWithin(at)] {
            ground.reset_to(ready.folder());
            let seen = meet(&ground, call, then, kill, at).await;
            check(&ground, ready, call, &seen, (&before, &after), &format!("{name}, {kill:?}")).await;
            reached |= seen.reached;
            answered += u64::from(seen.reached && seen.answer.is_some());
        }
        if !reached {
            break;
        }
        points = at;
    }
    assert!(ground.verify().await.ends_with("accounts hold\n"), "{name}");
    tell(&format!("{name}: killed before and within {points} writes, {answered} of these after the answer"));
    assert!(points >= 4, "{name} has {points} writes");
    assert!(then == Then::Nothing || answered > 0, "no kill met the closing of the database");
}

fn tell(line: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes()).expect("stderr is open");
}

macro_rules! killed {
    ($($test:ident: $path:expr, $more:expr, $then:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let ready = ready().await;
            let call = ready.call(&$path(&ready), &$more(&ready));
            killed_everywhere(stringify!($test), &ready, &call, $then).await;
        }
    )*};
}

killed! {
    a_debit: |_: &Ready| "/v1/debits".to_owned(), |_: &Ready| [("credits", json!("6"))], Then::Nothing;
    a_hold: |_: &Ready| "/v1/holds".to_owned(), |_: &Ready| [("credits", json!("6"))], Then::Nothing;
    a_settlement: |r: &Ready| format!("/v1/holds/{}/settle", r.hold), |_: &Ready| [("credits", json!("120"))], Then::Nothing;
    a_release: |r: &Ready| format!("/v1/holds/{}/release", r.hold), |_: &Ready| [], Then::Nothing;
    a_grant: |_: &Ready| "/v1/grants".to_owned(), |_: &Ready| [("credits", json!("8"))], Then::Nothing;
    a_refund: |_: &Ready| "/v1/refunds".to_owned(), |r: &Ready| [("credits", json!("6")), ("sequence", json!(r.charge))], Then::Nothing;
    a_void: |r: &Ready| format!("/v1/batches/{}/void", r.batch), |_: &Ready| [], Then::Nothing;
    the_end_of_the_service: |_: &Ready| "/v1/debits".to_owned(), |_: &Ready| [("credits", json!("6"))], Then::Stops;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance() {
    let ready = ready().await;
    let path = format!("/v1/accounts/{}/allowance", ready.account);
    let call = Call::new("PUT", &path, json!({"credits": "3"}));
    killed_everywhere("an_allowance", &ready, &call, Then::Nothing).await;
}

/// The answer to a claim is the Secure Key: the same one before and after, and the credits once.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim() {
    let ready = ready().await;
    let call = Call::new("POST", &format!("/v1/orders/{}/claim", ready.order), json!({"secret": secret_hex(1), "acknowledge": false}));
    let ground = Ground::copy_of(ready.folder());
    let mut points = 0;
    for at in 1.. {
        let mut reached = false;
        for kill in [Plan::KillBefore(at), Plan::KillWithin(at)] {
            ground.reset_to(ready.folder());
            let seen = meet(&ground, &call, Then::Nothing, kill, at).await;
            assert_eq!(ground.verify().await, "2 accounts hold\n");
            let mut process = ground.start().await;
            let again: ClaimAnswer = process.call(&call).await.ok(200);
            let key = again.secure_key.expect("a key").into_exposed();
            if let Some(answer) = &seen.answer {
                let first: ClaimAnswer = answer.ok(200);
                assert_eq!(first.secure_key.expect("a key").into_exposed(), key, "{kill:?}");
            }
            let shown: AccountAnswer = process.send(support::get("/v1/account").bearer(&key)).await.ok(200);
            assert_eq!((shown.available_credits.to_string().as_str(), shown.batches.len(), shown.entry_count), ("250000", 1, 1));
            process.kill().await;
            reached |= seen.reached;
        }
        if !reached {
            break;
        }
        points = at;
    }
    tell(&format!("a_claim: killed before and within {points} writes"));
    assert!(points >= 4, "a claim has {points} writes");
}

/// A file of the first release is brought up to date whole or not at all, wherever that is cut short.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration() {
    let old = tempfile::tempdir().expect("a folder");
    version_1::write(&old.path().join("service.db"));
    let ground = Ground::copy_of(old.path());
    let mut process = ground.start().await;
    let wanted = process.shown(version_1::KEY).await;
    assert_eq!((wanted.amounts[0].as_str(), wanted.entries), ("6", 5));
    process.kill().await;
    let mut points = 0;
    for at in 1.. {
        ground.reset_to(old.path());
        // There are many: before one, within the next.
        ground.plan(if at % 2 == 1 { Plan::KillBefore(at) } else { Plan::KillWithin(at) });
        let Err(status) = ground.try_start().await else { break };
        assert!(!status.success());
        points = at;
        ground.plan(Plan::Idle);
        let mut process = ground.start().await;
        assert_eq!(process.shown(version_1::KEY).await, wanted, "killed at {at}");
        process.kill().await;
        assert_eq!(ground.verify().await, "1 accounts hold\n", "killed at {at}");
    }
    tell(&format!("a_migration: killed at {points} writes"));
    assert!(points >= 10, "a migration has {points} writes");
}

/// The watcher's own posting: a payment that is seen on the chain is credited once, wherever that is cut short.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment() {
    let mut world = World::start().await;
    let order = world.order(1, "25").await;
    let first = world.chain.mine(start_time());
    world.until_scanned(first).await;
    world.running.take().expect("running").stop().await;
    let head = aispace_service::ChainReader::head(&*world.chain).await.expect("a head");
    let node = Node::start((head.number, head.hash.to_string()), start_time().timestamp(), secret(1).tag(), WEI).await;
    let ground = Ground::copy_of(world.directory.path()).with_node(node.url());
    let mut points = 0;
    for at in 1.. {
        let mut reached = false;
        for kill in [Plan::KillBefore(at), Plan::KillWithin(at)] {
            ground.reset_to(world.directory.path());
            node.mine(false);
            let mut process = ground.start().await;
            ground.plan(kill);
            node.mine(true);
            reached |= !credited(&mut process, &order.order_id).await;
            process.kill().await;
            ground.plan(Plan::Idle);
            let mut process = ground.start().await;
            assert!(credited(&mut process, &order.order_id).await, "{kill:?}: {}", ground.logged());
            let claim = Call::new("POST", &format!("/v1/orders/{}/claim", order.order_id), json!({"secret": secret_hex(1)}));
            let claimed: ClaimAnswer = process.call(&claim).await.ok(200);
            let shown = process.shown(&claimed.secure_key.expect("a key").into_exposed()).await;
            assert_eq!((shown.amounts[0].as_str(), shown.batches, shown.entries), ("250000", 1, 1), "{kill:?}");
            process.kill().await;
            assert_eq!(ground.verify().await, "1 accounts hold\n", "{kill:?}");
        }
        if !reached {
            break;
        }
        points = at;
    }
    tell(&format!("a_payment: killed before and within {points} writes"));
    assert!(points >= 4, "a payment has {points} writes");
}

/// The watcher takes back what a reorganisation removed: the batch is void once, wherever that is cut short, and the payment says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_take_back() {
    let mut world = World::start().await;
    let order = world.order(1, "25").await;
    let first = world.chain.mine(start_time());
    world.until_scanned(first).await;
    world.running.take().expect("running").stop().await;
    let head = aispace_service::ChainReader::head(&*world.chain).await.expect("a head");
    let node = Node::start((head.number, head.hash.to_string()), start_time().timestamp(), secret(1).tag(), WEI).await;
    // The payment is credited and its key handed out, and the service stopped.
    let paid = Ground::copy_of(world.directory.path()).with_node(node.url());
    node.mine(true);
    let mut process = paid.start().await;
    assert!(until(&mut process, &order.order_id, |order| order.status == OrderStatus::Confirmed).await);
    let claim = Call::new("POST", &format!("/v1/orders/{}/claim", order.order_id), json!({"secret": secret_hex(1)}));
    let claimed: ClaimAnswer = process.call(&claim).await.ok(200);
    let key = claimed.secure_key.expect("a key").into_exposed();
    process.stop().await;
    let ground = Ground::copy_of(paid.preload.folder()).with_node(node.url());
    let is_taken_back = |order: &OrderAnswer| matches!(order.payments.first().map(|p| &p.outcome), Some(PaymentOutcome::TakenBack { .. }));
    let mut points = 0;
    for at in 1.. {
        let mut reached = false;
        for kill in [Plan::KillBefore(at), Plan::KillWithin(at)] {
            ground.reset_to(paid.preload.folder());
            node.reorganise(false);
            let mut process = ground.start().await;
            ground.plan(kill);
            node.reorganise(true);
            reached |= !until(&mut process, &order.order_id, is_taken_back).await;
            process.kill().await;
            ground.plan(Plan::Idle);
            let mut process = ground.start().await;
            assert!(until(&mut process, &order.order_id, is_taken_back).await, "{kill:?}: {}", ground.logged());
            let shown = process.shown(&key).await;
            assert_eq!((shown.amounts[0].as_str(), shown.batches, shown.entries), ("0", 1, 2), "{kill:?}");
            process.kill().await;
            assert_eq!(ground.verify().await, "1 accounts hold\n", "{kill:?}");
        }
        if !reached {
            break;
        }
        points = at;
    }
    tell(&format!("a_take_back: killed before and within {points} writes"));
    assert!(points >= 4, "a take-back has {points} writes");
}

/// Waits for the credits of an order; false when the service ends first.
async fn credited(process: &mut shimmed::Process, order: &str) -> bool {
    until(process, order, |order| order.status == OrderStatus::Confirmed).await
}

async fn until(process: &mut shimmed::Process, order: &str, wanted: impl Fn(&OrderAnswer) -> bool) -> bool {
    let deadline = std::time::Instant::now() + support::PATIENCE;
    let look = Call::new("GET", &format!("/v1/orders/{order}"), json!({}));
    while let Some(shown) = process.try_call(&look).await {
        let shown: OrderAnswer = shown.ok(200);
        if wanted(&shown) {
            return true;
        }
        assert!(std::time::Instant::now() < deadline, "the order stayed {shown:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(!process.ended().await.success());
    false
}
