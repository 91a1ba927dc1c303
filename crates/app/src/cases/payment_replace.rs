//! Another transaction in the place of a payment of the app's own wallet that is not mined: dearer, or one that pays nothing.
//!
//! Both have the payment's nonce, so at most one of all is ever mined; the chain says which.

use crate::{
    Wallet,
    cases::payment_chain::{newest_raw, parsed},
    record::{AttemptKind, PaymentRecord},
    view::{AppErrorCode, AppView, ErrorView, PayWay, PaymentState},
};
use aispace_payments::transfer::{self, ReplacementKind, SignedPayment, TransferError};

impl Wallet {
    /// Sends the payment again with higher fees, in the place of the first.
    ///
    /// # Errors
    /// It is not one of the app's own wallet, is mined or was cancelled, fees are too high, or the wallet does not hold enough.
    /// Nothing new was sent then.
    pub async fn speed_up(&self) -> Result<AppView, ErrorView> {
        self.replace(ReplacementKind::SpeedUp).await
    }

    /// Sends a transaction that pays nothing in the place of the payment. Which of the two is mined, only the chain says.
    ///
    /// # Errors
    /// As [`Wallet::speed_up`].
    pub async fn cancel_payment(&self) -> Result<AppView, ErrorView> {
        self.replace(ReplacementKind::Cancel).await
    }

    async fn replace(&self, kind: ReplacementKind) -> Result<AppView, ErrorView> {
        let turn = self.inner.payment_turn.lock().await;
        let payment = self.state().payment.clone().filter(|p| may_replace(p, kind));
        let mut payment = payment.ok_or_else(|| ErrorView::of(AppErrorCode::NotForThisPayment))?;
        let newest = newest_of(&payment)?;
        let nodes = &self.nodes();
        let replacement = match kind {
            ReplacementKind::SpeedUp => transfer::speed_up(nodes, &newest).await,
            ReplacementKind::Cancel => transfer::cancel(nodes, &newest).await,
        };
        let replacement = replacement.map_err(|error| match error {
            TransferError::NonceUsed { .. } => ErrorView::of(AppErrorCode::NotForThisPayment),
            other => other.into(),
        })?;
        let signed = transfer::sign_replacement(&replacement, &self.spending_key().await?)?;
        let attempt = match kind {
            ReplacementKind::SpeedUp => AttemptKind::SpeedUp,
            ReplacementKind::Cancel => AttemptKind::Cancel,
        };
        payment.add_attempt(attempt, &signed, self.corrected_now());
        // As for the first one: kept before anybody has it, so that whichever is mined is known.
        let secret = self.claim_secret(&payment.order_id).await?.ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))?;
        self.keep_claim(secret, &payment).await?;
        self.keep_progress(payment).await?;
        let sent = nodes.broadcast(&signed.raw).await;
        self.change(|state| state.payment_trouble = sent.err().map(ErrorView::from));
        drop(turn);
        self.move_payment_on().await;
        self.answer()
    }
}

/// Whether a replacement may be sent at all.
pub(crate) fn may_replace(payment: &PaymentRecord, kind: ReplacementKind) -> bool {
    let waits = matches!(payment.state, PaymentState::Sent | PaymentState::Seen) && payment.way == PayWay::SpendingWallet;
    let cancelling = payment.attempts.iter().any(|a| a.kind == AttemptKind::Cancel);
    waits && (kind == ReplacementKind::Cancel || !cancelling)
}

fn newest_of(payment: &PaymentRecord) -> Result<SignedPayment, ErrorView> {
    let newest = payment.attempts.iter().rev().find(|a| a.raw.is_some());
    let (Some(newest), Some(from), Some(nonce)) = (newest, &payment.from, payment.nonce) else {
        return Err(ErrorView::of(AppErrorCode::NotForThisPayment));
    };
    let from = from.parse().map_err(ErrorView::internal)?;
    Ok(SignedPayment { hash: parsed(&newest.hash)?, raw: newest_raw(payment)?, from, nonce })
}
