//! An outlook is what the ledger itself does: with nothing spent, and with a debit posted in every millisecond.

mod support;

use aispace_ledger::{
    Account, Batch, BatchId, BatchSource, EntryKind, Lapse, NewBatch, Outlook, PacePerDay, Posted, StoredAccount, forecast,
};
use aispace_units::NanoCredits;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use support::events::{Both, Dice, list};
use support::{DAY, HOUR, Kept, LIFETIME, MIDNIGHT, at, batch, nanos};

const NOTHING: PacePerDay = PacePerDay(NanoCredits::ZERO);

/// Uses so many per mille of 10⁻⁹ credit in a millisecond.
fn per_mille(n: i64) -> PacePerDay {
    PacePerDay(nanos(n * DAY / 1_000))
}

/// An account with all that can happen to one: holds, debt, an allowance, batches that have ended.
fn lived(seed: u64) -> Kept {
    let mut both = Both::open();
    for (now, call) in list(seed) {
        both.step(now, &call).expect("it agrees");
    }
    both.kept
}

fn millisecond(instant: DateTime<Utc>, later: i64) -> DateTime<Utc> {
    instant + TimeDelta::milliseconds(later)
}

/// An instant at which something may happen, or one close by.
fn boundary(dice: &mut Dice, account: &Account, from: DateTime<Utc>) -> DateTime<Utc> {
    let ends = account.batches().iter().map(|b| b.expires).chain(account.holds().iter().map(|h| h.expires));
    let midnight = DateTime::from_timestamp_millis((from.timestamp_millis() / DAY + 1) * DAY).expect("time");
    let ahead: Vec<_> = ends.chain([midnight]).filter(|end| *end >= from).collect();
    dice.of(&ahead).unwrap_or(from)
}

fn same(outlook: &Outlook, account: &Account, when: DateTime<Utc>) {
    let (seen, balance) = (outlook.at(when).expect("within the outlook"), account.balance_at(when));
    assert_eq!((seen.available, seen.held, seen.debt), (balance.available, balance.held, balance.debt), "at {when} in {outlook:?}");
}

#[test]
fn with_nothing_spent_it_is_the_view_of_every_instant() {
    let (mut jumps, mut lapses) = (0, 0);
    for seed in 0..1_000 {
        let (kept, mut dice) = (lived(seed), Dice::new(!seed));
        let account = &kept.account;
        let from = account.effective_time(at(0));
        let outlook = account.outlook(at(0), from + TimeDelta::days(40), NOTHING);
        let mut instants: Vec<_> = outlook.steps.iter().flat_map(|step| [-1, 0, 1].map(|beside| millisecond(step.at, beside))).collect();
        instants.extend((0..5).map(|_| millisecond(boundary(&mut dice, account, from), dice.below(3) as i64 - 1)));
        instants.extend((0..5).map(|_| millisecond(from, dice.below(40 * DAY as usize) as i64)));
        instants.retain(|when| (outlook.from..=outlook.until).contains(when));
        instants.iter().for_each(|when| same(&outlook, account, *when));
        // What lapses is what the entries say that a write at the end would post, but for what is over already.
        let due = account.view_at(outlook.until).due.into_iter().filter(|entry| entry.at > from);
        assert_eq!(outlook.lapses, due.filter_map(|entry| lapse(entry.at, entry.kind)).collect::<Vec<_>>());
        let empty = outlook.steps.iter().find(|step| step.available.is_zero()).map(|step| step.at);
        assert_eq!(outlook.empty_at, empty);
        jumps += outlook.steps.len();
        lapses += outlook.lapses.len();
    }
    assert!(jumps > 5_000 && lapses > 2_000, "{jumps} steps and {lapses} lapses are too few to tell");
}

fn lapse(at: DateTime<Utc>, kind: EntryKind) -> Option<Lapse> {
    if let EntryKind::Expired { batch, amount } = kind { Some(Lapse { batch, at, amount }) } else { None }
}

/// In every millisecond a debit is posted, for what is used within it or for what is left.
#[test]
fn with_a_pace_it_is_the_account_with_every_debit_posted() {
    let (mut jumps, mut emptied, mut refilled) = (0, 0, 0);
    for seed in 0..2_000 {
        let (mut kept, mut dice) = (lived(seed), Dice::new(!seed));
        let near = boundary(&mut dice, &kept.account, kept.account.effective_time(at(0)));
        let from = kept.account.effective_time(millisecond(near, -(dice.below(30) as i64)));
        let pace = per_mille([0, 1, 70, 333, 500, 1_000, 2_900][dice.below(7)]);
        let outlook = kept.account.outlook(from, millisecond(from, 60), pace);
        let (mut lapses, mut empty_at, mut posted) = (Vec::new(), None, Posted::new());
        let used = |n: i64| i64::try_from(i128::from(pace.0.nanos()) * i128::from(n) / i128::from(DAY)).expect("small");
        for n in 0..=60 {
            let now = millisecond(from, n);
            same(&outlook, &kept.account, now);
            let available = kept.account.balance_at(now).available;
            if available.is_zero() {
                empty_at.get_or_insert(now);
            }
            refilled += usize::from(!available.is_zero() && empty_at.is_some());
            let amount = nanos(used(n + 1) - used(n)).min(available);
            kept.account.post_debit(now, amount, None, &mut posted).expect("covered");
            lapses.extend(posted.entries.drain(..).filter(|entry| entry.at > from).filter_map(|entry| lapse(entry.at, entry.kind)));
        }
        assert_eq!((outlook.lapses.clone(), outlook.empty_at), (lapses, empty_at));
        jumps += outlook.steps.len();
        emptied += usize::from(outlook.empty_at.is_some_and(|when| when > from));
    }
    let reached = jumps > 5_000 && emptied > 300 && refilled > 500;
    assert!(reached, "{jumps} steps, {emptied} times empty and {refilled} instants after it are too few to tell");
}

