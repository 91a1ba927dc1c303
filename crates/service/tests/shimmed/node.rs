//! A node of Base of a few blocks, for a service that runs as a process.

use aispace_payments::EthAddress;
use aispace_payments::tag::{OrderTag, calldata};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TRANSACTION: &str = "0x7777777777777777777777777777777777777777777777777777777777777777";

/// One block that is there, and one on top of it with a payment that comes when it is mined.
pub struct Node {
    url: String,
    chain: Arc<Blocks>,
    server: tokio::task::JoinHandle<()>,
}

struct Blocks {
    head: AtomicU64,
    /// The block with the payment is another one, without it.
    reorganised: AtomicBool,
    first: u64,
    first_hash: String,
    timestamp: i64,
    tag: OrderTag,
    wei: u128,
}

impl Node {
    pub async fn start(first: (u64, String), timestamp: i64, tag: OrderTag, wei: u128) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let chain = Arc::new(Blocks {
            head: AtomicU64::new(first.0),
            reorganised: AtomicBool::new(false),
            first: first.0,
            first_hash: first.1,
            timestamp,
            tag,
            wei,
        });
        let answering = chain.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let chain = answering.clone();
                tokio::spawn(async move { chain.talk(stream).await });
            }
        });
        Self { url, chain, server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Replaces the block with the payment, and adds some.
    pub fn reorganise(&self, reorganised: bool) {
        self.chain.reorganised.store(reorganised, Ordering::SeqCst);
        self.chain.head.store(self.chain.first + if reorganised { 8 } else { 1 }, Ordering::SeqCst);
    }

    /// Adds or takes away the block with the payment.
    pub fn mine(&self, mined: bool) {
        self.chain.head.store(self.chain.first + u64::from(mined), Ordering::SeqCst);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Blocks {
    /// One request, one answer, and the connection ends.
    async fn talk(&self, mut stream: TcpStream) -> Option<()> {
        let (mut request, mut piece) = (Vec::new(), [0; 4096]);
        let body = loop {
            let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
            request.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.to_ascii_lowercase().split("content-length: ").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
            if body.len() >= length {
                break body.to_owned();
            }
        };
        let asked: Value = serde_json::from_str(&body).ok()?;
        let result = self.answer(asked["method"].as_str()?, &asked["params"]);
        let body = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.ok()
    }

    fn answer(&self, method: &str, params: &Value) -> Value {
        let head = self.head.load(Ordering::SeqCst);
        match method {
            "eth_chainId" => json!("0x2105"),
            "eth_blockNumber" => json!(hex(head)),
            "eth_getBlockByNumber" => {
                let asked = match params[0].as_str() {
                    Some("safe" | "finalized") => Some(self.first),
                    number => number.and_then(|n| u64::from_str_radix(n.trim_start_matches("0x"), 16).ok()),
                };
                self.block(asked.unwrap_or(head), head, params[1] == true)
            }
            "eth_getBlockByHash" => {
                let number = (self.first..=head).find(|number| params[0].as_str() == Some(&self.hash(*number)));
                number.map_or(Value::Null, |number| self.block(number, head, params[1] == true))
            }
            "eth_getBalance" => {
                let after = (self.first + 1..=head).any(|number| params[1]["blockHash"].as_str() == Some(&self.hash(number)));
                json!(format!("0x{:x}", if after && !self.is_reorganised() { self.wei } else { 0 }))
            }
            "eth_getTransactionCount" => json!("0x0"),
            "eth_getCode" => json!("0x"),
            "eth_getTransactionReceipt" if head > self.first && !self.is_reorganised() => self.receipt(),
            _ => Value::Null,
        }
    }

    fn is_reorganised(&self) -> bool {
        self.reorganised.load(Ordering::SeqCst)
    }

    fn hash(&self, number: u64) -> String {
        let salt = if self.is_reorganised() { 0xBCDE } else { 0xABCD };
        if number == self.first { self.first_hash.clone() } else { format!("0x{:064x}", number + salt) }
    }

    fn block(&self, number: u64, head: u64, full: bool) -> Value {
        if number > head {
            return Value::Null;
        }
        let zero = |bytes: usize| format!("0x{}", "00".repeat(bytes));
        let pays = number == self.first + 1 && !self.is_reorganised();
        let transactions = match (pays, full) {
            (true, true) => json!([self.transaction()]),
            (true, false) => json!([TRANSACTION]),
            (false, _) => json!([]),
        };
        json!({
            "hash": self.hash(number), "parentHash": self.hash(number.saturating_sub(1)), "sha3Uncles": zero(32), "miner": zero(20),
            "stateRoot": zero(32), "transactionsRoot": zero(32), "receiptsRoot": zero(32), "logsBloom": zero(256), "difficulty": "0x0",
            "number": hex(number), "gasLimit": "0x1c9c380", "gasUsed": "0x0", "timestamp": format!("0x{:x}", self.timestamp),
            "extraData": "0x", "mixHash": zero(32), "nonce": zero(8), "baseFeePerGas": "0x7", "uncles": [], "transactions": transactions,
        })
    }

    fn transaction(&self) -> Value {
        let input: String = calldata(self.tag).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({
            "type": "0x2", "hash": TRANSACTION, "chainId": "0x2105", "nonce": "0x0", "gas": "0x7530", "maxFeePerGas": "0x7",
            "maxPriorityFeePerGas": "0x0", "gasPrice": "0x7", "accessList": [], "value": format!("0x{:x}", self.wei),
            "input": format!("0x{input}"), "to": aispace_payments::payment_address().to_string(),
            "from": EthAddress::from_bytes([5; 20]).to_string(), "r": "0x1", "s": "0x1", "v": "0x0", "yParity": "0x0",
            "blockHash": self.hash(self.first + 1), "blockNumber": hex(self.first + 1), "transactionIndex": "0x0",
        })
    }

    fn receipt(&self) -> Value {
        let zeros = |bytes: usize| format!("0x{}", "00".repeat(bytes));
        json!({
            "type": "0x2", "status": "0x1", "transactionHash": TRANSACTION, "transactionIndex": "0x0", "blockHash": self.hash(self.first + 1),
            "blockNumber": hex(self.first + 1), "from": EthAddress::from_bytes([5; 20]).to_string(),
            "to": aispace_payments::payment_address().to_string(), "cumulativeGasUsed": "0x5208", "gasUsed": "0x5208",
            "effectiveGasPrice": "0x7", "contractAddress": null, "logs": [], "logsBloom": zeros(256),
        })
    }
}

fn hex(number: u64) -> String {
    format!("0x{number:x}")
}
