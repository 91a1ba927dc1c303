//! Estimates that were kept, to be held beside what their runs cost. They belong to an account and hold no secret.

use crate::view::{ChargeLink, EstimateRequest};
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most that are kept of an account; the oldest make room.
const KEPT_MAX: usize = 300;

/// The kept estimates of an account, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EstimateBook {
    pub(crate) version: u32,
    pub(crate) estimates: Vec<KeptEstimate>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptEstimate {
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) request: EstimateRequest,
    /// What the ledger was to take, by the prices of then.
    pub(crate) expected: NanoCredits,
    /// Number of the account's newest entry then: its charge is a later one.
    pub(crate) after: u64,
    /// The charge that was said to be its own.
    pub(crate) charge: Option<RunCharge>,
    /// Numbers of entries that were said not to be.
    #[serde(default)]
    pub(crate) rejected: BTreeSet<u64>,
}

/// What a run cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunCharge {
    /// Number of the entry.
    pub(crate) sequence: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) credits: NanoCredits,
    /// What was given back of it since, by the log; nobody keeps it here.
    #[serde(skip)]
    pub(crate) refunded: NanoCredits,
    pub(crate) link: ChargeLink,
}

impl RunCharge {
    /// What the run cost in the end.
    pub(crate) fn net(&self) -> NanoCredits {
        self.credits.checked_sub(self.refunded).unwrap_or_default()
    }
}

impl Default for EstimateBook {
    fn default() -> Self {
        Self { version: 1, estimates: Vec::new() }
    }
}

impl EstimateBook {
    /// Keeps one more.
    pub(crate) fn add(&mut self, estimate: KeptEstimate) {
        self.estimates.push(estimate);
        let over = self.estimates.len().saturating_sub(KEPT_MAX);
        self.estimates.drain(..over);
    }

    /// The one of an id.
    pub(crate) fn of(&mut self, id: &str) -> Option<&mut KeptEstimate> {
        self.estimates.iter_mut().find(|kept| kept.id == id)
    }

    /// Whether an entry was said to be the charge of one of them.
    pub(crate) fn has_charge(&self, sequence: u64) -> bool {
        self.estimates.iter().filter_map(|kept| kept.charge.as_ref()).any(|charge| charge.sequence == sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let request = serde_json::json!({"model_id": "image-generation", "runs": 1, "parameters": {"kind": "image", "images": "1"}});
        let mut book = EstimateBook::default();
        for number in 0..=KEPT_MAX {
            book.add(KeptEstimate {
                id: number.to_string(),
                at: "2027-01-01T00:00:00Z".parse().expect("an instant"),
                request: serde_json::from_value(request.clone()).expect("a request"),
                expected: NanoCredits::ZERO,
                after: 0,
                charge: None,
                rejected: BTreeSet::new(),
            });
        }
        assert_eq!((book.estimates.len(), book.estimates[0].id.as_str()), (KEPT_MAX, "1"));
    }
}
