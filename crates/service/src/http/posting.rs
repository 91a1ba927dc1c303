//! The calls that post to an account: the operator's and the gateway's.

use super::failure::Failure;
use super::input::{Body, idempotency_key, operator_only, path_id, replayed};
use super::metered::{Cost, Costed, costed};
use super::openapi::{
    IdempotencyKey, PathId, RefusedAllowance, RefusedDebit, RefusedGrant, RefusedHold, RefusedRefund, RefusedRelease, RefusedSettlement,
    RefusedVoid,
};
use super::{AppState, Shared};
use crate::clock::ServiceClock;
use crate::metering;
use crate::secret::fresh_id;
use crate::store::{KeptAnswer, RequestHash, Scope, Store, Tx, keep, recall};
use aispace_api::{
    AllowanceRequest, DebitRequest, ErrorCode, GrantRequest, HoldRequest, MeteredRun, PostedAnswer, RefundRequest, ReleaseRequest,
    SettleRequest, VoidRequest,
};
use aispace_ledger::{Account, AccountId, BatchId, BatchSource, EntryKind, HoldId, NewBatch, NewHold, Posted, Refusal};
use aispace_units::NanoCredits;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;

type Outcome = Result<KeptAnswer, Failure>;
type IdInPath = Result<Path<String>, PathRejection>;

/// Posts a batch.
#[utoipa::path(post, path = "/v1/grants", operation_id = "grant", tag = "operator", security(("operator" = [])), params(IdempotencyKey),
    request_body = GrantRequest, responses((status = 201, description = "The batch.", body = PostedAnswer), RefusedGrant))]
pub(crate) async fn grant(State(shared): AppState, headers: HeaderMap, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/grants").await?;
    let request: GrantRequest = body.amount::<NanoCredits>("credits")?.read()?;
    let batch = NewBatch {
        id: BatchId::new(fresh_id("ba")?),
        source: BatchSource::Grant,
        note: request.note.clone(),
        amount: request.credits,
        expires: request.expires,
    };
    call.post(&shared, &request.account_id, &request, Act::Grant(batch)).await
}

/// Charges a run.
#[utoipa::path(post, path = "/v1/debits", operation_id = "debit", tag = "gateway", security(("operator" = [])), params(IdempotencyKey),
    request_body = DebitRequest, responses((status = 201, description = "The charge.", body = PostedAnswer), RefusedDebit))]
pub(crate) async fn debit(State(shared): AppState, headers: HeaderMap, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/debits").await?;
    let request: DebitRequest = body.amount::<NanoCredits>("credits")?.field::<MeteredRun>("metered")?.read()?;
    let act = Act::Debit(costed(
        &shared.rates,
        &shared.clock,
        request.credits,
        request.run.as_ref(),
        request.metered.as_deref(),
        metering::charge,
    ));
    call.post(&shared, &request.account_id, &request, act).await
}

/// Reserves credits for a run.
#[utoipa::path(post, path = "/v1/holds", operation_id = "hold", tag = "gateway", security(("operator" = [])), params(IdempotencyKey),
    request_body = HoldRequest, responses((status = 201, description = "The hold.", body = PostedAnswer), RefusedHold))]
pub(crate) async fn hold(State(shared): AppState, headers: HeaderMap, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/holds").await?;
    let request: HoldRequest = body.amount::<NanoCredits>("credits")?.field::<MeteredRun>("metered")?.read()?;
    let cost = costed(&shared.rates, &shared.clock, request.credits, request.run.as_ref(), request.metered.as_deref(), metering::hold);
    let act = Act::Hold { id: HoldId::new(fresh_id("ho")?), expires: request.expires, cost };
    call.post(&shared, &request.account_id, &request, act).await
}

/// Charges the run that a hold was for.
#[utoipa::path(post, path = "/v1/holds/{id}/settle", operation_id = "settle", tag = "gateway", security(("operator" = [])), params(PathId, IdempotencyKey),
    request_body = SettleRequest, responses((status = 201, description = "The charge.", body = PostedAnswer), RefusedSettlement))]
pub(crate) async fn settle(State(shared): AppState, headers: HeaderMap, path: IdInPath, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/holds/{id}/settle").await?;
    let hold = HoldId::new(path_id(path, unknown_hold)?);
    let request: SettleRequest = body.amount::<NanoCredits>("credits")?.field::<MeteredRun>("metered")?.read()?;
    let cost = costed(&shared.rates, &shared.clock, request.credits, request.run.as_ref(), request.metered.as_deref(), metering::charge);
    let act = Act::Settle { hold: hold.clone(), cost };
    call.post(&shared, &request.account_id, &(&hold, &request), act).await
}

