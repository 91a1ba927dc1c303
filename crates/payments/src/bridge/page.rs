//! The page, and the headers that fence it in.

use super::PageLanguage;
use crate::wallet::PaymentRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::LazyLock};

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
/// Base, as a wallet that does not know it is told (docs.base.org, "Connecting to Base").
const BASE_RPC_URL: &str = "https://mainnet.base.org";
const BASE_EXPLORER_URL: &str = "https://basescan.org";

const ENGLISH: &str = include_str!("../../../../ui/messages/en/bridge.json");
const CHINESE: &str = include_str!("../../../../ui/messages/zh-Hans/bridge.json");
/// Messages that the script says; the others stand in the frame.
const SAID: &str = "bridge_say_";

static IN_ENGLISH: LazyLock<Bytes> = LazyLock::new(|| written(ENGLISH));
static IN_CHINESE: LazyLock<Bytes> = LazyLock::new(|| written(CHINESE));

/// The whole page: nothing of a payment is in it.
pub(super) fn page(language: PageLanguage) -> Bytes {
    match language {
        PageLanguage::English => IN_ENGLISH.clone(),
        PageLanguage::ChineseSimplified => IN_CHINESE.clone(),
    }
}

/// The frame with the messages of a language in it, each in the place of its key in two braces.
fn written(messages: &str) -> Bytes {
    let messages: BTreeMap<String, String> = serde_json::from_str(messages).unwrap_or_default();
    let framed = messages.iter().fold(FRAME.to_owned(), |page, (key, text)| page.replace(&format!("{{{{{key}}}}}"), &html(text)));
    let said: BTreeMap<&str, &String> = messages.iter().filter_map(|(key, text)| Some((key.strip_prefix(SAID)?, text))).collect();
    // In JSON both stand in strings only, and without them all of it is text of the element.
    let said = json!(said).to_string().replace('<', "\\u003c").replace('&', "\\u0026");
    Bytes::from(framed.replace("/*words*/", &said).replace("/*style*/", STYLE).replace("/*script*/", SCRIPT))
}

/// A message as it stands in the frame: what it names in braces is filled in by the script.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    escaped.replace('{', "<bdi data-slot=\"").replace('}', "\"></bdi>")
}

/// Runs the page's own script and style and nothing else, talks to this server only, and cannot be framed.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// What every answer says, refusals included.
pub(super) fn headers() -> [(&'static str, &'static str); 9] {
    [
        ("content-security-policy", POLICY.as_str()),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ("x-robots-tag", "none"),
    ]
}

/// Base as `wallet_addEthereumChain` takes it (EIP-3085).
pub(super) fn chain(payment: &PaymentRequest) -> Value {
    json!({
        "chainId": format!("{:#x}", payment.chain_id()),
        "chainName": "Base",
        "rpcUrls": [BASE_RPC_URL],
        "nativeCurrency": {"name": "Ether", "symbol": "ETH", "decimals": 18},
        "blockExplorerUrls": [BASE_EXPLORER_URL],
    })
}

/// The payment as `eth_sendTransaction` takes it. The chain's id stands in it too: a wallet that went elsewhere meanwhile refuses.
pub(super) fn transaction(payment: &PaymentRequest, from: crate::EthAddress) -> Value {
    json!({
        "from": from.to_string(),
        "to": payment.to().to_string(),
        "value": format!("{:#x}", payment.value().get()),
        "data": format!("0x{}", hex::encode(payment.input())),
        "chainId": format!("{:#x}", payment.chain_id()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pages_have_all_their_words() {
        let pages =
            [PageLanguage::English, PageLanguage::ChineseSimplified].map(|language| String::from_utf8(page(language).to_vec()).unwrap());
        for page in &pages {
            for place in ["{{", "/*words*/", "/*style*/", "/*script*/"] {
                assert!(!page.contains(place), "{place} is empty");
            }
        }
        let [english, chinese] = &pages;
        assert!(english.contains("<html lang=\"en\">") && chinese.contains("<html lang=\"zh-Hans\">"));
        for sign in ["<", "data-slot=\"wallet\"", "data-slot=\"credits\"", "data-view="] {
            assert_eq!(english.matches(sign).count(), chinese.matches(sign).count(), "{sign}");
        }
        let read = |file: &str| serde_json::from_str::<BTreeMap<String, String>>(file).unwrap();
        let (english, chinese) = (read(ENGLISH), read(CHINESE));
        assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
        for (key, text) in english.iter().filter(|(key, _)| key.starts_with(SAID)) {
            let named = |text: &str| {
                text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(named(text), named(&chinese[key]), "{key}");
            assert!(SCRIPT.contains(&format!("\"{}\"", &key[SAID.len()..])), "{key} is never said");
        }
    }

    #[test]
    fn a_message_is_text_and_what_it_names_a_place() {
        assert_eq!(html("Ask {wallet} <now> & \"then\""), "Ask <bdi data-slot=\"wallet\"></bdi> &lt;now&gt; &amp; &quot;then&quot;");
    }
}
