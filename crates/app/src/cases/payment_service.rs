//! What the account service says of a payment: which transactions it found, what they bought, and the Secure Key.

use super::payment_chain::{adopt_transaction, parsed};
use crate::{
    Wallet,
    record::{Attempt, AttemptKind, PaidBatch, PaymentRecord},
    state::{Asking, Session},
    view::{AppErrorCode, AskView, ErrorView, Finality, KeyKeeping, PaymentRemark, PaymentState},
};
use aispace_api::{
    AnyOrderAnswer, BlockFinality, CardOrderAnswer, CardStatus, OrderAnswer, PaymentAnswer, PaymentOutcome, SealedSecret, WaitsFor,
};
use aispace_client::{ClaimStep, OrderId};
use aispace_units::Wei;
use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

/// How often the service is asked for payments that nobody told the app of: not at every look at the chain.
const ORDER_PAUSE: TimeDelta = TimeDelta::milliseconds(900);

impl Wallet {
    /// An outside wallet or a person was asked: looks up what was named, and asks the service for what it found.
    pub(crate) async fn look_for_arrival(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let named = self.look_up_named(payment).await;
        if payment.state != PaymentState::Asked {
            return Ok(());
        }
        if self.may_ask_for_order() {
            self.take_service_word(payment).await?;
        }
        named?;
        if payment.claimable.is_some() {
            return Err(ErrorView::of(AppErrorCode::PaymentUnattributed));
        }
        let is_foreign = payment.transaction_hash.is_none() && payment.attempts.iter().any(|a| a.kind == AttemptKind::Foreign);
        if is_foreign {
            return Err(ErrorView::of(AppErrorCode::WalletAnswersWrong));
        }
        if self.price_binds(payment) { Ok(()) } else { Err(ErrorView::of(AppErrorCode::QuoteOver)) }
    }

    /// Takes what the service knows of the order, and looks each transaction up that it names.
    pub(crate) async fn take_service_word(&self, payment: &mut PaymentRecord) -> Result<OrderAnswer, ErrorView> {
        let order = self.inner.service.order(&order_id(payment)?).await?;
        let now = self.corrected_now();
        take_order(payment, &order);
        let Some(found) = counted(&order) else { return Ok(order) };
        if payment.transaction_hash.as_ref() == Some(&found.transaction_hash) && payment.state != PaymentState::Asked {
            return Ok(order);
        }
        // The service's word is enough to look at a transaction, and never more.
        let hash = parsed(&found.transaction_hash)?;
        let Some(transaction) = self.nodes().transaction(hash).await? else { return Ok(order) };
        if found.position == 0 {
            adopt_transaction(payment, &transaction);
        }
        match payment.attempts.iter_mut().find(|a| a.hash == found.transaction_hash) {
            Some(attempt) if attempt.kind == AttemptKind::Foreign => attempt.kind = AttemptKind::Pay,
            Some(_) => {}
            None => {
                payment.attempts.push(Attempt { hash: found.transaction_hash.clone(), raw: None, kind: AttemptKind::Pay, made: Some(now) });
            }
        }
        payment.transaction_hash = Some(found.transaction_hash.clone());
        payment.claimable = None;
        if payment.state == PaymentState::Asked {
            payment.reach(PaymentState::Seen, now);
        }
        take_order(payment, &order);
        Ok(order)
    }

    pub(crate) async fn ask_whether_credited(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let order = self.inner.service.order(&order_id(payment)?).await?;
        take_order(payment, &order);
        let now = self.corrected_now();
        if !order.credited_credits.is_zero() {
            payment.credits = order.credited_credits;
            payment.reach(PaymentState::Credited, now);
            return Ok(());
        }
        let outcomes: Vec<_> = order.payments.iter().map(|p| &p.outcome).collect();
        if !outcomes.is_empty() && outcomes.iter().all(|o| matches!(o, PaymentOutcome::Held { .. })) {
            payment.reach(PaymentState::Held, now);
            return Err(ErrorView::of(AppErrorCode::PaymentHeld));
        }
        if outcomes.iter().any(|o| matches!(o, PaymentOutcome::TakenBack { .. })) {
            return self.look_whether_undone(payment).await;
        }
        Ok(())
    }

