//! Prices that Venice is asked for, by a stand-in on this machine.
#![allow(missing_docs)]

mod support;

use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread::JoinHandle,
};
use support::{AT, aispace, json, refused, text};

/// Answers so many requests, one after the other, each with the same status and body; hands back what was asked.
fn venice(status: &'static str, body: &'static str, requests: usize) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/api/v1", listener.local_addr().expect("an address"));
    let answering =
        std::thread::spawn(move || (0..requests).map(|_| answer(listener.accept().expect("a caller").0, status, body)).collect());
    (url, answering)
}

fn answer(mut caller: TcpStream, status: &str, body: &str) -> String {
    let (mut asked, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = caller.read(&mut part).expect("a request");
        asked.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&asked).into_owned();
        let length =
            text.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ").and_then(|n| n.trim().parse::<usize>().ok()));
        let whole = text.find("\r\n\r\n").is_some_and(|head| asked.len() >= head + 4 + length.unwrap_or(0));
        if whole || read == 0 {
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            caller.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).expect("an answer");
            return text;
        }
    }
}

const CLIP: [&str; 4] = ["quote", "sora-2-text-to-video", "--seconds", "8"];

#[test]
fn a_clip_costs_what_is_quoted_now_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let quotes = folder.path().join("quotes.json");
    let quotes = quotes.to_str().expect("utf-8");
    let (url, asked) = venice("200 OK", r#"{"quote": 0.9000000000000001}"#, 1);
    let live = json(&[CLIP.as_slice(), &["--live", "--quotes", quotes, "--venice", &url]].concat());
    assert_eq!((&live["quote"]["total"], &live["quote"]["evidence"]), (&json!("9000"), &json!("live_quote")));
    let asked = asked.join().expect("it answered").remove(0);
    assert!(
        asked.starts_with("POST /api/v1/video/quote ")
            && asked.ends_with(r#"{"model":"sora-2-text-to-video","duration":"8s","resolution":"720p"}"#),
        "{asked}"
    );

    let cached = json(&[CLIP.as_slice(), &["--quotes", quotes]].concat());
    assert_eq!((&cached["quote"]["total"], &cached["quote"]["evidence"]), (&json!("9000"), &json!("cached_quote")));
    let before = json(&[CLIP.as_slice(), &["--quotes", quotes, "--at", "2026-02-01"]].concat());
    assert_eq!(before["quote"]["total"], "8800", "it was not yet quoted then");

    // Nobody answers there any more.
    let output = aispace(&[CLIP.as_slice(), &["--live", "--quotes", quotes, "--venice", &url, "--json"]].concat());
    let fallen_back: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(fallen_back["quote"]["evidence"], "cached_quote");
    assert!(text(&output.stderr).starts_with("aispace: no live quote: "), "{}", text(&output.stderr));
}

#[test]
fn without_an_answer_the_card_says_it() {
    let (url, _) = venice("503 Service Unavailable", r#"{"error": "try later"}"#, 1);
    let output = aispace(&[CLIP.as_slice(), &["--live", "--venice", &url]].concat());
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("Total  8,800  AiSpace credits"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("no live quote"), "{}", text(&output.stderr));
}

#[test]
fn what_is_no_longer_offered_is_refused_with_what_is() {
    let refusal = r#"{"error": "Invalid request parameters", "issues": [{"path": ["duration"], "expected": "'4s' | '12s'"}]}"#;
    let (url, _) = venice("400 Bad Request", refusal, 1);
    let (code, message) = refused(&[CLIP.as_slice(), &["--live", "--venice", &url]].concat());
    assert!(code == 2 && message.contains("seconds cannot be 8; allowed: 4, 12"), "{message}");
}

#[test]
fn only_clips_are_quoted_and_only_safe_addresses_asked() {
    for (arguments, said) in [
        (
            vec!["quote", "qwen3-4b", "--live", "--venice", "http://127.0.0.1:9/"],
            "Venice quotes the clips of the card aispace, not aispace:qwen3-4b",
        ),
        (vec!["quote", "sora-2-text-to-video", "--live", "--venice", "http://venice.example/"], "another machine"),
        (vec!["quote", "sora-2-text-to-video", "--seconds", "5", "--live", "--venice", "http://127.0.0.1:9/"], "allowed: 4, 8, 12"),
        (vec!["card", "import", "--fetch", "--from", "litellm"], "only Venice's price list can be fetched"),
    ] {
        let (code, message) = refused(&arguments);
        assert!(code == 2 && message.contains(said), "{arguments:?}: {message}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let quotes = folder.path().join("quotes.json");
    std::fs::write(&quotes, "{}").expect("a file");
    let (code, message) = refused(&[CLIP.as_slice(), &["--quotes", quotes.to_str().expect("utf-8")]].concat());
    assert!(code == 2 && message.contains("not a cache of quotes"), "{message}");
}

#[test]
fn the_price_list_is_fetched() {
    let list = r#"{"object": "list", "type": "all", "data": [{"id": "m", "type": "text", "object": "model",
        "model_spec": {"name": "M", "pricing": {"input": {"usd": 1.5, "diem": 1.5}, "output": {"usd": 6, "diem": 6}}}}]}"#;
    let (url, asked) = venice("200 OK", list, 1);
    let imported = json(&["card", "import", "--fetch", "--from", "venice", "--venice", &url, "--at", AT]);
    assert_eq!((&imported["import"]["models"], &imported["import"]["card"]["date"]), (&json!(1), &json!("2026-11-21")), "{imported}");
    assert!(asked.join().expect("it answered")[0].starts_with("GET /api/v1/models?type=all "));
}
