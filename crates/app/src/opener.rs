//! Opening addresses outside the app: in the browser, in a wallet.

/// Opens an address with whatever this computer opens such addresses with.
pub trait Opener: Send + Sync {
    /// Opens it; does not wait for what was opened.
    ///
    /// # Errors
    /// [`OpenerError`] when nothing opens it.
    fn open(&self, url: &str) -> Result<(), OpenerError>;
}

/// Nothing opened the address. Does not hold it: it may carry a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing on this computer opened it: {reason}")]
pub struct OpenerError {
    /// What the system said.
    pub reason: String,
}

/// Hosts that are opened, always over https.
const HOSTS: &[&str] = &["basescan.org", "checkout.stripe.com", "link.metamask.io", "metamask.app.link", "rnbwapp.com"];
/// Schemes of wallets that open a pairing link themselves.
const WALLET_SCHEMES: &[&str] = &["trust://wc?", "ledgerlive://wc?"];

/// Whether an address is one that the app opens: a known page, the app's own page on this computer, or a wallet's pairing.
pub(crate) fn may_be_opened(url: &str) -> bool {
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !br#""'<>\^`{|}"#.contains(&byte));
    plain && (on_known_host(url) || on_this_computer(url) || WALLET_SCHEMES.iter().any(|scheme| url.starts_with(scheme)))
}

fn on_known_host(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    HOSTS.iter().any(|host| rest.strip_prefix(host).is_some_and(|path| path.starts_with('/')))
}

fn on_this_computer(url: &str) -> bool {
    let Some((port, _)) = url.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')) else { return false };
    port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_addresses_are_opened() {
        for good in [
            "https://basescan.org/tx/0x0f",
            "https://link.metamask.io/send/0xA7@8453?value=1",
            "https://metamask.app.link/wc?uri=wc%3A1",
            "http://127.0.0.1:40123/#token",
            "trust://wc?uri=wc%3A1",
        ] {
            assert!(may_be_opened(good), "{good}");
        }
        for bad in [
            "",
            "http://basescan.org/tx/0x0f",
            "https://basescan.org.example/",
            "https://basescan.org@example.org/",
            "https://basescan.org",
            "https://example.org/",
            "http://127.0.0.1/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:80@example.org/",
            "http://127.0.0.1.example:80/",
            "http://localhost:40123/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "trust://browser?url=x",
            "https://basescan.org/tx/\n--flag",
            "https://basescan.org/`id`",
        ] {
            assert!(!may_be_opened(bad), "{bad}");
        }
    }
}
