//! Files that get their name only when they are whole.

use super::Failed;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// What the store keeps beside a file.
const LOCK: &str = ".lock";

/// A new name in the same folder, so that a file can be moved to its own at once.
pub(super) fn beside(path: &Path, what: &str) -> Result<PathBuf, Failed> {
    let mut bytes = [0u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| Failed::because(format!("the system gave no random bytes: {error}")))?;
    Ok(with(path, &format!(".{what}-{}", hex::encode(bytes))))
}

/// Another ending on the same name.
pub(super) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes a file that is not there yet, readable by its owner alone.
pub(super) fn create_private(path: &Path) -> Result<(), Failed> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| Failed::because(format!("{}: {error}", path.display())))
}

/// Makes a whole file durable under its own name, which an older one may have.
pub(super) fn put_in_place(partial: &Path, path: &Path) -> Result<(), Failed> {
    let refused = |error: io::Error| Failed::because(format!("{}: {error}", path.display()));
    File::open(partial).and_then(|file| file.sync_all()).map_err(refused)?;
    std::fs::rename(partial, path).map_err(refused)?;
    remove_beside(partial);
    sync_folder(path).map_err(refused)
}

/// Puts a database file aside under another name, together with its companions; the name itself keeps leading to it until something else is
/// moved there.
pub(super) fn put_aside(path: &Path, aside: &Path) -> Result<(), Failed> {
    let refused = |error: io::Error| Failed::because(format!("{}: {error}", path.display()));
    for companion in COMPANIONS {
        match std::fs::rename(with(path, companion), with(aside, companion)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(error)),
            _ => {}
        }
    }
    // Where a file cannot have two names it is moved, and is absent for a moment.
    std::fs::hard_link(path, aside).or_else(|_| std::fs::rename(path, aside)).map_err(refused)?;
    sync_folder(path).map_err(refused)
}

/// Removes a database file that nobody needs, as far as it is there.
pub(super) fn remove_database(path: &Path) {
    let _ = std::fs::remove_file(path);
    remove_beside(path);
}

fn remove_beside(path: &Path) {
    for ending in COMPANIONS.into_iter().chain([LOCK]) {
        let _ = std::fs::remove_file(with(path, ending));
    }
}

/// Takes the lock that a service holds on its file; `None` while one does.
pub(super) fn lock(path: &Path) -> Result<Option<File>, Failed> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // It lies beside the file itself, by whatever link that is reached.
    let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let file = options.open(with(&file, LOCK)).map_err(|error| Failed::because(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
