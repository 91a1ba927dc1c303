//! Estimates that were kept, beside what their runs cost.

use super::EstimateRequest;
use serde::{Deserialize, Serialize};
use specta::Type;

/// The kept estimates of the account, and how far off they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeptEstimatesView {
    /// Newest first.
    pub estimates: Vec<KeptEstimateView>,
    /// How many of them have a charge to be compared with.
    pub compared: u32,
    /// Half of those were off by no more than this share of what was expected, in per cent without a sign; absent without any.
    pub median_percent: Option<String>,
}

/// One kept estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeptEstimateView {
    /// Which.
    pub estimate_id: String,
    /// When it was kept.
    pub at: String,
    /// The run, to open it with.
    pub request: EstimateRequest,
    /// Printed name of the model.
    pub name: String,
    /// One such run, for people.
    pub run: String,
    /// What the ledger was to take.
    pub expected_credits: String,
    /// What it took, where that is known.
    pub charge: Option<RunChargeView>,
    /// Charges that may be its own, oldest first; none where it has one.
    pub candidates: Vec<RunChargeView>,
}

/// What a run cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RunChargeView {
    /// Number of the entry in the account's log.
    pub sequence: String,
    /// When it was charged.
    pub at: String,
    /// What it took, less what was given back since.
    pub credits: String,
    /// What was given back; absent where nothing was.
    pub refunded_credits: Option<String>,
    /// By how much that is more than what was expected, signed.
    pub difference_credits: String,
    /// The same as a share of what was expected, in per cent, signed; absent where nothing was expected.
    pub error_percent: Option<String>,
    /// How it is known.
    pub link: ChargeLink,
}

/// How it is known which charge is of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ChargeLink {
    /// The app made the run itself, in the sandbox.
    Simulated,
    /// The person said so.
    Picked,
    /// The only charge of the model within a day, and no other estimate may claim it.
    Matched,
}

/// The estimate that was kept of a charged run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EntryEstimateView {
    /// When it was kept.
    pub at: String,
    /// What the ledger was to take.
    pub expected_credits: String,
    /// The charge beside it.
    pub charge: RunChargeView,
}
