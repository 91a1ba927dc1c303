//! Every refusal, of a card and of a run.
#![allow(missing_docs)]

use aispace_pricing::{COUNT_MAX, CardError, Kind, ParameterName, Parameters, QuoteError, RUNS_MAX, RateCard, Run, quote};
use serde_json::{Value, json};

fn refused(model_id: &str, parameters: Parameters, runs: u32) -> QuoteError {
    let card = RateCard::aispace().expect("well formed");
    let run = Run { model_id: model_id.to_owned(), parameters, runs };
    quote(&card, &run).expect_err("refused")
}

fn clip(seconds: u32, resolution: Option<&str>, audio: Option<bool>) -> Parameters {
    Parameters::Video { seconds, resolution: resolution.map(str::to_owned), audio }
}

#[test]
fn an_unknown_model_is_refused_with_the_nearest() {
    let error = refused("sora-2-txt-to-video", clip(4, None, None), 1);
    let QuoteError::UnknownModel { nearest, .. } = &error else { panic!("{error:?}") };
    assert_eq!(nearest.first().map(String::as_str), Some("sora-2-text-to-video"));
    assert_eq!(nearest.len(), 3);
    assert!(error.to_string().starts_with("no model \"sora-2-txt-to-video\"; nearest: sora-2-text-to-video, "), "{error}");
    let QuoteError::UnknownModel { nearest, .. } = refused("venice smal", clip(4, None, None), 1) else { panic!("known") };
    assert_eq!(nearest.first().map(String::as_str), Some("qwen3-4b"), "names count too");
}

#[test]
fn a_run_of_another_kind_is_refused() {
    let error = refused("qwen3-4b", Parameters::Image { images: 1 }, 1);
    assert_eq!(error, QuoteError::WrongKind { model_id: "qwen3-4b".into(), expected: Kind::Chat, given: Kind::Image });
}

#[test]
fn an_impossible_clip_is_refused_with_what_is_allowed() {
    let model_id = "sora-2-text-to-video";
    let impossible = |parameter, given: &str, allowed: &[&str]| QuoteError::Impossible {
        model_id: model_id.into(),
        parameter,
        given: given.into(),
        allowed: allowed.iter().map(|a| (*a).to_owned()).collect(),
    };
    assert_eq!(refused(model_id, clip(5, None, None), 1), impossible(ParameterName::Seconds, "5", &["4", "8", "12"]));
    assert_eq!(refused(model_id, clip(4, Some("1080p"), None), 1), impossible(ParameterName::Resolution, "1080p", &["720p"]));
    assert_eq!(refused(model_id, clip(4, None, Some(false)), 1), impossible(ParameterName::Audio, "off", &["on"]));
    let error = refused("ovi-image-to-video", clip(5, Some("720p"), None), 1);
    assert_eq!(error.to_string(), "ovi-image-to-video: resolution cannot be 720p; allowed: none");
}

#[test]
fn counts_out_of_range_are_refused() {
    let one = || Parameters::Image { images: 1 };
    for runs in [0, RUNS_MAX + 1] {
        let error = refused("image-generation", one(), runs);
        assert_eq!(error, QuoteError::Count { what: "runs", given: u64::from(runs), least: 1, most: u64::from(RUNS_MAX) });
    }
    let many = COUNT_MAX + 1;
    let chat = |input_tokens, output_tokens, web_searches, web_scrapes| Parameters::Chat {
        input_tokens,
        output_tokens,
        web_searches,
        web_scrapes,
    };
    for (id, parameters, what) in [
        ("image-generation", Parameters::Image { images: many }, "images"),
        ("tts-kokoro", Parameters::Audio { characters: many }, "characters"),
        ("text-embedding-bge-m3", Parameters::Embedding { input_tokens: many }, "input_tokens"),
        ("web-scraping", Parameters::Search { calls: many }, "web_scrapes"),
        ("qwen3-4b", chat(many, 0, 0, 0), "input_tokens"),
        ("qwen3-4b", chat(0, many, 0, 0), "output_tokens"),
        ("qwen3-4b", chat(0, 0, many, 0), "web_searches"),
        ("qwen3-4b", chat(0, 0, 0, u64::MAX), "web_scrapes"),
    ] {
        let error = refused(id, parameters, 1);
        assert!(matches!(&error, QuoteError::Count { what: w, least: 0, .. } if *w == what), "{id}: {error:?}");
    }
    assert_eq!(refused("image-generation", one(), 0).to_string(), "runs must be 1 to 10,000, not 0");
}

#[test]
fn an_unknown_price_is_refused_and_never_guessed() {
    for (id, parameters, combination) in [
        ("veo3.1-fast-text-to-video", clip(4, Some("4k"), Some(true)), "4 s, 4k, sound on"),
        ("veo3.1-full-text-to-video", clip(8, Some("720p"), Some(true)), "8 s, 720p, sound on"),
        ("sora-2-pro-text-to-video", clip(4, Some("true_1080p"), None), "4 s, true_1080p, sound on"),
        ("wan-2.2-a14b-text-to-video", clip(5, Some("580p"), None), "5 s, 580p, no sound"),
        ("ltx-2-fast-image-to-video", clip(6, Some("1440p"), None), "6 s, 1440p, sound on"),
    ] {
        assert_eq!(refused(id, parameters, 1), QuoteError::NoPrice { model_id: id.into(), combination: combination.into() });
    }
}

