//! Asking several nodes the same: whom, for how long, and when it is enough.
//!
//! Nodes that failed lately rest and are asked only where the others are too few or contradict each other. A question ends as
//! soon as no further answer could change the result. Where one could, the slower nodes are waited for: for a short grace if the
//! answers are close to each other, for their whole deadline if they are not.

use super::{ChainError, NodeFailure, Nodes, health::HEIGHT_LAG_MAX, node::Node, node::NodeError, quorum};
use aispace_units::BASE_CHAIN_ID;
use futures::{StreamExt, future::Either, stream::FuturesUnordered};
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long the slower nodes are waited for when the answers so far are close: as long again as the others took, within these.
const GRACE_MIN: Duration = Duration::from_millis(100);
const GRACE_MAX: Duration = Duration::from_millis(750);
/// How long a node that does not rest is waited for when it shall name its chain: nothing is signed while any names another.
const CHAIN_GRACE: Duration = Duration::from_secs(2);
/// How old the newest block of a chain that lives may be by our clock.
const HEAD_AGE_SECONDS_MAX: i64 = 60;

/// Whether the answers so far are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// No further answer can change the result.
    Yes,
    /// A further answer can change it a little.
    Nearly,
    /// They say nothing yet.
    No,
}

/// Which state of the chain a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The newest: a node that is behind has no say.
    Newest,
    /// What is the same whenever a node knows it.
    Any,
    /// Which chain it is; asked of those that rest, too.
    Chain,
}

struct Answer<T> {
    value: T,
    head: Option<Head>,
}

/// A node's newest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) seconds: u64,
}

/// A question under way: what has been answered and what has not.
struct Round<T> {
    began: Instant,
    answers: BTreeMap<usize, Answer<T>>,
    failures: Vec<(String, NodeError)>,
    waiting: Vec<usize>,
    asleep: Vec<usize>,
}

