//! Which accounts this computer has, in the order they are shown. It holds no secret.

use aispace_keychain::{NameError, SecretName};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// This computer's own id of an account: `first`, or hex digits that nothing can be learned from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LocalId(String);

const FIRST: &str = "first";
const DIGITS: usize = 12;
/// Characters of a label.
pub(crate) const LABEL_CHARS_MAX: usize = 40;

impl LocalId {
    /// The account of an app that knew one only: its key and its row keep the names they have.
    pub(crate) fn first() -> Self {
        Self(FIRST.into())
    }

    /// A further account's, drawn from a random id.
    pub(crate) fn further(drawn: Uuid) -> Self {
        Self(drawn.simple().to_string().chars().take(DIGITS).collect())
    }

    /// Reads one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_drawn = text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (text == FIRST || is_drawn).then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_first(&self) -> bool {
        self.0 == FIRST
    }

    /// Where its Secure Key is kept.
    pub(crate) fn key_name(&self) -> Result<SecretName, NameError> {
        if self.is_first() { Ok(SecretName::secure_key()) } else { SecretName::secure_key_of(&self.0) }
    }

    /// Name of its row in the store.
    pub(crate) fn row(&self) -> String {
        if self.is_first() { "account".into() } else { format!("account-{}", self.0) }
    }

    /// The account that a row is of.
    pub(crate) fn of_row(row: &str) -> Option<Self> {
        if row == "account" { Some(Self::first()) } else { Self::parse(row.strip_prefix("account-")?) }
    }
}

/// What an account is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountKind {
    /// A Secure Key opens it at the service.
    Service,
    /// A person typed its batches in.
    ByHand,
}

/// An account of this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RosterEntry {
    pub(crate) id: LocalId,
    pub(crate) kind: AccountKind,
    /// What the person calls it.
    pub(crate) label: Option<String>,
    /// Since when its present key is kept, or its batches.
    #[serde(default)]
    pub(crate) since: Option<DateTime<Utc>>,
}

/// The accounts, and which of them the screens show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roster {
    pub(crate) version: u32,
    pub(crate) active: Option<LocalId>,
    pub(crate) accounts: Vec<RosterEntry>,
}

impl Default for Roster {
    fn default() -> Self {
        Self { version: 1, active: None, accounts: Vec::new() }
    }
}

impl Roster {
    pub(crate) fn entry(&self, id: &LocalId) -> Option<&RosterEntry> {
        self.accounts.iter().find(|entry| entry.id == *id)
    }

    pub(crate) fn is_active(&self, id: &LocalId) -> bool {
        self.active.as_ref() == Some(id)
    }

    /// Adds an account unless it is there; the first one of all shows.
    pub(crate) fn add(&mut self, id: &LocalId, kind: AccountKind, since: Option<DateTime<Utc>>) {
        if self.entry(id).is_none() {
            self.accounts.push(RosterEntry { id: id.clone(), kind, label: None, since });
        }
        self.active.get_or_insert_with(|| id.clone());
    }

    /// Takes an account out; when it was the one that shows, the next one does.
    pub(crate) fn remove(&mut self, id: &LocalId) {
        self.accounts.retain(|entry| entry.id != *id);
        if self.is_active(id) {
            self.active = self.accounts.first().map(|entry| entry.id.clone());
        }
    }

    /// Ids of those that a key opens.
    pub(crate) fn with_keys(&self) -> Vec<LocalId> {
        self.accounts.iter().filter(|entry| entry.kind == AccountKind::Service).map(|entry| entry.id.clone()).collect()
    }
}

/// A label as a person typed it: without space around it, or none.
pub(crate) fn label(typed: &str) -> Result<Option<String>, usize> {
    let label = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = label.chars().count();
    if length > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        return Err(length);
    }
    Ok((!label.is_empty()).then_some(label))
}

#[cfg(test)]
impl Roster {
    /// With the one account that there was at first.
    pub(crate) fn of_first() -> Self {
        let mut roster = Self::default();
        roster.add(&LocalId::first(), AccountKind::Service, None);
        roster
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_account_keeps_the_names_it_has_today() {
        let first = LocalId::first();
        assert_eq!((first.key_name().unwrap(), first.row().as_str()), (SecretName::secure_key(), "account"));
        assert_eq!(LocalId::of_row("account"), Some(first));
    }

    #[test]
    fn further_accounts_have_names_of_their_own() {
        let id = LocalId::further(Uuid::from_u128(0x0a1b_2c3d_4e5f_0000_0000_0000_0000_0000));
        assert_eq!(id.as_str(), "0a1b2c3d4e5f");
        assert_eq!(id.key_name().unwrap().as_str(), "secure-key-0a1b2c3d4e5f");
        assert_eq!(LocalId::of_row(&id.row()), Some(id));
        for bad in ["", "next", "account-", "0A1B2C3D4E5F", "0a1b2c3d4e5", "../../etc/pw", "list"] {
            assert_eq!(LocalId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_account_always_shows_while_there_is_any() {
        let mut roster = Roster::default();
        let ids: Vec<_> = [1u128 << 100, 1 << 110].into_iter().map(|n| LocalId::further(Uuid::from_u128(n))).collect();
        ids.iter().for_each(|id| roster.add(id, AccountKind::Service, None));
        roster.add(&ids[0], AccountKind::Service, None);
        assert_eq!((roster.accounts.len(), roster.is_active(&ids[0])), (2, true));
        roster.remove(&ids[0]);
        assert!(roster.is_active(&ids[1]));
        roster.remove(&ids[1]);
        assert_eq!(roster, Roster::default());
    }

    #[test]
    fn labels_are_short_and_plain() {
        assert_eq!(label("  Studio   North\n"), Ok(Some("Studio North".into())));
        assert_eq!(label(" \t "), Ok(None));
        assert_eq!(label(&"é".repeat(40)), Ok(Some("é".repeat(40))));
        assert!(label(&"x".repeat(41)).is_err() && label("a\u{0}b").is_err());
    }
}