    /// The service saw the payment's block go: when our nodes say so too, it waits for a block again.
    async fn look_whether_undone(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let hash = parsed(payment.transaction_hash.as_deref().unwrap_or_default())?;
        if self.nodes().receipt(hash).await?.is_none() {
            payment.block_number = None;
            payment.firm_up(Finality::Unconfirmed, self.corrected_now());
            payment.reached.remove(&PaymentState::Confirmed);
            payment.state = PaymentState::Seen;
        }
        Ok(())
    }

    /// Presents the claim secret, keeps the key, and only then lets the service and the keychain forget the secret.
    pub(crate) async fn collect(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let order = order_id(payment)?;
        let secret = self.claim_secret(&payment.order_id).await?;
        let secret = secret.ok_or_else(|| ErrorView::of(AppErrorCode::KeychainFailed))?;
        let sealed = || SealedSecret::new(secret.to_string());
        let claimed = self.inner.service.claim(&order, sealed(), ClaimStep::Collect).await?;
        if let Some(key) = claimed.secure_key {
            // Which keys there are must be known before another one is kept beside them.
            self.load_key().await;
            let _turn = self.inner.session_turn.lock().await;
            let shows_service = !matches!(self.state().session, Session::ByHand | Session::SignedOut | Session::Unknown);
            let keeping = self.take_account(key, &claimed.account_id, None, !shows_service).await?;
            // A key in memory may be gone tomorrow: until a keychain has it, the service must go on handing it out.
            if keeping == KeyKeeping::MemoryOnly {
                return Err(ErrorView::of(AppErrorCode::KeychainAbsent));
            }
        }
        self.inner.service.claim(&order, sealed(), ClaimStep::Acknowledge).await?;
        payment.credits = claimed.credited_credits;
        payment.account_id = Some(claimed.account_id.clone());
        payment.reach(PaymentState::Done, self.corrected_now());
        // The journal says "done" before the secret goes; a secret left behind opens nothing twice.
        self.inner.store.journal(payment).await?;
        let _ = self.drop_claim(&payment.order_id).await;
        let topped_up = self.state().account_known_as(&claimed.account_id);
        let _ = self.sync_account().await;
        match topped_up {
            Some(id) if self.state().roster.is_active(&id) => {}
            Some(id) => drop(self.sync_one(&id).await),
            None => self.sync_others().await,
        }
        self.look_at_chain().await;
        Ok(())
    }

    /// How far the payment provider's page is, by the service's word: no chain knows of it.
    pub(crate) async fn look_at_card(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        if !self.may_ask_for_order() {
            return Ok(());
        }
        let AnyOrderAnswer::Card(order) = self.order_now(payment).await? else { return Err(ErrorView::of(AppErrorCode::ServiceGarbled)) };
        let now = self.corrected_now();
        self.show_checkout(&order);
        if !order.credited_credits.is_zero() {
            payment.credits = order.credited_credits;
            payment.reach(PaymentState::Credited, now);
            return Ok(());
        }
        match order.status {
            CardStatus::Open | CardStatus::Processing | CardStatus::Paid => Ok(()),
            CardStatus::Expired => {
                payment.reach(PaymentState::Abandoned, now);
                Err(ErrorView::of(AppErrorCode::QuoteOver))
            }
            CardStatus::Held => {
                payment.reach(PaymentState::Held, now);
                Err(ErrorView::of(AppErrorCode::PaymentHeld))
            }
        }
    }

    fn show_checkout(&self, order: &CardOrderAnswer) {
        let closes = order.checkout_url.is_some().then(|| crate::project::instant(order.expires));
        let page = order.checkout_url.clone().map(Zeroizing::new);
        self.change(|state| state.ask = Some(Asking { order_id: order.order_id.clone(), view: AskView::Card { closes }, page }));
    }

