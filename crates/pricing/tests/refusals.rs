//! Every refusal of a run and of its counts, with its words. Those of a card are in `card_refusals`.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{
    COUNT_MAX, Convention, Discount, Meter, QuoteError, RUNS_MAX, RateCard, Run, Terms, TokenReport, Usage, UsageError, quote, total,
};
use aispace_units::{Exact, UnitError};
use serde_json::json;
use support::small::{self, card_of, card_with, rate, rate_when};

fn aispace() -> RateCard {
    RateCard::aispace().expect("a test reads it")
}

/// What both ways refuse with.
fn refused(card: &RateCard, run: &Run, terms: &Terms) -> QuoteError {
    let error = quote(card, run, terms).expect_err("refused");
    assert_eq!(total(card, run, terms), Err(error.clone()), "both ways refuse alike");
    error
}

fn refused_clip(id: &str, seconds: u32, resolution: Option<&str>, audio: Option<bool>) -> QuoteError {
    refused(&aispace(), &Run::clip(id, seconds, resolution, audio), &Terms::default())
}

fn impossible(model_id: &str, parameter: &str, given: &str, allowed: &[&str]) -> QuoteError {
    let allowed = allowed.iter().map(|a| (*a).to_owned()).collect();
    QuoteError::Impossible { model_id: model_id.into(), parameter: parameter.into(), given: given.into(), allowed }
}

#[test]
fn an_unknown_model_is_refused_with_the_nearest() {
    let error = refused_clip("sora-2-txt-to-video", 4, None, None);
    let QuoteError::UnknownModel { nearest, .. } = &error else { panic!("{error:?}") };
    assert_eq!(nearest.first().map(String::as_str), Some("sora-2-text-to-video"));
    assert_eq!(nearest.len(), 3);
    assert!(error.to_string().starts_with("no model \"sora-2-txt-to-video\"; nearest: sora-2-text-to-video, "), "{error}");
    for (typed, meant) in [("venice smal", "qwen3-4b"), ("QWEN3-4", "qwen3-4b"), ("tts-kokro", "tts-kokoro")] {
        let QuoteError::UnknownModel { nearest, .. } = refused(&aispace(), &Run::chat(typed, 1, 1), &Terms::default()) else {
            panic!("known")
        };
        assert_eq!(nearest.first().map(String::as_str), Some(meant), "{typed}");
    }
    let empty = card_with("/models", json!([])).expect("well formed");
    assert_eq!(refused(&empty, &Run::chat("m", 1, 1), &Terms::default()).to_string(), "no model \"m\"; nearest: none");
    let long = "x".repeat(1_000_000);
    assert!(matches!(refused(&aispace(), &Run::chat(long, 1, 1), &Terms::default()), QuoteError::UnknownModel { .. }));
}

#[test]
fn an_alias_that_is_near_leads_to_its_model() {
    let mut card = small::card();
    let mut other = card["models"][0].clone();
    (other["id"], other["aliases"]) = (json!("zeta"), json!(["gpt-made-up-2026"]));
    card["models"].as_array_mut().expect("models").push(other);
    let card = RateCard::from_json(&card.to_string()).expect("well formed");
    let error = refused(&card, &Run::chat("gpt-made-up-2025", 1, 1), &Terms::default());
    assert_eq!(error.to_string(), "no model \"gpt-made-up-2025\"; nearest: zeta, words");
}

/// Three models: two that share an alias, and one whose id is an alias of the first.
fn shared_names() -> RateCard {
    let mut card = small::card();
    let model = card["models"][0].clone();
    for (id, name, aliases) in [("b", "Same", json!(["chat", "B-2"])), ("c", "same", json!(["b", "only-c"]))] {
        let mut model = model.clone();
        (model["id"], model["name"], model["aliases"]) = (json!(id), json!(name), aliases);
        card["models"].as_array_mut().expect("models").push(model);
    }
    card["models"][0]["aliases"] = json!(["chat", "chat", "words"]);
    RateCard::from_json(&card.to_string()).expect("well formed")
}

