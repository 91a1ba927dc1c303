//! The engine's own benches, with how often each asks the heap: `cargo bench -p aispace-pricing`. Beside its peers: `make bench`.

mod made_up;

use aispace_pricing::{Bill, Meter, ModelRef, RateCard, Usage};
use divan::{AllocProfiler, Bencher, black_box, counter::ItemsCount};

#[global_allocator]
static HEAP: AllocProfiler = AllocProfiler::system();

const MODELS: usize = 4_000;

fn main() {
    divan::main();
}

fn card(models: usize) -> RateCard {
    RateCard::from_json(&made_up::card(models, &[])).expect("a good card")
}

fn usage() -> Usage {
    Usage::new().with(Meter::InputTokens, 600).with(Meter::CacheReadTokens, 400).with(Meter::OutputTokens, 200)
}

/// The exact total and every line's amount, for each model of the card once.
#[divan::bench]
fn bills_of_found_models(bencher: Bencher) {
    let card = card(MODELS);
    let models: Vec<ModelRef> = card.models().iter().filter_map(|model| card.find(&model.id)).collect();
    let (usage, mut bill) = (usage(), Bill::new());
    bencher.counter(ItemsCount::new(models.len())).bench_local(|| {
        for model in &models {
            card.bill(*model, black_box(&usage), &mut bill).expect("a price");
            black_box(&mut bill);
        }
    });
}

/// The same by name.
#[divan::bench]
fn bills_by_name(bencher: Bencher) {
    let card = card(MODELS);
    let names: Vec<&str> = card.models().iter().map(|model| model.id.as_str()).collect();
    let (usage, mut bill) = (usage(), Bill::new());
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        for name in &names {
            let model = card.find(name).expect("a name of the card");
            card.bill(model, black_box(&usage), &mut bill).expect("a price");
            black_box(&mut bill);
        }
    });
}

/// A card's text to a card that quotes.
#[divan::bench(args = [400, 4_000, 40_000], sample_count = 20)]
fn load(bencher: Bencher, models: usize) {
    let text = made_up::card(models, &[]);
    bencher.counter(ItemsCount::new(models)).bench_local(|| RateCard::from_json(black_box(&text)).expect("a good card"));
}

/// The cards that are built in.
#[divan::bench]
fn load_built_in() -> Vec<RateCard> {
    RateCard::built_in().expect("good cards")
}
