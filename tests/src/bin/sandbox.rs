//! Opens the app in the sandbox: in a window, or, where there is no display, as pictures of its screens.

use aispace_testkit::{
    KitError,
    chain::ChainOptions,
    desktop::{self, Desktop, DesktopOptions, Keyring},
    process::{Environment, OwnedProcess, workspace_binary},
    relay::LocalRelay,
    sandbox::{Sandbox, SandboxOptions},
    stripe::StripeStandIn,
    window::Window,
};
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime},
};

/// The screens that are always shown, then those of `--all`.
const SCREENS: [&str; 4] = ["overview", "batches", "estimate", "buy"];
const MORE_SCREENS: [&str; 2] = ["usage", "settings"];
/// The ways to pay that ask somebody else, with what stands on the screen while they do.
const OUTSIDE_WAYS: [(&str, &str); 4] =
    [("browser", "matching-code"), ("wallet_connect", "phone-link"), ("link", "exact-eth"), ("card", "open-checkout")];
/// What the stand-ins are told, so that every way to pay is there.
const STRIPE_KEY: &str = "sk_test_of_the_pictures";
const PROJECT_ID: &str = "00000000000000000000000000000001";

#[derive(Parser)]
#[command(about = "The AiSpace Wallet sandbox: a chain, an account service and the app")]
struct Arguments {
    #[command(subcommand)]
    how: How,
}

