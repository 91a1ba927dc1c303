//! What is read of Stripe's objects. Fields that are not needed are not looked at; those that are have to be of their documented
//! type. A state that the documentation does not have yet is `Unknown`, never an error.

use super::{PaymentIntentId, SessionId, UsdCents};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

/// The currency that everything here is in.
const USD: &str = "usd";
/// Metadata that carries our order's id.
pub(super) const ORDER_ID: &str = "order_id";

/// A Checkout Session ("The Checkout Session object").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "SessionWire")]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Our order's id, from `client_reference_id` or else the metadata.
    pub order_id: Option<String>,
    /// Where the payer goes; there while it is open.
    pub url: Option<String>,
    /// How far the payer is.
    pub status: SessionStatus,
    /// How far the money is.
    pub payment: PaymentStatus,
    /// What the payer pays in all; absent in another currency than dollars.
    pub total: Option<UsdCents>,
    /// The payment; absent while nothing was tried.
    pub payment_intent: Option<PaymentIntentId>,
    /// From when on it cannot be paid any more.
    pub expires: DateTime<Utc>,
    /// Whether it is about real money.
    pub live: bool,
}

/// `status` of a Checkout Session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Can be paid.
    Open,
    /// The payer is through; the money may be on its way.
    Complete,
    /// Can never be paid.
    Expired,
    /// One of a newer API.
    #[serde(other)]
    Unknown,
}

/// `payment_status` of a Checkout Session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The money is there.
    Paid,
    /// It is not.
    Unpaid,
    /// There is nothing to pay.
    NoPaymentRequired,
    /// One of a newer API.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct SessionWire {
    id: SessionId,
    client_reference_id: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    url: Option<String>,
    status: Option<SessionStatus>,
    payment_status: PaymentStatus,
    amount_total: Option<UsdCents>,
    currency: Option<String>,
    #[serde(default, deserialize_with = "expandable")]
    payment_intent: Option<PaymentIntentId>,
    #[serde(deserialize_with = "seconds")]
    expires_at: DateTime<Utc>,
    livemode: bool,
}

impl From<SessionWire> for Session {
    fn from(wire: SessionWire) -> Self {
        let named = wire.metadata.and_then(|mut metadata| metadata.remove(ORDER_ID));
        Self {
            id: wire.id,
            order_id: wire.client_reference_id.or(named),
            url: wire.url,
            status: wire.status.unwrap_or(SessionStatus::Unknown),
            payment: wire.payment_status,
            total: wire.amount_total.filter(|_| wire.currency.as_deref() == Some(USD)),
            payment_intent: wire.payment_intent,
            expires: wire.expires_at,
            live: wire.livemode,
        }
    }
}

/// A refund ("The Refund object").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RefundWire")]
pub struct Refund {
    /// Its id, `re_…`.
    pub id: String,
    /// How much goes back; absent in another currency than dollars.
    pub amount: Option<UsdCents>,
    /// How far it is.
    pub status: RefundStatus,
}

/// `status` of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// The payer has to say where to.
    RequiresAction,
    /// Done.
    Succeeded,
    /// Came back: the money is here again.
    Failed,
    /// Called off: the money stayed here.
    Canceled,
    /// One of a newer API.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct RefundWire {
    id: String,
    amount: UsdCents,
    currency: String,
    status: Option<RefundStatus>,
}

impl From<RefundWire> for Refund {
    fn from(wire: RefundWire) -> Self {
        let amount = (wire.currency == USD).then_some(wire.amount);
        Self { id: wire.id, amount, status: wire.status.unwrap_or(RefundStatus::Unknown) }
    }
}

impl Refund {
    /// Whether the money has left or is leaving: all but those that failed or were called off.
    #[must_use]
    pub fn takes_money(&self) -> bool {
        match self.status {
            RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Succeeded | RefundStatus::Unknown => true,
            RefundStatus::Failed | RefundStatus::Canceled => false,
        }
    }
}

/// A dispute ("The Dispute object").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "DisputeWire")]
pub struct Dispute {
    /// Its id, `du_…` or `dp_…`.
    pub id: String,
    /// How much is disputed; absent in another currency than dollars.
    pub amount: Option<UsdCents>,
    /// How far it is.
    pub status: DisputeStatus,
    /// Whether its balance transactions sum to less than nothing: money was withdrawn and has not come back.
    pub withdrawn: bool,
}

