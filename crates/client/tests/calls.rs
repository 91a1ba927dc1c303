//! Each call as it goes over the wire, against answers as the service documents them.
#![allow(missing_docs, clippy::unwrap_used)]

mod server;

use aispace_api::{
    Attribution, BatchSource, BatchState, DebitRequest, ErrorCode, GrantRequest, HashClaimRequest, OpenAccountRequest, OrderRequest,
    OrderStatus, PayMethod, PaymentOutcome, RunDescription, SealedSecret, UsageKind,
};
use aispace_client::{
    AccountConnector, AccountService, AiSpaceAccount, ClaimStep, ClientError, Deadlines, IdempotencyKey, OperatorToken, OrderId,
    SandboxDoors, SecureKey, ServiceUrl, UsagePage,
};
use server::{Asked, Server};
use std::collections::BTreeMap;

const KEY: &str = "sk_test_0123456789abcdef";
const TOKEN: &str = "op_test_0123456789abcdef";
const CLAIM_SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

const ACCOUNT: &str = r#"{"account_id":"acc_1","server_time":"2026-03-01T12:00:00Z","available_credits":"250000.5","batches":[
  {"batch_id":"bat_1","source":"eth_purchase","note":"ord_1","added":"2026-02-20T00:00:00Z","expires":"2026-03-22T00:00:00Z",
   "granted_credits":"250001","left_credits":"250000.5","lapsed_credits":"0","state":"live"},
  {"batch_id":"bat_0","source":"grant","note":null,"added":"2026-01-01T00:00:00Z","expires":"2026-01-31T00:00:00Z",
   "granted_credits":"10","left_credits":"0","lapsed_credits":"10","state":"expired"}],
  "next_expiry":"2026-03-22T00:00:00Z","entry_count":4,"added_by_a_newer_service":true}"#;
const USAGE: &str = r#"{"server_time":"2026-03-01T12:00:00Z","entries":[
  {"entry_id":"ent_4","sequence":4,"at":"2026-03-01T11:00:00Z","kind":"debit","change_credits":"-0.55",
   "run":{"model_id":"venice-small","model_name":"Venice Small","kind":"chat","meters":{"input_tokens":"500","output_tokens":"200"},"rule":"per 1M tokens"}},
  {"entry_id":"ent_3","sequence":3,"at":"2026-01-31T00:00:00Z","kind":"expired","change_credits":"-10","run":null}],
  "next_cursor":"3"}"#;
const ORDER: &str = r#"{"order_id":"ord_1","server_time":"2026-03-01T12:00:00Z","usd":"25","top_up":false,
  "quote":{"usd_per_eth":"2500","value_wei":"10000000000000000","unique_value_wei":"10000010000000000","credits":"250000","quoted":"2026-03-01T12:00:00Z",
    "expires":"2026-03-01T12:10:00Z","sources":[{"name":"Kraken","usd_per_eth":"2500","used":true},{"name":"Bitstamp","usd_per_eth":null,"used":false}]},
  "status":"confirmed","claimed":false,"payments":[{"transaction_hash":"0xab","position":0,"block_number":12,"block_hash":"0xcd",
    "block_time":"2026-03-01T12:00:58Z","value_wei":"10000000000000000","confirmations":2,"attribution":"tag","finality":"confirmed",
    "outcome":{"state":"credited","credits":"250000","usd_per_eth":"2500","credited":"2026-03-01T12:01:00Z","batch_id":"ba_1",
      "batch_expires":"2026-03-31T12:01:00Z"},"late":false},
    {"transaction_hash":"0xac","position":1,"block_number":13,"block_hash":"0xce","block_time":"2026-03-01T12:20:00Z","value_wei":"7",
    "confirmations":1,"attribution":"by_a_newer_service","finality":"safe","outcome":{"state":"of_a_newer_service","credits":7},"late":true}],
  "credited_credits":"250000"}"#;
const POSTED: &str =
    r#"{"account_id":"acc_1","entry_id":"ent_5","batch_id":null,"available_credits":"249999.95","server_time":"2026-03-01T12:00:00Z"}"#;

fn at(server: &Server) -> AccountService {
    AccountService::new(ServiceUrl::parse(&server.url()).unwrap(), Deadlines::default())
}

fn key() -> SecureKey {
    SecureKey::parse(KEY).ok().unwrap()
}

