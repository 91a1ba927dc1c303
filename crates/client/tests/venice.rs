//! Venice's prices over the wire, against a stand-in that answers as documented, and as nobody should.
#![allow(missing_docs, clippy::unwrap_used)]

mod server;

use aispace_client::{
    BODY_BYTES_MAX, ClientError, Cut, Deadlines, ServiceUrl, VENICE_URL, VeniceError, VeniceKey, VeniceModels, VenicePrices,
};
use aispace_pricing::{ClipQuery, LiveError, QuoteOrigin};
use chrono::{DateTime, TimeDelta, Utc};
use server::{Act, Server};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

const KEY: &str = "venice_test_0123456789abcdef";
const JSON: &str = "content-type: application/json\r\n";
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(1), whole: Duration::from_millis(700) };
const REFUSAL: &str = r#"{"error":"Invalid request","details":{"_errors":[],"duration":{"_errors":["Invalid option"]}},
  "issues":[{"path":["duration"],"expected":"'4s' | '6s' | '8s'"}]}"#;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn clip() -> ClipQuery {
    ClipQuery {
        model: "veo3.1-fast-text-to-video".into(),
        duration: "8s".into(),
        resolution: Some("720p".into()),
        aspect_ratio: None,
        audio: Some(true),
    }
}

fn prices_at(url: &str) -> VenicePrices {
    VenicePrices::new(ServiceUrl::parse(url).unwrap(), None, DEADLINES)
}

fn prices(server: &Server) -> VenicePrices {
    prices_at(&format!("{}/api/v1", server.url()))
}

async fn failure(act: Act) -> VeniceError {
    let start = Instant::now();
    let error = prices(&Server::start(act)).video_quote(&clip(), now()).await.expect_err("a failure");
    assert!(start.elapsed() < DEADLINES.whole + Duration::from_secs(2), "took {:?}", start.elapsed());
    error
}

fn answer(status: &'static str, body: &str) -> Act {
    Act::Answer(status, JSON, body.into())
}

