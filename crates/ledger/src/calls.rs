//! What can be asked of an account. Each call changes it and tells in a [`Posted`] what is to be stored, or is refused and changes nothing.

use crate::account::{Account, Allowance, Hold, Refusal};
use crate::batch::{Batch, BatchId, Draw, HoldId, NewBatch, Taken};
use crate::charge::Charge;
use crate::draft::{Draft, Drawn, is_of_a_day};
use crate::entry::EntryKind;
use crate::posted::Posted;
use crate::time::{after, whole_milliseconds};
use aispace_units::{BATCH_LIFETIME_SECONDS, NanoCredits};
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
    pub fn post_grant(&mut self, now: DateTime<Utc>, batch: NewBatch, posted: &mut Posted) -> Result<(), Refusal> {
        posted.clear();
        let at = self.effective_time(now);
        let expires = batch.expires.map_or_else(|| after(at, TimeDelta::seconds(BATCH_LIFETIME_SECONDS)), whole_milliseconds);
        if expires <= at {
            return Err(Refusal::InvalidExpiry { expires, starts: at });
        }
        self.attempt(at, posted, |draft| {
            if batch.amount.is_zero() || !fits(draft.account, batch.amount, draft.account.allowance.map(|a| a.amount)) {
                return Err(Refusal::InvalidAmount { amount: batch.amount });
            }
            // The ids of days are the allowance's: one given away would stand in its way at that midnight.
            if draft.batch(&batch.id).is_some() || is_of_a_day(&batch.id) {
                return Err(Refusal::DuplicateBatch { batch: batch.id });
            }
            draft.posted.begin_own();
            draft.add_batch(at, NewBatch { expires: Some(expires), ..batch });
            draft.pay_debt(at);
            Ok(())
        })
    }

    /// Posts a debit, drawn first in first out. Zero is allowed and posted.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`] above what is available; nothing is drawn then.
    pub fn post_debit(
        &mut self,
        now: DateTime<Utc>,
        amount: NanoCredits,
        memo: Option<String>,
        posted: &mut Posted,
    ) -> Result<(), Refusal> {
        let at = self.effective_time(now);
        self.attempt(at, posted, |draft| {
            draft.covered(at, amount)?;
            let Draw { taken, .. } = draft.draw(at, amount, Drawn::Spent);
            draft.append_own(at, EntryKind::Debit { taken, memo });
            Ok(())
        })
    }

    /// Reserves credits for a run, drawn as a debit would. Zero is allowed and posted.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`], [`Refusal::InvalidExpiry`], [`Refusal::DuplicateHold`].
    pub fn post_hold(&mut self, now: DateTime<Utc>, new: NewHold, posted: &mut Posted) -> Result<(), Refusal> {
        posted.clear();
        let at = self.effective_time(now);
        let expires = new.expires.map_or_else(|| after(at, TimeDelta::seconds(HOLD_LIFETIME_SECONDS)), whole_milliseconds);
        if expires <= at {
            return Err(Refusal::InvalidExpiry { expires, starts: at });
        }
        // One that timed out just now keeps its id, as it would had a write posted that before.
        if self.index.hold(&new.id).is_some() {
            return Err(Refusal::DuplicateHold { hold: new.id });
        }
        self.attempt(at, posted, |draft| {
            draft.covered(at, new.amount)?;
            let Draw { taken: parts, .. } = draft.draw(at, new.amount, Drawn::Held);
            let NewHold { id, memo, .. } = new;
            let seq = draft.append_own(at, EntryKind::Held { hold: id.clone(), taken: parts.clone(), expires, memo: memo.clone() });
            draft.add_hold(Hold { id, seq, made: at, expires, parts, memo });
            Ok(())
        })
    }

    /// Charges a run that was held for: first what is reserved, then what is free, in order; what is left is owed. What is reserved and not
    /// spent goes back.
    ///
    /// # Errors
    /// [`Refusal::UnknownHold`], [`Refusal::HoldClosed`], [`Refusal::HoldExpired`]: `closed` is what a store knows of a hold that is not
    /// pending.
    pub fn post_settle(
        &mut self,
        now: DateTime<Utc>,
        id: &HoldId,
        amount: NanoCredits,
        memo: Option<String>,
        closed: Option<ClosedHold>,
        posted: &mut Posted,
    ) -> Result<(), Refusal> {
        let (at, closed) = (self.effective_time(now), self.closed(id, closed));
        self.attempt(at, posted, |draft| {
            let hold = draft.take_pending(id).ok_or_else(|| not_pending(id, closed))?;
            let (spent, released, beyond) = split(&hold.parts, amount);
            draft.spend_held(&spent);
            let Draw { taken: drawn, shortfall: debt } = draft.draw(at, beyond, Drawn::Spent);
            let memo = memo.or(hold.memo);
            let kind = EntryKind::Settled { hold: hold.id, spent, released: released.clone(), drawn, debt, memo };
            let charge = draft.append_own(at, kind);
            draft.owe(charge, debt);
            draft.give_back(at, &released);
            Ok(())
        })
    }

    /// Ends a hold without a charge.
    ///
    /// # Errors
    /// As [`Account::post_settle`].
    pub fn post_release(
        &mut self,
        now: DateTime<Utc>,
        id: &HoldId,
        closed: Option<ClosedHold>,
        posted: &mut Posted,
    ) -> Result<(), Refusal> {
        let (at, closed) = (self.effective_time(now), self.closed(id, closed));
        self.attempt(at, posted, |draft| {
            let hold = draft.take_pending(id).ok_or_else(|| not_pending(id, closed))?;
            draft.append_own(at, EntryKind::Released { hold: hold.id, released: hold.parts.clone() });
            draft.give_back(at, &hold.parts);
            Ok(())
        })
    }

    /// What is known of a hold in case it is not pending once everything due is posted: it may be about to time out.
    fn closed(&self, id: &HoldId, stored: Option<ClosedHold>) -> Option<ClosedHold> {
        let place = self.index.hold(id).and_then(|seq| self.holds().binary_search_by_key(&seq, |hold| hold.seq).ok());
        let before = place.and_then(|place| self.holds().get(place));
        before.map(|hold| ClosedHold::TimedOut(hold.expires)).or(stored)
    }

    /// Takes the rest of a batch away. `stored` is the batch as a store keeps it, for one that is spent.
    ///
    /// # Errors
    /// [`Refusal::UnknownBatch`], [`Refusal::BatchClosed`].
    pub fn post_void(&mut self, now: DateTime<Utc>, id: &BatchId, stored: Option<&Batch>, posted: &mut Posted) -> Result<(), Refusal> {
        let at = self.effective_time(now);
        self.attempt(at, posted, |draft| {
            let batch = draft.batch(id).or(stored).ok_or_else(|| Refusal::UnknownBatch { batch: id.clone() })?;
            if batch.is_closed(at) {
                return Err(Refusal::BatchClosed { batch: id.clone() });
            }
            let amount = batch.left;
            draft.take_up(id, stored);
            draft.append_own(at, EntryKind::Voided { batch: id.clone(), amount });
            draft.change(id, |batch| {
                (batch.voided, batch.left, batch.voided_at) = (batch.left, NanoCredits::ZERO, Some(at));
            });
            Ok(())
        })
    }

    /// Gives a charge back: first what it still owes is cancelled, then its parts go back, last drawn first. A part pays other open debt
    /// before it becomes free; one whose batch has ended is gone. `stored` are the charge's batches as a store keeps them.
    ///
    /// # Errors
    /// [`Refusal::RefundExceeds`] above what is left of the charge, [`Refusal::InvalidAmount`] for zero or above the ledger's range.
    pub fn post_refund(
        &mut self,
        now: DateTime<Utc>,
        charge: &Charge,
        amount: NanoCredits,
        memo: Option<String>,
        stored: &[Batch],
        posted: &mut Posted,
    ) -> Result<(), Refusal> {
        let at = self.effective_time(now);
        self.attempt(at, posted, |draft| {
            // Credit that fell due may have paid this very charge's debt just now.
            let charge = charge.after(&draft.posted.entries);
            let refundable = charge.refundable();
            if amount.is_zero() {
                return Err(Refusal::InvalidAmount { amount });
            }
            if amount > refundable {
                return Err(Refusal::RefundExceeds { amount, refundable });
            }
            if !fits(draft.account, amount, draft.account.allowance.map(|a| a.amount)) {
                return Err(Refusal::InvalidAmount { amount });
            }
            let kind = draft.give_charge_back(at, &charge, amount, memo, stored);
            draft.append_own(at, kind);
            Ok(())
        })
    }

    /// Sets the daily allowance; zero ends it. It counts from the next UTC midnight.
    ///
    /// # Errors
    /// [`Refusal::InvalidAmount`] when the account could come to hold more than the ledger's range.
    pub fn post_allowance(&mut self, now: DateTime<Utc>, amount: NanoCredits, posted: &mut Posted) -> Result<(), Refusal> {
        let at = self.effective_time(now);
        self.attempt(at, posted, |draft| {
            if !fits(draft.account, NanoCredits::ZERO, Some(amount)) {
                return Err(Refusal::InvalidAmount { amount });
            }
            draft.append_own(at, EntryKind::AllowanceSet { amount });
            draft.set_allowance((!amount.is_zero()).then_some(Allowance { amount, since: at }));
            Ok(())
        })
    }
}

