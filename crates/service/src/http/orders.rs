//! Orders: a quote, a payment, a claim.

use super::card::{self, Kept};
use super::failure::Failure;
use super::input::{Body, Caller, caller, idempotency_key, path_id, replayed};
use super::openapi::{IdempotencyKey, PathId, RefusedClaim, RefusedOrder, RefusedOrderView};
use super::{Answer, AppState, Shared};
use crate::crediting::{AMOUNT_KEPT, Terms, match_earlier, release};
use crate::secret::{SecureKey, fresh_id, random_32};
use crate::store::{
    Aim, AmountSteps, Bought, KeptAnswer, NewOrder, PaymentState, Place, RequestHash, Scope, Store, StoredOrder, StoredPayment, Tx, keep,
    recall,
};
use aispace_api::{
    AnyOrderAnswer, Attribution, BlockFinality, ClaimAnswer, ClaimRequest, ErrorCode, OrderAnswer, OrderRequest, OrderStatus, PayMethod,
    PaymentAnswer, PaymentOutcome, PriceSourceAnswer, QuoteAnswer,
};
use aispace_ledger::AccountId;
use aispace_payments::price::{PriceError, PriceReport, Verdict};
use aispace_payments::tag::{ClaimSecret, OrderTag};
use aispace_units::{NanoCreditSum, NanoCredits, Usd, credits_for_wei, wei_for_usd};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use subtle::ConstantTimeEq;

const QUOTE_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Opens an order: a quote that binds for ten minutes.
#[utoipa::path(post, path = "/v1/orders", operation_id = "openOrder", tag = "orders", security((), ("secureKey" = [])),
    params(IdempotencyKey), request_body = OrderRequest,
    responses((status = 201, description = "The order.", body = AnyOrderAnswer), RefusedOrder))]
pub(crate) async fn open(State(shared): AppState, headers: HeaderMap, body: Body) -> Result<KeptAnswer, Failure> {
    let payer = match caller(&shared, &headers).await? {
        Caller::Operator => return Err(Failure::new(ErrorCode::Forbidden, "an order takes a Secure Key or no credential")),
        Caller::Account(account) => Some(account),
        Caller::Nobody => None,
    };
    let key = idempotency_key(&headers)?;
    let request: OrderRequest = body.amount::<Usd>("usd")?.read()?;
    let tag: OrderTag = request.tag.parse().map_err(|_| Failure::invalid("tag is 64 hex digits"))?;
    if request.usd == Usd::ZERO {
        return Err(Failure::new(ErrorCode::InvalidAmount, "an order is for more than nothing").with("field", "usd"));
    }
    let scope = payer.as_ref().map_or_else(|| Scope::tag(&tag.to_string()), |account| Scope::account(account.as_str()));
    let hash = RequestHash::of("POST /v1/orders", &request);
    let told = shared.store.read((scope.clone(), key.clone(), hash), |(scope, key, hash), tx| Box::pin(recall(tx, scope, key, *hash)));
    if let Some(kept) = replayed(told.await?)? {
        return Ok(kept);
    }
    if request.method == PayMethod::Card {
        return card::open(shared, request.usd, tag, payer, Kept { scope, key, hash }).await;
    }
    let report = shared.prices.price().await.map_err(|error| price_unavailable(&error))?;
    let order = quote(&request, tag, payer, &report, shared.clock.now())?;
    let work = Opening { scope, key, hash, order, shared: shared.clone() };
    shared.store.write(work, |work, tx| Box::pin(work.open(tx))).await
}

/// An order that waits to be stored.
struct Opening {
    scope: Scope,
    key: String,
    hash: RequestHash,
    order: NewOrder,
    shared: Arc<Shared>,
}

impl Opening {
    async fn open(&self, tx: &mut Tx) -> Result<KeptAnswer, Failure> {
        // Looked up again: a twin of this call may have come first while the price was asked.
        if let Some(kept) = replayed(recall(tx, &self.scope, &self.key, self.hash).await?)? {
            return Ok(kept);
        }
        if let Err(taken) = tag_is_free(tx, self.order.tag).await {
            // It may have been committed between that look and this one.
            return replayed(recall(tx, &self.scope, &self.key, self.hash).await?)?.ok_or(taken);
        }
        let order = self.with_amount(tx).await?;
        Store::insert_order(tx, &order).await?;
        let stored = StoredOrder { order, claimed: None };
        for told in match_earlier(tx, &self.shared.terms(), &stored).await? {
            told.log();
        }
        let answer = order_answer(tx, &self.shared, &stored).await?;
        let kept = KeptAnswer::new(StatusCode::CREATED, &answer)?;
        keep(tx, &self.scope, &self.key, self.hash, &kept, answer.server_time).await?;
        Ok(kept)
    }
}

