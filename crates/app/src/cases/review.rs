//! From an amount to a reviewed order. Nothing is signed here, and nobody is asked.

use crate::{
    Wallet,
    cases::amount::in_dollars,
    project,
    record::PaymentRecord,
    state::{Review, Session},
    view::{AmountRequest, AmountUnit, AppErrorCode, ErrorView, PayWay, ReviewView},
};
use aispace_api::{AnyOrderAnswer, CardOrderAnswer, OrderAnswer, OrderRequest, PayMethod};
use aispace_client::{IdempotencyKey, SecureKey};
use aispace_keychain::SecretName;
use aispace_payments::{EthAddress, OsEntropy, chain::ChainAgreement, price::PriceReport, tag::ClaimSecret, transfer};
use aispace_units::{EthUsdPrice, Usd, credits_for_wei, usd_for_credits, wei_for_usd};
use rust_decimal::Decimal;
use std::sync::Arc;
use uuid::Uuid;

/// Steps of the amounts by which payments without a tag are told apart, and how many of them the service may go up: a hundredth of a
/// cent or so in all.
const UNIQUE_STEP_WEI: u128 = 10_000_000_000;
const UNIQUE_STEPS_MAX: u128 = 10_000;

impl Wallet {
    /// Orders at the service and builds what would pay; signs nothing and asks nobody.
    ///
    /// # Errors
    /// A payment is open, the way is not to be had, prices or nodes do not agree, the service asks for something else than its
    /// price gives, or the spending wallet does not hold enough.
    pub async fn review_purchase(&self, amount: AmountRequest, way: PayWay) -> Result<ReviewView, ErrorView> {
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
        // Whose account is credited is said before anything is paid.
        let unread = {
            let state = self.state();
            state.key().is_some() && state.known.is_none()
        };
        if unread {
            self.sync_account().await?;
        }
        if !project::has_way(&self.state(), &self.inner.fixed, way) {
            return Err(ErrorView::of(AppErrorCode::WayUnavailable));
        }
        // Dollars mean themselves: no rate is needed for a card.
        let own =
            if way == PayWay::Card && amount.unit != AmountUnit::Eth { self.own_price().await.ok() } else { Some(self.own_price().await?) };
        let rate = own.as_ref().map_or(EthUsdPrice::new(Decimal::ONE), |own| Ok(own.usd_per_eth))?;
        let usd = in_dollars(&amount, rate)?;
        match way {
            PayWay::Card => self.review_card(usd).await,
            PayWay::SpendingWallet => {
                let payer = self.own_payer().await?;
                self.check_caps(usd).await?;
                self.review_ether(usd, way, Some(payer)).await
            }
            PayWay::Browser | PayWay::WalletConnect | PayWay::Link => self.review_ether(usd, way, None).await,
        }
    }

    async fn own_payer(&self) -> Result<EthAddress, ErrorView> {
        self.ensure_spending_wallet().await;
        let from = self.state().wallet.as_ref().map(|w| w.address);
        let Some(from) = from else { return Err(self.why_no_wallet().await) };
        self.await_first_ether().await;
        Ok(from)
    }

    async fn review_ether(&self, usd: Usd, way: PayWay, payer: Option<EthAddress>) -> Result<ReviewView, ErrorView> {
        let own = self.own_price().await?;
        let secret = ClaimSecret::generate(&mut OsEntropy).map_err(ErrorView::internal)?;
        let request = OrderRequest { usd, method: PayMethod::Eth, tag: secret.tag().to_string() };
        let (key, account_id) = self.payee();
        let asked = self.reading();
        let order = self.inner.service.create_order(key.as_deref(), &request, &IdempotencyKey::from_uuid(Uuid::new_v4())).await?;
        check_order(&order, usd, way)?;
        let binds = order.quote.expires - order.server_time;
        let (prepared, agreement) = match payer {
            Some(from) => {
                let prepared = transfer::prepare(&self.nodes(), from, order.quote.value_wei, secret.tag()).await?;
                let agreement = ChainAgreement { agree: prepared.nodes_agree, asked: prepared.nodes_asked };
                (Some(prepared), agreement)
            }
            None => (None, self.nodes().check_chain().await?),
        };
        let now = self.corrected_now();
        self.change(|state| {
            let reviewed = project::Reviewed {
                way,
                account_id: account_id.as_deref(),
                order: &order,
                prepared: prepared.as_ref(),
                agreement,
                own: &own,
            };
            let view = project::review(state, &reviewed, secret.tag(), now)?;
            state.review = Some(Review { way, order: AnyOrderAnswer::Eth(order), prepared, secret, account_id, asked, binds });
            Ok(view)
        })
    }

