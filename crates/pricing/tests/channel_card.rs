//! The card of channel billing against its published rules. No model's price is public: the prices here are made up, the rules are not.
#![allow(missing_docs)]

use aispace_pricing::{
    Convention, Discount, HoldRule, LineMeter, Meter, Quote, QuoteError, RateCard, Run, Terms, TokenReport, Usage, quote,
};
use aispace_units::Exact;
use serde::Deserialize;
use serde_json::{Value, json};

const CARD: &str = include_str!("../cards/channel.json");
const RULES: &str = include_str!("../../../tests/fixtures/channel_rules.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    cny_per_usd: Exact,
    billed: Vec<String>,
    tokens_per_price: u64,
    pixels_per_megapixel: u64,
    multiples: Vec<Multiple>,
    field_multipliers: Vec<FieldMultiplier>,
    stack: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Multiple {
    item: String,
    multiple_of: Meter,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldMultiplier {
    model: String,
    field: String,
    factor: Exact,
}

fn rules() -> Rules {
    serde_json::from_str(RULES).expect("the fixture is well formed")
}

fn built_in() -> RateCard {
    RateCard::from_json(CARD).expect("the built-in card is well formed")
}

/// The built-in card with models at made-up prices.
fn card(models: &[Value]) -> RateCard {
    let mut card: Value = serde_json::from_str(CARD).expect("json");
    card["models"] = json!(models);
    RateCard::from_json(&card.to_string()).expect("well formed")
}

fn model(id: &str, kind: &str, meter: &str, amount: &str) -> Value {
    let rates = json!([{"meter": meter, "amount": amount, "unit": "usd", "per": "1"}]);
    json!({"id": id, "name": id, "kind": kind, "base": {"usage": {meter: 1}}, "rates": rates})
}

fn words() -> Value {
    json!({
        "id": "words", "name": "Words", "kind": "chat", "base": {"usage": {"input_tokens": 1000}},
        "rates": [
            {"meter": "input_tokens", "amount": "0.003", "unit": "usd", "per": "1k"},
            {"meter": "output_tokens", "amount": "0.015", "unit": "usd", "per": "1k"},
        ],
    })
}

fn exact(number: &str) -> Exact {
    number.parse().expect("a number")
}

fn discounts(channel: &str, user: &str) -> Terms {
    Terms { channel: Discount::Given(exact(channel)), user: Discount::Given(exact(user)), ..Terms::default() }
}

fn priced(card: &RateCard, run: &Run, terms: &Terms) -> Quote {
    quote(card, run, terms).unwrap_or_else(|e| panic!("{run:?}: {e}"))
}

fn usd(card: &RateCard, model_id: &str, meter: Meter, count: u64) -> Exact {
    priced(card, &Run::new(model_id, Usage::new().with(meter, count)), &Terms::default()).total
}

fn meter_of(item: &str) -> Meter {
    match item {
        "Cache Tokens" | "Cache Read Tokens" => Meter::CacheReadTokens,
        "Input Audio Tokens" => Meter::InputAudioTokens,
        "Output Audio Tokens" => Meter::OutputAudioTokens,
        "Input Image Tokens" => Meter::InputImageTokens,
        "Output Image Tokens" => Meter::OutputImageTokens,
        "Cache Write 5M Tokens" => Meter::CacheWrite5mTokens,
        "Cache Write 1H Tokens" => Meter::CacheWrite1hTokens,
        "Inference Tokens" => Meter::ReasoningTokens,
        other => panic!("unknown item {other:?}"),
    }
}

#[test]
fn the_card_holds_the_published_figures_and_no_other() {
    let (card, rules) = (built_in(), rules());
    let file = card.file();
    assert!(file.models.is_empty() && file.add_ons.is_empty() && file.rounding.is_empty(), "no model's price is public");
    assert_eq!((card.unit().code.as_str(), file.hold), ("usd", HoldRule::High));
    let display: Vec<_> = file.display.iter().map(|c| (c.code.as_str(), c.per_usd)).collect();
    assert_eq!(display, [("cny", rules.cny_per_usd)]);
    let (channels, users) = (file.channels.as_ref().expect("channels"), file.users.as_ref().expect("users"));
    assert_eq!(rules.stack, ["Model Price", "Channel Discount", "User Discount"]);
    assert_eq!([&channels.name, &users.name].map(|n| n.to_lowercase()), [1, 2].map(|at| rules.stack[at].to_lowercase()));
    assert_eq!(channels.values.iter().map(|c| c.factor).collect::<Vec<_>>(), [Exact::ONE]);
    assert_eq!(users.values.iter().map(|u| (u.factor, u.recharged_usd_at_least)).collect::<Vec<_>>(), [(Exact::ONE, None)]);

    let [field] = file.fields.as_slice() else { panic!("{} fields", file.fields.len()) };
    let [printed] = rules.field_multipliers.as_slice() else { panic!("{} multipliers", rules.field_multipliers.len()) };
    assert_eq!(field.models, [format!("{}*", printed.model.to_lowercase())]);
    assert_eq!(field.name().to_lowercase().replace('-', " "), printed.field);
    let values: Vec<_> = field.values.iter().map(|(value, factor)| (value.as_str(), *factor)).collect();
    assert_eq!(values, [("priority", printed.factor), ("standard", Exact::ONE)]);
    assert_eq!(field.default, "standard");
    let note = file.note.as_deref().expect("says what is missing");
    assert!(note.contains("Prices and discounts are given in the request or imported"));
}

#[test]
fn every_kind_of_billing_is_count_times_price() {
    let rules = rules();
    let billed = ["Per-Request Billing", "Token-Based Billing", "Per-Second Billing", "Per-Megapixel Billing", "Per-Image Billing"];
    assert_eq!(rules.billed, billed);
    assert_eq!((rules.tokens_per_price, rules.pixels_per_megapixel), (1_000, 1_000_000));
    let card = card(&[
        words(),
        model("per-request", "call", "requests", "0.05"),
        model("per-second", "video", "video_seconds", "0.5"),
        model("per-megapixel", "image", "megapixels", "0.03"),
        model("per-image", "image", "images", "0.04"),
    ]);
    assert_eq!(usd(&card, "per-request", Meter::Requests, 1), exact("0.05"));
    assert_eq!(usd(&card, "words", Meter::InputTokens, rules.tokens_per_price), exact("0.003"));
    assert_eq!(usd(&card, "words", Meter::OutputTokens, rules.tokens_per_price), exact("0.015"));
    let both = priced(&card, &Run::chat("words", 1_234, 567), &Terms::default()).total;
    assert_eq!(both, exact("0.012207"), "1.234 × 0.003 + 0.567 × 0.015");
    assert_eq!(usd(&card, "per-second", Meter::VideoSeconds, 8_000), exact("4"));
    assert_eq!(usd(&card, "per-megapixel", Meter::Megapixels, rules.pixels_per_megapixel), exact("0.03"));
    assert_eq!(usd(&card, "per-megapixel", Meter::Megapixels, 1024 * 768), exact("0.02359296"));
    assert_eq!(usd(&card, "per-image", Meter::Images, 3), exact("0.12"));
}

/// The published way: the total is grown by part × (multiple − 1) and then priced. Ours prices each part by itself.
#[test]
fn a_multiple_comes_to_what_the_published_formula_says() {
    let rules = rules();
    assert_eq!(rules.multiples.len(), 9);
    for printed in &rules.multiples {
        let meter = meter_of(&printed.item);
        assert_eq!(meter.parent(), Some(printed.multiple_of), "{}", printed.item);
        for (multiple, part) in [("0.1", 400u32), ("1.25", 1), ("2", 1_000), ("12.5", 999), ("1", 7), ("0", 400)] {
            let mut words = words();
            let rate = json!({"meter": meter, "times": multiple, "of": printed.multiple_of});
            words["rates"].as_array_mut().expect("rates").push(rate);
            let card = card(&[words]);
            let (total, price) = (Exact::from(1_000u32), if printed.multiple_of == Meter::InputTokens { "0.003" } else { "0.015" });
            // T + s × (m − 1), with the 1 taken off last because nothing here is below zero.
            let grown = exact(multiple).mul(part.into()).and_then(|more| total.add(more)?.sub(part.into()));
            let expected = grown.and_then(|tokens| tokens.mul(exact(price))?.shift_right(3)).expect("small");

            let input = printed.multiple_of == Meter::InputTokens;
            let mut report =
                TokenReport { input: if input { 1_000 } else { 0 }, output: if input { 0 } else { 1_000 }, ..Default::default() };
            *part_of(&mut report, meter) = part.into();
            let usage = report.usage(Convention::Inclusive).expect("a part");
            let quoted = priced(&card, &Run::new("words", usage), &Terms::default());
            assert_eq!(quoted.total, expected, "{} × {multiple}, {part} of 1000", printed.item);

            // Where the total does not contain its parts, they are added to it first.
            *part_of(&mut report, printed.multiple_of) -= u64::from(part);
            let usage = report.usage(Convention::Exclusive).expect("counts");
            assert_eq!(priced(&card, &Run::new("words", usage), &Terms::default()).total, expected, "{}", printed.item);
        }
    }
}

fn part_of(report: &mut TokenReport, meter: Meter) -> &mut u64 {
    match meter {
        Meter::InputTokens => &mut report.input,
        Meter::OutputTokens => &mut report.output,
        Meter::CacheReadTokens => &mut report.cache_read,
        Meter::CacheWrite5mTokens => &mut report.cache_write_5m,
        Meter::CacheWrite1hTokens => &mut report.cache_write_1h,
        Meter::InputAudioTokens => &mut report.input_audio,
        Meter::InputImageTokens => &mut report.input_image,
        Meter::OutputAudioTokens => &mut report.output_audio,
        Meter::OutputImageTokens => &mut report.output_image,
        Meter::ReasoningTokens => &mut report.reasoning,
        other => panic!("{other} is not of a token report"),
    }
}

#[test]
fn the_final_price_is_price_times_channel_times_user_and_is_shown_in_yuan() {
    let card = card(&[words(), model("per-request", "call", "requests", "0.05")]);
    let quoted = priced(&card, &Run::new("per-request", Usage::new().with(Meter::Requests, 1)).times(3), &discounts("0.8", "0.95"));
    assert_eq!(quoted.total, exact("0.114"), "0.05 × 0.8 × 0.95, three times");
    assert_eq!((quoted.usd, quoted.display.as_slice()), (Some(exact("0.114")), [("cny".to_owned(), exact("0.8322"))].as_slice()));
    let steps: Vec<(&str, String, String, &str)> =
        quoted.lines.iter().map(|l| (l.meter.as_str(), l.rate.to_string(), l.amount.to_string(), l.rule.as_str())).collect();
    let step = |meter, rate: &str, amount: &str, rule| (meter, rate.to_owned(), amount.to_owned(), rule);
    assert_eq!(
        steps,
        [
            step("requests", "0.05", "0.05", "per-request, each"),
            step("channel", "0.8", "0.04", "Channel discount: given"),
            step("user", "0.95", "0.038", "User discount: given"),
            step("runs", "0.038", "0.114", "each run costs the same"),
            step("display", "7.3", "0.8322", "7.3 cny for 1 USD"),
        ]
    );
    // A price far finer than a cent is still shown exactly.
    let fine = priced(&card, &Run::chat("words", 1, 1), &discounts("0.123456789", "0.987654321"));
    let cny = fine.total.mul(rules().cny_per_usd).expect("small");
    assert_eq!(fine.total, exact("0.000002194787360027434842"), "0.000018 × 0.123456789 × 0.987654321");
    assert_eq!(fine.display, [("cny".to_owned(), cny)]);
}

#[test]
fn a_discount_that_is_not_given_is_one() {
    let card = card(&[words()]);
    let own = priced(&card, &Run::chat("words", 1_000, 0), &Terms::default());
    assert_eq!(own.total, exact("0.003"));
    assert_eq!(own.display, [("cny".to_owned(), exact("0.0219"))]);
    for (terms, parameter) in [
        (Terms { channel: Discount::Named("vip".into()), ..Terms::default() }, "channel"),
        (Terms { user: Discount::Named("vip".into()), ..Terms::default() }, "user"),
    ] {
        let refused = quote(&card, &Run::chat("words", 1, 0), &terms);
        assert!(matches!(&refused, Err(QuoteError::Impossible { parameter: p, .. }) if p == parameter), "{refused:?}");
    }
}

#[test]
fn priority_pay_go_makes_a_veo_request_dearer_and_no_other() {
    let card = card(&[model("veo3-fast", "video", "video_seconds", "0.1"), model("wan-2.6", "video", "video_seconds", "0.1")]);
    let run = |id: &str, pay_go: Option<&str>| {
        let mut run = Run::new(id, Usage::new().with(Meter::VideoSeconds, 8_000));
        run.fields.extend(pay_go.map(|value| ("pay_go".to_owned(), value.to_owned())));
        run
    };
    let factor = rules().field_multipliers.first().map(|f| f.factor).expect("one");
    let standard = priced(&card, &run("veo3-fast", None), &Terms::default()).total;
    assert_eq!((standard, factor), (exact("0.8"), exact("1.8")));
    assert_eq!(priced(&card, &run("veo3-fast", Some("standard")), &Terms::default()).total, standard);
    assert_eq!(Ok(priced(&card, &run("veo3-fast", Some("priority")), &Terms::default()).total), standard.mul(factor));
    let quoted = priced(&card, &run("veo3-fast", Some("priority")), &discounts("0.5", "0.9"));
    assert_eq!(quoted.total, exact("0.648"), "0.8 × 1.8 × 0.5 × 0.9");
    let order: Vec<&LineMeter> = quoted.lines.iter().map(|l| &l.meter).collect();
    let words: Vec<&str> = order.iter().map(|m| m.as_str()).collect();
    assert_eq!(words, ["video_seconds", "field", "channel", "user", "display"]);

    assert_eq!(priced(&card, &run("wan-2.6", None), &Terms::default()).total, exact("0.8"));
    let refused = |run: &Run| quote(&card, run, &Terms::default()).expect_err("refused");
    let impossible = |model: &str, parameter: &str, given: &str, allowed: &[&str]| QuoteError::Impossible {
        model_id: model.into(),
        parameter: parameter.into(),
        given: given.into(),
        allowed: allowed.iter().map(|a| (*a).to_owned()).collect(),
    };
    assert_eq!(refused(&run("wan-2.6", Some("priority"))), impossible("wan-2.6", "field", "pay_go", &[]));
    assert_eq!(refused(&run("veo3-fast", Some("turbo"))), impossible("veo3-fast", "pay_go", "turbo", &["priority", "standard"]));
}

#[test]
fn a_model_that_nobody_gave_a_price_is_refused() {
    let refused = quote(&built_in(), &Run::chat("gpt-4o", 1, 1), &Terms::default());
    assert_eq!(refused, Err(QuoteError::UnknownModel { model_id: "gpt-4o".into(), nearest: Vec::new() }));
}
