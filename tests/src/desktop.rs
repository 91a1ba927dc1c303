//! A desktop of one's own: home, session bus, Secret Service, screen. Nothing of the user's is touched.

use crate::{
    KitError,
    process::{Environment, OwnedProcess, until},
    screen::Screen,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

const READY: Duration = Duration::from_secs(20);
const PASSWORD: &str = "sandbox";
const SECRETS_BUS_NAME: &str = "org.freedesktop.secrets";

/// What the desktop shall have.
#[derive(Debug, Clone)]
pub struct DesktopOptions {
    /// Width and height of a screen of its own; without, the children see the user's.
    pub screen: Option<(u32, u32)>,
    /// Which Secret Service there is.
    pub keyring: Keyring,
    /// Whether the children get a home of their own.
    pub own_home: bool,
}

/// Which Secret Service a desktop has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyring {
    /// Running and unlocked.
    Unlocked,
    /// None at all.
    Absent,
}

impl Default for DesktopOptions {
    fn default() -> Self {
        Self { screen: Some((1440, 900)), keyring: Keyring::Unlocked, own_home: true }
    }
}

/// A running desktop; everything of it ends when it is dropped.
pub struct Desktop {
    environment: Environment,
    // Dropped in this order: who uses the bus goes before the bus.
    keyring: Option<OwnedProcess>,
    screen: Option<Screen>,
    _bus: OwnedProcess,
    home: tempfile::TempDir,
}

impl Desktop {
    /// Starts a desktop.
    ///
    /// # Errors
    /// When a part of it does not come up.
    pub async fn start(options: DesktopOptions) -> Result<Self, KitError> {
        let home = tempfile::tempdir().map_err(KitError::io("making a home"))?;
        let mut environment = own_environment(home.path(), options.own_home)?;
        let bus = start_bus(home.path(), &mut environment).await?;
        let screen = match options.screen {
            Some(size) => Some(Screen::start(home.path(), size, &mut environment).await?),
            None => None,
        };
        let mut desktop = Self { environment, keyring: None, screen, _bus: bus, home };
        if options.keyring == Keyring::Unlocked {
            desktop.start_keyring().await?;
        }
        Ok(desktop)
    }

    /// What a child needs in its environment to live on this desktop.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// Only where its bus is: for a child that otherwise lives on the user's own desktop.
    #[must_use]
    pub fn bus_environment(&self) -> Environment {
        let bus = "DBUS_SESSION_BUS_ADDRESS".to_string();
        let address = self.environment.get(&bus).cloned().flatten();
        Environment::from([(bus, address)])
    }

    /// Its screen, where it has one of its own.
    #[must_use]
    pub fn screen(&self) -> Option<&Screen> {
        self.screen.as_ref()
    }

    /// The desktop's home folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Starts Secret Service and unlocks it.
    ///
    /// # Errors
    /// When it does not come up or does not take a secret.
    pub async fn start_keyring(&mut self) -> Result<(), KitError> {
        let log = self.home.path().join("keyring.log");
        let arguments = ["--foreground", "--unlock", "--components=secrets"];
        let daemon = Path::new("gnome-keyring-daemon");
        let keyring = OwnedProcess::start_with_input(daemon, &arguments, &self.environment, &log, format!("{PASSWORD}\n").as_bytes())?;
        // It answers before it owns its name, and owns its name before it has a collection: storing proves both.
        until("Secret Service to take a secret", READY, async || Ok(self.store("aispace-probe", "probe", "probe").then_some(()))).await?;
        self.run("secret-tool", &["clear", "service", "aispace-probe", "username", "probe"], None);
        self.keyring = Some(keyring);
        Ok(())
    }

    /// Ends Secret Service, as a crash would.
    ///
    /// # Errors
    /// When its bus name stays taken.
    pub async fn stop_keyring(&mut self) -> Result<(), KitError> {
        self.keyring = None;
        until("Secret Service to leave the bus", READY, async || Ok((!self.has_secret_service()).then_some(()))).await
    }

    /// Locks the default collection; there is nobody to answer a prompt.
    ///
    /// # Errors
    /// When Secret Service refuses.
    pub fn lock_keyring(&self) -> Result<(), KitError> {
        let call = "org.freedesktop.Secret.Service.Lock";
        let path = "array:objpath:/org/freedesktop/secrets/collection/login";
        let to = format!("--dest={SECRETS_BUS_NAME}");
        match self.run("dbus-send", &["--session", "--print-reply", &to, "/org/freedesktop/secrets", call, path], None) {
            Some(_) => Ok(()),
            None => Err(KitError::unexpected("Secret Service did not lock")),
        }
    }

