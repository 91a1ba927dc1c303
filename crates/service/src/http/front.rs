//! What happens to every call before and after its own work: it gets an id, is held to the limits, counted and logged. The log has the route's
//! template and neither path, headers nor bodies: an order's id in a path opens what it names.

use super::Shared;
use super::failure::{Failure, Refused, Source};
use super::input::IDEMPOTENT_REPLAYED;
use crate::limit::{Caller, Limit, Wait};
use crate::metrics::CredentialKind;
use crate::secret::fresh_id;
use aispace_api::ErrorCode;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 64;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The only call with a secret in its body.
const CLAIM: &str = "/v1/orders/{id}/claim";
const UNMATCHED: &str = "unmatched";

/// Wraps every call.
pub(super) async fn front(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let asked = Asked::of(&shared, &request);
    let span = tracing::info_span!("request", request_id = asked.id);
    let in_flight = shared.metrics.in_flight();
    let mut response = asked.answer(&shared, request, next).instrument(span.clone()).await;
    drop(in_flight);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    shared.metrics.answered(&asked.method, &asked.route, status, took);
    if let Some(refused) = response.extensions().get::<Refused>() {
        shared.metrics.refused(refused.code);
        if refused.source == Source::Database {
            shared.metrics.database_failed();
        }
    }
    if response.status().is_success()
        && !response.headers().contains_key(IDEMPOTENT_REPLAYED)
        && let Some(kind) = posting(&asked.method, &asked.route)
    {
        shared.metrics.posted(kind);
    }
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(method = %asked.method, route = asked.route, status, ms, "answered"));
    let head = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&asked.id) {
        head.insert(REQUEST_ID, id);
    }
    // Answers stay out of caches, but those that say how they may be kept.
    head.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A call before its work.
struct Asked {
    id: String,
    method: Method,
    route: String,
    /// Absent for a call without a network.
    caller: Option<Caller>,
    credential: Presented,
}

/// The credential that a call presents.
enum Presented {
    Nothing,
    Operator,
    /// Anything else in the `Authorization` header, by its hash.
    Bearer([u8; 32]),
    /// A claim secret, in the body.
    Claim,
}

impl Asked {
    fn of(shared: &Shared, request: &Request) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let route = extensions.get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        let forwarded: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        Self {
            id: request_id(shared, headers, peer),
            method: request.method().clone(),
            route: route.to_owned(),
            caller: peer.map(|peer| shared.limits.caller(peer, forwarded.into_iter())),
            credential: presented(shared, headers, route),
        }
    }

    async fn answer(&self, shared: &Shared, request: Request, next: Next) -> Response {
        if let Err(wait) = self.admit(shared) {
            return self.told_to_wait(shared, wait);
        }
        let response = next.run(request).await;
        let code = response.extensions().get::<Refused>().map(|refused| refused.code);
        let wrong = match (&self.credential, code) {
            (Presented::Bearer(_), Some(ErrorCode::Unauthorized)) => CredentialKind::Bearer,
            (_, Some(ErrorCode::WrongSecret)) => CredentialKind::ClaimSecret,
            _ => return response,
        };
        shared.metrics.failed_credential(wrong);
        let Some(caller) = self.caller else { return response };
        tracing::info!(address = %caller.address, "a wrong credential");
        match shared.limits.count_guess(caller) {
            Ok(()) => response,
            Err(wait) => self.told_to_wait(shared, wait),
        }
    }

    /// Holds the call to the limits. A credential is not looked at from where too many were wrong; the operator's calls are not counted.
    fn admit(&self, shared: &Shared) -> Result<(), Wait> {
        let (Some(caller), limits) = (self.caller, &shared.limits) else { return Ok(()) };
        match &self.credential {
            Presented::Nothing => limits.count_request(caller),
            Presented::Operator => limits.check_guesses(caller),
            Presented::Claim => limits.check_guesses(caller).and_then(|()| limits.count_request(caller)),
            Presented::Bearer(hash) => {
                limits.check_guesses(caller)?;
                limits.count_request(caller)?;
                limits.count_credential(caller, *hash)
            }
        }
    }

    fn told_to_wait(&self, shared: &Shared, wait: Wait) -> Response {
        shared.metrics.limited(wait.limit);
        if let Some(caller) = self.caller {
            tracing::info!(address = %caller.address, limit = ?wait.limit, seconds = wait.seconds, "told to wait");
        }
        let mut response = Failure::rate_limited(wait).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, wait.seconds.into());
        response
    }
}

impl Failure {
    fn rate_limited(wait: Wait) -> Self {
        let why = match wait.limit {
            Limit::FailedCredentials => "too many wrong credentials came from this network address, so none is looked at",
            Limit::Address => "too many calls came from this network address",
            Limit::Credential => "too many calls came with this Secure Key",
        };
        let message = format!(
            "{why}; this call changed nothing and no credit was touched: wait {} s, then repeat it, with the same Idempotency-Key if it has one",
            wait.seconds
        );
        Self::new(ErrorCode::RateLimited, message).with("retry_after_seconds", wait.seconds)
    }
}

fn presented(shared: &Shared, headers: &HeaderMap, route: &str) -> Presented {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return if route == CLAIM { Presented::Claim } else { Presented::Nothing };
    };
    let token = value.to_str().ok().and_then(|text| text.split_once(' ')).map(|(_, token)| token);
    match (&shared.operator, token) {
        (Some(operator), Some(token)) if operator.matches(token) => Presented::Operator,
        _ => Presented::Bearer(Sha256::digest(value.as_bytes()).into()),
    }
}

/// The id that a trusted proxy gave the call, else a fresh one.
fn request_id(shared: &Shared, headers: &HeaderMap, peer: Option<IpAddr>) -> String {
    let is_id = |text: &&str| {
        (1..=REQUEST_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = peer.filter(|peer| shared.limits.is_trusted(*peer)).and_then(|_| headers.get(REQUEST_ID)?.to_str().ok()).filter(is_id);
    // Without random bytes nothing is posted either; the call says so itself.
    given.map_or_else(|| fresh_id("rq").unwrap_or_default(), str::to_owned)
}

/// What a call posts when it succeeds.
fn posting(method: &Method, route: &str) -> Option<&'static str> {
    Some(match (method.as_str(), route) {
        ("POST", "/v1/grants") => "grant",
        ("POST", "/v1/debits") => "debit",
        ("POST", "/v1/holds") => "hold",
        ("POST", "/v1/holds/{id}/settle") => "settle",
        ("POST", "/v1/holds/{id}/release") => "release",
        ("POST", "/v1/refunds") => "refund",
        ("POST", "/v1/batches/{id}/void") => "void",
        ("PUT", "/v1/accounts/{id}/allowance") => "allowance",
        _ => return None,
    })
}
