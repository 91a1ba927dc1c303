//! Runs scenarios against the service as a process, over HTTP and with its test clock. `docs/scenarios.md` says what a scenario is.
//!
//! Every file of this folder is a test on SQLite and one on PostgreSQL, with the accounts read around every event, and a test with the process
//! killed after every call that posts. The answers may depend on none of it.

mod agree;
mod event;
mod look;
mod runner;
mod service;
#[path = "../support/mod.rs"]
mod support;

use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use event::{Strictness, read};
use runner::{Beside, Runner};
use serde_json::Value;
use service::Driven;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A test for each file, run in one way.
macro_rules! ways {
    ($module:ident, $run:ident, $beside:ident, $($name:ident),*) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$run(stringify!($name), super::Beside::$beside).await;
            })*
        }
    };
}

/// Tests for each file: both ways of running it, on both databases.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        ways!(file_read_around_every_event, on_sqlite, Readings, $($name),*);
        ways!(file_killed_after_every_call, on_sqlite, Kills, $($name),*);
        ways!(postgres_read_around_every_event, on_postgres, Readings, $($name),*);
        // The service keeps nothing in its process, and PostgreSQL is not what is killed here: a few of them show it.
        ways!(postgres_killed_after_every_call, on_postgres, Kills, at_once, chain, renewal);
    };
}

scenarios! {
    at_once,
    batch_life,
    chain,
    clock_never_back,
    debt,
    draw_order,
    hold_timeout,
    holds_and_expiry,
    idempotency,
    metered,
    no_sweep,
    refunds,
    refusals,
    renewal,
    same_instant,
    settle_above,
    voids,
    words,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

async fn on_sqlite(name: &str, beside: Beside) {
    let directory = tempfile::tempdir().expect("a directory");
    kept(name, directory.path().join("service.db").to_str().expect("text"), beside).await;
}

async fn on_postgres(name: &str, beside: Beside) {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("a server");
    kept(name, &server.fresh_database().expect("a database"), beside).await;
}

/// Runs a kept scenario on an empty database.
async fn kept(name: &str, database: &str, beside: Beside) {
    let path = folder().join(format!("{name}.jsonl"));
    print(&run(&path, Driven::start(database).await, Strictness::Checked, beside).await);
}

async fn run(path: &Path, service: Driven, strictness: Strictness, beside: Beside) -> Vec<Value> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let events = read(&text, strictness).unwrap_or_else(|mistake| panic!("{file}: {mistake}"));
    let restarts = events.iter().any(|event| event.kind == event::Kind::Restart);
    assert!(service.is_own() || !restarts, "{file}: a service that runs elsewhere cannot be started anew");
    Runner::run(service, &file, &events, beside).await
}

fn print(answers: &[Value]) {
    let mut out = std::io::stdout().lock();
    for answer in answers {
        writeln!(out, "{answer}").expect("written");
    }
}

#[test]
fn every_file_is_run() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, NAMES);
}

/// `SCENARIO` names the file, `ANSWERS` the file for the answers (stdout when absent), `DATABASE` the database (a temporary file when
/// absent), `SERVICE_URL` and `OPERATOR_TOKEN` a service that runs already. With `DRAFT=1` events may come without `expect`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs the file that SCENARIO names"]
async fn the_file_that_is_named() {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let path = PathBuf::from(set("SCENARIO").expect("SCENARIO names a file"));
    let directory = tempfile::tempdir().expect("a directory");
    let own = directory.path().join("service.db").display().to_string();
    let service = match set("SERVICE_URL") {
        Some(url) => Driven::at(&url, &set("OPERATOR_TOKEN").expect("OPERATOR_TOKEN is the operator's token")),
        None => Driven::start(&set("DATABASE").unwrap_or(own)).await,
    };
    let strictness = if set("DRAFT").is_some() { Strictness::Draft } else { Strictness::Checked };
    let answers = run(&path, service, strictness, Beside::Readings).await;
    match set("ANSWERS") {
        Some(file) => {
            let lines: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
            std::fs::write(&file, lines).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        None => print(&answers),
    }
}