fn small_card() -> Value {
    json!({
        "format": "aispace-rate-card/1", "id": "small", "name": "Small", "date": "2026-01-01", "owner": "aispace",
        "posting": {"rule": "half_up", "decimals": 9},
        "models": [{
            "id": "words", "name": "Words", "capabilities": [], "base": {"kind": "chat", "input_tokens": 1, "output_tokens": 0},
            "rates": [
                {"meter": "input_tokens", "amount": "5", "unit": "credits", "per": "10k"},
                {"meter": "output_tokens", "amount": "7", "unit": "credits", "per": "1k"},
            ],
        }],
    })
}

fn card_with(pointer: &str, value: Value) -> Result<RateCard, CardError> {
    let mut card = small_card();
    *card.pointer_mut(pointer).expect("the place is there") = value;
    RateCard::from_json(&card.to_string())
}

#[test]
fn a_cost_that_is_not_exact_is_refused_and_a_fine_one_is_posted_by_the_named_rule() {
    let fine = card_with("/models/0/rates/0/amount", json!("0.00000000100000000001")).expect("well formed");
    let parameters = |input_tokens| Parameters::Chat { input_tokens, output_tokens: 0, web_searches: 0, web_scrapes: 0 };
    let run = |input_tokens| Run { model_id: "words".into(), parameters: parameters(input_tokens), runs: 1 };
    let quoted = quote(&fine, &run(5_000));
    assert_eq!(quoted.expect("28 digits hold it").posted().map(|n| n.nanos()), Ok(1), "half a step and a little is one step");
    let finest = card_with("/models/0/rates/1/amount", json!("0.0000000000000000000000000001")).expect("well formed");
    let too_fine = Run {
        model_id: "words".into(),
        parameters: Parameters::Chat { input_tokens: 0, output_tokens: 1, web_searches: 0, web_scrapes: 0 },
        runs: 1,
    };
    assert!(matches!(quote(&finest, &too_fine), Err(QuoteError::NotExact(_))));
}

#[test]
fn a_chat_model_without_a_search_rate_has_no_price_for_a_search() {
    let card = RateCard::from_json(&small_card().to_string()).expect("well formed");
    let parameters = Parameters::Chat { input_tokens: 1, output_tokens: 1, web_searches: 1, web_scrapes: 0 };
    let error = quote(&card, &Run { model_id: "words".into(), parameters, runs: 1 });
    assert_eq!(error, Err(QuoteError::NoPrice { model_id: "words".into(), combination: "web_searches".into() }));
}

#[test]
fn another_owner_is_quoted_but_not_posted_to_this_ledger() {
    let card = card_with("/owner", json!("pinnora")).expect("well formed");
    let quoted = quote(&card, &card.models().first().expect("one").base_run()).expect("priced");
    assert_eq!((quoted.total.credits(), quoted.usd.get()), (quoted.usd.get(), quoted.total.credits()));
    assert!(quoted.posted().is_err());
}

#[test]
fn cards_that_are_wrong_are_refused_whole() {
    assert!(matches!(RateCard::from_json("{"), Err(CardError::Syntax { .. })));
    let other = card_with("/format", json!("aispace-rate-card/2"));
    assert_eq!(other, Err(CardError::Format { given: "aispace-rate-card/2".into() }));
    for (pointer, value) in [
        ("/models/0/rates/0/amount", json!(5)),
        ("/models/0/rates/0/amount", json!("-5")),
        ("/models/0/rates/0/amount", json!("1e3")),
        ("/models/0/rates/0/meter", json!("glances")),
        ("/models/0/rates/0/per", json!("2")),
        ("/date", json!("2026-13-01")),
        ("/models/0/rates/0", json!({"meter": "input_tokens", "amount": "5", "unit": "credits", "per": "1", "discount": "0.5"})),
    ] {
        let error = card_with(pointer, value.clone());
        assert!(matches!(error, Err(CardError::Syntax { .. })), "{pointer} {value}: {error:?}");
    }
    let twice = json!([small_card()["models"][0], small_card()["models"][0]]);
    assert_eq!(card_with("/models", twice), Err(CardError::Duplicate { model_id: "words".into() }));
}

#[test]
fn cards_that_contradict_themselves_are_refused() {
    let mut no_output = small_card();
    no_output["models"][0]["rates"].as_array_mut().expect("rates").pop();
    let mut unknown_add_on = small_card();
    unknown_add_on["add_ons"] = json!([{"meter": "web_searches", "rates_of": "nothing"}]);
    let mut odd_rounding = small_card();
    odd_rounding["meter_rounding"] = json!([{"meter": "input_tokens", "rule": "up", "decimals": 3}]);
    let mut credits_in_cents = small_card();
    credits_in_cents["meter_rounding"] = json!([{"meter": "input_tokens", "rule": "up", "decimals": 2}]);
    let mut fine_posting = small_card();
    fine_posting["posting"]["decimals"] = json!(10);
    let mut clip_without_rules = small_card();
    clip_without_rules["models"][0]["base"] = json!({"kind": "video", "seconds": 4});
    let mut misprint: Value = serde_json::from_str(include_str!("../cards/aispace.json")).expect("json");
    let sora = misprint["models"].as_array_mut().expect("models").iter_mut().find(|m| m["id"] == "sora-2-text-to-video").expect("listed");
    sora["video"]["printed"]["credits"] = json!("4401");
    for card in [no_output, unknown_add_on, odd_rounding, credits_in_cents, fine_posting, clip_without_rules, misprint] {
        let error = RateCard::from_json(&card.to_string());
        assert!(matches!(error, Err(CardError::Contradiction { .. })), "{error:?}");
    }
}
