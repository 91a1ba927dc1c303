//! Memory after a minute, and the processor's time at rest.

use crate::{
    median, say, spent, verdict,
    world::{APP, BARE, BARE_ALIKE, World},
};
use aispace_testkit::{
    KitError,
    process::{OwnedProcess, workspace_binary},
    screen::Place,
    window::STEP,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};
use tokio::time::sleep;

const MEMORY_GOAL: f64 = 1.25;
const PERCENT_GOAL: f64 = 0.5;
/// Threads that wake up less often than this in a minute are summed up.
const SELDOM: f64 = 2.0;

/// Where an open window would be.
const MIDDLE: Place = Place { left: 200, top: 200, width: 400, height: 300 };

/// What a part of a program's memory is called, and the names of its processes.
type Part<'a> = (&'a str, &'a dyn Fn(&str) -> bool);

pub async fn measure(quick: bool) -> Result<String, KitError> {
    let (rounds, minute, watched) = if quick { (1, 15, 30) } else { (3, 60, 300) };
    let world = World::start().await?;
    world.sign_in_to_sample().await?;
    let mut page = memory(&world, rounds, Duration::from_secs(minute)).await?;
    page.push_str("\n## At rest\n\n");
    page.push_str(&rest(&world, Duration::from_secs(minute), Duration::from_secs(watched)).await?);
    Ok(page)
}

async fn memory(world: &World, rounds: u32, minute: Duration) -> Result<String, KitError> {
    let mut found: [Vec<BTreeMap<String, f64>>; 3] = Default::default();
    for round in 1..=rounds {
        for (name, found) in [APP, BARE, BARE_ALIKE].into_iter().zip(&mut found) {
            let mut process = world.open(name)?;
            sleep(minute).await;
            let memory = spent::memory(process.id())?;
            say(&format!("memory {round} of {rounds}: {name} {memory:.1?}"));
            found.push(memory);
            process.stop(STEP).await;
            sleep(Duration::from_secs(1)).await;
        }
    }
    let total = |memory: &BTreeMap<String, f64>| memory.values().sum::<f64>();
    let [app, bare, alike] = &found;
    let against = |other: &[BTreeMap<String, f64>]| {
        let ratios: Vec<f64> = app.iter().zip(other).map(|(app, bare)| total(app) / total(bare)).collect();
        median(&ratios)
    };
    let mut page =
        String::from("| proportional memory (PSS), MB | AiSpace Wallet | bare window | bare, painted alike |\n|---|---:|---:|---:|\n");
    // The program itself goes by two names; its web view's processes have the same in both.
    let of = |found: &[BTreeMap<String, f64>], part: &dyn Fn(&str) -> bool| {
        let sums = found.iter().map(|one| one.iter().filter(|(name, _)| part(name)).map(|(_, mb)| mb).sum::<f64>());
        median(&sums.collect::<Vec<_>>())
    };
    let is_page = |name: &str| name.starts_with("WebKitWeb");
    let is_network = |name: &str| name.starts_with("WebKitNet");
    let parts: [Part<'_>; 4] = [
        ("the program", &|name| !is_page(name) && !is_network(name)),
        ("its web view's page", &is_page),
        ("its web view's network", &is_network),
        ("all", &|_| true),
    ];
    for (title, part) in parts {
        let _ = writeln!(page, "| {title} | {:.1} | {:.1} | {:.1} |", of(app, part), of(bare, part), of(alike, part));
    }
    let (ratio, ratio_alike, seconds) = (against(bare), against(alike), minute.as_secs());
    let met = verdict(ratio <= MEMORY_GOAL);
    let _ = writeln!(
        page,
        "\nAfter {seconds} s, medians of {rounds} rounds. Ratio: **{ratio:.2}** (goal {MEMORY_GOAL}: {met}); to the one that is painted alike {ratio_alike:.2}."
    );
    Ok(page)
}

