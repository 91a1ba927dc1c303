//! Elsewhere than on Linux the web view paints as it does.

use aispace_app::view::Theme;
use tauri::WebviewWindow;

/// Has nothing to tell.
///
/// # Safety
/// None is needed.
#[allow(unsafe_code)]
pub(crate) unsafe fn tell_web_view(_is_driven: bool) {}

#[derive(Clone, Default)]
pub(crate) struct Curtain;

impl Curtain {
    pub(crate) fn draw(&self, _window: &WebviewWindow) -> tauri::Result<()> {
        Ok(())
    }

    pub(crate) fn dye(&self, _window: &WebviewWindow, _theme: Theme) {}

    pub(crate) fn open(&self, _window: &WebviewWindow) {}
}
