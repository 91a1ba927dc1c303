//! What only a shared database can be: several services on one, and a server that crashes beneath them.

#[path = "../support/mod.rs"]
mod support;

use aispace_api::{AccountAnswer, AccountOpened, BalanceEvent, ErrorCode, OrderStatus, PostedAnswer};
use aispace_service::{Database, Store};
use aispace_test_postgres::PostgresServer;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Instant;
use support::{PATIENCE, Reply, Request, World, get, post, secret, start_time};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

fn debit(account: &str, key: &str) -> Request {
    post("/v1/debits", json!({"account_id": account, "credits": "1"})).operator().key(key)
}

/// Sends everything at once.
async fn sent(calls: impl Iterator<Item = (SocketAddr, Request)>) -> Vec<Reply> {
    let calls: Vec<_> = calls.map(|(address, call)| tokio::spawn(call.send(address))).collect();
    let mut replies = Vec::new();
    for call in calls {
        replies.push(call.await.expect("sent"));
    }
    replies
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_on_one_database_spend_nothing_twice() {
    let world = World::start().await;
    let second = world.second().await;
    let addresses = [world.address(), second.address()];
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "32").await.ok(201);
    let of = |n: usize| addresses[n % 2];
    let replies = sent((0..64).map(|n| (of(n), debit(&account, &format!("d{n}"))))).await;
    assert_eq!((count(&replies, 201), count(&replies, 402)), (32, 32));
    // One key, both services: one posting, one answer.
    let _: PostedAnswer = world.grant(&account, "g2", "10").await.ok(201);
    let replies = sent((0..32).map(|n| (of(n), debit(&account, "the same")))).await;
    assert_eq!(count(&replies, 201), 32);
    assert!(replies.iter().all(|reply| reply.body == replies[0].body), "{replies:?}");
    // A tag belongs to one order, whichever service is asked.
    let order = |n: u64| post("/v1/orders", support::order_body(7, "25")).key(&format!("o{n}"));
    let replies = sent((0..8u64).map(|n| (addresses[usize::from(n % 2 == 1)], order(n)))).await;
    assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 7));
    for at in addresses {
        let seen: AccountAnswer = get("/v1/account").bearer(&key).send(at).await.ok(200);
        assert_eq!((seen.available_credits.to_string().as_str(), seen.entry_count), ("9", 35));
    }
    second.stop().await;
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_start_at_once_make_one_schema() {
    let world = World::prepared();
    let (a, b, c, d) = tokio::join!(world.second(), world.second(), world.second(), world.second());
    let opened = sent([&a, &b, &c, &d].into_iter().map(|s| (s.address(), post("/v1/accounts", json!({})).operator()))).await;
    assert_eq!(count(&opened, 201), 4);
    for service in [a, b, c, d] {
        service.stop().await;
    }
    assert_eq!(world.stop_and_verify().await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_service_watches_the_chain_and_another_takes_over() {
    let mut world = World::start().await;
    let second = world.second().await;
    let pay = async |tag: u8| {
        let order = world.order(tag, "25").await;
        world.chain.pay(secret(tag).tag(), 10_000_000_000_000_000);
        world.chain.mine(start_time());
        world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
        assert_eq!(world.shown(&order.order_id).await.payments.len(), 1);
    };
    pay(1).await;
    pay(2).await;
    let first = world.running.replace(second).expect("running");
    first.stop().await;
    let order = world.order(3, "25").await;
    world.chain.pay(secret(3).tag(), 10_000_000_000_000_000);
    world.chain.mine(start_time());
    world.until(&order.order_id, |o| o.status == OrderStatus::Confirmed).await;
    assert_eq!(world.stop_and_verify().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_service_posts_the_other_tells() {
    let world = World::start().await;
    let second = world.second().await;
    let (account, key) = world.account().await;
    let mut socket = TcpStream::connect(second.address()).await.expect("connects");
    let text = format!("GET /v1/account/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n");
    socket.write_all(text.as_bytes()).await.expect("sent");
    let mut lines = BufReader::new(socket).lines();
    let mut told = async || loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("read").expect("a line");
        if let Some(data) = line.strip_prefix("data: ") {
            break serde_json::from_str::<BalanceEvent>(data).expect("a balance").available_credits.to_string();
        }
    };
    assert_eq!(told().await, "0");
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    assert_eq!(told().await, "10");
    second.stop().await;
}

/// Some of the calls are answered when every process of the server is killed. What was answered is there, and each call asked again with
/// its key is there once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_crash_of_the_database() {
    const CALLS: usize = 96;
    let mut world = World::prepared();
    world.server = Some(PostgresServer::start().expect("PostgreSQL starts, and commits are on the disk"));
    world.database = world.another_database("service");
    world.restart().await;
    let (account, key) = world.account().await;
    let grant = |n: usize| post("/v1/grants", json!({"account_id": account, "credits": "1"})).operator().key(&format!("g{n}"));
    let address = world.address();
    for round in 0..2 {
        let numbers = round * CALLS..(round + 1) * CALLS;
        let calls: Vec<_> = numbers.clone().map(|n| tokio::spawn(grant(n).send(address))).collect();
        let mut replies = Vec::new();
        for (n, call) in calls.into_iter().enumerate() {
            if n == 8 {
                let server = world.server.as_mut().expect("a server");
                server.kill();
                server.restart().expect("it recovers");
            }
            replies.push(call.await.expect("an answer, be it a refusal"));
        }
        assert!(count(&replies, 201) >= 8, "{replies:?}");
        for refused in replies.iter().filter(|reply| reply.status != 201) {
            refused.refused(500, ErrorCode::Internal);
        }
        for (n, before) in numbers.zip(&replies) {
            let again = answered(address, &grant(n)).await;
            assert!(before.status != 201 || again.body == before.body, "{before:?} became {again:?}");
        }
        let seen: AccountAnswer = get("/v1/account").bearer(&key).send(address).await.ok(200);
        assert_eq!(seen.entry_count, u64::try_from((round + 1) * CALLS).expect("small"));
    }
    assert_eq!(world.stop_and_verify().await, 1);
}

/// Asks until the service has its database again.
async fn answered(address: SocketAddr, call: &Request) -> Reply {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reply = call.clone().send(address).await;
        if reply.status == 201 {
            return reply;
        }
        assert!(Instant::now() < deadline, "the service stayed without its database: {reply:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_something_else_or_of_a_newer_release_is_refused() {
    let world = World::start().await;
    let open = async |statements: &'static str, name: &str| {
        let database = world.another_database(name);
        support::tamper(&database, statements).await;
        Store::open(&database).await.expect_err("refused").to_string()
    };
    let error = open("CREATE TABLE letters (n BIGINT)", "else").await;
    assert!(error.contains("something else"), "{error}");
    let error = open("CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (9999)", "newer").await;
    assert!(error.contains("9999"), "{error}");
    let nowhere: Database = "postgresql://aispace:secret@localhost/x?host=%2Fnowhere".parse().expect("read");
    let error = Store::open(&nowhere).await.expect_err("refused").to_string();
    assert!(!error.contains("secret"), "{error}");
    let _: AccountOpened = world.send(post("/v1/accounts", json!({})).operator()).await.ok(201);
}

/// The bench holds the service against pgbench running these statements, so they have to be these.
#[tokio::test(flavor = "multi_thread")]
async fn a_debit_is_what_the_bench_says_it_is() {
    let mut world = World::prepared();
    world.server = Some(PostgresServer::start_with(&[("log_statement", "all"), ("log_line_prefix", "%p|")]).expect("PostgreSQL starts"));
    world.database = world.another_database("service");
    world.restart().await;
    let (account, _) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "10").await.ok(201);
    let _: PostedAnswer = world.debit(&account, "d", "1").await.ok(201);
    let log = world.server.as_ref().expect("a server").log();
    let bench = include_str!("../../../../bench/ledger/pgbench/debit.sql");
    let bench: Vec<String> = bench.lines().filter(|line| !line.starts_with(['-', '\\'])).map(shape).collect();
    assert!(bench.len() == 11 && bench[1].ends_with("FOR UPDATE"), "{bench:#?}");
    assert_eq!(transaction_of_last_entry(&log), bench);
}

/// The statements of the last transaction that writes an entry, in the log of a server whose lines begin with a process and a bar.
fn transaction_of_last_entry(log: &str) -> Vec<String> {
    let mut said: Vec<(String, String)> = Vec::new();
    for line in log.lines() {
        match (line.split_once("|LOG:  "), said.last_mut()) {
            (Some((process, text)), _) => said.push((process.to_owned(), text.to_owned())),
            // A statement of several lines goes on behind a tab.
            (None, Some((_, text))) if line.starts_with('\t') => text.push_str(line),
            _ => {}
        }
    }
    let writes = |text: &str| text.contains("INSERT INTO entries");
    let (process, _) = said.iter().rev().find(|(_, text)| writes(text)).expect("an entry was written").clone();
    let own: Vec<&str> =
        said.iter().filter(|(other, _)| *other == process).filter_map(|(_, text)| text.split_once(": ")).map(|s| s.1).collect();
    let written = own.iter().rposition(|text| writes(text)).expect("there");
    let from = own[..written].iter().rposition(|text| *text == "BEGIN").expect("a beginning");
    let to = own[written..].iter().position(|text| *text == "COMMIT").expect("an end") + written;
    own[from..=to].iter().map(|text| shape(text)).collect()
}

/// A statement without its values.
fn shape(statement: &str) -> String {
    let statement = statement.trim().trim_end_matches("\\gset").trim().trim_end_matches(';');
    let mut quoted = false;
    let mut bare = String::new();
    for c in statement.chars() {
        if c == '\'' {
            quoted = !quoted;
            bare.push_str(if quoted { " ? " } else { "" });
        } else if !quoted {
            bare.push_str(&if "(),=<>".contains(c) { format!(" {c} ") } else { c.to_string() });
        }
    }
    let is_value = |word: &str| word.starts_with(['$', ':']) || word == "NULL" || word.parse::<u64>().is_ok();
    bare.split_whitespace().map(|word| if is_value(word) { "?" } else { word }).collect::<Vec<_>>().join(" ")
}
