//! A real EVM node that is Base to everything that asks: chain id, predeploys, price feed, fees.

use crate::{
    KitError, http,
    process::{Environment, OwnedProcess, free_port, last_lines, tool, until},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::JoinHandle};

/// Chainlink's ETH/USD proxy on Base.
pub const FEED: &str = "0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70";
/// Chainlink's sequencer uptime feed on Base.
pub const SEQUENCER_FEED: &str = "0xBCF85224fc0756B9Fa45aA7892530B47e10b6433";
/// The predeploy that tells L1 fees.
pub const GAS_PRICE_ORACLE: &str = "0x420000000000000000000000000000000000000F";
/// The predeploy that the node itself reads when it charges them.
pub const L1_BLOCK: &str = "0x4200000000000000000000000000000000000015";
/// Base's lowest base fee.
pub const BASE_FEE_WEI: u64 = 5_000_000;
/// What the oracle says an L1 fee is at most, and what the node takes for a transfer.
pub const L1_FEE_WEI: u128 = 3_735_976_200;
/// The price the feed starts with.
pub const FIRST_PRICE: Decimal = Decimal::from_parts(195_024, 0, 0, false, 2);

const READY: Duration = Duration::from_secs(30);

/// How the chain shall run.
#[derive(Debug, Clone)]
pub struct ChainOptions {
    /// Seconds between blocks; `None` mines each transaction at once.
    pub block_seconds: Option<u32>,
    /// Chain id: 8453, unless a test wants the wrong one.
    pub chain_id: u64,
    /// Where its state is kept for another start; a folder of its own that goes with it when absent.
    pub folder: Option<PathBuf>,
}

impl Default for ChainOptions {
    fn default() -> Self {
        Self { block_seconds: Some(1), chain_id: 8453, folder: None }
    }
}

/// A running node. Ends when dropped.
pub struct Chain {
    options: ChainOptions,
    port: u16,
    temporary: tempfile::TempDir,
    node: Option<OwnedProcess>,
    feed: Arc<Mutex<FeedState>>,
    keeper: JoinHandle<()>,
}

struct FeedState {
    round: u64,
    fresh: bool,
}

impl Chain {
    /// Starts a node and makes it Base.
    ///
    /// # Errors
    /// When the node is not installed or does not come up.
    pub async fn start(options: ChainOptions) -> Result<Self, KitError> {
        let temporary = tempfile::tempdir().map_err(KitError::io("making a folder for the chain"))?;
        let feed = Arc::new(Mutex::new(FeedState { round: 1, fresh: true }));
        let mut chain = Self { options, port: free_port()?, temporary, node: None, feed, keeper: tokio::spawn(async {}) };
        if let Some(folder) = &chain.options.folder {
            std::fs::create_dir_all(folder).map_err(KitError::io("making a folder for the chain"))?;
        }
        // Another process may take the port between the choice and its use.
        for attempt in 1..=3 {
            match chain.start_node().await {
                Ok(()) => break,
                Err(error) if attempt == 3 => return Err(error),
                Err(_) => chain.port = free_port()?,
            }
        }
        chain.install_stand_ins().await?;
        chain.set_feed_price(FIRST_PRICE).await?;
        chain.keeper = tokio::spawn(keep(chain.url(), Arc::clone(&chain.feed)));
        Ok(chain)
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls the node.
    ///
    /// # Errors
    /// When it does not answer, or answers with an error.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value, KitError> {
        rpc(&self.url(), method, params).await
    }

