//! The venues' half, and the feed's.

use crate::PlainPort;
use aispace_payments::price::{PriceConfig, PriceError, PriceReport, PriceSources, Source, Verdict};
use aispace_testkit::{
    chain::{Chain, ChainOptions},
    fault::{Fault, FaultProxy},
    venues::{Venue, VenueFault, Venues},
};
use futures::future::join_all;
use std::{
    io::Write as _,
    time::{Duration, SystemTime},
};

const DEADLINE: Duration = Duration::from_secs(4);
const VENUES: [Venue; 4] = [Venue::Coinbase, Venue::Kraken, Venue::Bitstamp, Venue::Gemini];

/// What is wrong with a source.
#[derive(Debug, Clone)]
enum Wrong {
    /// On the way to it.
    Way(Fault),
    Tls,
    /// With itself.
    Venue(VenueFault),
}

type Said = Result<PriceReport, PriceError>;

/// Several sources that fail at once.
struct Case {
    bad: Vec<Venue>,
    /// Nodes of three that the feed is read through.
    bad_nodes: usize,
}

struct World {
    chain: Chain,
    venues: Venues,
    plain: PlainPort,
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_sources_never_make_a_wrong_price() {
    let world = World::start().await;
    let (mut cells, mut wrong_cells) = (0, Vec::new());
    for wrong in wrongs() {
        // The feed's age counts from the newest block, which has to be of now.
        world.chain.mine(1).await.expect("mined");
        for (case, said) in world.read_all(&wrong, cases()).await {
            cells += 1;
            if let Err(complaint) = judged(&wrong, &case, &said) {
                wrong_cells.push(format!("{:?} and {} nodes × {wrong:?}: {complaint}", case.bad, case.bad_nodes));
            }
        }
    }
    let _ = writeln!(std::io::stdout().lock(), "{cells} cells: {} faults × {} choices of bad sources", wrongs().len(), cases().len());
    assert_eq!(wrong_cells, Vec::<String>::new());
}

fn wrongs() -> Vec<Wrong> {
    let off = |percent: &str| VenueFault::OffBy(percent.parse().expect("a number"));
    vec![
        Wrong::Way(Fault::Hang),
        Wrong::Way(Fault::Refuse),
        Wrong::Way(Fault::Status(500)),
        Wrong::Way(Fault::Status(429)),
        Wrong::Way(Fault::Cut),
        Wrong::Way(Fault::Garble),
        Wrong::Way(Fault::Drip(Duration::from_millis(60))),
        Wrong::Tls,
        Wrong::Venue(VenueFault::Garbage),
        Wrong::Venue(VenueFault::Stale(300)),
        Wrong::Venue(off("25")),
        Wrong::Venue(off("-20")),
    ]
}

fn cases() -> Vec<Case> {
    let venues = |bad: &[Venue]| Case { bad: bad.to_vec(), bad_nodes: 0 };
    vec![
        venues(&[]),
        venues(&[Venue::Coinbase]),
        venues(&[Venue::Kraken]),
        venues(&[Venue::Bitstamp]),
        venues(&[Venue::Gemini]),
        Case { bad: vec![], bad_nodes: 1 },
        Case { bad: vec![], bad_nodes: 2 },
        venues(&[Venue::Coinbase, Venue::Kraken]),
        venues(&[Venue::Kraken, Venue::Gemini]),
        Case { bad: vec![Venue::Bitstamp], bad_nodes: 2 },
        Case { bad: vec![Venue::Coinbase, Venue::Gemini], bad_nodes: 2 },
        venues(&[Venue::Coinbase, Venue::Kraken, Venue::Bitstamp]),
    ]
}

/// What is wrong with what was said, if anything.
fn judged(wrong: &Wrong, case: &Case, said: &Said) -> Result<(), String> {
    // Kraken and Gemini tell no time, so an old figure of theirs is not told from a new one, nor does it differ here.
    let harmless = |venue: Venue| matches!((wrong, venue), (Wrong::Venue(VenueFault::Stale(_)), Venue::Kraken | Venue::Gemini));
    let bad: Vec<Venue> = case.bad.iter().copied().filter(|venue| !harmless(*venue)).collect();
    let feed_is_bad = case.bad_nodes == 2 && matches!(wrong, Wrong::Way(_) | Wrong::Tls);
    let good = 5 - bad.len() - usize::from(feed_is_bad);
    match said {
        Ok(report) if good < 2 => return Err(format!("a price of nothing: {report:?}")),
        Ok(report) => {
            let price = report.usd_per_eth.to_string();
            // What the honest say: 1950.05 to 1950.35.
            if !price.starts_with("1950.") {
                return Err(format!("the price {price}"));
            }
        }
        Err(_) if good >= 3 && !matches!(wrong, Wrong::Venue(VenueFault::OffBy(_))) => return Err(format!("no price: {said:?}")),
        // Where most of them lie, no price is the right answer; a price that they made would not be.
        Err(_) if good >= 3 && bad.len() <= 1 => return Err(format!("no price: {said:?}")),
        Err(_) => {}
    }
    let sources = said.as_ref().map_or_else(PriceError::readings, |report| &report.sources);
    for source in sources {
        let is_bad = match source.source {
            Source::Chainlink => feed_is_bad,
            Source::Coinbase => bad.contains(&Venue::Coinbase),
            Source::Kraken => bad.contains(&Venue::Kraken),
            Source::Bitstamp => bad.contains(&Venue::Bitstamp),
            Source::Gemini => bad.contains(&Venue::Gemini),
        };
        let used = source.verdict == Verdict::Used;
        if is_bad && used && said.is_ok() {
            return Err(format!("{source:?} was used"));
        }
        if matches!(source.verdict, Verdict::Silent | Verdict::Stale | Verdict::Outlier) && source.reason.is_none() {
            return Err(format!("{source:?} is without a reason"));
        }
    }
    let whole = !feed_is_bad && bad.iter().all(|venue| *venue == Venue::Gemini);
    let reserve = sources.iter().find(|source| source.source == Source::Gemini).map(|source| source.verdict);
    if whole == (reserve == Some(Verdict::Reserve)) { Ok(()) } else { Err(format!("the reserve is {reserve:?}")) }
}

impl World {
    async fn start() -> Self {
        let chain = Chain::start(ChainOptions { block_seconds: None, ..ChainOptions::default() }).await.expect("the chain starts");
        let venues = Venues::start(&chain.url()).await.expect("the venues start");
        Self { chain, venues, plain: PlainPort::start().await.expect("a port") }
    }

