//! What is signed, and read back from what was signed.

use super::{Prepared, TransferError};
use crate::{
    EthAddress, TransactionHash,
    chain::{Execution, Fees, TransferCall},
    payment_address,
    signer::SpendingKey,
    tag::{OrderTag, parse_calldata},
};
use aispace_units::{BASE_CHAIN_ID, Wei};
use alloy::{
    consensus::{SignableTransaction, Transaction as _, TxEip1559, TxEnvelope, transaction::SignerRecoverable},
    eips::eip2718::{Decodable2718, Encodable2718},
    primitives::{TxKind, U256},
    rlp::Decodable,
    signers::SignerSync,
};
use serde::{Deserialize, Serialize};

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

/// What unsigned bytes say: all that a signer would put its name to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedTransfer {
    /// The chain it is for.
    pub chain_id: u64,
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

/// All that a transaction of ours says, and who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) chain_id: u64,
    pub(super) from: EthAddress,
    pub(super) to: EthAddress,
    pub(super) value: Wei,
    pub(super) input: Vec<u8>,
    pub(super) nonce: u64,
    pub(super) fees: Fees,
    pub(super) gas_limit: u64,
}

impl Terms {
    pub(super) fn new(call: &TransferCall, nonce: u64, fees: Fees, gas_limit: u64) -> Self {
        let TransferCall { from, to, value, input } = call.clone();
        Self { chain_id: BASE_CHAIN_ID, from, to, value, input, nonce, fees, gas_limit }
    }

    pub(super) fn execution(&self) -> Execution {
        let call = TransferCall { from: self.from, to: self.to, value: self.value, input: self.input.clone() };
        Execution { call, nonce: self.nonce, fees: self.fees, gas_limit: self.gas_limit }
    }

    pub(super) fn unsigned_bytes(&self) -> Vec<u8> {
        self.transaction().encoded_for_signing()
    }

    pub(super) fn transaction(&self) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.fees.max_fee_per_gas_wei.get(),
            max_priority_fee_per_gas: self.fees.tip_per_gas_wei.get(),
            to: TxKind::Call(self.to.to_alloy()),
            value: U256::from(self.value.get()),
            access_list: Default::default(),
            input: self.input.clone().into(),
        }
    }
}

/// Signs a prepared payment, decodes the signed bytes, compares every field and recovers the sender.
///
/// # Errors
/// [`TransferError::WrongKey`], [`TransferError::SignedDiffers`], [`TransferError::NotAPayment`].
pub fn sign(prepared: &Prepared, key: &SpendingKey) -> Result<SignedPayment, TransferError> {
    if parse_calldata(&prepared.calldata) != prepared.tag {
        return Err(TransferError::SignedDiffers { field: "calldata" });
    }
    sign_terms(&prepared.terms(), payment_address(), key)
}

/// Signs for exactly this payee and no other.
pub(super) fn sign_terms(terms: &Terms, payee: EthAddress, key: &SpendingKey) -> Result<SignedPayment, TransferError> {
    if key.address() != terms.from {
        return Err(TransferError::WrongKey { key: key.address(), prepared: terms.from });
    }
    let unsigned = terms.transaction();
    let signature = key
        .signer()
        .sign_hash_sync(&unsigned.signature_hash())
        .map_err(|_| TransferError::NotAPayment { reason: "it could not be signed" })?;
    let raw = TxEnvelope::Eip1559(unsigned.into_signed(signature)).encoded_2718();
    let decoded = decode(&raw)?;
    compare(terms, payee, &decoded)?;
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
    let says = read(signed.tx())?;
    Ok(DecodedTransfer {
        hash: (*signed.hash()).into(),
        chain_id: says.chain_id,
        from: EthAddress::from_alloy(from),
        to: says.to,
        value_wei: says.value_wei,
        calldata: says.calldata,
        nonce: says.nonce,
        gas_limit: says.gas_limit,
        max_fee_per_gas_wei: says.max_fee_per_gas_wei,
        tip_per_gas_wei: says.tip_per_gas_wei,
    })
}

/// Reads the bytes that are to be signed: type 2 and the nine fields of EIP-1559.
///
/// # Errors
/// [`TransferError::NotAPayment`].
pub fn decode_unsigned(bytes: &[u8]) -> Result<UnsignedTransfer, TransferError> {
    let refuse = |reason| TransferError::NotAPayment { reason };
    let Some((2, mut rest)) = bytes.split_first().map(|(kind, rest)| (*kind, rest)) else { return Err(refuse("it is of another type")) };
    let transaction = TxEip1559::decode(&mut rest).map_err(|_| refuse("they cannot be decoded"))?;
    if !rest.is_empty() {
        return Err(refuse("there are bytes behind it"));
    }
    read(&transaction)
}

fn read(transaction: &TxEip1559) -> Result<UnsignedTransfer, TransferError> {
    let refuse = |reason| TransferError::NotAPayment { reason };
    if !transaction.access_list.is_empty() {
        return Err(refuse("it has an access list"));
    }
    Ok(UnsignedTransfer {
        chain_id: transaction.chain_id,
        to: EthAddress::from_alloy(transaction.to().ok_or(refuse("it creates a contract"))?),
        value_wei: u128::try_from(transaction.value).map(Wei::new).map_err(|_| refuse("its value is out of range"))?,
        calldata: transaction.input.to_vec(),
        nonce: transaction.nonce,
        gas_limit: transaction.gas_limit,
        max_fee_per_gas_wei: Wei::new(transaction.max_fee_per_gas),
        tip_per_gas_wei: Wei::new(transaction.max_priority_fee_per_gas),
    })
}

pub(super) fn compare(ours: &Terms, payee: EthAddress, signed: &DecodedTransfer) -> Result<(), TransferError> {
    let fields = [
        ("chain id", signed.chain_id == ours.chain_id && signed.chain_id == BASE_CHAIN_ID),
        ("sender", signed.from == ours.from),
        ("payee", signed.to == ours.to && signed.to == payee),
        ("value", signed.value_wei == ours.value),
        ("calldata", signed.calldata == ours.input),
        ("nonce", signed.nonce == ours.nonce),
        ("gas limit", signed.gas_limit == ours.gas_limit),
        ("highest fee", signed.max_fee_per_gas_wei == ours.fees.max_fee_per_gas_wei),
        ("tip", signed.tip_per_gas_wei == ours.fees.tip_per_gas_wei),
    ];
    match fields.into_iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(TransferError::SignedDiffers { field }),
        None => Ok(()),
    }
}
