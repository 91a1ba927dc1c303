//! What an account holds and what it used.

use super::failure::Failure;
use super::input::account_caller;
use super::{Answer, AppState};
use crate::store::{Store, ended_batches};
use aispace_api::{AccountAnswer, BatchAnswer, BatchSource, BatchState, RunDescription, UsageAnswer, UsageEntry, UsageKind};
use aispace_ledger::{Batch, Entry, EntryKind};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::Deserialize;

const ENDED_BATCHES_MAX: u32 = 50;
const PAGE_ENTRIES: usize = 50;
const PAGE_ENTRIES_MAX: usize = 200;

pub(crate) async fn account(State(shared): AppState, headers: HeaderMap) -> Answer<AccountAnswer> {
    let id = account_caller(&shared, &headers).await?;
    let mut tx = shared.store.read().await?;
    let account = Store::account(&mut tx, &id).await?.ok_or_else(Failure::unknown_account)?;
    let view = account.view_at(shared.clock.now());
    let mut ended = view.lapsed;
    ended.extend(ended_batches(&mut tx, &id, ENDED_BATCHES_MAX).await?);
    ended.sort_by_key(|b| std::cmp::Reverse((b.expires, b.seq)));
    ended.truncate(usize::try_from(ENDED_BATCHES_MAX).unwrap_or(usize::MAX));
    Ok(Json(AccountAnswer {
        account_id: id.to_string(),
        server_time: view.at,
        available_credits: view.available,
        batches: view.live.iter().chain(&ended).map(|batch| batch_answer(batch, view.at)).collect(),
        next_expiry: view.next_expiry,
        entry_count: view.entry_count,
    }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct PageQuery {
    cursor: Option<u64>,
    limit: Option<usize>,
}

pub(crate) async fn usage(
    State(shared): AppState,
    headers: HeaderMap,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Answer<UsageAnswer> {
    let id = account_caller(&shared, &headers).await?;
    let Query(PageQuery { cursor, limit }) = page.map_err(|_| Failure::invalid("cursor is one of next_cursor, limit a whole number"))?;
    let limit = limit.unwrap_or(PAGE_ENTRIES);
    if !(1..=PAGE_ENTRIES_MAX).contains(&limit) {
        return Err(Failure::invalid(format!("limit is 1 to {PAGE_ENTRIES_MAX}")));
    }
    let before = cursor.unwrap_or(u64::MAX);
    let mut tx = shared.store.read().await?;
    let account = Store::account(&mut tx, &id).await?.ok_or_else(Failure::unknown_account)?;
    let view = account.view_at(shared.clock.now());
    let stored = Store::usage(&mut tx, &id, before, limit).await?;
    // Expiries that are due count before any write has posted them: a read may not depend on one.
    let mut entries: Vec<Entry> = view.due.into_iter().rev().filter(|entry| entry.sequence < before).chain(stored.entries).collect();
    let more = stored.more || entries.len() > limit;
    entries.truncate(limit);
    let next_cursor = if more { entries.last().map(|entry| entry.sequence.to_string()) } else { None };
    Ok(Json(UsageAnswer { server_time: view.at, entries: entries.into_iter().map(usage_entry).collect(), next_cursor }))
}

fn batch_answer(batch: &Batch, at: DateTime<Utc>) -> BatchAnswer {
    let state = if batch.expires <= at {
        BatchState::Expired
    } else if batch.left.is_zero() {
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
        state,
    }
}

fn usage_entry(entry: Entry) -> UsageEntry {
    let (entry_id, change_credits) = (entry.id().to_string(), entry.kind.change());
    let (kind, memo) = match entry.kind {
        EntryKind::BatchAdded { .. } => (UsageKind::BatchAdded, None),
        EntryKind::Debit { memo, .. } => (UsageKind::Debit, memo),
        EntryKind::Expired { .. } => (UsageKind::Expired, None),
    };
    let run = memo.and_then(|text| serde_json::from_str::<RunDescription>(&text).ok());
    UsageEntry { entry_id, sequence: entry.sequence, at: entry.at, kind, change_credits, run }
}
