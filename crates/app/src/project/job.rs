//! A job of several runs: what it costs and draws as a whole.

use super::{
    budget::beside,
    estimate::{Standing, dollars, draws},
    figures::instant,
    parameters::{model_kind, range, run},
};
use crate::{
    recipe::Recipe,
    view::{ErrorView, EstimateRequest, JobRowView, JobView, ModelKind, RecipeView},
};
use aispace_pricing::{RateCard, Terms, quote, quote_range};
use aispace_units::{Exact, NanoCredits};

/// What a job costs, run by run, and what all of it draws.
pub(crate) fn job(card: &RateCard, requests: &[EstimateRequest], standing: &Standing<'_>) -> Result<JobView, ErrorView> {
    let terms = Terms::at(standing.now);
    let (mut rows, mut sum) = (Vec::with_capacity(requests.len()), Sum::default());
    for request in requests {
        let priced = priced(card, request, &terms);
        if let Ok(cost) = &priced {
            sum.add(cost)?;
        }
        rows.push(row(card, request, priced));
    }
    let unpriced = rows.iter().filter(|row| row.total_credits.is_none()).count();
    Ok(JobView {
        rows,
        total_credits: sum.likely.to_string(),
        total_usd: dollars(card, sum.likely)?,
        low_credits: sum.is_range.then(|| sum.low.to_string()),
        high_credits: sum.is_range.then(|| sum.high.to_string()),
        unpriced: u32::try_from(unpriced).unwrap_or(u32::MAX),
        draw: draws(standing, sum.posted),
        budget: standing.spending.as_ref().and_then(|spending| beside(spending, sum.posted)),
    })
}

/// A kept recipe at the prices of now.
pub(crate) fn recipe(card: &RateCard, recipe: &Recipe, standing: &Standing<'_>) -> Result<RecipeView, ErrorView> {
    let job = job(card, &recipe.runs, standing)?;
    Ok(RecipeView {
        recipe_id: recipe.id.clone(),
        name: recipe.name.clone(),
        runs: recipe.runs.clone(),
        total_credits: job.total_credits,
        total_usd: job.total_usd,
        unpriced: job.unpriced,
        changed: instant(recipe.changed),
    })
}

struct Cost {
    low: Exact,
    likely: Exact,
    high: Exact,
    /// As the ledger posts it, run by run.
    posted: NanoCredits,
    is_range: bool,
}

fn priced(card: &RateCard, request: &EstimateRequest, terms: &Terms) -> Result<Cost, ErrorView> {
    if let Some(spread) = range(card, request)? {
        let ranged = quote_range(card, &spread, terms)?;
        let posted = ranged.likely.posted_credits()?;
        return Ok(Cost { low: ranged.low, likely: ranged.likely.total, high: ranged.high, posted, is_range: true });
    }
    let quote = quote(card, &run(card, request)?, terms)?;
    Ok(Cost { low: quote.total, likely: quote.total, high: quote.total, posted: quote.posted_credits()?, is_range: false })
}

struct Sum {
    low: Exact,
    likely: Exact,
    high: Exact,
    posted: NanoCredits,
    is_range: bool,
}

impl Default for Sum {
    fn default() -> Self {
        Self { low: Exact::ZERO, likely: Exact::ZERO, high: Exact::ZERO, posted: NanoCredits::ZERO, is_range: false }
    }
}

impl Sum {
    fn add(&mut self, cost: &Cost) -> Result<(), ErrorView> {
        self.low = self.low.add(cost.low)?;
        self.likely = self.likely.add(cost.likely)?;
        self.high = self.high.add(cost.high)?;
        self.posted = self.posted.checked_add(cost.posted).ok_or_else(|| ErrorView::internal("the job costs more than a ledger holds"))?;
        self.is_range |= cost.is_range;
        Ok(())
    }
}

fn row(card: &RateCard, request: &EstimateRequest, priced: Result<Cost, ErrorView>) -> JobRowView {
    let model = card.model(&request.model_id).ok();
    let (total_credits, refused) = match priced {
        Ok(cost) => (Some(cost.likely.to_string()), None),
        Err(error) => (None, Some(error)),
    };
    JobRowView {
        request: request.clone(),
        name: model.map_or_else(|| request.model_id.clone(), |m| m.name.clone()),
        kind: model.map_or(ModelKind::Chat, |m| model_kind(m.kind)),
        run: run(card, request).map(|run| run.describe()).unwrap_or_default(),
        total_credits,
        refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        project::parameters::base_request,
        view::{CountBounds, RunParameters},
    };
    use proptest::prelude::*;

    fn card() -> RateCard {
        RateCard::aispace().expect("built in")
    }

    fn standing() -> Standing<'static> {
        Standing { known: None, spending: None, now: "2027-01-10T00:00:00Z".parse().expect("an instant") }
    }

    fn base(id: &str) -> EstimateRequest {
        let card = card();
        base_request(&card, card.model(id).expect("a model")).expect("a form")
    }

    #[test]
    fn the_whole_is_the_sum_of_its_runs() {
        let view = job(&card(), &[base("image-generation"), base("qwen3-4b"), base("tts-kokoro")], &standing()).expect("a job");
        let rows: Vec<_> = view.rows.iter().filter_map(|row| row.total_credits.as_deref()).collect();
        assert_eq!((rows, view.total_credits.as_str(), view.total_usd.as_str()), (vec!["100", "0.55", "35"], "135.55", "0.013555"));
        assert_eq!((view.low_credits, view.unpriced), (None, 0));
    }

    #[test]
    fn one_run_of_unknown_length_makes_the_whole_a_range() {
        let mut chat = base("qwen3-4b");
        if let RunParameters::Chat { output_bounds, .. } = &mut chat.parameters {
            *output_bounds = Some(CountBounds { least: "100".into(), most: "4000".into() });
        }
        let view = job(&card(), &[base("image-generation"), chat], &standing()).expect("a job");
        let bounds = (view.low_credits.as_deref(), view.total_credits.as_str(), view.high_credits.as_deref());
        assert_eq!(bounds, (Some("100.4"), "100.55", Some("106.25")));
    }

    #[test]
    fn a_run_without_a_price_is_said_and_the_others_count() {
        let gone = EstimateRequest { model_id: "gone".into(), ..base("image-generation") };
        let view = job(&card(), &[gone, base("image-generation")], &standing()).expect("a job");
        assert_eq!((view.total_credits.as_str(), view.unpriced, view.rows[0].refused.is_some()), ("100", 1, true));
    }

    proptest! {
        /// However a job is put together, its parts come to the whole.
        #[test]
        fn parts_come_to_the_whole(times in proptest::collection::vec((0usize..56, 1u32..500), 1..12)) {
            let card = card();
            let requests: Vec<EstimateRequest> = times
                .iter()
                .map(|(at, runs)| EstimateRequest { runs: *runs, ..base(&card.models()[*at].id) })
                .collect();
            let view = job(&card, &requests, &standing()).unwrap();
            let parts = view.rows.iter().filter_map(|row| row.total_credits.as_deref()).try_fold(Exact::ZERO, |sum, part| sum.add(part.parse().unwrap()));
            prop_assert_eq!(parts.unwrap().to_string(), view.total_credits);
        }
    }
}
