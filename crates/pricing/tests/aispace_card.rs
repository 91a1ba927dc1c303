//! The AiSpace card against the figures of its price list, kept in a fixture that was read from the list and not from the card.
#![allow(missing_docs)]

use aispace_pricing::{
    AudioRule, Denominator, Evidence, HoldRule, Kind, LineMeter, Meter, Model, Price, Pricing, Quote, QuoteError, RateCard, RateUnit, Run,
    Switch, Terms, Usage, choices, quote,
};
use aispace_units::Exact;
use serde::Deserialize;
use std::collections::BTreeSet;

const PRINTED: &str = include_str!("../../../tests/fixtures/aispace_rates.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    credits_per_usd: Exact,
    chat: Vec<TokenRow>,
    beta_chat: Vec<TokenRow>,
    image: Vec<ImageRow>,
    audio: Vec<AudioRow>,
    video: Vec<VideoRow>,
    search: Vec<SearchRow>,
    venice_models: BTreeSet<String>,
    embedding: Vec<TokenRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRow {
    name: String,
    id: String,
    input_per_million: Exact,
    output_per_million: Exact,
    capabilities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageRow {
    name: String,
    credits: Exact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AudioRow {
    name: String,
    id: String,
    per_million_characters: Exact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VideoRow {
    name: String,
    id: String,
    pricing: Pricing,
    credits: Exact,
    resolutions: Vec<String>,
    seconds: u32,
    audio: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchRow {
    name: String,
    venice_per_1k: Exact,
    other_per_1k: Exact,
}

fn printed() -> Printed {
    serde_json::from_str(PRINTED).expect("the fixture is well formed")
}

fn card() -> RateCard {
    RateCard::aispace().expect("the built-in card is well formed")
}

fn quoted(card: &RateCard, run: &Run) -> Quote {
    quote(card, run, &Terms::default()).unwrap_or_else(|e| panic!("{run:?}: {e}"))
}

fn credits(card: &RateCard, run: &Run) -> Exact {
    quoted(card, run).total
}

fn used(model_id: &str, meter: Meter, count: u64) -> Run {
    Run::new(model_id, Usage::new().with(meter, count))
}

fn rate_per_million(model: &Model, meter: Meter) -> Exact {
    let rates: Vec<_> = model.rates.iter().filter(|r| r.meter == meter).collect();
    let [rate] = rates.as_slice() else { panic!("{} has {} rates for {meter}", model.id, rates.len()) };
    let Price::Amount { amount, unit, per } = rate.price else { panic!("{} has a multiple for {meter}", model.id) };
    assert_eq!((unit, per, rate.included, &rate.when), (RateUnit::Credits, Denominator::MILLION, 0, &None), "{}", model.id);
    amount
}

#[test]
fn every_chat_row_is_in_the_card_and_quotes_to_its_figures() {
    let (card, printed) = (card(), printed());
    assert_eq!((printed.chat.len(), printed.beta_chat.len()), (10, 5));
    for (row, beta) in printed.chat.iter().map(|r| (r, false)).chain(printed.beta_chat.iter().map(|r| (r, true))) {
        let model = card.model(&row.id).expect("listed");
        assert_eq!(model.kind, Kind::Chat);
        assert_eq!(model.printed_name(), row.name);
        assert_eq!(rate_per_million(model, Meter::InputTokens), row.input_per_million, "{}", row.id);
        assert_eq!(rate_per_million(model, Meter::OutputTokens), row.output_per_million, "{}", row.id);
        assert_eq!(credits(&card, &Run::chat(&row.id, 1_000_000, 0)), row.input_per_million, "{}", row.id);
        assert_eq!(credits(&card, &Run::chat(&row.id, 0, 1_000_000)), row.output_per_million, "{}", row.id);
        let mut words: Vec<String> = model.capabilities().iter().map(ToString::to_string).collect();
        words.retain(|w| w != "beta");
        assert_eq!(words, row.capabilities, "{}", row.id);
        assert_eq!(model.capabilities().len() > words.len(), beta, "{}", row.id);
    }
}

#[test]
fn every_image_audio_and_embedding_row_is_in_the_card_and_quotes_to_its_figures() {
    let (card, printed) = (card(), printed());
    assert_eq!((printed.image.len(), printed.audio.len(), printed.embedding.len()), (4, 1, 1));
    for row in &printed.image {
        let model = card.models().iter().find(|m| m.kind == Kind::Image && m.printed_name() == row.name).expect("listed");
        assert_eq!(credits(&card, &used(&model.id, Meter::Images, 1)), row.credits, "{}", row.name);
    }
    for row in &printed.audio {
        let model = card.model(&row.id).expect("listed");
        assert_eq!(model.printed_name(), row.name);
        assert_eq!(credits(&card, &used(&row.id, Meter::Characters, 1_000_000)), row.per_million_characters);
    }
    for row in &printed.embedding {
        let model = card.model(&row.id).expect("listed");
        assert_eq!(model.printed_name(), row.name);
        assert_eq!(credits(&card, &used(&row.id, Meter::InputTokens, 1_000_000)), row.input_per_million);
        assert_eq!(rate_per_million(model, Meter::OutputTokens), row.output_per_million, "kept though an embedding has no output");
        assert!(row.capabilities.is_empty());
    }
}

#[test]
fn every_video_row_is_in_the_card_and_quotes_to_its_figure() {
    let (card, printed) = (card(), printed());
    assert_eq!(printed.video.len(), 31);
    for row in &printed.video {
        let model = card.model(&row.id).expect("listed");
        let rules = model.video.as_ref().expect("a video model");
        assert_eq!(model.printed_name(), row.name);
        assert_eq!(rules.pricing, row.pricing, "{}", row.id);
        let printed = rules.printed.as_ref().expect("a printed clip");
        assert_eq!((printed.credits, printed.seconds, printed.audio), (row.credits, row.seconds, row.audio), "{}", row.id);
        assert_eq!(printed.resolutions, row.resolutions, "{}", row.id);
        let resolutions = if row.resolutions.is_empty() { vec![None] } else { row.resolutions.iter().map(|r| Some(r.as_str())).collect() };
        for resolution in resolutions {
            let run = Run::clip(&row.id, row.seconds, resolution, Some(row.audio));
            let quoted = quoted(&card, &run);
            assert_eq!(quoted.total, row.credits, "{run:?}");
            assert_eq!(quoted.evidence, Evidence::RateCard, "{run:?}");
        }
        let base = quoted(&card, &Run::base(model));
        assert_eq!((base.total, base.evidence), (row.credits, Evidence::RateCard), "{}", row.id);
    }
}

#[test]
fn search_and_scraping_cost_what_the_family_of_the_model_says() {
    let (card, printed) = (card(), printed());
    assert_eq!((printed.search.len(), printed.venice_models.len()), (2, 4));
    for row in &printed.search {
        let meter = if row.name == "Web Scraping" { Meter::WebScrapes } else { Meter::WebSearches };
        for model in card.models().iter().filter(|m| m.kind == Kind::Chat) {
            let expected = if printed.venice_models.contains(&model.id) { row.venice_per_1k } else { row.other_per_1k };
            assert_eq!(credits(&card, &used(&model.id, meter, 1_000)), expected, "{} {}", row.name, model.id);
        }
        let id = row.name.to_lowercase().replace(' ', "-");
        for (id, expected) in [(format!("{id}-venice"), row.venice_per_1k), (id, row.other_per_1k)] {
            assert_eq!(credits(&card, &used(&id, meter, 1_000)), expected, "{id}");
            assert!(card.model(&id).expect("listed").printed_name().starts_with(&row.name));
        }
    }
    assert!(printed.venice_models.iter().all(|id| card.model(id).expect("listed").group.as_deref() == Some("venice")));
}

#[test]
fn the_card_holds_nothing_that_is_not_printed() {
    let (card, printed) = (card(), printed());
    let rows = printed.chat.len()
        + printed.beta_chat.len()
        + printed.image.len()
        + printed.audio.len()
        + printed.video.len()
        + printed.embedding.len();
    assert_eq!(card.models().len(), rows + 2 * printed.search.len());
    assert_eq!((card.unit().code.as_str(), card.unit().per_usd), ("aispace", printed.credits_per_usd));
    assert_eq!(card.file().hold, HoldRule::High, "no other is published");
    assert!(card.file().channels.is_none() && card.file().users.is_none() && card.file().fields.is_empty());
    for model in card.models() {
        let meters: Vec<Meter> = model.rates.iter().map(|r| r.meter).collect();
        let expected: &[Meter] = match model.kind {
            Kind::Chat | Kind::Embedding => &[Meter::InputTokens, Meter::OutputTokens],
            Kind::Image => &[Meter::Images],
            Kind::Audio => &[Meter::Characters],
            Kind::Search if model.id.starts_with("web-search") => &[Meter::WebSearches],
            Kind::Search => &[Meter::WebScrapes],
            Kind::Video | Kind::Call => continue,
        };
        assert_eq!(meters, expected, "{}", model.id);
        assert!(model.rates.iter().all(|r| r.when.is_none() && r.included == 0 && r.source.is_none()), "{}", model.id);
    }
}

#[test]
fn a_clip_has_its_printed_price_or_a_rate_that_names_its_source() {
    for model in card().models().iter().filter(|m| m.kind == Kind::Video) {
        let rules = model.video.as_ref().expect("a video model");
        for rate in &model.rates {
            let Price::Amount { amount, unit, per } = rate.price else { panic!("{} has a multiple", model.id) };
            match rules.pricing {
                Pricing::Fixed => {
                    let printed = rules.printed.as_ref().map(|p| p.credits);
                    assert_eq!((rate.meter, unit, per), (Meter::Generations, RateUnit::Credits, Denominator::ONE), "{}", model.id);
                    assert_eq!((Some(amount), model.rates.len()), (printed, 1), "{}", model.id);
                }
                Pricing::Dynamic => {
                    assert_eq!((rate.meter, unit, per), (Meter::VideoSeconds, RateUnit::Usd, Denominator::ONE), "{}", model.id);
                    assert!(rate.source.is_some(), "{}", model.id);
                }
            }
        }
    }
}

#[test]
fn the_sentences_of_the_price_list_hold() {
    let card = card();
    assert_eq!(credits(&card, &Run::chat("qwen3-4b", 500, 200)).to_string(), "0.55");
    let sora = Run::clip("sora-2-text-to-video", 4, Some("720p"), Some(true));
    assert_eq!(credits(&card, &sora).to_string(), "4400");
    assert_eq!(card.model("sora-2-text-to-video").expect("kept").retired.map(|d| d.to_string()).as_deref(), Some("2026-09-24"));
}

/// Counts that 10,000 credits buy, by the rates: where the price list's own examples disagree, the rates win.
#[test]
fn ten_thousand_credits_buy_what_the_rates_say() {
    let card = card();
    let budget = Exact::from(10_000u32);
    let whole = |model: &str, input: u64, output: u64| {
        budget.div_whole(credits(&card, &Run::chat(model, input, output))).map(|(times, _left)| times)
    };
    assert_eq!(whole("qwen3-235b", 500, 200), Ok(1_081));
    assert_eq!(whole("mistral-31-24b", 500, 200), Ok(1_538));
    assert_eq!(whole("venice-uncensored", 500, 200), Ok(3_571));
    assert_eq!(whole("qwen3-4b", 1_000, 500), Ok(8_000));
    assert_eq!(whole("qwen3-4b", 200, 100), Ok(40_000));
    assert_eq!(whole("qwen3-4b", 500, 200), Ok(18_181));
    let mix = |images: u64, messages: u32, model: &str| {
        let chat = credits(&card, &Run::chat(model, 500, 200).times(messages));
        chat.add(credits(&card, &used("image-generation", Meter::Images, images))).expect("small")
    };
    assert!(mix(50, 9_000, "qwen3-4b") <= budget && mix(10, 16_000, "qwen3-4b") <= budget);
    assert!(mix(25, 4_500, "mistral-31-24b") > budget && mix(100, 1_800, "qwen3-235b") > budget);
}

#[test]
fn an_explanation_names_every_step() {
    let quoted = quoted(&card(), &Run::clip("sora-2-text-to-video", 8, None, None).times(3));
    let steps: Vec<(&str, String, String, &str, String)> = quoted
        .lines
        .iter()
        .map(|l| (l.meter.as_str(), l.quantity.to_string(), l.rate.to_string(), l.unit.as_str(), l.amount.to_string()))
        .collect();
    let step =
        |meter, quantity: &str, rate: &str, unit, amount: &str| (meter, quantity.to_owned(), rate.to_owned(), unit, amount.to_owned());
    assert_eq!(
        steps,
        [
            step("video_seconds", "8", "0.11", "usd", "0.88"),
            step("to_cents", "0.88", "1", "usd", "0.88"),
            step("to_credits", "0.88", "10000", "credits", "8800"),
            step("runs", "3", "8800", "credits", "26400"),
        ]
    );
    assert_eq!(quoted.lines.first().map(|l| l.rule.as_str()), Some("720p, sound on"));
    assert_eq!((quoted.evidence, quoted.usd.map(|u| u.to_string()).as_deref()), (Evidence::AssumedLinear, Some("2.64")));
    assert_eq!(quoted.posted().map(|n| n.to_string()), Ok("26400".into()));
    assert_eq!(quoted.posted_credits().map(|n| n.to_string()), Ok("26400".into()));
    assert_eq!((quoted.card_name.as_str(), quoted.card_date.to_string().as_str()), ("AiSpace credits", "2026-01-01"));
}

#[test]
fn half_a_cent_is_rounded_up_once_a_run() {
    let quoted = quoted(&card(), &Run::clip("wan-2.6-text-to-video", 5, Some("1080p"), Some(true)).times(2));
    let amounts: Vec<String> = quoted.lines.iter().map(|l| l.amount.to_string()).collect();
    assert_eq!(amounts, ["0.825", "0.83", "8300", "16600"]);
}

#[test]
fn a_fixed_price_is_one_line() {
    let card = card();
    let quoted = quoted(&card, &Run::base(card.model("ovi-image-to-video").expect("listed")));
    assert_eq!(quoted.lines.len(), 1);
    assert_eq!(
        quoted.lines.first().map(|l| (l.meter.clone(), l.amount.to_string())),
        Some((LineMeter::Metered(Meter::Generations), "2200".into()))
    );
}

#[test]
fn evidence_says_how_many_prices_a_price_rests_on() {
    let card = card();
    let evidence = |id: &str, seconds: u32, resolution: Option<&str>, audio: bool| {
        quoted(&card, &Run::clip(id, seconds, resolution, Some(audio))).evidence
    };
    assert_eq!(evidence("wan-2.6-text-to-video", 10, Some("720p"), false), Evidence::RateCard, "seen");
    assert_eq!(evidence("veo3.1-fast-text-to-video", 6, Some("1080p"), true), Evidence::Interpolated, "between two seen");
    assert_eq!(evidence("kling-2.6-pro-text-to-video", 10, None, false), Evidence::Interpolated, "from a published median");
    assert_eq!(evidence("kling-2.6-pro-text-to-video", 10, None, true), Evidence::AssumedLinear, "one seen");
    assert_eq!(evidence("ltx-2-fast-text-to-video", 6, Some("1080p"), false), Evidence::AssumedLinear, "none seen without sound");
    assert_eq!(evidence("veo3-fast-text-to-video", 4, Some("720p"), true), Evidence::RateCard, "printed only");
}

#[test]
fn choices_carry_the_price_of_every_alternative() {
    let card = card();
    let run = Run::clip("veo3.1-fast-text-to-video", 4, Some("1080p"), Some(true)).times(2);
    let shown: Vec<Vec<(String, Option<String>, bool)>> = choices(&card, &run, &Terms::default())
        .into_iter()
        .map(|c| c.options.into_iter().map(|o| (o.value, o.price.map(|p| p.to_string()), o.chosen)).collect())
        .collect();
    let option = |value: &str, price: Option<&str>, chosen: bool| (value.to_owned(), price.map(str::to_owned), chosen);
    assert_eq!(
        shown,
        [
            vec![option("4", Some("13200"), true), option("6", Some("19800"), false), option("8", Some("26400"), false)],
            vec![option("720p", Some("13200"), false), option("1080p", Some("13200"), true), option("4k", None, false)],
            vec![option("on", Some("13200"), true), option("off", Some("8800"), false)],
        ]
    );
    let chat_run = Run::base(card.model("qwen3-4b").expect("listed"));
    assert!(choices(&card, &chat_run, &Terms::default()).is_empty());
}

#[test]
fn what_cannot_be_chosen_is_one_option_or_none() {
    let card = card();
    let run = Run::base(card.model("ovi-image-to-video").expect("listed"));
    let shown: Vec<(String, usize)> =
        choices(&card, &run, &Terms::default()).iter().map(|c| (c.parameter.to_string(), c.options.len())).collect();
    assert_eq!(shown, [("seconds".to_owned(), 1), ("audio".to_owned(), 1)]);
}

#[test]
fn every_model_quotes_at_its_base_and_says_so() {
    let card = card();
    for model in card.models() {
        let base = Run::base(model);
        let quoted = quoted(&card, &base);
        assert!(!quoted.total.is_zero(), "{}", model.id);
        assert!(!base.describe().is_empty() && base.describe() != "nothing" && !quoted.evidence_note.is_empty());
        assert_eq!(model.variant().is_some(), model.kind == Kind::Video);
        assert!(!model.name.contains("Video)") && !model.name.contains("(beta)"), "{}", model.name);
    }
    let base = |id: &str| Run::base(card.model(id).expect("listed")).describe();
    assert_eq!(base("sora-2-text-to-video"), "4 s, 720p, sound");
    assert_eq!(base("veo3-fast-text-to-video"), "4 s, 1080p, sound");
    assert_eq!(base("kling-2.5-turbo-pro-text-to-video"), "5 s");
    assert_eq!(base("tts-kokoro"), "1,000 characters");
    assert_eq!(base("web-search"), "1 search");
}

#[test]
fn every_alternative_of_every_model_is_priced_or_known_to_have_no_price() {
    let card = card();
    let mut without = BTreeSet::new();
    for model in card.models().iter().filter(|m| m.kind == Kind::Video) {
        let rules = model.video.as_ref().expect("a video model");
        let resolutions: Vec<Option<&str>> =
            if rules.resolutions.is_empty() { vec![None] } else { rules.resolutions.iter().map(|r| Some(r.as_str())).collect() };
        let sounds: &[Switch] = match rules.audio {
            AudioRule::Always => &[Switch::On],
            AudioRule::Never => &[Switch::Off],
            AudioRule::Choice => &[Switch::On, Switch::Off],
        };
        for seconds in &rules.seconds {
            for (resolution, sound) in resolutions.iter().flat_map(|r| sounds.iter().map(move |s| (r, *s))) {
                let run = Run::clip(&model.id, *seconds, *resolution, Some(sound == Switch::On));
                match quote(&card, &run, &Terms::default()) {
                    Ok(quoted) => assert!(!quoted.total.is_zero(), "{run:?}"),
                    Err(QuoteError::NoPrice { .. }) => {
                        without.insert(format!("{} {seconds} {} {sound}", model.id, resolution.unwrap_or("-")));
                    }
                    Err(other) => panic!("{run:?}: {other}"),
                }
            }
        }
    }
    let count = |start: &str| without.iter().filter(|w| w.starts_with(start)).count();
    // 580p; 1440p with and without sound; Veo with sound at 720p but for the printed 4 s, and at 4k; true_1080p.
    assert_eq!(count("wan-2.2-a14b"), 1, "{without:#?}");
    assert_eq!((count("ltx-2-fast"), count("ltx-2-full")), (2 * 8 * 2, 2 * 3 * 2));
    assert_eq!((count("veo3-fast"), count("veo3-full")), (2, 2));
    assert_eq!((count("veo3.1-fast"), count("veo3.1-full")), (2 + 3, 2 + 3));
    assert_eq!(count("sora-2-pro"), 2 * 5);
    assert_eq!(without.len(), 1 + 32 + 12 + 4 + 10 + 10, "{without:#?}");
}
