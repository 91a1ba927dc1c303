//! Simulated chaos: callers, a clock that jumps, a disk that fails and machines that lose power, all drawn from one number. Beside them a
//! naive model says what every answer must be, and after every crash what must be there.
//!
//! `AISPACE_CHAOS_SEED=n` plays one history alone; `AISPACE_CHAOS_HISTORIES=n` chooses how many follow a random first one.

mod both;
mod caller;
mod machine;
#[path = "../../../ledger/tests/support/mod.rs"]
mod support;

use aispace_chaos::{Crash, Dice, Faults};
use caller::{Caller, Keyed};
use machine::{Answered, Asked, Machine};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use support::naive;

pub(crate) use machine::random;

const HISTORIES: u64 = 32;
const ROUNDS: u64 = 100;
const CALLERS: usize = 4;

/// Calls of one commit that failed. Only a later commit, or what a crash leaves, says whether they are there.
struct Undecided {
    calls: Vec<(usize, Keyed)>,
    /// Nothing but the commit itself can have failed: they are all there or none is.
    whole: bool,
}

/// What has happened in a history, or in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Events {
    simulated_us: u64,
    calls: u64,
    posted: u64,
    refused: u64,
    repeated: u64,
    commits_failed: u64,
    /// Commits that failed and were found whole after a crash.
    surfaced: u64,
    crashes: u64,
    faults: u64,
    trace: u64,
}

struct History {
    dice: Dice,
    machine: Machine,
    callers: Vec<Caller>,
    undecided: Vec<Undecided>,
    events: Events,
    /// How many syncs had failed when the service was last started.
    syncs_failed: u64,
}

/// Plays one history; the events, or what went wrong.
fn play(seed: u64) -> Result<Events, String> {
    let mut history = History {
        dice: Dice::new(!seed),
        machine: Machine::new(seed),
        callers: Vec::new(),
        undecided: Vec::new(),
        events: Events::default(),
        syncs_failed: 0,
    };
    if history.dice.percent(30) {
        history.machine.write_first_version().map_err(|e| format!("the first version: {e}"))?;
    }
    history.boot()?;
    for round in 0..ROUNDS {
        let at = |why: String| format!("round {round}: {why}");
        history.hire();
        history.round().map_err(at)?;
        history.look().map_err(at)?;
        history.end_maybe().map_err(at)?;
    }
    history.crash(Crash::Power)?;
    let (disk, mut events) = (&history.machine.disk, history.events);
    let tally = disk.tally();
    (events.simulated_us, events.trace, events.crashes, events.faults) = (disk.now_us(), disk.trace(), tally.crashes, tally.faults);
    history.machine.stop();
    Ok(events)
}

impl History {
    /// Starts the service; now and then the power fails meanwhile.
    fn boot(&mut self) -> Result<(), String> {
        self.machine.disk.set_faults(Faults::default());
        while !self.machine.is_running() {
            let fails = self.dice.percent(25);
            if fails {
                self.machine.disk.cut_power_after(self.dice.below(60));
            }
            match self.machine.start() {
                Ok(()) if self.machine.disk.is_off() => self.machine.crash(Crash::Power),
                Ok(()) => {}
                Err(_) if self.machine.disk.is_off() => self.machine.crash(Crash::Power),
                Err(error) => return Err(format!("the service does not start: {error}")),
            }
        }
        self.machine.disk.keep_power();
        Ok(())
    }

    /// Opens accounts for callers that are new, or in the place of those that are done.
    fn hire(&mut self) {
        let undecided: BTreeSet<usize> = self.undecided.iter().flat_map(|u| u.calls.iter().map(|c| c.0)).collect();
        for place in 0..CALLERS {
            let wanted = self.callers.get(place).is_none_or(|c| c.is_done() && !undecided.contains(&place));
            if !wanted {
                continue;
            }
            let body = Some(serde_json::json!({"label": "caller"}));
            let answer =
                self.call(&Asked { method: "POST", path: "/v1/accounts".into(), body, key: None, bearer: None, now: caller::START });
            let opened: Result<aispace_api::AccountOpened, _> = serde_json::from_str(&answer.body);
            // It may fail; then it is asked again in the next round.
            let Ok(opened) = opened else { return };
            let caller = Caller::new(opened.account_id, opened.secure_key.into_exposed(), &mut self.dice);
            match self.callers.get_mut(place) {
                Some(done) => *done = caller,
                None => self.callers.push(caller),
            }
        }
    }

