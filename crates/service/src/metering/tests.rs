//! The step from a metered run to an amount and its reasons, without a store.

use super::*;
use aispace_api::{Count, Explained, Explanation, LineRole, MeteredRun, RunDescription, Sound, Switch};
use aispace_pricing::request::{Code, RunRequest};
use aispace_pricing::{RateCard, quote};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().expect("an instant")
}

fn shelf() -> Shelf {
    Shelf::new(RateCard::built_in().expect("the built-in cards")).expect("one of each")
}

fn read(fields: &Value) -> Result<MeteredRun, MeteringError> {
    serde_json::from_value(fields.clone()).map_err(|error| MeteringError::BadRequest { reason: error.to_string() })
}

fn metered(fields: &Value) -> MeteredRun {
    read(fields).unwrap_or_else(|error| panic!("{fields}: {error}"))
}

fn charged(fields: Value) -> (String, RunDescription, Explanation) {
    let priced = charge(&shelf(), &metered(&fields), now()).unwrap_or_else(|error| panic!("{fields}: {error}"));
    parts(&priced)
}

fn parts(priced: &Priced) -> (String, RunDescription, Explanation) {
    let run = serde_json::from_str(&priced.memo).expect("a description");
    let explanation = explanation(&priced.memo).expect("an explanation");
    assert_eq!(priced.amount, explanation.credits);
    adds_up(&explanation);
    (priced.amount.to_string(), run, explanation)
}

fn refused(fields: Value) -> MeteringError {
    read(&fields).and_then(|run| charge(&shelf(), &run, now())).err().unwrap_or_else(|| panic!("{fields} was priced"))
}

/// What the documentation says of the lines, worked out by whoever has nothing but the explanation.
fn adds_up(explanation: &Explanation) {
    let of = |role| explanation.lines.iter().filter(move |line| line.role == role);
    let one = of(LineRole::Charge).fold(Exact::ZERO, |sum, line| sum.add(line.amount).expect("fits"));
    let one = of(LineRole::Factor).fold(one, |cost, factor| {
        let cost = cost.mul(factor.rate).expect("fits");
        assert_eq!(cost, factor.amount, "{factor:?}");
        cost
    });
    let total = one.mul(explanation.metered.runs.unwrap_or(1).into()).expect("fits");
    assert_eq!(total, explanation.total, "{:#?}", explanation.lines);
    for line in of(LineRole::NotCharged) {
        assert!(line.amount.is_zero() && line.rate.is_zero(), "{line:?}");
    }
}

#[test]
fn a_chat_is_charged_line_by_line() {
    let (amount, run, why) =
        charged(json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}, "runs": 2}));
    assert_eq!(amount, "1.1");
    assert_eq!((run.model_name.as_str(), run.kind.as_str()), ("Venice Small", "chat"));
    assert_eq!(run.meters, BTreeMap::from([("input_tokens".into(), "1000".into()), ("output_tokens".into(), "400".into())]));
    let lines: Vec<_> = why.lines.iter().map(|l| (l.meter.as_str(), l.quantity.to_string(), l.amount.to_string(), l.role)).collect();
    assert_eq!(
        lines,
        [
            ("input_tokens", "500".into(), "0.25".into(), LineRole::Charge),
            ("output_tokens", "200".into(), "0.3".into(), LineRole::Charge),
            ("runs", "2".into(), "1.1".into(), LineRole::Runs)
        ]
    );
    assert_eq!(
        (why.of, why.total.to_string(), why.posted.to_string(), why.unit.as_str()),
        (Explained::Charge, "1.1".into(), "1.1".into(), "aispace")
    );
    assert_eq!((why.card.id.as_str(), why.card.version.to_string(), why.priced_at), ("aispace", "2026-01-01".into(), now()));
    assert_eq!(why.card.hash, entity_tag(&RateCard::aispace().expect("built in").to_json()));
}

