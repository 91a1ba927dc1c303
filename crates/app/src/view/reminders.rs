//! What a person is reminded of outside the window.

use serde::{Deserialize, Serialize};
use specta::Type;
use std::collections::BTreeSet;

/// How long before a batch ends. The nearest to the end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ReminderMark {
    /// An hour.
    OneHour,
    /// A day.
    OneDay,
    /// Three days.
    ThreeDays,
    /// Seven days.
    SevenDays,
}

/// Hours of the local day in which nothing is said; they may cross midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuietHoursView {
    /// From, as `22:00`.
    pub from: String,
    /// Until, as `08:00`.
    pub until: String,
}

/// What a person has set about reminders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ReminderSettingsView {
    /// When before an end.
    pub marks: BTreeSet<ReminderMark>,
    /// Whether batches that the pace uses up are left out.
    pub only_lapsing: bool,
    /// When nothing is said.
    pub quiet: Option<QuietHoursView>,
    /// Whether a payment that was credited is said.
    pub credited: bool,
}

/// Whether a reminder keeps its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ReminderShift {
    /// It does.
    Kept,
    /// It falls into quiet hours and comes before them.
    Ahead,
    /// It could not come before them and comes after.
    After,
}

/// A reminder that is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UpcomingReminderView {
    /// This computer's own id of the account, when there are several.
    pub account: Option<String>,
    /// The batch.
    pub batch_id: String,
    /// How long before its end.
    pub mark: ReminderMark,
    /// When it comes.
    pub at: String,
    /// Its place on the 30-day ruler.
    pub at_bp: u32,
    /// Whether that is its own time.
    pub shift: ReminderShift,
    /// What is left in the batch.
    pub left_credits: String,
    /// When the batch ends.
    pub expires: String,
}

/// An end on the 30-day ruler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RulerEndView {
    /// The batch.
    pub batch_id: String,
    /// When it ends.
    pub expires: String,
    /// Its place.
    pub ends_bp: u32,
    /// 1 for what ends within a week, up to 4.
    pub week: u32,
}

/// What the settings page of reminders shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RemindersView {
    /// What is set.
    pub settings: ReminderSettingsView,
    /// Reminders of the next 30 days, soonest first, at most 200.
    pub upcoming: Vec<UpcomingReminderView>,
    /// Ends of the same batches.
    pub ends: Vec<RulerEndView>,
    /// Whether there is an account to be reminded of.
    pub has_account: bool,
}

/// A batch that ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingView {
    /// The batch.
    pub batch_id: String,
    /// What is left in it.
    pub left_credits: String,
    /// About what of it lapses at the person's pace; absent where nothing does or no pace is known.
    pub lapse_credits: Option<String>,
    /// When it ends.
    pub expires: String,
    /// Seconds until then.
    pub seconds_left: i64,
}

/// Something to be said outside the window, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReminderView {
    /// Batches end: the soonest first, never none.
    Ending {
        /// This computer's own id of the account, when there are several.
        account: Option<String>,
        /// Which.
        batches: Vec<EndingView>,
        /// All that is left in them.
        left_credits: String,
    },
    /// The balance is low.
    LowBalance {
        /// This computer's own id of the account, when there are several.
        account: Option<String>,
        /// What is left.
        available_credits: String,
        /// When the pace uses it up, where a pace is known.
        empty_at: Option<String>,
        /// What would bring a month, in dollars.
        suggested_usd: String,
    },
    /// Payments were credited.
    Credited {
        /// This computer's own id of the account, when there are several and it is here.
        account: Option<String>,
        /// Orders, oldest first, never none.
        order_ids: Vec<String>,
        /// What was added.
        credits: String,
        /// What was paid, in dollars.
        usd: String,
        /// When the last of them ends, as far as known.
        expires: Option<String>,
    },
}

impl ReminderView {
    /// This computer's own id of the account that it is about, when there are several.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Ending { account, .. } | Self::LowBalance { account, .. } | Self::Credited { account, .. } => account.as_deref(),
        }
    }
}
