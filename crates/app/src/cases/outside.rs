//! What a person has set about the app outside its window, as far as the app itself keeps it.

use crate::{
    Wallet,
    view::{AppErrorCode, ErrorView},
};

impl ErrorView {
    /// What the app does outside its window could not be changed.
    #[must_use]
    pub fn outside_not_set(reason: &str) -> Self {
        Self::of(AppErrorCode::OutsideNotSet).with("reason", reason)
    }
}

impl Wallet {
    /// Whether closing the window leaves the app in the tray.
    #[must_use]
    pub fn keeps_in_tray(&self) -> bool {
        self.state().preferences.keep_in_tray
    }

    /// Sets whether closing the window leaves the app in the tray.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn keep_in_tray(&self, keep: bool) -> Result<(), ErrorView> {
        self.keep_preferences(|p| p.keep_in_tray = keep).await
    }
}
