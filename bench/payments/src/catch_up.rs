//! Catching up: blocks read in order from three nodes, in a process whose memory is watched.

use crate::blocks::VALUE;
use aispace_payments::chain::Nodes;
use aispace_payments::watch::{BlockReader, Reconciliation};
use std::env;
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Each kind, how many of the blocks it reads, and what it is called.
const ROWS: [(&str, u64, u64, &str); 6] = [
    ("quiet", 1, 0, "nothing for us"),
    ("quiet", 1, 50, "nothing for us, nodes 50 ms away"),
    ("paid", 1, 0, "three payments in each"),
    ("paid", 4, 50, "three payments in each, nodes 50 ms away"),
    ("forgetful", 1, 0, "whole blocks, nodes without old balances"),
    ("internal", 50, 0, "a payment by a contract in each: traced"),
];

pub async fn run(blocks: u64) {
    println!("| blocks | read | per second | CPU, ms each | MB each and node | memory after a tenth, MB | at the end, MB |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (kind, divisor, latency, name) in ROWS {
        let (mut nodes, urls, sizes) = start(kind, latency).await;
        let own = env::current_exe().expect("this program");
        let read = Command::new(own).args(["read", &urls, &(blocks / divisor).to_string()]).stderr(Stdio::inherit()).output().await;
        let read = String::from_utf8(read.expect("read").stdout).expect("text");
        let figures: Vec<&str> = read.split_whitespace().collect();
        let [count, rate, cpu, tenth, end] = figures.as_slice() else { panic!("{name}: {read}") };
        let bytes = match kind {
            "quiet" => sizes[1],
            "internal" => sizes.iter().sum(),
            _ => sizes[0] + sizes[1],
        };
        println!("| {name} | {count} | {rate} | {cpu} | {:.2} | {tenth} | {end} |", bytes as f64 / 1e6);
        nodes.kill().await.expect("ended");
    }
}

/// Nodes, their URLs, and the bytes of a whole block, of one with hashes only, and of a trace.
async fn start(kind: &str, latency: u64) -> (Child, String, Vec<u64>) {
    let own = env::current_exe().expect("this program");
    let nodes = Command::new(own).args(["nodes", kind, &latency.to_string()]).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let mut nodes = nodes.expect("started");
    let mut line = String::new();
    BufReader::new(nodes.stdout.take().expect("its output")).read_line(&mut line).await.expect("a line");
    let mut words = line.split_whitespace();
    let urls = words.next().expect("urls").to_owned();
    (nodes, urls, words.map(|word| word.parse().expect("bytes")).collect())
}

/// Reads and prints: blocks, blocks per second, CPU of this process for each, most memory after a tenth and at the end.
pub async fn read(urls: Vec<String>, blocks: u64) {
    let reader = BlockReader::new(Nodes::new(&urls).expect("nodes"));
    let mut stream = reader.blocks_from(1);
    let (mut parent, mut tenth) = (None, 0.0);
    let began = Instant::now();
    for number in 1..=blocks {
        let block = stream.next().await.expect("read").expect("there");
        assert_eq!(block.number, number);
        assert!(parent.is_none_or(|parent| parent == block.parent_hash));
        assert!(block.payments.iter().all(|payment| payment.value.get() == VALUE && payment.tag().is_some()));
        assert!(matches!(block.reconciliation, Reconciliation::Exact | Reconciliation::Unchecked), "{:?}", block.reconciliation);
        parent = Some(block.hash);
        if number == blocks.div_ceil(10) {
            tenth = peak_mb();
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds() * 1e3 / blocks as f64;
    println!("{blocks} {:.0} {cpu:.2} {tenth:.0} {:.0}", blocks as f64 / seconds, peak_mb());
}

/// The most memory that this process ever had.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1e3
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("a status");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    // User and system time, in hundredths of a second.
    (fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks")) / 100.0
}
