//! Blocks by quorum, with the payments in them.
//!
//! | read | from | why it is enough |
//! |---|---|---|
//! | a block's hash, parent and time | as many nodes as must agree | |
//! | balance and nonce of the payment address, before and after it | as many nodes as must agree | where neither changed and the address has no code, nothing arrived: an account without code loses ether by its own transactions alone, and each of them raises its nonce, as does whatever gives it code |
//! | the whole block and receipts, where something changed or too few nodes know the balance | as many nodes as must agree, on all that concerns the address | |
//! | the calls within its transactions, where that does not explain the balance | as many nodes as must agree | see [`super::trace`] |

use super::{
    ChainError, Nodes,
    node::{Node, NodeError},
    quorum,
    raw::{count, wei},
    trace::{TracedTransaction, TracedTransfer},
};
use crate::{
    BlockHash, EthAddress,
    watch::{FinalityHeads, Flow, Head, Reconciliation, SeenPayment, WatchedBlock},
};
use aispace_units::Wei;
use alloy::primitives::B256;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const HEADER_BYTES_MAX: usize = 8 * 1024 * 1024;
const STATE_BYTES_MAX: usize = 1024 * 1024;
/// Blocks below the head whose state every node keeps: where it is missing, a node is behind or asks another one that is.
const KEPT_STATES: u64 = 64;

/// A block without its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    pub(crate) hash: BlockHash,
    pub(crate) parent_hash: BlockHash,
    pub(crate) timestamp: DateTime<Utc>,
}

/// What an account is after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountState {
    balance: Wei,
    nonce: u64,
    has_code: bool,
}

impl AccountState {
    /// Whether nothing can have arrived between this state and a later one.
    pub(crate) fn is_quiet_until(&self, later: &Self) -> bool {
        self == later && !self.has_code
    }
}

impl Nodes {
    /// The highest block that enough nodes have, with the hash they agree on.
    pub(crate) async fn head(&self) -> Result<Head, ChainError> {
        let number = self.block_number().await?;
        let hash = self.block_hash(number).await?.ok_or(ChainError::Disagree { what: "the newest block" })?;
        Ok(Head { number, hash })
    }

    /// The newest, the newest safe and the newest final block, each as high as enough nodes reach.
    pub(crate) async fn finality(&self) -> Result<FinalityHeads, ChainError> {
        let (head, safe, finalized) = futures::try_join!(self.head(), self.safe_block(), self.finalized_block())?;
        // Asked for at once, the later mark may have overtaken the earlier one.
        let below = |mark: Option<Head>, limit: Head| match mark {
            Some(mark) if mark.number <= limit.number => Ok(mark),
            Some(_) => Ok(limit),
            None => Err(ChainError::Disagree { what: "the final blocks" }),
        };
        let safe = below(safe, head)?;
        Ok(FinalityHeads { head, safe, finalized: below(finalized, safe)? })
    }

    /// The hash of the block of this number; `None` while too few nodes have it.
    ///
    /// # Errors
    /// [`ChainError::Disagree`] when nodes hold different blocks and none has a quorum.
    pub async fn block_hash(&self, number: u64) -> Result<Option<BlockHash>, ChainError> {
        Ok(self.header(number).await?.map(|header| header.hash))
    }

