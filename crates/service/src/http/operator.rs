//! The operator's calls about accounts and their keys, and the test clock.

use super::failure::Failure;
use super::input::{Body, operator_only, path_id};
use super::openapi::{PathId, RefusedClock, RefusedOpening, RefusedRevocation};
use super::{Answer, AppState};
use crate::secret::{SecureKey, fresh_id};
use crate::store::Store;
use aispace_api::{AccountOpened, ErrorCode, OpenAccountRequest, TestClockRequest};
use aispace_ledger::AccountId;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

/// Opens an account.
#[utoipa::path(post, path = "/v1/accounts", operation_id = "openAccount", tag = "operator", security(("operator" = [])),
    request_body = OpenAccountRequest, responses((status = 201, description = "The account and its key.", body = AccountOpened), RefusedOpening))]
pub(crate) async fn open_account(
    State(shared): AppState,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<AccountOpened>), Failure> {
    operator_only(&shared, &headers).await?;
    let request: OpenAccountRequest = body.read()?;
    let (id, key, now) = (AccountId::new(fresh_id("ac")?), SecureKey::generate()?, shared.clock.now());
    let work = (id.clone(), request.label, key.hash(), now);
    let open = shared.store.write(work, |(id, label, key, now), tx| {
        Box::pin(async move {
            Store::open_account(tx, id, label.as_deref(), *now).await?;
            Store::add_key(tx, id, *key, *now).await
        })
    });
    open.await?;
    Ok((StatusCode::CREATED, Json(AccountOpened { account_id: id.to_string(), secure_key: key.seal() })))
}

/// Revokes every key of an account.
#[utoipa::path(post, path = "/v1/accounts/{id}/key/revoke", operation_id = "revokeKeys", tag = "operator", security(("operator" = [])), params(PathId),
    responses((status = 204, description = "No key of the account is valid."), RefusedRevocation))]
pub(crate) async fn revoke_key(
    State(shared): AppState,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Failure> {
    operator_only(&shared, &headers).await?;
    let id = AccountId::new(path_id(path, Failure::unknown_account)?);
    let revoke = shared.store.write((id, shared.clock.now()), |(id, now), tx| {
        Box::pin(async move {
            Store::account(tx, id).await?.ok_or_else(Failure::unknown_account)?;
            Ok::<_, Failure>(Store::revoke_keys(tx, id, *now).await?)
        })
    });
    revoke.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the clock; only with `--test-clock`.
#[utoipa::path(put, path = "/test/clock", operation_id = "setClock", tag = "service", security(()), request_body = TestClockRequest,
    responses((status = 200, description = "The time.", body = TestClockRequest), RefusedClock))]
pub(crate) async fn set_clock(State(shared): AppState, body: Body) -> Answer<TestClockRequest> {
    if !shared.clock.is_settable() {
        return Err(Failure::new(ErrorCode::NotFound, "there is nothing here"));
    }
    let request: TestClockRequest = body.read()?;
    shared.clock.set(request.at);
    // What falls due by itself may have fallen due.
    shared.store.announce();
    Ok(Json(TestClockRequest { at: Some(shared.clock.now()) }))
}