#[test]
fn an_alias_of_two_models_is_refused_with_both() {
    let card = shared_names();
    let error = refused(&card, &Run::chat("chat", 1, 1), &Terms::default());
    assert_eq!(error, QuoteError::AmbiguousModel { model_id: "chat".into(), candidates: vec!["words".into(), "b".into()] });
    assert_eq!(error.to_string(), "\"chat\" may be any of words, b");
    let error = refused(&card, &Run::chat("SAME", 1, 1), &Terms::default());
    assert_eq!(error.to_string(), "\"SAME\" may be any of b, c", "names in any case");
    assert_eq!(card.find("chat"), None);
}

#[test]
fn an_id_is_stronger_than_an_alias_of_the_same_name() {
    let card = shared_names();
    let id = |typed: &str| card.model(typed).map(|model| model.id.as_str());
    assert_eq!([id("b"), id("words"), id("only-c"), id("b-2"), id(" Words ")], [Ok("b"), Ok("words"), Ok("c"), Ok("b"), Ok("words")]);
    assert_eq!(card.find("b").and_then(|found| card.get(found)).map(|m| m.id.as_str()), Some("b"));
}

#[test]
fn an_impossible_clip_is_refused_with_what_is_allowed() {
    let id = "sora-2-text-to-video";
    assert_eq!(refused_clip(id, 5, None, None), impossible(id, "seconds", "5", &["4", "8", "12"]));
    assert_eq!(refused_clip(id, 0, None, None), impossible(id, "seconds", "0", &["4", "8", "12"]));
    assert_eq!(refused_clip(id, 4, Some("1080p"), None), impossible(id, "resolution", "1080p", &["720p"]));
    assert_eq!(refused_clip(id, 4, None, Some(false)), impossible(id, "audio", "off", &["on"]));
    let error = refused_clip("ovi-image-to-video", 5, Some("720p"), None);
    assert_eq!(error.to_string(), "ovi-image-to-video: resolution cannot be 720p; allowed: none");
    let mut clip = Run::clip(id, 4, None, None);
    clip.usage.set(Meter::VideoSeconds, 4_500);
    assert_eq!(refused(&aispace(), &clip, &Terms::default()), impossible(id, "seconds", "4.5", &["4", "8", "12"]));
    let mut clip = Run::clip(id, 4, None, None);
    clip.options.insert("audio".into(), "loud".into());
    assert_eq!(refused(&aispace(), &clip, &Terms::default()), impossible(id, "audio", "loud", &["on"]));
}

#[test]
fn an_impossible_option_tier_or_field_is_refused_with_what_is_allowed() {
    let mut card = small::card();
    card["models"][0]["options"] = json!({"quality": {"allowed": ["low", "high"]}});
    card["models"][0]["rates"].as_array_mut().expect("rates").extend([
        rate_when("input_tokens", "3", json!({"tier": "flex"})),
        rate_when("output_tokens", "3", json!({"tier": "flex"})),
        rate_when("input_tokens", "3", json!({"tier": "batch"})),
    ]);
    card["fields"] = json!([
        {"field": "pay_go", "models": ["w*"], "values": {"standard": "1", "priority": "1.8"}, "default": "standard"},
        {"field": "elsewhere", "models": ["other"], "values": {"standard": "1"}, "default": "standard"},
    ]);
    let card = RateCard::from_json(&card.to_string()).expect("well formed");
    let with = |change: &dyn Fn(&mut Run)| {
        let mut run = Run::chat("words", 1, 1);
        change(&mut run);
        refused(&card, &run, &Terms::default())
    };
    let option = |name: &str, value: &str| with(&|run| _ = run.options.insert(name.into(), value.into()));
    assert_eq!(option("quality", "medium"), impossible("words", "quality", "medium", &["low", "high"]));
    assert_eq!(option("colour", "red"), impossible("words", "colour", "red", &[]));
    assert_eq!(option("resolution", "720p"), impossible("words", "resolution", "720p", &[]));
    assert_eq!(with(&|run| run.tier = Some("turbo".into())), impossible("words", "tier", "turbo", &["batch", "flex"]));
    let field = |name: &str, value: &str| with(&|run| _ = run.fields.insert(name.into(), value.into()));
    assert_eq!(field("pay_go", "later"), impossible("words", "pay_go", "later", &["priority", "standard"]));
    assert_eq!(field("elsewhere", "standard"), impossible("words", "field", "elsewhere", &["pay_go"]));
    assert_eq!(field("colour", "red").to_string(), "words: field cannot be colour; allowed: pay_go");
    for usual in ["default", "standard", "auto"] {
        let run = Run { tier: Some(usual.into()), ..Run::chat("words", 1, 1) };
        assert!(quote(&card, &run, &Terms::default()).is_ok(), "{usual}");
    }
}

