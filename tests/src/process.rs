//! Child processes that end with their owner, and waiting with a deadline.

use crate::KitError;
use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Environment of a child: a value sets, `None` removes.
pub type Environment = BTreeMap<String, Option<String>>;

/// A child in a process group of its own; the group is killed when this is dropped.
pub struct OwnedProcess {
    name: String,
    child: Child,
    log: PathBuf,
}

impl OwnedProcess {
    /// Starts `program` with its output going to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, arguments: &[&str], environment: &Environment, log: &Path) -> Result<Self, KitError> {
        Self::start_with_input(program, arguments, environment, log, b"")
    }

    /// Starts `program` and hands it `input`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with_input(
        program: &Path,
        arguments: &[&str],
        environment: &Environment,
        log: &Path,
        input: &[u8],
    ) -> Result<Self, KitError> {
        let name = program.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let what = |doing: &str| format!("{doing} {}", program.display());
        let file = File::options().create(true).append(true).open(log).map_err(KitError::io(format!("opening {}", log.display())))?;
        let twin = file.try_clone().map_err(KitError::io("sharing a log"))?;
        let mut command = ends_with_owner(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(file).stderr(twin).process_group(0);
        for (key, value) in environment {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let mut child = command.spawn().map_err(KitError::io(what("starting")))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A child that does not read what it is given is not our fault.
            let _ = stdin.write_all(input);
        }
        Ok(Self { name, child, log: log.to_path_buf() })
    }

    /// Its process id, which is its group's as well.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// What it has written so far.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for a line of its output that contains `mark` and answers what follows the mark.
    ///
    /// # Errors
    /// When it ends before, or is late.
    pub async fn wait_for_output(&mut self, mark: &str, limit: Duration) -> Result<String, KitError> {
        let what = format!("{} saying {mark:?}", self.name);
        until(&what, limit, async || {
            let output = self.output();
            let found = output.lines().find_map(|line| line.split_once(mark).map(|(_, rest)| rest.trim().to_string()));
            // The last line may be half written: it counts once a line feed ends it.
            if let Some(found) = found.filter(|_| output.ends_with('\n')) {
                return Ok(Some(found));
            }
            if self.has_ended() {
                return Err(KitError::unexpected(format!("{} ended: {}", self.name, last_lines(&output, 12))));
            }
            Ok(None)
        })
        .await
    }

    /// Sends a signal (`TERM`, `STOP`, `CONT` …) to the whole group.
    pub fn signal(&self, signal: &str) {
        signal_group(self.id(), signal);
    }

    /// Freezes it; returns once it stands still.
    pub fn pause(&self) {
        self.signal("STOP");
        let asked = Instant::now();
        while !all_threads_stopped(self.id()) && asked.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Wakes it.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Asks it to end, then makes it end.
    pub async fn stop(&mut self, limit: Duration) {
        self.signal("TERM");
        let asked = Instant::now();
        while !self.has_ended() && asked.elapsed() < limit {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill();
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.signal("KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Polls until there is an answer.
///
/// # Errors
/// The poll's own, or [`KitError::Late`].
pub async fn until<T>(what: &str, limit: Duration, mut poll: impl AsyncFnMut() -> Result<Option<T>, KitError>) -> Result<T, KitError> {
    let began = Instant::now();
    loop {
        if let Some(found) = poll().await? {
            return Ok(found);
        }
        if began.elapsed() >= limit {
            return Err(KitError::Late { what: what.to_string(), limit });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A port nobody listens on at this moment.
///
/// # Errors
/// When the loopback has none.
pub fn free_port() -> Result<u16, KitError> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(KitError::io("finding a free port"))?;
    Ok(listener.local_addr().map_err(KitError::io("reading a port"))?.port())
}

/// Where a binary of this workspace is: `AISPACE_BIN_DIR`, else beside the program that asks.
///
/// # Errors
/// When it was not built.
pub fn workspace_binary(name: &str) -> Result<PathBuf, KitError> {
    let own = std::env::current_exe().map_err(KitError::io("finding this program"))?;
    let given = std::env::var_os("AISPACE_BIN_DIR").map(PathBuf::from);
    let beside = own.ancestors().skip(1).take(2).map(Path::to_path_buf);
    let found = given.into_iter().chain(beside).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| KitError::unexpected(format!("{name} is not built: run `cargo build --workspace`")))
}

/// A tool that `scripts/setup` installed: the variable when set, else the user's cache.
#[must_use]
pub fn tool(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| cache_folder().join("bin").join(name), PathBuf::from)
}

/// Where `scripts/setup` keeps what checkouts share.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let caches = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
    std::env::var_os("AISPACE_CACHE").map_or_else(|| caches.join("aispace-wallet"), PathBuf::from)
}

/// The end of a text, for a message.
#[must_use]
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The kernel ends the child when we die without dropping it (a killed test runner leaves nothing behind).
fn ends_with_owner(program: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

fn signal_group(group: u32, signal: &str) {
    let target = format!("-{group}");
    let _ = Command::new("kill").args([&format!("-{signal}"), "--", &target]).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// Every process below this one, with the program it runs.
#[must_use]
pub fn descendants(ancestor: u32) -> Vec<(u32, PathBuf)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).collect();
    let parents: BTreeMap<u32, u32> = ids.iter().filter_map(|id| parent(*id).map(|p| (*id, p))).collect();
    let is_below = |id: &u32| std::iter::successors(parents.get(id), |p| parents.get(p)).any(|p| *p == ancestor);
    let program = |id: u32| std::fs::read_link(format!("/proc/{id}/exe")).ok().map(|path| (id, path));
    ids.into_iter().filter(is_below).filter_map(program).collect()
}

/// Ends one process at once.
pub fn kill_one(id: u32) {
    let _ = Command::new("kill").args(["-KILL", "--", &id.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

fn all_threads_stopped(id: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let stopped = |status: String| status.lines().any(|line| line.starts_with("State:\tT"));
    threads.map(|thread| std::fs::read_to_string(thread.path().join("status"))).all(|status| status.is_ok_and(stopped))
}

fn parent(id: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")).and_then(|p| p.trim().parse().ok())
}
