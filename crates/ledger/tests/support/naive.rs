//! A second ledger, written from the rules alone and in the dullest way: every 10⁻⁹ credit is an object with a state of its own, and so is
//! every 10⁻⁹ owed. It shares nothing with the first, so that one mistake is not made twice.

pub const DAY: i64 = 86_400_000;

/// What a batch is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Named by the caller.
    Given(u8),
    /// Posted by itself on this day, counted from 1970.
    Day(i64),
}

/// Instants are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Grant {
        id: u8,
        amount: usize,
        expires: Option<i64>,
    },
    Debit {
        amount: usize,
    },
    Hold {
        id: u8,
        amount: usize,
        expires: Option<i64>,
    },
    Settle {
        id: u8,
        amount: usize,
    },
    Release {
        id: u8,
    },
    Void {
        batch: Name,
    },
    /// Charges are counted from 0, in the order they were made.
    Refund {
        charge: usize,
        amount: usize,
    },
    Allow {
        amount: usize,
    },
}

/// Every reason for which a call may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Insufficient,
    InvalidAmount,
    InvalidExpiry,
    DuplicateBatch,
    DuplicateHold,
    UnknownBatch,
    BatchClosed,
    UnknownHold,
    HoldClosed,
    HoldExpired,
    UnknownEntry,
    RefundExceeds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Free,
    Held {
        hold: usize,
    },
    /// The turn counts every credit that was ever drawn.
    Spent {
        charge: usize,
        turn: usize,
    },
    Lapsed,
    Voided,
    /// Given back to a batch that had ended.
    Swallowed,
}

#[derive(Debug, Clone, Copy)]
struct Credit {
    batch: usize,
    is: Is,
}

#[derive(Debug, Clone, Copy)]
pub struct Batch {
    pub name: Name,
    pub added: i64,
    pub expires: i64,
    voided: bool,
    swept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Pending,
    Over,
    TimedOut,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    id: u8,
    expires: i64,
    run: Run,
}

#[derive(Debug, Clone, Copy)]
struct Owed {
    charge: usize,
    open: bool,
}

/// Batches stand in posting order, holds and charges in the order they were made.
#[derive(Debug, Clone)]
pub struct Model {
    pub clock: i64,
    credits: Vec<Credit>,
    pub batches: Vec<Batch>,
    holds: Vec<Hold>,
    owed: Vec<Owed>,
    pub charges: usize,
    turns: usize,
    /// Credits a day, and the instant after which midnights count.
    pub allowance: Option<(usize, i64)>,
}

