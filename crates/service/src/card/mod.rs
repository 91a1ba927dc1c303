//! Payments by card: what Stripe says becomes credits, once, and is taken back when the money goes back.
//!
//! Nothing is believed but what is read from Stripe. A webhook, the list of events and the clock only say when to look. Each look is
//! numbered before Stripe is asked, and is taken in unless one that began later was: so the ledger follows what Stripe says now,
//! however often, late or in whatever order it was told to look.

mod watch;

pub(crate) use watch::CardWatcher;

use crate::clock::ServiceClock;
use crate::metrics::{CardPayments, Metrics};
use crate::reconcile::{Purchase, reconcile};
use crate::store::{CardOrder, CardPaid, CardState, Store, StoreError, Tx};
use aispace_payments::stripe::{
    CardPayment, Event, NewSession, PaymentStatus, Session, SessionStatus, Stripe, StripeError, StripeKey, StripeSettings, Subject,
    UsdCents, WebhookSecret,
};
use aispace_units::NanoCredits;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// How long a payer may take: well above the half hour that Stripe asks for at least.
const CHECKOUT_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// Looks that may be overtaken by others before this one is given up: what those saw is newer.
const LOOKS_MAX: usize = 5;

/// What payments by card run on.
pub struct CardConfig {
    /// The secret key of the Stripe account.
    pub key: StripeKey,
    /// The signing secret of the webhook that calls `POST /v1/webhooks/stripe`.
    pub webhook_secret: WebhookSecret,
    /// Where Stripe's API is.
    pub stripe: StripeSettings,
    /// The page that payers are sent back to; `order_id` and `outcome` (`paid` or `back`) are added to its query.
    pub return_url: String,
    /// Pause between two looks at what may have been missed.
    pub poll: Duration,
}

