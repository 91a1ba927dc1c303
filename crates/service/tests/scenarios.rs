//! Runs scenarios against a running service, over HTTP and with its test clock, and holds the answers to what the scenario expects.
//!
//! A scenario is a file of JSON lines under `tests/scenarios`, one event each: `at` (an instant; the clock is set to it), `do` (`grant`, `debit`,
//! `hold`, `settle`, `release`, `void`, `refund`, `allow`, `tick`, `restart`, `query`), `account` (a name, `a` when absent; opened when first
//! named), the fields of the call, `as` (a name for the batch, the hold or the charge that it makes), `hold`, `batch` or `charge` (such a
//! name), `key` (for a repetition; otherwise every event has its own) and `expect`, the part of the answer that is checked. The answers go to
//! stdout as JSON lines. `SCENARIO=path cargo nextest run -p aispace-service --test scenarios --no-capture` runs another file.

mod support;

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use support::{Reply, World, get, post};

struct Runner {
    world: World,
    /// Name to account id and Secure Key.
    accounts: BTreeMap<String, (String, String)>,
    /// Name to the answer that made it.
    made: BTreeMap<String, Value>,
}

impl Runner {
    async fn run(path: &Path) {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut runner = Self { world: World::start().await, accounts: BTreeMap::new(), made: BTreeMap::new() };
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("{}:{number}", path.display());
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            let answer = runner.happen(&event, &format!("line-{number}"), &place).await;
            writeln!(std::io::stdout(), "{answer}").expect("written");
            if let Some(expected) = event.get("expect") {
                assert!(agrees(expected, &answer), "{place}: {expected} was expected, the answer is {answer}");
            }
        }
        let accounts = runner.accounts.len();
        assert_eq!(runner.world.stop_and_verify().await, accounts, "{}", path.display());
    }

    async fn happen(&mut self, event: &Value, own_key: &str, place: &str) -> Value {
        if event.get("at").is_some() {
            let set = post("/test/clock", json!({"at": event["at"]})).method("PUT");
            assert_eq!(self.world.send(set).await.status, 200, "{place}: the instant is none");
        }
        let (account, secure_key) = self.account(event["account"].as_str().unwrap_or("a")).await;
        let (path, method) = match event["do"].as_str().unwrap_or_default() {
            "tick" => return json!({"do": "tick"}),
            "restart" => {
                self.world.restart().await;
                return json!({"do": "restart"});
            }
            "query" => return self.query(&secure_key).await,
            "grant" => ("/v1/grants".to_owned(), "POST"),
            "debit" => ("/v1/debits".to_owned(), "POST"),
            "hold" => ("/v1/holds".to_owned(), "POST"),
            "settle" => (format!("/v1/holds/{}/settle", self.named(event, "hold", "hold_id")), "POST"),
            "release" => (format!("/v1/holds/{}/release", self.named(event, "hold", "hold_id")), "POST"),
            "void" => (format!("/v1/batches/{}/void", self.named(event, "batch", "batch_id")), "POST"),
            "refund" => ("/v1/refunds".to_owned(), "POST"),
            "allow" => (format!("/v1/accounts/{account}/allowance"), "PUT"),
            other => panic!("{place}: there is no event {other:?}"),
        };
        let mut body = json!({"account_id": account});
        for field in ["credits", "expires", "note", "run"] {
            body[field] = event[field].clone();
        }
        if event.get("charge").is_some() {
            let sequence = self.made.get(event["charge"].as_str().unwrap_or_default()).map_or(&Value::Null, |made| &made["sequence"]);
            body["sequence"] = if sequence.is_null() { event["charge"].clone() } else { sequence.clone() };
        }
        let key = event["key"].as_str().unwrap_or(own_key);
        let reply = self.world.send(post(&path, body).method(method).operator().key(key)).await;
        let answer: Value = serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{place}: {error}: {}", reply.body));
        if let Some(name) = event["as"].as_str() {
            self.made.insert(name.to_owned(), answer.clone());
        }
        told(&event["do"], &reply, &answer)
    }

    /// An id by its name; a name that nothing made stands for itself.
    fn named(&self, event: &Value, field: &str, id: &str) -> String {
        let name = event[field].as_str().unwrap_or_default();
        self.made.get(name).and_then(|made| made[id].as_str()).unwrap_or(name).to_owned()
    }

    async fn account(&mut self, name: &str) -> (String, String) {
        if !self.accounts.contains_key(name) {
            let opened = self.world.account().await;
            self.accounts.insert(name.to_owned(), opened);
        }
        self.accounts[name].clone()
    }

    /// The account and the kinds of its entries, the newest first, without what differs from run to run.
    async fn query(&self, secure_key: &str) -> Value {
        let account: Value = self.world.send(get("/v1/account").bearer(secure_key)).await.ok(200);
        let log: Value = self.world.send(get("/v1/account/usage?limit=200").bearer(secure_key)).await.ok(200);
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let batches: Vec<Value> = list(&account["batches"])
            .iter()
            .map(|b| json!([b["state"], b["left_credits"], b["held_credits"], b["lapsed_credits"], b["voided_credits"]]))
            .collect();
        let kinds: Vec<Value> = list(&log["entries"]).iter().map(|entry| entry["kind"].clone()).collect();
        json!({
            "do": "query", "free": account["available_credits"], "held": account["held_credits"], "debt": account["debt_credits"],
            "allowance": account["allowance_credits_per_day"], "next_expiry": account["next_expiry"], "batches": batches, "kinds": kinds,
        })
    }
}

fn told(event: &Value, reply: &Reply, answer: &Value) -> Value {
    if answer.get("code").is_some() {
        return json!({"do": event, "status": reply.status, "code": answer["code"], "details": answer["details"]});
    }
    json!({"do": event, "status": reply.status, "sequence": answer["sequence"], "free": answer["available_credits"],
        "held": answer["held_credits"], "debt": answer["debt_credits"], "at": answer["server_time"]})
}

/// Whether an answer has all that is expected of it.
fn agrees(expected: &Value, answer: &Value) -> bool {
    let none = Map::new();
    expected.as_object().unwrap_or(&none).iter().all(|(field, value)| answer.get(field) == Some(value))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_goes_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let given: Option<PathBuf> = std::env::var_os("SCENARIO").map(PathBuf::from);
    let mut paths: Vec<PathBuf> = match given {
        Some(path) => vec![path],
        None => std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect(),
    };
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        Runner::run(&path).await;
    }
}

#[test]
fn an_answer_that_lacks_what_is_expected_does_not_agree() {
    let answer = json!({"free": "5", "held": "0"});
    assert!(agrees(&json!({"free": "5"}), &answer) && agrees(&json!({}), &answer));
    assert!(!agrees(&json!({"free": "6"}), &answer) && !agrees(&json!({"debt": "0"}), &answer));
}
