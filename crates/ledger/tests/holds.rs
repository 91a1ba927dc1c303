//! Holds, settlement, debt and voids, at their instants and a millisecond either side.

mod support;

use aispace_ledger::{EntryKind, HoldId, Refusal};
use support::{HOUR, Kept, LIFETIME, at, batch, nanos};

fn granted(batches: &[(&str, i64, Option<i64>)]) -> Kept {
    let mut kept = Kept::open();
    for (id, amount, expires) in batches {
        kept.grant(0, batch(id, *amount, *expires)).expect("granted");
    }
    kept
}

fn done(kept: &Kept) {
    assert_eq!(kept.verify(), Ok(()));
}

/// The kinds of the entries from one on, in short.
fn kinds(kept: &Kept, from: usize) -> Vec<(i64, &'static str)> {
    let word = |kind: &EntryKind| match kind {
        EntryKind::BatchAdded { .. } => "added",
        EntryKind::Debit { .. } => "debit",
        EntryKind::Expired { .. } => "expired",
        EntryKind::Held { .. } => "held",
        EntryKind::Settled { .. } => "settled",
        EntryKind::Released { .. } => "released",
        EntryKind::TimedOut { .. } => "timed out",
        EntryKind::Voided { .. } => "voided",
        EntryKind::Refunded { .. } => "refunded",
        EntryKind::DebtPaid { .. } => "paid",
        EntryKind::AllowanceSet { .. } => "allowance",
    };
    kept.entries[from..].iter().map(|e| (e.at.timestamp_millis() - support::START, word(&e.kind))).collect()
}

#[test]
fn rule_2_a_hold_reserves_in_drawing_order() {
    let mut kept = granted(&[("long", 5, Some(500)), ("short", 5, Some(400)), ("short-again", 5, Some(400))]);
    kept.hold(1, "h", 12, Some(300)).expect("covered");
    assert_eq!(["short", "short-again", "long"].map(|id| kept.state(id)), [[0, 5, 0, 0], [0, 5, 0, 0], [3, 2, 0, 0]]);
    // Settled below, the first drawn is the first spent.
    kept.settle(2, "h", 6).expect("settled");
    assert_eq!(["short", "short-again", "long"].map(|id| kept.state(id)), [[0; 4], [4, 0, 0, 0], [5, 0, 0, 0]]);
    done(&kept);
}

#[test]
fn rule_4_at_one_instant_timeouts_then_expiries_then_the_renewal_then_the_call() {
    let midnight = support::MIDNIGHT;
    let mut kept = granted(&[("ends", 5, Some(midnight)), ("stays", 5, None)]);
    kept.allow(0, 3).expect("set");
    kept.hold(0, "h", 7, Some(midnight)).expect("covered");
    let before = kept.entries.len();
    let mut early = kept.clone();
    early.debit(midnight - 1, 3).expect("what is not held");
    assert_eq!(kinds(&early, before), [(midnight - 1, "debit")]);
    for late in [midnight, midnight + 1] {
        let mut kept = kept.clone();
        kept.debit(late, 8).expect("two came back to the batch that stays, three are new");
        let happened = [(midnight, "timed out"), (midnight, "expired"), (midnight, "added"), (late, "debit")];
        assert_eq!(kinds(&kept, before), happened);
        assert_eq!(kept.state("ends"), [0, 0, 5, 0]);
        done(&kept);
    }
    // With something left in the batch that ends, the timeout of the other one still comes first.
    let mut both = granted(&[("ends", 5, Some(midnight)), ("stays", 5, None)]);
    both.allow(0, 3).expect("set");
    both.debit(0, 0).expect("zero");
    both.hold(0, "h", 3, Some(midnight)).expect("covered");
    let before = both.entries.len();
    both.debit(midnight, 0).expect("zero");
    let words: Vec<_> = kinds(&both, before).into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["timed out", "expired", "expired", "added", "debit"]);
    assert_eq!(both.state("ends"), [0, 0, 5, 0]);
}

#[test]
fn rule_5_a_hold_lasts_an_hour_half_open() {
    let mut kept = granted(&[("b", 5, None)]);
    kept.hold(0, "h", 5, None).expect("covered");
    assert_eq!([HOUR - 1, HOUR, HOUR + 1].map(|now| kept.balance(now)), [[0, 5, 0], [5, 0, 0], [5, 0, 0]]);
    kept.clone().settle(HOUR - 1, "h", 5).expect("in time");
    kept.clone().release(HOUR - 1, "h").expect("in time");
    for late in [HOUR, HOUR + 1] {
        let expired = Refusal::HoldExpired { hold: HoldId::new("h"), expired: at(HOUR) };
        assert_eq!(kept.clone().settle(late, "h", 5), Err(expired.clone()));
        assert_eq!(kept.clone().release(late, "h"), Err(expired.clone()));
        let mut charged = kept.clone();
        charged.debit(late, 5).expect("posted as a new debit");
        assert_eq!(charged.settle(late, "h", 5), Err(expired), "once its end is posted");
        done(&charged);
    }
}

