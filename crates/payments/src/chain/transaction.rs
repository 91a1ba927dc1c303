//! Transactions by their hash. The hash is of the signed bytes, so one node's word is enough for what a transaction says: it is
//! hashed anew and its signer recovered. Whether it is mined is another matter, and takes the quorum.

use super::{ChainError, Nodes, Receipt, ask::About, ask::Settled, node::Node, node::NodeError, node::as_wei};
use crate::{EthAddress, TransactionHash};
use aispace_units::Wei;
use alloy::{
    consensus::{Transaction as _, transaction::SignerRecoverable},
    eips::eip2718::Encodable2718,
    primitives::{B256, keccak256},
    providers::Provider,
};

/// A transaction as its sender signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainTransaction {
    /// Its hash.
    pub hash: TransactionHash,
    /// Who signed it: recovered from the signature.
    pub from: EthAddress,
    /// The payee; `None` where it creates a contract.
    pub to: Option<EthAddress>,
    /// What it moves.
    pub value: Wei,
    /// Its calldata.
    pub input: Vec<u8>,
    /// Its nonce.
    pub nonce: u64,
    /// The chain it is for; `None` for one without replay protection.
    pub chain_id: Option<u64>,
    /// Its gas limit.
    pub gas_limit: u64,
    /// Wei per gas, at most.
    pub max_fee_per_gas_wei: Wei,
    /// Wei per gas for the block's builder, where it says so.
    pub tip_per_gas_wei: Option<Wei>,
}

/// Where a transaction is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionState {
    /// No node that answered knows it.
    Unknown,
    /// A node has it, and no block that enough nodes hold to be the chain's.
    Pending(ChainTransaction),
    /// It is in a block that enough nodes hold to be the chain's.
    Mined {
        /// Its receipt.
        receipt: Receipt,
        /// What it says, where a node tells.
        transaction: Option<ChainTransaction>,
    },
}

impl Nodes {
    /// What a transaction says, mined or waiting; `None` where no node that answered knows it.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn transaction(&self, hash: TransactionHash) -> Result<Option<ChainTransaction>, ChainError> {
        // What one node shows is proved by the hash; that none knows it takes them all.
        let settled = |answers: &[&Option<ChainTransaction>], _: usize| {
            if answers.iter().any(|answer| answer.is_some()) { Settled::Yes } else { Settled::Nearly }
        };
        let answers = self.ask_until(About::Any, |node| async move { node.transaction(hash).await }, settled).await?;
        Ok(answers.into_iter().flatten().next())
    }

    /// Where a transaction is and what it says.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn find_transaction(&self, hash: TransactionHash) -> Result<TransactionState, ChainError> {
        let (receipt, transaction) = futures::try_join!(self.receipt(hash), self.transaction(hash))?;
        Ok(match (receipt, transaction) {
            (Some(receipt), transaction) => TransactionState::Mined { receipt, transaction },
            (None, Some(transaction)) => TransactionState::Pending(transaction),
            (None, None) => TransactionState::Unknown,
        })
    }
}

impl Node {
    async fn transaction(&self, hash: TransactionHash) -> Result<Option<ChainTransaction>, NodeError> {
        let Some(found) = self.provider().get_transaction_by_hash(hash.into()).await? else { return Ok(None) };
        let unreadable = || NodeError::silent("gave a transaction of an unknown kind");
        let envelope = found.as_envelope().ok_or_else(unreadable)?;
        if keccak256(envelope.encoded_2718()) != B256::from(hash) {
            return Err(NodeError::silent("gave another transaction than was asked for"));
        }
        let from = envelope.recover_signer().map_err(|_| NodeError::silent("gave a transaction that nobody signed"))?;
        Ok(Some(ChainTransaction {
            hash,
            from: EthAddress::from_alloy(from),
            to: envelope.to().map(EthAddress::from_alloy),
            value: as_wei(envelope.value())?,
            input: envelope.input().to_vec(),
            nonce: envelope.nonce(),
            chain_id: envelope.chain_id(),
            gas_limit: envelope.gas_limit(),
            max_fee_per_gas_wei: Wei::new(envelope.max_fee_per_gas()),
            tip_per_gas_wei: envelope.max_priority_fee_per_gas().map(Wei::new),
        }))
    }
}
