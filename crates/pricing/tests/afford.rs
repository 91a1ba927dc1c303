//! How many whole runs a budget pays for.

mod support;

use aispace_pricing::{
    AffordError, Budget, ConvertError, Currency, Discount, Meter, QuoteError, RateCard, Run, Terms, Usage, afford, mix, total,
};
use aispace_units::{Exact, UnitError};
use proptest::prelude::*;
use std::sync::LazyLock;
use support::{cases, priced, words};

fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn aispace() -> RateCard {
    RateCard::aispace().expect("built in")
}

/// Made up.
fn card(per_usd: &str, price: &str) -> RateCard {
    RateCard::from_json(&format!(
        r#"{{"format": "aispace-rate-card/2", "id": "made-up", "name": "Made up", "date": "2026-01-01",
            "unit": {{"code": "made-up", "name": "made-up credits", "per_usd": "{per_usd}"}}, "posting": {{"rule": "up", "decimals": 0}},
            "models": [{{"id": "m", "name": "M", "kind": "call", "aliases": ["also-m"], "base": {{"usage": {{"calls": 1}}}},
                "rates": [{{"meter": "calls", "amount": "{price}", "unit": "credits", "per": "1"}}]}}]}}"#
    ))
    .expect("a card")
}

fn call() -> Run {
    Run::new("m", Usage::new().with(Meter::Calls, 1))
}

fn images(count: u64) -> Run {
    Run::new("image-generation", Usage::new().with(Meter::Images, count))
}

/// The counts that the printed rates give, whatever is printed beside them.
#[test]
fn ten_thousand_credits_pay_for_what_the_rates_say() {
    let card = aispace();
    for (model, input, output, per_run, count, remainder) in [
        ("qwen3-4b", 500, 200, "0.55", 18_181, "0.45"),
        ("venice-uncensored", 500, 200, "2.8", 3_571, "1.2"),
        ("mistral-31-24b", 500, 200, "6.5", 1_538, "3"),
        ("qwen3-235b", 500, 200, "9.25", 1_081, "0.75"),
        ("qwen3-4b", 1_000, 500, "1.25", 8_000, "0"),
        ("qwen3-4b", 200, 100, "0.25", 40_000, "0"),
    ] {
        let fits = afford(&card, Exact::from(10_000u32), &Run::chat(model, input, output), &Terms::default()).expect(model);
        assert_eq!((fits.per_run, fits.count, fits.remainder), (exact(per_run), count, exact(remainder)), "{model} {input}+{output}");
        assert_eq!(fits.spent.add(fits.remainder), Ok(fits.budget), "{model}");
        assert_eq!((fits.model_id.as_str(), fits.unit.code.as_str()), (model, "aispace"));
    }
}

#[test]
fn a_budget_fits_from_its_last_digit_on() {
    let (card, run) = (aispace(), Run::chat("qwen3-4b", 500, 200));
    for (budget, count, remainder) in
        [("0", 0, "0"), ("0.549999999", 0, "0.549999999"), ("0.55", 1, "0"), ("1.099999999", 1, "0.549999999"), ("1.1", 2, "0")]
    {
        let fits = afford(&card, exact(budget), &run, &Terms::default()).expect(budget);
        assert_eq!((fits.count, fits.remainder), (count, exact(remainder)), "{budget}");
    }
}

#[test]
fn counts_are_of_exact_costs_not_of_posted_ones() {
    // Each would be posted as 1.
    let fits = afford(&card("1", "0.4"), Exact::ONE, &call(), &Terms::default()).expect("fits");
    assert_eq!((fits.count, fits.remainder), (2, exact("0.2")));
}

#[test]
fn a_run_of_several_runs_is_bought_whole() {
    let fits = afford(&card("1", "0.4"), exact("10"), &call().times(3), &Terms::default()).expect("fits");
    assert_eq!((fits.per_run, fits.count, fits.spent, fits.remainder), (exact("1.2"), 8, exact("9.6"), exact("0.4")));
}

#[test]
fn factors_count() {
    let terms = Terms { channel: Discount::Given(exact("0.5")), ..Terms::default() };
    let fits = afford(&card("1", "0.4"), Exact::ONE, &call(), &terms).expect("fits");
    assert_eq!((fits.per_run, fits.count), (exact("0.2"), 5));
}

