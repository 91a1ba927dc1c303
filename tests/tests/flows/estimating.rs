//! Estimates beside what runs cost: kept ones, and what a person means to spend.

use crate::world::{App, World};
use aispace_api::{DebitRequest, RefundRequest, RunDescription};
use aispace_app::view::{AppErrorCode, ChargeLink, EstimateRequest, KeptEstimatesView, RunParameters, UsageDetailView};
use std::{collections::BTreeMap, time::Duration};

const MODEL: &str = "image-generation";

/// A picture costs 100 credits.
pub(crate) fn picture() -> EstimateRequest {
    EstimateRequest { model_id: MODEL.into(), runs: 1, parameters: RunParameters::Image { images: "1".into() } }
}

/// A gateway charges a picture, whatever the app expects.
async fn charge(world: &World, app: &App, credits: &str) {
    let account_id = app.wallet.view().account.expect("an account").account_id;
    let run = RunDescription {
        model_id: MODEL.into(),
        model_name: "Generation".into(),
        kind: "image".into(),
        meters: BTreeMap::from([("images".into(), "1".into())]),
        rule: None,
    };
    let request = DebitRequest { account_id, credits: Some(credits.parse().expect("credits")), run: Some(run), metered: None };
    world.sandbox.service.debit(&request).await.expect("it is charged");
    app.wallet.sync_now().await.expect("it is read");
}

