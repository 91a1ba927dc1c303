use super::*;
use aispace_ledger::{AccountId, Entry, HoldId, NewHold, Posting, StoredAccount, verify};
use chrono::TimeDelta;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ORDER: &str = "or_00ff";
const LIFE: TimeDelta = TimeDelta::days(30);

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("time")
}

fn credits(count: i64) -> NanoCredits {
    NanoCredits::from_nanos(count).expect("an amount")
}

/// An account, its whole log, and an order in it.
struct World {
    account: Account,
    entries: Vec<Entry>,
    all: BTreeMap<BatchId, Batch>,
    order: Vec<BatchId>,
    now: DateTime<Utc>,
    last: Option<Reconciled>,
}

impl World {
    fn new() -> Self {
        let account = Account::open(AccountId::new("ac_1"));
        Self { account, entries: vec![], all: BTreeMap::new(), order: vec![], now: start(), last: None }
    }

    fn post(&mut self, posting: Posting) {
        self.keep(&posting.entries, &posting.changed, &posting.account);
    }

    fn keep(&mut self, entries: &[Entry], changed: &[Batch], account: &Account) {
        self.entries.extend_from_slice(entries);
        self.all.extend(changed.iter().map(|batch| (batch.id.clone(), batch.clone())));
        self.account = account.clone();
    }

    fn due(&mut self, count: i64) -> &Reconciled {
        let own: Vec<Batch> = self.order.iter().map(|id| self.all[id].clone()).collect();
        let done = reconcile(&self.account, Purchase::by_card(ORDER), &own, credits(count), self.now).expect("in range");
        for step in &done.steps {
            assert_eq!(step.before, self.account.head());
            self.keep(&step.posted.entries, &step.posted.changed, &step.account);
        }
        self.order = done.batches.iter().map(|batch| batch.id.clone()).collect();
        for batch in &done.batches {
            if !done.steps.is_empty() {
                assert_eq!(&self.all[&batch.id], batch, "what is answered is what is stored");
            }
        }
        self.last.insert(done)
    }

    fn spend(&mut self, count: i64) {
        if let Ok(posting) = self.account.debit(self.now, credits(count), None) {
            self.post(posting);
        }
    }

    fn hold(&mut self, name: &str, count: i64) {
        let new = NewHold { id: HoldId::new(name), amount: credits(count), expires: None, memo: None };
        if let Ok(posting) = self.account.hold(self.now, new) {
            self.post(posting);
        }
    }

    fn settle(&mut self, name: &str, count: i64) {
        if let Ok(posting) = self.account.settle(self.now, &HoldId::new(name), credits(count), None, None) {
            self.post(posting);
        }
    }

    fn release(&mut self, name: &str) {
        if let Ok(posting) = self.account.release(self.now, &HoldId::new(name), None) {
            self.post(posting);
        }
    }

    fn grant(&mut self, id: &str, count: i64) {
        let batch = NewBatch { id: BatchId::new(id), source: BatchSource::Grant, note: None, amount: credits(count), expires: None };
        if let Ok(posting) = self.account.grant(self.now, batch) {
            self.post(posting);
        }
    }

    /// What the order's batches have left that can be drawn.
    fn left(&self) -> i64 {
        self.account.view_at(self.now).live.iter().filter(|b| self.order.contains(&b.id)).map(|b| b.left.nanos()).sum()
    }

    /// What was charged to the order's batches, counted from the log alone.
    fn spent(&self) -> i64 {
        let of = |parts: &[aispace_ledger::Taken]| -> i64 {
            parts.iter().filter(|part| self.order.contains(&part.batch)).map(|part| part.amount.nanos()).sum()
        };
        let charged = |entry: &Entry| match &entry.kind {
            EntryKind::Debit { taken, .. } => of(taken),
            EntryKind::Settled { spent, drawn, .. } => of(spent) + of(drawn),
            EntryKind::DebtPaid { paid } => {
                paid.iter().filter(|part| self.order.contains(&part.batch)).map(|part| part.amount.nanos()).sum()
            }
            _ => 0,
        };
        self.entries.iter().map(charged).sum()
    }

    fn missing(&self) -> i64 {
        self.last.as_ref().map_or(0, |done| done.missing.nanos())
    }

    fn verified(&self) {
        let stored = StoredAccount {
            id: self.account.id().clone(),
            head: self.account.head(),
            batches: self.all.values().cloned().collect(),
            holds: self.account.holds().to_vec(),
            debts: self.account.debts().to_vec(),
            allowance: None,
        };
        verify(&stored, &self.entries).expect("the log holds");
    }
}

#[test]
fn a_payment_is_posted_once_and_until_thirty_days_later() {
    let mut world = World::new();
    assert_eq!(world.due(1000).steps.len(), 1);
    let batch = world.all[&BatchId::new("ba_00ff_0")].clone();
    assert_eq!((batch.source, batch.note.as_deref()), (BatchSource::CardPurchase, Some(ORDER)));
    assert_eq!(batch.expires, start() + LIFE);
    assert!(world.due(1000).steps.is_empty(), "done again, it posts nothing");
    assert_eq!((world.left(), world.missing()), (1000, 0));
}