    /// A block without its contents; `None` while too few nodes have it.
    pub(crate) async fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let answers = self.ask_few(number, self.deadline, |node| async move { node.header(number).await }).await?;
        quorum::agree_when_known(&answers, self.needed()).map_err(|()| ChainError::Disagree { what: "the block" })
    }

    /// What an account is after a block; `None` where too few nodes know or they contradict each other.
    pub(crate) async fn account(&self, address: EthAddress, after: BlockHash, turn: u64) -> Result<Option<AccountState>, ChainError> {
        let read = |node: Arc<Node>| async move { node.account(address, after).await };
        let answers = self.ask_few(turn, self.deadline, read).await?;
        Ok(quorum::agree_when_known(&answers, self.needed()).unwrap_or_default())
    }

    /// A whole block; see [`crate::watch::BlockReader::block`].
    pub(crate) async fn watched_block(&self, number: u64, pay_to: EthAddress) -> Result<Option<WatchedBlock>, ChainError> {
        let Some(header) = self.header(number).await? else { return Ok(None) };
        let (before, after) =
            futures::try_join!(self.account(pay_to, header.parent_hash, number), self.account(pay_to, header.hash, number))?;
        self.watched(header, pay_to, before, after).await.map(Some)
    }

    /// A block's payments, given the address before and after it.
    pub(crate) async fn watched(
        &self,
        header: Header,
        pay_to: EthAddress,
        before: Option<AccountState>,
        after: Option<AccountState>,
    ) -> Result<WatchedBlock, ChainError> {
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) if before.is_quiet_until(&after) => return Ok(quiet(header)),
            (Some(before), Some(after)) => (before, after),
            _ => return self.unchecked(header, pay_to).await,
        };
        let own = self.own_transfers(header, pay_to).await?;
        let (flow, has_code) = (own.flow(pay_to), before.has_code || after.has_code);
        let reconcile = |flow: &Flow| flow.reconcile(before.balance, after.balance);
        let reconciliation = reconcile(&flow);
        if reconciliation == Reconciliation::Exact && !has_code {
            return Ok(block_of(header, own.payments(pay_to, header.timestamp), reconciliation));
        }
        let traced = self.traced(header.number, header.hash, pay_to).await;
        let whole = traced.as_ref().map(|traced| within(flow, traced));
        match (traced, whole) {
            // A trace that makes more of the block than the balance does is not believed.
            (Some(traced), Some(whole)) if reconcile(&whole).is_possible() => {
                let payments = own.payments_with(traced, pay_to, header.timestamp);
                Ok(block_of(header, payments, reconcile(&whole)))
            }
            // Code at the address may have sent on at once what arrived.
            _ if reconciliation == Reconciliation::Exact => {
                Ok(block_of(header, own.payments(pay_to, header.timestamp), Reconciliation::Unchecked))
            }
            _ => Ok(block_of(header, own.payments(pay_to, header.timestamp), reconciliation)),
        }
    }

    /// A block whose balance is not known. An old one is read all the same; of a new one it will be known in a moment.
    async fn unchecked(&self, header: Header, pay_to: EthAddress) -> Result<WatchedBlock, ChainError> {
        if header.number > 0 && self.block_number().await?.saturating_sub(header.number) < KEPT_STATES {
            return Err(ChainError::Disagree { what: "the balance after a new block" });
        }
        let own = self.own_transfers(header, pay_to).await?;
        Ok(block_of(header, own.payments(pay_to, header.timestamp), Reconciliation::Unchecked))
    }
}

/// What was found, and what contracts moved besides.
fn within(mut flow: Flow, traced: &[TracedTransaction]) -> Flow {
    for transfer in traced.iter().flat_map(|transaction| &transaction.transfers) {
        match transfer {
            TracedTransfer::Arrived { value, .. } => flow.arrive(*value),
            TracedTransfer::Left { value } => flow.leave(*value),
        }
    }
    flow
}

/// A block in which nothing arrived.
pub(crate) fn quiet(header: Header) -> WatchedBlock {
    block_of(header, Vec::new(), Reconciliation::Exact)
}

fn block_of(header: Header, payments: Vec<SeenPayment>, reconciliation: Reconciliation) -> WatchedBlock {
    let Header { number, hash, parent_hash, timestamp } = header;
    WatchedBlock { number, hash, parent_hash, timestamp, payments, reconciliation }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderText<'a> {
    number: &'a str,
    hash: B256,
    parent_hash: B256,
    timestamp: &'a str,
}

impl Node {
    async fn header(&self, number: u64) -> Result<Option<Header>, NodeError> {
        let params = json!([format!("{number:#x}"), false]);
        let answer = self.raw("eth_getBlockByNumber", params, HEADER_BYTES_MAX).await?;
        let Some(text) = answer.read::<HeaderText<'_>>()? else { return Ok(None) };
        if count(text.number)? != number {
            return Err(NodeError::silent("gave another block than was asked for"));
        }
        let seconds = i64::try_from(count(text.timestamp)?).ok();
        let timestamp = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let timestamp = timestamp.ok_or_else(|| NodeError::silent("gave a block without a readable time"))?;
        Ok(Some(Header { number, hash: text.hash.into(), parent_hash: text.parent_hash.into(), timestamp }))
    }

    /// What an account is after a block; `None` where this node does not know.
    async fn account(&self, address: EthAddress, after: BlockHash) -> Result<Option<AccountState>, NodeError> {
        let params = || json!([address, {"blockHash": after}]);
        let ask = |method| self.raw(method, params(), STATE_BYTES_MAX);
        let (balance, nonce, code) = futures::try_join!(ask("eth_getBalance"), ask("eth_getTransactionCount"), ask("eth_getCode"))?;
        let texts = [known(balance.read::<&str>())?, known(nonce.read())?, known(code.read())?];
        let [Some(balance), Some(nonce), Some(code)] = texts else { return Ok(None) };
        Ok(Some(AccountState { balance: wei(balance)?, nonce: count(nonce)?, has_code: code.len() > "0x".len() }))
    }
}

/// A node that keeps no old states refuses, each kind in its own words.
fn known<T>(answer: Result<Option<T>, NodeError>) -> Result<Option<T>, NodeError> {
    match answer {
        Err(NodeError::Refused { .. }) => Ok(None),
        other => other,
    }
}
