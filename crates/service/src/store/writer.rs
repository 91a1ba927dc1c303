//! The one writer of a SQLite file: takes what has queued into one commit, or does a lone caller's work where it stands.

use super::sqlite::control;
use super::statement::Tx;
use super::{Change, StoreError};
use crate::metrics::StoreMetrics;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError, TryLockError};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::broadcast;

/// Work that one commit may hold. More would make the first wait for the last.
const GROUP_MAX: usize = 256;

/// A piece of work: runs in the open transaction, or not at all when there is none, then learns whether it was committed.
pub(super) type Job = Box<dyn FnOnce(Option<&mut Tx>) -> (Kept, Report) + Send>;
pub(super) type Report = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Whether what a piece of work wrote stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    No,
}

/// The connection that writes, and what it tells.
pub(super) struct Writer {
    // None once it has ended.
    tx: Mutex<Option<Tx>>,
    /// Work that was sent and not begun.
    queued: AtomicUsize,
    /// How much work the last commit held.
    last: AtomicUsize,
    changes: broadcast::Sender<Change>,
    metrics: StoreMetrics,
}

impl Writer {
    pub(super) fn new(tx: Tx, changes: broadcast::Sender<Change>, metrics: StoreMetrics) -> Self {
        Self { tx: Mutex::new(Some(tx)), queued: AtomicUsize::new(0), last: AtomicUsize::new(0), changes, metrics }
    }

    /// Notes that work is about to be sent to the queue.
    pub(super) fn expect_one(&self) {
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends when nobody can send work any more, and closes the connection.
    pub(super) fn run(&self, queue: &Receiver<Job>) {
        let began = |job: Job| {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            job
        };
        while let Ok(first) = queue.recv() {
            if let Some(tx) = &mut *self.tx.lock().unwrap_or_else(PoisonError::into_inner) {
                self.commit(tx, began(first), || queue.try_recv().ok().map(began));
            }
        }
        self.tx.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Does the work of a caller who is alone on the caller's own thread: two changes of thread take as long as a commit. Gives it back when others
    /// wait or write, or when they did a moment ago: they are better off in one commit.
    pub(super) fn at_once(&self, job: Job) -> Option<Job> {
        let is_alone = self.queued.load(Ordering::Relaxed) == 0 && self.last.load(Ordering::Relaxed) <= 1;
        let may_block = Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        if !is_alone || !may_block {
            return Some(job);
        }
        let mut held = match self.tx.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => return Some(job),
        };
        let Some(tx) = &mut *held else { return Some(job) };
        tokio::task::block_in_place(|| self.commit(tx, job, || None));
        None
    }

    /// One transaction over the first piece of work and what follows; reports to each.
    fn commit(&self, tx: &mut Tx, first: Job, next: impl FnMut() -> Option<Job>) {
        let mut reports = Vec::new();
        let outcome = group(tx, first, next, &mut reports);
        if let Err(error) = &outcome {
            tracing::error!(%error, work = reports.len(), "a commit failed");
            // Without a transaction there is nothing to undo, and that is said.
            let _ = control(tx, "ROLLBACK");
            tx.forget();
        }
        if outcome.is_ok() {
            self.metrics.committed(reports.len());
        }
        self.last.store(reports.len(), Ordering::Relaxed);
        for changed in tx.take_touched() {
            // Nobody may be listening.
            let _ = self.changes.send(Change::Account(changed));
        }
        for report in reports {
            report(outcome.as_ref().map(|&()| ()).map_err(StoreError::not_committed));
        }
    }
}

/// One transaction over all work that is waiting.
fn group(tx: &mut Tx, first: Job, mut more: impl FnMut() -> Option<Job>, reports: &mut Vec<Report>) -> Result<(), StoreError> {
    let mut state = control(tx, "BEGIN IMMEDIATE");
    let mut next = Some(first);
    while let Some(job) = next {
        if state.is_ok() {
            state = control(tx, "SAVEPOINT job");
        }
        let mark = tx.mark();
        let (kept, report) = job(state.is_ok().then_some(&mut *tx));
        reports.push(report);
        if state.is_ok() && kept == Kept::No {
            tx.forget_since(mark);
            state = control(tx, "ROLLBACK TO job");
        }
        if state.is_ok() {
            state = control(tx, "RELEASE job");
        }
        next = if state.is_ok() && reports.len() < GROUP_MAX { more() } else { None };
    }
    state?;
    control(tx, "COMMIT")
}

#[cfg(test)]
mod tests {
    use super::super::{Database, Store};
    use super::*;
    use aispace_ledger::{Account, AccountId, BatchId, BatchSource, Head, NewBatch, Posted};
    use chrono::{DateTime, Utc};
    use std::sync::mpsc::channel;
    use tokio::runtime::Builder;

