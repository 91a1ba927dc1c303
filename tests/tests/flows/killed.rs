//! The app as a real process with a real Secret Service, killed between signing and the claim.

use crate::world::World;
use aispace_testkit::{
    desktop::{Desktop, DesktopOptions, Keyring},
    fault::Fault,
    process::{OwnedProcess, until, workspace_binary},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

pub const LIMIT: Duration = Duration::from_secs(40);
pub const SCOPE: &str = "bot.aispace.wallet.sandbox";

/// The service hands the key out, and nobody hears it.
pub const KEY_LOST_ON_ITS_WAY: Fault = Fault::Unanswered(r#""acknowledge":false"#);

pub struct Computer {
    pub world: World,
    pub desktop: Desktop,
    /// What the app reads at its next start.
    pub profile: Value,
}

impl Computer {
    pub async fn start() -> Self {
        let options = DesktopOptions { screen: None, keyring: Keyring::Unlocked, own_home: true };
        Self::with(options).await
    }

    async fn with(options: DesktopOptions) -> Self {
        let (world, desktop) = tokio::join!(World::start(), Desktop::start(options));
        let profile = world.profile();
        Self { world, desktop: desktop.expect("a desktop"), profile }
    }

    /// Starts the app; `run` names its log.
    pub fn open(&self, run: &str, arguments: &[&str]) -> OwnedProcess {
        let mut environment = self.desktop.environment();
        environment.extend(self.world.sandbox.app_environment("app", &self.profile).expect("a profile"));
        let log = self.world.sandbox.folder().join(format!("{run}.log"));
        OwnedProcess::start(&workspace_binary("headless").expect("it is built"), arguments, &environment, &log).expect("it starts")
    }

    /// Starts the app, lets it sign a payment that no node takes, and answers the transaction's hash.
    async fn sign_without_sending(&self, nodes: &Fault) -> (OwnedProcess, String) {
        self.world.set_nodes(nodes).await;
        let mut app = self.open("first", &["--pay", "25"]);
        let hash = app.wait_for_output("payment Signed ", LIMIT).await.expect("it signs");
        (app, hash)
    }

    pub fn open_claims(&self) -> Option<Value> {
        self.desktop.secret(SCOPE, "open-claims").map(|text| serde_json::from_str(&text).expect("json"))
    }

    pub fn secure_key(&self) -> Option<String> {
        self.desktop.secret(SCOPE, "secure-key")
    }

    /// Kills an app whose payment is credited and whose key is on its way.
    pub async fn kill_credited(&self, app: &mut OwnedProcess) {
        app.wait_for_output("payment Credited ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
        app.kill();
        assert_eq!(self.secure_key(), None);
        assert!(self.open_claims().is_some(), "the claim secret is kept");
        self.world.service.set(Fault::None).await;
    }

    /// Starts the app again without paying, and expects that very payment to end well, once.
    pub async fn comes_to_its_end(&self, hash: &str) {
        let mut app = self.open("second", &[]);
        let done = app.wait_for_output("payment Done ", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
        assert_eq!(done, hash);
        one_batch(&mut app).await;
        app.wait_for_output("session signed-in Keychain ", LIMIT).await.expect("signed in");
        // Long enough for a second payment, were there one.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let paid: Vec<String> = self.world.payments().await.into_iter().map(|p| p.hash).collect();
        assert_eq!(paid, [hash]);
        assert!(self.secure_key().is_some());
        assert_eq!(self.open_claims(), None, "the claim secret is gone");
        let said = app.output();
        assert!(!said.contains("failed") && !said.contains("payment Dropped"), "{said}");
        app.kill();
        // A third start has nothing left to do.
        let mut third = self.open("third", &[]);
        one_batch(&mut third).await;
        assert_eq!(self.world.payments().await.len(), 1);
    }
}

/// An amount that no other order has buys a fraction of a credit more.
async fn one_batch(app: &mut OwnedProcess) {
    let account = app.wait_for_output("account 250000", LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()));
    assert!(account.ends_with(" batches 1") || account == "batches 1", "{account}");
}

/// Any other hash than the payment's is a refusal: the app keeps it and asks again.
fn taken_by_nobody() -> Fault {
    Fault::Override(BTreeMap::from([("eth_sendRawTransaction".to_string(), json!(format!("0x{}", "00".repeat(32))))]))
}

#[tokio::test]
async fn killed_after_signing_before_any_node_has_it_pays_once() {
    let computer = Computer::start().await;
    let (mut app, hash) = computer.sign_without_sending(&Fault::HangOn("eth_sendRawTransaction")).await;
    app.kill();
    computer.world.assert_nothing_paid().await;
    assert!(computer.open_claims().is_some(), "the keychain has it");
    computer.world.set_nodes(&Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_after_a_node_had_it_and_before_the_app_knew_pays_once() {
    let computer = Computer::start().await;
    let (mut app, hash) = computer.sign_without_sending(&Fault::HangOn("eth_sendRawTransaction")).await;
    app.kill();
    let raw = format!(
        "0x{}",
        computer.open_claims().expect("open claims")["claims"][0]["payment"]["attempts"][0]["raw"].as_str().expect("bytes")
    );
    let sent = computer.world.sandbox.chain.rpc("eth_sendRawTransaction", json!([raw])).await.expect("the chain takes it");
    assert_eq!(sent, json!(hash));
    until("it to be mined", LIMIT, async || Ok((computer.world.payments().await.len() == 1).then_some(()))).await.expect("mined");
    computer.world.set_nodes(&Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_after_sending_before_confirmation_pays_once() {
    let computer = Computer::start().await;
    let (mut app, hash) = computer.sign_without_sending(&taken_by_nobody()).await;
    computer.world.sandbox.chain.set_block_seconds(0).await.expect("mining stops");
    computer.world.set_nodes(&Fault::None).await;
    app.wait_for_output("payment Seen ", LIMIT).await.expect("it is sent");
    app.kill();
    assert_eq!(computer.world.payments().await, []);
    computer.world.sandbox.chain.set_block_seconds(1).await.expect("mining goes on");
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_after_confirmation_before_the_claim_loses_no_key() {
    let computer = Computer::start().await;
    let (mut app, hash) = computer.sign_without_sending(&taken_by_nobody()).await;
    computer.world.service.set(Fault::Refuse).await;
    computer.world.set_nodes(&Fault::None).await;
    app.wait_for_output("payment Confirmed ", LIMIT).await.expect("it is mined");
    app.kill();
    assert_eq!(computer.secure_key(), None);
    computer.world.service.set(Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_credits_posted_before_the_key_arrived_gets_that_key() {
    let computer = Computer::start().await;
    computer.world.service.set(KEY_LOST_ON_ITS_WAY).await;
    let (mut app, hash) = computer.sign_without_sending(&taken_by_nobody()).await;
    computer.world.set_nodes(&Fault::None).await;
    computer.kill_credited(&mut app).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn killed_with_the_key_kept_before_the_service_knew_keeps_that_key() {
    let computer = Computer::start().await;
    computer.world.service.set(Fault::Unanswered(r#""acknowledge":true"#)).await;
    let (mut app, hash) = computer.sign_without_sending(&taken_by_nobody()).await;
    computer.world.set_nodes(&Fault::None).await;
    let kept = until("the key in the keychain", LIMIT, async || Ok(computer.secure_key())).await.expect("a key");
    app.kill();
    assert!(computer.open_claims().is_some() && !app.output().contains("payment Done"), "{}", app.output());
    computer.world.service.set(Fault::None).await;
    computer.comes_to_its_end(&hash).await;
    assert_eq!(computer.secure_key(), Some(kept));
}

#[tokio::test]
async fn killed_after_signing_and_its_store_destroyed_pays_once() {
    let computer = Computer::start().await;
    let (mut app, hash) = computer.sign_without_sending(&taken_by_nobody()).await;
    app.kill();
    crate::world::damage_store(&computer.world.sandbox.data_folder("app"));
    computer.world.set_nodes(&Fault::None).await;
    computer.comes_to_its_end(&hash).await;
}

#[tokio::test]
async fn keychain_absent_on_a_real_desktop_pays_nothing() {
    let options = DesktopOptions { screen: None, keyring: Keyring::Absent, own_home: true };
    let computer = Computer::with(options).await;
    let mut app = computer.open("first", &[]);
    app.wait_for_output("session signed-out", LIMIT).await.expect("it runs without a keychain");
    computer.world.assert_nothing_paid().await;
}

#[tokio::test]
async fn killed_as_soon_as_the_wallet_is_there_it_is_the_same_wallet_ever_after() {
    let computer = Computer::start().await;
    let mut first = computer.open("first", &[]);
    let address = first.wait_for_output("wallet ", LIMIT).await.expect("a wallet is made");
    first.kill();
    let kept = computer.desktop.secret(SCOPE, "spending-key").expect("in the keychain before anybody was told its address");
    for run in ["second", "third"] {
        let mut again = computer.open(run, &[]);
        assert_eq!(again.wait_for_output("wallet ", LIMIT).await.expect("the wallet"), address);
        again.kill();
    }
    assert_eq!(computer.desktop.secret(SCOPE, "spending-key"), Some(kept));
}
