//! A desktop session of a test's own: home, session bus and keyring, ended with the test.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub const SECRETS: &str = "org.freedesktop.secrets";
const PATIENCE: Duration = Duration::from_secs(20);

/// A bus without service directories: it starts nothing by itself.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// What the session bus can do.
pub enum Bus {
    /// There is none.
    None,
    /// It starts nothing by itself.
    Bare,
    /// It starts the system's services, a keyring among them.
    Starting,
}

pub struct Desktop {
    home: TempDir,
    env: BTreeMap<String, String>,
    children: Vec<Child>,
}

impl Desktop {
    pub fn new(bus: Bus) -> Self {
        let home = tempfile::tempdir().expect("a directory for the session");
        let mut env = BTreeMap::from([("PATH".into(), std::env::var("PATH").unwrap_or_default()), ("LANG".into(), "C.UTF-8".into())]);
        for (name, below) in [
            ("HOME", ""),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            let path = home.path().join(below);
            fs::create_dir_all(&path).expect("a directory of the session");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("ours");
            env.insert(name.into(), path.display().to_string());
        }
        let mut desktop = Self { home, env, children: vec![] };
        desktop.start_bus(bus);
        desktop
    }

    /// Ends the session and begins another in the same home.
    pub fn log_in_again(self, bus: Bus) -> Self {
        self.log_in_again_with(bus, &[])
    }

    pub fn log_in_again_with(mut self, bus: Bus, env: &[(&str, String)]) -> Self {
        self.end();
        for (name, value) in env {
            self.env.insert((*name).into(), value.clone());
        }
        self.start_bus(bus);
        self
    }

    fn start_bus(&mut self, bus: Bus) {
        self.env.remove("DBUS_SESSION_BUS_ADDRESS");
        let mut command = self.command("dbus-daemon");
        match bus {
            Bus::None => return,
            Bus::Starting => command.arg("--session"),
            Bus::Bare => {
                let file = self.home.path().join("bus.conf");
                fs::write(&file, BARE_BUS).expect("the bus's configuration");
                command.arg(format!("--config-file={}", file.display()))
            }
        };
        let mut daemon = start(command.args(["--nofork", "--print-address=1"]).stdout(Stdio::piped()));
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().expect("piped")).read_line(&mut address).expect("the bus's address");
        self.children.push(daemon);
        assert!(address.starts_with("unix:"), "the session bus did not start");
        self.env.insert("DBUS_SESSION_BUS_ADDRESS".into(), address.trim().into());
    }

    /// Starts a keyring and gives it a password. With another password than its own it stays locked.
    pub fn start_keyring(&mut self, password: &str) {
        let before = self.owner();
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--replace", "--unlock", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut daemon = start(&mut command);
        daemon.stdin.take().expect("piped").write_all(password.as_bytes()).expect("the keyring reads its password");
        self.children.push(daemon);
        until("the keyring is on the bus", || self.owner().filter(|owner| Some(owner) != before.as_ref()).is_some());
    }

    /// Lets the bus start a keyring, to which nobody gives a password.
    pub fn start_locked_keyring(&self) {
        let proxy = self.bus();
        proxy.start_service_by_name(SECRETS.try_into().expect("a name"), 0).expect("the bus starts a keyring");
        until("the keyring is on the bus", || self.owner().is_some());
    }

    /// Kills the keyring, as a crash would.
    pub fn kill_keyring(&self) {
        kill(self.owner().expect("a keyring is running"));
        until("the keyring is gone", || self.owner().is_none());
    }

    /// The process that owns the keyring's name on our bus.
    fn owner(&self) -> Option<u32> {
        self.bus().get_connection_unix_process_id(SECRETS.try_into().expect("a name")).ok()
    }

    fn bus(&self) -> zbus::blocking::fdo::DBusProxy<'static> {
        let address = self.env.get("DBUS_SESSION_BUS_ADDRESS").expect("this session has a bus");
        let connection = zbus::blocking::connection::Builder::address(address.as_str()).and_then(|b| b.build()).expect("our bus answers");
        zbus::blocking::fdo::DBusProxy::new(&connection).expect("the bus itself")
    }

    /// A command that sees this session and nothing of the one the test runs in.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.env).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What `secret-tool` finds, if anything.
    pub fn secret_tool_lookup(&self, service: &str, name: &str) -> Option<String> {
        let mut command = self.command("secret-tool");
        let mut child = start(command.args(["lookup", "service", service, "username", name]).stdout(Stdio::piped()));
        let mut found = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut found).expect("text");
        child.wait().expect("it ends").success().then_some(found)
    }

    /// Stores an item as another program would: the same attributes and one more.
    pub fn store_as_another_program(&self, service: &str, name: &str, value: &str) {
        let mut command = self.command("secret-tool");
        command.args(["store", "--label=foreign", "service", service, "username", name, "other", "1"]).stdin(Stdio::piped());
        let mut child = start(&mut command);
        child.stdin.take().expect("piped").write_all(value.as_bytes()).expect("secret-tool reads");
        assert!(child.wait().expect("it ends").success(), "secret-tool did not store");
    }

    /// Files below the session's home that hold the text in clear.
    pub fn files_holding(&self, text: &str) -> Vec<PathBuf> {
        let mut holding = vec![];
        visit(self.home.path(), &mut |path, bytes| {
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                holding.push(path.to_path_buf());
            }
        });
        holding
    }

    /// How many keyring files there are.
    pub fn keyring_files(&self) -> usize {
        let mut count = 0;
        visit(&self.home.path().join("data/keyrings"), &mut |path, _| {
            count += usize::from(path.extension().is_some_and(|e| e == "keyring"))
        });
        count
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn end(&mut self) {
        if self.env.contains_key("DBUS_SESSION_BUS_ADDRESS") {
            // A keyring that our bus started is not our child, but nobody else's either.
            if let Some(owner) = self.owner() {
                kill(owner);
            }
        }
        for mut child in self.children.drain(..).rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.env.remove("DBUS_SESSION_BUS_ADDRESS");
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.end();
    }
}

