//! Blocks by quorum, with the payments in them.

use super::{ChainError, Nodes, ReceiptStatus, node::Node, node::NodeError, node::as_wei, quorum};
use crate::{
    BlockHash, EthAddress,
    watch::{FinalityHeads, Head, Reconciliation, SeenPayment, WatchedBlock},
};
use alloy::{
    consensus::Transaction as _,
    eips::BlockNumberOrTag,
    network::{AnyRpcTransaction, BlockResponse, TransactionResponse},
    primitives::Address,
    providers::Provider,
};
use chrono::{DateTime, Utc};

impl Nodes {
    /// The highest block that enough nodes have, with the hash they agree on.
    pub(crate) async fn head(&self) -> Result<Head, ChainError> {
        let number = self.block_number().await?;
        let hash = self.block_hash(number).await?.ok_or(ChainError::Disagree { what: "the newest block" })?;
        Ok(Head { number, hash })
    }

    /// The newest, the newest safe and the newest final block, each as high as enough nodes reach.
    pub(crate) async fn finality(&self) -> Result<FinalityHeads, ChainError> {
        let head = self.head().await?;
        let safe = self.tagged(BlockNumberOrTag::Safe, head).await?;
        let finalized = self.tagged(BlockNumberOrTag::Finalized, safe).await?;
        Ok(FinalityHeads { head, safe, finalized })
    }

    /// The block that nodes give this name, never above `limit`.
    async fn tagged(&self, tag: BlockNumberOrTag, limit: Head) -> Result<Head, ChainError> {
        let answers = self.ask(|node| async move { node.tagged_number(tag).await }).await?;
        let number = quorum::reached_by(answers, self.needed()).ok_or(ChainError::Disagree { what: "the final blocks" })?;
        if number >= limit.number {
            return Ok(limit);
        }
        let hash = self.block_hash(number).await?.ok_or(ChainError::Disagree { what: "the final blocks" })?;
        Ok(Head { number, hash })
    }

    /// The hash of the block of this number; `None` while too few nodes have it.
    ///
    /// # Errors
    /// [`ChainError::Disagree`] when nodes hold different blocks and none has a quorum.
    pub async fn block_hash(&self, number: u64) -> Result<Option<BlockHash>, ChainError> {
        let answers = self.ask(|node| async move { node.block_hash(number).await }).await?;
        let agreed = quorum::agree_when_known(&answers, self.needed()).map_err(|()| ChainError::Disagree { what: "the block" })?;
        Ok(agreed.map(BlockHash::from))
    }

    /// A whole block; see [`crate::watch::BlockReader::block`].
    pub(crate) async fn watched_block(&self, number: u64, pay_to: EthAddress) -> Result<Option<WatchedBlock>, ChainError> {
        let answers = self.ask(|node| async move { node.watched_block(number, pay_to).await }).await?;
        quorum::agree_when_known(&answers, self.needed()).map_err(|()| ChainError::Disagree { what: "the block" })
    }
}

impl Node {
    async fn tagged_number(&self, tag: BlockNumberOrTag) -> Result<u64, NodeError> {
        let block = self.provider().get_block_by_number(tag).await?;
        block.map(|block| block.header().number).ok_or_else(|| NodeError::silent("names no safe or final block"))
    }

    async fn watched_block(&self, number: u64, pay_to: EthAddress) -> Result<Option<WatchedBlock>, NodeError> {
        let Some(block) = self.provider().get_block_by_number(BlockNumberOrTag::Number(number)).full().await? else {
            return Ok(None);
        };
        let header = block.header();
        let (found, hash, parent_hash) = (header.number, header.hash, header.parent_hash);
        let timestamp = i64::try_from(header.timestamp).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let timestamp = timestamp.ok_or_else(|| NodeError::silent("gave a block without a readable time"))?;
        if found != number {
            return Err(NodeError::silent("gave another block than was asked for"));
        }
        let mut payments = Vec::new();
        for transaction in block.transactions().txns() {
            if let Some(payment) = payment_to(transaction, pay_to.to_alloy(), timestamp)?
                && self.succeeded_in(&payment, hash.into()).await?
            {
                payments.push(payment);
            }
        }
        Ok(Some(WatchedBlock {
            number,
            hash: hash.into(),
            parent_hash: parent_hash.into(),
            timestamp,
            payments,
            reconciliation: Reconciliation::Unchecked,
        }))
    }

    /// A transfer in a block may have reverted, if the payee has code; only its receipt tells.
    async fn succeeded_in(&self, payment: &SeenPayment, block: BlockHash) -> Result<bool, NodeError> {
        match self.receipt(payment.hash).await? {
            Some(receipt) if receipt.block_hash == block => Ok(receipt.status == ReceiptStatus::Succeeded),
            _ => Err(NodeError::silent("has the block but not its receipts")),
        }
    }
}

fn payment_to(transaction: &AnyRpcTransaction, pay_to: Address, block_time: DateTime<Utc>) -> Result<Option<SeenPayment>, NodeError> {
    if transaction.to() != Some(pay_to) || transaction.value().is_zero() {
        return Ok(None);
    }
    Ok(Some(SeenPayment {
        hash: transaction.tx_hash().into(),
        position: 0,
        payer: EthAddress::from_alloy(TransactionResponse::from(transaction)),
        tx_from: EthAddress::from_alloy(TransactionResponse::from(transaction)),
        value: as_wei(transaction.value())?,
        input: transaction.input().to_vec(),
        block_time,
    }))
}
