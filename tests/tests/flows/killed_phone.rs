//! The app killed at each state of a payment that a phone's wallet is asked for.

use crate::{
    killed::{Computer, KEY_LOST_ON_ITS_WAY, LIMIT, SCOPE},
    phones::with_phones,
    world::damage_store,
};
use aispace_testkit::{
    fault::Fault,
    phone::Phone,
    process::{OwnedProcess, until},
    relay::{self, LocalRelay},
};
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::time::Duration;

/// The kind of message that ends a session.
const SESSION_DELETE: u64 = 1112;

struct Bench {
    computer: Computer,
    relay: LocalRelay,
    phone: Phone,
}

impl Bench {
    /// A computer, and a phone that answers in this way.
    async fn start(answer: &str) -> Self {
        let (mut computer, relay) = tokio::join!(Computer::start(), LocalRelay::start());
        let relay = relay.expect("a relay");
        computer.profile = with_phones(computer.profile, &relay);
        let mut phone = Phone::start(&relay.url(), &computer.world.sandbox.chain.url()).await.expect("a phone");
        phone.answers(answer).await;
        Self { computer, relay, phone }
    }

    /// Orders for 25 dollars; answers the app and the code that it shows.
    async fn code(&self) -> (OwnedProcess, String) {
        let mut app = self.computer.open("first", &["--pay", "25", "--way", "wallet_connect"]);
        let uri = says(&mut app, "ask connect Pairing ").await;
        (app, uri)
    }

    async fn scans(&mut self, uri: &str) {
        self.phone.order(json!({"do": "pair", "uri": uri})).await;
    }

    /// Orders, scans the code, and waits until the phone shows the question.
    async fn asked(&mut self) -> OwnedProcess {
        let (app, uri) = self.code().await;
        self.scans(&uri).await;
        self.phone.event("request").await;
        app
    }

    /// What the phone says it sent.
    async fn sent(&mut self) -> String {
        let answered = self.phone.event("answered").await;
        answered["response"]["result"].as_str().unwrap_or_else(|| panic!("{answered}")).to_string()
    }

    /// The person at the phone makes up their mind.
    async fn decides(&mut self, how: &str) {
        self.phone.order(json!({"do": "decide", "how": how})).await;
    }

    async fn mines(&self, block_seconds: u32) {
        self.computer.world.sandbox.chain.set_block_seconds(block_seconds).await.expect("the chain does as told");
    }

    fn connection(&self) -> Option<String> {
        self.computer.desktop.secret(SCOPE, "connect-session")
    }

    /// Started again, that very payment ends well, the phone was shown this many questions, and no connection is left.
    async fn ends(&mut self, hash: &str, questions: usize) {
        self.computer.comes_to_its_end(hash).await;
        let _running = self.computer.open("last", &[]);
        let gone = async || Ok(self.connection().is_none().then_some(()));
        until("the connection's end", LIMIT, gone).await.expect("nothing is asked any more");
        assert_eq!(self.phone.count("request"), questions);
    }

    /// The person asks the phone that refused once more.
    async fn paid_when_asked_again(&mut self) {
        let mut app = self.computer.open("again", &["--again"]);
        let hash = self.sent().await;
        assert_eq!(says(&mut app, "payment Done ").await, hash);
        app.kill();
        self.ends(&hash, 2).await;
    }
}

async fn says(app: &mut OwnedProcess, mark: &str) -> String {
    app.wait_for_output(mark, LIMIT).await.unwrap_or_else(|e| panic!("{e}: {}", app.output()))
}

