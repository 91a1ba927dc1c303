//! Holds, refunds, voids and the daily allowance over a real socket: each call's success and each of its refusals.

mod support;

use aispace_api::{AccountAnswer, BatchState, ErrorCode, PostedAnswer, UsageAnswer, UsageEntry, UsageKind};
use chrono::TimeDelta;
use serde_json::{Value, json};
use support::{OPERATOR, Reply, Request, World, get, post, start_time, tamper};

/// A call by the operator that names the account.
async fn call(world: &World, path: &str, account: &str, key: &str, mut body: Value) -> Reply {
    body["account_id"] = json!(account);
    world.send(post(path, body).operator().key(key)).await
}

async fn held(world: &World, account: &str, key: &str, credits: &str) -> String {
    let made: PostedAnswer = call(world, "/v1/holds", account, key, json!({"credits": credits})).await.ok(201);
    made.hold_id.expect("a hold")
}

async fn settle(world: &World, account: &str, hold: &str, key: &str, credits: &str) -> Reply {
    call(world, &format!("/v1/holds/{hold}/settle"), account, key, json!({"credits": credits})).await
}

async fn release(world: &World, account: &str, hold: &str, key: &str) -> Reply {
    call(world, &format!("/v1/holds/{hold}/release"), account, key, json!({})).await
}

async fn refund(world: &World, account: &str, sequence: u64, key: &str, credits: &str) -> Reply {
    call(world, "/v1/refunds", account, key, json!({"sequence": sequence, "credits": credits})).await
}

async fn void(world: &World, account: &str, batch: &str, key: &str) -> Reply {
    call(world, &format!("/v1/batches/{batch}/void"), account, key, json!({})).await
}

async fn allow(world: &World, account: &str, key: &str, credits: &str) -> Reply {
    let path = format!("/v1/accounts/{account}/allowance");
    world.send(post(&path, json!({"credits": credits})).method("PUT").operator().key(key)).await
}

async fn seen(world: &World, key: &str) -> AccountAnswer {
    world.send(get("/v1/account").bearer(key)).await.ok(200)
}

async fn log(world: &World, key: &str) -> Vec<UsageEntry> {
    let page: UsageAnswer = world.send(get("/v1/account/usage").bearer(key)).await.ok(200);
    page.entries
}

/// What is free, held and owed.
fn sums(answer: &PostedAnswer) -> [String; 3] {
    [answer.available_credits, answer.held_credits, answer.debt_credits].map(|credits| credits.to_string())
}

