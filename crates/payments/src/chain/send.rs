//! Handing a signed transaction to every node.

use super::{ChainError, NodeFailure, Nodes, node::Node, node::NodeError};
use crate::TransactionHash;
use alloy::{
    hex,
    primitives::{B256, keccak256},
    providers::Provider,
};
use futures::future::join_all;

/// What the nodes said to a transaction. None of it means that the payment failed: its hash is to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BroadcastOutcome {
    /// At least one node took it.
    Accepted,
    /// They had it already.
    AlreadyKnown,
    /// Its nonce is used: it was mined, or another transaction took its place.
    NonceTooLow,
}

/// A transaction that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// Its hash.
    pub hash: TransactionHash,
    /// What the nodes said, the best of it.
    pub outcome: BroadcastOutcome,
    /// Nodes that took it or had it.
    pub known_by: usize,
    /// Nodes asked.
    pub asked: usize,
}

enum Answer {
    Taken(BroadcastOutcome),
    Refused(String),
    Silent(NodeFailure),
}

impl Nodes {
    /// Sends the same signed bytes to every node. Sending them again is harmless.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when no node took it and one said why; [`ChainError::Unreachable`] when none answered: it may
    /// have arrived all the same.
    pub async fn broadcast(&self, raw: &[u8]) -> Result<Broadcast, ChainError> {
        let hash = keccak256(raw);
        let answers = join_all(self.nodes.iter().map(|node| self.hand_over(node, raw, hash))).await;
        let (mut taken, mut refused, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Answer::Taken(outcome) => taken.push(outcome),
                Answer::Refused(reason) => refused.push(reason),
                Answer::Silent(failure) => reasons.push(failure),
            }
        }
        let known_by = taken.iter().filter(|outcome| **outcome != BroadcastOutcome::NonceTooLow).count();
        let best = [BroadcastOutcome::Accepted, BroadcastOutcome::AlreadyKnown, BroadcastOutcome::NonceTooLow];
        match (best.into_iter().find(|outcome| taken.contains(outcome)), refused.into_iter().next()) {
            (Some(outcome), _) => Ok(Broadcast { hash: hash.into(), outcome, known_by, asked: self.asked() }),
            (None, Some(reason)) => Err(ChainError::Refused { reason }),
            (None, None) => Err(ChainError::Unreachable { answered: 0, needed: 1, reasons }),
        }
    }

    async fn hand_over(&self, node: &Node, raw: &[u8], hash: B256) -> Answer {
        // The chain id is inside the signed bytes, so a node of another chain can only refuse them.
        let request = node.provider().raw_request::<_, B256>("eth_sendRawTransaction".into(), (hex::encode_prefixed(raw),));
        let answer = match tokio::time::timeout(self.deadline, request).await {
            Ok(answer) => answer.map_err(NodeError::from),
            Err(_) => Err(NodeError::silent("no answer before the deadline")),
        };
        match answer {
            Ok(answered) if answered == hash => Answer::Taken(BroadcastOutcome::Accepted),
            Ok(_) => Answer::Refused("a node answered with another transaction's hash".into()),
            Err(NodeError::Refused { message, .. }) => classify(message),
            Err(error) => Answer::Silent(NodeFailure { node: node.name().to_string(), reason: error.to_string() }),
        }
    }
}

/// JSON-RPC has no codes for these; the words are those of geth, reth, op-geth, Erigon, Nethermind and anvil.
fn classify(message: String) -> Answer {
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["already known", "already imported", "known transaction", "alreadyknown"]) {
        Answer::Taken(BroadcastOutcome::AlreadyKnown)
    } else if says(&["nonce too low", "nonce is too low", "oldnonce"]) {
        Answer::Taken(BroadcastOutcome::NonceTooLow)
    } else {
        Answer::Refused(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_say_known_and_spent_in_many_words() {
        for words in ["already known", "ALREADY_EXISTS: already known", "transaction already imported", "known transaction: 0x1"] {
            assert!(matches!(classify(words.into()), Answer::Taken(BroadcastOutcome::AlreadyKnown)), "{words}");
        }
        for words in ["nonce too low", "nonce too low: next nonce 4, tx nonce 3", "Nonce is too low", "OldNonce"] {
            assert!(matches!(classify(words.into()), Answer::Taken(BroadcastOutcome::NonceTooLow)), "{words}");
        }
        for words in ["insufficient funds for gas * price + value", "replacement transaction underpriced", "nonce too high"] {
            assert!(matches!(classify(words.into()), Answer::Refused(_)), "{words}");
        }
    }
}
