//! Metered runs over a real socket: what they are charged, why, and what is refused.

mod support;

use aispace_api::{
    AccountAnswer, EXPLANATION_BYTES_MAX, ErrorAnswer, ErrorCode, Explained, Explanation, LineRole, PostedAnswer, UsageAnswer, UsageEntry,
    UsageKind,
};
use aispace_pricing::request::RunRequest;
use aispace_pricing::{Meter, RateCard, Run, Terms, quote};
use aispace_units::Exact;
use chrono::TimeDelta;
use serde_json::{Value, json};
use support::{Reply, World, get, post, start_time};

/// A call by the operator that names the account.
async fn call(world: &World, path: &str, account: &str, key: &str, mut body: Value) -> Reply {
    body["account_id"] = json!(account);
    world.send(post(path, body).operator().key(key)).await
}

async fn debit(world: &World, account: &str, key: &str, metered: Value) -> Reply {
    call(world, "/v1/debits", account, key, json!({"metered": metered})).await
}

async fn settle(world: &World, account: &str, hold: &str, key: &str, metered: Value) -> Reply {
    call(world, &format!("/v1/holds/{hold}/settle"), account, key, json!({"metered": metered})).await
}

async fn log(world: &World, key: &str) -> Vec<UsageEntry> {
    let page: UsageAnswer = world.send(get("/v1/account/usage?limit=200").bearer(key)).await.ok(200);
    page.entries
}

async fn with_credits(world: &World, credits: &str) -> (String, String) {
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", credits).await.ok(201);
    (account, key)
}

fn chat(input: u64, output: u64) -> Value {
    json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": input, "output_tokens": output}})
}

fn metered(answer: &PostedAnswer) -> String {
    answer.metered_credits.expect("a metered call says what it came to").to_string()
}

/// What is free, held and owed.
fn sums(answer: &PostedAnswer) -> [String; 3] {
    [answer.available_credits, answer.held_credits, answer.debt_credits].map(|credits| credits.to_string())
}

fn texts(sums: [&str; 3]) -> [String; 3] {
    sums.map(str::to_owned)
}