/// All three at the same time, each on a screen of its own, so that what else the machine does meets all.
async fn rest(world: &World, minute: Duration, watched: Duration) -> Result<String, KitError> {
    let (_screen, environment, folder) = world.beside().await?;
    let mut hidden = world.open_hidden().await?;
    let mut app = world.open(APP)?;
    let mut bare = OwnedProcess::start(&workspace_binary(BARE)?, &[], &environment, &folder.path().join("bare.log"))?;
    say(&format!("at rest: {} s", (minute + watched).as_secs()));
    sleep(minute).await;
    let read = |process: &OwnedProcess| (spent::seconds(process.id()), spent::waits(process.id()));
    let before = [&hidden.process, &app, &bare].map(read);
    sleep(watched).await;
    let after = [&hidden.process, &app, &bare].map(read);
    if !hidden.screen.is_empty(MIDDLE)? || world.screen.is_empty(MIDDLE)? {
        return Err(KitError::unexpected("the hidden window is to be seen, or the other one is not"));
    }
    for process in [&mut hidden.process, &mut app, &mut bare] {
        process.stop(STEP).await;
    }
    let percent = [0, 1, 2].map(|at: usize| (after[at].0 - before[at].0) / watched.as_secs_f64() * 100.0);
    let woken = [0, 1, 2].map(|at: usize| per_minute(&before[at].1, &after[at].1, watched));
    Ok(rest_table(percent, &woken, minute, watched))
}

/// Of the hidden window, the open one and the bare one.
fn rest_table(percent: [f64; 3], woken: &[BTreeMap<String, f64>; 3], minute: Duration, watched: Duration) -> String {
    let mut page = format!(
        "{} s from the {}th second on, untouched; the service answers. The hidden app is in the tray and its window is closed.\n\n| | hidden | its window open | bare window |\n|---|---:|---:|---:|\n",
        watched.as_secs(),
        minute.as_secs()
    );
    let [hidden, open, bare] = percent;
    let _ = writeln!(page, "| processor, % of one core | **{hidden:.2}** | {open:.2} | {bare:.2} |");
    let [hidden_sum, open_sum, bare_sum] = [0, 1, 2].map(|at: usize| woken[at].values().sum::<f64>());
    let _ = writeln!(page, "| waits of its own accord, all threads, per minute | {hidden_sum:.0} | {open_sum:.0} | {bare_sum:.0} |");
    let met = verdict(hidden <= PERCENT_GOAL);
    let _ = writeln!(
        page,
        "\nGoal {PERCENT_GOAL} %, hidden: {met}. Who wakes up, per minute:\n\n| thread | hidden | its window open | bare window |\n|---|---:|---:|---:|"
    );
    let bare_name = |name: &str| name.replace(APP, BARE);
    let names: BTreeSet<&String> = woken[..2].iter().flat_map(BTreeMap::keys).collect();
    let of = |at: usize, name: &str| woken[at].get(name).copied();
    let mut rows: Vec<_> = names.into_iter().map(|name| (name, [of(0, name), of(1, name), of(2, &bare_name(name))])).collect();
    rows.retain(|(_, times)| times.iter().flatten().any(|times| *times >= SELDOM));
    rows.sort_by(|(_, a), (_, b)| b[1].unwrap_or(0.0).total_cmp(&a[1].unwrap_or(0.0)));
    for (name, times) in rows {
        let [hidden, open, bare] = times.map(|times| times.map_or("–".to_string(), |times| format!("{times:.0}")));
        let _ = writeln!(page, "| {name} | {hidden} | {open} | {bare} |");
    }
    page
}

fn per_minute(
    before: &BTreeMap<(u32, u32), (String, u64)>,
    after: &BTreeMap<(u32, u32), (String, u64)>,
    watched: Duration,
) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for (thread, (name, count)) in after {
        let since = count.saturating_sub(before.get(thread).map_or(0, |(_, count)| *count));
        *found.entry(name.clone()).or_insert(0.0) += since as f64 * 60.0 / watched.as_secs_f64();
    }
    found
}
