//! The whole path in the real window, against the real service, chain and Secret Service.

#[path = "e2e/attacks.rs"]
mod attacks;
#[path = "e2e/faults.rs"]
mod faults;
#[path = "e2e/outside.rs"]
mod outside;
#[path = "e2e/painted.rs"]
mod painted;
#[path = "e2e/same_specs.rs"]
mod same_specs;
#[path = "e2e/world.rs"]
mod world;

use aispace_payments::signer::RecoveryWords;
use aispace_pricing::RateCard;
use aispace_testkit::{
    KitError,
    process::until,
    window::{STEP, Window},
};
use std::{path::Path, time::Duration};
use world::{KEYCHAIN, PAYMENT_ADDRESS, World};

/// A payment: a block a second, a look at the chain a second, and the claim.
const PAID: Duration = Duration::from_secs(60);

type Tested = Result<(), KitError>;

#[tokio::test]
async fn from_an_empty_machine_to_credits_in_the_account() -> Tested {
    let mut world = World::start().await?;
    let window = world.open("first").await?;
    onboarding_offers_three_ways(&window).await?;
    window.click("onboarding-buy").await?;
    buy_25_dollars(&window).await?;
    let key = world.secret("secure-key").expect("the Secure Key is in Secret Service");
    assert!(!window.everything_kept().await?.contains(&key), "the web view keeps the Secure Key");
    overview_and_batches_show_the_batch(&window).await?;
    estimate_a_clip(&window).await?;
    run_it(&window).await?;
    service_goes_and_comes_back(&mut world, &window).await?;
    assert_eq!(window.page_errors().await?, Vec::<String>::new());
    sign_in_elsewhere(&world, &key).await?;
    window.close().await;
    world.assert_nowhere_on_disk(&key);
    let wallet: serde_json::Value =
        serde_json::from_str(&world.secret("spending-key").expect("the wallet is in Secret Service")).expect("json");
    let words = RecoveryWords::parse(wallet["words"].as_str().expect("a wallet of words")).expect("the words");
    world.assert_nowhere_on_disk(words.expose());
    world.assert_nowhere_on_disk(&words.key().expect("a key").expose_hex());
    Ok(())
}

#[tokio::test]
async fn an_app_killed_after_signing_resumes_and_pays_once() -> Tested {
    let world = World::start().await?;
    let window = world.open("first").await?;
    window.click("onboarding-buy").await?;
    review(&window).await?;
    world.sandbox.chain.set_block_seconds(0).await?;
    window.click("review-pay").await?;
    window.wait_for_attribute("payment-step-sent", "data-state", "done", PAID).await?;
    window.kill_app()?;
    window.close().await;

    let again = world.open("first").await?;
    world.sandbox.chain.set_block_seconds(1).await?;
    again.wait_for_text("balance", PAID, |text| text.contains("250,000")).await?;
    again.element("notice-payment_resumed").await?;
    assert!(world.secret("secure-key").is_some(), "the Secure Key is not in Secret Service");
    assert_eq!(world.payments_received().await?, 1, "it paid again");
    again.close().await;
    Ok(())
}

