//! Files for a person, settings, links, and a purchase that is suggested.

use crate::world::{App, World};
use aispace_app::view::{AppErrorCode, ErrorView, PaymentState, PrefillReason, PrefillView, RevealKind, SavedFileView};
use aispace_keychain::{SecretName, SecretStore};
use serde_json::Value;
use std::fs;

fn text_of(saved: Result<SavedFileView, ErrorView>) -> String {
    fs::read_to_string(saved.expect("a file").path).expect("text")
}

fn prefill(app: &App) -> Option<(String, PrefillReason)> {
    app.wallet.view().prefill.map(|PrefillView { usd, reason }| (usd, reason))
}

#[tokio::test]
async fn a_payments_receipt_and_the_table_of_all_hold_its_figures() {
    let world = World::start().await;
    let app = world.app("first").await;
    let first = app.buy("25").await;
    app.wallet.put_payment_away().await.expect("put away");
    let second = app.buy("1.5").await;
    let hash = second.transaction_hash.clone().expect("a hash");
    let page = text_of(app.wallet.save_receipt(second.order_id.clone()).await);
    for figure in [&second.order_id, &second.value_eth, &hash, &second.usd_per_eth, &second.created] {
        assert!(page.contains(figure.as_str()), "{figure}");
    }
    assert!(page.contains("SANDBOX"));
    let table = text_of(app.wallet.save_payments_csv().await);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[1].contains(&first.order_id) && lines[2].contains(&hash), "oldest first");
    let path = app.wallet.save_payments_csv().await.expect("a file").path;
    assert!(path.ends_with("-2.csv"), "the first is not replaced: {path}");
    let keychain = app.close().await;
    let app = world.app_with("first", &world.profile(), keychain).await;
    assert!(text_of(app.wallet.save_receipt(first.order_id).await).contains("250000"), "an earlier one, after a start");
    for unknown in ["", "../../etc/passwd"] {
        assert_eq!(app.wallet.save_receipt(unknown.into()).await.expect_err("unknown").code, AppErrorCode::OrderUnknown);
    }
}

#[tokio::test]
async fn what_support_gets_holds_no_secret() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    app.pay("3").await.expect("it is sent");
    let open = app.wallet.view().payment.expect("a payment");
    let claims = app.keychain.get(&SecretName::open_claims()).await.expect("the keychain").expect("an open claim");
    let claims: Value = serde_json::from_slice(claims.expose()).expect("json");
    let claim_secret = claims["claims"][0]["secret"].as_str().expect("a secret").to_string();
    let address = app.wallet.view().wallet.expect("a wallet").address;
    let reveal = async |what, end: &str| app.wallet.reveal_secret(what, end.into(), None).await.expect("shown").join(" ");
    let words = reveal(RevealKind::WalletWords, "").await;
    let wallet_key = reveal(RevealKind::WalletKey, &address[address.len() - 4..]).await;

    let path = app.wallet.save_support_bundle(open.order_id.clone()).await.expect("a file").path;
    let report = fs::read_to_string(&path).expect("text");
    let parsed: Value = serde_json::from_str(&report).expect("json");
    let payment = &parsed["payment"];
    assert_eq!((payment["order_id"].as_str(), payment["tag"].as_str()), (Some(open.order_id.as_str()), Some(open.tag.as_str())));
    assert_eq!(payment["transaction_hash"].as_str(), open.transaction_hash.as_deref());
    assert!(payment["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step["at"].is_string())));
    assert_eq!(parsed["nodes"].as_array().map(Vec::len), Some(3));
    let key = app.key().await.expect("a key");
    let data = app.data.display().to_string();
    let home = std::env::temp_dir().display().to_string();
    for secret in [&key, &claim_secret, &words, &wallet_key, &wallet_key[2..].to_string(), &data, &home] {
        assert!(!report.contains(secret.as_str()), "{secret} is in the report");
    }
    assert!(!report.contains("http://") && !report.contains("\"raw\""), "{report}");
    world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    app.until_payment(PaymentState::Done).await;
}

#[tokio::test]
async fn a_low_balance_suggests_a_purchase_and_a_click_puts_it_away() {
    let world = World::start().await;
    let app = world.app_with_credits("first").await;
    assert_eq!(prefill(&app), None, "nobody asked for it");
    app.wallet.set_low_balance(Some("20".into())).await.expect("set");
    assert_eq!(prefill(&app), None, "25 dollars are there");
    app.wallet.set_low_balance(Some("30".into())).await.expect("set");
    assert_eq!(prefill(&app), Some(("25".into(), PrefillReason::LowBalance)));
    app.wallet.dismiss_prefill().await.expect("put away");
    assert_eq!(prefill(&app), None);
    let keychain = app.close().await;
    let app = world.app_with("first", &world.profile(), keychain).await;
    app.until("the account", |v| v.account.as_ref().filter(|a| !a.at_most).map(drop)).await;
    assert_eq!((prefill(&app), app.wallet.view().settings.low_balance_usd.as_deref()), (None, Some("30")), "it stays away after a start");
    // Not low in between, it may be said again.
    app.buy("10").await;
    app.until("more credits", |v| v.account.as_ref().filter(|a| a.available_credits == "350000").map(drop)).await;
    app.wallet.sync_now().await.expect("a look");
    app.wallet.set_low_balance(Some("40".into())).await.expect("set");
    assert_eq!(prefill(&app).map(|(_, reason)| reason), Some(PrefillReason::LowBalance));
    app.wallet.set_low_balance(None).await.expect("unset");
    assert_eq!(prefill(&app), None);
    assert_eq!(world.payments().await.len(), 2, "nothing is paid without a click");
}

#[tokio::test]
async fn a_link_fills_in_an_amount_and_nothing_else() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    app.wallet.open_buy_link("aispace-wallet://buy?usd=40".into()).await.expect("taken");
    assert_eq!(prefill(&app), Some(("40".into(), PrefillReason::Link)));
    for trick in [
        "aispace-wallet://buy?usd=1&to=0x00000000000000000000000000000000000000aa",
        "aispace-wallet://buy?usd=0",
        "aispace-wallet://buy?usd=99999999",
    ] {
        let refused = app.wallet.open_buy_link(trick.into()).await.expect_err("refused whole");
        assert_eq!(refused.code, AppErrorCode::BuyLinkRefused);
    }
    assert_eq!(prefill(&app), Some(("40".into(), PrefillReason::Link)), "a refused link changes nothing");
    app.wallet.open_buy_link("aispace-wallet://buy?eth=0.01".into()).await.expect("taken");
    assert!(prefill(&app).is_some_and(|(usd, _)| usd != "40"));
    app.wallet.dismiss_prefill().await.expect("put away");
    assert_eq!(prefill(&app), None);
    assert!(app.wallet.view().payment.is_none());
    world.assert_nothing_paid().await;
}

