//! The page's server over raw sockets, and everything that is refused there. What a browser does with it is tested with a real one.

use super::*;
use crate::{OsEntropy, PAYMENT_ADDRESS_CHECKSUMMED, tag::OrderTag};
use aispace_units::Wei;
use serde_json::{Value, json};
use std::time::Instant;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const ACCOUNT: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const PATIENCE: Duration = Duration::from_secs(20);

struct Served {
    handle: BridgeHandle,
    port: u16,
    token: String,
}

/// An answer as it came.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_string()
    }
}

impl Served {
    fn open() -> Self {
        Self::open_for(Duration::from_secs(60))
    }

    fn open_for(lifetime: Duration) -> Self {
        let request = BridgeRequest {
            payment: PaymentRequest::tagged(Wei::new(5_127_574_042_169_169), OrderTag::from_bytes([0xab; 32])),
            code: MatchingCode::generate(&mut OsEntropy).unwrap(),
            credits: "100,000".into(),
            usd: "$10.00".into(),
            language: PageLanguage::English,
        };
        let handle = Bridge::open(request, &mut OsEntropy, lifetime).unwrap();
        let (origin, token) = handle.url().split_once("/#").unwrap();
        let (port, token) = (origin.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap(), token.to_string());
        Self { handle, port, token }
    }

    fn stage(&self) -> BridgeState {
        self.handle.stages().borrow().clone()
    }

