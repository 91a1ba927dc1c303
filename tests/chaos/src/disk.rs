//! A disk that is a model: files in memory, a clock, and faults and crashes drawn from one seed.

use crate::dice::Dice;
use crate::locks::{FileLocks, Level, ShmLocks};
use crate::media::{Decay, Media};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why the disk refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskError {
    /// No space is left.
    Full,
    /// The device failed.
    Io,
    /// The power is off, or the handle is from before the last crash.
    Off,
    /// There is no such file.
    Missing,
    /// Another connection holds the lock.
    Busy,
}

/// How often operations fail, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Writes that find the disk full, even where nothing grows.
    pub write_full_ppm: u64,
    /// Writes that the device fails, with a part of the data written.
    pub write_io_ppm: u64,
    /// Reads that the device fails.
    pub read_io_ppm: u64,
    /// Syncs that the device fails. What was unsynced is then on the platter or lost for good, sector by sector.
    pub sync_io_ppm: u64,
    /// Nothing that makes a file longer succeeds.
    pub full: bool,
}

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The process is gone; what it wrote is still with the system.
    Process,
    /// The machine is gone; what was not synced is kept, torn or lost, sector by sector.
    Power,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reads.
    pub reads: u64,
    /// Writes and truncations.
    pub writes: u64,
    /// Syncs that succeeded.
    pub syncs: u64,
    /// Syncs that failed.
    pub syncs_failed: u64,
    /// Operations that failed by a fault, crashes aside.
    pub faults: u64,
    /// Restarts.
    pub crashes: u64,
}

/// The disk. Everything it does follows from its seed and from what is asked of it.
pub struct Disk {
    state: Mutex<State>,
}

pub(crate) type Region = Arc<[AtomicU64]>;

struct State {
    dice: Dice,
    faults: Faults,
    power: Power,
    sector: usize,
    powersafe: bool,
    now_us: u64,
    trace: u64,
    tally: Tally,
    next: u64,
    files: BTreeMap<u64, File>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    pending_names: Vec<NameChange>,
    handles: BTreeMap<u64, Open>,
    /// WAL indexes of ended processes: a connection that was not closed may still point there.
    retired: Vec<Region>,
}

#[derive(Debug, Clone, Copy)]
enum Power {
    On,
    /// Goes off within the operation after this many that change something.
    FailsAfter(u64),
    Off,
}

#[derive(Default)]
struct File {
    media: Media,
    locks: FileLocks,
    shm: ShmLocks,
    regions: Vec<Region>,
}

struct Open {
    file: u64,
    delete_on_close: Option<String>,
}

#[derive(Clone)]
enum NameChange {
    Made(String, u64),
    Deleted(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Read = 1,
    Write,
    Truncate,
    Sync,
    Make,
    Delete,
}

impl Disk {
    /// An empty disk. The seed decides its sector size (512 or 4096 bytes) and whether a torn write spares the bytes around it.
    #[must_use]
    pub fn new(seed: u64) -> Arc<Self> {
        let mut dice = Dice::new(seed);
        let state = State {
            sector: if dice.percent(50) { 512 } else { 4096 },
            powersafe: dice.percent(50),
            dice,
            faults: Faults::default(),
            power: Power::On,
            now_us: 0,
            trace: seed,
            tally: Tally::default(),
            next: 1,
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            handles: BTreeMap::new(),
            retired: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how often operations fail from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Cuts the power within the write, truncation, sync, creation or deletion after this many more.
    pub fn cut_power_after(&self, operations: u64) {
        self.state().power = Power::FailsAfter(operations);
    }

    /// Takes a cut back that has not come yet.
    pub fn keep_power(&self) {
        let state = &mut *self.state();
        if !matches!(state.power, Power::Off) {
            state.power = Power::On;
        }
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self.state().power, Power::Off)
    }

    /// Ends every handle, decides what survives and switches the power on again.
    pub fn restart(&self, crash: Crash) {
        let state = &mut *self.state();
        state.handles.clear();
        state.power = Power::On;
        state.tally.crashes += 1;
        if crash == Crash::Power {
            state.lose_names();
            let decay = state.decay();
            for file in state.files.values_mut() {
                file.media.decay(&mut state.dice, decay);
                file.media.reread();
            }
        }
        let gone: Vec<u64> = state.files.keys().copied().filter(|id| !state.may_return(*id)).collect();
        for file in gone.iter().filter_map(|id| state.files.remove(id)) {
            state.retired.extend(file.regions);
        }
        for file in state.files.values_mut() {
            (file.locks, file.shm) = (FileLocks::default(), ShmLocks::default());
            state.retired.append(&mut file.regions);
        }
        state.fold(&[7, u64::from(crash == Crash::Power)]);
    }

    /// Microseconds that have passed on this disk's clock: what its operations took, and [`Disk::pass`].
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.state().now_us
    }

