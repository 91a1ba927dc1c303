//! What goes on by itself: the account is read again and again, an open payment is moved on, an earlier one is resumed.

use crate::{
    Wallet,
    record::PaymentRecord,
    view::{KeychainState, ProfileKind},
};
use std::time::Duration;

/// How many usual pauses lie between two looks at the accounts that do not show.
const OTHERS_PAUSES: u32 = 5;

impl Wallet {
    /// Starts everything that goes on by itself. It ends with the runtime.
    pub fn start(&self) {
        let (syncing, others, looking) = (self.clone(), self.clone(), self.clone());
        let (paying, watching, filling, waking) = (self.clone(), self.clone(), self.clone(), self.clone());
        tokio::spawn(async move { syncing.keep_syncing().await });
        tokio::spawn(async move { others.keep_syncing_others().await });
        tokio::spawn(async move { looking.keep_looking_at_chain().await });
        tokio::spawn(async move { paying.keep_paying().await });
        tokio::spawn(async move { watching.keep_watching().await });
        tokio::spawn(async move { filling.keep_filling_usage().await });
        tokio::spawn(async move { waking.keep_watching_clock().await });
    }

    async fn keep_watching(&self) {
        let mut leaps = self.inner.leaps.subscribe();
        loop {
            self.rest(&mut leaps, self.wait_after(0)).await;
            self.look_at_earlier_payments().await;
        }
    }

    async fn keep_syncing(&self) {
        let mut leaps = self.inner.leaps.subscribe();
        loop {
            // Each refusal is in the view; there is nobody else to tell.
            self.load_key().await;
            let _ = self.sync_account().await;
            self.inner.looked.notify_one();
            let failures = self.state().connection.failures;
            self.rest(&mut leaps, self.wait_after(failures)).await;
        }
    }

    /// The accounts that do not show are read less often, and apart from the one that does.
    async fn keep_syncing_others(&self) {
        let mut leaps = self.inner.leaps.subscribe();
        loop {
            let read = self.state().keys_listed;
            self.sync_others().await;
            // Right after the start the keychain may not have answered yet.
            let pauses = if read { OTHERS_PAUSES } else { 1 };
            self.rest(&mut leaps, self.wait_after(0).saturating_mul(pauses)).await;
        }
    }

    /// Apart from the account, so that a chain that hangs does not make its figures old.
    async fn keep_looking_at_chain(&self) {
        let mut leaps = self.inner.leaps.subscribe();
        loop {
            self.ensure_spending_wallet().await;
            self.look_at_chain().await;
            self.rest(&mut leaps, self.wait_after(0)).await;
        }
    }

    /// A keychain that was locked when the app started may hold a payment that the journal has lost.
    async fn recover_when_possible(&self) {
        let possible = {
            let state = self.state();
            !state.claims_recovered && state.keychain == KeychainState::Ready
        };
        if possible && let Ok(_turn) = self.inner.payment_turn.try_lock() {
            // Asked again in the next round; until then nothing can be paid, and paying says why.
            let _ = self.recover_claims().await;
        }
    }

    async fn keep_paying(&self) {
        let pause = match self.inner.fixed.profile.kind {
            ProfileKind::Sandbox => Duration::from_millis(500),
            ProfileKind::Live => Duration::from_secs(2),
        };
        let (mut has_listened, mut changes) = (false, self.changes());
        loop {
            // What changes from here on is seen in the next round.
            changes.mark_unchanged();
            self.recover_when_possible().await;
            if !has_listened && self.state().claims_recovered {
                has_listened = true;
                self.hear_open_question().await;
            }
            self.move_payment_on().await;
            if self.has_payment_work() {
                tokio::time::sleep(pause).await;
            } else if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether there is something to move on or to recover that no change of the view announces. Without, an app at rest stays asleep.
    fn has_payment_work(&self) -> bool {
        let state = self.state();
        let may_recover = !state.claims_recovered && state.keychain == KeychainState::Ready;
        may_recover || state.payment.as_ref().is_some_and(PaymentRecord::is_open)
    }
}
