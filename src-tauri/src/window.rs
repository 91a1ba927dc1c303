//! The one window, and all that it may not do.

use crate::{
    known,
    painting::Curtain,
    place::{Place, Screen},
};
use aispace_app::{Wallet, view::Theme};
use std::sync::Arc;
use tauri::{
    App, AppHandle, Manager, Monitor, PhysicalPosition, PhysicalSize, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Window,
    webview::{NewWindowResponse, PageLoadEvent},
};
use tokio::sync::Notify;

const LABEL: &str = "main";
const USUAL: (f64, f64) = (1440.0, 900.0);

/// Opens the window on the built pages, where it was before. It goes nowhere else, opens nothing and downloads nothing.
/// `loaded` is told when the page is there.
pub(crate) fn open(app: &App, place: Option<Place>, is_visible: bool, loaded: Arc<Notify>) -> tauri::Result<()> {
    let curtain = Curtain::default();
    let opened = curtain.clone();
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("AiSpace Wallet")
        .inner_size(USUAL.0, USUAL.1)
        .min_inner_size(400.0, 600.0)
        .visible(is_visible && place.is_none())
        // A window that leaves nothing on disk cannot be driven; what the driven one leaves is searched by the tests.
        .incognito(!cfg!(feature = "e2e"))
        .devtools(cfg!(debug_assertions))
        .general_autofill_enabled(false)
        .on_web_resource_request(known::put_into_pages(app.handle()))
        .on_page_load(move |window, page| {
            if page.event() == PageLoadEvent::Finished {
                loaded.notify_one();
                opened.open(&window);
            }
        })
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    curtain.draw(&window)?;
    app.manage(curtain);
    if let Some(place) = place {
        put(&window, place)?;
        if is_visible {
            window.show()?;
        }
    }
    Ok(())
}

/// Shows the theme's ground until the page is there.
pub(crate) fn dye(app: &App, theme: Theme) {
    if let (Some(window), Some(curtain)) = (app.get_webview_window(LABEL), app.try_state::<Curtain>()) {
        curtain.dye(&window, theme);
    }
}

/// Puts the window where it was, unless no screen is there any more.
fn put(window: &WebviewWindow, place: Place) -> tauri::Result<()> {
    let screens: Vec<Screen> = window.available_monitors()?.iter().map(screen).collect();
    window.set_size(PhysicalSize::new(place.width, place.height))?;
    if place.can_be_held(&screens) {
        window.set_position(PhysicalPosition::new(place.x, place.y))?;
    }
    if place.maximized {
        window.maximize()?;
    }
    Ok(())
}

fn screen(monitor: &Monitor) -> Screen {
    let (at, size) = (monitor.position(), monitor.size());
    Screen { x: at.x, y: at.y, width: size.width, height: size.height }
}

/// Shows the window and puts it before the others.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!("the window was not shown: {error}");
    }
    tell(app, true);
}

/// Leaves the app without its window.
pub(crate) fn hide(window: &Window) {
    if let Err(error) = window.hide() {
        tracing::warn!("the window was not hidden: {error}");
    }
    tell(window.app_handle(), false);
}

fn tell(app: &AppHandle, is_open: bool) {
    if let Some(wallet) = app.try_state::<Wallet>() {
        wallet.set_window_open(is_open);
    }
}

/// Shows the window where nothing else of the app is to be seen.
pub(crate) fn show_if_hidden(app: &AppHandle) {
    let is_hidden = app.get_webview_window(LABEL).is_some_and(|window| window.is_visible().is_ok_and(|visible| !visible));
    if is_hidden {
        show(app);
    }
}

/// The built pages: `tauri:` here, `http(s)://tauri.localhost` on Windows and Android.
fn is_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => true,
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_at_home() {
        let ours = |text: &str| is_ours(&text.parse().unwrap());
        assert!(ours("tauri://localhost/index.html") && ours("http://tauri.localhost/"));
        for foreign in ["https://example.org/", "http://tauri.localhost.example/", "file:///etc/passwd", "data:text/html,x", "about:blank"]
        {
            assert!(!ours(foreign), "{foreign}");
        }
    }
}
