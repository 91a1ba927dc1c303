//! What a part of the balance pays for, in whole runs.

use super::{
    account::{ledger_batches, pace_per_day},
    estimate::Standing,
    figures::{about, instant},
    parameters::{model_kind, run},
};
use crate::view::{ErrorView, EstimateRequest, PlanBudget, PlanBudgetView, PlanFitView, PlanMixView, PlanRowView, PlanView};
use aispace_ledger::{Batch, PacePerDay, forecast};
use aispace_pricing::{Budget, RateCard, Run, Terms, afford, mix};
use aispace_units::{Exact, NanoCreditSum, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};

/// How far what lapses is looked ahead for.
const AHEAD: TimeDelta = TimeDelta::days(7);

/// How many of each run a part of the balance pays for; none without an account.
pub(crate) fn plan(card: &RateCard, budget: PlanBudget, requests: &[EstimateRequest], standing: &Standing<'_>) -> Option<PlanView> {
    let known = standing.known?;
    let batches = ledger_batches(&known.answer.batches);
    let budgets = budgets(&batches, pace_per_day(known, standing.now), standing.now);
    let amount: Exact = budgets.iter().find(|b| b.budget == budget)?.credits.parse().ok()?;
    let terms = Terms::at(standing.now);
    let rows = requests.iter().map(|request| row(card, request, amount, &terms)).collect();
    Some(PlanView { budget, budgets, rows, mix: mixed(card, amount, requests, &terms) })
}

fn budgets(batches: &[Batch], pace: Option<PacePerDay>, now: DateTime<Utc>) -> Vec<PlanBudgetView> {
    let mut live: Vec<&Batch> = batches.iter().filter(|b| b.is_live(now) && !b.left.is_zero()).collect();
    live.sort_by_key(|b| b.expires);
    let all = NanoCreditSum::total(live.iter().map(|b| b.left)).to_string();
    let rows = forecast(batches, pace.unwrap_or(PacePerDay(NanoCredits::ZERO)), now).batches;
    let lapses = |b: &&&Batch| rows.iter().find(|r| r.batch == b.id).is_some_and(|r| !r.lapses.is_zero());
    let soon = || live.iter().filter(|b| b.expires <= now + AHEAD).filter(lapses);
    let lapsing = soon().filter_map(|b| rows.iter().find(|r| r.batch == b.id)).map(|r| r.lapses);
    let lapsing = NanoCredits::try_from(NanoCreditSum::total(lapsing)).unwrap_or_default();
    let next = live.first();
    // Without a pace nothing is forecast: what ends is what ends.
    let shown = if pace.is_some() { about(lapsing).unwrap_or_default() } else { lapsing };
    let view = |budget, credits: String, is_forecast, until: Option<&Batch>| PlanBudgetView {
        budget,
        credits,
        is_forecast,
        until: until.map(|batch| instant(batch.expires)),
    };
    vec![
        view(PlanBudget::Lapsing, shown.to_string(), pace.is_some(), soon().next().copied()),
        view(PlanBudget::NextEnd, next.map(|b| b.left).unwrap_or_default().to_string(), false, next.copied()),
        view(PlanBudget::Balance, all, false, None),
    ]
}

fn row(card: &RateCard, request: &EstimateRequest, budget: Exact, terms: &Terms) -> PlanRowView {
    let described = run(card, request);
    let fit = described.clone().and_then(|run| {
        let fits = afford(card, Budget::Account(budget), &run, terms)?;
        Ok(PlanFitView {
            each_credits: fits.per_run.to_string(),
            count: fits.count.to_string(),
            spent_credits: fits.spent.to_string(),
            left_credits: fits.remainder.to_string(),
        })
    });
    let (fit, refused) = match fit {
        Ok(fit) => (Some(fit), None),
        Err(error) => (None, Some(error)),
    };
    let model = card.model(&request.model_id).ok();
    PlanRowView {
        request: request.clone(),
        name: model.map_or_else(|| request.model_id.clone(), |m| m.name.clone()),
        kind: model.map_or(crate::view::ModelKind::Chat, |m| model_kind(m.kind)),
        run: described.map(|run| run.describe()).unwrap_or_default(),
        fit,
        refused,
    }
}

