//! Each fault by its name: said with its code, nothing lost, well again by itself.

use crate::world::{App, Keychain, World, Written, damage_store};
use aispace_app::view::{
    AccountView, AppErrorCode, ConnectionState, ErrorView, KeyKeeping, KeychainState, NoticeView, PaymentState, SessionView, SourceVerdict,
};
use aispace_keychain::{KeychainError, SecretName, SecretStore as _};
use aispace_testkit::{
    fault::Fault,
    venues::{Venue, VenueFault},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

#[tokio::test]
async fn wrong_key_is_refused_and_replaces_nothing() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let (key, session) = (app.key().await.expect("a key"), app.wallet.view().session);
    for (wrong, code) in [
        (other_key(&key), AppErrorCode::KeyRefused),
        ("ask_short".to_string(), AppErrorCode::KeyMalformed),
        (String::new(), AppErrorCode::KeyMalformed),
        (format!("{key} {key}"), AppErrorCode::KeyMalformed),
    ] {
        assert_eq!(app.wallet.sign_in(wrong.clone()).await.expect_err("it opens nothing").code, code, "{wrong:?}");
    }
    assert_eq!((app.key().await, app.wallet.view().session), (Some(key), session));
    assert_eq!(app.wallet.view().account.expect("an account").available_credits, "250000");
    let fresh = world.app("second").await;
    fresh.until_online().await;
    let unknown = format!("ask_{}", "b".repeat(58));
    assert_eq!(fresh.wallet.sign_in(unknown.clone()).await.expect_err("it opens nothing").code, AppErrorCode::KeyRefused);
    assert_eq!((fresh.key().await, fresh.wallet.view().session), (None, SessionView::SignedOut));
    fresh.assert_not_on_disk(&unknown);
}

#[tokio::test]
async fn revoked_key_is_said_and_the_balance_and_the_key_stay() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let key = app.key().await;
    assert_eq!(world.change_service("UPDATE account_keys SET revoked_ms = 1").await, 1);
    let refused = app.until("the refusal", |v| unavailable(&v.session)).await;
    assert_eq!(refused.code, AppErrorCode::KeyRefused);
    let view = app.wallet.view();
    let account = view.account.expect("the account stays");
    assert_eq!((account.available_credits.as_str(), account.at_most), ("250000", true));
    assert_eq!(app.key().await, key);
    // It does not flicker while it is asked again.
    let mut changes = app.wallet.changes();
    let watched = tokio::time::timeout(Duration::from_secs(3), changes.wait_for(|v| unavailable(&v.session).is_none())).await;
    assert!(watched.is_err(), "signed in for a moment");
    // An order without the key would bring another one to its place.
    assert_eq!(app.review("5").await.expect_err("refused").code, AppErrorCode::KeyRefused);
    world.change_service("UPDATE account_keys SET revoked_ms = NULL").await;
    app.until("well again", |v| matches!(v.session, SessionView::SignedIn { .. }).then_some(())).await;
    app.until("live", |v| v.account.as_ref().filter(|a| !a.at_most).map(drop)).await;
}

#[tokio::test]
async fn revoked_key_that_is_in_memory_only_is_not_forgotten() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.keychain.fail_with(Some(KeychainError::Absent));
    let key = world.sandbox.service.open_account("one").await.expect("an account").secure_key.into_exposed();
    app.wallet.sign_in(key).await.expect("signed in");
    world.change_service("UPDATE account_keys SET revoked_ms = 1").await;
    app.until("the refusal", |v| unavailable(&v.session).filter(|e| e.code == AppErrorCode::KeyRefused)).await;
    world.change_service("UPDATE account_keys SET revoked_ms = NULL").await;
    app.until("well again", |v| matches!(v.session, SessionView::SignedIn { .. }).then_some(())).await;
}

#[tokio::test]
async fn service_down() {
    service_fault(Fault::Refuse, AppErrorCode::ServiceUnreachable, None).await;
}

#[tokio::test]
async fn service_slow() {
    service_fault(Fault::Hang, AppErrorCode::ServiceSlow, Some(("seconds", "8"))).await;
}