/// Ends a hold without a charge.
#[utoipa::path(post, path = "/v1/holds/{id}/release", operation_id = "release", tag = "gateway", security(("operator" = [])), params(PathId, IdempotencyKey),
    request_body = ReleaseRequest, responses((status = 201, description = "What is free again.", body = PostedAnswer), RefusedRelease))]
pub(crate) async fn release(State(shared): AppState, headers: HeaderMap, path: IdInPath, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/holds/{id}/release").await?;
    let hold = HoldId::new(path_id(path, unknown_hold)?);
    let request: ReleaseRequest = body.read()?;
    call.post(&shared, &request.account_id, &(&hold, &request), Act::Release { hold: hold.clone() }).await
}

/// Gives a charge back, in part or whole.
#[utoipa::path(post, path = "/v1/refunds", operation_id = "refund", tag = "gateway", security(("operator" = [])), params(IdempotencyKey),
    request_body = RefundRequest, responses((status = 201, description = "The refund.", body = PostedAnswer), RefusedRefund))]
pub(crate) async fn refund(State(shared): AppState, headers: HeaderMap, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/refunds").await?;
    let request: RefundRequest = body.amount::<NanoCredits>("credits")?.read()?;
    let act = Act::Refund { sequence: request.sequence, amount: request.credits, memo: request.note.clone() };
    call.post(&shared, &request.account_id, &request, act).await
}

/// Takes the rest of a batch away.
#[utoipa::path(post, path = "/v1/batches/{id}/void", operation_id = "voidBatch", tag = "operator", security(("operator" = [])), params(PathId, IdempotencyKey),
    request_body = VoidRequest, responses((status = 201, description = "What is left.", body = PostedAnswer), RefusedVoid))]
pub(crate) async fn void(State(shared): AppState, headers: HeaderMap, path: IdInPath, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "POST /v1/batches/{id}/void").await?;
    let batch = BatchId::new(path_id(path, unknown_batch)?);
    let request: VoidRequest = body.read()?;
    call.post(&shared, &request.account_id, &(&batch, &request), Act::Void { batch: batch.clone() }).await
}

/// Sets the daily allowance: a batch at every UTC midnight.
#[utoipa::path(put, path = "/v1/accounts/{id}/allowance", operation_id = "setAllowance", tag = "operator", security(("operator" = [])), params(PathId, IdempotencyKey),
    request_body = AllowanceRequest, responses((status = 200, description = "The allowance is set.", body = PostedAnswer), RefusedAllowance))]
pub(crate) async fn set_allowance(State(shared): AppState, headers: HeaderMap, path: IdInPath, body: Body) -> Outcome {
    let call = Call::read(&shared, &headers, "PUT /v1/accounts/{id}/allowance").await?;
    let account = path_id(path, Failure::unknown_account)?;
    let request: AllowanceRequest = body.amount::<NanoCredits>("credits")?.read()?;
    let call = Call { status: StatusCode::OK, ..call };
    call.post(&shared, &account, &request, Act::Allow(request.credits)).await
}

fn unknown_hold() -> Failure {
    Failure::new(ErrorCode::UnknownHold, "there is no hold of this id")
}

fn unknown_batch() -> Failure {
    Failure::new(ErrorCode::UnknownBatch, "there is no batch of this id")
}

/// What is asked of the ledger.
pub(crate) enum Act {
    Grant(NewBatch),
    Debit(Costed),
    Hold { id: HoldId, expires: Option<DateTime<Utc>>, cost: Costed },
    Settle { hold: HoldId, cost: Costed },
    Release { hold: HoldId },
    Void { batch: BatchId },
    Refund { sequence: u64, amount: NanoCredits, memo: Option<String> },
    Allow(NanoCredits),
}

impl Act {
    /// Asks the ledger, with what it does not keep of things that have ended.
    async fn ask(&self, tx: &mut Tx, account: &mut Account, now: DateTime<Utc>, posted: &mut Posted) -> Result<(), Failure> {
        let id = account.id().clone();
        match self {
            Self::Grant(batch) => account.post_grant(now, batch.clone(), posted)?,
            Self::Debit(cost) => {
                let Cost { amount, memo, .. } = cost.clone()?;
                account.post_debit(now, amount, memo, posted)?;
            }
            Self::Hold { id, expires, cost } => {
                let Cost { amount, memo, .. } = cost.clone()?;
                account.post_hold(now, NewHold { id: id.clone(), amount, expires: *expires, memo }, posted)?;
            }
            Self::Settle { hold, cost } => {
                let Cost { amount, memo, .. } = cost.clone()?;
                let closed = Store::closed_hold(tx, &id, hold).await?;
                account.post_settle(now, hold, amount, memo, closed, posted)?;
            }
            Self::Release { hold } => {
                let closed = Store::closed_hold(tx, &id, hold).await?;
                account.post_release(now, hold, closed, posted)?;
            }
            Self::Void { batch } => {
                let stored = Store::batch(tx, &id, batch).await?;
                account.post_void(now, batch, stored.as_ref(), posted)?;
            }
            Self::Refund { sequence, amount, memo } => {
                let sequence = *sequence;
                let charge = Store::charge(tx, &id, sequence).await?.ok_or(Refusal::UnknownEntry { sequence })?;
                let mut stored = Vec::new();
                for part in charge.parts() {
                    stored.extend(Store::batch(tx, &id, &part.batch).await?);
                }
                account.post_refund(now, &charge, *amount, memo.clone(), &stored, posted)?;
            }
            Self::Allow(amount) => account.post_allowance(now, *amount, posted)?,
        }
        Ok(())
    }

