//! What a purchase is worth now against what its batches have: the postings that bring the two together.
//!
//! The ledger takes a batch away whole. A part is taken by voiding the batch and posting the rest of it again until the same end. What was
//! spent cannot be taken: it is answered as missing.

use aispace_ledger::{Account, Batch, BatchId, BatchSource, EntryKind, Head, NewBatch, Posted, Refusal};
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::{DateTime, Utc};

/// What was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purchase<'a> {
    /// How it was paid.
    pub(crate) source: BatchSource,
    /// What the ids of its batches are made of: no other purchase of the account has it.
    pub(crate) stem: &'a str,
    /// The order, for people.
    pub(crate) order_id: &'a str,
}

impl<'a> Purchase<'a> {
    /// An order that is paid by card.
    pub(crate) fn by_card(order_id: &'a str) -> Self {
        Self { source: BatchSource::CardPurchase, stem: order_id.strip_prefix("or_").unwrap_or(order_id), order_id }
    }
}

/// A posting to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The head that it was computed from.
    pub(crate) before: Head,
    /// The account after it.
    pub(crate) account: Account,
    /// What is posted.
    pub(crate) posted: Posted,
}

/// What has to be stored, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reconciled {
    /// In order, each computed from the one before.
    pub(crate) steps: Vec<Step>,
    /// The purchase's batches afterwards, in the order they were added.
    pub(crate) batches: Vec<Batch>,
    /// What was spent of its credits beyond what its payment is worth.
    pub(crate) missing: NanoCredits,
    /// Whether holds still reserve credits of batches that have ended: what comes of them is to be looked at again.
    pub(crate) undecided: bool,
}

/// Makes a purchase's batches be worth `due`: posts the first one, voids what is too much, gives back what was taken too much until the first
/// one's end. Done again, it posts nothing.
///
/// # Errors
/// [`Refusal`] of the ledger: a first batch above its range.
pub(crate) fn reconcile(
    account: &Account,
    of: Purchase<'_>,
    batches: &[Batch],
    due: NanoCredits,
    now: DateTime<Utc>,
) -> Result<Reconciled, Refusal> {
    let mut work = Work { of, now, account: account.clone(), batches: batches.to_vec(), steps: Vec::new() };
    // What holds and ends did since the last write.
    work.refresh(&account.view_at(now).lapsed);
    let at = account.effective_time(now);
    let end = work.batches.first().map(|batch| batch.expires);
    let due_sum = NanoCreditSum::from(due);
    let too_much = minus(work.net(), due_sum);
    let too_little = minus(due_sum, work.net());
    if !too_much.is_zero() {
        work.take(too_much, at)?;
    } else if !too_little.is_zero() && end.is_none_or(|end| at < end) {
        let note = if end.is_some() { Some("given back") } else { None };
        work.grant(too_little, end, note)?;
    }
    let missing = minus(work.spent(), due_sum);
    let undecided = work.batches.iter().any(|batch| batch.is_closed(at) && !batch.held.is_zero());
    Ok(Reconciled { steps: work.steps, batches: work.batches, missing, undecided })
}

struct Work<'a> {
    of: Purchase<'a>,
    now: DateTime<Utc>,
    account: Account,
    batches: Vec<Batch>,
    steps: Vec<Step>,
}

impl Work<'_> {
    /// What was added and not taken away again. What comes back to a batch after it was voided is taken as well.
    fn net(&self) -> NanoCreditSum {
        let taken = |batch: &Batch| [batch.voided, if batch.voided_at.is_some() { batch.lapsed } else { NanoCredits::ZERO }];
        let added = NanoCreditSum::total(self.batches.iter().map(|batch| batch.granted));
        added.minus(NanoCreditSum::total(self.batches.iter().flat_map(taken)))
    }

    /// What was charged to runs.
    fn spent(&self) -> NanoCreditSum {
        let rest = |batch: &Batch| [batch.left, batch.held, batch.voided, batch.lapsed];
        let added = NanoCreditSum::total(self.batches.iter().map(|batch| batch.granted));
        added.minus(NanoCreditSum::total(self.batches.iter().flat_map(rest)))
    }

    /// Voids the newest batches first until enough is taken; the rest of the last one is posted again.
    fn take(&mut self, amount: NanoCredits, at: DateTime<Utc>) -> Result<(), Refusal> {
        let mut wanted = amount;
        let open: Vec<Batch> = self.batches.iter().rev().filter(|batch| !batch.is_closed(at)).cloned().collect();
        for batch in open {
            if wanted.is_zero() {
                break;
            }
            let voided = self.void(&batch)?;
            let rest = voided.checked_sub(wanted).unwrap_or_default();
            wanted = wanted.checked_sub(voided).unwrap_or_default();
            if !rest.is_zero() {
                self.grant(rest, Some(batch.expires), Some("the rest"))?;
            }
        }
        Ok(())
    }

    fn void(&mut self, batch: &Batch) -> Result<NanoCredits, Refusal> {
        let now = self.now;
        let posted = self.post(|account, posted| account.post_void(now, &batch.id, Some(batch), posted))?;
        match posted.own_entry().map(|entry| &entry.kind) {
            Some(EntryKind::Voided { amount, .. }) => Ok(*amount),
            Some(_) | None => Ok(NanoCredits::ZERO),
        }
    }

    fn grant(&mut self, amount: NanoCredits, expires: Option<DateTime<Utc>>, word: Option<&str>) -> Result<(), Refusal> {
        let number = self.batches.len();
        let Purchase { source, stem, order_id } = self.of;
        let note = word.map_or_else(|| order_id.to_owned(), |word| format!("{order_id}: {word}"));
        // Of the purchase and its number, so that the same batch can never be posted twice.
        let batch = NewBatch { id: BatchId::new(format!("ba_{stem}_{number}")), source, note: Some(note), amount, expires };
        let (now, id) = (self.now, batch.id.clone());
        let posted = self.post(|account, posted| account.post_grant(now, batch, posted))?;
        let added = posted.changed.iter().find(|changed| changed.id == id).cloned();
        self.batches.extend(added);
        Ok(())
    }

    /// A refusal leaves everything as it was.
    fn post(&mut self, call: impl FnOnce(&mut Account, &mut Posted) -> Result<(), Refusal>) -> Result<&Posted, Refusal> {
        let (before, mut account, mut posted) = (self.account.head(), self.account.clone(), Posted::new());
        call(&mut account, &mut posted)?;
        self.refresh(&posted.changed);
        self.account = account.clone();
        self.steps.push(Step { before, account, posted });
        Ok(self.steps.last().map(|step| &step.posted).expect("one was pushed"))
    }

    fn refresh(&mut self, changed: &[Batch]) {
        for own in &mut self.batches {
            if let Some(now) = changed.iter().find(|batch| batch.id == own.id) {
                own.clone_from(now);
            }
        }
    }
}

/// What is more; nothing when it is less.
fn minus(sum: NanoCreditSum, less: NanoCreditSum) -> NanoCredits {
    NanoCredits::try_from(sum.minus(less)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