#[test]
fn rule_5_a_hold_may_end_sooner_or_later() {
    let mut kept = granted(&[("b", 5, None)]);
    for wrong in [-1, 0] {
        assert_eq!(kept.hold(0, "h", 1, Some(wrong)), Err(Refusal::InvalidExpiry { expires: at(wrong), starts: at(0) }));
    }
    kept.hold(0, "h", 1, Some(1)).expect("a millisecond");
    kept.hold(0, "i", 1, Some(2 * HOUR)).expect("two hours");
    assert_eq!([0, 1, 2 * HOUR - 1, 2 * HOUR].map(|now| kept.balance(now)[1]), [2, 1, 1, 0]);
}

#[test]
fn rule_5_what_is_held_outlives_the_end_of_its_batch() {
    let mut kept = granted(&[("b", 5, Some(100))]);
    kept.hold(0, "h", 3, Some(200)).expect("covered");
    assert_eq!([99, 100, 101, 199].map(|now| kept.balance(now)), [[2, 3, 0], [0, 3, 0], [0, 3, 0], [0, 3, 0]]);
    let mut settled = kept.clone();
    settled.settle(199, "h", 2).expect("what is held can be spent");
    // Two lapsed at the end; one came back after it and went at once.
    assert_eq!(settled.state("b"), [0, 0, 3, 0]);
    assert_eq!(kinds(&settled, 2), [(100, "expired"), (199, "settled"), (199, "expired")]);
    done(&settled);
    let mut released = kept.clone();
    released.release(199, "h").expect("released");
    assert_eq!(released.state("b"), [0, 0, 5, 0]);
    done(&released);
    assert_eq!(kept.balance(200), [0, 0, 0]);
}

#[test]
fn rule_5_what_comes_back_at_the_very_end_of_its_batch_is_gone() {
    for (when, available) in [(99, 5), (100, 0), (101, 0)] {
        let mut kept = granted(&[("b", 5, Some(100))]);
        kept.hold(0, "h", 3, Some(200)).expect("covered");
        kept.release(when, "h").expect("released");
        assert_eq!(kept.balance(when)[0], available, "at {when}");
        done(&kept);
    }
    // The same for a hold that ends by itself there.
    for (end, available) in [(99, 5), (100, 0), (101, 0)] {
        let mut kept = granted(&[("b", 5, Some(100))]);
        kept.hold(0, "h", 3, Some(end)).expect("covered");
        assert_eq!(kept.balance(end)[0], available, "at {end}");
        kept.debit(end, 0).expect("zero");
        done(&kept);
    }
}

#[test]
fn rule_5_what_is_held_outlives_a_void() {
    let mut kept = granted(&[("b", 5, None)]);
    kept.hold(0, "h", 3, None).expect("covered");
    kept.void(10, "b").expect("voided");
    assert_eq!((kept.state("b"), kept.balance(10)), ([0, 3, 0, 2], [0, 3, 0]));
    kept.settle(11, "h", 1).expect("what is held can be spent");
    assert_eq!(kept.state("b"), [0, 0, 2, 2]);
    done(&kept);
}

#[test]
fn a_void_takes_the_rest_once() {
    let mut kept = granted(&[("b", 5, Some(100)), ("c", 5, None)]);
    kept.debit(1, 2).expect("covered");
    let mut copy = kept.clone();
    copy.void(99, "b").expect("still open");
    assert_eq!((copy.state("b"), copy.balance(99)), ([0, 0, 0, 3], [5, 0, 0]));
    let closed = Err(Refusal::BatchClosed { batch: aispace_ledger::BatchId::new("b") });
    assert_eq!(copy.void(99, "b"), closed);
    for late in [100, 101] {
        assert_eq!(kept.clone().void(late, "b"), closed);
    }
    // A batch that is spent can be closed: what is refunded to it later is gone.
    kept.debit(2, 3).expect("covered");
    kept.void(3, "b").expect("spent and open");
    assert_eq!(kept.void(3, "b"), closed);
    done(&kept);
}

