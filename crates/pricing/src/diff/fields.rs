//! Everything beside the rates, compared field by field as the files write it: what is new to the format is compared too.

use super::Difference;
use crate::{Model, RateCard};
use aispace_units::Exact;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Which one, as the file names it, entries of a list by their id: `posting.rule`, `channels.values[vip].factor`.
    pub field: String,
    /// Before, as the file writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// Now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// By how many percent it changed, for numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Difference>,
}

/// What changed above the models. Names, days and notes do not count: they are the card's, not its prices'.
pub(super) fn of_cards(old: &RateCard, new: &RateCard) -> Vec<FieldChange> {
    let terms = |card: &RateCard| {
        let mut file = card.file().clone();
        file.models = Vec::new();
        let words = ["format", "id", "name", "date", "date_note", "note", "models"];
        flat(&file, &words)
    };
    changes(&terms(old), &terms(new))
}

/// What changed about a model beside its rates, its note and the day it came.
pub(super) fn of_models(old: &Model, new: &Model) -> Vec<FieldChange> {
    let fields = |model: &Model| flat(&Model { rates: Vec::new(), ..model.clone() }, &["id", "rates", "added", "note"]);
    changes(&fields(old), &fields(new))
}

fn changes(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let fields: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |field: &&String| {
        let (was, is) = (old.get(*field), new.get(*field));
        let number = |text: Option<&String>| text.and_then(|text| text.parse::<Exact>().ok());
        let percent = number(was).zip(number(is)).and_then(|(was, is)| Difference::percent(was, is));
        (was != is).then(|| FieldChange { field: (*field).clone(), old: was.cloned(), new: is.cloned(), percent })
    };
    fields.iter().filter_map(change).collect()
}

/// Every field that holds a value, by its path.
fn flat(whole: &impl Serialize, but: &[&str]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    // The file's types have text keys and no writer that fails.
    if let Ok(Value::Object(fields)) = serde_json::to_value(whole) {
        for (name, value) in fields.iter().filter(|(name, _)| !but.contains(&name.as_str())) {
            walk(name.clone(), value, &mut all);
        }
    }
    all
}

fn walk(path: String, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            all.insert(path, value.to_string());
        }
        Value::String(text) => {
            all.insert(path, text.clone());
        }
        Value::Object(fields) => fields.iter().for_each(|(name, value)| walk(format!("{path}.{name}"), value, all)),
        Value::Array(entries) if entries.iter().any(Value::is_object) => {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for entry in entries {
                let own = name(entry);
                let count = seen.entry(own.clone()).or_default();
                *count = count.saturating_add(1);
                let nth = if *count > 1 { format!("#{count}") } else { String::new() };
                walk(format!("{path}[{own}{nth}]"), entry, all);
            }
        }
        Value::Array(entries) => {
            let texts: Vec<String> = entries.iter().map(|e| e.as_str().map_or_else(|| e.to_string(), str::to_owned)).collect();
            all.insert(path, texts.join(", "));
        }
    }
}

/// What tells an entry of a list from the others.
fn name(entry: &Value) -> String {
    let of = |field: &str| entry.get(field).and_then(Value::as_str);
    match (of("id").or_else(|| of("code")).or_else(|| of("field")), of("meter"), of("group")) {
        (Some(own), _, _) => own.to_owned(),
        (None, Some(meter), Some(group)) => format!("{meter}, {group}"),
        (None, Some(meter), None) => meter.to_owned(),
        (None, None, _) => String::new(),
    }
}