impl Opening {
    /// The order with an amount of its own.
    async fn with_amount(&self, tx: &mut Tx) -> Result<NewOrder, Failure> {
        let order = &self.order;
        let too_large = || Failure::new(ErrorCode::InvalidAmount, "this is more ether than there is").with("field", "usd");
        let from = AmountSteps::at_least(order.value).ok_or_else(too_large)?;
        let until = order.expires.checked_add_signed(AMOUNT_KEPT).unwrap_or(order.expires);
        let unique = Store::reserve_amount(tx, from, &order.order_id, order.quoted, until).await?;
        Ok(NewOrder { unique: Some(unique), ..order.clone() })
    }
}

/// A tag belongs to one order, however that is paid.
pub(super) async fn tag_is_free(tx: &mut Tx, tag: OrderTag) -> Result<(), Failure> {
    let by_ether = Store::order_by_tag(tx, tag).await?.map(|other| other.order.order_id);
    let by_card = Store::card_order_by_tag(tx, tag).await?.map(|other| other.order.order_id);
    let Some(other) = by_ether.or(by_card) else { return Ok(()) };
    let message = "another order has this tag: make a new claim secret, or look at that order";
    Err(Failure::new(ErrorCode::KeyConflict, message).with("order_id", other))
}

/// An order: its payments and credits.
#[utoipa::path(get, path = "/v1/orders/{id}", operation_id = "showOrder", tag = "orders", security(()), params(PathId),
    responses((status = 200, description = "The order.", body = AnyOrderAnswer), RefusedOrderView))]
pub(crate) async fn show(State(shared): AppState, path: Result<Path<String>, PathRejection>) -> Answer<AnyOrderAnswer> {
    let id = path_id(path, Failure::unknown_order)?;
    let look = shared.store.read((id, shared.clone()), |(id, shared), tx| {
        Box::pin(async move {
            if let Some(stored) = Store::order(tx, id).await? {
                return Ok(AnyOrderAnswer::Eth(order_answer(tx, shared, &stored).await?));
            }
            let stored = Store::card_order(tx, id).await?.ok_or_else(Failure::unknown_order)?;
            Ok(AnyOrderAnswer::Card(card::order_answer(&stored, shared.clock.now())))
        })
    });
    look.await.map(Json)
}

/// Hands out what an order bought.
#[utoipa::path(post, path = "/v1/orders/{id}/claim", operation_id = "claimOrder", tag = "orders", security(()), params(PathId),
    request_body = ClaimRequest, responses((status = 200, description = "The key or the receipt.", body = ClaimAnswer), RefusedClaim))]
pub(crate) async fn claim(State(shared): AppState, path: Result<Path<String>, PathRejection>, body: Body) -> Answer<ClaimAnswer> {
    let id = path_id(path, Failure::unknown_order)?;
    let request: ClaimRequest = body.read()?;
    let secret = ClaimSecret::from_hex(request.secret.expose()).map_err(|error| Failure::invalid(error.to_string()))?;
    // A stranger's guess is answered from a read: it may not hold up those who write.
    let (method, tag) = shared.store.read(id.clone(), |id, tx| Box::pin(method_and_tag(tx, id))).await?;
    if !bool::from(secret.tag().to_bytes().ct_eq(&tag.to_bytes())) {
        return Err(Failure::new(ErrorCode::WrongSecret, "this claim secret does not belong to this order"));
    }
    let (acknowledge, now) = (request.acknowledge, shared.clock.now());
    let claimed = match method {
        PayMethod::Eth => {
            let claiming = Claiming { id, secret, acknowledge, terms: shared.terms() };
            shared.store.write(claiming, |claiming, tx| Box::pin(claiming.claim(tx))).await?
        }
        PayMethod::Card => {
            let claiming = card::Claiming { id, secret, acknowledge, now };
            shared.store.write(claiming, |claiming, tx| Box::pin(claiming.claim(tx))).await?
        }
    };
    // What the secret released stays released, for the watcher to credit at its price.
    let answer = claimed.ok_or_else(|| Failure::new(ErrorCode::NotPaidYet, "no payment for this order has been credited yet"))?;
    Ok(Json(answer))
}

