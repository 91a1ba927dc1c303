//! What a block's own text says of one address: the transactions to it and from it, with what became of them.

use super::{
    ChainError, Header, Nodes,
    node::{Node, NodeError},
    quorum,
    raw::{aside, count, wei},
    trace::{TracedTransaction, TracedTransfer},
};
use crate::{
    BlockHash, EthAddress,
    watch::{Flow, SeenPayment},
};
use aispace_units::Wei;
use alloy::primitives::{Address, B256};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

const BLOCK_BYTES_MAX: usize = 32 * 1024 * 1024;
const RECEIPTS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Up to here receipts are asked for one by one: those of a whole block are megabytes.
const RECEIPTS_SINGLY_MAX: usize = 4;
/// The type of transactions that L1 put into the block.
const DEPOSIT: &str = "0x7e";

/// The transactions of one block that move ether to an address by themselves, or that the address sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnTransfers(Vec<OwnTransfer>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct OwnTransfer {
    /// Its place in the block.
    index: usize,
    hash: B256,
    from: Address,
    to: Option<Address>,
    value: Wei,
    input: Vec<u8>,
    /// What L1 created for its sender (deposits alone).
    minted: Wei,
    is_deposit: bool,
    succeeded: bool,
    gas_used: u64,
    gas_price: Wei,
    l1: Option<L1Fee>,
}

/// What a transaction paid beyond gas. Not every node tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct L1Fee {
    fee: Wei,
    operator_scalar: u64,
    operator_constant: u64,
}

impl Nodes {
    /// Reads a block's own text from enough nodes.
    ///
    /// # Errors
    /// [`ChainError::Disagree`] when they tell different things of the address.
    pub(super) async fn own_transfers(&self, header: Header, address: EthAddress) -> Result<OwnTransfers, ChainError> {
        let read = |node: Arc<Node>| async move { node.own_transfers(header.hash, address).await };
        let answers = self.ask_few(header.number, self.deadline, read).await?;
        if let Some(agreed) = quorum::agree(&answers, self.needed()) {
            return Ok(agreed);
        }
        let bare: Vec<_> = answers.into_iter().map(OwnTransfers::without_l1_fees).collect();
        quorum::agree(&bare, self.needed()).ok_or(ChainError::Disagree { what: "the block's payments" })
    }
}

impl OwnTransfers {
    /// What they moved to and from the address.
    pub(super) fn flow(&self, address: EthAddress) -> Flow {
        let address = address.to_alloy();
        let mut flow = Flow::default();
        for transfer in &self.0 {
            let (sent, received) = (transfer.from == address, transfer.to == Some(address));
            if sent {
                // What L1 created stays, whatever becomes of the transaction.
                flow.arrive(transfer.minted);
            }
            if sent && !transfer.is_deposit {
                let (least, most) = transfer.fee();
                flow.pay_fee(least, most);
            }
            if transfer.succeeded && sent && !received {
                flow.leave(transfer.value);
            }
            if transfer.succeeded && received && !sent {
                flow.arrive(transfer.value);
            }
        }
        flow
    }

    /// The payments among them.
    pub(super) fn payments(&self, address: EthAddress, block_time: DateTime<Utc>) -> Vec<SeenPayment> {
        self.placed(address, block_time).into_values().collect()
    }

    /// The payments among them and those that contracts made, in the block's order.
    pub(super) fn payments_with(&self, traced: Vec<TracedTransaction>, address: EthAddress, block_time: DateTime<Utc>) -> Vec<SeenPayment> {
        let mut placed = self.placed(address, block_time);
        for transaction in traced {
            let TracedTransaction { index, hash, from: tx_from, transfers } = transaction;
            let mut position = 0u32;
            for transfer in transfers {
                if let TracedTransfer::Arrived { payer, value, input } = transfer {
                    position = position.saturating_add(1);
                    placed.insert((index, position), SeenPayment { hash, position, payer, tx_from, value, input, block_time });
                }
            }
        }
        placed.into_values().collect()
    }

