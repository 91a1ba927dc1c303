//! A payment from the click to the credited batch, however it is paid.
//!
//! Kept, then sent or asked for: keychain and journal have the claim secret and the signed bytes before any node, wallet or person
//! gets anything, so an app that is killed at any point goes on with the same bytes and the same order. The same bytes can be mined
//! only once; an outside wallet is asked again only when the person says so.

use super::payment_service::order_id;
use crate::{
    Wallet, project,
    record::{Attempt, AttemptKind, PaymentRecord, QuoteSnapshot},
    state::Review,
    view::{AppErrorCode, AppView, ErrorView, Finality, NoticeView, PayWay, PaymentState, PaymentView},
};
use aispace_api::AnyOrderAnswer;
use aispace_payments::transfer;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

impl Wallet {
    /// Pays what was reviewed: signs, keeps and sends it, or keeps the order and asks whoever is to pay.
    ///
    /// # Errors
    /// The quote ran out, nothing was reviewed under this id, a payment is open, or the keychain does not answer. Nothing was
    /// sent and nobody was asked then.
    pub async fn pay(&self, order_id: String) -> Result<AppView, ErrorView> {
        let turn = self.inner.payment_turn.lock().await;
        self.recover_claims().await?;
        if self.state().payment.as_ref().is_some_and(PaymentRecord::is_open) {
            return Err(ErrorView::of(AppErrorCode::PaymentOpen));
        }
        let way = self.state().review.as_ref().filter(|r| r.order_id() == order_id).map(|r| r.way);
        let key = match way.ok_or_else(|| ErrorView::of(AppErrorCode::NothingToPay))? {
            PayWay::SpendingWallet => Some(self.spending_key().await?),
            PayWay::Browser | PayWay::WalletConnect | PayWay::Link | PayWay::Card => None,
        };
        // Nobody signs in between here and the journal: the key that this payment brings would replace theirs.
        let session = self.inner.session_turn.lock().await;
        let review = self.take_review(&order_id)?;
        let mut payment = self.begun(&review);
        if let (Some(key), Some(prepared)) = (&key, &review.prepared) {
            if let Err(error) = self.check_caps(payment.usd).await {
                self.change(|state| state.review = Some(review));
                return Err(error);
            }
            let signed = transfer::sign(prepared, key)?;
            payment.from = Some(signed.from.to_string());
            payment.nonce = Some(signed.nonce);
            payment.add_attempt(AttemptKind::Pay, &signed, self.corrected_now());
        }
        drop(key);
        if let Err(error) = self.keep_payment(&review, &payment).await {
            self.change(|state| state.review = Some(review));
            return Err(error);
        }
        self.change(|state| state.show_payment(payment));
        drop((turn, session));
        self.begin_asking();
        self.move_payment_on().await;
        self.answer()
    }

    /// One payment, with all that is known of it.
    ///
    /// # Errors
    /// No payment is known under this order's id.
    pub fn payment(&self, order_id: String) -> Result<PaymentView, ErrorView> {
        let state = self.state();
        let found = state.payment.iter().chain(&state.payments).find(|p| p.order_id == order_id);
        found.map(|p| project::payment(&state, p)).ok_or_else(|| ErrorView::of(AppErrorCode::OrderUnknown))
    }

    /// Takes a finished payment off the screen.
    ///
    /// # Errors
    /// It is still under way.
    pub async fn put_payment_away(&self) -> Result<AppView, ErrorView> {
        let _turn = self.inner.payment_turn.lock().await;
        let payment = self.state().payment.clone();
        if let Some(mut payment) = payment {
            if payment.is_open() {
                return Err(ErrorView::of(AppErrorCode::PaymentOpen));
            }
            payment.put_away = true;
            self.keep_progress(payment.clone()).await?;
            // Of a finished payment nothing is left to claim; should the keychain refuse, a stray secret harms nobody. Where one
            // may yet arrive, the secret is the only way to its credits.
            if !payment.may_still_arrive() {
                let _ = self.drop_claim(&payment.order_id).await;
            }
        }
        self.change(|state| {
            state.payment = None;
            state.payment_trouble = None;
            state.notices.retain(|n| !matches!(n, NoticeView::PaymentResumed));
        });
        self.answer()
    }

    /// Stops waiting for a payment that an outside wallet or a person was asked for. Should it arrive yet, it is taken up again.
    ///
    /// # Errors
    /// Nobody was asked, or it was made.
    pub async fn stop_waiting(&self) -> Result<AppView, ErrorView> {
        let _turn = self.inner.payment_turn.lock().await;
        let asked = self.state().payment.clone().filter(|p| p.state == PaymentState::Asked);
        let mut payment = asked.ok_or_else(|| ErrorView::of(AppErrorCode::NotForThisPayment))?;
        payment.reach(PaymentState::Abandoned, self.corrected_now());
        self.keep_progress(payment).await?;
        self.end_asking();
        let wallet = self.clone();
        tokio::spawn(async move { wallet.end_connection().await });
        self.change(|state| state.payment_trouble = None);
        self.answer()
    }

    /// Writes how far a payment is, and shows it.
    pub(crate) async fn keep_progress(&self, payment: PaymentRecord) -> Result<(), ErrorView> {
        self.inner.store.journal(&payment).await?;
        self.change(|state| state.keep(payment));
        Ok(())
    }

