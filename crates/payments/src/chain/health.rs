//! How each node does: shown to people, and the reason why a failing node is left alone for a while.

use super::{
    Nodes,
    node::{Node, NodeError},
};
use futures::future::join_all;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Blocks that a node may be behind before its word on the newest state does not count: ten seconds of Base.
pub(super) const HEIGHT_LAG_MAX: u64 = 5;
/// For how long a height is what other nodes are measured by.
const HEIGHT_KEPT: Duration = Duration::from_secs(60);
/// The first rest of a failing node; each further one is twice as long.
const REST_FIRST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);
/// How often in a row a node may be too slow to be waited for before it rests.
const CUT_OFFS_MAX: u32 = 3;

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

/// What is kept of one node.
#[derive(Default)]
pub(super) struct Health(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    latency: Option<Duration>,
    height: Option<(u64, Instant)>,
    trouble: Option<(String, Instant)>,
    failures: u32,
    cut_offs: u32,
    foreign: bool,
    rests_until: Option<Instant>,
}

impl Health {
    pub(super) fn answered(&self, took: Duration) {
        let mut kept = self.kept();
        *kept = Kept { latency: Some(took), height: kept.height, ..Kept::default() };
    }

    pub(super) fn reached(&self, height: u64, now: Instant) {
        self.kept().height = Some((height, now));
    }

    /// It gave no usable answer. What only this one question met is no reason to rest.
    pub(super) fn failed(&self, error: &NodeError, now: Instant) {
        let asked_for = match error {
            NodeError::Refused { .. } => {
                self.kept().trouble = Some((error.to_string(), now));
                return;
            }
            NodeError::Limited { retry_after } => retry_after.unwrap_or_default(),
            NodeError::Silent { .. } | NodeError::WrongChain { .. } | NodeError::WrongGenesis => Duration::ZERO,
        };
        if let NodeError::WrongChain { .. } | NodeError::WrongGenesis = error {
            self.kept().foreign = true;
        }
        self.rest(&error.to_string(), asked_for, now);
    }

    /// It was too slow to be waited for.
    pub(super) fn cut_off(&self, now: Instant) {
        let cut_offs = {
            let mut kept = self.kept();
            kept.cut_offs = kept.cut_offs.saturating_add(1);
            kept.cut_offs
        };
        if cut_offs >= CUT_OFFS_MAX {
            self.rest("it is much slower than the others", Duration::ZERO, now);
        }
    }

    /// It answers, but of an old state. It need not rest: it may know what is old.
    pub(super) fn stale(&self, reason: &str, now: Instant) {
        self.kept().trouble = Some((reason.to_string(), now));
    }

    pub(super) fn is_resting(&self, now: Instant) -> bool {
        self.kept().rests_until.is_some_and(|until| now < until)
    }

    /// Whether it named another chain when it was last asked.
    pub(super) fn is_foreign(&self) -> bool {
        self.kept().foreign
    }

    /// The height last told, unless that was long ago.
    pub(super) fn height(&self, now: Instant) -> Option<u64> {
        self.kept().height.filter(|(_, at)| now.saturating_duration_since(*at) <= HEIGHT_KEPT).map(|(height, _)| height)
    }

    fn rest(&self, reason: &str, asked_for: Duration, now: Instant) {
        let mut kept = self.kept();
        // Questions that were under way together fail together; that is one failure.
        if kept.rests_until.is_none_or(|until| until <= now) {
            let doubled = REST_FIRST.saturating_mul(1 << kept.failures.min(6));
            kept.failures = kept.failures.saturating_add(1);
            kept.rests_until = now.checked_add(doubled.max(asked_for).min(REST_MAX));
        }
        kept.trouble = Some((reason.to_string(), now));
    }

