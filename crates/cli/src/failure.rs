//! Why the command ended without its answer.

use aispace_pricing::{CardError, QuoteError, request::Refusal};
use std::{io, path::Path};

#[derive(Debug)]
pub enum Failure {
    /// What was asked for has no answer; the code is 2.
    Refused(Box<Refusal>),
    /// The answer could not be worked out or written; the code is 1.
    Broken(String),
    /// Whoever read the answer has read enough; the code is 0.
    Pipe,
}

impl Failure {
    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self::Broken(format!("{}: {error}", path.display()))
    }

    /// A built-in card that does not hold together, which a test of the build would have found.
    pub fn built_in(error: &CardError) -> Self {
        Self::Broken(format!("the built-in rate cards: {error}"))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<QuoteError> for Failure {
    fn from(error: QuoteError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::Broken(format!("the answer could not be written: {error}")),
        }
    }
}
