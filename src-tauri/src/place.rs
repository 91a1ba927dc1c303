//! Where the window was, kept in the data folder: its size and place come back, and a place that no screen shows any more does not.

use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tauri::{Window, WindowEvent};

const FILE: &str = "window.json";
/// How long the window has to rest before its place is written.
const REST: Duration = Duration::from_millis(400);
/// What of the window has to be on a screen, in pixels: enough to take hold of it.
const HOLD: i32 = 80;

/// A window's place, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    version: u32,
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) maximized: bool,
}

/// A screen's place, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Place {
    /// As it was kept; nothing where it was not, or cannot be read.
    pub(crate) fn read(data_folder: &Path) -> Option<Self> {
        let place: Self = serde_json::from_str(&fs::read_to_string(data_folder.join(FILE)).ok()?).ok()?;
        (place.version == 1 && place.width > 0 && place.height > 0).then_some(place)
    }

    /// Whether enough of its upper edge is on a screen to take hold of it.
    pub(crate) fn can_be_held(&self, screens: &[Screen]) -> bool {
        let right = |x: i32, width: u32| x.saturating_add_unsigned(width);
        screens.iter().any(|screen| {
            let across = right(self.x, self.width).min(right(screen.x, screen.width)).saturating_sub(self.x.max(screen.x));
            let below = self.y >= screen.y && self.y <= right(screen.y, screen.height).saturating_sub(HOLD);
            across >= HOLD && below
        })
    }

    fn of(window: &Window) -> Option<Self> {
        // Where it is while minimised says nothing; while maximised only that.
        if window.is_minimized().ok()? || !window.is_visible().ok()? {
            return None;
        }
        let (at, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
        Some(Self { version: 1, x: at.x, y: at.y, width: size.width, height: size.height, maximized: window.is_maximized().ok()? })
    }

    fn write(&self, data_folder: &Path) -> std::io::Result<()> {
        let beside = data_folder.join(format!("{FILE}.new"));
        fs::write(&beside, serde_json::to_vec(self)?)?;
        fs::rename(&beside, data_folder.join(FILE))
    }
}

/// Keeps the window's place while it moves.
pub(crate) struct PlaceKeeper {
    data_folder: PathBuf,
    /// The place when it moved last, and how often it did.
    seen: Arc<Mutex<(Option<Place>, u64)>>,
}

impl PlaceKeeper {
    pub(crate) fn new(data_folder: PathBuf, first: Option<Place>) -> Self {
        Self { data_folder, seen: Arc::new(Mutex::new((first, 0))) }
    }

    /// Takes a look at each event of the window; once it rests, its place is written.
    pub(crate) fn heed(&self, window: &Window, event: &WindowEvent) {
        if !matches!(event, WindowEvent::Moved(_) | WindowEvent::Resized(_)) {
            return;
        }
        let Some(place) = Place::of(window) else { return };
        let turn = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            // Maximised, it keeps the size it goes back to.
            let kept = if place.maximized { Place { maximized: true, ..seen.0.unwrap_or(place) } } else { place };
            if seen.0 == Some(kept) {
                return;
            }
            *seen = (Some(kept), seen.1.wrapping_add(1));
            seen.1
        };
        let (seen, data_folder) = (Arc::clone(&self.seen), self.data_folder.clone());
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(REST).await;
            let place = {
                let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.0.filter(|_| seen.1 == turn)
            };
            if let Some(Err(error)) = place.map(|place| place.write(&data_folder)) {
                tracing::info!("the window's place was not kept: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { version: 1, x: 100, y: 50, width: 1440, height: 900, maximized: false };
    const SCREEN: Screen = Screen { x: 0, y: 0, width: 1920, height: 1080 };

    #[test]
    fn a_place_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Place::read(folder.path()), None);
        PLACE.write(folder.path()).unwrap();
        assert_eq!(Place::read(folder.path()), Some(PLACE));
        for bad in ["", "{}", r#"{"version":2,"x":0,"y":0,"width":9,"height":9,"maximized":false}"#] {
            fs::write(folder.path().join(FILE), bad).unwrap();
            assert_eq!(Place::read(folder.path()), None, "{bad}");
        }
    }

    #[test]
    fn a_place_that_no_screen_shows_is_not_taken() {
        let at = |x, y| Place { x, y, ..PLACE };
        assert!(PLACE.can_be_held(&[SCREEN]) && at(-1300, 0).can_be_held(&[SCREEN]) && at(1840, 1000).can_be_held(&[SCREEN]));
        for gone in [at(-1400, 0), at(1900, 0), at(0, 1060), at(0, -40), at(2500, 100)] {
            assert!(!gone.can_be_held(&[SCREEN]), "{gone:?}");
        }
        assert!(at(2500, 100).can_be_held(&[SCREEN, Screen { x: 1920, ..SCREEN }]));
        assert!(!PLACE.can_be_held(&[]));
        assert!(!at(i32::MIN, i32::MAX).can_be_held(&[SCREEN]));
    }
}
