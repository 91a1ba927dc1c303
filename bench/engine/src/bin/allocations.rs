//! How often quoting asks the heap.

use aispace_pricing::RateCard;
use bench_common::{answer, workload::Counts};
use bench_engine::{Desk, all_names, card_text};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let card = RateCard::from_json(&card_text(4_000)).expect("a good card");
    let names = all_names(&card);
    let mut desk = Desk::new(&card);
    let mut quotes = 0u64;
    let region = Region::new(HEAP);
    for round in 0..25 {
        for name in &names {
            desk.by_name(name, Counts::nth(quotes + round));
            desk.of_model(card.find(name).expect("a name of the card"), Counts::nth(quotes));
            quotes += 2;
        }
    }
    let used = region.change();
    answer(&json!({ "quotes": quotes, "allocations": used.allocations, "reallocations": used.reallocations }));
}