    fn placed(&self, address: EthAddress, block_time: DateTime<Utc>) -> BTreeMap<(usize, u32), SeenPayment> {
        let address = address.to_alloy();
        let is_payment = |transfer: &&OwnTransfer| transfer.succeeded && transfer.to == Some(address) && transfer.from != address;
        let payment = |transfer: &OwnTransfer| {
            let from = EthAddress::from_alloy(transfer.from);
            let (hash, input) = (transfer.hash.into(), transfer.input.clone());
            ((transfer.index, 0), SeenPayment { hash, position: 0, payer: from, tx_from: from, value: transfer.value, input, block_time })
        };
        self.0.iter().filter(is_payment).filter(|transfer| transfer.value != Wei::ZERO).map(payment).collect()
    }

    fn without_l1_fees(self) -> Self {
        Self(self.0.into_iter().map(|transfer| OwnTransfer { l1: None, ..transfer }).collect())
    }
}

impl OwnTransfer {
    /// The least and the most that its sender paid for it; no most where the nodes do not tell the L1 fee.
    fn fee(&self) -> (Option<Wei>, Option<Wei>) {
        let Some(gas) = self.gas_price.checked_mul(self.gas_used.into()) else { return (None, None) };
        let Some(l1) = self.l1 else { return (Some(gas), None) };
        let Some(known) = gas.checked_add(l1.fee) else { return (None, None) };
        // The operator's part was reckoned in two ways so far (Isthmus, Jovian), and a receipt does not say which is its.
        let scaled = u128::from(self.gas_used).checked_mul(l1.operator_scalar.into());
        let isthmus = scaled.and_then(|scaled| scaled.checked_div(1_000_000));
        let jovian = scaled.and_then(|scaled| scaled.checked_mul(100));
        let with = |part: Option<u128>| known.checked_add(Wei::new(part?.checked_add(l1.operator_constant.into())?));
        (with(isthmus), with(jovian))
    }
}

#[derive(Deserialize)]
struct BlockText<'a> {
    hash: B256,
    #[serde(borrow)]
    transactions: Vec<TransactionText<'a>>,
}

#[derive(Deserialize)]
struct TransactionText<'a> {
    hash: &'a str,
    from: &'a str,
    to: Option<&'a str>,
    value: &'a str,
    input: &'a str,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    mint: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptText<'a> {
    transaction_hash: B256,
    block_hash: B256,
    status: &'a str,
    gas_used: &'a str,
    effective_gas_price: Option<&'a str>,
    l1_fee: Option<&'a str>,
    operator_fee_scalar: Option<&'a str>,
    operator_fee_constant: Option<&'a str>,
}

impl Node {
    async fn own_transfers(&self, block: BlockHash, address: EthAddress) -> Result<OwnTransfers, NodeError> {
        let answer = self.raw("eth_getBlockByHash", json!([block, true]), BLOCK_BYTES_MAX).await?;
        let mut transfers = aside(move || {
            let text = answer.read::<BlockText<'_>>()?.ok_or_else(|| NodeError::silent("has the block's header but not the block"))?;
            if text.hash != B256::from(block) {
                return Err(NodeError::silent("gave another block than was asked for"));
            }
            candidates(&text.transactions, address)
        })
        .await?;
        let hashes: Vec<B256> = transfers.iter().map(|transfer| transfer.hash).collect();
        let outcomes = self.outcomes(block, &hashes).await?;
        for transfer in &mut transfers {
            let outcome = outcomes.get(&transfer.hash).ok_or_else(|| NodeError::silent("has the block but not its receipts"))?;
            (transfer.succeeded, transfer.gas_used) = (outcome.succeeded, outcome.gas_used);
            (transfer.gas_price, transfer.l1) = (outcome.gas_price, outcome.l1);
        }
        Ok(OwnTransfers(transfers))
    }

