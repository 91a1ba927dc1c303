//! `GET /v1/account` over HTTP, from an account with few entries and from one with a million, in turn.

use crate::figures::{Run, head, line, quantile};
use aispace_ledger::{Account, AccountId, BatchId, BatchSource, NewBatch, Posted};
use aispace_service::{ChainReadError, ChainReader, Config, OperatorToken, PriceReader, Running, ServiceClock, serve};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TOKEN: &str = "the-token-of-the-benchmark";
const FEW: usize = 100;
const MANY: usize = 1_000_000;
const LIVE: usize = 30;
/// More than an answer shows, in both.
const ENDED: usize = 60;

pub async fn run(span: Duration) {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("service.db");
    let running = start(&file).await;
    let (few, many) = (open(running.address()).await, open(running.address()).await);
    running.stop().await;
    fill(&file, &few.0, FEW);
    fill(&file, &many.0, MANY);
    let running = start(&file).await;
    let mut client = TcpStream::connect(running.address()).await.expect("connects");
    let (mut short, mut long) = (Run::default(), Run::default());
    let began = Instant::now();
    let mut turns = 0;
    while began.elapsed() < span.saturating_mul(5) {
        for (key, run) in [(&few.1, &mut short), (&many.1, &mut long)] {
            let at = Instant::now();
            let answer = ask(&mut client, &format!("GET /v1/account HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n")).await;
            let took = at.elapsed().as_secs_f64();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            // The first hundred only warm.
            if turns >= 100 {
                run.latencies.push(took * 1e6);
                run.seconds += took;
            }
        }
        turns += 1;
    }
    running.stop().await;
    head();
    line(&format!("{FEW} entries"), &short);
    line(&format!("{MANY} entries"), &long);
    println!("\n| ratio | figure |\n|---|---:|");
    println!("| many to few, median | {:.2} |", quantile(&long.latencies, 0.5) / quantile(&short.latencies, 0.5));
}

/// Account id and Secure Key.
async fn open(address: SocketAddr) -> (String, String) {
    let mut client = TcpStream::connect(address).await.expect("connects");
    let head = "POST /v1/accounts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n";
    let answer = ask(&mut client, &format!("{head}authorization: Bearer {TOKEN}\r\n\r\n{{}}")).await;
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let opened: serde_json::Value = serde_json::from_str(body).expect("an account");
    let text = |field: &str| opened[field].as_str().expect("a text").to_owned();
    (text("account_id"), text("secure_key"))
}

/// One request on a connection that stays.
async fn ask(client: &mut TcpStream, request: &str) -> String {
    client.write_all(request.as_bytes()).await.expect("sent");
    let (mut answer, mut part) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let read = client.read(&mut part).await.expect("answers");
        assert!(read > 0, "the connection ended");
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.and_then(|length| length.parse().ok()).expect("a length") {
                return text.into_owned();
            }
        }
    }
}

async fn start(file: &Path) -> Running {
    let config = Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        database: file.into(),
        operator_token: OperatorToken::new(TOKEN),
        clock: Arc::new(ServiceClock::system()),
        chain: Arc::new(Nothing),
        prices: Arc::new(Nothing),
        poll: Duration::from_secs(600),
        large_payment: "10000".parse().expect("dollars"),
        card: None,
        limits: aispace_service::limit::LimitConfig::default(),
        metrics_listen: None,
    };
    serve(config).await.expect("starts")
}

/// No chain and no price: neither is asked for here.
struct Nothing;

#[async_trait]
impl ChainReader for Nothing {
    async fn head(&self) -> Result<aispace_payments::watch::Head, ChainReadError> {
        Err(ChainReadError { reason: "there is none".into() })
    }

    async fn block(&self, _: u64) -> Result<Option<aispace_payments::watch::WatchedBlock>, ChainReadError> {
        Err(ChainReadError { reason: "there is none".into() })
    }

    async fn finality(&self) -> Result<aispace_payments::watch::FinalityHeads, ChainReadError> {
        Err(ChainReadError { reason: "there is none".into() })
    }

