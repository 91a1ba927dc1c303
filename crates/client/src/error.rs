use aispace_api::ErrorAnswer;

/// Why a call gave no answer to be believed.
///
/// No variant holds a credential, a claim secret, a whole address or the text of an answer that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There was no connection, or it broke before the answer was whole.
    #[error("the service cannot be reached: {detail}")]
    Unreachable {
        /// Where it was cut.
        cut: Cut,
        /// What the system said, for the log.
        detail: String,
    },
    /// It did not answer in time.
    #[error("the service did not answer within {seconds} s")]
    Slow {
        /// The deadline.
        seconds: u64,
    },
    /// It failed, or something before it did: a 5xx, or a 4xx that is not its own.
    #[error("the service failed with status {status}")]
    Failed {
        /// The HTTP status.
        status: u16,
    },
    /// It asks to be asked less often (429).
    #[error("the service asks to wait")]
    Busy {
        /// How long, when it says.
        retry_after_seconds: Option<u64>,
    },
    /// Its answer is not what is documented.
    #[error("the service's answer cannot be read: {detail}")]
    Garbled {
        /// What is wrong with it, without repeating it.
        detail: String,
    },
    /// Its answer is longer than any it should give.
    #[error("the service's answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The most that is read.
        limit_bytes: usize,
    },
    /// It points to another address, which is not followed: the credential is for this one.
    #[error("the service points elsewhere with status {status}")]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// It does not know this Secure Key: wrong or revoked.
    #[error("the service does not know this secure key")]
    KeyRefused,
    /// It refused for a reason of its own.
    #[error("the service refused with status {status}: {:?}", answer.code)]
    Refused {
        /// Code, words and figures.
        answer: ErrorAnswer,
        /// The HTTP status.
        status: u16,
    },
    /// The HTTP client cannot be set up, for example because the system trusts no certificate authority.
    #[error("the http client cannot be set up: {detail}")]
    Unusable {
        /// What the system said, for the log.
        detail: String,
    },
}

/// Where a connection was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// The name leads to no address.
    Name,
    /// Nobody listens there, or no way leads there.
    Refused,
    /// The encryption could not be agreed on or the certificate is not trusted.
    Encryption,
    /// No connection in time.
    Connecting,
    /// It broke while asking or answering.
    Broken,
}

impl ClientError {
    /// Whether the same call may work later without anybody changing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Failed { .. } | Self::Busy { .. } => true,
            Self::Garbled { .. }
            | Self::TooLarge { .. }
            | Self::Redirected { .. }
            | Self::KeyRefused
            | Self::Refused { .. }
            | Self::Unusable { .. } => false,
        }
    }
}