#[tokio::test]
async fn service_5xx() {
    service_fault(Fault::Status(503), AppErrorCode::ServiceFailed, Some(("status", "503"))).await;
}

#[tokio::test]
async fn service_asks_to_wait() {
    service_fault(Fault::Status(429), AppErrorCode::ServiceBusy, Some(("seconds", "60"))).await;
}

#[tokio::test]
async fn service_bad_json() {
    service_fault(Fault::Garble, AppErrorCode::ServiceGarbled, None).await;
}

#[tokio::test]
async fn service_cut_in_the_middle_of_an_answer() {
    service_fault(Fault::Cut, AppErrorCode::ServiceUnreachable, None).await;
}

/// Said, with the balance as last known; nothing can be bought, nothing is paid; well again by itself.
async fn service_fault(fault: Fault, code: AppErrorCode, figure: Option<(&str, &str)>) {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let (before, key, paid) = (live(&app).await, app.key().await, world.payments().await);
    world.service.set(fault).await;
    let fault_shown = app.until("the fault", |v| v.connection.error.clone());
    let (error, ordered) = tokio::join!(fault_shown, app.review("5"));
    assert_eq!((error.code, ordered.expect_err("no order").code), (code, code));
    assert!(figure.is_none_or(|(name, value)| error.params.get(name).is_some_and(|v| v == value)), "{error:?}");
    let view = app.wallet.view();
    assert_eq!(view.connection.state, ConnectionState::Offline);
    assert!(view.connection.next_try.is_some(), "it says when it asks again");
    let account = view.account.expect("the account stays");
    assert_eq!((account.at_most, &account.available_credits, &account.batches), (true, &before.available_credits, &before.batches));
    assert!(account.known_at >= before.known_at);
    assert!(matches!(view.session, SessionView::SignedIn { .. }), "still signed in");
    assert_eq!((app.key().await, world.payments().await), (key, paid));
    world.service.set(Fault::None).await;
    assert_eq!(live(&app).await.available_credits, before.available_credits);
    assert_eq!(app.wallet.view().connection.error, None);
}

#[tokio::test]
async fn service_down_from_payment_to_claim_loses_nothing() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let order = app.review("25").await.expect("a review").order_id;
    world.service.set(Fault::Refuse).await;
    app.wallet.pay(order).await.expect("the chain is there");
    app.until_payment(PaymentState::Confirmed).await;
    let trouble = app.until("the trouble", |v| v.payment.as_ref().and_then(|p| p.trouble.clone())).await;
    assert_eq!(trouble.code, AppErrorCode::ServiceUnreachable);
    world.service.set(Fault::None).await;
    app.until_payment(PaymentState::Done).await;
    assert_eq!((live(&app).await.available_credits.as_str(), world.payments().await.len()), ("250000", 1));
}

#[tokio::test]
async fn chain_down_before_payment_stops_it_and_hides_no_balance() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    for (fault, code) in [(Fault::Refuse, AppErrorCode::ChainUnreachable), (Fault::Status(502), AppErrorCode::ChainUnreachable)] {
        world.set_nodes(&fault).await;
        assert_eq!(app.review("5").await.expect_err("no chain").code, code);
        app.until("no node", |v| v.settings.nodes.iter().all(|n| !n.healthy).then_some(())).await;
        let view = app.wallet.view();
        assert_eq!(view.wallet.expect("the wallet stays").balance_eth, None);
        assert!(!view.account.expect("an account").at_most, "the service is there");
        world.set_nodes(&Fault::None).await;
        app.until_funded().await;
    }
    assert_eq!(world.payments().await.len(), 1);
    app.buy("5").await;
    assert_eq!(world.payments().await.len(), 2);
}

#[tokio::test]
async fn chain_down_does_not_keep_the_account_from_being_read() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    world.set_nodes(&Fault::Hang).await;
    let opened = app.wallet.view().account.expect("an account");
    let service = &world.sandbox.service;
    let request =
        aispace_api::GrantRequest { account_id: opened.account_id, credits: "7".parse().expect("credits"), expires: None, note: None };
    // Long enough for the nodes to be asked and to hang.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let granted = Instant::now();
    service.grant(&request).await.expect("a grant");
    app.until("the grant", |v| v.account.as_ref().filter(|a| a.available_credits == "250007" && !a.at_most).map(drop)).await;
    assert!(granted.elapsed() < Duration::from_secs(5), "{:?}", granted.elapsed());
}

