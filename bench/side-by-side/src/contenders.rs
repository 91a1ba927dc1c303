//! Who takes part, and how each is started.

use crate::Places;
use std::{fs, path::PathBuf};

/// Someone who quotes.
pub struct Contender {
    pub name: &'static str,
    /// What a quote of it consists of.
    pub gives: &'static str,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub version: String,
    /// Why it does not take part.
    pub missing: Option<String>,
}

/// A process whose first answer is waited for.
pub struct Starter {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub per_round: usize,
}

/// This engine, under the name that the tables give it.
pub const ENGINE: &str = "this engine";

/// Peers in Rust: name, what a quote gives.
const RUST: [(&str, &str); 3] = [
    ("tiktoken", "one float"),
    ("llm-cost-cap", "three floats and their sum"),
    ("aicost", "a float for each part, rounded to a millionth of a dollar"),
];

/// Peers in Python: name, what a quote gives.
const PYTHON: [(&str, &str); 3] =
    [("genai-prices", "a decimal and two subtotals"), ("tokencost", "a decimal for each part"), ("litellm", "two floats")];

/// The engine first, then the peers.
pub fn all(places: &Places) -> Vec<Contender> {
    let engine = Contender {
        name: ENGINE,
        gives: "the exact total and every line's exact amount",
        program: places.bin.join("bench-engine"),
        arguments: vec![places.out.join("card-4000.json").display().to_string()],
        version: locked(places, "Cargo.lock", "aispace-pricing"),
        missing: None,
    };
    let rust = RUST.map(|(name, gives)| Contender {
        name,
        gives,
        program: places.bin.join(format!("bench-{name}")),
        arguments: Vec::new(),
        version: format!("{} (crates.io)", locked(places, "Cargo.lock", name)),
        missing: missing(places, name),
    });
    let node = Contender {
        name: "@pydantic/genai-prices",
        gives: "a float and two subtotals",
        program: "node".into(),
        arguments: vec![places.root.join("bench/node/contender.mjs").display().to_string()],
        version: format!("{} (npm)", npm_version(places)),
        missing: missing(places, "@pydantic/genai-prices"),
    };
    let script = places.root.join("bench/python/contender.py").display().to_string();
    let python = PYTHON.map(|(name, gives)| Contender {
        name: if name == "genai-prices" { "genai-prices (Python)" } else { name },
        gives,
        program: places.python.clone(),
        arguments: vec![script.clone(), name.to_string()],
        version: format!("{} (PyPI)", pinned(places, name)),
        missing: missing(places, name),
    });
    [engine].into_iter().chain(rust).chain([node]).chain(python).collect()
}

/// The command, the peers of scripting languages, and these languages with nothing to do.
pub fn starters(places: &Places, present: &[Contender]) -> Vec<Starter> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<String>>();
    let quote = words(&["quote", "qwen3-4b", "--input", "1000", "--cached", "400", "--output", "200", "--convention", "inclusive"]);
    let mut starters = vec![Starter {
        name: "`aispace quote`, all built-in cards".into(),
        program: places.aispace.clone(),
        arguments: quote,
        per_round: 10,
    }];
    for peer in present.iter().filter(|c| c.program == places.python || c.program.as_os_str() == "node") {
        let arguments = peer.arguments.iter().cloned().chain(["first".to_string()]).collect();
        starters.push(Starter { name: peer.name.into(), program: peer.program.clone(), arguments, per_round: 1 });
    }
    let bare =
        |name: &str, program: PathBuf, code: [&str; 2]| Starter { name: name.into(), program, arguments: words(&code), per_round: 3 };
    starters.push(bare("(Python that prints 0)", places.python.clone(), ["-c", "print(0)"]));
    starters.push(bare("(Node that prints 0)", "node".into(), ["-e", "console.log(0)"]));
    starters
}

/// `scripts/bench` leaves a file with the reason for every peer that it could not install.
fn missing(places: &Places, name: &str) -> Option<String> {
    let reason = fs::read_to_string(places.out.join("missing").join(name.replace('/', "_"))).ok()?;
    Some(reason.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it could not be installed").trim().to_string())
}

fn locked(places: &Places, lock: &str, name: &str) -> String {
    let text = fs::read_to_string(places.root.join("bench").join(lock)).unwrap_or_default();
    let mut lines = text.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    lines.nth(1).and_then(|line| line.split('"').nth(1)).unwrap_or("?").to_string()
}

fn npm_version(places: &Places) -> String {
    let file = places.root.join("bench/node/package.json");
    let package: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).unwrap_or_default()).unwrap_or_default();
    package["dependencies"]["@pydantic/genai-prices"].as_str().unwrap_or("?").to_string()
}

fn pinned(places: &Places, name: &str) -> String {
    let text = fs::read_to_string(places.root.join("bench/python/requirements.txt")).unwrap_or_default();
    let version = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="));
    version.unwrap_or("?").to_string()
}
