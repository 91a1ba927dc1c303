use super::*;
use alloy::{
    primitives::{address, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
};

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a time")
}

fn claim() -> PaymentClaim {
    let hash = TransactionHash::from_bytes([0xab; 32]);
    PaymentClaim::new(hash, "order-1", Wei::new(5_127_574_042_169_169), at(NOW + 600))
}

fn key() -> PrivateKeySigner {
    // The key of the example in EIP-712.
    PrivateKeySigner::from_bytes(&keccak256("cow")).expect("a key")
}

fn payer() -> EthAddress {
    EthAddress::from_alloy(key().address())
}

fn signed(claim: &PaymentClaim) -> Vec<u8> {
    key().sign_hash_sync(&B256::new(claim.signing_hash())).expect("signed").as_bytes().to_vec()
}

/// Nobody listens there: what needs a node fails as unreachable.
fn no_nodes() -> Nodes {
    Nodes::new(&["http://127.0.0.1:1".to_string()]).expect("a url")
}

async fn verified(claim: &PaymentClaim, signature: Vec<u8>) -> Result<ClaimProof, ClaimError> {
    let signature = ClaimSignature::from_bytes(signature)?;
    claim.verify(&signature, payer(), &no_nodes(), at(NOW)).await
}

/// The order of the curve, less a signature's s: the other s that recovers to the same key with the other parity.
fn other_form(signature: &[u8]) -> Vec<u8> {
    let order: U256 = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse().expect("the order");
    let s = order - U256::from_be_slice(&signature[32..64]);
    let mut other = signature.to_vec();
    other[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    other[64] = 55 - other[64];
    other
}

#[test]
fn the_example_of_eip_712_recovers() {
    let digest: B256 = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2".parse().expect("a digest");
    let published: ClaimSignature = concat!(
        "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d",
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
    )
    .parse()
    .expect("a signature");
    let signature = published.of_a_key().expect("low s").expect("of a key");
    let signer = signature.recover_address_from_prehash(&digest).expect("a signer");
    assert_eq!(signer, address!("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"));
    assert_eq!(key().address(), signer);
}

#[test]
fn the_examples_of_eip_2098_recover() {
    let signer = "0x1234567890123456789012345678901234567890123456789012345678901234".parse::<PrivateKeySigner>().expect("a key");
    for (message, compact) in [
        (
            "Hello World",
            "0x68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b907e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064",
        ),
        (
            "It's a small(er) world",
            "0x9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793",
        ),
    ] {
        let signature = compact.parse::<ClaimSignature>().expect("a signature").of_a_key().expect("low s").expect("of a key");
        assert_eq!(signature.recover_address_from_msg(message).expect("a signer"), signer.address(), "{message}");
    }
}

/// The encoding as EIP-712 describes it, written out by hand.
#[test]
fn the_hash_is_that_of_the_standard() {
    let claim = claim();
    let text = |text: &str| keccak256(text).to_vec();
    let word = |number: u128| U256::from(number).to_be_bytes::<32>().to_vec();
    let hash = |parts: &[Vec<u8>]| keccak256(parts.concat()).to_vec();
    let domain = hash(&[text("EIP712Domain(string name,string version,uint256 chainId)"), text("AiSpace"), text("1"), word(8453)]);
    let mut recipient = vec![0; 12];
    recipient.extend(payment_address().to_bytes());
    let message = hash(&[
        text("PaymentClaim(bytes32 txHash,string orderId,address recipient,uint256 value,uint256 deadline)"),
        vec![0xab; 32],
        text("order-1"),
        recipient,
        word(5_127_574_042_169_169),
        word(1_800_000_600),
    ]);
    assert_eq!(claim.signing_hash().to_vec(), hash(&[vec![0x19, 0x01], domain, message]));
}

/// Hash and signature as ethers 6.17 makes them of the same typed data and key.
#[tokio::test]
async fn another_library_signs_the_same() {
    let claim = claim();
    assert_eq!(hex::encode(claim.signing_hash()), "b53373c54212bfd2bbd8fb93ea10b8ab7d70dd5236cd8403b1c266c296a77449");
    let theirs = concat!(
        "0xda07d2ddb815d42638fd919388b48e08accc24e475d2c79ad6499ce9aaf176e0",
        "55d317ab14554c42435ac1b5a5717aa5abb2a756885dabdc42db41cd2b674c6f1c"
    );
    let signature: ClaimSignature = theirs.parse().expect("a signature");
    assert_eq!(claim.verify(&signature, payer(), &no_nodes(), at(NOW)).await.map(|proof| proof.signed_by), Ok(ClaimSigner::Key));
}

#[test]
fn a_wallet_is_given_the_types_that_are_hashed() {
    let json: serde_json::Value = serde_json::from_str(&claim().typed_data_json()).expect("JSON");
    let primary = json["primaryType"].as_str().expect("a type");
    let fields = json["types"][primary].as_array().expect("fields");
    let field =
        |field: &serde_json::Value| format!("{} {}", field["type"].as_str().expect("a type"), field["name"].as_str().expect("a name"));
    let encoded = format!("{primary}({})", fields.iter().map(field).collect::<Vec<_>>().join(","));
    assert_eq!(encoded, typed::PaymentClaim::eip712_root_type());
    assert_eq!(json["domain"], json!({"name": "AiSpace", "version": "1", "chainId": 8453}));
    let domain: Vec<_> = json["types"]["EIP712Domain"].as_array().expect("fields").iter().map(field).collect();
    assert_eq!(format!("EIP712Domain({})", domain.join(",")), domain_type());
    let expected = json!({
        "txHash": format!("0x{}", "ab".repeat(32)),
        "orderId": "order-1",
        "recipient": crate::PAYMENT_ADDRESS_CHECKSUMMED,
        "value": "5127574042169169",
        "deadline": "1800000600",
    });
    assert_eq!(json["message"], expected);
}

fn domain_type() -> String {
    super::domain().encode_type()
}

#[tokio::test]
async fn the_payer_s_key_needs_no_node() {
    let claim = claim();
    let proof = ClaimProof { payer: payer(), signed_by: ClaimSigner::Key };
    let mut signature = signed(&claim);
    assert!(matches!(signature[64], 27 | 28));
    assert_eq!(verified(&claim, signature.clone()).await, Ok(proof));
    signature[64] -= 27;
    assert_eq!(verified(&claim, signature.clone()).await, Ok(proof), "v of 0 or 1");
    let compact = Signature::from_raw(&signature).expect("a signature").as_erc2098().to_vec();
    assert_eq!(verified(&claim, compact).await, Ok(proof), "EIP-2098");
}

#[tokio::test]
async fn what_was_signed_cannot_be_changed() {
    let claim = claim();
    let signature = signed(&claim);
    let others = [
        PaymentClaim { order_id: "order-2".into(), ..claim.clone() },
        PaymentClaim { tx_hash: TransactionHash::from_bytes([1; 32]), ..claim.clone() },
        PaymentClaim { value: Wei::new(1), ..claim.clone() },
        PaymentClaim { deadline: at(NOW + 601), ..claim.clone() },
    ];
    for other in others {
        // Not the payer's key: whether the payer is a contract is for nodes to say, and here is none.
        assert!(matches!(verified(&other, signature.clone()).await, Err(ClaimError::Chain(ChainError::Unreachable { .. }))), "{other:?}");
    }
    let elsewhere = PaymentClaim { recipient: payer(), ..claim };
    assert_eq!(verified(&elsewhere, signed(&elsewhere)).await, Err(ClaimError::AnotherRecipient { recipient: payer() }));
}

#[tokio::test]
async fn a_claim_is_presented_in_time() {
    let signature = ClaimSignature::from_bytes(signed(&claim())).expect("a signature");
    let verified = async |seconds| claim().verify(&signature, payer(), &no_nodes(), at(seconds)).await;
    assert!(verified(NOW + 600).await.is_ok());
    assert_eq!(verified(NOW + 601).await, Err(ClaimError::Expired { deadline: at(NOW + 600) }));
}

#[test]
fn the_other_form_of_a_signature_is_refused() {
    let signature = ClaimSignature::from_bytes(other_form(&signed(&claim()))).expect("a signature");
    assert_eq!(signature.of_a_key(), Err(ClaimError::HighS));
}

#[tokio::test]
async fn a_wallet_that_is_not_deployed_is_refused_plainly() {
    let mut signature = vec![7; 96];
    signature.extend([0x64, 0x92].repeat(16));
    assert_eq!(verified(&claim(), signature).await, Err(ClaimError::UndeployedWallet));
}

#[test]
fn what_is_no_signature_is_refused() {
    let long = format!("0x{}", "00".repeat(SIGNATURE_BYTES_MAX + 1));
    for wrong in ["", "0x", "0x1", "zz", "0xzz", "1234", long.as_str()] {
        assert_eq!(wrong.parse::<ClaimSignature>(), Err(ClaimError::NotASignature));
    }
    let text = format!("0x{}", "0a".repeat(65));
    assert_eq!(text.parse::<ClaimSignature>().expect("a signature").to_string(), text);
}

#[test]
fn v_is_one_of_four() {
    for v in 0..=255u8 {
        let mut bytes = vec![1; 64];
        bytes.push(v);
        let of_a_key = ClaimSignature::from_bytes(bytes).expect("a signature").of_a_key().expect("low s");
        assert_eq!(of_a_key.is_some(), matches!(v, 0 | 1 | 27 | 28), "{v}");
    }
}

#[test]
fn a_claim_is_for_one_payment() {
    let claim = claim();
    let payment = SeenPayment {
        hash: claim.tx_hash,
        position: 0,
        payer: payer(),
        tx_from: payer(),
        value: claim.value,
        input: Vec::new(),
        block_time: at(NOW),
    };
    assert_eq!(claim.check_payment(&payment), Ok(()));
    let other_value = SeenPayment { value: Wei::new(1), ..payment.clone() };
    let other_hash = SeenPayment { hash: TransactionHash::from_bytes([2; 32]), ..payment.clone() };
    for other in [other_value, other_hash] {
        assert_eq!(claim.check_payment(&other), Err(ClaimError::AnotherPayment));
    }
    let elsewhere = PaymentClaim { recipient: payer(), ..claim };
    assert_eq!(elsewhere.check_payment(&payment), Err(ClaimError::AnotherRecipient { recipient: payer() }));
}
