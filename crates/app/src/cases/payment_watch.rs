//! Payments that are behind: how firm they become, and those that arrive after all.

use super::{
    payment_chain::parsed,
    payment_service::{firmness, is_older_than, take_order},
};
use crate::{
    Wallet,
    record::PaymentRecord,
    view::{ErrorView, Finality, PayWay, PaymentRemark, PaymentState},
};
use aispace_api::{AnyOrderAnswer, OrderAnswer};
use chrono::{DateTime, TimeDelta, Utc};

/// For how long a payment that may still arrive is looked for, and its claim secret kept.
pub(crate) const ARRIVAL_DAYS: TimeDelta = TimeDelta::days(30);

impl Wallet {
    /// Looks once at each payment that is behind and not final, or may still arrive.
    pub(crate) async fn look_at_earlier_payments(&self) {
        let now = self.corrected_now();
        let earlier: Vec<PaymentRecord> = self.state().payments.iter().filter(|p| is_watched(p, now)).cloned().collect();
        for payment in earlier {
            // What cannot be read now is read in the next round; the payment stands as it was last known.
            let _ = self.look_at_earlier(payment).await;
        }
    }

    async fn look_at_earlier(&self, seen: PaymentRecord) -> Result<(), ErrorView> {
        let order = self.order_now(&seen).await?;
        let own = match (&order, &seen.transaction_hash) {
            (AnyOrderAnswer::Eth(_), Some(hash)) if seen.state == PaymentState::Done => Some(self.own_finality(hash).await?),
            _ => None,
        };
        let _turn = self.inner.payment_turn.lock().await;
        // It may have moved meanwhile.
        let fresh = self.state().payments.iter().find(|p| p.order_id == seen.order_id).cloned();
        let Some(before) = fresh.filter(|p| p.state == seen.state) else { return Ok(()) };
        let mut after = before.clone();
        let now = self.corrected_now();
        match &order {
            AnyOrderAnswer::Eth(order) => {
                take_order(&mut after, order);
                if let Some(own) = own {
                    firm_up(&mut after, order, own, now);
                }
                self.take_up_again(&mut after, !order.payments.is_empty() && has_news(&before, order));
            }
            AnyOrderAnswer::Card(order) => {
                if order.returned_usd > aispace_units::Usd::ZERO {
                    after.remarks.insert(PaymentRemark::TakenBack);
                }
                self.take_up_again(&mut after, !order.credited_credits.is_zero());
            }
        }
        if after == before {
            return Ok(());
        }
        let is_open = after.is_open();
        self.inner.store.journal(&after).await?;
        self.change(|state| if is_open { state.show_payment(after) } else { state.keep(after) });
        Ok(())
    }

    /// A payment that was given up and arrived is open again, unless another one is open now: then it waits for that.
    fn take_up_again(&self, payment: &mut PaymentRecord, has_arrived: bool) {
        let is_busy = self.state().payment.as_ref().is_some_and(PaymentRecord::is_open);
        if !has_arrived || is_busy || !payment.may_still_arrive() {
            return;
        }
        // From where the service is asked again; the chain is asked in between.
        payment.state = PaymentState::Asked;
        payment.put_away = false;
        payment.reached.retain(|state, _| !matches!(state, PaymentState::Abandoned | PaymentState::Dropped | PaymentState::Held));
    }

    /// How firm our own nodes say that a transaction is.
    async fn own_finality(&self, hash: &str) -> Result<Finality, ErrorView> {
        let nodes = &self.nodes();
        let Some(receipt) = nodes.receipt(parsed(hash)?).await? else { return Ok(Finality::Unconfirmed) };
        let reached = |head: Option<aispace_payments::watch::Head>| head.is_some_and(|head| head.number >= receipt.block_number);
        if reached(nodes.finalized_block().await?) {
            return Ok(Finality::Final);
        }
        Ok(if reached(nodes.safe_block().await?) { Finality::Safe } else { Finality::Confirmed })
    }
}

/// Whether there is anything to look for.
fn is_watched(payment: &PaymentRecord, now: DateTime<Utc>) -> bool {
    let is_firm = payment.way == PayWay::Card || payment.finality == Finality::Final;
    let waits = payment.state == PaymentState::Done && !is_firm;
    waits || (payment.may_still_arrive() && !is_older_than(payment.since(), ARRIVAL_DAYS, now))
}

/// As firm as the less sure of the two says. What the service took back is in no block that counts.
fn firm_up(payment: &mut PaymentRecord, order: &OrderAnswer, own: Finality, now: DateTime<Utc>) {
    let said = firmness(order).unwrap_or(Finality::Unconfirmed);
    let least = said.min(own);
    if least != payment.finality {
        payment.firm_up(least, now);
    }
}

/// Whether the service found something that this record does not know, or credited it.
fn has_news(before: &PaymentRecord, order: &OrderAnswer) -> bool {
    let is_credited = !order.credited_credits.is_zero();
    let is_known = |hash: &String| before.attempts.iter().any(|a| a.hash == *hash);
    is_credited || (before.state != PaymentState::Held && order.payments.iter().any(|p| !is_known(&p.transaction_hash)))
}
