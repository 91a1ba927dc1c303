//! Full blocks as Base makes them: two thousand transactions, calldata as swaps and transfers have it, and what a block
//! holds for us.

use std::fmt::Write as _;
use std::str::FromStr;

pub const OURS: &str = "0xa7f3ad0e69f61864092fabba6cee00af6e584689";
const TRANSACTIONS: u64 = 2_000;
/// Payments in each block that has any.
const PAYMENTS: u64 = 3;
pub const VALUE: u128 = 5_127_574_042_169_169;

/// What the blocks hold, and what the nodes know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing for us.
    Quiet,
    /// Three payments each, by transactions to us.
    Paid,
    /// One payment each, by a contract.
    Internal,
    /// Nothing for us, from nodes that keep no balances of old blocks.
    Forgetful,
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "quiet" => Ok(Self::Quiet),
            "paid" => Ok(Self::Paid),
            "internal" => Ok(Self::Internal),
            "forgetful" => Ok(Self::Forgetful),
            other => Err(other.into()),
        }
    }
}

impl Kind {
    /// What the payment address holds after this block.
    pub fn balance(self, number: u64) -> u128 {
        match self {
            Self::Quiet | Self::Forgetful => VALUE,
            Self::Paid => u128::from(number) * u128::from(PAYMENTS) * VALUE,
            Self::Internal => u128::from(number) * VALUE,
        }
    }
}

/// A hash that says which block, and which transaction of it, it is of.
pub fn hash(number: u64, of: u64) -> String {
    format!("0x{number:016x}{of:016x}{}", "b1".repeat(16))
}

/// The number in [`hash`].
pub fn number_of(hash: &str) -> u64 {
    u64::from_str_radix(&hash[2..18], 16).expect("a hash of ours")
}

fn header(number: u64) -> String {
    format!(
        r#"{{"baseFeePerGas":"0x4c4b40","blobGasUsed":"0x0","difficulty":"0x0","excessBlobGas":"0x0","extraData":"0x000000003200000006","gasLimit":"0x17d78400","gasUsed":"0x14e8a2c1","hash":"{}","logsBloom":"0x{}","miner":"0x4200000000000000000000000000000000000011","mixHash":"{3}","nonce":"0x0000000000000000","number":"{number:#x}","parentBeaconBlockRoot":"{3}","parentHash":"{2}","receiptsRoot":"{3}","sha3Uncles":"{3}","size":"0x1c9c3f","stateRoot":"{3}","timestamp":"{4:#x}","transactionsRoot":"{3}","uncles":[],"withdrawals":[],"withdrawalsRoot":"{3}","#,
        hash(number, 0),
        "5a".repeat(256),
        hash(number - 1, 0),
        hash(7, 7),
        1_800_000_000 + 2 * number,
    )
}

/// A small generator: the same blocks each time.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }

    fn hex(&mut self, bytes: u64) -> String {
        (0..bytes).fold(String::new(), |mut text, _| {
            write!(text, "{:02x}", self.next() & 0xff).expect("written");
            text
        })
    }
}

fn transaction(hash: &str, index: u64, from: &str, to: &str, value: u128, input: &str, draw: &mut Draw) -> String {
    format!(
        r#"{{"accessList":[],"blockHash":"{0}","blockNumber":"0x1f00000","chainId":"0x2105","from":"{from}","gas":"0x5208f","gasPrice":"0x5a6f2c","hash":"{hash}","input":"0x{input}","maxFeePerGas":"0xa7d8c0","maxPriorityFeePerGas":"0xf4240","nonce":"0x{index:x}","r":"0x{1}","s":"0x{2}","to":"{to}","transactionIndex":"0x{index:x}","type":"0x2","v":"0x1","value":"{value:#x}","yParity":"0x1"}}"#,
        self::hash(7, 7),
        draw.hex(32),
        draw.hex(32),
    )
}

/// What the blocks of one kind have in common, made once.
pub struct Blocks {
    kind: Kind,
    full_rest: String,
    hashes_rest: String,
    trace_rest: String,
}

