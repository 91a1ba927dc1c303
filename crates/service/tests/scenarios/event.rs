//! Reading a scenario: one event a line, nothing in it that the runner does not know, nothing that changes an account unchecked.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Grant,
    Debit,
    Hold,
    Settle,
    Release,
    Void,
    Refund,
    Allow,
    Tick,
    Restart,
    Parallel,
    Query,
}

/// One event of a scenario.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its line in the file, from 1.
    pub line: usize,
    pub kind: Kind,
    /// What the clock says when it happens; it stays as it is when absent.
    pub at: Option<DateTime<Utc>>,
    /// Every field as it stands in the file.
    pub fields: Map<String, Value>,
    /// The part of the answer that is checked.
    pub expect: Option<Value>,
    /// The events of a `parallel`, each as often as its `times` says.
    pub inner: Vec<Event>,
}

/// Why a file is no scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Whether an event may come without `expect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// For files that are kept.
    Checked,
    /// For a file that is being written: what is expected is still checked.
    Draft,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    InFile,
    InParallel,
}

const TIMES_MAX: u64 = 1_000;

impl Kind {
    const ALL: [Self; 12] = [
        Self::Grant,
        Self::Debit,
        Self::Hold,
        Self::Settle,
        Self::Release,
        Self::Void,
        Self::Refund,
        Self::Allow,
        Self::Tick,
        Self::Restart,
        Self::Parallel,
        Self::Query,
    ];

    /// Its word in a file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Debit => "debit",
            Self::Hold => "hold",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Allow => "allow",
            Self::Tick => "tick",
            Self::Restart => "restart",
            Self::Parallel => "parallel",
            Self::Query => "query",
        }
    }

    /// Whether it is a call that posts to an account.
    pub fn posts(self) -> bool {
        match self {
            Self::Grant | Self::Debit | Self::Hold | Self::Settle | Self::Release | Self::Void | Self::Refund | Self::Allow => true,
            Self::Tick | Self::Restart | Self::Parallel | Self::Query => false,
        }
    }

    /// The fields of its own that it must have, and those that it may have.
    fn fields(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Grant => (&["credits"], &["account", "expires", "label", "as", "key"]),
            Self::Debit => (&[], &["credits", "metered", "account", "run", "as", "key"]),
            Self::Hold => (&[], &["credits", "metered", "account", "expires", "run", "as", "key"]),
            Self::Settle => (&["hold"], &["credits", "metered", "account", "run", "as", "key"]),
            Self::Release => (&["hold"], &["account", "key"]),
            Self::Void => (&["batch"], &["account", "key"]),
            Self::Refund => (&["charge", "credits"], &["account", "label", "key"]),
            Self::Allow => (&["credits"], &["account", "key"]),
            Self::Tick => (&[], &[]),
            Self::Restart => (&[], &["how"]),
            Self::Parallel => (&["events"], &[]),
            Self::Query => (&[], &["account"]),
        }
    }
}

impl Event {
    /// A field that is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// The account it is about.
    pub fn account(&self) -> &str {
        self.text("account").unwrap_or("a")
    }

    fn mistake(&self, what: impl Into<String>) -> Mistake {
        Mistake { line: self.line, what: what.into() }
    }
}

/// Reads a file.
pub fn read(text: &str, strictness: Strictness) -> Result<Vec<Event>, Mistake> {
    let mut events = Vec::new();
    let (mut now, mut names) = (None, BTreeSet::new());
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let event = event(line, unique::parse(text).map_err(|what| Mistake { line, what })?, Place::InFile, strictness)?;
        // An instant that is typed wrongly most often lies in the past.
        if event.at.is_some() && event.at < now && event.fields.get("back").is_none() {
            return Err(event.mistake("the clock is set back: say so with \"back\": true"));
        }
        now = event.at.or(now);
        if now.is_none() {
            return Err(event.mistake("the first event has no instant"));
        }
        for named in event.inner.iter().chain([&event]) {
            for field in ["hold", "batch", "charge"] {
                known(named, field, &names)?;
            }
        }
        for named in event.inner.iter().chain([&event]) {
            if let Some(name) = named.text("as").filter(|name| !names.insert((*name).to_owned())) {
                return Err(named.mistake(format!("there are two things named {name:?}")));
            }
        }
        events.push(event);
    }
    if events.is_empty() {
        return Err(Mistake { line: 0, what: "nothing happens".into() });
    }
    Ok(events)
}