#[test]
fn both_conventions_of_tokens_mean_the_same_charge() {
    let reports = [
        json!({"usage": {"input_tokens": 600, "cache_read_tokens": 400, "output_tokens": 50}}),
        json!({"tokens": {"convention": "inclusive", "input": 1000, "cache_read": 400, "output": 50}}),
        json!({"tokens": {"convention": "exclusive", "input": 600, "cache_read": 400, "output": 50}}),
        json!({"openai_usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050, "prompt_tokens_details": {"cached_tokens": 400}}}),
        json!({"anthropic_usage": {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 50, "service_tier": "standard"}}),
    ];
    let mut amounts = Vec::new();
    for mut report in reports {
        report["card"] = "pinnora".into();
        report["model"] = "bytedance/seed-1.8".into();
        let (amount, run, why) = charged(report.clone());
        assert_eq!(run.meters["cache_read_tokens"], "400", "{report}");
        assert_eq!(serde_json::to_value(&why.metered).expect("writes"), report, "kept as it was sent");
        amounts.push(amount);
    }
    amounts.dedup();
    assert_eq!(amounts.len(), 1, "{amounts:?}");
}

#[test]
fn other_units_are_charged_in_credits_at_their_worth() {
    // AIsa posts whole steps of 0.000002 dollars: 0.000007875 becomes 0.000008, which are 0.08 credits.
    let tokens = json!({"input_tokens": 1, "output_tokens": 1});
    let (amount, _, why) = charged(json!({"card": "aisa", "model": "gpt-5", "usage": tokens}));
    assert_eq!(
        (amount.as_str(), why.total.to_string(), why.posted.to_string(), why.unit.as_str()),
        ("0.08", "0.000007875".into(), "0.000008".into(), "usd")
    );
    assert_eq!((why.rounding.step.map(|s| s.to_string()), why.rounding.decimals), (Some("0.000002".into()), None));
    let ratio = why.lines.iter().find(|line| line.meter == "channel").expect("the group ratio");
    assert_eq!((ratio.rule.as_str(), ratio.rate.to_string(), ratio.role), ("Group ratio: default", "1".into(), LineRole::Factor));
    let (amount, _, why) = charged(json!({"card": "aisa", "model": "gpt-5", "usage": tokens, "channel_factor": "0.5"}));
    assert_eq!((amount.as_str(), why.total.to_string()), ("0.04", "0.0000039375".into()));
}

#[test]
fn the_rules_of_a_channel_price_the_rates_that_the_gateway_brings() {
    let run = json!({"card": "channel", "model": "made-up", "usage": {"calls": 3}, "channel_factor": "0.9", "user_factor": "0.5",
        "rates": [{"meter": "calls", "amount": "0.02", "unit": "usd", "per": "1"}]});
    let (amount, _, why) = charged(run);
    assert_eq!((amount.as_str(), why.total.to_string()), ("270", "0.027".into()));
    assert_eq!(why.lines.iter().filter(|line| line.role == LineRole::Factor).count(), 2);
}

#[test]
fn only_successful_calls_are_charged() {
    let call = |usage: Value, failed: Value| {
        let mut run = json!({"card": "aisa", "model": "per-call-format-sample", "failed": failed});
        if !usage.is_null() {
            run["usage"] = usage;
        }
        charged(run)
    };
    let (one, _, _) = call(json!({"calls": 1}), json!({}));
    assert_ne!(one, "0");
    let (amount, run, why) = call(json!({"calls": 1}), json!({"calls": 4}));
    assert_eq!(amount, one, "the four that failed cost nothing");
    assert_eq!((run.meters["calls"].as_str(), run.meters["failed_calls"].as_str()), ("1", "4"));
    let failed: Vec<_> = why.lines.iter().filter(|line| line.role == LineRole::NotCharged).collect();
    assert_eq!((failed.len(), failed[0].meter.as_str(), failed[0].quantity.to_string()), (1, "calls", "4".into()));
    for nothing in [Value::Null, json!({}), json!({"calls": 0})] {
        let (amount, run, why) = call(nothing, json!({"calls": 2}));
        assert_eq!((amount.as_str(), run.meters["failed_calls"].as_str(), why.posted.is_zero()), ("0", "2", true));
        assert!(!run.meters.contains_key("calls"));
    }
    assert!(matches!(
        refused(json!({"card": "aisa", "model": "gpt-5", "usage": {}, "failed": {"input_tokens": 1}})),
        MeteringError::BadRequest { reason } if reason.contains("input_tokens") && reason.contains("web_searches")
    ));
    refused(json!({"card": "aisa", "model": "gpt-5", "failed": {"calls": 1_000_000_000_000_001u64}}));
}

#[test]
fn clips_pictures_and_extras_are_charged() {
    let clip = json!({"card": "aispace", "model": "wan-2.5-preview-text-to-video", "seconds": 5, "resolution": "1080p"});
    assert_eq!(charged(clip).0, "8300");
    let (amount, run, _) = charged(json!({"card": "aispace", "model": "image-generation", "usage": {"images": 3}}));
    assert_eq!((amount, run.meters["images"].as_str()), ("300".to_owned(), "3"));
    let extra =
        json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 1}, "extras": [{"name": "agent step", "amount": "2"}]});
    let (amount, _, why) = charged(extra);
    assert_eq!(amount, "2.0005");
    assert!(why.lines.iter().any(|line| line.meter == "extra" && line.rule.contains("agent step")));
}

