//! Runs of unknown lengths: the true lowest and highest cost, and the hold. The cards are made up unless they are the built-in ones.

mod support;

use aispace_pricing::{
    Discount, Estimate, HoldRule, Meter, POINTS_MAX, QuoteError, RATES_LOOKED_AT_MAX, RangeError, RateCard, Run, Spread, Terms, Usage,
    quote, quote_range, total,
};
use aispace_units::{Exact, Rounding};
use proptest::prelude::*;
use std::collections::BTreeSet;
use support::{cases, priced, words};

fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn spread(low: u64, likely: u64, high: u64) -> Spread {
    Spread::new(low, likely, high).expect("rises")
}

/// A card of one model `m` with these rates; its base run is a request, which costs nothing.
fn card_with(rates: &str, more: &str) -> RateCard {
    let rates = if rates.is_empty() { String::new() } else { format!(", {rates}") };
    let text = format!(
        r#"{{"format": "aispace-rate-card/2", "id": "made-up", "name": "Made up", "date": "2026-01-01",
            "unit": {{"code": "usd", "name": "US dollars", "per_usd": "1"}}, "posting": {{"rule": "half_up", "decimals": 9}}{more},
            "models": [{{"id": "m", "name": "M", "kind": "chat", "base": {{"usage": {{"requests": 1}}}},
                "rates": [{{"meter": "requests", "amount": "0", "unit": "usd", "per": "1"}}{rates}]}}]}}"#
    );
    RateCard::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn card(rates: &str) -> RateCard {
    card_with(rates, "")
}

