//! What is debited follows what was metered, whatever was held.

use aispace_pricing::{Meter, QuoteError, RateCard, Run, SettleError, Terms, Usage, settle};
use aispace_units::Exact;

fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}

/// Made up: a third of a credit is never whole.
fn card(posting: &str) -> RateCard {
    RateCard::from_json(&format!(
        r#"{{"format": "aispace-rate-card/2", "id": "made-up", "name": "Made up", "date": "2026-01-01",
            "unit": {{"code": "made-up", "name": "made-up credits", "per_usd": "1"}}, "posting": {posting},
            "models": [{{"id": "m", "name": "M", "kind": "call", "base": {{"usage": {{"calls": 1}}}},
                "rates": [{{"meter": "calls", "amount": "0.125", "unit": "credits", "per": "1"}}]}}]}}"#
    ))
    .expect("a card")
}

fn calls(count: u64) -> Run {
    Run::new("m", Usage::new().with(Meter::Calls, count))
}

#[test]
fn the_rest_of_a_hold_is_released_and_more_than_it_is_debited() {
    let card = card(r#"{"rule": "half_up", "decimals": 3}"#);
    for (held, metered, posted, released, above_hold) in
        [("1", 4, "0.5", "0.5", "0"), ("0.5", 4, "0.5", "0", "0"), ("0.499", 4, "0.5", "0", "0.001"), ("0", 4, "0.5", "0", "0.5")]
    {
        let end = settle(&card, exact(held), &calls(metered), &Terms::default()).expect("settles");
        let amounts = [end.held, end.posted, end.released, end.above_hold];
        assert_eq!(amounts, [held, posted, released, above_hold].map(exact), "{held} held");
        assert_eq!(end.quote.total, exact("0.5"));
        assert_eq!(end.posted.add(end.released), end.held.add(end.above_hold));
    }
}

#[test]
fn a_settlement_is_rounded_once_by_the_cards_rule() {
    // Three calls are 0.375.
    for (posting, posted) in [
        (r#"{"rule": "half_up", "decimals": 2}"#, "0.38"),
        (r#"{"rule": "half_even", "decimals": 2}"#, "0.38"),
        (r#"{"rule": "down", "decimals": 2}"#, "0.37"),
        (r#"{"rule": "up", "decimals": 0}"#, "1"),
        (r#"{"rule": "down", "decimals": 0}"#, "0"),
        (r#"{"rule": "down", "decimals": 0, "minimum": "0.01"}"#, "0.01"),
        (r#"{"rule": "half_up", "step": "0.25"}"#, "0.5"),
    ] {
        let end = settle(&card(posting), Exact::ONE, &calls(3), &Terms::default()).expect("settles");
        assert_eq!((end.posted, end.quote.total), (exact(posted), exact("0.375")), "{posting}");
        assert_eq!(end.posted.add(end.released), end.held.add(end.above_hold));
    }
}

#[test]
fn a_run_that_used_nothing_gives_everything_back() {
    let end =
        settle(&card(r#"{"rule": "up", "decimals": 0, "minimum": "1"}"#), exact("2.5"), &calls(0), &Terms::default()).expect("settles");
    assert_eq!([end.posted, end.released, end.above_hold], ["0", "2.5", "0"].map(exact));
}

#[test]
fn a_run_without_a_price_is_not_settled() {
    let card = card(r#"{"rule": "up", "decimals": 0}"#);
    let images = Run::new("m", Usage::new().with(Meter::Images, 1));
    let error = settle(&card, Exact::ONE, &images, &Terms::default()).expect_err("no rate");
    assert!(matches!(error, SettleError::Quote(QuoteError::NoRate { meter: Meter::Images, .. })), "{error}");
    assert_eq!(error.to_string(), "m has no price for images; it is priced by calls");

    let tiny = self::card(r#"{"rule": "up", "step": "0.00000000000000000000000000000000000001"}"#);
    let error = settle(&tiny, Exact::ONE, &calls(1_000_000), &Terms::default()).expect_err("43 digits");
    assert!(matches!(error, SettleError::NotExact(_)), "{error}");
}

#[test]
fn a_pinnora_run_may_cost_more_than_the_likely_cost_that_was_held() {
    let card = RateCard::built_in().expect("built in").into_iter().find(|c| c.id() == "pinnora").expect("built in");
    let model = &card.models()[0].id;
    let (likely, metered) = (Run::chat(model, 1_000, 500), Run::chat(model, 1_000, 2_000));
    let held = card.hold(aispace_pricing::total(&card, &likely, &Terms::default()).expect("priced"), exact("1000")).expect("posts");
    let end = settle(&card, held, &metered, &Terms::default()).expect("settles");
    assert!(!end.above_hold.is_zero() && end.released.is_zero());
    assert_eq!(held.add(end.above_hold), Ok(end.posted));
}
