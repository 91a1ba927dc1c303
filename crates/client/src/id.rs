use std::fmt;
use uuid::Uuid;

/// The service's id of an order; safe in a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(String);

/// Makes a POST harmless to repeat. Kept with what it protects until the answer is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not 1 to 128 ASCII letters, digits, hyphens and underscores.
    #[error("not an id: 1 to 128 ASCII letters, digits, hyphens and underscores")]
    Malformed,
}

impl OrderId {
    /// Takes an id that came from a service or a file.
    ///
    /// # Errors
    /// [`IdError::Malformed`]: such a text could lead a path elsewhere.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check(text).map(|()| Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdempotencyKey {
    /// A key for a call not made before; the caller brings the randomness.
    #[must_use]
    pub fn from_uuid(random: Uuid) -> Self {
        Self(random.hyphenated().to_string())
    }

    /// Takes the key of an earlier call again.
    ///
    /// # Errors
    /// [`IdError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        check(text).map(|()| Self(text.into()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str) -> Result<(), IdError> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if (1..=128).contains(&text.len()) && plain { Ok(()) } else { Err(IdError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_leave_the_path() {
        for bad in ["", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "ä", &"a".repeat(129)] {
            assert_eq!(OrderId::parse(bad), Err(IdError::Malformed), "{bad:?}");
            assert_eq!(IdempotencyKey::parse(bad), Err(IdError::Malformed), "{bad:?}");
        }
        assert_eq!(OrderId::parse("ord_7-A").unwrap().to_string(), "ord_7-A");
    }

    #[test]
    fn a_key_survives_being_written_down() {
        let key = IdempotencyKey::from_uuid(Uuid::from_u128(7));
        assert_eq!(IdempotencyKey::parse(key.as_str()), Ok(key));
    }
}
