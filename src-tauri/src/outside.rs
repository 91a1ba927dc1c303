//! The app outside its window: tray, notifications, start at login, links, and where they lead.

use crate::{
    entries::Entries,
    notifications::{self, Desktop, Pixels},
    saying::saying_of,
    tray::Tray,
    tray_facts::{TrayAction, TrayFacts},
    window,
    words::Words,
};
use aispace_app::{
    NotGiven, Notifier, Wallet,
    view::{AppView, DisplayView, ErrorView, OutsideSwitch, OutsideView, PlaceView, ReminderView},
};
use chrono::{DateTime, FixedOffset, Local, Utc};
use std::sync::Arc;
use tauri::{AppHandle, Manager, image::Image};
use tokio::sync::OnceCell;

/// An icon small enough to be sent to a tray.
const ICON: Image<'static> = tauri::include_image!("../icons/32x32.png");

/// What of the app stands outside its window.
pub(crate) struct Outside {
    wallet: Wallet,
    entries: Option<Entries>,
    tray: Arc<OnceCell<Option<Tray>>>,
}

impl Outside {
    pub(crate) fn new(wallet: Wallet, entries: Option<Entries>) -> Self {
        Self { wallet, entries, tray: Arc::default() }
    }

    /// What the settings show of it.
    pub(crate) async fn view(&self) -> Result<OutsideView, ErrorView> {
        let (entries, keep_in_tray, tray) = (self.entries.clone(), self.wallet.keeps_in_tray(), self.has_tray());
        let look = move || OutsideView {
            tray,
            notifications: notifications::are_shown(),
            keep_in_tray,
            start_at_login: entries.as_ref().map(Entries::starts_at_login),
            links: entries.as_ref().map(Entries::opens_links),
        };
        tauri::async_runtime::spawn_blocking(look).await.map_err(|error| not_set(&error))
    }

    /// Switches something of it.
    pub(crate) async fn set(&self, which: OutsideSwitch, on: bool) -> Result<OutsideView, ErrorView> {
        match which {
            OutsideSwitch::KeepInTray => self.wallet.keep_in_tray(on).await?,
            OutsideSwitch::StartAtLogin => self.write(move |entries| entries.start_at_login(on)).await?,
            OutsideSwitch::Links => self.write(move |entries| entries.open_links(on)).await?,
        }
        self.view().await
    }

    async fn write(&self, write: impl FnOnce(&Entries) -> std::io::Result<()> + Send + 'static) -> Result<(), ErrorView> {
        let Some(entries) = self.entries.clone() else { return Err(not_set(&"this system has no desktop entries")) };
        let written = tauri::async_runtime::spawn_blocking(move || write(&entries)).await.map_err(|error| not_set(&error))?;
        written.map_err(|error| not_set(&error))
    }

    /// Whether closing the window is to leave the app in the tray, and there is one.
    pub(crate) fn stays(&self) -> bool {
        self.wallet.keeps_in_tray() && self.has_tray()
    }

    fn has_tray(&self) -> bool {
        self.tray.get().and_then(Option::as_ref).is_some_and(Tray::is_shown)
    }

    /// Offers the icon to the tray; `Some(true)` is known once the desktop has answered.
    pub(crate) async fn offer_tray(&self, app: &AppHandle) {
        let facts = facts(&self.wallet.view());
        let handle = app.clone();
        let act = Arc::new(move |action| act(&handle, action));
        let offered = self.tray.get_or_init(|| Tray::offer(facts, pixels(), act)).await;
        if offered.is_none() {
            tracing::debug!("the app goes on without a tray");
        }
    }

    /// Says in the tray what the window shows now.
    pub(crate) async fn say(&self, view: &AppView) {
        if let Some(Some(tray)) = self.tray.get() {
            tray.say(facts(view)).await;
        }
    }
}

fn not_set(reason: &dyn std::fmt::Display) -> ErrorView {
    ErrorView::outside_not_set(&reason.to_string())
}

