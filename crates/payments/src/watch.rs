//! Blocks as the watcher of payments needs them.

use crate::{
    BlockHash, EthAddress, TransactionHash,
    chain::{ChainError, Nodes},
    payment_address,
    tag::{OrderTag, parse_calldata},
};
use aispace_units::Wei;
use chrono::{DateTime, Utc};

/// The newest block that enough nodes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: BlockHash,
}

/// A block with the payments in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: BlockHash,
    /// The hash of the block before it.
    pub parent_hash: BlockHash,
    /// Its time.
    pub timestamp: DateTime<Utc>,
    /// Successful top-level transfers to the payment address, in the block's order.
    pub payments: Vec<SeenPayment>,
}

/// A transfer to the payment address that was mined and not reverted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPayment {
    /// The transaction.
    pub hash: TransactionHash,
    /// Its sender.
    pub from: EthAddress,
    /// What it moved; never zero.
    pub value: Wei,
    /// Its calldata.
    pub input: Vec<u8>,
}

impl SeenPayment {
    /// The order tag in its calldata, if it carries one.
    #[must_use]
    pub fn tag(&self) -> Option<OrderTag> {
        parse_calldata(&self.input)
    }
}

/// Reads blocks from nodes by quorum.
#[derive(Clone)]
pub struct BlockReader {
    nodes: Nodes,
    pay_to: EthAddress,
}

impl BlockReader {
    /// Watches the payment address through these nodes.
    #[must_use]
    pub fn new(nodes: Nodes) -> Self {
        Self { nodes, pay_to: payment_address() }
    }

    /// The nodes it reads.
    #[must_use]
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The newest block that enough nodes have, with the hash they agree on.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn head(&self) -> Result<Head, ChainError> {
        self.nodes.head().await
    }

    /// A block by its number; `None` while too few nodes have it.
    ///
    /// Enough nodes must agree on all of it, payments included.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn block(&self, number: u64) -> Result<Option<WatchedBlock>, ChainError> {
        self.nodes.watched_block(number, self.pay_to).await
    }

    /// Whether the block of this number is still the one with this hash. A missing block is not.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn is_canonical(&self, number: u64, hash: BlockHash) -> Result<bool, ChainError> {
        Ok(self.nodes.block_hash(number).await? == Some(hash))
    }
}
