//! A rate: a price per so many of a meter, and when it holds.

use crate::{Denominator, Meter, RateUnit, Switch};
use aispace_units::Exact;
use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A price per so many of a meter, where its conditions hold. Of the rates of a meter the last whose conditions hold wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RateFile", into = "RateFile")]
pub struct Rate {
    /// What is counted.
    pub meter: Meter,
    /// What it costs.
    pub price: Price,
    /// How many of a run cost nothing, in the meter's own unit.
    pub included: u64,
    /// When it holds; always when absent.
    pub when: Option<Box<Condition>>,
    /// Lengths of a clip whose price was seen.
    pub observed_seconds: Vec<u32>,
    /// Lengths of a clip whose price follows from a published figure.
    pub derived_seconds: Vec<u32>,
    /// Where the rate comes from, when not from the card's own price list.
    pub source: Option<String>,
    /// What a person should know about it.
    pub note: Option<String>,
}

/// What a rate costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Price {
    /// So much per so many.
    Amount {
        /// The price.
        amount: Exact,
        /// What it is in.
        unit: RateUnit,
        /// Per how many.
        per: Denominator,
    },
    /// So many times the rate that holds for another meter.
    Times {
        /// The factor.
        times: Exact,
        /// The other meter; its rate is an amount.
        of: Meter,
    },
}

impl Rate {
    /// A rate that always holds.
    #[must_use]
    pub fn new(meter: Meter, price: Price) -> Self {
        let (observed_seconds, derived_seconds) = (Vec::new(), Vec::new());
        Self { meter, price, included: 0, when: None, observed_seconds, derived_seconds, source: None, note: None }
    }

    /// The same where conditions hold.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.when = Some(Box::new(condition));
        self
    }
}

/// Conditions on a run and its instant; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// At or after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// In this part of the UTC day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailyWindow>,
    /// On these UTC days of the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<Day>,
    /// With a prompt of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<Bounds>,
    /// In this service tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// With this resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// With sound, or without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Switch>,
    /// Of this length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Bounds>,
    /// With these options.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) prompt_tokens: u64,
    /// Of audio or video, in milliseconds.
    pub(crate) milliseconds: u64,
    pub(crate) tier: Option<&'a str>,
    /// As chosen, the model's own values filled in.
    pub(crate) options: &'a BTreeMap<String, String>,
    pub(crate) defaults: &'a BTreeMap<String, String>,
    /// The sound of a clip that neither chooses nor has a default.
    pub(crate) sound: Option<Switch>,
}

impl<'a> Circumstances<'a> {
    pub(crate) fn option(&self, name: &str) -> Option<&'a str> {
        self.options.get(name).or_else(|| self.defaults.get(name)).map(String::as_str)
    }
}

