//! Whatever Stripe tells, however often and in whatever order: the ledger ends where the money is.

use crate::world::{NEVER, SOON, World};
use aispace_api::CardOrderAnswer;
use aispace_service::Database;
use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use aispace_units::{Decimal, NanoCredits, Usd};
use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::Value;
use std::time::Duration;

const CENTS: i64 = 1_000;
const CREDITS_PER_CENT: i64 = 100;

/// Numbers that look random and are the same for the same seed (Vigna's splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).expect("31 bits") % sides
    }
}

/// What happened at Stripe, told by hand: each cent is somewhere.
#[derive(Default)]
struct Model {
    paid: bool,
    refunds: Vec<(String, i64, bool)>,
    disputes: Vec<(String, i64, bool)>,
    spent: i64,
}

impl Model {
    fn returned(&self) -> i64 {
        let taken = self.refunds.iter().chain(&self.disputes).filter(|(_, _, takes)| *takes);
        taken.map(|(_, cents, _)| cents).sum::<i64>().min(CENTS)
    }

    fn due(&self) -> i64 {
        if self.paid { (CENTS - self.returned()) * CREDITS_PER_CENT } else { 0 }
    }
}

/// One order of an account of its own, and what becomes of it.
struct Case {
    world: World,
    dice: Dice,
    model: Model,
    account: String,
    key: String,
    order: CardOrderAnswer,
    session: String,
    /// Events before this belong to other cases.
    first_event: usize,
    steps: usize,
}

impl Case {
    async fn begin(world: World, seed: u64) -> Self {
        let byte = u8::try_from(seed % 250).expect("a byte");
        let (opened, order) = world.top_up(byte, "10").await;
        let (session, first_event) = (world.session(&order), world.stripe.events().len());
        let (account, key) = (opened.account_id, opened.secure_key.into_exposed());
        Self { world, dice: Dice(seed), model: Model::default(), account, key, order, session, first_event, steps: 0 }
    }

    /// Something happens at Stripe, or a run is charged.
    async fn happen(&mut self) {
        self.steps += 1;
        let cents = i64::try_from(self.dice.roll(600)).expect("small") + 1;
        let amount = u64::try_from(cents).expect("positive");
        let stripe = &self.world.stripe;
        match self.dice.roll(7) {
            _ if !self.model.paid => {
                stripe.pay(&self.session);
                self.model.paid = true;
            }
            0 if self.model.returned() + cents <= CENTS => {
                let status = ["pending", "succeeded"][self.dice.roll(2)];
                self.model.refunds.push((stripe.refund(&self.session, amount, status), cents, true));
            }
            1 if self.model.returned() + cents <= CENTS => {
                let (status, takes) = [("needs_response", true), ("warning_needs_response", false)][self.dice.roll(2)];
                self.model.disputes.push((stripe.dispute(&self.session, amount, status), cents, takes));
            }
            2 if !self.model.refunds.is_empty() => {
                let which = self.dice.roll(self.model.refunds.len());
                let (status, takes) = [("succeeded", true), ("failed", false)][self.dice.roll(2)];
                let refund = &mut self.model.refunds[which];
                stripe.move_refund(&refund.0, status);
                refund.2 = takes;
            }
            3 if !self.model.disputes.is_empty() => {
                let which = self.dice.roll(self.model.disputes.len());
                let states = [("under_review", true), ("won", false), ("lost", true), ("warning_closed", false)];
                let (status, takes) = states[self.dice.roll(states.len())];
                let dispute = &mut self.model.disputes[which];
                stripe.move_dispute(&dispute.0, status);
                dispute.2 = takes;
            }
            _ => {
                let credits = i64::try_from(self.dice.roll(40_000)).expect("small");
                if self.world.debit(&self.account, credits, &format!("d{}", self.steps)).await.status == 201 {
                    self.model.spent += credits;
                }
            }
        }
    }

    fn events(&self) -> Vec<Value> {
        self.world.stripe.events().split_off(self.first_event)
    }

