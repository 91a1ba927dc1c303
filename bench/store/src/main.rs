//! What a durable posting costs. usage: bench-store sqlite|read|postgres [SECONDS]

mod bare;
mod figures;
mod fsync;
mod postgres;
mod read;
mod service;

use figures::{Run, head, line, quantile};
use std::env;
use std::time::Duration;

const ROUNDS: usize = 5;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let seconds = words.get(1).map_or(2.0, |word| word.parse().expect("seconds"));
    let span = Duration::from_secs_f64(seconds);
    match words.first().map(String::as_str) {
        Some("sqlite") => sqlite(span).await,
        Some("read") => read::run(span).await,
        Some("postgres") => postgres::run(span).await,
        _ => panic!("{words:?} is not sqlite, read or postgres, and seconds"),
    }
}

/// One caller and many, beside a bare loop, in turn.
async fn sqlite(span: Duration) {
    let place = tempfile::tempdir().expect("a folder");
    let (own, other) = (place.path().join("service.db"), place.path().join("bare.db"));
    service::Callers::open(&other).await.close().await;
    let callers = service::Callers::open(&own).await;
    let mut bare = bare::Bare::open(&other);
    let (mut loops, mut one, mut many) = (Run::default(), Run::default(), Run::default());
    for round in 0..=ROUNDS {
        let (a, b, c) = (bare.run(span), callers.run(1, span).await, callers.run(64, span).await);
        // The first only warms.
        if round > 0 {
            loops.add(a);
            one.add(b);
            many.add(c);
        }
    }
    callers.close().await;
    head();
    line("bare loop", &loops);
    line("one caller", &one);
    line("64 callers", &many);
    println!();
    println!("| ratio | figure |\n|---|---:|");
    println!("| one caller to bare loop | {:.2} |", one.rate() / loops.rate());
    println!("| 64 callers to one | {:.2} |", many.rate() / one.rate());
    println!("| one caller's p99 to that of its fsyncs | {:.2} |", quantile(&one.latencies, 0.99) / quantile(&one.fsyncs, 0.99));
    println!("| 64 callers' p99 to that of their fsyncs | {:.2} |", quantile(&many.latencies, 0.99) / quantile(&many.fsyncs, 0.99));
    println!("| one caller's fsyncs for each debit | {:.3} |", one.fsyncs.len() as f64 / one.latencies.len() as f64);
    println!("| debits for each fsync, 64 callers | {:.1} |", many.latencies.len() as f64 / many.fsyncs.len() as f64);
}
