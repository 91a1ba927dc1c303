//! The OpenAPI document: what the handlers say of themselves, and what is the same for all of them.

use super::failure::status_of;
use super::rates::Document;
use aispace_api::{BalanceEvent, ErrorAnswer, ErrorCode, schema};
use axum::Extension;
use axum::http::HeaderMap;
use axum::response::Response as HttpResponse;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, Modify};

/// What the document says of the service as a whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "AiSpace account service",
        description = "Accounts, credits and payments. Money is a decimal string in a field that names its unit; an instant is RFC 3339, to the millisecond. \
            A refusal is `{code, message, details?}` whatever the status. A field that a call does not have is refused.",
    ),
    components(schemas(ErrorAnswer, BalanceEvent, schema::Instant, schema::Word)),
    tags(
        (name = "account", description = "What a person sees and does with a Secure Key."),
        (name = "orders", description = "Buying credits."),
        (name = "rates", description = "What things cost."),
        (name = "gateway", description = "Charging runs: the operator's gateway."),
        (name = "operator", description = "Accounts and their batches: the operator."),
        (name = "service", description = "The service itself."),
    ),
    modifiers(&Credentials),
)]
pub(crate) struct Preamble;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, description) in [
            ("secureKey", "The account's Secure Key. It is shown once, when the account is opened, claimed or its key rotated."),
            ("operator", "The operator's token, which the service is started with."),
        ] {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(bearer));
        }
    }
}

/// Refusals of an operation, each code under its status: `responses((status = 200, …), Refused…)`.
macro_rules! refusals {
    ($($name:ident: $($code:ident)*;)*) => {$(
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                refused(&[$(ErrorCode::$code),*])
            }
        }
    )*};
}

// Every operation may also answer what `finish` adds.
refusals! {
    RefusedOrder: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict InvalidAmount PriceUnavailable CardUnavailable;
    RefusedEvent: InvalidRequest CardUnavailable;
    RefusedOrderView: NotFound;
    RefusedClaim: InvalidRequest WrongSecret NotFound NotPaidYet;
    RefusedHashClaim: InvalidRequest NotFound UnknownPayment NotThePayer PaymentTaken ClaimExpired ChainUnavailable;
    RefusedPayments: Unauthorized Forbidden;
    RefusedAssignment: Unauthorized Forbidden InvalidRequest NotFound UnknownPayment PaymentTaken;
    RefusedClosing: Unauthorized Forbidden InvalidRequest UnknownPayment PaymentTaken;
    RefusedAccount: Unauthorized Forbidden;
    RefusedUsage: Unauthorized Forbidden InvalidRequest;
    RefusedOpening: Unauthorized Forbidden InvalidRequest;
    RefusedRevocation: Unauthorized Forbidden UnknownAccount;
    RefusedAllowance: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount InvalidAmount;
    RefusedGrant: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount InvalidAmount InvalidExpiry;
    RefusedVoid: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount UnknownBatch BatchClosed;
    RefusedDebit: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount InvalidAmount InsufficientCredits
        UnknownCard UnknownModel NotPriced;
    RefusedHold: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount InvalidAmount InvalidExpiry
        InsufficientCredits UnknownCard UnknownModel NotPriced;
    RefusedSettlement: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount InvalidAmount UnknownHold
        HoldClosed HoldExpired UnknownCard UnknownModel NotPriced;
    RefusedRelease: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount UnknownHold HoldClosed HoldExpired;
    RefusedRefund: Unauthorized Forbidden InvalidRequest IdempotencyKeyMissing KeyConflict UnknownAccount InvalidAmount UnknownEntry
        RefundExceeds;
    RefusedCard: NotFound;
    RefusedClock: InvalidRequest;
}

/// Too many streams are open.
pub(crate) enum RefusedStream {}

impl IntoResponses for RefusedStream {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [("503".to_owned(), RefOr::T(refusal(&[json!(ErrorCode::Internal)])))].into()
    }
}

/// Answers of the one error shape, by status, with the codes that each may have.
fn refused(codes: &[ErrorCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for code in codes {
        by_status.entry(status_of(*code).as_u16().to_string()).or_default().push(json!(code));
    }
    by_status.into_iter().map(|(status, codes)| (status, RefOr::T(refusal(&codes)))).collect()
}

fn refusal(codes: &[Value]) -> Response {
    let words: Vec<String> = codes.iter().map(|code| format!("`{}`", code.as_str().unwrap_or_default())).collect();
    let code = ObjectBuilder::new().property("code", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.to_vec())));
    let shape = AllOfBuilder::new().item(Ref::from_schema_name("ErrorAnswer")).item(code);
    ResponseBuilder::new()
        .description(words.join(", "))
        .content("application/json", ContentBuilder::new().schema(Some(shape)).build())
        .build()
}

/// The id in a path.
pub(crate) enum PathId {}

impl IntoParams for PathId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
        vec![id.description(Some("An id that the service gave out.")).schema(Some(schema::id())).build()]
    }
}

/// The header without which a call that moves credits is refused.
pub(crate) enum IdempotencyKey {}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let key = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(200));
        let header = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header).required(Required::True);
        let header = header.schema(Some(key.pattern(Some("^[!-~]([ -~]*[!-~])?$")))).example(Some(json!("run-4711")));
        vec![
            header
                .description(Some("The same key with the same body gets the first answer again; with another body it is refused."))
                .build(),
        ]
    }
}

