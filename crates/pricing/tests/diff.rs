//! What changed between two cards, and two cards joined into one with its history.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{
    CardDiff, CardFile, Condition, Difference, Kind, MergeError, Meter, Model, Price, Rate, RateCard, RateUnit, Run, Terms, Usage, diff,
    merge, total,
};
use aispace_units::Exact;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use support::{draw::Draw, made_up, runs};

fn n(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn february() -> DateTime<Utc> {
    at("2026-02-01T00:00:00Z")
}

fn aispace() -> RateCard {
    RateCard::aispace().expect("the built-in card is well formed")
}

fn changed(card: &RateCard, change: impl FnOnce(&mut CardFile)) -> RateCard {
    let mut file = card.file().clone();
    change(&mut file);
    RateCard::new(file).expect("still a card")
}

fn model<'a>(file: &'a mut CardFile, id: &str) -> &'a mut Model {
    file.models.iter_mut().find(|m| m.id == id).expect("there")
}

fn amount(amount: &str, unit: RateUnit, per: &str) -> Price {
    Price::Amount { amount: n(amount), unit, per: per.parse().expect("a denominator") }
}

fn credits(price: &str) -> Price {
    amount(price, RateUnit::Credits, "1M")
}

fn when(text: &str) -> Condition {
    serde_json::from_str(text).expect("a condition")
}

/// A card of one chat model, `m`, in AiSpace's terms; the prices are made up.
fn one_model(rates: Vec<Rate>) -> RateCard {
    changed(&aispace(), |file| {
        file.add_ons.clear();
        file.models = vec![Model::new("m", Kind::Chat, Usage::new().with(Meter::InputTokens, 1_000_000), rates)];
    })
}

fn input(price: &str) -> Rate {
    Rate::new(Meter::InputTokens, credits(price))
}

fn cost(card: &RateCard, run: &Run, instant: &str) -> Option<String> {
    total(card, run, &Terms::at(at(instant))).ok().map(|t| t.to_string())
}

fn million() -> Run {
    Run::chat("m", 1_000_000, 0)
}

/// The rates of a merged card of one model, as its file writes them.
fn written(card: &RateCard) -> Vec<String> {
    card.models()[0].rates.iter().map(|rate| serde_json::to_string(rate).expect("writes")).collect()
}

fn rate_lines(diff: &CardDiff) -> Vec<String> {
    let line = |model: &aispace_pricing::ModelChange| {
        let rates = model.rates.iter().map(|r| {
            let side = |terms: &Option<aispace_pricing::RateTerms>| {
                terms.as_ref().map_or("none".to_owned(), |t| t.amount.map_or_else(|| t.written.clone(), |a| format!("{a} per {}", t.per)))
            };
            let percent = r.percent.map(|p| format!(" {p} %")).unwrap_or_default();
            format!("{} {} ({}): {} -> {}{percent}", model.model_id, r.meter, r.conditions, side(&r.old), side(&r.new))
        });
        rates.collect::<Vec<_>>()
    };
    diff.changed.iter().flat_map(line).collect()
}

#[test]
fn a_card_does_not_differ_from_itself() {
    for card in RateCard::built_in().expect("well formed") {
        let same = diff(&card, &card);
        assert!(same.is_empty() && same.unchanged == card.models().len(), "{same:#?}");
        let merged = merge(&card, &card, february()).expect("joins");
        assert_eq!((merged.card.models(), merged.undated.as_slice()), (card.models(), [].as_slice()));
    }
}

