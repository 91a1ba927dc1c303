//! A PostgreSQL server of a test's own: a cluster in a temporary folder, reached through a socket in that folder, gone when
//! the test ends in whatever way.
//!
//! A cluster is made once (`initdb`) and kept in the cache folder; each server starts on a copy, so that a start takes
//! a fraction of a second. PostgreSQL refuses to run as root: then it runs as the user `postgres`, else as `nobody`.

mod guard;
mod place;
mod template;

pub use place::tool;

use guard::Guard;
use place::Account;
use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Settings for tests that write much and never pull the plug. A process that is killed loses nothing with them; a machine does.
pub const NOT_DURABLE: [(&str, &str); 2] = [("fsync", "off"), ("full_page_writes", "off")];

/// The role that owns what [`PostgresServer::fresh_database`] makes. It is not a superuser, as a service's role is not.
pub const ROLE: &str = "aispace";

const SUPERUSER: &str = "postgres";
const START: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// A file or a process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// PostgreSQL is not installed, or a program of it failed.
    #[error("{what}")]
    Refused {
        /// What it said.
        what: String,
    },
}

impl PostgresError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }

    fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }
}

/// A running server. Dropping it ends it at once and removes its folder; so does the end of this process, a kill included.
#[derive(Debug)]
pub struct PostgresServer {
    // Before the guard: what the guard ends is waited for by us.
    postmaster: Option<Child>,
    guard: Guard,
    account: Account,
    settings: Vec<String>,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Starts a server whose commits are on the disk when they are answered.
    ///
    /// # Errors
    /// [`PostgresError`] when PostgreSQL is not installed or does not come up.
    pub fn start() -> Result<Self, PostgresError> {
        Self::start_with(&[])
    }

    /// Starts a server with settings of `postgresql.conf`, such as [`NOT_DURABLE`].
    ///
    /// # Errors
    /// [`PostgresError`] when PostgreSQL is not installed or does not come up.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self, PostgresError> {
        let account = Account::of_servers()?;
        let guard = Guard::over(account.folder()?)?;
        template::copy(&account, &guard.data())?;
        let settings = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut server = Self { postmaster: None, guard, account, settings, databases: AtomicU32::new(0) };
        server.launch()?;
        Ok(server)
    }

    /// Makes an empty database and answers its URL, for sqlx as well as for PostgreSQL's own tools.
    ///
    /// # Errors
    /// [`PostgresError`] when the server does not run.
    pub fn fresh_database(&self) -> Result<String, PostgresError> {
        self.create("template1")
    }

    /// Makes a copy of a database that nobody is connected to, and answers its URL.
    ///
    /// # Errors
    /// [`PostgresError`] when the server does not run, or the address is not one that it gave.
    pub fn copied_database(&self, url: &str) -> Result<String, PostgresError> {
        let name = url.split('?').next().and_then(|address| address.rsplit('/').next()).unwrap_or_default();
        if url != self.url(ROLE, name) {
            return Err(PostgresError::refused(format!("{url} is no database of this server")));
        }
        self.create(name)
    }

    fn create(&self, template: &str) -> Result<String, PostgresError> {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}");
        let mut psql = Command::new(tool("psql")?);
        run(psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", &create, &self.url(SUPERUSER, "postgres")]))?;
        Ok(self.url(ROLE, &name))
    }

    /// The URL of a database for the superuser.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(SUPERUSER, database)
    }

    /// The folder with its socket, its log and its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.guard.folder()
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// Ends every process of the server with SIGKILL: a crash. What was answered as committed is there after [`PostgresServer::restart`].
    pub fn kill(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            // A postmaster that stands still starts no process that we would miss.
            place::signal("STOP", &[postmaster.id()]);
            let children = place::children(postmaster.id());
            place::signal("KILL", &children);
            let _ = postmaster.kill();
            let _ = postmaster.wait();
            while children.iter().any(|id| place::runs(*id)) {
                thread::sleep(PAUSE);
            }
        }
    }

    /// Starts the server again on the same files and the same socket, once it was killed; one that runs is ended first, in order.
    ///
    /// # Errors
    /// [`PostgresError`] when it does not come up.
    pub fn restart(&mut self) -> Result<(), PostgresError> {
        self.stop();
        self.launch()
    }

    /// Ends the server in order, as the system's shutdown would: open connections are cut, everything is on the disk.
    pub fn stop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            place::signal("INT", &[postmaster.id()]);
            let _ = postmaster.wait();
        }
    }

    fn launch(&mut self) -> Result<(), PostgresError> {
        let log = fs::File::options().create(true).append(true).open(self.log_file()).map_err(PostgresError::io("opening a log"))?;
        let twin = log.try_clone().map_err(PostgresError::io("sharing a log"))?;
        let mut command = self.account.command(&tool("postgres")?);
        command.arg("-D").arg(self.guard.data()).arg("-k").arg(self.folder());
        let own = ["listen_addresses=", "unix_socket_permissions=0700", "max_connections=200", "shared_buffers=64MB", "timezone=UTC"];
        for setting in own.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        // A group of its own: an interrupt of the test is for the guard to act upon.
        command.stdin(Stdio::null()).stdout(log).stderr(twin).process_group(0);
        let mut postmaster = command.spawn().map_err(PostgresError::io("starting PostgreSQL"))?;
        let began = Instant::now();
        while !self.is_ready(&postmaster) {
            let ended = postmaster.try_wait().is_ok_and(|status| status.is_some());
            if ended || began.elapsed() > START {
                let _ = postmaster.kill();
                let _ = postmaster.wait();
                return Err(PostgresError::refused(format!("PostgreSQL does not start: {}", self.log())));
            }
            thread::sleep(PAUSE);
        }
        self.postmaster = Some(postmaster);
        Ok(())
    }

    /// The last line of the server's own note says so. A note of a server that was killed names another process.
    fn is_ready(&self, postmaster: &Child) -> bool {
        let note = fs::read_to_string(self.guard.data().join("postmaster.pid")).unwrap_or_default();
        note.lines().next() == Some(postmaster.id().to_string().as_str()) && note.lines().last().is_some_and(|l| l.trim() == "ready")
    }

    fn url(&self, role: &str, database: &str) -> String {
        let socket: String = self.folder().to_string_lossy().bytes().map(escaped).collect();
        format!("postgresql://{role}@localhost/{database}?host={socket}")
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("log")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.guard.end();
        if let Some(mut postmaster) = self.postmaster.take() {
            let _ = postmaster.wait();
        }
    }
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// Runs a program to its end.
fn run(command: &mut Command) -> Result<(), PostgresError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(PostgresError::io(format!("running {program}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(PostgresError::refused(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
