//! A hash that a person names, and claiming by it.

use crate::{
    Wallet,
    cases::{
        payment_chain::{Match, adopt_transaction, matches, parsed},
        payment_service::order_id,
    },
    record::{Attempt, AttemptKind, PaymentRecord},
    view::{AppErrorCode, AppView, ErrorView, PayWay, PaymentState},
};
use aispace_api::HashClaimRequest;
use aispace_payments::{
    TransactionHash,
    chain::{ChainTransaction, ReceiptStatus, TransactionState},
    claim::PaymentClaim,
};
use chrono::{SubsecRound as _, TimeDelta};

/// For how long a claim by hash may be presented.
const CLAIM_HOLDS: TimeDelta = TimeDelta::minutes(10);
const HASH_DIGITS: usize = 64;

impl Wallet {
    /// Takes the hash of the transaction that paid, as a person typed it. Only the chain is believed.
    ///
    /// # Errors
    /// It is no hash, nobody was asked to pay, no node knows it, it reverted, or it pays somebody else.
    pub async fn report_hash(&self, hash: String) -> Result<AppView, ErrorView> {
        let hash = typed_hash(&hash)?;
        let turn = self.inner.payment_turn.lock().await;
        let asked = self.state().payment.clone().filter(|p| p.state == PaymentState::Asked && p.way != PayWay::Card);
        let mut payment = asked.ok_or_else(|| ErrorView::of(AppErrorCode::NotForThisPayment))?;
        let transaction = self.transaction_of(hash).await?;
        let found = matches(&payment, &transaction);
        let kind = match found {
            Match::Pays => AttemptKind::Pay,
            Match::Unattributed => AttemptKind::Foreign,
            Match::Foreign => return Err(ErrorView::of(AppErrorCode::HashForeign)),
        };
        let named = hash.to_string();
        payment.attempts.retain(|a| a.hash != named);
        payment.attempts.push(Attempt { hash: named.clone(), raw: None, kind, made: Some(self.corrected_now()) });
        if found == Match::Pays {
            adopt_transaction(&mut payment, &transaction);
            payment.transaction_hash = Some(named);
            payment.claimable = None;
            payment.reach(PaymentState::Seen, self.corrected_now());
            self.end_asking();
        } else {
            payment.from = Some(transaction.from.to_string());
            payment.claimable = Some(named);
        }
        self.keep_progress(payment).await?;
        drop(turn);
        self.move_payment_on().await;
        self.answer()
    }

    /// Proves with the spending wallet's signature that a transaction that it sent was for this order.
    ///
    /// # Errors
    /// There is no such transaction, another account sent it, or the service refuses.
    pub async fn claim_by_hash(&self) -> Result<AppView, ErrorView> {
        let turn = self.inner.payment_turn.lock().await;
        let none = || ErrorView::of(AppErrorCode::NotForThisPayment);
        let payment = self.state().payment.clone().filter(|p| p.state == PaymentState::Asked).ok_or_else(none)?;
        let hash = parsed(payment.claimable.as_deref().ok_or_else(none)?)?;
        let transaction = self.transaction_of(hash).await?;
        let key = self.spending_key().await?;
        if key.address() != transaction.from {
            return Err(none());
        }
        let claim = self.signed_claim(&payment, &transaction, |claim| claim.sign(&key).map_err(ErrorView::internal))?;
        drop(key);
        self.inner.service.claim_by_hash(&claim).await?;
        drop(turn);
        self.change(|state| state.order_asked = None);
        self.move_payment_on().await;
        self.answer()
    }

    fn signed_claim<S: std::fmt::Display>(
        &self,
        payment: &PaymentRecord,
        transaction: &ChainTransaction,
        sign: impl FnOnce(&PaymentClaim) -> Result<S, ErrorView>,
    ) -> Result<HashClaimRequest, ErrorView> {
        let deadline = (self.corrected_now() + CLAIM_HOLDS).trunc_subsecs(0);
        let order = order_id(payment)?;
        let claim = PaymentClaim::new(transaction.hash, order.as_str(), transaction.value, deadline);
        Ok(HashClaimRequest {
            order_id: payment.order_id.clone(),
            transaction_hash: transaction.hash.to_string(),
            deadline,
            signature: sign(&claim)?.to_string(),
            payer: None,
        })
    }

    async fn transaction_of(&self, hash: TransactionHash) -> Result<ChainTransaction, ErrorView> {
        match self.nodes().find_transaction(hash).await? {
            TransactionState::Mined { receipt, .. } if receipt.status == ReceiptStatus::Reverted => {
                Err(ErrorView::of(AppErrorCode::HashReverted))
            }
            TransactionState::Mined { transaction: Some(transaction), .. } | TransactionState::Pending(transaction) => Ok(transaction),
            TransactionState::Mined { transaction: None, .. } | TransactionState::Unknown => Err(ErrorView::of(AppErrorCode::HashUnknown)),
        }
    }
}

/// A hash as typed or pasted: 64 hex digits, with or without 0x.
fn typed_hash(typed: &str) -> Result<TransactionHash, ErrorView> {
    let bare = typed.trim();
    let digits = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")).unwrap_or(bare);
    let hex = digits.chars().filter(char::is_ascii_hexdigit).count();
    let all = digits.chars().count();
    if hex == HASH_DIGITS && all == HASH_DIGITS {
        return parsed(&format!("0x{}", digits.to_ascii_lowercase()));
    }
    Err(ErrorView::of(AppErrorCode::HashMalformed).with("digits", hex).with("others", all.saturating_sub(hex)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_people_paste_it() {
        let hash = "0f".repeat(32);
        for typed in [format!("0x{hash}"), hash.clone(), format!("  0X{}\n", hash.to_uppercase())] {
            assert_eq!(typed_hash(&typed).unwrap().to_string(), format!("0x{hash}"));
        }
    }

    #[test]
    fn what_is_no_hash_is_counted() {
        for (typed, digits, others) in
            [("", "0", "0"), ("0x0f0", "3", "0"), (&"0".repeat(65), "65", "0"), (&format!("{}g", "0".repeat(63)), "63", "1")]
        {
            let refused = typed_hash(typed).unwrap_err();
            assert_eq!(
                (refused.code, refused.params["digits"].as_str(), refused.params["others"].as_str()),
                (AppErrorCode::HashMalformed, digits, others)
            );
        }
    }
}
