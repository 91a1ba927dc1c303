//! What Base charges beyond gas: the L1 fee and the operator fee, told by a contract at a fixed address.

use super::{ChainError, Nodes, node, node::Node};
use aispace_units::Wei;
use alloy::{
    primitives::{Address, U256, address},
    sol,
    sol_types::SolCall,
};
use std::sync::Arc;

const GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000F");

sol! {
    function getL1FeeUpperBound(uint256 unsignedTxSize) external view returns (uint256);
    function getOperatorFee(uint256 gasUsed) external view returns (uint256);
}

impl Nodes {
    /// The most that a transaction of this many unsigned bytes may pay for its data on L1, at the present L1 price.
    ///
    /// Zero where no contract stands at the oracle's address: Base has one since its first block, a bare development chain
    /// charges nothing.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn l1_fee_upper_bound(&self, unsigned_bytes: usize) -> Result<Wei, ChainError> {
        self.oracle(getL1FeeUpperBoundCall { unsignedTxSize: U256::from(unsigned_bytes) }.abi_encode(), "the L1 fee").await
    }

    /// What the chain's operator takes for this much gas. Zero where no contract stands at the oracle's address.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn operator_fee(&self, gas: u64) -> Result<Wei, ChainError> {
        self.oracle(getOperatorFeeCall { gasUsed: U256::from(gas) }.abi_encode(), "the operator fee").await
    }

    async fn oracle(&self, input: Vec<u8>, what: &'static str) -> Result<Wei, ChainError> {
        let input = &input;
        let close = |low: Wei, high: Wei| high.get().checked_div(2).is_none_or(|half| half <= low.get());
        let read = |node: Arc<Node>| async move {
            match node.view(GAS_PRICE_ORACLE, input.clone()).await? {
                None => Ok(Wei::ZERO),
                Some(answer) => node::as_wei(word(&answer)?),
            }
        };
        self.reached(what, close, read).await
    }
}

fn word(answer: &[u8]) -> Result<U256, node::NodeError> {
    U256::try_from_be_slice(answer).filter(|_| answer.len() == 32).ok_or_else(|| node::NodeError::silent("gave no single figure"))
}
