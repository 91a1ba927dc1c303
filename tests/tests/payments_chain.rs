//! Payments against a real node: paid, refused, read through nodes that lie, hang and die.

use aispace_payments::{
    OsEntropy, PAYMENT_ADDRESS_CHECKSUMMED, TransactionHash,
    chain::{BroadcastOutcome, ChainError, NodeOptions, Nodes, Receipt, ReceiptStatus, TransactionState},
    payment_address,
    signer::SpendingKey,
    tag::ClaimSecret,
    transfer::{self, Prepared, ReplacementKind, SignedPayment, TransferError},
    wallet::PaymentRequest,
    watch::{BlockReader, Standing},
};
use aispace_testkit::{
    chain::{Chain, ChainOptions, L1_FEE_WEI, quantity},
    fault::{Fault, FaultProxy},
    process::until,
};
use aispace_units::Wei;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const ETHER: u128 = 1_000_000_000_000_000_000;
const DEADLINE: Duration = Duration::from_secs(20);
/// SHA-256 of "order/1" and the 32 bytes 0x00 to 0x1f, computed elsewhere.
const TAG: &str = "9ffafab741813c398bfc56178e42d2aff994c5f3fc456e1a143ef0dfcec7df0f";

fn value() -> Wei {
    Wei::new(5_127_574_042_169_169)
}

fn secret() -> ClaimSecret {
    ClaimSecret::from_bytes(std::array::from_fn(|at| u8::try_from(at).expect("below 32")))
}

/// A chain that mines only when it is given a transaction, so that fees stand still.
async fn still_chain() -> Chain {
    Chain::start(ChainOptions { block_seconds: None, ..ChainOptions::default() }).await.expect("the chain starts")
}

async fn funded_key(chain: &Chain, wei: u128) -> SpendingKey {
    let key = SpendingKey::generate(&mut OsEntropy).expect("a key");
    chain.set_balance(&key.address().to_string(), wei).await.expect("funded");
    key
}

fn nodes(urls: &[String]) -> Nodes {
    Nodes::with_deadline(urls, Duration::from_secs(15)).expect("nodes")
}

async fn prepared(nodes: &Nodes, key: &SpendingKey) -> Result<Prepared, TransferError> {
    transfer::prepare(nodes, key.address(), value(), secret().tag()).await
}

async fn mined(nodes: &Nodes, hash: TransactionHash) -> Receipt {
    until("the receipt", DEADLINE, async || Ok(nodes.receipt(hash).await.ok().flatten())).await.expect("mined")
}

/// Three nodes in front of one chain, each of which can be made to fail or lie.
struct Three {
    chain: Chain,
    proxies: Vec<FaultProxy>,
    nodes: Nodes,
}

impl Three {
    async fn start() -> Self {
        let chain = still_chain().await;
        let mut proxies = Vec::new();
        for _ in 0..3 {
            proxies.push(FaultProxy::start(&chain.url()).await.expect("a proxy"));
        }
        let nodes = nodes(&proxies.iter().map(FaultProxy::url).collect::<Vec<_>>());
        Self { chain, proxies, nodes }
    }

    async fn lie(&self, node: usize, method: &str, result: Value) {
        self.proxies[node].set(Fault::Override(BTreeMap::from([(method.to_string(), result)]))).await;
    }
}

async fn pay(nodes: &Nodes, key: &SpendingKey) -> SignedPayment {
    let signed = transfer::sign(&prepared(nodes, key).await.expect("prepared"), key).expect("signed");
    assert_eq!(nodes.broadcast(&signed.raw).await.expect("sent").outcome, BroadcastOutcome::Accepted);
    signed
}

