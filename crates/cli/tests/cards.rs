//! Rate cards of one's own: priced by, checked, printed, compared, imported.
#![allow(missing_docs)]

mod support;

use serde_json::{Value, json};
use std::{fs, path::Path};
use support::{AT, aispace, built_in, fed, json, printed, refused, text};

/// Made-up prices.
const OWN: &str = r#"{
  "format": "aispace-rate-card/2", "id": "own", "name": "Own tariff", "date": "2026-01-01",
  "unit": {"code": "points", "name": "points", "per_usd": "100"},
  "posting": {"rule": "up", "decimals": 0},
  "models": [{"id": "qwen3-4b", "name": "Own model", "kind": "chat", "base": {"usage": {"input_tokens": 1000}},
    "rates": [{"meter": "input_tokens", "amount": "0.5", "unit": "credits", "per": "1k"}]}]
}"#;

fn written(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, content).expect("a file");
    path.to_str().expect("utf-8").to_owned()
}

#[test]
fn a_card_in_a_file_takes_the_place_of_the_built_in_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = written(folder.path(), "own.json", OWN);
    let quote = json(&["quote", "qwen3-4b", "--input", "1000", "--card", &own]);
    assert_eq!(
        (&quote["quote"]["total"], &quote["quote"]["posted"], &quote["quote"]["unit"]),
        (&json!("0.5"), &json!("1"), &json!("points"))
    );
    let before = json(&["--card", &own, "--at", AT, "quote", "qwen3-4b", "--input", "1000"]);
    assert_eq!(before, json(&["quote", "qwen3-4b", "--input", "1000", "--card", &own, "--at", AT]), "it may stand anywhere");
    assert!(refused(&["quote", "gpt-5", "--card", &own]).1.contains("no model \"gpt-5\""));
    let (_, said) = refused(&["quote", "qwen3-4b", "--card", &own, "--with-built-in"]);
    assert!(said.contains("may be any of own:qwen3-4b, aispace:qwen3-4b"), "{said}");
    assert_eq!(json(&["quote", "aispace:qwen3-4b", "--card", &own, "--with-built-in"])["quote"]["total"], "0.55");
    assert_eq!(json(&["convert", "1", "usd", "points", "--card", &own])["convert"]["converted"], "100");
    let (_, said) = refused(&["quote", "qwen3-4b", "--card", &own, "--card", &own]);
    assert!(said.contains("two cards have the id \"own\""), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_broken_and_one_that_is_no_card_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.json");
    let (code, said) = refused(&["quote", "x", "--card", missing.to_str().expect("utf-8")]);
    assert!(code == 1 && said.contains("missing.json"), "{code} {said}");
    for (content, reason) in [
        ("{", "EOF"),
        (r#"{"format": "aispace-rate-card/1", "models": {}}"#, "the card's format is \"aispace-rate-card/1\""),
        (&OWN.replace(r#""amount": "0.5""#, r#""amount": 0.5"#), "floating point `0.5`"),
        (&OWN.replace(r#""amount": "0.5""#, r#""amount": "-0.5""#), "-0.5"),
    ] {
        let file = written(folder.path(), "bad.json", content);
        let (code, said) = refused(&["quote", "qwen3-4b", "--card", &file]);
        assert!(code == 2 && said.contains("bad.json") && said.contains(reason), "{code} {said}");
    }
    fs::write(folder.path().join("bad.json"), [0xff, 0xfe]).expect("a file");
    let file = folder.path().join("bad.json");
    assert!(refused(&["card", "show", file.to_str().expect("utf-8")]).1.contains("not UTF-8"));
}

#[test]
fn files_are_checked_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = written(folder.path(), "own.json", OWN);
    let bad = written(folder.path(), "bad.json", "{}");
    let cards: Vec<String> = ["aispace", "aisa", "pinnora", "channel"].map(built_in).to_vec();
    let cards: Vec<&str> = cards.iter().map(String::as_str).collect();
    let checked = json(&[&["card", "check"], cards.as_slice()].concat());
    let models: Vec<&Value> = checked["checked"].as_array().expect("a list").iter().map(|c| &c["models"]).collect();
    assert_eq!(models, [&json!(56), &json!(9), &json!(22), &json!(0)]);
    let output = aispace(&["card", "check", &own, &bad]);
    let shown = text(&output.stdout);
    assert!(
        shown.contains("own.json: holds together: Own tariff, 2026-01-01, 1 model") && shown.contains("bad.json: not a rate card"),
        "{shown}"
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), "aispace: 1 of 2 files refused\n".to_owned()));
    let piped = fed(&["card", "check", "-"], OWN.as_bytes());
    assert_eq!(piped.status.code(), Some(0), "{}", text(&piped.stderr));
}

#[test]
fn a_shown_card_reads_back_as_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    for id in ["aispace", "aisa", "pinnora", "channel"] {
        let shown = printed(&["card", "show", id]);
        let file = written(folder.path(), &format!("{id}.json"), &shown);
        assert!(printed(&["card", "diff", id, &file]).contains("Nothing changed"), "{id}");
        let source: Value = serde_json::from_str(&fs::read_to_string(built_in(id)).expect("a card")).expect("JSON");
        let again: Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(again["models"].as_array().map(Vec::len), source["models"].as_array().map(Vec::len));
    }
}

#[test]
fn changes_between_cards_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = written(folder.path(), "old.json", OWN);
    let dearer = OWN.replace(r#""amount": "0.5""#, r#""amount": "0.55""#).replace(r#""rule": "up""#, r#""rule": "half_up""#);
    let new = written(folder.path(), "new.json", &dearer);
    let shown = printed(&["card", "diff", &old, &new]);
    assert!(shown.contains("  qwen3-4b  input_tokens  0.5 points / 1k  → 0.55 points / 1k  +10 %\n"), "{shown}");
    assert!(shown.contains("  the card  posting.rule  up  → half_up\n"), "{shown}");
    let diff = json(&["card", "diff", &old, &new]);
    assert_eq!(diff["diff"]["changed"][0]["rates"][0]["percent"], "+10");
    assert_eq!(refused(&["card", "diff", &old, "/nowhere/card.json"]).0, 1);
}

#[test]
fn a_change_is_said_in_what_it_would_have_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = written(folder.path(), "old.json", OWN);
    let new = written(folder.path(), "new.json", &OWN.replace(r#""amount": "0.5""#, r#""amount": "0.75""#));
    let log = [
        r#"{"at": "2026-11-01T00:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 4000}, "runs": 2, "charged": "4"}"#,
        r#"{"at": "2026-10-05T00:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 8000}}"#,
        "",
        r#"{"at": "2026-11-02T00:00:00Z", "model": "gpt-5", "usage": {"input_tokens": 8000}}"#,
        "no run",
    ];
    let file = written(folder.path(), "log.jsonl", &log.join("\n"));
    let diff = json(&["card", "diff", &old, &new, "--usage", &file, "--at", AT]);
    let total = &diff["replay"]["total"];
    assert_eq!(
        (&total["old"], &total["new"], &total["difference"], &total["percent"]),
        (&json!("4"), &json!("6"), &json!("+2"), &json!("+50"))
    );
    assert_eq!((&diff["replay"]["outside"], &diff["replay"]["unpriced"]["lines"]), (&json!(1), &json!(2)));
    let of = |period: &str| {
        json(&["card", "diff", &old, &new, "--usage", &file, "--period", period, "--at", AT])["replay"]["total"]["old"].clone()
    };
    assert_eq!((of("all"), of("calendar-month"), of("month")), (json!("8"), json!("4"), json!("4")));
    let shown = printed(&["card", "diff", &old, &new, "--usage", &file, "--at", AT]);
    for line in [
        "  qwen3-4b     2       4      6          +2  +50 %\n",
        "Charged for 1 line: 4; the card before says 4.\n",
        "Not counted: 1 line of another time.\n",
        "Without a price: 2 lines.\n",
    ] {
        assert!(shown.contains(line), "{line}{shown}");
    }
    let piped = fed(&["card", "diff", &old, &new, "--usage", "-", "--period", "all", "--json"], log[0].as_bytes());
    let piped: Value = serde_json::from_slice(&piped.stdout).expect("JSON");
    assert_eq!(piped["replay"]["total"]["lines"], 1);
    assert_eq!(refused(&["card", "diff", &old, &new, "--usage", "/nowhere/log"]).0, 1);
}

#[test]
fn two_cards_joined_price_each_its_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = written(folder.path(), "old.json", OWN);
    let new = written(folder.path(), "new.json", &OWN.replace(r#""amount": "0.5""#, r#""amount": "0.7""#));
    let both = folder.path().join("both.json");
    let both = both.to_str().expect("utf-8");
    assert_eq!(printed(&["card", "merge", &old, &new, "--from", "2026-12-01", "--out", both]), "");
    let total = |at: &str| json(&["quote", "qwen3-4b", "--card", both, "--at", at])["quote"]["total"].clone();
    assert_eq!((total("2026-11-30T23:59:59Z"), total("2026-12-01")), (json!("0.5"), json!("0.7")));
    let other = written(folder.path(), "other.json", &OWN.replace(r#""per_usd": "100""#, r#""per_usd": "10""#));
    let (code, said) = refused(&["card", "merge", &old, &other, "--from", "2026-12-01"]);
    assert!(code == 2 && said.contains("keeps no history of unit"), "{said}");
}

/// A made-up price list.
const LIST: &str = r#"{"data": [
  {"id": "a/chat", "name": "A Chat", "pricing": {"prompt": "0.000003", "completion": "0.000015"}},
  {"id": "a/router", "name": "A Router", "pricing": {"prompt": "-1", "completion": "-1"}}
]}"#;

#[test]
fn a_foreign_price_list_becomes_a_card() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = written(folder.path(), "list.json", LIST);
    let card = folder.path().join("card.json");
    let card = card.to_str().expect("utf-8");
    let import = ["card", "import", &list, "--from", "openrouter", "--id", "router", "--name", "Router", "--date", "2026-10-01"];
    let shown = printed(&[import.as_slice(), &["--out", card]].concat());
    assert!(shown.starts_with("Router (router), 2026-10-01: 1 model imported, 1 not\n"), "{shown}");
    assert!(shown.contains("a/router") && shown.contains("Written to"), "{shown}");
    assert_eq!(json(&["quote", "a/chat", "--input", "1000", "--output", "200", "--card", card])["quote"]["total"], "0.006");

    let document = json(&[import.as_slice(), &["--against", card]].concat());
    assert_eq!((&document["import"]["models"], &document["import"]["diff"]["unchanged"]), (&json!(1), &json!(1)));
    assert_eq!(document["import"]["skipped"][0]["model_id"], "a/router");

    let piped = fed(&["card", "import", "-", "--from", "openrouter", "--out", "-", "--at", AT], LIST.as_bytes());
    let alone: Value = serde_json::from_slice(&piped.stdout).expect("the card alone");
    assert_eq!((&alone["id"], &alone["date"]), (&json!("openrouter"), &json!("2026-11-21")));
    assert!(text(&piped.stderr).contains("1 model imported"));

    let log = written(folder.path(), "log.jsonl", r#"{"at": "2026-11-20T00:00:00Z", "model": "a/chat", "usage": {"input_tokens": 1000}}"#);
    let meant = json(&[import.as_slice(), &["--against", card, "--usage", &log, "--at", AT]].concat());
    assert_eq!(meant["import"]["replay"]["total"]["new"], "0.003");
    assert!(refused(&[import.as_slice(), &["--usage", &log]].concat()).1.contains("--against"));

    let another = aispace(&["card", "import", &list, "--from", "litellm", "--out", card]);
    let said = text(&another.stderr);
    assert!(another.status.code() == Some(2) && said.contains("list.json: no model of it could be imported"), "{said}");
    assert_eq!(json(&["card", "check", card])["checked"][0]["models"], 1, "what was there stays");
    let none = written(folder.path(), "none.json", "{");
    assert_eq!(refused(&["card", "import", &none, "--from", "openrouter"]).0, 2);
    assert!(refused(&["card", "import", &list, "--from", "elsewhere"]).1.contains("not one of venice, new-api, openrouter, litellm"));
}
