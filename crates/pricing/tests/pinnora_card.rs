//! The Pinnora card against the figures of its token table, kept in a fixture that was read from the table and not from the card.
#![allow(missing_docs)]

use aispace_pricing::{Extra, HoldRule, Kind, Meter, Price, QuoteError, RateCard, RateUnit, Run, Terms, Usage, quote, total};
use aispace_units::Exact;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CARD: &str = include_str!("../cards/pinnora.json");
const PRINTED: &str = include_str!("../../../tests/fixtures/pinnora_rates.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    updated: String,
    usd_per_credit: Exact,
    tokens: Vec<TokenRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRow {
    id: String,
    input_per_10k: Exact,
    output_per_10k: Exact,
    read_per_10k: Option<Exact>,
}

fn printed() -> Printed {
    serde_json::from_str(PRINTED).expect("the fixture is well formed")
}

fn card() -> RateCard {
    RateCard::from_json(CARD).expect("the built-in card is well formed")
}

fn credits(card: &RateCard, model_id: &str, meter: Meter, count: u64) -> Exact {
    let run = Run::new(model_id, Usage::new().with(meter, count));
    quote(card, &run, &Terms::default()).unwrap_or_else(|e| panic!("{run:?}: {e}")).total
}

fn exact(number: &str) -> Exact {
    number.parse().expect("a number")
}

#[test]
fn every_row_is_in_the_card_and_quotes_to_its_figures() {
    let (card, printed) = (card(), printed());
    assert_eq!(printed.tokens.len(), 22);
    for row in &printed.tokens {
        let model = card.model(&row.id).expect("listed");
        assert_eq!((model.id.as_str(), model.printed_name(), model.kind), (row.id.as_str(), row.id.as_str(), Kind::Chat));
        assert_eq!(credits(&card, &row.id, Meter::InputTokens, 10_000), row.input_per_10k, "{}", row.id);
        assert_eq!(credits(&card, &row.id, Meter::OutputTokens, 10_000), row.output_per_10k, "{}", row.id);
        let read = row.read_per_10k.unwrap_or(row.input_per_10k);
        assert_eq!(credits(&card, &row.id, Meter::CacheReadTokens, 10_000), read, "{}: a dash is billed as input", row.id);
        // The table says of itself that it holds prices per million, divided by a hundred.
        let million = row.input_per_10k.mul(Exact::from(100u32)).expect("small");
        assert_eq!(credits(&card, &row.id, Meter::InputTokens, 1_000_000), million, "{}", row.id);
    }
    assert_eq!(printed.tokens.iter().filter(|r| r.read_per_10k.is_some()).count(), 8);
    assert_eq!(card.date().to_string(), printed.updated);
    assert_eq!((card.unit().code.as_str(), card.unit().per_usd, printed.usd_per_credit), ("pinnora", Exact::ONE, Exact::ONE));
}

#[test]
fn the_card_holds_no_price_that_is_not_printed() {
    let (card, printed) = (card(), printed());
    let mut expected = BTreeSet::new();
    for row in &printed.tokens {
        let rows = [
            (Meter::InputTokens, Some(row.input_per_10k)),
            (Meter::OutputTokens, Some(row.output_per_10k)),
            (Meter::CacheReadTokens, row.read_per_10k),
        ];
        expected.extend(rows.into_iter().filter_map(|(meter, amount)| Some((row.id.clone(), meter, amount?))));
    }
    let mut held = BTreeSet::new();
    for model in card.models() {
        for rate in &model.rates {
            let Price::Amount { amount, unit, per } = rate.price else { panic!("{} has a multiple", model.id) };
            assert_eq!((unit, per.as_str(), rate.included, &rate.when), (RateUnit::Credits, "10k", 0, &None), "{}", model.id);
            assert!(held.insert((model.id.clone(), rate.meter, amount)), "{} twice", model.id);
        }
    }
    assert_eq!(held, expected);
    assert_eq!(held.len(), 22 + 22 + 8);
    let file = card.file();
    assert!(file.add_ons.is_empty() && file.rounding.is_empty() && file.fields.is_empty());
    assert!(file.channels.is_none() && file.users.is_none() && file.display.is_empty());
}

#[test]
fn ten_thousand_tokens_of_o3_pro_are_half_a_credit() {
    let card = card();
    for name in ["openai/o3-pro", "o3-pro", "O3-Pro"] {
        let quoted = quote(&card, &Run::chat(name, 10_000, 0), &Terms::default()).expect("priced");
        assert_eq!((quoted.total, quoted.usd), (exact("0.5"), Some(exact("0.5"))), "{name}: a credit is a dollar");
        assert_eq!(quoted.model_id, "openai/o3-pro");
        let line = quoted.lines.first().expect("a line");
        assert_eq!((line.quantity, line.rate, line.denominator.count()), (Exact::from(10_000u32), exact("0.5"), 10_000));
    }
    assert_eq!(total(&card, &Run::chat("o3-pro", 10_000, 10_000), &Terms::default()), Ok(exact("2.5")));
}

#[test]
fn repeated_context_is_cheaper_only_where_the_table_says_so() {
    let card = card();
    let with_read = |id: &str| {
        let usage = Usage::new().with(Meter::InputTokens, 6_000).with(Meter::CacheReadTokens, 4_000);
        total(&card, &Run::new(id, usage), &Terms::default()).expect("priced")
    };
    assert_eq!(with_read("openai/o3-pro"), exact("0.5"));
    assert_eq!(with_read("xai/grok-3-fast"), exact("0.0875"), "0.6 × 0.125 + 0.4 × 0.03125");
}

#[test]
fn a_settled_cost_is_what_was_metered() {
    let card = card();
    for model in card.models() {
        let usage: Usage = [(Meter::InputTokens, 1), (Meter::CacheReadTokens, 7), (Meter::OutputTokens, 3)].into_iter().collect();
        let quoted = quote(&card, &Run::new(&model.id, usage), &Terms::default()).expect("priced");
        assert_eq!(quoted.posted(), Ok(quoted.total), "{}: nine decimals hold it", model.id);
    }
    assert_eq!(card.file().hold, HoldRule::Likely, "the settled cost may be above the hold");
    let reported = Extra { name: "Deep research step".into(), amount: exact("0.25") };
    let run = Run { extras: vec![reported], ..Run::chat("o3-pro", 10_000, 0) };
    assert_eq!(total(&card, &run, &Terms::default()), Ok(exact("0.75")), "a line of the run's report");
}

#[test]
fn what_is_not_public_has_no_price() {
    let card = card();
    for meter in [Meter::ToolCalls, Meter::WebSearches, Meter::Images, Meter::Megapixels, Meter::VideoSeconds, Meter::Requests] {
        let usage = Usage::new().with(Meter::InputTokens, 10).with(meter, 1);
        let refused = quote(&card, &Run::new("o3-pro", usage), &Terms::default());
        assert!(matches!(&refused, Err(QuoteError::NoRate { meter: m, .. }) if *m == meter), "{meter}: {refused:?}");
    }
    let note = card.file().note.as_deref().expect("says what is missing");
    for word in ["images", "video", "tool fees", "hold"] {
        assert!(note.contains(word), "{word}");
    }
}

/// The prices are made up; the shapes are those of the tables that are not public.
#[test]
fn the_tables_that_are_not_public_fit_the_card() {
    let mut card: Value = serde_json::from_str(CARD).expect("json");
    let model = |id: &str, kind: &str, base: Value, rates: Value| json!({"id": id, "name": id, "kind": kind, "base": {"usage": base}, "rates": rates});
    let rate = |meter: &str, amount: &str| json!({"meter": meter, "amount": amount, "unit": "credits", "per": "1"});
    card["add_ons"] = json!([{"meter": "tool_calls", "rates_of": "tool-line"}]);
    card["models"].as_array_mut().expect("models").extend([
        model("per-image", "image", json!({"images": 1}), json!([rate("images", "0.1")])),
        model("per-megapixel", "image", json!({"megapixels": "1.048576"}), json!([rate("megapixels", "0.125")])),
        model("per-second", "video", json!({"video_seconds": 5}), json!([rate("video_seconds", "0.375")])),
        model("flat-tool", "call", json!({"requests": 1}), json!([rate("requests", "2")])),
        model("tool-line", "call", json!({"tool_calls": 1}), json!([rate("tool_calls", "0.01")])),
    ]);
    let card = RateCard::from_json(&card.to_string()).expect("well formed");
    assert_eq!(credits(&card, "per-image", Meter::Images, 3), exact("0.3"));
    assert_eq!(credits(&card, "per-megapixel", Meter::Megapixels, 1024 * 1024), exact("0.131072"));
    assert_eq!(credits(&card, "per-second", Meter::VideoSeconds, 6_500), exact("2.4375"));
    assert_eq!(credits(&card, "flat-tool", Meter::Requests, 1), exact("2"));
    let with_tools = Usage::new().with(Meter::InputTokens, 10_000).with(Meter::ToolCalls, 4);
    assert_eq!(total(&card, &Run::new("o3-pro", with_tools), &Terms::default()), Ok(exact("0.54")));
}
