//! The nodes' half.

use crate::PlainPort;
use aispace_payments::{
    EthAddress, OsEntropy, TransactionHash,
    chain::{ChainError, Execution, FeedError, Fees, NodeOptions, Nodes, TransferCall},
    payment_address,
    signer::SpendingKey,
    tag::{OrderTag, calldata},
    transfer,
};
use aispace_testkit::{
    chain::{Chain, ChainOptions, quantity},
    fault::{Fault, FaultProxy},
};
use aispace_units::Wei;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Debug, io::Write as _, sync::Arc, time::Duration};

const ETHER: u128 = 1_000_000_000_000_000_000;
const DEADLINE: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Chain,
    Balance,
    PendingNonce,
    MinedNonce,
    Height,
    Fees,
    Gas,
    Simulation,
    L1Fee,
    OperatorFee,
    Receipt,
    Block,
    SafeBlock,
    Transaction,
    Feed,
    Broadcast,
}

const QUESTIONS: [Question; 16] = [
    Question::Chain,
    Question::Balance,
    Question::PendingNonce,
    Question::MinedNonce,
    Question::Height,
    Question::Fees,
    Question::Gas,
    Question::Simulation,
    Question::L1Fee,
    Question::OperatorFee,
    Question::Receipt,
    Question::Block,
    Question::SafeBlock,
    Question::Transaction,
    Question::Feed,
    Question::Broadcast,
];

/// What is wrong with a bad node.
#[derive(Debug, Clone)]
enum Wrong {
    /// It gives no usable answer.
    Dead(Fault),
    /// It does not speak TLS.
    Tls,
    OtherChain,
    Stale,
    Lies,
    OtherBlocks,
    SaysReverted,
    /// It is silent to one method.
    HalfDead(&'static str),
}

/// What may come of it.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// What the honest say.
    Same,
    /// This refusal and nothing else.
    Refusal(&'static str),
    /// What the honest say, a refusal that names a reason, or "not known yet".
    SameOrPlain,
}

/// What nodes said: an answer, or what kind of refusal it is.
type Said = Result<String, &'static str>;

struct World {
    chain: Chain,
    proxies: Vec<FaultProxy>,
    plain: PlainPort,
    payer: EthAddress,
    mined: TransactionHash,
    waiting: Vec<u8>,
    number: u64,
    now: DateTime<Utc>,
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_node_of_three_changes_nothing_and_two_make_a_refusal_at_worst() {
    let world = World::start().await;
    let honest = world.said(&world.nodes(0)).await;
    for (question, said) in QUESTIONS.iter().zip(&honest) {
        assert!(said.as_ref().is_ok_and(|text| text != "None"), "{question:?}: {said:?}");
    }
    let (mut cells, mut wrong_cells) = (0, Vec::new());
    for wrong in wrongs() {
        for bad in [1, 2] {
            world.break_nodes(&wrong, bad).await;
            let tls = if matches!(wrong, Wrong::Tls) { bad } else { 0 };
            let said = world.said(&world.nodes(tls)).await;
            for ((question, said), honest) in QUESTIONS.iter().zip(said).zip(&honest) {
                cells += 1;
                let expected = expected(*question, &wrong, bad);
                if !fits(&expected, &said, honest) {
                    wrong_cells.push(format!("{question:?} with {bad} × {wrong:?}: {expected:?}, but {said:?} (honest: {honest:?})"));
                }
            }
        }
    }
    let _ = writeln!(
        std::io::stdout().lock(),
        "{cells} cells: {} questions × {} faults × one or two bad nodes of three",
        QUESTIONS.len(),
        wrongs().len()
    );
    assert_eq!(wrong_cells, Vec::<String>::new());
}

fn wrongs() -> Vec<Wrong> {
    let dead = [
        Fault::Hang,
        Fault::Refuse,
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(429),
        Fault::Cut,
        Fault::Garble,
        Fault::Override(methods().map(|method| (method.to_string(), json!({"wrong": [true]}))).into()),
        Fault::Drip(Duration::from_millis(60)),
        Fault::RpcError(&[], -32_005, "daily request count exceeded"),
        Fault::RpcError(&[], -32_603, "internal error"),
    ];
    let others = [
        Wrong::Tls,
        Wrong::OtherChain,
        Wrong::Stale,
        Wrong::Lies,
        Wrong::OtherBlocks,
        Wrong::SaysReverted,
        Wrong::HalfDead("eth_call"),
        Wrong::HalfDead("eth_getBlockByNumber"),
        Wrong::HalfDead("eth_chainId"),
    ];
    dead.map(Wrong::Dead).into_iter().chain(others).collect()
}

fn methods() -> [&'static str; 12] {
    [
        "eth_chainId",
        "eth_getBalance",
        "eth_getTransactionCount",
        "eth_getBlockByNumber",
        "eth_feeHistory",
        "eth_estimateGas",
        "eth_call",
        "eth_getCode",
        "eth_getTransactionReceipt",
        "eth_getTransactionByHash",
        "eth_sendRawTransaction",
        "eth_blockNumber",
    ]
}

fn expected(question: Question, wrong: &Wrong, bad: usize) -> Expected {
    match (question, wrong, bad) {
        // Whoever names another chain spoils the list: nothing is signed then.
        (Question::Chain, Wrong::OtherChain, _) => Expected::Refusal("wrong chain"),
        // One node is enough to hand a transaction over to, and each proves what it took by its hash.
        (Question::Broadcast, _, _) | (_, _, 1) => Expected::Same,
        (_, Wrong::Dead(_) | Wrong::Tls, _) => Expected::Refusal("unreachable"),
        (_, Wrong::OtherChain, _) => Expected::Refusal("wrong chain"),
        (Question::Gas | Question::Simulation, Wrong::SaysReverted, _) => Expected::Refusal("refused"),
        // Two figures, one too low and one too high, leave the honest one in the middle.
        (Question::Balance | Question::Gas | Question::Fees | Question::L1Fee, Wrong::Lies, _) => Expected::Same,
        (Question::PendingNonce | Question::MinedNonce | Question::Receipt, Wrong::Lies, _) => Expected::Refusal("disagree"),
        (Question::Balance | Question::PendingNonce | Question::Height | Question::Fees | Question::Gas, Wrong::Stale, _) => {
            Expected::Refusal("unreachable")
        }
        _ => Expected::SameOrPlain,
    }
}

fn fits(expected: &Expected, said: &Said, honest: &Said) -> bool {
    match expected {
        Expected::Same => said == honest,
        Expected::Refusal(kind) => said.as_ref().err() == Some(kind),
        Expected::SameOrPlain => said == honest || said.is_err() || said.as_ref().is_ok_and(|text| text == "None"),
    }
}

impl World {
    async fn start() -> Self {
        let chain = Chain::start(ChainOptions { block_seconds: None, ..ChainOptions::default() }).await.expect("the chain starts");
        let key = SpendingKey::generate(&mut OsEntropy).expect("a key");
        chain.set_balance(&key.address().to_string(), ETHER).await.expect("funded");
        let one = Nodes::new(&[chain.url()]).expect("a node");
        let mined = pay(&one, &key).await;
        chain.mine(20).await.expect("mined");
        chain.rpc("evm_setAutomine", json!([false])).await.expect("mining stops");
        let waiting = pay(&one, &key).await;
        let mut proxies = Vec::new();
        for _ in 0..3 {
            proxies.push(FaultProxy::start(&chain.url()).await.expect("a proxy"));
        }
        let number = one.block_number().await.expect("a height");
        let block = chain.rpc("eth_getBlockByNumber", json!(["latest", false])).await.expect("a block");
        let seconds = i64::from_str_radix(block["timestamp"].as_str().expect("a time").trim_start_matches("0x"), 16).expect("a time");
        let now = DateTime::from_timestamp(seconds, 0).expect("a time");
        let plain = PlainPort::start().await.expect("a port");
        Self { chain, proxies, plain, payer: key.address(), mined: mined.hash, waiting: waiting.raw, number, now }
    }