    fn call(&self, asked: &Asked) -> Answered {
        if self.machine.is_running() { self.machine.call(asked) } else { Answered { status: 503, body: String::new() } }
    }

    /// A few callers meet in one commit, on a disk in some mood.
    fn round(&mut self) -> Result<(), String> {
        let mut calls: Vec<(usize, Keyed)> = Vec::new();
        for _ in 0..self.dice.between(1, 12) {
            if let Some(call) = self.next_call(&calls) {
                calls.push(call);
            }
        }
        let asked: Vec<Asked> = calls.iter().map(|(place, keyed)| self.callers[*place].asked(keyed)).collect();
        let faults = self.mood();
        self.machine.disk.pass(self.dice.below(400_000));
        let busy_checkpoint = self.dice.percent(12);
        let (answers, committed) = self.machine.round(&asked, |machine| {
            if busy_checkpoint {
                machine.checkpoint("PASSIVE");
            }
        });
        let (mut failed, mut posted, mut statuses) = (Vec::new(), 0, BTreeSet::new());
        for ((place, keyed), answer) in calls.into_iter().zip(answers) {
            let answer = answer.ok_or_else(|| format!("{keyed:?} was not answered"))?;
            self.events.calls += 1;
            if answer.status >= 500 {
                failed.push((place, keyed));
                statuses.insert(answer.status);
                continue;
            }
            // What was answered before is answered again from what is kept, also by a service that writes no more.
            let repeated = self.callers[place].is_answered(keyed.key);
            self.callers[place].take_in(&keyed, &answer).map_err(|why| format!("caller {place}: {why}"))?;
            posted += u64::from(answer.status < 300 && !repeated);
            self.events.refused += u64::from(answer.status >= 400);
        }
        self.events.posted += posted;
        if posted > 0 {
            // Its place in the log is taken now.
            let superseded: Vec<_> = self.undecided.drain(..).flat_map(|u| u.calls).collect();
            self.ask_again(superseded);
        }
        match committed {
            Ok(()) => self.ask_again(failed),
            Err(_) => {
                self.events.commits_failed += 1;
                // A call whose own statements the disk refused is told so by another status, and is of no commit.
                self.undecided.push(Undecided { calls: failed, whole: faults.read_io_ppm == 0 && statuses.len() == 1 });
            }
        }
        Ok(())
    }

    fn next_call(&mut self, chosen: &[(usize, Keyed)]) -> Option<(usize, Keyed)> {
        let place = self.dice.index(self.callers.len());
        let (dice, caller) = (&mut self.dice, self.callers.get_mut(place)?);
        if dice.percent(4)
            && let Some((place, keyed)) = chosen.last()
        {
            // The same call twice at once.
            return Some((*place, *keyed));
        }
        if dice.percent(10)
            && let Some(keyed) = caller.repeated(dice)
        {
            self.events.repeated += 1;
            return Some((place, keyed));
        }
        if dice.percent(60)
            && let Some(keyed) = caller.open.pop()
        {
            return Some((place, Keyed { now: caller.now(), ..keyed }));
        }
        (!caller.is_done()).then(|| (place, caller.make_up(dice)))
    }

    /// What a client does that was not told: it will ask again with the same key.
    fn ask_again(&mut self, calls: Vec<(usize, Keyed)>) {
        for (place, keyed) in calls {
            let caller = &mut self.callers[place];
            if !caller.is_answered(keyed.key) && caller.open.iter().all(|open| open.key != keyed.key) {
                caller.open.push(keyed);
            }
        }
    }

