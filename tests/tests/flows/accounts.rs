//! Several accounts on one computer: each with a key of its own, one that shows, and none that another's purchase touches.

use crate::{
    estimating::{picture, today},
    world::{App, Keychain, LIMIT, World, Written},
};
use aispace_api::GrantRequest;
use aispace_app::{
    Clipboard as _,
    view::{AccountRowView, AppErrorCode, PaymentState, SessionView, TypedBatch},
};
use aispace_keychain::{KeychainError, Secret, SecretName, SecretStore as _};
use aispace_testkit::fault::Fault;
use serde_json::Value;
use std::{sync::Arc, time::Instant};

async fn open_account(world: &World, label: &str) -> String {
    world.sandbox.service.open_account(label).await.expect("an account").secure_key.into_exposed()
}

async fn two_accounts(world: &World) -> (App, [String; 2]) {
    let app = world.app("first").await;
    app.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    let keys = [open_account(world, "one").await, open_account(world, "two").await];
    for key in &keys {
        app.wallet.sign_in(key.clone()).await.expect("signed in");
    }
    (app, keys)
}

fn rows(app: &App) -> Vec<AccountRowView> {
    app.wallet.view().accounts.rows
}

fn hint(key: &str) -> String {
    key[key.len() - 4..].into()
}

async fn item(keychain: &Keychain, name: &str) -> Option<String> {
    let name = SecretName::parse(name).expect("a name");
    keychain.get(&name).await.expect("the keychain answers").map(|s| s.expose_text().expect("text").to_owned())
}

/// Whether the service takes a key.
async fn opens(world: &World, key: &str) -> bool {
    let probe = world.app_with(&format!("probe-{}", uuid_like()), &world.profile(), Arc::default()).await;
    probe.wallet.sign_in(key.to_owned()).await.is_ok()
}

fn uuid_like() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos()
}

#[tokio::test]
async fn a_second_key_is_a_second_account_and_both_are_there_after_a_restart() {
    let world = World::start().await;
    let (app, keys) = two_accounts(&world).await;
    assert_eq!(app.key().await.as_deref(), Some(keys[0].as_str()), "the first keeps its place");
    let [first, second] = [&rows(&app)[0], &rows(&app)[1]].map(|row| row.account.clone());
    assert_eq!(item(&app.keychain, &format!("secure-key-{second}")).await.as_deref(), Some(keys[1].as_str()));
    assert!(rows(&app)[1].active);
    app.wallet.label_account(first.clone(), "  Studio   North ".into()).await.expect("named");
    app.wallet.switch_account(first.clone()).await.expect("switched");
    assert_eq!(app.wallet.label_account(first.clone(), "x".repeat(41)).await.expect_err("too long").code, AppErrorCode::LabelRefused);
    let shown = app.wallet.view();
    assert_eq!(
        (&shown.account.expect("an account").account_id, shown.accounts.total.map(|t| t.counted)),
        (rows(&app)[0].account_id.as_ref().expect("an id"), Some(2))
    );
    for key in &keys {
        app.assert_not_on_disk(key);
    }
    let keychain = app.close().await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    let both = |rows: &[AccountRowView]| rows.len() == 2 && rows.iter().all(|row| row.key_hint.is_some() && !row.at_most);
    let shown = again.until("both", |v| Some(v.accounts.rows.clone()).filter(|rows| both(rows))).await;
    assert_eq!((shown[0].label.as_deref(), shown[0].active, shown[1].label.as_deref()), (Some("Studio North"), true, None));
    assert_eq!(shown.iter().map(|row| row.key_hint.clone().expect("a hint")).collect::<Vec<_>>(), keys.map(|key| hint(&key)));
}

