//! The rules of the ledger, one by one, at their instants and a millisecond either side: batches, drawing, debits, the clock, the log.

mod support;

use aispace_ledger::{Account, AccountId, BatchId, Entry, EntryKind, Refusal, Taken, VerifyError, draw};
use aispace_units::BATCH_LIFETIME_SECONDS;
use support::{Kept, at, batch, nanos};

#[test]
fn a_batch_lives_thirty_days_half_open() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 10, None)).expect("granted");
    let end = BATCH_LIFETIME_SECONDS * 1000;
    assert_eq!(kept.account.view_at(at(0)).available, nanos(10));
    assert_eq!(kept.account.view_at(at(0)).next_expiry, Some(at(end)));
    assert_eq!(kept.account.view_at(at(end - 1)).available, nanos(10));
    assert_eq!(kept.account.view_at(at(end)).available, nanos(0));
    assert_eq!(kept.account.view_at(at(end + 1)).available, nanos(0));
    assert!(kept.clone().debit(end - 1, 10).is_ok());
    for late in [end, end + 1] {
        let refused = kept.debit(late, 1);
        assert_eq!(refused, Err(Refusal::InsufficientCredits { needed: nanos(1), available: nanos(0) }));
    }
}

/// The app plans over a list it got from the service: the bounds hold there without an account.
#[test]
fn a_plan_draws_from_the_start_up_to_but_not_at_the_end() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 10, Some(100))).expect("granted");
    for (when, shortfall) in [(-1, 4), (0, 0), (99, 0), (100, 4), (101, 4)] {
        assert_eq!(draw(&kept.batches, nanos(4), at(when)).shortfall, nanos(shortfall), "at {when}");
    }
    assert!(draw(&kept.batches, nanos(0), at(0)).taken.is_empty());
}

#[test]
fn an_expiry_is_dated_at_its_own_instant_whenever_it_is_posted() {
    let mut kept = Kept::open();
    kept.grant(0, batch("late", 5, Some(200))).expect("granted");
    kept.grant(0, batch("early", 7, Some(100))).expect("granted");
    let read = kept.account.view_at(at(1_000));
    kept.debit(1_000, 0).expect("zero is allowed");
    let dates: Vec<_> = kept.entries[2..].iter().map(|e| (e.at, e.kind.change().nanos())).collect();
    assert_eq!(dates, [(at(100), -7), (at(200), -5), (at(1_000), 0)]);
    assert_eq!(read.due, kept.entries[2..4]);
    assert_eq!(kept.batch("late").lapsed, nanos(5));
    assert_eq!(kept.verify(), Ok(()));
}

#[test]
fn batches_are_drawn_by_added_then_expires_then_posting_order() {
    let mut kept = Kept::open();
    kept.grant(0, batch("long", 10, Some(500))).expect("granted");
    kept.grant(0, batch("short", 10, Some(400))).expect("granted");
    kept.grant(0, batch("short-again", 10, Some(400))).expect("granted");
    kept.grant(1, batch("newer-and-shorter", 10, Some(50))).expect("granted");
    let plan: Vec<_> = draw(&kept.batches, nanos(35), at(2)).taken.into_iter().map(|t| (t.batch.to_string(), t.amount.nanos())).collect();
    let expected = [("short", 10), ("short-again", 10), ("long", 10), ("newer-and-shorter", 5)];
    assert_eq!(plan, expected.map(|(id, n)| (id.to_string(), n)));
    kept.debit(2, 35).expect("covered");
    assert_eq!(["short", "short-again", "long", "newer-and-shorter"].map(|id| kept.left(id)), [0, 0, 0, 5]);
}

#[test]
fn a_debit_above_the_balance_posts_nothing() {
    let mut kept = Kept::open();
    kept.grant(0, batch("gone", 3, Some(10))).expect("granted");
    kept.grant(0, batch("b", 10, None)).expect("granted");
    let before = kept.account.clone();
    assert_eq!(kept.debit(20, 11), Err(Refusal::InsufficientCredits { needed: nanos(11), available: nanos(10) }));
    assert_eq!(kept.account, before);
    kept.debit(20, 10).expect("exactly the balance");
    assert_eq!(kept.account.view_at(at(20)).available, nanos(0));
}

