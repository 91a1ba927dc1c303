//! The spending wallet: made, confirmed, filled, imported, capped, removed, and a keychain in trouble at each.

use crate::world::{App, Keychain, World, Written};
use aispace_app::view::{
    AmountRequest, AmountUnit, AppErrorCode, ErrorView, ImportKind, PayWay, PaymentState, RevealKind, WalletOrigin, WalletView, WordAnswer,
};
use aispace_keychain::{KeychainError, Secret, SecretName, SecretStore};
use aispace_payments::signer::RecoveryWords;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

const WORDS: &str = "test test test test test test test test test test test junk";
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const PASSWORD: &str = "correct horse battery";
const HALF_AN_ETHER: u128 = 500_000_000_000_000_000;

/// A live profile on the sandbox's chain and service: nothing is made or filled by itself.
fn live(world: &World) -> Value {
    let mut profile = world.profile();
    profile["kind"] = json!("live");
    for sandbox_only in ["operator_token", "faucet_url", "sample_url"] {
        profile.as_object_mut().expect("an object").remove(sandbox_only);
    }
    profile
}

async fn live_app(world: &World, name: &str) -> App {
    let app = world.app_with(name, &live(world), Arc::default()).await;
    app.until_online().await;
    app
}

fn wallet_of(app: &App) -> WalletView {
    app.wallet.view().wallet.expect("a wallet")
}

fn end_of(address: &str) -> String {
    address[address.len() - 4..].to_string()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ErrorView>) -> AppErrorCode {
    answer.expect_err("refused").code
}

async fn words_of(app: &App, confirmation: &str) -> Result<Vec<String>, ErrorView> {
    app.wallet.reveal_secret(RevealKind::WalletWords, confirmation.into(), None).await
}

async fn import(app: &App, kind: ImportKind, text: &str) -> Result<WalletView, ErrorView> {
    app.wallet.import_wallet(kind, text.into(), None).await.map(|view| view.wallet.expect("a wallet"))
}

async fn item(app: &App) -> Option<String> {
    let secret = app.keychain.get(&SecretName::spending_key()).await.expect("the keychain answers");
    secret.map(|s| s.expose_text().expect("text").to_string())
}

#[tokio::test]
async fn a_wallet_is_made_written_down_filled_and_pays() {
    let world = World::start().await;
    let app = live_app(&world, "first").await;
    assert_eq!((app.wallet.view().wallet, refused(app.wallet.wallet_receive())), (None, AppErrorCode::NoSpendingWallet));
    let made = app.wallet.create_wallet().await.expect("a wallet").wallet.expect("a wallet");
    assert_eq!((made.origin, made.backed_up, made.words_asked.len()), (WalletOrigin::Created, false, 3));
    let words = words_of(&app, "").await.expect("shown freely until confirmed");
    assert_eq!(words.len(), 24);
    let key = RecoveryWords::parse(&words.join(" ")).expect("words").key().expect("a key");
    assert_eq!(key.address().to_string(), made.address, "the words are those of the address");

    let answers = |asked: &[u32]| -> Vec<WordAnswer> {
        asked.iter().map(|position| WordAnswer { position: *position, word: words[*position as usize - 1].clone() }).collect()
    };
    let mut wrong = answers(&made.words_asked);
    wrong[1].word = "zoo".into();
    let other_places: Vec<u32> = (1..=24).filter(|n| !made.words_asked.contains(n)).take(3).collect();
    for attempt in [vec![], wrong, answers(&other_places)] {
        assert_eq!(refused(app.wallet.confirm_words(attempt).await), AppErrorCode::WalletWordsWrong);
    }
    app.wallet.confirm_words(answers(&wallet_of(&app).words_asked)).await.expect("right words");
    assert_eq!((wallet_of(&app).backed_up, wallet_of(&app).words_asked.len()), (true, 0));
    assert_eq!(refused(words_of(&app, "").await), AppErrorCode::RevealRefused);
    assert_eq!(words_of(&app, &end_of(&made.address)).await.expect("confirmed"), words);

    let receive = app.wallet.wallet_receive().expect("an address");
    assert_eq!(
        (receive.uri.as_str(), receive.address.as_str()),
        (format!("ethereum:{}@8453", made.address).as_str(), made.address.as_str())
    );
    assert!(receive.qr.size >= 21 && receive.qr.path.starts_with('M'));
    app.until("an empty wallet", |v| v.wallet.clone().filter(|w| w.balance_eth.is_some() && w.low)).await;
    world.sandbox.chain.fund(&made.address, HALF_AN_ETHER).await.expect("ether");
    app.until_funded().await;
    app.buy("25").await;
    let after = app.until("a lower balance", |v| v.wallet.clone().filter(|w| w.spent_today_usd == "25")).await;
    assert!(!after.low);
    for secret in [words.join(" "), words[..3].join(" "), key.expose_hex().to_string()] {
        app.assert_not_on_disk(&secret);
    }
    let keychain = app.close().await;
    let again = world.app_with("first", &live(&world), keychain).await;
    let kept = again.until("the wallet", |v| v.wallet.clone()).await;
    assert_eq!((kept.address, kept.backed_up, kept.has_words), (made.address, true, true));
}

