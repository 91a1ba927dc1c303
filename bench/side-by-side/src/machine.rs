//! What it ran on, without names of hosts or people.

use std::{fs, process::Command};

/// Name and value of each thing that the figures depend on.
pub fn describe(python: &std::path::Path, busy: &str) -> Vec<(&'static str, String)> {
    let processors = first_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_string());
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = first_of("/proc/meminfo", "MemTotal").and_then(|kib| kib.trim_end_matches(" kB").parse::<u64>().ok());
    vec![
        ("Processor", format!("{processors}, {count} cores")),
        ("Memory", memory.map_or("?".into(), |kib| format!("{} GiB", (kib + 524_288) / 1_048_576))),
        ("System", said("uname", &["-srm"])),
        ("Before it", busy.to_string()),
        ("Rust", said("rustc", &["--version"])),
        ("Node.js", said("node", &["--version"])),
        ("Python", said(&python.display().to_string(), &["--version"])),
    ]
}

/// How many processes wanted to run in the last minute: what else the machine was doing.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().map_or("?".into(), |minute| format!("{minute} processes ready to run in the minute before"))
}

/// The day, in UTC.
pub fn today() -> String {
    said("date", &["-u", "+%Y-%m-%d"])
}

fn first_of(file: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(key)?.split_once(':')?.1.trim().to_string()))
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or("not there".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_string())
}
