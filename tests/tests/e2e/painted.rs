//! The window as a person opens it. Nobody drives it, so it is painted without layers (ADR 0016), which no other flow's window is.

use crate::{Tested, world::World};
use aispace_testkit::{
    KitError,
    process::until,
    screen::Place,
    window::{STEP, Window},
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The stage, without the rail, whose last line says since when the figures are known, and without the bar that fades.
const STAGE: Place = Place { left: 260, top: 0, width: 1160, height: 900 };
/// Where the page's first picture has the balance.
const BALANCE: Place = Place { left: 290, top: 120, width: 250, height: 40 };
/// Blue, green and red of the ground by night, `--char-1` in the pages' tokens.
const NIGHT: [u8; 3] = [19, 22, 25];
/// A colour's share may differ by so much at the edge of a letter.
const EDGE: u8 = 48;

#[tokio::test]
async fn the_window_that_nobody_drives_looks_like_the_one_that_is_driven() -> Tested {
    let world = World::start().await?;
    let screen = world.desktop.screen().expect("the desktop has a screen");
    let window = look_around(&world).await?;
    window.close().await;

    // The second time no tour is offered any more.
    let window = world.open("first").await?;
    window.wait_for_text("balance", STEP, |text| text.contains(',')).await?;
    window.settle().await?;
    let nothing = vec![0; screen.read(STAGE)?.len()];
    let driven = screen.settled(STAGE, &nothing).await?;
    window.close().await;

    let pixels = driven.len() / 4;
    let ground = driven.chunks(4).next_back().unwrap_or_default();
    let drawn = driven.chunks(4).filter(|pixel| *pixel != ground).count();
    assert!(drawn > pixels / 20, "only {drawn} of {pixels} pixels show anything");
    let differs = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > EDGE);
    let mut app = world.start_app("first")?;
    let mut different = pixels;
    let came = until("the same picture", STEP, async || {
        different = driven.chunks(4).zip(screen.read(STAGE)?.chunks(4)).filter(|pair| differs(*pair)).count();
        Ok((different < pixels / 500).then_some(()))
    })
    .await;
    assert!(came.is_ok(), "{different} of {pixels} pixels differ");
    app.stop(STEP).await;
    Ok(())
}

#[tokio::test]
async fn a_dark_window_is_dark_before_its_page_is_there() -> Tested {
    let world = World::start().await?;
    let screen = world.desktop.screen().expect("the desktop has a screen");
    let window = look_around(&world).await?;
    let set = window.run_async(DARK, vec![]).await?;
    assert_eq!(set, Value::Bool(true));
    window.close().await;

    let mut app = world.start_app("first")?;
    let is_night = || Ok::<_, KitError>(screen.read(BALANCE)?.chunks(4).all(|pixel| pixel[..3] == NIGHT));
    let began = Instant::now();
    // It is there for a moment only: looked for more often than `until` does.
    while !is_night()? {
        assert!(began.elapsed() < STEP, "the ground is never to be seen");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    until("the page on it", STEP, async || Ok((!is_night()?).then_some(()))).await?;
    app.stop(STEP).await;
    Ok(())
}

/// Opens the app for the first time and goes through the door that needs nothing.
async fn look_around(world: &World) -> Result<Window, KitError> {
    let window = world.open("first").await?;
    window.click("onboarding-look-around").await?;
    window.wait_for_text("balance", STEP, |text| text.contains(',')).await?;
    Ok(window)
}

const DARK: &str = "const done = arguments[arguments.length - 1]; \
    window.__TAURI_INTERNALS__.invoke('set_theme', { theme: 'dark' }).then(() => done(true), (fault) => done(JSON.stringify(fault)));";
