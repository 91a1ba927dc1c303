//! Claims by hash: whoever paid without a tag signs for which order it was.

use super::failure::Failure;
use super::input::Body;
use super::openapi::RefusedHashClaim;
use super::orders::order_answer;
use super::{Answer, AppState, Shared};
use crate::crediting::settle;
use crate::store::{PaymentKey, PaymentState, Store, StoredPayment, Tx};
use aispace_api::{Attribution, ErrorCode, HashClaimRequest, HeldReason, OrderAnswer, WaitsFor};
use aispace_payments::claim::{ClaimError, ClaimSignature, PaymentClaim};
use aispace_payments::{EthAddress, TransactionHash};
use aispace_units::Wei;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How far ahead a claim's deadline may be.
const DEADLINE_MAX: TimeDelta = TimeDelta::hours(1);

/// Assigns a payment to an order by its payer's signature. The same claim again changes nothing.
#[utoipa::path(post, path = "/v1/claims", operation_id = "claimByHash", tag = "orders", security(()), request_body = HashClaimRequest,
    responses((status = 200, description = "The order, with the payment.", body = OrderAnswer), RefusedHashClaim))]
pub(crate) async fn claim(State(shared): AppState, body: Body) -> Answer<OrderAnswer> {
    let claim = HashClaim::read(&body.read()?, shared.clock.now())?;
    let found = shared.store.read((claim.clone(), shared.clone()), |(claim, shared), tx| Box::pin(claim.find(tx, shared))).await?;
    let (payer, value) = match found {
        Found::Done(answer) => return Ok(Json(*answer)),
        Found::Claimable { payer, value } => (payer, value),
    };
    let chain = shared.chain.as_ref().ok_or_else(|| Failure::new(ErrorCode::ChainUnavailable, "the chain is not read here"))?;
    let signed = PaymentClaim::new(claim.transaction, &claim.order_id, value, claim.deadline);
    chain.verify_claim(&signed, &claim.signature, payer, shared.clock.now()).await.map_err(refused)?;
    let work = Claiming { claim, payer: payer.to_string(), shared: shared.clone() };
    shared.store.write(work, |work, tx| Box::pin(work.claim(tx))).await.map(Json)
}

/// What is claimed, read.
#[derive(Clone)]
struct HashClaim {
    order_id: String,
    transaction: TransactionHash,
    deadline: DateTime<Utc>,
    signature: ClaimSignature,
    payer: Option<EthAddress>,
}

enum Found {
    /// It was claimed before.
    Done(Box<OrderAnswer>),
    /// What the payer has to have signed.
    Claimable { payer: EthAddress, value: Wei },
}

impl HashClaim {
    fn read(request: &HashClaimRequest, now: DateTime<Utc>) -> Result<Self, Failure> {
        let invalid = |field: &str, reason: String| Failure::invalid(format!("{field}: {reason}")).with("field", field);
        let transaction = request.transaction_hash.parse();
        let transaction = transaction.map_err(|error: aispace_payments::PrimitiveError| invalid("transaction_hash", error.to_string()))?;
        let signature = request.signature.parse().map_err(|error: ClaimError| invalid("signature", error.to_string()))?;
        // It only chooses among those who paid, so its casing says nothing.
        let read = |text: &String| {
            let mut bytes = [0; 20];
            hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes).map(|()| EthAddress::from_bytes(bytes))
        };
        let payer = request.payer.as_ref().map(read).transpose().map_err(|error| invalid("payer", error.to_string()))?;
        let deadline = request.deadline;
        if deadline <= now || now.checked_add_signed(DEADLINE_MAX).is_some_and(|most| deadline > most) {
            let message = "the claim's deadline has passed or is more than an hour ahead: sign a new claim";
            return Err(Failure::new(ErrorCode::ClaimExpired, message));
        }
        Ok(Self { order_id: request.order_id.clone(), transaction, deadline, signature, payer })
    }

    async fn find(&self, tx: &mut Tx, shared: &Shared) -> Result<Found, Failure> {
        let stored = Store::order(tx, &self.order_id).await?.ok_or_else(Failure::unknown_order)?;
        let mut seen = Store::payments_of(tx, self.transaction).await?;
        seen.retain(|payment| payment.in_chain);
        if seen.is_empty() {
            return Err(unknown_payment());
        }
        let payer = self.payer_of(&seen)?;
        let own: Vec<StoredPayment> =
            seen.into_iter().filter(|payment| payment.arrival.payer.as_ref() == Some(&payer.to_string())).collect();
        let claimed = |payment: &StoredPayment| payment.owner.as_ref() == Some(&(self.order_id.clone(), Attribution::HashClaim));
        if own.iter().any(claimed) {
            return Ok(Found::Done(Box::new(order_answer(tx, shared, &stored).await?)));
        }
        let value =
            own.iter().filter(|payment| is_claimable(payment)).try_fold(0u128, |sum, payment| sum.checked_add(payment.arrival.value.get()));
        match value {
            Some(0) | None => Err(taken()),
            Some(value) => Ok(Found::Claimable { payer, value: Wei::new(value) }),
        }
    }

    /// Who paid: the one that is named, or the only one there is.
    fn payer_of(&self, seen: &[StoredPayment]) -> Result<EthAddress, Failure> {
        let payers: BTreeSet<&String> = seen.iter().filter_map(|payment| payment.arrival.payer.as_ref()).collect();
        if let Some(named) = self.payer {
            return if payers.contains(&named.to_string()) {
                Ok(named)
            } else {
                Err(not_the_payer("this address made no payment in this transaction"))
            };
        }
        let mut payers = payers.into_iter();
        match (payers.next().and_then(|payer| payer.parse().ok()), payers.next()) {
            (Some(payer), None) => Ok(payer),
            _ => Err(Failure::invalid("payer: several paid in this transaction, so one has to be named").with("field", "payer")),
        }
    }
}

