//! Lets the events of a scenario happen, one line after the other, and holds what is answered to what is expected.

use crate::agree::disagreement;
use crate::event::{Event, Kind, written};
use crate::look::{Look, Names};
use crate::service::{Driven, End};
use crate::support::{Reply, Request, get, post};
use aispace_api::{AccountOpened, PostedAnswer, UsageEntry};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is done beside the events. A scenario's answers are the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The accounts are read before and after every event, and each reading is held to what must always be true.
    Readings,
    /// No reading that the scenario does not ask for; the process is killed and started anew after every event that posts.
    Kills,
}

/// A scenario that is going on.
pub struct Runner<'a> {
    service: Driven,
    beside: Beside,
    /// Where a line of this file is, for people.
    file: &'a str,
    now: Option<DateTime<Utc>>,
    accounts: BTreeMap<String, Opened>,
    /// Name to the answer that made the batch, the hold or the charge.
    made: BTreeMap<String, PostedAnswer>,
    names: Names,
    /// Account and key of every call that posted.
    used_keys: BTreeSet<(String, String)>,
}

struct Opened {
    id: String,
    secure_key: String,
    /// The log as it was read last, the oldest entry first.
    log: Vec<UsageEntry>,
    /// How many of them were posted, not only due: those are there for ever.
    posted: usize,
}

impl<'a> Runner<'a> {
    /// Runs a whole scenario and answers what is to be printed, a line for each event.
    pub async fn run(service: Driven, file: &'a str, events: &[Event], beside: Beside) -> Vec<Value> {
        let (accounts, made, names, used_keys) = Default::default();
        let mut runner = Self { service, beside, file, now: None, accounts, made, names, used_keys };
        let mut answers = Vec::new();
        for event in events {
            let mut answer = runner.happen(event).await;
            answer["line"] = json!(event.line);
            if let Some(expected) = &event.expect
                && let Some(difference) = disagreement(expected, &answer)
            {
                panic!("{}: {difference}\nthe answer: {answer}", runner.place(event));
            }
            answers.push(answer);
            if beside == Beside::Kills && (event.kind.posts() || event.kind == Kind::Parallel) {
                runner.service.kill_and_start().await;
                runner.clock_again().await;
            }
        }
        let opened = u64::try_from(runner.accounts.len()).expect("few accounts");
        assert!(runner.service.end().await.is_none_or(|held| held == opened), "{file}: accounts are missing");
        answers
    }

    fn place(&self, event: &Event) -> String {
        format!("{}:{}", self.file, event.line)
    }

    async fn happen(&mut self, event: &Event) -> Value {
        for event in event.inner.iter().chain([event]).filter(|event| event.kind.posts() || event.kind == Kind::Query) {
            self.open(event.account()).await;
        }
        if let Some(at) = event.at {
            self.set_clock(at).await;
        }
        match event.kind {
            Kind::Tick => {
                self.read_all().await;
                json!({"do": "tick", "at": self.now.map(written)})
            }
            Kind::Restart => {
                let end = if event.text("how") == Some("kill") { End::Killed } else { End::Stopped };
                json!({"do": "restart", "accounts": self.restart(end).await})
            }
            Kind::Query => self.look(event.account()).await.printed(&self.names),
            Kind::Parallel => self.parallel(event).await,
            Kind::Grant | Kind::Debit | Kind::Hold | Kind::Settle | Kind::Release | Kind::Void | Kind::Refund | Kind::Allow => {
                self.call(event).await
            }
        }
    }

    async fn open(&mut self, name: &str) {
        if self.accounts.contains_key(name) {
            return;
        }
        let opened: AccountOpened = self.service.operate(post("/v1/accounts", json!({"label": name}))).await.ok(201);
        let (id, secure_key) = (opened.account_id, opened.secure_key.into_exposed());
        self.names.insert(id.clone(), name.to_owned());
        self.accounts.insert(name.to_owned(), Opened { id, secure_key, log: Vec::new(), posted: 0 });
    }

    async fn set_clock(&mut self, at: DateTime<Utc>) {
        if self.now == Some(at) {
            return;
        }
        let reply = self.service.operate(post("/test/clock", json!({"at": at})).method("PUT")).await;
        assert_eq!(reply.status, 200, "the service has no test clock: {}", reply.body);
        // What was due at a later instant and nothing posted is not due any more.
        if self.now > Some(at) {
            self.accounts.values_mut().for_each(|opened| opened.log.truncate(opened.posted));
        }
        self.now = Some(at);
    }

