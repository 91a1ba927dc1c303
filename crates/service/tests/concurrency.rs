//! Many callers at once: nothing is spent twice, nothing is lost, nobody waits for ever.

mod support;

use aispace_api::{AccountAnswer, AccountOpened, PostedAnswer};
use futures::StreamExt;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::{Reply, Request, World, get, post};

/// Calls that are under way at one time.
const AT_ONCE: usize = 64;

/// Sends every call, 64 of them at a time, each on a connection of its own; the answers are in the order of the calls.
async fn sent(address: SocketAddr, calls: impl Iterator<Item = Request>) -> Vec<Reply> {
    let sending = calls.map(|call| tokio::spawn(call.send(address)));
    futures::stream::iter(sending).buffered(AT_ONCE).map(|reply| reply.expect("sent")).collect().await
}

fn statuses(replies: &[Reply]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        *counts.entry(reply.status).or_default() += 1;
    }
    counts
}

fn debit(account: &str, key: &str) -> Request {
    post("/v1/debits", json!({"account_id": account, "credits": "1"})).operator().key(key)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_debits_at_once_the_balance_covers_exactly_half() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    // Three batches, so that a debit changes one that another debit has just emptied.
    for (batch, credits) in ["10", "10", "12"].iter().enumerate() {
        let _: PostedAnswer = world.grant(&account, &format!("g{batch}"), credits).await.ok(201);
    }
    let replies = sent(world.address(), (0..64).map(|n| debit(&account, &format!("d{n}")))).await;
    assert_eq!(statuses(&replies), BTreeMap::from([(201, 32), (402, 32)]));
    let mut sequences: Vec<u64> = replies.iter().filter(|r| r.status == 201).map(|r| r.ok::<PostedAnswer>(201).sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (4..36).collect::<Vec<_>>(), "each debit is an entry of its own");
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((seen.available_credits.to_string().as_str(), seen.entry_count), ("0", 35));
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_calls_under_one_key_one_is_posted_and_all_get_its_answer() {
    let world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "100").await.ok(201);
    let replies = sent(world.address(), (0..64).map(|_| debit(&account, "the same"))).await;
    assert_eq!(statuses(&replies), BTreeMap::from([(201, 64)]));
    assert!(replies.iter().all(|reply| reply.body == replies[0].body), "{replies:?}");
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((seen.available_credits.to_string().as_str(), seen.entry_count), ("99", 2));
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_accounts_at_once_lose_nothing() {
    const ACCOUNTS: usize = 1_000;
    let world = World::start().await;
    let address = world.address();
    let opened = sent(address, (0..ACCOUNTS).map(|_| post("/v1/accounts", json!({})).operator())).await;
    let accounts: Vec<String> = opened.iter().map(|reply| reply.ok::<AccountOpened>(201).account_id).collect();
    let grant = |account: &String| post("/v1/grants", json!({"account_id": account, "credits": "2"})).operator().key("g");
    let granted = sent(address, accounts.iter().map(grant)).await;
    assert_eq!(statuses(&granted), BTreeMap::from([(201, ACCOUNTS)]));
    // Neighbouring calls are for one account: three meet on it, and each account covers two.
    let calls = accounts.iter().flat_map(|account| ["a", "b", "c"].map(|key| debit(account, key)));
    let replies = sent(address, calls).await;
    assert_eq!(statuses(&replies), BTreeMap::from([(201, 2 * ACCOUNTS), (402, ACCOUNTS)]));
    for (account, replies) in accounts.iter().zip(replies.chunks(3)) {
        assert_eq!(statuses(replies), BTreeMap::from([(201, 2), (402, 1)]), "{account}");
    }
    assert_eq!(world.stop_and_verify().await, ACCOUNTS);
}
