//! One node: what it says, or why it says nothing. It is believed by nobody alone.

use super::{Execution, NodeOptions, Receipt, ReceiptStatus, TransferCall, ask::Head, health::Health};
use crate::{
    EndpointError, EthAddress, TransactionHash,
    http::{Endpoint, HttpError, RpcTransport},
};
use aispace_units::{BASE_CHAIN_ID, Wei};
use alloy::{
    eips::BlockNumberOrTag,
    network::{AnyNetwork, BlockResponse, TransactionBuilder},
    primitives::{Address, B256, Bytes, U256, b256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::{client::RpcClient, types::TransactionRequest},
    serde::WithOtherFields,
    transports::{RpcError, TransportError, TransportErrorKind},
};
use std::time::Duration;
use tokio::{sync::Mutex, time::Instant};

/// Largest answer that is read: a full block of Base is a few megabytes.
const NODE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// JSON-RPC codes by which nodes say that they are asked too often.
const LIMIT_CODES: [i64; 2] = [429, -32_005];
/// The hash of Base's block 0, as in Base's own chain specification.
pub(super) const BASE_GENESIS: B256 = b256!("f712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd");
/// For how long a node's newest block is what it was.
const HEAD_KEPT: Duration = Duration::from_secs(2);
/// JSON-RPC codes by which nodes say that a call would fail, rather than that they cannot run it.
const EXECUTION_CODES: [i64; 4] = [3, -32_000, -32_003, -32_015];

pub(super) struct Node {
    name: String,
    endpoint: Endpoint,
    provider: DynProvider<AnyNetwork>,
    /// What its first block must be; `None` for whatever runs on this machine.
    genesis: Option<B256>,
    /// Whether it has shown to be Base. Locked while that is asked, so that it is asked once.
    on_base: Mutex<bool>,
    /// Its newest block and when it was told. Locked likewise.
    head: Mutex<Option<(Head, Instant)>>,
    health: Health,
}

/// Why one node is no help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NodeError {
    #[error("{reason}")]
    Silent { reason: String },
    #[error("{message} (code {code})")]
    Refused { code: i64, message: String },
    #[error("answers no more for now")]
    Limited { retry_after: Option<Duration> },
    #[error("serves chain {found}")]
    WrongChain { found: u64 },
    #[error("has another first block than Base")]
    WrongGenesis,
}

impl NodeError {
    pub(super) fn silent(reason: &str) -> Self {
        Self::Silent { reason: reason.to_string() }
    }
}

impl NodeError {
    /// What a JSON-RPC error says.
    pub(super) fn of_refusal(code: i64, message: &str) -> Self {
        if LIMIT_CODES.contains(&code) || is_throttling(message) {
            return Self::Limited { retry_after: None };
        }
        Self::Refused { code, message: message.chars().take(200).collect() }
    }

    pub(super) fn of_transport(error: &HttpError) -> Self {
        match error {
            HttpError::Limited { retry_after_seconds } => Self::Limited { retry_after: retry_after_seconds.map(Duration::from_secs) },
            other => Self::Silent { reason: other.to_string() },
        }
    }
}

impl From<TransportError> for NodeError {
    fn from(error: TransportError) -> Self {
        match error {
            RpcError::ErrorResp(payload) => Self::of_refusal(payload.code, &payload.message),
            // The text of an unreadable answer is a stranger's and may be long.
            RpcError::DeserError { .. } | RpcError::NullResp => Self::silent("gave an answer that cannot be read"),
            RpcError::Transport(TransportErrorKind::Custom(error)) => match error.downcast_ref::<HttpError>() {
                Some(error) => Self::of_transport(error),
                None => Self::Silent { reason: error.to_string() },
            },
            other => Self::Silent { reason: other.to_string().chars().take(200).collect() },
        }
    }
}

