//! What was measured.

use crate::contenders::Contender;
use bench_common::{Exactness, Speed, Workload};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Least, middle and greatest of several measurements.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Range {
    pub fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let middle = all.len() / 2;
        let median = if all.len().is_multiple_of(2) { (all[middle - 1] + all[middle]) / 2.0 } else { all[middle] };
        Self { least: all[0], median, most: all[all.len() - 1] }
    }
}

/// One load of a card in a process of its own.
#[derive(Debug, Deserialize)]
pub struct OneLoad {
    pub milliseconds: f64,
    /// The peak of resident memory before the card's text was read, with the text, and after the load.
    pub peak_kib_before: u64,
    pub peak_kib_text: u64,
    pub peak_kib_after: u64,
}

/// Loads of a card.
pub struct Load {
    pub milliseconds: Range,
    pub peak_kib_before: u64,
    pub peak_kib_text: u64,
    pub peak_kib_after: u64,
}

impl Load {
    pub fn of(all: &[OneLoad]) -> Self {
        let most = |peak: fn(&OneLoad) -> u64| all.iter().map(peak).max().unwrap_or_default();
        Self {
            milliseconds: Range::of(all.iter().map(|load| load.milliseconds).collect()),
            peak_kib_before: most(|load| load.peak_kib_before),
            peak_kib_text: most(|load| load.peak_kib_text),
            peak_kib_after: most(|load| load.peak_kib_after),
        }
    }
}

/// How often the heap was asked while quoting.
#[derive(Debug, Default, Deserialize)]
pub struct Allocations {
    pub quotes: u64,
    pub allocations: u64,
    pub reallocations: u64,
}

/// Everything.
#[derive(Default)]
pub struct Results {
    pub load_before: String,
    pub present: Vec<Contender>,
    pub absent: Vec<Contender>,
    pub exactness: BTreeMap<&'static str, Exactness>,
    pub starts: Vec<(String, Range)>,
    pub loads: Vec<(usize, u64, Load)>,
    pub allocations: Allocations,
    speeds: BTreeMap<(&'static str, Workload), Vec<Speed>>,
}

impl Results {
    pub fn add(&mut self, name: &'static str, speed: Speed) {
        self.speeds.entry((name, speed.workload)).or_default().push(speed);
    }

    /// The contenders that were measured with a workload, fastest first, with the number of names.
    pub fn ranking(&self, workload: Workload) -> Vec<(&'static str, usize, Range)> {
        let of_workload = self.speeds.iter().filter(|((_, of), _)| *of == workload);
        let mut rows: Vec<_> = of_workload.map(|((name, _), all)| (*name, all[0].names, Range::of(per_second(all)))).collect();
        rows.sort_by(|a, b| b.2.median.total_cmp(&a.2.median));
        rows
    }

    /// How many times as fast `a` is as `b`, round by round.
    pub fn ratio(&self, workload: Workload, a: &'static str, b: &'static str) -> Option<Range> {
        let [a, b] = [a, b].map(|name| self.speeds.get(&(name, workload)).map(|all| per_second(all)));
        Some(Range::of(a?.into_iter().zip(b?).map(|(a, b)| a / b).collect()))
    }
}

fn per_second(all: &[Speed]) -> Vec<f64> {
    all.iter().map(|speed| speed.quotes as f64 / speed.cpu_seconds).collect()
}
