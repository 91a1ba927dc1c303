//! What the chain says of a payment. Whatever a wallet, a person or the service says is looked up here before it counts.

use crate::{
    Wallet,
    record::{Attempt, AttemptKind, PaymentRecord},
    view::{AppErrorCode, ErrorView, Finality, PayWay, PaymentRemark, PaymentState},
};
use aispace_payments::{
    EthAddress, TransactionHash,
    chain::{BroadcastOutcome, ChainError, ChainTransaction, Receipt, ReceiptStatus},
    payment_address,
    tag::parse_calldata,
};
use aispace_units::BASE_CHAIN_ID;
use chrono::{DateTime, TimeDelta, Utc};

/// After how long the same bytes are sent again to nodes that do not know them.
const RESEND_AFTER: TimeDelta = TimeDelta::seconds(20);
/// After how long without a block a higher fee may help.
const STUCK_AFTER: TimeDelta = TimeDelta::seconds(30);
/// How long the service is asked for what took the place of an outside wallet's transaction.
const REPLACED_GRACE: TimeDelta = TimeDelta::seconds(60);

/// What a transaction has to do with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// It pays the payment's order.
    Pays,
    /// It pays the payment address, and nothing in it names this order.
    Unattributed,
    /// It is something else.
    Foreign,
}

impl Wallet {
    pub(crate) async fn send(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        self.nodes().check_chain().await?;
        let sent = self.nodes().broadcast(&newest_raw(payment)?).await?;
        payment.reach(PaymentState::Sent, self.corrected_now());
        // A used nonce is this very payment, mined before a restart, or another one's: the receipt tells.
        if sent.outcome != BroadcastOutcome::NonceTooLow {
            tracing::info!(hash = payment.transaction_hash, "payment sent");
        }
        Ok(())
    }

    pub(crate) async fn look_for_receipt(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        // Whichever of its transactions is mined is the payment; at most one of them can be.
        for attempt in payment.attempts.clone().iter().rev().filter(|a| a.kind != AttemptKind::Foreign) {
            if let Some(receipt) = self.nodes().receipt(parsed(&attempt.hash)?).await? {
                return self.take_receipt(payment, attempt, receipt);
            }
        }
        self.still_waiting(payment).await
    }

    fn take_receipt(&self, payment: &mut PaymentRecord, mined: &Attempt, receipt: Receipt) -> Result<(), ErrorView> {
        let now = self.corrected_now();
        payment.reached.entry(PaymentState::Seen).or_insert(now);
        payment.transaction_hash = Some(mined.hash.clone());
        payment.block_number = Some(receipt.block_number);
        payment.fee_wei = receipt.fee_wei();
        payment.gas_used = Some(receipt.gas_used);
        let first = payment.attempts.iter().find(|a| a.kind == AttemptKind::Pay);
        if first.is_some_and(|first| first.hash != mined.hash) {
            payment.remarks.insert(PaymentRemark::Replaced);
        }
        payment.firm_up(Finality::Confirmed, now);
        match (mined.kind, receipt.status) {
            // Even one that failed used the nonce: nothing was paid, and nothing can be.
            (AttemptKind::Cancel, _) => payment.reach(PaymentState::Cancelled, now),
            (_, ReceiptStatus::Succeeded) => payment.reach(PaymentState::Confirmed, now),
            (_, ReceiptStatus::Reverted) => {
                payment.reach(PaymentState::Reverted, now);
                return Err(ErrorView::of(AppErrorCode::PaymentReverted));
            }
        }
        Ok(())
    }

    /// No receipt yet: seen, lost on the way, or overtaken by another transaction of the payer.
    async fn still_waiting(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let now = self.corrected_now();
        let mut known = false;
        for attempt in payment.attempts.iter().rev().filter(|a| a.kind != AttemptKind::Foreign) {
            known |= self.nodes().transaction_known(parsed(&attempt.hash)?).await?;
        }
        if known {
            payment.reach(PaymentState::Seen, now);
        } else if self.is_overtaken(payment).await? {
            return self.overtaken(payment, now).await;
        }
        self.send_again(payment, now).await?;
        let newest = payment.attempts.iter().rev().find_map(|a| a.made);
        let is_stuck = payment.way == PayWay::SpendingWallet && newest.is_some_and(|made| now - made > STUCK_AFTER);
        if is_stuck { Err(ErrorView::of(AppErrorCode::PaymentStuck)) } else { Ok(()) }
    }

