//! The JSON Schema of the format and the reader of cards say the same.
#![allow(missing_docs)]

use aispace_pricing::{CardError, RateCard};
use jsonschema::Validator;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../docs/rate-card.schema.json");
const BUILT_IN: [(&str, &str); 4] = [
    ("aispace", include_str!("../cards/aispace.json")),
    ("aisa", include_str!("../cards/aisa.json")),
    ("pinnora", include_str!("../cards/pinnora.json")),
    ("channel", include_str!("../cards/channel.json")),
];

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).expect("json");
    assert!(jsonschema::meta::is_valid(&schema), "the schema is one of draft 2020-12");
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).expect("a schema")
}

/// A card with every field of the format, at made-up prices.
fn whole_card() -> Value {
    json!({
        "format": "aispace-rate-card/2", "id": "whole-1", "name": "Whole", "date": "2026-01-31", "date_note": "a day", "note": "made up",
        "unit": {"code": "points", "name": "Points", "per_usd": "100"},
        "display": [{"code": "cny", "name": "Chinese yuan", "per_usd": "7.3"}],
        "posting": {"rule": "half_even", "step": "0.01", "minimum": "0.02"},
        "hold": {"basis": "fixed", "amount": "5"},
        "rounding": [{"meter": "video_seconds", "rule": "up", "decimals": 2}],
        "channels": {"name": "Channel", "default": "main", "values": [{"id": "main", "factor": "1", "name": "Main"}]},
        "users": {"name": "User", "default": "new", "values": [
            {"id": "new", "factor": "1"},
            {"id": "gold", "factor": "0.9", "name": "Gold", "recharged_usd_at_least": "100", "channels": {"main": "0.5"}},
        ]},
        "fields": [{"field": "speed", "name": "Speed", "models": ["clip*"], "values": {"slow": "1", "fast": "1.8"}, "default": "slow"}],
        "add_ons": [{"meter": "web_searches", "group": "family", "rates_of": "search"}],
        "models": [whole_chat(), whole_clip(), {
            "id": "search", "name": "Search", "kind": "search", "base": {"usage": {"web_searches": 1}},
            "rates": [{"meter": "web_searches", "amount": "0.01", "unit": "usd", "per": "1"}],
        }],
    })
}

fn whole_chat() -> Value {
    json!({
        "id": "chat", "name": "Chat", "printed_name": "Chat (new)", "aliases": ["talk"], "kind": "chat", "group": "family",
        "capabilities": ["function_calling", "vision"], "limits": {"context_tokens": 128_000, "output_tokens": 8_000},
        "base": {"usage": {"input_tokens": 500, "output_tokens": 200, "audio_seconds": "1.5"}, "options": {"quality": "high"}, "tier": "batch"},
        "options": {"quality": {"allowed": ["low", "high"], "default": "low"}}, "channels": ["main"],
        "rates": [
            {"meter": "input_tokens", "amount": "3", "unit": "credits", "per": "1M", "included": 10, "source": "a list", "note": "a note"},
            {"meter": "input_tokens", "amount": "6", "unit": "credits", "per": "1M", "when": {
                "from": "2026-02-01T00:00:00Z", "until": "2027-02-01T00:00:00+01:00", "daily": {"from": "16:30", "until": "00:30"},
                "weekdays": ["mon", "sun"], "prompt_tokens": {"over": 1, "at_least": 2, "under": 200_000, "at_most": 199_999},
                "tier": "batch", "options": {"quality": "high"},
            }},
            {"meter": "output_tokens", "amount": "15", "unit": "usd", "per": "1M"},
            {"meter": "audio_seconds", "amount": "0.1", "unit": "usd", "per": "1", "when": {"seconds": {"at_least": 1, "at_most": 60}}},
            {"meter": "cache_read_tokens", "times": "0.1", "of": "input_tokens"},
        ],
        "added": "2025-01-01", "retired": "2027-01-01", "note": "made up",
    })
}

