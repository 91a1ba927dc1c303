//! The service's debits in PostgreSQL beside `pgbench` running the same statements, in turn.

use crate::figures::{Run, head, line};
use crate::service::Callers;
use aispace_service::Database;
use aispace_test_postgres::{PostgresServer, tool};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const CLIENTS: usize = 16;
const ACCOUNTS: usize = 1_000;
const ROUNDS: usize = 4;

pub async fn run(span: Duration) {
    let server = PostgresServer::start().expect("PostgreSQL starts");
    let (own, other) = (server.fresh_database().expect("a database"), server.fresh_database().expect("a database"));
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    prepare(&root, &other);
    let database: Database = own.parse().expect("an address");
    let callers = Callers::of(&database, ACCOUNTS).await;
    let (mut ours, mut one, mut rates) = (Run::default(), Run::default(), Vec::new());
    for round in 0..=ROUNDS {
        let rate = pgbench(&root, &other, span);
        let (run, alone) = (callers.run(CLIENTS, span).await, callers.run(1, span).await);
        // The first only warms.
        if round > 0 {
            rates.push(rate);
            ours.add(run);
            one.add(alone);
        }
    }
    callers.close().await;
    let bench = rates.iter().sum::<f64>() / rates.len() as f64;
    head();
    line("one caller", &one);
    line(&format!("{CLIENTS} callers, {ACCOUNTS} accounts"), &ours);
    println!("| pgbench, {CLIENTS} clients, {ACCOUNTS} accounts | {bench:.0} | | | | | |");
    println!("\n| ratio | figure |\n|---|---:|");
    println!("| {CLIENTS} callers to pgbench | {:.2} |", ours.rate() / bench);
}

/// The tables, and accounts that the script draws from.
fn prepare(root: &Path, url: &str) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("crates/service/migrations/postgres"))
        .expect("migrations")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.push(root.join("bench/ledger/pgbench/setup.sql"));
    let mut psql = Command::new(tool("psql").expect("psql"));
    psql.args([url, "-q", "-v", "ON_ERROR_STOP=1", "-v", &format!("accounts={ACCOUNTS}")]);
    files.iter().for_each(|file| {
        psql.arg("-f").arg(file);
    });
    assert!(psql.status().expect("psql runs").success());
}

/// Transactions in a second.
fn pgbench(root: &Path, url: &str, span: Duration) -> f64 {
    let seconds = span.as_secs().max(1).to_string();
    let (script, clients) = (root.join("bench/ledger/pgbench/debit.sql"), CLIENTS.to_string());
    let mut command = Command::new(tool("pgbench").expect("pgbench"));
    command.args([url, "-n", "-M", "prepared", "-c", &clients, "-j", "2", "-T", &seconds, "-f"]).arg(script);
    let output = command.output().expect("pgbench runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find(|line| line.starts_with("tps = ")).unwrap_or_else(|| panic!("{said}{:?}", output.stderr));
    line.split(' ').nth(2).and_then(|rate| rate.parse().ok()).expect("a rate")
}
