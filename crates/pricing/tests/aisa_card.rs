//! The AIsa card against the sample figures that are public, kept in a fixture that was read from their text and not from the card.
#![allow(missing_docs)]

use aispace_pricing::{Discount, HoldRule, Kind, LineRole, Meter, Price, QuoteError, RateCard, RateUnit, Run, Terms, Usage, quote};
use aispace_units::Exact;
use serde::Deserialize;
use std::collections::BTreeSet;

const CARD: &str = include_str!("../cards/aisa.json");
const PRINTED: &str = include_str!("../../../tests/fixtures/aisa_rates.json");
const SAMPLE: &str = "per-call-format-sample";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    updated: String,
    tokens: Vec<TokenRow>,
    media: Vec<MediaRow>,
    per_call_format_usd: Exact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRow {
    id: String,
    input_usd_per_million: Exact,
    output_usd_per_million: Exact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaRow {
    id: String,
    usd: Exact,
    per: String,
}

impl MediaRow {
    fn meter(&self) -> (Kind, Meter) {
        match self.per.as_str() {
            "image" => (Kind::Image, Meter::Images),
            "video" => (Kind::Video, Meter::Generations),
            other => panic!("unknown unit {other:?}"),
        }
    }
}

fn printed() -> Printed {
    serde_json::from_str(PRINTED).expect("the fixture is well formed")
}

fn card() -> RateCard {
    RateCard::from_json(CARD).expect("the built-in card is well formed")
}

fn exact(number: &str) -> Exact {
    number.parse().expect("a number")
}

fn usd(card: &RateCard, model_id: &str, meter: Meter, count: u64) -> Exact {
    let run = Run::new(model_id, Usage::new().with(meter, count));
    let quoted = quote(card, &run, &Terms::default()).unwrap_or_else(|e| panic!("{run:?}: {e}"));
    assert_eq!(quoted.usd, Some(quoted.total), "the unit of account is the dollar");
    quoted.total
}

#[test]
fn every_token_row_is_in_the_card_and_quotes_to_its_figures() {
    let (card, printed) = (card(), printed());
    assert_eq!(printed.tokens.len(), 5);
    for row in &printed.tokens {
        let model = card.model(&row.id).expect("listed");
        assert_eq!((model.id.as_str(), model.kind), (row.id.as_str(), Kind::Chat));
        assert_eq!(usd(&card, &row.id, Meter::InputTokens, 1_000_000), row.input_usd_per_million, "{}", row.id);
        assert_eq!(usd(&card, &row.id, Meter::OutputTokens, 1_000_000), row.output_usd_per_million, "{}", row.id);
        // The published formula: in/1M × price + out/1M × price.
        let both = quote(&card, &Run::chat(&row.id, 3_000_000, 2_000_000), &Terms::default()).expect("priced").total;
        let formula = row.input_usd_per_million.mul(3u32.into()).and_then(|i| i.add(row.output_usd_per_million.mul(2u32.into())?));
        assert_eq!(Ok(both), formula, "{}", row.id);
    }
    assert_eq!(card.date().to_string(), printed.updated);
    assert!(card.unit().is_usd());
}

#[test]
fn every_media_row_and_the_sample_of_a_call_quote_to_their_figures() {
    let (card, printed) = (card(), printed());
    assert_eq!(printed.media.len(), 3);
    for row in &printed.media {
        let (kind, meter) = row.meter();
        assert_eq!(card.model(&row.id).expect("listed").kind, kind);
        assert_eq!(usd(&card, &row.id, meter, 1), row.usd, "{}", row.id);
        assert_eq!(Ok(usd(&card, &row.id, meter, 7)), row.usd.mul(7u32.into()), "{}", row.id);
    }
    assert_eq!(usd(&card, SAMPLE, Meter::Calls, 1), printed.per_call_format_usd);
    assert_eq!(usd(&card, SAMPLE, Meter::Calls, 1_000).to_string(), "20");
    let sample = card.model(SAMPLE).expect("listed");
    assert_eq!(sample.kind, Kind::Call);
    assert!(sample.name.contains("sample") && sample.note.as_deref().is_some_and(|n| n.contains("sample")), "nobody takes it for a price");
}

#[test]
fn the_card_holds_no_price_that_is_not_public() {
    let (card, printed) = (card(), printed());
    let mut expected = BTreeSet::new();
    for row in &printed.tokens {
        expected.insert((row.id.clone(), Meter::InputTokens, row.input_usd_per_million, "1M"));
        expected.insert((row.id.clone(), Meter::OutputTokens, row.output_usd_per_million, "1M"));
    }
    expected.extend(printed.media.iter().map(|row| (row.id.clone(), row.meter().1, row.usd, "1")));
    expected.insert((SAMPLE.to_owned(), Meter::Calls, printed.per_call_format_usd, "1"));
    let mut held = BTreeSet::new();
    for model in card.models() {
        for rate in &model.rates {
            let Price::Amount { amount, unit, per } = rate.price else { panic!("{} has a multiple", model.id) };
            assert_eq!((unit, rate.included, &rate.when), (RateUnit::Usd, 0, &None), "{}", model.id);
            assert!(held.insert((model.id.clone(), rate.meter, amount, per.as_str())), "{} twice", model.id);
        }
    }
    assert_eq!(held, expected);
    assert_eq!(held.len(), 5 * 2 + 3 + 1);
    let file = card.file();
    assert!(file.add_ons.is_empty() && file.rounding.is_empty() && file.fields.is_empty() && file.users.is_none());
    assert_eq!(file.hold, HoldRule::High);
    let groups = file.channels.as_ref().expect("groups");
    let factors: Vec<Exact> = groups.values.iter().map(|c| c.factor).collect();
    assert_eq!((groups.name.as_str(), factors.as_slice()), ("Group ratio", [Exact::ONE].as_slice()));
    let note = file.note.as_deref().expect("says what is missing");
    assert!(note.contains("No group ratios are public") && note.contains("not stated"));
}

#[test]
fn a_group_ratio_that_is_given_is_a_line_of_its_own() {
    let card = card();
    let terms = Terms { channel: Discount::Given(exact("0.7")), ..Terms::default() };
    let quoted = quote(&card, &Run::chat("gpt-4.1", 1_000_000, 0), &terms).expect("priced");
    assert_eq!(quoted.total, exact("0.98"));
    let factor = quoted.lines.iter().find(|l| l.role == LineRole::Factor).expect("a line");
    assert_eq!((factor.rule.as_str(), factor.rate, factor.amount), ("Group ratio: given", exact("0.7"), exact("0.98")));
    let own = quote(&card, &Run::chat("gpt-4.1", 1_000_000, 0), &Terms::default()).expect("priced");
    let factor = own.lines.iter().find(|l| l.role == LineRole::Factor).expect("a line");
    assert_eq!((factor.rate, own.total), (Exact::ONE, exact("1.4")), "no ratio is public");
    let unknown = Terms { channel: Discount::Named("vip".into()), ..Terms::default() };
    let refused = quote(&card, &Run::chat("gpt-4.1", 1, 0), &unknown);
    assert!(matches!(&refused, Err(QuoteError::Impossible { parameter, .. }) if parameter == "channel"), "{refused:?}");
}

/// A step is 1/500,000 of a dollar.
#[test]
fn a_cost_is_posted_in_whole_steps_half_up_and_at_least_one() {
    let card = card();
    let posted = |model: &str, meter: Meter, count: u64, group: &str| {
        let terms = Terms { channel: Discount::Given(exact(group)), ..Terms::default() };
        let quoted = quote(&card, &Run::new(model, Usage::new().with(meter, count)), &terms).expect("priced");
        quoted.posted().expect("small").to_string()
    };
    assert_eq!(Exact::ONE.div_exact(exact("0.000002")), Some(Exact::from(500_000u32)));
    for (tokens, group, expected) in [
        (1, "1", "0.000002"),  // 1.4 millionths are 0.7 of a step
        (2, "1", "0.000002"),  // 1.4 steps
        (5, "1", "0.000008"),  // 3.5 steps
        (15, "1", "0.000022"), // 10.5 steps, where half to even would stay at 10
        (10, "1", "0.000014"), // 7 steps
        (10, "0", "0"),        // nothing stays nothing
    ] {
        assert_eq!(posted("gpt-4.1", Meter::InputTokens, tokens, group), expected, "{tokens} at {group}");
    }
    assert_eq!(posted("deepseek-v3.2", Meter::InputTokens, 1, "1"), "0.000002", "a tenth of a step is one");
    assert_eq!(posted("wan2.7-i2v", Meter::Generations, 1, "1"), "1.836");
    assert_eq!(posted(SAMPLE, Meter::Calls, 1, "1"), "0.02");
}

#[test]
fn what_is_not_public_has_no_price() {
    let card = card();
    for (model, meter) in [("gpt-4.1", Meter::WebSearches), ("wan2.7-i2v", Meter::VideoSeconds), (SAMPLE, Meter::Requests)] {
        let refused = quote(&card, &Run::new(model, Usage::new().with(meter, 1_000)), &Terms::default());
        assert!(matches!(&refused, Err(QuoteError::NoRate { meter: m, .. }) if *m == meter), "{model} {meter}: {refused:?}");
    }
    assert_eq!(usd(&card, "gpt-4.1", Meter::CacheReadTokens, 1_000_000), exact("1.4"), "no cache ratio is public: billed as input");
}
