//! What an account holds and what it used.

use super::failure::Failure;
use super::input::account_caller;
use super::openapi::RefusedAccount;
use super::{Answer, AppState};
use crate::metering::explanation;
use crate::secret::SecureKey;
use crate::store::{Store, Tx, ended_batches};
use aispace_api::{
    AccountAnswer, AccountOpened, BatchAnswer, BatchSource, BatchState, DebtAnswer, Explained, Explanation, HoldAnswer, RunDescription,
    UsageEntry, UsageKind,
};
use aispace_ledger::{AccountId, Batch, Debt, Entry, EntryKind, Hold, View};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};

const ENDED_BATCHES_MAX: u32 = 50;

/// What the account holds.
#[utoipa::path(get, path = "/v1/account", operation_id = "showAccount", tag = "account", security(("secureKey" = [])),
    responses((status = 200, description = "The account.", body = AccountAnswer), RefusedAccount))]
pub(crate) async fn account(State(shared): AppState, headers: HeaderMap) -> Answer<AccountAnswer> {
    let id = account_caller(&shared, &headers).await?;
    let answer = shared.store.read((id, shared.clock.now()), |(id, now), tx| Box::pin(look(tx, id, *now)));
    Ok(Json(answer.await?))
}

async fn look(tx: &mut Tx, id: &AccountId, now: DateTime<Utc>) -> Result<AccountAnswer, Failure> {
    let account = Store::account(tx, id).await?.ok_or_else(Failure::unknown_account)?;
    let view = account.view_at(now);
    // What the view changed stands for what is stored of it.
    let changed = u32::try_from(view.lapsed.len()).unwrap_or(u32::MAX);
    let unchanged = ended_batches(tx, id, ENDED_BATCHES_MAX.saturating_add(changed)).await?;
    let unchanged = unchanged.into_iter().filter(|stored| view.lapsed.iter().all(|changed| changed.id != stored.id));
    let mut others: Vec<Batch> = view.lapsed.iter().filter(|changed| !changed.is_live(view.at)).cloned().chain(unchanged).collect();
    others.sort_by_key(|b| std::cmp::Reverse((b.expires, b.seq)));
    others.truncate(usize::try_from(ENDED_BATCHES_MAX).unwrap_or(usize::MAX));
    Ok(account_answer(id.to_string(), view, &others))
}

fn account_answer(account_id: String, view: View, others: &[Batch]) -> AccountAnswer {
    AccountAnswer {
        account_id,
        server_time: view.at,
        available_credits: view.available,
        batches: view.live.iter().chain(others).map(|batch| batch_answer(batch, view.at)).collect(),
        held_credits: view.held,
        holds: view.holds.iter().map(hold_answer).collect(),
        debt_credits: view.debt,
        debts: view.debts.iter().map(|Debt { charge, open }| DebtAnswer { sequence: *charge, open_credits: *open }).collect(),
        allowance_credits_per_day: view.allowance.map(|allowance| allowance.amount),
        next_expiry: view.next_expiry,
        entry_count: view.entry_count,
    }
}

/// Answers a new Secure Key. Those before it stay valid until it is first used, so a lost answer locks nobody out.
#[utoipa::path(post, path = "/v1/account/key/rotate", operation_id = "rotateKey", tag = "account", security(("secureKey" = [])),
    responses((status = 201, description = "The new key.", body = AccountOpened), RefusedAccount))]
pub(crate) async fn rotate_key(State(shared): AppState, headers: HeaderMap) -> Result<(StatusCode, Json<AccountOpened>), Failure> {
    let id = account_caller(&shared, &headers).await?;
    let (key, now) = (SecureKey::generate()?, shared.clock.now());
    let work = (id.clone(), key.hash(), now);
    shared.store.write(work, |(id, key, now), tx| Box::pin(Store::rotate_key(tx, id, *key, *now))).await?;
    Ok((StatusCode::CREATED, Json(AccountOpened { account_id: id.to_string(), secure_key: key.seal() })))
}