#[tokio::test]
async fn a_payment_arrives_with_its_tag() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    let prepared = prepared(&nodes, &key).await.expect("prepared");
    assert_eq!((prepared.chain_id, prepared.nonce, prepared.to), (8453, 0, payment_address()));
    assert_eq!((prepared.nodes_agree, prepared.nodes_asked), (1, 1));
    assert_eq!(prepared.l1_fee_wei, Wei::new(2 * L1_FEE_WEI));
    assert!(prepared.gas_limit > 22_280, "a tag makes a transfer dearer than 21,000");

    let signed = transfer::sign(&prepared, &key).expect("signed");
    let sent = nodes.broadcast(&signed.raw).await.expect("sent");
    assert_eq!((sent.outcome, sent.hash, sent.known_by), (BroadcastOutcome::Accepted, signed.hash, 1));
    let receipt = mined(&nodes, signed.hash).await;
    assert_eq!(receipt.status, ReceiptStatus::Succeeded);
    assert!(nodes.transaction_known(signed.hash).await.expect("asked"));

    // Read back without any code of ours.
    let found = chain.rpc("eth_getTransactionByHash", json!([signed.hash.to_string()])).await.expect("found");
    assert_eq!(found["input"], json!(format!("0x61737031{TAG}")));
    assert_eq!(found["to"], json!(PAYMENT_ADDRESS_CHECKSUMMED.to_lowercase()));
    assert_eq!(found["value"], json!(quantity(value().get())));
    assert_eq!(found["chainId"], json!("0x2105"));
    assert_eq!(chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance"), value().get());
    let spent = ETHER - chain.balance(&key.address().to_string()).await.expect("a balance");
    assert!(spent <= prepared.need_wei.get(), "{spent} spent, {} announced", prepared.need_wei);
    assert!(spent > value().get() + L1_FEE_WEI, "the node charges an L1 fee too");
}

#[tokio::test]
async fn the_block_reader_sees_the_payment_and_nothing_else() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let reader = BlockReader::new(nodes(&[chain.url()]));
    chain.fund("0x00000000000000000000000000000000000000A1", 7).await.expect("a foreign transfer");
    let signed = pay(reader.nodes(), &key).await;
    let receipt = mined(reader.nodes(), signed.hash).await;

    let head = reader.head().await.expect("a head");
    assert_eq!((head.number, head.hash), (receipt.block_number, receipt.block_hash));
    let block = reader.block(head.number).await.expect("read").expect("there");
    assert_eq!((block.number, block.hash), (head.number, head.hash));
    let before = reader.block(head.number - 1).await.expect("read").expect("there");
    assert_eq!((before.hash, before.payments.len()), (block.parent_hash, 0));
    let [payment] = block.payments.as_slice() else { panic!("one payment: {:?}", block.payments) };
    assert_eq!((payment.hash, payment.payer, payment.value), (signed.hash, key.address(), value()));
    assert_eq!(payment.tag().map(|tag| tag.to_string()).as_deref(), Some(TAG));
    assert_eq!(reader.canonical(head.number, head.hash).await.expect("read"), Standing::Canonical);
    assert_eq!(reader.canonical(head.number, before.hash).await.expect("read"), Standing::Replaced);
    assert_eq!(reader.canonical(head.number + 1_000, head.hash).await.expect("read"), Standing::Unknown);
    assert_eq!(reader.block(head.number + 1_000).await.expect("read"), None);
}

#[tokio::test]
async fn a_reorganised_block_is_canonical_no_more() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let reader = BlockReader::new(nodes(&[chain.url()]));
    let signed = pay(reader.nodes(), &key).await;
    let receipt = mined(reader.nodes(), signed.hash).await;
    chain.rpc("anvil_reorg", json!([1, []])).await.expect("reorganised");
    assert_eq!(reader.canonical(receipt.block_number, receipt.block_hash).await.expect("read"), Standing::Replaced);
    assert_eq!(reader.nodes().receipt(signed.hash).await.expect("read"), None);
}

#[tokio::test]
async fn a_receipt_in_another_block_than_the_chains_is_none() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    let one = nodes(&[three.proxies[0].url()]);
    let signed = pay(&one, &key).await;
    let receipt = mined(&one, signed.hash).await;
    let mut block = three.chain.rpc("eth_getBlockByNumber", json!([quantity(receipt.block_number.into()), false])).await.expect("a block");
    block["hash"] = json!(format!("0x{}", "77".repeat(32)));
    three.lie(0, "eth_getBlockByNumber", block).await;
    assert_eq!(one.receipt(signed.hash).await, Ok(None));
}

