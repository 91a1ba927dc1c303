use super::{sign::compare, *};
use crate::{
    signer::SpendingKey,
    tag::{OrderTag, calldata},
};
use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy},
    eips::eip2718::Encodable2718,
    primitives::{Address, TxKind, U256},
    signers::SignerSync,
};
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
        tag: Some(tag),
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
    assert_eq!(decoded.tag(), prepared.tag);
    assert_eq!(alloy::primitives::keccak256(&signed.raw).0, signed.hash.to_bytes());
    assert_eq!(sign(&prepared, &key()), Ok(signed), "signing again gives the same bytes");
}

#[test]
fn every_field_that_differs_is_named() {
    let ours = prepared();
    let read = decode(&sign(&ours, &key()).unwrap().raw).unwrap();
    assert_eq!(compare(&ours.terms(), payment_address(), &read), Ok(()));
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
        assert_eq!(compare(&ours.terms(), payment_address(), &signed), Err(TransferError::SignedDiffers { field }));
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
    let creation = TxEip1559 { to: TxKind::Create, ..prepared().terms().transaction() };
    let huge = TxEip1559 { value: U256::MAX, ..prepared().terms().transaction() };
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
            value_wei: Wei::new(value), tag: Some(tag), calldata: calldata(tag), nonce, gas_limit,
            max_fee_per_gas_wei: Wei::new(max_fee), tip_per_gas_wei: Wei::new(tip), ..prepared()
        };
        let signed = sign(&ours, &key()).unwrap();
        prop_assert_eq!(compare(&ours.terms(), payment_address(), &decode(&signed.raw).unwrap()), Ok(()));
        let mut altered = signed.raw;
        let at = at.index(altered.len());
        altered[at] ^= 1 << bit;
        if let Ok(decoded) = decode(&altered) {
            prop_assert!(compare(&ours.terms(), payment_address(), &decoded).is_err(), "byte {} was altered unnoticed", at);
        }
    }
}
