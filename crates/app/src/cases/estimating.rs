//! What a run will cost, and in the sandbox: running it.

use crate::{
    Wallet,
    cases::planning::standing,
    project,
    view::{AppErrorCode, AppView, CatalogView, ErrorView, EstimateRequest, EstimateView},
};
use aispace_api::{DebitRequest, PostedAnswer};
use aispace_client::{IdempotencyKey, OperatorToken, metered_run};
use aispace_pricing::{Quote, Run, Terms, quote};
use aispace_units::NanoCredits;
use uuid::Uuid;

impl Wallet {
    /// Every model that can be quoted, at the prices of now.
    ///
    /// # Errors
    /// A model of the card has no price for its own base run.
    pub fn catalog(&self) -> Result<CatalogView, ErrorView> {
        project::catalog(&self.inner.fixed.card, &self.terms())
    }

    /// Prices a run and shows which batches it would draw. Asks no network.
    ///
    /// # Errors
    /// The model is unknown, a parameter is not allowed or a count is none.
    pub fn estimate(&self, request: EstimateRequest) -> Result<EstimateView, ErrorView> {
        let card = &self.inner.fixed.card;
        let (run, range) = (project::run(card, &request)?, project::range(card, &request)?);
        let now = self.corrected_now();
        project::estimate(card, request, &run, range.as_ref(), &standing(&self.state(), now))
    }

    /// Charges a run through the service's debit call, as a gateway would.
    ///
    /// # Errors
    /// Outside the sandbox, signed out, not enough credits, above what the person means to spend unless `over_budget` says that it may be,
    /// or the service refuses.
    pub async fn simulate_run(&self, request: EstimateRequest, over_budget: bool) -> Result<AppView, ErrorView> {
        let operator = self.inner.operator.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::SandboxOnly))?;
        let account_id = {
            let state = self.state();
            state.key().ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?;
            state.known.as_ref().map(|k| k.answer.account_id.clone())
        };
        let account_id = account_id.ok_or_else(|| ErrorView::of(AppErrorCode::NotSignedIn))?;
        let run = project::run(&self.inner.fixed.card, &request)?;
        let quote = quote(&self.inner.fixed.card, &run, &self.terms())?;
        if !over_budget {
            self.keep_to_budget(quote.posted_credits()?)?;
        }
        let posted = self.charge(operator, account_id, &run, &quote).await?;
        self.keep_charged(request, quote.posted_credits()?, &posted).await;
        self.sync_account().await?;
        self.answer()
    }

    /// The prices of now.
    fn terms(&self) -> Terms {
        Terms::at(self.corrected_now())
    }

    /// Refuses what passes a limit that the person has set.
    fn keep_to_budget(&self, cost: NanoCredits) -> Result<(), ErrorView> {
        let now = self.corrected_now();
        let budget = standing(&self.state(), now).spending.and_then(|spending| project::beside(&spending, cost));
        let passed = budget.and_then(|budget| budget.spans.into_iter().find(|span| span.over_credits.is_some()));
        let Some(span) = passed else { return Ok(()) };
        let over = span.over_credits.unwrap_or_default();
        Err(ErrorView::of(AppErrorCode::BudgetPassed).with("limit_credits", span.limit_credits).with("over_credits", over))
    }

    async fn charge(&self, operator: &OperatorToken, account_id: String, run: &Run, quote: &Quote) -> Result<PostedAnswer, ErrorView> {
        let cost = quote.posted_credits()?;
        let metered = metered_run(&self.inner.fixed.card, run, &Terms { at: quote.at, ..Terms::default() })?;
        let debit = DebitRequest { account_id, credits: None, run: None, metered: Some(Box::new(metered)) };
        let mut answer =
            self.inner.service.debit(operator, &debit, &IdempotencyKey::from_uuid(Uuid::new_v4())).await.map_err(ErrorView::from);
        if let Err(error) = &mut answer
            && error.code == AppErrorCode::InsufficientCredits
        {
            let available = self.state().known.as_ref().map(|k| k.answer.available_credits).unwrap_or_default();
            let short = cost.checked_sub(available).unwrap_or_default();
            *error = error.clone().with("needed_credits", cost).with("available_credits", available).with("short_credits", short);
        }
        answer
    }
}
