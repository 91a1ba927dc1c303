//! Reading requests: bodies, headers, credentials.

use super::Shared;
use super::failure::Failure;
use super::fields::{self, Unambiguous};
use crate::secret::KeyHash;
use crate::store::{Given, KeptAnswer, KeyState, Store};
use aispace_api::{ErrorCode, IDEMPOTENCY_KEY, is_id, is_plain_decimal};
use aispace_ledger::AccountId;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::convert::Infallible;
use std::str::FromStr;

/// On an answer that was given before: nothing was posted anew.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const BODY_BYTES_MAX: usize = 64 * 1024;
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 200;

/// A JSON body of at most 64 KiB. What is wrong with it is said when it is read: whoever may not call learns that first.
pub(crate) struct Body(Result<Value, Failure>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(json_of(request).await))
    }
}

async fn json_of(request: Request) -> Result<Value, Failure> {
    let told = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !told.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Failure::invalid("the body is not said to be application/json").status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let too_large = |_| Failure::invalid("the body is cut short or larger than 64 KiB").status(StatusCode::PAYLOAD_TOO_LARGE);
    let bytes: Bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(too_large)?;
    // The parser's own message may quote the body, which may hold a secret.
    serde_json::from_slice(&bytes).map(|Unambiguous(value)| value).map_err(|e| {
        let what = if e.is_data() { "has a name twice" } else { "is not JSON" };
        Failure::invalid(format!("the body {what} (line {}, column {})", e.line(), e.column()))
    })
}

impl Body {
    /// Reads the body as its documented type.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        fields::read(&self.0?).map_err(|error| Failure::invalid(error.to_string()).with("field", error.field()))
    }

    /// Refuses a field that is not as documented with what the reader says of it, for fields that hold no secret.
    pub(crate) fn field<T: DeserializeOwned>(self, field: &str) -> Result<Self, Failure> {
        let Self(body) = self;
        let body = body?;
        let value = body.get(field).filter(|value| !value.is_null());
        match value.and_then(|value| fields::read::<T>(value).err()) {
            Some(error) => Err(Failure::invalid(error.clone().within(field).to_string()).with("field", error.within(field).field())),
            None => Ok(Self(Ok(body))),
        }
    }

    /// Refuses a text that is no amount with the amount's own code.
    pub(crate) fn amount<T>(self, field: &str) -> Result<Self, Failure>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let Self(body) = self;
        let value = body?;
        let refused = value.get(field).and_then(Value::as_str).and_then(|text| {
            // The same as the document says; the type alone would read more than that.
            if !is_plain_decimal(text, 12, 18) {
                return Some("a plain decimal in a string is expected, such as 0.55".to_owned());
            }
            text.parse::<T>().err().map(|error| error.to_string())
        });
        match refused {
            Some(error) => Err(Failure::new(ErrorCode::InvalidAmount, error).with("field", field)),
            None => Ok(Self(Ok(value))),
        }
    }
}

/// The idempotency key of a call that must have one.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<String, Failure> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Err(Failure::new(ErrorCode::IdempotencyKeyMissing, "this call needs an Idempotency-Key header"));
    };
    let text = value.to_str().unwrap_or_default();
    let is_printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    let is_one = headers.get_all(IDEMPOTENCY_KEY).iter().count() == 1;
    if text.is_empty() || text.len() > IDEMPOTENCY_KEY_BYTES_MAX || !is_printable || !is_one {
        return Err(Failure::invalid(format!("an Idempotency-Key is 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters")));
    }
    Ok(text.to_string())
}

/// The id in a path. What cannot be an id is unknown, as an id is that was never given out.
pub(crate) fn path_id(path: Result<Path<String>, PathRejection>, unknown: impl FnOnce() -> Failure) -> Result<String, Failure> {
    match path {
        Ok(Path(id)) if is_id(&id) => Ok(id),
        _ => Err(unknown()),
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    Nobody,
    Operator,
    Account(AccountId),
}

/// Reads the bearer. One that is there and wrong is refused, whatever the call.
pub(crate) async fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Caller, Failure> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::Nobody) };
    let text = value.to_str().map_err(|_| Failure::unauthorized())?;
    let Some((scheme, token)) = text.split_once(' ') else { return Err(Failure::unauthorized()) };
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Failure::unauthorized());
    }
    if shared.operator.as_ref().is_some_and(|operator| operator.matches(token)) {
        return Ok(Caller::Operator);
    }
    let key = KeyHash::of(token);
    match shared.store.read(key, |key, tx| Box::pin(Store::key_state(tx, *key))).await? {
        KeyState::Valid(account) => Ok(Caller::Account(account)),
        KeyState::Waiting(_) => first_use(shared, key).await,
        KeyState::Unknown | KeyState::Revoked => Err(Failure::unauthorized()),
    }
}

/// A rotated key takes the place of the others when it comes first.
async fn first_use(shared: &Shared, key: KeyHash) -> Result<Caller, Failure> {
    let work = shared.store.write((key, shared.clock.now()), |(key, now), tx| {
        Box::pin(async move {
            // It may have been revoked or used since it was looked at.
            match Store::key_state(tx, *key).await? {
                KeyState::Waiting(account) => {
                    Store::use_key(tx, &account, *key, *now).await?;
                    Ok(account)
                }
                KeyState::Valid(account) => Ok(account),
                KeyState::Unknown | KeyState::Revoked => Err(Failure::unauthorized()),
            }
        })
    });
    work.await.map(Caller::Account)
}

/// The account whose Secure Key was sent.
pub(crate) async fn account_caller(shared: &Shared, headers: &HeaderMap) -> Result<AccountId, Failure> {
    match caller(shared, headers).await? {
        Caller::Account(account) => Ok(account),
        Caller::Nobody => Err(Failure::unauthorized()),
        Caller::Operator => Err(Failure::new(ErrorCode::Forbidden, "this call takes a Secure Key, not the operator's token")),
    }
}

/// Refuses anyone but the operator.
pub(crate) async fn operator_only(shared: &Shared, headers: &HeaderMap) -> Result<(), Failure> {
    match caller(shared, headers).await? {
        Caller::Operator => Ok(()),
        Caller::Nobody => Err(Failure::unauthorized()),
        Caller::Account(_) => Err(Failure::new(ErrorCode::Forbidden, "this call takes the operator's token, not a Secure Key")),
    }
}

impl IntoResponse for KeptAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        if self.given == Given::Again {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

impl KeptAnswer {
    /// Writes an answer down as it will be given, now and again.
    pub(crate) fn new(status: StatusCode, answer: &impl serde::Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_string(answer).map_err(|error| Failure::internal(&error))?;
        Ok(Self { status: status.as_u16(), body, given: Given::First })
    }
}

/// Turns what is known of a key into the kept answer, a refusal, or leave to go on.
pub(crate) fn replayed(recall: crate::store::Recall) -> Result<Option<KeptAnswer>, Failure> {
    use crate::store::Recall;
    match recall {
        Recall::Fresh => Ok(None),
        Recall::Same(answer) => Ok(Some(answer)),
        Recall::Conflict => {
            Err(Failure::new(ErrorCode::KeyConflict, "this Idempotency-Key was used for another request; choose a new one"))
        }
    }
}
