//! How fast payments are read from full blocks. usage: bench-payments catch-up BLOCKS

mod blocks;
mod catch_up;
mod node;

use std::env;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse().ok()).expect("a number");
    match words.first().map(String::as_str) {
        Some("catch-up") => catch_up::run(number(1)).await,
        Some("read") => catch_up::read(words.get(1).expect("a url").split(',').map(str::to_owned).collect(), number(2)).await,
        Some("nodes") => node::serve(words.get(1).expect("a kind").parse().expect("a kind"), number(2)).await,
        _ => panic!("{words:?} is not catch-up and a number of blocks"),
    }
}
