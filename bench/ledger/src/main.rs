//! What the ledger costs. usage: bench-ledger memory [SECONDS [ROUNDS]]

mod figures;
mod memory;

use std::env;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["memory"] => memory::run(0.3, 7),
        ["memory", seconds] => memory::run(number(seconds), 7),
        ["memory", seconds, rounds] => memory::run(number(seconds), number(rounds)),
        _ => panic!("{words:?} is not memory [SECONDS [ROUNDS]]"),
    }
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word:?} is not a number"))
}
