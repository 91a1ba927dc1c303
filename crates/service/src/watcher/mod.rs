//! Reads new blocks, records the payments in them and credits them.

#[cfg(test)]
mod tests;

use crate::chain::{ChainReadError, ChainReader};
use crate::clock::ServiceClock;
use crate::crediting::{Intake, Terms, Told, attribute, match_earlier, settle, settle_up};
use crate::metrics::Metrics;
use crate::store::{Leadership, PaymentKey, Scanned, Store, StoreError};
use aispace_api::BlockFinality;
use aispace_payments::BlockHash;
use aispace_payments::watch::{Reconciliation, Standing, WatchedBlock};
use aispace_units::{EthUsdPrice, NanoCredits};
use futures::StreamExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How far back a first start looks: ten minutes of Base, the life of a quote.
const FIRST_LOOK_BLOCKS: u64 = 300;
/// How far back a reorganisation or a shorter chain sends the watcher. Reading a block again is harmless.
const STEP_BACK_BLOCKS: u64 = 64;
/// Blocks that one transaction takes in at most.
const TAKEN_TOGETHER: usize = 32;
/// Payments that one look goes on with: a bound on calls, not on payments.
const AT_A_TIME: i64 = 200;
/// How many looks lead to one that asks for more than new blocks.
const MORE_EVERY: u64 = 10;
/// After so many blocks, a minute of Base, a block whose value is not explained is read again.
const LOOK_AGAIN_BLOCKS: u64 = 30;
const BACK_OFF_MAX: Duration = Duration::from_secs(10);

/// What requests may know of the watcher.
#[derive(Debug, Default)]
pub(crate) struct WatchState {
    head: AtomicU64,
    reading: AtomicBool,
    looked_again: AtomicU64,
    looks: AtomicU64,
}

impl WatchState {
    /// Number of the newest block seen, zero before the first.
    pub(crate) fn head(&self) -> u64 {
        self.head.load(Ordering::Relaxed)
    }

    /// Whether the last look at the chain succeeded.
    pub(crate) fn is_reading(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }
}

/// The task that watches the chain.
pub(crate) struct Watcher {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) chain: Arc<dyn ChainReader>,
    pub(crate) state: Arc<WatchState>,
    pub(crate) metrics: Arc<Metrics>,
    /// What buys at least so much is credited once its block is safe.
    pub(crate) large: NanoCredits,
    pub(crate) poll: Duration,
}

