//! Calls of the API.

use super::error::short;
use super::event::{self, EVENT_TYPES};
use super::form::Form;
use super::objects::{ORDER_ID, Page};
use super::{CardPayment, Dispute, Event, PaymentIntentId, Refund, Session, SessionId, StripeError, StripeKey, UsdCents};
use crate::http::{Endpoint, HttpError};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use zeroize::Zeroizing;

/// The version of the API whose answers are read here, whatever the account's own is ("Versioning").
pub const API_VERSION: &str = "2025-08-27.basil";
/// The shortest time a session can be open ("Create a Checkout Session", `expires_at`).
pub const SESSION_LIFETIME_MIN: TimeDelta = TimeDelta::minutes(30);
/// The longest.
pub const SESSION_LIFETIME_MAX: TimeDelta = TimeDelta::hours(24);

const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
const ATTEMPTS_MAX: u32 = 3;
const PAGE_ITEMS: &str = "100";
const PAGES_MAX: usize = 1_000;

/// Where the API is and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeSettings {
    /// Base address.
    pub url: String,
    /// For one exchange; a call may try three.
    pub deadline: Duration,
    /// Before the second try; twice as long before the third.
    pub pause: Duration,
}

impl Default for StripeSettings {
    /// Stripe itself, with ten seconds for an exchange.
    fn default() -> Self {
        Self { url: "https://api.stripe.com".into(), deadline: Duration::from_secs(10), pause: Duration::from_millis(500) }
    }
}

/// Stripe's API, asked with one account's key.
#[derive(Clone)]
pub struct Stripe {
    endpoint: Endpoint,
    headers: HeaderMap,
    pause: Duration,
}

/// A Checkout Session to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Our order's id: the session carries it, and making it again under the same id gives the same session for a day.
    pub order_id: String,
    /// What is to be paid.
    pub amount: UsdCents,
    /// What the payer reads on the page.
    pub title: String,
    /// Where the payer is sent after paying.
    pub success_url: String,
    /// Where the payer is sent on going back.
    pub cancel_url: String,
    /// From when on it cannot be paid; [`SESSION_LIFETIME_MIN`] to [`SESSION_LIFETIME_MAX`] from Stripe's now.
    pub expires: DateTime<Utc>,
}

/// What the answer to a refused call says ("Errors").
#[derive(Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Deserialize)]
struct RefusalBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

impl Stripe {
    /// Takes a key; nothing is asked yet.
    ///
    /// # Errors
    /// [`StripeError::Endpoint`] unless the address is https, or http on this machine.
    pub fn new(settings: &StripeSettings, key: &StripeKey) -> Result<Self, StripeError> {
        let endpoint = Endpoint::new(&settings.url, settings.deadline)?;
        let bearer = Zeroizing::new(format!("Bearer {}", key.expose()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| StripeError::unreadable("the key is no header"))?;
        bearer.set_sensitive(true);
        let version = (HeaderName::from_static("stripe-version"), HeaderValue::from_static(API_VERSION));
        Ok(Self { endpoint, headers: HeaderMap::from_iter([(AUTHORIZATION, bearer), version]), pause: settings.pause })
    }

    /// Makes a Checkout Session: one payment by card, in dollars, of exactly this amount.
    ///
    /// # Errors
    /// [`StripeError`]; unreadable when the session is not open with an address for the payer.
    pub async fn create_session(&self, new: &NewSession) -> Result<Session, StripeError> {
        let form = Form::default()
            .set("mode", "payment")
            .set("client_reference_id", &new.order_id)
            .set(format!("metadata[{ORDER_ID}]"), &new.order_id)
            .set(format!("payment_intent_data[metadata][{ORDER_ID}]"), &new.order_id)
            .set("line_items[0][quantity]", "1")
            .set("line_items[0][price_data][currency]", "usd")
            .set("line_items[0][price_data][unit_amount]", new.amount.get().to_string())
            .set("line_items[0][price_data][product_data][name]", &new.title)
            .set("payment_method_types[0]", "card")
            // Else the payer may be charged, and refunded, in another currency at a rate of the day.
            .set("adaptive_pricing[enabled]", "false")
            .set("success_url", &new.success_url)
            .set("cancel_url", &new.cancel_url)
            .set("expires_at", new.expires.timestamp().to_string());
        let session: Session = self.call("/v1/checkout/sessions", Some((&form, &new.order_id))).await?;
        match (&session.url, session.total) {
            (Some(_), Some(total)) if total == new.amount && session.order_id.as_ref() == Some(&new.order_id) => Ok(session),
            _ => Err(StripeError::unreadable("the session is not the one that was asked for")),
        }
    }

    /// Reads a session.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn session(&self, id: &SessionId) -> Result<Session, StripeError> {
        self.call(&format!("/v1/checkout/sessions/{id}"), None).await
    }

