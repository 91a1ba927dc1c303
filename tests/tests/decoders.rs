//! What this project signs, links and draws, read back by code that is not ours: ethers, eth-url-parser, zbar.

use aispace_payments::{
    OsEntropy, PAYMENT_ADDRESS_CHECKSUMMED,
    links::{eip681, eip681_account, metamask_send_link, parse_eip681},
    payment_address,
    qr::{QUIET_ZONE, Qr},
    signer::SpendingKey,
    tag::{ClaimSecret, OrderTag, calldata},
    transfer::{self, Prepared},
};
use aispace_units::Wei;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

const TRANSFERS: usize = 200;

/// Gives lines to a decoder and takes its lines.
fn decoded(script: &str, lines: &[String]) -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("decoders");
    assert!(folder.join("node_modules/ethers").exists(), "the decoders are installed: run `make setup`");
    let mut child =
        Command::new("node").arg(folder.join(script)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
    let mut input = child.stdin.take().expect("a pipe");
    let text = lines.join("\n");
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("node ends");
    writing.join().expect("a thread").expect("written");
    assert!(output.status.success());
    let found: Vec<Value> =
        String::from_utf8(output.stdout).expect("text").lines().map(|l| serde_json::from_str(l).expect("json")).collect();
    assert_eq!(found.len(), lines.len());
    found
}

/// Draws values of a strategy; another seed each time, which a failure shows by its whole case.
fn drawn<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
}

fn signer(key: &[u8; 32]) -> SpendingKey {
    SpendingKey::from_hex(&hex::encode(key)).expect("a key")
}

fn transfers() -> impl Strategy<Value = ([u8; 32], Prepared)> {
    let key = any::<[u8; 32]>().prop_filter("a key", |bytes| SpendingKey::from_hex(&hex::encode(bytes)).is_ok());
    // Ethers keeps nonces as JavaScript's numbers: 2^53 - 1 at most, which no account reaches.
    let numbers = (any::<u128>(), 0..(1u64 << 53), any::<u64>(), any::<u128>(), any::<u128>());
    // Small and round numbers have encodings of their own.
    let edges = (0u128..300, 0u64..300, 0u64..300, 0u128..300, 0u128..300);
    (key, any::<Option<[u8; 32]>>(), prop_oneof![numbers, edges]).prop_map(|(key, tag, (value, nonce, gas_limit, max_fee, tip))| {
        let tag = tag.map(OrderTag::from_bytes);
        let prepared = Prepared {
            chain_id: 8453,
            from: signer(&key).address(),
            to: payment_address(),
            value_wei: Wei::new(value),
            tag,
            calldata: tag.map(calldata).unwrap_or_default(),
            nonce,
            gas_limit,
            max_fee_per_gas_wei: Wei::new(max_fee.max(tip)),
            tip_per_gas_wei: Wei::new(tip),
            network_fee_max_wei: Wei::ZERO,
            l1_fee_wei: Wei::ZERO,
            operator_fee_wei: Wei::ZERO,
            need_wei: Wei::ZERO,
            balance_wei: Wei::ZERO,
            nodes_agree: 1,
            nodes_asked: 1,
        };
        (key, prepared)
    })
}

#[test]
fn ethers_reads_in_the_signed_bytes_what_was_prepared() {
    let signed: Vec<_> = drawn(&transfers(), TRANSFERS)
        .into_iter()
        .map(|(key, prepared)| {
            let signed = transfer::sign(&prepared, &signer(&key)).expect("signed");
            (prepared, signed)
        })
        .collect();
    let lines: Vec<String> = signed.iter().map(|(_, signed)| format!("0x{}", hex::encode(&signed.raw))).collect();
    for (((prepared, signed), raw), found) in signed.iter().zip(&lines).zip(decoded("transactions.mjs", &lines)) {
        let expected = json!({
            "type": 2,
            "chain_id": "8453",
            "from": prepared.from.to_string(),
            "to": PAYMENT_ADDRESS_CHECKSUMMED,
            "value": prepared.value_wei.to_string(),
            "data": prepared.tag.map_or_else(|| "0x".into(), |tag| format!("0x61737031{tag}")),
            "nonce": prepared.nonce.to_string(),
            "gas_limit": prepared.gas_limit.to_string(),
            "max_fee": prepared.max_fee_per_gas_wei.to_string(),
            "tip": prepared.tip_per_gas_wei.to_string(),
            "access_list": 0,
            "hash": signed.hash.to_string(),
            "again": raw,
        });
        assert_eq!(found, expected, "{prepared:?}");
    }
}

