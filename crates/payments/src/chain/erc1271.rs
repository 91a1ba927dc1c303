//! Asking a contract whether a signature is its own.

use super::{
    ChainError, Nodes,
    node::{Node, NodeError, execution},
    quorum,
};
use crate::EthAddress;
use alloy::{
    network::TransactionBuilder,
    primitives::{B256, Bytes},
    providers::Provider,
    rpc::types::TransactionRequest,
    serde::WithOtherFields,
    sol,
    sol_types::SolCall,
};

sol! {
    function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4);
}

/// What a contract answers that vouches for a signature, as the one word that the ABI makes of it.
const VOUCHED: [u8; 4] = [0x16, 0x26, 0xba, 0x7e];

/// What an account says of a signature (ERC-1271).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureVerdict {
    /// It is the contract's own.
    Vouched,
    /// It is not, or the contract fails when it is asked.
    Denied,
    /// There is no contract.
    NoContract,
}

impl Nodes {
    /// Asks the contract at this address by `isValidSignature(bytes32,bytes)`, as of the newest block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn contract_signature(&self, contract: EthAddress, hash: B256, signature: &[u8]) -> Result<SignatureVerdict, ChainError> {
        let input = isValidSignatureCall { hash, signature: Bytes::copy_from_slice(signature) }.abi_encode();
        let input = &input;
        let answers = self.ask(|node| async move { node.signature_verdict(contract, input.clone()).await }).await?;
        quorum::agree(&answers, self.needed()).ok_or(ChainError::Disagree { what: "the contract's word on a signature" })
    }
}

impl Node {
    async fn signature_verdict(&self, contract: EthAddress, input: Vec<u8>) -> Result<SignatureVerdict, NodeError> {
        let contract = contract.to_alloy();
        // A call to an empty address "succeeds" with nothing.
        if self.provider().get_code_at(contract).await?.is_empty() {
            return Ok(SignatureVerdict::NoContract);
        }
        let request = WithOtherFields::new(TransactionRequest::default().with_to(contract).with_input(input));
        let answer = execution(self.provider().call(request).latest().await)?;
        Ok(if answer.is_ok_and(|word| is_vouched(&word)) { SignatureVerdict::Vouched } else { SignatureVerdict::Denied })
    }
}

fn is_vouched(answer: &[u8]) -> bool {
    answer.len() == 32 && answer.starts_with(&VOUCHED) && answer.iter().skip(VOUCHED.len()).all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_word_vouches() {
        let mut word = [0; 32];
        word[..4].copy_from_slice(&VOUCHED);
        assert!(is_vouched(&word));
        assert!(!is_vouched(&word[..4]), "shorter than a word");
        assert!(!is_vouched(&[0; 32]) && !is_vouched(&[]) && !is_vouched(&[0xff; 32]));
        word[31] = 1;
        assert!(!is_vouched(&word), "more than four bytes");
    }
}
