//! What the app keeps on this computer, and getting rid of it.

use super::AppView;
use serde::{Deserialize, Serialize};
use specta::Type;

/// What is kept, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DataView {
    /// The folder.
    pub folder: String,
    /// What its files take, in bytes.
    pub bytes: String,
    /// Payments in the journal.
    pub payments: u32,
    /// Entries of usage that are kept.
    pub entries: u32,
    /// Stores that were damaged and set aside.
    pub set_aside: u32,
}

/// What was deleted, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DeletedView {
    /// The app as it is now.
    pub view: AppView,
    /// Accounts whose keys and figures are gone.
    pub accounts: u32,
    /// Payments whose record is gone.
    pub payments: u32,
    /// Address of the spending wallet whose key is gone.
    pub wallet_removed: Option<String>,
    /// Address of the spending wallet that was left, for it was not confirmed.
    pub wallet_kept: Option<String>,
    /// Folder with files that were saved for the person and are left.
    pub saved_kept: Option<String>,
}

/// A secret is in the clipboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CopiedView {
    /// For how many seconds it stays there.
    pub seconds: u32,
}