#[tokio::test]
async fn a_wallet_that_is_there_is_never_replaced() {
    let world = World::start().await;
    let app = live_app(&world, "first").await;
    app.wallet.create_wallet().await.expect("a wallet");
    let before = item(&app).await.expect("an item");
    assert_eq!(refused(app.wallet.create_wallet().await), AppErrorCode::WalletExists);
    for (kind, text) in [(ImportKind::Words, WORDS), (ImportKind::Key, KEY), (ImportKind::Keystore, "{}")] {
        assert_eq!(refused(import(&app, kind, text).await), AppErrorCode::WalletExists);
    }
    let (one, two) = tokio::join!(app.wallet.create_wallet(), app.wallet.create_wallet());
    assert!(one.is_err() && two.is_err());
    assert_eq!(item(&app).await, Some(before));
    // Also one that another program wrote, and that cannot be read.
    let other = live_app(&world, "second").await;
    other.keychain.set(&SecretName::spending_key(), &Secret::from_text("what is this".into())).await.expect("kept");
    assert_eq!(refused(other.wallet.create_wallet().await), AppErrorCode::WalletExists);
    assert_eq!(refused(words_of(&other, "").await), AppErrorCode::KeychainFailed);
    assert_eq!(item(&other).await.as_deref(), Some("what is this"));
}

