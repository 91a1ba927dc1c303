//! Another transaction in the place of a payment that is not mined: the same one with higher fees, or one that moves nothing.
//!
//! Both take the payment's nonce, so at most one of them is ever mined.

use super::{
    Extra, MAX_FEE_PER_GAS_CAP_WEI, SignedPayment, Terms, TransferError, decode, least_and_tenth, need_of, refused, sign::sign_terms,
};
use crate::{
    EthAddress, TransactionHash,
    chain::{Fees, Nodes, TransferCall},
    payment_address,
    signer::SpendingKey,
};
use aispace_units::{BASE_CHAIN_ID, Wei};

/// What a replacement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplacementKind {
    /// The same payment, dearer.
    SpeedUp,
    /// Nothing, sent to oneself.
    Cancel,
}

/// A transaction that takes the place of one that is not mined. Nothing is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// What it is for.
    pub kind: ReplacementKind,
    /// The transaction whose place it takes.
    pub replaces: TransactionHash,
    /// The payer.
    pub from: EthAddress,
    /// The payment address, or the payer to cancel.
    pub to: EthAddress,
    /// As it was, or zero to cancel.
    pub value_wei: Wei,
    /// As it was, or empty to cancel.
    pub calldata: Vec<u8>,
    /// As it was.
    pub nonce: u64,
    /// As it was, or what a cancellation takes.
    pub gas_limit: u64,
    /// Wei per gas, at most: a tenth more than before, or what is asked now if that is more.
    pub max_fee_per_gas_wei: Wei,
    /// Wei per gas for the block's builder, raised likewise.
    pub tip_per_gas_wei: Wei,
    /// Gas limit × highest fee.
    pub network_fee_max_wei: Wei,
    /// Twice the upper bound of the L1 fee.
    pub l1_fee_wei: Wei,
    /// What the chain's operator takes.
    pub operator_fee_wei: Wei,
    /// Value and all fees, at most.
    pub need_wei: Wei,
    /// What the payer holds.
    pub balance_wei: Wei,
}

/// The fees of a replacement: each at least a tenth above the old one, rounded up, which nodes ask for before they let one
/// transaction take another's place, and at least what is asked now.
///
/// # Errors
/// [`TransferError::FeeTooHigh`] above [`MAX_FEE_PER_GAS_CAP_WEI`].
pub fn raised(old: Fees, now: Fees) -> Result<Fees, TransferError> {
    let raise = |old: Wei, now: Wei| {
        let raised = old.get().checked_add(old.get().div_ceil(10)).ok_or(TransferError::OutOfRange)?;
        // A tenth of nothing is nothing, and no rise.
        Ok::<_, TransferError>(Wei::new(raised.max(now.get()).max(1)))
    };
    let cap = Wei::new(MAX_FEE_PER_GAS_CAP_WEI);
    let max_fee_per_gas_wei = raise(old.max_fee_per_gas_wei, now.max_fee_per_gas_wei)?;
    if max_fee_per_gas_wei > cap {
        return Err(TransferError::FeeTooHigh { max_fee: max_fee_per_gas_wei, cap });
    }
    let tip_per_gas_wei = raise(old.tip_per_gas_wei, now.tip_per_gas_wei)?.min(max_fee_per_gas_wei);
    Ok(Fees { max_fee_per_gas_wei, tip_per_gas_wei })
}

/// The same payment with higher fees, checked against the chain as it is now.
///
/// # Errors
/// [`TransferError::NonceUsed`] when it, or another one in its place, is mined already; [`TransferError`].
pub async fn speed_up(nodes: &Nodes, signed: &SignedPayment) -> Result<Replacement, TransferError> {
    let old = decode(&signed.raw)?;
    if old.to != payment_address() || old.chain_id != BASE_CHAIN_ID {
        return Err(TransferError::NotAPayment { reason: "it pays somebody else" });
    }
    let call = TransferCall { from: old.from, to: old.to, value: old.value_wei, input: old.calldata.clone() };
    replacement(nodes, ReplacementKind::SpeedUp, signed, call, Some(old.gas_limit)).await
}

