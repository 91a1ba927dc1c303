//! What a notification says, and where it leads.

use crate::words::Words;
use aispace_app::view::{AccountKindView, AccountRowView, EndingView, PlaceView, ReminderView};
use chrono::{DateTime, FixedOffset, Utc};

/// Batches that one notification names; the rest is counted.
const NAMED: usize = 4;

/// A notification in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saying {
    pub(crate) title: String,
    pub(crate) body: String,
    /// What its button says.
    pub(crate) action: String,
    /// Where it leads.
    pub(crate) place: PlaceView,
    /// This computer's own id of the account that it is about, when there are several.
    pub(crate) account: Option<String>,
}

/// What an account is called, where there are several.
pub(crate) fn account_name(words: &Words, row: &AccountRowView) -> String {
    let of_key = || match &row.key_hint {
        Some(hint) => words.with("desktop_account_key", &[("hint", hint)]),
        None => words.say("desktop_account"),
    };
    row.label.clone().unwrap_or_else(|| if row.kind == AccountKindView::ByHand { words.say("desktop_by_hand") } else { of_key() })
}

/// Puts a reminder into words; with several accounts it names its own.
pub(crate) fn saying_of(
    words: &Words,
    reminder: &ReminderView,
    rows: &[AccountRowView],
    offset_at: &dyn Fn(DateTime<Utc>) -> FixedOffset,
) -> Saying {
    let said = saying(words, reminder, offset_at);
    let Some(row) = reminder.account().and_then(|account| rows.iter().find(|row| row.account == account)) else { return said };
    let title = words.with("desktop_of_account", &[("account", &account_name(words, row)), ("said", &said.title)]);
    Saying { title, account: Some(row.account.clone()), ..said }
}

/// Puts a reminder into words.
fn saying(words: &Words, reminder: &ReminderView, offset_at: &dyn Fn(DateTime<Utc>) -> FixedOffset) -> Saying {
    let when = |at: &str| at.parse().map(|at| words.date_time(at, offset_at(at))).unwrap_or_default();
    match reminder {
        ReminderView::Ending { batches, left_credits, .. } => ending(words, batches, left_credits, &when),
        ReminderView::LowBalance { available_credits, empty_at, .. } => {
            let credits = words.whole(available_credits);
            let why = match empty_at {
                Some(at) => words.with("desktop_low_empty", &[("when", &when(at))]),
                None => words.say("desktop_low_below"),
            };
            Saying {
                title: masked_or(words, "desktop_low_masked", "desktop_low", &[("credits", &credits)]),
                body: with_mask_note(words, vec![why]),
                action: words.say("desktop_action_buy"),
                place: PlaceView::Buy,
                account: None,
            }
        }
        ReminderView::Credited { order_ids, credits, usd, expires, .. } => {
            let mut body = Vec::new();
            if !words.masked() {
                body.push(words.with("desktop_credited_paid", &[("usd", &words.exact(&cents(usd)))]));
            }
            body.extend(expires.as_ref().map(|at| words.with("desktop_credited_end", &[("when", &when(at))])));
            Saying {
                title: masked_or(words, "desktop_credited_masked", "desktop_credited", &[("credits", &words.whole(credits))]),
                body: with_mask_note(words, body),
                action: words.say("desktop_action_payment"),
                place: match order_ids.as_slice() {
                    [order_id] => PlaceView::Payment { order_id: order_id.clone() },
                    _ => PlaceView::Overview,
                },
                account: None,
            }
        }
    }
}

fn ending(words: &Words, batches: &[EndingView], left_credits: &str, when: &dyn Fn(&str) -> String) -> Saying {
    let first_left = words.left(batches.first().map_or(0, |batch| batch.seconds_left));
    let count = batches.len().to_string();
    let figures = [("credits", &*words.whole(left_credits)), ("left", &first_left), ("count", &count)];
    let (title, body) = match batches {
        [only] => {
            let mut body = vec![words.with("desktop_ending_when", &[("when", &when(&only.expires))])];
            if let Some(lapse) = only.lapse_credits.as_ref().filter(|_| !words.masked()) {
                body.push(words.with("desktop_ending_lapse", &[("credits", &words.whole(lapse))]));
            }
            (masked_or(words, "desktop_ending_masked", "desktop_ending", &figures), with_mask_note(words, body))
        }
        many => {
            let row = |batch: &EndingView| {
                let figures = [("credits", &*words.exact(&batch.left_credits)), ("when", &when(&batch.expires))];
                if words.masked() { when(&batch.expires) } else { words.with("desktop_ending_row", &figures) }
            };
            let mut rows: Vec<String> = many.iter().take(NAMED).map(row).collect();
            if let Some(more) = many.len().checked_sub(NAMED).filter(|more| *more > 0) {
                rows.push(words.with("desktop_ending_more", &[("count", &more.to_string())]));
            }
            (masked_or(words, "desktop_ending_many_masked", "desktop_ending_many", &figures), rows.join("\n"))
        }
    };
    Saying { title, body, action: words.say("desktop_action_plan"), place: PlaceView::Estimate, account: None }
}

fn masked_or(words: &Words, masked: &str, open: &str, figures: &[(&str, &str)]) -> String {
    words.with(if words.masked() { masked } else { open }, figures)
}