fn token() -> OperatorToken {
    OperatorToken::parse(TOKEN).ok().unwrap()
}

fn once() -> IdempotencyKey {
    IdempotencyKey::parse("0b5c-7").unwrap()
}

fn purchase() -> OrderRequest {
    OrderRequest { usd: "25".parse().unwrap(), method: PayMethod::Eth, tag: "aa".repeat(32) }
}

fn authorization(asked: &Asked) -> Option<&str> {
    asked.header("authorization")
}

#[tokio::test]
async fn health() {
    let server = Server::json("200 OK", r#"{"status":"degraded","server_time":"2026-03-01T12:00:00Z","scanned_block":null}"#);
    let answer = at(&server).health().await.unwrap();
    assert_eq!((answer.status.as_str(), answer.scanned_block), ("degraded", None));
    let asked = server.asked();
    assert_eq!(asked.line, "GET /v1/health HTTP/1.1");
    assert_eq!(authorization(&asked), None);
    assert!(asked.header("user-agent").unwrap().starts_with("aispace-wallet/"));
    assert_eq!(asked.header("accept-encoding"), None, "a compressed answer could not be capped");
}

#[tokio::test]
async fn account() {
    let server = Server::json("200 OK", ACCOUNT);
    let account = at(&server).account(&key()).await.unwrap();
    assert_eq!(account.available_credits.to_string(), "250000.5");
    assert_eq!((account.batches[0].source, account.batches[0].state), (BatchSource::EthPurchase, BatchState::Live));
    assert_eq!(account.batches[1].lapsed_credits.to_string(), "10");
    let asked = server.asked();
    assert_eq!(asked.line, "GET /v1/account HTTP/1.1");
    assert_eq!(authorization(&asked), Some(format!("Bearer {KEY}").as_str()));
}

#[tokio::test]
async fn usage_by_pages() {
    let server = Server::json("200 OK; charset=x", USAGE);
    let page = UsagePage { cursor: Some("a b&limit=9/ü".into()), limit: 50 };
    let usage = at(&server).usage(&key(), &page).await.unwrap();
    assert_eq!(usage.entries[0].change_credits.to_string(), "-0.55");
    assert_eq!((usage.entries[1].kind, usage.next_cursor.as_deref()), (UsageKind::Expired, Some("3")));
    let asked = server.asked();
    assert_eq!(asked.line, "GET /v1/account/usage?limit=50&cursor=a+b%26limit%3D9%2F%C3%BC HTTP/1.1");
    assert_eq!(authorization(&asked), Some(format!("Bearer {KEY}").as_str()));
}

#[tokio::test]
async fn a_connector_gives_the_same_account() {
    let server = Server::json("200 OK", ACCOUNT);
    let connector: Box<dyn AccountConnector> = Box::new(AiSpaceAccount::new(at(&server), key()));
    assert_eq!(connector.account().await.unwrap().entry_count, 4);
    let server = Server::json("200 OK", USAGE);
    let connector: Box<dyn AccountConnector> = Box::new(AiSpaceAccount::new(at(&server), key()));
    assert_eq!(connector.usage(&UsagePage::newest(2)).await.unwrap().entries.len(), 2);
    assert_eq!(server.asked().line, "GET /v1/account/usage?limit=2 HTTP/1.1");
}

#[tokio::test]
async fn an_order_without_an_account() {
    let server = Server::json("201 Created", ORDER);
    let order = at(&server).create_order(None, &purchase(), &once()).await.unwrap();
    assert_eq!(order.quote.value_wei.to_string(), "10000000000000000");
    assert_eq!((order.status, order.top_up), (OrderStatus::Confirmed, false));
    let asked = server.asked();
    assert_eq!(asked.line, "POST /v1/orders HTTP/1.1");
    assert_eq!(authorization(&asked), None);
    assert_eq!(asked.header("idempotency-key"), Some("0b5c-7"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let sent: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(sent, serde_json::json!({"usd": "25", "method": "eth", "tag": "aa".repeat(32)}));
}

#[tokio::test]
async fn a_top_up_names_the_account_by_its_key() {
    let server = Server::json("201 Created", ORDER);
    at(&server).create_order(Some(&key()), &purchase(), &once()).await.unwrap();
    assert_eq!(authorization(&server.asked()), Some(format!("Bearer {KEY}").as_str()));
}

#[tokio::test]
async fn an_order_whose_id_leads_elsewhere_is_refused() {
    let server = Server::json("201 Created", &ORDER.replace("ord_1", "../account"));
    let error = at(&server).create_order(None, &purchase(), &once()).await.unwrap_err();
    assert!(matches!(error, ClientError::Garbled { detail } if detail.starts_with("order id")));
}

#[tokio::test]
async fn an_order_is_watched_without_a_credential() {
    let server = Server::json("200 OK", ORDER);
    let order = at(&server).order(&OrderId::parse("ord_1").unwrap()).await.unwrap();
    assert_eq!((order.payments[0].confirmations, order.payments[0].position, order.claimed), (2, 0, false));
    assert!(matches!(&order.payments[0].outcome, PaymentOutcome::Credited { batch_id: Some(batch), .. } if batch == "ba_1"));
    // Words of a newer service are no reason to refuse the whole answer.
    assert_eq!((order.payments[1].attribution, &order.payments[1].outcome), (Attribution::Unknown, &PaymentOutcome::Unknown));
    let asked = server.asked();
    assert_eq!(asked.line, "GET /v1/orders/ord_1 HTTP/1.1");
    assert_eq!((authorization(&asked), asked.header("idempotency-key")), (None, None));
}

#[tokio::test]
async fn a_claim_by_hash_is_its_own_credential() {
    let server = Server::json("200 OK", ORDER);
    let claim = HashClaimRequest {
        order_id: "ord_1".into(),
        transaction_hash: format!("0x{}", "77".repeat(32)),
        deadline: "2026-03-01T12:30:00Z".parse().unwrap(),
        signature: format!("0x{}", "5f".repeat(65)),
        payer: None,
    };
    assert_eq!(at(&server).claim_by_hash(&claim).await.unwrap().order_id, "ord_1");
    let asked = server.asked();
    assert_eq!((asked.line.as_str(), authorization(&asked)), ("POST /v1/claims HTTP/1.1", None));
    let sent: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(sent["deadline"], "2026-03-01T12:30:00Z");
    assert_eq!(serde_json::from_value::<HashClaimRequest>(sent).unwrap(), claim);
}

#[tokio::test]
async fn a_claim_presents_its_secret_and_nothing_else() {
    let body = format!(r#"{{"account_id":"acc_1","secure_key":"{KEY}","credited_credits":"250000"}}"#);
    let server = Server::json("200 OK", &body);
    let order = OrderId::parse("ord_1").unwrap();
    let claimed = at(&server).claim(&order, SealedSecret::new(CLAIM_SECRET.into()), ClaimStep::Collect).await.ok().unwrap();
    assert_eq!((claimed.secure_key.unwrap().expose(), claimed.account_id.as_str()), (KEY, "acc_1"));
    let asked = server.asked();
    assert_eq!(asked.line, "POST /v1/orders/ord_1/claim HTTP/1.1", "the secret is in no address");
    assert_eq!(authorization(&asked), None);
    let sent: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(sent, serde_json::json!({"secret": CLAIM_SECRET, "acknowledge": false}));
}

#[tokio::test]
async fn an_acknowledged_claim_has_no_key_any_more() {
    let server = Server::json("200 OK", r#"{"account_id":"acc_1","secure_key":null,"credited_credits":"250000"}"#);
    let order = OrderId::parse("ord_1").unwrap();
    let claimed = at(&server).claim(&order, SealedSecret::new(CLAIM_SECRET.into()), ClaimStep::Acknowledge).await.ok().unwrap();
    assert!(claimed.secure_key.is_none());
    assert!(server.asked().body.contains(r#""acknowledge":true"#));
}

#[tokio::test]
async fn a_key_that_is_none_is_not_repeated() {
    let server = Server::json("200 OK", r#"{"account_id":"acc_1","secure_key":"hunter2","credited_credits":"0"}"#);
    let order = OrderId::parse("ord_1").unwrap();
    let answer = at(&server).claim(&order, SealedSecret::new(CLAIM_SECRET.into()), ClaimStep::Collect).await;
    let error = answer.err().unwrap();
    assert!(matches!(error, ClientError::Garbled { .. }));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_key_is_rotated_by_the_one_that_it_follows() {
    let server = Server::json("201 Created", r#"{"account_id":"acc_1","secure_key":"ask_new_0123456789abcdef"}"#);
    let new = at(&server).rotate_key(&key()).await.ok().unwrap();
    assert_eq!(new.expose(), "ask_new_0123456789abcdef");
    let asked = server.asked();
    assert_eq!(asked.line, "POST /v1/account/key/rotate HTTP/1.1");
    assert_eq!(authorization(&asked), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!((asked.header("idempotency-key"), asked.body.as_str()), (None, "{}"));

    let server = Server::json("201 Created", r#"{"account_id":"acc_1","secure_key":"hunter2"}"#);
    let error = at(&server).rotate_key(&key()).await.err().unwrap();
    assert!(matches!(error, ClientError::Garbled { .. }) && !format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_debit_as_a_gateway() {
    let server = Server::json("201 Created", POSTED);
    let run = RunDescription {
        model_id: "venice-small".into(),
        model_name: "Venice Small".into(),
        kind: "chat".into(),
        meters: BTreeMap::from([("input_tokens".into(), "500".into())]),
        rule: None,
    };
    let request = DebitRequest { account_id: "acc_1".into(), credits: Some("0.55".parse().unwrap()), run: Some(run), metered: None };
    let posted = at(&server).debit(&token(), &request, &once()).await.unwrap();
    assert_eq!(posted.available_credits.to_string(), "249999.95");
    let asked = server.asked();
    assert_eq!(asked.line, "POST /v1/debits HTTP/1.1");
    assert_eq!(authorization(&asked), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(asked.header("idempotency-key"), Some("0b5c-7"));
    assert!(asked.body.contains(r#""credits":"0.55""#), "money is a string: {}", asked.body);
}

#[tokio::test]
async fn a_grant_and_an_account_as_an_operator() {
    let server = Server::json("201 Created", POSTED);
    let request = GrantRequest { account_id: "acc_1".into(), credits: "1".parse().unwrap(), expires: None, note: None };
    at(&server).grant(&token(), &request, &once()).await.unwrap();
    assert_eq!(server.asked().line, "POST /v1/grants HTTP/1.1");
    let server = Server::json("201 Created", &format!(r#"{{"account_id":"acc_2","secure_key":"{KEY}"}}"#));
    let opened = at(&server).open_account(&token(), &OpenAccountRequest { label: None }, &once()).await.unwrap();
    assert_eq!(opened.secure_key.expose(), KEY);
    assert_eq!(server.asked().line, "POST /v1/accounts HTTP/1.1");
}

#[tokio::test]
async fn a_refused_operator_is_not_a_refused_key() {
    let server = Server::json("401 Unauthorized", r#"{"code":"unauthorized","message":"no such token"}"#);
    let request = DebitRequest { account_id: "acc_1".into(), credits: Some("0".parse().unwrap()), run: None, metered: None };
    let error = at(&server).debit(&token(), &request, &once()).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { answer, status: 401 } if answer.code == ErrorCode::Unauthorized));
}

#[tokio::test]
async fn a_base_with_a_path_is_kept() {
    let server = Server::json("200 OK", ACCOUNT);
    let base = ServiceUrl::parse(&format!("{}/wallet/", server.url())).unwrap();
    AccountService::new(base, Deadlines::default()).account(&key()).await.unwrap();
    assert_eq!(server.asked().line, "GET /wallet/v1/account HTTP/1.1");
}

#[tokio::test]
async fn the_doors_of_a_sandbox() {
    let faucet = Server::json("200 OK", r#"{"transaction_hash":"0xab"}"#);
    let sample = Server::json("200 OK", &format!(r#"{{"secure_key":"{KEY}"}}"#));
    let at = |server: &Server, path: &str| ServiceUrl::parse(&format!("{}/{path}", server.url())).unwrap();
    let doors = SandboxDoors::new(at(&faucet, "faucet"), at(&sample, "sample"), Deadlines::default());
    doors.ask_for_ether("0x00000000000000000000000000000000000000AA").await.unwrap();
    assert_eq!(doors.sample_key().await.ok().unwrap().expose(), KEY);
    let asked = faucet.asked();
    assert_eq!(asked.line, "POST /faucet HTTP/1.1");
    assert_eq!(asked.body, r#"{"address":"0x00000000000000000000000000000000000000AA"}"#);
    assert_eq!(sample.asked().line, "POST /sample HTTP/1.1");
}
