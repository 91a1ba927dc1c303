//! Other pages, other tabs and wallets that mean ill, in a real browser.

use super::world::{Asked, World, wallet};
use aispace_payments::bridge::BridgeState;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// The port and the token of a page's address.
fn parts(asked: &Asked) -> (String, String) {
    let (origin, token) = asked.handle.url().split_once("/#").expect("a token");
    (origin.trim_start_matches("http://127.0.0.1:").to_string(), token.to_string())
}

/// A page of somebody else on this computer; answers its address.
async fn foreign_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4_096]).await;
                let body = "<!doctype html><title>evil</title><p>evil";
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn a_second_tab_gets_nothing() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.open(&asked, "other", "used").await;
    world.browser.step("shows", json!({"tab": "page", "view": "ready"})).await;
    assert_eq!(world.evaluate("other", "document.getElementById('payment').hidden").await, true);
    // A copy of the tab has its storage too.
    let copied = world.evaluate("page", "JSON.stringify(sessionStorage)").await;
    let copy = format!("Object.entries(JSON.parse({copied})).forEach(([k, v]) => sessionStorage.setItem(k, v))");
    world.evaluate("other", &copy).await;
    world.browser.step("reload", json!({"tab": "other"})).await;
    world.shows("other", "used").await;
    world.browser.step("goto", json!({"tab": "other", "url": asked.handle.url().split('#').next()})).await;
    world.press("pay").await;
    world.shows("page", "done").await;
    world.was_paid(&asked).await;
}

#[tokio::test]
async fn the_address_without_its_token_opens_nothing() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    let bare = asked.handle.url().split('#').next().expect("an origin").to_string();
    for (tab, url) in [("bare", bare.clone()), ("guess", format!("{bare}#{}", "A".repeat(43)))] {
        world.browser.step("open", json!({"tab": tab, "url": url})).await;
        let words = world.shows(tab, "nolink").await;
        assert!(words.contains("nothing to pay here"), "{words}");
    }
    assert_eq!(asked.stage(), BridgeState::Opening);
    world.ready(&asked).await;
}

#[tokio::test]
async fn other_pages_cannot_read_call_or_frame_it() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    let (port, token) = parts(&asked);
    let own = format!("http://127.0.0.1:{port}");
    world.browser.step("open", json!({"tab": "evil", "url": foreign_page().await})).await;
    let attempt = async |url: String, options: &str| {
        let code = format!("fetch({url:?}, {options}).then((r) => `${{r.type}} ${{r.status}}`, () => 'blocked')");
        world.evaluate("evil", &code).await.as_str().expect("a word").to_string()
    };
    let with_token =
        format!("{{ method: 'POST', headers: {{ 'x-bridge-token': {token:?}, 'content-type': 'application/json' }}, body: '{{}}' }}");
    assert_eq!(attempt(format!("{own}/open"), &with_token).await, "blocked");
    assert_eq!(attempt(format!("{own}/"), "{}").await, "blocked");
    assert_eq!(attempt(format!("{own}/"), "{ mode: 'no-cors' }").await, "blocked", "not even as something opaque");
    let simple = "{ method: 'POST', mode: 'no-cors', body: '{}' }";
    assert!(["blocked", "opaque 0"].contains(&attempt(format!("{own}/open"), simple).await.as_str()));

    let frame = format!(
        "new Promise((done) => {{ const f = document.createElement('iframe'); f.src = {:?}; f.onload = f.onerror = () => done(1); \
         document.body.append(f); setTimeout(done, 5000); }})",
        asked.handle.url()
    );
    world.evaluate("evil", &frame).await;
    let framed = world.browser.step("frame", json!({"tab": "evil"})).await;
    assert!(!framed.as_str().expect("words").contains("AiSpace"), "{framed}");
    assert_eq!(world.evaluate("evil", &format!("window.open({:?}) === null || true", asked.handle.url())).await, true);
    assert_eq!(asked.stage(), BridgeState::Opening, "the token is still good");
    world.ready(&asked).await;
}