    /// Syncs fail only where a torn write spares the bytes around it, as SQLite assumes of every disk under Unix. Elsewhere it fills its log
    /// up to the end of a sector after the sync, and a later sync that fails may lose that filling for good, and with it what follows.
    fn mood(&mut self) -> Faults {
        let sync_io_ppm = if self.machine.disk.is_powersafe() { 200_000 } else { 0 };
        let faults = match self.dice.below(20) {
            0 => Faults { sync_io_ppm, ..Faults::default() },
            1 => Faults { write_io_ppm: 30_000, ..Faults::default() },
            2 => Faults { write_full_ppm: 30_000, ..Faults::default() },
            3 => Faults { read_io_ppm: 20_000, ..Faults::default() },
            4 => Faults { full: true, ..Faults::default() },
            5 => Faults { full: true, sync_io_ppm: sync_io_ppm / 2, write_io_ppm: 10_000, read_io_ppm: 10_000, ..Faults::default() },
            _ => Faults::default(),
        };
        self.machine.disk.set_faults(faults);
        if self.dice.percent(8) {
            self.machine.disk.cut_power_after(self.dice.below(50));
        }
        faults
    }

    /// What a running service shows is what the model has; a service in trouble may say that it cannot.
    fn look(&mut self) -> Result<(), String> {
        if !self.dice.percent(25) {
            return Ok(());
        }
        let place = self.dice.index(self.callers.len());
        let Some(caller) = self.callers.get(place) else { return Ok(()) };
        let now = caller.now() + i64::try_from(self.dice.below(200_000_000)).unwrap_or(0);
        let answer = self.call(&shown(caller, now));
        if answer.status >= 500 { Ok(()) } else { caller.agrees(&answer, now).map_err(|why| format!("caller {place}: {why}")) }
    }

    fn end_maybe(&mut self) -> Result<(), String> {
        if self.dice.percent(12) {
            self.machine.read_on()?;
        }
        match self.dice.below(100) {
            0..10 => self.machine.checkpoint("PASSIVE"),
            10..13 => self.machine.checkpoint("TRUNCATE"),
            13..16 => self.machine.checkpoint("RESTART"),
            _ => {}
        }
        if self.machine.disk.is_off() {
            return self.crash(Crash::Power);
        }
        match self.dice.below(100) {
            0..5 => self.crash(Crash::Power),
            5..8 => self.crash(Crash::Process),
            8..11 => {
                if self.dice.percent(40) {
                    self.machine.disk.cut_power_after(self.dice.below(30));
                }
                self.machine.stop();
                // What follows the end of a process may be the end of the machine.
                let how = if self.machine.disk.is_off() || self.dice.percent(50) { Crash::Power } else { Crash::Process };
                self.crash(how)
            }
            _ => Ok(()),
        }
    }

    /// Ends the service, starts it again and checks everything. Where a sync has failed, the system's cache may hold what the disk has not and
    /// never will: no process that starts from it is safe, whatever it syncs, so the machine is started anew.
    fn crash(&mut self, how: Crash) -> Result<(), String> {
        let failed = self.machine.disk.tally().syncs_failed;
        let how = if failed > self.syncs_failed { Crash::Power } else { how };
        self.syncs_failed = failed;
        self.machine.crash(how);
        self.boot()?;
        self.recover().map_err(|why| format!("after {how:?}: {why}"))
    }

    fn recover(&mut self) -> Result<(), String> {
        let present = self.keys_present()?;
        let undecided = std::mem::take(&mut self.undecided);
        let mut surfaced = 0;
        let mut learn = Vec::new();
        for group in undecided {
            let there: Vec<(usize, Keyed)> = self.found(&group, &present)?;
            surfaced += u64::from(!there.is_empty());
            for (place, keyed) in &there {
                self.callers[*place].posted_unseen(keyed).map_err(|why| format!("caller {place}: {why}"))?;
            }
            let absent = group.calls.into_iter().filter(|(p, k)| there.iter().all(|(q, l)| (p, k.key) != (q, l.key))).collect();
            self.ask_again(absent);
            learn.extend(there);
        }
        if surfaced > 1 {
            return Err(format!("{surfaced} commits that failed are there at once"));
        }
        self.events.surfaced += surfaced;
        for (place, keyed) in learn {
            let answer = self.machine.call(&self.callers[place].asked(&keyed));
            self.callers[place].learn(&keyed, &answer).map_err(|why| format!("caller {place}: {why}"))?;
        }
        self.check_all()
    }