#[tokio::test]
async fn a_quote_as_it_is_asked_and_answered() {
    let server = Server::json("200 OK; charset=utf-8", r#"{"quote": 1.3200000000000003}"#);
    let quote = prices(&server).video_quote(&clip(), now()).await.unwrap();
    assert_eq!((quote.usd.to_string().as_str(), quote.asked_at, quote.source.as_str()), ("1.32", now(), "127.0.0.1"));
    assert_eq!((quote.origin, &quote.query), (QuoteOrigin::Live, &clip()));
    let asked = server.asked();
    assert_eq!(asked.line, "POST /api/v1/video/quote HTTP/1.1");
    assert_eq!(asked.body, r#"{"model":"veo3.1-fast-text-to-video","duration":"8s","resolution":"720p","audio":true}"#);
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!((asked.header("authorization"), asked.header("accept-encoding")), (None, None), "no key is needed");
}

#[tokio::test]
async fn a_key_goes_along_where_there_is_one_and_is_never_shown() {
    let server = Server::json("401 Unauthorized", &format!(r#"{{"error":{{"message":"bad key {KEY}","code":"AUTHENTICATION_FAILED"}}}}"#));
    let base = ServiceUrl::parse(&server.url()).unwrap();
    let keyed = VenicePrices::new(base, Some(VeniceKey::parse(&format!(" {KEY}\n")).ok().unwrap()), DEADLINES);
    let error = keyed.video_quote(&clip(), now()).await.unwrap_err();
    assert_eq!(error, VeniceError::Key { sent: true });
    assert!(!format!("{error} {error:?}").contains(KEY));
    let asked = server.asked();
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert!(!asked.body.contains(KEY) && !asked.line.contains(KEY));
    assert_eq!(failure(answer("401 Unauthorized", "{}")).await, VeniceError::Key { sent: false });
}

#[tokio::test]
async fn the_list_of_models_comes_as_it_is() {
    let list = r#"{"object":"list", "data":[{"id":"x","model_spec":{"pricing":{"input":{"usd":0.1500}}}}] }"#;
    let server = Server::json("200 OK", list);
    assert_eq!(prices(&server).models(VeniceModels::Image, now()).await.unwrap(), list.as_bytes());
    assert_eq!(server.asked().line, "GET /api/v1/models?type=image HTTP/1.1");
    let words: Vec<&str> = VeniceModels::ALL.into_iter().map(VeniceModels::as_str).collect();
    assert_eq!(words.join(" "), "all text image inpaint upscale video tts asr music embedding");
}

#[tokio::test]
async fn a_refusal_names_what_is_allowed() {
    for status in ["400 Bad Request", "403 Forbidden", "404 Not Found", "422 Unprocessable"] {
        let VeniceError::Refused { status: given, refusal } = failure(answer(status, REFUSAL)).await else { panic!("{status}") };
        assert!(status.starts_with(&given.to_string()));
        assert_eq!(refusal.to_string(), "Invalid request; duration may be 4s, 6s, 8s");
        let seven = ClipQuery { duration: "7s".into(), ..clip() };
        let words = refusal.impossible(&seven).unwrap().to_string();
        assert_eq!(words, "veo3.1-fast-text-to-video: seconds cannot be 7; allowed: 4, 6, 8");
    }
    let VeniceError::Refused { refusal, .. } = failure(answer("403 Forbidden", r#"{"error":"not in your region"}"#)).await else {
        panic!()
    };
    assert_eq!(refusal.to_string(), "not in your region");
}

#[tokio::test]
async fn a_refusal_that_is_not_its_own_is_a_failure() {
    let page = Act::Answer("403 Forbidden", "content-type: text/html\r\n", "<html>the proxy forbids</html>".into());
    for (act, status) in
        [(page, 403), (answer("400 Bad Request", "[]"), 400), (answer("418 Teapot", "{}"), 418), (answer("402 Pay", "{}"), 402)]
    {
        assert_eq!(failure(act).await, VeniceError::Call(ClientError::Failed { status }));
    }
}

#[tokio::test]
async fn it_fails() {
    for (status, code) in [("500 Oops", 500), ("502 Bad Gateway", 502), ("503 At Capacity", 503)] {
        assert_eq!(failure(answer(status, REFUSAL)).await, VeniceError::Call(ClientError::Failed { status: code }));
    }
    let error = failure(Act::Answer("429 Too Many", "content-type: application/json\r\nretry-after: 7\r\n", "{}".into())).await;
    assert_eq!(error, VeniceError::Call(ClientError::Busy { retry_after_seconds: Some(7) }));
}

#[tokio::test]
async fn it_is_slow() {
    let late = VeniceError::Call(ClientError::Slow { seconds: 1 });
    assert_eq!(failure(Act::Hang).await, late);
    assert_eq!(failure(Act::HangInBody(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 50\r\n\r\n{{\"quote\":"))).await, late);
    assert_eq!(failure(Act::Drip(format!("HTTP/1.1 200 OK\r\n{JSON}\r\n{{\"quote\": 1").into_bytes())).await, late);
}

#[tokio::test]
async fn it_cannot_be_reached() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = prices_at(&format!("http://{free}")).video_quote(&clip(), now()).await.unwrap_err();
    assert!(matches!(error, VeniceError::Call(ClientError::Unreachable { cut: Cut::Refused, .. })), "{error}");
    assert!(matches!(failure(Act::Raw(vec![])).await, VeniceError::Call(ClientError::Unreachable { cut: Cut::Broken, .. })));
}

#[tokio::test]
async fn what_is_answered_is_no_quote() {
    for garbage in ["", "NaN", r#"{"quote": NaN}"#, r#"{"quote": Infinity}"#, "{}", "[1]", "<html>", r#"{"quote": 1"#, "\u{0}\u{1}\u{2}"] {
        let error = failure(answer("200 OK", garbage)).await;
        assert!(matches!(error, VeniceError::Quote(LiveError::Shape { .. })), "{garbage}: {error}");
    }
    for amount in ["0", "-1", "1e9", "\"1\"", "null", "true", "-0.0", "1e-10"] {
        let error = failure(answer("200 OK", &format!(r#"{{"quote": {amount}}}"#))).await;
        assert!(matches!(error, VeniceError::Quote(LiveError::Amount { .. })), "{amount}: {error}");
    }
    let page = failure(Act::Answer("200 OK", "content-type: text/html\r\n", r#"{"quote": 1}"#.into())).await;
    assert!(matches!(page, VeniceError::Call(ClientError::Garbled { .. })), "{page}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let too_large = |limit_bytes| VeniceError::Call(ClientError::TooLarge { limit_bytes });
    let long = format!(r#"{{"quote": 1, "more": "{}"}}"#, "x".repeat(64 * 1024));
    assert_eq!(failure(answer("200 OK", &long)).await, too_large(64 * 1024));
    assert_eq!(failure(answer("400 Bad Request", &long)).await, too_large(64 * 1024));
    // Without an announced length it is counted as it arrives.
    let raw = format!("HTTP/1.1 200 OK\r\n{JSON}connection: close\r\n\r\n{long}");
    assert_eq!(failure(Act::Raw(raw.into_bytes())).await, too_large(64 * 1024));
    let server = Server::json("200 OK", &" ".repeat(BODY_BYTES_MAX + 1));
    let patient = VenicePrices::new(ServiceUrl::parse(&server.url()).unwrap(), None, Deadlines::default());
    assert_eq!(patient.models(VeniceModels::All, now()).await, Err(too_large(BODY_BYTES_MAX)));
    let server = Server::json("200 OK", &format!("[{}]", " ".repeat(1_000_000)));
    let patient = VenicePrices::new(ServiceUrl::parse(&server.url()).unwrap(), None, Deadlines::default());
    assert_eq!(patient.models(VeniceModels::All, now()).await.unwrap().len(), 1_000_002, "a list is longer than a quote");
}

#[tokio::test]
async fn it_points_elsewhere() {
    let elsewhere = Server::json("200 OK", r#"{"quote": 1}"#);
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let location = format!("location: {}/\r\n", elsewhere.url()).leak();
        let error = failure(Act::Answer(status, location, String::new())).await;
        assert!(matches!(error, VeniceError::Call(ClientError::Redirected { .. })), "{error}");
    }
}

#[tokio::test]
async fn after_ten_failures_in_half_a_minute_nothing_is_sent() {
    let server = Server::json("400 Bad Request", REFUSAL);
    let venice = prices(&server);
    for second in 0..10 {
        let error = venice.video_quote(&clip(), now() + TimeDelta::seconds(second)).await.unwrap_err();
        assert!(matches!(error, VeniceError::Refused { .. }), "{error}");
    }
    // A clone is the same caller to Venice.
    let paused = venice.clone().models(VeniceModels::All, now() + TimeDelta::seconds(10)).await.unwrap_err();
    assert_eq!(paused, VeniceError::Paused { failures: 10, seconds: 20 });
    assert_eq!(paused.to_string(), "not asked again for 20 s, because 10 requests failed or are not answered yet");
    assert_eq!(server.count(), 10);
    let later = venice.video_quote(&clip(), now() + TimeDelta::seconds(30)).await.unwrap_err();
    assert!(matches!(later, VeniceError::Refused { .. }), "{later}");
    assert_eq!(server.count(), 11);
}

#[tokio::test]
async fn after_three_without_an_answer_nothing_is_sent() {
    let server = Server::json("503 At Capacity", "{}");
    let venice = prices(&server);
    for _ in 0..3 {
        assert_eq!(venice.video_quote(&clip(), now()).await, Err(ClientError::Failed { status: 503 }.into()));
    }
    assert_eq!(venice.video_quote(&clip(), now()).await, Err(VeniceError::Paused { failures: 3, seconds: 60 }));
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept() {
    let server = Server::start(Act::Answer("429 Too Many", "retry-after: 40\r\n", String::new()));
    let venice = prices(&server);
    assert!(venice.video_quote(&clip(), now()).await.is_err());
    let soon = venice.video_quote(&clip(), now() + TimeDelta::seconds(1)).await;
    assert_eq!(soon, Err(VeniceError::Paused { failures: 1, seconds: 39 }));
    assert_eq!(server.count(), 1);
}

#[test]
fn only_encrypted_or_this_machine() {
    assert!(ServiceUrl::parse(VENICE_URL).is_ok());
    assert!(ServiceUrl::parse(&VENICE_URL.replace("https", "http")).is_err());
}
