//! From lines to what is posted: field × channel × user × unit × display, each exact and in its place. Every figure here is made up.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{
    Convention, Discount, FactorKind, LineMeter, LineRole, Meter, Model, Quote, QuoteError, RateCard, Run, Terms, TokenReport, Usage,
    quote, total,
};
use aispace_units::Exact;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::small::{self, card_with, rate, rate_when};

fn exact(text: &str) -> Exact {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn named(id: &str) -> Discount {
    Discount::Named(id.to_owned())
}

/// A card in points, of which a dollar is 500,000, with every kind of factor.
fn layered() -> Value {
    let mut card = small::card();
    card["unit"] = json!({"code": "points", "name": "Points", "per_usd": "500000"});
    card["display"] =
        json!([{"code": "usd", "name": "US dollars", "per_usd": "1"}, {"code": "cny", "name": "Chinese yuan", "per_usd": "7.3"}]);
    card["posting"] = json!({"rule": "half_up", "decimals": 0, "minimum": "1"});
    card["fields"] = json!([
        {"field": "pay_go", "name": "Pay-go", "models": ["w*"], "values": {"standard": "1", "priority": "1.8"}, "default": "standard"},
        {"field": "size", "models": ["words"], "values": {"wide": "1.666667", "square": "1"}, "default": "square"},
    ]);
    card["channels"] = json!({"name": "Group", "default": "open", "values": [
        {"id": "open", "factor": "1"}, {"id": "vip", "factor": "0.85"}, {"id": "slow", "factor": "0.3"},
    ]});
    card["users"] = json!({"name": "Level", "default": "new", "values": [
        {"id": "new", "factor": "1"},
        {"id": "gold", "factor": "0.9", "recharged_usd_at_least": "1000", "channels": {"vip": "0.7"}},
        {"id": "silver", "factor": "0.95", "recharged_usd_at_least": "100.5"},
    ]});
    card["models"][0]["rates"] = json!([
        {"meter": "input_tokens", "amount": "0.000001234567", "unit": "usd", "per": "1k"},
        {"meter": "output_tokens", "amount": "3", "unit": "credits", "per": "10k"},
    ]);
    card
}

fn read(card: &Value) -> RateCard {
    RateCard::from_json(&card.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

fn quoted(card: &RateCard, run: &Run, channel: Discount, user: Discount) -> Quote {
    quote(card, run, &Terms { at: None, channel, user }).unwrap_or_else(|error| panic!("{error}"))
}

fn factors(quote: &Quote) -> Vec<(FactorKind, String, String)> {
    let factor = |l: &aispace_pricing::Line| match l.meter {
        LineMeter::Factor(kind) => Some((kind, l.rate.to_string(), l.rule.clone())),
        _ => None,
    };
    quote.lines.iter().filter_map(factor).collect()
}

#[test]
fn each_layer_is_a_line_in_its_place_and_exact() {
    let card = read(&layered());
    let mut run = Run::chat("words", 1_234_567, 89).times(3);
    run.fields.insert("pay_go".into(), "priority".into());
    run.fields.insert("size".into(), "wide".into());
    let quoted = quoted(&card, &run, named("vip"), Discount::Recharged(exact("100.5")));
    let steps: Vec<(&str, LineRole, String)> = quoted.lines.iter().map(|l| (l.meter.as_str(), l.role, l.amount.to_string())).collect();
    // Worked out with another library.
    let expected = [
        ("input_tokens", LineRole::Step, "0.001524155677489"),
        ("to_credits", LineRole::Charge, "762.0778387445"),
        ("output_tokens", LineRole::Charge, "0.0267"),
        ("field", LineRole::Factor, "1371.7881697401"),
        ("field", LineRole::Factor, "2286.3140734962232467"),
        ("channel", LineRole::Factor, "1943.366962471789759695"),
        ("user", LineRole::Factor, "1846.19861434820027171025"),
        ("runs", LineRole::Runs, "5538.59584304460081513075"),
        ("display", LineRole::Display, "0.0110771916860892016302615"),
        ("display", LineRole::Display, "0.08086349930845117190090895"),
    ];
    assert_eq!(steps, expected.map(|(meter, role, amount)| (meter, role, amount.to_owned())));
    assert_eq!(quoted.total, exact("5538.59584304460081513075"));
    assert_eq!(quoted.usd, Some(exact("0.0110771916860892016302615")));
    assert_eq!(quoted.posted(), Ok(exact("5539")), "rounded once, at the end");
    let rules: Vec<String> = factors(&quoted).into_iter().map(|(_, _, rule)| rule).collect();
    assert_eq!(rules, ["Pay-go: priority", "size: wide", "Group: vip", "Level: silver"]);
}

#[test]
fn what_is_not_said_is_the_default_of_the_card() {
    let card = read(&layered());
    let quoted = quoted(&card, &Run::chat("words", 1_000, 0), Discount::Default, Discount::Default);
    let rules: Vec<String> = factors(&quoted).into_iter().map(|(_, _, rule)| rule).collect();
    assert_eq!(rules, ["Pay-go: standard", "size: square", "Group: open", "Level: new"]);
    assert_eq!(quoted.total, exact("0.6172835"));
    assert_eq!(quoted.posted(), Ok(Exact::ONE), "the least that is posted");
    let plain = read(&small::card());
    assert_eq!(factors(&self::quoted(&plain, &Run::chat("words", 1, 0), Discount::Default, Discount::Default)), []);
}

#[test]
fn a_level_may_have_a_channel_at_its_own_factor() {
    let card = read(&layered());
    let run = Run::chat("words", 1_000_000, 0);
    let of = |channel: &str, user: &str| {
        let factors = factors(&quoted(&card, &run, named(channel), named(user)));
        factors.into_iter().filter(|(kind, ..)| *kind != FactorKind::Field).map(|(_, factor, _)| factor).collect::<Vec<_>>()
    };
    assert_eq!(of("vip", "gold"), ["0.7", "0.9"], "in the place of 0.85, not on top of it");
    assert_eq!(of("vip", "silver"), ["0.85", "0.95"]);
    assert_eq!(of("slow", "gold"), ["0.3", "0.9"]);
}

#[test]
fn the_highest_level_reached_counts_and_a_level_can_be_named() {
    let card = read(&layered());
    let run = Run::chat("words", 1, 0);
    for (recharged, level) in
        [("0", "new"), ("100.4999", "new"), ("100.5", "silver"), ("999.99", "silver"), ("1000", "gold"), ("1000000", "gold")]
    {
        let quoted = quoted(&card, &run, Discount::Default, Discount::Recharged(exact(recharged)));
        assert_eq!(factors(&quoted).pop().expect("a user").2, format!("Level: {level}"), "{recharged}");
    }
    assert_eq!(factors(&quoted(&card, &run, Discount::Default, named("gold"))).pop().expect("a user").2, "Level: gold");
}

#[test]
fn a_given_factor_stands_for_whatever_the_card_says() {
    let card = read(&layered());
    let run = Run::chat("words", 1_000_000, 0);
    let given = quoted(&card, &run, Discount::Given(exact("0.5")), named("gold"));
    let kinds = factors(&given);
    assert_eq!(
        kinds[2..],
        [
            (FactorKind::Channel, "0.5".to_owned(), "Group: given".to_owned()),
            (FactorKind::User, "0.9".to_owned(), "Level: gold".to_owned()),
        ]
    );
    let given = quoted(&card, &run, named("vip"), Discount::Given(exact("0.123456789")));
    assert_eq!(factors(&given)[2].1, "0.85", "no level, so no factor of its own");
    assert_eq!(given.total, exact("617.2835").mul(exact("0.85")).and_then(|t| t.mul(exact("0.123456789"))).expect("fits"));
    // A card without lists takes them too.
    let plain = read(&small::card());
    let given = quoted(&plain, &Run::chat("words", 10, 0), Discount::Given(exact("0.5")), Discount::Given(exact("3")));
    assert_eq!((given.total, factors(&given).len()), (exact("15"), 2));
}

#[test]
fn a_model_is_billed_through_a_channel_that_serves_it() {
    let mut card = layered();
    card["models"][0]["channels"] = json!(["slow", "vip"]);
    let card = read(&card);
    let run = Run::chat("words", 1, 0);
    assert_eq!(factors(&quoted(&card, &run, Discount::Default, Discount::Default))[2].2, "Group: slow", "the first that serves it");
    assert_eq!(factors(&quoted(&card, &run, named("vip"), Discount::Default))[2].2, "Group: vip");
    let refused = total(&card, &run, &Terms { channel: named("open"), ..Terms::default() });
    assert!(matches!(refused, Err(QuoteError::Impossible { parameter, .. }) if parameter == "channel"));
}

#[test]
fn both_ways_refuse_the_same_where_a_product_of_factors_is_too_long() {
    let mut card = layered();
    card["channels"]["values"][1]["factor"] = json!("0.00000000000000000001");
    card["users"]["values"][0]["factor"] = json!("0.12345678901234567890123456789012345678");
    card["fields"][0]["values"]["priority"] = json!("0");
    let card = read(&card);
    let mut run = Run::chat("words", 7, 0);
    let terms = Terms { channel: named("vip"), ..Terms::default() };
    assert!(matches!(total(&card, &run, &terms), Err(QuoteError::NotExact(_))));
    assert!(matches!(quote(&card, &run, &terms), Err(QuoteError::NotExact(_))));
    run.fields.insert("pay_go".into(), "priority".into());
    assert_eq!(total(&card, &run, &terms), Ok(Exact::ZERO));
    assert_eq!(quote(&card, &run, &terms).map(|q| q.total), Ok(Exact::ZERO));
}

#[test]
fn a_meter_is_rounded_before_the_unit_and_the_factors() {
    let mut card = layered();
    card["rounding"] = json!([{"meter": "input_tokens", "rule": "up", "decimals": 2}]);
    let quoted = quoted(&read(&card), &Run::chat("words", 1, 0), named("vip"), Discount::Default);
    assert_eq!(quoted.total, exact("4250"), "one cent of 500,000 points a dollar, × 0.85");
    // A part without a rate is rounded as what it is billed as, by both ways.
    let card = read(&card);
    let cached = Run::new("words", Usage::new().with(Meter::CacheReadTokens, 1));
    let (found, mut bill) = (card.find("words").expect("its model"), aispace_pricing::Bill::new());
    card.bill(found, &cached.usage, &mut bill).expect("a price");
    assert_eq!((bill.total(), total(&card, &cached, &Terms::default())), (exact("5000"), Ok(exact("5000"))));
}

#[test]
fn dollars_are_exact_even_where_one_over_their_price_is_not() {
    let card = card_with("/unit", json!({"code": "cny", "name": "Chinese yuan", "per_usd": "7.3"})).expect("well formed");
    let quoted = quoted(&card, &Run::chat("words", 3, 0), Discount::Default, Discount::Default);
    assert_eq!((quoted.total, quoted.usd), (exact("21.9"), Some(exact("3"))));
    let card =
        card_with("/models/0/rates/0", json!({"meter": "input_tokens", "amount": "1", "unit": "credits", "per": "1"})).expect("good");
    let mut file = card.file().clone();
    file.unit = aispace_pricing::Currency { code: "cny".into(), name: "Chinese yuan".into(), per_usd: exact("7.3") };
    let card = RateCard::new(file).expect("well formed");
    let quoted = self::quoted(&card, &Run::chat("words", 1, 0), Discount::Default, Discount::Default);
    assert_eq!((quoted.total, quoted.usd, quoted.display), (Exact::ONE, None, Vec::new()), "1 ÷ 7.3 never ends");
}

#[test]
fn parts_without_a_rate_share_what_is_included() {
    let mut rates = json!([rate("input_tokens", "1"), rate("input_audio_tokens", "5")]);
    rates[0]["included"] = json!(1_000);
    let card = small::card_of(rates).expect("well formed");
    let usage = Usage::new().with(Meter::InputTokens, 600).with(Meter::CacheReadTokens, 700).with(Meter::InputImageTokens, 50);
    let usage = usage.with(Meter::InputAudioTokens, 2);
    let quoted = quoted(&card, &Run::new("words", usage), Discount::Default, Discount::Default);
    let charges: Vec<String> = quoted.lines.iter().map(|l| l.amount.to_string()).collect();
    assert_eq!(charges, ["0", "300", "10", "50"], "1,350 less 1,000, and sound at its own rate");
    assert!(quoted.lines[1].rule.ends_with("billed as input_tokens, 400 of 700 included"), "{}", quoted.lines[1].rule);
}

#[test]
fn an_add_on_is_nearer_than_what_a_meter_is_a_part_of() {
    let mut card = small::card();
    card["models"].as_array_mut().expect("models").push(json!({
        "id": "cache", "name": "Cache", "kind": "chat", "base": {"usage": {"input_tokens": 1}},
        "rates": [rate("input_tokens", "40"), {"meter": "cache_read_tokens", "times": "0.5", "of": "input_tokens"},
            rate_when("cache_write_1h_tokens", "90", json!({"prompt_tokens": {"over": 10}}))],
    }));
    card["add_ons"] = json!([
        {"meter": "cache_read_tokens", "rates_of": "cache"},
        {"meter": "cache_write_1h_tokens", "rates_of": "cache"},
        {"meter": "input_tokens", "rates_of": "cache"},
    ]);
    let card = read(&card);
    for (usage, expected) in [
        (Usage::new().with(Meter::CacheReadTokens, 1), "20"),
        (Usage::new().with(Meter::InputTokens, 1), "1"),
        (Usage::new().with(Meter::CacheWrite1hTokens, 10), "10"),
        (Usage::new().with(Meter::CacheWrite1hTokens, 11), "990"),
    ] {
        let (found, mut bill) = (card.find("words").expect("its model"), aispace_pricing::Bill::new());
        card.bill(found, &usage, &mut bill).expect("a price");
        assert_eq!(bill.total(), exact(expected), "{usage:?}");
        assert_eq!(total(&card, &Run::new("words", usage), &Terms::default()), Ok(exact(expected)));
    }
}

#[test]
fn the_last_add_on_that_fits_wins() {
    let mut card = small::card();
    let model = |id: &str, amount: &str| json!({"id": id, "name": id, "kind": "search", "base": {"usage": {"web_searches": 1}}, "rates": [rate("web_searches", amount)]});
    card["models"][0]["group"] = json!("venice");
    card["models"].as_array_mut().expect("models").extend([model("usual", "10"), model("dear", "25")]);
    let add_on = |group: Option<&str>, of: &str| json!({"meter": "web_searches", "group": group, "rates_of": of});
    let run = Run::new("words", Usage::new().with(Meter::WebSearches, 1));
    for (add_ons, expected) in [
        ([add_on(None, "usual"), add_on(Some("venice"), "dear")], "25"),
        ([add_on(Some("venice"), "dear"), add_on(None, "usual")], "10"),
        ([add_on(None, "usual"), add_on(Some("others"), "dear")], "10"),
    ] {
        card["add_ons"] = json!(add_ons);
        assert_eq!(total(&read(&card), &run, &Terms::default()), Ok(exact(expected)), "{add_ons:?}");
    }
}

#[test]
fn veo_in_a_hurry_costs_its_factor_at_channel_billing() {
    let card = RateCard::built_in().expect("a test reads them").pop().expect("channel billing");
    let per_second = || vec![serde_json::from_value(rate("video_seconds", "0.4")).expect("a rate")];
    let clip = |id: &str| Model::new(id, aispace_pricing::Kind::Video, Usage::new().with(Meter::VideoSeconds, 1_000), per_second());
    let card = card.with_models(vec![clip("veo-made-up"), clip("other")]).expect("well formed");
    let run = |id: &str, pay_go: Option<&str>| {
        let mut run = Run::clip(id, 8, None, None);
        run.fields.extend(pay_go.map(|value| ("pay_go".to_owned(), value.to_owned())));
        total(&card, &run, &Terms { channel: Discount::Given(exact("0.5")), user: Discount::Given(exact("0.9")), at: None })
    };
    assert_eq!(run("veo-made-up", Some("priority")), Ok(exact("2.592")));
    assert_eq!(run("veo-made-up", None), Ok(exact("1.44")));
    assert_eq!(run("other", None), Ok(exact("1.44")));
    assert!(run("other", Some("priority")).is_err(), "the field is for veo alone");
}

/// A model whose parts cost so many times its input or output.
fn multiples(channel: &RateCard, price: Exact, times: &[(Meter, Meter, Exact)]) -> RateCard {
    let amount = |meter: &str| json!({"meter": meter, "amount": price.to_string(), "unit": "usd", "per": "1k"});
    let mut rates = vec![amount("input_tokens"), amount("output_tokens")];
    rates.extend(times.iter().map(|(meter, of, times)| json!({"meter": meter.as_str(), "times": times.to_string(), "of": of.as_str()})));
    let rates = rates.into_iter().map(|rate| serde_json::from_value(rate).expect("a rate")).collect();
    let model = Model::new("chat", aispace_pricing::Kind::Chat, Usage::new().with(Meter::InputTokens, 1), rates);
    channel.with_models(vec![model]).expect("well formed")
}

proptest! {
    #![proptest_config(support::cases(300))]

    /// Channel billing folds parts into a total: `T + s × (m - 1)` for each part s that costs m times the rest. That is the disjoint form
    /// where T holds s; where it does not, it is s tokens too few, so that such counts are added in first.
    #[test]
    fn folding_is_the_disjoint_form_of_a_total_that_holds_its_parts(
        rest in 0u32..1_000_000, cached in 0u32..1_000_000, written in 0u32..100_000, sound in 0u32..100_000,
        answered in 0u32..100_000, thought in 0u32..100_000, price in 1u32..100_000, tenths in prop::array::uniform4(10u32..40),
    ) {
        let channel = RateCard::built_in().expect("a test reads them").pop().expect("channel billing");
        let (price, [m1, m2, m3, m4]) = (Exact::new(price.into(), 6), tenths.map(|t| Exact::new(t.into(), 1)));
        let card = multiples(&channel, price, &[
            (Meter::CacheReadTokens, Meter::InputTokens, m1),
            (Meter::CacheWrite5mTokens, Meter::InputTokens, m2),
            (Meter::InputAudioTokens, Meter::InputTokens, m3),
            (Meter::ReasoningTokens, Meter::OutputTokens, m4),
        ]);
        let parts = TokenReport {
            cache_read: cached.into(), cache_write_5m: written.into(), input_audio: sound.into(), reasoning: thought.into(),
            ..TokenReport::default()
        };
        let (sent, received) = (u64::from(rest) + u64::from(cached) + u64::from(written) + u64::from(sound), u64::from(answered) + u64::from(thought));
        let inclusive = TokenReport { input: sent, output: received, ..parts };
        let exclusive = TokenReport { input: rest.into(), output: answered.into(), ..parts };
        let cost = |report: TokenReport, convention| {
            let usage = report.usage(convention).expect("parts within their totals");
            total(&card, &Run::new("chat", usage), &Terms::default())
        };
        let more = |part: u32, times: Exact| Exact::from(part).mul(times.sub(Exact::ONE).expect("at least 1")).expect("fits");
        let folded = |total: u64| {
            let extra = [more(cached, m1), more(written, m2), more(sound, m3), more(thought, m4)];
            extra.into_iter().fold(Exact::from(total), |sum, part| sum.add(part).expect("fits"))
        };
        let of = |tokens: Exact| tokens.mul(price).and_then(|cost| cost.shift_right(3));
        prop_assert_eq!(cost(inclusive, Convention::Inclusive), Ok(of(folded(sent + received)).expect("fits")));
        prop_assert_eq!(cost(exclusive, Convention::Exclusive), cost(inclusive, Convention::Inclusive));
        let too_few = of(folded(u64::from(rest) + u64::from(answered))).expect("fits");
        let short = of(Exact::from(u64::from(cached) + u64::from(written) + u64::from(sound) + u64::from(thought))).expect("fits");
        prop_assert_eq!(too_few.add(short), Ok(cost(exclusive, Convention::Exclusive).expect("a price")), "folded where nothing is held");
    }
}
