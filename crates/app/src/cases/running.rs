//! What goes on by itself: the account is read again and again, an open payment is moved on, an earlier one is resumed.

use crate::{Wallet, view::ProfileKind};
use std::time::Duration;

impl Wallet {
    /// Starts everything that goes on by itself. It ends with the runtime.
    pub fn start(&self) {
        let (syncing, paying) = (self.clone(), self.clone());
        tokio::spawn(async move { syncing.keep_syncing().await });
        tokio::spawn(async move { paying.keep_paying().await });
    }

    async fn keep_syncing(&self) {
        loop {
            // Each refusal is in the view; there is nobody else to tell.
            let _ = self.sync_now().await;
            let failures = self.state().connection.failures;
            tokio::time::sleep(self.wait_after(failures)).await;
        }
    }

    async fn keep_paying(&self) {
        self.recover_claims().await;
        let pause = match self.inner.fixed.profile.kind {
            ProfileKind::Sandbox => Duration::from_millis(500),
            ProfileKind::Live => Duration::from_secs(2),
        };
        loop {
            self.move_payment_on().await;
            tokio::time::sleep(pause).await;
        }
    }
}
