//! Metered runs, which the service prices, and why a run was charged what it was.

#[cfg(feature = "openapi")]
use crate::schema;
use crate::strict;
use aispace_units::{Exact, NanoCredits, Rounding};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Form of [`Explanation`] that this release writes.
pub const EXPLANATION_FORMAT: u16 = 1;

/// Largest explanation that is stored, in bytes of its JSON. A run that needs a longer one is refused.
pub const EXPLANATION_BYTES_MAX: usize = 16 * 1024;

/// A run as it was metered, instead of an amount. But for `card`, `version` and `failed` its fields are those of a run in
/// `docs/pricing.md`. A field that is not known is refused: it might have cost something.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MeteredRun {
    /// Id of the rate card.
    pub card: String,
    /// Which version of it: its date or its entity tag. When absent, the newest at the run's instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Id, alias or name of the model.
    pub model: String,
    /// Disjoint counts by meter, of one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<BTreeMap<String, Count>>,
    /// Calls that failed, in all, by meter: `calls`, `requests`, `tool_calls`, `web_searches`, `web_scrapes`, `images` or `generations`. They
    /// are logged and cost nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, u64>,
    /// Token counts of a convention that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenCounts>,
    /// The `usage` object of an OpenAI-compatible answer, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub openai_usage: Option<Map<String, Value>>,
    /// The `usage` object of an Anthropic-compatible answer, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub anthropic_usage: Option<Map<String, Value>>,
    /// Length of a clip; of sound for a model of kind `audio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Count>,
    /// Resolution of a clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Whether a clip has sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Sound>,
    /// Width of a picture in pixels; with `height` it gives `megapixels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// Height of a picture in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Addresses in a message, each of which may be scraped; for a hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_urls: Option<u64>,
    /// What the run chose, by the model's options.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The service tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Fields of the request that a factor follows from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Charges beside the meters, in the card's unit of account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<Extra>,
    /// How many such runs; one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// The instant of the run, whose prices hold; the service's now when absent.
    #[serde(default, deserialize_with = "strict::maybe_instant", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_instant))]
    pub at: Option<DateTime<Utc>>,
    /// Id of the channel (group).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// A channel factor (group ratio), whatever the card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_factor: Option<Exact>,
    /// Id of the user's level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A user factor, whatever the card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_factor: Option<Exact>,
    /// What the user recharged in all, in US dollars, which gives the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recharged_usd: Option<Exact>,
    /// Rates of a model that the card does not list, as cards write them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub rates: Option<Vec<Value>>,
    /// The kind of that model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl MeteredRun {
    /// A run of a model, of which nothing is counted yet.
    #[must_use]
    pub fn new(card: impl Into<String>, model: impl Into<String>) -> Self {
        Self { card: card.into(), model: model.into(), ..Self::default() }
    }

    /// Whether nothing is said of what was used. Nothing used is said by an empty `usage`.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        self.usage.is_none()
            && self.tokens.is_none()
            && self.openai_usage.is_none()
            && self.anthropic_usage.is_none()
            && self.seconds.is_none()
            && self.width.is_none()
            && self.height.is_none()
            && self.scrape_urls.is_none()
    }

    /// The fields that a run has in `docs/pricing.md`, as the pricing engine reads them. Where only failed calls are said, nothing was used.
    #[must_use]
    pub fn run_fields(&self) -> Value {
        let usage = if self.says_nothing() { Some(BTreeMap::new()) } else { self.usage.clone() };
        let run = Self { usage, version: None, failed: BTreeMap::new(), ..self.clone() };
        // Its maps have text keys and nothing does I/O: writing it cannot fail.
        serde_json::to_value(run).unwrap_or_default()
    }

    /// The same with a count more.
    #[must_use]
    pub fn with(mut self, meter: &str, count: u64) -> Self {
        self.usage.get_or_insert_default().insert(meter.to_owned(), Count::Whole(count));
        self
    }
}

/// How many: a whole number, a decimal in a string, or for a hold the least, the likely and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "a count is a whole number from 0, a decimal in a string, or {\"low\", \"likely\", \"high\"}")]
pub enum Count {
    /// Whole.
    Whole(u64),
    /// With decimals.
    Decimal(Exact),
    /// Known within bounds.
    Between(CountRange),
}

/// The least, the likely and the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CountRange {
    /// At least.
    pub low: Number,
    /// Probably.
    pub likely: Number,
    /// At most.
    pub high: Number,
}

/// A whole number or a decimal in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "a number is whole and from 0, or a decimal in a string")]
pub enum Number {
    /// Whole.
    Whole(u64),
    /// With decimals.
    Decimal(Exact),
}

/// `true`, `false`, `"on"` or `"off"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "sound is true, false, \"on\" or \"off\"")]
pub enum Sound {
    /// Whether there is any.
    Flag(bool),
    /// The same as a word.
    Word(Switch),
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// There is.
    On,
    /// There is not.
    Off,
}

/// What token totals contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenConvention {
    /// Totals contain their parts.
    Inclusive,
    /// Every count stands for itself.
    Exclusive,
}

/// Token counts with their convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenCounts {
    /// What the totals contain.
    pub convention: TokenConvention,
    /// Tokens sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Count>,
    /// Tokens answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Count>,
    /// Of the prompt: read from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Count>,
    /// Of the prompt: written to a cache of five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<Count>,
    /// Of the prompt: written to a cache of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<Count>,
    /// Of the prompt: sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<Count>,
    /// Of the prompt: pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_image: Option<Count>,
    /// Of the answer: sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<Count>,
    /// Of the answer: pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_image: Option<Count>,
    /// Of the answer: thinking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Count>,
}

