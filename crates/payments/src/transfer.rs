//! A payment: checked against the chain, shown, signed, read back.

use crate::{
    EthAddress, TransactionHash,
    chain::{ChainError, Fees, Nodes, TransferCall},
    payment_address,
    signer::SpendingKey,
    tag::{OrderTag, calldata, parse_calldata},
};
use aispace_units::{BASE_CHAIN_ID, Wei};
use alloy::{
    consensus::{SignableTransaction, Transaction as _, TxEip1559, TxEnvelope, transaction::SignerRecoverable},
    eips::eip2718::{Decodable2718, Encodable2718},
    primitives::{TxKind, U256},
    signers::SignerSync,
};
use serde::{Deserialize, Serialize};

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
    /// The tag it is paid under.
    pub tag: OrderTag,
    /// Magic and tag.
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

/// A signed payment, as it is journaled before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPayment {
    /// Its hash.
    pub hash: TransactionHash,
    /// The signed bytes, to be sent as they are, as often as needed.
    #[serde(with = "hex::serde")]
    pub raw: Vec<u8>,
    /// The payer.
    pub from: EthAddress,
    /// Its nonce.
    pub nonce: u64,
}

/// What signed bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedTransfer {
    /// Its hash.
    pub hash: TransactionHash,
    /// The chain it is for.
    pub chain_id: u64,
    /// Who signed it.
    pub from: EthAddress,
    /// The payee.
    pub to: EthAddress,
    /// What is moved.
    pub value_wei: Wei,
    /// The calldata.
    pub calldata: Vec<u8>,
    /// Its nonce.
    pub nonce: u64,
    /// Its gas limit.
    pub gas_limit: u64,
    /// Wei per gas, at most.
    pub max_fee_per_gas_wei: Wei,
    /// Wei per gas for the block's builder.
    pub tip_per_gas_wei: Wei,
}

impl DecodedTransfer {
    /// The order tag in its calldata, if it carries one.
    #[must_use]
    pub fn tag(&self) -> Option<OrderTag> {
        parse_calldata(&self.calldata)
    }
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

/// Reads all that a payment depends on and checks that the chain would carry it out.
///
/// # Errors
/// [`TransferError`]; [`TransferError::NotEnoughEther`] names what is needed.
pub async fn prepare(nodes: &Nodes, from: EthAddress, value: Wei, tag: OrderTag) -> Result<Prepared, TransferError> {
    let agreement = nodes.check_chain().await?;
    let call = TransferCall { from, to: payment_address(), value, input: calldata(tag) };
    let (nonce, balance_wei, fees) = futures::try_join!(nodes.pending_nonce(from), nodes.balance(from), nodes.fees())?;
    let cap = Wei::new(MAX_FEE_PER_GAS_CAP_WEI);
    if fees.max_fee_per_gas_wei > cap {
        return Err(TransferError::FeeTooHigh { max_fee: fees.max_fee_per_gas_wei, cap });
    }
    // A node refuses to run what the balance does not cover, so the need is told from the least gas there can be.
    let least = costs(nodes, &call, nonce, fees, intrinsic_gas(&call.input)).await?;
    if least.need > balance_wei {
        return Err(TransferError::NotEnoughEther { need: least.need, balance: balance_wei });
    }
    nodes.simulate(&call).await.map_err(refused)?;
    let gas = nodes.estimate_gas(&call).await.map_err(refused)?;
    let costs = costs(nodes, &call, nonce, fees, gas).await?;
    if costs.need > balance_wei {
        return Err(TransferError::NotEnoughEther { need: costs.need, balance: balance_wei });
    }
    Ok(Prepared {
        chain_id: BASE_CHAIN_ID,
        from,
        to: call.to,
        value_wei: value,
        tag,
        calldata: call.input,
        nonce,
        gas_limit: costs.gas_limit,
        max_fee_per_gas_wei: fees.max_fee_per_gas_wei,
        tip_per_gas_wei: fees.tip_per_gas_wei,
        network_fee_max_wei: costs.network_fee_max,
        l1_fee_wei: costs.l1_fee,
        operator_fee_wei: costs.operator_fee,
        need_wei: costs.need,
        balance_wei,
        nodes_agree: agreement.agree,
        nodes_asked: agreement.asked,
    })
}

/// Signs a prepared payment, decodes the signed bytes, compares every field and recovers the sender.
///
/// # Errors
/// [`TransferError::WrongKey`], [`TransferError::SignedDiffers`], [`TransferError::NotAPayment`].
pub fn sign(prepared: &Prepared, key: &SpendingKey) -> Result<SignedPayment, TransferError> {
    if key.address() != prepared.from {
        return Err(TransferError::WrongKey { key: key.address(), prepared: prepared.from });
    }
    let unsigned = transaction(prepared);
    let signature = key
        .signer()
        .sign_hash_sync(&unsigned.signature_hash())
        .map_err(|_| TransferError::NotAPayment { reason: "it could not be signed" })?;
    let raw = TxEnvelope::Eip1559(unsigned.into_signed(signature)).encoded_2718();
    let decoded = decode(&raw)?;
    compare(prepared, &decoded)?;
    Ok(SignedPayment { hash: decoded.hash, raw, from: decoded.from, nonce: decoded.nonce })
}

/// Reads signed bytes back, and who signed them.
///
/// # Errors
/// [`TransferError::NotAPayment`].
pub fn decode(raw: &[u8]) -> Result<DecodedTransfer, TransferError> {
    let refuse = |reason| TransferError::NotAPayment { reason };
    let mut rest = raw;
    let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|_| refuse("they cannot be decoded"))?;
    if !rest.is_empty() {
        return Err(refuse("there are bytes behind it"));
    }
    let from = envelope.recover_signer().map_err(|_| refuse("the signature is of nobody"))?;
    let TxEnvelope::Eip1559(signed) = &envelope else { return Err(refuse("it is of another type")) };
    let transaction = signed.tx();
    if !transaction.access_list.is_empty() {
        return Err(refuse("it has an access list"));
    }
    Ok(DecodedTransfer {
        hash: (*signed.hash()).into(),
        chain_id: transaction.chain_id,
        from: EthAddress::from_alloy(from),
        to: EthAddress::from_alloy(transaction.to().ok_or(refuse("it creates a contract"))?),
        value_wei: u128::try_from(transaction.value).map(Wei::new).map_err(|_| refuse("its value is out of range"))?,
        calldata: transaction.input.to_vec(),
        nonce: transaction.nonce,
        gas_limit: transaction.gas_limit,
        max_fee_per_gas_wei: Wei::new(transaction.max_fee_per_gas),
        tip_per_gas_wei: Wei::new(transaction.max_priority_fee_per_gas),
    })
}

