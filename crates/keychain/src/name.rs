use std::fmt;

/// The name of an item within a scope: lower-case letters, digits and hyphens, 1 to 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// One profile's part of the keychain: items of different scopes never meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeychainScope(String);

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Not 1 to 64 lower-case letters, digits and hyphens.
    #[error("{input:?} is not a keychain name: 1 to 64 lower-case letters, digits and hyphens")]
    Malformed {
        /// What was given.
        input: String,
    },
}

impl SecretName {
    /// The account's Secure Key.
    #[must_use]
    pub fn secure_key() -> Self {
        Self("secure-key".into())
    }

    /// The Secure Key of a further account; `account` is this computer's own id of it and no part of the key.
    ///
    /// # Errors
    /// [`NameError::Malformed`].
    pub fn secure_key_of(account: &str) -> Result<Self, NameError> {
        Self::parse(&format!("secure-key-{account}"))
    }

    /// Where the key is kept that is to take this one's place, until it has.
    ///
    /// # Errors
    /// [`NameError::Malformed`] when the name is too long for that.
    pub fn replacement(&self) -> Result<Self, NameError> {
        Self::parse(&format!("{}-next", self.0))
    }

    /// The ids of the further accounts whose keys are here.
    #[must_use]
    pub fn account_list() -> Self {
        Self("account-list".into())
    }

    /// The key of the built-in spending wallet.
    #[must_use]
    pub fn spending_key() -> Self {
        Self("spending-key".into())
    }

    /// The claim secrets of orders that are not finished.
    #[must_use]
    pub fn open_claims() -> Self {
        Self("open-claims".into())
    }

    /// Takes another name.
    ///
    /// # Errors
    /// [`NameError::Malformed`].
    pub fn parse(name: &str) -> Result<Self, NameError> {
        check(name).map(|()| Self(name.into()))
    }

    /// The name as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeychainScope {
    /// The scope of the sandbox profile.
    #[must_use]
    pub fn sandbox() -> Self {
        Self("bot.aispace.wallet.sandbox".into())
    }

    /// The scope of the live profile.
    #[must_use]
    pub fn live() -> Self {
        Self("bot.aispace.wallet.live".into())
    }

    /// A scope of its own within the profile, for a second data directory.
    ///
    /// # Errors
    /// [`NameError::Malformed`] when the suffix is not a name.
    pub fn with_suffix(&self, suffix: &str) -> Result<Self, NameError> {
        check(suffix).map(|()| Self(format!("{}.{suffix}", self.0)))
    }

    /// The service name under which the keychain files the items.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeychainScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(name: &str) -> Result<(), NameError> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if (1..=64).contains(&name.len()) && plain { Ok(()) } else { Err(NameError::Malformed { input: name.into() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_and_suffixes_are_different_scopes() {
        let second = KeychainScope::sandbox().with_suffix("second").unwrap();
        assert_eq!(second.as_str(), "bot.aispace.wallet.sandbox.second");
        assert_ne!(second, KeychainScope::live().with_suffix("second").unwrap());
        assert_ne!(KeychainScope::sandbox(), KeychainScope::live());
    }

    #[test]
    fn refuses_names_that_could_meet_another() {
        let long = "a".repeat(65);
        for bad in ["", "a.b", "A", "a b", "a\n", "ä", long.as_str()] {
            assert_eq!(SecretName::parse(bad), Err(NameError::Malformed { input: bad.into() }));
            assert!(KeychainScope::live().with_suffix(bad).is_err());
        }
        assert_eq!(SecretName::parse("secure-key"), Ok(SecretName::secure_key()));
        assert!(SecretName::secure_key_of("A b").is_err() && SecretName::parse(&long[1..]).unwrap().replacement().is_err());
    }

    #[test]
    fn every_account_has_a_name_of_its_own_and_one_for_its_next_key() {
        let further = SecretName::secure_key_of("0a1b2c").unwrap();
        assert_eq!(further.as_str(), "secure-key-0a1b2c");
        assert_eq!(further.replacement().unwrap().as_str(), "secure-key-0a1b2c-next");
        assert_eq!(SecretName::secure_key().replacement().unwrap().as_str(), "secure-key-next");
    }
}
