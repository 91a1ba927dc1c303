//! A disk that is full, broken or read-only, and a second process: refused plainly, and nothing is posted. What was refused can be asked again.
#![cfg(target_os = "linux")]

mod shimmed;
mod support;

use aispace_api::{ErrorCode, PostedAnswer};
use aispace_chaos::{Errno, Ops, Plan};
use shimmed::{Call, Ground, Process};
use support::World;

/// A ground with an account that has 100 credits.
async fn ground() -> (Ground, String, String) {
    let mut world = World::start().await;
    let (account, key) = world.account().await;
    let _: PostedAnswer = world.grant(&account, "g", "100").await.ok(201);
    world.running.take().expect("running").stop().await;
    (Ground::copy_of(world.directory.path()), account, key)
}

/// From its N-th write on a debit meets the fault, for every N until it has no more writes. Each time it is refused and posts nothing; the
/// service still shows the account, and goes on by itself once the disk is well again.
async fn refused_at_every_write(errno: Errno, ops: Ops, points_min: u64) {
    let (ground, account, key) = ground().await;
    let mut process = ground.start().await;
    let mut posted = 0;
    for at in 1.. {
        let before = process.shown(&key).await;
        let debit = Call::debit(&account, "1").under(&format!("d{at}"));
        ground.plan(Plan::Refuse(at, errno, ops));
        let answer = process.call(&debit).await;
        let met = ground.preload.refused().expect("counted") > 0;
        if met {
            assert_eq!(process.shown(&key).await, before, "{errno:?} at {at}");
            let refused = answer.refused(503, ErrorCode::Internal);
            assert!(refused.message.contains("cannot write") && refused.message.contains("same Idempotency-Key"), "{}", refused.message);
        }
        ground.plan(Plan::Idle);
        let _: PostedAnswer = process.call(&debit).await.ok(201);
        posted += 1;
        assert_eq!(process.shown(&key).await.entries, before.entries + 1, "{errno:?} at {at}");
        if !met {
            assert!(posted > points_min, "a debit has {} writes", posted - 1);
            break;
        }
    }
    assert!(ground.logged().contains("nothing can be written"), "{}", ground.logged());
    assert!(process.stop().await);
    assert_eq!(ground.verify().await, "1 accounts hold\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    refused_at_every_write(Errno::Full, Ops::WRITE.and(Ops::TRUNCATE).and(Ops::MAKE), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_writes() {
    refused_at_every_write(Errno::Io, Ops::WRITE, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_syncs() {
    refused_at_every_write(Errno::Io, Ops::SYNC, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_became_read_only() {
    refused_at_every_write(Errno::ReadOnly, Ops::CHANGES, 4).await;
}

/// What is there when nothing may be written: the reason on one line, the files as they were.
async fn does_not_start(ground: &Ground, said: &str) {
    let status = match ground.try_start().await {
        Ok(_) => panic!("it started"),
        Err(status) => status,
    };
    assert_eq!(status.code(), Some(1));
    let log = ground.logged();
    assert!(log.lines().any(|line| line.contains("ERROR") && line.contains("service.db") && line.contains(said)), "{said}: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_read_only_disk() {
    let (ground, _, key) = ground().await;
    let before = std::fs::read(ground.database()).expect("read");
    ground.plan(Plan::Refuse(1, Errno::ReadOnly, Ops::CHANGES));
    does_not_start(&ground, "Read-only file system").await;
    assert_eq!(std::fs::read(ground.database()).expect("read"), before);
    ground.plan(Plan::Idle);
    let process = ground.start().await;
    assert_eq!(process.shown(&key).await.amounts[0], "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_full_disk() {
    let ground = Ground::new();
    ground.plan(Plan::Refuse(1, Errno::Full, Ops::WRITE.and(Ops::MAKE)));
    does_not_start(&ground, "No space left on device").await;
    ground.plan(Plan::Idle);
    let mut process = ground.start().await;
    assert!(process.stop().await);
    assert_eq!(ground.verify().await, "0 accounts hold\n");
}

/// Whatever way leads to the file, one process writes it. `verify` may look at it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_process() {
    let (ground, account, key) = ground().await;
    let process: Process = ground.start().await;
    does_not_start(&ground, "in use by another process").await;
    let aside = Ground::new();
    std::os::unix::fs::symlink(ground.database(), aside.database()).expect("linked");
    does_not_start(&aside, "in use by another process").await;
    assert_eq!(ground.verify().await, "1 accounts hold\n");
    let _: PostedAnswer = process.call(&Call::debit(&account, "1")).await.ok(201);
    assert_eq!(process.shown(&key).await.amounts[0], "99");
}

/// The system may answer a read with less than was asked for: nothing is lost by that.
#[tokio::test(flavor = "multi_thread")]
async fn short_reads() {
    let (ground, account, key) = ground().await;
    ground.plan(Plan::ShortReads);
    let mut process = ground.start().await;
    let _: PostedAnswer = process.call(&Call::debit(&account, "1")).await.ok(201);
    assert_eq!(process.shown(&key).await.amounts[0], "99");
    assert!(process.stop().await);
    assert_eq!(ground.verify().await, "1 accounts hold\n");
}
