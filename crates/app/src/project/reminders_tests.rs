use super::*;
use aispace_ledger::{BatchId, BatchSource};
use chrono::Offset as _;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400;
const START: i64 = 1_800_000_000; // 2027-01-15T08:00:00Z

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START + seconds, 0).unwrap()
}

fn batch(id: &str, added: i64, life: i64, left: i64) -> Batch {
    let credits = NanoCredits::from_nanos(left * LEAST).unwrap();
    Batch {
        id: BatchId::new(id.to_owned()),
        seq: 1,
        source: BatchSource::Grant,
        note: None,
        added: at(added),
        expires: at(added + life),
        granted: credits,
        left: credits,
        held: NanoCredits::ZERO,
        lapsed: NanoCredits::ZERO,
        voided: NanoCredits::ZERO,
        voided_at: None,
    }
}

fn subject(batches: Vec<Batch>) -> Subject<'static> {
    Subject { account_id: "ac_1", account: None, batches, pace: None, low: None, payments: vec![], is_settled: true }
}

fn loud() -> ReminderSettings {
    ReminderSettings { quiet: None, ..ReminderSettings::default() }
}

fn utc(_: DateTime<Utc>) -> FixedOffset {
    Utc.fix()
}

fn moment(seconds: i64) -> Moment<'static> {
    Moment { now: at(seconds), offset_at: &utc }
}

/// Says everything that is due at an instant; which batches, and which mark each.
fn say(subject: &Subject<'_>, settings: &ReminderSettings, given: &mut Given, now: i64) -> Vec<ReminderView> {
    let mut said = Vec::new();
    while let Some((view, after)) = due(subject, settings, given, moment(now)) {
        // What was said is kept as text, as over a restart.
        *given = serde_json::from_str(&serde_json::to_string(&after).unwrap()).unwrap();
        said.push(view);
    }
    said
}

fn endings(said: &[ReminderView]) -> Vec<&EndingView> {
    said.iter()
        .flat_map(|view| match view {
            ReminderView::Ending { batches, .. } => batches.iter().collect(),
            ReminderView::LowBalance { .. } | ReminderView::Credited { .. } => Vec::new(),
        })
        .collect()
}

#[test]
fn a_batch_is_spoken_of_at_seven_three_and_one_days_before_its_end() {
    let (subject, mut given) = (subject(vec![batch("b", 0, 30 * DAY, 100)]), Given::default());
    let minutes = (0..=30 * DAY).step_by(60);
    let times: Vec<i64> = minutes.filter(|now| !say(&subject, &loud(), &mut given, *now).is_empty()).collect();
    assert_eq!(times, [23 * DAY, 27 * DAY, 29 * DAY]);
}

#[test]
fn three_days_asleep_bring_one_reminder_and_a_day_back_brings_none() {
    let (subject, mut given) = (subject(vec![batch("b", 0, 30 * DAY, 100)]), Given::default());
    assert_eq!(say(&subject, &loud(), &mut given, 22 * DAY).len(), 0);
    let after_sleep = say(&subject, &loud(), &mut given, 29 * DAY + 60);
    assert_eq!(endings(&after_sleep).len(), 1);
    assert_eq!(endings(&after_sleep)[0].seconds_left, DAY - 60);
    for back in [28 * DAY, 26 * DAY, 29 * DAY, 30 * DAY - 1] {
        assert_eq!(say(&subject, &loud(), &mut given, back), []);
    }
}

#[test]
fn what_ends_together_is_said_together_the_soonest_first() {
    let batches = vec![batch("later", DAY, 30 * DAY, 20), batch("sooner", 0, 30 * DAY, 10), batch("dust", 0, 30 * DAY, 0)];
    let said = say(&subject(batches), &loud(), &mut Given::default(), 28 * DAY + 5);
    assert_eq!(said.len(), 1);
    let ends: Vec<&str> = endings(&said).iter().map(|b| b.batch_id.as_str()).collect();
    assert_eq!(ends, ["sooner", "later"]);
    assert!(matches!(&said[0], ReminderView::Ending { left_credits, .. } if left_credits == "30"));
}

#[test]
fn a_batch_that_lives_for_less_than_a_mark_has_no_such_mark() {
    let (subject, mut given) = (subject(vec![batch("b", 0, 2 * DAY, 100)]), Given::default());
    assert_eq!(say(&subject, &loud(), &mut given, 1), []);
    assert_eq!(say(&subject, &loud(), &mut given, DAY + 1).len(), 1);
}

