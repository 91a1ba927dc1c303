//! Refunds, the daily allowance, and every refusal by its name.

mod support;

use aispace_ledger::{BatchId, BatchSource, EntryKind, HoldId, NewBatch, Refusal};
use support::{DAY, Kept, LIFETIME, MIDNIGHT, START, at, batch, nanos};

fn done(kept: &Kept) {
    assert_eq!(kept.verify(), Ok(()));
}

fn three_batches() -> (Kept, u64) {
    let mut kept = Kept::open();
    for (id, expires) in [("a", 100), ("b", 200), ("c", 300)] {
        kept.grant(0, batch(id, 4, Some(expires))).expect("granted");
    }
    let charge = kept.debit(1, 10).expect("covered");
    (kept, charge)
}

#[test]
fn rule_7_a_refund_goes_back_last_drawn_first() {
    let (mut kept, charge) = three_batches();
    let left = |kept: &Kept| ["a", "b", "c"].map(|id| kept.left(id));
    assert_eq!(left(&kept), [0, 0, 2]);
    kept.refund(2, charge, 1).expect("refunded");
    assert_eq!(left(&kept), [0, 0, 3]);
    kept.refund(3, charge, 4).expect("refunded");
    assert_eq!(left(&kept), [0, 3, 4]);
    assert_eq!(kept.refund(4, charge, 6), Err(Refusal::RefundExceeds { amount: nanos(6), refundable: nanos(5) }));
    kept.refund(4, charge, 5).expect("refunded");
    assert_eq!(left(&kept), [4, 4, 4]);
    assert_eq!(kept.refund(5, charge, 1), Err(Refusal::RefundExceeds { amount: nanos(1), refundable: nanos(0) }));
    done(&kept);
}

#[test]
fn rule_7_a_closed_batch_swallows_its_part() {
    for (when, available) in [(199, 12 - 4), (200, 4), (201, 4)] {
        let (mut kept, charge) = three_batches();
        // The first ended at 100, the second ends at 200.
        kept.refund(when, charge, 10).expect("refunded");
        assert_eq!(kept.balance(when)[0], available, "at {when}");
        assert_eq!(kept.state("a"), [0; 4], "it was spent, and is not said to have lapsed");
        assert_eq!(kept.refund(when, charge, 1), Err(Refusal::RefundExceeds { amount: nanos(1), refundable: nanos(0) }));
        done(&kept);
    }
    let (mut kept, charge) = three_batches();
    kept.void(2, "b").expect("voided though it is spent");
    kept.refund(3, charge, 10).expect("refunded");
    assert_eq!(["a", "b", "c"].map(|id| kept.left(id)), [4, 0, 4]);
    done(&kept);
}

/// Two charges, 5 and 9 of which 4 are owed.
fn owing() -> (Kept, u64, u64) {
    let mut kept = Kept::open();
    kept.grant(0, batch("a", 5, Some(100))).expect("granted");
    kept.grant(0, batch("b", 5, None)).expect("granted");
    let paid = kept.debit(1, 5).expect("covered");
    kept.hold(1, "h", 5, None).expect("covered");
    let owed = kept.settle(2, "h", 9).expect("settled");
    assert_eq!(kept.balance(2), [0, 0, 4]);
    (kept, paid, owed)
}

#[test]
fn rule_7_open_debt_is_cancelled_first() {
    for (amount, debt, left) in [(1, 3, 0), (4, 0, 0), (5, 0, 1), (9, 0, 5)] {
        let (mut kept, _, owed) = owing();
        kept.refund(3, owed, amount).expect("refunded");
        assert_eq!((kept.balance(3)[2], kept.left("b")), (debt, left), "{amount}");
        done(&kept);
    }
}

#[test]
fn rule_7_a_part_pays_the_debt_of_another_charge_before_it_is_free() {
    for (amount, debt, left) in [(3, 1, 0), (4, 0, 0), (5, 0, 1)] {
        let (mut kept, paid, owed) = owing();
        kept.refund(3, paid, amount).expect("refunded");
        assert_eq!((kept.balance(3)[2], kept.left("a")), (debt, left), "{amount}");
        // It is the other charge's now.
        let refundable = kept.charge(owed).expect("a charge").refundable().nanos();
        assert_eq!(refundable, 9);
        done(&kept);
    }
    // Also when its batch has ended: what is owed is cancelled before anything is swallowed.
    let (mut kept, paid, _) = owing();
    kept.refund(100, paid, 5).expect("refunded");
    assert_eq!((kept.balance(100), kept.left("a")), ([0, 0, 0], 0));
    done(&kept);
}

/// What paid its debt later was drawn last, and goes back first.
#[test]
fn rule_7_payments_of_debt_are_drawn_last() {
    let (mut kept, _, owed) = owing();
    kept.grant(3, batch("c", 6, None)).expect("granted");
    assert_eq!((kept.left("c"), kept.balance(3)), (2, [2, 0, 0]));
    kept.refund(4, owed, 3).expect("refunded");
    assert_eq!((kept.left("b"), kept.left("c")), (0, 5));
    kept.refund(5, owed, 6).expect("refunded");
    assert_eq!((kept.left("b"), kept.left("c")), (5, 6));
    done(&kept);
}

