//! Sandbox and apps of one flow; each app has a data folder, a keychain and a clock of its own.

use aispace_app::{
    Clipboard, ClipboardError, Clock, Opener, OpenerError, Profile, Setup, Wallet,
    view::{AmountRequest, AmountUnit, AppView, BuyPreviewView, ConnectionState, ErrorView, PayWay, PaymentState, PaymentView, ReviewView},
};
use aispace_keychain::{KeychainError, MemorySecretStore, Secret, SecretName, SecretStore};
use aispace_testkit::{
    chain::{ChainOptions, read_quantity},
    fault::{Fault, FaultProxy},
    sandbox::{Sandbox, SandboxOptions},
};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::runtime::Runtime;

/// Where every payment goes.
pub const PAYMENT_ADDRESS: &str = "0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689";
/// How long anything may take: the longest deadline of the app, a look a second, and a busy machine.
pub const LIMIT: Duration = Duration::from_secs(40);

/// What an app wanted opened outside its window.
#[derive(Default)]
pub struct Opened(Mutex<Vec<String>>);

impl Opened {
    /// Every address, oldest first.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

impl Opener for Opened {
    fn open(&self, url: &str) -> Result<(), OpenerError> {
        self.0.lock().expect("no panic").push(url.into());
        Ok(())
    }
}

/// A clipboard of the test's own.
#[derive(Default)]
pub struct Desk(Mutex<Option<String>>);

impl Clipboard for Desk {
    fn put(&self, text: &str) -> Result<(), ClipboardError> {
        *self.0.lock().expect("no panic") = Some(text.into());
        Ok(())
    }

    fn text(&self) -> Result<Option<String>, ClipboardError> {
        Ok(self.0.lock().expect("no panic").clone())
    }

    fn clear(&self) -> Result<(), ClipboardError> {
        *self.0.lock().expect("no panic") = None;
        Ok(())
    }
}

/// Everything around the apps; it ends when dropped.
pub struct World {
    pub sandbox: Sandbox,
    /// What the apps believe to be the service.
    pub service: FaultProxy,
    folder: tempfile::TempDir,
}

/// An app that runs until it is closed or dropped.
pub struct App {
    pub wallet: Wallet,
    pub keychain: Arc<Keychain>,
    pub opener: Arc<Opened>,
    pub clipboard: Arc<Desk>,
    pub clock: Arc<TestClock>,
    pub data: PathBuf,
    // What goes on by itself ends with this.
    runtime: Option<Runtime>,
}

/// The system's clock, put forward as told.
pub struct TestClock {
    ahead_seconds: AtomicI64,
    began: Instant,
}

impl TestClock {
    fn ahead_by(ahead: TimeDelta) -> Self {
        Self { ahead_seconds: AtomicI64::new(ahead.num_seconds()), began: Instant::now() }
    }

    pub fn put_forward(&self, by: TimeDelta) {
        self.ahead_seconds.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::seconds(self.ahead_seconds.load(Ordering::SeqCst))
    }

    fn running(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A keychain in memory that gets into trouble as told.
#[derive(Default)]
pub struct Keychain {
    items: MemorySecretStore,
    on_writing: Mutex<Option<(SecretName, KeychainError, Written)>>,
}

/// What becomes of a secret whose writing was reported as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Not,
    AllTheSame,
}

impl Keychain {
    /// Makes every call fail from now on, or work again.
    pub fn fail_with(&self, failure: Option<KeychainError>) {
        self.items.fail_with(failure);
    }

    /// Makes the writing of one item fail from now on, or work again.
    pub fn fail_on_writing(&self, failure: Option<(SecretName, KeychainError, Written)>) {
        *self.on_writing.lock().expect("nobody panics with it") = failure;
    }
}

#[async_trait]
impl SecretStore for Keychain {
    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, KeychainError> {
        self.items.get(name).await
    }

    async fn set(&self, name: &SecretName, secret: &Secret) -> Result<(), KeychainError> {
        let failure = self.on_writing.lock().expect("nobody panics with it").clone();
        match failure.filter(|(item, _, _)| item == name) {
            Some((_, error, Written::Not)) => Err(error),
            Some((_, error, Written::AllTheSame)) => self.items.set(name, secret).await.and(Err(error)),
            None => self.items.set(name, secret).await,
        }
    }