#[tokio::test]
async fn killed_while_a_code_was_shown_pays_once_it_is_asked_again() {
    let mut bench = Bench::start("mine").await;
    let (mut app, old) = bench.code().await;
    app.kill();
    bench.computer.waits_quietly("between").await;
    // The code of an app that is gone leads nowhere.
    bench.scans(&old).await;
    bench.phone.event("proposal").await;
    bench.computer.waits_quietly("still").await;
    assert_eq!(bench.phone.count("request"), 0);
    let mut app = bench.computer.open("again", &["--again"]);
    let new = says(&mut app, "ask connect Pairing ").await;
    assert_ne!(new, old);
    bench.scans(&new).await;
    let hash = bench.sent().await;
    assert_eq!(says(&mut app, "payment Done ").await, hash);
    app.kill();
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_between_connecting_and_asking_asks_over_that_connection_when_told() {
    let mut bench = Bench::start("mine").await;
    let (mut app, uri) = bench.code().await;
    // The question cannot be written down, so it is not asked.
    let store = SqliteConnectOptions::new().filename(bench.computer.world.sandbox.data_folder("app").join("wallet.sqlite3"));
    let mut writer = SqliteConnection::connect_with(&store.busy_timeout(LIMIT)).await.expect("the app's store");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut writer).await.expect("the only writer");
    bench.scans(&uri).await;
    until("a connection", LIMIT, async || Ok(bench.connection())).await.expect("it is kept");
    tokio::time::sleep(Duration::from_millis(500)).await;
    app.kill();
    sqlx::query("ROLLBACK").execute(&mut writer).await.expect("nothing was written");
    drop(writer);
    assert_eq!(bench.phone.count("request"), 0);
    bench.computer.waits_quietly("between").await;
    let mut app = bench.computer.open("again", &["--again"]);
    let hash = bench.sent().await;
    assert_eq!(says(&mut app, "payment Done ").await, hash);
    assert!(!app.output().contains("ask connect Pairing"), "{}", app.output());
    app.kill();
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_while_the_phone_thinks_hears_what_it_answered_meanwhile() {
    let mut bench = Bench::start("thinks").await;
    let mut app = bench.asked().await;
    app.kill();
    // In no block, so that nobody but the phone can have said it.
    bench.mines(0).await;
    bench.decides("mine").await;
    let hash = bench.sent().await;
    let mut app = bench.computer.open("between", &[]);
    assert_eq!(says(&mut app, "payment Seen ").await, hash);
    app.kill();
    bench.mines(1).await;
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_while_the_phone_thinks_on_waits_for_it_again() {
    let mut bench = Bench::start("thinks").await;
    bench.asked().await.kill();
    for run in ["between", "still"] {
        let mut app = bench.computer.open(run, &[]);
        says(&mut app, "ask connect Asked").await;
        app.kill();
    }
    let mut app = bench.computer.open("answered", &[]);
    says(&mut app, "ask connect Asked").await;
    bench.mines(0).await;
    bench.decides("mine").await;
    let hash = bench.sent().await;
    assert_eq!(says(&mut app, "payment Seen ").await, hash);
    bench.mines(1).await;
    assert_eq!(says(&mut app, "payment Done ").await, hash);
    app.kill();
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_while_a_phone_was_asked_and_its_store_destroyed_takes_the_payment_once() {
    let mut bench = Bench::start("thinks").await;
    bench.asked().await.kill();
    damage_store(&bench.computer.world.sandbox.data_folder("app"));
    bench.decides("mine").await;
    let hash = bench.sent().await;
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_with_a_phones_payment_seen_takes_it_once() {
    let mut bench = Bench::start("mine").await;
    let (mut app, uri) = bench.code().await;
    bench.mines(0).await;
    bench.scans(&uri).await;
    let hash = bench.sent().await;
    assert_eq!(says(&mut app, "payment Seen ").await, hash);
    app.kill();
    assert_eq!(bench.computer.world.payments().await, []);
    bench.mines(1).await;
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_on_saying_goodbye_to_a_phone_knows_what_it_answered() {
    let mut bench = Bench::start("thinks").await;
    let mut app = bench.asked().await;
    bench.mines(0).await;
    // The relay never says that it took the goodbye: that takes half a minute.
    bench.relay.misbehave(relay::Fault::SwallowKind(SESSION_DELETE));
    bench.decides("mine").await;
    let hash = bench.sent().await;
    says(&mut app, "ask connect Answered").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    app.kill();
    bench.relay.behave();
    let mut app = bench.computer.open("between", &[]);
    assert_eq!(says(&mut app, "payment Seen ").await, hash);
    app.kill();
    bench.mines(1).await;
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_with_a_phones_payment_confirmed_loses_no_key() {
    let mut bench = Bench::start("mine").await;
    let (mut app, uri) = bench.code().await;
    bench.computer.world.service.set(Fault::Refuse).await;
    bench.scans(&uri).await;
    let hash = bench.sent().await;
    assert_eq!(says(&mut app, "payment Confirmed ").await, hash);
    app.kill();
    assert_eq!(bench.computer.secure_key(), None);
    bench.computer.world.service.set(Fault::None).await;
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_with_a_phones_payment_credited_gets_its_key() {
    let mut bench = Bench::start("mine").await;
    bench.computer.world.service.set(KEY_LOST_ON_ITS_WAY).await;
    let mut app = bench.asked().await;
    let hash = bench.sent().await;
    bench.computer.kill_credited(&mut app).await;
    bench.ends(&hash, 1).await;
}

#[tokio::test]
async fn killed_after_a_phone_refused_asks_nothing_until_it_is_told_to() {
    let mut bench = Bench::start("reject").await;
    let mut app = bench.asked().await;
    bench.phone.event("answered").await;
    says(&mut app, "ask connect Rejected").await;
    // The refusal is written down just after it is shown.
    tokio::time::sleep(Duration::from_millis(500)).await;
    app.kill();
    bench.computer.waits_quietly("between").await;
    assert_eq!(bench.phone.count("request"), 1);
    bench.phone.answers("mine").await;
    bench.paid_when_asked_again().await;
}

#[tokio::test]
async fn killed_before_a_phone_refused_hears_it_and_asks_nothing_until_it_is_told_to() {
    let mut bench = Bench::start("thinks").await;
    bench.asked().await.kill();
    bench.decides("reject").await;
    bench.phone.event("answered").await;
    let mut app = bench.computer.open("between", &[]);
    says(&mut app, "ask connect Rejected").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    app.kill();
    assert_eq!(bench.phone.count("request"), 1);
    bench.computer.waits_quietly("still").await;
    bench.phone.answers("mine").await;
    bench.paid_when_asked_again().await;
}
