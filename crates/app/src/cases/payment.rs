//! A payment from the click to the credited batch.
//!
//! Signed, journaled, then sent: the journal and the keychain have the signed bytes before any node does, so an app that is
//! killed at any point goes on with the same bytes. The same bytes can be mined only once.

use crate::{
    Wallet, project,
    record::{Attempt, AttemptKind, PaymentRecord, QuoteSnapshot},
    state::{Review, Session},
    view::{AppErrorCode, AppView, ErrorView, Finality, KeyKeeping, LinkTarget, NoticeView, PayWay, PaymentState, PaymentView},
};
use aispace_api::SealedSecret;
use aispace_client::{ClaimStep, OrderId};
use aispace_payments::{
    EthAddress, TransactionHash,
    chain::{BroadcastOutcome, ChainError, ReceiptStatus},
    transfer,
};
use chrono::TimeDelta;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// After how long the same bytes are sent again to nodes that do not know them.
const RESEND_AFTER_SECONDS: i64 = 20;

impl Wallet {
    /// Signs the reviewed payment, keeps it, and sends it.
    ///
    /// # Errors
    /// The quote ran out, nothing was reviewed under this id, a payment is open, or the keychain does not answer. Nothing was
    /// sent then.
    pub async fn pay(&self, order_id: String) -> Result<AppView, ErrorView> {
        let turn = self.inner.payment_turn.lock().await;
        self.recover_claims().await?;
        if self.state().payment.as_ref().is_some_and(PaymentRecord::is_open) {
            return Err(ErrorView::of(AppErrorCode::PaymentOpen));
        }
        let key = self.spending_key().await?;
        // Nobody signs in between here and the journal: the key that this payment brings would replace theirs.
        let session = self.inner.session_turn.lock().await;
        let review = self.take_review(&order_id)?;
        if let Err(error) = self.check_caps(review.order.usd).await {
            self.change(|state| state.review = Some(review));
            return Err(error);
        }
        let signed = transfer::sign(&review.prepared, &key)?;
        drop(key);
        let payment = self.signed_record(&review, &signed);
        if let Err(error) = self.keep_payment(&review, &payment).await {
            self.change(|state| state.review = Some(review));
            return Err(error);
        }
        self.change(|state| {
            state.payment = Some(payment);
            state.payment_trouble = None;
        });
        drop((turn, session));
        self.move_payment_on().await;
        self.answer()
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
            self.inner.store.journal(&payment).await?;
            // Of a finished payment nothing is left to claim; should the keychain refuse, a stray secret harms nobody. A dropped
            // one keeps its secret: were the nodes wrong, it would be the only way to the credits.
            if payment.state != PaymentState::Dropped {
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

    /// One payment, with all that is known of it.
    ///
    /// # Errors
    /// No payment is known under this order's id.
    pub fn payment(&self, order_id: String) -> Result<PaymentView, ErrorView> {
        let state = self.state();
        let found = state.payment.iter().chain(&state.payments).find(|p| p.order_id == order_id);
        found.map(|p| project::payment(&state, p)).ok_or_else(|| ErrorView::of(AppErrorCode::OrderUnknown))
    }

    /// Asks the outside wallet again.
    ///
    /// # Errors
    /// It was not asked, or has answered.
    pub async fn ask_again(&self) -> Result<AppView, ErrorView> {
        Err(ErrorView::of(AppErrorCode::NotForThisPayment))
    }

    /// Stops waiting for a payment that nobody may make any more.
    ///
    /// # Errors
    /// It was made, or nobody was asked.
    pub async fn stop_waiting(&self) -> Result<AppView, ErrorView> {
        Err(ErrorView::of(AppErrorCode::NotForThisPayment))
    }

    /// Takes the hash of the transaction that paid.
    ///
    /// # Errors
    /// It is none, or not of this payment.
    pub async fn report_hash(&self, _hash: String) -> Result<AppView, ErrorView> {
        Err(ErrorView::of(AppErrorCode::NotForThisPayment))
    }

    /// Sends the payment again with higher fees, in the place of the first.
    ///
    /// # Errors
    /// It is not one of the app's own wallet, or is mined.
    pub async fn speed_up(&self) -> Result<AppView, ErrorView> {
        Err(ErrorView::of(AppErrorCode::NotForThisPayment))
    }

    /// Sends a transaction that pays nothing in the place of the payment.
    ///
    /// # Errors
    /// It is not one of the app's own wallet, or is mined.
    pub async fn cancel_payment(&self) -> Result<AppView, ErrorView> {
        Err(ErrorView::of(AppErrorCode::NotForThisPayment))
    }

    /// Opens something of a payment outside the window.
    ///
    /// # Errors
    /// The payment has no such thing.
    pub async fn open_link(&self, _order_id: String, _target: LinkTarget) -> Result<AppView, ErrorView> {
        Err(ErrorView::of(AppErrorCode::NotForThisPayment))
    }

    /// Keeps a signed payment in keychain and journal; or makes sure that it is never sent.
    async fn keep_payment(&self, review: &Review, payment: &PaymentRecord) -> Result<(), ErrorView> {
        // The keychain first: with the store lost, the keychain alone is enough to go on.
        if let Err(error) = self.keep_claim(review.secret.expose_hex(), payment).await {
            // It may yet write what it did not confirm. A payment that the journal knows to be dropped is not taken up.
            let mut dropped = payment.clone();
            dropped.reach(PaymentState::Dropped, self.corrected_now());
            dropped.put_away = true;
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
        let now = self.inner.clock.now();
        let mut state = self.state();
        let matching = state.review.as_ref().is_some_and(|r| r.order.order_id == order_id);
        let review = if matching { state.review.take() } else { None };
        let review = review.ok_or_else(|| ErrorView::of(AppErrorCode::NothingToPay))?;
        if now >= review.binds_until { Err(ErrorView::of(AppErrorCode::QuoteExpired)) } else { Ok(review) }
    }

    fn signed_record(&self, review: &Review, signed: &transfer::SignedPayment) -> PaymentRecord {
        let order = &review.order;
        let made = self.corrected_now();
        let attempt =
            Attempt { hash: signed.hash.to_string(), raw: Some(hex::encode(&signed.raw)), kind: AttemptKind::Pay, made: Some(made) };
        let used = order.quote.sources.iter().filter(|s| s.used).map(|s| s.name.clone()).collect();
        let mut payment = PaymentRecord {
            order_id: review.order.order_id.clone(),
            state: PaymentState::Signed,
            usd: review.order.usd,
            credits: review.order.quote.credits,
            value_wei: review.prepared.value_wei,
            fee_wei: None,
            way: PayWay::SpendingWallet,
            wallet_name: None,
            from: Some(signed.from.to_string()),
            nonce: Some(signed.nonce),
            transaction_hash: Some(signed.hash.to_string()),
            raw: None,
            attempts: vec![attempt],
            block_number: None,
            block_time: None,
            gas_used: None,
            paid_wei: None,
            tag: review.prepared.tag.map(|tag| tag.to_string()),
            quote: Some(QuoteSnapshot {
                usd_per_eth: order.quote.usd_per_eth,
                sources: used,
                quoted: order.quote.quoted,
                expires: order.quote.expires,
            }),
            finality: Finality::Unconfirmed,
            remarks: BTreeSet::new(),
            batch: None,
            top_up: review.order.top_up,
            reached: BTreeMap::new(),
            firm: BTreeMap::new(),
            put_away: false,
        };
        payment.reach(PaymentState::Signed, made);
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
                state.payment = Some(after);
                state.payment_trouble = trouble;
            });
            if !moved {
                return;
            }
        }
    }