    /// Sets what the price feed answers, as of the newest block.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn set_feed_price(&self, usd_per_eth: Decimal) -> Result<(), KitError> {
        let eight = (usd_per_eth * Decimal::from(100_000_000)).trunc().normalize();
        let answer = u128::try_from(eight.mantissa()).map_err(|_| KitError::unexpected("a price below zero"))?;
        let round = {
            let mut feed = self.feed.lock().await;
            feed.round += 1;
            feed.round
        };
        let now = newest_block_time(&self.url()).await?;
        let words = [u128::from(round), answer, u128::from(now), u128::from(now), u128::from(round), 8];
        for (slot, value) in words.into_iter().enumerate() {
            self.set_storage(FEED, slot, value).await?;
        }
        Ok(())
    }

    /// Stops (or resumes) renewing the feed, and sets when it was last updated.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn set_feed_age(&self, seconds: u64) -> Result<(), KitError> {
        self.feed.lock().await.fresh = seconds == 0;
        let at = newest_block_time(&self.url()).await?.saturating_sub(seconds);
        self.set_storage(FEED, 3, u128::from(at)).await
    }

    /// Sends ether from the node's own first account; answers the transaction hash.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn fund(&self, address: &str, wei: u128) -> Result<String, KitError> {
        fund(&self.url(), address, wei).await
    }

    /// What an address holds.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn balance(&self, address: &str) -> Result<u128, KitError> {
        read_quantity(&self.rpc("eth_getBalance", json!([address, "latest"])).await?)
    }

    /// Puts code at an address.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn set_code(&self, address: &str, code: &str) -> Result<(), KitError> {
        self.rpc("anvil_setCode", json!([address, code])).await.map(drop)
    }

    /// Sets what an address holds.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn set_balance(&self, address: &str, wei: u128) -> Result<(), KitError> {
        self.rpc("anvil_setBalance", json!([address, quantity(wei)])).await.map(drop)
    }

    /// Mines blocks at once.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn mine(&self, blocks: u64) -> Result<(), KitError> {
        self.rpc("anvil_mine", json!([quantity(u128::from(blocks))])).await.map(drop)
    }

    /// Stops mining (transactions wait in the pool), or mines every so many seconds again.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn set_block_seconds(&self, seconds: u32) -> Result<(), KitError> {
        self.rpc("evm_setIntervalMining", json!([seconds])).await.map(drop)
    }

    /// Newest block.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn block_number(&self) -> Result<u128, KitError> {
        read_quantity(&self.rpc("eth_blockNumber", json!([])).await?)
    }

    /// Freezes the node: connections are accepted and nothing answers.
    pub fn pause(&self) {
        if let Some(node) = &self.node {
            node.pause();
        }
    }

    /// Wakes a frozen node.
    pub fn resume(&self) {
        if let Some(node) = &self.node {
            node.resume();
        }
    }

    /// Stops the node, keeping its state for [`Chain::start_again`].
    pub async fn stop(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.signal("INT");
            let _ = until("the node to end", Duration::from_secs(10), async || Ok(node.has_ended().then_some(()))).await;
            node.kill();
        }
    }

    /// Starts a stopped node on the same port with the state it had.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self) -> Result<(), KitError> {
        self.start_node().await
    }

    async fn start_node(&mut self) -> Result<(), KitError> {
        let binary = tool("ANVIL", "anvil");
        if !binary.exists() {
            return Err(KitError::unexpected("the chain node is not installed: run `make setup`"));
        }
        let (port, id, state) =
            (self.port.to_string(), self.options.chain_id.to_string(), self.state_file().to_string_lossy().into_owned());
        let mut arguments =
            vec!["--host", "127.0.0.1", "--port", &port, "--chain-id", &id, "--network", "optimism", "--quiet", "--state", &state];
        let seconds = self.options.block_seconds.map(|s| s.to_string());
        if let Some(seconds) = &seconds {
            arguments.extend(["--block-time", seconds]);
        }
        let log = self.temporary.path().join("anvil.log");
        let mut node = OwnedProcess::start(&binary, &arguments, &Environment::new(), &log)?;
        let url = self.url();
        until("the chain node to answer", READY, async || {
            if node.has_ended() {
                return Err(KitError::unexpected(format!("the chain node ended: {}", last_lines(&node.output(), 8))));
            }
            Ok(rpc(&url, "eth_chainId", json!([])).await.ok())
        })
        .await?;
        self.node = Some(node);
        Ok(())
    }

    fn state_file(&self) -> PathBuf {
        self.options.folder.as_deref().unwrap_or(self.temporary.path()).join("state.json")
    }

    async fn install_stand_ins(&self) -> Result<(), KitError> {
        self.set_code(GAS_PRICE_ORACLE, &fee_oracle_code()).await?;
        for feed in [FEED, SEQUENCER_FEED] {
            self.set_code(feed, &price_feed_code()).await?;
        }
        // Slots the node reads when it charges the L1 fee: base fee, scalars, blob base fee.
        self.set_storage(L1_BLOCK, 1, 1_000_000_000).await?;
        self.set_storage(L1_BLOCK, 3, (2_269 << 96) | (1_055_762 << 64)).await?;
        self.set_storage(L1_BLOCK, 7, 1_000_000).await?;
        // Up since 1970, which is longer than any grace period.
        for (slot, value) in [(0, 1), (1, 0), (2, 1), (3, 1), (4, 1), (5, 0)] {
            self.set_storage(SEQUENCER_FEED, slot, value).await?;
        }
        // This node takes the L1 fee in `eth_call` too, which without a sender is a call of the zero address.
        self.set_balance("0x0000000000000000000000000000000000000000", 1 << 100).await?;
        self.rpc("anvil_setNextBlockBaseFeePerGas", json!([quantity(u128::from(BASE_FEE_WEI))])).await.map(drop)
    }

    async fn set_storage(&self, address: &str, slot: usize, value: u128) -> Result<(), KitError> {
        self.rpc("anvil_setStorageAt", json!([address, format!("{slot:#x}"), format!("0x{value:064x}")])).await.map(drop)
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Calls a node.
///
/// # Errors
/// When it does not answer, or answers with an error.
pub async fn rpc(url: &str, method: &str, params: Value) -> Result<Value, KitError> {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut answer = http::call_ok("POST", url, &[], Some(&request)).await?;
    match answer.get("error") {
        Some(error) => Err(KitError::unexpected(format!("{method}: {error}"))),
        None => Ok(answer["result"].take()),
    }
}

/// Sends ether from the node's own first account; answers the transaction hash.
///
/// # Errors
/// When the node refuses.
pub async fn fund(url: &str, address: &str, wei: u128) -> Result<String, KitError> {
    let accounts = rpc(url, "eth_accounts", json!([])).await?;
    let hash = rpc(url, "eth_sendTransaction", json!([{"from": accounts[0], "to": address, "value": quantity(wei)}])).await?;
    hash.as_str().map(str::to_string).ok_or_else(|| KitError::unexpected("a transaction without a hash"))
}

/// A number as JSON-RPC writes it.
#[must_use]
pub fn quantity(value: u128) -> String {
    format!("{value:#x}")
}

/// A number as JSON-RPC writes it, read.
///
/// # Errors
/// When it is not one.
pub fn read_quantity(value: &Value) -> Result<u128, KitError> {
    let digits = value.as_str().and_then(|s| s.strip_prefix("0x"));
    digits.and_then(|d| u128::from_str_radix(d, 16).ok()).ok_or_else(|| KitError::unexpected(format!("not a quantity: {value}")))
}

/// Keeps Base's floor under the base fee, which empty blocks would lower, and the feed fresh.
async fn keep(url: String, feed: Arc<Mutex<FeedState>>) {
    for turn in 0u64.. {
        // The node may be stopped on purpose: then there is nothing to keep.
        let _ = rpc(&url, "anvil_setNextBlockBaseFeePerGas", json!([quantity(u128::from(BASE_FEE_WEI))])).await;
        if turn % 60 == 59
            && feed.lock().await.fresh
            && let Ok(now) = newest_block_time(&url).await
        {
            let _ = rpc(&url, "anvil_setStorageAt", json!([FEED, "0x3", format!("0x{now:064x}")])).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn newest_block_time(url: &str) -> Result<u64, KitError> {
    let block = rpc(url, "eth_getBlockByNumber", json!(["latest", false])).await?;
    u64::try_from(read_quantity(&block["timestamp"])?).map_err(|_| KitError::unexpected("a block time beyond u64"))
}

/// `getOperatorFee` is zero; any other call answers the one L1 fee.
fn fee_oracle_code() -> String {
    let answer = |value: u128| format!("7f{value:064x}60005260206000f3");
    // The answer is 41 bytes long and begins at 15, so the other one starts at 56.
    format!("0x60003560e01c63275aedd214603857{}5b{}", answer(L1_FEE_WEI), answer(0))
}

/// `decimals()` answers slot 5, `description()` "ETH / USD", any other call slots 0 to 4 (`latestRoundData`).
fn price_feed_code() -> String {
    let round: String = (0..5).map(|i| format!("600{i}5460{:02x}52", 32 * i)).collect();
    let text = format!("{:0<64}", hex::encode("ETH / USD"));
    let description = format!("60206000526009602052 7f{text} 604052 60606000f3").replace(' ', "");
    format!("0x60003560e01c 8063313ce56714603d57 80637284e41614604957 {round} 60a06000f3 5b60055460005260206000f3 5b{description}")
        .replace(' ', "")
}
