//! The operator's calls about accounts and their keys, and the test clock.

use super::failure::Failure;
use super::input::{Body, operator_only};
use super::{Answer, AppState};
use crate::secret::{SecureKey, fresh_id};
use crate::store::Store;
use aispace_api::{AccountOpened, ErrorCode, OpenAccountRequest, TestClockRequest};
use aispace_ledger::AccountId;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

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

pub(crate) async fn set_clock(State(shared): AppState, body: Body) -> Answer<TestClockRequest> {
    if !shared.clock.is_settable() {
        return Err(Failure::new(ErrorCode::NotFound, "there is nothing here"));
    }
    let request: TestClockRequest = body.read()?;
    shared.clock.set(request.at);
    Ok(Json(TestClockRequest { at: Some(shared.clock.now()) }))
}
