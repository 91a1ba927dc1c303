//! The service as a process: its one line, its end, its refusals, and what a kill leaves behind.

mod support;

use aispace_api::{AccountAnswer, AccountOpened, PostedAnswer, UsageAnswer};
use aispace_service::Database;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{OPERATOR, PATIENCE, Request, World, get, order_body, post};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
}

/// A node and venues that are not there: the service has to live without them.
const NOWHERE: &str = "http://127.0.0.1:9";

struct Process {
    child: Child,
    address: SocketAddr,
}

fn command(database: &Database, log: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aispace-account-service"));
    command.arg("serve").arg("--database").arg(named(database));
    for flag in ["--node", "--price-coinbase", "--price-kraken", "--price-bitstamp"] {
        command.args([flag, NOWHERE]);
    }
    let log = std::fs::File::options().append(true).create(true).open(log).expect("a log file");
    command.env("AISPACE_OPERATOR_TOKEN", OPERATOR).env("RUST_LOG", "trace").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    command
}

/// A database as the command line names it.
fn named(database: &Database) -> &OsStr {
    match database {
        Database::Sqlite(path) => path.as_os_str(),
        Database::Postgres(url) => url.expose().as_ref(),
    }
}

impl Process {
    async fn start(database: &Database, log: &Path) -> Self {
        Self::start_with(database, log, &[]).await
    }

    async fn start_with(database: &Database, log: &Path, more: &[&str]) -> Self {
        let mut child = command(database, log).args(more).spawn().expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("read").expect("a line");
        let address = line.strip_prefix("listening on http://").expect("the documented line").parse().expect("an address");
        Self { child, address }
    }

    /// Tells it to end and waits.
    async fn end(&mut self) {
        let id = self.child.id().expect("running").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("ends in time").expect("waited");
        assert!(ended.success(), "{ended}");
    }

