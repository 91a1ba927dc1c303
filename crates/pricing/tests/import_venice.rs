//! Venice's list of models: every type of it, exact, and what is refused.

mod import_support;

use aispace_pricing::{Capability, Feed, Kind, Meter, Run};
use import_support::{VENICE, VENICE_MORE, cost, cost_of, rates, read, reason, reasons, usage};

const SECOND: u64 = 1_000;

#[test]
fn every_type_becomes_its_meters() {
    let card = read(Feed::VeniceModels, VENICE).card;
    assert_eq!(rates(&card, "llama-3.3-70b"), ["input_tokens 0.7 per 1M", "output_tokens 2.8 per 1M"]);
    assert_eq!(
        rates(&card, "claude-opus-5"),
        [
            "input_tokens 6 per 1M",
            "output_tokens 30 per 1M",
            "cache_read_tokens 0.6 per 1M",
            "cache_write_5m_tokens 7.5 per 1M",
            "cache_write_1h_tokens 7.5 per 1M"
        ]
    );
    assert_eq!(rates(&card, "text-embedding-bge-m3"), ["input_tokens 0.15 per 1M", "output_tokens 0.6 per 1M"]);
    assert_eq!(
        rates(&card, "z-image-turbo"),
        ["images 0.01 per 1", r#"images 0.02 per 1 {"options":{"upscale":"2x"}}"#, r#"images 0.08 per 1 {"options":{"upscale":"4x"}}"#]
    );
    assert_eq!(rates(&card, "flux-2-max-edit"), ["images 0.12 per 1", "input_images 0.0345 per 1 but 1"]);
    assert_eq!(rates(&card, "tts-kokoro"), ["characters 3.5 per 1M"]);
    assert_eq!(rates(&card, "openai/whisper-large-v3"), ["audio_seconds 0.0001 per 1"]);
    assert_eq!(rates(&card, "lyria-3-pro"), ["generations 0.1 per 1"]);
    assert_eq!(rates(&card, "mmaudio-v2-text-to-audio"), ["audio_seconds 0.00092 per 1"], "0.0009200000000000001 is a binary float's way");
    assert_eq!(rates(&card, "elevenlabs-tts-v3"), ["characters 0.115 per 1k"], "and so is 0.11500000000000002");
    let kinds: Vec<Kind> = card.models().iter().map(|m| m.kind).collect();
    assert_eq!(kinds.iter().filter(|k| **k == Kind::Image).count(), 4);
    assert_eq!(kinds.iter().filter(|k| **k == Kind::Audio).count(), 6);
}

#[test]
fn a_long_prompt_costs_more_from_its_first_token() {
    let card = read(Feed::VeniceModels, VENICE).card;
    let run = |input, cached| {
        cost(&card, "openai-gpt-55", usage([(Meter::InputTokens, input), (Meter::CacheReadTokens, cached), (Meter::OutputTokens, 1_000)]))
    };
    assert_eq!(run(272_000, 0), "1.7375", "the threshold itself is not over it");
    assert_eq!(run(272_001, 0), "3.4562625");
    assert_eq!(run(271_000, 1_001), "3.44500125", "what is cached is a part of the prompt");
}

#[test]
fn resolutions_and_qualities_are_options() {
    let card = read(Feed::VeniceModels, VENICE).card;
    let run = |options: &[(&str, &str)]| {
        let mut run = Run::new("gpt-image-2", usage([(Meter::Images, 2)]));
        run.options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        cost_of(&card, &run)
    };
    assert_eq!(run(&[("resolution", "1K")]), "0.54");
    assert_eq!(run(&[("resolution", "4K"), ("quality", "medium")]), "0.42");
    assert_eq!(run(&[("upscale", "4x")]), "0.16");
    assert!(run(&[("resolution", "8K")]).contains("1K, 2K, 4K"), "the allowed ones are named");
}

#[test]
fn edits_count_pictures_sent_beyond_those_included() {
    let card = read(Feed::VeniceModels, VENICE).card;
    let run = |sent| cost(&card, "flux-2-max-edit", usage([(Meter::Images, 1), (Meter::InputImages, sent)]));
    assert_eq!([run(1), run(2), run(4)], ["0.12", "0.1545", "0.2235"]);
    let more = read(Feed::VeniceModels, VENICE_MORE).card;
    assert_eq!(cost(&more, "made-up-edit", usage([(Meter::Images, 1)])), "0.53", "the model's own resolution, where it is told");
    assert_eq!(cost(&more, "made-up-edit-plain", usage([(Meter::Images, 1)])), "0.06", "the plain price, where it is not");
}

#[test]
fn pieces_of_music_are_priced_by_their_length() {
    let card = read(Feed::VeniceModels, VENICE).card;
    let run = |seconds: u64| cost(&card, "elevenlabs-music", usage([(Meter::Generations, 1), (Meter::AudioSeconds, seconds * SECOND)]));
    assert_eq!([run(3), run(60), run(61), run(180), run(600)], ["0.69", "0.69", "1.38", "2.08", "6.9"]);
    assert!(run(2).contains("no price") && run(601).contains("no price"), "{} {}", run(2), run(601));
}

#[test]
fn a_discount_is_exact() {
    let card = read(Feed::VeniceModels, VENICE_MORE).card;
    assert_eq!(rates(&card, "made-up-resold"), ["input_tokens 0.595 per 1M", "output_tokens 2.38 per 1M"]);
}

#[test]
fn nothing_is_a_price_when_it_is_said() {
    let card = read(Feed::VeniceModels, VENICE_MORE).card;
    assert_eq!(cost(&card, "made-up-free", usage([(Meter::InputTokens, 1_000), (Meter::OutputTokens, 1_000)])), "0");
}

#[test]
fn what_describes_is_taken_along() {
    let card = read(Feed::VeniceModels, VENICE_MORE).card;
    let model = card.model("made-up-long").expect("imported");
    assert_eq!(model.name, "Made-up Long");
    assert_eq!((model.limits.context_tokens, model.limits.output_tokens), (Some(1_000_000), Some(64_000)));
    assert_eq!((model.added, model.retired), ("2026-04-23".parse().ok(), "2026-12-24".parse().ok()));
    assert!(model.note.as_deref().is_some_and(|note| note.contains("offline")));
    let words = [
        Capability::FunctionCalling,
        Capability::Vision,
        Capability::Reasoning,
        Capability::Uncensored,
        Capability::Beta,
        Capability::VideoInput,
        Capability::StructuredOutput,
        Capability::WebSearch,
        Capability::Code,
    ];
    assert_eq!(model.capabilities, words);
    assert_eq!(
        rates(&card, "made-up-long").last().map(String::as_str),
        Some(r#"cache_write_1h_tokens 6.25 per 1M {"prompt_tokens":{"over":200000}}"#)
    );
}

#[test]
fn clips_have_no_list_price() {
    let import = read(Feed::VeniceModels, VENICE);
    assert_eq!(reasons(&import), [("wan-2.6-text-to-video".to_owned(), "pricing: clips have no list price, only quotes".to_owned())]);
    assert_eq!(import.card.models().len(), 14);
}

#[test]
fn what_is_not_understood_is_listed_with_its_reason() {
    let import = read(Feed::VeniceModels, VENICE_MORE);
    for (id, expected) in [
        ("odd-negative", "input.usd is -1, and a price is never below zero"),
        ("odd-text", "input.usd is \"free\", which is not a number"),
        ("odd-no-output", "it has no output"),
        ("odd-new-price", "thinking may be charged, and is not known"),
        ("odd-new-part", "input.minimum may be charged, and is not known"),
        ("odd-surcharge", "surcharge may be charged, and is not known"),
        ("odd-type", "models of type \"hologram\" are not known"),
        ("odd-discount", "discount_to_user: a discount is below 1"),
        ("odd-two-prices", "pricing: music has one price, not several"),
        ("odd-overlap", "durations: lengths that overlap have two prices"),
        ("odd-half-extended", "it has no extended.cache_input"),
        ("odd-twice-in-one", "usd stands there twice"),
        ("odd-tiny", "per_audio_second has more digits than are kept exactly: 0.000000000001"),
        ("odd-no-pricing", "it has no pricing"),
        ("odd-twice", "it is listed more than once"),
        ("#21", "it has no id"),
        ("#22", "the model is not an object"),
    ] {
        assert_eq!(reason(&import, id), expected, "{id}");
    }
    assert_eq!(import.card.models().len(), 5);
    assert_eq!(import.skipped.len(), 18, "both of the two that share an id");
}
