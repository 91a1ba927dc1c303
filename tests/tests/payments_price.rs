//! The price of ether from stand-ins that speak the venues' formats and from the feed on a real node.

use aispace_payments::{
    chain::{FeedError, Nodes},
    price::{PriceConfig, PriceError, PriceReport, PriceSources, SourceReading, Verdict},
};
use aispace_testkit::{
    chain::{Chain, ChainOptions, FEED, SEQUENCER_FEED},
    fault::{Fault, FaultProxy},
    venues::{Venue, VenueFault, Venues},
};
use axum::{Router, http::StatusCode, response::Redirect, routing::get};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::time::{Duration, Instant, SystemTime};

const DEADLINE: Duration = Duration::from_secs(4);

struct World {
    chain: Chain,
    venues: Venues,
}

impl World {
    async fn start() -> Self {
        let chain = Chain::start(ChainOptions::default()).await.expect("the chain starts");
        let venues = Venues::start(&chain.url()).await.expect("the venues start");
        Self { chain, venues }
    }

    fn config(&self) -> PriceConfig {
        PriceConfig {
            coinbase: self.venues.url(Venue::Coinbase),
            kraken: self.venues.url(Venue::Kraken),
            bitstamp: self.venues.url(Venue::Bitstamp),
            gemini: None,
            chainlink: vec![self.chain.url()],
            deadline: DEADLINE,
        }
    }

    async fn read(&self) -> Result<PriceReport, PriceError> {
        read(&self.config()).await
    }

    async fn chainlink(&self) -> SourceReading {
        self.read().await.expect("the venues are enough").sources.remove(3)
    }
}

async fn read(config: &PriceConfig) -> Result<PriceReport, PriceError> {
    PriceSources::new(config).expect("good addresses").read(DateTime::<Utc>::from(SystemTime::now())).await
}

fn verdicts(sources: &[SourceReading]) -> Vec<Verdict> {
    sources.iter().map(|source| source.verdict).collect()
}