#[test]
fn another_parser_reads_our_links_as_they_were_meant() {
    // From a thousand ether on the other parser writes exponents.
    let amounts: Vec<u128> = drawn(&prop_oneof![0..10u128.pow(21), any::<u64>().prop_map(u128::from), 0u128..1_000], 100);
    let lines: Vec<String> = amounts.iter().map(|wei| eip681(Wei::new(*wei))).collect();
    for (wei, found) in amounts.iter().zip(decoded("links.mjs", &lines)) {
        assert_eq!(found["scheme"], "ethereum");
        assert_eq!(found["target_address"], PAYMENT_ADDRESS_CHECKSUMMED);
        assert_eq!(found["chain_id"], "8453");
        assert!(found.get("function_name").is_none() && found.get("prefix").is_none(), "{found}");
        assert_eq!(found["parameters"].as_object().map(serde_json::Map::len), Some(1));
        assert_eq!(found["parameters"]["value"], json!(wei.to_string()), "{found}");
    }
    let account = SpendingKey::generate(&mut OsEntropy).expect("a key").address();
    let [found] = &decoded("links.mjs", &[eip681_account(account)])[..] else { panic!("one answer") };
    assert_eq!(found, &json!({"scheme": "ethereum", "target_address": account.to_string(), "chain_id": "8453"}));
}

#[test]
fn both_parsers_read_the_same_amount_however_it_is_spelled() {
    let spelled = ["1", "1e18", "1.5e16", "0.001e18", "2.014e18", "5127574042169169", "10.0e3"];
    let lines: Vec<String> = spelled.iter().map(|amount| format!("ethereum:{PAYMENT_ADDRESS_CHECKSUMMED}@8453?value={amount}")).collect();
    for (line, found) in lines.iter().zip(decoded("links.mjs", &lines)) {
        let ours = parse_eip681(line).expect("a link").value;
        assert_eq!(found["parameters"]["value"], json!(ours.to_string()), "{line}");
    }
}

#[test]
fn zbar_reads_our_codes_to_the_letter() {
    let hex_of = |entropy: &mut OsEntropy| ClaimSecret::generate(entropy).expect("bytes").tag().to_string();
    let (topic, key) = (hex_of(&mut OsEntropy), hex_of(&mut OsEntropy));
    let pairing = format!("wc:{topic}@2?relay-protocol=irn&symKey={key}&expiryTimestamp=1767225600");
    let methods = "&methods=%5Bwc_sessionPropose%5D%2C%5Bwc_authRequest%2Cwc_authBatchRequest%5D";
    let mut texts = vec![
        eip681(Wei::new(5_127_574_042_169_169)),
        eip681(Wei::new(u128::MAX)),
        eip681_account(payment_address()),
        metamask_send_link(Wei::new(5_127_574_042_169_169)),
        format!(
            "https://metamask.app.link/wc?uri={}",
            pairing.replace(':', "%3A").replace('@', "%40").replace('?', "%3F").replace('&', "%26")
        ),
        format!("{pairing}{methods}"),
        format!("{pairing}{methods}&topic={topic}"),
        pairing,
    ];
    assert!(texts.iter().any(|text| text.len() >= 300), "as long as pairing texts get");
    // URLs have no other signs; zbar guesses at the encoding of those beyond ASCII.
    texts.extend(drawn(&"[A-Za-z0-9:/?#@!$&'()*+,;=._~%-]{1,300}", 12));
    for text in texts {
        assert_eq!(scanned(&Qr::encode(&text).expect("a code")), text);
    }
}

/// What zbar sees in a picture of a code.
fn scanned(qr: &Qr) -> String {
    const SCALE: u32 = 4;
    let side = qr.size() + 2 * QUIET_ZONE;
    let mut picture = format!("P5 {0} {0} 255\n", side * SCALE).into_bytes();
    for y in 0..side * SCALE {
        for x in 0..side * SCALE {
            // Left and above of the code the subtraction leaves every code's size.
            let module = |at: u32| (at / SCALE).wrapping_sub(QUIET_ZONE);
            picture.push(if qr.is_dark(module(x), module(y)) { 0 } else { 255 });
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("code.pgm");
    std::fs::write(&file, picture).expect("written");
    let output = Command::new("zbarimg").args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"]).arg(&file).output();
    let output = output.expect("zbar-tools is installed: run `make setup`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim_end_matches('\n').to_string()
}