#[test]
fn an_impossible_channel_or_user_is_refused_with_those_there_are() {
    let mut card = small::card();
    card["channels"] = json!({"name": "Group", "default": "a", "values": [{"id": "a", "factor": "1"}, {"id": "b", "factor": "1"}]});
    card["users"] = json!({"name": "User", "default": "new", "values": [{"id": "new", "factor": "1"}, {"id": "gold", "factor": "0.9"}]});
    let mut served = card["models"][0].clone();
    (served["id"], served["channels"]) = (json!("served"), json!(["b"]));
    card["models"].as_array_mut().expect("models").push(served);
    let card = RateCard::from_json(&card.to_string()).expect("well formed");
    let of = |id: &str, channel: Discount, user: Discount| refused(&card, &Run::chat(id, 1, 1), &Terms { at: None, channel, user });
    let named = |id: &str| Discount::Named(id.into());
    assert_eq!(of("words", named("c"), Discount::Default), impossible("words", "channel", "c", &["a", "b"]));
    assert_eq!(of("served", named("a"), Discount::Default), impossible("served", "channel", "a", &["b"]));
    assert_eq!(of("words", Discount::Recharged(Exact::ONE), Discount::Default), impossible("words", "channel", "recharged", &[]));
    assert_eq!(of("words", Discount::Default, named("gilt")), impossible("words", "user", "gilt", &["new", "gold"]));
    let plain = RateCard::from_json(&small::card().to_string()).expect("well formed");
    let of = |channel: Discount, user: Discount| refused(&plain, &Run::chat("words", 1, 1), &Terms { at: None, channel, user });
    assert_eq!(of(named("a"), Discount::Default), impossible("words", "channel", "a", &[]));
    assert_eq!(of(Discount::Default, named("gold")), impossible("words", "user", "gold", &[]));
    assert_eq!(of(Discount::Default, Discount::Recharged(Exact::ONE)), impossible("words", "user", "recharged", &[]));
}

#[test]
fn counts_out_of_range_are_refused() {
    for runs in [0, RUNS_MAX + 1] {
        let error = refused(&aispace(), &Run::chat("qwen3-4b", 1, 1).times(runs), &Terms::default());
        assert_eq!(error, QuoteError::Count { what: "runs", given: u64::from(runs), least: 1, most: u64::from(RUNS_MAX) });
        assert_eq!(error.to_string(), format!("runs must be 1 to 1,000,000, not {runs}"));
    }
    assert!(quote(&aispace(), &Run::chat("qwen3-4b", 1, 1).times(RUNS_MAX), &Terms::default()).is_ok());
    for meter in Meter::ALL {
        for given in [COUNT_MAX + 1, u64::MAX] {
            let error = refused(&aispace(), &Run::new("qwen3-4b", Usage::new().with(*meter, given)), &Terms::default());
            assert_eq!(error, QuoteError::Count { what: meter.as_str(), given, least: 0, most: COUNT_MAX });
        }
    }
    assert!(quote(&aispace(), &Run::chat("qwen3-4b", COUNT_MAX, COUNT_MAX), &Terms::default()).is_ok());
}

