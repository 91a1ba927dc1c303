//! Counts by key in bounded memory: governor's algorithm (GCRA) on a table that can also be looked at without counting.

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest time between two sweeps of a full table.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

type Limiter<K, S, C> = RateLimiter<K, S, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// One limit, counted for each key.
pub(super) struct Keyed<K: Eq + Hash + Clone, C: Clock + Clone> {
    counting: Limiter<K, Counting<K>, C>,
    looking: Limiter<K, Looking<K>, C>,
    table: Arc<Table<K>>,
    clock: C,
    swept: Mutex<C::Instant>,
}

impl<K: Eq + Hash + Clone, C: Clock + Clone> Keyed<K, C> {
    pub(super) fn new(quota: Quota, clock: &C, tracked_max: usize) -> Self {
        let table = Arc::new(Table { cells: Mutex::default(), tracked_max });
        Self {
            counting: RateLimiter::new(quota, Counting(table.clone()), clock.clone()),
            looking: RateLimiter::new(quota, Looking(table.clone()), clock.clone()),
            table,
            clock: clock.clone(),
            swept: Mutex::new(clock.now()),
        }
    }

    /// Counts one more, or answers after how many whole seconds there is room for one.
    pub(super) fn count(&self, key: &K) -> Result<(), u64> {
        if self.table.is_full() {
            self.sweep();
        }
        self.counting.check_key(key).map_err(|refused| self.seconds(&refused))
    }

    /// As [`Keyed::count`], without counting.
    pub(super) fn look(&self, key: &K) -> Result<(), u64> {
        self.looking.check_key(key).map_err(|refused| self.seconds(&refused))
    }

    fn seconds(&self, refused: &NotUntil<C::Instant>) -> u64 {
        let wait = refused.wait_time_from(self.clock.now());
        wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
    }

    /// Drops the keys that are as if they had never been counted.
    fn sweep(&self) {
        let now = self.clock.now();
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if Duration::from(now.duration_since(*swept)) < SWEEP_EVERY {
                return;
            }
            *swept = now;
        }
        self.counting.retain_recent();
    }

    #[cfg(test)]
    pub(super) fn tracked(&self) -> usize {
        self.table.cells().len()
    }
}

/// For each key, when it would be fresh again.
struct Table<K> {
    cells: Mutex<HashMap<K, Nanos>>,
    tracked_max: usize,
}

impl<K> Table<K> {
    fn cells(&self) -> MutexGuard<'_, HashMap<K, Nanos>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self) -> bool {
        self.cells().len() >= self.tracked_max
    }
}

struct Counting<K>(Arc<Table<K>>);

impl<K: Eq + Hash + Clone> StateStore for Counting<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut cells = self.0.cells();
        if let Some(cell) = cells.get_mut(key) {
            let (answer, next) = f(Some(*cell))?;
            *cell = next;
            return Ok(answer);
        }
        let (answer, next) = f(None)?;
        // A full table lets newcomers through: it takes tens of thousands of addresses at once, and the other
        // choice would be to make every honest newcomer pay for them.
        if cells.len() < self.0.tracked_max {
            cells.insert(key.clone(), next);
        }
        Ok(answer)
    }
}

impl<K: Eq + Hash + Clone> ShrinkableKeyedStateStore<K> for Counting<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.cells().retain(|_, cell| *cell > drop_below);
    }

    fn len(&self) -> usize {
        self.0.cells().len()
    }

    fn is_empty(&self) -> bool {
        self.0.cells().is_empty()
    }
}

struct Looking<K>(Arc<Table<K>>);

impl<K: Eq + Hash + Clone> StateStore for Looking<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let cell = self.0.cells().get(key).copied();
        f(cell).map(|(answer, _)| answer)
    }
}
