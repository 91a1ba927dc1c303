//! Secrets come out of private files or out of the environment.

use super::Problem;
use std::path::Path;
use zeroize::Zeroizing;

/// A secret: it is neither shown nor written.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// `None` when nothing is left of it without the space around it.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Reads a file that must be private and hold something.
    pub(crate) fn from_file(field: &str, path: &Path, what: &str) -> Result<Self, Problem> {
        let place = format!("{field} {}", path.display());
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| Problem::new(&place, error))?;
        check_private(path).map_err(|reason| Problem::new(&place, reason))?;
        Self::new(&text).ok_or_else(|| Problem::new(place, format!("holds no {what}")))
    }

    /// Reads a variable; one that is absent or empty is none.
    pub(crate) fn from_environment(variable: &str) -> Option<Self> {
        std::env::var(variable).ok().map(Zeroizing::new).and_then(|text| Self::new(&text))
    }
}

/// Refuses a file that others than its owner may read; a file of root's may be read by its group, which is how it is given to a service.
#[cfg(unix)]
pub(crate) fn check_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    const ROOT: u32 = 0;
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    let others = if metadata.uid() == ROOT { 0o037 } else { 0o077 };
    let mode = metadata.mode() & 0o777;
    if mode & others == 0 {
        return Ok(());
    }
    Err(format!("others can read or change it (mode {mode:03o}); make it private with chmod 600"))
}

/// Elsewhere the system's own rules are trusted.
#[cfg(not(unix))]
pub(crate) fn check_private(_: &Path) -> Result<(), String> {
    Ok(())
}
