//! JSON one level at a time, numbers as their text: nothing is parsed that is not asked for.

use super::{
    number,
    refusal::{Refusal, excerpt},
};
use aispace_units::Exact;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// Most fields of an object and entries of a list that are looked at; those of a feed's own list of models are counted apart.
pub(super) const FIELDS_MAX: usize = 10_000;

/// A JSON value, not yet read.
pub(super) type Raw<'a> = &'a RawValue;

/// What a raw value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Truth(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A text.
    Text(String),
    /// A list, an object, or a text that is none.
    Other,
}

impl<'a> Value<'a> {
    pub(super) fn of(raw: Raw<'a>) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Truth(true),
            Some(b'f') => Self::Truth(false),
            Some(b'"') => serde_json::from_str(text).map_or(Self::Other, Self::Text),
            Some(b'-' | b'0'..=b'9') => Self::Number(text),
            Some(_) | None => Self::Other,
        }
    }
}

/// An object, one level of it.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    fields: BTreeMap<String, Raw<'a>>,
}

impl<'a> Object<'a> {
    /// Reads one level; a field that stands twice is refused.
    pub(super) fn read(raw: Raw<'a>, name: &str) -> Result<Self, Refusal> {
        let entries: Entries<'a> = parse(raw).ok_or_else(|| Refusal::shape(name, "an object"))?;
        let mut fields = BTreeMap::new();
        for (field, value) in entries.found(FIELDS_MAX).ok_or_else(|| Refusal::shape(name, "an object of at most 10,000 fields"))? {
            if let Some(twice) = fields.get(&field).map(|_: &Raw<'a>| field.clone()) {
                return Err(Refusal::FieldTwice { field: excerpt(&twice) });
            }
            fields.insert(field, value);
        }
        Ok(Self { fields })
    }

    /// The fields that have a value, in the order of their names.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.fields.iter().filter(|(_, raw)| raw.get() != "null").map(|(field, raw)| (field.as_str(), *raw))
    }

    /// A field that has a value.
    pub(super) fn get(&self, field: &str) -> Option<Raw<'a>> {
        self.fields.get(field).copied().filter(|raw| raw.get() != "null")
    }

    /// A price, if the field has a value: a number, or a text that is one.
    pub(super) fn price(&self, field: &str) -> Result<Option<Exact>, Refusal> {
        self.get(field).map(|raw| price(raw, field)).transpose()
    }

    /// A price that must be there.
    pub(super) fn needed(&self, field: &str) -> Result<Exact, Refusal> {
        self.price(field)?.ok_or_else(|| Refusal::missing(field))
    }

    /// An object in it.
    pub(super) fn object(&self, field: &str) -> Result<Option<Object<'a>>, Refusal> {
        self.get(field).map(|raw| Object::read(raw, field)).transpose()
    }

    /// A list in it.
    pub(super) fn list(&self, field: &str) -> Result<Option<Vec<Raw<'a>>>, Refusal> {
        let Some(raw) = self.get(field) else { return Ok(None) };
        let rows: Rows<'a> = parse(raw).ok_or_else(|| Refusal::shape(field, "a list"))?;
        rows.found(FIELDS_MAX).map(Some).ok_or_else(|| Refusal::shape(field, "a list of at most 10,000 entries"))
    }

    /// A text that only describes: anything else there is left out.
    pub(super) fn text(&self, field: &str) -> Option<String> {
        match self.get(field).map(Value::of) {
            Some(Value::Text(text)) if !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// A count that only describes.
    pub(super) fn count(&self, field: &str) -> Option<u64> {
        let number = self.price(field).ok().flatten()?;
        number.to_whole().and_then(|whole| u64::try_from(whole).ok())
    }

    /// Whether a field is `true`.
    pub(super) fn says(&self, field: &str) -> bool {
        self.get(field).is_some_and(|raw| raw.get() == "true")
    }

    /// The texts of a list that only describes.
    pub(super) fn texts(&self, field: &str) -> Vec<String> {
        let list = self.list(field).ok().flatten().unwrap_or_default();
        list.into_iter().filter_map(|raw| if let Value::Text(text) = Value::of(raw) { Some(text) } else { None }).collect()
    }
}

/// A price out of a number, or out of a text that is a number.
pub(super) fn price(raw: Raw<'_>, field: &str) -> Result<Exact, Refusal> {
    match Value::of(raw) {
        Value::Number(text) => number::exact(text).map_err(|e| Refusal::number(e, field, text)),
        Value::Text(text) => number::exact(&text).map_err(|e| Refusal::number(e, field, &format!("{text:?}"))),
        Value::Null | Value::Truth(_) | Value::Other => Err(Refusal::NotANumber { field: excerpt(field), given: excerpt(raw.get()) }),
    }
}

/// Whether a field's name speaks of money: what is not known then may be charged.
pub(super) fn speaks_of_money(field: &str) -> bool {
    const WORDS: [&str; 32] = [
        "amount",
        "billed",
        "billing",
        "bill",
        "charge",
        "charged",
        "charges",
        "cost",
        "costs",
        "credit",
        "credits",
        "dbu",
        "discount",
        "fee",
        "fees",
        "markup",
        "multiplier",
        "price",
        "priced",
        "prices",
        "pricing",
        "quota",
        "ratio",
        "ratios",
        "surcharge",
        "surcharges",
        "tariff",
        "uplift",
        "usd",
        "cny",
        "margin",
        "rates",
    ];
    let mut word = String::new();
    let mut found = false;
    // `inputImagePrice` and `input_image_price` alike.
    for c in field.chars().chain(['_']) {
        if !c.is_ascii_alphabetic() || c.is_ascii_uppercase() {
            found = found || WORDS.contains(&word.as_str());
            word.clear();
        }
        if c.is_ascii_alphabetic() {
            word.push(c.to_ascii_lowercase());
        }
    }
    found
}

/// Reads one level of a raw value; what lies deeper stays raw.
pub(super) fn parse<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// The fields of an object, in its order, each as often as it stands there.
pub(super) type Entries<'a> = Capped<(String, Raw<'a>)>;
/// The entries of a list.
pub(super) type Rows<'a> = Capped<Raw<'a>>;