fn pixels() -> Pixels {
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or_default();
    (side(ICON.width()), side(ICON.height()), ICON.rgba().to_vec())
}

fn here(at: DateTime<Utc>) -> FixedOffset {
    *at.with_timezone(&Local).offset()
}

fn words(view: &AppView) -> Words {
    let DisplayView { language, hide_amounts, .. } = view.settings.display;
    Words::new(language, hide_amounts)
}

fn facts(view: &AppView) -> TrayFacts {
    TrayFacts::of(view, &words(view), &here)
}

fn act(app: &AppHandle, action: TrayAction) {
    let Some(wallet) = app.try_state::<Wallet>().map(|wallet| wallet.inner().clone()) else { return };
    match action {
        TrayAction::Open => window::show(app),
        TrayAction::Lost => window::show_if_hidden(app),
        TrayAction::Estimate => lead(app, &wallet, PlaceView::Estimate),
        TrayAction::Buy => lead(app, &wallet, PlaceView::Buy),
        TrayAction::Sync => {
            tauri::async_runtime::spawn(async move { wallet.sync_now().await });
        }
        TrayAction::Hide => {
            let display = wallet.view().settings.display;
            let display = DisplayView { hide_amounts: !display.hide_amounts, ..display };
            tauri::async_runtime::spawn(async move { wallet.set_display(display).await });
        }
        TrayAction::Quit => app.exit(0),
    }
}

/// Shows the window at a place.
fn lead(app: &AppHandle, wallet: &Wallet, place: PlaceView) {
    if let Err(error) = wallet.lead_to(place) {
        tracing::info!("nothing leads there: {:?}", error.code);
    }
    window::show(app);
}

/// Shows the window at a place of an account that may not be the one that shows.
fn lead_to_account(app: &AppHandle, wallet: &Wallet, place: PlaceView, account: Option<String>) {
    let is_shown = |account: &str| wallet.view().accounts.rows.iter().any(|row| row.active && row.account == account);
    let Some(account) = account.filter(|account| !is_shown(account)) else { return lead(app, wallet, place) };
    let (app, wallet) = (app.clone(), wallet.clone());
    tauri::async_runtime::spawn(async move {
        if let Err(error) = wallet.switch_account(account).await {
            tracing::info!("the account of a reminder does not show: {:?}", error.code);
        }
        lead(&app, &wallet, place);
    });
}

/// Shows the app's reminders on this desktop.
pub(crate) struct DesktopNotifier {
    wallet: Wallet,
    desktop: Desktop,
}

impl DesktopNotifier {
    pub(crate) fn new(app: &AppHandle, wallet: Wallet) -> Self {
        let (handle, led) = (app.clone(), wallet.clone());
        let led = Arc::new(move |place, account| lead_to_account(&handle, &led, place, account));
        Self { wallet, desktop: Desktop::new("AiSpace Wallet".into(), Some(pixels()), led) }
    }
}

impl Notifier for DesktopNotifier {
    fn give(&self, reminder: &ReminderView) -> Result<(), NotGiven> {
        // Hidden the moment before it is shown, amounts are in no notification.
        let view = self.wallet.view();
        self.desktop.show(&saying_of(&words(&view), reminder, &view.accounts.rows, &here))
    }
}

/// Takes a link that a second start of the app was given, and shows the window.
pub(crate) fn started_again(app: &AppHandle, link: Option<String>) {
    if let (Some(link), Some(wallet)) = (link, app.try_state::<Wallet>()) {
        open_link(wallet.inner(), link);
    }
    window::show(app);
}

/// Follows a link; it leads somewhere or names an amount, and starts nothing.
pub(crate) fn open_link(wallet: &Wallet, link: String) {
    let wallet = wallet.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = wallet.open_link_from_outside(link).await {
            tracing::warn!("a link was refused: {:?}", error.code);
        }
    });
}