/// A charge beside the meters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// What it is for.
    pub name: String,
    /// In the card's unit of account.
    pub amount: Exact,
}

/// Why a run was charged what it was, or so much was held for it. It stands in the entry and is hashed with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// [`EXPLANATION_FORMAT`]; a later one may have more fields.
    pub format: u16,
    /// What it explains.
    pub of: Explained,
    /// The run, as the gateway sent it.
    pub metered: MeteredRun,
    /// The card it was priced by.
    pub card: CardVersion,
    /// The instant whose prices were taken.
    pub priced_at: DateTime<Utc>,
    /// Every step. The lines of the role `charge` add up to one run; each `factor` multiplies that; times the runs it is `total`.
    pub lines: Vec<ExplanationLine>,
    /// What all runs cost, exactly, in `unit`; of a hold the likely cost.
    pub total: Exact,
    /// Code of the card's unit of account.
    pub unit: String,
    /// `total` rounded once, by `rounding`, in `unit`; of a hold what is held.
    pub posted: Exact,
    /// The card's rule for that.
    pub rounding: PostingRule,
    /// `posted` in AiSpace credits, exactly: what the entry charges or holds.
    pub credits: NanoCredits,
    /// Of a hold: what the run costs at least and at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<CostRange>,
    /// How sure the price is: `rate_card`, `interpolated`, `assumed_linear`.
    pub evidence: String,
    /// What it rests on, for people.
    pub note: String,
}

/// What an explanation explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Explained {
    /// A debit or a settlement.
    Charge,
    /// A hold.
    Hold,
    /// Something of a newer service.
    #[serde(other)]
    Unknown,
}

/// A version of a rate card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardVersion {
    /// The card.
    pub id: String,
    /// Its date.
    pub version: NaiveDate,
    /// Its entity tag in `GET /v1/rates/{id}`, without quotes.
    pub hash: String,
}

/// One step of an explanation, as a quote of the pricing engine has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplanationLine {
    /// A meter, or `extra`, `to_cents`, `rounded`, `to_credits`, `field`, `channel`, `user`, `runs`.
    pub meter: String,
    /// How many.
    pub quantity: Exact,
    /// The rate; of a factor, the factor.
    pub rate: Exact,
    /// What rate and amount are in: `credits` (the card's unit of account) or `usd`.
    pub unit: String,
    /// Per how many: `1`, `1k`, `1M`.
    pub per: String,
    /// What it comes to.
    pub amount: Exact,
    /// What chose the rate, for people.
    pub rule: String,
    /// How it enters the total.
    pub role: LineRole,
}

/// How a line enters the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineRole {
    /// Part of one run's cost before factors.
    Charge,
    /// A step towards the charge below it.
    Step,
    /// A factor: its amount is one run's cost so far.
    Factor,
    /// One run's cost times the runs.
    Runs,
    /// Calls that failed: logged, at nothing.
    NotCharged,
    /// A role of a newer service.
    #[serde(other)]
    Unknown,
}

/// How a cost is rounded, once, when it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostingRule {
    /// `down`, `up`, `half_up`, `half_even`.
    pub rule: Rounding,
    /// Decimals of the unit of account that stay; it or `step` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u32>,
    /// The smallest amount that is posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Exact>,
    /// The least that a cost above zero is posted as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Exact>,
}

/// What a run of unknown lengths costs, in the card's unit of account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostRange {
    /// At least.
    pub low: Exact,
    /// At most.
    pub high: Exact,
    /// What the hold follows from: `high`, `likely` or `fixed`.
    pub hold_basis: String,
}

/// Reads an explanation, or nothing where a newer service has written what is not known here: the entry is worth showing without it.
pub(crate) fn known<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Box<Explanation>>, D::Error> {
    let value = Option::<Value>::deserialize(d)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

#[cfg(test)]
mod tests {
    use crate::{DebitRequest, HoldRequest, SettleRequest, UsageEntry};
    use serde_json::json;

    /// Idempotency keys hold for ever by the hash of what a request is written as: a request that names its amount stays what it was.
    #[test]
    fn a_request_without_a_metered_run_is_written_as_before() {
        let debit: DebitRequest = serde_json::from_value(json!({"account_id": "a", "credits": "0.550"})).expect("reads");
        assert_eq!(serde_json::to_string(&debit).expect("writes"), r#"{"account_id":"a","credits":"0.55","run":null}"#);
        let hold: HoldRequest = serde_json::from_value(json!({"account_id": "a", "credits": "1", "metered": null})).expect("reads");
        assert_eq!(serde_json::to_string(&hold).expect("writes"), r#"{"account_id":"a","credits":"1","expires":null,"run":null}"#);
        let settle: SettleRequest = serde_json::from_value(json!({"account_id": "a", "credits": "2"})).expect("reads");
        assert_eq!(serde_json::to_string(&settle).expect("writes"), r#"{"account_id":"a","credits":"2","run":null}"#);
    }

    #[test]
    fn an_explanation_of_a_newer_service_hides_no_entry() {
        let entry = json!({"entry_id": "e", "sequence": 1, "at": "2027-01-01T00:00:00Z", "kind": "debit", "change_credits": "-1", "run": null,
            "explanation": {"format": 2, "of": "charge", "metered": {"units": []}}});
        let entry: UsageEntry = serde_json::from_value(entry).expect("the entry is read");
        assert_eq!((entry.sequence, entry.explanation), (1, None));
    }
}
