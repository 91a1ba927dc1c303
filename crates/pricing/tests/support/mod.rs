//! What the tests of this crate share. Each test uses a part of it.
#![allow(dead_code)]

pub mod draw;
pub mod fuzzed;
pub mod made_up;
pub mod oracle;
pub mod runs;
pub mod small;

use aispace_pricing::{CardFile, RateCard, Run, Terms};
use proptest::{
    prelude::{ProptestConfig, Strategy, any},
    test_runner::RngSeed,
};

/// So many cases, the same ones every time; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` give others.
pub fn cases(cases: u32) -> ProptestConfig {
    let asked = |name: &str| std::env::var(name).ok()?.parse().ok();
    let seed = asked("PROPTEST_RNG_SEED").unwrap_or(20_260_101);
    let cases = asked("PROPTEST_CASES").and_then(|n| u32::try_from(n).ok()).unwrap_or(cases);
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..ProptestConfig::default() }
}

/// A made-up card with runs and terms.
#[derive(Debug)]
pub struct Priced {
    pub card: RateCard,
    pub file: CardFile,
    pub runs: Vec<(Run, Terms)>,
}

/// A made-up card with so many runs.
pub fn priced(words: Words, runs: usize) -> Priced {
    let mut d = draw::Draw::new(words.0);
    let file = made_up::card(&mut d);
    let card = RateCard::new(file.clone()).unwrap_or_else(|error| panic!("{error}: {}", serde_json::to_string(&file).unwrap_or_default()));
    let runs = (0..runs).map(|_| (runs::run(&mut d, &file), runs::terms(&mut d, &file))).collect();
    Priced { card, file, runs }
}

/// What made-up things are drawn from. What was made of it says more than the numbers.
#[derive(Clone)]
pub struct Words(Vec<u64>);

impl Words {
    pub fn numbers(&self) -> Vec<u64> {
        self.0.clone()
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers", self.0.len())
    }
}

/// So many numbers.
pub fn words(count: usize) -> impl Strategy<Value = Words> {
    proptest::collection::vec(any::<u64>(), count).prop_map(Words)
}
