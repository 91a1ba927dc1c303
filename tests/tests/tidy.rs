//! The shape of the project: who may depend on whom, no floats near money, nothing too long, nothing from elsewhere.

use aispace_pricing::{Capability, FactorKind, LineMeter, Meter, Variant};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Member → members it may use. Every arrow that is not here is refused.
const ARROWS: [(&str, &[&str]); 14] = [
    ("aispace-units", &[]),
    ("aispace-pricing", &["aispace-units"]),
    ("aispace-ledger", &["aispace-units"]),
    ("aispace-api", &["aispace-units"]),
    ("aispace-keychain", &[]),
    ("aispace-payments", &["aispace-units"]),
    ("aispace-client", &["aispace-api", "aispace-pricing", "aispace-units"]),
    (
        "aispace-app",
        &["aispace-api", "aispace-client", "aispace-keychain", "aispace-ledger", "aispace-payments", "aispace-pricing", "aispace-units"],
    ),
    ("aispace-service", &["aispace-api", "aispace-ledger", "aispace-payments", "aispace-pricing", "aispace-units"]),
    ("aispace-cli", &["aispace-client", "aispace-pricing", "aispace-units"]),
    ("aispace-wallet", &["aispace-app"]),
    // A disk and a shim know nothing of what runs on them.
    ("aispace-chaos", &[]),
    // The service's tests and the testkit both need it, and neither may need the other.
    ("aispace-test-postgres", &[]),
    // The tests may reach everything but the shell.
    (
        "aispace-testkit",
        &[
            "aispace-api",
            "aispace-app",
            "aispace-client",
            "aispace-keychain",
            "aispace-ledger",
            "aispace-payments",
            "aispace-pricing",
            "aispace-service",
            "aispace-test-postgres",
            "aispace-units",
        ],
    ),
];

/// Library → the members that may name it, besides the tests.
const SOLE_DEPENDANTS: [(&str, &[&str]); 7] = [
    ("alloy", &["aispace-payments"]),
    ("axum", &["aispace-service"]),
    ("tauri", &["aispace-wallet"]),
    ("keyring-core", &["aispace-keychain"]),
    // payments reads price venues and hands alloy a client with deadlines and without redirects.
    ("reqwest", &["aispace-client", "aispace-payments"]),
    ("rusqlite", &["aispace-chaos", "aispace-service"]),
    ("sqlx", &["aispace-app", "aispace-service"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().other_options(vec!["--offline".into()]).exec().expect("cargo describes the workspace")
}

fn dependencies(package: &Package, kinds: &[DependencyKind]) -> BTreeSet<String> {
    package.dependencies.iter().filter(|d| kinds.contains(&d.kind)).map(|d| d.name.clone()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace is where it was built")
}

/// Every file that git knows or would add, so that caches and build products are left out.
fn project_files() -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let files: Vec<PathBuf> =
        String::from_utf8_lossy(&listed.stdout).lines().map(|line| root().join(line)).filter(|f| f.is_file()).collect();
    assert!(files.len() > 50, "git listed only {} files", files.len());
    files
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|e| extensions.contains(&e.to_string_lossy().as_ref()))
}

fn is_generated(file: &Path) -> bool {
    let path = file.to_string_lossy().replace('\\', "/");
    path.ends_with("/bindings.ts") || path.contains("/generated/") || path.contains("/paraglide/")
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

#[test]
fn members_depend_only_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let metadata = metadata();
    let members: BTreeSet<String> = metadata.packages.iter().map(|p| p.name.to_string()).collect();
    let known: BTreeSet<String> = allowed.keys().map(ToString::to_string).collect();
    assert_eq!(members, known, "a new member needs a decision record and its arrows here");
    for package in &metadata.packages {
        let used = dependencies(package, &[DependencyKind::Normal, DependencyKind::Build]);
        let inner: Vec<&String> = used.intersection(&members).collect();
        let allowed = allowed[package.name.as_str()];
        let refused: Vec<_> = inner.into_iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(refused.is_empty(), "{} may not use {refused:?}", package.name);
    }
}

#[test]
fn each_large_library_has_one_home() {
    for package in &metadata().packages {
        let used = dependencies(package, &[DependencyKind::Normal, DependencyKind::Build]);
        for (library, homes) in SOLE_DEPENDANTS {
            let at_home = homes.contains(&package.name.as_str()) || package.name.as_str() == "aispace-testkit";
            assert!(at_home || !used.contains(library), "{} may not use {library}: only {homes:?} may", package.name);
        }
    }
}

#[test]
fn no_float_comes_near_money() {
    for member in ["units", "pricing", "ledger", "payments"] {
        for file in project_files().into_iter().filter(|f| f.starts_with(root().join("crates").join(member)) && has_extension(f, &["rs"])) {
            let source = fs::read_to_string(&file).expect("a source file");
            for (number, line) in source.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let floats = words(code).any(|word| word == "f32" || word == "f64");
                assert!(!floats, "{}:{}: {line}", relative(&file), number + 1);
            }
        }
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for file in project_files().into_iter().filter(|f| has_extension(f, &["rs", "ts", "svelte"]) && !is_generated(f)) {
        let source = fs::read_to_string(&file).expect("a source file");
        // A module's own tests do not count.
        let counted = source.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        if counted > FILE_LINES_MAX {
            long.push(format!("{}: {counted} lines", relative(&file)));
        }
    }
    assert!(long.is_empty(), "longer than {FILE_LINES_MAX} lines: {long:#?}");
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for file in project_files().into_iter().filter(|f| has_extension(f, &["rs", "ts", "svelte"]) && !is_generated(f)) {
        let source = fs::read_to_string(&file).expect("a source file");
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| opens_function(line)) {
            let indent = |l: &str| l.len() - l.trim_start().len();
            let closes = |l: &&str| indent(l) <= indent(line) && l.trim_start().starts_with('}');
            let length = lines[at + 1..].iter().position(closes).map_or(0, |end| end + 2);
            if length > FUNCTION_LINES_MAX {
                long.push(format!("{}:{}: {length} lines", relative(&file), at + 1));
            }
        }
    }
    assert!(long.is_empty(), "longer than {FUNCTION_LINES_MAX} lines: {long:#?}");
}

