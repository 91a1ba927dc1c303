//! The server comes up, keeps what it acknowledged, and leaves nothing behind.

use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use sqlx::{Connection, PgConnection};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const VICTIM: &str = "AISPACE_TEST_VICTIM";
const PATIENCE: Duration = Duration::from_secs(15);

async fn connected(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("connects")
}

async fn setting(db: &mut PgConnection, name: &str) -> String {
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(db).await.expect("a setting")
}

/// Every process that works below a folder.
fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let places = entries.filter_map(|entry| std::fs::read_link(entry.path().join("cwd")).ok());
    places.filter(|place| place.starts_with(folder)).collect()
}

fn until_gone(folder: &Path) {
    let began = Instant::now();
    while folder.exists() || !processes_in(folder).is_empty() {
        assert!(began.elapsed() < PATIENCE, "{} and {:?} are still there", folder.display(), processes_in(folder));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn databases_are_empty_and_apart_and_the_socket_is_the_only_way_in() {
    let server = PostgresServer::start().unwrap();
    let (url, other) = (server.fresh_database().unwrap(), server.fresh_database().unwrap());
    assert_ne!(url, other);
    let (mut one, mut other) = (connected(&url).await, connected(&other).await);
    sqlx::raw_sql("CREATE TABLE a (n BIGINT)").execute(&mut one).await.unwrap();
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut one).await.unwrap(), 1);
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut other).await.unwrap(), 0);
    one.close().await.unwrap();
    let copy = server.copied_database(&url).unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut connected(&copy).await).await.unwrap(), 1);
    assert!(server.copied_database("postgresql://localhost/fresh_0").is_err());
    let mut one = connected(&url).await;
    for (name, value) in [("fsync", "on"), ("listen_addresses", ""), ("is_superuser", "off"), ("data_checksums", "on")] {
        assert_eq!(setting(&mut one, name).await, value, "{name}");
    }
}

#[tokio::test]
async fn settings_reach_the_server() {
    let server = PostgresServer::start_with(&NOT_DURABLE).unwrap();
    let mut db = connected(&server.fresh_database().unwrap()).await;
    assert_eq!(setting(&mut db, "fsync").await, "off");
    let refused = PostgresServer::start_with(&[("max_connections", "-1")]).unwrap_err();
    assert!(refused.to_string().contains("max_connections"), "{refused}");
}

#[tokio::test]
async fn what_was_committed_survives_a_crash_and_the_rest_does_not() {
    let mut server = PostgresServer::start().unwrap();
    let url = server.fresh_database().unwrap();
    let mut db = connected(&url).await;
    sqlx::raw_sql("CREATE TABLE a (n BIGINT); INSERT INTO a VALUES (1)").execute(&mut db).await.unwrap();
    let mut open = db.begin().await.unwrap();
    sqlx::raw_sql("INSERT INTO a VALUES (2)").execute(&mut *open).await.unwrap();
    server.kill();
    assert!(open.commit().await.is_err(), "a dead server acknowledged");
    assert!(processes_in(server.folder()).is_empty(), "a process outlived the crash");
    server.restart().unwrap();
    let kept: Vec<i64> = sqlx::query_scalar("SELECT n FROM a").fetch_all(&mut connected(&url).await).await.unwrap();
    assert_eq!(kept, [1]);
    assert!(server.log().contains("was not properly shut down"), "{}", server.log());
    server.restart().unwrap();
    assert_eq!(server.log().matches("was not properly shut down").count(), 1, "a restart in order is no crash");
}

#[test]
fn nothing_is_left_of_a_dropped_server_running_or_killed() {
    let mut servers = [PostgresServer::start().unwrap(), PostgresServer::start().unwrap()];
    servers[1].kill();
    for server in servers {
        let folder = server.folder().to_owned();
        let memory = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        let memory = memory.lines().nth(6).unwrap().split_whitespace().last().unwrap().to_owned();
        assert!(segments().contains(&memory));
        drop(server);
        assert!(!folder.exists() && processes_in(&folder).is_empty());
        assert!(!segments().contains(&memory), "shared memory {memory} is left");
    }
}

/// The numbers of all shared memory of the system.
fn segments() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/sysvipc/shm").expect("shared memory");
    text.lines().filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect()
}

#[test]
fn nothing_is_left_of_a_server_whose_test_was_killed() {
    if std::env::var_os(VICTIM).is_some() {
        let server = PostgresServer::start().unwrap();
        writeln!(std::io::stderr(), "folder {}", server.folder().display()).unwrap();
        std::thread::sleep(PATIENCE * 2);
        return;
    }
    let own = "nothing_is_left_of_a_server_whose_test_was_killed";
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", own, "--nocapture"]).env(VICTIM, "1").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut victim = victim.spawn().unwrap();
    let lines = BufReader::new(victim.stderr.take().unwrap()).lines();
    let folder = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("folder ").map(PathBuf::from)).unwrap();
    assert!(folder.exists() && !processes_in(&folder).is_empty());
    victim.kill().unwrap();
    victim.wait().unwrap();
    until_gone(&folder);
}