#[test]
fn what_was_paid_back_before_it_was_seen_is_never_posted() {
    let mut world = World::new();
    assert!(world.due(0).steps.is_empty());
    world.due(400);
    assert_eq!((world.left(), world.missing()), (400, 0));
}

#[test]
fn a_part_is_taken_and_the_rest_keeps_its_end() {
    let mut world = World::new();
    world.due(1000);
    world.now += TimeDelta::days(3);
    world.spend(200);
    assert_eq!(world.due(700).steps.len(), 2, "a void and the rest");
    assert_eq!((world.left(), world.missing()), (500, 0));
    assert_eq!(world.all[&BatchId::new("ba_00ff_1")].expires, start() + LIFE);
    world.spend(100);
    world.due(0);
    assert_eq!((world.left(), world.missing()), (0, 300));
    assert!(world.due(0).steps.is_empty());
    world.due(1000);
    assert_eq!((world.left(), world.missing()), (700, 0), "given back but for what was spent");
    assert!(world.all.values().all(|batch| batch.expires == start() + LIFE));
    world.verified();
}

#[test]
fn after_the_end_nothing_is_given_back_and_only_what_was_spent_is_missing() {
    let mut world = World::new();
    world.due(1000);
    world.spend(300);
    world.now += TimeDelta::days(1);
    world.due(200);
    assert_eq!((world.left(), world.missing()), (0, 100));
    world.now = start() + LIFE;
    assert!(world.due(1000).steps.is_empty());
    assert_eq!((world.left(), world.missing()), (0, 0));
    world.due(0);
    assert_eq!(world.missing(), 300);
    world.verified();
}

#[test]
fn what_a_hold_reserves_is_decided_when_the_hold_ends() {
    for settled in [0, 350, 600] {
        let mut world = World::new();
        world.due(1000);
        world.hold("h", 600);
        let done = world.due(500);
        assert!(done.undecided);
        assert_eq!((world.left(), world.missing()), (0, 0));
        world.settle("h", settled);
        assert!(!world.due(500).undecided);
        assert_eq!((world.left(), world.missing()), ((500 - settled).max(0), (settled - 500).max(0)), "settled {settled}");
        world.verified();
    }
}

#[test]
fn a_hold_that_times_out_unseen_is_counted() {
    let mut world = World::new();
    world.due(1000);
    world.hold("h", 900);
    world.due(500);
    world.now += TimeDelta::hours(2);
    assert!(!world.due(500).undecided);
    assert_eq!((world.left(), world.missing()), (500, 0));
    world.verified();
}

#[derive(Debug, Clone)]
enum Step {
    Due(i64),
    Spend(i64),
    Hold(u8, i64),
    Settle(u8, i64),
    Release(u8),
    Grant(i64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0i64..=1000).prop_map(Step::Due),
        3 => (0i64..400).prop_map(Step::Spend),
        2 => (0u8..4, 0i64..400).prop_map(|(name, count)| Step::Hold(name, count)),
        2 => (0u8..4, 0i64..500).prop_map(|(name, count)| Step::Settle(name, count)),
        1 => (0u8..4).prop_map(Step::Release),
        1 => (1i64..300).prop_map(Step::Grant),
        2 => (0i64..5_000).prop_map(Step::Wait),
    ]
}

impl World {
    fn step(&mut self, number: usize, step: &Step) {
        match step {
            Step::Due(count) => {
                self.due(*count);
            }
            Step::Spend(count) => self.spend(*count),
            Step::Hold(name, count) => self.hold(&name.to_string(), *count),
            Step::Settle(name, count) => self.settle(&name.to_string(), *count),
            Step::Release(name) => self.release(&name.to_string()),
            Step::Grant(count) => self.grant(&format!("other{number}"), *count),
            Step::Wait(seconds) => self.now += TimeDelta::seconds(*seconds),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever happened before, an order's batches come to have what its payment is worth less what was spent of them, and what was
    /// spent beyond that is missing. Other batches, and what was said in between, make no difference.
    #[test]
    fn only_what_is_due_and_what_was_spent_count(steps in proptest::collection::vec(step(), 0..40), due in 0i64..=1000) {
        let mut world = World::new();
        for (number, step) in steps.iter().enumerate() {
            world.step(number, step);
            // Twice is once.
            if let Step::Due(count) = step {
                prop_assert!(world.due(*count).steps.is_empty());
            }
        }
        // Holds end; a second look follows those that it could not decide on.
        world.now += TimeDelta::hours(3);
        world.due(due);
        world.due(due);
        // A look that posts nothing leaves the ends of holds, and the debts they pay, to the next entry: the log tells of them after it.
        world.grant("last", 1);
        let spent = world.spent();
        prop_assert!(!world.last.as_ref().expect("looked").undecided);
        prop_assert_eq!(world.left(), (due - spent).max(0));
        prop_assert_eq!(world.missing(), (spent - due).max(0));
        world.verified();
    }
}
