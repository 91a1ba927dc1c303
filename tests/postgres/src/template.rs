//! The cluster that every server starts from, made once for each version of PostgreSQL.

use crate::{PostgresError, ROLE, SUPERUSER, place::Account, run, tool};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

/// Raised when what is in a template changes.
const EDITION: u32 = 1;

/// Copies the template to `data`, owned by the user that will run it.
pub(crate) fn copy(account: &Account, data: &Path) -> Result<(), PostgresError> {
    let template = prepared(account)?;
    copy_tree(&template, data, &|path| account.own(path))
}

/// The template; it is made when this version of PostgreSQL has none yet.
fn prepared(account: &Account) -> Result<PathBuf, PostgresError> {
    let postgres = tool("postgres")?;
    let version = account.command(&postgres).arg("--version").output().map_err(PostgresError::io("asking for a version"))?;
    let version = String::from_utf8_lossy(&version.stdout).split_whitespace().nth(2).unwrap_or_default().to_owned();
    let templates = cache_folder().join("postgres");
    let place = templates.join(format!("{version}-{EDITION}"));
    if place.is_dir() {
        return Ok(place);
    }
    fs::create_dir_all(&templates).map_err(PostgresError::io("making the cache folder"))?;
    let folder = account.folder()?;
    let partial = tempfile::Builder::new().prefix("new-").tempdir_in(&templates).map_err(PostgresError::io("making a folder"))?;
    let whole = partial.path().join("data");
    let made = make(account, &folder.join("data")).and_then(|()| copy_tree(&folder.join("data"), &whole, &|_| Ok(())));
    let _ = fs::remove_dir_all(&folder);
    made?;
    match fs::rename(&whole, &place) {
        // Another test was faster.
        Err(_) if place.is_dir() => Ok(place),
        renamed => renamed.map(|()| place).map_err(PostgresError::io("keeping the template")),
    }
}

/// A cluster with the role of the service. Sums are checked, and texts are compared by their bytes, as in SQLite.
fn make(account: &Account, data: &Path) -> Result<(), PostgresError> {
    let mut initdb = account.command(&tool("initdb")?);
    initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync", "--no-instructions"]);
    run(initdb.arg("--username").arg(SUPERUSER).arg("--pgdata").arg(data))?;
    let mut single = account.command(&tool("postgres")?);
    single.arg("--single").arg("-D").arg(data).arg("postgres").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut single = single.spawn().map_err(PostgresError::io("starting PostgreSQL"))?;
    if let Some(mut input) = single.stdin.take() {
        input.write_all(format!("CREATE ROLE {ROLE} LOGIN\n").as_bytes()).map_err(PostgresError::io("making the role"))?;
    }
    let output = single.wait_with_output().map_err(PostgresError::io("making the role"))?;
    // A single-user server says that a statement failed, and ends well all the same.
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.contains("ERROR") {
        return Err(PostgresError::refused(format!("the role was not made: {said}")));
    }
    Ok(())
}

/// Copies folders and files with their permissions and tells of each copy.
fn copy_tree(from: &Path, to: &Path, made: &dyn Fn(&Path) -> Result<(), PostgresError>) -> Result<(), PostgresError> {
    let failed = |path: &Path| PostgresError::io(format!("copying {}", path.display()));
    fs::create_dir(to).map_err(failed(to))?;
    let permissions = fs::metadata(from).map_err(failed(from))?.permissions();
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(failed(&path))?.is_dir() {
            copy_tree(&path, &copy, made)?;
        } else {
            fs::copy(&path, &copy).map_err(failed(&path))?;
            made(&copy)?;
        }
    }
    fs::set_permissions(to, permissions).map_err(failed(to))?;
    made(to)
}

/// Where `scripts/setup` keeps what checkouts share.
fn cache_folder() -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let caches = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
    std::env::var_os("AISPACE_CACHE").map_or_else(|| caches.join("aispace-wallet"), PathBuf::from)
}
