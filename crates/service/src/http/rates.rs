//! Rate cards, and clips priced in the request and answer format of Venice's `POST /video/quote`.

use super::failure::Failure;
use super::input::{Body, path_id};
use super::openapi::{IfNoneMatch, PathId, RefusedCard};
use super::{AppState, Shared};
use crate::metering::{Shelf, entity_tag};
use aispace_api::{ErrorCode, is_plain_decimal};
use aispace_pricing::{AudioRule, CardError, QuoteError, RateCard, Run, Terms, quote};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType};

/// The cards that are served, each as it is answered.
pub(crate) struct Rates {
    cards: Vec<ServedCard>,
    all: Document,
    shelf: Shelf,
}

struct ServedCard {
    card: RateCard,
    document: Document,
}

/// A JSON document with its strong entity tag: the beginning of its SHA-256.
pub(crate) struct Document {
    body: String,
    tag: HeaderValue,
}

impl Document {
    pub(crate) fn new(body: String) -> Self {
        let tag = HeaderValue::from_str(&format!("\"{}\"", entity_tag(&body)));
        Self { body, tag: tag.unwrap_or_else(|_| HeaderValue::from_static("\"\"")) }
    }

    /// The document, or 304 for whoever has it already.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let is_own = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == self.tag.as_bytes();
        let has_it = known.flat_map(|list| list.split(',')).any(|tag| is_own(tag.trim()));
        // It may be kept, and is asked for again each time, which costs no body.
        let head = [(header::ETAG, self.tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
        if has_it {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        (head, [(header::CONTENT_TYPE, "application/json")], self.body.clone()).into_response()
    }
}

impl Rates {
    /// The built-in cards.
    ///
    /// # Errors
    /// A [`CardError`] would be a mistake of the build.
    pub(crate) fn built_in() -> Result<Self, CardError> {
        let cards = RateCard::built_in()?;
        let shelf = Shelf::new(cards.clone())?;
        let cards = cards.into_iter().map(|card| ServedCard { document: Document::new(card.to_json()), card });
        let cards: Vec<ServedCard> = cards.collect();
        let bodies: Vec<&str> = cards.iter().map(|served| served.document.body.as_str()).collect();
        let all = Document::new(format!("{{\"cards\": [{}]}}", bodies.join(", ")));
        Ok(Self { cards, all, shelf })
    }

    /// The cards that metered runs are priced by.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    fn get(&self, id: &str) -> Option<&ServedCard> {
        self.cards.iter().find(|served| served.card.id() == id)
    }
}

/// Every card, whole.
#[utoipa::path(get, path = "/v1/rates", operation_id = "listRates", tag = "rates", security(()), params(IfNoneMatch),
    responses((status = 200, description = "The cards.", body = RateCards, headers(("ETag" = String, description = "Their entity tag."))),
        (status = 304, description = "The caller has them.")))]
pub(crate) async fn all(State(shared): AppState, headers: HeaderMap) -> Response {
    shared.rates.all.answer(&headers)
}

/// One card, as its file writes it.
#[utoipa::path(get, path = "/v1/rates/{id}", operation_id = "showRates", tag = "rates", security(()), params(PathId, IfNoneMatch),
    responses((status = 200, description = "The card.", body = Object, headers(("ETag" = String, description = "Its entity tag."))),
        (status = 304, description = "The caller has it."), RefusedCard))]
pub(crate) async fn one(
    State(shared): AppState,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Failure> {
    let unknown = || Failure::new(ErrorCode::NotFound, "there is no rate card of this id");
    let id = path_id(path, unknown)?;
    let served = shared.rates.get(&id).ok_or_else(unknown)?;
    Ok(served.document.answer(&headers))
}

/// What Venice's `POST /video/quote` takes. Fields that change a price there and have no rate here are refused when they are set.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"model": "wan-2.5-preview-text-to-video", "duration": "5s", "resolution": "1080p"}))]
pub(crate) struct ClipRequest {
    /// Id of a video model.
    model: String,
    /// Seconds and `s`.
    #[schema(pattern = "^[0-9]{1,5}s$")]
    duration: String,
    resolution: Option<String>,
    /// Whether it has sound.
    audio: Option<bool>,
    #[schema(schema_with = none_or_one)]
    upscale_factor: Option<Value>,
    #[schema(schema_with = none_or_one)]
    video_url: Option<Value>,
    #[schema(schema_with = none_or_one)]
    reference_video_total_duration: Option<Value>,
}

fn none_or_one() -> Schema {
    ObjectBuilder::new().enum_values(Some([Value::Null, json!(0), json!(1)])).schema_type(SchemaType::AnyValue).into()
}

/// What a clip costs.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the answer is written as text, so that its number is exact")]
pub(crate) struct ClipQuote {
    /// US dollars, to the cent.
    #[schema(value_type = f64, minimum = 0, multiple_of = 0.01)]
    quote: Value,
}

/// Why a clip has no price, in Venice's shape.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the answer is written as JSON")]
pub(crate) struct ClipRefusal {
    /// For people.
    error: String,
    /// By field: `{"_errors": [text]}`.
    details: BTreeMap<String, Value>,
    /// Each field with what it may be.
    issues: Vec<ClipIssue>,
}

/// A field that was refused.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the answer is written as JSON")]
pub(crate) struct ClipIssue {
    /// The field.
    path: Vec<String>,
    /// What it may be.
    expected: String,
}

/// Every rate card, whole.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the cards are served as they are written")]
pub(crate) struct RateCards {
    /// In the rate card format.
    cards: Vec<Value>,
}

/// Prices a clip by the AiSpace card, in US dollars.
#[utoipa::path(post, path = "/v1/video/quote", operation_id = "quoteClip", tag = "rates", security(()), request_body = ClipRequest,
    responses((status = 200, description = "What the clip costs.", body = ClipQuote), (status = 400, description = "No such clip.", body = ClipRefusal),
        (status = 404, description = "No such model.", body = ClipRefusal), (status = 422, description = "No price.", body = ClipRefusal)))]
