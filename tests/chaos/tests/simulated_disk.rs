//! The model disk is worth something: a store that keeps its word survives it, and one that does not is caught.

use aispace_chaos::{Crash, Dice, Disk, Faults, Mounted, Tally, seed_sqlite};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A store of numbered notes, with the mistakes that one can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Store {
    journal: &'static str,
    synchronous: &'static str,
    answers_before_commit: bool,
}

const SOUND: Store = Store { journal: "wal", synchronous: "full", answers_before_commit: false };

struct World {
    store: Store,
    dice: Dice,
    disk: Arc<Disk>,
    mounted: Mounted,
    connections: Option<(Connection, Connection)>,
    answered: BTreeMap<i64, Vec<u8>>,
    next: i64,
}

impl World {
    fn new(seed: u64, store: Store) -> Self {
        seed_sqlite(seed);
        let disk = Disk::new(seed);
        let mounted = Mounted::new(Arc::clone(&disk));
        Self { store, dice: Dice::new(!seed), disk, mounted, connections: None, answered: BTreeMap::new(), next: 1 }
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags_and_vfs("notes.db", flags, self.mounted.name())?;
        let Store { journal, synchronous, .. } = self.store;
        connection.query_row(&format!("PRAGMA journal_mode={journal}"), [], |_| Ok(()))?;
        connection.execute_batch(&format!(
            "PRAGMA synchronous={synchronous}; PRAGMA cache_size=8; PRAGMA wal_autocheckpoint=20;
             CREATE TABLE IF NOT EXISTS notes (number INTEGER PRIMARY KEY, text BLOB NOT NULL)"
        ))?;
        Ok(connection)
    }

    /// A few commits with reads between them, until one fails.
    fn work(&mut self) -> rusqlite::Result<()> {
        let (mut writer, reader) = match self.connections.take() {
            Some(pair) => pair,
            None => (self.connect()?, self.connect()?),
        };
        for _ in 0..self.dice.between(1, 25) {
            let tx = writer.transaction()?;
            let mut group = Vec::new();
            for _ in 0..self.dice.between(1, 8) {
                let length = self.dice.index(900);
                let text: Vec<u8> = (0..length).map(|_| self.dice.draw().to_le_bytes()[3]).collect();
                tx.execute("INSERT INTO notes VALUES (?1, ?2)", (self.next, &text))?;
                group.push((self.next, text));
                self.next += 1;
            }
            if self.store.answers_before_commit {
                self.answered.extend(group.clone());
            }
            tx.commit()?;
            self.answered.extend(group);
            reader.query_row("SELECT count(*) FROM notes", [], |row| row.get::<_, i64>(0))?;
        }
        self.connections = Some((writer, reader));
        Ok(())
    }

    fn fault(&mut self) {
        self.disk.set_faults(Faults::default());
        match self.dice.below(6) {
            0 | 1 => self.disk.cut_power_after(self.dice.clone().below(60)),
            2 => self.disk.set_faults(Faults { sync_io_ppm: 30_000, ..Faults::default() }),
            3 => self.disk.set_faults(Faults { write_io_ppm: 4_000, write_full_ppm: 4_000, ..Faults::default() }),
            4 => self.disk.set_faults(Faults { read_io_ppm: 2_000, ..Faults::default() }),
            _ => self.disk.set_faults(Faults { full: true, ..Faults::default() }),
        }
    }

    /// Ends the process, sometimes the machine, and looks for what was answered.
    fn crash(&mut self) -> Result<(), String> {
        let crash = if self.dice.percent(70) || self.disk.is_off() { Crash::Power } else { Crash::Process };
        let still_open = self.connections.take();
        self.disk.set_faults(Faults::default());
        self.disk.restart(crash);
        drop(still_open);
        let seen = self.connect().and_then(|c| self.check(&c));
        seen.map_err(|error| format!("after {crash:?}: {error}")).and_then(|found| found)
    }

    fn check(&self, connection: &Connection) -> rusqlite::Result<Result<(), String>> {
        let sound: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            return Ok(Err(sound));
        }
        let mut statement = connection.prepare("SELECT number, text FROM notes")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<BTreeMap<i64, Vec<u8>>>>()?;
        let lost = self.answered.iter().find(|(number, text)| rows.get(number) != Some(text));
        Ok(lost.map_or(Ok(()), |(number, _)| Err(format!("note {number} was answered and is gone"))))
    }
}

struct Played {
    trace: u64,
    us: u64,
    answered: usize,
    tally: Tally,
}

fn play(seed: u64, store: Store) -> Result<Played, String> {
    let mut world = World::new(seed, store);
    for _ in 0..12 {
        let worked = world.work();
        if world.dice.percent(60) {
            world.fault();
        }
        if worked.is_err() || world.dice.percent(20) {
            world.crash()?;
        }
    }
    world.crash()?;
    let disk = &world.disk;
    Ok(Played { trace: disk.trace(), us: disk.now_us(), answered: world.answered.len(), tally: disk.tally() })
}

#[test]
fn a_store_that_keeps_its_word_survives() {
    let (mut us, mut answered, mut crashes, mut faults) = (0, 0, 0, 0);
    for store in [SOUND, Store { journal: "delete", synchronous: "extra", ..SOUND }] {
        for seed in 0..120 {
            let played = play(seed, store).unwrap_or_else(|why| panic!("{store:?}, seed {seed}: {why}"));
            (us, answered) = (us + played.us, answered + played.answered);
            (crashes, faults) = (crashes + played.tally.crashes, faults + played.tally.faults);
        }
    }
    assert!(us > 60_000_000 && answered > 10_000 && crashes > 500 && faults > 100, "{us} us, {answered}, {crashes}, {faults}");
}

#[test]
fn a_store_that_breaks_its_word_is_caught_within_a_few_seeds() {
    for broken in [
        Store { synchronous: "off", ..SOUND },
        Store { synchronous: "normal", ..SOUND },
        // The deletion of a rollback journal is the commit, and only `extra` makes it durable (sqlite.org/pragma.html#pragma_synchronous).
        Store { journal: "delete", ..SOUND },
        Store { answers_before_commit: true, ..SOUND },
    ] {
        let caught = (0..20).find_map(|seed| play(seed, broken).err().map(|why| (seed, why)));
        assert!(caught.is_some(), "20 seeds found nothing wrong with {broken:?}");
    }
}

#[test]
fn a_seed_is_a_history() {
    let trace = |seed| play(seed, SOUND).unwrap_or_else(|why| panic!("seed {seed}: {why}")).trace;
    let (first, second) = (trace(7), trace(8));
    assert_eq!(first, trace(7));
    assert_ne!(first, second);
}
