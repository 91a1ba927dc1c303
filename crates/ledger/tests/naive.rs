//! Random histories of an account, against a second and naive ledger in which every credit is an object.
//!
//! Each history is drawn from one number, the same on every machine. `AISPACE_LEDGER_SEED=n` plays that one alone;
//! `AISPACE_LEDGER_FROM=n` and `AISPACE_LEDGER_LISTS=n` choose others.

mod support;

use aispace_ledger::{BatchId, Entry, EntryHash, EntryKind, HoldId, StoredAccount, verify};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use support::events::{Both, Dice, Event, Script, list, reason, states};
use support::naive::{Call, DAY, Model, Reason};
use support::{Kept, START, nanos};

const LISTS: u64 = 100_000;
/// How many seeds a core takes at a time.
const SHARE: u64 = 100;

#[test]
fn random_histories_agree_with_the_naive_model() {
    over_all_seeds(LISTS, |seed| {
        play(seed, as_drawn(seed)).map_err(|_| {
            let fails = |events: &[Event]| play(seed, as_listed(events)).err();
            let events = shortened(list(seed), |events| fails(events).is_some());
            let (at, why) = fails(&events).expect("it failed before");
            told(&events, at, &why)
        })
    });
}

/// A write of nothing at any moment posts what fell due, and changes no later answer.
#[test]
fn no_answer_depends_on_when_a_sweep_ran() {
    over_all_seeds(LISTS / 10, |seed| {
        let mut events = list(seed);
        // A sweep moves the clock, so time may not run back behind it here.
        let mut latest = i64::MIN;
        for (now, _) in &mut events {
            latest = latest.max(*now);
            *now = latest;
        }
        play_swept(seed, &events).map_err(|_| {
            let events = shortened(events, |events| play_swept(seed, events).is_err());
            let (at, why) = play_swept(seed, &events).expect_err("it failed before");
            told(&events, at, &why)
        })
    });
}

/// Where it went wrong, and how.
type Fault = (usize, String);

fn as_drawn(seed: u64) -> impl FnMut(&Model) -> Option<Event> {
    let mut script = Script::new(seed);
    move |model| script.next(model)
}

fn as_listed(events: &[Event]) -> impl FnMut(&Model) -> Option<Event> {
    let mut events = events.iter();
    move |_| events.next().copied()
}

