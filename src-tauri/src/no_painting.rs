//! Elsewhere than on Linux the web view paints as it does.

use tauri::WebviewWindow;

/// Has nothing to tell.
///
/// # Safety
/// Always.
#[allow(unsafe_code)]
pub(crate) unsafe fn tell_web_view(_is_driven: bool) {}

#[derive(Clone, Default)]
pub(crate) struct Picture;

impl Picture {
    pub(crate) fn hold_back(&self, _window: &WebviewWindow) -> tauri::Result<()> {
        Ok(())
    }

    pub(crate) fn is_due(&self, _window: &WebviewWindow) {}
}
