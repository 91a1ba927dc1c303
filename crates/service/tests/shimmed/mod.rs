//! The program itself under the shim that ends it at a write, or refuses one.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod node;
pub mod version_1;

use crate::support::{OPERATOR, PATIENCE, Reply, Request, get};
use aispace_chaos::{Plan, Preload};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Nobody listens here: the service lives without a node and without venues.
pub const NOWHERE: &str = "http://127.0.0.1:9";

/// An operator's call that may meet the end of the service.
#[derive(Clone)]
pub struct Call {
    method: &'static str,
    path: String,
    body: Value,
    key: String,
}

impl Call {
    pub fn new(method: &'static str, path: &str, body: Value) -> Self {
        Self { method, path: path.into(), body, key: "killed".into() }
    }

    pub fn debit(account: &str, credits: &str) -> Self {
        Self::new("POST", "/v1/debits", json!({"account_id": account, "credits": credits}))
    }

    pub fn under(self, key: &str) -> Self {
        Self { key: key.into(), ..self }
    }

    /// The whole answer, or none when the connection broke off.
    async fn send(&self, address: SocketAddr) -> Option<Reply> {
        let (Self { method, path, key, .. }, body) = (self, self.body.to_string());
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {OPERATOR}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
    }
}

/// A folder of its own with the database in it, watched by the shim, and a log beside it.
pub struct Ground {
    _top: tempfile::TempDir,
    pub preload: Preload,
    log: PathBuf,
    node: String,
}

/// A running service.
pub struct Process {
    child: Child,
    address: SocketAddr,
}

impl Ground {
    pub fn new() -> Self {
        let top = tempfile::tempdir().expect("a folder");
        let folder = top.path().join("data");
        std::fs::create_dir(&folder).expect("made");
        let preload = Preload::new(&folder).expect("watched");
        Self { log: top.path().join("log"), _top: top, preload, node: NOWHERE.into() }
    }

    /// The same with the files of another folder in it.
    pub fn copy_of(folder: &Path) -> Self {
        let ground = Self::new();
        ground.reset_to(folder);
        ground
    }

    /// Puts the files of another folder in the place of what is there.
    pub fn reset_to(&self, folder: &Path) {
        for old in files(self.preload.folder()) {
            std::fs::remove_file(old).expect("removed");
        }
        for file in files(folder) {
            std::fs::copy(&file, self.preload.folder().join(file.file_name().expect("a name"))).expect("copied");
        }
    }

    pub fn with_node(self, url: &str) -> Self {
        Self { node: url.into(), ..self }
    }

    pub fn database(&self) -> PathBuf {
        self.preload.folder().join("service.db")
    }

    pub fn plan(&self, plan: Plan) {
        self.preload.plan(plan).expect("planned");
    }

    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aispace-account-service"));
        let log = std::fs::File::options().append(true).create(true).open(&self.log).expect("a log file");
        command.envs(self.preload.environment()).env("AISPACE_OPERATOR_TOKEN", OPERATOR).env("RUST_LOG", "info");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        command
    }

    /// Starts the service; the end's status when it ends before it listens.
    pub async fn try_start(&self) -> Result<Process, std::process::ExitStatus> {
        let mut command = self.command();
        command.arg("serve").arg("--database").arg(self.database()).args(["--no-chainlink", "--poll-ms", "10", "--node", &self.node]);
        for flag in ["--price-coinbase", "--price-kraken", "--price-bitstamp"] {
            command.args([flag, NOWHERE]);
        }
        let mut child = command.spawn().expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("read");
        let Some(line) = line else {
            return Err(tokio::time::timeout(PATIENCE, child.wait()).await.expect("ends in time").expect("waited"));
        };
        let address = line.strip_prefix("listening on http://").expect("the documented line").parse().expect("an address");
        Ok(Process { child, address })
    }

    pub async fn start(&self) -> Process {
        match self.try_start().await {
            Ok(process) => process,
            Err(status) => panic!("the service ended with {status}: {}", self.logged()),
        }
    }

    /// Proves every account's log with the program's own command; answers what it says.
    pub async fn verify(&self) -> String {
        let mut child = self.command().args(["verify", "--database"]).arg(self.database()).spawn().expect("starts");
        let mut said = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut said).await.expect("read");
        let status = child.wait().await.expect("waited");
        assert!(status.success(), "verify ends with {status}: {said} {}", self.logged());
        said
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry").path()).collect()
}

impl Process {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub async fn send(&self, request: Request) -> Reply {
        request.send(self.address).await
    }

    /// The answer, unless the process ends first.
    pub async fn try_call(&self, call: &Call) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, call.send(self.address)).await.expect("an answer or an end in time")
    }

    pub async fn call(&self, call: &Call) -> Reply {
        self.try_call(call).await.expect("an answer")
    }

    /// Asks it to end and waits; false when it was killed meanwhile.
    pub async fn stop(&mut self) -> bool {
        if let Some(id) = self.child.id() {
            let _ = std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status();
        }
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("ends in time").expect("waited").success()
    }

    /// Ends it at once.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("ends in time").expect("waited")
    }

    /// What an account shows, without what differs from one run to the next.
    pub async fn shown(&self, secure_key: &str) -> Shown {
        let answer: Value = self.send(get("/v1/account").bearer(secure_key)).await.ok(200);
        let amount = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Shown {
            entries: answer["entry_count"].as_u64().expect("a count"),
            amounts: ["available_credits", "held_credits", "debt_credits", "allowance_credits_per_day"].map(amount),
            batches: answer["batches"].as_array().expect("batches").len(),
        }
    }
}

/// An account as far as two runs of the same calls must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub entries: u64,
    pub amounts: [String; 4],
    pub batches: usize,
}