    async fn one_step(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        match payment.state {
            PaymentState::Signed => self.send(payment).await,
            PaymentState::Sent | PaymentState::Seen => self.look_for_receipt(payment).await,
            PaymentState::Confirmed => self.ask_whether_credited(payment).await,
            PaymentState::Credited => self.collect(payment).await,
            PaymentState::Asked
            | PaymentState::Done
            | PaymentState::Held
            | PaymentState::Reverted
            | PaymentState::Dropped
            | PaymentState::Cancelled
            | PaymentState::Abandoned => Ok(()),
        }
    }

    async fn send(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let raw = newest_raw(payment)?;
        self.nodes().check_chain().await?;
        match self.nodes().broadcast(&raw).await {
            Ok(sent) => {
                payment.reach(PaymentState::Sent, self.corrected_now());
                // A used nonce is this very payment, mined before a restart, or another one's: the receipt tells.
                if sent.outcome != BroadcastOutcome::NonceTooLow {
                    tracing::info!(hash = payment.transaction_hash, "payment sent");
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn look_for_receipt(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let hash = payment.transaction_hash.as_deref().unwrap_or_default();
        let hash: TransactionHash = hash.parse().map_err(ErrorView::internal)?;
        let receipt = self.nodes().receipt(hash).await?;
        let now = self.corrected_now();
        let Some(receipt) = receipt else { return self.still_waiting(payment, hash).await };
        payment.reached.entry(PaymentState::Seen).or_insert(now);
        payment.block_number = Some(receipt.block_number);
        payment.fee_wei = receipt.fee_wei();
        payment.gas_used = Some(receipt.gas_used);
        match receipt.status {
            ReceiptStatus::Succeeded => {
                payment.reach(PaymentState::Confirmed, now);
                payment.firm_up(Finality::Confirmed, now);
            }
            ReceiptStatus::Reverted => {
                payment.reach(PaymentState::Reverted, now);
                return Err(ErrorView::of(AppErrorCode::PaymentReverted));
            }
        }
        Ok(())
    }

    /// No receipt yet: seen, lost on the way, or overtaken by another transaction of the wallet.
    async fn still_waiting(&self, payment: &mut PaymentRecord, hash: TransactionHash) -> Result<(), ErrorView> {
        let now = self.corrected_now();
        if self.nodes().transaction_known(hash).await? {
            payment.reach(PaymentState::Seen, now);
            return Ok(());
        }
        let from: EthAddress = payment.from.as_deref().unwrap_or_default().parse().map_err(ErrorView::internal)?;
        let overtaken = self.nodes().mined_nonce(from).await? > payment.nonce.unwrap_or_default();
        // Asked again after the nonce, so that a block between the two questions does not count as overtaking.
        if overtaken && self.nodes().receipt(hash).await?.is_none() {
            payment.reach(PaymentState::Dropped, now);
            return Err(ErrorView::of(AppErrorCode::PaymentDropped));
        }
        let sent = payment.reached.get(&PaymentState::Sent).copied().unwrap_or(now);
        if now - sent > TimeDelta::seconds(RESEND_AFTER_SECONDS) {
            let raw = newest_raw(payment)?;
            match self.nodes().broadcast(&raw).await {
                Ok(_) => {}
                Err(ChainError::Refused { reason }) => return Err(ErrorView::of(AppErrorCode::SimulationFailed).with("reason", reason)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn ask_whether_credited(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let order = self.inner.service.order(&order_id(payment)?).await?;
        if order.credited_credits.is_zero() {
            return Ok(());
        }
        payment.credits = order.credited_credits;
        payment.reach(PaymentState::Credited, self.corrected_now());
        Ok(())
    }

    /// Presents the claim secret, keeps the key, and only then lets the service and the keychain forget the secret.
    async fn collect(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let order = order_id(payment)?;
        let secret = self.claim_secret(&payment.order_id).await?;
        let secret = secret.ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))?;
        let sealed = || SealedSecret::new(secret.to_string());
        let claimed = self.inner.service.claim(&order, sealed(), ClaimStep::Collect).await?;
        if let Some(key) = claimed.secure_key {
            let _turn = self.inner.session_turn.lock().await;
            let keeping = self.keep_key(&key).await?;
            self.change(|state| state.session = Session::SignedIn { key: Arc::new(key), keeping });
            // A key that is in memory only must stay claimable: nothing is acknowledged until a keychain has it.
            if keeping == KeyKeeping::MemoryOnly {
                return Err(ErrorView::of(AppErrorCode::KeychainAbsent));
            }
        }
        self.inner.service.claim(&order, sealed(), ClaimStep::Acknowledge).await?;
        payment.credits = claimed.credited_credits;
        payment.reach(PaymentState::Done, self.corrected_now());
        // The journal says "done" before the secret goes; a secret left behind opens nothing twice.
        self.inner.store.journal(payment).await?;
        let _ = self.drop_claim(&payment.order_id).await;
        let _ = self.sync_account().await;
        self.look_at_chain().await;
        Ok(())
    }
}

/// The signed bytes of the newest transaction of the app's own.
fn newest_raw(payment: &PaymentRecord) -> Result<Vec<u8>, ErrorView> {
    let raw = payment.attempts.iter().rev().find_map(|a| a.raw.as_deref());
    hex::decode(raw.unwrap_or_default()).map_err(ErrorView::internal)
}

fn order_id(payment: &PaymentRecord) -> Result<OrderId, ErrorView> {
    OrderId::parse(&payment.order_id).map_err(ErrorView::internal)
}
