//! A live source that does not offer a clip, and what it would offer.

use super::{ClipQuery, LiveError, object};
use crate::QuoteError;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

const TEXT_CHARS_MAX: usize = 300;
const ISSUES_MAX: usize = 20;
const VALUES_MAX: usize = 100;

/// Why a live source gave no quote of a clip, in its own words, made harmless: no control characters, nothing long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClipRefusal {
    /// What it says to the whole.
    pub message: String,
    /// What it says to single fields of the request.
    pub issues: Vec<ClipIssue>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClipIssue {
    /// Which one: `duration`, `resolution`.
    pub field: String,
    /// What it may be; empty where that is not said.
    pub allowed: Vec<String>,
    /// What else is said about it.
    pub message: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    details: Value,
    #[serde(default)]
    issues: Value,
}

impl ClipRefusal {
    /// Reads the body of a refusal (status 400). Whatever is missing or of another shape is left out.
    ///
    /// ```
    /// use aispace_pricing::ClipRefusal;
    /// let body = br#"{"error": "Invalid request", "issues": [{"path": ["duration"], "expected": "'5s' | '10s'"}]}"#;
    /// assert_eq!(ClipRefusal::read(body)?.to_string(), "Invalid request; duration may be 5s, 10s");
    /// # Ok::<(), aispace_pricing::LiveError>(())
    /// ```
    ///
    /// # Errors
    /// [`LiveError::Shape`] when it is not a JSON object.
    pub fn read(body: &[u8]) -> Result<Self, LiveError> {
        let Body { error, details, issues } = object(body)?;
        let message = text(&error).or_else(|| text(error.get("message")?)).unwrap_or_default();
        let mut by_field: BTreeMap<String, ClipIssue> = BTreeMap::new();
        for issue in issues.as_array().into_iter().flatten().take(ISSUES_MAX) {
            let Some(field) = issue.get("path").and_then(path) else { continue };
            let expected = issue.get("expected").and_then(Value::as_str).unwrap_or_default();
            let own = by_field.entry(field.clone()).or_insert_with(|| ClipIssue { field, ..ClipIssue::default() });
            own.allowed.extend(quoted(expected));
            own.message = issue.get("message").and_then(text).unwrap_or_default();
        }
        for (name, detail) in details.as_object().into_iter().flatten().take(ISSUES_MAX) {
            let said = detail.get("_errors").and_then(|errors| text(errors.get(0)?));
            let (Some(field), Some(said)) = (harmless(name), said) else { continue };
            let own = by_field.entry(field.clone()).or_insert_with(|| ClipIssue { field, ..ClipIssue::default() });
            if own.message.is_empty() {
                own.message = said;
            }
        }
        Ok(Self { message, issues: by_field.into_values().collect() })
    }

    /// The same in the words of a quote: the first choice that is refused, with what is allowed. None where no value is named.
    #[must_use]
    pub fn impossible(&self, query: &ClipQuery) -> Option<QuoteError> {
        let issue = self.issues.iter().find(|issue| !issue.allowed.is_empty() && issue.given(query).is_some())?;
        let is_length = issue.field == "duration";
        let seconds = |value: &String| if is_length { value.strip_suffix('s').unwrap_or(value).to_owned() } else { value.clone() };
        Some(QuoteError::Impossible {
            model_id: query.model.clone(),
            parameter: if is_length { "seconds".to_owned() } else { issue.field.clone() },
            given: seconds(&issue.given(query)?),
            allowed: issue.allowed.iter().map(seconds).collect(),
        })
    }
}

impl ClipIssue {
    /// What the query said.
    fn given(&self, query: &ClipQuery) -> Option<String> {
        match self.field.as_str() {
            "duration" => Some(query.duration.clone()),
            "resolution" => query.resolution.clone(),
            "aspect_ratio" => query.aspect_ratio.clone(),
            "audio" => query.audio.map(|on| on.to_string()),
            _ => None,
        }
    }
}

