use keyring_core::Error as Keyring;

/// Why the keychain did not do it. None of these means that nothing is stored.
///
/// No variant holds bytes of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeychainError {
    /// No session bus, or nobody on it keeps secrets.
    #[error("there is no keychain on this system")]
    Absent,
    /// A keychain without a default collection; the person has to create one.
    #[error("the keychain has no default collection")]
    NoCollection,
    /// Locked, or its prompt was dismissed.
    #[error("the keychain is locked")]
    Locked,
    /// Its prompt is still open; nothing else is asked until it is answered.
    #[error("the keychain has not answered yet")]
    Waiting,
    /// Several items carry the name; another program wrote one of them.
    #[error("several keychain items carry the same name")]
    Ambiguous,
    /// It failed otherwise.
    #[error("the keychain failed: {detail}")]
    Failed {
        /// What it said, for the log.
        detail: String,
    },
}

/// What one attempt came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing is stored under the name.
    NoEntry,
    /// The session or the connection is gone: open anew and try once more.
    Stale { detail: String },
    /// A trouble that the caller gets to see.
    Final(KeychainError),
}

impl Trouble {
    /// What is left of it when there is no further attempt.
    pub(crate) fn into_error(self) -> Option<KeychainError> {
        match self {
            Self::NoEntry => None,
            Self::Stale { detail } => Some(KeychainError::Failed { detail }),
            Self::Final(error) => Some(error),
        }
    }
}

/// Sorts a keyring's error. `keyring-core` splits them otherwise: a missing keychain is its `PlatformFailure`, and
/// a locked one and one without a collection share its `NoStorageAccess`.
pub(crate) fn classify(error: &Keyring) -> Trouble {
    match error {
        Keyring::NoEntry => Trouble::NoEntry,
        Keyring::Ambiguous(_) => Trouble::Final(KeychainError::Ambiguous),
        #[cfg(target_os = "linux")]
        Keyring::PlatformFailure(inner) | Keyring::NoStorageAccess(inner) => secret_service(inner.as_ref()),
        #[cfg(not(target_os = "linux"))]
        Keyring::NoStorageAccess(_) => Trouble::Final(KeychainError::Locked),
        // These two carry the stored bytes, so nothing of theirs is passed on.
        Keyring::BadEncoding(_) | Keyring::BadDataFormat(..) => failed("the stored item cannot be read"),
        other => failed(other),
    }
}

fn failed(detail: impl ToString) -> Trouble {
    Trouble::Final(KeychainError::Failed { detail: detail.to_string() })
}

#[cfg(target_os = "linux")]
fn secret_service(inner: &(dyn std::error::Error + Send + Sync + 'static)) -> Trouble {
    use secret_service::Error as Service;
    match inner.downcast_ref::<Service>() {
        Some(Service::Locked | Service::Prompt) => Trouble::Final(KeychainError::Locked),
        Some(Service::NoResult) => Trouble::Final(KeychainError::NoCollection),
        Some(Service::Unavailable) => Trouble::Final(KeychainError::Absent),
        Some(Service::PromptDisconnected) => Trouble::Stale { detail: inner.to_string() },
        Some(Service::Zbus(error) | Service::ZbusFdo(zbus::fdo::Error::ZBus(error))) => bus(error),
        _ => failed(inner),
    }
}

#[cfg(target_os = "linux")]
fn bus(error: &zbus::Error) -> Trouble {
    use zbus::Error as Bus;
    match error {
        Bus::Connection(..) | Bus::Address(_) | Bus::Handshake(_) => Trouble::Final(KeychainError::Absent),
        Bus::InputOutput(_) => Trouble::Stale { detail: error.to_string() },
        // The name decides: the message is prose and may change.
        Bus::MethodError(name, ..) => by_name(name.as_str()),
        other => failed(other),
    }
}

#[cfg(target_os = "linux")]
fn by_name(name: &str) -> Trouble {
    match name {
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.NotSupported"
        | "org.freedesktop.DBus.Error.FileNotFound" => Trouble::Final(KeychainError::Absent),
        _ if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => Trouble::Final(KeychainError::Absent),
        "org.freedesktop.Secret.Error.IsLocked" => Trouble::Final(KeychainError::Locked),
        "org.freedesktop.Secret.Error.NoSession"
        | "org.freedesktop.Secret.Error.NoSuchObject"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Disconnected" => Trouble::Stale { detail: name.into() },
        _ => failed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_secret_never_reach_a_message() {
        let bytes = b"sk-very-secret".to_vec();
        let inner = || Box::new(std::io::Error::other("sk-very-secret"));
        for error in [Keyring::BadEncoding(bytes.clone()), Keyring::BadDataFormat(bytes, inner())] {
            let shown = classify(&error).into_error().expect("an error");
            assert!(matches!(shown, KeychainError::Failed { .. }));
            assert!(!format!("{shown} {shown:?}").contains("very-secret"));
        }
    }

    #[test]
    fn only_no_entry_means_nothing_stored() {
        assert_eq!(classify(&Keyring::NoEntry).into_error(), None);
        assert_eq!(classify(&Keyring::Ambiguous(vec![])), Trouble::Final(KeychainError::Ambiguous));
        assert_eq!(Trouble::Stale { detail: "x".into() }.into_error(), Some(KeychainError::Failed { detail: "x".into() }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn secret_service_errors_are_told_apart() {
        use secret_service::Error as Service;
        let of = |error: Service| classify(&Keyring::PlatformFailure(Box::new(error)));
        assert_eq!(of(Service::Prompt), Trouble::Final(KeychainError::Locked));
        assert_eq!(of(Service::Locked), Trouble::Final(KeychainError::Locked));
        assert_eq!(of(Service::NoResult), Trouble::Final(KeychainError::NoCollection));
        assert_eq!(of(Service::Unavailable), Trouble::Final(KeychainError::Absent));
        assert!(matches!(of(Service::PromptDisconnected), Trouble::Stale { .. }));
        let broken = zbus::Error::InputOutput(std::sync::Arc::new(std::io::ErrorKind::BrokenPipe.into()));
        assert!(matches!(of(Service::Zbus(broken)), Trouble::Stale { .. }));
        assert!(matches!(of(Service::Zbus(zbus::Error::InvalidReply)), Trouble::Final(KeychainError::Failed { .. })));
        let foreign = Keyring::PlatformFailure(Box::new(std::io::Error::other("else")));
        assert_eq!(classify(&foreign), Trouble::Final(KeychainError::Failed { detail: "else".into() }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn bus_errors_are_told_apart_by_name() {
        let absent = Trouble::Final(KeychainError::Absent);
        for name in ["ServiceUnknown", "NameHasNoOwner", "NotSupported", "FileNotFound", "Spawn.ExecFailed"] {
            assert_eq!(by_name(&format!("org.freedesktop.DBus.Error.{name}")), absent, "{name}");
        }
        for name in ["Secret.Error.NoSession", "Secret.Error.NoSuchObject", "DBus.Error.NoReply", "DBus.Error.Disconnected"] {
            assert!(matches!(by_name(&format!("org.freedesktop.{name}")), Trouble::Stale { .. }), "{name}");
        }
        assert_eq!(by_name("org.freedesktop.Secret.Error.IsLocked"), Trouble::Final(KeychainError::Locked));
        assert!(matches!(by_name("org.example.Error.New"), Trouble::Final(KeychainError::Failed { .. })));
    }
}
