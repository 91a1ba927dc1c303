//! What the service reads from outside: blocks and prices.

use aispace_payments::claim::{ClaimError, ClaimProof, ClaimSignature, PaymentClaim};
use aispace_payments::price::{PriceConfig, PriceError, PriceReport, PriceSources};
use aispace_payments::watch::{BlockReader, BlockStream, FinalityHeads, Head, Standing, WatchedBlock};
use aispace_payments::{BlockHash, EthAddress};
use aispace_units::EthUsdPrice;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

/// Reads blocks.
#[async_trait]
pub trait ChainReader: Send + Sync {
    /// The newest block.
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn head(&self) -> Result<Head, ChainReadError>;

    /// A block by number; `None` while the nodes do not have it.
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn block(&self, number: u64) -> Result<Option<WatchedBlock>, ChainReadError>;

    /// Blocks in order from one on, until there is no newer one; ends with the first error. That a block follows the one before it is for the
    /// caller to see.
    fn blocks_from(&self, first: u64) -> BoxStream<'_, Result<WatchedBlock, ChainReadError>> {
        let read = move |number: Option<u64>| async move {
            let number = number?;
            match self.block(number).await {
                Ok(block) => block.map(|block| (Ok(block), number.checked_add(1))),
                Err(error) => Some((Err(error), None)),
            }
        };
        stream::unfold(Some(first), read).boxed()
    }

    /// The newest, the newest safe and the newest final block.
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn finality(&self) -> Result<FinalityHeads, ChainReadError>;

    /// Whether the block of this number is still the one with this hash.
    ///
    /// # Errors
    /// When the chain cannot be read.
    async fn canonical(&self, number: u64, hash: BlockHash) -> Result<Standing, ChainReadError>;

    /// Dollars per ether at a block, by the feed on the chain: for payments that came after their quote.
    ///
    /// # Errors
    /// When the chain cannot be read, or the feed has no price for that block.
    async fn price_at(&self, number: u64) -> Result<EthUsdPrice, ChainReadError>;

    /// Whether the payer signed a claim.
    ///
    /// # Errors
    /// [`ClaimError`].
    async fn verify_claim(
        &self,
        claim: &PaymentClaim,
        signature: &ClaimSignature,
        payer: EthAddress,
        now: DateTime<Utc>,
    ) -> Result<ClaimProof, ClaimError>;
}

/// Asks for the price of ether.
#[async_trait]
pub trait PriceReader: Send + Sync {
    /// A price that enough operators agree on, now.
    ///
    /// # Errors
    /// [`PriceError`] when too few answer or they do not agree.
    async fn price(&self) -> Result<PriceReport, PriceError>;
}

/// Why the chain could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chain cannot be read: {reason}")]
pub struct ChainReadError {
    /// What the nodes said.
    pub reason: String,
}

/// Why a node or a price source cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct UpstreamError {
    /// Which one.
    pub what: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Blocks from nodes of Base.
pub struct LiveChain(BlockReader);

impl LiveChain {
    /// Reads through these nodes.
    #[must_use]
    pub fn new(reader: BlockReader) -> Self {
        Self(reader)
    }
}

#[async_trait]
impl ChainReader for LiveChain {
    async fn head(&self) -> Result<Head, ChainReadError> {
        self.0.head().await.map_err(unread)
    }

    async fn block(&self, number: u64) -> Result<Option<WatchedBlock>, ChainReadError> {
        self.0.block(number).await.map_err(unread)
    }

    // Read ahead: blocks that are nothing to us share one look at the balance.
    fn blocks_from(&self, first: u64) -> BoxStream<'_, Result<WatchedBlock, ChainReadError>> {
        let read = |blocks: Option<BlockStream>| async move {
            let mut blocks = blocks?;
            match blocks.next().await {
                Ok(block) => block.map(|block| (Ok(block), Some(blocks))),
                Err(error) => Some((Err(unread(error)), None)),
            }
        };
        stream::unfold(Some(self.0.blocks_from(first)), read).boxed()
    }

    async fn finality(&self) -> Result<FinalityHeads, ChainReadError> {
        self.0.finality().await.map_err(unread)
    }

    async fn canonical(&self, number: u64, hash: BlockHash) -> Result<Standing, ChainReadError> {
        self.0.canonical(number, hash).await.map_err(unread)
    }

    async fn price_at(&self, number: u64) -> Result<EthUsdPrice, ChainReadError> {
        self.0.nodes().feed_price_at(number).await.map(|price| price.usd_per_eth).map_err(unread)
    }

    async fn verify_claim(
        &self,
        claim: &PaymentClaim,
        signature: &ClaimSignature,
        payer: EthAddress,
        now: DateTime<Utc>,
    ) -> Result<ClaimProof, ClaimError> {
        claim.verify(signature, payer, self.0.nodes(), now).await
    }
}

fn unread(error: impl std::error::Error) -> ChainReadError {
    ChainReadError { reason: error.to_string() }
}

/// Prices from the venues and the feed.
pub struct LivePrices(PriceSources);

impl LivePrices {
    /// Asks these sources.
    ///
    /// # Errors
    /// A URL that is none, or is neither https nor this machine.
    pub fn new(config: &PriceConfig) -> Result<Self, UpstreamError> {
        let wrong = |error: aispace_payments::EndpointError| UpstreamError { what: "price source", reason: error.to_string() };
        PriceSources::new(config).map(Self).map_err(wrong)
    }
}

#[async_trait]
impl PriceReader for LivePrices {
    async fn price(&self) -> Result<PriceReport, PriceError> {
        self.0.read(crate::clock::system_time()).await
    }
}