#[test]
fn a_hold_is_priced_by_the_bounds_of_the_run() {
    let run = json!({"card": "aispace", "model": "qwen3-4b",
        "usage": {"input_tokens": 500, "output_tokens": {"low": 0, "likely": 200, "high": 2000}}});
    let priced = hold(&shelf(), &metered(&run), now()).expect("priced");
    let (amount, _, why) = parts(&priced);
    let range = why.range.expect("bounds");
    assert_eq!((amount.as_str(), why.posted.to_string(), why.total.to_string()), ("3.25", "3.25".into(), "0.55".into()));
    assert_eq!(
        (why.of, range.low.to_string(), range.high.to_string(), range.hold_basis.as_str()),
        (Explained::Hold, "0.25".into(), "3.25".into(), "high")
    );
    assert!(matches!(refused(run), MeteringError::Refused(refusal) if refusal.code == Code::RangeNeeded));
    let exact = json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}});
    assert_eq!(parts(&hold(&shelf(), &metered(&exact), now()).expect("priced")).0, "0.55");
    let mut failed = exact;
    failed["failed"] = json!({"requests": 1});
    assert!(hold(&shelf(), &metered(&failed), now()).is_err(), "nothing has failed before it was tried");
}

#[test]
fn what_has_no_price_is_refused_with_what_would_have() {
    let of = |error: MeteringError| match error {
        MeteringError::Refused(refusal) => (refusal.code, refusal.message),
        other => panic!("{other}"),
    };
    let (code, message) = of(refused(json!({"card": "aispace", "model": "qwen3-5b", "usage": {"input_tokens": 1}})));
    assert!(code == Code::UnknownModel && message.contains("qwen3-4b"), "{message}");
    let (code, message) = of(refused(json!({"card": "aispace", "model": "sora-2-text-to-video", "seconds": 5})));
    assert!(code == Code::Impossible && message.contains("4, 8, 12"), "{message}");
    let (code, message) = of(refused(json!({"card": "aispace", "model": "qwen3-4b", "usage": {"images": 1}})));
    assert!(code == Code::NoRate && message.contains("input_tokens"), "{message}");
    let (code, _) =
        of(refused(json!({"card": "aispace", "model": "qwen3-4b", "tokens": {"convention": "inclusive", "input": 1, "cache_read": 2}})));
    assert_eq!(code, Code::Usage);
    let (code, _) = of(refused(json!({"card": "aisa", "model": "gpt-5", "usage": {"input_tokens": 1}, "channel": "gold"})));
    assert_eq!(code, Code::Impossible);
    let rates = json!([{"meter": "calls", "amount": "99999999999", "unit": "usd", "per": "1"}]);
    assert!(matches!(
        refused(json!({"card": "channel", "model": "dear", "usage": {"calls": 1}, "rates": rates})),
        MeteringError::NotInCredits { .. }
    ));
}

