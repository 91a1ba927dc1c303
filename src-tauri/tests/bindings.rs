//! The committed TypeScript is what the Rust contract generates.

use std::path::PathBuf;

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ui/src/backend/bindings.ts")
}

/// Run with `UPDATE_BINDINGS=1` (`make bindings`) to write the file anew.
#[test]
fn bindings_are_unchanged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fresh = folder.path().join("bindings.ts");
    let language = specta_typescript::Typescript::default()
        .header("// Generated from src-tauri by `make bindings`. Do not edit.\n/* eslint-disable */\n");
    aispace_wallet::bindings().export(language, &fresh).expect("the contract exports");
    let generated = std::fs::read_to_string(&fresh).expect("what was just written");
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::write(committed(), &generated).expect("the bindings can be written");
    }
    let kept = std::fs::read_to_string(committed()).unwrap_or_default();
    assert!(kept == generated, "ui/src/backend/bindings.ts is out of date: run `make bindings`");
}
