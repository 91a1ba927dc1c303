//! Wallets outside the app: one behind the browser's page, and accounts that pay by hand.

use crate::world::{App, LIMIT, PAYMENT_ADDRESS, World};
use aispace_testkit::{chain::quantity, process::until};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An account of the node's own that pays; not the one that the faucet pays from.
pub const PAYER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// Another one.
pub const ANOTHER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

/// The page in a browser, as its script would act.
pub struct Page {
    origin: String,
    key: String,
}

impl Page {
    /// Opens the page at the address that the app wanted opened.
    pub async fn open(url: &str) -> Self {
        let (origin, token) = url.split_once("/#").expect("an address with a token");
        let answer = call(origin, "/open", token, json!({})).await;
        let key = answer["key"].as_str().unwrap_or_else(|| panic!("{answer}")).to_string();
        Self { origin: origin.into(), key }
    }

    /// Opens the page that the app has opened last.
    pub async fn of(app: &App) -> Self {
        let url = until("a page", LIMIT, async || Ok(app.opener.all().pop())).await.expect("a page");
        Self::open(&url).await
    }

    /// Chooses the wallet and asks it; answers what it would sign.
    pub async fn ask(&self) -> (Value, Value) {
        self.call("/wallet", wallet()).await;
        let asked = self.call("/ask", wallet()).await;
        (asked["ask"].clone(), asked["transaction"].clone())
    }

    pub async fn reject(&self, ask: &Value) {
        self.call("/unasked", json!({"ask": ask, "why": "rejected"})).await;
    }

    pub async fn answer(&self, ask: &Value, hash: &str) {
        self.call("/answer", json!({"ask": ask, "hash": hash})).await;
    }

    async fn call(&self, path: &str, body: Value) -> Value {
        call(&self.origin, path, &self.key, body).await
    }
}

fn wallet() -> Value {
    json!({"name": "Test Wallet", "account": PAYER.to_lowercase()})
}

async fn call(origin: &str, path: &str, secret: &str, body: Value) -> Value {
    let host = origin.strip_prefix("http://").expect("http");
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nX-Bridge-Token: {secret}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.expect("the page's server");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{path}: {answer}"))
}

impl World {
    /// A wallet of the node's own signs and sends what it was asked; answers the hash.
    pub async fn send(&self, transaction: &Value) -> String {
        let mut transaction = transaction.clone();
        transaction.as_object_mut().expect("a transaction").remove("chainId");
        let hash = self.sandbox.chain.rpc("eth_sendTransaction", json!([transaction])).await.expect("it is sent");
        hash.as_str().expect("a hash").to_string()
    }

    /// Pays without any data, as a wallet that was shown an address and an amount.
    pub async fn pay_plainly(&self, from: &str, wei: u128) -> String {
        self.send(&json!({"from": from, "to": PAYMENT_ADDRESS, "value": quantity(wei)})).await
    }

    pub async fn until_mined(&self, hash: &str) {
        let receipt = async || {
            let receipt = self.sandbox.chain.rpc("eth_getTransactionReceipt", json!([hash])).await?;
            Ok((!receipt.is_null()).then_some(()))
        };
        until("a block", LIMIT, receipt).await.expect("it is mined");
    }
}

/// Ether as wei.
pub fn wei(eth: &str) -> u128 {
    let (whole, fraction) = eth.split_once('.').unwrap_or((eth, ""));
    format!("{whole}{fraction:0<18}").parse().expect("an amount")
}
