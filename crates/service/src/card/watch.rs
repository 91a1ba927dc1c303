//! The task that finds out what no webhook told.

use super::{CardError, Cards};
use crate::store::{Store, StoreError};
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Orders that one look may ask about: a bound on calls, not on orders, for those come first that were looked at least.
const ORDERS_MAX: i64 = 50;
/// How long after its session's end an order may still be paid, for money that takes its time.
const SETTLEMENT_MAX: TimeDelta = TimeDelta::days(30);
/// Events may come into Stripe's list in another order than they are dated.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// How far back a first look goes.
const FIRST_LOOK: TimeDelta = TimeDelta::hours(1);
/// Stripe sends an event again for three days; after this its id is forgotten.
const EVENTS_KEPT: TimeDelta = TimeDelta::days(7);
const BACK_OFF_MAX: Duration = Duration::from_secs(300);

/// Looks at open orders, at the list of events, and at orders whose credits holds decide on. Instances on one database may do so at once: it only
/// asks Stripe more often.
pub(crate) struct CardWatcher {
    pub(crate) cards: Arc<Cards>,
    pub(crate) poll: Duration,
}

impl CardWatcher {
    /// Runs until told to stop. Outages only make it wait longer between looks.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut pause = self.poll;
        while !*stop.borrow() {
            match self.look(&stop).await {
                Ok(()) => pause = self.poll,
                Err(error) => {
                    pause = pause.saturating_mul(2).min(BACK_OFF_MAX.max(self.poll));
                    tracing::warn!(%error, retry_ms = pause.as_millis(), "cannot follow payments by card");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// One thing that fails does not keep the others from being looked at; the last failure is told.
    async fn look(&self, stop: &watch::Receiver<bool>) -> Result<(), CardError> {
        let settled = self.settle_up(stop).await.map_err(CardError::from);
        let events = self.follow_events(stop).await;
        let open = self.look_at_open_orders(stop).await;
        settled.and(events).and(open)
    }

    async fn settle_up(&self, stop: &watch::Receiver<bool>) -> Result<(), StoreError> {
        let orders = self.cards.store.read((), |(), tx| Box::pin(Store::undecided_card_orders(tx, ORDERS_MAX))).await?;
        for order in orders {
            if *stop.borrow() {
                break;
            }
            self.cards.settle_up(&order).await?;
        }
        Ok(())
    }

    /// Follows up what happened since the last look. The cursor moves once all of it is done.
    async fn follow_events(&self, stop: &watch::Receiver<bool>) -> Result<(), CardError> {
        let store = &self.cards.store;
        let cursor = store.read((), |(), tx| Box::pin(Store::event_cursor(tx))).await?;
        let first = || self.cards.clock.now().checked_sub_signed(FIRST_LOOK);
        let since = cursor.map_or_else(first, |cursor| cursor.checked_sub_signed(OVERLAP)).unwrap_or_default();
        let events = self.cards.stripe.events_since(since).await?;
        let mut failed = None;
        for event in &events {
            if *stop.borrow() {
                return Ok(());
            }
            match self.cards.follow_up(event).await {
                Ok(()) => {}
                Err(CardError::Stripe(error)) if !error.is_passing() => {
                    tracing::error!(event = %event.id, %error, "an event cannot be followed up");
                    failed = Some(CardError::Stripe(error));
                }
                Err(error) => return Err(error),
            }
        }
        // An event that could not be followed up stays within what is looked at.
        if let Some(error) = failed {
            return Err(error);
        }
        // The first look marks where it began, so that an outage after it loses nothing.
        let newest = events.iter().map(|event| event.created).max().unwrap_or(since);
        if cursor.is_none_or(|cursor| newest > cursor) {
            let forget = newest.checked_sub_signed(EVENTS_KEPT).unwrap_or_default();
            store.write((newest, forget), |(newest, forget), tx| Box::pin(Store::set_event_cursor(tx, *newest, *forget))).await?;
        }
        Ok(())
    }

    async fn look_at_open_orders(&self, stop: &watch::Receiver<bool>) -> Result<(), CardError> {
        let since = self.cards.clock.now().checked_sub_signed(SETTLEMENT_MAX).unwrap_or_default();
        let orders = self.cards.store.read(since, |since, tx| Box::pin(Store::unpaid_card_orders(tx, *since, ORDERS_MAX))).await?;
        let mut outcome = Ok(());
        for order in orders {
            if *stop.borrow() {
                break;
            }
            if let Err(error) = self.cards.look(&order, None).await {
                outcome = Err(error);
            }
        }
        outcome
    }
}