    /// Whether it is time to ask the service for an order again.
    fn may_ask_for_order(&self) -> bool {
        let now = self.inner.clock.now();
        let mut state = self.state();
        let due = state.order_asked.is_none_or(|last| now - last >= ORDER_PAUSE || now < last);
        if due {
            state.order_asked = Some(now);
        }
        due
    }
}

/// The payment of an order that the app shows: the first one that bought something, else the first that may.
pub(crate) fn counted(order: &OrderAnswer) -> Option<&PaymentAnswer> {
    let credited = order.payments.iter().find(|p| matches!(p.outcome, PaymentOutcome::Credited { .. }));
    credited.or_else(|| order.payments.iter().find(|p| !matches!(p.outcome, PaymentOutcome::Closed | PaymentOutcome::Unknown)))
}

/// Takes the service's figures and remarks; none of them moves the payment on.
pub(crate) fn take_order(payment: &mut PaymentRecord, order: &OrderAnswer) {
    use PaymentRemark as Remark;
    let Some(shown) = counted(order) else { return };
    let said = [Remark::Late, Remark::TakenBack, Remark::WaitsForSafe, Remark::WaitsForPrice, Remark::Underpaid, Remark::Overpaid];
    payment.remarks.retain(|remark| !said.contains(remark));
    let standing = order.payments.iter().filter(|p| !matches!(p.outcome, PaymentOutcome::TakenBack { .. } | PaymentOutcome::Closed));
    let paid = standing.clone().try_fold(Wei::ZERO, |sum, p| sum.checked_add(p.value_wei));
    payment.paid_wei = paid.filter(|paid| *paid > Wei::ZERO);
    if let Some(paid) = payment.paid_wei
        && paid != payment.value_wei
    {
        payment.remarks.insert(if paid < payment.value_wei { Remark::Underpaid } else { Remark::Overpaid });
    }
    for one in &order.payments {
        let waits = |wanted| matches!(one.outcome, PaymentOutcome::Waiting { waits_for } if waits_for == wanted);
        let remarks = [
            (one.late, Remark::Late),
            (matches!(one.outcome, PaymentOutcome::TakenBack { .. }), Remark::TakenBack),
            (waits(WaitsFor::Safe), Remark::WaitsForSafe),
            (waits(WaitsFor::Price), Remark::WaitsForPrice),
        ];
        payment.remarks.extend(remarks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, remark)| remark));
    }
    if payment.transaction_hash.as_ref() == Some(&shown.transaction_hash) && shown.confirmations > 0 {
        payment.block_time = Some(shown.block_time);
    }
    if let PaymentOutcome::Credited { batch_id, batch_expires: Some(expires), .. } = &shown.outcome {
        payment.batch = Some(PaidBatch { id: batch_id.clone(), expires: *expires });
    }
}

/// How firm the service says that an order's payments are: as the least of those that stand.
pub(crate) fn firmness(order: &OrderAnswer) -> Option<Finality> {
    let standing = order.payments.iter().filter(|p| matches!(p.outcome, PaymentOutcome::Credited { .. } | PaymentOutcome::Waiting { .. }));
    standing.map(|p| p.finality).min().map(|finality| match finality {
        BlockFinality::Confirmed => Finality::Confirmed,
        BlockFinality::Safe => Finality::Safe,
        BlockFinality::Final => Finality::Final,
    })
}

pub(crate) fn order_id(payment: &PaymentRecord) -> Result<OrderId, ErrorView> {
    OrderId::parse(&payment.order_id).map_err(ErrorView::internal)
}