async fn method_and_tag(tx: &mut Tx, id: &str) -> Result<(PayMethod, OrderTag), Failure> {
    if let Some(stored) = Store::order(tx, id).await? {
        return Ok((PayMethod::Eth, stored.order.tag));
    }
    let stored = Store::card_order(tx, id).await?.ok_or_else(Failure::unknown_order)?;
    Ok((PayMethod::Card, stored.order.tag))
}

/// A claim whose secret is right.
struct Claiming {
    id: String,
    secret: ClaimSecret,
    acknowledge: bool,
    terms: Terms,
}

impl Claiming {
    /// `None` while nothing is credited.
    async fn claim(&self, tx: &mut Tx) -> Result<Option<ClaimAnswer>, Failure> {
        let stored = Store::order(tx, &self.id).await?.ok_or_else(Failure::unknown_order)?;
        for told in release(tx, &self.terms, &stored).await? {
            told.log();
        }
        let credited_credits = credited_total(&Store::payments(tx, &self.id).await?);
        if credited_credits.is_zero() {
            return Ok(None);
        }
        let secure_key = hand_out(tx, &stored, &self.secret, self.acknowledge, self.terms.now).await?;
        Store::mark_claimed(tx, &self.id, self.terms.now).await?;
        let secure_key = secure_key.map(|key| key.seal());
        Ok(Some(ClaimAnswer { account_id: stored.order.account.to_string(), secure_key, credited_credits }))
    }
}

/// The Secure Key of an order that opened an account, the same one each time, until an acknowledgement
/// of an earlier answer. An acknowledgement of nothing is not believed: it would lose the key.
async fn hand_out(
    tx: &mut Tx,
    stored: &StoredOrder,
    secret: &ClaimSecret,
    acknowledge: bool,
    now: DateTime<Utc>,
) -> Result<Option<SecureKey>, Failure> {
    let Aim::NewAccount { salt: Some(salt) } = stored.order.aim else { return Ok(None) };
    let key = SecureKey::derive(&salt, secret, &stored.order.order_id);
    if stored.claimed.is_none() {
        Store::add_key(tx, &stored.order.account, key.hash(), now).await?;
    } else if acknowledge {
        Store::acknowledge(tx, &stored.order.order_id, now).await?;
        return Ok(None);
    }
    Ok(Some(key))
}

fn quote(
    request: &OrderRequest,
    tag: OrderTag,
    payer: Option<AccountId>,
    report: &PriceReport,
    now: DateTime<Utc>,
) -> Result<NewOrder, Failure> {
    let too_large = |error: aispace_units::UnitError| Failure::new(ErrorCode::InvalidAmount, error.to_string()).with("field", "usd");
    let value = wei_for_usd(request.usd, report.usd_per_eth).map_err(too_large)?;
    let credits = credits_for_wei(value, report.usd_per_eth).map_err(too_large)?;
    let (account, aim) = match payer {
        Some(account) => (account, Aim::TopUp),
        None => (AccountId::new(fresh_id("ac")?), Aim::NewAccount { salt: Some(random_32()?) }),
    };
    let source = |reading: &aispace_payments::price::SourceReading| PriceSourceAnswer {
        name: reading.name.to_string(),
        usd_per_eth: reading.price,
        used: reading.verdict == Verdict::Used,
    };
    Ok(NewOrder {
        account,
        order_id: fresh_id("or")?,
        tag,
        aim,
        usd: request.usd,
        usd_per_eth: report.usd_per_eth,
        value,
        credits,
        quoted: now,
        expires: now.checked_add_signed(QUOTE_LIFETIME).unwrap_or(now),
        sources: report.sources.iter().map(source).collect(),
        unique: None,
    })
}

