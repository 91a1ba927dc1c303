use crate::{
    KeychainError, KeychainScope, Secret, SecretName, SecretStore,
    error::{Trouble, classify},
};
use async_trait::async_trait;
use keyring_core::{Entry, Error as Keyring, api::CredentialStoreApi};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, oneshot},
    time::timeout,
};

/// How long a call waits for the keychain unless told otherwise. An unlocked one answers within 50 ms.
pub const DEADLINE: Duration = Duration::from_secs(4);

/// The keychain of the operating system: Secret Service on Linux.
pub struct OsSecretStore {
    scope: KeychainScope,
    deadline: Duration,
    line: Mutex<Line>,
}

/// The one line to the keychain.
#[derive(Default)]
struct Line {
    /// Kept between calls, so that a session is not negotiated anew each time.
    store: Option<Store>,
    /// The call that has not ended. A second one beside it would only queue a second prompt.
    outstanding: Option<oneshot::Receiver<Answer>>,
}

type Store = Arc<dyn CredentialStoreApi + Send + Sync>;

struct Answer {
    store: Option<Store>,
    outcome: Result<Option<Secret>, Trouble>,
}

#[derive(Clone)]
enum Operation {
    Get,
    Set(Secret),
    Delete,
}

impl OsSecretStore {
    /// Uses the keychain's items of this scope. Nothing is opened before the first call.
    #[must_use]
    pub fn open(scope: KeychainScope) -> Self {
        Self { scope, deadline: DEADLINE, line: Mutex::default() }
    }

    /// Waits this long at most for each answer.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    async fn run(&self, name: &SecretName, operation: Operation) -> Result<Option<Secret>, KeychainError> {
        let mut line = timeout(self.deadline, self.line.lock()).await.map_err(|_| KeychainError::Waiting)?;
        if let Some(outstanding) = &mut line.outstanding {
            match outstanding.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => return Err(KeychainError::Waiting),
                // Its asker is gone, so only the open session is of use.
                Ok(late) => line.store = late.store,
                Err(oneshot::error::TryRecvError::Closed) => {}
            }
            line.outstanding = None;
        }
        let (store, scope, name) = (line.store.take(), self.scope.clone(), name.clone());
        let (sender, receiver) = oneshot::channel();
        std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || drop(sender.send(attempt(store, &scope, &name, &operation))))
            .map_err(|error| KeychainError::Failed { detail: format!("no thread: {error}") })?;
        // Filed before it is awaited: a caller that gives up leaves the call on record.
        let answer = timeout(self.deadline, line.outstanding.insert(receiver)).await.map_err(|_| KeychainError::Waiting)?;
        line.outstanding = None;
        let answer = answer.map_err(|_| KeychainError::Failed { detail: "the call ended without an answer".into() })?;
        line.store = answer.store;
        answer.outcome.or_else(|trouble| trouble.into_error().map_or(Ok(None), Err))
    }
}

#[async_trait]
impl SecretStore for OsSecretStore {
    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, KeychainError> {
        self.run(name, Operation::Get).await
    }

    async fn set(&self, name: &SecretName, secret: &Secret) -> Result<(), KeychainError> {
        self.run(name, Operation::Set(secret.clone())).await.map(drop)
    }

    async fn delete(&self, name: &SecretName) -> Result<(), KeychainError> {
        self.run(name, Operation::Delete).await.map(drop)
    }
}

/// Runs on a thread of its own, because the keychain's calls block.
fn attempt(kept: Option<Store>, scope: &KeychainScope, name: &SecretName, operation: &Operation) -> Answer {
    let first = on(kept, scope, name, operation);
    // A keychain that was restarted refuses the old session for ever; a new one heals it.
    if matches!(first.outcome, Err(Trouble::Stale { .. })) { on(None, scope, name, operation) } else { first }
}

fn on(kept: Option<Store>, scope: &KeychainScope, name: &SecretName, operation: &Operation) -> Answer {
    match kept.map_or_else(open, Ok) {
        Ok(store) => {
            let outcome = once(&store, scope, name, operation).map_err(|error| classify(&error));
            let stale = matches!(outcome, Err(Trouble::Stale { .. }));
            Answer { store: (!stale).then_some(store), outcome }
        }
        Err(trouble) => Answer { store: None, outcome: Err(trouble) },
    }
}

fn once(store: &Store, scope: &KeychainScope, name: &SecretName, operation: &Operation) -> Result<Option<Secret>, Keyring> {
    let label = format!("AiSpace Wallet: {name}");
    let entry: Entry = store.build(scope.as_str(), name.as_str(), Some(&HashMap::from([("label", label.as_str())])))?;
    match operation {
        Operation::Get => entry.get_secret().map(|bytes| Some(Secret::new(bytes))),
        Operation::Set(secret) => entry.set_secret(secret.expose()).map(|()| None),
        // Signing out removes every copy, also one that another program wrote.
        Operation::Delete => match entry.delete_credential() {
            Err(Keyring::Ambiguous(all)) => all.iter().try_for_each(Entry::delete_credential).map(|()| None),
            other => other.map(|()| None),
        },
    }
}

#[cfg(target_os = "linux")]
fn open() -> Result<Store, Trouble> {
    match zbus_secret_service_keyring_store::Store::new() {
        Ok(store) => Ok(store),
        Err(error) => Err(classify(&error)),
    }
}

#[cfg(not(target_os = "linux"))]
fn open() -> Result<Store, Trouble> {
    Err(Trouble::Final(KeychainError::Absent))
}