    /// Three nodes, some of which speak no TLS.
    fn nodes(&self, without_tls: usize) -> Nodes {
        let mut urls: Vec<String> = self.proxies.iter().map(FaultProxy::url).collect();
        for (at, url) in urls.iter_mut().enumerate().take(without_tls) {
            *url = format!("{}/{at}", self.plain.https());
        }
        let now = self.now;
        let options = NodeOptions { deadline: DEADLINE, clock: Some(Arc::new(move || now)), ..NodeOptions::default() };
        Nodes::with_options(&urls, options).expect("nodes")
    }

    async fn break_nodes(&self, wrong: &Wrong, bad: usize) {
        for (at, proxy) in self.proxies.iter().enumerate() {
            let fault = if at < bad { self.fault(wrong, at).await } else { Fault::None };
            proxy.set(fault).await;
        }
    }

    async fn fault(&self, wrong: &Wrong, at: usize) -> Fault {
        match wrong {
            Wrong::Dead(fault) => fault.clone(),
            Wrong::Tls => Fault::None,
            Wrong::OtherChain => Fault::Override([("eth_chainId".to_string(), json!("0x1"))].into()),
            Wrong::Stale => Fault::Override(
                [(
                    "eth_getBlockByNumber".to_string(),
                    self.block(3, |block| {
                        block["timestamp"] = json!(quantity(u128::try_from(self.now.timestamp() - 600).expect("after 1970")));
                    })
                    .await,
                )]
                .into(),
            ),
            Wrong::Lies => Fault::Override(self.lies(at).await),
            Wrong::OtherBlocks => {
                let hash = json!(format!("0x{}", if at == 0 { "77" } else { "88" }.repeat(32)));
                Fault::Override([("eth_getBlockByNumber".to_string(), self.block(self.number, |block| block["hash"] = hash).await)].into())
            }
            Wrong::SaysReverted => Fault::RpcError(&["eth_call", "eth_estimateGas"], 3, "execution reverted"),
            Wrong::HalfDead(method) => Fault::HangOn(method),
        }
    }

