//! Claim secrets of open payments, in the keychain, each with what is needed to go on should the local store be lost.

use crate::{
    Wallet,
    cases::{payment_service::is_older_than, payment_watch::ARRIVAL_DAYS},
    record::PaymentRecord,
    view::{AppErrorCode, ErrorView, NoticeView},
};
use aispace_keychain::{KeychainError, Secret, SecretName};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
struct OpenClaims {
    version: u32,
    claims: Vec<OpenClaim>,
}

#[derive(Serialize, Deserialize)]
struct OpenClaim {
    secret: Zeroizing<String>,
    payment: PaymentRecord,
}

impl Wallet {
    /// Keeps a claim secret with its signed payment, and believes that only once the keychain gives it back. Only after this
    /// may the payment be sent.
    pub(crate) async fn keep_claim(&self, secret: Zeroizing<String>, payment: &PaymentRecord) -> Result<(), ErrorView> {
        let mut open = self.open_claims().await?;
        open.claims.retain(|c| c.payment.order_id != payment.order_id);
        open.claims.push(OpenClaim { secret: secret.clone(), payment: payment.clone() });
        self.write_claims(&open).await?;
        let kept = self.claim_secret(&payment.order_id).await?;
        if kept.is_some_and(|kept| *kept == *secret) { Ok(()) } else { Err(ErrorView::of(AppErrorCode::KeychainFailed)) }
    }

    /// The claim secret of an order, 64 hex digits.
    pub(crate) async fn claim_secret(&self, order_id: &str) -> Result<Option<Zeroizing<String>>, KeychainError> {
        Ok(self.open_claims().await?.claims.into_iter().find(|c| c.payment.order_id == order_id).map(|c| c.secret))
    }

    /// Forgets the claim secret of an order that is done with.
    pub(crate) async fn drop_claim(&self, order_id: &str) -> Result<(), KeychainError> {
        let mut open = self.open_claims().await?;
        open.claims.retain(|c| c.payment.order_id != order_id);
        self.write_claims(&open).await
    }

    /// Takes up payments that the keychain knows of and the journal does not: the local store was lost, or the app was killed
    /// between the two writes. Whoever calls this has the payments' turn.
    ///
    /// # Errors
    /// The keychain or the store does not answer: then this is to be asked again, and nothing may be paid before.
    pub(crate) async fn recover_claims(&self) -> Result<(), ErrorView> {
        if self.state().claims_recovered {
            return Ok(());
        }
        let open = self.open_claims().await?;
        let journaled = self.inner.store.payments().await?;
        self.forget_old_claims(&open, &journaled).await;
        self.take_attempts(&open, &journaled).await?;
        let under_way = self.state().payment.as_ref().is_some_and(PaymentRecord::is_open);
        let mut lost = open.claims.into_iter().map(|c| c.payment).filter(|p| journaled.iter().all(|j| j.order_id != p.order_id));
        // One at a time: a second one is looked for when the app starts again.
        let lost = if under_way { None } else { lost.next() };
        if let Some(payment) = &lost {
            self.inner.store.journal(payment).await?;
        }
        self.change(|state| {
            state.claims_recovered = true;
            if let Some(payment) = lost {
                state.show_payment(payment);
                state.notice(NoticeView::PaymentResumed);
            }
        });
        Ok(())
    }

    /// A replacement that was kept here and killed before the journal had it: it may be mined all the same.
    async fn take_attempts(&self, open: &OpenClaims, journaled: &[PaymentRecord]) -> Result<(), ErrorView> {
        for claim in &open.claims {
            let known = journaled.iter().find(|p| p.order_id == claim.payment.order_id && p.is_open());
            if let Some(known) = known.filter(|known| claim.payment.attempts.len() > known.attempts.len()) {
                let attempts = claim.payment.attempts.clone();
                self.keep_progress(PaymentRecord { attempts, ..known.clone() }).await?;
            }
        }
        Ok(())
    }

    /// Secrets of payments that are done with, or could have arrived for long enough.
    async fn forget_old_claims(&self, open: &OpenClaims, journaled: &[PaymentRecord]) {
        let now = self.corrected_now();
        let is_over = |p: &PaymentRecord| !p.is_open() && (!p.may_still_arrive() || is_older_than(p.since(), ARRIVAL_DAYS, now));
        for payment in open.claims.iter().filter_map(|c| journaled.iter().find(|p| p.order_id == c.payment.order_id)) {
            if is_over(payment) {
                // Tried again at the next start.
                let _ = self.drop_claim(&payment.order_id).await;
            }
        }
    }

    async fn open_claims(&self) -> Result<OpenClaims, KeychainError> {
        let none = OpenClaims { version: 1, claims: Vec::new() };
        let Some(secret) = self.inner.keychain.get(&SecretName::open_claims()).await? else { return Ok(none) };
        let unreadable = || KeychainError::Failed { detail: "the open claims cannot be read".into() };
        let mut open: OpenClaims = serde_json::from_slice(secret.expose()).map_err(|_| unreadable())?;
        open.claims = open.claims.into_iter().map(|c| OpenClaim { payment: c.payment.upgraded(), ..c }).collect();
        if open.version == 1 { Ok(open) } else { Err(unreadable()) }
    }

    async fn write_claims(&self, open: &OpenClaims) -> Result<(), KeychainError> {
        if open.claims.is_empty() {
            return self.inner.keychain.delete(&SecretName::open_claims()).await;
        }
        let bytes = serde_json::to_vec(open).map_err(|_| KeychainError::Failed { detail: "the open claims cannot be written".into() })?;
        self.inner.keychain.set(&SecretName::open_claims(), &Secret::new(bytes)).await
    }
}
