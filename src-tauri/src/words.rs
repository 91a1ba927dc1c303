//! The words of what stands outside the window, of the same catalogue as the pages'.

use aispace_app::view::Language;
use chrono::{DateTime, FixedOffset, Utc};

const ENGLISH: &str = include_str!("../../ui/messages/en/desktop.json");
const CHINESE: &str = include_str!("../../ui/messages/zh-Hans/desktop.json");

/// One language's words.
pub(crate) struct Words {
    words: aispace_app::Words,
    /// Whether amounts are not to be said.
    masked: bool,
}

impl Words {
    /// The words to use now.
    pub(crate) fn new(language: Language, masked: bool) -> Self {
        Self { words: aispace_app::Words::new(language, ENGLISH, CHINESE), masked }
    }

    /// Whether amounts are not to be said.
    pub(crate) fn masked(&self) -> bool {
        self.masked
    }

    /// A message without figures.
    pub(crate) fn say(&self, key: &str) -> String {
        self.words.say(key)
    }

    /// A message with its figures.
    pub(crate) fn with(&self, key: &str, figures: &[(&str, &str)]) -> String {
        self.words.with(key, figures)
    }

    /// Credits exactly: `44,310.45`, `30,000`; hidden, always five points.
    pub(crate) fn exact(&self, credits: &str) -> String {
        if self.masked {
            return self.say("desktop_masked");
        }
        match credits.split_once('.') {
            Some((whole, decimals)) => format!("{}{}{decimals:0<2}", self.grouped(whole), self.say("desktop_decimal_point")),
            None => self.grouped(credits),
        }
    }

    /// Whole credits, rounded down: `44,310`; hidden, always five points.
    pub(crate) fn whole(&self, credits: &str) -> String {
        let (whole, _) = credits.split_once('.').unwrap_or((credits, ""));
        self.exact(whole)
    }

    fn grouped(&self, digits: &str) -> String {
        let separator = self.say("desktop_group");
        let count = digits.chars().count();
        let starts_group = |place: usize| place > 0 && (count - place).is_multiple_of(3);
        digits.chars().enumerate().fold(String::new(), |mut text, (place, digit)| {
            if starts_group(place) {
                text.push_str(&separator);
            }
            text.push(digit);
            text
        })
    }

    /// `Mon 23 Nov, 22:18`, in local time.
    pub(crate) fn date_time(&self, at: DateTime<Utc>, offset: FixedOffset) -> String {
        at.with_timezone(&offset).format(&self.say("desktop_date_time")).to_string()
    }

    /// `3 days`, `7 hours`, `12 minutes`: what is left in its largest unit, rounded to the nearest, never nothing.
    pub(crate) fn left(&self, seconds: i64) -> String {
        let rounded = |unit: i64| (seconds + unit / 2) / unit;
        let (many, one, count) = if rounded(3_600) >= 36 {
            ("desktop_left_days", "desktop_left_day_one", rounded(86_400))
        } else if rounded(60) >= 60 {
            ("desktop_left_hours", "desktop_left_hour_one", rounded(3_600))
        } else {
            ("desktop_left_minutes", "desktop_left_minute_one", rounded(60).max(1))
        };
        if count == 1 { self.say(one) } else { self.with(many, &[("count", &count.to_string())]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_words_and_figures() {
        assert_eq!(aispace_app::Words::different(ENGLISH, CHINESE), Vec::<String>::new());
    }

    #[test]
    fn amounts_are_grouped_and_hidden_ones_say_nothing() {
        let words = Words::new(Language::English, false);
        assert_eq!(
            ["0", "999", "1000", "248310.45", "1234567.5"].map(|c| words.exact(c)),
            ["0", "999", "1,000", "248,310.45", "1,234,567.50"]
        );
        assert_eq!(words.whole("44310.999"), "44,310");
        let hidden = Words::new(Language::English, true);
        assert_eq!((hidden.exact("1"), hidden.whole("44310.45")), ("•••••".into(), "•••••".into()));
    }

    #[test]
    fn what_is_left_is_said_in_its_largest_unit() {
        let words = Words::new(Language::English, false);
        let said = [3 * 86_400 - 60, 86_400, 7 * 3_600, 3_600, 3_540, 90, 1].map(|seconds| words.left(seconds));
        assert_eq!(said, ["3 days", "24 hours", "7 hours", "1 hour", "59 minutes", "2 minutes", "1 minute"]);
    }

    #[test]
    fn an_instant_is_said_in_local_time() {
        let at = "2026-11-23T21:18:09Z".parse().unwrap();
        assert_eq!(Words::new(Language::English, false).date_time(at, FixedOffset::east_opt(3_600).unwrap()), "Mon 23 Nov, 22:18");
    }
}