#[test]
fn what_is_no_run_is_refused_by_name() {
    let base = || json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 1}});
    for (field, value, word) in [
        ("cache_reads", json!(7), "cache_reads"),
        ("usage", json!({"tokens_in": 1}), "tokens_in"),
        ("usage", json!({"input_tokens": -1}), "a whole number from 0"),
        ("usage", json!({"input_tokens": 1.5}), "a decimal in a string"),
        ("usage", json!({"input_tokens": "1.5"}), "1.5"),
        ("usage", json!({"input_tokens": {"low": 1, "likely": 2, "high": 3, "median": 2}}), "high"),
        ("usage", json!([]), "a map"),
        ("tokens", json!({"convention": "inclusive", "inputs": 4}), "inputs"),
        ("tokens", json!({"convention": "both", "input": 4}), "both"),
        ("extras", json!([{"name": "fee", "amount": "1", "tax": "2"}]), "tax"),
        ("failed", json!({"calls": -1}), ""),
        ("runs", json!(0), "runs"),
        ("channel_factor", json!("-1"), ""),
        ("version", json!(3), ""),
        ("model", json!(null), ""),
        ("card", json!(null), ""),
    ] {
        let mut run = base();
        run[field] = value;
        let error = refused(run.clone());
        assert!(error.to_string().contains(word), "{run}: {error}");
    }
    assert!(matches!(refused(json!({"card": "aispace", "model": "qwen3-4b"})), MeteringError::BadRequest { .. }), "no base run is charged");
    assert!(
        refused(
            json!({"card": "aispace", "model": "qwen3-4b", "usage": {"input_tokens": 1}, "tokens": {"convention": "inclusive", "input": 1}})
        )
        .to_string()
        .contains("input_tokens")
    );
    assert_eq!(charged(json!({"card": "aispace", "model": "qwen3-4b", "usage": {}})).0, "0", "nothing is nothing when it is said");
}

#[test]
fn a_version_is_a_date_or_an_entity_tag() {
    let mut later = RateCard::aispace().expect("built in").file().clone();
    later.date = "2026-06-01".parse().expect("a date");
    let small = later.models.iter_mut().find(|model| model.id == "qwen3-4b").expect("listed");
    for rate in &mut small.rates {
        rate.price = aispace_pricing::Price::Amount {
            amount: "1000".parse().expect("a rate"),
            unit: aispace_pricing::RateUnit::Credits,
            per: "1M".parse().expect("per"),
        };
    }
    let later = RateCard::new(later).expect("holds together");
    let tag = entity_tag(&later.to_json());
    let both = Shelf::new(vec![later.clone(), RateCard::aispace().expect("built in")]).expect("two versions");
    let run = |version: Option<&str>, at: Option<&str>| {
        let mut run = MeteredRun::new("aispace", "qwen3-4b").with("input_tokens", 1_000_000);
        (run.version, run.at) = (version.map(str::to_owned), at.map(|at| at.parse().expect("an instant")));
        charge(&both, &run, now()).map(|priced| parts(&priced).0)
    };
    assert_eq!(run(None, None).as_deref(), Ok("1000"), "the newest");
    assert_eq!(run(None, Some("2026-06-01T00:00:00Z")).as_deref(), Ok("1000"));
    assert_eq!(run(None, Some("2026-05-31T23:59:59.999Z")).as_deref(), Ok("500"), "the newest at the run's instant");
    assert_eq!(run(Some("2026-01-01"), None).as_deref(), Ok("500"));
    assert_eq!(run(Some(&tag), Some("2026-02-01T00:00:00Z")).as_deref(), Ok("1000"), "a version that is named needs no date");
    assert_eq!(run(Some(&format!("\"{tag}\"")), None).as_deref(), Ok("1000"));
    let error = run(Some("2026-03-01"), None).expect_err("no such version");
    assert_eq!(error.to_string(), "aispace has no version \"2026-03-01\"; it has 2026-01-01, 2026-06-01");
    assert!(matches!(run(None, Some("2025-12-31T00:00:00Z")), Err(MeteringError::NoVersionYet { versions, .. }) if versions.len() == 2));
    let unknown = charge(&both, &MeteredRun::new("aisa", "gpt-5").with("input_tokens", 1), now()).expect_err("no such card");
    assert_eq!(unknown.to_string(), "there is no rate card \"aisa\"; there are aispace");
    assert!(Shelf::new(vec![later.clone(), later]).is_err(), "a date names one version");
}

