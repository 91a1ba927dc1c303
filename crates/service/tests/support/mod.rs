//! A service in this process on a real socket, a chain and prices that the test controls. In the test binary `on_postgres` its
//! database is in a PostgreSQL server of the test's own, in every other one it is a SQLite file.
#![allow(dead_code, reason = "each test binary uses its part")]

use aispace_api::{AccountOpened, ErrorAnswer, ErrorCode, OrderAnswer};
use aispace_payments::chain::Nodes;
use aispace_payments::claim::{ClaimError, ClaimProof, ClaimSignature, ClaimSigner, PaymentClaim};
use aispace_payments::price::{PriceError, PriceReport, Source, SourceReading, Verdict};
use aispace_payments::tag::{ClaimSecret, OrderTag, calldata};
use aispace_payments::watch::{FinalityHeads, Head, Reconciliation, SeenPayment, Standing, WatchedBlock};
use aispace_payments::{BlockHash, EthAddress, TransactionHash};
use aispace_service::{ChainReadError, ChainReader, Config, Database, OperatorToken, PriceReader, Running, ServiceClock, Store, serve};
use aispace_test_postgres::{NOT_DURABLE, PostgresServer, tool};
use aispace_units::{EthUsdPrice, Wei};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const OPERATOR: &str = "operator-token-of-the-tests";
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Whether this is the test binary whose services keep everything in PostgreSQL.
pub const ON_POSTGRES: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"on_postgres");

pub fn start_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("time")
}

/// Blocks that the test mines.
pub struct FakeChain {
    inner: Mutex<Blocks>,
}

struct Blocks {
    blocks: Vec<WatchedBlock>,
    mempool: Vec<SeenPayment>,
    salt: u8,
    counter: u64,
    down: bool,
    /// The newest safe and the newest final block.
    finality: (u64, u64),
    /// What the feed says of every block.
    block_price: Option<EthUsdPrice>,
    /// What of the next block no payment explains.
    unexplained: u128,
    /// Contracts that vouch for every signature.
    vouching: Vec<EthAddress>,
}