#[tokio::test]
async fn nodes_are_set_kept_and_brought_back() {
    let world = World::start().await;
    let app = world.app("first").await;
    app.until_funded().await;
    let usual: Vec<String> = app.wallet.view().settings.nodes.iter().map(|node| node.url.clone()).collect();
    assert_eq!(usual.len(), 3);
    let set = async |app: &App, urls: &[&str]| app.wallet.set_nodes(urls.iter().map(ToString::to_string).collect()).await;
    for wrong in [
        vec!["http://node.example"],
        vec!["not a url"],
        vec!["ftp://127.0.0.1"],
        vec![usual[0].as_str(), usual[0].as_str()],
        vec!["https://n"; 10],
    ] {
        assert_eq!(set(&app, &wrong).await.expect_err("refused").code, AppErrorCode::NodesRefused, "{wrong:?}");
    }
    let direct = world.sandbox.chain.url();
    let view = set(&app, &[&direct]).await.expect("set");
    assert_eq!(view.settings.nodes.iter().map(|node| node.url.as_str()).collect::<Vec<_>>(), [direct.as_str()]);
    assert!(view.settings.nodes[0].healthy);
    app.buy("1").await;
    let keychain = app.close().await;
    let app = world.app_with("first", &world.profile(), keychain).await;
    let kept = app.until("the node", |v| v.settings.nodes.first().map(|node| node.url.clone())).await;
    assert_eq!(kept, direct);
    let back = set(&app, &[]).await.expect("the profile's");
    assert_eq!(back.settings.nodes.len(), 3);
}

#[tokio::test]
async fn a_project_id_is_kept_as_typed_or_refused() {
    let world = World::start().await;
    let app = world.app("first").await;
    let set = async |id: Option<&str>| app.wallet.set_walletconnect_project(id.map(str::to_owned)).await;
    for wrong in ["abc", &"g".repeat(32), &"a".repeat(33)] {
        assert_eq!(set(Some(wrong)).await.expect_err("refused").code, AppErrorCode::ProjectIdMalformed);
    }
    let id = "0123456789abcdef".repeat(2);
    assert_eq!(set(Some(&id.to_uppercase())).await.expect("set").settings.walletconnect_project, Some(id));
    assert_eq!(set(None).await.expect("unset").settings.walletconnect_project, None);
}
