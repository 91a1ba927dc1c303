//! The operator's commands, as processes on real databases.

mod support;

use aispace_api::{AccountAnswer, AccountOpened, ErrorCode, OrderAnswer, PaymentsAnswer, PostedAnswer};
use aispace_service::{Config, Database, Running, ServiceClock, serve};
use aispace_test_postgres::{NOT_DURABLE, PostgresServer, tool};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use support::{PATIENCE, World, get, order_body, post, start_time};

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn succeeded(self, said: &str) -> Self {
        assert!(self.code == Some(0) && self.out.contains(said), "{said}: {:?} {} {}", self.code, self.out, self.err);
        self
    }

    fn failed(self, said: &str) -> Self {
        assert!(
            self.code == Some(1) && self.out.is_empty() && self.err.contains(said),
            "{said}: {:?} {} {}",
            self.code,
            self.out,
            self.err
        );
        self
    }
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aispace-account-service"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AISPACE_")) {
        command.env_remove(name);
    }
    let output = command.args(arguments).envs(environment.iter().copied()).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A service on a file of its own, with one account.
struct Served {
    world: World,
    running: Option<Running>,
    path: PathBuf,
    account: String,
    key: String,
}

/// Chain, prices and a folder, without a service.
async fn stopped_world() -> World {
    let mut world = World::start().await;
    world.running.take().expect("running").stop().await;
    world
}

impl Served {
    async fn start() -> Self {
        let world = stopped_world().await;
        let path = world.directory.path().join("ledger.db");
        let mut served = Self { world, running: None, path, account: String::new(), key: String::new() };
        served.resume().await;
        let opened: AccountOpened = post("/v1/accounts", json!({})).operator().send(served.address()).await.ok(201);
        (served.account, served.key) = (opened.account_id, opened.secure_key.into_exposed());
        served
    }

    async fn resume(&mut self) {
        let config = self.world.config(self.path.as_path(), Arc::new(ServiceClock::system()));
        self.running = Some(serve(config).await.expect("starts"));
    }

    async fn stop(&mut self) {
        self.running.take().expect("running").stop().await;
    }

    fn address(&self) -> std::net::SocketAddr {
        self.running.as_ref().expect("running").address()
    }

    async fn grant(&self, key: &str, credits: &str) {
        let body = json!({"account_id": self.account, "credits": credits});
        let _: PostedAnswer = post("/v1/grants", body).operator().key(key).send(self.address()).await.ok(201);
    }

    async fn available(&self) -> String {
        let seen: AccountAnswer = get("/v1/account").bearer(&self.key).send(self.address()).await.ok(200);
        seen.available_credits.to_string()
    }

    fn file(&self, name: &str) -> String {
        self.world.directory.path().join(name).display().to_string()
    }

