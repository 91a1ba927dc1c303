//! Every route over a real socket: its happy path and each of its refusals.

mod support;

use aispace_api::{AccountAnswer, BatchState, ErrorCode, HealthAnswer, PostedAnswer, UsageAnswer, UsageKind};
use aispace_service::{ServeError, ServiceClock, serve};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use support::{OPERATOR, World, get, order_body, post, start_time};

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_a_debit_and_what_is_left() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let granted: PostedAnswer = world.grant(&account, "g1", "100").await.ok(201);
    assert_eq!((granted.available_credits.to_string().as_str(), granted.batch_id.is_some()), ("100", true));
    let run = json!({"model_id": "venice-small", "model_name": "Venice Small", "kind": "chat",
        "meters": {"input_tokens": "500", "output_tokens": "200"}, "rule": "base"});
    let body = json!({"account_id": account, "credits": "0.55", "run": run});
    let debited: PostedAnswer = world.send(post("/v1/debits", body).operator().key("d1")).await.ok(201);
    assert_eq!(debited.available_credits.to_string(), "99.45");

    let reply = world.send(get("/v1/account").bearer(&key)).await;
    assert!(reply.head.contains("cache-control: no-store"));
    let seen: AccountAnswer = reply.ok(200);
    assert_eq!((seen.account_id.as_str(), seen.available_credits.to_string().as_str(), seen.entry_count), (&*account, "99.45", 2));
    assert_eq!(seen.next_expiry, Some(start_time() + TimeDelta::days(30)));
    assert_eq!(seen.batches.iter().map(|b| b.state).collect::<Vec<_>>(), [BatchState::Live]);

    let log: UsageAnswer = world.send(get("/v1/account/usage").bearer(&key)).await.ok(200);
    assert_eq!(log.entries.iter().map(|e| e.kind).collect::<Vec<_>>(), [UsageKind::Debit, UsageKind::BatchAdded]);
    assert_eq!(log.entries[0].run.as_ref().map(|r| r.meters["input_tokens"].as_str()), Some("500"));
    assert_eq!((log.entries[0].entry_id.as_str(), log.next_cursor), (&*debited.entry_id, None));
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_is_seen_by_every_read_without_any_write() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let expires = start_time() + TimeDelta::hours(1);
    let body = json!({"account_id": account, "credits": "7", "expires": expires, "note": "short"});
    let _: PostedAnswer = world.send(post("/v1/grants", body).operator().key("g")).await.ok(201);
    let (before, at) = (TimeDelta::hours(1) - TimeDelta::milliseconds(1), TimeDelta::hours(1));
    for (when, available, state, entries) in [(before, "7", BatchState::Live, 1), (at, "0", BatchState::Expired, 2)] {
        world.set_time(when);
        let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
        assert_eq!((seen.available_credits.to_string().as_str(), seen.batches[0].state, seen.entry_count), (available, state, entries));
    }
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((seen.batches[0].lapsed_credits.to_string().as_str(), seen.next_expiry), ("7", None));
    let computed: UsageAnswer = world.send(get("/v1/account/usage").bearer(&key)).await.ok(200);
    assert_eq!((computed.entries[0].kind, computed.entries[0].at), (UsageKind::Expired, expires));
    // A write posts what the read computed, under the same id.
    world.set_time(TimeDelta::hours(2));
    let _: PostedAnswer = world.debit(&account, "zero", "0").await.ok(201);
    let posted: UsageAnswer = world.send(get("/v1/account/usage").bearer(&key)).await.ok(200);
    assert_eq!(posted.entries[1..], computed.entries[..]);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_in_pages() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    for n in 1..=7 {
        let _: PostedAnswer = world.grant(&account, &format!("g{n}"), "1").await.ok(201);
    }
    // All seven lapse; the page boundary falls among entries that no write has posted yet.
    world.set_time(TimeDelta::days(31));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: UsageAnswer = world.send(get(&format!("/v1/account/usage?limit=3{cursor}")).bearer(&key)).await.ok(200);
        assert!(page.entries.len() <= 3);
        seen.extend(page.entries.iter().map(|e| e.sequence));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=14).rev().collect::<Vec<u64>>());
    for bad in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=-1"] {
        world.send(get(&format!("/v1/account/usage?{bad}")).bearer(&key)).await.refused(400, ErrorCode::InvalidRequest);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let (_, other_key) = world.account().await;
    assert!(key.starts_with("ask_") && key.len() == 62 && key != other_key);
    for path in ["/v1/account", "/v1/account/usage"] {
        world.send(get(path)).await.refused(401, ErrorCode::Unauthorized);
        world.send(get(path).bearer("ask_wrong")).await.refused(401, ErrorCode::Unauthorized);
        world.send(get(path).bearer("")).await.refused(401, ErrorCode::Unauthorized);
        world.send(get(path).header("authorization", "Basic abc")).await.refused(401, ErrorCode::Unauthorized);
        world.send(get(path).header("authorization", "Bearer \u{e9}")).await.refused(401, ErrorCode::Unauthorized);
        world.send(get(path).operator()).await.refused(403, ErrorCode::Forbidden);
    }
    let grant = json!({"account_id": account, "credits": "1"});
    let revoke = format!("/v1/accounts/{account}/key/revoke");
    for call in [post("/v1/accounts", json!({})), post("/v1/grants", grant.clone()), post("/v1/debits", grant), post(&revoke, json!({}))] {
        let call = call.key("k");
        world.send(call.clone()).await.refused(401, ErrorCode::Unauthorized);
        world.send(call.clone().bearer(&key)).await.refused(403, ErrorCode::Forbidden);
        world.send(call.bearer(&format!("{OPERATOR}x"))).await.refused(401, ErrorCode::Unauthorized);
    }
    world.send(post("/v1/orders", order_body(1, "5")).key("k").operator()).await.refused(403, ErrorCode::Forbidden);
    world.send(post("/v1/orders", order_body(1, "5")).key("k").bearer("ask_wrong")).await.refused(401, ErrorCode::Unauthorized);

    // A revoked key opens nothing any more; other accounts are not touched.
    let _: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!(world.send(post(&revoke, json!({})).operator()).await.status, 204);
    world.send(get("/v1/account").bearer(&key)).await.refused(401, ErrorCode::Unauthorized);
    world.send(post("/v1/orders", order_body(1, "5")).key("k").bearer(&key)).await.refused(401, ErrorCode::Unauthorized);
    let _: AccountAnswer = world.send(get("/v1/account").bearer(&other_key)).await.ok(200);
    world.send(post("/v1/accounts/ac_none/key/revoke", json!({})).operator()).await.refused(404, ErrorCode::UnknownAccount);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_never_sees_another() {
    let world = World::start().await;
    let ((first, first_key), (_, second_key)) = (world.account().await, world.account().await);
    let _: PostedAnswer = world.grant(&first, "g", "5").await.ok(201);
    let mine: UsageAnswer = world.send(get("/v1/account/usage").bearer(&first_key)).await.ok(200);
    let theirs: UsageAnswer = world.send(get("/v1/account/usage").bearer(&second_key)).await.ok(200);
    assert_eq!((mine.entries.len(), theirs.entries.len()), (1, 0));
    let theirs: AccountAnswer = world.send(get("/v1/account").bearer(&second_key)).await.ok(200);
    assert!(theirs.account_id != first && theirs.batches.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_grants_and_debits() {
    let world = World::start().await;
    let (account, _) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let refused = world.debit(&account, "d", "10.000000001").await.refused(402, ErrorCode::InsufficientCredits);
    assert_eq!((refused.details["needed_credits"].as_str(), refused.details["available_credits"].as_str()), ("10.000000001", "10"));
    for path in ["/v1/grants", "/v1/debits"] {
        let body = json!({"account_id": account, "credits": "1"});
        world.send(post(path, body.clone()).operator()).await.refused(400, ErrorCode::IdempotencyKeyMissing);
        world.send(post(path, body.clone()).operator().key("")).await.refused(400, ErrorCode::InvalidRequest);
        world.send(post(path, body.clone()).operator().key(&"x".repeat(201))).await.refused(400, ErrorCode::InvalidRequest);
        let unknown = json!({"account_id": "ac_none", "credits": "1"});
        world.send(post(path, unknown).operator().key("k")).await.refused(404, ErrorCode::UnknownAccount);
        for amount in ["-1", "0.0000000001", "99999999999", "1e3", "", "NaN"] {
            let body = json!({"account_id": account, "credits": amount});
            world.send(post(path, body).operator().key("k")).await.refused(422, ErrorCode::InvalidAmount);
        }
        for wrong in [json!({"account_id": account, "credits": 1}), json!({"account_id": account}), json!([]), json!(null)] {
            world.send(post(path, wrong).operator().key("k")).await.refused(400, ErrorCode::InvalidRequest);
        }
    }
    world.grant(&account, "zero", "0").await.refused(422, ErrorCode::InvalidAmount);
    world.grant(&account, "too-much", "9223372036.854775807").await.refused(422, ErrorCode::InvalidAmount);
    for expires in [start_time(), start_time() - TimeDelta::milliseconds(1)] {
        let body = json!({"account_id": account, "credits": "1", "expires": expires});
        world.send(post("/v1/grants", body).operator().key("k")).await.refused(422, ErrorCode::InvalidExpiry);
    }
    let _: PostedAnswer = world.debit(&account, "nothing", "0").await.ok(201);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_has_one_effect_and_one_answer() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let first = world.grant(&account, "g", "10").await;
    let _: PostedAnswer = first.ok(201);
    world.set_time(TimeDelta::minutes(5));
    assert_eq!(world.grant(&account, "g", "10").await.body, first.body);
    let spaced = format!("{{ \"credits\" : \"10\",\n \"account_id\":\"{account}\" }}");
    assert_eq!(world.send(post("/v1/grants", json!({})).raw(&spaced).operator().key("g")).await.body, first.body);
    world.grant(&account, "g", "11").await.refused(409, ErrorCode::KeyConflict);
    // Keys hold over all operations of an account, and only of that account.
    world.debit(&account, "g", "10").await.refused(409, ErrorCode::KeyConflict);
    let (other, _) = world.account().await;
    let _: PostedAnswer = world.grant(&other, "g", "11").await.ok(201);
    // A refusal does not consume the key.
    world.debit(&account, "d", "12").await.refused(402, ErrorCode::InsufficientCredits);
    let _: PostedAnswer = world.grant(&account, "more", "2").await.ok(201);
    let _: PostedAnswer = world.debit(&account, "d", "12").await.ok(201);
    let _: PostedAnswer = world.debit(&account, "d", "12").await.ok(201);
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((seen.available_credits.to_string().as_str(), seen.entry_count), ("0", 3));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_json_is_said_in_the_one_shape() {
    let world = World::start().await;
    world.send(get("/")).await.refused(404, ErrorCode::NotFound);
    world.send(get("/v2/account")).await.refused(404, ErrorCode::NotFound);
    world.send(get("/v1/grants").operator()).await.refused(405, ErrorCode::InvalidRequest);
    world.send(get("/v1/orders/or_none")).await.refused(404, ErrorCode::NotFound);
    world.send(get("/v1/orders/%ff")).await.refused(404, ErrorCode::NotFound);
    let claim = json!({"secret": support::secret_hex(1)});
    world.send(post("/v1/orders/or_none/claim", claim)).await.refused(404, ErrorCode::NotFound);
    for bad in ["", "{", "{\"secret\": \"mine-not-yours\"", "\u{0}"] {
        let answer = world.send(post("/v1/orders", json!({})).raw(bad).key("k")).await.refused(400, ErrorCode::InvalidRequest);
        assert!(!answer.message.contains("mine"), "{}", answer.message);
    }
    let huge = format!("\"{}\"", "x".repeat(65 * 1024));
    world.send(post("/v1/orders", json!({})).raw(&huge).key("k")).await.refused(413, ErrorCode::InvalidRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_the_clock() {
    let world = World::start().await;
    world.until_health(|health| health["status"] == "ok").await;
    world.chain.set_down(true);
    world.until_health(|health| health["status"] == "degraded").await;
    world.chain.set_down(false);
    world.until_health(|health| health["status"] == "ok").await;

    let later = start_time() + TimeDelta::days(3);
    let set = post("/test/clock", json!({"at": later})).method("PUT");
    let _: Value = world.send(set.clone()).await.ok(200);
    let health: HealthAnswer = world.send(get("/v1/health")).await.ok(200);
    assert_eq!(health.server_time, later);
    let _: Value = world.send(post("/test/clock", json!({"at": null})).method("PUT")).await.ok(200);
    let health: HealthAnswer = world.send(get("/v1/health")).await.ok(200);
    assert_ne!(health.server_time, later);

    // Without the test clock the route is not there.
    let config = world.config(world.another_database("other"), Arc::new(ServiceClock::system()));
    let live = serve(config).await.expect("starts");
    set.send(live.address()).await.refused(404, ErrorCode::NotFound);
    live.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_debits_at_once_the_balance_covers_exactly_half() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "16").await.ok(201);
    let calls = (0..32).map(|n| {
        let call = post("/v1/debits", json!({"account_id": account, "credits": "1"})).operator().key(&format!("d{n}"));
        tokio::spawn(call.send(world.address()))
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.expect("sent").status);
    }
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(201), count(402)), (16, 16));
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((seen.available_credits.to_string().as_str(), seen.entry_count), ("0", 17));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_32_times_at_once_posts_once() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let call = post("/v1/grants", json!({"account_id": account, "credits": "1"})).operator().key("same");
    let calls: Vec<_> = (0..32).map(|_| tokio::spawn(call.clone().send(world.address()))).collect();
    let mut bodies = Vec::new();
    for call in calls {
        bodies.push(call.await.expect("sent").body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!(seen.entry_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_everything() {
    let mut world = World::start().await;
    let (account, key) = world.account().await;
    let granted = world.grant(&account, "g", "10").await;
    let _: PostedAnswer = world.debit(&account, "d", "3").await.ok(201);
    let order = world.order(9, "25").await;
    let before: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    world.restart().await;
    let after: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!(after, before);
    assert_eq!(world.grant(&account, "g", "10").await.body, granted.body);
    assert_eq!(world.shown(&order.order_id).await, order);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_operations_leave_a_log_that_verifies() {
    let world = World::start().await;
    let (account, _) = world.account().await;
    // A fixed walk through grants of several lives, debits and time, refusals among them.
    let mut dice = 12_345u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut hours = 0;
    for n in 0..120 {
        hours += i64::try_from(roll(9)).expect("small");
        world.set_time(TimeDelta::hours(hours));
        let credits = format!("{}.{:03}", roll(4), roll(1_000));
        let (path, mut body) = if roll(2) == 0 { ("/v1/grants", json!({})) } else { ("/v1/debits", json!({})) };
        body["account_id"] = json!(account);
        body["credits"] = json!(credits);
        if path == "/v1/grants" {
            body["expires"] = json!(start_time() + TimeDelta::hours(hours + i64::try_from(roll(48)).expect("small")));
        }
        let status = world.send(post(path, body).operator().key(&format!("k{n}"))).await.status;
        assert!([201, 402, 422].contains(&status), "{status}");
    }
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_said() {
    let world = World::start().await;
    let mut config = world.config(world.another_database("second"), world.clock.clone());
    config.listen = world.address();
    assert!(matches!(serve(config).await, Err(ServeError::Listen { .. })));
}
