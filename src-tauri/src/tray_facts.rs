//! What the tray says, and what can be done from it.

use crate::{saying::account_name, words::Words};
use aispace_app::view::AppView;
use chrono::{DateTime, FixedOffset, Utc};

/// What can be done from the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrayAction {
    /// Show the window, or hide it.
    Open,
    /// Ask the service now.
    Sync,
    /// Show the estimate.
    Estimate,
    /// Show the purchase.
    Buy,
    /// Hide amounts, or show them.
    Hide,
    /// End the app.
    Quit,
    /// The tray went away: what only stood there has to be seen again.
    Lost,
}

/// What the tray says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrayFacts {
    pub(crate) balance: String,
    pub(crate) next: Option<String>,
    pub(crate) risk: Option<String>,
    pub(crate) masked: bool,
    /// Of the actions, as they stand in the menu.
    pub(crate) labels: [String; 6],
}

/// What of the account the tray speaks of.
#[derive(Debug, Clone, Copy)]
struct Standing<'a> {
    available_credits: &'a str,
    at_most: bool,
    next: Option<End<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct End<'a> {
    left_credits: &'a str,
    lapse_credits: Option<&'a str>,
    expires: DateTime<Utc>,
}

impl<'a> Standing<'a> {
    fn of(view: &'a AppView) -> Option<Self> {
        let account = view.account.as_ref()?;
        let next = account.next_end.as_ref().and_then(|next| {
            let expires = next.expires.parse().ok()?;
            Some(End { left_credits: &next.left_credits, lapse_credits: next.lapse_credits.as_deref(), expires })
        });
        Some(Self { available_credits: &account.available_credits, at_most: account.at_most, next })
    }
}

impl TrayFacts {
    /// Of what the window shows, at the instant that it is of.
    pub(crate) fn of(view: &AppView, words: &Words, offset_at: &dyn Fn(DateTime<Utc>) -> FixedOffset) -> Self {
        let now = view.now.parse().ok();
        // Without an instant there is no telling how long something still lasts.
        let standing = Standing::of(view).map(|standing| Standing { next: standing.next.filter(|_| now.is_some()), ..standing });
        let said = Self::said(standing, words, now.unwrap_or_default(), offset_at);
        // With several accounts, whose figures these are.
        let shown = view.accounts.rows.iter().find(|row| row.active).filter(|_| view.accounts.rows.len() > 1);
        match shown {
            Some(row) => said.of_account(words, &account_name(words, row)),
            None => said,
        }
    }

    fn of_account(self, words: &Words, name: &str) -> Self {
        Self { balance: words.with("desktop_of_account", &[("account", name), ("said", &self.balance)]), ..self }
    }

    fn said(standing: Option<Standing<'_>>, words: &Words, now: DateTime<Utc>, offset_at: &dyn Fn(DateTime<Utc>) -> FixedOffset) -> Self {
        let balance = match standing {
            None => words.say("desktop_signed_out"),
            Some(account) if account.at_most => words.with("desktop_at_most", &[("credits", &words.whole(account.available_credits))]),
            Some(account) => words.with("desktop_credits", &[("credits", &words.exact(account.available_credits))]),
        };
        let next = standing.and_then(|account| account.next);
        let end = |end: End<'_>| {
            let left = words.left((end.expires - now).num_seconds());
            let figures = [
                ("credits", &*words.exact(end.left_credits)),
                ("when", &words.date_time(end.expires, offset_at(end.expires))),
                ("left", &left),
            ];
            words.with("desktop_next", &figures)
        };
        let risk = |credits: &str| words.with("desktop_risk", &[("credits", &words.whole(credits))]);
        let labels = ["desktop_open", "desktop_sync", "desktop_estimate", "desktop_buy", "desktop_hide", "desktop_quit"];
        Self {
            balance,
            next: next.map(end),
            risk: next.and_then(|next| next.lapse_credits).map(risk),
            masked: words.masked(),
            labels: labels.map(|key| words.say(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_app::view::Language;

    fn facts(standing: Option<Standing<'_>>, masked: bool) -> TrayFacts {
        let now = "2026-11-20T13:02:31Z".parse().unwrap();
        TrayFacts::said(standing, &Words::new(Language::English, masked), now, &|_| FixedOffset::east_opt(3_600).unwrap())
    }

    fn standing() -> Standing<'static> {
        let expires = "2026-11-23T21:18:09Z".parse().unwrap();
        let next = Some(End { left_credits: "44310.45", lapse_credits: Some("14350"), expires });
        Standing { available_credits: "248310.45", at_most: false, next }
    }

    #[test]
    fn the_tray_says_the_balance_and_the_next_end() {
        let said = facts(Some(standing()), false);
        assert_eq!(said.balance, "248,310.45 credits");
        assert_eq!(said.next.as_deref(), Some("Next: 44,310.45 on Mon 23 Nov, 22:18 (3 days)"));
        assert_eq!(said.risk.as_deref(), Some("About 14,350 of them lapse unless used"));
        assert_eq!(facts(Some(Standing { at_most: true, next: None, ..standing() }), false).balance, "At most 248,310 credits");
        assert_eq!(facts(None, false).balance, "Not signed in");
    }

    #[test]
    fn with_several_accounts_the_tray_says_whose_figures_these_are() {
        let words = Words::new(Language::English, false);
        let said = facts(Some(standing()), false).of_account(&words, "Studio North");
        assert_eq!(said.balance, "Studio North: 248,310.45 credits");
        assert_eq!(said.next, facts(Some(standing()), false).next);
    }

    #[test]
    fn hidden_amounts_are_not_in_the_tray() {
        let said = facts(Some(standing()), true);
        assert_eq!((said.balance.as_str(), said.masked), ("••••• credits", true));
        assert_eq!(said.next.as_deref(), Some("Next: ••••• on Mon 23 Nov, 22:18 (3 days)"));
    }
}
