//! Talks to the keychain by lines of `SCOPE-SUFFIX set NAME VALUE`, `… get NAME` and `… del NAME`, and answers each
//! with one line and the milliseconds it took. The tests drive it; values are of tests only.

use aispace_keychain::{KeychainError, KeychainScope, OsSecretStore, Secret, SecretName, SecretStore};
use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
    time::{Duration, Instant},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let deadline = std::env::args().nth(1).map(|ms| ms.parse()).transpose()?.map(Duration::from_millis);
    let mut stores = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [scope, act @ ..] = words.as_slice() else { continue };
        let store = stores.entry((*scope).to_string()).or_insert(open(scope, deadline)?);
        let start = Instant::now();
        let answer = runtime.block_on(run(store, act)).unwrap_or_else(|error| word(&error));
        writeln!(std::io::stdout(), "{answer} {}", start.elapsed().as_millis())?;
    }
    Ok(())
}

fn open(scope: &str, deadline: Option<Duration>) -> Result<OsSecretStore, Box<dyn std::error::Error>> {
    let store = OsSecretStore::open(KeychainScope::sandbox().with_suffix(scope)?);
    Ok(match deadline {
        Some(deadline) => store.with_deadline(deadline),
        None => store,
    })
}

async fn run(store: &OsSecretStore, words: &[&str]) -> Result<String, KeychainError> {
    let name = |text: &str| SecretName::parse(text).map_err(|error| KeychainError::Failed { detail: error.to_string() });
    match words {
        ["set", to, value] => store.set(&name(to)?, &Secret::from_text((*value).into())).await.map(|()| "done".into()),
        ["del", of] => store.delete(&name(of)?).await.map(|()| "done".into()),
        ["get", of] => Ok(match store.get(&name(of)?).await? {
            Some(secret) => format!("has={}", secret.expose_text().unwrap_or("(bytes)")),
            None => "none".into(),
        }),
        other => Err(KeychainError::Failed { detail: format!("{other:?} is not a command") }),
    }
}

fn word(error: &KeychainError) -> String {
    match error {
        KeychainError::Failed { detail } => format!("failed({})", detail.replace(' ', "_")),
        named => format!("{named:?}"),
    }
}