proptest! {
    /// Batches alone, of any size, over days: as the forecast that follows them one after the other says.
    #[test]
    fn it_agrees_with_the_forecast_of_batches(
        parts in prop::collection::vec((1i64..i64::MAX / 32, 0i64..=LIFETIME), 0..20),
        pace in prop_oneof![Just(0i64), 0..i64::MAX, 0..i64::MAX / 1_000, 0i64..1_000_000_000],
    ) {
        let batches: Vec<Batch> = (1u64..).zip(&parts).map(|(seq, (amount, left))| stored(seq, *amount, *left)).collect();
        let account = Account::restore(StoredAccount {
            batches: batches.clone(),
            ..Kept::open().stored()
        });
        let pace = PacePerDay(nanos(pace));
        let (outlook, forecast) = (account.outlook(at(0), at(LIFETIME), pace), forecast(&batches, pace, at(0)));
        let lapses: i128 = forecast.batches.iter().map(|row| i128::from(row.lapses.nanos())).sum();
        prop_assert_eq!(outlook.at_risk().nanos(), lapses);
        for row in forecast.batches {
            let lapse = outlook.lapses.iter().find(|lapse| lapse.batch == row.batch);
            prop_assert_eq!(lapse.map_or(NanoCredits::ZERO, |lapse| lapse.amount), row.lapses);
        }
        prop_assert_eq!(outlook.empty_at.filter(|_| forecast.empty_at.is_some()), forecast.empty_at);
    }
}

/// A batch of 30 days that has so many milliseconds left.
fn stored(seq: u64, amount: i64, left: i64) -> Batch {
    let new =
        NewBatch { id: BatchId::new(format!("b{seq}")), source: BatchSource::Grant, note: None, amount: nanos(amount), expires: None };
    Batch::new(seq, at(left - LIFETIME), at(left), new)
}

#[test]
fn an_outlook_bends_and_jumps_at_its_instants() {
    let mut kept = Kept::open();
    kept.allow(0, 24).expect("set");
    kept.grant(0, batch("a", 100, Some(50))).expect("granted");
    kept.hold(0, "h", 30, Some(40)).expect("covered");
    // One in a millisecond: 70 fall to 30 at 40, where 30 come back; 50 are left at the end of the batch, and lapse.
    let outlook = kept.account.outlook(at(0), at(MIDNIGHT + 30), per_mille(1_000));
    let steps: Vec<_> = outlook.steps.iter().map(|s| (s.at, s.before.nanos(), s.available.nanos(), s.held.nanos())).collect();
    let expected = [
        (at(0), 70, 70, 30),
        (at(40), 30, 60, 0),
        (at(50), 50, 0, 0),
        (at(MIDNIGHT), 0, 24, 0),
        (at(MIDNIGHT + 24), 0, 0, 0),
        (at(MIDNIGHT + 30), 0, 0, 0),
    ];
    assert_eq!(steps, expected);
    assert_eq!(outlook.lapses, [Lapse { batch: BatchId::new("a"), at: at(50), amount: nanos(50) }]);
    assert_eq!((outlook.at_risk().nanos(), outlook.empty_at), (50, Some(at(50))));
    let available = |when| outlook.at(at(when)).map(|step| step.available.nanos());
    let seen = [-1, 0, 1, 39, 40, 49, 50, MIDNIGHT + 1, MIDNIGHT + 30, MIDNIGHT + 31].map(available);
    assert_eq!(seen, [None, Some(70), Some(69), Some(31), Some(60), Some(51), Some(0), Some(23), Some(0), None]);
}

#[test]
fn an_outlook_without_a_span_is_the_balance() {
    let mut kept = Kept::open();
    kept.grant(0, batch("a", 100, Some(HOUR))).expect("granted");
    for until in [HOUR - 1, 0, -1] {
        let outlook = kept.account.outlook(at(HOUR - 1), at(until), per_mille(1_000));
        assert_eq!((outlook.steps.len(), outlook.steps[0].available, outlook.until), (1, nanos(100), at(HOUR - 1)));
        assert_eq!((outlook.lapses.len(), outlook.empty_at), (0, None));
    }
    let over = kept.account.outlook(at(HOUR), at(HOUR), NOTHING);
    assert_eq!((over.empty_at, over.lapses.len()), (Some(at(HOUR)), 0), "what is over already is at risk no more");
}
