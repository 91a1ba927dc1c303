//! What there is of the app outside its window, and where in the window something from outside leads.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What the app does outside its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OutsideView {
    /// Whether the desktop has a tray that shows the app.
    pub tray: bool,
    /// Whether something on this desktop shows notifications.
    pub notifications: bool,
    /// Whether closing the window leaves the app in the tray.
    pub keep_in_tray: bool,
    /// Whether the app starts when the person signs in to the computer; absent where it cannot be asked for.
    pub start_at_login: Option<bool>,
    /// Whether the app's links open it; absent where it cannot be asked for.
    pub links: Option<bool>,
}

/// What can be switched of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum OutsideSwitch {
    /// Closing the window leaves the app in the tray.
    KeepInTray,
    /// The app starts when the person signs in to the computer.
    StartAtLogin,
    /// The app's links open it.
    Links,
}

/// A place in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "screen", rename_all = "snake_case")]
pub enum PlaceView {
    /// The overview.
    Overview,
    /// The batches.
    Batches,
    /// The estimate.
    Estimate,
    /// The purchase.
    Buy,
    /// The usage.
    Usage,
    /// The settings.
    Settings,
    /// One payment.
    Payment {
        /// Its order.
        order_id: String,
    },
}

/// Where a link, a notification or the tray led last. The window follows each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LedView {
    /// Rises with each.
    pub serial: u32,
    /// Where.
    pub place: PlaceView,
}
