//! The tray of a desktop: where programs register their icons, after the StatusNotifierItem specification of freedesktop.org.

use crate::{KitError, desktop::Desktop, process::until};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use zbus::{Connection, connection};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/StatusNotifierWatcher";

/// A tray without anything to look at: it takes icons, and knows who offered them. It is gone when dropped.
pub struct TrayArea {
    bus: Connection,
    icons: Icons,
}

/// Names on the bus of those who offered an icon, oldest first.
type Icons = Arc<Mutex<Vec<String>>>;

impl TrayArea {
    /// Puts a tray on a desktop that has none.
    ///
    /// # Errors
    /// When the bus cannot be reached or has a tray already.
    pub async fn on(desktop: &Desktop) -> Result<Self, KitError> {
        let environment = desktop.bus_environment();
        let address = environment.get("DBUS_SESSION_BUS_ADDRESS").and_then(Option::as_deref).unwrap_or_default();
        let icons = Icons::default();
        let watcher = Watcher { icons: Arc::clone(&icons) };
        let built = async { connection::Builder::address(address)?.name(WATCHER)?.serve_at(PATH, watcher)?.build().await }.await;
        let bus = built.map_err(|error: zbus::Error| KitError::unexpected(format!("no tray: {error}")))?;
        Ok(Self { bus, icons })
    }

    /// The bus on which the icons are.
    pub fn bus(&self) -> &Connection {
        &self.bus
    }

    /// Waits for an icon and takes it: the newest that nobody has taken.
    ///
    /// # Errors
    /// When none is offered in time.
    pub async fn icon(&self, limit: Duration) -> Result<String, KitError> {
        until("an icon in the tray", limit, async || Ok(self.icons.lock().unwrap_or_else(PoisonError::into_inner).pop())).await
    }
}

struct Watcher {
    icons: Icons,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        self.icons.lock().unwrap_or_else(PoisonError::into_inner).push(service);
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}
