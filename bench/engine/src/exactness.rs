//! This engine's totals and lines against the card's text, priced anew with big decimals and nothing of the engine's.

use aispace_pricing::{Bill, Meter, RateCard, Usage};
use bench_common::{Exactness, workload::Random};
use bigdecimal::{BigDecimal, Zero};
use serde_json::Value;
use std::str::FromStr;

/// Every token meter that the card has rates for.
const METERS: [Meter; 5] =
    [Meter::InputTokens, Meter::CacheReadTokens, Meter::CacheWrite5mTokens, Meter::CacheWrite1hTokens, Meter::OutputTokens];

/// Compares `count` quotes; a line that is not exact counts as a quote that is not.
pub fn compare(card: &RateCard, text: &str, count: u32) -> Exactness {
    let rates: Value = serde_json::from_str(text).expect("JSON");
    let models = rates["models"].as_array().expect("models");
    let (mut random, mut bill, mut missed) = (Random::seeded(), Bill::new(), 0);
    for n in 0..count as usize {
        let model = &models[n * 7_919 % models.len()];
        let usage: Vec<(Meter, u64)> = METERS.into_iter().map(|meter| (meter, random.draw() % 100_000)).collect();
        let counts = usage.iter().fold(Usage::new(), |sum, (meter, tokens)| sum.with(*meter, *tokens));
        let found = card.find(model["id"].as_str().expect("an id")).expect("its own id");
        card.bill(found, &counts, &mut bill).expect("a price");
        missed += u64::from(!is_exact(model, &usage, &bill));
    }
    Exactness { names: models.len(), checked: u64::from(count), missed, worst: 0.0 }
}

fn is_exact(model: &Value, usage: &[(Meter, u64)], bill: &Bill) -> bool {
    let prompt = usage.iter().filter(|(meter, _)| *meter != Meter::OutputTokens).map(|(_, tokens)| tokens).sum();
    let price = |meter: Meter, tokens: u64| per_million(model, meter, prompt) * tokens * BigDecimal::new(1.into(), 6);
    let mut sum = BigDecimal::zero();
    for (meter, tokens) in usage.iter().filter(|(_, tokens)| *tokens > 0) {
        let exact = price(*meter, *tokens);
        let line = bill.lines().find(|line| line.meter == *meter);
        if line.is_none_or(|line| decimal(&line.amount.to_string()) != exact) {
            return false;
        }
        sum += exact;
    }
    decimal(&bill.total().to_string()) == sum
}

/// The last rate of the meter that holds for such a prompt; a part without a rate costs what its whole does.
fn per_million(model: &Value, meter: Meter, prompt: u64) -> BigDecimal {
    let holds = |rate: &&Value| rate["when"]["prompt_tokens"]["over"].as_u64().is_none_or(|over| prompt > over);
    let of_meter = |name: &str| model["rates"].as_array()?.iter().filter(|rate| rate["meter"] == name).rfind(holds);
    let rate = of_meter(meter.as_str()).or_else(|| of_meter("input_tokens")).expect("every model has an input rate");
    decimal(rate["amount"].as_str().expect("an amount"))
}

fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("a plain decimal")
}
