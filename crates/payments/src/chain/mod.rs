//! Base, read from several nodes at once and believed only where enough of them say the same.
//!
//! | nodes | needed |
//! |---|---|
//! | 1 | 1 |
//! | 2 | 2 |
//! | 3 | 2 |
//! | n | more than half |
//!
//! Facts (nonce, receipt, block) must be equal on that many nodes. Quantities that differ from block to block (balance, fees,
//! gas, height) are read as the highest figure that at least that many nodes reach: one lying node of three moves none of them
//! beyond what an honest one says. Each node must have named chain 8453 before anything else is asked of it.

mod blocks;
mod erc1271;
mod feed;
mod health;
mod node;
mod oracle;
mod quorum;
mod raw;
mod send;
mod trace;
mod transaction;
mod transfers;

pub(crate) use blocks::{AccountState, Header, quiet};
pub use erc1271::SignatureVerdict;
pub use feed::{FEED_AGE_SECONDS_MAX, FeedError, FeedPrice};
pub use health::{NodeHealth, NodeTrouble};
pub use send::{Broadcast, BroadcastOutcome};
pub use transaction::{ChainTransaction, TransactionState};

use crate::{BlockHash, EndpointError, EthAddress, TransactionHash, watch::Head};
use aispace_units::{BASE_CHAIN_ID, Wei};
use alloy::eips::BlockNumberOrTag;
use futures::{StreamExt, stream::FuturesUnordered};
use node::{Node, NodeError};
use std::{fmt, future::Future, sync::Arc, time::Duration};

/// How long a node may take for one read, unless told otherwise.
pub const NODE_DEADLINE: Duration = Duration::from_secs(8);
/// How long the slower nodes are still waited for once enough have answered.
const STRAGGLER_GRACE: Duration = Duration::from_millis(750);

/// The nodes that the chain is read from.
#[derive(Clone)]
pub struct Nodes {
    nodes: Arc<[Arc<Node>]>,
    deadline: Duration,
}

/// A node that gave no usable answer, and why. The name never holds more than host and port: paths carry access keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFailure {
    /// Host and port.
    pub node: String,
    /// Why, in words.
    pub reason: String,
}

impl fmt::Display for NodeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.reason)
    }
}

/// Why the chain could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The list of nodes is empty.
    #[error("no node of Base is configured")]
    NoNodes,
    /// A node's URL was refused.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Too few nodes answered.
    #[error("{answered} of {needed} needed nodes answered; {}", join(reasons))]
    Unreachable {
        /// Nodes that answered.
        answered: usize,
        /// Nodes needed.
        needed: usize,
        /// The others.
        reasons: Vec<NodeFailure>,
    },
    /// A node serves another chain.
    #[error("the node {node} serves chain {found}, not Base ({expected})")]
    WrongChain {
        /// Host and port.
        node: String,
        /// Always 8453.
        expected: u64,
        /// What it said.
        found: u64,
    },
    /// The nodes answered, but not the same.
    #[error("the nodes do not agree on {what}")]
    Disagree {
        /// What was asked.
        what: &'static str,
    },
    /// The chain refuses what was asked: a reverted call, a transaction that cannot be mined.
    #[error("the chain refuses it: {reason}")]
    Refused {
        /// The nodes' reason.
        reason: String,
    },
}

fn join(failures: &[NodeFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How many nodes named chain 8453.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainAgreement {
    /// Nodes that did.
    pub agree: usize,
    /// Nodes asked.
    pub asked: usize,
}

/// What a unit of gas may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// Wei per gas, at most: twice the base fee and the tip.
    pub max_fee_per_gas_wei: Wei,
    /// Wei per gas for the block's builder.
    pub tip_per_gas_wei: Wei,
}

/// A transfer as it is simulated and estimated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferCall {
    /// The payer.
    pub from: EthAddress,
    /// The payee.
    pub to: EthAddress,
    /// What is moved.
    pub value: Wei,
    /// The calldata.
    pub input: Vec<u8>,
}

/// A transaction as it would be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Who moves what to whom.
    pub call: TransferCall,
    /// Its nonce.
    pub nonce: u64,
    /// What its gas may cost.
    pub fees: Fees,
    /// Its gas limit.
    pub gas_limit: u64,
}

/// What became of a mined transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptStatus {
    /// It did what it says.
    Succeeded,
    /// It was mined and reverted: the fees are gone, the value is not.
    Reverted,
}

/// A mined transaction, in a block that enough nodes hold to be the chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// What became of it.
    pub status: ReceiptStatus,
    /// The block's number.
    pub block_number: u64,
    /// The block's hash: the canonical one of that number.
    pub block_hash: BlockHash,
    /// Gas used.
    pub gas_used: u64,
    /// Wei paid per gas.
    pub effective_gas_price_wei: Wei,
    /// Wei paid for the data on L1, where the nodes tell.
    pub l1_fee_wei: Option<Wei>,
}