impl Model {
    pub fn open() -> Self {
        let (credits, batches, holds, owed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { clock: i64::MIN, credits, batches, holds, owed, charges: 0, turns: 0, allowance: None }
    }

    /// The account after a call, or every reason to refuse it.
    pub fn call(&self, now: i64, call: &Call) -> Result<Self, Vec<Reason>> {
        let now = self.clock.max(now);
        let mut new = self.clone();
        new.pass(now);
        let reasons = new.reasons(now, call);
        if !reasons.is_empty() {
            return Err(reasons);
        }
        new.clock = now;
        match *call {
            Call::Grant { id, amount, expires } => new.add(Name::Given(id), now, expires.unwrap_or(now + 30 * DAY), amount),
            Call::Debit { amount } => new.charge(now, amount),
            Call::Hold { id, amount, expires } => {
                new.holds.push(Hold { id, expires: expires.unwrap_or(now + 3_600_000), run: Run::Pending });
                for _ in 0..amount {
                    let next = new.next_free(now).expect("enough is free");
                    new.credits[next].is = Is::Held { hold: new.holds.len() - 1 };
                }
            }
            Call::Settle { id, amount } => new.settle(now, id, amount),
            Call::Release { id } => {
                let hold = new.pending(id).expect("it is pending");
                new.end_hold(now, hold, Run::Over);
            }
            Call::Void { batch } => {
                let index = new.batches.iter().position(|b| b.name == batch).expect("it is known");
                new.batches[index].voided = true;
                for credit in new.credits.iter_mut().filter(|c| c.batch == index && c.is == Is::Free) {
                    credit.is = Is::Voided;
                }
            }
            Call::Refund { charge, amount } => (0..amount).for_each(|_| new.give_one_back(now, charge)),
            Call::Allow { amount } => new.allowance = (amount > 0).then_some((amount, now)),
        }
        Ok(new)
    }

    /// Lets time pass: at one instant the timeouts, then the expiries, then the renewal.
    pub fn pass(&mut self, to: i64) {
        while let Some(when) = self.next_instant().filter(|when| *when <= to) {
            for hold in 0..self.holds.len() {
                if self.holds[hold].run == Run::Pending && self.holds[hold].expires <= when {
                    self.end_hold(when, hold, Run::TimedOut);
                }
            }
            for batch in 0..self.batches.len() {
                if !self.batches[batch].swept && self.batches[batch].expires <= when {
                    self.batches[batch].swept = true;
                    for credit in self.credits.iter_mut().filter(|c| c.batch == batch && c.is == Is::Free) {
                        credit.is = Is::Lapsed;
                    }
                }
            }
            if let Some((amount, since)) = self.allowance.filter(|(_, since)| midnight_after(*since) <= when) {
                let midnight = midnight_after(since);
                self.allowance = Some((amount, midnight));
                self.add(Name::Day(midnight / DAY), midnight, midnight + 30 * DAY, amount);
            }
        }
    }

    fn next_instant(&self) -> Option<i64> {
        let holds = self.holds.iter().filter(|h| h.run == Run::Pending).map(|h| h.expires);
        let batches = self.batches.iter().filter(|b| !b.swept).map(|b| b.expires);
        holds.chain(batches).chain(self.allowance.map(|(_, since)| midnight_after(since))).min()
    }

    fn reasons(&self, now: i64, call: &Call) -> Vec<Reason> {
        let free = self.available();
        let mut reasons = Vec::new();
        let mut when = |refused: bool, reason: Reason| reasons.extend(refused.then_some(reason));
        match *call {
            Call::Grant { id, amount, expires } => {
                when(amount == 0, Reason::InvalidAmount);
                when(expires.is_some_and(|e| e <= now), Reason::InvalidExpiry);
                when(self.batches.iter().any(|b| b.name == Name::Given(id)), Reason::DuplicateBatch);
            }
            Call::Debit { amount } => when(amount > free, Reason::Insufficient),
            Call::Hold { id, amount, expires } => {
                when(amount > free, Reason::Insufficient);
                when(expires.is_some_and(|e| e <= now), Reason::InvalidExpiry);
                when(self.holds.iter().any(|h| h.id == id), Reason::DuplicateHold);
            }
            Call::Settle { id, .. } | Call::Release { id } => match self.holds.iter().find(|h| h.id == id).map(|h| h.run) {
                None => when(true, Reason::UnknownHold),
                Some(Run::Over) => when(true, Reason::HoldClosed),
                Some(Run::TimedOut) => when(true, Reason::HoldExpired),
                Some(Run::Pending) => {}
            },
            Call::Void { batch } => match self.batches.iter().position(|b| b.name == batch) {
                None => when(true, Reason::UnknownBatch),
                Some(index) => when(self.closed(index, now), Reason::BatchClosed),
            },
            Call::Refund { charge, amount } => {
                when(charge >= self.charges, Reason::UnknownEntry);
                when(charge < self.charges && amount == 0, Reason::InvalidAmount);
                when(charge < self.charges && amount > self.refundable(charge), Reason::RefundExceeds);
            }
            Call::Allow { .. } => {}
        }
        reasons
    }

    fn add(&mut self, name: Name, added: i64, expires: i64, amount: usize) {
        self.batches.push(Batch { name, added, expires, voided: false, swept: false });
        let batch = self.batches.len() - 1;
        self.credits.extend((0..amount).map(|_| Credit { batch, is: Is::Free }));
        self.pay(added);
    }

    fn closed(&self, batch: usize, now: i64) -> bool {
        self.batches[batch].voided || self.batches[batch].expires <= now
    }

    /// Added, then expires, then posting order.
    fn order(&self, credit: usize) -> (i64, i64, usize) {
        let batch = self.credits[credit].batch;
        (self.batches[batch].added, self.batches[batch].expires, batch)
    }

    fn next_free(&self, now: i64) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (index, credit) in self.credits.iter().enumerate() {
            if credit.is == Is::Free && !self.closed(credit.batch, now) && best.is_none_or(|b| self.order(index) < self.order(b)) {
                best = Some(index);
            }
        }
        best
    }

    fn spend(&mut self, credit: usize, charge: usize) {
        self.credits[credit].is = Is::Spent { charge, turn: self.turns };
        self.turns += 1;
    }

    /// Draws what is free; what is not there is owed.
    fn charge(&mut self, now: i64, amount: usize) {
        let charge = self.charges;
        self.charges += 1;
        self.draw_or_owe(now, charge, amount);
    }

    fn draw_or_owe(&mut self, now: i64, charge: usize, amount: usize) {
        for _ in 0..amount {
            match self.next_free(now) {
                Some(credit) => self.spend(credit, charge),
                None => self.owed.push(Owed { charge, open: true }),
            }
        }
    }

    fn settle(&mut self, now: i64, id: u8, amount: usize) {
        let hold = self.pending(id).expect("it is pending");
        let charge = self.charges;
        self.charges += 1;
        let mut held: Vec<usize> = (0..self.credits.len()).filter(|c| self.credits[*c].is == Is::Held { hold }).collect();
        held.sort_by_key(|credit| self.order(*credit));
        let beyond = amount.saturating_sub(held.len());
        held.into_iter().take(amount).for_each(|credit| self.spend(credit, charge));
        self.draw_or_owe(now, charge, beyond);
        self.end_hold(now, hold, Run::Over);
    }

