//! From an amount typed to what it buys. Nothing is ordered here.

use crate::{
    Wallet,
    cases::amount::in_dollars,
    project,
    view::{AmountRequest, BuyPreviewView, ErrorView},
};
use aispace_payments::price::PriceReport;
use aispace_units::{credits_for_wei, wei_for_usd};
use chrono::TimeDelta;

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
        project::preview(&state, &self.inner.fixed, usd, credits, value, &price, now)
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
}
