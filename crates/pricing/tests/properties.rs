//! What holds for every run of every card: the built-in ones and made-up ones.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{
    Bill, CardFile, Convention, LineRole, Meter, Model, Price, QuoteError, RateCard, RateUnit, Run, Terms, TokenReport, Usage, quote, total,
};
use aispace_units::Exact;
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::LazyLock};
use support::{Priced, Words, cases, draw::Draw, priced, runs, words};

static BUILT_IN: LazyLock<Vec<RateCard>> = LazyLock::new(|| RateCard::built_in().expect("a test reads them"));

/// What `docs/rate-card.schema.json` says of the format.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../docs/rate-card.schema.json")).expect("json");
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).expect("a schema")
});

/// Runs of the built-in cards that have models, and of one made-up card.
fn all_runs(words: &Words) -> Vec<(RateCard, Vec<(Run, Terms)>)> {
    let made_up = priced(words.clone(), 6);
    let mut d = Draw::new(words.numbers());
    let mut all = vec![(made_up.card, made_up.runs)];
    for card in BUILT_IN.iter().filter(|card| !card.models().is_empty()) {
        let some = (0..6).map(|_| (runs::run(&mut d, card.file()), runs::terms(&mut d, card.file()))).collect();
        all.push((card.clone(), some));
    }
    all
}

/// Whatever has a price.
fn quoted(words: &Words) -> Vec<(RateCard, Run, Terms, aispace_pricing::Quote)> {
    let mut all = Vec::new();
    for (card, runs) in all_runs(words) {
        for (run, terms) in runs {
            match quote(&card, &run, &terms) {
                Ok(quote) => all.push((card.clone(), run, terms, quote)),
                Err(error) => assert_eq!(total(&card, &run, &terms), Err(error), "both ways refuse alike"),
            }
        }
    }
    all
}

fn sum(amounts: impl Iterator<Item = Exact>) -> Exact {
    amounts.fold(Exact::ZERO, |sum, amount| sum.add(amount).expect("no more than the total"))
}

/// Whether nothing of a model depends on how much is used: no size, nothing included, nothing rounded.
fn is_linear(card: &RateCard, model: &Model) -> bool {
    card.file().rounding.is_empty() && model.video.is_none() && rates(card, model).all(|r| r.included == 0) && !looks_at_size(card, model)
}

fn looks_at_size(card: &RateCard, model: &Model) -> bool {
    rates(card, model).any(|r| r.when.as_ref().is_some_and(|when| when.prompt_tokens.is_some() || when.seconds.is_some()))
}

/// The rates that a run of a model may be charged at, its own and those of add-ons.
fn rates<'a>(card: &'a RateCard, model: &'a Model) -> impl Iterator<Item = &'a aispace_pricing::Rate> {
    let added = card.file().add_ons.iter().filter_map(|a| card.model(&a.rates_of).ok());
    added.chain([model]).flat_map(|m| &m.rates)
}

