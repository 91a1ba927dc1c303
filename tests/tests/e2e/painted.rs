//! The window as a person opens it. Nobody drives it, so it is painted without layers (ADR 0016), which no other flow's window is.

use crate::{Tested, world::World};
use aispace_testkit::{process::until, screen::Place, window::STEP};

/// The stage, without the rail, whose last line says since when the figures are known, and without the bar that fades.
const STAGE: Place = Place { left: 260, top: 0, width: 1160, height: 900 };
/// A colour's share may differ by so much at the edge of a letter.
const EDGE: u8 = 48;

#[tokio::test]
async fn the_window_that_nobody_drives_looks_like_the_one_that_is_driven() -> Tested {
    let world = World::start().await?;
    let screen = world.desktop.screen().expect("the desktop has a screen");
    let window = world.open("first").await?;
    window.click("onboarding-look-around").await?;
    window.wait_for_text("balance", STEP, |text| text.contains(',')).await?;
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
    let same = until("the same picture", STEP, async || {
        different = driven.chunks(4).zip(screen.read(STAGE)?.chunks(4)).filter(|pair| differs(*pair)).count();
        Ok((different < pixels / 500).then_some(()))
    });
    let came = same.await;
    assert!(came.is_ok(), "{different} of {pixels} pixels differ");
    app.stop(STEP).await;
    Ok(())
}
