//! What else the same credits could do: other models, other runs, what a person means to spend.

use super::{ErrorView, EstimateRequest, EvidenceLevel, ModelKind};
use serde::{Deserialize, Serialize};
use specta::Type;
use std::collections::BTreeMap;

/// Every model of a kind, for the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ComparisonView {
    /// The job, for people: `4 s, 720p, sound`.
    pub job: String,
    /// How many times.
    pub runs: u32,
    /// Those that can do it, cheapest first.
    pub rows: Vec<ComparedView>,
    /// Those that cannot, in the card's order.
    pub left_out: Vec<LeftOutView>,
}

/// A model that can do the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ComparedView {
    /// The run to open it with.
    pub request: EstimateRequest,
    /// Printed name.
    pub name: String,
    /// `text_to_video`, `image_to_video`, or empty.
    pub variant: String,
    /// What it is known to do.
    pub capabilities: Vec<String>,
    /// Exact cost of the job.
    pub total_credits: String,
    /// In dollars.
    pub total_usd: String,
    /// Share of what the dearest costs, in basis points.
    pub share_bp: u32,
    /// How many whole jobs the balance pays for; absent without an account, and for what costs nothing.
    pub fits: Option<String>,
    /// How sure the price is.
    pub evidence: EvidenceLevel,
    /// Place by cost, from 0; of the same cost the same.
    pub cost_rank: u32,
    /// Whether it is the model that was asked from.
    pub chosen: bool,
}

/// A model that cannot do the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LeftOutView {
    /// Which.
    pub model_id: String,
    /// Printed name.
    pub name: String,
    /// `text_to_video`, `image_to_video`, or empty.
    pub variant: String,
    /// `retired`, `not_yet`, `capability_missing`, `too_long`, `no_rate`, `impossible`, `no_price`.
    pub reason: String,
    /// Figures of the reason: `on`; `parameter` and `allowed`.
    pub params: BTreeMap<String, String>,
}

/// What is to be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PlanBudget {
    /// What lapses within seven days at the person's pace.
    Lapsing,
    /// What is left of the batch that ends next.
    NextEnd,
    /// All there is.
    Balance,
}

/// What a part of the balance pays for, in whole runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanView {
    /// What it is.
    pub budget: PlanBudget,
    /// Each part that could be spent.
    pub budgets: Vec<PlanBudgetView>,
    /// One row for each run that was asked about, in their order.
    pub rows: Vec<PlanRowView>,
    /// The first run once, then as many of the second; absent where that does not fit.
    pub mix: Option<PlanMixView>,
}

/// A part of the balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanBudgetView {
    /// Which.
    pub budget: PlanBudget,
    /// How much; a forecast is rounded to ten.
    pub credits: String,
    /// Whether it is a forecast.
    pub is_forecast: bool,
    /// By when it has to be spent.
    pub until: Option<String>,
}

/// How many of one run fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanRowView {
    /// The run.
    pub request: EstimateRequest,
    /// Printed name.
    pub name: String,
    /// Which tab.
    pub kind: ModelKind,
    /// The run, for people.
    pub run: String,
    /// How many fit; absent where that cannot be said.
    pub fit: Option<PlanFitView>,
    /// Why it cannot be said.
    pub refused: Option<ErrorView>,
}

/// Whole runs within a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanFitView {
    /// What one costs.
    pub each_credits: String,
    /// How many.
    pub count: String,
    /// What they cost.
    pub spent_credits: String,
    /// What is over.
    pub left_credits: String,
}

/// One run, and as many of another as fit beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanMixView {
    /// Printed name of the first.
    pub first_name: String,
    /// Which tab that is in.
    pub first_kind: ModelKind,
    /// Printed name of the second.
    pub then_name: String,
    /// Which tab that is in.
    pub then_kind: ModelKind,
    /// How many of the second.
    pub then_count: String,
    /// What both cost.
    pub spent_credits: String,
    /// What is over.
    pub left_credits: String,
}

/// Which span of time a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BudgetSpan {
    /// A UTC day.
    Day,
    /// A UTC month.
    Month,
}

/// A run beside what a person means to spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetView {
    /// Day first; only those that have a limit.
    pub spans: Vec<BudgetSpanView>,
    /// Whether the run passes one of them.
    pub passed: bool,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetSpanView {
    /// Day or month.
    pub span: BudgetSpan,
    /// The limit.
    pub limit_credits: String,
    /// Charged since the span began, less what was given back.
    pub spent_credits: String,
    /// Held now; it will be charged or given back. Absent when nothing is.
    pub held_credits: Option<String>,
    /// Left after this run; 0 when it passes the limit.
    pub left_credits: String,
    /// By how much this run passes the limit; absent when it does not.
    pub over_credits: Option<String>,
    /// Share of the limit that is spent or held before this run, in basis points.
    pub spent_bp: u32,
    /// Share with this run.
    pub after_bp: u32,
    /// When the span is over.
    pub resets: String,
    /// Whether charges of the span may be missing, because the log that is here does not reach back to its beginning.
    pub at_least: bool,
}
