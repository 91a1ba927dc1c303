//! Native notifications, over `org.freedesktop.Notifications`.

use crate::saying::Saying;
use aispace_app::{NotGiven, view::PlaceView};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use zbus::{blocking::Connection, zvariant::Value};

const NAME: &str = "org.freedesktop.Notifications";
/// What a click on the notification itself is called.
const DEFAULT_ACTION: &str = "default";
/// As long as the desktop likes.
const USUAL_TIMEOUT: i32 = -1;

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_async = false
)]
trait Notifications {
    #[allow(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
}

/// An icon's pixels: width, height, RGBA.
pub(crate) type Pixels = (i32, i32, Vec<u8>);
/// Called with where a notification leads, and the account that it is about when there are several.
type Led = dyn Fn(PlaceView, Option<String>) + Send + Sync;
type Places = Arc<Mutex<BTreeMap<u32, (PlaceView, Option<String>)>>>;

/// Shows notifications on this desktop.
pub(crate) struct Desktop {
    app: String,
    icon: Option<Pixels>,
    /// Called with where a notification that was clicked leads.
    led: Arc<Led>,
    connect: Box<dyn Fn() -> zbus::Result<Connection> + Send + Sync>,
    /// The connection, once there was something to show.
    open: Mutex<Option<NotificationsProxy<'static>>>,
    places: Places,
}

impl Desktop {
    pub(crate) fn new(app: String, icon: Option<Pixels>, led: Arc<Led>) -> Self {
        Self { app, icon, led, connect: Box::new(Connection::session), open: Mutex::new(None), places: Places::default() }
    }

    /// Shows one. It waits for the desktop's answer.
    pub(crate) fn show(&self, saying: &Saying) -> Result<(), NotGiven> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = self.connected(&mut open).and_then(|proxy| self.notify(&proxy, saying));
        let id = shown.map_err(|error| {
            // The bus may have gone; the next one asks anew.
            *open = None;
            NotGiven { reason: error.to_string() }
        })?;
        self.places.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (saying.place.clone(), saying.account.clone()));
        Ok(())
    }

    fn notify(&self, proxy: &NotificationsProxy<'_>, saying: &Saying) -> zbus::Result<u32> {
        let mut hints = HashMap::from([("desktop-entry", Value::from("aispace-wallet")), ("category", Value::from("transfer"))]);
        if let Some((width, height, rgba)) = &self.icon {
            const BITS: i32 = 8;
            const CHANNELS: i32 = 4;
            let stride = width.saturating_mul(CHANNELS);
            hints.insert("image-data", Value::from((*width, *height, stride, true, BITS, CHANNELS, rgba.clone())));
        }
        let actions = [DEFAULT_ACTION, saying.action.as_str(), "lead", saying.action.as_str()];
        proxy.notify(&self.app, 0, "", &saying.title, &saying.body, &actions, hints, USUAL_TIMEOUT)
    }

    fn connected(&self, open: &mut Option<NotificationsProxy<'static>>) -> zbus::Result<NotificationsProxy<'static>> {
        if let Some(proxy) = open {
            return Ok(proxy.clone());
        }
        let proxy = NotificationsProxy::new(&(self.connect)()?)?;
        let clicks = proxy.receive_action_invoked()?;
        let (led, places) = (Arc::clone(&self.led), Arc::clone(&self.places));
        // It waits for the bus and nothing else, and ends with the connection.
        std::thread::spawn(move || {
            for click in clicks {
                let Ok(click) = click.args() else { continue };
                let place = places.lock().unwrap_or_else(PoisonError::into_inner).remove(&click.id);
                if let Some((place, account)) = place {
                    led(place, account);
                }
            }
        });
        *open = Some(proxy.clone());
        Ok(proxy)
    }
}

