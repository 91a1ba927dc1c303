//! A card keeps its history: what a run costs at an instant. Every figure here is made up.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{CardError, Meter, QuoteError, RateCard, Run, Terms, quote, total};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use support::small::{card_of, rate, rate_when};

fn at(instant: &str) -> Terms {
    Terms::at(instant.parse::<DateTime<Utc>>().unwrap_or_else(|error| panic!("{instant}: {error}")))
}

fn input(card: &RateCard, terms: &Terms) -> Result<String, QuoteError> {
    total(card, &Run::chat("words", 1, 0), terms).map(|total| total.to_string())
}

/// One price for an input token, 1 where nothing else holds, and 2 under a condition.
fn twice_when(condition: Value) -> RateCard {
    card_of(json!([rate("input_tokens", "1"), rate_when("input_tokens", "2", condition)])).expect("well formed")
}

/// Whether the condition holds at each of some instants.
fn holds(condition: Value, expected: &[(&str, bool)]) {
    let card = twice_when(condition.clone());
    for (instant, holds) in expected {
        let price = if *holds { "2" } else { "1" };
        assert_eq!(input(&card, &at(instant)).as_deref(), Ok(price), "{condition} at {instant}");
    }
}

#[test]
fn each_instant_has_the_price_that_held_then() {
    let card = card_of(json!([
        rate_when("input_tokens", "5", json!({"from": "2025-01-01T00:00:00Z"})),
        rate_when("input_tokens", "4", json!({"from": "2025-07-01T00:00:00+02:00"})),
        rate_when("input_tokens", "3", json!({"from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"})),
    ]))
    .expect("well formed");
    for (instant, price) in [
        ("2025-01-01T00:00:00Z", "5"),
        ("2025-06-30T21:59:59.999Z", "5"),
        ("2025-06-30T22:00:00Z", "4"),
        ("2025-12-31T23:59:59.999Z", "4"),
        ("2026-01-01T00:00:00Z", "3"),
        ("2026-01-31T23:59:59.999Z", "3"),
        ("2026-02-01T00:00:00Z", "4"),
        ("2026-02-01T00:30:00+01:00", "3"),
        ("9999-12-31T23:59:59Z", "4"),
    ] {
        assert_eq!(input(&card, &at(instant)).as_deref(), Ok(price), "{instant}");
    }
    let quoted = quote(&card, &Run::chat("words", 1, 0), &at("2025-08-01T00:00:00Z")).expect("a price");
    assert!(quoted.lines[0].rule.contains("since 2025-06-30 22:00 UTC"), "{}", quoted.lines[0].rule);
    assert_eq!(quoted.at, at("2025-08-01T00:00:00Z").at);
}

#[test]
fn before_the_first_price_there_is_none() {
    let card = card_of(json!([rate_when("input_tokens", "5", json!({"from": "2026-01-01T00:00:00Z"}))])).expect("well formed");
    let error = input(&card, &at("2025-12-31T23:59:59.999Z")).expect_err("no price yet");
    assert_eq!(error, QuoteError::NoPrice { model_id: "words".into(), combination: "input_tokens".into() });
    assert_eq!(input(&card, &at("2026-01-01T00:00:00Z")).as_deref(), Ok("5"));
    assert_eq!(input(&card, &Terms::default()), Err(QuoteError::InstantNeeded { model_id: "words".into() }));
}

#[test]
fn a_model_whose_price_begins_after_its_card_still_has_a_base_run() {
    let later = card_of(json!([rate_when("input_tokens", "5", json!({"from": "2026-06-01T00:00:00Z"}))]));
    assert!(later.is_ok(), "{later:?}");
    let over = card_of(json!([rate_when("input_tokens", "5", json!({"until": "2020-06-01T00:00:00Z"}))]));
    assert!(matches!(over, Err(CardError::Contradiction { .. })), "{over:?}");
}

#[test]
fn a_window_of_the_day_begins_and_ends_to_the_millisecond() {
    holds(
        json!({"daily": {"from": "09:00", "until": "17:30"}}),
        &[
            ("2026-01-01T08:59:59.999Z", false),
            ("2026-01-01T09:00:00Z", true),
            ("2026-01-01T17:29:59.999Z", true),
            ("2026-01-01T17:30:00Z", false),
            ("2026-01-01T10:30:00+01:00", true),
            ("2026-01-01T09:30:00+01:00", false),
        ],
    );
}

