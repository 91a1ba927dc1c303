//! The other end of the shim: what a real process may still write, decided while it runs.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Words of the control file, as `preload/shim.rs` has them.
const WORDS: usize = 6;

/// Which calls count, and which are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ops(u64);

impl Ops {
    /// `write`, `pwrite`, `fallocate`.
    pub const WRITE: Self = Self(1);
    /// `fsync`, `fdatasync`.
    pub const SYNC: Self = Self(2);
    /// `ftruncate`.
    pub const TRUNCATE: Self = Self(4);
    /// `open` that may make a file.
    pub const MAKE: Self = Self(8);
    /// `rename`.
    pub const RENAME: Self = Self(16);
    /// `unlink`.
    pub const REMOVE: Self = Self(32);
    /// `read`.
    pub const READ: Self = Self(64);
    /// Everything that changes a file or a folder.
    pub const CHANGES: Self = Self(63);

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The `errno` of a refusal, as Linux numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errno {
    /// The device failed (`EIO`).
    Io = 5,
    /// The disk is full (`ENOSPC`).
    Full = 28,
    /// The disk may not be written (`EROFS`).
    ReadOnly = 30,
}

/// What happens to the process's changes under its folder. Counts are from 1 and begin anew with each plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing, and nothing is counted.
    Idle,
    /// They are counted.
    Count,
    /// SIGKILL before the N-th.
    KillBefore(u64),
    /// SIGKILL within the N-th: a write writes its first half.
    KillWithin(u64),
    /// SIGKILL after the N-th.
    KillAfter(u64),
    /// From the N-th on, the calls of these kinds are refused.
    Refuse(u64, Errno, Ops),
    /// `read` answers less than it was asked for.
    ShortReads,
}

/// A folder watched by the shim in whatever process is started with [`Preload::environment`].
pub struct Preload {
    folder: PathBuf,
    control: PathBuf,
    words: File,
}

impl Preload {
    /// Watches a folder. The control file lies beside it, so that it does not count itself.
    ///
    /// # Errors
    /// When the folder is not there or the control file cannot be made.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        let folder = folder.canonicalize()?;
        let control = folder.with_extension("control");
        let words = File::options().read(true).write(true).create(true).truncate(true).open(&control)?;
        words.set_len(u64::try_from(WORDS * 8).unwrap_or(0))?;
        Ok(Self { folder, control, words })
    }

    /// The watched folder, as the process must name its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Variables for the process.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &std::ffi::OsStr); 3] {
        [
            ("LD_PRELOAD", env!("AISPACE_CHAOS_SHIM").as_ref()),
            ("AISPACE_CHAOS_FOLDER", self.folder.as_os_str()),
            ("AISPACE_CHAOS_CONTROL", self.control.as_os_str()),
        ]
    }

    /// Changes the plan, from this moment on.
    ///
    /// # Errors
    /// When the control file cannot be written.
    pub fn plan(&self, plan: Plan) -> std::io::Result<()> {
        let (mode, at, errno, ops) = match plan {
            Plan::Idle => (0, 0, 0, Ops::CHANGES),
            Plan::Count => (1, 0, 0, Ops::CHANGES),
            Plan::KillBefore(at) => (2, at, 0, Ops::CHANGES),
            Plan::KillWithin(at) => (3, at, 0, Ops::CHANGES),
            Plan::KillAfter(at) => (4, at, 0, Ops::CHANGES),
            Plan::Refuse(at, errno, ops) => (5, at, errno as u64, ops),
            Plan::ShortReads => (6, 0, 0, Ops::CHANGES),
        };
        // Idle while it changes; the mode comes last.
        for (index, word) in [(0, 0), (1, at), (2, errno), (3, ops.0), (4, 0), (5, 0), (0, mode)] {
            self.words.write_all_at(&u64::to_ne_bytes(word), index * 8)?;
        }
        Ok(())
    }

    /// Changes counted since the last plan.
    ///
    /// # Errors
    /// When the control file cannot be read.
    pub fn counted(&self) -> std::io::Result<u64> {
        self.word(4)
    }

    /// Changes refused since the last plan.
    ///
    /// # Errors
    /// When the control file cannot be read.
    pub fn refused(&self) -> std::io::Result<u64> {
        self.word(5)
    }

    fn word(&self, index: u64) -> std::io::Result<u64> {
        let mut bytes = [0; 8];
        self.words.read_exact_at(&mut bytes, index * 8)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

impl Drop for Preload {
    fn drop(&mut self) {
        // The folder above may be gone already.
        let _ = std::fs::remove_file(&self.control);
    }
}
