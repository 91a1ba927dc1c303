//! Blocks in order, read ahead of what is asked for.

use super::WatchedBlock;
use crate::{
    EthAddress,
    chain::{AccountState, ChainError, Header, Nodes, quiet},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::VecDeque;
use tokio::task::JoinHandle;

/// Blocks that are read together: they share the look at the balance before and after all of them.
const WINDOW_BLOCKS: u64 = 32;
/// Windows that are read ahead. This many are in memory, whatever is still to be read.
const WINDOWS_AHEAD: usize = 2;
/// Small answers under way at once, in each window.
const READS_AT_ONCE: usize = 8;
/// Whole blocks under way at once, in each window.
const WHOLE_AT_ONCE: usize = 4;

/// Blocks in order, read ahead; from [`super::BlockReader::blocks_from`].
///
/// That a block's parent is the block before it is for the caller to see: only the caller knows what it had read before. After a
/// reorganisation the caller begins a new stream.
pub struct BlockStream {
    nodes: Nodes,
    pay_to: EthAddress,
    /// The block that is given next.
    next: u64,
    /// The first block that is not asked for yet.
    ahead: u64,
    /// The newest block, as far as is known.
    head: Option<u64>,
    ready: VecDeque<WatchedBlock>,
    windows: VecDeque<Window>,
}

/// Blocks that a task of its own reads.
struct Window {
    /// The block after its last.
    end: u64,
    read: JoinHandle<Result<Vec<WatchedBlock>, ChainError>>,
}

impl Drop for Window {
    fn drop(&mut self) {
        self.read.abort();
    }
}

impl BlockStream {
    pub(super) fn new(nodes: Nodes, pay_to: EthAddress, first: u64) -> Self {
        Self { nodes, pay_to, next: first, ahead: first, head: None, ready: VecDeque::new(), windows: VecDeque::new() }
    }

    /// The next block; `None` while the nodes have no newer one. Both that and an error leave the place as it is: the next call
    /// asks again.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn next(&mut self) -> Result<Option<WatchedBlock>, ChainError> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                self.next = self.next.saturating_add(1);
                self.read_ahead();
                return Ok(Some(block));
            }
            if self.windows.is_empty() {
                self.head = Some(newest(self.nodes.clone()).await?);
                self.ahead = self.next;
                self.read_ahead();
            }
            let Some(window) = self.windows.front_mut() else { return Ok(None) };
            // When the caller stops waiting, the window stays where it is.
            let (window_end, read) = (window.end, (&mut window.read).await);
            self.windows.pop_front();
            match read {
                Ok(Ok(blocks)) => {
                    let Some(end) = blocks.last().map(|block| block.number.saturating_add(1)) else {
                        self.windows.clear();
                        return Ok(None);
                    };
                    if end < window_end {
                        // The nodes had fewer than they said: what follows is asked for again.
                        self.windows.clear();
                        self.ahead = end;
                    }
                    self.ready.extend(blocks);
                }
                Ok(Err(error)) => {
                    self.windows.clear();
                    return Err(error);
                }
                Err(_) => {
                    self.windows.clear();
                    return Err(ChainError::Disagree { what: "the blocks" });
                }
            }
        }
    }

    /// Starts as many windows as may be under way.
    fn read_ahead(&mut self) {
        let Some(head) = self.head else { return };
        while self.windows.len() < WINDOWS_AHEAD && self.ahead <= head {
            let last = self.ahead.saturating_add(WINDOW_BLOCKS.saturating_sub(1)).min(head);
            let read = read_window(self.nodes.clone(), self.pay_to, self.ahead, last);
            self.ahead = last.saturating_add(1);
            self.windows.push_back(Window { end: self.ahead, read: tokio::spawn(read) });
        }
    }
}

/// The newest block's number. A task asks for it, as a caller that lets this wait a while must not hold up other questions about it.
async fn newest(nodes: Nodes) -> Result<u64, ChainError> {
    let asked = tokio::spawn(async move { nodes.block_number().await });
    asked.await.unwrap_or(Err(ChainError::Disagree { what: "the blocks" }))
}

/// Reads some blocks; fewer than asked for where the nodes have no more.
async fn read_window(nodes: Nodes, pay_to: EthAddress, first: u64, last: u64) -> Result<Vec<WatchedBlock>, ChainError> {
    let headers = stream::iter(first..=last).map(|number| nodes.header(number)).buffered(READS_AT_ONCE);
    let headers: Vec<Option<Header>> = headers.try_collect().await?;
    let headers: Vec<Header> = headers.into_iter().map_while(|header| header).collect();
    let Some((from, to)) = headers.first().zip(headers.last()) else { return Ok(Vec::new()) };
    let account = |after, turn| nodes.account(pay_to, after, turn);
    let (before, after) = futures::try_join!(account(from.parent_hash, from.number), account(to.hash, to.number))?;
    // The hashes lead from the one state to the other, so what is true of both is true of all between.
    if is_chain(&headers) && before.zip(after).is_some_and(|(before, after)| before.is_quiet_until(&after)) {
        return Ok(headers.into_iter().map(quiet).collect());
    }
    let states = stream::iter(headers.clone()).map(|header| account(header.hash, header.number)).buffered(READS_AT_ONCE);
    let states: Vec<Option<AccountState>> = states.try_collect().await?;
    let mut steps = Vec::new();
    let mut state = before;
    let mut parent = from.parent_hash;
    for (header, after) in headers.into_iter().zip(states) {
        let before = if header.parent_hash == parent { state } else { account(header.parent_hash, header.number).await? };
        (state, parent) = (after, header.hash);
        steps.push((header, before, after));
    }
    let blocks = stream::iter(steps).map(|(header, before, after)| nodes.watched(header, pay_to, before, after));
    blocks.buffered(WHOLE_AT_ONCE).try_collect().await
}

fn is_chain(headers: &[Header]) -> bool {
    headers.iter().zip(headers.iter().skip(1)).all(|(block, next)| next.parent_hash == block.hash)
}
