//! Which world the app is in: its service, its nodes, its price sources.

use crate::view::ProfileKind;
use aispace_client::{ServiceUrl, ServiceUrlError};
use aispace_keychain::{KeychainScope, NameError};
use aispace_payments::price::PriceConfig;
use serde::Deserialize;
use std::{path::Path, time::Duration};

/// A profile, as the file that `AISPACE_PROFILE` names holds it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    version: u32,
    /// Sandbox or live.
    pub kind: ProfileKind,
    /// Base address of the account service.
    pub service_url: String,
    /// Nodes of Base.
    pub nodes: Vec<String>,
    /// Price sources; the venues themselves when absent.
    #[serde(default)]
    pub price: Option<PriceUrls>,
    /// The sandbox gateway's credential, for simulated runs.
    #[serde(default)]
    pub operator_token: Option<String>,
    /// The sandbox's faucet.
    #[serde(default)]
    pub faucet_url: Option<String>,
    /// The sandbox's sample account.
    #[serde(default)]
    pub sample_url: Option<String>,
    /// A word that keeps two data folders of one profile apart in the keychain.
    #[serde(default)]
    pub keychain_scope: Option<String>,
    /// Whether the service takes cards.
    #[serde(default)]
    pub card_payments: bool,
    /// The project id for WalletConnect, unless a person sets one.
    #[serde(default)]
    pub walletconnect_project: Option<String>,
    /// Where WalletConnect's relay is; the usual one when absent.
    #[serde(default)]
    pub walletconnect_relay: Option<String>,
    /// Seconds between two looks at the service; 60 live, 2 in the sandbox.
    #[serde(default)]
    pub sync_seconds: Option<u64>,
}

/// Where prices are asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceUrls {
    /// Base URL of Coinbase Exchange.
    pub coinbase: String,
    /// Base URL of Kraken.
    pub kraken: String,
    /// Base URL of Bitstamp.
    pub bitstamp: String,
    /// Base URL of Gemini, the reserve; absent, there is none.
    #[serde(default)]
    pub gemini: Option<String>,
    /// Node that Chainlink's feed is read from.
    pub chainlink_node: String,
    /// More of them: more than half of all must agree.
    #[serde(default)]
    pub chainlink_nodes: Vec<String>,
}

/// Why a profile is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("the profile {path} cannot be read: {reason}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It is not a profile.
    #[error("the profile is malformed: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// Its service's address is refused.
    #[error("the profile's service address is refused: {0}")]
    Service(#[from] ServiceUrlError),
    /// Its keychain scope is refused.
    #[error("the profile's keychain scope is refused: {0}")]
    Scope(#[from] NameError),
}

impl Profile {
    /// Reads a profile from a file.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let unreadable = |error: std::io::Error| ProfileError::Unreadable { path: path.display().to_string(), reason: error.to_string() };
        Self::from_json(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads a profile from its text.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        let malformed = |reason: String| ProfileError::Malformed { reason };
        let profile: Self = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        if profile.version != 1 {
            return Err(malformed(format!("version {} is not 1", profile.version)));
        }
        if profile.nodes.is_empty() {
            return Err(malformed("it names no node".into()));
        }
        let sandbox_only = [&profile.operator_token, &profile.faucet_url, &profile.sample_url];
        if profile.kind == ProfileKind::Live && sandbox_only.iter().any(|field| field.is_some()) {
            return Err(malformed("a live profile has no gateway credential, faucet or sample account".into()));
        }
        profile.service()?;
        Ok(profile)
    }

    /// The account service.
    ///
    /// # Errors
    /// [`ProfileError::Service`].
    pub fn service(&self) -> Result<ServiceUrl, ProfileError> {
        Ok(ServiceUrl::parse(&self.service_url)?)
    }

    /// This profile's part of the keychain; sandbox and live never meet.
    ///
    /// # Errors
    /// [`ProfileError::Scope`].
    pub fn scope(&self) -> Result<KeychainScope, ProfileError> {
        let scope = match self.kind {
            ProfileKind::Sandbox => KeychainScope::sandbox(),
            ProfileKind::Live => KeychainScope::live(),
        };
        match &self.keychain_scope {
            Some(suffix) => Ok(scope.with_suffix(suffix)?),
            None => Ok(scope),
        }
    }

    /// A word for folders: `sandbox` or `live`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kind {
            ProfileKind::Sandbox => "sandbox",
            ProfileKind::Live => "live",
        }
    }

    pub(crate) fn price_config(&self) -> PriceConfig {
        let live = PriceConfig::live(&self.nodes);
        match &self.price {
            Some(urls) => PriceConfig {
                coinbase: urls.coinbase.clone(),
                kraken: urls.kraken.clone(),
                bitstamp: urls.bitstamp.clone(),
                gemini: urls.gemini.clone(),
                chainlink: std::iter::once(&urls.chainlink_node).chain(&urls.chainlink_nodes).cloned().collect(),
                ..live
            },
            None => live,
        }
    }

    pub(crate) fn sync_interval(&self) -> Duration {
        let usual = match self.kind {
            ProfileKind::Sandbox => 2,
            ProfileKind::Live => 60,
        };
        Duration::from_secs(self.sync_seconds.unwrap_or(usual).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &str = r#"{"version":1,"kind":"live","service_url":"https://wallet.example","nodes":["https://node.example"]}"#;

    #[test]
    fn a_live_profile_holds_nothing_of_the_sandbox() {
        assert!(Profile::from_json(LIVE).is_ok());
        let with_token = LIVE.replace("\"nodes\"", "\"operator_token\":\"t\",\"nodes\"");
        assert!(matches!(Profile::from_json(&with_token), Err(ProfileError::Malformed { .. })));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for bad in [
            LIVE.replace(":1,", ":2,"),
            LIVE.replace("[\"https://node.example\"]", "[]"),
            LIVE.replace("\"nodes\"", "\"nodez\""),
            LIVE.replace("https://wallet", "http://wallet"),
            String::new(),
        ] {
            assert!(Profile::from_json(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sandbox_and_live_never_share_a_keychain_scope() {
        let live = Profile::from_json(LIVE).unwrap().scope().unwrap();
        let sandbox = Profile::from_json(&LIVE.replace("live", "sandbox")).unwrap().scope().unwrap();
        assert_ne!(live, sandbox);
    }
}