    async fn canonical(&self, _: u64, _: aispace_payments::BlockHash) -> Result<aispace_payments::watch::Standing, ChainReadError> {
        Err(ChainReadError { reason: "there is none".into() })
    }

    async fn price_at(&self, _: u64) -> Result<aispace_units::EthUsdPrice, ChainReadError> {
        Err(ChainReadError { reason: "there is none".into() })
    }

    async fn verify_claim(
        &self,
        _: &aispace_payments::claim::PaymentClaim,
        _: &aispace_payments::claim::ClaimSignature,
        payer: aispace_payments::EthAddress,
        _: DateTime<Utc>,
    ) -> Result<aispace_payments::claim::ClaimProof, aispace_payments::claim::ClaimError> {
        Err(aispace_payments::claim::ClaimError::NotThePayer { payer })
    }
}

#[async_trait]
impl PriceReader for Nothing {
    async fn price(&self) -> Result<aispace_payments::price::PriceReport, aispace_payments::price::PriceError> {
        Err(aispace_payments::price::PriceError::TooFewSources { answered: 0, asked: 0, needed: 1, missing: vec![], readings: vec![] })
    }
}

/// Posts by the ledger itself, and writes in one transaction.
fn fill(file: &Path, id: &str, entries: usize) {
    let mut db = Connection::open(file).expect("opens");
    let tx = db.transaction().expect("begun");
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    let start = now - TimeDelta::days(20);
    let (mut account, mut posted) = (Account::open(AccountId::new(id)), Posted::new());
    let post = |account: &Account, posted: &Posted| {
        for entry in &posted.entries {
            let (body, sequence) = (serde_json::to_string(&entry.kind).expect("written"), entry.sequence as i64);
            let sql = "INSERT INTO entries (account_id, sequence, at_ms, body, previous_hash, hash, kind) VALUES (?, ?, ?, ?, ?, ?, 'x')";
            let row = params![id, sequence, entry.at.timestamp_millis(), body, entry.previous.as_bytes(), entry.hash.as_bytes()];
            tx.prepare_cached(sql).expect("prepared").execute(row).expect("written");
        }
        for batch in &posted.changed {
            let sql = "INSERT INTO batches (account_id, batch_id, seq, source, added_ms, expires_ms, granted, left_over, lapsed)
                       VALUES (?, ?, ?, 'grant', ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET left_over = excluded.left_over, lapsed = excluded.lapsed";
            let (added, expires) = (batch.added.timestamp_millis(), batch.expires.timestamp_millis());
            let row = params![
                id,
                batch.id.as_str(),
                batch.seq as i64,
                added,
                expires,
                batch.granted.nanos(),
                batch.left.nanos(),
                batch.lapsed.nanos()
            ];
            tx.prepare_cached(sql).expect("prepared").execute(row).expect("written");
        }
        account.head()
    };
    let mut head = account.head();
    for n in 0..ENDED + LIVE {
        let expires = Some(if n < ENDED { start + TimeDelta::hours(1) } else { now + TimeDelta::days(5) });
        let amount = "1000".parse().expect("an amount");
        let batch = NewBatch { id: BatchId::new(format!("ba_{n:032}")), source: BatchSource::Grant, note: None, amount, expires };
        account.post_grant(start, batch, &mut posted).expect("granted");
        head = post(&account, &posted);
    }
    let least = "0.000000001".parse().expect("an amount");
    while (head.entry_count as usize) < entries {
        account.post_debit(start + TimeDelta::hours(2), least, None, &mut posted).expect("drawn");
        head = post(&account, &posted);
    }
    let sql = "UPDATE accounts SET entry_count = ?, last_hash = ?, latest_ms = ? WHERE account_id = ?";
    let row = params![head.entry_count as i64, head.last_hash.as_bytes(), head.latest.map(|at| at.timestamp_millis()), id];
    tx.execute(sql, row).expect("written");
    tx.commit().expect("committed");
}
