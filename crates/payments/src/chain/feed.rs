//! Chainlink's ETH/USD feed on Base, read at one block by quorum: enough nodes must tell the same round at the same block.

use super::{ChainError, Nodes, node::Node, node::NodeError};
use crate::price::believable;
use aispace_units::{Decimal, EthUsdPrice};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    network::{BlockResponse, TransactionBuilder},
    primitives::{Address, B256, Bytes, I256, U256, address, aliases::U80},
    providers::Provider,
    rpc::types::TransactionRequest,
    serde::WithOtherFields,
    sol,
    sol_types::SolCall,
};
use chrono::{DateTime, Utc};

const ETH_USD_FEED: Address = address!("71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70");
const SEQUENCER_FEED: Address = address!("BCF85224fc0756B9Fa45aA7892530B47e10b6433");
/// How long after the sequencer came back the feed is not used.
const SEQUENCER_GRACE_SECONDS: i64 = 3_600;
/// The feed is renewed every 1,200 s at least; a round older than this at its block is not used.
pub const FEED_AGE_SECONDS_MAX: i64 = 1_800;
const DESCRIPTION: &str = "ETH / USD";

sol! {
    function latestRoundData() external view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
    function getRoundData(uint80 round) external view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
    function decimals() external view returns (uint8);
    function description() external view returns (string);
}

/// The feed's round as it stood at a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPrice {
    /// Dollars per ether; at most eight decimals.
    pub usd_per_eth: EthUsdPrice,
    /// The round, as the feed numbers it; for an audit with `getRoundData`.
    pub round: u128,
    /// When the round was written.
    pub updated_at: DateTime<Utc>,
    /// The block it was read at.
    pub block_number: u64,
    /// That block's time.
    pub block_time: DateTime<Utc>,
}

impl FeedPrice {
    /// Seconds from the round to the block.
    #[must_use]
    pub fn age_seconds(&self) -> i64 {
        self.block_time.timestamp().saturating_sub(self.updated_at.timestamp())
    }
}

/// Why the feed has no price for a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The nodes cannot be read, or do not agree.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Too few nodes have the block.
    #[error("too few nodes have block {block_number}")]
    NoBlock {
        /// Its number.
        block_number: u64,
    },
    /// No contract stands at the feed's address.
    #[error("there is no feed on this chain")]
    Absent,
    /// What stands there is not the feed, or says what a feed cannot say.
    #[error("{reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
    /// Base's sequencer is down: the feed stands still.
    #[error("Base's sequencer is reported down")]
    SequencerDown,
    /// Base's sequencer is back for too short a time.
    #[error("Base's sequencer is back for {up_seconds} s only")]
    SequencerBack {
        /// For how long.
        up_seconds: i64,
    },
    /// The round is too old for its block.
    #[error("its figure is {age_seconds} s old, at most {FEED_AGE_SECONDS_MAX} s are allowed")]
    Stale {
        /// Its age.
        age_seconds: i64,
    },
}

/// All that one node says of the feed at one block; it must be equal on enough of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    block: B256,
    block_time: u64,
    feed: Option<ToldFeed>,
    /// Its answer and since when, where the chain has such a feed.
    sequencer: Option<(I256, U256)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ToldFeed {
    description: String,
    decimals: u8,
    round: U80,
    answer: I256,
    updated_at: U256,
}

impl Nodes {
    /// The price that the feed gave at a block, for a payment that was mined in it after its quote had run out.
    ///
    /// The state of the block itself is asked, so the nodes must still have it. The round is asked for once more by its number
    /// and must be the same.
    ///
    /// # Errors
    /// [`FeedError`]; none of them ever means another price.
    pub async fn feed_price_at(&self, block_number: u64) -> Result<FeedPrice, FeedError> {
        let price = self.feed_round_at(block_number, true).await?;
        let age_seconds = price.age_seconds();
        if age_seconds > FEED_AGE_SECONDS_MAX { Err(FeedError::Stale { age_seconds }) } else { Ok(price) }
    }

    /// The feed's newest round at the newest block, however old it is.
    pub(crate) async fn feed_round_now(&self) -> Result<FeedPrice, FeedError> {
        let newest = self.block_number().await?;
        self.feed_round_at(newest, false).await
    }

    async fn feed_round_at(&self, block_number: u64, audited: bool) -> Result<FeedPrice, FeedError> {
        let told = self.known("the price feed", |node| async move { node.feed(block_number, audited).await }).await?;
        judged(told.ok_or(FeedError::NoBlock { block_number })?, block_number)
    }
}

