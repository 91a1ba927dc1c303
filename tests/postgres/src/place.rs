//! Where PostgreSQL's programs are, who runs them, and looking at processes.

use crate::PostgresError;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A program of PostgreSQL: in `AISPACE_POSTGRES_BIN` when that is set, else in the newest version that Debian has installed,
/// else where `pg_config` says.
///
/// # Errors
/// [`PostgresError::Refused`] when it is in none of these.
pub fn tool(name: &str) -> Result<PathBuf, PostgresError> {
    let found = folders().into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| PostgresError::refused(format!("PostgreSQL's {name} is not installed: run `scripts/setup`")))
}

fn folders() -> Vec<PathBuf> {
    if let Some(given) = std::env::var_os("AISPACE_POSTGRES_BIN") {
        return vec![PathBuf::from(given)];
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<u32> = versions.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let debian = versions.iter().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let said = Command::new("pg_config").arg("--bindir").output().ok();
    let elsewhere = said.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    debian.chain(elsewhere).collect()
}

/// The system's user that a server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// The one that runs the tests.
    Own,
    /// Another one, because PostgreSQL refuses to be root.
    Other { user: u32, group: u32 },
}

impl Account {
    pub(crate) fn of_servers() -> Result<Self, PostgresError> {
        let own = fs::metadata("/proc/self").map_err(PostgresError::io("asking who runs this"))?.uid();
        if own != 0 {
            return Ok(Self::Own);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(PostgresError::io("reading the users"))?;
        let named = |name: &str| users.lines().find_map(|line| ids(line, name));
        let found = named("postgres").or_else(|| named("nobody"));
        let (user, group) = found.ok_or_else(|| PostgresError::refused("PostgreSQL refuses root, and there is no user nobody"))?;
        Ok(Self::Other { user, group })
    }

    /// A new folder that this user owns.
    pub(crate) fn folder(self) -> Result<PathBuf, PostgresError> {
        let folder = tempfile::Builder::new().prefix("aispace-pg-").tempdir().map_err(PostgresError::io("making a folder"))?.keep();
        self.own(&folder)?;
        Ok(folder)
    }

    /// Makes a file this user's.
    pub(crate) fn own(self, path: &Path) -> Result<(), PostgresError> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group } => {
                chown(path, Some(user), Some(group)).map_err(PostgresError::io(format!("handing over {}", path.display())))
            }
        }
    }

    /// A command that runs as this user.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = match self {
            Self::Own => Command::new(program),
            Self::Other { user, group } => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into(), "--".into()]).arg(program);
                command
            }
        };
        // Wherever the tests run, that user may not be allowed to look.
        command.current_dir("/");
        command
    }
}

/// User and group of a line of `/etc/passwd`.
fn ids(line: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    let is_it = fields.next()? == name;
    let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    is_it.then_some((user, group))
}

/// The processes that a process has started.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let wanted = format!("PPid:\t{parent}");
    let is_child = |id: &u32| fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|text| text.lines().any(|line| line == wanted));
    ids.filter(is_child).collect()
}

/// Whether a process still runs; one that has ended and was not waited for does not.
pub(crate) fn runs(id: u32) -> bool {
    fs::read_link(format!("/proc/{id}/exe")).is_ok()
}

/// Sends a signal by its short name.
pub(crate) fn signal(signal: &str, ids: &[u32]) {
    if !ids.is_empty() {
        let ids = ids.iter().map(u32::to_string);
        let _ = Command::new("kill").arg(format!("-{signal}")).args(ids).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
