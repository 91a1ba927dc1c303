//! A wallet in the person's browser.

use super::request_of;
use crate::{
    Wallet,
    project::instant,
    record::PaymentRecord,
    view::{AppErrorCode, AskView, BrowserStage, ErrorView},
};
use aispace_payments::{
    EthAddress, OsEntropy,
    bridge::{BRIDGE_LIFETIME, Bridge, BridgeHandle, BridgeRequest, BridgeState, PageLanguage},
    wallet::MatchingCode,
};
use chrono::TimeDelta;
use rust_decimal::Decimal;
use std::time::Duration;

/// How long the page stays after the wallet's answer, so that it can say so.
const FAREWELL: Duration = Duration::from_secs(30);

impl Wallet {
    /// Serves the page and follows it until it is over.
    pub(crate) async fn ask_browser(&self, payment: PaymentRecord) {
        if let Err(error) = self.serve_page(&payment).await {
            self.change(|state| state.payment_trouble = Some(error));
        }
    }

    async fn serve_page(&self, payment: &PaymentRecord) -> Result<(), ErrorView> {
        let code = MatchingCode::generate(&mut OsEntropy).map_err(ErrorView::internal)?;
        let request = BridgeRequest {
            payment: request_of(payment)?,
            code: code.clone(),
            credits: grouped(&payment.credits.to_string()),
            usd: dollars(payment),
            language: if self.language().is_chinese() { PageLanguage::ChineseSimplified } else { PageLanguage::English },
        };
        let page = Bridge::open(request, &mut OsEntropy, BRIDGE_LIFETIME).map_err(|error| {
            tracing::warn!(%error, "no page can be served");
            ErrorView::of(AppErrorCode::CannotOpen)
        })?;
        let closes = instant(self.corrected_now() + TimeDelta::from_std(BRIDGE_LIFETIME).unwrap_or_default());
        // The browser gets the address; the window gets it only when no browser took it.
        self.show_ask(&payment.order_id, seen(&BridgeState::Opening, &code, &closes, None), Some(page.url()));
        let unopened = self.open_outside(page.url()).err().map(|_| page.url().to_string());
        self.follow_page(payment, &page, &code, &closes, unopened).await
    }

    async fn follow_page(
        &self,
        payment: &PaymentRecord,
        page: &BridgeHandle,
        code: &MatchingCode,
        closes: &str,
        unopened: Option<String>,
    ) -> Result<(), ErrorView> {
        let mut stages = page.stages();
        loop {
            let stage = stages.borrow_and_update().clone();
            // Once a page is open the token in its address is used up.
            let url = if stage == BridgeState::Opening { unopened.clone() } else { None };
            self.show_ask(&payment.order_id, seen(&stage, code, closes, url), Some(page.url()));
            match stage {
                BridgeState::Answered(answer) => {
                    self.take_answer(&payment.order_id, &answer).await?;
                    tokio::time::sleep(FAREWELL).await;
                    return Ok(());
                }
                BridgeState::Closed { .. } => return Ok(()),
                _ => {}
            }
            if stages.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}

/// A stage as the window shows it.
fn seen(stage: &BridgeState, code: &MatchingCode, closes: &str, url: Option<String>) -> AskView {
    let named = |wallet: &String, account: &EthAddress| (Some(wallet.clone()), Some(account.to_string()));
    let (stage, (wallet, account)) = match stage {
        BridgeState::Opening => (BrowserStage::Opening, (None, None)),
        BridgeState::PageOpen => (BrowserStage::PageOpen, (None, None)),
        BridgeState::WalletChosen { wallet, account } => (BrowserStage::WalletChosen, named(wallet, account)),
        BridgeState::WrongChain { wallet, account } => (BrowserStage::WrongChain, named(wallet, account)),
        BridgeState::Asked { wallet, account } => (BrowserStage::Asked, named(wallet, account)),
        BridgeState::Rejected { wallet, account } => (BrowserStage::Rejected, named(wallet, account)),
        BridgeState::Answered(answer) => (BrowserStage::Answered, named(&answer.wallet, &answer.from)),
        BridgeState::Closed { .. } => (BrowserStage::Closed, (None, None)),
    };
    AskView::Browser { stage, code: code.to_string(), wallet, account, closes: closes.into(), url }
}

/// Digits in groups of three.
fn grouped(amount: &str) -> String {
    let (whole, fraction) = amount.split_once('.').map_or((amount, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits: Vec<char> = whole.chars().collect();
    let groups: Vec<String> = digits.rchunks(3).rev().map(|group| group.iter().collect()).collect();
    let whole = groups.join(",");
    fraction.map_or(whole.clone(), |fraction| format!("{whole}.{fraction}"))
}

fn dollars(payment: &PaymentRecord) -> String {
    let usd: Decimal = payment.usd.to_string().parse().unwrap_or_default();
    let text = if usd.scale() <= 2 { format!("{usd:.2}") } else { usd.to_string() };
    format!("${}", grouped(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_as_people_read_them() {
        for (amount, said) in [("5", "5"), ("250000", "250,000"), ("1000", "1,000"), ("12345678.5", "12,345,678.5"), ("100.25", "100.25")] {
            assert_eq!(grouped(amount), said);
        }
    }
}