    /// Whether another transaction of the payer was mined with this one's nonce.
    async fn is_overtaken(&self, payment: &PaymentRecord) -> Result<bool, ErrorView> {
        let (Some(from), Some(nonce)) = (&payment.from, payment.nonce) else { return Ok(false) };
        let from: EthAddress = from.parse().map_err(ErrorView::internal)?;
        if self.nodes().mined_nonce(from).await? <= nonce {
            return Ok(false);
        }
        // Asked again after the nonce, so that a block between the two questions does not count as overtaking.
        for attempt in payment.attempts.iter().filter(|a| a.kind != AttemptKind::Foreign) {
            if self.nodes().receipt(parsed(&attempt.hash)?).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn overtaken(&self, payment: &mut PaymentRecord, now: DateTime<Utc>) -> Result<(), ErrorView> {
        if payment.way != PayWay::SpendingWallet {
            // A wallet that raised its fee sent another transaction under the same tag, which the service finds.
            let since = *payment.overtaken.get_or_insert(now);
            self.take_service_word(payment).await?;
            let hash = payment.transaction_hash.as_deref().unwrap_or_default();
            if self.nodes().transaction_known(parsed(hash)?).await? || now - since < REPLACED_GRACE {
                return Ok(());
            }
        }
        payment.reach(PaymentState::Dropped, now);
        Err(ErrorView::of(AppErrorCode::PaymentDropped))
    }

    /// The newest bytes of the app's own, once more, where no node has them.
    async fn send_again(&self, payment: &PaymentRecord, now: DateTime<Utc>) -> Result<(), ErrorView> {
        let Some(newest) = payment.attempts.iter().rev().find(|a| a.raw.is_some()) else { return Ok(()) };
        if newest.made.is_some_and(|made| now - made <= RESEND_AFTER) || self.nodes().transaction_known(parsed(&newest.hash)?).await? {
            return Ok(());
        }
        match self.nodes().broadcast(&newest_raw(payment)?).await {
            Ok(_) => Ok(()),
            Err(ChainError::Refused { reason }) => Err(ErrorView::of(AppErrorCode::SimulationFailed).with("reason", reason)),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks up what a wallet or a person named, and compares it with what was asked for.
    pub(crate) async fn look_up_named(&self, payment: &mut PaymentRecord) -> Result<(), ErrorView> {
        let Some(named) = payment.transaction_hash.clone() else { return Ok(()) };
        let now = self.corrected_now();
        let found = self.nodes().transaction(parsed(&named)?).await?;
        let Some(found) = found else {
            let asked = payment.attempts.iter().find(|a| a.hash == named).and_then(|a| a.made);
            let is_late = asked.is_some_and(|made| now - made > STUCK_AFTER);
            return if is_late { Err(ErrorView::of(AppErrorCode::HashUnknown)) } else { Ok(()) };
        };
        let is_match = matches(payment, &found);
        if is_match == Match::Pays {
            adopt_transaction(payment, &found);
            payment.reach(PaymentState::Seen, now);
            return Ok(());
        }
        payment.transaction_hash = None;
        if let Some(attempt) = payment.attempts.iter_mut().find(|a| a.hash == named) {
            attempt.kind = AttemptKind::Foreign;
        }
        payment.claimable = (is_match == Match::Unattributed).then_some(named);
        Ok(())
    }
}

/// Takes what is known of the payer from a transaction that pays.
pub(crate) fn adopt_transaction(payment: &mut PaymentRecord, found: &ChainTransaction) {
    let from = found.from.to_string();
    if payment.from.as_ref().is_some_and(|said| *said != from) {
        payment.remarks.insert(PaymentRemark::AnotherPayer);
    }
    payment.from = Some(from);
    payment.nonce = Some(found.nonce);
    if found.value < payment.value_wei {
        payment.remarks.insert(PaymentRemark::Underpaid);
    } else if found.value > payment.value_wei {
        payment.remarks.insert(PaymentRemark::Overpaid);
    }
}

/// What a transaction has to do with a payment.
pub(crate) fn matches(payment: &PaymentRecord, found: &ChainTransaction) -> Match {
    if found.to != Some(payment_address()) || found.chain_id.is_some_and(|id| id != BASE_CHAIN_ID) {
        return Match::Foreign;
    }
    match parse_calldata(&found.input) {
        Some(tag) if payment.tag.as_deref() == Some(tag.to_string().as_str()) => Match::Pays,
        Some(_) => Match::Foreign,
        None if payment.way == PayWay::Link && found.value == payment.value_wei => Match::Pays,
        None => Match::Unattributed,
    }
}

/// A hash out of the journal.
pub(crate) fn parsed(hash: &str) -> Result<TransactionHash, ErrorView> {
    hash.parse().map_err(ErrorView::internal)
}

/// The signed bytes of the newest transaction of the app's own.
pub(crate) fn newest_raw(payment: &PaymentRecord) -> Result<Vec<u8>, ErrorView> {
    let raw = payment.attempts.iter().rev().find_map(|a| a.raw.as_deref());
    hex::decode(raw.unwrap_or_default()).map_err(ErrorView::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aispace_payments::tag::{OrderTag, calldata};
    use aispace_units::Wei;

    fn transaction(value: u128, input: Vec<u8>) -> ChainTransaction {
        ChainTransaction {
            hash: TransactionHash::from_bytes([1; 32]),
            from: EthAddress::from_bytes([2; 20]),
            to: Some(payment_address()),
            value: Wei::new(value),
            input,
            nonce: 3,
            chain_id: Some(BASE_CHAIN_ID),
            gas_limit: 22_280,
            max_fee_per_gas_wei: Wei::new(1),
            tip_per_gas_wei: None,
        }
    }

    #[test]
    fn only_what_pays_this_order_counts() {
        let tagged = calldata(OrderTag::from_bytes([0x77; 32]));
        let attributed = [tagged.clone(), b"wallet".to_vec()].concat();
        let other = calldata(OrderTag::from_bytes([0x78; 32]));
        let right = transaction(1000, tagged.clone());
        let browser = PaymentRecord::sample(PayWay::Browser);
        let link = PaymentRecord::sample(PayWay::Link);
        for (payment, found, expected) in [
            (&browser, right.clone(), Match::Pays),
            (&browser, transaction(1000, attributed), Match::Pays),
            (&browser, transaction(1, tagged.clone()), Match::Pays),
            (&browser, transaction(1000, other.clone()), Match::Foreign),
            (&browser, transaction(1000, vec![]), Match::Unattributed),
            (&link, transaction(1000, vec![]), Match::Pays),
            (&link, transaction(999, vec![]), Match::Unattributed),
            (&link, transaction(1000, other), Match::Foreign),
            (&link, right.clone(), Match::Pays),
            (&browser, ChainTransaction { to: Some(EthAddress::from_bytes([9; 20])), ..right.clone() }, Match::Foreign),
            (&browser, ChainTransaction { to: None, ..right.clone() }, Match::Foreign),
            (&browser, ChainTransaction { chain_id: Some(1), ..right }, Match::Foreign),
        ] {
            assert_eq!(matches(payment, &found), expected, "{:?} {found:?}", payment.way);
        }
    }

    #[test]
    fn what_the_chain_says_of_the_payer_stands() {
        let mut payment = PaymentRecord { from: Some(payment_address().to_string()), ..PaymentRecord::sample(PayWay::Browser) };
        let found = transaction(1001, vec![]);
        adopt_transaction(&mut payment, &found);
        assert_eq!((payment.from, payment.nonce), (Some(found.from.to_string()), Some(3)));
        assert_eq!(payment.remarks.into_iter().collect::<Vec<_>>(), [PaymentRemark::Overpaid, PaymentRemark::AnotherPayer]);
    }
}
