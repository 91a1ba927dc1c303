//! SQLite's locks on a database file and on its WAL index, between the connections of one process.

use std::collections::BTreeMap;

/// Slots of the WAL index's lock (`SQLITE_SHM_NLOCK`).
const SLOTS: usize = 8;

/// A lock on the database file, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// Who holds which lock on one database file.
#[derive(Debug, Default)]
pub(crate) struct FileLocks(BTreeMap<u64, Level>);

impl FileLocks {
    fn held(&self, handle: u64) -> Level {
        self.0.get(&handle).copied().unwrap_or(Level::None)
    }

    fn strongest_of_others(&self, handle: u64) -> Level {
        self.0.iter().filter(|(other, _)| **other != handle).map(|(_, level)| *level).max().unwrap_or(Level::None)
    }

    /// Takes a lock as sqlite.org/c3ref/io_methods.html asks; false means busy. On the way to `Exclusive`, `Pending` stays.
    pub(crate) fn lock(&mut self, handle: u64, wanted: Level) -> bool {
        let others = self.strongest_of_others(handle);
        let held = self.held(handle);
        if held >= wanted {
            return true;
        }
        let free = match wanted {
            Level::None => true,
            Level::Shared => others < Level::Pending,
            Level::Reserved => others < Level::Reserved,
            Level::Pending | Level::Exclusive => others < Level::Reserved,
        };
        if !free {
            return false;
        }
        let readers = others == Level::Shared;
        let granted = if wanted == Level::Exclusive && readers { Level::Pending } else { wanted };
        self.0.insert(handle, granted);
        granted == wanted
    }

    pub(crate) fn unlock(&mut self, handle: u64, left: Level) {
        if left == Level::None {
            self.0.remove(&handle);
        } else if self.held(handle) > left {
            self.0.insert(handle, left);
        }
    }

    pub(crate) fn reserved(&self) -> bool {
        self.0.values().any(|level| *level >= Level::Reserved)
    }
}

/// The locks of one WAL index.
#[derive(Debug, Default)]
pub(crate) struct ShmLocks {
    shared: [Vec<u64>; SLOTS],
    exclusive: [Option<u64>; SLOTS],
}

impl ShmLocks {
    /// Takes all slots of a range or none; false means busy.
    pub(crate) fn lock(&mut self, handle: u64, from: usize, count: usize, exclusive: bool) -> bool {
        let slots = from.min(SLOTS)..(from + count).min(SLOTS);
        let free = slots.clone().all(|slot| {
            let no_writer = self.exclusive[slot].is_none_or(|owner| owner == handle);
            no_writer && (!exclusive || self.shared[slot].iter().all(|owner| *owner == handle))
        });
        for slot in slots.filter(|_| free) {
            if exclusive {
                self.exclusive[slot] = Some(handle);
            } else if !self.shared[slot].contains(&handle) {
                self.shared[slot].push(handle);
            }
        }
        free
    }

    pub(crate) fn unlock(&mut self, handle: u64, from: usize, count: usize) {
        for slot in from.min(SLOTS)..(from + count).min(SLOTS) {
            self.shared[slot].retain(|owner| *owner != handle);
            self.exclusive[slot] = self.exclusive[slot].filter(|owner| *owner != handle);
        }
    }

    pub(crate) fn leave(&mut self, handle: u64) {
        self.unlock(handle, 0, SLOTS);
    }
}
