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
//! beyond what an honest one says. Each node must have named chain 8453, and shown Base's first block unless it runs on this
//! machine, before anything else is asked of it. A node that is behind has no say on the newest state. See [`ask`] for whom is
//! waited for, and [`health`] for who rests.

mod ask;
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
use aispace_units::Wei;
use alloy::eips::BlockNumberOrTag;
use ask::{About, facts, figures, known_facts};
use chrono::{DateTime, Utc};
use node::{Node, NodeError};
use std::{fmt, future::Future, sync::Arc, time::Duration};

/// How long a node may take for one read, unless told otherwise.
pub const NODE_DEADLINE: Duration = Duration::from_secs(8);
/// Blocks that become safe or final at once, about.
const MARK_STEP: u64 = 300;

/// Tells the real time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How nodes are asked.
#[derive(Clone)]
pub struct NodeOptions {
    /// How long one read may take.
    pub deadline: Duration,
    /// The hash of block 0. Without one it is Base's for every node that is not on this machine; one that is may be a chain for
    /// trying things out.
    pub genesis: Option<BlockHash>,
    /// With a clock, a node whose newest block is more than a minute old has no say on the newest state. Without one, nodes are
    /// only measured by each other.
    pub clock: Option<Clock>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { deadline: NODE_DEADLINE, genesis: None, clock: None }
    }
}

/// The nodes that the chain is read from. Cheap to clone; for another list, make another one.
#[derive(Clone)]
pub struct Nodes {
    nodes: Arc<[Arc<Node>]>,
    deadline: Duration,
    clock: Option<Clock>,
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
    /// A node calls itself chain 8453 and has another first block than Base.
    #[error("the node {node} serves another chain under Base's number")]
    WrongGenesis {
        /// Host and port.
        node: String,
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
    /// Wei paid for the data on L1, where enough nodes tell the same.
    pub l1_fee_wei: Option<Wei>,
    /// Wei paid to the chain's operator, where enough nodes tell the same.
    pub operator_fee_wei: Option<Wei>,
}

impl Receipt {
    /// Gas used × price, and the L1 and the operator's fee where known.
    #[must_use]
    pub fn fee_wei(&self) -> Option<Wei> {
        let l2 = self.effective_gas_price_wei.checked_mul(self.gas_used.into())?;
        [self.l1_fee_wei, self.operator_fee_wei].into_iter().flatten().try_fold(l2, Wei::checked_add)
    }

    fn bare(self) -> Self {
        Self { l1_fee_wei: None, operator_fee_wei: None, ..self }
    }
}

impl Nodes {
    /// Takes the URLs of nodes: https, or http on this machine. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ChainError::NoNodes`], [`ChainError::Endpoint`].
    pub fn new(urls: &[String]) -> Result<Self, ChainError> {
        Self::with_options(urls, NodeOptions::default())
    }

    /// As [`Nodes::new`], with a deadline of one's own for each read.
    ///
    /// # Errors
    /// [`ChainError::NoNodes`], [`ChainError::Endpoint`].
    pub fn with_deadline(urls: &[String], deadline: Duration) -> Result<Self, ChainError> {
        Self::with_options(urls, NodeOptions { deadline, ..NodeOptions::default() })
    }

    /// As [`Nodes::new`], asked as the options say.
    ///
    /// # Errors
    /// [`ChainError::NoNodes`], [`ChainError::Endpoint`].
    pub fn with_options(urls: &[String], options: NodeOptions) -> Result<Self, ChainError> {
        // A node listed twice would have two voices.
        let distinct: std::collections::BTreeSet<&str> = urls.iter().map(|url| url.trim_end_matches('/')).collect();
        if distinct.is_empty() {
            return Err(ChainError::NoNodes);
        }
        let nodes = distinct.into_iter().map(|url| Node::new(url, &options).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self { nodes, deadline: options.deadline, clock: options.clock })
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

    /// Asks every node anew which chain it serves.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`] if any names another; [`ChainError::Unreachable`] if too few answer.
    pub async fn check_chain(&self) -> Result<ChainAgreement, ChainError> {
        let agree = self.ask_all_for_chain().await?;
        Ok(ChainAgreement { agree, asked: self.asked() })
    }

    /// What an account holds in the newest block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn balance(&self, account: EthAddress) -> Result<Wei, ChainError> {
        self.reached("the balance", |one, other| one == other, |node| async move { node.balance(account).await }).await
    }

    /// The nonce of an account's next transaction, those waiting to be mined counted in.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn pending_nonce(&self, account: EthAddress) -> Result<u64, ChainError> {
        self.agreed(About::Newest, "the nonce", |node| async move { node.pending_nonce(account).await }).await
    }

