//! Random lists of calls through the service's own routes into its store, on both databases and without faults. After each call its answer,
//! what the account shows and every row of it must be what the naive model has; the log must be what the ledger posts without a store.
//!
//! Lists share a database, each with an account and a clock of its own. `AISPACE_CHAOS_SEED=n` plays one list again, without its neighbours.

use super::caller::{Caller, Keyed, START, equal, nanos};
use super::machine::{Answered, Asked, answer, routes};
use super::support::events::Both;
use super::support::naive::{Call, DAY};
use super::support::{START as LEDGER_START, at};
use super::{number, random_seed, say, shown};
use crate::store::{Row, Tx, args};
use crate::{Database, ServiceClock, Store, StoreError};
use aispace_chaos::Dice;
use aispace_ledger::{Entry, EntryKind, Taken};
use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use axum::Router;
use chrono::{DateTime, SecondsFormat};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

const ON_SQLITE: u64 = 60;
const ON_POSTGRES: u64 = 20;
const CALLS: u64 = 60;
/// Lists that are played side by side.
const AT_ONCE: usize = 8;
/// Ended batches that an account shows.
const ENDED_MAX: usize = 50;

#[test]
fn lists_of_calls_agree_with_the_naive_model_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    play_all("SQLite", &folder.path().join("service.db").into(), ON_SQLITE);
}

#[test]
fn lists_of_calls_agree_with_the_naive_model_in_postgresql() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    play_all("PostgreSQL", &server.fresh_database().expect("a database").parse().expect("an address"), ON_POSTGRES);
}

/// What was asked, and what came of it.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    calls: u64,
    posted: u64,
    refused: u64,
    repeated: u64,
    entries: u64,
    batches: u64,
}

