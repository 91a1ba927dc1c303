//! The app's real window, driven over WebDriver. Every call has a deadline.

use crate::{
    KitError,
    process::{Environment, OwnedProcess, descendants, free_port, kill_one, tool, until},
};
use fantoccini::{Client, ClientBuilder, Locator, elements::Element, error::CmdError, key::Key};
use serde_json::{Map, Value, json};
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a step in the window may take.
pub const STEP: Duration = Duration::from_secs(20);
const CALL: Duration = Duration::from_secs(15);

/// An open window and its driver; both end when this is dropped.
pub struct Window {
    client: Client,
    driver: OwnedProcess,
    at: String,
    app: PathBuf,
}

impl Window {
    /// Starts the driver and, through it, the app.
    ///
    /// # Errors
    /// When the driver is not installed, or the app does not let itself be driven.
    pub async fn open(app: &Path, environment: &Environment, log: &Path) -> Result<Self, KitError> {
        let binary = tool("TAURI_DRIVER", "tauri-driver");
        if !binary.exists() {
            return Err(KitError::unexpected("the window's driver is not installed: run `make setup`"));
        }
        let (port, native) = (free_port()?.to_string(), free_port()?.to_string());
        let mut driver = OwnedProcess::start(&binary, &["--port", &port, "--native-port", &native], environment, log)?;
        let mut capabilities = Map::new();
        capabilities.insert("tauri:options".into(), json!({"application": app}));
        let at = format!("http://127.0.0.1:{port}");
        let client = until("the window to open", Duration::from_secs(40), async || {
            if driver.has_ended() {
                return Err(KitError::unexpected(format!("the driver ended: {}", driver.output())));
            }
            let connector = hyper_util::client::legacy::connect::HttpConnector::new();
            let mut builder = ClientBuilder::new(connector);
            let session = builder.capabilities(capabilities.clone()).connect(&at);
            Ok(tokio::time::timeout(CALL, session).await.ok().and_then(Result::ok))
        })
        .await?;
        let window = Self { client, driver, at, app: app.to_path_buf() };
        window.run(ERROR_TRAP, vec![]).await?;
        Ok(window)
    }