fn kinds(entries: &[UsageEntry]) -> Vec<UsageKind> {
    entries.iter().map(|entry| entry.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_seen_and_settled_for_less() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let run = json!({"model_id": "clip", "model_name": "Clip", "kind": "video", "meters": {"seconds": "4"}});
    let made: PostedAnswer = call(&world, "/v1/holds", &account, "h", json!({"credits": "6", "run": run})).await.ok(201);
    assert_eq!((sums(&made), made.sequence), (["4", "6", "0"].map(str::to_owned), 2));
    let hold = made.hold_id.expect("a hold");

    let shown = seen(&world, &key).await;
    assert_eq!((shown.available_credits.to_string().as_str(), shown.held_credits.to_string().as_str()), ("4", "6"));
    let [pending] = shown.holds.as_slice() else { panic!("{:?}", shown.holds) };
    assert_eq!((pending.hold_id.as_str(), pending.held_credits.to_string().as_str()), (&*hold, "6"));
    assert_eq!((pending.made, pending.expires), (start_time(), start_time() + TimeDelta::hours(1)));
    assert_eq!(pending.run.as_ref().map(|run| run.model_id.as_str()), Some("clip"));
    assert_eq!((shown.batches[0].held_credits.to_string().as_str(), shown.batches[0].state), ("6", BatchState::Live));

    let settled: PostedAnswer = settle(&world, &account, &hold, "s", "1.5").await.ok(201);
    assert_eq!((sums(&settled), settled.hold_id.as_deref()), (["8.5", "0", "0"].map(str::to_owned), Some(&*hold)));
    let entries = log(&world, &key).await;
    assert_eq!(kinds(&entries), [UsageKind::Settled, UsageKind::Held, UsageKind::BatchAdded]);
    let changes = |entry: &UsageEntry| (entry.change_credits.to_string(), entry.held_change_credits.to_string());
    assert_eq!((changes(&entries[0]), changes(&entries[1])), (("-1.5".into(), "-6".into()), ("0".into(), "6".into())));
    // The settlement names no run, so it has the hold's.
    assert_eq!(entries[0].run.as_ref().map(|run| run.model_id.as_str()), Some("clip"));
    assert_eq!((entries[0].hold_id.as_deref(), entries[1].hold_id.as_deref()), (Some(&*hold), Some(&*hold)));
    assert!(seen(&world, &key).await.holds.is_empty());
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_wholly_held_is_still_shown() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    held(&world, &account, "h", "10").await;
    let shown = seen(&world, &key).await;
    let batches: Vec<_> = shown.batches.iter().map(|b| (b.left_credits.to_string(), b.held_credits.to_string(), b.state)).collect();
    assert_eq!(batches, [("0".into(), "10".into(), BatchState::Live)]);
    // When the hold has ended by itself, no write having posted it, the batch is shown once and free again.
    world.set_time(TimeDelta::hours(1));
    let shown = seen(&world, &key).await;
    let batches: Vec<_> = shown.batches.iter().map(|b| (b.left_credits.to_string(), b.held_credits.to_string(), b.state)).collect();
    assert_eq!((batches, shown.holds.len()), (vec![("10".into(), "0".into(), BatchState::Live)], 0));
    assert_eq!(kinds(&log(&world, &key).await), [UsageKind::TimedOut, UsageKind::Held, UsageKind::BatchAdded]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settling_above_the_hold_makes_debt_and_new_credit_pays_it() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let hold = held(&world, &account, "h", "6").await;
    let settled: PostedAnswer = settle(&world, &account, &hold, "s", "12").await.ok(201);
    assert_eq!(sums(&settled), ["0", "0", "2"].map(str::to_owned));
    let shown = seen(&world, &key).await;
    let debts: Vec<_> = shown.debts.iter().map(|debt| (debt.sequence, debt.open_credits.to_string())).collect();
    assert_eq!((shown.debt_credits.to_string(), debts), ("2".into(), vec![(settled.sequence, "2".into())]));
    world.debit(&account, "d", "1").await.refused(402, ErrorCode::InsufficientCredits);
    call(&world, "/v1/holds", &account, "h2", json!({"credits": "1"})).await.refused(402, ErrorCode::InsufficientCredits);
    let granted: PostedAnswer = world.grant(&account, "g2", "5").await.ok(201);
    assert_eq!((sums(&granted), granted.batch_id.is_some()), (["3", "0", "0"].map(str::to_owned), true));
    let entries = log(&world, &key).await;
    assert_eq!(kinds(&entries[..3]), [UsageKind::DebtPaid, UsageKind::BatchAdded, UsageKind::Settled]);
    assert_eq!([&entries[0], &entries[2]].map(|e| e.debt_change_credits.to_string()), ["-2", "2"]);
    assert!(seen(&world, &key).await.debts.is_empty());
    // The whole of it can be given back, what paid the debt included.
    refund(&world, &account, settled.sequence, "r", "12.000000001").await.refused(422, ErrorCode::RefundExceeds);
    let refunded: PostedAnswer = refund(&world, &account, settled.sequence, "r", "12").await.ok(201);
    assert_eq!(sums(&refunded), ["15", "0", "0"].map(str::to_owned));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_holds() {
    let world = World::start().await;
    let (account, _) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let refused = call(&world, "/v1/holds", &account, "h", json!({"credits": "10.000000001"})).await;
    let refused = refused.refused(402, ErrorCode::InsufficientCredits);
    assert_eq!((refused.details["needed_credits"].as_str(), refused.details["available_credits"].as_str()), ("10.000000001", "10"));
    for expires in [start_time(), start_time() - TimeDelta::milliseconds(1)] {
        let body = json!({"credits": "1", "expires": expires});
        call(&world, "/v1/holds", &account, "h", body).await.refused(422, ErrorCode::InvalidExpiry);
    }
    for (end, body) in [("settle", json!({"credits": "1"})), ("release", json!({}))] {
        for unknown in ["ho_none", "%ff", "a%20b", "%00"] {
            let path = format!("/v1/holds/{unknown}/{end}");
            call(&world, &path, &account, "k", body.clone()).await.refused(404, ErrorCode::UnknownHold);
        }
    }
    let _: PostedAnswer = call(&world, "/v1/holds", &account, "nothing", json!({"credits": "0"})).await.ok(201);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_has_ended_says_how_for_ever() {
    let mut world = World::start().await;
    let (account, _) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let settled = held(&world, &account, "h1", "1").await;
    let released = held(&world, &account, "h2", "1").await;
    let expires = start_time() + TimeDelta::minutes(10);
    let body = json!({"credits": "1", "expires": expires});
    let made: PostedAnswer = call(&world, "/v1/holds", &account, "h3", body).await.ok(201);
    let timed_out = made.hold_id.expect("a hold");
    let _: PostedAnswer = settle(&world, &account, &settled, "s", "1").await.ok(201);
    let freed: PostedAnswer = release(&world, &account, &released, "r").await.ok(201);
    assert_eq!(sums(&freed), ["8", "1", "0"].map(str::to_owned));
    world.set_time(TimeDelta::minutes(10));
    // Before any write has posted its end, after one has, and after a restart.
    for round in 0..3 {
        for hold in [&settled, &released] {
            settle(&world, &account, hold, "late", "1").await.refused(409, ErrorCode::HoldClosed);
            release(&world, &account, hold, "late").await.refused(409, ErrorCode::HoldClosed);
        }
        for reply in [settle(&world, &account, &timed_out, "late", "1").await, release(&world, &account, &timed_out, "late").await] {
            let refused = reply.refused(409, ErrorCode::HoldExpired);
            assert_eq!(refused.details["expired"], expires.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        }
        if round == 0 {
            let _: PostedAnswer = world.debit(&account, "zero", "0").await.ok(201);
        } else {
            world.restart().await;
        }
    }
    // The run is charged by a new debit then; the refusals took no key.
    let charged: PostedAnswer = world.debit(&account, "late", "1").await.ok(201);
    assert_eq!(sums(&charged), ["8", "0", "0"].map(str::to_owned));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_millisecond_before_its_end_a_hold_can_be_settled() {
    let world = World::start().await;
    let (account, _) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let (early, late) = (held(&world, &account, "h1", "1").await, held(&world, &account, "h2", "1").await);
    world.set_time(TimeDelta::hours(1) - TimeDelta::milliseconds(1));
    let _: PostedAnswer = settle(&world, &account, &early, "s1", "1").await.ok(201);
    world.set_time(TimeDelta::hours(1));
    settle(&world, &account, &late, "s2", "1").await.refused(409, ErrorCode::HoldExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let debited: PostedAnswer = world.debit(&account, "d", "4").await.ok(201);
    let body = json!({"sequence": debited.sequence, "credits": "1", "note": "the answer was cut short"});
    let refunded: PostedAnswer = call(&world, "/v1/refunds", &account, "r1", body).await.ok(201);
    assert_eq!((sums(&refunded), refunded.sequence), (["7", "0", "0"].map(str::to_owned), 3));
    let entries = log(&world, &key).await;
    let told = (entries[0].kind, entries[0].charge_sequence, entries[0].note.as_deref(), entries[0].change_credits.to_string());
    assert_eq!(told, (UsageKind::Refunded, Some(debited.sequence), Some("the answer was cut short"), "1".into()));
    let refused = refund(&world, &account, debited.sequence, "r2", "3.000000001").await.refused(422, ErrorCode::RefundExceeds);
    assert_eq!(refused.details["refundable_credits"], "3");
    refund(&world, &account, debited.sequence, "r2", "0").await.refused(422, ErrorCode::InvalidAmount);
    // Neither a number that is not there, nor one too large for the store, nor an entry that charges nothing.
    for sequence in [1, 3, 99, u64::MAX] {
        refund(&world, &account, sequence, "r2", "1").await.refused(404, ErrorCode::UnknownEntry);
    }
    let _: PostedAnswer = refund(&world, &account, debited.sequence, "r2", "3").await.ok(201);
    refund(&world, &account, debited.sequence, "r3", "0.000000001").await.refused(422, ErrorCode::RefundExceeds);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn voids() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let granted: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let batch = granted.batch_id.expect("a batch");
    let debited: PostedAnswer = world.debit(&account, "d", "1").await.ok(201);
    let hold = held(&world, &account, "h", "2").await;
    let voided: PostedAnswer = void(&world, &account, &batch, "v").await.ok(201);
    assert_eq!((sums(&voided), voided.batch_id.as_deref()), (["0", "2", "0"].map(str::to_owned), Some(&*batch)));
    void(&world, &account, &batch, "v2").await.refused(409, ErrorCode::BatchClosed);
    void(&world, &account, "ba_none", "v2").await.refused(404, ErrorCode::UnknownBatch);
    void(&world, &account, "%ff", "v2").await.refused(404, ErrorCode::UnknownBatch);
    // What is held outlives the void; what goes back to it is gone.
    let settled: PostedAnswer = settle(&world, &account, &hold, "s", "0.5").await.ok(201);
    assert_eq!(sums(&settled), ["0", "0", "0"].map(str::to_owned));
    let refunded: PostedAnswer = refund(&world, &account, debited.sequence, "r", "1").await.ok(201);
    assert_eq!(sums(&refunded), ["0", "0", "0"].map(str::to_owned));
    let shown = seen(&world, &key).await;
    let [batch] = shown.batches.as_slice() else { panic!("{:?}", shown.batches) };
    let figures = [batch.left_credits, batch.held_credits, batch.lapsed_credits, batch.voided_credits].map(|c| c.to_string());
    assert_eq!((figures, batch.state), (["0", "0", "1.5", "7"].map(str::to_owned), BatchState::Voided));
    assert_eq!((batch.voided_at, shown.next_expiry), (Some(start_time()), None));
    // A batch that ran out by itself and one that is used up.
    let body = json!({"credits": "3", "expires": start_time() + TimeDelta::hours(1)});
    let granted: PostedAnswer = call(&world, "/v1/grants", &account, "g2", body).await.ok(201);
    let (used, short) = (world.grant(&account, "g3", "1").await.ok::<PostedAnswer>(201), granted.batch_id.expect("a batch"));
    let _: PostedAnswer = world.debit(&account, "d2", "4").await.ok(201);
    world.set_time(TimeDelta::hours(1));
    void(&world, &account, &short, "v3").await.refused(409, ErrorCode::BatchClosed);
    let _: PostedAnswer = void(&world, &account, &used.batch_id.expect("a batch"), "v3").await.ok(201);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_allowance() {
    let mut world = World::start().await;
    let (account, key) = world.account().await;
    let first = allow(&world, &account, "a", "5").await;
    assert_eq!(sums(&first.ok(200)), ["0", "0", "0"].map(str::to_owned));
    assert_eq!(seen(&world, &key).await.allowance_credits_per_day.map(|c| c.to_string()), Some("5".into()));
    // The start is at 08:00 UTC: the first midnight is sixteen hours later.
    world.set_time(TimeDelta::hours(16) - TimeDelta::milliseconds(1));
    assert_eq!(seen(&world, &key).await.available_credits.to_string(), "0");
    world.set_time(TimeDelta::hours(16));
    let shown = seen(&world, &key).await;
    assert_eq!((shown.available_credits.to_string().as_str(), shown.batches.len()), ("5", 1));
    // Two more midnights without a write, a restart between: each has its own batch.
    world.set_time(TimeDelta::hours(16 + 48));
    world.restart().await;
    let shown = seen(&world, &key).await;
    let midnights: Vec<_> = shown.batches.iter().map(|b| (b.added - start_time()).num_hours()).collect();
    assert_eq!((shown.available_credits.to_string().as_str(), midnights), ("15", vec![16, 40, 64]));
    let ended: PostedAnswer = allow(&world, &account, "b", "0").await.ok(200);
    assert_eq!(sums(&ended), ["15", "0", "0"].map(str::to_owned));
    world.set_time(TimeDelta::hours(16 + 96));
    let shown = seen(&world, &key).await;
    assert_eq!((shown.available_credits.to_string().as_str(), shown.allowance_credits_per_day), ("15", None));
    let entries = log(&world, &key).await;
    assert_eq!((entries[0].kind, entries.len()), (UsageKind::AllowanceSet, 5));
    // The first answer again, and a key that was used for another amount.
    assert_eq!(allow(&world, &account, "a", "5").await.body, first.body);
    allow(&world, &account, "a", "6").await.refused(409, ErrorCode::KeyConflict);
    allow(&world, &account, "c", "9223372036.854775807").await.refused(422, ErrorCode::InvalidAmount);
    allow(&world, "ac_none", "c", "1").await.refused(404, ErrorCode::UnknownAccount);
    allow(&world, "%ff", "c", "1").await.refused(404, ErrorCode::UnknownAccount);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_repeated_has_one_effect_and_one_answer() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let granted: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let debited: PostedAnswer = world.debit(&account, "d", "1").await.ok(201);
    let (first, second) = (held(&world, &account, "h1", "1").await, held(&world, &account, "h2", "1").await);
    let (batch, other) = (granted.batch_id.expect("a batch"), json!({"credits": "0.25"}));
    let calls = [
        ("/v1/holds".to_owned(), json!({"credits": "0.5"}), other.clone()),
        (format!("/v1/holds/{first}/settle"), json!({"credits": "0.5"}), other.clone()),
        (format!("/v1/holds/{second}/release"), json!({}), Value::Null),
        (
            "/v1/refunds".to_owned(),
            json!({"sequence": debited.sequence, "credits": "0.5"}),
            json!({"sequence": debited.sequence, "credits": "0.25"}),
        ),
        (format!("/v1/batches/{batch}/void"), json!({}), Value::Null),
    ];
    for (n, (path, body, other)) in calls.iter().enumerate() {
        let id = format!("once-{n}");
        let answer = call(&world, path, &account, &id, body.clone()).await;
        let _: PostedAnswer = answer.ok(201);
        let entries = seen(&world, &key).await.entry_count;
        assert_eq!(call(&world, path, &account, &id, body.clone()).await, answer, "{path}");
        assert_eq!(seen(&world, &key).await.entry_count, entries, "{path}");
        if other.is_object() {
            call(&world, path, &account, &id, other.clone()).await.refused(409, ErrorCode::KeyConflict);
        }
        // The key is taken for every other call of the account.
        world.debit(&account, &id, "0.125").await.refused(409, ErrorCode::KeyConflict);
    }
    // The thing in the path belongs to what has to be the same.
    release(&world, &account, &first, "once-2").await.refused(409, ErrorCode::KeyConflict);
    settle(&world, &account, &second, "once-1", "0.5").await.refused(409, ErrorCode::KeyConflict);
    void(&world, &account, "ba_none", "once-4").await.refused(409, ErrorCode::KeyConflict);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_bodies() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let hold = held(&world, &account, "h", "1").await;
    let batch = seen(&world, &key).await.batches[0].batch_id.clone();
    let body = json!({"account_id": account, "credits": "1"});
    let charge = json!({"account_id": account, "credits": "1", "sequence": 1});
    let named = json!({"account_id": account});
    let allowance = format!("/v1/accounts/{account}/allowance");
    let calls: Vec<(Request, bool)> = vec![
        (post("/v1/holds", body.clone()), true),
        (post(&format!("/v1/holds/{hold}/settle"), body.clone()), true),
        (post(&format!("/v1/holds/{hold}/release"), named.clone()), false),
        (post("/v1/refunds", charge), true),
        (post(&format!("/v1/batches/{batch}/void"), named), false),
        (post(&allowance, json!({"credits": "1"})).method("PUT"), true),
    ];
    let before = seen(&world, &key).await;
    for (request, takes_credits) in calls {
        world.send(request.clone().key("k")).await.refused(401, ErrorCode::Unauthorized);
        world.send(request.clone().key("k").bearer(&key)).await.refused(403, ErrorCode::Forbidden);
        world.send(request.clone().key("k").bearer(&format!("{OPERATOR}x"))).await.refused(401, ErrorCode::Unauthorized);
        world.send(request.clone().operator()).await.refused(400, ErrorCode::IdempotencyKeyMissing);
        world.send(request.clone().operator().key("")).await.refused(400, ErrorCode::InvalidRequest);
        for wrong in ["[]", "null", "{", r#"{"account_id": 1, "credits": 1, "sequence": "x"}"#] {
            world.send(request.clone().raw(wrong).operator().key("k")).await.refused(400, ErrorCode::InvalidRequest);
        }
        if takes_credits {
            for amount in ["-1", "0.0000000001", "99999999999", "1e3", "", "NaN"] {
                let mut wrong = body.clone();
                wrong["credits"] = json!(amount);
                world.send(request.clone().raw(&wrong.to_string()).operator().key("k")).await.refused(422, ErrorCode::InvalidAmount);
            }
        }
    }
    assert_eq!(seen(&world, &key).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_account_is_unknown() {
    let world = World::start().await;
    let ((mine, key), (other, _)) = (world.account().await, world.account().await);
    let granted: PostedAnswer = world.grant(&mine, "g", "10").await.ok(201);
    let hold = held(&world, &mine, "h", "1").await;
    let debited: PostedAnswer = world.debit(&mine, "d", "1").await.ok(201);
    let _: PostedAnswer = world.grant(&other, "g", "10").await.ok(201);
    let before = seen(&world, &key).await;
    settle(&world, &other, &hold, "k", "1").await.refused(404, ErrorCode::UnknownHold);
    release(&world, &other, &hold, "k").await.refused(404, ErrorCode::UnknownHold);
    void(&world, &other, &granted.batch_id.expect("a batch"), "k").await.refused(404, ErrorCode::UnknownBatch);
    refund(&world, &other, debited.sequence, "k", "1").await.refused(404, ErrorCode::UnknownEntry);
    for reply in [settle(&world, "ac_none", &hold, "k", "1").await, release(&world, "ac_none", &hold, "k").await] {
        reply.refused(404, ErrorCode::UnknownAccount);
    }
    void(&world, "ac_none", "ba_none", "k").await.refused(404, ErrorCode::UnknownAccount);
    refund(&world, "ac_none", 1, "k", "1").await.refused(404, ErrorCode::UnknownAccount);
    assert_eq!(seen(&world, &key).await, before);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_holds_at_once_the_balance_covers_exactly_half() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "16").await.ok(201);
    let calls = (0..32).map(|n| {
        let request = post("/v1/holds", json!({"account_id": account, "credits": "1"})).operator().key(&format!("h{n}"));
        tokio::spawn(request.send(world.address()))
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.expect("sent").status);
    }
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(201), count(402)), (16, 16));
    let shown = seen(&world, &key).await;
    assert_eq!((shown.available_credits.to_string().as_str(), shown.held_credits.to_string().as_str()), ("0", "16"));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tampered_with_is_found() {
    let mut world = World::start().await;
    let (account, _) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let (ended, _) = (held(&world, &account, "h1", "1").await, held(&world, &account, "h2", "2").await);
    let settled: PostedAnswer = settle(&world, &account, &ended, "s", "9").await.ok(201);
    let _: PostedAnswer = refund(&world, &account, settled.sequence, "r", "0.5").await.ok(201);
    let _: PostedAnswer = allow(&world, &account, "a", "1").await.ok(200);
    world.running.take().expect("running").stop().await;
    for (statement, sound) in [
        ("SELECT 1", true),
        ("UPDATE holds SET state = 'released' WHERE state = 'settled'", false),
        ("UPDATE holds SET ended_ms = ended_ms + 1 WHERE state = 'settled'", false),
        ("UPDATE holds SET expires_ms = expires_ms + 1 WHERE state = 'pending'", false),
        ("DELETE FROM holds WHERE state = 'pending'", false),
        ("DELETE FROM charge_entries", false),
        ("UPDATE debts SET open = open + 1", false),
        ("DELETE FROM debts", false),
        ("UPDATE accounts SET allowance = allowance + 1", false),
        ("UPDATE accounts SET allowance = NULL, allowance_since_ms = NULL", false),
        ("UPDATE batches SET held = held - 1", false),
        ("UPDATE batches SET voided_ms = 1", false),
    ] {
        let tampered = world.copied_database("tampered");
        tamper(&tampered, statement).await;
        let store = aispace_service::Store::open(&tampered).await.expect("opens");
        assert_eq!(store.verify().await.is_ok(), sound, "{statement}");
        store.close().await;
    }
}
