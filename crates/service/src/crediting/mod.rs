//! What a payment is worth to whom, and the postings that say so: credited once, taken back when its block goes, given back when it returns.
//!
//! Every change of a payment happens with its row locked, in one transaction with what is posted.

mod intake;

pub(crate) use intake::{AMOUNT_KEPT, Intake};

use crate::reconcile::{Purchase, reconcile};
use crate::store::{Aim, Bought, PaymentKey, PaymentState, Store, StoreError, StoredOrder, StoredPayment, Tx};
use aispace_api::{Attribution, BlockFinality, HeldReason, WaitsFor};
use aispace_ledger::{AccountId, BatchSource};
use aispace_units::{EthUsdPrice, NanoCreditSum, NanoCredits, credits_for_wei};
use chrono::{DateTime, TimeDelta, Utc};

/// How long before its quote a payment still counts at the quote's price: a quote's life.
const EARLY_MAX: TimeDelta = TimeDelta::minutes(10);
/// Hex digits of a transaction's hash in the id of a batch: 160 bits.
const STEM_DIGITS: usize = 40;

/// By which rules payments are credited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// What buys at least so much is credited once its block is safe.
    pub(crate) large: NanoCredits,
    /// The service's clock.
    pub(crate) now: DateTime<Utc>,
}

/// What happened to a payment, for the log and for whoever counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) key: PaymentKey,
    pub(crate) order: Option<String>,
    pub(crate) event: Happened,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Credited(NanoCredits),
    Waits(WaitsFor),
    Held(HeldReason),
    TakenBack { missing_before: NanoCredits, missing: NanoCredits },
}

/// Whether a payment's block is in the time in which the quote's price holds.
pub(crate) fn is_in_time(order: &StoredOrder, payment: &StoredPayment) -> bool {
    let at = payment.arrival.place.time;
    let earliest = order.order.quoted.checked_sub_signed(EARLY_MAX).unwrap_or(order.order.quoted);
    at <= order.order.expires && at >= earliest
}

/// Finds out for which order a payment is, by its tag or by its amount. A payment with a tag is never known by its amount.
pub(crate) async fn attribute(tx: &mut Tx, payment: &mut StoredPayment) -> Result<Option<StoredOrder>, StoreError> {
    if let Some((order_id, _)) = &payment.owner {
        return Store::order(tx, order_id).await;
    }
    if payment.arrival.key.position.is_none() {
        payment.state = PaymentState::Held(HeldReason::Unexplained);
        return Ok(None);
    }
    let (order, by) = match payment.arrival.tag {
        Some(tag) => match Store::order_by_tag(tx, tag).await? {
            Some(order) => (order, Attribution::Tag),
            None => {
                let is_cards = Store::card_order_by_tag(tx, tag).await?.is_some();
                payment.state = if is_cards { PaymentState::Held(HeldReason::CardOrder) } else { PaymentState::Waiting(WaitsFor::Secret) };
                return Ok(None);
            }
        },
        None => match intake::order_by_amount(tx, payment).await? {
            Ok(order) => (order, Attribution::Amount),
            Err(reason) => {
                payment.state = PaymentState::Held(reason);
                return Ok(None);
            }
        },
    };
    payment.owner = Some((order.order.order_id.clone(), by));
    Ok(Some(order))
}

/// Credits a payment to its order, or says what it waits for. Does nothing twice. `block_price` is the price of the block's time, where it is known.
pub(crate) async fn settle(
    tx: &mut Tx,
    terms: &Terms,
    order: &StoredOrder,
    payment: &mut StoredPayment,
    block_price: Option<EthUsdPrice>,
) -> Result<Option<Told>, StoreError> {
    if !payment.in_chain || matches!(payment.state, PaymentState::Credited | PaymentState::Closed) {
        return Ok(None);
    }
    let before = payment.state;
    let price = if is_in_time(order, payment) { Some(order.order.usd_per_eth) } else { block_price };
    payment.state = match price.map(|price| (price, credits_for_wei(payment.arrival.value, price))) {
        None => PaymentState::Waiting(WaitsFor::Price),
        Some((_, Err(_))) => PaymentState::Held(HeldReason::BeyondLedger),
        Some((usd_per_eth, Ok(credits))) => {
            if is_too_large(tx, terms, order, payment, credits).await? {
                PaymentState::Waiting(WaitsFor::Safe)
            } else if post(tx, &order.order.account, payment, credits, terms.now).await? {
                payment.bought = Some(Bought { credits, usd_per_eth, at: terms.now });
                PaymentState::Credited
            } else {
                PaymentState::Held(HeldReason::BeyondLedger)
            }
        }
    };
    Store::save_payment(tx, payment).await?;
    Ok((before != payment.state).then(|| told(payment)))
}

/// Takes back what a payment bought that is in the chain no more. What was spent is missing.
pub(crate) async fn take_back(tx: &mut Tx, payment: &mut StoredPayment, now: DateTime<Utc>) -> Result<Told, StoreError> {
    let missing_before = payment.missing;
    if let Some(account) = payment.account.clone() {
        // Nothing is refused that takes.
        post(tx, &account, payment, NanoCredits::ZERO, now).await?;
    }
    payment.state = PaymentState::TakenBack;
    Store::save_payment(tx, payment).await?;
    let event = Happened::TakenBack { missing_before, missing: payment.missing };
    Ok(Told { event, ..told(payment) })
}

