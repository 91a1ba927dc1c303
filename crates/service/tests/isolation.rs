//! Nothing of one account reaches another: every operation of the served document, with every credential that is not the right one.

mod support;

use aispace_api::{AccountAnswer, ErrorCode, PostedAnswer};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use support::{OPERATOR, PATIENCE, Reply, Request, World, get, order_body, post, secret_hex, start_time};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const NOTE: &str = "a note of the first account alone";
const MODEL: &str = "model-of-the-first-account-alone";
const CREDITS: &str = "123.456789";

/// Whose a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Account,
    Operator,
    Anybody,
}

/// An account with something of each kind, and what must not be seen of it.
struct Owner {
    id: String,
    key: String,
    batch: String,
    hold: String,
    charge: u64,
    order: String,
    /// Ids and texts that are its own.
    marks: Vec<String>,
}

async fn owner(world: &World) -> Owner {
    let (id, key) = world.account().await;
    let operate = |path: &str, key: &str, body: Value| world.send(post(path, body).operator().key(key));
    let grant = json!({"account_id": id, "credits": CREDITS, "note": NOTE});
    let granted: PostedAnswer = operate("/v1/grants", "g", grant).await.ok(201);
    let run = json!({"model_id": MODEL, "model_name": MODEL, "kind": "chat"});
    let held: PostedAnswer = operate("/v1/holds", "h", json!({"account_id": id, "credits": "1.25", "run": run})).await.ok(201);
    let debited: PostedAnswer = operate("/v1/debits", "d", json!({"account_id": id, "credits": "2.5", "run": run})).await.ok(201);
    let ordered = world.send(post("/v1/orders", order_body(1, "7")).key("o").bearer(&key)).await;
    let order: Value = ordered.ok(201);
    let order = order["order_id"].as_str().expect("an id").to_owned();
    let (batch, hold) = (granted.batch_id.expect("a batch"), held.hold_id.expect("a hold"));
    let marks = [id.as_str(), &key, &batch, &hold, &debited.entry_id, &order, NOTE, MODEL, CREDITS].map(str::to_owned).to_vec();
    Owner { id, key, batch, hold, charge: debited.sequence, order, marks }
}

impl Owner {
    /// Each operation as its owner, or the operator on the owner's behalf, would make it; `account` is who a body names.
    fn calls(&self, account: &str) -> BTreeMap<&'static str, (Whose, Request)> {
        let Self { batch, hold, charge, order, .. } = self;
        let named = json!({"account_id": account});
        let amount = json!({"account_id": account, "credits": "1"});
        let refund = json!({"account_id": account, "credits": "1", "sequence": charge});
        let clip = json!({"model": "sora-2-text-to-video", "duration": "8s"});
        let claim = json!({"secret": secret_hex(9)});
        let hash = format!("0x{}", "5a".repeat(32));
        let deadline = (start_time() + TimeDelta::minutes(30)).to_rfc3339();
        let by_hash =
            json!({"order_id": order, "transaction_hash": hash, "deadline": deadline, "signature": format!("0x{}1b", "11".repeat(64))});
        BTreeMap::from([
            ("health", (Whose::Anybody, get("/v1/health"))),
            ("openapi", (Whose::Anybody, get("/v1/openapi.json"))),
            ("listRates", (Whose::Anybody, get("/v1/rates"))),
            ("showRates", (Whose::Anybody, get("/v1/rates/aispace"))),
            ("quoteClip", (Whose::Anybody, post("/v1/video/quote", clip))),
            ("openOrder", (Whose::Anybody, post("/v1/orders", order_body(2, "5")).key("theirs"))),
            ("showOrder", (Whose::Anybody, get("/v1/orders/or_00000000000000000000000000000000"))),
            ("claimOrder", (Whose::Anybody, post(&format!("/v1/orders/{order}/claim"), claim))),
            ("claimByHash", (Whose::Anybody, post("/v1/claims", by_hash))),
            ("listOpenPayments", (Whose::Operator, get("/v1/payments/open"))),
            ("assignPayment", (Whose::Operator, post("/v1/payments/assign", json!({"transaction_hash": hash, "order_id": order})))),
            ("closePayment", (Whose::Operator, post("/v1/payments/close", json!({"transaction_hash": hash, "note": "sent back"})))),
            ("showAccount", (Whose::Account, get("/v1/account"))),
            ("watchAccount", (Whose::Account, get("/v1/account/events"))),
            ("listUsage", (Whose::Account, get("/v1/account/usage?limit=200"))),
            ("rotateKey", (Whose::Account, post("/v1/account/key/rotate", json!({})))),
            ("openAccount", (Whose::Operator, post("/v1/accounts", json!({})))),
            ("revokeKeys", (Whose::Operator, post(&format!("/v1/accounts/{account}/key/revoke"), json!({})))),
            ("setAllowance", (Whose::Operator, post(&format!("/v1/accounts/{account}/allowance"), json!({"credits": "1"})).method("PUT"))),
            ("grant", (Whose::Operator, post("/v1/grants", amount.clone()))),
            ("debit", (Whose::Operator, post("/v1/debits", amount.clone()))),
            ("hold", (Whose::Operator, post("/v1/holds", amount.clone()))),
            ("settle", (Whose::Operator, post(&format!("/v1/holds/{hold}/settle"), amount))),
            ("release", (Whose::Operator, post(&format!("/v1/holds/{hold}/release"), named.clone()))),
            ("voidBatch", (Whose::Operator, post(&format!("/v1/batches/{batch}/void"), named))),
            ("refund", (Whose::Operator, post("/v1/refunds", refund))),
        ])
    }

    /// Checks that an answer has nothing of the account but `told`, which the caller said itself.
    fn is_unseen(&self, what: &str, reply: &Reply, told: &[&str]) {
        for mark in self.marks.iter().filter(|mark| !told.contains(&mark.as_str())) {
            assert!(!reply.body.contains(mark) && !reply.head.contains(mark), "{what} shows {mark}: {}", reply.body);
        }
    }

    async fn seen(&self, world: &World) -> AccountAnswer {
        world.send(get("/v1/account").bearer(&self.key)).await.ok(200)
    }
}