    /// What a metered run came to.
    fn metered(&self) -> Option<NanoCredits> {
        match self {
            Self::Debit(cost) | Self::Hold { cost, .. } | Self::Settle { cost, .. } => {
                cost.as_ref().ok().filter(|cost| cost.is_metered).map(|cost| cost.amount)
            }
            Self::Grant(_) | Self::Release { .. } | Self::Void { .. } | Self::Refund { .. } | Self::Allow(_) => None,
        }
    }
}

/// A call by the operator under its idempotency key.
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) key: String,
    pub(crate) status: StatusCode,
}

impl Call {
    async fn read(shared: &Shared, headers: &HeaderMap, operation: &'static str) -> Result<Self, Failure> {
        operator_only(shared, headers).await?;
        Ok(Self { operation, key: idempotency_key(headers)?, status: StatusCode::CREATED })
    }

    /// Posts to one account, once per idempotency key. `request` is what a repetition must be equal to.
    async fn post(self, shared: &Shared, account: &str, request: &(impl Serialize + Sync), act: Act) -> Outcome {
        self.post_to(&shared.store, &shared.clock, account, request, act).await
    }

    pub(crate) async fn post_to(
        self,
        store: &Store,
        clock: &Arc<ServiceClock>,
        account: &str,
        request: &(impl Serialize + Sync),
        act: Act,
    ) -> Outcome {
        let hash = RequestHash::of(self.operation, request);
        let work = PostingWork { call: self, account: AccountId::new(account), hash, act, clock: clock.clone() };
        store.write(work, |work, tx| Box::pin(work.post(tx))).await
    }
}

/// A posting that waits for its turn.
struct PostingWork {
    call: Call,
    account: AccountId,
    hash: RequestHash,
    act: Act,
    clock: Arc<ServiceClock>,
}

impl PostingWork {
    /// Everything that the posting changes, and the answer, in one transaction.
    async fn post(&self, tx: &mut Tx) -> Outcome {
        let mut account = Store::account(tx, &self.account).await?.ok_or_else(Failure::unknown_account)?;
        let scope = Scope::account(self.account.as_str());
        if let Some(kept) = replayed(recall(tx, &scope, &self.call.key, self.hash).await?)? {
            return Ok(kept);
        }
        let (now, before, mut posted) = (self.clock.now(), account.head(), Posted::new());
        self.act.ask(tx, &mut account, now, &mut posted).await?;
        let answer = KeptAnswer::new(self.call.status, &posted_answer(&account, &posted, self.act.metered(), now))?;
        Store::save(tx, before, account, &posted).await?;
        keep(tx, &scope, &self.call.key, self.hash, &answer, now).await?;
        Ok(answer)
    }
}

fn posted_answer(account: &Account, posted: &Posted, metered_credits: Option<NanoCredits>, now: DateTime<Utc>) -> PostedAnswer {
    let balance = account.balance_at(now);
    let own = posted.own_entry();
    let (batch_id, hold_id) = match own.map(|entry| &entry.kind) {
        Some(EntryKind::BatchAdded { batch, .. } | EntryKind::Voided { batch, .. }) => (Some(batch.to_string()), None),
        Some(EntryKind::Held { hold, .. } | EntryKind::Settled { hold, .. } | EntryKind::Released { hold, .. }) => {
            (None, Some(hold.to_string()))
        }
        Some(
            EntryKind::Debit { .. }
            | EntryKind::Expired { .. }
            | EntryKind::TimedOut { .. }
            | EntryKind::Refunded { .. }
            | EntryKind::DebtPaid { .. }
            | EntryKind::AllowanceSet { .. },
        )
        | None => (None, None),
    };
    PostedAnswer {
        account_id: account.id().to_string(),
        entry_id: own.map(|entry| entry.id().to_string()).unwrap_or_default(),
        sequence: own.map(|entry| entry.sequence).unwrap_or_default(),
        batch_id,
        hold_id,
        metered_credits,
        available_credits: balance.available,
        held_credits: balance.held,
        debt_credits: balance.debt,
        server_time: balance.at,
    }
}
