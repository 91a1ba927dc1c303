//! The operator's and the gateway's calls.

use super::failure::Failure;
use super::input::{Body, idempotency_key, operator_only, replayed};
use super::{Answer, AppState, Shared};
use crate::secret::{SecureKey, fresh_id};
use crate::store::{KeptAnswer, RequestHash, Scope, Store, keep, recall};
use aispace_api::{AccountOpened, DebitRequest, ErrorCode, GrantRequest, OpenAccountRequest, PostedAnswer, TestClockRequest};
use aispace_ledger::{Account, AccountId, BatchId, BatchSource, NewBatch, Posting, Refusal};
use aispace_units::NanoCredits;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;

pub(crate) async fn open_account(
    State(shared): AppState,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<AccountOpened>), Failure> {
    operator_only(&shared, &headers).await?;
    let request: OpenAccountRequest = body.read()?;
    let (id, key, now) = (AccountId::new(fresh_id("ac")?), SecureKey::generate()?, shared.clock.now());
    let mut tx = shared.store.write().await?;
    Store::open_account(&mut tx, &id, request.label.as_deref(), now).await?;
    Store::add_key(&mut tx, &id, key.hash(), now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(AccountOpened { account_id: id.to_string(), secure_key: key.seal() })))
}

pub(crate) async fn revoke_key(
    State(shared): AppState,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Failure> {
    operator_only(&shared, &headers).await?;
    let Path(id) = path.map_err(|_| Failure::unknown_account())?;
    let id = AccountId::new(id);
    let mut tx = shared.store.write().await?;
    Store::account(&mut tx, &id).await?.ok_or_else(Failure::unknown_account)?;
    Store::revoke_keys(&mut tx, &id, shared.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn grant(State(shared): AppState, headers: HeaderMap, body: Body) -> Result<KeptAnswer, Failure> {
    operator_only(&shared, &headers).await?;
    let key = idempotency_key(&headers)?;
    let request: GrantRequest = body.amount::<NanoCredits>("credits")?.read()?;
    let batch_id = fresh_id("ba")?;
    let batch = NewBatch {
        id: BatchId::new(&batch_id),
        source: BatchSource::Grant,
        note: request.note.clone(),
        amount: request.credits,
        expires: request.expires,
    };
    let call = Call { operation: "POST /v1/grants", key, account: AccountId::new(&request.account_id), batch_id: Some(batch_id) };
    post(&shared, call, &request, |account, now| account.grant(now, batch)).await
}

pub(crate) async fn debit(State(shared): AppState, headers: HeaderMap, body: Body) -> Result<KeptAnswer, Failure> {
    operator_only(&shared, &headers).await?;
    let key = idempotency_key(&headers)?;
    let request: DebitRequest = body.amount::<NanoCredits>("credits")?.read()?;
    let memo = request.run.as_ref().map(serde_json::to_string).transpose().map_err(|error| Failure::internal(&error))?;
    let call = Call { operation: "POST /v1/debits", key, account: AccountId::new(&request.account_id), batch_id: None };
    post(&shared, call, &request, |account, now| account.debit(now, request.credits, memo)).await
}

struct Call {
    operation: &'static str,
    key: String,
    account: AccountId,
    batch_id: Option<String>,
}

/// Posts to one account, once per idempotency key: entries, batches, head and answer in one transaction.
async fn post(
    shared: &Shared,
    call: Call,
    request: &impl Serialize,
    act: impl FnOnce(&Account, DateTime<Utc>) -> Result<Posting, Refusal>,
) -> Result<KeptAnswer, Failure> {
    let (scope, hash) = (Scope::account(call.account.as_str()), RequestHash::of(call.operation, request));
    let mut tx = shared.store.write().await?;
    let account = Store::account(&mut tx, &call.account).await?.ok_or_else(Failure::unknown_account)?;
    if let Some(kept) = replayed(recall(&mut tx, &scope, &call.key, hash).await?)? {
        return Ok(kept);
    }
    let now = shared.clock.now();
    let posting = act(&account, now)?;
    Store::save(&mut tx, account.head(), &posting).await?;
    let view = posting.account.view_at(now);
    let answer = PostedAnswer {
        account_id: call.account.to_string(),
        entry_id: posting.own_entry().map(|entry| entry.id().to_string()).unwrap_or_default(),
        batch_id: call.batch_id,
        available_credits: view.available,
        server_time: view.at,
    };
    let kept = KeptAnswer::new(StatusCode::CREATED, &answer)?;
    keep(&mut tx, &scope, &call.key, hash, &kept, now).await?;
    tx.commit().await?;
    Ok(kept)
}

pub(crate) async fn set_clock(State(shared): AppState, body: Body) -> Answer<TestClockRequest> {
    if !shared.clock.is_settable() {
        return Err(Failure::new(ErrorCode::NotFound, "there is nothing here"));
    }
    let request: TestClockRequest = body.read()?;
    shared.clock.set(request.at);
    Ok(Json(TestClockRequest { at: Some(shared.clock.now()) }))
}
