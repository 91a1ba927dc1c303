//! What every contender in Rust shares: the workload, the clock, the exact price. `node/contender.mjs` and `python/contender.py` do the same.

pub mod exact;
pub mod workload;

use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use workload::Counts;

/// The name that the workload of a single model asks for; every peer knows it, but llm-cost-cap.
pub const ONE_MODEL: &str = "gpt-4o";

/// One measurement of one contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Speed {
    pub workload: Workload,
    /// How many model names were cycled over.
    pub names: usize,
    pub quotes: u64,
    pub cpu_seconds: f64,
}

/// What was quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// By name, every name of the common list that the contender knows.
    NamesCommon,
    /// By name, always the same one.
    NameOne,
    /// By name, every name of a card of thousands.
    NamesAll,
    /// The models of the common list, found beforehand.
    ModelsCommon,
    /// One model, found beforehand.
    ModelOne,
    /// Every model of a card of thousands, found beforehand.
    ModelsAll,
}

/// How often a contender's total was not the exact price.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exactness {
    pub names: usize,
    pub checked: u64,
    pub missed: u64,
    /// The largest deviation, as a fraction of the exact price: a wrong formula would show here.
    pub worst: f64,
}

/// Quotes the items in turn for `seconds` of process CPU time, after a fifth as long that does not count.
pub fn measure<T>(workload: Workload, items: &[T], seconds: f64, mut quote: impl FnMut(&T, Counts)) -> Speed {
    run(workload, items, seconds / 5.0, &mut quote);
    run(workload, items, seconds, &mut quote)
}

fn run<T>(workload: Workload, items: &[T], seconds: f64, quote: &mut impl FnMut(&T, Counts)) -> Speed {
    let began = ProcessTime::now();
    let wanted = Duration::from_secs_f64(seconds);
    let (mut quotes, mut turn, mut batch) = (0u64, 0usize, 1u64);
    loop {
        for n in quotes..quotes + batch {
            quote(&items[turn], Counts::nth(n));
            turn = if turn + 1 == items.len() { 0 } else { turn + 1 };
        }
        quotes += batch;
        let used = began.elapsed();
        if used >= wanted {
            return Speed { workload, names: items.len(), quotes, cpu_seconds: used.as_secs_f64() };
        }
        // The clock is read about every thousandth of the time, so that reading it does not count.
        if used < wanted / 1000 {
            batch *= 2;
        }
    }
}

/// What the runner asks a contender for.
pub enum Request {
    Speed { seconds: f64 },
    Exact { count: u32 },
    First,
}

/// The request of the command line.
pub fn request() -> Request {
    request_of(&std::env::args().skip(1).collect::<Vec<String>>())
}

/// Reads `speed SECONDS`, `exact COUNT` or `first`.
pub fn request_of(words: &[String]) -> Request {
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["speed", seconds] => Request::Speed { seconds: seconds.parse().expect("seconds") },
        ["exact", count] => Request::Exact { count: count.parse().expect("a count") },
        ["first"] => Request::First,
        _ => panic!("{words:?} is not speed SECONDS, exact COUNT or first"),
    }
}

/// Prints an answer as one line of JSON.
pub fn answer(value: &impl Serialize) {
    println!("{}", serde_json::to_string(value).expect("plain data"));
}