impl Draft<'_> {
    /// Takes a batch that was spent back into the account.
    fn take_up(&mut self, id: &BatchId, stored: Option<&Batch>) {
        if let Some(batch) = stored.filter(|_| self.batch(id).is_none()) {
            self.insert(batch.clone());
        }
    }

    fn give_charge_back(
        &mut self,
        at: DateTime<Utc>,
        charge: &Charge,
        amount: NanoCredits,
        memo: Option<String>,
        stored: &[Batch],
    ) -> EntryKind {
        let sequence = charge.sequence;
        let owed = self.account.debts().iter().find(|debt| debt.charge == sequence).map_or(NanoCredits::ZERO, |debt| debt.open);
        let cancelled = owed.min(amount);
        self.owe(sequence, owed.checked_sub(cancelled).unwrap_or_default());
        let back = charge.last_drawn(amount.checked_sub(cancelled).unwrap_or_default());
        let (mut returned, mut swallowed, mut paid) = (Vec::new(), Vec::new(), Vec::new());
        for part in back {
            let Some(rest) = self.pay_from(&part, &mut paid) else { continue };
            let known = stored.iter().find(|b| b.id == rest.batch);
            match self.batch(&rest.batch).or(known) {
                Some(batch) if !batch.is_closed(at) => {
                    self.take_up(&rest.batch, known);
                    self.change(&rest.batch, |batch| batch.left = batch.left.checked_add(rest.amount).unwrap_or(batch.left));
                    returned.push(rest);
                }
                Some(_) | None => swallowed.push(rest),
            }
        }
        EntryKind::Refunded { charge: sequence, cancelled, returned, swallowed, paid, memo }
    }
}

fn not_pending(id: &HoldId, closed: Option<ClosedHold>) -> Refusal {
    let hold = id.clone();
    match closed {
        Some(ClosedHold::TimedOut(expired)) => Refusal::HoldExpired { hold, expired },
        Some(ClosedHold::Ended) => Refusal::HoldClosed { hold },
        None => Refusal::UnknownHold { hold },
    }
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
    let renewals = allowance.unwrap_or_default().nanos().checked_mul(RENEWALS_MAX);
    let all = renewals.and_then(|renewals| renewals.checked_add(added.nanos()));
    let with = |sum: i64, batch: &Batch| sum.checked_add(batch.left.nanos())?.checked_add(batch.held.nanos());
    all.and_then(|all| account.batches().iter().try_fold(all, with)).is_some()
}
