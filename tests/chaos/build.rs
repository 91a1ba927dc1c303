//! Builds the shim by itself: in the library its `write` would take the place of everybody's.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let source = "preload/shim.rs";
    println!("cargo::rerun-if-changed={source}");
    let variable = |name: &str| std::env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"));
    if variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    let shim = PathBuf::from(variable("OUT_DIR")).join("libaispace_chaos_shim.so");
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--edition=2024", "--crate-type=cdylib", "--crate-name=aispace_chaos_shim", "-Copt-level=2", "-Cpanic=abort"]);
    rustc.args(["-Dwarnings", "--target"]).arg(variable("TARGET")).arg("-o").arg(&shim).arg(source);
    let built = rustc.status().expect("rustc starts");
    assert!(built.success(), "the shim does not compile");
    println!("cargo::rustc-env=AISPACE_CHAOS_SHIM={}", shim.display());
}