impl Condition {
    /// Whether it looks at the clock or the calendar.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.from.is_some() || self.until.is_some() || self.daily.is_some() || !self.weekdays.is_empty()
    }

    /// Whether it asks nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all holds; none where that depends on an instant that is not given.
    pub(crate) fn holds(&self, run: &Circumstances<'_>) -> Option<bool> {
        let tier = self.tier.as_deref().is_none_or(|tier| run.tier == Some(tier));
        let resolution = self.resolution.as_deref().is_none_or(|r| run.option(RESOLUTION) == Some(r));
        let audio = self.audio.is_none_or(|audio| run.option(AUDIO).or(run.sound.map(Switch::as_str)) == Some(audio.as_str()));
        let prompt = self.prompt_tokens.is_none_or(|bounds| bounds.hold(run.prompt_tokens, 1));
        let seconds = self.seconds.is_none_or(|bounds| bounds.hold(run.milliseconds, 1_000));
        let options = self.options.iter().all(|(name, value)| run.option(name) == Some(value));
        if !(tier && resolution && audio && prompt && seconds && options) {
            return Some(false);
        }
        if !self.is_timed() {
            return Some(true);
        }
        run.at.map(|at| self.holds_at(at))
    }

    /// What it asks, for people, one text a condition; with the size of the prompt that it was asked about, if there is one.
    pub(crate) fn words(&self, prompt_tokens: Option<u64>) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.from.map(|from| format!("since {}", from.format("%Y-%m-%d %H:%M UTC"))));
        words.extend(self.until.map(|until| format!("until {}", until.format("%Y-%m-%d %H:%M UTC"))));
        words.extend(self.daily.map(|d| format!("{} to {} UTC", d.from.format("%H:%M"), d.until.format("%H:%M"))));
        if !self.weekdays.is_empty() {
            words.push(self.weekdays.iter().map(ToString::to_string).collect::<Vec<_>>().join("/"));
        }
        let prompt = prompt_tokens.map_or_else(|| "prompt".to_owned(), |count| format!("prompt of {count} tokens"));
        words.extend(self.prompt_tokens.map(|bounds| format!("{prompt} {}", bounds.words())));
        words.extend(self.tier.as_ref().map(|tier| format!("tier {tier}")));
        words.extend(self.resolution.clone());
        words.extend(self.audio.map(|audio| format!("sound {audio}")));
        words.extend(self.seconds.map(|bounds| format!("length {}", bounds.words())));
        words.extend(self.options.iter().map(|(name, value)| format!("{name} {value}")));
        words
    }

    /// What a run must have chosen.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&str, &str)> {
        let resolution = self.resolution.as_deref().map(|resolution| (RESOLUTION, resolution));
        let audio = self.audio.map(|audio| (AUDIO, audio.as_str()));
        self.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(resolution).chain(audio)
    }

    fn holds_at(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
            && self.daily.is_none_or(|daily| daily.holds(at.time()))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|day| day.is(at.weekday())))
    }
}

/// The option that names a resolution.
pub const RESOLUTION: &str = "resolution";
/// The option that turns sound `on` or `off`.
pub const AUDIO: &str = "audio";

/// Bounds on a count; all that are given must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// More than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<u64>,
    /// This or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// Less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u64>,
    /// This or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

impl Bounds {
    /// Whether a count, of which `parts` are one, lies within.
    fn hold(self, count: u64, parts: u64) -> bool {
        let wide = |bound: u64| u128::from(bound).saturating_mul(parts.into());
        let count = u128::from(count);
        self.over.is_none_or(|b| count > wide(b))
            && self.at_least.is_none_or(|b| count >= wide(b))
            && self.under.is_none_or(|b| count < wide(b))
            && self.at_most.is_none_or(|b| count <= wide(b))
    }

    /// Whether any count lies within. Seconds have parts, so that there is one between any two bounds that differ.
    pub(super) fn is_possible(self) -> bool {
        let low = self.over.max(self.at_least).unwrap_or(0);
        let high = [self.under, self.at_most].into_iter().flatten().min().unwrap_or(u64::MAX);
        low < high || (low == high && self.over.is_none_or(|over| over < low) && self.under.is_none_or(|under| under > high))
    }

    fn words(self) -> String {
        let bound = |word: &str, bound: Option<u64>| bound.map(|b| format!("{word} {}", crate::words::grouped(&b.to_string())));
        let bounds =
            [bound("over", self.over), bound("at least", self.at_least), bound("under", self.under), bound("at most", self.at_most)];
        bounds.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The counts from which on it holds or no longer does, where so many `parts` are one.
    pub(crate) fn starts(self, parts: u64) -> impl Iterator<Item = u64> {
        let from = [self.at_least, self.under].map(|bound| bound.map(|b| b.saturating_mul(parts)));
        let after = [self.over, self.at_most].map(|bound| bound.map(|b| b.saturating_mul(parts).saturating_add(1)));
        from.into_iter().chain(after).flatten()
    }
}

/// A part of the UTC day, from one time up to another; across midnight where the second is the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyWindow {
    /// Its first moment.
    #[serde(with = "time_of_day")]
    pub from: NaiveTime,
    /// The first moment after it.
    #[serde(with = "time_of_day")]
    pub until: NaiveTime,
}

