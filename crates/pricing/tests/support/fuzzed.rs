//! What arbitrary bytes are given to: `make fuzz` does it for as long as it is asked to, a test with the seeds and some changes to them.
//!
//! Bytes are refused or read. What is read must hold together: it is written and read again, and what it prices is priced alike by every way.

use super::{
    draw::Draw,
    made_up,
    oracle::{self, fraction},
    runs,
};
use aispace_pricing::{
    Bill, ClipQuery, Feed, ImportError, ImportTerms, LineRole, Meter, Model, ObservedQuote, QuoteCache, QuoteError, RateCard, Run, Tally,
    Terms, Usage, choices, diff, import, merge, quote, quote_with,
    request::{Cards, answer_line},
    total,
};
use chrono::{DateTime, NaiveTime, Utc};
use num_rational::BigRational;
use std::sync::LazyLock;

/// A reader of bytes by the name of its seeds; it says whether they were read.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: [Target; 11] = [
    ("card", card),
    ("venice_models", venice_models),
    ("newapi_pricing", newapi_pricing),
    ("openrouter_models", openrouter_models),
    ("litellm_prices", litellm_prices),
    ("expression", expression),
    ("video_quote", video_quote),
    ("quote_cache", quote_cache),
    ("request", request),
    ("usage_log", usage_log),
    ("made_up", made_up_card),
];

/// Most models of a card that are looked into: reading may take as long as its bytes ask for, this not longer.
const MODELS_LOOKED_AT: usize = 20;

/// The built-in cards, and that of the examples in `docs/pricing.md`.
static CARDS: LazyLock<Cards> = LazyLock::new(|| {
    let mut cards = RateCard::built_in().expect("a test reads them");
    cards.push(RateCard::from_json(include_str!("../../../../fuzz/seeds/card/lumen.json")).expect("a card of the seeds"));
    Cards::new(cards).expect("each of its own id")
});
static AISPACE: LazyLock<RateCard> = LazyLock::new(|| RateCard::aispace().expect("a test reads it"));

fn now() -> DateTime<Utc> {
    made_up::day().and_time(NaiveTime::MIN).and_utc()
}

/// A rate card.
pub fn card(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(card) = RateCard::from_json(text) else { return false };
    holds_together(&card);
    assert!(diff(&card, &card).is_empty(), "a card is as it is");
    // A card with a history of itself is a card, or what cannot be dated is named.
    if let Ok(merged) = merge(&card, &card, now()) {
        holds_together(&merged.card);
    }
    true
}

/// Venice's models.
pub fn venice_models(data: &[u8]) -> bool {
    imported(Feed::VeniceModels, data)
}

/// new-api's pricing.
pub fn newapi_pricing(data: &[u8]) -> bool {
    imported(Feed::NewApi, data)
}

/// OpenRouter's models.
pub fn openrouter_models(data: &[u8]) -> bool {
    imported(Feed::OpenRouter, data)
}

/// LiteLLM's price map.
pub fn litellm_prices(data: &[u8]) -> bool {
    imported(Feed::LiteLlm, data)
}

/// A price written as an expression, in new-api's list.
pub fn expression(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let row = serde_json::json!({
        "model_name": "m", "quota_type": 0, "model_ratio": 0, "model_price": 0, "completion_ratio": 0, "billing_mode": "tiered_expr",
        "billing_expr": text, "enable_groups": ["default"],
    });
    imported(Feed::NewApi, serde_json::json!({"success": true, "data": [row], "group_ratio": {"default": 1}}).to_string().as_bytes())
}

/// An answer of `POST /video/quote`.
pub fn video_quote(data: &[u8]) -> bool {
    let run = Run::clip("sora-2-text-to-video", 8, None, None);
    let query = ClipQuery::of(&AISPACE, &run).expect("a clip of the card");
    let Ok(observed) = ObservedQuote::read(query, data, "example.com", now()) else { return false };
    let quoted = quote_with(&AISPACE, &run, &Terms::default(), Some(&observed), now()).expect("a quoted clip has a price");
    assert_eq!(Some(quoted.total), observed.usd.mul(AISPACE.unit().per_usd).ok());
    let mut cache = QuoteCache::new();
    cache.keep(&observed);
    assert_eq!(QuoteCache::from_json(&cache.to_json()).as_ref(), Ok(&cache));
    true
}

/// A file of kept quotes.
pub fn quote_cache(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(cache) = QuoteCache::from_json(text) else { return false };
    assert_eq!(QuoteCache::from_json(&cache.to_json()).as_ref(), Ok(&cache));
    true
}

