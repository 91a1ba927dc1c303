//! Every command, as people and scripts type it.
#![allow(missing_docs)]

mod support;

use serde_json::json;
use support::{aispace, command, json, printed, refused, text};

#[test]
fn a_quote_is_exact_and_explained() {
    let clip = json(&["quote", "sora-2-text-to-video", "--seconds", "4", "--resolution", "720p", "--audio", "on"]);
    assert_eq!((&clip["quote"]["total"], &clip["quote"]["usd"]), (&json!("4400"), &json!("0.44")));
    assert_eq!((&clip["quote"]["lines"][0]["meter"], &clip["quote"]["lines"][0]["rate"]), (&json!("video_seconds"), &json!("0.11")));
    let chat = json(&["quote", "qwen3-4b", "--input", "500", "--output", "200", "--searches", "1", "--runs", "3"]);
    assert_eq!(chat["quote"]["total"], "301.65");

    let shown = printed(&["quote", "qwen3-4b"]);
    assert!(shown.contains("  input_tokens   500 × 500 credits / 1M    =  0.25  credits  Venice Small, per 1,000,000\n"), "{shown}");
    assert!(shown.contains("  Total      0.55  AiSpace credits\n         0.000055  US dollars\n"), "{shown}");
    let clip = printed(&["quote", "sora-2-text-to-video", "--seconds", "8"]);
    assert!(clip.contains("seconds     4 4,400 | 8* 8,800 | 12 13,200"), "{clip}");
    assert!(clip.contains("The provider retired this model on 2026-09-24."), "{clip}");
}

#[test]
fn everything_about_a_run_can_be_typed() {
    let total = |arguments: &[&str]| json(&[&["quote"], arguments].concat())["quote"]["total"].as_str().map(ToOwned::to_owned);
    let expected = |total: &str| Some(total.to_owned());
    let exclusive = ["o3-pro", "--input", "600", "--cached", "400", "--output", "150", "--reasoning", "50"];
    let inclusive = ["o3-pro", "--input", "1000", "--cached", "400", "--output", "200", "--reasoning", "50", "--convention", "inclusive"];
    assert_eq!(total(&exclusive), expected("0.09"));
    assert_eq!(total(&inclusive), expected("0.09"));
    assert_eq!(total(&["seedream-4-5", "--images", "3", "--channel-factor", "0.7"]), expected("0.084"));
    assert_eq!(total(&["per-call-format-sample", "--calls", "2", "--user-factor", "0.5"]), expected("0.02"));
    assert_eq!(total(&["tts-kokoro", "--characters", "1000"]), expected("35"));
    assert_eq!(total(&["o3-pro", "--input", "10000", "--extra", "tool fee=0.1", "--extra", "step=0.25"]), expected("0.85"));
    assert_eq!(total(&["gpt-5", "--input", "1000000", "--channel", "default", "--user-factor", "1"]), expected("0.875"));
    assert_eq!(total(&["aispace:image-edit", "--images", "2"]), expected("800"));
    assert_eq!(total(&["kling-2.6-pro-text-to-video", "--seconds", "10", "--audio", "off"]), expected("7700"));
    let writes =
        ["o3-pro", "--cache-write-5m", "1", "--cache-write-1h", "2", "--input-audio", "3", "--input-image", "4", "--output-audio", "5"];
    let usage = json(&[&["quote"], writes.as_slice(), &["--output-image", "6"]].concat())["quote"]["usage"].clone();
    let counted = json!({"cache_write_5m_tokens": 1, "cache_write_1h_tokens": 2, "input_audio_tokens": 3, "input_image_tokens": 4,
        "output_audio_tokens": 5, "output_image_tokens": 6});
    assert_eq!(usage, counted);
    for (arguments, priced) in [
        (["--requests", "1"], "requests"),
        (["--tool-calls", "1"], "tool_calls"),
        (["--megapixels", "1.5"], "megapixels"),
        (["--input-images", "1"], "input_images"),
        (["--generations", "1"], "generations"),
    ] {
        let (code, said) = refused(&[&["quote", "qwen3-4b"], arguments.as_slice()].concat());
        assert!(code == 2 && said.contains(&format!("no price for {priced}")), "{said}");
    }
}