#[test]
fn a_window_across_midnight_holds_on_both_sides_of_it() {
    holds(
        json!({"daily": {"from": "16:30", "until": "00:30"}}),
        &[
            ("2026-01-01T16:29:59.999Z", false),
            ("2026-01-01T16:30:00Z", true),
            ("2026-01-01T23:59:59.999Z", true),
            ("2026-01-02T00:00:00Z", true),
            ("2026-01-02T00:29:59.999Z", true),
            ("2026-01-02T00:30:00Z", false),
        ],
    );
    // Up to midnight itself: the day ends, nothing is crossed.
    holds(
        json!({"daily": {"from": "22:00:01", "until": "00:00"}}),
        &[
            ("2026-01-01T22:00:00.999Z", false),
            ("2026-01-01T22:00:01Z", true),
            ("2026-01-01T23:59:59.999Z", true),
            ("2026-01-02T00:00:00Z", false),
        ],
    );
}

#[test]
fn a_weekday_is_that_of_the_instant_in_utc() {
    holds(
        json!({"weekdays": ["sat", "sun"]}),
        &[
            ("2026-01-02T23:59:59.999Z", false),
            ("2026-01-03T00:00:00Z", true),
            ("2026-01-04T23:59:59.999Z", true),
            ("2026-01-05T00:00:00Z", false),
            ("2026-01-03T00:30:00+01:00", false),
            ("2026-01-02T23:30:00-01:00", true),
        ],
    );
}

#[test]
fn after_midnight_a_window_is_of_the_new_day() {
    // Friday night only, so that the hours after midnight are Saturday's and do not hold.
    holds(
        json!({"weekdays": ["fri"], "daily": {"from": "22:00", "until": "06:00"}}),
        &[
            ("2026-01-01T23:59:59.999Z", false),
            ("2026-01-02T00:00:00Z", true),
            ("2026-01-02T05:59:59.999Z", true),
            ("2026-01-02T06:00:00Z", false),
            ("2026-01-02T22:00:00Z", true),
            ("2026-01-02T23:59:59.999Z", true),
            ("2026-01-03T00:00:00Z", false),
        ],
    );
}

#[test]
fn every_day_of_more_than_a_year_has_its_weekday() {
    let days = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    for (nth, day) in days.iter().enumerate() {
        let card = twice_when(json!({"weekdays": [day]}));
        for week in 0..530 {
            let first = at("2026-01-01T12:00:00Z").at.expect("given") + Duration::days(week);
            let expected = if usize::try_from(week).expect("small") % 7 == nth { "2" } else { "1" };
            assert_eq!(input(&card, &Terms::at(first)).as_deref(), Ok(expected), "{first} for {day}");
        }
    }
}

#[test]
fn all_conditions_must_hold_together() {
    let condition = json!({
        "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z", "daily": {"from": "16:30", "until": "00:30"},
        "weekdays": ["thu"], "prompt_tokens": {"over": 100, "at_most": 200}, "tier": "batch",
    });
    let card = twice_when(condition);
    let price = |prompt, cached, tier: Option<&str>, instant| {
        let mut run = Run::chat("words", prompt, 0);
        run.usage.set(Meter::CacheReadTokens, cached);
        run.tier = tier.map(str::to_owned);
        let each = total(&card, &run, &at(instant)).expect("a price").div_exact((prompt + cached).into());
        each.expect("the same for each").to_string()
    };
    assert_eq!(price(101, 0, Some("batch"), "2026-01-01T16:30:00Z"), "2");
    assert_eq!(price(1, 100, Some("batch"), "2026-01-01T16:30:00Z"), "2", "what is cached is sent too");
    assert_eq!(price(200, 0, Some("batch"), "2026-01-29T23:59:59.999Z"), "2");
    assert_eq!(price(100, 0, Some("batch"), "2026-01-01T16:30:00Z"), "1", "too short");
    assert_eq!(price(201, 0, Some("batch"), "2026-01-01T16:30:00Z"), "1", "too long");
    assert_eq!(price(101, 0, None, "2026-01-01T16:30:00Z"), "1", "no tier");
    assert_eq!(price(101, 0, Some("standard"), "2026-01-01T16:30:00Z"), "1", "the usual tier");
    assert_eq!(price(101, 0, Some("batch"), "2026-01-01T16:29:59.999Z"), "1", "too early in the day");
    assert_eq!(price(101, 0, Some("batch"), "2026-01-02T00:00:00Z"), "1", "a Friday");
    assert_eq!(price(101, 0, Some("batch"), "2026-02-05T17:00:00Z"), "1", "a Thursday too late");
    assert_eq!(price(101, 0, Some("batch"), "2025-12-25T17:00:00Z"), "1", "a Thursday too early");
}

