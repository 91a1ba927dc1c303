//! The command as a shell meets it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::Value;
use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// An instant at which all tests are asked.
pub const AT: &str = "2026-11-21T12:00:00Z";

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aispace"));
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn aispace(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the command starts")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("utf-8")
}

/// What is printed where it is answered.
pub fn printed(arguments: &[&str]) -> String {
    let output = aispace(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The one document that is printed with `--json`.
pub fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[arguments, &["--json"]].concat())).expect("one JSON document")
}

/// What is said on standard error, with the exit code, where nothing is answered.
pub fn refused(arguments: &[&str]) -> (i32, String) {
    let output = aispace(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
    (output.status.code().expect("an exit code"), text(&output.stderr))
}

/// The answer lines to request lines, all at once.
pub fn lines(arguments: &[&str], requests: &[u8]) -> Vec<Value> {
    let output = fed(&[&["--jsonl", "--at", AT], arguments].concat(), requests);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

pub fn fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().expect("the command ends");
    // Whoever is refused before it reads leaves the pipe.
    let _ = writer.join().expect("the writer ends");
    output
}

/// The file of a built-in card.
pub fn built_in(id: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../pricing/cards/{id}.json"));
    path.to_str().expect("utf-8").to_owned()
}