/// Whether something was done long ago, for what is looked at for a month.
pub(crate) fn is_older_than(at: Option<DateTime<Utc>>, age: TimeDelta, now: DateTime<Utc>) -> bool {
    at.is_none_or(|at| now - at > age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::PayWay;
    use serde_json::{Value, json};

    fn paid(value: &str, finality: &str, outcome: Value) -> Value {
        json!({"transaction_hash": format!("0x{}", "ab".repeat(32)), "position": 0, "block_number": 7, "block_hash": "0x0",
            "block_time": "2026-11-20T10:01:00Z", "value_wei": value, "confirmations": 1, "attribution": "tag", "finality": finality,
            "outcome": outcome, "late": false})
    }

    fn credited() -> Value {
        json!({"state": "credited", "credits": "125000", "usd_per_eth": "3000", "credited": "2026-11-20T10:01:01Z", "batch_id": "ba_1",
            "batch_expires": "2026-12-20T10:01:01Z"})
    }

    fn order(payments: &[Value]) -> OrderAnswer {
        let quote = json!({"usd_per_eth": "3000", "value_wei": "1000", "unique_value_wei": "1000", "credits": "250000",
            "quoted": "2026-11-20T10:00:00Z", "expires": "2026-11-20T10:10:00Z", "sources": []});
        let answer = json!({"order_id": "or_sample", "server_time": "2026-11-20T10:01:02Z", "usd": "25", "top_up": false, "quote": quote,
            "status": "confirmed", "claimed": false, "payments": payments, "credited_credits": "0"});
        serde_json::from_value(answer).expect("an order")
    }

    fn remarks(payments: &[Value]) -> Vec<PaymentRemark> {
        let mut payment = PaymentRecord::sample(PayWay::Browser);
        take_order(&mut payment, &order(payments));
        payment.remarks.into_iter().collect()
    }

    #[test]
    fn payments_of_one_order_add_up_and_what_is_off_is_said() {
        use PaymentRemark as R;
        let waits = |what: &str| json!({"state": "waiting", "for": what});
        let mut late = paid("1000", "confirmed", credited());
        late["late"] = json!(true);
        for (payments, expected) in [
            (vec![], vec![]),
            (vec![paid("1000", "confirmed", credited())], vec![]),
            (vec![paid("400", "confirmed", credited()), paid("600", "safe", credited())], vec![]),
            (vec![paid("400", "confirmed", credited())], vec![R::Underpaid]),
            (vec![paid("1001", "confirmed", credited())], vec![R::Overpaid]),
            (vec![late], vec![R::Late]),
            (vec![paid("1000", "confirmed", waits("safe"))], vec![R::WaitsForSafe]),
            (vec![paid("1000", "confirmed", waits("price"))], vec![R::WaitsForPrice]),
            (vec![paid("1000", "confirmed", json!({"state": "taken_back", "credits": "125000"}))], vec![R::TakenBack]),
            (vec![paid("1000", "confirmed", json!({"state": "of_a_newer_service"}))], vec![]),
        ] {
            assert_eq!(remarks(&payments), expected, "{payments:?}");
        }
    }

    #[test]
    fn a_remark_goes_when_its_reason_is_gone() {
        let mut payment = PaymentRecord::sample(PayWay::Browser);
        payment.remarks.insert(PaymentRemark::Replaced);
        take_order(&mut payment, &order(&[paid("1000", "confirmed", json!({"state": "taken_back", "credits": "1"}))]));
        assert!(payment.remarks.contains(&PaymentRemark::TakenBack) && payment.batch.is_none());
        take_order(&mut payment, &order(&[paid("1000", "confirmed", credited())]));
        assert_eq!(payment.remarks.into_iter().collect::<Vec<_>>(), [PaymentRemark::Replaced]);
        assert_eq!(payment.batch.and_then(|b| b.id).as_deref(), Some("ba_1"));
    }

    #[test]
    fn an_order_is_as_firm_as_its_least_firm_payment() {
        assert_eq!(firmness(&order(&[])), None);
        let two = [paid("400", "final", credited()), paid("600", "safe", credited())];
        assert_eq!(firmness(&order(&two)), Some(Finality::Safe));
        let undone = [paid("400", "final", json!({"state": "taken_back", "credits": "1"}))];
        assert_eq!(firmness(&order(&undone)), None);
    }
}