#[tokio::test]
async fn a_keychain_and_store_of_an_app_that_knew_one_account_open_unchanged() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let (data, before, key) = (app.data.clone(), app.wallet.view().account.expect("an account"), app.key().await.expect("a key"));
    let keychain = app.close().await;
    // Such an app wrote no list of accounts, and one item into the keychain.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("wallet.sqlite3"));
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("the store");
    sqlx::query("DELETE FROM kept WHERE name = 'roster'").execute(&pool).await.expect("gone");
    pool.close().await;
    assert_eq!(item(&keychain, "account-list").await, None);
    world.service.set(Fault::Refuse).await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    let shown = again.until("the account", |v| v.account.clone().filter(|_| matches!(v.session, SessionView::SignedIn { .. }))).await;
    assert_eq!((shown.account_id, shown.available_credits, again.key().await), (before.account_id, before.available_credits, Some(key)));
    assert_eq!(rows(&again).iter().map(|row| (row.account.as_str(), row.active)).collect::<Vec<_>>(), [("first", true)]);
}

#[tokio::test]
async fn a_lost_store_finds_every_key_again() {
    let world = World::start().await;
    let (app, keys) = two_accounts(&world).await;
    let data = app.data.clone();
    let keychain = app.close().await;
    crate::world::damage_store(&data);
    let again = world.app_with("first", &world.profile(), keychain).await;
    let found = again
        .until("both", |v| Some(v.accounts.rows.clone()).filter(|rows| rows.len() == 2 && rows.iter().all(|row| row.account_id.is_some())))
        .await;
    let mut hints: Vec<_> = found.into_iter().filter_map(|row| row.key_hint).collect();
    let mut expected = keys.map(|key| hint(&key)).to_vec();
    hints.sort();
    expected.sort();
    assert_eq!(hints, expected);
}

#[tokio::test]
async fn leaving_one_account_takes_its_key_and_nothing_else() {
    let world = World::start().await;
    let (app, keys) = two_accounts(&world).await;
    let second = rows(&app)[1].account.clone();
    let view = app.wallet.sign_out().await.expect("signed out");
    assert_eq!((view.accounts.rows.len(), view.accounts.rows[0].active, view.accounts.total), (1, true, None));
    assert!(matches!(view.session, SessionView::SignedIn { ref key_hint, .. } if *key_hint == hint(&keys[0])));
    assert_eq!((item(&app.keychain, &format!("secure-key-{second}")).await, item(&app.keychain, "account-list").await), (None, None));
    assert_eq!(app.wallet.switch_account(second).await.expect_err("it is gone").code, AppErrorCode::AccountUnknown);
    let view = app.wallet.sign_out().await.expect("signed out");
    assert_eq!((view.session, view.account, view.accounts.rows), (SessionView::SignedOut, None, vec![]));
    assert_eq!(app.key().await, None);
}

#[tokio::test]
async fn a_purchase_stays_with_the_account_it_began_for_whatever_is_switched() {
    let world = World::start().await;
    let (app, _) = two_accounts(&world).await;
    app.until_funded().await;
    let [first, second] = [&rows(&app)[0], &rows(&app)[1]].map(|row| row.account.clone());
    let review = app.review("25").await.expect("a review");
    let credited = rows(&app)[1].account_id.clone();
    assert!(credited.is_some() && review.account_id == credited, "it says which account is credited");
    app.wallet.switch_account(first).await.expect("switched");
    let paying = app.wallet.pay(review.order_id).await.expect("paid").payment.expect("a payment");
    assert_eq!(paying.account_id, credited);
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.top_up, done.account_id), (true, credited));
    let topped = |rows: &[AccountRowView], credits: &str| {
        rows.iter().any(|row| row.account == second && row.available_credits.as_deref() == Some(credits))
    };
    app.until("the top-up", |v| topped(&v.accounts.rows, "250000").then_some(())).await;
    assert_eq!(app.wallet.view().account.expect("an account").available_credits, "0");
    let total = app.wallet.view().accounts.total.expect("two accounts");
    assert_eq!((total.available_credits.as_str(), total.available_usd.as_str()), ("250000", "25"));
}

