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
