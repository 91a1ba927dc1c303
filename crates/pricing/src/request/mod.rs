//! Requests and answers as JSON, one object each; see `docs/pricing.md`. Pure: what is now is an argument.
//!
//! ```
//! use aispace_pricing::request::{Cards, answer_line};
//! let cards = Cards::built_in()?;
//! let line = r#"{"id": 7, "convert": {"amount": "4400", "from": "aispace", "to": "usd"}}"#;
//! let answer = answer_line(&cards, line, "2026-11-21T00:00:00Z".parse()?);
//! assert_eq!(answer, r#"{"id":7,"convert":{"amount":"4400","from":"aispace","to":"usd","converted":"0.44","exact":true}}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod cards;
mod count;
mod inline;
mod refusal;
mod report;
mod run;
mod verbs;

#[cfg(test)]
mod tests;

pub use answers::{
    AffordAnswer, CardWords, CompareAnswer, ConvertAnswer, LeftOutAnswer, LineAnswer, MixAnswer, MixPartAnswer, QuoteAnswer, RangeAnswer,
    RangeUsd, RankedAnswer, SettleAnswer,
};
pub use cards::Cards;
pub use count::{Count, Counts, End};
pub use inline::RATES_MAX;
pub use refusal::{Code, Detail, Refusal};
pub use report::{AnthropicUsage, CacheCreation, CompletionDetails, OpenAiUsage, PromptDetails, Reported, ServerToolUse, Tokens};
pub use run::{ExtraRequest, Placed, RunRequest};
pub use verbs::{AffordRequest, CompareRequest, ConvertRequest, MixRequest, RoundingRequest, SettleRequest, quote_observed};

use chrono::{DateTime, Utc};
use count::{object, object_option};
use serde::{Deserialize, Serialize};

/// Largest request that is read, in bytes.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// A request: what is asked, and a mark that comes back with the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RequestFields", into = "RequestFields")]
pub struct Request {
    /// Comes back as it is.
    pub id: Option<RequestId>,
    /// What is asked.
    pub verb: Verb,
}

/// The mark of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// What a run costs.
    Quote(Box<RunRequest>),
    /// What a run of unknown lengths costs, and what is held for it.
    Range(Box<RunRequest>),
    /// What is debited at the end of a run.
    Settle(Box<SettleRequest>),
    /// How many runs fit a budget.
    Afford(Box<AffordRequest>),
    /// How many runs fit a budget after others.
    Mix(Box<MixRequest>),
    /// Which model does a job cheapest.
    Compare(Box<CompareRequest>),
    /// An amount in another unit.
    Convert(Box<ConvertRequest>),
}

/// An answer, with the mark of its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// As the request has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// What is answered, under the word that was asked.
    #[serde(flatten)]
    pub body: Body,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// What a run costs.
    Quote(Box<QuoteAnswer>),
    /// What a run of unknown lengths costs.
    Range(Box<RangeAnswer>),
    /// What is debited.
    Settle(Box<SettleAnswer>),
    /// How many runs fit.
    Afford(Box<AffordAnswer>),
    /// How many runs fit after others.
    Mix(Box<MixAnswer>),
    /// The cheapest models.
    Compare(Box<CompareAnswer>),
    /// An amount in another unit.
    Convert(Box<ConvertAnswer>),
}

/// A refusal, with the mark of its request where that could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// As the request has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Why.
    pub error: Refusal,
}

/// Answers one request.
///
/// # Errors
/// [`Refused`] for whatever cannot be answered, a line that is no request among it.
pub fn answer(cards: &Cards, line: &str, now: DateTime<Utc>) -> Result<Answer, Box<Refused>> {
    if line.len() > REQUEST_BYTES_MAX {
        let error = Refusal::bad_request(format!("a request has at most {REQUEST_BYTES_MAX} bytes"));
        return Err(Box::new(Refused { id: None, error }));
    }
    let request = read(line).map_err(|error| {
        let id = serde_json::from_str::<Mark>(line).ok().and_then(|mark| mark.id);
        Box::new(Refused { id, error: Refusal::bad_request(error.to_string()) })
    })?;
    let Request { id, verb } = request;
    match verb.answer(cards, now) {
        Ok(body) => Ok(Answer { id, body }),
        Err(error) => Err(Box::new(Refused { id, error })),
    }
}