#[tokio::test]
async fn chain_down_after_sending_is_waited_out() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    app.until_payment(PaymentState::Seen).await;
    world.set_nodes(&Fault::Refuse).await;
    let trouble = app.until("the trouble", |v| v.payment.as_ref().and_then(|p| p.trouble.clone())).await;
    assert_eq!(trouble.code, AppErrorCode::ChainUnreachable);
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    world.set_nodes(&Fault::None).await;
    let done = app.until_payment(PaymentState::Done).await;
    assert_eq!((done.trouble, live(&app).await.available_credits.as_str()), (None, "250000"));
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn one_node_down_of_three_stops_nothing() {
    let world = World::start().await;
    let app = world.app("first").await;
    world.sandbox.nodes[1].set(Fault::Refuse).await;
    app.buy("25").await;
    app.until("two nodes of three", |v| (v.settings.nodes.iter().filter(|n| n.healthy).count() == 2).then_some(())).await;
}

#[tokio::test]
async fn wrong_chain_id_on_one_node_is_enough_to_refuse() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let elsewhere = Fault::Override(BTreeMap::from([("eth_chainId".to_string(), json!("0x1"))]));
    world.sandbox.nodes[2].set(elsewhere).await;
    let refused = app.review("25").await.expect_err("another chain");
    assert_eq!(refused.code, AppErrorCode::ChainWrongId);
    assert_eq!((refused.params["expected"].as_str(), refused.params["found"].as_str()), ("8453", "1"));
    assert!(world.sandbox.nodes[2].url().ends_with(&refused.params["node"]), "{refused:?}");
    world.assert_nothing_paid().await;
    world.sandbox.nodes[2].set(Fault::None).await;
    app.buy("25").await;
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn price_source_missing_three_left_are_enough_and_two_are_not() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.venues.set_fault(Venue::Kraken, Some(VenueFault::ServerError));
    world.sandbox.venues.set_fault(Venue::Bitstamp, Some(VenueFault::Garbage));
    // The reserve stands in for one of them; without it two are left.
    world.sandbox.venues.set_fault(Venue::Gemini, Some(VenueFault::ServerError));
    let refused = app.preview("25").await.expect_err("two of five");
    assert_eq!(refused.code, AppErrorCode::PriceUnavailable);
    let figures = ["answered", "asked", "needed", "silent"].map(|name| refused.params[name].as_str());
    assert_eq!(figures, ["2", "5", "3", "Kraken, Bitstamp, Gemini"]);
    assert_eq!(app.review("25").await.expect_err("two of five").code, AppErrorCode::PriceUnavailable);
    world.assert_nothing_paid().await;
    world.sandbox.venues.set_fault(Venue::Kraken, None);
    let preview = app.preview("25").await.expect("three of five");
    let silent: Vec<_> = preview.price.sources.iter().filter(|s| s.verdict == SourceVerdict::Silent).map(|s| s.name.as_str()).collect();
    assert_eq!(silent, ["Bitstamp", "Gemini"]);
    app.buy("25").await;
}

#[tokio::test]
async fn price_sources_disagreeing_refuse_a_purchase() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    for (venue, percent) in [(Venue::Coinbase, 5), (Venue::Kraken, -5), (Venue::Bitstamp, 9), (Venue::Gemini, -9)] {
        world.sandbox.venues.set_fault(venue, Some(VenueFault::OffBy(percent.into())));
    }
    let refused = app.preview("25").await.expect_err("they disagree");
    assert_eq!(refused.code, AppErrorCode::PriceDisagrees);
    assert!(refused.params.contains_key("lowest") && refused.params.contains_key("highest"), "{refused:?}");
    assert_eq!(app.review("25").await.expect_err("they disagree").code, AppErrorCode::PriceDisagrees);
    world.assert_nothing_paid().await;
    for venue in [Venue::Coinbase, Venue::Kraken, Venue::Bitstamp, Venue::Gemini] {
        world.sandbox.venues.set_fault(venue, None);
    }
    app.buy("25").await;
}

