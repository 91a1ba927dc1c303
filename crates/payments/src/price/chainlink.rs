//! Chainlink's ETH/USD feed on Base, one voice among the venues. It is read from several nodes by quorum, so that one lying node
//! can silence it and never make it lie.

use super::Figure;
use crate::chain::{ChainError, Nodes};
use std::time::Duration;

/// The feed, through our own nodes.
pub(super) struct Feed {
    nodes: Nodes,
}

impl Feed {
    pub(super) fn new(urls: &[String], deadline: Duration) -> Result<Self, ChainError> {
        Ok(Self { nodes: Nodes::with_deadline(urls, deadline)? })
    }

    /// The newest round, if the feed is what it should be and the sequencer is up. Its age is judged with the others'.
    pub(super) async fn read(&self) -> Result<Figure, String> {
        let round = self.nodes.feed_round_now().await.map_err(|error| error.to_string())?;
        Ok(Figure { usd_per_eth: round.usd_per_eth, as_of: Some(round.updated_at), block_time: Some(round.block_time) })
    }
}