#[test]
fn a_run_that_costs_nothing_has_no_last_one() {
    let free = card("1", "0");
    let run = Run { model_id: "also-m".into(), ..call() };
    let error = afford(&free, Exact::ONE, &run, &Terms::default()).expect_err("endless");
    assert_eq!(error, AffordError::CostsNothing { model_id: "m".into() });
    assert_eq!(error.to_string(), "a run of m costs nothing, so any number of them fits");
    let priced = card("1", "1");
    let terms = Terms { user: Discount::Given(Exact::ZERO), ..Terms::default() };
    assert!(matches!(afford(&priced, Exact::ONE, &call(), &terms), Err(AffordError::CostsNothing { .. })));
    let nothing = Run::new("m", Usage::new());
    assert!(matches!(afford(&priced, Exact::ONE, &nothing, &Terms::default()), Err(AffordError::CostsNothing { .. })));
}

#[test]
fn a_run_without_a_price_is_not_counted() {
    let error = afford(&aispace(), Exact::ONE, &Run::chat("qwen3-4c", 1, 1), &Terms::default()).expect_err("unknown");
    assert!(matches!(error, AffordError::Quote(QuoteError::UnknownModel { .. })), "{error}");
}

#[test]
fn a_count_that_needs_more_than_38_digits_is_refused() {
    let fine = card("1", "0.00000000000000000000000000000000000001");
    let error = afford(&fine, exact("1000"), &call(), &Terms::default()).expect_err("41 digits");
    assert!(matches!(error, AffordError::NotExact(UnitError::OutOfRange { .. })), "{error}");
    let fits = afford(&fine, Exact::ONE, &call(), &Terms::default()).expect("38 digits");
    assert_eq!(fits.count, 10u128.pow(38));
}

#[test]
fn a_budget_may_be_in_dollars() {
    let (card, run) = (aispace(), Run::chat("qwen3-4b", 500, 200));
    let dollar = afford(&card, Budget::usd(Exact::ONE), &run, &Terms::default()).expect("fits");
    assert_eq!(dollar, afford(&card, exact("10000"), &run, &Terms::default()).expect("fits"));
    assert_eq!((dollar.budget, dollar.count), (exact("10000"), 18_181));
    let tenth = afford(&card, Budget::usd(exact("0.00005")), &run, &Terms::default()).expect("fits");
    assert_eq!((tenth.count, tenth.remainder), (0, exact("0.5")));

    let [_, _, _, cny] = Currency::built_in();
    let yuan = afford(&card, Budget::In(exact("7.3"), cny.clone()), &run, &Terms::default()).expect("is a dollar");
    assert_eq!(yuan.budget, exact("10000"));
    let error = afford(&card, Budget::In(exact("7"), cny), &run, &Terms::default()).expect_err("7/7.3 dollars");
    assert_eq!(error, AffordError::Budget(ConvertError::NotExact { amount: exact("7"), from: "cny".into(), to: "aispace".into() }));
}

#[test]
fn a_mix_buys_its_fixed_part_first() {
    let card = aispace();
    let small = Run::chat("qwen3-4b", 500, 200);
    let bought = mix(&card, exact("10000"), &[images(1).times(50)], &small, &Terms::default()).expect("fits");
    assert_eq!((bought.fixed_total, bought.then.budget), (exact("5000"), exact("5000")));
    assert_eq!((bought.then.count, bought.then.remainder), (9_090, exact("0.5")));
    assert_eq!((bought.fixed[0].model_id.as_str(), bought.fixed[0].runs, bought.fixed[0].total), ("image-generation", 50, exact("5000")));

    let bought =
        mix(&card, exact("10000"), &[images(50), Run::chat("qwen3-235b", 500, 200).times(100)], &small, &Terms::default()).expect("fits");
    assert_eq!((bought.fixed_total, bought.then.count, bought.then.remainder), (exact("5925"), 7_409, exact("0.05")));
    assert_eq!(bought.fixed.iter().map(|p| p.total).collect::<Vec<_>>(), ["5000", "925"].map(exact));
    let nothing_fixed = mix(&card, Budget::usd(Exact::ONE), &[], &small, &Terms::default()).expect("fits");
    assert_eq!((nothing_fixed.fixed_total, nothing_fixed.then.count), (Exact::ZERO, 18_181));
}