#[derive(Subcommand)]
enum How {
    /// Opens the window on this desktop and ends when it is closed.
    Window {
        /// Keeps chain, accounts and the app's data for the next time.
        #[arg(long)]
        keep: bool,
    },
    /// Walks through the screens on a screen of its own and saves a picture of each.
    Screens {
        /// Folder for the pictures.
        #[arg(long, default_value = "out/screens")]
        out: PathBuf,
        /// Usage, Settings, onboarding, every way to pay and a payment's page too.
        #[arg(long)]
        all: bool,
        /// Light and dark.
        #[arg(long)]
        themes: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Arguments::parse().how {
        How::Window { keep } => open_window(keep).await,
        How::Screens { out, all, themes } => take_pictures(&out, all, themes).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "The sandbox did not work: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn open_window(keep: bool) -> Result<(), KitError> {
    let app = workspace_binary("aispace-wallet")?;
    let temporary = tempfile::tempdir().map_err(KitError::io("making a folder"))?;
    let (folder, scope) =
        if keep { (kept_folder(), None) } else { (temporary.path().to_path_buf(), Some(format!("run-{}", std::process::id()))) };
    say("Starting the chain, the account service and the sample account …");
    let fresh = !folder.join("service").exists();
    let mut sandbox = Sandbox::start(SandboxOptions {
        sample_at: fresh.then(now),
        chain: ChainOptions { folder: keep.then(|| folder.join("chain")), ..ChainOptions::default() },
        keychain_scope: scope.clone(),
        folder,
    })
    .await?;
    let own_keyring = if desktop::has_secret_service(&Environment::new()) {
        None
    } else {
        say("There is no Secret Service on this desktop: starting one for the sandbox alone.");
        Some(Desktop::start(DesktopOptions { screen: None, keyring: Keyring::Unlocked, own_home: false }).await?)
    };
    let mut environment = own_keyring.as_ref().map(Desktop::bus_environment).unwrap_or_default();
    environment.extend(sandbox.app_environment("app", &sandbox.profile())?);
    say("Opening AiSpace Wallet. Close its window to end the sandbox.");
    let mut app = OwnedProcess::start(&app, &[], &environment, &sandbox.folder().join("app.log"))?;
    let ended = tokio::select! {
        ended = wait_for_end(&mut app) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    app.stop(Duration::from_secs(5)).await;
    if let Some(scope) = scope {
        desktop::clear_secrets(&environment, &format!("bot.aispace.wallet.sandbox.{scope}"));
    }
    sandbox.stop().await;
    ended
}

async fn wait_for_end(app: &mut OwnedProcess) -> Result<(), KitError> {
    let opened = SystemTime::now();
    while !app.has_ended() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // A window that nobody had time to close is one that never opened.
    if opened.elapsed().is_ok_and(|open| open < Duration::from_secs(2)) {
        return Err(KitError::unexpected(format!("the app ended at once:\n{}", app.output())));
    }
    Ok(())
}

async fn take_pictures(out: &Path, all: bool, themes: bool) -> Result<(), KitError> {
    let app = workspace_binary("aispace-wallet")?;
    let temporary = tempfile::tempdir().map_err(KitError::io("making a folder"))?;
    let folder = temporary.path().to_path_buf();
    say("No display: starting the app on a screen of its own …");
    let options = SandboxOptions { sample_at: Some(now()), chain: ChainOptions::default(), keychain_scope: None, folder };
    let (mut sandbox, desktop) = (Sandbox::start(options).await?, Desktop::start(DesktopOptions::default()).await?);
    // Stripe and the relay are not on this computer; they are stood in for as long as the pictures take.
    let (relay, stripe) = (LocalRelay::start().await?, StripeStandIn::start(STRIPE_KEY, now()).await.map_err(KitError::io("listening"))?);
    let mut profile = sandbox.profile();
    if all {
        sandbox.service.take_cards(&stripe.url(), STRIPE_KEY).await?;
        profile["card_payments"] = true.into();
        profile["walletconnect_project"] = PROJECT_ID.into();
        profile["walletconnect_relay"] = relay.url().into();
    }
    let mut environment = desktop.environment();
    environment.extend(sandbox.app_environment("app", &profile)?);
    let log = sandbox.folder().join("window.log");
    let walked = walk(&app, &environment, &log, &Pictures { out, all, themes }).await;
    if walked.is_err() {
        std::fs::create_dir_all(out)
            .and_then(|()| std::fs::copy(&log, out.join("window.log")))
            .map_err(KitError::io("keeping the window's log"))?;
    }
    walked
}

/// Where pictures go and which are taken.
struct Pictures<'a> {
    out: &'a Path,
    all: bool,
    themes: bool,
}

async fn walk(app: &Path, environment: &Environment, log: &Path, pictures: &Pictures<'_>) -> Result<(), KitError> {
    let window = Window::open(app, environment, log).await?;
    window.set_size(1440, 900).await?;
    window.element("onboarding-look-around").await?;
    if pictures.all {
        pictures.shoot(&window, "onboarding").await?;
    }
    window.click("onboarding-look-around").await?;
    window.element("nav-overview").await?;
    for screen in SCREENS.iter().chain(pictures.all.then_some(&MORE_SCREENS[..]).into_iter().flatten()) {
        window.go(screen).await?;
        match *screen {
            "overview" => window.element("balance").await.map(drop)?,
            "batches" => window.element("batch-row").await.map(drop)?,
            "buy" => window.type_into("buy-amount", "25").await?,
            _ => {}
        }
        pictures.shoot(&window, screen).await?;
    }
    if pictures.all {
        walk_ways(&window, pictures).await?;
    }
    window.close().await;
    Ok(())
}

/// Each way to pay, and the page of a payment that was made.
async fn walk_ways(window: &Window, pictures: &Pictures<'_>) -> Result<(), KitError> {
    for (way, sign) in OUTSIDE_WAYS {
        window.go("buy").await?;
        window.click(&format!("way-{way}")).await?;
        window.click("buy-review").await?;
        window.click("review-pay").await?;
        window.element(sign).await?;
        pictures.shoot(window, &format!("pay-{way}")).await?;
        window.click("stop-waiting").await?;
        window.click("stop-waiting-confirm").await?;
        window.click("payment-done").await?;
    }
    window.click("way-spending_wallet").await?;
    window.click("buy-review").await?;
    window.element("review-pay").await?;
    pictures.shoot(window, "pay-spending_wallet").await?;
    window.click("review-pay").await?;
    window.element("payment-credited").await?;
    window.click("payment-details").await?;
    window.element("payment-page").await?;
    pictures.shoot(window, "payment").await
}

impl Pictures<'_> {
    async fn shoot(&self, window: &Window, screen: &str) -> Result<(), KitError> {
        // Figures arrive from the service and the chain after the screen does.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let shown: &[&str] = if self.themes { &["light", "dark"] } else { &[] };
        if shown.is_empty() {
            return save(window, &self.out.join(format!("{screen}.png"))).await;
        }
        for theme in shown {
            window.show_theme(theme).await?;
            save(window, &self.out.join(format!("{screen}-{theme}.png"))).await?;
        }
        Ok(())
    }
}

async fn save(window: &Window, file: &Path) -> Result<(), KitError> {
    window.screenshot(file).await?;
    say(&std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf()).display().to_string());
    Ok(())
}

fn kept_folder() -> PathBuf {
    aispace_testkit::process::cache_folder().join("sandbox")
}

fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now())
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