fn compare(prepared: &Prepared, signed: &DecodedTransfer) -> Result<(), TransferError> {
    let fields = [
        ("chain id", signed.chain_id == prepared.chain_id && signed.chain_id == BASE_CHAIN_ID),
        ("sender", signed.from == prepared.from),
        ("payee", signed.to == prepared.to && signed.to == payment_address()),
        ("value", signed.value_wei == prepared.value_wei),
        ("calldata", signed.calldata == prepared.calldata && signed.tag() == Some(prepared.tag)),
        ("nonce", signed.nonce == prepared.nonce),
        ("gas limit", signed.gas_limit == prepared.gas_limit),
        ("highest fee", signed.max_fee_per_gas_wei == prepared.max_fee_per_gas_wei),
        ("tip", signed.tip_per_gas_wei == prepared.tip_per_gas_wei),
    ];
    match fields.into_iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(TransferError::SignedDiffers { field }),
        None => Ok(()),
    }
}

struct Costs {
    gas_limit: u64,
    network_fee_max: Wei,
    l1_fee: Wei,
    operator_fee: Wei,
    need: Wei,
}

async fn costs(nodes: &Nodes, call: &TransferCall, nonce: u64, fees: Fees, gas: u64) -> Result<Costs, TransferError> {
    let out = || TransferError::OutOfRange;
    let gas_limit = gas.checked_add(gas.div_ceil(10)).ok_or_else(out)?;
    let unsigned_bytes = unsigned(call, nonce, fees, gas_limit).payload_len_for_signature();
    let (l1_bound, operator_fee) = futures::try_join!(nodes.l1_fee_upper_bound(unsigned_bytes), nodes.operator_fee(gas_limit))?;
    let network_fee_max = fees.max_fee_per_gas_wei.checked_mul(gas_limit.into()).ok_or_else(out)?;
    let l1_fee = l1_bound.checked_mul(2).ok_or_else(out)?;
    let need = [network_fee_max, l1_fee, operator_fee].into_iter().try_fold(call.value, Wei::checked_add).ok_or_else(out)?;
    Ok(Costs { gas_limit, network_fee_max, l1_fee, operator_fee, need })
}

