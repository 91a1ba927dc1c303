//! What is around a window that is measured: an account service with an account, a chain, a desktop with a screen that can be read.

use aispace_testkit::{
    KitError,
    chain::ChainOptions,
    desktop::{Desktop, DesktopOptions, Keyring},
    fault::Fault,
    process::{Environment, OwnedProcess, until, workspace_binary},
    sample,
    sandbox::{Sandbox, SandboxOptions},
    screen::Screen,
    tray::TrayArea,
    window::{STEP, Window},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The window as it is released.
pub const APP: &str = "aispace-wallet";
/// The same, but letting itself be driven, and with a web view that leaves something on disk.
pub const DRIVEN: &str = "aispace-wallet-driven";
/// One line of text.
pub const BARE: &str = "bare-window";
/// The same, told to paint on the processor, as the app tells its web view.
pub const BARE_ALIKE: &str = "bare-window, painted alike";

/// Of each screen. Its file lies in memory, so that no disk is waited for.
const SIZE: (u32, u32) = (1440, 900);
const PAINTED_ALIKE: &str = ", painted alike";

const KEEP_IN_TRAY: &str = "const done = arguments[arguments.length - 1]; \
    window.__TAURI_INTERNALS__.invoke('set_outside', { which: 'keep_in_tray', on: true }).then((o) => done(o.keep_in_tray && o.tray), (e) => done(String(e)));";
const DATA: &str = "bench";
/// Where a live profile's secrets are filed.
const SECRETS: &str = "bot.aispace.wallet.live";
/// What the app's store holds once it knows an account.
const KEPT: &[u8] = b"available_credits";

/// Everything around the window; it ends when dropped.
pub struct World {
    pub sandbox: Sandbox,
    pub screen: Screen,
    desktop: Desktop,
    environment: Environment,
    folder: tempfile::TempDir,
    _screen_folder: tempfile::TempDir,
}

impl World {
    /// Starts everything. The app has the profile of a live account, that is: no sandbox's pace.
    pub async fn start() -> Result<Self, KitError> {
        let folder = tempfile::tempdir().map_err(KitError::io("making a folder"))?;
        let screen_folder = tempfile::tempdir_in("/dev/shm").map_err(KitError::io("making a folder in memory"))?;
        let options =
            SandboxOptions { folder: folder.path().to_path_buf(), sample_at: None, chain: ChainOptions::default(), keychain_scope: None };
        let sandbox = Sandbox::start(options).await?;
        let desktop = Desktop::start(DesktopOptions { screen: None, keyring: Keyring::Unlocked, own_home: true }).await?;
        let mut environment = desktop.environment();
        let screen = Screen::start(screen_folder.path(), SIZE, &mut environment).await?;
        environment.extend(sandbox.app_environment(DATA, &live(&sandbox.profile()))?);
        Ok(Self { sandbox, screen, desktop, environment, folder, _screen_folder: screen_folder })
    }

    /// Signs in to the sample account, so that a snapshot of it is on this computer.
    pub async fn sign_in_to_sample(&self) -> Result<(), KitError> {
        let key = sample::seed(&self.sandbox.service, DateTime::<Utc>::from(SystemTime::now())).await?;
        self.sign_in(&key).await
    }

    /// Puts a key into Secret Service and lets the app find it there and keep what the account holds.
    pub async fn sign_in(&self, key: &str) -> Result<(), KitError> {
        if !self.desktop.store(SECRETS, "secure-key", key) {
            return Err(KitError::unexpected("Secret Service did not take the key"));
        }
        let mut app = self.open(APP)?;
        until("the app to keep the account", STEP, async || {
            let files = ["wallet.sqlite3", "wallet.sqlite3-wal"].map(|name| self.sandbox.data_folder(DATA).join(name));
            let kept = files.iter().filter_map(|file| std::fs::read(file).ok()).any(|bytes| bytes.windows(KEPT.len()).any(|at| at == KEPT));
            Ok(kept.then_some(()))
        })
        .await?;
        app.stop(STEP).await;
        Ok(())
    }

    /// Opens a window that is driven, and painted as one that is not: no pictures are taken here.
    pub async fn drive(&self, name: &str) -> Result<Window, KitError> {
        let mut environment = self.environment.clone();
        environment.insert("WEBKIT_DISABLE_COMPOSITING_MODE".into(), Some("1".into()));
        Window::open(&workspace_binary(name)?, &environment, &self.folder.path().join(format!("{name}.log"))).await
    }

    /// Starts a program as a person would.
    pub fn open(&self, name: &str) -> Result<OwnedProcess, KitError> {
        let mut environment = self.environment.clone();
        let binary = name.strip_suffix(PAINTED_ALIKE).unwrap_or(name);
        if binary != name {
            environment.insert("WEBKIT_SKIA_ENABLE_CPU_RENDERING".into(), Some("1".into()));
        }
        OwnedProcess::start(&workspace_binary(binary)?, &[], &environment, &self.folder.path().join(format!("{binary}.log")))
    }

    /// A screen and a home beside the first, for a second window at the same time.
    pub async fn beside(&self) -> Result<(Screen, Environment, tempfile::TempDir), KitError> {
        let folder = tempfile::tempdir_in("/dev/shm").map_err(KitError::io("making a folder in memory"))?;
        let mut environment = self.environment.clone();
        let screen = Screen::start(folder.path(), SIZE, &mut environment).await?;
        Ok((screen, environment, folder))
    }

    /// Starts the app on a screen, with data, of its own; its window stays closed, for there is a tray. It is in the tray when this returns.
    pub async fn open_hidden(&self) -> Result<Hidden, KitError> {
        let tray = TrayArea::on(&self.desktop).await?;
        let (screen, mut environment, folder) = self.beside().await?;
        environment.extend(self.sandbox.app_environment("hidden", &live(&self.sandbox.profile()))?);
        // Closed, it would end: a person who wants it in the tray says so first.
        let window = Window::open(&workspace_binary(DRIVEN)?, &environment, &folder.path().join("driven.log")).await?;
        window.element("balance").await?;
        let kept = window.run_async(KEEP_IN_TRAY, vec![]).await?;
        window.close().await;
        if kept != Value::Bool(true) {
            return Err(KitError::unexpected(format!("the app does not stay in the tray: {kept}")));
        }
        tray.icon(STEP).await?;
        let process = OwnedProcess::start(&workspace_binary(APP)?, &["--hidden"], &environment, &folder.path().join("hidden.log"))?;
        tray.icon(STEP).await?;
        Ok(Hidden { process, screen, _tray: tray, _folder: folder })
    }

    /// Nobody answers any more: connections are accepted, and that is all.
    pub async fn silence(&self) {
        self.sandbox.service.pause();
        for node in &self.sandbox.nodes {
            node.set(Fault::Hang).await;
        }
    }
}

/// An app whose window is closed.
pub struct Hidden {
    pub process: OwnedProcess,
    pub screen: Screen,
    _tray: TrayArea,
    _folder: tempfile::TempDir,
}

fn live(sandbox: &Value) -> Value {
    let mut price = sandbox["price"].clone();
    if let Some(price) = price.as_object_mut() {
        price.retain(|name, _| name != "gemini");
    }
    json!({"version": 1, "kind": "live", "service_url": sandbox["service_url"], "nodes": sandbox["nodes"], "price": price})
}
