//! The tables, as Markdown.

use crate::{
    Effort, Outcome, Places,
    contenders::{Contender, ENGINE},
    figures::{Range, Results},
    machine,
};
use bench_common::Workload;
use std::fmt::Write;

const BY_NAME_TARGET: f64 = 80e6;
const RESOLVED_TARGET: f64 = 150e6;
const LOAD_MS_TARGET: f64 = 15.0;
const START_MS_TARGET: f64 = 20.0;

/// The whole report.
pub fn write(results: &Results, effort: &Effort, places: &Places) -> Outcome<String> {
    let mut text = String::from("# The pricing engine beside its peers\n\n");
    writeln!(text, "Written by `make bench` on {}. Everything here was measured in that one run.\n", machine::today())?;
    text.push_str(METHOD);
    targets(&mut text, results)?;
    speeds(&mut text, results)?;
    exactness(&mut text, results)?;
    starts(&mut text, results)?;
    loads(&mut text, results)?;
    contenders(&mut text, results)?;
    text.push_str("\n## Machine\n\n| | |\n|---|---|\n");
    for (name, value) in machine::describe(&places.python, &results.load_before) {
        writeln!(text, "| {name} | {value} |")?;
    }
    writeln!(text, "\n## Again\n\n{AGAIN}")?;
    writeln!(
        text,
        "This run: {} rounds, {} s of CPU time for each row of each round, {} usages for exactness, {} loads of each card.",
        effort.rounds, effort.seconds, effort.exact, effort.loads
    )?;
    Ok(text)
}

const METHOD: &str = "A typical quote is one request: a model, about 1,000 input tokens of which about 400 came from a cache, and about 200 output tokens. The counts change with every
quote, by the same sequence for all, so that nothing can be kept from one quote to the next. The names are those of the common list (`bench/names.txt`) that a
contender knows, in one mixed order. Every round starts each contender anew, one after the other, warms it up, and counts quotes per second of process CPU time.
All Rust is built with the product's release profile.

This engine is asked for more than its peers give: the exact total and the exact amount of every line, out of a card of 4,000 models. The prices of that card are
made up; its names are the common list and ids of 12 to 45 characters that look like real ones.\n";

