//! The exact price of a usage from a peer's own rates, and how often the peer misses it.

use crate::{
    Exactness,
    workload::{Counts, Random},
};
use bigdecimal::{BigDecimal, ToPrimitive, Zero};
use std::str::FromStr;

/// What a peer charges per million tokens, as the shortest decimals that its floats stand for.
#[derive(Debug, Clone)]
pub struct Rates {
    pub input: BigDecimal,
    pub cached: BigDecimal,
    pub output: BigDecimal,
}

impl Rates {
    pub fn of_floats(input: f64, cached: f64, output: f64) -> Self {
        Self { input: shortest(input), cached: shortest(cached), output: shortest(output) }
    }

    fn price(&self, counts: Counts) -> BigDecimal {
        let millionths = &self.input * counts.uncached() + &self.cached * counts.cached + &self.output * counts.output;
        millionths * BigDecimal::new(1.into(), 6)
    }
}

/// The shortest decimal that reads back as this float: what is printed, and what the author of a rate wrote.
pub fn shortest(float: f64) -> BigDecimal {
    BigDecimal::from_str(&float.to_string()).expect("Rust prints a finite float as a plain decimal")
}

/// Compares printed totals of `count` random usages with the exact price.
pub fn compare<T>(models: &[(T, Rates)], count: u32, mut total: impl FnMut(&T, Counts) -> f64) -> Exactness {
    let mut random = Random::seeded();
    let (mut missed, mut worst) = (0, 0.0f64);
    for n in 0..count as usize {
        let (model, rates) = &models[n % models.len()];
        let counts = random.counts();
        let (exact, got) = (rates.price(counts), shortest(total(model, counts)));
        if got != exact {
            missed += 1;
            worst = worst.max(deviation(&got, &exact));
        }
    }
    Exactness { names: models.len(), checked: u64::from(count), missed, worst }
}

fn deviation(got: &BigDecimal, exact: &BigDecimal) -> f64 {
    if exact.is_zero() { 1.0 } else { ((got - exact).abs() / exact).to_f64().unwrap_or(f64::INFINITY) }
}
