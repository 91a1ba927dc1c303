//! Live quotes of clips: what is asked, what is kept, and how a run is priced by it.
#![allow(missing_docs)]

use aispace_pricing::{
    AudioRule, CardFile, ClipQuery, Condition, Discount, Evidence, LineMeter, LineRole, LiveError, Meter, ObservedQuote, OptionValues,
    Price, QUOTES_MAX, Quote, QuoteCache, QuoteCacheError, QuoteError, QuoteOrigin, RateCard, Run, Terms, quote, quote_with,
};
use aispace_units::Exact;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn card() -> RateCard {
    RateCard::aispace().expect("the built-in card is well formed")
}

/// The built-in card with one thing changed.
fn card_with(change: impl FnOnce(&mut CardFile)) -> RateCard {
    let mut file = card().file().clone();
    change(&mut file);
    RateCard::new(file).expect("still a card")
}

fn n(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn now() -> DateTime<Utc> {
    at("2026-03-01T12:00:00Z")
}

fn body(run: &Run) -> String {
    ClipQuery::of(&card(), run).expect("a clip").body()
}

/// An 8-second clip with sound of a model whose grid price is 0.44 USD a second.
fn veo() -> Run {
    Run::clip("veo3.1-full-text-to-video", 8, Some("1080p"), Some(true))
}

fn observed(card: &RateCard, run: &Run, usd: &str, asked_at: DateTime<Utc>, origin: QuoteOrigin) -> ObservedQuote {
    let query = ClipQuery::of(card, run).expect("a clip");
    ObservedQuote { query, usd: n(usd), asked_at, source: "api.venice.ai".into(), origin }
}

fn live(run: &Run, usd: &str) -> ObservedQuote {
    observed(&card(), run, usd, now(), QuoteOrigin::Live)
}

fn price(run: &Run, observed: &ObservedQuote) -> Quote {
    quote_with(&card(), run, &Terms::default(), Some(observed), now()).expect("a price")
}

#[test]
fn the_request_says_what_the_model_lets_choose_and_nothing_else() {
    for (run, expected) in [
        (veo(), r#"{"model":"veo3.1-full-text-to-video","duration":"8s","resolution":"1080p","audio":true}"#),
        // What is left out is the model's own.
        (
            Run::clip("wan-2.6-text-to-video", 10, None, None),
            r#"{"model":"wan-2.6-text-to-video","duration":"10s","resolution":"1080p","audio":true}"#,
        ),
        (
            Run::clip("wan-2.6-text-to-video", 10, Some("720p"), Some(false)),
            r#"{"model":"wan-2.6-text-to-video","duration":"10s","resolution":"720p","audio":false}"#,
        ),
        // Sound always, sound never: not asked for. No resolution to choose: not asked for.
        (Run::clip("sora-2-text-to-video", 4, None, None), r#"{"model":"sora-2-text-to-video","duration":"4s","resolution":"720p"}"#),
        (
            Run::clip("longcat-text-to-video", 30, None, Some(false)),
            r#"{"model":"longcat-text-to-video","duration":"30s","resolution":"720p"}"#,
        ),
        (
            Run::clip("kling-2.6-pro-text-to-video", 5, None, Some(false)),
            r#"{"model":"kling-2.6-pro-text-to-video","duration":"5s","audio":false}"#,
        ),
        (Run::clip("ovi-image-to-video", 5, None, None), r#"{"model":"ovi-image-to-video","duration":"5s"}"#),
    ] {
        assert_eq!(body(&run), expected);
    }
    assert_eq!(body(&veo().times(7)), body(&veo()), "each clip costs the same");
}

#[test]
fn a_shape_is_asked_for_where_the_model_has_some() {
    let card = card_with(|file| {
        let sora = file.models.iter_mut().find(|m| m.id == "sora-2-text-to-video").expect("there");
        let shapes = OptionValues { allowed: vec!["16:9".into(), "9:16".into()], default: Some("16:9".into()) };
        sora.options = BTreeMap::from([("aspect_ratio".to_owned(), shapes)]);
    });
    let mut run = Run::clip("sora-2-text-to-video", 4, None, None);
    let shape = |run: &Run| ClipQuery::of(&card, run).expect("a clip").aspect_ratio;
    assert_eq!(shape(&run).as_deref(), Some("16:9"));
    run.options.insert("aspect_ratio".into(), "9:16".into());
    assert_eq!(shape(&run).as_deref(), Some("9:16"));
}

#[test]
fn only_clips_that_the_card_offers_are_asked_for() {
    let refusal = |run: &Run| ClipQuery::of(&card(), run).expect_err("not asked");
    assert_eq!(refusal(&Run::chat("qwen3-4b", 500, 200)), LiveError::NotAClip { model_id: "qwen3-4b".into() });
    assert!(matches!(refusal(&Run::clip("veo", 8, None, None)), LiveError::Run(QuoteError::UnknownModel { .. })));
    let seven = refusal(&Run::clip("veo3.1-full-text-to-video", 7, None, None));
    assert_eq!(seven.to_string(), "veo3.1-full-text-to-video: seconds cannot be 7; allowed: 4, 6, 8");
    let mut half = veo();
    half.usage.set(Meter::VideoSeconds, 8_500);
    assert!(matches!(refusal(&half), LiveError::Run(QuoteError::Impossible { .. })));
    assert!(matches!(refusal(&Run::clip("sora-2-text-to-video", 4, Some("4k"), None)), LiveError::Run(QuoteError::Impossible { .. })));
    assert!(matches!(refusal(&Run::clip("ovi-image-to-video", 5, None, Some(false))), LiveError::Run(QuoteError::Impossible { .. })));
    let aisa = RateCard::built_in().expect("well formed").into_iter().find(|c| c.id() == "aisa").expect("built in");
    let flat = Run::base(aisa.model("wan2.7-i2v").expect("there"));
    assert_eq!(ClipQuery::of(&aisa, &flat), Err(LiveError::NotAClip { model_id: "wan2.7-i2v".into() }));
}

#[test]
fn without_a_quote_a_run_is_priced_as_ever() {
    for model in card().models() {
        let run = Run::base(model);
        let own = quote(&card(), &run, &Terms::at(now()));
        assert_eq!(quote_with(&card(), &run, &Terms::at(now()), None, now()), own, "{}", model.id);
    }
}

#[test]
fn a_live_quote_becomes_credits_exactly() {
    let priced = price(&veo(), &live(&veo(), "3.523456789"));
    assert_eq!((priced.total, priced.usd), (n("35234.56789"), Some(n("3.523456789"))));
    assert_eq!(priced.evidence, Evidence::LiveQuote);
    let [asked, credits] = priced.lines.as_slice() else { panic!("{:#?}", priced.lines) };
    assert_eq!(
        (&asked.meter, asked.quantity, asked.rate, asked.unit.as_str()),
        (&LineMeter::Metered(Meter::Generations), n("1"), n("3.523456789"), "usd")
    );
    assert_eq!(asked.rule, "quoted by api.venice.ai on 2026-03-01 12:00 UTC: 8 s, 1080p, sound on");
    assert_eq!((asked.role, credits.role), (LineRole::Step, LineRole::Charge));
    assert_eq!((&credits.meter, credits.amount), (&LineMeter::ToCredits, n("35234.56789")));
    let thrice = price(&veo().times(3), &live(&veo(), "3.523456789"));
    assert_eq!(thrice.total, n("105703.70367"));
}

#[test]
fn the_note_says_where_the_price_is_from_and_what_the_card_has() {
    let note = |usd: &str, ago: TimeDelta, origin| price(&veo(), &observed(&card(), &veo(), usd, now() - ago, origin)).evidence_note;
    assert_eq!(
        note("3.52", TimeDelta::seconds(2), QuoteOrigin::Live),
        "Quoted live by api.venice.ai, less than a minute ago. The rate card says the same."
    );
    assert_eq!(
        note("3.6", TimeDelta::days(12), QuoteOrigin::Cached),
        "Quoted by api.venice.ai 12 days ago, on 2026-02-17 12:00 UTC; it was not asked again. \
         The rate card differs: it has 35,200 AiSpace credits for this clip."
    );
    let cached = price(&veo(), &observed(&card(), &veo(), "3.6", now() - TimeDelta::days(12), QuoteOrigin::Cached));
    assert_eq!((cached.evidence, cached.total), (Evidence::CachedQuote, n("36000")));
}

#[test]
fn a_clip_without_a_price_in_the_card_has_one_live() {
    let unknown = Run::clip("veo3.1-full-text-to-video", 8, Some("4k"), Some(true));
    assert!(matches!(quote(&card(), &unknown, &Terms::default()), Err(QuoteError::NoPrice { .. })));
    let priced = price(&unknown, &live(&unknown, "5.28"));
    assert_eq!((priced.total, priced.evidence), (n("52800"), Evidence::LiveQuote));
    assert!(priced.evidence_note.ends_with("The rate card has no price for this clip."), "{}", priced.evidence_note);
}

#[test]
fn a_flat_price_gives_way_too_and_factors_still_hold() {
    let ovi = Run::clip("ovi-image-to-video", 5, None, None);
    let terms = Terms { user: Discount::Given(n("0.5")), ..Terms::default() };
    let priced = quote_with(&card(), &ovi, &terms, Some(&live(&ovi, "0.2")), now()).expect("a price");
    assert_eq!(priced.total, n("1000"), "half of 0.2 USD");
    let mut with_fee = ovi.clone();
    with_fee.extras.push(aispace_pricing::Extra { name: "delivery".into(), amount: n("7") });
    assert_eq!(price(&with_fee, &live(&ovi, "0.2")).total, n("2007"));
}

/// The card's own quote, with the reason why the other is not used.
fn refused(card: &RateCard, run: &Run, terms: &Terms, observed: &ObservedQuote) -> String {
    let own = quote(card, run, terms).expect("the card's own price");
    let priced = quote_with(card, run, terms, Some(observed), now()).expect("a price");
    let (note, own_note) = (priced.evidence_note.clone(), own.evidence_note.clone());
    assert_eq!(Quote { evidence_note: own_note.clone(), ..priced }, own, "all but the note is the card's");
    note.strip_prefix(&own_note).expect("the card's note comes first").trim().to_owned()
}

#[test]
fn a_quote_of_something_else_is_not_used() {
    let other = live(&Run::clip("veo3.1-full-text-to-video", 6, Some("1080p"), Some(true)), "2.64");
    assert_eq!(refused(&card(), &veo(), &Terms::default(), &other), "The quote of api.venice.ai is not used: it is of another clip.");
    let chat = refused(&card(), &Run::chat("qwen3-4b", 500, 200), &Terms::default(), &other);
    assert_eq!(chat, "The quote of api.venice.ai is not used: qwen3-4b makes no clips that the card knows.");
    for absurd in ["0", "10000.01", "0.0000000001"] {
        assert!(refused(&card(), &veo(), &Terms::default(), &live(&veo(), absurd)).contains("no price of a clip"), "{absurd}");
    }
    // The run itself is impossible, whatever was quoted.
    let seven = Run::clip("veo3.1-full-text-to-video", 7, None, None);
    let error = quote_with(&card(), &seven, &Terms::default(), Some(&other), now()).expect_err("impossible");
    assert_eq!(Err(error), quote(&card(), &seven, &Terms::default()));
}

#[test]
fn a_quote_of_another_time_is_not_used() {
    let mut quoted = live(&veo(), "3.6");
    quoted.asked_at = now() + TimeDelta::seconds(61);
    assert!(refused(&card(), &veo(), &Terms::default(), &quoted).ends_with("it is dated 2026-03-01 12:01 UTC, after now."));
    quoted.asked_at = now() + TimeDelta::seconds(60);
    assert_eq!(price(&veo(), &quoted).evidence, Evidence::LiveQuote, "clocks differ a little");

    let quoted = live(&veo(), "3.6");
    let january = Terms::at(at("2026-01-15T00:00:00Z"));
    assert_eq!(
        refused(&card(), &veo(), &january, &quoted),
        "The quote of api.venice.ai is not used: it was asked on 2026-03-01 12:00 UTC, after the instant that is priced, 2026-01-15 00:00 UTC."
    );
    let later = quote_with(&card(), &veo(), &Terms::at(at("2026-04-01T00:00:00Z")), Some(&quoted), now()).expect("a price");
    assert_eq!(later.evidence, Evidence::LiveQuote, "what is known now is the best guess for later");
}

#[test]
fn a_quote_older_than_the_cards_own_price_is_not_used() {
    let newer = card_with(|file| {
        let veo = file.models.iter_mut().find(|m| m.id == "veo3.1-full-text-to-video").expect("there");
        let mut rate =
            veo.rates.iter().find(|r| r.when.as_ref().is_some_and(|w| w.resolution.as_deref() == Some("1080p"))).expect("one").clone();
        if let Price::Amount { amount, .. } = &mut rate.price {
            *amount = n("0.5");
        }
        let when = Condition { from: Some(at("2026-02-01T00:00:00Z")), resolution: Some("1080p".into()), ..Condition::default() };
        veo.rates.push(rate.when(when));
    });
    let terms = Terms::at(now());
    let before = observed(&newer, &veo(), "3.52", at("2026-01-31T23:59:59Z"), QuoteOrigin::Cached);
    assert_eq!(
        refused(&newer, &veo(), &terms, &before),
        "The quote of api.venice.ai is not used: it was asked on 2026-01-31 23:59 UTC, before the card's price of 2026-02-01 00:00 UTC."
    );
    let after = observed(&newer, &veo(), "3.52", at("2026-02-01T00:00:00Z"), QuoteOrigin::Cached);
    let priced = quote_with(&newer, &veo(), &terms, Some(&after), now()).expect("a price");
    assert_eq!((priced.evidence, priced.total), (Evidence::CachedQuote, n("35200")));
}

#[test]
fn the_newest_quote_of_a_clip_is_kept() {
    let mut cache = QuoteCache::new();
    let query = ClipQuery::of(&card(), &veo()).expect("a clip");
    assert_eq!((cache.find(&query), cache.is_empty()), (None, true));
    cache.keep(&live(&veo(), "3.52"));
    cache.keep(&observed(&card(), &veo(), "3.4", now() - TimeDelta::hours(1), QuoteOrigin::Live));
    let kept = cache.find(&query).expect("kept");
    assert_eq!((kept.usd, kept.asked_at, kept.origin, cache.len()), (n("3.52"), now(), QuoteOrigin::Cached, 1));
    cache.keep(&observed(&card(), &veo(), "3.6", now() + TimeDelta::hours(1), QuoteOrigin::Live));
    assert_eq!(cache.find(&query).expect("kept").usd, n("3.6"));
    cache.keep(&live(&Run::clip("ovi-image-to-video", 5, None, None), "0"));
    assert_eq!(cache.len(), 1, "nothing that is no price is kept");
}

#[test]
fn a_cache_is_written_and_read() {
    let mut cache = QuoteCache::new();
    cache.keep(&live(&veo(), "3.52"));
    cache.keep(&live(&Run::clip("ovi-image-to-video", 5, None, None), "0.22"));
    let text = cache.to_json();
    assert_eq!(QuoteCache::from_json(&text), Ok(cache));
    assert!(text.starts_with("{\n  \"format\": \"aispace-quote-cache/1\""), "{text}");
    assert!(text.contains(r#""usd": "3.52""#) && text.contains(r#""asked_at": "2026-03-01T12:00:00Z""#), "{text}");
    assert_eq!(QuoteCache::from_json(r#"{"format":"aispace-quote-cache/1","quotes":[]}"#), Ok(QuoteCache::new()));
}

#[test]
fn a_cache_that_cannot_be_is_refused() {
    let file = |entry: &str| QuoteCache::from_json(&format!(r#"{{"format":"aispace-quote-cache/1","quotes":[{entry}]}}"#));
    let entry =
        |usd: &str| format!(r#"{{"clip":{{"model":"m","duration":"5s"}},"usd":{usd},"asked_at":"2026-03-01T12:00:00Z","source":"s"}}"#);
    assert!(file(&entry("\"0.5\"")).is_ok());
    for amount in ["\"0\"", "\"10001\"", "\"0.0000000001\""] {
        assert!(matches!(file(&entry(amount)), Err(QuoteCacheError::Amount { .. })), "{amount}");
    }
    for amount in ["0.5", "\"-0.5\"", "null", "\"NaN\""] {
        assert!(matches!(file(&entry(amount)), Err(QuoteCacheError::Syntax { .. })), "{amount}");
    }
    assert!(matches!(file(&entry("\"1\"").replace("\"m\"", &format!("{:?}", "m".repeat(301)))), Err(QuoteCacheError::Syntax { .. })));
    assert!(matches!(file(&entry("\"1\"").replace("\"s\"}", "\"s\",\"more\":1}")), Err(QuoteCacheError::Syntax { .. })));
    for garbage in ["", "[]", "{}", "{\"format\":\"aispace-quote-cache/1\"}"] {
        assert!(matches!(QuoteCache::from_json(garbage), Err(QuoteCacheError::Syntax { .. })), "{garbage}");
    }
    let newer = QuoteCache::from_json(r#"{"format":"aispace-quote-cache/2","clips":{}}"#);
    assert_eq!(newer, Err(QuoteCacheError::Format { given: "aispace-quote-cache/2".into() }));
}

#[test]
fn a_full_cache_forgets_the_oldest() {
    let query =
        |number: usize| ClipQuery { model: format!("m{number}"), duration: "5s".into(), resolution: None, aspect_ratio: None, audio: None };
    let asked = |number: usize| now() + TimeDelta::seconds(i64::try_from(number).expect("small"));
    let mut cache = QuoteCache::new();
    for number in 0..QUOTES_MAX + 2 {
        let origin = QuoteOrigin::Live;
        cache.keep(&ObservedQuote { query: query(number), usd: n("1"), asked_at: asked(number), source: "s".into(), origin });
    }
    assert_eq!(cache.len(), QUOTES_MAX);
    let found = |number: usize| cache.find(&query(number)).is_some();
    assert_eq!([found(0), found(1), found(2), found(QUOTES_MAX + 1)], [false, false, true, true]);
    assert_eq!(QuoteCache::from_json(&cache.to_json()), Ok(cache.clone()));
    // A clip that was asked again is as old as its last quote.
    let again = |number: usize, seconds: usize| ObservedQuote {
        query: query(number),
        usd: n("2"),
        asked_at: asked(seconds),
        source: "s".into(),
        origin: QuoteOrigin::Live,
    };
    cache.keep(&again(2, QUOTES_MAX * 2));
    cache.keep(&again(QUOTES_MAX + 2, QUOTES_MAX * 2));
    assert_eq!([2, 3, 4].map(|number| cache.find(&query(number)).is_some()), [true, false, true]);
    assert_eq!(cache.len(), QUOTES_MAX);
}

proptest! {
    /// Whatever is quoted for a clip, the total is that, times the card's unit, times the runs.
    #[test]
    fn a_total_is_the_quote(nanos in 1u64..=10_000_000_000_000, runs in 1u32..1_000, model in 0usize..64) {
        let card = card();
        let clips: Vec<_> = card.models().iter().filter(|m| m.video.is_some()).collect();
        let run = Run::base(clips[model % clips.len()]).times(runs);
        let usd = Exact::new(nanos.into(), 9);
        let quoted = ObservedQuote { usd, ..live(&run, "1") };
        let priced = quote_with(&card, &run, &Terms::default(), Some(&quoted), now()).expect("a price");
        prop_assert_eq!(priced.usd, Some(usd.mul(runs.into()).expect("fits")));
        prop_assert_eq!(priced.total, usd.mul(n("10000")).and_then(|c| c.mul(runs.into())).expect("fits"));
        prop_assert_eq!(priced.evidence, Evidence::LiveQuote);
    }

    /// Nothing that is answered panics, and what is read is a price.
    #[test]
    fn answers_are_prices_or_refused(answer in "\\PC{0,60}", number in "-?[0-9]{1,12}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        let query = ClipQuery::of(&card(), &veo()).expect("a clip");
        for body in [answer, format!("{{\"quote\": {number}}}")] {
            if let Ok(quoted) = ObservedQuote::read(query.clone(), body.as_bytes(), "s", now()) {
                prop_assert!(quoted.usd > Exact::ZERO && quoted.usd <= n("10000") && quoted.usd.scale() <= 9);
            }
        }
    }

    #[test]
    fn no_cache_file_panics(text in "\\PC{0,200}") {
        prop_assert!(QuoteCache::from_json(&text).is_err());
    }
}

#[test]
fn sounds_are_asked_for_only_where_they_are_a_choice() {
    for model in card().models() {
        let Some(rules) = &model.video else { continue };
        let query = ClipQuery::of(&card(), &Run::base(model)).expect("a clip");
        assert_eq!(query.audio.is_some(), rules.audio == AudioRule::Choice, "{}", model.id);
        assert_eq!(query.resolution.is_some(), !rules.resolutions.is_empty(), "{}", model.id);
    }
}
