//! The cheapest model that can do a job. The cards are made up unless they are the built-in ones.

mod support;

use aispace_pricing::{
    COUNT_MAX, Capability, CompareError, Comparison, Discount, Evidence, Job, Kind, LeftOutKind, LeftOutReason, Meter, QuoteError,
    RateCard, Terms, Usage, compare, quote, total,
};
use aispace_units::Exact;
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{cases, oracle::fraction, priced, words};

fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn card(id: &str, per_usd: &str, models: &[String]) -> RateCard {
    let text = format!(
        r#"{{"format": "aispace-rate-card/2", "id": "{id}", "name": "Made up", "date": "2026-01-01",
            "unit": {{"code": "{id}-credits", "name": "made-up credits", "per_usd": "{per_usd}"}},
            "posting": {{"rule": "half_up", "decimals": 9}}, "models": [{}]}}"#,
        models.join(",")
    );
    RateCard::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A chat model at one price a token, whatever its direction.
fn chat(id: &str, price: &str, more: &str) -> String {
    let rate = |meter| format!(r#"{{"meter": "{meter}", "amount": "{price}", "unit": "credits", "per": "1k"}}"#);
    format!(
        r#"{{"id": "{id}", "name": "The {id}", "kind": "chat", "base": {{"usage": {{"input_tokens": 1}}}}{more},
            "rates": [{}, {}]}}"#,
        rate("input_tokens"),
        rate("output_tokens")
    )
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage::new().with(Meter::InputTokens, input).with(Meter::OutputTokens, output)
}

fn ranked(comparison: &Comparison<'_>) -> Vec<String> {
    comparison.ranked.iter().map(|c| format!("{} {}", c.model.id, c.total)).collect()
}

fn left_out(comparison: &Comparison<'_>) -> Vec<String> {
    comparison.left_out.iter().map(|l| format!("{}: {} ({})", l.model.id, l.reason, l.reason.kind())).collect()
}

#[test]
fn the_cheapest_comes_first_and_of_the_same_price_the_first_id() {
    let models = [chat("b", "2", ""), chat("a", "2", ""), chat("dear", "3", ""), chat("cheap", "1", ""), chat("free", "0", "")];
    let card = card("one", "1", &models);
    let comparison = compare([&card], &Job::new(tokens(500, 500)), &Terms::default()).expect("compares");
    assert_eq!(ranked(&comparison), ["free 0", "cheap 1", "a 2", "b 2", "dear 3"]);
    assert!(comparison.left_out.is_empty());
    let ten = Job { runs: 10, ..Job::new(tokens(500, 500)) };
    assert_eq!(ranked(&compare([&card], &ten, &Terms::default()).expect("compares"))[1], "cheap 10");
}

/// 1 yuan is 10/73 of a dollar: 0.136986301…
#[test]
fn units_are_compared_by_what_they_are_worth() {
    let yuan = card("yuan", "7.3", &[chat("yuan", "1", "")]);
    let cent = card("cent", "100", &[chat("cents", "13.7", ""), chat("same", "13.69863013698630136986", "")]);
    let dollar = card("dollar", "1", &[chat("dollars", "0.13698", ""), chat("more", "0.13698630136986301370", "")]);
    let job = Job::new(tokens(1_000, 0));
    let comparison = compare([&dollar, &cent, &yuan], &job, &Terms::default()).expect("compares");
    let order: Vec<&str> = comparison.ranked.iter().map(|c| c.model.id.as_str()).collect();
    assert_eq!(order, ["dollars", "same", "yuan", "more", "cents"]);
    let usd: Vec<Option<Exact>> = comparison.ranked.iter().map(|c| c.usd()).collect();
    assert_eq!((usd[0], usd[2], usd[4]), (Some(exact("0.13698")), None, Some(exact("0.137"))));

    let tie = card("tie", "73", &[chat("a-tie", "10", "")]);
    let comparison = compare([&yuan, &tie, &yuan], &job, &Terms::default()).expect("compares");
    let order: Vec<(&str, &str)> = comparison.ranked.iter().map(|c| (c.card.id(), c.model.id.as_str())).collect();
    assert_eq!(order, [("tie", "a-tie"), ("yuan", "yuan"), ("yuan", "yuan")]);
}

