//! Every model of a kind, for the same job.

use super::{
    account::ledger_batches,
    estimate::{Standing, dollars, evidence, nanos, variant},
    figures::basis_points,
};
use crate::view::{ComparedView, ComparisonView, ErrorView, EstimateRequest, LeftOutView, RunParameters};
use aispace_pricing::{
    AUDIO, Budget, Candidate, Job, Kind, LeftOut, LeftOutKind, LeftOutReason, Model, QuoteError, RESOLUTION, RateCard, Run, Terms, afford,
    compare,
};
use aispace_units::{Exact, NanoCreditSum};
use std::collections::BTreeMap;

/// Ranks the models of the card for the job of a request.
pub(crate) fn comparison(
    card: &RateCard,
    request: &EstimateRequest,
    run: &Run,
    standing: &Standing<'_>,
) -> Result<ComparisonView, ErrorView> {
    let model = card.model(&run.model_id)?;
    let terms = Terms::at(standing.now);
    // What the model brings by itself is part of the job too: a clip with sound stays one with sound.
    let mut options = model.base.options.clone();
    options.extend(run.options.clone());
    let job = Job { kind: Some(model.kind), options, runs: run.runs, ..Job::new(run.usage.clone()) };
    let found = compare([card], &job, &terms)?;
    // Any model of search answers for searches and scrapes alike, by the card's add-ons: only what it is itself for is its own work.
    let (ranked, beside): (Vec<&Candidate<'_>>, Vec<&Candidate<'_>>) =
        found.ranked.iter().partition(|c| model.kind != Kind::Search || does(c, &job));
    let dearest = ranked.last().map(|c| nanos(card, c.total)).transpose()?.unwrap_or_default();
    let balance = balance(standing);
    let mut rows = Vec::with_capacity(ranked.len());
    let (mut rank, mut before) = (0u32, None::<Exact>);
    for (place, candidate) in (0u32..).zip(ranked) {
        if before.is_some_and(|total| total != candidate.total) {
            rank = place;
        }
        before = Some(candidate.total);
        let fits = balance.and_then(|balance| afford(card, Budget::Account(balance), &job.run(candidate.model.id.clone()), &terms).ok());
        rows.push(ComparedView {
            request: request_of(request, candidate, &job),
            name: candidate.model.name.clone(),
            variant: variant(candidate.model),
            capabilities: candidate.model.capabilities().iter().map(|c| c.as_str().to_owned()).collect(),
            total_credits: candidate.total.to_string(),
            total_usd: dollars(card, candidate.total)?,
            share_bp: basis_points(nanos(card, candidate.total)?, dearest),
            fits: fits.map(|fits| fits.count.to_string()),
            evidence: evidence(candidate.evidence),
            cost_rank: rank,
            chosen: candidate.model.id == model.id,
        });
    }
    let other_work = beside.into_iter().map(|c| left_out(c.model, LeftOutKind::NoRate, BTreeMap::new()));
    let left_out = found.left_out.iter().map(|one| left_out(one.model, one.reason.kind(), figures(one))).chain(other_work).collect();
    Ok(ComparisonView { job: job.run(model.id.clone()).describe(), runs: request.runs, rows, left_out })
}

/// What is free now, in the unit of account.
fn balance(standing: &Standing<'_>) -> Option<Exact> {
    let batches = ledger_batches(&standing.known?.answer.batches);
    let free = NanoCreditSum::total(batches.iter().filter(|b| b.is_live(standing.now)).map(|b| b.left));
    Exact::try_from(free.to_decimal().ok()?).ok()
}

/// The same job as a run of another model, with what that lets choose.
fn request_of(request: &EstimateRequest, candidate: &Candidate<'_>, job: &Job) -> EstimateRequest {
    let parameters = match &request.parameters {
        RunParameters::Video { seconds, .. } => RunParameters::Video {
            seconds: *seconds,
            resolution: candidate.model.base.options.contains_key(RESOLUTION).then(|| job.options.get(RESOLUTION).cloned()).flatten(),
            audio: candidate.model.base.options.contains_key(AUDIO).then(|| job.options.get(AUDIO).map(|word| word == "on")).flatten(),
        },
        other => other.clone(),
    };
    EstimateRequest { model_id: candidate.model.id.clone(), runs: request.runs, parameters }
}

/// Whether the model's own base run counts what the job uses.
fn does(candidate: &Candidate<'_>, job: &Job) -> bool {
    job.usage.iter().all(|(meter, _)| candidate.model.base.usage.get(meter) > 0)
}

fn left_out(model: &Model, reason: LeftOutKind, params: BTreeMap<String, String>) -> LeftOutView {
    let reason = reason.as_str().to_owned();
    LeftOutView { model_id: model.id.clone(), name: model.name.clone(), variant: variant(model), reason, params }
}

/// The figures of a reason.
fn figures(one: &LeftOut<'_>) -> BTreeMap<String, String> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    match &one.reason {
        LeftOutReason::Retired { on } | LeftOutReason::NotYet { on } => BTreeMap::from([pair("on", on.to_string())]),
        LeftOutReason::Quote(QuoteError::Impossible { parameter, allowed, .. }) => {
            BTreeMap::from([pair("parameter", parameter.clone()), pair("allowed", allowed.join(", "))])
        }
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{parameters::base_request, run};

    fn compared(model_id: &str) -> ComparisonView {
        let card = RateCard::aispace().expect("built in");
        let request = base_request(&card, card.model(model_id).expect("a model")).expect("a form");
        let run = run(&card, &request).expect("a run");
        let now = "2026-08-01T00:00:00Z".parse().expect("an instant");
        comparison(&card, &request, &run, &Standing { known: None, spending: None, now }).expect("a comparison")
    }

    #[test]
    fn every_row_can_be_opened_and_costs_what_it_says() {
        let card = RateCard::aispace().expect("built in");
        for model in card.models() {
            let found = compared(&model.id);
            assert!(found.rows.iter().any(|row| row.chosen) || model.retired.is_some(), "{}", model.id);
            for row in found.rows {
                let run = run(&card, &row.request).expect("a run");
                let quote = aispace_pricing::quote(&card, &run, &Terms::default()).expect("a price");
                assert_eq!(quote.total.to_string(), row.total_credits, "{} for {}", row.request.model_id, model.id);
            }
        }
    }

    #[test]
    fn the_same_job_is_ranked_and_the_rest_says_why_not() {
        let found = compared("sora-2-text-to-video");
        assert_eq!(found.job, "4 s, 720p, sound");
        assert!(found.rows.is_sorted_by_key(|row| row.cost_rank));
        assert_eq!(found.rows[0].cost_rank, 0);
        let kling = found.left_out.iter().find(|m| m.model_id.starts_with("kling-2.6")).expect("Kling makes 5 or 10 s");
        assert_eq!(
            (kling.reason.as_str(), kling.params["parameter"].as_str(), kling.params["allowed"].as_str()),
            ("impossible", "seconds", "5, 10")
        );
        assert_eq!(found.rows.len() + found.left_out.len(), 31);
    }

    #[test]
    fn chat_models_are_compared_by_tokens() {
        let found = compared("qwen3-4b");
        assert_eq!(
            (found.rows.len(), found.rows[0].request.model_id.as_str(), found.rows[0].total_credits.as_str()),
            (15, "qwen3-4b", "0.55")
        );
        assert_eq!(found.rows.last().map(|row| row.share_bp), Some(10_000));
    }
}
