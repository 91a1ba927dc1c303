//! What a program and all its children have: memory, processor's time, wake-ups.

use aispace_testkit::{KitError, process::descendants};
use std::{collections::BTreeMap, fs};

/// Ticks of the processor's time in a second, as Linux counts them for every program.
const TICKS: f64 = 100.0;

/// The program and every process below it.
pub fn family(id: u32) -> Vec<u32> {
    std::iter::once(id).chain(descendants(id).into_iter().map(|(id, _)| id)).collect()
}

/// Proportional memory in MB, by the names of the processes.
pub fn memory(id: u32) -> Result<BTreeMap<String, f64>, KitError> {
    let mut found = BTreeMap::new();
    for id in family(id) {
        let Ok(rollup) = fs::read_to_string(format!("/proc/{id}/smaps_rollup")) else { continue };
        let kilobytes: f64 =
            rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0.0);
        *found.entry(name(&format!("/proc/{id}/comm"))).or_insert(0.0) += kilobytes / 1024.0;
    }
    if found.is_empty() { Err(KitError::unexpected("the program has ended")) } else { Ok(found) }
}

/// Seconds of the processor that it has used so far.
pub fn seconds(id: u32) -> f64 {
    let ticks = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name before may hold blanks and brackets; user and system time are the 12th and 13th after it.
        let after = stat.rsplit_once(')').map(|(_, rest)| rest.to_string()).unwrap_or_default();
        after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>()
    };
    family(id).into_iter().map(ticks).sum::<f64>() / TICKS
}

/// How often each thread has waited of its own accord so far, and under which name: process, thread.
pub fn waits(id: u32) -> BTreeMap<(u32, u32), (String, u64)> {
    let mut found = BTreeMap::new();
    for process in family(id) {
        let owner = name(&format!("/proc/{process}/comm"));
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let Ok(number) = thread.file_name().to_string_lossy().parse::<u32>() else { continue };
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok()).unwrap_or(0);
            let own = name(&thread.path().join("comm").to_string_lossy());
            found.insert((process, number), (format!("{owner}: {own}"), count));
        }
    }
    found
}

fn name(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_string()
}
