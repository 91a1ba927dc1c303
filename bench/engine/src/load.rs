//! A card's load, once in a process: how long it takes and how much memory.

use aispace_pricing::RateCard;
use serde::Serialize;
use std::{fs, hint::black_box, time::Instant};

/// What one load came to.
#[derive(Serialize)]
pub struct Load {
    milliseconds: f64,
    peak_kib_before: u64,
    peak_kib_text: u64,
    peak_kib_after: u64,
}

/// Reads the card's text, then the card from it; only the latter is timed.
pub fn once(file: &str) -> Load {
    let peak_kib_before = peak_kib();
    let text = fs::read_to_string(file).expect("a card");
    let peak_kib_text = peak_kib();
    let began = Instant::now();
    let card = RateCard::from_json(&text).expect("a good card");
    let milliseconds = began.elapsed().as_secs_f64() * 1e3;
    black_box(card.models().len());
    Load { milliseconds, peak_kib_before, peak_kib_text, peak_kib_after: peak_kib() }
}

/// The most memory that was resident so far; 0 where the system does not tell.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kib| kib.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
