//! The operator's calls about payments that nothing was made of: a way out for each.

use super::failure::Failure;
use super::input::{Body, operator_only};
use super::openapi::{RefusedAssignment, RefusedClosing, RefusedPayments};
use super::{Answer, AppState, Shared};
use crate::crediting::settle;
use crate::store::{PaymentKey, PaymentState, Store, StoredPayment, Tx};
use aispace_api::{AssignPaymentRequest, Attribution, ClosePaymentRequest, ErrorCode, PaymentOutcome, PaymentRecord, PaymentsAnswer};
use aispace_units::{EthUsdPrice, NanoCredits};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;

/// Most payments that one answer lists.
const LISTED_MAX: i64 = 500;

/// Payments that are held or wait, oldest first.
#[utoipa::path(get, path = "/v1/payments/open", operation_id = "listOpenPayments", tag = "operator", security(("operator" = [])),
    responses((status = 200, description = "At most 500 of them.", body = PaymentsAnswer), RefusedPayments))]
pub(crate) async fn open(State(shared): AppState, headers: HeaderMap) -> Answer<PaymentsAnswer> {
    operator_only(&shared, &headers).await?;
    let found =
        shared.store.read((), |(), tx| Box::pin(async move { Ok::<_, Failure>(Store::payments_to_look_at(tx, LISTED_MAX).await?) }));
    let payments = found.await?.iter().map(record).collect();
    Ok(Json(PaymentsAnswer { server_time: shared.clock.now(), payments }))
}

/// Gives a payment that is held or waits to an order. The same again changes nothing.
#[utoipa::path(post, path = "/v1/payments/assign", operation_id = "assignPayment", tag = "operator", security(("operator" = [])),
    request_body = AssignPaymentRequest, responses((status = 200, description = "The payment.", body = PaymentRecord), RefusedAssignment))]
pub(crate) async fn assign(State(shared): AppState, headers: HeaderMap, body: Body) -> Answer<PaymentRecord> {
    operator_only(&shared, &headers).await?;
    let request: AssignPaymentRequest = body.read()?;
    let key = key(&request.transaction_hash, request.position)?;
    let work = Assigning { key, order_id: request.order_id, price: request.usd_per_eth, shared: shared.clone() };
    shared.store.write(work, |work, tx| Box::pin(work.assign(tx))).await.map(Json)
}

/// Notes that a payment that is held or waits was dealt with otherwise: it is never credited any more.
#[utoipa::path(post, path = "/v1/payments/close", operation_id = "closePayment", tag = "operator", security(("operator" = [])),
    request_body = ClosePaymentRequest, responses((status = 200, description = "The payment.", body = PaymentRecord), RefusedClosing))]
pub(crate) async fn close(State(shared): AppState, headers: HeaderMap, body: Body) -> Answer<PaymentRecord> {
    operator_only(&shared, &headers).await?;
    let request: ClosePaymentRequest = body.read()?;
    let key = key(&request.transaction_hash, request.position)?;
    let closed = shared.store.write((key, request.note), |(key, note), tx| {
        Box::pin(async move {
            let mut payment = Store::payment(tx, *key).await?.ok_or_else(unknown)?;
            if payment.state == PaymentState::Closed {
                return Ok(record(&payment));
            }
            if !is_open(&payment) {
                return Err(taken());
            }
            payment.state = PaymentState::Closed;
            Store::save_payment(tx, &payment).await?;
            Store::set_payment_note(tx, *key, note.as_deref()).await?;
            Ok(record(&payment))
        })
    });
    closed.await.map(Json)
}

/// An assignment that waits to be made.
struct Assigning {
    key: PaymentKey,
    order_id: String,
    price: Option<EthUsdPrice>,
    shared: Arc<Shared>,
}

impl Assigning {
    async fn assign(&self, tx: &mut Tx) -> Result<PaymentRecord, Failure> {
        let order = Store::order(tx, &self.order_id).await?.ok_or_else(Failure::unknown_order)?;
        let mut payment = Store::payment(tx, self.key).await?.ok_or_else(unknown)?;
        let is_its_own = payment.owner.as_ref().is_some_and(|(order_id, _)| *order_id == self.order_id);
        if is_its_own && payment.state == PaymentState::Credited {
            return Ok(record(&payment));
        }
        if !is_open(&payment) {
            return Err(taken());
        }
        payment.owner = Some((self.order_id.clone(), Attribution::Operator));
        if let Some(told) = settle(tx, &self.shared.terms(), &order, &mut payment, self.price).await? {
            told.log();
        }
        Ok(record(&payment))
    }
}

fn key(hash: &str, position: Option<u32>) -> Result<PaymentKey, Failure> {
    let transaction = hash.parse().map_err(|_| Failure::invalid("transaction_hash: 0x and 64 hex digits"))?;
    Ok(PaymentKey { transaction, position })
}

fn is_open(payment: &StoredPayment) -> bool {
    payment.in_chain && matches!(payment.state, PaymentState::Held(_) | PaymentState::Waiting(_))
}

fn unknown() -> Failure {
    Failure::new(ErrorCode::UnknownPayment, "there is no such payment")
}

fn taken() -> Failure {
    Failure::new(ErrorCode::PaymentTaken, "this payment was credited, closed or taken back")
}

fn record(payment: &StoredPayment) -> PaymentRecord {
    let outcome = match (payment.state, payment.bought) {
        (PaymentState::Credited, Some(bought)) => PaymentOutcome::Credited {
            credits: bought.credits,
            usd_per_eth: bought.usd_per_eth,
            credited: bought.at,
            batch_id: None,
            batch_expires: None,
        },
        (PaymentState::Waiting(waits_for), _) => PaymentOutcome::Waiting { waits_for },
        (PaymentState::Held(reason), _) => PaymentOutcome::Held { reason },
        (PaymentState::Credited | PaymentState::TakenBack, bought) => {
            PaymentOutcome::TakenBack { credits: bought.map_or(NanoCredits::ZERO, |bought| bought.credits) }
        }
        (PaymentState::Closed, _) => PaymentOutcome::Closed,
    };
    PaymentRecord {
        transaction_hash: payment.arrival.key.transaction.to_string(),
        position: payment.arrival.key.position,
        payer: payment.arrival.payer.clone(),
        tag: payment.arrival.tag.map(|tag| tag.to_string()),
        value_wei: payment.arrival.value,
        block_number: payment.arrival.place.number,
        block_time: payment.arrival.place.time,
        order_id: payment.owner.as_ref().map(|(order, _)| order.clone()),
        outcome,
    }
}
