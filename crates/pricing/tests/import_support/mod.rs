//! What the tests of the importers share. Each uses a part of it.
#![allow(dead_code)]

use aispace_pricing::{Feed, Import, ImportError, ImportTerms, Meter, Price, Rate, RateCard, Run, Terms, Usage, import, total};

pub const VENICE: &str = include_str!("../fixtures/venice_models.json");
pub const VENICE_MORE: &str = include_str!("../fixtures/venice_models_more.json");
pub const NEW_API: &str = include_str!("../fixtures/newapi_pricing.json");
pub const NEW_API_MORE: &str = include_str!("../fixtures/newapi_pricing_more.json");
pub const OPEN_ROUTER: &str = include_str!("../fixtures/openrouter_models.json");
pub const LITE_LLM: &str = include_str!("../fixtures/litellm_prices.json");

/// Every sample of every feed.
pub const SAMPLES: [(Feed, &str); 6] = [
    (Feed::VeniceModels, VENICE),
    (Feed::VeniceModels, VENICE_MORE),
    (Feed::NewApi, NEW_API),
    (Feed::NewApi, NEW_API_MORE),
    (Feed::OpenRouter, OPEN_ROUTER),
    (Feed::LiteLlm, LITE_LLM),
];

pub fn terms() -> ImportTerms {
    ImportTerms::new("test", "Test", "2026-10-01".parse().expect("a day"))
}

pub fn read(feed: Feed, text: &str) -> Import {
    import(feed, text.as_bytes(), &terms()).expect("a feed")
}

pub fn refused(feed: Feed, text: &str) -> ImportError {
    import(feed, text.as_bytes(), &terms()).expect_err("no feed")
}

/// The rates of a model, a line each: `input_tokens 2.5 per 1M {"prompt_tokens":{"over":200000}}`.
pub fn rates(card: &RateCard, id: &str) -> Vec<String> {
    card.model(id).expect(id).rates.iter().map(line).collect()
}

fn line(rate: &Rate) -> String {
    let mut line = match rate.price {
        Price::Amount { amount, per, .. } => format!("{} {amount} per {per}", rate.meter),
        Price::Times { times, of } => format!("{} {times} × {of}", rate.meter),
    };
    if rate.included > 0 {
        line.push_str(&format!(" but {}", rate.included));
    }
    if let Some(when) = &rate.when {
        line.push_str(&format!(" {}", serde_json::to_string(when).expect("writes")));
    }
    line
}

/// What the first entry of an id in the list of skipped ones says.
pub fn reason(import: &Import, id: &str) -> String {
    let skipped = import.skipped.iter().find(|s| s.model_id == id);
    skipped.unwrap_or_else(|| panic!("{id} is not skipped")).reason.to_string()
}

/// Every `(id, reason)` in order of the feed.
pub fn reasons(import: &Import) -> Vec<(String, String)> {
    import.skipped.iter().map(|s| (s.model_id.clone(), s.reason.to_string())).collect()
}

pub fn usage<const N: usize>(counts: [(Meter, u64); N]) -> Usage {
    counts.into_iter().collect()
}

/// The exact cost of a run on a Wednesday noon, or why it has none.
pub fn cost(card: &RateCard, id: &str, usage: Usage) -> String {
    cost_of(card, &Run::new(id, usage))
}

pub fn cost_of(card: &RateCard, run: &Run) -> String {
    cost_at(card, run, "2026-10-07T12:00:00Z")
}

pub fn cost_at(card: &RateCard, run: &Run, instant: &str) -> String {
    let terms = Terms::at(instant.parse().expect("an instant"));
    total(card, run, &terms).map_or_else(|error| error.to_string(), |total| total.to_string())
}