/// A line that begins a function with a body of several lines, in Rust or TypeScript.
fn opens_function(line: &str) -> bool {
    let code = line.trim();
    if code.starts_with("//") || code.starts_with('*') || code.ends_with('}') || code.ends_with(';') {
        return false;
    }
    let rust = words(code).any(|word| word == "fn") && !code.starts_with("\"");
    let script = code.starts_with("function ")
        || code.contains(" function ")
        || code.starts_with("async function ")
        || (code.starts_with("const ") && code.ends_with("=> {"));
    rust || script
}

#[test]
fn nothing_names_a_place_of_another_machine() {
    // Put together here so that this file does not name them.
    let places = ["/wo", "rk/", "|../sha", "red|/root", "/.|/home", "/user"].concat();
    let places: Vec<&str> = places.split('|').collect();
    for file in project_files() {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for place in &places {
            assert!(!text.contains(place), "{} mentions {place}", relative(&file));
        }
    }
}

#[test]
fn only_the_backend_folder_speaks_to_the_shell() {
    let mut seen = false;
    for file in project_files().into_iter().filter(|f| f.starts_with(root().join("ui/src")) && has_extension(f, &["ts", "svelte", "js"])) {
        let text = fs::read_to_string(&file).expect("a source file");
        let in_backend = file.starts_with(root().join("ui/src/backend"));
        let imports = text.contains("@tauri-apps/");
        seen |= in_backend && imports;
        assert!(in_backend || !imports, "{} imports @tauri-apps: go through ui/src/backend", relative(&file));
    }
    assert!(seen, "nothing in ui/src/backend imports @tauri-apps");
}

#[test]
fn every_word_of_the_engine_has_its_words_in_the_window() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a source file");
    let (estimate, log) = (read("ui/src/features/estimate/words.ts"), read("ui/src/components/meters.ts"));
    let steps = [
        LineMeter::Extra(String::new()),
        LineMeter::ToCents,
        LineMeter::Rounded,
        LineMeter::ToCredits,
        LineMeter::Runs,
        LineMeter::Display,
    ];
    let factors = FactorKind::ALL.iter().copied().map(LineMeter::Factor);
    for line in Meter::ALL.iter().copied().map(LineMeter::Metered).chain(factors).chain(steps) {
        // No wildcard: a new kind of line stops the build here, until it is listed above and has its words.
        match &line {
            LineMeter::Metered(meter) => assert!(log.contains(&format!("\n  {meter}: {{ many: ")), "no words for {meter} in a log"),
            LineMeter::Factor(_) | LineMeter::Extra(_) | LineMeter::ToCents | LineMeter::Rounded => {}
            LineMeter::ToCredits | LineMeter::Runs | LineMeter::Display => {}
        }
        let word = line.as_str();
        assert!(estimate.contains(&format!("\n  {word}: m.estimate_meter_{word},\n")), "no words for the line {word}");
    }
    for word in Capability::ALL.iter().map(|c| c.as_str()).chain(Variant::ALL.iter().map(|v| v.as_str())) {
        assert!(estimate.contains(&format!("\n  {word}: m.estimate_cap_{word},\n")), "no words for {word}");
    }
}

#[test]
fn no_type_is_named_for_what_anything_could_be() {
    // A word of the product: the account service is what people call it.
    let allowed = ["AccountService"];
    let vague = ["Manager", "Service", "Helper", "Util", "Utils"];
    for file in project_files().into_iter().filter(|f| has_extension(f, &["rs", "ts"]) && !is_generated(f)) {
        let text = fs::read_to_string(&file).expect("a source file");
        for line in text.lines() {
            let mut before = "";
            for word in words(line.split("//").next().unwrap_or_default()) {
                let declares = ["struct", "enum", "trait", "class", "interface"].contains(&before);
                let is_vague = declares && vague.iter().any(|v| word.ends_with(v)) && !allowed.contains(&word);
                assert!(!is_vague, "{}: {word} says nothing; name what it is", relative(&file));
                before = word;
            }
        }
    }
}
