//! The release window beside a bare one of the same Tauri: start, memory, rest, typing, and the log with 100,000 entries. Writes tables
//! to standard output; `make bench-app` and `make bench-usage` run it.

mod rest;
mod spent;
mod startup;
mod typing;
mod usage;
mod world;

use clap::{Parser, Subcommand};
use std::{io::Write as _, process::ExitCode};

#[derive(Parser)]
#[command(about = "Measures the window")]
struct Arguments {
    /// Short times and few rounds: a try.
    #[arg(long, global = true)]
    quick: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// From the start of the process to the balance on the screen, beside a bare window.
    Startup,
    /// Memory after a minute and the processor's time at rest, beside a bare window.
    Rest,
    /// From a keystroke to the new estimate.
    Typing,
    /// The log with 100,000 entries.
    Usage,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { quick, what } = Arguments::parse();
    let measured = match what {
        What::Startup => startup::measure(quick).await,
        What::Rest => rest::measure(quick).await,
        What::Typing => typing::measure(quick).await,
        What::Usage => usage::measure(quick).await,
    };
    match measured {
        Ok(page) => {
            let _ = std::io::stdout().write_all(page.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("could not be measured: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What goes on, beside the tables.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The value that this part of all values does not exceed.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The middle one; of two, the mean.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2));
    low.zip(high).map_or(f64::NAN, |(low, high)| (low + high) / 2.0)
}

/// How a ratio stands to its goal.
fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}