fn with_mask_note(words: &Words, mut sentences: Vec<String>) -> String {
    if words.masked() {
        sentences.insert(0, words.say("desktop_masked_note"));
    }
    sentences.join(" ")
}

/// Dollars as they are paid: `15` is `15.00`.
fn cents(usd: &str) -> String {
    if usd.contains('.') { usd.into() } else { format!("{usd}.00") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(left: &str, lapses: Option<&str>, expires: &str, seconds_left: i64) -> EndingView {
        let lapse_credits = lapses.map(str::to_owned);
        EndingView { batch_id: "b".into(), left_credits: left.into(), lapse_credits, expires: expires.into(), seconds_left }
    }

    fn said(reminder: &ReminderView, masked: bool) -> Saying {
        saying(&Words::new(aispace_app::view::Language::English, masked), reminder, &|_| FixedOffset::east_opt(3_600).unwrap())
    }

    fn reminders() -> Vec<ReminderView> {
        let one = batch("44310.45", Some("14350"), "2026-11-23T21:18:09.000Z", 3 * 86_400);
        let many = (0..6).map(|n| batch("1000", None, &format!("2026-11-2{n}T10:00:00.000Z"), 86_400)).collect();
        vec![
            ReminderView::Ending { account: None, batches: vec![one], left_credits: "44310.45".into() },
            ReminderView::Ending { account: None, batches: many, left_credits: "6000".into() },
            ReminderView::LowBalance {
                account: None,
                available_credits: "25000".into(),
                empty_at: Some("2026-12-16T10:00:00.000Z".into()),
                suggested_usd: "10".into(),
            },
            ReminderView::Credited {
                account: None,
                order_ids: vec!["or_1".into()],
                credits: "150000".into(),
                usd: "15".into(),
                expires: Some("2026-12-20T13:07:00.000Z".into()),
            },
        ]
    }

    #[test]
    fn a_reminder_says_what_until_when_and_the_way_out() {
        let said: Vec<Saying> = reminders().iter().map(|r| said(r, false)).collect();
        assert_eq!(said[0].title, "44,310 credits end in 3 days");
        assert_eq!(said[0].body, "Mon 23 Nov, 22:18. At your pace about 14,350 would be left.");
        assert_eq!(said[1].title, "6,000 credits end in 6 batches, the first in 24 hours");
        assert_eq!(said[1].body.lines().collect::<Vec<_>>()[3..], ["1,000 on Mon 23 Nov, 11:00", "and 2 more"]);
        assert_eq!((said[2].title.as_str(), said[2].body.as_str()), ("25,000 credits left", "Empty on Wed 16 Dec, 11:00 at your pace."));
        assert_eq!(
            (said[3].title.as_str(), said[3].body.as_str()),
            ("150,000 credits are here", "Paid $15.00. They end on Sun 20 Dec, 14:07.")
        );
        assert_eq!(said[3].place, PlaceView::Payment { order_id: "or_1".into() });
    }

    fn row(label: Option<&str>, kind: AccountKindView, hint: Option<&str>) -> AccountRowView {
        AccountRowView {
            account: "first".into(),
            kind,
            label: label.map(str::to_owned),
            active: false,
            account_id: None,
            key_hint: hint.map(str::to_owned),
            keeping: None,
            since: None,
            key_error: None,
            rotating: false,
            available_credits: None,
            available_usd: None,
            at_most: true,
            known_at: None,
            next_end_credits: None,
            next_end: None,
            ends_soon: false,
            slabs: vec![],
        }
    }

    #[test]
    fn with_several_accounts_a_reminder_names_its_own_and_leads_there() {
        let words = Words::new(aispace_app::view::Language::English, true);
        let mut reminders = reminders();
        let ReminderView::Ending { account, .. } = &mut reminders[0] else { panic!("an end") };
        *account = Some("first".into());
        let title = |row: AccountRowView| {
            let said = saying_of(&words, &reminders[0], &[row], &|_| FixedOffset::east_opt(0).unwrap());
            assert_eq!(said.account.as_deref(), Some("first"));
            said.title
        };
        assert_eq!(title(row(Some("Studio North"), AccountKindView::Service, Some("9k2f"))), "Studio North: Credits end in 3 days");
        assert_eq!(title(row(None, AccountKindView::Service, Some("9k2f"))), "Key ends 9k2f: Credits end in 3 days");
        assert_eq!(title(row(None, AccountKindView::ByHand, None)), "Typed in by hand: Credits end in 3 days");
        let alone = saying_of(&words, &reminders[1], &[row(Some("Studio North"), AccountKindView::Service, None)], &|_| {
            FixedOffset::east_opt(0).unwrap()
        });
        assert_eq!((alone.account, alone.title.as_str()), (None, "6 batches end, the first in 24 hours"));
    }

    #[test]
    fn hidden_amounts_are_in_no_notification() {
        for reminder in reminders() {
            let Saying { title, body, .. } = said(&reminder, true);
            for figure in ["44", "310", "14,350", "000", "15.00", "$"] {
                assert!(!title.contains(figure) && !body.contains(figure), "{title}: {body}");
            }
        }
        assert_eq!(said(&reminders()[0], true).title, "Credits end in 3 days");
        assert_eq!(said(&reminders()[0], true).body, "Amounts are hidden. Mon 23 Nov, 22:18.");
    }
}
