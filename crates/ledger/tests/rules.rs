//! The rules of the ledger, one by one and against a naive model.

use aispace_ledger::{
    Account, AccountId, Batch, BatchId, BatchSource, Entry, EntryKind, NewBatch, Posting, Refusal, VerifyError, draw, verify,
};
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCredits};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

const START: i64 = 1_800_000_000_000;

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(START + milliseconds).expect("time")
}

fn nanos(n: i64) -> NanoCredits {
    NanoCredits::from_nanos(n).expect("amount")
}

fn batch(id: &str, amount: i64, expires: Option<i64>) -> NewBatch {
    NewBatch {
        id: BatchId::new(id),
        source: BatchSource::Grant,
        note: Some("test".into()),
        amount: nanos(amount),
        expires: expires.map(at),
    }
}

/// An account with everything a store would keep.
#[derive(Clone)]
struct Kept {
    account: Account,
    entries: Vec<Entry>,
    batches: BTreeMap<BatchId, Batch>,
}

impl Kept {
    fn open() -> Self {
        Self { account: Account::open(AccountId::new("a")), entries: Vec::new(), batches: BTreeMap::new() }
    }

    fn keep(&mut self, outcome: Result<Posting, Refusal>) -> Result<(), Refusal> {
        let posting = outcome?;
        self.entries.extend(posting.entries);
        self.batches.extend(posting.changed.into_iter().map(|b| (b.id.clone(), b)));
        self.account = posting.account;
        Ok(())
    }

    fn grant(&mut self, now: i64, new: NewBatch) -> Result<(), Refusal> {
        self.keep(self.account.grant(at(now), new))
    }

    fn debit(&mut self, now: i64, amount: i64) -> Result<(), Refusal> {
        self.keep(self.account.debit(at(now), nanos(amount), None))
    }

    fn stored(&self) -> Vec<Batch> {
        self.batches.values().cloned().collect()
    }

    fn verify(&self) -> Result<(), VerifyError> {
        verify(self.account.id(), &self.entries, &self.stored())
    }

    fn left(&self, id: &str) -> i64 {
        self.batches[&BatchId::new(id)].left.nanos()
    }
}

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
        assert_eq!(draw(&kept.stored(), nanos(4), at(when)).shortfall, nanos(shortfall), "at {when}");
    }
    assert!(draw(&kept.stored(), nanos(0), at(0)).taken.is_empty());
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
    assert_eq!(kept.batches[&BatchId::new("late")].lapsed, nanos(5));
    assert_eq!(kept.verify(), Ok(()));
}

#[test]
fn batches_are_drawn_by_added_then_expires_then_posting_order() {
    let mut kept = Kept::open();
    kept.grant(0, batch("long", 10, Some(500))).expect("granted");
    kept.grant(0, batch("short", 10, Some(400))).expect("granted");
    kept.grant(0, batch("short-again", 10, Some(400))).expect("granted");
    kept.grant(1, batch("newer-and-shorter", 10, Some(50))).expect("granted");
    let plan: Vec<_> = draw(&kept.stored(), nanos(35), at(2)).taken.into_iter().map(|t| (t.batch.to_string(), t.amount.nanos())).collect();
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
    assert_eq!(broken(&|k| k.batches.get_mut(&b).expect("b").left = nanos(1)), VerifyError::Batch { batch: b.clone() });
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
    let taken = |n| vec![aispace_ledger::Taken { batch: BatchId::new("b"), amount: nanos(n) }];
    let debit = |n| EntryKind::Debit { taken: taken(n), memo: None };
    assert!(matches!(forge(1, debit(11)), Err(VerifyError::Rule { sequence: 2, .. })));
    assert!(matches!(forge(100, debit(1)), Err(VerifyError::Rule { .. })));
    let expired = |n| EntryKind::Expired { batch: BatchId::new("b"), amount: nanos(n) };
    assert!(matches!(forge(99, expired(10)), Err(VerifyError::Rule { .. })));
    assert!(matches!(forge(100, expired(9)), Err(VerifyError::Rule { .. })));
    assert!(matches!(forge(-1, debit(0)), Err(VerifyError::Time { sequence: 2 })));
}

/// Every 10⁻⁹ credit an object of its own: slow, and too simple to be wrong in the same way.
struct Naive {
    coins: Vec<Coin>,
    clock: i64,
}

struct Coin {
    batch: usize,
    added: i64,
    expires: i64,
}

impl Naive {
    fn new() -> Self {
        Self { coins: Vec::new(), clock: i64::MIN }
    }

    fn tick(&mut self, now: i64) -> i64 {
        self.clock = self.clock.max(now);
        self.clock
    }

    fn live(&self, now: i64) -> usize {
        self.coins.iter().filter(|c| now < c.expires).count()
    }

