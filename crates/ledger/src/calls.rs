//! What can be asked of an account. Each call answers a [`Posting`] or a [`Refusal`] that changes nothing.

use crate::account::{Account, Allowance, Hold, Refusal, total};
use crate::batch::{Batch, BatchId, HoldId, NewBatch, Taken, draw};
use crate::charge::Charge;
use crate::entry::{DebtPart, EntryKind};
use crate::posting::{Posting, is_of_a_day};
use crate::time::{after, whole_milliseconds};
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCreditSum, NanoCredits};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a hold lasts when nothing is said, in seconds.
pub const HOLD_LIFETIME_SECONDS: i64 = 3_600;
/// Midnights whose batches can be alive at once, and one to spare.
const RENEWALS_MAX: i64 = 32;

/// A hold to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Its id, chosen by the caller.
    pub id: HoldId,
    /// What it reserves.
    pub amount: NanoCredits,
    /// The first instant at which it is gone; an hour after it is made when absent.
    pub expires: Option<DateTime<Utc>>,
    /// What is run, opaque to the ledger.
    pub memo: Option<String>,
}

/// What a store knows of a hold that is not pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedHold {
    /// It was settled or released.
    Ended,
    /// It ended by itself.
    TimedOut(DateTime<Utc>),
}

impl Account {
    /// Posts a batch.
    ///
    /// # Errors
    /// [`Refusal::InvalidAmount`] for zero or when the account could come to hold more than the ledger's
    /// range; [`Refusal::InvalidExpiry`] unless the end is after the start; [`Refusal::DuplicateBatch`].
    pub fn grant(&self, now: DateTime<Utc>, batch: NewBatch) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let expires = batch.expires.map_or_else(|| after(at, TimeDelta::seconds(BATCH_LIFETIME_SECONDS)), whole_milliseconds);
        if expires <= at {
            return Err(Refusal::InvalidExpiry { expires, starts: at });
        }
        let mut posting = Posting::due(self, at);
        if batch.amount.is_zero() || !fits(&posting.account, batch.amount, posting.account.allowance.map(|a| a.amount)) {
            return Err(Refusal::InvalidAmount { amount: batch.amount });
        }
        // The ids of days are the allowance's: one given away would stand in its way at that midnight.
        if posting.batch(&batch.id).is_some() || is_of_a_day(&batch.id) {
            return Err(Refusal::DuplicateBatch { batch: batch.id });
        }
        posting.begin_own();
        posting.add_batch(at, NewBatch { expires: Some(expires), ..batch });
        posting.pay_debt(at);
        Ok(posting)
    }

    /// Posts a debit, drawn first in first out. Zero is allowed and posted.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`] above what is available; nothing is drawn then.
    pub fn debit(&self, now: DateTime<Utc>, amount: NanoCredits, memo: Option<String>) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let mut posting = Posting::due(self, at);
        let taken = covered(&posting.account, amount, at)?;
        posting.take(&taken);
        posting.append_own(at, EntryKind::Debit { taken, memo });
        Ok(posting)
    }

    /// Reserves credits for a run, drawn as a debit would. Zero is allowed and posted.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`], [`Refusal::InvalidExpiry`], [`Refusal::DuplicateHold`].
    pub fn hold(&self, now: DateTime<Utc>, new: NewHold) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let expires = new.expires.map_or_else(|| after(at, TimeDelta::seconds(HOLD_LIFETIME_SECONDS)), whole_milliseconds);
        if expires <= at {
            return Err(Refusal::InvalidExpiry { expires, starts: at });
        }
        let mut posting = Posting::due(self, at);
        // One that timed out just now keeps its id, as it would had a write posted that before.
        if self.holds.iter().any(|hold| hold.id == new.id) {
            return Err(Refusal::DuplicateHold { hold: new.id });
        }
        let parts = covered(&posting.account, new.amount, at)?;
        posting.take(&parts);
        for part in &parts {
            posting.change(&part.batch, |batch| batch.held = batch.held.checked_add(part.amount).unwrap_or(batch.held));
        }
        let (id, memo) = (new.id, new.memo);
        let seq = posting.append_own(at, EntryKind::Held { hold: id.clone(), taken: parts.clone(), expires, memo: memo.clone() });
        posting.account.holds.push(Hold { id, seq, made: at, expires, parts, memo });
        Ok(posting)
    }

    /// Charges a run that was held for: first what is reserved, then what is free, in order; what is left is owed. What is reserved and not
    /// spent goes back.
    ///
    /// # Errors
    /// [`Refusal::UnknownHold`], [`Refusal::HoldClosed`], [`Refusal::HoldExpired`]: `closed` is what a store knows of a hold that is not
    /// pending.
    pub fn settle(
        &self,
        now: DateTime<Utc>,
        id: &HoldId,
        amount: NanoCredits,
        memo: Option<String>,
        closed: Option<ClosedHold>,
    ) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let (mut posting, hold) = self.pending(at, id, closed)?;
        let (spent, released, beyond) = split(&hold.parts, amount);
        let plan = draw(&posting.account.batches, beyond, at);
        posting.spend_held(&spent);
        posting.take(&plan.taken);
        let (id, debt) = (id.clone(), plan.shortfall);
        let kind = EntryKind::Settled { hold: id, spent, released: released.clone(), drawn: plan.taken, debt, memo: memo.or(hold.memo) };
        let charge = posting.append_own(at, kind);
        posting.owe(charge, debt);
        posting.give_back(at, &released);
        Ok(posting)
    }

    /// Ends a hold without a charge.
    ///
    /// # Errors
    /// As [`Account::settle`].
    pub fn release(&self, now: DateTime<Utc>, id: &HoldId, closed: Option<ClosedHold>) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let (mut posting, hold) = self.pending(at, id, closed)?;
        posting.append_own(at, EntryKind::Released { hold: id.clone(), released: hold.parts.clone() });
        posting.give_back(at, &hold.parts);
        Ok(posting)
    }

    fn pending(&self, at: DateTime<Utc>, id: &HoldId, closed: Option<ClosedHold>) -> Result<(Posting, Hold), Refusal> {
        let before = self.holds.iter().find(|hold| hold.id == *id);
        let mut posting = Posting::due(self, at);
        match (posting.take_hold(|hold| hold.id == *id), before, closed) {
            (Some(hold), _, _) => Ok((posting, hold)),
            (None, Some(timed_out), _) => Err(Refusal::HoldExpired { hold: id.clone(), expired: timed_out.expires }),
            (None, None, Some(ClosedHold::TimedOut(expired))) => Err(Refusal::HoldExpired { hold: id.clone(), expired }),
            (None, None, Some(ClosedHold::Ended)) => Err(Refusal::HoldClosed { hold: id.clone() }),
            (None, None, None) => Err(Refusal::UnknownHold { hold: id.clone() }),
        }
    }

    /// Takes the rest of a batch away. `stored` is the batch as a store keeps it, for one that is spent.
    ///
    /// # Errors
    /// [`Refusal::UnknownBatch`], [`Refusal::BatchClosed`].
    pub fn void(&self, now: DateTime<Utc>, id: &BatchId, stored: Option<&Batch>) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let mut posting = Posting::due(self, at);
        let batch = posting.batch(id).or(stored).cloned().ok_or_else(|| Refusal::UnknownBatch { batch: id.clone() })?;
        if batch.is_closed(at) {
            return Err(Refusal::BatchClosed { batch: id.clone() });
        }
        posting.append_own(at, EntryKind::Voided { batch: id.clone(), amount: batch.left });
        posting.put(Batch { voided: batch.left, left: NanoCredits::ZERO, voided_at: Some(at), ..batch });
        Ok(posting)
    }

    /// Gives a charge back: first what it still owes is cancelled, then its parts go back, last drawn first. A part pays other open debt
    /// before it becomes free; one whose batch has ended is gone. `stored` are the charge's batches as a store keeps them.
    ///
    /// # Errors
    /// [`Refusal::RefundExceeds`] above what is left of the charge, [`Refusal::InvalidAmount`] for zero or above the ledger's range.
    pub fn refund(
        &self,
        now: DateTime<Utc>,
        charge: &Charge,
        amount: NanoCredits,
        memo: Option<String>,
        stored: &[Batch],
    ) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let mut posting = Posting::due(self, at);
        // Credit that fell due may have paid this very charge's debt just now.
        let charge = charge.after(&posting.entries);
        let sequence = charge.sequence;
        let refundable = charge.refundable();
        if amount.is_zero() {
            return Err(Refusal::InvalidAmount { amount });
        }
        if amount > refundable {
            return Err(Refusal::RefundExceeds { amount, refundable });
        }
        if !fits(&posting.account, amount, posting.account.allowance.map(|a| a.amount)) {
            return Err(Refusal::InvalidAmount { amount });
        }
        let owed = posting.account.debts.iter().find(|debt| debt.charge == sequence).map_or(NanoCredits::ZERO, |debt| debt.open);
        let cancelled = owed.min(amount);
        posting.owe(sequence, owed.checked_sub(cancelled).unwrap_or_default());
        let back = charge.last_drawn(amount.checked_sub(cancelled).unwrap_or_default());
        let (mut returned, mut swallowed, mut paid) = (Vec::new(), Vec::new(), Vec::new());
        for part in back {
            let rest = posting.pay_from(&part, &mut paid);
            let Some(rest) = rest else { continue };
            let known = posting.batch(&rest.batch).or_else(|| stored.iter().find(|b| b.id == rest.batch)).cloned();
            match known {
                Some(batch) if !batch.is_closed(at) => {
                    let left = batch.left.checked_add(rest.amount).unwrap_or(batch.left);
                    posting.put(Batch { left, ..batch });
                    returned.push(rest);
                }
                Some(_) | None => swallowed.push(rest),
            }
        }
        posting.append_own(at, EntryKind::Refunded { charge: sequence, cancelled, returned, swallowed, paid, memo });
        Ok(posting)
    }

    /// Sets the daily allowance; zero ends it. It counts from the next UTC midnight.
    ///
    /// # Errors
    /// [`Refusal::InvalidAmount`] when the account could come to hold more than the ledger's range.
    pub fn set_allowance(&self, now: DateTime<Utc>, amount: NanoCredits) -> Result<Posting, Refusal> {
        let at = self.effective_time(now);
        let mut posting = Posting::due(self, at);
        if !fits(&posting.account, NanoCredits::ZERO, Some(amount)) {
            return Err(Refusal::InvalidAmount { amount });
        }
        posting.append_own(at, EntryKind::AllowanceSet { amount });
        posting.account.allowance = (!amount.is_zero()).then_some(Allowance { amount, since: at });
        Ok(posting)
    }
}

