//! What a person asks of batches: how far they go at another pace, and what became of those that ended.

use super::{BatchView, chart::TerraceView};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Credits that lapse soon at the person's own pace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AtRiskView {
    /// All of `ends` together, rounded to ten each.
    pub credits: String,
    /// That in dollars.
    pub usd: String,
    /// Days looked ahead.
    pub days: u32,
    /// What lapses when, soonest first.
    pub ends: Vec<RiskEndView>,
}

/// What lapses at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RiskEndView {
    /// When.
    pub at: String,
    /// How much, rounded to ten.
    pub credits: String,
}

/// Use that is tried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WhatIfRequest {
    /// A run, so many times a day.
    Runs {
        /// What one takes.
        credits_per_run: String,
        /// How often, from 0 to 10,000.
        runs_per_day: u32,
        /// Whether they come on top of what is used anyway.
        on_top: bool,
    },
    /// So many credits a day.
    Fixed {
        /// How many; zero for none.
        credits_per_day: String,
    },
}

/// How far the batches go at another pace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WhatIfView {
    /// What is used a day; rounded to ten with the person's own pace in it.
    pub credits_per_day: String,
    /// Live batches, in the order they are drawn.
    pub batches: Vec<WhatIfBatchView>,
    /// How many of them are used to the last credit in time.
    pub used_in_time: u32,
    /// What lapses in all, rounded to ten; absent when nothing does.
    pub lapse_credits: Option<String>,
    /// That in dollars.
    pub lapse_usd: Option<String>,
    /// Less than that lapses than at the present pace, by so much, rounded to ten.
    pub saved_credits: Option<String>,
    /// When nothing is left, with the daily credits to come; absent when that is not within the time drawn.
    pub empty_at: Option<String>,
    /// The next 30 days: the lapses at the tried pace, both lines.
    pub terrace: TerraceView,
}

/// What becomes of one batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WhatIfBatchView {
    /// Which one.
    pub batch_id: String,
    /// When it is drawn, on the 30-day ruler; both 0 when it never is.
    pub drawn_from_bp: u32,
    /// End of that.
    pub drawn_until_bp: u32,
    /// What lapses of it, rounded to ten; absent when all is used.
    pub lapse_credits: Option<String>,
    /// That as a share of what it held at first, in basis points.
    pub lapse_bp: u32,
}

/// A part of the batches that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EndedPageView {
    /// Newest end first.
    pub batches: Vec<BatchView>,
    /// Where the next part begins; absent after the last one.
    pub next: Option<u32>,
}

/// Words of a calendar file, in the window's language. `{credits}` stands for the amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CalendarWords {
    /// Name of the calendar.
    pub name: String,
    /// Title of an event.
    pub summary: String,
    /// What is said of it.
    pub description: String,
}
