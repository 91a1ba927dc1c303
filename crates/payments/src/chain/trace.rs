//! The calls within a block's transactions, as `debug_traceBlockByHash` with the `callTracer` tells them.
//!
//! A trace of a full block is tens of megabytes. It is read once, from the bytes as they came, and only the transfers to and
//! from one address are kept. Calls nest up to 1,024 deep on the chain, and as deep as it likes in a liar's answer.

use super::{
    Nodes,
    node::{Node, NodeError},
    quorum,
    raw::wei,
};
use crate::{BlockHash, EthAddress, TransactionHash};
use aispace_units::Wei;
use alloy::primitives::{Address, B256};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::json;
use std::{fmt, sync::Arc, time::Duration};

const TRACE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Nodes run a block's transactions anew before they answer.
const TRACE_DEADLINE: Duration = Duration::from_secs(30);
/// The chain's limit of 1,024, and the transaction's own frame.
const DEPTH_MAX: usize = 1_100;
/// Enough for [`DEPTH_MAX`] frames of an unoptimised build; only what is used is taken.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The transfers that contracts made within one transaction, to and from the watched address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TracedTransaction {
    /// Its place in the block.
    pub(super) index: usize,
    pub(super) hash: TransactionHash,
    pub(super) from: EthAddress,
    /// In the order of execution; none that was reverted.
    pub(super) transfers: Vec<TracedTransfer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TracedTransfer {
    /// To the watched address.
    Arrived { payer: EthAddress, value: Wei, input: Vec<u8> },
    /// From the watched address, whose code sent it.
    Left { value: Wei },
}

impl Nodes {
    /// The transfers within a block's transactions, if enough nodes can tell and agree; `None` otherwise, whatever keeps them
    /// from telling: a block is not left unread for it.
    pub(super) async fn traced(&self, number: u64, block: BlockHash, address: EthAddress) -> Option<Vec<TracedTransaction>> {
        let read = |node: Arc<Node>| async move { node.traced(block, address).await };
        let answers = self.ask_few(number, TRACE_DEADLINE, read).await.ok()?;
        quorum::agree(&answers, self.needed())
    }
}

impl Node {
    async fn traced(&self, block: BlockHash, address: EthAddress) -> Result<Vec<TracedTransaction>, NodeError> {
        let params = json!([block, {"tracer": "callTracer"}]);
        let answer = self.raw_within("debug_traceBlockByHash", params, TRACE_BYTES_MAX, Some(TRACE_DEADLINE)).await?;
        let (tell, told) = futures::channel::oneshot::channel();
        let reader = std::thread::Builder::new().name("trace".into()).stack_size(STACK_BYTES);
        let read = move || {
            // Nobody waits any more: nothing is lost.
            let _ = tell.send(transfers(answer.body(), address));
        };
        reader.spawn(read).map_err(|_| NodeError::silent("gave a trace that there was no thread to read"))?;
        told.await.unwrap_or_else(|_| Err(unreadable()))
    }
}

fn unreadable() -> NodeError {
    NodeError::silent("gave a trace that cannot be read")
}

/// Reads an answer with a block's traces.
fn transfers(body: &[u8], address: EthAddress) -> Result<Vec<TracedTransaction>, NodeError> {
    let watched = format!("{:#x}", address.to_alloy());
    let mut json = serde_json::Deserializer::from_slice(body);
    // Bounded by the reader itself, which knows how deep calls can be.
    json.disable_recursion_limit();
    let mut found = Vec::new();
    let answer = json.deserialize_map(AnswerReader { watched: &watched, found: &mut found });
    match answer {
        Ok(true) if json.end().is_ok() => Ok(found),
        _ => Err(unreadable()),
    }
}

/// Reads `{result: [..]}`; whether there was a result.
struct AnswerReader<'s> {
    watched: &'s str,
    found: &'s mut Vec<TracedTransaction>,
}

impl<'de> Visitor<'de> for AnswerReader<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut has_result = false;
        while let Some(key) = map.next_key::<&str>()? {
            if key == "result" && !has_result {
                map.next_value_seed(BlockReader { watched: self.watched, found: self.found })?;
                has_result = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(has_result)
    }
}

/// Reads `[{txHash, result}, ..]`.
struct BlockReader<'s> {
    watched: &'s str,
    found: &'s mut Vec<TracedTransaction>,
}

impl<'de> DeserializeSeed<'de> for BlockReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for BlockReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the traces of a block")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut traces: A) -> Result<(), A::Error> {
        for index in 0usize.. {
            match traces.next_element_seed(TransactionReader { watched: self.watched, index })? {
                Some(transaction) => self.found.extend(transaction),
                None => break,
            }
        }
        Ok(())
    }
}

