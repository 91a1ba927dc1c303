//! What the tests of `aispace-pricing` do with bytes, for the targets here.

#[path = "../../crates/pricing/tests/support/draw.rs"]
pub mod draw;
#[path = "../../crates/pricing/tests/support/fuzzed.rs"]
pub mod fuzzed;
#[path = "../../crates/pricing/tests/support/made_up.rs"]
pub mod made_up;
#[path = "../../crates/pricing/tests/support/oracle.rs"]
pub mod oracle;
#[path = "../../crates/pricing/tests/support/runs.rs"]
pub mod runs;