    /// What is wrong on the way is wrong for each case by itself; what is wrong with a venue is so for all that ask it.
    async fn read_all(&self, wrong: &Wrong, cases: Vec<Case>) -> Vec<(Case, Said)> {
        if let Wrong::Way(_) | Wrong::Tls = wrong {
            let mut all = Vec::new();
            let mut cases = cases.into_iter();
            while let Some(first) = cases.next() {
                let some = std::iter::once(first).chain(cases.by_ref().take(3));
                all.extend(join_all(some.map(|case| self.read(wrong, case))).await);
            }
            return all;
        }
        let mut all = Vec::new();
        for case in cases {
            for (at, venue) in VENUES.into_iter().enumerate() {
                self.venues.set_fault(venue, case.bad.contains(&venue).then(|| venue_fault(wrong, at)).flatten());
            }
            all.push(self.read(wrong, case).await);
        }
        for venue in VENUES {
            self.venues.set_fault(venue, None);
        }
        all
    }

    async fn read(&self, wrong: &Wrong, case: Case) -> (Case, Said) {
        let way = async |upstream: &str, bad: bool| {
            let proxy = FaultProxy::start(upstream).await.expect("a proxy");
            if let Wrong::Way(fault) = wrong
                && bad
            {
                proxy.set(fault.clone()).await;
            }
            let url = if matches!(wrong, Wrong::Tls) && bad { self.plain.https() } else { proxy.url() };
            (proxy, url)
        };
        let (mut proxies, mut urls) = (Vec::new(), Vec::new());
        for (venue, path) in VENUES.into_iter().zip(["coinbase", "kraken", "bitstamp", "gemini"]) {
            let (proxy, url) = way(&self.venues.url(venue), case.bad.contains(&venue)).await;
            proxies.push(proxy);
            urls.push(format!("{url}/{path}"));
        }
        let mut nodes = Vec::new();
        for at in 0..3 {
            let (proxy, url) = way(&self.chain.url(), at < case.bad_nodes).await;
            proxies.push(proxy);
            nodes.push(if url.starts_with("https") { format!("{url}/{at}") } else { url });
        }
        let [coinbase, kraken, bitstamp, gemini] = <[String; 4]>::try_from(urls).expect("four");
        let config = PriceConfig { coinbase, kraken, bitstamp, gemini: Some(gemini), chainlink: nodes, deadline: DEADLINE };
        let said = PriceSources::new(&config).expect("good addresses").read(SystemTime::now().into()).await;
        (case, said)
    }
}

/// Those that lie do so each in its own way.
fn venue_fault(wrong: &Wrong, at: usize) -> Option<VenueFault> {
    let Wrong::Venue(fault) = wrong else { return None };
    Some(match fault {
        VenueFault::OffBy(percent) => VenueFault::OffBy(*percent * rust_decimal::Decimal::from(at + 1)),
        other => other.clone(),
    })
}
