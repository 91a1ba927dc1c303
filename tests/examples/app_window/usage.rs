//! The log with 100,000 entries: from the command to the answer, and to the list on the screen.

use crate::{
    median, quantile, say, verdict,
    world::{DRIVEN, World},
};
use aispace_api::{DebitRequest, GrantRequest};
use aispace_testkit::{KitError, process::until, service::AccountService, window::Window};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime},
};

const GOAL_MS: f64 = 150.0;
/// How far back the log goes.
const DAYS: i64 = 401;
const AT_ONCE: usize = 32;
/// The app reads 200 entries ten times a second.
const READ: Duration = Duration::from_secs(600);
const MODELS: [&str; 12] = [
    "venice-small",
    "sora-2",
    "claude-opus",
    "gpt-image",
    "eleven-voice",
    "kimi",
    "qwen-max",
    "deepseek",
    "flux",
    "veo",
    "whisper",
    "embed",
];
/// Frames that are scrolled through in each window, and by how much each.
const FRAMES: usize = 240;
const STEP_PX: usize = 96;
/// Height of a line.
const LINE_PX: usize = 48;
/// At sixty frames a second one is left out after half as long again.
const LATE_MS: f64 = 25.0;
const EVERYTHING: &str = "all";

pub async fn measure(quick: bool) -> Result<String, KitError> {
    let (entries, rounds) = if quick { (5_000, 3) } else { (100_000, 10) };
    let world = World::start().await?;
    let key = fill(&world.sandbox.service, entries).await?;
    world.sign_in(&key).await?;
    read_whole(&world, entries + 1).await?;
    let (mut figures, mut frames): ([Vec<f64>; 5], Vec<f64>) = Default::default();
    for round in 1..=rounds {
        let window = world.drive(DRIVEN).await?;
        window.element("balance").await?;
        // The app has looked at the account and has nothing to do any more.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let first = time(&window, COMMAND, EVERYTHING).await?;
        time(&window, COMMAND, "days30").await?;
        let again = time(&window, COMMAND, EVERYTHING).await?;
        let known = time(&window, COMMAND, EVERYTHING).await?;
        let screen = time(&window, SCREEN, "").await?;
        let all = time(&window, ALL, "").await?;
        window.settle().await?;
        frames.extend(scroll(&window).await?);
        window.close().await;
        for (list, value) in figures.iter_mut().zip([first, again, known, screen, all]) {
            list.push(value);
        }
        say(&format!(
            "usage {round} of {rounds}: first {first:.0}, again {again:.0}, known {known:.0}, screen {screen:.0}, all {all:.0} ms"
        ));
    }
    let titles = [
        "command to answer, everything, the first since the app started",
        "command to answer, everything, after another period",
        "command to answer, everything, asked before",
        "click to the painted list, the screen's first opening (30 days)",
        "click to the painted list, everything",
    ];
    let mut page = String::from("| ms | median | longest | goal 150 |\n|---|---:|---:|---|\n");
    for (title, list) in titles.iter().zip(&figures) {
        let met = verdict(median(list) < GOAL_MS);
        let _ = writeln!(page, "| {title} | **{:.0}** | {:.0} | {met} |", median(list), quantile(list, 1.0));
    }
    let _ = writeln!(page, "\n{entries} runs of {} models; {rounds} rounds, each in a window of its own.", MODELS.len());
    page.push_str(&scrolled(&frames));
    Ok(page)
}

/// From frame to frame while the whole log is scrolled, in milliseconds.
async fn scroll(window: &Window) -> Result<Vec<f64>, KitError> {
    let found = window.run_async(SCROLL, vec![json!(FRAMES), json!(STEP_PX)]).await?;
    let frames = found.as_array().map(|list| list.iter().filter_map(Value::as_f64).collect::<Vec<f64>>());
    frames.filter(|list| list.len() == FRAMES).ok_or_else(|| KitError::unexpected(format!("the page said {found}")))
}

fn scrolled(frames: &[f64]) -> String {
    let late = frames.iter().filter(|ms| **ms > LATE_MS).count();
    format!(
        "\nScrolled by {STEP_PX} pixels a frame, {} lines a second: from frame to frame {:.0} ms (median), {:.0} (99th percentile), {:.0} at most; {late} of {} frames came late (after {LATE_MS} ms or more).\n",
        STEP_PX * 60 / LINE_PX,
        median(frames),
        quantile(frames, 0.99),
        quantile(frames, 1.0),
        frames.len()
    )
}

