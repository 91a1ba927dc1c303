//! Payments that contracts make, against a real node: found by the balance, told by the trace, claimed by the contract's word.

use aispace_payments::{
    EthAddress, PAYMENT_ADDRESS_CHECKSUMMED, TransactionHash,
    chain::{ChainError, Nodes},
    claim::{ClaimError, ClaimProof, ClaimSignature, ClaimSigner, PaymentClaim},
    tag::{ClaimSecret, OrderTag, calldata},
    watch::{BlockReader, Reconciliation, SeenPayment, WatchedBlock},
};
use aispace_testkit::{
    chain::{Chain, ChainOptions, quantity, read_quantity},
    fault::{Fault, FaultProxy},
    process::until,
};
use aispace_units::Wei;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const DEADLINE: Duration = Duration::from_secs(20);
const ETHER: u128 = 1_000_000_000_000_000_000;
const FORWARDER: &str = "0x00000000000000000000000000000000000000f1";
const BATCH: &str = "0x00000000000000000000000000000000000000f2";
const ENDING: &str = "0x00000000000000000000000000000000000000f3";
const REVERTING: &str = "0x00000000000000000000000000000000000000f4";
const TRYING: &str = "0x00000000000000000000000000000000000000f5";
const WALLET: &str = "0x00000000000000000000000000000000000000f6";

fn bare(address: &str) -> String {
    address.trim_start_matches("0x").to_lowercase()
}

/// Calls an address: value and gas as given, data from memory.
fn call(to: &str, value: &str, data_at: &str, data_bytes: &str) -> String {
    format!("60006000{data_bytes}{data_at}{value}73{}5af1", bare(to))
}

/// Puts the calldata at the start of memory.
const TAKE_DATA: &str = "366000600037";
const ALL_VALUE: &str = "34";
const HALF_OF_VALUE: &str = "60023404";

fn forward() -> String {
    format!("{TAKE_DATA}{}", call(PAYMENT_ADDRESS_CHECKSUMMED, ALL_VALUE, "6000", "36"))
}

/// Pays twice: half each, the first with the first 36 bytes of the data, the second with the next.
fn batch() -> String {
    let half = |at: &str| call(PAYMENT_ADDRESS_CHECKSUMMED, HALF_OF_VALUE, at, "6024");
    format!("0x{TAKE_DATA}{}50{}00", half("6000"), half("6024"))
}

/// Has a contract pay half that reverts, takes no notice, and pays one wei itself.
fn trying() -> String {
    format!(
        "0x{TAKE_DATA}{}50{}00",
        call(REVERTING, HALF_OF_VALUE, "6000", "36"),
        call(PAYMENT_ADDRESS_CHECKSUMMED, "6001", "6000", "6000")
    )
}

/// A smart wallet: forwards what it is given, and vouches (ERC-1271) for signatures of its owner by the curve's own precompile.
fn wallet(owner: EthAddress) -> String {
    let take = |bytes: &str, from: &str, to: &str| format!("60{bytes}60{from}60{to}37");
    let signature = [take("20", "04", "00"), take("40", "64", "40"), take("01", "a4", "3f")].concat();
    let recover = "602060806080600060015afa50";
    let compare = format!("60805173{}14", bare(&owner.to_string()));
    let answer = format!("7f1626ba7e{}0260005260206000f3", "00".repeat(28));
    let vouch = [signature.as_str(), recover, &compare, &answer].concat();
    format!("0x3460{:02x}57{vouch}5b{}00", 4 + vouch.len() / 2, forward())
}

/// A chain that mines only when it is given a transaction, with contracts on it.
async fn chain() -> Chain {
    let chain = Chain::start(ChainOptions { block_seconds: None, ..ChainOptions::default() }).await.expect("the chain starts");
    let ours = bare(PAYMENT_ADDRESS_CHECKSUMMED);
    for (address, code) in [
        (FORWARDER, format!("0x{}00", forward())),
        (BATCH, batch()),
        (ENDING, format!("0x73{ours}ff")),
        (REVERTING, format!("0x{}60006000fd", forward())),
        (TRYING, trying()),
    ] {
        chain.set_code(address, &code).await.expect("code");
    }
    chain
}

fn tag(byte: u8) -> OrderTag {
    ClaimSecret::from_bytes([byte; 32]).tag()
}

