//! Events ("The Event object", "Types of events"), as a webhook or the list of events gives them.
//!
//! An event's object has the shape of the API version of the endpoint or account, not of this client; so nothing is read of it
//! but which payment it is about.

use super::objects::{expandable, seconds};
use super::{EventId, PaymentIntentId, SessionId};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// The types of events that are about a payment. Events of other types are read and left alone.
pub(super) const EVENT_TYPES: [&str; 14] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// Something that happened at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, the same each time it is delivered.
    pub id: EventId,
    /// Its type, such as `charge.refunded`.
    pub kind: String,
    /// When it happened.
    pub created: DateTime<Utc>,
    /// Which payment it is about.
    pub subject: Subject,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A Checkout Session.
    Session(SessionId),
    /// A payment: one of its charges, refunds or disputes.
    Payment(PaymentIntentId),
    /// Nothing that concerns orders: another type, or a charge without a PaymentIntent.
    Other,
}

/// Why a body is no event. Never holds the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Not JSON, or not an event.
    #[error("the body is no event of Stripe's (line {line}, column {column})")]
    NotAnEvent {
        /// Where it stops being one.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// An event whose object is not what its type says.
    #[error("the object of event {id} is not what its type says")]
    WrongObject {
        /// The event.
        id: EventId,
    },
}

#[derive(Deserialize)]
struct EventWire {
    id: EventId,
    object: EventWord,
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "seconds")]
    created: DateTime<Utc>,
    data: DataWire,
}

#[derive(Deserialize)]
enum EventWord {
    #[serde(rename = "event")]
    Event,
}

#[derive(Deserialize)]
struct DataWire {
    object: Value,
}

#[derive(Deserialize)]
struct SessionObject {
    id: SessionId,
}

#[derive(Deserialize)]
struct OfPayment {
    #[serde(default, deserialize_with = "expandable")]
    payment_intent: Option<PaymentIntentId>,
}

impl Event {
    /// Reads a webhook's body. Check its signature first, with [`super::verify`].
    ///
    /// # Errors
    /// [`EventError`].
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let at = |error: serde_json::Error| EventError::NotAnEvent { line: error.line(), column: error.column() };
        let wire: EventWire = serde_json::from_slice(body).map_err(at)?;
        wire.read()
    }
}

/// Read out of a list of events.
pub(super) fn from_value(value: Value) -> Result<Event, String> {
    serde_json::from_value::<EventWire>(value).map_err(|error| error.to_string())?.read().map_err(|error| error.to_string())
}

impl EventWire {
    fn read(self) -> Result<Event, EventError> {
        let EventWire { id, object: EventWord::Event, kind, created, data } = self;
        let wrong = |_| EventError::WrongObject { id: id.clone() };
        let expected = match kind.as_str() {
            known if !EVENT_TYPES.contains(&known) => None,
            known if known.starts_with("checkout.session.") => Some("checkout.session"),
            "charge.refunded" => Some("charge"),
            known if known.starts_with("charge.dispute.") => Some("dispute"),
            _ => Some("refund"),
        };
        let subject = match expected {
            None => Subject::Other,
            Some(expected) if data.object.get("object").and_then(Value::as_str) != Some(expected) => {
                return Err(EventError::WrongObject { id });
            }
            Some("checkout.session") => Subject::Session(serde_json::from_value::<SessionObject>(data.object).map_err(wrong)?.id),
            Some(_) => {
                let of: OfPayment = serde_json::from_value(data.object).map_err(wrong)?;
                of.payment_intent.map_or(Subject::Other, Subject::Payment)
            }
        };
        Ok(Event { id, kind, created, subject })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn event(kind: &str, object: Value) -> Value {
        json!({
            "id": "evt_1", "object": "event", "api_version": "2025-08-27.basil", "created": 1_788_782_400, "livemode": false,
            "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": kind, "data": {"object": object},
        })
    }

    fn parse(value: &Value) -> Result<Event, EventError> {
        Event::parse(value.to_string().as_bytes())
    }

    fn object_of(kind: &str) -> Value {
        match kind {
            "charge.refunded" => json!({"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "amount_refunded": 5}),
            k if k.starts_with("checkout") => json!({"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_1"}),
            k if k.starts_with("charge.dispute") => json!({"id": "du_1", "object": "dispute", "payment_intent": "pi_1"}),
            _ => json!({"id": "re_1", "object": "refund", "payment_intent": {"id": "pi_1"}}),
        }
    }

    #[test]
    fn each_type_says_which_payment_it_is_about() {
        for kind in EVENT_TYPES {
            let read = parse(&event(kind, object_of(kind))).unwrap();
            let subject = if kind.starts_with("checkout") {
                Subject::Session("cs_1".parse().unwrap())
            } else {
                Subject::Payment("pi_1".parse().unwrap())
            };
            assert_eq!((read.subject, read.kind.as_str(), read.created.timestamp()), (subject, kind, 1_788_782_400));
        }
    }

    #[test]
    fn other_types_and_payments_without_an_intent_are_left_alone() {
        for kind in ["customer.created", "charge.refunded.tomorrow", "", "payment_intent.succeeded"] {
            assert_eq!(parse(&event(kind, json!({"id": 7}))).unwrap().subject, Subject::Other, "{kind}");
        }
        let old = json!({"id": "ch_1", "object": "charge", "payment_intent": null});
        assert_eq!(parse(&event("charge.refunded", old)).unwrap().subject, Subject::Other);
        let older = json!({"id": "ch_1", "object": "charge"});
        assert_eq!(parse(&event("charge.refunded", older)).unwrap().subject, Subject::Other);
    }

    #[test]
    fn an_object_of_another_kind_is_refused() {
        for kind in EVENT_TYPES {
            for wrong in [json!({}), json!(null), json!([]), json!({"object": "customer", "id": "cs_1", "payment_intent": "pi_1"})] {
                assert!(matches!(parse(&event(kind, wrong.clone())), Err(EventError::WrongObject { .. })), "{kind} {wrong}");
            }
            let mut odd = object_of(kind);
            odd["id"] = json!(7);
            odd["payment_intent"] = json!(7);
            assert!(matches!(parse(&event(kind, odd)), Err(EventError::WrongObject { .. })), "{kind}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused_without_its_text() {
        let good = event("charge.refunded", object_of("charge.refunded"));
        for field in ["id", "object", "type", "created", "data"] {
            for value in [json!(null), json!(1.5), json!("x y"), json!(["secret"])] {
                let mut wrong = good.clone();
                wrong[field] = value.clone();
                let allowed = field == "type" && value.is_string();
                assert_eq!(parse(&wrong).is_err(), !allowed, "{field}: {value}");
            }
        }
        let told = Event::parse(b"{\"id\": \"secret\", ").unwrap_err().to_string();
        assert!(!told.contains("secret"), "{told}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Event::parse(&body).is_err());
        }

        /// An event with one byte changed is refused, or is about one payment as before.
        #[test]
        fn an_event_with_one_byte_changed_is_read_or_refused(
            kind in proptest::sample::select(EVENT_TYPES.to_vec()),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut body = event(kind, object_of(kind)).to_string().into_bytes();
            let place = place.index(body.len());
            body[place] = byte;
            if let Ok(read) = Event::parse(&body) {
                prop_assert!(!read.id.as_str().is_empty());
            }
        }
    }
}
