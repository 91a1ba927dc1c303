//! How each node does: shown to people, and the reason why a failing node is left alone for a while.

use super::node::Node;
use std::{sync::Arc, time::Duration};

/// How a node does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeHealth {
    /// Host and port; never the path, which may carry an access key.
    pub name: String,
    /// How long its last answer took.
    pub latency: Option<Duration>,
    /// Its newest block, as last told.
    pub height: Option<u64>,
    /// Blocks that it is behind the height that enough nodes reach.
    pub behind: Option<u64>,
    /// What is wrong with it now.
    pub trouble: Option<NodeTrouble>,
    /// For how long it is left alone, unless too few others answer.
    pub resting: Option<Duration>,
}

/// What is wrong with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTrouble {
    /// Why, in words.
    pub reason: String,
    /// How long ago that was.
    pub ago: Duration,
    /// Failures since it last answered.
    pub failures: u32,
}

pub(super) fn of(nodes: &[Arc<Node>]) -> Vec<NodeHealth> {
    let unasked = |node: &Arc<Node>| NodeHealth {
        name: node.name().to_string(),
        latency: None,
        height: None,
        behind: None,
        trouble: None,
        resting: None,
    };
    nodes.iter().map(unasked).collect()
}