impl Nodes {
    /// Asks every node the same and gathers the answers: at least [`Nodes::needed`] of them.
    pub(super) async fn ask<T, F, Told>(&self, read: F) -> Result<Vec<T>, ChainError>
    where
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        self.ask_until(About::Any, read, |_, _| Settled::Nearly).await
    }

    /// As [`Nodes::ask`], until the answers are enough. `settled` is given the answers that count and how many may yet come.
    pub(super) async fn ask_until<T, F, Told>(
        &self,
        about: About,
        read: F,
        settled: impl Fn(&[&T], usize) -> Settled,
    ) -> Result<Vec<T>, ChainError>
    where
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        let round = self.gather(about, read, settled).await;
        self.conclude(round)
    }

    /// How many nodes name chain 8453 when they are asked anew. One that names another spoils it, however many do.
    pub(super) async fn ask_all_for_chain(&self) -> Result<usize, ChainError> {
        let round = self.gather(About::Chain, |node| async move { node.check_chain().await }, |_, _| Settled::Nearly).await;
        let wrong = round.failures.iter().find_map(|(node, error)| wrong_for_good(node, error));
        match wrong {
            Some(wrong) => Err(wrong),
            None => Ok(self.conclude(round)?.len()),
        }
    }

    async fn gather<T, F, Told>(&self, about: About, read: F, settled: impl Fn(&[&T], usize) -> Settled) -> Round<T>
    where
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        let began = Instant::now();
        let (rested, rise): (Vec<usize>, Vec<usize>) = (0..self.asked()).partition(|at| self.node(*at).health().is_resting(began));
        let (asleep, awake) = if about == About::Chain { (Vec::new(), (0..self.asked()).collect()) } else { (rested.clone(), rise) };
        let mut round = Round { began, answers: BTreeMap::new(), failures: Vec::new(), waiting: Vec::new(), asleep };
        let mut pending = FuturesUnordered::new();
        let mut next = awake;
        let mut enough_after = None;
        loop {
            for at in next.drain(..) {
                round.waiting.push(at);
                pending.push(self.ask_one(at, about, &read));
            }
            let standing = self.standing(&round, &settled);
            // Too few, or a contradiction: those that rest are better than nothing.
            let short = self.count(&round).saturating_add(round.waiting.len()) < self.needed();
            if !round.asleep.is_empty() && (short || (round.waiting.is_empty() && standing == Some(Settled::No))) {
                next = std::mem::take(&mut round.asleep);
                continue;
            }
            let until = match standing {
                Some(Settled::Yes) => break,
                Some(Settled::Nearly) => {
                    let took = *enough_after.get_or_insert_with(|| began.elapsed());
                    let matters = |at: &usize| !rested.contains(at) || self.node(*at).health().is_foreign();
                    let patient = about == About::Chain && round.waiting.iter().any(matters);
                    Some(took.saturating_add(if patient { CHAIN_GRACE } else { took.clamp(GRACE_MIN, GRACE_MAX) }))
                }
                Some(Settled::No) | None => None,
            };
            let answered = match until.and_then(|until| began.checked_add(until)) {
                Some(until) => Either::Left(timeout_at(until, pending.next())),
                None => Either::Right(async { Ok(pending.next().await) }),
            };
            match answered.await {
                Ok(Some((at, told))) => self.note(&mut round, at, told),
                Ok(None) => break,
                Err(_) => {
                    for at in &round.waiting {
                        let late = NodeError::silent("does not say which chain it serves");
                        let health = self.node(*at).health();
                        if about == About::Chain { health.failed(&late, Instant::now()) } else { health.cut_off(Instant::now()) }
                    }
                    break;
                }
            }
        }
        round
    }

    /// One node's answer, for questions that are not put to all at once.
    pub(super) async fn ask_one_within<T, F, Told>(&self, node: Arc<Node>, deadline: Duration, read: &F) -> (String, Result<T, NodeError>)
    where
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        let began = Instant::now();
        let asked = async {
            node.ensure_chain().await?;
            read(Arc::clone(&node)).await
        };
        let answer =
            tokio::time::timeout(deadline, asked).await.unwrap_or_else(|_| Err(NodeError::silent("no answer before the deadline")));
        match &answer {
            Ok(_) => node.health().answered(began.elapsed()),
            Err(error) => node.health().failed(error, Instant::now()),
        }
        (node.name().to_string(), answer)
    }

    fn note<T>(&self, round: &mut Round<T>, at: usize, told: Result<Answer<T>, NodeError>) {
        round.waiting.retain(|waiting| *waiting != at);
        let node = self.node(at);
        match told {
            Ok(answer) => {
                node.health().answered(round.began.elapsed());
                round.answers.insert(at, answer);
            }
            Err(error) => {
                node.health().failed(&error, Instant::now());
                round.failures.push((node.name().to_string(), error));
            }
        }
    }

    async fn ask_one<T, F, Told>(&self, at: usize, about: About, read: &F) -> (usize, Result<Answer<T>, NodeError>)
    where
        F: Fn(Arc<Node>) -> Told,
        Told: Future<Output = Result<T, NodeError>>,
    {
        let node = self.node(at);
        let asked = async {
            if about != About::Chain {
                node.ensure_chain().await?;
            }
            match about {
                About::Any | About::Chain => Ok(Answer { value: read(Arc::clone(node)).await?, head: None }),
                About::Newest => {
                    let (value, head) = futures::try_join!(read(Arc::clone(node)), node.head())?;
                    Ok(Answer { value, head: Some(head) })
                }
            }
        };
        let late = |_| Err(NodeError::silent("no answer before the deadline"));
        (at, tokio::time::timeout(self.deadline, asked).await.unwrap_or_else(late))
    }

    /// How the answers that count stand; `None` while they are too few.
    fn standing<T>(&self, round: &Round<T>, settled: impl Fn(&[&T], usize) -> Settled) -> Option<Settled> {
        let counted: Vec<&T> = self.counted(round).map(|answer| &answer.value).collect();
        if counted.len() < self.needed() {
            return None;
        }
        let outstanding = round.waiting.len().saturating_add(round.asleep.len());
        // While the nodes themselves are at different heights, one of those to come tells which of them is behind.
        let heights = || round.answers.values().filter_map(|answer| answer.head).map(|head| head.number);
        let apart = heights().max().unwrap_or_default().saturating_sub(heights().min().unwrap_or_default());
        let torn = apart > HEIGHT_LAG_MAX && outstanding > 0 && counted.len() == round.answers.len();
        Some(if torn { Settled::No } else { settled(&counted, outstanding) })
    }

    fn count<T>(&self, round: &Round<T>) -> usize {
        self.counted(round).count()
    }

    fn counted<'a, T>(&'a self, round: &'a Round<T>) -> impl Iterator<Item = &'a Answer<T>> {
        round.answers.values().filter(|answer| answer.head.is_none_or(|head| self.why_stale(head).is_none()))
    }

    fn conclude<T>(&self, round: Round<T>) -> Result<Vec<T>, ChainError> {
        let Round { answers, failures, .. } = round;
        let (mut values, mut reasons) = (Vec::new(), Vec::new());
        for (at, Answer { value, head }) in answers {
            match head.and_then(|head| self.why_stale(head)) {
                None => values.push(value),
                Some(reason) => {
                    self.node(at).health().stale(&reason, Instant::now());
                    reasons.push(NodeFailure { node: self.node(at).name().to_string(), reason });
                }
            }
        }
        if values.len() >= self.needed() {
            return Ok(values);
        }
        // What is wrong for good is said before what may pass.
        if let Some(wrong) = failures.iter().find_map(|(node, error)| wrong_for_good(node, error)) {
            return Err(wrong);
        }
        reasons.extend(failures.into_iter().map(|(node, error)| NodeFailure { node, reason: error.to_string() }));
        reasons.sort_by(|a, b| a.node.cmp(&b.node));
        Err(ChainError::Unreachable { answered: values.len(), needed: self.needed(), reasons })
    }

    fn why_stale(&self, head: Head) -> Option<String> {
        if let Some(clock) = &self.clock {
            let age = clock().timestamp().saturating_sub(i64::try_from(head.seconds).unwrap_or(i64::MAX));
            if age > HEAD_AGE_SECONDS_MAX {
                return Some(format!("its newest block is {age} s old"));
            }
        }
        let height = self.height()?;
        let (behind, ahead) = (height.saturating_sub(head.number), head.number.saturating_sub(height));
        let apart = |blocks: u64, how: &str| (blocks > HEIGHT_LAG_MAX).then(|| format!("it is {blocks} blocks {how}"));
        // One that claims blocks which too few others have is no more to be believed than one that lacks them.
        apart(behind, "behind").or_else(|| apart(ahead, "ahead of the others"))
    }

    fn node(&self, at: usize) -> &Arc<Node> {
        self.nodes.get(at).expect("every index is one of this list")
    }

    /// The height that enough nodes have reached lately.
    pub(super) fn height(&self) -> Option<u64> {
        let now = Instant::now();
        let heights: Vec<u64> = self.nodes.iter().filter_map(|node| node.health().height(now)).collect();
        quorum::reached_by(heights, self.needed())
    }
}

