//! `aispace` for a terminal.
fn main() {}