impl Receipt {
    /// Gas used × price, and the L1 fee where known.
    #[must_use]
    pub fn fee_wei(&self) -> Option<Wei> {
        let l2 = self.effective_gas_price_wei.checked_mul(self.gas_used.into())?;
        l2.checked_add(self.l1_fee_wei.unwrap_or(Wei::ZERO))
    }
}

impl Nodes {
    /// Takes the URLs of nodes: https, or http on this machine. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ChainError::NoNodes`], [`ChainError::Endpoint`].
    pub fn new(urls: &[String]) -> Result<Self, ChainError> {
        Self::with_deadline(urls, NODE_DEADLINE)
    }

    /// As [`Nodes::new`], with a deadline of one's own for each read.
    ///
    /// # Errors
    /// [`ChainError::NoNodes`], [`ChainError::Endpoint`].
    pub fn with_deadline(urls: &[String], deadline: Duration) -> Result<Self, ChainError> {
        // A node listed twice would have two voices.
        let distinct: std::collections::BTreeSet<&str> = urls.iter().map(|url| url.trim_end_matches('/')).collect();
        if distinct.is_empty() {
            return Err(ChainError::NoNodes);
        }
        let nodes = distinct.into_iter().map(|url| Node::new(url, deadline).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self { nodes, deadline })
    }

