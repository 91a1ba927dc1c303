use crate::{KeychainError, Secret, SecretName, SecretStore};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Secrets for this session only: where there is no keychain, and in tests.
#[derive(Default)]
pub struct MemorySecretStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: BTreeMap<SecretName, Secret>,
    failure: Option<KeychainError>,
}

impl MemorySecretStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every call fail from now on, or work again: a stand-in for a keychain in trouble.
    pub fn fail_with(&self, failure: Option<KeychainError>) {
        self.locked().failure = failure;
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // No call panics while it holds the state, and every one leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<SecretName, Secret>) -> T) -> Result<T, KeychainError> {
        let mut state = self.locked();
        match &state.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(act(&mut state.items)),
        }
    }
}

#[async_trait]
impl SecretStore for MemorySecretStore {
    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, KeychainError> {
        self.with(|items| items.get(name).cloned())
    }

    async fn set(&self, name: &SecretName, secret: &Secret) -> Result<(), KeychainError> {
        self.with(|items| drop(items.insert(name.clone(), secret.clone())))
    }

    async fn delete(&self, name: &SecretName) -> Result<(), KeychainError> {
        self.with(|items| drop(items.remove(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_replaces_and_removes() {
        let store = MemorySecretStore::new();
        let name = SecretName::secure_key();
        assert!(store.get(&name).await.unwrap().is_none());
        for text in ["one", "two"] {
            store.set(&name, &Secret::from_text(text.into())).await.unwrap();
        }
        assert_eq!(store.get(&name).await.unwrap().unwrap().expose(), b"two");
        assert!(store.get(&SecretName::spending_key()).await.unwrap().is_none());
        store.delete(&name).await.unwrap();
        store.delete(&name).await.unwrap();
        assert!(store.get(&name).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn fails_as_told_and_keeps_what_it_holds() {
        let store = MemorySecretStore::new();
        let (name, secret) = (SecretName::secure_key(), Secret::from_text("one".into()));
        store.set(&name, &secret).await.unwrap();
        store.fail_with(Some(KeychainError::Locked));
        assert_eq!(store.get(&name).await.err(), Some(KeychainError::Locked));
        assert_eq!(store.set(&name, &secret).await, Err(KeychainError::Locked));
        assert_eq!(store.delete(&name).await, Err(KeychainError::Locked));
        store.fail_with(None);
        assert_eq!(store.get(&name).await.unwrap().unwrap().expose_text(), Some("one"));
    }
}