/// Posts as many runs as a gateway would, through the service's own calls, over more than a year.
async fn fill(service: &AccountService, entries: usize) -> Result<String, KitError> {
    let (now, began) = (DateTime::<Utc>::from(SystemTime::now()).trunc_subsecs(3), Instant::now());
    service.set_clock(Some(now - TimeDelta::days(DAYS))).await?;
    let account = service.open_account("busy").await?;
    let credits = "900000000".parse().map_err(|e| KitError::unexpected(format!("credits: {e}")))?;
    let expires = Some(now + TimeDelta::days(DAYS));
    service.grant(&GrantRequest { account_id: account.account_id.clone(), credits, expires, note: None }).await?;
    let a_day = entries.div_ceil(usize::try_from(DAYS).unwrap_or(1));
    for (day, from) in (1..DAYS).zip((0..entries).step_by(a_day)) {
        service.set_clock(Some(now - TimeDelta::days(DAYS - day))).await?;
        let runs = stream::iter(from..entries.min(from + a_day)).map(Ok);
        runs.try_for_each_concurrent(AT_ONCE, async |nth| service.debit(&run(&account.account_id, nth)?).await.map(drop)).await?;
    }
    service.set_clock(None).await?;
    say(&format!("{entries} runs posted in {:.0} s", began.elapsed().as_secs_f64()));
    Ok(account.secure_key.into_exposed())
}

fn run(account_id: &str, nth: usize) -> Result<DebitRequest, KitError> {
    let model = MODELS[nth * 7 % MODELS.len()];
    let request = json!({
        "account_id": account_id,
        "credits": format!("{}.{:02}", 1 + nth % 40, nth % 100),
        "run": {
            "model_id": model, "model_name": model, "kind": "chat",
            "meters": {"input_tokens": (500 + nth % 3_000).to_string(), "output_tokens": (200 + nth % 900).to_string()},
        },
    });
    serde_json::from_value(request).map_err(|error| KitError::unexpected(error.to_string()))
}

/// Lets the app read the whole log.
async fn read_whole(world: &World, entries: usize) -> Result<(), KitError> {
    let window = world.drive(DRIVEN).await?;
    window.element("balance").await?;
    until("the whole log to be read", READ, async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let kept = window.run_async(KEPT, vec![]).await?;
        Ok(kept.as_u64().filter(|kept| usize::try_from(*kept).is_ok_and(|kept| kept >= entries)))
    })
    .await?;
    window.close().await;
    Ok(())
}

async fn time(window: &Window, script: &str, argument: &str) -> Result<f64, KitError> {
    window.settle().await?;
    let found: Value = window.run_async(script, vec![json!(argument)]).await?;
    found.as_f64().ok_or_else(|| KitError::unexpected(format!("the page said {found}")))
}

const KEPT: &str = "const done = arguments[arguments.length - 1]; window.__TAURI_INTERNALS__.invoke('snapshot').then((view) => done(view.usage_log.kept), (fault) => done(String(fault)));";

const COMMAND: &str = r"
const [period, done] = arguments;
const request = { filter: { period, work: null, model_id: null, text: '' }, split: 'model', lines: 100 };
const began = performance.now();
window.__TAURI_INTERNALS__.invoke('usage', { request }).then(() => done(performance.now() - began), (fault) => done(JSON.stringify(fault)));
";

const SCREEN: &str = r#"
const done = arguments[arguments.length - 1];
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const began = performance.now();
document.querySelector('[data-testid="nav-usage"]').click();
(async () => {
  while (document.querySelector('[data-testid="usage-row"]') === null) await frame();
  await frame();
  done(performance.now() - began);
})();
"#;

const ALL: &str = r#"
const done = arguments[arguments.length - 1];
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const used = () => document.querySelector('[data-testid="usage-used"]').textContent;
const before = used();
const began = performance.now();
document.querySelector('[data-testid="period-all"]').click();
(async () => {
  for (let nth = 0; used() === before; nth += 1) {
    if (nth > 600) return done('the sums stayed ' + before);
    await frame();
  }
  await frame();
  done(performance.now() - began);
})();
"#;

const SCROLL: &str = r"
const [frames, step, done] = arguments;
const main = document.getElementById('main');
const began = [];
const next = (now) => {
  began.push(now);
  main.scrollTop += step;
  if (began.length <= frames) requestAnimationFrame(next);
  else done(began.slice(1).map((at, nth) => at - began[nth]));
};
requestAnimationFrame(next);
";