    /// The idempotency keys that are kept, by caller.
    fn keys_present(&self) -> Result<Vec<BTreeSet<u64>>, String> {
        let keys = |caller: &Caller| {
            let rows = self.machine.rows("SELECT 0, key FROM idempotency WHERE scope = ?1", &caller.account)?;
            Ok(rows.into_iter().filter_map(|(_, key)| key.strip_prefix("key-").and_then(|n| n.parse().ok())).collect())
        };
        self.callers.iter().map(|caller| keys(caller).map_err(|e: rusqlite::Error| e.to_string())).collect()
    }

    /// Which calls of a failed commit are there after all.
    fn found(&self, group: &Undecided, present: &[BTreeSet<u64>]) -> Result<Vec<(usize, Keyed)>, String> {
        let mut there: Vec<(usize, Keyed)> = Vec::new();
        let mut missing = Vec::new();
        let mut models: Vec<_> = self.callers.iter().map(|c| c.model.clone()).collect();
        for (place, keyed) in &group.calls {
            let seen = self.callers[*place].is_answered(keyed.key) || there.iter().any(|(p, k)| (p, k.key) == (place, keyed.key));
            if seen || missing.contains(&(*place, keyed.key)) {
                continue;
            }
            if present[*place].contains(&keyed.key) {
                models[*place] = models[*place].call(keyed.now, &keyed.call).map_err(|why| format!("{keyed:?} is there: {why:?}"))?;
                there.push((*place, *keyed));
            } else if let Ok(model) = models[*place].call(keyed.now, &keyed.call) {
                if there.is_empty() {
                    models[*place] = model;
                }
                missing.push((*place, keyed.key));
            }
        }
        let torn = group.whole && !there.is_empty() && !missing.is_empty();
        if torn { Err(format!("of one commit {there:?} are there and {missing:?} are not")) } else { Ok(there) }
    }

    /// Every account shows what its model has, every answered entry is there once, no key is kept that nobody was answered, `verify` passes.
    fn check_all(&self) -> Result<(), String> {
        let present = self.keys_present()?;
        for (place, caller) in self.callers.iter().enumerate() {
            let at = |why: String| format!("caller {place}, {}: {why}", caller.account);
            let answer = self.machine.call(&shown(caller, caller.now()));
            caller.agrees(&answer, caller.now()).map_err(at)?;
            let sql = "SELECT sequence, 'en_' || lower(substr(hex(hash), 1, 32)) FROM entries WHERE account_id = ?1";
            let there = self.machine.rows(sql, &caller.account).map_err(|e| at(e.to_string()))?;
            if let Some(lost) = caller.entries.iter().find(|(sequence, id)| !there.contains(&(**sequence, (*id).clone()))) {
                return Err(at(format!("entry {lost:?} was answered and is gone")));
            }
            let wanted = caller.answered_keys();
            if present[place] != wanted {
                return Err(at(format!("keys {:?} are kept, {wanted:?} were answered", present[place])));
            }
        }
        self.machine.verify().map(drop).map_err(|why| format!("verify: {why}"))
    }
}

fn shown(caller: &Caller, now: i64) -> Asked {
    Asked { method: "GET", path: "/v1/account".into(), body: None, key: None, bearer: Some(caller.secure_key.clone()), now }
}