#[tokio::test]
async fn each_kind_of_wallet_is_taken_over() {
    let world = World::start().await;
    let app = live_app(&world, "first").await;
    for (kind, text, code) in [
        (ImportKind::Words, "test test", AppErrorCode::WalletWordsCount),
        (ImportKind::Words, "test test test test test test test test test test test hunter2", AppErrorCode::WalletWordUnknown),
        (ImportKind::Words, "test test test test test test test test test test test test", AppErrorCode::WalletWordsChecksum),
        (ImportKind::Key, "ac0974", AppErrorCode::WalletKeyMalformed),
        (ImportKind::Keystore, "{}", AppErrorCode::KeystoreMalformed),
    ] {
        let error = import(&app, kind, text).await.expect_err("refused");
        assert_eq!(error.code, code);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert_eq!(item(&app).await, None);

    let of_words = import(&app, ImportKind::Words, " TEST test test test test test test test test test test\njunk ").await.expect("words");
    assert_eq!((of_words.address.as_str(), of_words.origin, of_words.backed_up), (ADDRESS, WalletOrigin::ImportedWords, true));
    assert_eq!(refused(app.wallet.export_keystore("too short".into()).await), AppErrorCode::PasswordShort);
    let file = app.wallet.export_keystore(PASSWORD.into()).await.expect("a file").path;
    let keystore = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    assert!(!keystore.contains(KEY) && !keystore.contains("junk"));

    let second = live_app(&world, "second").await;
    let of_key = import(&second, ImportKind::Key, &format!(" 0x{KEY}\n")).await.expect("a key");
    assert_eq!((of_key.address.as_str(), of_key.origin, of_key.has_words), (ADDRESS, WalletOrigin::ImportedKey, false));
    assert_eq!(refused(words_of(&second, &end_of(ADDRESS)).await), AppErrorCode::WalletHasNoWords);
    let shown = |confirmation: &str| second.wallet.reveal_secret(RevealKind::WalletKey, confirmation.into(), None);
    assert_eq!(refused(shown("").await), AppErrorCode::RevealRefused);
    assert_eq!(shown("2266").await.expect("confirmed"), [format!("0x{KEY}")]);
    second.assert_not_on_disk(KEY);

    let third = live_app(&world, "third").await;
    let open = |password: &str| third.wallet.import_wallet(ImportKind::Keystore, keystore.clone(), Some(password.into()));
    assert_eq!(refused(open("correct horse").await), AppErrorCode::KeystorePasswordWrong);
    let of_file = open(PASSWORD).await.expect("the password opens it").wallet.expect("a wallet");
    assert_eq!((of_file.address.as_str(), of_file.origin, of_file.backed_up), (ADDRESS, WalletOrigin::ImportedKeystore, true));
    third.until_funded().await;
    third.buy("2").await;
}

#[tokio::test]
async fn caps_hold_before_anything_is_signed() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    assert_eq!((wallet_of(&app).cap_payment_usd.as_str(), wallet_of(&app).cap_day_usd.as_str()), ("250", "500"));
    for wrong in ["", "0", "-1", "ten"] {
        assert_eq!(refused(app.wallet.set_caps("10".into(), wrong.into()).await), AppErrorCode::AmountInvalid);
    }
    app.wallet.set_caps("10".into(), "15".into()).await.expect("set");
    let above = app.review("10.01").await.expect_err("above the cap of one payment");
    assert_eq!((above.code, above.params["cap"].as_str(), above.params["asked"].as_str()), (AppErrorCode::CapExceeded, "10", "10.01"));
    app.buy("10").await;
    let above = app.review("5.0001").await.expect_err("above the day's");
    let figure = |name: &str| above.params[name].clone();
    assert_eq!(
        (above.code, figure("cap"), figure("spent"), figure("asked")),
        (AppErrorCode::CapExceeded, "15".into(), "10".into(), "5.0001".into())
    );
    // Lowered between review and signature, it holds for the signature; raised again, the same review pays.
    let review = app.review("5").await.expect("it fits exactly");
    app.wallet.set_caps("4".into(), "15".into()).await.expect("set");
    assert_eq!(refused(app.wallet.pay(review.order_id.clone()).await), AppErrorCode::CapExceeded);
    assert_eq!(world.payments().await.len(), 1);
    app.wallet.set_caps("5".into(), "15".into()).await.expect("set");
    app.wallet.pay(review.order_id).await.expect("it is sent");
    app.until_payment(PaymentState::Done).await;
    assert_eq!(refused(app.review("0.0001").await), AppErrorCode::CapExceeded);
    // Kept, and counted from the journal, after a start; and a new day begins at nothing.
    let (keychain, profile) = (app.close().await, world.profile());
    let again = world.app_with("first", &profile, keychain).await;
    let kept = again.until("the wallet", |v| v.wallet.clone()).await;
    assert_eq!((kept.cap_payment_usd.as_str(), kept.cap_day_usd.as_str(), kept.spent_today_usd.as_str()), ("5", "15", "15"));
}

#[tokio::test]
async fn a_wallet_is_removed_only_on_purpose_and_stays_away() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let first = wallet_of(&app).address;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("5").await.expect("it is sent");
    assert_eq!(refused(app.wallet.remove_wallet(end_of(&first)).await), AppErrorCode::PaymentOpen);
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    app.until_payment(PaymentState::Done).await;
    for wrong in ["", "yes", &first[2..6]] {
        assert_eq!(refused(app.wallet.remove_wallet(wrong.into()).await), AppErrorCode::WalletNotConfirmed);
    }
    assert!(item(&app).await.is_some());
    app.wallet.remove_wallet(end_of(&first).to_lowercase()).await.expect("removed");
    assert_eq!((item(&app).await, app.wallet.view().wallet), (None, None));
    assert_eq!(refused(app.review("5").await), AppErrorCode::NoSpendingWallet);
    app.wallet.sync_now().await.expect("a look at everything");
    let keychain = app.close().await;
    let again = world.app_with("first", &world.profile(), keychain).await;
    again.until_online().await;
    again.wallet.sync_now().await.expect("a look at everything");
    assert_eq!(again.wallet.view().wallet, None, "the sandbox makes none after one was removed");
    let second = again.wallet.create_wallet().await.expect("a wallet").wallet.expect("a wallet").address;
    assert_ne!(second, first);
    again.until_funded().await;
    again.buy("1").await;
    // An empty one goes without a question.
    let empty = live_app(&world, "second").await;
    empty.wallet.create_wallet().await.expect("a wallet");
    empty
        .until("nothing in it", |v| v.wallet.clone().filter(|w| w.balance_eth.as_ref().is_some_and(|b| b.parse() == Ok(Decimal::ZERO))))
        .await;
    empty.wallet.remove_wallet(String::new()).await.expect("removed");
}