/// `status` of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// An inquiry that waits for an answer; no money was moved.
    WarningNeedsResponse,
    /// An inquiry that was answered.
    WarningUnderReview,
    /// An inquiry that came to nothing.
    WarningClosed,
    /// A dispute that waits for evidence; the money was withdrawn.
    NeedsResponse,
    /// A dispute that the bank looks at.
    UnderReview,
    /// Lost: the money is gone.
    Lost,
    /// Won: the money came back.
    Won,
    /// Settled before it became a chargeback.
    Prevented,
    /// One of a newer API.
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct DisputeWire {
    id: String,
    amount: UsdCents,
    currency: String,
    status: DisputeStatus,
    #[serde(default)]
    balance_transactions: Vec<BalanceTransactionWire>,
}

#[derive(Deserialize)]
struct BalanceTransactionWire {
    amount: i64,
}

impl From<DisputeWire> for Dispute {
    fn from(wire: DisputeWire) -> Self {
        let moved = wire.balance_transactions.iter().fold(0i64, |sum, t| sum.saturating_add(t.amount));
        let amount = (wire.currency == USD).then_some(wire.amount);
        Self { id: wire.id, amount, status: wire.status, withdrawn: moved < 0 }
    }
}

impl Dispute {
    /// Whether it has the money. Where the state does not say, the balance does.
    #[must_use]
    pub fn takes_money(&self) -> bool {
        match self.status {
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Lost => true,
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview | DisputeStatus::WarningClosed | DisputeStatus::Won => {
                false
            }
            DisputeStatus::Prevented | DisputeStatus::Unknown => self.withdrawn,
        }
    }
}

/// Everything that Stripe says of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardPayment {
    /// The session.
    pub session: Session,
    /// All its refunds.
    pub refunds: Vec<Refund>,
    /// All its disputes.
    pub disputes: Vec<Dispute>,
}

impl CardPayment {
    /// What came in: the session's total once it is paid; absent before, and in another currency than dollars.
    #[must_use]
    pub fn received(&self) -> Option<UsdCents> {
        self.session.total.filter(|_| self.session.payment == PaymentStatus::Paid)
    }

    /// What went back or was taken, at most `received`. An amount in a currency that nobody expects counts as all of it.
    #[must_use]
    pub fn returned(&self, received: UsdCents) -> UsdCents {
        let refunds = self.refunds.iter().filter(|r| r.takes_money()).map(|r| r.amount);
        let disputes = self.disputes.iter().filter(|d| d.takes_money()).map(|d| d.amount);
        let sum = refunds.chain(disputes).fold(UsdCents::ZERO, |sum, amount| sum.saturating_add(amount.unwrap_or(received)));
        sum.min(received)
    }
}

/// One page of a list ("Pagination").
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

/// An object's id, whether it was expanded or not.
pub(super) fn expandable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PaymentIntentId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Id(PaymentIntentId),
        Object { id: PaymentIntentId },
    }
    let wire = Option::<Wire>::deserialize(deserializer)?;
    Ok(wire.map(|wire| match wire {
        Wire::Id(id) | Wire::Object { id } => id,
    }))
}

