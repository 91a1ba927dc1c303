//! Handing a signed transaction to every node.

use super::{ChainError, NodeFailure, Nodes, node::Node, node::NodeError};
use crate::TransactionHash;
use alloy::{
    hex,
    primitives::{B256, keccak256},
    providers::Provider,
};
use futures::{StreamExt, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long the slower nodes are waited for once one has taken it.
const STRAGGLERS: Duration = Duration::from_millis(750);

/// What the nodes said to a transaction. None of it means that the payment failed: its hash is to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BroadcastOutcome {
    /// At least one node took it.
    Accepted,
    /// They had it already.
    AlreadyKnown,
    /// Its nonce is used: it was mined, or another transaction took its place.
    NonceTooLow,
    /// Another transaction waits at its nonce and pays as much: none took this one.
    Underpriced,
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
        let raw: Arc<str> = hex::encode_prefixed(raw).into();
        // Each is handed over by a task of its own, which goes on when the answer of the slower ones is not waited for.
        let deadline = self.deadline;
        let hand_over = |node: &Arc<Node>| tokio::spawn(hand_over(Arc::clone(node), Arc::clone(&raw), hash, deadline));
        let mut pending: FuturesUnordered<_> = self.nodes.iter().map(hand_over).collect();
        let (mut taken, mut refused, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        let mut patience = Duration::MAX;
        while let Ok(Some(answer)) = tokio::time::timeout(patience, pending.next()).await {
            match answer {
                Ok(Answer::Taken(outcome)) => {
                    taken.push(outcome);
                    patience = STRAGGLERS;
                }
                Ok(Answer::Refused(reason)) => refused.push(reason),
                Ok(Answer::Silent(failure)) => reasons.push(failure),
                Err(_) => {}
            }
        }
        let known_by =
            taken.iter().filter(|outcome| matches!(outcome, BroadcastOutcome::Accepted | BroadcastOutcome::AlreadyKnown)).count();
        let best =
            [BroadcastOutcome::Accepted, BroadcastOutcome::AlreadyKnown, BroadcastOutcome::NonceTooLow, BroadcastOutcome::Underpriced];
        match (best.into_iter().find(|outcome| taken.contains(outcome)), refused.into_iter().next()) {
            (Some(outcome), _) => Ok(Broadcast { hash: hash.into(), outcome, known_by, asked: self.asked() }),
            (None, Some(reason)) => Err(ChainError::Refused { reason }),
            (None, None) => Err(ChainError::Unreachable { answered: 0, needed: 1, reasons }),
        }
    }
}

async fn hand_over(node: Arc<Node>, raw: Arc<str>, hash: B256, deadline: Duration) -> Answer {
    // The chain id is inside the signed bytes, so a node of another chain can only refuse them.
    let request = node.provider().raw_request::<_, B256>("eth_sendRawTransaction".into(), (raw,));
    let answer = match tokio::time::timeout(deadline, request).await {
        Ok(answer) => answer.map_err(NodeError::from),
        Err(_) => Err(NodeError::silent("no answer before the deadline")),
    };
    let silent = |reason: String| Answer::Silent(NodeFailure { node: node.name().to_string(), reason });
    match answer {
        Ok(answered) if answered == hash => Answer::Taken(BroadcastOutcome::Accepted),
        Ok(_) => silent("answered with another transaction's hash".into()),
        Err(NodeError::Refused { message, .. }) => classify(message),
        Err(error) => {
            node.health().failed(&error, Instant::now());
            silent(error.to_string())
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
    } else if says(&["replacement transaction underpriced", "replacementnotallowed", "could not replace existing"]) {
        Answer::Taken(BroadcastOutcome::Underpriced)
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
        for words in ["replacement transaction underpriced", "ReplacementNotAllowed", "could not replace existing tx"] {
            assert!(matches!(classify(words.into()), Answer::Taken(BroadcastOutcome::Underpriced)), "{words}");
        }
        for words in ["insufficient funds for gas * price + value", "transaction underpriced", "nonce too high"] {
            assert!(matches!(classify(words.into()), Answer::Refused(_)), "{words}");
        }
    }
}
