//! Every way in which an answer can be none, each with the error that names it, within the deadline.
#![allow(missing_docs, clippy::unwrap_used)]

mod server;

use aispace_api::{ErrorCode, HealthAnswer};
use aispace_client::{AccountService, BODY_BYTES_MAX, ClientError, Cut, Deadlines, SecureKey, ServiceUrl};
use server::{Act, Server};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const KEY: &str = "sk_test_0123456789abcdef";
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(1), whole: Duration::from_secs(2) };
const JSON: &str = "content-type: application/json\r\n";

fn service(url: &str) -> AccountService {
    AccountService::new(ServiceUrl::parse(url).unwrap(), DEADLINES)
}

/// Asks for the account, and checks what holds for every failure.
async fn failure_at(url: &str) -> ClientError {
    let start = Instant::now();
    let error = service(url).account(&SecureKey::parse(KEY).ok().unwrap()).await.expect_err("a failure");
    assert!(start.elapsed() < DEADLINES.whole + Duration::from_secs(2), "took {:?}", start.elapsed());
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("/v1/") && !shown.contains("http://"), "{shown}");
    error
}

async fn failure(act: Act) -> ClientError {
    failure_at(&Server::start(act).url()).await
}

fn cut_of(error: &ClientError) -> Cut {
    match error {
        ClientError::Unreachable { cut, .. } => *cut,
        other => panic!("not a cut: {other}"),
    }
}

fn raw(head: &str, body: &str) -> Act {
    Act::Raw(format!("HTTP/1.1 {head}\r\n\r\n{body}").into_bytes())
}

fn is_garbled(error: &ClientError, word: &str) -> bool {
    matches!(error, ClientError::Garbled { detail } if detail.contains(word))
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(cut_of(&failure_at(&format!("http://{free}")).await), Cut::Refused);
}

#[tokio::test]
async fn the_name_leads_nowhere() {
    assert_eq!(cut_of(&failure_at("https://no-such-host.invalid").await), Cut::Name);
}

#[tokio::test]
async fn no_connection_in_time() {
    // It accepts and never says a word of the encryption's greeting.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    assert_eq!(cut_of(&failure_at(&url).await), Cut::Connecting);
}

#[tokio::test]
async fn it_does_not_speak_encrypted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_eq!(cut_of(&failure_at(&url).await), Cut::Encryption);
}

#[tokio::test]
async fn its_certificate_is_not_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || speak_untrusted_tls(&listener));
    let error = failure_at(&url).await;
    assert_eq!(cut_of(&error), Cut::Encryption);
    assert!(error.to_string().contains("certificate"), "{error}");
}

fn speak_untrusted_tls(listener: &TcpListener) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = include_bytes!("fixtures/untrusted-certificate.der").to_vec().into();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(include_bytes!("fixtures/untrusted-key.der").to_vec());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    let config = Arc::new(config);
    for stream in listener.incoming().flatten() {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream: rustls::StreamOwned<_, TcpStream> = rustls::StreamOwned::new(connection, stream);
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    }
}

#[tokio::test]
async fn it_hangs_up_without_an_answer() {
    assert_eq!(cut_of(&failure(Act::Raw(vec![])).await), Cut::Broken);
}

#[tokio::test]
async fn it_hangs_up_within_the_greeting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().flatten().for_each(drop));
    assert_eq!(cut_of(&failure_at(&url).await), Cut::Broken);
}

#[tokio::test]
async fn it_breaks_off_within_the_answer() {
    let act = raw("200 OK\r\ncontent-type: application/json\r\ncontent-length: 500", "{\"account_id\":");
    assert_eq!(cut_of(&failure(act).await), Cut::Broken);
}

#[tokio::test]
async fn it_does_not_speak_http() {
    assert_eq!(cut_of(&failure(Act::Raw(b"220 mail.example ESMTP\r\n".to_vec())).await), Cut::Broken);
}