    fn database(&self) -> String {
        self.path.display().to_string()
    }

    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.world.directory.path()).expect("listed");
        let mut names: Vec<String> = files.map(|file| file.expect("file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_the_service_posts_and_is_whole() {
    let mut served = Served::start().await;
    served.grant("first", "1").await;
    let (address, account) = (served.address(), served.account.clone());
    let posting = tokio::spawn(async move {
        for n in 0u32.. {
            let body = json!({"account_id": account, "credits": "1"});
            let reply = post("/v1/grants", body).operator().key(&n.to_string()).send(address).await;
            assert_eq!(reply.status, 201, "{}", reply.body);
        }
    });
    let (database, to) = (served.database(), served.file("backup.db"));
    let backed_up = tokio::task::spawn_blocking(move || run(&["backup", "--database", &database, "--to", &to], &[]));
    backed_up.await.expect("ran").succeeded("1 accounts are in");
    posting.abort();
    let _ = posting.await;
    let (database, to) = (served.database(), served.file("backup.db"));
    run(&["backup", "--database", &database, "--to", &to], &[]).failed("exists; --replace takes its place");
    run(&["backup", "--database", &database, "--to", &to, "--replace"], &[]).succeeded("1 accounts are in");
    let after = served.available().await;
    served.stop().await;
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&to).expect("there")) & 0o777, 0o600);
    assert_eq!(served.files().iter().filter(|name| name.starts_with("backup")).collect::<Vec<_>>(), ["backup.db"], "one file, alone");

    let elsewhere = served.file("elsewhere.db");
    run(&["restore", "--database", &elsewhere, "--from", &to], &[]).succeeded("1 accounts are in");
    run(&["verify", "--database", &elsewhere], &[]).succeeded("1 accounts hold");
    served.path = PathBuf::from(&elsewhere);
    served.resume().await;
    assert_eq!(served.available().await, after);
    served.stop().await;
    run(&["backup", "--database", &served.file("nowhere.db"), "--to", &served.file("x.db")], &[]).failed("there is no database");
    assert!(!served.files().iter().any(|name| name.starts_with("nowhere") || name.starts_with('x')), "{:?}", served.files());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_swaps_only_what_it_has_proved() {
    let mut served = Served::start().await;
    served.grant("a", "10").await;
    let (database, backup) = (served.database(), served.file("backup.db"));
    run(&["backup", "--database", &database, "--to", &backup], &[]).succeeded("");
    served.grant("b", "32").await;
    let restore = |from: &str, more: &[&str]| run(&[&["restore", "--database", &database, "--from", from], more].concat(), &[]);
    restore(&backup, &["--replace"]).failed("in use by another process");
    served.stop().await;
    restore(&backup, &[]).failed("exists; --replace puts it aside");

    let before = served.files();
    let mut bytes = std::fs::read(&backup).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    std::fs::write(served.file("torn.db"), &bytes).expect("written");
    std::fs::write(served.file("letter.db"), "Dear reader, this is no database. ".repeat(100)).expect("written");
    tampered(Path::new(&backup), Path::new(&served.file("tampered.db")));
    for (name, said) in
        [("torn.db", ""), ("letter.db", "not a database"), ("tampered.db", "account ac_"), ("absent.db", "there is no backup")]
    {
        restore(&served.file(name), &["--replace"]).failed(said);
    }
    let left: Vec<String> =
        served.files().into_iter().filter(|name| !["torn.db", "letter.db", "tampered.db"].contains(&name.as_str())).collect();
    assert_eq!(left, before, "nothing was swapped and nothing was left behind");
    served.resume().await;
    assert_eq!(served.available().await, "42");
    served.stop().await;

    let swapped = restore(&backup, &["--replace"]).succeeded("1 accounts are in");
    let aside = swapped.err.trim().strip_prefix("what was there is ").and_then(|rest| rest.strip_suffix(" now")).expect("where").to_owned();
    served.resume().await;
    assert_eq!(served.available().await, "10");
    served.stop().await;
    restore(&aside, &["--replace"]).succeeded("1 accounts are in");
    served.resume().await;
    assert_eq!(served.available().await, "42", "what was put aside is whole");
    served.stop().await;
}

