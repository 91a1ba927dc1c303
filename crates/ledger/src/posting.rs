//! The calls on an account that is left as it is: each answers the account afterwards beside what it posts.

use crate::account::{Account, Refusal};
use crate::batch::{Batch, BatchId, HoldId, NewBatch};
use crate::calls::{ClosedHold, NewHold};
use crate::charge::Charge;
use crate::entry::Entry;
use crate::posted::Posted;
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};

/// What a write posts: to be stored whole, in one transaction, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// New entries in order: what fell due, then the call's own, then what followed from it.
    pub entries: Vec<Entry>,
    /// Every batch that is new or changed, as it stands afterwards.
    pub changed: Vec<Batch>,
    /// The account afterwards, with its holds, debt and allowance.
    pub account: Account,
    // Where the call's own entry is.
    own: usize,
}

impl Posting {
    /// The call's own entry; what follows from it stands behind.
    #[must_use]
    pub fn own_entry(&self) -> Option<&Entry> {
        self.entries.get(self.own)
    }

    fn of(account: &Account, post: impl FnOnce(&mut Account, &mut Posted) -> Result<(), Refusal>) -> Result<Self, Refusal> {
        let (mut account, mut posted) = (account.clone(), Posted::new());
        post(&mut account, &mut posted)?;
        let Posted { entries, changed, own, .. } = posted;
        Ok(Self { entries, changed, account, own })
    }
}

impl Account {
    /// Posts a batch.
    ///
    /// # Errors
    /// As [`Account::post_grant`].
    pub fn grant(&self, now: DateTime<Utc>, batch: NewBatch) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_grant(now, batch, posted))
    }

    /// Posts a debit, drawn first in first out. Zero is allowed and posted.
    ///
    /// # Errors
    /// As [`Account::post_debit`].
    pub fn debit(&self, now: DateTime<Utc>, amount: NanoCredits, memo: Option<String>) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_debit(now, amount, memo, posted))
    }

    /// Reserves credits for a run, drawn as a debit would. Zero is allowed and posted.
    ///
    /// # Errors
    /// As [`Account::post_hold`].
    pub fn hold(&self, now: DateTime<Utc>, new: NewHold) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_hold(now, new, posted))
    }

    /// Charges a run that was held for.
    ///
    /// # Errors
    /// As [`Account::post_settle`].
    pub fn settle(
        &self,
        now: DateTime<Utc>,
        id: &HoldId,
        amount: NanoCredits,
        memo: Option<String>,
        closed: Option<ClosedHold>,
    ) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_settle(now, id, amount, memo, closed, posted))
    }

    /// Ends a hold without a charge.
    ///
    /// # Errors
    /// As [`Account::post_release`].
    pub fn release(&self, now: DateTime<Utc>, id: &HoldId, closed: Option<ClosedHold>) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_release(now, id, closed, posted))
    }

    /// Takes the rest of a batch away.
    ///
    /// # Errors
    /// As [`Account::post_void`].
    pub fn void(&self, now: DateTime<Utc>, id: &BatchId, stored: Option<&Batch>) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_void(now, id, stored, posted))
    }

    /// Gives a charge back.
    ///
    /// # Errors
    /// As [`Account::post_refund`].
    pub fn refund(
        &self,
        now: DateTime<Utc>,
        charge: &Charge,
        amount: NanoCredits,
        memo: Option<String>,
        stored: &[Batch],
    ) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_refund(now, charge, amount, memo, stored, posted))
    }

    /// Sets the daily allowance; zero ends it.
    ///
    /// # Errors
    /// As [`Account::post_allowance`].
    pub fn set_allowance(&self, now: DateTime<Utc>, amount: NanoCredits) -> Result<Posting, Refusal> {
        Posting::of(self, |account, posted| account.post_allowance(now, amount, posted))
    }
}
