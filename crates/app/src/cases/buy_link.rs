//! Links of the app's own scheme: `aispace-wallet://buy?usd=25`. Any page can offer one, so it may name an amount and nothing else.

use crate::{
    Wallet,
    cases::amount::{dollars, in_dollars},
    state::LinkedAmount,
    view::{AmountRequest, AmountUnit, AppErrorCode, AppView, ErrorView},
};

const START: &str = "aispace-wallet://buy?";
const DIGITS_MAX: usize = 12;
const DECIMALS_MAX: usize = 18;

impl Wallet {
    /// Takes the amount of a link as what the next purchase begins with. Starts nothing.
    ///
    /// # Errors
    /// The link holds anything but one amount; or it is in ether, and there is no price.
    pub async fn open_buy_link(&self, text: String) -> Result<AppView, ErrorView> {
        let amount = amount(&text).ok_or_else(|| ErrorView::of(AppErrorCode::BuyLinkRefused))?;
        let usd = match amount.unit {
            AmountUnit::Usd => dollars(&amount.text),
            AmountUnit::Eth => in_dollars(&amount, self.own_price().await?.usd_per_eth),
            // Credits are dollars at any price.
            AmountUnit::Credits => in_dollars(&amount, "1".parse().map_err(ErrorView::internal)?),
        };
        let usd = usd.map_err(|_| ErrorView::of(AppErrorCode::BuyLinkRefused))?;
        self.change(|state| state.linked_amount = Some(LinkedAmount { usd }));
        self.answer()
    }

    /// Puts the suggested purchase away. That of a low balance comes back once the balance was not low in between.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn dismiss_prefill(&self) -> Result<AppView, ErrorView> {
        let linked = self.change(|state| state.linked_amount.take());
        if linked.is_none() {
            self.keep_preferences(|p| p.low_balance_dismissed = true).await?;
        }
        self.answer()
    }
}

/// The one amount of a link. What is not exactly the scheme, one known name and one plain number is refused whole: another name, a second
/// one, a fragment, a user, a port, a path, an escape, a blank.
fn amount(text: &str) -> Option<AmountRequest> {
    let (name, number) = text.strip_prefix(START)?.split_once('=')?;
    let unit = match name {
        "usd" => AmountUnit::Usd,
        "eth" => AmountUnit::Eth,
        "credits" => AmountUnit::Credits,
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.').map_or((number, None), |(whole, decimals)| (whole, Some(decimals)));
    let digits = |part: &str, most: usize| !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
    let plain = digits(whole, DIGITS_MAX) && decimals.is_none_or(|part| digits(part, DECIMALS_MAX));
    plain.then(|| AmountRequest { text: number.into(), unit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_amount_in_any_unit_is_taken() {
        for (text, number, unit) in [
            ("aispace-wallet://buy?usd=25", "25", AmountUnit::Usd),
            ("aispace-wallet://buy?usd=25.50", "25.50", AmountUnit::Usd),
            ("aispace-wallet://buy?eth=0.01", "0.01", AmountUnit::Eth),
            ("aispace-wallet://buy?credits=250000", "250000", AmountUnit::Credits),
        ] {
            assert_eq!(amount(text), Some(AmountRequest { text: number.into(), unit }));
        }
    }

    #[test]
    fn whatever_else_is_in_a_link_refuses_it_whole() {
        let tricks = [
            "aispace-wallet://buy",
            "aispace-wallet://buy?",
            "aispace-wallet://buy?usd",
            "aispace-wallet://buy?usd=",
            "aispace-wallet://buy?usd=25&to=0x00000000000000000000000000000000000000aa",
            "aispace-wallet://buy?to=0x00000000000000000000000000000000000000aa&usd=25",
            "aispace-wallet://buy?address=0xaa",
            "aispace-wallet://buy?recipient=0xaa&usd=1",
            "aispace-wallet://buy?usd=25&tag=ab",
            "aispace-wallet://buy?usd=25&usd=26",
            "aispace-wallet://buy?usd=25&credits=1",
            "aispace-wallet://buy?usd=25&",
            "aispace-wallet://buy?usd=25;eth=1",
            "aispace-wallet://buy?usd=25#to=0xaa",
            "aispace-wallet://buy?usd=25#",
            "aispace-wallet://me@buy?usd=25",
            "aispace-wallet://buy:80?usd=25",
            "aispace-wallet://buy/?usd=25",
            "aispace-wallet://buy/x?usd=25",
            "aispace-wallet:buy?usd=25",
            "AISPACE-WALLET://buy?usd=25",
            "aispace-wallet://BUY?usd=25",
            "aispace-wallet://pay?usd=25",
            "aispace-wallet://buy?USD=25",
            "aispace-wallet://buy?%75sd=25",
            "aispace-wallet://buy?usd=2%35",
            "aispace-wallet://buy?usd=+25",
            "aispace-wallet://buy?usd=-25",
            "aispace-wallet://buy?usd=2e9",
            "aispace-wallet://buy?usd=25 ",
            " aispace-wallet://buy?usd=25",
            "aispace-wallet://buy?usd=25\n",
            "aispace-wallet://buy?usd=25\0",
            "aispace-wallet://buy?usd=1,000",
            "aispace-wallet://buy?usd=.5",
            "aispace-wallet://buy?usd=5.",
            "aispace-wallet://buy?usd=1.2.3",
            "aispace-wallet://buy?usd=２５",
            "aispace-wallet://buy?usd=0x19",
            "aispace-wallet://buy?usd=9999999999999",
            "aispace-wallet://buy?pay=1&usd=25",
            "aispace-wallet://buy?usd==25",
            "https://aispace.example/buy?usd=25",
            "ethereum:0xaa@8453?value=1",
            "",
        ];
        for text in tricks {
            assert_eq!(amount(text), None, "{text:?}");
        }
    }

    proptest! {
        /// Whatever is taken is its own number and nothing else.
        #[test]
        fn what_is_taken_is_only_a_number(rest in "[a-z0-9=&.#%/@:+ -]{0,30}") {
            if let Some(taken) = amount(&format!("{START}{rest}")) {
                prop_assert!(taken.text.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
                prop_assert_eq!(rest.split('=').count(), 2);
                prop_assert!(rest.ends_with(&taken.text));
            }
        }
    }
}