#[tokio::test]
async fn a_key_that_a_purchase_brings_is_one_account_more() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    let other = open_account(&world, "other").await;
    app.wallet.sign_in(other.clone()).await.expect("signed in meanwhile");
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    app.until_payment(PaymentState::Done).await;
    let bought = app.until("the new account", |v| v.accounts.rows.get(1).cloned().filter(|row| row.available_credits.is_some())).await;
    assert_eq!((bought.available_credits.as_deref(), bought.active), (Some("250000"), false));
    assert_eq!(app.key().await, Some(other), "the one signed in with stays");
    assert!(item(&app.keychain, &format!("secure-key-{}", bought.account)).await.is_some());
}

#[tokio::test]
async fn a_rotated_key_takes_the_old_ones_place() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let old = app.key().await.expect("a key");
    app.wallet.rotate_key("first".into()).await.expect("rotated");
    let new = app.key().await.expect("a key");
    assert_ne!(new, old);
    assert_eq!(item(&app.keychain, "secure-key-next").await, None);
    assert_eq!(rows(&app)[0].key_hint, Some(hint(&new)));
    assert!(opens(&world, &new).await && !opens(&world, &old).await);
    app.assert_not_on_disk(&new);
}

#[tokio::test]
async fn a_rotation_whose_answer_is_lost_leaves_the_old_key_and_is_asked_for_again() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let old = app.key().await.expect("a key");
    world.service.set(Fault::Cut).await;
    assert!(app.wallet.rotate_key("first".into()).await.is_err());
    assert_eq!((app.key().await.as_deref(), item(&app.keychain, "secure-key-next").await), (Some(old.as_str()), None));
    world.service.set(Fault::None).await;
    app.wallet.rotate_key("first".into()).await.expect("rotated");
    let new = app.key().await.expect("a key");
    assert!(new != old && opens(&world, &new).await && !opens(&world, &old).await);
}

#[tokio::test]
async fn a_rotation_that_is_killed_after_the_new_key_is_kept_goes_on_with_it() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let old = app.key().await.expect("a key");
    // The keychain takes the new key, and the app ends before it hears so.
    let next = SecretName::parse("secure-key-next").expect("a name");
    app.keychain.fail_on_writing(Some((next, KeychainError::Waiting, Written::AllTheSame)));
    assert_eq!(app.wallet.rotate_key("first".into()).await.expect_err("no answer").code, AppErrorCode::KeychainWaiting);
    let kept = item(&app.keychain, "secure-key-next").await.expect("it was written");
    let keychain = app.close().await;
    keychain.fail_on_writing(None);
    let again = world.app_with("first", &world.profile(), keychain).await;
    comes_to(&again, &kept).await;
    assert!(!opens(&world, &old).await);
}

#[tokio::test]
async fn a_rotation_that_is_killed_after_the_new_key_is_used_goes_on_with_it() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let old = app.key().await.expect("a key");
    // The new key is used, and cannot take the old one's place before the app ends.
    app.keychain.fail_on_writing(Some((SecretName::secure_key(), KeychainError::Locked, Written::Not)));
    assert_eq!(app.wallet.rotate_key("first".into()).await.expect_err("locked").code, AppErrorCode::KeychainLocked);
    assert_eq!(app.key().await.as_deref(), Some(old.as_str()));
    assert!(!opens(&world, &old).await, "it is dead already");
    let kept = item(&app.keychain, "secure-key-next").await.expect("the new one");
    let keychain = app.close().await;
    keychain.fail_on_writing(None);
    let again = world.app_with("first", &world.profile(), keychain).await;
    comes_to(&again, &kept).await;
}

#[tokio::test]
async fn a_next_key_that_the_service_does_not_know_is_put_away_and_the_good_one_stays() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let old = app.key().await.expect("a key");
    let keychain = app.close().await;
    let next = SecretName::parse("secure-key-next").expect("a name");
    keychain.set(&next, &Secret::from_text(format!("{old}x"))).await.expect("kept");
    let again = world.app_with("first", &world.profile(), keychain).await;
    again.until("it is put away", |v| v.accounts.rows.first().filter(|row| !row.rotating && !row.at_most).map(drop)).await;
    assert_eq!((again.key().await, item(&again.keychain, "secure-key-next").await), (Some(old), None));
}

