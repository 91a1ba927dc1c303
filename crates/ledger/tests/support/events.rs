//! Made-up histories of an account: each is drawn from one number, and played to the ledger and to the naive model side by side.

use super::naive::{Call, DAY, Model, Name, Reason, midnight_after};
use super::{Kept, START, batch, overlay};
use aispace_ledger::{Account, Batch, Refusal};
use chrono::DateTime;

/// When, in milliseconds since 1970, and what.
pub type Event = (i64, Call);

/// Splitmix64: the same numbers from the same seed on every machine.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.word() % end.max(1) as u64) as usize
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

/// Draws 10 to 30 events, one by one beside a model, so that they meet its boundaries and its ids.
#[derive(Debug)]
pub struct Script {
    dice: Dice,
    now: i64,
    fresh: u8,
    daily: bool,
    drawn: usize,
    length: usize,
}

impl Script {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (now, daily, length) = (START + dice.below(DAY as usize) as i64, dice.percent(25), 10 + dice.below(21));
        Self { dice, now, fresh: 0, daily, drawn: 0, length }
    }

    pub fn next(&mut self, model: &Model) -> Option<Event> {
        if self.drawn == self.length {
            return None;
        }
        let dice = &mut self.dice;
        self.now = instant(dice, model, self.now);
        let first = self.drawn == 0 && dice.percent(90);
        let draw = if first { grant } else { call };
        self.drawn += 1;
        let call = draw(dice, model, self.now, &mut self.fresh, self.daily);
        Some((self.now, call))
    }
}

/// A whole list of events.
pub fn list(seed: u64) -> Vec<Event> {
    let (mut script, mut model, mut events) = (Script::new(seed), Model::open(), Vec::new());
    while let Some((now, call)) = script.next(&model) {
        model = model.call(now, &call).unwrap_or(model);
        events.push((now, call));
    }
    events
}

/// Most events stand at a boundary or one millisecond beside it; some where the clock has run back.
fn instant(dice: &mut Dice, model: &Model, now: i64) -> i64 {
    match dice.below(100) {
        0..44 => now + dice.below(3) as i64,
        44..50 => now + dice.below(2 * 3_600_000) as i64,
        50..84 => {
            let ahead: Vec<i64> = model.instants().into_iter().filter(|i| *i > now && *i < now + 40 * DAY).collect();
            // The near ones come first more often than not, or the first long jump would end everything.
            let nearest = ahead.iter().min().copied();
            let chosen = if dice.percent(80) { nearest } else { dice.of(&ahead) };
            chosen.unwrap_or_else(|| midnight_after(now)) + dice.below(3) as i64 - 1
        }
        84..89 => midnight_after(now) + dice.below(3) as i64 - 1,
        89..91 => midnight_after(now) + dice.below(34) as i64 * DAY + dice.below(3) as i64 - 1,
        91..96 => now - 1 - dice.below(20) as i64,
        _ => dice.of(&model.instants()).filter(|i| *i < now).unwrap_or(now - DAY),
    }
}

/// An end for a batch or a hold: absent, soon, at another boundary, or invalid.
fn end(dice: &mut Dice, model: &Model, now: i64) -> Option<i64> {
    match dice.below(20) {
        0..9 => None,
        9..13 => Some(now + 1 + dice.below(8) as i64),
        13..15 => Some(now + dice.below(4 * 3_600_000) as i64),
        15..18 => Some(dice.of(&model.instants()).filter(|i| *i > now).unwrap_or_else(|| midnight_after(now))),
        18 => Some(midnight_after(now) + dice.below(2) as i64 * DAY),
        _ => Some(now - dice.below(2) as i64),
    }
}

/// An amount about what is available: less, all of it, or one too many; nothing now and then.
fn amount(dice: &mut Dice, model: &Model) -> usize {
    let available = model.available();
    match dice.below(10) {
        0 => 0,
        1 => available + dice.below(2),
        _ => dice.below(6).min(available + usize::from(dice.percent(10))),
    }
}

fn new_id(dice: &mut Dice, fresh: &mut u8) -> u8 {
    if dice.percent(6) {
        return dice.below(usize::from(*fresh) + 1) as u8;
    }
    *fresh += 1;
    *fresh
}

fn grant(dice: &mut Dice, model: &Model, now: i64, fresh: &mut u8, _: bool) -> Call {
    let amount = if dice.percent(5) { 0 } else { 1 + dice.below(8) };
    Call::Grant { id: new_id(dice, fresh), amount, expires: end(dice, model, now) }
}