    /// Where the driver is and the name of the session, for another program to drive the same window meanwhile.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn session(&self) -> Result<(String, String), KitError> {
        let session = within("asking for the session", self.client.session_id()).await?;
        session.map(|id| (self.at.clone(), id)).ok_or_else(|| KitError::unexpected("the session has ended"))
    }

    /// Sets the size of the page's window in pixels.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn set_size(&self, width: u32, height: u32) -> Result<(), KitError> {
        within("setting the window's size", self.client.set_window_rect(0, 0, width, height)).await
    }

    /// Waits for an element by its test id.
    ///
    /// # Errors
    /// When it is late.
    pub async fn element(&self, test_id: &str) -> Result<Element, KitError> {
        self.wait_for(test_id, STEP).await
    }

    /// Waits so long for an element by its test id.
    ///
    /// # Errors
    /// When it is late.
    pub async fn wait_for(&self, test_id: &str, limit: Duration) -> Result<Element, KitError> {
        let css = css(test_id);
        until(&format!("{test_id} to be there"), limit, async || Ok(self.client.find(Locator::Css(&css)).await.ok())).await
    }

    /// How many elements have this test id now.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn count(&self, test_id: &str) -> Result<usize, KitError> {
        // Counted in the page at one moment: handles to elements go stale while it redraws.
        let counted = self.run("return document.querySelectorAll(arguments[0]).length;", vec![json!(css(test_id))]).await?;
        counted.as_u64().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| KitError::unexpected(format!("a count, not {counted}")))
    }

    /// Waits until there is no such element.
    ///
    /// # Errors
    /// When it stays.
    pub async fn gone(&self, test_id: &str) -> Result<(), KitError> {
        until(&format!("{test_id} to go"), STEP, async || Ok((self.count(test_id).await? == 0).then_some(()))).await
    }

    /// Clicks, as soon as the element can be clicked.
    ///
    /// # Errors
    /// When it is late or stays covered.
    pub async fn click(&self, test_id: &str) -> Result<(), KitError> {
        let css = css(test_id);
        until(&format!("{test_id} to take a click"), STEP, async || {
            let Ok(element) = self.client.find(Locator::Css(&css)).await else { return Ok(None) };
            if !element.is_enabled().await.unwrap_or(false) {
                return Ok(None);
            }
            Ok(element.click().await.ok())
        })
        .await
    }

    /// Replaces what is in a field by what a person types.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn type_into(&self, test_id: &str, text: &str) -> Result<(), KitError> {
        let field = self.element(test_id).await?;
        within("clearing a field", field.clear()).await?;
        within("typing", field.send_keys(text)).await
    }

    /// Presses a key on what has the focus.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn press(&self, key: Key) -> Result<(), KitError> {
        let focused = within("finding the focus", self.client.active_element()).await?;
        within("pressing a key", focused.send_keys(&String::from(char::from(key)))).await
    }

    /// What an element says.
    ///
    /// # Errors
    /// When it is late.
    pub async fn text(&self, test_id: &str) -> Result<String, KitError> {
        self.wait_for_text(test_id, STEP, |_| true).await
    }

    /// What each element of this test id says.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn texts(&self, test_id: &str) -> Result<Vec<String>, KitError> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText);";
        let texts = self.run(script, vec![json!(css(test_id))]).await?;
        let texts = texts.as_array().into_iter().flatten();
        Ok(texts.map(|text| text.as_str().unwrap_or_default().to_string()).collect())
    }

    /// An attribute of an element.
    ///
    /// # Errors
    /// When it is late.
    pub async fn attribute(&self, test_id: &str, name: &str) -> Result<Option<String>, KitError> {
        self.element(test_id).await?;
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null;";
        let value = self.run(script, vec![json!(css(test_id)), json!(name)]).await?;
        Ok(value.as_str().map(str::to_string))
    }

    /// Waits until an element says what `is_right` accepts; answers it.
    ///
    /// # Errors
    /// When it is late, with what it said last.
    pub async fn wait_for_text(&self, test_id: &str, limit: Duration, is_right: impl Fn(&str) -> bool) -> Result<String, KitError> {
        let css = css(test_id);
        let mut last = None;
        let found = until(&format!("{test_id} to say it"), limit, async || {
            // Between finding and reading the page may have replaced it: then it is read next time.
            let Ok(element) = self.client.find(Locator::Css(&css)).await else { return Ok(None) };
            let Ok(text) = element.text().await else { return Ok(None) };
            let right = is_right(&text);
            last = Some(text.clone());
            Ok(right.then_some(text))
        })
        .await;
        found.map_err(|error| KitError::unexpected(format!("{error}; it said {last:?}")))
    }

    /// Waits until an attribute of an element has a value.
    ///
    /// # Errors
    /// When it is late, with the value it had last.
    pub async fn wait_for_attribute(&self, test_id: &str, name: &str, value: &str, limit: Duration) -> Result<(), KitError> {
        let css = css(test_id);
        let mut last = None;
        let found = until(&format!("{test_id} to have {name}={value}"), limit, async || {
            let Ok(element) = self.client.find(Locator::Css(&css)).await else { return Ok(None) };
            last = element.attr(name).await.ok().flatten();
            Ok((last.as_deref() == Some(value)).then_some(()))
        })
        .await;
        found.map_err(|error| KitError::unexpected(format!("{error}; it was {last:?}")))
    }

    /// Opens a screen by its place in the rail and waits until it is the current one.
    ///
    /// # Errors
    /// When it is late.
    pub async fn go(&self, screen: &str) -> Result<(), KitError> {
        let place = format!("nav-{screen}");
        self.click(&place).await?;
        self.wait_for_attribute(&place, "aria-current", "page", STEP).await
    }

    /// Shows the page as a theme would, without changing the app's setting.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn show_theme(&self, theme: &str) -> Result<(), KitError> {
        // The page marks itself anew with every view: it is held to the theme until another one is asked for.
        let script = "const [theme] = arguments, root = document.documentElement;
            const hold = () => { if (root.dataset.theme !== theme) root.dataset.theme = theme; };
            window.__heldTheme?.disconnect();
            hold();
            window.__heldTheme = new MutationObserver(hold);
            window.__heldTheme.observe(root, { attributes: true, attributeFilter: ['data-theme'] });";
        self.run(script, vec![json!(theme)]).await.map(drop)
    }

    /// Waits until fonts are there and nothing moves.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn settle(&self) -> Result<(), KitError> {
        self.run_async(SETTLED, vec![]).await.map(drop)
    }

    /// Saves what the page looks like, once fonts are there and nothing moves.
    ///
    /// # Errors
    /// When the picture is late or cannot be written.
    pub async fn screenshot(&self, file: &Path) -> Result<(), KitError> {
        self.settle().await?;
        let png = within("taking a picture", self.client.screenshot()).await?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(KitError::io("making a folder for pictures"))?;
        }
        fs::write(file, png).map_err(KitError::io(format!("writing {}", file.display())))
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value, KitError> {
        within("running a script", self.client.execute(script, arguments)).await
    }

    /// Runs a script that answers through its last argument.
    ///
    /// # Errors
    /// When it throws or does not answer.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value, KitError> {
        within("running a script", self.client.execute_async(script, arguments)).await
    }

    /// Everything the web view keeps, and the page itself, as one text to search.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn everything_kept(&self) -> Result<String, KitError> {
        Ok(self.run_async(EVERYTHING_KEPT, vec![]).await?.to_string())
    }

    /// Errors the page has raised since the window was opened.
    ///
    /// # Errors
    /// When the driver refuses.
    pub async fn page_errors(&self) -> Result<Vec<String>, KitError> {
        let errors = self.run("return window.__kitErrors ?? [];", vec![]).await?;
        Ok(serde_json::from_value(errors).unwrap_or_default())
    }

    /// Violations of WCAG 2.2 AA that axe finds on the page, as `rule: selector`.
    ///
    /// # Errors
    /// When axe is not installed or does not answer.
    pub async fn accessibility_violations(&self, axe: &Path) -> Result<Vec<String>, KitError> {
        let source = fs::read_to_string(axe).map_err(KitError::io("reading axe: run `make setup`"))?;
        self.run(&format!("{source}\n;window.axe = axe;"), vec![]).await?;
        let found = self.run_async(AXE, vec![]).await?;
        serde_json::from_value(found.clone()).map_err(|_| KitError::unexpected(format!("axe said {found}")))
    }

    /// Ends the app as a crash would, leaving its driver.
    ///
    /// # Errors
    /// When the app is not running.
    pub fn kill_app(&self) -> Result<(), KitError> {
        let app = fs::canonicalize(&self.app).map_err(KitError::io("finding the app"))?;
        let running = descendants(self.driver.id()).into_iter().find(|(_, program)| *program == app);
        let (id, _) = running.ok_or_else(|| KitError::unexpected("the app is not running"))?;
        kill_one(id);
        Ok(())
    }

    /// Closes the window and waits for the app to end.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(CALL, self.client.clone().close()).await;
        self.driver.stop(Duration::from_secs(5)).await;
    }
}

