//! All accounts of this computer side by side.

use super::{ErrorView, KeyKeeping, chart::SlabView};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Every account, and what they come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AccountsView {
    /// In the order they are shown.
    pub rows: Vec<AccountRowView>,
    /// The sum, when there are several.
    pub total: Option<TotalView>,
}

/// What an account is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AccountKindView {
    /// A Secure Key opens it at the service.
    Service,
    /// Its batches are typed in.
    ByHand,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AccountRowView {
    /// This computer's own id of it.
    pub account: String,
    /// What it is made of.
    pub kind: AccountKindView,
    /// What the person calls it.
    pub label: Option<String>,
    /// Whether the screens show it.
    pub active: bool,
    /// The service's id, once read.
    pub account_id: Option<String>,
    /// The last four characters of its key, when that is in memory.
    pub key_hint: Option<String>,
    /// Where its key is kept.
    pub keeping: Option<KeyKeeping>,
    /// Since when its present key is kept, or its batches stand as they are.
    pub since: Option<String>,
    /// Why its key cannot be used.
    pub key_error: Option<ErrorView>,
    /// A new key is kept and takes the old one's place when it is first used.
    pub rotating: bool,
    /// Free credits, once read: exact when live, a ceiling when `at_most`.
    pub available_credits: Option<String>,
    /// What they are worth.
    pub available_usd: Option<String>,
    /// Offline: batches that ended since are left out, runs charged since are not known.
    pub at_most: bool,
    /// When this was read from the service.
    pub known_at: Option<String>,
    /// What ends next of it.
    pub next_end_credits: Option<String>,
    /// When that ends.
    pub next_end: Option<String>,
    /// Whether that is within a week.
    pub ends_soon: bool,
    /// Its batches drawn small.
    pub slabs: Vec<SlabView>,
}

/// What all accounts come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TotalView {
    /// The exact sum of what is shown of each.
    pub available_credits: String,
    /// What it is worth.
    pub available_usd: String,
    /// Whether any part of it is a ceiling.
    pub at_most: bool,
    /// When the oldest part of it was read.
    pub oldest: Option<String>,
    /// Accounts that are in it.
    pub counted: u32,
    /// Accounts that were never read and are not in it.
    pub unread: u32,
}