    fn pending(&self, id: u8) -> Option<usize> {
        self.holds.iter().position(|h| h.id == id && h.run == Run::Pending)
    }

    /// What is still held becomes free, or is gone where its batch has ended.
    fn end_hold(&mut self, now: i64, hold: usize, run: Run) {
        self.holds[hold].run = run;
        for index in 0..self.credits.len() {
            if self.credits[index].is == (Is::Held { hold }) {
                self.credits[index].is = if self.closed(self.credits[index].batch, now) { Is::Lapsed } else { Is::Free };
            }
        }
        self.pay(now);
    }

    fn oldest_debt(&self) -> Option<usize> {
        let open = (0..self.owed.len()).filter(|o| self.owed[*o].open);
        open.min_by_key(|o| self.owed[*o].charge)
    }

    fn pay(&mut self, now: i64) {
        while let Some(debt) = self.oldest_debt() {
            let Some(credit) = self.next_free(now) else { break };
            self.owed[debt].open = false;
            self.spend(credit, self.owed[debt].charge);
        }
    }

    fn last_drawn(&self, charge: usize) -> Option<usize> {
        let turn = |credit: &Credit| match credit.is {
            Is::Spent { charge: of, turn } if of == charge => Some(turn),
            Is::Free | Is::Held { .. } | Is::Spent { .. } | Is::Lapsed | Is::Voided | Is::Swallowed => None,
        };
        (0..self.credits.len()).filter_map(|index| Some((turn(&self.credits[index])?, index))).max().map(|(_, index)| index)
    }

    fn give_one_back(&mut self, now: i64, charge: usize) {
        if let Some(own) = self.owed.iter_mut().find(|o| o.open && o.charge == charge) {
            own.open = false;
            return;
        }
        let credit = self.last_drawn(charge).expect("no more than it drew");
        if let Some(debt) = self.oldest_debt() {
            self.owed[debt].open = false;
            self.spend(credit, self.owed[debt].charge);
        } else if self.closed(self.credits[credit].batch, now) {
            self.credits[credit].is = Is::Swallowed;
        } else {
            self.credits[credit].is = Is::Free;
        }
    }

    /// What can be given back of a charge.
    pub fn refundable(&self, charge: usize) -> usize {
        let spent = self.credits.iter().filter(|c| matches!(c.is, Is::Spent { charge: of, .. } if of == charge)).count();
        spent + self.owed_by(charge)
    }

    pub fn owed_by(&self, charge: usize) -> usize {
        self.owed.iter().filter(|o| o.open && o.charge == charge).count()
    }

    pub fn available(&self) -> usize {
        self.credits.iter().filter(|c| c.is == Is::Free).count()
    }

    pub fn held(&self) -> usize {
        self.credits.iter().filter(|c| matches!(c.is, Is::Held { .. })).count()
    }

    pub fn debt(&self) -> usize {
        self.owed.iter().filter(|o| o.open).count()
    }

    /// Of each batch, in posting order: left, held, lapsed, voided.
    pub fn states(&self) -> Vec<[i64; 4]> {
        let mut states = vec![[0; 4]; self.batches.len()];
        for credit in &self.credits {
            let place = match credit.is {
                Is::Free => 0,
                Is::Held { .. } => 1,
                Is::Lapsed => 2,
                Is::Voided => 3,
                Is::Spent { .. } | Is::Swallowed => continue,
            };
            states[credit.batch][place] += 1;
        }
        states
    }

    /// Pending holds, the oldest first: id, end, and how many credits.
    pub fn pending_holds(&self) -> Vec<(u8, i64, usize)> {
        let pending = self.holds.iter().enumerate().filter(|(_, h)| h.run == Run::Pending);
        let count = |hold| self.credits.iter().filter(|c| c.is == Is::Held { hold }).count();
        pending.map(|(index, hold)| (hold.id, hold.expires, count(index))).collect()
    }

    /// When the next batch with free credits ends.
    pub fn next_expiry(&self) -> Option<i64> {
        self.credits.iter().filter(|c| c.is == Is::Free).map(|c| self.batches[c.batch].expires).min()
    }

    /// Every instant that something depends on.
    pub fn instants(&self) -> Vec<i64> {
        let holds = self.holds.iter().map(|h| h.expires);
        holds.chain(self.batches.iter().map(|b| b.expires)).collect()
    }

    /// The ids of holds that were ever made, in order.
    pub fn hold_ids(&self) -> Vec<u8> {
        self.holds.iter().map(|h| h.id).collect()
    }
}

/// The first midnight after an instant: midnights are the multiples of a day.
pub fn midnight_after(instant: i64) -> i64 {
    (instant.div_euclid(DAY) + 1) * DAY
}