pub(super) fn wrong_for_good(node: &str, error: &NodeError) -> Option<ChainError> {
    let node = node.to_string();
    match error {
        NodeError::WrongChain { found } => Some(ChainError::WrongChain { node, expected: BASE_CHAIN_ID, found: *found }),
        NodeError::WrongGenesis => Some(ChainError::WrongGenesis { node }),
        NodeError::Silent { .. } | NodeError::Refused { .. } | NodeError::Limited { .. } => None,
    }
}

/// Facts: enough when enough say the same.
pub(super) fn facts<T: PartialEq>(needed: usize) -> impl Fn(&[&T], usize) -> Settled {
    move |answers, _| {
        let enough = answers.iter().any(|one| answers.iter().filter(|other| *other == one).count() >= needed);
        if enough { Settled::Yes } else { Settled::No }
    }
}

/// Facts that a node may not know yet: enough when enough say the same, or when no answer to come could make it enough.
pub(super) fn known_facts<T: PartialEq>(needed: usize) -> impl Fn(&[&Option<T>], usize) -> Settled {
    move |answers, outstanding| {
        let votes = |fact: &T| answers.iter().filter(|answer| answer.as_ref() == Some(fact)).count();
        let best = answers.iter().filter_map(|answer| answer.as_ref()).map(votes).max().unwrap_or_default();
        let hopeless = best.saturating_add(outstanding) < needed;
        if best >= needed || hopeless { Settled::Yes } else { Settled::No }
    }
}

/// Figures: enough when those to come could not raise what enough of them reach; nearly, when they could raise it only to a
/// figure that is `close`.
pub(super) fn figures<T: Ord + Copy>(needed: usize, close: impl Fn(T, T) -> bool) -> impl Fn(&[&T], usize) -> Settled {
    move |answers, outstanding| {
        let mut sorted: Vec<T> = answers.iter().map(|answer| **answer).collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let at = needed.saturating_sub(1);
        let Some(reached) = sorted.get(at).copied() else { return Settled::No };
        match at.checked_sub(outstanding).and_then(|at| sorted.get(at)).copied() {
            Some(highest) if highest == reached => Settled::Yes,
            Some(highest) if close(reached, highest) => Settled::Nearly,
            _ => Settled::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs<T>(answers: &[T]) -> Vec<&T> {
        answers.iter().collect()
    }

    #[test]
    fn two_equal_facts_of_three_end_the_question() {
        let settled = facts::<u8>(2);
        assert_eq!(settled(&refs(&[7, 7]), 1), Settled::Yes);
        assert_eq!(settled(&refs(&[7, 8]), 1), Settled::No);
        assert_eq!(settled(&refs(&[7, 8, 7]), 0), Settled::Yes);
    }

    #[test]
    fn two_that_do_not_know_end_it_too() {
        let settled = known_facts::<u8>(2);
        assert_eq!(settled(&refs(&[None, None]), 1), Settled::Yes);
        assert_eq!(settled(&refs(&[Some(7), None]), 1), Settled::No);
        assert_eq!(settled(&refs(&[Some(7), Some(7)]), 1), Settled::Yes);
        assert_eq!(settled(&refs(&[Some(7), None, None]), 0), Settled::Yes);
    }

    #[test]
    fn figures_wait_as_long_as_they_could_rise() {
        let settled = figures::<u8>(2, |one, other| one.abs_diff(other) <= 5);
        assert_eq!(settled(&refs(&[10, 10]), 1), Settled::Yes);
        assert_eq!(settled(&refs(&[10, 14]), 1), Settled::Nearly);
        assert_eq!(settled(&refs(&[0, 10]), 1), Settled::No);
        assert_eq!(settled(&refs(&[0, 10]), 0), Settled::Yes);
        let of_five = figures::<u8>(3, |_, _| false);
        assert_eq!(of_five(&refs(&[9, 9, 9]), 2), Settled::Yes);
        assert_eq!(of_five(&refs(&[9, 9, 8]), 2), Settled::No);
    }
}
