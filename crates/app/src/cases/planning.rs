//! What else the same credits could do, and what a person means to spend.

use crate::{
    Wallet,
    cases::amount::credits,
    project::{self, Standing},
    state::State,
    view::{AppErrorCode, AppView, ComparisonView, ErrorView, EstimateRequest, PlanBudget, PlanView},
};
use chrono::{DateTime, Utc};

/// Runs that one plan is made for.
const PLANNED_MAX: usize = 12;

impl Wallet {
    /// Every model of the same kind for the same job, cheapest first; those that cannot do it say why. Asks no network.
    ///
    /// # Errors
    /// The job is none, or uses nothing.
    pub fn compare_models(&self, request: EstimateRequest) -> Result<ComparisonView, ErrorView> {
        let card = &self.inner.fixed.card;
        let run = project::run(card, &request)?;
        let now = self.corrected_now();
        project::comparison(card, &request, &run, &standing(&self.state(), now))
    }

    /// How many whole runs a part of the balance pays for, for each of the runs. Asks no network.
    ///
    /// # Errors
    /// No account is known, or there are more runs than anybody plans with.
    pub fn plan_spending(&self, budget: PlanBudget, requests: Vec<EstimateRequest>) -> Result<PlanView, ErrorView> {
        if requests.len() > PLANNED_MAX {
            return Err(ErrorView::of(AppErrorCode::CountInvalid).with("input", requests.len()));
        }
        let now = self.corrected_now();
        let plan = project::plan(&self.inner.fixed.card, budget, &requests, &standing(&self.state(), now));
        plan.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))
    }

    /// Sets how many credits a person means to spend in a UTC day and in a UTC month; none is no limit.
    ///
    /// # Errors
    /// Not amounts of credits, or the store cannot be written.
    pub async fn set_budget(&self, day_credits: Option<String>, month_credits: Option<String>) -> Result<AppView, ErrorView> {
        let limit = |text: Option<String>| text.filter(|text| !text.trim().is_empty()).map(|text| credits(&text)).transpose();
        let (day, month) = (limit(day_credits)?, limit(month_credits)?);
        self.keep_preferences(|p| (p.budget_day, p.budget_month) = (day, month)).await?;
        self.answer()
    }
}

/// What a run is held against.
pub(crate) fn standing(state: &State, now: DateTime<Utc>) -> Standing<'_> {
    let known = state.known.as_ref();
    Standing { known, spending: known.and_then(|known| project::spending(&state.preferences, known, state.spent.as_ref(), now)), now }
}