/// Whether something on this desktop shows notifications, or would be started to.
pub(crate) fn are_shown() -> bool {
    fn asked() -> zbus::Result<bool> {
        let bus = zbus::blocking::fdo::DBusProxy::new(&Connection::session()?)?;
        if bus.name_has_owner(NAME.try_into()?)? {
            return Ok(true);
        }
        Ok(bus.list_activatable_names()?.iter().any(|name| name.as_str() == NAME))
    }
    asked().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead as _, BufReader},
        process::{Child, Command, Stdio},
        sync::mpsc,
        time::Duration,
    };
    use zbus::{blocking::connection::Builder, object_server::SignalEmitter, zvariant::OwnedValue};

    /// A session bus of the test's own.
    struct Bus {
        daemon: Child,
        address: String,
    }

    impl Bus {
        fn start() -> Self {
            let arguments = ["--session", "--nofork", "--nopidfile", "--print-address"];
            let mut daemon = Command::new("dbus-daemon").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
            let mut address = String::new();
            BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
            Self { daemon, address: address.trim().to_owned() }
        }

        fn connect(&self) -> Builder<'_> {
            Builder::address(self.address.as_str()).unwrap()
        }
    }

    impl Drop for Bus {
        fn drop(&mut self) {
            let _ = self.daemon.kill();
            let _ = self.daemon.wait();
        }
    }

    /// What a desktop is asked to show.
    #[derive(Debug, PartialEq, Eq)]
    struct Shown {
        title: String,
        body: String,
        actions: Vec<String>,
        has_picture: bool,
    }

    struct Server {
        shown: mpsc::Sender<Shown>,
    }

    #[zbus::interface(name = "org.freedesktop.Notifications")]
    impl Server {
        #[allow(clippy::too_many_arguments, reason = "the specification's")]
        fn notify(
            &self,
            _app_name: &str,
            _replaces_id: u32,
            _app_icon: &str,
            summary: &str,
            body: &str,
            actions: Vec<String>,
            hints: HashMap<String, OwnedValue>,
            _expire_timeout: i32,
        ) -> u32 {
            let has_picture = hints.get("image-data").is_some_and(|value| value.value_signature() == "(iiibiiay)");
            self.shown.send(Shown { title: summary.into(), body: body.into(), actions, has_picture }).unwrap();
            7
        }

        #[zbus(signal)]
        async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action_key: &str) -> zbus::Result<()>;
    }

    fn saying() -> Saying {
        Saying {
            title: "44,310 credits end in 3 days".into(),
            body: "Mon 23 Nov.".into(),
            action: "Plan runs".into(),
            place: PlaceView::Estimate,
            account: Some("first".into()),
        }
    }

    fn desktop(bus: &Bus, led: Arc<Led>) -> Desktop {
        let address = bus.address.clone();
        let connect = Box::new(move || Builder::address(address.as_str())?.build());
        Desktop { connect, ..Desktop::new("AiSpace Wallet".into(), Some((1, 1, vec![1, 2, 3, 4])), led) }
    }

    #[test]
    fn a_notification_is_shown_and_a_click_leads_to_its_place_once() {
        let bus = Bus::start();
        let (shown, looked_at) = mpsc::channel();
        let path = "/org/freedesktop/Notifications";
        let server = bus.connect().name(NAME).unwrap().serve_at(path, Server { shown }).unwrap().build().unwrap();
        let (led, places) = mpsc::channel();
        let desktop = desktop(&bus, Arc::new(move |place, account| led.send((place, account)).unwrap()));
        desktop.show(&saying()).unwrap();
        let expected = Shown {
            title: "44,310 credits end in 3 days".into(),
            body: "Mon 23 Nov.".into(),
            actions: ["default", "Plan runs", "lead", "Plan runs"].map(String::from).to_vec(),
            has_picture: true,
        };
        assert_eq!(looked_at.recv().unwrap(), expected);
        for (id, key) in [(8_u32, "default"), (7, "lead"), (7, "lead")] {
            server.emit_signal(Option::<&str>::None, path, NAME, "ActionInvoked", &(id, key)).unwrap();
        }
        assert_eq!(places.recv_timeout(Duration::from_secs(20)).unwrap(), (PlaceView::Estimate, Some("first".to_owned())));
        assert!(places.recv_timeout(Duration::from_millis(200)).is_err(), "another's click, or a second one, led somewhere");
    }

    #[test]
    fn where_nobody_shows_it_that_is_said_and_a_later_one_is_shown() {
        let bus = Bus::start();
        let desktop = desktop(&bus, Arc::new(|_, _| ()));
        assert!(desktop.show(&saying()).is_err());
        let (shown, looked_at) = mpsc::channel();
        let path = "/org/freedesktop/Notifications";
        let _server = bus.connect().name(NAME).unwrap().serve_at(path, Server { shown }).unwrap().build().unwrap();
        desktop.show(&saying()).unwrap();
        assert_eq!(looked_at.recv().unwrap().title, saying().title);
    }
}
