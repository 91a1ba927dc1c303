//! What can go wrong while the pieces are started or driven.

use std::{io, time::Duration};

/// A fault of the kit or of something it drives.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// A file, a socket or a process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {limit:?}")]
    Late {
        /// What was awaited.
        what: String,
        /// For how long.
        limit: Duration,
    },
    /// An answer or a state that was not expected.
    #[error("{what}")]
    Unexpected {
        /// What was found.
        what: String,
    },
    /// A refusal of the window's driver.
    #[error("{what}: {source}")]
    Window {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: Box<fantoccini::error::CmdError>,
    },
}

impl KitError {
    /// An unexpected answer or state.
    pub fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected { what: what.into() }
    }

    /// Names what was tried when an I/O call failed.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }
}
