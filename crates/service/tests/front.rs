//! What every call meets: limits, ids, counts, and how the service says it is.

mod support;

use aispace_api::{AccountOpened, ErrorCode, HealthAnswer, PartHealth};
use aispace_service::limit::{LimitConfig, Rate};
use aispace_service::{Config, Running, ServiceClock, serve};
use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use support::{Reply, Request, World, get, post, secret_hex};

/// The world's service anew, with limits and a place for metrics.
async fn limited(world: &mut World, limits: LimitConfig) -> Running {
    if let Some(running) = world.running.take() {
        running.stop().await;
    }
    let metrics_listen = Some("127.0.0.1:0".parse().expect("an address"));
    let file = world.directory.path().join("service.db");
    let config = world.config(file.as_path(), world.clock.clone());
    serve(Config { limits, metrics_listen, ..config }).await.expect("starts")
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let line = reply.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name} is not in {}", reply.head))
}

fn told_to_wait(reply: &Reply) {
    let answer = reply.refused(429, ErrorCode::RateLimited);
    let seconds: u64 = header(reply, "retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(answer.details["retry_after_seconds"], seconds.to_string());
    assert!(answer.message.contains("no credit was touched"), "{}", answer.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_too_many_guesses_no_credential_is_looked_at() {
    let mut world = World::start().await;
    let (_, key) = world.account().await;
    let limits = LimitConfig { failed_credentials: Rate::new(3, 1), ..LimitConfig::default() };
    let running = limited(&mut world, limits).await;
    let to = running.address();
    for _ in 0..20 {
        assert_eq!(get("/v1/account").bearer(&key).send(to).await.status, 200, "what is right is not counted");
    }
    for guess in ["ask_1", "ask_2"] {
        get("/v1/account").bearer(guess).send(to).await.refused(401, ErrorCode::Unauthorized);
    }
    let order: aispace_api::OrderAnswer = post("/v1/orders", support::order_body(1, "5")).key("k").send(to).await.ok(201);
    let claim = |secret| post(&format!("/v1/orders/{}/claim", order.order_id), json!({"secret": secret_hex(secret)}));
    claim(9).send(to).await.refused(403, ErrorCode::WrongSecret);
    for request in [get("/v1/account").bearer("ask_3"), get("/v1/account").bearer(&key), claim(9), claim(1), get("/v1/health").operator()] {
        told_to_wait(&request.send(to).await);
    }
    assert_eq!(get("/v1/health").send(to).await.status, 200, "without a credential nothing is guessed");
    get("/v1/account").send(to).await.refused(401, ErrorCode::Unauthorized);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_behind_a_trusted_proxy_are_told_apart() {
    let mut world = World::start().await;
    let (_, key) = world.account().await;
    let own = vec!["127.0.0.0/8".parse().expect("a network")];
    let limits = LimitConfig {
        failed_credentials: Rate::new(2, 1),
        trusted_proxies: own.clone(),
        exempt: vec!["198.51.100.7".parse().expect("a network")],
        ..LimitConfig::default()
    };
    let running = limited(&mut world, limits.clone()).await;
    let to = running.address();
    let wrong = |from: &str| get("/v1/account").bearer("ask_wrong").header("x-forwarded-for", from);
    for forged in ["192.0.2.1", "203.0.113.9, 192.0.2.1"] {
        wrong(forged).send(to).await.refused(401, ErrorCode::Unauthorized);
    }
    told_to_wait(&wrong("203.0.113.10, 192.0.2.1").send(to).await);
    let right = |from: &str| get("/v1/account").bearer(&key).header("x-forwarded-for", from);
    told_to_wait(&right("192.0.2.1").send(to).await);
    assert_eq!(right("192.0.2.2").send(to).await.status, 200, "another caller");
    for _ in 0..5 {
        wrong("198.51.100.7").send(to).await.refused(401, ErrorCode::Unauthorized);
    }
    running.stop().await;

    // From a peer that is no proxy the header means nothing: it neither frees nor blames.
    let running = limited(&mut world, LimitConfig { trusted_proxies: vec![], ..limits }).await;
    let to = running.address();
    for forged in ["192.0.2.1", "192.0.2.2"] {
        wrong(forged).send(to).await.refused(401, ErrorCode::Unauthorized);
    }
    told_to_wait(&right("192.0.2.3").send(to).await);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_address_and_by_key_but_the_operators() {
    let mut world = World::start().await;
    let ((account, one), (_, other)) = (world.account().await, world.account().await);
    let limits = LimitConfig { address_requests: Rate::new(6, 1), credential_requests: Rate::new(2, 1), ..LimitConfig::default() };
    let running = limited(&mut world, limits).await;
    let to = running.address();
    let asked = async |request: Request| request.send(to).await;
    for _ in 0..2 {
        assert_eq!(asked(get("/v1/account").bearer(&one)).await.status, 200);
    }
    told_to_wait(&asked(get("/v1/account").bearer(&one)).await);
    assert_eq!(asked(get("/v1/account").bearer(&other)).await.status, 200);
    for _ in 0..2 {
        assert_eq!(asked(get("/v1/health")).await.status, 200);
    }
    told_to_wait(&asked(get("/v1/health")).await);
    for n in 0..20 {
        let grant = post("/v1/grants", json!({"account_id": account, "credits": "1"})).operator().key(&n.to_string());
        assert_eq!(asked(grant).await.status, 201, "the gateway is not held up");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_shown_elsewhere_and_names_nobody() {
    let mut world = World::start().await;
    let limits = LimitConfig { failed_credentials: Rate::new(1, 1), ..LimitConfig::default() };
    let running = limited(&mut world, limits).await;
    let to = running.address();
    let opened: AccountOpened = post("/v1/accounts", json!({"label": "l"})).operator().send(to).await.ok(201);
    let (account, key) = (opened.account_id, opened.secure_key.into_exposed());
    let grant = post("/v1/grants", json!({"account_id": account, "credits": "5"})).operator().key("g");
    let first = grant.clone().send(to).await;
    let again = grant.send(to).await;
    assert_eq!((first.status, &first.body), (201, &again.body));
    assert!(!first.head.contains("idempotent-replayed") && header(&again, "idempotent-replayed") == "true");
    let debit = json!({"account_id": account, "credits": "6"});
    post("/v1/debits", debit).operator().key("d").send(to).await.refused(402, ErrorCode::InsufficientCredits);
    assert_eq!(get("/v1/orders/or_0123").send(to).await.status, 404);
    assert_eq!(get("/nowhere/at/all").send(to).await.status, 404);
    get("/v1/account").bearer("ask_wrong").send(to).await.refused(401, ErrorCode::Unauthorized);
    told_to_wait(&get("/v1/account").bearer(&key).send(to).await);
    assert_eq!(get("/metrics").send(to).await.status, 404, "not at the public address");

    let metrics: SocketAddr = running.metrics_address().expect("asked for");
    let shown = get("/metrics").send(metrics).await;
    assert!(shown.status == 200 && header(&shown, "content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    for line in [
        r#"aispace_http_requests_total{method="POST",route="/v1/grants",status="201"} 2"#,
        r#"aispace_http_requests_total{method="GET",route="/v1/orders/{id}",status="404"} 1"#,
        r#"aispace_http_requests_total{method="GET",route="unmatched",status="404"} 2"#,
        r#"aispace_http_request_duration_seconds_count{method="POST",route="/v1/debits"} 1"#,
        r#"aispace_postings_total{kind="grant"} 1"#,
        r#"aispace_refusals_total{code="insufficient_credits"} 1"#,
        r#"aispace_failed_credentials_total{credential="bearer"} 1"#,
        r#"aispace_rate_limited_total{limit="failed_credentials"} 1"#,
        "aispace_event_streams 0",
        "aispace_store_errors_total 0",
    ] {
        assert!(shown.body.lines().any(|shown| shown == line), "{line} is not in\n{}", shown.body);
    }
    assert!(!shown.body.contains(r#"kind="debit""#), "a refused debit posted nothing");
    let commits = shown.body.lines().find_map(|line| line.strip_prefix("aispace_store_commit_writes_count "));
    assert!(commits.and_then(|count| count.parse::<u32>().ok()) >= Some(2), "{}", shown.body);
    for private in [&account, &key, "or_0123", "ask_wrong", "127.0.0.1"] {
        assert!(!shown.body.contains(private), "{private} is in\n{}", shown.body);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_has_an_id_that_only_a_trusted_proxy_may_choose() {
    let mut world = World::start().await;
    let ask = || get("/v1/health").header("x-request-id", "from-outside.1");
    let ids = [world.send(ask()).await, world.send(ask()).await, world.send(get("/nowhere")).await];
    let ids = ids.map(|reply| header(&reply, "x-request-id").to_owned());
    assert!(ids.iter().all(|id| id.len() == 35 && id.starts_with("rq_")), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    let trusting = LimitConfig { trusted_proxies: vec!["127.0.0.1".parse().expect("a network")], ..LimitConfig::default() };
    let running = limited(&mut world, trusting).await;
    let to = running.address();
    assert_eq!(header(&ask().send(to).await, "x-request-id"), "from-outside.1");
    for odd in ["a b", "", "a\"b", &"a".repeat(65)] {
        let reply = get("/v1/health").header("x-request-id", odd).send(to).await;
        assert!(header(&reply, "x-request-id").starts_with("rq_"), "{odd}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_which_part_fails() {
    let mut server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    let world = World::start().await;
    let database: aispace_service::Database = server.fresh_database().expect("a database").parse().expect("an address");
    let file = world.directory.path().join("unused");
    let running = serve(Config { database, ..world.config(file.as_path(), Arc::new(ServiceClock::for_tests())) }).await.expect("starts");
    let health = async || get("/v1/health").send(running.address()).await;
    let deadline = std::time::Instant::now() + support::PATIENCE;
    let mut seen: HealthAnswer = health().await.ok(200);
    while seen.chain != PartHealth::Ok {
        assert!(std::time::Instant::now() < deadline, "{seen:?}");
        seen = health().await.ok(200);
    }
    assert_eq!((seen.status.as_str(), seen.database), ("ok", PartHealth::Ok));
    server.kill();
    let seen: HealthAnswer = health().await.ok(503);
    assert_eq!((seen.status.as_str(), seen.database, seen.scanned_block), ("failing", PartHealth::Failing, None));
    running.stop().await;
}