    /// A call as the page makes it.
    fn request(&self, path: &str, secret: &str, body: &str) -> String {
        let own = format!("127.0.0.1:{}", self.port);
        format!(
            "POST {path} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\nOrigin: http://{own}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/json\r\nX-Bridge-Token: {secret}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    async fn raw(&self, request: &str) -> Answer {
        exchange(self.port, request.as_bytes()).await.expect("an answer")
    }

    async fn call(&self, path: &str, secret: &str, body: Value) -> Answer {
        self.raw(&self.request(path, secret, &body.to_string())).await
    }

    /// Opens the page as a browser would; answers the page's own secret.
    async fn opened(&self) -> String {
        let answer = self.call("/open", &self.token, json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["key"].as_str().unwrap().to_string()
    }

    /// Asks the wallet; answers the ask's number.
    async fn asked(&self, key: &str) -> Value {
        let answer = self.call("/ask", key, wallet()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["ask"].clone()
    }
}

fn wallet() -> Value {
    json!({"name": "Test Wallet", "account": ACCOUNT.to_lowercase()})
}

fn hash() -> String {
    format!("0x{}", "ab".repeat(32))
}

async fn exchange(port: u16, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(request).await.ok()?;
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection is closed").ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer { status: head.split(' ').nth(1)?.parse().ok()?, head: head.to_lowercase(), body: body.into() })
}

fn get(port: u16, path: &str, extra: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{extra}\r\n")
}

#[tokio::test]
async fn a_payment_goes_through_the_page_once() {
    let served = Served::open();
    let mut stages = served.handle.stages();
    assert_eq!(served.stage(), BridgeState::Opening);
    let opened = served.call("/open", &served.token, json!({})).await;
    assert_eq!(*stages.borrow_and_update(), BridgeState::PageOpen);
    let details = opened.json();
    assert_eq!(details["ether"], "0.005127574042169169");
    assert_eq!((details["to"].as_str(), details["usd"].as_str()), (Some(PAYMENT_ADDRESS_CHECKSUMMED), Some("$10.00")));
    assert_eq!((details["chain"]["chainId"].as_str(), details["code"].as_str().map(str::len)), (Some("0x2105"), Some(6)));
    assert!(details["seconds"].as_u64().unwrap() <= 60);
    let key = details["key"].as_str().unwrap();

    served.call("/wallet", key, wallet()).await;
    let (name, account) = ("Test Wallet".to_string(), ACCOUNT.parse().unwrap());
    assert_eq!(served.stage(), BridgeState::WalletChosen { wallet: name.clone(), account });
    let ask = served.call("/ask", key, wallet()).await.json();
    assert_eq!(served.stage(), BridgeState::Asked { wallet: name.clone(), account });
    assert_eq!(
        ask["transaction"],
        json!({"from": ACCOUNT, "to": PAYMENT_ADDRESS_CHECKSUMMED, "value": "0x1237805d57cf51", "chainId": "0x2105",
               "data": format!("0x61737031{}", "ab".repeat(32))})
    );
    let said = json!({"ask": ask["ask"], "hash": hash()});
    assert_eq!(served.call("/answer", key, said.clone()).await.status, 200);
    let answered = BridgeState::Answered(WalletAnswer { hash: hash().parse().unwrap(), from: account, wallet: name });
    assert_eq!(served.stage(), answered);

    // Said again, said otherwise, asked again, refused afterwards: the first word stands.
    let other = json!({"ask": ask["ask"], "hash": format!("0x{}", "cd".repeat(32))});
    for (path, body) in [("/answer", said), ("/answer", other), ("/ask", wallet()), ("/unasked", json!({"ask": 1, "why": "rejected"}))] {
        assert_eq!(served.call(path, key, body).await.error(), "answered", "{path}");
    }
    assert_eq!(served.call("/resume", key, json!({})).await.json()["stage"], "answered");
    served.handle.close();
    assert_eq!(*stages.borrow(), answered, "closing does not take an answer back");
}

#[tokio::test]
async fn only_the_exact_name_of_this_server_is_served() {
    let served = Served::open();
    let (own, port) = (format!("Host: 127.0.0.1:{}\r\n", served.port), served.port);
    let page = get(port, "/", "");
    let open = served.request("/open", &served.token, "{}");
    assert_eq!(served.raw(&page).await.status, 200);
    for host in [
        format!("Host: localhost:{port}\r\n"),
        format!("Host: evil.test:{port}\r\n"),
        "Host: 127.0.0.1\r\n".into(),
        format!("Host: 127.0.0.1:{}\r\n", port ^ 1),
        format!("Host: 127.1:{port}\r\n"),
        format!("Host: 0.0.0.0:{port}\r\n"),
        format!("Host: [::1]:{port}\r\n"),
        format!("Host: 127.0.0.1:{port}.evil.test\r\n"),
        format!("Host: 127.0.0.1:0{port}\r\n"),
        format!("Host: user@127.0.0.1:{port}\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nHost: evil.test\r\n"),
        format!("Host: evil.test\r\nHost: 127.0.0.1:{port}\r\n"),
        "Host: \r\n".into(),
        String::new(),
    ] {
        for request in [&page, &open] {
            let answer = served.raw(&request.replace(&own, &host)).await;
            // Two of them are no HTTP at all to the parser.
            assert!([400, 421].contains(&answer.status), "{host:?}: {answer:?}");
            assert!(!answer.body.contains("html"), "{host:?}");
        }
    }
    let absolute = page.replace("GET / ", &format!("GET http://evil.test:{port}/ "));
    assert_eq!(served.raw(&absolute).await.status, 421);
    assert_eq!(served.raw(&page.replace("GET / ", &format!("GET http://127.0.0.1:{port}/ "))).await.status, 421);
    assert_eq!(served.stage(), BridgeState::Opening, "the token is still good");
}

#[tokio::test]
async fn other_pages_and_programs_are_refused_even_with_the_token() {
    let served = Served::open();
    let own = format!("127.0.0.1:{}", served.port);
    let open = served.request("/open", &served.token, "{}");
    let (origin, site) = (format!("Origin: http://{own}\r\n"), "Sec-Fetch-Site: same-origin\r\n");
    for instead in [
        "Origin: https://evil.test\r\n".to_string(),
        "Origin: null\r\n".into(),
        "Origin: \r\n".into(),
        format!("Origin: https://{own}\r\n"),
        format!("Origin: http://{own}/\r\n"),
        format!("Origin: http://localhost:{}\r\n", served.port),
        format!("Origin: http://{own}.evil.test\r\n"),
        format!("Origin: http://127.0.0.1:{}\r\n", served.port ^ 1),
        format!("{origin}Origin: https://evil.test\r\n"),
        String::new(),
    ] {
        let answer = served.raw(&open.replace(&origin, &instead)).await;
        assert_eq!((answer.status, answer.error().as_str()), (403, "foreign"), "{instead:?}");
    }
    for instead in ["Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n", "Sec-Fetch-Site: none\r\n", ""] {
        assert_eq!(served.raw(&open.replace(site, instead)).await.error(), "foreign", "{instead:?}");
    }
    for (extra, status) in [
        ("Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 200),
        ("Sec-Fetch-Site: same-origin\r\n", 200),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Sec-Fetch-Dest: iframe\r\n", 403),
        ("Sec-Fetch-Dest: script\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        ("Sec-Fetch-Mode: cors\r\n", 403),
        ("Origin: https://evil.test\r\n", 403),
    ] {
        assert_eq!(served.raw(&get(served.port, "/", extra)).await.status, status, "{extra:?}");
    }
    assert_eq!(served.stage(), BridgeState::Opening, "the token is still good");
}

#[tokio::test]
async fn the_token_opens_once_and_nothing_else_opens() {
    let served = Served::open();
    let open = |secret: &str| served.request("/open", secret, "{}");
    let missing = open("x").replace("X-Bridge-Token: x\r\n", "");
    let mut wrong = served.token.clone();
    let flipped = if wrong.ends_with('A') { 'Q' } else { 'A' };
    wrong.pop();
    wrong.push(flipped);
    let twice = open(&format!("{0}\r\nX-Bridge-Token: {0}", served.token));
    for request in [missing, open(""), open(&wrong), open(&served.token[1..]), open(&format!("{}A", served.token)), twice] {
        let answer = served.raw(&request).await;
        assert_eq!((answer.status, answer.error().as_str()), (403, "token"), "{request}");
    }
    for path in [format!("/?{}", served.token), format!("/?token={}", served.token), "/?".into()] {
        assert_eq!(served.raw(&get(served.port, &path, "")).await.status, 404, "{path}");
    }
    let query = served.request(&format!("/open?token={}", served.token), "", "{}");
    assert_eq!(served.raw(&query).await.status, 404);
    assert_eq!(served.stage(), BridgeState::Opening);

    let key = served.opened().await;
    assert_ne!(key, served.token);
    assert_eq!(served.call("/open", &served.token, json!({})).await.error(), "used", "a second page");
    for path in ["/resume", "/wallet", "/wrong-chain", "/ask", "/unasked", "/answer", "/watch"] {
        assert_eq!(served.call(path, &served.token, wallet()).await.error(), "token", "{path} takes no used token");
        assert_eq!(served.call(path, "", wallet()).await.error(), "token", "{path}");
    }
    assert_eq!(served.call("/open", &key, json!({})).await.error(), "token");
    assert_eq!(served.stage(), BridgeState::PageOpen);
}

#[tokio::test]
async fn the_page_holds_nothing_and_fences_itself_in() {
    let served = Served::open();
    let page = served.raw(&get(served.port, "/", "")).await;
    assert_eq!((page.status, served.stage()), (200, BridgeState::Opening));
    for secret in [served.token.as_str(), "5127574042169169", "0.005127", PAYMENT_ADDRESS_CHECKSUMMED, "abababab", "100,000"] {
        assert!(!page.body.contains(secret), "{secret} stands in the page");
    }
    for line in [
        "content-type: text/html; charset=utf-8",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
    ] {
        assert!(page.head.contains(line), "{line} is missing in {}", page.head);
        let refused = served.raw(&get(served.port, "/nothing", "")).await;
        assert!(refused.head.contains(line) || line.contains("html"), "{line} is missing in a refusal");
    }
    let policy = page.head.lines().find(|line| line.starts_with("content-security-policy: ")).unwrap();
    for rule in ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(!page.head.contains("access-control"), "nobody else may read it");
    assert_eq!(page.body.matches("<script").count(), 1);
    assert!(!page.body.contains(" style=") && !page.body.contains(" onclick=") && !page.body.contains("innerHTML"));
    let preflight = get(served.port, "/open", "Origin: https://evil.test\r\nAccess-Control-Request-Method: POST\r\n");
    let preflight = served.raw(&preflight.replace("GET", "OPTIONS")).await;
    assert_eq!(preflight.status, 405);
    assert!(!preflight.head.contains("access-control"));
}

#[tokio::test]
async fn methods_places_and_versions_are_not_confused() {
    let served = Served::open();
    let port = served.port;
    for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "GETS"] {
        let answer = served.raw(&get(port, "/", "").replace("GET", method)).await;
        assert!([400, 405, 421].contains(&answer.status), "{method}: {answer:?}");
    }
    for path in ["/open", "/ask", "/answer", "/watch"] {
        assert_eq!(served.raw(&get(port, path, "")).await.status, 405, "{path}");
    }
    for path in ["//", "/index.html", "/open/", "/OPEN", "/%6fpen", "/./open", "/favicon.ico", "/../"] {
        assert_eq!(served.raw(&get(port, path, "")).await.status, 404, "{path}");
    }
    let old = get(port, "/", "").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(served.raw(&old).await.status, 505);
    assert_eq!(served.raw("GET / HTTP/1.0\r\n\r\n").await.status, 505);
    assert_eq!(exchange(port, b"GET /\r\n\r\n").await.map_or(400, |answer| answer.status), 400);
    assert!(exchange(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.is_none_or(|answer| answer.status >= 400));
    let override_ = served.request("/open", &served.token, "{}").replace("POST", "GET");
    assert_eq!(served.raw(&override_.replace("\r\n\r\n", "\r\nX-HTTP-Method-Override: POST\r\n\r\n")).await.status, 405);
    assert_eq!(served.stage(), BridgeState::Opening);
}

#[tokio::test]
async fn bodies_are_framed_in_one_way_and_bounded() {
    let served = Served::open();
    let key = served.opened().await;
    let request = served.request("/wallet", &key, &wallet().to_string());
    let length = format!("Content-Length: {}\r\n", wallet().to_string().len());
    for (instead, status) in [
        (format!("{length}Transfer-Encoding: chunked\r\n"), 411),
        ("Transfer-Encoding: chunked\r\n".into(), 411),
        (format!("{length}Content-Length: 3\r\n"), 400),
        ("Content-Length: -1\r\n".into(), 400),
        (String::new(), 411),
        ("Content-Length: 4097\r\n".into(), 413),
        ("Content-Length: 99999999999\r\n".into(), 413),
    ] {
        assert_eq!(served.raw(&request.replace(&length, &instead)).await.status, status, "{instead:?}");
    }
    for instead in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "multipart/form-data"] {
        assert_eq!(served.raw(&request.replace("application/json", instead)).await.status, 415, "{instead}");
    }
    let padded = |bytes: usize| json!({"name": "x".repeat(bytes), "account": ACCOUNT});
    assert_eq!(served.call("/wallet", &key, padded(5_000)).await.status, 413);
    assert_eq!(served.call("/wallet", &key, padded(3_900)).await.status, 200);
    assert_eq!(served.raw(&get(served.port, "/", &format!("X-Long: {}\r\n", "x".repeat(40_000)))).await.status, 431);
    assert_eq!(served.raw(&get(served.port, "/", &"X-Many: x\r\n".repeat(100))).await.status, 431);
    // A second request behind the first one's body is a request of its own, with checks of its own.
    let smuggled =
        format!("{}{}", request.replace("Connection: close\r\n", ""), get(served.port, "/", "").replace("127.0.0.1", "evil.test"));
    let both = served.raw(&smuggled).await;
    assert!(both.body.contains("HTTP/1.1 421"), "{both:?}");
}

#[tokio::test]
async fn what_says_nothing_sensible_changes_nothing() {
    let served = Served::open();
    let key = served.opened().await;
    for (path, body) in [
        ("/wallet", json!({})),
        ("/wallet", json!([])),
        ("/wallet", json!({"name": "x", "account": "0x12"})),
        ("/wallet", json!({"name": "x", "account": ACCOUNT, "to": ACCOUNT})),
        ("/ask", json!({"name": "x", "account": PAYMENT_ADDRESS_CHECKSUMMED.replace("0x", "")})),
        ("/ask", json!({"name": 1, "account": ACCOUNT})),
        ("/answer", json!({"ask": 1, "hash": "0x12"})),
        ("/answer", json!({"ask": 1, "hash": hash().replace("0x", "")})),
        ("/answer", json!({"ask": "1", "hash": hash()})),
        ("/unasked", json!({"ask": 1, "why": "because"})),
    ] {
        assert_eq!(served.call(path, &key, body.clone()).await.error(), "unreadable", "{path} {body}");
    }
    assert_eq!(served.raw(&served.request("/ask", &key, "\u{0}")).await.error(), "unreadable");
    assert_eq!(served.call("/answer", &key, json!({"ask": 1, "hash": hash()})).await.error(), "not_asked");
    assert_eq!(served.stage(), BridgeState::PageOpen);
    let name = "<img src=x onerror=alert(1)>\u{202e}\nPaid";
    served.call("/wallet", &key, json!({"name": name, "account": ACCOUNT})).await;
    let BridgeState::WalletChosen { wallet, .. } = served.stage() else { panic!("{:?}", served.stage()) };
    assert_eq!(wallet, "img srcx onerroralert(1)Paid");
}

#[tokio::test]
async fn a_wallet_is_asked_once_until_it_refuses() {
    let served = Served::open();
    let key = served.opened().await;
    let first = served.asked(&key).await;
    let other = json!({"name": "Second", "account": PAYMENT_ADDRESS_CHECKSUMMED});
    for (path, body) in [("/ask", wallet()), ("/ask", other.clone()), ("/wallet", other.clone()), ("/wrong-chain", other.clone())] {
        assert_eq!(served.call(path, &key, body).await.error(), "already_asked", "{path}");
    }
    let rejected = json!({"ask": first, "why": "rejected"});
    assert_eq!(served.call("/unasked", &key, rejected.clone()).await.status, 200);
    assert_eq!(served.stage(), BridgeState::Rejected { wallet: "Test Wallet".into(), account: ACCOUNT.parse().unwrap() });
    assert_eq!(served.call("/unasked", &key, rejected.clone()).await.error(), "not_asked", "a replay");

    let second = served.asked(&key).await;
    assert_ne!(first, second);
    assert_eq!(served.call("/unasked", &key, rejected).await.error(), "not_asked", "the first ask's end does not end the second");
    assert_eq!(served.call("/answer", &key, json!({"ask": first, "hash": hash()})).await.error(), "not_asked");
    served.call("/unasked", &key, json!({"ask": second, "why": "wrong_chain"})).await;
    assert!(matches!(served.stage(), BridgeState::WrongChain { .. }), "{:?}", served.stage());
    served.call("/wallet", &key, other.clone()).await;
    assert_eq!(served.call("/ask", &key, other).await.json()["transaction"]["from"], PAYMENT_ADDRESS_CHECKSUMMED);
}

#[tokio::test]
async fn of_many_asks_at_once_one_is_answered() {
    let served = Served::open();
    let key = served.opened().await;
    let request = served.request("/ask", &key, &wallet().to_string());
    let asks = (0..8).map(|_| exchange(served.port, request.as_bytes()));
    let statuses: Vec<u16> = futures::future::join_all(asks).await.into_iter().map(|answer| answer.unwrap().status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
}

#[tokio::test]
async fn a_page_that_asks_without_end_is_stopped() {
    let served = Served::open();
    let key = served.opened().await;
    for _ in 0..20 {
        let ask = served.asked(&key).await;
        served.call("/unasked", &key, json!({"ask": ask, "why": "rejected"})).await;
    }
    assert_eq!(served.call("/ask", &key, wallet()).await.error(), "already_asked");
}

#[tokio::test]
async fn a_tab_that_is_there_keeps_others_out() {
    let served = Served::open();
    let key = served.opened().await;
    let request = served.request("/watch", &key, "{}");
    let mut tab = TcpStream::connect(("127.0.0.1", served.port)).await.unwrap();
    tab.write_all(request.as_bytes()).await.unwrap();
    let resume = async || served.call("/resume", &key, json!({})).await;
    until(async || resume().await.status == 409).await;
    assert_eq!(resume().await.error(), "another_tab");
    assert_eq!(served.call("/watch", &key, json!({})).await.error(), "another_tab");
    let ask = served.asked(&key).await;
    drop(tab);
    until(async || resume().await.status == 200).await;
    let resumed = resume().await.json();
    assert_eq!((resumed["stage"].as_str(), resumed["wallet"].as_str()), (Some("asked"), Some("Test Wallet")));
    assert!(resumed.get("key").is_none() && resumed.get("transaction").is_none());
    assert_eq!(served.call("/ask", &key, wallet()).await.error(), "already_asked", "loading again asks no wallet twice");
    assert_eq!(served.call("/answer", &key, json!({"ask": ask, "hash": hash()})).await.status, 200);
}

#[tokio::test]
async fn a_waiting_page_is_told_that_the_app_closed_it() {
    let served = Served::open();
    let key = served.opened().await;
    let mut stages = served.handle.stages();
    let (port, watch) = (served.port, served.request("/watch", &key, "{}"));
    let waiting = tokio::spawn(async move { exchange(port, watch.as_bytes()).await });
    until(async || served.call("/resume", &key, json!({})).await.status == 409).await;
    let ask = served.request("/ask", &key, &wallet().to_string());
    served.handle.close();
    assert_eq!(*stages.borrow_and_update(), BridgeState::Closed { why: CloseReason::Closed });
    assert_eq!(waiting.await.unwrap().expect("told").json(), json!({"ended": "closed"}));
    until(async || TcpStream::connect(("127.0.0.1", port)).await.is_err()).await;
    assert!(exchange(port, ask.as_bytes()).await.is_none());
}

#[tokio::test]
async fn an_open_connection_is_of_no_use_after_the_end() {
    let served = Served::open();
    let key = served.opened().await;
    let ask = served.request("/ask", &key, &wallet().to_string());
    let mut stream = TcpStream::connect(("127.0.0.1", served.port)).await.unwrap();
    let (early, late) = ask.split_at(ask.len() - 1);
    stream.write_all(early.as_bytes()).await.unwrap();
    let session = Arc::clone(&served.handle.session);
    session.end(CloseReason::Closed);
    stream.write_all(late.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 410") && text.ends_with(r#"{"error":"closed"}"#), "{text}");
}

#[tokio::test]
async fn time_runs_out() {
    let served = Served::open_for(Duration::from_millis(400));
    let key = served.opened().await;
    let ended = served.call("/watch", &key, json!({})).await;
    assert_eq!(ended.json(), json!({"ended": "expired"}));
    assert_eq!(served.stage(), BridgeState::Closed { why: CloseReason::Expired });
    until(async || TcpStream::connect(("127.0.0.1", served.port)).await.is_err()).await;
    let stages = served.handle.stages();
    served.handle.close();
    assert_eq!(*stages.borrow(), BridgeState::Closed { why: CloseReason::Expired }, "the first reason stands");
}

#[tokio::test]
async fn slow_and_many_connections_end_and_hinder_nobody_for_long() {
    let served = Served::open();
    let key = served.opened().await;
    let began = Instant::now();
    let mut slow = TcpStream::connect(("127.0.0.1", served.port)).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: 127").await.unwrap();
    let mut slow_body = TcpStream::connect(("127.0.0.1", served.port)).await.unwrap();
    let request = served.request("/ask", &key, &wallet().to_string());
    slow_body.write_all(&request.as_bytes()[..request.len() - 5]).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..30 {
        idle.push(TcpStream::connect(("127.0.0.1", served.port)).await.unwrap());
    }
    // Those beyond the bound are closed at once; the others when they have said nothing for a while.
    let mut text = String::new();
    timeout(PATIENCE, slow_body.read_to_string(&mut text)).await.expect("closed").unwrap();
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    let mut bytes = Vec::new();
    timeout(PATIENCE, slow.read_to_end(&mut bytes)).await.expect("closed").unwrap();
    for mut stream in idle {
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("closed");
    }
    assert!(began.elapsed() < PATIENCE);
    assert_eq!(served.stage(), BridgeState::PageOpen, "a body that never came asked nobody");
    assert_eq!(served.call("/resume", &key, json!({})).await.status, 200);
}

#[tokio::test]
async fn two_pages_share_nothing() {
    let (one, other) = (Served::open(), Served::open());
    assert!(one.port != other.port && one.token != other.token && one.token.len() == 43);
    assert_eq!(other.call("/open", &one.token, json!({})).await.error(), "token");
    let key = one.opened().await;
    other.opened().await;
    assert_eq!(other.call("/ask", &key, wallet()).await.error(), "token");
}

async fn until(mut there: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !there().await {
        assert!(began.elapsed() < PATIENCE, "it did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
