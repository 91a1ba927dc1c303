//! The rules of the ledger, one by one, at their instants and a millisecond either side: batches, drawing, debits, the clock, the log.

mod support;

use aispace_ledger::{Account, AccountId, BatchId, Entry, EntryKind, Refusal, StoredAccount, Taken, VerifyError, draw, verify};
use aispace_units::BATCH_LIFETIME_SECONDS;
use support::{DAY, HOUR, Kept, LIFETIME, MIDNIGHT, at, batch, nanos};

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

/// What is full can still lose its allowance; and nothing more can come to it.
#[test]
fn the_largest_amount_is_no_bar_to_ending_the_allowance() {
    let mut kept = Kept::open();
    kept.grant(0, batch("a", i64::MAX - 33, None)).expect("nearly all");
    kept.allow(0, 1).expect("32 of these, and there is room for one more");
    assert_eq!(kept.allow(0, 2), Err(Refusal::InvalidAmount { amount: nanos(2) }));
    assert_eq!(kept.grant(0, batch("b", 2, None)), Err(Refusal::InvalidAmount { amount: nanos(2) }));
    kept.grant(0, batch("b", 1, None)).expect("the last");
    kept.allow(0, 0).expect("zero ends it");
    kept.grant(0, batch("c", 32, None)).expect("the room that the allowance had");
    assert_eq!(kept.balance(0), [i64::MAX, 0, 0]);
    kept.allow(0, 0).expect("zero, of an account that is full");
    assert_eq!(kept.allow(0, 1), Err(Refusal::InvalidAmount { amount: nanos(1) }));
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

// Rule 1.
#[test]
fn rule_1_a_batch_counts_no_months_and_no_zones() {
    // 30 × 86,400 s, also across the end of a February and a change of the year.
    for start in [0, 45 * DAY, 350 * DAY] {
        let mut kept = Kept::open();
        kept.grant(start, batch("b", 1, None)).expect("granted");
        assert_eq!(kept.batch("b").expires, at(start + LIFETIME));
        let seen = [-1, 0, 1].map(|beside| kept.balance(start + LIFETIME + beside)[0]);
        assert_eq!(seen, [1, 0, 0]);
    }
}

// Rule 3.
#[test]
fn rule_3_zero_is_allowed_and_logged_and_one_too_many_is_not() {
    let mut kept = Kept::open();
    kept.debit(0, 0).expect("zero, of nothing");
    kept.hold(0, "h", 0, None).expect("zero, of nothing");
    assert_eq!(kept.entries.len(), 2);
    kept.grant(0, batch("b", 5, Some(100))).expect("granted");
    for (when, asked, available) in [(99, 6, 5), (100, 1, 0), (101, 1, 0)] {
        let refused = Refusal::InsufficientCredits { needed: nanos(asked), available: nanos(available) };
        assert_eq!(kept.clone().debit(when, asked), Err(refused.clone()));
        assert_eq!(kept.clone().hold(when, "i", asked, None), Err(refused));
    }
    assert_eq!(kept.entries.len(), 3);
    kept.clone().hold(99, "i", 5, None).expect("all of it");
}

// Rule 9.
#[test]
fn rule_9_time_is_the_later_of_now_and_the_newest_entry() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 5, Some(100))).expect("granted");
    kept.debit(50, 1).expect("covered");
    for (now, effective) in [(49, 50), (50, 50), (51, 51)] {
        assert_eq!(kept.account.effective_time(at(now)), at(effective));
        assert_eq!(kept.account.view_at(at(now)).at, at(effective));
        let mut copy = kept.clone();
        copy.debit(now, 1).expect("covered");
        assert_eq!(copy.entries.last().map(|e| e.at), Some(at(effective)));
    }
    // What starts late by such a clock starts at the effective instant.
    kept.grant(10, batch("c", 1, None)).expect("granted");
    assert_eq!((kept.batch("c").added, kept.batch("c").expires), (at(50), at(50 + LIFETIME)));
    assert_eq!(kept.hold(10, "h", 1, Some(50)), Err(Refusal::InvalidExpiry { expires: at(50), starts: at(50) }));
}