fn reader(urls: &[String]) -> BlockReader {
    BlockReader::new(Nodes::with_deadline(urls, Duration::from_secs(10)).expect("nodes"))
}

/// Sends from one of the node's own accounts.
async fn send(chain: &Chain, account: usize, to: &str, wei: u128, data: &[u8]) -> TransactionHash {
    let accounts = chain.rpc("eth_accounts", json!([])).await.expect("accounts");
    let request = json!([{"from": accounts[account], "to": to, "value": quantity(wei), "data": format!("0x{}", hex::encode(data)), "gas": "0x493e0"}]);
    chain.rpc("eth_sendTransaction", request).await.expect("sent").as_str().expect("a hash").parse().expect("a hash")
}

/// Sends, and waits until it is mined.
async fn paid(chain: &Chain, account: usize, to: &str, wei: u128, data: &[u8]) -> TransactionHash {
    let hash = send(chain, account, to, wei, data).await;
    let receipt = async || Ok(Some(chain.rpc("eth_getTransactionReceipt", json!([hash])).await?).filter(|receipt| !receipt.is_null()));
    until("the receipt", DEADLINE, receipt).await.expect("mined");
    hash
}

fn at(address: &str) -> EthAddress {
    EthAddress::from_bytes(hex::decode(bare(address)).expect("hex").try_into().expect("20 bytes"))
}

async fn own_account(chain: &Chain, account: usize) -> EthAddress {
    let accounts = chain.rpc("eth_accounts", json!([])).await.expect("accounts");
    at(accounts[account].as_str().expect("an address"))
}

async fn newest(chain: &Chain, reader: &BlockReader) -> WatchedBlock {
    let number = u64::try_from(chain.block_number().await.expect("a height")).expect("small");
    reader.block(number).await.expect("read").expect("there")
}

fn values(block: &WatchedBlock) -> Vec<(u32, u128, Option<OrderTag>)> {
    block.payments.iter().map(|payment| (payment.position, payment.value.get(), payment.tag())).collect()
}

/// Nodes in front of one chain, each of which can be made to fail or lie.
async fn three(chain: &Chain) -> (Vec<FaultProxy>, BlockReader) {
    let mut proxies = Vec::new();
    for _ in 0..3 {
        proxies.push(FaultProxy::start(&chain.url()).await.expect("a proxy"));
    }
    let reader = reader(&proxies.iter().map(FaultProxy::url).collect::<Vec<_>>());
    (proxies, reader)
}

fn answering(method: &str, result: Value) -> Fault {
    Fault::Override(BTreeMap::from([(method.to_string(), result)]))
}

const TRACE: &str = "debug_traceBlockByHash";

#[tokio::test]
async fn a_contract_s_payment_is_seen_with_its_tag() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    let hash = paid(&chain, 1, FORWARDER, 7_000, &calldata(tag(1))).await;
    let block = newest(&chain, &reader).await;
    let (payer, tx_from) = (at(FORWARDER), own_account(&chain, 1).await);
    let expected =
        SeenPayment { hash, position: 1, payer, tx_from, value: Wei::new(7_000), input: calldata(tag(1)), block_time: block.timestamp };
    assert_eq!((block.payments.as_slice(), block.reconciliation), ([expected].as_slice(), Reconciliation::Exact));
}

#[tokio::test]
async fn one_transaction_may_pay_two_orders() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    paid(&chain, 1, BATCH, 10, &[calldata(tag(1)), calldata(tag(2))].concat()).await;
    let block = newest(&chain, &reader).await;
    assert_eq!(values(&block), [(1, 5, Some(tag(1))), (2, 5, Some(tag(2)))]);
    assert_eq!(block.reconciliation, Reconciliation::Exact);
}

#[tokio::test]
async fn what_a_call_took_back_is_no_payment() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    paid(&chain, 1, TRYING, 10, &calldata(tag(1))).await;
    let block = newest(&chain, &reader).await;
    assert_eq!(values(&block), [(1, 1, None)]);
    assert_eq!(block.reconciliation, Reconciliation::Exact);
    assert_eq!(chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance"), 1);

    paid(&chain, 1, REVERTING, 10, &calldata(tag(1))).await;
    let reverted = newest(&chain, &reader).await;
    assert_eq!((values(&reverted), reverted.reconciliation), (vec![], Reconciliation::Exact));
}

