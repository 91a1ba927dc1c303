//! The log: what is asked of it and what it answers.

use super::{AxisMarkView, ChargeView, EntryEstimateView};
use serde::{Deserialize, Serialize};
use specta::Type;

/// How much of the log is on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
pub struct UsageLogView {
    /// Rises whenever entries were added: then what was asked of the log is out of date.
    pub revision: u32,
    /// Entries on this computer.
    pub kept: u32,
    /// Entries of the account, as last known.
    pub posted: u32,
}

/// Kinds of work that the log can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum UsageWork {
    /// Video runs.
    Video,
    /// Image runs.
    Image,
    /// Chat runs.
    Chat,
    /// Audio runs.
    Audio,
    /// Embedding runs.
    Embedding,
    /// Searches and scrapes.
    Search,
    /// Runs of another kind.
    Other,
    /// What is about no run: batches added, lapsed, the daily allowance.
    #[default]
    Posted,
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum UsagePeriod {
    /// Seven UTC days, today's among them.
    Days7,
    /// Thirty.
    #[default]
    Days30,
    /// Ninety.
    Days90,
    /// From the first entry on.
    All,
}

/// What is stacked in the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum UsageSplit {
    /// By model.
    #[default]
    Model,
    /// By kind of work.
    Work,
}

/// Which entries are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
pub struct UsageFilter {
    /// How far back.
    pub period: UsagePeriod,
    /// Only this kind of work.
    pub work: Option<UsageWork>,
    /// Only this model.
    pub model_id: Option<String>,
    /// Words that each entry has: parts of model, meter, rule, note or id.
    pub text: String,
}

/// Asks for sums, chart and the first lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
pub struct UsageRequest {
    /// Which entries.
    pub filter: UsageFilter,
    /// What the chart stacks.
    pub split: UsageSplit,
    /// Lines of the list that are wanted with it.
    pub lines: u32,
}

/// The log as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageView {
    /// The revision of the log that this is of.
    pub revision: u32,
    /// The sums of all entries that the filter lets through.
    pub totals: UsageTotalsView,
    /// What runs took, over time.
    pub chart: UsageChartView,
    /// Models that runs were of, the dearest first, whichever model is chosen.
    pub models: Vec<UsageModelView>,
    /// Kinds of work that occur, whichever is chosen.
    pub works: Vec<UsageWork>,
    /// Lines of the list: one a day and one an entry.
    pub line_count: u32,
    /// The first of them.
    pub lines: Vec<UsageLineView>,
}

/// Exact sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageTotalsView {
    /// Entries.
    pub entries: u32,
    /// Runs that were charged.
    pub runs: u32,
    /// What they took.
    pub used_credits: String,
    /// That in dollars.
    pub used_usd: String,
    /// What they took a day, over the days of the period since the first entry; to two decimals.
    pub per_day_credits: String,
    /// The days that is a mean of.
    pub days: u32,
    /// What was given back.
    pub refunded_credits: String,
    /// What was added.
    pub added_credits: String,
    /// What lapsed.
    pub lapsed_credits: String,
    /// What was taken away before its end.
    pub voided_credits: String,
    /// Everything together, signed.
    pub net_credits: String,
    /// Whether that is what the account holds less what it owes, for the whole log; absent while it cannot be said.
    pub adds_up: Option<bool>,
}

/// What runs took, in columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageChartView {
    /// How long a column is.
    pub step: UsageStep,
    /// At most six, the dearest first; the last may be all the others.
    pub series: Vec<UsageSeriesView>,
    /// Oldest first, none left out.
    pub columns: Vec<UsageColumnView>,
    /// Marks of the axis, from 0.
    pub y_marks: Vec<AxisMarkView>,
    /// Height of the mean day; absent where columns are no days or nothing was taken.
    pub mean_bp: Option<u32>,
}

/// How long a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageStep {
    /// A UTC day.
    Day,
    /// A week from Monday.
    Week,
    /// A month.
    Month,
}