impl DailyWindow {
    fn holds(self, time: NaiveTime) -> bool {
        if self.from <= self.until { self.from <= time && time < self.until } else { self.from <= time || time < self.until }
    }
}

mod time_of_day {
    use super::{Deserialize, Deserializer, NaiveTime, Serializer};
    use chrono::Timelike;
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, s: S) -> Result<S::Ok, S::Error> {
        let format = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        s.collect_str(&time.format(format))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(d)?;
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b':') && (text.len() == 5 || text.len() == 8);
        let time = NaiveTime::parse_from_str(&text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M:%S"));
        // Chrono reads a leap second as a 60th; no tariff has one.
        time.ok()
            .filter(|t| plain && t.nanosecond() == 0)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a time of day, such as 16:30")))
    }
}

crate::words::words! {
    /// A day of the week, in UTC.
    Day {
        /// Monday.
        Monday = "mon",
        /// Tuesday.
        Tuesday = "tue",
        /// Wednesday.
        Wednesday = "wed",
        /// Thursday.
        Thursday = "thu",
        /// Friday.
        Friday = "fri",
        /// Saturday.
        Saturday = "sat",
        /// Sunday.
        Sunday = "sun",
    }
}

impl Day {
    fn is(self, day: Weekday) -> bool {
        let own = match self {
            Self::Monday => Weekday::Mon,
            Self::Tuesday => Weekday::Tue,
            Self::Wednesday => Weekday::Wed,
            Self::Thursday => Weekday::Thu,
            Self::Friday => Weekday::Fri,
            Self::Saturday => Weekday::Sat,
            Self::Sunday => Weekday::Sun,
        };
        own == day
    }
}

/// A rate as a file writes it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateFile {
    meter: Meter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Exact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<RateUnit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per: Option<Denominator>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<Exact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<Meter>,
    #[serde(default, skip_serializing_if = "is_zero")]
    included: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Box<Condition>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    observed_seconds: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    derived_seconds: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl TryFrom<RateFile> for Rate {
    type Error = String;

    fn try_from(file: RateFile) -> Result<Self, String> {
        let price = match (file.amount, file.unit, file.per, file.times, file.of) {
            (Some(amount), Some(unit), Some(per), None, None) => Price::Amount { amount, unit, per },
            (None, None, None, Some(times), Some(of)) => Price::Times { times, of },
            _ => return Err(format!("a rate of {} has either amount, unit and per, or times and of", file.meter)),
        };
        let RateFile { meter, included, when, observed_seconds, derived_seconds, source, note, .. } = file;
        Ok(Self { meter, price, included, when, observed_seconds, derived_seconds, source, note })
    }
}

impl From<Rate> for RateFile {
    fn from(rate: Rate) -> Self {
        let (amount, unit, per, times, of) = match rate.price {
            Price::Amount { amount, unit, per } => (Some(amount), Some(unit), Some(per), None, None),
            Price::Times { times, of } => (None, None, None, Some(times), Some(of)),
        };
        let Rate { meter, included, when, observed_seconds, derived_seconds, source, note, .. } = rate;
        Self { meter, amount, unit, per, times, of, included, when, observed_seconds, derived_seconds, source, note }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(options: &BTreeMap<String, String>) -> Circumstances<'_> {
        Circumstances { at: None, prompt_tokens: 200_000, milliseconds: 1_500, tier: None, options, defaults: options, sound: None }
    }

