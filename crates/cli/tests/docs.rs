//! Every example of `docs/pricing.md`, run. With `AISPACE_WRITE_DOCS=1` the answers are written anew.
//!
//! A fenced block says what it is: `json card NAME` and `text file NAME` are files, `json request` is a request, `json answer` after it its
//! answer, `console` holds commands with what they print. The document is one session: a file stays for the examples below it.
#![allow(missing_docs)]

mod docs_support;

use docs_support::{Block, blocks, minified, pretty};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// When the examples are asked, as the document says.
const AT: &str = "2026-11-21T12:00:00Z";

struct Session {
    folder: tempfile::TempDir,
    card: Option<String>,
    asked: Option<String>,
}

impl Session {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), card: None, asked: None }
    }

    /// What stands in a block after it was run; none where it is not an example.
    fn run(&mut self, block: &Block) -> String {
        let words: Vec<&str> = block.info.split_whitespace().collect();
        assert!(self.asked.is_none() || words == ["json", "answer"], "line {}: a request without its answer", block.line);
        match words.as_slice() {
            ["json", "card", name] => {
                self.write(name, &block.text);
                self.card = Some((*name).to_owned());
                block.text.clone()
            }
            ["text" | "json", "file", name] => {
                self.write(name, &block.text);
                block.text.clone()
            }
            ["json", "request"] => {
                self.asked = Some(minified(&block.text));
                block.text.clone()
            }
            ["json", "answer"] => {
                let asked = self.asked.take().unwrap_or_else(|| panic!("line {}: an answer without its request", block.line));
                let answer = self.answer(&asked);
                // As the document breaks the lines, so long as it says the same.
                if minified(&block.text) == answer && !is_writing() { block.text.clone() } else { pretty(&answer) }
            }
            ["console"] => self.console(block),
            _ => panic!("line {}: {:?} is no kind of example", block.line, block.info),
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a file of the example");
    }

    fn answer(&self, asked: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aispace"));
        command.args(["--jsonl", "--at", AT]).current_dir(self.folder.path());
        if let Some(card) = &self.card {
            command.args(["--card", card, "--with-built-in"]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
        writeln!(child.stdin.take().expect("a pipe"), "{asked}").expect("the command reads");
        let output = child.wait_with_output().expect("the command ends");
        let text = String::from_utf8(output.stdout).expect("utf-8");
        assert_eq!(text.lines().count(), 1, "one answer to {asked}");
        text.trim_end().to_owned()
    }

    fn console(&self, block: &Block) -> String {
        let commands = block.text.lines().filter_map(|line| line.strip_prefix("$ "));
        let shown: Vec<String> = commands.map(|command| format!("$ {command}\n{}", self.printed(command))).collect();
        assert!(!shown.is_empty(), "line {}: no command", block.line);
        shown.concat()
    }

    fn printed(&self, command: &str) -> String {
        let binary = Path::new(env!("CARGO_BIN_EXE_aispace")).parent().expect("a folder of binaries").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&path))).expect("a path");
        let merged = format!("{{ {command}\n}} 2>&1");
        let output =
            Command::new("sh").args(["-c", &merged]).env("PATH", path).current_dir(self.folder.path()).output().expect("a shell starts");
        let mut text = String::from_utf8(output.stdout).expect("utf-8");
        match output.status.code() {
            Some(0) => {}
            code => text.push_str(&format!("(exit code {})\n", code.expect("an exit code"))),
        }
        text
    }
}

fn is_writing() -> bool {
    std::env::var_os("AISPACE_WRITE_DOCS").is_some()
}

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Runs a document and answers how many examples of each kind it has.
fn run(name: &str) -> Vec<String> {
    let path = docs(name);
    let written = fs::read_to_string(&path).expect("the document");
    let mut session = Session::new();
    let mut lines: Vec<String> = written.lines().map(ToOwned::to_owned).collect();
    let mut wrong = Vec::new();
    let mut kinds = Vec::new();
    // From the end, so that the places of earlier blocks stay true when lines change.
    let ran: Vec<(Block, String)> = blocks(&written).into_iter().map(|block| (session.run(&block), block)).map(|(s, b)| (b, s)).collect();
    for (block, shown) in ran.into_iter().rev() {
        if shown != block.text {
            wrong.push(format!("line {}, {}:\n{shown}", block.line, block.info));
            lines.splice(block.line..block.line + block.text.lines().count(), shown.lines().map(ToOwned::to_owned));
        }
        kinds.push(block.info);
    }
    if is_writing() {
        fs::write(&path, lines.join("\n") + "\n").expect("the document is written");
    } else {
        wrong.reverse();
        assert!(wrong.is_empty(), "{name} says otherwise; with AISPACE_WRITE_DOCS=1 it is written anew:\n{}", wrong.join("\n"));
    }
    kinds
}

#[test]
fn every_example_of_pricing_is_true() {
    let kinds = run("pricing.md");
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    assert!(count("json request") >= 40 && count("console") >= 9, "{} requests, {} commands", count("json request"), count("console"));
}

/// Whatever stands in a fence of the format's description is an example too.
#[test]
fn every_example_of_the_format_is_true() {
    run("rate-card.md");
}

#[test]
fn what_the_document_promises_is_there() {
    let text = fs::read_to_string(docs("pricing.md")).expect("the document");
    let asked: String = blocks(&text).into_iter().filter(|b| b.info == "json request").map(|b| minified(&b.text)).collect();
    for verb in ["quote", "range", "settle", "afford", "mix", "compare", "convert"] {
        assert!(asked.contains(&format!("{{\"{verb}\":")), "no example of {verb}");
    }
    for meter in aispace_pricing::Meter::ALL {
        assert!(text.contains(meter.as_str()), "nothing about {meter}");
    }
    for code in aispace_pricing::request::Code::ALL {
        assert!(text.contains(&format!("`{code}`")), "nothing about the refusal {code}");
    }
    // The refusal of a field that is none lists all that are, between backquotes, after the one that was given.
    let refused = serde_json::from_str::<aispace_pricing::request::RunRequest>(r#"{"?": 1}"#).expect_err("no field").to_string();
    let fields: Vec<&str> = refused.split('`').skip(3).step_by(2).collect();
    assert!(fields.len() > 20, "{refused}");
    for field in fields {
        assert!(text.contains(&format!("`{field}`")), "nothing about the field {field}");
    }
}