// Rule 10.
#[test]
fn rule_10_a_sweep_changes_no_answer() {
    let lived = |sweeps: &[i64]| {
        let mut kept = Kept::open();
        kept.grant(0, batch("a", 5, Some(100))).expect("granted");
        kept.grant(0, batch("b", 5, Some(200))).expect("granted");
        kept.hold(0, "h", 7, Some(150)).expect("covered");
        for now in sweeps {
            kept.debit(*now, 0).expect("zero");
        }
        kept
    };
    let plain = lived(&[]);
    for sweeps in [&[99][..], &[100], &[101], &[149, 150, 151], &[100, 150, 199]] {
        let swept = lived(sweeps);
        for now in [199, 200, 201] {
            assert_eq!(plain.balance(now), swept.balance(now), "at {now} after {sweeps:?}");
        }
        assert_eq!(swept.verify(), Ok(()));
    }
    assert_eq!([99, 100, 149, 150, 199, 200].map(|now| plain.balance(now)[0]), [3, 3, 3, 5, 5, 0]);
}

// Rule 12.
#[test]
fn rule_12_batches_sum_to_entries_whatever_happened() {
    let mut kept = Kept::open();
    let sums = |kept: &Kept| {
        let batches: i64 = kept.batches.iter().map(|b| b.left.nanos() + b.held.nanos()).sum();
        assert_eq!(i128::from(batches), kept.sum);
        assert_eq!(kept.verify(), Ok(()));
    };
    kept.allow(0, 2).expect("set");
    kept.grant(0, batch("a", 5, Some(100))).expect("granted");
    kept.hold(1, "h", 4, Some(HOUR)).expect("covered");
    sums(&kept);
    let charge = kept.settle(2, "h", 9).expect("settled");
    sums(&kept);
    kept.refund(3, charge, 5).expect("refunded");
    sums(&kept);
    kept.void(4, "a").expect("voided");
    sums(&kept);
    kept.hold(MIDNIGHT, "i", 2, None).expect("covered");
    kept.release(MIDNIGHT + 1, "i").expect("released");
    sums(&kept);
}

/// A log from which a whole tail was cut, and one that belongs to another account.
#[test]
fn rule_12_a_log_cannot_be_cut_or_moved() {
    let mut kept = Kept::open();
    kept.grant(0, batch("b", 5, None)).expect("granted");
    kept.debit(1, 0).expect("zero");
    let mut cut = kept.clone();
    cut.entries.pop();
    assert_eq!(cut.verify(), Err(VerifyError::State { what: "head of the log" }));
    let mut moved = kept.stored();
    moved.id = AccountId::new("another");
    assert_eq!(verify(&moved, &kept.entries), Err(VerifyError::Chain { sequence: 1 }));
}

#[test]
fn rule_12_stored_holds_debt_and_allowance_are_proved_too() {
    let mut kept = Kept::open();
    kept.allow(0, 1).expect("set");
    kept.grant(0, batch("b", 5, None)).expect("granted");
    kept.hold(0, "h", 2, None).expect("covered");
    kept.hold(0, "i", 3, None).expect("covered");
    kept.settle(0, "i", 9).expect("settled");
    let broken = |change: &dyn Fn(&mut StoredAccount)| {
        let mut stored = kept.stored();
        change(&mut stored);
        verify(&stored, &kept.entries)
    };
    let state = |what| Err(VerifyError::State { what });
    assert_eq!(broken(&|_| ()), Ok(()));
    assert_eq!(broken(&|s| s.holds.clear()), state("list of holds"));
    assert_eq!(broken(&|s| s.holds[0].expires = at(1)), state("list of holds"));
    assert_eq!(broken(&|s| s.debts.clear()), state("debt"));
    assert_eq!(broken(&|s| s.debts[0].open = nanos(5)), state("debt"));
    assert_eq!(broken(&|s| s.allowance = None), state("allowance"));
    assert_eq!(broken(&|s| s.head.entry_count = 99), state("head of the log"));
    assert_eq!(broken(&|s| s.batches.extend(s.batches.clone())), Err(VerifyError::Batch { batch: BatchId::new("b") }));
}

/// An account that is read back is the account that was stored.
#[test]
fn an_account_is_restored_whole() {
    let mut kept = Kept::open();
    kept.allow(0, 1).expect("set");
    kept.grant(0, batch("a", 5, Some(100))).expect("granted");
    kept.grant(0, batch("b", 5, Some(50))).expect("granted");
    kept.hold(0, "h", 4, None).expect("covered");
    kept.debit(0, 4).expect("covered");
    let mut stored = kept.stored();
    stored.batches.reverse();
    assert_eq!(Account::restore(stored), kept.account);
}
