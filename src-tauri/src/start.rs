//! From the command line and the environment to a running window.

use crate::{bindings::bindings, events::AppChanged, opener::SystemOpener, window};
use aispace_app::{Profile, Setup, Wallet};
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tauri::{AppHandle, Manager};
use tauri_specta::Event;

const LINK_SCHEME: &str = "aispace-wallet:";

/// Runs the app until its window closes. A link of the app's own scheme among its arguments fills in an amount.
///
/// `AISPACE_PROFILE` names the profile file, `AISPACE_DATA_DIR` the folder of everything the app writes.
#[must_use]
pub fn run() -> ExitCode {
    // First of all, while there is no other thread: even a release build opens itself to WebDriver when this is set.
    #[cfg(not(feature = "e2e"))]
    forget_automation();
    tracing_subscriber::fmt().with_env_filter(log_filter()).with_writer(std::io::stderr).with_target(false).init();
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("AiSpace Wallet cannot start: {reason}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "e2e"))]
fn forget_automation() {
    // SAFETY: the first statement of the program; no other thread exists that could read the environment.
    #[allow(unsafe_code)]
    unsafe {
        std::env::remove_var("TAURI_WEBVIEW_AUTOMATION");
    }
}

fn log_filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_env("AISPACE_LOG").unwrap_or_else(|_| "info,zbus=warn".into())
}

fn start() -> Result<(), Box<dyn std::error::Error>> {
    let profile = profile()?;
    let bindings = bindings();
    let handler = bindings.invoke_handler();
    let app = tauri::Builder::default()
        .invoke_handler(handler)
        .setup(move |app| {
            bindings.mount_events(app);
            let data_folder = data_folder(app.handle(), &profile)?;
            let wallet =
                tauri::async_runtime::block_on(Wallet::open(Setup::on_this_computer(profile, data_folder, Arc::new(SystemOpener))?))?;
            app.manage(wallet.clone());
            window::open(app)?;
            tell_of_changes(app.handle().clone(), &wallet);
            open_link(&wallet, std::env::args().skip(1));
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, _| {});
    Ok(())
}

/// Starts what goes on by itself, and passes every change on to the window.
fn tell_of_changes(app: AppHandle, wallet: &Wallet) {
    let (wallet, mut changes) = (wallet.clone(), wallet.changes());
    tauri::async_runtime::spawn(async move {
        wallet.start();
        while changes.changed().await.is_ok() {
            let view = changes.borrow_and_update().clone();
            if let Err(error) = AppChanged(view).emit(&app) {
                tracing::warn!("the window was not told of a change: {error}");
            }
        }
    });
}

/// Takes the amount of a link of our own scheme that the app was started with; starts nothing.
fn open_link(wallet: &Wallet, mut arguments: impl Iterator<Item = String>) {
    let Some(link) = arguments.find(|argument| argument.starts_with(LINK_SCHEME)) else { return };
    let wallet = wallet.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = wallet.open_buy_link(link).await {
            tracing::warn!("a link was refused: {:?}", error.code);
        }
    });
}

fn profile() -> Result<Profile, Box<dyn std::error::Error>> {
    let path = std::env::var_os("AISPACE_PROFILE")
        .ok_or("AISPACE_PROFILE names no profile; `make run` opens the sandbox, the README tells how to point the app at a live service")?;
    Ok(Profile::read(&PathBuf::from(path))?)
}

/// The given folder, or the system's for this app, one for each profile.
fn data_folder(app: &AppHandle, profile: &Profile) -> tauri::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("AISPACE_DATA_DIR") {
        return Ok(folder.into());
    }
    Ok(app.path().app_local_data_dir()?.join(profile.name()))
}
