//! Signing in and out, a second computer, and showing the key.

use crate::world::World;
use aispace_app::view::{AppErrorCode, KeyKeeping, RevealKind, SessionView};
use aispace_testkit::fault::Fault;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn the_same_key_opens_the_same_account_on_a_second_data_folder_and_keychain_scope() {
    let world = World::start().await;
    let first = world.app_with_credits("first").await;
    let key = first.key().await.expect("a key");
    let mut profile = world.profile();
    profile["keychain_scope"] = json!("second");
    let second = world.app_with("second", &profile, Arc::default()).await;
    second.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    let view = second.wallet.sign_in(format!(" {key}\n")).await.expect("the key is known");
    let (one, two) = (first.wallet.view().account.expect("an account"), view.account.expect("an account"));
    assert_eq!((one.account_id, one.available_credits, one.batches), (two.account_id, two.available_credits, two.batches));
    assert!(!two.at_most);
    assert_eq!(second.key().await.as_deref(), Some(key.as_str()));
    // One keeps the other up to date.
    first.buy("1").await;
    second.until("the top-up", |v| v.account.as_ref().filter(|a| a.available_credits == "260000").map(drop)).await;
    second.assert_not_on_disk(&key);
}

#[tokio::test]
async fn signing_out_removes_the_key_and_the_account_from_this_computer() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let key = app.key().await.expect("a key");
    let account_id = app.wallet.view().account.expect("an account").account_id;
    app.assert_not_on_disk(&key);
    let view = app.wallet.sign_out().await.expect("signed out");
    assert_eq!((view.session, view.account), (SessionView::SignedOut, None));
    assert_eq!(app.key().await, None);
    // A read that was under way when the account was left does not bring it back.
    for _ in 0..3 {
        let _ = app.wallet.sync_now().await;
        assert_eq!(app.wallet.view().account, None);
    }
    let keychain = app.close().await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    again.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    assert_eq!(again.wallet.view().account, None);
    again.assert_not_on_disk(&key);
    // The credits are the account's, not this computer's.
    let back = again.wallet.sign_in(key.clone()).await.expect("the key still opens it").account.expect("an account");
    assert_eq!((back.account_id, back.available_credits.as_str()), (account_id, "250000"));
    again.assert_not_on_disk(&key);
}

#[tokio::test]
async fn a_review_made_before_signing_in_is_not_paid_after() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let review = app.review("25").await.expect("a review for a new account");
    let other = world.sandbox.service.open_account("other").await.expect("an account").secure_key.into_exposed();
    app.wallet.sign_in(other.clone()).await.expect("signed in");
    // Its claim would put another key in the place of this one.
    assert_eq!(app.wallet.pay(review.order_id).await.expect_err("it was for nobody").code, AppErrorCode::NothingToPay);
    world.assert_nothing_paid().await;
    assert!(app.buy("25").await.top_up);
    assert_eq!(app.key().await, Some(other));
}

#[tokio::test]
async fn the_key_is_shown_only_against_its_last_four_characters() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_online().await;
    assert_eq!(
        app.wallet.reveal_secret(RevealKind::SecureKey, "abcd".into(), None).await.expect_err("signed out").code,
        AppErrorCode::NotSignedIn
    );
    let key = world.sandbox.service.open_account("one").await.expect("an account").secure_key.into_exposed();
    let view = app.wallet.sign_in(key.clone()).await.expect("signed in");
    let hint = key[key.len() - 4..].to_string();
    for wrong in ["", "????", &hint[..3], &hint.to_lowercase()[1..]] {
        assert_eq!(
            app.wallet.reveal_secret(RevealKind::SecureKey, wrong.into(), None).await.expect_err("they differ").code,
            AppErrorCode::RevealRefused
        );
    }
    assert_eq!(
        app.wallet.reveal_secret(RevealKind::SecureKey, format!(" {hint} "), None).await.expect("they match"),
        std::slice::from_ref(&key)
    );
    // All that the window ever learns is those four.
    assert_eq!(view.session, SessionView::SignedIn { key_hint: hint, keeping: KeyKeeping::Keychain });
    assert!(!serde_json::to_string(&app.wallet.view()).expect("a view").contains(&key));
}

#[tokio::test]
async fn offline_shows_at_most_what_was_known_and_when_also_after_a_restart() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let before = app.wallet.view().account.expect("an account");
    world.service.set(Fault::Refuse).await;
    let offline = app.until("offline", |v| v.account.clone().filter(|a| a.at_most)).await;
    assert_eq!((offline.available_credits, offline.next_end), (before.available_credits.clone(), before.next_end.clone()));
    assert!(offline.known_at >= before.known_at);
    let keychain = app.close().await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    let shown = again.until("the account", |v| v.account.clone()).await;
    assert_eq!((shown.available_credits, shown.at_most, shown.known_at), (before.available_credits, true, offline.known_at));
    again.until("a reason", |v| v.connection.error.clone().filter(|e| e.code == AppErrorCode::ServiceUnreachable)).await;
    world.service.set(Fault::None).await;
    again.until("well again", |v| v.account.as_ref().filter(|a| !a.at_most).map(drop)).await;
    assert_eq!(again.wallet.view().connection.error, None);
}
