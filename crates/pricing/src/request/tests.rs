use super::*;
use crate::RateCard;
use serde_json::{Value, json};

fn cards() -> Cards {
    Cards::built_in().expect("the built-in cards hold together")
}

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().expect("an instant")
}

fn ask(request: &Value) -> Value {
    ask_line(&cards(), &request.to_string())
}

fn ask_line(cards: &Cards, line: &str) -> Value {
    serde_json::from_str(&answer_line(cards, line, now())).expect("JSON")
}

fn code(request: &Value) -> String {
    ask(request)["error"]["code"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn dump() {
    for r in [
        json!({"id": 1, "quote": {"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}}}),
        json!({"quote": {"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": -1}}}),
        json!({"quote": {"model": "qwen3-4b", "usage": {"input_tokens": 500.0}}}),
        json!({"quote": {"model": "gpt5"}}),
        json!({"id": "x", "quote": {"model": "gpt-5", "no": 1}}),
        json!({"range": {"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": {"low": 1, "likely": 2, "high": 300}}, "scrape_urls": 3}}),
        json!({"quote": {"model": "my-chat", "card": "channel", "rates": [{"meter": "input_tokens", "amount": "0.01", "unit": "usd", "per": "1k"}], "tokens": {"convention": "inclusive", "input": 100, "cache_read": 50}, "channel_factor": "0.8"}}),
        json!({"compare": {"run": {"usage": {"input_tokens": 500, "output_tokens": 100}}, "top": 3}}),
        json!({"mix": {"budget": "10000", "first": [{"model": "image-generation", "runs": 50}], "then": {"model": "qwen3-4b"}}}),
    ] {
        std::io::Write::write_all(&mut std::io::stderr(), format!("{}\n", ask(&r)).as_bytes()).unwrap();
    }
    assert_eq!(code(&json!({})), "bad_request");
    let _ = RateCard::aispace();
}