fn read(line: &str) -> Result<Request, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let request = object(&mut reader)?;
    reader.end()?;
    Ok(request)
}

/// Answers one request with one line of JSON, without its end; a refusal is `{"error": {"code", "message", …}}`.
#[must_use]
pub fn answer_line(cards: &Cards, line: &str, now: DateTime<Utc>) -> String {
    let written = match answer(cards, line, now) {
        Ok(answer) => serde_json::to_string(&answer),
        Err(refused) => serde_json::to_string(&refused),
    };
    // No answer can fail to be written: its maps have text keys and it does no I/O.
    written.unwrap_or_default()
}

impl Verb {
    /// Answers what is asked.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn answer(&self, cards: &Cards, now: DateTime<Utc>) -> Result<Body, Refusal> {
        Ok(match self {
            Self::Quote(run) => Body::Quote(Box::new(verbs::quote(run, cards, now)?)),
            Self::Range(run) => Body::Range(Box::new(verbs::range(run, cards, now)?)),
            Self::Settle(settle) => Body::Settle(Box::new(settle.answer(cards, now)?)),
            Self::Afford(afford) => Body::Afford(Box::new(afford.answer(cards, now)?)),
            Self::Mix(mix) => Body::Mix(Box::new(mix.answer(cards, now)?)),
            Self::Compare(compare) => Body::Compare(Box::new(compare.answer(cards, now)?)),
            Self::Convert(convert) => Body::Convert(Box::new(convert.answer(cards)?)),
        })
    }
}

#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    id: Option<RequestId>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<RequestId>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    quote: Option<Box<RunRequest>>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    range: Option<Box<RunRequest>>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    settle: Option<Box<SettleRequest>>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    afford: Option<Box<AffordRequest>>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    mix: Option<Box<MixRequest>>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    compare: Option<Box<CompareRequest>>,
    #[serde(default, deserialize_with = "object_option", skip_serializing_if = "Option::is_none")]
    convert: Option<Box<ConvertRequest>>,
}

impl TryFrom<RequestFields> for Request {
    type Error = &'static str;

    fn try_from(fields: RequestFields) -> Result<Self, Self::Error> {
        let RequestFields { id, quote, range, settle, afford, mix, compare, convert } = fields;
        let verbs = [
            quote.map(Verb::Quote),
            range.map(Verb::Range),
            settle.map(Verb::Settle),
            afford.map(Verb::Afford),
            mix.map(Verb::Mix),
            compare.map(Verb::Compare),
            convert.map(Verb::Convert),
        ];
        let mut verbs = verbs.into_iter().flatten();
        match (verbs.next(), verbs.next()) {
            (Some(verb), None) => Ok(Self { id, verb }),
            _ => Err("a request has exactly one of quote, range, settle, afford, mix, compare and convert"),
        }
    }
}

impl From<Request> for RequestFields {
    fn from(request: Request) -> Self {
        let fields = Self { id: request.id, ..Self::default() };
        match request.verb {
            Verb::Quote(quote) => Self { quote: Some(quote), ..fields },
            Verb::Range(range) => Self { range: Some(range), ..fields },
            Verb::Settle(settle) => Self { settle: Some(settle), ..fields },
            Verb::Afford(afford) => Self { afford: Some(afford), ..fields },
            Verb::Mix(mix) => Self { mix: Some(mix), ..fields },
            Verb::Compare(compare) => Self { compare: Some(compare), ..fields },
            Verb::Convert(convert) => Self { convert: Some(convert), ..fields },
        }
    }
}
