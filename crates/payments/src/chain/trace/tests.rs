use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const OURS: &str = "0xa7f3ad0e69f61864092fabba6cee00af6e584689";

fn ours() -> EthAddress {
    crate::payment_address()
}

fn address(byte: u8) -> String {
    format!("0x{}", hex::encode([byte; 20]))
}

fn call(from: &str, to: &str, value: u64, input: &str, calls: Vec<Value>) -> Value {
    json!({"from": from, "gas": "0x1", "gasUsed": "0x1", "to": to, "input": input, "calls": calls, "value": format!("{value:#x}"), "type": "CALL"})
}

fn of_kind(kind: &str, mut call: Value) -> Value {
    call["type"] = json!(kind);
    call
}

fn failed(mut call: Value) -> Value {
    call["error"] = json!("execution reverted: \"quoted\"");
    call
}

fn read(roots: &[Value]) -> Result<Vec<TracedTransaction>, NodeError> {
    let traces: Vec<Value> =
        (1u8..).zip(roots).map(|(hash, root)| json!({"result": root, "txHash": format!("0x{}", hex::encode([hash; 32]))})).collect();
    transfers(json!({"jsonrpc": "2.0", "id": 1, "result": traces}).to_string().as_bytes(), ours())
}

fn one(root: Value) -> Vec<TracedTransfer> {
    read(&[root]).expect("read").into_iter().flat_map(|transaction| transaction.transfers).collect()
}

fn arrived(payer: u8, value: u128, input: &[u8]) -> TracedTransfer {
    TracedTransfer::Arrived { payer: EthAddress::from_bytes([payer; 20]), value: Wei::new(value), input: input.to_vec() }
}

#[test]
fn a_wallet_s_batch_is_two_payments_in_order() {
    let wallet = address(2);
    let root = call(
        &address(1),
        &wallet,
        9,
        "0x01",
        vec![
            call(&wallet, &address(3), 1, "0x", vec![]),
            call(&wallet, OURS, 5, "0xaa", vec![]),
            of_kind(
                "DELEGATECALL",
                call(&wallet, &address(4), 9, "0x", vec![call(&wallet, &OURS.to_uppercase().replace('X', "x"), 4, "0xbb", vec![])]),
            ),
        ],
    );
    let found = read(&[call(&address(1), &address(9), 3, "0x", vec![]), root]).expect("read");
    let [transaction] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((transaction.index, transaction.hash), (1, TransactionHash::from_bytes([2; 32])));
    assert_eq!(transaction.from, EthAddress::from_bytes([1; 20]));
    assert_eq!(transaction.transfers, [arrived(2, 5, &[0xaa]), arrived(2, 4, &[0xbb])]);
}

#[test]
fn the_transaction_s_own_transfer_is_not_told_twice() {
    assert_eq!(one(call(&address(1), OURS, 5, "0x", vec![])), []);
    let code_of_ours = call(&address(1), OURS, 5, "0x", vec![call(OURS, &address(3), 5, "0x", vec![])]);
    assert_eq!(one(code_of_ours), [TracedTransfer::Left { value: Wei::new(5) }]);
}

#[test]
fn what_was_reverted_moved_nothing() {
    let pays = |value| call(&address(2), OURS, value, "0x", vec![]);
    assert_eq!(one(failed(call(&address(1), &address(2), 1, "0x", vec![pays(5)]))), []);
    let inner = failed(call(&address(2), &address(2), 0, "0x", vec![pays(5), call(&address(2), &address(2), 0, "0x", vec![pays(6)])]));
    assert_eq!(one(call(&address(1), &address(2), 1, "0x", vec![pays(3), inner, pays(4)])), [arrived(2, 3, &[]), arrived(2, 4, &[])]);
    assert_eq!(one(call(&address(1), &address(2), 1, "0x", vec![failed(pays(5))])), []);
}

#[test]
fn code_run_for_another_and_calls_without_ether_move_nothing() {
    for kind in ["DELEGATECALL", "STATICCALL", "CALLCODE"] {
        assert_eq!(
            one(call(&address(1), &address(2), 1, "0x", vec![of_kind(kind, call(&address(2), OURS, 5, "0x", vec![]))])),
            [],
            "{kind}"
        );
    }
    assert_eq!(one(call(&address(1), &address(2), 1, "0x", vec![call(&address(2), OURS, 0, "0x", vec![])])), []);
    assert_eq!(one(call(&address(1), &address(2), 1, "0x", vec![call(OURS, OURS, 5, "0x", vec![])])), []);
}

#[test]
fn a_contract_that_ends_pays_without_data() {
    let end = json!({"from": address(2), "to": OURS, "value": "0x9", "type": "SELFDESTRUCT", "input": "0x"});
    assert_eq!(one(call(&address(1), &address(2), 1, "0x", vec![end])), [arrived(2, 9, &[])]);
    let bare = json!({"type": "SELFDESTRUCT", "value": "0x9", "from": address(2), "to": OURS});
    assert_eq!(one(call(&address(1), &address(2), 1, "0x", vec![bare])), [arrived(2, 9, &[])]);
}

