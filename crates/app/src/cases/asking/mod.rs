//! Asking an outside wallet, or a person, to pay; and taking what they say.
//!
//! The order, its claim secret and the wish to be paid are in keychain and journal before anybody is asked. What a wallet answers is a
//! hash to look up, nothing more. The app asks by itself only with bytes that a wallet knows already; every other question is the
//! person's.

mod browser;
mod connect;
mod hash;

use crate::{
    Wallet,
    opener::may_be_opened,
    record::{Attempt, AttemptKind, PaymentRecord},
    state::Asking,
    view::{AppErrorCode, AppView, AskView, BrowserStage, ConnectStage, ErrorView, LinkTarget, PayWay, PaymentState},
};
use aispace_payments::{
    links::{explorer_transaction_url, metamask_send_link},
    tag::OrderTag,
    wallet::{PaymentRequest, WalletAnswer},
};
use std::sync::PoisonError;
use zeroize::Zeroizing;

impl Wallet {
    /// Asks the outside wallet again, or opens the payment page again.
    ///
    /// # Errors
    /// Nobody was asked, the wallet is being asked or has answered, the quote is over, or the service cannot say that nothing has
    /// arrived.
    pub async fn ask_again(&self) -> Result<AppView, ErrorView> {
        let turn = self.inner.payment_turn.lock().await;
        let asked = self.state().payment.clone().filter(|p| p.state == PaymentState::Asked && p.transaction_hash.is_none());
        let mut payment = asked.ok_or_else(|| ErrorView::of(AppErrorCode::NotForThisPayment))?;
        if self.is_asking() {
            return Err(ErrorView::of(AppErrorCode::NotForThisPayment));
        }
        if payment.way != PayWay::Card {
            if !self.price_binds(&payment) {
                return Err(ErrorView::of(AppErrorCode::QuoteExpired));
            }
            // What the wallet sent although it did not say so would be paid twice.
            self.take_service_word(&mut payment).await?;
        }
        let has_arrived = payment.state != PaymentState::Asked;
        self.keep_progress(payment).await?;
        drop(turn);
        if !has_arrived {
            self.begin_asking();
        }
        self.move_payment_on().await;
        self.answer()
    }

    /// Opens something of a payment outside the window, at an address that is made here.
    ///
    /// # Errors
    /// The payment has no such thing, or nothing opens it.
    pub async fn open_link(&self, order_id: String, target: LinkTarget) -> Result<AppView, ErrorView> {
        let url = self.link(&order_id, &target)?;
        self.open_outside(&url)?;
        self.answer()
    }

    fn link(&self, order_id: &str, target: &LinkTarget) -> Result<Zeroizing<String>, ErrorView> {
        let none = || ErrorView::of(AppErrorCode::NotForThisPayment);
        let state = self.state();
        let payment = state.payment.iter().chain(&state.payments).find(|p| p.order_id == order_id);
        let payment = payment.ok_or_else(|| ErrorView::of(AppErrorCode::OrderUnknown))?;
        let ask = state.ask.as_ref().filter(|ask| ask.order_id == order_id);
        let page = || ask.and_then(|ask| ask.page.clone()).ok_or_else(none);
        match (target, payment.way) {
            (LinkTarget::Explorer, _) => {
                let hash = payment.transaction_hash.as_deref().ok_or_else(none)?;
                Ok(Zeroizing::new(explorer_transaction_url(super::payment_chain::parsed(hash)?)))
            }
            (LinkTarget::MetaMask, PayWay::Link) if payment.state == PaymentState::Asked => {
                Ok(Zeroizing::new(metamask_send_link(payment.value_wei)))
            }
            (LinkTarget::BrowserPage, PayWay::Browser) | (LinkTarget::Checkout, PayWay::Card) => page(),
            (LinkTarget::Phone { name }, PayWay::WalletConnect) => match ask.map(|ask| &ask.view) {
                Some(AskView::WalletConnect { links, .. }) => {
                    let link = links.iter().find(|link| link.name == *name).ok_or_else(none)?;
                    Ok(Zeroizing::new(link.url.clone()))
                }
                _ => Err(none()),
            },
            _ => Err(none()),
        }
    }