#[tokio::test]
async fn every_model_of_the_card_can_be_picked_and_quoted() -> Tested {
    let world = World::start().await?;
    let window = world.open("first").await?;
    window.click("onboarding-look-around").await?;
    window.go("estimate").await?;
    let card = RateCard::aispace().expect("the card in the binary is valid");
    for model in card.models() {
        let row = format!("model-row-{}", model.id);
        window.type_into("model-search", &model.id).await?;
        window.click(&row).await?;
        let has_figure = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
        window.wait_for_text("estimate-total", STEP, has_figure).await?;
        window.wait_for_text("estimate-lines", STEP, has_figure).await?;
        assert_eq!(window.count("error-banner").await?, 0, "{}", model.id);
    }
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_is_refused_in_plain_words_and_nothing_is_kept() -> Tested {
    let world = World::start().await?;
    let window = world.open("first").await?;
    let key = world.sandbox.service.open_account("someone").await?.secure_key.into_exposed();
    // The last character decides between a key that never was and one with a typing error.
    let flipped = if key.ends_with('a') { "b" } else { "a" };
    let wrong = format!("{}{flipped}", &key[..key.len() - 1]);
    window.click("onboarding-sign-in").await?;
    window.type_into("sign-in-key", &wrong).await?;
    window.click("sign-in-submit").await?;
    let code = until("a refusal", STEP, async || window.attribute("error-banner", "data-code").await).await?;
    assert!(["key_refused", "key_malformed"].contains(&code.as_str()), "{code}");
    assert_eq!(world.secret("secure-key"), None);
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn a_locked_keychain_is_said_plainly_and_opens_again() -> Tested {
    let mut world = World::start().await?;
    let key = world.sandbox.service.open_account("someone").await?.secure_key.into_exposed();
    world.desktop.lock_keyring()?;
    let window = world.open("first").await?;
    window.click("onboarding-sign-in").await?;
    window.type_into("sign-in-key", &key).await?;
    window.click("sign-in-submit").await?;
    window.wait_for_attribute("error-banner", "data-code", "keychain_locked", STEP).await?;
    world.assert_nowhere_on_disk(&key);
    world.desktop.stop_keyring().await?;
    world.desktop.start_keyring().await?;
    window.type_into("sign-in-key", &key).await?;
    window.click("sign-in-submit").await?;
    window.wait_for_text("balance", STEP, |text| text.contains('0')).await?;
    assert_eq!(world.secret("secure-key").as_deref(), Some(key.as_str()));
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn every_screen_passes_axe_in_light_and_dark() -> Tested {
    let world = World::start().await?;
    let window = world.open("first").await?;
    window.element("onboarding-look-around").await?;
    let mut found = violations(&window, "onboarding").await?;
    window.click("onboarding-look-around").await?;
    for screen in ["overview", "batches", "estimate", "buy", "usage", "settings"] {
        window.go(screen).await?;
        found.extend(violations(&window, screen).await?);
    }
    assert!(found.is_empty(), "{found:#?}");
    window.close().await;
    Ok(())
}

async fn violations(window: &Window, screen: &str) -> Result<Vec<String>, KitError> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let mut found = Vec::new();
    for theme in ["light", "dark"] {
        window.show_theme(theme).await?;
        window.settle().await?;
        let here = window.accessibility_violations(&axe).await?;
        found.extend(here.into_iter().map(|violation| format!("{screen}, {theme}: {violation}")));
    }
    Ok(found)
}

async fn onboarding_offers_three_ways(window: &Window) -> Tested {
    for way in ["onboarding-buy", "onboarding-sign-in", "onboarding-look-around", "sandbox-band"] {
        window.element(way).await?;
    }
    Ok(())
}

async fn review(window: &Window) -> Tested {
    window.type_into("buy-amount", "25").await?;
    window.wait_for_text("buy-credits", STEP, |text| text.contains("250,000")).await?;
    window.wait_for_text("buy-eth", STEP, |text| text.contains("0.0128")).await?;
    // The reserve stands beside the four without being asked.
    let used = "return document.querySelectorAll('[data-testid=price-source][data-verdict=used]').length;";
    until("four price sources", STEP, async || Ok((window.run(used, vec![]).await? == 4).then_some(()))).await?;
    assert_eq!(window.count("price-source").await?, 5);
    window.element("price-countdown").await?;
    window.click("buy-review").await?;
    window.wait_for_text("review-address", STEP, |text| without_spaces(text).contains(PAYMENT_ADDRESS)).await?;
    window.wait_for_text("review-chain", STEP, |text| text.contains("8453")).await?;
    for figure in ["review-value", "review-network-fee", "review-l1-fee", "review-total"] {
        window.wait_for_text(figure, STEP, |text| text.contains("0.0")).await?;
    }
    Ok(())
}

async fn buy_25_dollars(window: &Window) -> Tested {
    review(window).await?;
    window.click("review-pay").await?;
    for step in ["signed", "sent", "seen", "confirmed", "credited", "key_stored"] {
        window.wait_for_attribute(&format!("payment-step-{step}"), "data-state", "done", PAID).await?;
    }
    window.element("payment-done").await.map(drop)
}

async fn overview_and_batches_show_the_batch(window: &Window) -> Tested {
    window.go("overview").await?;
    window.wait_for_text("balance", STEP, |text| text.contains("250,000")).await?;
    window.go("batches").await?;
    until("one batch", STEP, async || Ok((window.count("batch-row").await? == 1).then_some(()))).await?;
    window.wait_for_text("batch-expires-utc", STEP, |text| text.contains("UTC")).await?;
    window.wait_for_text("batch-expires-local", STEP, |text| !text.is_empty()).await?;
    window.wait_for_text("batch-countdown", STEP, |text| text.contains("29") || text.contains("30")).await?;
    Ok(())
}

async fn estimate_a_clip(window: &Window) -> Tested {
    window.go("estimate").await?;
    window.type_into("model-search", "sora-2-text-to-video").await?;
    window.click("model-row-sora-2-text-to-video").await?;
    for choice in ["choice-seconds-4", "choice-resolution-720p", "choice-audio-on"] {
        window.click(choice).await?;
    }
    window.wait_for_text("estimate-total", STEP, |text| text.contains("4,400")).await?;
    window.wait_for_text("estimate-lines", STEP, |text| !text.is_empty()).await?;
    window.wait_for_text("estimate-draw", STEP, |text| text.contains("245,600")).await.map(drop)
}

async fn run_it(window: &Window) -> Tested {
    window.click("simulate-run").await?;
    window.go("overview").await?;
    window.wait_for_text("balance", STEP, |text| text.contains("245,600")).await?;
    window.go("batches").await?;
    window.wait_for_text("batch-row", STEP, |text| text.contains("245,600")).await.map(drop)
}

async fn service_goes_and_comes_back(world: &mut World, window: &Window) -> Tested {
    window.go("overview").await?;
    world.sandbox.service.stop().await;
    window.element("offline-band").await?;
    window.wait_for_text("balance", STEP, |text| text.contains("245,600")).await?;
    window.wait_for_text("known-at", STEP, |text| text.contains(':')).await?;
    world.sandbox.service.start_again().await?;
    window.gone("offline-band").await
}

async fn sign_in_elsewhere(world: &World, key: &str) -> Tested {
    let window = world.open("second").await?;
    window.click("onboarding-sign-in").await?;
    window.type_into("sign-in-key", key).await?;
    window.click("sign-in-submit").await?;
    window.wait_for_text("balance", STEP, |text| text.contains("245,600")).await?;
    assert!(!window.everything_kept().await?.contains(key), "the web view keeps a key that was typed");
    assert_eq!(world.desktop.secret(&format!("{KEYCHAIN}.second"), "secure-key").as_deref(), Some(key));
    window.close().await;
    Ok(())
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}