#[test]
fn refusals_of_a_grant() {
    let mut kept = Kept::open();
    assert_eq!(kept.grant(0, batch("b", 0, None)), Err(Refusal::InvalidAmount { amount: nanos(0) }));
    for expires in [-1, 0] {
        assert_eq!(kept.grant(0, batch("b", 1, Some(expires))), Err(Refusal::InvalidExpiry { expires: at(expires), starts: at(0) }));
    }
    kept.grant(0, batch("b", i64::MAX, Some(1))).expect("one millisecond, the largest amount");
    assert_eq!(kept.grant(0, batch("c", 1, None)), Err(Refusal::InvalidAmount { amount: nanos(1) }));
    assert_eq!(kept.account.grant(at(0), batch("b", 0, None)), Err(Refusal::InvalidAmount { amount: nanos(0) }));
    kept.grant(1, batch("c", 1, None)).expect("the large one has ended");
    assert_eq!(kept.grant(1, batch("c", 1, None)), Err(Refusal::DuplicateBatch { batch: BatchId::new("c") }));
    assert_eq!(kept.verify(), Ok(()));
}

#[test]
fn the_clock_never_runs_back() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 10, Some(100))).expect("granted");
    kept.debit(100, 0).expect("posted");
    assert!(kept.debit(50, 1).is_err(), "a clock set back revived an expired batch");
    kept.grant(20, batch("c", 1, None)).expect("granted");
    assert_eq!(kept.entries.last().map(|e| e.at), Some(at(100)));
    assert_eq!(kept.verify(), Ok(()));
}

#[test]
fn parts_of_a_millisecond_do_not_count() {
    let account = Account::open(AccountId::new("a"));
    let fine = at(0) + chrono::TimeDelta::microseconds(999);
    assert_eq!(account.effective_time(fine), at(0));
}

#[test]
fn verify_names_what_was_tampered_with() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 10, Some(100))).expect("granted");
    kept.debit(1, 4).expect("covered");
    kept.debit(200, 0).expect("zero");
    assert_eq!(kept.verify(), Ok(()));
    let broken = |change: &dyn Fn(&mut Kept)| {
        let mut copy = kept.clone();
        change(&mut copy);
        copy.verify().expect_err("the change went unseen")
    };
    let b = BatchId::new("b");
    assert_eq!(broken(&|k| drop(k.entries.remove(0))), VerifyError::Sequence { expected: 1, found: 2 });
    assert_eq!(broken(&|k| k.entries[1].at = at(2)), VerifyError::Chain { sequence: 2 });
    assert_eq!(broken(&|k| k.entries.truncate(2)), VerifyError::Batch { batch: b.clone() });
    assert_eq!(broken(&|k| k.batches[0].left = nanos(1)), VerifyError::Batch { batch: b.clone() });
    assert_eq!(broken(&|k| k.batches.clear()), VerifyError::Batch { batch: b.clone() });
}

/// A log that hashes well and breaks a rule is found too.
#[test]
fn verify_replays_the_rules() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 10, Some(100))).expect("granted");
    let head = kept.account.head();
    let forge = |when: i64, kind: EntryKind| {
        let mut copy = kept.clone();
        copy.entries.push(Entry::chained(head.last_hash, 2, at(when), kind));
        copy.verify()
    };
    let taken = |n| vec![Taken { batch: BatchId::new("b"), amount: nanos(n) }];
    let debit = |n| EntryKind::Debit { taken: taken(n), memo: None };
    assert!(matches!(forge(1, debit(11)), Err(VerifyError::Rule { sequence: 2, .. })));
    assert!(matches!(forge(100, debit(1)), Err(VerifyError::Rule { .. })));
    let expired = |n| EntryKind::Expired { batch: BatchId::new("b"), amount: nanos(n) };
    assert!(matches!(forge(99, expired(10)), Err(VerifyError::Rule { .. })));
    assert!(matches!(forge(100, expired(9)), Err(VerifyError::Rule { .. })));
    assert!(matches!(forge(-1, debit(0)), Err(VerifyError::Time { sequence: 2 })));
}
