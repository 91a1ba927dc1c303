//! A charged run as an entry keeps it: the description that any entry of a run has, and the explanation beside it.

use super::MeteringError;
use aispace_api::{EXPLANATION_BYTES_MAX, Explanation, RunDescription};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Memo<'a> {
    #[serde(flatten)]
    run: &'a RunDescription,
    explanation: &'a Explanation,
}

#[derive(Deserialize)]
struct Explained {
    explanation: Option<Explanation>,
}

/// Writes both down.
pub(super) fn write(run: &RunDescription, explanation: &Explanation) -> Result<String, MeteringError> {
    let memo = serde_json::to_string(&Memo { run, explanation });
    let memo = memo.map_err(|error| MeteringError::BadRequest { reason: error.to_string() })?;
    // The description repeats a little of the explanation; the bound is on both.
    if memo.len() <= EXPLANATION_BYTES_MAX { Ok(memo) } else { Err(MeteringError::TooLong { bytes: memo.len() }) }
}

/// The explanation in an entry's memo; none where the gateway named the amount itself.
pub(crate) fn explanation(memo: &str) -> Option<Explanation> {
    serde_json::from_str::<Explained>(memo).ok()?.explanation
}
