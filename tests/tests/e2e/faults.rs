//! Faults as a person meets them: said plainly in the window, nothing lost, well again by itself.

use crate::{Tested, review, world::World};
use aispace_testkit::{
    fault::{Fault, FaultProxy},
    venues::{Venue, VenueFault},
    window::{STEP, Window},
};
use serde_json::json;
use std::{collections::BTreeMap, fs, time::Duration};

/// The client's own deadline, a look at the service every two seconds, and a slow machine.
const NOTICED: Duration = Duration::from_secs(45);

#[tokio::test]
async fn service_down_slow_failing_or_garbled_keeps_the_balance_and_heals() -> Tested {
    let world = World::start().await?;
    let proxy = FaultProxy::start(&world.sandbox.service.url()).await?;
    let mut profile = world.sandbox.profile();
    profile["service_url"] = json!(proxy.url());
    let window = world.open_with("first", &profile).await?;
    window.click("onboarding-look-around").await?;
    let balance = window.wait_for_text("balance", STEP, |text| text.contains(",")).await?;
    let faults = [
        (Fault::Refuse, "service_unreachable"),
        (Fault::Hang, "service_slow"),
        (Fault::Status(500), "service_failed"),
        (Fault::Status(503), "service_failed"),
        (Fault::Garble, "service_garbled"),
    ];
    for (fault, code) in faults {
        proxy.set(fault).await;
        window.wait_for_attribute("offline-band", "data-code", code, NOTICED).await?;
        // A balance that is a ceiling has no fraction.
        window.wait_for_text("balance", STEP, |text| balance.starts_with(text)).await?;
        window.wait_for_text("known-at", STEP, |text| text.contains(':')).await?;
        proxy.set(Fault::None).await;
        window.gone("offline-band").await?;
    }
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn price_sources_missing_or_disagreeing_stop_a_purchase() -> Tested {
    let world = World::start().await?;
    let window = at_buy(&world).await?;
    // Two of the four and the reserve: three are needed.
    for venue in [Venue::Coinbase, Venue::Kraken, Venue::Gemini] {
        world.sandbox.venues.set_fault(venue, Some(VenueFault::ServerError));
    }
    window.type_into("buy-amount", "25").await?;
    refused(&window, "price_unavailable").await?;
    for (venue, percent) in [(Venue::Coinbase, 5), (Venue::Kraken, -5), (Venue::Bitstamp, 9), (Venue::Gemini, -9)] {
        world.sandbox.venues.set_fault(venue, Some(VenueFault::OffBy(percent.into())));
    }
    window.type_into("buy-amount", "26").await?;
    refused(&window, "price_disagrees").await?;
    for venue in [Venue::Coinbase, Venue::Kraken, Venue::Bitstamp, Venue::Gemini] {
        world.sandbox.venues.set_fault(venue, None);
    }
    window.type_into("buy-amount", "25").await?;
    window.wait_for_text("buy-credits", STEP, |text| text.contains("250,000")).await?;
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn chain_down_or_on_another_chain_stops_a_purchase_before_anything_is_signed() -> Tested {
    let world = World::start().await?;
    let window = at_buy(&world).await?;
    let elsewhere = Fault::Override(BTreeMap::from([("eth_chainId".to_string(), json!("0x1"))]));
    for (fault, code) in [(elsewhere, "chain_wrong_id"), (Fault::Refuse, "chain_unreachable")] {
        for node in &world.sandbox.nodes {
            node.set(fault.clone()).await;
        }
        window.type_into("buy-amount", "25").await?;
        window.wait_for_text("buy-credits", STEP, |text| text.contains("250,000")).await?;
        window.click("buy-review").await?;
        refused(&window, code).await?;
        assert_eq!(window.count("review-pay").await?, 0);
        for node in &world.sandbox.nodes {
            node.set(Fault::None).await;
        }
        window.go("estimate").await?;
        window.go("buy").await?;
    }
    review(&window).await?;
    assert_eq!(world.payments_received().await?, 0);
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn too_little_ether_is_said_before_anything_is_signed() -> Tested {
    let world = World::start().await?;
    let window = at_buy(&world).await?;
    window.type_into("buy-amount", "5000").await?;
    window.wait_for_text("buy-credits", STEP, |text| text.contains("50,000,000")).await?;
    window.click("buy-review").await?;
    refused(&window, "cap_exceeded").await?;
    window.go("settings").await?;
    for limit in ["cap-payment", "cap-day"] {
        window.type_into(limit, "10000").await?;
    }
    window.click("save-caps").await?;
    window.wait_for_attribute("save-caps", "disabled", "true", STEP).await?;
    window.go("buy").await?;
    window.type_into("buy-amount", "5000").await?;
    window.wait_for_text("buy-credits", STEP, |text| text.contains("50,000,000")).await?;
    window.click("buy-review").await?;
    refused(&window, "not_enough_ether").await?;
    assert_eq!(world.payments_received().await?, 0);
    window.close().await;
    Ok(())
}

#[tokio::test]
async fn a_corrupt_store_is_set_aside_rebuilt_from_the_service_and_said() -> Tested {
    let world = World::start().await?;
    let window = world.open("first").await?;
    window.click("onboarding-look-around").await?;
    let balance = window.wait_for_text("balance", STEP, |text| text.contains(",")).await?;
    window.close().await;
    let folder = world.sandbox.data_folder("first");
    for tail in ["", "-wal", "-shm"] {
        let file = folder.join(format!("wallet.sqlite3{tail}"));
        if file.exists() {
            fs::write(file, [0xA5; 8_192]).expect("the store can be damaged");
        }
    }
    let again = world.open("first").await?;
    again.element("notice-store_rebuilt").await?;
    again.wait_for_text("balance", STEP, |text| text == balance).await?;
    let set_aside = fs::read_dir(&folder).expect("the folder").flatten().any(|f| f.file_name().to_string_lossy().contains(".damaged-"));
    assert!(set_aside, "the damaged store is gone");
    again.close().await;
    Ok(())
}

async fn at_buy(world: &World) -> Result<Window, aispace_testkit::KitError> {
    let window = world.open("first").await?;
    window.click("onboarding-buy").await?;
    window.wait_for_text("wallet-balance", STEP, |text| text.contains("0.5")).await?;
    Ok(window)
}

async fn refused(window: &Window, code: &str) -> Tested {
    window.wait_for_attribute("error-banner", "data-code", code, NOTICED).await
}
