//! A usage log under two cards.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{
    CardFile, Currency, Difference, Discount, LoggedRun, Meter, Model, Period, Price, RateCard, Replay, Run, Tally, Terms, UNPRICED_SHOWN,
    UnpricedBy, Usage, calendar_month, last_month, merge, read_logged, replay, total,
};
use aispace_units::Exact;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use support::{draw::Draw, made_up, runs};

fn n(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn old() -> RateCard {
    RateCard::aispace().expect("the built-in card is well formed")
}

fn changed(change: impl FnOnce(&mut CardFile)) -> RateCard {
    let mut file = old().file().clone();
    change(&mut file);
    RateCard::new(file).expect("still a card")
}

/// Input of `qwen3-4b` at twice its price, another model gone.
fn new() -> RateCard {
    changed(|file| {
        file.models.retain(|m| m.id != "ovi-image-to-video");
        let model = file.models.iter_mut().find(|m| m.id == "qwen3-4b").expect("there");
        let rate = model.rates.iter_mut().find(|r| r.meter == Meter::InputTokens).expect("input");
        if let Price::Amount { amount, .. } = &mut rate.price {
            *amount = amount.mul(n("2")).expect("fits");
        }
    })
}

fn february(day: u32) -> DateTime<Utc> {
    at(&format!("2026-02-{day:02}T09:00:00Z"))
}

fn chat(day: u32, charged: Option<&str>) -> LoggedRun {
    LoggedRun { charged: charged.map(n), ..LoggedRun::new(Run::chat("qwen3-4b", 500, 200), february(day)) }
}

/// 0.25 for the input and 0.3 for the output.
#[test]
fn a_log_is_priced_by_both_cards() {
    let unchanged = LoggedRun::new(Run::chat("venice-uncensored", 1_000_000, 0).times(3), february(2));
    let log = vec![chat(1, Some("0.55")), chat(2, None), unchanged];
    let replayed = replay(log, &old(), &new(), &Terms::default());
    let row = |id: &str| &replayed.models.iter().find(|m| m.model_id == id).expect("a row").row;
    let qwen = row("qwen3-4b");
    assert_eq!((qwen.lines, qwen.runs, qwen.old, qwen.new), (2, 2, n("1.1"), n("1.6")));
    assert_eq!((qwen.difference, qwen.percent), (Difference::More(n("0.5")), Some(Difference::More(n("45.45")))));
    let charged = qwen.charged.clone().expect("one line says so");
    assert_eq!((charged.lines, charged.amount, charged.old), (1, n("0.55"), n("0.55")));
    let other = row("venice-uncensored");
    assert_eq!((other.runs, other.difference, other.charged.clone()), (3, Difference::None, None));
    assert_eq!(replayed.models[0].model_id, "venice-uncensored", "the dearest first");
    assert_eq!((replayed.total.old, replayed.total.runs), (other.old.add(n("1.1")).expect("fits"), 5));
    assert_eq!(replayed.total.difference, Difference::More(n("0.5")));
    assert_eq!((replayed.currency.as_str(), replayed.unpriced.lines), ("aispace", 0));
}

#[test]
fn what_has_no_price_is_counted_and_in_no_sum() {
    let ovi = LoggedRun { charged: Some(n("2200")), ..LoggedRun::new(Run::clip("ovi-image-to-video", 5, None, None), february(1)) };
    let unknown = LoggedRun::new(Run::chat("no-such-model", 1, 1), february(1));
    let impossible = LoggedRun::new(Run::clip("sora-2-text-to-video", 5, None, None), february(1));
    let replayed = replay(vec![chat(1, None), ovi, unknown, impossible], &old(), &new(), &Terms::default());
    let said: Vec<_> = replayed.unpriced.first.iter().map(|u| (u.line, u.model_id.as_str(), u.by)).collect();
    assert_eq!(
        said,
        [(2, "ovi-image-to-video", UnpricedBy::New), (3, "no-such-model", UnpricedBy::Both), (4, "sora-2-text-to-video", UnpricedBy::Both)]
    );
    assert_eq!(replayed.unpriced.first[2].reason, "sora-2-text-to-video: seconds cannot be 5; allowed: 4, 8, 12");
    assert_eq!((replayed.total.old, replayed.total.charged.clone()), (n("0.55"), None));
    let back = replay(vec![LoggedRun::new(Run::clip("ovi-image-to-video", 5, None, None), february(1))], &new(), &old(), &Terms::default());
    assert_eq!((back.unpriced.first[0].by, back.models.len()), (UnpricedBy::Old, 0));
    let many = replay((0..50).map(|_| LoggedRun::new(Run::chat("no-such-model", 1, 1), february(1))), &old(), &new(), &Terms::default());
    assert_eq!((many.unpriced.lines, many.unpriced.first.len()), (50, UNPRICED_SHOWN));
}

#[test]
fn each_run_is_posted_by_itself() {
    // Made-up: two decimals, so that half a hundredth is rounded up line by line.
    let cents = changed(|file| file.posting.decimals = Some(0));
    let replayed = replay(vec![chat(1, None), chat(2, None)], &old(), &cents, &Terms::default());
    assert_eq!((replayed.total.old, replayed.total.new), (n("1.1"), n("2")));
    let together = replay(vec![LoggedRun::new(Run::chat("qwen3-4b", 500, 200).times(2), february(1))], &old(), &cents, &Terms::default());
    assert_eq!((together.total.lines, together.total.runs, together.total.new), (1, 2, n("1")), "what is posted together is rounded once");
}

#[test]
fn prices_are_those_of_the_runs_own_instant() {
    let merged = merge(&old(), &new(), february(10)).expect("joins").card;
    let replayed = replay(vec![chat(9, None), chat(11, None)], &old(), &merged, &Terms::default());
    assert_eq!((replayed.total.old, replayed.total.new), (n("1.1"), n("1.35")));
}

#[test]
fn who_ran_it_is_as_the_log_says_else_as_asked() {
    let half = Terms { user: Discount::Given(n("0.5")), ..Terms::default() };
    let own = LoggedRun { terms: Some(Terms { user: Discount::Given(n("0.1")), ..Terms::default() }), ..chat(1, None) };
    let replayed = replay(vec![chat(1, None), own], &old(), &old(), &half);
    assert_eq!(replayed.total.old, n("0.33"));
}

#[test]
fn two_units_are_compared_in_dollars() {
    let dollars = changed(|file| {
        file.unit = Currency::usd();
        file.models.retain(|m| m.id == "qwen3-4b");
        file.add_ons.clear();
    });
    let replayed = replay(vec![chat(1, Some("0.6"))], &old(), &dollars, &Terms::default());
    // The figures of the rates stayed, so a credit's price is now a dollar's.
    assert_eq!((replayed.currency.as_str(), replayed.total.old, replayed.total.new), ("usd", n("0.000055"), n("0.55")));
    assert_eq!(replayed.total.charged.clone().expect("logged").amount, n("0.00006"));
    let thirds = changed(|file| {
        file.unit = Currency { code: "third".into(), name: "thirds".into(), per_usd: n("3") };
        file.models.retain(|m| m.id == "qwen3-4b");
        file.add_ons.clear();
    });
    let replayed = replay(vec![chat(1, None)], &old(), &thirds, &Terms::default());
    assert_eq!(replayed.unpriced.first[0].reason, "0.55 thirds have no finite decimals in usd");
}

const LOG: &str = r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}, "charged": "0.55"}
{"at": "2026-02-04T10:00:00+01:00", "model": "Qwen3-4B", "openai_usage": {"prompt_tokens": 500, "completion_tokens": 200}, "runs": 2}
{"at": "2026-02-05T09:00:00Z", "model": "sora-2-text-to-video", "card": "aispace", "seconds": 4, "charged": "4400"}
{"at": "2026-01-05T09:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 500}}"#;

fn read(log: &str, period: Option<Period>) -> Replay {
    let (old, new) = (old(), new());
    let mut tally = Tally::new(&old, &new, Terms::default(), period);
    log.lines().for_each(|line| tally.add_line(line));
    tally.finish()
}

#[test]
fn a_log_is_read_line_by_line() {
    let all = read(LOG, None);
    assert_eq!((all.total.lines, all.total.runs, all.outside, all.unpriced.lines), (4, 5, 0, 0), "{all:#?}");
    assert_eq!(all.total.charged.clone().expect("two lines say so").amount, n("4400.55"));
    let ids: Vec<&str> = all.models.iter().map(|m| m.model_id.as_str()).collect();
    assert_eq!(ids, ["sora-2-text-to-video", "qwen3-4b"], "by its id, however it was written");
    let month = read(LOG, Some(calendar_month(at("2026-03-15T00:00:00Z"))));
    assert_eq!((month.total.lines, month.outside), (3, 1));
    let json = serde_json::to_value(&month).expect("writes");
    assert_eq!(json["total"]["old"], "4401.65");
    assert_eq!((&json["models"][1]["model_id"], &json["models"][1]["difference"]), (&"qwen3-4b".into(), &"+0.75".into()));
}

#[test]
fn a_line_that_is_no_run_is_named_by_its_number() {
    let replayed = |line: &str| read(&format!("{}\n{line}", LOG.lines().next().expect("a line")), None);
    for (line, by, reason) in [
        ("not JSON", UnpricedBy::Log, "expected"),
        ("[]", UnpricedBy::Log, "a run, such as"),
        (r#"{"at": "2026-02-03T09:00:00Z"}"#, UnpricedBy::Log, "model is missing"),
        (r#"{"model": "qwen3-4b", "usage": {"input_tokens": 1}}"#, UnpricedBy::Log, "at is missing"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b"}"#, UnpricedBy::Log, "nothing is counted"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "usge": {"input_tokens": 1}}"#, UnpricedBy::Log, "unknown field"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "a", "model": "b", "seconds": 1}"#, UnpricedBy::Log, "twice"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 1}, "charged": 0.5}"#, UnpricedBy::Log, "string"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 1}, "charged": "-1"}"#, UnpricedBy::Log, "-1"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "m", "usage": {"images": 1}, "rates": []}"#, UnpricedBy::Log, "rates of its own"),
        (
            r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "card": "x", "usage": {"images": 1}}"#,
            UnpricedBy::Log,
            "neither of the two",
        ),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "m", "usage": {"input_tokens": 1}}"#, UnpricedBy::Both, "no model"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "Wan 2.6", "seconds": 5}"#, UnpricedBy::Both, "may be any of"),
        (r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "usage": {"images": 1}}"#, UnpricedBy::Both, "no price for images"),
    ] {
        let replayed = replayed(line);
        let first = &replayed.unpriced.first;
        assert_eq!((first.len(), replayed.total.lines), (1, 1), "{line}: {first:?}");
        assert_eq!((first[0].line, first[0].by), (2, by), "{line}: {first:?}");
        assert!(first[0].reason.contains(reason), "{line}: {}", first[0].reason);
    }
    let long = format!(r#"{{"model": "{}"}}"#, "m".repeat(1024 * 1024));
    assert!(read_logged(&long, &old(), &new()).expect_err("too long").message.contains("at most"));
}

#[test]
fn a_line_of_another_time_is_outside_whatever_is_wrong_with_it() {
    let line = r#"{"at": "2026-01-03T09:00:00Z", "model": "no-such-model", "usage": {"input_tokens": 1}}"#;
    let month = read(line, Some(calendar_month(at("2026-03-15T00:00:00Z"))));
    assert_eq!((month.outside, month.unpriced.lines), (1, 0));
}

#[test]
fn months_are_half_open() {
    let month = last_month(at("2026-03-15T10:00:00Z"));
    assert!(month.contains(at("2026-02-13T10:00:00Z")) && !month.contains(at("2026-02-13T09:59:59.999Z")));
    assert!(month.contains(at("2026-03-15T09:59:59.999Z")) && !month.contains(at("2026-03-15T10:00:00Z")));
    for (now, from, until) in [
        ("2026-01-01T00:00:00Z", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2024-03-31T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
    ] {
        assert_eq!(calendar_month(at(now)), Period { from: at(from), until: at(until) });
    }
    assert_eq!(last_month(DateTime::<Utc>::MIN_UTC).from, DateTime::<Utc>::MIN_UTC);
}

/// What made-up things are drawn from. What was made of it says more than the numbers.
#[derive(Clone)]
struct Numbers(Vec<u64>);

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers", self.0.len())
    }
}

proptest! {
    #![proptest_config(support::cases(500))]

    /// The sums are those of the lines, model by model, and a card replayed against itself differs in nothing.
    #[test]
    fn sums_are_those_of_the_lines(words in proptest::collection::vec(any::<u64>(), 600).prop_map(Numbers)) {
        let mut d = Draw::new(words.0);
        let card = RateCard::new(made_up::card(&mut d)).expect("a made-up card holds together");
        let log: Vec<LoggedRun> = (0..8).map(|_| {
            let run = runs::run(&mut d, card.file());
            let at = made_up::instant(&mut d);
            LoggedRun { terms: Some(runs::terms(&mut d, card.file())), ..LoggedRun::new(run, at) }
        }).collect();
        let replayed = replay(log.clone(), &card, &card, &Terms::default());
        let posted = |l: &LoggedRun| {
            let terms = Terms { at: Some(l.at), ..l.terms.clone().unwrap_or_default() };
            card.posted(total(&card, &l.run, &terms).ok()?).ok()
        };
        let costs: Vec<Exact> = log.iter().filter_map(posted).collect();
        let sum = |costs: &[Exact]| costs.iter().try_fold(Exact::ZERO, |sum, cost| sum.add(*cost));
        // A sum beyond 38 digits leaves its line out, and says so.
        if let Ok(sum) = sum(&costs) {
            prop_assert_eq!(replayed.total.old, sum);
            prop_assert_eq!(replayed.total.lines, u64::try_from(costs.len()).expect("few"));
        }
        prop_assert_eq!(replayed.total.difference, Difference::None);
        prop_assert_eq!(replayed.total.old, replayed.total.new);
        prop_assert_eq!(replayed.total.lines + replayed.unpriced.lines, 8);
        let parts: Vec<Exact> = replayed.models.iter().map(|m| m.row.old).collect();
        prop_assert_eq!(sum(&parts), Ok(replayed.total.old));
        prop_assert_eq!(replayed.models.iter().map(|m| m.row.runs).sum::<u64>(), replayed.total.runs);
    }

    /// No line panics.
    #[test]
    fn any_line_is_a_run_or_refused(line in "\\PC{0,80}", model in "[a-z0-9-]{0,10}", count in any::<i64>()) {
        let written = format!(r#"{{"at":"2026-02-03T09:00:00Z","model":"{model}","usage":{{"input_tokens":{count}}}}}"#);
        prop_assert!(read_logged(&line, &old(), &new()).is_err());
        let _ = read_logged(&written, &old(), &new());
    }
}

/// A card that has a model answers to whichever of the two knows it.
#[test]
fn a_model_that_only_the_new_card_has_is_read_by_it() {
    let newer = changed(|file| {
        let rate = file.models.iter().find(|m| m.id == "qwen3-4b").expect("there").rates[0].clone();
        file.models.push(Model::new("brand-new", aispace_pricing::Kind::Chat, Usage::new().with(Meter::InputTokens, 1), vec![rate]));
    });
    let line = r#"{"at": "2026-02-03T09:00:00Z", "model": "brand-new", "usage": {"input_tokens": 1}}"#;
    assert_eq!(read_logged(line, &old(), &newer).expect("a run").run, Run::new("brand-new", Usage::new().with(Meter::InputTokens, 1)));
    let mut tally_new = replay(vec![read_logged(line, &old(), &newer).expect("a run")], &old(), &newer, &Terms::default());
    assert_eq!(tally_new.unpriced.first.pop().expect("not in the old card").by, UnpricedBy::Old);
}