/// A log in which one entry pays one debt from two batches.
#[test]
fn rule_12_a_debt_paid_in_parts_is_counted_once() {
    let mut kept = Kept::open();
    kept.grant(0, batch("a", 3, None)).expect("granted");
    kept.grant(0, batch("b", 4, None)).expect("granted");
    kept.hold(0, "h", 1, None).expect("covered");
    kept.hold(0, "i", 6, None).expect("covered");
    let owed = kept.settle(1, "h", 5).expect("settled");
    kept.release(2, "i").expect("released");
    assert!(kept.entries.iter().any(|e| matches!(&e.kind, EntryKind::DebtPaid { paid } if paid.len() == 2)));
    assert_eq!(kept.refund(3, owed, 6), Err(Refusal::RefundExceeds { amount: nanos(6), refundable: nanos(5) }));
    kept.refund(3, owed, 5).expect("refunded");
    assert_eq!(kept.balance(3), [7, 0, 0]);
    done(&kept);
}

fn days(kept: &Kept) -> Vec<(String, i64, i64)> {
    let daily = kept.batches.iter().filter(|b| b.source == BatchSource::DailyRenewal);
    daily.map(|b| (b.id.to_string(), b.added.timestamp_millis() - START, b.expires.timestamp_millis() - START)).collect()
}

#[test]
fn rule_11_each_midnight_posts_one_batch() {
    let mut kept = Kept::open();
    kept.allow(0, 3).expect("set");
    assert_eq!([MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1].map(|now| kept.balance(now)[0]), [0, 3, 3]);
    assert_eq!([MIDNIGHT + DAY - 1, MIDNIGHT + DAY].map(|now| kept.balance(now)[0]), [3, 6]);
    for now in [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT, MIDNIGHT + 1] {
        kept.debit(now, 0).expect("zero");
    }
    assert_eq!(days(&kept), [("renewal-2027-01-16".to_owned(), MIDNIGHT, MIDNIGHT + LIFETIME)]);
    done(&kept);
}

#[test]
fn rule_11_missed_midnights_are_caught_up_with_their_own_dates() {
    let mut kept = Kept::open();
    kept.allow(0, 3).expect("set");
    kept.debit(MIDNIGHT + 40 * DAY, 0).expect("zero");
    let wanted: Vec<_> = (0..=40).map(|n| (MIDNIGHT + n * DAY, MIDNIGHT + n * DAY + LIFETIME)).collect();
    assert_eq!(days(&kept).iter().map(|(_, added, expires)| (*added, *expires)).collect::<Vec<_>>(), wanted);
    assert_eq!((days(&kept)[0].0.as_str(), days(&kept)[40].0.as_str()), ("renewal-2027-01-16", "renewal-2027-02-25"));
    // Thirty are alive at any midnight: that of thirty days ago has just ended.
    assert_eq!(kept.balance(MIDNIGHT + 40 * DAY), [90, 0, 0]);
    let dates: Vec<i64> = kept.entries.iter().map(|e| e.at.timestamp_millis()).collect();
    assert!(dates.is_sorted());
    done(&kept);
}

#[test]
fn rule_11_an_allowance_counts_from_the_next_midnight() {
    for (set, first) in [(MIDNIGHT - 1, MIDNIGHT), (MIDNIGHT, MIDNIGHT + DAY), (MIDNIGHT + 1, MIDNIGHT + DAY)] {
        let mut kept = Kept::open();
        kept.allow(set, 3).expect("set");
        assert_eq!([first - 1, first].map(|now| kept.balance(now)[0]), [0, 3], "set at {set}");
    }
}

#[test]
fn rule_11_an_allowance_is_changed_and_ended_after_the_midnight_of_that_instant() {
    for (when, first) in [(MIDNIGHT - 1, 5), (MIDNIGHT, 3), (MIDNIGHT + 1, 3)] {
        let mut changed = Kept::open();
        changed.allow(0, 3).expect("set");
        let mut ended = changed.clone();
        changed.allow(when, 5).expect("set");
        assert_eq!(changed.balance(MIDNIGHT + DAY)[0], first + 5, "changed at {when}");
        changed.debit(MIDNIGHT + DAY, 0).expect("zero");
        done(&changed);
        ended.allow(when, 0).expect("set");
        assert_eq!(ended.balance(MIDNIGHT + 9 * DAY)[0], if when < MIDNIGHT { 0 } else { 3 }, "ended at {when}");
        done(&ended);
    }
}

#[test]
fn rule_11_no_other_batch_takes_the_id_of_a_day() {
    let mut kept = Kept::open();
    kept.allow(0, 3).expect("set");
    let id = "renewal-2027-01-16";
    assert_eq!(kept.grant(0, batch(id, 1, None)), Err(Refusal::DuplicateBatch { batch: BatchId::new(id) }));
    // A batch may be said to come from the allowance under an id of its own.
    let named = NewBatch { source: BatchSource::DailyRenewal, ..batch("by-hand", 1, None) };
    kept.grant(0, named).expect("granted");
    kept.debit(MIDNIGHT, 4).expect("both");
    done(&kept);
}

