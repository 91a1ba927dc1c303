//! How long it takes from an amount to a reviewed, simulated transaction, through three nodes that are 50 ms away each, and how
//! long one price does. Prints one line per question; `make bench-payments` runs it.

use aispace_payments::{
    EthAddress, OsEntropy,
    chain::Nodes,
    price::{PriceConfig, PriceSources},
    signer::SpendingKey,
    tag::OrderTag,
    transfer,
};
use aispace_testkit::{
    chain::{Chain, ChainOptions},
    fault::{Fault, FaultProxy},
    venues::{Venue, Venues},
};
use aispace_units::Wei;
use std::{
    io::Write as _,
    time::{Duration, Instant, SystemTime},
};

const AWAY: Duration = Duration::from_millis(50);
const RUNS: usize = 20;
const ETHER: u128 = 1_000_000_000_000_000_000;

#[tokio::main]
async fn main() {
    let chain = Chain::start(ChainOptions::default()).await.expect("the chain starts: run `make setup`");
    let mut proxies = Vec::new();
    for _ in 0..3 {
        let proxy = FaultProxy::start(&chain.url()).await.expect("a port");
        proxy.set(Fault::Slow(AWAY)).await;
        proxies.push(proxy);
    }
    let urls: Vec<String> = proxies.iter().map(FaultProxy::url).collect();
    let payer = SpendingKey::generate(&mut OsEntropy).expect("a key").address();
    chain.set_balance(&payer.to_string(), ETHER).await.expect("funded");

    let warm = Nodes::new(&urls).expect("nodes");
    prepared(&warm, payer).await;
    report("prepared, nodes known already", times(async || prepared(&warm, payer).await).await);
    report("prepared, nodes never asked before", times(async || prepared(&Nodes::new(&urls).expect("nodes"), payer).await).await);
    proxies[2].set(Fault::Hang).await;
    let hanging = Nodes::new(&urls).expect("nodes");
    report("prepared, one node of three silent", times(async || prepared(&hanging, payer).await).await);
    proxies[2].set(Fault::Slow(AWAY)).await;

    let venues = venues(&chain, &urls).await;
    report("a price of four sources", times(async || price(&venues.1).await).await);
    let both = async || {
        price(&venues.1).await;
        prepared(&warm, payer).await;
    };
    report("a price, then prepared", times(both).await);
}

async fn prepared(nodes: &Nodes, payer: EthAddress) {
    transfer::prepare(nodes, payer, Wei::new(5_127_574_042_169_169), OrderTag::from_bytes([0xab; 32])).await.expect("prepared");
}

async fn price(sources: &PriceSources) {
    sources.read(SystemTime::now().into()).await.expect("a price");
}

/// The venues, each behind a proxy 50 ms away. Dropped, they end.
async fn venues(chain: &Chain, nodes: &[String]) -> ((Venues, Vec<FaultProxy>), PriceSources) {
    let venues = Venues::start(&chain.url()).await.expect("the venues start");
    let mut proxies = Vec::new();
    let mut urls = Vec::new();
    for (venue, path) in [(Venue::Coinbase, "coinbase"), (Venue::Kraken, "kraken"), (Venue::Bitstamp, "bitstamp")] {
        let proxy = FaultProxy::start(&venues.url(venue)).await.expect("a port");
        proxy.set(Fault::Slow(AWAY)).await;
        urls.push(format!("{}/{path}", proxy.url()));
        proxies.push(proxy);
    }
    let [coinbase, kraken, bitstamp] = <[String; 3]>::try_from(urls).expect("three");
    let config = PriceConfig { coinbase, kraken, bitstamp, gemini: None, ..PriceConfig::live(nodes) };
    let sources = PriceSources::new(&config).expect("good addresses");
    ((venues, proxies), sources)
}

async fn times(mut run: impl AsyncFnMut()) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        run().await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
}

fn report(what: &str, times: Vec<Duration>) {
    let (median, most) = (times[times.len() / 2].as_millis(), times[times.len() - 1].as_millis());
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{what:<38} median {median:>4} ms, longest of {RUNS} {most:>4} ms");
}
