//! Rotation of Secure Keys: nobody is locked out, and no old key outlives the first use of a new one.

mod support;

use aispace_api::{AccountAnswer, AccountOpened, ErrorCode};
use chrono::TimeDelta;
use serde_json::json;
use support::{World, get, post};

async fn rotated(world: &World, key: &str) -> String {
    let opened: AccountOpened = world.send(post("/v1/account/key/rotate", json!({})).bearer(key)).await.ok(201);
    opened.secure_key.into_exposed()
}

async fn is_valid(world: &World, key: &str) -> bool {
    let reply = world.send(get("/v1/account").bearer(key)).await;
    if reply.status != 200 {
        reply.refused(401, ErrorCode::Unauthorized);
    }
    reply.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_dies_when_the_new_one_is_first_used() {
    let mut world = World::start().await;
    let (account, old) = world.account().await;
    let new = rotated(&world, &old).await;
    assert_ne!(old, new);
    assert!(is_valid(&world, &old).await, "the answer may have been lost");
    world.restart().await;
    let seen: AccountAnswer = world.send(get("/v1/account").bearer(&new)).await.ok(200);
    assert_eq!(seen.account_id, account);
    assert!(!is_valid(&world, &old).await);
    assert!(is_valid(&world, &new).await);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_whose_answer_was_lost_is_made_again() {
    let world = World::start().await;
    let (_, old) = world.account().await;
    let lost = rotated(&world, &old).await;
    world.set_time(TimeDelta::seconds(1));
    let new = rotated(&world, &old).await;
    assert!(is_valid(&world, &new).await);
    assert!(!is_valid(&world, &lost).await && !is_valid(&world, &old).await, "neither was used before the new one");
    // A key that was rotated away cannot rotate.
    world.send(post("/v1/account/key/rotate", json!({})).bearer(&old)).await.refused(401, ErrorCode::Unauthorized);
    world.stop_and_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_rotation_outlives_the_use_of_an_earlier_one() {
    let world = World::start().await;
    let (account, first) = world.account().await;
    let (_, stranger) = world.account().await;
    let second = rotated(&world, &first).await;
    world.set_time(TimeDelta::seconds(1));
    let third = rotated(&world, &first).await;
    assert!(is_valid(&world, &second).await);
    assert!(!is_valid(&world, &first).await);
    assert!(is_valid(&world, &third).await);
    assert!(!is_valid(&world, &second).await);
    assert!(is_valid(&world, &stranger).await, "another account's key");
    let revoked = post(&format!("/v1/accounts/{account}/key/revoke"), json!({})).operator();
    let waiting = rotated(&world, &third).await;
    assert!(world.send(revoked).await.status < 300);
    assert!(!is_valid(&world, &waiting).await && !is_valid(&world, &third).await, "a revocation takes the waiting key too");
    world.send(post("/v1/account/key/rotate", json!({})).operator()).await.refused(403, ErrorCode::Forbidden);
    world.send(post("/v1/account/key/rotate", json!({}))).await.refused(401, ErrorCode::Unauthorized);
    world.stop_and_verify().await;
}
