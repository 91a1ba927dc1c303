//! From a keystroke to the new estimate, in the window.

use crate::{
    median, quantile, say, verdict,
    world::{DRIVEN, World},
};
use aispace_testkit::{
    KitError,
    window::{STEP, Window},
};
use serde_json::json;
use std::fmt::Write as _;

const GOAL_MS: f64 = 16.0;
/// Keystrokes of one call: a call to the page has a deadline.
const AT_ONCE: usize = 20;

/// How fast keys come, and from one to the next, ms. People who type fast reach ten a second.
const PACES: [(&str, f64); 2] = [("ten a second", 100.0), ("thirty a second, a key held down", 33.0)];

pub async fn measure(quick: bool) -> Result<String, KitError> {
    let keystrokes = if quick { 40 } else { 200 };
    let world = World::start().await?;
    world.sign_in_to_sample().await?;
    let window = world.drive(DRIVEN).await?;
    window.element("balance").await?;
    window.go("estimate").await?;
    window.click("kind-chat").await?;
    window.element("count-input_tokens").await?;
    let has_figure = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    window.wait_for_text("estimate-total", STEP, has_figure).await?;
    let mut page = String::from(
        "| keystrokes | the new total is in the page, ms: median | p95 | longest | the frame with it is begun: median | p95 |\n",
    );
    page.push_str("|---|---:|---:|---:|---:|---:|\n");
    let mut p95 = Vec::new();
    for (pace, gap) in PACES {
        let (updated, painted) = at_pace(&window, keystrokes, gap).await?;
        let _ = writeln!(
            page,
            "| {pace} | {:.0} | **{:.0}** | {:.0} | {:.0} | {:.0} |",
            median(&updated),
            quantile(&updated, 0.95),
            quantile(&updated, 1.0),
            median(&painted),
            quantile(&painted, 0.95)
        );
        p95.push(quantile(&updated, 0.95));
    }
    window.close().await;
    let _ = writeln!(
        page,
        "\n{keystrokes} keystrokes at each pace; goal for p95 at ten a second {GOAL_MS} ms: {}.",
        verdict(p95.first().is_some_and(|p95| *p95 <= GOAL_MS))
    );
    Ok(page)
}

/// From each keystroke to the total, and to the frame with it, ms.
async fn at_pace(window: &Window, keystrokes: usize, gap: f64) -> Result<(Vec<f64>, Vec<f64>), KitError> {
    let mut times: Vec<(f64, f64)> = Vec::new();
    for from in (0..keystrokes + AT_ONCE).step_by(AT_ONCE) {
        let found = window.run_async(TYPING, vec![json!(from), json!(AT_ONCE), json!(gap)]).await?;
        let part: Vec<(f64, f64)> =
            serde_json::from_value(found.clone()).map_err(|_| KitError::unexpected(format!("the page said {found}")))?;
        say(&format!("keystrokes {from}: {part:.0?}"));
        // The first ones warm the page up.
        if from > 0 {
            times.extend(part);
        }
    }
    Ok(times.into_iter().unzip())
}

/// Each keystroke changes the number of tokens, and with it the total.
const TYPING: &str = r#"
const [from, count, gap, done] = arguments;
const field = document.querySelector('input[data-testid="count-input_tokens"], [data-testid="count-input_tokens"] input');
const total = () => document.querySelector('[data-testid="estimate-total"]')?.textContent ?? '';
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const changed = (before) => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error('the total stayed ' + before)), 2000);
  const watch = new MutationObserver(() => {
    if (total() === before) return;
    clearTimeout(late);
    watch.disconnect();
    resolve(performance.now());
  });
  watch.observe(document.getElementById('main'), { subtree: true, childList: true, characterData: true });
});
(async () => {
  const times = [];
  let next = performance.now();
  for (let nth = from; nth < from + count; nth += 1) {
    // Hands are not clocks.
    next += gap + (nth * 7) % 11 - 5;
    await pause(Math.max(0, next - performance.now()));
    const before = total();
    const soon = changed(before);
    const began = performance.now();
    field.value = String(100000 + gap * 1000 + nth * 10000);
    field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText' }));
    const updated = await soon;
    await frame();
    times.push([updated - began, performance.now() - began]);
  }
  done(times);
})().catch((fault) => done(String(fault)));
"#;
