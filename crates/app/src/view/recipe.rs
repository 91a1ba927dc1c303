//! Jobs of several runs, and how long a text is.

use super::{BudgetView, DrawView, ErrorView, EstimateRequest, ModelKind};
use serde::{Deserialize, Serialize};
use specta::Type;

/// A named job of several runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RecipeView {
    /// Which.
    pub recipe_id: String,
    /// What the person calls it.
    pub name: String,
    /// Its runs, in their order.
    pub runs: Vec<EstimateRequest>,
    /// What all cost now, of those that have a price.
    pub total_credits: String,
    /// In dollars.
    pub total_usd: String,
    /// How many of the runs have no price any more.
    pub unpriced: u32,
    /// When it was last changed.
    pub changed: String,
}

/// A recipe to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RecipeDraft {
    /// The one whose place it takes, or that comes back after it was deleted; a new one when absent.
    pub recipe_id: Option<String>,
    /// What the person calls it.
    pub name: String,
    /// Its runs.
    pub runs: Vec<EstimateRequest>,
}

/// What a job of several runs costs and draws.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct JobView {
    /// One row a run, in their order.
    pub rows: Vec<JobRowView>,
    /// Exact cost of all that have a price; the likely one where a length is not known.
    pub total_credits: String,
    /// In dollars.
    pub total_usd: String,
    /// The least, where a length is not known.
    pub low_credits: Option<String>,
    /// The most.
    pub high_credits: Option<String>,
    /// How many have no price.
    pub unpriced: u32,
    /// Which batches the whole job would draw; absent when signed out.
    pub draw: Option<DrawView>,
    /// How the whole job stands against what the person means to spend.
    pub budget: Option<BudgetView>,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct JobRowView {
    /// The run.
    pub request: EstimateRequest,
    /// Printed name.
    pub name: String,
    /// Which tab.
    pub kind: ModelKind,
    /// One such run, for people.
    pub run: String,
    /// What all such runs cost; absent without a price.
    pub total_credits: Option<String>,
    /// Why there is no price.
    pub refused: Option<ErrorView>,
}

/// How long a text is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TextCountView {
    /// Tokens, by `encoding`.
    pub tokens: String,
    /// Characters, as speech is priced.
    pub characters: String,
    /// The encoding it was counted with.
    pub encoding: String,
    /// Whether that is the model's own; else the count is an estimate.
    pub own: bool,
}