fn whole_clip() -> Value {
    json!({
        "id": "clip-1", "name": "Clip", "kind": "video",
        "base": {"usage": {"video_seconds": 5}, "options": {"resolution": "720p", "audio": "on"}},
        "video": {
            "variant": "text_to_video", "pricing": "dynamic", "seconds": [5, 10], "resolutions": ["720p"], "audio": "choice",
            "printed": {"credits": "50", "seconds": 5, "resolutions": ["720p"], "audio": true},
        },
        "rates": [{
            "meter": "video_seconds", "amount": "0.1", "unit": "usd", "per": "1", "when": {"resolution": "720p", "audio": "on"},
            "observed_seconds": [5], "derived_seconds": [10],
        }],
    })
}

fn edited(pointer: &str, value: Value) -> Value {
    let mut card = whole_card();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match card.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}: the place is there")) {
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) => items[key.parse::<usize>().expect("a place")] = value,
        other => panic!("{pointer}: {other} holds nothing"),
    }
    card
}

fn without(pointer: &str) -> Value {
    let mut card = whole_card();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let removed = card.pointer_mut(parent).and_then(Value::as_object_mut).and_then(|fields| fields.remove(key));
    assert!(removed.is_some(), "{pointer}: the field is there");
    card
}

#[test]
fn the_built_in_cards_are_valid() {
    let schema = schema();
    for (name, text) in BUILT_IN {
        let card: Value = serde_json::from_str(text).expect("json");
        let wrong: Vec<String> = schema.iter_errors(&card).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let read = RateCard::from_json(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.id(), name);
        let written: Value = serde_json::from_str(&read.to_json()).expect("json");
        assert!(schema.is_valid(&written), "{name}: as the program writes it");
    }
}

#[test]
fn a_card_with_every_field_is_valid() {
    let card = whole_card();
    let wrong: Vec<String> = schema().iter_errors(&card).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let read = RateCard::from_json(&card.to_string());
    assert!(read.is_ok(), "{read:?}");
    // A field that the schema has and the card has not would go untested below.
    let mut unused = defined_fields();
    for_each_field(&card, &mut |_, name| unused.retain(|defined| defined != name));
    assert!(unused.is_empty(), "{unused:?}");
}

fn defined_fields() -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).expect("json");
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    let mut names = Vec::new();
    for definition in definitions.chain([&schema]) {
        names.extend(definition["properties"].as_object().into_iter().flat_map(|p| p.keys().cloned()));
    }
    names.sort();
    names.dedup();
    names
}

