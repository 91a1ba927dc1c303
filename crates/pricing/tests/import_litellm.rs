//! LiteLLM's price map: tokens, thresholds, tiers, windows, media, and what is refused.

mod import_support;

use aispace_pricing::{Capability, Feed, Kind, Meter, Run};
use import_support::{LITE_LLM, cost, cost_at, cost_of, rates, read, reason, usage};

fn chat(id: &str, counts: &[(Meter, u64)], tier: Option<&str>) -> Run {
    Run { tier: tier.map(str::to_owned), ..Run::new(id, counts.iter().copied().collect()) }
}

#[test]
fn prices_are_taken_as_written() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    assert_eq!(rates(&card, "made-up/fine"), ["input_tokens 0.18000000000000002 per 1M", "output_tokens 0.3 per 1M"]);
    assert_eq!(rates(&card, "made-up/free"), ["input_tokens 0 per 1M", "output_tokens 0 per 1M"]);
    let model = card.model("made-up/chat").expect("imported");
    assert_eq!((model.limits.context_tokens, model.limits.output_tokens), (Some(200_000), Some(64_000)));
    assert_eq!((model.group.as_deref(), model.retired), (Some("made-up"), "2027-05-14".parse().ok()));
    assert_eq!(model.capabilities, [Capability::FunctionCalling, Capability::Vision, Capability::Reasoning, Capability::StructuredOutput]);
}

#[test]
fn thresholds_are_above_and_those_of_xai_from() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let run = |counts: &[(Meter, u64)]| cost_of(&card, &chat("made-up/chat", counts, None));
    assert_eq!(run(&[(Meter::InputTokens, 200_000), (Meter::OutputTokens, 1_000)]), "0.615");
    assert_eq!(run(&[(Meter::InputTokens, 200_001), (Meter::OutputTokens, 1_000)]), "1.222506");
    assert_eq!(run(&[(Meter::InputTokens, 100_000), (Meter::CacheReadTokens, 100_001)]), "0.6600006");
    assert_eq!(run(&[(Meter::CacheWrite5mTokens, 1_000), (Meter::CacheWrite1hTokens, 1_000)]), "0.00975");
    assert_eq!(run(&[(Meter::InputTokens, 200_000), (Meter::CacheWrite1hTokens, 1_000)]), "1.212");
    assert_eq!(cost(&card, "xai/made-up", usage([(Meter::InputTokens, 127_999)])), "0.255998");
    assert_eq!(cost(&card, "xai/made-up", usage([(Meter::InputTokens, 128_000)])), "0.512");
}

#[test]
fn service_tiers_fall_back_to_the_standard_price() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let run = |tier, counts: &[(Meter, u64)]| cost_of(&card, &chat("made-up/chat", counts, Some(tier)));
    assert_eq!(run("batch", &[(Meter::InputTokens, 1_000_000 / 10)]), "0.15");
    assert_eq!(run("priority", &[(Meter::InputTokens, 100_000), (Meter::OutputTokens, 100_000)]), "3.24");
    assert_eq!(run("priority", &[(Meter::CacheReadTokens, 100_000)]), "0.03", "no price of its own in this tier");
    assert_eq!(run("priority", &[(Meter::InputTokens, 300_000)]), "1.8", "above a threshold its own price is the standard one");
    assert!(run("turbo", &[(Meter::InputTokens, 1)]).contains("batch, priority"), "the known tiers are named");
}

#[test]
fn thinking_follows_the_answer_where_a_tier_prices_only_that() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let run = |tier| cost_of(&card, &chat("made-up/thinks", &[(Meter::ReasoningTokens, 1_000_000)], tier));
    assert_eq!([run(None), run(Some("flex"))], ["3.5", "5"]);
    let import = read(Feed::LiteLlm, LITE_LLM);
    assert!(import.ignored.iter().any(|i| i.field == "input_cost_per_image"), "pictures are tokens here");
}

#[test]
fn tiers_by_size_are_for_the_whole_request() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let run = |input, cached| {
        cost(&card, "made-up/tiers", usage([(Meter::InputTokens, input), (Meter::CacheReadTokens, cached), (Meter::OutputTokens, 1_000)]))
    };
    assert_eq!(run(256_000, 0), "0.0132");
    assert_eq!(run(256_001, 0), "0.06600025");
    assert_eq!(run(1_000, 1_000), "0.00046");
    assert_eq!(run(300_000, 1_000), "0.07725", "a tier without a price of cached tokens charges them as sent");
}

#[test]
fn windows_replace_prices() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let at = |instant: &str| cost_at(&card, &Run::new("made-up/night", usage([(Meter::InputTokens, 1_000_000)])), instant);
    for (instant, expected) in [
        ("2026-10-05T00:59:59Z", "0.15"), // a Monday
        ("2026-10-05T01:00:00Z", "0.3"),
        ("2026-10-05T10:00:00Z", "0.15"),
        ("2026-10-10T05:00:00Z", "0.15"), // a Saturday
        ("2026-10-12T05:00:00Z", "0.3"),
    ] {
        assert_eq!(at(instant), expected, "{instant}");
    }
}