/// Nothing, sent to oneself in the place of a payment that is not mined.
///
/// # Errors
/// As [`speed_up`].
pub async fn cancel(nodes: &Nodes, signed: &SignedPayment) -> Result<Replacement, TransferError> {
    let from = decode(&signed.raw)?.from;
    let call = TransferCall { from, to: from, value: Wei::ZERO, input: Vec::new() };
    replacement(nodes, ReplacementKind::Cancel, signed, call, None).await
}

/// Signs a replacement, decodes the signed bytes, compares every field and recovers the sender.
///
/// # Errors
/// [`TransferError::WrongKey`], [`TransferError::SignedDiffers`], [`TransferError::NotAPayment`].
pub fn sign_replacement(replacement: &Replacement, key: &SpendingKey) -> Result<SignedPayment, TransferError> {
    let payee = match replacement.kind {
        ReplacementKind::SpeedUp => payment_address(),
        ReplacementKind::Cancel => replacement.from,
    };
    let empty = replacement.value_wei == Wei::ZERO && replacement.calldata.is_empty();
    if replacement.kind == ReplacementKind::Cancel && !empty {
        return Err(TransferError::SignedDiffers { field: "value" });
    }
    sign_terms(&replacement.terms(), payee, key)
}

async fn replacement(
    nodes: &Nodes,
    kind: ReplacementKind,
    signed: &SignedPayment,
    call: TransferCall,
    gas_limit: Option<u64>,
) -> Result<Replacement, TransferError> {
    let old = decode(&signed.raw)?;
    let gas = async {
        match gas_limit {
            Some(limit) => Ok(limit),
            None => nodes.estimate_gas(&call).await.map_err(refused).and_then(least_and_tenth),
        }
    };
    let chain = async { Ok::<_, TransferError>(futures::try_join!(nodes.fees(), nodes.balance(call.from), nodes.mined_nonce(call.from))?) };
    let ((now, balance_wei, mined), gas_limit) = futures::try_join!(chain, gas)?;
    if mined > old.nonce {
        return Err(TransferError::NonceUsed { nonce: old.nonce });
    }
    let fees = raised(Fees { max_fee_per_gas_wei: old.max_fee_per_gas_wei, tip_per_gas_wei: old.tip_per_gas_wei }, now)?;
    let terms = Terms::new(&call, old.nonce, fees, gas_limit);
    let Extra { network_fee_max, l1_fee, operator_fee, need } = need_of(nodes, &terms).await?;
    if need > balance_wei {
        return Err(TransferError::NotEnoughEther { need, balance: balance_wei });
    }
    Ok(Replacement {
        kind,
        replaces: old.hash,
        from: call.from,
        to: call.to,
        value_wei: call.value,
        calldata: call.input,
        nonce: old.nonce,
        gas_limit,
        max_fee_per_gas_wei: fees.max_fee_per_gas_wei,
        tip_per_gas_wei: fees.tip_per_gas_wei,
        network_fee_max_wei: network_fee_max,
        l1_fee_wei: l1_fee,
        operator_fee_wei: operator_fee,
        need_wei: need,
        balance_wei,
    })
}

impl Replacement {
    pub(super) fn terms(&self) -> Terms {
        let call = TransferCall { from: self.from, to: self.to, value: self.value_wei, input: self.calldata.clone() };
        let fees = Fees { max_fee_per_gas_wei: self.max_fee_per_gas_wei, tip_per_gas_wei: self.tip_per_gas_wei };
        Terms::new(&call, self.nonce, fees, self.gas_limit)
    }

    /// The bytes that are signed: type 2 and the nine fields.
    #[must_use]
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        self.terms().unsigned_bytes()
    }
}