impl Blocks {
    pub fn new(kind: Kind) -> Self {
        let mut draw = Draw(1);
        let (mut full_rest, mut hashes_rest, mut trace_rest) = (String::new(), String::new(), String::new());
        for index in 0..TRANSACTIONS {
            // A transfer, a swap, a batch; few are long.
            let input = match draw.next() % 10 {
                0..3 => 0,
                3..6 => 68,
                6..9 => 420,
                _ => 1_600,
            };
            let hash = format!("0x{}", draw.hex(32));
            let (from, to, input) = (format!("0x{}", draw.hex(20)), format!("0x{}", draw.hex(20)), draw.hex(input));
            let value = u128::from(draw.next() % 1_000_000);
            write!(full_rest, ",{}", transaction(&hash, 10 + index, &from, &to, value, &input, &mut draw)).expect("written");
            write!(hashes_rest, r#","{hash}""#).expect("written");
            if kind == Kind::Internal {
                write!(trace_rest, r#",{{"result":{},"txHash":"{hash}"}}"#, trace(&from, &to, &input, 3, &mut draw)).expect("written");
            }
        }
        full_rest.push_str("]}");
        hashes_rest.push_str("]}");
        trace_rest.push(']');
        Self { kind, full_rest, hashes_rest, trace_rest }
    }

    /// The block with its transactions: what is its own, and what all have.
    pub fn full(&self, number: u64) -> (String, &str) {
        let mut draw = Draw(number);
        let deposit = format!(
            r#"{{"blockHash":"{0}","blockNumber":"{number:#x}","depositReceiptVersion":"0x1","from":"0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001","gas":"0xf4240","gasPrice":"0x0","hash":"{0}","input":"0x440a5e20{1}","mint":"0x0","nonce":"0x1","r":"0x0","s":"0x0","sourceHash":"{0}","to":"0x4200000000000000000000000000000000000015","transactionIndex":"0x0","type":"0x7e","v":"0x0","value":"0x0"}}"#,
            hash(number, 0),
            "00".repeat(160),
        );
        let mut own = format!(r#"{}"transactions":[{deposit}"#, header(number));
        let count = if self.kind == Kind::Paid { PAYMENTS } else { 0 };
        for payment in 1..=count {
            let tagged = format!("61737031{}", "7a".repeat(32));
            let payer = format!("0x{}", draw.hex(20));
            write!(own, ",{}", transaction(&hash(number, payment), payment, &payer, OURS, VALUE, &tagged, &mut draw)).expect("written");
        }
        (own, &self.full_rest)
    }

    /// The block with the hashes of its transactions.
    pub fn hashes(&self, number: u64) -> (String, &str) {
        (format!(r#"{}"transactions":["{}""#, header(number), hash(number, 0)), &self.hashes_rest)
    }

    /// The calls within its transactions, one of which pays us.
    pub fn trace(&self, number: u64) -> (String, &str) {
        let wallet = format!("0x{}", "f1".repeat(20));
        let paying = format!(
            r#"[{{"result":{{"from":"0x{0}","gas":"0x8f1b","gasUsed":"0xd867","to":"{wallet}","input":"0x","calls":[{{"from":"{wallet}","gas":"0x8fc","gasUsed":"0x0","to":"{OURS}","input":"0x61737031{1}","value":"{VALUE:#x}","type":"CALL"}}],"value":"0x0","type":"CALL"}},"txHash":"{2}"}}"#,
            "e0".repeat(20),
            "7a".repeat(32),
            hash(number, 1),
        );
        (paying, &self.trace_rest)
    }
}

/// A call with calls within it, as swaps make them.
fn trace(from: &str, to: &str, input: &str, depth: u32, draw: &mut Draw) -> String {
    let within = if depth == 0 { 0 } else { draw.next() % 4 };
    let inner: Vec<String> = (0..within)
        .map(|_| {
            let (next, input) = (format!("0x{}", draw.hex(20)), draw.hex(68));
            trace(to, &next, &input, depth - 1, draw)
        })
        .collect();
    let calls = if inner.is_empty() { String::new() } else { format!(r#""calls":[{}],"#, inner.join(",")) };
    format!(
        r#"{{"from":"{from}","gas":"0x4c2f8","gasUsed":"0x1d867","to":"{to}","input":"0x{input}","output":"0x{}",{calls}"value":"0x0","type":"CALL"}}"#,
        draw.hex(32)
    )
}

/// What became of a payment.
pub fn receipt(transaction: &str) -> String {
    format!(
        r#"{{"blockHash":"{}","blockNumber":"0x1","contractAddress":null,"cumulativeGasUsed":"0x5208","effectiveGasPrice":"0x5a6f2c","from":"0x{}","gasUsed":"0x5708","l1Fee":"0xdeadbeef","logs":[],"logsBloom":"0x{}","status":"0x1","to":"{OURS}","transactionHash":"{transaction}","transactionIndex":"0x1","type":"0x2"}}"#,
        hash(number_of(transaction), 0),
        "e0".repeat(20),
        "00".repeat(256),
    )
}
