//! The gateway's and the operator's calls.

#[cfg(feature = "openapi")]
use crate::schema;
use crate::{MeteredRun, strict};
use aispace_units::NanoCredits;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// `POST /v1/accounts` (operator).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"label": "a tester"})))]
#[serde(deny_unknown_fields)]
pub struct OpenAccountRequest {
    /// A word for the operator; not shown to the person.
    #[serde(default, deserialize_with = "strict::maybe_word")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_word))]
    pub label: Option<String>,
}

/// Answer of `POST /v1/accounts`. The only time this Secure Key is shown.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountOpened {
    /// Opaque account id.
    pub account_id: String,
    /// The account's Secure Key.
    pub secure_key: SealedSecret,
}

/// `POST /v1/grants` (operator): posts a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012", "credits": "250000", "note": "a gift"})))]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// Whose.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
    /// How much; above zero.
    pub credits: NanoCredits,
    /// The first instant at which it is gone; 30 × 86,400 s after now when absent.
    #[serde(default, deserialize_with = "strict::maybe_instant")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_instant))]
    pub expires: Option<DateTime<Utc>>,
    /// A word for people.
    #[serde(default, deserialize_with = "strict::maybe_word")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_word))]
    pub note: Option<String>,
}

/// `POST /v1/debits` (operator, as a gateway): charges a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012", "credits": "0.55", "run": {"model_id": "venice-small", "model_name": "Venice Small", "kind": "chat", "meters": {"input_tokens": "500"}}})))]
#[serde(deny_unknown_fields)]
pub struct DebitRequest {
    /// Whose.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
    /// How much; zero is allowed and logged. It or `metered` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<NanoCredits>,
    /// What was run, beside `credits`; a metered run describes itself.
    #[serde(default, deserialize_with = "strict::maybe_run")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<strict::RunRequest>))]
    pub run: Option<RunDescription>,
    /// What was used, which the service prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<Box<MeteredRun>>,
}

/// `POST /v1/holds` (operator, as a gateway): reserves credits for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012", "credits": "120"})))]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// Whose.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
    /// How much; zero is allowed and logged. It or `metered` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<NanoCredits>,
    /// The first instant at which it is gone; an hour after now when absent.
    #[serde(default, deserialize_with = "strict::maybe_instant")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_instant))]
    pub expires: Option<DateTime<Utc>>,
    /// What is run, beside `credits`; a metered run describes itself.
    #[serde(default, deserialize_with = "strict::maybe_run")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<strict::RunRequest>))]
    pub run: Option<RunDescription>,
    /// What may be used, which the service prices; a count may be known within bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<Box<MeteredRun>>,
}

/// `POST /v1/holds/{id}/settle` (operator, as a gateway): charges the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012", "credits": "97.5"})))]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// Whose hold it is.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
    /// What the run cost; may be more than is held, zero is allowed. It or `metered` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<NanoCredits>,
    /// What was run, beside `credits`; the hold's own description when absent. A metered run describes itself.
    #[serde(default, deserialize_with = "strict::maybe_run")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<strict::RunRequest>))]
    pub run: Option<RunDescription>,
    /// What was used, which the service prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered: Option<Box<MeteredRun>>,
}

/// `POST /v1/holds/{id}/release` (operator, as a gateway): ends the hold without a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012"})))]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// Whose hold it is.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
}

/// `POST /v1/refunds` (operator, as a gateway): gives a charge back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012", "sequence": 2, "credits": "0.55", "note": "the run failed"})))]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// Whose.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
    /// Sequence number of the debit or settlement.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 9223372036854775807u64))]
    pub sequence: u64,
    /// How much; above zero.
    pub credits: NanoCredits,
    /// Why, for people.
    #[serde(default, deserialize_with = "strict::maybe_word")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_word))]
    pub note: Option<String>,
}

/// `POST /v1/batches/{id}/void` (operator): takes the rest of a batch away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"account_id": "ac_0b5e3f1d9a7c4e2f8d6b1a3c5e7f9012"})))]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// Whose batch it is.
    #[serde(deserialize_with = "strict::id")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::id))]
    pub account_id: String,
}

/// `PUT /v1/accounts/{id}/allowance` (operator): a batch at every UTC midnight from the next one on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"credits": "100"})))]
#[serde(deny_unknown_fields)]
pub struct AllowanceRequest {
    /// Credits of each batch; zero for none.
    pub credits: NanoCredits,
}

/// What was run, as it stands in the usage log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunDescription {
    /// Model or tool id of the rate card.
    pub model_id: String,
    /// Its printed name.
    pub model_name: String,
    /// `chat`, `image`, `video`, `audio`, `embedding`, `search`.
    pub kind: String,
    /// Meter name to count, as decimal strings (`input_tokens`: `"500"`).
    #[serde(default)]
    pub meters: BTreeMap<String, String>,
    /// The rule that chose the rate, for people.
    #[serde(default)]
    pub rule: Option<String>,
}

/// Answer of a call that posts entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostedAnswer {
    /// The account.
    pub account_id: String,
    /// The entry.
    pub entry_id: String,
    /// The entry's position in the account's log, from 1; names a charge for a refund.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub sequence: u64,
    /// The batch, for a grant and for a void.
    pub batch_id: Option<String>,
    /// The hold, for a hold and what ends it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub hold_id: Option<String>,
    /// What a metered run was charged, or what is held for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metered_credits: Option<NanoCredits>,
    /// What is free after it.
    pub available_credits: NanoCredits,
    /// What is held after it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub held_credits: NanoCredits,
    /// What is owed after it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub debt_credits: NanoCredits,
    /// The service's clock when it was posted.
    pub server_time: DateTime<Utc>,
}

/// `GET /v1/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthAnswer {
    /// `ok`; `degraded` when the chain cannot be read; `failing` when the database does not answer (503).
    pub status: String,
    /// How the database is.
    #[serde(default)]
    pub database: PartHealth,
    /// How the chain is: whether new payments are seen.
    #[serde(default)]
    pub chain: PartHealth,
    /// The service's clock.
    pub server_time: DateTime<Utc>,
    /// The newest block that was scanned for payments.
    pub scanned_block: Option<u64>,
}

/// How a part of the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartHealth {
    /// It works.
    Ok,
    /// It does not.
    Failing,
    /// A word of a newer service, or none from an older one.
    #[default]
    #[serde(other)]
    Unknown,
}

/// `PUT /test/clock` (only with `--test-clock`): `null` gives the clock back to the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"at": null})))]
#[serde(deny_unknown_fields)]
pub struct TestClockRequest {
    /// The instant the service shall believe, standing still.
    #[serde(deserialize_with = "strict::maybe_instant")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::maybe_instant, required = true))]
    pub at: Option<DateTime<Utc>>,
}

/// A secret on the wire: it serialises, and prints as nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(String);

impl SealedSecret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Gives the secret out; the caller seals it again at once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Gives the secret out and drops the seal.
    #[must_use]
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
