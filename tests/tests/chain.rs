//! The kit's chain is Base to whoever asks, and its faults are what they say.

use aispace_testkit::{
    chain::{BASE_FEE_WEI, Chain, ChainOptions, FEED, GAS_PRICE_ORACLE, L1_FEE_WEI, read_quantity, rpc},
    desktop::{Desktop, DesktopOptions},
    fault::{Fault, FaultProxy},
    http,
    process::until,
    venues::{Venue, VenueFault, Venues},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const DEADLINE: Duration = Duration::from_secs(15);

async fn call(chain: &Chain, to: &str, data: &str) -> String {
    let answer = chain.rpc("eth_call", json!([{"to": to, "data": data}, "latest"])).await.expect("the call is answered");
    answer.as_str().expect("hex").trim_start_matches("0x").to_string()
}

fn word(words: &str, at: usize) -> u128 {
    u128::from_str_radix(&words[64 * at..64 * (at + 1)], 16).expect("a word that fits")
}

#[tokio::test]
async fn the_chain_is_base() {
    let chain = Chain::start(ChainOptions::default()).await.expect("the chain starts");
    assert_eq!(chain.rpc("eth_chainId", json!([])).await.expect("an id"), json!("0x2105"));

    let round = call(&chain, FEED, "0xfeaf968c").await;
    assert_eq!(word(&round, 1), 195_024_000_000);
    assert_eq!(word(&call(&chain, FEED, "0x313ce567").await, 0), 8);
    let description = call(&chain, FEED, "0x7284e416").await;
    assert_eq!((word(&description, 0), word(&description, 1)), (32, 9));
    assert!(description[128..].starts_with(&hex::encode("ETH / USD")));
    assert_eq!(word(&call(&chain, GAS_PRICE_ORACLE, "0xf1c7a58b").await, 0), L1_FEE_WEI);
    assert_eq!(word(&call(&chain, GAS_PRICE_ORACLE, "0x275aedd2").await, 0), 0);

    chain.set_feed_price("2000.5".parse().expect("a price")).await.expect("the price is set");
    assert_eq!(word(&call(&chain, FEED, "0xfeaf968c").await, 1), 200_050_000_000);
    chain.set_feed_age(7_200).await.expect("the age is set");
    let now =
        read_quantity(&chain.rpc("eth_getBlockByNumber", json!(["latest", false])).await.expect("a block")["timestamp"]).expect("a time");
    assert!(now - word(&call(&chain, FEED, "0xfeaf968c").await, 3) >= 7_200);
}

#[tokio::test]
async fn a_transfer_is_mined_within_seconds_and_survives_a_restart() {
    let mut chain = Chain::start(ChainOptions::default()).await.expect("the chain starts");
    let to = "0x00000000000000000000000000000000000000A1";
    let hash = chain.fund(to, 1_000).await.expect("sent");
    let receipt = until("the receipt", DEADLINE, async || {
        Ok(Some(chain.rpc("eth_getTransactionReceipt", json!([hash])).await?).filter(|r| !r.is_null()))
    })
    .await
    .expect("mined");
    assert_eq!(receipt["status"], json!("0x1"));
    let block = chain.rpc("eth_getBlockByNumber", json!([receipt["blockNumber"], false])).await.expect("a block");
    assert_eq!(read_quantity(&block["baseFeePerGas"]).expect("a fee"), u128::from(BASE_FEE_WEI));

    chain.stop().await;
    assert!(chain.rpc("eth_chainId", json!([])).await.is_err());
    chain.start_again().await.expect("the chain comes back");
    assert_eq!(chain.balance(to).await.expect("a balance"), 1_000);
}

#[tokio::test]
async fn the_proxy_fails_as_told() {
    let chain = Chain::start(ChainOptions::default()).await.expect("the chain starts");
    let proxy = FaultProxy::start(&chain.url()).await.expect("the proxy starts");
    let ask = async || rpc(&proxy.url(), "eth_chainId", json!([])).await;
    assert_eq!(ask().await.expect("passed on"), json!("0x2105"));

    proxy.set(Fault::Override(BTreeMap::from([("eth_chainId".to_string(), json!("0x1"))]))).await;
    assert_eq!(ask().await.expect("overridden"), json!("0x1"));
    assert!(rpc(&proxy.url(), "eth_blockNumber", json!([])).await.is_ok());

    for status in [500, 503] {
        proxy.set(Fault::Status(status)).await;
        assert_eq!(http::call("POST", &proxy.url(), &[], Some(&json!({}))).await.expect("an answer").status, status);
    }
    proxy.set(Fault::Garble).await;
    assert_eq!(http::call("POST", &proxy.url(), &[], Some(&json!({}))).await.expect("an answer").json, Value::Null);
    for closed in [Fault::Refuse, Fault::Cut] {
        proxy.set(closed).await;
        assert!(ask().await.is_err());
    }
    for late in [Fault::Hang, Fault::Drip(Duration::from_millis(20)), Fault::Slow(Duration::from_secs(5))] {
        proxy.set(late).await;
        assert!(tokio::time::timeout(Duration::from_millis(300), ask()).await.is_err());
    }
    proxy.set(Fault::None).await;
    assert_eq!(ask().await.expect("passed on again"), json!("0x2105"));
}

#[tokio::test]
async fn the_venues_speak_their_own_formats_and_fail_one_by_one() {
    let chain = Chain::start(ChainOptions::default()).await.expect("the chain starts");
    let venues = Venues::start(&chain.url()).await.expect("the venues start");
    let ask = async |venue, path: &str| http::call("GET", &format!("{}{path}", venues.url(venue)), &[], None).await;
    let coinbase = ask(Venue::Coinbase, "/products/ETH-USD/ticker").await.expect("answered").json;
    assert_eq!(coinbase["price"], json!("1950.24"));
    let kraken = ask(Venue::Kraken, "/0/public/Ticker?pair=ETHUSD").await.expect("answered").json;
    assert_eq!(kraken["result"]["XETHZUSD"]["c"][0], json!("1950.35000"));
    let bitstamp = ask(Venue::Bitstamp, "/api/v2/ticker/ethusd/").await.expect("answered").json;
    assert_eq!(bitstamp["last"], json!("1950.05"));

    venues.set_fault(Venue::Coinbase, Some(VenueFault::ServerError));
    assert_eq!(ask(Venue::Coinbase, "/products/ETH-USD/ticker").await.expect("answered").status, 500);
    assert_eq!(ask(Venue::Kraken, "/0/public/Ticker").await.expect("answered").status, 200);

    let to = "0x00000000000000000000000000000000000000b2";
    http::call_ok("POST", &venues.faucet_url(), &[], Some(&json!({"address": to}))).await.expect("given");
    until("the ether", DEADLINE, async || Ok((chain.balance(to).await? > 0).then_some(()))).await.expect("arrived");
}

#[tokio::test]
async fn the_desktop_keeps_secrets_locks_and_loses_its_keyring() {
    let mut desktop = Desktop::start(DesktopOptions::default()).await.expect("the desktop starts");
    assert!(desktop.store("kit.test", "a", "one"));
    assert_eq!(desktop.secret("kit.test", "a").as_deref(), Some("one"));
    desktop.lock_keyring().expect("locked");
    assert_eq!(desktop.secret("kit.test", "a"), None);
    desktop.stop_keyring().await.expect("gone");
    assert!(!desktop.has_secret_service());
    desktop.start_keyring().await.expect("back");
    assert_eq!(desktop.secret("kit.test", "a").as_deref(), Some("one"));
}