#[tokio::test]
async fn nothing_sent_to_the_payment_address_is_no_payment() {
    let chain = still_chain().await;
    let reader = BlockReader::new(nodes(&[chain.url()]));
    let hash = chain.fund(PAYMENT_ADDRESS_CHECKSUMMED, 0).await.expect("sent");
    let receipt = mined(reader.nodes(), hash.parse().expect("a hash")).await;
    assert_eq!(reader.block(receipt.block_number).await.expect("read").expect("there").payments, []);
}

#[tokio::test]
async fn a_reverted_transfer_is_no_payment() {
    let chain = still_chain().await;
    let reader = BlockReader::new(nodes(&[chain.url()]));
    chain.set_code(PAYMENT_ADDRESS_CHECKSUMMED, "0x60006000fd").await.expect("code");
    let accounts = chain.rpc("eth_accounts", json!([])).await.expect("accounts");
    let request = json!([{"from": accounts[1], "to": PAYMENT_ADDRESS_CHECKSUMMED, "value": "0x5", "gas": "0x186a0"}]);
    let hash = chain.rpc("eth_sendTransaction", request).await.expect("sent");
    let receipt = mined(reader.nodes(), hash.as_str().expect("a hash").parse().expect("a hash")).await;
    assert_eq!(receipt.status, ReceiptStatus::Reverted);
    assert_eq!(reader.block(receipt.block_number).await.expect("read").expect("there").payments, []);
}

#[tokio::test]
async fn a_block_with_a_deposit_from_l1_is_read() {
    let chain = still_chain().await;
    let reader = BlockReader::new(nodes(&[chain.url()]));
    let accounts = chain.rpc("eth_accounts", json!([])).await.expect("accounts");
    let deposit = json!([{
        "type": "0x7e", "from": accounts[2], "to": PAYMENT_ADDRESS_CHECKSUMMED, "value": "0x9", "gas": "0x186a0", "input": "0x",
        "sourceHash": format!("0x{}", "11".repeat(32)), "mint": "0x0", "isSystemTx": false,
    }]);
    let hash = chain.rpc("eth_sendTransaction", deposit).await.expect("sent");
    let receipt = mined(reader.nodes(), hash.as_str().expect("a hash").parse().expect("a hash")).await;
    let found = chain.rpc("eth_getTransactionByHash", json!([hash])).await.expect("found");
    assert_eq!(found["type"], json!("0x7e"));
    let block = reader.block(receipt.block_number).await.expect("read").expect("there");
    assert_eq!(block.payments.iter().map(|payment| (payment.value, payment.tag())).collect::<Vec<_>>(), [(Wei::new(9), None)]);
}

#[tokio::test]
async fn not_enough_ether_is_told_to_the_wei() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    let need = prepared(&nodes, &key).await.expect("prepared").need_wei;
    let own = key.address().to_string();

    chain.set_balance(&own, need.get() - 1).await.expect("set");
    let short = prepared(&nodes, &key).await;
    assert_eq!(short, Err(TransferError::NotEnoughEther { need, balance: Wei::new(need.get() - 1) }));
    chain.set_balance(&own, 0).await.expect("set");
    let empty = prepared(&nodes, &key).await;
    assert!(
        matches!(empty, Err(TransferError::NotEnoughEther { need: told, balance: Wei::ZERO }) if told > value() && told <= need),
        "{empty:?}"
    );

    chain.set_balance(&own, need.get()).await.expect("set");
    let signed = pay(&nodes, &key).await;
    assert_eq!(mined(&nodes, signed.hash).await.status, ReceiptStatus::Succeeded);
}

