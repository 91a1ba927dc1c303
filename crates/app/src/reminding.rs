//! When a person wants to be reminded.

use crate::view::ReminderMark;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is set about reminders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ReminderSettings {
    pub(crate) marks: BTreeSet<ReminderMark>,
    /// Whether batches that the pace uses up are left out.
    pub(crate) only_lapsing: bool,
    pub(crate) quiet: Option<QuietHours>,
    /// Whether credited payments are said.
    pub(crate) credited: bool,
}

/// Minutes of the local day, half-open; over midnight where the end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuietHours {
    pub(crate) from: u16,
    pub(crate) until: u16,
}

impl Default for ReminderSettings {
    fn default() -> Self {
        Self {
            marks: BTreeSet::from([ReminderMark::SevenDays, ReminderMark::ThreeDays, ReminderMark::OneDay]),
            only_lapsing: false,
            quiet: Some(QuietHours { from: 22 * 60, until: 8 * 60 }),
            credited: true,
        }
    }
}
