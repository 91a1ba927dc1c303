//! How the web view paints: on the processor, straight into the window (ADR 0016), and not before its page is there.

use gtk::{glib::Propagation, prelude::WidgetExt as _};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tauri::WebviewWindow;

/// A person may set either to 0.
const PLAINLY: [&str; 2] = ["WEBKIT_SKIA_ENABLE_CPU_RENDERING", WITHOUT_LAYERS];
const WITHOUT_LAYERS: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
/// A page that has not come by then is painted as it is.
const AT_LATEST: Duration = Duration::from_secs(2);

/// Tells WebKitGTK in the environment.
///
/// # Safety
/// No other thread reads the environment meanwhile.
#[allow(unsafe_code)]
pub(crate) unsafe fn tell_web_view(is_driven: bool) {
    for name in PLAINLY {
        // WebDriver waits for ever for the picture of a window without layers.
        let is_pictured = is_driven && name == WITHOUT_LAYERS;
        if std::env::var_os(name).is_none() && !is_pictured {
            // SAFETY: as the caller says.
            unsafe { std::env::set_var(name, "1") };
        }
    }
}

/// Whether the page is there to be painted. Until then nobody asks for its picture: WebKitGTK would wait half a second for a page
/// that cannot give one yet, and meanwhile serve it nothing.
#[derive(Clone, Default)]
pub(crate) struct Picture(Arc<AtomicBool>);

impl Picture {
    /// Holds back what GTK wants painted.
    pub(crate) fn hold_back(&self, window: &WebviewWindow) -> tauri::Result<()> {
        let (is_due, began) = (Arc::clone(&self.0), Instant::now());
        window.with_webview(move |view| {
            view.inner().connect_draw(move |_, _| {
                let is_due = is_due.load(Ordering::Relaxed) || began.elapsed() > AT_LATEST;
                if is_due { Propagation::Proceed } else { Propagation::Stop }
            });
        })
    }

    /// Paints it from now on.
    pub(crate) fn is_due(&self, window: &WebviewWindow) {
        self.0.store(true, Ordering::Relaxed);
        if let Err(error) = window.with_webview(|view| view.inner().queue_draw()) {
            tracing::warn!("the window was not painted anew: {error}");
        }
    }
}