#[test]
fn only_the_kind_and_the_name_that_are_asked_for_are_looked_at() {
    let aliases = r#", "aliases": ["Second-Name"], "printed_name": "As Printed""#;
    let card = card("one", "1", &[chat("alpha", "1", ""), chat("beta", "1", aliases)]);
    let looked_at = |job: Job| {
        let comparison = compare([&card], &job, &Terms::default()).expect("compares");
        comparison
            .ranked
            .iter()
            .map(|c| c.model.id.clone())
            .chain(comparison.left_out.iter().map(|l| l.model.id.clone()))
            .collect::<Vec<_>>()
    };
    let named = |name: &str| looked_at(Job { name: Some(name.into()), ..Job::new(tokens(1, 1)) });
    assert_eq!(named("ALPH"), ["alpha"]);
    assert_eq!(named("second-name"), ["beta"]);
    assert_eq!(named("printed"), ["beta"]);
    assert_eq!(named("the "), ["alpha", "beta"]);
    assert!(named("gamma").is_empty());
    assert_eq!(looked_at(Job { kind: Some(Kind::Chat), ..Job::new(tokens(1, 1)) }).len(), 2);
    assert!(looked_at(Job { kind: Some(Kind::Image), ..Job::new(tokens(1, 1)) }).is_empty());
}