fn for_each_field(value: &Value, see: &mut impl FnMut(&Value, &str)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| {
            see(inner, name);
            for_each_field(inner, see);
        }),
        Value::Array(items) => items.iter().for_each(|inner| for_each_field(inner, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_damaged_card_is_refused_by_both() {
    let schema = schema();
    let refused = |what: &str, card: &Value| {
        assert!(!schema.is_valid(card), "{what}: the schema takes it");
        let read = RateCard::from_json(&card.to_string());
        assert!(read.is_err(), "{what}: the reader takes it");
        read.expect_err("refused")
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("json");
    for (place, text) in DAMAGES {
        refused(&format!("{place} {text}"), &edited(place, parsed(text)));
    }
    for text in NO_AMOUNTS {
        let error = refused(text, &edited("/models/0/rates/0/amount", parsed(text)));
        assert!(matches!(error, CardError::Syntax { .. }), "{text}: {error}");
    }
    for object in OBJECTS {
        let error = refused(object, &edited(&format!("{object}/discount"), json!("0.5")));
        assert!(matches!(error, CardError::Syntax { .. }), "a field more in {object:?}: {error}");
    }
    for place in REQUIRED {
        let error = refused(place, &without(place));
        assert!(matches!(error, CardError::Syntax { .. }), "without {place}: {error}");
    }
}

const REQUIRED: [&str; 42] = [
    "/format",
    "/id",
    "/name",
    "/date",
    "/unit",
    "/unit/code",
    "/unit/name",
    "/unit/per_usd",
    "/display/0/per_usd",
    "/posting",
    "/posting/rule",
    "/hold/basis",
    "/hold/amount",
    "/rounding/0/meter",
    "/rounding/0/rule",
    "/rounding/0/decimals",
    "/channels/name",
    "/channels/default",
    "/channels/values",
    "/channels/values/0/id",
    "/channels/values/0/factor",
    "/users/default",
    "/users/values/0/factor",
    "/fields/0/field",
    "/fields/0/models",
    "/fields/0/values",
    "/fields/0/default",
    "/add_ons/0/meter",
    "/add_ons/0/rates_of",
    "/models",
    "/models/0/id",
    "/models/0/name",
    "/models/0/kind",
    "/models/0/base",
    "/models/0/base/usage",
    "/models/0/rates",
    "/models/0/options/quality/allowed",
    "/models/0/rates/0/meter",
    "/models/0/rates/0/amount",
    "/models/0/rates/4/of",
    "/models/1/video/variant",
    "/models/1/video/printed/credits",
];

/// A place and the JSON that is put there: one edit each, of a card that is valid without it.
const DAMAGES: [(&str, &str); 66] = [
    ("/format", r#""aispace-rate-card/1""#),
    ("/id", r#""Whole Card""#),
    ("/date", r#""2026-13-01""#),
    ("/date", r#""2026-02-29""#),
    ("/date", r#""31.01.2026""#),
    ("/unit/per_usd", "100"),
    ("/unit/per_usd", r#""0""#),
    ("/posting/rule", r#""half_down""#),
    ("/posting/decimals", "2"),
    ("/posting/step", r#""0.0""#),
    ("/posting/minimum", r#""-0.02""#),
    ("/hold/basis", r#""low""#),
    ("/hold/basis", r#""likely""#),
    ("/hold/amount", "5"),
    ("/rounding/0/decimals", "39"),
    ("/rounding/0/decimals", r#""2""#),
    ("/rounding/0/decimals", "-2"),
    ("/channels/values/0/factor", "1"),
    ("/channels/values", "[]"),
    ("/users/values/1/recharged_usd_at_least", r#""-100""#),
    ("/users/values/1/channels/main", "0.5"),
    ("/fields/0/values/fast", r#""+1.8""#),
    ("/fields/0/models/0", r#""""#),
    ("/add_ons/0/meter", r#""web_search""#),
    ("/models/0/id", r#""""#),
    ("/models/0/kind", r#""text""#),
    ("/models/0/aliases", r#""talk""#),
    ("/models/0/capabilities/0", r#""flying""#),
    ("/models/0/limits/context_tokens", r#""128k""#),
    ("/models/0/base/usage", r#"{"glances": 1}"#),
    ("/models/0/base/usage", "{}"),
    ("/models/0/base/usage/input_tokens", "-500"),
    ("/models/0/base/usage/input_tokens", "1.5"),
    ("/models/0/base/usage/input_tokens", "1000000000000001"),
    ("/models/0/base/options/quality", "1"),
    ("/models/0/options/quality/allowed", "[]"),
    ("/models/0/rates/0/meter", r#""glances""#),
    ("/models/0/rates/0/unit", r#""eur""#),
    ("/models/0/rates/0/per", r#""2""#),
    ("/models/0/rates/0/per", "1"),
    ("/models/0/rates/0/included", "-1"),
    ("/models/0/rates/0/times", r#""2""#),
    ("/models/0/rates/4/amount", r#""2""#),
    ("/models/0/rates/4/times", r#""-0.1""#),
    ("/models/0/rates/4/of", r#""prompt""#),
    ("/models/0/rates/1/when/from", r#""2026-02-01T00:00:00""#),
    ("/models/0/rates/1/when/from", r#""2026-02-30T00:00:00Z""#),
    ("/models/0/rates/1/when/until", r#""soon""#),
    ("/models/0/rates/1/when/daily/from", r#""24:00""#),
    ("/models/0/rates/1/when/daily", r#"{"from": "16:30"}"#),
    ("/models/0/rates/1/when/weekdays/0", r#""monday""#),
    ("/models/0/rates/1/when/weekdays/0", r#""Mon""#),
    ("/models/0/rates/1/when/weekdays", r#""mon""#),
    ("/models/0/rates/1/when/prompt_tokens/over", r#""1""#),
    ("/models/0/rates/1/when/prompt_tokens/above", "1"),
    ("/models/0/rates/3/when/seconds/at_most", "-1"),
    ("/models/0/added", r#""2025""#),
    ("/models/0/video", r#"{"variant": "text_to_video", "pricing": "dynamic", "seconds": [5], "resolutions": [], "audio": "never"}"#),
    ("/models/1/base/options/audio", "true"),
    ("/models/1/rates/0/when/audio", "true"),
    ("/models/1/rates/0/observed_seconds/0", "5.5"),
    ("/models/1/video/audio", r#""sometimes""#),
    ("/models/1/video/pricing", r#""flat""#),
    ("/models/1/video/seconds/0", r#""5""#),
    ("/models/1/video/printed/credits", "50"),
    ("/models/1/video/printed/audio", r#""on""#),
];

/// What no amount is.
const NO_AMOUNTS: [&str; 18] = [
    "3",
    "0.5",
    r#""-3""#,
    r#""+3""#,
    r#""1e3""#,
    r#"".5""#,
    r#""5.""#,
    r#""1,000""#,
    r#""1_000""#,
    r#""""#,
    r#"" 3""#,
    r#""3 ""#,
    r#""NaN""#,
    r#""0x1""#,
    r#""٣""#,
    r#"["3"]"#,
    r#""1000000000000000000000000000000000000000""#,
    r#""12345678901234567890.11111111111111111111""#,
];

/// The objects that a field too many is put into.
const OBJECTS: [&str; 24] = [
    "",
    "/unit",
    "/display/0",
    "/posting",
    "/hold",
    "/rounding/0",
    "/channels",
    "/channels/values/0",
    "/users",
    "/users/values/0",
    "/fields/0",
    "/add_ons/0",
    "/models/0",
    "/models/0/limits",
    "/models/0/base",
    "/models/0/options/quality",
    "/models/0/rates/0",
    "/models/0/rates/4",
    "/models/0/rates/1/when",
    "/models/0/rates/1/when/daily",
    "/models/0/rates/1/when/prompt_tokens",
    "/models/0/rates/3/when/seconds",
    "/models/1/video",
    "/models/1/video/printed",
];

/// Every place of the card with each of many values: what the reader cannot read the schema refuses, and what the reader takes the schema
/// takes.
#[test]
fn schema_and_reader_agree_on_every_place() {
    let schema = schema();
    let mut places = Vec::new();
    all_places(&whole_card(), "", &mut places);
    assert!(places.len() > 150, "{}", places.len());
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(7),
        json!(""),
        json!("x"),
        json!("1"),
        json!("on"),
        json!([]),
        json!({}),
        json!(["x"]),
    ];
    let mut disagree = Vec::new();
    for place in &places {
        for value in &values {
            let card = edited(place, value.clone());
            let valid = schema.is_valid(&card);
            match RateCard::from_json(&card.to_string()) {
                Ok(_) if !valid && !reads_as_empty(&schema, place, value) => {
                    disagree.push(format!("{place} {value}: only the reader takes it"));
                }
                Err(error @ (CardError::Syntax { .. } | CardError::Format { .. })) if valid => {
                    disagree.push(format!("{place} {value}: only the schema takes it: {error}"));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    assert!(disagree.is_empty(), "{} {disagree:#?}", disagree.len());
}

/// The reader takes `null` for a field that may be left out and `[]` for an object all of whose fields may; the schema does not.
fn reads_as_empty(schema: &Validator, place: &str, value: &Value) -> bool {
    match value {
        Value::Null => schema.is_valid(&without(place)),
        Value::Array(items) if items.is_empty() => schema.is_valid(&edited(place, json!({}))),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => false,
    }
}

fn all_places(value: &Value, place: &str, places: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, inner)| (name.clone(), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, inner)| (at.to_string(), inner)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, inner) in inner {
        let place = format!("{place}/{name}");
        places.push(place.clone());
        all_places(inner, &place, places);
    }
}