#[tokio::test]
async fn a_payment_that_would_revert_is_not_prepared() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    chain.set_code(PAYMENT_ADDRESS_CHECKSUMMED, "0x60006000fd").await.expect("code");
    let refused = prepared(&nodes, &key).await;
    assert!(matches!(refused, Err(TransferError::SimulationFailed { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_node_that_estimates_what_would_revert_does_not_help() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    three.chain.set_code(PAYMENT_ADDRESS_CHECKSUMMED, "0x60006000fd").await.expect("code");
    for node in 0..3 {
        three.lie(node, "eth_estimateGas", json!("0x5de5")).await;
    }
    let refused = prepared(&three.nodes, &key).await;
    assert!(matches!(refused, Err(TransferError::SimulationFailed { .. })), "{refused:?}");
}

#[tokio::test]
async fn gas_beyond_the_least_counts_into_the_need() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    let plain = prepared(&nodes, &key).await.expect("prepared");
    // Writes one word: far dearer than a plain transfer.
    chain.set_code(PAYMENT_ADDRESS_CHECKSUMMED, "0x600160005500").await.expect("code");
    let dearer = prepared(&nodes, &key).await.expect("prepared");
    assert!(dearer.gas_limit > plain.gas_limit + 20_000 && dearer.need_wei > plain.need_wei);
    let balance = Wei::new(dearer.need_wei.get() - 1);
    chain.set_balance(&key.address().to_string(), balance.get()).await.expect("set");
    assert_eq!(prepared(&nodes, &key).await, Err(TransferError::NotEnoughEther { need: dearer.need_wei, balance }));
}

#[tokio::test]
async fn gas_at_any_price_is_refused() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    let dear = json!({"oldestBlock": "0x1", "baseFeePerGas": ["0x4a817c800", "0x4a817c800"], "gasUsedRatio": [0.5], "reward": [["0x1"]]});
    for node in 0..3 {
        three.lie(node, "eth_feeHistory", dear.clone()).await;
    }
    let refused = prepared(&three.nodes, &key).await;
    assert!(matches!(refused, Err(TransferError::FeeTooHigh { .. })), "{refused:?}");
    three.proxies[0].set(Fault::None).await;
    three.proxies[1].set(Fault::None).await;
    assert!(prepared(&three.nodes, &key).await.is_ok(), "one node alone cannot raise the fee");
}

#[tokio::test]
async fn sending_again_is_harmless() {
    let chain = Chain::start(ChainOptions::default()).await.expect("the chain starts");
    chain.set_block_seconds(0).await.expect("mining stops");
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    let signed = pay(&nodes, &key).await;
    assert_eq!(nodes.broadcast(&signed.raw).await.expect("sent").outcome, BroadcastOutcome::AlreadyKnown);
    assert_eq!(nodes.receipt(signed.hash).await.expect("asked"), None);
    assert!(nodes.transaction_known(signed.hash).await.expect("asked"));
    assert_eq!(nodes.pending_nonce(key.address()).await.expect("asked"), 1);
    assert_eq!(nodes.mined_nonce(key.address()).await.expect("asked"), 0);
    chain.mine(1).await.expect("mined");
    mined(&nodes, signed.hash).await;
    assert_eq!(nodes.broadcast(&signed.raw).await.expect("sent").outcome, BroadcastOutcome::NonceTooLow);
    assert_eq!(chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance"), value().get());
}

#[tokio::test]
async fn bytes_that_cannot_be_mined_are_refused_with_the_reason() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    let signed = transfer::sign(&prepared(&nodes, &key).await.expect("prepared"), &key).expect("signed");
    chain.set_balance(&key.address().to_string(), 1).await.expect("set");
    let refused = nodes.broadcast(&signed.raw).await;
    assert!(matches!(&refused, Err(ChainError::Refused { reason }) if !reason.is_empty()), "{refused:?}");
    assert!(!nodes.transaction_known(signed.hash).await.expect("asked"));
}

#[tokio::test]
async fn a_node_of_another_chain_has_no_say_and_nothing_is_signed() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    three.lie(1, "eth_chainId", json!("0x1")).await;
    let name = three.proxies[1].url().replace("http://", "");
    let wrong = ChainError::WrongChain { node: name, expected: 8453, found: 1 };
    assert_eq!(three.nodes.check_chain().await.map(drop), Err(wrong.clone()));
    assert_eq!(prepared(&three.nodes, &key).await.map(drop), Err(TransferError::Chain(wrong.clone())));
    assert_eq!(three.nodes.balance(key.address()).await, Ok(Wei::new(ETHER)), "two others are enough to read");
    let pair = nodes(&[three.proxies[0].url(), three.proxies[1].url()]);
    assert_eq!(pair.balance(key.address()).await, Err(wrong));

    let other = Chain::start(ChainOptions { chain_id: 1, ..ChainOptions::default() }).await.expect("another chain");
    let found = nodes(&[other.url()]).check_chain().await;
    assert!(matches!(found, Err(ChainError::WrongChain { found: 1, .. })), "{found:?}");
}