/// What a colour stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageSeriesView {
    /// Which kind of work; absent where models are stacked and for all the others.
    pub work: Option<UsageWork>,
    /// Id of the model; absent where kinds are stacked and for all the others.
    pub model_id: Option<String>,
    /// Printed name of the model, or empty.
    pub name: String,
    /// Runs.
    pub runs: u32,
    /// What they took.
    pub credits: String,
    /// Share of all, in basis points.
    pub share_bp: u32,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageColumnView {
    /// Its first UTC date, `2026-11-20`.
    pub from: String,
    /// Its last.
    pub until: String,
    /// What runs took.
    pub credits: String,
    /// From the bottom up, without what is nothing.
    pub parts: Vec<UsagePartView>,
    /// The line of the list where its newest day stands; absent without one.
    pub line: Option<u32>,
}

/// A part of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsagePartView {
    /// Which of the series, from 0.
    pub series: u32,
    /// What it took.
    pub credits: String,
    /// Where it begins.
    pub bottom_bp: u32,
    /// How high it is.
    pub height_bp: u32,
}

/// A model in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageModelView {
    /// Its id.
    pub model_id: String,
    /// Printed name.
    pub name: String,
    /// Runs.
    pub runs: u32,
    /// What they took.
    pub credits: String,
}

/// Asks for lines of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
pub struct UsageLinesRequest {
    /// Which entries.
    pub filter: UsageFilter,
    /// The first line, from 0.
    pub from: u32,
    /// How many, at most 500.
    pub count: u32,
}

/// Lines of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageLinesView {
    /// The revision of the log that they are of.
    pub revision: u32,
    /// The first line, from 0.
    pub from: u32,
    /// The lines.
    pub lines: Vec<UsageLineView>,
}

/// A line of the list, the newest on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum UsageLineView {
    /// A day begins.
    Day {
        /// The UTC date, `2026-11-20`.
        date: String,
        /// Entries of it.
        entries: u32,
        /// What its runs took.
        credits: String,
    },
    /// An entry.
    Entry {
        /// Which.
        entry: UsageEntryView,
    },
}

/// An entry in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageEntryView {
    /// Its number in the account's log, from 1.
    pub sequence: String,
    /// When.
    pub at: String,
    /// `batch_added`, `debit`, `expired`, `held`, `settled`, `released`, `timed_out`, `voided`, `refunded`, `debt_paid`, `allowance_set`, `unknown`.
    pub kind: String,
    /// The kind of work that it is about.
    pub work: UsageWork,
    /// Printed name of the model that it is about, or empty.
    pub model_name: String,
    /// Meters as `name=count`, in the card's order.
    pub meters: Vec<String>,
    /// The rule that chose the rate, or empty.
    pub rule: String,
    /// Change of what there is less what is owed, signed.
    pub change_credits: String,
    /// Change of what is held, signed; absent without one.
    pub held_change_credits: Option<String>,
    /// What this app's rate card says of the same run; absent when it cannot say.
    pub estimated_credits: Option<String>,
    /// How far the charge is above that, in per cent with one decimal, signed; absent where they are the same.
    pub above_estimate_percent: Option<String>,
}

/// All that is known of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct UsageDetailView {
    /// As in the list.
    pub entry: UsageEntryView,
    /// Opaque id.
    pub entry_id: String,
    /// Id of the model, or empty.
    pub model_id: String,
    /// The change in dollars, signed.
    pub change_usd: String,
    /// Change of what is owed, signed; absent without one.
    pub debt_change_credits: Option<String>,
    /// The hold, for an entry about one.
    pub hold_id: Option<String>,
    /// Number of the charge that a refund gives back.
    pub charge_sequence: Option<String>,
    /// Why, for a refund that says so.
    pub note: Option<String>,
    /// Why it was charged what it was, for a metered run.
    pub charge: Option<ChargeView>,
    /// The estimate that was kept of it.
    pub estimate: Option<EntryEstimateView>,
    /// Entries about the same run: its hold, its charge, what was given back; oldest first.
    pub related: Vec<UsageEntryView>,
}

/// How the log is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageFormat {
    /// A table, RFC 4180.
    Csv,
    /// Entries as the service has them, with their sums.
    Json,
}
