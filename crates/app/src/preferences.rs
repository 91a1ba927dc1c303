//! What a person has set, kept in the local store. It holds no secret.

use crate::{
    reminding::ReminderSettings,
    view::{DisplayView, Language, Motion, TextSize},
};
use aispace_units::{NanoCredits, Usd};
use serde::{Deserialize, Serialize};

/// Dollars that one payment of the spending wallet may be until a person says otherwise.
const CAP_PAYMENT_USD: &str = "250";
/// Dollars that a UTC day's payments of it may come to until a person says otherwise.
const CAP_DAY_USD: &str = "500";

/// Settings beside the theme. A field that an older app did not write has its usual value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Preferences {
    pub(crate) version: u32,
    /// Nodes in place of the profile's.
    pub(crate) nodes: Option<Vec<String>>,
    pub(crate) walletconnect_project: Option<String>,
    /// Below this balance a purchase is suggested.
    pub(crate) low_balance_usd: Option<Usd>,
    /// Whether the suggestion was put away; forgotten as soon as the balance is not low any more.
    pub(crate) low_balance_dismissed: bool,
    pub(crate) cap_payment_usd: Usd,
    pub(crate) cap_day_usd: Usd,
    /// Credits that a person means to spend in a UTC day.
    pub(crate) budget_day: Option<NanoCredits>,
    /// The same for a UTC month.
    pub(crate) budget_month: Option<NanoCredits>,
    /// Whether a person removed the spending wallet: then the sandbox makes none by itself.
    pub(crate) wallet_removed: bool,
    /// Address of the wallet that a person has a copy of.
    pub(crate) backed_up: Option<String>,
    pub(crate) language: Language,
    /// Whether every amount is masked, in the window and outside of it.
    pub(crate) hide_amounts: bool,
    pub(crate) motion: Motion,
    pub(crate) text_size: TextSize,
    pub(crate) reminders: ReminderSettings,
    /// Whether closing the window leaves the app in the tray, where there is one.
    pub(crate) keep_in_tray: bool,
}

impl Preferences {
    /// What the window is told of itself.
    pub(crate) fn display(&self) -> DisplayView {
        DisplayView { language: self.language, hide_amounts: self.hide_amounts, motion: self.motion, text_size: self.text_size }
    }

    /// Takes what a person set about the window.
    pub(crate) fn set_display(&mut self, display: DisplayView) {
        (self.language, self.hide_amounts) = (display.language, display.hide_amounts);
        (self.motion, self.text_size) = (display.motion, display.text_size);
    }
}

impl Default for Preferences {
    fn default() -> Self {
        let dollars = |text: &str| text.parse().expect("the amount in the source is one");
        Self {
            version: 1,
            nodes: None,
            walletconnect_project: None,
            low_balance_usd: None,
            low_balance_dismissed: false,
            cap_payment_usd: dollars(CAP_PAYMENT_USD),
            cap_day_usd: dollars(CAP_DAY_USD),
            budget_day: None,
            budget_month: None,
            wallet_removed: false,
            backed_up: None,
            language: Language::System,
            hide_amounts: false,
            motion: Motion::System,
            text_size: TextSize::Usual,
            reminders: ReminderSettings::default(),
            keep_in_tray: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_app_wrote_is_read_and_the_rest_is_usual() {
        let read: Preferences = serde_json::from_str(r#"{"version":1,"cap_day_usd":"7"}"#).unwrap();
        assert_eq!(read, Preferences { cap_day_usd: "7".parse().unwrap(), ..Preferences::default() });
    }

    #[test]
    fn what_was_set_about_the_window_is_kept_as_the_window_says_it() {
        let display =
            DisplayView { language: Language::ChineseSimplified, hide_amounts: true, motion: Motion::Less, text_size: TextSize::Large };
        let mut preferences = Preferences::default();
        preferences.set_display(display);
        let kept = serde_json::to_value(preferences).unwrap();
        let said = ["language", "hide_amounts", "motion", "text_size"].map(|field| kept[field].to_string());
        assert_eq!(said, [r#""zh-Hans""#, "true", r#""less""#, r#""large""#]);
        assert_eq!(serde_json::from_value::<Preferences>(kept).unwrap().display(), display);
    }
}