/// The app finishes by itself: this key is the account's, and the only one.
async fn comes_to(app: &App, key: &str) {
    let began = Instant::now();
    while app.key().await.as_deref() != Some(key) || item(&app.keychain, "secure-key-next").await.is_some() {
        assert!(began.elapsed() < LIMIT, "the rotation does not end");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.until("the account", |v| v.account.as_ref().filter(|a| !a.at_most && a.available_credits == "250000").map(drop)).await;
    assert!(!rows(app)[0].rotating);
}

#[tokio::test]
async fn a_key_is_copied_by_the_app_itself_and_only_when_confirmed() {
    let world = World::start().await;
    let (app, keys) = two_accounts(&world).await;
    let first = rows(&app)[0].account.clone();
    assert_eq!(app.wallet.copy_secure_key(Some(first.clone()), "????".into()).await.expect_err("wrong").code, AppErrorCode::RevealRefused);
    assert_eq!(app.clipboard.text().expect("a clipboard"), None);
    assert_eq!(app.wallet.copy_secure_key(Some(first), hint(&keys[0])).await.expect("copied").seconds, 30);
    assert_eq!(app.clipboard.text().expect("a clipboard").as_deref(), Some(keys[0].as_str()));
}

#[tokio::test]
async fn typed_batches_are_an_account_without_a_key() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    let day = today(&app);
    let read = app.wallet.read_batches(format!("credits,added,note\n6400,{day},Invoice 311\n100.5,{day},\n"));
    assert_eq!((read.faults.len(), read.left_credits.as_str()), (0, "6500.5"));
    let mut wrong = read.batches.clone();
    wrong[0].granted_credits = "many".into();
    assert_eq!(app.wallet.keep_batches(None, String::new(), wrong).await.expect_err("wrong").code, AppErrorCode::BatchesRefused);
    assert_eq!(rows(&app), []);
    let view = app.wallet.keep_batches(None, "Old provider".into(), read.batches).await.expect("kept");
    assert_eq!((&view.session, view.account.expect("an account").available_credits.as_str()), (&SessionView::ByHand, "6500.5"));
    let keychain = app.close().await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    let row = again.until("it", |v| v.accounts.rows.first().cloned()).await;
    assert_eq!((row.label.as_deref(), row.available_credits.as_deref(), row.at_most), (Some("Old provider"), Some("6500.5"), false));
    // A purchase opens an account beside it, and a removal takes nothing else.
    assert!(!again.buy("1").await.top_up);
    again.until("two", |v| (v.accounts.rows.len() == 2).then_some(())).await;
    let typed: Vec<TypedBatch> = again.wallet.typed_batches(row.account.clone()).expect("typed");
    assert_eq!(typed.len(), 2);
    again.wallet.remove_account(row.account).await.expect("removed");
    assert_eq!((rows(&again).len(), again.key().await.is_some()), (1, true));
}

#[tokio::test]
async fn everything_is_exported_without_a_secret() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let key = app.key().await.expect("a key");
    app.wallet.keep_estimate(picture()).await.expect("it is kept");
    let saved = app.wallet.export_everything().await.expect("saved");
    let text = std::fs::read_to_string(saved.path).expect("the file");
    assert!(!text.contains(&key) && !text.contains(app.data.to_str().expect("a path")));
    let export: Value = serde_json::from_str(&text).expect("json");
    assert_eq!(
        (export["accounts"][0]["available_credits"].as_str(), export["accounts"][0]["batches"].as_array().map(Vec::len)),
        (Some("250000"), Some(1))
    );
    assert_eq!((export["payments"][0]["usd"].as_str(), export["payments"][0]["state"].as_str()), (Some("25"), Some("done")));
    assert_eq!(export["accounts"][0]["kept_estimates"][0]["expected"].as_str(), Some("100"));
    assert_eq!(export["settings"]["cap_payment_usd"].as_str(), Some("250"));
}

/// How many logs are in an app's folder.
fn logs(app: &App) -> usize {
    let names = std::fs::read_dir(&app.data).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    names.filter(|name| name.to_string_lossy().starts_with("usage-") && name.to_string_lossy().ends_with(".sqlite3")).count()
}

