//! The card that this engine is measured on, and the quote that is measured.

use aispace_pricing::{Bill, Meter, ModelRef, RateCard, Usage};
use bench_common::workload::{Counts, names, shuffled};
use std::hint::black_box;

#[path = "../../../crates/pricing/benches/made_up/mod.rs"]
mod made_up;

/// The text of a card of made-up prices: the common list's names, then made-up ones.
pub fn card_text(models: usize) -> String {
    let common: Vec<&str> = names().iter().map(|name| name.model).collect();
    made_up::card(models, &common)
}

/// Every name of a card, in a mixed order and one after the other in memory, as a stream of requests has them. Never freed.
pub fn all_names(card: &RateCard) -> Vec<&'static str> {
    let mixed = shuffled(card.models().iter().map(|model| model.id.as_str()).collect());
    let stream: &'static str = mixed.join("\n").leak();
    stream.lines().collect()
}

/// A card with the usage and the bill that every quote uses again.
pub struct Desk<'a> {
    card: &'a RateCard,
    usage: Usage,
    bill: Bill,
}

impl<'a> Desk<'a> {
    pub fn new(card: &'a RateCard) -> Self {
        Self { card, usage: Usage::new(), bill: Bill::new() }
    }

    /// The exact total and every line's amount, of a model by name.
    #[inline(always)]
    pub fn by_name(&mut self, name: &str, counts: Counts) {
        let model = self.card.find(name).expect("a name of the card");
        self.of_model(model, counts);
    }

    /// The same of a model that was found beforehand.
    #[inline(always)]
    pub fn of_model(&mut self, model: ModelRef, counts: Counts) {
        self.usage.set(Meter::InputTokens, counts.uncached());
        self.usage.set(Meter::CacheReadTokens, counts.cached);
        self.usage.set(Meter::OutputTokens, counts.output);
        self.card.bill(model, &self.usage, &mut self.bill).expect("a price");
        black_box(&mut self.bill);
    }

    /// The last quote.
    pub fn bill(&self) -> &Bill {
        &self.bill
    }
}