#[tokio::test]
async fn keychain_locked_at_start_keeps_the_account_and_signs_in_when_unlocked() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let key = app.key().await;
    let keychain = app.close().await;
    keychain.fail_with(Some(KeychainError::Locked));
    let app = world.app_with("first", &world.profile(), keychain).await;
    let error = app.until("the lock", |v| unavailable(&v.session)).await;
    assert_eq!((error.code, app.wallet.view().keychain), (AppErrorCode::KeychainLocked, KeychainState::Locked));
    let account = app.wallet.view().account.expect("the account stays");
    assert_eq!((account.available_credits.as_str(), account.at_most), ("250000", true));
    assert_eq!(app.review("5").await.expect_err("locked").code, AppErrorCode::KeychainLocked);
    assert_eq!(app.wallet.sign_out().await.expect_err("nothing can be removed").code, AppErrorCode::KeychainLocked);
    app.keychain.fail_with(None);
    app.until("signed in", |v| matches!(v.session, SessionView::SignedIn { .. }).then_some(())).await;
    assert_eq!((live(&app).await.available_credits.as_str(), app.key().await), ("250000", key));
    assert!(app.buy("5").await.top_up, "the same account");
}

#[tokio::test]
async fn keychain_locked_when_paying_sends_nothing_and_the_review_stays() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let order = app.review("25").await.expect("a review").order_id;
    app.keychain.fail_with(Some(KeychainError::Locked));
    assert_eq!(app.wallet.pay(order.clone()).await.expect_err("locked").code, AppErrorCode::KeychainLocked);
    assert_eq!(app.wallet.view().payment, None);
    world.assert_nothing_paid().await;
    app.keychain.fail_with(None);
    app.wallet.pay(order).await.expect("unlocked");
    app.until_payment(PaymentState::Done).await;
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn keychain_locked_when_the_key_arrives_keeps_it_claimable() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let order = app.review("25").await.expect("a review").order_id;
    world.service.set(Fault::Refuse).await;
    app.wallet.pay(order).await.expect("it is sent");
    app.until_payment(PaymentState::Confirmed).await;
    for (failure, code) in [(KeychainError::Locked, AppErrorCode::KeychainLocked), (KeychainError::Absent, AppErrorCode::KeychainAbsent)] {
        app.keychain.fail_with(Some(failure));
        world.service.set(Fault::None).await;
        app.until("the trouble", |v| v.payment.as_ref()?.trouble.as_ref().filter(|t| t.code == code).map(drop)).await;
        assert_eq!(app.wallet.view().payment.expect("a payment").state, PaymentState::Credited);
    }
    app.keychain.fail_with(None);
    app.until_payment(PaymentState::Done).await;
    assert!(app.key().await.is_some());
    assert_eq!(live(&app).await.available_credits, "250000");
    let claims = app.keychain.get(&SecretName::open_claims()).await.expect("the keychain answers");
    assert!(claims.is_none(), "the claim secret is gone");
}

#[tokio::test]
async fn keychain_absent_just_when_the_key_arrives_leaves_it_with_the_service() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.keychain.fail_on_writing(Some((SecretName::secure_key(), KeychainError::Absent, Written::Not)));
    app.pay("25").await.expect("it is sent");
    let absent = |code: AppErrorCode| code == AppErrorCode::KeychainAbsent;
    app.until("the trouble", |v| v.payment.as_ref()?.trouble.as_ref().filter(|t| absent(t.code)).map(drop)).await;
    let view = app.wallet.view();
    assert!(matches!(view.session, SessionView::SignedIn { keeping: KeyKeeping::MemoryOnly, .. }));
    assert_eq!(view.payment.expect("a payment").state, PaymentState::Credited);
    // The app ends with the key in its memory: the service still has it.
    let keychain = app.close().await;
    keychain.fail_on_writing(None);
    let app = world.app_with("first", &world.profile(), keychain).await;
    app.until_payment(PaymentState::Done).await;
    assert!(app.key().await.is_some());
    assert_eq!((live(&app).await.available_credits.as_str(), world.payments().await.len()), ("250000", 1));
}

