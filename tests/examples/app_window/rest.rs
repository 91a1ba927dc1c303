//! Memory after a minute, and the processor's time at rest.

use crate::{
    median, say, spent, verdict,
    world::{APP, BARE, BARE_ALIKE, World},
};
use aispace_testkit::{
    KitError,
    process::{OwnedProcess, workspace_binary},
    window::STEP,
};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};
use tokio::time::sleep;

const MEMORY_GOAL: f64 = 1.25;
const PERCENT_GOAL: f64 = 0.5;
/// Threads that wake up less often than this in a minute are summed up.
const SELDOM: f64 = 2.0;

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

/// Both at the same time, each on a screen of its own, so that what else the machine does meets both.
async fn rest(world: &World, minute: Duration, watched: Duration) -> Result<String, KitError> {
    let (_screen, environment, folder) = world.beside().await?;
    let mut app = world.open(APP)?;
    let mut bare = OwnedProcess::start(&workspace_binary(BARE)?, &[], &environment, &folder.path().join("bare.log"))?;
    say(&format!("at rest: {} s", (minute + watched).as_secs()));
    sleep(minute).await;
    let read = |process: &OwnedProcess| (spent::seconds(process.id()), spent::waits(process.id()));
    let before = [read(&app), read(&bare)];
    sleep(watched).await;
    let after = [read(&app), read(&bare)];
    app.stop(STEP).await;
    bare.stop(STEP).await;
    let percent = |at: usize| (after[at].0 - before[at].0) / watched.as_secs_f64() * 100.0;
    let woken = |at: usize| per_minute(&before[at].1, &after[at].1, watched);
    let met = verdict(percent(0) <= PERCENT_GOAL);
    let mut page = format!(
        "{} s from the {}th second on, untouched, on a screen; the service answers.\n\n| | AiSpace Wallet | bare window |\n|---|---:|---:|\n",
        watched.as_secs(),
        minute.as_secs()
    );
    let _ = writeln!(page, "| processor, % of one core | **{:.2}** | {:.2} |", percent(0), percent(1));
    let sums = [0, 1].map(|at| woken(at).values().sum::<f64>());
    let _ = writeln!(page, "| waits of its own accord, all threads, per minute | {:.0} | {:.0} |", sums[0], sums[1]);
    let _ = writeln!(
        page,
        "\nGoal {PERCENT_GOAL} %: {met}. Who wakes up, per minute:\n\n| thread | AiSpace Wallet | bare window |\n|---|---:|---:|"
    );
    let (app, bare) = (woken(0), woken(1));
    let bare_name = |name: &str| name.replace(APP, BARE);
    let mut rows: Vec<_> = app.iter().filter(|(_, times)| **times >= SELDOM).collect();
    rows.sort_by(|a, b| b.1.total_cmp(a.1));
    for (name, times) in rows {
        let beside = bare.get(&bare_name(name)).map_or("–".to_string(), |times| format!("{times:.0}"));
        let _ = writeln!(page, "| {name} | {times:.0} | {beside} |");
    }
    Ok(page)
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