/// The header without which nobody knows that Stripe calls.
pub(crate) enum StripeSignature {}

impl IntoParams for StripeSignature {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = ParameterBuilder::new().name("Stripe-Signature").parameter_in(ParameterIn::Header).required(Required::True);
        let header = header.schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1))));
        vec![header.description(Some("`t=…,v1=…`: an instant, and HMAC-SHA-256 over it and the body.")).build()]
    }
}

/// The header that asks for a document only when it has changed.
pub(crate) enum IfNoneMatch {}

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let tags = ObjectBuilder::new().schema_type(Type::String);
        let header = ParameterBuilder::new().name("If-None-Match").parameter_in(ParameterIn::Header).required(Required::False);
        vec![header.description(Some("Entity tags of what the caller has.")).schema(Some(tags)).build()]
    }
}

/// Writes the document down, with what is the same for every operation.
pub(crate) fn finish(document: &OpenApi) -> String {
    let mut document = serde_json::to_value(document).expect("a document has string keys alone");
    // What a newer service may say, an older one does not.
    let schemas = document["components"]["schemas"].as_object_mut().into_iter().flat_map(|schemas| schemas.values_mut());
    for words in schemas.filter_map(|schema| schema.get_mut("enum")?.as_array_mut()) {
        words.retain(|word| word != "unknown");
    }
    for request in ["DebitRequest", "HoldRequest", "SettleRequest"] {
        document["components"]["schemas"][request]["oneOf"] = cost();
    }
    document["components"]["schemas"]["MeteredRun"]["additionalProperties"] = json!(false);
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations = paths.filter_map(Value::as_object_mut).flat_map(|methods| methods.values_mut());
    for operation in operations.filter(|operation| operation.is_object()) {
        let has_body = operation.get("requestBody").is_some();
        let name = operation["operationId"].clone();
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for (status, answer) in common(has_body) {
            responses.entry(status).or_insert(answer);
        }
        for (from, to, link) in links() {
            if let Some(made) = responses.get_mut("201").filter(|_| name == from) {
                made["links"][to] = link;
            }
        }
    }
    document.to_string()
}

/// An amount, or a metered run that describes itself.
fn cost() -> Value {
    json!([
        {"required": ["credits"], "properties": {"credits": {"type": "string"}, "metered": {"type": "null"}}},
        {"required": ["metered"], "properties": {"metered": {"type": "object"}, "credits": {"type": "null"}, "run": {"type": "null"}}},
    ])
}

/// What any operation may answer beside its own.
fn common(has_body: bool) -> Vec<(&'static str, Value)> {
    let answer = |code: ErrorCode, said: &str| {
        let mut answer = json!(refusal(&[json!(code)]));
        answer["description"] = json!(said);
        answer
    };
    let mut too_many = answer(ErrorCode::RateLimited, "`rate_limited`: asked too often.");
    too_many["headers"]["Retry-After"] = json!({"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}});
    let mut all = vec![("429", too_many), ("500", answer(ErrorCode::Internal, "`internal`: the service failed, and nothing was done."))];
    if has_body {
        all.push(("413", answer(ErrorCode::InvalidRequest, "`invalid_request`: the body is larger than 64 KiB.")));
        all.push(("415", answer(ErrorCode::InvalidRequest, "`invalid_request`: the body is not `application/json`.")));
    }
    all
}

/// What can be done with what was made: operation, name, link.
fn links() -> Vec<(&'static str, &'static str, Value)> {
    let account = json!({"account_id": "$response.body#/account_id"});
    let of_account = |operation: &str| json!({"operationId": operation, "requestBody": account});
    let on = |operation: &str, id: &str| json!({"operationId": operation, "parameters": {"id": format!("$response.body#/{id}")}, "requestBody": account});
    let id = |operation: &str, id: &str| json!({"operationId": operation, "parameters": {"id": format!("$response.body#/{id}")}});
    let charge = json!({"account_id": "$response.body#/account_id", "sequence": "$response.body#/sequence"});
    let refund = json!({"operationId": "refund", "requestBody": charge});
    vec![
        ("openAccount", "grant", of_account("grant")),
        ("openAccount", "setAllowance", id("setAllowance", "account_id")),
        ("openAccount", "revokeKeys", id("revokeKeys", "account_id")),
        ("grant", "debit", of_account("debit")),
        ("grant", "hold", of_account("hold")),
        ("grant", "voidBatch", on("voidBatch", "batch_id")),
        ("debit", "refund", refund.clone()),
        ("hold", "settle", on("settle", "hold_id")),
        ("hold", "release", on("release", "hold_id")),
        ("settle", "refund", refund),
        ("openOrder", "showOrder", id("showOrder", "order_id")),
        ("openOrder", "claimOrder", id("claimOrder", "order_id")),
    ]
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", operation_id = "openapi", tag = "service", params(IfNoneMatch), security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, headers(("ETag" = String, description = "Its entity tag."))),
        (status = 304, description = "The caller has it.")))]
pub(crate) async fn serve(Extension(document): Extension<Arc<Document>>, headers: HeaderMap) -> HttpResponse {
    document.answer(&headers)
}