impl fmt::Display for ClipRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.message.is_empty() { "the clip is refused" } else { &self.message })?;
        for issue in &self.issues {
            match (issue.allowed.is_empty(), issue.message.is_empty()) {
                (false, _) => write!(f, "; {} may be {}", issue.field, issue.allowed.join(", "))?,
                (true, false) => write!(f, "; {}: {}", issue.field, issue.message)?,
                (true, true) => write!(f, "; {} is refused", issue.field)?,
            }
        }
        Ok(())
    }
}

/// The values between single quotes: `'5s' | '10s'`.
fn quoted(expected: &str) -> Vec<String> {
    expected.split('\'').skip(1).step_by(2).take(VALUES_MAX).filter_map(harmless).collect()
}

/// The name of a field: the parts of its path.
fn path(path: &Value) -> Option<String> {
    let parts: Vec<String> = path.as_array()?.iter().take(5).filter_map(text).collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

fn text(value: &Value) -> Option<String> {
    harmless(value.as_str()?)
}

/// A foreign text as it may be shown: on one line, short, and not empty.
fn harmless(text: &str) -> Option<String> {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect();
    Some(plain.trim().to_owned()).filter(|plain| !plain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> ClipRefusal {
        ClipRefusal::read(body.as_bytes()).expect("an object")
    }

    fn query() -> ClipQuery {
        ClipQuery { model: "m".into(), duration: "7s".into(), resolution: Some("480p".into()), aspect_ratio: None, audio: None }
    }

    #[test]
    fn allowed_values_are_read_from_the_issues() {
        let refusal = read(
            r#"{"error": "Invalid request parameters", "details": {"_errors": [], "duration": {"_errors": ["Invalid duration"]}},
                "issues": [{"code": "invalid_value", "path": ["duration"], "expected": "'5s' | '10s'", "message": "Invalid option"},
                           {"path": ["resolution"], "expected": "'720p'"}]}"#,
        );
        assert_eq!(refusal.issues[0].allowed, ["5s", "10s"]);
        assert_eq!(refusal.to_string(), "Invalid request parameters; duration may be 5s, 10s; resolution may be 720p");
        let impossible = refusal.impossible(&query()).expect("a choice");
        assert_eq!(impossible.to_string(), "m: seconds cannot be 7; allowed: 5, 10");
    }

    #[test]
    fn what_is_missing_is_left_out() {
        assert_eq!(read("{}").to_string(), "the clip is refused");
        assert_eq!(read(r#"{"error": {"message": "no such model", "code": "MODEL_NOT_FOUND"}}"#).to_string(), "no such model");
        assert_eq!(read(r#"{"details": {"audio": {"_errors": ["not here"]}}}"#).to_string(), "the clip is refused; audio: not here");
        assert_eq!(read(r#"{"error": 7, "issues": [7, {"path": 3}, {"path": []}, {"path": ["x"], "expected": 3}]}"#).issues.len(), 1);
        assert_eq!(read(r#"{"issues": [{"path": ["prompt"], "expected": "string"}]}"#).impossible(&query()), None);
        // A field that was not sent cannot be what is wrong.
        assert_eq!(read(r#"{"issues": [{"path": ["aspect_ratio"], "expected": "'16:9'"}]}"#).impossible(&query()), None);
        for garbage in ["", "[]", "7", "<html>"] {
            assert!(ClipRefusal::read(garbage.as_bytes()).is_err(), "{garbage}");
        }
    }

    #[test]
    fn foreign_words_are_made_harmless() {
        let refusal = read(r#"{"error": "\u001b[2J\u0007gone\nnext", "issues": [{"path": ["a\u001b"], "expected": "'\u001b[31m5s'"}]}"#);
        assert!(!refusal.to_string().chars().any(char::is_control), "{refusal:?}");
        let long = read(&format!(r#"{{"error": "{}"}}"#, "é".repeat(5_000)));
        assert_eq!(long.message.chars().count(), TEXT_CHARS_MAX);
        let many: Vec<String> = (0..500).map(|n| format!("'{n}s'")).collect();
        let many = read(&format!(r#"{{"issues": [{{"path": ["duration"], "expected": "{}"}}]}}"#, many.join(" | ")));
        assert_eq!(many.issues[0].allowed.len(), VALUES_MAX);
    }
}
