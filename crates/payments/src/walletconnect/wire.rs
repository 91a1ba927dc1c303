//! The JSON of both layers: what a relay says, and what is in an envelope.
//!
//! Source: walletconnect-specs, "Relay Server RPC" and "Sign RPC Methods"; tags and lifetimes are those of the tables there.

use super::{AppMetadata, CHAIN, SEND, envelope::Topic};
use crate::{EthAddress, wallet::PaymentRequest};
use serde::Deserialize;
use serde_json::{Value, json};

/// How a kind of message is published: its number for the relay, how many seconds it is kept, and whether a phone is woken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) tag: u32,
    pub(super) ttl: u64,
    pub(super) prompt: bool,
}

const fn kind(tag: u32, ttl: u64, prompt: bool) -> Kind {
    Kind { tag, ttl, prompt }
}

const DAY: u64 = 86_400;
pub(super) const UNKNOWN_ANSWER: Kind = kind(0, DAY, false);
pub(super) const PAIRING_DELETE_ANSWER: Kind = kind(1001, DAY, false);
pub(super) const PAIRING_PING_ANSWER: Kind = kind(1003, 30, false);
pub(super) const PROPOSE: Kind = kind(1100, 300, true);
pub(super) const SETTLE_ANSWER: Kind = kind(1103, 300, false);
pub(super) const UPDATE_ANSWER: Kind = kind(1105, DAY, false);
pub(super) const EXTEND_ANSWER: Kind = kind(1107, DAY, false);
pub(super) const REQUEST: Kind = kind(1108, 300, true);
pub(super) const EVENT_ANSWER: Kind = kind(1111, 300, false);
pub(super) const DELETE: Kind = kind(1112, DAY, false);
pub(super) const DELETE_ANSWER: Kind = kind(1113, DAY, false);
pub(super) const PING: Kind = kind(1114, 30, false);
pub(super) const PING_ANSWER: Kind = kind(1115, 30, false);

/// Codes of the protocol's list, with its words.
pub(super) const USER_DISCONNECTED: (i64, &str) = (6000, "User disconnected.");
pub(super) const UNSUPPORTED_CHAINS: (i64, &str) = (5100, "Unsupported chains.");
pub(super) const UNSUPPORTED_METHODS: (i64, &str) = (5101, "Unsupported methods.");
pub(super) const INVALID_METHOD: (i64, &str) = (1001, "Invalid method.");
pub(super) const INVALID_UPDATE: (i64, &str) = (1003, "Invalid update request.");
pub(super) const INVALID_EXTEND: (i64, &str) = (1004, "Invalid extend request.");
pub(super) const INVALID_SETTLE: (i64, &str) = (1005, "Invalid session settle request.");

/// What a relay sends.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// A message on a topic; `id` is to be acknowledged.
    Delivery { id: Value, topic: String, envelope: String },
    /// An answer to a call of ours.
    Done { id: u64, result: Value },
    /// A refusal of a call of ours.
    Refused { id: u64, code: i64 },
}

#[derive(Deserialize)]
struct RawFrame {
    id: Value,
    method: Option<String>,
    params: Option<RawParams>,
    #[serde(default)]
    result: Value,
    error: Option<RawError>,
}

#[derive(Deserialize)]
struct RawParams {
    data: Option<RawData>,
}

#[derive(Deserialize)]
struct RawData {
    topic: String,
    message: String,
}

#[derive(Deserialize)]
struct RawError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

/// Reads a frame; what is none is `None`.
pub(super) fn read_frame(text: &str) -> Option<Frame> {
    let raw: RawFrame = serde_json::from_str(text).ok()?;
    if let Some(method) = raw.method {
        let good_id = raw.id.is_u64() || raw.id.is_i64() || raw.id.as_str().is_some_and(|id| id.len() <= 64);
        let data = raw.params?.data?;
        let is_delivery = method == "irn_subscription" && good_id;
        return is_delivery.then_some(Frame::Delivery { id: raw.id, topic: data.topic, envelope: data.message });
    }
    let id = raw.id.as_u64().or_else(|| raw.id.as_str()?.parse().ok())?;
    Some(match raw.error {
        None => Frame::Done { id, result: raw.result },
        Some(error) => Frame::Refused { id, code: error.code },
    })
}

