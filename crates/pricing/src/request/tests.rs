//! Requests from their text to the text of their answers.

use super::*;
use crate::{Discount, Extra, Meter, RateCard, Run, Terms, Usage};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Made-up prices: every condition and factor that a request can meet.
const TARIFF: &str = r#"{
  "format": "aispace-rate-card/2", "id": "test", "name": "Test tariff", "date": "2026-01-01",
  "unit": {"code": "usd", "name": "US dollars", "per_usd": "1"},
  "posting": {"rule": "up", "decimals": 2},
  "channels": {"name": "Channel", "default": "plain", "values": [{"id": "plain", "factor": "1"}, {"id": "vip", "factor": "0.5"}]},
  "users": {"name": "User", "default": "new", "values": [
    {"id": "new", "factor": "1"}, {"id": "gold", "factor": "0.9", "recharged_usd_at_least": "100"}]},
  "fields": [{"field": "pay_go", "models": ["clip"], "values": {"standard": "1", "priority": "1.8"}, "default": "standard"}],
  "models": [
    {"id": "chat", "name": "Chat", "aliases": ["c", "gpt-5"], "kind": "chat", "base": {"usage": {"input_tokens": 1000}}, "rates": [
      {"meter": "input_tokens", "amount": "2", "unit": "usd", "per": "1M"},
      {"meter": "input_tokens", "amount": "1", "unit": "usd", "per": "1M", "when": {"tier": "batch"}},
      {"meter": "output_tokens", "amount": "8", "unit": "usd", "per": "1M"},
      {"meter": "output_tokens", "amount": "4", "unit": "usd", "per": "1M", "when": {"daily": {"from": "16:30", "until": "00:30"}}},
      {"meter": "cache_read_tokens", "times": "0.1", "of": "input_tokens"},
      {"meter": "cache_write_5m_tokens", "times": "1.25", "of": "input_tokens"},
      {"meter": "cache_write_1h_tokens", "times": "2", "of": "input_tokens"}]},
    {"id": "clip", "name": "Clip", "kind": "call", "base": {"usage": {"calls": 1}}, "rates": [
      {"meter": "calls", "amount": "0.05", "unit": "usd", "per": "1"}]},
    {"id": "area", "name": "Area", "kind": "image", "base": {"usage": {"megapixels": 1}}, "rates": [
      {"meter": "megapixels", "amount": "0.02", "unit": "usd", "per": "1"}]},
    {"id": "speech", "name": "Speech", "kind": "audio", "base": {"usage": {"audio_seconds": 1}}, "rates": [
      {"meter": "audio_seconds", "amount": "0.001", "unit": "usd", "per": "1"}]},
    {"id": "free", "name": "Free", "kind": "call", "base": {"usage": {"calls": 1}}, "rates": [
      {"meter": "calls", "amount": "0", "unit": "usd", "per": "1"}]},
    {"id": "twin-a", "name": "Twin", "kind": "call", "base": {"usage": {"calls": 1}}, "rates": [
      {"meter": "calls", "amount": "1", "unit": "usd", "per": "1"}]},
    {"id": "twin-b", "name": "Twin", "kind": "call", "base": {"usage": {"calls": 1}}, "rates": [
      {"meter": "calls", "amount": "1", "unit": "usd", "per": "1"}]}
  ]}"#;

fn cards() -> &'static Cards {
    static CARDS: LazyLock<Cards> = LazyLock::new(|| {
        let mut cards = RateCard::built_in().expect("the built-in cards hold together");
        cards.push(RateCard::from_json(TARIFF).expect("the tariff holds together"));
        Cards::new(cards).expect("five ids")
    });
    &CARDS
}

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().expect("an instant")
}

fn ask_line(line: &str) -> Value {
    serde_json::from_str(&answer_line(cards(), line, now())).expect("an answer is JSON")
}

fn ask(request: &Value) -> Value {
    ask_line(&request.to_string())
}