async fn until_kept(app: &App, is: impl Fn(&KeptEstimatesView) -> bool) -> KeptEstimatesView {
    let mut last = None;
    for _ in 0..200 {
        let kept = app.wallet.kept_estimates().await.expect("they are read");
        if is(&kept) {
            return kept;
        }
        last = Some(kept);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it stays {last:?}");
}

/// The UTC day, by the app's clock.
pub(crate) fn today(app: &App) -> String {
    let mut now = app.wallet.view().now;
    now.truncate("2026-01-01".len());
    now
}

/// The log is read beside everything else.
async fn until_logged(app: &App, sequence: &str) -> UsageDetailView {
    for _ in 0..200 {
        if let Some(entry) = app.wallet.usage_entry(sequence.to_owned()).await.expect("it is read") {
            return entry;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("entry {sequence} does not come");
}

#[tokio::test]
async fn a_rejected_charge_is_free_for_another_estimate_and_what_is_given_back_counts() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    app.wallet.keep_estimate(picture()).await.expect("it is kept");
    let kept = app.wallet.keep_estimate(picture()).await.expect("it is kept");
    let [later, earlier] = [0, 1].map(|at| kept.estimates[at].estimate_id.clone());
    charge(&world, &app, "112.5").await;
    // Two may claim it, so it is of neither, until one does not.
    let kept = until_kept(&app, |kept| kept.estimates.iter().all(|one| one.candidates.len() == 1)).await;
    let sequence = kept.estimates[0].candidates[0].sequence.clone();
    assert_eq!(kept.compared, 0);
    let kept = app.wallet.reject_charge(later.clone(), sequence.clone()).await.expect("rejected");
    assert_eq!((&kept.estimates[0].charge, kept.estimates[0].candidates.len()), (&None, 0));
    let of = |kept: &KeptEstimatesView, at: usize| kept.estimates[at].charge.clone().map(|charge| (charge.sequence, charge.link));
    assert_eq!(of(&kept, 1), Some((sequence.clone(), ChargeLink::Matched)));
    let kept = app.wallet.reject_charge(earlier.clone(), sequence.clone()).await.expect("rejected");
    assert_eq!((kept.compared, of(&kept, 0), of(&kept, 1)), (0, None, None));

    // A rejection is taken back by picking it; then it is rejected no more when that is taken back in its turn.
    let kept = app.wallet.pick_charge(later.clone(), Some(sequence.clone())).await.expect("picked");
    assert_eq!(of(&kept, 0), Some((sequence.clone(), ChargeLink::Picked)));
    let account_id = app.wallet.view().account.expect("an account").account_id;
    let number = sequence.parse().expect("a number");
    let refund = RefundRequest { account_id, sequence: number, credits: "12.5".parse().expect("credits"), note: None };
    world.sandbox.service.refund(&refund).await.expect("given back");
    app.wallet.sync_now().await.expect("it is read");
    let given_back = |kept: &KeptEstimatesView| kept.estimates[0].charge.as_ref().is_some_and(|charge| charge.refunded_credits.is_some());
    let kept = until_kept(&app, given_back).await;
    let charge = kept.estimates[0].charge.clone().expect("the charge");
    assert_eq!((charge.credits.as_str(), charge.refunded_credits.as_deref()), ("100", Some("12.5")));
    assert_eq!((charge.error_percent.as_deref(), kept.median_percent.as_deref()), (Some("0"), Some("0")));
    let kept = app.wallet.reject_charge(later, sequence.clone()).await.expect("rejected");
    assert_eq!((kept.compared, of(&kept, 0)), (0, None));
    assert_eq!(app.wallet.reject_charge(earlier, "x".into()).await.expect_err("no number").code, AppErrorCode::ChargeNotItsOwn);
    assert_eq!(app.wallet.usage_entry(sequence).await.expect("it is read").expect("the entry").estimate, None);
}

#[tokio::test]
async fn a_kept_estimate_is_compared_with_the_charge_of_its_run() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let kept = app.wallet.keep_estimate(picture()).await.expect("it is kept");
    assert_eq!((kept.compared, kept.median_percent, kept.estimates[0].expected_credits.as_str()), (0, None, "100"));
    charge(&world, &app, "112.5").await;
    let kept = until_kept(&app, |kept| kept.compared == 1).await;
    let matched = kept.estimates[0].charge.clone().expect("the only charge");
    assert_eq!((matched.link, matched.credits.as_str(), matched.difference_credits.as_str()), (ChargeLink::Matched, "112.5", "12.5"));
    assert_eq!((matched.error_percent.as_deref(), kept.median_percent.as_deref()), (Some("12.5"), Some("12.5")));
    let entry = app.wallet.usage_entry(matched.sequence.clone()).await.expect("it is read").expect("the entry");
    assert_eq!(entry.estimate.expect("it was kept").expected_credits, "100");

    // A second one: which of the two is not said, so the person says it.
    charge(&world, &app, "90").await;
    let kept = until_kept(&app, |kept| kept.estimates[0].candidates.len() == 2).await;
    let open = &kept.estimates[0];
    assert_eq!((kept.compared, &open.charge), (0, &None));
    let (own, cheaper) = (open.estimate_id.clone(), open.candidates[1].sequence.clone());
    let picked = app.wallet.pick_charge(own.clone(), Some(cheaper.clone())).await.expect("it is its own");
    let charge = picked.estimates[0].charge.clone().expect("as it was said");
    assert_eq!((charge.link, charge.error_percent.as_deref()), (ChargeLink::Picked, Some("-10")));
    let refused = app.wallet.pick_charge(own.clone(), Some("1".into())).await.expect_err("a batch is no charge");
    assert_eq!(refused.code, AppErrorCode::ChargeNotItsOwn);
    assert!(app.wallet.forget_estimate(own).await.expect("it is forgotten").estimates.is_empty());
}

#[tokio::test]
async fn a_simulated_run_is_kept_with_its_charge_and_goes_with_the_account() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let key = app.key().await.expect("a key");
    // What was kept of the very run is not kept twice.
    app.wallet.keep_estimate(picture()).await.expect("it is kept");
    app.wallet.simulate_run(picture(), false).await.expect("it is charged");
    let kept = until_kept(&app, |kept| kept.compared == 1).await;
    let charge = kept.estimates[0].charge.clone().expect("its charge");
    assert_eq!((kept.estimates.len(), charge.link, charge.difference_credits.as_str()), (1, ChargeLink::Simulated, "0"));
    let newest = app.wallet.view().account.expect("an account").usage[0].clone();
    assert_eq!((newest.change_credits.as_str(), kept.median_percent.as_deref()), ("-100", Some("0")));
    let entry = until_logged(&app, &charge.sequence).await;
    assert_eq!(entry.estimate.expect("it was kept").charge.link, ChargeLink::Simulated);
    app.wallet.sign_out().await.expect("signed out");
    assert_eq!(app.wallet.kept_estimates().await.expect_err("nobody is signed in").code, AppErrorCode::NotSignedIn);
    app.wallet.sign_in(key).await.expect("signed in");
    assert!(app.wallet.kept_estimates().await.expect("they are read").estimates.is_empty());
}

#[tokio::test]
async fn a_budget_counts_every_charge_of_the_log_and_says_so() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let day = today(&app);
    app.wallet.set_budget(Some("250".into()), Some("1000".into())).await.expect("it is set");
    for _ in 0..2 {
        app.wallet.simulate_run(picture(), false).await.expect("it fits");
    }
    let budget = app.wallet.estimate(picture()).expect("a quote").budget.expect("a budget");
    let refused = app.wallet.simulate_run(picture(), false).await;
    if today(&app) != day {
        // Midnight came between the runs, and the day began anew.
        return;
    }
    let said: Vec<(&str, bool)> = budget.spans.iter().map(|span| (span.spent_credits.as_str(), span.at_least)).collect();
    assert_eq!(said, [("200", false), ("200", false)]);
    assert_eq!(refused.expect_err("it passes the day").code, AppErrorCode::BudgetPassed);
    app.wallet.simulate_run(picture(), true).await.expect("the person says that it may be");
}