#[test]
fn only_what_lapses_at_the_pace_is_said_where_a_person_wants_that() {
    let settings = ReminderSettings { only_lapsing: true, ..loud() };
    let at_pace = |credits: i64| Subject {
        pace: Some(PacePerDay(NanoCredits::from_nanos(credits * LEAST).unwrap())),
        ..subject(vec![batch("b", 0, 30 * DAY, 100)])
    };
    assert_eq!(say(&at_pace(50), &settings, &mut Given::default(), 27 * DAY + 1), []);
    let said = say(&at_pace(10), &settings, &mut Given::default(), 27 * DAY + 1);
    assert_eq!(endings(&said)[0].lapse_credits.as_deref(), Some("70"));
    assert_eq!(say(&subject(vec![batch("b", 0, 30 * DAY, 100)]), &settings, &mut Given::default(), 27 * DAY + 1).len(), 1);
}

/// 08:00 UTC is when these batches begin and end; quiet is 06:00 to 09:00.
fn quiet_morning() -> ReminderSettings {
    ReminderSettings { quiet: Some(QuietHours { from: 6 * 60, until: 9 * 60 }), ..ReminderSettings::default() }
}

#[test]
fn what_falls_into_quiet_hours_comes_before_them() {
    let (subject, mut given) = (subject(vec![batch("b", 0, 30 * DAY, 100)]), Given::default());
    let minutes = (0..=30 * DAY).step_by(60);
    let times: Vec<i64> = minutes.filter(|now| !say(&subject, &quiet_morning(), &mut given, *now).is_empty()).collect();
    let ahead = 2 * 3600 + 300;
    assert_eq!(times, [23 * DAY - ahead, 27 * DAY - ahead, 29 * DAY - ahead]);
}

#[test]
fn what_could_not_come_before_quiet_hours_comes_after_them_as_one() {
    let batches = vec![batch("a", 0, 30 * DAY, 1), batch("b", 600, 30 * DAY, 1)];
    let (subject, mut given) = (subject(batches), Given::default());
    for asleep in [-3_600, 0, 3_599] {
        assert_eq!(say(&subject, &quiet_morning(), &mut given, 27 * DAY + asleep), []);
    }
    let said = say(&subject, &quiet_morning(), &mut given, 27 * DAY + 3_600);
    assert_eq!((said.len(), endings(&said).len()), (1, 2));
}

#[test]
fn quiet_hours_cross_midnight_and_follow_local_time() {
    let night = QuietHours { from: 22 * 60, until: 8 * 60 };
    let berlin = |_| FixedOffset::east_opt(3_600).unwrap();
    let inside = |clock: &str| {
        let now = format!("2027-01-15T{clock}:00Z").parse().unwrap();
        night.minutes_in(now, Moment { now, offset_at: &berlin })
    };
    let (before, at_start, midnight) = (inside("20:59"), inside("21:00"), inside("23:30"));
    assert_eq!((before, at_start, midnight), (None, Some(0), Some(150)));
    assert_eq!((inside("06:59"), inside("07:00")), (Some(599), None));
    let now = "2027-01-15T23:30:40Z".parse().unwrap();
    let end = night.end_after(now, Moment { now, offset_at: &berlin });
    assert_eq!(end.map(instant).as_deref(), Some("2027-01-16T07:00:00.000Z"));
}

