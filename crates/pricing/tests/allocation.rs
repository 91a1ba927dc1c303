//! The way to an exact total, and to every line's amount, allocates nothing.
#![allow(missing_docs)]

use aispace_pricing::{
    Bill, ChannelFactor, Channels, Condition, Convention, DailyWindow, Denominator, Discount, Extra, FieldFactor, Kind, Meter, Model,
    Price, Rate, RateCard, RateUnit, Run, Terms, TokenReport, Usage, UserFactor, Users,
};
use aispace_units::Exact;
use allocation_counter::measure;
use chrono::NaiveTime;
use std::hint::black_box;

/// Does the work once to warm up, and then counts over a thousand times.
fn allocations(mut work: impl FnMut()) -> u64 {
    work();
    measure(|| (0..1_000).for_each(|_| work())).count_total
}

#[test]
fn allocations_are_counted() {
    assert!(allocations(|| drop(black_box(vec![1u8; 10]))) >= 1_000);
}

/// Name to model, report to counts, counts to every line and to the total.
fn priced(card: &RateCard, name: &str, report: &TokenReport, bill: &mut Bill) -> Exact {
    let found = card.find(black_box(name)).expect("a model of the card");
    let usage = black_box(report).usage(Convention::Inclusive).expect("parts within their totals");
    card.bill(found, &usage, bill).expect("a price");
    black_box(bill.raw_total());
    for line in bill.lines() {
        black_box((line.meter, line.amount));
    }
    bill.total()
}