/// As many as may be looked at. More are counted, and not kept: a feed of millions of empty entries costs no memory.
#[derive(Debug)]
pub(super) struct Capped<T> {
    kept: Vec<T>,
    count: usize,
}

/// Most that is kept: more than any list of a feed may have.
const KEPT_MAX: usize = super::MODELS_MAX + 1;

impl<T> Capped<T> {
    fn new() -> Self {
        Self { kept: Vec::new(), count: 0 }
    }

    fn push(&mut self, item: T) {
        self.count = self.count.saturating_add(1);
        self.kept.push(item);
    }

    /// All of them, if there are at most so many.
    pub(super) fn found(self, most: usize) -> Option<Vec<T>> {
        (self.count <= most).then_some(self.kept)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(Reader::<(String, Raw<'a>)>(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Rows<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_seq(Reader::<Raw<'a>>(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de: 'a, 'a> Visitor<'de> for Reader<(String, Raw<'a>)> {
    type Value = Entries<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'a>, A::Error> {
        let mut entries = Capped::new();
        while entries.count < KEPT_MAX {
            match map.next_entry()? {
                Some(entry) => entries.push(entry),
                None => return Ok(entries),
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            entries.count = entries.count.saturating_add(1);
        }
        Ok(entries)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Reader<Raw<'a>> {
    type Value = Rows<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rows<'a>, A::Error> {
        let mut rows = Capped::new();
        while rows.count < KEPT_MAX {
            match list.next_element()? {
                Some(row) => rows.push(row),
                None => return Ok(rows),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            rows.count = rows.count.saturating_add(1);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Raw<'_> {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn a_field_that_stands_twice_is_refused() {
        let twice = Object::read(raw(r#"{"usd": 1, "diem": 1, "usd": 2}"#), "input").map(|_| ());
        assert_eq!(twice, Err(Refusal::FieldTwice { field: "usd".into() }));
        assert!(Object::read(raw("[]"), "input").is_err());
    }

    #[test]
    fn prices_are_numbers_or_texts_of_them() {
        let object = Object::read(raw(r#"{"a": 3e-06, "b": "0.5", "c": null, "d": true, "e": "-1", "f": "x"}"#), "row").expect("an object");
        assert_eq!(object.price("a").map(|p| p.map(|p| p.to_string())), Ok(Some("0.000003".into())));
        assert_eq!(object.price("b").map(|p| p.map(|p| p.to_string())), Ok(Some("0.5".into())));
        assert_eq!(object.price("c"), Ok(None));
        assert_eq!(object.price("z"), Ok(None));
        assert_eq!(object.price("e"), Err(Refusal::Negative { field: "e".into(), given: "\"-1\"".into() }));
        assert!(object.price("d").is_err() && object.price("f").is_err());
    }

    #[test]
    fn names_that_speak_of_money() {
        for name in ["tool_price", "inputImagePrice", "cost_per_page", "billing", "markup", "usdPerCall", "x-ratio"] {
            assert!(speaks_of_money(name), "{name}");
        }
        for name in ["rate_limits", "iteration", "context_length", "moderated", "enterprise", "priceless", "traits"] {
            assert!(!speaks_of_money(name), "{name}");
        }
    }

    #[test]
    fn more_than_may_be_looked_at_is_counted_and_not_kept() {
        let text = format!("[{}0]", "0,".repeat(KEPT_MAX * 2));
        let rows: Rows<'_> = serde_json::from_str(&text).expect("a list");
        assert_eq!((rows.count(), rows.kept.len()), (KEPT_MAX * 2 + 1, KEPT_MAX));
        assert!(rows.found(super::super::MODELS_MAX).is_none());
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let object = Object::read(raw(&deep), "deep").expect("an object");
        assert_eq!(object.get("a").map(Value::of), Some(Value::Other));
        assert!(object.list("a").is_ok_and(|list| list.is_some_and(|list| list.len() == 1)));
    }
}