/// Ten minutes and more of simulated time, on all cores.
#[test]
fn nothing_is_lost_and_nothing_is_doubled() {
    let one = number("AISPACE_CHAOS_SEED");
    let first = one.unwrap_or_else(random_seed);
    let histories = if one.is_some() { 1 } else { number("AISPACE_CHAOS_HISTORIES").unwrap_or(HISTORIES) };
    say(&format!("simulated chaos: AISPACE_CHAOS_SEED={first} and the {} after it", histories - 1));
    let (next, total, fault) = (AtomicU64::new(0), Mutex::new(Events::default()), Mutex::new(None::<(u64, String)>));
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while fault.lock().expect("no thread panics with it").is_none() {
                    let seed = first + next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + histories {
                        break;
                    }
                    match play(seed) {
                        Ok(events) => total.lock().expect("no thread panics with it").add(events),
                        Err(why) => drop(fault.lock().expect("no thread panics with it").get_or_insert((seed, why))),
                    }
                }
            });
        }
    });
    if let Some((seed, why)) = fault.into_inner().expect("no thread panics with it") {
        panic!("AISPACE_CHAOS_SEED={seed} {why}");
    }
    let events = total.into_inner().expect("no thread panics with it");
    say(&format!("{:.1} simulated minutes in {:?}: {events:?}", events.simulated_us as f64 / 60e6, started.elapsed()));
    if histories >= HISTORIES {
        assert!(events.simulated_us >= 600_000_000, "too short");
        assert!(events.posted > 2_000 && events.commits_failed > 50 && events.faults > 50 && events.crashes > histories, "too quiet");
    }
}

/// A process that is killed between a commit's writes and their sync leaves it where only the system's cache has it. Whoever asks again gets
/// the answer of that commit, so a loss of power after that may not take it away.
#[test]
fn what_is_answered_from_an_unsynced_commit_is_durable() {
    let mut unsynced = 0;
    for cut in 0..40 {
        let mut machine = Machine::new(cut);
        machine.start().expect("starts");
        let mut dice = Dice::new(cut);
        let open = Asked {
            method: "POST",
            path: "/v1/accounts".into(),
            body: Some(serde_json::json!({})),
            key: None,
            bearer: None,
            now: caller::START,
        };
        let opened: aispace_api::AccountOpened = serde_json::from_str(&machine.call(&open).body).expect("an account");
        let mut caller = Caller::new(opened.account_id, opened.secure_key.into_exposed(), &mut dice);
        let grant = Keyed { key: 1, call: naive::Call::Grant { id: 1, amount: 7, expires: None }, now: caller.now() };
        machine.disk.cut_power_after(cut);
        let told = machine.call(&caller.asked(&grant)).status < 300;
        machine.crash(Crash::Process);
        machine.start().expect("starts");
        let there = !machine.rows("SELECT sequence, '' FROM entries WHERE account_id = ?1", &caller.account).expect("read").is_empty();
        unsynced += u32::from(there && !told);
        let again = machine.call(&caller.asked(&grant));
        caller.take_in(&grant, &again).expect("it is posted once");
        machine.crash(Crash::Power);
        machine.start().expect("starts");
        let seen = machine.call(&shown(&caller, caller.now()));
        caller.agrees(&seen, caller.now()).unwrap_or_else(|why| panic!("cut {cut}: {why}"));
        machine.stop();
    }
    assert!(unsynced > 0, "no cut fell between the writes and the sync");
}

#[test]
fn a_seed_is_a_history() {
    let (one, same, other) = (play(11), play(11), play(12));
    assert_eq!(one, same);
    assert_ne!(one.map(|e| e.trace), other.map(|e| e.trace));
}

impl Events {
    fn add(&mut self, other: Self) {
        self.simulated_us += other.simulated_us;
        self.calls += other.calls;
        self.posted += other.posted;
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.commits_failed += other.commits_failed;
        self.surfaced += other.surfaced;
        self.crashes += other.crashes;
        self.faults += other.faults;
    }
}

fn random_seed() -> u64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    u64::from(u32::from_le_bytes(bytes))
}

/// What a variable of the environment says.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("stderr is open");
}