    /// Some events arrive, any of those so far, several at once, at any of the services; the next thing happens meanwhile.
    async fn arrive_while_it_goes_on(&mut self) {
        let events = self.events();
        let count = if events.is_empty() { 0 } else { self.dice.roll(5) };
        let mut arriving = Vec::new();
        for _ in 0..count {
            let which = self.dice.roll(self.world.running.len());
            let (request, address) = self.world.delivery(which, &events[self.dice.roll(events.len())]);
            arriving.push(tokio::spawn(request.send(address)));
        }
        tokio::time::sleep(Duration::from_micros(u64::try_from(self.dice.roll(3_000)).expect("small"))).await;
        self.happen().await;
        for reply in join_all(arriving).await {
            assert_eq!(reply.expect("a reply").status, 204);
        }
    }

    /// The rest arrives, shuffled, some of it twice.
    async fn arrive_all(&mut self) {
        let mut events = self.events();
        for _ in 0..3 {
            let again = events[self.dice.roll(events.len())].clone();
            events.push(again);
        }
        while !events.is_empty() {
            let event = events.swap_remove(self.dice.roll(events.len()));
            let which = self.dice.roll(self.world.running.len());
            assert_eq!(self.world.deliver_to(which, &event).await.status, 204);
        }
    }

    async fn check(&self, seed: u64) {
        let (due, spent) = (self.model.due(), self.model.spent);
        let of = |credits: i64| credits.to_string().parse::<NanoCredits>().expect("credits");
        let account = self.world.account(&self.key).await;
        let order = self.world.shown(&self.order).await;
        let told = format!("seed {seed}: due {due}, spent {spent}: {order:?}");
        assert_eq!(account.available_credits, of((due - spent).max(0)), "{told}");
        assert_eq!(order.missing_credits, of((spent - due).max(0)), "{told}");
        assert_eq!(order.credited_credits, of(if order.credited.is_some() { due } else { 0 }), "{told}");
        let plain = account.batches.iter().filter(|b| b.note.as_deref() == Some(self.order.order_id.as_str())).count();
        assert!(plain <= 1, "posted once: {told}");
    }
}

async fn run(mut world: World, seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let mut case = Case::begin(world, seed).await;
        let steps = 3 + case.dice.roll(12);
        for step in 0..steps {
            case.arrive_while_it_goes_on().await;
            case.world.set_time(TimeDelta::minutes(i64::try_from(step).expect("small")));
        }
        case.arrive_all().await;
        case.check(seed).await;
        // Nothing is left to be done: all of it once more changes nothing.
        let before = case.world.account(&case.key).await;
        case.arrive_all().await;
        assert_eq!(case.world.account(&case.key).await.batches, before.batches, "seed {seed}");
        world = case.world;
    }
    world.stop_and_verify().await;
}

#[tokio::test]
async fn events_in_any_order_lead_to_where_the_money_is() {
    run(World::start(NEVER).await, 0..60).await;
}

#[tokio::test]
async fn events_in_any_order_at_two_services_on_one_postgresql_lead_there_too() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    let database: Database = server.fresh_database().expect("a database").parse().expect("an address");
    let mut world = World::prepared(Some(database)).await;
    world.begin(NEVER).await;
    world.begin(NEVER).await;
    run(world, 1_000..1_020).await;
}

/// Without a single webhook the list of events leads there.
#[tokio::test]
async fn the_list_of_events_alone_leads_there() {
    run_without_webhooks(World::start(SOON).await, 2_000..2_010).await;
}

#[tokio::test]
async fn the_list_of_events_alone_leads_there_on_postgresql() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    let database: Database = server.fresh_database().expect("a database").parse().expect("an address");
    let mut world = World::prepared(Some(database)).await;
    world.begin(SOON).await;
    run_without_webhooks(world, 3_000..3_004).await;
}

async fn run_without_webhooks(mut world: World, seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let mut case = Case::begin(world, seed).await;
        for step in 1..=8 {
            case.happen().await;
            case.world.set_time(TimeDelta::minutes(step));
        }
        let returned = Usd::new(Decimal::new(case.model.returned(), 2)).expect("an amount");
        case.world.until(&case.order, |order| order.received_usd == order.usd && order.returned_usd == returned).await;
        case.check(seed).await;
        world = case.world;
    }
    world.stop_and_verify().await;
}