/// An order as it is told.
pub(super) async fn order_answer(tx: &mut Tx, shared: &Shared, stored: &StoredOrder) -> Result<OrderAnswer, Failure> {
    let order = &stored.order;
    let payments = Store::payments(tx, &order.order_id).await?;
    let scanned = Store::scanned(tx).await?.map_or(0, |scanned| scanned.number);
    let head = shared.watch.head().max(scanned);
    let mut answers = Vec::with_capacity(payments.len());
    for payment in &payments {
        answers.push(payment_answer(tx, payment, order, head).await?);
    }
    Ok(OrderAnswer {
        order_id: order.order_id.clone(),
        server_time: shared.clock.now(),
        usd: order.usd,
        top_up: order.aim == Aim::TopUp,
        quote: QuoteAnswer {
            usd_per_eth: order.usd_per_eth,
            value_wei: order.value,
            unique_value_wei: order.unique.map_or(order.value, AmountSteps::wei),
            credits: order.credits,
            quoted: order.quoted,
            expires: order.expires,
            sources: order.sources.clone(),
        },
        status: status(&payments),
        claimed: stored.claimed.is_some(),
        payments: answers,
        credited_credits: credited_total(&payments),
    })
}

fn status(payments: &[StoredPayment]) -> OrderStatus {
    let credited = payments.iter().filter(|payment| payment.state == PaymentState::Credited);
    match credited.map(|payment| payment.finality).min() {
        Some(BlockFinality::Confirmed) => OrderStatus::Confirmed,
        Some(BlockFinality::Safe) => OrderStatus::Safe,
        Some(BlockFinality::Final) => OrderStatus::Final,
        None if !payments.is_empty() && payments.iter().all(|p| matches!(p.state, PaymentState::Held(_))) => OrderStatus::Held,
        None => OrderStatus::Open,
    }
}

async fn payment_answer(tx: &mut Tx, payment: &StoredPayment, order: &NewOrder, head: u64) -> Result<PaymentAnswer, Failure> {
    let Place { number, hash, time } = payment.arrival.place;
    let confirmations = if payment.in_chain { head.saturating_sub(number).saturating_add(1) } else { 0 };
    let outcome = match (payment.state, payment.bought) {
        (PaymentState::Credited, Some(Bought { credits, usd_per_eth, at })) => {
            let batches = Store::payment_batches(tx, &order.account, payment.arrival.key).await?;
            let batch = batches.last();
            let (batch_id, batch_expires) = (batch.map(|batch| batch.id.to_string()), batch.map(|batch| batch.expires));
            PaymentOutcome::Credited { credits, usd_per_eth, credited: at, batch_id, batch_expires }
        }
        (PaymentState::Waiting(waits_for), _) => PaymentOutcome::Waiting { waits_for },
        (PaymentState::Held(reason), _) => PaymentOutcome::Held { reason },
        (PaymentState::Credited | PaymentState::TakenBack, bought) => {
            PaymentOutcome::TakenBack { credits: bought.map_or(NanoCredits::ZERO, |bought| bought.credits) }
        }
        (PaymentState::Closed, _) => PaymentOutcome::Closed,
    };
    Ok(PaymentAnswer {
        transaction_hash: payment.arrival.key.transaction.to_string(),
        position: payment.arrival.key.position.unwrap_or_default(),
        block_number: number,
        block_hash: hash.to_string(),
        block_time: time,
        value_wei: payment.arrival.value,
        confirmations,
        attribution: payment.owner.as_ref().map_or(Attribution::Unknown, |(_, by)| *by),
        finality: payment.finality,
        outcome,
        late: time > order.expires,
    })
}

fn credited_total(payments: &[StoredPayment]) -> NanoCredits {
    let credited = payments.iter().filter(|payment| payment.state == PaymentState::Credited);
    let sum = NanoCreditSum::total(credited.filter_map(|payment| payment.bought.map(|bought| bought.credits)));
    NanoCredits::try_from(sum).unwrap_or_else(|_| NanoCredits::from_nanos(i64::MAX).unwrap_or_default())
}

/// The figures are those the app has words for; a source's own words come under its name.
fn price_unavailable(error: &PriceError) -> Failure {
    let mut failure = Failure::new(ErrorCode::PriceUnavailable, error.to_string());
    for reading in error.readings() {
        let said = reading.reason.clone().or_else(|| reading.price.map(|p| p.to_string())).unwrap_or_default();
        failure = failure.with(reading.name, said);
    }
    match error {
        PriceError::TooFewSources { answered, asked, needed, missing, .. } => {
            let silent = missing.iter().map(|source| source.name()).collect::<Vec<_>>().join(", ");
            failure.with("answered", answered).with("asked", asked).with("needed", needed).with("silent", silent)
        }
        PriceError::SpreadTooWide { lowest, highest, .. } => failure.with("lowest", lowest).with("highest", highest),
        _ => failure,
    }
}