impl Node {
    pub(super) fn new(url: &str, options: &NodeOptions) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::new(url, options.deadline)?;
        let name = endpoint.name();
        let genesis = options.genesis.map(B256::from).or((!endpoint.is_local()).then_some(BASE_GENESIS));
        let client = RpcClient::new(RpcTransport { endpoint: endpoint.clone(), bytes_max: NODE_BYTES_MAX }, false);
        let provider = ProviderBuilder::new().disable_recommended_fillers().network::<AnyNetwork>().connect_client(client).erased();
        Ok(Self { name, endpoint, provider, genesis, on_base: Mutex::default(), head: Mutex::default(), health: Health::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    pub(super) fn provider(&self) -> &DynProvider<AnyNetwork> {
        &self.provider
    }

    /// Asks which chain it serves.
    pub(super) async fn check_chain(&self) -> Result<(), NodeError> {
        let found = self.provider.get_chain_id().await?;
        if found == BASE_CHAIN_ID {
            return Ok(());
        }
        *self.on_base.lock().await = false;
        Err(NodeError::WrongChain { found })
    }

    /// Asks which chain it serves and what its first block is, unless it has said so.
    pub(super) async fn ensure_chain(&self) -> Result<(), NodeError> {
        let mut on_base = self.on_base.lock().await;
        if !*on_base {
            let (found, first) = futures::try_join!(async { Ok(self.provider.get_chain_id().await?) }, self.first_block())?;
            if found != BASE_CHAIN_ID {
                return Err(NodeError::WrongChain { found });
            }
            if self.genesis != first {
                return Err(NodeError::WrongGenesis);
            }
            *on_base = true;
        }
        Ok(())
    }

    /// Not asked where any first block will do.
    async fn first_block(&self) -> Result<Option<B256>, NodeError> {
        if self.genesis.is_none() {
            return Ok(None);
        }
        self.block_hash(0).await?.map(Some).ok_or_else(|| NodeError::silent("has no first block"))
    }

    /// Its newest block, asked at most every two seconds.
    pub(super) async fn head(&self) -> Result<Head, NodeError> {
        self.head_within(HEAD_KEPT).await
    }

    /// Its newest block, asked unless it was within this time.
    pub(super) async fn head_within(&self, age: Duration) -> Result<Head, NodeError> {
        let mut kept = self.head.lock().await;
        if let Some((head, _)) = kept.filter(|(_, told)| told.elapsed() < age) {
            return Ok(head);
        }
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await?;
        let block = block.ok_or_else(|| NodeError::silent("has no newest block"))?;
        let head = Head { number: block.header().number, seconds: block.header().timestamp };
        *kept = Some((head, Instant::now()));
        self.health.reached(head.number, Instant::now());
        Ok(head)
    }

    pub(super) async fn balance(&self, account: EthAddress) -> Result<Wei, NodeError> {
        as_wei(self.provider.get_balance(account.to_alloy()).await?)
    }

    pub(super) async fn pending_nonce(&self, account: EthAddress) -> Result<u64, NodeError> {
        Ok(self.provider.get_transaction_count(account.to_alloy()).pending().await?)
    }

    pub(super) async fn mined_nonce(&self, account: EthAddress) -> Result<u64, NodeError> {
        Ok(self.provider.get_transaction_count(account.to_alloy()).latest().await?)
    }

    /// The highest fee and the tip, per gas.
    pub(super) async fn fees(&self) -> Result<(Wei, Wei), NodeError> {
        let fees = self.provider.estimate_eip1559_fees().await?;
        Ok((Wei::new(fees.max_fee_per_gas), Wei::new(fees.max_priority_fee_per_gas)))
    }

    pub(super) async fn estimate_gas(&self, call: &TransferCall) -> Result<Result<u64, String>, NodeError> {
        execution(self.provider.estimate_gas(request(call)).pending().await)
    }

    pub(super) async fn simulate(&self, as_signed: &Execution) -> Result<Result<(), String>, NodeError> {
        let mut request = request(&as_signed.call)
            .with_gas_limit(as_signed.gas_limit)
            .with_max_fee_per_gas(as_signed.fees.max_fee_per_gas_wei.get())
            .with_max_priority_fee_per_gas(as_signed.fees.tip_per_gas_wei.get());
        request.set_nonce(as_signed.nonce);
        execution(self.provider.call(request).pending().await.map(drop))
    }

    /// What a contract's view answers; `None` where there is no contract. A call to an empty address "succeeds" with nothing.
    pub(super) async fn view(&self, contract: Address, input: Vec<u8>) -> Result<Option<Bytes>, NodeError> {
        let request = WithOtherFields::new(TransactionRequest::default().with_to(contract).with_input(input));
        let code = async { Ok::<_, NodeError>(self.provider.get_code_at(contract).await?) };
        let answer = async { Ok(self.provider.call(request).latest().await?) };
        let (code, answer) = futures::try_join!(code, answer)?;
        Ok((!code.is_empty()).then_some(answer))
    }

    /// The receipt, if the block it names is this node's canonical one.
    pub(super) async fn receipt(&self, hash: TransactionHash) -> Result<Option<Receipt>, NodeError> {
        let Some(receipt) = self.provider.get_transaction_receipt(hash.into()).await? else { return Ok(None) };
        let (Some(block_hash), Some(block_number)) = (receipt.block_hash(), receipt.block_number()) else { return Ok(None) };
        if receipt.transaction_hash() != B256::from(hash) {
            return Err(NodeError::silent("gave the receipt of another transaction"));
        }
        if self.block_hash(block_number).await? != Some(block_hash) {
            return Ok(None);
        }
        let other =
            |name: &str| receipt.other_fields().get_deserialized::<U256>(name).and_then(Result::ok).and_then(|fee| as_wei(fee).ok());
        Ok(Some(Receipt {
            status: if receipt.is_success() { ReceiptStatus::Succeeded } else { ReceiptStatus::Reverted },
            block_number,
            block_hash: block_hash.into(),
            gas_used: receipt.gas_used(),
            effective_gas_price_wei: Wei::new(receipt.effective_gas_price()),
            l1_fee_wei: other("l1Fee"),
            operator_fee_wei: operator_fee(receipt.gas_used(), other("operatorFeeScalar"), other("operatorFeeConstant")),
        }))
    }

    pub(super) async fn block_hash(&self, number: u64) -> Result<Option<B256>, NodeError> {
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Number(number)).await?;
        Ok(block.map(|block| block.header().hash))
    }

    /// The number of the newest block of this mark; `None` where the node has none.
    pub(super) async fn block_marked(&self, mark: BlockNumberOrTag) -> Result<Option<u64>, NodeError> {
        let block = self.provider.get_block_by_number(mark).await?;
        Ok(block.map(|block| block.header().number))
    }
}

/// What the operator took, by the formula in force since Jovian: gas used × scalar × 100, and the constant.
fn operator_fee(gas_used: u64, scalar: Option<Wei>, constant: Option<Wei>) -> Option<Wei> {
    scalar?.checked_mul(gas_used.into())?.checked_mul(100)?.checked_add(constant?)
}

fn request(call: &TransferCall) -> WithOtherFields<TransactionRequest> {
    let request = TransactionRequest::default()
        .with_from(call.from.to_alloy())
        .with_to(call.to.to_alloy())
        .with_value(U256::from(call.value.get()))
        .with_input(call.input.clone());
    WithOtherFields::new(request)
}

/// Tells a call that would fail from a node that cannot tell.
pub(super) fn execution<T>(answer: Result<T, TransportError>) -> Result<Result<T, String>, NodeError> {
    match answer.map_err(NodeError::from) {
        Ok(result) => Ok(Ok(result)),
        Err(NodeError::Refused { code, message }) if EXECUTION_CODES.contains(&code) => Ok(Err(message)),
        Err(error) => Err(error),
    }
}

/// Some nodes refuse a caller who asks too often by a code of failed executions.
pub(super) fn is_throttling(message: &str) -> bool {
    let lower = message.to_lowercase();
    ["rate limit", "too many requests", "capacity", "request limit", "throttl"].iter().any(|words| lower.contains(words))
}

pub(super) fn as_wei(figure: U256) -> Result<Wei, NodeError> {
    u128::try_from(figure).map(Wei::new).map_err(|_| NodeError::silent("gave an amount larger than all ether"))
}
