//! The specs of the main flows, which `npm run e2e` plays in plain Chromium on recorded views, played in the real window.

use crate::{Tested, world::World};
use aispace_testkit::{
    KitError,
    process::{Environment, OwnedProcess, until},
};
use std::{path::Path, time::Duration};

/// Four minutes on a machine that does nothing else.
const ALL: Duration = Duration::from_secs(840);

#[tokio::test]
async fn the_specs_of_the_main_flows_pass_in_the_real_window() -> Tested {
    let world = World::start().await?;
    let window = world.open("first").await?;
    window.element("onboarding-look-around").await?;
    let (driver, session) = window.session().await?;
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
    let runner = ui.join("node_modules/@playwright/test/cli.js");
    let config = ui.join("playwright.window.config.ts");
    let environment = Environment::from([("STAGE_DRIVER".to_string(), Some(driver)), ("STAGE_SESSION".to_string(), Some(session))]);
    let arguments = [runner.to_string_lossy(), "test".into(), "--config".into(), config.to_string_lossy()];
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let log = world.sandbox.folder().join("specs.log");
    let mut specs = OwnedProcess::start(Path::new("node"), &arguments, &environment, &log)?;
    let ended = until("the specs to end", ALL, async || Ok(specs.has_ended().then_some(()))).await;
    let output = specs.output();
    ended.map_err(|late| KitError::unexpected(format!("{late}:\n{output}")))?;
    let tally = tally(&output);
    // What is left out or needed a second try is not passed.
    if tally.len() != 1 || tally[0].1 != "passed" {
        return Err(KitError::unexpected(format!("not all specs pass in the window, but {tally:?}:\n{output}")));
    }
    window.close().await;
    Ok(())
}

/// How many ended how, by the runner's last lines: `25 passed (3.4m)`.
fn tally(output: &str) -> Vec<(u32, &'static str)> {
    let ends = ["passed", "failed", "skipped", "flaky", "interrupted", "did not run"];
    let counted = |line: &str| {
        let (count, rest) = line.trim().split_once(' ')?;
        let end = ends.into_iter().find(|end| rest.starts_with(end))?;
        Some((count.parse().ok()?, end))
    };
    output.lines().filter_map(counted).collect()
}
