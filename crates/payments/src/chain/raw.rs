//! Answers too large to be read twice: taken as they come and read once, where they lie.
//!
//! A full block of Base is one or two megabytes, of which a watcher of payments wants a few hundred bytes.

use super::{
    ChainError, NodeFailure, Nodes,
    ask::wrong_for_good,
    node::{Node, NodeError, as_wei},
    quorum,
};
use aispace_units::Wei;
use alloy::primitives::U256;
use futures::{StreamExt, stream::FuturesUnordered};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long the nodes asked first may take before the others are asked as well.
const HEDGE: Duration = Duration::from_millis(1_500);

/// The body of an answer.
pub(super) struct RawAnswer {
    status: u16,
    body: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Envelope<T> {
    #[serde(default = "Option::default")]
    result: Option<T>,
    error: Option<RpcRefusal>,
}

#[derive(Deserialize)]
struct RpcRefusal {
    code: i64,
    #[serde(default)]
    message: String,
}

impl RawAnswer {
    /// Its result; `None` where it is null.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<Option<T>, NodeError> {
        // A JSON-RPC error may come with any status, so the body is read first.
        match serde_json::from_slice::<Envelope<T>>(&self.body) {
            Ok(Envelope { error: Some(RpcRefusal { code, message }), .. }) => Err(NodeError::of_refusal(code, &message)),
            Ok(Envelope { result, error: None }) => Ok(result),
            Err(_) if !(200..300).contains(&self.status) => Err(NodeError::Silent { reason: format!("answered HTTP {}", self.status) }),
            Err(_) => Err(NodeError::silent("gave an answer that cannot be read")),
        }
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Node {
    /// Calls a method.
    pub(super) async fn raw(&self, method: &str, params: Value, bytes_max: usize) -> Result<RawAnswer, NodeError> {
        self.raw_within(method, params, bytes_max, None).await
    }

    /// Calls a method that may take longer than others.
    pub(super) async fn raw_within(
        &self,
        method: &str,
        params: Value,
        bytes_max: usize,
        deadline: Option<Duration>,
    ) -> Result<RawAnswer, NodeError> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let answer = self.endpoint().post_json(request, bytes_max, deadline).await;
        let (status, body) = answer.map_err(|error| NodeError::of_transport(&error))?;
        Ok(RawAnswer { status, body })
    }
}

/// Runs what takes milliseconds of computing beside what waits for the network.
pub(super) async fn aside<T: Send + 'static>(compute: impl FnOnce() -> Result<T, NodeError> + Send + 'static) -> Result<T, NodeError> {
    tokio::task::spawn_blocking(compute).await.unwrap_or_else(|_| Err(NodeError::silent("gave an answer that cannot be read")))
}

impl Nodes {
    /// Asks as many nodes as must agree, and the others only when those are slow, fail or contradict each other. `turn` says
    /// which are asked first. Answers at least [`Nodes::needed`] answers.
    pub(super) async fn ask_few<T, F, Answer>(&self, turn: u64, deadline: Duration, read: F) -> Result<Vec<T>, ChainError>
    where
        T: PartialEq + Clone,
        F: Fn(Arc<Node>) -> Answer,
        Answer: Future<Output = Result<T, NodeError>>,
    {
        let (mut waiting, mut pending) = (self.in_turn(turn).into_iter(), FuturesUnordered::new());
        let (mut answers, mut reasons, mut asked, mut wrong) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut next: Vec<Arc<Node>> = waiting.by_ref().take(self.needed()).collect();
        loop {
            for node in next.drain(..) {
                asked.push(Arc::clone(&node));
                pending.push(self.ask_one_within(node, deadline, &read));
            }
            let hedge = if waiting.len() == 0 { Duration::MAX } else { HEDGE };
            let told = tokio::time::timeout(hedge, pending.next()).await;
            if let Ok(Some((name, _))) = &told {
                asked.retain(|node| node.name() != name);
            }
            match told {
                Ok(Some((_, Ok(answer)))) => answers.push(answer),
                Ok(Some((node, Err(error)))) => {
                    wrong = wrong.or(wrong_for_good(&node, &error));
                    reasons.push(NodeFailure { node, reason: error.to_string() });
                    next.extend(waiting.next());
                }
                Ok(None) if waiting.len() == 0 => break,
                Ok(None) => next.extend(waiting.by_ref()),
                Err(_) => {
                    asked.iter().for_each(|node| node.health().cut_off(Instant::now()));
                    next.extend(waiting.by_ref());
                }
            }
            if quorum::agree(&answers, self.needed()).is_some() {
                break;
            }
        }
        if answers.len() >= self.needed() {
            return Ok(answers);
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        reasons.sort_by(|a, b| a.node.cmp(&b.node));
        Err(ChainError::Unreachable { answered: answers.len(), needed: self.needed(), reasons })
    }

    /// The nodes from another one on each time, so that all carry the same load; those that rest come last.
    fn in_turn(&self, turn: u64) -> Vec<Arc<Node>> {
        let first = usize::try_from(turn).ok().and_then(|turn| turn.checked_rem(self.nodes.len())).unwrap_or_default();
        let mut turn: Vec<_> = self.nodes.iter().cycle().skip(first).take(self.nodes.len()).cloned().collect();
        let now = Instant::now();
        turn.sort_by_key(|node| node.health().is_resting(now));
        turn
    }
}

/// A quantity as JSON-RPC writes it.
pub(super) fn quantity(text: &str) -> Result<U256, NodeError> {
    let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty());
    digits.and_then(|digits| U256::from_str_radix(digits, 16).ok()).ok_or_else(|| NodeError::silent("gave a figure that is none"))
}

/// A quantity of wei.
pub(super) fn wei(text: &str) -> Result<Wei, NodeError> {
    as_wei(quantity(text)?)
}

/// A quantity that counts something.
pub(super) fn count(text: &str) -> Result<u64, NodeError> {
    u64::try_from(quantity(text)?).map_err(|_| NodeError::silent("gave a figure that is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> RawAnswer {
        RawAnswer { status, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_result_an_error_and_neither() {
        let read = |status, body: &str| answer(status, body).read::<String>();
        assert_eq!(read(200, r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#), Ok(Some("0x1".into())));
        assert_eq!(read(200, r#"{"id":1,"result":null}"#), Ok(None));
        let refused = NodeError::Refused { code: -32601, message: "no".into() };
        assert_eq!(read(200, r#"{"id":1,"error":{"code":-32601,"message":"no"}}"#), Err(refused.clone()));
        assert_eq!(read(500, r#"{"id":1,"result":null,"error":{"code":-32601,"message":"no"}}"#), Err(refused));
        assert_eq!(read(429, "slow down"), Err(NodeError::silent("answered HTTP 429")));
        for wrong in ["", "{", r#"{"result":7}"#, "[]"] {
            assert_eq!(read(200, wrong), Err(NodeError::silent("gave an answer that cannot be read")), "{wrong}");
        }
    }

    #[test]
    fn quantities_are_hex_with_a_prefix() {
        assert_eq!(count("0x10"), Ok(16));
        assert_eq!(wei("0x0"), Ok(Wei::ZERO));
        let beyond = format!("0x{}", "f".repeat(64));
        assert!(wei(&beyond).is_err() && count("0x10000000000000000").is_err());
        for wrong in ["", "0x", "10", "0xg", "0x+1", "-0x1", "0x 1"] {
            assert!(quantity(wrong).is_err(), "{wrong}");
        }
    }
}