#[tokio::test]
async fn a_name_that_points_here_is_not_served() {
    let world = World::start(vec![wallet(json!({}))]).await;
    let asked = world.ask();
    let (port, token) = parts(&asked);
    for (tab, host) in [("rebound", "evil.test"), ("localhost", "localhost")] {
        let status = world.browser.step("open", json!({"tab": tab, "url": format!("http://{host}:{port}/#{token}")})).await;
        assert_eq!(status, 421, "{host}");
        let code = format!(
            "fetch('/open', {{ method: 'POST', headers: {{ 'x-bridge-token': {token:?}, 'content-type': 'application/json' }}, body: '{{}}' }})\
             .then((r) => r.status)"
        );
        assert_eq!(world.evaluate(tab, &code).await, 421, "{host}");
    }
    assert_eq!(asked.stage(), BridgeState::Opening, "the token is still good");
}

#[tokio::test]
async fn what_a_wallet_says_of_itself_draws_nothing() {
    let foreign = foreign_page().await;
    let long = "Wallet ".repeat(300);
    let mut wallets = vec![
        wallet(json!({"name": "<img src=x onerror=alert(1)>\u{202e}teksaM ateM\n\n", "icon": foreign, "rdns": "javascript:alert(1)"})),
        wallet(json!({"name": long, "icon": "data:image/svg+xml,<svg onload=alert(1)/>", "rdns": "x".repeat(500)})),
        wallet(json!({"name": "", "rdns": "nameless.wallet"})),
        wallet(json!({"name": "Thrower", "throws": true})),
    ];
    wallets.extend((0..40).map(|n| wallet(json!({"name": format!("Crowd {n}"), "rdns": "crowd.wallet"}))));
    let world = World::start(wallets).await;
    let asked = world.ask();
    let words = world.open(&asked, "page", "choose").await;
    assert!(!words.contains('<') && !words.contains('\u{202e}') && !words.contains("javascript"), "{words}");
    assert!(words.contains("img srcx onerroralert(1)teksaM ateM") && words.contains("A wallet without a name"), "{words}");
    assert!(!words.contains("Thrower") && !words.contains(&"x".repeat(100)), "{words}");
    assert_eq!(world.evaluate("page", "document.querySelectorAll('#wallets li').length").await, 12);
    assert_eq!(world.evaluate("page", "document.querySelectorAll('img, iframe, object, image').length").await, 0);
    assert!(words.lines().all(|line| line.chars().count() <= 60), "{words}");
    world.picture("malicious").await;
    world.page_kept_its_rules(&asked).await;
}

#[tokio::test]
async fn a_wallet_that_answers_nonsense_pays_nothing() {
    for says in [
        json!({"eth_requestAccounts": ["0x12", 5, null]}),
        json!({"eth_requestAccounts": "0x"}),
        json!({"eth_chainId": "Base", "wallet_switchEthereumChain": null}),
        json!({"eth_chainId": {"toString": 1}}),
    ] {
        let world = World::start(vec![wallet(json!({"says": says}))]).await;
        let asked = world.ask();
        world.open(&asked, "page", "choose").await;
        world.choose(1).await;
        let view = if says.get("eth_chainId").is_some() { "chain" } else { "choose" };
        world.browser.step("shows", json!({"tab": "page", "view": view})).await;
        assert_eq!((world.asked_to_send().await, world.received().await), (0, 0), "{says}");
    }
}

#[tokio::test]
async fn a_wallet_cannot_change_what_is_asked_for() {
    // It may answer with any hash it likes: the app's side keeps it as a word, under the account that was asked.
    let hash = format!("0x{}", "cd".repeat(32));
    let world = World::start(vec![wallet(json!({"says": {"eth_sendTransaction": hash}}))]).await;
    let asked = world.ask();
    world.ready(&asked).await;
    world.press("pay").await;
    world.shows("page", "done").await;
    let BridgeState::Answered(answer) = asked.stage() else { panic!("{:?}", asked.stage()) };
    assert_eq!((answer.hash.to_string(), answer.from.to_string().to_lowercase()), (hash, world.account(2).await));
    assert_eq!(world.received().await, 0, "and the chain knows better");
    let calls = world.browser.step("calls", json!({})).await;
    let sent = calls.as_array().expect("a list").last().expect("a call").clone();
    assert_eq!(sent["params"][0]["data"], json!(asked.input));
}