fn call(dice: &mut Dice, model: &Model, now: i64, fresh: &mut u8, daily: bool) -> Call {
    let pending: Vec<u8> = model.pending_holds().iter().map(|h| h.0).collect();
    let some_hold = |dice: &mut Dice, fresh: u8| {
        let pending = if dice.percent(85) { dice.of(&pending) } else { None };
        pending.or_else(|| dice.of(&model.hold_ids())).unwrap_or_else(|| dice.below(usize::from(fresh) + 2) as u8)
    };
    // Debt is soon paid and a hold soon over: what is special about them has to come at once.
    let which = match dice.below(100) {
        0..30 if model.debt() > 0 => 90,
        30..60 if !pending.is_empty() => 60 + dice.below(18),
        any => any,
    };
    match which {
        0..22 => grant(dice, model, now, fresh, daily),
        22..36 => Call::Debit { amount: amount(dice, model) },
        56..72 if !pending.is_empty() || dice.percent(15) => {
            let beyond = if dice.percent(25) { model.available() + model.held() } else { 0 };
            let amount = beyond + dice.below(6);
            Call::Settle { id: some_hold(dice, *fresh), amount }
        }
        72..77 if !pending.is_empty() || dice.percent(15) => Call::Release { id: some_hold(dice, *fresh) },
        36..77 => Call::Hold { id: new_id(dice, fresh), amount: amount(dice, model), expires: end(dice, model, now) },
        77..82 => match dice.of(&model.batches) {
            Some(batch) if dice.percent(92) => Call::Void { batch: batch.name },
            Some(_) | None => Call::Void { batch: Name::Given(250) },
        },
        82..96 if model.charges > 0 || dice.percent(15) => refund(dice, model),
        _ if daily => Call::Allow { amount: dice.below(4) },
        _ => Call::Debit { amount: 0 },
    }
}

fn refund(dice: &mut Dice, model: &Model) -> Call {
    let unknown = usize::from(dice.percent(10));
    let with = |wanted: &dyn Fn(usize) -> bool| (0..model.charges).filter(|charge| wanted(*charge)).collect::<Vec<_>>();
    let owing = dice.of(&with(&|charge| model.owed_by(charge) > 0)).filter(|_| dice.percent(30));
    let spent = dice.of(&with(&|charge| model.refundable(charge) > model.owed_by(charge))).filter(|_| dice.percent(70));
    let charge = owing.or(spent).unwrap_or_else(|| dice.below(model.charges + unknown));
    let refundable = if charge < model.charges { model.refundable(charge) } else { 0 };
    let amount = if dice.percent(40) { refundable + dice.below(2) } else { dice.below(7).min(refundable + 1) };
    Call::Refund { charge, amount }
}

/// The ledger and the model after the same events.
#[derive(Debug, Clone)]
pub struct Both {
    pub kept: Kept,
    pub model: Model,
    // The entries of the charges, in the order they were made.
    charges: Vec<u64>,
}

impl Both {
    pub fn open() -> Self {
        Self { kept: Kept::open(), model: Model::open(), charges: Vec::new() }
    }

    /// Makes one call to both.
    pub fn step(&mut self, now: i64, call: &Call) -> Result<(), String> {
        let wanted = self.model.call(now, call);
        let outcome = self.call_ledger(now, call);
        match (wanted, outcome) {
            (Ok(model), Ok(sequence)) => {
                if model.charges > self.charges.len() {
                    self.charges.push(sequence);
                }
                self.model = model;
                self.agree()
            }
            (Err(reasons), Err(refusal)) if reasons.contains(&reason(&refusal)) => Ok(()),
            (wanted, outcome) => Err(format!("the model says {:?}, the ledger says {outcome:?}", wanted.map(|_| "posted"))),
        }
    }

    /// Makes one call to the ledger.
    pub fn call_ledger(&mut self, now: i64, call: &Call) -> Result<u64, Refusal> {
        let (kept, now, amount) = (&mut self.kept, now - START, |n: usize| n as i64);
        let relative = |expires: Option<i64>| expires.map(|e| e - START);
        match *call {
            Call::Grant { id, amount: n, expires } => kept.grant(now, batch(&named(Name::Given(id)), amount(n), relative(expires))),
            Call::Debit { amount: n } => kept.debit(now, amount(n)),
            Call::Hold { id, amount: n, expires } => kept.hold(now, &format!("h{id}"), amount(n), relative(expires)),
            Call::Settle { id, amount: n } => kept.settle(now, &format!("h{id}"), amount(n)),
            Call::Release { id } => kept.release(now, &format!("h{id}")),
            Call::Void { batch } => kept.void(now, &named(batch)),
            Call::Refund { charge, amount: n } => {
                // An unknown charge is beyond the log or an entry that charges nothing, such as a batch.
                let other = if n % 2 == 0 { 0 } else { kept.batches.first().map_or(0, |b| b.seq) };
                kept.refund(now, self.charges.get(charge).copied().unwrap_or(other), amount(n))
            }
            Call::Allow { amount: n } => kept.allow(now, amount(n)),
        }
    }

    /// Keeps in step with a charge that only the ledger was asked for.
    pub fn charged(&mut self, sequence: u64) {
        self.charges.push(sequence);
    }

