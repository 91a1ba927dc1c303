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

pub(crate) async fn revoke_key(
    State(shared): AppState,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Failure> {
    operator_only(&shared, &headers).await?;
    let Path(id) = path.map_err(|_| Failure::unknown_account())?;
    let revoke = shared.store.write((AccountId::new(id), shared.clock.now()), |(id, now), tx| {
        Box::pin(async move {
            Store::account(tx, id).await?.ok_or_else(Failure::unknown_account)?;
            Ok::<_, Failure>(Store::revoke_keys(tx, id, *now).await?)
        })
    });
    revoke.await?;
    Ok(StatusCode::NO_CONTENT)
}

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
