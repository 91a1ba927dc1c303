//! Links of the app's own schemes. Any page can offer one, so a link of `aispace:` names a place in the window and nothing else, and one of
//! `aispace-wallet:` an amount and nothing else (`buy_link`).

use crate::{
    Wallet,
    view::{AppErrorCode, AppView, ErrorView, LedView, PlaceView},
};

const START: &str = "aispace://";
const ORDER_ID_CHARS_MAX: usize = 80;

impl Wallet {
    /// Follows a link of either scheme. It leads somewhere or names an amount; it starts nothing.
    ///
    /// # Errors
    /// The link is anything else.
    pub async fn open_link_from_outside(&self, text: String) -> Result<AppView, ErrorView> {
        match place(&text) {
            Some(place) => self.lead_to(place),
            None if text.starts_with(START) => Err(ErrorView::of(AppErrorCode::BuyLinkRefused)),
            None => self.open_buy_link(text).await,
        }
    }

    /// Leads the window to a place.
    ///
    /// # Errors
    /// The payment is not known.
    pub fn lead_to(&self, place: PlaceView) -> Result<AppView, ErrorView> {
        if let PlaceView::Payment { order_id } = &place {
            self.payment(order_id.clone())?;
        }
        self.change(|state| {
            let serial = state.led.as_ref().map_or(0, |led| led.serial).wrapping_add(1);
            state.led = Some(LedView { serial, place });
        });
        self.answer()
    }
}

/// The place that a link names. What is not exactly the scheme and one known name is refused whole: a parameter, a fragment, a user, a port,
/// an escape, a blank.
fn place(text: &str) -> Option<PlaceView> {
    match text.strip_prefix(START)? {
        "overview" => Some(PlaceView::Overview),
        "batches" => Some(PlaceView::Batches),
        "estimate" => Some(PlaceView::Estimate),
        "buy" => Some(PlaceView::Buy),
        "usage" => Some(PlaceView::Usage),
        "settings" => Some(PlaceView::Settings),
        other => {
            let order_id = other.strip_prefix("payment/")?;
            let plain = order_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            let known = plain && !order_id.is_empty() && order_id.len() <= ORDER_ID_CHARS_MAX;
            known.then(|| PlaceView::Payment { order_id: order_id.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_is_taken() {
        for (text, there) in [
            ("aispace://overview", PlaceView::Overview),
            ("aispace://batches", PlaceView::Batches),
            ("aispace://estimate", PlaceView::Estimate),
            ("aispace://buy", PlaceView::Buy),
            ("aispace://usage", PlaceView::Usage),
            ("aispace://settings", PlaceView::Settings),
            ("aispace://payment/or_9bd69b2e-1", PlaceView::Payment { order_id: "or_9bd69b2e-1".into() }),
        ] {
            assert_eq!(place(text), Some(there));
        }
    }

    #[test]
    fn whatever_else_is_in_a_link_refuses_it_whole() {
        for text in [
            "",
            "aispace:",
            "aispace://",
            "aispace:overview",
            "aispace:/overview",
            "AISPACE://overview",
            "aispace://Overview",
            "aispace://overview/",
            "aispace://overview?usd=25",
            "aispace://overview#x",
            "aispace://buy?usd=25",
            "aispace://buy?to=0x00000000000000000000000000000000000000aa",
            "aispace://buy/25",
            "aispace://me@buy",
            "aispace://buy:80",
            "aispace://pay",
            "aispace://pay/or_1",
            "aispace://sign_out",
            "aispace://settings/network?node=https://evil.example",
            "aispace://onboarding",
            "aispace://payment",
            "aispace://payment/",
            "aispace://payment/or_1/pay",
            "aispace://payment/or_1?pay=1",
            "aispace://payment/../settings",
            "aispace://payment/%6fr_1",
            "aispace://payment/or 1",
            "aispace://overview ",
            " aispace://overview",
            "aispace://overview\n",
            "aispace://overview\0",
            "aispace://\u{202e}weivrevo",
            "https://aispace.example/overview",
            "file:///etc/passwd",
        ] {
            assert_eq!(place(text), None, "{text:?}");
        }
        assert_eq!(place(&format!("{START}payment/{}", "x".repeat(ORDER_ID_CHARS_MAX + 1))), None);
    }

    proptest! {
        /// Whatever leads anywhere is the scheme, a name, and for a payment its plain id: nothing that could carry more.
        #[test]
        fn what_leads_somewhere_carries_nothing(rest in "[a-z_/?&=#@:%. 0-9-]{0,24}|payment/[a-z0-9_?=/-]{0,12}") {
            if place(&format!("{START}{rest}")).is_some() {
                let carries_more = rest.bytes().any(|b| b"?&=#@:%. ".contains(&b));
                prop_assert!(!carries_more);
            }
        }
    }
}
