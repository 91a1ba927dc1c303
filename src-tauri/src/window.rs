//! The one window, and all that it may not do.

use tauri::{App, Url, WebviewUrl, WebviewWindowBuilder, webview::NewWindowResponse};

/// Opens the window on the built pages. It goes nowhere else, opens nothing and downloads nothing.
pub(crate) fn open(app: &App) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
        .title("AiSpace Wallet")
        .inner_size(1440.0, 900.0)
        .min_inner_size(400.0, 600.0)
        // A window that leaves nothing on disk cannot be driven; what the driven one leaves is searched by the tests.
        .incognito(!cfg!(feature = "e2e"))
        .devtools(cfg!(debug_assertions))
        .general_autofill_enabled(false)
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    Ok(())
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
