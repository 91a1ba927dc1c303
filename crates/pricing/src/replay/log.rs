//! A usage log: a run as requests write it a line, with when it was made and, where known, what was charged.

use super::LoggedRun;
use crate::{
    QuoteError, RateCard, Run, Terms,
    request::{Code, REQUEST_BYTES_MAX, Refusal, RunRequest},
};
use aispace_units::Exact;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt};

const CHARGED: &str = "charged";

/// Reads a line of a usage log: a run as requests write it, with `at`, and `charged` where it is known what was charged for it (in the old
/// card's unit of account).
///
/// ```
/// use aispace_pricing::{RateCard, read_logged};
/// let card = RateCard::aispace()?;
/// let line = r#"{"at": "2026-02-03T09:00:00Z", "model": "qwen3-4b", "usage": {"input_tokens": 500, "output_tokens": 200}, "charged": "0.55"}"#;
/// let logged = read_logged(line, &card, &card)?;
/// assert_eq!(logged.charged.map(|c| c.to_string()).as_deref(), Some("0.55"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Refusal`] for a line that is no run: no such model in either card, no instant, nothing counted, counts within bounds, a run of another
/// card or with rates of its own.
pub fn read_logged(line: &str, old: &RateCard, new: &RateCard) -> Result<LoggedRun, Refusal> {
    Entry::read(line)?.run(old, new)
}

/// A line, before a model gives its counts their meaning.
pub(super) struct Entry {
    pub(super) model_id: String,
    pub(super) at: DateTime<Utc>,
    request: RunRequest,
    charged: Option<Exact>,
}

impl Entry {
    pub(super) fn read(line: &str) -> Result<Self, Refusal> {
        if line.len() > REQUEST_BYTES_MAX {
            return Err(Refusal::bad_request(format!("a line has at most {REQUEST_BYTES_MAX} bytes")));
        }
        let unread = |error: serde_json::Error| Refusal::bad_request(error.to_string());
        let mut fields = serde_json::from_str::<Fields<'_>>(line).map_err(unread)?.0;
        let charged = fields.remove(CHARGED).map(|raw| serde_json::from_str::<Exact>(raw.get()).map_err(unread)).transpose()?;
        let request: RunRequest = serde_json::from_str(&serde_json::to_string(&fields).map_err(unread)?).map_err(unread)?;
        let Some(model_id) = request.model.clone() else { return Err(Refusal::bad_request("model is missing")) };
        let Some(at) = request.at else { return Err(Refusal::bad_request("at is missing: when the run was made")) };
        if request.rates.is_some() {
            return Err(Refusal::bad_request("a logged run is priced by cards, not by rates of its own"));
        }
        if !request.has_counts() {
            return Err(Refusal::bad_request("nothing is counted"));
        }
        Ok(Self { model_id, at, request, charged })
    }

    pub(super) fn run(self, old: &RateCard, new: &RateCard) -> Result<LoggedRun, Refusal> {
        let Self { model_id, at, request, charged } = self;
        if let Some(other) = request.card.as_ref().filter(|id| *id != old.id() && *id != new.id()) {
            return Err(Refusal::new(Code::UnknownCard, format!("a run of the card {other:?}, which is neither of the two")));
        }
        // What counts mean follows from the kind of model, which either card knows.
        let model = match old.model(&model_id) {
            Err(error @ QuoteError::UnknownModel { .. }) => new.model(&model_id).map_err(|_| error)?,
            found => found?,
        };
        let run = Run { model_id, ..request.run(model)? };
        let terms = request.terms(at)?;
        let says_who = terms != Terms::at(at);
        Ok(LoggedRun { run, at, charged, terms: says_who.then_some(terms) })
    }
}

/// The fields of a line, each once, not yet read.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> serde::de::Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a run, such as {\"at\": …, \"model\": …, \"usage\": …}")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("{name} stands there twice")));
            }
            fields.insert(name, value);
        }
        Ok(Fields(fields))
    }
}
