//! OpenRouter's list of models: prices as written, overrides, units, and what is refused.

mod import_support;

use aispace_pricing::{Capability, Feed, Meter, Run};
use import_support::{OPEN_ROUTER, cost, cost_at, rates, read, reason, usage};

#[test]
fn prices_are_taken_as_written() {
    let import = read(Feed::OpenRouter, OPEN_ROUTER);
    let card = &import.card;
    assert_eq!(
        rates(card, "made-up/chat"),
        [
            "input_tokens 3 per 1M",
            "output_tokens 15 per 1M",
            "cache_read_tokens 0.3 per 1M",
            "input_audio_tokens 40 per 1M",
            "output_audio_tokens 80 per 1M",
            "cache_write_5m_tokens 3.75 per 1M",
            "cache_write_1h_tokens 6 per 1M",
            "input_images 0.0048 per 1",
            "requests 0 per 1",
            "web_searches 0.01 per 1"
        ],
        "thinking of no price of its own is answered tokens"
    );
    assert_eq!(rates(card, "made-up/fine"), ["input_tokens 0.612345678901234567 per 1M", "output_tokens 0.612 per 1M"]);
    assert_eq!(cost(card, "made-up/fine", usage([(Meter::InputTokens, 1)])), "0.000000612345678901234567");
    assert_eq!(cost(card, "made-up/chat:free", usage([(Meter::InputTokens, 9), (Meter::OutputTokens, 9)])), "0");
    assert_eq!(rates(card, "made-up/discounted"), ["input_tokens 1.5 per 1M", "output_tokens 6 per 1M"]);
    assert_eq!(import.ignored.len(), 1, "sound out of a cache");
    assert_eq!((import.ignored[0].field.as_str(), import.ignored[0].models), ("input_audio_cache", 1));
}

#[test]
fn what_describes_is_taken_along() {
    let card = read(Feed::OpenRouter, OPEN_ROUTER).card;
    let model = card.model("made-up/chat").expect("imported");
    assert_eq!((model.name.as_str(), model.group.as_deref()), ("Made-up: Chat", Some("made-up")));
    assert_eq!((model.limits.context_tokens, model.limits.output_tokens), (Some(200_000), Some(64_000)));
    assert_eq!((model.added, model.retired), ("2026-08-01".parse().ok(), "2027-01-31".parse().ok()));
    let words = [
        Capability::FunctionCalling,
        Capability::Vision,
        Capability::Reasoning,
        Capability::AudioInput,
        Capability::StructuredOutput,
        Capability::WebSearch,
    ];
    assert_eq!(model.capabilities, words);
    assert!(card.find("made-up/chat-20260801").is_none(), "a slug of two models is neither's");
}

#[test]
fn a_threshold_is_strictly_above() {
    let card = read(Feed::OpenRouter, OPEN_ROUTER).card;
    let run = |input, written| cost(&card, "made-up/long", usage([(Meter::InputTokens, input), (Meter::CacheWrite5mTokens, written)]));
    assert_eq!(run(200_000, 0), "0.25");
    assert_eq!(run(200_001, 0), "0.5000025");
    // Where a write costs less than reading the tokens in, its price is what keeping them costs on top.
    assert_eq!(run(0, 1_000_000), "2.875");
    assert_eq!(run(0, 1_000), "0.001625");
}

#[test]
fn windows_and_days_are_those_of_utc() {
    let card = read(Feed::OpenRouter, OPEN_ROUTER).card;
    let at = |instant: &str| cost_at(&card, &Run::new("made-up/night", usage([(Meter::InputTokens, 1_000_000)])), instant);
    for (instant, expected) in [
        ("2026-10-05T00:29:59Z", "0.28"), // a Monday
        ("2026-10-05T00:30:00Z", "0.56"),
        ("2026-10-05T16:29:59Z", "0.56"),
        ("2026-10-05T16:30:00Z", "0.28"),
        ("2026-10-09T23:59:59Z", "0.28"),
        ("2026-10-10T00:00:00Z", "0.14"), // a Saturday
        ("2026-10-11T23:59:59Z", "0.14"),
        ("2026-10-12T00:00:00Z", "0.28"),
    ] {
        assert_eq!(at(instant), expected, "{instant}");
    }
}

#[test]
fn a_price_of_a_picture_tells_its_unit_by_its_size() {
    let card = read(Feed::OpenRouter, OPEN_ROUTER).card;
    assert!(!rates(&card, "made-up/long").iter().any(|r| r.starts_with("input_images")), "the price of a token is of tokens");
    assert_eq!(
        rates(&card, "made-up/picture"),
        [
            "input_tokens 0 per 1M",
            "output_tokens 0 per 1M",
            "input_image_tokens 10.7784431137725 per 1M",
            "input_images 0.003 per 1",
            "output_image_tokens 10.7784431137725 per 1M"
        ]
    );
}

#[test]
fn what_is_not_understood_is_listed_with_its_reason() {
    let import = read(Feed::OpenRouter, OPEN_ROUTER);
    for (id, expected) in [
        ("odd/auto", "prompt is \"-1\", and a price is never below zero"),
        ("odd/words", "prompt is \"on request\", which is not a number"),
        ("odd/no-completion", "it has no completion"),
        ("odd/new-price", "tool_use may be charged, and is not known"),
        ("odd/new-condition", "overrides.min_output_tokens may be charged, and is not known"),
        ("odd/always", "overrides: a price that always takes the place of another"),
        ("odd/half-window", "it has no utc_end"),
        ("odd/clock", "utc_start is not a time of day"),
        ("odd/speech", "architecture.output_modalities: the unit of its prices is not told"),
        ("odd/image-unit", "image: too little for a picture, and not the price of a token"),
        ("odd/output-unit", "image_output: too much for a token, and the list does not tell of what it is"),
        ("odd/tiers", "pricing is not an object"),
    ] {
        assert_eq!(reason(&import, id), expected, "{id}");
    }
    assert_eq!((import.card.models().len(), import.skipped.len()), (8, 12));
}