    async fn restart(&mut self, end: End) -> u64 {
        let accounts = self.service.restart(end).await;
        self.clock_again().await;
        accounts
    }

    /// The clock of a new process begins with the system's time.
    async fn clock_again(&mut self) {
        if let Some(now) = self.now.take() {
            self.set_clock(now).await;
        }
    }

    /// Reads an account; what was read of its log before is still there.
    async fn look(&mut self, name: &str) -> Look {
        let opened = self.accounts.get_mut(name).expect("opened");
        let look = Look::at(&self.service, &opened.secure_key).await;
        assert!(look.log.starts_with(&opened.log), "{}: entries of {name} have changed: {:?}, then {look:?}", self.file, opened.log);
        assert_eq!(self.names.get(&look.account.account_id).map(String::as_str), Some(name));
        opened.log.clone_from(&look.log);
        look
    }

    async fn read_all(&mut self) {
        if self.beside == Beside::Readings {
            for name in self.accounts.keys().cloned().collect::<Vec<_>>() {
                self.look(&name).await;
            }
        }
    }

    async fn call(&mut self, event: &Event) -> Value {
        let account = event.account().to_owned();
        let before = if self.beside == Beside::Readings { Some(self.look(&account).await) } else { None };
        let (request, key) = self.request(event, 0);
        let reply = self.service.operate(request).await;
        let again = self.used_keys.contains(&(account.clone(), key.clone()));
        let answer = self.told(event, &reply, &key);
        if let Some(before) = before {
            let after = self.look(&account).await;
            let (posted, place) = (reply.status < 400 && !again, self.place(event));
            if posted {
                // A write posts what was due before it, so there is nothing in the log that is not posted.
                let opened = self.accounts.get_mut(&account).expect("opened");
                opened.posted = opened.log.len();
                assert!(after.account.entry_count > before.account.entry_count, "{place}: nothing was posted");
                let shown = after.printed(&self.names);
                for figure in ["at", "free", "held", "debt"] {
                    assert_eq!(answer[figure], shown[figure], "{place}: {figure} as answered and as read");
                }
            } else {
                assert_eq!(before, after, "{place}: a call that posts nothing changed the account");
            }
        }
        answer
    }

    /// All events at once; the answers stand in the order of the list.
    async fn parallel(&mut self, event: &Event) -> Value {
        self.read_all().await;
        let keyed: Vec<(Request, String)> = (1..).zip(&event.inner).map(|(n, inner)| self.request(inner, n)).collect();
        let (requests, keys): (Vec<Request>, Vec<String>) = keyed.into_iter().unzip();
        let posts = event.inner.iter().map(|inner| inner.kind.posts());
        let replies = self.service.send_together(requests.into_iter().zip(posts).collect()).await;
        let (mut answers, mut bodies) = (Vec::new(), BTreeSet::new());
        let (mut statuses, mut codes) = (Map::new(), Map::new());
        for ((inner, reply), key) in event.inner.iter().zip(&replies).zip(&keys) {
            let answer = if inner.kind.posts() { self.told(inner, reply, key) } else { json!({"do": "query", "status": reply.status}) };
            if let Some(difference) = inner.expect.as_ref().and_then(|expected| disagreement(expected, &answer)) {
                panic!("{}: {difference}\nthe answer: {answer}", self.place(event));
            }
            count(&mut statuses, &reply.status.to_string());
            answer["code"].as_str().into_iter().for_each(|code| count(&mut codes, code));
            bodies.insert(reply.body.clone());
            answers.push(answer);
        }
        let mut after = Map::new();
        for name in event.inner.iter().map(Event::account).collect::<BTreeSet<_>>() {
            after.insert(name.to_owned(), self.look(name).await.printed(&self.names));
        }
        json!({"do": "parallel", "answers": answers, "statuses": statuses, "codes": codes, "distinct": bodies.len(), "after": after})
    }