#[tokio::test]
async fn one_dead_node_of_three_does_not_matter_and_two_do() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    for fault in [Fault::Refuse, Fault::Hang, Fault::Status(503), Fault::Garble, Fault::Cut] {
        three.proxies[0].set(fault.clone()).await;
        let agreement = three.nodes.check_chain().await.expect("two are enough");
        assert_eq!((agreement.agree, agreement.asked), (2, 3), "{fault:?}");
        assert_eq!(three.nodes.balance(key.address()).await, Ok(Wei::new(ETHER)), "{fault:?}");
    }
    three.proxies[0].set(Fault::Status(503)).await;
    three.proxies[2].set(Fault::Hang).await;
    let urls: Vec<_> = three.proxies.iter().map(FaultProxy::url).collect();
    let hasty = Nodes::with_deadline(&urls, Duration::from_secs(3)).expect("nodes");
    let error = hasty.balance(key.address()).await.expect_err("one is not enough");
    let ChainError::Unreachable { answered: 1, needed: 2, reasons } = &error else { panic!("{error:?}") };
    assert_eq!(reasons.len(), 2);
    assert!(error.to_string().contains("HTTP 503") && error.to_string().contains("deadline"), "{error}");
}

#[tokio::test]
async fn a_payment_goes_through_with_one_dead_node() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    three.proxies[2].set(Fault::Refuse).await;
    // The nodes share one chain: mined at once, the second would call the nonce used.
    three.chain.rpc("evm_setAutomine", json!([false])).await.expect("mining stops");
    let prepared = prepared(&three.nodes, &key).await.expect("prepared");
    assert_eq!((prepared.nodes_agree, prepared.nodes_asked), (2, 3));
    let signed = transfer::sign(&prepared, &key).expect("signed");
    let sent = three.nodes.broadcast(&signed.raw).await.expect("sent");
    assert_eq!((sent.outcome, sent.known_by, sent.asked), (BroadcastOutcome::Accepted, 2, 3));
    three.chain.mine(1).await.expect("mined");
    assert_eq!(mined(&three.nodes, signed.hash).await.status, ReceiptStatus::Succeeded);
}

#[tokio::test]
async fn one_lying_node_of_three_changes_nothing() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    let signed = pay(&three.nodes, &key).await;
    let honest = mined(&three.nodes, signed.hash).await;

    three.lie(0, "eth_getTransactionCount", json!("0x63")).await;
    assert_eq!(three.nodes.pending_nonce(key.address()).await, Ok(1));
    let left = three.chain.balance(&key.address().to_string()).await.expect("a balance");
    for lie in ["0x0", "0xffffffffffffffffffffffff"] {
        three.lie(0, "eth_getBalance", json!(lie)).await;
        assert_eq!(three.nodes.balance(key.address()).await, Ok(Wei::new(left)));
    }
    let mut receipt = three.chain.rpc("eth_getTransactionReceipt", json!([signed.hash.to_string()])).await.expect("a receipt");
    three.lie(0, "eth_getTransactionReceipt", Value::Null).await;
    assert_eq!(three.nodes.receipt(signed.hash).await, Ok(Some(honest)));
    receipt["status"] = json!("0x0");
    three.lie(0, "eth_getTransactionReceipt", receipt.clone()).await;
    assert_eq!(three.nodes.receipt(signed.hash).await, Ok(Some(honest)));

    // A receipt that one node alone has is no receipt.
    let unknown = TransactionHash::from_bytes([9; 32]);
    receipt["transactionHash"] = json!(unknown.to_string());
    receipt["status"] = json!("0x1");
    three.lie(0, "eth_getTransactionReceipt", receipt).await;
    assert_eq!(three.nodes.receipt(unknown).await, Ok(None));
    let mut block = three.chain.rpc("eth_getBlockByNumber", json!(["latest", false])).await.expect("a block");
    block["number"] = json!("0xffffff");
    three.lie(0, "eth_getBlockByNumber", block).await;
    assert_eq!(three.nodes.block_number().await, Ok(honest.block_number));
}