#[tokio::test]
async fn a_keychain_in_trouble_changes_nothing() {
    let world = World::start().await;
    let troubles = [
        (KeychainError::Locked, AppErrorCode::KeychainLocked),
        (KeychainError::Absent, AppErrorCode::KeychainAbsent),
        (KeychainError::NoCollection, AppErrorCode::KeychainNoCollection),
        (KeychainError::Waiting, AppErrorCode::KeychainWaiting),
    ];
    let (empty, full) = (live_app(&world, "empty").await, live_app(&world, "full").await);
    full.wallet.create_wallet().await.expect("a wallet");
    let before = item(&full).await;
    for (trouble, code) in troubles {
        for app in [&empty, &full] {
            app.keychain.fail_with(Some(trouble.clone()));
            assert_eq!(refused(app.wallet.create_wallet().await), code);
            assert_eq!(refused(import(app, ImportKind::Words, WORDS).await), code);
            assert_eq!(refused(words_of(app, "").await), code);
            assert_eq!(refused(app.wallet.confirm_words(vec![]).await), code);
            assert_eq!(refused(app.wallet.export_keystore(PASSWORD.into()).await), code);
            app.keychain.fail_with(None);
        }
        full.keychain.fail_with(Some(trouble.clone()));
        assert_eq!(refused(full.wallet.remove_wallet(end_of(&wallet_of(&full).address)).await), code);
        full.keychain.fail_with(None);
        // One that cannot write keeps nothing.
        empty.keychain.fail_on_writing(Some((SecretName::spending_key(), trouble, Written::Not)));
        assert_eq!(refused(empty.wallet.create_wallet().await), code);
        empty.keychain.fail_on_writing(None);
        assert_eq!((item(&empty).await, empty.wallet.view().wallet), (None, None));
    }
    assert_eq!(item(&full).await, before);
}

/// As when the app is killed between the keychain's writing and its answer.
#[tokio::test]
async fn a_wallet_that_was_kept_without_a_word_is_found_and_not_made_again() {
    let world = World::start().await;
    let app = live_app(&world, "first").await;
    app.keychain.fail_on_writing(Some((SecretName::spending_key(), KeychainError::Waiting, Written::AllTheSame)));
    assert_eq!(refused(app.wallet.create_wallet().await), AppErrorCode::KeychainWaiting);
    let kept = item(&app).await.expect("kept all the same");
    app.keychain.fail_on_writing(None);
    assert_eq!(refused(app.wallet.create_wallet().await), AppErrorCode::WalletExists);
    let found = app.until("the wallet", |v| v.wallet.clone()).await;
    assert!(!found.backed_up);
    assert!(kept.contains(&words_of(&app, "").await.expect("shown").join(" ")));
}

#[tokio::test]
async fn the_first_versions_wallet_is_still_a_wallet() {
    let world = World::start().await;
    let keychain = Arc::new(Keychain::default());
    keychain.set(&SecretName::spending_key(), &Secret::from_text(KEY.into())).await.expect("kept");
    let app = world.app_with("first", &world.profile(), keychain).await;
    let wallet = app.until("the wallet", |v| v.wallet.clone()).await;
    assert_eq!(
        (wallet.address.as_str(), wallet.origin, wallet.has_words, wallet.backed_up),
        (ADDRESS, WalletOrigin::Created, false, false)
    );
    app.buy("5").await;
    app.wallet.export_keystore(PASSWORD.into()).await.expect("a file");
    assert!(wallet_of(&app).backed_up, "its keystore is its copy");
    assert_eq!(item(&app).await.as_deref(), Some(KEY));
}

#[tokio::test]
async fn an_amount_in_ether_or_credits_is_bought_to_the_last_step() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let review = |text: &str, unit| app.wallet.review_purchase(AmountRequest { text: text.into(), unit }, PayWay::SpendingWallet);
    let of_ether = review("0.01", AmountUnit::Eth).await.expect("a review");
    assert_eq!(of_ether.value_eth.parse(), Ok(Decimal::new(1, 2)));
    let of_credits = review("0.000000001", AmountUnit::Credits).await.expect("a review: there is no minimum");
    assert_eq!(of_credits.credits, "0.000000001");
    let bought = review("12345.5", AmountUnit::Credits).await.expect("a review");
    assert_eq!((bought.credits.as_str(), bought.usd.as_str()), ("12345.5", "1.23455"));
    app.wallet.pay(bought.order_id).await.expect("it is sent");
    assert_eq!(app.until_payment(PaymentState::Done).await.credits, "12345.5");
}