/// The total of a quoted run.
fn total(run: Value) -> String {
    let answer = ask(&json!({"quote": run}));
    answer["quote"]["total"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The code and the message of a refusal.
fn refused(request: &Value) -> (String, String) {
    let answer = ask(request);
    let word = |name: &str| answer["error"][name].as_str().unwrap_or_else(|| panic!("{request}: {answer}")).to_owned();
    (word("code"), word("message"))
}

#[test]
fn an_answer_has_every_field_in_its_order() {
    let line = r#"{"id": "a", "quote": {"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": "200"}}}"#;
    let expected = concat!(
        r#"{"id":"a","quote":{"card":{"id":"aispace","name":"AiSpace credits","date":"2026-01-01"},"model":"qwen3-4b","runs":1,"#,
        r#""usage":{"input_tokens":500,"output_tokens":200},"total":"0.55","posted":"0.55","unit":"aispace","usd":"0.000055","lines":["#,
        r#"{"meter":"input_tokens","quantity":"500","rate":"500","unit":"credits","per":"1M","amount":"0.25","#,
        r#""rule":"Venice Small, per 1,000,000","role":"charge"},"#,
        r#"{"meter":"output_tokens","quantity":"200","rate":"1500","unit":"credits","per":"1M","amount":"0.3","#,
        r#""rule":"Venice Small, per 1,000,000","role":"charge"}],"#,
        r#""evidence":"rate_card","note":"Printed in the rate card of 2026-01-01.","at":"2026-11-21T12:00:00Z"}}"#
    );
    assert_eq!(answer_line(cards(), line, now()), expected);
    let answer: Answer = serde_json::from_str(expected).expect("an answer reads back");
    assert_eq!(serde_json::to_string(&answer).expect("writes"), expected);
}

#[test]
fn both_conventions_and_both_providers_mean_the_same_run() {
    // 600 × 2 + 400 × 0.2 + 100 × 8 + 50 × 8, each per million.
    let expected = "0.00248";
    let exclusive = json!({"convention": "exclusive", "input": 600, "cache_read": 400, "output": 100, "reasoning": 50});
    let inclusive = json!({"convention": "inclusive", "input": 1000, "cache_read": "400", "output": 150, "reasoning": 50});
    let open_ai = json!({"prompt_tokens": 1000, "completion_tokens": 150, "total_tokens": 1150, "prompt_tokens_details": {"cached_tokens": 400,
        "audio_tokens": null}, "completion_tokens_details": {"reasoning_tokens": 50, "accepted_prediction_tokens": 3}});
    let newer = json!({"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 150,
        "output_tokens_details": {"reasoning_tokens": 50}});
    for run in [
        json!({"model": "chat", "usage": {"input_tokens": 600, "cache_read_tokens": 400, "output_tokens": 100, "reasoning_tokens": 50}}),
        json!({"model": "chat", "tokens": exclusive}),
        json!({"model": "chat", "tokens": inclusive}),
        json!({"model": "chat", "openai_usage": open_ai}),
        json!({"model": "chat", "openai_usage": newer}),
        json!({"model": "chat", "anthropic_usage": {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 150}}),
    ] {
        assert_eq!(total(run.clone()), expected, "{run}");
    }
}

#[test]
fn cache_writes_of_anthropic_keep_their_lifetime() {
    let run = |usage: Value| json!({"model": "chat", "anthropic_usage": usage});
    let by_lifetime = json!({"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200});
    // 100 × 2.5 + 200 × 4; and the 50 that no lifetime is named for × 2.5.
    assert_eq!(total(run(json!({"input_tokens": 0, "cache_creation": by_lifetime}))), "0.00105");
    assert_eq!(total(run(json!({"input_tokens": 0, "cache_creation_input_tokens": 350, "cache_creation": by_lifetime}))), "0.001175");
    assert_eq!(total(run(json!({"input_tokens": 0, "cache_creation_input_tokens": 100, "service_tier": "standard"}))), "0.00025");
    let short = json!({"quote": run(json!({"input_tokens": 0, "cache_creation_input_tokens": 299, "cache_creation": by_lifetime}))});
    assert_eq!(refused(&short).0, "usage");
    let searched = ask(&json!({"quote": run(json!({"input_tokens": 1, "server_tool_use": {"web_search_requests": 2}}))}));
    assert_eq!((&searched["error"]["code"], &searched["error"]["meter"]), (&json!("no_rate"), &json!("web_searches")));
}

#[test]
fn sugar_means_meters() {
    assert_eq!(total(json!({"model": "area", "width": 1024, "height": 1024, "usage": {"images": 2}})), "0.04194304");
    assert_eq!(total(json!({"model": "area", "width": 1000, "height": 500})), "0.01");
    assert_eq!(total(json!({"model": "speech", "seconds": "90.5"})), "0.0905");
    let clip = json!({"model": "aispace:sora-2-text-to-video", "seconds": 8, "resolution": "720p", "audio": true});
    assert_eq!(total(clip.clone()), "8800");
    let answer = ask(&json!({"quote": clip}));
    assert_eq!(answer["quote"]["usage"], json!({"video_seconds": 8}));
    assert_eq!(answer["quote"]["options"], json!({"audio": "on", "resolution": "720p"}));
    assert_eq!(total(json!({"model": "qwen3-4b", "scrape_urls": 1})), "100");
    assert_eq!(refused(&json!({"quote": {"model": "qwen3-4b", "scrape_urls": 2}})).0, "range_needed");
    // What counts nothing is the model's base run, with what is chosen.
    assert_eq!(total(json!({"model": "sora-2-text-to-video"})), "4400");
    assert_eq!(total(json!({"model": "chat", "usage": {}})), "0");
    assert_eq!(total(json!({"model": "chat", "tier": "batch"})), "0.001");
}

#[test]
fn terms_tiers_schedules_factors_and_extras_count() {
    let output = |more: Value| {
        let mut run = json!({"model": "chat", "usage": {"output_tokens": 1000}});
        run.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        total(run)
    };
    assert_eq!(output(json!({})), "0.008");
    assert_eq!(output(json!({"at": "2026-02-01T17:30:00+01:00"})), "0.004", "16:30 UTC");
    assert_eq!(output(json!({"runs": 3})), "0.024");
    assert_eq!(output(json!({"channel": "vip"})), "0.004");
    assert_eq!(output(json!({"channel_factor": "0.25", "user_factor": "0.5"})), "0.001");
    assert_eq!(output(json!({"user": "gold"})), "0.0072");
    assert_eq!(output(json!({"recharged_usd": "99.99"})), "0.008");
    assert_eq!(output(json!({"recharged_usd": "100"})), "0.0072");
    assert_eq!(output(json!({"extras": [{"name": "tool fee", "amount": "0.1"}, {"name": "step", "amount": "0.02"}]})), "0.128");
    assert_eq!(total(json!({"model": "clip", "fields": {"pay_go": "priority"}})), "0.09");
    let answer = ask(&json!({"quote": {"model": "chat", "usage": {"output_tokens": 1}}}));
    assert_eq!((&answer["quote"]["total"], &answer["quote"]["posted"]), (&json!("0.000008"), &json!("0.01")));
}

#[test]
fn a_model_may_bring_its_rates() {
    let rates = json!([{"meter": "input_tokens", "amount": "0.01", "unit": "usd", "per": "1k"},
        {"meter": "output_tokens", "amount": "0.03", "unit": "usd", "per": "1k", "when": {"tier": "batch"}},
        {"meter": "cache_read_tokens", "times": "0.5", "of": "input_tokens"}]);
    let run = |more: Value| {
        let mut run = json!({"model": "veo9", "card": "channel", "rates": rates, "usage": {"input_tokens": 1000}});
        run.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"quote": run})
    };
    let answer = ask(&run(json!({"channel_factor": "0.8", "fields": {"pay_go": "priority"}})));
    assert_eq!(answer["quote"]["total"], "0.0144");
    assert_eq!(answer["quote"]["display"], json!({"cny": "0.10512"}));
    assert_eq!(answer["quote"]["note"], "From the rates of the request.");
    assert_eq!(ask(&run(json!({"usage": {"output_tokens": 1000}, "tier": "batch"})))["quote"]["total"], "0.03");
    for (more, code) in [
        (json!({"usage": {"output_tokens": 1}}), "no_price"),
        (json!({"usage": {"images": 1}}), "no_rate"),
        (json!({"usage": null}), "bad_request"),
        (json!({"rates": []}), "bad_card"),
        (json!({"rates": [{"meter": "input_tokens", "times": "2", "of": "images"}]}), "bad_card"),
        (json!({"rates": [{"meter": "input_tokens", "amount": "-1", "unit": "usd", "per": "1"}]}), "bad_request"),
        (json!({"card": null}), "bad_request"),
        (json!({"card": "none"}), "unknown_card"),
        (json!({"card": "test", "model": "chat"}), "bad_request"),
        (json!({"model": ""}), "bad_card"),
    ] {
        assert_eq!(refused(&run(more.clone())).0, code, "{more}");
    }
    let kind_alone = json!({"quote": {"model": "chat", "kind": "chat"}});
    assert_eq!(refused(&kind_alone).0, "bad_request");
}

#[test]
fn a_name_means_one_model_or_is_refused() {
    // An id is stronger than another card's alias.
    let answer = ask(&json!({"quote": {"model": "gpt-5", "usage": {"input_tokens": 1000}}}));
    assert_eq!(answer["quote"]["card"]["id"], "aisa");
    let answer = ask(&json!({"quote": {"model": "gpt-5", "card": "test", "usage": {"input_tokens": 1000}}}));
    assert_eq!((&answer["quote"]["card"]["id"], &answer["quote"]["model"]), (&json!("test"), &json!("chat")));
    for typed in ["venice small", "aispace:qwen3-4b", "aispace:Venice Small"] {
        assert_eq!(ask(&json!({"quote": {"model": typed}}))["quote"]["model"], "qwen3-4b", "{typed}");
    }
    let twins = ask(&json!({"quote": {"model": "twin"}}));
    assert_eq!(twins["error"]["code"], "ambiguous_model");
    assert_eq!(twins["error"]["candidates"], json!(["test:twin-a", "test:twin-b"]));
    let unknown = ask(&json!({"quote": {"model": "qwen3-4"}}));
    assert_eq!(unknown["error"]["code"], "unknown_model");
    assert_eq!(unknown["error"]["nearest"][0], "qwen3-4b");
    assert_eq!(refused(&json!({"quote": {"model": "chat", "card": "nobody"}})).0, "unknown_card");
    assert_eq!(refused(&json!({"quote": {"model": "aisa:qwen3-4b"}})).0, "unknown_model");
}

#[test]
fn one_id_in_two_cards_is_ambiguous() {
    let other = TARIFF.replace(r#""id": "test""#, r#""id": "other""#);
    let two = [TARIFF, &other].map(|text| RateCard::from_json(text).expect("a card"));
    let cards = Cards::new(two.to_vec()).expect("two ids");
    let answer = answer_line(&cards, r#"{"quote": {"model": "chat"}}"#, now());
    assert!(answer.contains(r#""candidates":["test:chat","other:chat"]"#), "{answer}");
    let answer = answer_line(&cards, r#"{"quote": {"model": "other:chat"}}"#, now());
    assert!(answer.contains(r#""total":"0.002""#), "{answer}");
    let answer = answer_line(&cards, r#"{"quote": {"model": "chad"}}"#, now());
    assert!(answer.contains(r#""nearest":["test:chat","other:chat""#), "{answer}");
    let twice = Cards::new(vec![two[0].clone(), two[0].clone()]).expect_err("one id twice");
    assert_eq!(twice.code, Code::BadCard);
}

#[test]
fn ranges_settlements_budgets_comparisons_and_conversions_are_answered() {
    let likely = json!({"low": 100, "likely": 200, "high": "4000"});
    let answer = ask(&json!({"range": {"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": likely}, "scrape_urls": 3}}));
    let range = &answer["range"];
    assert_eq!((&range["low"], &range["likely"], &range["high"]), (&json!("100.4"), &json!("300.55"), &json!("306.25")));
    assert_eq!((&range["hold"], &range["hold_basis"]), (&json!("306.25"), &json!("high")));
    assert_eq!(range["cheapest"], json!({"input_tokens": 500, "output_tokens": 100, "web_scrapes": 1}));

    let run = json!({"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}});
    let answer = ask(&json!({"settle": {"run": run, "held": "0.3"}}));
    let settled = &answer["settle"];
    assert_eq!((&settled["posted"], &settled["released"], &settled["above_hold"]), (&json!("0.55"), &json!("0"), &json!("0.25")));

    let answer = ask(&json!({"afford": {"run": run, "budget": "1", "unit": "usd"}}));
    assert_eq!((&answer["afford"]["count"], &answer["afford"]["remainder"]), (&json!("18181"), &json!("0.45")));

    let fifty = json!([{"model": "image-generation", "runs": 50}]);
    let answer = ask(&json!({"mix": {"budget": "10000", "first": fifty, "then": run}}));
    assert_eq!((&answer["mix"]["first_total"], &answer["mix"]["then"]["count"]), (&json!("5000"), &json!("9090")));

    let job = json!({"usage": {"input_tokens": 500, "output_tokens": 200}});
    let answer = ask(&json!({"compare": {"run": job, "kind": "chat", "cards": ["aispace"], "top": 2, "left_out": true}}));
    let compared = &answer["compare"];
    assert_eq!(compared["ranked"].as_array().map(Vec::len), Some(2));
    assert_eq!((&compared["ranked"][0]["model"], &compared["able"]), (&json!("qwen3-4b"), &json!(15)));

    let answer = ask(&json!({"convert": {"amount": "1", "from": "cny", "to": "aispace", "rounding": {"rule": "down", "decimals": 2}}}));
    assert_eq!(answer["convert"], json!({"amount": "1", "from": "cny", "to": "aispace", "converted": "1369.86", "exact": false}));
}

#[test]
fn every_refusal_has_its_code_and_what_would_do() {
    let chat = |usage: Value| json!({"model": "chat", "usage": usage});
    for (request, code) in [
        (json!({"quote": {"model": "clip", "fields": {"pay_go": "slow"}}}), "impossible"),
        (json!({"quote": {"model": "sora-2-text-to-video", "seconds": 5}}), "impossible"),
        (json!({"quote": {"model": "chat", "runs": 0}}), "count"),
        (json!({"quote": {"model": "area", "width": 10000000, "height": 1000000000}}), "count"),
        (json!({"quote": {"model": "chat", "tokens": {"convention": "inclusive", "input": 1, "cache_read": 2}}}), "usage"),
        (json!({"quote": chat(json!({"input_tokens": "1.5"}))}), "usage"),
        (json!({"quote": chat(json!({"images": 1}))}), "no_rate"),
        (json!({"quote": {"model": "veo3.1-fast-text-to-video", "resolution": "4k"}}), "no_price"),
        (
            json!({"quote": {"model": "chat", "usage": {"input_tokens": 123457}, "user_factor": "0.1234567890123456789012345678901234567"}}),
            "not_exact",
        ),
        (json!({"quote": chat(json!({"input_tokens": {"low": 1, "likely": 2, "high": 3}}))}), "range_needed"),
        (json!({"range": {"model": "qwen3-4b", "scrape_urls": 4}}), "count"),
        (json!({"afford": {"run": {"model": "free"}, "budget": "1"}}), "costs_nothing"),
        (json!({"afford": {"run": {"model": "chat"}, "budget": "1", "unit": "shells"}}), "unknown_unit"),
        (json!({"afford": {"run": {"model": "chat"}, "budget": "1", "unit": "cny"}}), "not_convertible"),
        (json!({"mix": {"budget": "1", "first": [{"model": "clip", "runs": 21}], "then": {"model": "chat"}}}), "does_not_fit"),
        (json!({"convert": {"amount": "1", "from": "cny", "to": "usd"}}), "not_convertible"),
        (json!({"convert": {"amount": "1", "from": "cny", "to": "usd", "rounding": {"rule": "up", "decimals": 39}}}), "count"),
    ] {
        assert_eq!(refused(&request).0, code, "{request}");
    }
    let error = &ask(&json!({"id": 9, "quote": {"model": "sora-2-text-to-video", "seconds": 5}}));
    assert_eq!(error["id"], 9);
    assert_eq!((&error["error"]["parameter"], &error["error"]["allowed"]), (&json!("seconds"), &json!(["4", "8", "12"])));
}

#[test]
fn what_is_not_exactly_a_request_is_refused() {
    for (line, said) in [
        ("", "EOF"),
        ("[]", "expected an object"),
        (r#"[null, {"model": "chat"}]"#, "expected an object"),
        (r#"{"quote": ["chat"]}"#, "expected an object"),
        (r#"{"quote": null}"#, "expected an object"),
        (r#"{"settle": {"run": ["chat"], "held": "1"}}"#, "expected an object"),
        (r#"{"quote": {"model": "chat"}} {}"#, "trailing characters"),
        ("{}", "exactly one of quote"),
        (r#"{"quote": {"model": "chat"}, "range": {"model": "chat"}}"#, "exactly one of quote"),
        (r#"{"price": {}}"#, "unknown field `price`"),
        (r#"{"quote": {}}"#, "model is missing"),
        (r#"{"quote": {"model": "chat", "usages": {}}}"#, "unknown field `usages`"),
        (r#"{"quote": {"model": "chat", "usage": {"tokens": 1}}}"#, "unknown variant `tokens`"),
        (r#"{"quote": {"model": "chat", "usage": {"input_tokens": 1.0}}}"#, "floating point"),
        (r#"{"quote": {"model": "chat", "usage": {"input_tokens": 1e3}}}"#, "floating point"),
        (r#"{"quote": {"model": "chat", "usage": {"input_tokens": -1}}}"#, "integer `-1`"),
        (r#"{"quote": {"model": "chat", "usage": {"input_tokens": "-1"}}}"#, "-1"),
        (r#"{"quote": {"model": "chat", "usage": {"input_tokens": 1, "input_tokens": 2}}}"#, "stands twice"),
        (r#"{"quote": {"model": "chat", "model": "chat"}}"#, "duplicate field `model`"),
        (r#"{"quote": {"model": "chat", "options": {"a": "1", "a": "2"}}}"#, "stands twice"),
        (r#"{"quote": {"model": "chat", "channel_factor": 0.5}}"#, "floating point"),
        (r#"{"quote": {"model": "chat", "channel_factor": "-0.5"}}"#, "-0.5"),
        (r#"{"quote": {"model": "chat", "channel": "vip", "channel_factor": "1"}}"#, "only one of channel"),
        (r#"{"quote": {"model": "chat", "user": "gold", "recharged_usd": "1"}}"#, "only one of user"),
        (r#"{"quote": {"model": "chat", "tokens": {"input": 1}}}"#, "missing field `convention`"),
        (r#"{"quote": {"model": "chat", "openai_usage": {"prompt_tokens": -1}}}"#, "integer `-1`"),
        (r#"{"quote": {"model": "chat", "openai_usage": {}}}"#, "no prompt_tokens"),
        (r#"{"quote": {"model": "chat", "anthropic_usage": {}}}"#, "no input_tokens"),
        (
            r#"{"quote": {"model": "chat", "openai_usage": {"prompt_tokens": 1}, "anthropic_usage": {"input_tokens": 1}}}"#,
            "only one of tokens",
        ),
        (
            r#"{"quote": {"model": "chat", "openai_usage": {"prompt_tokens": 1}, "usage": {"output_tokens": 1}}}"#,
            "output_tokens is said twice",
        ),
        (r#"{"quote": {"model": "speech", "seconds": 1, "usage": {"audio_seconds": 1}}}"#, "audio_seconds is said twice"),
        (r#"{"quote": {"model": "area", "width": 1, "usage": {}}}"#, "width and height"),
        (r#"{"quote": {"model": "area", "width": 1, "height": 1, "usage": {"megapixels": 1}}}"#, "megapixels is said twice"),
        (r#"{"quote": {"model": "clip", "resolution": "4k", "options": {"resolution": "4k"}}}"#, "resolution is said twice"),
        (r#"{"quote": {"model": "clip", "audio": "loud"}}"#, "loud"),
        (r#"{"quote": {"model": "chat", "at": "yesterday"}}"#, "at line 1"),
        (r#"{"range": {"model": "chat", "usage": {"input_tokens": {"low": 2, "likely": 1, "high": 3}}}}"#, "ascend"),
        (r#"{"range": {"model": "chat", "usage": {"input_tokens": {"low": 2, "high": 3}}}}"#, "missing field `likely`"),
        (r#"{"mix": {"budget": "1", "first": [{"model": "chat", "channel": "vip"}], "then": {"model": "chat"}}}"#, "say them in then"),
        (r#"{"mix": {"budget": "1", "first": [{"model": "qwen3-4b"}], "then": {"model": "chat"}}}"#, "bought by one card"),
        (r#"{"compare": {"run": {"model": "chat"}}}"#, "names no model"),
        (r#"{"compare": {"run": {"usage": {}}}}"#, "uses nothing"),
        (r#"{"id": 1.5, "convert": {"amount": "1", "from": "usd", "to": "usd"}}"#, "untagged"),
    ] {
        let answer = ask_line(line);
        assert_eq!(answer["error"]["code"], "bad_request", "{line}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{line}: {message}");
    }
    let marked = ask_line(r#"{"id": "7a", "quote": {"model": "chat", "usages": {}}}"#);
    assert_eq!(marked["id"], "7a", "a refused request keeps its mark");
    let long = format!(r#"{{"quote": {{"model": "{}"}}}}"#, "x".repeat(REQUEST_BYTES_MAX));
    assert!(ask_line(&long)["error"]["message"].as_str().is_some_and(|m| m.contains("at most 1048576 bytes")));
}

#[test]
fn a_run_and_its_terms_come_back_from_their_request() {
    let mut run = Run::clip("aispace:sora-2-text-to-video", 8, Some("720p"), Some(true)).times(3);
    run.extras.push(Extra { name: "fee".into(), amount: "0.5".parse().expect("a number") });
    run.tier = Some("auto".into());
    let amount = |text: &str| text.parse().expect("a number");
    let now = now();
    for (channel, user) in [
        (Discount::Default, Discount::Default),
        (Discount::Named("a".into()), Discount::Recharged(amount("5"))),
        (Discount::Given(amount("0.5")), Discount::Given(amount("0.25"))),
    ] {
        let terms = Terms { at: Some(now), channel, user };
        let request = RunRequest::of(&run, &terms);
        let text = serde_json::to_string(&request).expect("writes");
        let read: RunRequest = serde_json::from_str(&text).expect("reads");
        assert_eq!(read, request);
        assert_eq!(read.terms(DateTime::default()), Ok(terms));
        let placed = read.place(cards()).expect("the model is there");
        let back = read.run(placed.model().expect("the model is there")).expect("a run");
        assert_eq!(back, Run { model_id: "sora-2-text-to-video".into(), ..run.clone() });
    }
    let nothing = Run::new("chat", Usage::new());
    let request = RunRequest::of(&nothing, &Terms::default());
    let placed = request.place(cards()).expect("the model is there");
    assert_eq!(request.run(placed.model().expect("the model is there")), Ok(nothing), "nothing is not the base run");
}

proptest! {
    /// Whatever is asked, there is one line of JSON that answers it.
    #[test]
    fn no_line_breaks_it(line in ".{0,200}") {
        let answer: Value = ask_line(&line);
        prop_assert!(answer.get("error").is_some());
    }

    /// Requests cut off or with a byte changed are answered too.
    #[test]
    fn no_damage_breaks_it(cut in 0usize..400, with in any::<char>()) {
        let whole = r#"{"id":1,"range":{"model":"chat","card":"channel","usage":{"input_tokens":{"low":1,"likely":2,"high":3},"web_scrapes":1},"rates":[{"meter":"input_tokens","amount":"1","unit":"usd","per":"1M","when":{"prompt_tokens":{"over":2}}}],"at":"2026-01-01T00:00:00Z","channel_factor":"0.5","scrape_urls":3,"runs":1000000}}"#;
        let at = cut % whole.len();
        for line in [whole[..at].to_owned(), format!("{}{with}{}", &whole[..at], &whole[at + 1..])] {
            prop_assert!(ask_line(&line).is_object());
        }
    }

    /// No count and no total loses a digit.
    #[test]
    fn counts_pass_through_exactly(input in 0u64..=crate::COUNT_MAX, output in 0u64..=crate::COUNT_MAX) {
        let answer = ask(&json!({"quote": {"model": "chat", "usage": {"input_tokens": input, "output_tokens": output.to_string()}}}));
        let usage: Usage = serde_json::from_value(answer["quote"]["usage"].clone()).expect("counts");
        prop_assert_eq!((usage.get(Meter::InputTokens), usage.get(Meter::OutputTokens)), (input, output));
        let exact = u128::from(input) * 2 + u128::from(output) * 8;
        let expected = aispace_units::Exact::new(exact, 6).to_string();
        prop_assert_eq!(&answer["quote"]["total"], &Value::from(expected));
    }
}