#[tokio::test]
async fn what_an_ending_contract_leaves_is_a_payment_without_a_tag() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    paid(&chain, 1, ENDING, 9, &calldata(tag(1))).await;
    let block = newest(&chain, &reader).await;
    assert_eq!((values(&block), block.reconciliation), (vec![(1, 9, None)], Reconciliation::Exact));
}

#[tokio::test]
async fn a_block_holds_payments_of_every_kind_in_order() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    chain.rpc("evm_setAutomine", json!([false])).await.expect("mining stops");
    let accounts = chain.rpc("eth_accounts", json!([])).await.expect("accounts");
    let deposit = json!([{
        "type": "0x7e", "from": accounts[9], "to": PAYMENT_ADDRESS_CHECKSUMMED, "value": "0x9", "gas": "0x186a0", "input": "0x",
        "sourceHash": format!("0x{}", "11".repeat(32)), "mint": "0x5", "isSystemTx": false,
    }]);
    chain.rpc("eth_sendTransaction", deposit).await.expect("sent");
    for account in 1..=5 {
        let wei = 100 * u128::try_from(account).expect("small");
        send(&chain, account, PAYMENT_ADDRESS_CHECKSUMMED, wei, &calldata(tag(1))).await;
    }
    send(&chain, 6, FORWARDER, 31, &calldata(tag(3))).await;
    send(&chain, 7, BATCH, 84, &[calldata(tag(4)), calldata(tag(5))].concat()).await;
    send(&chain, 8, "0x00000000000000000000000000000000000000A1", 77, &[]).await;
    chain.mine(1).await.expect("mined");
    let block = newest(&chain, &reader).await;
    let total: u128 = block.payments.iter().map(|payment| payment.value.get()).sum();
    assert_eq!((block.payments.len(), block.reconciliation), (9, Reconciliation::Exact), "{block:?}");
    assert_eq!(total, 9 + 1_500 + 31 + 84);
    assert_eq!(chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance"), total);
    let told = chain.rpc("eth_getBlockByNumber", json!([quantity(block.number.into()), false])).await.expect("a block");
    let order: Vec<String> =
        told["transactions"].as_array().expect("hashes").iter().map(|hash| hash.as_str().expect("a hash").into()).collect();
    let places = block.payments.iter().map(|payment| {
        let index = order.iter().position(|hash| *hash == payment.hash.to_string()).expect("in the block");
        (index, payment.position)
    });
    let places: Vec<_> = places.collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
}

#[tokio::test]
async fn without_a_trace_what_arrived_is_told_and_later_explained() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    paid(&chain, 1, FORWARDER, 7_000, &calldata(tag(1))).await;
    for proxy in &proxies {
        proxy.set(answering(TRACE, Value::Null)).await;
    }
    let blind = newest(&chain, &reader).await;
    assert_eq!((values(&blind), blind.reconciliation), (vec![], Reconciliation::Surplus { wei: Wei::new(7_000) }));
    assert_eq!(blind.reconciliation.unexplained(), Wei::new(7_000));
    // One node alone is not believed, two are.
    proxies[1].set(Fault::None).await;
    assert_eq!(newest(&chain, &reader).await, blind);
    proxies[2].set(Fault::None).await;
    let seen = newest(&chain, &reader).await;
    assert_eq!((values(&seen), seen.reconciliation), (vec![(1, 7_000, Some(tag(1)))], Reconciliation::Exact));
}

#[tokio::test]
async fn a_node_that_lies_about_calls_changes_nothing() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    paid(&chain, 1, FORWARDER, 7_000, &calldata(tag(1))).await;
    let honest = newest(&chain, &reader).await;
    let mut trace = chain.rpc(TRACE, json!([honest.hash, {"tracer": "callTracer"}])).await.expect("a trace");
    trace[0]["result"]["calls"][0]["input"] = json!(format!("0x{}", hex::encode(calldata(tag(66)))));
    for (at, liar) in proxies.iter().enumerate() {
        for lie in [trace.clone(), json!([])] {
            liar.set(answering(TRACE, lie)).await;
            assert_eq!(newest(&chain, &reader).await, honest, "{at}");
        }
        liar.set(Fault::None).await;
    }
    // Two that lie alike have the quorum for calls, and yet cannot make more of them than the balance does.
    trace[0]["result"]["calls"][0]["value"] = json!("0x1b59");
    for proxy in &proxies[..2] {
        proxy.set(answering(TRACE, trace.clone())).await;
    }
    let refused = newest(&chain, &reader).await;
    assert_eq!((values(&refused), refused.reconciliation), (vec![], Reconciliation::Surplus { wei: Wei::new(7_000) }));
}

