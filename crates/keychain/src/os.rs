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
    opener: Opener,
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
type Opener = Arc<dyn Fn() -> Result<Store, Trouble> + Send + Sync>;

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
        Self { scope, deadline: DEADLINE, opener: Arc::new(open), line: Mutex::default() }
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
        let (store, opener) = (line.store.take(), Arc::clone(&self.opener));
        let (scope, name) = (self.scope.clone(), name.clone());
        let (sender, receiver) = oneshot::channel();
        std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || drop(sender.send(attempt(store, &opener, |store| once(store, &scope, &name, &operation)))))
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
fn attempt(kept: Option<Store>, opener: &Opener, act: impl Fn(&Store) -> Result<Option<Secret>, Keyring>) -> Answer {
    let first = on(kept, opener, &act);
    // A keychain that was restarted refuses the old session for ever; a new one heals it.
    if matches!(first.outcome, Err(Trouble::Stale { .. })) { on(None, opener, &act) } else { first }
}

fn on(kept: Option<Store>, opener: &Opener, act: impl Fn(&Store) -> Result<Option<Secret>, Keyring>) -> Answer {
    match kept.map_or_else(&**opener, Ok) {
        Ok(store) => {
            let outcome = act(&store).map_err(|error| classify(&error));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    /// A store whose keychain behaves as told, and counts how often it was opened.
    fn stand_in(open: impl Fn(usize) -> Result<Store, Trouble> + Send + Sync + 'static) -> (OsSecretStore, Arc<AtomicUsize>) {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let opener: Opener = Arc::new(move || open(count.fetch_add(1, Ordering::SeqCst)));
        let store = OsSecretStore::open(KeychainScope::sandbox()).with_deadline(Duration::from_millis(200));
        (OsSecretStore { opener, ..store }, opened)
    }

    fn in_memory() -> Result<Store, Trouble> {
        Ok(Arc::new(Unlabelled(keyring_core::mock::Store::new().expect("a mock store"))))
    }

    /// The mock knows no labels.
    struct Unlabelled(Arc<keyring_core::mock::Store>);

    impl CredentialStoreApi for Unlabelled {
        fn vendor(&self) -> String {
            self.0.vendor()
        }

        fn id(&self) -> String {
            self.0.id()
        }

        fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> keyring_core::Result<Entry> {
            self.0.build(service, user, None)
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }

    #[tokio::test]
    async fn a_keychain_is_opened_once_for_many_calls() {
        let (store, opened) = stand_in(|_| in_memory());
        let name = SecretName::secure_key();
        assert!(store.get(&name).await.unwrap().is_none());
        store.set(&name, &Secret::from_text("one".into())).await.unwrap();
        assert_eq!(store.get(&name).await.unwrap().unwrap().expose(), b"one");
        store.delete(&name).await.unwrap();
        assert!(store.get(&name).await.unwrap().is_none());
        assert_eq!(opened.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_does_not_start_a_second_prompt() {
        let (answer, asked) = mpsc::channel::<()>();
        let asked = std::sync::Mutex::new(asked);
        let (store, opened) = stand_in(move |_| {
            let _ = asked.lock().expect("one at a time").recv();
            in_memory()
        });
        let name = SecretName::secure_key();
        assert!(timeout(Duration::from_millis(20), store.get(&name)).await.is_err(), "given up before the deadline");
        for _ in 0..3 {
            assert_eq!(store.get(&name).await.err(), Some(KeychainError::Waiting));
        }
        assert_eq!(opened.load(Ordering::SeqCst), 1);
        answer.send(()).expect("somebody waits");
        let healed = async {
            while store.get(&name).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), healed).await.expect("answered at last");
        assert_eq!(opened.load(Ordering::SeqCst), 1, "the late session is used");
    }

    #[tokio::test]
    async fn a_session_that_stays_stale_fails_instead_of_looping() {
        let (store, opened) = stand_in(|_| Err(Trouble::Stale { detail: "gone".into() }));
        let failed = store.get(&SecretName::secure_key()).await.err();
        assert_eq!(failed, Some(KeychainError::Failed { detail: "gone".into() }));
        assert_eq!(opened.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_call_that_panics_is_a_failure_and_not_the_end() {
        let (store, _) = stand_in(|count| if count == 0 { panic!("as a broken driver would") } else { in_memory() });
        assert!(matches!(store.get(&SecretName::secure_key()).await.err(), Some(KeychainError::Failed { .. })));
        assert!(store.get(&SecretName::secure_key()).await.unwrap().is_none());
    }
}