fn play(seed: u64, mut next: impl FnMut(&Model) -> Option<Event>) -> Result<(), Fault> {
    let mut dice = Dice::new(!seed);
    let mut both = Both::open();
    let (mut end, mut last) = (0, START);
    while let Some((now, call)) = next(&both.model) {
        both.step(now, &call).map_err(|why| (end, why))?;
        if dice.percent(8) {
            both.agree_at(later(&mut dice, &both, now)).map_err(|why| (end, why))?;
        }
        (end, last) = (end + 1, now);
    }
    both.agree_at(later(&mut dice, &both, last)).map_err(|why| (end, why))?;
    both.kept.verify().map_err(|why| (end, format!("verify refuses a sound log: {why}")))?;
    if dice.percent(75) {
        return Ok(());
    }
    let (what, stored, entries) = damaged(&mut dice, &both.kept);
    match verify(&stored, &entries) {
        Ok(()) if stored != both.kept.stored() || entries != both.kept.entries => Err((end, format!("verify passes with {what}"))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// An instant to look at: a boundary and its neighbours, or any time in the next days.
fn later(dice: &mut Dice, both: &Both, now: i64) -> i64 {
    let boundary = dice.of(&both.model.instants()).filter(|_| dice.percent(70));
    match boundary {
        Some(boundary) => boundary + dice.below(3) as i64 - 1,
        None => now + dice.below(3 * DAY as usize) as i64,
    }
}

/// One change to what is stored, of a kind that no call makes.
fn damaged(dice: &mut Dice, kept: &Kept) -> (String, StoredAccount, Vec<Entry>) {
    let (mut stored, mut entries) = (kept.stored(), kept.entries.clone());
    let (entry, batch) = (dice.below(entries.len()), dice.below(stored.batches.len()));
    let one_more = |amount: &mut aispace_units::NanoCredits| *amount = nanos(amount.nanos() + 1);
    let kind = dice.below(16);
    match kind {
        0 if !entries.is_empty() => drop(entries.remove(entry)),
        1 if !entries.is_empty() => drop(entries.pop()),
        2 if entry > 0 => entries.swap(entry - 1, entry),
        3 if !entries.is_empty() => entries[entry].at += chrono::TimeDelta::milliseconds(1),
        4 if !entries.is_empty() => entries[entry].hash = EntryHash::new([7; 32]),
        5 if !entries.is_empty() => entries[entry].kind = EntryKind::AllowanceSet { amount: nanos(99) },
        // A log forged from an entry on, with hashes that fit; its head is stored as it should be.
        6 | 7 => {
            if let Some(index) = entries.iter().position(|e| matches!(e.kind, EntryKind::BatchAdded { .. })) {
                if let EntryKind::BatchAdded { amount, .. } = &mut entries[index].kind {
                    one_more(amount);
                }
                let mut previous = entries[index].previous;
                for entry in &mut entries[index..] {
                    *entry = Entry::chained(previous, entry.sequence, entry.at, entry.kind.clone());
                    previous = entry.hash;
                }
                stored.head.last_hash = previous;
            }
        }
        8 if !stored.batches.is_empty() => one_more(&mut stored.batches[batch].left),
        9 if !stored.batches.is_empty() => one_more(&mut stored.batches[batch].held),
        10 if !stored.batches.is_empty() => one_more(&mut stored.batches[batch].lapsed),
        11 if !stored.batches.is_empty() => stored.batches[batch].expires += chrono::TimeDelta::milliseconds(1),
        12 if !stored.batches.is_empty() => drop(stored.batches.remove(batch)),
        13 if !stored.batches.is_empty() => stored.batches.push(stored.batches[batch].clone()),
        14 if !stored.holds.is_empty() => stored.holds[0].id = HoldId::new("another"),
        14 if !stored.debts.is_empty() => one_more(&mut stored.debts[0].open),
        14 if !stored.batches.is_empty() => stored.batches[batch].id = BatchId::new("another"),
        _ => stored.head.entry_count += 1,
    }
    (format!("damage {kind} at entry {entry}, batch {batch}"), stored, entries)
}

/// Plays the events as they are, and with zero debits between them.
fn play_swept(seed: u64, events: &[Event]) -> Result<(), Fault> {
    let mut dice = Dice::new(!seed);
    let (mut lazy, mut eager) = (Both::open(), Both::open());
    let mut before = events.first().map_or(START, |e| e.0);
    for (index, (now, call)) in events.iter().enumerate() {
        while dice.percent(35) {
            before = between(&mut dice, &eager, before, *now);
            eager.call_ledger(before, &Call::Debit { amount: 0 }).map_err(|r| (index, format!("a sweep is refused: {r}")))?;
        }
        before = *now;
        let (lazily, eagerly) = (lazy.call_ledger(*now, call), eager.call_ledger(*now, call));
        let same = match (&lazily, &eagerly) {
            (Ok(_), Ok(_)) => true,
            (Err(one), Err(other)) => reason(one) == reason(other),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        if !same {
            return Err((index, format!("without sweeps {lazily:?}, with them {eagerly:?}")));
        }
        if let (Call::Debit { .. } | Call::Settle { .. }, Ok(one), Ok(other)) = (call, lazily, eagerly) {
            lazy.charged(one);
            eager.charged(other);
        }
        if dice.percent(25) || index + 1 == events.len() {
            same_answers(&lazy.kept, &eager.kept, later(&mut dice, &eager, *now).max(*now) - START).map_err(|why| (index, why))?;
        }
    }
    eager.kept.verify().map_err(|why| (events.len(), why.to_string()))
}

fn between(dice: &mut Dice, both: &Both, from: i64, to: i64) -> i64 {
    let ends = both.kept.batches.iter().map(|b| b.expires).chain(both.kept.account.holds().iter().map(|h| h.expires));
    let boundaries: Vec<i64> = ends.map(|e| e.timestamp_millis()).filter(|e| (from..=to).contains(e)).collect();
    let any = from + dice.below((to - from + 1).max(1) as usize) as i64;
    dice.of(&boundaries).filter(|_| dice.percent(60)).unwrap_or(any).max(from)
}

fn same_answers(lazy: &Kept, eager: &Kept, now: i64) -> Result<(), String> {
    let answers = |kept: &Kept| {
        let view = kept.account.view_at(support::at(now));
        let mut batches = kept.batches.clone();
        support::overlay(&mut batches, view.lapsed);
        let ids: Vec<String> = batches.iter().map(|b| b.id.to_string()).collect();
        (kept.balance(now), view.next_expiry, states(&batches), ids, view.holds.iter().map(|h| h.id.clone()).collect::<Vec<_>>())
    };
    let (lazy, eager) = (answers(lazy), answers(eager));
    if lazy == eager { Ok(()) } else { Err(format!("at {now} without sweeps {lazy:?}, with them {eager:?}")) }
}

/// Leaves events out as long as it still fails.
fn shortened(mut events: Vec<Event>, fails: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let mut index = 0;
    while index < events.len() {
        let mut fewer = events.clone();
        fewer.remove(index);
        if fails(&fewer) {
            (events, index) = (fewer, 0);
        } else {
            index += 1;
        }
    }
    events
}

fn told(events: &[Event], at: usize, why: &str) -> String {
    let lines: Vec<String> = events.iter().enumerate().map(|(n, (now, call))| format!("  {n}: +{} {call:?}", now - START)).collect();
    format!("at event {at}: {why}\n{}", lines.join("\n"))
}

/// Plays every seed on all cores; fails with the first seed that does.
fn over_all_seeds(lists: u64, play: impl Fn(u64) -> Result<(), String> + Sync) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let one = number("AISPACE_LEDGER_SEED");
    let from = one.or(number("AISPACE_LEDGER_FROM")).unwrap_or(0);
    let lists = one.map_or_else(|| number("AISPACE_LEDGER_LISTS").unwrap_or(lists), |_| 1);
    let (next, fault) = (AtomicU64::new(from), Mutex::new(None::<(u64, String)>));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(SHARE, Ordering::Relaxed);
                    if first >= from + lists || fault.lock().expect("no thread panics with it").is_some() {
                        break;
                    }
                    for seed in first..(first + SHARE).min(from + lists) {
                        if let Err(why) = caught(|| play(seed)) {
                            fault.lock().expect("no thread panics with it").get_or_insert((seed, why));
                            break;
                        }
                    }
                }
            });
        }
    });
    if let Some((seed, why)) = fault.into_inner().expect("no thread panics with it") {
        panic!("AISPACE_LEDGER_SEED={seed} {why}");
    }
    writeln!(std::io::stderr(), "{lists} histories on {cores} cores in {:?}", started.elapsed()).expect("stderr is open");
}

