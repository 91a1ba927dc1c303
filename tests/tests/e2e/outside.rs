//! Outside the window: the tray, a notification, links and a second start, on a desktop whose tray and notifications stand in here.

use crate::{Tested, world::World};
use aispace_testkit::{
    KitError,
    process::until,
    tray::TrayArea,
    window::{STEP, Window},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use zbus::{
    Connection, connection,
    zvariant::{OwnedValue, Structure, Value},
};

const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

#[tokio::test]
async fn the_app_lives_on_its_desktop() -> Tested {
    let world = World::start().await?;
    let desk = Desk::on(&world).await;
    let window = world.open("first").await?;
    window.click("onboarding-look-around").await?;
    window.wait_for_text("balance", STEP, |text| text.contains(',')).await?;

    let tray = desk.tray().await?;
    until("the tray to say a balance", STEP, async || Ok(tray.says().await.filter(|said| said.contains(" credits")))).await?;
    tray.click("Buy credits").await?;
    is_at(&window, "buy").await?;

    // A second start hands its link over and ends; the link shows a screen and does nothing else.
    for (link, screen) in [
        ("aispace://usage", "usage"),
        ("aispace://sign_out", "usage"),
        ("aispace://settings?theme=dark", "usage"),
        ("aispace://settings", "settings"),
    ] {
        assert!(world.start_again("first", link).await?.success(), "{link}");
        is_at(&window, screen).await?;
    }

    // Whatever hour it is, the person wants to hear of it now.
    window.element("quiet").await?;
    window.run("document.querySelector('[data-testid=quiet]').click();", vec![]).await?;
    let reminder = until("a reminder", Duration::from_secs(30), async || Ok(desk.shown().into_iter().next())).await?;
    assert!(reminder.contains("end"), "{reminder}");
    desk.press("lead").await;
    is_at(&window, "estimate").await?;

    tray.click("Hide amounts").await?;
    until("the tray to hide amounts", STEP, async || Ok(tray.says().await.filter(|said| said == "••••• credits"))).await?;
    assert_eq!(desk.shown().len(), 1, "{:?}", desk.shown());
    tray.click("Quit").await?;
    until("the app to leave the tray", STEP, async || Ok(tray.says().await.is_none().then_some(()))).await?;
    window.close().await;

    // What was said is not said again after a restart.
    let again = world.open("first").await?;
    again.element("nav-overview").await?;
    let tray = desk.tray().await?;
    until("the tray to say it again", STEP, async || Ok(tray.says().await.filter(|said| said == "••••• credits"))).await?;
    assert_eq!(desk.shown().len(), 1, "{:?}", desk.shown());
    again.close().await;
    Ok(())
}

async fn is_at(window: &Window, screen: &str) -> Tested {
    window.wait_for_attribute(&format!("nav-{screen}"), "aria-current", "page", STEP).await
}

/// Tray and notifications of a desktop.
struct Desk {
    bus: Connection,
    shown: Arc<Mutex<Vec<String>>>,
    tray: TrayArea,
}

impl Desk {
    async fn on(world: &World) -> Self {
        let address = world.desktop.bus_environment()["DBUS_SESSION_BUS_ADDRESS"].clone().expect("a bus");
        let shown = Arc::default();
        let builder = connection::Builder::address(address.as_str()).expect("an address");
        let builder = builder.name(NOTIFICATIONS).expect("a name");
        let builder = builder.serve_at(NOTIFICATIONS_PATH, Notifications { shown: Arc::clone(&shown) }).expect("a server");
        Self { bus: builder.build().await.expect("the bus"), shown, tray: TrayArea::on(&world.desktop).await.expect("a tray") }
    }

    fn shown(&self) -> Vec<String> {
        self.shown.lock().expect("nobody panics with it").clone()
    }

    /// Presses the button of the newest notification.
    async fn press(&self, action: &str) {
        let id = u32::try_from(self.shown().len()).expect("few");
        let pressed = self.bus.emit_signal(Option::<&str>::None, NOTIFICATIONS_PATH, NOTIFICATIONS, "ActionInvoked", &(id, action)).await;
        pressed.expect("the bus");
    }

    /// The newest icon in the tray.
    async fn tray(&self) -> Result<Tray, KitError> {
        Ok(Tray { bus: self.tray.bus().clone(), item: self.tray.icon(STEP).await? })
    }
}

struct Tray {
    bus: Connection,
    item: String,
}

impl Tray {
    /// What it says above its menu; nothing when it is gone.
    async fn says(&self) -> Option<String> {
        let asked = (ITEM, "ToolTip");
        let properties = Some("org.freedesktop.DBus.Properties");
        let reply = self.bus.call_method(Some(self.item.as_str()), "/StatusNotifierItem", properties, "Get", &asked).await.ok()?;
        let tip: OwnedValue = reply.body().deserialize().ok()?;
        let tip: &Structure<'_> = tip.downcast_ref().ok()?;
        tip.fields().get(2)?.downcast_ref::<String>().ok()
    }

    async fn click(&self, label: &str) -> Tested {
        let item = until(&format!("{label} in the menu"), STEP, async || Ok(self.menu().await.get(label).copied())).await?;
        let event = (item, "clicked", Value::from(0i32), 0u32);
        // Quitting may end it before it answers.
        let _ = self.bus.call_method(Some(self.item.as_str()), "/MenuBar", Some(MENU), "Event", &event).await;
        Ok(())
    }

    /// Labels with their ids.
    async fn menu(&self) -> HashMap<String, i32> {
        let asked = (0i32, -1i32, Vec::<&str>::new());
        let Ok(reply) = self.bus.call_method(Some(self.item.as_str()), "/MenuBar", Some(MENU), "GetLayout", &asked).await else {
            return HashMap::new();
        };
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let (_, (_, _, rows)): Layout = reply.body().deserialize().expect("a layout");
        rows.into_iter()
            .filter_map(|row| <(i32, HashMap<String, OwnedValue>, Vec<OwnedValue>)>::try_from(row).ok())
            .filter_map(label)
            .collect()
    }
}

fn label((id, properties, _): (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>)) -> Option<(String, i32)> {
    Some((properties.get("label")?.downcast_ref::<String>().ok()?, id))
}

struct Notifications {
    shown: Arc<Mutex<Vec<String>>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[allow(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        _app_name: &str,
        _replaces_id: u32,
        _app_icon: &str,
        summary: &str,
        _body: &str,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().expect("nobody panics with it");
        shown.push(summary.into());
        u32::try_from(shown.len()).expect("few")
    }
}