    /// What a piece of work debits, and whether it then fails.
    type Debit = (i64, Kept);

    fn id() -> AccountId {
        AccountId::new("ac_1")
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("time")
    }

    fn nanos(amount: i64) -> aispace_units::NanoCredits {
        aispace_units::NanoCredits::from_nanos(amount).expect("amount")
    }

    async fn taken(tx: &mut Tx) -> Result<Account, StoreError> {
        Store::account(tx, &id()).await?.ok_or(StoreError::BadRow { what: "account" })
    }

    async fn open(store: &Store) {
        let work = store.write((), |(), tx| {
            Box::pin(async move {
                let mut account = Store::open_account(tx, &id(), None, now()).await?;
                let (before, mut posted) = (account.head(), Posted::new());
                let batch = NewBatch { id: BatchId::new("b"), source: BatchSource::Grant, note: None, amount: nanos(100), expires: None };
                account.post_grant(now(), batch, &mut posted).expect("granted");
                Store::save(tx, before, account, &posted).await
            })
        });
        work.await.expect("opened");
    }

    async fn debit(store: &Store, debit: Debit) -> Result<(), StoreError> {
        let work = store.write(debit, |(amount, kept), tx| {
            Box::pin(async move {
                let mut account = taken(tx).await?;
                let (before, mut posted) = (account.head(), Posted::new());
                account.post_debit(now(), nanos(*amount), None, &mut posted).expect("enough is there");
                Store::save(tx, before, account, &posted).await?;
                if *kept == Kept::Yes { Ok(()) } else { Err(StoreError::BadRow { what: "test" }) }
            })
        });
        work.await
    }

    /// Head and free credits: as the writer has the account at hand, and as another connection reads it from the file.
    async fn both(store: &Store) -> [(Head, i64); 2] {
        let at_hand = store.write((), |(), tx| {
            Box::pin(async move {
                let account = taken(tx).await?;
                let seen = (account.head(), account.balance_at(now()).available.nanos());
                tx.keep(account);
                Ok::<_, StoreError>(seen)
            })
        });
        let read = store.read((), |(), tx| {
            Box::pin(async move { taken(tx).await.map(|account| (account.head(), account.balance_at(now()).available.nanos())) })
        });
        [at_hand.await.expect("taken"), read.await.expect("read")]
    }

    /// On the caller's own thread, and in the queue between two that succeed.
    #[test]
    fn a_posting_whose_work_fails_leaves_nothing() {
        for (builder, alone) in [(&mut Builder::new_multi_thread(), true), (&mut Builder::new_current_thread(), false)] {
            let runtime = builder.enable_all().build().expect("a runtime");
            let folder = tempfile::tempdir().expect("a folder");
            runtime.block_on(async {
                let store = Store::open(&Database::from(folder.path().join("service.db"))).await.expect("opens");
                open(&store).await;
                let before = both(&store).await;
                assert_eq!((before[0], before[0].1), (before[1], 100));
                let mut changes = store.changes();
                assert!(debit(&store, (7, Kept::No)).await.is_err());
                assert_eq!(both(&store).await, before);
                assert!(changes.try_recv().is_err(), "a change that was undone is told");

                let (gate, opened) = channel::<()>();
                // What waits where it stands would wait for ever.
                let gate = (!alone).then_some(gate);
                let wait = store.write(Mutex::new(opened), |opened, _| {
                    Box::pin(async move {
                        // Until its sender is dropped.
                        let _ = opened.lock().map(|opened| opened.recv());
                        Ok::<_, StoreError>(())
                    })
                });
                let (waited, first, failed, last, ()) = futures::join!(
                    wait,
                    debit(&store, (1, Kept::Yes)),
                    debit(&store, (20, Kept::No)),
                    debit(&store, (3, Kept::Yes)),
                    async { drop(gate) }
                );
                assert!(waited.is_ok() && first.is_ok() && failed.is_err() && last.is_ok(), "{first:?} {failed:?} {last:?}");
                let after = both(&store).await;
                assert_eq!((after[0], after[0].1, after[0].0.entry_count), (after[1], 96, before[0].0.entry_count + 2));
                assert_eq!(store.verify().await.expect("sound"), 1);
                store.close().await;
            });
        }
    }
}