/// A call to the relay.
pub(super) fn call(id: u64, method: &str, params: &Value) -> String {
    json!({"id": id, "jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// An acknowledgement of a delivery, with the number it came with.
pub(super) fn acknowledgement(id: &Value) -> String {
    json!({"id": id, "jsonrpc": "2.0", "result": true}).to_string()
}

/// What the other side put into an envelope.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    Request { id: u64, method: String, params: Value },
    Answer { id: u64, reply: Reply },
}

/// An answer: a result, or a code and words.
pub(super) type Reply = Result<Value, (i64, String)>;

#[derive(Deserialize)]
struct RawSaid {
    id: u64,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    result: Option<Value>,
    error: Option<RawError>,
}

/// Reads what was in an envelope; what is neither a request nor an answer is `None`.
pub(super) fn read_said(plain: &[u8]) -> Option<Said> {
    let raw: RawSaid = serde_json::from_slice(plain).ok()?;
    match (raw.method, raw.result, raw.error) {
        (Some(method), None, None) => Some(Said::Request { id: raw.id, method, params: raw.params }),
        (None, Some(result), None) => Some(Said::Answer { id: raw.id, reply: Ok(result) }),
        (None, None, Some(error)) => Some(Said::Answer { id: raw.id, reply: Err((error.code, error.message)) }),
        _ => None,
    }
}

/// An answer of ours.
pub(super) fn answer(id: u64, refusal: Option<(i64, &str)>) -> String {
    match refusal {
        None => json!({"id": id, "jsonrpc": "2.0", "result": true}).to_string(),
        Some((code, message)) => json!({"id": id, "jsonrpc": "2.0", "error": {"code": code, "message": message}}).to_string(),
    }
}

/// `wc_sessionPropose`. All is optional to the wallet, as today's wallets want it; what it grants is checked when it settles.
pub(super) fn proposal(id: u64, pairing: &Topic, public_key: &str, app: &AppMetadata, expires: u64) -> String {
    let wanted = json!({"chains": [CHAIN], "methods": [SEND], "events": ["accountsChanged", "chainChanged"]});
    let metadata = json!({"name": app.name, "description": app.description, "url": app.url, "icons": []});
    let params = json!({
        "requiredNamespaces": {},
        "optionalNamespaces": {"eip155": wanted},
        "relays": [{"protocol": "irn"}],
        "pairingTopic": pairing.as_str(),
        "expiryTimestamp": expires,
        "proposer": {"publicKey": public_key, "metadata": metadata},
    });
    call(id, "wc_sessionPropose", &params)
}

/// `wc_sessionRequest` for a payment. The chain is named twice: for the wallet's session, and in the transaction, so that a wallet on another chain cannot send it there.
pub(super) fn payment(id: u64, request: &PaymentRequest, from: EthAddress, expires: u64) -> String {
    let transaction = json!({
        "from": from.to_string(),
        "to": request.to().to_string(),
        "value": format!("{:#x}", request.value().get()),
        "data": format!("0x{}", hex::encode(request.input())),
        "chainId": format!("{:#x}", request.chain_id()),
    });
    let params = json!({"request": {"method": SEND, "params": [transaction], "expiryTimestamp": expires}, "chainId": CHAIN});
    call(id, "wc_sessionRequest", &params)
}

/// `wc_sessionDelete`.
pub(super) fn deletion(id: u64, (code, message): (i64, &str)) -> String {
    call(id, "wc_sessionDelete", &json!({"code": code, "message": message}))
}

/// `wc_sessionPing`.
pub(super) fn ping(id: u64) -> String {
    call(id, "wc_sessionPing", &json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::OrderTag;
    use aispace_units::Wei;

    #[test]
    fn a_payment_is_asked_for_exactly() {
        let from: EthAddress = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let request = PaymentRequest::tagged(Wei::new(5_127_574_042_169_169), OrderTag::from_bytes([0xab; 32]));
        let made: Value = serde_json::from_str(&payment(7, &request, from, 1_800_000_300)).unwrap();
        assert_eq!(
            made,
            json!({"id": 7, "jsonrpc": "2.0", "method": "wc_sessionRequest", "params": {
                "chainId": "eip155:8453",
                "request": {"method": "eth_sendTransaction", "expiryTimestamp": 1_800_000_300, "params": [{
                    "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
                    "to": "0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689",
                    "value": "0x1237805d57cf51",
                    "data": format!("0x{}", hex::encode(request.input())),
                    "chainId": "0x2105",
                }]},
            }})
        );
        let bare: Value = serde_json::from_str(&payment(7, &PaymentRequest::untagged(Wei::new(1)), from, 1)).unwrap();
        assert_eq!(bare["params"]["request"]["params"][0]["data"], "0x");
    }

    #[test]
    fn a_relays_frames_are_told_apart() {
        let delivery = r#"{"id":"18","jsonrpc":"2.0","method":"irn_subscription","params":{"id":"s","data":{"topic":"t","message":"m","publishedAt":1,"tag":1101,"attestation":null}}}"#;
        assert_eq!(read_frame(delivery), Some(Frame::Delivery { id: json!("18"), topic: "t".into(), envelope: "m".into() }));
        assert_eq!(acknowledgement(&json!(1_800_000_000_000_000_000u64)), r#"{"id":1800000000000000000,"jsonrpc":"2.0","result":true}"#);
        assert_eq!(read_frame(r#"{"id":5,"jsonrpc":"2.0","result":true}"#), Some(Frame::Done { id: 5, result: json!(true) }));
        assert_eq!(read_frame(r#"{"id":"5","jsonrpc":"2.0","result":["a"]}"#), Some(Frame::Done { id: 5, result: json!(["a"]) }));
        assert_eq!(read_frame(r#"{"id":5,"error":{"code":-32601,"message":"no"}}"#), Some(Frame::Refused { id: 5, code: -32601 }));
        for nonsense in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"id":1.5,"result":true}"#,
            r#"{"id":1,"method":"irn_other","params":{}}"#,
            r#"{"id":{},"method":"irn_subscription","params":{"data":{"topic":"t","message":"m"}}}"#,
        ] {
            assert_eq!(read_frame(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_message_is_a_request_or_one_answer_and_never_both() {
        assert_eq!(read_said(br#"{"id":1,"result":"0x"}"#), Some(Said::Answer { id: 1, reply: Ok(json!("0x")) }));
        assert_eq!(
            read_said(br#"{"id":1,"error":{"code":5000,"message":"no"}}"#),
            Some(Said::Answer { id: 1, reply: Err((5000, "no".into())) })
        );
        for nonsense in [
            r#"{"id":1,"result":true,"error":{}}"#,
            r#"{"id":1,"method":"m","result":1}"#,
            r#"{"id":-1,"result":1}"#,
            r#"{"result":1}"#,
            "1",
            "[[[[",
        ] {
            assert_eq!(read_said(nonsense.as_bytes()), None, "{nonsense}");
        }
        assert_eq!(read_said("[".repeat(100_000).as_bytes()), None, "a deep one");
    }
}
