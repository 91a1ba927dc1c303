//! A charge: what it drew, what it owed, and what was given back of it.

use crate::account::total;
use crate::batch::Taken;
use crate::entry::{Entry, EntryKind};
use aispace_units::NanoCredits;

/// A debit or a settlement with everything that was done about it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Sequence number of its entry.
    pub sequence: u64,
    // What it drew and was not given back, in the order it was drawn; what paid its debt stands last.
    parts: Vec<Taken>,
    owed: NanoCredits,
}

impl Charge {
    /// The charge that an entry posted; none for entries that charge nothing.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let (parts, owed) = match &entry.kind {
            EntryKind::Debit { taken, .. } => (taken.clone(), NanoCredits::ZERO),
            EntryKind::Settled { spent, drawn, debt, .. } => ([spent.as_slice(), drawn.as_slice()].concat(), *debt),
            EntryKind::BatchAdded { .. }
            | EntryKind::Expired { .. }
            | EntryKind::Held { .. }
            | EntryKind::Released { .. }
            | EntryKind::TimedOut { .. }
            | EntryKind::Voided { .. }
            | EntryKind::Refunded { .. }
            | EntryKind::DebtPaid { .. }
            | EntryKind::AllowanceSet { .. } => return None,
        };
        Some(Self { sequence: entry.sequence, parts, owed })
    }

    /// The charge after later entries: those of its own refunds and of payments of its debt count, others do not.
    #[must_use]
    pub fn after<'a>(&self, later: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut charge = self.clone();
        for entry in later {
            match &entry.kind {
                EntryKind::Refunded { charge: of, cancelled, returned, swallowed, paid, .. } => {
                    if *of == charge.sequence {
                        charge.owed = charge.owed.checked_sub(*cancelled).unwrap_or_default();
                        let given = returned.iter().chain(swallowed).map(|t| t.amount).chain(paid.iter().map(|p| p.amount));
                        charge.give_back(total(given));
                    }
                    charge.take_payments(paid);
                }
                EntryKind::DebtPaid { paid } => charge.take_payments(paid),
                EntryKind::BatchAdded { .. }
                | EntryKind::Debit { .. }
                | EntryKind::Expired { .. }
                | EntryKind::Held { .. }
                | EntryKind::Settled { .. }
                | EntryKind::Released { .. }
                | EntryKind::TimedOut { .. }
                | EntryKind::Voided { .. }
                | EntryKind::AllowanceSet { .. } => {}
            }
        }
        charge
    }

    /// What can still be refunded: what it drew and was not given back, and what it owes.
    #[must_use]
    pub fn refundable(&self) -> NanoCredits {
        total(self.parts.iter().map(|p| p.amount).chain([self.owed]))
    }

    /// The batches it drew from.
    #[must_use]
    pub fn parts(&self) -> &[Taken] {
        &self.parts
    }

    /// The parts of an amount that goes back, last drawn first.
    pub(crate) fn last_drawn(&self, amount: NanoCredits) -> Vec<Taken> {
        let (mut back, mut rest) = (Vec::new(), amount);
        for part in self.parts.iter().rev() {
            let given = part.amount.min(rest);
            if given.is_zero() {
                break;
            }
            rest = rest.checked_sub(given).unwrap_or_default();
            back.push(Taken { batch: part.batch.clone(), amount: given });
        }
        back
    }

    fn give_back(&mut self, amount: NanoCredits) {
        let mut rest = amount;
        while let Some(last) = self.parts.last_mut().filter(|_| !rest.is_zero()) {
            let given = last.amount.min(rest);
            rest = rest.checked_sub(given).unwrap_or_default();
            last.amount = last.amount.checked_sub(given).unwrap_or_default();
            if last.amount.is_zero() {
                self.parts.pop();
            }
        }
    }

    fn take_payments(&mut self, paid: &[crate::entry::DebtPart]) {
        for part in paid.iter().filter(|part| part.charge == self.sequence) {
            self.owed = self.owed.checked_sub(part.amount).unwrap_or_default();
            self.parts.push(Taken { batch: part.batch.clone(), amount: part.amount });
        }
    }
}
