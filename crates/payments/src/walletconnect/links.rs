//! Links that open a phone's or a computer's wallet with a pairing URI.

/// Name and link of each wallet that takes a pairing URI by a link of its own. The URI is a secret of this pairing: it goes to the wallet that the person chooses, and nowhere else.
#[must_use]
pub fn wallet_links(pairing_uri: &str) -> Vec<(&'static str, String)> {
    let uri = encoded(pairing_uri);
    vec![
        ("MetaMask", format!("https://metamask.app.link/wc?uri={uri}")),
        ("Rainbow", format!("https://rnbwapp.com/wc?uri={uri}")),
        ("Trust Wallet", format!("trust://wc?uri={uri}")),
        ("Ledger Live", format!("ledgerlive://wc?uri={uri}")),
    ]
}

/// RFC 3986: everything but unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Url;

    #[test]
    fn a_wallet_reads_back_the_very_uri() {
        let uri = "wc:7f6e504b@2?relay-protocol=irn&symKey=587d5484&expiryTimestamp=1705667684";
        let links = wallet_links(uri);
        assert_eq!(links.len(), 4);
        for (name, link) in links {
            let parsed = Url::parse(&link).unwrap();
            let pairs: Vec<_> = parsed.query_pairs().collect();
            assert_eq!(pairs, [("uri".into(), uri.into())], "{name}");
            assert!(parsed.fragment().is_none());
        }
    }
}
