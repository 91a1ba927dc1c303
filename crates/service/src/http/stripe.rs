//! The webhook that Stripe calls. Its answer says whether to call again.

use super::AppState;
use super::failure::Failure;
use super::openapi::{RefusedEvent, StripeSignature};
use crate::card::CardError;
use aispace_api::ErrorCode;
use aispace_payments::stripe::{Event, verify};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};

/// Events of Stripe's are a few KiB.
const BODY_BYTES_MAX: usize = 256 * 1024;
const SIGNATURE: &str = "stripe-signature";

/// Takes an event from Stripe.
///
/// 204 once what the event is about was looked at, or is of no concern; 400 for what Stripe did not sign; 503 asks for another try.
#[utoipa::path(post, path = "/v1/webhooks/stripe", operation_id = "takeStripeEvent", tag = "orders", security(()), params(StripeSignature),
    request_body(content = Object, description = "Stripe's event, byte for byte as it signed it."),
    responses((status = 204, description = "The event was looked at."), RefusedEvent))]
pub(crate) async fn webhook(State(shared): AppState, request: Request) -> Result<StatusCode, Failure> {
    let Some(cards) = &shared.cards else { return Err(Failure::new(ErrorCode::NotFound, "there is nothing here")) };
    let signature = signature(request.headers())?.to_owned();
    let too_large = |_| Failure::invalid("the body is cut short or larger than 256 KiB");
    let body: Bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(too_large)?;
    let refused = |error: String| {
        tracing::warn!(error, "a call of the webhook was refused");
        Failure::invalid(error)
    };
    verify(&cards.webhook_secret, &signature, &body, shared.clock.now()).map_err(|error| refused(error.to_string()))?;
    let event = Event::parse(&body).map_err(|error| refused(error.to_string()))?;
    tracing::info!(event = %event.id, kind = event.kind, "Stripe tells of an event");
    match cards.follow_up(&event).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(CardError::Store(error)) => Err(error.into()),
        Err(error @ CardError::Stripe(_)) => {
            tracing::error!(event = %event.id, %error, "an event could not be followed up");
            Err(Failure::new(ErrorCode::CardUnavailable, "the event could not be followed up; send it again"))
        }
    }
}

fn signature(headers: &HeaderMap) -> Result<&str, Failure> {
    let value = headers.get(SIGNATURE).ok_or_else(|| Failure::invalid("this call needs a Stripe-Signature header"))?;
    value.to_str().map_err(|_| Failure::invalid("the Stripe-Signature header is not text"))
}