fn play_all(name: &str, database: &Database, lists: u64) {
    let one = number("AISPACE_CHAOS_SEED");
    let (first, lists) = (one.unwrap_or_else(random_seed), if one.is_some() { 1 } else { lists });
    say(&format!("lists on {name}: AISPACE_CHAOS_SEED={first} and the {} after it", lists - 1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let started = std::time::Instant::now();
    let seen = runtime.block_on(on(database, first, lists)).unwrap_or_else(|why| panic!("{name}: {why}"));
    say(&format!("{lists} lists on {name} in {:?}: {seen:?}", started.elapsed()));
    let quiet = seen.posted < 20 * lists || seen.refused < lists || seen.repeated < lists || seen.batches < 5 * lists;
    assert!(lists == 1 || !quiet, "too quiet");
}

/// Plays some lists one after the other, for a lone caller's work takes another way into a file, and the others side by side.
async fn on(database: &Database, first: u64, lists: u64) -> Result<Seen, String> {
    let store = Store::open(database).await.map_err(|error| error.to_string())?;
    let mut seen = Seen::default();
    let alone = lists.div_ceil(3);
    for seed in first..first + alone {
        seen.add(play(store.clone(), seed).await?);
    }
    let (mut seeds, mut playing) = (first + alone..first + lists, JoinSet::new());
    loop {
        while playing.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            playing.spawn(play(store.clone(), seed));
        }
        let Some(played) = playing.join_next().await else { break };
        seen.add(played.map_err(|error| error.to_string())??);
    }
    let verified = store.verify().await.map_err(|error| format!("verify: {error}"))?;
    store.close().await;
    equal("accounts", u64::try_from(verified).unwrap_or(u64::MAX), lists)?;
    Ok(seen)
}

async fn play(store: Store, seed: u64) -> Result<Seen, String> {
    let told = |why: String| format!("AISPACE_CHAOS_SEED={seed} {why}");
    let mut list = List::open(store, seed).await.map_err(told)?;
    for place in 0..CALLS {
        list.step().await.map_err(|why| told(format!("call {place}: {why}")))?;
    }
    let batches = list.caller.model.batches.len();
    (list.seen.entries, list.seen.batches) = (list.beside.kept.account.head().entry_count, u64::try_from(batches).unwrap_or(0));
    Ok(list.seen)
}

/// An account, the model of it, and the ledger without a store.
struct List {
    dice: Dice,
    store: Store,
    clock: Arc<ServiceClock>,
    app: Router,
    caller: Caller,
    beside: Both,
    /// Entries that were compared.
    compared: usize,
    seen: Seen,
}

impl List {
    async fn open(store: Store, seed: u64) -> Result<Self, String> {
        let (mut dice, clock) = (Dice::new(seed), Arc::new(ServiceClock::for_tests()));
        let app = routes(&store, &clock);
        clock.set(DateTime::from_timestamp_millis(START));
        let body = Some(serde_json::json!({}));
        let open = Asked { method: "POST", path: "/v1/accounts".into(), body, key: None, bearer: None, now: START };
        let answered = answer(app.clone(), &open).await;
        let opened: aispace_api::AccountOpened = serde_json::from_str(&answered.body).map_err(|e| format!("{e}: {answered:?}"))?;
        let caller = Caller::new(opened.account_id, opened.secure_key.into_exposed(), &mut dice);
        Ok(Self { dice, store, clock, app, caller, beside: Both::open(), compared: 0, seen: Seen::default() })
    }

    async fn call(&self, asked: &Asked) -> Answered {
        self.clock.set(DateTime::from_timestamp_millis(asked.now));
        answer(self.app.clone(), asked).await
    }

    /// Makes a call, or one that was answered once more, and compares everything.
    async fn step(&mut self) -> Result<(), String> {
        let again = if self.dice.percent(10) { self.caller.repeated(&mut self.dice) } else { None };
        let keyed = again.unwrap_or_else(|| self.caller.make_up(&mut self.dice));
        let answered = self.call(&self.caller.asked(&keyed)).await;
        self.caller.take_in(&keyed, &answered)?;
        self.seen.calls += 1;
        self.seen.repeated += u64::from(again.is_some());
        self.seen.refused += u64::from(answered.status >= 400);
        if again.is_none() {
            self.post_beside(&keyed, &answered)?;
        }
        let at = |why: String| format!("{why}, after {keyed:?}, answered {} {}", answered.status, answered.body);
        self.look(keyed.now).await.map_err(at)?;
        if self.dice.percent(20) {
            let later = keyed.now + i64::try_from(self.dice.below(3 * DAY.unsigned_abs())).unwrap_or(0);
            self.look(later).await.map_err(at)?;
        }
        self.compare_rows().await.map_err(at)
    }

    fn post_beside(&mut self, keyed: &Keyed, answered: &Answered) -> Result<(), String> {
        match self.beside.call_ledger(keyed.now, &keyed.call) {
            Ok(sequence) if answered.status < 300 => {
                if matches!(keyed.call, Call::Debit { .. } | Call::Settle { .. }) {
                    self.beside.charged(sequence);
                }
                self.seen.posted += 1;
                let newest = self.caller.entries.last_key_value().map(|(sequence, _)| *sequence);
                equal("the sequence", newest, i64::try_from(sequence).ok())
            }
            Err(_) if answered.status >= 400 => Ok(()),
            outcome => Err(format!("{keyed:?} is answered {answered:?}, the ledger alone says {outcome:?}")),
        }
    }

    /// What the account shows at an instant.
    async fn look(&self, now: i64) -> Result<(), String> {
        let answered = self.call(&shown(&self.caller, now)).await;
        self.caller.agrees(&answered, now)?;
        let seen: Value = serde_json::from_str(&answered.body).map_err(|e| e.to_string())?;
        let mut model = self.caller.model.clone();
        model.pass(now.max(model.clock));
        let wrong = |why: String| format!("{why} at {now}: {}", answered.body);
        let view = self.beside.kept.account.view_at(at(now - LEDGER_START));
        equal("entries shown", seen["entry_count"].as_u64(), Some(view.entry_count)).map_err(wrong)?;
        equal("the next end shown", seen["next_expiry"].as_str().map(str::to_owned), model.next_expiry().map(instant)).map_err(wrong)?;

        let (shown, states) = (batches_shown(&seen).map_err(wrong)?, model.states());
        let wanted: Vec<_> = model.batches.iter().zip(states).map(|(batch, state)| (self.caller.batch(batch.name), state)).collect();
        let missing = wanted.iter().filter(|(id, _)| !shown.contains_key(id)).count();
        let unshown = wanted.len().saturating_sub(shown.len());
        equal("batches shown that there are", missing, unshown).map_err(wrong)?;
        if unshown > 0 && shown.len() < ENDED_MAX {
            return Err(wrong(format!("{unshown} batches are not shown")));
        }
        for (id, state) in wanted {
            let found = shown.get(&id).copied();
            // Beyond those that are shown, only what nobody can spend.
            let unseen = found.is_none() && state[..2] == [0, 0];
            if found != Some(state) && !unseen {
                return Err(wrong(format!("batch {id}: the service shows {found:?}, the model says {state:?}")));
            }
        }
        Ok(())
    }

    /// Every row that is stored of the account. Nothing is posted by looking, so the model is not moved either.
    async fn compare_rows(&mut self) -> Result<(), String> {
        let (id, model) = (self.caller.account.clone(), &self.caller.model);
        let after = i64::try_from(self.compared).unwrap_or(i64::MAX);
        let stored = self.store.read((id, after), |(id, after), tx| Box::pin(stored(tx, id, *after))).await;
        let stored: Stored = stored.map_err(|error| error.to_string())?;

        let entries = &self.beside.kept.entries;
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        equal("entries stored, and counted in the account", stored.counts, [count, count])?;
        let posted = entries.iter().skip(self.compared).map(|e| line(i64::try_from(e.sequence).unwrap_or(0), e)).collect::<Vec<_>>();
        equal("new entries", stored.entries, posted)?;

        let batches = model.batches.iter().zip(model.states());
        let wanted = batches.map(|(batch, state)| (self.caller.batch(batch.name), state, [batch.added, batch.expires]));
        equal("stored batches", stored.batches, wanted.collect())?;
        let wanted = model.pending_holds().into_iter();
        let wanted = wanted.map(|(id, end, amount)| (self.caller.holds.get(&id).cloned().unwrap_or_default(), end, signed(amount)));
        equal("stored holds", stored.holds, wanted.collect())?;
        let owed = self.caller.charges.iter().enumerate().map(|(charge, sequence)| (*sequence, signed(model.owed_by(charge))));
        equal("stored debts", stored.debts, owed.filter(|(_, open)| *open > 0).collect())?;
        equal("the stored allowance", stored.allowance, model.allowance.map(|(amount, since)| (signed(amount), since)))?;
        equal("the newest instant", stored.latest, Some(model.clock).filter(|clock| *clock > i64::MIN))?;
        let mut keys: Vec<String> = self.caller.answered_keys().iter().map(|key| format!("key-{key}")).collect();
        keys.sort();
        equal("idempotency keys", stored.keys, keys)?;
        self.compared = entries.len();
        Ok(())
    }
}

/// Number, instant and word of an entry, and what it changes: credits, what is held, what is owed.
type Line = (i64, i64, String, [i128; 3]);

/// What the database has of an account.
struct Stored {
    /// Rows of the log, and how many the account's own row says there are.
    counts: [i64; 2],
    latest: Option<i64>,
    allowance: Option<(i64, i64)>,
    entries: Vec<Line>,
    batches: Vec<(String, [i64; 4], [i64; 2])>,
    holds: Vec<(String, i64, i64)>,
    debts: Vec<(u64, i64)>,
    keys: Vec<String>,
}

async fn stored(tx: &mut Tx, id: &str, after: i64) -> Result<Stored, StoreError> {
    const ACCOUNT: &str = "SELECT entry_count, latest_ms, allowance, allowance_since_ms FROM accounts WHERE account_id = $1";
    const ENTRIES: &str = "SELECT sequence, at_ms, kind, body FROM entries WHERE account_id = $1 AND sequence > $2 ORDER BY sequence";
    const BATCHES: &str =
        "SELECT batch_id, left_over, held, lapsed, voided, added_ms, expires_ms FROM batches WHERE account_id = $1 ORDER BY seq";
    const HOLDS: &str = "SELECT hold_id, expires_ms, parts FROM holds WHERE account_id = $1 AND state = 'pending' ORDER BY seq";
    const DEBTS: &str = "SELECT charge, open FROM debts WHERE account_id = $1 ORDER BY charge";
    let bad = StoreError::BadRow { what: "row of the test" };
    let Some(account) = tx.optional(ACCOUNT, args![id]).await? else { return Err(bad) };
    let Some(count) = tx.optional("SELECT count(*) FROM entries WHERE account_id = $1", args![id]).await? else { return Err(bad) };
    let entry = |row: &Row| {
        let kind: EntryKind = serde_json::from_str(&row.text(3)?).map_err(|_| StoreError::BadRow { what: "entry" })?;
        Ok((row.int(0)?, row.int(1)?, row.text(2)?, changes(&kind)))
    };
    let batch = |row: &Row| Ok((row.text(0)?, [row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?], [row.int(5)?, row.int(6)?]));
    let hold = |row: &Row| {
        let parts: Vec<Taken> = serde_json::from_str(&row.text(2)?).map_err(|_| StoreError::BadRow { what: "hold" })?;
        Ok((row.text(0)?, row.int(1)?, parts.iter().map(|part| part.amount.nanos()).sum()))
    };
    let debt = |row: &Row| Ok((row.int(0)?.unsigned_abs(), row.int(1)?));
    let mut keys: Vec<String> = tx
        .rows("SELECT key FROM idempotency WHERE scope = $1", args![id])
        .await?
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<_, _>>()?;
    keys.sort();
    Ok(Stored {
        counts: [count.int(0)?, account.int(0)?],
        latest: account.int_or_none(1)?,
        allowance: account.int_or_none(2)?.zip(account.int_or_none(3)?),
        entries: tx.rows(ENTRIES, args![id, after]).await?.iter().map(entry).collect::<Result<_, StoreError>>()?,
        batches: tx.rows(BATCHES, args![id]).await?.iter().map(batch).collect::<Result<_, StoreError>>()?,
        holds: tx.rows(HOLDS, args![id]).await?.iter().map(hold).collect::<Result<_, StoreError>>()?,
        debts: tx.rows(DEBTS, args![id]).await?.iter().map(debt).collect::<Result<_, StoreError>>()?,
        keys,
    })
}

fn line(sequence: i64, entry: &Entry) -> Line {
    let body = serde_json::to_value(&entry.kind).unwrap_or_default();
    (sequence, entry.at.timestamp_millis(), body["kind"].as_str().unwrap_or_default().to_owned(), changes(&entry.kind))
}

fn changes(kind: &EntryKind) -> [i128; 3] {
    [kind.change(), kind.held_change(), kind.debt_change()].map(|sum| sum.nanos())
}

/// Left, held, lapsed and voided of each batch that is shown.
fn batches_shown(seen: &Value) -> Result<BTreeMap<String, [i64; 4]>, String> {
    let mut shown = BTreeMap::new();
    for batch in seen["batches"].as_array().ok_or("there are no batches")? {
        let amount = |field: &str| nanos(&batch[field]).map(signed);
        let state = [amount("left_credits")?, amount("held_credits")?, amount("lapsed_credits")?, amount("voided_credits")?];
        let id = batch["batch_id"].as_str().unwrap_or_default().to_owned();
        if shown.insert(id, state).is_some() {
            return Err("a batch is shown twice".into());
        }
    }
    Ok(shown)
}

fn instant(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds).map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default()
}

fn signed(amount: usize) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.posted += other.posted;
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.entries += other.entries;
        self.batches += other.batches;
    }
}
