//! Reads new blocks, records the payments in them and credits them.

use crate::chain::{ChainReadError, ChainReader, PriceReader};
use crate::clock::ServiceClock;
use crate::store::{Crediting, Leadership, RecordedPayment, Scanned, Store, StoreError, StoredOrder, Tx};
use aispace_payments::watch::WatchedBlock;
use aispace_units::EthUsdPrice;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How far back a first start looks: ten minutes of Base, the life of a quote.
const FIRST_LOOK_BLOCKS: u64 = 300;
/// How far back a reorganisation or a shorter chain sends the watcher. Reading a block again is harmless.
const STEP_BACK_BLOCKS: u64 = 64;
const BACK_OFF_MAX: Duration = Duration::from_secs(10);

/// What requests may know of the watcher.
#[derive(Debug, Default)]
pub(crate) struct WatchState {
    head: AtomicU64,
    reading: AtomicBool,
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
    pub(crate) prices: Arc<dyn PriceReader>,
    pub(crate) state: Arc<WatchState>,
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

    /// Reads every block up to the head, then credits what had to wait for a price.
    async fn look(&self, stop: &watch::Receiver<bool>) -> Result<(), WatchError> {
        let head = self.chain.head().await?.number;
        self.state.head.store(head, Ordering::Relaxed);
        let mut scanned = self.resume(head).await?;
        while scanned.number < head && !*stop.borrow() {
            let Some(block) = self.chain.block(scanned.number.saturating_add(1)).await? else { break };
            if scanned.hash.is_some_and(|hash| hash != block.parent_hash) {
                tracing::warn!(block = block.number, "the chain was reorganised");
                scanned = self.step_back(scanned.number).await?;
                continue;
            }
            scanned = self.take_in(&block).await?;
        }
        Ok(self.credit_late().await?)
    }

    async fn resume(&self, head: u64) -> Result<Scanned, StoreError> {
        match self.store.read((), |(), tx| Box::pin(Store::scanned(tx))).await? {
            None => Ok(Scanned { number: head.saturating_sub(FIRST_LOOK_BLOCKS), hash: None }),
            Some(scanned) if scanned.number > head => self.step_back(head).await,
            Some(scanned) => Ok(scanned),
        }
    }

    async fn step_back(&self, from: u64) -> Result<Scanned, StoreError> {
        let scanned = Scanned { number: from.saturating_sub(STEP_BACK_BLOCKS), hash: None };
        self.store.write(scanned, |scanned, tx| Box::pin(Store::set_scanned(tx, *scanned))).await?;
        Ok(scanned)
    }

    /// One block in one transaction: its payments recorded, those in time credited, the block marked as read.
    async fn take_in(&self, block: &WatchedBlock) -> Result<Scanned, StoreError> {
        let mut payments = Vec::new();
        for payment in &block.payments {
            let Some(tag) = payment.tag() else {
                tracing::warn!(transaction = %payment.hash, "a payment without a tag");
                continue;
            };
            tracing::info!(transaction = %payment.hash, block = block.number, "a payment was seen");
            payments.push(RecordedPayment {
                transaction: payment.hash,
                tag,
                payer: payment.payer.to_string(),
                value: payment.value,
                block_number: block.number,
                block_hash: block.hash,
                block_time: block.timestamp,
            });
        }
        let scanned = Scanned { number: block.number, hash: Some(block.hash) };
        let work = (payments, scanned, self.clock.now());
        let recorded = self.store.write(work, |(payments, scanned, now), tx| Box::pin(record(tx, payments, *scanned, *now)));
        recorded.await?;
        Ok(scanned)
    }

    /// Credits payments that came after their quote, at the price of now. Without a price they wait.
    async fn credit_late(&self) -> Result<(), StoreError> {
        let waiting = self.store.read((), |(), tx| Box::pin(Store::open_payments(tx))).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let price = match self.prices.price().await {
            Ok(report) => report.usd_per_eth,
            Err(error) => {
                tracing::warn!(%error, payments = waiting.len(), "late payments wait for a price");
                return Ok(());
            }
        };
        self.store.write((price, self.clock.now()), |(price, now), tx| Box::pin(credit_all(tx, *price, *now))).await
    }
}

async fn record(tx: &mut Tx, payments: &[RecordedPayment], scanned: Scanned, now: DateTime<Utc>) -> Result<(), StoreError> {
    for payment in payments {
        Store::record_payment(tx, payment).await?;
    }
    for payment in Store::open_payments(tx).await?.into_iter().filter(|p| p.block_number == scanned.number) {
        if let Some(order) = Store::order_by_tag(tx, payment.tag).await? {
            credit_in_time(tx, &order, now).await?;
        }
    }
    Store::set_scanned(tx, scanned).await
}

async fn credit_all(tx: &mut Tx, price_now: EthUsdPrice, now: DateTime<Utc>) -> Result<(), StoreError> {
    for payment in Store::open_payments(tx).await? {
        if let Some(order) = Store::order_by_tag(tx, payment.tag).await? {
            let in_time = payment.block_time <= order.order.expires;
            let price = if in_time { order.order.usd_per_eth } else { price_now };
            note(&Store::credit_payment(tx, &order, &payment, price, now).await?, &order);
        }
    }
    Ok(())
}

/// Credits an order's open payments that are in blocks no later than its quote's end, at the quoted price.
pub(crate) async fn credit_in_time(tx: &mut Tx, stored: &StoredOrder, now: DateTime<Utc>) -> Result<(), StoreError> {
    for payment in Store::creditable(tx, stored.order.tag).await? {
        if payment.block_time <= stored.order.expires {
            note(&Store::credit_payment(tx, stored, &payment, stored.order.usd_per_eth, now).await?, stored);
        }
    }
    Ok(())
}

fn note(outcome: &Crediting, stored: &StoredOrder) {
    let order = &stored.order.order_id;
    match outcome {
        Crediting::Credited(credits) => tracing::info!(order, %credits, "a payment was credited"),
        Crediting::Held(reason) => tracing::error!(order, reason, "a payment is held"),
    }
}
