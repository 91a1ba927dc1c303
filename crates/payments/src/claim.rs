//! Claiming a payment by its hash: for payments without a tag, signed by whoever paid.
//!
//! The hash alone proves nothing, for everyone can read it, and a sender typed by a person proves as little. So the payer signs
//! (EIP-712) which payment is for which order: the account that sent the transaction, or the contract that sent the ether,
//! which says by ERC-1271 whether the signature is its own. A copied claim serves the order that it names and no other.

use crate::{
    EthAddress, TransactionHash,
    chain::{ChainError, Nodes, SignatureVerdict},
    payment_address,
    signer::SpendingKey,
    watch::SeenPayment,
};
use aispace_units::{BASE_CHAIN_ID, Wei};
use alloy::{
    primitives::{B256, Signature, U256},
    signers::SignerSync,
    sol_types::{Eip712Domain, SolStruct, eip712_domain},
};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::{fmt, str::FromStr};

mod typed {
    alloy::sol! {
        struct PaymentClaim {
            bytes32 txHash;
            string orderId;
            address recipient;
            uint256 value;
            uint256 deadline;
        }
    }
}

const DOMAIN_NAME: &str = "AiSpace";
const DOMAIN_VERSION: &str = "1";
/// Longer signatures than any smart wallet makes are not passed on to nodes.
const SIGNATURE_BYTES_MAX: usize = 8_192;
/// What a signature of a wallet that is not deployed yet ends with: 0x6492 sixteen times (ERC-6492).
const UNDEPLOYED_ENDS_WITH: [u8; 2] = [0x64, 0x92];
const UNDEPLOYED_BYTES: usize = 32;

/// "This payment is for this order": what the payer signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentClaim {
    /// The transaction that paid.
    pub tx_hash: TransactionHash,
    /// The order that it is for.
    pub order_id: String,
    /// Who was paid: the payment address.
    pub recipient: EthAddress,
    /// What was paid.
    pub value: Wei,
    /// Until when the claim may be presented. Whole seconds count.
    pub deadline: DateTime<Utc>,
}

/// A claim that its payer signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimProof {
    /// Who signed: the payer.
    pub payer: EthAddress,
    /// How that is known.
    pub signed_by: ClaimSigner,
}

/// What kind of account vouched for a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimSigner {
    /// The payer's own key (secp256k1).
    Key,
    /// The payer is a contract and said so itself (ERC-1271), by quorum of the nodes.
    Contract,
}

/// Why a claim was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Not 0x and an even number of hex digits, or longer than any wallet's signature.
    #[error("a signature is 0x and hex digits, at most {SIGNATURE_BYTES_MAX} bytes")]
    NotASignature,
    /// The claim names another recipient than the payment address.
    #[error("the claim is for a payment to {recipient}")]
    AnotherRecipient {
        /// Who it names.
        recipient: EthAddress,
    },
    /// The claim names another transaction or another value than the payment's.
    #[error("the claim is not for this payment")]
    AnotherPayment,
    /// The claim was presented after its deadline.
    #[error("the claim could be presented until {deadline}")]
    Expired {
        /// Its deadline.
        deadline: DateTime<Utc>,
    },
    /// Somebody else's signature, or one of something else.
    #[error("the claim is not signed by the payer {payer}")]
    NotThePayer {
        /// Who paid.
        payer: EthAddress,
    },
    /// The signature's other form (EIP-2): no wallet makes it.
    #[error("the signature's second half is beyond half the order of the curve")]
    HighS,
    /// The payer is a smart wallet that is not deployed (ERC-6492). One that paid is deployed and can sign as such.
    #[error("the signature is of a wallet that is not deployed yet, which is not supported")]
    UndeployedWallet,
    /// The payer is a contract and the nodes could not be asked what it says.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A signature as a wallet gave it: that of a key, or whatever a smart wallet understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimSignature(Vec<u8>);

impl ClaimSignature {
    /// Takes a signature's bytes.
    ///
    /// # Errors
    /// [`ClaimError::NotASignature`] when it is empty or longer than 8,192 bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ClaimError> {
        if bytes.is_empty() || bytes.len() > SIGNATURE_BYTES_MAX { Err(ClaimError::NotASignature) } else { Ok(Self(bytes)) }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn is_of_an_undeployed_wallet(&self) -> bool {
        let Some(suffix) = self.0.len().checked_sub(UNDEPLOYED_BYTES).and_then(|at| self.0.get(at..)) else { return false };
        suffix.chunks(UNDEPLOYED_ENDS_WITH.len()).all(|pair| pair == UNDEPLOYED_ENDS_WITH)
    }

    /// The key's signature, if it has the form of one: 65 bytes with v of 27, 28, 0 or 1, or 64 bytes (EIP-2098).
    fn of_a_key(&self) -> Result<Option<Signature>, ClaimError> {
        let signature = match self.0.as_slice() {
            compact if compact.len() == 64 => Signature::from_erc2098(compact),
            full if full.len() == 65 => {
                let parity = match full.last() {
                    Some(0 | 27) => false,
                    Some(1 | 28) => true,
                    _ => return Ok(None),
                };
                let half = |from: usize, to: usize| full.get(from..to).and_then(U256::try_from_be_slice).unwrap_or_default();
                Signature::new(half(0, 32), half(32, 64), parity)
            }
            _ => return Ok(None),
        };
        if signature.normalize_s().is_some() { Err(ClaimError::HighS) } else { Ok(Some(signature)) }
    }
}