fn rate(meter: &str, amount: &str, more: &str) -> String {
    format!(r#"{{"meter": "{meter}", "amount": "{amount}", "unit": "usd", "per": "1"{more}}}"#)
}

fn prompt(bound: &str, size: u64) -> String {
    format!(r#", "when": {{"prompt_tokens": {{"{bound}": {size}}}}}"#)
}

fn estimate(spreads: &[(Meter, u64, u64)]) -> Estimate {
    spreads.iter().fold(Estimate::new(Run::new("m", Usage::new())), |e, (meter, low, high)| e.spread(*meter, spread(*low, *low, *high)))
}

fn ends(card: &RateCard, estimate: &Estimate) -> (String, String) {
    let range = quote_range(card, estimate, &Terms::default()).expect("priced");
    for (run, cost) in [(&range.cheapest, range.low), (&range.dearest, range.high)] {
        assert_eq!(quote(card, run, &Terms::default()).expect("priced").total, cost);
    }
    (range.low.to_string(), range.high.to_string())
}

#[test]
fn a_known_run_is_a_range_of_one() {
    let card = RateCard::aispace().expect("built in");
    let run = Run::chat("qwen3-4b", 500, 200);
    let range = quote_range(&card, &Estimate::new(run.clone()), &Terms::default()).expect("priced");
    assert_eq!([range.low, range.likely.total, range.high, range.hold], ["0.55"; 4].map(exact));
    assert_eq!((&range.cheapest, &range.dearest, range.points), (&run, &run, 1));
    assert_eq!(range.likely, quote(&card, &run, &Terms::default()).expect("priced"));
}

#[test]
fn unknown_lengths_are_low_likely_and_high() {
    let card = RateCard::aispace().expect("built in");
    let run = Estimate::new(Run::chat("qwen3-235b", 0, 0).times(10))
        .spread(Meter::InputTokens, spread(400, 500, 1_000))
        .spread(Meter::OutputTokens, spread(0, 200, 4_096));
    let range = quote_range(&card, &run, &Terms::default()).expect("priced");
    assert_eq!([range.low, range.likely.total, range.high, range.hold], ["18", "92.5", "1478.6", "1478.6"].map(exact));
    assert_eq!(range.cheapest, Run::chat("qwen3-235b", 400, 0).times(10));
    assert_eq!(range.dearest, Run::chat("qwen3-235b", 1_000, 4_096).times(10));
    assert_eq!((range.hold_rule, range.points), (HoldRule::High, 2));
}

#[test]
fn a_spread_rises() {
    assert!(Spread::new(5, 5, 5).is_ok());
    for (low, likely, high) in [(2, 1, 3), (1, 4, 3), (3, 2, 1)] {
        let error = Spread::new(low, likely, high).expect_err("falls");
        assert_eq!(error.to_string(), format!("a range must not fall: low {low}, likely {likely}, high {high}"));
    }
    let seconds = Spread::of_numbers(Meter::AudioSeconds, exact("1.5"), exact("2"), exact("2.001")).expect("milliseconds");
    assert_eq!(seconds, spread(1_500, 2_000, 2_001));
    assert!(matches!(Spread::of_numbers(Meter::Images, exact("1"), exact("1.5"), exact("2")), Err(RangeError::Usage(_))));
    let falls = Spread::of_numbers(Meter::AudioSeconds, exact("2.5"), exact("2"), exact("3")).expect_err("falls");
    assert_eq!(falls, RangeError::Falls { low: "2.5".into(), likely: "2".into(), high: "3".into() });
}

#[test]
fn scraping_is_one_call_at_best_and_one_for_each_address_at_worst() {
    for (urls, low, high) in [(0, 0, 0), (1, 1, 1), (2, 1, 2), (3, 1, 3)] {
        assert_eq!(Spread::of_urls(urls), Ok(spread(low, high, high)));
    }
    for urls in [4, u64::MAX] {
        let error = Spread::of_urls(urls).expect_err("too many");
        assert_eq!(error, RangeError::Urls { given: urls });
        assert_eq!(error.to_string(), format!("{urls} addresses cannot be scraped in one message; allowed: 0 to 3"));
    }
    let card = RateCard::aispace().expect("built in");
    // 0.55 and 9.1 credits of tokens; a call is 100 credits for Venice models, 250 for others.
    for (model, low, high) in [("qwen3-4b", "100.55", "300.55"), ("llama-3.3-70b", "259.1", "759.1")] {
        let run = Estimate::new(Run::chat(model, 500, 200)).spread(Meter::WebScrapes, Spread::of_urls(3).expect("three"));
        let range = quote_range(&card, &run, &Terms::default()).expect("priced");
        assert_eq!([range.low, range.likely.total, range.high], [low, high, high].map(exact), "{model}");
    }
}

/// A prompt of 100 costs 100; one of 101 costs half as much a token.
#[test]
fn the_dearest_run_of_a_tariff_that_gets_cheaper_lies_inside() {
    let card = card(&[rate("input_tokens", "1", ""), rate("input_tokens", "0.5", &prompt("over", 100))].join(","));
    let range = |low, high| ends(&card, &estimate(&[(Meter::InputTokens, low, high)]));
    assert_eq!(range(40, 150), ("40".into(), "100".into()));
    assert_eq!(range(60, 150), ("50.5".into(), "100".into()));
    assert_eq!(range(60, 250), ("50.5".into(), "125".into()));
    assert_eq!(range(60, 100), ("60".into(), "100".into()));
    assert_eq!(range(60, 101), ("50.5".into(), "100".into()));
    assert_eq!(range(101, 150), ("50.5".into(), "75".into()));
    assert_eq!(range(100, 100), ("100".into(), "100".into()));
}

/// At every kind of bound the last count before it and the first one after it are looked at.
#[test]
fn every_bound_turns_where_it_says() {
    for (bound, last_before) in [("over", 100), ("at_least", 99)] {
        let card = card(&[rate("input_tokens", "1", ""), rate("input_tokens", "0", &prompt(bound, 100))].join(","));
        assert_eq!(ends(&card, &estimate(&[(Meter::InputTokens, 1, 1_000)])), ("0".into(), last_before.to_string()), "{bound}");
    }
    for (bound, first_after) in [("under", 100), ("at_most", 101)] {
        let card = card(&[rate("input_tokens", "1", ""), rate("input_tokens", "5", &prompt(bound, 100))].join(","));
        assert_eq!(
            ends(&card, &estimate(&[(Meter::InputTokens, 50, 110)])),
            (first_after.to_string(), ((first_after - 1) * 5).to_string())
        );
    }
}

/// From 100 tokens of prompt on an answer is ten times as dear, whichever part of the prompt makes up the size.
#[test]
fn parts_of_the_prompt_make_up_a_size_together() {
    let rates = [
        rate("input_tokens", "1", ""),
        rate("cache_read_tokens", "0.1", ""),
        rate("output_tokens", "1", ""),
        rate("output_tokens", "0", &prompt("at_least", 100)),
    ];
    let card = card(&rates.join(","));
    let run = estimate(&[(Meter::InputTokens, 0, 90), (Meter::CacheReadTokens, 0, 60), (Meter::OutputTokens, 500, 500)]);
    let range = quote_range(&card, &run, &Terms::default()).expect("priced");
    // 100 tokens of which as many as can be are cached, and 99 of which as few as can be.
    assert_eq!((range.low, range.high), (exact("46"), exact("590.9")));
    let usage =
        |input, cached| Usage::new().with(Meter::InputTokens, input).with(Meter::CacheReadTokens, cached).with(Meter::OutputTokens, 500);
    assert_eq!((range.cheapest.usage, range.dearest.usage), (usage(40, 60), usage(90, 9)));
}

#[test]
fn a_price_bends_where_included_tokens_end() {
    let rates = [
        rate("input_tokens", "1", ""),
        rate("cache_read_tokens", "3", r#", "included": 30"#),
        rate("output_tokens", "1", ""),
        rate("output_tokens", "0", &prompt("at_least", 100)),
    ];
    let card = card(&rates.join(","));
    let run = estimate(&[(Meter::InputTokens, 0, 200), (Meter::CacheReadTokens, 0, 200), (Meter::OutputTokens, 5_000, 5_000)]);
    // 30 cached tokens cost nothing, and 70 others make up the 100.
    assert_eq!(ends(&card, &run).0, "70");
}

/// From 11 tokens of prompt on, what is written to a cache has no price of its own and shares the 5 included tokens of the input.
#[test]
fn parts_share_what_is_included() {
    let rates = [
        rate("input_tokens", "6", r#", "included": 5"#),
        rate("cache_read_tokens", "1", ""),
        rate("cache_write_5m_tokens", "2", &prompt("under", 11)),
    ];
    let card = card(&rates.join(","));
    let run = estimate(&[(Meter::InputTokens, 0, 3), (Meter::CacheReadTokens, 1, 7), (Meter::CacheWrite5mTokens, 3, 3)]);
    let range = quote_range(&card, &run, &Terms::default()).expect("priced");
    // Two of input and three written are included; six are read.
    let cheapest = [(Meter::InputTokens, 2), (Meter::CacheReadTokens, 6), (Meter::CacheWrite5mTokens, 3)].into_iter().collect::<Usage>();
    assert_eq!((range.low, range.cheapest.usage), (exact("6"), cheapest));
}

#[test]
fn lengths_turn_at_the_millisecond() {
    let over_a_minute = r#", "when": {"seconds": {"at_least": 60}}"#;
    let card = card(&[rate("audio_seconds", "1", ""), rate("audio_seconds", "0.5", over_a_minute)].join(","));
    let run = |low, high| estimate(&[(Meter::AudioSeconds, low, high)]);
    assert_eq!(ends(&card, &run(50_000, 80_000)), ("30".into(), "59.999".into()));
    assert_eq!(ends(&card, &run(50_000, 59_999)), ("50".into(), "59.999".into()));
    assert_eq!(ends(&card, &run(60_000, 80_000)), ("30".into(), "40".into()));
}

#[test]
fn a_clip_has_the_lengths_that_its_model_allows() {
    let card = RateCard::aispace().expect("built in");
    let clip = |low: u64, high: u64| {
        let run = Run::clip("longcat-text-to-video", 5, Some("720p"), None);
        Estimate::new(run).spread(Meter::VideoSeconds, spread(low * 1_000, low * 1_000, high * 1_000))
    };
    // 0.0506 USD a second, rounded to cents for each length.
    let range = quote_range(&card, &clip(5, 30), &Terms::default()).expect("priced");
    assert_eq!((range.low, range.high, range.points), (exact("2500"), exact("15200"), 5));
    let error = quote_range(&card, &clip(5, 7), &Terms::default()).expect_err("no 7 s");
    let RangeError::Point { error: QuoteError::Impossible { parameter, given, allowed, .. }, .. } = error else { panic!("{error}") };
    assert_eq!((parameter.as_str(), given.as_str(), allowed.join(" ").as_str()), ("seconds", "7", "5 10 15 20 30"));
    assert!(matches!(quote_range(&card, &clip(6, 10), &Terms::default()), Err(RangeError::Quote(QuoteError::Impossible { .. }))));
    assert!(matches!(quote_range(&card, &clip(0, 10), &Terms::default()), Err(RangeError::Quote(_) | RangeError::Point { .. })));
}

#[test]
fn a_range_with_a_gap_in_its_prices_has_none() {
    let between = r#", "when": {"prompt_tokens": {"under": 100}}"#;
    let rates = [rate("input_tokens", "1", between), rate("input_tokens", "1", &prompt("at_least", 200))];
    let card = card(&rates.join(","));
    let error = quote_range(&card, &estimate(&[(Meter::InputTokens, 10, 1_000)]), &Terms::default()).expect_err("nothing from 100 to 199");
    assert!(matches!(&error, RangeError::Point { error: QuoteError::NoPrice { .. }, .. }), "{error}");
    assert_eq!(error.to_string(), "at 100 in: no price is known for m at input_tokens");
    assert_eq!(ends(&card, &estimate(&[(Meter::InputTokens, 10, 99)])), ("10".into(), "99".into()));

    let mut unpriced = estimate(&[(Meter::InputTokens, 10, 99)]);
    unpriced = unpriced.spread(Meter::Images, spread(0, 0, 1));
    let error = quote_range(&card, &unpriced, &Terms::default()).expect_err("no rate");
    assert!(matches!(&error, RangeError::Point { error: QuoteError::NoRate { meter: Meter::Images, .. }, .. }), "{error}");
    let unknown = Estimate::new(Run::chat("nobody", 1, 1));
    assert!(matches!(quote_range(&card, &unknown, &Terms::default()), Err(RangeError::Quote(QuoteError::UnknownModel { .. }))));
    let endless = estimate(&[(Meter::InputTokens, 10, u64::MAX)]);
    assert!(matches!(quote_range(&card, &endless, &Terms::default()), Err(RangeError::Point { error: QuoteError::Count { .. }, .. })));
}

#[test]
fn what_is_held_follows_the_cards_rule_and_is_rounded_up() {
    for (more, hold) in [
        ("", "0.0000000034"),
        (r#", "hold": {"basis": "high"}"#, "0.0000000034"),
        (r#", "hold": {"basis": "likely"}"#, "0.0000000012"),
        (r#", "hold": {"basis": "fixed", "amount": "0.5"}"#, "0.5"),
    ] {
        let card = card_with(&rate("input_tokens", "0.0000000001", ""), more);
        let run = Estimate::new(Run::chat("m", 0, 0)).spread(Meter::InputTokens, spread(5, 12, 34));
        let range = quote_range(&card, &run, &Terms::default()).expect("priced");
        assert_eq!(range.hold, exact(hold).round(9, Rounding::Up), "{more}");
        assert_eq!([range.low, range.likely.total, range.high], ["0.0000000005", "0.0000000012", "0.0000000034"].map(exact));
    }
}

#[test]
fn a_hold_is_a_whole_step_and_at_least_the_minimum() {
    let aisa = RateCard::built_in().expect("built in").into_iter().find(|c| c.id() == "aisa").expect("built in");
    for (high, hold) in [("0", "0"), ("0.0000001", "0.000002"), ("0.000002", "0.000002"), ("0.0000020001", "0.000004")] {
        assert_eq!(aisa.hold(Exact::ZERO, exact(high)), Ok(exact(hold)), "{high}");
    }
}

#[test]
fn factors_and_runs_count_at_every_point() {
    let card = card(&[rate("input_tokens", "1", ""), rate("input_tokens", "0.5", &prompt("over", 100))].join(","));
    let run = Estimate::new(Run::chat("m", 0, 0).times(3)).spread(Meter::InputTokens, spread(60, 80, 150));
    let terms = Terms { channel: Discount::Given(exact("0.8")), ..Terms::default() };
    let range = quote_range(&card, &run, &terms).expect("priced");
    assert_eq!([range.low, range.likely.total, range.high], ["121.2", "192", "240"].map(exact));
    assert_eq!((range.cheapest.usage.get(Meter::InputTokens), range.dearest.usage.get(Meter::InputTokens)), (101, 100));
    assert_eq!((range.cheapest.runs, range.hold), (3, exact("240")));
}

/// An answer's price, said again at every tenth token of prompt.
fn staircase(steps: u64) -> RateCard {
    let rates: Vec<String> = (1..=steps).map(|step| rate("output_tokens", "1", &prompt("at_least", step * 10))).collect();
    card(&format!("{}, {}, {}", rate("input_tokens", "1", ""), rate("output_tokens", "1", ""), rates.join(",")))
}

/// The same at every second of sound.
fn seconds(steps: u64) -> RateCard {
    let step = |at: u64| rate("audio_seconds", "1", &format!(r#", "when": {{"seconds": {{"at_least": {at}}}}}"#));
    let rates: Vec<String> = (1..=steps).map(step).collect();
    card(&format!("{}, {}, {}", rate("audio_seconds", "1", ""), rate("video_seconds", "1", ""), rates.join(",")))
}

#[test]
fn a_range_has_a_limit_of_points() {
    // Two sides of every step, and two ends, of a sound and of a clip.
    let lengths = |steps: u64| {
        let high = steps * 1_000 + 500;
        quote_range(&seconds(steps), &estimate(&[(Meter::AudioSeconds, 0, high), (Meter::VideoSeconds, 0, high)]), &Terms::default())
    };
    assert_eq!(lengths(49).expect("few enough").points, POINTS_MAX);
    let error = lengths(50).expect_err("102 × 102");
    assert_eq!(error, RangeError::TooManyPoints { model_id: "m".into(), most: POINTS_MAX });
    assert_eq!(error.to_string(), "the price of m turns at more than 10,000 points of the range");

    let parts = [
        Meter::InputTokens,
        Meter::CacheReadTokens,
        Meter::CacheWrite5mTokens,
        Meter::CacheWrite1hTokens,
        Meter::InputAudioTokens,
        Meter::InputImageTokens,
    ];
    let all_parts = estimate(&parts.map(|meter| (meter, 0, 1_000)));
    assert!(quote_range(&staircase(20), &all_parts, &Terms::default()).is_ok());
    assert!(matches!(quote_range(&staircase(500), &all_parts, &Terms::default()), Err(RangeError::TooManyPoints { .. })));
}

#[test]
fn a_range_has_a_limit_of_rates() {
    let tokens = |steps: u64| quote_range(&staircase(steps), &estimate(&[(Meter::InputTokens, 0, steps * 10)]), &Terms::default());
    // A request, an input and an output beside the steps; two points a step, and two ends.
    let looked_at = |steps: usize| (steps + 3) * (2 * steps + 2);
    assert!(looked_at(1_412) <= RATES_LOOKED_AT_MAX && looked_at(1_413) > RATES_LOOKED_AT_MAX);
    assert_eq!(tokens(1_412).expect("few enough").points, 2_826);
    let error = tokens(1_413).expect_err("too many");
    assert_eq!(error, RangeError::TooManyPoints { model_id: "m".into(), most: RATES_LOOKED_AT_MAX / 1_416 });
}

/// Where cents of every part are rounded apart, any split of the size may be the cheapest; nobody looks at them all.
#[test]
fn parts_that_are_rounded_are_not_guessed_at() {
    let rates = [rate("input_tokens", "0.004", ""), rate("input_tokens", "0.003", &prompt("over", 100))].join(",");
    let card = card_with(&rates, r#", "rounding": [{"meter": "input_tokens", "rule": "half_up", "decimals": 2}]"#);
    let two = estimate(&[(Meter::InputTokens, 0, 90), (Meter::CacheReadTokens, 0, 90)]);
    let error = quote_range(&card, &two, &Terms::default()).expect_err("two rounded parts");
    assert_eq!(error, RangeError::RoundedPrompt { model_id: "m".into(), meter: Meter::InputTokens });
    // One part alone, or a size that turns nothing, has its ends at the ends.
    assert_eq!(ends(&card, &estimate(&[(Meter::InputTokens, 90, 120), (Meter::CacheReadTokens, 5, 5)])), ("0.31".into(), "0.4".into()));
    let small = estimate(&[(Meter::InputTokens, 0, 50), (Meter::CacheReadTokens, 0, 50)]);
    assert_eq!(ends(&card, &small), ("0".into(), "0.4".into()));
}

/// Bounds of one of the four kinds, or of two.
fn bounds(most: u64) -> impl Strategy<Value = String> {
    let kind = prop_oneof![Just("over"), Just("at_least"), Just("under"), Just("at_most")];
    let one = (kind, 1..=most).prop_map(|(kind, size)| format!(r#""{kind}": {size}"#));
    let two = (0..=most, 1..=most).prop_map(|(least, more)| format!(r#""at_least": {least}, "under": {}"#, least + more));
    prop_oneof![3 => one, 1 => two].prop_map(|b| format!("{{{b}}}"))
}

/// Rates of a meter: in `always` of 20 cases one that always holds, then some that hold for some sizes.
fn rates(meter: &'static str, size: &'static str, most: u64, always: u32) -> impl Strategy<Value = Vec<String>> {
    let included = prop_oneof![2 => Just(0u64), 1 => 1u64..6];
    let conditional = (0u32..20, bounds(most), included.clone()).prop_map(move |(amount, bounds, included)| {
        (rate(meter, &amount.to_string(), &format!(r#", "included": {included}, "when": {{"{size}": {bounds}}}"#)), bounds)
    });
    let general = (0u32..20, included).prop_map(move |(amount, inc)| rate(meter, &amount.to_string(), &format!(r#", "included": {inc}"#)));
    (prop_oneof![always => general.prop_map(Some), 20 - always => Just(None)], proptest::collection::vec(conditional, 0..3)).prop_map(
        |(general, conditional)| {
            // Of two rates under one condition the first would never be reached.
            let mut seen = BTreeSet::new();
            let reached = conditional.into_iter().filter(|(_, bounds)| seen.insert(bounds.clone())).map(|(rate, _)| rate);
            general.into_iter().chain(reached.collect::<Vec<_>>()).collect()
        },
    )
}

fn side(most: u64, width: u64) -> impl Strategy<Value = (u64, u64)> {
    (0..=most, 0..=width).prop_map(|(low, width)| (low, low + width))
}

/// Every run of a box of three meters at most.
fn every(sides: &[(Meter, u64, u64)]) -> Vec<Usage> {
    sides.iter().fold(vec![Usage::new()], |all, (meter, low, high)| {
        all.iter().flat_map(|usage| (*low..=*high).map(move |count| usage.clone().with(*meter, count))).collect()
    })
}

/// The range against every single run of it.
fn agrees(card: &RateCard, estimate: &Estimate, runs: Vec<Usage>) -> Result<(), TestCaseError> {
    let costs: Result<Vec<Exact>, QuoteError> =
        runs.into_iter().map(|usage| total(card, &Run { usage, ..estimate.run().clone() }, &Terms::default())).collect();
    match (quote_range(card, estimate, &Terms::default()), costs) {
        (Ok(range), Ok(costs)) => {
            prop_assert_eq!(Some(&range.low), costs.iter().min());
            prop_assert_eq!(Some(&range.high), costs.iter().max());
            prop_assert!(range.low <= range.likely.total && range.likely.total <= range.high);
            prop_assert_eq!(total(card, &range.cheapest, &Terms::default()), Ok(range.low));
            prop_assert_eq!(total(card, &range.dearest, &Terms::default()), Ok(range.high));
        }
        (Err(RangeError::Point { .. } | RangeError::Quote(_)), Err(_)) => {}
        (range, costs) => prop_assert!(false, "{range:?} but every run: {:?}", costs.map(|c| c.len())),
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(600))]

    /// Any tiers, any parts of the prompt: exactly the lowest and the highest of all runs, and a refusal where one of them has no price.
    #[test]
    fn prompts_agree_with_every_run_of_the_range(
        input in rates("input_tokens", "prompt_tokens", 30, 19),
        cached in rates("cache_read_tokens", "prompt_tokens", 30, 10),
        written in rates("cache_write_5m_tokens", "prompt_tokens", 30, 4),
        output in rates("output_tokens", "prompt_tokens", 30, 19),
        sides in (side(8, 9), side(8, 9), side(3, 5), side(2, 3)),
    ) {
        let card = card(&[input, cached, written, output].concat().join(","));
        let (input, cached, written, output) = sides;
        let meters = [Meter::InputTokens, Meter::CacheReadTokens, Meter::CacheWrite5mTokens, Meter::OutputTokens];
        let sides = [0, 1, 2, 3].map(|at| {
            let (low, high) = [input, cached, written, output][at];
            (meters[at], low, high)
        });
        // An answer's cost never falls with its length, which leaves two of them to count out.
        let mut counted = sides.to_vec();
        counted.truncate(3);
        let answered = |usage: Usage| [output.0, output.1].map(|o| usage.clone().with(Meter::OutputTokens, o));
        let runs = every(&counted).into_iter().flat_map(answered).collect();
        agrees(&card, &estimate(&sides), runs)?;
    }

    /// Two lengths, of which the longer one chooses the rates.
    #[test]
    fn lengths_agree_with_every_run_of_the_range(
        sound in rates("audio_seconds", "seconds", 4, 19),
        clip in rates("video_seconds", "seconds", 4, 19),
        sides in (side(40, 15), side(40, 15)),
        fine in 0u64..100,
    ) {
        let card = card(&[sound, clip].concat().join(","));
        // Steps of 100 ms, and one millisecond beside each whole second.
        let (sound, clip) = sides;
        let ms = |(low, high): (u64, u64)| (low * 100 + fine, high * 100 + fine);
        let (sound, clip) = (ms(sound), ms(clip));
        let values = |(low, high): (u64, u64)| -> Vec<u64> {
            (low..=high).filter(|t| t % 100 == fine || t % 1_000 <= 1 || t % 1_000 == 999).collect()
        };
        let runs = values(sound).into_iter().flat_map(|s| {
            let with = move |c| Usage::new().with(Meter::AudioSeconds, s).with(Meter::VideoSeconds, c);
            values(clip).into_iter().map(with).collect::<Vec<_>>()
        }).collect();
        agrees(&card, &estimate(&[(Meter::AudioSeconds, sound.0, sound.1), (Meter::VideoSeconds, clip.0, clip.1)]), runs)?;
    }

    /// On any card with any terms: every run that is drawn out of the range costs no less than its low and no more than its high, and a
    /// hold by the highest cost covers what is posted for it.
    #[test]
    fn a_range_contains_what_is_drawn_from_it(
        words in words(500),
        widths in proptest::collection::vec(0u64..400, 22),
        shares in proptest::collection::vec(0u64..=100, 22 * 8),
    ) {
        let made = priced(words, 3);
        for (run, terms) in &made.runs {
            let widen = |e: Estimate, (meter, width): (&Meter, &u64)| {
                let low = e.run().usage.get(*meter);
                if low == 0 || *meter == Meter::VideoSeconds { e } else { e.spread(*meter, spread(low, low + width / 2, low + width)) }
            };
            let estimate = Meter::ALL.iter().zip(&widths).fold(Estimate::new(run.clone()), widen);
            let Ok(range) = quote_range(&made.card, &estimate, terms) else { continue };
            let covers = range.hold_rule == HoldRule::High;
            for shares in shares.chunks(22) {
                let between = |(meter, share): (&Meter, &u64)| {
                    let (low, high) = (estimate.low().get(*meter), estimate.high().get(*meter));
                    (*meter, low + (high - low) * share / 100)
                };
                let usage = Meter::ALL.iter().zip(shares).map(between).collect();
                let cost = total(&made.card, &Run { usage, ..run.clone() }, terms);
                // A cost between two others may need more digits than both.
                let fits = |cost: &Exact| range.low <= *cost && *cost <= range.high;
                let holds = cost.as_ref().map_or_else(|e| matches!(e, QuoteError::NotExact(_)), fits);
                prop_assert!(holds, "{cost:?} in {} to {}", range.low, range.high);
                let posted = cost.ok().and_then(|c| made.card.posted(c).ok());
                prop_assert!(!covers || posted.is_none_or(|posted| posted <= range.hold));
            }
        }
    }
}
