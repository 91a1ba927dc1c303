//! Placeholder until the shell's manifest is written.
fn main() {}