#[test]
fn the_last_rate_that_holds_wins() {
    let long = json!({"prompt_tokens": {"at_least": 10}});
    let longer = json!({"prompt_tokens": {"at_least": 20}});
    let price = |rates: Value, prompt| {
        let quoted = total(&card_of(rates).expect("well formed"), &Run::chat("words", prompt, 0), &Terms::default()).expect("a price");
        quoted.div_exact(prompt.into()).expect("the same for each").to_string()
    };
    let rising =
        json!([rate("input_tokens", "1"), rate_when("input_tokens", "2", long.clone()), rate_when("input_tokens", "3", longer.clone())]);
    assert_eq!([9, 10, 19, 20].map(|prompt| price(rising.clone(), prompt)), ["1", "2", "2", "3"], "for all tokens of the request");
    let turned = json!([rate("input_tokens", "1"), rate_when("input_tokens", "3", longer), rate_when("input_tokens", "2", long)]);
    assert_eq!([9, 10, 19, 20].map(|prompt| price(turned.clone(), prompt)), ["1", "2", "2", "2"], "the order of the card decides");
}

#[test]
fn an_instant_is_asked_for_only_where_it_decides() {
    let card = card_of(json!([
        rate("input_tokens", "1"),
        rate_when("input_tokens", "2", json!({"weekdays": ["mon"]})),
        rate_when("input_tokens", "3", json!({"tier": "batch"})),
        rate("output_tokens", "7"),
    ]))
    .expect("well formed");
    assert_eq!(input(&card, &Terms::default()), Err(QuoteError::InstantNeeded { model_id: "words".into() }));
    let mut batch = Run::chat("words", 1, 1);
    batch.tier = Some("batch".into());
    assert_eq!(total(&card, &batch, &Terms::default()).map(|t| t.to_string()).as_deref(), Ok("10"), "a later rate holds whatever the day");
    assert_eq!(total(&card, &Run::chat("words", 0, 1), &Terms::default()).map(|t| t.to_string()).as_deref(), Ok("7"));
}

#[test]
fn a_multiple_follows_the_rate_that_holds_at_the_instant() {
    let card = card_of(json!([
        rate("input_tokens", "1"),
        rate_when("input_tokens", "2", json!({"from": "2026-03-01T00:00:00Z"})),
        {"meter": "cache_read_tokens", "times": "0.1", "of": "input_tokens"},
        {"meter": "cache_read_tokens", "times": "0.5", "of": "input_tokens", "when": {"from": "2026-04-01T00:00:00Z"}},
    ]))
    .expect("well formed");
    let mut cached = Run::chat("words", 0, 0);
    cached.usage.set(Meter::CacheReadTokens, 10);
    for (instant, expected) in [("2026-02-28T23:59:59.999Z", "1"), ("2026-03-01T00:00:00Z", "2"), ("2026-04-01T00:00:00Z", "10")] {
        assert_eq!(total(&card, &cached, &at(instant)).map(|t| t.to_string()).as_deref(), Ok(expected), "{instant}");
    }
}

#[test]
fn an_add_on_follows_its_own_conditions() {
    let mut card = support::small::card();
    card["models"][0]["group"] = json!("venice");
    card["models"].as_array_mut().expect("models").push(json!({
        "id": "search", "name": "Search", "kind": "search", "base": {"usage": {"web_searches": 1}},
        "rates": [rate("web_searches", "100"), rate_when("web_searches", "50", json!({"prompt_tokens": {"over": 1000}}))],
    }));
    card["add_ons"] = json!([{"meter": "web_searches", "rates_of": "search"}]);
    let card = RateCard::from_json(&card.to_string()).expect("well formed");
    for (prompt, expected) in [(0, "100"), (1_000, "1100"), (1_001, "1051")] {
        let mut run = Run::chat("words", prompt, 0);
        run.usage.set(Meter::WebSearches, 1);
        assert_eq!(total(&card, &run, &Terms::default()).map(|t| t.to_string()).as_deref(), Ok(expected), "{prompt}");
        let (found, mut bill) = (card.find("words").expect("its model"), aispace_pricing::Bill::new());
        card.bill(found, &run.usage, &mut bill).expect("a price");
        assert_eq!(bill.total().to_string(), expected, "the way without words, {prompt}");
    }
}