#[test]
fn an_explanation_has_a_bound() {
    let padded = |length: usize| {
        let mut run = MeteredRun::new("aispace", "qwen3-4b").with("input_tokens", 1);
        run.extras = vec![aispace_api::Extra { name: "x".repeat(length), amount: Exact::ONE }];
        charge(&shelf(), &run, now())
    };
    let Err(MeteringError::TooLong { bytes }) = padded(EXPLANATION_BYTES_MAX) else { panic!("too long") };
    // The name stands twice: in the run and in its line.
    let most = (3 * EXPLANATION_BYTES_MAX).checked_sub(bytes).expect("longer") / 2;
    assert_eq!(padded(most).map(|priced| priced.memo.len() <= EXPLANATION_BYTES_MAX), Ok(true));
    assert!(padded(most + 1).is_err());
}

#[test]
fn every_field_of_a_run_is_a_field_of_a_metered_one() {
    let all = json!({"card": "a", "model": "m", "usage": {"images": 1, "video_seconds": {"low": 1, "likely": "1.5", "high": 2}},
        "tokens": {"convention": "exclusive", "input": 1, "output": 2}, "openai_usage": {"prompt_tokens": 1}, "anthropic_usage": {"input_tokens": 1},
        "seconds": "1.5", "resolution": "720p", "audio": "on", "width": 1, "height": 1, "scrape_urls": 1, "options": {"quality": "high"},
        "tier": "batch", "fields": {"pay_go": "priority"}, "extras": [{"name": "fee", "amount": "1.5"}], "runs": 2, "at": "2026-01-01T00:00:00Z",
        "channel": "c", "channel_factor": "1.5", "user": "u", "user_factor": "1.5", "recharged_usd": "1.5",
        "rates": [{"meter": "calls", "amount": "1", "unit": "usd", "per": "1"}], "kind": "call"});
    let request: RunRequest = serde_json::from_value(all.clone()).expect("a run");
    assert_eq!(serde_json::to_value(&request).expect("writes"), all, "all fields of a run stand here");
    let run = metered(&all);
    assert_eq!(serde_json::to_value(&run).expect("writes"), all);
    assert_eq!((run.seconds, run.audio), (Some(Count::Decimal("1.5".parse().expect("a number"))), Some(Sound::Word(Switch::On))));
    // Whatever a run may have that is not above would be missing here.
    let unknown = serde_json::from_value::<RunRequest>(json!({"?": 1})).expect_err("an unknown field").to_string();
    let listed = unknown.split("expected one of ").nth(1).expect("the fields are listed");
    for field in listed.split(", ").map(|word| word.split('`').nth(1).expect("a name")) {
        assert!(all.get(field).is_some(), "{field} is a new field of a run");
    }
}

/// Any run that the engine prices is charged what the engine says, in credits.
#[test]
fn random_runs_are_charged_what_the_engine_quotes() {
    let cards = RateCard::built_in().expect("built in");
    let shelf = shelf();
    let mut state = 0x1234_5678_9abc_def0u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut priced = 0u32;
    for _ in 0..2_000 {
        let card = &cards[usize::try_from(draw(3)).expect("small")];
        let model = &card.models()[usize::try_from(draw(card.models().len() as u64)).expect("small")];
        let mut run = aispace_pricing::Run::base(model);
        for (meter, count) in model.base.usage.iter() {
            if meter != aispace_pricing::Meter::VideoSeconds {
                run.usage.set(meter, draw(count.saturating_mul(1_000).saturating_add(2)));
            }
        }
        run.runs = u32::try_from(draw(5)).expect("small") + 1;
        let terms = aispace_pricing::Terms::at(now());
        let asked = RunRequest { card: Some(card.id().to_owned()), ..RunRequest::of(&run, &terms) };
        let fields = serde_json::to_value(&asked).expect("writes");
        let expected = quote(card, &run, &terms);
        let charged = charge(&shelf, &metered(&fields), now());
        match (expected, charged) {
            (Ok(quote), Ok(charge)) => {
                let (_, description, why) = parts(&charge);
                assert_eq!((why.total, why.posted), (quote.total, quote.posted().expect("fits")), "{fields}");
                let usd = card.to_usd(why.posted).expect("exact");
                assert_eq!(usd.mul(10_000u64.into()).expect("fits").to_string(), charge.amount.to_string(), "{fields}");
                assert_eq!(description.meters, run.meters());
                priced += 1;
            }
            (Err(_), Err(MeteringError::Refused(_))) => {}
            (expected, charged) => panic!("{fields}: {expected:?} but {charged:?}"),
        }
    }
    assert!(priced > 1_500, "only {priced} were priced");
}