impl Posting {
    /// Lets a part that goes back pay open debt, the oldest first; answers what is left of it.
    fn pay_from(&mut self, part: &Taken, paid: &mut Vec<DebtPart>) -> Option<Taken> {
        let mut rest = part.amount;
        while let Some(debt) = self.account.debts.first().copied().filter(|_| !rest.is_zero()) {
            let amount = debt.open.min(rest);
            paid.push(DebtPart { charge: debt.charge, batch: part.batch.clone(), amount });
            self.owe(debt.charge, debt.open.checked_sub(amount).unwrap_or_default());
            rest = rest.checked_sub(amount).unwrap_or_default();
        }
        (!rest.is_zero()).then(|| Taken { batch: part.batch.clone(), amount: rest })
    }
}

/// The parts that cover an amount.
fn covered(account: &Account, amount: NanoCredits, at: DateTime<Utc>) -> Result<Vec<Taken>, Refusal> {
    let plan = draw(&account.batches, amount, at);
    if plan.shortfall.is_zero() {
        return Ok(plan.taken);
    }
    Err(Refusal::InsufficientCredits { needed: amount, available: account.available(at) })
}

/// Of reserved parts: what an amount spends, what it leaves, and what it needs beside them.
fn split(parts: &[Taken], amount: NanoCredits) -> (Vec<Taken>, Vec<Taken>, NanoCredits) {
    let (mut spent, mut released, mut rest) = (Vec::new(), Vec::new(), amount);
    for part in parts {
        let used = part.amount.min(rest);
        let unused = part.amount.checked_sub(used).unwrap_or_default();
        rest = rest.checked_sub(used).unwrap_or_default();
        let of = |amount| Taken { batch: part.batch.clone(), amount };
        spent.extend((!used.is_zero()).then(|| of(used)));
        released.extend((!unused.is_zero()).then(|| of(unused)));
    }
    (spent, released, rest)
}

/// Whether everything that an account could hold at once stays in range: what it has, what is added, and all renewals that can be alive.
fn fits(account: &Account, added: NanoCredits, allowance: Option<NanoCredits>) -> bool {
    let has = total(account.batches.iter().flat_map(|b| [b.left, b.held]));
    let renewals = allowance.and_then(|daily| daily.nanos().checked_mul(RENEWALS_MAX)).or(allowance.is_none().then_some(0));
    let renewals = renewals.and_then(|nanos| NanoCredits::from_nanos(nanos).ok());
    renewals.and_then(|r| r.checked_add(added)).and_then(|sum| sum.checked_add(has)).is_some()
        && NanoCreditSum::from(has).nanos() < i128::from(i64::MAX)
}
