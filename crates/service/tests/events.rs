//! The balance as a stream.

mod support;

use aispace_api::{BalanceEvent, ErrorCode};
use chrono::TimeDelta;
use serde_json::json;
use support::{PATIENCE, World, get, post, start_time};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

struct Stream(Lines<BufReader<TcpStream>>);

impl Stream {
    async fn open(world: &World, key: &str) -> Self {
        let mut socket = TcpStream::connect(world.address()).await.expect("connects");
        let text = format!("GET /v1/account/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n");
        socket.write_all(text.as_bytes()).await.expect("sent");
        let mut stream = Self(BufReader::new(socket).lines());
        let head = stream.line().await.expect("a head");
        assert!(head.contains("200"), "{head}");
        stream
    }

    /// The next line; `None` at the end.
    async fn line(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.0.next_line()).await.expect("in time").ok().flatten()
    }

    async fn balance(&mut self) -> Option<BalanceEvent> {
        loop {
            let line = self.line().await?;
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).expect("a balance"));
            }
        }
    }

    async fn available(&mut self) -> String {
        self.balance().await.expect("a balance").available_credits.to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_ones_own_account_is_told_and_no_other() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let (other, _) = world.account().await;
    let mut stream = Stream::open(&world, &key).await;
    assert_eq!(stream.available().await, "0");
    assert_eq!(world.grant(&other, "1", "99").await.status, 201);
    assert_eq!(world.grant(&account, "1", "10").await.status, 201);
    assert_eq!(stream.available().await, "10");
    // A refusal changes nothing, so the next word is of the debit after it.
    assert_eq!(world.debit(&account, "2", "11").await.status, 402);
    assert_eq!(world.debit(&account, "3", "4").await.status, 201);
    let told = stream.balance().await.expect("a balance");
    assert_eq!((told.available_credits.to_string().as_str(), told.entry_count), ("6", 2));
    let held = json!({"account_id": account, "credits": "1"});
    assert_eq!(world.send(post("/v1/holds", held).operator().key("4")).await.status, 201);
    assert_eq!(stream.balance().await.expect("a balance").held_credits.to_string(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_falls_due_by_itself_is_told() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let body = json!({"account_id": account, "credits": "5", "expires": start_time() + TimeDelta::seconds(10)});
    assert_eq!(world.send(post("/v1/grants", body).operator().key("1")).await.status, 201);
    let mut stream = Stream::open(&world, &key).await;
    assert_eq!(stream.available().await, "5");
    let to = |milliseconds| json!({"at": start_time() + TimeDelta::milliseconds(milliseconds)});
    for (at, said) in [(9_999, None), (10_000, Some("0"))] {
        assert_eq!(world.send(post("/test/clock", to(at)).method("PUT")).await.status, 200);
        if let Some(said) = said {
            assert_eq!(stream.available().await, said);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_running_clock_an_expiry_needs_nobody_to_look() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    world.clock.set(None);
    let soon = world.clock.now() + TimeDelta::milliseconds(1_500);
    let body = json!({"account_id": account, "credits": "5", "expires": soon});
    assert_eq!(world.send(post("/v1/grants", body).operator().key("1")).await.status, 201);
    let mut stream = Stream::open(&world, &key).await;
    assert_eq!(stream.available().await, "5");
    let told = stream.balance().await.expect("a balance");
    assert_eq!(told.available_credits.to_string(), "0");
    assert!(told.server_time >= soon, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_key_and_with_the_service() {
    let mut world = World::start().await;
    let (account, key) = world.account().await;
    world.send(get("/v1/account/events")).await.refused(401, ErrorCode::Unauthorized);
    let mut stream = Stream::open(&world, &key).await;
    assert_eq!(stream.available().await, "0");
    let revoke = post(&format!("/v1/accounts/{account}/key/revoke"), json!({}));
    assert_eq!(world.send(revoke.operator()).await.status, 204);
    assert_eq!(stream.balance().await, None);

    let (_, key) = world.account().await;
    let mut stream = Stream::open(&world, &key).await;
    assert_eq!(stream.available().await, "0");
    world.running.take().expect("running").stop().await;
    assert_eq!(stream.balance().await, None);
}
