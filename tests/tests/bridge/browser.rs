//! A Chromium that does one step at a time.

use aispace_testkit::KitError;
use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
};

const STEP_LIMIT: Duration = Duration::from_secs(60);
/// Names that the package has had.
const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// The browser and the wallets in it. Ends when dropped: it follows the pipe to its driver, and the driver this process.
pub(crate) struct Browser {
    driver: Mutex<Driver>,
    _child: Child,
    _profile: tempfile::TempDir,
}

struct Driver {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    pub(crate) async fn start(chain_url: &str) -> Self {
        let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let known = CHROMIUM.iter().map(PathBuf::from).find(|path| path.exists());
        let chromium = given.or(known).expect("chromium is installed: run `make setup`");
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("bridge");
        assert!(folder.join("node_modules/puppeteer-core").exists(), "the browser's driver is installed: run `make setup`");
        let profile = tempfile::tempdir().expect("a folder");
        let mut child = Command::new("/usr/bin/setpriv")
            .args(["--pdeathsig", "KILL", "--", "node"])
            .args([folder.join("browser.mjs").as_os_str(), chromium.as_os_str(), profile.path().as_os_str()])
            .arg(chain_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { driver: Mutex::new(Driver { input, output }), _child: child, _profile: profile }
    }

    /// Does one step; panics with the browser's own words when it cannot.
    pub(crate) async fn step(&self, name: &str, given: Value) -> Value {
        self.attempt(name, given).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) async fn attempt(&self, name: &str, mut given: Value) -> Result<Value, KitError> {
        let mut driver = self.driver.lock().await;
        given["step"] = json!(name);
        driver.input.write_all(format!("{given}\n").as_bytes()).await.map_err(KitError::io(name))?;
        let line = tokio::time::timeout(STEP_LIMIT, driver.output.next_line()).await;
        let line = line.map_err(|_| KitError::Late { what: name.into(), limit: STEP_LIMIT })?.map_err(KitError::io(name))?;
        let said: Value = serde_json::from_str(&line.ok_or_else(|| KitError::unexpected("the browser ended"))?).expect("json");
        match said.get("error") {
            Some(error) => Err(KitError::unexpected(error.to_string())),
            None => Ok(said["ok"].clone()),
        }
    }
}
