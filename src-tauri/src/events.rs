//! What the shell tells the window.

use aispace_app::view::AppView;
use serde::{Deserialize, Serialize};

/// The state changed: here is all of it.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type, tauri_specta::Event)]
pub struct AppChanged(pub AppView);