#[tokio::test]
async fn money_that_goes_out_does_not_hide_a_payment() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    chain.set_balance(PAYMENT_ADDRESS_CHECKSUMMED, ETHER).await.expect("set");
    chain.rpc("anvil_impersonateAccount", json!([PAYMENT_ADDRESS_CHECKSUMMED])).await.expect("impersonated");
    chain.rpc("evm_setAutomine", json!([false])).await.expect("mining stops");
    let out =
        json!([{"from": PAYMENT_ADDRESS_CHECKSUMMED, "to": "0x00000000000000000000000000000000000000A1", "value": quantity(ETHER / 2)}]);
    chain.rpc("eth_sendTransaction", out).await.expect("sent");
    send(&chain, 1, FORWARDER, ETHER / 4, &calldata(tag(1))).await;
    send(&chain, 2, PAYMENT_ADDRESS_CHECKSUMMED, 5, &calldata(tag(2))).await;
    chain.mine(1).await.expect("mined");
    let block = newest(&chain, &reader).await;
    let mut seen = values(&block);
    seen.sort();
    assert_eq!(seen, [(0, 5, Some(tag(2))), (1, ETHER / 4, Some(tag(1)))]);
    assert_eq!(block.reconciliation, Reconciliation::Exact);
}

#[tokio::test]
async fn ether_that_came_by_no_call_is_told() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    // Whoever makes the block gets the tips, and no call says so.
    chain.rpc("anvil_setCoinbase", json!([PAYMENT_ADDRESS_CHECKSUMMED])).await.expect("set");
    paid(&chain, 1, PAYMENT_ADDRESS_CHECKSUMMED, 2, &calldata(tag(1))).await;
    let block = newest(&chain, &reader).await;
    let tips = chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance") - 2;
    assert!(tips > 0);
    assert_eq!((values(&block), block.reconciliation), (vec![(0, 2, Some(tag(1)))], Reconciliation::Surplus { wei: Wei::new(tips) }));
}

#[tokio::test]
async fn code_at_the_payment_address_has_every_block_traced() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    // Sends on what it gets: the balance never moves.
    chain.set_code(PAYMENT_ADDRESS_CHECKSUMMED, &format!("0x{}00", call(ENDING, ALL_VALUE, "6000", "6000"))).await.expect("code");
    chain.set_code(ENDING, "0x00").await.expect("code");
    paid(&chain, 1, FORWARDER, 8, &calldata(tag(1))).await;
    let block = newest(&chain, &reader).await;
    assert_eq!(chain.balance(PAYMENT_ADDRESS_CHECKSUMMED).await.expect("a balance"), 0);
    assert_eq!((values(&block), block.reconciliation), (vec![(1, 8, Some(tag(1)))], Reconciliation::Exact));
    for proxy in &proxies {
        proxy.set(answering(TRACE, Value::Null)).await;
    }
    assert_eq!(newest(&chain, &reader).await.reconciliation, Reconciliation::Unchecked);
}

#[tokio::test]
async fn nodes_that_keep_no_old_balances_still_show_payments() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    paid(&chain, 1, PAYMENT_ADDRESS_CHECKSUMMED, 5, &calldata(tag(1))).await;
    let number = u64::try_from(chain.block_number().await.expect("a height")).expect("small");
    for proxy in &proxies {
        proxy.set(answering("eth_getBalance", Value::Null)).await;
    }
    // Of a new block the balance will be known in a moment: it is waited for.
    assert!(matches!(reader.block(number).await, Err(ChainError::Disagree { .. })));
    chain.mine(70).await.expect("mined");
    let block = reader.block(number).await.expect("read").expect("there");
    assert_eq!((values(&block), block.reconciliation), (vec![(0, 5, Some(tag(1)))], Reconciliation::Unchecked));
    // One node that says another balance than the others is outvoted.
    for proxy in &proxies[1..] {
        proxy.set(Fault::None).await;
    }
    proxies[0].set(answering("eth_getBalance", json!("0x77"))).await;
    assert_eq!(reader.block(number).await.expect("read").expect("there").reconciliation, Reconciliation::Exact);
}