    /// Lets time pass.
    pub fn pass(&self, us: u64) {
        self.state().now_us += us;
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally
    }

    /// A number that is equal for two runs only if they asked and were answered the same, operation by operation.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.state().trace
    }

    pub(crate) fn random(&self, bytes: &mut [u8]) {
        let state = &mut *self.state();
        for byte in bytes {
            *byte = state.dice.draw().to_le_bytes()[0];
        }
    }

    pub(crate) fn sector(&self) -> usize {
        self.state().sector
    }

    /// Whether a torn write spares the bytes around it. SQLite takes that for granted on Unix.
    #[must_use]
    pub fn is_powersafe(&self) -> bool {
        self.state().powersafe
    }

    /// Opens a file; without a name, one that nobody else sees.
    pub(crate) fn open(&self, name: Option<&str>, create: bool, delete_on_close: bool) -> Result<u64, DiskError> {
        let state = &mut *self.state();
        let known = name.and_then(|name| state.names.get(name).copied());
        let file = match (known, name) {
            (Some(_), _) | (None, None) if matches!(state.power, Power::Off) => return Err(DiskError::Off),
            (Some(file), _) => file,
            (None, None) => state.make(),
            (None, Some(_)) if !create => return Err(DiskError::Missing),
            (None, Some(name)) => {
                let goes_off = state.step(Op::Make, 0, 0, 0)?;
                let file = state.make();
                state.names.insert(name.to_owned(), file);
                state.pending_names.push(NameChange::Made(name.to_owned(), file));
                off(goes_off)?;
                file
            }
        };
        let handle = state.fresh();
        let delete_on_close = name.filter(|_| delete_on_close).map(str::to_owned);
        state.handles.insert(handle, Open { file, delete_on_close });
        Ok(handle)
    }

    pub(crate) fn close(&self, handle: u64) {
        let state = &mut *self.state();
        let Some(open) = state.handles.remove(&handle) else { return };
        if let Some(file) = state.files.get_mut(&open.file) {
            file.locks.unlock(handle, Level::None);
            file.shm.leave(handle);
        }
        if let Some(name) = open.delete_on_close {
            state.names.remove(&name);
            state.pending_names.push(NameChange::Deleted(name));
        }
        let in_use = state.handles.values().any(|o| o.file == open.file);
        if !in_use
            && !state.may_return(open.file)
            && let Some(file) = state.files.remove(&open.file)
        {
            state.retired.extend(file.regions);
        }
    }

    pub(crate) fn delete(&self, name: &str, sync_directory: bool) -> Result<(), DiskError> {
        let state = &mut *self.state();
        if !state.names.contains_key(name) {
            return Err(DiskError::Missing);
        }
        let goes_off = state.step(Op::Delete, 0, 0, 0)?;
        state.names.remove(name);
        state.pending_names.push(NameChange::Deleted(name.to_owned()));
        if sync_directory && !goes_off {
            state.sync_names(usize::MAX);
        }
        off(goes_off)
    }

    pub(crate) fn exists(&self, name: &str) -> Result<bool, DiskError> {
        let state = self.state();
        if matches!(state.power, Power::Off) { Err(DiskError::Off) } else { Ok(state.names.contains_key(name)) }
    }

    pub(crate) fn size(&self, handle: u64) -> Result<usize, DiskError> {
        let state = &mut *self.state();
        Ok(state.file(handle)?.1.media.len())
    }

    /// Reads what is there and answers how many bytes that were.
    pub(crate) fn read(&self, handle: u64, offset: usize, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let state = &mut *self.state();
        let id = state.file(handle)?.0;
        state.step(Op::Read, id, offset, buffer.len())?;
        state.tally.reads += 1;
        let chance = state.faults.read_io_ppm;
        state.fault(chance, DiskError::Io)?;
        Ok(state.file(handle)?.1.media.read(offset, buffer))
    }

