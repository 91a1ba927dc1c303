//! Runs this engine and its peers side by side and writes `docs/bench/pricing.md`. Started by `scripts/bench`, which installs and builds them.

mod contenders;
mod figures;
mod machine;
mod report;

use bench_common::{Exactness, Speed};
use contenders::{Contender, ENGINE, Starter, all, starters};
use figures::{Range, Results};
use serde::de::DeserializeOwned;
use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How much is measured.
pub struct Effort {
    pub rounds: usize,
    pub seconds: f64,
    pub exact: u32,
    pub loads: usize,
}

/// Where things are, as `scripts/bench` says.
pub struct Places {
    pub root: PathBuf,
    /// The built contenders in Rust.
    pub bin: PathBuf,
    /// The Python that has the peers.
    pub python: PathBuf,
    /// The released command.
    pub aispace: PathBuf,
    /// Scratch: cards, and a file for each peer that could not be installed.
    pub out: PathBuf,
}

fn main() -> Outcome<()> {
    let place =
        |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("{name} is not set: start this with scripts/bench"));
    let places = Places {
        root: place("ROOT")?,
        bin: place("BENCH_BIN")?,
        python: place("BENCH_PYTHON")?,
        aispace: place("BENCH_AISPACE")?,
        out: place("BENCH_OUT")?,
    };
    let effort = match env::args().nth(1).as_deref() {
        None => Effort { rounds: 7, seconds: 0.5, exact: 20_000, loads: 11 },
        Some("--quick") => Effort { rounds: 2, seconds: 0.1, exact: 2_000, loads: 3 },
        Some(other) => return Err(format!("{other}: the one option is --quick").into()),
    };
    let results = measure(&places, &effort)?;
    let text = report::write(&results, &effort, &places)?;
    print!("{text}");
    let file = if effort.rounds < 3 { places.out.join("pricing-quick.md") } else { places.root.join("docs/bench/pricing.md") };
    fs::write(&file, &text)?;
    eprintln!("written: {}", file.display());
    Ok(())
}

fn measure(places: &Places, effort: &Effort) -> Outcome<Results> {
    let engine = places.bin.join("bench-engine");
    run(&engine, &["cards", &places.out.display().to_string()])?;
    let mut results = Results::default();
    results.load_before = machine::load();
    let mut contenders = all(places);
    contenders.iter_mut().for_each(try_out);
    let (present, absent): (Vec<Contender>, Vec<Contender>) = contenders.into_iter().partition(|c| c.missing.is_none());
    for round in 1..=effort.rounds {
        for contender in &present {
            eprintln!("round {round} of {}: {}", effort.rounds, contender.name);
            let speeds: Vec<Speed> = ask(contender, &["speed", &effort.seconds.to_string()])?;
            speeds.into_iter().for_each(|speed| results.add(contender.name, speed));
        }
    }
    for contender in &present {
        eprintln!("exactness: {}", contender.name);
        let exactness: Exactness = ask(contender, &["exact", &effort.exact.to_string()])?;
        results.exactness.insert(contender.name, exactness);
    }
    for starter in starters(places, &present) {
        eprintln!("first quote: {}", starter.name);
        results.starts.push((starter.name.clone(), starts(&starter, effort.rounds)?));
    }
    for models in [4_000, 40_000] {
        eprintln!("loading {models} models");
        let card = places.out.join(format!("card-{models}.json"));
        results.loads.push((models, fs::metadata(&card)?.len(), loads(&engine, &card, effort.loads)?));
    }
    results.allocations = serde_json::from_str(&run(&places.bin.join("allocations"), &[])?)?;
    (results.present, results.absent) = (present, absent);
    Ok(results)
}

/// A peer that is there and gives no quote is left out, with the reason; this engine has to give one.
fn try_out(contender: &mut Contender) {
    let quoted = ask::<serde_json::Value>(contender, &["first"]);
    match quoted {
        Err(reason) if contender.name == ENGINE => panic!("this engine gives no quote: {reason}"),
        Err(reason) if contender.missing.is_none() => contender.missing = Some(format!("it gives no quote: {reason}")),
        Err(_) | Ok(_) => {}
    }
}

fn ask<T: DeserializeOwned>(contender: &Contender, request: &[&str]) -> Outcome<T> {
    let words: Vec<&str> = contender.arguments.iter().map(String::as_str).chain(request.iter().copied()).collect();
    Ok(serde_json::from_str(&run(&contender.program, &words)?)?)
}

/// Runs a program to its end and gives back what it printed.
fn run(program: &Path, arguments: &[&str]) -> Outcome<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().map_err(|e| format!("{}: {e}", program.display()))?;
    if !output.status.success() {
        return Err(format!("{} {arguments:?}: {}", program.display(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Milliseconds from the start of a process to its first whole line.
fn starts(starter: &Starter, rounds: usize) -> Outcome<Range> {
    let mut milliseconds = Vec::new();
    for _ in 0..rounds * starter.per_round {
        let began = Instant::now();
        let mut process = Command::new(&starter.program)
            .args(&starter.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        milliseconds.push(began.elapsed().as_secs_f64() * 1e3);
        if !process.wait()?.success() || line.is_empty() {
            return Err(format!("{} gave no quote", starter.name).into());
        }
    }
    Ok(Range::of(milliseconds))
}

fn loads(engine: &Path, card: &Path, times: usize) -> Outcome<figures::Load> {
    let load = |_| Ok(serde_json::from_str(&run(engine, &["load", &card.display().to_string()])?)?);
    let all = (0..times).map(load).collect::<Outcome<Vec<figures::OneLoad>>>()?;
    Ok(figures::Load::of(&all))
}