/// Why payments by card cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardConfigError {
    /// Stripe's address.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The page that payers are sent back to.
    #[error("{url} is no address of a page that payers can be sent back to: it begins with https://, or with http:// on this machine")]
    ReturnUrl {
        /// What was given.
        url: String,
    },
}

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CardError {
    #[error(transparent)]
    Stripe(#[from] StripeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Payments by card, ready.
pub(crate) struct Cards {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ServiceClock>,
    metrics: Arc<Metrics>,
    pub(crate) webhook_secret: WebhookSecret,
    stripe: Stripe,
    return_url: String,
}

/// What a look changed, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TakenIn {
    before: CardPaid,
    after: CardPaid,
}

impl CardConfig {
    /// Says whether both addresses can be used. Nobody is asked.
    ///
    /// # Errors
    /// [`CardConfigError`].
    pub fn check(&self) -> Result<(), CardConfigError> {
        self.stripe().map(drop)
    }

    fn stripe(&self) -> Result<Stripe, CardConfigError> {
        let url = &self.return_url;
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let host_ends = |rest: &str| rest.is_empty() || rest.starts_with([':', '/', '?']);
        let good = url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            || local.iter().any(|own| url.strip_prefix(own).is_some_and(host_ends));
        if !good || !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains('#') {
            return Err(CardConfigError::ReturnUrl { url: url.clone() });
        }
        Ok(Stripe::new(&self.stripe, &self.key)?)
    }
}

impl Cards {
    pub(crate) fn new(config: &CardConfig, store: Store, clock: Arc<ServiceClock>, metrics: Arc<Metrics>) -> Result<Self, CardConfigError> {
        let (stripe, return_url) = (config.stripe()?, config.return_url.clone());
        Ok(Self { store, clock, metrics, webhook_secret: config.webhook_secret.clone(), stripe, return_url })
    }

    /// Opens a Checkout Session for an order that is not stored yet. One whose order is never stored is never shown to anybody.
    pub(crate) async fn open_session(&self, order_id: &str, price: UsdCents, credits: NanoCredits) -> Result<Session, StripeError> {
        let now = self.clock.now();
        let joint = if self.return_url.contains('?') { '&' } else { '?' };
        let back = |outcome: &str| format!("{}{joint}order_id={order_id}&outcome={outcome}", self.return_url);
        let session = NewSession {
            order_id: order_id.to_owned(),
            amount: price,
            title: format!("{credits} AiSpace credits"),
            success_url: back("paid"),
            cancel_url: back("back"),
            expires: now.checked_add_signed(CHECKOUT_LIFETIME).unwrap_or(now),
        };
        self.stripe.create_session(&session).await
    }

    /// Follows an event up, unless that was done.
    pub(crate) async fn follow_up(&self, event: &Event) -> Result<(), CardError> {
        if event.subject == Subject::Other {
            return Ok(());
        }
        let known = self.store.read(event.clone(), |event, tx| {
            Box::pin(async move {
                let order = match &event.subject {
                    Subject::Session(session) => Store::card_order_by_session(tx, session).await?,
                    Subject::Payment(payment) => Store::card_order_by_payment(tx, payment).await?,
                    Subject::Other => None,
                };
                Ok::<_, StoreError>((Store::knows_event(tx, &event.id).await?, order.map(|found| found.order.order_id)))
            })
        });
        let (done, mut order_id) = known.await?;
        if done {
            return Ok(());
        }
        if let (None, Subject::Payment(payment)) = (&order_id, &event.subject)
            && let Some(session) = self.stripe.session_of(payment).await?
        {
            let found = self.store.read(session.id, |session, tx| Box::pin(Store::card_order_by_session(tx, session))).await?;
            order_id = found.map(|found| found.order.order_id);
        }
        match order_id {
            Some(order_id) => self.look(&order_id, Some(event)).await,
            // Of something else that the Stripe account is used for.
            None => Ok(self.store.write(event.clone(), |event, tx| Box::pin(Store::keep_event(tx, &event.id, event.created))).await?),
        }
    }

    /// Asks Stripe about an order and takes the answer in.
    pub(crate) async fn look(&self, order_id: &str, event: Option<&Event>) -> Result<(), CardError> {
        for _ in 0..LOOKS_MAX {
            let begun = self.store.write(order_id.to_owned(), |order_id, tx| Box::pin(Store::begin_look(tx, order_id)));
            let (look, session) = begun.await?;
            let payment = self.stripe.payment(&session).await?;
            let work = Look { order_id: order_id.to_owned(), look, payment, event: event.cloned(), now: self.clock.now() };
            if let Some(taken_in) = self.store.write(work, |work, tx| Box::pin(work.take_in(tx))).await? {
                taken_in.tell(order_id, &self.metrics);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks again at what the ledger made of an order, without asking Stripe: holds may have ended.
    pub(crate) async fn settle_up(&self, order_id: &str) -> Result<(), StoreError> {
        let work = (order_id.to_owned(), self.clock.now());
        let settled = self.store.write(work, |(order_id, now), tx| {
            Box::pin(async move {
                Store::lock_card_order(tx, order_id).await?;
                let Some(stored) = Store::card_order(tx, order_id).await? else { return Ok(None) };
                if stored.paid.state != CardState::Paid {
                    return Ok(None);
                }
                let after = post(tx, &stored, stored.paid.clone(), *now).await?;
                Ok::<_, StoreError>(Some(TakenIn { before: stored.paid, after }))
            })
        });
        if let Some(taken_in) = settled.await? {
            taken_in.tell(order_id, &self.metrics);
        }
        Ok(())
    }
}

/// What Stripe said of an order's payment when it was asked.
struct Look {
    order_id: String,
    look: i64,
    payment: CardPayment,
    event: Option<Event>,
    now: DateTime<Utc>,
}

impl Look {
    /// `None` when a look that began later was taken in before.
    async fn take_in(&self, tx: &mut Tx) -> Result<Option<TakenIn>, StoreError> {
        if !Store::take_look_in(tx, &self.order_id, self.look).await? {
            return Ok(None);
        }
        if let Some(event) = &self.event {
            Store::keep_event(tx, &event.id, event.created).await?;
        }
        let Some(stored) = Store::card_order(tx, &self.order_id).await? else { return Ok(None) };
        let seen = self.seen(&stored);
        let after = if seen.state == CardState::Paid {
            post(tx, &stored, seen, self.now).await?
        } else {
            Store::set_card_paid(tx, &self.order_id, &seen).await?;
            seen
        };
        Ok(Some(TakenIn { before: stored.paid, after }))
    }

    /// What is known of the payment now. What was credited, and what was missing of it, is not for Stripe to say.
    fn seen(&self, stored: &CardOrder) -> CardPaid {
        let session = &self.payment.session;
        let payment = session.payment_intent.clone().or_else(|| stored.paid.payment.clone());
        let paid = CardPaid { payment, ..stored.paid.clone() };
        if paid.credited.is_some() && session.payment != PaymentStatus::Paid {
            return CardPaid { state: CardState::Held("it was paid and is not any more".into()), ..paid };
        }
        if session.order_id.as_ref() != Some(&self.order_id) {
            return CardPaid { state: CardState::Held("its session names another order".into()), ..paid };
        }
        match (session.payment, session.status) {
            (PaymentStatus::Paid, _) => match self.payment.received() {
                Some(received) if received == stored.order.price => {
                    CardPaid { state: CardState::Paid, received, returned: self.payment.returned(received), ..paid }
                }
                Some(other) => CardPaid { state: CardState::Held(format!("{other} USD were paid")), ..paid },
                None => CardPaid { state: CardState::Held("it was not paid in dollars".into()), ..paid },
            },
            (PaymentStatus::NoPaymentRequired, _) => CardPaid { state: CardState::Held("nothing had to be paid".into()), ..paid },
            (PaymentStatus::Unpaid | PaymentStatus::Unknown, SessionStatus::Expired) => CardPaid { state: CardState::Expired, ..paid },
            (PaymentStatus::Unpaid | PaymentStatus::Unknown, SessionStatus::Complete) => CardPaid { state: CardState::Processing, ..paid },
            (PaymentStatus::Unpaid | PaymentStatus::Unknown, SessionStatus::Open | SessionStatus::Unknown) => {
                CardPaid { state: CardState::Open, ..paid }
            }
        }
    }
}

/// Makes the ledger say what a paid order is worth, and writes down what came of it. A refusal of the ledger posts nothing and leaves the
/// order to a person.
async fn post(tx: &mut Tx, stored: &CardOrder, paid: CardPaid, now: DateTime<Utc>) -> Result<CardPaid, StoreError> {
    let order = &stored.order;
    let kept = paid.received.saturating_sub(paid.returned);
    let before = Store::card_batches(tx, order).await?;
    let after = match (kept.credits(), before.is_empty() && kept.is_zero()) {
        // Paid back before it was ever seen: there is nothing to post, and no account to open.
        (_, true) => CardPaid { missing: NanoCredits::ZERO, undecided: false, ..paid },
        (Err(error), false) => CardPaid { state: CardState::Held(error.to_string()), ..paid },
        (Ok(due), false) => {
            let account = match Store::account(tx, &order.account).await? {
                Some(account) => account,
                None => Store::open_account(tx, &order.account, None, now).await?,
            };
            match reconcile(&account, Purchase::by_card(&order.order_id), &before, due, now) {
                Err(refusal) => CardPaid { state: CardState::Held(refusal.to_string()), ..paid },
                Ok(done) => {
                    for step in done.steps {
                        Store::save(tx, step.before, step.account, &step.posted).await?;
                    }
                    for (number, batch) in done.batches.iter().enumerate().skip(before.len()) {
                        Store::add_card_batch(tx, order, number, batch).await?;
                    }
                    let credited = paid.credited.or((!done.batches.is_empty()).then_some(now));
                    CardPaid { credited, missing: done.missing, undecided: done.undecided, ..paid }
                }
            }
        }
    };
    if after.missing != stored.paid.missing {
        Store::add_shortfall(tx, order, &after, now).await?;
    }
    Store::set_card_paid(tx, &order.order_id, &after).await?;
    Ok(after)
}

impl TakenIn {
    /// To the log, and to what is counted.
    fn tell(&self, order: &str, metrics: &Metrics) {
        let Self { before, after } = self;
        if let CardState::Held(reason) = &after.state
            && before.state != after.state
        {
            tracing::error!(order, reason, "a payment by card is held");
            metrics.card_payment(CardPayments::Held);
        }
        if before.credited.is_none() && after.credited.is_some() {
            tracing::info!(order, received_usd = %after.received, "a payment by card was credited");
            metrics.card_payment(CardPayments::Credited);
        }
        if before.returned != after.returned {
            tracing::warn!(order, returned_usd = %after.returned, before_usd = %before.returned, "money of a payment by card moved back");
            metrics.card_payment(CardPayments::Returned);
        }
        if before.missing != after.missing {
            tracing::error!(order, missing_credits = %after.missing, "spent credits of a payment by card could not be taken back");
            metrics.card_missing(before.missing, after.missing);
        }
    }
}