/// A request of `aispace --jsonl`: always one line of JSON.
pub fn request(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let answered = text.lines().take(8).map(|line| {
        let answer = answer_line(&CARDS, line, now());
        assert!(!answer.contains('\n'), "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer.get("error").is_none()
    });
    answered.fold(false, |any, one| any | one)
}

/// A log of runs that were made.
pub fn usage_log(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut tally = Tally::new(&AISPACE, &AISPACE, Terms::default(), None);
    text.lines().for_each(|line| tally.add_line(line));
    let replay = tally.finish();
    assert_eq!(replay.total.old, replay.total.new, "the same card twice");
    replay.total.lines > 0
}

/// A made-up card with a few runs, against the second reading of the format.
pub fn made_up_card(data: &[u8]) -> bool {
    let mut d = Draw::bytes(data);
    let file = made_up::card(&mut d);
    let card = RateCard::new(file).unwrap_or_else(|error| panic!("{error}"));
    for _ in 0..4 {
        let (run, terms) = (runs::run(&mut d, card.file()), runs::terms(&mut d, card.file()));
        match (quote(&card, &run, &terms), oracle::price(card.file(), &run, &terms)) {
            (Ok(quote), Ok(answer)) => {
                assert_eq!(fraction(quote.total), answer.total, "{quote:#?}");
                let charges = quote.lines.iter().filter(|l| l.role == LineRole::Charge).map(|l| fraction(l.amount));
                assert_eq!(charges.collect::<Vec<BigRational>>(), answer.charges, "{quote:#?}");
                assert!(quote.posted().map_or(true, |posted| fraction(posted) == answer.posted), "{quote:#?}");
            }
            (Err(QuoteError::NotExact(_)), _) => assert!(oracle::needs_more_digits(card.file(), &run, &terms)),
            (Err(_), Err(_)) => {}
            (quote, answer) => panic!("{quote:#?} but {answer:?} for {run:?} {terms:?} of {}", card.to_json()),
        }
    }
    holds_together(&card);
    true
}

fn imported(feed: Feed, data: &[u8]) -> bool {
    let mut terms = ImportTerms::new("imported", "Imported", made_up::day());
    let mut result = import(feed, data, &terms);
    if let Err(ImportError::Group { known, .. }) = &result {
        terms.group = known.first().cloned();
        result = import(feed, data, &terms);
    }
    let Ok(imported) = result else { return false };
    holds_together(&imported.card);
    // The same prices from an instant on are those of the same models, for whoever joins them to an older card.
    terms.from = Some(now());
    let dated = import(feed, data, &terms).expect("dated as well as undated").card;
    let ids = |card: &RateCard| card.models().iter().map(|m| m.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&dated), ids(&imported.card));
    holds_together(&dated);
    !dated.models().is_empty()
}

/// What every card must do, wherever it came from.
fn holds_together(card: &RateCard) {
    let again = RateCard::from_json(&card.to_json()).unwrap_or_else(|error| panic!("{error}: {}", card.to_json()));
    assert_eq!(again.file(), card.file());
    let terms = [Terms::default(), Terms::at(card.date().and_time(NaiveTime::MIN).and_utc()), Terms::at(now())];
    for model in card.models().iter().take(MODELS_LOOKED_AT) {
        let found = card.find(&model.id).expect("a model is found by its id");
        assert_eq!(card.get(found).map(|m| &m.id), Some(&model.id));
        let mut all = vec![Run::base(model), Run::base(model).times(7)];
        all.extend(used(model).into_iter().map(|usage| Run::new(model.id.clone(), usage)));
        for run in &all {
            for terms in &terms {
                both_ways(card, run, terms);
            }
            without_words(card, run);
        }
        assert_eq!(choices(card, &all[0], &terms[1]).is_empty(), model.video.is_none());
    }
    assert!(card.resolve("no such model").map_or_else(|error| !error.to_string().is_empty(), |found| card.get(found).is_some()));
}

/// One of each meter that the model has a rate for, and many of all.
fn used(model: &Model) -> Vec<Usage> {
    let mut meters: Vec<Meter> = model.rates.iter().map(|r| r.meter).collect();
    meters.sort();
    meters.dedup();
    let many = meters.iter().map(|m| (*m, 1_000_001)).collect();
    meters.into_iter().map(|m| Usage::new().with(m, 1)).chain([many]).collect()
}

fn both_ways(card: &RateCard, run: &Run, terms: &Terms) {
    match quote(card, run, terms) {
        Ok(quote) => {
            assert_eq!(total(card, run, terms), Ok(quote.total));
            // Whoever is shown it reads the same numbers.
            let shown: Vec<String> = quote.lines.iter().map(|l| l.amount.to_string()).collect();
            assert!(quote.lines.iter().zip(&shown).all(|(l, text)| text.parse() == Ok(l.amount)), "{shown:?}");
        }
        Err(error) => {
            assert_eq!(total(card, run, terms), Err(error.clone()));
            assert!(!error.to_string().is_empty());
        }
    }
}

fn without_words(card: &RateCard, run: &Run) {
    let plain = Run::new(run.model_id.clone(), run.usage.clone());
    let Ok(worded) = quote(card, &plain, &Terms::default()) else { return };
    let mut bill = Bill::new();
    card.bill(card.find(&run.model_id).expect("quoted"), &run.usage, &mut bill).expect("quoted");
    let charges = worded.lines.iter().filter(|l| l.role == LineRole::Charge);
    assert_eq!(bill.lines().map(|line| line.amount).collect::<Vec<_>>(), charges.map(|l| l.amount).collect::<Vec<_>>());
}