#[test]
fn whoever_cannot_is_left_out_with_the_reason() {
    let models = [
        chat("able", "9", r#", "capabilities": ["vision", "code"], "limits": {"context_tokens": 1200, "output_tokens": 200}"#),
        chat("blind", "1", r#", "capabilities": ["code"]"#),
        chat("short", "1", r#", "capabilities": ["vision"], "limits": {"context_tokens": 1199}"#),
        chat("terse", "1", r#", "capabilities": ["vision"], "limits": {"output_tokens": 199}"#),
        chat("gone", "1", r#", "capabilities": ["vision"], "retired": "2026-01-01""#),
        chat("soon", "1", r#", "capabilities": ["vision"], "added": "2026-01-02""#),
        chat("here", "8", r#", "capabilities": ["vision"], "added": "2026-01-01", "retired": "2026-01-02""#),
    ];
    let card = card("one", "1", &models);
    let job = Job { capabilities: vec![Capability::Vision], ..Job::new(tokens(1_000, 200)) };
    let comparison = compare([&card], &job, &Terms::default()).expect("compares");
    assert_eq!(ranked(&comparison), ["here 9.6", "able 10.8"]);
    assert_eq!(
        left_out(&comparison),
        [
            "blind: not known to do vision (capability_missing)",
            "short: takes 1,199 tokens in all, not 1,200 (too_long)",
            "terse: answers 199 tokens at most, not 200 (too_long)",
            "gone: retired on 2026-01-01 (retired)",
            "soon: not there before 2026-01-02 (not_yet)",
        ]
    );
    let day = |at: &str| {
        let job = Job { name: Some("here".into()), ..job.clone() };
        let comparison = compare([&card], &job, &Terms::at(at.parse().expect("an instant"))).expect("compares");
        comparison.left_out.first().map_or(LeftOutKind::NoRate, |l| l.reason.kind())
    };
    assert_eq!(day("2025-12-31T23:59:59Z"), LeftOutKind::NotYet);
    assert_eq!(day("2026-01-01T23:59:59Z"), LeftOutKind::NoRate, "ranked");
    assert_eq!(day("2026-01-02T00:00:00Z"), LeftOutKind::Retired);
    let both = Job { capabilities: vec![Capability::Code, Capability::Vision, Capability::Beta], ..job };
    let comparison = compare([&card], &both, &Terms::default()).expect("compares");
    assert_eq!(comparison.left_out[0].reason, LeftOutReason::Cannot { missing: vec![Capability::Beta] });
}

/// Every part of prompt and answer takes its place in what a model can take.
#[test]
fn limits_count_every_part() {
    let card = card("one", "1", &[chat("m", "1", r#", "limits": {"context_tokens": 100, "output_tokens": 40}"#)]);
    let kind =
        |usage: Usage| compare([&card], &Job::new(usage), &Terms::default()).expect("compares").left_out.first().map(|l| l.reason.clone());
    let usage = tokens(20, 10)
        .with(Meter::CacheReadTokens, 20)
        .with(Meter::InputImageTokens, 20)
        .with(Meter::ReasoningTokens, 20)
        .with(Meter::OutputAudioTokens, 10);
    assert_eq!(kind(usage.clone()), None);
    assert_eq!(kind(usage.clone().with(Meter::CacheReadTokens, 21)), Some(LeftOutReason::Context { needed: 101, most: 100 }));
    assert_eq!(
        kind(usage.with(Meter::ReasoningTokens, 21).with(Meter::InputTokens, 1)),
        Some(LeftOutReason::Answer { needed: 41, most: 40 })
    );
}

#[test]
fn a_price_that_is_not_known_is_not_nothing() {
    let image = r#"{"id": "image", "name": "Image", "kind": "image", "base": {"usage": {"images": 1}},
        "rates": [{"meter": "images", "amount": "1", "unit": "credits", "per": "1"}]}"#;
    let long = r#"{"id": "long", "name": "Long", "kind": "chat", "base": {"usage": {"input_tokens": 1000}},
        "rates": [{"meter": "input_tokens", "amount": "1", "unit": "credits", "per": "1k", "when": {"prompt_tokens": {"at_least": 1000}}},
                  {"meter": "output_tokens", "amount": "1", "unit": "credits", "per": "1k"}]}"#;
    let timed = r#"{"id": "timed", "name": "Timed", "kind": "chat", "base": {"usage": {"input_tokens": 1}},
        "rates": [{"meter": "input_tokens", "amount": "0", "unit": "credits", "per": "1k", "when": {"from": "2026-01-01T00:00:00Z"}},
                  {"meter": "output_tokens", "amount": "0", "unit": "credits", "per": "1k"}]}"#;
    let flex = chat("flex", "5", "").replace(
        r#""rates": ["#,
        r#""rates": [{"meter": "requests", "amount": "1", "unit": "credits", "per": "1", "when": {"tier": "flex"}}, "#,
    );
    let card = card("one", "1", &[image.into(), long.into(), timed.into(), flex]);
    let comparison = compare([&card], &Job::new(tokens(500, 500)), &Terms::default()).expect("compares");
    assert_eq!(ranked(&comparison), ["flex 5"]);
    assert_eq!(
        left_out(&comparison),
        [
            "image: image has no price for input_tokens; it is priced by images (no_rate)",
            "long: no price is known for long at input_tokens (no_price)",
            "timed: the price of timed depends on the time of the run, which is not given (no_price)",
        ]
    );
    let now = Terms::at("2026-01-01T00:00:00Z".parse().expect("an instant"));
    assert_eq!(ranked(&compare([&card], &Job::new(tokens(500, 500)), &now).expect("compares")), ["timed 0", "flex 5"]);
    let flex = Job { tier: Some("flex".into()), ..Job::new(tokens(500, 500)) };
    let comparison = compare([&card], &flex, &now).expect("compares");
    assert_eq!(ranked(&comparison), ["flex 5"]);
    assert_eq!(comparison.left_out.last().map(|l| l.reason.kind()), Some(LeftOutKind::Impossible));
}

/// A model without a rate for sound charges its tokens as text; only a capability that is asked for keeps it out.
#[test]
fn a_count_alone_asks_for_no_capability() {
    let card = card("one", "1", &[chat("deaf", "1", ""), chat("hears", "2", r#", "capabilities": ["audio_input"]"#)]);
    let job = Job::new(tokens(0, 500).with(Meter::InputAudioTokens, 500));
    assert_eq!(ranked(&compare([&card], &job, &Terms::default()).expect("compares")), ["deaf 1", "hears 2"]);
    let job = Job { capabilities: vec![Capability::AudioInput], ..job };
    assert_eq!(ranked(&compare([&card], &job, &Terms::default()).expect("compares")), ["hears 2"]);
}

fn clip(seconds: u64, options: &[(&str, &str)]) -> Job {
    let options: BTreeMap<String, String> = options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Job { kind: Some(Kind::Video), options, ..Job::new(Usage::new().with(Meter::VideoSeconds, seconds * 1_000)) }
}

#[test]
fn a_clip_is_made_by_whoever_makes_such_clips() {
    let card = RateCard::aispace().expect("built in");
    let job = clip(8, &[("resolution", "1080p"), ("audio", "on")]);
    let comparison = compare([&card], &job, &Terms::default()).expect("compares");
    let first = comparison.ranked[0];
    assert_eq!(first.quote(&job, &Terms::default()).map(|q| (q.total, q.evidence)), Ok((first.total, first.evidence)));
    assert!(comparison.ranked.len() > 3 && comparison.ranked.iter().any(|c| c.evidence == Evidence::AssumedLinear));
    for candidate in &comparison.ranked {
        let rules = candidate.model.video.as_ref().expect("a clip's");
        assert!(rules.seconds.contains(&8) && rules.resolutions.iter().any(|r| r == "1080p"), "{}", candidate.model.id);
    }
    let reason = |id: &str| comparison.left_out.iter().find(|l| l.model.id == id).map(|l| l.reason.clone());
    let Some(LeftOutReason::Quote(QuoteError::Impossible { parameter, allowed, .. })) = reason("longcat-text-to-video") else { panic!() };
    assert_eq!((parameter.as_str(), allowed.join(" ").as_str()), ("seconds", "5 10 15 20 30"));
    assert_eq!(comparison.ranked.len() + comparison.left_out.len(), card.models().iter().filter(|m| m.kind == Kind::Video).count());
    // All of Sora went on 2026-09-24.
    let later = Terms::at("2026-09-24T00:00:00Z".parse().expect("an instant"));
    let gone = compare([&card], &clip(4, &[]), &later)
        .expect("compares")
        .left_out
        .iter()
        .filter(|l| l.reason.kind() == LeftOutKind::Retired)
        .count();
    assert_eq!(gone, 4);
}

#[test]
fn every_built_in_card_is_ranked_at_once() {
    let cards = RateCard::built_in().expect("built in");
    let job = Job { kind: Some(Kind::Chat), ..Job::new(tokens(500, 200)) };
    let comparison = compare(&cards, &job, &Terms::default()).expect("compares");
    let systems: std::collections::BTreeSet<&str> = comparison.ranked.iter().map(|c| c.card.id()).collect();
    assert_eq!(systems.into_iter().collect::<Vec<_>>(), ["aisa", "aispace", "pinnora"]);
    for pair in comparison.ranked.windows(2) {
        assert!(pair[0].usd() <= pair[1].usd());
    }
}

#[test]
fn discounts_apply_before_the_ranking() {
    let channels = |factor: &str| {
        format!(
            r#""channels": {{"name": "Channel", "default": "all", "values": [{{"id": "all", "factor": "1"}}, {{"id": "vip", "factor": "{factor}"}}]}}, "models""#
        )
    };
    let with = |id: &str, factor: &str, price: &str| {
        let plain = card(id, "1", &[chat(id, price, "")]);
        RateCard::from_json(&plain.to_json().replace(r#""models""#, &channels(factor))).expect("a card")
    };
    let (one, two, none) = (with("one", "0.1", "5"), with("two", "0.9", "2"), card("none", "1", &[chat("none", "1", "")]));
    let job = Job::new(tokens(1_000, 0));
    let order = |terms: &Terms| ranked(&compare([&one, &two, &none], &job, terms).expect("compares"));
    assert_eq!(order(&Terms::default()), ["none 1", "two 2", "one 5"]);
    let vip = Terms { channel: Discount::Named("vip".into()), ..Terms::default() };
    assert_eq!(order(&vip), ["one 0.5", "two 1.8"]);
    let comparison = compare([&none], &job, &vip).expect("compares");
    assert_eq!(comparison.left_out[0].reason.kind(), LeftOutKind::Impossible, "it has no such channel");
}

#[test]
fn a_job_that_cannot_be_compared_is_refused() {
    let card = card("one", "1", &[chat("m", "1", "")]);
    let refused = |job: Job| compare([&card], &job, &Terms::default()).expect_err("refused");
    assert_eq!(refused(Job::new(Usage::new())), CompareError::Nothing);
    let runs = refused(Job { runs: 0, ..Job::new(tokens(1, 1)) });
    assert_eq!(runs.to_string(), "runs must be 1 to 1,000,000, not 0");
    assert!(matches!(refused(Job { runs: 1_000_001, ..Job::new(tokens(1, 1)) }), CompareError::Count { what: "runs", .. }));
    let count = CompareError::Count { what: "output_tokens", given: COUNT_MAX + 1, least: 0, most: COUNT_MAX };
    assert_eq!(refused(Job::new(tokens(1, COUNT_MAX + 1))), count);
}

/// A few models of a system whose credit is worth about as much as that of another.
fn any_system() -> impl Strategy<Value = RateCard> {
    let worth = prop_oneof![Just("1"), Just("7.3"), Just("0.7"), Just("10000"), Just("3.00000000000000000001")];
    (worth, proptest::collection::vec((0u8..6, 0u64..4, 0u64..4), 1..6)).prop_map(|(per_usd, models)| {
        let unique: BTreeMap<u8, (u64, u64)> =
            models.into_iter().map(|(id, whole, ten_thousandths)| (id, (whole, ten_thousandths))).collect();
        // Whole multiples of the credit's worth, so that some are the same in dollars, and a little more, so that some almost are.
        let price =
            |whole: u64, more: u64| exact(per_usd).mul(Exact::from(whole)).and_then(|p| p.add(Exact::new(more.into(), 24))).expect("fits");
        let models: Vec<String> =
            unique.iter().map(|(id, (whole, more))| chat(&format!("m{id}"), &price(*whole, *more).to_string(), "")).collect();
        card("made-up", per_usd, &models)
    })
}

proptest! {
    #![proptest_config(cases(400))]

    /// Systems of different units, with prices that are the same in dollars or differ far behind the point.
    #[test]
    fn systems_are_ranked_as_fractions_of_a_dollar(cards in proptest::collection::vec(any_system(), 2..5), input in 1u64..3_000) {
        let comparison = compare(&cards, &Job::new(tokens(input, 0)), &Terms::default()).expect("compares");
        let mut expected: Vec<_> = (0..).zip(&cards).flat_map(|(at, card)| card.models().iter().map(move |model| {
            let total = total(card, &Job::new(tokens(input, 0)).run(model.id.clone()), &Terms::default()).expect("priced");
            (fraction(total) / fraction(card.unit().per_usd), model.id.as_str(), at)
        })).collect();
        expected.sort();
        let place = |card: &RateCard| cards.iter().position(|c| std::ptr::eq(c, card)).expect("one of them");
        let given: Vec<(&str, usize)> = comparison.ranked.iter().map(|c| (c.model.id.as_str(), place(c.card))).collect();
        prop_assert_eq!(given, expected.into_iter().map(|(_, id, at)| (id, at)).collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// On any cards: everybody is ranked or left out, at the total of a quote, in the order of fractions of a dollar.
    #[test]
    fn a_ranking_is_what_every_quote_by_itself_gives(
        made in proptest::collection::vec(words(250), 1..4), input in 1u64..2_000_000, output in 0u64..100_000, images in 0u64..3,
    ) {
        let made: Vec<_> = made.into_iter().map(|words| priced(words, 1)).collect();
        let terms = Terms { at: made[0].runs[0].1.at, ..Terms::default() };
        let job = Job { runs: 7, ..Job::new(tokens(input, output).with(Meter::Images, images)) };
        let comparison = compare(made.iter().map(|m| &m.card), &job, &terms).expect("compares");
        let mut expected = Vec::new();
        let mut refused = 0;
        for (at, card) in made.iter().map(|m| &m.card).enumerate() {
            for model in card.models() {
                match total(card, &job.run(model.id.clone()), &terms) {
                    Ok(total) => expected.push((fraction(total) / fraction(card.unit().per_usd), model.id.clone(), at, total)),
                    Err(_) => refused += 1,
                }
            }
        }
        expected.sort();
        let expected: Vec<(&str, Exact)> = expected.iter().map(|(_, id, _, total)| (id.as_str(), *total)).collect();
        let given: Vec<(&str, Exact)> = comparison.ranked.iter().map(|c| (c.model.id.as_str(), c.total)).collect();
        prop_assert_eq!(given, expected);
        prop_assert_eq!(comparison.left_out.len(), refused);
        for candidate in &comparison.ranked {
            let quote = quote(candidate.card, &job.run(candidate.model.id.clone()), &terms).expect("was ranked");
            prop_assert_eq!((quote.total, quote.evidence, quote.usd), (candidate.total, candidate.evidence, candidate.usd()));
        }
    }
}
