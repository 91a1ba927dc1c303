//! The page, and the headers that fence it in.

use crate::wallet::PaymentRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
/// Base, as a wallet that does not know it is told (docs.base.org, "Connecting to Base").
const BASE_RPC_URL: &str = "https://mainnet.base.org";
const BASE_EXPLORER_URL: &str = "https://basescan.org";

/// The whole page: nothing of a payment is in it.
pub(super) static PAGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(FRAME.replace("/*style*/", STYLE).replace("/*script*/", SCRIPT)));

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
