//! A database of the first version is brought up to date with all that is in it.

mod support;

use aispace_api::{AccountAnswer, BatchState, PostedAnswer, UsageAnswer};
use aispace_ledger::{Account, AccountId, Batch, BatchId, BatchSource, Entry, NewBatch, Posting};
use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeMap;
use std::path::Path;
use support::{World, get, post, start_time};

const VERSION_1: &str = include_str!("../migrations/0001_ledger.sql");
const KEY: &str = "ask_of-the-first-version";
const KEPT: &str =
    r#"{"account_id":"ac_old","entry_id":"en_x","batch_id":"b1","available_credits":"9","server_time":"2026-01-01T00:00:00Z"}"#;

/// What a release of the first version leaves: two batches, a debit over both, one that has expired.
fn written() -> (Account, Vec<Entry>, Vec<Batch>) {
    let (mut account, mut entries, mut batches) = (Account::open(AccountId::new("ac_old")), Vec::new(), BTreeMap::new());
    let mut keep = |posting: Posting| {
        entries.extend(posting.entries);
        batches.extend(posting.changed.into_iter().map(|b| (b.id.clone(), b)));
        posting.account
    };
    for (id, amount, hours) in [("b1", "5", 1), ("b2", "7", 100)] {
        let expires = Some(start_time() + TimeDelta::hours(hours));
        let new =
            NewBatch { id: BatchId::new(id), source: BatchSource::Grant, note: None, amount: amount.parse().expect("amount"), expires };
        account = keep(account.grant(start_time(), new).expect("granted"));
    }
    let run = r#"{"model_id":"m","model_name":"M","kind":"chat","meters":{}}"#.to_owned();
    account = keep(account.debit(start_time(), "3".parse().expect("amount"), Some(run)).expect("drawn"));
    account = keep(account.debit(start_time() + TimeDelta::hours(2), "1".parse().expect("amount"), None).expect("drawn"));
    (account, entries, batches.into_values().collect())
}

async fn write_version_1(path: &Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut db = options.connect().await.expect("made");
    sqlx::raw_sql(VERSION_1).execute(&mut db).await.expect("the first version");
    let (account, entries, batches) = written();
    sqlx::query("INSERT INTO accounts VALUES ('ac_old', 'old', ?, ?, ?, ?)")
        .bind(start_time().timestamp_millis())
        .bind(i64::try_from(account.head().entry_count).expect("small"))
        .bind(account.head().last_hash.as_bytes().as_slice())
        .bind(account.head().latest.map(|at| at.timestamp_millis()))
        .execute(&mut db)
        .await
        .expect("an account");
    sqlx::query("INSERT INTO account_keys VALUES ('ac_old', ?, 0, NULL)")
        .bind(Sha256::digest(KEY).to_vec())
        .execute(&mut db)
        .await
        .expect("a key");
    insert_rows(&mut db, &entries, &batches).await;
    db.close().await.expect("closed");
}

async fn insert_rows(db: &mut SqliteConnection, entries: &[Entry], batches: &[Batch]) {
    for entry in entries {
        sqlx::query("INSERT INTO entries VALUES ('ac_old', ?, ?, ?, ?, ?)")
            .bind(i64::try_from(entry.sequence).expect("small"))
            .bind(entry.at.timestamp_millis())
            .bind(serde_json::to_string(&entry.kind).expect("written"))
            .bind(entry.previous.as_bytes().as_slice())
            .bind(entry.hash.as_bytes().as_slice())
            .execute(&mut *db)
            .await
            .expect("an entry");
    }
    for batch in batches {
        sqlx::query("INSERT INTO batches VALUES ('ac_old', ?, ?, 'grant', NULL, ?, ?, ?, ?, ?)")
            .bind(batch.id.as_str())
            .bind(i64::try_from(batch.seq).expect("small"))
            .bind(batch.added.timestamp_millis())
            .bind(batch.expires.timestamp_millis())
            .bind(batch.granted.nanos())
            .bind(batch.left.nanos())
            .bind(batch.lapsed.nanos())
            .execute(&mut *db)
            .await
            .expect("a batch");
    }
    let request = Sha256::new()
        .chain_update("POST /v1/grants")
        .chain_update([0])
        .chain_update(r#"{"account_id":"ac_old","credits":"5","expires":null,"note":null}"#)
        .finalize();
    sqlx::query("INSERT INTO idempotency VALUES ('ac_old', 'g1', ?, 201, ?, 0)")
        .bind(request.to_vec())
        .bind(KEPT)
        .execute(db)
        .await
        .expect("a kept answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_first_version_keeps_everything_and_verifies() {
    let mut world = World::start().await;
    world.running.take().expect("running").stop().await;
    for suffix in ["", "-wal", "-shm"] {
        let mut path = world.file("service").into_os_string();
        path.push(suffix);
        let _ = std::fs::remove_file(path);
    }
    write_version_1(&world.file("service")).await;
    let store = aispace_service::Store::open(&world.database).await.expect("migrates");
    assert_eq!(store.verify().await.expect("holds"), 1);
    store.close().await;

    world.set_time(TimeDelta::hours(3));
    world.restart().await;
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(KEY)).await.ok(200);
    assert_eq!((seen.available_credits.to_string().as_str(), seen.entry_count), ("6", 5));
    assert_eq!(
        seen.batches.iter().map(|b| (b.batch_id.as_str(), b.state)).collect::<Vec<_>>(),
        [("b2", BatchState::Live), ("b1", BatchState::Expired)]
    );
    let log: UsageAnswer = world.send(get("/v1/account/usage").bearer(KEY)).await.ok(200);
    assert_eq!((log.entries.len(), log.entries[2].run.is_some()), (5, true));
    // A key that was used before the migration still leads to its first answer.
    assert_eq!(world.grant("ac_old", "g1", "5").await.body, KEPT);
    // Charges of the first version can be refunded: the part of the batch that has ended is gone, the other goes back.
    let refund = json!({"account_id": "ac_old", "sequence": 3, "credits": "3"});
    let refunded: PostedAnswer = world.send(post("/v1/refunds", refund).operator().key("r1")).await.ok(201);
    assert_eq!(refunded.available_credits.to_string(), "6");
    let refund = json!({"account_id": "ac_old", "sequence": 5, "credits": "1"});
    let refunded: PostedAnswer = world.send(post("/v1/refunds", refund).operator().key("r2")).await.ok(201);
    assert_eq!(refunded.available_credits.to_string(), "7");
    assert_eq!(world.stop_and_verify().await, 1);
}
