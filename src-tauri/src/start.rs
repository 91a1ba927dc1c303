//! From the command line and the environment to a running window.

use crate::{
    arguments::{self, Arguments},
    bindings::bindings,
    clipboard::SystemClipboard,
    entries::{Entries, Launch},
    events::AppChanged,
    opener::SystemOpener,
    outside::{self, DesktopNotifier, Outside},
    painting,
    place::{Place, PlaceKeeper},
    window,
};
use aispace_app::{Profile, Setup, Wallet};
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tauri::{App, AppHandle, Manager, Window, WindowEvent};
use tauri_specta::Event;
use tokio::sync::Notify;

/// What goes on by itself waits no longer than this for the page.
const PAGE_LOADS_WITHIN: Duration = Duration::from_secs(2);
/// As in `tauri.conf.json`; needed before there is an app to ask.
const IDENTIFIER: &str = "bot.aispace.wallet";
/// Set where WebDriver starts the app.
const DRIVEN: &str = "TAURI_WEBVIEW_AUTOMATION";

/// Runs the app until its window closes. A link of the app's own schemes among its arguments leads somewhere or fills in an amount.
///
/// `--profile` or `AISPACE_PROFILE` names the profile file, `--data-dir` or `AISPACE_DATA_DIR` the folder of everything the app writes;
/// `--hidden` leaves the window closed where there is a tray to open it from.
#[must_use]
pub fn run() -> ExitCode {
    prepare_environment();
    tracing_subscriber::fmt().with_env_filter(log_filter()).with_writer(std::io::stderr).with_target(false).init();
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("AiSpace Wallet cannot start: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// What the web view reads in the environment.
fn prepare_environment() {
    // SAFETY: the first statement of the program; no other thread exists that could read the environment.
    #[allow(unsafe_code)]
    unsafe {
        // Even a release build opens itself to WebDriver when this is set.
        #[cfg(not(feature = "e2e"))]
        std::env::remove_var(DRIVEN);
        painting::tell_web_view(std::env::var_os(DRIVEN).is_some());
    }
}

fn log_filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_env("AISPACE_LOG").unwrap_or_else(|_| "info,zbus=warn".into())
}

fn start() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::new(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let (profile, launch) = world(&arguments)?;
    let bindings = bindings();
    let handler = bindings.invoke_handler();
    let app = tauri::Builder::default()
        .plugin(single_instance(&launch))
        .invoke_handler(handler)
        .on_window_event(heed)
        .setup(move |app| {
            bindings.mount_events(app);
            open(app, profile, launch, arguments)
        })
        .build(tauri::generate_context!())?;
    app.run(|_, _| {});
    Ok(())
}

/// The profile, and how this very app is started.
fn world(arguments: &Arguments) -> Result<(Profile, Launch), Box<dyn std::error::Error>> {
    let path = arguments.profile.clone().ok_or(
        "AISPACE_PROFILE or --profile names no profile; `make run` opens the sandbox, the README tells how to point the app at a live service",
    )?;
    let profile = Profile::read(&path)?;
    let data_folder = match &arguments.data_folder {
        Some(folder) => folder.clone(),
        None => dirs::data_local_dir().ok_or("this system has no folder for data")?.join(IDENTIFIER).join(profile.name()),
    };
    let name = profile.name();
    Ok((profile, Launch { program: std::env::current_exe()?, profile: absolute(&path), data_folder: absolute(&data_folder), name }))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// One app a data folder: a second start shows the first window, hands over its link, and ends.
fn single_instance(launch: &Launch) -> tauri::plugin::TauriPlugin<tauri::Wry> {
    let digest = hex::encode(Sha256::digest(launch.data_folder.as_os_str().as_encoded_bytes()));
    let name = format!("{IDENTIFIER}.i{}", digest.get(..16).unwrap_or_default());
    let again = |app: &AppHandle, arguments: Vec<String>, _: String| outside::started_again(app, arguments::link_among(&arguments));
    tauri_plugin_single_instance::Builder::new().dbus_id(name).callback(again).build()
}

fn open(app: &mut App, profile: Profile, launch: Launch, arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let data_folder = launch.data_folder.clone();
    // The store is read while the web view starts: the window waits for neither, and asks for its first view after both.
    let opening = std::thread::spawn({
        let data_folder = data_folder.clone();
        move || {
            let setup = Setup::on_this_computer(profile, data_folder, Arc::new(SystemOpener), Arc::new(SystemClipboard::default()))?;
            tauri::async_runtime::block_on(Wallet::open(setup))
        }
    });
    let place = Place::read(&data_folder);
    app.manage(PlaceKeeper::new(data_folder, place));
    let loaded = Arc::new(Notify::new());
    window::open(app, place, !arguments.is_hidden, Arc::clone(&loaded))?;
    let wallet = opening.join().map_err(|_| "opening the local store panicked")??;
    wallet.set_window_open(!arguments.is_hidden);
    window::dye(app, wallet.view().settings.theme);
    app.manage(wallet.clone());
    app.manage(Outside::new(wallet.clone(), Entries::of_this_user(launch)));
    go_on(app.handle().clone(), wallet.clone(), arguments.is_hidden, loaded);
    if let Some(link) = arguments.link {
        outside::open_link(&wallet, link);
    }
    Ok(())
}

/// Starts what goes on by itself, once the page has what it needs for its first frame, and passes every change on to the window and the tray.
fn go_on(app: AppHandle, wallet: Wallet, is_hidden: bool, loaded: Arc<Notify>) {
    let mut changes = wallet.changes();
    tauri::async_runtime::spawn(async move {
        // However it ends: without its page the app goes on all the same.
        let _ = tokio::time::timeout(PAGE_LOADS_WITHIN, loaded.notified()).await;
        wallet.start();
        wallet.start_reminding(Arc::new(DesktopNotifier::new(&app, wallet.clone())));
        let Some(outside) = app.try_state::<Outside>() else { return };
        outside.offer_tray(&app).await;
        if is_hidden && !outside.stays() {
            window::show(&app);
        }
        while changes.changed().await.is_ok() {
            let view = changes.borrow_and_update().clone();
            outside.say(&view).await;
            if let Err(error) = AppChanged(view).emit(&app) {
                tracing::warn!("the window was not told of a change: {error}");
            }
        }
    });
}

/// Keeps the window's place; closing the window leaves the app in the tray where the person wants that and there is one.
fn heed(window: &Window, event: &WindowEvent) {
    if let Some(keeper) = window.try_state::<PlaceKeeper>() {
        keeper.heed(window, event);
    }
    if let WindowEvent::CloseRequested { api, .. } = event
        && window.try_state::<Outside>().is_some_and(|outside| outside.stays())
    {
        api.prevent_close();
        window::hide(window);
    }
}