    /// The session that a payment belongs to; none when it was not made by one.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn session_of(&self, payment: &PaymentIntentId) -> Result<Option<Session>, StripeError> {
        let query = Form::default().set("payment_intent", payment.as_str()).set("limit", "1");
        let page: Page<Session> = self.call(&format!("/v1/checkout/sessions?{}", query.encode()), None).await?;
        Ok(page.data.into_iter().next())
    }

    /// Reads all there is to know of a session's payment.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn payment(&self, id: &SessionId) -> Result<CardPayment, StripeError> {
        let session = self.session(id).await?;
        let (mut refunds, mut disputes) = (Vec::new(), Vec::new());
        if let Some(payment) = &session.payment_intent {
            refunds = self.refunds(payment).await?;
            disputes = self.disputes(payment).await?;
        }
        Ok(CardPayment { session, refunds, disputes })
    }

    /// A payment's refunds, the newest first.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn refunds(&self, payment: &PaymentIntentId) -> Result<Vec<Refund>, StripeError> {
        let query = Form::default().set("payment_intent", payment.as_str());
        self.all("/v1/refunds", query, |refund: &Refund| refund.id.clone()).await
    }

    /// A payment's disputes, the newest first.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn disputes(&self, payment: &PaymentIntentId) -> Result<Vec<Dispute>, StripeError> {
        let query = Form::default().set("payment_intent", payment.as_str());
        self.all("/v1/disputes", query, |dispute: &Dispute| dispute.id.clone()).await
    }

    /// What happened to payments from an instant on, the oldest first. Stripe keeps events for 30 days ("List all events").
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn events_since(&self, since: DateTime<Utc>) -> Result<Vec<Event>, StripeError> {
        let from = Form::default().set("created[gte]", since.timestamp().to_string());
        let query = EVENT_TYPES.iter().enumerate().fold(from, |query, (at, kind)| query.set(format!("types[{at}]"), *kind));
        let values = self.all("/v1/events", query, |event: &Value| event["id"].as_str().unwrap_or_default().to_string()).await?;
        values.into_iter().rev().map(|value| event::from_value(value).map_err(StripeError::unreadable)).collect()
    }

    /// Every page of a list.
    async fn all<T: DeserializeOwned>(&self, path: &str, query: Form, id: impl Fn(&T) -> String) -> Result<Vec<T>, StripeError> {
        let query = query.set("limit", PAGE_ITEMS).encode();
        let (mut items, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let page: Page<T> = self.call(&format!("{path}?{query}{after}"), None).await?;
            let last = page.data.last().map(&id);
            items.extend(page.data);
            match last {
                Some(last) if page.has_more => after = format!("&{}", Form::default().set("starting_after", last).encode()),
                Some(_) | None => return Ok(items),
            }
        }
        Err(StripeError::unreadable("a list without an end"))
    }

    /// Asks up to three times. Each call may be made again: it reads, or it posts under an idempotency key.
    async fn call<T: DeserializeOwned>(&self, path: &str, post: Option<(&Form, &str)>) -> Result<T, StripeError> {
        let mut pause = self.pause;
        for attempt in 1..=ATTEMPTS_MAX {
            match self.call_once(path, post).await {
                Err(error) if error.is_passing() && attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                other => return other,
            }
        }
        Err(StripeError::Unreachable { reason: "no try was made".into() })
    }

    async fn call_once<T: DeserializeOwned>(&self, path: &str, post: Option<(&Form, &str)>) -> Result<T, StripeError> {
        let mut headers = self.headers.clone();
        let mut body = None;
        if let Some((form, key)) = post {
            let key = HeaderValue::from_str(key).map_err(|_| StripeError::unreadable("the order's id is no header"))?;
            headers.insert(HeaderName::from_static("idempotency-key"), key);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            body = Some(form.encode());
        }
        let answer = self.endpoint.ask(path, headers, body, ANSWER_BYTES_MAX).await;
        let (status, body) = answer.map_err(|error| match error {
            HttpError::TooLarge(_) => StripeError::unreadable(error),
            HttpError::Unreachable(_) | HttpError::Status(_) | HttpError::Limited { .. } => {
                StripeError::Unreachable { reason: error.to_string() }
            }
        })?;
        if (200..300).contains(&status) {
            return serde_json::from_slice(&body).map_err(StripeError::unreadable);
        }
        Err(refusal(status, &body))
    }
}

fn refusal(status: u16, body: &[u8]) -> StripeError {
    // 409 is a twin of this call under the same idempotency key that has not ended yet.
    if matches!(status, 409 | 429 | 500..) {
        return StripeError::Unavailable { status };
    }
    let said = serde_json::from_slice::<Refusal>(body).ok().map(|refusal| refusal.error);
    let (kind, code, message) = said.map_or((None, None, None), |said| (said.kind, said.code, said.message));
    let message = short(&message.unwrap_or_else(|| "it did not say why".into()));
    match status {
        401 | 403 => StripeError::KeyRefused { status, message },
        404 => StripeError::NotFound { message },
        _ => StripeError::Refused { status, code: short(&code.or(kind).unwrap_or_else(|| "no code".into())), message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        for status in [409, 429, 500, 502, 503, 599] {
            assert_eq!(refusal(status, b"{}"), StripeError::Unavailable { status });
            assert!(refusal(status, b"{}").is_passing());
        }
        let body = br#"{"error":{"type":"invalid_request_error","code":"amount_too_small","message":"Too\nsmall"}}"#;
        let told = refusal(400, body);
        assert_eq!(told, StripeError::Refused { status: 400, code: "amount_too_small".into(), message: "Toosmall".into() });
        assert!(!told.is_passing());
        assert!(matches!(refusal(401, body), StripeError::KeyRefused { status: 401, .. }));
        assert!(matches!(refusal(403, b"<html>"), StripeError::KeyRefused { status: 403, .. }));
        assert!(matches!(refusal(404, body), StripeError::NotFound { .. }));
        let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(5_000));
        assert!(refusal(402, long.as_bytes()).to_string().len() < 300);
    }

    #[test]
    fn only_https_or_this_machine_is_asked() {
        let key = StripeKey::new("sk_test_a1".into()).unwrap();
        let at = |url: &str| Stripe::new(&StripeSettings { url: url.into(), ..StripeSettings::default() }, &key).map(|_| ());
        assert!(at("https://api.stripe.com").is_ok() && at("http://127.0.0.1:1").is_ok());
        assert!(matches!(at("http://api.stripe.com"), Err(StripeError::Endpoint(_))));
    }
}
