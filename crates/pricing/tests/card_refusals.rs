//! Every refusal of a card, with its words. Every figure here is made up.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{CARD_BYTES_MAX, CardError, FORMAT, RateCard, Run, Terms, total};
use serde_json::{Value, json};
use support::small::{self, card_of, card_with, rate, rate_when};

fn reason(card: Result<RateCard, CardError>) -> String {
    match card.expect_err("refused") {
        CardError::Contradiction { model_id, reason } => format!("{model_id}: {reason}"),
        other => panic!("{other:?}"),
    }
}

fn warnings(card: Result<RateCard, CardError>) -> Vec<String> {
    card.expect("allowed").warnings().iter().map(ToString::to_string).collect()
}

/// The reason that a card is refused for with a thing in a place.
fn with(pointer: &str, value: Value) -> String {
    reason(card_with(pointer, value))
}

#[test]
fn what_is_not_the_json_of_a_card_is_refused_with_the_place() {
    let error = RateCard::from_json("{").expect_err("half an object");
    assert_eq!(error.to_string(), "not a rate card: EOF while parsing an object at line 1 column 1");
    for text in ["", "null", "[]", "{}", "\u{feff}{}", r#"{"format": 2}"#, r#"{"format": "aispace-rate-card/2"}"#] {
        assert!(matches!(RateCard::from_json(text), Err(CardError::Syntax { .. })), "{text}");
    }
    for (pointer, value, says) in [
        ("/models/0/rates/0/amount", json!(5), "expected a plain decimal in a string"),
        ("/models/0/rates/0/amount", json!("-5"), "-5 is below zero"),
        ("/models/0/rates/0/amount", json!("1e3"), "not a"),
        ("/models/0/rates/0/amount", json!("NaN"), "not a"),
        ("/models/0/rates/0/amount", json!("340282366920938463463374607431768211456"), "cannot be represented exactly"),
        ("/models/0/rates/0/amount", json!(format!("0.{}1", "0".repeat(300))), "cannot be represented exactly"),
        ("/models/0/rates/0/meter", json!("glances"), "unknown variant `glances`"),
        ("/models/0/rates/0/unit", json!("euro"), "unknown variant `euro`"),
        ("/models/0/rates/0/per", json!("2"), "not one of 1, 10, 100, 1k"),
        ("/models/0/rates/0/per", json!(1), "expected one of 1, 10"),
        ("/models/0/rates/0/included", json!(-1), "expected u64"),
        ("/models/0/rates/0/discount", json!("0.5"), "unknown field `discount`"),
        ("/models/0/rates/0/times", json!("0.5"), "either amount, unit and per, or times and of"),
        ("/models/0/rates/0/when", json!({"form": "2026-01-01T00:00:00Z"}), "unknown field `form`"),
        ("/models/0/rates/0/when", json!({"from": "2026-01-01"}), "premature end of input"),
        ("/models/0/rates/0/when", json!({"daily": {"from": "24:00", "until": "01:00"}}), "not a time of day"),
        ("/models/0/rates/0/when", json!({"weekdays": ["Monday"]}), "unknown variant `Monday`"),
        ("/models/0/rates/0/when", json!({"prompt_tokens": {"above": 1}}), "unknown field `above`"),
        ("/models/0/base/usage", json!({"input_tokens": "0.5"}), "input_tokens cannot be \"0.5\""),
        ("/models/0/base/usage", json!({"input_tokens": 1_000_000_000_000_001u64}), "input_tokens cannot be"),
        ("/models/0/kind", json!("chatter"), "unknown variant `chatter`"),
        ("/date", json!("2026-13-01"), "out of range"),
        ("/hold", json!({"basis": "fixed"}), "a fixed hold has an amount"),
        ("/posting", json!({"rule": "bankers", "decimals": 2}), "unknown variant `bankers`"),
    ] {
        let error = card_with(pointer, value.clone()).expect_err("refused");
        assert!(matches!(&error, CardError::Syntax { reason } if reason.contains(says)), "{pointer} {value}: {error}");
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(matches!(RateCard::from_json(&deep), Err(CardError::Syntax { .. })));
    let inside = small::card().to_string().replace(r#""Small""#, &deep);
    assert!(matches!(RateCard::from_json(&inside), Err(CardError::Syntax { .. })));
}

#[test]
fn a_file_of_any_size_is_not_read() {
    let large = " ".repeat(CARD_BYTES_MAX + 1);
    assert_eq!(RateCard::from_json(&large).expect_err("too large").to_string(), "not a rate card: larger than 134217728 bytes");
}

#[test]
fn another_format_is_refused_by_its_name() {
    for given in ["aispace-rate-card/1", "aispace-rate-card/3", ""] {
        let error = card_with("/format", json!(given)).expect_err("refused");
        assert_eq!(error, CardError::Format { given: given.into() });
        assert_eq!(error.to_string(), format!("the card's format is {given:?}, not {FORMAT:?}"));
    }
    let unlike = json!({"format": "aispace-rate-card/9", "prices": []}).to_string();
    assert_eq!(
        RateCard::from_json(&unlike),
        Err(CardError::Format { given: "aispace-rate-card/9".into() }),
        "before what it does not know"
    );
}

#[test]
fn two_models_of_one_id_are_refused() {
    let model = small::card()["models"][0].clone();
    let error = card_with("/models", json!([model, model])).expect_err("refused");
    assert_eq!(error, CardError::Duplicate { model_id: "words".into() });
    assert_eq!(error.to_string(), "two models have the id \"words\"");
}

#[test]
fn the_head_of_a_card_is_checked() {
    let dollar = |per_usd: &str| json!({"code": "usd", "name": "Dollars", "per_usd": per_usd});
    for (pointer, value, expected) in [
        ("/id", json!("Small"), "Small: a card's id is made of a-z, 0-9 and -"),
        ("/id", json!(""), ": a card's id is made of a-z, 0-9 and -"),
        ("/unit", json!({"code": "x", "name": "Shells", "per_usd": "0"}), "small: Shells are worth nothing"),
        ("/unit", dollar("2"), "small: one US dollar is one US dollar"),
        ("/display", json!([dollar("1.0"), dollar("1")]), "small: the currency \"usd\" is listed twice"),
        ("/display", json!([{"code": "x", "name": "Shells", "per_usd": "0"}]), "small: Shells are worth nothing"),
        ("/posting", json!({"rule": "up"}), "small: posting has either decimals or a step"),
        ("/posting", json!({"rule": "up", "decimals": 2, "step": "0.01"}), "small: posting has either decimals or a step"),
        ("/posting", json!({"rule": "up", "step": "0.0"}), "small: posting has a step above 0"),
        ("/posting", json!({"rule": "up", "decimals": 39}), "small: a rounding keeps at most 38 decimals"),
        ("/rounding", json!([{"meter": "images", "rule": "up", "decimals": 39}]), "small: a rounding keeps at most 38 decimals"),
        (
            "/rounding",
            json!([{"meter": "images", "rule": "up", "decimals": 2}, {"meter": "images", "rule": "down", "decimals": 2}]),
            "small: the rounding of \"images\" is listed twice",
        ),
    ] {
        assert_eq!(with(pointer, value), expected);
    }
}

#[test]
fn factors_are_checked() {
    let channels = json!({"name": "Group", "default": "a", "values": [{"id": "a", "factor": "1"}]});
    let field = json!({"field": "pay_go", "models": ["*"], "values": {"standard": "1"}, "default": "standard"});
    let of = |pointer: &str, value: Value| {
        let mut card = small::card();
        (card["channels"], card["fields"]) = (channels.clone(), json!([field]));
        card["users"] = json!({"name": "User", "default": "new", "values": [{"id": "new", "factor": "1"}]});
        card["models"][0]["channels"] = json!([]);
        *card.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        reason(RateCard::from_json(&card.to_string()))
    };
    assert_eq!(of("/channels/default", json!("b")), "small: the default channel \"b\" is not listed");
    let twice = json!([{"id": "a", "factor": "1"}, {"id": "a", "factor": "2"}]);
    assert_eq!(of("/channels/values", twice.clone()), "small: the channel \"a\" is listed twice");
    assert_eq!(of("/users/default", json!("old")), "small: the default user level \"old\" is not listed");
    assert_eq!(of("/users/values", twice), "small: the user level \"a\" is listed twice");
    let replaces = json!([{"id": "new", "factor": "1", "channels": {"b": "0.5"}}]);
    assert_eq!(of("/users/values", replaces), "small: a user level replaces the factor of the unknown channel \"b\"");
    assert_eq!(of("/fields/0/default", json!("late")), "small: the default of pay_go is not one of its values");
    assert_eq!(of("/fields/0/models", json!(["*", ""])), "small: pay_go is for a model without a name");
    assert_eq!(of("/models/0/channels", json!(["b"])), "words: the card has no channel \"b\"");
}

#[test]
fn lists_that_are_there_to_be_slow_are_refused() {
    let many = |entry: fn(usize) -> Value| (0..2_001).map(entry).collect::<Vec<Value>>();
    let channels = json!({"name": "Group", "default": "c0", "values": many(|at| json!({"id": format!("c{at}"), "factor": "1"}))});
    assert_eq!(with("/channels", channels), "small: at most 2000 channels, not 2001");
    let tiers = many(|at| rate_when("input_tokens", "1", json!({"tier": format!("t{at}")})));
    assert_eq!(with("/models/0/rates", json!(tiers)), "words: at most 2000 rates, not 2001");
}

#[test]
fn add_ons_are_checked() {
    let add_ons = |add_ons: Value| with("/add_ons", add_ons);
    let of = |meter: &str, group: Value| json!({"meter": meter, "group": group, "rates_of": "words"});
    assert_eq!(add_ons(json!([{"meter": "web_searches", "rates_of": "nobody"}])), "small: no model \"nobody\" has a rate for web_searches");
    assert_eq!(add_ons(json!([of("web_searches", Value::Null)])), "small: no model \"words\" has a rate for web_searches");
    let warned = |add_ons: Value| warnings(card_with("/add_ons", add_ons));
    let hidden = ["small: an add-on of input_tokens never counts: a later one is for the same models"];
    assert_eq!(warned(json!([of("input_tokens", json!("a")), of("input_tokens", json!("a"))])), hidden);
    assert_eq!(warned(json!([of("input_tokens", json!("a")), of("input_tokens", Value::Null)])), hidden);
    assert!(warned(json!([of("input_tokens", Value::Null), of("input_tokens", json!("a"))])).is_empty());
}

#[test]
fn a_model_is_checked() {
    for (pointer, value, expected) in [
        ("/models/0/id", json!(""), ": a model's id has 1 to 300 bytes".to_owned()),
        ("/models/0/id", json!("x".repeat(301)), format!("{}: a model's id has 1 to 300 bytes", "x".repeat(301))),
        ("/models/0/options", json!({"quality": {"allowed": []}}), "words: the option quality allows nothing".to_owned()),
        (
            "/models/0/options",
            json!({"quality": {"allowed": ["low"], "default": "high"}}),
            "words: the default of quality is not allowed".to_owned(),
        ),
        (
            "/models/0/video",
            json!({"variant": "text_to_video", "pricing": "fixed", "seconds": [4], "resolutions": [], "audio": "never"}),
            "words: only a model of kind video states what its clips may be".to_owned(),
        ),
    ] {
        assert_eq!(with(pointer, value), expected);
    }
}

#[test]
fn a_rate_that_no_run_reaches_is_refused() {
    let input = |condition: Value| rate_when("input_tokens", "2", condition);
    let hidden = |first: Value, second: Value| reason(card_of(json!([first, second])));
    let backwards = "words: a rate of input_tokens is never reached: it ends before it begins";
    let instants = |from: &str, until: &str| json!({"from": from, "until": until});
    for condition in [
        instants("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        instants("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        instants("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
        json!({"daily": {"from": "08:00", "until": "08:00"}}),
    ] {
        assert_eq!(hidden(rate("input_tokens", "1"), input(condition)), backwards);
    }
    let empty = "words: a rate of input_tokens is never reached: no size is within its bounds";
    for bounds in
        [json!({"over": 5, "at_most": 5}), json!({"at_least": 5, "under": 5}), json!({"at_least": 6, "at_most": 5}), json!({"under": 0})]
    {
        assert_eq!(hidden(rate("input_tokens", "1"), input(json!({"prompt_tokens": bounds}))), empty);
        assert_eq!(hidden(rate("input_tokens", "1"), input(json!({"seconds": bounds}))), empty);
    }
    assert!(card_of(json!([rate("input_tokens", "1"), input(json!({"prompt_tokens": {"at_least": 5, "at_most": 5}}))])).is_ok());
}

#[test]
fn a_rate_that_a_later_one_hides_is_allowed_and_warned_of() {
    let input = |amount: &str, condition: Value| rate_when("input_tokens", amount, condition);
    let batch = json!({"tier": "batch"});
    let always = "words: a rate of input_tokens never counts: a later one always holds";
    let twice = "words: a rate of input_tokens never counts: a later one holds whenever it does";
    for (rates, expected) in [
        (vec![rate("input_tokens", "1"), rate("input_tokens", "2")], vec![always]),
        (vec![input("1", batch.clone()), rate("input_tokens", "2")], vec![always]),
        (vec![rate("input_tokens", "1"), input("2", json!({}))], vec![always]),
        (vec![rate("input_tokens", "3"), input("1", batch.clone()), input("2", batch.clone())], vec![twice]),
        (vec![rate("input_tokens", "3"), input("2", batch.clone())], vec![]),
    ] {
        let card = card_of(json!(rates));
        assert_eq!(warnings(card.clone()), expected);
        let tier = json!(rates).to_string().contains("batch").then(|| "batch".to_owned());
        let run = Run { tier, ..Run::chat("words", 1_000_000, 0) };
        let total = card.map(|card| total(&card, &run, &Terms::default()).expect("priced"));
        assert_eq!(total.map(|t| t.to_string()), Ok("2000000".to_owned()), "the last that holds wins: {rates:?}");
    }
}

#[test]
fn a_rate_of_a_choice_that_cannot_be_made_is_refused() {
    let of = |condition: Value| {
        let mut card = small::card();
        card["models"][0]["options"] = json!({"quality": {"allowed": ["low", "high"]}, "audio": {"allowed": ["on"]}});
        card["models"][0]["rates"].as_array_mut().expect("rates").push(rate_when("input_tokens", "2", condition));
        RateCard::from_json(&card.to_string())
    };
    assert!(of(json!({"options": {"quality": "high"}})).is_ok());
    assert!(of(json!({"audio": "on"})).is_ok());
    let never = |what: &str| format!("words: a rate of input_tokens is never reached: {what}");
    assert_eq!(reason(of(json!({"options": {"quality": "High"}}))), never("quality cannot be High"));
    assert_eq!(reason(of(json!({"options": {"colour": "red"}}))), never("colour cannot be red"));
    assert_eq!(reason(of(json!({"audio": "off"}))), never("audio cannot be off"));
    assert_eq!(reason(of(json!({"resolution": "720p"}))), never("resolution cannot be 720p"));
}

#[test]
fn a_multiple_of_nothing_is_refused() {
    let times = |of: &str| json!({"meter": "cache_read_tokens", "times": "0.1", "of": of});
    let multiple = |rates: Value| reason(card_of(rates));
    let expected = |of: &str| format!("words: the rate of cache_read_tokens is a multiple of {of}, which has no amount");
    assert_eq!(multiple(json!([rate("input_tokens", "1"), times("output_tokens")])), expected("output_tokens"));
    assert_eq!(multiple(json!([rate("input_tokens", "1"), times("cache_read_tokens")])), expected("cache_read_tokens"));
    let chain = json!([rate("input_tokens", "1"), {"meter": "output_tokens", "times": "2", "of": "input_tokens"}, times("output_tokens")]);
    assert_eq!(multiple(chain), expected("output_tokens"));
}

#[test]
fn a_model_that_does_not_quote_at_its_base_run_is_refused() {
    for (base, expected) in [
        (json!({"usage": {}}), "words: its base run uses nothing"),
        (json!({"usage": {"input_tokens": 0}}), "words: its base run uses nothing"),
        (
            json!({"usage": {"images": 1}}),
            "words: does not quote at its base run: words has no price for images; it is priced by input_tokens, output_tokens",
        ),
        (
            json!({"usage": {"input_tokens": 1}, "options": {"quality": "high"}}),
            "words: does not quote at its base run: words: quality cannot be high; allowed: none",
        ),
        (
            json!({"usage": {"input_tokens": 1}, "tier": "batch"}),
            "words: does not quote at its base run: words: tier cannot be batch; allowed: none",
        ),
    ] {
        assert_eq!(with("/models/0/base", base), expected);
    }
    let mut wide = small::card();
    wide["models"][0]["rates"] = json!([rate("input_tokens", "123456789012345678901234567890.12345678")]);
    wide["models"][0]["base"]["usage"] = json!({"input_tokens": 99});
    let wide = reason(RateCard::from_json(&wide.to_string()));
    assert!(wide.starts_with("words: does not quote at its base run: the cost cannot be held exactly: "), "{wide}");
}

/// The card of one clip model.
fn clips(change: impl Fn(&mut Value)) -> Result<RateCard, CardError> {
    let mut model = json!({
        "id": "clip", "name": "Clip", "kind": "video", "base": {"usage": {"video_seconds": 4}, "options": {"resolution": "720p"}},
        "video": {"variant": "text_to_video", "pricing": "dynamic", "seconds": [4, 8], "resolutions": ["720p", "1080p"], "audio": "choice",
            "printed": {"credits": "2", "seconds": 4, "resolutions": ["720p"], "audio": false}},
        "rates": [rate("video_seconds", "0.5")],
    });
    change(&mut model);
    card_with("/models", json!([model]))
}

#[test]
fn clips_are_checked() {
    assert!(clips(|_| {}).is_ok());
    let misprint = clips(|model| model["video"]["printed"]["credits"] = json!("2.1"));
    assert_eq!(reason(misprint), "clip: 4 s, 720p is printed at 2.1 but its rate gives 2");
    let elsewhere = clips(|model| model["video"]["printed"]["resolutions"] = json!(["4k"]));
    assert_eq!(reason(elsewhere), "clip: does not quote at 4 s, 4k: clip: resolution cannot be 4k; allowed: 720p, 1080p");
    let lengthless = clips(|model| {
        model["rates"].as_array_mut().expect("rates").push(rate("input_images", "1"));
        model["base"]["usage"] = json!({"input_images": 1});
    });
    assert_eq!(reason(lengthless), "clip: does not quote at its base run: clip: seconds cannot be 0; allowed: 4, 8");
    let lengthless = clips(|model| {
        model["rates"].as_array_mut().expect("rates").push(rate("input_images", "1"));
        model["base"] = json!({"usage": {"input_images": 1}});
    });
    assert_eq!(reason(lengthless), "clip: the base run of a clip has a length");
    let unlisted =
        clips(|model| model["rates"] = json!([rate("video_seconds", "0.5"), rate_when("video_seconds", "1", json!({"resolution": "4k"}))]));
    assert_eq!(reason(unlisted), "clip: a rate of video_seconds is never reached: resolution cannot be 4k");
    let silent = clips(|model| {
        model["video"]["audio"] = json!("always");
        model["rates"] = json!([rate("video_seconds", "0.5"), rate_when("video_seconds", "1", json!({"audio": "off"}))]);
    });
    assert_eq!(reason(silent), "clip: a rate of video_seconds is never reached: audio cannot be off");
    let impossible = clips(|model| model["base"]["usage"] = json!({"video_seconds": 5}));
    assert_eq!(reason(impossible), "clip: does not quote at its base run: clip: seconds cannot be 5; allowed: 4, 8");
}

#[test]
fn a_misprint_in_a_built_in_card_is_found() {
    let mut card: Value = serde_json::from_str(include_str!("../cards/aispace.json")).expect("json");
    let models = card["models"].as_array_mut().expect("models");
    let sora = models.iter_mut().find(|m| m["id"] == "sora-2-text-to-video").expect("listed");
    sora["video"]["printed"]["credits"] = json!("4401");
    assert_eq!(
        RateCard::from_json(&card.to_string()).expect_err("refused").to_string(),
        "sora-2-text-to-video: 4 s, 720p, sound is printed at 4401 but its rate gives 4400"
    );
}