#[tokio::test]
async fn two_nodes_that_contradict_each_other_are_not_believed() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    let pair = nodes(&[three.proxies[0].url(), three.proxies[1].url()]);
    let signed = pay(&pair, &key).await;
    let honest = mined(&pair, signed.hash).await;
    three.lie(0, "eth_getTransactionCount", json!("0x63")).await;
    assert_eq!(pair.pending_nonce(key.address()).await, Err(ChainError::Disagree { what: "the nonce" }));
    let mut receipt = three.chain.rpc("eth_getTransactionReceipt", json!([signed.hash.to_string()])).await.expect("a receipt");
    receipt["status"] = json!("0x0");
    three.lie(0, "eth_getTransactionReceipt", receipt).await;
    assert_eq!(pair.receipt(signed.hash).await, Err(ChainError::Disagree { what: "the receipt" }));
    let reader = BlockReader::new(pair);
    assert_eq!(reader.block(honest.block_number).await, Err(ChainError::Disagree { what: "the block's payments" }));
}

#[tokio::test]
async fn one_node_cannot_invent_a_payment() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    let signed = pay(&three.nodes, &key).await;
    let receipt = mined(&three.nodes, signed.hash).await;
    let mut block = three.chain.rpc("eth_getBlockByNumber", json!([quantity(receipt.block_number.into()), true])).await.expect("a block");
    block["transactions"][0]["value"] = json!("0xde0b6b3a7640000");
    for node in 0..3 {
        three.lie(node, "eth_getBlockByHash", block.clone()).await;
        let read = BlockReader::new(three.nodes.clone()).block(receipt.block_number).await.expect("read").expect("there");
        assert_eq!(read.payments.iter().map(|payment| payment.value).collect::<Vec<_>>(), [value()]);
        three.proxies[node].set(Fault::None).await;
    }
}

#[tokio::test]
async fn a_paused_node_costs_its_deadline_and_no_more() {
    let chain = still_chain().await;
    let nodes = Nodes::with_deadline(&[chain.url()], Duration::from_millis(500)).expect("nodes");
    chain.pause();
    let began = std::time::Instant::now();
    let error = nodes.block_number().await;
    assert!(matches!(error, Err(ChainError::Unreachable { .. })) && began.elapsed() < Duration::from_secs(8), "{error:?}");
    chain.resume();
    until("the node to answer again", DEADLINE, async || Ok(nodes.block_number().await.ok())).await.expect("it wakes");
}

#[test]
fn a_list_of_nodes_is_checked() {
    assert_eq!(Nodes::new(&[]).err(), Some(ChainError::NoNodes));
    assert!(matches!(Nodes::new(&["http://base.example.org".into()]).err(), Some(ChainError::Endpoint(_))));
    let same = Nodes::new(&["https://base.example.org".into(), "https://base.example.org/".into()]).expect("nodes");
    assert_eq!((same.asked(), same.needed()), (1, 1), "one node has one voice");
}