    async fn send(&self, request: Request) -> support::Reply {
        request.send(self.address).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lives_without_a_node_and_ends_on_sigterm_with_no_secret_in_its_log() {
    let world = World::prepared();
    let (database, log) = (&world.database, world.directory.path().join("log"));
    let mut process = Process::start(database, &log).await;
    let health: Value = process.send(get("/v1/health")).await.ok(200);
    assert_eq!(health["status"], "degraded");
    process.send(post("/v1/orders", order_body(1, "5")).key("k")).await.refused(503, aispace_api::ErrorCode::PriceUnavailable);
    let opened: AccountOpened = process.send(post("/v1/accounts", json!({})).operator()).await.ok(201);
    let key = opened.secure_key.into_exposed();
    let _: AccountAnswer = process.send(get("/v1/account").bearer(&key)).await.ok(200);
    let claim = json!({"secret": support::secret_hex(1)});
    assert_eq!(process.send(post("/v1/orders/or_none/claim", claim)).await.status, 404);

    process.end().await;
    let text = std::fs::read_to_string(&log).expect("read");
    assert!(text.contains("/v1/account") && text.contains("stopping"), "{text}");
    for secret in [key.as_str(), OPERATOR, &support::secret_hex(1)] {
        assert!(!text.contains(secret), "a secret is in the log");
    }
    #[cfg(unix)]
    if let Database::Sqlite(path) = database {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).expect("there"));
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// What went on before a service was told to end.
#[derive(Default)]
struct Answered(Mutex<BTreeSet<String>>);

impl Answered {
    /// Grants a credit again and again until the service no longer answers.
    async fn post_on(self: Arc<Self>, address: SocketAddr, account: String, writer: u32) {
        for n in 0u32.. {
            let body = json!({"account_id": account, "credits": "1"});
            let sent = tokio::spawn(post("/v1/grants", body).operator().key(&format!("{writer}-{n}")).send(address));
            // The client of the tests gives up by panicking.
            let Ok(reply) = sent.await else { return };
            let posted: PostedAnswer = reply.ok(201);
            self.0.lock().expect("lock").insert(posted.entry_id);
        }
    }

    fn count(&self) -> usize {
        self.0.lock().expect("lock").len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_end_under_load_it_keeps_all_that_it_answered_and_ends_its_streams() {
    let world = World::prepared();
    let (database, log) = (&world.database, world.directory.path().join("log"));
    let mut process = Process::start(database, &log).await;
    let opened: AccountOpened = process.send(post("/v1/accounts", json!({})).operator()).await.ok(201);
    let (account, key) = (opened.account_id, opened.secure_key.into_exposed());
    // A reply is whole when its connection ends: here, when the service ends the stream.
    let stream = tokio::spawn(get("/v1/account/events").bearer(&key).send(process.address));
    let answered = Arc::new(Answered::default());
    let writers: Vec<_> = (0..32).map(|writer| tokio::spawn(answered.clone().post_on(process.address, account.clone(), writer))).collect();
    let deadline = Instant::now() + PATIENCE;
    while answered.count() < 200 {
        assert!(Instant::now() < deadline, "{} answers", answered.count());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.end().await;
    for writer in writers {
        writer.await.expect("only refused");
    }
    let streamed = stream.await.expect("whole");
    assert!(streamed.status == 200 && streamed.body.contains("event: balance"), "{}", streamed.body);

    let process = Process::start(database, &log).await;
    let mut logged = BTreeSet::new();
    let mut cursor = Some(String::new());
    while let Some(from) = cursor.filter(|_| logged.len() < 1_000_000) {
        let path =
            if from.is_empty() { "/v1/account/usage?limit=200".to_owned() } else { format!("/v1/account/usage?limit=200&cursor={from}") };
        let page: UsageAnswer = process.send(get(&path).bearer(&key)).await.ok(200);
        logged.extend(page.entries.into_iter().map(|entry| entry.entry_id));
        cursor = page.next_cursor;
    }
    let answered = answered.0.lock().expect("lock").clone();
    let lost: Vec<&String> = answered.difference(&logged).collect();
    assert!(lost.is_empty(), "{} of {} answers are not in the log", lost.len(), answered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_json_has_templates_ids_and_no_secret() {
    let world = World::prepared();
    let (database, log) = (&world.database, world.directory.path().join("log"));
    let mut process = Process::start_with(database, &log, &["--log-format", "json", "--profile", "sandbox"]).await;
    let opened: AccountOpened = process.send(post("/v1/accounts", json!({})).operator()).await.ok(201);
    let (account, first) = (opened.account_id, opened.secure_key.into_exposed());
    let rotated: AccountOpened = process.send(post("/v1/account/key/rotate", json!({})).bearer(&first)).await.ok(201);
    let second = rotated.secure_key.into_exposed();
    let guess = "ask_wrongwrongwrong";
    let order = "or_0123456789abcdef0123456789abcdef";
    let claim =
        |secret: u8| post(&format!("/v1/orders/{order}/claim"), json!({"secret": support::secret_hex(secret), "acknowledge": true}));
    for n in 0..20u8 {
        let body = json!({"account_id": account, "credits": "1"});
        let _: PostedAnswer = process.send(post("/v1/grants", body).operator().key(&n.to_string())).await.ok(201);
        process.send(get("/v1/account").bearer(guess)).await;
        process.send(claim(n)).await;
        process.send(get(&format!("/v1/orders/{order}"))).await;
        process.send(post("/v1/grants", json!({"credits": second}))).await;
        process.send(get("/v1/account/usage?cursor=no").bearer(&second)).await;
    }
    let last = process.send(get("/v1/account").bearer(&second)).await;
    let last = last.head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).expect("an id").to_owned();
    process.end().await;
    let text = std::fs::read_to_string(&log).expect("read");
    let secrets: Vec<String> = (0..20).map(support::secret_hex).chain([first, second, OPERATOR.into(), guess.into()]).collect();
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "a secret is in the log");
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
    let count = |route: &str, status: u16| answered.iter().filter(|line| line["route"] == route && line["status"] == status).count();
    assert_eq!((count("/v1/orders/{id}/claim", 404), count("/v1/orders/{id}", 404), count("/v1/grants", 201)), (20, 20, 20));
    assert!(answered.iter().all(|line| line["ms"].is_u64() && line["method"].is_string() && line["time"].is_string()));
    assert!(answered.iter().any(|line| line["request_id"] == last.as_str() && line["route"] == "/v1/account"), "{last}");
    assert!(!answered.iter().any(|line| line.to_string().contains(order)), "an order's id opens what it names");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_kill() {
    let world = World::prepared();
    let (database, log) = (&world.database, world.directory.path().join("log"));
    let mut process = Process::start(database, &log).await;
    let opened: AccountOpened = process.send(post("/v1/accounts", json!({})).operator()).await.ok(201);
    let (account, key) = (opened.account_id, opened.secure_key.into_exposed());
    let mut answered = 0u64;
    for round in 0..5 {
        let address = process.address;
        let writers: Vec<_> = (0..12)
            .map(|n| {
                let body = json!({"account_id": account, "credits": "1"});
                tokio::spawn(post("/v1/grants", body).operator().key(&format!("{round}-{n}")).send(address))
            })
            .collect();
        // Half of them are waited for; the kill meets the others somewhere on their way.
        for (n, writer) in writers.into_iter().enumerate() {
            if n < 6 {
                let _: PostedAnswer = writer.await.expect("sent").ok(201);
                answered += 1;
            }
        }
        process.child.kill().await.expect("killed");
        process = Process::start(database, &log).await;
        let seen: AccountAnswer = process.send(get("/v1/account").bearer(&key)).await.ok(200);
        assert!(seen.entry_count >= answered, "{} entries, {answered} answers", seen.entry_count);
        assert_eq!(seen.available_credits.to_string(), seen.entry_count.to_string());
        answered = seen.entry_count;
    }
    process.child.kill().await.expect("killed");
    let verified = Command::new(env!("CARGO_BIN_EXE_aispace-account-service"))
        .args(["verify", "--database"])
        .arg(named(database))
        .output()
        .await
        .expect("runs");
    assert_eq!((verified.status.code(), String::from_utf8_lossy(&verified.stdout).trim()), (Some(0), "1 accounts hold"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_cannot_be_says_why_and_fails() {
    let world = World::prepared();
    let (letter, log) = (world.file("letter"), world.directory.path().join("log"));
    std::fs::write(&letter, "Dear reader, this is no database. ".repeat(100)).expect("written");
    let token = world.directory.path().join("token");
    write_private(&token, "\n");
    let letter = Database::Sqlite(letter);
    let cases: [(&Database, Vec<&str>, &str); 3] = [
        (&letter, vec![], "letter.db"),
        (&world.database, vec!["--node", "http://example.org"], "node"),
        (&world.database, vec!["--operator-token-file", token.to_str().expect("text")], "holds no operator token"),
    ];
    for (database, more, said) in cases {
        let mut child = command(database, &log).args(more).spawn().expect("starts");
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("ends in time").expect("waited");
        assert_eq!(ended.code(), Some(1));
        let mut text = String::new();
        std::fs::File::open(&log).expect("log").read_to_string(&mut text).expect("read");
        // Not the last line: at this level a thread of the database may still say that it ends.
        assert!(text.lines().any(|line| line.contains("ERROR") && line.contains(said)), "{said}: {text}");
    }
}
