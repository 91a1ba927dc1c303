//! How the web view paints: on the processor, straight into the window (ADR 0016), and not before its page is there.

use aispace_app::view::Theme;
use gtk::{cairo::Context, glib::Propagation, prelude::WidgetExt as _};
use std::{
    sync::{
        Arc, OnceLock,
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
/// What lies under the pages by day and by night, red, green and blue: `--bg` in `ui/src/tokens/tokens.css`.
const PAPER: [u8; 3] = [250, 249, 246];
const CHAR: [u8; 3] = [25, 22, 19];

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

/// What the window shows before its page is there: the ground of its theme, once that is known. Until then nobody asks for the page's
/// picture: WebKitGTK would wait half a second for a page that cannot give one yet, and meanwhile serve it nothing.
#[derive(Clone, Default)]
pub(crate) struct Curtain(Arc<State>);

#[derive(Default)]
struct State {
    is_open: AtomicBool,
    ground: OnceLock<[u8; 3]>,
}

impl Curtain {
    /// Draws it.
    pub(crate) fn draw(&self, window: &WebviewWindow) -> tauri::Result<()> {
        let (state, began) = (Arc::clone(&self.0), Instant::now());
        window.with_webview(move |view| {
            view.inner().connect_draw(move |_, picture| {
                if state.is_open.load(Ordering::Relaxed) || began.elapsed() > AT_LATEST {
                    return Propagation::Proceed;
                }
                if let Some(ground) = state.ground.get() {
                    fill(picture, *ground);
                }
                Propagation::Stop
            });
        })
    }

    /// Gives it the theme's ground. The desktop's own is under a window that follows the system.
    pub(crate) fn dye(&self, window: &WebviewWindow, theme: Theme) {
        let ground = match theme {
            Theme::System => return,
            Theme::Light => PAPER,
            Theme::Dark => CHAR,
        };
        if self.0.ground.set(ground).is_ok() {
            draw_anew(window);
        }
    }

    /// The page is there to be seen.
    pub(crate) fn open(&self, window: &WebviewWindow) {
        self.0.is_open.store(true, Ordering::Relaxed);
        draw_anew(window);
    }
}

fn fill(picture: &Context, ground: [u8; 3]) {
    let [red, green, blue] = ground.map(|part| f64::from(part) / 255.0);
    picture.set_source_rgb(red, green, blue);
    if let Err(error) = picture.paint() {
        tracing::warn!("the window's ground was not painted: {error}");
    }
}

fn draw_anew(window: &WebviewWindow) {
    if let Err(error) = window.with_webview(|view| view.inner().queue_draw()) {
        tracing::warn!("the window was not painted anew: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: &str = include_str!("../../ui/src/tokens/tokens.css");

    /// Red, green and blue of a colour `oklch(L C h)`, after <https://bottosson.github.io/posts/oklab/>.
    fn sample(name: &str) -> [u8; 3] {
        let line = TOKENS.lines().find_map(|line| line.trim().strip_prefix(&format!("{name}:"))).unwrap();
        let numbers = line.trim().strip_prefix("oklch(").unwrap().strip_suffix(");").unwrap();
        let numbers: Vec<f64> = numbers.split(' ').map(|n| n.parse().unwrap()).collect();
        let (lightness, a, b) = (numbers[0], numbers[1] * numbers[2].to_radians().cos(), numbers[1] * numbers[2].to_radians().sin());
        let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
        let linear = [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
        ];
        linear.map(|part| {
            let curved = if part <= 0.003_130_8 { 12.92 * part } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
            (255.0 * curved).round() as u8
        })
    }

    #[test]
    fn the_ground_is_the_pages_own() {
        assert!(TOKENS.contains("--bg:            light-dark(var(--paper-1), var(--char-1));"));
        assert_eq!([sample("--paper-1"), sample("--char-1")], [PAPER, CHAR]);
    }
}