fn batch_answer(batch: &Batch, at: DateTime<Utc>) -> BatchAnswer {
    let state = if batch.voided_at.is_some() {
        BatchState::Voided
    } else if batch.expires <= at {
        BatchState::Expired
    } else if batch.is_spent() {
        BatchState::Spent
    } else {
        BatchState::Live
    };
    BatchAnswer {
        batch_id: batch.id.to_string(),
        source: match batch.source {
            aispace_ledger::BatchSource::EthPurchase => BatchSource::EthPurchase,
            aispace_ledger::BatchSource::CardPurchase => BatchSource::CardPurchase,
            aispace_ledger::BatchSource::Grant => BatchSource::Grant,
            aispace_ledger::BatchSource::DailyRenewal => BatchSource::DailyRenewal,
        },
        note: batch.note.clone(),
        added: batch.added,
        expires: batch.expires,
        granted_credits: batch.granted,
        left_credits: batch.left,
        lapsed_credits: batch.lapsed,
        held_credits: batch.held,
        voided_credits: batch.voided,
        voided_at: batch.voided_at,
        state,
    }
}

fn hold_answer(hold: &Hold) -> HoldAnswer {
    HoldAnswer {
        hold_id: hold.id.to_string(),
        made: hold.made,
        expires: hold.expires,
        held_credits: hold.amount(),
        run: hold.memo.as_deref().and_then(run),
    }
}

fn run(memo: &str) -> Option<RunDescription> {
    serde_json::from_str(memo).ok()
}

/// A settlement that describes nothing keeps the description of its hold, whose explanation is not why it was charged.
fn explained(memo: Option<&str>, of: Explained) -> Option<Box<Explanation>> {
    memo.and_then(explanation).filter(|explanation| explanation.of == of).map(Box::new)
}

pub(super) fn usage_entry(entry: Entry) -> UsageEntry {
    let kind = &entry.kind;
    let mut line = UsageEntry {
        entry_id: entry.id().to_string(),
        sequence: entry.sequence,
        at: entry.at,
        kind: UsageKind::Unknown,
        change_credits: kind.change(),
        run: None,
        held_change_credits: kind.held_change(),
        debt_change_credits: kind.debt_change(),
        hold_id: None,
        charge_sequence: None,
        note: None,
        explanation: None,
    };
    line.kind = match entry.kind {
        EntryKind::BatchAdded { .. } => UsageKind::BatchAdded,
        EntryKind::Debit { memo, .. } => {
            line.run = memo.as_deref().and_then(run);
            line.explanation = explained(memo.as_deref(), Explained::Charge);
            UsageKind::Debit
        }
        EntryKind::Expired { .. } => UsageKind::Expired,
        EntryKind::Held { hold, memo, .. } => {
            (line.hold_id, line.run) = (Some(hold.to_string()), memo.as_deref().and_then(run));
            line.explanation = explained(memo.as_deref(), Explained::Hold);
            UsageKind::Held
        }
        EntryKind::Settled { hold, memo, .. } => {
            (line.hold_id, line.run) = (Some(hold.to_string()), memo.as_deref().and_then(run));
            line.explanation = explained(memo.as_deref(), Explained::Charge);
            UsageKind::Settled
        }
        EntryKind::Released { hold, .. } => {
            line.hold_id = Some(hold.to_string());
            UsageKind::Released
        }
        EntryKind::TimedOut { hold, .. } => {
            line.hold_id = Some(hold.to_string());
            UsageKind::TimedOut
        }
        EntryKind::Voided { .. } => UsageKind::Voided,
        EntryKind::Refunded { charge, memo, .. } => {
            (line.charge_sequence, line.note) = (Some(charge), memo);
            UsageKind::Refunded
        }
        EntryKind::DebtPaid { .. } => UsageKind::DebtPaid,
        EntryKind::AllowanceSet { .. } => UsageKind::AllowanceSet,
    };
    line
}