    /// What became of these transactions of a block.
    async fn outcomes(&self, block: BlockHash, hashes: &[B256]) -> Result<BTreeMap<B256, Outcome>, NodeError> {
        let one = |hash: &B256| self.raw("eth_getTransactionReceipt", json!([hash]), RECEIPTS_BYTES_MAX);
        if hashes.len() > RECEIPTS_SINGLY_MAX {
            let all = self.raw("eth_getBlockReceipts", json!([{"blockHash": block}]), RECEIPTS_BYTES_MAX).await?;
            let wanted: std::collections::BTreeSet<B256> = hashes.iter().copied().collect();
            return aside(move || {
                let texts = all.read::<Vec<ReceiptText<'_>>>()?.unwrap_or_default();
                texts.iter().filter(|text| wanted.contains(&text.transaction_hash)).map(|text| text.outcome(block)).collect()
            })
            .await;
        }
        let answers = try_join_all(hashes.iter().map(one)).await?;
        let missing = || NodeError::silent("has the block but not its receipts");
        answers.iter().map(|answer| answer.read::<ReceiptText<'_>>()?.ok_or_else(missing)?.outcome(block)).collect()
    }
}

#[derive(Clone, Copy)]
struct Outcome {
    succeeded: bool,
    gas_used: u64,
    gas_price: Wei,
    l1: Option<L1Fee>,
}

impl ReceiptText<'_> {
    fn outcome(&self, block: BlockHash) -> Result<(B256, Outcome), NodeError> {
        if self.block_hash != B256::from(block) {
            return Err(NodeError::silent("has the block but not its receipts"));
        }
        let number = |text: Option<&str>| text.map_or(Ok(0), count);
        let l1 = match self.l1_fee {
            None => None,
            Some(fee) => Some(L1Fee {
                fee: wei(fee)?,
                operator_scalar: number(self.operator_fee_scalar)?,
                operator_constant: number(self.operator_fee_constant)?,
            }),
        };
        let gas_price = self.effective_gas_price.map_or(Ok(Wei::ZERO), wei)?;
        let succeeded = match self.status {
            "0x1" => true,
            "0x0" => false,
            _ => return Err(NodeError::silent("gave a receipt without an outcome")),
        };
        Ok((self.transaction_hash, Outcome { succeeded, gas_used: count(self.gas_used)?, gas_price, l1 }))
    }
}

/// The transactions that concern the address, what became of them still open.
fn candidates(transactions: &[TransactionText<'_>], address: EthAddress) -> Result<Vec<OwnTransfer>, NodeError> {
    let text = format!("{:#x}", address.to_alloy());
    let is_ours = |address: &str| address.eq_ignore_ascii_case(&text);
    let mut found = Vec::new();
    for (index, transaction) in transactions.iter().enumerate() {
        if transaction.to.is_some_and(is_ours) || is_ours(transaction.from) {
            let candidate = transaction.candidate(index)?;
            if candidate.value != Wei::ZERO || candidate.from == address.to_alloy() {
                found.push(candidate);
            }
        }
    }
    Ok(found)
}

impl TransactionText<'_> {
    fn candidate(&self, index: usize) -> Result<OwnTransfer, NodeError> {
        let unreadable = || NodeError::silent("gave a transaction that cannot be read");
        let address = |text: &str| text.parse::<Address>().map_err(|_| unreadable());
        Ok(OwnTransfer {
            index,
            hash: self.hash.parse().map_err(|_| unreadable())?,
            from: address(self.from)?,
            to: self.to.map(address).transpose()?,
            value: wei(self.value)?,
            input: hex::decode(self.input.strip_prefix("0x").ok_or_else(unreadable)?).map_err(|_| unreadable())?,
            minted: self.mint.map_or(Ok(Wei::ZERO), wei)?,
            is_deposit: self.kind == Some(DEPOSIT),
            succeeded: false,
            gas_used: 0,
            gas_price: Wei::ZERO,
            l1: None,
        })
    }
}

#[cfg(test)]
mod tests;