#[test]
fn rule_6_settlement_takes_what_is_held_then_what_is_free_then_debt() {
    for (amount, states, debt) in [
        (0, [[5, 0, 0, 0], [5, 0, 0, 0]], 0),
        (3, [[2, 0, 0, 0], [5, 0, 0, 0]], 0),
        (4, [[1, 0, 0, 0], [5, 0, 0, 0]], 0),
        (5, [[0; 4], [5, 0, 0, 0]], 0),
        (10, [[0; 4], [0; 4]], 0),
        (11, [[0; 4], [0; 4]], 1),
    ] {
        let mut kept = granted(&[("a", 5, None), ("b", 5, None)]);
        kept.hold(0, "h", 4, None).expect("covered");
        kept.settle(1, "h", amount).expect("settled");
        assert_eq!((["a", "b"].map(|id| kept.state(id)), kept.balance(1)[2]), (states, debt), "settled at {amount}");
        done(&kept);
    }
}

#[test]
fn rule_6_free_credit_that_ends_now_does_not_pay_a_settlement() {
    for (when, debt) in [(99, 0), (100, 2), (101, 2)] {
        let mut kept = granted(&[("b", 5, Some(100))]);
        kept.hold(0, "h", 3, Some(200)).expect("covered");
        kept.settle(when, "h", 5).expect("settled");
        assert_eq!(kept.balance(when)[2], debt, "at {when}");
        done(&kept);
    }
}

/// An account that owes 2 for one charge and 3 for another, and holds 4.
fn owing() -> (Kept, u64, u64) {
    let mut kept = granted(&[("b", 6, None)]);
    for (id, amount) in [("one", 1), ("two", 1), ("three", 4)] {
        kept.hold(0, id, amount, None).expect("covered");
    }
    let first = kept.settle(1, "one", 3).expect("settled");
    let second = kept.settle(2, "two", 4).expect("settled");
    (kept, first, second)
}

fn debts(kept: &Kept) -> Vec<(u64, i64)> {
    kept.account.debts().iter().map(|d| (d.charge, d.open.nanos())).collect()
}

#[test]
fn rule_6_debt_refuses_what_is_paid_and_nothing_else() {
    let (mut kept, first, second) = owing();
    assert_eq!(debts(&kept), [(first, 2), (second, 3)]);
    let refused = Refusal::InsufficientCredits { needed: nanos(1), available: nanos(0) };
    assert_eq!(kept.debit(3, 1), Err(refused.clone()));
    assert_eq!(kept.hold(3, "h", 1, None), Err(refused));
    kept.debit(3, 0).expect("zero is no paid call");
    // Settling what is pending goes on, and adds to the debt.
    let third = kept.settle(4, "three", 5).expect("settled");
    assert_eq!(debts(&kept), [(first, 2), (second, 3), (third, 1)]);
    done(&kept);
}

#[test]
fn rule_6_whatever_becomes_free_pays_the_oldest_debt_first() {
    let (kept, first, second) = owing();
    let mut granted = kept.clone();
    granted.grant(3, batch("new", 4, None)).expect("granted");
    assert_eq!((debts(&granted), granted.left("new")), (vec![(second, 1)], 0));
    granted.grant(4, batch("newer", 4, None)).expect("granted");
    assert_eq!((debts(&granted), granted.left("newer")), (vec![], 3));
    let mut released = kept.clone();
    released.release(3, "three").expect("released");
    assert_eq!(debts(&released), [(second, 1)]);
    let mut settled = kept.clone();
    settled.settle(3, "three", 3).expect("settled");
    assert_eq!(debts(&settled), [(first, 1), (second, 3)]);
    // By itself too, at the instant at which the hold ends.
    assert_eq!([HOUR - 1, HOUR, HOUR + 1].map(|now| kept.balance(now)), [[0, 4, 5], [0, 0, 1], [0, 0, 1]]);
    let mut renewed = kept.clone();
    renewed.allow(3, 6).expect("set");
    let midnight = support::MIDNIGHT;
    assert_eq!([midnight - 1, midnight].map(|now| renewed.balance(now)), [[0, 0, 1], [5, 0, 0]]);
    for mut kept in [granted, released, settled, renewed] {
        kept.debit(midnight, 0).expect("zero");
        done(&kept);
    }
}

/// At the end of a batch, rule 1 outweighs the order of rule 4: what a timeout returns to it there was never free, and pays nothing.
#[test]
fn rule_6_what_comes_back_to_a_closed_batch_pays_no_debt() {
    for (end, debt) in [(LIFETIME - 1, 0), (LIFETIME, 2), (LIFETIME + 1, 2)] {
        let mut kept = granted(&[("b", 6, None)]);
        kept.hold(0, "one", 2, Some(LIFETIME)).expect("covered");
        kept.hold(0, "two", 4, Some(end)).expect("covered");
        kept.settle(1, "one", 4).expect("settled");
        assert_eq!(kept.balance(end)[2], debt, "ending at {end}");
        kept.debit(end, 0).expect("zero");
        done(&kept);
    }
}