#[tokio::test]
async fn whatever_ails_one_node_the_block_is_the_same() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    paid(&chain, 1, FORWARDER, 7, &calldata(tag(1))).await;
    paid(&chain, 1, PAYMENT_ADDRESS_CHECKSUMMED, 5, &calldata(tag(2))).await;
    let last = reader.head().await.expect("a head").number;
    let (first, honest) = (last - 1, [reader.block(last - 1).await, reader.block(last).await]);
    let faults = [
        Fault::Refuse,
        Fault::Status(429),
        Fault::Status(503),
        Fault::Garble,
        Fault::Cut,
        answering("eth_chainId", json!("0x2105")),
        answering("eth_getBlockByNumber", Value::Null),
        answering("eth_getBlockByHash", Value::Null),
        answering("eth_getBlockByHash", json!({"hash": format!("0x{}", "11".repeat(32)), "transactions": []})),
        answering("eth_getBalance", json!("0x0")),
        answering("eth_getBalance", json!(7)),
        answering("eth_getTransactionCount", json!("0x1")),
        answering("eth_getCode", json!("0x6000")),
        answering("eth_getTransactionReceipt", Value::Null),
        answering("eth_getTransactionReceipt", json!({"status": "0x0"})),
        answering("eth_blockNumber", json!("0xffffff")),
        Fault::HangOn("eth_getBlockByHash"),
        Fault::Hang,
    ];
    for (turn, fault) in faults.into_iter().enumerate() {
        proxies[turn % 3].set(fault.clone()).await;
        let mut stream = reader.blocks_from(first);
        for expected in &honest {
            let block = stream.next().await;
            assert_eq!(&block, expected, "{fault:?}");
        }
        proxies[turn % 3].set(Fault::None).await;
    }
}

#[tokio::test]
async fn blocks_read_ahead_are_those_read_one_by_one() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    for round in 0..4u8 {
        chain.mine(23).await.expect("mined");
        paid(&chain, 1, PAYMENT_ADDRESS_CHECKSUMMED, 5, &calldata(tag(round))).await;
        paid(&chain, 2, FORWARDER, 6, &calldata(tag(round))).await;
    }
    let head = reader.head().await.expect("a head").number;
    let mut stream = reader.blocks_from(1);
    let (mut parent, mut payments) = (None, 0);
    for number in 1..=head {
        if number == 40 {
            proxies[1].set(Fault::Refuse).await;
        }
        let block = stream.next().await.expect("read").expect("there");
        assert_eq!(block.number, number);
        assert!(parent.is_none_or(|parent| parent == block.parent_hash));
        assert_eq!(Some(&block), reader.block(number).await.expect("read").as_ref());
        assert_eq!(block.reconciliation, Reconciliation::Exact);
        (parent, payments) = (Some(block.hash), payments + block.payments.len());
    }
    assert_eq!(payments, 8);
    assert_eq!(stream.next().await, Ok(None));
    // It goes on where it ended, after a failure too.
    paid(&chain, 1, PAYMENT_ADDRESS_CHECKSUMMED, 5, &calldata(tag(9))).await;
    proxies[0].set(Fault::Refuse).await;
    assert!(stream.next().await.is_err(), "one node of three is too few");
    proxies[0].set(Fault::None).await;
    let block = stream.next().await.expect("read").expect("there");
    assert_eq!((block.number, values(&block)), (head + 1, vec![(0, 5, Some(tag(9)))]));
}

#[tokio::test]
async fn after_a_reorganisation_the_payment_is_where_it_now_is() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    paid(&chain, 1, FORWARDER, 7, &calldata(tag(1))).await;
    let before = newest(&chain, &reader).await;
    chain.rpc("anvil_reorg", json!([1, []])).await.expect("reorganised");
    let after = reader.block(before.number).await.expect("read").expect("there");
    assert_ne!(before.hash, after.hash);
    assert_eq!((values(&after), after.reconciliation), (vec![], Reconciliation::Exact));
    let finality = reader.finality().await.expect("read");
    assert!(finality.finalized.number <= finality.safe.number && finality.safe.number <= finality.head.number);
    assert_eq!(finality.head, reader.head().await.expect("read"));
}

async fn block_time(chain: &Chain) -> DateTime<Utc> {
    let block = chain.rpc("eth_getBlockByNumber", json!(["latest", false])).await.expect("a block");
    let seconds = read_quantity(&block["timestamp"]).expect("a time");
    DateTime::from_timestamp(i64::try_from(seconds).expect("small"), 0).expect("a time")
}

