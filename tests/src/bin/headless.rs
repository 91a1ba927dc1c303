//! The app without a window, as a process that can be killed: says what happens to a payment, a line a state.
//!
//! `AISPACE_PROFILE` and `AISPACE_DATA_DIR` are read as the app reads them; secrets go to this session's Secret Service.

use aispace_app::{
    Clipboard, ClipboardError, Opener, OpenerError, Profile, Setup, Wallet,
    view::{AmountRequest, AmountUnit, AppView, AskView, ConnectionState, ErrorView, PayWay, PaymentState, SessionView},
};
use clap::Parser;
use std::{env, fmt::Debug, io::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Parser)]
#[command(about = "Runs the app without a window until it is killed")]
struct Arguments {
    /// Dollars to pay as soon as there is ether; without, nothing new is paid.
    #[arg(long)]
    pay: Option<String>,
    /// How: spending_wallet, browser, wallet_connect, link.
    #[arg(long, default_value = "spending_wallet")]
    way: String,
    /// Replaces the payment as soon as a node knows it: speed_up, cancel.
    #[arg(long)]
    replace: Option<String>,
    /// Gives the account that shows a new Secure Key as soon as it is read.
    #[arg(long)]
    rotate: bool,
    /// Asks the outside wallet again for the payment that waits for it.
    #[arg(long)]
    again: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&format!("failed {reason}"));
            ExitCode::FAILURE
        }
    }
}

/// Says what would be opened: whoever reads it acts as the browser.
struct SayOpened;

impl Opener for SayOpened {
    fn open(&self, url: &str) -> Result<(), OpenerError> {
        say(&format!("open {url}"));
        Ok(())
    }
}

/// There is no desktop.
struct NoClipboard;

impl Clipboard for NoClipboard {
    fn put(&self, _text: &str) -> Result<(), ClipboardError> {
        Err(ClipboardError { reason: "there is none".into() })
    }

    fn text(&self) -> Result<Option<String>, ClipboardError> {
        Ok(None)
    }

    fn clear(&self) -> Result<(), ClipboardError> {
        Ok(())
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let path = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(format!("{name} is not set"));
    let profile = Profile::read(&path("AISPACE_PROFILE")?).map_err(text)?;
    let setup = Setup::on_this_computer(profile, path("AISPACE_DATA_DIR")?, Arc::new(SayOpened), Arc::new(NoClipboard)).map_err(text)?;
    let wallet = Wallet::open(setup).await.map_err(text)?;
    wallet.start();
    let reported = tokio::spawn(report(wallet.clone()));
    if let Some(usd) = arguments.pay {
        let way = serde_json::from_value(serde_json::Value::String(arguments.way)).map_err(text)?;
        pay(&wallet, usd, way).await.map_err(text)?;
    }
    if arguments.rotate {
        rotate(&wallet).await.map_err(text)?;
    }
    if let Some(how) = arguments.replace {
        replace(&wallet, &how).await.map_err(text)?;
    }
    if arguments.again {
        ask_again(&wallet).await.map_err(text)?;
    }
    reported.await.map_err(text)
}

async fn rotate(wallet: &Wallet) -> Result<(), ErrorView> {
    let read = |view: &AppView| view.account.as_ref().is_some_and(|account| !account.at_most);
    let mut changes = wallet.changes();
    // The sender lives as long as the wallet does.
    let shown = changes.wait_for(read).await.ok().and_then(|view| view.accounts.rows.first().map(|row| row.account.clone()));
    say("rotating");
    wallet.rotate_key(shown.unwrap_or_default()).await.map(|_| say("rotated"))
}

async fn replace(wallet: &Wallet, how: &str) -> Result<(), ErrorView> {
    let seen = |view: &AppView| view.payment.as_ref().is_some_and(|p| p.state == PaymentState::Seen);
    let mut changes = wallet.changes();
    // The sender lives as long as the wallet does.
    let _ = changes.wait_for(seen).await;
    say("replacing");
    if how == "cancel" { wallet.cancel_payment().await.map(drop) } else { wallet.speed_up().await.map(drop) }
}

async fn ask_again(wallet: &Wallet) -> Result<(), ErrorView> {
    let waits = |view: &AppView| {
        let asked = view.payment.as_ref().is_some_and(|p| p.state == PaymentState::Asked);
        asked && view.connection.state == ConnectionState::Online
    };
    let mut changes = wallet.changes();
    // The sender lives as long as the wallet does.
    let _ = changes.wait_for(waits).await;
    say("asking again");
    wallet.ask_again().await.map(drop)
}

async fn pay(wallet: &Wallet, usd: String, way: PayWay) -> Result<(), ErrorView> {
    let funded = |view: &AppView| {
        let balance = view.wallet.as_ref().and_then(|w| w.balance_eth.as_ref());
        view.connection.state == ConnectionState::Online && balance.is_some_and(|b| has_some(b))
    };
    let mut changes = wallet.changes();
    // The sender lives as long as the wallet does.
    let _ = changes.wait_for(funded).await;
    let review = wallet.review_purchase(AmountRequest { text: usd, unit: AmountUnit::Usd }, way).await?;
    say(&format!("reviewed {}", review.order_id));
    wallet.pay(review.order_id).await.map(drop)
}

/// Says each state of the payment, what stands in its way, and who is signed in, once.
async fn report(wallet: Wallet) {
    let mut changes = wallet.changes();
    let mut said = [const { String::new() }; 7];
    loop {
        let view = changes.borrow_and_update().clone();
        let payment = view.payment.as_ref();
        let lines = [
            payment.map(|p| format!("payment {:?} {}", p.state, p.transaction_hash.as_deref().unwrap_or_default())),
            payment.and_then(|p| p.trouble.as_ref()).map(|t| format!("trouble {:?}", t.code)),
            payment.and_then(|p| p.ask.as_ref()).map(ask),
            view.wallet.as_ref().and_then(|w| w.balance_eth.as_ref()).filter(|b| has_some(b)).map(|_| "funded".to_string()),
            Some(session(&view.session)),
            view.wallet.as_ref().map(|w| format!("wallet {}", w.address)),
            view.account.filter(|a| !a.at_most).map(|a| format!("account {} batches {}", a.available_credits, a.batches.len())),
        ];
        for (said, line) in said.iter_mut().zip(lines.into_iter().map(Option::unwrap_or_default)) {
            if *said != line && !line.is_empty() {
                say(&line);
            }
            *said = line;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// How far an outside wallet is, and what it needs.
fn ask(ask: &AskView) -> String {
    match ask {
        AskView::Browser { stage, .. } => format!("ask browser {stage:?}"),
        AskView::WalletConnect { stage, uri, .. } => format!("ask connect {stage:?} {}", uri.as_deref().unwrap_or_default()),
        AskView::Link { uri, .. } => format!("ask link {uri}"),
        AskView::Card { .. } => "ask card".into(),
    }
}

fn session(session: &SessionView) -> String {
    match session {
        SessionView::Unknown => "session unknown".into(),
        SessionView::SignedOut => "session signed-out".into(),
        SessionView::SignedIn { key_hint, keeping } => format!("session signed-in {keeping:?} {key_hint}"),
        SessionView::ByHand => "session by-hand".into(),
        SessionView::KeyUnavailable { error } => format!("session unavailable {:?}", error.code),
    }
}

fn has_some(balance: &str) -> bool {
    balance.bytes().any(|c| (b'1'..=b'9').contains(&c))
}

fn text(reason: impl Debug) -> String {
    format!("{reason:?}")
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