    /// The nonce of an account in the newest block: transactions mined so far.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn mined_nonce(&self, account: EthAddress) -> Result<u64, ChainError> {
        self.agreed(About::Newest, "the nonce", |node| async move { node.mined_nonce(account).await }).await
    }

    /// The highest block that enough nodes have.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn block_number(&self) -> Result<u64, ChainError> {
        let close = |low: u64, high: u64| high.saturating_sub(low) <= health::HEIGHT_LAG_MAX;
        self.reached("the height", close, |node| async move { Ok(node.head_within(Duration::ZERO).await?.number) }).await
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
        // Whole batches become safe or final at once, and not on every node at the same moment.
        let close = |low: Option<u64>, high: Option<u64>| low.zip(high).is_some_and(|(low, high)| high.saturating_sub(low) <= MARK_STEP);
        // A node without such a block reaches none.
        let number = self.reached("the safe blocks", close, |node| async move { node.block_marked(mark).await }).await?;
        let Some(number) = number else { return Ok(None) };
        Ok(self.block_hash(number).await?.map(|hash| Head { number, hash }))
    }

    /// What gas costs now.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn fees(&self) -> Result<Fees, ChainError> {
        let needed = self.needed();
        // Within a factor of two, the base fee may have moved between two nodes' blocks.
        let close = |low: Wei, high: Wei| high.get().checked_div(2).is_none_or(|half| half <= low.get());
        let settled = move |answers: &[&(Wei, Wei)], outstanding: usize| {
            let highest: Vec<Wei> = answers.iter().map(|(highest, _)| *highest).collect();
            figures(needed, close)(&highest.iter().collect::<Vec<_>>(), outstanding)
        };
        let answers = self.ask_until(About::Newest, |node| async move { node.fees().await }, settled).await?;
        let (max, tip) = answers.into_iter().unzip();
        let what = "the fees";
        let fees = Fees { max_fee_per_gas_wei: self.at_least(max, what)?, tip_per_gas_wei: self.at_least(tip, what)? };
        // The two may be of different nodes.
        Ok(Fees { tip_per_gas_wei: fees.tip_per_gas_wei.min(fees.max_fee_per_gas_wei), ..fees })
    }

    /// The gas that a transfer takes, without any margin.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when enough nodes say that it would fail.
    pub async fn estimate_gas(&self, call: &TransferCall) -> Result<u64, ChainError> {
        let needed = self.needed();
        let settled = move |answers: &[&Result<u64, String>], outstanding: usize| {
            let ran: Vec<u64> = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).collect();
            let failed = answers.len().saturating_sub(ran.len());
            if failed >= needed { ask::Settled::Yes } else { figures(needed, within_a_tenth)(&ran.iter().collect::<Vec<_>>(), outstanding) }
        };
        let answers = self.ask_until(About::Newest, |node| async move { node.estimate_gas(call).await }, settled).await?;
        self.at_least(self.executed(answers, "the gas")?, "the gas")
    }

    /// Runs a transaction on top of all that waits to be mined, without sending it.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when enough nodes say that it would fail.
    pub async fn simulate(&self, execution: &Execution) -> Result<(), ChainError> {
        let needed = self.needed();
        // The reasons of a failure may differ in their words.
        let settled = move |answers: &[&Result<(), String>], outstanding: usize| {
            let ran: Vec<bool> = answers.iter().map(|answer| answer.is_ok()).collect();
            facts(needed)(&ran.iter().collect::<Vec<_>>(), outstanding)
        };
        let answers = self.ask_until(About::Newest, |node| async move { node.simulate(execution).await }, settled).await?;
        self.executed(answers, "the simulation").map(drop)
    }

    /// The receipt of a transaction, once enough nodes have it in the same canonical block.
    ///
    /// # Errors
    /// [`ChainError::Disagree`] when nodes tell different receipts and none has a quorum.
    pub async fn receipt(&self, hash: TransactionHash) -> Result<Option<Receipt>, ChainError> {
        let needed = self.needed();
        let settled = move |answers: &[&Option<Receipt>], outstanding: usize| {
            let bare: Vec<Option<Receipt>> = answers.iter().map(|answer| answer.map(Receipt::bare)).collect();
            known_facts(needed)(&bare.iter().collect::<Vec<_>>(), outstanding)
        };
        let answers = self.ask_until(About::Any, |node| async move { node.receipt(hash).await }, settled).await?;
        // Not every node tells the fees beyond gas: they are no part of what must be equal, and are told only where they are.
        let told = |fee: fn(&Receipt) -> Option<Wei>| {
            let fees: Vec<Option<Wei>> = answers.iter().flatten().map(fee).collect();
            quorum::agree_when_known(&fees, needed).ok().flatten()
        };
        let (l1_fee_wei, operator_fee_wei) = (told(|receipt| receipt.l1_fee_wei), told(|receipt| receipt.operator_fee_wei));
        let bare: Vec<_> = answers.iter().map(|receipt| receipt.map(Receipt::bare)).collect();
        let agreed = quorum::agree_when_known(&bare, needed).map_err(|()| ChainError::Disagree { what: "the receipt" })?;
        Ok(agreed.map(|receipt| Receipt { l1_fee_wei, operator_fee_wei, ..receipt }))
    }

    /// Whether any node knows the transaction, mined or waiting.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn transaction_known(&self, hash: TransactionHash) -> Result<bool, ChainError> {
        Ok(self.transaction(hash).await?.is_some())
    }

    /// A fact that enough nodes must tell alike.
    async fn agreed<T, F, Told>(&self, about: About, what: &'static str, read: F) -> Result<T, ChainError>
    where
        T: PartialEq + Clone,
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        let answers = self.ask_until(about, read, facts(self.needed())).await?;
        quorum::agree(&answers, self.needed()).ok_or(ChainError::Disagree { what })
    }

    /// A fact that a node may not know yet; `None` while too few know it.
    async fn known<T, F, Told>(&self, what: &'static str, read: F) -> Result<Option<T>, ChainError>
    where
        T: PartialEq + Clone,
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<Option<T>, NodeError>>,
    {
        let answers = self.ask_until(About::Any, read, known_facts(self.needed())).await?;
        quorum::agree_when_known(&answers, self.needed()).map_err(|()| ChainError::Disagree { what })
    }

    /// The highest figure of the newest state that enough nodes reach.
    async fn reached<T, F, Told>(&self, what: &'static str, close: impl Fn(T, T) -> bool, read: F) -> Result<T, ChainError>
    where
        T: Ord + Copy,
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        let answers = self.ask_until(About::Newest, read, figures(self.needed(), close)).await?;
        self.at_least(answers, what)
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

fn within_a_tenth(low: u64, high: u64) -> bool {
    high.saturating_sub(low) <= low.div_ceil(10)
}