    /// How many nodes there are.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.nodes.len()
    }

    /// How many of them must agree.
    #[must_use]
    pub fn needed(&self) -> usize {
        quorum::needed(self.nodes.len())
    }

    /// How each node does, in the order of their names.
    #[must_use]
    pub fn health(&self) -> Vec<NodeHealth> {
        health::of(&self.nodes)
    }

    /// Asks every node anew which chain it serves.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`] if any names another; [`ChainError::Unreachable`] if too few answer.
    pub async fn check_chain(&self) -> Result<ChainAgreement, ChainError> {
        let answers = self.ask(|node| async move { node.check_chain().await }).await?;
        Ok(ChainAgreement { agree: answers.len(), asked: self.asked() })
    }

    /// What an account holds in the newest block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn balance(&self, account: EthAddress) -> Result<Wei, ChainError> {
        let answers = self.ask(|node| async move { node.balance(account).await }).await?;
        self.at_least(answers, "the balance")
    }

    /// The nonce of an account's next transaction, those waiting to be mined counted in.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn pending_nonce(&self, account: EthAddress) -> Result<u64, ChainError> {
        let answers = self.ask(|node| async move { node.pending_nonce(account).await }).await?;
        quorum::agree(&answers, self.needed()).ok_or(ChainError::Disagree { what: "the nonce" })
    }

    /// The nonce of an account in the newest block: transactions mined so far.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn mined_nonce(&self, account: EthAddress) -> Result<u64, ChainError> {
        let answers = self.ask(|node| async move { node.mined_nonce(account).await }).await?;
        quorum::agree(&answers, self.needed()).ok_or(ChainError::Disagree { what: "the nonce" })
    }

    /// The highest block that enough nodes have.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn block_number(&self) -> Result<u64, ChainError> {
        let answers = self.ask(|node| async move { node.block_number().await }).await?;
        self.at_least(answers, "the height")
    }

    /// The newest block that enough nodes hold to be safe: its data is on L1. `None` while they have none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn safe_block(&self) -> Result<Option<Head>, ChainError> {
        self.marked(BlockNumberOrTag::Safe).await
    }

    /// The newest block that enough nodes hold to be final: L1 cannot take it back. `None` while they have none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn finalized_block(&self) -> Result<Option<Head>, ChainError> {
        self.marked(BlockNumberOrTag::Finalized).await
    }

    async fn marked(&self, mark: BlockNumberOrTag) -> Result<Option<Head>, ChainError> {
        let answers = self.ask(|node| async move { node.block_marked(mark).await }).await?;
        // A node without such a block reaches none.
        let Some(number) = quorum::reached_by(answers, self.needed()).flatten() else { return Ok(None) };
        Ok(self.block_hash(number).await?.map(|hash| Head { number, hash }))
    }

    /// What gas costs now.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn fees(&self) -> Result<Fees, ChainError> {
        let answers = self.ask(|node| async move { node.fees().await }).await?;
        let (max, tip) = answers.into_iter().unzip();
        let what = "the fees";
        Ok(Fees { max_fee_per_gas_wei: self.at_least(max, what)?, tip_per_gas_wei: self.at_least(tip, what)? })
    }

    /// The gas that a transfer takes, without any margin.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when enough nodes say that it would fail.
    pub async fn estimate_gas(&self, call: &TransferCall) -> Result<u64, ChainError> {
        let answers = self.ask(|node| async move { node.estimate_gas(call).await }).await?;
        self.at_least(self.executed(answers, "the gas")?, "the gas")
    }

    /// Runs a transaction on top of all that waits to be mined, without sending it.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when enough nodes say that it would fail.
    pub async fn simulate(&self, execution: &Execution) -> Result<(), ChainError> {
        let answers = self.ask(|node| async move { node.simulate(execution).await }).await?;
        self.executed(answers, "the simulation").map(drop)
    }

    /// The receipt of a transaction, once enough nodes have it in the same canonical block.
    ///
    /// # Errors
    /// [`ChainError::Disagree`] when nodes tell different receipts and none has a quorum.
    pub async fn receipt(&self, hash: TransactionHash) -> Result<Option<Receipt>, ChainError> {
        let answers = self.ask(|node| async move { node.receipt(hash).await }).await?;
        let l1_fee_wei = answers.iter().flatten().find_map(|receipt| receipt.l1_fee_wei);
        // Not every node tells the L1 fee: it is no part of what must be equal.
        let bare: Vec<_> = answers.into_iter().map(|receipt| receipt.map(|receipt| Receipt { l1_fee_wei: None, ..receipt })).collect();
        let agreed = quorum::agree_when_known(&bare, self.needed()).map_err(|()| ChainError::Disagree { what: "the receipt" })?;
        Ok(agreed.map(|receipt| Receipt { l1_fee_wei, ..receipt }))
    }

    /// Whether any node knows the transaction, mined or waiting.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn transaction_known(&self, hash: TransactionHash) -> Result<bool, ChainError> {
        let answers = self.ask(|node| async move { node.transaction_known(hash).await }).await?;
        Ok(answers.into_iter().any(|known| known))
    }

    /// Asks every node the same and gathers the answers: at least [`Nodes::needed`] of them.
    async fn ask<T, F, Answer>(&self, read: F) -> Result<Vec<T>, ChainError>
    where
        F: Fn(Arc<Node>) -> Answer,
        Answer: Future<Output = Result<T, NodeError>>,
    {
        let mut pending: FuturesUnordered<_> = self.nodes.iter().map(|node| self.ask_one(node.clone(), &read)).collect();
        let (mut answers, mut reasons) = (Vec::new(), Vec::new());
        loop {
            let grace = if answers.len() >= self.needed() { STRAGGLER_GRACE } else { Duration::MAX };
            match tokio::time::timeout(grace, pending.next()).await {
                Ok(Some((_, Ok(answer)))) => answers.push(answer),
                Ok(Some((node, Err(NodeError::WrongChain { found })))) => {
                    return Err(ChainError::WrongChain { node, expected: BASE_CHAIN_ID, found });
                }
                Ok(Some((node, Err(error)))) => reasons.push(NodeFailure { node, reason: error.to_string() }),
                Ok(None) | Err(_) => break,
            }
        }
        if answers.len() >= self.needed() {
            return Ok(answers);
        }
        reasons.sort_by(|a, b| a.node.cmp(&b.node));
        Err(ChainError::Unreachable { answered: answers.len(), needed: self.needed(), reasons })
    }

    async fn ask_one<T, F, Answer>(&self, node: Arc<Node>, read: &F) -> (String, Result<T, NodeError>)
    where
        F: Fn(Arc<Node>) -> Answer,
        Answer: Future<Output = Result<T, NodeError>>,
    {
        self.ask_one_within(node, self.deadline, read).await
    }

    async fn ask_one_within<T, F, Answer>(&self, node: Arc<Node>, deadline: Duration, read: &F) -> (String, Result<T, NodeError>)
    where
        F: Fn(Arc<Node>) -> Answer,
        Answer: Future<Output = Result<T, NodeError>>,
    {
        let name = node.name().to_string();
        let answer = async {
            node.ensure_chain().await?;
            read(node.clone()).await
        };
        let late = |_| Err(NodeError::silent("no answer before the deadline"));
        (name, tokio::time::timeout(deadline, answer).await.unwrap_or_else(late))
    }

    fn at_least<T: Ord + Copy>(&self, answers: Vec<T>, what: &'static str) -> Result<T, ChainError> {
        quorum::reached_by(answers, self.needed()).ok_or(ChainError::Disagree { what })
    }

    /// The results of an execution, if enough nodes say that it runs; their reason, if enough say that it fails.
    fn executed<T>(&self, answers: Vec<Result<T, String>>, what: &'static str) -> Result<Vec<T>, ChainError> {
        let (mut ran, mut failed) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(result) => ran.push(result),
                Err(reason) => failed.push(reason),
            }
        }
        match failed.into_iter().nth(self.needed().saturating_sub(1)) {
            _ if ran.len() >= self.needed() => Ok(ran),
            Some(reason) => Err(ChainError::Refused { reason }),
            None => Err(ChainError::Disagree { what }),
        }
    }
}