    pub(crate) fn write(&self, handle: u64, offset: usize, data: &[u8]) -> Result<(), DiskError> {
        let state = &mut *self.state();
        let (id, file) = state.file(handle)?;
        let grows = offset + data.len() > file.media.len();
        let goes_off = state.step(Op::Write, id, offset, data.len())?;
        state.tally.writes += 1;
        let (sector, faults) = (state.sector, state.faults);
        let full = if faults.full && grows { 1_000_000 } else { faults.write_full_ppm };
        let failed = state.fault(full, DiskError::Full).and_then(|()| state.fault(faults.write_io_ppm, DiskError::Io));
        // A write that fails may have written a part.
        let part = if failed.is_ok() { data.len() } else { state.dice.index(data.len()) };
        let part = if failed == Err(DiskError::Full) && faults.full { 0 } else { part };
        state.file(handle)?.1.media.write(offset, &data[..part], sector);
        failed.and_then(|()| off(goes_off))
    }

    pub(crate) fn truncate(&self, handle: u64, length: usize) -> Result<(), DiskError> {
        let state = &mut *self.state();
        let (id, file) = state.file(handle)?;
        let grows = length > file.media.len();
        let goes_off = state.step(Op::Truncate, id, length, 0)?;
        state.tally.writes += 1;
        let full = if state.faults.full && grows { 1_000_000 } else { 0 };
        state.fault(full, DiskError::Full)?;
        state.file(handle)?.1.media.truncate(length);
        off(goes_off)
    }

    /// Makes a file's contents and its name durable.
    pub(crate) fn sync(&self, handle: u64) -> Result<(), DiskError> {
        let state = &mut *self.state();
        let id = state.file(handle)?.0;
        off(state.step(Op::Sync, id, 0, 0)?)?;
        let chance = state.faults.sync_io_ppm;
        if let Err(error) = state.fault(chance, DiskError::Io) {
            state.tally.syncs_failed += 1;
            // Bytes that were not written are in danger when power fails, not when a write does.
            let decay = Decay { powersafe: true, ..state.decay() };
            let mut dice = state.dice.split();
            let evicted = state.dice.percent(30);
            let media = &mut state.file(handle)?.1.media;
            media.decay(&mut dice, decay);
            // The cache may drop a page that it counts as clean, and read it again from the platter.
            if evicted {
                media.reread();
            }
            return Err(error);
        }
        state.tally.syncs += 1;
        state.file(handle)?.1.media.sync();
        let made = state.pending_names.iter().rposition(|change| matches!(change, NameChange::Made(_, file) if *file == id));
        state.sync_names(made.map_or(0, |index| index + 1));
        Ok(())
    }

    pub(crate) fn lock(&self, handle: u64, level: Level) -> Result<(), DiskError> {
        let state = &mut *self.state();
        if state.file(handle)?.1.locks.lock(handle, level) { Ok(()) } else { Err(DiskError::Busy) }
    }

    pub(crate) fn unlock(&self, handle: u64, level: Level) {
        if let Ok((_, file)) = self.state().file(handle) {
            file.locks.unlock(handle, level);
        }
    }

    pub(crate) fn reserved(&self, handle: u64) -> Result<bool, DiskError> {
        Ok(self.state().file(handle)?.1.locks.reserved())
    }

    /// A region of the WAL index; none when it is not there and may not be made.
    pub(crate) fn region(&self, handle: u64, index: usize, size: usize, extend: bool) -> Result<Option<Region>, DiskError> {
        let state = &mut *self.state();
        let regions = &mut state.file(handle)?.1.regions;
        while regions.len() <= index && extend {
            regions.push((0..size.div_ceil(8)).map(|_| AtomicU64::new(0)).collect());
        }
        Ok(regions.get(index).cloned())
    }

    pub(crate) fn shm_lock(&self, handle: u64, from: usize, count: usize, exclusive: bool) -> Result<(), DiskError> {
        let state = &mut *self.state();
        if state.file(handle)?.1.shm.lock(handle, from, count, exclusive) { Ok(()) } else { Err(DiskError::Busy) }
    }

