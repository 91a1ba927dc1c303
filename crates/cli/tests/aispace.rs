//! The command as a script meets it.
#![allow(missing_docs)]

use serde_json::Value;
use std::process::{Command, Output};

fn aispace(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aispace")).args(arguments).output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("utf-8")
}

fn json(arguments: &[&str]) -> Value {
    let output = aispace(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

#[test]
fn a_quote_is_exact_and_explained() {
    let clip = json(&["quote", "sora-2-text-to-video", "--seconds", "4", "--resolution", "720p", "--audio", "on", "--json"]);
    assert_eq!((&clip["total_credits"], &clip["total_usd"]), (&Value::from("4400"), &Value::from("0.44")));
    assert_eq!(clip["lines"][0]["meter"], "video_seconds");
    assert_eq!(clip["lines"][0]["rate"], "0.11");
    let chat = json(&["quote", "qwen3-4b", "--input", "500", "--output", "200", "--searches", "1", "--runs", "3", "--json"]);
    assert_eq!(chat["total_credits"], "301.65");

    let output = aispace(&["quote", "qwen3-4b"]);
    let shown = text(&output.stdout);
    assert!(shown.contains("input_tokens      500 x 500 credits / 1M = 0.25 credits"), "{shown}");
    assert!(shown.contains("Total  0.55 credits  0.000055 USD"), "{shown}");
}

#[test]
fn models_are_listed() {
    let listed = json(&["models", "--json"]);
    assert_eq!(listed["models"].as_array().map(Vec::len), Some(56));
    assert_eq!(json(&["models", "--kind", "video", "--json"])["models"].as_array().map(Vec::len), Some(31));
    let shown = text(&aispace(&["models"]).stdout);
    assert!(shown.contains("Sora 2 (Text to Video)  retired 2026-09-24"), "{shown}");
}

#[test]
fn a_refusal_ends_with_2_and_says_what_is_allowed() {
    for (arguments, said) in [
        (vec!["quote", "sora-3"], "no model \"sora-3\"; nearest: sora-2-"),
        (vec!["quote", "sora-2-text-to-video", "--seconds", "5"], "seconds cannot be 5; allowed: 4, 8, 12"),
        (
            vec!["quote", "veo3.1-fast-text-to-video", "--resolution", "4k"],
            "no price is known for veo3.1-fast-text-to-video at 4 s, 4k, sound on",
        ),
        (vec!["quote", "qwen3-4b", "--images", "2"], "qwen3-4b has no price for images"),
        (vec!["quote", "qwen3-4b", "--runs", "0"], "runs must be 1 to 1,000,000, not 0"),
        (vec!["quote", "qwen3-4b", "--input", "-1"], "--input"),
        (vec!["models", "--kind", "smells"], "is not one of chat, image"),
    ] {
        let output = aispace(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
    }
}