#[test]
fn a_low_balance_is_said_once_until_it_was_higher_and_a_day_has_passed() {
    let mut given = Given::default();
    let low = Subject { low: Some("25".parse().unwrap()), ..subject(vec![batch("b", 0, 30 * DAY, 3)]) };
    let mut looks = Vec::new();
    for (now, is_low) in [(10, true), (20, true), (30, false), (40, true), (DAY + 20, true), (DAY + 30, false), (DAY + 40, true)] {
        if !is_low {
            given.no_longer_low("ac_1");
        }
        let said = if is_low { say(&low, &loud(), &mut given, now) } else { Vec::new() };
        looks.push(said.len());
    }
    // At 40 it was higher in between, but a day had not passed; a day after the first it may be said again.
    assert_eq!(looks, [1, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_payment_is_said_once_when_it_is_credited() {
    let paid = |state| {
        let mut payment = PaymentRecord::sample(crate::view::PayWay::Link);
        payment.state = state;
        payment
    };
    let mut given = Given::default();
    let said = |payments: &[PaymentRecord], given: &mut Given| {
        let subject = Subject { payments: payments.iter().collect(), ..subject(vec![]) };
        say(&subject, &loud(), given, 0)
    };
    assert_eq!(said(&[paid(PaymentState::Confirmed)], &mut given), []);
    let credited = said(&[paid(PaymentState::Credited)], &mut given);
    assert!(matches!(&credited[..], [ReminderView::Credited { credits, usd, .. }] if credits == "250000" && usd == "25"));
    assert_eq!(said(&[paid(PaymentState::Done)], &mut given), []);
    let silent = ReminderSettings { credited: false, ..loud() };
    let payments = [paid(PaymentState::Done)];
    let subject = Subject { payments: payments.iter().collect(), ..subject(vec![]) };
    assert_eq!(say(&subject, &silent, &mut Given::default(), 0), []);
}

#[test]
fn what_is_to_come_is_shown_in_order_with_what_was_moved() {
    let subject = subject(vec![batch("b", 0, 30 * DAY, 100)]);
    let view = reminders(&[subject], &quiet_morning(), &Given::default(), moment(24 * DAY));
    let shown: Vec<_> = view.upcoming.iter().map(|one| (one.mark, one.shift)).collect();
    // The mark of seven days has passed and it is quiet: it comes after.
    use {ReminderMark::*, ReminderShift::*};
    assert_eq!(shown, [(SevenDays, After), (ThreeDays, Ahead), (OneDay, Ahead)]);
    assert_eq!((view.upcoming[0].at.as_str(), view.ends.len()), (instant(at(24 * DAY + 3_600)).as_str(), 1));
    assert_eq!(view.settings.quiet, Some(QuietHoursView { from: "06:00".into(), until: "09:00".into() }));
    assert!(!reminders(&[], &loud(), &Given::default(), moment(0)).has_account);
}

#[derive(Debug, Clone)]
enum Step {
    /// The clock moves by so many seconds, back as well as on.
    Clock(i64),
    /// The app is started again with what was kept.
    Restart,
    /// What is due cannot be shown.
    NobodyShows,
    /// A batch is added now, of so many days' life.
    Added(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3 * DAY).prop_map(Step::Clock),
        2 => (-2 * DAY..0).prop_map(Step::Clock),
        1 => Just(Step::Restart),
        1 => Just(Step::NobodyShows),
        1 => (1..31i64).prop_map(Step::Added),
    ];
    proptest::collection::vec(step, 1..80)
}

fn quiet() -> impl Strategy<Value = Option<QuietHours>> {
    proptest::option::of((0..1440u16, 1..1440u16).prop_map(|(from, long)| QuietHours { from, until: (from + long) % 1440 }))
}

proptest! {
    /// Whatever the clock does: no mark twice, none farther from the end than one before, and none in quiet hours.
    #[test]
    fn nothing_comes_twice(steps in steps(), quiet in quiet()) {
        let settings = ReminderSettings { quiet, ..ReminderSettings::default() };
        let (mut given, mut now, mut subject) = (Given::default(), 0, subject(vec![batch("first", 0, 30 * DAY, 5)]));
        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Clock(by) => now += by,
                Step::Restart => given = serde_json::from_str(&serde_json::to_string(&given).unwrap()).unwrap(),
                Step::NobodyShows => {
                    let _ = due(&subject, &settings, &given, moment(now));
                    continue;
                }
                Step::Added(days) => subject.batches.push(batch(&format!("b{}", subject.batches.len()), now, days * DAY, 5)),
            }
            let before = given.clone();
            let said = say(&subject, &settings, &mut given, now);
            prop_assert!(said.len() <= 1);
            if !said.is_empty() {
                prop_assert!(quiet.is_none_or(|q| q.minutes_in(at(now), moment(now)).is_none()));
            }
            for ending in endings(&said) {
                let (was, is) = (before.mark("ac_1", &ending.batch_id), given.mark("ac_1", &ending.batch_id).unwrap());
                prop_assert!(was.is_none_or(|was| is.mark < was.mark));
                prop_assert!(ending.seconds_left > 0);
                *heard.entry(ending.batch_id.clone()).or_default() += 1;
            }
        }
        prop_assert!(heard.values().all(|times| *times <= 3));
    }
}

proptest! {
    // Each case looks at every minute of three weeks.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A clock that only goes on, looked at often: every mark of every batch comes, whatever the quiet hours.
    #[test]
    fn nothing_is_left_out(quiet in quiet(), starts in proptest::collection::vec(0..10 * DAY, 1..4)) {
        let settings = ReminderSettings { quiet, ..ReminderSettings::default() };
        let batches: Vec<Batch> = starts.iter().zip(0..).map(|(start, n)| batch(&format!("b{n}"), *start, 30 * DAY, 5)).collect();
        let (subject, mut given) = (subject(batches), Given::default());
        let mut heard: BTreeMap<String, BTreeSet<ReminderMark>> = BTreeMap::new();
        for now in (20 * DAY..41 * DAY).step_by(60) {
            for ending in endings(&say(&subject, &settings, &mut given, now)) {
                let mark = given.mark("ac_1", &ending.batch_id).unwrap().mark;
                heard.entry(ending.batch_id.clone()).or_default().insert(mark);
            }
        }
        for batch in &subject.batches {
            prop_assert_eq!(heard.get(batch.id.as_str()).map(BTreeSet::len), Some(3), "{}", batch.id.as_str());
        }
    }
}