#[tokio::test]
async fn it_never_answers() {
    assert_eq!(failure(Act::Hang).await, ClientError::Slow { seconds: 2 });
}

#[tokio::test]
async fn it_stops_within_the_answer() {
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 500\r\n\r\n{{");
    assert_eq!(failure(Act::HangInBody(head)).await, ClientError::Slow { seconds: 2 });
}

#[tokio::test]
async fn it_drips() {
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 500000\r\n\r\n{{");
    assert_eq!(failure(Act::Drip(head.into_bytes())).await, ClientError::Slow { seconds: 2 });
}

#[tokio::test]
async fn a_failing_service_says_its_status_whatever_it_sends() {
    for (status, body) in [
        ("500 Oops", ""),
        ("502 Bad Gateway", "<html>"),
        ("503 Away", r#"{"code":"internal","message":"x"}"#),
        ("500 Oops", r#"{"code":"brand_new","message":"x"}"#),
    ] {
        let number = status[..3].parse().unwrap();
        assert_eq!(failure(Act::Answer(status, JSON, body.into())).await, ClientError::Failed { status: number }, "{status}");
    }
}

#[tokio::test]
async fn a_page_in_between_is_not_the_service() {
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "407 Proxy Authentication Required"] {
        let number = status[..3].parse().unwrap();
        let act = Act::Answer(status, "content-type: text/html\r\n", r#"{"code":"unauthorized","message":"log in to the proxy"}"#.into());
        assert_eq!(failure(act).await, ClientError::Failed { status: number }, "nobody is signed out by a proxy");
    }
}

#[tokio::test]
async fn it_asks_to_wait() {
    let with = Act::Answer("429 Too Many Requests", "retry-after: 7\r\n", String::new());
    assert_eq!(failure(with).await, ClientError::Busy { retry_after_seconds: Some(7) });
    let without = Act::Answer("429 Too Many Requests", "", "{}".into());
    assert_eq!(failure(without).await, ClientError::Busy { retry_after_seconds: None });
}

#[tokio::test]
async fn its_answer_is_a_page() {
    let act = Act::Answer("200 OK", "content-type: text/html; charset=utf-8\r\n", "<html>log in</html>".into());
    assert!(is_garbled(&failure(act).await, "text/html"));
    assert!(is_garbled(&failure(Act::Answer("200 OK", "", "{}".into())).await, "content type"));
}

#[tokio::test]
async fn its_answer_is_not_json() {
    assert!(is_garbled(&failure(Act::Answer("200 OK", JSON, "<html>".into())).await, "not JSON"));
    assert!(is_garbled(&failure(Act::Answer("200 OK", JSON, "{\"account_id\":\"a\"".into())).await, "ends too early"));
    assert!(is_garbled(&failure(Act::Answer("200 OK", JSON, String::new())).await, "ends too early"));
    assert!(is_garbled(&failure(Act::Answer("204 No Content", JSON, String::new())).await, "ends too early"));
}

#[tokio::test]
async fn its_answer_has_another_shape_and_is_not_repeated() {
    let body = format!(r#"{{"account_id":"a","server_time":"{KEY}"}}"#);
    let error = failure(Act::Answer("200 OK", JSON, body)).await;
    assert!(is_garbled(&error, "not of the documented shape at line 1"), "{error}");
}

#[tokio::test]
async fn a_float_is_not_money() {
    let body = r#"{"account_id":"a","server_time":"2026-01-01T00:00:00Z","available_credits":0.55,"batches":[],"entry_count":0}"#;
    assert!(is_garbled(&failure(Act::Answer("200 OK", JSON, body.into())).await, "documented shape"));
}

#[tokio::test]
async fn its_answer_is_announced_too_large() {
    let act = raw(&format!("200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", BODY_BYTES_MAX + 1), "");
    assert_eq!(failure(act).await, ClientError::TooLarge { limit_bytes: BODY_BYTES_MAX });
}

#[tokio::test]
async fn its_answer_grows_too_large() {
    let act = raw("200 OK\r\ncontent-type: application/json\r\nconnection: close", &" ".repeat(BODY_BYTES_MAX + 1));
    assert_eq!(failure(act).await, ClientError::TooLarge { limit_bytes: BODY_BYTES_MAX });
}

#[tokio::test]
async fn it_compresses_unasked() {
    let act = Act::Answer("200 OK", "content-type: application/json\r\ncontent-encoding: gzip\r\n", "\u{1f}not really".into());
    assert!(is_garbled(&failure(act).await, "not JSON"));
}

#[tokio::test]
async fn it_points_elsewhere_and_the_key_does_not_follow() {
    let elsewhere = Server::json("200 OK", "{}");
    for status in ["301", "302", "307", "308"] {
        let act = raw(&format!("{status} Moved\r\nlocation: {}/v1/account\r\ncontent-length: 0", elsewhere.url()), "");
        assert_eq!(failure(act).await, ClientError::Redirected { status: status.parse().unwrap() });
    }
    let probe = service(&elsewhere.url()).health().await;
    assert!(probe.is_err() && elsewhere.asked().line.contains("health"), "nothing but our probe arrived");
}

#[tokio::test]
async fn it_does_not_know_the_key() {
    let act = Act::Answer("401 Unauthorized", JSON, r#"{"code":"unauthorized","message":"no such key"}"#.into());
    assert_eq!(failure(act).await, ClientError::KeyRefused);
}

#[tokio::test]
async fn it_refuses_with_words_of_its_own() {
    let rows = [
        ("402 Payment Required", "insufficient_credits", ErrorCode::InsufficientCredits),
        ("403 Forbidden", "forbidden", ErrorCode::Forbidden),
        ("404 Not Found", "not_found", ErrorCode::NotFound),
        ("409 Conflict", "not_paid_yet", ErrorCode::NotPaidYet),
        ("422 Unprocessable", "something_newer", ErrorCode::Unknown),
        ("503 Away", "price_unavailable", ErrorCode::PriceUnavailable),
    ];
    for (status, code, want) in rows {
        let body = format!(r#"{{"code":"{code}","message":"{}","details":{{"available_credits":"0.5"}}}}"#, "ä".repeat(9_000));
        match failure(Act::Answer(status, JSON, body)).await {
            ClientError::Refused { answer, status: number } => {
                assert_eq!((answer.code, number), (want, status[..3].parse().unwrap()));
                assert_eq!(answer.details["available_credits"], "0.5");
                assert_eq!(answer.message.chars().count(), 500, "words are cut to a length that can be shown");
            }
            other => panic!("{status}: {other}"),
        }
    }
}

#[tokio::test]
async fn after_a_failure_the_next_call_works() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let service = service(&url);
    assert_eq!(cut_of(&service.health().await.expect_err("nobody listens")), Cut::Refused);
    let Ok(listener) = TcpListener::bind(url.trim_start_matches("http://")) else { return };
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let body = r#"{"status":"ok","server_time":"2026-01-01T00:00:00Z","scanned_block":7}"#;
        let head = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(head.as_bytes());
    });
    let answer: HealthAnswer = service.health().await.unwrap();
    assert_eq!(answer.scanned_block, Some(7));
}

#[test]
fn what_may_pass_by_itself_is_temporary() {
    let cut = |cut| ClientError::Unreachable { cut, detail: String::new() };
    for error in [
        cut(Cut::Refused),
        ClientError::Slow { seconds: 1 },
        ClientError::Failed { status: 502 },
        ClientError::Busy { retry_after_seconds: None },
    ] {
        assert!(error.is_temporary(), "{error}");
    }
    let garbled = ClientError::Garbled { detail: String::new() };
    for error in [ClientError::KeyRefused, garbled, ClientError::Redirected { status: 302 }, ClientError::TooLarge { limit_bytes: 1 }] {
        assert!(!error.is_temporary(), "{error}");
    }
}