#[test]
fn parts_of_less_than_their_total_are_refused() {
    let report = TokenReport { input: 100, cache_read: 60, cache_write_5m: 41, ..TokenReport::default() };
    let error = QuoteError::from(report.usage(Convention::Inclusive).expect_err("101 of 100"));
    assert_eq!(error, QuoteError::Usage(UsageError::PartAboveTotal { total_name: Meter::InputTokens, total: 100, parts: 101 }));
    assert_eq!(error.to_string(), "101 tokens of input_tokens are counted as parts, but only 100 in all");
    let report = TokenReport { output: 5, reasoning: 6, ..TokenReport::default() };
    assert_eq!(
        report.usage(Convention::Inclusive).expect_err("6 of 5").to_string(),
        "6 tokens of output_tokens are counted as parts, but only 5 in all"
    );
}

#[test]
fn a_count_finer_or_larger_than_its_meter_is_refused() {
    let number = |meter: Meter, text: &str| Usage::new().set_number(meter, text.parse().expect("a number"));
    assert_eq!(number(Meter::Images, "1.5"), Err(UsageError::Count { meter: Meter::Images, given: "1.5".into() }));
    assert_eq!(
        number(Meter::VideoSeconds, "1.0005").expect_err("too fine").to_string(),
        "video_seconds cannot be \"1.0005\": a count from 0, with at most 3 decimals"
    );
    assert_eq!(number(Meter::Megapixels, "1.048576"), Ok(()));
    assert_eq!(number(Meter::Megapixels, "1000000000"), Ok(()), "in pixels the most there may be");
    assert!(number(Meter::Megapixels, "1000000000.000001").is_err());
    assert!(number(Meter::InputTokens, "340282366920938463463374607431768211455").is_err());
    for (text, reason) in [
        (r#"{"images": -1}"#, "invalid type: integer `-1`, expected a whole number from 0, or a decimal in a string"),
        (r#"{"images": 1.5}"#, "invalid type: floating point"),
        (r#"{"images": "-1"}"#, "-1 is below zero"),
        (r#"{"images": null}"#, "invalid type: null"),
        (r#"{"images": 1, "images": 2}"#, "images is counted twice"),
        (r#"{"glances": 1}"#, "unknown variant `glances`, expected one of `input_tokens`"),
    ] {
        let error = serde_json::from_str::<Usage>(text).expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_meter_without_a_rate_is_refused_with_those_that_have_one() {
    let card = card_of(json!([rate("input_tokens", "1"), rate("output_tokens", "2")])).expect("well formed");
    let run = Run::new("words", Usage::new().with(Meter::InputTokens, 1).with(Meter::WebSearches, 1));
    let error = refused(&card, &run, &Terms::default());
    let priced = vec![Meter::InputTokens, Meter::OutputTokens];
    assert_eq!(error, QuoteError::NoRate { model_id: "words".into(), meter: Meter::WebSearches, priced });
    assert_eq!(error.to_string(), "words has no price for web_searches; it is priced by input_tokens, output_tokens");
    // A part has the price of its whole, but not the other way about.
    let card = card_of(json!([rate("requests", "1"), rate("cache_read_tokens", "1"), rate("input_tokens", "0")])).expect("well formed");
    let error = refused(&card, &Run::chat("words", 1, 1), &Terms::default());
    assert!(matches!(error, QuoteError::NoRate { meter: Meter::OutputTokens, .. }), "{error:?}");
}

#[test]
fn an_unknown_price_is_refused_and_never_guessed() {
    for (id, seconds, resolution, audio, combination) in [
        ("veo3.1-fast-text-to-video", 4, "4k", Some(true), "4 s, 4k, sound on"),
        ("veo3.1-full-text-to-video", 8, "720p", Some(true), "8 s, 720p, sound on"),
        ("sora-2-pro-text-to-video", 4, "true_1080p", None, "4 s, true_1080p, sound on"),
        ("wan-2.2-a14b-text-to-video", 5, "580p", None, "5 s, 580p, no sound"),
        ("ltx-2-fast-image-to-video", 6, "1440p", None, "6 s, 1440p, sound on"),
    ] {
        let error = refused_clip(id, seconds, Some(resolution), audio);
        assert_eq!(error, QuoteError::NoPrice { model_id: id.into(), combination: combination.into() });
        assert_eq!(error.to_string(), format!("no price is known for {id} at {combination}"));
    }
    let batch_only = rate_when("output_tokens", "1", json!({"tier": "batch"}));
    let card = card_of(json!([rate("input_tokens", "1"), batch_only])).expect("well formed");
    let error = refused(&card, &Run::chat("words", 1, 1), &Terms::default());
    assert_eq!(error, QuoteError::NoPrice { model_id: "words".into(), combination: "output_tokens".into() });
}

#[test]
fn a_price_that_depends_on_the_time_asks_for_it() {
    let card =
        card_of(json!([rate("input_tokens", "1"), rate_when("input_tokens", "2", json!({"weekdays": ["mon"]}))])).expect("well formed");
    let error = refused(&card, &Run::chat("words", 1, 0), &Terms::default());
    assert_eq!(error, QuoteError::InstantNeeded { model_id: "words".into() });
    assert_eq!(error.to_string(), "the price of words depends on the time of the run, which is not given");
}

#[test]
fn a_cost_of_more_than_38_digits_is_refused_and_a_fine_one_is_posted_by_the_named_rule() {
    let fine = card_of(json!([rate("input_tokens", "0.0000000005000000000000000001")])).expect("well formed");
    let quoted = quote(&fine, &Run::chat("words", 1, 0), &Terms::default()).expect("38 digits hold it");
    assert_eq!(quoted.posted().map(|p| p.to_string()).as_deref(), Ok("0.000000001"), "half a step and a little is one step");
    let wide = card_of(json!([rate("input_tokens", "1234567890.1234567890123456789012345678")])).expect("well formed");
    let error = refused(&wide, &Run::chat("words", 99, 0), &Terms::default());
    assert!(matches!(&error, QuoteError::NotExact(UnitError::OutOfRange { .. })), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the cost cannot be held exactly: 1234567890.1234567890123456789012345678 × 99 cannot be represented exactly"
    );
    let apart = card_of(json!([rate("input_tokens", "1000000000000"), rate("output_tokens", "0.0000000000000000000000000001")]));
    assert!(matches!(refused(&apart.expect("well formed"), &Run::chat("words", 1, 1), &Terms::default()), QuoteError::NotExact(_)));
}

#[test]
fn both_ways_name_the_same_of_two_reasons() {
    let rates = json!([rate("input_tokens", "1000000000000"), rate("output_tokens", "0.0000000000000000000000000001")]);
    let card = card_of(rates).expect("well formed");
    let mut run = Run::chat("words", 1, 1);
    run.usage.set(Meter::WebSearches, 1);
    assert!(matches!(refused(&card, &run, &Terms::default()), QuoteError::NoRate { meter: Meter::WebSearches, .. }));
    let (found, mut bill) = (card.find("words").expect("its model"), aispace_pricing::Bill::new());
    assert!(matches!(card.bill(found, &run.usage, &mut bill), Err(QuoteError::NoRate { .. })));
    assert!(bill.lines().next().is_none() && bill.total().is_zero(), "a refused bill is empty");
}

#[test]
fn another_unit_is_quoted_but_not_posted_to_this_ledger() {
    let card = card_with("/unit", json!({"code": "points", "name": "Points", "per_usd": "10000"})).expect("well formed");
    let quoted = quote(&card, &Run::chat("words", 1, 0), &Terms::default()).expect("a price");
    assert_eq!((quoted.total.to_string().as_str(), quoted.posted().is_ok()), ("10000", true));
    assert!(matches!(quoted.posted_credits(), Err(UnitError::OwnerMismatch { .. })));
    let quoted = quote(&aispace(), &Run::chat("qwen3-4b", 500, 200), &Terms::default()).expect("a price");
    assert_eq!(quoted.posted_credits().map(|n| n.nanos()), Ok(550_000_000));
    let dear = Run::chat("qwen3-4b", COUNT_MAX, COUNT_MAX).times(RUNS_MAX);
    assert!(quote(&aispace(), &dear, &Terms::default()).expect("a price").posted_credits().is_err(), "more than a ledger holds");
}