    fn shown(&self, name: &str, reached: Option<u64>, now: Instant) -> NodeHealth {
        let kept = self.kept();
        let height = kept.height.map(|(height, _)| height);
        NodeHealth {
            name: name.to_string(),
            latency: kept.latency,
            height,
            behind: reached.zip(height).map(|(reached, height)| reached.saturating_sub(height)),
            trouble: kept.trouble.as_ref().map(|(reason, at)| NodeTrouble {
                reason: reason.clone(),
                ago: now.saturating_duration_since(*at),
                failures: kept.failures,
            }),
            resting: kept.rests_until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    /// Asks each node that does not rest for its newest block, and waits for every one: what [`Nodes::health`] tells is then of now.
    pub async fn look_at_each(&self) {
        let now = Instant::now();
        let read = |node: Arc<Node>| async move { node.head_within(Duration::ZERO).await };
        let awake = self.nodes.iter().filter(|node| !node.health().is_resting(now));
        join_all(awake.map(|node| self.ask_one_within(Arc::clone(node), self.deadline, &read))).await;
    }

    /// How each node does, in the order of their URLs. Nothing is asked.
    #[must_use]
    pub fn health(&self) -> Vec<NodeHealth> {
        let (reached, now) = (self.height(), Instant::now());
        self.nodes.iter().map(|node| node.health().shown(node.name(), reached, now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Duration = Duration::from_millis(50);

    fn silent() -> NodeError {
        NodeError::silent("no answer before the deadline")
    }

    fn resting(health: &Health, now: Instant) -> Duration {
        health.shown("node", None, now).resting.unwrap_or_default()
    }

    #[test]
    fn each_failure_doubles_the_rest_up_to_a_minute_and_an_answer_ends_it() {
        let (health, mut now) = (Health::default(), Instant::now());
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            health.failed(&silent(), now);
            assert_eq!(resting(&health, now), Duration::from_secs(seconds));
            health.failed(&silent(), now);
            assert_eq!(resting(&health, now), Duration::from_secs(seconds), "one failure while it rests already");
            now += Duration::from_secs(seconds);
            assert!(!health.is_resting(now));
        }
        health.answered(LATENCY);
        assert_eq!(health.shown("node", None, now).trouble, None);
        health.failed(&silent(), now);
        assert_eq!(resting(&health, now), Duration::from_secs(1));
    }

    #[test]
    fn a_node_that_limits_us_rests_as_long_as_it_asks() {
        let now = Instant::now();
        for (asked, rests) in [(Some(17), 17), (Some(86_400), 60), (None, 1)] {
            let health = Health::default();
            health.failed(&NodeError::Limited { retry_after: asked.map(Duration::from_secs) }, now);
            assert_eq!(resting(&health, now), Duration::from_secs(rests));
        }
    }

    #[test]
    fn a_refusal_is_shown_and_is_no_reason_to_rest() {
        let (health, now) = (Health::default(), Instant::now());
        health.failed(&NodeError::Refused { code: -32_601, message: "method not found".into() }, now);
        assert!(!health.is_resting(now));
        assert!(health.shown("node", None, now).trouble.is_some_and(|trouble| trouble.reason.contains("method not found")));
    }

    #[test]
    fn only_a_node_that_is_always_too_slow_rests() {
        let (health, now) = (Health::default(), Instant::now());
        for _ in 1..CUT_OFFS_MAX {
            health.cut_off(now);
        }
        health.answered(LATENCY);
        health.cut_off(now);
        assert!(!health.is_resting(now));
        health.cut_off(now);
        health.cut_off(now);
        assert!(health.is_resting(now));
    }

    #[test]
    fn how_far_behind_is_counted_from_what_enough_reach() {
        let (health, now) = (Health::default(), Instant::now());
        health.reached(90, now);
        assert_eq!(health.shown("node", Some(100), now).behind, Some(10));
        assert_eq!(health.shown("node", Some(80), now).behind, Some(0), "a node ahead of the others is not behind");
        assert_eq!(health.height(now + HEIGHT_KEPT), Some(90));
        assert_eq!(health.height(now + HEIGHT_KEPT + LATENCY), None);
    }
}