#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Chain(#[from] ChainReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Watcher {
    /// Runs until told to stop. Outages only make it wait longer between looks.
    /// Of several instances on one database, one watches.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut pause, mut right) = (self.poll, None);
        while !*stop.borrow() {
            match self.look_if_it_leads(&mut right, &stop).await {
                Ok(()) => {
                    if !self.state.reading.swap(true, Ordering::Relaxed) {
                        tracing::info!(head = self.state.head(), "reading the chain");
                    }
                    pause = self.poll;
                }
                Err(error) => {
                    self.state.reading.store(false, Ordering::Relaxed);
                    if matches!(error, WatchError::Store(_)) {
                        self.store.metrics().failed();
                    }
                    pause = pause.saturating_mul(2).min(BACK_OFF_MAX.max(self.poll));
                    tracing::warn!(%error, retry_ms = pause.as_millis(), "cannot follow the chain");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn look_if_it_leads(&self, right: &mut Option<Leadership>, stop: &watch::Receiver<bool>) -> Result<(), WatchError> {
        if let Some(held) = right
            && !held.stands().await
        {
            *right = None;
        }
        if right.is_none() {
            *right = self.store.lead().await?;
        }
        if right.is_some() {
            return self.look(stop).await;
        }
        // Confirmations are counted from the head by every instance.
        self.state.head.store(self.chain.head().await?.number, Ordering::Relaxed);
        Ok(())
    }

    /// Reads every block up to the head; now and then goes on with what waits: for its block to be safer, for a price, for holds.
    async fn look(&self, stop: &watch::Receiver<bool>) -> Result<(), WatchError> {
        let newest = self.chain.head().await?;
        let head = newest.number;
        self.state.head.store(head, Ordering::Relaxed);
        let mut scanned = self.resume(head).await?;
        if scanned.number == head && scanned.hash.is_some_and(|hash| hash != newest.hash) {
            scanned = self.step_back(head).await?;
        }
        while scanned.number < head && !*stop.borrow() {
            let Some(next) = self.read_on(scanned, stop).await? else { break };
            scanned = next;
        }
        self.settle_overlooked().await?;
        if self.is_time_for_more() {
            self.follow_finality().await?;
            self.explain(head).await?;
            self.settle_ripe().await?;
            self.settle_holds().await?;
        }
        Ok(())
    }

    /// What costs calls without a new block is done at every tenth look.
    fn is_time_for_more(&self) -> bool {
        self.state.looks.fetch_add(1, Ordering::Relaxed).checked_rem(MORE_EVERY) == Some(0)
    }

    async fn resume(&self, head: u64) -> Result<Scanned, StoreError> {
        match self.store.read((), |(), tx| Box::pin(Store::scanned(tx))).await? {
            None => Ok(Scanned { number: head.saturating_sub(FIRST_LOOK_BLOCKS), hash: None }),
            Some(scanned) if scanned.number > head => self.step_back(head).await,
            Some(scanned) => Ok(scanned),
        }
    }

    /// Goes back to where nothing can have changed: some blocks, and to the newest safe one at least.
    async fn step_back(&self, from: u64) -> Result<Scanned, StoreError> {
        let safe = self.chain.finality().await.map_or(u64::MAX, |heads| heads.safe.number);
        let scanned = Scanned { number: from.saturating_sub(STEP_BACK_BLOCKS).min(safe), hash: None };
        self.store.write(scanned, |scanned, tx| Box::pin(Store::set_scanned(tx, *scanned))).await?;
        Ok(scanned)
    }

    /// Reads from where it stands until there is no newer block, or one that does not follow the one before: then it says from where to read on.
    async fn read_on(&self, from: Scanned, stop: &watch::Receiver<bool>) -> Result<Option<Scanned>, WatchError> {
        let mut chunks = self.chain.blocks_from(from.number.saturating_add(1)).ready_chunks(TAKEN_TOGETHER);
        let mut scanned = from;
        while let Some(chunk) = chunks.next().await {
            let (mut blocks, mut ended) = (Vec::with_capacity(chunk.len()), None);
            for block in chunk {
                match block {
                    Ok(block) if scanned.hash.is_some_and(|hash| hash != block.parent_hash) => {
                        tracing::warn!(block = block.number, "the chain was reorganised");
                        ended = Some(Ended::Reorganised);
                        break;
                    }
                    Ok(block) => {
                        scanned = Scanned { number: block.number, hash: Some(block.hash) };
                        blocks.push(block);
                    }
                    Err(error) => ended = Some(Ended::Failed(error)),
                }
            }
            if !blocks.is_empty() {
                self.take_in(blocks, true).await?;
            }
            match ended {
                Some(Ended::Failed(error)) => return Err(error.into()),
                Some(Ended::Reorganised) => return Ok(Some(self.step_back(scanned.number).await?)),
                None if *stop.borrow() => break,
                None => {}
            }
        }
        Ok(None)
    }

    async fn take_in(&self, blocks: Vec<WatchedBlock>, is_progress: bool) -> Result<(), StoreError> {
        for block in &blocks {
            if let Reconciliation::Shortfall { wei } = block.reconciliation {
                tracing::warn!(block = block.number, %wei, "less is at the payment address than its payments make");
            }
        }
        let work = Intake { blocks, terms: self.terms(), is_progress };
        let all = self.store.write(work, |work, tx| Box::pin(work.take_in(tx))).await?;
        self.tell(&all);
        Ok(())
    }

    /// Looks at how final the blocks with payments are, and that they are still the chain's. One that is not sends the watcher back before it.
    async fn follow_finality(&self) -> Result<(), WatchError> {
        if !self.store.read((), |(), tx| Box::pin(Store::has_unfinished(tx))).await? {
            return Ok(());
        }
        let heads = self.chain.finality().await?;
        let (safe, last) = (heads.safe.number, heads.finalized.number);
        let work = self.store.read((safe, last), |(safe, last), tx| Box::pin(Store::unfinished_blocks(tx, *safe, *last, AT_A_TIME)));
        for (number, hash) in work.await? {
            let finality = if number <= last { BlockFinality::Final } else { BlockFinality::Safe };
            match self.chain.canonical(number, hash).await? {
                Standing::Canonical => self.mark_finality(number, hash, finality).await?,
                Standing::Unknown => {}
                Standing::Replaced => {
                    tracing::warn!(block = number, "a block with payments is in the chain no more");
                    self.step_back(number).await?;
                    // What is read from there finds it again, or takes it back.
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn mark_finality(&self, number: u64, hash: BlockHash, finality: BlockFinality) -> Result<(), StoreError> {
        let work = (number, hash, finality);
        self.store.write(work, |(number, hash, finality), tx| Box::pin(Store::set_finality(tx, *number, *hash, *finality))).await
    }

    /// Reads blocks again whose value no payment explained: another node may be able to trace them by now.
    async fn explain(&self, head: u64) -> Result<(), WatchError> {
        let before = self.state.looked_again.load(Ordering::Relaxed);
        if head < before.saturating_add(LOOK_AGAIN_BLOCKS) {
            return Ok(());
        }
        self.state.looked_again.store(head, Ordering::Relaxed);
        for number in self.store.read((), |(), tx| Box::pin(Store::unexplained_blocks(tx, AT_A_TIME))).await? {
            if let Some(block) = self.chain.block(number).await? {
                self.take_in(vec![block], false).await?;
            }
        }
        Ok(())
    }

    /// Credits what was recorded while its order was made.
    async fn settle_overlooked(&self) -> Result<(), StoreError> {
        for key in self.store.read((), |(), tx| Box::pin(Store::overlooked(tx))).await? {
            self.settle(key, None).await?;
        }
        Ok(())
    }

    /// Credits what waited for its block to be safe, or for the price of its block's time.
    async fn settle_ripe(&self) -> Result<(), StoreError> {
        let mut prices: BTreeMap<u64, Option<EthUsdPrice>> = BTreeMap::new();
        for payment in self.store.read((), |(), tx| Box::pin(Store::ripe(tx, AT_A_TIME))).await? {
            let number = payment.arrival.place.number;
            let price = match prices.get(&number) {
                Some(known) => *known,
                None => *prices.entry(number).or_insert(self.price_at(number).await),
            };
            self.settle(payment.arrival.key, price).await?;
        }
        Ok(())
    }

    async fn price_at(&self, number: u64) -> Option<EthUsdPrice> {
        match self.chain.price_at(number).await {
            Ok(price) => Some(price),
            Err(error) => {
                tracing::warn!(%error, block = number, "a late payment waits for the price of its block's time");
                None
            }
        }
    }

    async fn settle(&self, key: PaymentKey, price: Option<EthUsdPrice>) -> Result<(), StoreError> {
        let work = (key, price, self.terms());
        let told = self.store.write(work, |(key, price, terms), tx| {
            Box::pin(async move {
                let Some(mut payment) = Store::payment(tx, *key).await? else { return Ok::<_, StoreError>(Vec::new()) };
                if payment.owner.is_none() {
                    let Some(order) = Store::order_by_tag_of(tx, &payment).await? else { return Ok(Vec::new()) };
                    return match_earlier(tx, terms, &order).await;
                }
                let Some(order) = attribute(tx, &mut payment).await? else { return Ok(Vec::new()) };
                Ok(settle(tx, terms, &order, &mut payment, *price).await?.into_iter().collect())
            })
        });
        self.tell(&told.await?);
        Ok(())
    }

    async fn settle_holds(&self) -> Result<(), StoreError> {
        for key in self.store.read((), |(), tx| Box::pin(Store::undecided_payments(tx, AT_A_TIME))).await? {
            let settled = self.store.write((key, self.clock.now()), |(key, now), tx| Box::pin(settle_up(tx, *key, *now)));
            self.tell(settled.await?.as_slice());
        }
        Ok(())
    }

    fn terms(&self) -> Terms {
        Terms { large: self.large, now: self.clock.now() }
    }

    fn tell(&self, all: &[Told]) {
        for told in all {
            told.log();
            self.metrics.payment(told.event);
        }
    }
}

/// Why a chunk of blocks ended before its end.
enum Ended {
    Reorganised,
    Failed(ChainReadError),
}
