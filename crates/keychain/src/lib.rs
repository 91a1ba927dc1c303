//! The secret port: one trait, the OS keychain behind it, and a store in memory.
//!
//! The OS keychain differs from a file in three ways that this crate hides. It may never answer (an unlock prompt
//! stays open for ever), so every call has a deadline. It may restart, so a stale session is opened anew. And it
//! may be locked, absent or shared with a program that wrote under our name, so each of these is its own
//! [`KeychainError`], and `Ok(None)` means one thing only: nothing is stored.

mod error;
mod memory;
mod name;
mod os;
mod secret;

pub use error::KeychainError;
pub use memory::MemorySecretStore;
pub use name::{KeychainScope, NameError, SecretName};
pub use os::{DEADLINE, OsSecretStore};
pub use secret::Secret;

use async_trait::async_trait;

/// Where secrets are kept between runs.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Reads a secret; `None` only when nothing is stored under the name.
    ///
    /// # Errors
    /// Whatever keeps the store from knowing. None of them means "signed out".
    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, KeychainError>;

    /// Stores a secret, in place of an earlier one.
    ///
    /// # Errors
    /// When it is not known to be stored. After [`KeychainError::Waiting`] it may still be stored later.
    async fn set(&self, name: &SecretName, secret: &Secret) -> Result<(), KeychainError>;

    /// Removes every item stored under the name, also one that another program wrote. Nothing there is no error.
    ///
    /// # Errors
    /// When something may still be stored.
    async fn delete(&self, name: &SecretName) -> Result<(), KeychainError>;
}