    async fn delete(&self, name: &SecretName) -> Result<(), KeychainError> {
        self.items.delete(name).await
    }
}

/// A transaction to the payment address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnChain {
    pub hash: String,
    pub value_wei: u128,
}

impl World {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options =
            SandboxOptions { folder: folder.path().join("sandbox"), sample_at: None, chain: ChainOptions::default(), keychain_scope: None };
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let service = FaultProxy::start(&sandbox.service.url()).await.expect("a proxy");
        Self { sandbox, service, folder }
    }

    /// The profile, with the service behind the proxy.
    pub fn profile(&self) -> Value {
        let mut profile = self.sandbox.profile();
        profile["service_url"] = json!(self.service.url());
        profile["sync_seconds"] = json!(1);
        profile
    }

    /// Opens an app with an empty keychain and starts it.
    pub async fn app(&self, name: &str) -> App {
        self.app_with(name, &self.profile(), Arc::default()).await
    }

    /// Opens an app and starts it.
    pub async fn app_with(&self, name: &str, profile: &Value, keychain: Arc<Keychain>) -> App {
        self.app_ahead_by(TimeDelta::zero(), name, profile, keychain).await
    }

    /// As [`World::app_with`], on a computer whose clock is wrong.
    pub async fn app_ahead_by(&self, ahead: TimeDelta, name: &str, profile: &Value, keychain: Arc<Keychain>) -> App {
        let data = self.folder.path().join(name);
        let (clock, opener, clipboard) = (Arc::new(TestClock::ahead_by(ahead)), Arc::new(Opened::default()), Arc::new(Desk::default()));
        let setup = Setup {
            profile: Profile::from_json(&profile.to_string()).expect("a profile"),
            data_folder: data.clone(),
            clock: clock.clone(),
            keychain: keychain.clone(),
            downloads: None,
            opener: opener.clone(),
            clipboard: clipboard.clone(),
        };
        let wallet = Wallet::open(setup).await.expect("the app opens");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        {
            let _inside = runtime.enter();
            wallet.start();
        }
        App { wallet, keychain, opener, clipboard, clock, data, runtime: Some(runtime) }
    }

    /// An app that has bought credits for 25 dollars and put the payment away.
    pub async fn app_with_credits(&self, name: &str) -> App {
        let app = self.app(name).await;
        app.buy("25").await;
        app.wallet.put_payment_away().await.expect("a finished payment goes away");
        app.until("the account", |v| v.account.as_ref().filter(|a| !a.at_most).map(drop)).await;
        app
    }

    pub async fn set_nodes(&self, fault: &Fault) {
        for node in &self.sandbox.nodes {
            node.set(fault.clone()).await;
        }
    }

    /// Every mined transaction that pays to the payment address.
    pub async fn payments(&self) -> Vec<OnChain> {
        let chain = &self.sandbox.chain;
        let newest = chain.block_number().await.expect("the chain answers");
        let mut payments = Vec::new();
        for number in 0..=newest {
            let block = chain.rpc("eth_getBlockByNumber", json!([format!("{number:#x}"), true])).await.expect("a block");
            let to_us = |t: &&Value| t["to"].as_str().is_some_and(|to| to.eq_ignore_ascii_case(PAYMENT_ADDRESS));
            let found = block["transactions"].as_array().into_iter().flatten().filter(to_us).map(|t| OnChain {
                hash: t["hash"].as_str().unwrap_or_default().to_string(),
                value_wei: read_quantity(&t["value"]).expect("a value"),
            });
            payments.extend(found);
        }
        payments
    }

    /// Nothing was paid and nothing waits to be mined.
    pub async fn assert_nothing_paid(&self) {
        assert_eq!(self.payments().await, []);
        let pool = self.sandbox.chain.rpc("txpool_status", json!([])).await.expect("the pool's status");
        assert_eq!((&pool["pending"], &pool["queued"]), (&json!("0x0"), &json!("0x0")));
    }

