//! new-api's price list: ratios, groups, its own rounding, expressions, and what is refused.

mod import_support;

use aispace_pricing::{Discount, Feed, ImportError, ImportTerms, Kind, Meter, RateCard, Run, Terms, Usage, import, quote};
use import_support::{NEW_API, NEW_API_MORE, cost, rates, read, reason, reasons, refused, terms, usage};

fn tokens(input: u64, cached: u64, output: u64) -> Usage {
    usage([(Meter::InputTokens, input), (Meter::CacheReadTokens, cached), (Meter::OutputTokens, output)])
}

/// What is posted for a run in a group.
fn posted(card: &RateCard, id: &str, usage: Usage, group: &str) -> String {
    let quoted = quote(card, &Run::new(id, usage), &Terms { channel: Discount::Named(group.to_owned()), ..Terms::default() });
    quoted.map_or_else(|error| error.to_string(), |quote| quote.posted().expect("fits").to_string())
}

#[test]
fn a_ratio_of_one_is_two_dollars_a_million() {
    let card = read(Feed::NewApi, NEW_API).card;
    assert_eq!(
        rates(&card, "example-chat"),
        [
            "input_tokens 2.5 per 1M",
            "output_tokens 4 × input_tokens",
            "cache_read_tokens 0.5 × input_tokens",
            "cache_write_5m_tokens 1.25 × input_tokens",
            "cache_write_1h_tokens 2 × input_tokens"
        ],
        "a write costs 1.25 times where the list does not say, and one of an hour 1.6 times that"
    );
    // 1,000 sent, of which 400 cached, and 200 answered: 600 × 2.5 + 400 × 1.25 + 200 × 10 a million.
    assert_eq!(cost(&card, "example-chat", tokens(600, 400, 200)), "0.004");
}

#[test]
fn sound_answered_is_both_ratios_of_what_is_sent() {
    let card = read(Feed::NewApi, NEW_API).card;
    assert_eq!(cost(&card, "example-audio", usage([(Meter::InputAudioTokens, 100)])), "0.004");
    assert_eq!(cost(&card, "example-audio", usage([(Meter::OutputAudioTokens, 100)])), "0.008", "2.5 × 16 × 2, whatever words cost");
    let more = read(Feed::NewApi, NEW_API_MORE).card;
    assert_eq!(
        cost(&more, "made-up-sound-out", usage([(Meter::OutputAudioTokens, 1_000)])),
        "0.004",
        "without a ratio of sound, times one"
    );
    assert_eq!(
        cost(&more, "made-up-rounded", usage([(Meter::InputImageTokens, 1_000_000)])),
        "0.12",
        "0.075 × 2, and 0.8 for the only group"
    );
}

