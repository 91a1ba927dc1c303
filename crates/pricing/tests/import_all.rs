//! What holds for every importer: a card that reads back as itself, bounded work, and no panic whatever the bytes.

mod import_support;
mod support;

use aispace_pricing::{
    Currency, FEED_BYTES_MAX, Feed, Import, ImportError, ImportTerms, MODELS_MAX, Posting, RateCard, Run, Terms, import, total,
};
use aispace_units::{Exact, Rounding};
use import_support::{LITE_LLM, SAMPLES, VENICE, read, refused, terms};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use support::cases;

/// The card written and read again.
fn again(card: &RateCard) -> RateCard {
    RateCard::from_json(&card.to_json()).expect("a card reads what it wrote")
}

/// Every model quotes at its base run, on the card's own day.
fn quotes(card: &RateCard) {
    let at = Terms::at(card.date().and_hms_opt(12, 0, 0).expect("noon").and_utc());
    for model in card.models() {
        total(card, &Run::base(model), &at).unwrap_or_else(|error| panic!("{}: {error}", model.id));
    }
}

#[test]
fn an_imported_card_reads_back_as_itself() {
    for (feed, text) in SAMPLES {
        let import = read(feed, text);
        assert!(!import.card.models().is_empty(), "{feed}");
        assert_eq!(again(&import.card), import.card, "{feed}");
        quotes(&import.card);
        assert_eq!(read(feed, text), import, "{feed}: the same again");
    }
}

#[test]
fn a_price_can_begin_to_hold() {
    let terms = ImportTerms { from: Some("2026-10-01T08:00:00Z".parse().expect("an instant")), ..terms() };
    for (feed, text) in SAMPLES {
        let import = import(feed, text.as_bytes(), &terms).expect("a feed");
        assert_eq!(import.card.models().len(), read(feed, text).card.models().len(), "{feed}");
        assert!(import.card.models().iter().flat_map(|m| &m.rates).all(|r| r.when.as_ref().is_some_and(|w| w.from == terms.from)));
        assert_eq!(again(&import.card), import.card);
        let model = import.card.models().first().expect("a model");
        let before = Terms::at("2026-10-01T07:59:59Z".parse().expect("an instant"));
        assert!(total(&import.card, &Run::base(model), &before).is_err(), "{feed}: before it holds there is no price");
    }
}

#[test]
fn the_terms_say_what_no_feed_does() {
    let credits = Currency { code: "aispace".into(), name: "AiSpace credits".into(), per_usd: Exact::from(10_000u64) };
    let posting = Posting { rule: Rounding::Up, decimals: Some(2), step: None, minimum: None };
    let terms = ImportTerms { unit: credits, posting: Some(posting), ..terms() };
    let card = import(Feed::VeniceModels, VENICE.as_bytes(), &terms).expect("a feed").card;
    let cost = total(&card, &Run::chat("llama-3.3-70b", 1_000, 200), &Terms::default()).expect("priced");
    assert_eq!((cost.to_string(), card.posted(cost).expect("fits").to_string()), ("12.6".into(), "12.6".into()));
    let wrong = ImportTerms { id: "No Id".into(), ..terms };
    assert!(matches!(import(Feed::VeniceModels, VENICE.as_bytes(), &wrong), Err(ImportError::Card(_))));
}