/// A panic is a fault of its seed too.
fn caught(play: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let told = |panic: Box<dyn std::any::Any + Send>| {
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(play)).unwrap_or_else(|panic| Err(format!("panicked: {}", told(panic))))
}

/// The events are worth something: each kind of call and each refusal happens, and so do debt, swallowed parts and catching up.
#[test]
fn random_histories_reach_every_case() {
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    let mut events_total = 0;
    for seed in 0..3_000 {
        let mut both = Both::open();
        for (now, call) in list(seed) {
            events_total += 1;
            let outcome = both.model.call(now, &call);
            both.step(now, &call).expect("it agrees");
            let word = |text: String| text.split(' ').next().unwrap_or_default().to_owned();
            let how = outcome.map_or_else(|reasons| format!("{:?}", reasons[0]), |_| "posted".to_owned());
            *seen.entry(format!("{} {how}", word(format!("{call:?}")))).or_default() += 1;
        }
        for entry in &both.kept.entries {
            for case in cases(&entry.kind) {
                *seen.entry(case.to_owned()).or_default() += 1;
            }
        }
    }
    writeln!(std::io::stderr(), "{events_total} events in 3000 histories: {seen:?}").expect("stderr is open");
    for reason in [
        Reason::Insufficient,
        Reason::InvalidAmount,
        Reason::InvalidExpiry,
        Reason::DuplicateBatch,
        Reason::DuplicateHold,
        Reason::UnknownBatch,
        Reason::BatchClosed,
        Reason::UnknownHold,
        Reason::HoldClosed,
        Reason::HoldExpired,
        Reason::UnknownEntry,
        Reason::RefundExceeds,
    ] {
        let times: u32 = seen.iter().filter(|(case, _)| case.ends_with(&format!(" {reason:?}"))).map(|(_, n)| n).sum();
        assert!(times >= 20, "{reason:?} was seen {times} times");
    }
    for case in ["Grant", "Debit", "Hold", "Settle", "Release", "Void", "Refund", "Allow"].map(|call| format!("{call} posted")) {
        assert!(seen.get(&case).is_some_and(|n| *n >= 100), "{case}: {:?}", seen.get(&case));
    }
    for case in [
        "expired",
        "timed out",
        "renewed",
        "settled below",
        "settled above",
        "debt",
        "paid",
        "cancelled",
        "returned",
        "swallowed",
        "refund pays",
    ] {
        assert!(seen.get(case).is_some_and(|n| *n >= 20), "{case}: {:?}", seen.get(case));
    }
}

fn cases(kind: &EntryKind) -> Vec<&'static str> {
    let mut cases = Vec::new();
    let mut case = |happened: bool, name| cases.extend(happened.then_some(name));
    match kind {
        EntryKind::BatchAdded { source, .. } => case(*source == aispace_ledger::BatchSource::DailyRenewal, "renewed"),
        EntryKind::Expired { .. } => case(true, "expired"),
        EntryKind::TimedOut { .. } => case(true, "timed out"),
        EntryKind::Settled { released, drawn, debt, .. } => {
            case(!released.is_empty(), "settled below");
            case(!drawn.is_empty(), "settled above");
            case(!debt.is_zero(), "debt");
        }
        EntryKind::DebtPaid { .. } => case(true, "paid"),
        EntryKind::Refunded { cancelled, returned, swallowed, paid, .. } => {
            case(!cancelled.is_zero(), "cancelled");
            case(!returned.is_empty(), "returned");
            case(!swallowed.is_empty(), "swallowed");
            case(!paid.is_empty(), "refund pays");
        }
        EntryKind::Debit { .. }
        | EntryKind::Held { .. }
        | EntryKind::Released { .. }
        | EntryKind::Voided { .. }
        | EntryKind::AllowanceSet { .. } => {}
    }
    cases
}