pub(crate) async fn video_quote(State(shared): AppState, body: Body) -> Response {
    let request: ClipRequest = match body.read() {
        Ok(request) => request,
        Err(failure) if failure.is_invalid() => return refused(StatusCode::BAD_REQUEST, "model and duration are needed, as text", &[]),
        Err(failure) => return failure.into_response(),
    };
    match price(&shared, &request) {
        // Written as text: the number is exact and was never a float.
        Ok(usd) => ([(header::CONTENT_TYPE, "application/json")], format!("{{\"quote\": {usd}}}")).into_response(),
        Err(response) => *response,
    }
}

fn price(shared: &Shared, request: &ClipRequest) -> Result<String, Box<Response>> {
    let refuse = |status, message: &str, issues: &[Issue]| Box::new(refused(status, message, issues));
    let bad =
        |field: &str| refuse(StatusCode::BAD_REQUEST, "Invalid request parameters", &[Issue::new(field, "no value: it has no rate here")]);
    for (field, value) in [
        ("upscale_factor", &request.upscale_factor),
        ("video_url", &request.video_url),
        ("reference_video_total_duration", &request.reference_video_total_duration),
    ] {
        if value.as_ref().is_some_and(|v| *v != json!(0) && *v != json!(1)) {
            return Err(bad(field));
        }
    }
    let card = shared.rates.get("aispace").map(|served| &served.card).ok_or_else(|| bad("model"))?;
    let model = card.model(&request.model).map_err(|error| refuse(StatusCode::NOT_FOUND, &error.to_string(), &[]))?;
    let rules = model
        .video
        .as_ref()
        .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "the model makes no clips", &[Issue::new("model", "a video model")]))?;
    let allowed = || quoted(rules.seconds.iter().map(|s| format!("{s}s")));
    let seconds = request.duration.strip_suffix('s').filter(|s| is_plain_decimal(s, 5, 0)).and_then(|s| s.parse().ok());
    let seconds =
        seconds.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "Invalid request parameters", &[Issue::new("duration", &allowed())]))?;
    // Sound is on unless it is said otherwise, where there is a choice.
    let audio = request.audio.or((rules.audio == AudioRule::Choice).then_some(true));
    let run = Run::clip(model.id.clone(), seconds, request.resolution.as_deref(), audio);
    let quoted = quote(card, &run, &Terms::at(shared.clock.now())).map_err(|error| Box::new(not_priced(error)))?;
    quoted.usd.map(|usd| usd.to_string()).ok_or_else(|| bad("model"))
}

fn not_priced(error: QuoteError) -> Response {
    match error {
        QuoteError::Impossible { parameter, allowed, .. } => {
            let is_length = parameter == "seconds";
            let values = allowed.into_iter().map(|value| if is_length { format!("{value}s") } else { value });
            let field = if is_length { "duration" } else { parameter.as_str() };
            refused(StatusCode::BAD_REQUEST, "Invalid request parameters", &[Issue::new(field, &quoted(values))])
        }
        other => refused(StatusCode::UNPROCESSABLE_ENTITY, &other.to_string(), &[]),
    }
}

fn quoted(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.map(|value| format!("'{value}'")).collect();
    if values.is_empty() { "no value".to_owned() } else { values.join(" | ") }
}

/// A field that was refused, and what it may be.
struct Issue {
    field: String,
    expected: String,
}

impl Issue {
    fn new(field: &str, expected: &str) -> Self {
        Self { field: field.to_owned(), expected: expected.to_owned() }
    }
}

/// A refusal in Venice's shape.
fn refused(status: StatusCode, message: &str, issues: &[Issue]) -> Response {
    let details: serde_json::Map<String, Value> =
        issues.iter().map(|issue| (issue.field.clone(), json!({"_errors": [format!("expected {}", issue.expected)]}))).collect();
    let issues: Vec<Value> = issues.iter().map(|issue| json!({"path": [issue.field], "expected": issue.expected})).collect();
    (status, Json(json!({"error": message, "details": details, "issues": issues}))).into_response()
}
