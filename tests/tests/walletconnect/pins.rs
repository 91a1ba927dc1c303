//! The wallet kit of the tests may never become newer: later releases carry another licence, which even a test on one machine would break.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The last releases under Apache-2.0.
const KIT: [(&str, &str); 5] = [
    ("@reown/walletkit", "1.2.10"),
    ("@walletconnect/core", "2.21.8"),
    ("@walletconnect/sign-client", "2.21.8"),
    ("@walletconnect/types", "2.21.8"),
    ("@walletconnect/utils", "2.21.8"),
];
/// What the kit stands on, under MIT.
const BELOW: [(&str, &str); 15] = [
    ("@walletconnect/environment", "1.0.1"),
    ("@walletconnect/events", "1.0.1"),
    ("@walletconnect/heartbeat", "1.2.2"),
    ("@walletconnect/jsonrpc-provider", "1.0.14"),
    ("@walletconnect/jsonrpc-types", "1.0.4"),
    ("@walletconnect/jsonrpc-utils", "1.0.8"),
    ("@walletconnect/jsonrpc-ws-connection", "1.0.16"),
    ("@walletconnect/keyvaluestorage", "1.1.1"),
    ("@walletconnect/logger", "2.1.2"),
    ("@walletconnect/relay-api", "1.0.11"),
    ("@walletconnect/relay-auth", "1.1.0"),
    ("@walletconnect/safe-json", "1.0.2"),
    ("@walletconnect/time", "1.0.2"),
    ("@walletconnect/window-getters", "1.0.1"),
    ("@walletconnect/window-metadata", "1.0.1"),
];

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("walletconnect").join(name);
    serde_json::from_str(&fs::read_to_string(path).expect("the tests' wallet has its files")).expect("JSON")
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("{text} is not a plain version"))).collect()
}

#[test]
fn nothing_newer_than_the_last_open_releases_is_locked() {
    let licences = KIT.map(|(name, newest)| (name, (newest, "Apache-2.0"))).into_iter();
    let known: BTreeMap<&str, (&str, &str)> = licences.chain(BELOW.map(|(name, newest)| (name, (newest, "MIT")))).collect();
    let lock = read("package-lock.json");
    let packages = lock["packages"].as_object().expect("packages");
    let mut met = BTreeSet::new();
    for (place, package) in packages {
        let name = place.rsplit("node_modules/").next().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        if name.starts_with("@reown/") || name.starts_with("@walletconnect/") {
            let (newest, expected) = known.get(name).unwrap_or_else(|| panic!("{place} is new: look at its licence first"));
            let locked = package["version"].as_str().expect("a version");
            assert!(version(locked) <= version(newest), "{place} is {locked}, newer than {newest}");
            assert_eq!(licence, *expected, "{place}");
            met.insert(name);
        }
        let free = [
            "MIT",
            "BlueOak-1.0.0",
            "Apache-2.0",
            "ISC",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "0BSD",
            "CC0-1.0",
            "Unlicense",
            "(Apache-2.0 AND MIT)",
        ];
        assert!(place.is_empty() || free.contains(&licence), "{place} is under {licence:?}");
    }
    assert_eq!(met.len(), known.len(), "only {met:?} are locked");
}

#[test]
fn the_wanted_versions_are_exact() {
    let package = read("package.json");
    let wanted = package["dependencies"].as_object().expect("dependencies");
    let exact = |name: &str| wanted.get(name).and_then(Value::as_str);
    assert_eq!(exact("@reown/walletkit"), Some("1.2.10"));
    assert_eq!(exact("@walletconnect/core"), Some("2.21.7"));
    assert_eq!(exact("@walletconnect/sign-client"), Some("2.21.8"));
    assert_eq!(wanted.len(), 3);
}

/// The locked versions, not what an installation made of them.
#[test]
fn what_is_installed_is_what_is_locked() {
    let lock = read("package-lock.json");
    for (name, _) in KIT {
        let installed = read(&format!("node_modules/{name}/package.json"));
        assert_eq!(installed["version"], lock["packages"][format!("node_modules/{name}")]["version"], "{name}: run `scripts/setup tests`");
    }
}