/// A copy in which somebody was given more than was posted.
fn tampered(from: &Path, to: &Path) {
    std::fs::copy(from, to).expect("copied");
    let connection = rusqlite::Connection::open(to).expect("opens");
    let guards: Vec<String> = {
        let mut triggers = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").expect("prepared");
        triggers.query_map([], |row| row.get(0)).expect("asked").collect::<Result<_, _>>().expect("read")
    };
    for guard in guards {
        connection.execute_batch(&format!("DROP TRIGGER {guard}")).expect("dropped");
    }
    assert!(connection.execute("UPDATE batches SET granted = granted + 1", []).expect("updated") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_posted_once_and_only_when_no_service_has_the_file() {
    let mut served = Served::start().await;
    let (database, account) = (served.database(), served.account.clone());
    let grant = |credits: &str, more: &[&str]| {
        run(&[&["grant", "--database", &database, "--account", &account, "--credits", credits], more].concat(), &[])
    };
    let refused = grant("5", &["--note", "it's a gift"]).failed("in use by another process");
    for said in ["curl", "/v1/grants", "Idempotency-Key: operator-", &account, r"it'\''s a gift"] {
        assert!(refused.err.contains(said), "{said}: {}", refused.err);
    }
    let revoke = ["key", "revoke", "--database", &database, "--account", &account];
    let refused = run(&revoke, &[]).failed("in use by another process");
    assert!(refused.err.contains(&format!("/v1/accounts/{account}/key/revoke")), "{}", refused.err);
    assert_eq!(served.available().await, "0");
    served.stop().await;

    let first = grant("5", &["--note", "it's a gift", "--expires", "2100-01-01T00:00:00Z"]).succeeded("\"batch_id\":\"ba_");
    let key = first.err.lines().find_map(|line| line.strip_prefix("idempotency key ")).expect("shown").to_owned();
    let again = grant("5", &["--note", "it's a gift", "--expires", "2100-01-01T00:00:00Z", "--idempotency-key", &key]).succeeded("");
    assert_eq!(again.out, first.out);
    grant("6", &["--idempotency-key", &key]).failed("key_conflict");
    grant("0", &[]).failed("invalid_amount");
    grant("1e3", &[]).failed("invalid_amount");
    run(&["grant", "--database", &database, "--account", "ac_none", "--credits", "1"], &[]).failed("unknown_account");
    served.resume().await;
    assert_eq!(served.available().await, "5");
    served.stop().await;

    run(&["key", "revoke", "--database", &database, "--account", "ac_none"], &[]).failed("unknown_account");
    run(&["key", "revoke", "--database", &database, "--account", "../x"], &[]).failed("no account's id");
    run(&revoke, &[]).succeeded("every Secure Key of the account is revoked");
    served.resume().await;
    get("/v1/account").bearer(&served.key).send(served.address()).await.refused(401, ErrorCode::Unauthorized);
    served.stop().await;
    run(&["verify", "--database", &database], &[]).succeeded("1 accounts hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_held_has_a_way_out_on_the_command_line() {
    let mut served = Served::start().await;
    let database = served.database();
    let order: OrderAnswer = post("/v1/orders", order_body(1, "25")).key("k").send(served.address()).await.ok(201);
    let hashes = [1_000_000, 2_000_000].map(|wei: u128| served.world.chain.pay_plain(wei * 1_000_000_000).to_string());
    served.world.chain.mine(start_time());
    let deadline = Instant::now() + PATIENCE;
    let listed = async || get("/v1/payments/open").operator().send(served.address()).await.ok::<PaymentsAnswer>(200).payments.len();
    while listed().await < 2 {
        assert!(Instant::now() < deadline, "the payments were never seen");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let payments = |more: &[&str]| run(&[&["payments"], more, &["--database", &database]].concat(), &[]);
    let refused = payments(&["close", "--transaction", &hashes[0], "--position", "0"]).failed("in use by another process");
    assert!(refused.err.contains("curl") && refused.err.contains("http://ADDRESS/v1/payments/close"), "{}", refused.err);
    served.stop().await;

    payments(&["list"]).succeeded(&hashes[1]);
    payments(&["close", "--transaction", &hashes[0], "--position", "0", "--note", "sent back"]).succeeded(r#""state":"closed""#);
    let order = ["--order", &order.order_id];
    // The chain of this test is ahead of the clock, so the payment is late.
    let assign = |more: &[&str]| payments(&[&["assign", "--transaction", &hashes[1], "--position", "0"], more].concat());
    assign(&order).succeeded(r#""for":"price""#);
    assign(&[&order[..], &["--usd-per-eth", "0"]].concat()).failed("invalid_request");
    assign(&[&order[..], &["--usd-per-eth", "2000"]].concat()).succeeded(r#""credits":"40000""#);
    assign(&["--order", "or_none"]).failed("not_found");
    payments(&["list"]).succeeded(r#""payments":[]"#);
    run(&["verify", "--database", &database], &[]).succeeded("2 accounts hold");
}

#[test]
fn a_database_is_made_by_migrate_and_by_nothing_that_only_looks() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("new.db").display().to_string();
    for command in [&["verify"][..], &["grant", "--account", "ac_1", "--credits", "1"], &["key", "revoke", "--account", "ac_1"]] {
        run(&[command, &["--database", &path]].concat(), &[]).failed("there is no database");
    }
    assert_eq!(std::fs::read_dir(directory.path()).expect("listed").count(), 0);
    let config = directory.path().join("s.toml");
    std::fs::write(&config, format!("database = '{path}'\nlisten = 'of no matter here'\n")).expect("written");
    let config = config.display().to_string();
    run(&["migrate", "--config", &config], &[]).succeeded("is up to date");
    run(&["migrate", "--config", &config], &[]).succeeded("is up to date");
    run(&["verify", "--config", &config], &[]).succeeded("0 accounts hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_dumped_and_restored_by_its_own_programs() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    let (one, two) = (server.fresh_database().expect("a database"), server.fresh_database().expect("a database"));
    let world = stopped_world().await;
    let folder = tool("pg_dump").expect("installed").parent().expect("a folder").display().to_string();
    let path = [("PATH", folder.as_str())];
    let dump = world.directory.path().join("ledger.dump").display().to_string();
    run(&["migrate", "--database", &one], &[]).succeeded("is up to date");

    let (file, clock) = (world.directory.path().join("unused"), Arc::new(ServiceClock::system()));
    let database: Database = one.parse().expect("an address");
    let running = serve(Config { database, ..world.config(file.as_path(), clock) }).await.expect("starts");
    let opened: AccountOpened = post("/v1/accounts", json!({})).operator().send(running.address()).await.ok(201);
    let account = opened.account_id;
    // Several may write, so the operator may while the service runs.
    run(&["grant", "--database", &one, "--account", &account, "--credits", "7"], &[]).succeeded("\"available_credits\":\"7\"");
    run(&["backup", "--database", &one, "--to", &dump], &path).succeeded("1 accounts are in");
    run(&["grant", "--database", &one, "--account", &account, "--credits", "1"], &[]).succeeded("\"available_credits\":\"8\"");
    let restore = |to: &str, more: &[&str]| run(&[&["restore", "--database", to, "--from", &dump], more].concat(), &path);
    restore(&one, &["--replace"]).failed("connections of the service; stop every instance first");
    running.stop().await;

    restore(&two, &[]).succeeded("1 accounts are in");
    restore(&one, &[]).failed("is not empty; --replace drops what is there");
    std::fs::write(format!("{dump}.letter"), "Dear reader, this is no dump.").expect("written");
    run(&["restore", "--database", &one, "--from", &format!("{dump}.letter"), "--replace"], &path).failed("pg_restore failed");
    run(&["verify", "--database", &one], &[]).succeeded("1 accounts hold");
    restore(&one, &["--replace"]).succeeded("1 accounts are in");
    for database in [&one, &two] {
        let granted = run(&["grant", "--database", database, "--account", &account, "--credits", "1"], &[]);
        granted.succeeded("\"available_credits\":\"8\"");
        run(&["verify", "--database", database], &[]).succeeded("1 accounts hold");
    }
    assert!(
        std::fs::read_dir(world.directory.path()).expect("listed").all(|file| !file
            .expect("file")
            .file_name()
            .to_string_lossy()
            .contains("partial"))
    );
    run(&["backup", "--database", &one, "--to", &format!("{dump}.2")], &[("PATH", "/nowhere")]).failed("PostgreSQL's client package");
}

/// A stand-in notes what it was told; the password is in its environment and nowhere else.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_on_no_command_line() {
    const HUSH: &str = "hush@hush/0123";
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    let url = server.fresh_database().expect("a database");
    run(&["migrate", "--database", &url], &[]).succeeded("");
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["pg_dump", "pg_restore"] {
        let note = directory.path().join(format!("{name}.note"));
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >'{0}'\nprintf '%s' \"$PGPASSWORD\" >'{0}.env'\n", note.display());
        let path = directory.path().join(name);
        std::fs::write(&path, script).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    }
    let path = directory.path().display().to_string();
    let to = directory.path().join("dump").display().to_string();
    let environment = [("PATH", path.as_str()), ("AISPACE_SERVICE__DATABASE", url.as_str()), ("AISPACE_DATABASE_PASSWORD", HUSH)];
    let done = run(&["backup", "--to", &to], &environment).succeeded("0 accounts are in");
    assert!(!done.err.contains(HUSH));
    let told = std::fs::read_to_string(directory.path().join("pg_dump.note")).expect("told");
    assert!(told.contains("--dbname\npostgres") && !told.contains("hush"), "{told}");
    assert_eq!(std::fs::read_to_string(directory.path().join("pg_dump.note.env")).expect("told"), HUSH);
}