fn event(line: usize, value: Value, place: Place, strictness: Strictness) -> Result<Event, Mistake> {
    let mistake = |what: String| Mistake { line, what };
    let Value::Object(fields) = value else { return Err(mistake("an event is an object".into())) };
    let word = fields.get("do").and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| mistake(format!("there is no event {word:?}")))?;
    check_fields(kind, &fields, place).map_err(mistake)?;
    let at = fields.get("at").map(|at| instant(at).ok_or_else(|| mistake(format!("{at} is no instant with milliseconds")))).transpose()?;
    let expect = fields.get("expect").cloned();
    let mut event = Event { line, kind, at, fields, expect, inner: Vec::new() };
    if place == Place::InFile && at.is_none() && kind != Kind::Restart {
        return Err(event.mistake("an event has an instant: at"));
    }
    for inner in event.fields.get("events").and_then(Value::as_array).cloned().unwrap_or_default() {
        let times = inner.get("times").map_or(Some(1), Value::as_u64).filter(|times| (1..=TIMES_MAX).contains(times));
        let times = times.ok_or_else(|| event.mistake(format!("times is 1 to {TIMES_MAX}")))?;
        let read = self::event(line, inner, Place::InParallel, strictness)?;
        event.inner.extend((0..times).map(|_| read.clone()));
    }
    check_expectation(&event, place, strictness).map_err(|what| event.mistake(what))?;
    Ok(event)
}

fn check_fields(kind: Kind, fields: &Map<String, Value>, place: Place) -> Result<(), String> {
    let (required, optional) = kind.fields();
    let everywhere: &[&str] = match place {
        Place::InFile => &["do", "note", "expect", "at", "back"],
        Place::InParallel if kind.posts() || kind == Kind::Query => &["do", "note", "expect", "times"],
        Place::InParallel => return Err(format!("{} cannot happen beside others", kind.word())),
    };
    if let Some(missing) = required.iter().find(|field| !fields.contains_key(**field)) {
        return Err(format!("{} needs {missing:?}", kind.word()));
    }
    if optional.contains(&"metered") && !["credits", "metered"].iter().any(|amount| fields.contains_key(*amount)) {
        return Err(format!("{} needs \"credits\" or \"metered\"", kind.word()));
    }
    for (field, value) in fields {
        if ![everywhere, required, optional].into_iter().flatten().any(|known| known == field) {
            return Err(format!("{} has no {field:?}", kind.word()));
        }
        let good = match field.as_str() {
            "back" => *value == Value::Bool(true),
            "charge" => value.is_string() || value.is_u64(),
            "times" => value.is_u64(),
            "run" | "metered" | "expect" => value.as_object().is_some_and(|object| !object.is_empty()),
            "events" => value.as_array().is_some_and(|events| events.len() > 1 || events.iter().any(|e| e.get("times").is_some())),
            "expires" => instant(value).is_some(),
            "how" => ["stop", "kill"].iter().any(|how| value == how),
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        };
        if !good {
            return Err(format!("{field:?} cannot be {value}"));
        }
    }
    Ok(())
}

/// What changes an account says what becomes of it: a scenario that checks less than it seems to is refused.
fn check_expectation(event: &Event, place: Place, strictness: Strictness) -> Result<(), String> {
    let Some(expect) = &event.expect else {
        let needed = strictness == Strictness::Checked && place == Place::InFile;
        let checked = event.kind.posts() || [Kind::Query, Kind::Parallel].contains(&event.kind);
        return if needed && checked { Err(format!("{} needs \"expect\"", event.kind.word())) } else { Ok(()) };
    };
    if event.kind.posts() && strictness == Strictness::Checked {
        let status = expect["status"].as_u64().ok_or("\"expect\" needs the status")?;
        let needed: &[&str] = if status < 400 { &["free"] } else { &["code"] };
        if let Some(missing) = needed.iter().find(|field| expect.get(**field).is_none()) {
            return Err(format!("an answer of {status} is expected with {missing:?}"));
        }
    }
    if event.kind == Kind::Parallel && strictness == Strictness::Checked {
        let counts = expect["statuses"].as_object().ok_or("\"expect\" needs \"statuses\"")?;
        let counted: u64 = counts.values().filter_map(Value::as_u64).sum();
        if u64::try_from(event.inner.len()) != Ok(counted) {
            return Err(format!("{counted} answers are expected of {} events", event.inner.len()));
        }
        if !expect["after"].is_object() {
            return Err("\"expect\" needs \"after\"".into());
        }
    }
    Ok(())
}

