//! What opens addresses outside the window: the system's own way.

use aispace_app::{Opener, OpenerError};

/// The system's way to open an address.
pub(crate) struct SystemOpener;

impl Opener for SystemOpener {
    fn open(&self, url: &str) -> Result<(), OpenerError> {
        open::that_detached(url).map_err(|error| OpenerError { reason: error.kind().to_string() })
    }
}