// Rule 13, and rule 8 as far as a ledger goes: a refusal changes nothing, so that the same call may come again.
#[test]
fn rule_13_every_refusal_has_its_name() {
    let (mut kept, charge) = three_batches();
    kept.hold(2, "timed", 1, Some(3)).expect("covered");
    kept.hold(3, "over", 1, None).expect("covered");
    kept.release(3, "over").expect("released");
    kept.void(4, "c").expect("voided");
    kept.grant(4, batch("d", 2, None)).expect("granted");
    kept.hold(4, "open", 1, None).expect("covered");
    let (hold, batch_id) = (HoldId::new, BatchId::new);
    let many = nanos(i64::MAX);
    type Ask = Box<dyn Fn(&mut Kept) -> Result<u64, Refusal>>;
    let asks: Vec<(Ask, Refusal)> = vec![
        (Box::new(|k| k.debit(5, 2)), Refusal::InsufficientCredits { needed: nanos(2), available: nanos(1) }),
        (Box::new(|k| k.hold(5, "h", 2, None)), Refusal::InsufficientCredits { needed: nanos(2), available: nanos(1) }),
        (Box::new(|k| k.grant(5, batch("e", 0, None))), Refusal::InvalidAmount { amount: nanos(0) }),
        (Box::new(|k| k.grant(5, batch("e", i64::MAX, None))), Refusal::InvalidAmount { amount: many }),
        (Box::new(move |k| k.refund(5, charge, 0)), Refusal::InvalidAmount { amount: nanos(0) }),
        (Box::new(|k| k.allow(5, i64::MAX)), Refusal::InvalidAmount { amount: many }),
        (Box::new(|k| k.grant(5, batch("e", 1, Some(5)))), Refusal::InvalidExpiry { expires: at(5), starts: at(5) }),
        (Box::new(|k| k.hold(5, "h", 1, Some(4))), Refusal::InvalidExpiry { expires: at(4), starts: at(5) }),
        (Box::new(|k| k.grant(5, batch("a", 1, None))), Refusal::DuplicateBatch { batch: batch_id("a") }),
        (Box::new(|k| k.grant(5, batch("d", 1, None))), Refusal::DuplicateBatch { batch: batch_id("d") }),
        (Box::new(|k| k.hold(5, "open", 1, None)), Refusal::DuplicateHold { hold: hold("open") }),
        (Box::new(|k| k.hold(5, "over", 1, None)), Refusal::DuplicateHold { hold: hold("over") }),
        (Box::new(|k| k.void(5, "e")), Refusal::UnknownBatch { batch: batch_id("e") }),
        (Box::new(|k| k.void(5, "c")), Refusal::BatchClosed { batch: batch_id("c") }),
        (Box::new(|k| k.void(100, "a")), Refusal::BatchClosed { batch: batch_id("a") }),
        (Box::new(|k| k.settle(5, "none", 1)), Refusal::UnknownHold { hold: hold("none") }),
        (Box::new(|k| k.release(5, "none")), Refusal::UnknownHold { hold: hold("none") }),
        (Box::new(|k| k.settle(5, "over", 1)), Refusal::HoldClosed { hold: hold("over") }),
        (Box::new(|k| k.release(5, "over")), Refusal::HoldClosed { hold: hold("over") }),
        (Box::new(|k| k.settle(5, "timed", 1)), Refusal::HoldExpired { hold: hold("timed"), expired: at(3) }),
        (Box::new(|k| k.release(5, "timed")), Refusal::HoldExpired { hold: hold("timed"), expired: at(3) }),
        (Box::new(|k| k.refund(5, 99, 1)), Refusal::UnknownEntry { sequence: 99 }),
        (Box::new(|k| k.refund(5, 1, 1)), Refusal::UnknownEntry { sequence: 1 }),
        (Box::new(move |k| k.refund(5, charge, 11)), Refusal::RefundExceeds { amount: nanos(11), refundable: nanos(10) }),
    ];
    for (ask, refusal) in asks {
        let mut asked = kept.clone();
        assert_eq!(ask(&mut asked), Err(refusal));
        assert_eq!((&asked.account, asked.stored(), asked.entries.len()), (&kept.account, kept.stored(), kept.entries.len()));
    }
    done(&kept);
}

/// An id stays taken when its hold has just ended by itself, whether a write has posted that or not.
#[test]
fn rule_10_the_id_of_a_hold_that_timed_out_is_taken() {
    let mut kept = Kept::open();
    kept.grant(0, batch("a", 4, None)).expect("granted");
    kept.hold(0, "h", 1, Some(10)).expect("covered");
    let taken = Err(Refusal::DuplicateHold { hold: HoldId::new("h") });
    for now in [9, 10, 11] {
        assert_eq!(kept.clone().hold(now, "h", 1, None), taken, "at {now}");
    }
    kept.debit(10, 0).expect("zero");
    assert_eq!(kept.hold(11, "h", 1, None), taken);
}
