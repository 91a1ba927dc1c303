//! Blocks as the watcher of payments needs them: every payment in them, those that contracts made included.
//!
//! A payment is ether that reached the payment address in a block: by a transaction to it, or by a call within a transaction to
//! something else, as smart wallets pay. The latter leave no trace in the block's own text, so each block is held against the
//! address's balance before and after it; see [`Reconciliation`].

mod reconcile;
mod stream;

pub(crate) use reconcile::Flow;
pub use reconcile::Reconciliation;
pub use stream::BlockStream;

use crate::{
    BlockHash, EthAddress, TransactionHash,
    chain::{ChainError, Nodes},
    payment_address,
    tag::{OrderTag, parse_calldata},
};
use aispace_units::Wei;
use chrono::{DateTime, Utc};

/// A block by its number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: BlockHash,
}

/// How far the chain's word reaches, by quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalityHeads {
    /// The newest block.
    pub head: Head,
    /// The newest block that the rollup's data on L1 vouches for.
    pub safe: Head,
    /// The newest block that L1 can no longer undo.
    pub finalized: Head,
}

/// Whether a block is still the chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Enough nodes hold it to be the block of its number.
    Canonical,
    /// Enough nodes hold another block to be the one of its number: what was in this one is taken back.
    Replaced,
    /// Too few nodes have any block of this number: nothing follows from that.
    Unknown,
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
    /// What reached the payment address and was not reverted: in the block's order, within a transaction by position.
    pub payments: Vec<SeenPayment>,
    /// Whether the payments are all that arrived.
    pub reconciliation: Reconciliation,
}

/// Ether that reached the payment address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPayment {
    /// The transaction.
    pub hash: TransactionHash,
    /// 0: the transaction's own transfer. From 1: the transfers to the payment address that contracts made within it, in the
    /// order of execution. With the hash it names a payment for good.
    pub position: u32,
    /// Whose ether it was: the transaction's sender, or the contract that sent it on.
    pub payer: EthAddress,
    /// The transaction's sender, whoever paid.
    pub tx_from: EthAddress,
    /// What it moved; never zero.
    pub value: Wei,
    /// The data of the call that brought it.
    pub input: Vec<u8>,
    /// The time of its block.
    pub block_time: DateTime<Utc>,
}

impl SeenPayment {
    /// The order tag in its data, if it carries one.
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

    /// The newest, the newest safe and the newest final block that enough nodes have, with the hashes they agree on.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn finality(&self) -> Result<FinalityHeads, ChainError> {
        self.nodes.finality().await
    }

    /// A block by its number; `None` while too few nodes have it.
    ///
    /// Enough nodes must agree on all of it, payments included. A block that says [`Reconciliation::Surplus`] may be read again
    /// later, when more nodes can trace.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn block(&self, number: u64) -> Result<Option<WatchedBlock>, ChainError> {
        self.nodes.watched_block(number, self.pay_to).await
    }

    /// Reads the blocks from this number on, in order, some ahead of what is asked for.
    #[must_use]
    pub fn blocks_from(&self, first: u64) -> BlockStream {
        BlockStream::new(self.nodes.clone(), self.pay_to, first)
    }

    /// Whether the block of this number is still the one with this hash.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn canonical(&self, number: u64, hash: BlockHash) -> Result<Standing, ChainError> {
        Ok(match self.nodes.block_hash(number).await? {
            None => Standing::Unknown,
            Some(found) if found == hash => Standing::Canonical,
            Some(_) => Standing::Replaced,
        })
    }
}
