//! The desktop's clipboard.

use aispace_app::{Clipboard, ClipboardError};
use std::sync::{Mutex, PoisonError};

/// The system's clipboard. Kept open: on some desktops what was put there goes with whoever put it.
#[derive(Default)]
pub(crate) struct SystemClipboard(Mutex<Option<arboard::Clipboard>>);

impl SystemClipboard {
    fn with<T>(&self, act: impl FnOnce(&mut arboard::Clipboard) -> Result<T, arboard::Error>) -> Result<T, ClipboardError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clipboard = match &mut *kept {
            Some(clipboard) => clipboard,
            None => kept.insert(arboard::Clipboard::new().map_err(failed)?),
        };
        act(clipboard).map_err(failed)
    }
}

impl Clipboard for SystemClipboard {
    fn put(&self, text: &str) -> Result<(), ClipboardError> {
        self.with(|clipboard| {
            let set = clipboard.set();
            // What keeps a history of the clipboard is asked to leave this out.
            #[cfg(target_os = "linux")]
            let set = arboard::SetExtLinux::exclude_from_history(set);
            #[cfg(target_os = "macos")]
            let set = arboard::SetExtApple::exclude_from_history(set);
            #[cfg(target_os = "windows")]
            let set = arboard::SetExtWindows::exclude_from_history(set);
            set.text(text)
        })
    }

    fn text(&self) -> Result<Option<String>, ClipboardError> {
        self.with(|clipboard| match clipboard.get_text() {
            Err(arboard::Error::ContentNotAvailable) => Ok(None),
            other => other.map(Some),
        })
    }

    fn clear(&self) -> Result<(), ClipboardError> {
        self.with(arboard::Clipboard::clear)
    }
}

/// Without the error's own text where that could hold what was copied.
fn failed(error: arboard::Error) -> ClipboardError {
    let reason = match error {
        arboard::Error::ClipboardNotSupported => "this desktop has none",
        arboard::Error::ClipboardOccupied => "another program holds it",
        arboard::Error::ContentNotAvailable | arboard::Error::ConversionFailure => "what is there is no text",
        _ => "it does not answer",
    };
    ClipboardError { reason: reason.into() }
}