#[test]
fn groups_are_channels() {
    let card = read(Feed::NewApi, NEW_API_MORE).card;
    let channels = card.file().channels.as_ref().expect("groups");
    assert_eq!(channels.default, "default");
    let values: Vec<String> = channels.values.iter().map(|c| format!("{} {} {:?}", c.id, c.factor, c.name)).collect();
    assert_eq!(values, [r#"default 1 Some("Everybody")"#, "svip 0.65 None", r#"vip 0.8 Some("Good customers")"#]);
    let served = |id: &str| card.model(id).expect(id).channels.clone();
    assert_eq!(served("made-up-rounded"), ["vip"]);
    assert!(served("made-up-free").is_empty() && served("made-up-tiers").is_empty(), "all of them");
    assert_eq!(posted(&card, "made-up-tiers", tokens(1_000_000, 0, 0), "svip"), "2.6");
    assert!(posted(&card, "made-up-rounded", tokens(1, 0, 0), "svip").contains("vip"), "a group that the model is not enabled for");
    assert_eq!(card.model("made-up-rounded").expect("imported").group.as_deref(), Some("Made-up Vendor"));
}

#[test]
fn a_cost_is_posted_in_whole_quota() {
    let card = read(Feed::NewApi, NEW_API_MORE).card;
    // 0.0375 × 2 dollars a million: 13 tokens are 0.4875 quota, 14 are 0.525, 40 are 1.5.
    let post = |tokens_sent| posted(&card, "made-up-rounded", tokens(tokens_sent, 0, 0), "vip");
    assert_eq!([post(0), post(1), post(16), post(17), post(50)], ["0", "0.000002", "0.000002", "0.000002", "0.000004"]);
}

#[test]
fn requests_and_pictures_have_one_price() {
    let card = read(Feed::NewApi, NEW_API_MORE).card;
    assert_eq!(rates(&card, "made-up-request"), ["requests 0.005 per 1"]);
    assert_eq!(rates(&card, "made-up-request-expr"), ["requests 0.01 per 1"]);
    assert_eq!(rates(&card, "made-up-picture"), ["images 0.04 per 1"], "each picture of a request is charged");
    assert_eq!(card.model("made-up-picture").expect("imported").kind, Kind::Image);
    assert_eq!(card.model("made-up-embedding").expect("imported").kind, Kind::Embedding);
    assert_eq!(cost(&card, "made-up-free", tokens(1_000, 0, 1_000)), "0");
}

#[test]
fn expressions_are_prices_by_the_size_of_the_prompt() {
    let card = read(Feed::NewApi, NEW_API).card;
    let run = |input, cached| cost(&card, "example-tiered", tokens(input, cached, 1_000));
    assert_eq!(run(200_000, 0), "0.615");
    assert_eq!(run(200_001, 0), "1.222506");
    assert_eq!(run(100_000, 100_001), "0.6825006", "the whole prompt counts, cached or not");
    let more = read(Feed::NewApi, NEW_API_MORE).card;
    assert_eq!(
        rates(&more, "made-up-tiers").iter().filter(|r| r.starts_with("input_tokens")).collect::<Vec<_>>(),
        [
            "input_tokens 1 per 1M",
            r#"input_tokens 2 per 1M {"prompt_tokens":{"over":32000}}"#,
            r#"input_tokens 4 per 1M {"prompt_tokens":{"over":128000}}"#
        ]
    );
    assert_eq!(cost(&more, "made-up-tiers", usage([(Meter::CacheWrite1hTokens, 1_000)])), "0.00125", "without cc1h, cc counts every write");
    assert!(cost(&more, "made-up-tiers", usage([(Meter::OutputImageTokens, 1_000)])) == "0.002", "what has no variable is in p or c");
}

#[test]
fn what_is_not_understood_is_listed_with_its_reason() {
    let import = read(Feed::NewApi, NEW_API_MORE);
    for (id, expected) in [
        ("odd-unset", "model_ratio: 37.5 is what the site answers where nobody has set a price"),
        ("odd-sentinel", "model_price is -1, and a price is never below zero"),
        ("odd-new-price", "task_per_second_price may be charged, and is not known"),
        ("odd-mode", "models of type \"per_second\" are not known"),
        ("odd-quota-type", "it has no quota_type of 0 or 1"),
        ("odd-group", "enable_groups: none of its groups has a ratio"),
        ("dall-e-3", "model_price: a picture's price is multiplied by its size and quality, which the list does not tell"),
        ("odd-no-completion", "it has no completion_ratio"),
        ("odd-expr", "billing_expr: arithmetic on whole tiers cannot be said in a rate card"),
    ] {
        assert_eq!(reason(&import, id), expected, "{id}");
    }
    assert_eq!((import.card.models().len(), import.skipped.len()), (8, 9));
    let (id, why) = reasons(&read(Feed::NewApi, NEW_API)).pop().expect("one is skipped");
    assert_eq!(id, "example-video-per-second");
    assert!(why.contains("length and size"), "{why}");
}

#[test]
fn a_feed_without_its_groups_is_refused() {
    assert!(matches!(refused(Feed::NewApi, r#"{"data": []}"#), ImportError::Shape { .. }));
    assert_eq!(
        refused(Feed::NewApi, r#"{"success": false, "message": "not for you"}"#),
        ImportError::Failed { message: "not for you".into() }
    );
    assert!(matches!(refused(Feed::NewApi, r#"{"data": [], "group_ratio": {"default": -1}}"#), ImportError::Factor(_)));
    assert!(matches!(refused(Feed::NewApi, r#"{"data": [], "group_ratio": {"a": 1, "a": 2}}"#), ImportError::Factor(_)));
    let many: Vec<String> = (0..300).map(|n| format!("\"g{n}\": 1")).collect();
    assert!(matches!(
        refused(Feed::NewApi, &format!(r#"{{"data": [], "group_ratio": {{{}}}}}"#, many.join(","))),
        ImportError::TooMany { .. }
    ));
}

#[test]
fn the_group_of_a_run_that_names_none_is_known() {
    let two = r#"{"data": [], "group_ratio": {"a": 1, "b": 2}}"#;
    let with = |group: Option<&str>| import(Feed::NewApi, two.as_bytes(), &ImportTerms { group: group.map(str::to_owned), ..terms() });
    let known = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(with(None).expect_err("two groups"), ImportError::Group { given: None, known: known.clone() });
    assert_eq!(with(Some("c")).expect_err("no group"), ImportError::Group { given: Some("c".into()), known });
    let card = with(Some("b")).expect("a group").card;
    assert_eq!(card.file().channels.as_ref().map(|c| c.default.as_str()), Some("b"));
}