/// Looks again at what holds have decided of a payment's credits.
pub(crate) async fn settle_up(tx: &mut Tx, key: PaymentKey, now: DateTime<Utc>) -> Result<Option<Told>, StoreError> {
    let Some(mut payment) = Store::payment(tx, key).await? else { return Ok(None) };
    let (Some(account), Some(bought), missing_before) = (payment.account.clone(), payment.bought, payment.missing) else { return Ok(None) };
    let due = if payment.state == PaymentState::Credited { bought.credits } else { NanoCredits::ZERO };
    post(tx, &account, &mut payment, due, now).await?;
    Store::save_payment(tx, &payment).await?;
    let event = Happened::TakenBack { missing_before, missing: payment.missing };
    Ok((missing_before != payment.missing).then(|| Told { event, ..told(&payment) }))
}

/// Whether so much is credited only in a safe block. Many small payments of one account are one large one.
async fn is_too_large(
    tx: &mut Tx,
    terms: &Terms,
    order: &StoredOrder,
    payment: &StoredPayment,
    credits: NanoCredits,
) -> Result<bool, StoreError> {
    if payment.finality != BlockFinality::Confirmed {
        return Ok(false);
    }
    let others = Store::unsafe_credits(tx, &order.order.account).await?;
    let sum = NanoCreditSum::total(others.into_iter().chain([credits]));
    Ok(sum >= NanoCreditSum::from(terms.large))
}

/// Makes a payment's batches be worth `due`. False when the ledger refuses, which leaves everything as it was.
async fn post(tx: &mut Tx, id: &AccountId, payment: &mut StoredPayment, due: NanoCredits, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let (key, missing) = (payment.arrival.key, payment.missing);
    payment.account = Some(id.clone());
    // Locked before its batches are read, so that nobody changes them in between.
    let account = Store::account(tx, id).await?;
    let before = Store::payment_batches(tx, id, key).await?;
    if before.is_empty() && due.is_zero() {
        return Ok(true);
    }
    let account = match account {
        Some(account) => account,
        None => Store::open_account(tx, id, None, now).await?,
    };
    let hash = hex::encode(key.transaction.to_bytes());
    let stem = format!("{}_{}", hash.get(..STEM_DIGITS).unwrap_or(&hash), key.position.unwrap_or_default());
    let order_id = payment.owner.as_ref().map_or("", |(order, _)| order.as_str());
    let purchase = Purchase { source: BatchSource::EthPurchase, stem: &stem, order_id };
    let Ok(done) = reconcile(&account, purchase, &before, due, now) else { return Ok(false) };
    for step in done.steps {
        Store::save(tx, step.before, step.account, &step.posted).await?;
    }
    for (number, batch) in done.batches.iter().enumerate().skip(before.len()) {
        Store::add_payment_batch(tx, id, key, number, batch).await?;
    }
    (payment.missing, payment.undecided) = (done.missing, done.undecided);
    if payment.missing != missing {
        Store::add_payment_shortfall(tx, id, key, payment.missing, now).await?;
    }
    Ok(true)
}

/// Payments from before their order. For a new account they can be credited at once, for only the secret's holder gets the key. For a top-up they
/// wait for the secret: a tag can be read off the chain, and whoever names it first is not yet the one who paid.
pub(crate) async fn match_earlier(tx: &mut Tx, terms: &Terms, order: &StoredOrder) -> Result<Vec<Told>, StoreError> {
    let mut all = Vec::new();
    for key in Store::unclaimed(tx, order.order.tag).await? {
        let Some(mut payment) = Store::payment(tx, key).await?.filter(|payment| payment.owner.is_none()) else { continue };
        payment.owner = Some((order.order.order_id.clone(), Attribution::Tag));
        match order.order.aim {
            Aim::NewAccount { .. } => all.extend(settle(tx, terms, order, &mut payment, None).await?),
            Aim::TopUp => Store::save_payment(tx, &payment).await?,
        }
    }
    Ok(all)
}

/// Credits what waited for the claim secret, which was presented.
pub(crate) async fn release(tx: &mut Tx, terms: &Terms, order: &StoredOrder) -> Result<Vec<Told>, StoreError> {
    let mut all = Vec::new();
    for seen in Store::payments(tx, &order.order.order_id).await? {
        if seen.state == PaymentState::Waiting(WaitsFor::Secret)
            && let Some(mut payment) = Store::payment(tx, seen.arrival.key).await?
            && payment.state == seen.state
        {
            all.extend(settle(tx, terms, order, &mut payment, None).await?);
        }
    }
    Ok(all)
}

fn told(payment: &StoredPayment) -> Told {
    let event = match payment.state {
        PaymentState::Credited => Happened::Credited(payment.bought.map_or(NanoCredits::ZERO, |bought| bought.credits)),
        PaymentState::Waiting(what) => Happened::Waits(what),
        PaymentState::Held(reason) => Happened::Held(reason),
        PaymentState::TakenBack | PaymentState::Closed => Happened::TakenBack { missing_before: payment.missing, missing: payment.missing },
    };
    Told { key: payment.arrival.key, order: payment.owner.as_ref().map(|(order, _)| order.clone()), event }
}

impl Told {
    /// Writes it to the log.
    pub(crate) fn log(&self) {
        let (transaction, order) = (&self.key.transaction, self.order.as_deref().unwrap_or("none"));
        match self.event {
            Happened::Credited(credits) => tracing::info!(order, %credits, %transaction, "a payment was credited"),
            Happened::Waits(what) => tracing::info!(order, ?what, %transaction, "a payment waits"),
            Happened::Held(reason) => tracing::error!(order, ?reason, %transaction, "a payment is held"),
            Happened::TakenBack { missing, .. } => {
                tracing::error!(order, missing_credits = %missing, %transaction, "a payment is in the chain no more and was taken back");
            }
        }
    }
}
