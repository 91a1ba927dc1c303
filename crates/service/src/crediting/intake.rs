//! What a block brings: its payments recorded, attributed and credited, what it replaces taken back, in one transaction with the mark of what was read.

use super::{Terms, Told, attribute, settle, take_back, told};
use crate::store::{AmountSteps, Arrival, PaymentKey, PaymentState, Place, Scanned, Store, StoreError, StoredOrder, StoredPayment, Tx};
use aispace_api::{BlockFinality, HeldReason, WaitsFor};
use aispace_payments::TransactionHash;
use aispace_payments::watch::{Reconciliation, WatchedBlock};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// How many blocks after its old place a payment has to be found again: a transaction that a reorganisation drops is mined anew at once, as a rule.
const GONE_AFTER_BLOCKS: u64 = 5;
/// How long after its end an order's amount is still known to be its own.
pub(crate) const AMOUNT_KEPT: TimeDelta = TimeDelta::hours(24);

/// Blocks that were read, in order.
pub(crate) struct Intake {
    pub(crate) blocks: Vec<WatchedBlock>,
    pub(crate) terms: Terms,
    /// Whether they are what was read last; not so for one that is looked at once more.
    pub(crate) is_progress: bool,
}

impl Intake {
    /// Takes the blocks in. Done again, it changes nothing.
    pub(crate) async fn take_in(&self, tx: &mut Tx) -> Result<Vec<Told>, StoreError> {
        let mut all = Vec::new();
        for block in &self.blocks {
            Store::replace_block(tx, block.number, block.hash).await?;
            for arrival in arrivals(block) {
                all.extend(self.arrived(tx, &arrival).await?);
            }
            if block.reconciliation == Reconciliation::Exact {
                Store::close_explained(tx, block.hash).await?;
            }
            if let Some(height) = block.number.checked_sub(GONE_AFTER_BLOCKS) {
                for key in Store::gone(tx, height).await? {
                    all.extend(self.gone(tx, key).await?);
                }
            }
        }
        if let Some(last) = self.blocks.last().filter(|_| self.is_progress) {
            Store::set_scanned(tx, Scanned { number: last.number, hash: Some(last.hash) }).await?;
        }
        Ok(all)
    }

    /// A payment that is in the chain: a new one, one that is read again, or one that has moved.
    async fn arrived(&self, tx: &mut Tx, arrival: &Arrival) -> Result<Vec<Told>, StoreError> {
        let (mut payment, is_new) = Store::record_payment(tx, arrival).await?;
        let mut all = Vec::new();
        if !is_new {
            if payment.arrival == *arrival && payment.in_chain && payment.state != PaymentState::TakenBack {
                return Ok(all);
            }
            if payment.state == PaymentState::Closed || payment.finality == BlockFinality::Final {
                return Ok(all);
            }
            let same = (payment.arrival.value, payment.arrival.tag) == (arrival.value, arrival.tag);
            if !same {
                // What contracts do may differ in another block: then it is another payment of that name.
                if payment.state == PaymentState::Credited {
                    all.push(take_back(tx, &mut payment, self.terms.now).await?);
                }
                payment.owner = None;
            }
            if payment.arrival.place.hash != arrival.place.hash {
                payment.finality = BlockFinality::Confirmed;
            }
            (payment.arrival, payment.in_chain) = (arrival.clone(), true);
            if payment.state == PaymentState::Credited {
                Store::save_payment(tx, &payment).await?;
                return Ok(all);
            }
        }
        let (before, wait) = (payment.state, PaymentState::Waiting(WaitsFor::Secret));
        // One that waits for the secret of its order goes on waiting.
        if !is_new && payment.owner.is_some() && before == wait {
            Store::save_payment(tx, &payment).await?;
            return Ok(all);
        }
        match attribute(tx, &mut payment).await? {
            Some(order) => all.extend(settle(tx, &self.terms, &order, &mut payment, None).await?),
            None => {
                Store::save_payment(tx, &payment).await?;
                all.extend((is_new || before != payment.state).then(|| told(&payment)));
            }
        }
        Ok(all)
    }

    async fn gone(&self, tx: &mut Tx, key: PaymentKey) -> Result<Option<Told>, StoreError> {
        match Store::payment(tx, key).await? {
            Some(mut payment) if !payment.in_chain && !matches!(payment.state, PaymentState::TakenBack | PaymentState::Closed) => {
                take_back(tx, &mut payment, self.terms.now).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Everything that arrived in a block, what no payment explains last.
pub(crate) fn arrivals(block: &WatchedBlock) -> Vec<Arrival> {
    let place = Place { number: block.number, hash: block.hash, time: block.timestamp };
    let mut all: Vec<Arrival> = block
        .payments
        .iter()
        .map(|payment| Arrival {
            key: PaymentKey { transaction: payment.hash, position: Some(payment.position) },
            tag: payment.tag(),
            payer: Some(payment.payer.to_string()),
            value: payment.value,
            place,
        })
        .collect();
    let value = block.reconciliation.unexplained();
    if value.get() > 0 {
        let key = PaymentKey { transaction: TransactionHash::from_bytes(block.hash.to_bytes()), position: None };
        all.push(Arrival { key, tag: None, payer: None, value, place });
    }
    all
}

/// The one order that a payment's amount names, in the time in which it does, unless a payment is known to be for it.
pub(super) async fn order_by_amount(tx: &mut Tx, payment: &StoredPayment) -> Result<Result<StoredOrder, HeldReason>, StoreError> {
    let Some(steps) = AmountSteps::exactly(payment.arrival.value) else { return Ok(Err(HeldReason::NoOrder)) };
    let at = payment.arrival.place.time;
    // A block's time is in whole seconds, the quote's is not.
    let asked = Store::orders_by_amount(tx, steps, end_of_second(at)).await?;
    let open = |order: &StoredOrder| order.order.expires.checked_add_signed(AMOUNT_KEPT).is_none_or(|end| at <= end);
    let mut candidates = asked.into_iter().filter(open);
    let (Some(order), None) = (candidates.next(), candidates.next()) else { return Ok(Err(HeldReason::NoOrder)) };
    if Store::has_payment(tx, &order.order.order_id).await? {
        return Ok(Err(HeldReason::OrderHasPayment));
    }
    Ok(Ok(order))
}

fn end_of_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(0).checked_add_signed(TimeDelta::milliseconds(999)).unwrap_or(at)
}