#[tokio::test]
async fn a_stuck_payment_is_sped_up_or_cancelled_at_its_own_nonce() {
    let chain = still_chain().await;
    chain.rpc("evm_setAutomine", json!([false])).await.expect("mining stops");
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    let stuck = pay(&nodes, &key).await;
    let old = transfer::decode(&stuck.raw).expect("ours");

    let faster = transfer::speed_up(&nodes, &stuck).await.expect("replaced");
    assert_eq!((faster.kind, faster.replaces, faster.nonce), (ReplacementKind::SpeedUp, stuck.hash, old.nonce));
    let raised = |old: Wei| Wei::new(old.get() + old.get().div_ceil(10));
    assert!(faster.max_fee_per_gas_wei >= raised(old.max_fee_per_gas_wei) && faster.tip_per_gas_wei >= raised(old.tip_per_gas_wei));
    let signed = transfer::sign_replacement(&faster, &key).expect("signed");
    let new = transfer::decode(&signed.raw).expect("ours");
    assert_eq!((new.to, new.value_wei, &new.calldata, new.gas_limit), (old.to, old.value_wei, &old.calldata, old.gas_limit));
    assert_eq!(transfer::decode_unsigned(&faster.unsigned_bytes()).expect("ours").nonce, old.nonce);
    assert_eq!(nodes.broadcast(&signed.raw).await.expect("sent").outcome, BroadcastOutcome::Accepted);

    let cancel = transfer::cancel(&nodes, &signed).await.expect("replaced");
    assert_eq!((cancel.to, cancel.value_wei, cancel.calldata.len()), (key.address(), Wei::ZERO, 0));
    assert!(cancel.max_fee_per_gas_wei >= raised(new.max_fee_per_gas_wei));
    let elsewhere = transfer::Replacement { to: payment_address(), ..cancel.clone() };
    assert_eq!(transfer::sign_replacement(&elsewhere, &key), Err(TransferError::SignedDiffers { field: "payee" }));
    let cancelled = transfer::sign_replacement(&cancel, &key).expect("signed");
    nodes.broadcast(&cancelled.raw).await.expect("sent");
    chain.mine(1).await.expect("mined");
    assert_eq!(mined(&nodes, cancelled.hash).await.status, ReceiptStatus::Succeeded);
    assert_eq!(nodes.receipt(signed.hash).await, Ok(None));
    assert_eq!(chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance"), 0, "only one of the three was mined");
    assert_eq!(transfer::speed_up(&nodes, &signed).await.map(drop), Err(TransferError::NonceUsed { nonce: old.nonce }));
}

#[tokio::test]
async fn a_payee_that_refuses_the_tag_alone_is_told_apart() {
    let chain = still_chain().await;
    let key = funded_key(&chain, ETHER).await;
    let nodes = nodes(&[chain.url()]);
    // Reverts where there is calldata: CALLDATASIZE, PUSH1 5, JUMPI, STOP, JUMPDEST, PUSH0, PUSH0, REVERT.
    chain.set_code(PAYMENT_ADDRESS_CHECKSUMMED, "0x36600557005b5f5ffd").await.expect("code");
    let refused = prepared(&nodes, &key).await;
    assert!(matches!(refused, Err(TransferError::TagRefused { .. })), "{refused:?}");
    let untagged = transfer::prepare_request(&nodes, key.address(), &PaymentRequest::untagged(value())).await.expect("prepared");
    assert_eq!(untagged.tag, None);
    assert!(transfer::sign(&untagged, &key).is_ok());
}

#[tokio::test]
async fn what_was_really_sent_is_read_by_its_hash() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    three.chain.rpc("evm_setAutomine", json!([false])).await.expect("mining stops");
    let signed = pay(&nodes(&[three.chain.url()]), &key).await;
    let state = three.nodes.find_transaction(signed.hash).await.expect("asked");
    let TransactionState::Pending(sent) = state else { panic!("{state:?}") };
    assert_eq!((sent.from, sent.to, sent.value), (key.address(), Some(payment_address()), value()));
    assert_eq!(aispace_payments::tag::parse_calldata(&sent.input), Some(secret().tag()));
    // A node that shows other contents under the same hash is not believed.
    let mut altered = three.chain.rpc("eth_getTransactionByHash", json!([signed.hash.to_string()])).await.expect("found");
    altered["value"] = json!("0x1");
    for node in 0..3 {
        three.lie(node, "eth_getTransactionByHash", altered.clone()).await;
    }
    assert!(matches!(three.nodes.transaction(signed.hash).await, Err(ChainError::Unreachable { .. })));
    for proxy in &three.proxies {
        proxy.set(Fault::None).await;
    }
    three.chain.mine(1).await.expect("mined");
    let state = three.nodes.find_transaction(signed.hash).await.expect("asked");
    assert!(matches!(state, TransactionState::Mined { transaction: Some(_), .. }), "{state:?}");
    let unknown = three.nodes.find_transaction(TransactionHash::from_bytes([9; 32])).await;
    assert_eq!(unknown, Ok(TransactionState::Unknown));
}