fn css(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
}

async fn within<T>(what: &str, call: impl Future<Output = Result<T, CmdError>>) -> Result<T, KitError> {
    match tokio::time::timeout(CALL, call).await {
        Ok(answer) => answer.map_err(|source| KitError::Window { what: what.to_string(), source: Box::new(source) }),
        Err(_) => Err(KitError::Late { what: what.to_string(), limit: CALL }),
    }
}

const ERROR_TRAP: &str = r"
window.__kitErrors = [];
window.addEventListener('error', (e) => window.__kitErrors.push(String(e.message)));
window.addEventListener('unhandledrejection', (e) => window.__kitErrors.push(String(e.reason)));
window.addEventListener('securitypolicyviolation', (e) => window.__kitErrors.push('csp: ' + e.violatedDirective + ' ' + e.blockedURI));
";

const SETTLED: &str = r"
const done = arguments[arguments.length - 1];
const frame = () => new Promise((k) => requestAnimationFrame(() => k()));
(async () => {
  await document.fonts.ready;
  const moving = () => document.getAnimations().filter((a) => a.playState === 'running' && a.effect?.getComputedTiming().iterations !== Infinity);
  for (let i = 0; i < 60 && moving().length > 0; i++) await frame();
  await frame();
  await frame();
  done(true);
})();
";

const EVERYTHING_KEPT: &str = r"
const done = arguments[arguments.length - 1];
(async () => {
  const kept = { local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, history: history.state };
  try { kept.databases = (await indexedDB.databases()).map((d) => d.name); } catch (e) { kept.databases = String(e); }
  try { kept.caches = await caches.keys(); } catch (e) { kept.caches = String(e); }
  kept.page = document.documentElement.outerHTML;
  kept.fields = [...document.querySelectorAll('input, textarea')].map((f) => f.value);
  done(kept);
})();
";

const AXE: &str = r"
const done = arguments[arguments.length - 1];
axe.run({ exclude: ['#__tauri_isolation__'] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] })
  .then((r) => done(r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ')))), (e) => done(String(e)));
";