#[test]
fn a_price_that_changed_is_said_in_one_unit_with_its_percent() {
    let before = one_model(vec![input("1500"), Rate::new(Meter::OutputTokens, credits("6000"))]);
    let after = one_model(vec![
        // 0.14 USD per million is 1,400 credits; the same price in other terms is no change.
        Rate::new(Meter::InputTokens, amount("0.00014", RateUnit::Usd, "1k")),
        Rate::new(Meter::OutputTokens, amount("0.6", RateUnit::Usd, "1M")),
        Rate::new(Meter::CacheReadTokens, Price::Times { times: n("0.1"), of: Meter::InputTokens }),
    ]);
    let found = diff(&before, &after);
    assert_eq!(
        rate_lines(&found),
        ["m input_tokens (always): 1.5 per 1k -> 1.4 per 1k -6.67 %", "m cache_read_tokens (always): none -> 0.14 per 1k"]
    );
    assert_eq!((found.currency.as_str(), found.unchanged), ("aispace", 0));
    let change = &found.changed[0].rates[0];
    assert_eq!(change.ratio, None, "14 / 15 does not end");
    assert_eq!(change.old.as_ref().expect("before").written, "1500 credits per 1,000,000");
    assert_eq!(diff(&after, &one_model(vec![Rate::new(Meter::InputTokens, credits("2800"))])).changed[0].rates[0].ratio, Some(n("2")));
    let json = serde_json::to_value(&found).expect("writes");
    assert_eq!(json["changed"][0]["rates"][0]["percent"], "-6.67");
    assert_eq!(json["changed"][0]["rates"][0]["new"]["amount"], "1.4");
}

#[test]
fn percents_are_rounded_half_to_even() {
    for (old, new, percent) in [
        ("2", "3", Some("+50")),
        ("3", "2", Some("-33.33")),
        ("10000", "10000.5", Some("+0")),
        ("10000", "10001.5", Some("+0.02")),
        ("10000", "9997.5", Some("-0.02")),
        ("5", "0", Some("-100")),
        ("0", "5", None),
        ("0", "0", None),
        ("5", "5", Some("0")),
    ] {
        assert_eq!(Difference::percent(n(old), n(new)).map(|p| p.to_string()).as_deref(), percent, "{old} to {new}");
    }
}