/// A name that something before has, or an id as the service writes it.
fn known(event: &Event, field: &str, names: &BTreeSet<String>) -> Result<(), Mistake> {
    match event.text(field) {
        Some(name) if !names.contains(name) && !["ho_", "ba_", "renewal-"].iter().any(|id| name.starts_with(id)) => {
            Err(event.mistake(format!("nothing is named {name:?}")))
        }
        _ => Ok(()),
    }
}

/// An instant in UTC with exactly three decimals.
fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (written(at) == text).then_some(at)
}

/// An instant as it stands in scenarios and in what the runner prints.
pub fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// JSON whose objects have each field once; `serde_json` alone keeps the last of two.
mod unique {
    use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
    use serde_json::{Map, Value};
    use std::fmt;

    pub fn parse(text: &str) -> Result<Value, String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Unique.deserialize(&mut reader).map_err(|error| error.to_string())?;
        reader.end().map_err(|error| error.to_string())?;
        Ok(value)
    }

    struct Unique;

    impl<'de> DeserializeSeed<'de> for Unique {
        type Value = Value;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Unique {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON without fractions")
        }

        fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_str<E>(self, value: &str) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_unit<E>(self) -> Result<Value, E> {
            Ok(Value::Null)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
            let mut values = Vec::new();
            while let Some(value) = list.next_element_seed(Unique)? {
                values.push(value);
            }
            Ok(Value::Array(values))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
            let mut fields = Map::new();
            while let Some(field) = map.next_key::<String>()? {
                let value = map.next_value_seed(Unique)?;
                if fields.insert(field.clone(), value).is_some() {
                    return Err(A::Error::custom(format!("{field:?} stands there twice")));
                }
            }
            Ok(Value::Object(fields))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Strictness, read};

    const GRANT: &str = r#"{"at":"2027-03-01T10:00:00.000Z","do":"grant","credits":"1","as":"b","expect":{"status":201,"free":"1"}}"#;

    fn what(lines: &[&str]) -> String {
        let mistake = read(&lines.join("\n"), Strictness::Checked).expect_err("a mistake");
        assert_eq!(mistake.line, lines.len(), "{mistake}");
        mistake.what
    }

    fn changed(from: &str, to: &str) -> String {
        assert!(GRANT.contains(from), "{from}");
        GRANT.replace(from, to)
    }

    #[test]
    fn a_good_event_is_read_with_all_that_it_says() {
        let events = read(&format!("\n{GRANT}\n"), Strictness::Checked).expect("good");
        assert_eq!((events.len(), events[0].line, events[0].text("credits"), events[0].account()), (1, 2, Some("1"), "a"));
        assert_eq!(events[0].at.map(super::written).as_deref(), Some("2027-03-01T10:00:00.000Z"));
    }

    #[test]
    fn what_the_runner_does_not_know_is_refused() {
        for (from, to, said) in [
            ("\"credits\":\"1\"", "\"credit\":\"1\"", "grant needs \"credits\""),
            ("\"as\"", "\"als\"", "grant has no \"als\""),
            ("\"as\":\"b\"", "\"hold\":\"b\"", "grant has no \"hold\""),
            ("\"do\":\"grant\"", "\"do\":\"grand\"", "there is no event \"grand\""),
            ("\"credits\":\"1\"", "\"credits\":1", "\"credits\" cannot be 1"),
            ("\"as\":\"b\"", "\"as\":\"b\",\"as\":\"c\"", "stands there twice"),
            ("\"as\":\"b\"", "\"times\":3", "grant has no \"times\""),
            ("\"as\":\"b\"", "\"expires\":\"2027-03-02\"", "\"expires\" cannot be"),
            ("\"as\":\"b\"", "\"back\":false", "\"back\" cannot be false"),
            ("10:00:00.000Z", "10:00:00Z", "is no instant with milliseconds"),
            ("10:00:00.000Z", "10:00:00.0000Z", "is no instant with milliseconds"),
            ("10:00:00.000Z", "10:00:00.000+00:00", "is no instant with milliseconds"),
            ("2027-03-01", "2027-02-29", "is no instant with milliseconds"),
            ("\"at\":\"2027-03-01T10:00:00.000Z\",", "", "an event has an instant"),
        ] {
            let said_instead = what(&[&changed(from, to)]);
            assert!(said_instead.contains(said), "{said_instead}");
        }
        let debit = r#"{"at":"2027-03-01T10:00:00.000Z","do":"debit","expect":{"status":201,"free":"1"}}"#;
        assert!(what(&[debit]).contains("debit needs \"credits\" or \"metered\""));
        assert!(what(&["[]"]).contains("an event is an object"));
        assert!(what(&["{"]).contains("EOF"));
        assert!(what(&[r#"{"do":"restart"}"#]).contains("no instant"));
        assert_eq!(read("\n", Strictness::Checked).map(|events| events.len()).map_err(|mistake| mistake.line), Err(0));
    }

    #[test]
    fn what_changes_something_is_checked() {
        for (from, to, said) in [
            (",\"expect\":{\"status\":201,\"free\":\"1\"}", "", "grant needs \"expect\""),
            ("{\"status\":201,\"free\":\"1\"}", "{}", "\"expect\" cannot be {}"),
            ("\"status\":201,", "", "needs the status"),
            (",\"free\":\"1\"", "", "expected with \"free\""),
            ("201,\"free\":\"1\"", "402", "expected with \"code\""),
        ] {
            let said_instead = what(&[&changed(from, to)]);
            assert!(said_instead.contains(said), "{said_instead}");
        }
        let query = r#"{"at":"2027-03-01T10:00:00.000Z","do":"query"}"#;
        assert!(what(&[GRANT, query]).contains("query needs"));
        let draft = changed(",\"expect\":{\"status\":201,\"free\":\"1\"}", "");
        assert_eq!(read(&format!("{draft}\n{query}"), Strictness::Draft).map(|events| events.len()), Ok(2));
    }

    #[test]
    fn names_stand_for_what_is_there() {
        let at = r#"{"at":"2027-03-01T10:00:00.000Z","expect":{"status":201,"free":"1"},"#;
        assert!(what(&[GRANT, GRANT]).contains("two things named \"b\""));
        assert!(what(&[GRANT, &format!(r#"{at}"do":"void","batch":"c"}}"#)]).contains("nothing is named \"c\""));
        assert!(what(&[GRANT, &format!(r#"{at}"do":"release","hold":"h"}}"#)]).contains("nothing is named \"h\""));
        assert!(what(&[GRANT, &format!(r#"{at}"do":"refund","charge":"c","credits":"1"}}"#)]).contains("nothing is named \"c\""));
        for good in [r#""do":"void","batch":"b"}"#, r#""do":"void","batch":"ba_none"}"#, r#""do":"refund","charge":7,"credits":"1"}"#] {
            assert!(read(&format!("{GRANT}\n{at}{good}"), Strictness::Checked).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_is_said_to() {
        let earlier = changed("10:00:00.000Z", "09:59:59.999Z").replace(",\"as\":\"b\"", "");
        assert!(what(&[GRANT, &earlier]).contains("set back"));
        let said = earlier.replace("\"do\"", "\"back\":true,\"do\"");
        assert!(read(&format!("{GRANT}\n{said}"), Strictness::Checked).is_ok());
    }

    #[test]
    fn what_happens_at_once_is_counted() {
        let line = |events: &str, expect: &str| {
            format!(r#"{{"at":"2027-03-01T10:00:00.000Z","do":"parallel","events":[{events}],"expect":{{{expect}}}}}"#)
        };
        let (two, after) = (r#"{"do":"debit","credits":"1","times":2}"#, r#""after":{"a":{"free":"0"}}"#);
        let good = line(two, &format!(r#""statuses":{{"201":1,"402":1}},{after}"#));
        assert_eq!(read(&good, Strictness::Checked).map(|events| events[0].inner.len()), Ok(2));
        for (events, expect, said) in [
            (two, format!(r#""statuses":{{"201":1}},{after}"#), "1 answers are expected of 2 events"),
            (two, after.to_owned(), "needs \"statuses\""),
            (two, r#""statuses":{"201":2}"#.to_owned(), "needs \"after\""),
            (r#"{"do":"debit","credits":"1"}"#, after.to_owned(), "\"events\" cannot be"),
            (r#"{"do":"restart","times":2}"#, after.to_owned(), "cannot happen beside others"),
            (r#"{"do":"debit","credits":"1","times":0}"#, after.to_owned(), "times is 1 to"),
            (r#"{"do":"debit","credits":"1","times":2,"as":"c"}"#, format!(r#""statuses":{{"201":2}},{after}"#), "two things named"),
        ] {
            let said_instead = what(&[&line(events, &expect)]);
            assert!(said_instead.contains(said), "{said_instead}");
        }
    }
}
