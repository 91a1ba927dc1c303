//! A payment: checked against the chain, shown, signed, read back.

mod replace;
mod sign;

pub use replace::{Replacement, ReplacementKind, cancel, raised, sign_replacement, speed_up};
pub use sign::{DecodedTransfer, SignedPayment, UnsignedTransfer, decode, decode_unsigned, sign};

use crate::{
    EthAddress,
    chain::{ChainError, Fees, Nodes, TransferCall},
    payment_address,
    tag::OrderTag,
    wallet::PaymentRequest,
};
use aispace_units::{BASE_CHAIN_ID, Wei};
use sign::Terms;

/// No payment is made while a unit of gas may cost more than this: 20 gwei, thousands of times Base's floor.
pub const MAX_FEE_PER_GAS_CAP_WEI: u128 = 20_000_000_000;

/// A payment that the chain would accept now. Nothing is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Always 8453.
    pub chain_id: u64,
    /// The payer.
    pub from: EthAddress,
    /// The pinned payment address.
    pub to: EthAddress,
    /// What is paid.
    pub value_wei: Wei,
    /// The tag it is paid under; `None` where only the amount attributes it.
    pub tag: Option<OrderTag>,
    /// Magic and tag, or nothing.
    pub calldata: Vec<u8>,
    /// The nonce it was simulated at.
    pub nonce: u64,
    /// The estimate and a tenth.
    pub gas_limit: u64,
    /// Wei per gas, at most.
    pub max_fee_per_gas_wei: Wei,
    /// Wei per gas for the block's builder.
    pub tip_per_gas_wei: Wei,
    /// Gas limit × highest fee.
    pub network_fee_max_wei: Wei,
    /// Twice the upper bound of the L1 fee: its price moves until the payment is mined.
    pub l1_fee_wei: Wei,
    /// What the chain's operator takes.
    pub operator_fee_wei: Wei,
    /// Value and all fees, at most.
    pub need_wei: Wei,
    /// What the payer holds.
    pub balance_wei: Wei,
    /// Nodes that named chain 8453.
    pub nodes_agree: usize,
    /// Nodes asked.
    pub nodes_asked: usize,
}

/// Why a payment cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The payer holds less than value and fees.
    #[error("{need} wei are needed, {balance} wei are there")]
    NotEnoughEther {
        /// Value and all fees, at most.
        need: Wei,
        /// What the payer holds.
        balance: Wei,
    },
    /// The chain would not carry it out.
    #[error("the payment would fail: {reason}")]
    SimulationFailed {
        /// The nodes' reason.
        reason: String,
    },
    /// The payee takes ether, but not with a tag: there is code at the payment address.
    #[error("the payment address takes no payment with a tag: {reason}")]
    TagRefused {
        /// The nodes' reason.
        reason: String,
    },
    /// The nonce is used: the payment is mined, or another transaction in its place.
    #[error("a transaction with the nonce {nonce} is mined already")]
    NonceUsed {
        /// The nonce.
        nonce: u64,
    },
    /// Gas is dearer than any payment should be.
    #[error("gas may cost {max_fee} wei now, more than the {cap} wei that are allowed")]
    FeeTooHigh {
        /// Wei per gas, at most.
        max_fee: Wei,
        /// What is allowed.
        cap: Wei,
    },
    /// The amounts leave every range.
    #[error("the amounts of the payment cannot be added up")]
    OutOfRange,
    /// The key is of another account than the payment was prepared for.
    #[error("the key belongs to {key}, the payment was prepared for {prepared}")]
    WrongKey {
        /// The key's address.
        key: EthAddress,
        /// The payment's sender.
        prepared: EthAddress,
    },
    /// The signed bytes do not say what was prepared.
    #[error("the signed payment differs from the prepared one in {field}")]
    SignedDiffers {
        /// The first field that differs.
        field: &'static str,
    },
    /// The bytes are no signed transfer.
    #[error("these bytes are no signed payment: {reason}")]
    NotAPayment {
        /// Why.
        reason: &'static str,
    },
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Reads all that a payment under a tag depends on and checks that the chain would carry it out.
///
/// # Errors
/// As [`prepare_request`].
pub async fn prepare(nodes: &Nodes, from: EthAddress, value: Wei, tag: OrderTag) -> Result<Prepared, TransferError> {
    prepare_request(nodes, from, &PaymentRequest::tagged(value, tag)).await
}