#[test]
fn the_other_verbs_answer_too() {
    let range = json(&["range", "qwen3-4b", "--input", "500", "--output", "100..200..4000", "--scrape-urls", "2"]);
    assert_eq!([&range["range"]["low"], &range["range"]["high"]], [&json!("100.4"), &json!("206.25")]);
    let settled = json(&["settle", "qwen3-4b", "--input", "500", "--output", "200", "--held", "0.3"]);
    assert_eq!(settled["settle"]["above_hold"], "0.25");
    assert!(printed(&["settle", "qwen3-4b", "--held", "1"]).contains("  Released        0.45  AiSpace credits\n"));
    let afford = json(&["afford", "qwen3-4b", "--usd", "1"]);
    assert_eq!(afford["afford"]["count"], "18181");
    let mix = ["afford", "qwen3-4b", "--budget", "10000", "--first", "image-generation --images 1 --runs 50"];
    assert_eq!(json(&mix)["mix"]["then"]["count"], "9090");
    let in_json = ["afford", "qwen3-4b", "--budget", "10000", "--first", r#"{"model": "image-generation", "usage": {"images": 50}}"#];
    assert_eq!(json(&in_json)["mix"]["then"]["count"], "9090");
    let compared = json(&["compare", "--input", "500", "--output", "200", "--kind", "chat", "--capability", "reasoning", "--top", "1"]);
    assert_eq!(
        compared["compare"]["ranked"],
        json!([{"card": "aispace", "model": "qwen3-4b", "name": "Venice Small", "kind": "chat",
        "total": "0.55", "unit": "aispace", "usd": "0.000055", "evidence": "rate_card"}])
    );
    assert_eq!(printed(&["convert", "4400", "aispace", "cny"]), "4,400 AiSpace credits = 3.212 Chinese yuan\n");
    assert_eq!(json(&["convert", "1", "cny", "usd", "--rounding", "up"])["convert"]["converted"], "0.14");
}

#[test]
fn models_are_listed() {
    let count = |arguments: &[&str]| json(&[&["models"], arguments].concat())["models"].as_array().map(Vec::len);
    assert_eq!(count(&["--card", "aispace"]), Some(56));
    assert_eq!(count(&["--card", "aispace", "--kind", "video"]), Some(31));
    assert_eq!(count(&["--card", "aispace", "--card", "pinnora"]), Some(78));
    assert_eq!(count(&["--capability", "vision", "--capability", "beta"]), Some(1));
    assert_eq!(count(&["GEMMA"]), Some(1));
    let shown = printed(&["models", "sora"]);
    assert!(shown.contains("Sora 2 (Text to Video), retired 2026-09-24\n"), "{shown}");
    assert!(printed(&["models", "nothing-like-it"]).starts_with("No model is like that."));
}

#[test]
fn a_refusal_ends_with_2_and_says_what_is_allowed() {
    for (arguments, said) in [
        (vec!["quote", "sora-3"], "no model \"sora-3\"; nearest: sora-2-"),
        (vec!["quote", "Wan 2.6"], "may be any of aispace:wan-2.6-image-to-video, aispace:wan-2.6-text-to-video"),
        (vec!["quote", "sora-2-text-to-video", "--seconds", "5"], "seconds cannot be 5; allowed: 4, 8, 12"),
        (
            vec!["quote", "veo3.1-fast-text-to-video", "--resolution", "4k"],
            "no price is known for veo3.1-fast-text-to-video at 4 s, 4k, sound on",
        ),
        (vec!["quote", "qwen3-4b", "--images", "2"], "qwen3-4b has no price for images; it is priced by input_tokens, output_tokens"),
        (vec!["quote", "qwen3-4b", "--runs", "0"], "runs must be 1 to 1,000,000, not 0"),
        (vec!["quote", "qwen3-4b", "--input", "-1"], "--input"),
        (vec!["quote", "qwen3-4b", "--input", "1.5"], "input must be a whole number"),
        (vec!["quote", "qwen3-4b", "--input", "1..2..3"], "ask for a range"),
        (vec!["quote", "qwen3-4b", "--tier", "batch"], "tier cannot be batch; allowed: none"),
        (vec!["quote", "qwen3-4b", "--option", "quality"], "such as name=value"),
        (vec!["quote", "qwen3-4b", "--width", "3"], "--height"),
        (vec!["range", "qwen3-4b", "--input", "3..2..1"], "low, likely and high ascend"),
        (vec!["afford", "qwen3-4b"], "--budget"),
        (vec!["afford", "qwen3-4b", "--budget", "1000", "--first", "image-generation --runs 50"], "4000 more than the 1000 there are"),
        (vec!["afford", "qwen3-4b", "--budget", "1", "--first", "image-generation --pictures 50"], "--pictures"),
        (vec!["afford", "qwen3-4b", "--budget", "1", "--first", "{"], "EOF"),
        (vec!["convert", "1", "cny", "usd"], "a rounding must be named"),
        (vec!["convert", "1", "shells", "usd"], "no currency \"shells\"; known: aispace, pinnora, usd, cny"),
        (vec!["compare", "--kind", "chat"], "a job that uses nothing"),
        (vec!["models", "--kind", "smells"], "is not one of chat, image"),
        (vec!["models", "--at", "noon"], "such as 2026-02-01T00:00:00Z or 2026-02-01"),
        (vec!["--json"], "a command is missing"),
        (vec!["price"], "unrecognized subcommand"),
    ] {
        let (code, message) = refused(&arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(message.contains(said), "{arguments:?}: {message}");
    }
}

#[test]
fn a_refusal_is_json_where_json_was_asked_for() {
    let (code, said) = refused(&["quote", "sora-2-text-to-video", "--seconds", "5", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&said).expect("one JSON document");
    assert_eq!((code, &error["error"]["code"], &error["error"]["allowed"]), (2, &json!("impossible"), &json!(["4", "8", "12"])));
}

#[test]
fn prices_are_those_of_the_instant() {
    let priced = |at: &str| json(&["quote", "qwen3-4b", "--at", at])["quote"]["at"].clone();
    assert_eq!(priced("2026-02-01"), "2026-02-01T00:00:00Z");
    assert_eq!(priced("2026-02-01T01:00:00+01:00"), "2026-02-01T00:00:00Z");
}

#[test]
fn whoever_has_read_enough_is_no_failure() {
    let mut child = command(&["card", "show", "aispace"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    // More than a pipe holds is not written yet when its reader goes.
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn help_says_what_there_is() {
    let help = printed(&["--help"]);
    for word in
        ["quote", "range", "settle", "afford", "compare", "models", "convert", "card", "--jsonl", "Exit codes: 0 answered; 2 refused"]
    {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(aispace(&[]).status.code(), Some(2));
}