#[test]
fn searches_cost_by_what_they_bring_along() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let run = |size: Option<&str>| {
        let mut run = Run::new("made-up/chat", usage([(Meter::WebSearches, 10)]));
        run.options.extend(size.map(|size| ("search_context_size".to_owned(), size.to_owned())));
        cost_of(&card, &run)
    };
    assert_eq!([run(None), run(Some("low")), run(Some("medium")), run(Some("high"))], ["0.35", "0.3", "0.35", "0.5"]);
}

#[test]
fn media_are_priced_by_what_the_model_is_for() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    assert_eq!(rates(&card, "1024-x-1024/made-up/dall"), ["megapixels 0.019 per 1"]);
    assert_eq!(cost(&card, "1024-x-1024/made-up/dall", usage([(Meter::Megapixels, 1_048_576)])), "0.019922944");
    assert_eq!(rates(&card, "made-up/draws"), ["images 0.04 per 1"]);
    assert_eq!(
        rates(&card, "made-up/draws-sizes"),
        ["images 0.08 per 1", r#"images 0.06 per 1 {"resolution":"0.5K"}"#, r#"images 0.16 per 1 {"resolution":"4K"}"#]
    );
    assert_eq!(
        rates(&card, "made-up/draws-tokens"),
        ["input_image_tokens 10 per 1M", "input_tokens 5 per 1M", "output_image_tokens 40 per 1M"],
        "a picture's tokens are charged, and not the picture again"
    );
    assert_eq!(rates(&card, "made-up/speaks"), ["characters 15 per 1M"]);
    assert_eq!(rates(&card, "made-up/listens"), ["audio_seconds 0.0001 per 1"]);
    assert_eq!(rates(&card, "made-up/finds"), ["web_searches 0.005 per 1"]);
    assert_eq!(rates(&card, "made-up/ranks").last().map(String::as_str), Some("requests 0.002 per 1"));
    assert_eq!(
        rates(&card, "made-up/embeds-all"),
        ["input_tokens 0.8 per 1M", "audio_seconds 0.00014 per 1", "input_images 0.0001 per 1", "video_seconds 0.0007 per 1"]
    );
    let kinds = ["made-up/chat", "made-up/embed", "made-up/draws", "made-up/films", "made-up/speaks", "made-up/finds", "made-up/ranks"];
    let kinds = kinds.map(|id| card.model(id).expect(id).kind);
    assert_eq!(kinds, [Kind::Chat, Kind::Embedding, Kind::Image, Kind::Video, Kind::Audio, Kind::Search, Kind::Call]);
}

#[test]
fn a_clip_costs_by_its_resolution() {
    let card = read(Feed::LiteLlm, LITE_LLM).card;
    let run = |resolution: Option<&str>| {
        let mut run = Run::new("made-up/films", usage([(Meter::VideoSeconds, 5_000)]));
        run.options.extend(resolution.map(|r| ("resolution".to_owned(), r.to_owned())));
        cost_of(&card, &run)
    };
    assert_eq!([run(None), run(Some("1080p"))], ["0.5", "0.75"]);
    assert!(run(Some("8k")).contains("1080p"), "the allowed ones are named");
}

#[test]
fn what_is_not_understood_is_listed_with_its_reason() {
    let import = read(Feed::LiteLlm, LITE_LLM);
    for (id, expected) in [
        ("sample_spec", "it is no model: the sample that explains the fields"),
        ("odd/negative", "input_cost_per_token is -1, and a price is never below zero"),
        ("odd/words", "input_cost_per_token is \"cheap\", which is not a number"),
        ("odd/new-price", "output_cost_per_emoji may be charged, and is not known"),
        ("odd/new-tier", "input_cost_per_token_turbo may be charged, and is not known"),
        ("odd/rented", "input_cost_per_second: seconds of computing are not counted"),
        ("odd/pages", "ocr_cost_per_page may be charged, and is not known"),
        ("odd/clips-sent", "input_cost_per_video_token: tokens of clips are counted with the others"),
        ("odd/two-thresholds", "output_cost_per_token_above_128k_tokens: the highest threshold does not name it"),
        ("odd/two-names", "cache_read_tokens: two names give two prices of it"),
        ("odd/gap", "tiered_pricing: tiers that leave sizes out or have two prices for them"),
        ("odd/elsewhere", "off_peak_pricing.weekday_timezone: days of the week are those of UTC"),
        ("odd/no-price", "it has no price"),
        ("odd/only-a-tier", "does not quote at its base run: no price is known for odd/only-a-tier at input_tokens"),
        ("odd/twice", "it is listed more than once"),
    ] {
        assert_eq!(reason(&import, id), expected, "{id}");
    }
    let left_out: Vec<&str> = import.ignored.iter().map(|i| i.field.as_str()).collect();
    assert_eq!(
        left_out,
        [
            "cache_read_input_image_token_cost",
            "google_maps_grounding_cost_per_query",
            "input_cost_per_image",
            "output_cost_per_image",
            "provider_specific_entry"
        ]
    );
    assert_eq!((import.card.models().len(), import.skipped.len()), (18, 16));
}
