//! Which relay, as which project, named how, and how long each step may take.

use super::Patience;
use crate::http::is_loopback;
use reqwest::Url;
use std::{fmt, str::FromStr};

/// The relay that phone wallets use.
pub const DEFAULT_RELAY_URL: &str = "wss://relay.walletconnect.org";

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectConfigError {
    /// Not 32 hex digits.
    #[error("a project id is 32 hex digits")]
    NotAProjectId,
    /// Not a URL.
    #[error("the relay's address is not a URL")]
    NotAUrl,
    /// Plain ws to another machine, or another scheme.
    #[error("{host} must be reached over wss")]
    NotWss {
        /// Its host.
        host: String,
    },
    /// The URL carries more than scheme, host, port and path.
    #[error("the relay's address may hold no user, password, query or fragment")]
    TooMuch,
}

/// The project that the relay's operator knows this app by. Not a secret: every app of a project carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectId(String);

impl ProjectId {
    /// The 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectId {
    type Err = ConnectConfigError;

    fn from_str(text: &str) -> Result<Self, ConnectConfigError> {
        let good = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if good { Ok(Self(text.to_ascii_lowercase())) } else { Err(ConnectConfigError::NotAProjectId) }
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the wallet shows of this app. No icon: nothing is fetched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppMetadata {
    /// The app's name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Its home page.
    pub url: String,
}

/// How to reach wallets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectConfig {
    relay: String,
    project: ProjectId,
    app: AppMetadata,
    patience: Patience,
}

impl ConnectConfig {
    /// Takes a relay ([`DEFAULT_RELAY_URL`] unless somebody set another), a project and the app's name. A relay on this machine may be reached over plain ws.
    ///
    /// # Errors
    /// [`ConnectConfigError`] for an address that may not be used.
    pub fn new(relay_url: &str, project: ProjectId, app: AppMetadata) -> Result<Self, ConnectConfigError> {
        let parsed = Url::parse(relay_url).map_err(|_| ConnectConfigError::NotAUrl)?;
        let host = parsed.host_str().unwrap_or_default().to_string();
        if !(parsed.scheme() == "wss" || (parsed.scheme() == "ws" && is_loopback(&parsed))) {
            return Err(ConnectConfigError::NotWss { host });
        }
        let bare = parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none() && parsed.fragment().is_none();
        if !bare {
            return Err(ConnectConfigError::TooMuch);
        }
        Ok(Self { relay: parsed.as_str().trim_end_matches('/').to_string(), project, app, patience: Patience::default() })
    }

    /// The same with other deadlines.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The relay's address without a slash at its end: what a login names as its audience.
    #[must_use]
    pub fn relay_url(&self) -> &str {
        &self.relay
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    pub(super) fn app(&self) -> &AppMetadata {
        &self.app
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// Where a connection is opened. The login is in the query, as every relay takes it; it is good for one relay and one day.
    pub(super) fn address(&self, login: &str) -> String {
        let agent = concat!("wc-2/rust-", env!("CARGO_PKG_VERSION"), "/", "desktop");
        format!("{}/?auth={login}&projectId={}&ua={agent}", self.relay, self.project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Result<ConnectConfig, ConnectConfigError> {
        let app = AppMetadata { name: "app".into(), description: "an app".into(), url: "https://example.invalid".into() };
        ConnectConfig::new(url, "0123456789abcdef0123456789ABCDEF".parse().unwrap(), app)
    }

    #[test]
    fn only_this_machine_may_be_reached_without_tls() {
        for good in [DEFAULT_RELAY_URL, "wss://relay.example.org/", "ws://127.0.0.1:5555", "ws://localhost:1", "ws://[::1]:1"] {
            assert_eq!(checked(good).unwrap().relay_url(), good.trim_end_matches('/'));
        }
        for bad in ["ws://relay.walletconnect.org", "ws://127.0.0.1.example.org", "ws://0.0.0.0", "https://relay.walletconnect.org"] {
            assert!(matches!(checked(bad), Err(ConnectConfigError::NotWss { .. })), "{bad}");
        }
        for bad in ["wss://user:secret@relay.example.org", "wss://relay.example.org/?auth=x", "wss://relay.example.org/#x"] {
            assert_eq!(checked(bad), Err(ConnectConfigError::TooMuch), "{bad}");
        }
        assert_eq!(checked("relay"), Err(ConnectConfigError::NotAUrl));
    }

    #[test]
    fn a_project_is_32_hex_digits() {
        assert_eq!("0123456789ABCDEF0123456789abcdef".parse::<ProjectId>().unwrap().as_str(), "0123456789abcdef0123456789abcdef");
        for bad in [
            "",
            "0123456789abcdef",
            "0123456789abcdef0123456789abcdeg",
            "0123456789abcdef0123456789abcdef0",
            "0123456789abcdef&a=b&0123456789ab",
        ] {
            assert_eq!(bad.parse::<ProjectId>(), Err(ConnectConfigError::NotAProjectId), "{bad}");
        }
    }

    #[test]
    fn the_login_is_the_only_thing_added_to_the_address() {
        let address = checked("ws://127.0.0.1:5555").unwrap().address("LOGIN");
        assert!(
            address.starts_with("ws://127.0.0.1:5555/?auth=LOGIN&projectId=0123456789abcdef0123456789abcdef&ua=wc-2/rust-"),
            "{address}"
        );
        assert!(Url::parse(&address).is_ok());
    }
}
