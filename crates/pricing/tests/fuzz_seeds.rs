//! The fuzz targets of `fuzz/`, each with its seeds and a fixed number of changes to them: refused or read, never a panic, little memory.
#![allow(missing_docs)]

mod support;

use std::{fs, path::Path};
use support::fuzzed::{TARGETS, Target};

/// How many changed seeds each target is given.
const CHANGED: usize = 3_000;
/// Longest that a changed seed is.
const BYTES_MAX: usize = 8 * 1024;
/// Most memory at a time, beside so many bytes for each that is read: a token of two bytes becomes a value of some hundred.
const MEMORY_MAX: u64 = 2 * 1024 * 1024;
const MEMORY_PER_BYTE_MAX: u64 = 1_500;

/// What JSON and prices are made of.
const WORDS: [&str; 40] = [
    "null",
    "true",
    "{}",
    "[]",
    "[[",
    "{\"",
    "\":",
    ",",
    "\"\"",
    "\"a\"",
    "-1",
    "0",
    "1",
    "-0.0",
    "1e999",
    "1e-999",
    "1E5",
    "0.1",
    "00",
    "1.",
    "18446744073709551615",
    "340282366920938463463374607431768211456",
    "0.000000000000000000000001",
    "NaN",
    "\"0\"",
    "\"-1\"",
    "\"1e3\"",
    "\u{0}",
    "\u{feff}",
    "é",
    "\\u0000",
    "\\ud800",
    "9999-12-31T23:59:59Z",
    "-262143-01-01T00:00:00Z",
    "2026-02-30",
    "24:00",
    "*",
    "(",
    "\n",
    " ",
];

/// Xorshift of 64 bits, the same row for every run of the test.
struct Changes(u64);

impl Changes {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).expect("small")).expect("below a usize")
    }

    /// A seed with one to eight changes.
    fn changed(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = seeds[self.below(seeds.len())].clone();
        if data.len() > BYTES_MAX {
            let from = self.below(data.len() - BYTES_MAX);
            data = data[from..from + BYTES_MAX].to_vec();
        }
        for _ in 0..[1, 1, 2, 8][self.below(4)] {
            self.change(&mut data, seeds);
        }
        data.truncate(BYTES_MAX);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(data.len() + 1);
        let end = (at + self.below(40)).min(data.len());
        match self.below(12) {
            0 => data.truncate(at),
            1 => drop(data.drain(at..end)),
            2 => {
                let copy = data[at..end].to_vec();
                data.splice(at..at, copy);
            }
            3 if at < data.len() => data[at] ^= 1 << self.below(8),
            4 if at < data.len() => data[at] = u8::try_from(self.below(256)).expect("a byte"),
            5 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let part = other[from..(from + self.below(200)).min(other.len())].to_vec();
                data.splice(at..end, part);
            }
            6 => _ = data.splice(at..end, WORDS[self.below(WORDS.len())].bytes()),
            _ => self.change_value(data, at),
        }
    }

    /// Another value for a field, so that the JSON stays one.
    fn change_value(&mut self, data: &mut Vec<u8>, at: usize) {
        let Some(from) = data[at..].iter().position(|b| *b == b':').map(|colon| at + colon + 1) else { return };
        let value = data[from..].iter().position(|b| b",}]".contains(b)).map_or(data.len(), |length| from + length);
        let digit = |from: &[u8]| from.iter().position(u8::is_ascii_digit);
        match (self.below(3), digit(&data[from..value])) {
            (0 | 1, Some(digit)) => data[from + digit] = b'0' + u8::try_from(self.below(10)).expect("a digit"),
            _ => _ = data.splice(from..value, WORDS[self.below(WORDS.len())].bytes()),
        }
    }
}

/// The seeds of a target: its own, and the files that it reads anyway.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("../../fuzz/seeds").join(name);
    let shared = match name {
        "card" => Some(root.join("cards")),
        "venice_models" | "newapi_pricing" | "openrouter_models" | "litellm_prices" => Some(root.join("tests/fixtures")),
        _ => None,
    };
    let mut files: Vec<_> = [Some(own), shared]
        .into_iter()
        .flatten()
        .flat_map(|folder| fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())))
        .map(|file| file.expect("a file").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

/// Gives bytes to a target and counts the memory that it takes.
fn give((name, target): Target, data: &[u8]) -> bool {
    let mut read = false;
    let memory = allocation_counter::measure(|| read = target(data)).bytes_max;
    let most = MEMORY_MAX + MEMORY_PER_BYTE_MAX * u64::try_from(data.len()).expect("small");
    assert!(memory <= most, "{name}: {memory} bytes of memory for {} bytes: {}", data.len(), String::from_utf8_lossy(data));
    read
}

fn replay(name: &str) {
    let target = *TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    // What is read once for all is not counted.
    (target.1)(b"{}");
    assert!(seeds.iter().filter(|seed| give(target, seed)).count() > 0, "no seed of {name} is read");
    let mut changes = Changes(0x9E37_79B9_7F4A_7C15);
    let read = (0..CHANGED).filter(|_| give(target, &changes.changed(&seeds))).count();
    assert!(read * 50 > CHANGED, "only {read} changed seeds of {name} are read");
    for data in [
        &b""[..],
        b"\xff\xfe",
        &b"[".repeat(BYTES_MAX),
        &b"{\"a\":".repeat(BYTES_MAX / 5),
        &b"(".repeat(BYTES_MAX),
        &b"9".repeat(BYTES_MAX),
    ] {
        give(target, data);
    }
}

macro_rules! targets {
    ($($name:ident)+) => {
        $(#[test] fn $name() { replay(stringify!($name)); })+

        #[test]
        fn every_target_is_replayed_and_built() {
            let replayed = [$(stringify!($name)),+];
            assert_eq!(TARGETS.map(|(name, _)| name), replayed);
            let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml")).expect("fuzz/Cargo.toml");
            for name in replayed {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/ does not build {name}");
            }
        }
    };
}

targets! {
    card venice_models newapi_pricing openrouter_models litellm_prices expression video_quote quote_cache request usage_log made_up
}
