//! Sandbox, desktop and app of one flow.

use aispace_testkit::{
    KitError,
    chain::{ChainOptions, read_quantity},
    desktop::{Desktop, DesktopOptions},
    process::{OwnedProcess, workspace_binary},
    sandbox::{Sandbox, SandboxOptions},
    window::Window,
};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Where the keychain files the sandbox's secrets.
pub const KEYCHAIN: &str = "bot.aispace.wallet.sandbox";
/// Where every payment goes.
pub const PAYMENT_ADDRESS: &str = "0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689";

/// Everything around the window; it ends when dropped.
pub struct World {
    /// Chain, service and stand-ins.
    pub sandbox: Sandbox,
    /// Screen, bus and Secret Service.
    pub desktop: Desktop,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Result<Self, KitError> {
        let mut folder = tempfile::tempdir().map_err(KitError::io("making a folder"))?;
        // For looking at the logs of a flow that failed.
        folder.disable_cleanup(std::env::var_os("AISPACE_KEEP").is_some());
        let options = SandboxOptions {
            folder: folder.path().to_path_buf(),
            sample_at: Some(DateTime::<Utc>::from(SystemTime::now())),
            chain: ChainOptions::default(),
            keychain_scope: None,
        };
        Ok(Self { sandbox: Sandbox::start(options).await?, desktop: Desktop::start(DesktopOptions::default()).await?, folder })
    }

    /// Opens the app on a data folder of this name; `first` has the profile's own keychain scope.
    pub async fn open(&self, name: &str) -> Result<Window, KitError> {
        let mut profile = self.sandbox.profile();
        if name != "first" {
            profile["keychain_scope"] = json!(name);
        }
        self.open_with(name, &profile).await
    }

    /// Starts the app on a data folder of this name as a person would: nobody drives it.
    pub fn start_app(&self, name: &str) -> Result<OwnedProcess, KitError> {
        let mut environment = self.desktop.environment();
        environment.extend(self.sandbox.app_environment(name, &self.sandbox.profile())?);
        OwnedProcess::start(&workspace_binary("aispace-wallet")?, &[], &environment, &self.folder.path().join(format!("{name}.app.log")))
    }

    /// Opens the app on a data folder of this name with a profile of the test's own.
    pub async fn open_with(&self, name: &str, profile: &serde_json::Value) -> Result<Window, KitError> {
        let mut environment = self.desktop.environment();
        environment.extend(self.sandbox.app_environment(name, profile)?);
        let log = self.folder.path().join(format!("{name}.window.log"));
        let window = Window::open(&workspace_binary("aispace-wallet")?, &environment, &log).await?;
        window.set_size(1440, 900).await?;
        Ok(window)
    }

    /// Starts the app once more on a data folder of this name, with a link; what it ended with.
    pub async fn start_again(&self, name: &str, link: &str) -> Result<std::process::ExitStatus, KitError> {
        let mut command = tokio::process::Command::new(workspace_binary("aispace-wallet")?);
        let mut environment = self.desktop.environment();
        environment.extend(self.sandbox.app_environment(name, &self.sandbox.profile())?);
        for (key, value) in environment {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command.arg(link).kill_on_drop(true).status().await.map_err(KitError::io("starting the app once more"))
    }

    /// What the first app has in Secret Service under this name, as `secret-tool` sees it.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.desktop.secret(KEYCHAIN, name)
    }

    /// How many transactions on the chain pay to the payment address.
    pub async fn payments_received(&self) -> Result<usize, KitError> {
        let newest = self.sandbox.chain.block_number().await?;
        let mut payments = 0;
        for number in 0..=newest {
            let block = self.sandbox.chain.rpc("eth_getBlockByNumber", json!([format!("{number:#x}"), true])).await?;
            let to_us = |t: &&serde_json::Value| t["to"].as_str().is_some_and(|to| to.eq_ignore_ascii_case(PAYMENT_ADDRESS));
            let paying = block["transactions"].as_array().into_iter().flatten().filter(to_us);
            payments += paying.filter(|t| read_quantity(&t["value"]).is_ok_and(|v| v > 0)).count();
        }
        Ok(payments)
    }

    /// Searches every file of the app, its web view, its logs and the service's for a secret.
    pub fn assert_nowhere_on_disk(&self, secret: &str) {
        assert!(secret.len() >= 16, "too short to be a secret");
        let mut searched = 0;
        for file in [self.folder.path(), self.desktop.home()].into_iter().flat_map(files_below) {
            let Ok(bytes) = fs::read(&file) else { continue };
            searched += 1;
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "a secret is in {}", file.display());
        }
        assert!(searched >= 5, "only {searched} files were searched");
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let kinds = entries.filter_map(|entry| entry.file_type().ok().map(|kind| (entry.path(), kind)));
    kinds
        .flat_map(|(path, kind)| {
            if kind.is_dir() {
                files_below(&path)
            } else if kind.is_file() {
                vec![path]
            } else {
                vec![]
            }
        })
        .collect()
}
