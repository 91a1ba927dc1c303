//! The log by time, kind and model, as pages and as CSV.

mod support;

use aispace_api::{ErrorCode, UsageAnswer};
use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;
use support::{Reply, World, get, post, start_time};

/// Six entries: a batch at 0 s; runs of `a`, `b`, `a` at 10, 20, 30 s; a hold of `b` at 40 s; and a batch that ended by itself at 50 s with nothing
/// posted since.
async fn written() -> (World, String) {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let body = json!({"account_id": account, "credits": "5", "expires": instant(50), "note": "=1+1"});
    assert_eq!(world.send(post("/v1/grants", body).operator().key("grant")).await.status, 201);
    for (n, (seconds, path, model)) in
        [(10, "/v1/debits", "a"), (20, "/v1/debits", "b"), (30, "/v1/debits", "a"), (40, "/v1/holds", "b")].into_iter().enumerate()
    {
        world.set_time(TimeDelta::seconds(seconds));
        let run = json!({"model_id": model, "model_name": format!("Model, \"{model}\""), "kind": "chat", "meters": {"input_tokens": "5"}});
        let body = json!({"account_id": account, "credits": "0.5", "run": run});
        assert_eq!(world.send(post(path, body).operator().key(&n.to_string())).await.status, 201);
    }
    world.set_time(TimeDelta::seconds(60));
    (world, key)
}

fn instant(seconds: i64) -> String {
    (start_time() + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

async fn asked(world: &World, key: &str, query: &str) -> Reply {
    world.send(get(&format!("/v1/account/usage{query}")).bearer(key)).await
}

async fn sequences(world: &World, key: &str, query: &str) -> Vec<u64> {
    let answer: UsageAnswer = asked(world, key, query).await.ok(200);
    assert_eq!(answer.next_cursor, None, "{query}");
    answer.entries.iter().map(|entry| entry.sequence).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_what_is_stored_and_what_is_due() {
    let (world, key) = written().await;
    for (query, found) in [
        (String::new(), vec![6, 5, 4, 3, 2, 1]),
        ("?kind=debit".into(), vec![4, 3, 2]),
        ("?kind=expired,held".into(), vec![6, 5]),
        ("?model=a".into(), vec![4, 2]),
        ("?model=b&kind=held".into(), vec![5]),
        ("?model=c".into(), vec![]),
        (format!("?from={}", instant(30)), vec![6, 5, 4]),
        (format!("?to={}", instant(30)), vec![3, 2, 1]),
        (format!("?from={}&to={}&model=a", instant(10), instant(30)), vec![2]),
        // The batch ended at 50 s, though no write has posted that yet.
        (format!("?from={}", instant(50)), vec![6]),
        (format!("?from={}&to={}", instant(30), instant(30)), vec![]),
        (format!("?to={}", instant(0)), vec![]),
        (format!("?from={}", instant(1_000)), vec![]),
    ] {
        assert_eq!(sequences(&world, &key, &query).await, found, "{query}");
    }
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filtered_pages_follow_each_other_without_a_gap() {
    let (world, key) = written().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: UsageAnswer = asked(&world, &key, &format!("?kind=debit,expired&limit=1{cursor}")).await.ok(200);
        seen.extend(page.entries.iter().map(|entry| entry.sequence));
        let Some(next) = page.next_cursor else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [6, 4, 3, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_filter_is_refused() {
    let (world, key) = written().await;
    for query in
        ["?kind=debts", "?kind=", "?kind=unknown", "?model=", "?from=yesterday", "?form=csv", "?format=xml", "?limit=201", "?cursor=-1"]
    {
        asked(&world, &key, query).await.refused(400, ErrorCode::InvalidRequest);
    }
    asked(&world, &key, &format!("?from={}&to={}", instant(2), instant(1))).await.refused(400, ErrorCode::InvalidRequest);
    world.send(get("/v1/account/usage?format=csv")).await.refused(401, ErrorCode::Unauthorized);
}

/// The body of an answer in chunks (RFC 9112, §7.1).
fn unchunked(reply: &Reply) -> String {
    assert!(reply.head.contains("transfer-encoding: chunked"), "{}", reply.head);
    let (mut rest, mut whole) = (reply.body.as_str(), String::new());
    loop {
        let (length, after) = rest.split_once("\r\n").expect("a length");
        let length = usize::from_str_radix(length, 16).expect("hex");
        if length == 0 {
            return whole;
        }
        whole.push_str(&after[..length]);
        rest = after[length..].strip_prefix("\r\n").expect("an end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_file_holds_the_same_lines() {
    let (world, key) = written().await;
    let reply = asked(&world, &key, "?format=csv").await;
    assert!(reply.status == 200 && reply.head.contains("content-type: text/csv") && reply.head.contains("attachment"), "{}", reply.head);
    let text = unchunked(&reply);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7);
    assert!(lines[0].starts_with("sequence,at,kind,change_credits,"), "{}", lines[0]);
    assert!(lines[1].starts_with(&format!("6,{},expired,-3,0,0,", instant(50))), "{}", lines[1]);
    assert!(lines[3].starts_with(&format!("4,{},debit,-0.5,0,0,a,\"Model, \"\"a\"\"\",chat,input_tokens=5,", instant(30))), "{}", lines[3]);
    let by_header = world.send(get("/v1/account/usage?kind=held").header("accept", "text/csv, */*;q=0.1").bearer(&key)).await;
    assert_eq!(unchunked(&by_header).lines().count(), 2);
    assert!(asked(&world, &key, "?format=json").await.head.contains("application/json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_csv_file_is_whole() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    assert_eq!(world.grant(&account, "grant", "2000").await.status, 201);
    let address = world.address();
    let mut sent = Vec::new();
    for n in 0..1_300 {
        let body = json!({"account_id": account, "credits": "1"});
        sent.push(tokio::spawn(post("/v1/debits", body).operator().key(&n.to_string()).send(address)));
        if sent.len() == 50 {
            for reply in sent.drain(..) {
                assert_eq!(reply.await.expect("sent").status, 201);
            }
        }
    }
    let text = unchunked(&asked(&world, &key, "?format=csv").await);
    let sequences: Vec<u64> =
        text.lines().skip(1).map(|line| line.split(',').next().expect("a number").parse().expect("a number")).collect();
    assert_eq!(sequences, (1..=1_301).rev().collect::<Vec<u64>>());
}