#[test]
fn a_fixed_part_that_does_not_fit_says_what_is_missing() {
    let (card, small) = (aispace(), Run::chat("qwen3-4b", 500, 200));
    let exactly = mix(&card, exact("10000"), &[images(100)], &small, &Terms::default()).expect("fits");
    assert_eq!((exactly.then.count, exactly.then.remainder), (0, Exact::ZERO));
    let error = mix(&card, exact("9999.5"), &[images(60), images(40)], &small, &Terms::default()).expect_err("too much");
    let missing = AffordError::Missing { fixed: exact("10000"), budget: exact("9999.5"), missing: exact("0.5"), unit: "aispace".into() };
    assert_eq!(error, missing);
    assert_eq!(error.to_string(), "the fixed part costs 10000 aispace, 0.5 more than the 9999.5 there are");
}

/// The mixes of 50 images with 1,500 Medium and 1,000 Large messages cost more than 10,000 credits.
#[test]
fn the_printed_mixes_of_larger_models_do_not_fit() {
    let (card, small) = (aispace(), Run::chat("qwen3-4b", 500, 200));
    for (model, messages) in [("mistral-31-24b", 1_500), ("qwen3-235b", 1_000)] {
        let fixed = [images(50), Run::chat(model, 500, 200).times(messages)];
        assert!(matches!(mix(&card, exact("10000"), &fixed, &small, &Terms::default()), Err(AffordError::Missing { .. })), "{model}");
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// The count fits and one more does not, for any card and run that has a price.
    #[test]
    fn the_count_fits_and_one_more_does_not(words in words(400), whole in 0u64..1_000_000_000, scale in 0u32..12) {
        let made = priced(words, 4);
        let budget = Exact::new(whole.into(), scale);
        for (run, terms) in &made.runs {
            let Ok(cost) = total(&made.card, run, terms) else { continue };
            match afford(&made.card, budget, run, terms) {
                Ok(fits) => {
                    let times = |count: u128| cost.mul(Exact::new(count, 0));
                    prop_assert_eq!(times(fits.count), Ok(fits.spent));
                    prop_assert!(fits.spent <= budget);
                    prop_assert!(times(fits.count + 1).is_ok_and(|more| more > budget));
                    prop_assert_eq!(fits.spent.add(fits.remainder), Ok(budget));
                    prop_assert!(fits.remainder < cost);
                }
                Err(AffordError::CostsNothing { .. }) => prop_assert!(cost.is_zero()),
                Err(AffordError::NotExact(_)) => prop_assert!(cost.scale() + cost.mantissa().ilog10() > 20),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }

    /// A mix is its fixed part, then what fits into the rest.
    #[test]
    fn a_mix_adds_up(small in 0u32..3_000, pictures in 0u32..60, budget in 0u64..20_000) {
        static CARD: LazyLock<RateCard> = LazyLock::new(aispace);
        let (card, terms) = (&*CARD, Terms::default());
        let fixed: Vec<Run> = [(pictures, images(1)), (small, Run::chat("qwen3-4b", 500, 200))]
            .into_iter().filter(|(runs, _)| *runs > 0).map(|(runs, run)| run.times(runs)).collect();
        let then = Run::chat("mistral-31-24b", 500, 200);
        let fixed_cost = u64::from(pictures) * 10_000 + u64::from(small) * 55;
        match mix(card, Exact::from(budget), &fixed, &then, &terms) {
            Ok(mix) => {
                prop_assert_eq!(mix.fixed_total, Exact::new(fixed_cost.into(), 2));
                prop_assert_eq!(u128::from((budget * 100 - fixed_cost) / 650), mix.then.count);
                prop_assert_eq!(Exact::new(((budget * 100 - fixed_cost) % 650).into(), 2), mix.then.remainder);
            }
            Err(error) => prop_assert!(matches!(error, AffordError::Missing { .. }) && fixed_cost > budget * 100, "{error}"),
        }
    }
}
