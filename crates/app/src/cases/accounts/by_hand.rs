//! An account without a key: its batches are typed in, or read from a table.

use super::typed::{self, Checked};
use crate::{
    Wallet,
    record::KnownAccount,
    roster::{self, AccountKind, LABEL_CHARS_MAX, LocalId},
    state::Session,
    view::{AppErrorCode, AppView, ErrorView, TypedBatch, TypedBatchesView},
};
use aispace_api::{AccountAnswer, BatchAnswer, BatchSource, BatchState};
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use uuid::Uuid;

impl Wallet {
    /// Checks typed batches; keeps nothing.
    #[must_use]
    pub fn check_batches(&self, batches: Vec<TypedBatch>) -> TypedBatchesView {
        typed::view(&typed::check(&batches))
    }

    /// Reads batches from a table with a header; keeps nothing.
    #[must_use]
    pub fn read_batches(&self, table: String) -> TypedBatchesView {
        typed::view(&typed::read(&table))
    }

    /// The batches of an account that was typed in, as they can be edited.
    ///
    /// # Errors
    /// There is no such account, or a key opens it.
    pub fn typed_batches(&self, account: String) -> Result<Vec<TypedBatch>, ErrorView> {
        let id = self.by_hand_called(&account)?;
        let state = self.state();
        let batches = state.seen(&id).and_then(|(_, known, _)| known).map(|known| known.answer.batches.as_slice()).unwrap_or_default();
        Ok(batches.iter().map(typed::of_batch).collect())
    }

    /// Keeps typed batches, as a new account or in the place of an account's batches of before; all of them or none.
    ///
    /// # Errors
    /// A batch or the name is wrong, there is no such account, or the store cannot be written.
    pub async fn keep_batches(&self, account: Option<String>, label: String, batches: Vec<TypedBatch>) -> Result<AppView, ErrorView> {
        let label = roster::label(&label).map_err(|_| ErrorView::of(AppErrorCode::LabelRefused).with("most", LABEL_CHARS_MAX))?;
        let checked = typed::check(&batches);
        if !checked.faults.is_empty() || checked.batches.is_empty() {
            return Err(ErrorView::of(AppErrorCode::BatchesRefused).with("count", checked.faults.len()));
        }
        let given = account.map(|account| self.by_hand_called(&account)).transpose()?;
        let _turn = self.inner.session_turn.lock().await;
        let id = given.unwrap_or_else(|| LocalId::further(Uuid::new_v4()));
        let now = self.corrected_now();
        let known = known(&id, &checked, now)?;
        let mut roster = self.state().roster.clone();
        roster.add(&id, AccountKind::ByHand, Some(now));
        for entry in roster.accounts.iter_mut().filter(|entry| entry.id == id) {
            (entry.label, entry.since) = (label.clone(), Some(now));
        }
        self.inner.store.keep_roster(&roster, Some((&id, Some(&known)))).await?;
        self.change(|state| {
            state.add_account(&id, AccountKind::ByHand, Some(now));
            state.roster = roster;
            if let Some(place) = state.place(&id) {
                *place.session = Session::ByHand;
                place.connection.last_sync = Some(now);
                *place.known = Some(known);
            }
        });
        self.answer()
    }

    fn by_hand_called(&self, account: &str) -> Result<LocalId, ErrorView> {
        let id = self.account_called(account)?;
        let by_hand = self.state().roster.entry(&id).is_some_and(|entry| entry.kind == AccountKind::ByHand);
        if by_hand { Ok(id) } else { Err(ErrorView::of(AppErrorCode::AccountUnknown)) }
    }
}

/// Typed batches as if a service had said them: what draws and forecasts an account needs no more.
fn known(id: &LocalId, checked: &Checked, now: DateTime<Utc>) -> Result<KnownAccount, ErrorView> {
    let mut batches: Vec<BatchAnswer> = checked.batches.iter().zip(1u32..).map(|(batch, number)| answer(id, batch, number)).collect();
    // The ledger's order of drawing: what was added first, then what ends first, then as typed.
    batches.sort_by_key(|batch| (batch.added, batch.expires));
    let free = batches.iter().filter(|batch| batch.added <= now && batch.expires > now).map(|batch| batch.left_credits);
    let available = free.clone().try_fold(NanoCredits::ZERO, NanoCredits::checked_add);
    let answer = AccountAnswer {
        account_id: format!("by-hand-{}", id.as_str()),
        server_time: now,
        available_credits: available.ok_or_else(|| ErrorView::of(AppErrorCode::BatchesRefused).with("count", 0))?,
        next_expiry: batches.iter().filter(|b| b.expires > now && !b.left_credits.is_zero()).map(|b| b.expires).min(),
        batches,
        held_credits: NanoCredits::ZERO,
        holds: Vec::new(),
        debt_credits: NanoCredits::ZERO,
        debts: Vec::new(),
        allowance_credits_per_day: None,
        entry_count: 0,
    };
    Ok(KnownAccount { answer, usage: Vec::new(), clock_offset_ms: 0 })
}

fn answer(id: &LocalId, batch: &typed::Batch, number: u32) -> BatchAnswer {
    BatchAnswer {
        batch_id: format!("{}-{number}", id.as_str()),
        source: BatchSource::Grant,
        note: batch.note.clone(),
        added: batch.added,
        expires: batch.expires,
        granted_credits: batch.granted,
        left_credits: batch.left,
        lapsed_credits: NanoCredits::ZERO,
        held_credits: NanoCredits::ZERO,
        voided_credits: NanoCredits::ZERO,
        voided_at: None,
        state: BatchState::Live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{account_view, ended};
    use aispace_pricing::RateCard;

    #[test]
    fn typed_batches_are_drawn_like_any_other() {
        let typed = |granted: &str, left: &str, added: &str| TypedBatch {
            granted_credits: granted.into(),
            left_credits: left.into(),
            added: added.into(),
            ..TypedBatch::default()
        };
        let checked = typed::check(&[typed("6400", "", "2026-11-10"), typed("100", "30.5", "2026-11-01"), typed("7", "", "2026-10-01")]);
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let known = known(&LocalId::parse("0a1b2c3d4e5f").unwrap(), &checked, now).unwrap();
        let view = account_view(&known, &RateCard::aispace().unwrap(), true, now);
        assert_eq!((view.available_credits.as_str(), view.at_most), ("6430.5", false));
        assert_eq!(view.batches.iter().map(|b| b.left_credits.as_str()).collect::<Vec<_>>(), ["30.5", "6400"]);
        let next = view.next_end.unwrap();
        assert_eq!((next.left_credits.as_str(), next.expires.as_str()), ("30.5", "2026-12-01T00:00:00.000Z"));
        let ended = ended(&known, 0, 10, now).batches;
        assert_eq!((ended.len(), ended[0].left_credits.as_str(), view.terrace.slabs.len()), (1, "7", 2));
        assert_eq!(known.answer.batches.iter().map(typed::of_batch).nth(1).unwrap().left_credits, "30.5");
    }
}
