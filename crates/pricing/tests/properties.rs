//! What holds for every run of the card.
#![allow(missing_docs)]

use aispace_pricing::{LineRole, Parameters, Quote, RateCard, Run, quote};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::sync::LazyLock;

static CARD: LazyLock<RateCard> = LazyLock::new(|| RateCard::aispace().expect("well formed"));

fn priced(model_id: &str, parameters: &Parameters, runs: u32) -> Option<Quote> {
    quote(&CARD, &Run { model_id: model_id.to_owned(), parameters: parameters.clone(), runs }).ok()
}

/// Counts of the run's kind, or a clip of the model's own.
fn parameters(base: &Parameters, counts: [u64; 4]) -> Parameters {
    let [a, b, c, d] = counts;
    match base {
        Parameters::Chat { .. } => Parameters::Chat { input_tokens: a, output_tokens: b, web_searches: c % 4, web_scrapes: d % 4 },
        Parameters::Image { .. } => Parameters::Image { images: a },
        Parameters::Audio { .. } => Parameters::Audio { characters: a },
        Parameters::Embedding { .. } => Parameters::Embedding { input_tokens: a },
        Parameters::Search { .. } => Parameters::Search { calls: a },
        Parameters::Video { .. } => base.clone(),
    }
}

proptest! {
    #[test]
    fn the_total_is_the_sum_of_its_charges_times_the_runs(at in 0usize..56, counts: [u32; 4], runs in 1u32..=10_000) {
        let model = &CARD.models()[at];
        let run = parameters(model.base(), counts.map(|c| u64::from(c) % 1_000_000_001));
        let quoted = priced(model.id(), &run, runs).expect("in range");
        let charges: Decimal = quoted.lines.iter().filter(|l| l.role == LineRole::Charge).map(|l| l.amount).sum();
        prop_assert_eq!(quoted.total.credits(), charges * Decimal::from(runs));
        let last = quoted.lines.iter().find(|l| l.role == LineRole::Runs).map(|l| l.amount);
        prop_assert_eq!(last, (runs > 1).then_some(quoted.total.credits()));
        prop_assert_eq!(quoted.usd.get() * Decimal::from(10_000), quoted.total.credits());
    }

    #[test]
    fn runs_are_linear(at in 0usize..56, counts: [u16; 4], runs in 1u32..=9_999) {
        let model = &CARD.models()[at];
        let run = parameters(model.base(), counts.map(u64::from));
        let total = |n| priced(model.id(), &run, n).expect("in range").total.credits();
        prop_assert_eq!(total(runs + 1), total(runs) + total(1));
    }

    #[test]
    fn no_count_is_cheaper_than_a_smaller_one(at in 0usize..56, counts: [u32; 4], which in 0usize..4, more in 1u64..100_000) {
        let model = &CARD.models()[at];
        let less = counts.map(|c| u64::from(c) % 1_000_000);
        let mut greater = less;
        greater[which] += more;
        let smaller = parameters(model.base(), less);
        let larger = match (parameters(model.base(), greater), &smaller) {
            // Searches and scrapes wrap above 3, so they are raised here.
            (Parameters::Chat { input_tokens, output_tokens, .. }, Parameters::Chat { web_searches, web_scrapes, .. }) => {
                Parameters::Chat { input_tokens, output_tokens, web_searches: web_searches + more, web_scrapes: *web_scrapes }
            }
            (other, _) => other,
        };
        let total = |p: &Parameters| priced(model.id(), p, 1).expect("in range").total.credits();
        prop_assert!(total(&larger) >= total(&smaller));
    }

    #[test]
    fn tokens_match_integer_arithmetic(at in 0usize..15, input in 0u64..=1_000_000_000, output in 0u64..=1_000_000_000) {
        let model = &CARD.models()[at];
        let rate = |i: usize| i128::try_from(model.rates()[i].amount.get()).expect("whole credits per 1M");
        let parameters = Parameters::Chat { input_tokens: input, output_tokens: output, web_searches: 0, web_scrapes: 0 };
        let millionths = i128::from(input) * rate(0) + i128::from(output) * rate(1);
        let quoted = priced(model.id(), &parameters, 1).expect("in range");
        prop_assert_eq!(quoted.total.credits(), Decimal::from_i128_with_scale(millionths, 6).normalize());
        prop_assert_eq!(quoted.posted().expect("in range").to_decimal(), quoted.total.credits(), "nothing is left to round");
    }

    #[test]
    fn a_longer_clip_is_never_cheaper(at in 0usize..56) {
        let model = &CARD.models()[at];
        let Some(rules) = model.video() else { return Ok(()) };
        for resolution in rules.resolutions.iter().cloned().map(Some).chain([None]) {
            for audio in [None, Some(true), Some(false)] {
                let clip = |seconds| Parameters::Video { seconds, resolution: resolution.clone(), audio };
                let prices: Vec<Decimal> =
                    rules.seconds.iter().filter_map(|s| priced(model.id(), &clip(*s), 1)).map(|q| q.total.credits()).collect();
                prop_assert!(prices.is_sorted(), "{} {prices:?}", model.id());
            }
        }
    }
}