    fn holds(condition: &str, change: impl Fn(&mut Circumstances<'_>)) -> Option<bool> {
        let condition: Condition = serde_json::from_str(condition).expect("a condition");
        let options = BTreeMap::from([("resolution".to_owned(), "720p".to_owned()), ("quality".to_owned(), "high".to_owned())]);
        let mut circumstances = run(&options);
        change(&mut circumstances);
        condition.holds(&circumstances)
    }

    fn at(condition: &str, instant: &str) -> Option<bool> {
        holds(condition, |run| run.at = Some(instant.parse().expect("an instant")))
    }

    #[test]
    fn instants_are_half_open() {
        let condition = r#"{"from": "2026-02-01T00:00:00Z", "until": "2026-03-01T00:00:00+00:00"}"#;
        assert_eq!(at(condition, "2026-01-31T23:59:59.999Z"), Some(false));
        assert_eq!(at(condition, "2026-02-01T00:00:00Z"), Some(true));
        assert_eq!(at(condition, "2026-02-28T23:59:59.999Z"), Some(true));
        assert_eq!(at(condition, "2026-03-01T00:00:00Z"), Some(false));
        assert_eq!(holds(condition, |_| {}), None, "without an instant nobody knows");
    }

    #[test]
    fn a_window_may_cross_midnight() {
        let night = r#"{"daily": {"from": "16:30", "until": "00:30"}}"#;
        for (time, expected) in
            [("16:29:59", false), ("16:30:00", true), ("23:59:59", true), ("00:00:00", true), ("00:29:59", true), ("00:30:00", false)]
        {
            assert_eq!(at(night, &format!("2026-02-01T{time}Z")), Some(expected), "{time}");
        }
        let day = r#"{"daily": {"from": "08:00", "until": "09:00"}, "weekdays": ["sun"]}"#;
        assert_eq!(at(day, "2026-02-01T08:00:00Z"), Some(true), "a Sunday");
        assert_eq!(at(day, "2026-02-02T08:00:00Z"), Some(false));
        assert_eq!(at(day, "2026-02-01T09:00:00Z"), Some(false));
        assert_eq!(at(r#"{"daily": {"from": "08:00", "until": "08:00"}}"#, "2026-02-01T08:00:00Z"), Some(false), "an empty window");
        for bad in ["24:00", "8:00", "16:30:60", "16.30", ""] {
            let text = format!(r#"{{"daily": {{"from": "{bad}", "until": "09:00"}}}}"#);
            assert!(serde_json::from_str::<Condition>(&text).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_tiers_and_options_all_count() {
        assert_eq!(holds(r#"{"prompt_tokens": {"over": 200000}}"#, |_| {}), Some(false));
        assert_eq!(holds(r#"{"prompt_tokens": {"at_least": 200000}}"#, |_| {}), Some(true));
        assert_eq!(holds(r#"{"prompt_tokens": {"under": 200000}}"#, |_| {}), Some(false));
        assert_eq!(holds(r#"{"prompt_tokens": {"at_most": 200000}}"#, |_| {}), Some(true));
        assert_eq!(holds(r#"{"seconds": {"at_least": 1, "at_most": 1}}"#, |_| {}), Some(false));
        assert_eq!(holds(r#"{"seconds": {"at_least": 1, "at_most": 2}}"#, |_| {}), Some(true));
        assert_eq!(holds(r#"{"tier": "batch"}"#, |_| {}), Some(false));
        assert_eq!(
            holds(r#"{"tier": "batch", "resolution": "720p", "options": {"quality": "high"}}"#, |run| run.tier = Some("batch")),
            Some(true)
        );
        assert_eq!(holds(r#"{"options": {"quality": "low"}}"#, |_| {}), Some(false));
        assert_eq!(holds(r#"{"audio": "off"}"#, |_| {}), Some(false), "unknown sound is neither");
        assert_eq!(holds(r#"{"tier": "batch", "from": "2026-02-01T00:00:00Z"}"#, |_| {}), Some(false), "no instant is needed to say no");
    }

    #[test]
    fn a_rate_is_an_amount_or_a_multiple() {
        let whole = r#"{"meter":"cache_read_tokens","times":"0.1","of":"input_tokens"}"#;
        let rate: Rate = serde_json::from_str(whole).expect("a multiple");
        assert_eq!(serde_json::to_string(&rate).expect("writes"), whole);
        for bad in [
            r#"{"meter":"images"}"#,
            r#"{"meter":"images","amount":"1","unit":"usd"}"#,
            r#"{"meter":"images","amount":"1","unit":"usd","per":"1","times":"1","of":"images"}"#,
            r#"{"meter":"images","times":"1"}"#,
        ] {
            assert!(serde_json::from_str::<Rate>(bad).is_err(), "{bad}");
        }
    }
}