    /// Whether Secret Service is on the bus.
    #[must_use]
    pub fn has_secret_service(&self) -> bool {
        has_secret_service(&self.environment)
    }

    /// What `secret-tool` finds under these attributes.
    #[must_use]
    pub fn secret(&self, service: &str, username: &str) -> Option<String> {
        self.run("secret-tool", &["lookup", "service", service, "username", username], None)
    }

    /// Everything `secret-tool` lists for a service, secrets included.
    #[must_use]
    pub fn secrets_of(&self, service: &str) -> String {
        self.run("secret-tool", &["search", "--all", "service", service], None).unwrap_or_default()
    }

    /// Stores a secret from outside, as another program of the user would.
    #[must_use]
    pub fn store(&self, service: &str, username: &str, secret: &str) -> bool {
        self.run("secret-tool", &["store", "--label=test", "service", service, "username", username], Some(secret)).is_some()
    }

    /// Runs a program on this desktop; what it wrote when it succeeded.
    fn run(&self, program: &str, arguments: &[&str], input: Option<&str>) -> Option<String> {
        run(&self.environment, program, arguments, input)
    }
}

/// Whether Secret Service is on the session bus that this environment names.
#[must_use]
pub fn has_secret_service(environment: &Environment) -> bool {
    let name = format!("string:{SECRETS_BUS_NAME}");
    let arguments =
        ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.GetNameOwner", &name];
    run(environment, "dbus-send", &arguments, None).is_some()
}

/// Removes every secret that is filed under this service name.
pub fn clear_secrets(environment: &Environment, service: &str) {
    run(environment, "secret-tool", &["clear", "service", service], None);
}

fn run(environment: &Environment, program: &str, arguments: &[&str], input: Option<&str>) -> Option<String> {
    use std::io::Write as _;
    // Nothing here may wait for a person: a prompt nobody answers would block for ever.
    let mut command = Command::new("timeout");
    command.args(["5", program]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for (key, value) in environment {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    let mut child = command.spawn().ok()?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_string())
}

fn own_environment(home: &Path, own_home: bool) -> Result<Environment, KitError> {
    let mut environment = Environment::new();
    let mut set = |key: &str, value: &Path| environment.insert(key.to_string(), Some(value.to_string_lossy().into_owned()));
    let folders = [("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache"), ("XDG_RUNTIME_DIR", "run")];
    if own_home {
        set("HOME", home);
    }
    for (variable, name) in folders {
        let folder: PathBuf = home.join(name);
        fs::create_dir(&folder).map_err(KitError::io("making a folder of a home"))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(KitError::io("closing a folder of a home"))?;
        if own_home || variable == "XDG_RUNTIME_DIR" {
            set(variable, &folder);
        }
    }
    // With either of the last two set, a screenshot of the web view never returns.
    for variable in ["WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "WEBKIT_DISABLE_DMABUF_RENDERER", "WEBKIT_DISABLE_COMPOSITING_MODE"] {
        environment.insert(variable.to_string(), None);
    }
    environment.insert("NO_AT_BRIDGE".into(), Some("1".into()));
    Ok(environment)
}

/// A bus without service folders: it starts nothing by itself, so no locked keyring and no portal appears.
async fn start_bus(home: &Path, environment: &mut Environment) -> Result<OwnedProcess, KitError> {
    let configuration = home.join("bus.conf");
    let text = format!(
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
         \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>session</type><keep_umask/>\
         <listen>unix:dir={}</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
         <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n",
        home.join("run").display()
    );
    fs::write(&configuration, text).map_err(KitError::io("writing the bus's configuration"))?;
    let file = format!("--config-file={}", configuration.display());
    let log = home.join("bus.log");
    let mut bus = OwnedProcess::start(Path::new("dbus-daemon"), &[&file, "--nofork", "--print-address"], environment, &log)?;
    let rest = bus.wait_for_output("unix:", READY).await?;
    environment.insert("DBUS_SESSION_BUS_ADDRESS".into(), Some(format!("unix:{rest}")));
    Ok(bus)
}