fn nested(depth: usize) -> String {
    let open = format!(r#"{{"type":"CALL","from":"{0}","to":"{0}","value":"0x0","input":"0x","calls":["#, address(2));
    let leaf = call(&address(2), OURS, 7, "0x", vec![]).to_string();
    let root = format!("{}{leaf}{}", open.repeat(depth), "]}".repeat(depth));
    format!(r#"{{"id":1,"result":[{{"txHash":"0x{}","result":{root}}}]}}"#, "11".repeat(32))
}

fn in_its_thread(body: String) -> Result<Vec<TracedTransaction>, NodeError> {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || transfers(body.as_bytes(), ours())).expect("a thread").join().expect("it ends")
}

#[test]
fn calls_nest_as_deep_as_the_chain_allows_and_no_deeper() {
    let deepest = in_its_thread(nested(1_024)).expect("read");
    assert_eq!(deepest.len(), 1);
    for depth in [DEPTH_MAX + 1, 200_000] {
        assert_eq!(in_its_thread(nested(depth)), Err(unreadable()), "{depth}");
    }
}

#[test]
fn half_a_trace_is_no_trace() {
    let whole =
        json!({"result": [{"txHash": format!("0x{}", "11".repeat(32)), "result": call(&address(1), &address(2), 0, "0x", vec![])}]});
    assert!(transfers(whole.to_string().as_bytes(), ours()).is_ok());
    let text = whole.to_string();
    for cut in 0..text.len() {
        assert!(transfers(&text.as_bytes()[..cut], ours()).is_err(), "{cut}");
    }
    let hash = format!("0x{}", "11".repeat(32));
    for wrong in [
        json!({"error": {"code": -32601, "message": "the method does not exist"}}),
        json!({"result": null}),
        json!({"result": [{"txHash": hash, "error": "a timeout"}]}),
        json!({"result": [{"result": call(&address(1), &address(2), 0, "0x", vec![])}]}),
        json!({"result": [{"txHash": hash, "result": {"type": "CALL"}}]}),
        json!({"result": [{"txHash": hash, "result": call(&address(1), &address(2), 1, "0x", vec![call("nobody", OURS, 1, "0x", vec![])])}]}),
    ] {
        assert_eq!(transfers(wrong.to_string().as_bytes(), ours()), Err(unreadable()), "{wrong}");
    }
}

/// A random tree of calls among four accounts, the last of them ours, and what a machine that runs them does to our balance.
#[derive(Debug, Clone)]
struct Tree {
    kind: &'static str,
    from: usize,
    to: usize,
    value: u64,
    fails: bool,
    calls: Vec<Tree>,
}

fn tree() -> impl Strategy<Value = Tree> {
    let kind = prop::sample::select(vec!["CALL", "CALL", "CALL", "DELEGATECALL", "STATICCALL", "SELFDESTRUCT"]);
    let leaf = (kind.clone(), 0usize..4, 0usize..4, 0u64..5, prop::bool::weighted(0.2)).prop_map(|(kind, from, to, value, fails)| Tree {
        kind,
        from,
        to,
        value,
        fails,
        calls: vec![],
    });
    leaf.prop_recursive(5, 40, 4, move |inner| {
        (kind.clone(), 0usize..4, 0usize..4, 0u64..5, prop::bool::weighted(0.2), prop::collection::vec(inner, 0..4))
            .prop_map(|(kind, from, to, value, fails, calls)| Tree { kind, from, to, value, fails, calls })
    })
}

fn account(at: usize) -> String {
    if at == 3 { OURS.to_string() } else { address(u8::try_from(at + 1).expect("small")) }
}

impl Tree {
    fn json(&self) -> Value {
        let calls = self.calls.iter().map(Self::json).collect();
        let frame = of_kind(self.kind, call(&account(self.from), &account(self.to), self.value, "0x", calls));
        if self.fails { failed(frame) } else { frame }
    }

    /// Our balance after it, by undoing a copy: another way than the reader's.
    fn run(&self, balance: i64, is_root: bool) -> i64 {
        if self.fails {
            return balance;
        }
        let mut after = balance;
        if !is_root && matches!(self.kind, "CALL" | "SELFDESTRUCT") {
            let value = i64::try_from(self.value).expect("small");
            after += if self.to == 3 { value } else { 0 } - if self.from == 3 { value } else { 0 };
        }
        self.calls.iter().fold(after, |balance, call| call.run(balance, false))
    }
}

proptest! {
    #[test]
    fn the_transfers_found_make_the_balance(tree in tree()) {
        let signed = |wei: &Wei| i64::try_from(wei.get()).expect("small");
        let found: i64 = one(tree.json()).iter().map(|transfer| match transfer {
            TracedTransfer::Arrived { value, .. } => signed(value),
            TracedTransfer::Left { value } => -signed(value),
        }).sum();
        prop_assert_eq!(found, tree.run(0, true));
    }

    #[test]
    fn arbitrary_bytes_are_no_trace(body: Vec<u8>) {
        prop_assert!(transfers(&body, ours()).is_err());
    }
}