    /// Whether both say the same of now.
    pub fn agree(&self) -> Result<(), String> {
        let account = &self.kept.account;
        same_state(account, &self.kept.batches, &self.model)?;
        let (mut left, mut held) = (0i128, 0i128);
        for b in account.batches() {
            left += i128::from(b.left.nanos());
            held += i128::from(b.held.nanos());
        }
        let debt: i128 = account.debts().iter().map(|d| i128::from(d.open.nanos())).sum();
        equal("available", left, self.model.available() as i128)?;
        equal("the sum over entries", self.kept.sum, left + held)?;
        equal("the debt over entries", self.kept.debt, debt)?;
        let debts: Vec<(u64, usize)> = account.debts().iter().map(|d| (d.charge, d.open.nanos() as usize)).collect();
        equal("debts", debts, self.owed(&self.model))
    }

    fn owed(&self, model: &Model) -> Vec<(u64, usize)> {
        if model.debt() == 0 {
            return Vec::new();
        }
        self.charges.iter().enumerate().map(|(n, sequence)| (*sequence, model.owed_by(n))).filter(|(_, open)| *open > 0).collect()
    }

    /// Whether both say the same of a later instant, without writing.
    pub fn agree_at(&self, now: i64) -> Result<(), String> {
        let mut model = self.model.clone();
        model.pass(now.max(model.clock));
        let view = self.kept.account.view_at(super::at(now - START));
        let mut batches = self.kept.batches.clone();
        overlay(&mut batches, view.lapsed.clone());
        let in_view = |what: &str| format!("{what} in the view at {now}");
        equal(&in_view("available"), view.available.nanos(), model.available() as i64)?;
        equal(&in_view("held"), view.held.nanos(), model.held() as i64)?;
        equal(&in_view("debt"), view.debt.nanos(), model.debt() as i64)?;
        equal(&in_view("the next end"), view.next_expiry.map(|e| e.timestamp_millis()), model.next_expiry())?;
        equal(&in_view("batches"), states(&batches), model.states())?;
        let debts: Vec<(u64, usize)> = view.debts.iter().map(|d| (d.charge, d.open.nanos() as usize)).collect();
        equal(&in_view("debts"), debts, self.owed(&model))?;
        equal(&in_view("entries"), view.entry_count, self.kept.entries.len() as u64 + view.due.len() as u64)?;
        let live: i64 = view.live.iter().map(|b| b.left.nanos()).sum();
        equal(&in_view("what is live"), live, model.available() as i64)
    }
}

fn same_state(account: &Account, batches: &[Batch], model: &Model) -> Result<(), String> {
    equal("batches", states(batches), model.states())?;
    for (kept, wanted) in batches.iter().zip(&model.batches) {
        let span = (kept.added.timestamp_millis(), kept.expires.timestamp_millis());
        if span != (wanted.added, wanted.expires) || kept.granted.nanos() < kept.left.nanos() {
            return Err(format!("batch {kept:?} is {wanted:?} in the model"));
        }
    }
    let allowance = account.allowance().map(|a| (a.amount.nanos() as usize, a.since.timestamp_millis()));
    equal("the allowance", allowance, model.allowance)?;
    let pending = account.holds().iter().map(|h| (h.id.to_string(), h.expires.timestamp_millis(), h.amount().nanos() as usize));
    let wanted = model.pending_holds().into_iter().map(|(id, expires, count)| (format!("h{id}"), expires, count));
    equal("holds", pending.collect::<Vec<_>>(), wanted.collect::<Vec<_>>())
}

/// Of each batch, in posting order: left, held, lapsed, voided.
pub fn states(batches: &[Batch]) -> Vec<[i64; 4]> {
    batches.iter().map(|b| [b.left.nanos(), b.held.nanos(), b.lapsed.nanos(), b.voided.nanos()]).collect()
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, ledger: T, model: T) -> Result<(), String> {
    if ledger == model { Ok(()) } else { Err(format!("{what}: the ledger says {ledger:?}, the model says {model:?}")) }
}

fn named(name: Name) -> String {
    match name {
        Name::Given(id) => format!("b{id}"),
        Name::Day(day) => DateTime::from_timestamp_millis(day * DAY).expect("a day").format("renewal-%Y-%m-%d").to_string(),
    }
}

pub fn reason(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::InsufficientCredits { .. } => Reason::Insufficient,
        Refusal::InvalidAmount { .. } => Reason::InvalidAmount,
        Refusal::InvalidExpiry { .. } => Reason::InvalidExpiry,
        Refusal::DuplicateBatch { .. } => Reason::DuplicateBatch,
        Refusal::DuplicateHold { .. } => Reason::DuplicateHold,
        Refusal::UnknownBatch { .. } => Reason::UnknownBatch,
        Refusal::BatchClosed { .. } => Reason::BatchClosed,
        Refusal::UnknownHold { .. } => Reason::UnknownHold,
        Refusal::HoldClosed { .. } => Reason::HoldClosed,
        Refusal::HoldExpired { .. } => Reason::HoldExpired,
        Refusal::UnknownEntry { .. } => Reason::UnknownEntry,
        Refusal::RefundExceeds { .. } => Reason::RefundExceeds,
        other => panic!("a refusal that the model does not know: {other:?}"),
    }
}