    /// Two bad nodes lie each in its own way.
    async fn lies(&self, at: usize) -> BTreeMap<String, Value> {
        let high = at == 0;
        let either = |one: Value, other: Value| if high { one } else { other };
        let base_fee = if high { "0x3b9aca00" } else { "0x0" };
        let history = json!({"oldestBlock": "0x1", "baseFeePerGas": [base_fee, base_fee], "gasUsedRatio": [0.5], "reward": [[base_fee]]});
        let mut receipt = self.chain.rpc("eth_getTransactionReceipt", json!([self.mined.to_string()])).await.expect("a receipt");
        receipt["status"] = json!("0x0");
        receipt["gasUsed"] = either(json!("0x1"), json!("0x2"));
        let hash = format!("0x{}", if high { "77" } else { "88" }.repeat(32));
        let first = self.chain.rpc("eth_getBlockByNumber", json!(["pending", true])).await.expect("a block");
        let mut other = first["transactions"][0].clone();
        other["hash"] = json!(self.mined.to_string());
        let word = format!("0x{:064x}", if high { 1u128 << 100 } else { 0 });
        let lie = |method: &str, value: Value| (method.to_string(), value);
        [
            lie("eth_getBalance", either(json!("0xffffffffffffffffffffffff"), json!("0x0"))),
            lie("eth_getTransactionCount", either(json!("0x63"), json!("0x64"))),
            lie("eth_feeHistory", history),
            lie("eth_estimateGas", either(json!("0xffffff"), json!("0x5208"))),
            lie("eth_call", json!(word)),
            lie("eth_getTransactionReceipt", receipt),
            lie("eth_getTransactionByHash", either(other, Value::Null)),
            lie("eth_sendRawTransaction", json!(hash)),
        ]
        .into()
    }

    async fn block(&self, number: u64, alter: impl FnOnce(&mut Value)) -> Value {
        let mut block = self.chain.rpc("eth_getBlockByNumber", json!([quantity(number.into()), false])).await.expect("a block");
        alter(&mut block);
        block
    }

    async fn said(&self, nodes: &Nodes) -> Vec<Said> {
        join_all(QUESTIONS.map(|question| self.ask(nodes, question))).await
    }

    async fn ask(&self, nodes: &Nodes, question: Question) -> Said {
        let call =
            TransferCall { from: self.payer, to: payment_address(), value: Wei::new(5), input: calldata(OrderTag::from_bytes([7; 32])) };
        let fees = Fees { max_fee_per_gas_wei: Wei::new(1_000_000_000), tip_per_gas_wei: Wei::new(1) };
        match question {
            Question::Chain => said(nodes.check_chain().await.map(|_| "Base")),
            Question::Balance => said(nodes.balance(self.payer).await),
            Question::PendingNonce => said(nodes.pending_nonce(self.payer).await),
            Question::MinedNonce => said(nodes.mined_nonce(self.payer).await),
            Question::Height => said(nodes.block_number().await),
            Question::Fees => said(nodes.fees().await),
            Question::Gas => said(nodes.estimate_gas(&call).await),
            Question::Simulation => said(nodes.simulate(&Execution { call, nonce: 2, fees, gas_limit: 60_000 }).await),
            Question::L1Fee => said(nodes.l1_fee_upper_bound(150).await),
            Question::OperatorFee => said(nodes.operator_fee(25_000).await),
            Question::Receipt => said(nodes.receipt(self.mined).await),
            Question::Block => said(nodes.block_hash(self.number - 5).await),
            Question::SafeBlock => said(nodes.safe_block().await),
            Question::Transaction => said(nodes.transaction(self.mined).await),
            Question::Broadcast => said(nodes.broadcast(&self.waiting).await.map(|sent| sent.outcome)),
            // Not the newest block: the chain's keeper renews the feed there.
            Question::Feed => match nodes.feed_price_at(self.number - 5).await {
                Err(FeedError::Chain(error)) => said::<()>(Err(error)),
                Err(FeedError::NoBlock { .. }) => Ok("None".into()),
                Err(_) => Err("no price"),
                Ok(price) => Ok(format!("{price:?}")),
            },
        }
    }
}

async fn pay(nodes: &Nodes, key: &SpendingKey) -> transfer::SignedPayment {
    let prepared = transfer::prepare(nodes, key.address(), Wei::new(5), OrderTag::from_bytes([7; 32])).await.expect("prepared");
    let signed = transfer::sign(&prepared, key).expect("signed");
    nodes.broadcast(&signed.raw).await.expect("sent");
    signed
}

fn said<T: Debug>(answer: Result<T, ChainError>) -> Said {
    match answer {
        Ok(answer) => Ok(format!("{answer:?}")),
        Err(ChainError::Unreachable { reasons, .. }) if reasons.iter().all(|reason| !reason.reason.is_empty()) => Err("unreachable"),
        Err(ChainError::WrongChain { .. }) => Err("wrong chain"),
        Err(ChainError::Disagree { .. }) => Err("disagree"),
        Err(ChainError::Refused { reason }) if !reason.is_empty() => Err("refused"),
        Err(other) => Ok(format!("an error without a reason: {other:?}")),
    }
}