/// The first event of a stream, which has no end to wait for.
async fn first_event(address: SocketAddr, key: &str) -> Reply {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let head = format!("GET /v1/account/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sends");
        let mut read = String::new();
        while !read.contains("data:") || !read.ends_with("\n\n\r\n") {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).await.expect("answers");
            assert!(length > 0, "the stream ended: {read}");
            read += std::str::from_utf8(&part[..length]).expect("text");
        }
        read
    };
    let read = tokio::time::timeout(PATIENCE, exchange).await.expect("an event in time");
    let (head, body) = read.split_once("\r\n\r\n").expect("a head and a body");
    Reply { status: head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status"), head: head.into(), body: body.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_tried() {
    let world = World::start().await;
    let document: Value = world.send(get("/v1/openapi.json")).await.ok(200);
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|methods| methods.as_object().expect("methods").values());
    let described: BTreeMap<&str, &Value> = operations.map(|op| (op["operationId"].as_str().expect("an id"), &op["security"])).collect();
    let calls = owner(&world).await.calls("ac_none");
    let tried: BTreeSet<&str> = calls.keys().copied().chain(["setClock"]).collect();
    assert_eq!(tried, described.keys().copied().collect(), "an operation is not tried here");
    for (name, (whose, _)) in calls {
        let said = match whose {
            Whose::Account => json!([{"secureKey": []}]),
            Whose::Operator => json!([{"operator": []}]),
            Whose::Anybody if name == "openOrder" => json!([{}, {"secureKey": []}]),
            Whose::Anybody => json!([{}]),
        };
        assert_eq!(*described[name], said, "{name}: whose it is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_does_nothing_and_shows_nothing() {
    let world = World::start().await;
    let (owner, (_, theirs)) = (owner(&world).await, world.account().await);
    let before = owner.seen(&world).await;
    for (name, (whose, request)) in owner.calls(&owner.id) {
        let send = |what: &str, request: Request| {
            let what = format!("{name} {what}");
            let reply = world.send(request.key("k"));
            async move { (reply.await, what) }
        };
        let expect = |(reply, what): (Reply, String), status: u16, code: ErrorCode| {
            assert_eq!(reply.refused(status, code).code, code, "{what}");
            owner.is_unseen(&what, &reply, &[]);
        };
        let wrong = format!("{OPERATOR}x");
        match whose {
            Whose::Anybody => continue,
            Whose::Account => expect(send("by the operator", request.clone().operator()).await, 403, ErrorCode::Forbidden),
            Whose::Operator => {
                expect(send("by another", request.clone().bearer(&theirs)).await, 403, ErrorCode::Forbidden);
                expect(send("by the account", request.clone().bearer(&owner.key)).await, 403, ErrorCode::Forbidden);
            }
        }
        expect(send("by nobody", request.clone()).await, 401, ErrorCode::Unauthorized);
        for credential in [&wrong, &owner.id, &owner.key[..owner.key.len() - 1], &format!("{}0", owner.key)] {
            expect(send("with a wrong key", request.clone().bearer(credential)).await, 401, ErrorCode::Unauthorized);
        }
        let basic = request.clone().header("authorization", &format!("Basic {}", owner.key));
        expect(send("with another scheme", basic).await, 401, ErrorCode::Unauthorized);
    }
    let mut after = owner.seen(&world).await;
    after.server_time = before.server_time;
    assert_eq!(after, before);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_sees_itself_alone() {
    let world = World::start().await;
    let (owner, (other, theirs)) = (owner(&world).await, world.account().await);
    let before = owner.seen(&world).await;
    let mut calls: Vec<_> = owner.calls(&other).into_iter().collect();
    // The key is needed for the others.
    calls.sort_by_key(|(name, _)| *name == "revokeKeys");
    for (name, (whose, request)) in calls {
        let reply = match (name, whose) {
            ("watchAccount", _) => first_event(world.address(), &theirs).await,
            // What names another account's things is unknown to this one, even to the operator.
            (_, Whose::Operator) => world.send(request.operator().key(name)).await,
            (_, Whose::Account) => world.send(request.bearer(&theirs)).await,
            (_, Whose::Anybody) => world.send(request).await,
        };
        let status = match name {
            "openOrder" | "rotateKey" | "openAccount" | "grant" | "hold" => 201,
            "revokeKeys" => 204,
            "settle" | "release" | "voidBatch" | "refund" | "showOrder" | "claimByHash" | "assignPayment" | "closePayment" => 404,
            "claimOrder" => 403,
            // It has nothing to draw from before its grant.
            "debit" => 402,
            _ => 200,
        };
        assert_eq!(reply.status, status, "{name}: {}", reply.body);
        owner.is_unseen(name, &reply, &[&owner.hold, &owner.batch]);
    }
    // A claim secret that is not the order's, whoever presents it.
    let claim = post(&format!("/v1/orders/{}/claim", owner.order), json!({"secret": secret_hex(9)})).bearer(&theirs);
    owner.is_unseen("claimOrder", &world.send(claim).await, &[]);
    let mut after = owner.seen(&world).await;
    after.server_time = before.server_time;
    assert_eq!(after, before);
    world.stop_and_verify().await;
}