    /// Keeps a payment in keychain and journal; or makes sure that it is never sent.
    async fn keep_payment(&self, review: &Review, payment: &PaymentRecord) -> Result<(), ErrorView> {
        // The keychain first: with the store lost, the keychain alone is enough to go on.
        if let Err(error) = self.keep_claim(review.secret.expose_hex(), payment).await {
            // It may yet write what it did not confirm. A payment that the journal knows to be dropped is not taken up.
            let mut dropped = payment.clone();
            dropped.reach(PaymentState::Dropped, self.corrected_now());
            dropped.put_away = true;
            dropped.never_sent = true;
            let _ = self.inner.store.journal(&dropped).await;
            return Err(error);
        }
        if let Err(error) = self.inner.store.journal(payment).await {
            // Else the next start would take up a payment of which was said that it was not sent.
            let _ = self.drop_claim(&payment.order_id).await;
            return Err(error.into());
        }
        Ok(())
    }

    fn take_review(&self, order_id: &str) -> Result<Review, ErrorView> {
        let now = self.reading();
        let mut state = self.state();
        let matching = state.review.as_ref().is_some_and(|r| r.order_id() == order_id);
        let review = if matching { state.review.take() } else { None };
        let review = review.ok_or_else(|| ErrorView::of(AppErrorCode::NothingToPay))?;
        if now.since(&review.asked) >= review.binds { Err(ErrorView::of(AppErrorCode::QuoteExpired)) } else { Ok(review) }
    }

    /// The record of a payment that begins now.
    fn begun(&self, review: &Review) -> PaymentRecord {
        let now = self.corrected_now();
        let (usd, credits, value_wei, quote, top_up) = match &review.order {
            AnyOrderAnswer::Eth(order) => {
                let asked = if review.way == PayWay::Link { order.quote.unique_value_wei } else { order.quote.value_wei };
                (order.usd, order.quote.credits, asked, Some(QuoteSnapshot::of(&order.quote)), order.top_up)
            }
            AnyOrderAnswer::Card(order) => (order.usd, order.credits, aispace_units::Wei::ZERO, None, order.top_up),
        };
        let begins = if review.way == PayWay::SpendingWallet { PaymentState::Signed } else { PaymentState::Asked };
        let mut payment = PaymentRecord {
            order_id: review.order_id().into(),
            state: begins,
            usd,
            credits,
            value_wei,
            fee_wei: None,
            way: review.way,
            wallet_name: None,
            from: None,
            nonce: None,
            transaction_hash: None,
            raw: None,
            attempts: Vec::new(),
            block_number: None,
            block_time: None,
            gas_used: None,
            paid_wei: None,
            tag: Some(review.secret.tag().to_string()),
            quote,
            finality: Finality::Unconfirmed,
            remarks: BTreeSet::new(),
            batch: None,
            claimable: None,
            connect_asked: None,
            overtaken: None,
            never_sent: false,
            top_up,
            account_id: review.account_id.clone(),
            reached: BTreeMap::new(),
            firm: BTreeMap::new(),
            put_away: false,
        };
        payment.reach(begins, now);
        payment
    }

    /// Moves the open payment on as far as it goes now. What stands in the way is shown and tried again.
    pub(crate) async fn move_payment_on(&self) {
        let Ok(_turn) = self.inner.payment_turn.try_lock() else { return };
        loop {
            let payment = self.state().payment.clone();
            let Some(before) = payment.filter(PaymentRecord::is_open) else { return };
            let mut after = before.clone();
            let trouble = self.one_step(&mut after).await.err();
            if after != before && self.inner.store.journal(&after).await.is_err() {
                let failed = ErrorView::of(AppErrorCode::StoreFailed).with("reason", "the payment's progress could not be saved");
                self.change(|state| state.payment_trouble = Some(failed));
                return;
            }
            let moved = after.state != before.state;
            self.change(|state| {
                state.keep(after);
                state.payment_trouble = trouble;
            });
            if !moved {
                return;
            }
        }
    }

    async fn one_step(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        match payment.state {
            PaymentState::Asked if payment.way == PayWay::Card => self.look_at_card(payment).await,
            PaymentState::Asked => self.look_for_arrival(payment).await,
            PaymentState::Signed => self.send(payment).await,
            PaymentState::Sent | PaymentState::Seen => self.look_for_receipt(payment).await,
            PaymentState::Confirmed => self.ask_whether_credited(payment).await,
            PaymentState::Credited => self.collect(payment).await,
            PaymentState::Done
            | PaymentState::Held
            | PaymentState::Reverted
            | PaymentState::Dropped
            | PaymentState::Cancelled
            | PaymentState::Abandoned => Ok(()),
        }
    }

    /// Whether the service still binds itself to the price of a payment.
    pub(crate) fn price_binds(&self, payment: &PaymentRecord) -> bool {
        payment.quote.as_ref().is_none_or(|quote| self.corrected_now() < quote.expires)
    }

    /// How far the service says that an order is, unless it was asked just now.
    pub(crate) async fn order_now(&self, payment: &PaymentRecord) -> Result<AnyOrderAnswer, ErrorView> {
        Ok(self.inner.service.any_order(&order_id(payment)?).await?)
    }
}

impl PaymentRecord {
    /// Takes a transaction of the app's own that is about to be sent.
    pub(crate) fn add_attempt(&mut self, kind: AttemptKind, signed: &transfer::SignedPayment, at: DateTime<Utc>) {
        let hash = signed.hash.to_string();
        self.attempts.push(Attempt { hash: hash.clone(), raw: Some(hex::encode(&signed.raw)), kind, made: Some(at) });
        self.transaction_hash = Some(hash);
    }
}