#[test]
fn a_plain_quote_allocates_nothing() {
    let cards = RateCard::built_in().expect("a test reads them");
    let mut bill = Bill::new();
    let report = TokenReport { input: 1_000, cache_read: 400, output: 200, ..TokenReport::default() };
    let mut seen = 0;
    for card in &cards {
        for model in card.models().iter().filter(|m| m.kind == Kind::Chat) {
            assert_eq!(allocations(|| _ = black_box(priced(card, &model.id, &report, &mut bill))), 0, "{}", model.id);
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_base_run_of_any_built_in_model_allocates_nothing() {
    let mut bill = Bill::new();
    for card in RateCard::built_in().expect("a test reads them") {
        for (model, run) in card.models().iter().map(|model| (model, Run::base(model))) {
            let terms = Terms::at(card.date().and_time(NaiveTime::MIN).and_utc());
            let (found, stack) = (card.find(&model.id).expect("its own"), card.stack(model, &run, &terms).expect("possible"));
            let total = || _ = black_box(card.total_with(found, black_box(&run), &terms, &stack, &mut bill).expect("a price"));
            assert_eq!(allocations(total), 0, "{}", model.id);
        }
    }
}

/// A made-up model whose price looks at everything that it can look at.
fn conditional() -> RateCard {
    let usd = |amount: &str| Price::Amount { amount: amount.parse().expect("a number"), unit: RateUnit::Usd, per: Denominator::MILLION };
    let time = |hour| NaiveTime::from_hms_opt(hour, 30, 0).expect("a time");
    let night = Condition { daily: Some(DailyWindow { from: time(16), until: time(0) }), ..Condition::default() };
    let long =
        Condition { prompt_tokens: Some(aispace_pricing::Bounds { over: Some(1_000), ..Default::default() }), ..Condition::default() };
    let batch = Condition { tier: Some("batch".to_owned()), weekdays: vec![aispace_pricing::Day::Saturday], ..long.clone() };
    let quality = Condition { options: [("quality".to_owned(), "high".to_owned())].into(), ..Condition::default() };
    let mut cached = Rate::new(Meter::CacheReadTokens, Price::Times { times: "0.1".parse().expect("a number"), of: Meter::InputTokens });
    cached.included = 10;
    let rates = vec![
        Rate::new(Meter::InputTokens, usd("3")),
        Rate::new(Meter::InputTokens, usd("2")).when(night),
        Rate::new(Meter::InputTokens, usd("6")).when(long),
        Rate::new(Meter::InputTokens, usd("1")).when(batch),
        cached,
        Rate::new(Meter::OutputTokens, usd("15")),
        Rate::new(Meter::OutputTokens, usd("20")).when(quality),
    ];
    let mut model = Model::new("veo-made-up", Kind::Chat, Usage::new().with(Meter::InputTokens, 1), rates);
    model.options.insert("quality".to_owned(), aispace_pricing::OptionValues { allowed: vec!["low".into(), "high".into()], default: None });
    let mut file = RateCard::aispace().expect("a test reads it").file().clone();
    let channel = |id: &str, factor: &str| ChannelFactor { id: id.to_owned(), factor: factor.parse().expect("a number"), name: None };
    file.channels = Some(Channels { name: "Group".into(), default: "a".into(), values: vec![channel("a", "1"), channel("b", "0.8")] });
    let gold = UserFactor {
        id: "gold".into(),
        factor: "0.9".parse().expect("a number"),
        name: None,
        recharged_usd_at_least: Some(Exact::ONE),
        channels: [("b".to_owned(), Exact::ONE)].into(),
    };
    file.users = Some(Users { name: "User".into(), default: "gold".into(), values: vec![gold] });
    file.fields = vec![FieldFactor {
        field: "pay_go".into(),
        name: None,
        models: vec!["veo*".into()],
        values: [("standard".to_owned(), Exact::ONE), ("priority".to_owned(), "1.8".parse().expect("a number"))].into(),
        default: "standard".into(),
    }];
    RateCard::new(file).and_then(|card| card.with_models(vec![model])).expect("a good card")
}

#[test]
fn tiers_schedules_options_and_factors_allocate_nothing() {
    let card = conditional();
    let mut run = Run::chat("veo-made-up", 1_000, 200).times(3);
    run.usage.set(Meter::CacheReadTokens, 400);
    run.options.insert("quality".into(), "high".into());
    run.fields.insert("pay_go".into(), "priority".into());
    run.extras.push(Extra { name: "tool".into(), amount: Exact::ONE });
    run.tier = Some("batch".into());
    let terms = Terms {
        at: Some("2026-01-03T17:00:00Z".parse().expect("a Saturday")),
        channel: Discount::Named("b".into()),
        user: Discount::Recharged(Exact::from(5u32)),
    };
    let found = card.find("veo-made-up").expect("its model");
    let stack = card.stack(card.get(found).expect("its model"), &run, &terms).expect("possible");
    let mut bill = Bill::new();
    // Credits: (1,000 × 1 + 390 × 0.1 + 200 × 20) × 0.01 + 1, × 1.8 × 1 × 0.9, × 3.
    assert_eq!(card.total_with(found, &run, &terms, &stack, &mut bill).map(|total| total.to_string()), Ok("249.7554".to_owned()));
    assert_eq!(allocations(|| _ = black_box(card.total_with(found, black_box(&run), &terms, &stack, &mut bill).expect("a price"))), 0);
}

#[test]
fn clips_allocate_nothing() {
    let card = RateCard::aispace().expect("a test reads it");
    let mut bill = Bill::new();
    let mut seen = 0;
    for model in card.models() {
        let Some(rules) = &model.video else { continue };
        let found = card.find(&model.id).expect("its own");
        for seconds in &rules.seconds {
            let run = Run::clip(&model.id, *seconds, rules.resolutions.first().map(String::as_str), None);
            let terms = Terms::default();
            let stack = card.stack(model, &run, &terms).expect("possible");
            if card.total_with(found, &run, &terms, &stack, &mut bill).is_ok() {
                let total = || _ = black_box(card.total_with(found, black_box(&run), &terms, &stack, &mut bill).expect("a price"));
                assert_eq!(allocations(total), 0, "{} of {seconds} s", model.id);
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn longer_prompts_allocate_nothing() {
    let card = conditional();
    let mut bill = Bill::new();
    let found = card.find("veo-made-up").expect("its model");
    let without_option = Usage::new().with(Meter::OutputTokens, 1_000);
    assert_eq!(allocations(|| card.bill(found, black_box(&without_option), &mut bill).expect("a price")), 0);
    let long = Usage::new().with(Meter::InputTokens, 1_001);
    assert_eq!(allocations(|| card.bill(found, black_box(&long), &mut bill).expect("this long, the night does not matter")), 0);
    assert_eq!(bill.total().to_string(), "60.06");
}
