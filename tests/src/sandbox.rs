//! Everything the app needs around it, started together: what `make run` opens and what the flows are tested on.

use crate::{
    KitError,
    chain::{Chain, ChainOptions},
    fault::FaultProxy,
    process::Environment,
    sample,
    service::AccountService,
    venues::{Venue, Venues},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How the sandbox shall be.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where profile, databases and logs go.
    pub folder: PathBuf,
    /// Whether the sample account is opened, and what time it is for its history.
    pub sample_at: Option<DateTime<Utc>>,
    /// The chain.
    pub chain: ChainOptions,
    /// Ending of the keychain scope, so that two apps on one keychain never meet.
    pub keychain_scope: Option<String>,
}

/// A running sandbox; everything of it ends when it is dropped.
pub struct Sandbox {
    /// The account service.
    pub service: AccountService,
    /// The venues, the faucet and the sample.
    pub venues: Venues,
    /// What the app believes to be three nodes: three proxies in front of the one chain.
    pub nodes: Vec<FaultProxy>,
    /// The chain.
    pub chain: Chain,
    options: SandboxOptions,
}

impl Sandbox {
    /// Starts chain, venues, service and nodes, and seeds the sample account.
    ///
    /// # Errors
    /// When a part does not come up.
    pub async fn start(options: SandboxOptions) -> Result<Self, KitError> {
        fs::create_dir_all(&options.folder).map_err(KitError::io("making the sandbox's folder"))?;
        let chain = Chain::start(options.chain.clone()).await?;
        let venues = Venues::start(&chain.url()).await?;
        let service = AccountService::start(options.folder.join("service"), &chain.url(), &venues).await?;
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(FaultProxy::start(&chain.url()).await?);
        }
        if let Some(now) = options.sample_at {
            venues.set_sample_key(sample::seed(&service, now).await?);
        }
        Ok(Self { service, venues, nodes, chain, options })
    }

    /// The profile that the app reads.
    #[must_use]
    pub fn profile(&self) -> Value {
        let mut profile = json!({
            "version": 1,
            "kind": "sandbox",
            "service_url": self.service.url(),
            "nodes": self.nodes.iter().map(FaultProxy::url).collect::<Vec<_>>(),
            "price": {
                "coinbase": self.venues.url(Venue::Coinbase),
                "kraken": self.venues.url(Venue::Kraken),
                "bitstamp": self.venues.url(Venue::Bitstamp),
                "gemini": self.venues.url(Venue::Gemini),
                "chainlink_node": self.chain.url(),
            },
            "operator_token": self.service.operator_token(),
            "faucet_url": self.venues.faucet_url(),
            "sample_url": self.venues.sample_url(),
        });
        if let Some(scope) = &self.options.keychain_scope {
            profile["keychain_scope"] = json!(scope);
        }
        profile
    }

    /// Writes a profile for the app and answers the environment that makes the app use it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn app_environment(&self, name: &str, profile: &Value) -> Result<Environment, KitError> {
        let data = self.data_folder(name);
        fs::create_dir_all(&data).map_err(KitError::io("making the app's folder"))?;
        let file = self.options.folder.join(format!("{name}.profile.json"));
        fs::write(&file, format!("{profile:#}\n")).map_err(KitError::io("writing the profile"))?;
        let text = |path: &Path| Some(path.to_string_lossy().into_owned());
        Ok(Environment::from([("AISPACE_PROFILE".to_string(), text(&file)), ("AISPACE_DATA_DIR".to_string(), text(&data))]))
    }

    /// Where the app of this name keeps its data.
    #[must_use]
    pub fn data_folder(&self, name: &str) -> PathBuf {
        self.options.folder.join(format!("{name}.data"))
    }

    /// Where profile, databases and logs are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.options.folder
    }

    /// Ends everything in order, so that what is kept is whole.
    pub async fn stop(&mut self) {
        self.service.stop().await;
        self.chain.stop().await;
    }
}