/// Signs as a wallet does that is asked by `eth_signTypedData_v4`.
async fn signed(chain: &Chain, account: EthAddress, claim: &PaymentClaim) -> ClaimSignature {
    let typed: Value = serde_json::from_str(&claim.typed_data_json()).expect("JSON");
    let signature = chain.rpc("eth_signTypedData_v4", json!([account.to_string(), typed])).await.expect("signed");
    signature.as_str().expect("a signature").parse().expect("a signature")
}

#[tokio::test]
async fn a_claim_is_the_payer_s_alone() {
    let chain = chain().await;
    let (proxies, reader) = three(&chain).await;
    let nodes = reader.nodes();
    let (owner, thief) = (own_account(&chain, 1).await, own_account(&chain, 2).await);
    chain.set_code(WALLET, &wallet(owner)).await.expect("code");
    paid(&chain, 1, PAYMENT_ADDRESS_CHECKSUMMED, 5_000, &[]).await;
    let by_key = newest(&chain, &reader).await.payments.remove(0);
    paid(&chain, 1, WALLET, 6_000, &[]).await;
    let by_contract = newest(&chain, &reader).await.payments.remove(0);
    assert_eq!((by_key.payer, by_contract.payer), (owner, at(WALLET)));
    let now = block_time(&chain).await;
    for (payment, signer) in [(&by_key, ClaimSigner::Key), (&by_contract, ClaimSigner::Contract)] {
        let claim = PaymentClaim::new(payment.hash, "order-1", payment.value, now + TimeDelta::minutes(10));
        assert_eq!(claim.check_payment(payment), Ok(()));
        let good = signed(&chain, owner, &claim).await;
        let proof = ClaimProof { payer: payment.payer, signed_by: signer };
        assert_eq!(claim.verify(&good, payment.payer, nodes, now).await, Ok(proof));
        // Another person's signature, and the right one for another order.
        let denied = Err(ClaimError::NotThePayer { payer: payment.payer });
        assert_eq!(claim.verify(&signed(&chain, thief, &claim).await, payment.payer, nodes, now).await, denied);
        let stolen = PaymentClaim { order_id: "order-2".into(), ..claim.clone() };
        assert_eq!(stolen.verify(&good, payment.payer, nodes, now).await, denied);
        // One node that vouches for everything has one voice.
        let vouching = json!(format!("0x1626ba7e{}", "00".repeat(28)));
        proxies[0].set(Fault::Override(BTreeMap::from([("eth_call".into(), vouching), ("eth_getCode".into(), json!("0x00"))]))).await;
        assert_eq!(stolen.verify(&good, payment.payer, nodes, now).await, denied);
        proxies[0].set(Fault::None).await;
    }
    // Whoever sent the transaction through the wallet is not its payer.
    assert_eq!(by_contract.tx_from, owner);
}

#[tokio::test]
async fn a_contract_that_fails_or_answers_oddly_vouches_for_nothing() {
    let chain = chain().await;
    let reader = reader(&[chain.url()]);
    let owner = own_account(&chain, 1).await;
    let now = block_time(&chain).await;
    let claim = PaymentClaim::new(TransactionHash::from_bytes([1; 32]), "order-1", Wei::new(5), now + TimeDelta::minutes(10));
    let signature = signed(&chain, owner, &claim).await;
    let payer = at(WALLET);
    let word = |word: &str| format!("0x7f{word}60005260206000f3");
    for code in [
        "0x60006000fd".to_string(),
        "0x00".to_string(),
        word(&"0".repeat(64)),
        word(&format!("{:064x}", 1)),
        word(&format!("1626ba7e{}01", "00".repeat(27))),
    ] {
        chain.set_code(WALLET, &code).await.expect("code");
        assert_eq!(claim.verify(&signature, payer, reader.nodes(), now).await, Err(ClaimError::NotThePayer { payer }), "{code}");
    }
    // A key that lets code act for it (EIP-7702) still signs as itself.
    chain.set_code(&owner.to_string(), "0x60006000fd").await.expect("code");
    let proof = ClaimProof { payer: owner, signed_by: ClaimSigner::Key };
    assert_eq!(claim.verify(&signature, owner, reader.nodes(), now).await, Ok(proof));
}