fn block_hash(number: u64, salt: u8) -> BlockHash {
    let mut bytes = [salt; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    BlockHash::from_bytes(bytes)
}

impl FakeChain {
    pub fn new() -> Arc<Self> {
        let chain = Self {
            inner: Mutex::new(Blocks {
                blocks: vec![],
                mempool: vec![],
                salt: 1,
                counter: 0,
                down: false,
                finality: (0, 0),
                block_price: None,
                unexplained: 0,
                vouching: vec![],
            }),
        };
        chain.mine(start_time());
        Arc::new(chain)
    }

    pub fn mine(&self, at: DateTime<Utc>) -> u64 {
        let mut inner = self.inner.lock().expect("lock");
        let number = u64::try_from(inner.blocks.len()).expect("small");
        let parent_hash = inner.blocks.last().map_or(block_hash(u64::MAX, 0), |b| b.hash);
        let mut payments = std::mem::take(&mut inner.mempool);
        payments.iter_mut().for_each(|payment| payment.block_time = at);
        let hash = block_hash(number, inner.salt);
        let reconciliation = match std::mem::take(&mut inner.unexplained) {
            0 => Reconciliation::Exact,
            wei => Reconciliation::Surplus { wei: Wei::new(wei) },
        };
        inner.blocks.push(WatchedBlock { number, hash, parent_hash, timestamp: at, payments, reconciliation });
        number
    }

    /// Sends a payment; it is in the next block.
    pub fn pay(&self, tag: OrderTag, wei: u128) -> TransactionHash {
        self.pay_with(calldata(tag), wei)
    }

    /// Sends a payment without a tag.
    pub fn pay_plain(&self, wei: u128) -> TransactionHash {
        self.pay_with(vec![], wei)
    }

    pub fn pay_with(&self, input: Vec<u8>, wei: u128) -> TransactionHash {
        self.pay_from(EthAddress::from_bytes([5; 20]), 0, input, wei)
    }

    /// Sends a payment of somebody's; from position 1 on a contract makes it.
    pub fn pay_from(&self, payer: EthAddress, position: u32, input: Vec<u8>, wei: u128) -> TransactionHash {
        let mut inner = self.inner.lock().expect("lock");
        inner.counter += 1;
        let mut bytes = [0x77; 32];
        bytes[..8].copy_from_slice(&inner.counter.to_be_bytes());
        let hash = TransactionHash::from_bytes(bytes);
        let block_time = start_time();
        inner.mempool.push(SeenPayment { hash, position, payer, tx_from: payer, value: Wei::new(wei), input, block_time });
        hash
    }

    /// Replaces the newest `depth` blocks by as many others that hold the same payments, the first of them
    /// also what was just sent, and adds one more.
    pub fn reorganise(&self, depth: usize) {
        self.reorganise_without(depth, &[]);
    }

    /// The same, and some payments are in none of the new blocks; they come back in the block after [`FakeChain::send_again`].
    pub fn reorganise_without(&self, depth: usize, dropped: &[TransactionHash]) -> Vec<SeenPayment> {
        let mut inner = self.inner.lock().expect("lock");
        inner.salt += 1;
        let keep = inner.blocks.len() - depth;
        let (old_blocks, salt) = (inner.blocks.split_off(keep), inner.salt);
        let mut left_out = Vec::new();
        for mut old in old_blocks {
            let parent_hash = inner.blocks.last().expect("a block").hash;
            old.payments.append(&mut inner.mempool);
            let (out, payments) = old.payments.into_iter().partition(|payment| dropped.contains(&payment.hash));
            left_out.extend::<Vec<SeenPayment>>(out);
            inner.blocks.push(WatchedBlock { hash: block_hash(old.number, salt), parent_hash, payments, ..old });
        }
        drop(inner);
        self.mine(start_time());
        left_out
    }

    /// Puts payments into the next block.
    pub fn send_again(&self, payments: Vec<SeenPayment>) {
        self.inner.lock().expect("lock").mempool.extend(payments);
    }

    /// Mines some empty blocks; answers the newest number.
    pub fn mine_many(&self, count: usize) -> u64 {
        (0..count).map(|_| self.mine(start_time())).last().expect("one at least")
    }

    /// Says up to where blocks are safe and final.
    pub fn set_finality(&self, safe: u64, last: u64) {
        self.inner.lock().expect("lock").finality = (safe, last);
    }

    /// Says what the feed says of every block.
    pub fn set_block_price(&self, price: Option<&str>) {
        self.inner.lock().expect("lock").block_price = price.map(|price| price.parse().expect("price"));
    }

    /// Lets so much arrive in the next block that no payment explains.
    pub fn leave_unexplained(&self, wei: u128) {
        self.inner.lock().expect("lock").unexplained = wei;
    }

    /// Makes an address a contract that vouches for every signature.
    pub fn vouch_as(&self, contract: EthAddress) {
        self.inner.lock().expect("lock").vouching.push(contract);
    }

    /// Starts the chain over: an empty one, shorter than what was read.
    pub fn forget_all_but(&self, blocks: usize) {
        self.inner.lock().expect("lock").blocks.truncate(blocks);
    }

    pub fn set_down(&self, down: bool) {
        self.inner.lock().expect("lock").down = down;
    }

    fn reading<T>(&self, read: impl FnOnce(&Blocks) -> T) -> Result<T, ChainReadError> {
        let inner = self.inner.lock().expect("lock");
        if inner.down { Err(ChainReadError { reason: "the node is down".into() }) } else { Ok(read(&inner)) }
    }
}

#[async_trait]
impl ChainReader for FakeChain {
    async fn head(&self) -> Result<Head, ChainReadError> {
        self.reading(|inner| inner.blocks.last().map(|b| Head { number: b.number, hash: b.hash }).expect("a first block"))
    }

    async fn block(&self, number: u64) -> Result<Option<WatchedBlock>, ChainReadError> {
        self.reading(|inner| inner.blocks.get(usize::try_from(number).expect("small")).cloned())
    }

    async fn finality(&self) -> Result<FinalityHeads, ChainReadError> {
        self.reading(|inner| {
            let newest = inner.blocks.len() - 1;
            let at = |number: u64| {
                let block = &inner.blocks[usize::try_from(number).unwrap_or(newest).min(newest)];
                Head { number: block.number, hash: block.hash }
            };
            FinalityHeads { head: at(u64::MAX), safe: at(inner.finality.0), finalized: at(inner.finality.1) }
        })
    }

    async fn canonical(&self, number: u64, hash: BlockHash) -> Result<Standing, ChainReadError> {
        self.reading(|inner| match inner.blocks.get(usize::try_from(number).expect("small")) {
            None => Standing::Unknown,
            Some(block) if block.hash == hash => Standing::Canonical,
            Some(_) => Standing::Replaced,
        })
    }

    async fn price_at(&self, _: u64) -> Result<EthUsdPrice, ChainReadError> {
        self.reading(|inner| inner.block_price)?.ok_or(ChainReadError { reason: "there is no feed".into() })
    }

    async fn verify_claim(
        &self,
        claim: &PaymentClaim,
        signature: &ClaimSignature,
        payer: EthAddress,
        now: DateTime<Utc>,
    ) -> Result<ClaimProof, ClaimError> {
        if self.inner.lock().expect("lock").vouching.contains(&payer) {
            return Ok(ClaimProof { payer, signed_by: ClaimSigner::Contract });
        }
        // Of a key's signature no node is asked; of anything else nobody answers.
        aispace_payments::install_crypto_provider();
        let nobody = Nodes::new(&["http://127.0.0.1:9".to_owned()]).expect("an address");
        claim.verify(signature, payer, &nobody, now).await
    }
}

/// A price that the test sets; `None` is a refusal.
pub struct FakePrices(Mutex<Option<EthUsdPrice>>);

impl FakePrices {
    pub fn set(&self, price: Option<&str>) {
        *self.0.lock().expect("lock") = price.map(|p| p.parse().expect("price"));
    }
}

#[async_trait]
impl PriceReader for FakePrices {
    async fn price(&self) -> Result<PriceReport, PriceError> {
        let reading = |source: Source, price, verdict| SourceReading {
            source,
            name: source.name(),
            price,
            age_seconds: Some(1),
            verdict,
            reason: (verdict == Verdict::Silent).then(|| "no answer before the deadline".to_string()),
        };
        match *self.0.lock().expect("lock") {
            Some(usd_per_eth) => Ok(PriceReport {
                usd_per_eth,
                at: start_time(),
                sources: vec![reading(Source::Coinbase, Some(usd_per_eth), Verdict::Used), reading(Source::Kraken, None, Verdict::Silent)],
            }),
            None => Err(PriceError::TooFewSources {
                answered: 0,
                asked: 1,
                needed: 3,
                missing: vec![Source::Kraken],
                readings: vec![reading(Source::Kraken, None, Verdict::Silent)],
            }),
        }
    }
}

/// A running service with its outside world.
pub struct World {
    pub running: Option<Running>,
    pub chain: Arc<FakeChain>,
    pub prices: Arc<FakePrices>,
    pub clock: Arc<ServiceClock>,
    /// Where a file is kept, and whatever else a test writes.
    pub directory: tempfile::TempDir,
    pub database: Database,
    pub server: Option<PostgresServer>,
}

impl World {
    pub async fn start() -> Self {
        let mut world = Self::prepared();
        world.restart().await;
        world
    }

    /// Everything but the service.
    pub fn prepared() -> Self {
        let clock = Arc::new(ServiceClock::for_tests());
        clock.set(Some(start_time()));
        // No test that uses it pulls the machine's plug.
        let server = ON_POSTGRES.then(|| PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts"));
        let directory = tempfile::tempdir().expect("a directory");
        let mut world = Self {
            running: None,
            chain: FakeChain::new(),
            prices: Arc::new(FakePrices(Mutex::new(Some("2500".parse().expect("price"))))),
            clock,
            database: Database::Sqlite(directory.path().join("service.db")),
            directory,
            server,
        };
        if ON_POSTGRES {
            world.database = world.another_database("service");
        }
        world
    }

    /// A database that nobody uses yet.
    pub fn another_database(&self, name: &str) -> Database {
        match &self.server {
            Some(server) => server.fresh_database().expect("a database").parse().expect("an address"),
            None => Database::Sqlite(self.file(name)),
        }
    }

    /// The path of a SQLite file in the test's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.db"))
    }

    pub fn config(&self, database: impl Into<Database>, clock: Arc<ServiceClock>) -> Config {
        Config {
            listen: "127.0.0.1:0".parse().expect("address"),
            database: database.into(),
            operator_token: OperatorToken::new(OPERATOR),
            clock,
            chain: self.chain.clone(),
            prices: self.prices.clone(),
            poll: Duration::from_millis(10),
            large_payment: "10000".parse().expect("dollars"),
            card: None,
            limits: aispace_service::limit::LimitConfig::default(),
            metrics_listen: None,
        }
    }

    /// Stops the service if it runs, and starts it on the same database.
    pub async fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        self.running = Some(self.second().await);
    }

    /// One more service on the same database, which only PostgreSQL lets run beside the first.
    pub async fn second(&self) -> Running {
        serve(self.config(self.database.clone(), self.clock.clone())).await.expect("the service starts")
    }

    /// Everything that the database holds, as it is written on the disk or as PostgreSQL tells it.
    pub fn stored(&self) -> Vec<u8> {
        let Database::Postgres(url) = &self.database else {
            let files = std::fs::read_dir(self.directory.path()).expect("listed");
            return files.flat_map(|file| std::fs::read(file.expect("file").path()).expect("read")).collect();
        };
        let mut dump = std::process::Command::new(tool("pg_dump").expect("installed"));
        let output = dump.arg(url.expose()).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// A copy of the database of a service that has stopped.
    pub fn copied_database(&self, name: &str) -> Database {
        match (&self.database, &self.server) {
            (Database::Postgres(url), Some(server)) => server.copied_database(url.expose()).expect("a copy").parse().expect("an address"),
            (Database::Sqlite(path), _) => {
                std::fs::copy(path, self.file(name)).expect("copied");
                Database::Sqlite(self.file(name))
            }
            (Database::Postgres(_), None) => unreachable!("the server is there as long as its database"),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("running").address()
    }

    pub fn set_time(&self, after_start: TimeDelta) {
        self.clock.set(Some(start_time() + after_start));
    }

    pub async fn send(&self, request: Request) -> Reply {
        request.send(self.address()).await
    }

    pub async fn account(&self) -> (String, String) {
        let opened: AccountOpened = self.send(post("/v1/accounts", json!({"label": "test"})).operator()).await.ok(201);
        (opened.account_id, opened.secure_key.into_exposed())
    }

    pub async fn grant(&self, account: &str, key: &str, credits: &str) -> Reply {
        self.send(post("/v1/grants", json!({"account_id": account, "credits": credits})).operator().key(key)).await
    }

    pub async fn debit(&self, account: &str, key: &str, credits: &str) -> Reply {
        self.send(post("/v1/debits", json!({"account_id": account, "credits": credits})).operator().key(key)).await
    }

    pub async fn order(&self, secret: u8, usd: &str) -> OrderAnswer {
        self.send(post("/v1/orders", order_body(secret, usd)).key("k")).await.ok(201)
    }

    pub async fn shown(&self, order_id: &str) -> OrderAnswer {
        self.send(get(&format!("/v1/orders/{order_id}"))).await.ok(200)
    }

    pub async fn claim(&self, order_id: &str, secret: u8, acknowledge: bool) -> Reply {
        let body = json!({"secret": secret_hex(secret), "acknowledge": acknowledge});
        self.send(post(&format!("/v1/orders/{order_id}/claim"), body)).await
    }

    /// Waits until an order is as wanted.
    pub async fn until(&self, order_id: &str, wanted: impl Fn(&OrderAnswer) -> bool) -> OrderAnswer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let order = self.shown(order_id).await;
            if wanted(&order) {
                return order;
            }
            assert!(Instant::now() < deadline, "the order stayed {order:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the watcher has read a block.
    pub async fn until_scanned(&self, number: u64) {
        self.until_health(|health| health["scanned_block"].as_u64() >= Some(number)).await;
    }

    pub async fn until_health(&self, wanted: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let health: Value = self.send(get("/v1/health")).await.ok(200);
            if wanted(&health) {
                return;
            }
            assert!(Instant::now() < deadline, "health stayed {health}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops the service and proves every account's log.
    pub async fn stop_and_verify(mut self) -> usize {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        let store = Store::open(&self.database).await.expect("opens");
        let accounts = store.verify().await.expect("every account holds");
        store.close().await;
        accounts
    }
}

/// Runs statements behind the service's back.
pub async fn tamper(database: &Database, statements: &'static str) {
    match database {
        Database::Sqlite(path) => {
            let mut db = SqliteConnectOptions::new().filename(path).connect().await.expect("opens");
            sqlx::raw_sql(statements).execute(&mut db).await.expect("tampered with");
            db.close().await.expect("closed");
        }
        Database::Postgres(url) => {
            let mut db = PgConnection::connect(url.expose()).await.expect("connects");
            sqlx::raw_sql(statements).execute(&mut db).await.expect("tampered with");
            db.close().await.expect("closed");
        }
    }
}

pub fn secret(byte: u8) -> ClaimSecret {
    ClaimSecret::from_bytes([byte; 32])
}

pub fn secret_hex(byte: u8) -> String {
    secret(byte).expose_hex().to_string()
}

pub fn order_body(secret_byte: u8, usd: &str) -> Value {
    json!({"usd": usd, "method": "eth", "tag": secret(secret_byte).tag().to_string()})
}

/// A request of the tests' own small client: one connection each.
#[derive(Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

pub fn get(path: &str) -> Request {
    Request { method: "GET".into(), path: path.into(), headers: vec![], body: None }
}

pub fn post(path: &str, body: Value) -> Request {
    Request { method: "POST".into(), path: path.into(), headers: vec![], body: Some(body.to_string()) }
}

impl Request {
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.into();
        self
    }

    pub fn raw(mut self, body: &str) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn operator(self) -> Self {
        self.bearer(OPERATOR)
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub async fn send(self, address: SocketAddr) -> Reply {
        let body = self.body.unwrap_or_default();
        let mut text = format!("{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", self.method, self.path);
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        text += &body;
        let exchange = async {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            stream.write_all(text.as_bytes()).await.expect("sends");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("answers");
            String::from_utf8(answer).expect("text")
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_string() }
    }
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// The same answer: heads differ by the call's id and the time.
impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.body) == (other.status, &other.body)
    }
}

impl Reply {
    pub fn ok<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// Checks a refusal: status, code, and that it is the documented shape with a message for people.
    pub fn refused(&self, status: u16, code: ErrorCode) -> ErrorAnswer {
        let answer: ErrorAnswer = self.ok(status);
        assert_eq!(answer.code, code, "{}", self.body);
        assert!(!answer.message.is_empty());
        assert!(self.head.contains("content-type: application/json"), "{}", self.head);
        answer
    }
}