/// The least gas that a transfer with this calldata takes (EIP-7623: 10 per token, a zero byte is one, another four).
fn intrinsic_gas(input: &[u8]) -> u64 {
    input.iter().fold(21_000u64, |gas, byte| gas.saturating_add(if *byte == 0 { 10 } else { 40 }))
}

fn transaction(prepared: &Prepared) -> TxEip1559 {
    let call = TransferCall { from: prepared.from, to: prepared.to, value: prepared.value_wei, input: prepared.calldata.clone() };
    let fees = Fees { max_fee_per_gas_wei: prepared.max_fee_per_gas_wei, tip_per_gas_wei: prepared.tip_per_gas_wei };
    TxEip1559 { chain_id: prepared.chain_id, ..unsigned(&call, prepared.nonce, fees, prepared.gas_limit) }
}

fn unsigned(call: &TransferCall, nonce: u64, fees: Fees, gas_limit: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: BASE_CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: fees.max_fee_per_gas_wei.get(),
        max_priority_fee_per_gas: fees.tip_per_gas_wei.get(),
        to: TxKind::Call(call.to.to_alloy()),
        value: U256::from(call.value.get()),
        access_list: Default::default(),
        input: call.input.clone().into(),
    }
}

fn refused(error: ChainError) -> TransferError {
    match error {
        ChainError::Refused { reason } => TransferError::SimulationFailed { reason },
        other => TransferError::Chain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{consensus::TxLegacy, primitives::Address};
    use proptest::prelude::*;

    fn key() -> SpendingKey {
        SpendingKey::from_hex(&"11".repeat(32)).expect("a key")
    }

    fn prepared() -> Prepared {
        let tag = OrderTag::from_bytes([0xab; 32]);
        Prepared {
            chain_id: BASE_CHAIN_ID,
            from: key().address(),
            to: payment_address(),
            value_wei: Wei::new(5_127_574_042_169_169),
            tag,
            calldata: calldata(tag),
            nonce: 7,
            gas_limit: 24_684,
            max_fee_per_gas_wei: Wei::new(10_000_001),
            tip_per_gas_wei: Wei::new(1),
            network_fee_max_wei: Wei::ZERO,
            l1_fee_wei: Wei::ZERO,
            operator_fee_wei: Wei::ZERO,
            need_wei: Wei::ZERO,
            balance_wei: Wei::ZERO,
            nodes_agree: 1,
            nodes_asked: 1,
        }
    }

    fn signed_raw(transaction: TxEip1559) -> Vec<u8> {
        let signature = key().signer().sign_hash_sync(&transaction.signature_hash()).unwrap();
        TxEnvelope::Eip1559(transaction.into_signed(signature)).encoded_2718()
    }

    #[test]
    fn what_is_signed_is_what_was_prepared() {
        let prepared = prepared();
        let signed = sign(&prepared, &key()).unwrap();
        let decoded = decode(&signed.raw).unwrap();
        assert_eq!((decoded.hash, decoded.from, decoded.nonce), (signed.hash, signed.from, signed.nonce));
        assert_eq!((decoded.to, decoded.value_wei, decoded.chain_id), (payment_address(), prepared.value_wei, 8453));
        assert_eq!(decoded.tag(), Some(prepared.tag));
        assert_eq!(alloy::primitives::keccak256(&signed.raw).0, signed.hash.to_bytes());
        assert_eq!(sign(&prepared, &key()), Ok(signed), "signing again gives the same bytes");
    }

    #[test]
    fn every_field_that_differs_is_named() {
        let ours = prepared();
        let read = decode(&sign(&ours, &key()).unwrap().raw).unwrap();
        assert_eq!(compare(&ours, &read), Ok(()));
        let other = EthAddress::from_bytes([1; 20]);
        let cases = [
            ("chain id", DecodedTransfer { chain_id: 1, ..read.clone() }),
            ("sender", DecodedTransfer { from: other, ..read.clone() }),
            ("payee", DecodedTransfer { to: other, ..read.clone() }),
            ("value", DecodedTransfer { value_wei: Wei::new(1), ..read.clone() }),
            ("calldata", DecodedTransfer { calldata: vec![], ..read.clone() }),
            ("nonce", DecodedTransfer { nonce: 8, ..read.clone() }),
            ("gas limit", DecodedTransfer { gas_limit: 21_000, ..read.clone() }),
            ("highest fee", DecodedTransfer { max_fee_per_gas_wei: Wei::new(1), ..read.clone() }),
            ("tip", DecodedTransfer { tip_per_gas_wei: Wei::new(2), ..read }),
        ];
        for (field, signed) in cases {
            assert_eq!(compare(&ours, &signed), Err(TransferError::SignedDiffers { field }));
        }
    }

    #[test]
    fn a_tampered_preparation_is_not_signed() {
        let elsewhere = Prepared { to: EthAddress::from_bytes([1; 20]), ..prepared() };
        assert_eq!(sign(&elsewhere, &key()), Err(TransferError::SignedDiffers { field: "payee" }));
        let other_chain = Prepared { chain_id: 1, ..prepared() };
        assert_eq!(sign(&other_chain, &key()), Err(TransferError::SignedDiffers { field: "chain id" }));
        let untagged = Prepared { calldata: vec![], ..prepared() };
        assert_eq!(sign(&untagged, &key()), Err(TransferError::SignedDiffers { field: "calldata" }));
    }

    #[test]
    fn the_key_of_another_account_is_refused() {
        let other = SpendingKey::from_hex(&"22".repeat(32)).expect("a key");
        assert!(matches!(sign(&prepared(), &other), Err(TransferError::WrongKey { .. })));
    }

    #[test]
    fn what_is_no_signed_transfer_is_refused() {
        let raw = sign(&prepared(), &key()).unwrap().raw;
        let trailing = [raw.as_slice(), &[0]].concat();
        let creation = TxEip1559 { to: TxKind::Create, ..transaction(&prepared()) };
        let huge = TxEip1559 { value: U256::MAX, ..transaction(&prepared()) };
        let legacy = TxLegacy { chain_id: Some(BASE_CHAIN_ID), to: TxKind::Call(Address::ZERO), ..TxLegacy::default() };
        let signature = key().signer().sign_hash_sync(&legacy.signature_hash()).unwrap();
        let legacy = TxEnvelope::Legacy(legacy.into_signed(signature)).encoded_2718();
        for wrong in [vec![], raw[..raw.len() - 1].to_vec(), trailing, signed_raw(creation), signed_raw(huge), legacy, b"0x02".to_vec()] {
            assert!(matches!(decode(&wrong), Err(TransferError::NotAPayment { .. })), "{}", hex::encode(wrong));
        }
    }

    #[test]
    fn the_journal_reads_back_what_was_signed() {
        let signed = sign(&prepared(), &key()).unwrap();
        let journaled = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<SignedPayment>(&journaled).unwrap(), signed);
    }

    #[test]
    fn calldata_costs_what_the_chain_takes() {
        // Measured on a node: a 32-byte tag without zeros.
        assert_eq!(intrinsic_gas(&[0xab; 32]), 22_280);
        assert_eq!(intrinsic_gas(&[]), 21_000);
    }

    proptest! {
        #[test]
        fn any_payment_is_signed_as_prepared_and_none_can_be_altered(
            value: u128, nonce in 0..u64::MAX, gas_limit: u64, max_fee: u128, tip: u128, tag: [u8; 32], at: prop::sample::Index, bit in 0u8..8,
        ) {
            let tag = OrderTag::from_bytes(tag);
            let ours = Prepared {
                value_wei: Wei::new(value), tag, calldata: calldata(tag), nonce, gas_limit,
                max_fee_per_gas_wei: Wei::new(max_fee), tip_per_gas_wei: Wei::new(tip), ..prepared()
            };
            let signed = sign(&ours, &key()).unwrap();
            prop_assert_eq!(compare(&ours, &decode(&signed.raw).unwrap()), Ok(()));
            let mut altered = signed.raw;
            let at = at.index(altered.len());
            altered[at] ^= 1 << bit;
            if let Ok(decoded) = decode(&altered) {
                prop_assert!(compare(&ours, &decoded).is_err(), "byte {} was altered unnoticed", at);
            }
        }
    }
}