/// An instant in whole seconds since 1970.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::from_timestamp(i64::deserialize(deserializer)?, 0).ok_or_else(|| D::Error::custom("an instant out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn session() -> Value {
        json!({
            "id": "cs_test_a1", "object": "checkout.session", "amount_total": 2500, "currency": "usd", "url": null,
            "client_reference_id": "or_1", "metadata": {"order_id": "or_1"}, "status": "complete", "payment_status": "paid",
            "payment_intent": "pi_1", "expires_at": 1_788_784_200, "livemode": false, "a_field_of_tomorrow": {"x": [1.5]},
        })
    }

    fn with(mut object: Value, field: &str, value: Value) -> Value {
        object[field] = value;
        object
    }

    fn read(object: Value) -> Result<Session, serde_json::Error> {
        serde_json::from_value(object)
    }

    #[test]
    fn a_session_is_read_with_its_payment_expanded_or_not() {
        let plain = read(session()).unwrap();
        assert_eq!((plain.status, plain.payment, plain.total), (SessionStatus::Complete, PaymentStatus::Paid, Some(UsdCents::new(2500))));
        assert_eq!((plain.order_id.as_deref(), plain.expires.timestamp()), (Some("or_1"), 1_788_784_200));
        let expanded = with(session(), "payment_intent", json!({"id": "pi_1", "object": "payment_intent", "status": "succeeded"}));
        assert_eq!(read(expanded).unwrap(), plain);
        let metadata_only = with(session(), "client_reference_id", json!(null));
        assert_eq!(read(metadata_only).unwrap().order_id.as_deref(), Some("or_1"));
    }

    #[test]
    fn states_of_tomorrow_are_unknown_and_other_currencies_are_no_total() {
        let new = read(with(with(session(), "status", json!("paused")), "payment_status", json!("partly"))).unwrap();
        assert_eq!((new.status, new.payment), (SessionStatus::Unknown, PaymentStatus::Unknown));
        assert_eq!(read(with(session(), "currency", json!("eur"))).unwrap().total, None);
    }

    #[test]
    fn wrong_types_are_refused() {
        let wrong = [
            ("id", json!(7)),
            ("id", json!("../v1/refunds")),
            ("amount_total", json!("2500")),
            ("amount_total", json!(25.5)),
            ("amount_total", json!(-1)),
            ("payment_status", json!(null)),
            ("payment_intent", json!(["pi_1"])),
            ("payment_intent", json!("pi 1")),
            ("expires_at", json!("2026-09-07")),
            ("livemode", json!("false")),
            ("metadata", json!(["order_id"])),
        ];
        for (field, value) in wrong {
            assert!(read(with(session(), field, value.clone())).is_err(), "{field}: {value}");
        }
    }

    fn refund(amount: u64, status: &str) -> Refund {
        serde_json::from_value(json!({"id": "re_1", "amount": amount, "currency": "usd", "status": status})).unwrap()
    }

    fn dispute(amount: u64, status: &str, moved: &[i64]) -> Dispute {
        let transactions: Vec<Value> = moved.iter().map(|amount| json!({"amount": amount})).collect();
        let object = json!({"id": "du_1", "amount": amount, "currency": "usd", "status": status, "balance_transactions": transactions});
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn each_state_says_whether_the_money_is_gone() {
        let refunds =
            [("pending", true), ("requires_action", true), ("succeeded", true), ("failed", false), ("canceled", false), ("new", true)];
        for (status, gone) in refunds {
            assert_eq!(refund(1, status).takes_money(), gone, "{status}");
        }
        let disputes = [
            ("warning_needs_response", false),
            ("warning_under_review", false),
            ("warning_closed", false),
            ("needs_response", true),
            ("under_review", true),
            ("lost", true),
            ("won", false),
        ];
        for (status, gone) in disputes {
            assert_eq!(dispute(1, status, &[]).takes_money(), gone, "{status}");
        }
        for status in ["prevented", "new"] {
            assert!(!dispute(1, status, &[]).takes_money() && !dispute(1, status, &[-1, 1]).takes_money(), "{status}");
            assert!(dispute(1, status, &[-1]).takes_money(), "{status}");
        }
    }

    #[test]
    fn what_went_back_is_never_more_than_what_came_in() {
        let total = UsdCents::new(2500);
        let payment = |refunds, disputes| CardPayment { session: read(session()).unwrap(), refunds, disputes };
        let returned = |refunds, disputes| payment(refunds, disputes).returned(total).get();
        assert_eq!(returned(vec![], vec![]), 0);
        assert_eq!(returned(vec![refund(100, "succeeded"), refund(50, "pending"), refund(900, "failed")], vec![]), 150);
        assert_eq!(returned(vec![refund(100, "succeeded")], vec![dispute(2400, "needs_response", &[])]), 2500);
        assert_eq!(returned(vec![refund(100, "succeeded")], vec![dispute(2500, "lost", &[])]), 2500);
        let euros = Refund { amount: None, ..refund(1, "succeeded") };
        assert_eq!(returned(vec![euros], vec![]), 2500);
        assert_eq!(payment(vec![], vec![]).received(), Some(total));
        let mut open = payment(vec![], vec![]);
        open.session.payment = PaymentStatus::Unpaid;
        assert_eq!(open.received(), None);
    }
}