/// Reads `{txHash, result}`; `None` where nothing in it concerns the address.
struct TransactionReader<'s> {
    watched: &'s str,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for TransactionReader<'_> {
    type Value = Option<TracedTransaction>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TransactionReader<'_> {
    type Value = Option<TracedTransaction>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the trace of a transaction")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut hash, mut root, mut transfers) = (None, None, Vec::new());
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "txHash" => hash = Some(map.next_value::<B256>()?),
                "result" if root.is_none() => {
                    root = map.next_value_seed(FrameReader { watched: self.watched, found: &mut transfers, depth: 0 })?;
                }
                "error" => return Err(A::Error::custom("a transaction without a trace")),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let (Some(hash), Some(from)) = (hash, root) else { return Err(A::Error::custom("a trace without its transaction")) };
        let transfers: Vec<_> = transfers.into_iter().flatten().collect();
        let transaction = || TracedTransaction { index: self.index, hash: hash.into(), from: EthAddress::from_alloy(from), transfers };
        Ok(Some(transaction()).filter(|transaction| !transaction.transfers.is_empty()))
    }
}

/// Reads a call and the calls within it; answers who made it. A call's own transfer comes before those within it, though its
/// value may be told after them: its place is kept.
struct FrameReader<'s> {
    watched: &'s str,
    found: &'s mut Vec<Option<TracedTransfer>>,
    depth: usize,
}

/// What a call says of itself.
#[derive(Default)]
struct Frame<'de> {
    kind: &'de str,
    from: &'de str,
    to: Option<&'de str>,
    value: Option<&'de str>,
    input: Option<&'de str>,
    failed: bool,
}

impl<'de> DeserializeSeed<'de> for FrameReader<'_> {
    type Value = Option<Address>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FrameReader<'_> {
    type Value = Option<Address>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if self.depth > DEPTH_MAX {
            return Err(A::Error::custom("calls deeper than the chain allows"));
        }
        let own = self.found.len();
        self.found.push(None);
        let mut frame = Frame::default();
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "type" => frame.kind = map.next_value()?,
                "from" => frame.from = map.next_value()?,
                "to" => frame.to = map.next_value()?,
                "value" => frame.value = map.next_value()?,
                "input" => frame.input = map.next_value()?,
                "error" => frame.failed = map.next_value::<Option<IgnoredAny>>()?.is_some(),
                "calls" => {
                    let depth = self.depth.saturating_add(1);
                    map.next_value_seed(CallsReader { watched: self.watched, found: &mut *self.found, depth })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if frame.failed {
            // What a failed call moved went back, whatever was within it.
            self.found.truncate(own);
        } else if let Some(place) = self.found.get_mut(own)
            && self.depth > 0
        {
            *place = frame.transfer(self.watched).map_err(A::Error::custom)?;
        }
        if self.found.len() == own.saturating_add(1) && self.found.last().is_some_and(Option::is_none) {
            self.found.truncate(own);
        }
        if self.depth > 0 {
            return Ok(None);
        }
        frame.from.parse().map(Some).map_err(|_| A::Error::custom("a call from nobody"))
    }
}

impl Frame<'_> {
    /// What it moved to or from the watched address. A transaction's own transfer is not asked here: the block tells it.
    fn transfer(&self, watched: &str) -> Result<Option<TracedTransfer>, NodeError> {
        let is_watched = |address: &str| address.eq_ignore_ascii_case(watched);
        let (arrived, left) = (self.to.is_some_and(is_watched), is_watched(self.from));
        // The other kinds run code for somebody else or may not move ether.
        if !matches!(self.kind, "CALL" | "SELFDESTRUCT" | "CREATE" | "CREATE2") || arrived == left {
            return Ok(None);
        }
        let value = self.value.map_or(Ok(Wei::ZERO), wei)?;
        if value == Wei::ZERO {
            return Ok(None);
        }
        if left {
            return Ok(Some(TracedTransfer::Left { value }));
        }
        let payer = self.from.parse::<Address>().map_err(|_| unreadable())?;
        let digits = self.input.unwrap_or_default();
        let input = hex::decode(digits.strip_prefix("0x").unwrap_or(digits)).map_err(|_| unreadable())?;
        Ok(Some(TracedTransfer::Arrived { payer: EthAddress::from_alloy(payer), value, input }))
    }
}

/// Reads the calls within a call.
struct CallsReader<'s> {
    watched: &'s str,
    found: &'s mut Vec<Option<TracedTransfer>>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for CallsReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CallsReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("calls")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut calls: A) -> Result<(), A::Error> {
        let (watched, depth) = (self.watched, self.depth);
        while calls.next_element_seed(FrameReader { watched, found: &mut *self.found, depth })?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;
