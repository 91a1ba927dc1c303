//! Requests line by line.
#![allow(missing_docs)]

mod support;

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};
use support::{AT, command, fed, lines, text};

fn codes(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["error"]["code"].as_str().unwrap_or("answered")).collect()
}

#[test]
fn answers_come_in_order_and_refusals_do_not_stop_them() {
    let requests: Vec<String> = (0..300)
        .map(|id| match id % 3 {
            0 => json!({"id": id, "quote": {"model": "qwen3-4b", "usage": {"input_tokens": id}}}).to_string(),
            1 => json!({"id": id, "quote": {"model": "qwen3-5b"}}).to_string(),
            _ => format!("{{\"id\": {id}, \"quote\""),
        })
        .collect();
    let answers = lines(&[], requests.join("\n").as_bytes());
    assert_eq!(answers.len(), requests.len());
    for (id, answer) in answers.iter().enumerate() {
        match id % 3 {
            0 => assert_eq!(
                (&answer["id"], &answer["quote"]["lines"][0]["quantity"]),
                (&json!(id), &json!((id > 0).then(|| id.to_string())))
            ),
            1 => assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!("unknown_model"))),
            _ => assert_eq!(answer["error"]["code"], "bad_request"),
        }
    }
}

#[test]
fn a_line_that_is_no_request_has_its_refusal_and_a_blank_one_none() {
    let convert = br#"{"convert": {"amount": "1", "from": "usd", "to": "aispace"}}"#;
    let long = vec![b'x'; 1_048_577];
    let longer = vec![b' '; 5_000_000];
    let nested = br#"{"quote":{"openai_usage":{"x":"#.as_slice();
    let longest = [nested, &vec![b'['; 1_048_576 - nested.len()]].concat();
    let parts: [&[u8]; 10] = [b"", convert, b"   \t", b"\xff\xfe{}", &long, convert, b"\r", &longer, &longest, convert];
    let answers = lines(&[], &parts.join(&b'\n'));
    assert_eq!(
        codes(&answers),
        ["answered", "bad_request", "bad_request", "answered", "bad_request", "bad_request", "answered"],
        "{answers:?}"
    );
    let said = |at: usize| answers[at]["error"]["message"].as_str().unwrap_or_default();
    assert!(said(1).contains("UTF-8") && said(2).contains("at most 1048576 bytes") && said(4).contains("at most"));
    assert!(said(5).contains("EOF"), "as long as a request may be: {}", said(5));
    assert_eq!(lines(&[], b"").len(), 0);
    assert_eq!(lines(&[], b"\n\n").len(), 0);
    assert_eq!(lines(&[], &[convert.as_slice(), b"\r\n"].concat()).len(), 1, "a line may end as on other systems");
}

#[test]
fn an_answer_is_there_before_the_next_request() {
    let mut child = command(&["--jsonl", "--at", AT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut asks = child.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    for id in 0..3 {
        writeln!(asks, r#"{{"id": {id}, "convert": {{"amount": "1", "from": "usd", "to": "aispace"}}}}"#).expect("it reads");
        let answer: Value = serde_json::from_str(&answers.next().expect("a line").expect("it writes")).expect("JSON");
        assert_eq!(answer["id"], id);
    }
    drop(asks);
    assert!(answers.next().is_none());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn whoever_has_read_enough_is_no_failure() {
    let line = b"{\"quote\": {\"model\": \"qwen3-4b\"}}\n";
    let mut child =
        command(&["--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    drop(child.stdout.take());
    let mut asks = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || (0..20_000).try_for_each(|_| asks.write_all(line)));
    let output = child.wait_with_output().expect("it ends");
    assert!(writer.join().expect("the writer ends").is_err(), "it stopped reading");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn every_verb_is_answered_under_its_word() {
    let run = json!({"model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}});
    let requests = [
        json!({"quote": run}),
        json!({"range": run}),
        json!({"settle": {"run": run, "held": "1"}}),
        json!({"afford": {"run": run, "budget": "1"}}),
        json!({"mix": {"budget": "1", "first": [], "then": run}}),
        json!({"compare": {"run": {"usage": {"input_tokens": 1}}}}),
        json!({"convert": {"amount": "1", "from": "usd", "to": "cny"}}),
    ];
    let text: Vec<String> = requests.iter().map(ToString::to_string).collect();
    for (request, answer) in requests.iter().zip(lines(&[], text.join("\n").as_bytes())) {
        let verb = request.as_object().and_then(|o| o.keys().next()).expect("a verb");
        assert!(answer[verb].is_object(), "{answer}");
    }
}

#[test]
fn one_result_and_many_are_written_alike() {
    let line = br#"{"quote": {"model": "sora-2-text-to-video", "seconds": 8}}"#;
    let typed = support::json(&["quote", "sora-2-text-to-video", "--seconds", "8", "--at", AT]);
    assert_eq!(lines(&[], line), [typed]);
}

#[test]
fn a_card_that_is_none_is_refused_before_any_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("card.json");
    std::fs::write(&file, "{}").expect("a file");
    let output = fed(&["--jsonl", "--card", file.to_str().expect("utf-8")], b"{}\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && text(&output.stderr).contains("not a rate card"), "{}", text(&output.stderr));
    assert_eq!(fed(&["--jsonl", "quote", "qwen3-4b"], b"").status.code(), Some(2), "lines or a command, not both");
}