const AGAIN: &str = "`make bench` installs the peers by name from crates.io, npm and PyPI, builds, measures and writes this file; it takes some minutes, the first time more. `make bench
ARGS=--quick` tries it out and leaves this file alone. Let nothing else run meanwhile. The versions are pinned in `bench/Cargo.lock`, `bench/node/package-lock.json` and
`bench/python/requirements.txt`; the harness is in `bench`, and the engine's own benches are `cargo bench -p aispace-pricing`.\n";

fn targets(text: &mut String, results: &Results) -> Outcome<()> {
    let speed = |workload| results.ranking(workload).into_iter().find(|row| row.0 == ENGINE).map_or(0.0, |row| row.2.median);
    let load = results.loads.first().map_or(f64::NAN, |(_, _, load)| load.milliseconds.median);
    let start = results.starts.first().map_or(f64::NAN, |(_, range)| range.median);
    let missed = results.exactness.get(ENGINE).map_or(u64::MAX, |e| e.missed);
    let [resolved, by_name] = [Workload::ModelsAll, Workload::NamesAll].map(speed);
    let made = &results.allocations;
    let rows = [
        ("total and every line, model found beforehand, 4,000 models in turn", rate(resolved), "≥ 150 M/s", resolved >= RESOLVED_TARGET),
        ("total and every line, by name, 4,000 names in turn", rate(by_name), "≥ 80 M/s", by_name >= BY_NAME_TARGET),
        ("load of a card of 4,000 models", format!("{load:.1} ms"), "≤ 15 ms", load <= LOAD_MS_TARGET),
        ("`aispace quote`, process start to answer", format!("{start:.1} ms"), "≤ 20 ms", start <= START_MS_TARGET),
        ("totals and lines that are not exact", missed.to_string(), "0", missed == 0),
        ("allocations while quoting", (made.allocations + made.reallocations).to_string(), "0", made.allocations + made.reallocations == 0),
    ];
    text.push_str("\n## Targets\n\n| | median | target | |\n|---|--:|--:|---|\n");
    for (what, figure, target, met) in rows {
        writeln!(text, "| {what} | {figure} | {target} | {} |", if met { "met" } else { "**missed**" })?;
    }
    Ok(())
}

fn speeds(text: &mut String, results: &Results) -> Outcome<()> {
    text.push_str("\n## Quotes per CPU-second\n\nA peer that is asked for a model found beforehand has a float formula of three products to work out, and no lines: that is what it is ahead by.\n");
    let tables = [
        (Workload::NamesCommon, "By name, the common list in turn"),
        (Workload::NameOne, "By name, the same name every time (`gpt-4o`; for llm-cost-cap, which lacks it, `gpt-5`)"),
        (Workload::ModelsCommon, "Models of the common list, found beforehand"),
        (Workload::ModelOne, "One model, found beforehand"),
    ];
    for (workload, title) in tables {
        writeln!(text, "\n**{title}**\n\n| | names | least | median | most | this engine is |\n|---|--:|--:|--:|--:|--:|")?;
        for (name, names, Range { least, median, most }) in results.ranking(workload) {
            let ratio = results.ratio(workload, ENGINE, name).filter(|_| name != ENGINE).map_or(String::new(), times);
            let [least, median, most] = [least, median, most].map(rate);
            writeln!(text, "| {name} | {} | {least} | {median} | {most} | {ratio} |", whole(names as u64))?;
        }
    }
    text.push_str("\n**This engine, every model of the card in turn, in a mixed order**\n\n| | names | least | median | most |\n|---|--:|--:|--:|--:|\n");
    for (workload, title) in [(Workload::NamesAll, "by name"), (Workload::ModelsAll, "found beforehand")] {
        for (_, names, Range { least, median, most }) in results.ranking(workload) {
            let [least, median, most] = [least, median, most].map(rate);
            writeln!(text, "| {title} | {} | {least} | {median} | {most} |", whole(names as u64))?;
        }
    }
    Ok(())
}

fn exactness(text: &mut String, results: &Results) -> Outcome<()> {
    text.push_str(
        "\n## Exactness\n\nTotals of random usages (seeded; up to 100,000 input and 20,000 output tokens), printed as shortly as reads back the same, against the exact price from the
contender's own rates taken as decimals. Only models with a cache rate, so that the price is plain. This engine's lines are compared too, with every token meter.\n
| | models | usages | not exact | | worst deviation |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for contender in &results.present {
        let Some(found) = results.exactness.get(contender.name) else { continue };
        let share = 100.0 * found.missed as f64 / found.checked as f64;
        let worst = if found.missed == 0 { "–".to_string() } else { format!("{:.1e} of the price", found.worst) };
        writeln!(
            text,
            "| {} | {} | {} | {} | {share:.1} % | {worst} |",
            contender.name,
            whole(found.names as u64),
            whole(found.checked),
            whole(found.missed)
        )?;
    }
    Ok(())
}

fn starts(text: &mut String, results: &Results) -> Outcome<()> {
    text.push_str("\n## The first quote of a process\n\nWall time from the start of the process to its answer, in milliseconds. LiteLLM reads its own price map, not the network's.\n\n");
    text.push_str("| | least | median | most |\n|---|--:|--:|--:|\n");
    for (name, Range { least, median, most }) in &results.starts {
        writeln!(text, "| {name} | {least:.1} | {median:.1} | {most:.1} |")?;
    }
    Ok(())
}

fn loads(text: &mut String, results: &Results) -> Outcome<()> {
    text.push_str("\n## Loading a card\n\nFrom the text in memory to a card that quotes, each in a process of its own; the peak of resident memory of that process.\n\n");
    text.push_str(
        "| models | text | least | median | most | peak before | with the text | with the card |\n|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (models, bytes, load) in &results.loads {
        let Range { least, median, most } = load.milliseconds;
        let [before, with_text, after] = [load.peak_kib_before, load.peak_kib_text, load.peak_kib_after].map(mebibytes);
        let (models, text_size) = (whole(*models as u64), mebibytes(bytes / 1024));
        writeln!(text, "| {models} | {text_size} | {least:.1} ms | {median:.1} ms | {most:.1} ms | {before} | {with_text} | {after} |")?;
    }
    let made = &results.allocations;
    writeln!(
        text,
        "\nIn {} quotes by name and of models found beforehand the heap was asked {} times.",
        whole(made.quotes),
        whole(made.allocations + made.reallocations)
    )?;
    Ok(())
}

fn contenders(text: &mut String, results: &Results) -> Outcome<()> {
    text.push_str("\n## Contenders\n\n| | version | a quote gives |\n|---|---|---|\n");
    for Contender { name, version, gives, .. } in &results.present {
        writeln!(text, "| {name} | {version} | {gives} |")?;
    }
    for Contender { name, version, missing, .. } in &results.absent {
        writeln!(text, "| {name} | {version} | not measured: {} |", missing.as_deref().unwrap_or_default())?;
    }
    text.push_str("\nA crate `tokencost` is not on crates.io; the package of that name on PyPI takes part.\n");
    Ok(())
}

fn rate(per_second: f64) -> String {
    match per_second {
        n if n >= 1e8 => format!("{:.0} M", n / 1e6),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n => format!("{:.1} k", n / 1e3),
    }
}

fn times(Range { least, median, most }: Range) -> String {
    let short = |n: f64| match n {
        n if n >= 99.95 => whole(n.round() as u64),
        n if n >= 9.995 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    };
    format!("**{} ×** ({}–{})", short(median), short(least), short(most))
}

fn mebibytes(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// 1234567 as 1,234,567.
fn whole(number: u64) -> String {
    let digits = number.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits.chars().enumerate().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit])).collect()
}