#[tokio::test]
async fn keychain_waiting_that_writes_late_does_not_pay_what_was_refused() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let order = app.review("25").await.expect("a review").order_id;
    app.keychain.fail_on_writing(Some((SecretName::open_claims(), KeychainError::Waiting, Written::AllTheSame)));
    assert_eq!(app.wallet.pay(order).await.expect_err("no answer").code, AppErrorCode::KeychainWaiting);
    let keychain = app.close().await;
    keychain.fail_on_writing(None);
    let claims = keychain.get(&SecretName::open_claims()).await.expect("the keychain answers");
    assert!(claims.is_some(), "it was written");
    let app = world.app_with("first", &world.profile(), keychain).await;
    app.until_funded().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((app.wallet.view().payment, app.wallet.view().notices), (None, vec![]));
    world.assert_nothing_paid().await;
    app.buy("25").await;
    assert_eq!(world.payments().await.len(), 1);
}

#[tokio::test]
async fn keychain_absent_holds_the_key_in_memory_says_so_and_refuses_to_pay() {
    let world = World::start().await;
    let keychain = Arc::new(Keychain::default());
    keychain.fail_with(Some(KeychainError::Absent));
    let app = world.app_with("first", &world.profile(), keychain).await;
    app.until("signed out", |v| (v.session == SessionView::SignedOut).then_some(())).await;
    assert_eq!(app.review("25").await.expect_err("no spending wallet").code, AppErrorCode::KeychainAbsent);
    let opened = world.sandbox.service.open_account("one").await.expect("an account");
    let key = opened.secure_key.into_exposed();
    let view = app.wallet.sign_in(key.clone()).await.expect("signed in");
    assert!(matches!(view.session, SessionView::SignedIn { keeping: KeyKeeping::MemoryOnly, .. }));
    assert!(view.notices.contains(&NoticeView::KeyInMemoryOnly));
    assert_eq!((view.keychain, view.wallet), (KeychainState::Absent, None));
    assert_eq!(app.review("25").await.expect_err("no spending wallet").code, AppErrorCode::KeychainAbsent);
    world.assert_nothing_paid().await;
    app.assert_not_on_disk(&key);
    // As soon as there is a keychain, the key moves in.
    app.keychain.fail_with(None);
    app.until("kept", |v| matches!(v.session, SessionView::SignedIn { keeping: KeyKeeping::Keychain, .. }).then_some(())).await;
    assert_eq!(app.key().await, Some(key));
    assert!(!app.wallet.view().notices.contains(&NoticeView::KeyInMemoryOnly));
    assert!(app.buy("25").await.top_up);
}

#[tokio::test]
async fn keychain_absent_for_a_while_never_replaces_the_key_it_holds() {
    let world = World::start().await;
    let app = world.app("first").await;
    let mut keys = Vec::new();
    for label in ["one", "two"] {
        keys.push(world.sandbox.service.open_account(label).await.expect("an account").secure_key.into_exposed());
    }
    let name = SecretName::secure_key();
    app.keychain.fail_with(Some(KeychainError::Absent));
    app.wallet.sign_in(keys[1].clone()).await.expect("signed in");
    app.keychain.fail_with(None);
    // What another session of the same person had left there.
    app.keychain.set(&name, &aispace_keychain::Secret::from_text(keys[0].clone())).await.expect("kept");
    let held = app.key().await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(app.key().await, held);
}

#[tokio::test]
async fn not_enough_eth_is_said_with_what_is_missing() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    app.wallet.set_caps("5000".into(), "5000".into()).await.expect("set");
    let refused = app.review("5000").await.expect_err("half an ether");
    assert_eq!(refused.code, AppErrorCode::NotEnoughEther);
    let [needed, balance, short] = ["needed_eth", "balance_eth", "short_eth"]
        .map(|name| refused.params[name].parse::<rust_decimal::Decimal>().expect("an amount of ether"));
    assert!(needed > balance && short == needed - balance, "{refused:?}");
    assert_eq!(app.wallet.view().payment, None);
    world.assert_nothing_paid().await;
    let address = app.wallet.view().wallet.expect("a wallet").address;
    world.sandbox.chain.set_balance(&address, 10u128.pow(19)).await.expect("ether comes");
    app.buy("5000").await;
    assert_eq!(live(&app).await.available_credits, "50000000");
}