fn judged(told: Told, block_number: u64) -> Result<FeedPrice, FeedError> {
    let unusable = |reason: &str| FeedError::Unusable { reason: reason.to_string() };
    let block_time = instant(U256::from(told.block_time)).ok_or_else(|| unusable("the block's time is out of range"))?;
    if let Some((answer, started_at)) = told.sequencer {
        check_sequencer(answer, started_at, block_time)?;
    }
    let feed = told.feed.ok_or(FeedError::Absent)?;
    if feed.description != DESCRIPTION {
        return Err(unusable("the contract at the feed's address is not ETH / USD"));
    }
    let answer = i128::try_from(feed.answer).map_err(|_| unusable("the feed's answer is out of range"))?;
    let usd = Decimal::try_from_i128_with_scale(answer, feed.decimals.into()).map_err(|_| unusable("the feed's answer is out of range"))?;
    let usd_per_eth = believable(usd.normalize()).map_err(|reason| FeedError::Unusable { reason })?;
    let updated_at = instant(feed.updated_at).ok_or_else(|| unusable("the feed's time is out of range"))?;
    if updated_at > block_time {
        return Err(unusable("the feed's figure is dated after its block"));
    }
    Ok(FeedPrice { usd_per_eth, round: feed.round.to::<u128>(), updated_at, block_number, block_time })
}

fn check_sequencer(answer: I256, started_at: U256, block_time: DateTime<Utc>) -> Result<(), FeedError> {
    if !answer.is_zero() {
        return Err(FeedError::SequencerDown);
    }
    let since = instant(started_at).ok_or_else(|| FeedError::Unusable { reason: "the sequencer's time is out of range".into() })?;
    let up_seconds = block_time.timestamp().saturating_sub(since.timestamp());
    if up_seconds <= SEQUENCER_GRACE_SECONDS { Err(FeedError::SequencerBack { up_seconds }) } else { Ok(()) }
}

impl Node {
    async fn feed(&self, block_number: u64, audited: bool) -> Result<Option<Told>, NodeError> {
        let at = BlockNumberOrTag::Number(block_number);
        let header = async { Ok::<_, NodeError>(self.provider().get_block_by_number(at).await?) };
        let (Some(block), feed, sequencer) = futures::try_join!(header, self.told_feed(at, audited), self.told_sequencer(at))? else {
            return Ok(None);
        };
        let header = block.header();
        if header.number != block_number {
            return Err(NodeError::silent("gave another block than was asked for"));
        }
        Ok(Some(Told { block: header.hash, block_time: header.timestamp, feed, sequencer }))
    }

    async fn told_feed(&self, at: BlockNumberOrTag, audited: bool) -> Result<Option<ToldFeed>, NodeError> {
        let (code, description, decimals, round) = futures::try_join!(
            self.code(ETH_USD_FEED, at),
            self.view_at(ETH_USD_FEED, descriptionCall {}.abi_encode(), at),
            self.view_at(ETH_USD_FEED, decimalsCall {}.abi_encode(), at),
            self.view_at(ETH_USD_FEED, latestRoundDataCall {}.abi_encode(), at),
        )?;
        if code.is_empty() {
            return Ok(None);
        }
        let round = decoded::<latestRoundDataCall>(&round)?;
        if audited {
            let again = self.view_at(ETH_USD_FEED, getRoundDataCall { round: round.roundId }.abi_encode(), at).await?;
            let again = decoded::<getRoundDataCall>(&again)?;
            if (again.roundId, again.answer, again.updatedAt) != (round.roundId, round.answer, round.updatedAt) {
                return Err(NodeError::silent("tells one round of the feed in two ways"));
            }
        }
        Ok(Some(ToldFeed {
            description: decoded::<descriptionCall>(&description)?,
            decimals: decoded::<decimalsCall>(&decimals)?,
            round: round.roundId,
            answer: round.answer,
            updated_at: round.updatedAt,
        }))
    }

    /// A chain without the sequencer's feed has no such check.
    async fn told_sequencer(&self, at: BlockNumberOrTag) -> Result<Option<(I256, U256)>, NodeError> {
        let input = latestRoundDataCall {}.abi_encode();
        let (code, answer) = futures::try_join!(self.code(SEQUENCER_FEED, at), self.view_at(SEQUENCER_FEED, input, at))?;
        if code.is_empty() {
            return Ok(None);
        }
        let round = decoded::<latestRoundDataCall>(&answer)?;
        Ok(Some((round.answer, round.startedAt)))
    }

    async fn code(&self, contract: Address, at: BlockNumberOrTag) -> Result<Bytes, NodeError> {
        Ok(self.provider().get_code_at(contract).block_id(BlockId::Number(at)).await?)
    }

    async fn view_at(&self, contract: Address, input: Vec<u8>, at: BlockNumberOrTag) -> Result<Bytes, NodeError> {
        let request = WithOtherFields::new(TransactionRequest::default().with_to(contract).with_input(input));
        Ok(self.provider().call(request).block(BlockId::Number(at)).await?)
    }
}

fn decoded<C: SolCall>(answer: &[u8]) -> Result<C::Return, NodeError> {
    C::abi_decode_returns(answer).map_err(|_| NodeError::silent("the feed's answer cannot be read"))
}

fn instant(seconds: U256) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}