    fn debit(&mut self, now: i64, amount: usize) -> bool {
        let now = self.clock.max(now);
        if self.live(now) < amount {
            return false;
        }
        self.tick(now);
        for _ in 0..amount {
            let first = (0..self.coins.len())
                .filter(|i| now < self.coins[*i].expires)
                .min_by_key(|i| (self.coins[*i].added, self.coins[*i].expires, self.coins[*i].batch))
                .expect("counted above");
            self.coins.remove(first);
        }
        true
    }
}

#[derive(Debug, Clone)]
enum Step {
    Grant { amount: i64, lifetime: i64 },
    Debit { amount: i64 },
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        (0i64..12, -1i64..40).prop_map(|(amount, lifetime)| Step::Grant { amount, lifetime }),
        (0i64..15).prop_map(|amount| Step::Debit { amount }),
    ];
    // Time passes by small steps, stands still, and now and then runs back.
    prop::collection::vec((prop_oneof![8 => 0i64..12, 1 => -10i64..0], step), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_agrees_with_the_naive_model(steps in steps()) {
        let (mut kept, mut naive, mut now) = (Kept::open(), Naive::new(), 0i64);
        for (index, (passed, step)) in steps.into_iter().enumerate() {
            now += passed;
            let before = kept.clone();
            let outcome = match step {
                Step::Grant { amount, lifetime } => {
                    let expires = now + lifetime;
                    let outcome = kept.grant(now, batch(&format!("b{index}"), amount, Some(expires)));
                    let wanted = expires > naive.clock.max(now) && amount > 0;
                    prop_assert_eq!(outcome.is_ok(), wanted);
                    if wanted {
                        let added = naive.tick(now);
                        naive.coins.extend((0..amount).map(|_| Coin { batch: index, added, expires }));
                    }
                    outcome
                }
                Step::Debit { amount } => {
                    let outcome = kept.debit(now, amount);
                    prop_assert_eq!(outcome.is_ok(), naive.debit(now, usize::try_from(amount).expect("small")));
                    outcome
                }
            };
            if outcome.is_err() {
                prop_assert_eq!(&kept.account, &before.account, "a refusal changed something");
            }
            let clock = naive.clock.max(now);
            let view = kept.account.view_at(at(now));
            prop_assert_eq!(usize::try_from(view.available.nanos()).expect("positive"), naive.live(clock));
            for live in &view.live {
                let coins = naive.coins.iter().filter(|c| format!("b{}", c.batch) == live.id.as_str() && clock < c.expires).count();
                prop_assert_eq!(usize::try_from(live.left.nanos()).expect("positive"), coins);
            }
            prop_assert_eq!(kept.verify(), Ok(()));
        }
    }

    /// Posting the expiries early, by a write of nothing at any moment, changes no later answer.
    #[test]
    fn reads_do_not_depend_on_when_a_sweep_ran(steps in steps(), look in 0i64..600, sweeps in prop::collection::vec(any::<bool>(), 40)) {
        let (mut lazy, mut eager, mut now) = (Kept::open(), Kept::open(), 0i64);
        for (index, (passed, step)) in steps.into_iter().enumerate() {
            // A sweep is a write and so moves the clock: it may not run ahead of time that later runs back.
            now += passed.max(0);
            if sweeps[index] {
                eager.debit(now, 0).expect("zero is always covered");
            }
            for kept in [&mut lazy, &mut eager] {
                let _ = match step {
                    Step::Grant { amount, lifetime } => kept.grant(now, batch(&format!("b{index}"), amount, Some(now + lifetime))),
                    Step::Debit { amount } => kept.debit(now, amount),
                };
            }
        }
        let (lazy, eager) = (lazy.account.view_at(at(now + look)), eager.account.view_at(at(now + look)));
        prop_assert_eq!(lazy.available, eager.available);
        prop_assert_eq!(lazy.next_expiry, eager.next_expiry);
        let plain = |v: &[Batch]| v.iter().map(|b| (b.id.clone(), b.added, b.expires, b.left)).collect::<Vec<_>>();
        prop_assert_eq!(plain(&lazy.live), plain(&eager.live));
    }

    /// What a read computes is what the next write posts, hash for hash.
    #[test]
    fn what_is_due_is_what_gets_posted(steps in steps(), look in 0i64..600) {
        let (mut kept, mut now) = (Kept::open(), 0i64);
        for (index, (passed, step)) in steps.into_iter().enumerate() {
            now += passed;
            let _ = match step {
                Step::Grant { amount, lifetime } => kept.grant(now, batch(&format!("b{index}"), amount, Some(now + lifetime))),
                Step::Debit { amount } => kept.debit(now, amount),
            };
        }
        let view = kept.account.view_at(at(now + look));
        let posting = kept.account.debit(at(now + look), nanos(0), None).expect("zero");
        prop_assert_eq!(&posting.entries[..posting.entries.len() - 1], &view.due[..]);
        prop_assert_eq!(view.entry_count + 1, posting.account.head().entry_count);
    }
}
