//! What injected code could do from inside the page: nothing gets out, nothing forbidden answers.

use crate::{Tested, world::World};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

/// Words by which an attack says that it worked.
const WORKED: [&str; 6] = ["RAN", "POLLUTED", "ALLOWED", "REACHED", "OPENED", "object"];

#[tokio::test]
async fn code_injected_into_the_page_reaches_nothing() -> Tested {
    let world = World::start().await?;
    let (canary, escaped) = canary().await;
    let window = world.open("first").await?;
    window.click("onboarding-look-around").await?;
    window.element("balance").await?;
    let seen = window.run_async(include_str!("attacks.js"), vec![json!(canary)]).await?;
    let attacks = seen.as_object().expect("the page is still ours and answers");
    assert_eq!(attacks.len(), 20, "{seen:#}");
    let worked: Vec<_> = attacks.iter().filter(|(_, said)| has_worked(said)).collect();
    assert!(worked.is_empty(), "{worked:#?}");
    let escaped = escaped.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(escaped, Vec::<String>::new(), "requests that got out");
    assert_eq!(world.payments_received().await?, 0);
    window.element("balance").await?;
    window.close().await;
    Ok(())
}

fn has_worked(said: &Value) -> bool {
    WORKED.iter().any(|word| said.as_str().is_none_or(|said| said.starts_with(word)))
}

/// A server that notes the first line of whatever reaches it.
async fn canary() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/", listener.local_addr().expect("a bound port"));
    let noted = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&noted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0u8; 512];
            let length = stream.read(&mut bytes).await.unwrap_or(0);
            let line = String::from_utf8_lossy(&bytes[..length]).lines().next().unwrap_or("a connection").to_string();
            notes.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    (address, noted)
}
