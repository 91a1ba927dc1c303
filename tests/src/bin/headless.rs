//! The app without a window, as a process that can be killed: says what happens to a payment, a line a state.
//!
//! `AISPACE_PROFILE` and `AISPACE_DATA_DIR` are read as the app reads them; secrets go to this session's Secret Service.

use aispace_app::{
    Profile, Setup, Wallet,
    view::{AmountRequest, AmountUnit, AppView, ConnectionState, ErrorView, PayWay, SessionView},
};
use clap::Parser;
use std::{env, fmt::Debug, io::Write as _, path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(about = "Runs the app without a window until it is killed")]
struct Arguments {
    /// Dollars to pay as soon as there is ether; without, nothing new is paid.
    #[arg(long)]
    pay: Option<String>,
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

async fn run(arguments: Arguments) -> Result<(), String> {
    let path = |name: &str| env::var_os(name).map(PathBuf::from).ok_or(format!("{name} is not set"));
    let profile = Profile::read(&path("AISPACE_PROFILE")?).map_err(text)?;
    let setup = Setup::on_this_computer(profile, path("AISPACE_DATA_DIR")?).map_err(text)?;
    let wallet = Wallet::open(setup).await.map_err(text)?;
    wallet.start();
    let reported = tokio::spawn(report(wallet.clone()));
    if let Some(usd) = arguments.pay {
        pay(&wallet, usd).await.map_err(text)?;
    }
    reported.await.map_err(text)
}

async fn pay(wallet: &Wallet, usd: String) -> Result<(), ErrorView> {
    let funded = |view: &AppView| {
        let balance = view.wallet.as_ref().and_then(|w| w.balance_eth.as_ref());
        view.connection.state == ConnectionState::Online && balance.is_some_and(|b| b.bytes().any(|c| (b'1'..=b'9').contains(&c)))
    };
    let mut changes = wallet.changes();
    // The sender lives as long as the wallet does.
    let _ = changes.wait_for(funded).await;
    let review = wallet.review_purchase(AmountRequest { text: usd, unit: AmountUnit::Usd }, PayWay::SpendingWallet).await?;
    say(&format!("reviewed {}", review.order_id));
    wallet.pay(review.order_id).await.map(drop)
}

/// Says each state of the payment, what stands in its way, and who is signed in, once.
async fn report(wallet: Wallet) {
    let mut changes = wallet.changes();
    let mut said = [const { String::new() }; 5];
    loop {
        let view = changes.borrow_and_update().clone();
        let payment = view.payment.as_ref();
        let lines = [
            payment.map(|p| format!("payment {:?} {}", p.state, p.transaction_hash.as_deref().unwrap_or_default())),
            payment.and_then(|p| p.trouble.as_ref()).map(|t| format!("trouble {:?}", t.code)),
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

fn session(session: &SessionView) -> String {
    match session {
        SessionView::Unknown => "session unknown".into(),
        SessionView::SignedOut => "session signed-out".into(),
        SessionView::SignedIn { key_hint, keeping } => format!("session signed-in {keeping:?} {key_hint}"),
        SessionView::KeyUnavailable { error } => format!("session unavailable {:?}", error.code),
    }
}

fn text(reason: impl Debug) -> String {
    format!("{reason:?}")
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