/// The first run once, then as many of the second as fit.
fn mixed(card: &RateCard, budget: Exact, requests: &[EstimateRequest], terms: &Terms) -> Option<PlanMixView> {
    let [first, then, ..] = requests else { return None };
    let of = |request| -> Result<Run, ErrorView> { run(card, request) };
    let (first, then) = (of(first).ok()?, of(then).ok()?);
    let fits = mix(card, Budget::Account(budget), std::slice::from_ref(&first), &then, terms).ok()?;
    let (first, second) = (card.model(&first.model_id).ok()?, card.model(&then.model_id).ok()?);
    if fits.then.count == 0 {
        return None;
    }
    Some(PlanMixView {
        first_name: first.name.clone(),
        first_kind: model_kind(first.kind),
        then_name: second.name.clone(),
        then_kind: model_kind(second.kind),
        then_count: fits.then.count.to_string(),
        spent_credits: fits.fixed_total.add(fits.then.spent).ok()?.to_string(),
        left_credits: fits.then.remainder.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{project::parameters::base_request, record::KnownAccount};
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: &str = "2027-01-10T00:00:00Z";

    /// Two batches, of which the first ends within the week; ten credits were used on each of the last two days.
    fn known(paced: bool) -> KnownAccount {
        let batch = |id: &str, added: &str, expires: &str, left: &str| {
            json!({"batch_id": id, "source": "grant", "note": null, "added": added, "expires": expires, "granted_credits": "9000",
                "left_credits": left, "lapsed_credits": "0", "state": "live"})
        };
        let entry = |at: &str| json!({"entry_id": "e", "sequence": 1, "at": at, "kind": "debit", "change_credits": "-10", "debt_change_credits": "0", "run": null});
        let answer = json!({"account_id": "a", "server_time": NOW, "available_credits": "7000", "next_expiry": null, "entry_count": 2, "batches": [
            batch("first", "2026-12-15T00:00:00Z", "2027-01-14T00:00:00Z", "2000"), batch("second", "2027-01-01T00:00:00Z", "2027-01-31T00:00:00Z", "5000")]});
        let usage = if paced { vec![entry("2027-01-09T12:00:00Z"), entry("2027-01-08T12:00:00Z")] } else { Vec::new() };
        let usage = usage.into_iter().map(|e| serde_json::from_value(e).expect("an entry")).collect();
        KnownAccount { answer: serde_json::from_value(answer).expect("an answer"), usage, clock_offset_ms: 0 }
    }

    fn requests(ids: &[&str]) -> Vec<EstimateRequest> {
        let card = RateCard::aispace().expect("built in");
        ids.iter().map(|id| base_request(&card, card.model(id).expect("a model")).expect("a form")).collect()
    }

    fn planned(known: &KnownAccount, budget: PlanBudget, ids: &[&str]) -> PlanView {
        let standing = Standing { known: Some(known), spending: None, now: NOW.parse().expect("an instant") };
        plan(&RateCard::aispace().expect("built in"), budget, &requests(ids), &standing).expect("a plan")
    }

    #[test]
    fn what_lapses_is_a_forecast_and_what_ends_is_a_fact() {
        let of = |paced: bool| -> Vec<(String, bool, bool)> {
            let view = planned(&known(paced), PlanBudget::Balance, &[]);
            view.budgets.into_iter().map(|b| (b.credits, b.is_forecast, b.until.is_some())).collect()
        };
        // Ten a day for four days are used of the 2,000.
        assert_eq!(of(true), [("1960".into(), true, true), ("2000".into(), false, true), ("7000".into(), false, false)]);
        assert_eq!(of(false)[0], ("2000".into(), false, true));
    }

    #[test]
    fn whole_runs_and_what_is_over() {
        let view = planned(&known(true), PlanBudget::Lapsing, &["image-generation", "tts-kokoro"]);
        let fits: Vec<_> = view.rows.iter().map(|r| r.fit.clone().map(|f| (f.count, f.left_credits))).collect();
        assert_eq!(fits, [Some(("19".into(), "60".into())), Some(("56".into(), "0".into()))]);
        let mix = view.mix.expect("both fit");
        assert_eq!((mix.then_count.as_str(), mix.spent_credits.as_str(), mix.left_credits.as_str()), ("53", "1955", "5"));
    }

    #[test]
    fn a_run_that_cannot_be_priced_says_why_and_the_others_stand() {
        let mut asked = requests(&["image-generation"]);
        asked.insert(0, EstimateRequest { model_id: "gone".into(), ..asked[0].clone() });
        let account = known(true);
        let standing = Standing { known: Some(&account), spending: None, now: NOW.parse().expect("an instant") };
        let view = plan(&RateCard::aispace().expect("built in"), PlanBudget::Balance, &asked, &standing).expect("a plan");
        assert!(view.rows[0].fit.is_none() && view.rows[0].refused.is_some());
        assert_eq!((view.rows[1].fit.as_ref().map(|f| f.count.as_str()), view.mix.is_none()), (Some("70"), true));
    }

    proptest! {
        /// What is spent and what is over are the budget, and one more would not fit.
        #[test]
        fn spent_and_over_are_the_budget(images in 1u32..60, at in 0usize..3) {
            let account = known(true);
            let budget = [PlanBudget::Lapsing, PlanBudget::NextEnd, PlanBudget::Balance][at];
            let mut asked = requests(&["image-generation"]);
            asked[0].parameters = crate::view::RunParameters::Image { images: images.to_string() };
            let standing = Standing { known: Some(&account), spending: None, now: NOW.parse().unwrap() };
            let view = plan(&RateCard::aispace().unwrap(), budget, &asked, &standing).unwrap();
            let whole: Exact = view.budgets.iter().find(|b| b.budget == budget).unwrap().credits.parse().unwrap();
            let fit = view.rows[0].fit.clone().unwrap();
            let (each, spent, left): (Exact, Exact, Exact) = (fit.each_credits.parse().unwrap(), fit.spent_credits.parse().unwrap(), fit.left_credits.parse().unwrap());
            prop_assert_eq!(spent.add(left).unwrap(), whole);
            prop_assert!(left < each);
            prop_assert_eq!(each.mul(Exact::from(fit.count.parse::<u64>().unwrap())).unwrap(), spent);
        }
    }
}