    /// Changes what the service has stored, as its operator could.
    pub async fn change_service(&self, statement: &'static str) -> u64 {
        let file = self.sandbox.folder().join("service").join("service.sqlite");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5));
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("the service's database");
        let changed = sqlx::query(statement).execute(&pool).await.expect("a statement").rows_affected();
        pool.close().await;
        changed
    }
}

impl App {
    /// Waits until the view shows it.
    pub async fn until<T>(&self, what: &str, shown: impl Fn(&AppView) -> Option<T>) -> T {
        let (mut changes, began) = (self.wallet.changes(), Instant::now());
        loop {
            let view = changes.borrow_and_update().clone();
            if let Some(found) = shown(&view) {
                return found;
            }
            let left = LIMIT.saturating_sub(began.elapsed());
            if tokio::time::timeout(left, changes.changed()).await.is_err() {
                let view = AppView { settings: view.settings.clone(), ..self.wallet.view() };
                panic!(
                    "{what} did not come within {LIMIT:?}: {:#?}",
                    (view.session, view.connection, view.payment, view.notices, view.account)
                );
            }
        }
    }

    /// Waits until the spending wallet has ether.
    pub async fn until_funded(&self) {
        let some = |balance: &String| balance.bytes().any(|c| (b'1'..=b'9').contains(&c));
        self.until("ether", |v| v.wallet.as_ref().and_then(|w| w.balance_eth.clone()).filter(some)).await;
    }

    pub async fn until_online(&self) {
        self.until("the service", |v| (v.connection.state == ConnectionState::Online).then_some(())).await;
    }

    pub async fn until_payment(&self, state: PaymentState) -> PaymentView {
        self.until(&format!("{state:?}"), |v| v.payment.clone().filter(|p| p.state == state)).await
    }

    /// What dollars buy.
    pub async fn preview(&self, usd: &str) -> Result<BuyPreviewView, ErrorView> {
        self.wallet.preview_purchase(dollars(usd)).await
    }

    /// Orders from the app's own wallet.
    pub async fn review(&self, usd: &str) -> Result<ReviewView, ErrorView> {
        self.wallet.review_purchase(dollars(usd), PayWay::SpendingWallet).await
    }

    /// Reviews and pays as soon as there is ether.
    pub async fn pay(&self, usd: &str) -> Result<AppView, ErrorView> {
        self.until_funded().await;
        let review = self.review(usd).await?;
        self.wallet.pay(review.order_id).await
    }

    /// Buys credits and waits until they are there.
    pub async fn buy(&self, usd: &str) -> PaymentView {
        self.pay(usd).await.expect("the payment is sent");
        self.until_payment(PaymentState::Done).await
    }

    /// The Secure Key in the keychain.
    pub async fn key(&self) -> Option<String> {
        let secret = self.keychain.get(&SecretName::secure_key()).await.expect("the keychain answers");
        secret.map(|s| s.expose_text().expect("text").to_string())
    }

    /// Searches every file of the data folder for a secret.
    pub fn assert_not_on_disk(&self, secret: &str) {
        assert!(secret.len() >= 16, "too short to be a secret");
        let files: Vec<_> = fs::read_dir(&self.data).expect("the data folder").flatten().map(|f| f.path()).collect();
        assert!(!files.is_empty());
        for file in files {
            let bytes = fs::read(&file).unwrap_or_default();
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "a secret is in {}", file.display());
        }
    }

    /// Ends the app; answers its keychain for another one.
    pub async fn close(mut self) -> Arc<Keychain> {
        let (keychain, store) = (self.keychain.clone(), self.data.join("wallet.sqlite3-wal"));
        if let Some(runtime) = self.runtime.take() {
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5)));
            ended.await.expect("the runtime ends");
        }
        drop(self);
        // The last connection takes the log with it.
        let began = Instant::now();
        while store.exists() && began.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        keychain
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An amount of dollars as a person types it.
pub fn dollars(text: &str) -> AmountRequest {
    AmountRequest { text: text.into(), unit: AmountUnit::Usd }
}

/// Overwrites a local store as a failing disk would.
pub fn damage_store(data: &Path) {
    for tail in ["", "-wal", "-shm"] {
        let file = data.join(format!("wallet.sqlite3{tail}"));
        if file.exists() {
            fs::write(file, [0xA5; 8_192]).expect("the store can be damaged");
        }
    }
}