#[tokio::test]
async fn each_account_has_a_whole_log_of_its_own_in_the_export_and_leaves_with_it() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    let busy = world.sandbox.service.open_account("busy").await.expect("an account");
    for _ in 0..210 {
        let grant = GrantRequest { account_id: busy.account_id.clone(), credits: "1".parse().expect("credits"), expires: None, note: None };
        world.sandbox.service.grant(&grant).await.expect("granted");
    }
    let posted = app.wallet.sign_in(busy.secure_key.into_exposed()).await.expect("signed in").usage_log.posted;
    assert!(posted > 200, "{posted} entries are more than a page");
    // Another one shows before the log of the first is read to its end.
    app.wallet.sign_in(open_account(&world, "two").await).await.expect("signed in");
    let began = Instant::now();
    let entries = loop {
        let saved = app.wallet.export_everything().await.expect("saved");
        let export: Value = serde_json::from_str(&std::fs::read_to_string(&saved.path).expect("the file")).expect("json");
        let account = &export["accounts"][0];
        assert_eq!(account["usage_entries_posted"].as_u64(), Some(u64::from(posted)));
        let entries = account["usage"].as_array().expect("entries").clone();
        assert_eq!(account["usage_entries_here"].as_u64(), u64::try_from(entries.len()).ok());
        if entries.len() >= usize::try_from(posted).expect("a count") {
            break entries;
        }
        assert!(began.elapsed() < LIMIT, "{} of {posted} entries", entries.len());
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    let numbers: Vec<u64> = entries.iter().filter_map(|entry| entry["sequence"].as_u64()).collect();
    assert_eq!(numbers, (1..=u64::from(posted)).rev().collect::<Vec<_>>());
    assert!(app.wallet.data_kept().await.expect("figures").entries >= posted);
    assert_eq!(logs(&app), 2);
    app.wallet.sign_out().await.expect("signed out of the second");
    assert_eq!((rows(&app).len(), logs(&app)), (1, 1));
    app.until("the first one's log", |v| (v.usage_log.kept == posted).then_some(())).await;
    app.wallet.delete_everything("delete".into(), None).await.expect("deleted");
    assert_eq!(logs(&app), 0);
}

#[tokio::test]
async fn everything_is_deleted_but_the_wallet_that_was_not_confirmed() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let address = app.wallet.view().wallet.expect("a wallet").address;
    assert_eq!(app.wallet.delete_everything("yes".into(), None).await.expect_err("not the word").code, AppErrorCode::DeletionNotConfirmed);
    let refused = app.wallet.delete_everything("delete".into(), Some("zzzz".into())).await.expect_err("not its end");
    assert_eq!((refused.code, app.key().await.is_some()), (AppErrorCode::WalletNotConfirmed, true));
    let deleted = app.wallet.delete_everything(" Delete".into(), None).await.expect("deleted");
    assert_eq!((deleted.accounts, deleted.payments), (1, 1));
    assert_eq!((deleted.wallet_kept, deleted.wallet_removed), (Some(address.clone()), None));
    assert_eq!((deleted.view.session, deleted.view.account, deleted.view.payments.len()), (SessionView::SignedOut, None, 0));
    assert_eq!(
        (app.key().await, item(&app.keychain, "open-claims").await, item(&app.keychain, "spending-key").await.is_some()),
        (None, None, true)
    );
    let keychain = app.close().await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    again.until("signed out", |v| (v.session == SessionView::SignedOut && v.payments.is_empty()).then_some(())).await;
    again.until_funded().await;
    // Confirmed, the wallet goes too, and the sandbox makes no other by itself.
    let end = address[address.len() - 4..].to_owned();
    let deleted = again.wallet.delete_everything("delete".into(), Some(end)).await.expect("deleted");
    assert_eq!((deleted.wallet_removed, item(&again.keychain, "spending-key").await), (Some(address), None));
    let _ = again.wallet.sync_now().await;
    assert_eq!(again.wallet.view().wallet, None);
}
