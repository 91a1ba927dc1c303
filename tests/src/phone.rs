//! A phone's wallet: a real wallet kit in a process of its own, told what to do, and saying what it met.

use crate::KitError;
use serde_json::{Value, json};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
};

/// How long the wallet may take to say something.
const DEADLINE: Duration = Duration::from_secs(40);

/// A wallet on a phone. It ends when dropped, and with its input, so also with a test that was killed.
pub struct Phone {
    _process: Child,
    orders: ChildStdin,
    said: mpsc::UnboundedReceiver<Value>,
    heard: Vec<Value>,
}

impl Phone {
    /// Starts the wallet at a relay; it sends over the node at `rpc_url`, or has a made-up account when that is `none`.
    ///
    /// # Errors
    /// When the wallet kit is not installed, or cannot be started.
    ///
    /// # Panics
    /// As [`Phone::event`].
    pub async fn start(relay_url: &str, rpc_url: &str) -> Result<Self, KitError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("walletconnect");
        if !folder.join("node_modules").is_dir() {
            return Err(KitError::unexpected("the wallet kit is not installed: run `scripts/setup tests`"));
        }
        let mut process = Command::new("node")
            .args(["wallet.mjs", relay_url, rpc_url])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(KitError::io("starting node"))?;
        let (Some(orders), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(KitError::unexpected("the wallet has no input or output"));
        };
        let (tell, said) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = tell.send(serde_json::from_str(&line).unwrap_or_else(|_| json!({"event": "failed", "message": line})));
            }
        });
        let mut phone = Self { _process: process, orders, said, heard: Vec::new() };
        phone.event("ready").await;
        Ok(phone)
    }

    /// Tells the wallet to do something: `{"do": "pair", "uri": …}`, `{"do": "answer", "how": "reject"}` …
    ///
    /// # Panics
    /// When the wallet has ended.
    pub async fn order(&mut self, order: Value) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.expect("the wallet takes orders");
    }

    /// Tells it, and waits until the wallet has done it.
    ///
    /// # Panics
    /// As [`Phone::order`] and [`Phone::event`].
    pub async fn does(&mut self, order: Value) {
        self.order(order).await;
        self.event("done").await;
    }

    /// Tells the wallet how to answer from now on, and waits until it has heard.
    ///
    /// # Panics
    /// As [`Phone::does`].
    pub async fn answers(&mut self, how: &str) {
        self.does(json!({"do": "answer", "how": how})).await;
    }

    /// The next event of a name; those before it are kept among what was heard.
    ///
    /// # Panics
    /// When the wallet does not say it in time, ends, or fails.
    pub async fn event(&mut self, name: &str) -> Value {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let said = tokio::time::timeout(left, self.said.recv()).await;
            let said = said.unwrap_or_else(|_| panic!("the wallet never said {name}: {:#?}", self.heard)).expect("the wallet runs");
            self.heard.push(said.clone());
            if said["event"] == name {
                return said;
            }
            assert_ne!(said["event"], "failed", "{said}");
        }
    }

    /// All it has said so far, oldest first.
    pub fn all(&mut self) -> &[Value] {
        while let Ok(said) = self.said.try_recv() {
            self.heard.push(said);
        }
        &self.heard
    }

    /// How often it has said something so far.
    pub fn count(&mut self, name: &str) -> usize {
        self.all().iter().filter(|said| said["event"] == name).count()
    }
}