    pub(crate) fn shm_unlock(&self, handle: u64, from: usize, count: usize) {
        if let Ok((_, file)) = self.state().file(handle) {
            file.shm.unlock(handle, from, count);
        }
    }

    pub(crate) fn shm_leave(&self, handle: u64, delete: bool) {
        let state = &mut *self.state();
        let Ok((_, file)) = state.file(handle) else { return };
        file.shm.leave(handle);
        if delete {
            let mut regions = std::mem::take(&mut file.regions);
            state.retired.append(&mut regions);
        }
    }
}

fn off(goes_off: bool) -> Result<(), DiskError> {
    if goes_off { Err(DiskError::Off) } else { Ok(()) }
}

impl State {
    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn make(&mut self) -> u64 {
        let id = self.fresh();
        self.files.insert(id, File::default());
        id
    }

    fn file(&mut self, handle: u64) -> Result<(u64, &mut File), DiskError> {
        if matches!(self.power, Power::Off) {
            return Err(DiskError::Off);
        }
        let id = self.handles.get(&handle).ok_or(DiskError::Off)?.file;
        Ok((id, self.files.get_mut(&id).ok_or(DiskError::Off)?))
    }

    /// Counts an operation, lets its time pass and says whether the power goes off within it.
    fn step(&mut self, op: Op, file: u64, offset: usize, length: usize) -> Result<bool, DiskError> {
        let number = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        self.fold(&[op as u64, file, number(offset), number(length)]);
        self.now_us += match op {
            Op::Read => self.dice.between(1, 120),
            Op::Write | Op::Truncate | Op::Make | Op::Delete => self.dice.between(5, 60),
            // Now and then a device takes its time.
            Op::Sync if self.dice.ppm(2_000) => self.dice.between(100_000, 3_000_000),
            Op::Sync => self.dice.between(200, 12_000),
        };
        match self.power {
            Power::Off => Err(DiskError::Off),
            Power::FailsAfter(0) if op != Op::Read => {
                self.power = Power::Off;
                Ok(true)
            }
            Power::FailsAfter(left) if op != Op::Read => {
                self.power = Power::FailsAfter(left - 1);
                Ok(false)
            }
            Power::On | Power::FailsAfter(_) => Ok(false),
        }
    }

    fn fault(&mut self, chance_ppm: u64, error: DiskError) -> Result<(), DiskError> {
        if chance_ppm > 0 && self.dice.ppm(chance_ppm) {
            self.tally.faults += 1;
            self.fold(&[9, error as u64]);
            return Err(error);
        }
        Ok(())
    }

    /// FNV-1a over whole numbers.
    fn fold(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.trace = (self.trace ^ number).wrapping_mul(0x0100_0000_01B3).rotate_left(23);
        }
    }

    /// Each crash has a mood of its own, so that all is lost, all is kept and everything between happen.
    fn decay(&mut self) -> Decay {
        let kept_percent = self.dice.of(&[0, 15, 50, 85, 100]).copied().unwrap_or(50);
        let torn_percent = self.dice.of(&[0, 30, 90]).copied().unwrap_or(30);
        Decay { kept_percent, torn_percent, sector: self.sector, powersafe: self.powersafe }
    }

    /// Whether a file has a name, or may get it back when power fails before its deletion is durable.
    fn may_return(&self, file: u64) -> bool {
        let pending = |change: &NameChange| matches!(change, NameChange::Made(_, made) if *made == file);
        let named = |names: &BTreeMap<String, u64>| names.values().any(|f| *f == file);
        named(&self.names) || named(&self.durable_names) || self.pending_names.iter().any(pending)
    }

    fn sync_names(&mut self, count: usize) {
        for change in self.pending_names.drain(..count.min(self.pending_names.len())) {
            apply(&mut self.durable_names, change);
        }
    }

    /// A journalled directory loses its changes from the end.
    fn lose_names(&mut self) {
        let kept = self.dice.index(self.pending_names.len() + 1);
        self.sync_names(kept);
        self.pending_names.clear();
        self.names.clone_from(&self.durable_names);
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: NameChange) {
    match change {
        NameChange::Made(name, file) => drop(names.insert(name, file)),
        NameChange::Deleted(name) => drop(names.remove(&name)),
    }
}
