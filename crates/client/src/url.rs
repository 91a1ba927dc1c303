use reqwest::Url;
use std::{fmt, net::IpAddr};

/// The address of a service: `https`, or `http` to this machine itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(Url);

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceUrlError {
    /// Not an address with a host.
    #[error("{input:?} is not a web address")]
    NotAnAddress {
        /// What was given.
        input: String,
    },
    /// Unencrypted, to another machine.
    #[error("{host:?} is another machine, so its address has to begin with https://")]
    NotEncrypted {
        /// The host named.
        host: String,
    },
    /// It holds a user name or a password.
    #[error("the address holds a user name or a password")]
    HoldsCredentials,
    /// It holds a query or a fragment.
    #[error("the address holds a query or a fragment")]
    HoldsQuery,
}

impl ServiceUrl {
    /// Takes an address as typed. A path is kept as the base of every call.
    ///
    /// # Errors
    /// Each [`ServiceUrlError`].
    pub fn parse(text: &str) -> Result<Self, ServiceUrlError> {
        let text = text.trim();
        let unusable = || ServiceUrlError::NotAnAddress { input: text.into() };
        let url = Url::parse(text).map_err(|_| unusable())?;
        // First, so that a password is in no message.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServiceUrlError::HoldsCredentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ServiceUrlError::HoldsQuery);
        }
        let host = url.host_str().ok_or_else(unusable)?;
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_this_machine(host) => Ok(Self(url)),
            "http" => Err(ServiceUrlError::NotEncrypted { host: host.into() }),
            _ => Err(unusable()),
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(crate) fn is_this_machine(&self) -> bool {
        self.0.host_str().is_some_and(is_this_machine)
    }

    /// The machine it names.
    pub(crate) fn host(&self) -> &str {
        // An address without a host was refused.
        self.0.host_str().unwrap_or_default()
    }

    /// The address of a call; the segments hold nothing that a path gives a meaning to.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_and_this_machine() {
        for good in
            ["https://wallet.example", " https://wallet.example/base/ ", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"]
        {
            let url = ServiceUrl::parse(good).unwrap();
            assert_eq!(url.to_string(), good.trim().trim_end_matches('/'));
        }
        let url = ServiceUrl::parse("https://wallet.example/base/").unwrap();
        assert_eq!(url.join(&["v1", "account"]).as_str(), "https://wallet.example/base/v1/account");
    }

    #[test]
    fn refuses_what_would_send_the_key_in_the_clear() {
        for host in ["wallet.example", "127.0.0.1.example", "localhost.example", "10.0.0.1", "0.0.0.0"] {
            let refused = ServiceUrl::parse(&format!("http://{host}:80/"));
            assert_eq!(refused, Err(ServiceUrlError::NotEncrypted { host: host.into() }));
        }
    }

    #[test]
    fn refuses_what_is_not_a_base_address() {
        for bad in ["", "wallet.example", "ftp://wallet.example", "file:///etc/passwd", "https://", "unix:/run/x"] {
            assert_eq!(ServiceUrl::parse(bad), Err(ServiceUrlError::NotAnAddress { input: bad.into() }));
        }
        let secret = ServiceUrl::parse("http://me:hunter2@wallet.example").unwrap_err();
        assert_eq!(secret, ServiceUrlError::HoldsCredentials);
        assert_eq!(ServiceUrl::parse("https://wallet.example/?key=1"), Err(ServiceUrlError::HoldsQuery));
        assert_eq!(ServiceUrl::parse("https://wallet.example/#a"), Err(ServiceUrlError::HoldsQuery));
    }
}