/// A claim whose signature is right.
struct Claiming {
    claim: HashClaim,
    payer: String,
    shared: Arc<Shared>,
}

impl Claiming {
    async fn claim(&self, tx: &mut Tx) -> Result<OrderAnswer, Failure> {
        let HashClaim { order_id, transaction, .. } = &self.claim;
        let stored = Store::order(tx, order_id).await?.ok_or_else(Failure::unknown_order)?;
        let mut taken_over = false;
        for seen in Store::payments_of(tx, *transaction).await? {
            let key = PaymentKey { transaction: *transaction, position: seen.arrival.key.position };
            let Some(mut payment) = Store::payment(tx, key).await? else { continue };
            if payment.arrival.payer.as_ref() != Some(&self.payer) || !payment.in_chain {
                continue;
            }
            if is_claimable(&payment) {
                payment.owner = Some((order_id.clone(), Attribution::HashClaim));
                if let Some(told) = settle(tx, &self.shared.terms(), &stored, &mut payment, None).await? {
                    told.log();
                }
            }
            taken_over |= payment.owner.as_ref() == Some(&(order_id.clone(), Attribution::HashClaim));
        }
        // Somebody else's claim of the same payer, or the operator, may have come first.
        if taken_over { order_answer(tx, &self.shared, &stored).await } else { Err(taken()) }
    }
}

/// Whether a payment is nobody's yet. One whose tag an order has belongs to that order's secret.
fn is_claimable(payment: &StoredPayment) -> bool {
    let nobodys = matches!(
        payment.state,
        PaymentState::Held(HeldReason::NoOrder | HeldReason::OrderHasPayment) | PaymentState::Waiting(WaitsFor::Secret)
    );
    nobodys && payment.owner.is_none()
}

fn unknown_payment() -> Failure {
    Failure::new(ErrorCode::UnknownPayment, "no payment of this transaction was seen at the payment address; it may not be mined yet")
}

fn taken() -> Failure {
    Failure::new(ErrorCode::PaymentTaken, "this payment was credited, or belongs to somebody's claim secret")
}

fn not_the_payer(message: &str) -> Failure {
    Failure::new(ErrorCode::NotThePayer, message)
}

fn refused(error: ClaimError) -> Failure {
    match error {
        ClaimError::Chain(error) => {
            tracing::warn!(%error, "a claim cannot be checked");
            Failure::new(ErrorCode::ChainUnavailable, "the payer is a contract, and the chain cannot be asked at the moment")
        }
        ClaimError::Expired { .. } => Failure::new(ErrorCode::ClaimExpired, error.to_string()),
        ClaimError::NotASignature => Failure::invalid(error.to_string()).with("field", "signature"),
        other => not_the_payer(&other.to_string()),
    }
}