#[tokio::test]
async fn a_node_that_is_behind_has_no_say_on_the_newest_state() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    three.chain.mine(20).await.expect("mined");
    let mut old = three.chain.rpc("eth_getBlockByNumber", json!(["0x2", false])).await.expect("a block");
    old["number"] = json!("0x2");
    let lies = [("eth_getBlockByNumber".to_string(), old), ("eth_getBalance".to_string(), json!("0x1"))];
    three.proxies[0].set(Fault::Override(lies.into())).await;
    assert_eq!(three.nodes.balance(key.address()).await, Ok(Wei::new(ETHER)));
    three.nodes.block_number().await.expect("a height");
    let health = three.nodes.health();
    let name = three.proxies[0].url().replace("http://", "");
    let behind = health.iter().find(|node| node.name == name).expect("listed");
    assert!(behind.behind.is_some_and(|blocks| blocks > 5), "{health:?}");

    // With it, one other is not enough.
    let pair = nodes(&[three.proxies[0].url(), three.proxies[1].url()]);
    assert!(pair.balance(key.address()).await.is_err());
}

#[tokio::test]
async fn another_first_block_than_bases_is_another_chain() {
    let chain = still_chain().await;
    let with =
        |genesis| Nodes::with_options(&[chain.url()], NodeOptions { genesis: Some(genesis), ..NodeOptions::default() }).expect("nodes");
    let first = nodes(&[chain.url()]).block_hash(0).await.expect("read").expect("there");
    assert!(with(first).block_number().await.is_ok());
    let other = with(aispace_payments::BlockHash::from_bytes([7; 32])).block_number().await;
    assert!(matches!(other, Err(ChainError::WrongGenesis { .. })), "{other:?}");
}

#[tokio::test]
async fn a_failing_node_rests_and_is_used_again_when_the_others_are_too_few() {
    let three = Three::start().await;
    let key = funded_key(&three.chain, ETHER).await;
    three.proxies[0].set(Fault::Status(429)).await;
    three.nodes.check_chain().await.expect("two are enough");
    let name = three.proxies[0].url().replace("http://", "");
    let resting = |nodes: &Nodes| nodes.health().into_iter().find(|node| node.name == name).is_some_and(|node| node.resting.is_some());
    assert!(resting(&three.nodes), "{:?}", three.nodes.health());
    three.proxies[0].set(Fault::None).await;
    three.proxies[1].set(Fault::Refuse).await;
    assert_eq!(three.nodes.balance(key.address()).await, Ok(Wei::new(ETHER)), "asked although it rests");
    assert!(!resting(&three.nodes), "an answer ends the rest");
}

#[tokio::test]
async fn every_node_is_looked_at_also_when_fewer_would_be_enough() {
    let three = Three::start().await;
    three.proxies[0].set(Fault::Slow(Duration::from_millis(1_500))).await;
    three.proxies[1].set(Fault::Refuse).await;
    three.nodes.look_at_each().await;
    let health = three.nodes.health();
    let of = |at: usize| health.iter().find(|node| node.name == three.proxies[at].url().replace("http://", "")).expect("listed");
    assert!(of(0).height.is_some() && of(0).trouble.is_none(), "{health:?}");
    assert!(of(1).height.is_none() && of(1).trouble.is_some(), "{health:?}");
    assert!(of(2).height.is_some() && of(2).trouble.is_none(), "{health:?}");
}