fn model_of<'a>(card: &'a RateCard, run: &Run) -> &'a Model {
    card.model(&run.model_id).expect("a model of the card")
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_total_is_the_sum_of_its_charges_times_the_factors_times_the_runs(words in words(700)) {
        for (card, run, terms, quote) in quoted(&words) {
            let amounts = |role: LineRole| quote.lines.iter().filter(move |l| l.role == role);
            let mut expected = sum(amounts(LineRole::Charge).map(|l| l.amount));
            for factor in amounts(LineRole::Factor) {
                expected = expected.mul(factor.rate).expect("as the quote did");
                prop_assert_eq!(expected, factor.amount);
            }
            expected = expected.mul(run.runs.into()).expect("as the quote did");
            prop_assert_eq!(quote.total, expected);
            prop_assert_eq!(total(&card, &run, &terms), Ok(expected));
            let last = amounts(LineRole::Runs).map(|l| l.amount).next();
            prop_assert_eq!(last, (run.runs > 1).then_some(quote.total));
            prop_assert_eq!(amounts(LineRole::Factor).count(), card.stack(model_of(&card, &run), &run, &terms).expect("quoted").factors.len());
        }
    }

    #[test]
    fn runs_are_linear(words in words(700), more in 1u32..1_000) {
        for (card, run, terms, _) in quoted(&words) {
            let of = |runs: u32| total(&card, &run.clone().times(runs), &terms);
            if let (Ok(one), Ok(few), Ok(most)) = (of(1), of(more), of(more + 1)) {
                prop_assert_eq!(few.add(one), Ok(most));
            }
        }
    }

    #[test]
    fn two_runs_cost_what_one_of_both_usages_does(words in words(700), seed in any::<u64>()) {
        for (card, run, terms, _) in quoted(&words).into_iter().filter(|(card, run, _, _)| is_linear(card, model_of(card, run))) {
            let mut d = Draw::new((1..100u64).map(|n| seed.wrapping_mul(2 * n + 1)).collect());
            let other: Usage = run.usage.iter().map(|(meter, count)| (meter, d.below(2 * count + 1))).collect();
            let of = |usage: Usage| total(&card, &Run { usage, extras: Vec::new(), ..run.clone() }, &terms);
            if let (Ok(a), Ok(b), Ok(both)) = (of(run.usage.clone()), of(other.clone()), of(run.usage.plus(&other))) {
                prop_assert_eq!(a.add(b), Ok(both), "{:?}", run);
            }
        }
    }

    #[test]
    fn no_count_is_cheaper_than_a_smaller_one(words in words(700), more in 1u64..100_000) {
        for (card, run, terms, quote) in quoted(&words).into_iter().filter(|(card, run, _, _)| !looks_at_size(card, model_of(card, run))) {
            for (meter, count) in run.usage.iter() {
                let larger = Run { usage: run.usage.clone().with(meter, count + more), ..run.clone() };
                match total(&card, &larger, &terms) {
                    Ok(larger) => prop_assert!(larger >= quote.total, "{} of {:?}", meter, run),
                    Err(QuoteError::NotExact(_) | QuoteError::Impossible { .. } | QuoteError::NoPrice { .. }) => {}
                    Err(error) => prop_assert!(false, "{} of {:?}", error, run),
                }
            }
        }
    }

    #[test]
    fn both_ways_to_count_cost_the_same(words in words(700)) {
        for (card, run, terms, quote) in quoted(&words) {
            let of = |meter: Meter| run.usage.get(meter);
            let exclusive = TokenReport {
                input: of(Meter::InputTokens),
                output: of(Meter::OutputTokens),
                cache_read: of(Meter::CacheReadTokens),
                cache_write_5m: of(Meter::CacheWrite5mTokens),
                cache_write_1h: of(Meter::CacheWrite1hTokens),
                input_audio: of(Meter::InputAudioTokens),
                input_image: of(Meter::InputImageTokens),
                output_audio: of(Meter::OutputAudioTokens),
                output_image: of(Meter::OutputImageTokens),
                reasoning: of(Meter::ReasoningTokens),
            };
            let answered = exclusive.output + exclusive.output_audio + exclusive.output_image + exclusive.reasoning;
            let inclusive = TokenReport { input: run.usage.prompt_tokens(), output: answered, ..exclusive };
            for (report, convention) in [(exclusive, Convention::Exclusive), (inclusive, Convention::Inclusive)] {
                let mut usage = report.usage(convention).expect("parts within their totals");
                for (meter, count) in run.usage.iter().filter(|(meter, _)| !meter.as_str().ends_with("_tokens")) {
                    usage.set(meter, count);
                }
                prop_assert_eq!(&usage, &run.usage);
                prop_assert_eq!(total(&card, &Run { usage, ..run.clone() }, &terms), Ok(quote.total));
            }
        }
    }

    #[test]
    fn the_way_without_words_comes_to_the_same(words in words(700)) {
        let mut bill = Bill::new();
        for (card, runs) in all_runs(&words) {
            for (run, _) in runs {
                let plain = Run::new(run.model_id.clone(), run.usage.clone());
                let Ok(worded) = quote(&card, &plain, &Terms::default()) else { continue };
                let found = card.find(&run.model_id).expect("a model of the card");
                card.bill(found, &run.usage, &mut bill).expect("quoted");
                let lines = sum(bill.lines().map(|line| line.amount));
                prop_assert_eq!((bill.total(), lines), (sum(worded.lines.iter().filter(|l| l.role == LineRole::Charge).map(|l| l.amount)), lines));
                prop_assert_eq!(bill.lines().map(|line| line.meter).collect::<Vec<_>>(), run.usage.iter().map(|(m, _)| m).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_card_is_read_as_it_was_written(words in words(500)) {
        let Priced { card, file, .. } = priced(words, 0);
        let text = card.to_json();
        let again = RateCard::from_json(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(again.file(), &file);
        let shape = serde_json::from_str(&text).expect("written as JSON");
        prop_assert!(SCHEMA.is_valid(&shape), "the schema refuses {}: {:?}", text, SCHEMA.iter_errors(&shape).next());
        prop_assert_eq!(again.to_json(), text);
    }

    #[test]
    fn every_name_finds_its_model_and_no_other(names in proptest::collection::btree_set("[a-c]{1,3}|[a-b/.-]{7,10}|[ab]{46,51}", 1..40), other in "[a-c]{1,50}") {
        let mut file = CardFile { models: Vec::new(), add_ons: Vec::new(), ..priced_file() };
        let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
        // Every third name is an alias of the model before it.
        for (at, name) in names.iter().enumerate() {
            match file.models.last_mut().filter(|_| at % 3 == 2) {
                Some(model) => model.aliases.push(name.clone()),
                None => file.models.push(plain_model(name)),
            }
            expected.insert(name, file.models.len() - 1);
        }
        let card = RateCard::new(file).map_err(|error| TestCaseError::fail(error.to_string()))?;
        for name in names.iter().chain([&other]) {
            let found = card.find(name).and_then(|found| card.get(found)).map(|model| model.id.as_str());
            prop_assert_eq!(found, expected.get(name.as_str()).map(|at| card.models()[*at].id.as_str()), "{}", name);
        }
    }
}

fn priced_file() -> CardFile {
    BUILT_IN.last().expect("channel billing").file().clone()
}

fn plain_model(id: &str) -> Model {
    let price = Price::Amount { amount: Exact::ONE, unit: RateUnit::Usd, per: aispace_pricing::Denominator::ONE };
    Model::new(id, aispace_pricing::Kind::Call, Usage::new().with(Meter::Calls, 1), vec![aispace_pricing::Rate::new(Meter::Calls, price)])
}

/// The built-in cards price most of what is drawn for them; else the properties above would hold of nothing.
#[test]
fn most_made_up_runs_of_the_built_in_cards_have_a_price() {
    for card in BUILT_IN.iter().filter(|card| !card.models().is_empty()) {
        let mut d = Draw::new((0..20_000u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)).collect());
        let drawn: Vec<(Run, Terms)> = (0..300).map(|_| (runs::run(&mut d, card.file()), runs::terms(&mut d, card.file()))).collect();
        let priced = drawn.iter().filter(|(run, terms)| quote(card, run, terms).is_ok()).count();
        assert!(priced > 200, "{}: {priced} of 300", card.id());
        let models: std::collections::BTreeSet<&str> = drawn.iter().map(|(run, _)| run.model_id.as_str()).collect();
        assert!(models.len() * 2 > card.models().len(), "{}: only {} models", card.id(), models.len());
    }
}

#[test]
fn a_clip_is_never_cheaper_for_being_longer() {
    for card in BUILT_IN.iter() {
        for model in card.models() {
            let Some(rules) = &model.video else { continue };
            for resolution in rules.resolutions.iter().map(|r| Some(r.as_str())).chain([None]) {
                for audio in [None, Some(true), Some(false)] {
                    let clips = rules.seconds.iter().map(|s| Run::clip(&model.id, *s, resolution, audio));
                    let prices: Vec<Exact> = clips.filter_map(|clip| total(card, &clip, &Terms::default()).ok()).collect();
                    assert!(prices.is_sorted(), "{}: {prices:?}", model.id);
                }
            }
        }
    }
}

#[test]
fn tokens_match_integer_arithmetic() {
    let card = RateCard::aispace().expect("a test reads it");
    let per_million = |model: &Model, meter: Meter| {
        model.rates.iter().find_map(|r| match r.price {
            Price::Amount { amount, unit: RateUnit::Credits, .. } if r.meter == meter => amount.to_whole(),
            Price::Amount { .. } | Price::Times { .. } => None,
        })
    };
    let mut seen = 0;
    for model in card.models() {
        let (Some(input), Some(output)) = (per_million(model, Meter::InputTokens), per_million(model, Meter::OutputTokens)) else {
            continue;
        };
        for (sent, answered) in [(0, 1), (500, 200), (1, 1_000_000_000), (123_456_789, 987_654_321), (1_000_000_000, 0)] {
            let millionths = u128::from(sent) * input + u128::from(answered) * output;
            let quoted = quote(&card, &Run::chat(&model.id, sent, answered), &Terms::default()).expect("a price");
            assert_eq!(quoted.total, Exact::new(millionths, 6), "{}", model.id);
            assert_eq!(quoted.posted(), Ok(quoted.total), "nothing is left to round");
            seen += 1;
        }
    }
    assert!(seen >= 5 * 15, "{seen}");
}
