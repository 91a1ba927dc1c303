//! The shim meets SQLite and Rust's standard library alike.
#![cfg(target_os = "linux")]

use aispace_chaos::{Errno, Ops, Plan, Preload};
use rusqlite::Connection;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

const FOLDER: &str = "AISPACE_CHAOS_TEST_FOLDER";
const SIGKILL: i32 = 9;

/// What the child does: 30 commits, each counted in a file once it is durable.
fn commits(folder: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(folder.join("n.db"))?;
    db.query_row("PRAGMA journal_mode=wal", [], |_| Ok(()))?;
    db.execute_batch("PRAGMA synchronous=full; PRAGMA wal_autocheckpoint=5; CREATE TABLE IF NOT EXISTS n (n INTEGER PRIMARY KEY, b BLOB)")?;
    for _ in 0..30 {
        db.execute("INSERT INTO n (b) VALUES (randomblob(3000))", [])?;
        let count: i64 = db.query_row("SELECT count(*) FROM n WHERE length(b) = 3000", [], |row| row.get(0))?;
        std::fs::write(folder.with_extension("answered"), count.to_string()).expect("beside the folder nothing is refused");
    }
    Ok(())
}

#[test]
#[ignore = "no test of its own: the process that the shim is loaded into"]
fn child() {
    let folder = std::env::var_os(FOLDER).expect("the test that starts this one says where");
    commits(Path::new(&folder)).expect("it commits");
}

fn run(preload: &Preload) -> Output {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "child", "--ignored", "--nocapture"]).env(FOLDER, preload.folder()).envs(preload.environment());
    child.output().expect("it starts")
}

fn rows(folder: &Path) -> i64 {
    let db = Connection::open(folder.join("n.db")).expect("opens");
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
    assert_eq!(sound, "ok");
    db.query_row("SELECT count(*) FROM n", [], |row| row.get(0)).unwrap_or(0)
}

#[test]
fn it_counts_kills_at_the_point_it_is_told_and_loses_no_answer() {
    let top = tempfile::tempdir().expect("a folder");
    let folder = top.path().join("data");
    std::fs::create_dir(&folder).expect("made");
    let preload = Preload::new(&folder).expect("watched");
    preload.plan(Plan::Count).expect("planned");
    assert!(run(&preload).status.success());
    let all = preload.counted().expect("counted");
    assert!(all > 100, "SQLite's writes go through the shim: {all}");
    let kills: [fn(u64) -> Plan; 3] = [Plan::KillBefore, Plan::KillWithin, Plan::KillAfter];
    for (round, kill) in (1..=all).step_by(23).zip(kills.iter().cycle()) {
        for name in ["n.db", "n.db-wal", "n.db-shm"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        let _ = std::fs::remove_file(folder.with_extension("answered"));
        preload.plan(kill(round)).expect("planned");
        let ended = run(&preload).status;
        assert_eq!((ended.signal(), preload.counted().expect("counted")), (Some(SIGKILL), round));
        let answered = std::fs::read_to_string(folder.with_extension("answered")).map_or(0, |text| text.parse().expect("a number"));
        let found = rows(&folder);
        assert!((answered..=answered + 1).contains(&found), "at {round}: {answered} answered, {found} found");
    }
}

#[test]
fn it_refuses_with_the_error_it_is_told() {
    for (refusal, said) in [
        (Plan::Refuse(20, Errno::Full, Ops::WRITE), "database or disk is full"),
        (Plan::Refuse(9, Errno::Io, Ops::SYNC), "disk I/O error"),
        (Plan::Refuse(1, Errno::ReadOnly, Ops::CHANGES), "unable to open database file"),
    ] {
        let top = tempfile::tempdir().expect("a folder");
        let folder = top.path().join("data");
        std::fs::create_dir(&folder).expect("made");
        let preload = Preload::new(&folder).expect("watched");
        preload.plan(refusal).expect("planned");
        let ended = run(&preload);
        let text = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && text.contains(said), "{refusal:?}: {text}");
        assert!(preload.refused().expect("counted") > 0);
    }
}

#[test]
fn short_reads_are_put_together() {
    let top = tempfile::tempdir().expect("a folder");
    let folder = top.path().join("data");
    std::fs::create_dir(&folder).expect("made");
    let preload = Preload::new(&folder).expect("watched");
    preload.plan(Plan::ShortReads).expect("planned");
    let ended = run(&preload);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(rows(&folder), 30);
}