#[tokio::test]
async fn store_that_cannot_be_written_pays_nothing_now_or_later() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let order = app.review("25").await.expect("a review").order_id;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(app.data.join("wallet.sqlite3"));
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("the store");
    let mut other = pool.acquire().await.expect("a connection");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *other).await.expect("another writer");
    assert_eq!(app.wallet.pay(order).await.expect_err("no journal").code, AppErrorCode::StoreFailed);
    sqlx::query("ROLLBACK").execute(&mut *other).await.expect("it goes");
    drop(other);
    pool.close().await;
    let keychain = app.close().await;
    let app = world.app_with("first", &world.profile(), keychain).await;
    app.until_funded().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(app.wallet.view().payment, None);
    world.assert_nothing_paid().await;
}

#[tokio::test]
async fn corrupt_store_is_set_aside_and_rebuilt_from_the_service() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    let (data, key) = (app.data.clone(), app.key().await);
    let keychain = app.close().await;
    damage_store(&data);
    let app = world.app_with("first", &world.profile(), keychain).await;
    let set_aside = app
        .until("the notice", |v| {
            v.notices.iter().find_map(|n| if let NoticeView::StoreRebuilt { set_aside } = n { Some(set_aside.clone()) } else { None })
        })
        .await;
    assert!(fs::read(data.join(set_aside)).expect("it is kept").starts_with(&[0xA5; 64]));
    assert_eq!((live(&app).await.available_credits.as_str(), app.key().await), ("250000", key));
    assert_eq!(world.payments().await.len(), 1);
    // Whole again, so that nothing is said the next time.
    let keychain = app.close().await;
    let app = world.app_with("first", &world.profile(), keychain).await;
    assert_eq!(live(&app).await.available_credits, "250000");
    assert_eq!(app.wallet.view().notices, []);
}

#[tokio::test]
async fn corrupt_store_with_an_open_payment_is_resumed_from_the_keychain_and_not_paid_twice() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("25").await.expect("it is sent");
    let sent = app.until_payment(PaymentState::Seen).await;
    let data = app.data.clone();
    let keychain = app.close().await;
    damage_store(&data);
    // Locked at first: until the keychain has said which payments are open, none is made.
    keychain.fail_with(Some(KeychainError::Locked));
    let app = world.app_with("first", &world.profile(), keychain).await;
    app.until_online().await;
    assert_eq!(app.review("25").await.expect_err("locked").code, AppErrorCode::KeychainLocked);
    app.keychain.fail_with(None);
    app.until("the notice", |v| v.notices.contains(&NoticeView::PaymentResumed).then_some(())).await;
    let resumed = app.wallet.view().payment.expect("the payment is followed again");
    assert_eq!((resumed.transaction_hash, resumed.order_id), (sent.transaction_hash.clone(), sent.order_id));
    assert_eq!(app.review("25").await.expect_err("one is open").code, AppErrorCode::PaymentOpen);
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    app.until_payment(PaymentState::Done).await;
    let account = live(&app).await;
    assert_eq!((account.available_credits.as_str(), account.batches.len()), ("250000", 1));
    assert_eq!(world.payments().await.iter().map(|p| p.hash.as_str()).collect::<Vec<_>>(), [sent.transaction_hash.expect("a hash")]);
}

async fn live(app: &App) -> AccountView {
    app.until("the account as it is", |v| v.account.clone().filter(|a| !a.at_most)).await
}

fn unavailable(session: &SessionView) -> Option<ErrorView> {
    match session {
        SessionView::KeyUnavailable { error } => Some(error.clone()),
        SessionView::Unknown | SessionView::SignedOut | SessionView::ByHand | SessionView::SignedIn { .. } => None,
    }
}

/// A key that looks right and differs in one place.
fn other_key(key: &str) -> String {
    let (head, tail) = key.split_at(key.len() - 1);
    format!("{head}{}", if tail == "a" { "b" } else { "a" })
}