/// The explanation of an entry, whose lines come to its total and whose amount is what the entry took.
fn explained(entry: &UsageEntry) -> &Explanation {
    let why = entry.explanation.as_deref().unwrap_or_else(|| panic!("{entry:?}"));
    let of = |role| why.lines.iter().filter(move |line| line.role == role);
    let one = of(LineRole::Charge).fold(Exact::ZERO, |sum, line| sum.add(line.amount).expect("fits"));
    let one = of(LineRole::Factor).fold(one, |cost, line| cost.mul(line.rate).expect("fits"));
    assert_eq!(one.mul(why.metered.runs.unwrap_or(1).into()).expect("fits"), why.total, "{why:#?}");
    let taken = match why.of {
        Explained::Hold => entry.held_change_credits.to_string(),
        // What was taken and what is owed.
        Explained::Charge | Explained::Unknown => entry.debt_change_credits.minus(entry.change_credits).to_string(),
    };
    assert_eq!(taken, why.credits.to_string(), "{entry:?}");
    why
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metered_debit_is_priced_and_explained() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "10").await;
    let posted: PostedAnswer = debit(&world, &account, "d", chat(500, 200)).await.ok(201);
    assert_eq!((metered(&posted), posted.available_credits.to_string()), ("0.55".into(), "9.45".into()));

    let entries = log(&world, &key).await;
    let why = explained(&entries[0]);
    assert_eq!((why.of, why.total.to_string(), why.unit.as_str()), (Explained::Charge, "0.55".into(), "aispace"));
    assert_eq!((why.card.id.as_str(), why.card.version.to_string(), why.priced_at), ("aispace", "2026-01-01".into(), start_time()));
    assert_eq!(serde_json::to_value(&why.metered).expect("written"), chat(500, 200), "as it was sent");
    let run = entries[0].run.as_ref().expect("a description");
    assert_eq!((run.model_name.as_str(), run.kind.as_str(), run.meters["input_tokens"].as_str()), ("Venice Small", "chat", "500"));
    assert_eq!(run.rule.as_deref(), Some("Venice Small, per 1,000,000"));
    let card = world.send(get("/v1/rates/aispace")).await;
    let tag = card.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").trim().to_owned();
    assert_eq!(tag, format!("\"{}\"", why.card.hash), "the card can be looked up");

    // By its version, as a date and as an entity tag; and a debit that names its amount, which nothing explains.
    for (version, at) in [("2026-01-01", 1), (tag.as_str(), 2)] {
        let mut run = chat(500, 200);
        run["version"] = json!(version);
        let posted: PostedAnswer = debit(&world, &account, &format!("v{at}"), run).await.ok(201);
        assert_eq!(metered(&posted), "0.55");
    }
    let posted: PostedAnswer = world.debit(&account, "plain", "1").await.ok(201);
    assert_eq!(posted.metered_credits, None);
    assert_eq!(log(&world, &key).await[0].explanation, None);
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_ratio_is_a_line_of_the_explanation() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "100").await;
    let run = json!({"card": "aisa", "model": "gpt-5", "openai_usage": {"prompt_tokens": 1000, "completion_tokens": 100}, "channel_factor": "0.8"});
    let posted: PostedAnswer = debit(&world, &account, "d", run).await.ok(201);
    let entries = log(&world, &key).await;
    let why = explained(&entries[0]);
    let ratio = why.lines.iter().find(|line| line.role == LineRole::Factor).expect("a group ratio");
    assert_eq!((ratio.meter.as_str(), ratio.rate.to_string(), ratio.rule.as_str()), ("channel", "0.8".into(), "Group ratio: given"));
    // 1,000 × 0.875 and 100 × 7 dollars a million make 0.001575, at 0.8 0.00126: in steps of 0.000002 dollars 12.6 credits.
    assert_eq!((why.posted.to_string(), why.unit.as_str(), metered(&posted)), ("0.00126".into(), "usd", "12.6".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn settlements_below_at_and_above_the_hold() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "4").await;
    let estimate = json!({"card": "aispace", "model": "qwen3-4b",
        "usage": {"input_tokens": 500, "output_tokens": {"low": 0, "likely": 200, "high": 1000}}});
    for (index, (output, left)) in [(200, ["3.45", "0", "0"]), (1000, ["1.7", "0", "0"])].into_iter().enumerate() {
        let held: PostedAnswer = call(&world, "/v1/holds", &account, &format!("h{index}"), json!({"metered": estimate})).await.ok(201);
        assert_eq!((metered(&held), held.held_credits.to_string()), ("1.75".into(), "1.75".into()), "what it can cost at most");
        let hold = held.hold_id.expect("a hold");
        let settled: PostedAnswer = settle(&world, &account, &hold, &format!("s{index}"), chat(500, output)).await.ok(201);
        assert_eq!(sums(&settled), texts(left));
    }
    let held: PostedAnswer = call(&world, "/v1/holds", &account, "h", json!({"credits": "1", "run": null})).await.ok(201);
    let hold = held.hold_id.expect("a hold");
    // 4,000 out cost 6.25 with the input: 1 is held, 0.7 free, 4.55 owed.
    let settled: PostedAnswer = settle(&world, &account, &hold, "s", chat(500, 4000)).await.ok(201);
    assert_eq!((metered(&settled), sums(&settled)), ("6.25".into(), texts(["0", "0", "4.55"])));

    let entries = log(&world, &key).await;
    let of = |kind| entries.iter().filter(move |entry| entry.kind == kind);
    assert_eq!(of(UsageKind::Settled).map(|entry| explained(entry).credits.to_string()).collect::<Vec<_>>(), ["6.25", "1.75", "0.55"]);
    let held: Vec<_> = of(UsageKind::Held).filter(|entry| entry.explanation.is_some()).map(explained).collect();
    assert_eq!(held.len(), 2);
    let range = held[0].range.as_ref().expect("bounds");
    assert_eq!((range.low.to_string(), range.high.to_string(), held[0].total.to_string()), ("0.25".into(), "1.75".into(), "0.55".into()));
    assert_eq!(world.stop_and_verify().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_without_a_description_is_not_explained_by_its_hold() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "4").await;
    let held: PostedAnswer = call(&world, "/v1/holds", &account, "h", json!({"metered": chat(500, 200)})).await.ok(201);
    let path = format!("/v1/holds/{}/settle", held.hold_id.expect("a hold"));
    let _: PostedAnswer = call(&world, &path, &account, "s", json!({"credits": "2"})).await.ok(201);
    let entries = log(&world, &key).await;
    assert_eq!((entries[0].kind, entries[0].explanation.is_none()), (UsageKind::Settled, true));
    assert_eq!(entries[0].run.as_ref().map(|run| run.model_id.as_str()), Some("qwen3-4b"), "the hold's own description");
    assert_eq!(explained(&entries[1]).of, Explained::Hold);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_successful_calls_are_charged_and_failed_ones_are_logged() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "100000").await;
    let calls = |usage: Value, failed: Value| json!({"card": "aisa", "model": "per-call-format-sample", "usage": usage, "failed": failed});
    let one: PostedAnswer = debit(&world, &account, "1", calls(json!({"calls": 1}), json!({}))).await.ok(201);
    let some: PostedAnswer = debit(&world, &account, "2", calls(json!({"calls": 1}), json!({"calls": 3}))).await.ok(201);
    let none: PostedAnswer = debit(&world, &account, "3", calls(json!({}), json!({"calls": 2}))).await.ok(201);
    assert_eq!((metered(&one), metered(&none).as_str()), (metered(&some), "0"));
    assert_eq!(none.available_credits, some.available_credits);

    let entries = log(&world, &key).await;
    let why = explained(&entries[0]);
    assert_eq!((entries[0].kind, entries[0].change_credits.to_string(), why.posted.is_zero()), (UsageKind::Debit, "0".into(), true));
    let failed: Vec<_> = why.lines.iter().filter(|line| line.role == LineRole::NotCharged).collect();
    assert_eq!((failed.len(), failed[0].meter.as_str(), failed[0].quantity.to_string()), (1, "calls", "2".into()));
    assert_eq!(entries[0].run.as_ref().expect("a description").meters["failed_calls"], "2");
    assert_eq!(explained(&entries[1]).metered.failed["calls"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_price_posts_nothing_and_says_what_has_one() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "1000").await;
    let before: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    let tokens = json!({"input_tokens": 1});
    for (run, status, code, detail) in [
        (
            json!({"card": "aispacex", "model": "m", "usage": tokens}),
            422,
            ErrorCode::UnknownCard,
            ("cards", "aisa, aispace, channel, pinnora"),
        ),
        (
            json!({"card": "aispace", "version": "2025-01-01", "model": "m", "usage": tokens}),
            422,
            ErrorCode::UnknownCard,
            ("versions", "2026-01-01"),
        ),
        (
            json!({"card": "aispace", "at": "2025-12-31T23:59:59Z", "model": "m", "usage": tokens}),
            422,
            ErrorCode::UnknownCard,
            ("versions", "2026-01-01"),
        ),
        (json!({"card": "aispace", "model": "qwen3-5b", "usage": tokens}), 422, ErrorCode::UnknownModel, ("nearest", "qwen3-4b")),
        (json!({"card": "aispace", "model": "sora-2-text-to-video", "seconds": 5}), 422, ErrorCode::NotPriced, ("allowed", "4, 8, 12")),
        (json!({"card": "aispace", "model": "qwen3-4b", "usage": {"images": 1}}), 422, ErrorCode::NotPriced, ("priced", "input_tokens")),
        (json!({"card": "aisa", "model": "gpt-5", "usage": tokens, "channel": "gold"}), 422, ErrorCode::NotPriced, ("allowed", "default")),
        (
            json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": {"low": 1, "likely": 1, "high": 2}}}),
            422,
            ErrorCode::NotPriced,
            ("reason", "range_needed"),
        ),
        (
            json!({"card": "aispace", "model": "qwen3-4b", "usage": tokens, "extras": [{"name": "x".repeat(EXPLANATION_BYTES_MAX), "amount": "0"}]}),
            400,
            ErrorCode::InvalidRequest,
            ("bytes_max", "16384"),
        ),
    ] {
        let refused: ErrorAnswer = debit(&world, &account, "k", run.clone()).await.refused(status, code);
        assert!(refused.details.get(detail.0).is_some_and(|said| said.contains(detail.1)), "{run}: {refused:?}");
    }
    for (body, word) in [
        (json!({}), "neither"),
        (json!({"credits": null, "metered": null}), "neither"),
        (json!({"credits": "1", "metered": chat(1, 1)}), "both"),
        (json!({"metered": {"card": "aispace", "model": "qwen3-4b"}}), "usage"),
        (json!({"metered": {"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 1}, "cache_reads": 5}}), "cache_reads"),
        (json!({"metered": {"card": "aispace", "model": "qwen3-4b", "usage": {"input_token": 1}}}), "input_token"),
        (json!({"metered": {"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": -1}}}), "whole number"),
        (json!({"metered": chat(1, 1), "run": {"model_id": "m", "model_name": "M", "kind": "chat"}}), "run"),
    ] {
        let refused: ErrorAnswer = call(&world, "/v1/debits", &account, "k", body.clone()).await.refused(400, ErrorCode::InvalidRequest);
        assert!(refused.message.contains(word), "{body}: {refused:?}");
    }
    let short: ErrorAnswer = debit(&world, &account, "k", chat(0, 1_000_000)).await.refused(402, ErrorCode::InsufficientCredits);
    assert_eq!(short.details["needed_credits"], "1500");
    let after: AccountAnswer = world.send(get("/v1/account").bearer(&key)).await.ok(200);
    assert_eq!((after.entry_count, after.available_credits), (before.entry_count, before.available_credits), "nothing was posted");
    // No refusal has used the key up.
    let _: PostedAnswer = debit(&world, &account, "k", chat(1, 1)).await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_the_first_answer() {
    let mut world = World::start().await;
    let (account, key) = with_credits(&world, "10").await;
    let first = debit(&world, &account, "d", chat(500, 200)).await;
    world.set_time(TimeDelta::days(1));
    world.restart().await;
    let again = debit(&world, &account, "d", chat(500, 200)).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    // The same counts in other words are the same request only where they read the same.
    let spaced = json!({"usage": {"output_tokens": 200, "input_tokens": 500}, "model": "qwen3-4b", "card": "aispace", "version": null});
    assert_eq!(debit(&world, &account, "d", spaced).await.body, first.body);
    debit(&world, &account, "d", chat(500, 201)).await.refused(409, ErrorCode::KeyConflict);
    debit(&world, &account, "d", json!({"card": "aispace", "model": "gone", "usage": {}})).await.refused(409, ErrorCode::KeyConflict);
    world.debit(&account, "d", "0.55").await.refused(409, ErrorCode::KeyConflict);
    assert_eq!(log(&world, &key).await.len(), 2, "the grant and one debit");
    // Nor does it matter that the run could not be priced now.
    world.set_time(TimeDelta::days(-400));
    debit(&world, &account, "new", chat(500, 200)).await.refused(422, ErrorCode::UnknownCard);
    assert_eq!(debit(&world, &account, "d", chat(500, 200)).await.body, first.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_runs_are_charged_what_the_engine_quotes() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "1000000000").await;
    let cards = RateCard::built_in().expect("built in");
    let mut state = 0x0dd5_eed5_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut expected = Vec::new();
    while expected.len() < 60 {
        let card = &cards[usize::try_from(draw(3)).expect("small")];
        let model = &card.models()[usize::try_from(draw(card.models().len() as u64)).expect("small")];
        let mut run = Run::base(model).times(u32::try_from(draw(3)).expect("small") + 1);
        for (meter, count) in model.base.usage.iter().filter(|(meter, _)| *meter != Meter::VideoSeconds) {
            run.usage.set(meter, draw(count * 100 + 2));
        }
        let terms = Terms::at(start_time());
        let Ok(quote) = quote(card, &run, &terms) else { continue };
        let fields = RunRequest { card: Some(card.id().to_owned()), ..RunRequest::of(&run, &terms) };
        let key = format!("r{}", expected.len());
        let posted: PostedAnswer = debit(&world, &account, &key, serde_json::to_value(&fields).expect("written")).await.ok(201);
        let usd = card.to_usd(quote.posted().expect("fits")).expect("exact");
        assert_eq!(usd.mul(10_000u64.into()).expect("fits").to_string(), metered(&posted), "{fields:?}");
        expected.push(quote);
    }
    let entries = log(&world, &key).await;
    for (quote, entry) in expected.iter().rev().zip(&entries) {
        let why = explained(entry);
        assert_eq!((&why.card.id, why.total, why.posted), (&quote.card_id, quote.total, quote.posted().expect("fits")));
        assert_eq!(entry.run.as_ref().map(|run| run.model_id.as_str()), Some(quote.model_id.as_str()));
        let same = |(line, step): (&aispace_api::ExplanationLine, &aispace_pricing::Line)| {
            (line.meter.as_str(), line.quantity, line.rate, line.amount, line.rule.as_str())
                == (step.meter.as_str(), step.quantity, step.rate, step.amount, step.rule.as_str())
        };
        assert!(why.lines.iter().zip(&quote.lines).all(same), "line by line: {why:?} but {quote:?}");
    }
    assert_eq!(world.stop_and_verify().await, 1);
}

/// The block of the documentation with this mark.
fn documented(mark: &str) -> Value {
    let text = include_str!("../../../docs/service.md");
    let (_, block) = text.split_once(&format!("```json {mark}\n")).unwrap_or_else(|| panic!("no {mark}"));
    let (block, _) = block.split_once("```").expect("it ends");
    serde_json::from_str(block).unwrap_or_else(|error| panic!("{mark}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_example_is_what_happens() {
    let world = World::start().await;
    let (account, key) = with_credits(&world, "100").await;
    let answer: Value = call(&world, "/v1/debits", &account, "d", documented("metered debit")).await.ok(201);
    let documented_answer = documented("metered answer");
    for (field, value) in documented_answer.as_object().expect("an object") {
        assert_eq!(&answer[field], value, "{field}");
    }
    let page: Value = world.send(get("/v1/account/usage").bearer(&key)).await.ok(200);
    let explanation = &page["entries"][0]["explanation"];
    let mut expected = documented("explanation");
    // The card's entity tag changes with anything in it.
    expected["card"]["hash"] = explanation["card"]["hash"].clone();
    assert_eq!(explanation, &expected, "{explanation:#}");
}