#[test]
fn what_is_no_feed_is_refused() {
    for feed in Feed::ALL.iter().copied() {
        assert_eq!(feed.as_str().parse(), Ok(feed));
        for text in ["", "<html>", "{\"data\": [", "{} {}", "{\"data\": NaN}", "[1,2"] {
            assert!(matches!(refused(feed, text), ImportError::Syntax { .. }), "{feed} {text}");
        }
        assert!(import(feed, &[0xff, 0xfe], &terms()).is_err());
        assert!(matches!(refused(feed, "\"text\""), ImportError::Shape { .. }), "{feed}");
    }
    assert!(matches!(refused(Feed::OpenRouter, "{}"), ImportError::Shape { .. }));
    assert!(matches!(refused(Feed::OpenRouter, r#"{"data": [], "data": []}"#), ImportError::Shape { .. }));
    assert!(read(Feed::OpenRouter, "\u{feff}{\"data\": []}").card.models().is_empty(), "a byte order mark is no part of it");
    assert!(read(Feed::LiteLlm, "{}").card.models().is_empty());
}

#[test]
fn sizes_have_ends() {
    let spaces = " ".repeat(FEED_BYTES_MAX + 1);
    assert_eq!(refused(Feed::LiteLlm, &spaces), ImportError::TooLarge { bytes: FEED_BYTES_MAX + 1 });
    let many = format!("{{\"data\": [{}0]}}", "0,".repeat(MODELS_MAX));
    assert!(matches!(refused(Feed::OpenRouter, &many), ImportError::TooMany { what: "models", .. }));
    let long = format!(r#"{{"data": [{{"id": "{}", "pricing": {{"prompt": "1", "completion": "1"}}}}]}}"#, "x".repeat(100_000));
    let import = read(Feed::OpenRouter, &long);
    assert_eq!(import.skipped.len(), 1);
    assert!(import.skipped[0].model_id.len() < 300 && import.skipped[0].reason.to_string().len() < 300);
    let overrides: Vec<String> = (1..300).map(|n| format!(r#"{{"min_prompt_tokens": {n}, "prompt": "1"}}"#)).collect();
    let import = read(
        Feed::OpenRouter,
        &format!(r#"[{{"id": "a", "pricing": {{"prompt": "1", "completion": "1", "overrides": [{}]}}}}]"#, overrides.join(",")),
    );
    assert!(import.skipped[0].reason.to_string().contains("256 rates"));
}

#[test]
fn depth_is_no_danger() {
    for feed in Feed::ALL.iter().copied() {
        for (open, close) in [("[", "]"), ("{\"data\":", "}"), ("{\"a\":", "}")] {
            let deep = format!("{}0{}", open.repeat(200_000), close.repeat(200_000));
            let _ = import(feed, deep.as_bytes(), &terms());
            let inside = format!(
                r#"{{"group_ratio": {{"a": 1}}, "data": [{{"id": "x", "model_name": "x", "pricing": {deep}}}], "x": {{"input_cost_per_token": {deep}}}}}"#
            );
            let _ = import(feed, inside.as_bytes(), &terms());
        }
    }
}

/// One edit of a JSON text: a value or a key somewhere becomes another.
fn mutate(value: &mut Value, path: &[Index], new: &Value) {
    match (value, path) {
        (Value::Object(map), [at, rest @ ..]) if !map.is_empty() => {
            let key = map.keys().nth(at.index(map.len())).expect("in range").clone();
            match rest {
                [] => {
                    map.insert(key, new.clone());
                }
                _ => mutate(map.get_mut(&key).expect("a key of it"), rest, new),
            }
        }
        (Value::Array(list), [at, rest @ ..]) if !list.is_empty() => {
            let at = at.index(list.len());
            match rest {
                [] => list[at] = new.clone(),
                _ => mutate(&mut list[at], rest, new),
            }
        }
        (value, _) => *value = new.clone(),
    }
}

fn odd_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[1-9][0-9]{0,2}(\\.[0-9]{1,20})?(e-?[0-9]{1,2})?".prop_map(|text| serde_json::from_str(&text).expect("a number")),
        (0u64..1_000_000).prop_map(|n| json!(format!("0.{n:06}"))),
        "\\PC{0,20}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"usd": 1, "diem": 1})),
        Just(json!([{"min_prompt_tokens": 5, "prompt": "1"}])),
        Just(json!(-1)),
        Just(json!("-1")),
        Just(json!("1e-300")),
        "[pclen<>=?:+*0-9. ()]{0,40}".prop_map(Value::from),
    ]
}

/// Whatever became of it: it reads back as itself, every model quotes, and no price came from nowhere.
fn holds_together(import: &Import) {
    assert_eq!(again(&import.card), import.card);
    quotes(&import.card);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_bytes_panic(at in 0..Feed::ALL.len(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = import(Feed::ALL[at], &bytes, &terms());
    }

    #[test]
    fn no_cut_sample_panics(at in 0..SAMPLES.len(), cut in any::<Index>(), byte: u8) {
        let (feed, text) = SAMPLES[at];
        let mut bytes = text.trim_end().as_bytes().to_vec();
        let cut = cut.index(bytes.len());
        bytes[cut] = byte;
        if let Ok(import) = import(feed, &bytes, &terms()) {
            holds_together(&import);
        }
        bytes.truncate(cut);
        prop_assert!(import(feed, &bytes, &terms()).is_err());
    }

    #[test]
    fn a_changed_feed_is_refused_or_holds_together(
        at in 0..SAMPLES.len(),
        edits in prop::collection::vec((prop::collection::vec(any::<Index>(), 1..6), odd_values()), 1..6),
    ) {
        let (feed, text) = SAMPLES[at];
        let mut value: Value = serde_json::from_str(text).expect("JSON");
        for (path, new) in &edits {
            mutate(&mut value, path, new);
        }
        if let Ok(import) = import(feed, value.to_string().as_bytes(), &terms()) {
            holds_together(&import);
        }
    }

    #[test]
    fn a_random_map_of_prices_reads_back(models in prop::collection::btree_map("[a-z]{1,6}/[a-z0-9.]{1,8}", random_model(), 0..20)) {
        let text = serde_json::to_string(&models).expect("writes");
        let import = read(Feed::LiteLlm, &text);
        prop_assert_eq!(import.card.models().len() + import.skipped.len(), models.len());
        holds_together(&import);
    }

    #[test]
    fn a_random_price_is_the_price(mantissa in 0u64.., scale in 0u32..30, tokens in 0u64..1_000_000_000) {
        let price = Exact::new(mantissa.into(), scale);
        let text = format!(r#"{{"data": [{{"id": "a", "pricing": {{"prompt": "{price}", "completion": "0"}}}}]}}"#);
        let import = read(Feed::OpenRouter, &text);
        let Some(model) = import.card.models().first() else {
            prop_assert!(import.skipped[0].reason.to_string().contains("digits") || import.skipped[0].reason.to_string().contains("base run"));
            return Ok(());
        };
        let usage = aispace_pricing::Usage::new().with(aispace_pricing::Meter::InputTokens, tokens);
        if let Ok(cost) = total(&import.card, &Run::new(&*model.id, usage), &Terms::default()) {
            prop_assert_eq!(Ok(cost), price.mul(Exact::from(tokens)));
        }
    }
}

/// A row of LiteLLM's map out of known names.
fn random_model() -> impl Strategy<Value = Value> {
    let fields: Vec<String> = serde_json::from_str::<Value>(LITE_LLM)
        .expect("JSON")
        .as_object()
        .expect("an object")
        .values()
        .flat_map(|row| row.as_object().expect("a row").keys().cloned().collect::<Vec<_>>())
        .filter(|field| field.contains("cost"))
        .collect();
    let modes = [
        "chat",
        "embedding",
        "image_generation",
        "video_generation",
        "audio_speech",
        "audio_transcription",
        "rerank",
        "search",
        "realtime",
    ];
    let prices = prop::collection::btree_map(prop::sample::select(fields), (0u32..100, 0u32..9), 0..8);
    (prices, prop::sample::select(modes.to_vec()), any::<bool>()).prop_map(|(prices, mode, xai)| {
        let mut row = serde_json::Map::new();
        for (field, (mantissa, exponent)) in prices {
            // A number of the text, so that no float is between.
            row.insert(field, Value::String(format!("{mantissa}e-{exponent}")));
        }
        row.insert("mode".into(), mode.into());
        row.insert("litellm_provider".into(), if xai { "xai" } else { "made-up" }.into());
        Value::Object(row)
    })
}