/// Reads all that a payment depends on and checks that the chain would carry it out, in two rounds of questions: what the
/// transaction consists of, and what the chain says to exactly this transaction.
///
/// # Errors
/// [`TransferError`]; [`TransferError::NotEnoughEther`] names what is needed.
pub async fn prepare_request(nodes: &Nodes, from: EthAddress, request: &PaymentRequest) -> Result<Prepared, TransferError> {
    let call = TransferCall { from, to: payment_address(), value: request.value(), input: request.input().to_vec() };
    let (agreement, nonce, balance_wei, fees, gas) =
        futures::join!(nodes.check_chain(), nodes.pending_nonce(from), nodes.balance(from), nodes.fees(), nodes.estimate_gas(&call));
    let (agreement, nonce, balance_wei, fees) = (agreement?, nonce?, balance_wei?, fees?);
    let cap = Wei::new(MAX_FEE_PER_GAS_CAP_WEI);
    if fees.max_fee_per_gas_wei > cap {
        return Err(TransferError::FeeTooHigh { max_fee: fees.max_fee_per_gas_wei, cap });
    }
    let gas = match gas {
        Ok(gas) => gas,
        // A node refuses to run what the balance does not cover, so the need is told from the least gas there can be.
        Err(ChainError::Refused { reason }) => {
            let least = Terms::new(&call, nonce, fees, least_and_tenth(intrinsic_gas(&call.input))?);
            enough(need_of(nodes, &least).await?.need, balance_wei)?;
            return Err(why_refused(nodes, &call, nonce, fees, reason).await);
        }
        Err(other) => return Err(other.into()),
    };
    let terms = Terms::new(&call, nonce, fees, least_and_tenth(gas)?);
    let execution = terms.execution();
    let (extra, simulated) = futures::join!(need_of(nodes, &terms), nodes.simulate(&execution));
    let extra = extra?;
    enough(extra.need, balance_wei)?;
    match simulated {
        Ok(()) => {}
        Err(ChainError::Refused { reason }) => return Err(why_refused(nodes, &call, nonce, fees, reason).await),
        Err(other) => return Err(other.into()),
    }
    Ok(Prepared {
        chain_id: BASE_CHAIN_ID,
        from,
        to: call.to,
        value_wei: call.value,
        tag: request.tag(),
        calldata: call.input,
        nonce,
        gas_limit: terms.gas_limit,
        max_fee_per_gas_wei: fees.max_fee_per_gas_wei,
        tip_per_gas_wei: fees.tip_per_gas_wei,
        network_fee_max_wei: extra.network_fee_max,
        l1_fee_wei: extra.l1_fee,
        operator_fee_wei: extra.operator_fee,
        need_wei: extra.need,
        balance_wei,
        nodes_agree: agreement.agree,
        nodes_asked: agreement.asked,
    })
}

impl Prepared {
    /// The bytes that are signed: type 2 and the nine fields of EIP-1559 in RLP. Any other software can read and sign them.
    #[must_use]
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        self.terms().unsigned_bytes()
    }

    fn terms(&self) -> Terms {
        let call = TransferCall { from: self.from, to: self.to, value: self.value_wei, input: self.calldata.clone() };
        let fees = Fees { max_fee_per_gas_wei: self.max_fee_per_gas_wei, tip_per_gas_wei: self.tip_per_gas_wei };
        Terms { chain_id: self.chain_id, ..Terms::new(&call, self.nonce, fees, self.gas_limit) }
    }
}

/// What a transaction may cost beside its value.
struct Extra {
    network_fee_max: Wei,
    l1_fee: Wei,
    operator_fee: Wei,
    need: Wei,
}

async fn need_of(nodes: &Nodes, terms: &Terms) -> Result<Extra, TransferError> {
    let out = || TransferError::OutOfRange;
    let (l1_bound, operator_fee) =
        futures::try_join!(nodes.l1_fee_upper_bound(terms.unsigned_bytes().len()), nodes.operator_fee(terms.gas_limit))?;
    let network_fee_max = terms.fees.max_fee_per_gas_wei.checked_mul(terms.gas_limit.into()).ok_or_else(out)?;
    let l1_fee = l1_bound.checked_mul(2).ok_or_else(out)?;
    let need = [network_fee_max, l1_fee, operator_fee].into_iter().try_fold(terms.value, Wei::checked_add).ok_or_else(out)?;
    Ok(Extra { network_fee_max, l1_fee, operator_fee, need })
}

fn enough(need: Wei, balance: Wei) -> Result<(), TransferError> {
    if need > balance { Err(TransferError::NotEnoughEther { need, balance }) } else { Ok(()) }
}

fn least_and_tenth(gas: u64) -> Result<u64, TransferError> {
    gas.checked_add(gas.div_ceil(10)).ok_or(TransferError::OutOfRange)
}

/// The least gas that a transfer with this calldata takes (EIP-7623: 10 per token, a zero byte is one, another four).
fn intrinsic_gas(input: &[u8]) -> u64 {
    input.iter().fold(21_000u64, |gas, byte| gas.saturating_add(if *byte == 0 { 10 } else { 40 }))
}

/// A payee with code, an EIP-7702 delegation for one, may take plain ether and refuse calldata that it does not know.
async fn why_refused(nodes: &Nodes, call: &TransferCall, nonce: u64, fees: Fees, reason: String) -> TransferError {
    let plain = TransferCall { input: Vec::new(), ..call.clone() };
    let taken = async {
        let gas_limit = least_and_tenth(nodes.estimate_gas(&plain).await?)?;
        nodes.simulate(&Terms::new(&plain, nonce, fees, gas_limit).execution()).await?;
        Ok::<_, TransferError>(())
    };
    if !call.input.is_empty() && taken.await.is_ok() {
        return TransferError::TagRefused { reason };
    }
    TransferError::SimulationFailed { reason }
}

fn refused(error: ChainError) -> TransferError {
    match error {
        ChainError::Refused { reason } => TransferError::SimulationFailed { reason },
        other => TransferError::Chain(other),
    }
}

#[cfg(test)]
mod tests;
