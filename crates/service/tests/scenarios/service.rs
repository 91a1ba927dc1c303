//! The service that a scenario drives: a process of its own, or one that runs already.

use crate::support::{OPERATOR, PATIENCE, Reply, Request};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A node and venues that are not there: nothing of a scenario is on chain.
const NOWHERE: &str = "http://127.0.0.1:9";
const BINARY: &str = env!("CARGO_BIN_EXE_aispace-account-service");

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// SIGTERM, and it takes its time.
    Stopped,
    /// SIGKILL, wherever it is.
    Killed,
}

/// A running service.
pub struct Driven {
    address: SocketAddr,
    operator: String,
    own: Option<Own>,
}

/// A process that the runner started.
struct Own {
    child: Child,
    database: String,
}

impl Driven {
    /// Starts a process on a database: a path, or the URL of a PostgreSQL database.
    pub async fn start(database: &str) -> Self {
        let (child, address) = spawn(database).await;
        Self { address, operator: OPERATOR.to_owned(), own: Some(Own { child, database: database.to_owned() }) }
    }

    /// Takes a service that runs already, with a test clock, at `http://HOST:PORT`.
    pub fn at(url: &str, operator: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url}: only http:// is spoken")).trim_end_matches('/');
        let mut addresses = host.to_socket_addrs().unwrap_or_else(|error| panic!("{url}: {error}"));
        Self { address: addresses.next().expect("an address"), operator: operator.to_owned(), own: None }
    }

    /// Whether it can be started anew.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub async fn send(&self, request: Request) -> Reply {
        request.send(self.address).await
    }

    /// Sends as the operator.
    pub async fn operate(&self, request: Request) -> Reply {
        self.send(request.bearer(&self.operator)).await
    }

    /// All at once, each over a connection of its own; the answers in the order of the requests.
    pub async fn send_together(&self, requests: Vec<(Request, bool)>) -> Vec<Reply> {
        let start = std::sync::Arc::new(tokio::sync::Barrier::new(requests.len()));
        let sent: Vec<_> = requests
            .into_iter()
            .map(|(request, operates)| {
                let request = if operates { request.bearer(&self.operator) } else { request };
                let (start, address) = (start.clone(), self.address);
                tokio::spawn(async move {
                    start.wait().await;
                    request.send(address).await
                })
            })
            .collect();
        let mut replies = Vec::new();
        for reply in sent {
            replies.push(reply.await.expect("sent"));
        }
        replies
    }

    /// Ends the process, proves every account's log, and starts another on the same database. Answers how many accounts there are.
    pub async fn restart(&mut self, end: End) -> u64 {
        let own = self.own.as_mut().expect("a service that runs elsewhere is not started anew");
        finish(&mut own.child, end).await;
        let accounts = verify(&own.database).await;
        (own.child, self.address) = spawn(&own.database).await;
        accounts
    }

    /// Kills the process and starts another on the same database.
    pub async fn kill_and_start(&mut self) {
        let own = self.own.as_mut().expect("a service that runs elsewhere is not started anew");
        finish(&mut own.child, End::Killed).await;
        (own.child, self.address) = spawn(&own.database).await;
    }

    /// Ends the process and proves every account's log. None for a service that runs elsewhere.
    pub async fn end(mut self) -> Option<u64> {
        let mut own = self.own.take()?;
        finish(&mut own.child, End::Stopped).await;
        Some(verify(&own.database).await)
    }
}

async fn spawn(database: &str) -> (Child, SocketAddr) {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--database", database, "--test-clock", "--no-chainlink", "--poll-ms", "60000"]);
    for flag in ["--node", "--price-coinbase", "--price-kraken", "--price-bitstamp"] {
        command.args([flag, NOWHERE]);
    }
    command.env("AISPACE_OPERATOR_TOKEN", OPERATOR).env("RUST_LOG", "error").kill_on_drop(true);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("read");
    let line = line.unwrap_or_else(|| panic!("the service did not start on {}", Path::new(database).display()));
    (child, line.strip_prefix("listening on http://").expect("the documented line").parse().expect("an address"))
}

async fn finish(child: &mut Child, end: End) {
    match end {
        End::Killed => child.kill().await.expect("killed"),
        End::Stopped => {
            let id = child.id().expect("running").to_string();
            assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
            let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("ends in time").expect("waited");
            assert!(ended.success(), "{ended}");
        }
    }
}

/// Runs `verify` and answers how many accounts hold.
async fn verify(database: &str) -> u64 {
    let verified = Command::new(BINARY).args(["verify", "--database", database]).output().await.expect("runs");
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    let accounts = said.trim().strip_suffix(" accounts hold").and_then(|count| count.parse().ok());
    accounts.filter(|_| verified.status.success()).unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&verified.stderr)))
}