    /// The request of an event and its idempotency key. `copy` tells apart what stands in one line.
    fn request(&self, event: &Event, copy: usize) -> (Request, String) {
        let opened = &self.accounts[event.account()];
        let of = |field: &str, id: fn(&PostedAnswer) -> Option<&String>| {
            let name = event.text(field).unwrap_or_default();
            let made = self.made.get(name);
            made.map_or(name, |made| id(made).unwrap_or_else(|| panic!("{}: {name} is no {field}", self.place(event)))).to_owned()
        };
        let hold = || of("hold", |made| made.hold_id.as_ref());
        let (path, method) = match event.kind {
            Kind::Grant => ("/v1/grants".to_owned(), "POST"),
            Kind::Debit => ("/v1/debits".to_owned(), "POST"),
            Kind::Hold => ("/v1/holds".to_owned(), "POST"),
            Kind::Settle => (format!("/v1/holds/{}/settle", hold()), "POST"),
            Kind::Release => (format!("/v1/holds/{}/release", hold()), "POST"),
            Kind::Void => (format!("/v1/batches/{}/void", of("batch", |made| made.batch_id.as_ref())), "POST"),
            Kind::Refund => ("/v1/refunds".to_owned(), "POST"),
            Kind::Allow => (format!("/v1/accounts/{}/allowance", opened.id), "PUT"),
            Kind::Query => return (get("/v1/account").bearer(&opened.secure_key), String::new()),
            Kind::Tick | Kind::Restart | Kind::Parallel => panic!("{}: {} is no call", self.place(event), event.kind.word()),
        };
        // An allowance names its account in the path.
        let mut body = if event.kind == Kind::Allow { json!({}) } else { json!({"account_id": opened.id}) };
        for (field, sent) in [("credits", "credits"), ("expires", "expires"), ("label", "note"), ("run", "run"), ("metered", "metered")] {
            if let Some(value) = event.fields.get(field) {
                body[sent] = value.clone();
            }
        }
        if let Some(charge) = event.fields.get("charge") {
            body["sequence"] = charge.as_str().map_or_else(|| charge.clone(), |name| json!(self.made[name].sequence));
        }
        let key = event.text("key").map_or_else(|| format!("line-{}-{copy}", event.line), str::to_owned);
        (post(&path, body).method(method).key(&key), key)
    }

    /// What is printed of an answer: ids by their names, and nothing that differs from run to run.
    fn told(&mut self, event: &Event, reply: &Reply, key: &str) -> Value {
        let word = event.kind.word();
        if reply.status >= 400 {
            let refused: Value = reply.ok(reply.status);
            let mut details = refused["details"].as_object().cloned().unwrap_or_default();
            for detail in details.values_mut() {
                if let Some(name) = detail.as_str().and_then(|id| self.names.get(id)) {
                    *detail = json!(name);
                }
            }
            assert!(refused["message"].as_str().is_some_and(|message| !message.is_empty()), "{}: no message", self.place(event));
            return json!({"do": word, "status": reply.status, "code": refused["code"], "details": details});
        }
        let posted: PostedAnswer = reply.ok(if event.kind == Kind::Allow { 200 } else { 201 });
        assert_eq!(posted.account_id, self.accounts[event.account()].id, "{}", self.place(event));
        let made = match event.kind {
            Kind::Grant => posted.batch_id.clone(),
            Kind::Hold => posted.hold_id.clone(),
            _ => None,
        };
        if let Some(id) = made {
            self.names.entry(id).or_insert_with(|| event.text("as").unwrap_or(key).to_owned());
        }
        let named = |id: &Option<String>| id.as_ref().map(|id| self.names.get(id).unwrap_or(id).clone());
        let answer = json!({"do": word, "status": reply.status, "sequence": posted.sequence, "at": written(posted.server_time),
            "batch": named(&posted.batch_id), "hold": named(&posted.hold_id), "metered": posted.metered_credits, "free": posted.available_credits,
            "held": posted.held_credits, "debt": posted.debt_credits});
        let opened = self.accounts.get_mut(event.account()).expect("opened");
        // Its own entry and all before it are posted.
        opened.posted = opened.posted.max(usize::try_from(posted.sequence).unwrap_or_default());
        self.used_keys.insert((event.account().to_owned(), key.to_owned()));
        if let Some(name) = event.text("as") {
            self.made.insert(name.to_owned(), posted);
        }
        answer
    }
}

fn count(counts: &mut Map<String, Value>, what: &str) {
    let count = counts.entry(what).or_insert(json!(0));
    *count = json!(count.as_u64().unwrap_or_default() + 1);
}
