use zeroize::Zeroizing;

const LENGTHS: std::ops::RangeInclusive<usize> = 16..=200;

/// A Secure Key: it signs its bearer in to one account. Opaque, never printed, wiped when dropped.
#[derive(Clone)]
pub struct SecureKey(Zeroizing<String>);

/// The credential of a gateway or an operator. Opaque, never printed, wiped when dropped.
#[derive(Clone)]
pub struct OperatorToken(Zeroizing<String>);

/// Why something typed or pasted cannot be a credential. It does not repeat what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Nothing but white space.
    #[error("nothing was given")]
    Empty,
    /// Not 16 to 200 characters.
    #[error("{length} characters are not 16 to 200")]
    Length {
        /// How many there were, without white space around.
        length: usize,
    },
    /// White space within, or a character that is not visible ASCII.
    #[error("a character that no credential has")]
    Character,
}

impl SecureKey {
    /// Takes what a person typed or pasted; white space around it is dropped.
    ///
    /// # Errors
    /// When it cannot be a Secure Key. Whether it is one, only the service knows.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        check(text).map(Self)
    }

    /// Gives the key out: for the keychain and for the one command that reveals it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last four characters, to tell two keys apart.
    #[must_use]
    pub fn hint(&self) -> String {
        let tail = self.0.len().saturating_sub(4);
        self.0.get(tail..).unwrap_or_default().into()
    }
}

impl OperatorToken {
    /// Takes a token as configured; white space around it is dropped.
    ///
    /// # Errors
    /// When it cannot be a token.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        check(text).map(Self)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// What every credential is: 16 to 200 visible characters, without white space around them.
pub(crate) fn check(text: &str) -> Result<Zeroizing<String>, CredentialError> {
    let text = text.trim();
    if text.is_empty() {
        Err(CredentialError::Empty)
    } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
        Err(CredentialError::Character)
    } else if !LENGTHS.contains(&text.len()) {
        Err(CredentialError::Length { length: text.len() })
    } else {
        Ok(Zeroizing::new(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_was_pasted_with_white_space_around() {
        let key = SecureKey::parse(" \tsk_live_0123456789abcd\r\n").ok().unwrap();
        assert_eq!(key.expose(), "sk_live_0123456789abcd");
        assert_eq!(key.hint(), "abcd");
    }

    #[test]
    fn names_what_is_wrong() {
        let of = |text: &str| SecureKey::parse(text).err();
        assert_eq!(of("  "), Some(CredentialError::Empty));
        assert_eq!(of("short"), Some(CredentialError::Length { length: 5 }));
        assert_eq!(of(&"a".repeat(201)), Some(CredentialError::Length { length: 201 }));
        assert_eq!(of(&"a".repeat(200)), None);
        for bad in ["two words in one key", "line\nbreak-in-the-key", "ключ-ключ-ключ-ключ", "zero\u{200b}width-0123456789"]
        {
            assert_eq!(of(bad), Some(CredentialError::Character), "{bad}");
        }
    }
}