impl FromStr for ClaimSignature {
    type Err = ClaimError;

    fn from_str(text: &str) -> Result<Self, ClaimError> {
        let digits = text.strip_prefix("0x").ok_or(ClaimError::NotASignature)?;
        if digits.len() > SIGNATURE_BYTES_MAX.saturating_mul(2) {
            return Err(ClaimError::NotASignature);
        }
        Self::from_bytes(hex::decode(digits).map_err(|_| ClaimError::NotASignature)?)
    }
}

impl fmt::Display for ClaimSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl PaymentClaim {
    /// A claim of a payment to the payment address.
    #[must_use]
    pub fn new(tx_hash: TransactionHash, order_id: &str, value: Wei, deadline: DateTime<Utc>) -> Self {
        Self { tx_hash, order_id: order_id.to_string(), recipient: payment_address(), value, deadline }
    }

    /// The claim signed by the payer's own key.
    ///
    /// # Errors
    /// [`ClaimError::NotASignature`] when the key cannot sign.
    pub fn sign(&self, key: &SpendingKey) -> Result<ClaimSignature, ClaimError> {
        let signature = key.signer().sign_hash_sync(&B256::from(self.signing_hash())).map_err(|_| ClaimError::NotASignature)?;
        ClaimSignature::from_bytes(signature.as_bytes().to_vec())
    }

    /// What a wallet is given to sign by `eth_signTypedData_v4`: JSON with types, domain and message (EIP-712).
    #[must_use]
    pub fn typed_data_json(&self) -> String {
        let field = |name: &str, kind: &str| json!({"name": name, "type": kind});
        json!({
            "types": {
                "EIP712Domain": [field("name", "string"), field("version", "string"), field("chainId", "uint256")],
                "PaymentClaim": [
                    field("txHash", "bytes32"),
                    field("orderId", "string"),
                    field("recipient", "address"),
                    field("value", "uint256"),
                    field("deadline", "uint256"),
                ],
            },
            "primaryType": "PaymentClaim",
            "domain": {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "chainId": BASE_CHAIN_ID},
            "message": {
                "txHash": self.tx_hash,
                "orderId": self.order_id,
                "recipient": self.recipient,
                "value": self.value.get().to_string(),
                "deadline": self.deadline_seconds().to_string(),
            },
        })
        .to_string()
    }

    /// The 32 bytes that are signed: Keccak-256 of 0x1901, the domain and the message (EIP-712).
    #[must_use]
    pub fn signing_hash(&self) -> [u8; 32] {
        let typed = typed::PaymentClaim {
            txHash: self.tx_hash.into(),
            orderId: self.order_id.clone(),
            recipient: self.recipient.to_alloy(),
            value: U256::from(self.value.get()),
            deadline: U256::from(self.deadline_seconds()),
        };
        typed.eip712_signing_hash(&domain()).0
    }

    /// Whether the claim is for this payment: its transaction, its value, the payment address.
    ///
    /// # Errors
    /// [`ClaimError::AnotherRecipient`], [`ClaimError::AnotherPayment`].
    pub fn check_payment(&self, payment: &SeenPayment) -> Result<(), ClaimError> {
        if self.recipient != payment_address() {
            return Err(ClaimError::AnotherRecipient { recipient: self.recipient });
        }
        if self.tx_hash == payment.hash && self.value == payment.value { Ok(()) } else { Err(ClaimError::AnotherPayment) }
    }

    /// Whether the payer signed the claim and it is in time. `payer` is the payment's, as the chain tells it; `now` is the
    /// clock of whoever decides.
    ///
    /// A key's signature needs no node. Where it is not the payer's, and the payer is a contract, the contract is asked.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn verify(
        &self,
        signature: &ClaimSignature,
        payer: EthAddress,
        nodes: &Nodes,
        now: DateTime<Utc>,
    ) -> Result<ClaimProof, ClaimError> {
        if self.recipient != payment_address() {
            return Err(ClaimError::AnotherRecipient { recipient: self.recipient });
        }
        if now.timestamp() > self.deadline.timestamp() {
            return Err(ClaimError::Expired { deadline: self.deadline });
        }
        if signature.is_of_an_undeployed_wallet() {
            return Err(ClaimError::UndeployedWallet);
        }
        let hash = B256::new(self.signing_hash());
        // A smart wallet's own signature may be as long as a key's, so what a key may not do is no refusal yet.
        let by_key = signature.of_a_key();
        if let Ok(Some(by_key)) = &by_key
            && by_key.recover_address_from_prehash(&hash).is_ok_and(|signer| signer == payer.to_alloy())
        {
            return Ok(ClaimProof { payer, signed_by: ClaimSigner::Key });
        }
        match nodes.contract_signature(payer, hash, signature.as_bytes()).await? {
            SignatureVerdict::Vouched => Ok(ClaimProof { payer, signed_by: ClaimSigner::Contract }),
            SignatureVerdict::Denied => Err(ClaimError::NotThePayer { payer }),
            SignatureVerdict::NoContract => Err(by_key.err().unwrap_or(ClaimError::NotThePayer { payer })),
        }
    }

    fn deadline_seconds(&self) -> u64 {
        u64::try_from(self.deadline.timestamp()).unwrap_or_default()
    }
}

fn domain() -> Eip712Domain {
    eip712_domain! { name: DOMAIN_NAME, version: DOMAIN_VERSION, chain_id: BASE_CHAIN_ID, }
}

#[cfg(test)]
mod tests;