/// A server that answers everything with one thing.
async fn server(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn four_sources_make_a_price() {
    let world = World::start().await;
    let report = world.read().await.expect("a price");
    // 1950.05, 1950.24, 1950.24, 1950.35
    assert_eq!(report.usd_per_eth.to_string(), "1950.24");
    let names: Vec<_> = report.sources.iter().map(|source| source.name).collect();
    assert_eq!(names, ["Coinbase Exchange", "Kraken", "Bitstamp", "Chainlink on Base"]);
    assert_eq!(verdicts(&report.sources), [Verdict::Used; 4]);
    assert_eq!(report.sources[1].age_seconds, None, "Kraken tells no time");
    assert!(report.sources.iter().all(|source| source.age_seconds.unwrap_or(0) < 60 && source.reason.is_none()));
}

#[tokio::test]
async fn one_missing_source_is_named_and_the_rest_are_enough() {
    let world = World::start().await;
    for fault in [VenueFault::Silent, VenueFault::ServerError, VenueFault::Garbage] {
        world.venues.set_fault(Venue::Coinbase, Some(fault.clone()));
        let began = Instant::now();
        let report = world.read().await.expect("three are enough");
        assert_eq!(verdicts(&report.sources), [Verdict::Silent, Verdict::Used, Verdict::Used, Verdict::Used], "{fault:?}");
        assert_eq!(report.usd_per_eth.to_string(), "1950.24");
        assert!(report.sources[0].reason.is_some() && began.elapsed() < DEADLINE * 2);
    }
}

#[tokio::test]
async fn two_missing_sources_leave_no_price() {
    let world = World::start().await;
    world.venues.set_fault(Venue::Coinbase, Some(VenueFault::ServerError));
    world.venues.set_fault(Venue::Bitstamp, Some(VenueFault::Garbage));
    let error = world.read().await.expect_err("two are too few");
    assert_eq!(error.to_string(), "2 of 4 price sources gave a fresh price, 3 are needed; without one: Coinbase Exchange, Bitstamp");
    assert!(error.readings()[0].reason.as_deref().is_some_and(|reason| reason.contains("500")));
    assert!(error.readings()[2].reason.as_deref().is_some_and(|reason| reason.contains("cannot be read")));
}

#[tokio::test]
async fn a_stale_figure_is_not_used() {
    let world = World::start().await;
    world.venues.set_fault(Venue::Bitstamp, Some(VenueFault::Stale(300)));
    let report = world.read().await.expect("three are enough");
    assert_eq!(verdicts(&report.sources), [Verdict::Used, Verdict::Used, Verdict::Stale, Verdict::Used]);
    assert!(report.sources[2].age_seconds.is_some_and(|age| (300..310).contains(&age)));
}

#[tokio::test]
async fn one_source_that_lies_is_an_outlier_and_more_are_no_price() {
    let world = World::start().await;
    world.venues.set_fault(Venue::Kraken, Some(VenueFault::OffBy("25".parse().expect("a number"))));
    let report = world.read().await.expect("three agree");
    assert_eq!(verdicts(&report.sources), [Verdict::Used, Verdict::Outlier, Verdict::Used, Verdict::Used]);
    assert_eq!(report.usd_per_eth.to_string(), "1950.24");

    world.venues.set_fault(Venue::Coinbase, Some(VenueFault::OffBy("50".parse().expect("a number"))));
    world.venues.set_fault(Venue::Bitstamp, Some(VenueFault::OffBy("75".parse().expect("a number"))));
    let error = world.read().await.expect_err("they disagree");
    assert!(matches!(&error, PriceError::SpreadTooWide { lowest, .. } if lowest.to_string() == "1950.24"), "{error:?}");
}

#[tokio::test]
async fn the_feed_is_used_only_as_what_it_claims_to_be() {
    let world = World::start().await;
    world.chain.set_feed_price("1951.12345678".parse().expect("a price")).await.expect("set");
    assert_eq!(world.chainlink().await.price.map(|price| price.to_string()).as_deref(), Some("1951.12345678"));

    world.chain.set_feed_age(2_000).await.expect("set");
    assert_eq!(world.chainlink().await.verdict, Verdict::Stale);
    world.chain.set_feed_age(1_700).await.expect("set");
    assert_eq!(world.chainlink().await.verdict, Verdict::Used);

    let store = async |address: &str, slot: &str, value: i128| {
        let word = if value < 0 { "f".repeat(64) } else { format!("{value:064x}") };
        world.chain.rpc("anvil_setStorageAt", json!([address, slot, format!("0x{word}")])).await.expect("stored");
    };
    store(FEED, "0x1", -1).await;
    let negative = world.chainlink().await;
    assert_eq!((negative.verdict, negative.price), (Verdict::Silent, None));
    store(FEED, "0x1", 195_024_000_000).await;

    store(SEQUENCER_FEED, "0x1", 1).await;
    let down = world.chainlink().await;
    assert!(down.reason.as_deref().is_some_and(|reason| reason.contains("sequencer is reported down")), "{down:?}");
    store(SEQUENCER_FEED, "0x1", 0).await;
    let now = DateTime::<Utc>::from(SystemTime::now()).timestamp();
    store(SEQUENCER_FEED, "0x2", i128::from(now) - 600).await;
    assert_eq!(world.chainlink().await.verdict, Verdict::Silent, "back for ten minutes only");
    world.chain.set_code(SEQUENCER_FEED, "0x").await.expect("set");
    assert_eq!(world.chainlink().await.verdict, Verdict::Used, "a chain without the sequencer's feed");

    let code = world.chain.rpc("eth_getCode", json!([FEED, "latest"])).await.expect("code");
    let (ether, bitcoin) = (hex::encode("ETH / USD"), hex::encode("BTC / USD"));
    world.chain.set_code(FEED, &code.as_str().expect("hex").replace(&ether, &bitcoin)).await.expect("set");
    let other = world.chainlink().await;
    assert!(other.reason.as_deref().is_some_and(|reason| reason.contains("not ETH / USD")), "{other:?}");

    // A contract that answers everything with one word is no ETH / USD feed.
    world.chain.set_code(FEED, "0x600160005260206000f3").await.expect("set");
    assert_eq!(world.chainlink().await.verdict, Verdict::Silent);
    world.chain.set_code(FEED, "0x").await.expect("set");
    let absent = world.chainlink().await;
    assert!(absent.reason.as_deref().is_some_and(|reason| reason.contains("no feed on this chain")), "{absent:?}");
}

#[tokio::test]
async fn a_feed_on_another_chain_is_not_read() {
    let world = World::start().await;
    let other = Chain::start(ChainOptions { chain_id: 1, ..ChainOptions::default() }).await.expect("another chain");
    let report = read(&PriceConfig { chainlink: vec![other.url()], ..world.config() }).await.expect("the venues are enough");
    assert!(report.sources[3].reason.as_deref().is_some_and(|reason| reason.contains("serves chain 1")), "{:?}", report.sources[3]);
}

#[tokio::test]
async fn without_a_node_the_venues_decide() {
    let world = World::start().await;
    let report = read(&PriceConfig { chainlink: vec![], ..world.config() }).await.expect("three are enough");
    assert_eq!((report.sources.len(), report.usd_per_eth.to_string().as_str()), (3, "1950.24"));
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_answers_not_read() {
    let world = World::start().await;
    let target = format!("{}/products/ETH-USD/ticker", world.venues.url(Venue::Coinbase));
    let redirecting = server(Router::new().fallback(get(move || async move { Redirect::temporary(&target) }))).await;
    let endless = server(Router::new().fallback(get(|| async { (StatusCode::OK, " ".repeat(200_000)) }))).await;
    let report = read(&PriceConfig { coinbase: redirecting, ..world.config() }).await.expect("three are enough");
    assert!(report.sources[0].reason.as_deref().is_some_and(|reason| reason.contains("307")), "{:?}", report.sources[0]);
    let report = read(&PriceConfig { coinbase: endless, ..world.config() }).await.expect("three are enough");
    assert!(report.sources[0].reason.as_deref().is_some_and(|reason| reason.contains("more than 65536 bytes")), "{:?}", report.sources[0]);
}

#[test]
fn an_address_without_tls_is_refused() {
    let mut config = PriceConfig::live(&[]);
    assert!(PriceSources::new(&config).is_ok());
    config.kraken = "http://api.kraken.com".into();
    assert!(PriceSources::new(&config).is_err());
}

#[tokio::test]
async fn the_reserve_is_asked_only_where_one_of_the_four_is_not_used() {
    let world = World::start().await;
    let config = || PriceConfig { gemini: Some(world.venues.url(Venue::Gemini)), ..world.config() };
    let whole = read(&config()).await.expect("a price");
    assert_eq!((whole.sources[4].verdict, whole.sources[4].price), (Verdict::Reserve, None), "not even asked");
    world.venues.set_fault(Venue::Kraken, Some(VenueFault::ServerError));
    world.venues.set_fault(Venue::Bitstamp, Some(VenueFault::Garbage));
    let report = read(&config()).await.expect("the reserve is the third");
    assert_eq!(verdicts(&report.sources), [Verdict::Used, Verdict::Silent, Verdict::Silent, Verdict::Used, Verdict::Used]);
    world.venues.set_fault(Venue::Gemini, Some(VenueFault::OffBy("25".parse().expect("a number"))));
    let refused = read(&config()).await.map(|report| report.usd_per_eth.to_string());
    assert!(refused.as_ref().is_ok_and(|price| price.starts_with("1950.")), "{refused:?}");
}

#[tokio::test]
async fn a_jump_is_asked_for_twice_before_it_is_believed() {
    let world = World::start().await;
    // Without the feed, which follows only the chain.
    let config = PriceConfig { chainlink: vec![], ..world.config() };
    let sources = PriceSources::new(&config).expect("good addresses");
    let ask = async || sources.read(DateTime::<Utc>::from(SystemTime::now())).await;
    assert!(ask().await.is_ok());
    world.venues.set_price("2200".parse().expect("a price"));
    let began = Instant::now();
    assert_eq!(ask().await.expect("believed").usd_per_eth.to_string(), "2200");
    assert!(began.elapsed() >= Duration::from_secs(1), "asked twice");

    world.venues.set_price("3000".parse().expect("a price"));
    let (unsteady, ()) = futures::future::join(ask(), async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        world.venues.set_price("4000".parse().expect("a price"));
    })
    .await;
    assert!(matches!(&unsteady, Err(PriceError::Unsteady { before, .. }) if before.to_string() == "2200"), "{unsteady:?}");
    assert_eq!(unsteady.expect_err("refused").readings().len(), 3);
}

#[tokio::test]
async fn one_lying_node_silences_no_feed_and_two_do() {
    let world = World::start().await;
    let mut proxies = Vec::new();
    for _ in 0..3 {
        proxies.push(FaultProxy::start(&world.chain.url()).await.expect("a proxy"));
    }
    let config = PriceConfig { chainlink: proxies.iter().map(FaultProxy::url).collect(), ..world.config() };
    let lie = |usd: u128| Fault::Override([("eth_call".to_string(), json!(format!("0x{usd:064x}")))].into());
    proxies[0].set(lie(1)).await;
    assert_eq!(read(&config).await.expect("a price").sources[3].verdict, Verdict::Used);
    proxies[1].set(lie(2)).await;
    assert_eq!(read(&config).await.expect("a price").sources[3].verdict, Verdict::Silent);
}

#[tokio::test]
async fn a_late_payment_has_the_price_of_its_block() {
    let chain = Chain::start(ChainOptions { block_seconds: None, ..ChainOptions::default() }).await.expect("the chain starts");
    let nodes = Nodes::new(&[chain.url()]).expect("a node");
    chain.set_feed_price("1900".parse().expect("a price")).await.expect("set");
    chain.mine(1).await.expect("mined");
    let then = nodes.block_number().await.expect("a height");
    chain.mine(1).await.expect("mined");
    chain.set_feed_price("2500".parse().expect("a price")).await.expect("set");
    chain.mine(1).await.expect("mined");
    let now = nodes.block_number().await.expect("a height");
    let price = nodes.feed_price_at(then).await.expect("a price");
    assert_eq!((price.usd_per_eth.to_string().as_str(), price.block_number), ("1900", then));
    assert_eq!(nodes.feed_price_at(now).await.expect("a price").usd_per_eth.to_string(), "2500");
    assert!(nodes.feed_price_at(now + 1_000).await.is_err(), "a block that is not there");
    chain.set_feed_age(1_801).await.expect("aged");
    chain.mine(1).await.expect("mined");
    let stale = nodes.feed_price_at(now + 1).await;
    assert!(matches!(stale, Err(FeedError::Stale { age_seconds }) if age_seconds > 1_800), "{stale:?}");
    chain.set_code(FEED, "0x").await.expect("gone");
    chain.mine(1).await.expect("mined");
    assert_eq!(nodes.feed_price_at(now + 2).await, Err(FeedError::Absent));
}