    async fn review_card(&self, usd: Usd) -> Result<ReviewView, ErrorView> {
        let own = self.own_price().await.ok();
        let secret = ClaimSecret::generate(&mut OsEntropy).map_err(ErrorView::internal)?;
        let request = OrderRequest { usd, method: PayMethod::Card, tag: secret.tag().to_string() };
        let (key, account_id) = self.payee();
        let asked = self.reading();
        let order = self.inner.service.create_card_order(key.as_deref(), &request, &IdempotencyKey::from_uuid(Uuid::new_v4())).await?;
        check_card(&order, usd)?;
        let binds = order.expires - order.server_time;
        let now = self.corrected_now();
        self.change(|state| {
            let view =
                project::review_card(state, &order, account_id.as_deref(), own.as_ref().map(|own: &PriceReport| own.usd_per_eth), now);
            state.review =
                Some(Review { way: PayWay::Card, order: AnyOrderAnswer::Card(order), prepared: None, secret, account_id, asked, binds });
            Ok(view)
        })
    }

    /// Whose account an order is for: that of the key which shows, else one that it opens.
    fn payee(&self) -> (Option<Arc<SecureKey>>, Option<String>) {
        let state = self.state();
        let key = state.key();
        let account_id = key.as_ref().and(state.known.as_ref()).map(|known| known.answer.account_id.clone());
        (key, account_id)
    }

    async fn why_no_wallet(&self) -> ErrorView {
        match self.inner.keychain.get(&SecretName::spending_key()).await {
            Ok(None) => ErrorView::of(AppErrorCode::NoSpendingWallet),
            Ok(Some(_)) => ErrorView::of(AppErrorCode::KeychainFailed),
            Err(error) => error.into(),
        }
    }
}

/// The service's price binds, but only if its own figures follow from it.
fn check_order(order: &OrderAnswer, usd: Usd, way: PayWay) -> Result<(), ErrorView> {
    let quote = &order.quote;
    let value = wei_for_usd(usd, quote.usd_per_eth)?;
    let right = order.usd == usd && quote.value_wei == value && quote.credits == credits_for_wei(value, quote.usd_per_eth)?;
    let unique = quote.unique_value_wei.get();
    let most = value.get().saturating_add(UNIQUE_STEP_WEI.saturating_mul(UNIQUE_STEPS_MAX));
    let unique_right = unique >= value.get() && unique <= most && unique.checked_rem(UNIQUE_STEP_WEI) == Some(0);
    if !right || (way == PayWay::Link && !unique_right) {
        return Err(ErrorView::of(AppErrorCode::QuoteWrong));
    }
    if quote.expires <= order.server_time {
        return Err(ErrorView::of(AppErrorCode::QuoteExpired));
    }
    Ok(())
}

/// A card pays dollars: what they buy follows from no price.
fn check_card(order: &CardOrderAnswer, usd: Usd) -> Result<(), ErrorView> {
    if order.usd != usd || usd_for_credits(order.credits)? != usd || order.method != PayMethod::Card || order.checkout_url.is_none() {
        return Err(ErrorView::of(AppErrorCode::QuoteWrong));
    }
    if order.expires <= order.server_time { Err(ErrorView::of(AppErrorCode::QuoteExpired)) } else { Ok(()) }
}