    /// Opens an address that this app made.
    pub(crate) fn open_outside(&self, url: &str) -> Result<(), ErrorView> {
        if !may_be_opened(url) {
            return Err(ErrorView::of(AppErrorCode::CannotOpen));
        }
        self.inner.opener.open(url).map_err(|error| {
            tracing::warn!(%error, "an address could not be opened");
            ErrorView::of(AppErrorCode::CannotOpen)
        })
    }

    /// Begins to ask whoever is to make the open payment, unless that is under way.
    pub(crate) fn begin_asking(&self) {
        let asked = self.state().payment.clone().filter(|p| p.state == PaymentState::Asked && p.transaction_hash.is_none());
        let Some(payment) = asked else { return };
        let wallet = self.clone();
        let task = match payment.way {
            PayWay::Browser => tokio::spawn(async move { wallet.ask_browser(payment).await }),
            PayWay::WalletConnect => tokio::spawn(async move { wallet.ask_connected(payment).await }),
            PayWay::Card => tokio::spawn(async move { wallet.open_checkout(&payment.order_id).await }),
            // A code to be scanned asks by being there; the app's own wallet is not asked.
            PayWay::Link | PayWay::SpendingWallet => return,
        };
        let before = self.inner.asking.lock().unwrap_or_else(PoisonError::into_inner).replace(task.abort_handle());
        if let Some(before) = before {
            before.abort();
        }
    }

    /// Ends asking: an open page or connection closes.
    pub(crate) fn end_asking(&self) {
        if let Some(task) = self.inner.asking.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        self.change(|state| state.ask = None);
    }

    /// Whether a page or a connection waits for an answer now. One that was refused or closed does not.
    pub(crate) fn is_asking(&self) -> bool {
        let running = self.inner.asking.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|task| !task.is_finished());
        let state = self.state();
        let over = match state.ask.as_ref().map(|ask| &ask.view) {
            Some(AskView::Browser { stage, .. }) => matches!(stage, BrowserStage::Rejected | BrowserStage::Closed),
            Some(AskView::WalletConnect { stage, .. }) => matches!(stage, ConnectStage::Rejected | ConnectStage::Closed),
            Some(AskView::Link { .. } | AskView::Card { .. }) | None => true,
        };
        running && !over
    }

    /// Shows how far asking is, while it is asked.
    pub(crate) fn show_ask(&self, order_id: &str, view: AskView, page: Option<&str>) {
        let ask = Asking { order_id: order_id.into(), view, page: page.map(|page| Zeroizing::new(page.into())) };
        self.change(|state| {
            if state.payment.as_ref().is_some_and(|p| p.order_id == ask.order_id) {
                state.ask = Some(ask);
            }
        });
    }

    /// Takes what a wallet says it sent: a hash to look up.
    pub(crate) async fn take_answer(&self, order_id: &str, answer: &WalletAnswer) -> Result<(), ErrorView> {
        let turn = self.inner.payment_turn.lock().await;
        let asked = self.state().payment.clone().filter(|p| p.order_id == order_id && p.state == PaymentState::Asked);
        // Found without it meanwhile, or given up: then the service finds it.
        let Some(mut payment) = asked else { return Ok(()) };
        let hash = answer.hash.to_string();
        payment.wallet_name = Some(answer.wallet.clone());
        payment.from = Some(answer.from.to_string());
        if payment.attempts.iter().all(|a| a.hash != hash) {
            payment.attempts.push(Attempt { hash: hash.clone(), raw: None, kind: AttemptKind::Pay, made: Some(self.corrected_now()) });
        }
        payment.transaction_hash = Some(hash);
        self.keep_progress(payment).await?;
        drop(turn);
        self.move_payment_on().await;
        Ok(())
    }

    async fn open_checkout(&self, order_id: &str) {
        // The page's address comes with the order; it is opened once it is known.
        let mut changes = self.changes();
        loop {
            let page = self.state().ask.as_ref().filter(|ask| ask.order_id == order_id).and_then(|ask| ask.page.clone());
            if let Some(page) = page {
                if let Err(error) = self.open_outside(&page) {
                    self.change(|state| state.payment_trouble = Some(error));
                }
                return;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// What an outside wallet is asked.
pub(crate) fn request_of(payment: &PaymentRecord) -> Result<PaymentRequest, ErrorView> {
    let tag: OrderTag = payment.tag.as_deref().unwrap_or_default().parse().map_err(ErrorView::internal)?;
    Ok(PaymentRequest::tagged(payment.value_wei, tag))
}
