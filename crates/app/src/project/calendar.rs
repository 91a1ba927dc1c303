//! The ends of batches as a calendar file: RFC 5545, with an alarm for each.
//!
//! Written by hand because a calendar that is saved again has to replace its events, not to double them: names are stable and the
//! only time in it that is not the account's own is when it was made.

use super::ahead::Ahead;
use crate::{record::KnownAccount, view::CalendarWords};
use aispace_ledger::Batch;
use chrono::{DateTime, Utc};

/// Octets that a line may have without its end.
const LINE_OCTETS: usize = 75;
/// Characters of a text that the window gives.
const WORDS_CHARS: usize = 300;

/// A calendar with an event at the end of each live batch, in the order in which they end.
pub(crate) fn calendar(known: &KnownAccount, words: &CalendarWords, now: DateTime<Utc>) -> String {
    let ahead = Ahead::of(known, now);
    let mut live = ahead.live();
    live.sort_by_key(|b| (b.expires, b.draw_key()));
    let mut lines = Lines::default();
    for (name, value) in
        [("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//AiSpace Wallet//Batch ends//EN"), ("CALSCALE", "GREGORIAN")]
    {
        lines.add(name, value);
    }
    lines.add("METHOD", "PUBLISH");
    lines.text("X-WR-CALNAME", &words.name);
    for batch in live {
        event(&mut lines, batch, &known.answer.account_id, words, now);
    }
    lines.add("END", "VCALENDAR");
    lines.0
}

fn event(lines: &mut Lines, batch: &Batch, account: &str, words: &CalendarWords, now: DateTime<Utc>) {
    let say = |text: &str| text.replace("{credits}", &batch.left.to_string());
    lines.add("BEGIN", "VEVENT");
    lines.text("UID", &format!("{}.{account}@aispace-wallet.invalid", batch.id));
    lines.add("DTSTAMP", &stamp(now));
    lines.add("DTSTART", &stamp(batch.expires));
    lines.add("DURATION", "PT0S");
    lines.add("TRANSP", "TRANSPARENT");
    lines.text("SUMMARY", &say(&words.summary));
    lines.text("DESCRIPTION", &say(&words.description));
    lines.add("BEGIN", "VALARM");
    lines.add("ACTION", "DISPLAY");
    lines.add("TRIGGER", "-P1D");
    lines.text("DESCRIPTION", &say(&words.summary));
    lines.add("END", "VALARM");
    lines.add("END", "VEVENT");
}

/// `20270115T103000Z`. What ends within a second ends with it.
fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Content lines: folded where they are long, each ended by CR and LF.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn text(&mut self, name: &str, value: &str) {
        let mut escaped = String::new();
        for character in value.chars().take(WORDS_CHARS) {
            match character {
                '\\' | ';' | ',' => escaped.extend(['\\', character]),
                '\n' => escaped.push_str("\\n"),
                control if control.is_control() => {}
                plain => escaped.push(plain),
            }
        }
        self.add(name, &escaped);
    }

    fn add(&mut self, name: &str, value: &str) {
        let mut octets = 0usize;
        for character in format!("{name}:{value}").chars() {
            if octets.saturating_add(character.len_utf8()) > LINE_OCTETS {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            self.0.push(character);
            octets = octets.saturating_add(character.len_utf8());
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ahead::tests::now,
        batches_csv::tests::{answer, known},
    };
    use super::*;
    use icalendar::{Calendar, CalendarComponent, Component, Event, parser};
    use proptest::prelude::*;

    const CREDIT: i64 = 1_000_000_000;

    fn words() -> CalendarWords {
        CalendarWords { name: "AiSpace".into(), summary: "{credits} credits end".into(), description: "Unused credits lapse.".into() }
    }

    /// What another implementation reads.
    fn events(text: &str) -> Vec<Event> {
        let read: Calendar = text.parse().expect("a calendar");
        let event = |component: CalendarComponent| component.as_event().cloned();
        read.components.into_iter().filter_map(event).collect()
    }

    #[test]
    fn each_live_batch_has_an_event_at_its_end_and_an_alarm_a_day_before() {
        let all = vec![
            answer("late", [0, 0, 30_000 * CREDIT], 2_000),
            answer("soon", [0, CREDIT, CREDIT / 2], 700),
            answer("over", [0, 0, CREDIT], -1),
        ];
        let text = calendar(&known(all), &words(), now());
        let read = events(&text);
        let seen: Vec<_> = read
            .iter()
            .map(|e| (e.get_uid().expect("a name"), e.property_value("DTSTART").expect("a start"), e.get_summary().expect("a title")))
            .collect();
        assert_eq!(
            seen,
            [
                ("soon.acct_1@aispace-wallet.invalid", "20270115T221000Z", "0.5 credits end"),
                ("late.acct_1@aispace-wallet.invalid", "20270116T195000Z", "30000 credits end"),
            ]
        );
        assert!(read.iter().all(|e| e.property_value("DTSTAMP") == Some("20270115T103000Z")));
        assert_eq!(text.matches("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-P1D\r\nDESCRIPTION:").count(), 2);
        let tree = parser::unfold(&text);
        let tree = parser::read_calendar(&tree).expect("a calendar");
        assert_eq!(
            tree.components.iter().map(|e| e.components.iter().filter(|c| c.name.as_str() == "VALARM").count()).collect::<Vec<_>>(),
            [1, 1]
        );
    }

    #[test]
    fn saved_again_it_is_the_same_but_for_when_it_was_made() {
        let known = known(vec![answer("a", [0, 0, 5], 9_000)]);
        let (one, two) = (calendar(&known, &words(), now()), calendar(&known, &words(), now() + chrono::TimeDelta::hours(1)));
        assert_eq!(one.replace("DTSTAMP:20270115T103000Z", ""), two.replace("DTSTAMP:20270115T113000Z", ""));
    }

    #[test]
    fn no_batch_is_an_empty_calendar() {
        assert!(events(&calendar(&known(vec![]), &words(), now())).is_empty());
    }

    proptest! {
        /// Whatever the words are, they come back whole, in lines of at most 75 octets, and nothing of them becomes a line of its own.
        #[test]
        fn any_words_come_back(text in "[\\PC\n;,:\\\\\"]{0,120}") {
            let words = CalendarWords { summary: text.clone(), description: format!("BEGIN:VEVENT\n{text}"), ..words() };
            let file = calendar(&known(vec![answer("a", [0, 0, 5], 9_000)]), &words, now());
            for line in file.split("\r\n") {
                prop_assert!(line.len() <= LINE_OCTETS && !line.contains('\n') && !line.contains('\r'));
            }
            let read = events(&file);
            prop_assert_eq!(read.len(), 1);
            let back = read[0].property_value("SUMMARY").unwrap_or_default();
            prop_assert_eq!(back, text.replace("{credits}", "0.000000005"));
        }
    }
}
