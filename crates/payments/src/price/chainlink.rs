//! Chainlink's ETH/USD feed on Base, read from one node. That node is one voice of four, so it is not read by quorum.

use super::{Figure, venues};
use crate::{chain::FeedNode, http::Endpoint};
use aispace_units::Decimal;
use alloy::{
    primitives::{Address, U256, address},
    sol,
    sol_types::SolCall,
};
use chrono::{DateTime, Utc};

const ETH_USD_FEED: Address = address!("71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70");
const SEQUENCER_FEED: Address = address!("BCF85224fc0756B9Fa45aA7892530B47e10b6433");
/// How long after the sequencer came back the feed is not used.
const SEQUENCER_GRACE_SECONDS: i64 = 3_600;
const DESCRIPTION: &str = "ETH / USD";

sol! {
    function latestRoundData() external view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
    function decimals() external view returns (uint8);
    function description() external view returns (string);
}

/// The feed, through one node.
pub(super) struct Feed {
    node: FeedNode,
}

impl Feed {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { node: FeedNode::new(endpoint) }
    }

    /// The newest round, if the feed is what it should be and the sequencer is up.
    pub(super) async fn read(&self) -> Result<Figure, String> {
        let block_time = self.node.block_time().await?;
        self.check_sequencer(block_time).await?;
        let description = self.ask::<descriptionCall>(ETH_USD_FEED, descriptionCall {}).await?.ok_or("there is no feed on this chain")?;
        if description != DESCRIPTION {
            return Err("the contract at the feed's address is not ETH / USD".into());
        }
        let decimals = self.ask::<decimalsCall>(ETH_USD_FEED, decimalsCall {}).await?.ok_or("the feed has no decimals")?;
        let round = self.ask::<latestRoundDataCall>(ETH_USD_FEED, latestRoundDataCall {}).await?.ok_or("the feed has no round")?;
        let answer = i128::try_from(round.answer).map_err(|_| "the feed's answer is out of range")?;
        let usd = Decimal::try_from_i128_with_scale(answer, decimals.into()).map_err(|_| "the feed's answer is out of range")?;
        Ok(Figure {
            usd_per_eth: venues::believable(usd.normalize())?,
            as_of: Some(instant(round.updatedAt).ok_or("the feed's time is out of range")?),
            block_time: Some(block_time),
        })
    }

    /// While Base's sequencer is down the feed stands still; a chain without the sequencer's feed has no such check.
    async fn check_sequencer(&self, block_time: DateTime<Utc>) -> Result<(), String> {
        let Some(status) = self.ask::<latestRoundDataCall>(SEQUENCER_FEED, latestRoundDataCall {}).await? else { return Ok(()) };
        if !status.answer.is_zero() {
            return Err("Base's sequencer is reported down".into());
        }
        let since = instant(status.startedAt).ok_or("the sequencer's time is out of range")?;
        let up = block_time.timestamp().saturating_sub(since.timestamp());
        if up <= SEQUENCER_GRACE_SECONDS {
            return Err(format!("Base's sequencer is back for {up} s only"));
        }
        Ok(())
    }

    async fn ask<C: SolCall>(&self, contract: Address, call: C) -> Result<Option<C::Return>, String> {
        let Some(answer) = self.node.view(contract, call.abi_encode()).await? else { return Ok(None) };
        C::abi_decode_returns(&answer).map(Some).map_err(|_| "the feed's answer cannot be read".into())
    }
}

fn instant(seconds: U256) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}