/// The probe, spoken to line by line.
pub struct Probe {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Probe {
    pub fn new(desktop: &Desktop) -> Self {
        Self::with_deadline(desktop, Duration::from_secs(4))
    }

    pub fn with_deadline(desktop: &Desktop, deadline: Duration) -> Self {
        let tests = std::env::current_exe().expect("this test has a file");
        let path = tests.ancestors().nth(2).expect("target/…/deps").join("examples/keychain-probe");
        assert!(path.exists(), "{} is missing: run `cargo build -p aispace-keychain --examples`", path.display());
        let mut command = desktop.command(path);
        let mut child = start(command.arg(deadline.as_millis().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()));
        let (ask, answers) = (child.stdin.take().expect("piped"), BufReader::new(child.stdout.take().expect("piped")));
        Self { child, ask, answers }
    }

    /// The answer, without the time it took.
    pub fn ask(&mut self, line: &str) -> String {
        self.ask_timed(line).0
    }

    pub fn ask_timed(&mut self, line: &str) -> (String, Duration) {
        writeln!(self.ask, "{line}").expect("the probe reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the probe answers");
        let (words, ms) = answer.trim().rsplit_once(' ').expect("words and milliseconds");
        (words.into(), Duration::from_millis(ms.parse().expect("milliseconds")))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(command: &mut Command) -> Child {
    match command.spawn() {
        Ok(child) => child,
        Err(error) => panic!("{:?} does not start ({error}): `make setup` installs what the tests need", command.get_program()),
    }
}

fn kill(process: u32) {
    let killed = Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status().expect("kill is there");
    assert!(killed.success(), "the keyring could not be killed");
}

pub fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?}, but not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn visit(directory: &Path, each: &mut dyn FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => visit(&path, each),
            Ok(kind) if kind.is_file() => each(&path, &fs::read(&path).unwrap_or_default()),
            _ => {}
        }
    }
}