#[test]
fn each_condition_is_a_price_of_its_own() {
    let long = r#"{"prompt_tokens": {"over": 200000}}"#;
    let before = one_model(vec![input("10"), input("20").when(when(long)), input("5").when(when(r#"{"tier": "batch"}"#))]);
    let after = one_model(vec![input("10"), input("25").when(when(long)), input("6").when(when(r#"{"tier": "flex"}"#))]);
    assert_eq!(
        rate_lines(&diff(&before, &after)),
        [
            "m input_tokens (prompt over 200,000): 20 per 1M -> 25 per 1M +25 %",
            "m input_tokens (tier batch): 5 per 1M -> none",
            "m input_tokens (tier flex): none -> 6 per 1M",
        ]
    );
}

#[test]
fn a_price_that_begins_later_follows_on_the_one_before() {
    let before = one_model(vec![input("10")]);
    let later = input("12").when(when(r#"{"from": "2026-02-01T00:00:00Z"}"#));
    let after = one_model(vec![input("10"), later]);
    assert_eq!(rate_lines(&diff(&before, &after)), ["m input_tokens (since 2026-02-01 00:00 UTC): 10 per 1M -> 12 per 1M +20 %"]);
    let from_then_on = one_model(vec![input("10").when(when(r#"{"from": "2025-02-01T00:00:00Z"}"#))]);
    assert!(diff(&before, &from_then_on).is_empty(), "the same price, whenever it began");
    let ends = one_model(vec![input("10").when(when(r#"{"until": "2027-02-01T00:00:00Z"}"#))]);
    assert_eq!(rate_lines(&diff(&before, &ends)), ["m input_tokens (until 2027-02-01 00:00 UTC): 10 per 1M -> 10 per 1M 0 %"]);
}

#[test]
fn models_come_go_and_change_their_names() {
    let card = aispace();
    let newer = changed(&card, |file| {
        file.models.retain(|m| m.id != "ovi-image-to-video");
        model(file, "qwen3-4b").id = "qwen3-4b-2026".into();
        model(file, "qwen3-4b-2026").aliases = vec!["qwen3-4b".into()];
        model(file, "sora-2-text-to-video").id = "sora-two-text-to-video".into();
        model(file, "veo3-fast-text-to-video").retired = Some(february().date_naive());
        file.models.push(Model::new("brand-new", Kind::Chat, Usage::new().with(Meter::InputTokens, 1), vec![input("1")]));
    });
    let found = diff(&card, &newer);
    let ids = |names: &[aispace_pricing::ModelName]| names.iter().map(|m| m.model_id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&found.added), ids(&found.removed)), (vec!["brand-new".to_owned()], vec!["ovi-image-to-video".to_owned()]));
    let renamed: Vec<_> = found.renamed.iter().map(|r| (r.old_id.as_str(), r.new_id.as_str(), r.by_alias)).collect();
    assert_eq!(renamed, [("qwen3-4b", "qwen3-4b-2026", true), ("sora-2-text-to-video", "sora-two-text-to-video", false)]);
    assert_eq!(found.retired.iter().map(|r| r.model_id.as_str()).collect::<Vec<_>>(), ["veo3-fast-text-to-video"]);
    assert_eq!(found.unchanged, card.models().len() - 3);
}

#[test]
fn terms_are_compared_field_by_field() {
    let card = changed(&aispace(), |file| file.models.retain(|m| m.video.is_none()));
    let channel = |factor: &str| {
        format!(r#"{{"name":"Group","default":"a","values":[{{"id":"a","factor":"1"}},{{"id":"vip","factor":"{factor}"}}]}}"#)
    };
    let with = |factor: &str| changed(&card, |file| file.channels = serde_json::from_str(&channel(factor)).expect("channels"));
    let newer = changed(&with("0.9"), |file| {
        file.posting.decimals = Some(6);
        file.rounding.clear();
        model(file, "qwen3-4b").limits.context_tokens = Some(64_000);
    });
    let found = diff(&with("0.8"), &newer);
    let line = |f: &aispace_pricing::FieldChange| {
        let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
        format!("{}: {} -> {}{}", f.field, text(&f.old), text(&f.new), f.percent.map(|p| format!(" {p} %")).unwrap_or_default())
    };
    assert_eq!(
        found.terms.iter().map(line).collect::<Vec<_>>(),
        [
            "channels.values[vip].factor: 0.8 -> 0.9 +12.5 %",
            "posting.decimals: 9 -> 6 -33.33 %",
            "rounding[video_seconds].decimals: 2 -> -",
            "rounding[video_seconds].meter: video_seconds -> -",
            "rounding[video_seconds].rule: half_up -> -",
        ]
    );
    assert_eq!(found.changed.len(), 1);
    assert_eq!(found.changed[0].fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["limits.context_tokens"]);
}

#[test]
fn cards_of_two_units_are_compared_in_dollars() {
    let before = one_model(vec![input("1500")]);
    let after = changed(&before, |file| {
        file.unit = aispace_pricing::Currency::usd();
        file.models[0].rates = vec![input("0.3")];
    });
    let found = diff(&before, &after);
    assert_eq!(
        (found.currency.as_str(), rate_lines(&found)),
        ("usd", vec!["m input_tokens (always): 0.15 per 1M -> 0.3 per 1M +100 %".to_owned()])
    );
    // The same figure in another unit is another price.
    let same_figure = changed(&before, |file| file.unit = aispace_pricing::Currency::usd());
    assert_eq!(rate_lines(&diff(&before, &same_figure)).len(), 1);
}

#[test]
fn a_changed_price_is_a_further_rate_and_the_old_one_stays() {
    let merged = merge(&one_model(vec![input("10")]), &one_model(vec![input("12")]), february()).expect("joins");
    assert_eq!(
        written(&merged.card),
        [
            r#"{"meter":"input_tokens","amount":"10","unit":"credits","per":"1M"}"#,
            r#"{"meter":"input_tokens","amount":"12","unit":"credits","per":"1M","when":{"from":"2026-02-01T00:00:00Z"}}"#,
        ]
    );
    assert_eq!(cost(&merged.card, &million(), "2026-01-31T23:59:59Z").as_deref(), Some("10"));
    assert_eq!(cost(&merged.card, &million(), "2026-02-01T00:00:00Z").as_deref(), Some("12"));
    assert!(total(&merged.card, &million(), &Terms::default()).is_err(), "which price holds depends on the instant");
}

#[test]
fn a_price_that_nothing_replaces_ends() {
    let before = one_model(vec![input("10"), Rate::new(Meter::CacheReadTokens, credits("1"))]);
    let merged = merge(&before, &one_model(vec![input("10")]), february()).expect("joins");
    assert_eq!(
        written(&merged.card),
        [
            r#"{"meter":"input_tokens","amount":"10","unit":"credits","per":"1M"}"#,
            r#"{"meter":"cache_read_tokens","amount":"1","unit":"credits","per":"1M","when":{"until":"2026-02-01T00:00:00Z"}}"#,
        ]
    );
    let cached = Run::new("m", Usage::new().with(Meter::CacheReadTokens, 1_000_000));
    assert_eq!(cost(&merged.card, &cached, "2026-01-31T00:00:00Z").as_deref(), Some("1"));
    assert_eq!(cost(&merged.card, &cached, "2026-02-01T00:00:00Z").as_deref(), Some("10"), "billed as what it is a part of");
}

#[test]
fn only_what_changed_of_a_table_is_written_anew() {
    let resolution = |r: &str| when(&format!(r#"{{"resolution": "{r}"}}"#));
    let card = aispace();
    let newer = changed(&card, |file| {
        let wan = model(file, "wan-2.6-text-to-video");
        let rate = wan.rates.iter_mut().find(|r| r.when.as_deref() == Some(&resolution("720p"))).expect("there");
        rate.price = amount("0.12", RateUnit::Usd, "1");
    });
    let merged = merge(&card, &newer, february()).expect("joins").card;
    let rates = &merged.model("wan-2.6-text-to-video").expect("there").rates;
    assert_eq!(rates.len(), 3);
    assert_eq!(rates[..2], card.model("wan-2.6-text-to-video").expect("there").rates[..], "what did not change is as it was");
    let clip = |r: &str| Run::clip("wan-2.6-text-to-video", 10, Some(r), None);
    assert_eq!(cost(&merged, &clip("720p"), "2026-02-02T00:00:00Z").as_deref(), Some("12000"));
    assert_eq!(cost(&merged, &clip("720p"), "2026-01-02T00:00:00Z").as_deref(), Some("11000"));
    assert_eq!(cost(&merged, &clip("1080p"), "2026-02-02T00:00:00Z").as_deref(), Some("16500"));
}

#[test]
fn a_general_price_does_not_hide_the_special_one_behind_it() {
    let long = || when(r#"{"prompt_tokens": {"over": 200000}}"#);
    let before = one_model(vec![input("10"), input("20").when(long())]);
    let after = one_model(vec![input("12"), input("20").when(long())]);
    let merged = merge(&before, &after, february()).expect("joins").card;
    for (card, instant) in [(&before, "2026-01-31T00:00:00Z"), (&after, "2026-02-01T00:00:00Z")] {
        for tokens in [200_000, 200_001] {
            let run = Run::chat("m", tokens, 0);
            assert_eq!(cost(&merged, &run, instant), cost(card, &run, instant), "{tokens} at {instant}");
        }
    }
}

#[test]
fn a_card_may_be_joined_again_and_again() {
    let cards: Vec<RateCard> = ["10", "12", "12", "9"].map(|price| one_model(vec![input(price)])).into();
    let months = ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"];
    let mut joined = cards[0].clone();
    for (card, month) in cards[1..].iter().zip(months) {
        joined = merge(&joined, card, at(month)).expect("joins").card;
    }
    assert_eq!(joined.models()[0].rates.len(), 3, "a price that stayed is not written again");
    let costs = ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"].map(|day| cost(&joined, &million(), &format!("{day}T00:00:00Z")));
    assert_eq!(costs.map(|c| c.expect("a price")), ["10", "12", "12", "9"]);
    assert_eq!(RateCard::from_json(&joined.to_json()).as_ref(), Ok(&joined), "and is written as any card");
}

#[test]
fn prices_that_were_announced_give_way_to_the_newer_card() {
    let announced = input("15").when(when(r#"{"from": "2026-06-01T00:00:00Z"}"#));
    let before = one_model(vec![input("10"), announced]);
    let merged = merge(&before, &one_model(vec![input("12")]), february()).expect("joins").card;
    let costs = ["2026-01-01", "2026-03-01", "2026-07-01"].map(|day| cost(&merged, &million(), &format!("{day}T00:00:00Z")));
    assert_eq!(costs.map(|c| c.expect("a price")), ["10", "12", "12"]);
    // An import that dates every rate itself says nothing new where the price is the same.
    let dated = one_model(vec![input("10").when(when(r#"{"from": "2026-02-01T00:00:00Z"}"#))]);
    let merged = merge(&one_model(vec![input("10")]), &dated, february()).expect("joins").card;
    assert_eq!(written(&merged).len(), 1);
}

#[test]
fn prices_that_begin_or_end_on_the_day_itself_are_said_once() {
    let on_the_day = |price: &str| input(price).when(when(r#"{"from": "2026-02-01T00:00:00Z"}"#));
    let up_to_it = |price: &str| input(price).when(when(r#"{"until": "2026-02-01T00:00:00Z"}"#));
    for (before, after) in [
        (vec![input("10"), on_the_day("15")], vec![input("12")]),
        (vec![input("10")], vec![input("12"), up_to_it("5")]),
        (vec![input("10"), up_to_it("11")], vec![input("12"), on_the_day("13")]),
    ] {
        let (before, after) = (one_model(before), one_model(after));
        let merged = merge(&before, &after, february()).expect("joins").card;
        for (card, instant) in [(&before, "2026-01-31T23:59:59Z"), (&after, "2026-02-01T00:00:00Z"), (&after, "2026-03-01T00:00:00Z")] {
            assert_eq!(cost(&merged, &million(), instant), cost(card, &million(), instant), "{instant}: {:#?}", written(&merged));
        }
    }
}

#[test]
fn a_price_that_is_rounded_in_another_unit_is_another_price() {
    // Made-up: 8.8 cents are 9 once rounded, 880 credits stay what they are.
    let with = |price: Price| {
        changed(&aispace(), |file| {
            let clip = model(file, "longcat-text-to-video");
            clip.video.as_mut().expect("clips").printed = None;
            clip.rates[0].price = price;
        })
    };
    let (before, after) = (with(amount("0.0176", RateUnit::Usd, "1")), with(amount("176", RateUnit::Credits, "1")));
    let merged = merge(&before, &after, february()).expect("joins").card;
    let clip = Run::clip("longcat-text-to-video", 5, None, None);
    let costs = ["2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"].map(|instant| cost(&merged, &clip, instant).expect("a price"));
    assert_eq!(costs, ["900", "880"]);
}

#[test]
fn models_that_come_and_go_are_dated_and_stay() {
    let card = aispace();
    let newer = changed(&card, |file| {
        file.models.retain(|m| m.id != "ovi-image-to-video" && m.id != "sora-2-text-to-video");
        file.models.push(Model::new("brand-new", Kind::Chat, Usage::new().with(Meter::InputTokens, 1), vec![input("1")]));
        model(file, "qwen3-4b").id = "qwen3-4b-2026".into();
        let renamed = model(file, "qwen3-4b-2026");
        renamed.aliases = vec!["qwen3-4b".into()];
        renamed.rates[0].price = credits("700");
    });
    let merged = merge(&card, &newer, february()).expect("joins").card;
    let day = |id: &str| merged.model(id).map(|m| (m.added.map(|d| d.to_string()), m.retired.map(|d| d.to_string()))).expect("there");
    assert_eq!(day("ovi-image-to-video"), (None, Some("2026-02-01".into())));
    assert_eq!(day("sora-2-text-to-video"), (None, Some("2026-09-24".into())), "the day that was known");
    assert_eq!(day("brand-new"), (Some("2026-02-01".into()), None));
    // Under either name the renamed model has the price of the time.
    let old_price = cost(&card, &Run::chat("qwen3-4b", 1_000_000, 0), "2026-01-15T00:00:00Z");
    for name in ["qwen3-4b", "qwen3-4b-2026"] {
        assert_eq!(cost(&merged, &Run::chat(name, 1_000_000, 0), "2026-01-15T00:00:00Z"), old_price);
        assert_eq!(cost(&merged, &Run::chat(name, 1_000_000, 0), "2026-02-15T00:00:00Z").as_deref(), Some("700"));
    }
    assert_eq!(merged.models().len(), card.models().len() + 1);
    assert_eq!((merged.id(), merged.date().to_string().as_str()), ("aispace", "2026-02-01"));
}

#[test]
fn what_no_card_can_date_is_refused_by_name() {
    let card = changed(&aispace(), |file| file.models.retain(|m| m.video.is_none()));
    let refusal = |change: fn(&mut CardFile)| match merge(&card, &changed(&card, change), february()) {
        Err(MergeError::Undated { what }) => what.join(" "),
        other => panic!("joined: {:?}", other.map(|m| m.undated)),
    };
    assert_eq!(refusal(|file| file.unit.per_usd = Exact::from(100u64)).as_str(), "unit");
    assert_eq!(refusal(|file| file.posting.decimals = Some(2)), "posting");
    let unrounded = |file: &mut CardFile| {
        file.rounding.clear();
        file.add_ons.clear();
    };
    assert_eq!(refusal(unrounded), "rounding add_ons");
    let half = r#"{"name":"Group","default":"a","values":[{"id":"a","factor":"0.5"}]}"#;
    let with = |text: &str| changed(&card, |file| file.channels = serde_json::from_str(text).expect("channels"));
    assert!(matches!(merge(&card, &with(half), february()), Err(MergeError::Undated { what }) if what == ["channels"]));
    assert!(merge(&card, &with(&half.replace("0.5", "1")), february()).is_ok());
    let raised = merge(&with(half), &with(&half.replace("0.5", "0.6")), february());
    assert!(matches!(raised, Err(MergeError::Undated { what }) if what == ["channels[a]"]));
    let more = half.replace("}]", r#"},{"id":"b","factor":"0.7"}]"#);
    let joined = merge(&with(&more), &with(half), february()).expect("a channel that went stays");
    assert_eq!(joined.card.file().channels.as_ref().expect("some").values.len(), 2);
}

#[test]
fn a_choice_that_is_another_by_default_is_said() {
    let card = aispace();
    let newer = changed(&card, |file| {
        let wan = model(file, "wan-2.6-text-to-video");
        wan.base.options.insert("resolution".into(), "720p".into());
        wan.video.as_mut().expect("clips").seconds = vec![5, 10];
    });
    let merged = merge(&card, &newer, february()).expect("joins");
    let said: Vec<_> = merged.undated.iter().map(|u| (u.model_id.as_str(), u.what.as_str())).collect();
    assert_eq!(said, [("wan-2.6-text-to-video", "options.resolution.default")]);
    let clip = merged.card.model("wan-2.6-text-to-video").expect("there").video.clone().expect("clips");
    assert_eq!(clip.seconds, [5, 10, 15], "a length that was sold has its price");
}

/// Another card out of one: prices, conditions, order and models changed at random. The head stays.
fn mutated(d: &mut Draw, old: &CardFile) -> CardFile {
    let mut file = old.clone();
    let other = made_up::card(d);
    for model in &mut file.models {
        let donors: Vec<&Rate> = other.models.iter().flat_map(|m| &m.rates).filter(|r| !uses_options(r)).collect();
        for _ in 0..d.index(5) {
            mutate_rates(d, &mut model.rates, &donors);
        }
    }
    if d.once_in(4) {
        let gone = d.index(file.models.len());
        file.models.remove(gone);
    }
    if d.once_in(4) {
        file.models.extend(other.models.into_iter().take(1).map(|m| Model {
            id: "came".into(),
            aliases: Vec::new(),
            channels: Vec::new(),
            ..m
        }));
    }
    file
}

fn uses_options(rate: &Rate) -> bool {
    rate.when.as_ref().is_some_and(|when| !when.options.is_empty() || when.resolution.is_some() || when.audio.is_some())
}

fn mutate_rates(d: &mut Draw, rates: &mut Vec<Rate>, donors: &[&Rate]) {
    let index = |d: &mut Draw, rates: &[Rate]| d.index(rates.len());
    let at = index(d, rates);
    let Some(rate) = rates.get_mut(at) else { return };
    match d.below(8) {
        0 | 1 => {
            if let Price::Amount { amount, .. } = &mut rate.price {
                *amount = Exact::new(d.digits(4), 2);
            }
        }
        2 => rate.included += 1,
        3 => _ = rates.remove(at),
        4 => rates.swap(at, 0),
        5 => {
            let source = index(d, rates);
            rates[at].when = rates[source].when.clone();
        }
        6 => rates[at].when = donors.get(d.index(donors.len())).and_then(|donor| donor.when.clone()),
        _ => {
            let mut more = rates[at].clone();
            more.when = donors.get(d.index(donors.len())).and_then(|donor| donor.when.clone());
            rates.push(more);
        }
    }
}

/// What made-up things are drawn from. What was made of it says more than the numbers.
#[derive(Clone)]
struct Numbers(Vec<u64>);

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers", self.0.len())
    }
}

fn drawn() -> impl Strategy<Value = Numbers> {
    proptest::collection::vec(any::<u64>(), 600).prop_map(Numbers)
}

/// Whether a joined card says at an instant what the card of that era does, for runs of that card.
fn agrees(d: &mut Draw, merged: &aispace_pricing::Merged, era: &RateCard, instant: DateTime<Utc>) -> Result<bool, TestCaseError> {
    let run = runs::run(d, era.file());
    let terms = Terms { at: Some(instant), ..runs::terms(d, era.file()) };
    if merged.undated.iter().any(|u| u.model_id == run.model_id) {
        return Ok(false);
    }
    let (said, expected) = (total(&merged.card, &run, &terms), total(era, &run, &terms));
    prop_assert_eq!(said.as_ref().ok(), expected.as_ref().ok(), "{:?} at {}: {:?} {:?}", run, instant, &said, &expected);
    Ok(expected.is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..support::cases(1_000) })]

    /// Before the day a joined card is the old one, from then on the new one.
    #[test]
    fn a_joined_card_is_both(words in drawn()) {
        let mut d = Draw::new(words.0);
        let old = made_up::card(&mut d);
        let (old, new) = match (RateCard::new(old.clone()), RateCard::new(mutated(&mut d, &old))) {
            (Ok(old), Ok(new)) if !new.models().is_empty() => (old, new),
            (Ok(_) | Err(_), _) => return Err(TestCaseError::reject("no card")),
        };
        let from = made_up::instant(&mut d);
        let merged = match merge(&old, &new, from) {
            Ok(merged) => merged,
            // A multiple of what is a multiple in the other era, and a base run whose price has ended, cannot be said in one card.
            Err(MergeError::Card(_)) => return Err(TestCaseError::reject("no card of both")),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        for hours in [0, 1, 30, 170] {
            let before = from - TimeDelta::hours(hours) - TimeDelta::milliseconds(1);
            agrees(&mut d, &merged, &old, before)?;
            agrees(&mut d, &merged, &new, from + TimeDelta::hours(hours))?;
        }
    }

    /// A card that is joined to itself, or read again, is as it was; and what is joined differs from the old card only where the new one does.
    #[test]
    fn what_did_not_change_is_not_written_anew(words in drawn()) {
        let mut d = Draw::new(words.0);
        let Ok(card) = RateCard::new(made_up::card(&mut d)) else { return Err(TestCaseError::reject("no card")) };
        let same = merge(&card, &card, made_up::instant(&mut d)).expect("joins");
        prop_assert_eq!(same.card.models(), card.models());
        prop_assert!(diff(&card, &card).is_empty());
        let read = RateCard::from_json(&same.card.to_json());
        prop_assert_eq!(read.as_ref(), Ok(&same.card));
    }
}
