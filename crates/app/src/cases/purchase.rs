//! From an amount typed to a reviewed transaction. Nothing is signed here.

use crate::{
    Wallet,
    cases::amount::in_dollars,
    project,
    record::PaymentRecord,
    state::{Review, Session},
    view::{AmountRequest, AppErrorCode, BuyPreviewView, ErrorView, PayWay, ReviewView},
};
use aispace_api::{OrderAnswer, OrderRequest, PayMethod};
use aispace_client::IdempotencyKey;
use aispace_keychain::SecretName;
use aispace_payments::{OsEntropy, price::PriceReport, tag::ClaimSecret, transfer};
use aispace_units::{Usd, credits_for_wei, wei_for_usd};
use chrono::TimeDelta;
use uuid::Uuid;

/// For how long the app's own rate is shown before it is read anew.
pub(crate) const RATE_HOLDS_SECONDS: u32 = 30;

impl Wallet {
    /// What an amount of dollars buys at the app's own live rate. Nothing is ordered.
    ///
    /// # Errors
    /// Not an amount, or too few price sources agree.
    pub async fn preview_purchase(&self, amount: AmountRequest) -> Result<BuyPreviewView, ErrorView> {
        let price = self.own_price().await?;
        let usd = in_dollars(&amount, price.usd_per_eth)?;
        let value = wei_for_usd(usd, price.usd_per_eth)?;
        let credits = credits_for_wei(value, price.usd_per_eth)?;
        let now = self.corrected_now();
        let state = self.state();
        project::preview(&state, usd, credits, value, &price, now)
    }

    /// Orders at the service and builds the transaction that would pay; signs nothing.
    ///
    /// # Errors
    /// A payment is open, prices or nodes do not agree, the service asks for something else than its price gives, or the
    /// wallet does not hold enough.
    pub async fn review_purchase(&self, amount: AmountRequest, way: PayWay) -> Result<ReviewView, ErrorView> {
        if way != PayWay::SpendingWallet {
            return Err(ErrorView::of(AppErrorCode::WayUnavailable));
        }
        let own = self.own_price().await?;
        let usd = in_dollars(&amount, own.usd_per_eth)?;
        let _turn = self.inner.payment_turn.lock().await;
        self.recover_claims().await?;
        if self.state().payment.as_ref().is_some_and(PaymentRecord::is_open) {
            return Err(ErrorView::of(AppErrorCode::PaymentOpen));
        }
        self.load_key().await;
        // A key that is there but cannot be read now would be replaced by the one that an order without it brings.
        if let Session::KeyUnavailable { error, .. } = &self.state().session {
            return Err(error.clone());
        }
        self.ensure_spending_wallet().await;
        let from = self.state().wallet.as_ref().map(|w| w.address);
        let Some(from) = from else { return Err(self.why_no_wallet().await) };
        self.check_caps(usd).await?;
        self.await_first_ether().await;
        let secret = ClaimSecret::generate(&mut OsEntropy).map_err(ErrorView::internal)?;
        let request = OrderRequest { usd, method: PayMethod::Eth, tag: secret.tag().to_string() };
        let key = self.state().key();
        let asked = self.inner.clock.now();
        let order = self.inner.service.create_order(key.as_deref(), &request, &IdempotencyKey::from_uuid(Uuid::new_v4())).await?;
        self.check_order(&order, usd)?;
        let binds_until = asked + (order.quote.expires - order.server_time);
        let prepared = transfer::prepare(&self.nodes(), from, order.quote.value_wei, secret.tag()).await?;
        let now = self.corrected_now();
        self.change(|state| {
            let view = project::review(state, &order, &prepared, &own, now)?;
            state.review = Some(Review { order, prepared, secret, binds_until });
            Ok(view)
        })
    }

    /// The service's price binds, but only if its own figures follow from it.
    fn check_order(&self, order: &OrderAnswer, usd: Usd) -> Result<(), ErrorView> {
        let quote = &order.quote;
        let value = wei_for_usd(usd, quote.usd_per_eth)?;
        let right = order.usd == usd && quote.value_wei == value && quote.credits == credits_for_wei(value, quote.usd_per_eth)?;
        if !right {
            return Err(ErrorView::of(AppErrorCode::QuoteWrong));
        }
        if quote.expires <= order.server_time {
            return Err(ErrorView::of(AppErrorCode::QuoteExpired));
        }
        Ok(())
    }

    /// The app's own rate, at most [`RATE_HOLDS_SECONDS`] old.
    pub(crate) async fn own_price(&self) -> Result<PriceReport, ErrorView> {
        let now = self.inner.clock.now();
        let kept = self.state().price.clone();
        if let Some(report) = kept.filter(|r| now >= r.at && now < r.at + TimeDelta::seconds(i64::from(RATE_HOLDS_SECONDS))) {
            return Ok(report);
        }
        match self.network().prices.read(now).await {
            Ok(report) => {
                self.change(|state| {
                    state.readings.clone_from(&report.sources);
                    state.price = Some(report.clone());
                });
                Ok(report)
            }
            Err(error) => {
                self.change(|state| {
                    state.readings = error.readings().to_vec();
                    state.price = None;
                });
                Err(error.into())
            }
        }
    }

    async fn why_no_wallet(&self) -> ErrorView {
        match self.inner.keychain.get(&SecretName::spending_key()).await {
            Ok(None) => ErrorView::of(AppErrorCode::NoSpendingWallet),
            Ok(Some(_)) => ErrorView::of(AppErrorCode::KeychainFailed),
            Err(error) => error.into(),
        }
    }
}
