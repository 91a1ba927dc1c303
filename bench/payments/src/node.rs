//! Three nodes in a process of their own, with all of a long chain.

use crate::blocks::{Blocks, Kind, hash, number_of, receipt};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const HEAD: u64 = 1_000_000;

/// Serves on three ports, printed on one line, until the process ends. Each answer is held back for the latency.
pub async fn serve(kind: Kind, latency_ms: u64) {
    let blocks = Arc::new(Blocks::new(kind));
    let mut urls = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        urls.push(format!("http://{}", listener.local_addr().expect("an address")));
        let blocks = blocks.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, kind, blocks.clone(), Duration::from_millis(latency_ms)));
            }
        });
    }
    let (one, all) = (blocks.full(1), blocks.hashes(1));
    println!("{} {} {} {}", urls.join(","), one.0.len() + one.1.len(), all.0.len() + all.1.len(), {
        let trace = blocks.trace(1);
        trace.0.len() + trace.1.len()
    });
    std::future::pending::<()>().await;
}

async fn connection(mut stream: TcpStream, kind: Kind, blocks: Arc<Blocks>, latency: Duration) {
    let _ = stream.set_nodelay(true);
    let (mut buffer, mut part) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let (end, length) = loop {
            if let Some(found) = request(&buffer) {
                break found;
            }
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => return,
                Ok(read) => buffer.extend_from_slice(&part[..read]),
            }
        };
        let asked: Value = serde_json::from_slice(&buffer[end..end + length]).expect("a request");
        buffer.drain(..end + length);
        let (own, rest) = answer(&asked, kind, &blocks);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let before = r#"{"jsonrpc":"2.0","id":1,"result":"#;
        let length = before.len() + own.len() + rest.len() + 1;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{before}{own}");
        let sent = async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(rest.as_bytes()).await?;
            stream.write_all(b"}").await
        };
        if sent.await.is_err() {
            return;
        }
    }
}

/// Where the body of a whole request begins and how long it is.
fn request(buffer: &[u8]) -> Option<(usize, usize)> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&buffer[..end]).expect("a head").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().expect("a length");
    (buffer.len() >= end + length).then_some((end, length))
}

fn answer<'a>(asked: &Value, kind: Kind, blocks: &'a Blocks) -> (String, &'a str) {
    let first = asked["params"][0].as_str().unwrap_or_default();
    let at = || number_of(asked["params"][1]["blockHash"].as_str().expect("a block"));
    let small = |text: String| (text, "");
    match asked["method"].as_str().expect("a method") {
        "eth_chainId" => small(r#""0x2105""#.into()),
        "eth_blockNumber" => small(format!(r#""{HEAD:#x}""#)),
        "eth_getBlockByNumber" => {
            let number = if first == "latest" { HEAD } else { u64::from_str_radix(first.trim_start_matches("0x"), 16).expect("a number") };
            if number > HEAD { small("null".into()) } else { blocks.hashes(number) }
        }
        "eth_getBlockByHash" => blocks.full(number_of(first)),
        "eth_getBalance" if kind == Kind::Forgetful => small("null".into()),
        "eth_getBalance" => small(format!(r#""{:#x}""#, kind.balance(at()))),
        "eth_getTransactionCount" => small(r#""0x3""#.into()),
        "eth_getCode" => small(r#""0x""#.into()),
        "eth_getTransactionReceipt" => small(receipt(first)),
        "debug_traceBlockByHash" => blocks.trace(number_of(first)),
        other => panic!("nobody asks for {other}; a block is {}", hash(0, 0)),
    }
}
